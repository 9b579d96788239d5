package ocpi

import (
	"slices"
	"time"
)

// Patch returns the session with the patch applied. Charging periods in it
// are added to those of the session, in the order of their start; one that
// was sent before is not added again, and one that starts with an old one
// replaces it (SES-09). The receiver is left as it is. The error for a wrong
// patch is an *Error.
func (s *Session) Patch(patch []byte, decode Decoder) (*Session, error) {
	var p Session
	if err := decode(patch, &p); err != nil {
		return nil, err
	}
	members := membersOf(patch)
	err := checkPatch(members, p.LastUpdated,
		identity{"country_code", s.CountryCode, p.CountryCode},
		identity{"party_id", s.PartyID, p.PartyID},
		identity{"id", s.ID, p.ID})
	if err != nil {
		return nil, err
	}
	merged, err := patched(s, without(members, "country_code", "party_id", "id", "charging_periods"), decode)
	if err != nil {
		return nil, err
	}
	merged.ChargingPeriods = addPeriods(merged.ChargingPeriods, p.ChargingPeriods)
	return merged, merged.Validate().Err()
}

// PatchLate returns the session with what a patch still has to tell that is older than the session (OWN-14): its charging
// periods. Every patch carries its own, so one that was overtaken on its way would be missing for ever (SES-09); all else
// in it is out of date. The receiver is left as it is. The error for a wrong patch is an *Error.
func (s *Session) PatchLate(patch []byte, decode Decoder) (*Session, error) {
	var p Session
	if err := decode(patch, &p); err != nil {
		return nil, err
	}
	late := *s
	late.ChargingPeriods = slices.Clone(s.ChargingPeriods)
	known := make(map[time.Time]bool, len(s.ChargingPeriods))
	for _, period := range s.ChargingPeriods {
		known[period.StartDateTime] = true
	}
	missing := slices.DeleteFunc(p.ChargingPeriods, func(period ChargingPeriod) bool { return known[period.StartDateTime] })
	late.ChargingPeriods = addPeriods(late.ChargingPeriods, missing)
	return &late, late.Validate().Err()
}

// addPeriods adds periods to others and sorts them, all times being UTC. Of two that start at the same time
// the later message is right: a re-sent period, or a correction.
func addPeriods(periods, added []ChargingPeriod) []ChargingPeriod {
	at := make(map[time.Time]int, len(periods)+len(added))
	for i := range periods {
		at[periods[i].StartDateTime] = i
	}
	for _, period := range added {
		if i, known := at[period.StartDateTime]; known {
			periods[i] = period
			continue
		}
		at[period.StartDateTime] = len(periods)
		periods = append(periods, period)
	}
	slices.SortStableFunc(periods, func(a, b ChargingPeriod) int {
		return a.StartDateTime.Compare(b.StartDateTime)
	})
	return periods
}

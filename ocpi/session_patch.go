package ocpi

import "slices"

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

// addPeriods adds periods to sorted ones. Of two that start at the same time
// the later message is right: a re-sent period, or a correction.
func addPeriods(periods, added []ChargingPeriod) []ChargingPeriod {
	for _, period := range added {
		i := slices.IndexFunc(periods, func(old ChargingPeriod) bool {
			return old.StartDateTime.Equal(period.StartDateTime)
		})
		if i >= 0 {
			periods[i] = period
		} else {
			periods = append(periods, period)
		}
	}
	slices.SortStableFunc(periods, func(a, b ChargingPeriod) int {
		return a.StartDateTime.Compare(b.StartDateTime)
	})
	return periods
}

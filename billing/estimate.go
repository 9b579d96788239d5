package billing

import (
	"slices"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Choose picks, of the tariffs that a connector names, the one for a contract session that begins at an instant (PRC-02): of
// those valid then, both ends included, the first of the type that the driver's wish asks for, else the first without a
// type. A wish that is not said is for the regular tariff; tariffs for paying on the spot are never meant. ok is false where
// none fits.
func Choose(tariffs []ocpi.Tariff, at time.Time, wish ocpi.ProfileType) (chosen ocpi.Tariff, ok bool) {
	kind := ocpi.TariffRegular
	if wish != "" && wish != ocpi.ProfileRegular {
		kind = ocpi.TariffType("PROFILE_" + string(wish))
	}
	for _, t := range tariffs {
		switch {
		case !t.StartDateTime.IsZero() && at.Before(t.StartDateTime), !t.EndDateTime.IsZero() && at.After(t.EndDateTime):
		case t.Type == kind:
			return t, true
		case t.Type == "" && !ok:
			chosen, ok = t, true
		}
	}
	return chosen, ok
}

// Estimate prices a session as far as it has come, by the rules for a CDR (PRC-34). It is not the last word: a minimum price
// and the rounding to whole steps, which are in it, weigh less as the session goes on.
func Estimate(s *ocpi.Session, tariff *Tariff, zone *time.Location, p Policy) Rating {
	cdr := ocpi.CDR{
		CountryCode: s.CountryCode, PartyID: s.PartyID, ID: s.ID, SessionID: s.ID, Currency: s.Currency,
		StartDateTime: s.StartDateTime, EndDateTime: s.EndDateTime, TotalEnergy: s.KWh,
		ChargingPeriods: make([]ocpi.ChargingPeriod, len(s.ChargingPeriods)),
	}
	if cdr.EndDateTime.IsZero() {
		cdr.EndDateTime = s.LastUpdated
	}
	if s.Status.Meaning() != ocpi.SessionReservation { // a reservation without an EVSE has not lapsed while it runs
		cdr.CDRLocation = ocpi.CDRLocation{ID: s.LocationID, EVSEUID: s.EVSEUID, ConnectorID: s.ConnectorID}
	}
	for i, period := range s.ChargingPeriods {
		period.Dimensions = slices.DeleteFunc(slices.Clone(period.Dimensions), func(d ocpi.CDRDimension) bool { return d.Type.SessionOnly() })
		cdr.ChargingPeriods[i] = period
	}
	return Rate(&cdr, []*Tariff{tariff}, zone, p)
}

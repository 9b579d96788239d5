package ocpi

import "strings"

// Validate checks the session (SES-01). Dimensions that have no place in a
// CDR are legal here (SES-16).
func (s *Session) Validate() Findings {
	var c checker
	s.check(&c, nil)
	return c.findings
}

func (s *Session) check(c *checker, p *place) {
	c.party(p, s.CountryCode, s.PartyID)
	c.id(p, "id", s.ID, 36)
	c.time(p, "start_date_time", s.StartDateTime)
	if s.EndDateTime.Before(s.StartDateTime) && !s.EndDateTime.IsZero() {
		c.note(p, "end_date_time", "not before start_date_time", FormatDateTime(s.EndDateTime))
	}
	c.number(p, "kwh", s.KWh)
	at := p.field("cdr_token")
	s.CDRToken.check(c, &at)
	enum(c, p, "auth_method", s.AuthMethod)
	c.optionalID(p, "authorization_reference", s.AuthorizationReference, 36)
	c.id(p, "location_id", s.LocationID, 36)
	c.id(p, "evse_uid", s.EVSEUID, 36)
	c.id(p, "connector_id", s.ConnectorID, 36)
	c.optionalText(p, "meter_id", s.MeterID, 255)
	c.currency(p, s.Currency)
	for i := range s.ChargingPeriods {
		at := p.item("charging_periods", i)
		s.ChargingPeriods[i].check(c, &at)
	}
	c.energyUnit(p, s.ChargingPeriods, s.KWh)
	c.optionalPrice(p, "total_cost", s.TotalCost)
	enum(c, p, "status", s.Status)
	c.time(p, "last_updated", s.LastUpdated)
}

// Validate checks the preferences (SES-19).
func (p *ChargingPreferences) Validate() Findings {
	var c checker
	enum(&c, nil, "profile_type", p.ProfileType)
	return c.findings
}

// Follows notes what is odd about a session that comes after an older state
// of it: that it goes on after its end (SES-08), has another currency, or less
// energy, which only a car that feeds back may have (SES-23).
func (s *Session) Follows(old *Session) Findings {
	var c checker
	if was := old.Status.Meaning(); was == SessionCompleted || was == SessionInvalid {
		if is := s.Status.Meaning(); is != SessionCompleted && is != SessionInvalid {
			c.note(nil, "status", "final since it was "+string(was), string(s.Status))
		}
	}
	if !strings.EqualFold(s.Currency, old.Currency) {
		c.note(nil, "currency", "as before: "+old.Currency, s.Currency)
	}
	if s.KWh.Decimal.LessThan(old.KWh.Decimal) {
		c.note(nil, "kwh", "not less than before: "+old.KWh.Decimal.String(), s.KWh.Decimal.String())
	}
	return c.findings
}

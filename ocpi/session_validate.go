package ocpi

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

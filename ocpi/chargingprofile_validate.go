package ocpi

// Validate checks the request (CHP-01).
func (s *SetChargingProfile) Validate() Findings {
	var c checker
	var root *place
	at := root.field("charging_profile")
	s.ChargingProfile.check(&c, &at)
	c.url(nil, "response_url", s.ResponseURL)
	return c.findings
}

// Validate checks the profile (CHP-07).
func (cp *ChargingProfile) Validate() Findings {
	var c checker
	cp.check(&c, nil)
	return c.findings
}

func (cp *ChargingProfile) check(c *checker, p *place) {
	c.optionalCount(p, "duration", cp.Duration)
	enum(c, p, "charging_rate_unit", cp.ChargingRateUnit)
	if cp.MinChargingRate.Decimal.Exponent() < -1 {
		c.note(p, "min_charging_rate", "at most one decimal", cp.MinChargingRate.Decimal.String())
	}
	for i := range cp.ChargingProfilePeriod {
		period := &cp.ChargingProfilePeriod[i]
		at := p.item("charging_profile_period", i)
		c.int(&at, "start_period", period.StartPeriod)
		c.optionalCount(&at, "start_period", period.StartPeriod)
		c.number(&at, "limit", period.Limit)
		if period.Limit.Decimal.Exponent() < -1 {
			c.note(&at, "limit", "at most one decimal", period.Limit.Decimal.String())
		}
	}
}

// Validate checks the active profile (CHP-05).
func (a *ActiveChargingProfile) Validate() Findings {
	var c checker
	a.check(&c, nil)
	return c.findings
}

func (a *ActiveChargingProfile) check(c *checker, p *place) {
	c.time(p, "start_date_time", a.StartDateTime)
	at := p.field("charging_profile")
	a.ChargingProfile.check(c, &at)
}

// Validate checks the immediate answer (CHP-01).
func (r *ChargingProfileResponse) Validate() Findings {
	var c checker
	enum(&c, nil, "result", r.Result)
	c.timeout(r.Timeout)
	return c.findings
}

// Validate checks the result (CHP-04).
func (r *ActiveChargingProfileResult) Validate() Findings {
	var c checker
	var root *place
	enum(&c, nil, "result", r.Result)
	if r.Profile != nil {
		at := root.field("profile")
		r.Profile.check(&c, &at)
	} else if r.Result == ProfileResultAccepted {
		c.note(nil, "profile", "required when accepted", "")
	}
	return c.findings
}

// Validate checks the result (CHP-04).
func (r *ChargingProfileResult) Validate() Findings {
	var c checker
	enum(&c, nil, "result", r.Result)
	return c.findings
}

// Validate checks the result (CHP-04).
func (r *ClearProfileResult) Validate() Findings {
	var c checker
	enum(&c, nil, "result", r.Result)
	return c.findings
}

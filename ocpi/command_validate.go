package ocpi

// Validate checks the command (CMD-03).
func (s *StartSession) Validate() Findings {
	var c checker
	var root *place
	c.url(nil, "response_url", s.ResponseURL)
	at := root.field("token")
	s.Token.check(&c, &at)
	c.id(nil, "location_id", s.LocationID, 36)
	c.optionalID(nil, "evse_uid", s.EVSEUID, 36)
	if s.ConnectorID != "" && s.EVSEUID == "" {
		c.reject(nil, "evse_uid", "required with connector_id", "")
	}
	c.optionalID(nil, "connector_id", s.ConnectorID, 36)
	c.optionalID(nil, "authorization_reference", s.AuthorizationReference, 36)
	return c.findings
}

// Validate checks the command (CMD-06).
func (s *StopSession) Validate() Findings {
	var c checker
	c.url(nil, "response_url", s.ResponseURL)
	c.id(nil, "session_id", s.SessionID, 36)
	return c.findings
}

// Validate checks the command (CMD-07). That the expiry lies in the future is
// for whoever knows the time.
func (r *ReserveNow) Validate() Findings {
	var c checker
	var root *place
	c.url(nil, "response_url", r.ResponseURL)
	at := root.field("token")
	r.Token.check(&c, &at)
	c.time(nil, "expiry_date", r.ExpiryDate)
	c.id(nil, "reservation_id", r.ReservationID, 36)
	c.id(nil, "location_id", r.LocationID, 36)
	c.optionalID(nil, "evse_uid", r.EVSEUID, 36)
	c.optionalID(nil, "authorization_reference", r.AuthorizationReference, 36)
	return c.findings
}

// Validate checks the command (CMD-08).
func (r *CancelReservation) Validate() Findings {
	var c checker
	c.url(nil, "response_url", r.ResponseURL)
	c.id(nil, "reservation_id", r.ReservationID, 36)
	return c.findings
}

// Validate checks the command (CMD-09).
func (u *UnlockConnector) Validate() Findings {
	var c checker
	c.url(nil, "response_url", u.ResponseURL)
	c.id(nil, "location_id", u.LocationID, 36)
	c.id(nil, "evse_uid", u.EVSEUID, 36)
	c.id(nil, "connector_id", u.ConnectorID, 36)
	return c.findings
}

// Validate checks the immediate answer (CMD-10). A missing timeout is only
// noted: refusals often come without one (CMD-11).
func (r *CommandResponse) Validate() Findings {
	var c checker
	enum(&c, nil, "result", r.Result)
	c.timeout(r.Timeout)
	c.texts(nil, "message", r.Message)
	return c.findings
}

// timeout checks the seconds after which a result is given up.
func (c *checker) timeout(seconds *int) {
	if seconds == nil {
		c.note(nil, "timeout", ruleRequired, "")
	}
	c.optionalCount(nil, "timeout", seconds)
}

// Validate checks the result (CMD-12). A result that is not known counts as a
// failure (CMD-20).
func (r *CommandResult) Validate() Findings {
	var c checker
	enum(&c, nil, "result", r.Result)
	c.texts(nil, "message", r.Message)
	return c.findings
}

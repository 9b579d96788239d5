package ocpi

// Validate checks the token (TOK-02).
func (t *Token) Validate() Findings {
	var c checker
	t.check(&c, nil)
	return c.findings
}

func (t *Token) check(c *checker, p *place) {
	c.party(p, t.CountryCode, t.PartyID)
	c.id(p, "uid", t.UID, 36)
	enum(c, p, "type", t.Type)
	c.id(p, "contract_id", t.ContractID, 36)
	c.optionalText(p, "visual_number", t.VisualNumber, 64)
	c.text(p, "issuer", t.Issuer, 64)
	c.optionalID(p, "group_id", t.GroupID, 36)
	c.bool(p, "valid", t.Valid)
	enum(c, p, "whitelist", t.Whitelist)
	c.optionalText(p, "language", t.Language, 2)
	optionalEnum(c, p, "default_profile_type", t.DefaultProfileType)
	if t.EnergyContract != nil {
		at := p.field("energy_contract")
		c.text(&at, "supplier_name", t.EnergyContract.SupplierName, 64)
		c.optionalText(&at, "contract_id", t.EnergyContract.ContractID, 64)
	}
	c.time(p, "last_updated", t.LastUpdated)
}

// Validate checks the references (TOK-16).
func (r *LocationReferences) Validate() Findings {
	var c checker
	r.check(&c, nil)
	return c.findings
}

func (r *LocationReferences) check(c *checker, p *place) {
	c.id(p, "location_id", r.LocationID, 36)
	for i, uid := range r.EVSEUIDs {
		at := p.item("evse_uids", i)
		c.id(&at, "", uid, 36)
	}
}

// Validate checks the answer to an authorization (TOK-18).
func (a *AuthorizationInfo) Validate() Findings {
	var c checker
	enum(&c, nil, "allowed", a.Allowed)
	var root *place
	at := root.field("token")
	a.Token.check(&c, &at)
	if a.Location != nil {
		at := root.field("location")
		a.Location.check(&c, &at)
	}
	c.optionalID(nil, "authorization_reference", a.AuthorizationReference, 36)
	if a.Info != nil {
		at := root.field("info")
		a.Info.check(&c, &at)
	}
	return c.findings
}

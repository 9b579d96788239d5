package ocpi

// Validate checks the credentials (CRED-16). They decide who may talk to us
// as whom, so here everything that is wrong is a reject.
func (cr *Credentials) Validate() Findings {
	var c checker
	c.credentialsToken(cr.Token)
	c.url(nil, "url", cr.URL)
	c.filled(nil, "roles", len(cr.Roles))
	var root *place
	for i := range cr.Roles {
		at := root.item("roles", i)
		cr.Roles[i].check(&c, &at)
		if cr.claimed(i) {
			c.reject(&at, "", "each role of a party once", cr.Roles[i].Party().String())
		}
	}
	return c.findings
}

// credentialsToken checks a token: 1 to 64 printable characters, no space
// among them.
func (c *checker) credentialsToken(token string) {
	if token == "" {
		c.reject(nil, "token", ruleRequired, "")
		return
	}
	if len(token) > 64 {
		c.reject(nil, "token", atMost(64), "")
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			c.reject(nil, "token", "only printable ASCII characters without spaces", "")
			return
		}
	}
}

// claimed reports whether an earlier role is the same as the i-th.
func (cr *Credentials) claimed(i int) bool {
	role := &cr.Roles[i]
	for j := range i {
		if cr.Roles[j].Role == role.Role && cr.Roles[j].Party().Equal(role.Party()) {
			return true
		}
	}
	return false
}

func (r *CredentialsRole) check(c *checker, p *place) {
	enum(c, p, "role", r.Role)
	at := p.field("business_details")
	r.BusinessDetails.check(c, &at)
	c.exactParty(p, r.CountryCode, r.PartyID)
}

// exactParty checks a party that is to be known under exactly this name.
func (c *checker) exactParty(p *place, countryCode, partyID CiString) {
	if countryCode == "" {
		c.reject(p, "country_code", ruleRequired, "")
	} else if len(countryCode) != 2 || !isLetters(string(countryCode)) {
		c.reject(p, "country_code", "two letters", string(countryCode))
	}
	if partyID == "" {
		c.reject(p, "party_id", ruleRequired, "")
	} else if len(partyID) != 3 || !isAlphanumeric(string(partyID)) {
		c.reject(p, "party_id", "three letters or digits", string(partyID))
	}
}

// Validate checks what a hub says about a party (HUB-01).
func (i *ClientInfo) Validate() Findings {
	var c checker
	c.exactParty(nil, i.CountryCode, i.PartyID)
	enum(&c, nil, "role", i.Role)
	enum(&c, nil, "status", i.Status)
	c.time(nil, "last_updated", i.LastUpdated)
	return c.findings
}

// Validate checks an entry of the versions list (VER-01).
func (v *Version) Validate() Findings {
	var c checker
	c.text(nil, "version", string(v.Version), 16)
	c.url(nil, "url", v.URL)
	return c.findings
}

// Validate checks the details of a version (VER-03). An endpoint without a
// role is noted (VER-09).
func (d *VersionDetails) Validate() Findings {
	var c checker
	c.text(nil, "version", string(d.Version), 16)
	c.filled(nil, "endpoints", len(d.Endpoints))
	var root *place
	for i := range d.Endpoints {
		endpoint := &d.Endpoints[i]
		at := root.item("endpoints", i)
		enum(&c, &at, "identifier", endpoint.Identifier)
		if endpoint.Role == "" {
			c.note(&at, "role", ruleRequired, "")
		}
		optionalEnum(&c, &at, "role", endpoint.Role)
		c.url(&at, "url", endpoint.URL)
	}
	return c.findings
}

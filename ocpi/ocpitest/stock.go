package ocpitest

import (
	"net/http"
	"slices"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Locations are the CPO's, as it shows them now.
func (c *CPO) Locations() []ocpi.Location {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.locations)
}

// Tariffs are the CPO's, as it shows them now.
func (c *CPO) Tariffs() []ocpi.Tariff {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tariffs)
}

// Tokens are the cards that the platform has told the CPO of.
func (c *CPO) Tokens() []ocpi.Token {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tokens)
}

// Sessions are those that the CPO has pushed, as they stand.
func (c *CPO) Sessions() []ocpi.Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sessions)
}

// CDRs are those that the CPO has sent.
func (c *CPO) CDRs() []ocpi.CDR {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.cdrs)
}

// tokenKey is what a token is known by (TOK-03), in the folded spelling.
type tokenKey struct {
	owner ocpi.Party
	uid   string
	kind  ocpi.TokenType
}

func keyOf(owner ocpi.Party, uid ocpi.CiString, kind ocpi.TokenType) tokenKey {
	return tokenKey{owner.Fold(), uid.Fold(), kind}
}

// storeToken keeps a token and reports whether it is new.
func (c *CPO) storeToken(token ocpi.Token) (added bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := keyOf(token.Party(), token.UID, token.Type)
	if i, known := c.tokenAt[key]; known {
		c.tokens[i] = token
		return false
	}
	c.tokenAt[key] = len(c.tokens)
	c.tokens = append(c.tokens, token)
	return true
}

// addressed are the CPOs that a call is for, or the refusal of a hub that
// cannot reach them (STA-04). A CPO of its own answers for itself. everyone
// tells whether the hub's own party stands for all of them.
func (p *Peer) addressed(in inbound, everyone bool) ([]*CPO, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.role != ocpi.RoleHub {
		if to := in.routing.To; !to.IsZero() && !to.Equal(p.party) {
			return nil, ocpi.Refused(ocpi.StatusInvalidParameters, "there is no "+to.String()+" here")
		}
		return p.cpos, nil
	}
	if everyone && in.routing.To.Equal(p.party) {
		var reachable []*CPO
		for i, c := range p.cpos {
			if p.clients[i].Status == ocpi.ConnectionConnected {
				reachable = append(reachable, c)
			}
		}
		return reachable, nil
	}
	for i, c := range p.cpos {
		if !c.party.Equal(in.routing.To) {
			continue
		}
		if p.clients[i].Status != ocpi.ConnectionConnected {
			return nil, ocpi.Refused(ocpi.StatusConnectionProblem, in.routing.To.String()+" is "+string(p.clients[i].Status))
		}
		return p.cpos[i : i+1], nil
	}
	return nil, ocpi.Refused(ocpi.StatusUnknownReceiver, "no party "+in.routing.To.String()+" behind this hub")
}

// serveList answers with one page of what the addressed CPOs have.
func serveList[T any](p *Peer, r *http.Request, in inbound, items func(*CPO) []T, lastUpdated func(*T) time.Time) answer {
	cpos, err := p.addressed(in, true)
	if err != nil {
		return refuse(err)
	}
	var all []T
	for _, c := range cpos {
		all = append(all, items(c)...)
	}
	return page(p, r, all, lastUpdated)
}

// serveLocations serves the list and, without the owner in the path, the
// single Location, EVSE and Connector (LOC-22, LOC-23).
func (p *Peer) serveLocations(r *http.Request, in inbound) answer {
	if len(in.path) == 0 {
		return serveList(p, r, in, (*CPO).Locations, func(l *ocpi.Location) time.Time { return l.LastUpdated })
	}
	cpos, err := p.addressed(in, false)
	if err != nil {
		return refuse(err)
	}
	for _, c := range cpos {
		if object, found := c.findLocation(in.path); found {
			return success(object)
		}
	}
	return refuse(ocpi.NotFound(ocpi.StatusUnknownLocation, "no such Location, EVSE or Connector"))
}

func (c *CPO) findLocation(path []ocpi.CiString) (any, bool) {
	for _, location := range c.Locations() {
		if !location.ID.Equal(path[0]) {
			continue
		}
		if len(path) == 1 {
			return location, true
		}
		for _, evse := range location.EVSEs {
			if !evse.UID.Equal(path[1]) {
				continue
			}
			if len(path) == 2 {
				return evse, true
			}
			for _, connector := range evse.Connectors {
				if connector.ID.Equal(path[2]) && len(path) == 3 {
					return connector, true
				}
			}
		}
	}
	return nil, false
}

func (p *Peer) serveTariffs(r *http.Request, in inbound) answer {
	if len(in.path) > 0 {
		return refuse(ocpi.NotFound(ocpi.StatusInvalidParameters, "tariffs are listed only"))
	}
	return serveList(p, r, in, (*CPO).Tariffs, func(t *ocpi.Tariff) time.Time { return t.LastUpdated })
}

// serveSessions shows an eMSP the sessions of its own cards.
func (p *Peer) serveSessions(r *http.Request, in inbound) answer {
	if len(in.path) == 2 && in.path[1] == "charging_preferences" {
		return p.servePreferences(r, in)
	}
	if len(in.path) > 0 {
		return refuse(ocpi.NotFound(ocpi.StatusInvalidParameters, "sessions are listed only"))
	}
	if r.URL.Query().Get("date_from") == "" {
		p.complain("PAG-20", r.Method+" "+r.URL.String(), "date_from is missing")
		return refuse(ocpi.InvalidParameter("date_from", "is required", ""))
	}
	own := func(c *CPO) []ocpi.Session {
		return slices.DeleteFunc(c.Sessions(), func(s ocpi.Session) bool { return !in.owns(s.CDRToken) })
	}
	return serveList(p, r, in, own, func(s *ocpi.Session) time.Time { return s.LastUpdated })
}

// serveCDRs shows an eMSP the CDRs of its own cards.
func (p *Peer) serveCDRs(r *http.Request, in inbound) answer {
	if len(in.path) > 0 {
		return refuse(ocpi.NotFound(ocpi.StatusInvalidParameters, "CDRs are listed only"))
	}
	own := func(c *CPO) []ocpi.CDR {
		return slices.DeleteFunc(c.CDRs(), func(cdr ocpi.CDR) bool { return !in.owns(cdr.CDRToken) })
	}
	return serveList(p, r, in, own, func(c *ocpi.CDR) time.Time { return c.LastUpdated })
}

// owns reports whether the card is one of the eMSP that asks. One that does
// not say who it is sees everything of the connection.
func (in inbound) owns(token ocpi.CDRToken) bool {
	return in.routing.From.IsZero() || token.Party().Equal(in.routing.From)
}

// serveTokens is the receiver of the platform's tokens (TOK-07 to TOK-12).
func (p *Peer) serveTokens(r *http.Request, in inbound) answer {
	if len(in.path) != 3 {
		return refuse(ocpi.NotFound(ocpi.StatusInvalidParameters, "the path of a token is its owner's country and party and its uid"))
	}
	cpos, err := p.addressed(in, r.Method != http.MethodGet)
	if err != nil {
		return refuse(err)
	}
	owner := ocpi.Party{CountryCode: in.path[0], PartyID: in.path[1]}
	kind := ocpi.TokenType(r.URL.Query().Get("type"))
	if p.old() && kind != "" {
		p.complain("VDF-04", r.Method+" "+r.URL.String(), "the type of the token is in the URL")
	}
	in.body = p.understand(ocpi.ModuleTokens, in.body)
	if kind == "" {
		kind = ocpi.TokenRFID
	}
	if !slices.ContainsFunc(p.EMSPs(), owner.Equal) {
		p.complain("TOK-08", r.Method+" "+r.URL.Path, "%s is no eMSP of the platform's credentials", owner)
		return refuse(ocpi.NotFound(ocpi.StatusInvalidParameters, owner.String()+" is not known here"))
	}
	switch r.Method {
	case http.MethodPut:
		return p.putToken(in, cpos, owner, kind)
	case http.MethodPatch:
		return p.patchToken(in, cpos, keyOf(owner, in.path[2], kind))
	case http.MethodGet:
		return getToken(cpos, keyOf(owner, in.path[2], kind))
	default:
		p.complain("TOK-10", r.Method+" "+r.URL.Path, "there is no such method")
		return refuse(ocpi.MethodNotAllowed("GET, PUT and PATCH only"))
	}
}

func (p *Peer) putToken(in inbound, cpos []*CPO, owner ocpi.Party, kind ocpi.TokenType) answer {
	uid := in.path[2]
	var token ocpi.Token
	if err := ocpi.Unmarshal(in.body, &token); err != nil {
		return refuse(err)
	}
	where := "PUT token " + string(uid)
	if !token.Party().Equal(owner) || !token.UID.Equal(uid) || token.Type != kind {
		p.complain("TOK-08", where, "the path says %s %s %s, the body %s %s %s", owner, uid, kind, token.Party(), token.UID, token.Type)
		return refuse(ocpi.Refused(ocpi.StatusInvalidParameters, "path and body differ"))
	}
	if token.ContractID == "" || token.Issuer == "" || token.Valid == nil || !token.Whitelist.Known() || token.LastUpdated.IsZero() {
		p.complain("TOK-02", where, "a required field is missing")
		return refuse(ocpi.Refused(ocpi.StatusInvalidParameters, "contract_id, issuer, valid, whitelist and last_updated are required"))
	}
	added := false
	for _, c := range cpos {
		added = c.storeToken(token) || added
	}
	done := success(nil)
	if added {
		done.http = http.StatusCreated
	}
	return done
}

func (p *Peer) patchToken(in inbound, cpos []*CPO, key tokenKey) answer {
	var change ocpi.Token
	if err := ocpi.Unmarshal(in.body, &change); err != nil {
		return refuse(err)
	}
	if change.LastUpdated.IsZero() {
		p.complain("TOK-09", "PATCH token "+key.uid, "last_updated is missing")
		return refuse(ocpi.InvalidParameter("last_updated", "is required", ""))
	}
	found := false
	for _, c := range cpos {
		c.mu.Lock()
		if i, known := c.tokenAt[key]; known {
			found = true
			// A body that is merged into what is there: exactly PATCH.
			if err := ocpi.Unmarshal(in.body, &c.tokens[i]); err != nil {
				c.mu.Unlock()
				return refuse(err)
			}
		}
		c.mu.Unlock()
	}
	if !found {
		return refuse(ocpi.NotFound(ocpi.StatusUnknownToken, "no such token"))
	}
	return success(nil)
}

func getToken(cpos []*CPO, key tokenKey) answer {
	for _, c := range cpos {
		c.mu.Lock()
		i, known := c.tokenAt[key]
		if known {
			token := c.tokens[i]
			c.mu.Unlock()
			return success(token)
		}
		c.mu.Unlock()
	}
	return refuse(ocpi.NotFound(ocpi.StatusUnknownToken, "no such token"))
}

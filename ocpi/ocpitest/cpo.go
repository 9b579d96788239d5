package ocpitest

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// CPO is a charge point operator: its Locations and tariffs, the cards that
// it knows, its sessions and CDRs. The Peer is its own or that of the hub
// that it is behind.
type CPO struct {
	*Peer
	name         string
	party        ocpi.Party
	firstPlace   int
	signedMeters bool

	mu        sync.Mutex
	random    *rand.Rand
	prices    []Price // one for AC, for DC and for fast DC
	locations []ocpi.Location
	tariffs   []ocpi.Tariff
	tokens    []ocpi.Token
	tokenAt   map[tokenKey]int // index in tokens
	sessions  []ocpi.Session
	sessionAt map[ocpi.CiString]int // index in sessions
	cdrs      []ocpi.CDR
	cdrAt     map[ocpi.CiString]int       // index in cdrs
	bookings  map[ocpi.CiString][]booking // by EVSE

	commands     []Command
	reservations map[string]ocpi.CiString // the session of each, by the folded id
}

// booking is the time for which an EVSE is taken.
type booking struct{ from, to time.Time }

// NewCPO builds a CPO with a platform of its own. It serves after Start.
func NewCPO(o Options) *CPO {
	peer := newPeer(ocpi.RoleCPO, o)
	return peer.addCPO(o)
}

func (p *Peer) addCPO(o Options) *CPO {
	hash := fnv.New64a()
	hash.Write([]byte(o.Party.String()))
	c := &CPO{
		Peer: p, name: o.Name, party: o.Party, prices: o.Prices, signedMeters: o.SignedMeters,
		firstPlace: int(hash.Sum64() % uint64(len(places))),
		random:     rand.New(rand.NewPCG(o.Seed, hash.Sum64())),
		tokenAt:    map[tokenKey]int{}, sessionAt: map[ocpi.CiString]int{}, cdrAt: map[ocpi.CiString]int{},
		bookings: map[ocpi.CiString][]booking{}, reservations: map[string]ocpi.CiString{},
	}
	if len(c.prices) == 0 {
		c.prices = StandardPrices()
	}
	now := p.now()
	for _, price := range c.prices {
		c.tariffs = append(c.tariffs, price.Tariff(c.party, now))
	}
	for n := range max(o.Sites, 1) {
		c.locations = append(c.locations, c.location(n, now))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cpos = append(p.cpos, c)
	p.clients = append(p.clients, ocpi.ClientInfo{
		CountryCode: c.party.CountryCode, PartyID: c.party.PartyID, Role: ocpi.RoleCPO, Status: ocpi.ConnectionConnected, LastUpdated: now,
	})
	return c
}

// Name is the CPO's business name.
func (c *CPO) Name() string { return c.name }

// Party is the CPO's, also behind a hub.
func (c *CPO) Party() ocpi.Party { return c.party }

// priceOf is the price at a kind of point; a CPO with fewer prices uses the
// last for the faster kinds.
func (c *CPO) priceOf(kind Kind) Price { return c.prices[min(kinds[kind].price, len(c.prices)-1)] }

// Publish pushes every tariff and every Location.
func (c *CPO) Publish(ctx context.Context) error {
	for _, tariff := range c.Tariffs() {
		if err := c.PutTariff(ctx, tariff); err != nil {
			return err
		}
	}
	for _, location := range c.Locations() {
		if err := c.PutLocation(ctx, location); err != nil {
			return err
		}
	}
	return nil
}

// PutLocation stores and pushes a Location.
func (c *CPO) PutLocation(ctx context.Context, location ocpi.Location) error {
	c.mu.Lock()
	if i := slices.IndexFunc(c.locations, func(l ocpi.Location) bool { return l.ID.Equal(location.ID) }); i >= 0 {
		c.locations[i] = location
	} else {
		c.locations = append(c.locations, location)
	}
	c.mu.Unlock()
	return c.spread(ctx, http.MethodPut, ocpi.ModuleLocations, location, location.ID)
}

// SetStatus pushes a new status of an EVSE, the message that a CPO sends most
// (LOC-09).
func (c *CPO) SetStatus(ctx context.Context, location, evse ocpi.CiString, status ocpi.Status, at time.Time) error {
	c.mu.Lock()
	for i := range c.locations {
		if !c.locations[i].ID.Equal(location) {
			continue
		}
		// Readers hold the old list.
		evses := slices.Clone(c.locations[i].EVSEs)
		for j := range evses {
			if evses[j].UID.Equal(evse) {
				evses[j].Status, evses[j].LastUpdated = status, at
				c.locations[i].LastUpdated = at
			}
		}
		c.locations[i].EVSEs = evses
	}
	c.mu.Unlock()
	return c.spread(ctx, http.MethodPatch, ocpi.ModuleLocations, ocpi.EVSE{Status: status, LastUpdated: at}, location, evse)
}

// PutTariff stores and pushes a tariff.
func (c *CPO) PutTariff(ctx context.Context, tariff ocpi.Tariff) error {
	c.mu.Lock()
	if i := slices.IndexFunc(c.tariffs, func(t ocpi.Tariff) bool { return t.ID.Equal(tariff.ID) }); i >= 0 {
		c.tariffs[i] = tariff
	} else {
		c.tariffs = append(c.tariffs, tariff)
	}
	c.mu.Unlock()
	return c.spread(ctx, http.MethodPut, ocpi.ModuleTariffs, tariff, tariff.ID)
}

// DeleteTariff forgets a tariff and says so.
func (c *CPO) DeleteTariff(ctx context.Context, id ocpi.CiString) error {
	c.mu.Lock()
	c.tariffs = slices.DeleteFunc(slices.Clone(c.tariffs), func(t ocpi.Tariff) bool { return t.ID.Equal(id) })
	c.mu.Unlock()
	return c.spread(ctx, http.MethodDelete, ocpi.ModuleTariffs, nil, id)
}

// Lose forgets a Location or a tariff and tells nobody: only its lists show
// it.
func (c *CPO) Lose(id ocpi.CiString) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.locations = slices.DeleteFunc(slices.Clone(c.locations), func(l ocpi.Location) bool { return l.ID.Equal(id) })
	c.tariffs = slices.DeleteFunc(slices.Clone(c.tariffs), func(t ocpi.Tariff) bool { return t.ID.Equal(id) })
}

// ChangePrice replaces the price with the same id and pushes the new tariff.
// Sessions that start from now on have it.
func (c *CPO) ChangePrice(ctx context.Context, price Price) error {
	c.mu.Lock()
	i := slices.IndexFunc(c.prices, func(p Price) bool { return p.ID.Equal(price.ID) })
	if i < 0 {
		c.mu.Unlock()
		return fmt.Errorf("change the price of %s: no price %s", c.name, price.ID)
	}
	c.prices = slices.Clone(c.prices)
	c.prices[i] = price
	c.mu.Unlock()
	return c.PutTariff(ctx, price.Tariff(c.party, c.now()))
}

// PutSession stores and pushes a session.
func (c *CPO) PutSession(ctx context.Context, s ocpi.Session) error {
	c.mu.Lock()
	if i, known := c.sessionAt[s.ID]; known {
		c.sessions[i] = s
	} else {
		c.sessionAt[s.ID] = len(c.sessions)
		c.sessions = append(c.sessions, s)
	}
	c.mu.Unlock()
	_, err := c.push(ctx, http.MethodPut, ocpi.ModuleSessions, c.to(s.CDRToken.Party()), s, c.party.CountryCode, c.party.PartyID, s.ID)
	return err
}

// PatchSession stores and pushes a change of a session; its charging periods
// are appended (SES-09).
func (c *CPO) PatchSession(ctx context.Context, id ocpi.CiString, change ocpi.Session) error {
	c.mu.Lock()
	i, known := c.sessionAt[id]
	if !known {
		c.mu.Unlock()
		return fmt.Errorf("change session %s: there is none", id)
	}
	s := c.sessions[i]
	s.KWh, s.TotalCost, s.Status, s.LastUpdated = change.KWh, change.TotalCost, change.Status, change.LastUpdated
	if !change.EndDateTime.IsZero() {
		s.EndDateTime = change.EndDateTime
	}
	s.ChargingPeriods = append(slices.Clone(s.ChargingPeriods), change.ChargingPeriods...)
	c.sessions[i] = s
	c.mu.Unlock()
	_, err := c.push(ctx, http.MethodPatch, ocpi.ModuleSessions, c.to(s.CDRToken.Party()), change, c.party.CountryCode, c.party.PartyID, id)
	return err
}

// PostCDR stores and sends a CDR and returns the URL that the platform keeps
// it at (CDR-01).
func (c *CPO) PostCDR(ctx context.Context, cdr ocpi.CDR) (location string, err error) {
	c.mu.Lock()
	if _, known := c.cdrAt[cdr.ID]; !known {
		c.cdrAt[cdr.ID] = len(c.cdrs)
		c.cdrs = append(c.cdrs, cdr)
	}
	c.mu.Unlock()
	x, err := c.push(ctx, http.MethodPost, ocpi.ModuleCDRs, c.to(cdr.CDRToken.Party()), cdr)
	if err != nil || x.HTTPStatus == 0 { // lost on the way
		return "", err
	}
	location = x.AnswerHeader.Get(ocpi.HeaderLocation)
	if target, err := url.Parse(location); err != nil || !target.IsAbs() || len(location) > 255 {
		c.complain("CDR-01", "POST "+x.URL, "the answer has the Location %q", location)
	}
	return location, nil
}

// Fetch reads back an object of ours at the URL that the platform keeps it at.
func (c *CPO) Fetch(ctx context.Context, module ocpi.ModuleID, emsp ocpi.Party, location string) (Exchange, error) {
	return c.do(ctx, call{method: http.MethodGet, module: module, url: location, routing: c.to(emsp)})
}

// Authorize asks the platform about a card at the moment of use (TOK-16).
func (c *CPO) Authorize(ctx context.Context, token ocpi.Token, at *ocpi.LocationReferences) (ocpi.AuthorizationInfo, error) {
	var info ocpi.AuthorizationInfo
	base, err := c.endpoint(ocpi.ModuleTokens, ocpi.Sender)
	if err != nil {
		return info, err
	}
	ask := call{
		method: http.MethodPost, module: ocpi.ModuleTokens, routing: c.to(token.Party()),
		url: join(base, token.UID, "authorize"),
	}
	if !c.old() {
		ask.url += "?type=" + url.QueryEscape(string(token.Type))
	}
	if at != nil {
		ask.body = at
	}
	x, err := c.do(ctx, ask)
	if err != nil {
		return info, err
	}
	if err := ocpi.Unmarshal(x.Answer.Data, &info); err != nil {
		return info, fmt.Errorf("authorize %s: %w", token.ContractID, err)
	}
	return info, nil
}

// PullTokens reads the token lists of every eMSP of the platform (TOK-01) and
// returns how many tokens they hold.
func (c *CPO) PullTokens(ctx context.Context) (int, error) {
	n := 0
	for _, emsp := range c.recipients() {
		tokens, err := listAll[ocpi.Token](ctx, c.Peer, ocpi.ModuleTokens, c.to(emsp), nil)
		if err != nil {
			return n, fmt.Errorf("pull the tokens of %s: %w", emsp, err)
		}
		for _, token := range tokens {
			c.storeToken(token)
		}
		n += len(tokens)
	}
	return n, nil
}

// to addresses a message of the CPO to one eMSP.
func (c *CPO) to(emsp ocpi.Party) ocpi.Routing { return ocpi.Routing{To: emsp, From: c.party} }

// recipients are the eMSPs that a message for everyone goes to; a partner
// that sends no routing headers addresses nobody in particular, once.
func (c *CPO) recipients() []ocpi.Party {
	if c.currentFaults().NoRouting {
		return []ocpi.Party{{}}
	}
	return c.EMSPs()
}

// spread pushes an object that is for every eMSP. A hub passes it on as a
// broadcast of its own (RTG-09).
func (c *CPO) spread(ctx context.Context, method string, module ocpi.ModuleID, body any, path ...ocpi.CiString) error {
	from := c.party
	if c.role == ocpi.RoleHub {
		from = c.Peer.party
	}
	path = append([]ocpi.CiString{c.party.CountryCode, c.party.PartyID}, path...)
	for _, emsp := range c.recipients() {
		if _, err := c.push(ctx, method, module, ocpi.Routing{To: emsp, From: from}, body, path...); err != nil {
			return err
		}
	}
	return nil
}

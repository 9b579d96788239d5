package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// call is one authenticated request.
type call struct {
	*server
	echo    echo.Context
	dialect *ocpi.Dialect // the version in which it is made and answered
	module  ocpi.ModuleID
	object  any // what its body is of, for errors about it

	partner db.Partner
	tenants []tenant // the utilities of the connection
	token   string   // what the partner presented
	hash    []byte
	raw     bool // it came without Base64 (TRN-05)
	invited bool // it is a token A: good for the handshake only (TRN-09)

	to *tenant // the utility that the routing headers name; nil: none (RTG-05)

	inbound  *inbound // it came another way than over HTTP; nil: over HTTP
	trace    trace
	findings ocpi.Findings // what was tolerated
}

// tenant is a utility as partners address it.
type tenant struct {
	id      uuid.UUID
	party   ocpi.Party
	leaving bool // it leaves the connection: its cards are void here already
}

// handler answers a call. Its error goes to server.fail.
type handler func(c *call, ctx context.Context) (answer, error)

const callKey = "call"

// handle makes a handler one of the router's.
func handle(h handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		call := c.Get(callKey).(*call)
		a, err := h(call, c.Request().Context())
		if err != nil {
			return err
		}
		return call.send(a)
	}
}

// door is what every call passes: message ids, credentials token, routing, limits. It stands before the router's own 404 and
// 405 too, so that nobody learns our paths without a token. Every call is logged, however it ends.
func (s *server) door(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		c := &call{server: s, echo: e, inbound: inboundOf(e.Request().Context())}
		c.dialect, c.module = placeOf(e.Request().URL.Path)
		c.trace.begin(s.Now())
		e.Set(callKey, c)
		if c.urgent() {
			s.lanes.urgent.Add(1)
			defer s.lanes.urgent.Add(-1)
		}
		if err := c.pass(next); err != nil {
			s.fail(err, e)
		}
		return nil
	}
}

func (c *call) pass(next echo.HandlerFunc) (err error) {
	defer func() {
		if r := recover(); r != nil && r != http.ErrAbortHandler { //nolint:errorlint // a panic value
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		} else if r != nil {
			panic(r)
		}
	}()
	if err := c.enter(); err != nil {
		return err
	}
	leave, err := c.wait()
	if err != nil {
		return err
	}
	defer leave()
	return next(c.echo)
}

// enter finds out who calls, and whom.
func (c *call) enter() error {
	r, response := c.echo.Request(), c.echo.Response().Header()
	odd := ocpi.MessageQuirks(r.Header, !c.dialect.NoMessageIDs, c.functional(), r.ContentLength != 0)
	for _, name := range []string{ocpi.HeaderRequestID, ocpi.HeaderCorrelationID} { // TRN-18, TRN-19
		if r.Header.Get(name) == "" {
			r.Header.Set(name, uuid.NewString())
		}
		response.Set(name, r.Header.Get(name))
	}
	if c.inbound != nil {
		known := &c.inbound.known
		c.partner, c.tenants = known.Partner, tenantsOf(known.TenantIDs, known.TenantParties, known.TenantsLeaving)
		return c.route(r.Header, response)
	}
	if err := c.authenticate(r.Context(), r.Header.Get(ocpi.HeaderAuthorization)); err != nil {
		return err
	}
	if err := c.tolerate(append(odd, pathQuirks(r.Context())...)...); err != nil {
		return err
	}
	if err := c.route(r.Header, response); err != nil {
		return err
	}
	return c.checkSender(r.Context())
}

// functional says that the module has routing headers.
func (c *call) functional() bool {
	return c.module != "" && !c.module.Configuration() && !c.dialect.NoRouting
}

// authenticate finds out who calls (TRN-05 to TRN-10).
func (c *call) authenticate(ctx context.Context, header string) error {
	candidates, err := ocpi.TokenCandidates(header)
	if err != nil {
		return err
	}
	hashes := make([][]byte, len(candidates))
	for i, token := range candidates {
		hashes[i] = c.Box.Hash(token)
	}
	rows, err := c.DB.PartnersByToken(ctx, hashes)
	if err != nil {
		return fmt.Errorf("find partner: %w", err)
	}
	for i, hash := range hashes {
		for _, row := range rows {
			if !bytes.Equal(row.Hash, hash) {
				continue
			}
			c.partner, c.token, c.hash = row.Partner, candidates[i], hash
			c.raw = i == len(candidates)-1
			c.invited = row.Kind == "invite"
			c.tenants = tenantsOf(row.TenantIDs, row.TenantParties, row.TenantsLeaving)
			if err := c.admit(ctx); err != nil {
				return err
			}
			return c.use(ctx, header, row.Doubt)
		}
	}
	return ocpi.Unauthorized("the credentials token is not known")
}

// use takes the token in the form in which it came. The one of two that a rotation left open is the one that is used (CRED-22).
func (c *call) use(ctx context.Context, header string, doubt bool) error {
	for _, quirk := range ocpi.TokenQuirks(header, c.token) {
		if quirk == ocpi.QuirkRawToken && c.dialect.RawToken {
			continue
		}
		note := ocpi.Finding{Severity: ocpi.Note, Path: ocpi.HeaderAuthorization, Rule: "Token and the Base64 of the credentials token", Quirk: quirk}
		if err := c.tolerate(note); err != nil {
			return ocpi.Unauthorized(err.Error())
		}
	}
	if !doubt {
		return nil
	}
	if _, err := c.DB.SettlePartnerTokens(ctx, db.SettlePartnerTokensParams{Hash: c.hash, Now: c.Now()}); err != nil {
		return fmt.Errorf("settle tokens: %w", err)
	}
	return nil
}

// tenantsOf are the utilities of a connection, as a query returns them.
func tenantsOf(ids []uuid.UUID, parties []string, leaving []bool) []tenant {
	all := make([]tenant, len(ids))
	for i, id := range ids {
		all[i] = tenant{id, ocpi.Party{CountryCode: ocpi.CiString(parties[i][:2]), PartyID: ocpi.CiString(parties[i][2:])}, leaving[i]}
	}
	return all
}

// admit lets the partner in, unless it is still invited and wants more than the handshake (TRN-09).
func (c *call) admit(ctx context.Context) error {
	if err := c.checkCertificate(); err != nil {
		return err
	}
	if c.invited && c.module != "" && c.module != ocpi.ModuleCredentials {
		return ocpi.Unauthorized("the credentials token is for the registration only")
	}
	if seen := c.partner.LastReceivedAt; seen == nil || c.Now().Sub(*seen) > time.Minute {
		heard := db.PartnerReceivedParams{ID: c.partner.ID, Now: c.Now(), Before: c.Now().Add(-time.Minute)}
		if err := c.DB.PartnerReceived(ctx, heard); err != nil {
			return fmt.Errorf("note the call of a partner: %w", err)
		}
	}
	return nil
}

// route answers to whom the message came from and finds the utility that it is for (RTG-01 to RTG-07). Configuration
// modules have no routing headers and give none.
func (c *call) route(request, response http.Header) error {
	if !c.functional() {
		return nil
	}
	routing := ocpi.ReadRouting(request)
	routing.Reply().Write(response)
	if routing.To.IsZero() {
		return nil
	}
	if c.to = c.tenant(routing.To); c.to == nil && (c.module == ocpi.ModuleCDRs || c.module == ocpi.ModuleSessions) {
		var err error
		if c.to, err = c.formerTenant(c.echo.Request().Context(), routing.To); err != nil {
			return err
		}
	}
	if c.to == nil {
		return ocpi.InvalidParameter(ocpi.HeaderToPartyID, "must be a party of this connection", routing.To.String())
	}
	return nil
}

// tenant returns the utility of the connection with this party, or nil.
func (c *call) tenant(party ocpi.Party) *tenant {
	for i := range c.tenants {
		if c.tenants[i].party.Equal(party) {
			return &c.tenants[i]
		}
	}
	return nil
}

// addressed are the utilities that a call is for: the one that the routing headers name, else all of the connection.
func (c *call) addressed() []uuid.UUID {
	if c.to != nil {
		return []uuid.UUID{c.to.id}
	}
	ids := make([]uuid.UUID, len(c.tenants))
	for i, t := range c.tenants {
		ids[i] = t.id
	}
	return ids
}

// segment returns a path segment (TRN-26).
func (c *call) segment(name string) ocpi.CiString {
	escaped := c.echo.Param(name)
	if s, err := url.PathUnescape(escaped); err == nil {
		return ocpi.CiString(s)
	}
	return ocpi.CiString(escaped)
}

// origin is what a message of another version leaves to its connection: whose object it is, and for whom.
func (c *call) origin() ocpi.Origin {
	o := ocpi.Origin{Owner: c.pathParty(), Role: ocpi.Role(c.partner.Role), At: c.Now()}
	if o.Owner.IsZero() {
		o.Owner = ocpi.Party{CountryCode: ocpi.CiString(c.partner.CountryCode), PartyID: ocpi.CiString(c.partner.PartyID)}
	}
	if len(c.tenants) == 1 {
		o.Tokens = c.tenants[0].party
	}
	return o
}

// pathParty is the party that a path names.
func (c *call) pathParty() ocpi.Party {
	return ocpi.Party{CountryCode: c.segment("country"), PartyID: c.segment("party")}
}

// matches checks that an object is the one that the path names (OWN-04, OWN-05).
func matches(field string, inBody, inPath ocpi.CiString) error {
	if !inBody.Equal(inPath) {
		return ocpi.InvalidParameter(field, "must be as in the URL: "+string(inPath), string(inBody))
	}
	return nil
}

func (c *call) matchesParty(body ocpi.Party) error {
	path := c.pathParty()
	return errors.Join(matches("country_code", body.CountryCode, path.CountryCode), matches("party_id", body.PartyID, path.PartyID))
}

func (c *call) noSuchMethod(context.Context) (answer, error) {
	return answer{}, echo.ErrMethodNotAllowed
}

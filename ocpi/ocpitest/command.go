package ocpitest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// CommandFaults are the ways in which partners deal with commands, charging
// profiles and charging preferences. Without them, what is asked for happens:
// the answer, then the result, then the session.
type CommandFaults struct {
	NoTimeout      bool // the answer does not say how long to wait
	ResultFirst    bool // the result comes before the answer (CMD-19)
	ResultTwice    bool // it comes again
	ResultTimeout  bool // it is TIMEOUT, and nothing happens
	NoResult       bool // it never comes, and nothing happens
	HappensAnyway  bool // after a TIMEOUT or without a result, the session comes all the same (CMD-17)
	NothingHappens bool // the result is ACCEPTED, but no session follows
	NoReference    bool // sessions lack the authorization_reference
	TooOften       bool // charging profiles are answered with TOO_OFTEN
	ObjectAnswer   bool // charging preferences are answered with an object (SES-21)
}

// Command is one that the platform sent to a CPO; also a request for a
// charging profile, by its method.
type Command struct {
	Type        ocpi.CommandType // or PUT, GET, DELETE of a charging profile
	ResponseURL string
	From        ocpi.Party
	Start       ocpi.StartSession    // with START_SESSION
	Reserve     ocpi.ReserveNow      // with RESERVE_NOW
	Reservation ocpi.CiString        // with CANCEL_RESERVATION
	Session     ocpi.CiString        // with STOP_SESSION, and for charging profiles
	Unlock      ocpi.UnlockConnector // with UNLOCK_CONNECTOR
	Profile     ocpi.ChargingProfile // with PUT
	cpo         *CPO
	done        func(context.Context) error // what happens when the result is ACCEPTED; nil: nothing
	module      ocpi.ModuleID
}

// commandTimeout is how many seconds the CPO says to wait for a result.
const commandTimeout = 30

// Commands are those that the platform has sent, in order.
func (c *CPO) Commands() []Command {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.commands)
}

// SendResult sends a result to a response URL, as the CPO does by itself
// unless a fault keeps it from that (CMD-12).
func (c *CPO) SendResult(ctx context.Context, command Command, result any) (Exchange, error) {
	return c.do(ctx, call{method: http.MethodPost, module: command.module, url: command.ResponseURL, routing: c.to(command.From), body: result})
}

// PushActiveProfile tells, unasked, what a session will get (CHP-05).
func (c *CPO) PushActiveProfile(ctx context.Context, emsp ocpi.Party, session ocpi.CiString, active ocpi.ActiveChargingProfile) error {
	base, err := c.endpoint(ocpi.ModuleChargingProfiles, ocpi.Sender)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, call{method: http.MethodPut, module: ocpi.ModuleChargingProfiles, url: join(base, session), routing: c.to(emsp), body: active})
	return err
}

// serveCommands is the receiver of the platform's commands (CMD-01).
func (p *Peer) serveCommands(r *http.Request, in inbound) answer {
	if r.Method != http.MethodPost || len(in.path) != 1 {
		p.complain("CMD-01", r.Method+" "+r.URL.Path, "there is no such command")
		return refuse(ocpi.MethodNotAllowed("POST of one command only"))
	}
	in.body = p.understand(ocpi.ModuleCommands, in.body)
	cpos, err := p.addressed(in, false)
	if err != nil {
		return refuse(err)
	}
	cpo := cpos[0]
	command := Command{Type: ocpi.CommandType(in.path[0]), From: in.routing.From, cpo: cpo, module: ocpi.ModuleCommands}
	refusal, err := command.read(in.body)
	if err != nil {
		p.complain("CMD-01", r.Method+" "+r.URL.Path, "%v", err)
		return refuse(err)
	}
	cpo.accept(r, command)
	if refusal != nil {
		return *refusal
	}
	return p.answerCommand(command, ocpi.CommandResult{Result: ocpi.CommandResultAccepted}, ocpi.CommandResult{Result: ocpi.CommandResultTimeout})
}

// accept keeps a command, and complains about one that may not be sent so.
func (c *CPO) accept(r *http.Request, command Command) {
	where := r.Method + " " + r.URL.Path
	for _, token := range []ocpi.Token{command.Start.Token, command.Reserve.Token} {
		if token.UID != "" && !token.Party().Equal(command.From) {
			c.complain("CMD-04", where, "the token is one of %s, the command comes from %s", token.Party(), command.From)
		}
	}
	c.mu.Lock()
	repeated := slices.ContainsFunc(c.commands, func(other Command) bool { return other.ResponseURL == command.ResponseURL })
	c.commands = append(c.commands, command)
	c.mu.Unlock()
	if repeated {
		c.complain("CMD-02", where, "the response_url was used before")
	}
}

// read understands the body of a command, and decides what will happen. A
// refusal is what the CPO says at once.
func (c *Command) read(body []byte) (refusal *answer, err error) {
	switch c.Type {
	case ocpi.CommandStartSession:
		return c.readStart(body)
	case ocpi.CommandReserveNow:
		return c.readReserve(body)
	case ocpi.CommandStopSession:
		var stop ocpi.StopSession
		if err := decode(body, &stop); err != nil {
			return nil, err
		}
		c.ResponseURL, c.Session = stop.ResponseURL, stop.SessionID
		if !c.cpo.runs(stop.SessionID) {
			return refused(ocpi.StatusSuccess, ocpi.CommandResponseUnknownSession), nil
		}
		c.done = func(ctx context.Context) error { return c.cpo.endSession(ctx, stop.SessionID) }
	case ocpi.CommandCancelReservation:
		var cancel ocpi.CancelReservation
		if err := decode(body, &cancel); err != nil {
			return nil, err
		}
		c.ResponseURL, c.Reservation = cancel.ResponseURL, cancel.ReservationID
		c.done = func(ctx context.Context) error { return c.cpo.endReservation(ctx, cancel.ReservationID) }
	case ocpi.CommandUnlockConnector:
		if err := decode(body, &c.Unlock); err != nil {
			return nil, err
		}
		c.ResponseURL = c.Unlock.ResponseURL
		if _, found := c.cpo.findLocation([]ocpi.CiString{c.Unlock.LocationID, c.Unlock.EVSEUID, c.Unlock.ConnectorID}); !found {
			return unknownLocation(), nil
		}
	default:
		return nil, ocpi.InvalidParameter("command", "must be a command of OCPI", string(c.Type))
	}
	return nil, nil
}

func (c *Command) readStart(body []byte) (*answer, error) {
	if err := decode(body, &c.Start); err != nil {
		return nil, err
	}
	c.ResponseURL = c.Start.ResponseURL
	s, found := c.cpo.sessionAtPoint(c.Start.Token, c.Start.LocationID, c.Start.EVSEUID, c.Start.AuthorizationReference)
	if !found {
		return unknownLocation(), nil
	}
	s.Status = ocpi.SessionActive
	c.Session = s.ID
	c.done = func(ctx context.Context) error { return c.cpo.PutSession(ctx, s) }
	return nil, nil
}

func (c *Command) readReserve(body []byte) (*answer, error) {
	if err := decode(body, &c.Reserve); err != nil {
		return nil, err
	}
	c.ResponseURL = c.Reserve.ResponseURL
	s, found := c.cpo.sessionAtPoint(c.Reserve.Token, c.Reserve.LocationID, c.Reserve.EVSEUID, c.Reserve.AuthorizationReference)
	if !found {
		return unknownLocation(), nil
	}
	s.Status = ocpi.SessionReservation
	c.Session = s.ID
	c.done = func(ctx context.Context) error {
		c.cpo.mu.Lock()
		c.cpo.reservations[c.Reserve.ReservationID.Fold()] = s.ID
		c.cpo.mu.Unlock()
		return c.cpo.PutSession(ctx, s)
	}
	return nil, nil
}

// validated is an object that OCPI has rules for.
type validated interface{ Validate() ocpi.Findings }

// decode reads what the platform sent, and takes nothing but what is right.
func decode(body []byte, v validated) error {
	if err := ocpi.Unmarshal(body, v); err != nil {
		return err
	}
	if findings := v.Validate(); len(findings) > 0 {
		return ocpi.InvalidParameter(findings[0].Path, findings[0].Rule, findings[0].Value)
	}
	return nil
}

func refused(status ocpi.StatusCode, result ocpi.CommandResponseType) *answer {
	return &answer{http: http.StatusOK, status: status, data: ocpi.CommandResponse{Result: result}}
}

// unknownLocation is an error and an answer at once, and without a timeout
// (CMD-11).
func unknownLocation() *answer {
	return refused(ocpi.StatusUnknownLocation, ocpi.CommandResponseRejected)
}

// answerCommand accepts a command, and sends its result and what follows in
// the background.
func (p *Peer) answerCommand(command Command, yes, no any) answer {
	faults := p.currentFaults()
	act := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := command.act(ctx, faults.CommandFaults, yes, no); err != nil {
			p.complain("CMD-12", "after "+string(command.Type), "%v", err)
		}
	}
	if faults.ResultFirst {
		act()
	} else {
		p.background.Go(act)
	}
	timeout := ocpi.Ptr(commandTimeout)
	if faults.NoTimeout {
		timeout = nil
	}
	if command.module == ocpi.ModuleChargingProfiles {
		return success(ocpi.ChargingProfileResponse{Result: ocpi.ProfileResponseAccepted, Timeout: timeout})
	}
	return success(ocpi.CommandResponse{Result: ocpi.CommandResponseAccepted, Timeout: timeout})
}

func (c Command) act(ctx context.Context, faults CommandFaults, yes, no any) error {
	result, happens := yes, !faults.NothingHappens
	if faults.ResultTimeout || faults.NoResult {
		result, happens = no, faults.HappensAnyway
	}
	times := 1
	switch {
	case faults.NoResult:
		times = 0
	case faults.ResultTwice:
		times = 2
	}
	for range times {
		if _, err := c.cpo.SendResult(ctx, c, result); err != nil {
			return err
		}
	}
	if !happens || c.done == nil {
		return nil
	}
	return c.done(ctx)
}

// sessionAtPoint is a session that begins now at an EVSE, or at the first one
// of the Location.
func (c *CPO) sessionAtPoint(token ocpi.Token, location, evse, reference ocpi.CiString) (ocpi.Session, bool) {
	points := c.Points()
	i := slices.IndexFunc(points, func(p Point) bool {
		return p.Location.ID.Equal(location) && (evse == "" || p.EVSE.UID.Equal(evse))
	})
	if i < 0 {
		return ocpi.Session{}, false
	}
	if c.currentFaults().NoReference {
		reference = ""
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return ocpi.Session{
		CountryCode: c.party.CountryCode, PartyID: c.party.PartyID, ID: c.newID(), StartDateTime: now, KWh: ocpi.Number(decimal.Zero),
		CDRToken: ocpi.CDRToken{
			CountryCode: token.CountryCode, PartyID: token.PartyID, UID: token.UID, Type: token.Type, ContractID: token.ContractID,
		},
		AuthMethod: ocpi.AuthCommand, AuthorizationReference: reference, LocationID: points[i].Location.ID, EVSEUID: points[i].EVSE.UID,
		ConnectorID: points[i].EVSE.Connectors[0].ID, Currency: "EUR", LastUpdated: now,
	}, true
}

// runs reports whether a session has not ended.
func (c *CPO) runs(session ocpi.CiString) bool {
	return slices.ContainsFunc(c.Sessions(), func(s ocpi.Session) bool { return s.ID.Equal(session) && s.Status != ocpi.SessionCompleted })
}

func (c *CPO) endSession(ctx context.Context, session ocpi.CiString) error {
	now := c.now()
	return c.PatchSession(ctx, session, ocpi.Session{KWh: ocpi.Number(decimal.Zero), Status: ocpi.SessionCompleted, EndDateTime: now, LastUpdated: now})
}

func (c *CPO) endReservation(ctx context.Context, reservation ocpi.CiString) error {
	c.mu.Lock()
	session, known := c.reservations[reservation.Fold()]
	delete(c.reservations, reservation.Fold())
	c.mu.Unlock()
	if !known {
		return fmt.Errorf("end reservation %s: there is none", reservation)
	}
	return c.endSession(ctx, session)
}

// Expire ends a reservation for a reason of the CPO's own, and says so at the
// address where its result went (CMD-16).
func (c *CPO) Expire(ctx context.Context, reservation ocpi.CiString) error {
	for _, command := range c.Commands() {
		if command.Type == ocpi.CommandReserveNow && command.Reserve.ReservationID.Equal(reservation) {
			if _, err := c.SendResult(ctx, command, ocpi.CommandResult{Result: ocpi.CommandResultCanceledReservation}); err != nil {
				return err
			}
		}
	}
	return c.endReservation(ctx, reservation)
}

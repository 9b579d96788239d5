package jobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// The kinds of command beside those of ocpi.CommandType: everything that we ask of a CPO about a session.
const (
	SetProfile     ocpi.CommandType = "SET_PROFILE"
	ReadProfile    ocpi.CommandType = "READ_PROFILE"
	ClearProfile   ocpi.CommandType = "CLEAR_PROFILE"
	SetPreferences ocpi.CommandType = "SET_PREFERENCES"
)

// The states of a command; db/migrations/00008_commands.sql says what each means and what may follow it.
const (
	CommandSent        = "sent"
	CommandForwarded   = "forwarded"
	CommandRefused     = "refused"
	CommandAccepted    = "accepted"
	CommandFailed      = "failed"
	CommandUnanswered  = "unanswered"
	CommandConfirmed   = "confirmed"
	CommandUnconfirmed = "unconfirmed"
	CommandCancelled   = "cancelled"
)

const (
	// usualTimeout is the wait for a result when the CPO does not say how long (CMD-11).
	usualTimeout = 2 * time.Minute
	// longestTimeout bounds what a CPO says.
	longestTimeout = time.Hour
	// awaitSlack is how much longer AwaitCommand waits than a worker.
	awaitSlack = 15 * time.Second
	// sessionGrace is how long after an accepted command the session must show it (CMD-18).
	sessionGrace = 3 * time.Minute
)

// By is in whose interest a command is given. Who it was stands in the context (WithActor).
type By int

// A driver, who may act on what is its own only, and the help desk of a utility (CMD-09).
const (
	ByDriver By = iota
	ByStaff
)

// Reason is why a command is not sent, for programs.
type Reason string

// The reasons.
const (
	ReasonUnknownToken    Reason = "unknown_token"
	ReasonNotAuthorised   Reason = "not_authorised" // the text says which verdict
	ReasonUnknownLocation Reason = "unknown_location"
	ReasonAmbiguous       Reason = "ambiguous" // several CPOs have the Location or session: name one
	ReasonNotCapable      Reason = "not_capable"
	ReasonConnector       Reason = "connector_required"
	ReasonUnknownSession  Reason = "unknown_session"
	ReasonNotRunning      Reason = "not_running"
	ReasonReservation     Reason = "unknown_reservation"
	ReasonStaffOnly       Reason = "staff_only"
	ReasonUnreachable     Reason = "unreachable"
	ReasonNotOffered      Reason = "not_offered" // the CPO has no endpoint for it
	ReasonTooOften        Reason = "too_often"
	ReasonInvalid         Reason = "invalid"
)

// CommandError says why a command was not sent. It is safe to show.
type CommandError struct {
	Reason Reason
	Text   string
}

func (e *CommandError) Error() string { return e.Text }

func notSent(reason Reason, format string, args ...any) error {
	return &CommandError{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

// way is how a utility reaches a CPO.
type way struct {
	partner  db.Partner
	cpo      ocpi.Party
	endpoint string
	peer     client.Peer
}

// wayTo finds the connection over which a utility reaches a CPO's interface: directly rather than through a hub (RTG-18), and
// only where it may be called now (HUB-06).
func (o *Ops) wayTo(ctx context.Context, tenant db.Tenant, cpo ocpi.Party, module ocpi.ModuleID, role ocpi.InterfaceRole) (way, error) {
	partners, err := o.DB.RoutesToParty(ctx, db.RoutesToPartyParams{TenantID: tenant.ID, CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID)})
	if err != nil {
		return way{}, fmt.Errorf("connections to %s: %w", cpo, err)
	}
	why := notSent(ReasonUnreachable, "there is no connection to %s", cpo)
	for _, p := range partners {
		endpoint, ok, err := partnerEndpoint(p, module, role)
		if err != nil {
			return way{}, err
		}
		if !ok {
			why = notSent(ReasonNotOffered, "%s does not offer %s", p.Name, module)
			continue
		}
		var offline *NotConnectedError
		if err := Callable(ctx, o.DB.Queries, p, cpo); errors.As(err, &offline) || errors.Is(err, ErrRejected) {
			why = notSent(ReasonUnreachable, "%v", err)
			continue
		} else if err != nil {
			return way{}, err
		}
		auth, err := partnerAuth(o.Box, p)
		if err != nil {
			return way{}, err
		}
		from := ocpi.Party{CountryCode: ocpi.CiString(tenant.CountryCode), PartyID: ocpi.CiString(tenant.PartyID)}
		return way{partner: p, cpo: cpo, endpoint: endpoint, peer: client.Peer{Auth: auth, Routing: ocpi.Routing{To: cpo, From: from}}}, nil
	}
	return way{}, why
}

// responseURL is where the result of a command goes: unique, and not to be guessed (CMD-02).
func (o *Ops) responseURL(w way, module ocpi.ModuleID, kind ocpi.CommandType, id uuid.UUID) string {
	return strings.Join([]string{strings.TrimRight(o.BaseURL, "/"), "ocpi", w.partner.Version, string(module), string(kind), id.String()}, "/")
}

// response is a CPO's immediate answer to a command of any kind.
type response struct {
	result  string
	timeout *int // seconds; nil: not said
	message string
	final   bool // there is no result to come
}

// issue stores a command, sends it and stores the CPO's answer (CMD-19). No transaction is open while the CPO is called, and
// the outcome is stored even if the caller goes away meanwhile. A command is sent once: what became of one that was not
// answered shows in its result or in the session (OFF-06). The command that is returned is an earlier one if that starts the
// same session already (CMD-22).
func (o *Ops) issue(ctx context.Context, w way, n db.InsertCommandParams, send func(ctx context.Context, id uuid.UUID) (response, error)) (db.Command, error) {
	now := o.Now()
	n.ID, n.PartnerID, n.CountryCode, n.PartyID = uuid.New(), w.partner.ID, string(w.cpo.CountryCode), string(w.cpo.PartyID)
	n.CreatedAt, n.DueAt = now, ptr(now.Add(usualTimeout))
	if n.Detail == nil {
		n.Detail = []byte("{}")
	}
	added := false
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		rows, err := q.InsertCommand(ctx, n)
		if err != nil {
			return fmt.Errorf("insert command: %w", err)
		}
		if added = rows > 0; !added {
			return nil
		}
		return event(ctx, q, now, n.TenantID, "command", n.ID, "sent", map[string]string{"kind": n.Kind})
	})
	if err != nil {
		return db.Command{}, err
	}
	if !added {
		return o.pendingStart(ctx, n)
	}
	answer, sendErr := send(ctx, n.ID)
	ctx = context.WithoutCancel(ctx)
	if err := o.CallEnded(ctx, w.partner, w.cpo, sendErr); err != nil {
		o.Log.WarnContext(ctx, "cannot note the call of a partner", "partner", w.partner.Name, "error", err)
	}
	if err := o.commandAnswered(ctx, n.ID, answer, sendErr); err != nil {
		return db.Command{}, err
	}
	return o.DB.Command(ctx, n.ID)
}

func (o *Ops) pendingStart(ctx context.Context, n db.InsertCommandParams) (db.Command, error) {
	c, err := o.DB.PendingStart(ctx, db.PendingStartParams{
		TokenID: n.TokenID, CountryCode: n.CountryCode, PartyID: n.PartyID, LocationID: n.LocationID, EVSEUID: n.EVSEUID,
	})
	if err != nil {
		return db.Command{}, fmt.Errorf("start that is under way: %w", err)
	}
	return c, nil
}

// commandAnswered stores the CPO's immediate answer. A result, or the session, may have been here first (CMD-19).
func (o *Ops) commandAnswered(ctx context.Context, id uuid.UUID, answer response, sendErr error) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		c, err := q.LockCommand(ctx, id)
		if err != nil {
			return fmt.Errorf("lock command: %w", err)
		}
		now := o.Now()
		c.AnsweredAt, c.Response = &now, answer.result
		if answer.message != "" {
			c.Message = answer.message
		}
		what := "answered"
		if sendErr != nil {
			what, c.Message = "not answered", wordsOf(sendErr)
		}
		if c.State == CommandSent {
			c.State, c.DueAt = afterAnswer(c, answer, sendErr, now)
		}
		if err := o.profileAnswered(ctx, q, c); err != nil {
			return err
		}
		return saveCommand(ctx, q, now, c, what, map[string]string{"response": c.Response, "message": c.Message})
	})
}

// afterAnswer is where a command stands after the CPO's immediate answer, and until when it waits for what comes next.
func afterAnswer(c db.Command, answer response, sendErr error, now time.Time) (state string, due *time.Time) {
	switch {
	case outcomeUnknown(sendErr):
		return CommandSent, c.DueAt // a result or a session may come all the same
	case sendErr != nil || answer.result != string(ocpi.CommandResponseAccepted):
		return CommandRefused, nil
	case answer.final:
		return CommandAccepted, nil
	}
	return CommandForwarded, ptr(now.Add(timeoutOf(answer.timeout)))
}

// outcomeUnknown reports whether the CPO may have got a command although it did not answer (OFF-06, STA-04).
func outcomeUnknown(err error) bool {
	var failed *client.Error
	if !errors.As(err, &failed) {
		return false // it never left
	}
	switch {
	case failed.Fault == client.Unreachable:
		return !failed.Unsent()
	case failed.Fault == client.NotOCPI, failed.HTTPStatus == http.StatusGatewayTimeout:
		return true
	}
	return failed.StatusCode == ocpi.StatusForwardTimeout
}

// wordsOf is an error in words that may be shown.
func wordsOf(err error) string {
	if text, ok := inWords(err); ok {
		return text
	}
	return "the command could not be sent"
}

func timeoutOf(seconds *int) time.Duration {
	if seconds == nil || *seconds <= 0 {
		return usualTimeout
	}
	return time.Duration(min(*seconds, int(longestTimeout/time.Second))) * time.Second
}

// saveCommand stores a command that the caller has locked, and what happened to it.
func saveCommand(ctx context.Context, q *db.Queries, now time.Time, c db.Command, what string, detail map[string]string) error {
	err := q.SaveCommand(ctx, db.SaveCommandParams{
		ID: c.ID, State: c.State, Response: c.Response, Result: c.Result, Message: c.Message, SessionID: c.SessionID,
		AnsweredAt: c.AnsweredAt, ResultAt: c.ResultAt, DueAt: c.DueAt,
	})
	if err != nil {
		return fmt.Errorf("save command: %w", err)
	}
	return event(ctx, q, now, c.TenantID, "command", c.ID, what, detail)
}

// textOf is what a CPO said in words, in the language that it put first.
func textOf(messages []ocpi.DisplayText) string {
	if len(messages) == 0 {
		return ""
	}
	return messages[0].Text
}

// AwaitCommand waits until a command has a result, is refused, or was waited for in vain: also when no worker is there to say
// so.
func (o *Ops) AwaitCommand(ctx context.Context, id uuid.UUID) (db.Command, error) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		c, err := o.DB.Command(ctx, id)
		if err != nil {
			return c, fmt.Errorf("command: %w", err)
		}
		waited := c.DueAt == nil || o.Now().After(c.DueAt.Add(awaitSlack))
		if c.State != CommandSent && c.State != CommandForwarded || waited {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return c, ctx.Err()
		case <-ticker.C:
		}
	}
}

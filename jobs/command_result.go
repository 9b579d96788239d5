package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Result is what a charge point made of a command.
type Result struct {
	Kind    ocpi.CommandType
	ID      uuid.UUID
	Result  string
	Message []ocpi.DisplayText
	Active  *ocpi.ActiveChargingProfile // with the answer to ReadProfile

	Partner uuid.UUID   // who brings it
	Tenants []uuid.UUID // for whom it may be
}

// TakeResult stores a result that came to a response URL (CMD-12). It counts whenever it comes: before the CPO's own answer
// (CMD-19) or after the wait for it (CMD-17). Of several the first is final and the others are noted (CMD-15), except that a
// reservation may be cancelled later (CMD-16). The error is an *ocpi.Error, HTTP 404, for a command that the caller was not
// given (CMD-13, CMD-14, RTG-22).
func (o *Ops) TakeResult(ctx context.Context, r Result) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		c, err := q.LockCommand(ctx, r.ID)
		if err != nil {
			return err // db.ErrNotFound is the caller's HTTP 404
		}
		if c.PartnerID != r.Partner || c.Kind != string(r.Kind) || !slices.Contains(r.Tenants, c.TenantID) {
			return db.ErrNotFound
		}
		now := o.Now()
		state, due := afterResult(c, r, now)
		what, detail := "result", map[string]string{"result": r.Result, "message": textOf(r.Message)}
		if c.ResultAt != nil {
			what = "result again"
		} else {
			c.Result, c.ResultAt = r.Result, &now
			if text := textOf(r.Message); text != "" {
				c.Message = text
			}
		}
		if state == CommandCancelled {
			what = "cancelled"
		}
		if state == CommandAccepted && c.State != CommandAccepted {
			if err := takeProfile(ctx, q, c, r, now); err != nil {
				return err
			}
		}
		c.State, c.DueAt = state, due
		return saveCommand(ctx, q, now, c, what, detail)
	})
}

// afterResult is where a command stands after a result, and until when it waits for the session that shows it. A result that
// is not one of OCPI is a failure (CMD-20).
func afterResult(c db.Command, r Result, now time.Time) (state string, due *time.Time) {
	switch {
	case r.Result == string(ocpi.CommandResultCanceledReservation) && r.Kind == ocpi.CommandReserveNow && c.State != CommandRefused && c.State != CommandFailed:
		return CommandCancelled, nil
	case !slices.Contains([]string{CommandSent, CommandForwarded, CommandUnanswered}, c.State):
		return c.State, c.DueAt
	case r.Result != string(ocpi.CommandResultAccepted):
		return CommandFailed, nil
	case showsInSession(r.Kind):
		return CommandAccepted, ptr(now.Add(sessionGrace))
	}
	return CommandAccepted, nil
}

// showsInSession reports whether what a command achieves is to be seen in a session (CMD-18, CMD-23).
func showsInSession(kind ocpi.CommandType) bool {
	return kind == ocpi.CommandStartSession || kind == ocpi.CommandStopSession || kind == ocpi.CommandReserveNow
}

// endWait ends the wait of a command: for a result (CMD-17), or for the session (CMD-18). What comes later still counts.
func (w *Worker) endWait(ctx context.Context, id uuid.UUID) error {
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		c, err := q.LockCommand(ctx, id)
		if err != nil {
			return err
		}
		now := w.Now()
		if c.DueAt == nil || c.DueAt.After(now) {
			return nil // a result was faster
		}
		switch c.State {
		case CommandSent, CommandForwarded:
			c.State = CommandUnanswered
		case CommandAccepted:
			c.State = CommandUnconfirmed
		}
		c.DueAt = nil
		return saveCommand(ctx, q, now, c, c.State, nil)
	})
}

func commandsDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.CommandsDue(ctx, db.CommandsDueParams{Now: now, MaxRows: sweepSize})
}

// postponeCommand does nothing: what could not be stored is still due.
func (w *Worker) postponeCommand(context.Context, uuid.UUID, error) error { return nil }

// ConfirmCommands notes what a session that has just been stored shows of our commands (CMD-18, CMD-23): that it came of one,
// and that one did what it should. A session counts whatever was said before: it may start after a failure, or without any
// result (CMD-17). q is the transaction that stores the session.
func ConfirmCommands(ctx context.Context, q *db.Queries, now time.Time, tenant uuid.UUID, s *ocpi.Session) error {
	commands, err := q.LockCommandsOfSession(ctx, db.LockCommandsOfSessionParams{
		CountryCode: string(s.CountryCode), PartyID: string(s.PartyID), TenantID: tenant, SessionID: string(s.ID),
		Reference: string(s.AuthorizationReference), UID: string(s.CDRToken.UID), Type: string(s.CDRToken.Type),
		LocationID: string(s.LocationID), EVSEUID: string(s.EVSEUID),
		Since: s.StartDateTime.Add(-7 * 24 * time.Hour), Earliest: s.StartDateTime.Add(-30 * time.Minute), Latest: s.StartDateTime.Add(5 * time.Minute),
	})
	if err != nil {
		return fmt.Errorf("commands of session: %w", err)
	}
	found := map[string]bool{} // the kinds of which the session has its command
	for _, c := range commands {
		if c.Kind != string(ocpi.CommandStopSession) && (found[c.Kind] || !cameOf(s, c)) {
			continue
		}
		found[c.Kind] = true
		proves := c.State != CommandConfirmed && c.State != CommandCancelled && shows(s, c)
		if !proves && c.SessionID != "" {
			continue
		}
		c.SessionID = s.ID.Fold()
		what := "session"
		if proves {
			c.State, c.DueAt, what = CommandConfirmed, nil, CommandConfirmed
		}
		if err := saveCommand(ctx, q, now, c, what, map[string]string{"session": string(s.ID), "status": string(s.Status)}); err != nil {
			return err
		}
	}
	return nil
}

// cameOf reports whether a session came of a start or a reservation that the query found for it: it is known to, it carries
// its reference, or it fits by card, place and time, and the command did not fail before (SES-12).
func cameOf(s *ocpi.Session, c db.Command) bool {
	if c.SessionID != "" || c.Reference.Valid && ocpi.CiString(c.Reference.UUID.String()).Equal(s.AuthorizationReference) {
		return true
	}
	if (s.Status == ocpi.SessionReservation) != (c.Kind == string(ocpi.CommandReserveNow)) {
		return false
	}
	return s.AuthMethod == ocpi.AuthCommand || c.State != CommandRefused && c.State != CommandFailed
}

// shows reports whether the session shows that the command did what it should.
func shows(s *ocpi.Session, c db.Command) bool {
	switch ocpi.CommandType(c.Kind) {
	case ocpi.CommandStopSession:
		return s.Status == ocpi.SessionCompleted || s.Status == ocpi.SessionInvalid
	case ocpi.CommandReserveNow:
		return s.Status == ocpi.SessionReservation || s.Status == ocpi.SessionActive || s.Status == ocpi.SessionCompleted
	}
	return s.Status == ocpi.SessionActive || s.Status == ocpi.SessionCompleted
}

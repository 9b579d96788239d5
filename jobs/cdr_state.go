package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// The states of a CDR, and of its two flags (docs/adr/0012). Every step between them is a row of cdr_states_transition.
const (
	cdrReceived = "received"
	cdrWaiting  = "waiting"
	cdrHeld     = "held"
	cdrRated    = "rated"
	cdrInvoiced = "invoiced"
	cdrCredited = "credited"
	cdrDropped  = "dropped"

	retailOpen     = "open"
	retailReleased = "released"
	retailWaived   = "waived"
	retailNone     = "none"

	cpoOpen       = "open"
	cpoQuestioned = "questioned"
	cpoDisputed   = "disputed"
	cpoAccepted   = "accepted"
	cpoRefused    = "refused"
	cpoCredited   = "credited"
)

// move is a CDR on its way from one state to another.
type move struct {
	before, after db.CDRState
	what          string            // happened, as in the timeline
	detail        map[string]string // besides the states
}

// moveCDRs writes the states of CDRs, whose rows are locked, and a line in the timeline of each.
func moveCDRs(ctx context.Context, q *db.Queries, now time.Time, moves ...move) error {
	states := make([]db.SetCDRStatesParams, len(moves))
	events := make([]db.InsertEventsParams, len(moves))
	for i, m := range moves {
		s := m.after
		states[i] = db.SetCDRStatesParams{
			CDRID: s.CDRID, State: s.State, Reason: s.Reason, RetailState: s.RetailState, CPOState: s.CPOState, Flags: s.Flags, Severity: s.Severity, Cleared: s.Cleared,
			RatingID: s.RatingID, TokenID: s.TokenID, CustomerID: s.CustomerID, ContractID: s.ContractID, PlanID: s.PlanID, CardID: s.CardID,
			Latitude: s.Latitude, Longitude: s.Longitude, HeldUntil: s.HeldUntil, Assignee: s.Assignee, Unpaid: s.Unpaid, DueAt: s.DueAt, Now: now,
		}
		events[i] = db.InsertEventsParams{
			ID: uuid.Must(uuid.NewV7()), At: now, TenantID: uuid.NullUUID{UUID: s.TenantID, Valid: true}, Actor: actor(ctx),
			Subject: "cdr", SubjectID: s.CDRID, What: m.what, Detail: frozen(m.story()),
		}
	}
	var failed error
	q.SetCDRStates(ctx, states).Exec(func(i int, err error) {
		if err != nil && failed == nil {
			failed = fmt.Errorf("move CDR %s to %s: %w", states[i].CDRID, states[i].State, err)
		}
	})
	if failed != nil {
		return failed
	}
	if _, err := q.InsertEvents(ctx, events); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}

// story is what the timeline tells of a step: where the CDR stands and why, where it stood before, and each flag that changed.
func (m move) story() map[string]string {
	story := map[string]string{"state": m.after.State}
	if m.after.Reason != "" {
		story["reason"] = m.after.Reason
	}
	if m.before.State != m.after.State {
		story["before"] = m.before.State
	}
	if m.before.RetailState != m.after.RetailState {
		story["retail"] = m.before.RetailState + " → " + m.after.RetailState
	}
	if m.before.CPOState != m.after.CPOState {
		story["cpo"] = m.before.CPOState + " → " + m.after.CPOState
	}
	for name, value := range m.detail {
		if value != "" {
			story[name] = value
		}
	}
	return story
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// waitForMasterData is how long a CDR waits before it is looked at again, when nothing wakes it earlier. It is never given up.
const waitForMasterData = 24 * time.Hour

// rateCDR turns one received CDR into a checked, rated, explained and booked one. It runs in one transaction that holds the
// CDR's row, so a CDR is rated exactly once however often its bell rings.
func (w *Worker) rateCDR(ctx context.Context, id uuid.UUID) error {
	var rated rating
	err := w.DB.Tx(ctx, func(q *db.Queries) error {
		state, err := q.LockCDR(ctx, id)
		if err != nil {
			return err
		}
		if state.DueAt == nil || state.DueAt.After(w.Now()) {
			return nil // another worker was faster, or it rang too early
		}
		stored, err := q.RawCDR(ctx, db.RawCDRParams{ID: id, ReceivedAt: state.ReceivedAt})
		if err != nil {
			return fmt.Errorf("raw CDR: %w", err)
		}
		cdr, err := ReadCDR(stored.Version, stored.Raw, partyOf(state.CountryCode, state.PartyID))
		if err != nil {
			return err
		}
		rated = rating{Worker: w, q: q, state: state, raw: stored.Raw, cdr: &cdr, now: w.Now()}
		rated.began, rated.ended = cdr.Times()
		if cdr.Credit {
			return rated.credit(ctx)
		}
		return rated.rate(ctx)
	})
	if err != nil || rated.cdr == nil || rated.cdr.Credit {
		return err
	}
	return rated.wakeCredits(ctx)
}

// rating is the rating of one CDR in progress. Each step of rate fills in what the later ones need.
type rating struct {
	*Worker
	q     *db.Queries
	state db.CDRState // locked; written back by save
	raw   []byte
	cdr   *ocpi.CDR
	now   time.Time

	began, ended time.Time // the session, as far as the CDR tells (CDR-25)

	card      db.TokenForCDRRow
	place     place
	inputs    [][]byte // what the rating depends on besides the CDR itself
	wholesale billing.Rating
	verdict   billing.Verdict
	retail    retail
	proof     *proof // nil: there is no signed meter data
}

// errParked ends a rating whose CDR has been put aside, with the reason in its row.
var errParked = errors.New("parked")

// rate walks the steps of docs/life-of-a-cdr.md § 5.
func (r *rating) rate(ctx context.Context) error {
	for _, step := range []func(context.Context) error{r.match, r.priceWholesale, r.priceRetail, r.prove} {
		if err := step(ctx); errors.Is(err, errParked) {
			return nil
		} else if err != nil {
			return err
		}
	}
	findings, err := r.judge(ctx)
	if err != nil {
		return err
	}
	return r.release(ctx, append(findings, r.retail.findings...))
}

// wait parks a CDR until master data is added; adding it wakes the CDR.
func (r *rating) wait(ctx context.Context, reason string) error {
	if err := r.unbook(ctx); err != nil {
		return err
	}
	r.state.State, r.state.Reason = "waiting", reason
	return r.saveDue(ctx, "wait", ptr(r.now.Add(waitForMasterData)))
}

// unbook withdraws what an earlier rating has booked: what waits or is held is not billed.
func (r *rating) unbook(ctx context.Context) error {
	if !r.state.RatingID.Valid {
		return nil
	}
	return r.withdraw(ctx, r.state.CDRID)
}

// park is wait or hold, within a step of rate.
func park(err error) error {
	if err != nil {
		return err
	}
	return errParked
}

// save moves the state, writes the event of the timeline and leaves nothing due.
func (r *rating) save(ctx context.Context, what string) error { return r.saveDue(ctx, what, nil) }

func (r *rating) saveDue(ctx context.Context, what string, due *time.Time) error {
	if err := setCDRState(ctx, r.q, r.state, due, r.now); err != nil {
		return err
	}
	detail := map[string]string{"state": r.state.State}
	if r.state.Reason != "" {
		detail["reason"] = r.state.Reason
	}
	return event(ctx, r.q, r.now, r.state.TenantID, "cdr", r.state.CDRID, what, detail)
}

func setCDRState(ctx context.Context, q *db.Queries, s db.CDRState, due *time.Time, now time.Time) error {
	err := q.SetCDRState(ctx, db.SetCDRStateParams{
		CDRID: s.CDRID, State: s.State, Reason: s.Reason, Flags: s.Flags, RatingID: s.RatingID, TokenID: s.TokenID,
		CustomerID: s.CustomerID, CPOState: s.CPOState, DueAt: due, Attempts: 0, Now: now,
	})
	if err != nil {
		return fmt.Errorf("move CDR to %s: %w", s.State, err)
	}
	return nil
}

func (w *Worker) postponeCDR(ctx context.Context, id uuid.UUID, reason error) error {
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		state, err := q.LockCDR(ctx, id)
		if err != nil || state.DueAt == nil {
			return err
		}
		return q.PostponeCDR(ctx, db.PostponeCDRParams{CDRID: id, DueAt: ptr(w.Now().Add(backoff(state.Attempts))), Reason: "error: " + reason.Error(), Now: w.Now()})
	})
}

func ptr[T any](v T) *T { return &v }

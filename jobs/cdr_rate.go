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
	var rated *rating
	var woken []uuid.UUID
	err := w.DB.Tx(ctx, func(q *db.Queries) error {
		state, err := q.LockCDR(ctx, id)
		if err != nil {
			return err
		}
		if state.DueAt == nil || state.DueAt.After(w.Now()) {
			return nil // another worker was faster, or it rang too early
		}
		if rated, err = w.ops().read(ctx, q, state); err != nil {
			return err
		}
		if rated.cdr.Credit {
			woken, err = rated.credit(ctx)
			return err
		}
		if err := rated.rate(ctx); err != nil {
			return err
		}
		return rated.write(ctx)
	})
	if err != nil || rated == nil {
		return err
	}
	w.Bell.Ring(ctx, CDRRate, woken...)
	if rated.cdr.Credit {
		return nil
	}
	return rated.wakeCredits(ctx)
}

// rating is the rating of one CDR in progress. Each step of rate fills in what the later ones need; write stores it.
type rating struct {
	*Ops
	q      *db.Queries
	before db.CDRState // locked
	state  db.CDRState // as it will be
	what   string      // happens to it, as in the timeline
	detail map[string]string
	raw    []byte
	cdr    *ocpi.CDR
	now    time.Time

	began, ended time.Time // the session, as far as the CDR tells (CDR-25)

	card      db.TokenForCDRRow
	place     place
	inputs    [][]byte // what the rating depends on besides the CDR itself
	wholesale billing.Rating
	verdict   billing.Verdict
	explained Explanations
	retail    retail
	owed      []payable // what the utility owes for it by agreements
	proof     *proof    // nil: there is no signed meter data
	clearing  clearing
	judged    billing.Judgement
	parked    bool // it could not be rated, or need not
}

// read makes a locked CDR ready to be rated.
func (o *Ops) read(ctx context.Context, q *db.Queries, state db.CDRState) (*rating, error) {
	stored, err := q.RawCDR(ctx, db.RawCDRParams{ID: state.CDRID, ReceivedAt: state.ReceivedAt})
	if err != nil {
		return nil, fmt.Errorf("raw CDR: %w", err)
	}
	cdr, err := ReadCDR(stored.Version, stored.Raw, partyOf(state.CountryCode, state.PartyID))
	if err != nil {
		return nil, err
	}
	r := &rating{Ops: o, q: q, before: state, state: state, raw: stored.Raw, cdr: &cdr, now: o.Now()}
	r.state.DueAt, r.state.Attempts = nil, 0
	r.began, r.ended = cdr.Times()
	return r, nil
}

// errParked ends a rating whose CDR a step has put aside, with wait or hold.
var errParked = errors.New("parked")

// rate walks the steps of docs/life-of-a-cdr.md § 5. It writes neither the CDR's state nor what is booked.
func (r *rating) rate(ctx context.Context) error {
	for _, step := range []func(context.Context) error{r.match, r.priceWholesale, r.priceRetail, r.reimburse, r.prove, r.judge} {
		if err := step(ctx); errors.Is(err, errParked) {
			r.parked = true
			return nil
		} else if err != nil {
			return err
		}
	}
	r.release()
	return nil
}

// write stores the rating, brings what is booked in line with it and moves the state.
func (r *rating) write(ctx context.Context) error {
	if !r.parked {
		if err := r.store(ctx); err != nil {
			return err
		}
	}
	invoiced, err := rebook(ctx, r.q, r.now, r.bill())
	if err != nil {
		return err
	}
	if r.state.State == cdrRated && invoiced[r.state.CDRID] {
		r.state.State = cdrInvoiced
	}
	return moveCDRs(ctx, r.q, r.now, move{before: r.before, after: r.state, what: r.what, detail: r.detail})
}

// wait puts a CDR aside until master data is added; adding it wakes the CDR.
func (r *rating) wait(reason string) {
	r.what = "wait"
	r.state.State, r.state.RetailState, r.state.Reason, r.state.HeldUntil = cdrWaiting, retailOpen, reason, nil
	r.state.DueAt = ptr(r.now.Add(waitForMasterData))
}

// hold puts a CDR aside for a person.
func (r *rating) hold(reason string) {
	r.what = "hold"
	r.state.State, r.state.RetailState, r.state.Reason = cdrHeld, retailOpen, reason
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

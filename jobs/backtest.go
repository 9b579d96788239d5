package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// NewBacktest is a draft of a price book to be tried on the sessions of the last months.
type NewBacktest struct {
	Tenant uuid.UUID
	Name   string
	Doc    []byte // billing.BookDraft
	Months int    // 1 to 12, up to now
}

// AddBacktest queues a back-test; a worker runs it. What is wrong with the draft is said at once: errors are *ocpi.Error and name
// field, rule and value.
func (o *Ops) AddBacktest(ctx context.Context, n NewBacktest) (uuid.UUID, error) {
	if n.Months < 1 || n.Months > 12 {
		return uuid.Nil, ocpi.InvalidParameter("months", "1 to 12", fmt.Sprint(n.Months))
	}
	if _, err := o.draft(ctx, n.Tenant, n.Doc); err != nil {
		return uuid.Nil, err
	}
	now := o.Now()
	p := db.InsertBacktestParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: n.Tenant, Name: n.Name, Doc: n.Doc, Since: now.AddDate(0, -n.Months, 0), Until: now, CreatedAt: now, CreatedBy: actor(ctx),
	}
	if err := o.DB.InsertBacktest(ctx, p); err != nil {
		return uuid.Nil, fmt.Errorf("insert back-test: %w", err)
	}
	o.Bell.Ring(ctx, BacktestRun, p.ID)
	return p.ID, nil
}

// draft reads a draft and makes the back-test of it: with its own plans, and the newest version of every other.
func (o *Ops) draft(ctx context.Context, tenant uuid.UUID, doc []byte) (*billing.Backtest, error) {
	draft, err := billing.ParseBookDraft(doc)
	if err != nil {
		return nil, err
	}
	b := &billing.Backtest{Book: draft.Book, Plans: map[string]*billing.Retail{}}
	for name, plan := range draft.Plans {
		b.Plans[name] = billing.NewRetail(plan)
	}
	newest, err := o.DB.NewestPlanVersions(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("newest plans: %w", err)
	}
	for _, v := range newest {
		if b.Plans[v.Name] != nil {
			continue
		}
		plan, err := compilePlan(db.PlanVersion{ID: v.ID, Version: v.Version, Doc: v.Doc}, v.Name)
		if err != nil {
			return nil, err
		}
		b.Plans[v.Name] = plan.retail
	}
	groups, err := groupNames(ctx, o.DB.Queries, tenant)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(b.Plans))
	for name := range b.Plans {
		names = append(names, name)
	}
	return b, draft.Book.Unknown(names, groups)
}

// BacktestReport is what a back-test came to, as it is stored. Amounts are without VAT unless they say otherwise.
type BacktestReport struct {
	Currency string
	Sessions int // that were tried
	Changed  int // whose price would be another
	Holes    int // for which the draft has no price
	Other    int // in another currency, or that cannot be priced

	Old, New, Lost billing.BacktestSum
	Fees           billing.BacktestFees
	Plans, Rules   map[string]billing.BacktestSum
	HoleCells      []BacktestHole

	Better, Worse, Same int // customers, with their fees
	Deltas              []billing.BacktestBar
	WorstOff, BestOff   []BacktestCustomer
	LossEVSEs           int
	Loss                decimal.Decimal
	Losses              []billing.BacktestPlace
	Dearest, Losing     []BacktestCase // sessions that would cost most more, and that would lose most
}

// BacktestCase is a session. Old and New are with VAT, Margin without.
type BacktestCase struct {
	ID                    uuid.UUID
	OCPIID, Place         string
	StartedAt             time.Time
	KWh, Old, New, Margin decimal.Decimal
}

// BacktestHole is a customer group and a network without a price.
type BacktestHole struct {
	billing.HoleCell
	Lost billing.BacktestSum
}

// BacktestCustomer is a customer and what would change for him, with VAT.
type BacktestCustomer struct {
	ID           uuid.UUID
	Number, Name string
	billing.BacktestChange
}

// ReadBacktest reads a back-test and its report, which is nil until it is done.
func (o *Ops) ReadBacktest(ctx context.Context, tenant, id uuid.UUID) (db.Backtest, *BacktestReport, error) {
	row, err := o.DB.Backtest(ctx, db.BacktestParams{ID: id, TenantID: tenant})
	if err != nil || row.Result == nil {
		return row, nil, err
	}
	var report BacktestReport
	if err := json.Unmarshal(row.Result, &report); err != nil {
		return row, nil, fmt.Errorf("report of back-test %s: %w", id, err)
	}
	return row, &report, nil
}

// backtestTries is how often a back-test is begun before a person has to look.
const backtestTries = 5

func backtestsDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.BacktestsDue(ctx, db.BacktestsDueParams{Now: now, MaxRows: sweepSize})
}

// postponeBacktest makes a back-test that failed due again; one whose draft is refused, or that has failed often, is over.
func (w *Worker) postponeBacktest(ctx context.Context, id uuid.UUID, reason error) error {
	attempts, err := w.DB.BacktestAttempts(ctx, id)
	if err != nil {
		return fmt.Errorf("attempts: %w", err)
	}
	p := db.PostponeBacktestParams{ID: id, Reason: reason.Error()}
	var refused *ocpi.Error
	if attempts < backtestTries && !errors.As(reason, &refused) {
		p.DueAt = ptr(w.Now().Add(backoff(attempts)))
	}
	return w.DB.PostponeBacktest(ctx, p)
}

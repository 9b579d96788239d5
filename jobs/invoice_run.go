package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// The states of a run. Every step can be begun again: what it has done already is found done.
const (
	runRunning    = "running"    // drafts are being made
	runInspection = "inspection" // drafts wait for approval, and late CDRs enter them
	runIssuing    = "issuing"    // approved
	runDone       = "done"       // nothing is left to issue
)

// The cycles of a run, and of the drafts in it. A run by the month has those of contracts that pay by the quarter, too, in its
// last month.
const (
	cycleMonth     = "month"
	cycleQuarter   = "quarter"
	cycleImmediate = "immediate"
)

// Run says where an invoice run stands.
type Run struct {
	ID      uuid.UUID
	State   string
	Drafts  int // that can be issued, before it is done
	Failed  int // cannot be issued yet; each says why
	Carried int // too little to ask for: carried forward
	Settled int // everything on them is free: nothing is sent
	Issued  int
	Fees    FeeRun
}

// RunInvoices bills a month of one utility: a draft for every customer with unbilled items up to the end of the month, late
// ones of earlier months included, and the fees of the month. With issue, the drafts are approved and issued at once, whatever
// time for inspection the utility has set. Running again brings drafts up to date and touches nothing that is issued.
//
// What cannot be billed fails alone, says why, and stops nobody else.
func (o *Ops) RunInvoices(ctx context.Context, tenant uuid.UUID, month time.Time, issue bool) (Run, error) {
	row, err := o.startRun(ctx, tenant, month, cycleMonth, issue)
	if err != nil {
		return Run{}, err
	}
	if err := o.collect(ctx, row); err != nil {
		return Run{ID: row.ID}, err
	}
	if issue {
		if err := o.approve(ctx, tenant, row.ID, approval{name: actor(ctx), early: true, staff: staffOf(ctx)}); err != nil {
			return Run{ID: row.ID}, err
		}
		if err := o.IssueRun(ctx, row.ID); err != nil {
			return Run{ID: row.ID}, err
		}
	}
	return o.ReadRun(ctx, row.ID)
}

// StartRun begins a run that workers carry out, or brings the drafts of the one that is not approved yet up to date.
func (o *Ops) StartRun(ctx context.Context, tenant uuid.UUID, month time.Time) (uuid.UUID, error) {
	row, err := o.startRun(ctx, tenant, month, cycleMonth, false)
	if err != nil {
		return uuid.Nil, err
	}
	if err := o.DB.PostponeRun(ctx, db.PostponeRunParams{ID: row.ID, DueAt: ptr(o.Now())}); err != nil {
		return uuid.Nil, fmt.Errorf("hand the run over: %w", err)
	}
	o.Bell.Ring(ctx, InvoiceRun, row.ID)
	return row.ID, nil
}

// startRun claims the open run of a month, or a new one.
func (o *Ops) startRun(ctx context.Context, tenant uuid.UUID, month time.Time, cycle string, issue bool) (db.InvoiceRun, error) {
	id := uuid.Must(uuid.NewV7())
	row, err := o.DB.ClaimNewRun(ctx, db.ClaimNewRunParams{
		ID: id, TenantID: tenant, Month: dateOf(month), Cycle: cycle, Issue: issue, StartedBy: staffOf(ctx), Actor: actor(ctx), Now: o.Now(), Lease: o.runLease(),
	})
	if errors.Is(err, db.ErrNotFound) {
		return row, refuse("run-busy")
	} else if err != nil {
		return row, fmt.Errorf("start run: %w", err)
	}
	if row.ID == id {
		err = event(ctx, o.DB.Queries, o.Now(), tenant, "run", id, "started", map[string]string{"month": month.Format("2006-01"), "cycle": cycle})
	}
	return row, err
}

// ReadRun counts what has become of the drafts of a run.
func (o *Ops) ReadRun(ctx context.Context, id uuid.UUID) (Run, error) {
	row, err := o.DB.InvoiceRun(ctx, id)
	if err != nil {
		return Run{}, fmt.Errorf("run: %w", err)
	}
	run := Run{ID: id, State: row.State, Fees: FeeRun{Booked: int(row.FeesBooked)}}
	if err := json.Unmarshal(row.FeeProblems, &run.Fees.Problems); err != nil {
		return run, fmt.Errorf("fee problems of run %s: %w", id, err)
	}
	progress, err := o.DB.RunProgress(ctx, uuid.NullUUID{UUID: id, Valid: true})
	if err != nil {
		return run, fmt.Errorf("progress: %w", err)
	}
	for _, p := range progress {
		switch p.State {
		case "draft":
			run.Drafts += int(p.Many)
		case "failed":
			run.Failed += int(p.Many)
		case "carried":
			run.Carried += int(p.Many)
		case "settled":
			run.Settled += int(p.Many)
		case "issued":
			run.Issued += int(p.Many)
		}
	}
	if row.State == runDone { // what was issued was a draft
		run.Drafts += run.Issued
	}
	return run, nil
}

// IssueRun issues what is approved in a run, several at a time, and reports the first error that is not one of a single invoice.
func (o *Ops) IssueRun(ctx context.Context, id uuid.UUID) error {
	drafts, err := o.DB.ApprovedDrafts(ctx, uuid.NullUUID{UUID: id, Valid: true})
	if err != nil {
		return fmt.Errorf("approved drafts: %w", err)
	}
	g, issuing := errgroup.WithContext(ctx)
	g.SetLimit(2 * runtime.GOMAXPROCS(0))
	for _, draft := range drafts {
		g.Go(func() error {
			_, err := o.IssueInvoice(issuing, draft)
			var faulty *billing.DraftError
			if errors.As(err, &faulty) || errors.Is(err, errOutdated) {
				return nil // the draft says so
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("issue: %w", err)
	}
	return o.DB.FinishRuns(ctx, o.Now())
}

// collectDueRun goes on with a run that nobody is at work on.
func (w *Worker) collectDueRun(ctx context.Context, id uuid.UUID) error {
	row, err := w.DB.ClaimRun(ctx, db.ClaimRunParams{ID: id, Now: w.Now(), Lease: w.ops().runLease()})
	if err != nil {
		return err
	}
	ctx = WithActor(ctx, row.Actor)
	if row.StartedBy.Valid {
		ctx = WithStaff(ctx, row.StartedBy.UUID, row.Actor)
	}
	return w.ops().collect(ctx, row)
}

func runsDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.RunsDue(ctx, db.RunsDueParams{Now: now, MaxRows: sweepSize})
}

func (w *Worker) postponeRun(ctx context.Context, id uuid.UUID, reason error) error {
	row, err := w.DB.InvoiceRun(ctx, id)
	if err != nil {
		return err
	}
	return w.DB.PostponeRun(ctx, db.PostponeRunParams{ID: id, DueAt: ptr(w.Now().Add(backoff(row.Attempts))), Reason: reason.Error()})
}

// refreshRuns lets late CDRs enter the drafts that wait for approval, and ends the runs of which everything is issued.
func (w *Worker) refreshRuns(ctx context.Context) error {
	if err := w.DB.FinishRuns(ctx, w.Now()); err != nil {
		return fmt.Errorf("finish runs: %w", err)
	}
	rows, err := w.DB.RunsInInspection(ctx, w.Now().Add(-refreshEvery/2))
	if err != nil {
		return fmt.Errorf("runs in inspection: %w", err)
	}
	for _, row := range rows {
		again, err := w.ops().startRun(ctx, row.TenantID, row.Month, row.Cycle, row.Issue)
		var refused *Refusal
		if errors.As(err, &refused) { // somebody is at it
			continue
		} else if err != nil {
			return err
		}
		if err := w.ops().collect(ctx, again); err != nil {
			return fmt.Errorf("refresh run %s: %w", row.ID, err)
		}
	}
	return nil
}

// refreshEvery is how often drafts that wait are brought up to date.
const refreshEvery = 10 * time.Minute

// billAtOnce issues what contracts pay without waiting for the end of a month. Agreeing on that is the approval.
func (w *Worker) billAtOnce(ctx context.Context) error {
	tenants, err := w.DB.TenantsToBillAtOnce(ctx)
	if err != nil {
		return fmt.Errorf("utilities with something to bill at once: %w", err)
	}
	var failed error
	for _, id := range tenants {
		failed = errors.Join(failed, w.ops().runAtOnce(ctx, id))
	}
	return failed
}

func (o *Ops) runAtOnce(ctx context.Context, tenantID uuid.UUID) error {
	tenant, err := o.DB.Tenant(ctx, tenantID)
	if err != nil {
		return fmt.Errorf("tenant: %w", err)
	}
	zone, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		return fmt.Errorf("time zone of %s: %w", tenant.Name, err)
	}
	row, err := o.startRun(ctx, tenantID, o.Now().In(zone), cycleImmediate, true)
	var refused *Refusal
	if errors.As(err, &refused) {
		return nil
	} else if err != nil {
		return err
	}
	if err := o.collect(ctx, row); err != nil {
		return fmt.Errorf("bill %s at once: %w", tenant.Name, err)
	}
	return o.approve(ctx, tenantID, row.ID, approval{name: "standing order", early: true})
}

// monthOf is the calendar month of a utility, as instants.
func monthOf(month time.Time, zone *time.Location) billing.Period {
	start := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, zone)
	return billing.Period{Start: start.UTC(), End: start.AddDate(0, 1, 0).UTC()}
}

// cyclePeriod is the time that a draft of a cycle bills: its month, or the quarter that ends with it.
func cyclePeriod(month time.Time, cycle string, zone *time.Location) billing.Period {
	period := monthOf(month, zone)
	if cycle == cycleQuarter {
		period.Start = time.Date(month.Year(), month.Month()-2, 1, 0, 0, 0, 0, zone).UTC()
	}
	return period
}

// dateOf is the first day of a month as a date, which PostgreSQL and JSON carry as midnight UTC.
func dateOf(month time.Time) time.Time {
	return time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
}

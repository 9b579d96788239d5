package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

const (
	runChunk = 2000            // customers whose drafts are made in one transaction
	runHands = 2               // chunks of a run that are made at the same time: the rest of the database is for others
	runLease = 2 * time.Minute // a run that does not advance for so long has lost its worker
)

// errRunTakenOver ends the work on a run that somebody else has taken over.
var errRunTakenOver = errors.New("somebody else has taken the run over")

// runLease is until when a claim of a run holds, as PostgreSQL stores it.
func (o *Ops) runLease() time.Time { return o.Now().Add(runLease).Truncate(time.Microsecond) }

// collecting is the making of the drafts of a run.
type collecting struct {
	*Ops
	run     db.InvoiceRun
	tenant  db.Tenant
	zone    *time.Location
	policy  db.BillingPolicy
	periods map[string]billing.Period // by cycle
	until   time.Time                 // items that begin before are billed
	fees    *feeBooking               // nil: no fees of this run
	drafted uuid.NullUUID             // who makes the drafts
}

func (o *Ops) collecting(ctx context.Context, run db.InvoiceRun) (*collecting, error) {
	c := &collecting{Ops: o, run: run, periods: map[string]billing.Period{}, drafted: run.StartedBy}
	var err error
	if c.tenant, err = o.DB.Tenant(ctx, run.TenantID); err != nil {
		return nil, fmt.Errorf("tenant: %w", err)
	}
	if c.zone, err = time.LoadLocation(c.tenant.TimeZone); err != nil {
		return nil, fmt.Errorf("time zone of %s: %w", c.tenant.Name, err)
	}
	if c.policy, err = BillingPolicyOf(ctx, o.DB.Queries, run.TenantID); err != nil {
		return nil, err
	}
	cycles := []string{cycleMonth}
	switch {
	case run.Cycle == cycleImmediate:
		cycles = []string{cycleImmediate}
	case run.Month.Month()%3 == 0:
		cycles = append(cycles, cycleQuarter)
	}
	for _, cycle := range cycles {
		c.periods[cycle] = cyclePeriod(run.Month, cycle, c.zone)
	}
	c.until = monthOf(run.Month, c.zone).End
	if run.Cycle == cycleMonth {
		c.fees = newFeeBooking(c.tenant, c.zone, run.Month, o.Now())
	}
	return c, nil
}

// collect makes the drafts of a run whose row is claimed, some chunks at a time, from where it stands.
func (o *Ops) collect(ctx context.Context, run db.InvoiceRun) error {
	hands := make([]*collecting, runHands)
	for i := range hands {
		var err error
		if hands[i], err = o.collecting(ctx, run); err != nil {
			return err
		}
	}
	problems := []FeeProblem{}
	if run.Cursor != uuid.Nil {
		if err := json.Unmarshal(run.FeeProblems, &problems); err != nil {
			return fmt.Errorf("fee problems: %w", err)
		}
	}
	for held := *run.DueAt; ; {
		ids, err := o.DB.CustomersOfChunk(ctx, db.CustomersOfChunkParams{TenantID: run.TenantID, After: run.Cursor, MaxRows: runHands * runChunk})
		if err != nil {
			return fmt.Errorf("customers: %w", err)
		}
		if len(ids) == 0 {
			return o.endCollecting(ctx, hands[0], held)
		}
		found, err := collectTogether(ctx, hands, held, ids)
		if err != nil {
			return fmt.Errorf("drafts of customers from %s on: %w", ids[0], err)
		}
		problems = append(problems, found...)
		last, lease := ids[len(ids)-1], o.runLease()
		n, err := o.DB.AdvanceRun(ctx, db.AdvanceRunParams{ID: run.ID, Cursor: last, Customers: int32(len(ids)), FeeProblems: frozen(problems), Lease: lease, Held: held})
		if err != nil {
			return fmt.Errorf("store progress: %w", err)
		}
		if n == 0 {
			return errRunTakenOver
		}
		run.Cursor, held = last, lease
	}
}

// collectTogether gives each hand a chunk of the customers. If one fails, what others have done stays, and is found done.
func collectTogether(ctx context.Context, hands []*collecting, held time.Time, ids []uuid.UUID) ([]FeeProblem, error) {
	found := make([][]FeeProblem, len(hands))
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range hands[:(len(ids)+runChunk-1)/runChunk] {
		part := ids[i*runChunk : min((i+1)*runChunk, len(ids))]
		g.Go(func() error {
			return retryDeadlock(func() error {
				return c.DB.Tx(ctx, func(q *db.Queries) error {
					fees, err := c.chunk(ctx, q, part[0], part[len(part)-1])
					if err != nil {
						return err
					}
					found[i] = fees.Problems
					n, err := q.CountFees(ctx, db.CountFeesParams{ID: c.run.ID, Fees: int32(fees.Booked), Held: held})
					if err == nil && n == 0 {
						return errRunTakenOver
					}
					return err
				})
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

func (o *Ops) endCollecting(ctx context.Context, c *collecting, held time.Time) error {
	now := o.Now()
	n, err := o.DB.EndCollecting(ctx, db.EndCollectingParams{ID: c.run.ID, Now: now, InspectUntil: now.AddDate(0, 0, int(c.policy.InspectionDays)), Held: held})
	if err == nil && n == 0 {
		return errRunTakenOver
	}
	return err
}

// chunk books the fees of a range of customers, takes what they have to pay onto drafts and judges those. All of it can be done
// again, and after it nothing differs.
func (c *collecting) chunk(ctx context.Context, q *db.Queries, first, last uuid.UUID) (FeeRun, error) {
	var fees FeeRun
	var err error
	if c.fees != nil {
		if fees, err = c.fees.book(ctx, q, first, last); err != nil {
			return fees, fmt.Errorf("fees: %w", err)
		}
	}
	untaxed, err := q.UntaxedCDRs(ctx, db.UntaxedCDRsParams{TenantID: c.tenant.ID, First: first, Last: last, Until: c.until})
	if err != nil {
		return fees, fmt.Errorf("sessions that cannot be taxed: %w", err)
	}
	run, cycles := uuid.NullUUID{UUID: c.run.ID, Valid: true}, make([]string, 0, len(c.periods))
	for cycle := range c.periods {
		cycles = append(cycles, cycle)
	}
	err = q.AdoptDrafts(ctx, db.AdoptDraftsParams{RunID: run, DraftedBy: c.drafted, TenantID: c.tenant.ID, First: first, Last: last, Month: c.run.Month, Cycles: cycles})
	if err != nil {
		return fees, fmt.Errorf("adopt drafts: %w", err)
	}
	taken := map[uuid.UUID][]db.TakeItemsRow{}
	for cycle := range c.periods {
		others := []map[string]string{}
		if cycle == c.run.Cycle {
			for _, u := range untaxed {
				others = append(others, map[string]string{"customer": u.CustomerID.String(), "currency": u.Currency})
			}
		}
		err := q.OpenDrafts(ctx, db.OpenDraftsParams{
			TenantID: c.tenant.ID, RunID: run, Month: c.run.Month, Cycle: cycle, DraftedBy: c.drafted, Now: c.Now(), First: first, Last: last, Until: c.until, Others: frozen(others),
		})
		if err != nil {
			return fees, fmt.Errorf("open drafts: %w", err)
		}
		rows, err := q.TakeItems(ctx, db.TakeItemsParams{RunID: run, Cycle: cycle, First: first, Last: last, TenantID: c.tenant.ID, Until: c.until})
		if err != nil {
			return fees, fmt.Errorf("take items: %w", err)
		}
		for _, r := range rows {
			taken[r.InvoiceID] = append(taken[r.InvoiceID], r)
		}
	}
	return fees, c.judge(ctx, q, first, last, taken, untaxed, fees.Problems)
}

// RetryInvoice brings one draft up to date, with everything that its customer has to pay: for one that has failed, after what
// was wrong has been put right.
func (o *Ops) RetryInvoice(ctx context.Context, tenant, id uuid.UUID) error {
	row, err := o.DB.Invoice(ctx, id)
	if err != nil {
		return err
	}
	if row.TenantID != tenant {
		return db.ErrNotFound
	}
	if row.State != "draft" && row.State != "failed" || row.ApprovedAt != nil || !row.RunID.Valid {
		return refuse("no-draft")
	}
	run, err := o.DB.InvoiceRun(ctx, row.RunID.UUID)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	c, err := o.collecting(ctx, run)
	if err != nil {
		return err
	}
	return retryDeadlock(func() error {
		return o.DB.Tx(ctx, func(q *db.Queries) error {
			if _, err := c.chunk(ctx, q, row.CustomerID, row.CustomerID); err != nil {
				return err
			}
			return event(ctx, q, o.Now(), tenant, "invoice", id, "retried", nil)
		})
	})
}

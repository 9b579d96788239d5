package jobs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

const (
	backtestLease = 2 * time.Minute // a worker that is silent for so long has died
	backtestChunk = 20_000          // sessions that are read at once
	backtestWorst = 100             // cases of each kind that are kept
)

// errTakenOver ends the work of a worker that was silent for too long: another one has begun anew.
var errTakenOver = errors.New("another worker has taken the back-test over")

// RunBacktest tries a draft on the sessions of its time, on all processors. Its row is claimed for a while at a time, and progress
// renews the claim: no transaction stays open for the time of the work, and whoever looks sees how far it is.
func (w *Worker) RunBacktest(ctx context.Context, id uuid.UUID) error {
	row, err := w.DB.ClaimBacktest(ctx, db.ClaimBacktestParams{ID: id, Now: w.Now(), Lease: w.lease()})
	if err != nil {
		return err
	}
	r := backtestRun{Worker: w, row: row, held: *row.DueAt}
	err = r.run(ctx)
	if errors.Is(err, errTakenOver) {
		return nil
	}
	return err
}

// lease is until when a claim holds, as PostgreSQL stores it.
func (w *Worker) lease() time.Time { return w.Now().Add(backtestLease).Truncate(time.Microsecond) }

// backtestRun is one run in progress.
type backtestRun struct {
	*Worker
	row  db.Backtest
	held time.Time // until when we hold the row
	test *billing.Backtest
	zone *time.Location
	done int64
	all  int64
}

func (r *backtestRun) run(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	result, err := r.try(ctx)
	if err != nil {
		return err
	}
	if err := r.fees(ctx, &result); err != nil {
		return err
	}
	report, err := r.report(ctx, &result)
	if err != nil {
		return err
	}
	n, err := r.DB.FinishBacktest(ctx, db.FinishBacktestParams{ID: r.row.ID, Held: r.held, Now: r.Now(), Result: frozen(report)})
	if err == nil && n == 0 {
		return errTakenOver
	}
	return err
}

func (r *backtestRun) prepare(ctx context.Context) error {
	tenant, err := r.DB.Tenant(ctx, r.row.TenantID)
	if err != nil {
		return fmt.Errorf("tenant: %w", err)
	}
	if r.zone, err = time.LoadLocation(tenant.TimeZone); err != nil {
		return fmt.Errorf("time zone of %s: %w", tenant.Name, err)
	}
	if r.test, err = r.ops().draft(ctx, r.row.TenantID, r.row.Doc); err != nil {
		return err
	}
	r.test.Zone, r.test.Currency, r.test.Groups = r.zone, "EUR", map[billing.Key]string{}
	groups, err := r.DB.GroupsOfCustomers(ctx, db.GroupsOfCustomersParams{TenantID: r.row.TenantID, At: r.Now()})
	if err != nil {
		return fmt.Errorf("groups of customers: %w", err)
	}
	for _, c := range groups {
		r.test.Groups[billing.Key(c.ID)] = c.CustomerGroup
	}
	r.all, err = r.DB.CountCDRInputs(ctx, db.CountCDRInputsParams{TenantID: r.row.TenantID, Since: r.row.Since, Until: r.row.Until})
	if err != nil {
		return fmt.Errorf("count sessions: %w", err)
	}
	return r.advance(ctx)
}

// advance stores the progress and holds the row for longer.
func (r *backtestRun) advance(ctx context.Context) error {
	lease := r.lease()
	n, err := r.DB.AdvanceBacktest(ctx, db.AdvanceBacktestParams{ID: r.row.ID, Total: max(r.all, r.done), Done: r.done, Lease: lease, Held: r.held})
	if err != nil {
		return fmt.Errorf("store progress: %w", err)
	}
	if n == 0 {
		return errTakenOver
	}
	r.held = lease
	return nil
}

// try prices every session: one goroutine reads the next chunk while the others price the one before.
func (r *backtestRun) try(ctx context.Context) (billing.BacktestResult, error) {
	shards := make([]*billing.BacktestShard, runtime.GOMAXPROCS(0))
	for i := range shards {
		shards[i] = r.test.Shard()
	}
	chunks := make(chan []db.CDRInputsRow, 1)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(chunks)
		return r.read(ctx, chunks)
	})
	byContract := r.test.Draws() // the sessions of a contract then depend on each other
	g.Go(func() error {
		for chunk := range chunks {
			var parts errgroup.Group
			for part, shard := range shards {
				parts.Go(func() error {
					for i := range chunk {
						row := &chunk[i]
						belongs := i
						if byContract {
							belongs = int(row.ContractID[15]) | int(row.ContractID[14])<<8
						}
						if belongs%len(shards) != part {
							continue
						}
						if err := shard.Try(billing.Key(row.CDRID), billing.Key(row.CustomerID), billing.Key(row.ContractID), row.Data); err != nil {
							return fmt.Errorf("input of CDR %s: %w", row.CDRID, err)
						}
					}
					return nil
				})
			}
			if err := parts.Wait(); err != nil {
				return err
			}
			r.done += int64(len(chunk))
			if err := r.advance(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return billing.BacktestResult{}, err
	}
	result := shards[0].Result()
	for _, shard := range shards[1:] {
		part := shard.Result()
		result.Merge(&part)
	}
	return result, nil
}

// read sends the sessions in chunks, in the order in which they began.
func (r *backtestRun) read(ctx context.Context, to chan<- []db.CDRInputsRow) error {
	p := db.CDRInputsParams{TenantID: r.row.TenantID, Since: r.row.Since, Until: r.row.Until, AfterStart: r.row.Since.Add(-time.Hour), MaxRows: backtestChunk}
	for {
		chunk, err := r.DB.CDRInputs(ctx, p)
		if err != nil {
			return fmt.Errorf("read sessions: %w", err)
		}
		if len(chunk) == 0 {
			return nil
		}
		select {
		case to <- chunk:
		case <-ctx.Done():
			return ctx.Err()
		}
		last := &chunk[len(chunk)-1]
		p.AfterStart, p.AfterID = last.StartedAt, last.CDRID
	}
}

// fees sets the base fees of the complete months of the time, as they were booked, beside those of the draft.
func (r *backtestRun) fees(ctx context.Context, result *billing.BacktestResult) error {
	since, until := r.completeMonths()
	booked, err := r.DB.BaseFeesOfCustomers(ctx, db.BaseFeesOfCustomersParams{TenantID: r.row.TenantID, SinceMonth: since, UntilMonth: until, Currency: r.test.Currency})
	if err != nil {
		return fmt.Errorf("booked fees: %w", err)
	}
	for _, f := range booked {
		result.AddFees(billing.Key(f.CustomerID), billing.Amount{ExclVAT: f.Net, InclVAT: f.Gross}, billing.Amount{})
	}
	tenant, err := r.DB.Tenant(ctx, r.row.TenantID)
	if err != nil {
		return fmt.Errorf("tenant: %w", err)
	}
	for month := since; month.Before(until); month = month.AddDate(0, 1, 0) {
		period := monthOf(month, r.zone)
		for after := uuid.Nil; ; {
			contracts, err := r.DB.ContractsForFees(ctx, db.ContractsForFeesParams{
				Month: month, TenantID: r.row.TenantID, FirstCustomer: everyCustomer[0], LastCustomer: everyCustomer[1], After: after, Since: period.Start, Until: period.End, MaxRows: feePage,
			})
			if err != nil {
				return fmt.Errorf("contracts: %w", err)
			}
			if len(contracts) == 0 {
				break
			}
			for _, c := range contracts {
				if amount, ok := r.draftFee(tenant, month, c); ok {
					result.AddFees(billing.Key(c.CustomerID), billing.Amount{}, amount)
				}
			}
			after = contracts[len(contracts)-1].ID
			if err := r.advance(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// completeMonths are the first days of the first month that lies in the time as a whole, and of the one behind the last.
func (r *backtestRun) completeMonths() (since, until time.Time) {
	since = dateOf(r.row.Since.In(r.zone))
	if monthOf(since, r.zone).Start.Before(r.row.Since) {
		since = since.AddDate(0, 1, 0)
	}
	return since, dateOf(r.row.Until.In(r.zone))
}

// draftFee is the base fee that a contract would pay by the draft.
func (r *backtestRun) draftFee(tenant db.Tenant, month time.Time, c db.ContractsForFeesRow) (billing.Amount, bool) {
	choice, ok := r.test.Book.FeePlan(buyerOf(c))
	plan := r.test.Plans[choice.Plan]
	if !ok || plan == nil || plan.Tariff.Currency != r.test.Currency {
		return billing.Amount{}, false
	}
	fee, ok := plan.Fee(billing.FeeBase)
	days := billing.DaysOf(month, r.zone, c.FeesFrom, c.ValidTo)
	if !ok || days.Days <= 0 {
		return billing.Amount{}, false
	}
	vat, err := serviceVAT(tenant, c, days.Last)
	if err != nil { // no rule: it would not be booked
		return billing.Amount{}, false
	}
	net, gross := billing.FeeAmounts(billing.BaseFee(fee.Price, days, r.test.Currency), plan.TaxIncluded, vat)
	return billing.Amount{ExclVAT: net, InclVAT: gross}, true
}

// report keeps of the result what is read: sums, and the worst cases by name.
func (r *backtestRun) report(ctx context.Context, result *billing.BacktestResult) (*BacktestReport, error) {
	s := result.Summary(backtestWorst)
	report := &BacktestReport{
		Currency: result.Currency, Sessions: result.Sessions, Changed: result.Changed, Holes: result.Holes, Other: result.Other,
		Old: result.Old, New: result.New, Lost: result.Lost, Fees: result.Fees, Plans: result.Plans, Rules: result.Rules,
		Better: s.Better, Worse: s.Worse, Same: s.Same, Deltas: s.Deltas, LossEVSEs: s.LossEVSEs, Loss: s.Loss, Losses: s.Losses,
	}
	for cell, sum := range result.HoleCells {
		report.HoleCells = append(report.HoleCells, BacktestHole{cell, sum})
	}
	slices.SortFunc(report.HoleCells, func(a, b BacktestHole) int {
		return cmp.Or(cmp.Compare(b.Lost.Sessions, a.Lost.Sessions), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Network, b.Network))
	})
	ids := make([]uuid.UUID, 0, len(s.WorstOff)+len(s.BestOff))
	for _, c := range slices.Concat(s.WorstOff, s.BestOff) {
		ids = append(ids, uuid.UUID(c.Customer))
	}
	rows, err := r.DB.CustomersByID(ctx, db.CustomersByIDParams{TenantID: r.row.TenantID, CustomerIDs: ids})
	if err != nil {
		return nil, fmt.Errorf("customers: %w", err)
	}
	slices.SortFunc(rows, func(a, b db.CustomersByIDRow) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	named := func(list []billing.BacktestCustomer) []BacktestCustomer {
		out := make([]BacktestCustomer, 0, len(list))
		for _, c := range list {
			entry := BacktestCustomer{ID: uuid.UUID(c.Customer), BacktestChange: c.BacktestChange}
			at, ok := slices.BinarySearchFunc(rows, entry.ID, func(row db.CustomersByIDRow, id uuid.UUID) int { return bytes.Compare(row.ID[:], id[:]) })
			if ok {
				entry.Number, entry.Name = rows[at].Number, rows[at].Name
			}
			out = append(out, entry)
		}
		return out
	}
	report.WorstOff, report.BestOff = named(s.WorstOff), named(s.BestOff)
	report.Dearest, report.Losing, err = r.cases(ctx, result)
	return report, err
}

// cases says which sessions are meant.
func (r *backtestRun) cases(ctx context.Context, result *billing.BacktestResult) (dearest, losing []BacktestCase, err error) {
	var ids []uuid.UUID
	for _, c := range slices.Concat(result.Dearest, result.Losing) {
		ids = append(ids, uuid.UUID(c.CDR))
	}
	rows, err := r.DB.BacktestCases(ctx, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("worst sessions: %w", err)
	}
	named := func(list []billing.BacktestCase) []BacktestCase {
		cases := make([]BacktestCase, len(list))
		for i, c := range list {
			row := rows[slices.IndexFunc(rows, func(r db.BacktestCasesRow) bool { return r.CDRID == uuid.UUID(c.CDR) })] // inputs belong to CDRs
			cases[i] = BacktestCase{ID: row.CDRID, OCPIID: row.OCPIID, Place: row.Place, StartedAt: row.StartedAt, KWh: row.KWh, Old: c.Old, New: c.New, Margin: c.Margin}
		}
		return cases
	}
	return named(result.Dearest), named(result.Losing), nil
}

// packInput is what a back-test needs of the session that was just rated.
func (r *rating) packInput() []byte {
	p := &r.retail
	outcome := billing.Outcome{
		Currency: p.Currency, Net: p.net, Gross: p.gross, Cost: r.cdr.TotalCost.ExclVAT.Decimal, CostCurrency: r.cdr.Currency, Plan: p.choice.Plan,
		OffNet: decimal.Zero, Off: decimal.Zero,
	}
	for _, item := range p.items {
		if d := item.Line.Dimension; d == billing.Promised || d == billing.Redeemed {
			outcome.OffNet, outcome.Off = outcome.OffNet.Sub(item.Net), outcome.Off.Sub(item.Gross)
		}
	}
	in := billing.Input{CDR: *r.cdr, Country: r.place.country, Began: r.began, Ended: r.ended, Buyer: p.choice.Buyer, At: p.choice.At, Outcome: outcome}
	if r.place.zone != nil {
		in.Zone = r.place.zone.String()
	}
	return in.Append(nil)
}

// saveInput keeps the session for back-tests.
func (r *rating) saveInput(ctx context.Context) error {
	err := r.q.SaveCDRInput(ctx, db.SaveCDRInputParams{
		CDRID: r.state.CDRID, TenantID: r.state.TenantID, CustomerID: r.state.CustomerID.UUID, ContractID: r.card.ContractRow, StartedAt: r.began, Data: r.packInput(),
	})
	if err != nil {
		return fmt.Errorf("save input: %w", err)
	}
	return nil
}

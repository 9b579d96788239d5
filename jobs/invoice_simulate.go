package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// RunReport is what a run comes to.
type RunReport struct {
	Totals   []RunTotal
	Taxes    []RunTax
	Warnings []RunWarning
	Fees     FeeRun
	Odd      []OddDraft // what a person should look at: at most oddShown of them
}

// RunTotal sums up the drafts or invoices of a run in one state and currency, or what the utility owes by self-billed documents.
type RunTotal struct {
	State, Currency                    string
	Payable                            bool
	Many, Approved, Odd, Written, Sent int64
	Net, VAT, Gross                    decimal.Decimal
}

// RunTax sums up a tax decision over a run.
type RunTax struct {
	Currency, Category string
	Rate, Net, Tax     decimal.Decimal
	Items              int64
}

// RunWarning counts the drafts that are odd in one way.
type RunWarning struct {
	Warning string
	Many    int64
}

// OddDraft is a draft that a person should look at.
type OddDraft struct {
	ID                      uuid.UUID
	Recipient               uuid.UUID // whom it is made out to
	Customer, Number, State string
	Currency                string
	Net, Gross              decimal.Decimal
	Usual                   decimal.NullDecimal // mean of the three months before
	Items                   int32
	Warnings                []string
	Problems                []billing.Problem
}

// oddShown is how many odd drafts a report names.
const oddShown = 200

// errTried rolls a simulation back.
var errTried = errors.New("this was a simulation")

// SimulateRun does all that RunInvoices does up to the approval, and leaves nothing behind: each chunk of customers is billed in a
// transaction that is rolled back.
func (o *Ops) SimulateRun(ctx context.Context, tenant uuid.UUID, month time.Time) (RunReport, error) {
	report := RunReport{}
	for after := uuid.Nil; ; {
		ids, err := o.DB.CustomersOfChunk(ctx, db.CustomersOfChunkParams{TenantID: tenant, After: after, MaxRows: runChunk})
		if err != nil {
			return report, fmt.Errorf("customers: %w", err)
		}
		if len(ids) == 0 {
			return report, nil
		}
		after = ids[len(ids)-1]
		var part RunReport
		err = retryDeadlock(func() error {
			return o.DB.Tx(ctx, func(q *db.Queries) (err error) {
				if part, err = o.tryChunk(ctx, q, tenant, month, ids[0], after); err != nil {
					return err
				}
				return errTried
			})
		})
		if !errors.Is(err, errTried) {
			return report, fmt.Errorf("simulate from customer %s on: %w", ids[0], err)
		}
		report.merge(&part)
	}
}

func (o *Ops) tryChunk(ctx context.Context, q *db.Queries, tenant uuid.UUID, month time.Time, first, last uuid.UUID) (RunReport, error) {
	run, err := q.InsertTriedRun(ctx, db.InsertTriedRunParams{ID: uuid.Must(uuid.NewV7()), TenantID: tenant, Month: dateOf(month), Cycle: cycleMonth, Now: o.Now()})
	if err != nil {
		return RunReport{}, fmt.Errorf("run: %w", err)
	}
	c, err := o.collecting(ctx, run)
	if err != nil {
		return RunReport{}, err
	}
	fees, err := c.chunk(ctx, q, first, last)
	if err != nil {
		return RunReport{}, err
	}
	odd, err := OddDrafts(ctx, q, run.ID, OddPage{MaxRows: oddShown})
	if err != nil {
		return RunReport{}, err
	}
	if _, err := o.approveDrafts(ctx, q, run, uuid.NullUUID{}, approval{name: actor(ctx)}); err != nil {
		return RunReport{}, err
	}
	report, err := SumRun(ctx, q, run.ID)
	report.Fees, report.Odd = fees, odd
	return report, err
}

// ReportRun is what a run comes to now, and the first of what a person should look at.
func ReportRun(ctx context.Context, q *db.Queries, id uuid.UUID) (RunReport, error) {
	report, err := SumRun(ctx, q, id)
	if err != nil {
		return report, err
	}
	report.Odd, err = OddDrafts(ctx, q, id, OddPage{MaxRows: oddShown})
	return report, err
}

// SumRun is what a run comes to now.
func SumRun(ctx context.Context, q *db.Queries, id uuid.UUID) (RunReport, error) {
	report, key := RunReport{}, uuid.NullUUID{UUID: id, Valid: true}
	progress, err := q.RunProgress(ctx, key)
	if err != nil {
		return report, fmt.Errorf("progress: %w", err)
	}
	for _, p := range progress {
		report.Totals = append(report.Totals, RunTotal{p.State, p.Currency, p.Payable, p.Many, p.Approved, p.Odd, p.Rendered, p.Sent, p.Net, p.VAT, p.Gross})
	}
	taxes, err := q.RunTaxes(ctx, key)
	if err != nil {
		return report, fmt.Errorf("taxes: %w", err)
	}
	for _, t := range taxes {
		report.Taxes = append(report.Taxes, RunTax{t.Currency, t.Category, t.Rate, t.Net, t.Tax, t.Items})
	}
	warnings, err := q.RunWarnings(ctx, key)
	if err != nil {
		return report, fmt.Errorf("warnings: %w", err)
	}
	for _, w := range warnings {
		report.Warnings = append(report.Warnings, RunWarning(w))
	}
	return report, nil
}

// OddPage is a page of the drafts that a person should look at.
type OddPage struct {
	Warning  string    // odd in this way, or WarnFailed; empty: in any
	After    uuid.UUID // draft behind which it begins
	Backward bool      // before which it ends instead; the last is first
	MaxRows  int32
}

// OddDrafts are the drafts of a run that a person should look at.
func OddDrafts(ctx context.Context, q *db.Queries, run uuid.UUID, p OddPage) ([]OddDraft, error) {
	rows, err := q.DraftsForReview(ctx, db.DraftsForReviewParams{RunID: uuid.NullUUID{UUID: run, Valid: true}, Warning: p.Warning, After: p.After, Backward: p.Backward, MaxRows: p.MaxRows})
	if err != nil {
		return nil, fmt.Errorf("odd drafts: %w", err)
	}
	odd := make([]OddDraft, len(rows))
	for i, r := range rows {
		odd[i] = OddDraft{r.ID, recipientOf(r.CustomerID, r.RecipientID), r.Customer, r.CustomerNumber, r.State, r.Currency, r.Net, r.Gross, r.Usual, r.Items, r.Warnings, nil}
		if err := json.Unmarshal(r.Problems, &odd[i].Problems); err != nil {
			return nil, fmt.Errorf("problems of draft %s: %w", r.ID, err)
		}
	}
	return odd, nil
}

// merge adds the report of the next chunk.
func (r *RunReport) merge(next *RunReport) {
	for _, t := range next.Totals {
		at := slices.IndexFunc(r.Totals, func(have RunTotal) bool {
			return have.State == t.State && have.Currency == t.Currency && have.Payable == t.Payable
		})
		if at < 0 {
			r.Totals = append(r.Totals, t)
			continue
		}
		have := &r.Totals[at]
		have.Many, have.Approved, have.Odd = have.Many+t.Many, have.Approved+t.Approved, have.Odd+t.Odd
		have.Net, have.VAT, have.Gross = have.Net.Add(t.Net), have.VAT.Add(t.VAT), have.Gross.Add(t.Gross)
	}
	for _, t := range next.Taxes {
		at := slices.IndexFunc(r.Taxes, func(have RunTax) bool {
			return have.Currency == t.Currency && have.Category == t.Category && have.Rate.Equal(t.Rate)
		})
		if at < 0 {
			r.Taxes = append(r.Taxes, t)
			continue
		}
		have := &r.Taxes[at]
		have.Items, have.Net, have.Tax = have.Items+t.Items, have.Net.Add(t.Net), have.Tax.Add(t.Tax)
	}
	for _, w := range next.Warnings {
		at := slices.IndexFunc(r.Warnings, func(have RunWarning) bool { return have.Warning == w.Warning })
		if at < 0 {
			r.Warnings = append(r.Warnings, w)
			continue
		}
		r.Warnings[at].Many += w.Many
	}
	r.Fees.Booked += next.Fees.Booked
	r.Fees.Problems = append(r.Fees.Problems, next.Fees.Problems...)
	r.Odd = append(r.Odd, next.Odd[:min(len(next.Odd), oddShown-len(r.Odd))]...)
}

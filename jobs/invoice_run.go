package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// Run says what an invoice run did.
type Run struct {
	ID     uuid.UUID
	Drafts int // made or brought up to date
	Failed int // cannot be issued yet; each says why
	Issued int
	Fees   FeeRun
}

// RunInvoices bills a month of one utility: a draft for every customer with unbilled items up to the end of the month, late
// ones of earlier months included, and the fees of the month. With issue, the drafts are issued at once. Running again brings
// drafts up to date and touches nothing that is issued.
//
// Each customer has a transaction of its own: what cannot be billed fails alone, says why, and stops nobody else.
func (o *Ops) RunInvoices(ctx context.Context, tenantID uuid.UUID, month time.Time, issue bool) (Run, error) {
	tenant, err := o.DB.Tenant(ctx, tenantID)
	if err != nil {
		return Run{}, fmt.Errorf("tenant: %w", err)
	}
	zone, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		return Run{}, fmt.Errorf("time zone of %s: %w", tenant.Name, err)
	}
	period := monthOf(month, zone)
	run := Run{ID: uuid.Must(uuid.NewV7())}
	err = o.DB.InsertInvoiceRun(ctx, db.InsertInvoiceRunParams{ID: run.ID, TenantID: tenantID, Month: dateOf(month), Issue: issue, CreatedAt: o.Now()})
	if err != nil {
		return Run{}, fmt.Errorf("start run: %w", err)
	}
	if run.Fees, err = o.BookFees(ctx, tenantID, month); err != nil {
		return run, fmt.Errorf("book fees: %w", err)
	}
	customers, err := o.DB.CustomersToBill(ctx, db.CustomersToBillParams{TenantID: tenantID, Until: period.End})
	if err != nil {
		return run, fmt.Errorf("customers to bill: %w", err)
	}
	for _, c := range customers {
		d := draft{Ops: o, tenant: tenant, zone: zone, period: period, month: dateOf(month), run: run.ID, customer: c.CustomerID, currency: c.Currency}
		id, err := d.make(ctx)
		switch {
		case err != nil:
			return run, fmt.Errorf("draft for customer %s: %w", c.CustomerID, err)
		case len(d.problems) > 0:
			run.Failed++
			continue
		}
		run.Drafts++
		if issue {
			if _, err := o.IssueInvoice(ctx, id); err != nil {
				return run, fmt.Errorf("issue: %w", err)
			}
			run.Issued++
		}
	}
	err = o.DB.DeleteIdleDrafts(ctx, db.DeleteIdleDraftsParams{TenantID: tenantID, Month: dateOf(month), Until: period.End})
	if err != nil {
		return run, fmt.Errorf("delete drafts of nothing: %w", err)
	}
	if err := o.DB.FinishInvoiceRun(ctx, db.FinishInvoiceRunParams{ID: run.ID, Now: ptr(o.Now())}); err != nil {
		return run, fmt.Errorf("finish run: %w", err)
	}
	return run, nil
}

// monthOf is the calendar month of a utility, as instants.
func monthOf(month time.Time, zone *time.Location) billing.Period {
	start := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, zone)
	return billing.Period{Start: start.UTC(), End: start.AddDate(0, 1, 0).UTC()}
}

// dateOf is the first day of a month as a date, which PostgreSQL and JSON carry as midnight UTC.
func dateOf(month time.Time) time.Time {
	return time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// draft is the draft of one customer in progress.
type draft struct {
	*Ops
	tenant   db.Tenant
	zone     *time.Location
	period   billing.Period
	month    time.Time
	run      uuid.UUID
	customer uuid.UUID
	currency string

	problems []billing.Problem
}

// make writes the draft of a customer, new or brought up to date, and takes the customer's unbilled items onto it. If the
// draft has problems it is kept as failed, and the items stay unbilled.
func (d *draft) make(ctx context.Context) (uuid.UUID, error) {
	var id uuid.UUID
	err := d.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockCustomer(ctx, d.customer); err != nil {
			return fmt.Errorf("lock customer: %w", err)
		}
		open, err := q.OpenInvoice(ctx, db.OpenInvoiceParams{TenantID: d.tenant.ID, CustomerID: d.customer, Month: d.month, Currency: d.currency})
		switch {
		case errors.Is(err, db.ErrNotFound):
			id = uuid.Must(uuid.NewV7())
			err = q.InsertInvoice(ctx, db.InsertInvoiceParams{
				ID: id, TenantID: d.tenant.ID, CustomerID: d.customer, RunID: uuid.NullUUID{UUID: d.run, Valid: true}, Month: d.month, State: "draft", Currency: d.currency, Problems: frozen([]billing.Problem{}),
				CreatedAt: d.Now(),
			})
			if err == nil {
				err = event(ctx, q, d.Now(), d.tenant.ID, "invoice", id, "drafted", nil)
			}
		default:
			id = open.ID
		}
		if err != nil {
			return fmt.Errorf("open draft: %w", err)
		}
		return d.fill(ctx, q, id)
	})
	return id, err
}

// fill computes the draft from what is unbilled and stores it.
func (d *draft) fill(ctx context.Context, q *db.Queries, id uuid.UUID) error {
	taken, err := q.TakeItems(ctx, db.TakeItemsParams{TenantID: d.tenant.ID, CustomerID: d.customer, Currency: d.currency, Until: d.period.End, InvoiceID: uuid.NullUUID{UUID: id, Valid: true}})
	if err != nil {
		return fmt.Errorf("take items: %w", err)
	}
	if len(taken) == 0 { // everything on it was withdrawn
		return q.DeleteDraft(ctx, id)
	}
	doc, err := d.compose(ctx, q, id, taken)
	if err != nil {
		return err
	}
	p := db.UpdateDraftParams{ID: id, RunID: uuid.NullUUID{UUID: d.run, Valid: true}, State: "draft", Net: decimal.Zero, VAT: decimal.Zero, Gross: decimal.Zero}
	inv, err := doc.Invoice()
	var faulty *billing.DraftError
	switch {
	case errors.As(err, &faulty):
		d.problems = faulty.Problems
		p.State = "failed"
		if err := q.ReleaseItems(ctx, uuid.NullUUID{UUID: id, Valid: true}); err != nil {
			return fmt.Errorf("release items: %w", err)
		}
	case err != nil:
		return err
	default:
		p.Net, p.VAT, p.Gross, p.Doc = inv.Net, inv.VATTotal, inv.Gross, frozen(inv)
	}
	p.Problems = frozen(d.problems)
	if err := q.UpdateDraft(ctx, p); err != nil {
		return fmt.Errorf("store draft: %w", err)
	}
	return nil
}

package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// IssueInvoice gives an approved draft its number and freezes it. The number comes from a counter that stays locked until the
// transaction ends, so numbers have no gaps and follow the order of issue. Issuing an issued invoice changes nothing.
//
// A draft that cannot be issued any more fails and says why: the error is a *billing.DraftError, or wraps errOutdated.
func (o *Ops) IssueInvoice(ctx context.Context, id uuid.UUID) (number string, err error) {
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockCDRsOfInvoice(ctx, uuid.NullUUID{UUID: id, Valid: true}); err != nil {
			return fmt.Errorf("lock CDRs: %w", err)
		}
		row, err := q.LockInvoice(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case row.State == "issued":
			number = *row.Number
			return nil
		case row.State != "draft":
			return fmt.Errorf("invoice %s is %s, only a draft can be issued", id, row.State)
		case row.ApprovedAt == nil:
			return refuse("not-approved")
		}
		tenant, err := q.Tenant(ctx, row.TenantID)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		doc, err := o.compose(ctx, q, tenant, row)
		if err != nil {
			return err
		}
		inv, err := doc.document()
		if err != nil {
			return err
		}
		if net, _, gross := inv.Owed(); !gross.Equal(row.Gross) || !net.Equal(row.Net) {
			return fmt.Errorf("invoice %s comes to %s, %s was approved: %w", id, gross, row.Gross, errOutdated)
		}
		number, err = o.finalise(ctx, q, tenant, row, &inv)
		return err
	})
	if err != nil {
		return "", o.failApproved(ctx, id, err)
	}
	o.Bell.Ring(ctx, InvoiceRender, id)
	return number, nil
}

// finalise gives a document its number and its dates, and freezes it.
func (o *Ops) finalise(ctx context.Context, q *db.Queries, tenant db.Tenant, row db.Invoice, inv *billing.Invoice) (number string, err error) {
	zone, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		return "", fmt.Errorf("time zone of %s: %w", tenant.Name, err)
	}
	now := o.Now()
	date, _ := dates(now, zone, tenant.PaymentDays)
	series := SeriesOf(tenant, inv.Type, date)
	next, err := q.NextNumber(ctx, db.NextNumberParams{TenantID: tenant.ID, Series: series, Now: now})
	if err != nil {
		return "", fmt.Errorf("next number of %s: %w", series, err)
	}
	now = next.At
	due := inv.DueDate
	inv.Date, inv.DueDate = dates(now, zone, tenant.PaymentDays)
	if due.IsZero() { // nothing falls due
		inv.DueDate = due
	}
	number = fmt.Sprintf("%s-%06d", series, next.Last)
	inv.Number = number
	err = q.IssueInvoice(ctx, db.IssueInvoiceParams{ID: row.ID, Type: string(inv.Type), Series: &series, Seq: &next.Last, Number: &number, Date: &inv.Date, Doc: frozen(inv), IssuedAt: &now})
	if err != nil {
		return "", fmt.Errorf("issue %s: %w", number, err)
	}
	err = q.MarkCDRsInvoiced(ctx, db.MarkCDRsInvoicedParams{InvoiceID: uuid.NullUUID{UUID: row.ID, Valid: true}, Number: number, Actor: actor(ctx), Now: now})
	if err != nil {
		return "", fmt.Errorf("mark CDRs: %w", err)
	}
	return number, event(ctx, q, now, tenant.ID, "invoice", row.ID, "issued", map[string]string{"number": number})
}

// SeriesOf names the number range: one per utility, kind of document and year, and others for documents of a utility on trial.
func SeriesOf(t db.Tenant, kind billing.DocumentType, date time.Time) string {
	series := t.PartyID
	series += map[billing.DocumentType]string{billing.DocumentCorrection: "-K", billing.DocumentCreditNote: "-M", billing.DocumentSelfBilled: "-G"}[kind]
	series = fmt.Sprintf("%s-%d", series, date.Year())
	if t.Mode == "trial" {
		return "TEST-" + series
	}
	return series
}

// dates are the days of issue and of payment in the utility's zone, as midnight UTC.
func dates(now time.Time, zone *time.Location, paymentDays int32) (date, due time.Time) {
	y, m, d := now.In(zone).Date()
	date = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return date, date.AddDate(0, 0, int(paymentDays))
}

package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// IssueInvoice gives a draft its number and freezes it. The number comes from a counter that stays locked until the
// transaction ends, so numbers have no gaps and follow the order of issue. Issuing an issued invoice changes nothing.
func (o *Ops) IssueInvoice(ctx context.Context, id uuid.UUID) (number string, err error) {
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		key := uuid.NullUUID{UUID: id, Valid: true}
		if err := q.LockCDRsOfInvoice(ctx, key); err != nil {
			return fmt.Errorf("lock CDRs: %w", err)
		}
		row, err := q.LockInvoice(ctx, id)
		if err != nil {
			return err
		}
		if row.State == "issued" {
			number = *row.Number
			return nil
		}
		if row.State != "draft" {
			return fmt.Errorf("invoice %s is %s, only a draft can be issued", id, row.State)
		}
		tenant, err := q.Tenant(ctx, row.TenantID)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		zone, err := time.LoadLocation(tenant.TimeZone)
		if err != nil {
			return fmt.Errorf("time zone of %s: %w", tenant.Name, err)
		}
		var inv billing.Invoice
		if err := json.Unmarshal(row.Doc, &inv); err != nil {
			return fmt.Errorf("read draft: %w", err)
		}
		now := o.Now()
		date, _ := dates(now, zone, tenant.PaymentDays)
		series := seriesOf(tenant, date)
		next, err := q.NextNumber(ctx, db.NextNumberParams{TenantID: tenant.ID, Series: series, Now: now})
		if err != nil {
			return fmt.Errorf("next number of %s: %w", series, err)
		}
		now = next.At
		inv.Date, inv.DueDate = dates(now, zone, tenant.PaymentDays)
		number = fmt.Sprintf("%s-%06d", series, next.Last)
		inv.Number = number
		err = q.IssueInvoice(ctx, db.IssueInvoiceParams{
			ID: id, Series: &series, Seq: &next.Last, Number: &number, Date: &inv.Date, Net: inv.Net, VAT: inv.VATTotal, Gross: inv.Gross, Doc: frozen(inv), IssuedAt: &now,
		})
		if err != nil {
			return fmt.Errorf("issue %s: %w", number, err)
		}
		if err := q.MarkCDRsInvoiced(ctx, db.MarkCDRsInvoicedParams{InvoiceID: key, Number: number, Actor: actor(ctx), Now: now}); err != nil {
			return fmt.Errorf("mark CDRs: %w", err)
		}
		return event(ctx, q, now, tenant.ID, "invoice", id, "issued", map[string]string{"number": number})
	})
	if err == nil {
		o.Bell.Ring(ctx, InvoiceRender, id)
	}
	return number, err
}

// seriesOf names the number range: one per utility and year, and another one for documents of a utility on trial.
func seriesOf(t db.Tenant, date time.Time) string {
	series := fmt.Sprintf("%s-%d", t.PartyID, date.Year())
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

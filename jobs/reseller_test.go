package jobs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
)

// A reseller owes the tax itself on the days for which there is evidence, and on no other; what is known later is put right as
// long as there is no invoice.
func TestResellerOwesTheTaxItself(t *testing.T) {
	w := newWorld(t)
	customer := w.card.CustomerID
	vat := func(id uuid.UUID) string {
		t.Helper()
		var category string
		items, err := w.db.ItemsOfCDR(w.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		sum := decimal.Zero
		for _, item := range items {
			category, sum = item.VATCategory, sum.Add(item.Gross)
		}
		return category + " " + sum.StringFixed(2)
	}
	days := func(from, until string) jobs.ResellerEvidence {
		first, _ := time.Parse(time.DateOnly, from)
		last, _ := time.Parse(time.DateOnly, until)
		return jobs.ResellerEvidence{Reference: "USt 1 TH 4711", From: first, Until: last}
	}
	before, within, after := w.receive(cdr{id: "C1", start: day(4), kwh: "20"}), w.receive(cdr{id: "C2", start: day(6), kwh: "20"}), w.receive(cdr{id: "C3", start: day(9), kwh: "20"})
	w.work()
	if got := vat(within); got != "S 11.80" {
		t.Errorf("without evidence: %s", got)
	}

	var refusal *jobs.Refusal
	for name, e := range map[string]jobs.ResellerEvidence{
		"without a VAT id": days("2026-10-05", "2026-10-08"), "that ends before it begins": days("2026-10-08", "2026-10-05"), "for four years": days("2026-10-05", "2030-10-05"), "without a reference": {},
	} {
		if err := w.ops.AddResellerEvidence(w.ctx, w.tenant.ID, customer, e); !errors.As(err, &refusal) {
			t.Errorf("evidence %s: %v", name, err)
		}
	}
	if err := dbtest.Exec(w.ctx, w.dbURL, "UPDATE customers SET vat_id = 'DE811907980', kind = 'business'"); err != nil {
		t.Fatal(err)
	}
	if err := w.ops.AddResellerEvidence(w.ctx, w.tenant.ID, customer, days("2026-10-05", "2026-10-08")); err != nil {
		t.Fatal(err)
	}
	w.work()
	for id, want := range map[uuid.UUID]string{before: "S 11.80", within: "AE 9.92", after: "S 11.80"} {
		if got := vat(id); got != want {
			t.Errorf("with evidence: %s, want %s", got, want)
		}
	}

	other := w.addTenant("DE*SWY", "Stadtwerke Y")
	if err := w.ops.WithdrawResellerEvidence(w.ctx, other.ID, customer, "USt 1 TH 4711"); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("by another utility: %v", err)
	}
	if err := w.ops.WithdrawResellerEvidence(w.ctx, w.tenant.ID, customer, "USt 1 TH 4711"); err != nil {
		t.Fatal(err)
	}
	w.work()
	if got := vat(within); got != "S 11.80" {
		t.Errorf("withdrawn: %s", got)
	}
	if err := w.ops.WithdrawResellerEvidence(w.ctx, w.tenant.ID, customer, "USt 1 TH 4711"); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("withdrawn twice: %v", err)
	}

	// On an invoice the two treatments stand apart, and the law is cited.
	if err := w.ops.AddResellerEvidence(w.ctx, w.tenant.ID, customer, days("2026-10-05", "2026-10-08")); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.runOctober(true)
	w.work()
	inv := w.invoiceDoc(w.invoices()[0].ID)
	if len(inv.VAT) != 2 || inv.VAT[0].Category == inv.VAT[1].Category {
		t.Errorf("VAT lines: %+v", inv.VAT)
	}
	for _, line := range inv.VAT {
		if line.Category == billing.VATReverseCharge && !line.Tax.IsZero() {
			t.Errorf("tax on what the customer owes itself: %+v", line)
		}
	}
}

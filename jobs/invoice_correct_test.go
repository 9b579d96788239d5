package jobs_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// correct corrects the utility's first invoice and returns the new document.
func (w *world) correct(what jobs.Correction) (uuid.UUID, billing.Invoice) {
	w.t.Helper()
	id, number, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), what)
	if err != nil {
		w.t.Fatal(err)
	}
	inv := w.invoiceDoc(id)
	if inv.Number != number || inv.Type != billing.DocumentCorrection || inv.Preceding == nil || inv.Preceding.Number != "SWX-2026-000001" {
		w.t.Errorf("correction %s: %+v", number, inv.Preceding)
	}
	return id, inv
}

// firstInvoice is the utility's first invoice.
func (w *world) firstInvoice() uuid.UUID {
	w.t.Helper()
	number := "SWX-2026-000001"
	row, err := w.db.InvoiceByNumber(w.ctx, db.InvoiceByNumberParams{TenantID: w.tenant.ID, Number: &number})
	if err != nil {
		w.t.Fatal(err)
	}
	return row.ID
}

// A cancelled invoice is billed again or waived. What its sessions come to is on documents, once.
func TestCancelledInvoice(t *testing.T) {
	for _, again := range []bool{true, false} {
		w := newWorld(t)
		w.addPlan("Standard", priced("0.59", `,"base_fee":{"price":4.90}`), day(1))
		first := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
		w.charge(cdr{id: "C2", start: day(21), kwh: "10"})
		w.work()
		w.bill(october, true)
		_, inv := w.correct(jobs.Correction{Again: again, Reason: "Falscher Empfänger"})
		before := w.invoiceDoc(w.firstInvoice())
		if !inv.Gross.Equal(before.Gross.Neg()) || len(inv.Lines) != len(before.Lines) || inv.Number != "SWX-K-2026-000001" || inv.Notes[len(inv.Notes)-1] != "Falscher Empfänger" {
			t.Errorf("cancellation %s of %s: %s", inv.Number, before.Gross, inv.Gross)
		}
		w.work()
		if n := w.count(`SELECT count(*) FROM line_items l JOIN invoices i ON i.id = l.invoice_id WHERE i.state = 'issued' HAVING sum(l.gross) = 0 AND sum(l.net) = 0`); n != 6 {
			t.Errorf("%d items, or they do not cancel each other", n)
		}
		if _, _, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), jobs.Correction{Reason: "noch einmal"}); refused(err) != "cancelled" {
			t.Errorf("cancelled twice: %v", err)
		}
		run := w.bill(october, true)
		if again {
			w.assertBooked(first, "9.92", "11.8")
			if rows := w.invoices(); run.Issued != 1 || len(rows) != 3 {
				t.Errorf("again: %+v, %d documents", run, len(rows))
			}
			if s := w.state(first); s.State != "invoiced" {
				t.Errorf("the CDR is %s", s.State)
			}
		} else {
			w.assertBooked(first, "0", "0")
			if s := w.state(first); run.Issued != 0 || s.State != "rated" || s.RetailState != "waived" {
				t.Errorf("waived: %+v, the CDR is %s, %s", run, s.State, s.RetailState)
			}
		}
		if r := w.numbers(); !r.Proven() {
			t.Errorf("numbers: %+v", r)
		}
	}
}

// A corrected line is taken back and charged anew; a credit that comes later takes back what is left of it, and no more.
func TestCorrectedLine(t *testing.T) {
	w := newWorld(t)
	first := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.receive(cdr{id: "C2", start: day(6), kwh: "10"})
	w.work()
	w.bill(october, true)
	change := billing.Change{Line: "1", Amount: decimal.RequireFromString("5.00"), Reason: "Säule war defekt"}
	preview, err := w.ops.PreviewCorrection(w.ctx, w.db.Queries, w.tenant.ID, w.firstInvoice(), jobs.Correction{Changes: []billing.Change{change}})
	if err != nil || preview.Gross.String() != "-6.8" || preview.Number != "" {
		t.Errorf("preview %s, %v", preview.Gross, err)
	}
	id, inv := w.correct(jobs.Correction{Changes: []billing.Change{change}})
	if len(inv.Lines) != 2 || inv.Gross.String() != "-6.8" || !strings.HasPrefix(inv.Lines[0].Name, "Rücknahme: ") || inv.Lines[0].Description != "Säule war defekt" {
		t.Errorf("correction: %s, %+v", inv.Gross, inv.Lines)
	}
	w.assertBooked(first, "4.21", "5") // the net of the correction is that of its sum
	if s := w.state(first); s.State != "invoiced" {
		t.Errorf("the CDR is %s", s.State)
	}
	related, err := w.db.RelatedInvoices(w.ctx, uuid.NullUUID{UUID: w.firstInvoice(), Valid: true})
	back, err2 := w.db.RelatedInvoices(w.ctx, uuid.NullUUID{UUID: id, Valid: true})
	if err != nil || err2 != nil || len(related) != 1 || !related[0].Corrects || len(back) != 1 || *back[0].Number != "SWX-2026-000001" {
		t.Errorf("references: %+v, %+v", related, back)
	}
	for want, what := range map[string]jobs.Correction{
		"line-corrected": {Changes: []billing.Change{change}}, "corrected": {Reason: "weg"}, "no-reason": {},
	} {
		if _, _, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), what); refused(err) != want {
			t.Errorf("want %s: %v", want, err)
		}
	}
	var faulty *billing.DraftError
	if _, _, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), jobs.Correction{Changes: []billing.Change{{Line: "7"}}}); !errors.As(err, &faulty) {
		t.Errorf("a line that does not exist: %v", err)
	}
	if _, _, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, id, jobs.Correction{Reason: "x"}); refused(err) != "not-an-invoice" {
		t.Errorf("a correction is corrected: %v", err)
	}
	if _, _, err := w.ops.CorrectInvoice(w.ctx, uuid.New(), w.firstInvoice(), jobs.Correction{Reason: "x"}); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("another utility: %v", err)
	}
	w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	w.work()
	w.assertBooked(first, "0", "0")
	w.bill(october.AddDate(0, 1, 0), false)
	if row := w.draft("Erika Beispiel"); row.Gross.String() != "-5" {
		t.Errorf("the next invoice gives back %s", row.Gross)
	}
	if _, _, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), jobs.Correction{Changes: []billing.Change{{Line: "2", Reason: "weg"}}}); err != nil {
		t.Errorf("another line: %v", err)
	}
}

// What waits to be given back on the next invoice is given back by the cancellation, and not twice.
func TestCancellationTakesWhatWaits(t *testing.T) {
	w := newWorld(t)
	first := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	second := w.receive(cdr{id: "C2", start: day(6), kwh: "10"})
	w.work()
	w.bill(october, true)
	w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	w.work()
	w.bill(october.AddDate(0, 1, 0), false)
	w.correct(jobs.Correction{Reason: "Doppelt berechnet", Again: true})
	if row := w.draft("Erika Beispiel"); row.State != "failed" || !row.Stale {
		t.Errorf("the draft that lost its item is %s", row.State)
	}
	w.assertBooked(first, "0", "0")
	w.assertBooked(second, "4.96", "5.9")
	if run := w.bill(october.AddDate(0, 1, 0), true); run.Issued != 1 {
		t.Fatalf("run = %+v", run)
	}
	if n := w.count(`SELECT count(*) FROM invoices WHERE state = 'issued' HAVING sum(gross) = 5.9`); n != 3 {
		t.Errorf("%d documents, or they come to something else", n)
	}
}

// Many cancel at once: one does.
func TestInvoiceIsCancelledOnce(t *testing.T) {
	w := newWorld(t)
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	w.bill(october, true)
	id := w.firstInvoice()
	var done sync.WaitGroup
	results := make([]string, 8)
	for i := range results {
		done.Go(func() {
			_, _, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, id, jobs.Correction{Reason: "x", Again: i%2 == 0})
			results[i] = refused(err)
		})
	}
	done.Wait()
	if got := strings.Count(strings.Join(results, " "), "cancelled"); got != len(results)-1 {
		t.Errorf("%v", results)
	}
	if n := w.count(`SELECT count(*) FROM invoices WHERE cancels`); n != 1 || !func() bool { r := w.numbers(); return r.Proven() }() {
		t.Errorf("%d cancellations", n)
	}
}

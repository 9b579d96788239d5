package jobs_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

func amount(text string) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.RequireFromString(text))
}

// credit gives something of the utility's first invoice back and returns the document.
func (w *world) credit(what jobs.Credit) (db.Invoice, billing.Invoice) {
	w.t.Helper()
	if what.Reason == "" {
		what.Reason = "Kulanz"
	}
	_, number, err := w.ops.CreditInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), what)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.numbered(number)
}

// invoiced is a world with one invoice of 11.80 and 5.90: 14.87 and 2.83 VAT.
func invoiced(t *testing.T) (w *world, first, second uuid.UUID) {
	w = newWorld(t)
	first, second = w.receive(cdr{id: "C1", start: day(5), kwh: "20"}), w.receive(cdr{id: "C2", start: day(6), kwh: "10"})
	w.work()
	w.bill(october, true)
	return w, first, second
}

// A reduction follows the VAT of its lines, adds up to what was promised, and is never more than what is left.
func TestInvoiceIsReduced(t *testing.T) {
	w, first, second := invoiced(t)
	row, doc := w.credit(jobs.Credit{Percent: amount("10")})
	// 10 % of 17.70 are 1.77: 1.49 and 0.28 VAT; of the lines 1.18 and 0.59.
	if doc.Type != billing.DocumentCreditNote || doc.Number != "SWX-M-2026-000001" || doc.Gross.String() != "1.77" || doc.Net.String() != "1.49" || doc.VATTotal.String() != "0.28" || row.Gross.String() != "-1.77" {
		t.Errorf("%s: %s + %s = %s; ledger %s", doc.Number, doc.Net, doc.VATTotal, doc.Gross, row.Gross)
	}
	if len(doc.Lines) != 1 || doc.Lines[0].Name != "Minderung der Rechnung SWX-2026-000001" || doc.Lines[0].Description != "Kulanz" || len(doc.Detail) != 2 || doc.Preceding.Number != "SWX-2026-000001" {
		t.Errorf("%+v", doc)
	}
	if doc.Payment.Means != billing.PaymentOffset {
		t.Errorf("payment %+v", doc.Payment)
	}
	w.assertBooked(second, "4.46", "5.31")
	_, doc = w.credit(jobs.Credit{Amount: amount("5"), Lines: []string{"1"}, Payout: true, IBAN: "DE02 5001 0517 0137 0750 30"})
	if doc.Gross.String() != "5" || doc.Net.String() != "4.2" || !strings.HasSuffix(doc.Lines[0].Name, "Rathaus, Hamburg vom 05.10.2026") || doc.Payment.IBAN != "DE02500105170137075030" || doc.Payment.AccountName != "Erika Beispiel" {
		t.Errorf("%s + %s, %+v, %+v", doc.Net, doc.VATTotal, doc.Lines, doc.Payment)
	}
	w.assertBooked(first, "4.73", "5.62") // 9.92 − 0.99 − 4.20, 11.80 − 1.18 − 5.00
	left, err := w.ops.CreditLeft(w.ctx, w.db.Queries, w.tenant.ID, w.firstInvoice())
	if err != nil || left.Total.String() != "10.93" || left.Lines[0].Amount.String() != "5.62" {
		t.Errorf("left: %+v, %v", left, err)
	}
	for want, what := range map[string]jobs.Credit{
		"credit-left":    {Amount: amount("5.63"), Lines: []string{"1"}, Reason: "x"},
		"credit-line":    {Amount: amount("1"), Lines: []string{"7"}, Reason: "x"},
		"credit-amount":  {Amount: amount("0.001"), Reason: "x"},
		"credit-percent": {Percent: amount("101"), Reason: "x"},
		"no-reason":      {Amount: amount("1")},
		"credit-account": {Amount: amount("1"), Reason: "x", Payout: true},
		"iban":           {Amount: amount("1"), Reason: "x", Payout: true, IBAN: "DE00"},
	} {
		if _, _, err := w.ops.CreditInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), what); refused(err) != want {
			t.Errorf("want %s: %v", want, err)
		}
	}
	for want, what := range map[string]jobs.Correction{"corrected": {Reason: "x"}, "line-corrected": {Changes: []billing.Change{{Line: "1", Reason: "x"}}}} {
		if _, _, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), what); refused(err) != want {
			t.Errorf("corrected after it was reduced, want %s: %v", want, err)
		}
	}
	// A credit CDR takes back what is left of its session, and no more.
	w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	w.work()
	w.assertBooked(first, "0", "0")
	_, doc = w.credit(jobs.Credit{Percent: amount("100")})
	if doc.Gross.String() != "5.31" {
		t.Errorf("all that is left: %s", doc.Gross)
	}
	w.assertBooked(second, "0", "0")
	if _, _, err := w.ops.CreditInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), jobs.Credit{Amount: amount("0.01"), Reason: "x"}); refused(err) != "credit-nothing-left" {
		t.Errorf("more than all: %v", err)
	}
	w.work() // all of them pass our own rules
	related, err := w.db.RelatedInvoices(w.ctx, uuid.NullUUID{UUID: w.firstInvoice(), Valid: true})
	if err != nil || len(related) != 3 || related[0].Type != "381" || !related[0].Corrects {
		t.Errorf("references: %+v, %v", related, err)
	}
	if r := w.numbers(); !r.Proven() {
		t.Errorf("numbers: %+v", r)
	}
	if _, _, err := w.ops.CreditInvoice(w.ctx, uuid.New(), w.firstInvoice(), jobs.Credit{Amount: amount("1"), Reason: "x"}); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("another utility: %v", err)
	}
	if _, _, err := w.ops.CreditInvoice(w.ctx, w.tenant.ID, row.ID, jobs.Credit{Amount: amount("1"), Reason: "x"}); refused(err) != "not-creditable" {
		t.Errorf("a credit note of a credit note: %v", err)
	}
}

// A corrected line can be reduced by what is right of it.
func TestCorrectedLineIsReduced(t *testing.T) {
	w, first, _ := invoiced(t)
	w.correct(jobs.Correction{Changes: []billing.Change{{Line: "1", Amount: decimal.NewFromInt(5), Reason: "Säule war defekt"}}})
	if _, _, err := w.ops.CreditInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), jobs.Credit{Amount: amount("5.01"), Lines: []string{"1"}, Reason: "x"}); refused(err) != "credit-left" {
		t.Errorf("more than is right: %v", err)
	}
	w.credit(jobs.Credit{Amount: amount("2"), Lines: []string{"1"}})
	w.assertBooked(first, "2.53", "3") // 9.92 − 9.92 + 4.21 − 1.68
}

// Above the limit a second person agrees. What is gone meanwhile is not given back twice.
func TestLargeReductionNeedsTwo(t *testing.T) {
	w, first, _ := invoiced(t)
	w.policy(func(p *db.BillingPolicy) { p.CreditLimit = decimal.NewFromInt(5) })
	one, two := w.clerk("anna"), w.clerk("bernd")
	ask := func(text string) uuid.UUID {
		t.Helper()
		id, number, err := w.ops.CreditInvoice(one, w.tenant.ID, w.firstInvoice(), jobs.Credit{Amount: amount(text), Lines: []string{"1"}, Reason: "Kulanz"})
		if err != nil || number != "" {
			t.Fatalf("%s: %q, %v", text, number, err)
		}
		return id
	}
	id, twice := ask("6"), ask("8")
	w.assertBooked(first, "9.92", "11.8")
	row, err := w.db.Invoice(w.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if doc, err := w.ops.Preview(w.ctx, w.db.Queries, row); err != nil || doc.Gross.String() != "6" {
		t.Errorf("preview: %s, %v", doc.Gross, err)
	}
	if err := w.ops.ApproveInvoice(one, w.tenant.ID, id); refused(err) != "run-same-person" {
		t.Errorf("alone: %v", err)
	}
	if err := w.ops.ApproveInvoice(two, uuid.New(), id); err == nil {
		t.Error("another utility approves")
	}
	if err := w.ops.ApproveInvoice(two, w.tenant.ID, id); err != nil {
		t.Fatal(err)
	}
	w.assertBooked(first, "4.88", "5.8")
	if err := w.ops.ApproveInvoice(two, w.tenant.ID, twice); refused(err) != "credit-left" {
		t.Errorf("more than is left: %v", err)
	}
	if err := w.ops.DropCredit(two, uuid.New(), twice); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("another utility drops: %v", err)
	}
	if err := w.ops.DropCredit(two, w.tenant.ID, twice); err != nil {
		t.Error(err)
	}
	if err := w.ops.DropCredit(two, w.tenant.ID, id); refused(err) != "no-draft" {
		t.Errorf("an issued one: %v", err)
	}
	if _, number, err := w.ops.CreditInvoice(one, w.tenant.ID, w.firstInvoice(), jobs.Credit{Amount: amount("5"), Reason: "Kulanz"}); err != nil || number != "SWX-M-2026-000002" {
		t.Errorf("at the limit: %s, %v", number, err)
	}
}

// An invoice that takes something back is worth less than its lines, also when a proposal is approved after another reduction.
func TestReductionCountsWhatWasTakenBack(t *testing.T) {
	w, _, _ := invoiced(t)
	november := october.AddDate(0, 1, 0)
	w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	for i, id := range []string{"C3", "C4", "C5"} {
		w.charge(cdr{id: id, start: november.AddDate(0, 0, 9+i).Add(10 * time.Hour), kwh: "20"})
	}
	w.work()
	w.bill(november, true)
	var id uuid.UUID
	for _, r := range w.invoices() {
		if r.State == "issued" && r.ID != w.firstInvoice() {
			id = r.ID
		}
	}
	left, err := w.ops.CreditLeft(w.ctx, w.db.Queries, w.tenant.ID, id)
	if err != nil || left.Total.String() != "23.6" || len(left.Lines) != 3 || left.Lines[0].Amount.String() != "11.8" {
		t.Fatalf("left: %+v, %v", left, err)
	}
	w.policy(func(p *db.BillingPolicy) { p.CreditLimit = decimal.NewFromInt(15) })
	proposed, _, err := w.ops.CreditInvoice(w.clerk("anna"), w.tenant.ID, id, jobs.Credit{Amount: amount("20"), Reason: "Kulanz"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.ops.CreditInvoice(w.ctx, w.tenant.ID, id, jobs.Credit{Amount: amount("10"), Reason: "Kulanz"}); err != nil {
		t.Fatal(err)
	}
	if err := w.ops.ApproveInvoice(w.clerk("bernd"), w.tenant.ID, proposed); refused(err) != "credit-left" {
		t.Errorf("30.00 of 23.60 are given back: %v", err)
	}
}

// Many clerks give the same back at once: one does.
func TestInvoiceIsReducedOnce(t *testing.T) {
	w, _, _ := invoiced(t)
	var done sync.WaitGroup
	results := make([]string, 8)
	for i := range results {
		done.Go(func() {
			_, _, err := w.ops.CreditInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), jobs.Credit{Amount: amount("10"), Reason: "Kulanz"})
			results[i] = refused(err)
		})
	}
	done.Wait()
	if got := strings.Count(strings.Join(results, " "), "credit-left"); got != len(results)-1 {
		t.Errorf("%v", results)
	}
	if n := w.count(`SELECT count(*) FROM invoices WHERE type = '381'`); n != 1 || !func() bool { r := w.numbers(); return r.Proven() }() {
		t.Errorf("%d credit notes", n)
	}
}

// The database itself keeps a large credit note from being issued by one person.
func TestDatabaseWantsTwoForLargeReductions(t *testing.T) {
	w, _, _ := invoiced(t)
	w.policy(func(p *db.BillingPolicy) { p.CreditLimit = decimal.NewFromInt(5) })
	if _, _, err := w.ops.CreditInvoice(w.clerk("anna"), w.tenant.ID, w.firstInvoice(), jobs.Credit{Amount: amount("6"), Reason: "Kulanz"}); err != nil {
		t.Fatal(err)
	}
	w.policy(func(p *db.BillingPolicy) { p.CreditLimit = decimal.NewFromInt(50) })
	w.exec(`UPDATE invoices SET approver = 'Anna', approved_at = now() WHERE type = '381'`)
	w.policy(func(p *db.BillingPolicy) { p.CreditLimit = decimal.NewFromInt(5) })
	row := w.draft("Erika Beispiel")
	number, series, seq, at := "SWX-M-2026-000001", "SWX-M-2026", int64(1), w.clock.Now()
	err := w.db.Tx(w.ctx, func(q *db.Queries) error {
		if _, err := q.NextNumber(w.ctx, db.NextNumberParams{TenantID: w.tenant.ID, Series: series, Now: at}); err != nil {
			return err
		}
		return q.IssueInvoice(w.ctx, db.IssueInvoiceParams{ID: row.ID, Type: "381", Series: &series, Seq: &seq, Number: &number, Date: &at, Doc: []byte(`{}`), IssuedAt: &at})
	})
	if !db.IsCheckViolation(err, "invoices_four_eyes") {
		t.Errorf("issued by one person: %v", err)
	}
}

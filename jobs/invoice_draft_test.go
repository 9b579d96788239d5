package jobs_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// A draft can go to an employer, with everything that makes it his.
func TestDraftGoesToSomebodyElse(t *testing.T) {
	w := newWorld(t)
	_, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: w.tenant.ID, UID: "0477", Contract: "DE-SWX-C0477", Customer: "Hafen GmbH", Email: "rechnung@hafen.example", MasterData: db.InsertCustomerParams{
		Kind: "business", Street: "Kai 3", PostalCode: "46509", City: "Xanten", VATID: "DE999999999", BuyerReference: "KST-7", Language: "en",
	}, Mandate: &jobs.NewMandate{Reference: "M7", IBAN: "DE02120300000000202051", SignedOn: day(1)}})
	if err != nil {
		t.Fatal(err)
	}
	w.charge(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	run := w.bill(october, false)
	row := w.draft("Erika Beispiel")
	for number, want := range map[string]string{"99": "customer-unknown"} {
		if err := w.ops.ReaddressInvoice(w.ctx, w.tenant.ID, row.ID, number); refused(err) != want {
			t.Errorf("to %s: %v", number, err)
		}
	}
	var number string
	for _, c := range []string{"10001", "10002"} {
		if err := w.ops.ReaddressInvoice(w.ctx, w.tenant.ID, row.ID, c); err != nil {
			t.Fatal(err)
		}
		number = c
	}
	row = w.draft("Erika Beispiel")
	if !slices.Contains(row.Warnings, jobs.WarnReader) || slices.Contains(row.Warnings, jobs.WarnNoMandate) {
		t.Errorf("warnings = %v", row.Warnings)
	}
	w.bill(october, false) // which keeps it
	if err := w.ops.ApproveRun(w.ctx, w.tenant.ID, run.ID, nil); err != nil {
		t.Fatal(err)
	}
	w.work()
	inv := w.invoiceDoc(row.ID)
	if inv.Customer.Number != number || inv.Customer.Name != "Hafen GmbH" || inv.Language != "en" || inv.Payment.MandateReference != "M7" || !strings.Contains(strings.Join(inv.Notes, " "), "Charged by: Erika Beispiel") {
		t.Errorf("document = %+v, %v", inv.Customer, inv.Notes)
	}
	if err := w.ops.ReaddressInvoice(w.ctx, w.tenant.ID, row.ID, ""); refused(err) != "no-draft" {
		t.Errorf("after it is issued: %v", err)
	}
}

// What is wrong with one invoice is said there, put right and retried there.
func TestFailedInvoiceIsRetriedAlone(t *testing.T) {
	w := newWorld(t)
	w.exec(`UPDATE tenants SET iban = ''`)
	w.issueCard(w.tenant.ID, "0401", "Ohne Anschrift")
	w.exec(`UPDATE customers SET city = '' WHERE name = 'Ohne Anschrift'`)
	w.charge(cdr{id: "C1", start: day(5), kwh: "20", uid: "0401"})
	w.work()
	if run := w.bill(october, true); run.Failed != 1 || run.Issued != 0 {
		t.Fatalf("run = %+v", run)
	}
	fields := func() string {
		var problems []billing.Problem
		if err := json.Unmarshal(w.draft("Ohne Anschrift").Problems, &problems); err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, p := range problems {
			list = append(list, p.Field)
		}
		return strings.Join(list, " ")
	}
	if got := fields(); got != "customer.address.city payment.iban" {
		t.Errorf("problems = %s", got)
	}
	id := w.draft("Ohne Anschrift").ID
	w.exec(`UPDATE customers SET city = 'Xanten'`)
	if err := w.ops.RetryInvoice(w.ctx, w.tenant.ID, id); err != nil || fields() != "payment.iban" {
		t.Errorf("problems = %s, %v", fields(), err)
	}
	w.exec(`UPDATE tenants SET iban = 'DE02120300000000202051'`)
	if err := w.ops.RetryInvoice(w.ctx, w.tenant.ID, id); err != nil || w.draft("Ohne Anschrift").State != "draft" {
		t.Errorf("problems = %s, %v", fields(), err)
	}
	if err := w.ops.ApproveInvoice(w.ctx, w.tenant.ID, id); err != nil {
		t.Fatal(err)
	}
	w.exec(`UPDATE customers SET postal_code = ''`) // between approval and number
	if _, err := w.ops.IssueInvoice(w.ctx, id); err == nil || w.draft("Ohne Anschrift").State != "failed" || fields() != "customer.address.postal_code" {
		t.Errorf("issued without a postal code: %v, %s", err, fields())
	}
	if r := w.numbers(); len(r.Series) != 0 {
		t.Errorf("a number was spent: %+v", r)
	}
}

// A session that nobody can tax stops the invoice of its customer, and no other.
func TestUntaxedSessionStopsItsInvoice(t *testing.T) {
	w := newWorld(t)
	w.issueCard(w.tenant.ID, "0401", "Grenzgänger")
	w.charge(cdr{id: "C1", start: day(5), kwh: "20"})
	w.charge(cdr{id: "C2", start: day(5), kwh: "10", uid: "0401"})
	raw := strings.ReplaceAll(string(cdr{id: "C3", start: day(6), kwh: "10", uid: "0401"}.json()), `"DEU"`, `"LUX"`)
	abroad := w.receiveJSON([]byte(raw))
	w.work()
	if s := w.state(abroad); s.State != "held" || s.Reason != "no-tax-rule" {
		t.Fatalf("the session abroad is %s, %s", s.State, s.Reason)
	}
	if run := w.bill(october, true); run.Issued != 1 || run.Failed != 1 {
		t.Fatalf("run = %+v", run)
	}
	row := w.draft("Grenzgänger")
	if !strings.Contains(string(row.Problems), "cdrs["+abroad.String()+"].vat") || !strings.Contains(string(row.Problems), "nicht entschieden") || row.Gross.String() != "5.9" {
		t.Errorf("%s: %s", row.Gross, row.Problems)
	}
}

// A customer may see the sum of his sessions; the list of them is there all the same.
func TestSummaryInvoice(t *testing.T) {
	w := newWorld(t)
	if err := w.ops.SetInvoiceDetail(w.ctx, w.tenant.ID, "10001", "summary"); err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		w.charge(cdr{id: fmt.Sprint("C", i), start: day(5 + i), kwh: "10.1"})
	}
	w.work()
	if run := w.bill(october, true); run.Issued != 1 {
		t.Fatalf("run = %+v", run)
	}
	w.work()
	row := w.invoices()[0]
	inv := w.invoiceDoc(row.ID)
	if len(inv.Lines) != 1 || inv.Lines[0].Name != "7 Ladevorgänge" || !inv.Lines[0].Gross.Equal(inv.Gross) || inv.Lines[0].Quantity.String() != "70.7" || len(inv.Detail) != 7 {
		t.Errorf("%d lines, %+v", len(inv.Lines), inv.Lines[0])
	}
	format, _ := jobs.FormatOf("csv")
	doc, err := w.ops.Document(w.ctx, row.ID, format)
	if err != nil || strings.Count(string(doc.Bytes), "\n") != 8 {
		t.Errorf("the list has %d rows, %v", strings.Count(string(doc.Bytes), "\n"), err)
	}
}

// What SQL sums up for a draft is what its document says, to the cent.
func TestDraftIsItsDocument(t *testing.T) {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 8 {
		uid := fmt.Sprintf("04%04d", i)
		w.issueCard(w.tenant.ID, uid, fmt.Sprint("Kunde ", i))
		for n := range 1 + random.IntN(9) {
			country := []string{"DEU", "AUT", "FRA"}[random.IntN(3)]
			raw := cdr{id: fmt.Sprintf("C%d-%d", i, n), start: day(1 + random.IntN(20)), kwh: fmt.Sprintf("%d.%03d", random.IntN(60), random.IntN(1000)), uid: uid}.json()
			w.receiveJSON([]byte(strings.ReplaceAll(string(raw), `"DEU"`, `"`+country+`"`)))
		}
	}
	w.work()
	w.exec(`UPDATE cdr_states SET state = 'dropped', retail_state = 'none' WHERE state = 'held'`)
	w.bill(october, false)
	for _, r := range w.invoices() {
		if r.State == "failed" {
			continue
		}
		inv := w.invoiceDoc(r.ID)
		if !inv.Gross.Equal(r.Gross) || !inv.Net.Equal(r.Net) || !inv.VATTotal.Equal(r.VAT) {
			t.Errorf("%s: draft %s %s %s, document %s %s %s", r.Customer, r.Net, r.VAT, r.Gross, inv.Net, inv.VATTotal, inv.Gross)
		}
		if n := w.count(`SELECT count(*) FROM invoice_taxes WHERE invoice_id = $1`, r.ID); n != len(inv.VAT) {
			t.Errorf("%s: %d tax sums, %d on the document", r.Customer, n, len(inv.VAT))
		}
	}
}

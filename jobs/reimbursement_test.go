package jobs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/einvoice"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// atHome is 0.30 a kWh for what Erika's card is charged with at home, as an outlay that she gets back.
func (w *world) atHome() jobs.NewReimbursement {
	return jobs.NewReimbursement{
		Payee: w.card.CustomerNumber, Kind: jobs.OwedAtHome, Card: "04A2B3C4D5E680", Basis: billing.PerKWh, Price: decimal.RequireFromString("0.30"), VAT: billing.PayeeOutside,
		AgreedOn: day(1), IBAN: "DE02500105170137075030", From: day(1),
	}
}

// toHost is a share of what is sold at the world's charge point, for a business.
func (w *world) toHost(payee jobs.Card) jobs.NewReimbursement {
	return jobs.NewReimbursement{
		Payee: payee.CustomerNumber, Kind: jobs.OwedToHost, EVSE: "DE*NSL*E1", Basis: billing.Percent, Price: decimal.NewFromInt(10), VAT: billing.PayeeStandard, TaxNumber: "231/777/00012",
		Phone: "+49 2801 4321", AgreedOn: day(1), IBAN: "DE02 5001 0517 0137 0750 30", Holder: "Gasthof Lamm", From: day(1),
	}
}

func (w *world) agree(n jobs.NewReimbursement) uuid.UUID {
	w.t.Helper()
	id, err := w.ops.AddReimbursement(w.ctx, w.tenant.ID, n)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// home is a CDR of a session at home.
func home(id string, start time.Time, kwh string) []byte {
	return cdr{id: id, start: start, kwh: kwh}.with("home_charging_compensation", "true")
}

// numbered is the document with a number, read again.
func (w *world) numbered(number string) (db.Invoice, billing.Invoice) {
	w.t.Helper()
	row, err := w.db.InvoiceByNumber(w.ctx, db.InvoiceByNumberParams{TenantID: w.tenant.ID, Number: &number})
	if err != nil {
		w.t.Fatalf("%s: %v", number, err)
	}
	return row, w.invoiceDoc(row.ID)
}

// What is charged at home is paid to the driver, by a document of its own beside the invoice (CDR-24).
func TestHomeChargingIsPaid(t *testing.T) {
	w := newWorld(t)
	at := w.receiveJSON(home("C1", day(5), "20"))
	w.receive(cdr{id: "C2", start: day(6), kwh: "10"})
	w.work()
	if s := w.state(at); s.State != "held" || s.Reason != "home-charging" {
		t.Errorf("without an agreement: %s, %s", s.State, s.Reason)
	}
	w.agree(w.atHome())
	w.work()
	if s := w.state(at); s.State != "rated" || s.RetailState != "waived" || s.Reason != "home-charging" {
		t.Errorf("with an agreement: %s, %s, %s", s.State, s.RetailState, s.Reason)
	}
	w.assertBooked(at, "-6", "-6") // 20 × 0.30
	run := w.bill(october, true)
	if run.Issued != 2 || run.Failed != 0 {
		t.Fatalf("run = %+v", run)
	}
	if _, inv := w.numbered("SWX-2026-000001"); inv.Gross.String() != "5.9" || len(inv.Lines) != 1 {
		t.Errorf("the invoice: %s, %d lines", inv.Gross, len(inv.Lines))
	}
	row, doc := w.numbered("SWX-G-2026-000001")
	line := doc.Lines[0]
	if row.Gross.String() != "-6" || doc.Gross.String() != "6" || doc.VATTotal.String() != "0" || len(doc.Lines) != 1 || doc.Type != billing.DocumentSelfBilled || doc.Due.String() != "6" {
		t.Errorf("ledger %s; document %s of %s, VAT %s, %d lines", row.Gross, doc.Type, doc.Gross, doc.VATTotal, len(doc.Lines))
	}
	if line.Name != "Laden zu Hause Rathaus, Hamburg" || line.Description != "20,000 kWh × 0,30 €/kWh = 6,00 €" || line.Price.String() != "0.3" || line.VATCategory != billing.VATOutside || line.Session.CardUID == "" {
		t.Errorf("line %+v", line)
	}
	if p := doc.Payment; p.Means != billing.PaymentTransfer || p.IBAN != "DE02500105170137075030" || p.AccountName != "Erika Beispiel" {
		t.Errorf("payment %+v", p)
	}
	if s := w.state(at); s.State != "rated" {
		t.Errorf("the CDR is %s", s.State)
	}
	w.work()
	if n := w.count(`SELECT count(*) FROM documents`); n != 4 {
		t.Errorf("%d documents are written", n)
	}
	for _, format := range jobs.Formats {
		if format.Name == "xrechnung" { // needs a telephone number of the seller, who is the driver
			continue
		}
		if _, err := w.ops.Document(w.ctx, row.ID, format); err != nil {
			t.Errorf("%s: %v", format.Name, err)
		}
	}
	if r := w.numbers(); !r.Proven() || len(r.Series) != 2 {
		t.Errorf("numbers: %+v", r)
	}
	// A credit CDR takes back what was paid: nobody is asked for it, it waits for something to set it against.
	w.receiveJSON(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"}.with("home_charging_compensation", "true"))
	w.work()
	w.assertBooked(at, "0", "0")
	november := october.AddDate(0, 1, 0)
	if run := w.bill(november, true); run.Carried != 1 || run.Issued != 0 {
		t.Errorf("more taken back than paid: %+v", run)
	}
	w.receiveJSON(home("C3", day(45), "21"))
	w.work()
	w.bill(november.AddDate(0, 1, 0), true)
	if _, doc := w.numbered("SWX-G-2027-000001"); doc.Gross.String() != "0.3" || len(doc.Lines) != 2 || !strings.HasSuffix(doc.Lines[0].Description, "(Beleg SWX-G-2026-000001 vom 03.11.2026)") {
		t.Errorf("set off: %s, %+v", doc.Gross, doc.Lines)
	}
}

// An employer's contract may pay for what is charged at home, by its plan.
func TestHomeChargingIsChargedWhereAgreed(t *testing.T) {
	w := newWorld(t)
	n := w.atHome()
	n.Charged = true
	w.agree(n)
	at := w.receiveJSON(home("C1", day(5), "20"))
	elsewhere := w.receive(cdr{id: "C2", start: day(6), kwh: "10"}) // a card alone says nothing about where
	w.work()
	if s := w.state(at); s.State != "rated" || s.RetailState != "released" {
		t.Errorf("%s, %s, %s", s.State, s.RetailState, s.Reason)
	}
	w.assertBooked(at, "3.92", "5.8") // 9.92 − 6, 11.80 − 6
	w.assertBooked(elsewhere, "4.96", "5.9")
	w.bill(october, true)
	if s := w.state(at); s.State != "invoiced" {
		t.Errorf("the CDR is %s", s.State)
	}
	if _, inv := w.numbered("SWX-2026-000001"); inv.Gross.String() != "17.7" {
		t.Errorf("invoice of %s", inv.Gross)
	}
	if _, doc := w.numbered("SWX-G-2026-000001"); doc.Gross.String() != "6" {
		t.Errorf("self-billed document of %s", doc.Gross)
	}
}

// A host gets his share of what is sold at his charge points, with VAT, and learns nothing of who has charged there.
func TestHostIsPaid(t *testing.T) {
	w := newWorld(t)
	host := w.issueCard(w.tenant.ID, "0499887766", "Gasthof Lamm GmbH")
	w.exec(`UPDATE customers SET kind = 'business' WHERE name = 'Gasthof Lamm GmbH'`)
	w.agree(w.toHost(host))
	first := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.receive(cdr{id: "C2", start: day(6), kwh: "10"})
	w.work()
	w.bill(october, true)
	row, doc := w.numbered("SWX-G-2026-000001")
	// 10 % of 9.92 and of 4.96 are 0.99 and 0.50; 19 % of 1.49 is 0.28.
	if row.CustomerID != host.CustomerID || doc.Net.String() != "1.49" || doc.VATTotal.String() != "0.28" || doc.Gross.String() != "1.77" || row.Gross.String() != "-1.77" {
		t.Errorf("%s + %s = %s; ledger %s", doc.Net, doc.VATTotal, doc.Gross, row.Gross)
	}
	for _, l := range doc.Lines {
		if l.Session.CardUID != "" || !strings.HasPrefix(l.Name, "Ladevorgang ") {
			t.Errorf("line %+v, %+v", l, l.Session)
		}
	}
	if got := doc.Lines[0].Description; got != "10 % von netto 9,92 € = 0,99 €" {
		t.Error(got)
	}
	if doc.Customer.TaxNumber != "231/777/00012" || doc.Payment.AccountName != "Gasthof Lamm" {
		t.Errorf("%+v, %+v", doc.Customer, doc.Payment)
	}
	w.work()
	for _, format := range jobs.Formats {
		file, err := w.ops.Document(w.ctx, row.ID, format)
		if err != nil {
			t.Fatalf("%s: %v", format.Name, err)
		}
		if strings.HasSuffix(format.Suffix, ".xml") {
			if found, err := einvoice.Check(file.Bytes); err != nil || len(found) > 0 {
				t.Errorf("%s: %v, %v", format.Name, found, err)
			}
		}
	}
	// Waived is the session after all: the customer gets his money, and the host's share goes with it.
	w.decide(w.ctx, first, jobs.Decision{Kind: jobs.Waive, Reason: "Säule war defekt"})
	w.assertBooked(first, "0", "0")
	w.bill(october.AddDate(0, 1, 0), true)
	if _, doc := w.numbered("SWX-M-2026-000001"); doc.Gross.String() != "11.8" || doc.Type != billing.DocumentCreditNote || doc.Preceding.Number != "SWX-2026-000001" || doc.Payment.Means != billing.PaymentOffset {
		t.Errorf("the month gives back: %s %s, %+v, %+v", doc.Type, doc.Gross, doc.Preceding, doc.Payment)
	}
	w.work() // it passes our own rules
	if r := w.numbers(); !r.Proven() || r.Documents.Documents != 9 {
		t.Errorf("numbers: %+v", r)
	}
}

// A payee who objects voids the document. What it paid is then paid by a new one, or billed by himself.
func TestObjectionVoidsSelfBilling(t *testing.T) {
	for _, again := range []bool{false, true} {
		w := newWorld(t)
		w.agree(w.atHome())
		at := w.receiveJSON(home("C1", day(5), "20"))
		w.receive(cdr{id: "C2", start: day(6), kwh: "10"})
		w.work()
		w.bill(october, true)
		row, _ := w.numbered("SWX-G-2026-000001")
		objection := jobs.Correction{Objection: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC), Reason: "Der Preis stimmt nicht", Again: again}
		if _, _, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, w.firstInvoice(), objection); refused(err) != "no-objection" {
			t.Errorf("an objection to an invoice: %v", err)
		}
		_, number, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, row.ID, objection)
		if err != nil || number != "SWX-K-2026-000001" {
			t.Fatal(number, err)
		}
		back, doc := w.numbered(number)
		if back.Gross.String() != "6" || doc.Gross.String() != "-6" || !doc.SelfBilled || doc.Preceding.Number != "SWX-G-2026-000001" || doc.Payment.Means != billing.PaymentOffset || !strings.Contains(doc.Notes[0], "03.11.2026 widersprochen") {
			t.Errorf("cancellation: ledger %s, %s, %+v, %v", back.Gross, doc.Gross, doc.Payment, doc.Notes)
		}
		w.work() // it passes our own rules
		want := map[bool]string{false: "0", true: "-6"}[again]
		w.assertBooked(at, want, want)
		w.rateAgain(at)
		w.assertBooked(at, want, want)
		if s := w.state(at); s.Unpaid == again {
			t.Errorf("unpaid: %v", s.Unpaid)
		}
		w.bill(october, true)
		if n := w.count(`SELECT count(*) FROM invoices WHERE type = '389' AND state = 'issued'`); n != map[bool]int{false: 1, true: 2}[again] {
			t.Errorf("%d self-billed documents", n)
		}
	}
}

// A line of a self-billed document is put right as one of an invoice is.
func TestSelfBilledLineIsCorrected(t *testing.T) {
	w := newWorld(t)
	w.agree(w.atHome())
	at := w.receiveJSON(home("C1", day(5), "20"))
	w.work()
	w.bill(october, true)
	row, _ := w.numbered("SWX-G-2026-000001")
	_, number, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, row.ID, jobs.Correction{Changes: []billing.Change{{Line: "1", Amount: decimal.RequireFromString("7.20"), Reason: "Preis ab Oktober 0,36 €/kWh"}}})
	if err != nil {
		t.Fatal(err)
	}
	back, doc := w.numbered(number)
	if back.Gross.String() != "-1.2" || doc.Gross.String() != "1.2" || doc.Payment.IBAN != "DE02500105170137075030" || doc.DueDate.IsZero() {
		t.Errorf("correction: ledger %s, document %s, %+v", back.Gross, doc.Gross, doc.Payment)
	}
	w.assertBooked(at, "-7.2", "-7.2")
	w.work()
	// A credit takes back all of it.
	w.receiveJSON(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"}.with("home_charging_compensation", "true"))
	w.work()
	w.assertBooked(at, "0", "0")
}

// Agreements count on their days; what ends is taken back, and what is agreed late is paid all the same.
func TestAgreementsCountOnTheirDays(t *testing.T) {
	w := newWorld(t)
	first, second := w.receiveJSON(home("C1", day(5), "20")), w.receiveJSON(home("C2", day(10), "10"))
	w.work()
	n := w.atHome()
	n.Until = day(7)
	w.agree(n)
	w.work()
	w.assertBooked(first, "-6", "-6")
	if s := w.state(second); s.Reason != "home-charging" || s.State != "held" {
		t.Errorf("after its end: %s, %s", s.State, s.Reason)
	}
	dearer := w.atHome()
	dearer.From, dearer.Price = day(8), decimal.RequireFromString("0.355")
	later := w.agree(dearer)
	w.work()
	w.assertBooked(second, "-3.55", "-3.55")
	overlapping := w.atHome()
	overlapping.From = day(9)
	if _, err := w.ops.AddReimbursement(w.ctx, w.tenant.ID, overlapping); refused(err) != "reimbursement-exists" {
		t.Errorf("two at a time: %v", err)
	}
	// The narrower one decides.
	narrow := w.atHome()
	narrow.EVSE, narrow.Price = "DENSLE1", decimal.NewFromInt(1)
	point := w.agree(narrow)
	w.work()
	w.assertBooked(first, "-20", "-20")
	w.bill(october, true)
	if err := w.ops.EndReimbursement(w.ctx, w.tenant.ID, point, time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.assertBooked(first, "-6", "-6")
	w.assertBooked(second, "-3.55", "-3.55")
	if err := w.ops.EndReimbursement(w.ctx, w.tenant.ID, later, day(20)); err != nil {
		t.Error(err)
	}
	if err := w.ops.EndReimbursement(w.ctx, w.tenant.ID, later, day(25)); refused(err) != "already" {
		t.Errorf("ended twice: %v", err)
	}
	other := w.addTenant("DE*OTH", "Andere Werke").ID
	if err := w.ops.EndReimbursement(w.ctx, other, later, day(20)); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("another utility's: %v", err)
	}
	if _, err := w.ops.AddReimbursement(w.ctx, other, w.atHome()); refused(err) != "customer-unknown" {
		t.Errorf("with another utility's customer: %v", err)
	}
}

// What cannot be agreed is refused, with the reason.
func TestAgreementIsRefused(t *testing.T) {
	w := newWorld(t)
	w.agree(w.atHome())
	for want, change := range map[string]func(*jobs.NewReimbursement){
		"reimbursement-kind":  func(n *jobs.NewReimbursement) { n.Kind = "work" },
		"reimbursement-scope": func(n *jobs.NewReimbursement) { n.Card = "" },
		"reimbursement-host":  func(n *jobs.NewReimbursement) { n.Kind, n.EVSE = jobs.OwedToHost, "DE*NSL*E1" },
		"reimbursement-basis": func(n *jobs.NewReimbursement) { n.Basis = "minute" },
		"reimbursement-price": func(n *jobs.NewReimbursement) {
			n.Basis, n.Price, n.Charged = billing.Percent, decimal.NewFromInt(101), true
		},
		"reimbursement-share":    func(n *jobs.NewReimbursement) { n.Basis = billing.Percent },
		"reimbursement-vat":      func(n *jobs.NewReimbursement) { n.VAT = "reduced" },
		"reimbursement-agreed":   func(n *jobs.NewReimbursement) { n.AgreedOn = day(21) },
		"reimbursement-currency": func(n *jobs.NewReimbursement) { n.Currency = "CHF" },
		"reimbursement-location": func(n *jobs.NewReimbursement) { n.Location = "HH1" },
		"reimbursement-exists":   func(n *jobs.NewReimbursement) { n.Price = decimal.NewFromInt(1) },
		"period":                 func(n *jobs.NewReimbursement) { n.Until = day(1).AddDate(0, -1, 0) },
		"iban":                   func(n *jobs.NewReimbursement) { n.IBAN = "DE02500105170137075031" },
		"customer-unknown":       func(n *jobs.NewReimbursement) { n.Payee = "4711" },
		"card-unknown":           func(n *jobs.NewReimbursement) { n.Card = "4711" },
		"payee-tax-number":       func(n *jobs.NewReimbursement) { n.VAT = billing.PayeeStandard },
		"payee-mixed": func(n *jobs.NewReimbursement) {
			n.VAT, n.TaxNumber, n.Location = billing.PayeeExempt, "231/1", "DE*NSL*HH1"
		},
	} {
		n := w.atHome()
		change(&n)
		if _, err := w.ops.AddReimbursement(w.ctx, w.tenant.ID, n); refused(err) != want {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

// Too little to pay is carried forward, and a rule that blocks a CDR keeps it from the payee until a person has looked.
func TestPayeesMinimumAndRules(t *testing.T) {
	w := newWorld(t)
	w.agree(w.atHome())
	w.policy(func(p *db.BillingPolicy) { p.Minimum = decimal.NewFromInt(5) })
	w.receiveJSON(home("C1", day(5), "10"))
	absurd := w.receiveJSON(cdr{id: "C2", start: day(6), kwh: "2000"}.with("home_charging_compensation", "true"))
	w.work()
	if s := w.state(absurd); s.State != "held" || s.Reason != "rule" {
		t.Errorf("2000 kWh: %s, %s", s.State, s.Reason)
	}
	w.assertBooked(absurd, "0", "0")
	if run := w.bill(october, true); run.Carried != 1 || run.Issued != 0 {
		t.Errorf("3.00: %+v", run)
	}
	w.clock.Set(w.clock.Now().Add(time.Hour))
	w.decide(w.ctx, absurd, jobs.Decision{Kind: jobs.Accept})
	if s := w.state(absurd); s.State != "rated" || s.RetailState != "waived" {
		t.Errorf("accepted: %s, %s", s.State, s.RetailState)
	}
	w.assertBooked(absurd, "-600", "-600")
	w.bill(october.AddDate(0, 1, 0), true)
	if _, doc := w.numbered("SWX-G-2026-000001"); doc.Gross.String() != "603" || doc.Lines[0].Heading != "Übertrag aus Oktober 2026" || doc.Lines[1].Heading != "Nachträge aus Oktober 2026" {
		t.Errorf("%s, %q, %q", doc.Gross, doc.Lines[0].Heading, doc.Lines[1].Heading)
	}
}

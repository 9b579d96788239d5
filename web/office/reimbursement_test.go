package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// TestPayeesAndReductions walks a clerk through an agreement, the document that it leads to and an objection to that, and through a
// reduction that a second person approves. All of it without script.
func TestPayeesAndReductions(t *testing.T) {
	t.Parallel()
	w := build(t, 12)
	c, second := w.signIn(w.ours.staff), w.signIn(w.ours.second)
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	follow := func(who *client, res response) (response, string) {
		t.Helper()
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %.300s", res.Status, res.body)
		}
		at := res.Header.Get("Location")
		return who.get(at), at
	}
	agreement := url.Values{
		"payee": {"10004"}, "kind": {"host"}, "location": {"DE*LNN*LOC1"}, "basis": {"percent"}, "price": {"10,5"}, "vat": {"standard"}, "tax_number": {"231/777/00012"}, "phone": {"+49 5832 77"},
		"agreed": {"2026-09-15"}, "iban": {"DE02 5001 0517 0137 0750 30"}, "from": {"2026-10-01"},
	}
	for field, wrong := range map[string]string{"payee": "4711", "iban": "DE00", "price": "viel", "agreed": "", "from": "x", "location": "LOC1"} {
		form := url.Values{}
		for name, value := range agreement {
			form[name] = value
		}
		form.Set(field, wrong)
		if page := c.post("/de/reimbursements", form); page.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page.body, `role="alert"`) || !strings.Contains(page.body, `id="`+field+`-error"`) || !strings.Contains(page.body, "231/777/00012") {
			t.Errorf("%s %q: %s", field, wrong, page.Status)
		}
	}
	if page, _ := follow(c, c.post("/de/reimbursements", agreement)); !strings.Contains(page.body, "Die Vereinbarung gilt") || !strings.Contains(page.body, "10,5\u00a0% vom Verkaufspreis") || !strings.Contains(page.body, "Konto …5030") {
		t.Error("the agreement is not listed")
	}
	if res := w.signIn(operator).post("/de/reimbursements", agreement); res.StatusCode != http.StatusBadRequest {
		t.Errorf("an agreement of every utility: %s", res.Status)
	}
	look(tab, "payees-list", "/de/reimbursements")
	w.settle()
	october := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	_, err := w.ops.RunInvoices(t.Context(), w.ours.ID, october, true)
	w.check(err)
	w.settle()
	if page := c.get("/de/invoices?type=389"); !strings.Contains(page.body, "SWI-G-2026-000001") || strings.Contains(page.body, "SWI-2026-000001") {
		t.Error("self-billed documents cannot be listed by themselves")
	}
	number := "SWI-G-2026-000001"
	row, err := w.ops.DB.InvoiceByNumber(t.Context(), db.InvoiceByNumberParams{TenantID: w.ours.ID, Number: &number})
	w.check(err)
	page := "/de/invoices/" + row.ID.String()
	look(tab, "payees-document", page)
	look(tab, "payees-kinds", "/de/invoices?type=389")
	paid, err := w.ops.DB.InvoiceCDRs(t.Context(), uuid.NullUUID{UUID: row.ID, Valid: true})
	w.check(err)
	if got := c.get("/de/cdrs/" + paid[0].CDRID.String()); !strings.Contains(got.body, "Vergütung (Standortpartner) an Wohnbau Süd eG:") || !strings.Contains(got.body, "10,5 % von netto") {
		t.Error("a CDR does not say what is owed for it")
	}
	look(tab, "payees-cdr", "/de/cdrs/"+paid[0].CDRID.String())
	if res := c.get(page + "/credit"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a self-billed document is reduced: %s", res.Status)
	}
	if got, _ := follow(c, c.post(page+"/object", url.Values{"reason": {"Falscher Anteil"}})); !strings.Contains(got.body, "Nennen Sie einen Tag.") {
		t.Error("an objection without a day")
	}
	if got, _ := follow(c, c.post(page+"/object", url.Values{"day": {"2026-11-19"}, "reason": {"Falscher Anteil"}})); !strings.Contains(got.body, "SWI-K-2026-000001") || !strings.Contains(got.body, "Storniert die Rechnung") {
		t.Error("the objection cancels nothing")
	}
	if got := c.get(page); !strings.Contains(got.body, "Empfänger hat widersprochen") || strings.Contains(got.body, "/object") {
		t.Error("the document does not say that it is void")
	}
	id := endable(t, w)
	if got, _ := follow(c, c.post("/de/reimbursements/"+id+"/end", url.Values{"last": {"2026-11-30"}})); !strings.Contains(got.body, "30.11.2026") {
		t.Error("the agreement does not end")
	}
	if got, _ := follow(c, c.post("/de/reimbursements/"+id+"/end", url.Values{"last": {"2026-12-30"}})); !strings.Contains(got.body, "Das ist bereits so.") {
		t.Error("an end is moved on")
	}

	wizard := "/de/invoices/" + w.ours.issued.String() + "/credit"
	for _, wrong := range []url.Values{{}, {"reason": {"x"}}, {"reason": {"x"}, "amount": {"viel"}}, {"reason": {"x"}, "amount": {"1"}, "percent": {"1"}}, {"reason": {"x"}, "amount": {"99999"}}, {"amount": {"1"}}, {"reason": {"x"}, "amount": {"1"}, "payout": {"yes"}}} {
		if page := c.post(wizard, wrong); page.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page.body, `role="alert"`) {
			t.Errorf("%v: %s", wrong, page.Status)
		}
	}
	form := url.Values{"reason": {"Säule war gestört"}, "amount": {"1,50"}, "line": {"1"}, "do": {"preview"}}
	if got := c.post(wizard, form); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "Der Beleg erhält sofort eine Nummer") || !strings.Contains(got.body, "1,50\u00a0€") || strings.Contains(c.get("/de/invoices").body, "SWI-M-2026-000001") {
		t.Errorf("preview: %s", got.Status)
	}
	form.Set("do", "issue")
	if got, _ := follow(c, c.post(wizard, form)); !strings.Contains(got.body, "SWI-M-2026-000001") || !strings.Contains(got.body, "Mindert die Rechnung") {
		t.Error("the credit note is not issued, or does not refer to its invoice")
	}
	if got := c.get("/de/invoices/" + w.ours.issued.String()); !strings.Contains(got.body, "Gemindert durch") {
		t.Error("the invoice does not refer to its credit note")
	}
	_, err = w.ops.SetBillingPolicy(t.Context(), w.ours.ID, func(p *db.BillingPolicy) { p.CreditLimit = p.CreditLimit.Sub(p.CreditLimit) })
	w.check(err)
	form = url.Values{"reason": {"Treue"}, "percent": {"10"}, "do": {"preview"}}
	if got := c.post(wizard, form); !strings.Contains(got.body, "stimmt eine zweite Person zu") {
		t.Error("it is not said that a second person is needed")
	}
	form.Set("do", "issue")
	got, draft := follow(c, c.post(wizard, form))
	if !strings.Contains(got.body, "wartet auf die Freigabe") || !strings.Contains(got.body, "Minderung verwerfen") {
		t.Error("the credit note does not wait")
	}
	look(tab, "credit-draft", draft)
	look(tab, "credit-waits", "/de/invoices/"+w.ours.issued.String())
	customer, err := w.ops.DB.InvoiceDetail(t.Context(), db.InvoiceDetailParams{ID: uuid.MustParse(draft[strings.LastIndex(draft, "/")+1:])})
	w.check(err)
	confirm := url.Values{"confirm": {customer.CustomerNumber}}
	if got, _ := follow(c, c.post(draft+"/issue", confirm)); !strings.Contains(got.body, "eine zweite Person frei") {
		t.Error("who asked for it approves it")
	}
	if got, _ := follow(second, second.post(draft+"/issue", confirm)); !strings.Contains(got.body, "SWI-M-2026-000002") {
		t.Error("the second person cannot approve it")
	}
	_, draft = follow(c, c.post(wizard, form))
	if got, _ := follow(c, c.post(draft+"/drop", url.Values{})); !strings.Contains(got.body, "Die Minderung ist verworfen.") || !strings.Contains(got.body, "Proposed") && !strings.Contains(got.body, "Vorgeschlagene Minderung verworfen") {
		t.Error("a proposed credit note is not dropped")
	}
	w.settle()
	if page := c.get("/de/numbers"); !strings.Contains(page.body, "Lückenlos") || !strings.Contains(page.body, "SWI-M-2026") || !strings.Contains(page.body, "SWI-G-2026") {
		t.Error("the numbers are not proven")
	}
}

// endable is the id of the utility's agreement.
func endable(t *testing.T, w *world) string {
	t.Helper()
	rows, err := w.ops.DB.Reimbursements(t.Context(), db.ReimbursementsParams{TenantID: uuid.NullUUID{UUID: w.ours.ID, Valid: true}, Today: w.now, MaxRows: 10})
	w.check(err)
	if len(rows) != 1 {
		t.Fatalf("%d agreements", len(rows))
	}
	return rows[0].Reimbursement.ID.String()
}

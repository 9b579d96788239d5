package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/office"
)

// isolation asks for the rows of another utility on every route that takes an id: as staff of ours,
// and as an operator who has picked ours.
func isolation(w *world) {
	t := w.T
	foreign := w.partner("Fremdes Ladenetz", "CPO", "FRM") // works with neither utility
	quarantined := w.quarantine(foreign, "CDR-FRM-1", "total_cost", "required", "").String()
	agreement, err := w.ops.AddReimbursement(t.Context(), w.other.ID, jobs.NewReimbursement{
		Payee: "10001", Kind: jobs.OwedToHost, EVSE: "DE*LNN*E1", Basis: billing.PerKWh, Price: decimal.NewFromInt(1), VAT: billing.PayeeOutside, IBAN: "DE02500105170137075030", AgreedOn: w.now, From: w.now.AddDate(-5, 0, 0), Until: w.now.AddDate(-5, 0, 0),
	})
	w.check(err)
	theirs := map[string]string{
		"GET /invoices/:id/credit": w.other.issued.String(), "POST /invoices/:id/credit": w.other.issued.String(), "POST /invoices/:id/drop": w.other.draft.String(),
		"POST /invoices/:id/object": w.other.issued.String(), "POST /reimbursements/:id/end": agreement.String(),
		"GET /cdrs/:id": w.other.rated.String(), "GET /cdrs/:id/message.json": w.other.rated.String(), "GET /cdrs/:id/meter.xml": w.other.proven.String(),
		"POST /cdrs/:id/decide": w.other.held.String(), "GET /cdrs/:id/explanation.json": w.other.rated.String(), "GET /cdrs/:id/preview": w.other.rated.String(),
		"GET /disputes/:id": w.other.dispute.String(), "GET /disputes/:id/record.json": w.other.dispute.String(), "GET /disputes/:id/cdrs.csv": w.other.dispute.String(),
		"POST /disputes/:id/send": w.other.dispute.String(), "POST /disputes/:id/answer": w.other.dispute.String(), "POST /disputes/:id/close": w.other.dispute.String(),
		"POST /disputes/:id/accept": w.other.dispute.String(), "GET /bulks/:id": w.other.bulk.String(), "POST /bulks/:id/run": w.other.bulk.String(), "POST /bulks/:id/cancel": w.other.bulk.String(),
		"GET /invoices/:id": w.other.issued.String(), "POST /invoices/:id/issue": w.other.draft.String(), "POST /invoices/:id/retry": w.other.draft.String(),
		"POST /invoices/:id/readdress": w.other.draft.String(), "GET /invoices/:id/correct": w.other.issued.String(), "POST /invoices/:id/correct": w.other.issued.String(),
		"GET /runs/:id": w.other.run.String(), "POST /runs/:id/refresh": w.other.run.String(), "POST /runs/:id/approve": w.other.run.String(),
		"GET /invoices/:id/document/:format": w.other.issued.String(), "GET /invoices/:id/meter.xml": w.other.issued.String(),
		"GET /partners/:id": foreign.ID.String(), "GET /outbox/:id": w.other.email.String(),
		"POST /outbox/:id/again": w.other.email.String(), "POST /outbox/:id/back": w.other.email.String(),
		"GET /partners/:id/handshake": foreign.ID.String(), "POST /partners/:id/invite": foreign.ID.String(), "POST /partners/:id/try": foreign.ID.String(),
		"POST /partners/:id/pull": foreign.ID.String(), "POST /partners/:id/quirk": foreign.ID.String(), "POST /partners/:id/rotate": foreign.ID.String(),
		"POST /partners/:id/end": foreign.ID.String(), "GET /partners/:id/conformance": foreign.ID.String(), "GET /partners/:id/conformance.txt": foreign.ID.String(),
		"GET /partners/:id/settings": foreign.ID.String(), "POST /partners/:id/tenants": foreign.ID.String(), "POST /partners/:id/modules": foreign.ID.String(),
		"POST /partners/:id/certificate": foreign.ID.String(), "POST /partners/:id/pin": foreign.ID.String(), "POST /partners/:id/agree": foreign.ID.String(),
		"GET /partners/:id/claims": foreign.ID.String(), "POST /partners/:id/claims": foreign.ID.String(),
		"GET /partners/:id/agreement": foreign.ID.String(), "POST /partners/:id/agreement": foreign.ID.String(),
		"GET /tenants/:id": w.other.ID.String(), "POST /tenants/:id": w.other.ID.String(), "POST /tenants/:id/close": w.other.ID.String(),
		"GET /messages/:id": w.other.message.String(), "GET /quarantine/:id": quarantined, "POST /quarantine/:id/replay": quarantined, "POST /quarantine/:id/dismiss": quarantined,
		"GET /prices/versions/:id": w.other.book.String(), "GET /prices/drafts/:id": w.other.draftBook.String(), "POST /prices/drafts/:id": w.other.draftBook.String(),
		"POST /prices/drafts/:id/publish": w.other.draftBook.String(), "POST /prices/drafts/:id/drop": w.other.draftBook.String(), "GET /prices/backtest/:id": w.other.backtest.String(),
		"GET /prices/drafts/:id/plan": w.other.draftBook.String(), "POST /prices/drafts/:id/plan": w.other.draftBook.String(),
		"GET /vouchers/:id": w.other.voucher.String(), "POST /vouchers/:id/redeem": w.other.voucher.String(), "POST /vouchers/:id/end": w.other.voucher.String(),
		"GET /groups/:id": w.other.group.String(), "POST /groups/:id": w.other.group.String(),
		"GET /plans/:id/edit": w.other.plan.String(), "POST /plans/:id/edit": w.other.plan.String(),
		"GET /customers/:id": w.other.customer.String(), "POST /customers/:id": w.other.customer.String(), "POST /customers/:id/mandate": w.other.customer.String(), "POST /customers/:id/contract": w.other.customer.String(),
		"POST /customers/:id/card": w.other.customer.String(), "POST /customers/:id/evidence": w.other.customer.String(), "POST /customers/:id/credit": w.other.customer.String(),
		"GET /plans/:id": w.other.plan.String(),
		"GET /cards/:id": w.other.card.String(), "POST /cards/:id/block": w.other.card.String(), "POST /cards/:id/credit": w.other.card.String(),
		"POST /cards/:id/assign": w.other.card.String(), "POST /views/:id/delete": w.other.view.String(),
	}
	clerk, them, picky, everybody := w.signIn(w.ours.staff), w.signIn(w.other.staff), w.signIn(operator), w.signIn(operator)
	if res := picky.post("/de/utility", url.Values{"utility": {w.ours.ID.String()}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("pick utility: %s", res.Status)
	}
	confirm := url.Values{"confirm": {"10001"}}
	for _, route := range office.Routes() {
		method, path := route.Method, route.Path
		if !strings.Contains(path, ":id") {
			continue
		}
		id, ok := theirs[method+" "+path]
		path = strings.Replace(path, ":format", "html", 1)
		if !ok {
			t.Errorf("%s %s is not tested", method, path)
			continue
		}
		at := "/en" + strings.Replace(path, ":id", id, 1)
		for who, c := range map[string]*client{"clerk": clerk, "operator": picky} {
			if res := c.do(method, at, confirm); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s %s: %s", who, method, at, res.Status)
			}
			if method == http.MethodGet {
				if res := c.do(http.MethodHead, at, nil); res.StatusCode != http.StatusNotFound {
					t.Errorf("%s: HEAD %s: %s", who, at, res.Status)
				}
			}
		}
		owner := them
		if route.Operator {
			owner = everybody
		}
		if method == http.MethodGet && id != foreign.ID.String() {
			if res := owner.get(at); res.StatusCode != http.StatusOK {
				t.Errorf("GET %s by whom it belongs to: %s", at, res.Status)
			}
		}
		for _, id := range []string{"1", "00000000-0000-0000-0000-000000000000", "%00", "..%2f"} {
			if res := clerk.do(method, "/en"+strings.Replace(path, ":id", id, 1), confirm); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s with id %s: %s", method, path, id, res.Status)
			}
		}
	}

	theirCDR := "cdrs/DE*LNN/" + w.other.ratedID
	for _, path := range []string{"/de/overview", "/de/cdrs?month=all", "/de/cdrs.csv?month=all", "/de/invoices", "/de/runs", "/de/numbers", "/de/outbox", "/de/partners", "/de/cdrs?month=all&q=SWL",
		"/de/tenants", "/de/cards", "/de/cards?q=SWL", "/de/customers", "/de/customers.csv", "/de/customers?q=SWL", "/de/settings", "/de/settings?draft=" + w.other.failed.String(), "/de/customers/" + w.ours.customer.String() + "?draft=" + w.other.failed.String(), "/de/disputes?state=all", "/de/bulks", "/de/cdrs?month=all&group=partner", "/de/gaps?state=all", "/de/messages", "/de/messages?q=" + w.other.ratedID, "/de/quarantine", "/de/tariffs",
		"/de/trace?of=" + url.QueryEscape("sessions/DE*LNN/S-"+w.other.ratedID), "/de/trace?of=" + url.QueryEscape("tokens/DE*SWL/"+card(&w.other, 0)),
		"/de/plans", "/de/vouchers", "/de/groups", "/de/prices", "/de/prices/backtest"} {
		for who, c := range map[string]*client{"clerk": clerk, "operator": picky} {
			res := c.get(path)
			body := strings.ReplaceAll(res.body, `value="SWL"`, "")
			if who == "operator" { // who may pick it
				body = strings.ReplaceAll(body, w.other.Name+"</option>", "")
			}
			if strings.Contains(path, "=") { // what was asked for stands in the field and in the heading
				body = strings.ReplaceAll(strings.ReplaceAll(body, w.other.ratedID, ""), "q=SWL", "")
			}
			for _, secret := range []string{"CDR-SWL", "SWL-2026", "HERBST-SWL", w.other.Name, foreign.Name} {
				if strings.Contains(body, secret) {
					t.Errorf("%s sees %s on %s", who, secret, path)
				}
			}
		}
	}
	for _, of := range []string{theirCDR, "sessions/DE*LNN/S-" + w.other.ratedID, "tokens/DE*SWL/" + card(&w.other, 0)} {
		path := "/en/trace?of=" + url.QueryEscape(of)
		for who, c := range map[string]*client{"clerk": clerk, "operator": picky} {
			if res := c.get(path); res.StatusCode != http.StatusOK || !strings.Contains(res.body, "Nothing recorded") {
				t.Errorf("%s traces %s: %s", who, of, res.Status)
			}
		}
		if res := them.get(path); strings.Contains(res.body, "Nothing recorded") {
			t.Errorf("%s is not traced by whom it belongs to", of)
		}
	}
	for _, q := range []string{w.other.ratedID, "S-" + w.other.ratedID, card(&w.other, 0)} {
		if res := clerk.get("/en/trace?q=" + q); strings.Contains(res.body, "/trace?of=") {
			t.Errorf("a clerk finds %s of another utility", q)
		}
	}
	if res := clerk.post("/de/utility", url.Values{"utility": {w.other.ID.String()}}); res.StatusCode != http.StatusNotFound {
		t.Errorf("a clerk picks another utility: %s", res.Status)
	}
	if res := picky.get("/de/cdrs?q=SWI"); !strings.Contains(res.body, "CDR-SWI") {
		t.Error("an operator does not see the utility that was picked")
	}
	everything := w.signIn(operator).get("/de/cdrs")
	for _, want := range []string{"CDR-SWI", "CDR-SWL"} {
		if !strings.Contains(everything.body, want) {
			t.Errorf("an operator who has picked nothing does not see %s", want)
		}
	}
}

// TestNobodySeesAnythingUnasked asks for every page without a sign-in.
func TestNobodySeesAnythingUnasked(t *testing.T) {
	w := open(t)
	c := w.anonymous()
	for _, route := range office.Routes() {
		method, path := route.Method, strings.Replace(route.Path, ":id", "0190a6e0-0000-7000-8000-000000000000", 1)
		if strings.HasPrefix(path, "/sign") || path == "/theme" {
			continue
		}
		if strings.HasPrefix(path, "/d/") { // the key is what one has to know
			if res := c.do(method, "/en"+path, nil); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: %s", method, path, res.Status)
			}
			continue
		}
		res := c.do(method, "/en"+path, nil)
		if target, _, _ := strings.Cut(res.Header.Get("Location"), "?"); res.StatusCode != http.StatusSeeOther || target != "/en/signin" {
			t.Errorf("%s %s: %s to %q", method, path, res.Status, res.Header.Get("Location"))
		}
		if res := c.do(method, "/en"+path, nil, "HX-Request", "true"); res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(res.Header.Get("HX-Redirect"), "/en/signin") {
			t.Errorf("%s %s by htmx: %s, %q", method, path, res.Status, res.Header.Get("HX-Redirect"))
		}
	}
}

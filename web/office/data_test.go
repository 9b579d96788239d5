package office_test

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// stopped is a platform on which the only draft of a run is stopped: its customer, who pays by debit, has no address, and its utility has
// no creditor identifier.
func stopped(t *testing.T) (w *world, run, draft, customer uuid.UUID) {
	w = open(t)
	w.cpo = w.partner("Ladenetz Nord GmbH", "CPO", "LNN")
	w.ours = w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	u := &w.ours
	issued, err := w.ops.IssueCard(t.Context(), jobs.NewCard{
		Tenant: u.ID, UID: card(u, 0), Contract: "DE-SWI-C00042187-0", Customer: "Erika Beispiel", Email: "erika@example.org",
		Mandate: &jobs.NewMandate{Reference: "M-1", IBAN: "DE75512108001245126199", SignedOn: w.now},
	})
	w.check(err)
	_, err = w.ops.ChangeTenant(t.Context(), u.ID, func(t *db.Tenant) { t.CreditorID = "" })
	w.check(err)
	w.cdr(u, session{card: card(u, 0), start: w.now.AddDate(0, 0, -2), minutes: 30, kwh: "10"})
	w.settle()
	made, err := w.ops.RunInvoices(t.Context(), u.ID, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), false)
	w.check(err)
	if made.Failed != 1 || made.Drafts != 0 {
		t.Fatalf("the run: %+v, want one draft that is stopped", made)
	}
	odd, err := jobs.OddDrafts(t.Context(), w.ops.DB.Queries, made.ID, jobs.OddPage{MaxRows: 10})
	w.check(err)
	return w, made.ID, odd[0].ID, issued.CustomerID
}

// TestProblemIsPutRight goes the way of a clerk: from the run to the field, and back to a draft that lacks nothing.
func TestProblemIsPutRight(t *testing.T) {
	t.Parallel()
	w, run, draft, customer := stopped(t)
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(w.signIn(w.ours.staff).cookies()...)
	tab.Size(1440, 900)
	at := func(page, field string) {
		t.Helper()
		tab.WaitFor(`location.pathname === "` + page + `" && document.activeElement?.id === "` + field + `"`)
		beside := uitest.Eval[string](tab, `document.activeElement.getAttribute("aria-describedby").trim().split(/\s+/).map(id => document.getElementById(id).textContent).join(" ")`)
		if !strings.Contains(beside, "fehlt") {
			t.Errorf("%s has %q beside it", field, beside)
		}
	}
	press := func(selector string) {
		t.Helper()
		tab.WaitFor(`document.querySelector(` + quoted(selector) + `) !== null`)
		uitest.Eval[bool](tab, `(() => { document.querySelector(`+quoted(selector)+`).click(); return true; })()`)
	}
	back := func(says string) {
		t.Helper()
		tab.WaitFor(`location.pathname === "/de/invoices/` + draft.String() + `" && (document.querySelector("main .notice[role=status]")?.textContent ?? "").includes("` + says + `")`)
	}
	tab.Open("/de/runs/" + run.String())
	press(`#odd ~ #result a[href$="#customer.address.city"]`)
	at("/de/customers/"+customer.String(), "customer.address.city")
	tab.CheckPage("customer with a problem")
	tab.Keys("Isenhagen")
	uitest.Eval[bool](tab, `(() => { document.getElementById("customer.address.street").value = "Ahornweg 7"; document.getElementById("customer.address.postal_code").value = "29386"; return true; })()`)
	press(`form[action="/de/customers/` + customer.String() + `"] button[value=retry]`)
	back("fehlt noch etwas")

	press(`.notice a[href$="#payment.creditor_id"]`)
	at("/de/settings", "payment.creditor_id")
	tab.CheckPage("settings with a problem")
	tab.Keys("de98 zzz 09999999999")
	press(`form[action="/de/settings"] button[value=retry]`)
	back("fehlt nichts mehr")

	// The same of a customer who transfers, whose utility has lost its account on the way into the platform.
	w.check(w.ops.EndMandate(t.Context(), w.ours.ID, customer))
	w.check(dbtest.Exec(t.Context(), w.dbURL, "UPDATE tenants SET iban = ''"))
	w.check(w.ops.RetryInvoice(t.Context(), w.ours.ID, draft))
	tab.Open("/de/invoices/" + draft.String())
	press(`.notice a[href$="#payment.iban"]`)
	at("/de/settings", "payment.iban")
	tab.Keys("DE02 1203 0000 0000 2020 51")
	press(`form[action="/de/settings"] button[value=retry]`)
	back("fehlt nichts mehr")
	row, err := w.ops.DB.Invoice(t.Context(), draft)
	if err != nil || row.State != "draft" || row.Stale {
		t.Errorf("the draft: %s, %v", row.State, err)
	}
}

// quoted is a text as script has it.
func quoted(text string) string { return "`" + text + "`" }

// TestCustomerForms adds a customer and changes everything about it, without script.
func TestCustomerForms(t *testing.T) {
	t.Parallel()
	w, _, draft, customer := stopped(t)
	c := w.signIn(w.ours.staff)
	says := func(path string, form url.Values, want ...string) {
		t.Helper()
		body := c.follow(path, form)
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s %v: no %q", path, form, text)
			}
		}
	}
	refused := func(path string, form url.Values, want ...string) {
		t.Helper()
		res := c.post("/en"+path, form)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, `role="alert"`) {
			t.Errorf("%s %v: %s", path, form, res.Status)
		}
		for _, text := range want {
			if !strings.Contains(res.body, text) {
				t.Errorf("%s %v: no %q", path, form, text)
			}
		}
	}
	page := "/customers/" + customer.String()
	data := url.Values{"version": {"1"}, "customer.name": {"Erika Beispiel"}, "customer.email": {"erika"}, "customer.address.city": {"Emden"}}
	refused(page, data, `href="#customer.email"`, "This is no e-mail address.", `value="Emden"`)
	data.Set("customer.email", "erika@neu.example")
	says(page, data, "Saved.", "erika@example.org → erika@neu.example", "Klara Clerk", "– → Emden")
	refused(page, data, "Somebody else has changed this data")
	data.Set("version", "nonsense")
	if res := c.post("/en"+page, data); res.StatusCode != http.StatusBadRequest {
		t.Errorf("nonsense for a version: %s", res.Status)
	}

	refused(page+"/mandate", url.Values{"payment.debtor_iban": {"DE00"}, "payment.signed_on": {"2026-11-01"}}, "The IBAN is wrong")
	says(page+"/mandate", url.Values{"payment.debtor_iban": {"DE02120300000000202051"}, "payment.signed_on": {"2026-11-01"}, "draft": {draft.String()}, "do": {"retry"}}, "still lacks something")
	if body := c.get("/en" + page).body; !strings.Contains(body, "…2051") || strings.Contains(body, "202051") || !strings.Contains(body, "M-1 …6199") {
		t.Error("the mandate is not shown, or its IBAN is")
	}
	says(page+"/mandate", url.Values{"end": {"1"}}, "Saved.", "the customer transfers")

	refused(page+"/card", url.Values{"card.uid": {""}, "card.contract": {"DE-SWI-C2"}}, "Name the card")
	refused(page+"/card", url.Values{"card.uid": {card(&w.ours, 0)}, "card.contract": {"DE-SWI-C2"}}, "a card with this UID already")
	says(page+"/card", url.Values{"card.uid": {"04C0FFEE"}, "card.contract": {"DE-SWI-C2"}}, "04C0FFEE", "DE-SWI-C2")
	contract, err := w.ops.DB.ContractByEMAID(t.Context(), db.ContractByEMAIDParams{TenantID: w.ours.ID, ContractID: "DE-SWI-C2"})
	w.check(err)
	refused(page+"/contract", url.Values{"contract": {contract.ID.String()}, "cycle": {"never"}}, "billed by the month")
	says(page+"/contract", url.Values{"contract": {contract.ID.String()}, "cycle": {"quarter"}}, "quarterly", "month → quarter")
	refused(page+"/contract", url.Values{"contract": {contract.ID.String()}, "end": {"1"}, "last": {"soon"}}, "ends before it begins")
	says(page+"/contract", url.Values{"contract": {contract.ID.String()}, "end": {"1"}, "last": {"2026-11-19"}}, "ended on 19 Nov 2026", "blocked")
	if res := c.post("/en"+page+"/contract", url.Values{"contract": {uuid.NewString()}, "end": {"1"}, "last": {"2026-11-19"}}); res.StatusCode != http.StatusNotFound {
		t.Errorf("a contract of nobody: %s", res.Status)
	}

	evidence := url.Values{"evidence.reference": {"USt 1 TH 4711"}, "evidence.from": {"2026-01-01"}, "evidence.until": {"2026-12-31"}}
	refused(page+"/evidence", evidence, "has no VAT id")
	says(page, url.Values{"version": {"2"}, "customer.vat_id": {"DE811907980"}}, "Saved.")
	refused(page+"/evidence", url.Values{"evidence.reference": {"x"}}, "three years at most")
	says(page+"/evidence", evidence, "USt 1 TH 4711", "expires soon")
	says(page+"/evidence", url.Values{"withdraw": {"USt 1 TH 4711"}}, "withdrawn")
	says(page+"/credit", url.Values{"stop": {"1"}}, "may not charge")
	says(page+"/credit", nil, "may charge.")

	refused("/customers", url.Values{"customer.name": {" "}}, `href="#customer.name"`)
	says("/customers", url.Values{"customer.name": {"Gemeinde Isenhagen"}, "customer.kind": {"public"}, "customer.buyer_reference": {"04011000-1234512345-06"}}, "The customer is added.", "public body", "10002")
	for q, want := range map[string]string{"isenhagen": "Gemeinde", "10002": "Gemeinde", "C0FFEE": "Erika", "DE-SWI-C2": "Erika", "neu.example": "Erika"} {
		if body := c.get("/en/customers?q=" + q).body; !strings.Contains(body, want) || strings.Contains(body, `data" /`) {
			t.Errorf("%s does not find %s", q, want)
		}
	}
	if body := c.get("/en/customers?state=stopped").body; !strings.Contains(body, "Erika Beispiel") || strings.Contains(body, "Gemeinde") {
		t.Error("who is stopped is not found, or who is not")
	}
	if body := c.get("/de/customers.csv?state=address&sort=-number").body; !strings.HasPrefix(body, "\xef\xbb\xbfKundennummer;Name;") || strings.Index(body, "Gemeinde") > strings.Index(body, "Erika") {
		t.Errorf("the table: %s", body)
	}
}

// TestTenantSettings changes what a utility says of itself, how it bills and sends, without script.
func TestTenantSettings(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.ours = w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	c := w.signIn(w.ours.staff)
	post := func(path string, form url.Values, status int, want ...string) {
		t.Helper()
		res := c.post("/en"+path, form)
		body := res.body
		if res.StatusCode == http.StatusSeeOther && status == http.StatusOK {
			to, _, _ := strings.Cut(res.Header.Get("Location"), "#")
			body, res = c.get(to).body, response{&http.Response{StatusCode: http.StatusOK, Status: "200"}, ""}
		}
		if res.StatusCode != status {
			t.Errorf("%s %v: %s", path, form, res.Status)
		}
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s %v: no %q", path, form, text)
			}
		}
	}
	const wrong = http.StatusUnprocessableEntity
	post("/settings", url.Values{"version": {"1"}, "payment.iban": {""}}, wrong, `href="#payment.iban"`, "IBAN is missing or wrong")
	post("/settings", url.Values{"version": {"1"}, "payment.iban": {"DE00 1"}, "payment.days": {"soon"}, "supplier.colour": {"#ffff00"}}, wrong, `href="#payment.iban"`, `href="#payment.days"`, "too light", `value="DE00 1"`)
	post("/settings", url.Values{"version": {"1"}, "payment.iban": {"DE75 5121 0800 1245 1261 99"}, "payment.days": {"30"}, "supplier.register": {"HRB 9"}}, http.StatusOK,
		"Saved.", "DE02120300000000202051 → DE75512108001245126199", "14 → 30", "Klara Clerk", `value="DE75512108001245126199"`)
	post("/settings", url.Values{"version": {"1"}, "supplier.register": {"HRB 10"}}, wrong, "Somebody else has changed this data")
	post("/settings/policy", url.Values{"policy.inspection_days": {"99"}, "policy.minimum": {"-1"}, "policy.carry_months": {"9"}, "policy.zero": {"x"}, "policy.deviation_percent": {"1"}, "policy.deviation_amount": {"1"}}, wrong,
		"0 to 28 days", "The minimum is not negative", "half a year", "none of the choices")
	post("/settings/policy", url.Values{"policy.minimum": {"viel"}}, wrong, "This is no number.")
	post("/settings/policy", url.Values{"policy.inspection_days": {"5"}, "policy.minimum": {"2,50"}, "policy.carry_months": {"3"}, "policy.zero": {"issue"}, "policy.deviation_percent": {"40"}, "policy.deviation_amount": {"10"}}, http.StatusOK, "Saved.", "0 → 2.5", "suppress → issue")

	post("/settings/mail", url.Values{"mail.sender": {"nobody"}, "mail.server": {"platform"}}, wrong, `href="#mail.sender"`)
	for _, host := range []string{"", "mail.example", "mail.example:22", ":587"} {
		post("/settings/mail", url.Values{"mail.server": {"new"}, "mail.host": {host}, "mail.password": {"geheim-4711"}}, wrong, `href="#mail.host"`)
	}
	post("/settings/mail", url.Values{"mail.sender": {"rechnung@sw.example"}, "mail.server": {"new"}, "mail.host": {"mail.sw.example:587"}, "mail.user": {"sw"}, "mail.password": {"geheim-4711"}}, http.StatusOK, "mail.sw.example:587", "– → rechnung@sw.example")
	post("/settings/mail", url.Values{"mail.sender": {"rechnung@sw.example"}, "mail.server": {"kept"}}, http.StatusOK, "mail.sw.example:587")
	if body := c.get("/en/settings").body; strings.Contains(body, "geheim") {
		t.Error("the password is shown")
	}
	post("/settings/mail/try", url.Values{"mail.try": {"nobody"}}, wrong, `href="#mail.try"`)
	post("/settings/mail", url.Values{"mail.server": {"platform"}}, http.StatusOK, "mail.sw.example:587 → –")
	post("/settings/mail/try", url.Values{"mail.try": {"clerk@sw-isenhagen.example"}}, http.StatusOK, "Trial: e-mails from Stadtwerke Isenhagen GmbH")

	var picture bytes.Buffer
	w.check(png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 120, 40))))
	for _, logo := range []struct {
		bytes []byte
		want  int
	}{{picture.Bytes(), http.StatusSeeOther}, {[]byte("GIF89a"), wrong}} {
		var form bytes.Buffer
		parts := multipart.NewWriter(&form)
		file, err := parts.CreateFormFile("logo", "logo.png")
		w.check(err)
		_, err = file.Write(logo.bytes)
		w.check(err)
		w.check(parts.Close())
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/en/settings/logo", &form)
		w.check(err)
		req.Header.Set("Content-Type", parts.FormDataContentType())
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		res, err := c.http.Do(req)
		w.check(err)
		if _ = res.Body.Close(); res.StatusCode != logo.want {
			t.Errorf("logo of %d bytes: %s", len(logo.bytes), res.Status)
		}
	}
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	for _, theme := range []string{"light", "dark"} {
		tab.Cookies(&http.Cookie{Name: "theme", Value: theme})
		look(tab, "settings-filled-de-"+theme, "/de/settings")
		unfold(tab, "settings-unfolded-"+theme)
	}
	post("/settings/logo", url.Values{"remove": {"1"}}, http.StatusOK, "PNG 120 × 40 → –", "No logo")
	if res := w.signIn(operator).post("/en/settings", url.Values{"version": {"1"}}); res.StatusCode != http.StatusNotFound {
		t.Errorf("settings of no utility: %s", res.Status)
	}
	if body := w.signIn(operator).get("/en/settings").body; strings.Contains(body, "HRB 9") {
		t.Error("an operator who has picked nothing sees a utility")
	}
}

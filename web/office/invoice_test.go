package office_test

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// TestClerkRunsAMonth makes drafts, reads one, issues them and gets the documents, all without script.
func TestClerkRunsAMonth(t *testing.T) {
	t.Parallel()
	w := build(t, 12)
	c, second := w.signIn(w.ours.staff), w.signIn(w.ours.second)
	month := url.Values{"month": {"2026-11"}}
	follow := func(res response) response {
		t.Helper()
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %.300s", res.Status, res.body)
		}
		return c.get(res.Header.Get("Location"))
	}
	followed := func(res response) response {
		t.Helper()
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %.300s", res.Status, res.body)
		}
		return second.get(res.Header.Get("Location"))
	}
	w.cdr(&w.ours, session{card: card(&w.ours, 0), start: w.now.AddDate(0, 0, -1), minutes: 30, kwh: "10"})
	w.settle()
	run := url.Values{"month": month["month"], "do": {"simulate"}}
	if page := c.post("/de/runs", run); page.StatusCode != http.StatusOK || !strings.Contains(page.body, "Simulation November 2026") || !strings.Contains(page.body, "Abweichungen") {
		t.Errorf("simulation: %s", page.Status)
	}
	run.Set("do", "draft")
	begun := c.post("/de/runs", run)
	w.settle()
	cockpit := begun.Header.Get("Location")
	seen := func() url.Values {
		page := c.get(cockpit)
		fields := regexp.MustCompile(`name="(drafts|gross)" value="([^"]+)"`).FindAllStringSubmatch(page.body, -1)
		if len(fields) != 2 {
			t.Fatalf("the cockpit has no drafts to approve: %.400s", page.body)
		}
		return url.Values{"drafts": {fields[0][2]}, "gross": {fields[1][2]}}
	}
	if page := follow(begun); !strings.Contains(page.body, "wartet auf Freigabe") || !strings.Contains(page.body, "ohne Mandat") || seen().Get("drafts") != "4" {
		t.Error("the cockpit does not say what the run did")
	}
	if page := c.get("/de/invoices/" + w.ours.failed.String()); !strings.Contains(page.body, "Die Straße in der Anschrift des Kunden fehlt.") {
		t.Error("a failed invoice does not say why")
	}
	if page := c.get("/en/invoices/" + w.ours.draft.String()); !strings.Contains(page.body, "enter the customer number") || strings.Contains(page.body, "<iframe") {
		t.Error("a draft cannot be issued, or has a PDF")
	}

	one := c.get("/de/invoices/" + w.ours.draft.String())
	number := regexp.MustCompile(`Kundennummer (\d+) ein`).FindStringSubmatch(one.body)
	if number == nil {
		t.Fatal("no customer number to type")
	}
	issue := "/de/invoices/" + w.ours.draft.String() + "/issue"
	if page := follow(c.post(issue, url.Values{"confirm": {"99999"}})); !strings.Contains(page.body, "Nichts freigegeben") {
		t.Error("the wrong customer number issues")
	}
	if page := follow(c.post(issue, url.Values{"confirm": {number[1]}})); !strings.Contains(page.body, "eine zweite Person frei") {
		t.Error("who made a draft approves it")
	}
	if page := followed(second.post(issue, url.Values{"confirm": {number[1]}})); !strings.Contains(page.body, "die Rechnung wird jetzt ausgestellt") {
		t.Error("the invoice is not approved")
	}
	w.settle()
	if page := c.get("/de/invoices/" + w.ours.draft.String()); !strings.Contains(page.body, "SWI-2026-000005") {
		t.Error("the invoice is not issued")
	}
	if page := followed(second.post(issue, url.Values{"confirm": {number[1]}})); !strings.Contains(page.body, "Nichts freigegeben") {
		t.Error("the invoice is issued twice")
	}
	if page := follow(c.post(cockpit+"/approve", seen())); !strings.Contains(page.body, "eine zweite Person frei") {
		t.Error("who made the drafts approves them")
	}
	stale := seen()
	stale.Set("gross", "1")
	if page := followed(second.post(cockpit+"/approve", stale)); !strings.Contains(page.body, "haben sich geändert") {
		t.Error("somebody approves what he has not seen")
	}
	if page := followed(second.post(cockpit+"/approve", seen())); !strings.Contains(page.body, "3 Rechnungen freigegeben") || strings.Contains(second.get("/de/invoices").body, "3 Rechnungen freigegeben") {
		t.Error("approving is not said once")
	}
	w.settle()
	if page := c.get("/de/invoices?month=2026-11&state=issued"); strings.Count(page.body, "SWI-2026-00000") < 4 {
		t.Error("the month is not issued")
	}

	pdf := c.get("/de/invoices/" + w.ours.draft.String() + "/document/pdf")
	if !strings.HasPrefix(pdf.body, "%PDF-") || pdf.Header.Get("Content-Type") != "application/pdf" || !strings.Contains(pdf.Header.Get("Content-Security-Policy"), "frame-ancestors 'self'") || !strings.HasPrefix(pdf.Header.Get("Content-Disposition"), "inline") {
		t.Errorf("PDF: %s %v", pdf.Status, pdf.Header)
	}
	xml := c.get("/de/invoices/" + w.ours.draft.String() + "/document/xml?download")
	if !strings.Contains(xml.body, "SWI-2026-000005") || !strings.HasPrefix(xml.Header.Get("Content-Disposition"), `attachment; filename="`) {
		t.Errorf("XML: %s %v", xml.Status, xml.Header)
	}
	for _, format := range []string{"pdf", "html", "docx"} {
		if res := c.get("/de/invoices/" + w.ours.failed.String() + "/document/" + format); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s of a draft: %s", format, res.Status)
		}
	}
	for format, want := range map[string]string{"html": "<h1>", "csv": "Belegnummer;", "xrechnung": "xeinkauf.de:kosit:xrechnung_3.0"} {
		path := "/de/invoices/" + w.ours.draft.String() + "/document/" + format
		first, again := c.get(path), c.get(path) // written when first asked for, then archived
		if first.StatusCode != http.StatusOK || !strings.Contains(first.body, want) || first.body != again.body {
			t.Errorf("%s: %s %.80s", format, first.Status, first.body)
		}
	}
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	tab.Open("/de/invoices/" + w.ours.draft.String() + "/document/html")
	tab.CheckPage("invoice as page")
	for _, form := range []url.Values{{}, {"month": {"2026-13"}}, {"month": {"x"}}} {
		if res := c.post("/de/runs", form); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%v: %s", form, res.Status)
		}
	}
	if res := second.post(cockpit+"/approve", url.Values{"drafts": {"x"}}); res.StatusCode != http.StatusBadRequest {
		t.Errorf("nonsense is approved: %s", res.Status)
	}
	if res := w.signIn(operator).post("/de/runs", month); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a run for every utility at once: %s", res.Status)
	}
	if page := c.get("/de/numbers"); !strings.Contains(page.body, "Lückenlos") || !strings.Contains(page.body, "SWI-2026") {
		t.Error("the numbers are not proven")
	}
	wizard := "/de/invoices/" + w.ours.draft.String() + "/correct"
	for _, wrong := range []url.Values{{}, {"reason": {"x"}}, {"reason": {"x"}, "line-1": {"viel"}}, {"reason": {"x"}, "line-1": {"1.234"}}, {"line-1": {"1"}}} {
		if page := c.post(wizard, wrong); page.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page.body, `role="alert"`) {
			t.Errorf("%v: %s", wrong, page.Status)
		}
	}
	form := url.Values{"reason": {"Säule defekt"}, "line-1": {"0,00"}, "do": {"preview"}}
	if page := c.post(wizard, form); page.StatusCode != http.StatusOK || !strings.Contains(page.body, "Rücknahme: ") || strings.Contains(c.get("/de/invoices").body, "SWI-K-2026-000001") {
		t.Errorf("preview: %s", page.Status)
	}
	form.Set("do", "issue")
	if page := follow(c.post(wizard, form)); !strings.Contains(page.body, "SWI-K-2026-000001") || !strings.Contains(page.body, "Berichtigt die Rechnung") {
		t.Error("the correction is not issued, or does not refer to its invoice")
	}
	if page := c.get("/de/invoices/" + w.ours.draft.String()); !strings.Contains(page.body, "Berichtigt durch") {
		t.Error("the invoice does not refer to its correction")
	}
	w.settle()
	if page := follow(c.post("/de/invoices/"+w.ours.failed.String()+"/retry", url.Values{})); !strings.Contains(page.body, "auf dem neuesten Stand") || !strings.Contains(page.body, "Die Straße") {
		t.Error("a failed draft is not retried")
	}
	if page := follow(c.post("/de/invoices/"+w.ours.failed.String()+"/readdress", url.Values{"customer": {"10001"}})); !strings.Contains(page.body, "anderer Empfänger") {
		t.Error("a draft is not made out to somebody else")
	}
}

// details reads what the pages say of one CDR of each kind.
func details(w *world) {
	t := w.T
	c := w.signIn(w.ours.staff)
	for id, wants := range map[uuid.UUID][]string{
		w.ours.disputed: {"fraglich", "8,40\u00a0€", "8,15\u00a0€", "Forderung weicht um 0,25\u00a0€ ab", "11,80\u00a0€", "1,52\u00a0€", "0,59\u00a0€/kWh", "Element 1, ohne Bedingung", "Kosten weichen von der Nachrechnung ab", "Tarif Standard, Version 1"},
		w.ours.held:     {"gehalten", "Eine Plausibilitätsregel hält ihn an", "Mehr Energie, als der Anschluss in der Zeit abgeben kann", "Wert 132 %, Grenze 110 %"},
		w.ours.waiting:  {"wartet", "Die Karte ist unbekannt", "nicht zugeordnet", "noch nicht bewertet"},
		w.ours.credited: {"gutgeschrieben", "zurückgenommen, wird nicht berechnet", "Zurückgenommen durch CDR-SWI-904070", "Gutschrift"},
	} {
		res := c.get("/de/cdrs/" + id.String())
		for _, want := range wants {
			if !strings.Contains(res.body, want) {
				t.Errorf("%s: %s without %q", id, res.Status, want)
			}
		}
	}
	for id, wants := range map[uuid.UUID][]string{
		w.ours.proven: {"Signierte Messdaten", "geprüft", "M-SWI", "1.000,500\u00a0kWh", "1.053,622\u00a0kWh", "53,122 kWh", "Typenschild, Foto", "OCMF"},
		w.ours.forged: {"ungültig", "Die Signatur passt nicht zum Datensatz", "signature-mismatch", "kein hinterlegter Schlüssel passt", "nicht bewiesen"},
		w.ours.rated:  {"keine signierten Messdaten"},
	} {
		res := c.get("/de/cdrs/" + id.String())
		for _, want := range wants {
			if !strings.Contains(res.body, want) {
				t.Errorf("%s: %s without %q", id, res.Status, want)
			}
		}
	}
	file := c.get("/de/cdrs/" + w.ours.proven.String() + "/meter.xml")
	if !strings.Contains(file.body, "<values>") || !strings.Contains(file.body, "OCMF|") || !strings.Contains(file.body, "<publicKey") || file.Header.Get("Content-Type") != "application/xml" {
		t.Errorf("meter file: %s\n%s", file.Status, file.body)
	}
	if res := c.get("/de/cdrs/" + w.ours.rated.String() + "/meter.xml"); res.StatusCode != http.StatusNotFound {
		t.Errorf("meter file of a CDR without meter data: %s", res.Status)
	}
	bills, err := w.ops.DB.CDRInvoices(t.Context(), w.ours.proven)
	w.check(err)
	if len(bills) != 1 {
		t.Fatalf("the session is on %d invoices", len(bills))
	}
	if res := c.get("/de/invoices/" + bills[0].ID.String() + "/meter.xml"); res.StatusCode != http.StatusNotFound {
		t.Errorf("meter data of a draft: %s", res.Status)
	}
	if res := c.get("/de/partners/" + w.cpo.ID.String()); !strings.Contains(res.body, "M-SWI") || strings.Contains(res.body, "M-SWL") {
		t.Error("the partner's page does not show the keys of this utility, and of no other")
	}
	message := c.get("/de/cdrs/" + w.ours.rated.String() + "/message.json")
	state, err := w.ops.DB.CDRDetail(t.Context(), db.CDRDetailParams{CDRID: w.ours.rated})
	w.check(err)
	raw, err := w.ops.DB.RawCDR(t.Context(), db.RawCDRParams{ID: w.ours.rated, ReceivedAt: state.CDRState.ReceivedAt})
	w.check(err)
	if !bytes.Equal([]byte(message.body), raw.Raw) || message.Header.Get("Content-Type") != "application/json" {
		t.Errorf("message: %s, %d bytes of %d", message.Status, len(message.body), len(raw.Raw))
	}
}

func TestErrorPages(t *testing.T) {
	w := open(t)
	c := w.signIn(operator)
	for path, want := range map[string]int{"/fr/overview": 404, "/nowhere": 404, "/de/nowhere": 404, "/de/cdrs/1/2": 404, "/de/theme": 404} {
		res := c.get(path, "Accept-Language", "de")
		if res.StatusCode != want || !strings.Contains(res.body, "<h1>") || res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	res := c.post("/de/theme", url.Values{"theme": {"dark"}}, "Referer", w.url+"/de/cdrs?state=held")
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/de/cdrs?state=held" || !strings.Contains(c.get("/de/cdrs").body, `data-theme="dark"`) {
		t.Errorf("theme without script: %s to %q", res.Status, res.Header.Get("Location"))
	}
	if res := c.post("/de/theme", url.Values{"theme": {"light"}}, "Referer", "https://evil.example/de/cdrs"); res.Header.Get("Location") != "/de/overview" {
		t.Errorf("back to another host: %q", res.Header.Get("Location"))
	}
}

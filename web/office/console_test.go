package office_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// consolePages is every page for those who run the platform, with a name for messages.
func (w *world) consolePages() [][2]string {
	quarantined, err := w.ops.DB.QuarantineGroups(w.Context(), db.QuarantineGroupsParams{State: "open", PartnerID: uuid.NullUUID{UUID: w.cpo.ID, Valid: true}, MaxRows: 1})
	w.check(err)
	return [][2]string{
		{"console-overview", "/overview"}, {"console-cdrs", "/cdrs"}, {"console-partners", "/partners"}, {"console-partner", "/partners/" + w.cpo.ID.String()}, {"console-hub", "/partners/" + w.hub.ID.String()},
		{"console-new", "/partners/new"}, {"console-handshake", "/partners/" + w.cpo.ID.String() + "/handshake"}, {"console-conformance", "/partners/" + w.cpo.ID.String() + "/conformance"},
		{"console-settings", "/partners/" + w.cpo.ID.String() + "/settings"}, {"console-tenants", "/tenants"}, {"console-tenant", "/tenants/" + w.other.ID.String()},
		{"console-messages", "/messages"}, {"console-messages-filtered", "/messages?module=cdrs&class=2&span=24&direction=in&q=nothing"}, {"console-message", "/messages/" + w.ours.message.String()},
		{"console-quarantine", "/quarantine"}, {"console-quarantined", "/quarantine/" + quarantined[0].Sample.String()}, {"console-quarantine-none", "/quarantine?state=dismissed"},
		{"console-tariffs", "/tariffs"}, {"console-tariff", "/tariffs/show?of=" + url.QueryEscape("DE*LNN/DC-2026")},
		{"console-tariffs-findings", "/tariffs?state=findings"}, {"console-tariff-wrong", "/tariffs/show?kwh=-1&of=" + url.QueryEscape("DE*LNN/DC-2026")},
		{"console-cards", "/cards?state=open"}, {"console-card", "/cards/" + w.ours.card.String()}, {"console-gaps", "/gaps"},
		{"console-trace", "/trace?of=" + url.QueryEscape("cdrs/DE*LNN/"+w.ours.ratedID)}, {"console-trace-find", "/trace?q=" + w.ours.ratedID},
	}
}

// console holds the pages for those who run the platform to the same rules as those of the staff of a utility.
func console(w *world) {
	browser, who := uitest.Open(w.T), w.signIn(operator)
	for _, theme := range []string{"light", "dark"} {
		w.Run(theme, func(t *testing.T) {
			t.Parallel()
			tab := browser.Tab(t, w.url)
			tab.Cookies(&http.Cookie{Name: "theme", Value: theme})
			tab.Cookies(who.cookies()...)
			for _, p := range w.in(t).consolePages() {
				for _, lang := range []string{"de", "en"} {
					look(tab, p[0]+"-"+lang+"-"+theme, "/"+lang+p[1])
				}
			}
		})
	}
	w.Run("content", func(t *testing.T) { consoleContent(w.in(t), who) })
}

// consoleContent reads what the pages say.
func consoleContent(w *world, c *client) {
	trace := "/en/trace?of=" + url.QueryEscape("cdrs/DE*LNN/"+w.ours.ratedID)
	for path, wants := range map[string][]string{
		"/en/partners":                            {"no answer", "Roaming-Drehscheibe", "usual", "Connect a partner"},
		"/en/partners/" + w.cpo.ID.String():       {"writes countries other than as three capital letters", "cdr_location.country: DE", "tolerate, report", "Read changes now", ">used<", "is missing", "Rotate tokens"},
		"/en/messages":                            {"124 messages", "connection refused", "page-next"},
		"/en/messages?state=refused":              {"2 messages", "charging_periods[0].dimensions[0].volume: required"},
		"/en/messages?class=2&module=cdrs":        {"2 messages"},
		"/en/messages?class=0":                    {"2 messages"},
		"/en/messages?direction=out":              {"2 messages"},
		"/en/messages?q=" + w.ours.ratedID:        {"1 message<"},
		"/en/messages/" + w.ours.message.String(): {"This is right", "charging_periods[0].dimensions[0].volume", "writes countries other than", "A field is wrong or missing", "&#34;DEU&#34;"},
		"/en/quarantine":                          {"charging_periods[].dimensions[].volume", "All 4 of this group"},
		"/en/tariffs":                             {"DC-2026", "Energy €0.45/kWh plus 19% VAT per 1", "and 1 more", "2 findings"},
		"/en/tariffs?state=findings":              {"DC-2026", "1 tariff<"},
		"/en/tariffs?state=ended":                 {"Nothing found"},
		"/en/tariffs/show?of=DE*LNN/DC-2026": {"elements[0].price_components[0].price", "<del>0.39</del>", "<ins>0.45</ins>", "from 06:00 to 22:00 · Mon, Fri · duration from 30\u00a0min", "never holds: an earlier element always does", "Connectors with this tariff</dt><dd>1</dd>",
			"Element 3 (session fee) never prices anything: whenever it holds, an earlier one does (element 2).", "5 kWh after 28 min: element 2 holds, session fee 0.35 €", "elements[2]", "Some prices state a VAT", "Marktplatz"},
		"/en/tariffs/show?of=DE*LNN/DC-2026&at=2026-11-23T12:00&kwh=30&minutes=40": {"22.500 kWh × 0.3451 €/kWh", "7.500 kWh × 0.5355 €/kWh", "= 12.20 €", "€1.9475"},
		"/en/tariffs/show?of=DE*LNN/DC-2026&at=soon&kwh=-1&minutes=9999":           {"Enter date and time", "Enter a number above 0", "Enter a whole number", `aria-describedby="kwh-error"`},

		"/en/tariffs/show?of=DE*LNN/DC-2026&version=1": {"This is the first version", "€0.39/kWh"},
		"/en/cards": {"confirmed", "away"},
		"/en/gaps":  {"GONE-SWI", "GONE-SWL", "No CDR has come for 30 hours", "Read CDRs"},
		"/en/partners/" + w.cpo.ID.String() + "/conformance": {"OCPI 2.2.1 § CDRs module", "charging_periods[].dimensions[].volume: required", "sessions: 120 of 120 messages without a finding", "OCPI check for Ladenetz Nord GmbH (DE*LNN)",
			"tariffs: 1 of 1 current ones with findings", "element-unreachable (1, such as DE*LNN/DC-2026)"},
		trace:                           {"POST cdrs from Ladenetz Nord GmbH", "PATCH sessions from", "Charging began", "Rating 1", "CDR " + w.ours.ratedID + " stored"},
		"/en/trace?q=" + w.ours.ratedID: {"CDR <code>DE*LNN/" + w.ours.ratedID},
		"/en/overview":                  {"Alerts", "Quarantine"},
	} {
		res := c.get(path)
		for _, want := range wants {
			if res.StatusCode != http.StatusOK || !strings.Contains(res.body, want) {
				w.Errorf("%s: %s without %q", path, res.Status, want)
			}
		}
	}
	if body := c.get("/en/partners").body; strings.Index(body, "Roaming-Drehscheibe") > strings.Index(body, "Ladenetz Nord") {
		w.Error("the partner that does not answer is not the first")
	}
	for _, path := range []string{"/en/tariffs/show?of=DE*LNN/NONE", "/en/tariffs/show?of=nonsense", "/en/trace?of=nonsense", "/en/trace?of=" + url.QueryEscape("invoices/DE*LNN/1")} {
		if res := c.get(path); res.StatusCode != http.StatusNotFound {
			w.Errorf("%s: %s", path, res.Status)
		}
	}
	next := link(nextPage, c.get("/en/messages").body)
	second := c.get(next)
	if third := link(nextPage, second.body); next == "" || third == "" || link(prevPage, second.body) != "/en/messages" || strings.Count(c.get(third).body, `<a href="/en/messages/`) != 24 {
		w.Errorf("the pages of the log: %q, %q", next, third)
	}
	clerk := w.signIn(w.ours.staff)
	if body := clerk.get(trace).body; !strings.Contains(body, "POST cdrs from") || strings.Contains(body, `href="/en/messages/`) {
		w.Error("a clerk's trace: no messages, or links to the log")
	}
}

// TestQuarantineAndQuirks takes messages out of quarantine and decides on quirks.
func TestQuarantineAndQuirks(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.cpo = w.partner("Ladenetz Nord GmbH", "CPO", "LNN")
	c := w.signIn(operator)
	first := w.quarantine(w.cpo, "CDR-1", "charging_periods[0].volume", "required", "")
	w.quarantine(w.cpo, "CDR-2", "charging_periods[7].volume", "required", "")
	stubborn := w.quarantine(w.cpo, "CDR-3", "total_cost", "required", `{"id":"CDR-3","remark":"refuse me"}`)
	silly := w.quarantine(w.cpo, "CDR-4", "currency", "required", "")
	state := func(id uuid.UUID) string {
		row, err := w.ops.DB.QuarantinedMessage(t.Context(), id)
		w.check(err)
		return row.State + " " + row.Resolution + " " + row.ResolvedBy
	}
	follow := func(path string, form url.Values) string {
		res := c.post("/en"+path, form)
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %s", path, res.Status)
		}
		return c.get(strings.TrimPrefix(res.Header.Get("Location"), c.url)).body
	}
	if body := follow("/quarantine/"+first.String()+"/replay", url.Values{"all": {"1"}}); !strings.Contains(body, "2 messages taken.") {
		t.Error("the group was not replayed")
	}
	if got := state(first); got != "replayed HTTP 200, 1000 Olga Operator" {
		t.Error(got)
	}
	if body := follow("/quarantine/"+stubborn.String()+"/replay", nil); !strings.Contains(body, "1 refused again: total_cost: required") || state(stubborn) != "open  " {
		t.Errorf("refused again: %s", state(stubborn))
	}
	if body := follow("/quarantine/"+silly.String()+"/dismiss", url.Values{"reason": {" "}}); !strings.Contains(body, "enter a reason") || state(silly) != "open  " {
		t.Errorf("dismissed without a reason: %s", state(silly))
	}
	follow("/quarantine/"+silly.String()+"/dismiss", url.Values{"reason": {"a test CDR"}})
	if got := state(silly); got != "dismissed a test CDR Olga Operator" {
		t.Error(got)
	}
	page := "/partners/" + w.cpo.ID.String()
	follow(page+"/quirk", url.Values{"quirk": {"text-for-number"}, "mode": {"off"}})
	if p, err := w.ops.DB.Partner(t.Context(), w.cpo.ID); err != nil || len(p.RefusedQuirks) != 1 || p.RefusedQuirks[0] != "text-for-number" {
		t.Errorf("refused quirks: %v, %v", p.RefusedQuirks, err)
	}
	for _, form := range []url.Values{{"quirk": {"nonsense"}, "mode": {"off"}}, {"quirk": {"text-for-number"}, "mode": {"never"}}} {
		if res := c.post("/en"+page+"/quirk", form); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%v: %s", form, res.Status)
		}
	}
	if body := follow(page+"/end", url.Values{"confirm": {"somebody else"}}); !strings.Contains(body, "Not ended") {
		t.Error("ended without its name")
	}
	if body := follow(page+"/end", url.Values{"confirm": {w.cpo.Name}}); !strings.Contains(body, "has ended") {
		t.Error("not ended")
	}
}

var tokenField = regexp.MustCompile(`id="token"[^>]* value="(rw\.[A-Z0-9]+)"`)

// wizard invites a partner, and tries to register with one that is not there.
func wizard(w *world) {
	c := w.signIn(operator)
	res := c.post("/en/partners/invite", url.Values{"name": {"Nordstrom Laden"}, "role": {"CPO"}, "party": {"de*nsl"}, "tenant": {w.ours.ID.String()}})
	token := tokenField.FindStringSubmatch(res.body)
	if res.StatusCode != http.StatusOK || token == nil || !strings.Contains(res.body, "https://roamwerk.example/ocpi/versions") {
		w.Fatalf("invitation: %s", res.Status)
	}
	partner, err := w.ops.DB.PartnerByName(w.Context(), "Nordstrom Laden")
	w.check(err)
	if tenants, err := w.ops.DB.TenantsOfPartner(w.Context(), partner.ID); err != nil || len(tenants) != 1 || tenants[0].ID != w.ours.ID {
		w.Errorf("works with %d utilities, %v", len(tenants), err)
	}
	page := "/en/partners/" + partner.ID.String() + "/handshake"
	if body := c.get(page).body; !strings.Contains(body, "has not called yet") || !strings.Contains(body, `hx-trigger="every 2s"`) || strings.Contains(body, token[1]) {
		w.Error("the waiting page does not wait, or shows the token again")
	}
	w.log(db.InsertMessagesParams{At: w.now, PartnerID: uuid.NullUUID{UUID: partner.ID, Valid: true}, Module: "credentials", Method: "POST", Path: "/ocpi/2.2.1/credentials", StatusCode: 3001, StatusMessage: "GET https://cpo.example/versions: no answer", Outcome: "failed"})
	if body := c.get(page, "HX-Request", "true").body; strings.Contains(body, "<html") || !strings.Contains(body, "no answer") || !strings.Contains(body, "We could not read the partner") {
		w.Error("a handshake that failed does not say why, or what to do")
	}
	for _, form := range []url.Values{{"name": {""}, "role": {"CPO"}}, {"name": {"X"}, "role": {"EMSP"}}, {"name": {"X"}, "role": {"CPO"}, "party": {"nonsense"}}, {"name": {"Nordstrom Laden"}, "role": {"CPO"}}} {
		if res := c.post("/en/partners/invite", form); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, "error-summary") {
			w.Errorf("%v: %s", form, res.Status)
		}
	}
	for form, want := range map[string]string{
		"name=Weg+und+Fort&url=http://127.0.0.1:1/versions&token=abc": "127.0.0.1:1", "name=Y&url=ftp://x&token=abc": "Enter an address", "name=Y&url=https://x.example&token=": "Enter the token",
	} {
		values, _ := url.ParseQuery(form)
		if res := c.post("/en/partners/register", values); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, want) || strings.Contains(res.body, `value="abc"`) {
			w.Errorf("%s: %s", form, res.Status)
		}
	}
	tab := uitest.Open(w.T).Tab(w.T, w.url)
	tab.Cookies(c.cookies()...)
	look(tab, "console-waiting", "/de"+strings.TrimPrefix(page, "/en"))
}

// blocking blocks a card and sees it reach the partner that answers, while the other one is still missing.
func blocking(w *world) {
	c := w.signIn(w.ours.staff)
	issued, err := w.ops.DB.CardList(w.Context(), db.CardListParams{TenantID: uuid.NullUUID{UUID: w.ours.ID, Valid: true}, Direction: 1, Pattern: "%fuhrpark%", MaxRows: 1})
	w.check(err)
	page := "/cards/" + issued[0].ID.String()
	if res := c.post("/en"+page+"/block", url.Values{"confirm": {"nonsense"}, "block": {"1"}}); !strings.Contains(c.get(res.Header.Get("Location")).body, "Nothing changed") {
		w.Error("blocked without its number")
	}
	tab := uitest.Open(w.T).Tab(w.T, w.url)
	tab.Cookies(c.cookies()...)
	tab.Size(1440, 900)
	tab.Open("/en" + page)
	uitest.Eval[bool](tab, `(() => { document.getElementById("confirm").value = "`+issued[0].UID+`"; document.querySelector("button.danger").click(); return true; })()`)
	tab.WaitFor(`document.querySelector("h1 .tag.err")?.textContent === "blocked"`)
	tab.WaitFor(`document.querySelector("#spread").textContent === "Confirmed by 1 of 2 partners"`)
	tab.CheckPage("a blocked card")
	if body := c.get("/en/cards?state=blocked").body; !strings.Contains(body, page) || !strings.Contains(body, "1 card<") {
		w.Error("the card is not among those blocked")
	}
	if token, err := w.ops.DB.Token(w.Context(), issued[0].ID); err != nil || token.Token.Valid {
		w.Errorf("the card is valid: %v", err)
	}
}

// TestManyMessages opens a log that is too long to be counted.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.cpo = w.partner("Ladenetz Nord GmbH", "CPO", "LNN")
	rows := make([]db.InsertMessagesParams, 10_050)
	for i := range rows {
		rows[i] = db.InsertMessagesParams{
			ID: uuid.New(), At: w.now.Add(-time.Duration(i) * time.Second), Direction: "in", PartnerID: uuid.NullUUID{UUID: w.cpo.ID, Valid: true}, Version: "2.2.1", Module: "locations", Method: "PATCH",
			Path: fmt.Sprint("/ocpi/2.2.1/locations/DE/LNN/L", i), HTTPStatus: 200, StatusCode: 1000, Outcome: "taken", Objects: jobs.Findable([]string{fmt.Sprint("locations/DE*LNN/L", i)}),
			Request: []byte("{}"), Response: []byte("{}"), Findings: []byte("[]"),
		}
	}
	rows[7].Outcome, rows[10_040].Outcome = "noted", "failed"
	_, err := w.ops.DB.InsertMessages(t.Context(), rows)
	w.check(err)
	c := w.signIn(operator)
	for path, wants := range map[string][]string{
		"/messages":                        {"At least 10,000 messages", ">10,000+<", ">1+<", ">1<", ">0<"},
		"/messages?q=l9":                   {"1 message<", ">1<", "/DE/LNN/L9<"},
		"/messages?q=locations/DE*LNN/L9":  {"1 message<"},
		"/messages?q=LNN":                  {"Nothing found"},
		"/messages?direction=out":          {"Nothing found"},
		"/messages?q=l9&direction=out":     {"Nothing found"},
		"/messages?q=l9&module=locations":  {"1 message<"},
		"/messages?state=failed":           {"1 message<", "/DE/LNN/L10040<"},
		"/messages?state=noted&span=1":     {"1 message<"},
		"/messages?state=refused&q=l10049": {"Nothing found"},
	} {
		body := c.get("/en" + strings.ReplaceAll(path, "*", "%2A")).body
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q", path, want)
			}
		}
	}
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	look(tab, "messages-many", "/de/messages")
}

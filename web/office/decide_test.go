package office_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// TestDecisions decides about CDRs by the forms of their pages.
func TestDecisions(t *testing.T) {
	t.Parallel()
	w := build(t, 6)
	for _, part := range []struct {
		name string
		run  func(*world)
	}{{"forms", decisionForms}, {"two people", twoPeople}, {"chain", chainOfCredits}, {"explanation", explanations}, {"bulk", bulkDecisions}, {"keys", decisionKeys}, {"list keys", listKeys}} {
		t.Run(part.name, func(t *testing.T) { part.run(w.in(t)) })
	}
}

// decisionForms says what is wrong beside the field, shows what would happen, and does it.
func decisionForms(w *world) {
	t, c, u := w.T, w.signIn(w.ours.staff), w.ours
	for _, bad := range []struct {
		kind   string
		fields []string
		want   string
	}{
		{"waive", []string{"reason", "  "}, `<a href="#waive-reason">Give a reason.</a>`},
		{"hold", []string{"until", "2020-01-01"}, `<a href="#hold-until">The date is not in the future.</a>`},
		{"hold", []string{"until", "soon"}, `<a href="#hold-until">“soon” is no date such as 31.12.2026.</a>`},
		{"dispute", []string{"dispute", "mood"}, `There is no such reason for a dispute.`},
		{"dispute", []string{"dispute", "price", "accepted", "much"}, `<a href="#dispute-accepted">“much” is no amount such as 39.50.</a>`},
		{"dispute", []string{"dispute", "price", "accepted", "9999"}, `<a href="#dispute-accepted">The accepted amount is not between nothing and the claim.</a>`},
		{"reassign", nil, `<a href="#reassign-card">Name the card or the contract.</a>`},
		{"reassign", []string{"card", "04NOBODY"}, `There is no such card.`},
		{"reassign", []string{"card", card(&w.other, 0)}, `There is no such card.`},
		{"reassign", []string{"contract", "DE-SWL-C00042187-0"}, `There is no such contract.`},
		{"reassign", []string{"contract", "DE-SWI-C00042188-1", "from", "2026-11-02T10:00", "to", "2026-11-01T10:00"}, `The time ends before it begins.`},
		{"tariff", []string{"plan", uuid.NewString(), "reason", "x"}, `There is no such tariff.`},
		{"magic", nil, ""},
		{"confirm-drop", nil, ""},
	} {
		res := c.decide(u.held, bad.kind, bad.fields...)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, bad.want) {
			t.Errorf("%s %v: %s without %q", bad.kind, bad.fields, res.Status, bad.want)
		}
	}
	if w.state(u.held).State != "held" {
		t.Fatal("a bad decision has changed something")
	}
	if res := c.decide(u.held, "waive", "reason", "  ", "next", "1"); !strings.Contains(res.body, `<details name="decision" open data-key="w">`) {
		t.Error("the form with the error is closed")
	}
	res := c.decide(u.held, "accept", "preview", "1")
	if res.StatusCode != http.StatusOK || !strings.Contains(res.body, "released, customer pays €0.00 → €43.63 net") || w.state(u.held).State != "held" {
		t.Errorf("preview: %s, %s", res.Status, w.state(u.held).State)
	}
	for _, step := range []struct {
		kind          string
		fields        []string
		said          string
		state, retail string
		cpo           string
	}{
		{"note", []string{"reason", "customer was called"}, "note kept", "held", "open", "questioned"},
		{"assign", []string{"assignee", "Klara Clerk"}, "assigned", "held", "open", "questioned"},
		{"hold", []string{"until", "24.12.2026", "reason", "wait for the meter"}, "held", "held", "open", "questioned"},
		{"dispute", []string{"dispute", "energy", "note", "impossible"}, "disputed with the operator", "held", "open", "disputed"},
		{"waive", []string{"reason", "goodwill"}, "waived for the customer", "rated", "waived", "disputed"},
		{"accept", []string{"side", "retail"}, "released, customer pays €0.00 → €35.23 net", "rated", "released", "disputed"}, // rated again, less the voucher of €10.00 that was redeemed since
		{"tariff", []string{"plan", "", "reason", "as agreed"}, "released", "rated", "released", "disputed"},
	} {
		res := c.decide(u.held, step.kind, step.fields...)
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %s: %s", step.kind, res.Status, problems(res.body))
		}
		if body := c.get(res.Header.Get("Location")).body; !strings.Contains(body, `role="status">`) || !strings.Contains(body, step.said) {
			t.Errorf("%s: the page does not say %q", step.kind, step.said)
		}
		if s := w.state(u.held); s.State != step.state || s.RetailState != step.retail || s.CPOState != step.cpo {
			t.Errorf("%s: %s, %s, %s", step.kind, s.State, s.RetailState, s.CPOState)
		}
	}
	body := c.get("/en/cdrs/" + u.held.String()).body
	for _, want := range []string{"customer was called", "Assignee", "wait for the meter", "Disputed with the operator", "Waived for the customer", "Dispute D-", "goodwill", "Klara Clerk"} {
		if !strings.Contains(body, want) {
			t.Errorf("the history does not tell %q", want)
		}
	}
	if until := w.state(u.held).HeldUntil; until != nil {
		t.Errorf("released and held until %s", until)
	}
	// A list leads on: the next of it after this one, though this one left it.
	list := url.Values{"month": {"all"}, "sort": {"start"}}.Encode()
	res = c.decide(u.waiting, "note", "reason", "x", "list", list, "next", "1")
	at, err := url.Parse(res.Header.Get("Location"))
	if err != nil || at.Path != "/en/cdrs/"+u.disputed.String() || at.Query().Get("list") != list {
		t.Errorf("next: %s", at)
	}
	body = c.get(at.String()).body
	if !strings.Contains(body, `rel="prev" href="/en/cdrs/`+u.waiting.String()) || !strings.Contains(body, `rel="next" href="/en/cdrs/`+u.credited.String()) {
		t.Error("a CDR does not lead to its neighbours in the list")
	}
	if res := c.decide(u.disputed, "remember", "reason", "they round up"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("remember: %s: %s", res.Status, problems(res.body))
	}
	// The card of the one that waits belongs to somebody after all.
	if res := c.decide(u.waiting, "reassign", "card", card(&w.ours, 3), "reason", "read wrongly"); res.StatusCode != http.StatusSeeOther || w.state(u.waiting).State != "rated" {
		t.Errorf("reassign: %s, %s: %s", res.Status, w.state(u.waiting).State, problems(res.body))
	}
}

// problems is what a page says is wrong.
func problems(body string) string {
	_, rest, _ := strings.Cut(body, `class="error-summary"`)
	text, _, _ := strings.Cut(rest, "</div>")
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " ")), " ")
}

// twoPeople drop what is worth much; one alone cannot, and those of another utility cannot at all.
func twoPeople(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	w.hire(uuid.NullUUID{UUID: w.ours.ID, Valid: true}, "zoe@sw-isenhagen.example", "Zoe Zweit")
	zoe := w.signIn("zoe@sw-isenhagen.example")
	dear := w.cdr(&w.ours, session{card: card(&w.ours, 3), start: w.now.Add(-20 * time.Hour), minutes: 120, kwh: "180"})
	w.settle()
	if res := c.decide(dear, "drop", "reason", "never happened"); res.StatusCode != http.StatusSeeOther || w.state(dear).State == "dropped" {
		t.Fatalf("propose: %s, %s", res.Status, w.state(dear).State)
	}
	body := c.get("/en/cdrs/" + dear.String()).body
	if !strings.Contains(body, "Klara Clerk proposes to drop the session") || strings.Contains(body, "Agree and drop") || !strings.Contains(body, "Withdraw the proposal") {
		t.Error("the one who proposed is not asked to withdraw")
	}
	if res := c.decide(dear, "confirm-drop"); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, "A second person confirms the proposal.") {
		t.Errorf("confirm alone: %s", res.Status)
	}
	if body := zoe.get("/en/cdrs/" + dear.String()).body; !strings.Contains(body, "Agree and drop") || !strings.Contains(body, "never happened") {
		t.Error("the second person is not asked")
	}
	if res := zoe.decide(dear, "confirm-drop"); res.StatusCode != http.StatusSeeOther || w.state(dear).State != "dropped" {
		t.Errorf("confirm: %s, %s", res.Status, w.state(dear).State)
	}
	for kind, offered := range map[string]bool{"accept": false, "waive": false, "drop": false, "reassign": false, "note": true, "assign": true} {
		if got := strings.Contains(c.get("/en/cdrs/"+dear.String()).body, `name="kind" value="`+kind+`"`); got != offered {
			t.Errorf("dropped: %s offered %v", kind, got)
		}
	}
}

// chainOfCredits shows original, credit and replacement as one session.
func chainOfCredits(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	body := c.get("/en/cdrs/" + w.ours.credited.String()).body
	_, chain, _ := strings.Cut(body, `id="chain"`)
	chain, _, _ = strings.Cut(chain, "</section>")
	if strings.Count(chain, "CDR-SWI-") != 2 || !strings.Contains(chain, "€0.00") || !strings.Contains(chain, `aria-current="true"`) {
		t.Errorf("chain: %s", chain)
	}
}

// explanations are a sentence, a trace and a document that reproduces the figures.
func explanations(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	page := c.get("/de/cdrs/" + w.ours.disputed.String()).body
	for _, want := range []string{`class="sentence">`, "20,000", "Lesart ", "gefordert", "Preis des Betreibers: Rechenweg in", "Preis des Kunden: Rechenweg in"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	res := c.get("/en/cdrs/" + w.ours.disputed.String() + "/explanation.json")
	var doc struct {
		CDR        string
		Reproduced bool
		Sentence   map[string]string
		Trace      map[string][]string
		Wholesale  billing.Explanation
		Retail     billing.Explanation
		Items      []any
	}
	if err := json.Unmarshal([]byte(res.body), &doc); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]billing.Explanation{"wholesale": doc.Wholesale, "retail": doc.Retail} {
		if _, err := e.Replay(); err != nil || e.SHA256 == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !doc.Reproduced || doc.Sentence["de"] == "" || len(doc.Trace["en"]) < 3 || len(doc.Wholesale.Periods) != 1 || len(doc.Items) == 0 || !strings.HasPrefix(doc.CDR, "DE*LNN/CDR-SWI-") {
		t.Errorf("%+v", doc)
	}
	if res := c.get("/en/cdrs/" + w.ours.credited.String() + "/explanation.json"); res.StatusCode != http.StatusOK {
		t.Errorf("of one that was credited: %s", res.Status)
	}
}

// decisionKeys works on a CDR with the keyboard.
func decisionKeys(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	w.count += 100 // other parts have counted for themselves
	a := w.cdr(&w.ours, session{card: card(&w.ours, 1), start: w.now.Add(-6 * time.Hour), minutes: 10, kwh: "87"})
	b := w.cdr(&w.ours, session{card: card(&w.ours, 2), start: w.now.Add(-5 * time.Hour), minutes: 10, kwh: "86"})
	w.settle()
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	tab.Size(1440, 900)
	list := url.QueryEscape("month=all&sort=start")
	tab.Open("/en/cdrs/" + a.String() + "?list=" + list)
	tab.Keys("w")
	tab.WaitFor(`document.activeElement?.id === "waive-reason"`)
	uitest.Eval[string](tab, `document.activeElement.value = ""`) // the protocol types what the page has taken
	tab.Keys("a wheel")
	if got := uitest.Eval[string](tab, `document.getElementById("waive-reason").value`); got != "a wheel" {
		t.Errorf("typed %q", got)
	}
	uitest.Eval[bool](tab, `document.activeElement.blur() ?? true`)
	tab.Keys("?")
	tab.WaitFor(`document.getElementById("keys").open`)
	tab.CheckPage("keys")
	uitest.Eval[bool](tab, `document.getElementById("keys-on").click() ?? true`)
	tab.Keys("\x1b")
	tab.WaitFor(`!document.getElementById("keys").open`)
	tab.Keys("d")
	if uitest.Eval[bool](tab, `document.querySelector("[data-key=d]").open`) {
		t.Error("a key works that was switched off")
	}
	uitest.Eval[bool](tab, `localStorage.setItem("keys", "on") ?? true`)
	tab.Keys("a")
	tab.WaitFor(`document.querySelector("[data-key=a]").open && document.activeElement?.id === "accept-side"`)
	uitest.Eval[bool](tab, `document.querySelector("[data-key=a] button[name=next]").focus() ?? true`)
	tab.Keys("\r")
	tab.WaitFor(`location.pathname === "/en/cdrs/` + b.String() + `" && document.querySelector(".notice.ok")?.textContent.includes("released") && document.readyState === "complete"`)
	tab.Keys("k")
	tab.WaitFor(`location.pathname === "/en/cdrs/` + a.String() + `"`)
}

// awaitBulk waits until a decision about many CDRs is done, and returns its page.
func (c *client) awaitBulk(path string) string {
	c.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if body := c.get(path).body; !strings.Contains(body, "<progress") {
			return body
		}
	}
	c.Fatalf("%s is not done", path)
	return ""
}

// bulkDecisions shows what a decision about many CDRs would do, and does just that.
func bulkDecisions(w *world) {
	t, c, them, olga := w.T, w.signIn(w.ours.staff), w.signIn(w.other.staff), w.signIn(operator)
	w.count += 50 // other parts have counted for themselves
	var ids []string
	for i := range 3 {
		ids = append(ids, w.cdr(&w.ours, session{card: card(&w.ours, i), start: w.now.Add(-time.Duration(9-i) * time.Hour), minutes: 10, kwh: "8" + string(rune('1'+i))}).String())
	}
	w.settle()
	if body := c.get("/en/cdrs?state=held").body; !strings.Contains(body, `name="id" value="`+ids[0]+`"`) || !strings.Contains(body, `form id="selection"`) {
		t.Error("CDRs cannot be ticked")
	}
	if body := olga.get("/en/cdrs").body; strings.Contains(body, `form id="selection"`) {
		t.Error("an operator decides about several utilities at once")
	}
	if res := olga.get("/en/cdrs/decide?id=" + ids[0]); res.StatusCode != http.StatusSeeOther {
		t.Errorf("an operator without a utility: %s", res.Status)
	}
	if res := c.get("/en/cdrs/decide?kind=accept"); res.StatusCode != http.StatusSeeOther || !strings.Contains(c.get("/en/cdrs").body, "Select sessions first.") {
		t.Errorf("nothing selected: %s", res.Status)
	}
	theirs := w.other.held.String()
	form := c.get("/en/cdrs/decide?kind=waive&id=" + strings.Join(ids, "&id=") + "&id=" + theirs).body
	if !strings.Contains(form, "3 charging sessions · €96.99") || !strings.Contains(form, `<details name="decision" open><summary>Waive`) {
		t.Error("the form does not say what it is about")
	}
	if res := c.post("/en/cdrs/decide", url.Values{"id": ids, "kind": {"waive"}}); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, "Give a reason.") || strings.Count(res.body, ids[1]) == 0 {
		t.Errorf("without a reason: %s", res.Status)
	}
	if res := c.post("/en/cdrs/decide", url.Values{"id": ids, "kind": {"remember"}, "reason": {"x"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("remember many: %s", res.Status)
	}
	res := c.post("/en/cdrs/decide", url.Values{"id": append(ids, theirs), "kind": {"waive"}, "reason": {"a bad week"}})
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("preview: %s", res.Status)
	}
	preview := res.Header.Get("Location")
	body := c.awaitBulk(preview)
	for _, want := range []string{"Preview complete", "a bad week", "waived for the customer", "Carry out for 3 sessions", "€96.99"} {
		if !strings.Contains(body, want) {
			t.Errorf("preview without %q", want)
		}
	}
	if strings.Contains(body, theirs) {
		t.Error("a preview tells of another utility")
	}
	for _, path := range []string{preview, preview + "/run", preview + "/cancel"} {
		method := http.MethodPost
		if path == preview {
			method = http.MethodGet
		}
		if res := them.do(method, path, nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("another utility: %s %s: %s", method, path, res.Status)
		}
	}
	changed := uuid.MustParse(ids[2])
	w.skip.Add(int64(time.Minute))
	if res := c.decide(changed, "note", "reason", "asked the customer"); res.StatusCode != http.StatusSeeOther {
		t.Fatal(res.Status)
	}
	res = c.post(preview+"/run", nil)
	done := res.Header.Get("Location")
	if res.StatusCode != http.StatusSeeOther || done == preview {
		t.Fatalf("run: %s to %s", res.Status, done)
	}
	if body := c.awaitBulk(done); !strings.Contains(body, "Done") || !strings.Contains(body, "The CDR has changed since the preview.") {
		t.Error("what was done does not say what was left alone")
	}
	if w.state(uuid.MustParse(ids[0])).RetailState != "waived" || w.state(changed).RetailState != "open" || w.state(w.other.held).RetailState != "open" {
		t.Error("not what the preview has shown")
	}
	if res := c.post(done+"/run", nil); res.Header.Get("Location") != done {
		t.Errorf("what was done is carried out again: %s", res.Header.Get("Location"))
	}
	if res := c.post(done+"/cancel", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("cancel what is done: %s", res.Status)
	}
	if body := c.get("/en/bulks").body; strings.Count(body, "a bad week") != 2 {
		t.Error("the list of bulk decisions misses one")
	}
	// All that a list finds.
	res = c.post("/en/cdrs/decide", url.Values{"all": {"1"}, "list": {"state=held&month=all&q=" + url.QueryEscape(w.state(changed).OCPIID)}, "kind": {"accept"}})
	if body := c.awaitBulk(res.Header.Get("Location")); !strings.Contains(body, "Carry out for 1 session") {
		t.Error("all that is found is not what was found")
	}
}

// listKeys walks through the list, looks at rows, ticks some and decides.
func listKeys(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	tab.Size(1440, 900)
	tab.Open("/en/cdrs?month=all&sort=start&state=rated")
	row := func() string { return uitest.Eval[string](tab, `document.activeElement.title`) }
	tab.Keys("j")
	first := row()
	tab.Keys("j")
	second := row()
	tab.Keys("k")
	if first == "" || first == second || row() != first {
		t.Errorf("j, j, k: %q, %q, %q", first, second, row())
	}
	tab.Keys("v")
	tab.WaitFor(`document.getElementById("peek").open && document.querySelector("#peek h2 a")?.textContent === "` + first + `"`)
	tab.CheckPage("preview of a row")
	tab.Keys("j")
	tab.WaitFor(`document.querySelector("#peek h2 a")?.textContent === "` + second + `"`)
	tab.Keys("\x1b")
	tab.WaitFor(`!document.getElementById("peek").open`)
	uitest.Eval[bool](tab, `document.querySelector("[data-rows] th a").focus() ?? true`)
	tab.Keys("x")
	tab.Keys("j")
	tab.Keys("x")
	tab.WaitFor(`document.querySelector("[data-selected]").textContent.startsWith("2 selected · €")`)
	tab.CheckPage("ticked rows")
	tab.Keys("n") // no key here
	tab.Keys("w")
	tab.WaitFor(`location.pathname === "/en/cdrs/decide" && document.activeElement?.id === "waive-reason"`)
	tab.CheckPage("decision about many")
	uitest.Eval[string](tab, `document.activeElement.value = "a gift"`)
	tab.Click(`details[open] button[type=submit]`)
	tab.WaitFor(`location.pathname.startsWith("/en/bulks/") && document.getElementById("run")?.textContent === "Carry out for 2 sessions"`)
	tab.CheckPage("preview of a bulk decision")
	tab.Click("#run")
	tab.WaitFor(`document.querySelector("#progress")?.textContent.trim() === "Done"`)
	tab.CheckPage("bulk decision")
	tab.Open("/en/bulks")
	tab.CheckPage("bulk decisions")
}

package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// TestPriceDrafts begins a draft, edits it by form, tries it and publishes it.
func TestPriceDrafts(t *testing.T) {
	t.Parallel()
	w := open(t)
	u := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	c := w.signIn(u.staff)
	if res := c.post("/en/prices/drafts", url.Values{"name": {"  "}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("no name: %s", res.Status)
	}
	draft := c.post("/en/prices/drafts", url.Values{"name": {"Spring"}}).Header.Get("Location")
	if body := c.get(draft).body; !strings.Contains(body, "Spring") || !strings.Contains(body, `id="rule-0"`) {
		t.Fatalf("a draft does not begin as a copy of the price book: %s", draft)
	}
	for _, step := range []struct {
		name   string
		form   url.Values
		status int
		want   string
	}{
		{"a rule more", url.Values{"rules": {"1"}, "id-0": {"all"}, "plan-0": {"Standard"}, "do": {"add"}}, http.StatusSeeOther, `id="rule-1"`},
		{"a power that is none", url.Values{"rules": {"1"}, "plan-0": {"Standard"}, "from-0": {"much"}, "do": {"save"}}, http.StatusUnprocessableEntity, "a power in kW"},
		{"nonsense is kept and said", url.Values{"rules": {"1"}, "id-0": {"x"}, "plan-0": {"Standard"}, "cpo-0": {"nobody"}, "do": {"save"}}, http.StatusSeeOther, "a party such as DE*ABC"},
		{"a tie is refused", url.Values{"rules": {"2"}, "id-0": {"x"}, "plan-0": {"Standard"}, "id-1": {"y"}, "plan-1": {"Standard"}, "do": {"save"}}, http.StatusSeeOther, "as precise as rule x"},
		{"right", url.Values{"rules": {"2"}, "id-0": {"dc"}, "plan-0": {"Standard"}, "current-0": {"DC"}, "below-0": {"150,5"}, "id-1": {"ac"}, "plan-1": {"Standard"}, "current-1": {"AC"}, "do": {"save"}}, http.StatusSeeOther, "The draft is saved."},
	} {
		res := c.post(draft, step.form)
		body := res.body
		if res.StatusCode == http.StatusSeeOther {
			body = c.get(res.Header.Get("Location")).body
		}
		if res.StatusCode != step.status || !strings.Contains(body, step.want) {
			t.Errorf("%s: %s without %q", step.name, res.Status, step.want)
		}
	}
	if res := c.post("/en/prices/backtest", url.Values{"draft": {uuid.NewString()}, "months": {"3"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a back-test of nothing: %s", res.Status)
	}
	id := draft[strings.LastIndex(draft, "/")+1:]
	if res := c.post("/en/prices/backtest", url.Values{"draft": {id}, "months": {"13"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a back-test of 13 months: %s", res.Status)
	}
	res := c.post("/en/prices/backtest", url.Values{"draft": {id}, "months": {"12"}})
	if at := res.Header.Get("Location"); !strings.HasPrefix(at, "/en/prices/backtest/") || c.get(at).StatusCode != http.StatusOK {
		t.Errorf("back-test: %s to %q", res.Status, at)
	}
	if res := c.post(draft+"/plan", url.Values{"name": {"Spring DC"}, "kind-0": {"ENERGY"}, "price-0": {"x"}, "do": {"draft"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a plan that is none: %s", res.Status)
	}
	plan := url.Values{"name": {"Spring DC"}, "doc": {`{"currency":"EUR"}`}, "kind-0": {"ENERGY"}, "price-0": {"0,44"}, "vat": {"19"}, "do": {"draft"}}
	if body := c.follow(strings.TrimPrefix(draft, "/en")+"/plan", plan); !strings.Contains(body, "Spring DC is in the draft “Spring” now") || !strings.Contains(body, `<option value="Spring DC">`) {
		t.Error("the draft has no plan of its own")
	}
	if res := c.post(draft+"/plan", plan); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, "There is a plan of this name.") {
		t.Errorf("a second plan of that name: %s", res.Status)
	}
	if body := c.get(draft + "/plan?plan=Spring+DC").body; !strings.Contains(body, `value="0.44"`) {
		t.Error("the plan of the draft is not edited")
	}
	for _, name := range []string{"Winter", "%00"} {
		if res := c.get(draft + "/plan?plan=" + name); res.StatusCode != http.StatusNotFound {
			t.Errorf("a plan %q that is nowhere: %s", name, res.Status)
		}
	}
	body := c.follow(strings.TrimPrefix(draft, "/en"), url.Values{"rules": {"2"}, "id-0": {"dc"}, "plan-0": {"Spring DC"}, "current-0": {"DC"}, "below-0": {"150,5"}, "id-1": {"ac"}, "plan-1": {"Standard"}, "current-1": {"AC"}, "do": {"save"}})
	if strings.Contains(body, "error-summary") || !strings.Contains(body, ">new</span>") {
		t.Errorf("a rule cannot name the draft's plan: %s", problems(body))
	}
	res = c.post("/en/prices/backtest", url.Values{"draft": {id}, "months": {"12"}})
	if at := res.Header.Get("Location"); !strings.HasPrefix(at, "/en/prices/backtest/") {
		t.Errorf("back-test with the draft's plan: %s to %q", res.Status, at)
	}
	if res := c.post(draft+"/publish", url.Values{"from": {"soon"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("publish from nowhen: %s", res.Status)
	}
	if res := c.post(draft+"/publish", url.Values{"from": {"1.12.2026"}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("publish: %s", res.Status)
	}
	books, err := w.ops.DB.PriceBooks(w.Context(), u.ID)
	w.check(err)
	if len(books) != 2 || !strings.Contains(string(books[1].Doc), "150.5") || !strings.Contains(string(books[1].Doc), "Spring DC") || books[1].CreatedBy != "Klara Clerk" {
		t.Errorf("published: %d versions", len(books))
	}
	if c.get(draft).StatusCode != http.StatusNotFound {
		t.Error("a published draft is still there")
	}
	for at, want := range map[string]string{"?at=2026-12-02": "version 2", "?at=2026-11-30": "version 1"} {
		if body := c.get("/en/prices" + at).body; !strings.Contains(body, `<p class="lead">`+want) && !strings.Contains(body, want+" ·") {
			t.Errorf("%s does not show %s", at, want)
		}
	}
	_, err = w.ops.DB.PriceDraft(w.Context(), db.PriceDraftParams{ID: uuid.MustParse(id), TenantID: u.ID})
	if err == nil {
		t.Error("the draft is still stored")
	}
}

// fillingHoles goes from a hole of the matrix to the rule that fills it.
func fillingHoles(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	tab.Size(1440, 900)
	tab.Open("/en/prices/versions/" + w.ours.book.String())
	holes := uitest.Eval[int](tab, `document.querySelectorAll("a.tag.err").length`)
	if holes == 0 {
		t.Fatal("the price book has no holes to fill")
	}
	tab.Click("tbody tr:last-child td:last-child a.tag.err")
	tab.WaitFor(`location.pathname === "/en/prices/fill" && document.getElementById("draft-name")`)
	if got := uitest.Eval[string](tab, `document.querySelector(".lead").textContent`); got != "all customers, CPO DE*LNN, DC" {
		t.Errorf("the hole is for %q", got)
	}
	uitest.Eval[bool](tab, `document.getElementById("draft-name").focus() ?? true`)
	tab.Keys("Holes\r")
	tab.WaitFor(`location.hash === "#filled" && document.querySelector("fieldset.fresh")`)
	at := uitest.Eval[string](tab, "location.pathname")
	field := func(name string) string {
		return uitest.Eval[string](tab, `[...document.querySelectorAll("fieldset.fresh [name^='`+name+`-']")][0].value`)
	}
	if got := field("cpo") + " " + field("current") + " " + field("who") + " " + field("id"); got != "DE*LNN DC  r5" {
		t.Errorf("the rule begins with %q", got)
	}
	if got := uitest.Eval[string](tab, `document.querySelector("#rule-0 legend").textContent.trim().replace(/\s+/g, " ")`); got != "Rule 1 · group Privatkunden, anywhere, DC, below 150 kW" {
		t.Errorf("a rule says %q", got)
	}
	uitest.Eval[bool](tab, `(() => { window.left = false; document.querySelector("fieldset.fresh select").value = "Standard"; document.querySelector("button.primary[value=save]").click(); return true; })()`)
	tab.WaitFor(`window.left === undefined && document.readyState === "complete" && document.querySelector("main")`)
	if got := uitest.Eval[int](tab, `document.querySelectorAll("a.tag.err").length`); got >= holes {
		t.Errorf("%d holes before, %d after", holes, got)
	}
	uitest.Eval[bool](tab, `(() => { window.left = false; document.getElementById("whom-0").focus(); return true; })()`)
	tab.Keys("\r")
	tab.WaitFor(`window.left === undefined && document.readyState === "complete" && document.getElementById("rule-4")`) // return saves, and removes nothing
	if res := c.post(at+"/drop", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("drop: %s", res.Status)
	}
	for _, q := range []string{"cpo=nobody", "current=STROM", "from=much", "from=5&below=2"} {
		if res := c.get("/en/prices/fill?" + q); res.StatusCode != http.StatusNotFound {
			t.Errorf("a cell with %s: %s", q, res.Status)
		}
	}
}

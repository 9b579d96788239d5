package office_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// planKinds are plans of every kind, with whether the form can show them.
var planKinds = []struct {
	name, doc string
	form      bool
}{
	{"energy", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.590,"vat":19,"step_size":1}]}]}`, true},
	{"blocking by day", blockingPlan, true},
	{"without VAT", `{"currency":"CHF","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"step_size":1},{"type":"FLAT","price":1}]}],"min_price":{"excl_vat":2},"max_price":{"excl_vat":30}}`, true},
	{"says that it is without VAT", `{"currency":"EUR","tax_included":"NO","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}]}`, true},
	{"elements apart", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]},{"price_components":[{"type":"FLAT","price":1,"vat":19}]}]}`, true},
	{"two prices of one kind", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19},{"type":"ENERGY","price":0.5,"vat":19}]}]}`, true},
	{"night and weekend", `{"currency":"EUR","tax_included":"YES","elements":[
		{"price_components":[{"type":"ENERGY","price":0.3,"vat":19}],"restrictions":{"start_time":"22:00","end_time":"06:00","day_of_week":["SATURDAY","SUNDAY"]}},
		{"price_components":[{"type":"ENERGY","price":0.35,"vat":19}],"restrictions":{"min_kwh":10.5,"max_kwh":50}},
		{"price_components":[{"type":"ENERGY","price":0.45,"vat":19}],"restrictions":{"min_power":22,"max_power":150}},
		{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}]}`, true},
	{"times by the hour", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"TIME","price":1,"vat":19,"step_size":60},{"type":"PARKING_TIME","price":2,"vat":19}]}]}`, true},
	{"times by the minute", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"TIME","price":6,"vat":19,"step_size":60},{"type":"PARKING_TIME","price":0.6,"vat":19}],"restrictions":{"min_duration":90,"max_duration":5400}}]}`, true},
	{"blocking while it stands", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]},{"fee":"BLOCKING","price_components":[{"type":"PARKING_TIME","price":6,"vat":19,"step_size":60}]}]}`, true},
	{"blocking by the hour", `{"currency":"EUR","tax_included":"YES","elements":[{"fee":"BLOCKING","price_components":[{"type":"TIME","price":1,"vat":19},{"type":"PARKING_TIME","price":1,"vat":19}]}]}`, true},
	{"fees", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}],"base_fee":{"price":4.99,"vat":19,"per":"MONTH"},
		"one_off_fees":[{"kind":"CARD","price":0,"vat":19},{"kind":"ACTIVATION","price":10,"vat":19,"_note":"once"}]}`, true},
	{"free sessions", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}],"allowances":[{"id":"S","unit":"session","quantity":2,"dimensions":["FLAT","ENERGY"],"where":{"own":true}},{"id":"M","unit":"min","quantity":60}]}`, true},
	{"discounts and other caps stay", `{"_note":"ours","currency":"EUR","tax_included":"YES","tariff_alt_text":[{"language":"de","text":"Günstig"}],"elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}],
		"caps":[{"dimensions":["ENERGY"],"max":20},{"dimensions":["BLOCKING"],"max":12},{"dimensions":["BLOCKING","TIME"],"max":15}],"discounts":[{"name":"D","amount":1.5},{"name":"E","percent":33.3,"dimensions":["FLAT"]}]}`, true},
	{"rates of VAT", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19},{"type":"FLAT","price":1,"vat":7}]}]}`, false},
	{"a fee of another VAT", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}],"base_fee":{"price":4.99}}`, false},
	{"reservation", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"TIME","price":6,"vat":19}],"restrictions":{"reservation":"RESERVATION"}},{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}]}`, false},
	{"a season", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}],"restrictions":{"start_date":"2027-06-01","end_date":"2027-09-01"}},{"price_components":[{"type":"ENERGY","price":0.5,"vat":19}]}]}`, false},
	{"current", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}],"restrictions":{"min_current":16}},{"price_components":[{"type":"ENERGY","price":0.5,"vat":19}]}]}`, false},
	{"a note on an element", `{"currency":"EUR","tax_included":"YES","elements":[{"_note":"why","price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}]}`, false},
	{"a note on a price", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19,"_note":"why"}]}]}`, false},
	{"both sides of a limit", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}],"max_price":{"excl_vat":10,"incl_vat":11.9}}`, false},
	{"blocking of two prices", `{"currency":"EUR","tax_included":"YES","elements":[{"fee":"BLOCKING","price_components":[{"type":"TIME","price":6,"vat":19},{"type":"PARKING_TIME","price":3,"vat":19}]}]}`, false},
	{"days out of order", `{"currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}],"restrictions":{"day_of_week":["SUNDAY","MONDAY"]}}]}`, false},
	{"seventy prices", `{"currency":"EUR","tax_included":"YES","elements":[` + strings.Repeat(`{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}],"restrictions":{"max_kwh":1}},`, 69) + `{"price_components":[{"type":"ENERGY","price":0.4,"vat":19}]}]}`, false},
}

// storedPlans are the plans and tariffs of all test data that are right as plans.
func storedPlans(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, glob := range []string{"../../cmd/roamwerk/testdata/price/*.json", "../../jobs/*plan.json", "../../ocpi/testdata/tariff/*.json", "../../ocpi/v211/testdata/tariff/*.json", "../../ocpi/v230/testdata/tariff/*.json"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", glob, len(files), err)
		}
		for _, file := range files {
			doc, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := billing.ParsePlan(doc); err == nil {
				docs[file] = string(doc)
			}
		}
	}
	return docs
}

// TestPlanFormLosesNothing sends every kind of plan through the editor as a browser does, in both languages, and gets the same
// document back; a plan that the form cannot show is edited as a document.
func TestPlanFormLosesNothing(t *testing.T) {
	t.Parallel()
	w := open(t)
	u := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	c := w.signIn(u.staff)
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	tab.Open("/de/plans")
	try := func(name, doc string, form func(shown bool) bool) {
		first, err := w.ops.AddPlan(t.Context(), u.ID, name, []byte(doc), time.Time{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, lang := range []string{"de", "en"} {
			at := "/" + lang + "/plans/" + first.PlanID.String() + "/edit"
			posted := uitest.Eval[string](tab, `fetch("`+at+`").then(r => r.text()).then(body => {
				const form = new DOMParser().parseFromString(body, "text/html").getElementById("plan");
				return new URLSearchParams(new FormData(form)).toString();
			})`)
			values, err := url.ParseQuery(posted)
			w.check(err)
			if shown := values.Get("mode") != "document"; !form(shown) {
				t.Errorf("%s, %s: shown as a form: %t", name, lang, shown)
			}
			values.Set("do", "publish")
			values.Set("from", w.now.AddDate(0, 0, i+1).Format(time.DateOnly))
			if res := c.post(at, values); res.StatusCode != http.StatusSeeOther {
				t.Errorf("%s, %s: %s: %s", name, lang, res.Status, problems(res.body))
				continue
			}
			versions, err := w.ops.DB.PlanVersions(t.Context(), db.PlanVersionsParams{TenantID: u.ID, Name: name})
			w.check(err)
			if got, want := members(t, versions[len(versions)-1].Doc), members(t, []byte(doc)); len(versions) != i+2 || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: version %d\n got %v\nwant %v", name, lang, len(versions), got, want)
			}
		}
	}
	for _, p := range planKinds {
		try(p.name, p.doc, func(shown bool) bool { return shown == p.form })
	}
	for name, doc := range storedPlans(t) {
		try(name[len(name)-min(len(name), 60):], doc, func(bool) bool { return true })
	}
}

// members are those of a plan but for the time of its change; numbers are compared by value.
func members(t *testing.T, doc []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(doc, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "last_updated")
	return m
}

// TestPlanEditor writes a plan by form: what is wrong stands at its field, a new version begins on a day, and a draft can have
// a plan of its own.
func TestPlanEditor(t *testing.T) {
	t.Parallel()
	w := open(t)
	u := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	c := w.signIn(u.staff)
	draft, err := w.ops.AddPriceDraft(t.Context(), u.ID, "Spring")
	w.check(err)
	price := func(more ...string) url.Values {
		form := url.Values{"name": {"City"}, "doc": {`{"currency":"EUR"}`}, "kind-0": {"ENERGY"}, "price-0": {"0,55"}, "vat": {"19"}, "do": {"publish"}}
		for i := 0; i < len(more); i += 2 {
			form[more[i]] = []string{more[i+1]}
		}
		return form
	}
	for _, bad := range []struct {
		form        url.Values
		field, want string
	}{
		{price("price-0", "much"), "price-0", "Please enter a number such as 0.59."},
		{price("price-0", "1e999999"), "price-0", "Please enter a number such as 0.59."},
		{price("price-0", "-1"), "price-0", "Please enter an amount of at least 0."},
		{price("price-0", ""), "kind-0", "at least one price"},
		{price("name", " "), "name", "Please enter a name"},
		{price("name", "Standard"), "name", "There is a plan of this name."},
		{price("step-0", "1.5"), "step-0", "Please enter a whole number."},
		{price("start-0", "25:70"), "start-0", "This condition is not possible."},
		{price("to-min-0", "long"), "to-min-0", "Please enter a number such as 0.59."},
		{price("from-min-0", "0,001"), "from-min-0", "Please enter a whole number."},
		{price("vat", "-3"), "vat", "percentage"},
		{price("cap", "-12"), "cap", "Please enter an amount of at least 0."},
		{price("base_fee", "x"), "base_fee", "Please enter a number such as 0.59."},
		{price("CARD", "-5"), "CARD", "Please enter an amount of at least 0."},
		{price("min_price", "-5"), "min_price", "Please enter an amount of at least 0."},
		{price("free", "0", "free_unit", "kWh", "free_id", "A"), "free", "Please enter a number above 0."},
		{price("free", "5", "free_unit", "kWh"), "free_id", "This is missing."},
		{price("free", "1.5", "free_unit", "session", "free_id", "A"), "free", "Please enter a whole number."},
		{price("do", "draft", "draft", uuid.NewString()), "draft", "draft"},
		{price("mode", "document", "doc", `{"currency":`), "doc", "1 error"},
		{price("mode", "document", "doc", `{"currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":1}]}]} {}`), "doc", "1 error"},
		{price("mode", "document", "doc", `{"currency":"EUR","prize":1,"elements":[{"price_components":[{"type":"ENERGY","price":1}]}]}`), "doc", "1 error"},
	} {
		res := c.post("/en/plans/new", bad.form)
		said := problems(res.body)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(said, bad.want) || !strings.Contains(res.body, `href="#`+bad.field+`"`) || !strings.Contains(res.body, `id="`+bad.field+`-error"`) {
			t.Errorf("%v: %s, %q", bad.form, res.Status, said)
		}
		for field, values := range bad.form {
			typed := strings.NewReplacer(`"`, "&#34;").Replace(values[0])
			if asked := strings.Contains(res.body, ` name="`+field+`"`); asked && field != "do" && field != "draft" && !strings.Contains(res.body, typed) {
				t.Errorf("%s is wrong, and what was typed into %s is gone", bad.field, field)
			}
		}
	}
	if body := c.post("/en/plans/new", price("price-0", "viel", "do", "check")).body; !strings.Contains(body, `value="viel"`) {
		t.Error("return in a field loses what was typed")
	}
	if body := c.post("/en/plans/new", price("do", "add")).body; !strings.Contains(body, `id="price-1"`) || !strings.Contains(body, `value="City"`) {
		t.Error("no row more")
	}
	if body := c.post("/en/plans/new", price("do", "document")).body; !strings.Contains(body, "<textarea") || !strings.Contains(body, "0.55") || !strings.Contains(body, `value="City"`) {
		t.Error("the form does not become a document")
	}
	if body := c.post("/en/plans/new", price("mode", "document", "do", "form", "doc", blockingPlan)).body; !strings.Contains(body, `name="cap" value="12.00"`) {
		t.Error("the document does not become a form")
	}
	if body := c.post("/en/plans/new", price("mode", "document", "do", "form", "doc", strings.Replace(blockingPlan, `"fee"`, `"_note":1,"fee"`, 1))).body; !strings.Contains(body, "could not show all of this document") || !strings.Contains(body, "<textarea") {
		t.Error("a document is shown as a form that would lose something")
	}
	if body := c.post("/en/plans/preview", price(), "HX-Request", "true").body; !strings.Contains(body, "0.55") || !strings.Contains(body, "€22.00") || strings.Contains(body, "<html") {
		t.Errorf("preview: %s", body)
	}
	res := c.post("/en/plans/new", price("from-min-0", "", "cap", "", "base_fee", "4.99"))
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("save: %s: %s", res.Status, problems(res.body))
	}
	at := res.Header.Get("Location")
	if body := c.get(at).body; !strings.Contains(body, "City is published.") || !strings.Contains(body, "€0.55/kWh") {
		t.Error("the plan is not there")
	}
	edit := at + "/edit"
	for from, want := range map[string]string{"soon": "soon", "": "is no date"} {
		if res := c.post(edit, price("from", from)); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(problems(res.body), want) {
			t.Errorf("from %q: %s: %s", from, res.Status, problems(res.body))
		}
	}
	if body := c.follow(strings.TrimPrefix(edit, "/en"), price("price-0", "0.61", "from", "1.12.2026")); !strings.Contains(body, "0.61 €/kWh") {
		t.Error("no second version")
	}
	c.follow(strings.TrimPrefix(edit, "/en"), price("price-0", "0.63", "do", "draft", "draft", draft.String()))
	row, err := w.ops.DB.PriceDraft(t.Context(), db.PriceDraftParams{ID: draft, TenantID: u.ID})
	w.check(err)
	if !strings.Contains(string(row.Plans), "0.63") {
		t.Errorf("the draft has %s", row.Plans)
	}
}

// planEditing types into the editor: the preview follows, and its errors lead to their fields.
func planEditing(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	tab.Size(1440, 900)
	tab.Open("/en/plans/" + w.ours.plan.String() + "/edit")
	set := func(field, value string) {
		uitest.Eval[bool](tab, `(() => { const f = document.getElementById("`+field+`"); f.focus(); f.value = "`+value+`"; f.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`)
	}
	set("price-0", "0.99")
	tab.WaitFor(`document.querySelector("#result .sentence")?.textContent.includes("0.99 €/kWh")`)
	tab.WaitFor(`document.querySelector("#live").textContent.includes("0.99")`)
	if got := uitest.Eval[string](tab, "document.activeElement.id"); got != "price-0" {
		t.Errorf("typing moved the focus to %s", got)
	}
	set("price-0", "abc")
	tab.WaitFor(`document.querySelector('#result a[href="#price-0"]')`)
	tab.CheckPage("plan editor with an error")
	set("price-0", "0.5")
	tab.WaitFor(`document.querySelector("#result .sentence")`)
	uitest.Eval[bool](tab, `document.getElementById("price-0").focus() ?? true`)
	leave := func(script, there string) {
		uitest.Eval[bool](tab, `(window.left = false) || true`)
		if script == "" {
			tab.Keys("\r")
		} else {
			uitest.Eval[bool](tab, script+` ?? true`)
		}
		tab.WaitFor(`window.left === undefined && document.readyState === "complete" && ` + there)
	}
	leave("", `document.getElementById("price-0").value === "0.50" && document.querySelector("#row-2")`) // return removes and publishes nothing
	leave(`document.querySelector("button[value=add]").click()`, `document.getElementById("price-3")`)
	set("price-3", "-1")
	leave(`document.querySelector("button[value=publish]").click()`, `document.activeElement.matches(".error-summary")`)
	tab.CheckPage("plan editor that refuses")
	if *screenshots != "" {
		save(tab, "plan-refused-1440")
	}
	tab.Size(320, 640)
	tab.CheckWidth("plan editor that refuses")
	if got := uitest.Eval[string](tab, `document.getElementById("price-3").value + document.getElementById("price-3").getAttribute("aria-invalid")`); got != "-1.00true" {
		t.Errorf("the field is left as %s", got)
	}
}

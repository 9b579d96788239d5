package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// TestRules looks at the rules, tries other limits on last month's CDRs, and sets them with a reason.
func TestRules(t *testing.T) {
	t.Parallel()
	w := build(t, 30)
	c, them, olga := w.signIn(w.ours.staff), w.signIn(w.other.staff), w.signIn(operator)
	list := c.get("/en/rules?month=2026-11").body
	for _, want := range []string{"P05", "More energy than the connector can deliver", "110 %", `href="/en/cdrs?flag=P05&amp;month=2026-11"`, "1 open", "P27", "no limit"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	if body := olga.get("/en/rules").body; !strings.Contains(body, "Pick a utility first.") || strings.Contains(body, "<table") {
		t.Error("an operator sees limits of no utility")
	}
	if res := olga.get("/en/rules/P05"); res.StatusCode != http.StatusNotFound {
		t.Errorf("an operator without a utility: %s", res.Status)
	}
	for _, key := range []string{"P99", "P07", "x", "P05.z"} {
		if res := c.get("/en/rules/" + key); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", key, res.Status)
		}
	}
	if body := c.get("/en/rules/P01").body; strings.Contains(body, "<form method=\"post\" action=\"/en/rules") || !strings.Contains(body, "It has no limit.") {
		t.Error("a rule without a limit has a form")
	}
	// Tried before it is set: what P07.dc would have flagged in October.
	body := c.get("/en/rules/P07.dc?month=2026-10&flag=10&block=100").body
	if !strings.Contains(body, "Would have flagged in October 2026") || !strings.Contains(body, "10 kWh") || w.settings("P07.dc") != 0 {
		t.Error("limits cannot be tried")
	}
	post := func(who *client, status int, form url.Values, says string) {
		t.Helper()
		res := who.post("/en/rules/P07.dc", form)
		body := res.body
		if res.StatusCode == http.StatusSeeOther {
			body = who.get(res.Header.Get("Location")).body
		}
		if res.StatusCode != status || !strings.Contains(body, says) {
			t.Errorf("%v: %s without %q: %s", form, res.Status, says, problems(body))
		}
	}
	post(c, http.StatusUnprocessableEntity, url.Values{"enabled": {"1"}, "flag": {"200"}}, "Give a reason.")
	post(c, http.StatusUnprocessableEntity, url.Values{"enabled": {"1"}, "flag": {"many"}, "reason": {"x"}}, "“many” is no number such as 12.5.")
	foreign := w.partner("Fremdes Ladenetz", "CPO", "FRM")
	post(c, http.StatusNotFound, url.Values{"enabled": {"1"}, "flag": {"200"}, "reason": {"x"}, "partner": {foreign.ID.String()}}, "")
	post(c, http.StatusNotFound, url.Values{"enabled": {"1"}, "flag": {"200"}, "reason": {"x"}, "partner": {uuid.NewString()}}, "")
	if w.settings("P07.dc") != 0 {
		t.Fatal("a bad setting was kept")
	}
	post(c, http.StatusSeeOther, url.Values{"enabled": {"1"}, "flag": {"250,5"}, "reason": {"trucks charge here"}}, "trucks charge here")
	post(c, http.StatusSeeOther, url.Values{"flag": {"250.5"}, "reason": {"not with them"}, "partner": {w.hub.ID.String()}}, "switched off")
	if body := c.get("/en/rules").body; !strings.Contains(body, "own limit") || !strings.Contains(body, "1 partner with a limit of its own") || !strings.Contains(body, "250.5 kWh") {
		t.Error("the list does not show what was set")
	}
	if body := them.get("/en/rules/P07.dc").body; strings.Contains(body, "trucks") || strings.Contains(body, "250.5") {
		t.Error("another utility sees it")
	}
	post(c, http.StatusSeeOther, url.Values{"reset": {"1"}, "reason": {"as before"}}, "P07.dc has these limits from now on.")
	if w.settings("P07.dc") != 1 {
		t.Errorf("%d settings are left, want the partner's", w.settings("P07.dc"))
	}
}

// settings is how many settings of a rule count.
func (w *world) settings(rule string) (n int) {
	w.Helper()
	rows, err := w.ops.DB.RuleSettings(w.Context(), db.RuleSettingsParams{TenantID: w.ours.ID, Rule: rule})
	w.check(err)
	return len(rows)
}

package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/db"
)

// TestClearing sets how a utility clears, and what it has agreed with a partner, each with a reason.
func TestClearing(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.cpo = w.partner("Ladenetz Nord GmbH", "CPO", "LNN")
	ours := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	other := w.utility("SWL", "Stadtwerke Lindenau GmbH", "clerk@sw-lindenau.example")
	c, them, olga := w.signIn(ours.staff), w.signIn(other.staff), w.signIn(operator)
	policy := func(change ...string) url.Values {
		form := url.Values{
			"late": {"ask"}, "late_days": {"60"}, "close_day": {"5"}, "mini": {"waive"}, "empty": {"bill"}, "blocked_card": {"waive"}, "drop_limit": {"12,50"},
			"waiting_days": {" 7 "}, "reason": {"decided on 3 November"},
		}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		return form
	}
	refused := func(path, want string, form url.Values) {
		t.Helper()
		if res := c.post("/en"+path, form); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, want) {
			t.Errorf("%s %v: %s without %q", path, form, res.Status, want)
		}
	}
	for want, form := range map[string]url.Values{
		"Choose one from the list.": policy("late", "never"), "0 to 1100 days.": policy("late_days", "1101"), "“soon” is no whole number.": policy("close_day", "soon"),
		"A day from 1 to 28.": policy("close_day", "29"), "1 to 90 days.": policy("waiting_days", "0"), "must not be negative": policy("drop_limit", "-1"), "is no number": policy("drop_limit", "much"),
		`href="#reason"`: policy("reason", "  "),
	} {
		refused("/clearing", want, form)
	}
	if _, err := w.ops.DB.ClearingPolicy(t.Context(), ours.ID); err == nil {
		t.Fatal("something wrong was kept")
	}
	body := c.follow("/clearing", policy())
	for _, want := range []string{"Saved.", `value="ask" selected`, `value="12.5"`, `value="7"`, "decided on 3 November", "Late ones: limit → ask", "Bill up to (days): 90 → 60", "Klara Clerk"} {
		if !strings.Contains(body, want) {
			t.Errorf("saved, without %q", want)
		}
	}
	if p, err := w.ops.DB.ClearingPolicy(t.Context(), ours.ID); err != nil || p.Late != "ask" || p.CloseDay != 5 || p.DropLimit.String() != "12.5" || p.BlockedCard != "waive" {
		t.Errorf("%+v, %v", p, err)
	}

	path := "/partners/" + w.cpo.ID.String() + "/agreement"
	terms := func(currency, days, email, reason string) url.Values {
		return url.Values{"currency": {currency}, "dispute_days": {days}, "email": {email}, "reason": {reason}}
	}
	refused(path, "Three letters", terms("EURO", "14", "", "x"))
	refused(path, "1 to 365 days.", terms("EUR", "0", "", "x"))
	refused(path, "is no whole number", terms("EUR", "1.5", "", "x"))
	refused(path, "One e-mail address", terms("EUR", "14", "nobody", "x"))
	refused(path, `href="#reason"`, terms("EUR", "14", "", ""))
	if body := c.get("/en" + path).body; !strings.Contains(body, ">as usual<") || !strings.Contains(body, `value="30"`) {
		t.Error("what is usual is not shown")
	}
	body = c.follow(path, terms("eur", "14", "clearing@ladenetz-nord.example", "letter of 1 November"))
	for _, want := range []string{"Saved.", `value="EUR"`, `value="14"`, "letter of 1 November", "Time (days): 30 → 14"} {
		if !strings.Contains(body, want) {
			t.Errorf("agreed, without %q", want)
		}
	}
	if a, err := w.ops.DB.Agreement(t.Context(), db.AgreementParams{TenantID: ours.ID, PartnerID: w.cpo.ID}); err != nil || a.DisputeDays != 14 || a.Currency != "EUR" {
		t.Errorf("%+v, %v", a, err)
	}
	if body := c.get("/en/clearing").body; !strings.Contains(body, "clearing@ladenetz-nord.example") || !strings.Contains(body, `href="/en`+path+`"`) {
		t.Error("the list of agreements does not show it")
	}
	for _, path := range []string{"/en/clearing", "/en" + path} {
		if body := them.get(path).body; strings.Contains(body, "November") || strings.Contains(body, `value="14"`) || strings.Contains(body, "ladenetz-nord.example") {
			t.Errorf("another utility sees %s", path)
		}
		if res := olga.post(path, policy()); res.StatusCode != http.StatusNotFound {
			t.Errorf("an operator without a utility: %s", res.Status)
		}
	}
	for _, from := range []string{"/en/rules", "/en/partners/" + w.cpo.ID.String()} {
		if body := c.get(from).body; !strings.Contains(body, `/clearing"`) && !strings.Contains(body, `/agreement"`) {
			t.Errorf("%s does not lead there", from)
		}
	}
}

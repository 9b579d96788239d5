package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/db"
)

// TestWholesaleCheck sets by which reading a partner's claims are checked and what they may differ, and sees what came of it.
func TestWholesaleCheck(t *testing.T) {
	t.Parallel()
	w := build(t, 6)
	c, them, olga := w.signIn(w.ours.staff), w.signIn(w.other.staff), w.signIn(operator)
	path := "/en/partners/" + w.cpo.ID.String() + "/claims"
	body := c.get(path).body
	for _, want := range []string{"By which reading the claims of", "without step sizes", "Usual: 0.005", "Usual: 0.1<", "by no reading", "Sum of tolerated differences"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	if !strings.Contains(c.get("/en/partners/"+w.cpo.ID.String()).body, `href="`+path+`"`) {
		t.Error("the partner's page does not lead there")
	}
	if body := olga.get(path).body; strings.Contains(body, "<form method=\"post\" action=\""+path) {
		t.Error("an operator without a utility has a form")
	}
	if res := olga.post(path, url.Values{"reading": {"no-step-size"}}); res.StatusCode != http.StatusNotFound {
		t.Errorf("an operator without a utility: %s", res.Status)
	}
	stored := func() (db.WholesaleCheck, error) {
		return w.ops.DB.WholesaleCheck(t.Context(), db.WholesaleCheckParams{TenantID: w.ours.ID, PartnerID: w.cpo.ID})
	}
	for want, form := range map[string]url.Values{
		"Choose a reading from the list.":            {"reading": {"as-it-pleases"}},
		"“much” is no number such as 12.5.":          {"per_line": {"much"}},
		"must not be negative":                       {"energy": {"-1"}},
		"The share is from 0 to below 100 %.":        {"relative": {"100"}},
		"The share of the month&#39;s sum is from 0": {"month_relative": {"250"}},
	} {
		if res := c.post(path, form); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, want) {
			t.Errorf("%v: %s without %q: %s", form, res.Status, want, problems(res.body))
		}
	}
	if _, err := stored(); err == nil {
		t.Fatal("something wrong was kept")
	}
	body = c.follow(strings.TrimPrefix(path, "/en"), url.Values{"reading": {"truncated-to-cents"}, "per_line": {"0,02"}, "relative": {" 1.5 "}, "month": {"20"}, "note": {"agreed in March"}})
	for _, want := range []string{"Saved.", `<option value="truncated-to-cents" selected>`, `value="0.02"`, `value="1.5"`, "agreed in March", "share of the amount: 0.015", "reading: truncated to the cent"} {
		if !strings.Contains(body, want) {
			t.Errorf("saved, without %q", want)
		}
	}
	if check, err := stored(); err != nil || check.Reading != "truncated-to-cents" || check.PerLine.Decimal.String() != "0.02" || check.Relative.Decimal.String() != "0.015" || check.Energy.Valid {
		t.Errorf("%+v, %v", check, err)
	}
	if body := c.get("/de" + strings.TrimPrefix(path, "/en")).body; !strings.Contains(body, `value="0,02"`) || !strings.Contains(body, "auf Cent abgeschnitten") {
		t.Error("not in German")
	}
	if body := them.get(path).body; strings.Contains(body, "agreed in March") || strings.Contains(body, `value="0.02"`) {
		t.Error("another utility sees it")
	}
	c.follow(strings.TrimPrefix(path, "/en"), url.Values{"reading": {""}})
	if check, err := stored(); err != nil || check.Reading != "" || check.PerLine.Valid || check.Month.Valid {
		t.Errorf("taken back: %+v, %v", check, err)
	}
}

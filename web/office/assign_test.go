package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestCardHandover hands a card over backwards in time: first what that would change, then the change.
func TestCardHandover(t *testing.T) {
	t.Parallel()
	w := build(t, 12)
	c := w.signIn(w.ours.staff)
	page := "/en/cards/" + w.ours.card.String()
	if body := c.get(page).body; !strings.Contains(body, "Wohnbau Süd eG") || !strings.Contains(body, "until further notice") {
		t.Error("the page does not say whom the card belongs to")
	}
	for _, bad := range []struct{ contract, from, to, want string }{
		{"", "2026-11-01", "", "Name the contract."},
		{"DE-SWI-C00042188-1", "", "", "Say from when on."},
		{"DE-SWL-C00042188-1", "2026-11-01", "", "There is no such contract."},
		{"DE-SWI-C00042188-1", "yesterday", "", "“yesterday” is no date such as 31.12.2026."},
		{"DE-SWI-C00042188-1", "2026-11-02", "2026-11-01", "The time ends before it begins."},
	} {
		res := c.post(page+"/assign", url.Values{"contract": {bad.contract}, "from": {bad.from}, "to": {bad.to}})
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, bad.want) {
			t.Errorf("%+v: %s: %s", bad, res.Status, problems(res.body))
		}
	}
	form := url.Values{"contract": {"DE-SWI-C00042188-1"}, "from": {"1.11.2026"}, "reason": {"new driver"}}
	customer := w.state(w.ours.rated).CustomerID
	preview := url.Values{"preview": {"1"}}
	for key, values := range form {
		preview[key] = values
	}
	res := c.post(page+"/assign", preview)
	if res.StatusCode != http.StatusOK || !strings.Contains(res.body, "sessions of the card are rated again") && !strings.Contains(res.body, "session of the card is rated again") || w.state(w.ours.rated).CustomerID != customer {
		t.Errorf("preview: %s", res.Status)
	}
	if strings.Contains(c.get(page).body, "new driver") {
		t.Error("a preview was kept")
	}
	res = c.post(page+"/assign", form)
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s: %s", res.Status, problems(res.body))
	}
	w.settle()
	body := c.get(page).body
	for _, want := range []string{"new driver", "Jens Schröder", "Wohnbau Süd eG"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if list := c.get("/en/cdrs?q=" + card(&w.ours, 3) + "&month=2026-11").body; !strings.Contains(list, "Jens Schröder") || strings.Contains(list, ">Wohnbau Süd eG") {
		t.Error("the sessions of the card have not moved")
	}
}

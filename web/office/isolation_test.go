package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/web/office"
)

// isolation asks for the rows of another utility on every route that takes an id: as staff of ours,
// and as an operator who has picked ours.
func isolation(w *world) {
	t := w.T
	foreign := w.partner("Fremdes Ladenetz", "CPO", "FRM") // works with neither utility
	theirs := map[string]string{
		"GET /cdrs/:id": w.other.rated.String(), "GET /cdrs/:id/message.json": w.other.rated.String(),
		"GET /invoices/:id": w.other.issued.String(), "POST /invoices/:id/issue": w.other.draft.String(),
		"GET /invoices/:id/document.pdf": w.other.issued.String(), "GET /invoices/:id/document.xml": w.other.issued.String(),
		"GET /partners/:id": foreign.ID.String(), "GET /outbox/:id": w.other.email.String(),
	}
	clerk, them, picky := w.signIn(w.ours.staff), w.signIn(w.other.staff), w.signIn(operator)
	if res := picky.post("/de/utility", url.Values{"utility": {w.ours.ID.String()}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("pick utility: %s", res.Status)
	}
	confirm := url.Values{"confirm": {"10001"}}
	for _, route := range office.Routes() {
		method, path := route[0], route[1]
		if !strings.Contains(path, ":id") {
			continue
		}
		id, ok := theirs[method+" "+path]
		if !ok {
			t.Errorf("%s %s is not tested", method, path)
			continue
		}
		at := "/en" + strings.Replace(path, ":id", id, 1)
		for who, c := range map[string]*client{"clerk": clerk, "operator": picky} {
			if res := c.do(method, at, confirm); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s %s: %s", who, method, at, res.Status)
			}
			if method == http.MethodGet {
				if res := c.do(http.MethodHead, at, nil); res.StatusCode != http.StatusNotFound {
					t.Errorf("%s: HEAD %s: %s", who, at, res.Status)
				}
			}
		}
		if method == http.MethodGet && id != foreign.ID.String() {
			if res := them.get(at); res.StatusCode != http.StatusOK {
				t.Errorf("GET %s by whom it belongs to: %s", at, res.Status)
			}
		}
		for _, id := range []string{"1", "00000000-0000-0000-0000-000000000000", "%00", "..%2f"} {
			if res := clerk.do(method, "/en"+strings.Replace(path, ":id", id, 1), confirm); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s with id %s: %s", method, path, id, res.Status)
			}
		}
	}

	for _, path := range []string{"/de/overview", "/de/cdrs?month=all", "/de/cdrs.csv?month=all", "/de/invoices", "/de/outbox", "/de/partners", "/de/cdrs?month=all&q=SWL"} {
		for who, c := range map[string]*client{"clerk": clerk, "operator": picky} {
			res := c.get(path)
			body := strings.ReplaceAll(res.body, `value="SWL"`, "")
			if who == "operator" { // who may pick it
				body = strings.ReplaceAll(body, w.other.Name+"</option>", "")
			}
			for _, secret := range []string{"CDR-SWL", "SWL-2026", w.other.Name, foreign.Name} {
				if strings.Contains(body, secret) {
					t.Errorf("%s sees %s on %s", who, secret, path)
				}
			}
		}
	}
	if res := clerk.post("/de/utility", url.Values{"utility": {w.other.ID.String()}}); res.StatusCode != http.StatusNotFound {
		t.Errorf("a clerk picks another utility: %s", res.Status)
	}
	if res := picky.get("/de/cdrs?q=SWI"); !strings.Contains(res.body, "CDR-SWI") {
		t.Error("an operator does not see the utility that was picked")
	}
	everything := w.signIn(operator).get("/de/cdrs")
	for _, want := range []string{"CDR-SWI", "CDR-SWL"} {
		if !strings.Contains(everything.body, want) {
			t.Errorf("an operator who has picked nothing does not see %s", want)
		}
	}
}

// TestNobodySeesAnythingUnasked asks for every page without a sign-in.
func TestNobodySeesAnythingUnasked(t *testing.T) {
	w := open(t)
	c := w.anonymous()
	for _, route := range office.Routes() {
		method, path := route[0], strings.Replace(route[1], ":id", "0190a6e0-0000-7000-8000-000000000000", 1)
		if strings.HasPrefix(path, "/sign") || path == "/theme" {
			continue
		}
		res := c.do(method, "/en"+path, nil)
		if target, _, _ := strings.Cut(res.Header.Get("Location"), "?"); res.StatusCode != http.StatusSeeOther || target != "/en/signin" {
			t.Errorf("%s %s: %s to %q", method, path, res.Status, res.Header.Get("Location"))
		}
		if res := c.do(method, "/en"+path, nil, "HX-Request", "true"); res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(res.Header.Get("HX-Redirect"), "/en/signin") {
			t.Errorf("%s %s by htmx: %s, %q", method, path, res.Status, res.Header.Get("HX-Redirect"))
		}
	}
}

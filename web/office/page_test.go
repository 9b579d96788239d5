package office_test

import (
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

var (
	screenshots = flag.String("screenshots", "", "folder to write pictures of every page to")
	onlyPages   = flag.String("pages", "", "look only at pages whose name, language and theme match")
)

// pages is every page that our clerk can see, with a name for messages.
func (w *world) pages() [][2]string {
	u := w.ours
	return [][2]string{
		{"overview", "/overview"}, {"cdrs", "/cdrs"}, {"cdrs-filtered", "/cdrs?q=P&flag=P05&month=2026-11&partner=" + w.cpo.ID.String() + "&sort=-kwh"}, {"cdrs-more", "/cdrs?month=all&least=1&retail=released&state=rated"}, {"cdrs-by-rule", "/cdrs?group=rule"}, {"cdrs-view", "/cdrs?month=all&state=waiting"}, {"cdrs-empty", "/cdrs?q=nothing-like-this"},
		{"rules", "/rules?month=2026-11"}, {"rule", "/rules/P05?month=2026-11&flag=50&block=110&enabled=1"}, {"disputes", "/disputes"}, {"dispute", "/disputes/" + u.dispute.String()}, {"bulk", "/bulks/" + u.bulk.String()}, {"bulks", "/bulks"}, {"bulk-form", "/cdrs/decide?all=1&kind=dispute&list=state%3Dheld"},
		{"cdr-rated", "/cdrs/" + u.rated.String()}, {"cdr-proven", "/cdrs/" + u.proven.String()}, {"cdr-forged", "/cdrs/" + u.forged.String()}, {"cdr-held", "/cdrs/" + u.held.String()}, {"cdr-waiting", "/cdrs/" + u.waiting.String()}, {"cdr-disputed", "/cdrs/" + u.disputed.String()}, {"cdr-credited", "/cdrs/" + u.credited.String()},
		{"invoices", "/invoices"}, {"invoices-month", "/invoices?month=2026-11&state=draft"}, {"invoice-issued", "/invoices/" + u.issued.String()}, {"invoice-draft", "/invoices/" + u.draft.String()}, {"invoice-failed", "/invoices/" + u.failed.String()},
		{"runs", "/runs"}, {"run", "/runs/" + u.run.String()}, {"numbers", "/numbers"}, {"invoice-correct", "/invoices/" + u.issued.String() + "/correct"}, {"invoice-credit", "/invoices/" + u.issued.String() + "/credit"},
		{"reimbursements", "/reimbursements"}, {"invoices-kind", "/invoices?type=389"},
		{"partners", "/partners"}, {"partner", "/partners/" + w.cpo.ID.String()}, {"claims", "/partners/" + w.cpo.ID.String() + "/claims"}, {"clearing", "/clearing"}, {"agreement", "/partners/" + w.cpo.ID.String() + "/agreement"}, {"outbox", "/outbox"}, {"email", "/outbox/" + u.email.String()}, {"missing", "/nothing-here"},
		{"prices", "/prices"}, {"prices-version", "/prices/versions/" + u.book.String()}, {"prices-draft", "/prices/drafts/" + u.draftBook.String()}, {"prices-draft-fill", "/prices/drafts/" + u.draftBook.String() + "?cpo=DE*LNN&current=DC&group=Flotten&from=150"}, {"prices-fill", "/prices/fill?cpo=DE*LNN&current=DC&group=Flotten&from=150"}, {"prices-backtests", "/prices/backtest"}, {"prices-backtest", "/prices/backtest/" + u.backtest.String()},
		{"plan-edit", "/plans/" + u.plan.String() + "/edit"}, {"plan-edit-document", "/plans/" + u.plan.String() + "/edit?mode=document"}, {"plan-new", "/plans/new"},
		{"vouchers", "/vouchers"}, {"vouchers-over", "/vouchers?state=over"}, {"voucher", "/vouchers/" + u.voucher.String()}, {"voucher-new", "/vouchers/new"}, {"groups", "/groups"}, {"group", "/groups/" + u.group.String()}, {"group-out", "/groups/" + u.group.String() + "?customer=10001"},
		{"plan-in-draft", "/prices/drafts/" + u.draftBook.String() + "/plan?plan=Standard"},
		{"plans", "/plans"}, {"plans-empty", "/plans?q=nothing-like-this"}, {"plan", "/plans/" + u.plan.String()}, {"plan-coming", "/plans/" + u.plan.String() + "?version=2"},
		{"customers", "/customers"}, {"customers-lacking", "/customers?state=stopped&kind=private&sort=-number"}, {"customer", "/customers/" + u.customer.String()}, {"customer-new", "/customers/new"},
		{"customer-stopped", "/customers/" + u.nameless.String() + "?draft=" + u.failed.String()},
		{"settings", "/settings"}, {"settings-stopped", "/settings?draft=" + u.failed.String()},
		{"cards", "/cards"}, {"card", "/cards/" + u.card.String()}, {"gaps", "/gaps"}, {"trace", "/trace?of=" + url.QueryEscape("cdrs/DE*LNN/"+u.ratedID)}, {"trace-start", "/trace"},
	}
}

// everyPage holds every page, in both languages and both themes, to axe, to the content security policy and
// to the width of a small phone.
func everyPage(w *world) {
	clerk := w.signIn(w.ours.staff)
	browser := uitest.Open(w.T)
	for _, theme := range []string{"light", "dark"} {
		w.Run(theme, func(t *testing.T) {
			t.Parallel()
			tab := browser.Tab(t, w.url)
			tab.Cookies(&http.Cookie{Name: "theme", Value: theme})
			for _, lang := range []string{"de", "en"} {
				look(tab, "signin-"+lang+"-"+theme, "/"+lang+"/signin")
			}
			tab.Cookies(clerk.cookies()...)
			for _, p := range w.pages() {
				for _, lang := range []string{"de", "en"} {
					look(tab, p[0]+"-"+lang+"-"+theme, "/"+lang+p[1])
				}
			}
		})
	}
}

// TestEmptyPagesSayWhatComesNext opens every page of a platform on which nothing has happened.
func TestEmptyPagesSayWhatComesNext(t *testing.T) {
	t.Parallel()
	w := open(t)
	u := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	c := w.signIn(u.staff)
	for path, want := range map[string]string{
		"/en/overview": "Invite a CPO or hub next", "/en/cdrs": "Every CDR that a partner sends appears here", "/en/invoices": "An invoice run turns the rated sessions",
		"/en/runs": "No invoice run yet", "/en/numbers": "No document yet", "/en/disputes": "Nothing is disputed", "/en/bulks": "No bulk decision yet", "/en/partners": "Your platform operator", "/en/cards": "Once a card is issued", "/en/customers": "No customers yet", "/en/gaps": "No open alerts", "/en/trace": "What would you like to trace?", "/en/outbox": "Each issued invoice puts an e-mail", "/en/vouchers": "No voucher yet", "/en/groups": "No customer group yet", "/en/reimbursements": "No agreement yet",
	} {
		if res := c.get(path); res.StatusCode != http.StatusOK || !strings.Contains(res.body, want) {
			t.Errorf("%s: %s without %q", path, res.Status, want)
		}
	}
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	for _, path := range []string{"/overview", "/cdrs", "/invoices", "/partners", "/outbox", "/customers", "/cards", "/gaps", "/bulks", "/disputes", "/runs", "/numbers", "/vouchers", "/groups"} {
		look(tab, "empty-"+path[1:], "/de"+path)
	}
}

// operatorsPages holds the pages of an operator, who has a choice of utilities, to the same rules.
func operatorsPages(w *world) {
	tab := uitest.Open(w.T).Tab(w.T, w.url)
	tab.Cookies(w.signIn(operator).cookies()...)
	for name, path := range map[string]string{"overview": "/overview", "cdrs": "/cdrs", "cdr": "/cdrs/" + w.ours.rated.String(), "invoices": "/invoices", "partner": "/partners/" + w.hub.ID.String(), "outbox": "/outbox", "prices": "/prices"} {
		look(tab, "operator-"+name, "/de"+path)
	}
	tab.Size(1440, 900)
	tab.Open("/de/cdrs")
	uitest.Eval[bool](tab, `(() => { const s = document.getElementById("utility"); s.value = "`+w.other.ID.String()+`"; s.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`)
	tab.WaitFor(`location.pathname === "/de/overview" && document.querySelector(".lead")?.textContent === "` + w.other.Name + `"`)
}

// look checks one page at the size of a desk and of a phone.
func look(tab *uitest.Tab, name, path string) {
	tab.Helper()
	if !regexp.MustCompile(*onlyPages).MatchString(name) {
		return
	}
	tab.Size(1440, 900)
	tab.Open(path)
	tab.CheckPage(name)
	if text := uitest.Eval[string](tab, "document.body.innerText"); strings.Contains(text, "[") && strings.Contains(text, "]") && strings.Contains(text, ".") {
		for _, word := range strings.Fields(text) {
			if strings.HasPrefix(word, "[") && strings.HasSuffix(word, "]") && strings.Contains(word, ".") {
				tab.Errorf("%s: no text for %s", name, word)
			}
		}
	}
	if *screenshots != "" {
		save(tab, name+"-1440")
		tab.Size(360, 740)
		save(tab, name+"-360")
	}
	if !strings.HasSuffix(name, "-dark") { // no other layout
		tab.Size(320, 640)
		tab.CheckWidth(name)
	}
}

func save(tab *uitest.Tab, name string) {
	tab.Helper()
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), tab.Screenshot(), 0o600); err != nil {
		tab.Fatal(err)
	}
}

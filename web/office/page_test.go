package office_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

var screenshots = flag.String("screenshots", "", "folder to write pictures of every page to")

// pages is every page that our clerk can see, by a name for messages.
func (w *world) pages() map[string]string {
	u := w.ours
	return map[string]string{
		"overview": "/overview", "cdrs": "/cdrs", "cdrs-filtered": "/cdrs?q=Markt&state=rated&sort=-kwh", "cdrs-empty": "/cdrs?q=nothing-like-this",
		"cdr-rated": "/cdrs/" + u.rated.String(), "cdr-held": "/cdrs/" + u.held.String(), "cdr-waiting": "/cdrs/" + u.waiting.String(), "cdr-disputed": "/cdrs/" + u.disputed.String(), "cdr-credited": "/cdrs/" + u.credited.String(),
		"invoices": "/invoices", "invoices-month": "/invoices?month=2026-11&state=draft", "invoice-issued": "/invoices/" + u.issued.String(), "invoice-draft": "/invoices/" + u.draft.String(), "invoice-failed": "/invoices/" + u.failed.String(),
		"partners": "/partners", "partner": "/partners/" + w.cpo.ID.String(), "outbox": "/outbox", "email": "/outbox/" + u.email.String(), "missing": "/nothing-here",
	}
}

// TestEveryPageInTheBrowser holds every page, in both languages and both themes, to axe, to the content security policy and
// to the width of a small phone.
func TestEveryPageInTheBrowser(t *testing.T) {
	w := build(t)
	clerk := w.signIn(w.ours.staff)
	browser := uitest.Open(t)
	for _, theme := range []string{"light", "dark"} {
		t.Run(theme, func(t *testing.T) {
			t.Parallel()
			tab := browser.Tab(t, w.url)
			tab.Cookies(&http.Cookie{Name: "theme", Value: theme})
			for _, lang := range []string{"de", "en"} {
				look(tab, "signin-"+lang+"-"+theme, "/"+lang+"/signin")
			}
			tab.Cookies(clerk.cookies()...)
			for name, path := range w.pages() {
				for _, lang := range []string{"de", "en"} {
					look(tab, name+"-"+lang+"-"+theme, "/"+lang+path)
				}
			}
		})
	}
}

// look checks one page at the size of a desk and of a phone.
func look(tab *uitest.Tab, name, path string) {
	tab.Helper()
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
	tab.Size(320, 640)
	tab.CheckWidth(name)
}

func save(tab *uitest.Tab, name string) {
	tab.Helper()
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), tab.Screenshot(), 0o600); err != nil {
		tab.Fatal(err)
	}
}

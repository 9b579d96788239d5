package office_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

var linkToDocument = regexp.MustCompile(`/de/d/[A-Za-z0-9_-]+`)

// outbox sends a document again and finds it as its customer does.
func outbox(w *world) {
	t := w.T
	clerk, nobody := w.signIn(w.ours.staff), w.anonymous()
	page := "/de/outbox/" + w.ours.email.String()
	link := linkToDocument.FindString(clerk.get(page).body)
	if link == "" {
		t.Fatal("the e-mail has no link to its document")
	}

	found := nobody.get(link)
	if found.StatusCode != http.StatusOK || !strings.Contains(found.body, "Rechnung als PDF") || found.Header.Get("X-Robots-Tag") == "" || found.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s: %s %v", link, found.Status, found.Header)
	}
	for format, want := range map[string]string{"html": "<h1", "pdf": "%PDF", "xml": "CrossIndustryInvoice", "csv": "Belegnummer;", "meter": "<?xml"} {
		if res := nobody.get(link + "/" + format); res.StatusCode != http.StatusOK || !strings.Contains(res.body, want) {
			t.Errorf("%s: %s %.80s", format, res.Status, res.body)
		}
	}
	for _, path := range []string{"/de/d/x", link[:len(link)-4] + "AAAA", link + "/docx", link + "/peppol", link + "/xrechnung"} {
		if res := nobody.get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}

	// There is no mail server: the outbox has kept it. With one it would have left, and might come back.
	if res := clerk.post(page+"/back", url.Values{"reason": {"unbekannt"}}); res.StatusCode != http.StatusSeeOther || !strings.Contains(clerk.get(page).body, "Die E-Mail ist nicht versandt.") {
		t.Errorf("what was not sent came back: %s", res.Status)
	}
	if err := dbtest.Exec(t.Context(), w.dbURL, "UPDATE emails SET state = 'sent' WHERE id = '"+w.ours.email.String()+"'"); err != nil {
		t.Fatal(err)
	}
	if res := clerk.post(page+"/back", url.Values{"reason": {"Postfach gibt es nicht"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("it came back: %s", res.Status)
	}
	if body := clerk.get(page).body; !strings.Contains(body, "unzustellbar") || !strings.Contains(body, "Postfach gibt es nicht") || !strings.Contains(body, "von Hand vermerkt") {
		t.Errorf("after it came back: %s", body)
	}
	if body := clerk.get("/en/outbox?state=bounced").body; !strings.Contains(body, "1 delivery") {
		t.Error("is not found among what came back")
	}
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(clerk.cookies()...)
	look(tab, "outbox-bounced", page)
	look(tab, "linked-document", link)
	look(tab, "linked-document-en", strings.Replace(link, "/de/", "/en/", 1))

	for way, told := range map[string]string{"pigeon": "Versand ist möglich per", "peppol": "Die Peppol-Kennung fehlt", "email": "keine E-Mail-Adresse"} {
		clerk.post(page+"/again", url.Values{"way": {way}, "to": {"nonsense"}})
		if body := clerk.get(page).body; !strings.Contains(body, told) {
			t.Errorf("%s: is not refused with %q", way, told)
		}
	}
	clerk.post(page+"/again", url.Values{"way": {"letter"}, "keep": {"1"}})
	w.settle()
	_, copies, _ := strings.Cut(clerk.get(page).body, `id="copies"`)
	letter := regexp.MustCompile(`/de/outbox/[0-9a-f-]{36}`).FindAllString(copies, 1)
	if len(letter) != 1 || letter[0] == page {
		t.Fatalf("the letter is not among the copies: %v", letter)
	}
	look(tab, "outbox-letter", letter[0])
	if body := clerk.get(letter[0]).body; !strings.Contains(body, "kein Ordner für den Druckdienst") || !strings.Contains(body, "/document/pdf?download") {
		t.Errorf("the letter: %s", body)
	}
	if res := clerk.post(letter[0]+"/again", url.Values{"retry": {"1"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("again: %s", res.Status)
	}
	w.settle()
}

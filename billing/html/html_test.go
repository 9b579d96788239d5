package html_test

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/corpus"
	"github.com/roamwerk/roamwerk/billing/html"
	"github.com/roamwerk/roamwerk/billing/wording"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { os.Exit(uitest.Run(m)) }

func cases(t testing.TB) []corpus.Case {
	t.Helper()
	all, err := corpus.Cases()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func invoice(t testing.TB, name string) billing.Invoice {
	t.Helper()
	all := cases(t)
	i := slices.IndexFunc(all, func(c corpus.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("the corpus has no case %q", name)
	}
	return all[i].Invoice
}

func write(t testing.TB, inv billing.Invoice) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, inv); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteGolden(t *testing.T) {
	for _, name := range []string{"private-one-page", "business-debit-rates", "selfbilled-host-transfer-de-sessions", "creditnote-private-offset-en-of-invoice"} {
		got := write(t, invoice(t, name))
		path := filepath.Join("testdata", name+".html")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from what is written now; look at the difference, then run with -update", path)
		}
	}
}

// TestCorpusSaysWhatPaperSays looks for every line, every tax and the amount due of every document.
func TestCorpusSaysWhatPaperSays(t *testing.T) {
	for _, c := range cases(t) {
		page := write(t, c.Invoice)
		words := wording.Languages[c.Invoice.Language]
		want := []string{words.Title(c.Invoice), words.Money(c.Invoice.Due, c.Invoice.Currency), words.Decimal(c.Invoice.VATTotal, 2)}
		for _, l := range c.Invoice.Lines {
			want = append(want, words.Decimal(wording.Shown(c.Invoice, l), 2))
		}
		want = append(want, words.Payment(c.Invoice)...)
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s: the page lacks %q", c.Name, text)
			}
		}
	}
}

func TestTextIsNoMarkup(t *testing.T) {
	inv := invoice(t, "long-names")
	inv.Notes = append(inv.Notes, `<script>alert(1)</script>`)
	inv.Supplier.Design.Colour = "red;} body { display: none"
	page := write(t, inv)
	if strings.Contains(page, "<script>") || strings.Contains(page, "display: none") || strings.Contains(page, "<Grüne") {
		t.Error("a text of the invoice became markup")
	}
}

func TestWriteRefuses(t *testing.T) {
	inv := invoice(t, "private-debit")
	inv.Language = "fr"
	if err := html.Write(io.Discard, inv); err == nil || !strings.Contains(err.Error(), "fr") {
		t.Errorf("a language without texts gives %v", err)
	}
}

// TestPagesAreAccessible opens pages in a browser, wide and narrow.
func TestPagesAreAccessible(t *testing.T) {
	pages := map[string]string{}
	names := []string{"private-one-page", "business-debit-rates", "long-names", "selfbilled-employee-transfer-en-rent", "design-000000-name"}
	for _, name := range names {
		pages["/"+name] = write(t, invoice(t, name))
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", html.Policy([]byte(pages[r.URL.Path])))
		_, _ = io.WriteString(w, pages[r.URL.Path])
	}))
	defer site.Close()
	tab := uitest.Open(t).Tab(t, site.URL)
	for _, name := range names {
		for _, width := range []int64{1200, 320} {
			tab.Size(width, 900)
			tab.Open("/" + name)
			tab.CheckPage(name)
			tab.CheckWidth(name)
		}
	}
}

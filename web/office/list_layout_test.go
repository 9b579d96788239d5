package office_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// columns hides and shows columns of the list of CDRs, for one person.
func columns(w *world) {
	t, c := w.T, w.signIn(w.ours.second)
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	for _, lang := range []string{"de", "en"} {
		for _, width := range []int64{1280, 1440} {
			tab.Size(width, 800)
			tab.Open("/" + lang + "/cdrs")
			if over := uitest.Eval[int](tab, `(() => { const w = document.querySelector(".table-wrap"); return w.scrollWidth - w.clientWidth; })()`); over > 0 {
				t.Errorf("%s, %d pixels wide: the list is %d pixels wider than its place", lang, width, over)
			}
			if *screenshots != "" {
				save(tab, "cdrs-"+lang+"-"+strings.Repeat("x", int(width/1280))+"-wide")
			}
		}
	}
	heads := func(body string) (names []string) {
		_, table, _ := strings.Cut(body, "<thead>")
		table, _, _ = strings.Cut(table, "</thead>")
		for _, name := range []string{"Location", "Operator", "Customer", "Duration", "Wholesale", "Difference", "Margin"} {
			if strings.Contains(table, name) {
				names = append(names, name)
			}
		}
		return names
	}
	all := heads(c.get("/en/cdrs").body)
	res := c.post("/en/cdrs/columns", url.Values{"column": {"customer", "delta", "margin", "nonsense"}, "density": {"compact"}, "query": {"state=rated&month=all&nonsense=1&after=1~x"}})
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/en/cdrs?month=all&state=rated" {
		t.Errorf("%s to %s", res.Status, got)
	}
	body := c.get("/en/cdrs?state=disputed").body
	if got := heads(body); !slices.Equal(got, []string{"Customer", "Difference", "Margin"}) || !strings.Contains(body, `class="data dense compact"`) || strings.Count(body, `<th scope="row" colspan="4">Total`) != 1 {
		t.Errorf("shown: %v of %v", got, all)
	}
	look(tab, "cdrs-columns", "/de/cdrs")
	if got := heads(w.signIn(w.ours.staff).get("/en/cdrs").body); !slices.Equal(got, all) {
		t.Errorf("somebody else sees %v", got)
	}
	tab.Size(320, 640)
	tab.Open("/de/cdrs")
	unfold(tab, "cdrs-columns-unfolded")
	c.post("/en/cdrs/columns", url.Values{})
	if body := c.get("/en/cdrs").body; len(heads(body)) != 0 || len(cdrsOn(body)) != 50 || !strings.Contains(body, `colspan="3">Total`) {
		t.Errorf("with nothing ticked: %v", heads(body))
	}
	c.post("/en/cdrs/columns", url.Values{"usual": {"1"}})
	if got := heads(c.get("/en/cdrs").body); len(all) != 7 || !slices.Equal(got, all) {
		t.Errorf("as usual: %v, not %v", got, all)
	}
}

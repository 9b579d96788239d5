package office_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

var (
	cdrID    = regexp.MustCompile(`title="(CDR-SW[A-Z]-\d+)"`)
	nextPage = regexp.MustCompile(`id="page-next"[^>]* href="([^"]+)"`)
	prevPage = regexp.MustCompile(`id="page-previous"[^>]* href="([^"]+)"`)
)

func cdrsOn(body string) (ids []string) {
	for _, m := range cdrID.FindAllStringSubmatch(body, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func link(re *regexp.Regexp, body string) string {
	m := re.FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

// paging goes through the list in every order, and back.
func paging(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	for _, order := range []string{"", "start", "-kwh", "kwh", "-claimed", "retail", "-margin", "duration", "lag", "-delta"} {
		first := c.get("/en/cdrs?sort=" + order)
		next := link(nextPage, first.body)
		if next == "" {
			t.Fatalf("%q: one page only", order)
		}
		second := c.get(next)
		all := append(cdrsOn(first.body), cdrsOn(second.body)...)
		sorted := slices.Clone(all)
		slices.Sort(sorted)
		if len(all) != 70 || len(slices.Compact(sorted)) != 70 || link(nextPage, second.body) != "" {
			t.Errorf("%q: %d CDRs, %d of them different", order, len(all), len(slices.Compact(sorted)))
		}
		back := c.get(link(prevPage, second.body))
		if !slices.Equal(cdrsOn(back.body), cdrsOn(first.body)) {
			t.Errorf("%q: back is not where it was: %v", order, cdrsOn(back.body))
		}
		if strings.Contains(back.body, `id="page-previous"`) {
			t.Errorf("%q: there is something before the first page", order)
		}
	}
}

// filters narrows the list down.
func filters(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	for query, want := range map[string]int{
		"state=held": 1, "state=waiting": 1, "state=disputed": 3, "cpo=disputed": 1, "state=credited": 2, "state=dropped": 0, "flag=P05": 1, "flag=P99": 0,
		"q=unknownswi": 1, "q=%25": 0, "q=_": 0, "q=fuhrpark": 1, "q=10005": 1, "partner=" + w.hub.ID.String() + "&state=held": 0, "partner=x": 0,
		"reason=rule": 1, "reason=no-card": 1, "retail=open": 2, "retail=none": 2, "cpo=questioned": 2, "cpo=credited": 1, "meter=proven": 1, "meter=invalid": 1, "late=1": 0, "late=x&state=held": 1, "loss=1": 0,
		"severity=block": 2, "severity=flag": 3, "severity=info": 0, "severity=x": 0, "party=de*lnn&state=held": 1, "party=DE*XXX": 0, "customer=x": 0, "delta=0.1&deltamost=0,25&state=disputed": 1, "deltamost=0.24&delta=0.01": 0,
		"assignee=nobody": 0, "least=34,67&most=34.67": 1, "least=x&state=held": 1, "delta=0,25&state=disputed": 1, "delta=1": 0, "most=0": 1,
		"month=2026-09": 0, "month=2019-01": 0, "month=all&state=held": 1, "after=nonsense&state=held": 1, "sort=nonsense&state=held": 1,
	} {
		if got := len(cdrsOn(c.get("/de/cdrs?" + query).body)); got != want {
			t.Errorf("%s: %d CDRs, want %d", query, got, want)
		}
	}
	body := c.get("/de/cdrs?sort=-kwh").body
	if strings.Count(body, `aria-sort="descending"`) != 1 || !strings.Contains(body, `aria-sort="descending"><a id="sort-kwh"`) || strings.Count(body, `aria-sort="none"`) != 6 {
		t.Error("aria-sort is wrong")
	}
	for path, want := range map[string]string{
		"/en/invoices?state=failed": "1 invoice", "/en/invoices?month=2026-10": "5 invoices", "/en/invoices?q=" + url.QueryEscape("Öztürk"): "2 invoices", "/en/invoices?q=nothing": "0 invoices",
		"/en/outbox?state=kept": "4 deliveries", "/en/outbox?q=kunde1": "1 delivery", "/en/outbox?state=failed": "0 deliveries", "/en/outbox?way=letter": "0 deliveries", "/en/outbox?way=pigeon": "0 deliveries",
	} {
		if body := c.get(path, "HX-Request", "true").body; !strings.Contains(body, `innerHTML">`+want+`</div>`) {
			t.Errorf("%s: not %s: %.300s", path, want, body[max(0, len(body)-200):])
		}
	}
}

// grouping sums up what the list finds, and leads on to it.
func grouping(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	for by, want := range map[string]string{"rule": "P05 · More energy than the connector can deliver", "partner": "Roaming-Drehscheibe Süd", "party": "DE*LNN Ladenetz Nord", "reason": "A plausibility rule holds it"} {
		body := c.get("/en/cdrs?group=" + by).body
		if !strings.Contains(body, want) || len(cdrsOn(body)) != 0 || strings.Count(body, "<tfoot>") != 1 {
			t.Errorf("by %s: without %q", by, want)
		}
	}
	body := c.get("/en/cdrs?group=rule&q=CDR").body
	for _, want := range []string{`href="/en/cdrs?flag=P05&amp;q=CDR"`, "nothing flagged", "70 charging sessions"} {
		if !strings.Contains(body, want) {
			t.Errorf("by rule: without %s", want)
		}
	}
	if body := c.get("/en/cdrs?group=nonsense&state=held").body; len(cdrsOn(body)) != 1 {
		t.Error("an unknown group hides the CDRs")
	}
}

// views are lists under a name: of one person, or of the utility, and of nobody else.
func views(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	w.hire(uuid.NullUUID{UUID: w.ours.ID, Valid: true}, "second@sw-isenhagen.example", "Zoe Zweit")
	colleague, them, olga := w.signIn("second@sw-isenhagen.example"), w.signIn(w.other.staff), w.signIn(operator)
	save := func(who *client, name, query, shared string) {
		t.Helper()
		res := who.post("/en/views", url.Values{"page": {"/cdrs"}, "name": {name}, "query": {query}, "shared": {shared}})
		if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/en/cdrs") {
			t.Fatalf("save %s: %s to %s", name, res.Status, res.Header.Get("Location"))
		}
	}
	save(c, "Grosse Brocken", "least=30&after=1~x&nonsense=", "")
	save(c, "Teamsicht", "state=held&month=all", "1")
	save(olga, "Plattformsicht", "state=held", "1")
	for _, x := range []struct {
		who  *client
		name string
		sees bool
	}{{c, "Grosse Brocken", true}, {c, "Teamsicht", true}, {colleague, "Grosse Brocken", false}, {colleague, "Teamsicht", true}, {them, "Teamsicht", false}, {olga, "Teamsicht", false}, {olga, "Plattformsicht", true}, {c, "Plattformsicht", false}} {
		if got := strings.Contains(x.who.get("/en/cdrs").body, x.name); got != x.sees {
			t.Errorf("%s: seen %v, want %v", x.name, got, x.sees)
		}
	}
	save(c, "Grosse Brocken", "least=34", "") // again: the new one counts
	c.get("/en/cdrs")                         // says that it is saved
	body := c.get("/en/cdrs?least=34").body
	deletion := regexp.MustCompile(`action="(/en/views/[^"]+/delete)"`).FindStringSubmatch(body)
	if deletion == nil || strings.Count(body, "Grosse Brocken") != 1 {
		t.Fatal("a view that is shown cannot be deleted")
	}
	for _, who := range []*client{colleague, them, olga} {
		if res := who.post(deletion[1], nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("somebody else deletes it: %s", res.Status)
		}
	}
	if res := c.post(deletion[1], nil); res.StatusCode != http.StatusSeeOther || strings.Contains(c.get("/en/cdrs").body, "Grosse Brocken") {
		t.Errorf("delete: %s", res.Status)
	}
	if res := c.post("/en/views", url.Values{"page": {"/staff"}, "name": {"x"}}); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a view of a page without views: %s", res.Status)
	}
	c.post("/en/views", url.Values{"page": {"/cdrs"}, "name": {strings.Repeat("x", 81)}})
	if !strings.Contains(c.get("/en/cdrs").body, "The name has 1 to 80 characters.") {
		t.Error("a long name is taken")
	}
}

// fragments are what htmx gets: the result, its address and an announcement.
func fragments(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	res := c.get("/de/cdrs?q=&month=&partner=&state=held", "HX-Request", "true")
	if strings.Contains(res.body, "<html") || !strings.HasPrefix(res.body, `<div id="result"`) || !strings.Contains(res.body, `hx-swap-oob="innerHTML">1 Ladevorgang</div>`) {
		t.Errorf("not the result: %.200s", res.body)
	}
	if got := res.Header.Get("HX-Push-Url"); got != "/de/cdrs?state=held" {
		t.Errorf("address %q", got)
	}
	if got := res.Header.Values("Vary"); !slices.Contains(got, "HX-Request") {
		t.Errorf("Vary %q", got)
	}
	if whole := c.get("/de/cdrs", "HX-Request", "true", "HX-History-Restore-Request", "true"); !strings.Contains(whole.body, "<html") {
		t.Error("history gets a part")
	}
}

// export has what is shown, as a table for Excel.
func export(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	res := c.get("/de/cdrs.csv?state=held")
	body, marked := strings.CutPrefix(res.body, "\ufeff")
	reader := csv.NewReader(strings.NewReader(body))
	reader.Comma = ';'
	rows, err := reader.ReadAll()
	if err != nil || !marked || len(rows) != 2 {
		t.Fatalf("%d rows, marked %v, %v", len(rows), marked, err)
	}
	held := map[string]string{}
	for i, name := range rows[0] {
		held[name] = rows[1][i]
	}
	for name, want := range map[string]string{"Status": "gehalten", "kWh": "88", "Einkauf": "34,67", "Auffälligkeiten": "P05", "Dauer": "10", "Beginn": "2026-11-19 08:00:00"} {
		if held[name] != want {
			t.Errorf("%s is %q, want %q", name, held[name], want)
		}
	}
	if all := c.get("/de/cdrs.csv"); strings.Count(all.body, "\n") != 71 {
		t.Errorf("%d lines", strings.Count(all.body, "\n"))
	}
	if head := c.do(http.MethodHead, "/de/cdrs.csv", nil); head.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %s", head.Status)
	}
}

// keyboard works through the CDR list: the focus never falls back to the top of the page.
func keyboard(w *world) {
	t, c := w.T, w.signIn(w.ours.staff)
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	tab.Size(1440, 900)
	tab.Open("/en/cdrs")
	focus := func() string {
		return uitest.Eval[string](tab, "document.activeElement.id || document.activeElement.tagName")
	}
	tab.Keys("\t")
	if got := uitest.Eval[string](tab, "document.activeElement.className"); got != "skip" {
		t.Errorf("the first stop is %q, not the way to the content", got)
	}
	press := func(id, done string) {
		uitest.Eval[bool](tab, `document.getElementById("`+id+`").focus() ?? true`)
		tab.Keys("\r")
		tab.WaitFor(done)
	}
	press("sort-kwh", `location.search === "?sort=-kwh"`)
	tab.WaitFor(`document.activeElement.id === "sort-kwh"`)
	tab.WaitFor(`document.querySelector("#live").textContent === "70 charging sessions"`)
	press("page-next", `location.search.includes("after=")`)
	tab.WaitFor(`!document.querySelector("#page-next")`)
	tab.WaitFor(`document.activeElement.id === "result"`) // there is no next page on the last one
	press("page-previous", `location.search.includes("before=")`)
	tab.WaitFor(`!document.querySelector("#page-previous") && document.activeElement.id === "result"`)
	press("tab-held", `location.search.includes("state=held")`)
	tab.WaitFor(`document.activeElement.id === "tab-held"`)
	uitest.Eval[bool](tab, `document.getElementById("q").focus() ?? true`)
	tab.Keys("markt")
	tab.WaitFor(`location.search.includes("q=markt")`)
	if got := focus(); got != "q" || uitest.Eval[string](tab, `document.getElementById("q").value`) != "markt" {
		t.Errorf("after typing the focus is on %s", got)
	}
	if got := uitest.Eval[string](tab, "location.search"); got != "?q=markt&sort=-kwh&state=held" {
		t.Errorf("typing lost the tab or the order: %s", got)
	}
	uitest.Eval[bool](tab, "history.back() ?? true")
	tab.WaitFor(`document.querySelector("#tab-held[aria-current]") && document.getElementById("q").value === ""`)
	uitest.Eval[bool](tab, `document.querySelector("[data-theme-form] button").focus() ?? true`)
	tab.Keys("\r")
	tab.WaitFor(`document.documentElement.dataset.theme && document.cookie.includes("theme=")`)
	tab.CheckPage("cdrs after use")
}

package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

var auth = client.Auth{Token: "example-token"}

func newClient() *client.Client {
	return client.New(client.Options{AllowPrivate: true, Timeout: time.Minute})
}

// answering is a partner that always answers the same.
func answering(t *testing.T, status int, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestSuccess(t *testing.T) { // TRN-14 to TRN-16, STA-01, STA-05, STA-06, PAG-17
	const list = `[{"version":"2.2.1","url":"https://example.org/2.2.1"}]`
	for name, test := range map[string]struct {
		status int
		body   string
		fault  client.Fault // 0: success
		code   ocpi.StatusCode
	}{
		"1000":                {200, `{"status_code":1000,"timestamp":"2026-10-20T12:00:00Z","data":` + list + `}`, 0, 0},
		"1900":                {200, `{"status_code":1900,"timestamp":"2026-10-20T12:00:00Z","data":` + list + `}`, 0, 0},
		"201":                 {201, `{"status_code":1000,"data":` + list + `}`, 0, 0},
		"code as text":        {200, `{"status_code":"1000","data":` + list + `}`, 0, 0},
		"no code":             {200, `{"data":` + list + `}`, 0, 0},
		"no envelope":         {200, list, 0, 0},
		"2001 in 200":         {200, `{"status_code":2001,"status_message":"no","data":` + list + `}`, client.Refused, 2001},
		"3001 in 200":         {200, `{"status_code":3001}`, client.Refused, 3001},
		"4003 of a hub":       {200, `{"status_code":4003}`, client.Refused, 4003},
		"1000 in 404":         {404, `{"status_code":1000,"data":` + list + `}`, client.Refused, 1000},
		"2004 in 404":         {404, `{"status_code":2004}`, client.Refused, 2004},
		"HTML in 502":         {502, `<html>bad gateway</html>`, client.Refused, 0},
		"empty 500":           {500, ``, client.Refused, 0},
		"HTML in 200":         {200, `<html>login</html>`, client.NotOCPI, 0},
		"empty 200":           {200, ``, client.NotOCPI, 0},
		"data of other shape": {200, `{"status_code":1000,"data":"x"}`, client.NotOCPI, 0},
		"redirect":            {302, ``, client.Refused, 0},
	} {
		versions, err := newClient().Versions(t.Context(), auth, answering(t, test.status, test.body))
		var failed *client.Error
		switch {
		case test.fault == 0 && (err != nil || len(versions) != 1):
			t.Errorf("%s: %v, %v", name, versions, err)
		case test.fault != 0 && (!errors.As(err, &failed) || failed.Fault != test.fault || failed.StatusCode != test.code || failed.HTTPStatus != test.status):
			t.Errorf("%s: %v %+v", name, err, failed)
		}
		if err != nil && strings.Contains(err.Error(), "example-token") {
			t.Errorf("%s: the error tells the token: %v", name, err)
		}
	}
}

func TestRequest(t *testing.T) { // TRN-02, TRN-03, TRN-12, TRN-17, TRN-27, RTG-01, RTG-03, TOK-07, TOK-32
	var seen []*http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r)
		_, _ = io.WriteString(w, `{"status_code":1000,"data":[]}`)
	}))
	defer s.Close()
	c := newClient()
	token := ocpi.Token{CountryCode: "DE", PartyID: "SWX", UID: "#NA/+ 1", Type: ocpi.TokenAppUser}
	routing := ocpi.Routing{To: ocpi.Party{CountryCode: "DE", PartyID: "CPO"}, From: ocpi.Party{CountryCode: "DE", PartyID: "SWX"}}
	for _, endpoint := range []string{s.URL + "/tokens", s.URL + "/tokens/", s.URL + "/tokens?tenant=7"} {
		if err := c.PutToken(t.Context(), client.Peer{Auth: auth, Routing: routing}, endpoint, token); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Versions(t.Context(), client.Auth{Token: "example-token", Raw: true}, s.URL); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"/tokens/DE/SWX/%23NA%2F+%201?type=APP_USER", "/tokens/DE/SWX/%23NA%2F+%201?type=APP_USER", "/tokens/DE/SWX/%23NA%2F+%201?tenant=7&type=APP_USER"} {
		if got := seen[i].RequestURI; got != want {
			t.Errorf("URL %s, want %s", got, want)
		}
	}
	put, get := seen[0], seen[3]
	for name, want := range map[string]string{
		"Authorization": "Token ZXhhbXBsZS10b2tlbg==", "Content-Type": "application/json",
		"OCPI-to-party-id": "CPO", "OCPI-to-country-code": "DE", "OCPI-from-party-id": "SWX", "OCPI-from-country-code": "DE",
	} {
		if got := put.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if get.Header.Get("Authorization") != "Token example-token" || get.Header.Get("OCPI-to-party-id") != "" {
		t.Errorf("headers of versions: %v", get.Header)
	}
	ids := map[string]bool{}
	for _, r := range seen {
		ids[r.Header.Get("X-Request-ID")] = true
		if r.Header.Get("X-Correlation-ID") == "" {
			t.Error("no correlation id")
		}
	}
	if len(ids) != len(seen) || ids[""] {
		t.Errorf("request ids: %v", ids)
	}
}

func TestDiscover(t *testing.T) { // TRN-06, VER-07, VER-08
	wants := "Token example-token" // the partner wants it raw
	versions := `[{"version":"2.1.1","url":"URL/2.1.1"},{"version":"2.2.1","url":"URL/2.2.1"},{"version":"2.2","url":"URL/2.2"}]`
	details := `{"version":"2.2.1","endpoints":[{"identifier":"tokens","role":"RECEIVER","url":"https://example.org/t"}]}`
	calls := 0
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.Header.Get("Authorization") != wants {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		data := map[string]string{"/versions": versions, "/2.2.1": details}[r.URL.Path]
		fmt.Fprintf(w, `{"status_code":1000,"data":%s}`, strings.ReplaceAll(data, "URL", s.URL))
	}))
	defer s.Close()
	discover := func() (client.Discovery, error) {
		calls = 0
		return newClient().Discover(t.Context(), auth, s.URL+"/versions", &ocpi.Dialect{Version: ocpi.Version221})
	}
	found, err := discover()
	if err != nil || !found.Auth.Raw || calls != 3 {
		t.Errorf("raw: %+v, %v after %d calls", found, err, calls)
	}
	details = `[{"identifier":"tokens","role":"RECEIVER","url":"https://example.org/t"}]` // the bare list
	found, err = discover()
	if url, ok := found.Details.Endpoint(ocpi.ModuleTokens, ocpi.Receiver); err != nil || !ok || url != "https://example.org/t" {
		t.Errorf("bare list: %+v, %v", found, err)
	}
	wants = ocpi.EncodeToken("example-token")
	if found, err = discover(); err != nil || found.Auth.Raw || calls != 2 {
		t.Errorf("base64: %+v, %v after %d calls", found, err, calls)
	}
	versions = `[{"version":"2.2","url":"URL/2.2"}]`
	if _, err = discover(); !errors.Is(err, client.ErrNoVersion) {
		t.Errorf("2.2 only: %v", err)
	}
	wants = "nothing"
	var failed *client.Error
	if _, err = discover(); !errors.As(err, &failed) || failed.HTTPStatus != 401 || calls != 2 {
		t.Errorf("refused: %v after %d calls", err, calls)
	}
}

// VER-07, VDF-02: the highest of the versions that both know is chosen, and what it does not have is not sent.
func TestDiscoverHighest(t *testing.T) {
	old := &ocpi.Dialect{Version: ocpi.Version211, RawToken: true, NoRouting: true, NoMessageIDs: true, NoTokenType: true}
	usual, newest := &ocpi.Dialect{Version: ocpi.Version221}, &ocpi.Dialect{Version: ocpi.Version230}
	versions := ""
	var last *http.Request
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last = r
		data := `{"endpoints":[]}`
		if r.URL.Path == "/versions" { // it asks nobody who it is
			data = versions
		} else if version := r.URL.Path[1:]; version == "2.1.1" && r.Header.Get("Authorization") != "Token example-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"status_code":1000,"data":%s}`, strings.ReplaceAll(data, "URL", s.URL))
	}))
	defer s.Close()
	for _, test := range []struct {
		offered string
		want    *ocpi.Dialect
		raw     bool
	}{
		{"2.1.1", old, true}, {"2.2.1 2.1.1", usual, false}, {"2.3.0 2.2.1 2.1.1", newest, false}, {"2.1.1 2.10.0 2.2 2.3.0", newest, false},
	} {
		var list []string
		for _, version := range strings.Fields(test.offered) {
			list = append(list, fmt.Sprintf(`{"version":%q,"url":"URL/%s"}`, version, version))
		}
		versions = "[" + strings.Join(list, ",") + "]"
		found, err := newClient().Discover(t.Context(), auth, s.URL+"/versions", old, usual, newest)
		if err != nil || found.Auth.Dialect != test.want || found.Auth.Raw != test.raw {
			t.Errorf("%s: %+v, %v", test.offered, found.Auth, err)
		}
	}
	peer := client.Peer{Auth: client.Auth{Token: "example-token", Raw: true, Dialect: old}, Routing: ocpi.Routing{To: ocpi.Party{CountryCode: "DE", PartyID: "CPO"}}}
	if err := newClient().PutToken(t.Context(), peer, s.URL+"/tokens", ocpi.Token{CountryCode: "DE", PartyID: "SWX", UID: "04", Type: ocpi.TokenRFID}); err != nil {
		t.Fatal(err)
	}
	if last.URL.RequestURI() != "/tokens/DE/SWX/04" || last.Header.Get("X-Request-ID")+last.Header.Get("X-Correlation-ID")+last.Header.Get("OCPI-to-party-id") != "" {
		t.Errorf("%s %v", last.URL, last.Header)
	}
}

func TestAddressesThatAreNotCalled(t *testing.T) { // VER-12, TRN-01, TRN-11
	called := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer s.Close()
	tls := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer tls.Close()
	guarded := client.New(client.Options{Timeout: time.Minute})
	for _, address := range []string{
		s.URL, tls.URL, "https://localhost:" + strings.Split(tls.URL, ":")[2], "https://10.0.0.1", "https://192.168.1.1", "https://169.254.169.254/latest",
		"https://[::1]", "https://[fd00::1]", "https://[fe80::1]", "https://[::ffff:127.0.0.1]", "https://0.0.0.0", "https://100.64.0.1", "https://[64:ff9b::7f00:1]",
		"ftp://example.org", "example.org/versions", "", "https://user:pass@example.org/", "file:///etc/passwd", "https://",
	} {
		var failed *client.Error
		if _, err := guarded.Versions(t.Context(), auth, address); !errors.As(err, &failed) || failed.Fault != client.Unreachable {
			t.Errorf("%s: %v", address, err)
		}
	}
	if called {
		t.Error("a private address was called")
	}
	var redirected bool
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { redirected = true }))
	defer target.Close()
	from := httptest.NewServer(http.RedirectHandler(target.URL, http.StatusTemporaryRedirect))
	defer from.Close()
	if _, err := newClient().Versions(t.Context(), auth, from.URL); err == nil || redirected {
		t.Errorf("redirect: %v, followed: %v", err, redirected)
	}
}

func TestLimits(t *testing.T) { // SSRF limits: size and time; TRN-30
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()
	c := client.New(client.Options{AllowPrivate: true, Timeout: 100 * time.Millisecond})
	var failed *client.Error
	if _, err := c.Versions(t.Context(), auth, slow.URL); !errors.As(err, &failed) || failed.Fault != client.Unreachable {
		t.Errorf("slow: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newClient().Versions(ctx, auth, slow.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for chunk := make([]byte, 1<<20); r.Context().Err() == nil; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	if _, err := newClient().Versions(t.Context(), auth, endless.URL); !errors.As(err, &failed) || failed.Fault != client.NotOCPI {
		t.Errorf("endless: %v", err)
	}
}

// shelf is a partner with a list of tariffs that is read page by page.
type shelf struct {
	*httptest.Server
	ids     []string
	page    int
	link    func(next string) string // what stands in Link; nil: as it should be
	between func()                   // happens after each page
	bare    bool                     // no headers but Link
	forgets bool                     // X-Total-Count on the first page only
	inBody  bool                     // the next address stands in the body
	calls   int
}

func newShelf(t *testing.T, page int, ids ...string) *shelf {
	t.Helper()
	s := &shelf{ids: ids, page: page}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls++
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	end := min(offset+s.page, len(s.ids))
	items := []any{}
	for _, id := range s.ids[min(offset, end):end] {
		if id == "broken" {
			items = append(items, map[string]any{"id": 7, "elements": "none"})
			continue
		}
		items = append(items, map[string]any{"id": id})
	}
	if !s.bare && (offset == 0 || !s.forgets) {
		w.Header().Set("X-Total-Count", strconv.Itoa(len(s.ids)))
	}
	body := map[string]any{"status_code": 1000, "data": items}
	if s.inBody {
		body["link"] = ""
	}
	if end < len(s.ids) {
		query := r.URL.Query()
		query.Set("offset", strconv.Itoa(end))
		next := s.URL + "/tariffs?" + query.Encode()
		switch {
		case s.inBody:
			body["link"] = next
		case s.link != nil:
			w.Header().Set("Link", s.link(next))
		default:
			w.Header().Set("Link", "<"+next+`>; rel="next"`)
		}
	}
	_ = json.NewEncoder(w).Encode(body)
	if s.between != nil {
		s.between()
	}
}

// read crawls through the shelf: the ids, how many objects could not be read, and the error that ended the crawl.
func (s *shelf) read(t *testing.T) (ids string, broken int, err error) {
	t.Helper()
	next, err := client.FirstPage(s.URL+"/tariffs", client.Query{DateFrom: time.Unix(0, 0), Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for total := 0; next != ""; {
		page, err := newClient().Page(t.Context(), client.Peer{Auth: auth}, next, total)
		if err != nil {
			return ids, broken, err
		}
		if len(page.Items) == 0 {
			break
		}
		if seen[page.Visit()] {
			return ids, broken, errors.New("a circle")
		}
		seen[page.Visit()] = true
		for _, raw := range page.Items {
			var tariff ocpi.Tariff
			if err := ocpi.Unmarshal(raw, &tariff); err != nil {
				broken++
			}
			ids += string(tariff.ID)
		}
		next, total = page.Next, page.Total
	}
	return ids, broken, nil
}

func TestPages(t *testing.T) { // PAG-13 to PAG-18
	for name, test := range map[string]struct {
		prepare func(s *shelf)
		ids     string
		broken  int
		fails   bool
	}{
		"all pages":         {func(*shelf) {}, "ABCDE", 0, false},
		"bare headers":      {func(s *shelf) { s.bare = true }, "ABCDE", 0, false},
		"total on page one": {func(s *shelf) { s.forgets = true }, "ABCDE", 0, false},
		"relative link": {func(s *shelf) {
			s.link = func(n string) string { return "<" + strings.TrimPrefix(n, s.URL) + ">;rel=next" }
		}, "ABCDE", 0, false},
		"other links": {func(s *shelf) {
			s.link = func(n string) string { return `</x>; rel="prev", <` + n + `>; title="a, b"; rel="next"` }
		}, "ABCDE", 0, false},
		"link in the body": {func(s *shelf) { s.inBody = true }, "ABCDE", 0, false},
		"no link":          {func(s *shelf) { s.link = func(string) string { return "" } }, "AB", 0, false},
		"foreign host":     {func(s *shelf) { s.link = func(string) string { return `<https://evil.example/>; rel="next"` } }, "", 0, true},
		"circle":           {func(s *shelf) { s.link = func(string) string { return "<" + s.URL + `/tariffs?offset=0>; rel="next"` } }, "ABAB", 0, true},
		"broken object":    {func(s *shelf) { s.ids[2] = "broken" }, "ABDE", 1, false},
		"empty":            {func(s *shelf) { s.ids = nil }, "", 0, false},
		"shrinks":          {func(s *shelf) { once(&s.between, func() { s.ids = s.ids[1:] }) }, "ABCDE", 0, false},
		"grows":            {func(s *shelf) { once(&s.between, func() { s.ids = append(s.ids, "F") }) }, "ABCDEF", 0, false},
		"never ends":       {func(s *shelf) { s.between = func() { s.ids = []string{"A"}; s.page = 0 } }, "AB", 0, false},
	} {
		s := newShelf(t, 2, "A", "B", "C", "D", "E")
		test.prepare(s)
		ids, broken, err := s.read(t)
		if ids != test.ids || broken != test.broken || (err != nil) != test.fails {
			t.Errorf("%s: %q, %d broken, %v; want %q, %d, failure %v", name, ids, broken, err, test.ids, test.broken, test.fails)
		}
	}
}

// once sets f to do something the first time it is called.
func once(f *func(), do func()) {
	done := false
	*f = func() {
		if !done {
			done = true
			do()
		}
	}
}

// STA-08: how long a partner wants to be left alone.
func TestRetryAfter(t *testing.T) {
	for value, want := range map[string][2]time.Duration{
		"":    {0, 0},
		"120": {2 * time.Minute, 2 * time.Minute},
		"-5":  {0, 0},
		"x":   {0, 0},
		time.Now().Add(time.Hour).UTC().Format(http.TimeFormat): {50 * time.Minute, time.Hour},
		"Thu, 01 Jan 1970 00:00:00 GMT":                         {0, 0},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		var busy *client.Error
		if _, err := newClient().Page(t.Context(), client.Peer{Auth: auth}, s.URL, 0); !errors.As(err, &busy) || busy.RetryAfter < want[0] || busy.RetryAfter > want[1] {
			t.Errorf("Retry-After %q: %v", value, busy)
		}
		s.Close()
	}
}

package office_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/office"
)

func TestPasswordHash(t *testing.T) {
	hash, err := office.HashPassword(password)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s, %v", hash, err)
	}
	again, err := office.HashPassword(password)
	if err != nil || again == hash {
		t.Errorf("the same salt twice, or %v", err)
	}
	for given, want := range map[string]bool{password: true, password + " ": false, "": false} {
		if fits, err := office.CheckPassword(hash, given); err != nil || fits != want {
			t.Errorf("%q fits: %v, %v", given, fits, err)
		}
	}
	if _, err := office.HashPassword(""); err == nil {
		t.Error("an empty password has a hash")
	}
	for _, damaged := range []string{"", "plain", "$argon2i$v=19$m=19456,t=2,p=1$c2FsdA$a2V5", "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5", hash[:len(hash)-30], "$argon2id$v=19$m=19456,t=0,p=1$c2FsdA$a2V5"} {
		if fits, err := office.CheckPassword(damaged, password); err == nil || fits {
			t.Errorf("%q: %v, %v", damaged, fits, err)
		}
	}
}

func TestSignIn(t *testing.T) {
	w := open(t)
	try := func(c *client, form url.Values) response { return c.post("/en/signin", form) }

	c := w.anonymous()
	if res := try(c, url.Values{}); res.StatusCode != http.StatusUnprocessableEntity || strings.Count(res.body, `aria-invalid="true"`) != 2 || !strings.Contains(res.body, "error-summary") {
		t.Errorf("nothing entered: %s", res.Status)
	}
	for _, form := range []url.Values{{"email": {operator}, "password": {"wrong"}}, {"email": {"nobody@roamwerk.example"}, "password": {password}}} {
		res := try(c, form)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, "E-mail address or password is wrong") || len(res.Cookies()) != 0 {
			t.Errorf("%v: %s with cookies %v", form, res.Status, res.Cookies())
		}
	}
	res := try(c, url.Values{"email": {" Operator@Roamwerk.example "}, "password": {password}, "next": {"/en/cdrs?state=held"}})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/en/cdrs?state=held" || len(res.Cookies()) != 1 {
		t.Fatalf("%s to %q with %v", res.Status, res.Header.Get("Location"), res.Cookies())
	}
	cookie := res.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure || cookie.Path != "/" {
		t.Errorf("cookie %+v", cookie)
	}
	page := c.get("/en/overview")
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "Olga Operator") || page.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("overview: %s, %q", page.Status, page.Header.Get("Cache-Control"))
	}
	if res := c.get("/en/signin"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("sign-in page for somebody who is signed in: %s", res.Status)
	}
	if res := c.post("/en/signout", nil); res.Header.Get("Location") != "/en/signin" {
		t.Errorf("sign-out leads to %q", res.Header.Get("Location"))
	}
	stolen := w.anonymous()
	if res := stolen.get("/en/overview", "Cookie", cookie.Name+"="+cookie.Value); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the old cookie still works: %s", res.Status)
	}
}

// TestSignInLeadsNowhereElse keeps the address to go on to on this host.
func TestSignInLeadsNowhereElse(t *testing.T) {
	w := open(t)
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/de"} {
		res := w.anonymous().post("/de/signin", url.Values{"email": {operator}, "password": {password}, "next": {next}})
		if got := res.Header.Get("Location"); got != "/de/overview" {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}

func TestSignInIsThrottled(t *testing.T) {
	w := open(t)
	c := w.anonymous()
	guess := func(email, pass string) int {
		return c.post("/de/signin", url.Values{"email": {email}, "password": {pass}}).StatusCode
	}
	for range 5 {
		guess(operator, "wrong")
	}
	if status := guess(operator, password); status != http.StatusTooManyRequests {
		t.Errorf("sixth guess within a minute: %d", status)
	}
	if status := guess("somebody@else.example", "wrong"); status != http.StatusUnprocessableEntity {
		t.Errorf("another account: %d", status)
	}
	w.skip.Add(int64(time.Minute))
	if status := guess(operator, password); status != http.StatusSeeOther {
		t.Errorf("a minute later: %d", status)
	}
}

// Guesses count for the address from which they come: that of the caller, as a proxy that is trusted names it, and never what
// the caller itself writes.
func TestSignInIsThrottledByAddress(t *testing.T) {
	w := open(t)
	_, proxy, err := net.ParseCIDR("192.0.2.1/32")
	w.check(err)
	handler := office.New(office.Options{Ops: w.ops, Address: echo.ExtractIPFromXFFHeader(echo.TrustLoopback(false), echo.TrustPrivateNet(false), echo.TrustIPRange(proxy))})
	n := 0
	guess := func(peer, forwarded string) int {
		n++
		form := url.Values{"email": {fmt.Sprintf("nobody%d@roamwerk.example", n)}, "password": {password}}
		req := httptest.NewRequest(http.MethodPost, "/de/signin", strings.NewReader(form.Encode()))
		req.RemoteAddr = peer + ":4711"
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("X-Forwarded-For", forwarded)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, req)
		return rec.Code
	}
	for i := range 30 {
		if status := guess("198.51.100.7", fmt.Sprintf("203.0.113.%d", i)); status != http.StatusUnprocessableEntity {
			t.Fatalf("guess %d: %d", i+1, status)
		}
	}
	for name, test := range map[string]struct {
		peer, forwarded string
		status          int
	}{
		"forging another address":           {"198.51.100.7", "203.0.113.99", http.StatusTooManyRequests},
		"forging the proxy's":               {"198.51.100.7", "192.0.2.1", http.StatusTooManyRequests},
		"the same through the proxy":        {"192.0.2.1", "198.51.100.7", http.StatusTooManyRequests},
		"the same, forging, through it":     {"192.0.2.1", "203.0.113.99, 198.51.100.7", http.StatusTooManyRequests},
		"somebody else through the proxy":   {"192.0.2.1", "203.0.113.5", http.StatusUnprocessableEntity},
		"somebody whose address was forged": {"203.0.113.7", "", http.StatusUnprocessableEntity},
	} {
		if status := guess(test.peer, test.forwarded); status != test.status {
			t.Errorf("%s: %d, want %d", name, status, test.status)
		}
	}
}

func TestDisabledStaffIsOut(t *testing.T) {
	w := open(t)
	c := w.signIn(operator)
	staff, err := w.ops.DB.StaffByEmail(t.Context(), operator)
	w.check(err)
	w.check(w.ops.DB.DisableStaff(t.Context(), db.DisableStaffParams{ID: staff.ID, Now: w.now}))
	if res := c.get("/de/overview"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("%s", res.Status)
	}
}

// TestOtherSitesCannotAct refuses what another site lets a browser send.
func TestOtherSitesCannotAct(t *testing.T) {
	w := open(t)
	c := w.signIn(operator)
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example"}} {
		if res := c.post("/de/signout", nil, headers...); res.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %s", headers, res.Status)
		}
	}
	if res := c.get("/de/overview"); res.StatusCode != http.StatusOK {
		t.Errorf("signed out after all: %s", res.Status)
	}
}

func TestSecureCookies(t *testing.T) {
	w := open(t)
	ops := *w.ops
	ops.BaseURL = "https://office.example"
	handler := office.New(office.Options{Ops: &ops, Secure: true})
	form := url.Values{"email": {operator}, "password": {password}}
	req := httptest.NewRequest(http.MethodPost, "/de/signin", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "https://office.example") // where a proxy in front of us is
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	cookies := rec.Result().Cookies()
	if rec.Code != http.StatusSeeOther || len(cookies) != 1 || !cookies[0].Secure || !strings.HasPrefix(cookies[0].Name, "__Host-") {
		t.Errorf("%d with %v", rec.Code, cookies)
	}
	if rec.Header().Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
}

// TestSessionTokensAreHashed looks for the token of a session in the database.
func TestSessionTokensAreHashed(t *testing.T) {
	w := open(t)
	c := w.signIn(operator)
	token := c.cookies()[0].Value
	for _, key := range [][]byte{[]byte(token), w.ops.Box.Hash(token)} {
		if _, err := w.ops.DB.WebSession(t.Context(), db.WebSessionParams{TokenHash: key, Now: time.Now()}); err == nil {
			t.Error("the session is stored under its token, or under a hash that others use")
		}
	}
}

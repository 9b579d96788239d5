package ui

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestStaticFilesAreKeptForEver(t *testing.T) {
	server := httptest.NewServer(Static())
	defer server.Close()
	for _, name := range []string{"ui.css", "app.js", "htmx.min.js", "icon.svg", "inter-latin.woff2", "inter-latin-ext.woff2"} {
		res := get(t, server.URL+Asset(name))
		if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %s, cached %q", name, res.Status, res.Header.Get("Cache-Control"))
		}
	}
	for _, path := range []string{"/static/0000000000000000/ui.css", Asset("missing.css"), Asset(""), "/static/", "/static/" + release, Asset("../lang.go")} {
		if res := get(t, server.URL+path); res.StatusCode == http.StatusOK || res.Header.Get("Cache-Control") != "" {
			t.Errorf("%s: %s, cached %q", path, res.Status, res.Header.Get("Cache-Control"))
		}
	}
}

// TestStyleSheetLoadsOnlyOurs keeps foreign hosts and missing files out of the style sheet.
func TestStyleSheetLoadsOnlyOurs(t *testing.T) {
	css, err := static.ReadFile("static/ui.css")
	if err != nil {
		t.Fatal(err)
	}
	urls := regexp.MustCompile(`url\("([^"]*)"\)`).FindAllStringSubmatch(string(css), -1)
	if len(urls) == 0 || strings.Contains(string(css), "@import") {
		t.Errorf("%d files, or an import", len(urls))
	}
	for _, u := range urls {
		if _, err := static.ReadFile("static/" + u[1]); err != nil {
			t.Error(err)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	rec := httptest.NewRecorder()
	Secure(true, page).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff", "Strict-Transport-Security": "max-age=31536000",
	}
	for name, value := range want {
		if got := rec.Header().Get(name); got != value {
			t.Errorf("%s: %q", name, got)
		}
	}
	rec = httptest.NewRecorder()
	Secure(false, page).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	if rec.Header().Get("Strict-Transport-Security") != "" {
		t.Error("a host without https must not ask for it")
	}
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

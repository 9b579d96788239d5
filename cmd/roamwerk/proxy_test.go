package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever a caller writes into X-Forwarded-For: who calls is whom the last proxy that we trust was called by.
func TestTrustedProxies(t *testing.T) {
	for name, test := range map[string]struct {
		trusted string
		peer    string
		headers []string
		want    string
	}{
		"no header":                     {"10.0.0.5/32", "10.0.0.5", nil, "10.0.0.5"},
		"nobody is trusted":             {"", "127.0.0.1", []string{"203.0.113.9"}, "127.0.0.1"},
		"nor is a private network":      {"10.0.0.5/32", "10.0.0.6", []string{"203.0.113.9"}, "10.0.0.6"},
		"nor the machine itself":        {"10.0.0.5/32", "127.0.0.1", []string{"203.0.113.9"}, "127.0.0.1"},
		"forged, without the proxy":     {"10.0.0.5/32", "198.51.100.7", []string{"10.0.0.5"}, "198.51.100.7"},
		"the proxy says":                {"10.0.0.5/32", "10.0.0.5", []string{"203.0.113.9"}, "203.0.113.9"},
		"forged, through the proxy":     {"10.0.0.5/32", "10.0.0.5", []string{"192.0.2.1, 203.0.113.9"}, "203.0.113.9"},
		"forged in a header of its own": {"10.0.0.5/32", "10.0.0.5", []string{"192.0.2.1", "203.0.113.9"}, "203.0.113.9"},
		"forged as the proxy":           {"10.0.0.5/32", "10.0.0.5", []string{"10.0.0.5, 203.0.113.9"}, "203.0.113.9"},
		"forged nonsense":               {"10.0.0.5/32", "10.0.0.5", []string{"<script>, 203.0.113.9"}, "203.0.113.9"},
		"two proxies":                   {"10.0.0.0/24,2001:db8::/64", "10.0.0.5", []string{"192.0.2.1, 203.0.113.9, 2001:db8::7"}, "203.0.113.9"},
		"an address of IPv6":            {"2001:db8::/64", "[2001:db8::7]", []string{"2001:db9::1"}, "2001:db9::1"},
		"IPv4 on a socket of IPv6":      {"10.0.0.5/32", "[::ffff:10.0.0.5]", []string{"203.0.113.9"}, "203.0.113.9"},
	} {
		cfg, err := loadConfig(map[string]string{"ROAMWERK_TRUSTED_PROXIES": test.trusted})
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.RemoteAddr = test.peer + ":4711"
		req.Header["X-Forwarded-For"] = test.headers
		req.Header["X-Real-Ip"] = []string{"192.0.2.66"}
		if got := cfg.address()(req); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	for _, bad := range []string{"10.0.0.5", "proxy.example/32", "10.0.0.0/33", "0.0.0.0/0", "10.0.0.5/32,::/0"} {
		if _, err := loadConfig(map[string]string{"ROAMWERK_TRUSTED_PROXIES": bad}); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	var out strings.Builder
	if err := run(t.Context(), []string{"config"}, map[string]string{"ROAMWERK_TRUSTED_PROXIES": "10.0.0.5/32,fd00::/64"}, &out, &out); err != nil || !strings.Contains(out.String(), "10.0.0.5/32,fd00::/64") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

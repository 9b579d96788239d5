package ocpi

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// TestEncodeToken covers TRN-02 and TRN-03.
func TestEncodeToken(t *testing.T) {
	for token, want := range map[string]string{
		"example-token": "Token ZXhhbXBsZS10b2tlbg==",
		"Lücke":         "Token TMO8Y2tl",
		"a?>":           "Token YT8+",
	} {
		if got := EncodeToken(token); got != want {
			t.Errorf("%q: %q", token, got)
		}
	}
}

// TestTokenCandidates covers TRN-04, TRN-05 and TRN-07.
func TestTokenCandidates(t *testing.T) {
	for _, test := range []struct {
		header string
		want   []string
	}{
		{"Token ZXhhbXBsZS10b2tlbg==", []string{"example-token", "ZXhhbXBsZS10b2tlbg=="}},
		{"Token ZXhhbXBsZS10b2tlbg", []string{"example-token", "ZXhhbXBsZS10b2tlbg"}},
		{"Token ZXhhbXBsZS10b2tlbgo=", []string{"example-token\n", "example-token", "ZXhhbXBsZS10b2tlbgo="}},
		{"Token ZXhhbXBsZS10b2tlbgo", []string{"example-token\n", "example-token", "ZXhhbXBsZS10b2tlbgo"}},
		{"Token YT8-", []string{"a?>", "YT8-"}},
		{"Token example-token", []string{"example-token"}},
		{"token   ZXhhbXBsZS10b2tlbg==  ", []string{"example-token", "ZXhhbXBsZS10b2tlbg=="}},
		{"TOKEN abcd", []string{"i\xb7\x1d", "abcd"}}, // a raw token that happens to be Base64
	} {
		got, err := TokenCandidates(test.header)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, %v", test.header, got, err)
		}
	}
	for _, header := range []string{"", "Token", "Token ", "Bearer abc", "Basic YTpi", "TokenZXhh"} {
		_, err := TokenCandidates(header)
		if refused, ok := err.(*Error); !ok || refused.HTTPStatus != 401 || refused.StatusCode != StatusClientError {
			t.Errorf("%q: %v", header, err)
		}
	}
}

// TestRouting covers RTG-01 and RTG-02.
func TestRouting(t *testing.T) {
	h := http.Header{}
	sent := Routing{To: Party{"DE", "LWE"}, From: Party{"DE", "SWM"}}
	sent.Write(h)
	if got := ReadRouting(h); got != sent {
		t.Errorf("%+v", got)
	}
	if reply := sent.Reply(); reply.To != sent.From || reply.From != sent.To {
		t.Errorf("%+v", reply)
	}
	h.Del(HeaderToPartyID)
	if got := ReadRouting(h); !got.To.IsZero() || got.From != sent.From {
		t.Errorf("half a party is a party: %+v", got)
	}
	h = http.Header{}
	Routing{}.Write(h)
	if len(h) != 0 {
		t.Errorf("%v", h)
	}
}

// TestNextLink covers PAG-07, PAG-13 and PAG-14.
func TestNextLink(t *testing.T) {
	request, _ := url.Parse("https://cpo.example/ocpi/2.2.1/cdrs?limit=50")
	next := "https://cpo.example/ocpi/2.2.1/cdrs?limit=50&offset=50"
	for _, test := range []struct {
		name   string
		values []string
		want   string
	}{
		{"ours", []string{FormatNextLink(request.ResolveReference(&url.URL{RawQuery: "limit=50&offset=50"}))}, next},
		{"unquoted", []string{`<` + next + `>; rel=next`}, next},
		{"case and spaces", []string{` < ` + next + ` > ; REL = "Next" `}, next},
		{"other parameters first", []string{`<` + next + `>; title="a, b; c"; rel="next"`}, next},
		{"a flag", []string{`<` + next + `>; preload; rel=next`}, next},
		{"several in one header", []string{`<https://cpo.example/1>; rel="first", <` + next + `>; rel="next", <https://cpo.example/9>; rel=last`}, next},
		{"several headers", []string{`<https://cpo.example/1>; rel=prev`, `<` + next + `>; rel="next"`}, next},
		{"several relations", []string{`<` + next + `>; rel="last next"`}, next},
		{"relative", []string{`<?limit=50&offset=50>; rel="next"`}, next},
		{"absolute path", []string{`</ocpi/2.2.1/cdrs?limit=50&offset=50>; rel="next"`}, next},
		{"first rel counts", []string{`<https://cpo.example/1>; rel=prev; rel=next`}, ""},
		{"last page", nil, ""},
		{"other relation", []string{`<` + next + `>; rel="prev"`}, ""},
		{"no relation", []string{`<` + next + `>`}, ""},
		{"not a link", []string{`next`, `<`, `<x`, ``}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := http.Header{HeaderLink: test.values}
			got, err := NextLink(h, request)
			if err != nil {
				t.Fatal(err)
			}
			if test.want == "" && got != nil || test.want != "" && (got == nil || got.String() != test.want) {
				t.Errorf("%v", got)
			}
		})
	}
	if _, err := NextLink(http.Header{HeaderLink: {`<http://%zz>; rel=next`}}, request); err == nil {
		t.Error("no error for what is no URL")
	}
}

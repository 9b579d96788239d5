package ocpi

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The headers of OCPI (OCPI 2.2.1 § Transport and format).
const (
	HeaderAuthorization   = "Authorization"
	HeaderRequestID       = "X-Request-ID"
	HeaderCorrelationID   = "X-Correlation-ID"
	HeaderToPartyID       = "OCPI-to-party-id"
	HeaderToCountryCode   = "OCPI-to-country-code"
	HeaderFromPartyID     = "OCPI-from-party-id"
	HeaderFromCountryCode = "OCPI-from-country-code"
	HeaderLink            = "Link"
	HeaderTotalCount      = "X-Total-Count"
	HeaderLimit           = "X-Limit"
	HeaderLocation        = "Location"
)

// Routing says from which party a message comes and which it is for (OCPI
// 2.2.1 § Message routing headers). A zero Party stands for missing headers.
type Routing struct {
	To   Party
	From Party
}

// ReadRouting returns the routing of a message with the header h. A party of
// which only one half is given counts as missing.
func ReadRouting(h http.Header) Routing {
	return Routing{
		To:   readParty(h, HeaderToCountryCode, HeaderToPartyID),
		From: readParty(h, HeaderFromCountryCode, HeaderFromPartyID),
	}
}

func readParty(h http.Header, countryCode, partyID string) Party {
	p := Party{
		CountryCode: CiString(strings.TrimSpace(h.Get(countryCode))),
		PartyID:     CiString(strings.TrimSpace(h.Get(partyID))),
	}
	if p.CountryCode == "" || p.PartyID == "" {
		return Party{}
	}
	return p
}

// Write sets the routing headers in h; a zero party sets none.
func (r Routing) Write(h http.Header) {
	if !r.To.IsZero() {
		h.Set(HeaderToCountryCode, string(r.To.CountryCode))
		h.Set(HeaderToPartyID, string(r.To.PartyID))
	}
	if !r.From.IsZero() {
		h.Set(HeaderFromCountryCode, string(r.From.CountryCode))
		h.Set(HeaderFromPartyID, string(r.From.PartyID))
	}
}

// Reply returns the routing of the response to a message with r (RTG-02).
func (r Routing) Reply() Routing { return Routing{To: r.From, From: r.To} }

// EncodeToken returns the value of the Authorization header for a credentials
// token (OCPI 2.2.1 § Authorization header): "Token " and its Base64.
func EncodeToken(token string) string {
	return "Token " + base64.StdEncoding.EncodeToString([]byte(token))
}

// TokenCandidates returns the credentials tokens that the value of an
// Authorization header may mean, the most likely first (TRN-05): decoded from
// Base64; decoded from Base64 without padding or in the URL alphabet; these
// without white space at their end; the text itself. The first of them that
// is known is the token. The error is an *Error with HTTP status 401.
func TokenCandidates(header string) ([]string, error) {
	scheme, value, _ := strings.Cut(strings.TrimSpace(header), " ")
	value = strings.TrimSpace(value)
	if !strings.EqualFold(scheme, "Token") || value == "" {
		return nil, Unauthorized("the Authorization header must be: Token <Base64 of the credentials token>")
	}
	var candidates []string
	add := func(token string) {
		if token != "" && !slices.Contains(candidates, token) {
			candidates = append(candidates, token)
		}
	}
	decoded, _ := decodeToken(value)
	add(decoded)
	add(strings.TrimRight(decoded, tokenSpace))
	add(value)
	return candidates, nil
}

// tokenSpace is the white space that some partners encode with a token.
const tokenSpace = " \t\r\n"

// decodeToken decodes a token from Base64, "" if it is none; padded says that
// it is Base64 by the letter.
func decodeToken(value string) (token string, padded bool) {
	if b, err := base64.StdEncoding.Strict().DecodeString(value); err == nil {
		return string(b), true
	}
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(value, "="))
	if b, err := base64.RawStdEncoding.DecodeString(standard); err == nil {
		return string(b), false
	}
	return "", false
}

// FormatNextLink returns the value of the Link header that points to the next
// page (OCPI 2.2.1 § Pagination).
func FormatNextLink(u *url.URL) string { return "<" + u.String() + `>; rel="next"` }

// NextLink returns the target of the Link header with rel="next" in h, made
// absolute with the URL of the request, or nil on the last page (PAG-13,
// PAG-14). Whether the target's host is to be trusted is for the caller to
// decide. The error says that the target is no URL.
func NextLink(h http.Header, request *url.URL) (*url.URL, error) {
	for _, value := range h.Values(HeaderLink) {
		for target, relations := range links(value) {
			if !slices.ContainsFunc(strings.Fields(relations), isNext) {
				continue
			}
			u, err := url.Parse(target)
			if err != nil {
				return nil, err
			}
			// What becomes of a reference need not be an address: "//::" parses, "https://::" does not.
			return url.Parse(request.ResolveReference(u).String())
		}
	}
	return nil, nil
}

func isNext(relation string) bool { return strings.EqualFold(relation, "next") }

// links yields the target and the rel parameter of each link of a Link header
// (RFC 8288). What cannot be read ends the list.
func links(value string) func(yield func(target, relations string) bool) {
	return func(yield func(target, relations string) bool) {
		for {
			_, rest, found := strings.Cut(value, "<")
			if !found {
				return
			}
			target, parameters, found := strings.Cut(rest, ">")
			if !found {
				return
			}
			relations, rest := relation(parameters)
			if !yield(strings.TrimSpace(target), relations) {
				return
			}
			value = rest
		}
	}
}

// relation reads the parameters of one link and returns its first rel and
// what follows the comma that ends the link.
func relation(s string) (relations, rest string) {
	for {
		s = strings.TrimLeft(s, " \t;")
		if s == "" || s[0] == ',' {
			return relations, strings.TrimPrefix(s, ",")
		}
		end := strings.IndexAny(s, "=;,")
		if end < 0 || s[end] != '=' {
			if end < 0 {
				return relations, ""
			}
			s = s[end:]
			continue
		}
		name, text := strings.TrimSpace(s[:end]), strings.TrimLeft(s[end+1:], " \t")
		text, s = parameterValue(text)
		if relations == "" && strings.EqualFold(name, "rel") {
			relations = text
		}
	}
}

// parameterValue reads one quoted or bare parameter value.
func parameterValue(s string) (value, rest string) {
	if strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s[1:], `"`)
		return value, rest
	}
	end := strings.IndexAny(s, ";,")
	if end < 0 {
		return strings.TrimSpace(s), ""
	}
	return strings.TrimSpace(s[:end]), s[end:]
}

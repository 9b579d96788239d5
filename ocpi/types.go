package ocpi

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// CiString is a case-insensitive identifier (OCPI 2.2.1 § CiString). The
// spelling received is kept; compare with Equal and index by Fold.
type CiString string

// NotApplicable fills a required identifier that cannot exist, such as the
// EVSE of a reservation that was never assigned one (OCPI 2.2.1 §
// No value: #NA). It is never an identifier to join on.
const NotApplicable CiString = "#NA"

// Fold returns the spelling under which s is indexed: ASCII upper case.
func (s CiString) Fold() string {
	for i := range len(s) {
		if 'a' <= s[i] && s[i] <= 'z' {
			return foldFrom(s, i)
		}
	}
	return string(s)
}

func foldFrom(s CiString, first int) string {
	b := []byte(s)
	for i := first; i < len(b); i++ {
		b[i] = upperASCII(b[i])
	}
	return string(b)
}

// Equal reports whether s and other name the same thing.
func (s CiString) Equal(other CiString) bool {
	if len(s) != len(other) {
		return false
	}
	for i := range len(s) {
		if upperASCII(s[i]) != upperASCII(other[i]) {
			return false
		}
	}
	return true
}

func upperASCII(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}

// Party is one company in one country, the owner of objects and the address
// of messages (OCPI 2.2.1 § Message routing headers).
type Party struct {
	CountryCode CiString // ISO 3166-1 alpha-2
	PartyID     CiString // three characters
}

// String returns the party as written in configuration and logs: DE*SWX.
func (p Party) String() string {
	if p.IsZero() {
		return ""
	}
	return string(p.CountryCode) + "*" + string(p.PartyID)
}

// IsZero reports whether p names nobody.
func (p Party) IsZero() bool { return p == Party{} }

// Equal reports whether p and other are the same party.
func (p Party) Equal(other Party) bool {
	return p.CountryCode.Equal(other.CountryCode) && p.PartyID.Equal(other.PartyID)
}

// Fold returns the party in the spelling under which it is indexed.
func (p Party) Fold() Party {
	return Party{CountryCode: CiString(p.CountryCode.Fold()), PartyID: CiString(p.PartyID.Fold())}
}

// ParseParty reads the form that Party.String writes; DE-SWX and DESWX are
// understood too. The result is in upper case. The error is an *Error.
func ParseParty(s string) (Party, error) {
	text := strings.ToUpper(strings.TrimSpace(s))
	if len(text) == 6 && (text[2] == '*' || text[2] == '-') {
		text = text[:2] + text[3:]
	}
	if len(text) != 5 || !isAlphanumeric(text) || !isLetters(text[:2]) {
		return Party{}, InvalidParameter("party", "a party such as DE*SWX", s)
	}
	return Party{CountryCode: CiString(text[:2]), PartyID: CiString(text[2:])}, nil
}

func isAlphanumeric(s string) bool {
	for i := range len(s) {
		c := upperASCII(s[i])
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isLetters(s string) bool {
	for i := range len(s) {
		c := upperASCII(s[i])
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// DisplayText is plain text in one language for a human reader (OCPI 2.2.1 §
// DisplayText). It is not markup and must be escaped where it is shown.
type DisplayText struct {
	Language string         `json:"language,omitzero"` // ISO 639-1
	Text     string         `json:"text,omitzero"`
	Extra    jsontext.Value `json:",embed"`
}

// Ptr returns a pointer to a copy of v, for the optional fields of messages.
func Ptr[T any](v T) *T { return &v }

// Number returns d as a number that is present.
func Number(d decimal.Decimal) decimal.NullDecimal {
	return decimal.NullDecimal{Decimal: d, Valid: true}
}

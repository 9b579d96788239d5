package ocpi

import (
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// A checker collects what is wrong with a message. Every object of this
// package is checked by plain code, field by field in the order of the
// specification. A required field that is missing is a reject, as OCPI
// demands; a value that is merely not as it should be is a note, because
// refusing it would lose the rest of the message (TYP-03, TYP-12).
type checker struct {
	findings Findings
	evidence bool // inside of what is only evidence, nothing is a reject
}

// place is where in a message a checker is. Places live on the stack and are
// only written out for a finding.
type place struct {
	parent *place
	name   string
	index  int // of a list item; -1 for a field
}

func (p *place) field(name string) place { return place{parent: p, name: name, index: -1} }

func (p *place) item(name string, index int) place {
	return place{parent: p, name: name, index: index}
}

func (p *place) append(b []byte) []byte {
	if p == nil {
		return b
	}
	b = p.parent.append(b)
	if len(b) > 0 && p.name != "" {
		b = append(b, '.')
	}
	b = append(b, p.name...)
	if p.index >= 0 {
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(p.index), 10)
		b = append(b, ']')
	}
	return b
}

const (
	ruleRequired   = "required"
	ruleCurrency   = "three capital letters (ISO 4217)"
	ruleCountry    = "three capital letters (ISO 3166-1 alpha-3)"
	ruleKnownValue = "not a value of OCPI 2.2.1"
)

func (c *checker) reject(p *place, field, rule, value string) {
	severity := Reject
	if c.evidence {
		severity = Note
	}
	c.add(severity, p, field, rule, value)
}

func (c *checker) note(p *place, field, rule, value string) { c.add(Note, p, field, rule, value) }

func (c *checker) add(severity Severity, p *place, field, rule, value string) {
	at := p.field(field)
	path := string(at.append(nil))
	if secret(path) {
		value = ""
	}
	finding := Finding{Severity: severity, Path: path, Rule: rule, Value: shorten(value)}
	if severity == Note && !c.evidence {
		finding.Quirk = noteQuirk(rule)
	}
	c.findings = append(c.findings, finding)
}

// maxID bounds an identifier absolutely: beyond it no index can hold it.
const maxID = 255

// id checks a required identifier of at most limit characters.
func (c *checker) id(p *place, field string, v CiString, limit int) {
	if v == "" {
		c.reject(p, field, ruleRequired, "")
		return
	}
	c.optionalID(p, field, v, limit)
}

func (c *checker) optionalID(p *place, field string, v CiString, limit int) {
	if len(v) > maxID {
		c.reject(p, field, atMost(limit), string(v))
		return
	}
	if len(v) > limit {
		c.note(p, field, atMost(limit), string(v))
	}
	for i := range len(v) {
		if v[i] < 0x20 || v[i] > 0x7e {
			c.note(p, field, "only printable ASCII characters", string(v))
			return
		}
	}
}

// party checks the owner of an object.
func (c *checker) party(p *place, countryCode, partyID CiString) {
	if countryCode == "" {
		c.reject(p, "country_code", ruleRequired, "")
	} else if len(countryCode) != 2 || !isLetters(string(countryCode)) {
		c.partyForm(p, "country_code", "two letters", countryCode)
	}
	if partyID == "" {
		c.reject(p, "party_id", ruleRequired, "")
	} else if len(partyID) != 3 || !isAlphanumeric(string(partyID)) {
		c.partyForm(p, "party_id", "three letters or digits", partyID)
	}
}

func (c *checker) partyForm(p *place, field, rule string, v CiString) {
	if len(v) > maxID {
		c.reject(p, field, rule, string(v))
		return
	}
	c.note(p, field, rule, string(v))
}

// text checks a required text of at most limit characters.
func (c *checker) text(p *place, field, v string, limit int) {
	if v == "" {
		c.reject(p, field, ruleRequired, "")
		return
	}
	c.optionalText(p, field, v, limit)
}

func (c *checker) optionalText(p *place, field, v string, limit int) {
	if len(v) > limit && utf8.RuneCountInString(v) > limit {
		c.note(p, field, atMost(limit), v)
	}
	for i := range len(v) {
		if v[i] < 0x20 || v[i] == 0x7f {
			c.note(p, field, "no control characters", v)
			return
		}
	}
}

func atMost(limit int) string { return "at most " + strconv.Itoa(limit) + " characters" }

func (c *checker) number(p *place, field string, v decimal.NullDecimal) {
	if !v.Valid {
		c.reject(p, field, ruleRequired, "")
	}
}

func (c *checker) int(p *place, field string, v *int) {
	if v == nil {
		c.reject(p, field, ruleRequired, "")
	}
}

// optionalCount checks an integer that counts something.
func (c *checker) optionalCount(p *place, field string, v *int) {
	if v != nil && *v < 0 {
		c.reject(p, field, "not negative", strconv.Itoa(*v))
	}
}

func (c *checker) bool(p *place, field string, v *bool) {
	if v == nil {
		c.reject(p, field, ruleRequired, "")
	}
}

func (c *checker) time(p *place, field string, v time.Time) {
	if v.IsZero() {
		c.reject(p, field, ruleRequired, "")
	}
}

// filled checks that a list has an item.
func (c *checker) filled(p *place, field string, length int) {
	if length == 0 {
		c.reject(p, field, "at least one item", "")
	}
}

// url checks a required URL (TYP-13).
func (c *checker) url(p *place, field, v string) {
	switch {
	case v == "":
		c.reject(p, field, ruleRequired, "")
	case !absoluteURL(v):
		c.reject(p, field, ruleURL, v)
	case len(v) > 255:
		c.note(p, field, atMost(255), v)
	}
}

// optionalURL checks a URL that is only shown.
func (c *checker) optionalURL(p *place, field, v string, limit int) {
	if v == "" {
		return
	}
	if !absoluteURL(v) {
		c.note(p, field, ruleURL, v)
	}
	if len(v) > limit {
		c.note(p, field, atMost(limit), v)
	}
}

const ruleURL = "an absolute http or https URL"

func absoluteURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// currency checks an ISO 4217 code by its form (TYP-16).
func (c *checker) currency(p *place, v string) {
	if v == "" {
		c.reject(p, "currency", ruleRequired, "")
	} else if !upperLetters(v, 3) {
		c.note(p, "currency", ruleCurrency, v)
	}
}

// country checks an ISO 3166-1 alpha-3 code by its form (TYP-16).
func (c *checker) country(p *place, v string) {
	if v == "" {
		c.reject(p, "country", ruleRequired, "")
	} else if !upperLetters(v, 3) {
		c.note(p, "country", ruleCountry, v)
	}
}

func upperLetters(s string, length int) bool {
	if len(s) != length {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

const ruleClock = "a time of day such as 08:30"

// clock checks a local time of day. Seconds, as in 08:30:00, and the 24:00 of
// a day's end are common and understood, but not OCPI.
func (c *checker) clock(p *place, field, v string) {
	if !clockTime(v) {
		c.reject(p, field, ruleClock, v)
	} else if len(v) != len("hh:mm") || v == "24:00" {
		c.note(p, field, ruleClock, v)
	}
}

// clockTime reports whether s is hh:mm, hh:mm:ss or 24:00.
func clockTime(s string) bool {
	if len(s) == len("hh:mm:ss") && s[5] == ':' {
		second, ok := digits(s[6:])
		if !ok || second > 59 {
			return false
		}
		s = s[:5]
	}
	if len(s) != len("hh:mm") || s[2] != ':' {
		return false
	}
	hour, ok1 := digits(s[:2])
	minute, ok2 := digits(s[3:])
	return ok1 && ok2 && minute <= 59 && (hour <= 23 || hour == 24 && minute == 0)
}

// date checks a local date.
func (c *checker) date(p *place, field, v string) {
	if _, err := time.Parse(time.DateOnly, v); err != nil {
		c.reject(p, field, "a date such as 2026-11-23", v)
	}
}

// enumeration is a named string that knows its own values.
type enumeration interface {
	~string
	Known() bool
}

// enum checks a required value of an enumeration. One that OCPI 2.2.1 does
// not know is a note (TYP-12).
func enum[T enumeration](c *checker, p *place, field string, v T) {
	if v == "" {
		c.reject(p, field, ruleRequired, "")
		return
	}
	optionalEnum(c, p, field, v)
}

func optionalEnum[T enumeration](c *checker, p *place, field string, v T) {
	if v != "" && !v.Known() {
		c.note(p, field, ruleKnownValue, string(v))
	}
}

func enums[T enumeration](c *checker, p *place, field string, list []T) {
	for i, v := range list {
		if !v.Known() {
			at := p.item(field, i)
			c.note(&at, "", ruleKnownValue, string(v))
		}
	}
}

func (c *checker) texts(p *place, field string, texts []DisplayText) {
	for i := range texts {
		at := p.item(field, i)
		texts[i].check(c, &at)
	}
}

func (d *DisplayText) check(c *checker, p *place) {
	c.text(p, "language", d.Language, 2)
	c.text(p, "text", d.Text, 512)
}

func (v *Price) check(c *checker, p *place) {
	c.number(p, "excl_vat", v.ExclVAT)
}

func (c *checker) optionalPrice(p *place, field string, v *Price) {
	if v == nil {
		return
	}
	at := p.field(field)
	v.check(c, &at)
}

package ocpi

import (
	"strings"
	"time"
)

// FormatDateTime writes t in UTC as OCPI wants it (OCPI 2.2.1 § DateTime):
// 2026-11-23T16:20:00Z, with up to three digits of a fraction when there is
// one.
func FormatDateTime(t time.Time) string { return string(appendDateTime(nil, t)) }

func appendDateTime(b []byte, t time.Time) []byte {
	return t.UTC().Truncate(time.Millisecond).AppendFormat(b, "2006-01-02T15:04:05.999Z")
}

// ParseDateTime reads a DateTime: UTC when there is no designator, any
// numeric offset, one to nine digits of a fraction (kept to the millisecond),
// and the spelling 1970-1-1 that stands for an unknown time (TYP-05 to
// TYP-07). A plus sign that arrives as a space, as in a query string, is
// understood. The error is an *Error.
func ParseDateTime(s string) (time.Time, error) {
	if t, ok := parseDateTime(s); ok {
		return t, nil
	}
	return time.Time{}, InvalidParameter("", ruleDateTime, s)
}

const ruleDateTime = "must be a DateTime such as 2026-11-23T16:20:00Z"

// IsUnknownTime reports whether t is the sentinel that stands for an unknown
// start or end of a CDR (TYP-07).
func IsUnknownTime(t time.Time) bool { return !t.IsZero() && t.Unix() == 0 }

func parseDateTime(s string) (time.Time, bool) {
	if rest, found := strings.CutPrefix(s, "1970-1-1T"); found {
		s = "1970-01-01T" + rest
	}
	const layout = len("2006-01-02T15:04:05")
	if len(s) < layout || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != 't' && s[10] != ' ') ||
		s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	hour, ok4 := digits(s[11:13])
	minute, ok5 := digits(s[14:16])
	second, ok6 := digits(s[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	millisecond, rest, ok := fraction(s[layout:])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := zoneOffset(rest)
	if !ok {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, millisecond*1e6, time.UTC)
	if _, m, d := t.Date(); m != time.Month(month) || d != day { // 31 June
		return time.Time{}, false
	}
	t = t.Add(-offset)
	return t, yearOne <= t.Unix() && t.Unix() < yearTenThousand
}

// Where years have four digits, in seconds since 1970.
const yearOne, yearTenThousand = -62_135_596_800, 253_402_300_800

// fraction reads an optional fraction of a second of one to nine digits.
func fraction(s string) (millisecond int, rest string, ok bool) {
	if s == "" || (s[0] != '.' && s[0] != ',') {
		return 0, s, true
	}
	end := 1
	for end < len(s) && '0' <= s[end] && s[end] <= '9' {
		if end <= 3 {
			millisecond = millisecond*10 + int(s[end]-'0')
		}
		end++
	}
	for i := end; i <= 3; i++ {
		millisecond *= 10
	}
	return millisecond, s[end:], 2 <= end && end <= 10
}

// zoneOffset reads nothing, Z, ±hh, ±hhmm or ±hh:mm.
func zoneOffset(s string) (time.Duration, bool) {
	if s == "" || s == "Z" || s == "z" {
		return 0, true
	}
	sign := time.Duration(1)
	switch s[0] {
	case '+', ' ':
	case '-':
		sign = -1
	default:
		return 0, false
	}
	s = s[1:]
	if len(s) == 5 && s[2] == ':' {
		s = s[:2] + s[3:]
	}
	if len(s) == 2 {
		s += "00"
	}
	if len(s) != 4 {
		return 0, false
	}
	hours, ok1 := digits(s[:2])
	minutes, ok2 := digits(s[2:])
	if !ok1 || !ok2 || hours > 23 || minutes > 59 {
		return 0, false
	}
	return sign * (time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute), true
}

// digits reads a number that consists of digits only.
func digits(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

package ocpi

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// TimeQuirks returns notes of DateTimes in a message that OCPI writes
// otherwise, one for each quirk: without a designator of the zone (TYP-05 has
// that as legal, few expect it), with an offset or with more than three digits
// of a fraction (TYP-06), or the sentinel of an unknown time (TYP-07). All are
// read; the message may be anything.
func TimeQuirks(message []byte) Findings {
	var found []Quirk
	for rest := message; ; {
		i := bytes.Index(rest, []byte("T"))
		if i < 0 {
			break
		}
		if q := timeQuirkAt(rest, i); q != "" && !slices.Contains(found, q) {
			found = append(found, q)
		}
		rest = rest[i+1:]
	}
	if found == nil {
		return nil
	}
	return locateTimes(message, found)
}

// timeQuirkAt looks at the letter between a date and a time, without decoding
// anything: most messages have no quirk, and none should pay for those that do.
func timeQuirkAt(b []byte, t int) Quirk {
	if t+9 > len(b) || b[t+3] != ':' || b[t+6] != ':' {
		return ""
	}
	start, end := bytes.LastIndexByte(b[:t], '"'), bytes.IndexByte(b[t:], '"')
	if start < 0 || end < 0 || t-start > 11 || end > 27 {
		return ""
	}
	return timeQuirk(string(b[start+1 : t+end]))
}

func timeQuirk(text string) Quirk {
	at, ok := parseDateTime(text)
	switch {
	case !ok:
		return ""
	case IsUnknownTime(at):
		return QuirkUnknownTime
	}
	clock := text[len("2006-01-02T"):]
	switch i := strings.IndexAny(clock, "Zz+- "); {
	case i < 0:
		return QuirkTimesWithoutZone
	case clock[i] != 'Z' && clock[i] != 'z', i > len("15:04:05.000"):
		return QuirkTimesWithOffset
	}
	return ""
}

// locateTimes finds the first DateTime of each quirk.
func locateTimes(message []byte, quirks []Quirk) Findings {
	var notes Findings
	dec := jsontext.NewDecoder(bytes.NewReader(message), jsontext.AllowDuplicateNames(true))
	for len(notes) < len(quirks) {
		token, err := dec.ReadToken()
		if err != nil {
			break // the end, or no JSON, which others complain about
		}
		if token.Kind() != jsontext.KindString {
			continue
		}
		text := token.String()
		q := timeQuirk(text)
		if q == "" || slices.ContainsFunc(notes, func(f Finding) bool { return f.Quirk == q }) {
			continue
		}
		notes = append(notes, Finding{Severity: Note, Path: pathOf(dec.StackPointer()), Rule: ruleDateTime, Value: shorten(text), Quirk: q})
	}
	return notes
}

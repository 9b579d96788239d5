package lint

import (
	"fmt"
	"strings"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Reached is what is decided about one component.
type Reached struct {
	Dimension billing.Dimension
	Element   int
	Reserved  bool
	Lapsed    bool

	Decided    bool
	Reachable  bool // at Witness
	Maybe      bool // nothing is claimed
	Unmeasured bool // only where levels are not told or not steady
	Why        string
	Witness    *Witness
}

// Reach decides for every component of a tariff whether it ever prices anything.
func Reach(doc ocpi.Tariff, zone *time.Location) []Reached {
	l := newLinter(doc, zone)
	l.reachability()
	var all []Reached
	for _, of := range l.lists {
		for i := range of.entries {
			e := &of.entries[i]
			if e.component == nil {
				continue
			}
			r := Reached{Dimension: of.name, Element: e.element, Reserved: of.phase == reserved, Lapsed: of.phase == lapsed}
			r.Decided = e.verdict != undecided
			r.Reachable = e.verdict == reachable || e.verdict == unmeasured
			r.Maybe, r.Unmeasured = e.verdict == maybe, e.verdict == unmeasured
			r.Why = map[verdict]string{shadowed: "shadowed", tooLate: "too late", impossible: "impossible", unreadable: "unreadable"}[e.verdict]
			if e.at != nil {
				r.Witness = l.takes(of, e)
			}
			all = append(all, r)
		}
	}
	return all
}

// Catalogue is every finding as a table for people who read them elsewhere.
func Catalogue() string {
	var b strings.Builder
	for _, c := range codes {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.code, c.severity, c.text.EN, c.text.DE)
	}
	return b.String()
}

// Codes are the codes of all findings.
func Codes() []string {
	var all []string
	for _, c := range codes {
		all = append(all, string(c.code))
	}
	return all
}

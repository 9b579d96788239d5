// Package lint finds what is wrong or odd in a tariff before a customer pays by it: elements that can never price anything,
// moments that nothing prices, prices and taxes that nobody can mean. It is for the tariffs that CPOs send and for those that a
// utility writes.
//
// What it says about elements is exact, not likely: the moments of a session are cut into the finitely many boxes that the
// tariff's own limits make, and every claim is about all of them. It holds for well-formed sessions: quantities are not
// negative, the first period begins with the session, energy is measured where it is priced and contradicts no power that is told,
// a reservation comes before charging, and the session does not begin before the tariff is valid. Findings come with a witness, a session that shows it and that
// the engine has priced.
package lint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Version names the rules. It rises whenever a tariff could get other findings.
const Version = "2"

// Finding is something remarkable about a tariff. Message is the English text. An Element that Params or the text name is
// counted from one, as people do; Path counts from zero, as documents do.
type Finding struct {
	billing.Finding
	Text    billing.Text
	Witness *Witness // nil: no session can show it
}

// Lint returns what is remarkable about a tariff: first what its elements never do, then its amounts. zone is that of the Locations that use it, nil if
// it is not known: then UTC stands in, and nothing is claimed that another zone would refute. Prices include VAT if the member
// "tax_included" says so, as in billing.Compile.
//
// It always ends, after a fraction of a second: what could not be decided by then is a finding that says so.
func Lint(doc ocpi.Tariff, zone *time.Location) []Finding {
	l := newLinter(doc, zone)
	l.document()
	l.compiled()
	l.elementsAlone()
	l.reachability()
	l.gaps()
	l.minutes()
	l.overlaps()
	l.prices()
	l.limits()
	l.taxes()
	l.steps()
	if l.undecided {
		l.find(notDecided, "elements", nil, nil)
	}
	l.countLeftOut()
	return l.findings
}

// Worst returns the highest severity among findings, billing.Info if there are none.
func Worst(findings []Finding) billing.Severity {
	plain := make([]billing.Finding, len(findings))
	for i := range findings {
		plain[i] = findings[i].Finding
	}
	return billing.Worst(plain)
}

// mostElements is how many elements are compared with each other: a price for every quarter of an hour of a week, and more.
const mostElements = 1000

// linter is one look at a tariff.
type linter struct {
	doc       ocpi.Tariff
	extra     map[string]any // members that OCPI 2.2.1 does not know
	tariff    *billing.Tariff
	compile   []billing.Finding // of the engine
	elements  []element
	lists     []*list
	space     *space
	budget    int
	undecided bool
	findings  []Finding
	leftOut   map[code]int
}

// element is an element of the tariff as far as restrictions go.
type element struct {
	restrictions *ocpi.TariffRestrictions
	unreadable   bool // a restriction is not understood, so nothing can be said
}

// dimension is what a list of components prices.
type dimension struct {
	name  billing.Dimension
	kind  ocpi.TariffDimensionType
	phase phase
}

// phase is the part of a session that elements price.
type phase int

const (
	session phase = iota
	reserved
	lapsed
)

// dimensions are the lists in which the engine looks for a component: those of a session, of a reservation, and of one that
// lapsed (PRC-04, PRC-24, PRC-25).
var dimensions = []dimension{
	{billing.Energy, ocpi.ComponentEnergy, session},
	{billing.Time, ocpi.ComponentTime, session},
	{billing.ParkingTime, ocpi.ComponentParkingTime, session},
	{billing.Flat, ocpi.ComponentFlat, session},
	{billing.ReservationTime, ocpi.ComponentTime, reserved},
	{billing.ReservationFlat, ocpi.ComponentFlat, reserved},
	{billing.ReservationTime, ocpi.ComponentTime, lapsed},
	{billing.ReservationFlat, ocpi.ComponentFlat, lapsed},
}

// list is the components of one dimension in the order in which they are asked.
type list struct {
	dimension
	entries []entry
	domain  box               // the moments in which they are asked
	read    map[reading][]box // when each of them holds
}

// entry is a component in a list.
type entry struct {
	element   int
	index     int                  // of the component in the element
	component *ocpi.PriceComponent // nil: the element leaves the dimension free, in a tariff of OCPI 2.1.1
	verdict   verdict
	at        *moment // at which it prices, if it does
	start     *moment // of a flat fee that is not charged at the start of the session: a start without one
}

func newLinter(doc ocpi.Tariff, zone *time.Location) *linter {
	l := &linter{doc: doc, budget: tariffLimit, leftOut: map[code]int{}}
	if len(doc.Extra) > 0 && ocpi.Unmarshal(doc.Extra, &l.extra) != nil {
		l.extra = nil
	}
	l.tariff, l.compile = billing.Compile(doc, billing.CompileOptions{EveryPeriod: true})
	l.elements = make([]element, len(doc.Elements))
	for i := range doc.Elements {
		l.elements[i].restrictions = doc.Elements[i].Restrictions
	}
	for _, f := range l.compile {
		if i, ok := elementOf(f.Path); ok && f.Code == tariffUnreadable && strings.Contains(f.Path, "].restrictions") {
			l.elements[i].unreadable = true
		}
	}
	l.space = newSpace(&doc, l.elements, zone)
	if len(doc.Elements) > mostElements {
		l.undecided = true
		return l
	}
	for _, d := range dimensions {
		if of := l.list(d); of != nil {
			l.lists = append(l.lists, of)
		}
	}
	return l
}

// list collects the components of a dimension as the engine does, nil if there are none.
func (l *linter) list(d dimension) *list {
	of := &list{dimension: d, domain: l.space.domain(d), read: map[reading][]box{}}
	oneElement := l.extra[ocpi.VersionMember] == string(ocpi.Version211)
	some := false
	for i := range l.doc.Elements {
		e := &l.doc.Elements[i]
		if phaseOf(e.Restrictions) != d.phase {
			continue
		}
		found := entry{element: i}
		for j := range e.PriceComponents {
			if e.PriceComponents[j].Type == d.kind {
				found.component, found.index = &e.PriceComponents[j], j
				break
			}
		}
		if found.component == nil && !oneElement {
			continue
		}
		some = some || found.component != nil
		of.entries = append(of.entries, found)
	}
	if !some {
		return nil
	}
	return of
}

func phaseOf(r *ocpi.TariffRestrictions) phase {
	if r == nil {
		return session
	}
	switch r.Reservation {
	case ocpi.ReservationActive:
		return reserved
	case ocpi.ReservationExpires:
		return lapsed
	}
	return session // what is not understood holds never, in the engine too
}

// domain is the moments in which components of a dimension are asked. A reservation has charged nothing yet. Where there is
// energy there is a power, if only its average (conformance 18.3); a current need not be measured.
func (s *space) domain(d dimension) box {
	var b box
	for a := range axes {
		b[a] = s.whole(a)
	}
	only := func(a axis, atoms ...int) {
		b[a] = s.none(a)
		for _, i := range atoms {
			b[a].add(i)
		}
	}
	switch {
	case d.phase != session:
		only(energy, 0)
		only(lowPower, 0, len(s.power))
		only(highPower, 0, len(s.power))
		only(lowCurrent, 0, len(s.current))
		only(highCurrent, 0, len(s.current))
	case d.name == billing.Energy:
		b[lowPower] = s.where(lowPower, func(i int) bool { return i < len(s.power) })
		b[highPower] = b[lowPower]
	}
	return b
}

// instant is a domain in which power and current are known and do not change within a period.
func (s *space) instant(domain box) box {
	domain[lowPower] = domain[lowPower].and(s.where(lowPower, func(i int) bool { return i < len(s.power) }))
	domain[lowCurrent] = domain[lowCurrent].and(s.where(lowCurrent, func(i int) bool { return i < len(s.current) }))
	domain[highPower], domain[highCurrent] = s.whole(highPower), s.whole(highCurrent)
	return domain
}

// start is the part of a domain in which a session or a reservation begins.
func (s *space) start(domain box) box {
	domain[energy], domain[duration] = s.none(energy), s.none(duration)
	domain[energy].add(0)
	domain[duration].add(0)
	return domain
}

// boxes are when the entries of a list hold, in a reading of their restrictions. What leaves a dimension free is not widened: where
// it holds, nothing is priced.
func (l *linter) boxes(of *list, as reading) []box {
	boxes, done := of.read[as]
	if !done {
		boxes = make([]box, len(of.entries))
		for i := range of.entries {
			how := as
			if of.entries[i].component == nil {
				how = reading{instant: as.instant}
			}
			boxes[i] = l.space.box(&l.elements[of.entries[i].element], how)
		}
		of.read[as] = boxes
	}
	return boxes
}

// index is where a list has an element, -1 if it has not.
func (of *list) index(element int) int {
	i, found := slices.BinarySearchFunc(of.entries, element, func(e entry, element int) int { return e.element - element })
	if !found {
		return -1
	}
	return i
}

// entry returns the component of an element in a list, nil if it has none.
func (of *list) entry(element int) *entry {
	if i := of.index(element); i >= 0 {
		return &of.entries[i]
	}
	return nil
}

// elementOf is the element that a path leads to.
func elementOf(path string) (element int, ok bool) {
	_, err := fmt.Sscanf(path, "elements[%d]", &element)
	return element, err == nil
}

func path(element int) string { return fmt.Sprintf("elements[%d]", element) }

func (e *entry) path() string {
	return fmt.Sprintf("elements[%d].price_components[%d]", e.element, e.index)
}

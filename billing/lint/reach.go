package lint

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// verdict is whether a component ever prices anything.
type verdict int

const (
	undecided  verdict = iota // the budget is spent
	reachable                 // at the moment that is kept with it
	maybe                     // a flat fee that earlier elements nearly always have charged by then; nothing is claimed
	unmeasured                // reachable, but only where a power or current is not told or changes across a limit
	shadowed                  // whenever its element holds, earlier ones do
	tooLate                   // a flat fee that other elements always have charged by then
	impossible                // its element holds never
	unreadable                // its restrictions are not understood
)

// reachability finds elements and components that never price anything (PRC-04).
func (l *linter) reachability() {
	for _, of := range l.lists {
		for i := range of.entries {
			l.reach(of, i)
		}
	}
	for i := range l.elements {
		l.reachElement(i)
	}
}

// reach decides whether the component that stands at i in a list ever prices anything.
func (l *linter) reach(of *list, i int) {
	e := &of.entries[i]
	if l.elements[e.element].unreadable {
		e.verdict = unreadable
		return
	}
	boxes := l.boxes(of, reading{})
	before := boxes[:i]
	part, some := boxes[i].within(of.domain)
	if some {
		m, decided := l.left(part, nil)
		some = m != nil || !decided
	}
	switch {
	case !some:
		e.verdict = impossible
	case of.kind == ocpi.ComponentFlat:
		l.reachFlat(of, e, part, before)
	default:
		e.verdict, e.at = l.reachWithin(part, before)
	}
	if e.verdict == reachable {
		l.preferInstant(of, i)
	}
	l.undecided = l.undecided || e.verdict == undecided
}

// left is a moment of a box that is in none of the others, as the engine reads restrictions.
func (l *linter) left(b box, others []box) (m *moment, decided bool) {
	return l.space.left(b, others, reading{}, &l.budget)
}

func (l *linter) reachWithin(part box, before []box) (verdict, *moment) {
	switch m, decided := l.left(part, before); {
	case m != nil:
		return reachable, m
	case decided:
		return shadowed, nil
	}
	return undecided, nil
}

// reachFlat knows that a flat fee is charged once, in the first period in which one matches (PRC-23): what some element
// always charges at the start, nobody charges later.
func (l *linter) reachFlat(of *list, e *entry, part box, before []box) {
	v, m := l.reachWithin(part, before)
	if v != reachable {
		e.verdict = v
		return
	}
	if start, some := part.within(l.space.start(of.domain)); some {
		if at, _ := l.left(start, before); at != nil {
			e.verdict, e.at = reachable, at
			return
		}
	}
	charged := []*list{of}
	if of.phase == lapsed { // what is said of reservations counts where nothing is said of lapsed ones (PRC-25)
		for _, other := range l.lists {
			if other.phase == reserved && other.kind == of.kind {
				charged = append(charged, other)
			}
		}
	}
	e.verdict = maybe
	if free, decided := l.unpriced(l.space.start(of.domain), charged, reading{}); free == nil && decided {
		e.verdict = tooLate
	} else if start := l.freeBefore(of, m, charged); start != nil {
		e.verdict, e.at, e.start = reachable, m, start
	}
}

// freeBefore is the start of a session that comes to a moment, with a power and a current at which no flat fee is charged; nil
// if there is none.
func (l *linter) freeBefore(of *list, m *moment, charged []*list) *moment {
	if m.elapsed == 0 {
		return nil
	}
	start := l.space.start(of.domain)
	known := l.space.instant(of.domain)
	for _, a := range []axis{lowPower, lowCurrent} {
		start[a] = known[a]
	}
	start[highPower], start[highCurrent] = start[lowPower], start[lowCurrent]
	clock := m.at.Add(-m.elapsed).In(l.space.zone)
	day, at := dayOf(clock), clock.Hour()*3600+clock.Minute()*60+clock.Second()
	start[date] = l.space.where(date, func(i int) bool {
		d := l.space.dates[i]
		return day >= d.from && day < d.to && d.weekday == weekdayOf(day)
	})
	start[second] = l.space.none(second)
	start[second].add(sort.Search(len(l.space.seconds), func(i int) bool { return l.space.seconds[i] > at }) - 1)
	free, _ := l.unpriced(start, charged, reading{})
	return free
}

// preferInstant looks for a moment at which power and current are known and steady, as a reader expects. Without one the
// component is there for what is not measured.
func (l *linter) preferInstant(of *list, i int) {
	if of.phase != session || !l.space.asksPower && !l.space.asksCurrent { // nothing is measured while reserved
		return
	}
	e, known := &of.entries[i], reading{instant: true}
	boxes := l.boxes(of, known)
	part, some := boxes[i].within(l.space.instant(of.domain))
	if !some {
		return
	}
	switch m, decided := l.space.left(part, boxes[:i], known, &l.budget); {
	case m != nil && of.kind != ocpi.ComponentFlat:
		e.at = m
	case m == nil && decided:
		e.verdict = unmeasured
	}
}

// reachElement says what an element never prices: in one finding if it is all of it, else in one a component.
func (l *linter) reachElement(i int) {
	var all []*list
	byVerdict := map[verdict][]*list{}
	for _, of := range l.lists {
		if e := of.entry(i); e != nil && e.component != nil {
			all = append(all, of)
			byVerdict[e.verdict] = append(byVerdict[e.verdict], of)
		}
	}
	switch {
	case len(all) == 0:
	case len(byVerdict[impossible]) == len(all):
		l.never(i, all[0])
	case len(byVerdict[shadowed]) == len(all):
		l.shadowed(elementUnreachable, path(i), i, all)
	default:
		for _, of := range byVerdict[shadowed] {
			l.shadowed(componentUnreachable, of.entry(i).path(), i, []*list{of})
		}
	}
	for _, of := range byVerdict[tooLate] {
		l.tooLate(of, of.entry(i))
	}
	if lists := byVerdict[unmeasured]; len(lists) > 0 {
		l.find(onlyUnmeasured, path(i), params{"element": number(i), "dimensions": names(lists)}, l.takes(lists[0], lists[0].entry(i)))
	}
}

// shadowed finds that an element does not price some dimensions, because earlier ones always do.
func (l *linter) shadowed(c code, path string, element int, lists []*list) {
	var by []int
	for _, of := range lists {
		for _, other := range l.coveredBy(of, element) {
			if !slices.Contains(by, other) {
				by = append(by, other)
			}
		}
	}
	slices.Sort(by)
	p := params{"element": number(element), "dimensions": names(lists), "by": numbers(by)}
	if before, ok := l.reachableBefore(lists[0], element); ok {
		p["before"] = number(before)
	}
	l.find(c, path, p, l.holds(lists[0], lists[0].entry(element)))
}

// manyElements is how many elements a cover is reduced to by trying, and named.
const manyElements = 12

// coveredBy returns elements that together take everything from an element: one, if one does, else no more than needed.
func (l *linter) coveredBy(of *list, element int) []int {
	i, boxes := of.index(element), l.boxes(of, reading{})
	part, _ := boxes[i].within(of.domain)
	var taken []int // entries
	for k := range i {
		if boxes[k].covers(part) {
			return []int{of.entries[k].element}
		}
		if part.meets(&boxes[k]) {
			taken = append(taken, k)
		}
	}
	for k := len(taken) - 1; k >= 0 && len(taken) <= manyElements; k-- {
		var rest []box
		for n, other := range taken {
			if n != k {
				rest = append(rest, boxes[other])
			}
		}
		if m, decided := l.left(part, rest); m == nil && decided {
			taken = slices.Delete(taken, k, k+1)
		}
	}
	for n, k := range taken {
		taken[n] = of.entries[k].element
	}
	return taken
}

// reachableBefore returns the last element that a shadowed one would have to stand before to price something. Of flat fees it
// knows none, because when they match is not all that counts.
func (l *linter) reachableBefore(of *list, element int) (before int, ok bool) {
	if of.kind == ocpi.ComponentFlat {
		return 0, false
	}
	i, boxes := of.index(element), l.boxes(of, reading{})
	part, _ := boxes[i].within(of.domain)
	k := sort.Search(i, func(k int) bool { // the entries up to k take everything
		m, _ := l.left(part, boxes[:k+1])
		return m == nil
	})
	if k == i {
		return 0, false
	}
	m, _ := l.left(part, boxes[:k])
	return of.entries[k].element, m != nil
}

// tooLate finds a flat fee that is never charged because others are before it.
func (l *linter) tooLate(of *list, e *entry) {
	w := l.holds(of, e)
	p := params{"element": number(e.element)}
	if w != nil && w.Element >= 0 {
		p["by"] = number(w.Element)
	}
	l.find(flatTooLate, e.path(), p, w)
}

// never says why an element holds never.
func (l *linter) never(i int, of *list) {
	field, reason := l.whyNever(i, of)
	at := path(i) + ".restrictions"
	if field != "" {
		at += "." + field
	}
	l.find(neverActive, at, params{"element": number(i), "reason": string(reason)}, nil)
}

// whyNever looks for the restriction that no moment fulfils, and in whose company.
func (l *linter) whyNever(i int, of *list) (field string, why reason) {
	r := l.elements[i].restrictions
	if r == nil {
		return "", together
	}
	from, hasFrom := parseDay(r.StartDate)
	to, hasTo := parseDay(r.EndDate)
	for _, limit := range []struct {
		field string
		never bool
		why   reason
	}{
		{"end_date", hasFrom && hasTo && to <= from, datesCross},
		{"end_date", hasTo && to <= l.space.dates[0].from, beforeValidity},
		{"max_kwh", crossing(r.MinKWh, r.MaxKWh), energyCross},
		{"max_power", crossing(r.MinPower, r.MaxPower), powerCross},
		{"max_current", crossing(r.MinCurrent, r.MaxCurrent), currentCross},
		{"max_duration", r.MaxDuration != nil && (*r.MaxDuration <= 0 || r.MinDuration != nil && *r.MaxDuration <= *r.MinDuration), durationCross},
		{"day_of_week", len(r.DayOfWeek) > 0 && l.space.calendar(r).empty(), noSuchWeekday},
		{"reservation", of.phase != session && (r.MinKWh.Decimal.IsPositive() || r.MinPower.Decimal.IsPositive() || r.MinCurrent.Decimal.IsPositive()), notWhileReserved},
	} {
		if limit.never {
			return limit.field, limit.why
		}
	}
	if part, some := l.boxes(of, reading{})[of.index(i)].within(of.domain); some && l.space.feasible(&part, reading{}) {
		always := *l.space
		always.validFrom = time.Time{}
		if at, _ := always.clock(part[date], part[second]); !at.IsZero() {
			return "end_date", beforeValidity
		}
		return "start_time", clockSkips
	}
	return "", together
}

// crossing reports whether no quantity, which is not negative, is at least one limit and below the other.
func crossing(least, most decimal.NullDecimal) bool {
	return most.Valid && (!most.Decimal.IsPositive() || least.Valid && most.Decimal.LessThanOrEqual(least.Decimal))
}

// number names an element as people count.
func number(element int) string { return strconv.Itoa(element + 1) }

// numbers names several, not all where they are too many to read.
func numbers(elements []int) string {
	var parts []string
	for k, element := range elements {
		if k == manyElements {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, number(element))
	}
	return strings.Join(parts, ", ")
}

// names lists what some lists price.
func names(lists []*list) string {
	var parts []string
	for _, of := range lists {
		if !slices.Contains(parts, string(of.name)) {
			parts = append(parts, string(of.name))
		}
	}
	return strings.Join(parts, ", ")
}

package lint

import (
	"fmt"
	"slices"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// of returns the list of a dimension of the session itself, nil if the tariff does not price it.
func (l *linter) of(name billing.Dimension) *list {
	i := slices.IndexFunc(l.lists, func(of *list) bool { return of.phase == session && of.name == name })
	if i < 0 {
		return nil
	}
	return l.lists[i]
}

// unpriced returns a moment of a domain at which no component of any of the lists counts.
func (l *linter) unpriced(domain box, lists []*list, as reading) (m *moment, decided bool) {
	var all []box
	for _, of := range lists {
		all = append(all, l.boxes(of, as)...)
	}
	m, decided = l.space.left(domain, all, as, &l.budget)
	for _, of := range lists {
		for k := 0; k < len(of.entries) && m == nil; k++ {
			if of.entries[k].component == nil {
				var sure bool
				m, sure = l.leftFree(domain, lists, of, k, as)
				decided = decided && sure
			}
		}
	}
	return m, decided || m != nil
}

// leftFree is a moment at which an element of a tariff of OCPI 2.1.1 matches first and leaves a dimension free: the engine looks
// no further. What another list makes of the moment is not decided here, only whether it has the element too.
func (l *linter) leftFree(domain box, lists []*list, of *list, k int, as reading) (m *moment, decided bool) {
	for _, other := range lists {
		if other.phase != of.phase {
			return nil, false
		}
		if e := other.entry(of.entries[k].element); e == nil || e.component != nil {
			return nil, true
		}
	}
	boxes := l.boxes(of, as)
	part, some := boxes[k].within(domain)
	if !some {
		return nil, true
	}
	return l.space.left(part, boxes[:k], as, &l.budget)
}

// gaps finds moments at which charging, or a dimension that is priced at other times, is free (PRC-05).
func (l *linter) gaps() {
	var charged []*list
	for _, name := range []billing.Dimension{billing.Energy, billing.Time} {
		if of := l.of(name); of != nil && !of.free() {
			charged = append(charged, of)
		}
	}
	said := len(charged) > 0 && l.gapInCharging(charged)
	if len(charged) == 0 {
		l.unpricedCharging()
	}
	for _, of := range l.lists {
		if of.phase != session || said && slices.Contains(charged, of) || of.free() {
			continue
		}
		as := reading{instant: true, fullMinutes: true, fromZero: of.name != billing.Energy} // a fee may begin late
		domain := l.space.instant(of.domain)
		if of.kind == ocpi.ComponentFlat {
			domain = l.space.start(domain)
		}
		p := params{"dimensions": string(of.name)}
		if m, _ := l.unpriced(domain, []*list{of}, as); m != nil {
			l.find(noFallback, "elements", p, l.witness(of, m, nil, little).saying(l.whoPrices))
		} else if domain, some := l.untold(of.domain); some && of.kind != ocpi.ComponentFlat {
			as.instant = false
			if m, _ := l.unpriced(domain, []*list{of}, as); m != nil {
				l.find(freeUnmeasured, "elements", p, l.witness(of, m, nil, little).saying(l.whoPrices))
			}
		}
	}
}

// free reports whether a dimension costs nothing wherever it has a price, as partners write it who price nothing but energy.
func (of *list) free() bool {
	return !slices.ContainsFunc(of.entries, func(e entry) bool { return e.component != nil && !e.component.Price.Decimal.IsZero() })
}

// untold is the part of a domain in which no power and current that some restriction asks for is told, as far as it need not be.
func (l *linter) untold(domain box) (part box, some bool) {
	for _, level := range []struct {
		low, high axis
		unknown   int
		asked     bool
	}{{lowPower, highPower, len(l.space.power), l.space.asksPower}, {lowCurrent, highCurrent, len(l.space.current), l.space.asksCurrent}} {
		if !level.asked || !domain[level.low].has(level.unknown) {
			continue
		}
		some = true
		for _, a := range []axis{level.low, level.high} {
			domain[a] = l.space.none(a)
			domain[a].add(level.unknown)
		}
	}
	return domain, some
}

// gapInCharging finds a moment at which neither energy nor charging time has a price. One that is only a minute long is left
// to minutes.
func (l *linter) gapInCharging(charged []*list) bool {
	domain := l.space.instant(l.space.domain(dimensions[0]))
	m, _ := l.unpriced(domain, charged, reading{instant: true, fullMinutes: true})
	if m == nil {
		return false
	}
	c := freeAtFirst
	if always, _ := l.unpriced(domain, charged, reading{instant: true, fullMinutes: true, fromZero: true}); always != nil {
		c, m = chargingFree, always
	} else if after := l.unpricedAfter(domain, charged); after != nil {
		c, m = chargingFree, after
	}
	l.find(c, "elements", params{"dimensions": names(charged)}, l.witness(charged[0], m, nil, usually).saying(l.whoPrices))
	return true
}

// unpricedAfter is a moment at which nothing is priced although less energy or a shorter time had a price.
func (l *linter) unpricedAfter(domain box, lists []*list) *moment {
	as := reading{instant: true, fullMinutes: true}
	for _, of := range lists {
		for k, b := range l.boxes(of, as) {
			c := of.entries[k].component
			own, some := b.within(domain)
			if !some || c == nil || c.Price.Decimal.IsZero() {
				continue
			}
			for _, a := range []axis{energy, duration} {
				last, beyond := own[a].highest(l.space.size[a]), own
				if beyond[a] = domain[a].and(l.space.where(a, func(i int) bool { return i > last })); b[a] == nil || beyond[a] == nil {
					continue
				}
				if m, _ := l.unpriced(beyond, lists, as); m != nil {
					return m
				}
			}
		}
	}
	return nil
}

// unpricedCharging finds that neither charging nor its start ever costs anything, though something else does: a fee for parking
// may be meant so, one for reservations hardly.
func (l *linter) unpricedCharging() {
	var costly []*list
	severity := billing.Flag
	for _, of := range l.lists {
		switch {
		case of.free():
		case of.phase == session && of.kind == ocpi.ComponentFlat:
			return
		default:
			costly = append(costly, of)
			if of.phase == session {
				severity = billing.Info
			}
		}
	}
	if len(costly) > 0 {
		l.findAs(chargingUnpriced, severity, "elements", params{"dimensions": names(costly)}, l.sample())
	}
}

// minutes finds windows that end at 23:59 or begin at 00:01 as if that minute were theirs too.
func (l *linter) minutes() {
	var said []int
	for _, of := range l.lists {
		for i := 0; i < len(of.entries) && of.phase != lapsed; i++ { // a lapsed reservation has the prices of others to fall back on (PRC-25)
			e := &of.entries[i]
			r := l.elements[e.element].restrictions
			if e.component == nil || e.verdict == unreadable || r == nil || r.StartTime+r.EndTime == "" || slices.Contains(said, e.element) {
				continue
			}
			start, end, _ := billing.Window(r)
			full, hour := fullEnd(end), fullStart(start)
			if full > end && l.minute(of, e, end, full, full%daySeconds, end) ||
				hour < start && l.minute(of, e, hour, start, (hour+daySeconds-1)%daySeconds, start) {
				said = append(said, e.element)
			}
		}
	}
}

// minute looks at the minute from one second of the day to another, beside the edge of a component's window. Where nothing is
// priced in the second called next either, the minute is part of a longer gap.
func (l *linter) minute(of *list, e *entry, from, to, next, edge int) bool {
	as := reading{instant: true}
	own := l.boxes(of, as)[of.index(e.element)]
	at := func(from, to int) (box, bool) {
		own[second] = l.space.where(second, func(i int) bool {
			begin, end := l.space.seconds[i], daySeconds
			if i+1 < len(l.space.seconds) {
				end = l.space.seconds[i+1]
			}
			return begin < to && from < end
		})
		return own.within(l.space.instant(of.domain))
	}
	beside, some := at(from, to)
	if !some {
		return false
	}
	p := params{"element": number(e.element), "dimensions": string(of.name), "time": fmt.Sprintf("%02d:%02d", edge/3600, edge/60%60)}
	all := l.boxes(of, as)
	if m, decided := l.space.left(beside, all, as, &l.budget); m != nil {
		if longer, some := at(next, next+1); some {
			if beyond, _ := l.space.left(longer, all, as, &l.budget); beyond != nil {
				return false
			}
		}
		l.find(minuteGap, path(e.element)+".restrictions", p, l.witness(of, m, nil, little).saying(l.whoPrices))
		return true
	} else if !decided {
		return false
	}
	m, _ := l.space.left(beside, nil, as, &l.budget)
	w := l.witness(of, m, nil, little).saying(l.whoPrices)
	if w == nil || w.Element < 0 || w.Price.Decimal.Equal(e.component.Price.Decimal) {
		return false
	}
	l.find(minuteOff, path(e.element)+".restrictions", p, w)
	return true
}

// overlaps finds elements of which neither is a special case of the other and that hold at the same time with different prices:
// their order decides, which nobody may have meant.
func (l *linter) overlaps() {
	as := reading{instant: true}
	for _, of := range l.lists {
		if of.kind == ocpi.ComponentFlat {
			continue
		}
		domain := l.space.instant(of.domain)
		boxes := l.boxes(of, as)
		said := 0
		for i := range of.entries {
			if said == mostFindings || l.budget < 0 {
				break
			}
			if other := l.overlap(of, domain, boxes, i); other >= 0 {
				said++
			}
		}
	}
}

// overlap compares a component with those before it and returns the first that overlaps, -1 if none does.
func (l *linter) overlap(of *list, domain box, boxes []box, i int) int {
	e := &of.entries[i]
	own, some := boxes[i].within(domain)
	if !some || e.component == nil || e.verdict != reachable || boxes[i].restricted() == 0 {
		return -1
	}
	for j := range i {
		other := &of.entries[j]
		l.budget--
		if other.component == nil || boxes[j].restricted() == 0 || !own.meets(&boxes[j]) || samePrice(e.component, other.component) {
			continue
		}
		theirs, some := boxes[j].within(domain)
		if !some || boxes[j].covers(own) || boxes[i].covers(theirs) {
			continue
		}
		both, some := boxes[j].within(own)
		if !some {
			continue
		}
		m, _ := l.space.left(both, boxes[:j], reading{instant: true}, &l.budget)
		if m == nil {
			continue
		}
		l.find(overlap, path(e.element), params{"element": number(e.element), "other": number(other.element), "dimensions": string(of.name)},
			l.witness(of, m, nil, little).saying(l.whoPrices))
		return j
	}
	return -1
}

func samePrice(a, b *ocpi.PriceComponent) bool {
	return a.Price.Decimal.Equal(b.Price.Decimal) && a.VAT.Valid == b.VAT.Valid && a.VAT.Decimal.Equal(b.VAT.Decimal)
}

package lint

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// moment is a point in the space, with everything that a session needs to get there.
type moment struct {
	at      time.Time // instant
	kwh     decimal.Decimal
	elapsed time.Duration

	lowPower, highPower, lowCurrent, highCurrent decimal.NullDecimal // invalid: not known
}

// search looks for a moment in a box that is in none of some others. It takes the others away one by one, which leaves boxes
// again. Every comparison costs one of the budget; with nothing left, or where a clock cannot be found, the answer is open.
type search struct {
	space  *space
	others []*box
	as     reading
	budget *int
	limit  int // comparisons of this search
	open   bool
}

// searchLimit is how many comparisons one question may cost, and tariffLimit all questions about a tariff: a fraction of a second.
// 48 elements of an hour each need some thousand.
const (
	searchLimit = 50_000
	tariffLimit = 1_000_000
)

// left returns a moment of b that is in none of the others. decided is false where none was found and there may be one.
func (s *space) left(b box, others []box, as reading, budget *int) (found *moment, decided bool) {
	q := search{space: s, as: as, budget: budget, limit: min(searchLimit, *budget)}
	for k := range others {
		if b.meets(&others[k]) {
			q.others = append(q.others, &others[k])
		}
	}
	*budget -= len(others) / 8 // cheaper than what follows
	slices.SortStableFunc(q.others, func(a, b *box) int { return a.restricted() - b.restricted() })
	found = q.walk(b, 0)
	return found, found != nil || !q.open
}

// restricted is how many axes a box restricts: those of a few take most away.
func (b *box) restricted() int {
	n := 0
	for _, s := range b {
		if s != nil {
			n++
		}
	}
	return n
}

// meets reports whether two boxes share a moment. Of the two the first has a set for every axis.
func (b *box) meets(other *box) bool {
	for a := range axes {
		if other[a] != nil && !b[a].meets(other[a]) {
			return false
		}
	}
	return true
}

// within returns the part of a domain that a box holds, false if there is none.
func (b *box) within(domain box) (part box, some bool) {
	part = domain
	for a := range axes {
		if b[a] != nil {
			if part[a] = part[a].and(b[a]); part[a] == nil {
				return part, false
			}
		}
	}
	return part, true
}

// covers reports whether a box holds all of another, which has a set for every axis.
func (b *box) covers(part box) bool {
	for a := range axes {
		if b[a] != nil && part[a].minus(b[a]) != nil {
			return false
		}
	}
	return true
}

func (q *search) walk(b box, from int) *moment {
	if q.open && q.limit <= 0 || !q.space.feasible(&b, q.as) {
		return nil
	}
	for k := from; k < len(q.others); k++ {
		if q.limit--; q.limit <= 0 {
			q.open = true
			return nil
		}
		*q.budget--
		other := q.others[k]
		if !b.meets(other) {
			continue
		}
		for a := range axes {
			if other[a] == nil {
				continue
			}
			if rest := b[a].minus(other[a]); rest != nil {
				piece := b
				piece[a] = rest
				if m := q.walk(piece, k+1); m != nil {
					return m
				}
				b[a] = b[a].and(other[a])
			}
		}
		return nil // what is left of b is in the other
	}
	m, sure := q.space.pick(&b, q.as)
	if m == nil && !sure {
		q.open = true
	}
	return m
}

// feasible reports whether a lowest level of the box is at most a highest one. What is not known is no contradiction.
func (s *space) feasible(b *box, as reading) bool {
	fits := func(low, high set, edges []decimal.Decimal) bool {
		unknown := len(edges)
		return low.has(unknown) || high.has(unknown) || low.lowest(unknown-1) <= high.highest(unknown-1)
	}
	return as.instant || fits(b[lowPower], b[highPower], s.power) && fits(b[lowCurrent], b[highCurrent], s.current)
}

// pick chooses a moment of a box that is feasible, of those that a reader finds likely. The clock of the zone may not have it:
// an hour a year is skipped; sure says that then no moment of the box exists.
func (s *space) pick(b *box, as reading) (m *moment, sure bool) {
	at, sure := s.clock(b[date], b[second])
	if at.IsZero() {
		return nil, sure
	}
	m = &moment{at: at, kwh: s.energy[b[energy].lowest(s.size[energy])]}
	m.elapsed = s.elapsed(b[duration], m.kwh)
	if s.asksPower {
		m.lowPower, m.highPower = levels(b[lowPower], b[highPower], s.power, as)
	}
	if s.asksCurrent {
		m.lowCurrent, m.highCurrent = levels(b[lowCurrent], b[highCurrent], s.current, as)
	}
	return m, true
}

// usualPower is what the examples charge with where nothing else is asked for, in kW.
const usualPower = 11

// elapsed is a time since the start of the session at which so much energy may have been charged.
func (s *space) elapsed(atoms set, kwh decimal.Decimal) time.Duration {
	usual := longest / 2
	if kwh.LessThan(decimal.New(1, 6)) {
		usual = kwh.Mul(decimal.NewFromInt(60)).Div(decimal.NewFromInt(usualPower)).Ceil().IntPart() * 60
	}
	last := int64(0)
	for i := range atoms.atoms {
		from, to := s.durations[i], longest
		if i+1 < len(s.durations) {
			to = s.durations[i+1]
		}
		if to > usual {
			return time.Duration(max(from, usual)) * time.Second
		}
		last = to - 1
	}
	if last == 0 { // the first second, at whose begin nothing can have been charged
		return time.Second / 2
	}
	return time.Duration(last) * time.Second
}

// levels chooses the lowest and the highest level of a period: the same and known, if the sets let it.
func levels(low, high set, edges []decimal.Decimal, as reading) (lowest, highest decimal.NullDecimal) {
	unknown := len(edges)
	value := func(i int) decimal.NullDecimal {
		if i < 0 || i == unknown {
			return decimal.NullDecimal{}
		}
		return decimal.NewNullDecimal(inside(edges, i))
	}
	if as.instant {
		v := value(low.lowest(unknown - 1))
		return v, v
	}
	if both := low.and(high); both != nil {
		if i := both.lowest(unknown - 1); i >= 0 {
			return value(i), value(i)
		}
		return value(unknown), value(unknown)
	}
	i, j := low.lowest(unknown-1), high.highest(unknown-1)
	if i >= 0 && j >= 0 && i <= j {
		return value(i), value(j)
	}
	if low.has(unknown) {
		return value(unknown), value(j)
	}
	return value(i), value(unknown)
}

// inside is a value of an atom: its lower edge, but something above zero.
func inside(edges []decimal.Decimal, i int) decimal.Decimal {
	usual := decimal.NewFromInt(usualPower)
	switch {
	case i > 0:
		return edges[i]
	case len(edges) > 1 && edges[1].LessThanOrEqual(usual):
		return edges[1].Mul(decimal.New(5, -1))
	}
	return usual
}

// clockTries is how many days and atoms of the day a clock is looked for in. The first has it, but for an hour a year.
const clockTries = 200

// clock finds an instant whose local date and time of day are in these sets. sure says that a search without a result was
// complete.
func (s *space) clock(dates, seconds set) (at time.Time, sure bool) {
	sure = true
	tries := 0
	for i := range dates.atoms {
		list, all := s.daysOf(i)
		sure = sure && all
		for _, day := range list {
			for k := range seconds.atoms {
				at, some := s.timeIn(day, k)
				if !at.IsZero() {
					return at, true
				}
				sure = sure && some
				if tries++; tries == clockTries {
					return at, false
				}
			}
		}
	}
	return time.Time{}, sure
}

// daysOf lists days of an atom of dates, those near the base first; all is false where it has more.
func (s *space) daysOf(i int) (list []int, all bool) {
	d := s.dates[i]
	first := d.from + (int(d.weekday)-int(weekdayOf(d.from))+7)%7
	count := (d.to-1-first)/7 + 1
	near := min(max((s.base-first+6)/7, 0), count-1)
	for n := range min(count, 3) {
		list = append(list, first+(near+n)%count*7)
	}
	return list, len(list) == count
}

// timeIn is an instant of a local day in an atom of seconds. The day may not have them, because the clock is set forward then,
// and the tariff may not be valid yet; sure says that no instant of the atom is better.
func (s *space) timeIn(day, atom int) (at time.Time, sure bool) {
	from, to := s.seconds[atom], daySeconds
	if atom+1 < len(s.seconds) {
		to = s.seconds[atom+1]
	}
	date := time.Unix(int64(day)*daySeconds, 0).UTC()
	clock := func(second int) (at time.Time, exists bool) {
		at = time.Date(date.Year(), date.Month(), date.Day(), 0, 0, second, 0, s.zone)
		hour, minute, sec := at.Clock()
		return at, hour*3600+minute*60+sec == second%daySeconds && dayOf(at) == day+second/daySeconds
	}
	exists := false
	tries := []int{between(from, to), from, to - 1}
	if local := s.validFrom.In(s.zone).Add(time.Second - 1); !s.validFrom.IsZero() && dayOf(local) == day { // its first whole second
		tries = append(tries, min(max(local.Hour()*3600+local.Minute()*60+local.Second(), from), to-1))
	}
	for _, second := range tries {
		if at, ok := clock(second); ok {
			if !at.Before(s.validFrom) {
				return at, true
			}
			exists = true
		}
	}
	if !exists {
		return time.Time{}, true
	}
	// Too early is all of the atom if what follows it is, where the clock goes on.
	const quarter, mostSkipped = 900, 3 * 3600
	for second := to; second <= to+mostSkipped; second += quarter {
		if end, ok := clock(second); ok {
			return time.Time{}, !end.After(s.validFrom)
		}
	}
	return time.Time{}, false
}

// between is a time of day between two that is easy to say: on the hour, or on the minute.
func between(from, to int) int {
	middle := from + (to-from)/2
	for _, round := range []int{3600, 1800, 60} {
		if at := middle / round * round; at >= from {
			return at
		}
	}
	return middle
}

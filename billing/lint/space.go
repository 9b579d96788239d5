package lint

import (
	"math/bits"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// A tariff asks a moment for eight things. Its own limits cut each of these axes into atoms, in which no restriction can change
// its answer; so a set of atoms an axis says exactly when an element holds, and the moments of a session are a finite space.

// axis is a thing that restrictions ask a moment for. Power and current have two: min_power looks at the lowest power of a
// period, max_power at the highest.
type axis int

const (
	second   axis = iota // of the local day
	date                 // local day, and thereby its weekday
	energy               // kWh charged in the session
	duration             // seconds since its start
	lowPower
	highPower
	lowCurrent
	highCurrent
	axes
)

// set is a set of atoms of one axis.
type set []uint64

func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

func (s set) empty() bool {
	for _, word := range s {
		if word != 0 {
			return false
		}
	}
	return true
}

func (s set) meets(other set) bool {
	for k := range s {
		if s[k]&other[k] != 0 {
			return true
		}
	}
	return false
}

// and returns what two sets share, minus what the first has alone. Both are new, and nil where there is nothing.
func (s set) and(other set) set   { return s.each(other, func(a, b uint64) uint64 { return a & b }) }
func (s set) minus(other set) set { return s.each(other, func(a, b uint64) uint64 { return a &^ b }) }

func (s set) each(other set, of func(a, b uint64) uint64) set {
	result, some := make(set, len(s)), false
	for k := range s {
		result[k] = of(s[k], other[k])
		some = some || result[k] != 0
	}
	if !some {
		return nil
	}
	return result
}

// atoms lists the members, the lowest first.
func (s set) atoms(yield func(int) bool) {
	for k, word := range s {
		for ; word != 0; word &= word - 1 {
			if !yield(k*64 + bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}

// lowest is the first member that is not above most, -1 if there is none; highest the last.
func (s set) lowest(most int) int {
	for i := range s.atoms {
		if i > most {
			break
		}
		return i
	}
	return -1
}

func (s set) highest(most int) int {
	last := -1
	for i := range s.atoms {
		if i > most {
			break
		}
		last = i
	}
	return last
}

// box is the moments whose every axis is in its set. A nil set restricts nothing.
type box [axes]set

// days is an atom of the dates: days from one to before another, counted from 1 January 1970, that are one day of the week.
type days struct {
	from, to int
	weekday  time.Weekday
}

// The calendar that restrictions can name: the years 1 to 9999.
const (
	firstDay = -719162
	lastDay  = 2932896
)

const daySeconds = 24 * 60 * 60

// longest is how long a session can last, in seconds: some 146 years. The engine's clock ends at twice that.
const longest = int64(1<<62) / int64(time.Second)

// space is all moments in which a tariff may be asked for its prices.
type space struct {
	zone      *time.Location
	validFrom time.Time // the tariff's; zero: always
	base      int       // the day near which examples lie

	seconds                []int // each atom reaches from its edge to the next, the last to the end of the axis
	dates                  []days
	energy                 []decimal.Decimal
	durations              []int64
	power                  []decimal.Decimal // the atom behind the last is a power that is not known
	current                []decimal.Decimal
	asksPower, asksCurrent bool // some restriction wants to know it
	size                   [axes]int
}

// newSpace cuts the axes at every limit of the readable elements. Without a zone the clock is that of UTC, as in the engine, and
// a tariff may have become valid half a day earlier by the clock of its Location.
func newSpace(doc *ocpi.Tariff, elements []element, zone *time.Location) *space {
	validFrom := doc.StartDateTime
	if zone == nil {
		zone = time.UTC
		if !validFrom.IsZero() {
			validFrom = validFrom.Add(-12 * time.Hour)
		}
	}
	s := &space{
		zone: zone, validFrom: validFrom,
		seconds: []int{0}, energy: []decimal.Decimal{decimal.Zero}, durations: []int64{0},
		power: []decimal.Decimal{decimal.Zero}, current: []decimal.Decimal{decimal.Zero},
	}
	first := firstDay
	if !s.validFrom.IsZero() {
		first = max(dayOf(s.validFrom.In(zone)), firstDay)
	}
	cuts := []int{first, lastDay + 1}
	for i := range elements {
		if r := elements[i].restrictions; r != nil && !elements[i].unreadable {
			cuts = append(cuts, s.cut(r, first)...)
		}
	}
	s.seconds = ordered(s.seconds)
	s.durations = ordered(s.durations)
	s.energy, s.power, s.current = orderedNumbers(s.energy), orderedNumbers(s.power), orderedNumbers(s.current)
	s.dates = datesBetween(ordered(cuts))
	s.base = baseDay(doc, zone, first)
	s.size = [axes]int{
		second: len(s.seconds), date: len(s.dates), energy: len(s.energy), duration: len(s.durations),
		lowPower: len(s.power) + 1, highPower: len(s.power) + 1, lowCurrent: len(s.current) + 1, highCurrent: len(s.current) + 1,
	}
	return s
}

// cut adds the edges of an element's restrictions to the axes and returns those of its dates.
func (s *space) cut(r *ocpi.TariffRestrictions, first int) []int {
	if r.StartTime != "" || r.EndTime != "" {
		start, end, _ := billing.Window(r)
		s.seconds = append(s.seconds, start, end%daySeconds, fullStart(start), fullEnd(end)%daySeconds)
	}
	for _, limit := range []*int{r.MinDuration, r.MaxDuration} {
		if limit != nil && *limit > 0 && int64(*limit) < longest {
			s.durations = append(s.durations, int64(*limit))
		}
	}
	number := func(to *[]decimal.Decimal, limits ...decimal.NullDecimal) {
		for _, limit := range limits {
			if limit.Decimal.IsPositive() {
				*to = append(*to, limit.Decimal)
			}
		}
	}
	number(&s.energy, r.MinKWh, r.MaxKWh)
	number(&s.power, r.MinPower, r.MaxPower)
	number(&s.current, r.MinCurrent, r.MaxCurrent)
	s.asksPower = s.asksPower || r.MinPower.Valid || r.MaxPower.Valid
	s.asksCurrent = s.asksCurrent || r.MinCurrent.Valid || r.MaxCurrent.Valid
	var cuts []int
	for _, text := range []string{r.StartDate, r.EndDate} {
		if day, ok := parseDay(text); ok && day > first && day <= lastDay {
			cuts = append(cuts, day)
		}
	}
	return cuts
}

// fullStart moves a start that is a minute late, as 00:01, onto the full hour, and fullEnd an end that is a minute early, as
// 23:59. Others stay.
func fullStart(start int) int {
	if start%3600 == 60 {
		return start - 60
	}
	return start
}

func fullEnd(end int) int {
	if end%3600 == 3600-60 {
		return end + 60
	}
	return end
}

func ordered[N int | int64](edges []N) []N {
	slices.Sort(edges)
	return slices.Compact(edges)
}

func orderedNumbers(edges []decimal.Decimal) []decimal.Decimal {
	slices.SortFunc(edges, decimal.Decimal.Cmp)
	return slices.CompactFunc(edges, decimal.Decimal.Equal)
}

// datesBetween makes the atoms of the dates. Less than a week does not have every day of the week.
func datesBetween(cuts []int) []days {
	var atoms []days
	for i, from := range cuts[:len(cuts)-1] {
		to := cuts[i+1]
		for day := from; day < min(from+7, to); day++ {
			atoms = append(atoms, days{from, to, weekdayOf(day)})
		}
	}
	return atoms
}

func weekdayOf(day int) time.Weekday { return time.Weekday(((day+4)%7 + 7) % 7) } // the first of January 1970 was a Thursday

// dayOf is the calendar day of a time as it stands.
func dayOf(local time.Time) int {
	year, month, day := local.Date()
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)
}

func parseDay(text string) (day int, ok bool) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, false
	}
	return int(t.Unix() / daySeconds), true
}

// baseDay is a day on which the tariff is likely to be valid: after it was written, and after its validity began.
func baseDay(doc *ocpi.Tariff, zone *time.Location, first int) int {
	base := 20454 // 1 January 2026
	if !doc.LastUpdated.IsZero() {
		base = dayOf(doc.LastUpdated.In(zone)) + 1
	}
	if !doc.StartDateTime.IsZero() {
		base = max(base, first+1)
	}
	if !doc.EndDateTime.IsZero() {
		base = min(base, dayOf(doc.EndDateTime.In(zone))-1)
	}
	return min(max(base, first), lastDay)
}

// whole is every atom of an axis.
func (s *space) whole(a axis) set {
	all := s.none(a)
	for i := range s.size[a] {
		all.add(i)
	}
	return all
}

func (s *space) none(a axis) set { return make(set, (s.size[a]+63)/64) }

// where is the atoms of an axis that fulfil a condition.
func (s *space) where(a axis, holds func(i int) bool) set {
	some := s.none(a)
	for i := range s.size[a] {
		if holds(i) {
			some.add(i)
		}
	}
	return some
}

// reading is how restrictions are read when a question is asked that is not the engine's.
type reading struct {
	instant     bool // power and current are known, and the same throughout the period
	fromZero    bool // lower limits of energy and duration do not count
	fullMinutes bool // a window reaches to the full hour where it ends, or starts, a minute beside it
}

// box is when the restrictions of an element hold. Lower limits are inclusive, upper limits exclusive.
func (s *space) box(e *element, as reading) box {
	var b box
	r := e.restrictions
	if e.unreadable { // the engine takes it for an element that never holds (TAR-11)
		b[second] = s.none(second)
	}
	if r == nil || e.unreadable {
		return b
	}
	if r.StartTime != "" || r.EndTime != "" {
		b[second] = s.window(r, as)
	}
	b[date] = s.calendar(r)
	b[energy] = s.between(energy, r.MinKWh, r.MaxKWh, s.energy, as)
	b[duration] = s.lasting(r, as)
	if as.instant {
		b[lowPower] = s.between(lowPower, r.MinPower, r.MaxPower, s.power, reading{})
		b[lowCurrent] = s.between(lowCurrent, r.MinCurrent, r.MaxCurrent, s.current, reading{})
		return b
	}
	var open decimal.NullDecimal
	b[lowPower] = s.between(lowPower, r.MinPower, open, s.power, reading{})
	b[highPower] = s.between(highPower, open, r.MaxPower, s.power, reading{})
	b[lowCurrent] = s.between(lowCurrent, r.MinCurrent, open, s.current, reading{})
	b[highCurrent] = s.between(highCurrent, open, r.MaxCurrent, s.current, reading{})
	return b
}

func (s *space) window(r *ocpi.TariffRestrictions, as reading) set {
	start, end, _ := billing.Window(r)
	if as.fullMinutes {
		start, end = fullStart(start), fullEnd(end)
	}
	if start == end || start == 0 && end == daySeconds {
		return nil
	}
	return s.where(second, func(i int) bool {
		at := s.seconds[i]
		if end < start {
			return at >= start || at < end
		}
		return at >= start && at < end
	})
}

func (s *space) calendar(r *ocpi.TariffRestrictions) set {
	from, hasFrom := parseDay(r.StartDate)
	to, hasTo := parseDay(r.EndDate)
	if !hasFrom && !hasTo && len(r.DayOfWeek) == 0 {
		return nil
	}
	return s.where(date, func(i int) bool {
		d := s.dates[i]
		return (!hasFrom || d.from >= from) && (!hasTo || d.from < to) && (len(r.DayOfWeek) == 0 || slices.Contains(r.DayOfWeek, weekdays[d.weekday]))
	})
}

var weekdays = [7]ocpi.DayOfWeek{ocpi.Sunday, ocpi.Monday, ocpi.Tuesday, ocpi.Wednesday, ocpi.Thursday, ocpi.Friday, ocpi.Saturday}

// between is the atoms of a quantity from a least one to below a most one. What is not known is neither.
func (s *space) between(a axis, least, most decimal.NullDecimal, edges []decimal.Decimal, as reading) set {
	if as.fromZero {
		least.Valid = false
	}
	if !least.Valid && !most.Valid {
		return nil
	}
	return s.where(a, func(i int) bool {
		return i < len(edges) && (!least.Valid || edges[i].GreaterThanOrEqual(least.Decimal)) && (!most.Valid || edges[i].LessThan(most.Decimal))
	})
}

func (s *space) lasting(r *ocpi.TariffRestrictions, as reading) set {
	least, most := r.MinDuration, r.MaxDuration
	if as.fromZero {
		least = nil
	}
	if least == nil && most == nil {
		return nil
	}
	return s.where(duration, func(i int) bool {
		at := s.durations[i]
		return (least == nil || at >= int64(*least)) && (most == nil || at < int64(*most))
	})
}

package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// verdict is the answer of a restriction. Power and current are not always measured, so there are three.
type verdict int8

const (
	no verdict = iota
	yes
	unknown
)

// moment is what restrictions are asked about: the clock on the wall, the counters of the session, and the levels of the
// period. It is made once a period.
type moment struct {
	local   localTime
	kwh     number        // charged in the session so far
	elapsed time.Duration // since the session began, by the clock of physics (PRC-10)
	levels  *levels       // nil: no restriction asks for them
}

// levels are the extremes of power (kW) and current (A, sum of the phases) in a period, nil where they were not measured. Its
// energy in its length stands in for a power that was not.
type levels struct {
	minPower, maxPower, minCurrent, maxCurrent *decimal.Decimal
	energy                                     number // kWh
	length                                     number // seconds; zero: the energy tells nothing
}

// condition is one compiled restriction.
type condition struct {
	text     string // "max_kwh=20", for the explanation
	holds    func(*moment) verdict
	edges    edges
	level    bool                 // answered from the levels of the period
	measured func(*levels) string // the level; empty: not measured
}

// edges are where the answers of restrictions can change inside a period.
type edges struct {
	clock  []int // seconds of the local day
	timer  []time.Duration
	energy []number
}

func (e *edges) add(other *edges) {
	e.clock = append(e.clock, other.clock...)
	e.timer = append(e.timer, other.timer...)
	e.energy = append(e.energy, other.energy...)
}

// sort puts them in rising order, each once.
func (e *edges) sort() {
	slices.Sort(e.clock)
	e.clock = slices.Compact(e.clock)
	slices.Sort(e.timer)
	e.timer = slices.Compact(e.timer)
	slices.SortFunc(e.energy, number.cmp)
	e.energy = slices.CompactFunc(e.energy, number.equal)
}

// restrictions is every restriction of an OCPI 2.2.1 tariff element but `reservation`, which chooses the price list and not
// the moment. All that are present must hold (PRC-07). A compile function returns nil where its field is absent and an
// error where it cannot be understood.
var restrictions = []struct {
	field   string
	compile func(*ocpi.TariffRestrictions) (*condition, error)
}{
	{"start_time", compileTimes}, // together with end_time: they wrap around midnight as a pair
	{"start_date", compileStartDate},
	{"end_date", compileEndDate},
	{"day_of_week", compileWeekdays},
	{"min_kwh", func(r *ocpi.TariffRestrictions) (*condition, error) {
		return compileEnergy("min_kwh", r.MinKWh, atLeast)
	}},
	{"max_kwh", func(r *ocpi.TariffRestrictions) (*condition, error) { return compileEnergy("max_kwh", r.MaxKWh, below) }},
	{"min_duration", func(r *ocpi.TariffRestrictions) (*condition, error) {
		return compileDuration("min_duration", r.MinDuration, atLeast)
	}},
	{"max_duration", func(r *ocpi.TariffRestrictions) (*condition, error) {
		return compileDuration("max_duration", r.MaxDuration, below)
	}},
	{"min_current", func(r *ocpi.TariffRestrictions) (*condition, error) {
		return compileLevel("min_current", r.MinCurrent, atLeast, func(l *levels) *decimal.Decimal { return l.minCurrent }, false)
	}},
	{"max_current", func(r *ocpi.TariffRestrictions) (*condition, error) {
		return compileLevel("max_current", r.MaxCurrent, below, func(l *levels) *decimal.Decimal { return l.maxCurrent }, false)
	}},
	{"min_power", func(r *ocpi.TariffRestrictions) (*condition, error) {
		return compileLevel("min_power", r.MinPower, atLeast, func(l *levels) *decimal.Decimal { return l.minPower }, true)
	}},
	{"max_power", func(r *ocpi.TariffRestrictions) (*condition, error) {
		return compileLevel("max_power", r.MaxPower, below, func(l *levels) *decimal.Decimal { return l.maxPower }, true)
	}},
}

// Every lower limit is inclusive and every upper limit exclusive (OCPI 2.2.1 § TariffRestrictions).
func atLeast(cmp int) verdict { return verdictOf(cmp >= 0) }
func below(cmp int) verdict   { return verdictOf(cmp < 0) }

func verdictOf(holds bool) verdict {
	if holds {
		return yes
	}
	return no
}

func compileEnergy(field string, limit decimal.NullDecimal, side func(int) verdict) (*condition, error) {
	if !limit.Valid {
		return nil, nil
	}
	if !sane(limit.Decimal) {
		return nil, fmt.Errorf("%s is not a usable number", field)
	}
	edge := numberOf(limit.Decimal)
	return &condition{
		text:  field + "=" + limit.Decimal.String(),
		holds: func(m *moment) verdict { return side(m.kwh.cmp(edge)) },
		edges: edges{energy: []number{edge}},
	}, nil
}

func compileDuration(field string, seconds *int, side func(int) verdict) (*condition, error) {
	if seconds == nil {
		return nil, nil
	}
	const longest = int(1<<62) / int(time.Second)
	limit := time.Duration(min(max(*seconds, -longest), longest)) * time.Second
	return &condition{
		text: fmt.Sprintf("%s=%d", field, *seconds),
		holds: func(m *moment) verdict {
			switch {
			case m.elapsed < limit:
				return side(-1)
			case m.elapsed > limit:
				return side(1)
			}
			return side(0)
		},
		edges: edges{timer: []time.Duration{limit}},
	}, nil
}

// compileLevel reads a limit of power or current. A power that was not measured is that of the energy by the time.
func compileLevel(field string, limit decimal.NullDecimal, side func(int) verdict, of func(*levels) *decimal.Decimal, power bool) (*condition, error) {
	if !limit.Valid {
		return nil, nil
	}
	if !sane(limit.Decimal) {
		return nil, fmt.Errorf("%s is not a usable number", field)
	}
	edge := numberOf(limit.Decimal)
	return &condition{
		text: field + "=" + limit.Decimal.String(),
		holds: func(m *moment) verdict {
			switch level := of(m.levels); {
			case level != nil:
				return side(numberOf(*level).cmp(edge))
			case power && m.levels.length.isPositive():
				return side(m.levels.energy.mul(secondsPerHour).cmp(edge.mul(m.levels.length)))
			}
			return unknown
		},
		level: true,
		measured: func(l *levels) string {
			switch level := of(l); {
			case level != nil:
				return level.String()
			case power && l.length.isPositive():
				return l.energy.mul(secondsPerHour).quo(l.length, 4).decimal().String()
			}
			return ""
		},
	}, nil
}

// compileTimes reads the window of local time of day.
func compileTimes(r *ocpi.TariffRestrictions) (*condition, error) {
	if r.StartTime == "" && r.EndTime == "" {
		return nil, nil
	}
	start, end, err := Window(r)
	if err != nil {
		return nil, err
	}
	c := &condition{text: "time=" + r.StartTime + "-" + r.EndTime, edges: edges{clock: []int{start, end % day}}}
	switch {
	case start == 0 && end == day:
		c.holds = func(*moment) verdict { return yes }
		c.edges = edges{}
	case end < start:
		c.holds = func(m *moment) verdict { return verdictOf(m.local.second >= start || m.local.second < end) }
	default:
		c.holds = func(m *moment) verdict { return verdictOf(m.local.second >= start && m.local.second < end) }
	}
	return c, nil
}

// Window returns the seconds of the local day in which start_time and end_time let an element hold: from start until before
// end, where an end before the start wraps past midnight. An end of 00:00 is the end of the day, equal times mean the whole
// day, and one of the two alone reaches to midnight.
func Window(r *ocpi.TariffRestrictions) (start, end int, err error) {
	end = day
	if r.StartTime != "" {
		if start, err = parseClock(r.StartTime); err != nil {
			return 0, 0, fmt.Errorf("start_time: %w", err)
		}
	}
	if r.EndTime != "" {
		if end, err = parseClock(r.EndTime); err != nil {
			return 0, 0, fmt.Errorf("end_time: %w", err)
		}
		if end%60 == 59 { // "19:59:59" is how some write the end of the minute before 20:00
			end++
		}
	}
	switch {
	case r.StartTime != "" && start == end:
		return 0, day, nil
	case end == 0:
		end = day
	}
	return start % day, end, nil
}

// parseClock reads hh:mm, and hh:mm:ss as some partners write it, as seconds of the day.
func parseClock(s string) (int, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Hour()*3600 + t.Minute()*60 + t.Second(), nil
		}
	}
	if s == "24:00" || s == "24:00:00" {
		return day, nil
	}
	return 0, fmt.Errorf("%q is not a time of day", s)
}

func compileStartDate(r *ocpi.TariffRestrictions) (*condition, error) {
	return compileDate("start_date", r.StartDate, func(day, limit int) bool { return day >= limit })
}

func compileEndDate(r *ocpi.TariffRestrictions) (*condition, error) {
	return compileDate("end_date", r.EndDate, func(day, limit int) bool { return day < limit })
}

func compileDate(field, value string, side func(day, limit int) bool) (*condition, error) {
	if value == "" {
		return nil, nil
	}
	t, err := time.Parse(time.DateOnly, value)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is not a date", field, value)
	}
	limit := int(floorDiv(t.Unix(), day))
	return &condition{
		text:  field + "=" + value,
		holds: func(m *moment) verdict { return verdictOf(side(m.local.day, limit)) },
		edges: edges{clock: []int{0}},
	}, nil
}

// compileWeekdays reads the local days. With a window that wraps around midnight the day asked for is the day of the moment,
// not the day on which the window opened.
func compileWeekdays(r *ocpi.TariffRestrictions) (*condition, error) {
	if len(r.DayOfWeek) == 0 {
		return nil, nil
	}
	var set [7]bool
	text := "day_of_week="
	for i, name := range r.DayOfWeek {
		weekday := slices.Index(weekdays[:], name)
		if weekday < 0 {
			return nil, fmt.Errorf("day_of_week: %q is not a day", name)
		}
		set[weekday] = true
		if i > 0 {
			text += ","
		}
		text += string(name)
	}
	return &condition{
		text:  text,
		holds: func(m *moment) verdict { return verdictOf(set[m.local.weekday()]) },
		edges: edges{clock: []int{0}},
	}, nil
}

// sane refuses numbers with which arithmetic would never end: a volume of 1e999999999 is valid JSON. What the codec of OCPI
// reads is sane.
func sane(d decimal.Decimal) bool {
	return d.Exponent() >= -40 && d.Exponent() <= 40 && d.NumDigits()+int(d.Exponent()) <= 40
}

// usableNumber reads a number that is there and sane.
func usableNumber(d decimal.NullDecimal) (n number, ok bool) {
	n = numberOf(d.Decimal)
	few := n.big == nil && -40 <= n.exp && n.exp <= 40-fewDigits
	return n, d.Valid && (few || sane(d.Decimal))
}

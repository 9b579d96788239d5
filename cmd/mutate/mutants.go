package main

// mutant is one change of the engine.
type mutant struct {
	what     string
	file     string
	old, new string
}

const (
	restriction = "billing/restriction.go"
	clock       = "billing/rate_clock.go"
	rate        = "billing/rate.go"
	period      = "billing/rate_period.go"
	total       = "billing/rate_total.go"
	step        = "billing/step.go"
	tariff      = "billing/tariff.go"
)

// The comparisons of the limits, one over and on the other side.
const (
	above   = "func(cmp int) verdict { return verdictOf(cmp > 0) }"
	atMost  = "func(cmp int) verdict { return verdictOf(cmp <= 0) }"
	atLeast = "atLeast"
	below   = "below"
)

// mutants are the changes: every comparison of every restriction at its border and on its other side, and what restrictions
// are asked about and lead to.
var mutants = []mutant{
	{"min_kwh: ≥ → >", restriction, "r.MinKWh, " + atLeast, "r.MinKWh, " + above},
	{"min_kwh: ≥ → <", restriction, "r.MinKWh, " + atLeast, "r.MinKWh, " + below},
	{"max_kwh: < → ≤", restriction, "r.MaxKWh, " + below, "r.MaxKWh, " + atMost},
	{"max_kwh: < → ≥", restriction, "r.MaxKWh, " + below, "r.MaxKWh, " + atLeast},
	{"min_duration: ≥ → >", restriction, "r.MinDuration, " + atLeast, "r.MinDuration, " + above},
	{"min_duration: ≥ → <", restriction, "r.MinDuration, " + atLeast, "r.MinDuration, " + below},
	{"max_duration: < → ≤", restriction, "r.MaxDuration, " + below, "r.MaxDuration, " + atMost},
	{"max_duration: < → ≥", restriction, "r.MaxDuration, " + below, "r.MaxDuration, " + atLeast},
	{"min_current: ≥ → >", restriction, "r.MinCurrent, " + atLeast, "r.MinCurrent, " + above},
	{"min_current: ≥ → <", restriction, "r.MinCurrent, " + atLeast, "r.MinCurrent, " + below},
	{"min_current: of MAX_CURRENT", restriction, "return l.minCurrent }, false", "return l.maxCurrent }, false"},
	{"max_current: < → ≤", restriction, "r.MaxCurrent, " + below, "r.MaxCurrent, " + atMost},
	{"max_current: < → ≥", restriction, "r.MaxCurrent, " + below, "r.MaxCurrent, " + atLeast},
	{"max_current: of MIN_CURRENT", restriction, "return l.maxCurrent }, false", "return l.minCurrent }, false"},
	{"min_power: ≥ → >", restriction, "r.MinPower, " + atLeast, "r.MinPower, " + above},
	{"min_power: ≥ → <", restriction, "r.MinPower, " + atLeast, "r.MinPower, " + below},
	{"min_power: of MAX_POWER", restriction, "return l.minPower }, true", "return l.maxPower }, true"},
	{"min_power: never the average", restriction, "return l.minPower }, true", "return l.minPower }, false"},
	{"max_power: < → ≤", restriction, "r.MaxPower, " + below, "r.MaxPower, " + atMost},
	{"max_power: < → ≥", restriction, "r.MaxPower, " + below, "r.MaxPower, " + atLeast},
	{"max_power: of MIN_POWER", restriction, "return l.maxPower }, true", "return l.minPower }, true"},
	{"max_power: never the average", restriction, "return l.maxPower }, true", "return l.maxPower }, false"},
	{"a level that was not measured holds", restriction, "\t\t\treturn unknown\n", "\t\t\treturn yes\n"},

	{"start_time: ≥ → >", restriction, "m.local.second >= start && m", "m.local.second > start && m"},
	{"end_time: < → ≤", restriction, "start && m.local.second < end", "start && m.local.second <= end"},
	{"start_time that wraps: ≥ → >", restriction, "m.local.second >= start || m", "m.local.second > start || m"},
	{"end_time that wraps: < → ≤", restriction, "start || m.local.second < end", "start || m.local.second <= end"},
	{"a window wraps: or → and", restriction, "second >= start || m", "second >= start && m"},
	{"a window never wraps", restriction, "case end < start:", "case false:"},
	{"an end of 00:00 is the start of the day", restriction, "case end == 0:\n\t\tend = day", "case end == 0:\n\t\tend = 0"},
	{"equal times are no time", restriction, "return 0, day, nil", "return start, start, nil"},
	{"23:59:59 is not the end of the day", restriction, "if end%60 == 59 {", "if false {"},
	{"start_date: ≥ → >", restriction, "return day >= limit", "return day > limit"},
	{"start_date: ≥ → <", restriction, "return day >= limit", "return day < limit"},
	{"end_date: < → ≤", restriction, "return day < limit", "return day <= limit"},
	{"end_date: < → ≥", restriction, "return day < limit", "return day >= limit"},
	{"day_of_week: all others", restriction, "verdictOf(set[m.local.weekday()])", "verdictOf(!set[m.local.weekday()])"},
	{"day_of_week: the day before", clock, "int(time.Thursday)+t.day", "int(time.Wednesday)+t.day"},
	{"day_of_week: the first of the list only", restriction, "set[weekday] = true", "set[weekday] = i == 0"},
	{"the clock is UTC's", clock, "seconds := at.Unix() + c.offsetAt(at)", "seconds := at.Unix()"},
	{"the clock keeps its offset over a change of it", clock, "unix < c.from || unix >= c.to", "unix != 0 && c.to == 0"},

	{"an element with one restriction that fails", rate, "\t\tcase no:\n\t\t\treturn no", "\t\tcase no:\n\t\t\tanswer = unknown"},
	{"the last element that holds", rate, "for i := range l.components {\n\t\tc := &l.components[i]\n\t\tif c.free", "for i := len(l.components) - 1; i >= 0; i-- {\n\t\tc := &l.components[i]\n\t\tif c.free"},
	{"elements with a reservation price the session", tariff, "during = reserved", "during = session"},
	{"lapsed and used reservations are alike", tariff, "during = expired", "during = reserved"},
	{"a lapsed reservation prefers RESERVATION", rate, "r.pick(p, of, &p.tariff.prices[expired][dim], at)", "r.pick(p, of, &p.tariff.prices[reserved][dim], at)"},
	{"a reservation never lapses", period, "r.lapsed = r.reservationLapsed()", "r.lapsed = false"},
	{"the timer counts the reservation", period, "if r.reservation {\n\t\tfor i", "if false {\n\t\tfor i"},
	{"energy counts from the next period on", period, "p.at.kwh = kwh\n\t\tkwh = kwh.add(p.volume[energy])", "kwh = kwh.add(p.volume[energy])\n\t\tp.at.kwh = kwh"},
	{"hours beat the bounds of a period", period, "cmp(coarseSeconds) <= 0", "cmp(coarseSeconds) < -1"},

	{"FLAT in every period", rate, "flatDone = !r.policy.FlatPerComponent", "flatDone = false"},
	{"an exact multiple gets a step more", step, "if below.equal(quantity) {", "if false {"},
	{"what is fed back is rounded", step, "if !quantity.isPositive() {", "if false {"},
	{"the step of the first component", step, "last := &r.runs[r.last[of]-1]\n\tstep := of.steps(last.component.step)",
		"last := &r.runs[r.last[of]-1]\n\tstep := of.steps(r.runs[0].component.step)"},
	{"charging time is rounded beside parking", step, "case charged == 0 || r.policy.TimePool == ParkingFirst:", "case charged == 0:"},
	{"a minimum is a maximum", tariff, `c.limit("min_price", doc.MinPrice, -1)`, `c.limit("min_price", doc.MinPrice, 1)`},
	{"a maximum is a minimum", tariff, `c.limit("max_price", doc.MaxPrice, 1)`, `c.limit("max_price", doc.MaxPrice, -1)`},
	{"only the limit without VAT binds", total, "if l.hitsIncl(limited) {\n\t\t\tlimited.incl = l.incl\n\t\t}", ""},
	{"VAT is part of the price", total, "case included:\n", "case !included:\n"},
	{"a credit is a charge", total, "if r.credit {", "if false {"},
}

package lint

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Sample is a session that charges an energy evenly in a time, cut wherever a restriction of the tariff can change its answer, as
// a CPO has to cut it (PRC-08). It tells its power; current it does not.
func Sample(doc ocpi.Tariff, zone *time.Location, start time.Time, length time.Duration, kwh decimal.Decimal) Session {
	return newLinter(doc, zone).space.sample(start, length, kwh)
}

// mostCuts bounds the legs of a sample.
const mostCuts = 2000

// cut is an end of a leg: after so long, with so much charged.
type cut struct {
	after time.Duration
	kwh   decimal.Decimal
}

func (s *space) sample(start time.Time, length time.Duration, kwh decimal.Decimal) Session {
	sample := Session{Start: start}
	if length <= 0 {
		return sample
	}
	share := func(after time.Duration) decimal.Decimal {
		return kwh.Mul(decimal.NewFromInt(int64(after))).DivRound(decimal.NewFromInt(int64(length)), 10)
	}
	cuts := []cut{{length, kwh}}
	at := func(after time.Duration, kwh decimal.Decimal) {
		if after > 0 && after < length && len(cuts) < mostCuts {
			cuts = append(cuts, cut{after, kwh})
		}
	}
	for _, seconds := range s.durations {
		after := time.Duration(min(seconds, int64(length/time.Second)+1)) * time.Second
		at(after, share(after))
	}
	for _, edge := range s.energy {
		if edge.LessThan(kwh) {
			after := decimal.NewFromInt(int64(length)).Mul(edge).DivRound(kwh, 0).IntPart()
			at(time.Duration(after).Round(time.Millisecond), edge)
		}
	}
	local := start.In(s.zone)
	for day := 0; len(cuts) < mostCuts; day++ {
		midnight := time.Date(local.Year(), local.Month(), local.Day()+day, 0, 0, 0, 0, s.zone)
		if midnight.Sub(start) >= length {
			break
		}
		for _, second := range s.seconds {
			after := time.Date(local.Year(), local.Month(), local.Day()+day, 0, 0, second, 0, s.zone).Sub(start)
			at(after, share(after))
		}
	}
	slices.SortStableFunc(cuts, func(a, b cut) int { return int(min(max(a.after-b.after, -1), 1)) })
	sample.Legs = legs(cuts, kwh.Mul(decimal.NewFromInt(int64(time.Hour))).DivRound(decimal.NewFromInt(int64(length)), 3))
	return sample
}

// legs turns the ends of legs, in their order, into legs.
func legs(cuts []cut, power decimal.Decimal) []Leg {
	var list []Leg
	var last cut
	told := decimal.NewNullDecimal(power)
	for _, c := range cuts {
		if c.after > last.after {
			list = append(list, Leg{Length: c.after - last.after, KWh: c.kwh.Sub(last.kwh), LowPower: told, HighPower: told})
			last = c
		}
	}
	return list
}

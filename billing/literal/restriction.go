package literal

import (
	"math/big"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// hold reports whether all restrictions of an element hold (PRC-07) at the start of a period, power and current during it
// (PRC-08).
func (s *session) hold(r *ocpi.TariffRestrictions, i int, reserved bool) bool {
	if r == nil {
		return true
	}
	p := s.periods[i]
	local := p.start.In(s.zone) // PRC-10: the wall clock
	if !timeOfDay(r.StartTime, r.EndTime, local.Format("15:04")) {
		return false
	}
	today := local.Format("2006-01-02")
	if r.StartDate != "" && today < r.StartDate { // 18.3: from this day on …
		return false
	}
	if r.EndDate != "" && today >= r.EndDate { // … and not on the end's, independent of the times
		return false
	}
	weekday := ocpi.DayOfWeek(strings.ToUpper(local.Weekday().String()))
	if len(r.DayOfWeek) > 0 && !slices.Contains(r.DayOfWeek, weekday) { // 18.3: the one at the instant, also where times wrap
		return false
	}
	if !between(r.MinKWh, p.kwhBefore, p.kwhBefore, r.MaxKWh) { // 18.3: cumulative at the period start
		return false
	}
	// 18.3: MIN_CURRENT and MAX_CURRENT of the period; a missing one cannot be verified.
	if !between(r.MinCurrent, p.volumes[ocpi.DimensionMinCurrent], p.volumes[ocpi.DimensionMaxCurrent], r.MaxCurrent) {
		return false
	}
	if !between(r.MinPower, p.power(ocpi.DimensionMinPower), p.power(ocpi.DimensionMaxPower), r.MaxPower) {
		return false
	}
	from := s.chargeStart // 18.3: seconds since session start, parking included, elements ignored
	if reserved {
		for k := range slices.Backward(s.periods) {
			if s.reserved(k) {
				from = s.periods[k].start
			}
		}
	}
	elapsed := big.NewRat(max(0, p.start.UnixMilli()-from.UnixMilli()), 1000) // PRC-10: durations are elapsed time
	return between(whole(r.MinDuration), elapsed, elapsed, whole(r.MaxDuration))
}

// timeOfDay reports whether now lies in [start, end), all of the form 15:04 (18.3).
func timeOfDay(start, end, now string) bool {
	if start == "" && end == "" {
		return true
	}
	if start == "" {
		start = "00:00" // (D) only end: from midnight
	}
	if end == "" || end == "00:00" {
		end = "24:00" // (D) only start: until midnight; end 00:00 is the end of the day
	}
	switch {
	case start == end: // (D) the whole day
		return true
	case start < end:
		return start <= now && now < end
	default: // wraps past midnight
		return start <= now || now < end
	}
}

// power is a level of the period in kW, or the average where the level is missing (18.3, D); nil if that is unknown too.
func (p *period) power(level ocpi.CDRDimensionType) *big.Rat {
	if kw := p.volumes[level]; kw != nil {
		return kw
	}
	kwh, hours := p.volumes[ocpi.DimensionEnergy], p.length()
	if kwh == nil || hours == nil || hours.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(kwh, hours)
}

// between reports whether low ≥ least and high < most, where those are given. What is not known is not verified, and does
// not hold (18.3, D).
func between(least decimal.NullDecimal, low, high *big.Rat, most decimal.NullDecimal) bool {
	if least.Valid && (low == nil || low.Cmp(number(least)) < 0) {
		return false
	}
	if most.Valid && (high == nil || high.Cmp(number(most)) >= 0) {
		return false
	}
	return true
}

func whole(n *int) decimal.NullDecimal {
	if n == nil {
		return decimal.NullDecimal{}
	}
	return ocpi.Number(decimal.NewFromInt(int64(*n)))
}

package billing

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// cutter cuts charging periods where a price of our own plan changes. A CPO cuts them where its tariff changes (PRC-08) and knows
// nothing of ours: a session that it bills by the kWh is one period, however long the car stands after its four hours.
//
// Time is divided by the clock, so it stays as exact as it was. Energy is taken to flow evenly while the car charges, which
// is an estimate, and a finding where a price of energy depends on it.
type cutter struct {
	clock  []int           // seconds of the local day
	timers []time.Duration // since the session began
	kwh    []decimal.Decimal
	energy bool // the price of energy changes at some edge of clock or timers
}

func newCutter(doc *ocpi.Tariff) cutter {
	var c cutter
	for i := range doc.Elements {
		r := doc.Elements[i].Restrictions
		if r == nil || r.Reservation != "" {
			continue
		}
		before := len(c.clock) + len(c.timers)
		for _, text := range []string{r.StartTime, r.EndTime} {
			if at, err := parseClock(text); err == nil && text != "" {
				if at%60 == 59 { // the end of the minute before, as compileTimes reads it
					at++
				}
				c.clock = append(c.clock, at%day)
			}
		}
		if r.StartDate != "" || r.EndDate != "" || len(r.DayOfWeek) > 0 {
			c.clock = append(c.clock, 0)
		}
		for _, seconds := range []*int{r.MinDuration, r.MaxDuration} {
			if seconds != nil && *seconds > 0 && *seconds < 400*day {
				c.timers = append(c.timers, time.Duration(*seconds)*time.Second)
			}
		}
		for _, limit := range []decimal.NullDecimal{r.MinKWh, r.MaxKWh} {
			if limit.Valid && limit.Decimal.IsPositive() {
				c.kwh = append(c.kwh, limit.Decimal)
			}
		}
		pricesEnergy := slices.ContainsFunc(doc.Elements[i].PriceComponents, func(p ocpi.PriceComponent) bool { return p.Type == ocpi.ComponentEnergy })
		c.energy = c.energy || pricesEnergy && len(c.clock)+len(c.timers) > before
	}
	slices.Sort(c.clock)
	c.clock = slices.Compact(c.clock)
	slices.Sort(c.timers)
	c.timers = slices.Compact(c.timers)
	return c
}

// longestPeriod bounds the length of a period that is cut by the clock; a longer one is broken anyway.
const longestPeriod = longestSearch * 24 * time.Hour

// cut returns the CDR with its periods cut, itself if nothing had to be, and the energy that was divided by estimate. A CDR
// whose periods are in disorder is left as it is: the engine has a rule and a finding for it.
func (c *cutter) cut(cdr *ocpi.CDR, zone *time.Location) (*ocpi.CDR, decimal.Decimal) {
	if len(c.clock)+len(c.timers)+len(c.kwh) == 0 || len(cdr.ChargingPeriods) == 0 || !inOrder(cdr.ChargingPeriods) {
		return cdr, decimal.Zero
	}
	if zone == nil {
		zone = time.UTC
	}
	var done []ocpi.ChargingPeriod // nil until the first cut
	estimated, kwh := decimal.Zero, decimal.Zero
	start := timerStart(cdr)
	for i := range cdr.ChargingPeriods {
		p := stretchOf(cdr, i)
		edges := c.edges(&p, start, kwh, zone)
		if len(c.kwh) > 0 {
			kwh = kwh.Add(p.energy)
		}
		switch {
		case len(edges) == 0 && done == nil:
			continue
		case len(edges) == 0:
			done = append(done, *p.doc)
			continue
		case done == nil:
			done = slices.Grow(done, len(cdr.ChargingPeriods)+len(edges))
			done = append(done, cdr.ChargingPeriods[:i]...)
		}
		if c.energy {
			estimated = estimated.Add(p.energy)
		}
		done = p.divide(edges, done)
	}
	if done == nil {
		return cdr, decimal.Zero
	}
	finer := *cdr
	finer.ChargingPeriods = done
	return &finer, estimated
}

func inOrder(periods []ocpi.ChargingPeriod) bool {
	for i := range periods {
		if periods[i].StartDateTime.IsZero() || i > 0 && periods[i].StartDateTime.Before(periods[i-1].StartDateTime) {
			return false
		}
	}
	return true
}

// timerStart is where the engine lets the clock of min_duration begin: at the start of the CDR, or behind its reservation.
func timerStart(cdr *ocpi.CDR) time.Time {
	start := known(cdr.StartDateTime)
	if start.IsZero() {
		start = cdr.ChargingPeriods[0].StartDateTime
	}
	if !tells(cdr, ocpi.DimensionReservationTime) {
		return start
	}
	for i := range cdr.ChargingPeriods {
		p := stretchOf(cdr, i)
		if p.reserved.IsZero() || !p.energy.IsZero() || !p.charging.IsZero() || !p.parking.IsZero() {
			return p.from
		}
	}
	return start
}

// stretch is a charging period with its volumes: kWh and hours. In one that charges and parks the car charges first.
type stretch struct {
	doc                                 *ocpi.ChargingPeriod
	from, full, to                      time.Time // full: charging is over; equals to where nothing parks
	energy, charging, parking, reserved decimal.Decimal
}

func stretchOf(cdr *ocpi.CDR, i int) stretch {
	p := stretch{doc: &cdr.ChargingPeriods[i], from: cdr.ChargingPeriods[i].StartDateTime, to: known(cdr.EndDateTime)}
	if i+1 < len(cdr.ChargingPeriods) {
		p.to = cdr.ChargingPeriods[i+1].StartDateTime
	}
	for k := range p.doc.Dimensions {
		d := &p.doc.Dimensions[k]
		if !d.Volume.Valid || !sane(d.Volume.Decimal) {
			continue
		}
		switch d.Type {
		case ocpi.DimensionEnergy:
			p.energy = plus(p.energy, d.Volume.Decimal)
		case ocpi.DimensionTime:
			p.charging = plus(p.charging, d.Volume.Decimal)
		case ocpi.DimensionParkingTime:
			p.parking = plus(p.parking, d.Volume.Decimal)
		case ocpi.DimensionReservationTime:
			p.reserved = plus(p.reserved, d.Volume.Decimal)
		}
	}
	p.full = p.to
	if length := p.to.Sub(p.from); length > 0 && p.charging.IsPositive() && p.parking.IsPositive() {
		used := p.charging.Add(p.parking)
		p.full = p.from.Add(time.Duration(decimal.NewFromInt(int64(length)).Mul(p.charging).DivRound(used, 0).IntPart()))
	}
	return p
}

// plus is a sum that costs nothing where there is nothing to add to, as in nearly every period.
func plus(sum, d decimal.Decimal) decimal.Decimal {
	if sum.IsZero() {
		return d
	}
	return sum.Add(d)
}

// edges are the instants inside the period at which a price may change, in order.
func (c *cutter) edges(p *stretch, start time.Time, kwh decimal.Decimal, zone *time.Location) []time.Time {
	length := p.to.Sub(p.from)
	if length <= 0 || length > longestPeriod || p.energy.IsZero() && p.charging.IsZero() && p.parking.IsZero() {
		return nil
	}
	var edges []time.Time
	add := func(at time.Time) {
		if at.After(p.from) && at.Before(p.to) {
			edges = append(edges, at)
		}
	}
	for _, after := range c.timers {
		add(start.Add(after))
	}
	if len(c.clock) > 0 {
		year, month, first := p.from.In(zone).Date()
		for k := 0; ; k++ {
			if midnight := time.Date(year, month, first+k, 0, 0, 0, 0, zone); !midnight.Before(p.to) {
				break
			}
			for _, second := range c.clock {
				add(time.Date(year, month, first+k, 0, 0, second, 0, zone).In(time.UTC))
			}
		}
	}
	for _, limit := range c.kwh {
		if part := limit.Sub(kwh); part.IsPositive() && part.LessThan(p.energy) {
			charging := decimal.NewFromInt(int64(p.full.Sub(p.from)))
			add(p.from.Add(time.Duration(charging.Mul(part).DivRound(p.energy, 0).IntPart())))
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	return slices.CompactFunc(edges, time.Time.Equal)
}

// divide appends the parts of the period between its edges. The last part of a volume is what is left of it, so nothing is
// lost or added.
func (p *stretch) divide(edges []time.Time, to []ocpi.ChargingPeriod) []ocpi.ChargingPeriod {
	type volume struct {
		of       *ocpi.CDRDimension
		from, to time.Time
		left     decimal.Decimal
	}
	volumes := make([]volume, len(p.doc.Dimensions))
	for k := range p.doc.Dimensions {
		v := volume{of: &p.doc.Dimensions[k], from: p.from, to: p.to, left: p.doc.Dimensions[k].Volume.Decimal}
		switch v.of.Type {
		case ocpi.DimensionEnergy, ocpi.DimensionTime:
			v.to = p.full
		case ocpi.DimensionParkingTime:
			if p.full.Before(p.to) {
				v.from = p.full
			}
		}
		volumes[k] = v
	}
	for n := 0; n <= len(edges); n++ {
		from, end := p.from, p.to
		if n > 0 {
			from = edges[n-1]
		}
		if n < len(edges) {
			end = edges[n]
		}
		part := ocpi.ChargingPeriod{StartDateTime: from, TariffID: p.doc.TariffID, Dimensions: make([]ocpi.CDRDimension, 0, len(volumes))}
		for k := range volumes {
			v := &volumes[k]
			if !additive(v.of.Type) || !v.of.Volume.Valid || !sane(v.of.Volume.Decimal) {
				part.Dimensions = append(part.Dimensions, *v.of)
				continue
			}
			places := int32(amountPlaces)
			if v.of.Type == ocpi.DimensionEnergy {
				places = 3 // a meter's Wh
			}
			share := shareOf(v.of.Volume.Decimal, overlap(from, end, v.from, v.to), v.to.Sub(v.from), places)
			if !end.Before(v.to) {
				share = v.left
			}
			v.left = v.left.Sub(share)
			if !share.IsZero() {
				part.Dimensions = append(part.Dimensions, ocpi.CDRDimension{Type: v.of.Type, Volume: ocpi.Number(share)})
			}
		}
		to = append(to, part)
	}
	return to
}

// additive reports whether the volumes of the parts sum to that of the whole. Powers and currents are the same in each part.
func additive(t ocpi.CDRDimensionType) bool {
	switch t {
	case ocpi.DimensionEnergy, ocpi.DimensionTime, ocpi.DimensionParkingTime, ocpi.DimensionReservationTime:
		return true
	}
	return false
}

func overlap(from, to, otherFrom, otherTo time.Time) time.Duration {
	if otherFrom.After(from) {
		from = otherFrom
	}
	if otherTo.Before(to) {
		to = otherTo
	}
	return max(to.Sub(from), 0)
}

// shareOf is the part of a volume that belongs to a part of its time.
func shareOf(volume decimal.Decimal, part, whole time.Duration, places int32) decimal.Decimal {
	switch {
	case part <= 0 || whole <= 0:
		return decimal.Zero
	case part == whole:
		return volume
	}
	return volume.Mul(decimal.NewFromInt(int64(part))).DivRound(decimal.NewFromInt(int64(whole)), places)
}

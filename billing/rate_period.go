package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// period is a charging period made ready for pricing. It ends where the next begins, the last with the CDR.
type period struct {
	index       int // in the CDR
	from, to    time.Time
	open        bool // its end is not known; to equals from
	estimated   bool // seconds that are not the period's length come from hours with so many decimals (PRC-14)
	places      int32
	tariff      *Tariff
	volume      [consumed]number // kWh, seconds
	reservation number           // seconds
	at          moment           // its start
}

func (p *period) path() string { return fmt.Sprintf("charging_periods[%d]", p.index) }

// length is in seconds.
func (p *period) length() number { return secondsBetween(p.from, p.to) }

// charges reports whether the period has a quantity of the session.
func (p *period) charges() bool {
	return !p.volume[energy].isZero() || !p.volume[charging].isZero() || !p.volume[parking].isZero()
}

// consumes reports whether the period has a quantity that a tariff could price.
func (p *period) consumes() bool { return p.charges() || !p.reservation.isZero() }

// isSession reports whether the period belongs to the charging session and not only to a reservation before it.
func (p *period) isSession() bool { return p.reservation.isZero() || p.charges() }

var secondsPerHour = integer(3600, 0)

// readPeriods puts the periods in order of time, gives each its end, and reads its volumes.
func (r *rater) readPeriods() {
	docs := r.cdr.ChargingPeriods
	r.periods = slices.Grow(r.periods, len(docs))[:len(docs)]
	for i := range docs {
		p := &r.periods[i]
		*p = period{}
		if p.index, p.from = i, docs[i].StartDateTime; p.from.IsZero() {
			p.from = r.start
			r.find("period-without-start", Flag, p.path()+".start_date_time", "the period has no start; the CDR's is taken")
		}
	}
	r.sortPeriods()
	if len(r.periods) == 0 {
		r.find("no-periods", Flag, "charging_periods", "there are no charging periods, so nothing can be priced")
		return
	}
	r.boundPeriods()
	for i := range r.periods {
		p := &r.periods[i]
		r.readVolumes(p, docs[p.index].Dimensions)
		for dim := range consumed {
			r.measured[dim] = r.measured[dim] || !p.volume[dim].isZero()
		}
		r.reservation = r.reservation || p.reservation.isPositive()
	}
	r.lapsed = r.reservationLapsed()
	if r.energyTold = tells(r.cdr, ocpi.DimensionEnergy); !r.energyTold && sane(r.cdr.TotalEnergy.Decimal) {
		r.energyStated = r.cdr.TotalEnergy.Decimal
	}
}

func (r *rater) sortPeriods() {
	for i := 1; i < len(r.periods); i++ {
		if r.periods[i].from.Before(r.periods[i-1].from) {
			r.find("periods-unsorted", Flag, "charging_periods", "the periods are not in order of time; sorted (CDR-20)")
			r.atStake(variant{asListed: true})
			if !r.variant.asListed {
				slices.SortStableFunc(r.periods, func(a, b period) int { return a.from.Compare(b.from) })
			}
			return
		}
	}
}

func (r *rater) boundPeriods() {
	start, end := r.start, r.end
	first, last := &r.periods[0], &r.periods[len(r.periods)-1]
	for i := range r.periods[1:] {
		r.periods[i].to = r.periods[i+1].from
	}
	last.to = end
	switch {
	case end.IsZero():
		last.to, last.open = last.from, true
		r.find("no-end", Flag, "end_date_time", "the CDR has no end, so the length of its last period is unknown")
	case end.Before(last.from):
		last.to, last.open = last.from, true
		r.find("period-after-end", Flag, last.path()+".start_date_time", "the period begins after the CDR ended")
		r.atStake(variant{within: true})
	}
	switch {
	case start.IsZero():
		r.find("no-start", Flag, "start_date_time", "the CDR has no start; its first period's is taken")
	case first.from.Before(start):
		r.find("period-before-start", Flag, first.path()+".start_date_time", "the period begins before the CDR (CDR-20)")
		r.atStake(variant{within: true}, variant{fromFirst: true})
	case first.from.After(start):
		r.find("late-first-period", Info, first.path()+".start_date_time", "the first period begins after the CDR")
	}
}

// readVolumes adds up what was measured in a period. Hours become seconds; where they agree with the bounds of the period
// as far as four decimals of an hour can, the bounds are the better measurement and are taken instead (PRC-14).
func (r *rater) readVolumes(p *period, dims []ocpi.CDRDimension) {
	var hours [consumed]number
	var reservation number
	var seen [measures]bool
	p.places = hourPlaces
	for k := range dims {
		d := &dims[k]
		volume, usable := usableNumber(d.Volume)
		if !usable {
			r.find("volume-unusable", Block, p.dimensionPath(k)+".volume", "the volume is missing or not a usable number")
			continue
		}
		what := measureOf(d.Type)
		if what == nothing {
			r.find("dimension-ignored", dimensionSeverity(d.Type), p.dimensionPath(k)+".type", fmt.Sprintf("%s has no place in a CDR (CDR-19)", d.Type))
			continue
		}
		if seen[what] {
			r.find("duplicate-dimension", Flag, p.dimensionPath(k), "the period has this dimension twice; quantities are added")
			r.atStake(variant{firstOnly: true})
			if r.variant.firstOnly {
				continue
			}
		}
		seen[what] = true
		switch what {
		case ofEnergy:
			p.volume[energy] = p.volume[energy].add(volume)
		case ofTime:
			hours[charging] = hours[charging].add(volume)
			p.places = max(p.places, -d.Volume.Decimal.Exponent())
		case ofParking:
			hours[parking] = hours[parking].add(volume)
			p.places = max(p.places, -d.Volume.Decimal.Exponent())
		case ofReservation:
			reservation = reservation.add(volume)
			p.places = max(p.places, -d.Volume.Decimal.Exponent())
		}
		if volume.isNegative() {
			r.find("volume-negative", Flag, p.dimensionPath(k)+".volume", "the volume is negative")
		}
	}
	p.volume[charging] = r.seconds(p, hours[charging])
	p.volume[parking] = r.seconds(p, hours[parking])
	p.reservation = r.seconds(p, reservation)
	if r.variant.within {
		r.cutToSession(p)
	}
}

func (p *period) dimensionPath(k int) string { return fmt.Sprintf("%s.dimensions[%d]", p.path(), k) }

// measure is what a dimension of a CDR says of a period.
type measure int

const (
	nothing measure = iota // that a price could depend on
	ofEnergy
	ofTime
	ofParking
	ofReservation
	ofMinPower
	ofMaxPower
	ofMinCurrent
	ofMaxCurrent
	measures
)

func measureOf(t ocpi.CDRDimensionType) measure {
	switch t {
	case ocpi.DimensionEnergy:
		return ofEnergy
	case ocpi.DimensionTime:
		return ofTime
	case ocpi.DimensionParkingTime:
		return ofParking
	case ocpi.DimensionReservationTime:
		return ofReservation
	case ocpi.DimensionMinPower:
		return ofMinPower
	case ocpi.DimensionMaxPower:
		return ofMaxPower
	case ocpi.DimensionMinCurrent:
		return ofMinCurrent
	case ocpi.DimensionMaxCurrent:
		return ofMaxCurrent
	}
	return nothing
}

func dimensionSeverity(t ocpi.CDRDimensionType) Severity {
	if t.SessionOnly() {
		return Info
	}
	return Flag
}

// hourPlaces is how many decimals of an hour a CDR is taken to have, even if its last ones are zeros that JSON left out.
const hourPlaces = 4

// coarse is how far hours with four decimals may be from the truth they were cut or rounded from (PRC-14).
const coarse = 360 * time.Millisecond

var coarseSeconds = secondsOf(coarse)

// seconds turns hours into seconds.
func (r *rater) seconds(p *period, hours number) number {
	if hours.isZero() {
		return number{}
	}
	sent := hours.mul(secondsPerHour)
	if !p.open && !r.policy.HoursAsSent {
		length := p.length()
		if sent.sub(length).abs().cmp(coarseSeconds) <= 0 {
			return length
		}
	}
	p.estimated = true
	return sent
}

// off is by how many seconds a time of the period may be wrong: by half of the last decimal of its hours.
func (p *period) off(seconds number) number {
	if !p.estimated || !p.open && seconds.equal(p.length()) {
		return number{}
	}
	return integer(1800, -p.places)
}

// cutToSession leaves of the quantities of a period the part that lies between the start and the end of the CDR, as if they
// had flowed evenly.
func (r *rater) cutToSession(p *period) {
	from := p.from
	if !r.start.IsZero() && from.Before(r.start) {
		from = r.start
	}
	var inside number
	switch {
	case p.open && r.end.IsZero(), !p.open && from.Equal(p.from):
		return
	case !p.open && p.to.After(from):
		inside = secondsBetween(from, p.to).quo(p.length(), workPlaces)
	}
	cut := func(quantity *number) { *quantity = quantity.mul(inside) }
	for dim := range consumed {
		cut(&p.volume[dim])
	}
	cut(&p.reservation)
}

// reservationLapsed infers what a CDR does not say (PRC-27): nothing was charged or parked, and something was reserved but
// there is no session, or there is no connector, which says so by itself (CDR-16).
func (r *rater) reservationLapsed() bool {
	for i := range r.periods {
		if r.periods[i].charges() {
			return false
		}
	}
	loc := &r.cdr.CDRLocation
	return r.reservation && r.cdr.SessionID == "" ||
		loc.ConnectorID == ocpi.NotApplicable || loc.EVSEUID == ocpi.NotApplicable || loc.EVSEID == ocpi.NotApplicable
}

// isReserved reports whether the period belongs to a reservation: all do where nothing tells how long one that lapsed was.
func (r *rater) isReserved(p *period) bool {
	return p.reservation.isPositive() || r.lapsed && !r.reservation
}

// reservationStart is the start of the first reserved period.
func (r *rater) reservationStart() time.Time {
	for i := range r.periods {
		if r.isReserved(&r.periods[i]) {
			return r.periods[i].from
		}
	}
	return r.start
}

// sessionStart is where the clock of min_duration and max_duration begins: the start of the CDR, or of what follows the
// reservation that it began with.
func (r *rater) sessionStart() time.Time {
	if r.reservation {
		for i := range r.periods {
			if p := &r.periods[i]; p.isSession() {
				return p.from
			}
		}
	}
	if r.start.IsZero() || r.variant.fromFirst {
		return r.periods[0].from
	}
	return r.start
}

// setMoments takes the clocks and counters at the start of each period, where restrictions are evaluated (PRC-08).
func (r *rater) setMoments() {
	if len(r.periods) == 0 {
		return
	}
	start := r.sessionStart()
	var kwh number
	for i := range r.periods {
		p := &r.periods[i]
		if p.tariff != nil && p.tariff.clock {
			p.at.local = r.clock.local(p.from)
		}
		if p.tariff != nil && p.tariff.level {
			p.at.levels = r.readLevels(p)
		}
		p.at.elapsed = max(p.from.Sub(start), 0)
		p.at.kwh = kwh
		kwh = kwh.add(p.volume[energy])
	}
}

// readLevels notes the powers and currents of a period. Its energy by its length stands in for a power that it does not tell.
func (r *rater) readLevels(p *period) *levels {
	r.levels = append(r.levels, levels{})
	l := &r.levels[len(r.levels)-1]
	dims := r.cdr.ChargingPeriods[p.index].Dimensions
	for k := range dims {
		d := &dims[k]
		if !d.Volume.Valid || !sane(d.Volume.Decimal) {
			continue
		}
		switch measureOf(d.Type) {
		case ofEnergy:
			if p.to.After(p.from) && !r.policy.NoAveragePower {
				l.energy, l.length = p.volume[energy], p.length()
			}
		case ofMinPower:
			l.minPower = &d.Volume.Decimal
		case ofMaxPower:
			l.maxPower = &d.Volume.Decimal
		case ofMinCurrent:
			l.minCurrent = &d.Volume.Decimal
		case ofMaxCurrent:
			l.maxCurrent = &d.Volume.Decimal
		}
	}
	return l
}

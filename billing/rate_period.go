package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// period is a charging period made ready for pricing. It ends where the next begins, the last with the CDR.
type period struct {
	index                int // in the CDR
	from, to             time.Time
	open                 bool // its end is not known; to equals from
	tariffID             ocpi.CiString
	tariff               *Tariff
	volume               [dimensions]decimal.Decimal // kWh, seconds
	estimated            [dimensions]bool            // seconds computed from hours
	reservation          decimal.Decimal             // seconds
	reservationEstimated bool
	at                   moment // its start
}

func (p *period) path() string { return fmt.Sprintf("charging_periods[%d]", p.index) }

// consumes reports whether the period has a quantity that a tariff could price.
func (p *period) consumes() bool {
	return !p.volume[energy].IsZero() || !p.volume[charging].IsZero() || !p.volume[parking].IsZero() || !p.reservation.IsZero()
}

// isSession reports whether the period belongs to the charging session and not only to a reservation before it.
func (p *period) isSession() bool {
	return p.reservation.IsZero() || !p.volume[energy].IsZero() || !p.volume[charging].IsZero() || !p.volume[parking].IsZero()
}

var secondsPerHour = decimal.NewFromInt(3600)

// readPeriods puts the periods in order of time, gives each its end, and reads its volumes.
func (r *rater) readPeriods() {
	docs := r.cdr.ChargingPeriods
	r.periods = make([]period, len(docs))
	for i := range docs {
		p := &r.periods[i]
		p.index, p.from, p.tariffID = i, docs[i].StartDateTime, docs[i].TariffID
		if p.from.IsZero() {
			p.from = r.start
			r.find("period-without-start", Flag, p.path()+".start_date_time", "the period has no start; the CDR's is taken")
		}
	}
	byStart := func(a, b period) int { return a.from.Compare(b.from) }
	if !slices.IsSortedFunc(r.periods, byStart) {
		r.find("periods-unsorted", Flag, "charging_periods", "the periods are not in order of time; sorted (CDR-20)")
		slices.SortStableFunc(r.periods, byStart)
	}
	if len(r.periods) == 0 {
		r.find("no-periods", Flag, "charging_periods", "there are no charging periods, so nothing can be priced")
		return
	}
	r.boundPeriods()
	for i := range r.periods {
		r.readVolumes(&r.periods[i], docs[r.periods[i].index].Dimensions)
		r.reservation = r.reservation || r.periods[i].reservation.IsPositive()
	}
	r.lapsed = r.reservationLapsed()
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
	}
	switch {
	case start.IsZero():
		r.find("no-start", Flag, "start_date_time", "the CDR has no start; its first period's is taken")
	case first.from.Before(start):
		r.find("period-before-start", Flag, first.path()+".start_date_time", "the period begins before the CDR (CDR-20)")
	case first.from.After(start):
		r.find("late-first-period", Info, first.path()+".start_date_time", "the first period begins after the CDR")
	}
}

// coarse is how far hours with four decimals may be from the truth they were cut or rounded from (PRC-14).
const coarse = 360 * time.Millisecond

// readVolumes adds up what was measured in a period. Hours become seconds; where they agree with the bounds of the period
// as far as four decimals of an hour can, the bounds are the better measurement and are taken instead (PRC-14).
func (r *rater) readVolumes(p *period, dims []ocpi.CDRDimension) {
	var hours [dimensions]decimal.Decimal
	var reservation decimal.Decimal
	var seen []ocpi.CDRDimensionType
	for k := range dims {
		d, path := &dims[k], fmt.Sprintf("%s.dimensions[%d]", p.path(), k)
		if !d.Volume.Valid || !sane(d.Volume.Decimal) {
			r.find("volume-unusable", Block, path+".volume", "the volume is missing or not a usable number")
			continue
		}
		if slices.Contains(seen, d.Type) {
			r.find("duplicate-dimension", Flag, path, "the period has this dimension twice; quantities are added")
		}
		seen = append(seen, d.Type)
		volume := d.Volume.Decimal
		switch d.Type {
		case ocpi.DimensionEnergy:
			p.volume[energy] = p.volume[energy].Add(volume)
		case ocpi.DimensionTime:
			hours[charging] = hours[charging].Add(volume)
		case ocpi.DimensionParkingTime:
			hours[parking] = hours[parking].Add(volume)
		case ocpi.DimensionReservationTime:
			reservation = reservation.Add(volume)
		case ocpi.DimensionMinPower:
			p.at.levels.minPower = d.Volume
		case ocpi.DimensionMaxPower:
			p.at.levels.maxPower = d.Volume
		case ocpi.DimensionMinCurrent:
			p.at.levels.minCurrent = d.Volume
		case ocpi.DimensionMaxCurrent:
			p.at.levels.maxCurrent = d.Volume
		default:
			r.find("dimension-ignored", dimensionSeverity(d.Type), path+".type", fmt.Sprintf("%s has no place in a CDR (CDR-19)", d.Type))
			continue
		}
		if volume.IsNegative() {
			r.find("volume-negative", Flag, path+".volume", "the volume is negative")
		}
	}
	for _, dim := range []dimension{charging, parking} {
		p.volume[dim], p.estimated[dim] = r.seconds(p, hours[dim])
	}
	p.reservation, p.reservationEstimated = r.seconds(p, reservation)
	if length := p.to.Sub(p.from); length > 0 && !r.policy.NoAveragePower && slices.Contains(seen, ocpi.DimensionEnergy) {
		average := p.volume[energy].Mul(secondsPerHour).DivRound(secondsOf(length), workPlaces)
		p.at.levels.average = decimal.NewNullDecimal(average)
	}
}

func dimensionSeverity(t ocpi.CDRDimensionType) Severity {
	if t.SessionOnly() {
		return Info
	}
	return Flag
}

// seconds turns hours into seconds and says whether they are an estimate.
func (r *rater) seconds(p *period, hours decimal.Decimal) (decimal.Decimal, bool) {
	if hours.IsZero() {
		return decimal.Zero, false
	}
	sent := hours.Mul(secondsPerHour)
	if p.open || r.policy.HoursAsSent {
		return sent, true
	}
	length := secondsOf(p.to.Sub(p.from))
	if sent.Sub(length).Abs().LessThanOrEqual(secondsOf(coarse)) {
		return length, false
	}
	return sent, true
}

func secondsOf(d time.Duration) decimal.Decimal {
	if d%time.Second == 0 {
		return decimal.NewFromInt(int64(d / time.Second))
	}
	return decimal.New(int64(d), -9)
}

// reservationLapsed infers what a CDR does not say (PRC-27): nothing was charged or parked, and something was reserved but
// there is no session, or there is no connector, which says so by itself (CDR-16).
func (r *rater) reservationLapsed() bool {
	for i := range r.periods {
		if p := &r.periods[i]; p.consumes() && p.isSession() {
			return false
		}
	}
	loc := &r.cdr.CDRLocation
	return r.reservation && r.cdr.SessionID == "" ||
		loc.ConnectorID == ocpi.NotApplicable || loc.EVSEUID == ocpi.NotApplicable || loc.EVSEID == ocpi.NotApplicable
}

// isReserved reports whether the period belongs to a reservation: all do where nothing tells how long one that lapsed was.
func (r *rater) isReserved(p *period) bool {
	return p.reservation.IsPositive() || r.lapsed && !r.reservation
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
	return r.start
}

// assignTariffs gives each period the tariff that it names.
func (r *rater) assignTariffs(tariffs []*Tariff) {
	unnamed := !slices.ContainsFunc(r.periods, func(p period) bool { return p.tariffID != "" })
	switch {
	case len(tariffs) == 0:
		r.find("no-tariff", Block, "tariffs", "there is no tariff, so nothing can be priced")
	case unnamed && len(tariffs) == 1 && !tariffs[0].everyPeriod:
		r.find("tariff-assumed", Info, "charging_periods", "no period names its tariff; the only one is taken (CDR-22)")
	case unnamed && len(tariffs) > 1:
		r.find("tariff-ambiguous", Block, "charging_periods", "no period names its tariff and there are several (PRC-01)")
	}
	for i := range r.periods {
		p := &r.periods[i]
		for _, t := range tariffs {
			if t.everyPeriod || p.tariffID != "" && t.ID.Equal(p.tariffID) || unnamed && len(tariffs) == 1 {
				p.tariff = t
				break
			}
		}
		if p.tariff == nil && p.tariffID != "" {
			r.find("tariff-unknown", Block, p.path()+".tariff_id", fmt.Sprintf("the CDR has no tariff %q", p.tariffID))
		}
	}
	for _, t := range r.tariffsUsed() {
		r.checkTariff(t)
	}
}

// tariffsUsed returns each tariff that some period is priced with, in order of first use.
func (r *rater) tariffsUsed() []*Tariff {
	var used []*Tariff
	for i := range r.periods {
		if t := r.periods[i].tariff; t != nil && !slices.Contains(used, t) {
			used = append(used, t)
		}
	}
	return used
}

func (r *rater) checkTariff(t *Tariff) {
	if t.unreadable {
		r.find("tariff-unreadable", Block, "tariffs", fmt.Sprintf("tariff %q has parts that are not understood (TAR-11)", t.ID))
	}
	if start := r.start; !start.IsZero() &&
		(!t.validFrom.IsZero() && start.Before(t.validFrom) || !t.validTo.IsZero() && start.After(t.validTo)) {
		r.find("tariff-not-valid", Flag, "tariffs", fmt.Sprintf("tariff %q was not valid when the session began (TAR-07)", t.ID))
	}
	if r.cdr.Currency != "" && t.Currency != "" && t.Currency != r.cdr.Currency {
		severity := Block
		if t.everyPeriod { // our own price need not be in the CPO's currency
			severity = Info
		}
		r.find("currency-differs", severity, "currency", fmt.Sprintf("the CDR is in %s, tariff %q in %s (PRC-33)", r.cdr.Currency, t.ID, t.Currency))
	}
	r.checkMeasured(t)
}

// checkMeasured finds what the tariff prices and the periods do not tell, although the totals of the CDR do.
func (r *rater) checkMeasured(t *Tariff) {
	measured := func(dims ...dimension) bool {
		return slices.ContainsFunc(r.periods, func(p period) bool {
			return slices.ContainsFunc(dims, func(dim dimension) bool { return !p.volume[dim].IsZero() })
		})
	}
	missing := func(dim dimension, total decimal.NullDecimal, path string) {
		if total.Decimal.IsPositive() && t.prices[session][dim].priced() {
			r.find("quantity-missing", Flag, path, "the tariff prices this quantity, the CDR states its total, but no period has it")
		}
	}
	if !measured(energy) {
		missing(energy, r.cdr.TotalEnergy, "total_energy")
	}
	if !measured(charging, parking) {
		missing(charging, r.cdr.TotalTime, "total_time")
	}
	if !measured(parking) {
		missing(parking, r.cdr.TotalParkingTime, "total_parking_time")
	}
}

func (r *rater) checkZone() {
	for i := range r.periods {
		if t := r.periods[i].tariff; t != nil && t.clock {
			r.find("zone-unknown", Flag, "cdr_location", "prices depend on local time and the time zone is not known; UTC is taken (PRC-09)")
			return
		}
	}
}

// setMoments takes the clocks and counters at the start of each period, where restrictions are evaluated (PRC-08).
func (r *rater) setMoments() {
	start := r.sessionStart()
	if start.IsZero() && len(r.periods) > 0 {
		start = r.periods[0].from
	}
	kwh := decimal.Zero
	for i := range r.periods {
		p := &r.periods[i]
		if p.tariff != nil && p.tariff.clock {
			p.at.setClock(p.from, r.zone)
		}
		p.at.elapsed = max(p.from.Sub(start), 0)
		p.at.kwh = kwh
		kwh = kwh.Add(p.volume[energy])
	}
}

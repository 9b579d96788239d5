package billing

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// EngineVersion names the arithmetic. It is stored with every rating and rises whenever a figure could come out differently.
const EngineVersion = "3"

// Rating is what a session costs by a tariff, and why.
//
// Amounts are in Currency, exact where their decimal expansion ends within ten decimals and rounded half away from zero
// there otherwise; nothing is rounded before that. The five costs are before a minimum or maximum price, Total is after it
// (PRC-31), and negative for a credit CDR, of which only the total changes its sign (CDR-10).
type Rating struct {
	Currency    string
	Total       Amount
	Fixed       Amount
	Energy      Amount
	Time        Amount
	Parking     Amount
	Reservation Amount

	TotalEnergy      decimal.Decimal // kWh; the CDR's own figure where no period has energy
	TotalTime        decimal.Decimal // hours, charging and not charging, without the reservation
	TotalParkingTime decimal.Decimal // hours

	Lines    []Line
	VAT      []VATShare // sums exactly to Total
	Findings []Finding
	Tariffs  []TariffUse

	Slack    decimal.Decimal // what coarse hours could change in the total, excluding VAT (PRC-14)
	Policy   string
	TimeZone string
	Engine   string
}

// Amount is a sum of money without and with VAT. Where no VAT applies the two are equal, and the rate of the VATShare is
// absent.
type Amount struct{ ExclVAT, InclVAT decimal.Decimal }

// Line is the part of a price that one component of a tariff makes: consecutive periods that it priced are one line.
type Line struct {
	Dimension Dimension
	Measured  decimal.Decimal // kWh, hours, or 1 for a flat fee
	Quantity  decimal.Decimal // billed: Measured, rounded up by StepSize on the last line of its pool
	Unit      LineUnit
	Price     decimal.Decimal     // of one Unit; with VAT if the tariff's prices include it
	VATRate   decimal.NullDecimal // percent; absent: no VAT applies
	ExclVAT   decimal.Decimal
	InclVAT   decimal.Decimal

	TariffID     ocpi.CiString
	TaxIncluded  bool     // Price includes VAT
	Element      int      // index in the tariff's elements, -1 for a limit or a reduction
	Restrictions []string // of the element, all of which held: "max_kwh=20"
	StepSize     int64    // Wh or seconds, 0 where no rounding was done on this line
	From, To     time.Time

	Of   []Dimension // of a reduction by a plan: what it reduces
	Name string      // of a reduction by a plan: the discount or voucher
}

// LineUnit is what a line counts.
type LineUnit string

// The units of a line.
const (
	KWh  LineUnit = "kWh"
	Hour LineUnit = "h"
	Once LineUnit = "once"
)

// VATShare is the part of the total that bears one rate of VAT. The tax is the difference of the two sides.
type VATShare struct {
	Rate decimal.NullDecimal // percent; absent: no VAT applies, or a limit demands tax that no rate explains
	Amount
}

// TariffUse names a tariff, by content, that a rating used.
type TariffUse struct {
	ID          ocpi.CiString
	Hash        string
	TaxIncluded bool
}

// Rate prices a CDR by OCPI 2.2.1 § Tariffs. It is total: whatever is wrong with the CDR or the tariffs, it comes back with
// the price that the readable part gives and with findings about the rest.
//
// Each period is priced by the tariff that it names. If no period names one and exactly one tariff is given, that one prices
// all of them (CDR-22). zone is the Location's; nil means unknown, which is UTC and a finding if a restriction asks for it.
func Rate(cdr *ocpi.CDR, tariffs []*Tariff, zone *time.Location, p Policy) Rating {
	var pricer Pricer
	pricer.Price(cdr, tariffs, zone, p)
	return pricer.Rating()
}

// Pricer prices one CDR after another in the same memory, for work on many of them. It is not for two goroutines at once.
type Pricer struct{ rater rater }

// Price prices a CDR as Rate does and returns the total alone. Whoever needs the rest asks for the Rating.
func (p *Pricer) Price(cdr *ocpi.CDR, tariffs []*Tariff, zone *time.Location, policy Policy) Amount {
	r := &p.rater
	r.begin(cdr, tariffs, zone, &policy)
	r.price()
	r.boundStakes()
	total := r.round(r.total)
	excl := total.excl.decimal()
	if total.incl == total.excl {
		return Amount{excl, excl}
	}
	return Amount{ExclVAT: excl, InclVAT: total.incl.decimal()}
}

// Rating is that of the CDR which was priced last. It stays valid when the next one is priced.
func (p *Pricer) Rating() Rating { return p.rater.rating() }

// rater is one pricing in progress.
type rater struct {
	cdr     *ocpi.CDR
	tariffs []*Tariff
	policy  Policy
	zone    *time.Location // nil: not known
	clock   localClock
	variant variant
	tracing bool
	facts

	// In memory that is kept from one CDR to the next.
	periods  []period  // in order of time
	used     []*Tariff // each tariff that some period is priced with, in order of first use
	runs     []run     // in the order of their first periods
	limits   []limitEffect
	vat      []vatCost
	rates    []vatCost // of the tariff that is being settled
	findings []Finding
	stakes   []stake
	levels   []levels
	choices  []choice // while tracing
	written  writer
}

// facts are what a pricing finds out.
type facts struct {
	start, end   time.Time        // of the CDR; zero: not known
	currency     string           // of the first tariff that is used, or else the CDR's
	credit       bool             // CDR-10
	measured     [consumed]bool   // some period has the quantity
	energyTold   bool             // some period tells energy
	energyStated decimal.Decimal  // the total of the CDR, where none does
	reservation  bool             // some period was reserved
	lapsed       bool             // the reservation never became a session
	last         [pools]int       // the last run of each pool, counted from 1
	unpriced     [consumed]number // where the policy asks for it
	slack        number           // in 3600ths of the currency unit
	searched     int              // components that were asked within periods
	passed       int              // elements that were passed over, while tracing
	sums         [pools]cost
	total        cost
}

// begin forgets the CDR before and keeps the memory.
func (r *rater) begin(cdr *ocpi.CDR, tariffs []*Tariff, zone *time.Location, policy *Policy) {
	r.cdr, r.tariffs, r.zone, r.policy = cdr, tariffs, zone, *policy
	r.variant, r.tracing, r.facts = variant{}, false, facts{}
	r.start, r.end, r.credit = known(cdr.StartDateTime), known(cdr.EndDateTime), cdr.Credit
	r.periods, r.used, r.runs, r.limits, r.vat, r.rates = r.periods[:0], r.used[:0], r.runs[:0], r.limits[:0], r.vat[:0], r.rates[:0]
	r.findings, r.stakes, r.levels, r.choices = r.findings[:0], r.stakes[:0], r.levels[:0], r.choices[:0]
	if zone == nil || policy.ClockInUTC {
		zone = time.UTC
	}
	r.clock.in(zone)
}

// known is zero for the instant that stands for an unknown one (TYP-07).
func known(at time.Time) time.Time {
	if ocpi.IsUnknownTime(at) {
		return time.Time{}
	}
	return at
}

func (r *rater) price() {
	r.readPeriods()
	r.assignTariffs()
	if r.zone == nil {
		r.checkZone()
	}
	r.setMoments()
	r.pricePeriods()
	r.roundSteps()
	r.settle()
}

// pool is a group of quantities that end up in lines of one dimension.
type pool int

const (
	reservationFlat pool = iota
	reservationTime
	sessionFlat
	sessionEnergy
	sessionTime
	sessionParking
	pools
)

var poolOf = [dimensions]pool{flat: sessionFlat, energy: sessionEnergy, charging: sessionTime, parking: sessionParking}

var poolDimension = [pools]Dimension{
	reservationFlat: ReservationFlat, reservationTime: ReservationTime,
	sessionFlat: Flat, sessionEnergy: Energy, sessionTime: Time, sessionParking: ParkingTime,
}

// timed reports whether the pool counts seconds and its prices are per hour.
func (p pool) timed() bool { return p == sessionTime || p == sessionParking || p == reservationTime }

// fee reports whether the pool is a fee and not a measured quantity.
func (p pool) fee() bool { return p == sessionFlat || p == reservationFlat }

// run is a quantity that one component prices: kWh, seconds, or 1.
type run struct {
	pool      pool
	tariff    *Tariff
	component *component
	measured  number
	billed    number
	off       number // seconds by which hours with few decimals may be wrong (PRC-14)
	step      int64  // applied
	from, to  time.Time
	cost      cost
}

var one = decimal.NewFromInt(1)

var once = integer(1, 0)

func (r *rater) pricePeriods() {
	var flatDone, reservationFlatDone bool
	for i := range r.periods {
		p := &r.periods[i]
		t := p.tariff
		if t == nil {
			if p.consumes() {
				r.find("period-without-tariff", Flag, p.path(), "no tariff applies in this period, so it is free (PRC-01)")
			}
			continue
		}
		if r.isReserved(p) {
			at := p.at
			at.elapsed = p.from.Sub(r.reservationStart())
			if !reservationFlatDone {
				if c := r.pickReservation(p, reservationFlat, flat, &at); c != nil {
					r.add(reservationFlat, p, c, once)
					reservationFlatDone = true
				}
			}
			if c := r.pickReservation(p, reservationTime, charging, &at); c != nil && p.reservation.isPositive() {
				r.add(reservationTime, p, c, p.reservation)
			}
		}
		if !p.isSession() || r.lapsed {
			continue
		}
		if !flatDone { // once a session, in the first period where one matches (PRC-23)
			if c := r.pick(p, sessionFlat, &t.prices[session][flat], &p.at); c != nil && !r.isLast(sessionFlat, c) {
				r.add(sessionFlat, p, c, once)
				flatDone = !r.policy.FlatPerComponent
			}
		}
		for dim := range consumed {
			if p.volume[dim].isZero() {
				continue
			}
			list := &t.prices[session][dim]
			c := r.pick(p, poolOf[dim], list, &p.at)
			if list.edges != nil {
				c = r.checkSplit(p, dim, list, c)
			}
			if c != nil {
				r.add(poolOf[dim], p, c, p.volume[dim])
			} else {
				r.leave(dim, p.volume[dim])
			}
		}
	}
}

// pick returns the component that prices a dimension of a period, nil if it is free.
func (r *rater) pick(p *period, of pool, list *priceList, at *moment) *component {
	c, doubt := list.first(at, &r.policy)
	if doubt != nil && !r.found("restriction-unverifiable") {
		r.find("restriction-unverifiable", Flag, p.path(), fmt.Sprintf(
			"element %d depends on a power or current that the period does not tell", doubt.element))
	}
	if r.tracing && (len(list.components) > 0 || !of.fee()) { // a fee that the tariff does not have is no choice
		if r.choices == nil {
			r.choices = make([]choice, 0, 4*len(r.periods))
		}
		r.choices = append(r.choices, choice{p, of, list, *at, c, r.policy.ElementPerPrice})
	}
	return c
}

// first returns the first component whose restrictions all hold, or nil: then the dimension is free (PRC-04, PRC-05, VDF-07).
// doubt is the first one of which that cannot be told.
func (l *priceList) first(at *moment, p *Policy) (c, doubt *component) {
	for i := range l.components {
		c := &l.components[i]
		if c.free && p.ElementPerPrice {
			continue
		}
		answer := c.holds(at)
		if answer == unknown {
			if doubt == nil {
				doubt = c
			}
			if p.UnknownLevelHolds {
				answer = yes
			}
		}
		if answer == yes && c.free {
			return nil, doubt
		} else if answer == yes {
			return c, doubt
		}
	}
	return nil, doubt
}

// holds asks all restrictions of the component's element: one that fails decides, one that cannot tell leaves it open.
func (c *component) holds(at *moment) verdict {
	answer := yes
	for _, cond := range c.conditions {
		switch cond.holds(at) {
		case no:
			return no
		case unknown:
			answer = unknown
		}
	}
	return answer
}

// pickReservation returns the component that prices a reservation. One that lapsed prefers what the tariff says about
// lapsed ones, wherever in the list it stands (PRC-25).
func (r *rater) pickReservation(p *period, of pool, dim dimension, at *moment) *component {
	if r.lapsed {
		if c := r.pick(p, of, &p.tariff.prices[expired][dim], at); c != nil {
			return c
		}
	}
	return r.pick(p, of, &p.tariff.prices[reserved][dim], at)
}

// add prices a quantity of a period: as part of the last run if that has the same component.
func (r *rater) add(to pool, p *period, c *component, quantity number) {
	if !r.isLast(to, c) {
		if r.runs == nil {
			r.runs = make([]run, 0, 4)
		}
		r.runs = append(r.runs, run{pool: to, tariff: p.tariff, component: c, from: p.from})
		r.last[to] = len(r.runs)
	}
	last := &r.runs[r.last[to]-1]
	last.measured = last.measured.add(quantity)
	last.billed = last.measured
	if p.estimated && to.timed() {
		last.off = last.off.add(p.off(quantity))
	}
	last.to = p.to
}

// isLast reports whether a component priced the last quantity of a pool.
func (r *rater) isLast(of pool, c *component) bool {
	return r.last[of] > 0 && r.runs[r.last[of]-1].component == c
}

// leave notes a quantity that nothing prices.
func (r *rater) leave(dim dimension, quantity number) {
	if r.policy.UnpricedInSteps {
		r.unpriced[dim] = r.unpriced[dim].add(quantity)
	}
}

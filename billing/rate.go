package billing

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// EngineVersion names the arithmetic. It is stored with every rating and rises whenever a figure could come out differently.
const EngineVersion = "2"

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
	r := rater{cdr: cdr, policy: p, zone: zone, start: known(cdr.StartDateTime), end: known(cdr.EndDateTime)}
	if zone == nil {
		r.zone = time.UTC
	}
	r.readPeriods()
	r.assignTariffs(tariffs)
	if zone == nil {
		r.checkZone()
	}
	r.setMoments()
	r.pricePeriods()
	r.roundSteps()
	return r.rating()
}

// known is zero for the instant that stands for an unknown one (TYP-07).
func known(at time.Time) time.Time {
	if ocpi.IsUnknownTime(at) {
		return time.Time{}
	}
	return at
}

// rater is one pricing in progress.
type rater struct {
	cdr         *ocpi.CDR
	policy      Policy
	zone        *time.Location
	start, end  time.Time // of the CDR; zero: not known
	periods     []period  // in order of time
	reservation bool      // some period was reserved
	lapsed      bool      // the reservation never became a session
	runs        [pools][]run
	slack       decimal.Decimal // in 3600ths of the currency unit
	findings    []Finding
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

// run is a quantity that one component prices: kWh, seconds, or 1.
type run struct {
	tariff    *Tariff
	component *component
	measured  decimal.Decimal
	billed    decimal.Decimal
	estimated int   // periods whose seconds come from hours with few decimals
	step      int64 // applied
	from, to  time.Time
}

var one = decimal.NewFromInt(1)

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
				if c := r.pickReservation(p, flat, &at); c != nil {
					r.add(reservationFlat, p, c, one, false)
					reservationFlatDone = true
				}
			}
			if c := r.pickReservation(p, charging, &at); c != nil && p.reservation.IsPositive() {
				r.add(reservationTime, p, c, p.reservation, p.reservationEstimated)
			}
		}
		if !p.isSession() || r.lapsed {
			continue
		}
		if !flatDone { // once a session, in the first period where one matches (PRC-23)
			if c := r.pick(p, &t.prices[session][flat], &p.at); c != nil {
				r.add(sessionFlat, p, c, one, false)
				flatDone = true
			}
		}
		for _, dim := range []dimension{energy, charging, parking} {
			if p.volume[dim].IsZero() {
				continue
			}
			list := &t.prices[session][dim]
			c := r.pick(p, list, &p.at)
			if c != nil {
				r.add(poolOf[dim], p, c, p.volume[dim], p.estimated[dim])
			}
			if list.edges {
				r.checkSplit(p, dim, list, c)
			}
		}
	}
}

// pick returns the first component whose restrictions all hold, or nil: then the dimension is free (PRC-04, PRC-05, VDF-07).
func (r *rater) pick(p *period, list *priceList, at *moment) *component {
	for i := range list.components {
		c := &list.components[i]
		answer := c.holds(at)
		if answer == unknown {
			r.once("restriction-unverifiable", Flag, p.path(), fmt.Sprintf(
				"element %d depends on a power or current that the period does not tell", c.element))
			if r.policy.UnknownLevelHolds {
				answer = yes
			}
		}
		if answer == yes && c.free {
			return nil
		} else if answer == yes {
			return c
		}
	}
	return nil
}

// holds asks all restrictions of the component's element: one that fails decides, one that cannot tell leaves it open.
func (c *component) holds(at *moment) verdict {
	answer := yes
	for i := range c.conditions {
		switch c.conditions[i].holds(at) {
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
func (r *rater) pickReservation(p *period, dim dimension, at *moment) *component {
	if r.lapsed {
		if c := r.pick(p, &p.tariff.prices[expired][dim], at); c != nil {
			return c
		}
	}
	return r.pick(p, &p.tariff.prices[reserved][dim], at)
}

// add prices a quantity of a period: as part of the last run if that has the same component.
func (r *rater) add(to pool, p *period, c *component, quantity decimal.Decimal, estimated bool) {
	runs := r.runs[to]
	if n := len(runs); n == 0 || runs[n-1].component != c {
		runs = append(runs, run{tariff: p.tariff, component: c, from: p.from})
		r.runs[to] = runs
	}
	last := &runs[len(runs)-1]
	last.measured = last.measured.Add(quantity)
	last.billed = last.measured
	last.to = p.to
	if estimated {
		last.estimated++
	}
}

func (r *rater) find(code string, severity Severity, path, message string) *Finding {
	r.findings = append(r.findings, Finding{Code: code, Severity: severity, Path: path, Message: message})
	return &r.findings[len(r.findings)-1]
}

// once is find for what would otherwise be said in every period.
func (r *rater) once(code string, severity Severity, path, message string) {
	for i := range r.findings {
		if r.findings[i].Code == code {
			return
		}
	}
	r.find(code, severity, path, message)
}

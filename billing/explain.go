package billing

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Explanation is the whole account of a rating: what was read of the CDR, which component of which tariff priced each quantity
// and which were passed over, what was rounded, limited and taxed. It stands by itself: Replay computes every figure from it
// anew. Sentence tells a customer what it comes to, Trace a clerk how it came about, and as JSON it is for the auditor.
type Explanation struct {
	Engine   string
	Policy   Policy
	TimeZone string
	Currency string

	CDR        ocpi.CiString
	SHA256     string // of the CDR as it was received, hexadecimal
	Credit     bool
	Lapsed     bool            // a reservation that never became a session
	EnergyTold bool            // some period tells energy; otherwise the total of the CDR counts
	Energy     decimal.Decimal // that total, kWh

	Tariffs []ExplainedTariff
	Periods []ExplainedPeriod // in order of time
	Steps   []ExplainedStep
	Rating  Rating
	Verdict *Verdict // of the wholesale check; nil where nothing was checked
}

// ExplainedTariff is a tariff that priced some period.
type ExplainedTariff struct {
	TariffUse
	Currency    string
	LastUpdated time.Time // of the version that was used
	ValidFrom   time.Time // zero: always
	ValidTo     time.Time // zero: for ever
	VATRate     decimal.NullDecimal
	Minimum     ExplainedLimit
	Maximum     ExplainedLimit
}

// ExplainedLimit is a minimum or maximum price; a side that is absent limits nothing.
type ExplainedLimit struct{ ExclVAT, InclVAT decimal.NullDecimal }

// ExplainedPeriod is a charging period as it was read, and the moment at its start, at which restrictions are asked (PRC-08).
type ExplainedPeriod struct {
	Index    int // in the CDR
	From, To time.Time
	Open     bool   // its end is not known
	Tariff   int    // index in Tariffs, -1 for none
	Local    string // "MONDAY 2024-01-15 17:00:00"; empty where no restriction asks for it
	KWh      decimal.Decimal
	Elapsed  decimal.Decimal // seconds since the session began

	Energy      decimal.Decimal // kWh
	Charging    decimal.Decimal // seconds
	Parking     decimal.Decimal // seconds
	Reservation decimal.Decimal // seconds
	Estimated   bool            // seconds that are not the period's length come from hours with so many decimals
	Places      int32

	Choices []ExplainedChoice
}

// ExplainedChoice is what a quantity of a period was priced by.
type ExplainedChoice struct {
	Dimension    Dimension
	Quantity     decimal.Decimal // kWh, seconds, or 1
	Off          decimal.Decimal // seconds by which it may be wrong
	Element      int             // index in the tariff's elements, -1: none holds, so it is free
	Free         bool            // the element holds and has no price for it, in a tariff of OCPI 2.1.1
	Price        decimal.Decimal // per kWh, per hour, or once
	VATRate      decimal.NullDecimal
	StepSize     int64    // Wh or seconds
	Restrictions []string // of the element, all of which held
	Passed       []ExplainedPass
}

// ExplainedPass is an element that prices the dimension and was passed over, with the first of its restrictions that failed.
type ExplainedPass struct {
	Element     int
	Restriction string // "max_kwh=20"
	Saw         string // what it was compared with; empty: it was not measured
}

// ExplainedStep is a total that was rounded up to a whole number of steps.
type ExplainedStep struct {
	Dimension Dimension
	StepSize  int64           // Wh or seconds
	Measured  decimal.Decimal // kWh or seconds
	Billed    decimal.Decimal
}

// Explain prices a CDR as Rate does, and accounts for it. raw is the CDR as it was received.
func Explain(raw []byte, cdr *ocpi.CDR, tariffs []*Tariff, zone *time.Location, p Policy) Explanation {
	var pricer Pricer
	return pricer.Explain(raw, cdr, tariffs, zone, p)
}

// Explain is the function of the same name in the memory of the pricer. What it returns stays valid.
func (p *Pricer) Explain(raw []byte, cdr *ocpi.CDR, tariffs []*Tariff, zone *time.Location, policy Policy) Explanation {
	r := &p.rater
	r.begin(cdr, tariffs, zone, &policy)
	r.tracing = true
	r.price()
	r.boundStakes()
	e := Explanation{
		Engine: EngineVersion, Policy: policy, TimeZone: r.clock.zone.String(), Currency: r.currency,
		CDR: cdr.ID, SHA256: digest(raw), Credit: cdr.Credit, Lapsed: r.lapsed,
		EnergyTold: r.energyTold, Energy: r.energyStated,
		Rating: r.rating(),
	}
	for i := range r.used {
		e.Tariffs = append(e.Tariffs, r.used[i].explain(&e.Rating.Tariffs[i]))
	}
	e.Periods = r.explainPeriods()
	for of := range pools {
		if last := r.last[of]; last > 0 && r.runs[last-1].step > 0 {
			e.Steps = append(e.Steps, r.explainStep(of))
		}
	}
	return e
}

func (t *Tariff) explain(use *TariffUse) ExplainedTariff {
	e := ExplainedTariff{
		TariffUse: *use, Currency: t.Currency, LastUpdated: t.lastUpdated, ValidFrom: t.validFrom, ValidTo: t.validTo, VATRate: t.vat,
	}
	for i := range t.limits {
		if l := &t.limits[i]; l.side < 0 {
			e.Minimum = l.stated
		} else {
			e.Maximum = l.stated
		}
	}
	return e
}

// choice is a search of a component that was made while tracing.
type choice struct {
	period    *period
	pool      pool
	list      *priceList
	at        moment
	component *component
	passFree  bool // elements without a price for it are not looked at
}

// mostPassed bounds the elements that an explanation lists as passed over. A day in quarters of an hour by a tariff with a price
// for every hour has some ten thousand; beyond the bound no figure is missing, only which elements it is not.
const mostPassed = 50_000

func (r *rater) explainPeriods() []ExplainedPeriod {
	periods := make([]ExplainedPeriod, len(r.periods))
	all := make([]ExplainedChoice, 0, len(r.choices))
	rest := r.choices
	for i := range r.periods {
		p, e := &r.periods[i], &periods[i]
		*e = ExplainedPeriod{
			Index: p.index, From: p.from, To: p.to, Open: p.open, Tariff: slices.Index(r.used, p.tariff),
			KWh: r.written.decimal(p.at.kwh), Elapsed: r.written.decimal(secondsOf(p.at.elapsed)),
			Energy: r.written.decimal(p.volume[energy]), Charging: r.written.decimal(p.volume[charging]),
			Parking: r.written.decimal(p.volume[parking]), Reservation: r.written.decimal(p.reservation),
			Estimated: p.estimated, Places: p.places,
		}
		if p.tariff != nil && p.tariff.clock {
			e.Local = p.at.local.String()
		}
		first := len(all)
		for ; len(rest) > 0 && rest[0].period == p; rest = rest[1:] {
			c, last := &rest[0], len(all)-1
			if last >= first && all[last].Dimension == poolDimension[c.pool] {
				r.take(&all[last], c) // the second list that a lapsed reservation looks into
				continue
			}
			all = append(all, r.explainChoice(c, e))
		}
		if len(all) > first {
			e.Choices = slices.Clip(all[first:])
		}
	}
	return periods
}

func (r *rater) explainChoice(c *choice, of *ExplainedPeriod) ExplainedChoice {
	e := ExplainedChoice{Dimension: poolDimension[c.pool], Quantity: of.quantity(c.pool)}
	if c.pool.timed() {
		e.Off = r.written.decimal(c.period.off(c.period.quantity(c.pool)))
	}
	r.take(&e, c)
	return e
}

// quantity is what the period adds to a pool.
func (e *ExplainedPeriod) quantity(of pool) decimal.Decimal {
	switch of {
	case sessionEnergy:
		return e.Energy
	case sessionTime:
		return e.Charging
	case sessionParking:
		return e.Parking
	case reservationTime:
		return e.Reservation
	}
	return one
}

// quantity is what a period adds to a pool.
func (p *period) quantity(of pool) number {
	switch of {
	case sessionEnergy:
		return p.volume[energy]
	case sessionTime:
		return p.volume[charging]
	case sessionParking:
		return p.volume[parking]
	case reservationTime:
		return p.reservation
	}
	return once
}

// take writes down what a search found, and what it passed over.
func (r *rater) take(e *ExplainedChoice, c *choice) {
	e.Element = -1
	for i := range c.list.components {
		component := &c.list.components[i]
		if component.free && c.passFree {
			continue
		}
		reason := component.fails(&c.at)
		if component == c.component || reason == nil {
			e.Element, e.Free, e.Restrictions = component.element, component.free, component.texts
			e.Price, e.VATRate, e.StepSize = component.unitPrice, component.vat.rate, component.step
			return
		}
		if r.passed++; r.passed > mostPassed {
			continue
		}
		e.Passed = append(e.Passed, ExplainedPass{Element: component.element, Restriction: reason.text, Saw: reason.saw(&c.at)})
	}
}

// fails is the first restriction that does not hold, or else the first that cannot be told.
func (c *component) fails(at *moment) *condition {
	var doubt *condition
	for _, cond := range c.conditions {
		switch cond.holds(at) {
		case no:
			return cond
		case unknown:
			if doubt == nil {
				doubt = cond
			}
		}
	}
	return doubt
}

// saw is what a restriction was compared with at a moment.
func (c *condition) saw(at *moment) string {
	field, _, _ := strings.Cut(c.text, "=")
	switch field {
	case "time":
		return at.local.clock()
	case "start_date", "end_date":
		return at.local.date()
	case "day_of_week":
		return string(weekdays[at.local.weekday()])
	case "min_kwh", "max_kwh":
		return at.kwh.decimal().String()
	case "min_duration", "max_duration":
		return secondsOf(at.elapsed).decimal().String()
	}
	if c.level && c.measured != nil {
		return c.measured(at.levels)
	}
	return ""
}

func (r *rater) explainStep(of pool) ExplainedStep {
	last := &r.runs[r.last[of]-1]
	var total number
	for i := range r.runs {
		if r.runs[i].pool == of {
			total = total.add(r.runs[i].measured)
		}
	}
	billed := total.sub(last.measured).add(last.billed)
	return ExplainedStep{Dimension: poolDimension[of], StepSize: last.step, Measured: r.written.decimal(total), Billed: r.written.decimal(billed)}
}

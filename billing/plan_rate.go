package billing

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// The dimensions that only our own plans have. All but Blocking reduce a price, and tell in Line.Of what they reduce.
const (
	Blocking   Dimension = "BLOCKING"      // hours, of an element that is a blocking fee
	Allowed    Dimension = "ALLOWANCE"     // free in this month: kWh, hours, or once for a session
	Capped     Dimension = "CAP"           // what is above the most that some dimensions may cost
	Discounted Dimension = "DISCOUNT"      // in Line.Name
	Promised   Dimension = "PRICE_PROMISE" // what is above the price that was shown when the session was authorised
	Redeemed   Dimension = "VOUCHER"       // in Line.Name
)

// Retail is a plan made ready for pricing. It never changes, and may be used by many goroutines.
type Retail struct {
	Plan
	tariffs []*Tariff // one
	cutter  cutter
}

// NewRetail compiles a plan that ParsePlan has read.
func NewRetail(p Plan) *Retail {
	tariff, _ := p.Compile()
	return &Retail{Plan: p, tariffs: []*Tariff{tariff}, cutter: newCutter(&p.Tariff)}
}

// Rate prices a session as the customer pays it: by the plan's tariff, less what is still free in this month, held at the
// plan's caps, less its discounts; each as a line of its own. Nothing makes a price negative.
//
// left tells, by the ID of an allowance, what the contract has left of it in the month of the session's start; one that is
// absent is untouched. used tells in the same way what the session takes of them. Both are in the allowance's unit.
//
// A minimum or maximum price of the tariff is about the session before any of this.
func (p *Retail) Rate(cdr *ocpi.CDR, zone *time.Location, at *ChargePoint, left map[string]decimal.Decimal) (r Rating, used map[string]decimal.Decimal) {
	var pricer Pricer
	finer, estimated := p.cutter.cut(cdr, zone)
	pricer.Price(finer, p.tariffs, zone, DefaultPolicy)
	r = pricer.Rating()
	if estimated.IsPositive() {
		r.Findings = append(r.Findings, apportioned(&r, estimated))
	}
	return r, p.reduce(&r, cdr, at, left)
}

// Total is what Rate comes to, for work on many sessions: it keeps its memory in the pricer, and looks at single lines only where
// something reduces them.
func (p *Retail) Total(pricer *Pricer, cdr *ocpi.CDR, zone *time.Location, at *ChargePoint, left map[string]decimal.Decimal) (total Amount, used map[string]decimal.Decimal) {
	finer, _ := p.cutter.cut(cdr, zone)
	total = pricer.Price(finer, p.tariffs, zone, DefaultPolicy)
	if !p.reduces() || len(p.Allowances)+len(p.Discounts) == 0 && !p.mayCap(pricer) {
		return total, nil
	}
	r := pricer.Rating()
	used = p.reduce(&r, cdr, at, left)
	return r.Total, used
}

// reduces reports whether the plan has anything that reduces the price of its tariff.
func (p *Retail) reduces() bool { return len(p.Allowances)+len(p.Caps)+len(p.Discounts) > 0 }

// mayCap reports whether something was priced that a cap is about.
func (p *Retail) mayCap(pricer *Pricer) bool {
	for i := range pricer.rater.runs {
		run := &pricer.rater.runs[i]
		dim := poolDimension[run.pool]
		if (dim == Time || dim == ParkingTime) && p.Blocking[run.component.element] {
			dim = Blocking
		}
		for k := range p.Caps {
			if slices.Contains(p.Caps[k].Of, dim) {
				return true
			}
		}
	}
	return false
}

// reduce takes off what the plan reduces.
func (p *Retail) reduce(r *Rating, cdr *ocpi.CDR, at *ChargePoint, left map[string]decimal.Decimal) (used map[string]decimal.Decimal) {
	p.nameBlocking(r)
	if cdr.Credit || !p.reduces() {
		return nil
	}
	a := newReducer(r)
	for i := range p.Allowances {
		free := &p.Allowances[i]
		remaining, drawn := left[free.ID]
		if !drawn {
			remaining = free.Quantity
		}
		if !remaining.IsPositive() || !free.Where.Holds(at) {
			continue
		}
		if took := a.free(free, remaining); took.IsPositive() {
			if used == nil {
				used = map[string]decimal.Decimal{}
			}
			used[free.ID] = took
		}
	}
	for i := range p.Caps {
		c := &p.Caps[i]
		a.reduce(Capped, "", c.Of, a.cost(c.Of).Sub(c.Max))
	}
	for i := range p.Discounts {
		d := &p.Discounts[i]
		if start := known(cdr.StartDateTime); start.Before(d.From) || !d.To.IsZero() && !start.Before(d.To) {
			continue
		}
		off := d.Amount
		if d.Percent.IsPositive() {
			off = decimal.Min(a.cost(d.Of), a.total).Mul(d.Percent).Shift(-2)
		}
		a.reduce(Discounted, d.Name, d.Of, off)
	}
	return used
}

// nameBlocking calls the times of a blocking fee what they are.
func (p *Retail) nameBlocking(r *Rating) {
	for i := range r.Lines {
		l := &r.Lines[i]
		if (l.Dimension == Time || l.Dimension == ParkingTime) && l.Element >= 0 && p.Blocking[l.Element] {
			l.Dimension = Blocking
		}
	}
}

// apportioned says that the price depends on when energy flowed, which was not measured, and bounds what hangs on it.
func apportioned(r *Rating, energy decimal.Decimal) Finding {
	var cheapest, dearest decimal.NullDecimal
	for i := range r.Lines {
		if l := &r.Lines[i]; l.Dimension == Energy {
			if !cheapest.Valid || l.Price.LessThan(cheapest.Decimal) {
				cheapest = decimal.NewNullDecimal(l.Price)
			}
			if !dearest.Valid || l.Price.GreaterThan(dearest.Decimal) {
				dearest = decimal.NewNullDecimal(l.Price)
			}
		}
	}
	severity := Flag
	if cheapest.Decimal.Equal(dearest.Decimal) {
		severity = Info
	}
	return Finding{
		Code: "energy-apportioned", Severity: severity, Path: "charging_periods",
		Message: "the plan's price of energy changes within a period; its energy is divided evenly over the time of charging",
		Params: map[string]string{
			"energy": energy.String(), "cheapest": energy.Mul(cheapest.Decimal).String(), "dearest": energy.Mul(dearest.Decimal).String(),
		},
	}
}

// reducer takes parts of a price off, on the side that was promised, and keeps both sides, the shares of VAT and what is left
// of each line in step.
type reducer struct {
	r        *Rating
	included bool
	lines    int               // of the tariff; those behind are reductions
	rest     []decimal.Decimal // of each of them, on the promised side
	total    decimal.Decimal   // the promised side
}

func newReducer(r *Rating) *reducer {
	a := &reducer{r: r, lines: len(r.Lines), rest: make([]decimal.Decimal, len(r.Lines))}
	for i := range r.Lines {
		a.included = r.Lines[i].TaxIncluded
		a.rest[i] = a.promised(&r.Lines[i])
	}
	a.total = r.Total.ExclVAT
	if a.included {
		a.total = r.Total.InclVAT
	}
	return a
}

func (a *reducer) promised(l *Line) decimal.Decimal {
	if a.included {
		return l.InclVAT
	}
	return l.ExclVAT
}

// cost is what the lines of some dimensions still cost.
func (a *reducer) cost(of []Dimension) decimal.Decimal {
	sum := decimal.Zero
	for i := range a.rest {
		if slices.Contains(of, a.r.Lines[i].Dimension) {
			sum = sum.Add(a.rest[i])
		}
	}
	return sum
}

// free makes what an allowance has left free and returns what it took of that.
func (a *reducer) free(allowance *PlanAllowance, left decimal.Decimal) decimal.Decimal {
	if allowance.Unit == FreeSessions {
		if left.LessThan(one) || !a.reduce(Allowed, "", allowance.Of, a.cost(allowance.Of)) {
			return decimal.Zero
		}
		return one
	}
	perUnit := one // of the line's unit in the allowance's
	if allowance.Unit == FreeMinutes {
		perUnit = sixty
	}
	took := decimal.Zero
	for i := range a.lines {
		l := &a.r.Lines[i]
		if !slices.Contains(allowance.Of, l.Dimension) || !l.Price.IsPositive() || !l.Quantity.IsPositive() || !a.rest[i].IsPositive() || !a.total.IsPositive() {
			continue
		}
		here := left.Sub(took)
		quantity, counted := l.Quantity, l.Quantity.Mul(perUnit).Round(4)
		amount := a.rest[i]
		if counted.GreaterThan(here) {
			counted = here
			quantity = here.DivRound(perUnit, amountPlaces)
			amount = decimal.Min(amount, here.Mul(l.Price).DivRound(perUnit, amountPlaces))
		}
		if amount.GreaterThan(a.total) { // a maximum price holds the session below the sum of its lines
			amount = a.total
			quantity = amount.DivRound(l.Price, 4)
			counted = decimal.Min(counted, quantity.Mul(perUnit).Round(4))
		}
		if !counted.IsPositive() {
			break
		}
		a.rest[i] = a.rest[i].Sub(amount)
		a.add(Line{
			Dimension: Allowed, Of: []Dimension{l.Dimension}, Measured: quantity, Quantity: quantity, Unit: l.Unit, Price: l.Price, VATRate: l.VATRate,
			TariffID: l.TariffID, TaxIncluded: l.TaxIncluded, Element: -1, From: l.From, To: l.To,
		}, amount)
		took = took.Add(counted)
	}
	return took
}

// reduce takes an amount off the lines of some dimensions, at most what they cost and at most all that is left to pay; each
// rate of VAT among them in proportion. It reports whether anything was taken off.
func (a *reducer) reduce(kind Dimension, name string, of []Dimension, amount decimal.Decimal) bool {
	sum := a.cost(of)
	amount = decimal.Min(amount, sum, a.total)
	if !amount.IsPositive() {
		return false
	}
	type group struct {
		rate decimal.NullDecimal
		sum  decimal.Decimal
		of   []Dimension
	}
	var groups []group
	for i := range a.lines {
		l := &a.r.Lines[i]
		if !slices.Contains(of, l.Dimension) || a.rest[i].IsZero() {
			continue
		}
		at := slices.IndexFunc(groups, func(g group) bool { return sameNumber(g.rate, l.VATRate) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, group{rate: l.VATRate})
		}
		g := &groups[at]
		g.sum = g.sum.Add(a.rest[i])
		if !slices.Contains(g.of, l.Dimension) {
			g.of = append(g.of, l.Dimension)
		}
		a.rest[i] = a.rest[i].Sub(a.rest[i].Mul(amount).DivRound(sum, workPlaces))
	}
	left := amount
	for i, g := range groups {
		part := left
		if i+1 < len(groups) {
			part = amount.Mul(g.sum).DivRound(sum, amountPlaces)
		}
		left = left.Sub(part)
		if part.IsZero() {
			continue
		}
		a.add(Line{
			Dimension: kind, Of: g.of, Name: name, Measured: one, Quantity: one, Unit: Once, Price: part.Neg(), VATRate: g.rate,
			TariffID: a.r.Lines[0].TariffID, TaxIncluded: a.included, Element: -1,
		}, part)
	}
	return true
}

// reduceAll is reduce for the price as a whole, in which limits and earlier reductions have their part.
func (a *reducer) reduceAll(kind Dimension, name string, amount decimal.Decimal) bool {
	amount = decimal.Min(amount, a.total)
	if !amount.IsPositive() {
		return false
	}
	shares, whole, left := slices.Clone(a.r.VAT), a.total, amount
	for i := range shares {
		share := shares[i].ExclVAT
		if a.included {
			share = shares[i].InclVAT
		}
		part := left
		if i+1 < len(shares) {
			part = amount.Mul(share).DivRound(whole, amountPlaces)
		}
		left = left.Sub(part)
		if part.IsZero() {
			continue
		}
		a.add(Line{
			Dimension: kind, Name: name, Measured: one, Quantity: one, Unit: Once, Price: part.Neg(), VATRate: shares[i].Rate,
			TariffID: a.r.Lines[0].TariffID, TaxIncluded: a.included, Element: -1,
		}, part)
	}
	return true
}

// add appends a line that takes the amount off the promised side, and what belongs to it off the other.
func (a *reducer) add(l Line, amount decimal.Decimal) {
	l.ExclVAT, l.InclVAT = amount.Neg(), amount.Neg()
	if l.VATRate.Valid {
		percent := hundred.Add(l.VATRate.Decimal)
		if a.included {
			l.ExclVAT = amount.Mul(hundred).DivRound(percent, amountPlaces).Neg()
		} else {
			l.InclVAT = amount.Mul(percent).Shift(-2).Round(amountPlaces).Neg()
		}
	}
	if a.total = a.total.Sub(amount); a.total.IsZero() { // so is the other side, whatever its parts were rounded by
		l.ExclVAT, l.InclVAT = a.r.Total.ExclVAT.Neg(), a.r.Total.InclVAT.Neg()
	}
	off := Amount{ExclVAT: l.ExclVAT, InclVAT: l.InclVAT}
	a.r.Total = a.r.Total.plus(off)
	at := slices.IndexFunc(a.r.VAT, func(v VATShare) bool { return sameNumber(v.Rate, l.VATRate) })
	if at < 0 {
		at = len(a.r.VAT)
		a.r.VAT = append(a.r.VAT, VATShare{Rate: l.VATRate})
	}
	a.r.VAT[at].Amount = a.r.VAT[at].plus(off)
	a.r.Lines = append(a.r.Lines, l)
	if a.total.IsZero() {
		for i := range a.r.VAT {
			a.r.VAT[i].Amount = Amount{}
		}
	}
}

func (a Amount) plus(b Amount) Amount {
	return Amount{ExclVAT: a.ExclVAT.Add(b.ExclVAT), InclVAT: a.InclVAT.Add(b.InclVAT)}
}

package billing

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// cost is an amount in 3600ths of the currency unit. Seconds times a price per hour are exact there, so that nothing has to
// be divided, and thereby rounded, before the end.
type cost struct{ excl, incl decimal.Decimal }

func (c cost) add(other cost) cost { return cost{c.excl.Add(other.excl), c.incl.Add(other.incl)} }
func (c cost) sub(other cost) cost { return cost{c.excl.Sub(other.excl), c.incl.Sub(other.incl)} }

// vatCost is the part of a cost that bears one rate of VAT. An absent rate differs from zero (PRC-28).
type vatCost struct {
	rate decimal.NullDecimal
	cost
}

// rating closes the pricing: costs of the runs, sums, limits, VAT, and the one rounding.
func (r *rater) rating() Rating {
	out := Rating{
		Currency: r.cdr.Currency,
		Slack:    r.policy.amount(r.slack),
		Policy:   r.policy.Name,
		TimeZone: r.zone.String(),
		Engine:   EngineVersion,
	}
	var sums [pools]cost
	for of := range r.runs {
		for i := range r.runs[of] {
			run := &r.runs[of][i]
			c := run.cost(pool(of))
			sums[of] = sums[of].add(c)
			out.Lines = append(out.Lines, r.line(pool(of), run, c))
		}
	}
	out.Fixed = r.figure(sums[sessionFlat])
	out.Energy = r.figure(sums[sessionEnergy])
	out.Time = r.figure(sums[sessionTime])
	out.Parking = r.figure(sums[sessionParking])
	out.Reservation = r.figure(sums[reservationFlat].add(sums[reservationTime]))
	out.TotalEnergy, out.TotalTime, out.TotalParkingTime = r.quantities()

	var total cost
	var vat []vatCost
	for i, t := range r.tariffsUsed() {
		if i == 0 {
			out.Currency = cmp.Or(t.Currency, r.cdr.Currency)
		} else if t.Currency != "" && t.Currency != out.Currency {
			r.find("currencies-mixed", Block, "tariffs", "the tariffs of the session are in different currencies")
		}
		out.Tariffs = append(out.Tariffs, TariffUse{ID: t.ID, Hash: t.Hash, TaxIncluded: t.TaxIncluded})
		share, rates := r.share(t)
		limited := r.limit(t, share, rates)
		if adjustment, ok := r.limitLine(t, limited.sub(share)); ok {
			out.Lines = append(out.Lines, adjustment)
		}
		for _, v := range spreadVAT(rates, share, limited) {
			vat = addVAT(vat, v)
		}
		total = total.add(limited)
	}
	if r.cdr.Credit { // CDR-10: only the total changes its sign
		total = cost{total.excl.Neg(), total.incl.Neg()}
		for i := range vat {
			vat[i].cost = cost{vat[i].excl.Neg(), vat[i].incl.Neg()}
		}
	}
	out.Total = r.figure(total)
	out.VAT = r.vatShares(vat, out.Total)
	out.Findings = r.findings
	return out
}

// cost prices what was billed of a run.
func (run *run) cost(of pool) cost {
	amount := run.billed.Mul(run.component.price)
	if of != sessionTime && of != sessionParking && of != reservationTime {
		amount = amount.Mul(secondsPerHour)
	}
	return withVAT(amount, run.component.vat, run.tariff.TaxIncluded)
}

// withVAT completes an amount by its other side. The side that was given stays exact.
func withVAT(amount decimal.Decimal, rate decimal.NullDecimal, included bool) cost {
	if !rate.Valid || rate.Decimal.IsZero() {
		return cost{amount, amount}
	}
	percent := hundred.Add(rate.Decimal)
	if included {
		return cost{excl: amount.Mul(hundred).DivRound(percent, workPlaces), incl: amount}
	}
	return cost{excl: amount, incl: amount.Mul(percent).Shift(-2)}
}

// share is what one tariff makes of the session, and the part of each rate of VAT in it.
func (r *rater) share(t *Tariff) (cost, []vatCost) {
	var sum cost
	var rates []vatCost
	for of := range r.runs {
		for i := range r.runs[of] {
			run := &r.runs[of][i]
			if run.tariff != t {
				continue
			}
			c := run.cost(pool(of))
			sum = sum.add(c)
			rates = addVAT(rates, vatCost{run.component.vat, c})
		}
	}
	return sum, rates
}

func addVAT(to []vatCost, v vatCost) []vatCost {
	for i := range to {
		if to[i].rate.Valid == v.rate.Valid && to[i].rate.Decimal.Equal(v.rate.Decimal) {
			to[i].cost = to[i].add(v.cost)
			return to
		}
	}
	return append(to, v)
}

// limit holds a tariff's share of the session within its minimum and maximum price. The two sides are limited independently
// (PRC-29). A side that the limit does not state follows the other in the proportion that the two had (PRC-30), but not over
// what the other limit states; of a tariff whose prices include VAT, the side without follows.
func (r *rater) limit(t *Tariff, share cost, rates []vatCost) cost {
	limited := share
	bounds := []bound{newBound(t, t.minimum, -1), newBound(t, t.maximum, 1)}
	for _, b := range bounds {
		switch {
		case !b.incl.Valid && b.hits(limited.excl, b.excl):
			limited.excl = b.excl.Decimal
			limited.incl = scale(limited.excl, share.excl, share.incl, t.onlyRate(rates), false)
			r.once("limit-scaled", Info, "tariffs", "a limit binds that is not stated with VAT; that side was scaled and cannot be verified (PRC-30)")
		case !b.excl.Valid && b.hits(limited.incl, b.incl):
			limited.incl = b.incl.Decimal
			limited.excl = scale(limited.incl, share.incl, share.excl, t.onlyRate(rates), true)
		}
	}
	for _, b := range bounds {
		if b.hits(limited.excl, b.excl) {
			limited.excl = b.excl.Decimal
		}
		if b.hits(limited.incl, b.incl) {
			limited.incl = b.incl.Decimal
		}
	}
	return limited
}

// bound is a limit in the unit of a cost.
type bound struct {
	excl, incl decimal.NullDecimal
	side       int // of Cmp that violates the limit
}

func newBound(t *Tariff, price *ocpi.Price, side int) bound {
	b := bound{side: side}
	if price == nil {
		return b
	}
	b.excl, b.incl = price.ExclVAT, price.InclVAT
	if t.TaxIncluded && b.incl.Valid {
		b.excl.Valid = false
	}
	b.excl.Decimal, b.incl.Decimal = b.excl.Decimal.Mul(secondsPerHour), b.incl.Decimal.Mul(secondsPerHour)
	return b
}

func (b bound) hits(amount decimal.Decimal, limit decimal.NullDecimal) bool {
	return limit.Valid && amount.Cmp(limit.Decimal) == b.side
}

// scale returns the side that belongs to value if from and to are the sides that belong together. Of nothing there is no
// proportion, so the rate of VAT has to tell.
func scale(value, from, to decimal.Decimal, rate decimal.NullDecimal, included bool) decimal.Decimal {
	if !from.IsZero() {
		return value.Mul(to).DivRound(from, workPlaces)
	}
	c := withVAT(value, rate, included)
	if included {
		return c.excl
	}
	return c.incl
}

// onlyRate returns the rate of VAT that a tariff bears if it has only one. It explains the tax in a minimum price for a
// session in which nothing was priced.
func (t *Tariff) onlyRate(rates []vatCost) decimal.NullDecimal {
	if len(rates) == 1 {
		return rates[0].rate
	}
	return t.vat
}

func (r *rater) limitLine(t *Tariff, by cost) (Line, bool) {
	name := MinPrice
	switch {
	case by.excl.IsZero() && by.incl.IsZero():
		return Line{}, false
	case by.excl.IsNegative(), by.excl.IsZero() && by.incl.IsNegative():
		name = MaxPrice
	}
	line := Line{
		Dimension: name, Measured: one, Quantity: one, Unit: Once, Price: r.policy.amount(by.excl), VATRate: t.vat,
		ExclVAT: r.policy.amount(by.excl), InclVAT: r.policy.amount(by.incl), TariffID: t.ID, TaxIncluded: t.TaxIncluded, Element: -1,
	}
	if t.TaxIncluded {
		line.Price = line.InclVAT
	}
	return line, true
}

// spreadVAT distributes what a limit changed over the rates of VAT in proportion. Where there is nothing to be in proportion
// to, the change is a share of its own.
func spreadVAT(rates []vatCost, from, to cost) []vatCost {
	if from.excl.Equal(to.excl) && from.incl.Equal(to.incl) {
		return rates
	}
	if from.excl.IsZero() || from.incl.IsZero() {
		rest := vatCost{cost: to.sub(from)}
		if len(rates) == 1 {
			rest.rate = rates[0].rate
		}
		return addVAT(slices.Clone(rates), rest)
	}
	scaled := make([]vatCost, len(rates))
	for i, v := range rates {
		scaled[i] = vatCost{v.rate, cost{
			v.excl.Mul(to.excl).DivRound(from.excl, workPlaces),
			v.incl.Mul(to.incl).DivRound(from.incl, workPlaces),
		}}
	}
	return scaled
}

// vatShares rounds the shares, the largest so that both sides sum exactly to the total.
func (r *rater) vatShares(vat []vatCost, total Amount) []VATShare {
	shares := make([]VATShare, len(vat))
	rest := total
	largest := 0
	for i, v := range vat {
		shares[i] = VATShare{Rate: v.rate, Amount: r.figure(v.cost)}
		rest.ExclVAT = rest.ExclVAT.Sub(shares[i].ExclVAT)
		rest.InclVAT = rest.InclVAT.Sub(shares[i].InclVAT)
		if shares[i].ExclVAT.Abs().GreaterThan(shares[largest].ExclVAT.Abs()) {
			largest = i
		}
	}
	if len(shares) > 0 {
		shares[largest].ExclVAT = shares[largest].ExclVAT.Add(rest.ExclVAT)
		shares[largest].InclVAT = shares[largest].InclVAT.Add(rest.InclVAT)
	}
	slices.SortFunc(shares, func(a, b VATShare) int {
		return cmp.Or(a.Rate.Decimal.Cmp(b.Rate.Decimal), boolCompare(a.Rate.Valid, b.Rate.Valid))
	})
	return shares
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// line writes a run down as it is explained and printed.
func (r *rater) line(of pool, run *run, c cost) Line {
	l := Line{
		Dimension: poolDimension[of], Measured: run.measured, Quantity: run.billed, Unit: Once,
		Price: run.component.price, VATRate: run.component.vat,
		ExclVAT: r.policy.amount(c.excl), InclVAT: r.policy.amount(c.incl),
		TariffID: run.tariff.ID, TaxIncluded: run.tariff.TaxIncluded,
		Element: run.component.element, Restrictions: run.component.texts, StepSize: run.step,
		From: run.from, To: run.to,
	}
	switch of {
	case sessionEnergy:
		l.Unit = KWh
	case sessionTime, sessionParking, reservationTime:
		l.Unit = Hour
		l.Measured, l.Quantity = hoursOf(run.measured), hoursOf(run.billed)
	}
	return l
}

func (r *rater) figure(c cost) Amount {
	return Amount{ExclVAT: r.policy.amount(c.excl), InclVAT: r.policy.amount(c.incl)}
}

// quantities returns the energy in kWh (as the CDR states it where no period does), and the connected and the parking time in hours. A period that tells no time was
// connected for as long as it lasted; where the periods tell times, those count, unless they agree with the clock within
// their precision (PRC-14).
func (r *rater) quantities() (kwh, connected, parked decimal.Decimal) {
	var told, bounds, silent decimal.Decimal
	tolerance := time.Duration(0)
	for i := range r.periods {
		p := &r.periods[i]
		kwh = kwh.Add(p.volume[energy])
		parked = parked.Add(p.volume[parking])
		length := secondsOf(p.to.Sub(p.from))
		switch used := p.volume[charging].Add(p.volume[parking]); {
		case !p.isSession(), r.lapsed:
		case used.IsZero():
			silent = silent.Add(decimal.Max(length.Sub(p.reservation), decimal.Zero))
		case p.open:
			told, bounds = told.Add(used), bounds.Add(used)
		default:
			told, bounds = told.Add(used), bounds.Add(length)
			tolerance += coarse
		}
	}
	if !tells(r.cdr, ocpi.DimensionEnergy) && sane(r.cdr.TotalEnergy.Decimal) {
		kwh = r.cdr.TotalEnergy.Decimal // a CPO that bills by time need not say when the energy flowed
	}
	if told.Sub(bounds).Abs().LessThanOrEqual(secondsOf(tolerance)) {
		told = bounds
	}
	return kwh, hoursOf(told.Add(silent)), hoursOf(parked)
}

package billing

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// cost is an amount in 3600ths of the currency unit. Seconds times a price per hour are exact there, so that nothing has to
// be divided, and thereby rounded, before the end.
type cost struct{ excl, incl number }

func (c cost) add(other cost) cost { return cost{c.excl.add(other.excl), c.incl.add(other.incl)} }
func (c cost) sub(other cost) cost { return cost{c.excl.sub(other.excl), c.incl.sub(other.incl)} }
func (c cost) neg() cost           { return cost{c.excl.neg(), c.incl.neg()} }

// grow adds to a cost in place.
func (c *cost) grow(by *cost) { c.excl, c.incl = c.excl.add(by.excl), c.incl.add(by.incl) }

func (c cost) equal(other cost) bool {
	return c.excl.equal(other.excl) && c.incl.equal(other.incl)
}

// vatCost is the part of a cost that bears one rate of VAT. An absent rate differs from zero (PRC-28).
type vatCost struct {
	rate decimal.NullDecimal
	cost
}

// limitEffect is what a minimum or maximum price changed in a tariff's share of the session.
type limitEffect struct {
	tariff *Tariff
	by     cost
}

// settle closes the pricing: costs of the runs, sums, limits and VAT, none of them rounded.
func (r *rater) settle() {
	for i := range r.runs {
		run := &r.runs[i]
		amount := run.billed.mul(run.component.price)
		if !run.pool.timed() {
			amount = amount.mul(secondsPerHour)
		}
		run.cost = run.component.vat.complete(amount, run.tariff.TaxIncluded)
		if r.policy.RoundLines {
			run.cost = cost{r.policy.amount(run.cost.excl).mul(secondsPerHour), r.policy.amount(run.cost.incl).mul(secondsPerHour)}
		}
		r.sums[run.pool].grow(&run.cost)
	}
	for i, t := range r.used {
		if i > 0 && t.Currency != "" && t.Currency != r.currency {
			r.find("currencies-mixed", Block, "tariffs", "the tariffs of the session are in different currencies")
		}
		r.settleTariff(t)
	}
	if r.credit { // CDR-10: only the total changes its sign
		r.total = r.total.neg()
		for i := range r.vat {
			r.vat[i].cost = r.vat[i].neg()
		}
	}
}

// settleTariff adds what one tariff makes of the session, within the limits of that tariff, to the total.
func (r *rater) settleTariff(t *Tariff) {
	var share cost
	rates := r.rates[:0]
	for i := range r.runs {
		if run := &r.runs[i]; run.tariff == t {
			share.grow(&run.cost)
			rates = addVAT(rates, run.component.vat.rate, &run.cost)
		}
	}
	r.rates = rates
	if len(t.limits) > 0 && !r.policy.NoLimits {
		if limited := r.limit(t, share, rates); !limited.equal(share) {
			r.limits = append(r.limits, limitEffect{t, limited.sub(share)})
			rates = t.spreadVAT(rates, share, limited)
			share = limited
		}
	}
	r.total.grow(&share)
	if len(r.vat) == 0 {
		r.vat, r.rates = rates, r.vat
		return
	}
	for i := range rates {
		r.vat = addVAT(r.vat, rates[i].rate, &rates[i].cost)
	}
}

// vatRate is a rate of VAT, ready to compute with.
type vatRate struct {
	rate    decimal.NullDecimal // percent
	taxed   bool                // it is not nothing
	percent number              // 100 and the rate
}

func vatRateOf(rate decimal.NullDecimal) vatRate {
	return vatRate{rate, rate.Valid && !rate.Decimal.IsZero(), integer(100, 0).add(numberOf(rate.Decimal))}
}

// complete adds to an amount its other side. The side that was given stays exact.
func (v *vatRate) complete(amount number, included bool) cost {
	switch {
	case !v.taxed:
		return cost{amount, amount}
	case included:
		return cost{excl: amount.shift(2).quo(v.percent, workPlaces), incl: amount}
	}
	return cost{excl: amount, incl: amount.mul(v.percent).shift(-2)}
}

// sameNumber tells an absent number from zero, and not 19 from 19.0.
func sameNumber(a, b decimal.NullDecimal) bool {
	return a.Valid == b.Valid && a.Decimal.Equal(b.Decimal)
}

func addVAT(to []vatCost, rate decimal.NullDecimal, c *cost) []vatCost {
	for i := range to {
		if sameNumber(to[i].rate, rate) {
			to[i].grow(c)
			return to
		}
	}
	return append(to, vatCost{rate, *c})
}

// limit holds a tariff's share of the session within its minimum and maximum price. The two sides are limited independently
// (PRC-29). A side that the limit does not state follows the other in the proportion that the two had (PRC-30), but not over
// what the other limit states; of a tariff whose prices include VAT, the side without follows.
func (r *rater) limit(t *Tariff, share cost, rates []vatCost) cost {
	limited := share
	for i := range t.limits {
		switch l := &t.limits[i]; {
		case !l.hasIncl && l.hitsExcl(limited):
			limited.excl = l.excl
			limited.incl = scale(limited.excl, share.excl, share.incl, t.onlyRate(rates), false)
			if !r.found("limit-scaled") {
				r.find("limit-scaled", Info, "tariffs", "a limit binds that is not stated with VAT; that side was scaled and cannot be verified (PRC-30)")
			}
		case !l.hasExcl && l.hitsIncl(limited):
			limited.incl = l.incl
			limited.excl = scale(limited.incl, share.incl, share.excl, t.onlyRate(rates), true)
		}
	}
	for i := range t.limits {
		l := &t.limits[i]
		if l.hitsExcl(limited) {
			limited.excl = l.excl
		}
		if l.hitsIncl(limited) {
			limited.incl = l.incl
		}
	}
	return limited
}

// scale returns the side that belongs to value if from and to are the sides that belong together. Of nothing there is no
// proportion, so the rate of VAT has to tell.
func scale(value, from, to number, rate decimal.NullDecimal, included bool) number {
	if !from.isZero() {
		return value.mul(to).quo(from, workPlaces)
	}
	vat := vatRateOf(rate)
	c := vat.complete(value, included)
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

// spreadVAT distributes what a limit changed over the rates of VAT in proportion. Where there is nothing to be in proportion
// to, the change is a share of its own: at the only rate that the tariff bears, unless that does not explain its tax.
func (t *Tariff) spreadVAT(rates []vatCost, from, to cost) []vatCost {
	switch {
	case len(rates) == 1:
		return []vatCost{{rates[0].rate, to}}
	case from.excl.isZero() || from.incl.isZero():
		rate, rest := t.vat, to.sub(from)
		if !explains(rate, rest) {
			rate = decimal.NullDecimal{}
		}
		return addVAT(slices.Clone(rates), rate, &rest)
	}
	scaled := make([]vatCost, len(rates))
	for i, v := range rates {
		scaled[i] = vatCost{v.rate, cost{
			v.excl.mul(to.excl).quo(from.excl, workPlaces),
			v.incl.mul(to.incl).quo(from.incl, workPlaces),
		}}
	}
	return scaled
}

// explains reports whether the two sides of a limit are a rate of VAT apart, as far as a limit in cents can be.
func explains(rate decimal.NullDecimal, c cost) bool {
	vat := vatRateOf(rate)
	off := vat.complete(c.excl, false).incl.sub(c.incl)
	return off.abs().cmp(secondsPerHour.shift(-2)) <= 0
}

// rating writes the pricing down, and rounds.
func (r *rater) rating() Rating {
	r.written = writer{}
	out := Rating{
		Currency: r.currency,
		Total:    r.figure(r.total),
		Fixed:    r.figure(r.sums[sessionFlat]), Energy: r.figure(r.sums[sessionEnergy]),
		Time: r.figure(r.sums[sessionTime]), Parking: r.figure(r.sums[sessionParking]),
		Reservation: r.figure(r.sums[reservationFlat].add(r.sums[reservationTime])),
		Lines:       r.lines(),
		Findings:    append([]Finding(nil), r.findings...),
		Slack:       r.written.decimal(r.policy.amount(r.slack)),
		Policy:      r.policy.Name, TimeZone: r.clock.zone.String(), Engine: EngineVersion,
	}
	out.TotalEnergy, out.TotalTime, out.TotalParkingTime = r.quantities()
	out.VAT = r.vatShares(out.Total)
	for _, t := range r.used {
		out.Tariffs = append(out.Tariffs, TariffUse{ID: t.ID, Hash: t.Hash, TaxIncluded: t.TaxIncluded})
	}
	return out
}

// figure rounds a cost and writes it down.
func (r *rater) figure(c cost) Amount { return r.write(r.round(c)) }

// round turns 3600ths of the currency unit into figures.
func (r *rater) round(c cost) cost {
	if c == (cost{}) { // as often as not
		return c
	}
	excl := r.policy.amount(c.excl)
	if c.excl == c.incl {
		return cost{excl, excl}
	}
	return cost{excl, r.policy.amount(c.incl)}
}

func (r *rater) write(figure cost) Amount {
	return Amount{ExclVAT: r.written.decimal(figure.excl), InclVAT: r.written.decimal(figure.incl)}
}

// lines are in the order of the pools, and of time in each; the effects of limits are the last.
func (r *rater) lines() []Line {
	if len(r.runs)+len(r.limits) == 0 {
		return nil
	}
	lines := make([]Line, 0, len(r.runs)+len(r.limits))
	for of := range pools {
		for i := range r.runs {
			if r.runs[i].pool == of {
				lines = append(lines, Line{})
				r.line(&r.runs[i], &lines[len(lines)-1])
			}
		}
	}
	for i := range r.limits {
		lines = append(lines, r.limitLine(&r.limits[i]))
	}
	return lines
}

// line writes a run down as it is explained and printed.
func (r *rater) line(run *run, l *Line) {
	amount := r.figure(run.cost)
	*l = Line{
		Dimension: poolDimension[run.pool], Unit: Once,
		Price: run.component.unitPrice, VATRate: run.component.vat.rate,
		ExclVAT: amount.ExclVAT, InclVAT: amount.InclVAT,
		TariffID: run.tariff.ID, TaxIncluded: run.tariff.TaxIncluded,
		Element: run.component.element, Restrictions: run.component.texts, StepSize: run.step,
		From: run.from, To: run.to,
	}
	shown := r.written.decimal
	switch {
	case run.pool == sessionEnergy:
		l.Unit = KWh
	case run.pool.timed():
		l.Unit, shown = Hour, r.written.hours
	}
	l.Measured = shown(run.measured)
	l.Quantity = l.Measured
	if run.billed != run.measured {
		l.Quantity = shown(run.billed)
	}
}

func (r *rater) limitLine(effect *limitEffect) Line {
	name, t, amount := MinPrice, effect.tariff, r.figure(effect.by)
	if sign := effect.by.excl.sign(); sign < 0 || sign == 0 && effect.by.incl.isNegative() {
		name = MaxPrice
	}
	line := Line{
		Dimension: name, Measured: one, Quantity: one, Unit: Once, Price: amount.ExclVAT, VATRate: t.vat,
		ExclVAT: amount.ExclVAT, InclVAT: amount.InclVAT, TariffID: t.ID, TaxIncluded: t.TaxIncluded, Element: -1,
	}
	if t.TaxIncluded {
		line.Price = line.InclVAT
	}
	return line
}

// vatShares rounds the shares, the largest so that both sides sum exactly to the total.
func (r *rater) vatShares(total Amount) []VATShare {
	if len(r.vat) == 0 {
		return nil
	}
	if len(r.vat) == 1 {
		return []VATShare{{r.vat[0].rate, total}}
	}
	shares := make([]VATShare, len(r.vat))
	rest := r.round(r.total)
	var largest cost
	at := 0
	for i := range r.vat {
		share := r.round(r.vat[i].cost)
		rest = rest.sub(share)
		shares[i] = VATShare{Rate: r.vat[i].rate, Amount: r.write(share)}
		if i == 0 || share.excl.abs().cmp(largest.excl.abs()) > 0 {
			at, largest = i, share
		}
	}
	shares[at].Amount = r.write(largest.add(rest))
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

// quantities returns the energy in kWh (as the CDR states it where no period does), and the connected and the parking time
// in hours. A period that tells no time was connected for as long as it lasted; where the periods tell times, those count,
// unless they agree with the clock within their precision (PRC-14).
func (r *rater) quantities() (kwh, connected, parked decimal.Decimal) {
	var charged, told, bounds, silent, still number
	tolerance := time.Duration(0)
	for i := range r.periods {
		p := &r.periods[i]
		charged = charged.add(p.volume[energy])
		still = still.add(p.volume[parking])
		length := p.length()
		switch used := p.volume[charging].add(p.volume[parking]); {
		case !p.isSession(), r.lapsed:
		case used.isZero():
			if rest := length.sub(p.reservation); rest.isPositive() {
				silent = silent.add(rest)
			}
		case p.open:
			told, bounds = told.add(used), bounds.add(used)
		default:
			told, bounds = told.add(used), bounds.add(length)
			tolerance += coarse
		}
	}
	kwh = r.written.decimal(charged)
	if !r.energyTold {
		kwh = r.energyStated // a CPO that bills by time need not say when the energy flowed
	}
	if told.sub(bounds).abs().cmp(secondsOf(tolerance)) <= 0 {
		told = bounds
	}
	return kwh, r.written.hours(told.add(silent)), r.written.hours(still)
}

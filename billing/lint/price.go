package lint

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// usually is the usual session of examples.
var usually = charge{decimal.NewFromInt(30), 40 * time.Minute}

// usual are the prices in EUR between which a price is plausible: of a kWh, of an hour, of a session. Wholesale is rarely below
// two cents, and a minute rarely costs less than one cent or more than a euro.
var usual = map[ocpi.TariffDimensionType]struct{ least, most decimal.Decimal }{
	ocpi.ComponentEnergy:      {decimal.New(2, -2), decimal.NewFromInt(2)},
	ocpi.ComponentTime:        {decimal.New(6, -1), decimal.NewFromInt(60)},
	ocpi.ComponentParkingTime: {decimal.New(6, -1), decimal.NewFromInt(60)},
	ocpi.ComponentFlat:        {decimal.Zero, decimal.NewFromInt(25)},
}

// perEuro is about how much of a currency a euro is, to know what is plausible in it. It never prices anything.
var perEuro = map[string]int64{
	"EUR": 1, "CHF": 1, "GBP": 1, "USD": 1, "BGN": 2, "PLN": 4, "RON": 5, "DKK": 7, "NOK": 12, "SEK": 11, "CZK": 25, "TRY": 50, "RSD": 117, "ISK": 145, "HUF": 400,
}

var sixty = decimal.NewFromInt(60)

// prices looks at the amounts.
func (l *linter) prices() {
	positive, byUse, all := 0, 0, 0
	for i := range l.doc.Elements {
		for j := range l.doc.Elements[i].PriceComponents {
			c := &l.doc.Elements[i].PriceComponents[j]
			if !c.Price.Valid {
				continue
			}
			all++
			if c.Price.Decimal.IsPositive() {
				positive++
				if c.Type != ocpi.ComponentFlat {
					byUse++
				}
			}
			l.plausible(&entry{element: i, index: j, component: c})
		}
	}
	switch {
	case all > 0 && positive == 0 && !slices.ContainsFunc(l.findings, func(f Finding) bool { return f.Code == string(priceNegative) }):
		severity := billing.Flag
		if e := l.doc.Elements; len(e) == 1 && e[0].Restrictions == nil && all == 1 && e[0].PriceComponents[0].Type == ocpi.ComponentFlat {
			severity = billing.Info // the way to say that charging is free (TAR-08)
		}
		l.findAs(onlyZero, severity, "elements", nil, l.sample())
	case positive > 0 && byUse == 0:
		l.find(nothingByUse, "elements", nil, l.sample())
	}
}

// plausible judges one price. Where a common mistake explains it, that is said.
func (l *linter) plausible(e *entry) {
	price, unit := e.component.Price.Decimal, unitOf(e.component.Type)
	bounds, known := usual[e.component.Type]
	factor := decimal.NewFromInt(perEuro[l.doc.Currency])
	p := params{"price": l.amount(price, unit)}
	say := func(c code) { l.find(c, e.path()+".price", p, l.used(e, usually).saying(l.costs)) }
	if price.IsNegative() {
		say(priceNegative)
	}
	if !known || factor.IsZero() {
		return
	}
	least, most := bounds.least.Mul(factor), bounds.most.Mul(factor)
	fits := func(d decimal.Decimal) bool { return d.GreaterThanOrEqual(least) && d.LessThanOrEqual(most) }
	timed := unit == "/h"
	cents, minute, hour := price.Shift(-2), price.DivRound(sixty, 4), price.Mul(sixty)
	switch {
	case price.GreaterThan(most) && timed && fits(minute):
		p["instead"] = l.amount(minute, unit)
		say(priceTimes60)
	case price.GreaterThan(most) && fits(cents) && !cents.IsZero():
		p["instead"] = l.amount(cents, unit)
		say(priceInCents)
	case price.GreaterThan(most):
		p["limit"] = l.amount(most, unit)
		say(priceHigh)
	case price.IsPositive() && price.LessThan(least) && timed && fits(hour):
		p["instead"] = l.amount(hour, unit)
		say(pricePerMinute)
	case price.IsPositive() && price.LessThan(least):
		p["limit"] = l.amount(least, unit)
		say(priceLow)
	}
}

func unitOf(kind ocpi.TariffDimensionType) string {
	switch kind {
	case ocpi.ComponentEnergy:
		return "/kWh"
	case ocpi.ComponentTime, ocpi.ComponentParkingTime:
		return "/h"
	}
	return ""
}

// used is a witness that consumes an amount when a component prices it, nil if it never does.
func (l *linter) used(e *entry, amount charge) *Witness {
	for _, of := range l.lists {
		for i := range of.entries {
			if in := &of.entries[i]; in.element == e.element && in.index == e.index && in.component != nil && in.at != nil {
				return l.witness(of, in.at, in.start, amount)
			}
		}
	}
	return nil
}

// gross is a witness of what a rate of VAT makes of a usual session.
func (l *linter) gross(e *entry) *Witness {
	return l.used(e, usually).saying(func(w *Witness) billing.Text {
		p := params{"used": usedBy(w), "total": l.total(w), "gross": l.amount(billing.RoundCurrency(w.Total.InclVAT, l.doc.Currency), "")}
		return l.inWords(w, billing.Text{DE: "{when}[, {used}]: kostet {total}, mit USt {gross}", EN: "{when}[, {used}]: costs {total}, with VAT {gross}"}, p)
	})
}

// The largest steps that are plausible: an hour, and a kilowatt-hour (PRC-12).
const (
	mostSeconds = 3600
	mostWh      = 1000
)

// steps looks at step_size.
func (l *linter) steps() {
	var zero, flat []*entry
	for i := range l.doc.Elements {
		for j := range l.doc.Elements[i].PriceComponents {
			c := &l.doc.Elements[i].PriceComponents[j]
			if c.StepSize == nil {
				continue
			}
			e, step := &entry{element: i, index: j, component: c}, *c.StepSize
			switch {
			case c.Type == ocpi.ComponentFlat && step > 1:
				flat = append(flat, e)
			case c.Type == ocpi.ComponentFlat:
			case step == 0:
				zero = append(zero, e)
			case c.Type == ocpi.ComponentEnergy && step > mostWh:
				l.stepTooLarge(e, decimal.New(int64(step), -3).String()+" kWh")
			case c.Type != ocpi.ComponentEnergy && step > mostSeconds:
				l.stepTooLarge(e, lengthOf(time.Duration(step)*time.Second))
			}
		}
	}
	if len(zero) > 0 {
		l.find(stepZero, zero[0].path()+".step_size", nil, nil)
	}
	if len(flat) > 0 {
		l.find(stepOfFlat, flat[0].path()+".step_size", params{"step": decimal.NewFromInt(int64(*flat[0].component.StepSize)).String()}, nil)
	}
	l.unusedStep()
}

func (l *linter) stepTooLarge(e *entry, step string) {
	tiny := charge{decimal.New(1, -1), time.Minute}
	l.find(stepLarge, e.path()+".step_size", params{"step": step}, l.used(e, tiny).saying(l.costs))
}

// unusedStep finds a step of charging time in a tariff that prices parking time too: where parking was priced, only that is
// rounded (PRC-17).
func (l *linter) unusedStep() {
	charging, parking := l.of(billing.Time), l.of(billing.ParkingTime)
	if charging == nil || parking == nil {
		return
	}
	for i := range charging.entries {
		e := &charging.entries[i]
		if e.component != nil && e.component.StepSize != nil && *e.component.StepSize > 1 && e.at != nil {
			l.find(stepUnused, e.path()+".step_size", nil, l.parkedAfter(charging, e))
			return
		}
	}
}

// parkedAfter is a session that charges for a second more than a step and then parks.
func (l *linter) parkedAfter(of *list, e *entry) *Witness {
	charged := time.Duration(*e.component.StepSize+1) * time.Second
	w := l.witness(of, e.at, nil, charge{length: charged})
	last := w.Legs[len(w.Legs)-1]
	last.Parked, last.Length = true, usually.length
	w.Legs = append(w.Legs, last)
	l.price(w)
	return w.saying(func(w *Witness) billing.Text {
		return l.inWords(w, billing.Text{DE: "{when}, danach {charged} Laden und 40 min Stehen: kostet {total}", EN: "{when}, then {charged} of charging and 40 min of parking: costs {total}"},
			params{"charged": lengthOf(charged), "total": l.total(w)})
	})
}

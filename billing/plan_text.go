package billing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// PlanPrice is one price of a plan, as it is shown before a session (AFIR art. 5(4): kWh, minute, session, other).
type PlanPrice struct {
	Dimension Dimension
	Price     decimal.Decimal // of one Unit
	Unit      LineUnit
	VAT       decimal.NullDecimal // percent, as the plan shows it
	If        *ocpi.TariffRestrictions
}

// Prices are all prices of the plan, in the order in which they are shown, and of one dimension in that in which they count.
// Those of nothing are left out.
func (p *Plan) Prices() []PlanPrice {
	var list []PlanPrice
	for i := range p.Tariff.Elements {
		e := &p.Tariff.Elements[i]
		for _, c := range e.PriceComponents {
			if !c.Price.Decimal.IsPositive() {
				continue
			}
			price := PlanPrice{Price: c.Price.Decimal, VAT: c.VAT, If: e.Restrictions, Unit: Hour}
			switch reserved := e.Restrictions != nil && e.Restrictions.Reservation != ""; {
			case reserved && c.Type == ocpi.ComponentFlat:
				price.Dimension, price.Unit = ReservationFlat, Once
			case reserved:
				price.Dimension = ReservationTime
			case c.Type == ocpi.ComponentFlat:
				price.Dimension, price.Unit = Flat, Once
			case c.Type == ocpi.ComponentEnergy:
				price.Dimension, price.Unit = Energy, KWh
			case i < len(p.Blocking) && p.Blocking[i]:
				price.Dimension = Blocking
			case c.Type == ocpi.ComponentTime:
				price.Dimension = Time
			default:
				price.Dimension = ParkingTime
			}
			known := func(q PlanPrice) bool {
				return q.Dimension == price.Dimension && q.Price.Equal(price.Price) && q.If == price.If
			}
			if !slices.ContainsFunc(list, known) { // a blocking fee on charging and on parking is one
				list = append(list, price)
			}
		}
	}
	order := []Dimension{Energy, Time, ParkingTime, Blocking, Flat, ReservationFlat, ReservationTime}
	slices.SortStableFunc(list, func(a, b PlanPrice) int {
		return slices.Index(order, a.Dimension) - slices.Index(order, b.Dimension)
	})
	return list
}

// PriceText says in one line what a plan costs:
//
//	0,59 €/kWh · 0,10 €/min Blockiergebühr (ab 240 min, 08:00–22:00), höchstens 12,00 €
//
// lang is "de" or "en".
func PriceText(p *Plan, lang string) string {
	w, t := words[lang == "de"], priceWords[lang == "de"]
	var parts []string
	for _, price := range p.Prices() {
		text := w.price(price, p.Tariff.Currency)
		if conditions := t.conditions(price.If, w); conditions != "" {
			text += " (" + conditions + ")"
		}
		for _, c := range p.Caps {
			if slices.Contains(c.Of, price.Dimension) {
				text += ", " + t.atMost + " " + w.money(c.Max, 2, p.Tariff.Currency)
			}
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		parts = append(parts, w.free)
	}
	for _, limit := range []struct {
		name  Dimension
		price *ocpi.Price
	}{{MinPrice, p.Tariff.MinPrice}, {MaxPrice, p.Tariff.MaxPrice}} {
		if amount, ok := p.limit(limit.price); ok {
			parts = append(parts, w.names[limit.name]+" "+w.money(amount, 2, p.Tariff.Currency))
		}
	}
	for _, a := range p.Allowances {
		parts = append(parts, fmt.Sprintf(t.allowances[a.Unit], w.number(a.Quantity, 0)))
	}
	if fee, ok := p.Fee(FeeBase); ok {
		parts = append(parts, w.money(fee.Price, 2, p.Tariff.Currency)+t.aMonth)
	}
	text := strings.Join(parts, " · ")
	if !p.TaxIncluded {
		text += " " + t.net
	}
	return text
}

// limit is the side of a minimum or maximum price that the plan promises.
func (p *Plan) limit(price *ocpi.Price) (decimal.Decimal, bool) {
	switch {
	case price == nil:
		return decimal.Zero, false
	case p.TaxIncluded && price.InclVAT.Valid:
		return price.InclVAT.Decimal, true
	}
	return price.ExclVAT.Decimal, price.ExclVAT.Valid
}

// price writes a price with its unit: times by the minute, where that can be written.
func (w vocabulary) price(p PlanPrice, currency string) string {
	name := w.names[p.Dimension]
	text := w.money(p.Price, 2, currency)
	switch p.Unit {
	case KWh:
		text += "/kWh"
	case Hour:
		if perMinute := p.Price.DivRound(sixty, workPlaces); perMinute.Equal(perMinute.Round(4)) {
			text = w.money(perMinute, 2, currency) + "/min"
		} else {
			text += "/h"
		}
	}
	if name != "" {
		text += " " + name
	}
	return text
}

// priceVocabulary are the words of prices and their conditions.
type priceVocabulary struct {
	from, below, atMost, aMonth, net string
	allowances                       map[AllowanceUnit]string
	days                             [7]string // from Sunday
}

var priceWords = map[bool]priceVocabulary{
	true: {
		from: "ab", below: "unter", atMost: "höchstens", aMonth: " im Monat", net: "zzgl. USt.",
		allowances: map[AllowanceUnit]string{FreeKWh: "%s kWh im Monat frei", FreeMinutes: "%s min im Monat frei", FreeSessions: "%s Ladevorgänge im Monat frei"},
		days:       [7]string{"So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"},
	},
	false: {
		from: "from", below: "below", atMost: "at most", aMonth: " a month", net: "plus VAT",
		allowances: map[AllowanceUnit]string{FreeKWh: "%s kWh a month free", FreeMinutes: "%s min a month free", FreeSessions: "%s sessions a month free"},
		days:       [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
	},
}

// conditions writes down when a price holds.
func (t priceVocabulary) conditions(r *ocpi.TariffRestrictions, w vocabulary) string {
	if r == nil {
		return ""
	}
	var parts []string
	between := func(lower, upper, unit string) {
		if lower != "" {
			parts = append(parts, t.from+" "+lower+unit)
		}
		if upper != "" {
			parts = append(parts, t.below+" "+upper+unit)
		}
	}
	minutes := func(seconds *int) string {
		if seconds == nil || *seconds == 0 {
			return ""
		}
		return w.number(decimal.NewFromInt(int64(*seconds)).DivRound(sixty, 2), 0)
	}
	number := func(d decimal.NullDecimal) string {
		if !d.Valid || d.Decimal.IsZero() {
			return ""
		}
		return w.number(d.Decimal, 0)
	}
	between(minutes(r.MinDuration), minutes(r.MaxDuration), " min")
	between(number(r.MinKWh), number(r.MaxKWh), " kWh")
	between(number(r.MinPower), number(r.MaxPower), " kW")
	between(number(r.MinCurrent), number(r.MaxCurrent), " A")
	if r.StartTime != "" || r.EndTime != "" {
		start, end := r.StartTime, r.EndTime
		if start == "" {
			start = "00:00"
		}
		if end == "" {
			end = "24:00"
		}
		parts = append(parts, start+"–"+end)
	}
	if days := t.weekdays(r.DayOfWeek); days != "" {
		parts = append(parts, days)
	}
	between(r.StartDate, r.EndDate, "")
	return strings.Join(parts, ", ")
}

// weekdays writes days down, three or more in a row as a range.
func (t priceVocabulary) weekdays(list []ocpi.DayOfWeek) string {
	var set [7]bool // from Monday
	for _, d := range list {
		if day := slices.Index(weekdays[:], d); day >= 0 {
			set[(day+6)%7] = true
		}
	}
	name := func(i int) string { return t.days[time.Weekday((i+1)%7)] }
	var parts []string
	for i := 0; i < 7; i++ {
		if !set[i] {
			continue
		}
		last := i
		for last < 6 && set[last+1] {
			last++
		}
		switch {
		case last-i >= 2:
			parts = append(parts, name(i)+"–"+name(last))
		default:
			for k := i; k <= last; k++ {
				parts = append(parts, name(k))
			}
		}
		i = last
	}
	return strings.Join(parts, " ")
}

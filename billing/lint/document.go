package lint

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// document looks at the time in which the tariff is valid.
func (l *linter) document() {
	start, end, updated := l.doc.StartDateTime, l.doc.EndDateTime, l.doc.LastUpdated
	if end.IsZero() {
		return
	}
	switch {
	case !start.IsZero() && !start.Before(end):
		l.find(neverValid, "end_date_time", params{"start": ocpi.FormatDateTime(start), "end": ocpi.FormatDateTime(end)}, nil)
	case !updated.IsZero() && end.Before(updated):
		l.find(expiredWhenSent, "end_date_time", params{"end": ocpi.FormatDateTime(end), "updated": ocpi.FormatDateTime(updated)}, nil)
	}
}

// compiled passes on what the engine says about the tariff. Crossing limits are judged by limits, which sees both sides.
func (l *linter) compiled() {
	for _, f := range l.compile {
		if f.Code == limitsCross {
			continue
		}
		p := params{"path": f.Path}
		if i, ok := elementOf(f.Path); ok {
			p["element"] = number(i)
		}
		l.findAs(code(f.Code), f.Severity, f.Path, p, nil)
		if last := &l.findings[len(l.findings)-1]; last.Text.EN == "" { // a finding that the engine learned since
			last.Message, last.Text = f.Message, billing.Text{DE: f.Message, EN: f.Message}
		}
	}
}

// limits looks at the minimum and the maximum price (PRC-29).
func (l *linter) limits() {
	least, most := l.doc.MinPrice, l.doc.MaxPrice
	if least != nil && most != nil {
		above := func(a, b decimal.NullDecimal) bool { return a.Valid && b.Valid && a.Decimal.GreaterThan(b.Decimal) }
		if excl := above(least.ExclVAT, most.ExclVAT); excl || above(least.InclVAT, most.InclVAT) {
			a, b := least.ExclVAT, most.ExclVAT
			if !excl {
				a, b = least.InclVAT, most.InclVAT
			}
			l.find(limitsCross, "min_price", params{"minimum": l.amount(a.Decimal, ""), "maximum": l.amount(b.Decimal, "")}, l.sample())
		}
	}
	if most != nil && (most.ExclVAT.Valid || most.InclVAT.Valid) && !most.ExclVAT.Decimal.IsPositive() && !most.InclVAT.Decimal.IsPositive() {
		l.find(limitZero, "max_price", nil, l.sample())
	}
	l.plausibleMinimum()
	for _, limit := range []struct {
		path  string
		price *ocpi.Price
	}{{"min_price", least}, {"max_price", most}} {
		if p := limit.price; p != nil && p.ExclVAT.Valid && p.InclVAT.Valid && p.InclVAT.Decimal.LessThan(p.ExclVAT.Decimal) {
			l.find(limitSides, limit.path, params{"excl": l.amount(p.ExclVAT.Decimal, ""), "incl": l.amount(p.InclVAT.Decimal, "")}, nil)
		}
	}
}

// plausibleMinimum judges the minimum price as the fee that it is for a short session.
func (l *linter) plausibleMinimum() {
	most := usual[ocpi.ComponentFlat].most.Mul(decimal.NewFromInt(perEuro[l.doc.Currency]))
	if l.doc.MinPrice == nil || most.IsZero() {
		return
	}
	price := l.doc.MinPrice.ExclVAT.Decimal
	if !l.doc.MinPrice.ExclVAT.Valid {
		price = l.doc.MinPrice.InclVAT.Decimal
	}
	if price.GreaterThan(most) {
		l.find(priceHigh, "min_price", params{"price": l.amount(price, ""), "limit": l.amount(most, "")}, l.sample())
	}
}

// sample is a usual session, at noon.
func (l *linter) sample() *Witness {
	if l.space == nil {
		return nil
	}
	noon := time.Unix(int64(l.space.base)*daySeconds, 0).UTC()
	noon = time.Date(noon.Year(), noon.Month(), noon.Day(), 12, 0, 0, 0, l.space.zone)
	w := &Witness{Session: l.space.sample(noon, usually.length, usually.kwh), Moment: noon, Dimension: billing.Energy, Element: -1}
	l.price(w)
	return w.saying(func(w *Witness) billing.Text {
		return l.inWords(w, billing.Text{DE: "{when}, 30 kWh in 40 min: kostet {total}", EN: "{when}, 30 kWh in 40 min: costs {total}"}, params{"total": l.total(w)})
	})
}

// taxes looks at the VAT of the prices (PRC-28).
func (l *linter) taxes() {
	var with, without []*entry
	var rates []decimal.Decimal
	for i := range l.doc.Elements {
		for j := range l.doc.Elements[i].PriceComponents {
			c := &l.doc.Elements[i].PriceComponents[j]
			e := &entry{element: i, index: j, component: c}
			if c.VAT.Valid {
				with = append(with, e)
				if !slices.ContainsFunc(rates, c.VAT.Decimal.Equal) {
					rates = append(rates, c.VAT.Decimal)
					l.rate(e)
				}
			} else if !c.Price.Decimal.IsZero() {
				without = append(without, e)
			}
		}
	}
	included, _ := l.extra["tax_included"].(string)
	switch {
	case included == "YES" && len(without) > 0:
		l.find(taxIncludedNoRate, without[0].path()+".vat", nil, nil)
	case included != "" && included != "YES" && included != "NO" && len(with) > 0:
		l.find(taxWithoutTax, with[0].path()+".vat", nil, nil)
	case len(with) == 0 && len(without) > 0 && included != "N/A" && included != "N_A":
		l.find(vatMissing, "elements", nil, nil)
	case len(with) > 0:
		for _, e := range without {
			l.find(vatMixed, e.path()+".vat", params{"element": number(e.element), "dimensions": string(e.component.Type)}, nil)
		}
	}
}

// mostVAT is the highest rate of VAT in Europe: Hungary's.
var mostVAT = decimal.NewFromInt(27)

// rate judges a rate of VAT by those that the country of the CPO taxes charging with. Where it is not known, by what is
// possible.
func (l *linter) rate(e *entry) {
	rate, at := e.component.VAT.Decimal, e.path()+".vat"
	first := l.doc.StartDateTime
	if first.IsZero() {
		first = l.doc.LastUpdated
	}
	last := l.doc.EndDateTime
	if last.Before(first) {
		last = time.Time{}
	}
	known := func(country string) []decimal.Decimal { return billing.VATRates(country, first, last) }
	country := strings.ToUpper(string(l.doc.CountryCode))
	here := known(country)
	p := params{"rate": rate.String(), "country": country}
	if len(here) > 0 {
		p["known"] = numbersOf(here)
	}
	switch {
	case slices.ContainsFunc(here, rate.Equal), rate.IsNegative(): // a negative one is not readable
	case rate.IsPositive() && rate.LessThan(decimal.NewFromInt(1)):
		p["instead"] = rate.Shift(2).String()
		l.find(vatFraction, at, p, l.gross(e))
	case rate.IsZero():
		if len(here) > 0 {
			l.findAs(vatUnknown, billing.Info, at, p, l.gross(e))
		}
	case len(here) > 0:
		var elsewhere []string
		for _, other := range billing.VATCountries() {
			if slices.ContainsFunc(known(other), rate.Equal) {
				elsewhere = append(elsewhere, other)
			}
		}
		if p["other"] = strings.Join(elsewhere, ", "); len(elsewhere) > 0 {
			l.find(vatForeign, at, p, l.gross(e))
			return
		}
		delete(p, "other")
		l.find(vatUnknown, at, p, l.gross(e))
	case rate.GreaterThan(mostVAT):
		l.find(vatUnknown, at, p, l.gross(e))
	}
}

func numbersOf(list []decimal.Decimal) string {
	var parts []string
	for _, d := range list {
		if text := d.String(); !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ", ")
}

// elementsAlone looks at restrictions that say nothing, and at those that say it too late.
func (l *linter) elementsAlone() {
	for i := range l.elements {
		r := l.elements[i].restrictions
		if r == nil {
			continue
		}
		at := path(i) + ".restrictions"
		if nothing(r) {
			l.find(restrictionsEmpty, at, params{"element": number(i)}, nil)
		}
		if start, end, err := billing.Window(r); err == nil && r.StartTime != "" && r.EndTime != "" && start == 0 && end == daySeconds {
			if r.StartTime == r.EndTime {
				l.find(wholeDay, at, params{"element": number(i), "time": r.StartTime + "–" + r.EndTime}, nil)
			}
		}
		if from, ok := parseDay(r.StartDate); ok && !l.doc.EndDateTime.IsZero() && l.space != nil {
			if from > dayOf(l.doc.EndDateTime.Add(14*time.Hour).UTC()) { // in every zone
				l.find(afterValidity, at+".start_date", params{"element": number(i)}, nil)
			}
		}
	}
}

// nothing reports whether no restriction is set.
func nothing(r *ocpi.TariffRestrictions) bool {
	return r.StartTime+r.EndTime+r.StartDate+r.EndDate+string(r.Reservation) == "" && len(r.DayOfWeek) == 0 && len(r.Extra) == 0 &&
		!r.MinKWh.Valid && !r.MaxKWh.Valid && !r.MinCurrent.Valid && !r.MaxCurrent.Valid && !r.MinPower.Valid && !r.MaxPower.Valid &&
		r.MinDuration == nil && r.MaxDuration == nil
}

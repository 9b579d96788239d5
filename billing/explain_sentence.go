package billing

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Sentence tells a customer in one line how a price came about, VAT included:
//
//	20,000 kWh × 0,49 €/kWh + 45 min Blockiergebühr × 0,10 €/min = 14,30 €
//
// That of a credit is in brackets, with a minus in front of them.
// lang is "de" or "en".
func Sentence(r Rating, lang string) string {
	return sentence(r, lang, false)
}

// NetSentence is Sentence without VAT, for whom prices are agreed without it: VAT is due on the sum of an invoice, so that a gross
// price of one session may differ by a cent from what its line comes to.
//
//	0,25 € Startgebühr + 19,610 kWh × 0,45 €/kWh = 9,07 € netto
func NetSentence(r Rating, lang string) string {
	return sentence(r, lang, true)
}

// AgreedSentence is the sentence in the prices of the plan: with VAT if one of them includes it.
func AgreedSentence(r Rating, lang string) string {
	return sentence(r, lang, len(r.Lines) > 0 && !slices.ContainsFunc(r.Lines, func(l Line) bool { return l.TaxIncluded }))
}

func sentence(r Rating, lang string, net bool) string {
	w := words[lang == "de"]
	var b strings.Builder
	for _, term := range terms(r.Lines, net) {
		deducted := term.amount.IsNegative() && (!term.product() || term.dimension == Allowed)
		switch {
		case b.Len() > 0 && deducted:
			b.WriteString(" − ")
		case deducted:
			b.WriteString("−")
		case b.Len() > 0:
			b.WriteString(" + ")
		}
		b.WriteString(w.term(term, r.Currency))
	}
	text := b.String()
	switch {
	case text == "":
		text = w.free
	case turned(&r):
		text = w.credit + ": −(" + text + ")"
	}
	total, tax := r.Total.InclVAT, ""
	if net {
		total, tax = r.Total.ExclVAT, " "+w.net
	}
	return text + " = " + w.money(RoundCurrency(total, r.Currency), MinorUnits(r.Currency), r.Currency) + tax
}

// turned reports whether the total has the other sign than its lines, as that of a credit CDR has (CDR-10).
func turned(r *Rating) bool {
	var sum decimal.Decimal
	for i := range r.Lines {
		sum = sum.Add(r.Lines[i].InclVAT)
	}
	return sum.Sign()*r.Total.InclVAT.Sign() < 0
}

// term is a summand of the sentence: a quantity at a price, or several prices together.
type term struct {
	dimension Dimension
	quantity  decimal.Decimal
	unit      LineUnit
	price     decimal.Decimal // of a unit
	prices    int
	amount    decimal.Decimal
	of        []Dimension // of a reduction
	name      string      // of a reduction
}

// product reports whether the term is written as quantity × price, which carry their own signs.
func (t term) product() bool { return t.unit != Once && t.prices == 1 }

// manyPrices is how many prices of one dimension a reader is shown; a tariff with a price for every hour is summed up.
const manyPrices = 4

// terms merges the lines that a customer cannot tell apart.
func terms(lines []Line, net bool) []term {
	var merged []term
	for _, l := range lines {
		amount := l.InclVAT
		if net {
			amount = l.ExclVAT
		}
		if amount.IsZero() {
			continue
		}
		price := l.Price
		if perUnit := l.Element >= 0 || l.Unit != Once; perUnit && l.VATRate.Valid {
			switch withVAT := hundred.Add(l.VATRate.Decimal); {
			case net && l.TaxIncluded:
				price = price.Mul(hundred).DivRound(withVAT, workPlaces)
			case !net && !l.TaxIncluded:
				price = price.Mul(withVAT).Shift(-2)
			}
		}
		same := func(t term) bool {
			return t.dimension == l.Dimension && t.price.Equal(price) && t.name == l.Name && slices.Equal(t.of, l.Of)
		}
		if i := slices.IndexFunc(merged, same); i >= 0 {
			merged[i].quantity = merged[i].quantity.Add(l.Quantity)
			merged[i].amount = merged[i].amount.Add(amount)
			continue
		}
		merged = append(merged, term{l.Dimension, l.Quantity, l.Unit, price, 1, amount, l.Of, l.Name})
	}
	count := map[Dimension]int{}
	for _, t := range merged {
		count[t.dimension]++
	}
	var short []term
	for _, t := range merged {
		last := len(short) - 1
		if count[t.dimension] > manyPrices && last >= 0 && short[last].dimension == t.dimension && short[last].name == t.name {
			short[last].quantity = short[last].quantity.Add(t.quantity)
			short[last].amount = short[last].amount.Add(t.amount)
			short[last].prices++
			continue
		}
		short = append(short, t)
	}
	return short
}

// vocabulary is what differs between the languages.
type vocabulary struct {
	point, group string
	names        map[Dimension]string
	energy       string // where a sentence needs a word for it
	freeSession  string
	prices, free string
	credit, net  string
}

var words = map[bool]vocabulary{
	true: {
		point: ",", group: ".", prices: "Preise", free: "kostenlos", net: "netto", credit: "Erstattung", energy: "Energie", freeSession: "freier Ladevorgang",
		names: map[Dimension]string{
			ReservationFlat: "Reservierungsgebühr", ReservationTime: "Reservierung", Flat: "Startgebühr", Energy: "",
			Time: "Ladezeit", ParkingTime: "Blockiergebühr", MinPrice: "Mindestpreis", MaxPrice: "Höchstpreis",
			Blocking: "Blockiergebühr", Allowed: "Freimenge", Capped: "Höchstbetrag", Discounted: "Rabatt", Promised: "Preisversprechen", Redeemed: "Gutschein",
		},
	},
	false: {
		point: ".", group: ",", prices: "prices", free: "free of charge", net: "net", credit: "credit", energy: "energy", freeSession: "free session",
		names: map[Dimension]string{
			ReservationFlat: "reservation fee", ReservationTime: "reservation", Flat: "start fee", Energy: "",
			Time: "charging time", ParkingTime: "blocking fee", MinPrice: "minimum price", MaxPrice: "maximum price",
			Blocking: "blocking fee", Allowed: "free quota", Capped: "maximum", Discounted: "discount", Promised: "price promise", Redeemed: "voucher",
		},
	},
}

var sixty = decimal.NewFromInt(60)

func (w vocabulary) term(t term, currency string) string {
	name := w.name(t)
	if t.unit == Once {
		return w.money(t.amount.Abs(), MinorUnits(currency), currency) + " " + name
	}
	quantity, unit, price := t.quantity, string(t.unit), t.price
	places := int32(3)
	if t.unit == Hour {
		places = 0
		// A price per minute reads better, where it can be written.
		if perMinute := price.DivRound(sixty, workPlaces); perMinute.Equal(perMinute.Round(4)) {
			quantity, unit, price = quantity.Mul(sixty).Round(2), "min", perMinute
		} else {
			quantity = quantity.Round(4)
		}
	}
	text := w.number(quantity, places) + " " + unit
	if name != "" {
		text += " " + name
	}
	if !t.product() {
		return text + " (" + decimal.NewFromInt(int64(t.prices)).String() + " " + w.prices + ") " + w.money(t.amount.Abs(), MinorUnits(currency), currency)
	}
	return text + " × " + w.money(price.Round(4), 2, currency) + "/" + unit
}

// name is what a term is for. A cap says of what, a free quota of time too; discounts and vouchers have names of their own.
func (w vocabulary) name(t term) string {
	name := w.names[t.dimension]
	switch {
	case t.dimension == Allowed && t.unit == Once:
		return w.freeSession
	case t.dimension == Capped, t.dimension == Allowed && t.unit == Hour:
		for i, dim := range t.of {
			separator := " "
			if i > 0 {
				separator = ", "
			}
			name += separator + w.word(dim)
		}
	case t.name != "":
		name += " " + t.name
	}
	return name
}

// word names a dimension where its unit does not tell.
func (w vocabulary) word(dim Dimension) string {
	if dim == Energy {
		return w.energy
	}
	return w.names[dim]
}

// money writes an amount with at least so many decimals, and more where it has them.
func (w vocabulary) money(amount decimal.Decimal, places int32, currency string) string {
	if currency == "EUR" {
		currency = "€"
	}
	return w.number(amount, places) + " " + currency
}

// number writes a number with at least so many decimals, and more where it has them.
func (w vocabulary) number(n decimal.Decimal, places int32) string {
	for places < 6 && !n.Equal(n.Round(places)) {
		places++
	}
	whole, fraction, hasFraction := strings.Cut(n.StringFixed(places), ".")
	digits, sign := strings.CutPrefix(whole, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + w.group + digits[i:]
	}
	text := digits
	if sign {
		text = "−" + digits
	}
	if hasFraction {
		text += w.point + fraction
	}
	return text
}

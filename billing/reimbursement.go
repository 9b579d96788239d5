package billing

import (
	"github.com/shopspring/decimal"
)

// Basis is what somebody is paid by who supplies a session to the utility.
type Basis string

// The bases.
const (
	PerKWh     Basis = "kwh"
	PerSession Basis = "session"
	Percent    Basis = "percent" // of what the session is sold for
)

// PayeeVAT is how what a payee supplies is taxed.
type PayeeVAT string

// The statuses of payees. A private person and an employee who gets his outlay back supply nothing in the sense of the law: VAT on
// their document would be owed by whoever shows it (§ 14c(2) UStG).
const (
	PayeeOutside  PayeeVAT = "outside"
	PayeeExempt   PayeeVAT = "exempt"   // small business (§ 19 UStG)
	PayeeStandard PayeeVAT = "standard" // taxed where the charge point stands
)

// Reimbursement is on which terms a session is paid for. Price is without VAT: of a kWh or of a session in the currency of the
// agreement, or percent.
type Reimbursement struct {
	Basis Basis
	Price decimal.Decimal
	VAT   PayeeVAT
}

// Payable is what the utility owes for a session: Quantity × Price, rounded to cents once. The price of a percentage is the
// percentage, its quantity what the session is sold for without VAT.
type Payable struct {
	Quantity, Price, Net, Gross decimal.Decimal
	VAT                         VAT
}

// Owe is what is owed for a session of so many kWh that is sold for so much without VAT, at a charge point where supplies are
// taxed at rate percent.
func (r Reimbursement) Owe(kwh, sold, rate decimal.Decimal) Payable {
	p := Payable{Price: r.Price}
	switch r.Basis {
	case PerKWh:
		p.Quantity, p.Net = kwh, Round(kwh.Mul(r.Price), 2)
	case PerSession:
		p.Quantity, p.Net = decimal.NewFromInt(1), Round(r.Price, 2)
	case Percent:
		p.Quantity, p.Net = sold, Round(sold.Mul(r.Price).Div(hundred), 2)
	}
	switch r.VAT {
	case PayeeOutside:
		p.VAT.Category = VATOutside
	case PayeeExempt:
		p.VAT.Category = VATExempt
	case PayeeStandard:
		p.VAT = VAT{Category: VATStandard, Rate: rate}
	}
	p.Gross = Round(p.Net.Mul(hundred.Add(p.VAT.Rate)).Div(hundred), 2)
	return p
}

// Sentence tells the payee in one line how the amount came about: 20,000 kWh × 0,30 €/kWh = 6,00 €. lang is "de" or "en".
func (p Payable) Sentence(basis Basis, currency, lang string) string {
	w, t := words[lang == "de"], payeeWords[lang]
	net := w.money(p.Net.Abs(), 2, currency)
	quantity := p.Quantity.Abs()
	switch basis {
	case PerKWh:
		return w.number(quantity, 3) + " kWh × " + w.money(p.Price, 2, currency) + "/kWh = " + net
	case PerSession:
		return t.session + " " + net
	}
	return w.number(p.Price, 0) + " % " + t.of + " " + w.money(quantity, 2, currency) + " = " + net
}

// Reason is why a payee's document shows no VAT, in its language; empty if it shows some.
func (v PayeeVAT) Reason(lang string) string {
	switch v {
	case PayeeOutside:
		return payeeWords[lang].outside
	case PayeeExempt:
		return payeeWords[lang].exempt
	}
	return ""
}

var payeeWords = map[string]struct{ session, of, outside, exempt string }{
	"de": {"je Ladevorgang", "von netto", "Keine steuerbare Leistung: Erstattung ohne Umsatzsteuer", "Steuerfrei nach § 19 UStG (Kleinunternehmer)"},
	"en": {"for each session", "of a net price of", "No taxable supply: reimbursed without VAT", "Exempt, § 19 UStG (small business)"},
}

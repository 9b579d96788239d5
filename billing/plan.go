package billing

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Plan is a retail tariff: an OCPI tariff with a small superset. It prices every session of the customers it is sold to,
// whatever the CPO's tariff is.
//
// The superset, all of it optional (ParsePlan has the names):
//
//	"tax_included": "YES"      prices and limits include VAT, as prices for consumers must in Germany (§ 3 PAngV); the amount
//	                           that was promised is then exact and the amount without VAT is derived from it
//	"elements"[i]."fee"        "BLOCKING": the times of this element are a blocking fee
//	"caps"                     the most that some dimensions may cost in a session
//	"allowances"               kWh, minutes or sessions that are free in each month
//	"discounts"                percent or an amount off some dimensions, for a time
//	"base_fee", "one_off_fees" what a contract costs without charging
type Plan struct {
	Tariff      ocpi.Tariff
	TaxIncluded bool
	Blocking    []bool // of each element: its times are a blocking fee
	Caps        []PlanCap
	Allowances  []PlanAllowance
	Discounts   []PlanDiscount
	BaseFee     PlanFee // a month; zero: none
	OneOffFees  []PlanFee
}

// PlanCap is the most that the lines of some dimensions may cost together in a session, with VAT if the plan's prices have it.
type PlanCap struct {
	Of  []Dimension
	Max decimal.Decimal
}

// PlanAllowance is what is free in each calendar month of a contract. Plans whose allowances have the same ID share it: what
// is charged by the one is not left for the other.
type PlanAllowance struct {
	ID       string
	Unit     AllowanceUnit
	Quantity decimal.Decimal // of Unit, a month
	Of       []Dimension     // whose lines it makes free
	Where    Where           // zero: everywhere
}

// AllowanceUnit is what an allowance counts.
type AllowanceUnit string

// The units of allowances.
const (
	FreeKWh      AllowanceUnit = "kWh"
	FreeMinutes  AllowanceUnit = "min"
	FreeSessions AllowanceUnit = "session"
)

// PlanDiscount takes percent of the lines of some dimensions off, or an amount once a session.
type PlanDiscount struct {
	Name    string // as the customer reads it
	Percent decimal.Decimal
	Amount  decimal.Decimal // with VAT if the plan's prices have it
	Of      []Dimension
	From    time.Time // of the session's start; zero: always
	To      time.Time // exclusive; zero: for ever
}

// FeeKind is what a contract pays for besides charging.
type FeeKind string

// The kinds of fees. The base fee is due each month, the others once.
const (
	FeeBase       FeeKind = "BASE"
	FeeActivation FeeKind = "ACTIVATION"
	FeeCard       FeeKind = "CARD"       // the first card of a contract
	FeeExtraCard  FeeKind = "EXTRA_CARD" // each further one, a replacement too
)

// PlanFee is the price of something that is no charging: a service of its own with a VAT of its own (CJEU C-60/23).
type PlanFee struct {
	Kind  FeeKind
	Price decimal.Decimal     // with VAT if the plan's prices have it
	VAT   decimal.NullDecimal // percent, as the plan shows it; what is booked DecideServiceVAT decides
}

// Fee returns the plan's fee of a kind, if it has one that costs something.
func (p *Plan) Fee(kind FeeKind) (PlanFee, bool) {
	if kind == FeeBase {
		return p.BaseFee, p.BaseFee.Price.IsPositive()
	}
	for _, f := range p.OneOffFees {
		if f.Kind == kind {
			return f, f.Price.IsPositive()
		}
	}
	return PlanFee{}, false
}

// Compile makes the OCPI part of the plan ready for pricing. NewRetail does so with the whole.
func (p Plan) Compile() (*Tariff, []Finding) {
	return Compile(p.Tariff, CompileOptions{TaxIncluded: p.TaxIncluded, EveryPeriod: true})
}

package billing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// PriceBook says which plan prices a session. It is a list of rules, of which the most precise one that fits counts; the order
// of the list means nothing.
//
// The precedence, also in docs/adr: first who charges, then where, then how fast.
//
//	who     card > contract > customer group > any customer
//	where   EVSE > location > own charge points > CPO > hub > country > anywhere
//	        (a rule that names several, such as a CPO in a country, goes before the one that names the first alone)
//	power   power class > AC or DC > any
//
// A plan that was agreed with a contract individually counts as a rule for that contract anywhere, and goes before one of the
// book that says no more. Two rules of the same precision that could both fit one session are a tie, which ParsePriceBook
// refuses.
type PriceBook struct {
	Rules []BookRule
	order []rankedRule // the most precise first
}

type rankedRule struct{ index, weight int }

// BookRule gives a plan to the sessions that it fits. What is empty fits everything.
type BookRule struct {
	ID   string // unique in the book; its position, counted from 1, where it has none
	Plan string // name
	Note string

	Card     string // UID
	Contract string // EMAID
	Group    string // of customers, name
	Where    Where
}

// Where is a set of charge points. What is empty fits everything.
type Where struct {
	EVSE     string     // EVSE id, without separators
	Location string     // id at the CPO
	Own      bool       // of a party that the utility has marked as its own
	CPO      ocpi.Party // who sent the CDR, in capitals
	Hub      ocpi.Party // through which hub, in capitals
	Country  string     // ISO 3166-1 alpha-2
	Current  Current
	FromKW   decimal.NullDecimal // of the connector's nominal power, inclusive
	BelowKW  decimal.NullDecimal // exclusive
}

// Current is the kind of current that a connector gives.
type Current string

// The kinds of current.
const (
	AC Current = "AC"
	DC Current = "DC"
)

// CurrentOf tells alternating and direct current apart.
func CurrentOf(t ocpi.PowerType) Current {
	if t == ocpi.PowerDC {
		return DC
	}
	return AC
}

// Buyer is who charges, as far as prices depend on it.
type Buyer struct {
	Card     string // UID, in capitals
	Contract string // EMAID, in capitals
	Group    string // name; empty: in none
	Plan     string // agreed with the contract individually; empty: the book decides
}

// ChargePoint is where somebody charges, as far as prices depend on it.
type ChargePoint struct {
	EVSE     string // as FoldEVSE writes it; empty: not known
	Location string // in capitals
	Own      bool
	CPO      ocpi.Party          // in capitals
	Hub      ocpi.Party          // in capitals; zero: the CPO is connected directly
	Country  string              // ISO 3166-1 alpha-2
	Current  Current             // empty: not known
	Power    decimal.NullDecimal // nominal, kW; absent: not known
}

// FoldEVSE writes an EVSE id so that the same id is the same text: DE*ABC*E1 and DEABCE1 are one (OCPI 2.2.1 § EVSE).
func FoldEVSE(id ocpi.CiString) string {
	if id == ocpi.NotApplicable {
		return ""
	}
	return strings.NewReplacer("*", "", "-", "", " ", "").Replace(id.Fold())
}

// threePhases is the square root of three, for a voltage between phases.
var threePhases = decimal.New(1732, -3)

// NominalPower is what a connector gives at most, in kW: what its operator says of it, or what voltage and current of an
// alternating one allow, in whole kW. Those of direct current are limits that do not hold together.
func NominalPower(c *ocpi.Connector) decimal.NullDecimal {
	switch {
	case c == nil:
		return decimal.NullDecimal{}
	case c.MaxElectricPower != nil && *c.MaxElectricPower > 0:
		return decimal.NewNullDecimal(decimal.NewFromInt(int64(*c.MaxElectricPower)).Shift(-3))
	case c.MaxVoltage == nil || c.MaxAmperage == nil || *c.MaxVoltage <= 0 || *c.MaxAmperage <= 0:
		return decimal.NullDecimal{}
	}
	watts := decimal.NewFromInt(int64(*c.MaxVoltage)).Mul(decimal.NewFromInt(int64(*c.MaxAmperage)))
	switch c.PowerType {
	case ocpi.PowerAC1Phase:
	case ocpi.PowerAC2Phase, ocpi.PowerAC2PhaseSplit:
		watts = watts.Mul(decimal.NewFromInt(2))
	case ocpi.PowerAC3Phase:
		if *c.MaxVoltage < 300 { // between phase and neutral, as the specification wants it
			watts = watts.Mul(decimal.NewFromInt(3))
		} else {
			watts = watts.Mul(threePhases)
		}
	default:
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(Round(watts.Shift(-3), 0))
}

// Holds reports whether the charge point is one of the set. What is not known of a charge point fits no rule that asks for it.
func (w *Where) Holds(at *ChargePoint) bool {
	switch {
	case w.Own && !at.Own,
		w.Current != "" && w.Current != at.Current,
		w.Country != "" && w.Country != at.Country,
		!w.CPO.IsZero() && w.CPO != at.CPO,
		!w.Hub.IsZero() && w.Hub != at.Hub,
		w.Location != "" && w.Location != at.Location,
		w.EVSE != "" && w.EVSE != at.EVSE:
		return false
	}
	if w.FromKW.Valid && (!at.Power.Valid || at.Power.Decimal.LessThan(w.FromKW.Decimal)) {
		return false
	}
	return !w.BelowKW.Valid || at.Power.Valid && at.Power.Decimal.LessThan(w.BelowKW.Decimal)
}

func (r *BookRule) fits(b *Buyer, at *ChargePoint) bool {
	switch {
	case r.Card != "" && r.Card != b.Card,
		r.Contract != "" && r.Contract != b.Contract,
		r.Group != "" && r.Group != b.Group:
		return false
	}
	return r.Where.Holds(at)
}

// The weights of what a rule names. They are bits, so that a rule that names more goes before one that names the same and
// less.
const (
	weighsCurrent = 1 << iota
	weighsPower
	weighsCountry
	weighsHub
	weighsCPO
	weighsOwn
	weighsLocation
	weighsEVSE
	weighsGroup
	weighsContract
	weighsCard
)

// weight is the precision of the rule: the higher goes before.
func (r *BookRule) weight() int {
	sum := 0
	for weight, named := range map[int]bool{
		weighsCard: r.Card != "", weighsContract: r.Contract != "", weighsGroup: r.Group != "",
		weighsEVSE: r.Where.EVSE != "", weighsLocation: r.Where.Location != "", weighsOwn: r.Where.Own, weighsCPO: !r.Where.CPO.IsZero(),
		weighsHub: !r.Where.Hub.IsZero(), weighsCountry: r.Where.Country != "",
		weighsPower: r.Where.FromKW.Valid || r.Where.BelowKW.Valid, weighsCurrent: r.Where.Current != "",
	} {
		if named {
			sum |= weight
		}
	}
	return sum
}

// sort puts the rules in order of precedence.
func (b *PriceBook) sort() {
	b.order = make([]rankedRule, len(b.Rules))
	for i := range b.Rules {
		b.order[i] = rankedRule{i, b.Rules[i].weight()}
	}
	slices.SortStableFunc(b.order, func(x, y rankedRule) int { return cmp.Compare(y.weight, x.weight) })
}

// Ranked are the indexes of the rules in order of precedence.
func (b *PriceBook) Ranked() []int {
	ranked := make([]int, len(b.order))
	for i, r := range b.order {
		ranked[i] = r.index
	}
	return ranked
}

// Agreed is the index of a choice that no rule of the book made, but an individual agreement.
const Agreed = -1

// Choice is the plan for a session, and why.
type Choice struct {
	Plan string
	Rule int // index, or Agreed
}

// Choose finds the plan for a session. ok is false for a hole: nobody has said what this session costs.
func (b *PriceBook) Choose(buyer *Buyer, at *ChargePoint) (c Choice, ok bool) {
	for _, next := range b.order {
		if buyer.Plan != "" && next.weight <= weighsContract {
			break // the agreement is at least as precise as all that follow
		}
		if r := &b.Rules[next.index]; r.fits(buyer, at) {
			return Choice{Plan: r.Plan, Rule: next.index}, true
		}
	}
	return Choice{Plan: buyer.Plan, Rule: Agreed}, buyer.Plan != ""
}

// FeePlan finds the plan whose fees a contract pays: the one that it has at no place in particular.
func (b *PriceBook) FeePlan(buyer *Buyer) (Choice, bool) {
	return b.Choose(&Buyer{Contract: buyer.Contract, Group: buyer.Group, Plan: buyer.Plan}, &ChargePoint{})
}

// Says tells in words what a rule is for, in the order of the precedence. lang is "de" or "en".
func (r *BookRule) Says(lang string) string {
	de := lang == "de"
	pick := func(german, english string) string {
		if de {
			return german
		}
		return english
	}
	var parts []string
	add := func(named bool, text string) {
		if named {
			parts = append(parts, text)
		}
	}
	w := &r.Where
	add(r.Card != "", pick("Karte ", "card ")+r.Card)
	add(r.Contract != "", pick("Vertrag ", "contract ")+r.Contract)
	add(r.Group != "", pick("Gruppe ", "group ")+r.Group)
	add(r.Card+r.Contract+r.Group == "", pick("alle Kunden", "all customers"))
	add(w.EVSE != "", pick("Ladepunkt ", "EVSE ")+w.EVSE)
	add(w.Location != "", pick("Standort ", "location ")+w.Location)
	add(w.Own, pick("eigene Ladepunkte", "own charge points"))
	add(!w.CPO.IsZero(), pick("Betreiber ", "CPO ")+w.CPO.String())
	add(!w.Hub.IsZero(), pick("über ", "through ")+w.Hub.String())
	add(w.Country != "", pick("Land ", "country ")+w.Country)
	place := *w
	place.Current, place.FromKW, place.BelowKW = "", decimal.NullDecimal{}, decimal.NullDecimal{}
	add(place == Where{}, pick("überall", "anywhere"))
	add(w.Current != "", string(w.Current))
	switch {
	case w.FromKW.Valid && w.BelowKW.Valid:
		add(true, pick("von ", "from ")+w.FromKW.Decimal.String()+pick(" bis unter ", " to below ")+w.BelowKW.Decimal.String()+" kW")
	case w.FromKW.Valid:
		add(true, pick("ab ", "from ")+w.FromKW.Decimal.String()+" kW")
	case w.BelowKW.Valid:
		add(true, pick("unter ", "below ")+w.BelowKW.Decimal.String()+" kW")
	}
	return strings.Join(parts, ", ")
}

package billing

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Evidence is what is known about a CDR when its plausibility is judged. What is absent is not known, and the rules that need
// it say nothing.
type Evidence struct {
	CDR        *ocpi.CDR
	Wholesale  Rating
	Verdict    Verdict
	Retail     Rating
	RetailNet  decimal.Decimal // what the customer will be charged, without VAT, in the currency of Retail
	ReceivedAt time.Time
	MaxPower   decimal.NullDecimal // of the connector, kW
	MaxDays    decimal.NullDecimal // that its CDR may come late, if that was agreed with the partner

	Neighbours []Neighbour         // sessions with the same card around this one, and those with the same session id
	Token      TokenProof          // what the card was at the start
	Car        *Car                // that the customer has entered
	Authorized Authorization       // what we know of how the session was authorised
	Place      PlaceProof          // what we know of the charge point
	Tariffs    TariffProof         // what we know of the tariffs that the CDR names
	Agreed     string              // currency that was agreed with the partner; empty: none
	VATRate    decimal.NullDecimal // percent, of electricity at the place
	EVSECosts  CostStatistics      // what other sessions at the charge point cost
	Meter      *MeterProof         // of the signed meter values; nil: nobody has looked
	NeedsMeter bool                // nothing is billed without a valid proof
}

// Neighbour is another session, by its CDR.
type Neighbour struct {
	Session   ocpi.CiString
	SameCard  bool
	Earlier   bool // its CDR came before this one
	Start     time.Time
	End       time.Time
	KWh       decimal.Decimal
	EVSE      ocpi.CiString // evse_id
	Latitude  decimal.NullDecimal
	Longitude decimal.NullDecimal
}

// TokenProof is what a card was when the session began.
type TokenProof struct {
	Known   bool
	Blocked bool
	Expired bool // its contract did not hold
}

// Car bounds what a session can have taken. Absent figures are not known.
type Car struct {
	Battery decimal.NullDecimal // kWh
	MaxAC   decimal.NullDecimal // kW
	MaxDC   decimal.NullDecimal // kW
}

// Authorization is what we know of how a session was authorised.
type Authorization struct {
	Given     bool // we have allowed this card at this partner shortly before the start
	Reference bool // the CDR's authorization_reference is one that we gave for this card
}

// PlaceProof is what we know of a charge point.
type PlaceProof struct {
	Publishes bool // the CPO has shown us Locations at all
	Location  bool // this one among them
	EVSE      bool // with this EVSE
	Public    bool // it is published
	Driveway  bool // it is somebody's drive
}

// TariffProof is what we know of the tariffs of a CDR.
type TariffProof struct {
	Publishes bool // the CPO has shown us tariffs at all
	Unknown   int  // tariffs of the CDR that we did not hold when the session began
	Elsewhere int  // tariffs of the CDR that the connector did not have then
}

// CostStatistics are the costs a kWh, without VAT, of earlier sessions at one charge point.
type CostStatistics struct {
	Sessions  int
	Mean      decimal.Decimal
	Deviation decimal.Decimal // standard deviation
}

// MeterProof is the verdict on the signed meter values of a CDR.
type MeterProof struct {
	Valid  bool
	Reason string              // why not
	Energy decimal.NullDecimal // kWh, between the first and the last value
}

// Text is a sentence in the languages of the platform.
type Text struct{ DE, EN string }

// Limits are the measures beyond which a rule speaks, each louder. One that is absent is never reached.
type Limits struct{ Info, Flag, Block decimal.NullDecimal }

// Rule is one check of plausibility. It measures something of a CDR; the loudest limit that the measure is beyond decides the
// severity.
type Rule struct {
	ID     string // P05
	Case   string // of a rule that measures several things: P07.ac
	What   Text
	Cause  Text // typically
	Action Text // that is suggested
	Unit   string
	Below  bool   // the measure is beyond a limit below it, not above
	At     string // where the rule is checked if not here: the file that does it
	Limits
	measure func(*Evidence) decimal.NullDecimal // absent: the rule has nothing to say about this CDR
}

// Key names a line of the catalogue: P05, or P07.ac.
func (rule *Rule) Key() string {
	if rule.Case == "" {
		return rule.ID
	}
	return rule.ID + "." + rule.Case
}

// Setting is what a utility has set of a rule, in place of the limits of the catalogue.
type Setting struct {
	Enabled bool
	Limits
}

// Rulebook are the settings that count for a CDR, by the key of the rule. A rule that has none is that of the catalogue.
type Rulebook map[string]Setting

// Judgement is what the rules say about a CDR.
type Judgement struct {
	Findings []Finding
	Measures map[string]decimal.Decimal // by the key of the rule, rounded to four decimals; also of rules that are switched off
}

// Judge applies every rule of the catalogue. The code of a finding is the rule's ID; its parameters tell the measure, the
// limit that it is beyond and the key of the rule.
func (b Rulebook) Judge(e Evidence) Judgement {
	j := Judgement{Measures: map[string]decimal.Decimal{}}
	for i := range Rules {
		rule := &Rules[i]
		if rule.measure == nil {
			continue
		}
		value := rule.measure(&e)
		if !value.Valid {
			continue
		}
		measure := Round(value.Decimal, 4)
		j.Measures[rule.Key()] = measure
		if f, hit := rule.judge(measure, b.limits(rule)); hit {
			j.Findings = append(j.Findings, f)
		}
	}
	return j
}

// Judge is Rulebook.Judge with the limits of the catalogue.
func Judge(e Evidence) []Finding { return Rulebook(nil).Judge(e).Findings }

// limits are those that count; none for a rule that is switched off.
func (b Rulebook) limits(rule *Rule) Limits {
	setting, set := b[rule.Key()]
	switch {
	case !set:
		return rule.Limits
	case !setting.Enabled:
		return Limits{}
	}
	return setting.Limits
}

// Beyond reports whether a measure is beyond a limit.
func (rule *Rule) Beyond(measure decimal.Decimal, limit decimal.NullDecimal) bool {
	if rule.Below {
		return limit.Valid && measure.LessThan(limit.Decimal)
	}
	return limit.Valid && measure.GreaterThan(limit.Decimal)
}

// Accepting returns the limits widened so that a measure is beyond none of them.
func (rule *Rule) Accepting(measure decimal.Decimal, l Limits) Limits {
	for _, limit := range []*decimal.NullDecimal{&l.Info, &l.Flag, &l.Block} {
		if rule.Beyond(measure, *limit) {
			limit.Decimal = measure
		}
	}
	return l
}

func (rule *Rule) judge(measure decimal.Decimal, l Limits) (Finding, bool) {
	for _, level := range []struct {
		severity Severity
		limit    decimal.NullDecimal
	}{{Block, l.Block}, {Flag, l.Flag}, {Info, l.Info}} {
		if rule.Beyond(measure, level.limit) {
			shown := Round(measure, 2).String()
			return Finding{
				Code: rule.ID, Severity: level.severity,
				Message: fmt.Sprintf("%s: %s %s, limit %s", rule.What.EN, shown, rule.Unit, level.limit.Decimal),
				Params:  map[string]string{"value": shown, "limit": level.limit.Decimal.String(), "unit": rule.Unit, "rule": rule.Key()},
			}, true
		}
	}
	return Finding{}, false
}

// RuleByKey finds a line of the catalogue.
func RuleByKey(key string) (*Rule, bool) {
	for i := range Rules {
		if Rules[i].Key() == key {
			return &Rules[i], true
		}
	}
	return nil, false
}

func limit(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }

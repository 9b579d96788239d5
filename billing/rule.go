package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Evidence is what is known about a CDR when its plausibility is judged.
type Evidence struct {
	CDR        *ocpi.CDR
	Wholesale  Rating
	Verdict    Verdict
	Retail     Rating
	RetailNet  decimal.Decimal // what the customer will be charged, without VAT, in the currency of Retail
	ReceivedAt time.Time
	MaxPower   decimal.NullDecimal // of the connector, kW
	MaxDays    decimal.NullDecimal // that its CDR may come late, if that was agreed with the partner
	Meter      *MeterProof         // of the signed meter values; nil: nobody has looked
	NeedsMeter bool                // nothing is billed without a valid proof
}

// MeterProof is the verdict on the signed meter values of a CDR.
type MeterProof struct {
	Valid  bool
	Reason string              // why not
	Energy decimal.NullDecimal // kWh, between the first and the last value
}

// Text is a sentence in the languages of the platform.
type Text struct{ DE, EN string }

// Rule is one check of plausibility. It measures something of a CDR; the highest limit that the measure is above decides the
// severity, and a limit that is absent is never reached.
type Rule struct {
	ID         string
	What       Text
	Unit       string // of the measure and the limits
	InfoAbove  decimal.NullDecimal
	FlagAbove  decimal.NullDecimal
	BlockAbove decimal.NullDecimal
	measure    func(*Evidence) decimal.NullDecimal // absent: the rule has nothing to say about this CDR
}

// Rules is the catalogue of plausibility rules with their default limits. A rule with different limits for different cases
// has a line for each.
var Rules = []Rule{
	{ID: "P05", What: Text{"Mehr Energie, als der Anschluss in der Zeit abgeben kann", "More energy than the connector can deliver in the time"},
		Unit: "%", BlockAbove: limit("110"), measure: energyOfPossible},
	{ID: "P07", What: Text{"Ungewöhnlich viel Energie (AC)", "Unusually much energy (AC)"},
		Unit: "kWh", FlagAbove: limit("120"), BlockAbove: limit("1000"), measure: func(e *Evidence) decimal.NullDecimal { return energyIf(e, !e.isDC()) }},
	{ID: "P07", What: Text{"Ungewöhnlich viel Energie (DC)", "Unusually much energy (DC)"},
		Unit: "kWh", FlagAbove: limit("300"), BlockAbove: limit("1000"), measure: func(e *Evidence) decimal.NullDecimal { return energyIf(e, e.isDC()) }},
	{ID: "P08", What: Text{"Negative Menge oder Kosten", "Negative quantity or cost"},
		BlockAbove: limit("0"), measure: negatives},
	{ID: "P11", What: Text{"Sehr langer Ladevorgang", "Very long session"},
		Unit: "h", FlagAbove: limit("24"), BlockAbove: limit("48"), measure: func(e *Evidence) decimal.NullDecimal { return hoursFrom(e.CDR.StartDateTime, e.CDR.EndDateTime) }},
	{ID: "P12", What: Text{"Ende vor dem Beginn", "End before start"},
		Unit: "h", BlockAbove: limit("0"), measure: func(e *Evidence) decimal.NullDecimal { return hoursFrom(e.CDR.EndDateTime, e.CDR.StartDateTime) }},
	{ID: "P14", What: Text{"Ladeabschnitte ergeben nicht die Gesamtenergie", "Charging periods do not sum to the total energy"},
		Unit: "%", FlagAbove: limit("1"), measure: energyDeviation},
	{ID: "P14", What: Text{"Ladeabschnitte ergeben nicht die Gesamtzeit", "Charging periods do not sum to the total time"},
		Unit: "min", FlagAbove: limit("1"), measure: timeDeviation},
	{ID: "P14", What: Text{"Ladeabschnitte decken den Ladevorgang nicht ab", "Charging periods do not cover the session in order"},
		FlagAbove: limit("0"), measure: disorder},
	{ID: "P16", What: Text{"Kosten weichen von der Nachrechnung ab", "Cost differs from the recomputed cost"},
		Unit: "%", FlagAbove: limit("1"), BlockAbove: limit("20"), measure: costDeviation},
	{ID: "P25", What: Text{"Spät eingegangen", "Received late"},
		Unit: "d", InfoAbove: limit("7"), FlagAbove: limit("60"), BlockAbove: limit("90"), measure: lateUsually},
	{ID: "P25", What: Text{"Später eingegangen als vereinbart", "Received later than agreed"},
		Unit: "d", BlockAbove: limit("0"), measure: lateByContract},
	{ID: "P29", What: Text{"Verkaufspreis unter dem Einkaufspreis", "Retail price below wholesale price"},
		FlagAbove: limit("0"), measure: loss},
	{ID: "P31", What: Text{"Signierter Messwert fehlt oder ist ungültig", "Signed meter value missing or not valid"},
		FlagAbove: limit("0"), BlockAbove: limit("1"), measure: meterProof},
	{ID: "P31", What: Text{"Signierter Messwert weicht von der Gesamtenergie ab", "Signed meter value differs from the total energy"},
		Unit: "%", FlagAbove: limit("1"), measure: meterDeviation},
}

// Judge applies every rule of the catalogue. The code of a finding is the rule's ID; its parameters tell the measure and the
// limit that it is above.
func Judge(e Evidence) []Finding {
	var findings []Finding
	for _, rule := range Rules {
		if f, hit := rule.judge(&e); hit {
			findings = append(findings, f)
		}
	}
	return findings
}

func (rule *Rule) judge(e *Evidence) (Finding, bool) {
	value := rule.measure(e)
	if !value.Valid {
		return Finding{}, false
	}
	for _, level := range []struct {
		severity Severity
		above    decimal.NullDecimal
	}{{Block, rule.BlockAbove}, {Flag, rule.FlagAbove}, {Info, rule.InfoAbove}} {
		if level.above.Valid && value.Decimal.GreaterThan(level.above.Decimal) {
			shown := value.Decimal.Round(2).String()
			return Finding{
				Code: rule.ID, Severity: level.severity,
				Message: fmt.Sprintf("%s: %s %s, limit %s", rule.What.EN, shown, rule.Unit, level.above.Decimal),
				Params:  map[string]string{"value": shown, "limit": level.above.Decimal.String(), "unit": rule.Unit},
			}, true
		}
	}
	return Finding{}, false
}

func limit(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }

func (e *Evidence) isDC() bool { return e.CDR.CDRLocation.ConnectorPowerType == ocpi.PowerDC }

func energyIf(e *Evidence, applies bool) decimal.NullDecimal {
	if !applies || !e.CDR.TotalEnergy.Valid {
		return decimal.NullDecimal{}
	}
	return e.CDR.TotalEnergy
}

// energyOfPossible is the energy in percent of what the connector could have delivered. A connector of unknown power is
// taken for the strongest that is common: 22 kW of alternating, 400 kW of direct current.
func energyOfPossible(e *Evidence) decimal.NullDecimal {
	power := decimal.NewFromInt(22)
	if e.isDC() {
		power = decimal.NewFromInt(400)
	}
	if e.MaxPower.Valid {
		power = e.MaxPower.Decimal
	}
	hours := hoursFrom(e.CDR.StartDateTime, e.CDR.EndDateTime)
	possible := power.Mul(hours.Decimal)
	if !e.CDR.TotalEnergy.Valid || !hours.Valid || !possible.IsPositive() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(e.CDR.TotalEnergy.Decimal.Mul(hundred).DivRound(possible, 4))
}

// negatives counts what must not be negative and is. The total of a credit CDR must.
func negatives(e *Evidence) decimal.NullDecimal {
	c := e.CDR
	figures := []decimal.NullDecimal{c.TotalEnergy, c.TotalTime, c.TotalParkingTime}
	if !c.Credit {
		for _, price := range []*ocpi.Price{&c.TotalCost, c.TotalFixedCost, c.TotalEnergyCost, c.TotalTimeCost, c.TotalParkingCost, c.TotalReservationCost} {
			if price != nil {
				figures = append(figures, price.ExclVAT, price.InclVAT)
			}
		}
	}
	count := int64(0)
	for _, figure := range figures {
		if figure.Decimal.IsNegative() {
			count++
		}
	}
	return decimal.NewNullDecimal(decimal.NewFromInt(count))
}

// hoursFrom is absent where one of the instants is, or is not known.
func hoursFrom(start, end time.Time) decimal.NullDecimal {
	if known(start).IsZero() || known(end).IsZero() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(hoursOf(secondsOf(end.Sub(start))))
}

func energyDeviation(e *Evidence) decimal.NullDecimal {
	total := e.CDR.TotalEnergy
	if !tells(e.CDR, ocpi.DimensionEnergy) || total.Decimal.IsZero() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(percentOff(e.Wholesale.TotalEnergy, total.Decimal))
}

// percentOff is how far value is from base, in percent of base, which is not zero.
func percentOff(value, base decimal.Decimal) decimal.Decimal {
	return value.Sub(base).Abs().Mul(hundred).DivRound(base.Abs(), 4)
}

func timeDeviation(e *Evidence) decimal.NullDecimal {
	if !tells(e.CDR, ocpi.DimensionTime, ocpi.DimensionParkingTime) || !e.CDR.TotalTime.Valid {
		return decimal.NullDecimal{}
	}
	minutes := e.Wholesale.TotalTime.Sub(e.CDR.TotalTime.Decimal).Abs().Mul(decimal.NewFromInt(60))
	return decimal.NewNullDecimal(minutes)
}

var disorderly = []string{"periods-unsorted", "period-before-start", "period-after-end", "late-first-period", "no-periods"}

func disorder(e *Evidence) decimal.NullDecimal {
	count := int64(0)
	for _, f := range e.Wholesale.Findings {
		if slices.Contains(disorderly, f.Code) {
			count++
		}
	}
	return decimal.NewNullDecimal(decimal.NewFromInt(count))
}

// costDeviation is the difference of the claimed from the computed total in percent, if there is one beyond the tolerance
// and beyond a cent, and if the price could be computed at all.
func costDeviation(e *Evidence) decimal.NullDecimal {
	if Worst(e.Wholesale.Findings) == Block {
		return decimal.NullDecimal{}
	}
	for _, d := range e.Verdict.Differences {
		if d.Figure != "total_cost.excl_vat" || d.Delta().Abs().LessThanOrEqual(cent) {
			continue
		}
		if d.Computed.IsZero() {
			return decimal.NewNullDecimal(hundred)
		}
		return decimal.NewNullDecimal(percentOff(d.Claimed, d.Computed))
	}
	return decimal.NullDecimal{}
}

// lateUsually is the lateness where nothing was agreed about it.
func lateUsually(e *Evidence) decimal.NullDecimal {
	if e.MaxDays.Valid {
		return decimal.NullDecimal{}
	}
	return lateness(e)
}

// lateByContract is the days by which a CDR is later than agreed.
func lateByContract(e *Evidence) decimal.NullDecimal {
	days := lateness(e)
	if !e.MaxDays.Valid || !days.Valid {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(days.Decimal.Sub(e.MaxDays.Decimal))
}

// lateness is the days from the end of the session to the receipt of its CDR.
func lateness(e *Evidence) decimal.NullDecimal {
	hours := hoursFrom(e.CDR.EndDateTime, e.ReceivedAt)
	if !hours.Valid {
		return hours
	}
	return decimal.NewNullDecimal(hours.Decimal.DivRound(decimal.NewFromInt(24), 4))
}

// loss is by how much the CPO's claim exceeds what the customer pays, both without VAT. Amounts in different currencies are
// not compared.
func loss(e *Evidence) decimal.NullDecimal {
	claimed := e.CDR.TotalCost.ExclVAT
	if !claimed.Valid || e.CDR.Credit || e.Retail.Currency != e.CDR.Currency {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(claimed.Decimal.Sub(e.RetailNet))
}

// meterProof is 0 for a valid proof, 1 without one, 2 if nothing is billed without. If nobody has looked, it is absent.
func meterProof(e *Evidence) decimal.NullDecimal {
	switch {
	case e.Meter == nil:
		return decimal.NullDecimal{}
	case e.Meter.Valid:
		return decimal.NewNullDecimal(decimal.Zero)
	case e.NeedsMeter:
		return decimal.NewNullDecimal(decimal.NewFromInt(2))
	}
	return decimal.NewNullDecimal(decimal.NewFromInt(1))
}

// meterDeviation is how far the proven energy is from what the CDR claims, in percent of the claim.
func meterDeviation(e *Evidence) decimal.NullDecimal {
	total := e.CDR.TotalEnergy
	if e.Meter == nil || !e.Meter.Valid || !e.Meter.Energy.Valid || !total.Valid || total.Decimal.IsZero() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(percentOff(e.Meter.Energy.Decimal, total.Decimal))
}

package billing

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Tolerance is how far a claim may be from the computed figure. Amounts are in the currency of the CDR.
type Tolerance struct {
	PerLine  decimal.Decimal // of amounts, for each line of the rating
	Relative decimal.Decimal // of amounts, as a fraction of the computed one; the wider of the two counts
	Energy   decimal.Decimal // kWh
	Time     decimal.Decimal // hours, for each charging period
}

// DefaultTolerance is half a cent a line (PRC-32), a watt-hour, and what four decimals of an hour can tell (PRC-14).
var DefaultTolerance = Tolerance{
	PerLine: decimal.New(5, -3),
	Energy:  decimal.New(1, -3),
	Time:    decimal.New(1, -4),
}

// Verdict is the outcome of the wholesale check of a CDR.
type Verdict struct {
	Agrees      bool         // every figure that the CDR claims is the computed one, within the tolerance
	Differences []Difference // those that are not
	Findings    []Finding    // where the CDR contradicts itself, whatever the price (PRC-33)
	Reading     string       // the policy that the rating followed, or, after Review, the one that reproduces the claim
}

// Difference is a figure that a CDR claims and that comes out differently.
type Difference struct {
	Figure    string // path in the CDR: "total_cost.excl_vat"
	Claimed   decimal.Decimal
	Computed  decimal.Decimal
	Tolerance decimal.Decimal
}

// Delta is what the CDR claims too much; negative: too little.
func (d Difference) Delta() decimal.Decimal { return d.Claimed.Sub(d.Computed) }

// Review rates a CDR by its CPO's tariffs and checks its claims. Where the first reading does not reproduce them, the
// verdict names the first of the others that does, if any: the rating stays that of the first.
func Review(cdr *ocpi.CDR, tariffs []*Tariff, zone *time.Location, readings []Policy, tol Tolerance) (Rating, Verdict) {
	rating := Rate(cdr, tariffs, zone, readings[0])
	v := Check(cdr, rating, tol)
	if v.Agrees {
		return rating, v
	}
	v.Reading = ""
	for _, p := range readings[1:] {
		if Check(cdr, Rate(cdr, tariffs, zone, p), tol).Agrees {
			v.Reading = p.Name
			break
		}
	}
	return rating, v
}

// Check compares each figure that a CDR states with the computed one. A difference is never a reason to refuse a CDR
// (CDR-21). Sub-totals of a credit CDR may be negated or not (CDR-10).
func Check(cdr *ocpi.CDR, r Rating, tol Tolerance) Verdict {
	c := checker{tolerance: tol, rating: &r, credit: cdr.Credit}
	c.price("total_cost", &cdr.TotalCost, r.Total, false)
	c.price("total_fixed_cost", cdr.TotalFixedCost, r.Fixed, true)
	c.price("total_energy_cost", cdr.TotalEnergyCost, r.Energy, true)
	c.price("total_time_cost", cdr.TotalTimeCost, r.Time, true)
	c.price("total_parking_cost", cdr.TotalParkingCost, r.Parking, true)
	c.price("total_reservation_cost", cdr.TotalReservationCost, r.Reservation, true)
	if tells(cdr, ocpi.DimensionEnergy) {
		c.figure("total_energy", cdr.TotalEnergy, r.TotalEnergy, tol.Energy)
	}
	if tells(cdr, ocpi.DimensionTime, ocpi.DimensionParkingTime) {
		allowed := tol.Time.Mul(decimal.NewFromInt(int64(len(cdr.ChargingPeriods))))
		c.figure("total_time", cdr.TotalTime, r.TotalTime, allowed)
		c.figure("total_parking_time", cdr.TotalParkingTime, r.TotalParkingTime, allowed)
	}
	return Verdict{
		Agrees:      len(c.differences) == 0,
		Differences: c.differences,
		Findings:    contradictions(cdr, r, tol),
		Reading:     r.Policy,
	}
}

// tells reports whether some period has one of the dimensions. Without, a total has nothing to be compared with.
func tells(cdr *ocpi.CDR, dims ...ocpi.CDRDimensionType) bool {
	for i := range cdr.ChargingPeriods {
		for k := range cdr.ChargingPeriods[i].Dimensions {
			for _, dim := range dims {
				if cdr.ChargingPeriods[i].Dimensions[k].Type == dim {
					return true
				}
			}
		}
	}
	return false
}

type checker struct {
	tolerance   Tolerance
	rating      *Rating
	credit      bool
	differences []Difference
}

func (c *checker) price(name string, claimed *ocpi.Price, computed Amount, part bool) {
	if claimed == nil {
		return
	}
	for _, side := range []struct {
		name     string
		claimed  decimal.NullDecimal
		computed decimal.Decimal
	}{{".excl_vat", claimed.ExclVAT, computed.ExclVAT}, {".incl_vat", claimed.InclVAT, computed.InclVAT}} {
		if part && c.credit {
			side.claimed.Decimal = side.claimed.Decimal.Abs()
		}
		c.figure(name+side.name, side.claimed, side.computed, c.tolerance.of(side.computed, len(c.rating.Lines)).Add(c.rating.Slack))
	}
}

// of returns the tolerance of an amount that was summed up from some lines.
func (t Tolerance) of(amount decimal.Decimal, lines int) decimal.Decimal {
	absolute := t.PerLine.Mul(decimal.NewFromInt(int64(max(lines, 1))))
	return decimal.Max(absolute, t.Relative.Mul(amount.Abs()))
}

func (c *checker) figure(name string, claimed decimal.NullDecimal, computed, tolerance decimal.Decimal) {
	if claimed.Valid && claimed.Decimal.Sub(computed).Abs().GreaterThan(tolerance) {
		c.differences = append(c.differences, Difference{Figure: name, Claimed: claimed.Decimal, Computed: computed, Tolerance: tolerance})
	}
}

// contradictions finds where the figures of a CDR do not fit each other (PRC-33).
func contradictions(cdr *ocpi.CDR, r Rating, tol Tolerance) []Finding {
	var findings []Finding
	find := func(code, path, message string) {
		findings = append(findings, Finding{Code: code, Severity: Flag, Path: path, Message: message})
	}
	if excl, incl := cdr.TotalCost.ExclVAT, cdr.TotalCost.InclVAT; incl.Valid && incl.Decimal.Abs().LessThan(excl.Decimal.Abs()) {
		find("vat-negative", "total_cost.incl_vat", "the total with VAT is below the total without")
	}
	limited := slices.ContainsFunc(r.Lines, func(l Line) bool { return l.Element < 0 })
	sum, stated, comparable := decimal.Zero, false, !limited && cdr.TotalCost.ExclVAT.Valid
	for _, part := range []struct {
		claimed  *ocpi.Price
		computed Amount
	}{
		{cdr.TotalFixedCost, r.Fixed}, {cdr.TotalEnergyCost, r.Energy}, {cdr.TotalTimeCost, r.Time},
		{cdr.TotalParkingCost, r.Parking}, {cdr.TotalReservationCost, r.Reservation},
	} {
		if part.claimed != nil && part.claimed.ExclVAT.Valid {
			claimed := part.claimed.ExclVAT.Decimal
			if cdr.Credit { // the total is negated, the parts may be (CDR-10)
				claimed = claimed.Abs()
			}
			sum, stated = sum.Add(claimed), true
		} else if !part.computed.ExclVAT.IsZero() {
			comparable = false // left out, not nothing
		}
	}
	if comparable && stated && sum.Abs().Sub(cdr.TotalCost.ExclVAT.Decimal.Abs()).Abs().GreaterThan(tol.of(sum, len(r.Lines))) {
		find("parts-differ", "total_cost.excl_vat", "the costs of the parts do not sum to the total, and no limit explains it")
	}
	return findings
}

package billing

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Tolerance is how far the claims of a partner may be from the computed figures. Amounts are in the currency of the CDR.
type Tolerance struct {
	PerLine  decimal.Decimal // of amounts, for each line of the rating
	Relative decimal.Decimal // of amounts, as a fraction of the computed one; the wider of the two counts
	Energy   decimal.Decimal // kWh
	Time     decimal.Decimal // hours, for each charging period

	Month         decimal.Decimal // of what is tolerated, summed over the CDRs that a partner is paid for in a month; zero: without limit
	MonthRelative decimal.Decimal // the same as a fraction of what was computed for them; the wider of the two counts
}

// DefaultTolerance is half a cent a line (PRC-32), a watt-hour, and what four decimals of an hour can tell (PRC-14). In a
// month it may come to five euros, or to a thousandth of what the partner is paid.
var DefaultTolerance = Tolerance{
	PerLine: decimal.New(5, -3),
	Energy:  decimal.New(1, -3),
	Time:    decimal.New(1, -4),

	Month:         decimal.New(5, 0),
	MonthRelative: decimal.New(1, -3),
}

// Verdict is the outcome of the wholesale check of a CDR.
type Verdict struct {
	Agrees      bool         // every figure that the CDR claims is the computed one, within the tolerance
	Differences []Difference // those that are not
	Findings    []Finding    // where the CDR contradicts itself, whatever the price (PRC-33)
	Reading     string       // the policy that the rating followed, or, after Review, the one that reproduces the claim
	AtStake     string       // after Review: the finding between whose cheapest and dearest reading the claim lies
	Tariffs     []TariffComparison
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

// Review rates a CDR by its CPO's tariffs and checks its claims. Where the partner's own reading, the first, does not reproduce
// them, the verdict names the first of the others that does, if any: the rating stays that of the first. A claim that no
// reading explains may lie within what a malformed CDR leaves open.
func Review(cdr *ocpi.CDR, tariffs []*Tariff, zone *time.Location, readings []Policy, tol Tolerance) (Rating, Verdict) {
	rating := Rate(cdr, tariffs, zone, readings[0])
	v := Check(cdr, rating, tol)
	if v.Agrees {
		return rating, v
	}
	v.Reading, v.AtStake = "", ""
	for _, p := range readings[1:] {
		other := Rate(cdr, tariffs, zone, p)
		other.Slack = decimal.Zero // a reading explains a claim by reproducing it
		if p.Name != readings[0].Name && Check(cdr, other, tol).Agrees {
			v.Reading = p.Name
			return rating, v
		}
	}
	v.AtStake = atStake(cdr, &rating)
	return rating, v
}

// atStake is the code of the first finding between whose cheapest and dearest reading the claimed total lies.
func atStake(cdr *ocpi.CDR, r *Rating) string {
	for i := range r.Findings {
		params := r.Findings[i].Params
		claimed := cdr.TotalCost.ExclVAT
		if params["side"] == "incl_vat" {
			claimed = cdr.TotalCost.InclVAT
		}
		cheapest, err := decimal.NewFromString(params["cheapest"])
		dearest, err2 := decimal.NewFromString(params["dearest"])
		if err == nil && err2 == nil && params["side"] != "" && claimed.Valid {
			amount := claimed.Decimal
			if cdr.Credit {
				amount = amount.Neg()
			}
			if amount.GreaterThanOrEqual(cheapest) && amount.LessThanOrEqual(dearest) {
				return r.Findings[i].Code
			}
		}
	}
	return ""
}

// Check compares each figure that a CDR states with the computed one. A difference is never a reason to refuse a CDR
// (CDR-21). Sub-totals of a credit CDR may be negated or not (CDR-10).
func Check(cdr *ocpi.CDR, r Rating, tol Tolerance) Verdict {
	c := checker{
		credit:   cdr.Credit,
		absolute: numberOf(tol.PerLine).mul(integer(int64(max(len(r.Lines), 1)), 0)), relative: numberOf(tol.Relative), slack: numberOf(r.Slack),
	}
	c.price("total_cost", &cdr.TotalCost, r.Total, false)
	c.price("total_fixed_cost", cdr.TotalFixedCost, r.Fixed, true)
	c.price("total_energy_cost", cdr.TotalEnergyCost, r.Energy, true)
	c.price("total_time_cost", cdr.TotalTimeCost, r.Time, true)
	c.price("total_parking_cost", cdr.TotalParkingCost, r.Parking, true)
	c.price("total_reservation_cost", cdr.TotalReservationCost, r.Reservation, true)
	if tells(cdr, ocpi.DimensionEnergy) {
		c.quantity("total_energy", cdr.TotalEnergy, r.TotalEnergy, numberOf(tol.Energy))
	}
	if tells(cdr, ocpi.DimensionTime, ocpi.DimensionParkingTime) {
		allowed := numberOf(tol.Time).mul(integer(int64(len(cdr.ChargingPeriods)), 0))
		c.quantity("total_time", cdr.TotalTime, r.TotalTime, allowed)
		c.quantity("total_parking_time", cdr.TotalParkingTime, r.TotalParkingTime, allowed)
	}
	return Verdict{
		Agrees:      len(c.differences) == 0,
		Differences: c.differences,
		Findings:    c.contradictions(cdr, &r),
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
	credit                    bool
	absolute, relative, slack number // of amounts
	differences               []Difference
}

func (c *checker) price(name string, claimed *ocpi.Price, computed Amount, part bool) {
	if claimed == nil {
		return
	}
	excl, incl := claimed.ExclVAT, claimed.InclVAT
	if part && c.credit {
		excl.Decimal, incl.Decimal = excl.Decimal.Abs(), incl.Decimal.Abs()
	}
	c.amount(name, ".excl_vat", excl, computed.ExclVAT)
	c.amount(name, ".incl_vat", incl, computed.InclVAT)
}

func (c *checker) amount(name, side string, claimed decimal.NullDecimal, computed decimal.Decimal) {
	if !claimed.Valid {
		return
	}
	exact := numberOf(computed)
	off := numberOf(claimed.Decimal).sub(exact).abs()
	if off.isZero() {
		return
	}
	if allowed := c.of(exact).add(c.slack); off.cmp(allowed) > 0 {
		c.differs(name+side, claimed.Decimal, computed, allowed)
	}
}

// of is the tolerance of an amount.
func (c *checker) of(amount number) number {
	if relative := c.relative.mul(amount.abs()); relative.cmp(c.absolute) > 0 {
		return relative
	}
	return c.absolute
}

func (c *checker) quantity(name string, claimed decimal.NullDecimal, computed decimal.Decimal, allowed number) {
	if claimed.Valid && numberOf(claimed.Decimal).sub(numberOf(computed)).abs().cmp(allowed) > 0 {
		c.differs(name, claimed.Decimal, computed, allowed)
	}
}

func (c *checker) differs(figure string, claimed, computed decimal.Decimal, allowed number) {
	c.differences = append(c.differences, Difference{Figure: figure, Claimed: claimed, Computed: computed, Tolerance: allowed.decimal()})
}

// contradictions finds where the figures of a CDR do not fit each other (PRC-33). That its totals are not the sums of its
// periods is a difference already, and that its currency is not the tariffs' a finding of the rating.
func (c *checker) contradictions(cdr *ocpi.CDR, r *Rating) []Finding {
	var findings []Finding
	find := func(code, path, message string) {
		findings = append(findings, Finding{Code: code, Severity: Flag, Path: path, Message: message})
	}
	if taxedBelow(&cdr.TotalCost) {
		find("vat-negative", "total_cost.incl_vat", "the total with VAT is below the total without")
	}
	limited := slices.ContainsFunc(r.Lines, func(l Line) bool { return l.Element < 0 })
	var sum number
	stated, comparable := false, !limited && cdr.TotalCost.ExclVAT.Valid
	for _, part := range []struct {
		path     string
		claimed  *ocpi.Price
		computed decimal.Decimal
	}{
		{"total_fixed_cost", cdr.TotalFixedCost, r.Fixed.ExclVAT}, {"total_energy_cost", cdr.TotalEnergyCost, r.Energy.ExclVAT},
		{"total_time_cost", cdr.TotalTimeCost, r.Time.ExclVAT}, {"total_parking_cost", cdr.TotalParkingCost, r.Parking.ExclVAT},
		{"total_reservation_cost", cdr.TotalReservationCost, r.Reservation.ExclVAT},
	} {
		if part.claimed != nil && taxedBelow(part.claimed) {
			find("vat-negative", part.path+".incl_vat", "the part with VAT is below the part without")
		}
		if part.claimed != nil && part.claimed.ExclVAT.Valid {
			claimed := numberOf(part.claimed.ExclVAT.Decimal)
			if cdr.Credit { // the total is negated, the parts may be (CDR-10)
				claimed = claimed.abs()
			}
			sum, stated = sum.add(claimed), true
		} else if !part.computed.IsZero() {
			comparable = false // left out, not nothing
		}
	}
	if comparable && stated && sum.abs().sub(numberOf(cdr.TotalCost.ExclVAT.Decimal).abs()).abs().cmp(c.of(sum)) > 0 {
		find("parts-differ", "total_cost.excl_vat", "the costs of the parts do not sum to the total, and no limit explains it")
	}
	if cdr.TotalParkingTime.Valid && cdr.TotalTime.Valid && numberOf(cdr.TotalParkingTime.Decimal).cmp(numberOf(cdr.TotalTime.Decimal)) > 0 {
		find("parking-exceeds-time", "total_parking_time", "the car parked longer than it was connected")
	}
	return findings
}

// taxedBelow reports whether an amount with VAT is below the one without.
func taxedBelow(p *ocpi.Price) bool {
	return p.InclVAT.Valid && p.ExclVAT.Valid && numberOf(p.InclVAT.Decimal).abs().cmp(numberOf(p.ExclVAT.Decimal).abs()) < 0
}

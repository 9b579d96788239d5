package billing

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// Drift is what a partner's claims and our figures come to over the CDRs of a month that agree. Each difference is small; a CPO
// that always rounds up makes them add up.
type Drift struct {
	CDRs     int
	Claimed  decimal.Decimal // without VAT
	Computed decimal.Decimal
}

// Delta is what the CDRs claim too much together.
func (d Drift) Delta() decimal.Decimal { return d.Claimed.Sub(d.Computed) }

// Limit is what the delta may come to; zero: without limit.
func (d Drift) Limit(tol Tolerance) decimal.Decimal {
	return decimal.Max(tol.Month, tol.MonthRelative.Mul(d.Computed.Abs()))
}

// Exceeds returns the finding about a month whose tolerated differences add up to more than the tolerance allows, nil if they
// do not, or in the customer's favour.
func (d Drift) Exceeds(tol Tolerance, currency string) *Finding {
	limit := d.Limit(tol)
	if !limit.IsPositive() || !d.Delta().GreaterThan(limit) {
		return nil
	}
	return &Finding{
		Code: "differences-add-up", Severity: Flag, Path: "total_cost.excl_vat",
		Message: fmt.Sprintf("the tolerated differences of %d CDRs of this month come to %s %s, more than %s", d.CDRs, d.Delta(), currency, limit),
		Params: map[string]string{
			"cdrs": fmt.Sprint(d.CDRs), "claimed": d.Claimed.String(), "computed": d.Computed.String(), "delta": d.Delta().String(),
			"limit": limit.String(), "currency": currency,
		},
	}
}

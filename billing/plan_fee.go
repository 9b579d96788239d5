package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// FeeDays is the part of a calendar month in which a contract ran: whole days in the utility's time zone, the day on which it
// begins and the day on which it ends included.
type FeeDays struct {
	First, Last time.Time // midnight at the beginning of each, in the zone
	Days, Of    int       // of the contract, of the month
}

// DaysOf finds the days of a contract in a month. Days is 0 if it did not run then. A contract that ends at midnight does not
// have the day that begins there.
func DaysOf(month time.Time, zone *time.Location, from time.Time, to *time.Time) FeeDays {
	first := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, zone)
	last := first.AddDate(0, 1, -1)
	d := FeeDays{First: first, Last: last, Of: last.Day()}
	if begin := midnight(from, zone); begin.After(d.First) {
		d.First = begin
	}
	if to != nil {
		if end := midnight(to.Add(-1), zone); end.Before(d.Last) {
			d.Last = end
		}
	}
	if !d.First.After(d.Last) {
		d.Days = d.Last.Day() - d.First.Day() + 1
	}
	return d
}

func midnight(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// BaseFee is the fee of a month for its part in which the contract ran: the fee times the days over the days of the month,
// rounded once.
func BaseFee(price decimal.Decimal, d FeeDays, currency string) decimal.Decimal {
	if d.Days == d.Of {
		return RoundCurrency(price, currency)
	}
	return RoundCurrency(price.Mul(decimal.NewFromInt(int64(d.Days))).DivRound(decimal.NewFromInt(int64(d.Of)), workPlaces), currency)
}

// FeeAmounts completes a fee by its other side, in cents. The side that the plan promises is exact.
func FeeAmounts(amount decimal.Decimal, taxIncluded bool, vat VAT) (net, gross decimal.Decimal) {
	if !taxIncluded {
		return amount, Round(amount.Mul(hundred.Add(vat.Rate)).Div(hundred), 2)
	}
	nets, _ := netOfGross([]decimal.Decimal{amount}, vat.Rate)
	return nets[0], amount
}

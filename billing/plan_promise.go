package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// Voucher is a price reduction that a customer has redeemed (a rebate, § 17 UStG: it lowers what is taxed; it is no means of
// payment). Sessions draw it down in the order in which they are rated.
type Voucher struct {
	Code    string
	Percent decimal.Decimal     // off each session; zero: Left is taken off until nothing is left
	Left    decimal.NullDecimal // what it may still take off, on the promised side; absent: without end
	From    time.Time           // of the session's start
	To      time.Time           // exclusive; zero: for ever
}

// Redeem takes vouchers off a price that everything else was taken off already, in their order, each from what the one before
// has left. drawn tells what each has given, in whole minor units of the currency, by its index.
func Redeem(r *Rating, vouchers []Voucher, start time.Time) (drawn []decimal.Decimal) {
	drawn = make([]decimal.Decimal, len(vouchers))
	for i := range vouchers {
		v := &vouchers[i]
		if start.Before(v.From) || !v.To.IsZero() && !start.Before(v.To) || len(r.Lines) == 0 {
			continue
		}
		a := newReducer(r)
		// The session is billed in whole cents, so a voucher that pays all of it pays those cents, and the lines are exact.
		payable := RoundCurrency(a.total, r.Currency)
		off, amount := payable, a.total
		if v.Percent.IsPositive() {
			off = RoundCurrency(payable.Mul(v.Percent).Shift(-2), r.Currency)
		}
		if v.Left.Valid && v.Left.Decimal.LessThan(off) {
			off = v.Left.Decimal
		}
		if off.LessThan(payable) {
			amount = off
		}
		if off.IsPositive() && a.reduceAll(Redeemed, v.Code, amount) {
			drawn[i] = off
		}
	}
	return drawn
}

// KeepPromise waives what a session costs more than by the plan that its driver was shown (product promise, AFIR art. 5(5):
// the price is known before the start). It returns what was waived, on the promised side.
func KeepPromise(r *Rating, shown *Rating) decimal.Decimal {
	if r.Currency != shown.Currency || len(r.Lines) == 0 {
		return decimal.Zero
	}
	a := newReducer(r)
	promised := shown.Total.ExclVAT
	if a.included {
		promised = shown.Total.InclVAT
	}
	waived := a.total.Sub(promised)
	if !a.reduceAll(Promised, "", waived) {
		return decimal.Zero
	}
	return waived
}

// BrokenPromise is the finding about a session whose price was held at what had been shown.
func BrokenPromise(shown, rated, waived decimal.Decimal) Finding {
	return Finding{
		Code: "price-promise", Severity: Flag, Path: "authorization_reference",
		Message: "the price is above the one shown when the session was authorised; the difference is waived",
		Params:  map[string]string{"shown": shown.String(), "rated": rated.String(), "waived": waived.String(), "value": rated.String(), "limit": shown.String()},
	}
}

package billing

import "github.com/shopspring/decimal"

// Booked lets a test hold what a back-test books to what Items does.
func Booked(total Amount, included bool, vat VAT) (net, gross decimal.Decimal) {
	n, g := booked(total, included, numberOf(vat.Rate))
	return n.decimal(), g.decimal()
}

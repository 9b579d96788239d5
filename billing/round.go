package billing

import (
	"cmp"

	"github.com/shopspring/decimal"
)

// amountPlaces is the number of decimals of a computed figure. A third of a kilowatt-hour at 0.29 has no end; everything
// that ends earlier, as nearly all prices do, is exact.
const amountPlaces = 10

// workPlaces is the number of decimals kept where a quotient has to be taken in the middle of a computation.
const workPlaces = 20

// MinorUnits returns the number of decimals of a currency (ISO 4217): 2, except for the few that have none or three.
func MinorUnits(currency string) int32 {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

// Round rounds half away from zero, as merchants do.
func Round(d decimal.Decimal, places int32) decimal.Decimal { return d.Round(places) }

// RoundCurrency rounds an amount to the minor unit of its currency, half away from zero.
func RoundCurrency(amount decimal.Decimal, currency string) decimal.Decimal {
	return amount.Round(MinorUnits(currency))
}

// amount turns 3600ths of the currency unit into a figure: the one place where a price is rounded.
func (p *Policy) amount(in3600ths number) number {
	places := cmp.Or(p.Places, amountPlaces)
	if p.Truncate {
		return in3600ths.cut(secondsPerHour, places)
	}
	return in3600ths.quo(secondsPerHour, places)
}

// cents rounds to cents, half away from zero.
func (n number) cents() number { return n.quo(once, 2) }

// inHours turns seconds into hours as they are shown.
func inHours(seconds number) number { return seconds.quo(secondsPerHour, amountPlaces) }

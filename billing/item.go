package billing

import (
	"slices"

	"github.com/shopspring/decimal"
)

// Item is a part of a rated session as it is booked: in cents, without and with VAT.
type Item struct {
	Line  Line // where the amount comes from
	Net   decimal.Decimal
	Gross decimal.Decimal
}

// Items splits the price of a session into bookable amounts. The promised side of the price (with VAT where the tariff's
// prices include it, without otherwise) is rounded to cents once, for the whole session; the parts sum to it, the residue
// going to the parts with the largest remainders. The other side follows from the VAT decision in the same way.
func Items(r Rating, vat VAT) (items []Item, net, gross decimal.Decimal) {
	if len(r.Lines) == 0 {
		return nil, decimal.Zero, decimal.Zero
	}
	included := r.Lines[0].TaxIncluded
	factor := hundred.Add(vat.Rate).Div(hundred)
	exact := make([]decimal.Decimal, len(r.Lines))
	for i, l := range r.Lines {
		if included {
			exact[i] = l.InclVAT
		} else {
			exact[i] = l.ExclVAT
		}
	}
	var promised, derived []decimal.Decimal
	if included {
		gross = Round(r.Total.InclVAT, 2)
		promised = spread(exact, gross)
		derived, net = netOfGross(promised, vat.Rate)
	} else {
		net = Round(r.Total.ExclVAT, 2)
		gross = Round(net.Mul(factor), 2)
		promised = spread(exact, net)
		for i := range exact {
			exact[i] = promised[i].Mul(factor)
		}
		derived = spread(exact, gross)
	}
	items = make([]Item, len(r.Lines))
	for i, l := range r.Lines {
		items[i] = Item{Line: l, Net: promised[i], Gross: derived[i]}
		if included {
			items[i].Net, items[i].Gross = derived[i], promised[i]
		}
	}
	return items, net, gross
}

// ItemsReversed is Items where the customer owes the tax itself: a price that includes VAT is paid without that of the place
// (taxed), for nobody charges it.
func ItemsReversed(r Rating, taxed VAT) (items []Item, net, gross decimal.Decimal) {
	items, net, _ = Items(r, taxed)
	for i := range items {
		items[i].Gross = items[i].Net
	}
	return items, net, net
}

// booked is what Items comes to: the amounts of a session by its total alone. included tells which side was promised.
func booked(total Amount, included bool, rate number) (net, gross number) {
	percent := integer(100, 0).add(rate)
	if included {
		gross = numberOf(total.InclVAT).cents()
		return gross.shift(2).quo(percent, 2), gross
	}
	net = numberOf(total.ExclVAT).cents()
	return net, net.mul(percent).shift(-2).cents()
}

// spread rounds parts to cents so that they sum to total, which is in cents and within a cent a part of their sum: each part
// is cut to the cent below it, and the cents that are missing go to the largest remainders, the earlier part first.
func spread(parts []decimal.Decimal, total decimal.Decimal) []decimal.Decimal {
	rounded := make([]decimal.Decimal, len(parts))
	order := make([]int, len(parts))
	missing := total
	for i, p := range parts {
		rounded[i], order[i] = p.RoundFloor(2), i
		missing = missing.Sub(rounded[i])
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return parts[b].Sub(rounded[b]).Cmp(parts[a].Sub(rounded[a]))
	})
	for n, step := missing.Shift(2).IntPart(), 0; n != 0 && len(order) > 0; step++ {
		unit := cent
		if n < 0 { // a limit rounded the total below the parts
			unit = cent.Neg()
		}
		i := order[step%len(order)]
		rounded[i] = rounded[i].Add(unit)
		n -= unit.Shift(2).IntPart()
	}
	return rounded
}

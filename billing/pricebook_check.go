package billing

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Network is a column of the price matrix: charge points that a product manager thinks of together. Where may be open in its
// power, never in the rest of what rules ask for.
type Network struct {
	Name string
	At   ChargePoint
}

// Cell is what the book says of a customer group in a network: one price, several by power class, or none.
type Cell struct {
	Group   string // empty: customers in no group
	Network int
	Prices  []CellPrice // by rising power
}

// CellPrice is the choice for a range of power. Without the upper end it goes on for ever.
type CellPrice struct {
	FromKW  decimal.Decimal
	BelowKW decimal.NullDecimal
	Choice
	Hole bool // nobody has said what a session costs
}

// Holes reports whether some session in the cell has no price.
func (c *Cell) Holes() bool {
	return slices.ContainsFunc(c.Prices, func(p CellPrice) bool { return p.Hole })
}

// Matrix applies the book to each customer group in each network. The groups come first to last, with the networks of each in
// their order. Agreements with single contracts, and rules for them, are not seen here.
func (b *PriceBook) Matrix(groups []string, networks []Network) []Cell {
	limits := b.powerLimits()
	var cells []Cell
	for _, group := range groups {
		buyer := Buyer{Group: group}
		for n := range networks {
			cell := Cell{Group: group, Network: n}
			at := networks[n].At
			for i, from := range limits {
				if networks[n].At.Power.Valid && i > 0 {
					break
				}
				if !networks[n].At.Power.Valid {
					at.Power = decimal.NewNullDecimal(from)
				}
				price := CellPrice{FromKW: from}
				if i+1 < len(limits) && !networks[n].At.Power.Valid {
					price.BelowKW = decimal.NewNullDecimal(limits[i+1])
				}
				choice, ok := b.Choose(&buyer, &at)
				price.Choice, price.Hole = choice, !ok
				if last := len(cell.Prices) - 1; last >= 0 && cell.Prices[last].Choice == price.Choice && cell.Prices[last].Hole == price.Hole {
					cell.Prices[last].BelowKW = price.BelowKW
					continue
				}
				cell.Prices = append(cell.Prices, price)
			}
			cells = append(cells, cell)
		}
	}
	return cells
}

// powerLimits are the powers at which some rule begins or ends, in order, from zero on.
func (b *PriceBook) powerLimits() []decimal.Decimal {
	limits := []decimal.Decimal{decimal.Zero}
	for i := range b.Rules {
		for _, limit := range []decimal.NullDecimal{b.Rules[i].Where.FromKW, b.Rules[i].Where.BelowKW} {
			if limit.Valid {
				limits = append(limits, limit.Decimal)
			}
		}
	}
	slices.SortFunc(limits, decimal.Decimal.Cmp)
	return slices.CompactFunc(limits, decimal.Decimal.Equal)
}

// World is what is known of charge points besides what rules say of them.
type World struct {
	Own  []ocpi.Party                // the utility's own, in capitals
	Hubs map[ocpi.Party][]ocpi.Party // of each CPO in capitals, where it is known: the hubs that it is behind
}

// Unreachable finds the rules that can never count, because more precise ones take every session that they fit. They are
// indexes.
func (b *PriceBook) Unreachable(world World) []int {
	var found []int
	for i := range b.Rules {
		if !b.reachable(i, world) {
			found = append(found, i)
		}
	}
	return found
}

// reachable tries the rule on charge points about which nothing is true but what the rule asks for and what follows from it:
// what takes those takes everything.
func (b *PriceBook) reachable(i int, world World) bool {
	r := &b.Rules[i]
	buyer := Buyer{Card: r.Card, Contract: r.Contract, Group: r.Group}
	w := &r.Where
	at := ChargePoint{EVSE: w.EVSE, Location: w.Location, CPO: w.CPO, Hub: w.Hub, Country: w.Country, Own: w.Own}
	if slices.Contains(world.Own, w.CPO) {
		at.Own = true
	}
	hubs := []ocpi.Party{w.Hub}
	if behind := world.Hubs[w.CPO]; w.Hub.IsZero() && len(behind) > 0 {
		hubs = behind
	}
	currents := []Current{w.Current}
	if w.Current == "" {
		currents = []Current{AC, DC, ""}
	}
	powers := []decimal.NullDecimal{{}}
	for _, limit := range b.powerLimits() {
		powers = append(powers, decimal.NewNullDecimal(limit))
	}
	for _, at.Hub = range hubs {
		for _, at.Current = range currents {
			for _, at.Power = range powers {
				if choice, ok := b.Choose(&buyer, &at); ok && choice.Rule == i {
					return true
				}
			}
		}
	}
	return false
}

package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// longestSearch bounds how far into a period the edges of its price are looked for. Weeks repeat; a year-long period is
// broken anyway.
const longestSearch = 32

// checkSplit finds a period over which the price changed although the CPO should have cut it there (PRC-08). It is priced as
// at its start; the finding bounds what the other readings would give.
func (r *rater) checkSplit(p *period, dim dimension, list *priceList, used *component) {
	if p.open || !p.to.After(p.from) {
		return
	}
	price := func(c *component) decimal.Decimal {
		if c == nil {
			return decimal.Zero
		}
		return c.price
	}
	cheapest, dearest := price(used), price(used)
	var changed *moment
	for _, m := range r.momentsWithin(p, list) {
		answer := price(nil)
		other := slices.IndexFunc(list.components, func(c component) bool { return c.holds(&m) == yes })
		if other >= 0 {
			answer = list.components[other].price
		}
		if !answer.Equal(price(used)) && changed == nil {
			changed = &m
		}
		cheapest, dearest = decimal.Min(cheapest, answer), decimal.Max(dearest, answer)
	}
	if changed == nil {
		return
	}
	quantity := p.volume[dim]
	if dim != energy {
		quantity = hoursOf(quantity)
	}
	f := r.find("period-not-split", Flag, p.path(), fmt.Sprintf(
		"the price of %s changes within the period; it is priced as at its start (PRC-08)", poolDimension[poolOf[dim]]))
	f.Params = map[string]string{
		"dimension": string(poolDimension[poolOf[dim]]),
		"priced":    quantity.Mul(price(used)).Round(amountPlaces).String(),
		"cheapest":  quantity.Mul(cheapest).Round(amountPlaces).String(),
		"dearest":   quantity.Mul(dearest).Round(amountPlaces).String(),
	}
}

// momentsWithin returns the moments inside a period at which some restriction of the list changes its answer. Energy is
// taken to flow evenly.
func (r *rater) momentsWithin(p *period, list *priceList) []moment {
	var moments []moment
	length := secondsOf(p.to.Sub(p.from))
	at := func(instant time.Time) {
		if !instant.After(p.from) || !instant.Before(p.to) {
			return
		}
		m := p.at
		m.setClock(instant, r.zone)
		m.elapsed += instant.Sub(p.from)
		m.kwh = m.kwh.Add(p.volume[energy].Mul(secondsOf(instant.Sub(p.from))).DivRound(length, workPlaces))
		moments = append(moments, m)
	}
	for i := range list.components {
		for _, cond := range list.components[i].conditions {
			for _, edge := range cond.timerEdges {
				at(p.from.Add(edge - p.at.elapsed))
			}
			for _, edge := range cond.energyEdges {
				part := edge.Sub(p.at.kwh)
				if !part.IsPositive() || !part.LessThan(p.volume[energy]) {
					continue
				}
				passed := part.Mul(secondsOf(p.to.Sub(p.from))).DivRound(p.volume[energy], 9)
				m := p.at
				m.kwh = edge
				m.elapsed += time.Duration(passed.Shift(9).IntPart())
				m.setClock(p.from.Add(m.elapsed-p.at.elapsed), r.zone)
				moments = append(moments, m)
			}
			for _, edge := range cond.clockEdges {
				year, month, first := p.from.In(r.zone).Date()
				for k := range longestSearch {
					instant := time.Date(year, month, first+k, 0, 0, edge, 0, r.zone)
					if !instant.Before(p.to) {
						break
					}
					at(instant)
				}
			}
		}
	}
	return moments
}

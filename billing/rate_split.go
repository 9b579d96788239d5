package billing

import (
	"fmt"
	"slices"
	"time"
)

// longestSearch bounds how many days of a period are searched for edges of its price. Weeks repeat; a year-long period is
// broken anyway.
const longestSearch = 32

// mostSearched bounds the components that are asked for all edges within the periods of a CDR: a fraction of a second. A CDR
// with thousands of periods across hundreds of edges is not looked at any closer.
const mostSearched = 1 << 23

// mostReadings bounds the combinations of time and energy at which a period is looked at.
const mostReadings = 1 << 14

// checkSplit returns the component that prices a dimension of a period: the one that holds at its start.
//
// It finds a period over which the price changed although the CPO should have cut it there. It is priced as at its
// start (PRC-08); what is at stake is that another component which held within it had priced it.
func (r *rater) checkSplit(p *period, dim dimension, list *priceList, used *component) *component {
	if forced := &r.variant.forced; forced.on && forced.period == p.index && forced.dimension == dim {
		return forced.component
	}
	if r.variant.any() || p.open || !p.to.After(p.from) || r.searched > mostSearched || !r.edgeWithin(p, list.edges) {
		return used
	}
	var readings []variant
	for _, c := range r.componentsWithin(p, list) {
		if c != used && !c.pricesLike(used) {
			readings = append(readings, variant{forced: forcedComponent{true, p.index, dim, c}})
		}
	}
	if len(readings) > 0 {
		r.find("period-not-split", Flag, p.path(), fmt.Sprintf(
			"the price of %s changes within the period; it is priced as at its start (PRC-08)", poolDimension[poolOf[dim]]))
		r.findings[len(r.findings)-1].Params = map[string]string{"dimension": string(poolDimension[poolOf[dim]])}
		r.atStake(readings...)
	}
	return used
}

// pricesLike reports whether it makes no difference which of two components prices a quantity; nil makes it free.
func (c *component) pricesLike(other *component) bool {
	if c == nil || other == nil {
		return c == other || c == nil && other.price.isZero() || other == nil && c.price.isZero()
	}
	return c.price.equal(other.price)
}

// edgeWithin reports whether one of the edges lies inside a period.
func (r *rater) edgeWithin(p *period, within *edges) bool {
	length := p.to.Sub(p.from)
	for _, edge := range within.timer {
		if edge > p.at.elapsed && edge-p.at.elapsed < length {
			return true
		}
	}
	if len(within.energy) > 0 {
		end := p.at.kwh.add(p.volume[energy])
		for _, edge := range within.energy {
			if edge.cmp(p.at.kwh) > 0 && edge.cmp(end) < 0 {
				return true
			}
		}
	}
	if len(within.clock) == 0 {
		return false
	}
	if r.clock.offsetAt(p.from) != r.clock.offsetAt(p.to) {
		return true
	}
	next := within.clock[0] + day
	if i, _ := slices.BinarySearch(within.clock, p.at.local.second+1); i < len(within.clock) {
		next = within.clock[i]
	}
	untilNext := int64(next-p.at.local.second)*int64(time.Second) - int64(p.from.Nanosecond())
	return untilNext < int64(length)
}

// componentsWithin returns the components, nil for none, that hold at some moment inside a period, if its energy may have
// flowed at any time of it.
func (r *rater) componentsWithin(p *period, list *priceList) []*component {
	energies := []number{p.at.kwh}
	end := p.at.kwh.add(p.volume[energy])
	for _, edge := range list.edges.energy {
		if edge.cmp(p.at.kwh) > 0 && edge.cmp(end) < 0 {
			energies = append(energies, edge)
		}
	}
	var found []*component
	instants := r.instantsWithin(p, list.edges)
	r.searched += len(instants) // each was made
	for i, instant := range instants {
		at := p.at
		at.local = r.clock.local(instant)
		at.elapsed += instant.Sub(p.from)
		for k, kwh := range energies {
			r.searched += len(list.components)
			if i*len(energies)+k > mostReadings || r.searched > mostSearched {
				return found
			}
			at.kwh = kwh
			if c, _ := list.first(&at, &r.policy); !slices.Contains(found, c) {
				found = append(found, c)
			}
		}
	}
	return found
}

// instantsWithin returns the start of a period and the instants inside it at which a restriction on time changes its answer.
func (r *rater) instantsWithin(p *period, within *edges) []time.Time {
	instants := []time.Time{p.from}
	add := func(instant time.Time) {
		if instant.After(p.from) && instant.Before(p.to) {
			instants = append(instants, instant)
		}
	}
	for _, edge := range within.timer {
		add(p.from.Add(edge - p.at.elapsed))
	}
	if len(within.clock) == 0 {
		return instants
	}
	for at, days := p.from, 0; at.Before(p.to) && days < longestSearch; days++ {
		local := r.clock.local(at)
		change := time.Unix(r.clock.to, 0) // where the zone's offset changes, the clock jumps over edges, or shows them again
		add(change)
		midnight := time.Unix(int64(local.day)*day-r.clock.offset, 0)
		for _, edge := range within.clock {
			add(midnight.Add(time.Duration(edge) * time.Second))
		}
		at = midnight.Add(day * time.Second)
		if change.Before(at) {
			at = change
		}
	}
	return instants
}

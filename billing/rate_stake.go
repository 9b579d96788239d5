package billing

// variant is another reading of a malformed CDR than the one that it is priced by. It tells what is at stake.
type variant struct {
	asListed  bool // periods in the order of the list instead of that of time
	within    bool // only what lies between the start and the end of the CDR
	fromFirst bool // the session begins with the first period
	firstOnly bool // of a dimension that a period has twice, the first
	forced    forcedComponent
}

// forcedComponent lets a component, or none, price a dimension of a period, whatever holds.
type forcedComponent struct {
	on        bool
	period    int // index in the CDR
	dimension dimension
	component *component
}

func (v *variant) any() bool { return *v != variant{} }

// stake is a finding that could have been read in other ways.
type stake struct {
	finding  int // index
	readings []variant
}

// atStake notes the other readings of what was found last. A reading has no others.
func (r *rater) atStake(readings ...variant) {
	if !r.variant.any() {
		r.stakes = append(r.stakes, stake{len(r.findings) - 1, readings})
	}
}

// mostRead bounds the components that are asked to price other readings of a CDR: a fraction of a second.
const mostRead = 1 << 24

// boundStakes states with each finding that could have been read otherwise what the session costs by the cheapest and by the
// dearest reading of it, before the sign of a credit. Of a CDR with more findings than there is time for, the last are left
// without.
func (r *rater) boundStakes() {
	if len(r.stakes) == 0 {
		return
	}
	left, each := mostRead, r.components()*len(r.periods)
	for _, s := range r.stakes {
		if left -= each * len(s.readings); left < 0 {
			return
		}
		side := func(c cost) number { return c.excl }
		params := map[string]string{"currency": r.currency, "side": "excl_vat"}
		if len(r.used) > 0 && r.used[0].TaxIncluded {
			side = func(c cost) number { return c.incl }
			params["side"] = "incl_vat"
		}
		priced := side(r.total)
		if r.credit {
			priced = priced.neg()
		}
		cheapest, dearest := priced, priced
		for _, reading := range s.readings {
			total := side(r.read(reading))
			if total.cmp(cheapest) < 0 {
				cheapest = total
			}
			if total.cmp(dearest) > 0 {
				dearest = total
			}
		}
		for name, value := range r.findings[s.finding].Params {
			params[name] = value
		}
		for name, value := range map[string]number{"priced": priced, "cheapest": cheapest, "dearest": dearest} {
			params[name] = r.policy.amount(value).decimal().String()
		}
		r.findings[s.finding].Params = params
	}
}

// components counts those of the tariffs that price the session: what a period may have to be asked for.
func (r *rater) components() int {
	count := 1
	for _, t := range r.used {
		for during := range t.prices {
			for dim := range t.prices[during] {
				count += len(t.prices[during][dim].components)
			}
		}
	}
	return count
}

// read is what the session costs by another reading.
func (r *rater) read(v variant) cost {
	var other rater
	other.begin(r.cdr, r.tariffs, r.zone, &r.policy)
	other.variant, other.credit = v, false
	other.price()
	return other.total
}

package billing

// roundSteps applies step_size: once a session for energy, once for charging and parking time together, and once for the
// reservation, each on the last priced component of its pool (PRC-15 to PRC-22). What is added there re-triggers nothing.
func (r *rater) roundSteps() {
	for i := range r.runs {
		r.slack = r.slack.add(r.runs[i].off.mul(r.runs[i].component.price).abs())
	}
	switch {
	case r.policy.NoStepSize:
	case r.policy.StepPerComponent:
		for i := range r.runs {
			r.runs[i].roundUp()
		}
	default:
		r.roundPool(sessionEnergy)
		r.roundPool(r.timePool())
		r.roundPool(reservationTime)
	}
}

// roundUp rounds what one component priced.
func (run *run) roundUp() {
	if run.pool == sessionEnergy || run.pool.timed() {
		run.billed, run.step = roundUp(run.measured, run.pool.steps(run.component.step)), run.component.step
	}
}

// steps is a number of steps in the unit of the pool: a step is 1 Wh of kWh, or 1 s of seconds.
func (p pool) steps(n int64) number {
	if p == sessionEnergy {
		return integer(n, -3)
	}
	return integer(n, 0)
}

// timePool says which of charging and parking time is rounded.
func (r *rater) timePool() pool {
	charged, parked := r.last[sessionTime], r.last[sessionParking]
	switch {
	case parked == 0:
		return sessionTime
	case charged == 0 || r.policy.TimePool == ParkingFirst:
		return sessionParking
	case r.runs[charged-1].to.After(r.runs[parked-1].to):
		return sessionTime
	}
	return sessionParking
}

// roundPool rounds the total of a pool up to a multiple of the last component's step and bills the difference there.
func (r *rater) roundPool(of pool) {
	if r.last[of] == 0 {
		return
	}
	var total, off number
	for i := range r.runs {
		if run := &r.runs[i]; run.pool == of {
			total, off = total.add(run.measured), off.add(run.off)
		}
	}
	if dim, ok := of.dimension(); ok && r.policy.UnpricedInSteps {
		total = total.add(r.unpriced[dim])
	}
	last := &r.runs[r.last[of]-1]
	step := of.steps(last.component.step)
	last.billed = last.measured.add(roundUp(total, step).sub(total))
	last.step = last.component.step
	if !off.isZero() { // the hours may have fallen on the other side of a step (PRC-14)
		span := roundUp(total.add(off), step).sub(roundUp(total.sub(off), step))
		r.slack = r.slack.add(span.mul(last.component.price).abs())
	}
}

// roundUp returns the smallest multiple of step that is not below quantity. An exact multiple stays (PRC-19), and so does
// what is not positive, such as energy fed back into the grid (PRC-20).
func roundUp(quantity, step number) number {
	if !quantity.isPositive() {
		return quantity
	}
	below := quantity.cut(step, 0).mul(step)
	if below.equal(quantity) {
		return quantity
	}
	return below.add(step)
}

// dimension is what the pool measures of a session.
func (p pool) dimension() (dim dimension, ok bool) {
	for dim := range consumed {
		if poolOf[dim] == p {
			return dim, true
		}
	}
	return 0, false
}

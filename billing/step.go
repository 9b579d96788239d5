package billing

import "github.com/shopspring/decimal"

// roundSteps applies step_size: once a session for energy, once for charging and parking time together, and once for the
// reservation, each on the last priced component of its pool (PRC-15 to PRC-22). What is added there re-triggers nothing.
func (r *rater) roundSteps() {
	if r.policy.NoStepSize {
		return
	}
	r.roundPool(sessionEnergy, 3)
	r.roundPool(r.timePool(), 0)
	r.roundPool(reservationTime, 0)
}

// timePool says which of charging and parking time is rounded.
func (r *rater) timePool() pool {
	charged, parked := r.runs[sessionTime], r.runs[sessionParking]
	switch {
	case len(parked) == 0:
		return sessionTime
	case len(charged) == 0 || r.policy.TimePool == ParkingFirst:
		return sessionParking
	case charged[len(charged)-1].to.After(parked[len(parked)-1].to):
		return sessionTime
	}
	return sessionParking
}

// roundPool rounds the total of a pool up to a multiple of the last component's step and bills the difference there. A step
// is 10^-decimals of the pool's unit: 1 Wh of kWh, 1 s of seconds.
func (r *rater) roundPool(of pool, decimals int32) {
	runs := r.runs[of]
	if len(runs) == 0 {
		return
	}
	total, estimated := decimal.Zero, 0
	for i := range runs {
		total = total.Add(runs[i].measured)
		estimated += runs[i].estimated
	}
	last := &runs[len(runs)-1]
	step := decimal.New(last.component.step, -decimals)
	last.billed = last.measured.Add(roundUp(total, step).Sub(total))
	last.step = last.component.step
	if estimated > 0 { // each of the hours may be off by half of its fourth decimal (PRC-14)
		off := halfHourDigit.Mul(decimal.NewFromInt(int64(estimated)))
		span := roundUp(total.Add(off), step).Sub(roundUp(total.Sub(off), step))
		r.slack = r.slack.Add(span.Mul(last.component.price).Abs())
	}
}

// halfHourDigit is half of 0.0001 h in seconds.
var halfHourDigit = decimal.New(18, -2)

// roundUp returns the smallest multiple of step that is not below quantity. An exact multiple stays (PRC-19), and so does
// what is not positive, such as energy fed back into the grid (PRC-20).
func roundUp(quantity, step decimal.Decimal) decimal.Decimal {
	if !quantity.IsPositive() {
		return quantity
	}
	steps, rest := quantity.QuoRem(step, 0)
	if rest.IsZero() {
		return quantity
	}
	return steps.Add(one).Mul(step)
}

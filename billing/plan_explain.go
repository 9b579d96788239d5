package billing

import (
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Explain accounts for a retail price: that of the plan's tariff step by step, what was taken off it afterwards by the lines of
// the rating. raw is the CDR as it was received.
func (p *Retail) Explain(raw []byte, cdr *ocpi.CDR, zone *time.Location, r Rating) Explanation {
	finer, _ := p.cutter.cut(cdr, zone)
	e := Explain(raw, finer, p.tariffs, zone, DefaultPolicy)
	e.Rating = r
	return e
}

// reduction reports whether a line is one of those that only our own plans have, and that take something off.
func (l *Line) reduction() bool {
	switch l.Dimension {
	case Allowed, Capped, Discounted, Promised, Redeemed:
		return true
	}
	return false
}

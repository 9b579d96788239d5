package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// PullEvery is how often a list of a partner is read.
type PullEvery string

// The ways of reading a list that are not an interval, which is a time.Duration in text.
const (
	PullUsual PullEvery = "usual" // as set for the platform
	PullNever PullEvery = "never" // only when there is a reason: an outage, a missing CDR, an operator
)

// shortestPull and longestPull bound what can be agreed.
const (
	shortestPull = 5 * time.Minute
	longestPull  = 30 * 24 * time.Hour
)

// SetPullInterval sets how often a list of a partner is read. The error for a wrong interval is an *ocpi.Error.
func (o *Ops) SetPullInterval(ctx context.Context, partner uuid.UUID, module ocpi.ModuleID, every PullEvery) error {
	if !slices.ContainsFunc(pullPlans, func(p pullPlan) bool { return p.module == module }) {
		return ocpi.InvalidParameter("module", "one whose list is read", string(module))
	}
	set := db.SetPartnerIntervalParams{PartnerID: partner, Module: string(module)}
	due := spread(shortestPull)
	if every != PullUsual && every != PullNever {
		interval, err := time.ParseDuration(string(every))
		if err != nil || interval < shortestPull || interval > longestPull {
			return ocpi.InvalidParameter("every", fmt.Sprintf("usual, never or a time from %s to %s, such as 6h", shortestPull, longestPull), string(every))
		}
		set.Minutes = ptr(int32(interval / time.Minute))
		due = spread(interval)
	}
	return o.change(ctx, partner, "interval", func(q *db.Queries) error {
		var err error
		if every == PullUsual {
			err = q.DropPartnerInterval(ctx, db.DropPartnerIntervalParams{PartnerID: partner, Module: string(module)})
		} else {
			err = q.SetPartnerInterval(ctx, set)
		}
		if err != nil {
			return err
		}
		return q.ReschedulePulls(ctx, db.ReschedulePullsParams{PartnerID: partner, Module: string(module), Never: every == PullNever, DueAt: o.Now().Add(due)})
	})
}

// SetCDRDays sets how many days after its session a CDR of a partner may come, by the contract; 0 for as usual. A later one is
// held for a person, one that does not come is waited for so long, and so far back CDRs are read.
func (o *Ops) SetCDRDays(ctx context.Context, partner uuid.UUID, days int32) error {
	if days < 0 || days > 3650 {
		return ocpi.InvalidParameter("cdr_days", "0 to 3650", fmt.Sprint(days))
	}
	set := db.SetCDRDaysParams{ID: partner}
	if days > 0 {
		set.CDRDays = &days
	}
	return o.change(ctx, partner, "age of CDRs", func(q *db.Queries) error { return q.SetCDRDays(ctx, set) })
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// EnablePartner says which utilities work with a partner, in the place of what was said before (TEN-02). One that comes has its
// cards distributed; one that leaves has them taken back first, and then its role. The partner is told of the roles.
func (o *Ops) EnablePartner(ctx context.Context, partner uuid.UUID, tenants []uuid.UUID) error {
	if len(tenants) == 0 {
		return ocpi.InvalidParameter("tenants", "at least one", "")
	}
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		p, err := q.LockPartner(ctx, partner)
		if err != nil {
			return fmt.Errorf("lock partner: %w", err)
		}
		if d, err := DialectOf(ocpi.VersionNumber(p.Version)); err == nil && d.OneParty && len(tenants) > 1 {
			return ocpi.InvalidParameter("tenants", "one, as OCPI "+p.Version+" connects two parties", fmt.Sprint(len(tenants)))
		}
		return o.setTenants(ctx, q, partner, tenants)
	})
}

// setTenants is EnablePartner for a partner whose row the caller holds.
func (o *Ops) setTenants(ctx context.Context, q *db.Queries, partner uuid.UUID, tenants []uuid.UUID) error {
	joined, err := q.JoinPartner(ctx, db.JoinPartnerParams{PartnerID: partner, TenantIDs: tenants, KnownAt: o.Now().Add(knownAfter)})
	if err != nil {
		return fmt.Errorf("enable utilities: %w", err)
	}
	left, err := q.LeavePartner(ctx, db.LeavePartnerParams{PartnerID: partner, Staying: tenants, Now: o.Now()})
	if err != nil {
		return fmt.Errorf("disable utilities: %w", err)
	}
	for _, tenant := range slices.Concat(joined, left) {
		_, err := q.DistributeTokensOf(ctx, db.DistributeTokensOfParams{TenantID: tenant, PartnerID: uuid.NullUUID{UUID: partner, Valid: true}, Now: o.Now()})
		if err != nil {
			return fmt.Errorf("plan deliveries: %w", err)
		}
		what := "utility joined"
		if slices.Contains(left, tenant) {
			what = "utility leaves"
		} else if err := o.askAgain(ctx, q, partner, tenant); err != nil {
			return err
		}
		if err := event(ctx, q, o.Now(), tenant, "partner", partner, what, nil); err != nil {
			return err
		}
	}
	_, err = q.PartWays(ctx, o.Now().Add(-takeBackFor)) // from a partner that has not been told of it
	return err
}

// askAgain makes what a utility asks a partner for due, which is not asked for when it has left.
func (o *Ops) askAgain(ctx context.Context, q *db.Queries, partner, tenant uuid.UUID) error {
	for _, plan := range pullPlans {
		if !plan.own {
			continue
		}
		err := o.requestPulls(ctx, q, partner, db.RequestPullsParams{
			Module: string(plan.module), TenantID: uuid.NullUUID{UUID: tenant, Valid: true}, DueAt: o.Now().Add(spread(5 * time.Minute)),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// knownAfter is how long the cards of a utility wait for its partner to be told of the utility. One that cannot be told for so
// long may take them all the same.
const knownAfter = time.Hour

// takeBackFor is how long a partner may refuse to take note of void cards, before the utility leaves it all the same.
const takeBackFor = 7 * 24 * time.Hour

// partWays ends what utilities that leave have with partners, once their cards are void there. A partner that no utility works
// with any more is kept until late CDRs have come; then the partnership ends (TEN-05).
func (w *Worker) partWays(ctx context.Context) error {
	err := w.DB.Tx(ctx, func(q *db.Queries) error {
		parted, err := q.PartWays(ctx, w.Now().Add(-takeBackFor))
		if err != nil {
			return fmt.Errorf("part ways: %w", err)
		}
		for _, p := range parted {
			if err := q.EndTokenDeliveriesOf(ctx, db.EndTokenDeliveriesOfParams{TenantID: p.TenantID, PartnerID: p.PartnerID}); err != nil {
				return fmt.Errorf("stop token deliveries: %w", err)
			}
			if err := event(ctx, q, w.Now(), p.TenantID, "partner", p.PartnerID, "utility left", nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	deserted, err := w.DB.DesertedPartners(ctx, w.Now().Add(-w.lateCDRs()))
	if err != nil {
		return fmt.Errorf("partners without utilities: %w", err)
	}
	for _, id := range deserted {
		err := w.ops().EndPartner(ctx, id)
		var settled *ocpi.Error // another worker was faster
		if err != nil && !errors.As(err, &settled) {
			return err
		}
	}
	return nil
}

// LateCDRs is for how long CDRs of a utility that was closed are taken, when nothing else is set (TEN-05).
const LateCDRs = 180 * 24 * time.Hour

func (w *Worker) lateCDRs() time.Duration {
	if w.LateCDRs > 0 {
		return w.LateCDRs
	}
	return LateCDRs
}

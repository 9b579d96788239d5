package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// ErrClosed says that a utility has been closed. It is safe to show.
var ErrClosed = errors.New("the utility has been closed")

// Closing is what closing a utility has set off.
type Closing struct {
	Cards    int64 // that are blocked now and were not
	Partners int   // that are told
}

// CloseTenant closes a utility for good (TEN-05): its cards are void from now on, at every partner that answers within moments
// and at the others when they are back; then its role is withdrawn there. Its history stays, what has been charged is billed,
// and CDRs that come late are taken.
func (o *Ops) CloseTenant(ctx context.Context, id uuid.UUID) (Closing, error) {
	var closing Closing
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, id); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		tenant, err := q.Tenant(ctx, id)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		if tenant.ClosedAt != nil {
			return ErrClosed
		}
		if err := q.CloseTenant(ctx, db.CloseTenantParams{ID: id, Now: o.Now()}); err != nil {
			return fmt.Errorf("close tenant: %w", err)
		}
		if closing.Cards, err = q.BlockTokensOf(ctx, db.BlockTokensOfParams{TenantID: id, Now: o.Now()}); err != nil {
			return fmt.Errorf("block tokens: %w", err)
		}
		left, err := q.LeavePartners(ctx, db.LeavePartnersParams{TenantID: id, Now: o.Now()})
		if err != nil {
			return fmt.Errorf("leave partners: %w", err)
		}
		closing.Partners = len(left)
		if _, err := q.DistributeTokensOf(ctx, db.DistributeTokensOfParams{TenantID: id, Now: o.Now()}); err != nil {
			return fmt.Errorf("plan deliveries: %w", err)
		}
		return event(ctx, q, o.Now(), id, "tenant", id, "closed", map[string]string{"cards": fmt.Sprint(closing.Cards)})
	})
	return closing, err
}

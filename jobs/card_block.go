package jobs

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// CardState is a card after it was blocked or unblocked.
type CardState struct {
	TokenID uuid.UUID
	Valid   bool
	Changed bool // false: it was so already
}

// BlockCard blocks the card with this UID of a utility, or unblocks it, and has every partner told: at once, or as soon as the
// partner answers again (TOK-10, OFF-03). From now on we refuse it ourselves. An empty type means RFID.
func (o *Ops) BlockCard(ctx context.Context, tenant uuid.UUID, uid, kind string, blocked bool) (CardState, error) {
	if kind == "" {
		kind = "RFID"
	}
	state := CardState{Valid: !blocked}
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		rows, err := q.TokensByUID(ctx, db.TokensByUIDParams{TenantIDs: []uuid.UUID{tenant}, UID: uid, Type: kind, At: o.Now()})
		if err != nil {
			return fmt.Errorf("find card: %w", err)
		}
		if len(rows) == 0 {
			return fmt.Errorf("card with UID %s: %w", uid, db.ErrNotFound)
		}
		state.TokenID = rows[0].Token.ID
		changed, err := q.SetTokenValid(ctx, db.SetTokenValidParams{ID: state.TokenID, Valid: !blocked, Now: o.Now()})
		if db.IsCheckViolation(err, "tokens_of_closed_tenant") {
			return ErrClosed
		} else if err != nil {
			return fmt.Errorf("set validity: %w", err)
		}
		if state.Changed = changed > 0; !state.Changed {
			return nil
		}
		if err := q.DistributeToken(ctx, db.DistributeTokenParams{TokenID: state.TokenID, Now: o.Now()}); err != nil {
			return fmt.Errorf("plan deliveries: %w", err)
		}
		what := "unblocked"
		if blocked {
			what = "blocked"
		}
		return event(ctx, q, o.Now(), tenant, "token", state.TokenID, what, nil)
	})
	if err != nil {
		return CardState{}, err
	}
	if state.Changed {
		o.Bell.Ring(ctx, TokenUrgent, state.TokenID)
	}
	return state, nil
}

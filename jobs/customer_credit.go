package jobs

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// SetNoCredit decides that the cards of a customer may not charge until it has paid, or that they may again (OCPI NO_CREDIT). A
// partner that asks in real time learns it at once; a card that CPOs may accept without asking is not held back by it.
func (o *Ops) SetNoCredit(ctx context.Context, tenant, customer uuid.UUID, noCredit bool) error {
	return o.DB.TenantTx(ctx, tenant, func(q *db.Queries) error {
		changed, err := q.SetNoCredit(ctx, db.SetNoCreditParams{ID: customer, TenantID: tenant, NoCredit: noCredit})
		if err != nil {
			return fmt.Errorf("set credit of customer: %w", err)
		}
		if changed == 0 { // it is so already, or there is no such customer
			return nil
		}
		what := "credit given"
		if noCredit {
			what = "credit stopped"
		}
		return event(ctx, q, o.Now(), tenant, "customer", customer, what, nil)
	})
}

package jobs

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// EndContract closes a contract of a customer at an instant: sessions that begin later are not its any more, base fees are due until
// then, and its cards are blocked everywhere as soon as it is over.
func (o *Ops) EndContract(ctx context.Context, tenant, customer, contract uuid.UUID, at time.Time) error {
	var blocked []uuid.UUID
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if _, err := lockCustomer(ctx, q, tenant, customer); err != nil {
			return err
		}
		c, err := q.Contract(ctx, contract)
		if err != nil || c.CustomerID != customer {
			return cmp.Or(err, db.ErrNotFound)
		}
		switch {
		case at.Before(c.ValidFrom):
			return refuse("period")
		case c.ValidTo != nil && !c.ValidTo.After(o.Now()):
			return refuse("contract-ended")
		}
		if err := q.EndContract(ctx, db.EndContractParams{ID: contract, ValidTo: at}); err != nil {
			return fmt.Errorf("end contract: %w", err)
		}
		if blocked, err = o.blockEnded(ctx, q, uuid.NullUUID{UUID: contract, Valid: true}); err != nil {
			return err
		}
		return event(ctx, q, o.Now(), tenant, "customer", customer, "contract-ended", map[string]string{"contract": c.ContractID, "at": at.UTC().Format(time.RFC3339), "cards": fmt.Sprint(len(blocked))})
	})
	if err == nil {
		o.Bell.Ring(ctx, TokenUrgent, blocked...)
	}
	return err
}

// blockEnded blocks the cards of contracts that are over, or of one.
func (o *Ops) blockEnded(ctx context.Context, q *db.Queries, contract uuid.NullUUID) (blocked []uuid.UUID, err error) {
	rows, err := q.TokensOfEndedContracts(ctx, db.TokensOfEndedContractsParams{ContractID: contract, Now: o.Now()})
	if err != nil {
		return nil, fmt.Errorf("cards of contracts that are over: %w", err)
	}
	for _, t := range rows {
		if _, err := q.SetTokenValid(ctx, db.SetTokenValidParams{ID: t.ID, Valid: false, Now: o.Now()}); err != nil {
			return nil, fmt.Errorf("block card: %w", err)
		}
		if err := q.DistributeToken(ctx, db.DistributeTokenParams{TokenID: t.ID, Now: o.Now()}); err != nil {
			return nil, fmt.Errorf("plan deliveries: %w", err)
		}
		if err := event(ctx, q, o.Now(), t.TenantID, "token", t.ID, "blocked", map[string]string{"why": "contract-ended"}); err != nil {
			return nil, err
		}
		blocked = append(blocked, t.ID)
	}
	return blocked, nil
}

// endContracts blocks the cards of contracts that have come to their end.
func (w *Worker) endContracts(ctx context.Context) error {
	o, blocked := w.ops(), []uuid.UUID{}
	err := o.DB.Tx(ctx, func(q *db.Queries) (err error) {
		blocked, err = o.blockEnded(ctx, q, uuid.NullUUID{})
		return err
	})
	if err == nil {
		o.Bell.Ring(ctx, TokenUrgent, blocked...)
	}
	return err
}

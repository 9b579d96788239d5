package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
)

// rerate prices a CDR again, within the decision. The same inputs give the same figures, and what is booked changes by the
// difference only (rebook).
func (d *deciding) rerate(ctx context.Context, c *decided) error {
	switch {
	case c.before.State == cdrReceived:
		return refuse("not-rated")
	case settled(c.before):
		return refuse("closed")
	case c.before.CreditReference != "":
		return refuse("credit")
	}
	r, err := d.read(ctx, d.q, c.after)
	if err != nil {
		return err
	}
	r.before = c.before
	if err := r.rate(ctx); err != nil {
		return err
	}
	r.what, r.detail = string(d.decision.Kind), c.detail
	if err := r.write(ctx); err != nil {
		return err
	}
	c.after, c.written, c.outcome = r.state, true, outcomeOf(r.state)
	c.retailAfter = &decimal.Zero
	if r.state.RetailState == retailReleased {
		c.retailAfter = &r.retail.net
	}
	return nil
}

func outcomeOf(s db.CDRState) string {
	switch {
	case s.State == cdrWaiting, s.State == cdrHeld:
		return s.State
	default:
		return s.RetailState
	}
}

// retariff prices a CDR by another retail tariff than its contract's, or by that again.
func (d *deciding) retariff(ctx context.Context, c *decided) error {
	if plan := d.decision.Plan; plan.Valid {
		known, err := d.q.PlanOfTenant(ctx, db.PlanOfTenantParams{ID: plan.UUID, TenantID: d.tenant})
		if errors.Is(err, db.ErrNotFound) {
			return refuse("plan-unknown")
		} else if err != nil {
			return fmt.Errorf("plan: %w", err)
		}
		c.detail["plan"] = known.Name
	}
	c.after.PlanID = d.decision.Plan
	return d.rerate(ctx, c)
}

// reassign says that a session was made with another card, or that its card belonged to another contract then. The latter
// concerns every session of the card in that time: they are rated again.
func (d *deciding) reassign(ctx context.Context, c *decided) error {
	if settled(c.before) {
		return refuse("closed")
	}
	if c.before.CreditReference != "" {
		return refuse("credit")
	}
	if card := d.decision.Card; card.Valid {
		token, err := d.q.LockToken(ctx, db.LockTokenParams{ID: card.UUID, TenantID: d.tenant})
		if errors.Is(err, db.ErrNotFound) {
			return refuse("card-unknown")
		} else if err != nil {
			return fmt.Errorf("card: %w", err)
		}
		c.after.CardID, c.after.TokenID = card, card
		c.detail["card"] = token.VisualNumber
	}
	if d.decision.Contract.Valid {
		if !c.after.TokenID.Valid {
			return refuse("no-card")
		}
		from := c.before.StartedAt
		if d.decision.From != nil {
			from = *d.decision.From
		}
		affected, err := d.assignToken(ctx, d.q, d.tenant, Assignment{Token: c.after.TokenID.UUID, Contract: d.decision.Contract.UUID, From: from, To: d.decision.To, Reason: d.decision.Reason})
		if err != nil {
			return err
		}
		for _, id := range affected {
			if id != c.before.CDRID {
				d.ring = append(d.ring, id)
				d.effect.Others++
			}
		}
	}
	if c.before.State == cdrReceived { // its own rating is due and finds the assignment
		c.outcome = "waiting"
		return nil
	}
	return d.rerate(ctx, c)
}

// Assignment is a card that belongs to a contract from an instant on.
type Assignment struct {
	Token    uuid.UUID
	Contract uuid.UUID
	From     time.Time
	To       *time.Time // nil: until further notice
	Reason   string
}

// AssignToken says to which contract a card belongs, or belonged, from an instant on, in place of what was said for that time
// before. The sessions of that time are rated again; what is on invoices is corrected on the next ones. It returns how many
// sessions that concerns.
func (o *Ops) AssignToken(ctx context.Context, tenant uuid.UUID, a Assignment) (int, error) {
	var affected []uuid.UUID
	err := retryDeadlock(func() error {
		return o.DB.Tx(ctx, func(q *db.Queries) (err error) {
			affected, err = o.assignToken(ctx, q, tenant, a)
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	o.Bell.Ring(ctx, TokenPush, a.Token)
	o.Bell.Ring(ctx, CDRRate, affected...)
	return len(affected), nil
}

// PreviewAssignment tells what an assignment would do to the sessions of its time. It is the assignment itself with their new
// ratings, carried out and rolled back.
func (o *Ops) PreviewAssignment(ctx context.Context, tenant uuid.UUID, a Assignment) (Effect, error) {
	var effect Effect
	err := retryDeadlock(func() error {
		effect = Effect{}
		return o.DB.Tx(ctx, func(q *db.Queries) error {
			affected, err := o.assignToken(ctx, q, tenant, a)
			if err != nil {
				return err
			}
			for ids := range slices.Chunk(affected, chunkSize) {
				made, err := o.decide(ctx, q, batch{tenant: tenant, ids: ids, decision: Decision{Kind: Rerate}})
				if err != nil {
					return err
				}
				effect.merge(made.effect)
			}
			return errRollBack
		})
	})
	if !errors.Is(err, errRollBack) {
		return Effect{}, err
	}
	return effect, nil
}

// assignToken makes the sessions of the card in the time due.
func (o *Ops) assignToken(ctx context.Context, q *db.Queries, tenant uuid.UUID, a Assignment) ([]uuid.UUID, error) {
	if a.To != nil && !a.To.After(a.From) {
		return nil, refuse("period")
	}
	token, err := q.LockToken(ctx, db.LockTokenParams{ID: a.Token, TenantID: tenant})
	if errors.Is(err, db.ErrNotFound) {
		return nil, refuse("card-unknown")
	} else if err != nil {
		return nil, fmt.Errorf("lock card: %w", err)
	}
	contract, err := q.Contract(ctx, a.Contract)
	if errors.Is(err, db.ErrNotFound) || err == nil && contract.TenantID != tenant {
		return nil, refuse("contract-unknown")
	} else if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	if err := o.putAssignment(ctx, q, token, a); err != nil {
		return nil, err
	}
	now := o.Now()
	if today, err := q.AssignmentAt(ctx, db.AssignmentAtParams{TokenID: token.ID, At: now}); err == nil {
		changed, err := q.SetTokenContract(ctx, db.SetTokenContractParams{ID: token.ID, ContractID: today.ContractID, Now: now})
		if err != nil {
			return nil, fmt.Errorf("contract of today: %w", err)
		}
		if changed > 0 {
			if err := q.DistributeToken(ctx, db.DistributeTokenParams{TokenID: token.ID, Now: now}); err != nil {
				return nil, fmt.Errorf("plan deliveries: %w", err)
			}
		}
	} else if !errors.Is(err, db.ErrNotFound) {
		return nil, fmt.Errorf("assignment of today: %w", err)
	}
	affected, err := q.RerateCDRsOfToken(ctx, db.RerateCDRsOfTokenParams{TenantID: tenant, TokenID: token.ID, UID: token.UID, Since: a.From, Until: a.To, Now: now})
	if err != nil {
		return nil, fmt.Errorf("rate the sessions of the card again: %w", err)
	}
	detail := map[string]string{"contract": contract.ContractID, "from": a.From.UTC().Format(time.RFC3339), "note": a.Reason}
	if a.To != nil {
		detail["to"] = a.To.UTC().Format(time.RFC3339)
	}
	return affected, event(ctx, q, now, tenant, "token", token.ID, "assigned", detail)
}

// putAssignment makes room in the card's history and puts the new one there. What went on beyond its end goes on.
func (o *Ops) putAssignment(ctx context.Context, q *db.Queries, token db.Token, a Assignment) error {
	now := o.Now()
	insert := func(contract uuid.UUID, from time.Time, to *time.Time) error {
		err := q.InsertAssignment(ctx, db.InsertAssignmentParams{
			ID: uuid.Must(uuid.NewV7()), TenantID: token.TenantID, TokenID: token.ID, ContractID: contract, ValidFrom: from, ValidTo: to, CreatedAt: now,
		})
		if err != nil {
			return fmt.Errorf("assign card: %w", err)
		}
		return nil
	}
	var beyond *db.TokenAssignment
	if a.To != nil {
		rest, err := q.AssignmentAt(ctx, db.AssignmentAtParams{TokenID: token.ID, At: *a.To})
		if err == nil {
			beyond = &rest
		} else if !errors.Is(err, db.ErrNotFound) {
			return fmt.Errorf("assignment beyond: %w", err)
		}
	}
	if err := q.EndAssignmentsAt(ctx, db.EndAssignmentsAtParams{TokenID: token.ID, ValidFrom: a.From}); err != nil {
		return fmt.Errorf("end assignment: %w", err)
	}
	if err := q.DeleteAssignmentsWithin(ctx, db.DeleteAssignmentsWithinParams{TokenID: token.ID, ValidFrom: a.From, ValidTo: a.To}); err != nil {
		return fmt.Errorf("replace assignments: %w", err)
	}
	if err := insert(a.Contract, a.From, a.To); err != nil {
		return err
	}
	if beyond != nil && (beyond.ValidTo == nil || beyond.ValidTo.After(*a.To)) {
		if beyond.ValidFrom.Equal(*a.To) { // it began there already and was left alone
			return nil
		}
		return insert(beyond.ContractID, *a.To, beyond.ValidTo)
	}
	return nil
}

package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
)

// defaultDropLimit is the amount above which a second person must agree to drop a CDR, where the utility has set none. The
// database has the same (cdr_states_transition).
var defaultDropLimit = decimal.NewFromInt(50)

// drop means that a CDR is never billed. Above the utility's limit that is a proposal, which holds the CDR until a second
// person has decided.
func (d *deciding) drop(ctx context.Context, c *decided) error {
	switch {
	case c.before.State == cdrReceived:
		return refuse("not-rated")
	case settled(c.before):
		return refuse("closed")
	}
	if _, open := d.proposed[c.before.CDRID]; open {
		return refuse("drop-proposed")
	}
	if !worth(c).GreaterThan(d.policy.DropLimit) {
		c.drop(d.decision.Reason)
		return nil
	}
	staff := staffOf(ctx)
	if !staff.Valid {
		return refuse("no-person")
	}
	err := d.q.InsertDropProposal(ctx, db.InsertDropProposalParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: d.tenant, CDRID: c.before.CDRID, Reason: d.decision.Reason, ProposedBy: staff.UUID, ProposedAt: d.now,
	})
	if err != nil {
		return fmt.Errorf("propose to drop: %w", err)
	}
	c.outcome = "proposed"
	if c.before.State != cdrInvoiced && c.before.State != cdrWaiting {
		c.bill = true
		c.after.State, c.after.RetailState, c.after.Reason, c.after.HeldUntil, c.after.DueAt = cdrHeld, retailOpen, reasonDropProposed, nil, nil
	}
	return nil
}

// worth is what a CDR is about: the claim or the customer's price, the larger of the two.
func worth(c *decided) decimal.Decimal {
	amount := c.before.Claimed.Abs()
	if c.rating != nil {
		amount = decimal.Max(amount, c.rating.RetailGross.Abs())
	}
	return amount
}

func (c *decided) drop(reason string) {
	c.outcome, c.bill = "dropped", true
	c.after.State, c.after.RetailState, c.after.Reason, c.after.HeldUntil, c.after.DueAt = cdrDropped, retailNone, reason, nil, nil
	switch c.before.CPOState {
	case cpoOpen, cpoQuestioned:
		c.after.CPOState = cpoRefused
	}
}

// confirmDrop is for the second person. That it is another one is checked by the database, too.
func (d *deciding) confirmDrop(ctx context.Context, c *decided) error {
	proposal, err := d.proposal(ctx, c)
	if err != nil {
		return err
	}
	if proposal.ProposedBy == staffOf(ctx).UUID {
		return refuse("same-person")
	}
	if err := d.decideProposal(ctx, proposal, "confirmed"); err != nil {
		return err
	}
	c.drop(proposal.Reason)
	return nil
}

// rejectDrop lets the CDR go its way again; whoever has proposed to drop it may take that back.
func (d *deciding) rejectDrop(ctx context.Context, c *decided) error {
	proposal, err := d.proposal(ctx, c)
	if err != nil {
		return err
	}
	state := "rejected"
	if proposal.ProposedBy == staffOf(ctx).UUID {
		state = "withdrawn"
	}
	if err := d.decideProposal(ctx, proposal, state); err != nil {
		return err
	}
	if c.before.Reason == reasonDropProposed {
		c.after.Reason = ""
	}
	return d.rerate(ctx, c)
}

func (d *deciding) proposal(ctx context.Context, c *decided) (db.DropProposal, error) {
	proposal, open := d.proposed[c.before.CDRID]
	switch {
	case !open:
		return proposal, refuse("not-proposed")
	case !staffOf(ctx).Valid:
		return proposal, refuse("no-person")
	}
	return proposal, nil
}

func (d *deciding) decideProposal(ctx context.Context, p db.DropProposal, state string) error {
	err := d.q.DecideDropProposal(ctx, db.DecideDropProposalParams{ID: p.ID, State: state, DecidedBy: staffOf(ctx), DecidedAt: d.now})
	if err != nil {
		return fmt.Errorf("decide about proposal: %w", err)
	}
	return nil
}

// withdrawProposals ends proposals about a CDR that has been settled in another way.
func withdrawProposals(ctx context.Context, q *db.Queries, now time.Time, cdr uuid.UUID) error {
	open, err := q.OpenDropProposals(ctx, []uuid.UUID{cdr})
	if err != nil {
		return fmt.Errorf("proposals to drop: %w", err)
	}
	for _, p := range open {
		if err := q.DecideDropProposal(ctx, db.DecideDropProposalParams{ID: p.ID, State: "withdrawn", DecidedAt: now}); err != nil {
			return fmt.Errorf("withdraw proposal: %w", err)
		}
	}
	return nil
}

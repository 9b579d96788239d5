package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// DecisionKind is what a person decides about a CDR.
type DecisionKind string

// The decisions.
const (
	Accept      DecisionKind = "accept"       // the customer is billed and the CPO's claim accepted; Side narrows it down
	Remember    DecisionKind = "remember"     // accept, and widen the limits of its rules for what is like it
	Waive       DecisionKind = "waive"        // the customer is not charged
	HoldUntil   DecisionKind = "hold"         // look at it again at a date; it is not billed before
	Contest     DecisionKind = "dispute"      // dispute the CPO's claim
	RefuseClaim DecisionKind = "refuse"       // the CPO's claim is not paid
	Reassign    DecisionKind = "reassign"     // to another card, or the card to another contract from a date on
	Retariff    DecisionKind = "tariff"       // price it by another retail tariff
	Rerate      DecisionKind = "rerate"       // price it again
	Drop        DecisionKind = "drop"         // never bill it; above the utility's limit a proposal for a second person
	ConfirmDrop DecisionKind = "confirm-drop" // the second person agrees
	RejectDrop  DecisionKind = "reject-drop"  // or does not
	Note        DecisionKind = "note"         // write something down
	Assign      DecisionKind = "assign"       // who deals with it
)

// Decision is a decision with what it needs. It says nothing about which CDRs.
type Decision struct {
	Kind   DecisionKind
	Reason string // or the text of a note; needed by waive, tariff, drop, refuse, remember and note

	Side     string        // accept: "retail" or "cpo"; empty: both
	Rule     string        // remember: key of the rule; empty: every rule that has flagged the CDR
	ForAll   bool          // remember: for every partner, not the CDR's alone
	Until    *time.Time    // hold
	Dispute  NewDispute    // dispute
	Card     uuid.NullUUID // reassign: the CDR to this card
	Contract uuid.NullUUID // reassign: its card to this contract
	From     *time.Time    // reassign: from then on; nil: from the start of the session
	To       *time.Time    // reassign: up to then; nil: until further notice
	Plan     uuid.NullUUID // tariff; none: that of the contract again
	Assignee string        // assign; empty: nobody
}

// needReason are the decisions that an auditor will ask about.
var needReason = []DecisionKind{Waive, Remember, RefuseClaim, Retariff, Drop}

// check finds what is wrong with a decision whatever the CDR.
func (d Decision) check(now time.Time) error {
	switch {
	case decisions[d.Kind] == nil:
		return refuse("decision")
	case slices.Contains(needReason, d.Kind) && strings.TrimSpace(d.Reason) == "":
		return refuse("no-reason")
	case d.Kind == Note && strings.TrimSpace(d.Reason) == "":
		return refuse("no-note")
	case d.Kind == HoldUntil && (d.Until == nil || !d.Until.After(now)):
		return refuse("no-date")
	case d.Kind == Accept && d.Side != "" && d.Side != "retail" && d.Side != "cpo":
		return refuse("decision")
	case d.Kind == Contest && !slices.Contains(DisputeReasons, d.Dispute.Reason):
		return refuse("dispute-reason")
	case d.Kind == Reassign && !d.Card.Valid && !d.Contract.Valid:
		return refuse("no-target")
	case d.Kind == Reassign && d.From != nil && d.To != nil && !d.To.After(*d.From):
		return refuse("period")
	}
	return nil
}

// decisions is what each decision does with one CDR. It returns a Refusal where it cannot.
var decisions = map[DecisionKind]func(*deciding, context.Context, *decided) error{
	Accept:      (*deciding).accept,
	Remember:    (*deciding).remember,
	Waive:       (*deciding).waive,
	HoldUntil:   (*deciding).holdUntil,
	Contest:     (*deciding).contest,
	RefuseClaim: (*deciding).refuseClaim,
	Reassign:    (*deciding).reassign,
	Retariff:    (*deciding).retariff,
	Rerate:      (*deciding).rerate,
	Drop:        (*deciding).drop,
	ConfirmDrop: (*deciding).confirmDrop,
	RejectDrop:  (*deciding).rejectDrop,
	Note:        (*deciding).note,
	Assign:      (*deciding).assign,
}

// Decide carries a decision about one CDR out, in one transaction that holds its row. An error that is a *Refusal says why it
// cannot be done and changes nothing.
func (o *Ops) Decide(ctx context.Context, tenant, cdr uuid.UUID, d Decision) (Effect, error) {
	var effect Effect
	var ring []uuid.UUID
	err := retryDeadlock(func() error {
		return o.DB.Tx(ctx, func(q *db.Queries) error {
			made, err := o.decide(ctx, q, batch{tenant: tenant, ids: []uuid.UUID{cdr}, decision: d})
			if err != nil {
				return err
			}
			if effect, ring = made.effect, made.ring; len(effect.Refused) > 0 {
				return refuse(effect.Refused[0].Code) // and roll back
			}
			return nil
		})
	})
	if err != nil {
		return Effect{}, err
	}
	o.Bell.Ring(ctx, CDRRate, ring...)
	return effect, nil
}

// retryDeadlock tries again when another transaction, such as that of a credit CDR, locked the same rows in another order.
func retryDeadlock(try func() error) error {
	err := try()
	for n := 0; n < 3 && db.IsDeadlock(err); n++ {
		err = try()
	}
	return err
}

// batch is a decision about some CDRs of one utility.
type batch struct {
	tenant   uuid.UUID
	ids      []uuid.UUID
	decision Decision
	asOf     time.Time     // what changed since is left alone; zero: nothing is
	bulk     uuid.NullUUID // that the batch is part of
}

// deciding is a decision about a batch in progress.
type deciding struct {
	*Ops
	batch
	q        *db.Queries
	now      time.Time
	policy   db.ClearingPolicy
	ratings  map[uuid.UUID]db.CurrentRatingsRow
	proposed map[uuid.UUID]db.DropProposal
	disputes map[disputeKey][]disputed

	moves  []move
	bills  []bill
	ring   []uuid.UUID // CDRs to be rated again after the commit
	effect Effect
}

// decided is what becomes of one CDR.
type decided struct {
	before, after db.CDRState
	rating        *db.CurrentRatingsRow // before; nil: none
	outcome       string
	detail        map[string]string
	bill          bool             // what is booked follows the new state
	written       bool             // it is: by its re-rating
	retailAfter   *decimal.Decimal // after a re-rating
}

// decide locks the CDRs of a batch and does with each what the decision says; what cannot be done is counted and changes
// nothing. Everything that is written for all of them is written at once.
func (o *Ops) decide(ctx context.Context, q *db.Queries, b batch) (*deciding, error) {
	d := &deciding{Ops: o, batch: b, q: q, now: o.Now(), disputes: map[disputeKey][]disputed{}}
	if err := b.decision.check(d.now); err != nil {
		return nil, err
	}
	rows, err := q.LockCDRs(ctx, db.LockCDRsParams{IDs: b.ids, TenantID: b.tenant})
	if err != nil {
		return nil, fmt.Errorf("lock CDRs: %w", err)
	}
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	d.effect.Selected = len(b.ids)
	for range len(b.ids) - len(rows) {
		d.effect.refused("unknown", uuid.Nil)
	}
	for _, row := range rows {
		if err := d.one(ctx, row); err != nil {
			return nil, err
		}
	}
	return d, d.write(ctx)
}

// load reads what decisions look at besides the CDRs themselves.
func (d *deciding) load(ctx context.Context) (err error) {
	if d.policy, err = ClearingPolicyOf(ctx, d.q, d.tenant); err != nil {
		return err
	}
	ratings, err := d.q.CurrentRatings(ctx, d.ids)
	if err != nil {
		return fmt.Errorf("current ratings: %w", err)
	}
	d.ratings = make(map[uuid.UUID]db.CurrentRatingsRow, len(ratings))
	for _, r := range ratings {
		d.ratings[r.CDRID] = r
	}
	proposals, err := d.q.OpenDropProposals(ctx, d.ids)
	if err != nil {
		return fmt.Errorf("proposals to drop: %w", err)
	}
	d.proposed = make(map[uuid.UUID]db.DropProposal, len(proposals))
	for _, p := range proposals {
		d.proposed[p.CDRID] = p
	}
	return nil
}

// one decides about one CDR.
func (d *deciding) one(ctx context.Context, row db.CDRState) error {
	if !d.asOf.IsZero() && row.UpdatedAt.After(d.asOf) {
		d.effect.refused("changed", row.CDRID)
		return nil
	}
	c := &decided{before: row, after: row, detail: map[string]string{"note": d.decision.Reason}}
	if r, rated := d.ratings[row.CDRID]; rated {
		c.rating = &r
	}
	err := decisions[d.decision.Kind](d, ctx, c)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		d.effect.refused(refusal.Code, row.CDRID)
		return nil
	} else if err != nil {
		return err
	}
	d.effect.add(c)
	if c.written {
		return nil
	}
	d.moves = append(d.moves, move{before: c.before, after: c.after, what: string(d.decision.Kind), detail: c.detail})
	if c.bill {
		b := bill{cdr: c.after, open: c.after.RetailState == retailOpen}
		payables, err := payablesOf(c.rating)
		if err != nil {
			return err
		}
		b.owed = owedBy(c.after, payables)
		if c.after.RetailState == retailReleased {
			if b.items, err = itemsOf(c.rating); err != nil {
				return err
			}
		}
		d.bills = append(d.bills, b)
	}
	return nil
}

// write stores what was decided.
func (d *deciding) write(ctx context.Context) error {
	if len(d.bills) > 0 {
		invoiced, err := rebook(ctx, d.q, d.now, d.bills...)
		if err != nil {
			return err
		}
		for i := range d.moves {
			if s := &d.moves[i].after; s.State == cdrRated && s.RetailState == retailReleased && invoiced[s.CDRID] {
				s.State = cdrInvoiced
			}
		}
	}
	if err := d.openDisputes(ctx); err != nil {
		return err
	}
	return moveCDRs(ctx, d.q, d.now, d.moves...)
}

// itemsOf are the items of a rating.
func itemsOf(r *db.CurrentRatingsRow) ([]bookable, error) {
	var items []bookable
	if err := unfreeze(r.Items, &items); err != nil {
		return nil, fmt.Errorf("items of rating %s: %w", r.ID, err)
	}
	return items, nil
}

// payablesOf is what a rating owes.
func payablesOf(r *db.CurrentRatingsRow) (owed []payable, err error) {
	if r == nil {
		return nil, nil
	}
	if err := unfreeze(r.Payables, &owed); err != nil {
		return nil, fmt.Errorf("payables of rating %s: %w", r.ID, err)
	}
	return owed, nil
}

// settled reports that nothing can be decided about a CDR any more.
func settled(s db.CDRState) bool { return s.State == cdrCredited || s.State == cdrDropped }

// priced refuses what has no price, or no end.
func (c *decided) priced() error {
	switch {
	case c.before.State == cdrReceived:
		return refuse("not-rated")
	case settled(c.before):
		return refuse("closed")
	case c.before.CreditReference != "":
		return refuse("credit")
	case c.rating == nil || c.before.State == cdrWaiting || c.before.Reason == "no-tax-rule":
		return refuse("not-priced")
	}
	return nil
}

func (d *deciding) accept(ctx context.Context, c *decided) error {
	if c.before.CreditReference != "" {
		return d.acceptCredit(c)
	}
	if err := c.priced(); err != nil {
		return err
	}
	retail, cpo := d.decision.Side != "cpo", d.decision.Side != "retail"
	if _, open := d.proposed[c.before.CDRID]; open {
		return refuse("drop-proposed")
	}
	if retail && c.before.Reason == reasonHome {
		return refuse("home-charging")
	}
	if cpo {
		switch c.before.CPOState {
		case cpoDisputed:
			return refuse("disputed")
		case cpoCredited:
			return refuse("credited")
		}
		c.after.CPOState = cpoAccepted
	}
	c.outcome = "accepted"
	if retail {
		c.after.Cleared = cleared(c.before)
	}
	owed, err := payablesOf(c.rating)
	if err != nil {
		return err
	}
	home, _ := atHome(owed)
	if retail && (home || c.before.RetailState == retailWaived) { // an agreement decides; or what it had drawn of allowances was given back
		c.after.RetailState, c.after.Reason = retailOpen, ""
		return d.rerate(ctx, c)
	}
	if retail && c.before.RetailState != retailReleased {
		c.outcome, c.bill = "released", true
		c.after.State, c.after.RetailState, c.after.Reason, c.after.HeldUntil, c.after.DueAt = cdrRated, retailReleased, "", nil, nil
	}
	return nil
}

// acceptCredit takes note of a credit that is none: what it gives back is ours, the customer's bill is as it was.
func (d *deciding) acceptCredit(c *decided) error {
	if c.before.State != cdrHeld {
		return refuse("already")
	}
	c.outcome = "accepted"
	c.after.State, c.after.RetailState, c.after.CPOState, c.after.HeldUntil, c.after.DueAt = cdrCredited, retailNone, cpoAccepted, nil, nil
	return nil
}

// cleared are the findings and policies that a person has seen when he accepts a CDR as it is.
func cleared(s db.CDRState) []string {
	seen := slices.Clone(s.Cleared)
	for _, code := range append(slices.Clone(s.Flags), s.Reason) {
		mentions := slices.Contains(s.Flags, code) || slices.Contains([]string{reasonLate, reasonMini, reasonEmpty, reasonBlockedCard}, code)
		if mentions && !slices.Contains(seen, code) {
			seen = append(seen, code)
		}
	}
	return seen
}

// remember accepts, and widens the limits of the rules so that they are silent about the next CDR that is like this one.
func (d *deciding) remember(ctx context.Context, c *decided) error {
	if len(d.ids) > 1 {
		return refuse("one-at-a-time")
	}
	if err := d.accept(ctx, c); err != nil {
		return err
	}
	var findings []billing.Finding
	measures := map[string]decimal.Decimal{}
	if c.rating == nil || unfreeze(c.rating.Findings, &findings) != nil || unfreeze(c.rating.Measures, &measures) != nil {
		return refuse("rule-silent")
	}
	clearing, err := clearingOf(ctx, d.q, d.tenant, c.before.PartnerID)
	if err != nil {
		return err
	}
	partner := uuid.NullUUID{UUID: c.before.PartnerID, Valid: !d.decision.ForAll}
	widened := 0
	for _, f := range findings {
		key := f.Params["rule"]
		rule, known := billing.RuleByKey(key)
		if !known || f.Severity == billing.Info || d.decision.Rule != "" && d.decision.Rule != key {
			continue
		}
		setting, set := clearing.rules[key]
		if !set {
			setting = billing.Setting{Enabled: true, Limits: rule.Limits}
		}
		setting.Limits = rule.Accepting(measures[key], setting.Limits)
		if err := d.setRule(ctx, d.q, d.tenant, RuleChange{Partner: partner, Rule: key, Setting: &setting, Reason: d.decision.Reason}); err != nil {
			return err
		}
		widened++
	}
	if widened == 0 {
		return refuse("rule-silent")
	}
	return nil
}

func (d *deciding) waive(_ context.Context, c *decided) error {
	if err := c.priced(); err != nil {
		return err
	}
	if c.before.RetailState == retailWaived {
		return refuse("already")
	}
	if _, open := d.proposed[c.before.CDRID]; open {
		return refuse("drop-proposed")
	}
	c.outcome, c.bill = "waived", true
	c.after.State, c.after.RetailState, c.after.Reason, c.after.HeldUntil, c.after.DueAt = cdrRated, retailWaived, reasonByHand, nil, nil
	return nil
}

func (d *deciding) holdUntil(_ context.Context, c *decided) error {
	if err := c.priced(); err != nil {
		return err
	}
	if _, open := d.proposed[c.before.CDRID]; open {
		return refuse("drop-proposed")
	}
	if c.before.State == cdrInvoiced {
		return refuse("invoiced")
	}
	c.outcome, c.bill = "held", true
	c.after.State, c.after.RetailState, c.after.Reason, c.after.HeldUntil, c.after.DueAt = cdrHeld, retailOpen, reasonUntil, d.decision.Until, d.decision.Until
	c.detail["until"] = d.decision.Until.UTC().Format(time.RFC3339)
	return nil
}

func (d *deciding) refuseClaim(_ context.Context, c *decided) error {
	switch {
	case c.before.CreditReference != "":
		return refuse("credit")
	case c.before.CPOState == cpoCredited:
		return refuse("credited")
	case c.before.CPOState == cpoDisputed:
		return refuse("disputed")
	case c.before.CPOState == cpoRefused:
		return refuse("already")
	}
	c.outcome, c.after.CPOState = "refused", cpoRefused
	return nil
}

func (d *deciding) note(_ context.Context, c *decided) error {
	c.outcome = "noted"
	return nil
}

func (d *deciding) assign(_ context.Context, c *decided) error {
	c.outcome, c.after.Assignee = "assigned", strings.TrimSpace(d.decision.Assignee)
	c.detail["assignee"] = c.after.Assignee
	return nil
}

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

	"github.com/roamwerk/roamwerk/db"
)

// The states of a dispute. Every step between them is a row of disputes_transition.
const (
	disputeOpen      = "open"
	disputeSent      = "sent"
	disputeAnswered  = "answered"
	disputeCredited  = "credited"
	disputeRejected  = "rejected"
	disputeExpired   = "expired"
	disputeWithdrawn = "withdrawn"
)

// DisputeReasons are the reasons for a dispute.
var DisputeReasons = []string{"price", "tariff", "duplicate", "overlap", "energy", "duration", "late", "currency", "vat", "token", "operator", "meter", "other"}

// payByTariff are the reasons with which we would still pay what the CPO's own tariff gives; with the others, nothing.
var payByTariff = []string{"price", "tariff", "vat"}

// NewDispute is what a dispute is opened with.
type NewDispute struct {
	Reason   string // one of DisputeReasons
	Note     string
	Accepted decimal.NullDecimal // what we would pay of a single CDR, without VAT; absent: what follows from the reason
}

// disputeKey says which CDRs of a batch share a dispute.
type disputeKey struct {
	partner  uuid.UUID
	currency string
}

// disputed is a CDR on its way into a dispute.
type disputed struct {
	cdr                         uuid.UUID
	claimed, computed, accepted decimal.Decimal
}

// contest puts a CDR into a dispute with its partner. What the customer pays is not touched by it.
func (d *deciding) contest(_ context.Context, c *decided) error {
	switch {
	case c.before.CreditReference != "":
		return refuse("credit")
	case c.before.State == cdrReceived:
		return refuse("not-rated")
	case c.before.CPOState == cpoDisputed:
		return refuse("disputed")
	case c.before.CPOState == cpoCredited:
		return refuse("credited")
	}
	row := disputed{cdr: c.before.CDRID, claimed: c.before.Claimed}
	if c.rating != nil {
		row.computed = c.rating.ComputedNet
	}
	if slices.Contains(payByTariff, d.decision.Dispute.Reason) {
		row.accepted = row.computed
	}
	if accepted := d.decision.Dispute.Accepted; accepted.Valid && len(d.ids) == 1 {
		row.accepted = accepted.Decimal
	}
	if row.accepted.IsNegative() || row.accepted.GreaterThan(row.claimed.Abs()) {
		if d.decision.Dispute.Accepted.Valid {
			return refuse("dispute-amount")
		}
		row.accepted = decimal.Min(decimal.Max(row.accepted, decimal.Zero), row.claimed.Abs())
	}
	key := disputeKey{c.before.PartnerID, c.before.Currency}
	d.disputes[key] = append(d.disputes[key], row)
	c.outcome, c.after.CPOState = "disputed", cpoDisputed
	return nil
}

// openDisputes opens a dispute for each partner and currency, or goes on with that of the bulk decision.
func (d *deciding) openDisputes(ctx context.Context) error {
	for key, rows := range d.disputes {
		id, err := d.disputeFor(ctx, key)
		if err != nil {
			return err
		}
		params := make([]db.InsertDisputeCDRsParams, len(rows))
		for i, r := range rows {
			params[i] = db.InsertDisputeCDRsParams{DisputeID: id, CDRID: r.cdr, TenantID: d.tenant, Claimed: r.claimed, Computed: r.computed, Accepted: r.accepted}
		}
		if _, err := d.q.InsertDisputeCDRs(ctx, params); err != nil {
			return fmt.Errorf("add CDRs to dispute: %w", err)
		}
		if err := d.q.SumDispute(ctx, db.SumDisputeParams{ID: id, Now: d.now}); err != nil {
			return fmt.Errorf("sum dispute: %w", err)
		}
		for i := range d.moves {
			if slices.ContainsFunc(rows, func(r disputed) bool { return r.cdr == d.moves[i].after.CDRID }) {
				d.moves[i].detail["dispute"] = id.String()
			}
		}
	}
	return nil
}

// disputeFor is the dispute of the bulk decision with a partner, or a new one.
func (d *deciding) disputeFor(ctx context.Context, key disputeKey) (uuid.UUID, error) {
	if d.bulk.Valid {
		id, err := d.q.DisputeOfBulk(ctx, db.DisputeOfBulkParams{BulkID: d.bulk, PartnerID: key.partner, Currency: key.currency})
		if !errors.Is(err, db.ErrNotFound) {
			return id, err
		}
	}
	agreement, err := agreementOf(ctx, d.q, d.tenant, key.partner)
	if err != nil {
		return uuid.Nil, err
	}
	next, err := d.q.NextNumber(ctx, db.NextNumberParams{TenantID: d.tenant, Series: "disputes", Now: d.now})
	if err != nil {
		return uuid.Nil, fmt.Errorf("number dispute: %w", err)
	}
	id, number := uuid.Must(uuid.NewV7()), fmt.Sprintf("D-%06d", next.Last)
	err = d.q.InsertDispute(ctx, db.InsertDisputeParams{
		ID: id, TenantID: d.tenant, PartnerID: key.partner, Number: number, Reason: d.decision.Dispute.Reason, Note: strings.TrimSpace(d.decision.Dispute.Note),
		Currency: key.currency, Deadline: d.now.Add(days(agreement.DisputeDays)), BulkID: d.bulk, OpenedBy: actor(ctx), OpenedAt: d.now,
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("open dispute: %w", err)
	}
	return id, event(ctx, d.q, d.now, d.tenant, "dispute", id, "opened", map[string]string{"number": number, "reason": d.decision.Dispute.Reason})
}

// DisputeMessage is what was written to a partner, or by it.
type DisputeMessage struct {
	Subject   string
	Body      string
	Reference string // message id of an e-mail, or the partner's ticket number
	Email     bool   // to the partner: also send it, to the address of the agreement
}

// SendDispute writes to the partner, for the first time or again. With the first message the evidence is frozen, and the time
// in which the partner has to settle begins to run. A dispute that was rejected or has expired is taken up again by it.
func (o *Ops) SendDispute(ctx context.Context, tenant, id uuid.UUID, m DisputeMessage) error {
	var email uuid.UUID
	err := o.onDispute(ctx, tenant, id, func(q *db.Queries, d db.Dispute) error {
		agreement, err := agreementOf(ctx, q, tenant, d.PartnerID)
		if err != nil {
			return err
		}
		switch d.State {
		case disputeOpen, disputeSent, disputeAnswered:
		case disputeRejected, disputeExpired:
			if err := o.reopenDispute(ctx, q, d); err != nil {
				return err
			}
		default:
			return refuse("dispute-state")
		}
		if d.SentAt == nil {
			if err := o.freezeEvidence(ctx, q, d); err != nil {
				return err
			}
		}
		if d.State != disputeSent {
			deadline := d.Deadline
			if d.State != disputeAnswered {
				deadline = o.Now().Add(days(agreement.DisputeDays))
			}
			if err := o.moveDispute(ctx, q, d, disputeSent, deadline, "sent", m.Subject); err != nil {
				return err
			}
		}
		if m.Email && agreement.Email != "" {
			if email, err = o.queueDisputeEmail(ctx, q, tenant, agreement.Email, &m); err != nil {
				return err
			}
		}
		return o.writeDisputeMessage(ctx, q, d, "out", m)
	})
	if err == nil && email != uuid.Nil {
		o.Bell.Ring(ctx, EmailSend, email)
	}
	return err
}

// AnswerDispute notes what the partner wrote.
func (o *Ops) AnswerDispute(ctx context.Context, tenant, id uuid.UUID, m DisputeMessage) error {
	return o.onDispute(ctx, tenant, id, func(q *db.Queries, d db.Dispute) error {
		switch d.State {
		case disputeSent:
			if err := o.moveDispute(ctx, q, d, disputeAnswered, d.Deadline, "answered", m.Subject); err != nil {
				return err
			}
		case disputeOpen:
			return refuse("dispute-state")
		}
		return o.writeDisputeMessage(ctx, q, d, "in", m)
	})
}

// CloseDispute ends a dispute without a credit: the partner rejects it, or it is withdrawn. What becomes of the claims is for
// a person to decide then, with each CDR.
func (o *Ops) CloseDispute(ctx context.Context, tenant, id uuid.UUID, rejected bool, reason string) error {
	return o.onDispute(ctx, tenant, id, func(q *db.Queries, d db.Dispute) error {
		state := disputeWithdrawn
		if rejected {
			state = disputeRejected
		}
		if d.ClosedAt != nil || rejected && d.State == disputeOpen {
			return refuse("dispute-state")
		}
		if strings.TrimSpace(reason) == "" {
			return refuse("no-reason")
		}
		return o.endDispute(ctx, q, d, state, reason)
	})
}

// AcceptInDispute changes what we would pay of one CDR of a dispute, without VAT, and so what is expected back.
func (o *Ops) AcceptInDispute(ctx context.Context, tenant, id, cdr uuid.UUID, amount decimal.Decimal) error {
	return o.onDispute(ctx, tenant, id, func(q *db.Queries, d db.Dispute) error {
		if d.ClosedAt != nil {
			return refuse("dispute-state")
		}
		rows, err := q.DisputeCDRs(ctx, id)
		if err != nil {
			return fmt.Errorf("CDRs of dispute: %w", err)
		}
		at := slices.IndexFunc(rows, func(r db.DisputeCDRsRow) bool { return r.DisputeCDR.CDRID == cdr })
		if at < 0 {
			return db.ErrNotFound
		}
		if amount.IsNegative() || amount.GreaterThan(rows[at].DisputeCDR.Claimed) {
			return refuse("dispute-amount")
		}
		if err := q.SetDisputeAccepted(ctx, db.SetDisputeAcceptedParams{DisputeID: id, CDRID: cdr, Accepted: amount}); err != nil {
			return fmt.Errorf("accept in dispute: %w", err)
		}
		if err := q.SumDispute(ctx, db.SumDisputeParams{ID: id, Now: o.Now()}); err != nil {
			return fmt.Errorf("sum dispute: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "dispute", id, "accepted", map[string]string{"cdr": rows[at].CDRState.OCPIID, "amount": amount.String()})
	})
}

// onDispute runs fn with the locked row of a dispute of the utility. The CDRs are locked before it, as credits and decisions
// do.
func (o *Ops) onDispute(ctx context.Context, tenant, id uuid.UUID, fn func(q *db.Queries, d db.Dispute) error) error {
	return retryDeadlock(func() error {
		return o.DB.Tx(ctx, func(q *db.Queries) error {
			if err := q.LockCDRsOfDispute(ctx, id); err != nil {
				return fmt.Errorf("lock CDRs: %w", err)
			}
			d, err := q.LockDispute(ctx, db.LockDisputeParams{ID: id, TenantID: tenant})
			if err != nil {
				return err
			}
			return fn(q, d)
		})
	})
}

func (o *Ops) writeDisputeMessage(ctx context.Context, q *db.Queries, d db.Dispute, direction string, m DisputeMessage) error {
	if strings.TrimSpace(m.Body) == "" {
		return refuse("dispute-message")
	}
	err := q.InsertDisputeMessage(ctx, db.InsertDisputeMessageParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: d.TenantID, DisputeID: d.ID, Direction: direction, At: o.Now(), Actor: actor(ctx), Subject: m.Subject, Body: m.Body, Reference: m.Reference,
	})
	if err != nil {
		return fmt.Errorf("write message of dispute: %w", err)
	}
	return nil
}

// moveDispute brings a dispute into another state, with a line in its timeline.
func (o *Ops) moveDispute(ctx context.Context, q *db.Queries, d db.Dispute, state string, deadline time.Time, what, note string) error {
	p := db.SetDisputeStateParams{ID: d.ID, State: state, Deadline: deadline, Now: o.Now()}
	switch state {
	case disputeSent:
		p.SentAt = ptr(o.Now())
	case disputeAnswered:
		p.AnsweredAt = ptr(o.Now())
	default:
		p.ClosedAt = ptr(o.Now())
	}
	if err := q.SetDisputeState(ctx, p); err != nil {
		return fmt.Errorf("move dispute %s to %s: %w", d.Number, state, err)
	}
	detail := map[string]string{"state": state, "before": d.State}
	if note != "" {
		detail["note"] = note
	}
	return event(ctx, q, o.Now(), d.TenantID, "dispute", d.ID, what, detail)
}

// endDispute closes a dispute. The claims of its CDRs are in question again, until a person decides about them.
func (o *Ops) endDispute(ctx context.Context, q *db.Queries, d db.Dispute, state, note string) error {
	if err := o.moveDispute(ctx, q, d, state, d.Deadline, state, note); err != nil {
		return err
	}
	if err := q.SetDisputeCDRsOpen(ctx, db.SetDisputeCDRsOpenParams{DisputeID: d.ID, Open: false}); err != nil {
		return fmt.Errorf("close dispute: %w", err)
	}
	return o.moveClaims(ctx, q, d, cpoDisputed, cpoQuestioned, "dispute-"+state)
}

// reopenDispute takes the claims of a closed dispute up again.
func (o *Ops) reopenDispute(ctx context.Context, q *db.Queries, d db.Dispute) error {
	err := q.SetDisputeCDRsOpen(ctx, db.SetDisputeCDRsOpenParams{DisputeID: d.ID, Open: true})
	if db.IsDuplicate(err, "dispute_cdrs_open") {
		return refuse("disputed")
	} else if err != nil {
		return fmt.Errorf("reopen dispute: %w", err)
	}
	return o.moveClaims(ctx, q, d, "", cpoDisputed, "dispute")
}

// moveClaims brings the claims of a dispute from one state to another; from nothing means those that are not credited.
func (o *Ops) moveClaims(ctx context.Context, q *db.Queries, d db.Dispute, from, to, what string) error {
	rows, err := q.DisputeCDRs(ctx, d.ID)
	if err != nil {
		return fmt.Errorf("CDRs of dispute: %w", err)
	}
	var moves []move
	for _, r := range rows {
		before := r.CDRState
		if before.CPOState == to || before.CPOState == cpoCredited || from != "" && before.CPOState != from {
			continue
		}
		after := before
		after.CPOState = to
		moves = append(moves, move{before: before, after: after, what: what, detail: map[string]string{"dispute": d.ID.String()}})
	}
	return moveCDRs(ctx, q, o.Now(), moves...)
}

// settleDispute counts a credit towards the dispute about its original. When everything that is expected has come, the dispute
// is closed; a credit of a part leaves the rest open, and opens it again where it was closed.
func (r *rating) settleDispute(ctx context.Context, original db.CDRState, whole bool) error {
	id, err := r.q.DisputeForCredit(ctx, original.CDRID)
	if errors.Is(err, db.ErrNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("dispute of the original: %w", err)
	}
	if err := r.q.LockCDRsOfDispute(ctx, id); err != nil {
		return fmt.Errorf("lock CDRs of dispute: %w", err)
	}
	err = r.q.CreditDisputeCDR(ctx, db.CreditDisputeCDRParams{
		DisputeID: id, CDRID: original.CDRID, Credited: r.state.Claimed.Neg(), CreditID: uuid.NullUUID{UUID: r.state.CDRID, Valid: true},
	})
	if err != nil {
		return fmt.Errorf("credit in dispute: %w", err)
	}
	if err := r.q.SumDispute(ctx, db.SumDisputeParams{ID: id, Now: r.now}); err != nil {
		return fmt.Errorf("sum dispute: %w", err)
	}
	d, err := r.q.LockDispute(ctx, db.LockDisputeParams{ID: id, TenantID: original.TenantID})
	if err != nil {
		return fmt.Errorf("lock dispute: %w", err)
	}
	rows, err := r.q.DisputeCDRs(ctx, id)
	if err != nil {
		return fmt.Errorf("CDRs of dispute: %w", err)
	}
	complete := !slices.ContainsFunc(rows, func(row db.DisputeCDRsRow) bool {
		c := row.DisputeCDR
		return c.Credited.LessThan(c.Claimed.Sub(c.Accepted))
	})
	note := "credit " + r.state.OCPIID
	switch {
	case complete && d.State != disputeCredited:
		return r.endDispute(ctx, r.q, d, disputeCredited, note)
	case !complete && (d.State == disputeRejected || d.State == disputeExpired):
		if err := r.reopenDispute(ctx, r.q, d); err != nil {
			return err
		}
		return r.moveDispute(ctx, r.q, d, disputeSent, d.Deadline, "reopened", note)
	}
	return event(ctx, r.q, r.now, d.TenantID, "dispute", d.ID, "credit", map[string]string{"note": note, "amount": r.state.Claimed.Neg().String(), "whole": fmt.Sprint(whole)})
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
)

// Selection says which CDRs of a utility a decision is about: those with ids, or else those that a filter of the list finds.
// Empty fields filter nothing. The database reads it as it is frozen (cdrs_found).
type Selection struct {
	IDs []uuid.UUID `json:",omitempty"`

	Since     time.Time           `json:",omitzero"` // of the session's start
	Until     time.Time           `json:",omitzero"`
	Partner   uuid.NullUUID       `json:",omitzero"`
	Party     string              `json:",omitempty"` // of the operator: DE*LNN
	Customer  uuid.NullUUID       `json:",omitzero"`
	State     string              `json:",omitempty"` // or "disputed": its claim is in question or in a dispute
	Reason    string              `json:",omitempty"` // of the state
	Retail    string              `json:",omitempty"` // state of the flag
	CPO       string              `json:",omitempty"` // state of the flag
	Flag      string              `json:",omitempty"` // id of a rule
	Severity  string              `json:",omitempty"` // of the loudest finding: info, flag, block
	Assignee  string              `json:",omitempty"`
	LateDays  int                 `json:",omitempty"` // it came later than that after its end
	Least     decimal.NullDecimal `json:",omitzero"`  // of the claim
	Most      decimal.NullDecimal `json:",omitzero"`
	Delta     decimal.NullDecimal `json:",omitzero"` // between the claim and what its tariff gives, at least
	DeltaMost decimal.NullDecimal `json:",omitzero"` // at most
	Loss      bool                `json:",omitempty"`
	Meter     string              `json:",omitempty"` // what its signed meter data is: proven, invalid, none
	Pattern   string              `json:",omitempty"` // for ILIKE: in ids, places, cards and customers
	Plan      uuid.NullUUID       `json:",omitzero"`
	Tariff    string              `json:",omitempty"` // id of a CPO's tariff
}

// Filter is the selection as queries take it.
func (s Selection) Filter() []byte { return frozen(s) }

// chunkSize is how many CDRs are decided in one transaction.
const chunkSize = 500

// after are the next CDRs of the selection behind one.
func (s Selection) after(ctx context.Context, q *db.Queries, tenant, last uuid.UUID, most int32) ([]uuid.UUID, error) {
	ids, err := q.SelectCDRs(ctx, db.SelectCDRsParams{TenantID: tenant, Filter: s.Filter(), After: last, MaxRows: most})
	if err != nil {
		return nil, fmt.Errorf("select CDRs: %w", err)
	}
	return ids, nil
}

// errRollBack ends the transaction of a preview.
var errRollBack = errors.New("preview")

// PreviewDecision tells what a decision would do to a selection. It is the decision itself, carried out and rolled back chunk
// by chunk, so what it says is what will happen. For many thousands with new prices, StartBulk does the same in the
// background.
func (o *Ops) PreviewDecision(ctx context.Context, tenant uuid.UUID, s Selection, d Decision) (Effect, error) {
	var effect Effect
	if err := d.check(o.Now()); err != nil {
		return effect, err
	}
	for last := uuid.Nil; ; {
		ids, err := s.after(ctx, o.DB.Queries, tenant, last, chunkSize)
		if err != nil || len(ids) == 0 {
			return effect, err
		}
		part, err := o.try(ctx, batch{tenant: tenant, ids: ids, decision: d})
		if err != nil {
			return effect, err
		}
		effect.merge(part)
		last = ids[len(ids)-1]
	}
}

// try carries a decision about a batch out and rolls it back.
func (o *Ops) try(ctx context.Context, b batch) (Effect, error) {
	var effect Effect
	err := retryDeadlock(func() error {
		return o.DB.Tx(ctx, func(q *db.Queries) error {
			made, err := o.decide(ctx, q, b)
			if err != nil {
				return err
			}
			effect = made.effect
			return errRollBack
		})
	})
	if !errors.Is(err, errRollBack) {
		return Effect{}, err
	}
	return effect, nil
}

// StartBulk begins a decision about a selection in the background, or its preview, and returns the row that tells how far it
// is. What a CDR became between asOf, when its person saw the preview, and its turn is respected: such a CDR is left alone.
// A zero asOf is now.
func (o *Ops) StartBulk(ctx context.Context, tenant uuid.UUID, s Selection, d Decision, preview bool, asOf time.Time) (uuid.UUID, error) {
	if err := d.check(o.Now()); err != nil {
		return uuid.Nil, err
	}
	if d.Kind == Remember {
		return uuid.Nil, refuse("one-at-a-time")
	}
	now := o.Now()
	if asOf.IsZero() {
		asOf = now
	}
	all, err := s.after(ctx, o.DB.Queries, tenant, uuid.Nil, mostSelected)
	if err != nil {
		return uuid.Nil, err
	}
	id := uuid.Must(uuid.NewV7())
	err = o.DB.InsertBulk(ctx, db.InsertBulkParams{
		ID: id, TenantID: tenant, Preview: preview, Decision: frozen(d), Selection: frozen(s), AsOf: asOf, Total: int32(len(all)), Actor: actor(ctx), StaffID: staffOf(ctx), CreatedAt: now,
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("start bulk decision: %w", err)
	}
	o.Bell.Ring(ctx, CDRBulk, id)
	return id, nil
}

// RunPreviewed carries out what a preview has shown, and returns the row that tells how far it is. CDRs that changed since are
// left alone.
func (o *Ops) RunPreviewed(ctx context.Context, tenant, preview uuid.UUID) (uuid.UUID, error) {
	row, err := o.DB.Bulk(ctx, db.BulkParams{ID: preview, TenantID: uuid.NullUUID{UUID: tenant, Valid: true}})
	if err != nil {
		return uuid.Nil, err
	}
	if !row.Preview || row.State != "done" {
		return uuid.Nil, refuse("no-preview")
	}
	var s Selection
	var d Decision
	if err := errors.Join(unfreeze(row.Selection, &s), unfreeze(row.Decision, &d)); err != nil {
		return uuid.Nil, fmt.Errorf("read preview %s: %w", preview, err)
	}
	return o.StartBulk(ctx, tenant, s, d, false, row.AsOf)
}

// mostSelected is how many CDRs one bulk decision is about at most.
const mostSelected = 1_000_000

// BulkEffect reads what a bulk decision has done so far.
func BulkEffect(b db.Bulk) (Effect, error) {
	var effect Effect
	if err := unfreeze(b.Effect, &effect); err != nil {
		return effect, fmt.Errorf("effect of bulk decision %s: %w", b.ID, err)
	}
	return effect, nil
}

// CancelBulk stops a bulk decision after the chunk that is under way. What is done stays done.
func (o *Ops) CancelBulk(ctx context.Context, tenant, id uuid.UUID) error {
	n, err := o.DB.CancelBulk(ctx, db.CancelBulkParams{ID: id, TenantID: tenant, Now: o.Now()})
	if err != nil {
		return fmt.Errorf("cancel bulk decision: %w", err)
	}
	if n == 0 {
		return db.ErrNotFound
	}
	return nil
}

// runBulk works a bulk decision off, chunk by chunk. Each chunk moves the row's cursor in its own transaction, so whoever goes
// on after a crash goes on behind it.
func (w *Worker) runBulk(ctx context.Context, id uuid.UUID) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var ring []uuid.UUID
		err := retryDeadlock(func() error {
			return w.DB.Tx(ctx, func(q *db.Queries) (err error) {
				more, ring, err = w.bulkChunk(ctx, q, id)
				return err
			})
		})
		if err != nil {
			return err
		}
		w.Bell.Ring(ctx, CDRRate, ring...)
	}
	return nil
}

// bulkChunk decides about the next chunk.
func (w *Worker) bulkChunk(ctx context.Context, q *db.Queries, id uuid.UUID) (more bool, ring []uuid.UUID, err error) {
	row, err := q.LockBulk(ctx, id)
	if err != nil || row.State != "running" || row.DueAt == nil || row.DueAt.After(w.Now()) {
		return false, nil, err
	}
	var s Selection
	var d Decision
	effect, err := BulkEffect(row)
	if err := errors.Join(err, unfreeze(row.Selection, &s), unfreeze(row.Decision, &d)); err != nil {
		return false, nil, err
	}
	ids, err := s.after(ctx, q, row.TenantID, row.Cursor, chunkSize)
	if err != nil {
		return false, nil, err
	}
	progress := db.AdvanceBulkParams{ID: id, Cursor: row.Cursor, Done: row.Done + int32(len(ids)), State: "running", DueAt: ptr(w.Now())}
	if len(ids) > 0 {
		progress.Cursor = ids[len(ids)-1]
		part, rung, err := w.bulkBatch(ctx, q, row, batch{tenant: row.TenantID, ids: ids, decision: d, asOf: row.AsOf, bulk: uuid.NullUUID{UUID: id, Valid: !row.Preview}})
		if err != nil {
			return false, nil, err
		}
		effect.merge(part)
		ring = rung
	}
	if len(ids) < chunkSize {
		progress.State, progress.FinishedAt, progress.DueAt = "done", ptr(w.Now()), nil
	}
	progress.Effect = frozen(effect)
	if err := q.AdvanceBulk(ctx, progress); err != nil {
		return false, nil, fmt.Errorf("advance bulk decision: %w", err)
	}
	return progress.State == "running", ring, nil
}

// bulkBatch decides in the name of whoever started it. A preview decides in a transaction of its own, which is rolled back.
func (w *Worker) bulkBatch(ctx context.Context, q *db.Queries, row db.Bulk, b batch) (Effect, []uuid.UUID, error) {
	ctx = WithActor(ctx, row.Actor)
	if row.StaffID.Valid {
		ctx = WithStaff(ctx, row.StaffID.UUID, row.Actor)
	}
	if row.Preview {
		effect, err := w.ops().try(ctx, b)
		return effect, nil, err
	}
	made, err := w.ops().decide(ctx, q, b)
	if err != nil {
		return Effect{}, nil, err
	}
	return made.effect, made.ring, nil
}

func bulksDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.BulksDue(ctx, db.BulksDueParams{Now: now, MaxRows: sweepSize})
}

func (w *Worker) postponeBulk(ctx context.Context, id uuid.UUID, reason error) error {
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		row, err := q.LockBulk(ctx, id)
		if err != nil || row.DueAt == nil {
			return err
		}
		return q.PostponeBulk(ctx, db.PostponeBulkParams{ID: id, DueAt: ptr(w.Now().Add(backoff(row.Attempts))), Reason: reason.Error()})
	})
}

package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
)

// many receives n CDRs that a rule holds, and rates them.
func (w *world) many(n int) []uuid.UUID {
	w.t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range n {
		ids[i] = w.receive(cdr{id: fmt.Sprint("M", i), start: apart(i), kwh: "20", cost: "18"})
	}
	w.work()
	return ids
}

// bulk runs a bulk decision to its end.
func (w *world) bulk(ctx context.Context, s jobs.Selection, d jobs.Decision, preview bool) (db.Bulk, jobs.Effect) {
	w.t.Helper()
	id, err := w.ops.StartBulk(ctx, w.tenant.ID, s, d, preview, time.Time{})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.awaitBulk(id)
}

func (w *world) awaitBulk(id uuid.UUID) (db.Bulk, jobs.Effect) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.worker.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		row, err := w.db.Bulk(w.ctx, db.BulkParams{ID: id, TenantID: uuid.NullUUID{UUID: w.tenant.ID, Valid: true}})
		if err != nil {
			w.t.Fatal(err)
		}
		if row.State != "running" {
			effect, err := jobs.BulkEffect(row)
			if err != nil {
				w.t.Fatal(err)
			}
			return row, effect
		}
		if time.Now().After(end) {
			w.t.Fatalf("the bulk decision is not done: %+v", row)
		}
	}
}

// What a preview says is what happens, and nothing of it stays.
func TestPreviewIsTheDecision(t *testing.T) {
	w := newWorld(t)
	const n = 12
	ids := w.many(n)
	w.decide(w.ctx, ids[0], jobs.Decision{Kind: jobs.Contest, Dispute: jobs.NewDispute{Reason: "price"}})
	w.decide(w.ctx, ids[1], jobs.Decision{Kind: jobs.Waive, Reason: "goodwill"})
	snapshot := func() string {
		return fmt.Sprint(w.count(`SELECT count(*) FROM events`), w.count(`SELECT count(*) FROM line_items`), w.count(`SELECT count(*) FROM ratings`),
			w.count(`SELECT count(*) FROM disputes`), w.count(`SELECT hashtext(string_agg(s::text, '' ORDER BY cdr_id)) FROM cdr_states s`))
	}
	plan := w.addPlan("Billig", priced("0.10", ""), day(1)).PlanID
	before := snapshot()
	for _, c := range []struct {
		d    jobs.Decision
		s    jobs.Selection
		want string
	}{
		{jobs.Decision{Kind: jobs.Accept}, jobs.Selection{State: "held"}, "11 selected, 10 changed; released 10 180 0 99.2; refused disputed 1"},
		{jobs.Decision{Kind: jobs.Accept}, jobs.Selection{IDs: ids[:3]}, "3 selected, 2 changed; released 2 36 0 19.84; refused disputed 1"},
		{jobs.Decision{Kind: jobs.Waive, Reason: "x"}, jobs.Selection{Flag: "P16"}, "12 selected, 11 changed; waived 11 198 0 0; refused already 1"},
		{jobs.Decision{Kind: jobs.Drop, Reason: "x"}, jobs.Selection{CPO: "questioned"}, "11 selected, 11 changed; dropped 11 198 0 0"},
		{jobs.Decision{Kind: jobs.Retariff, Plan: uuid.NullUUID{UUID: plan, Valid: true}, Reason: "x"}, jobs.Selection{Retail: "waived"}, "1 selected, 1 changed; waived 1 18 0 0"},
		{jobs.Decision{Kind: jobs.Contest, Dispute: jobs.NewDispute{Reason: "price"}}, jobs.Selection{State: "held", Since: day(6), Until: day(7)}, "0 selected, 0 changed"},
		{jobs.Decision{Kind: jobs.Note, Reason: "x"}, jobs.Selection{Pattern: "M1%"}, "3 selected, 3 changed; noted 3 54 0 0"},
		{jobs.Decision{Kind: jobs.Note, Reason: "x"}, jobs.Selection{Tariff: "ac"}, "12 selected, 12 changed; noted 12 216 0 0"},
		{jobs.Decision{Kind: jobs.Note, Reason: "x"}, jobs.Selection{Tariff: "dc"}, "0 selected, 0 changed"},
	} {
		effect, err := w.ops.PreviewDecision(w.ctx, w.tenant.ID, c.s, c.d)
		if err != nil {
			t.Fatal(err)
		}
		w.expect(fmt.Sprintf("preview of %s %+v", c.d.Kind, c.s), told(effect), c.want)
		w.expect("after the preview", snapshot(), before)
	}
	preview, err := w.ops.PreviewDecision(w.ctx, w.tenant.ID, jobs.Selection{State: "held"}, jobs.Decision{Kind: jobs.Accept})
	if err != nil {
		t.Fatal(err)
	}
	row, effect := w.bulk(w.ctx, jobs.Selection{State: "held"}, jobs.Decision{Kind: jobs.Accept}, false)
	w.expect("effect", fmt.Sprintf("%+v", effect), fmt.Sprintf("%+v", preview))
	w.expect("progress", fmt.Sprint(row.State, " ", row.Done, " ", row.Total), "done 11 11")
	w.expect("released", w.count(`SELECT count(*) FROM cdr_states WHERE retail_state = 'released' AND cpo_state = 'accepted'`), 10)
	w.expect("booked", w.count(`SELECT count(*) FROM (SELECT cdr_id FROM line_items GROUP BY cdr_id HAVING sum(gross) = 11.80) x`), 10)
	if _, err := w.ops.StartBulk(w.ctx, w.tenant.ID, jobs.Selection{}, jobs.Decision{Kind: jobs.Remember, Reason: "x"}, false, time.Time{}); err == nil {
		t.Error("many limits are remembered at once")
	}
}

// told sums an effect up.
func told(e jobs.Effect) string {
	text := fmt.Sprintf("%d selected, %d changed", e.Selected, e.Changed)
	for _, o := range e.Outcomes {
		text += fmt.Sprintf("; %s %d %s %s %s", o.Outcome, o.Many, o.Claimed, o.RetailBefore, o.RetailAfter)
	}
	for _, r := range e.Refused {
		text += fmt.Sprintf("; refused %s %d", r.Code, r.Many)
	}
	return text
}

// A bulk re-rating shows the old and the new sums and the largest changes first, and then does just that.
func TestBulkRerating(t *testing.T) {
	w := newWorld(t)
	const n = 15
	for i := range n {
		w.receive(cdr{id: fmt.Sprint("C", i), start: apart(i * 3), kwh: fmt.Sprint(10 + i)})
	}
	w.work()
	w.runOctober(true)
	plan := w.addPlan("Aktion", priced("0.50", ""), day(1)).PlanID // in place of 0.59
	d, s := jobs.Decision{Kind: jobs.Retariff, Plan: uuid.NullUUID{UUID: plan, Valid: true}, Reason: "the action counted in October"}, jobs.Selection{Partner: uuid.NullUUID{UUID: w.partner, Valid: true}, Since: day(1), Until: day(31)}
	row, preview := w.bulk(w.ctx, s, d, true)
	if !row.Preview || len(preview.Biggest) != 10 || preview.Biggest[0].OCPIID != "C14" {
		t.Errorf("%+v", preview)
	}
	w.expect("ratings after the preview", w.count(`SELECT count(*) FROM ratings`), n)
	id, err := w.ops.RunPreviewed(w.ctx, w.tenant.ID, row.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, effect := w.awaitBulk(id)
	w.expect("effect", fmt.Sprintf("%+v", effect), fmt.Sprintf("%+v", preview))
	var refusal *jobs.Refusal
	if _, err := w.ops.RunPreviewed(w.ctx, w.tenant.ID, id); !errors.As(err, &refusal) || refusal.Code != "no-preview" {
		t.Errorf("what is no preview is carried out: %v", err)
	}
	sum := decimal.NewFromInt(10*n + n*(n-1)/2).Mul(decimal.RequireFromString("0.50"))
	w.expect("booked", decimal.New(int64(w.count(`SELECT (100 * sum(gross))::integer FROM line_items`)), -2), sum)
	w.expect("to be taken back and booked anew", w.count(`SELECT count(*) FROM line_items WHERE invoice_id IS NULL`), 2*n)
	_, again := w.bulk(w.ctx, s, jobs.Decision{Kind: jobs.Rerate}, false)
	if len(again.Biggest) != 0 {
		t.Errorf("again: %+v", again)
	}
	w.expect("still", w.count(`SELECT count(*) FROM line_items WHERE invoice_id IS NULL`), 2*n)
}

// What changed after the preview is left alone, a bulk decision that is cancelled goes no further, and one that fails is tried
// again where it was.
func TestBulkGoesOn(t *testing.T) {
	w := newWorld(t)
	ids := w.many(6)
	seen := w.clock.Now()
	w.clock.Set(seen.Add(time.Minute))
	w.decide(w.ctx, ids[2], jobs.Decision{Kind: jobs.Note, Reason: "wait for the answer"})
	w.clock.Set(seen.Add(2 * time.Minute))
	id, err := w.ops.StartBulk(w.clerk("erika"), w.tenant.ID, jobs.Selection{IDs: ids}, jobs.Decision{Kind: jobs.Contest, Dispute: jobs.NewDispute{Reason: "price"}}, false, seen)
	if err != nil {
		t.Fatal(err)
	}
	_, effect := w.awaitBulk(id)
	w.expect("effect", told(effect), "6 selected, 5 changed; disputed 5 90 0 0; refused changed 1")
	w.expect("one dispute", w.count(`SELECT count(*) FROM disputes WHERE claimed = 90 AND accepted = 45 AND opened_by = 'erika'`), 1)

	id, err = w.ops.StartBulk(w.ctx, w.tenant.ID, jobs.Selection{IDs: ids}, jobs.Decision{Kind: jobs.Note, Reason: "x"}, false, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ops.CancelBulk(w.ctx, w.addTenant("DE*SWY", "Stadtwerke Ypsilon").ID, id); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("another utility cancels it: %v", err)
	}
	if err := w.ops.CancelBulk(w.ctx, w.tenant.ID, id); err != nil {
		t.Fatal(err)
	}
	if row, effect := w.awaitBulk(id); row.State != "cancelled" || effect.Changed != 0 {
		t.Errorf("%+v", row)
	}
	// The cursor stands where the last chunk ended.
	id, err = w.ops.StartBulk(w.ctx, w.tenant.ID, jobs.Selection{IDs: ids}, jobs.Decision{Kind: jobs.Note, Reason: "half"}, false, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := dbtest.Exec(w.ctx, w.dbURL, fmt.Sprintf(`UPDATE bulks SET cursor = '%s', done = 3 WHERE id = '%s'`, ids[2], id)); err != nil {
		t.Fatal(err)
	}
	row, _ := w.awaitBulk(id)
	w.expect("done", row.Done, 6)
	w.expect("noted", w.count(`SELECT count(*) FROM events WHERE what = 'note' AND detail->>'note' = 'half'`), 3)
}

func BenchmarkBulkPreview(b *testing.B) {
	w := newWorld(b)
	const n = 2000
	for i := range n {
		w.receive(cdr{id: fmt.Sprint("M", i), start: day(1).Add(time.Duration(i) * 13 * time.Minute), kwh: "20", cost: "18"})
	}
	w.work()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.ops.PreviewDecision(w.ctx, w.tenant.ID, jobs.Selection{State: "held"}, jobs.Decision{Kind: jobs.Accept}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "CDRs/s")
}

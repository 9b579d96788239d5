package jobs

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// sweepSize is how many due rows of a kind one sweep rings for.
const sweepSize = 2000

// Sweep rings for every row that is due and not done. It is what makes a lost ring harmless.
func (w *Worker) Sweep(ctx context.Context) error {
	now := w.Now()
	for kind, job := range jobs {
		ids, err := job.due(ctx, w.DB.Queries, now)
		if err != nil {
			return err
		}
		w.Bell.Ring(ctx, kind, ids...)
	}
	return nil
}

// sweepUntilDone sweeps at once, for what a previous process left behind, and then at intervals.
func (w *Worker) sweepUntilDone(ctx context.Context) error {
	ticker := time.NewTicker(w.sweepEvery())
	defer ticker.Stop()
	for {
		if err := w.Sweep(ctx); err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "sweep failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func cdrsDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.CDRsDue(ctx, db.CDRsDueParams{Now: now, MaxRows: sweepSize})
}

func tokensDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.TokensDue(ctx, db.TokensDueParams{Now: now, MaxRows: sweepSize})
}

func blocksDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.BlocksDue(ctx, db.BlocksDueParams{Now: now, MaxRows: sweepSize})
}

func invoicesDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.InvoicesDue(ctx, db.InvoicesDueParams{Now: now, MaxRows: sweepSize})
}

func emailsDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.EmailsDue(ctx, db.EmailsDueParams{Now: now, MaxRows: sweepSize})
}

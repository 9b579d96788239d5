package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// disputeWarning is how long before the deadline of a dispute somebody is told.
const disputeWarning = 7 * 24 * time.Hour

// disputesWatched is how many disputes are looked at in an hour.
const disputesWatched = 5000

// watchWaits raises an alert where CDRs have waited for master data for longer than the utility wants. They go on being looked
// at daily: nothing gives them up.
func (w *Worker) watchWaits(ctx context.Context) error {
	now := w.Now()
	rows, err := w.DB.LongWaits(ctx, now)
	if err != nil {
		return fmt.Errorf("CDRs that wait: %w", err)
	}
	for _, r := range rows {
		err := w.ops().raise(ctx, alert{
			kind: AlertWaiting, partner: r.PartnerID, tenant: uuid.NullUUID{UUID: r.TenantID, Valid: true},
			subject: fmt.Sprintf("waiting/%s/%s/%s", r.TenantID, r.Reason, r.Currency),
			params: map[string]any{
				"count": r.Many, "claimed": r.Claimed.StringFixed(2), "currency": r.Currency, "reason": r.Reason, "since": r.Oldest.Format(alertTime),
			},
		})
		if err != nil {
			return err
		}
	}
	if _, err := w.DB.ResolveAlertsBefore(ctx, db.ResolveAlertsBeforeParams{Kind: string(AlertWaiting), Since: now, Now: now}); err != nil {
		return fmt.Errorf("resolve alerts of CDRs that wait no longer: %w", err)
	}
	return nil
}

// watchDisputes ends the disputes whose deadline has passed: their claims are a person's to decide then. It raises an alert for
// each dispute whose deadline is near, and for each that has expired and is not decided about.
func (w *Worker) watchDisputes(ctx context.Context) error {
	now := w.Now()
	ending, err := w.DB.DisputesEnding(ctx, db.DisputesEndingParams{Before: now.Add(disputeWarning), MaxRows: disputesWatched})
	if err != nil {
		return fmt.Errorf("disputes that end: %w", err)
	}
	for _, d := range ending {
		if d.Deadline.After(now) {
			if err := w.raiseDispute(ctx, AlertDisputeEnds, d); err != nil {
				return err
			}
			continue
		}
		err := w.ops().onDispute(ctx, d.TenantID, d.ID, func(q *db.Queries, row db.Dispute) error {
			if row.ClosedAt != nil || row.Deadline.After(now) { // settled, or taken up again, a moment ago
				return nil
			}
			return w.ops().endDispute(ctx, q, row, disputeExpired, "")
		})
		if err != nil {
			return fmt.Errorf("end dispute %s: %w", d.Number, err)
		}
	}
	expired, err := w.DB.DisputesExpired(ctx, disputesWatched)
	if err != nil {
		return fmt.Errorf("disputes that have expired: %w", err)
	}
	for _, d := range expired {
		if err := w.raiseDispute(ctx, AlertDisputeOver, db.DisputesEndingRow(d)); err != nil {
			return err
		}
	}
	for _, kind := range []AlertKind{AlertDisputeEnds, AlertDisputeOver} {
		if _, err := w.DB.ResolveAlertsBefore(ctx, db.ResolveAlertsBeforeParams{Kind: string(kind), Since: now, Now: now}); err != nil {
			return fmt.Errorf("resolve alerts of disputes: %w", err)
		}
	}
	return nil
}

func (w *Worker) raiseDispute(ctx context.Context, kind AlertKind, d db.DisputesEndingRow) error {
	return w.ops().raise(ctx, alert{
		kind: kind, partner: d.PartnerID, tenant: uuid.NullUUID{UUID: d.TenantID, Valid: true}, subject: "disputes/" + d.ID.String(),
		params: map[string]any{"number": d.Number, "expected": d.Expected.StringFixed(2), "currency": d.Currency, "deadline": d.Deadline.Format(time.DateOnly)},
	})
}

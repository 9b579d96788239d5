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

// watchDisputes raises an alert for each dispute whose deadline is near, and ends those whose deadline has passed: their claims
// are a person's to decide then.
func (w *Worker) watchDisputes(ctx context.Context) error {
	now := w.Now()
	rows, err := w.DB.DisputesEnding(ctx, db.DisputesEndingParams{Before: now.Add(disputeWarning), MaxRows: 5000})
	if err != nil {
		return fmt.Errorf("disputes that end: %w", err)
	}
	for _, d := range rows {
		a := alert{
			kind: AlertDisputeEnds, partner: d.PartnerID, tenant: uuid.NullUUID{UUID: d.TenantID, Valid: true}, subject: disputeSubject(d.ID),
			params: map[string]any{"number": d.Number, "expected": d.Expected.StringFixed(2), "currency": d.Currency, "deadline": d.Deadline.Format(time.DateOnly)},
		}
		if d.Deadline.After(now) {
			if err := w.ops().raise(ctx, a); err != nil {
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
		a.kind = AlertDisputeOver
		if err := w.ops().raise(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// disputeSubject is how alerts name a dispute.
func disputeSubject(id uuid.UUID) string { return "disputes/" + id.String() }

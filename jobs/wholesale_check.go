package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// wholesaleCheck is how a utility checks the claims of a partner.
type wholesaleCheck struct {
	readings  []billing.Policy // the partner's own first
	tolerance billing.Tolerance
}

// wholesaleCheckOf reads it.
func wholesaleCheckOf(ctx context.Context, q *db.Queries, tenant, partner uuid.UUID) (wholesaleCheck, error) {
	row, err := q.WholesaleCheck(ctx, db.WholesaleCheckParams{TenantID: tenant, PartnerID: partner})
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return wholesaleCheck{}, fmt.Errorf("wholesale check: %w", err)
	}
	own, known := billing.PolicyNamed(row.Reading)
	if !known {
		return wholesaleCheck{}, fmt.Errorf("wholesale check: %q is no reading", row.Reading)
	}
	return wholesaleCheck{readings: append([]billing.Policy{own}, billing.Readings...), tolerance: ToleranceOf(row)}, nil
}

// ToleranceOf is what a utility grants a partner; what it has not set is as package billing has it.
func ToleranceOf(row db.WholesaleCheck) billing.Tolerance {
	t := billing.DefaultTolerance
	for _, set := range []struct {
		value decimal.NullDecimal
		into  *decimal.Decimal
	}{
		{row.PerLine, &t.PerLine}, {row.Relative, &t.Relative}, {row.Energy, &t.Energy},
		{row.Hours, &t.Time}, {row.Month, &t.Month}, {row.MonthRelative, &t.MonthRelative},
	} {
		if set.value.Valid {
			*set.into = set.value.Decimal
		}
	}
	return t
}

// SetWholesaleCheck changes how a utility checks the claims of a partner, for CDRs that are rated from now on. The error for a
// reading that is not known or a tolerance out of bounds is an *ocpi.Error. reason is for the timeline.
func (o *Ops) SetWholesaleCheck(ctx context.Context, c db.WholesaleCheck, reason string) error {
	if _, known := billing.PolicyNamed(c.Reading); !known {
		return ocpi.InvalidParameter("reading", "a reading that is known", c.Reading)
	}
	limits := []struct {
		name     string
		value    decimal.NullDecimal
		fraction bool
	}{
		{"per_line", c.PerLine, false}, {"relative", c.Relative, true}, {"energy", c.Energy, false},
		{"hours", c.Hours, false}, {"month", c.Month, false}, {"month_relative", c.MonthRelative, true},
	}
	for _, set := range limits {
		switch {
		case !set.value.Valid:
		case set.value.Decimal.IsNegative(), set.fraction && set.value.Decimal.GreaterThanOrEqual(decimal.NewFromInt(1)):
			rule := "not negative"
			if set.fraction {
				rule = "from 0 to below 1"
			}
			return ocpi.InvalidParameter(set.name, rule, set.value.Decimal.String())
		}
	}
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		now := o.Now()
		err := q.SaveWholesaleCheck(ctx, db.SaveWholesaleCheckParams{
			TenantID: c.TenantID, PartnerID: c.PartnerID, Reading: c.Reading, PerLine: c.PerLine, Relative: c.Relative,
			Energy: c.Energy, Hours: c.Hours, Month: c.Month, MonthRelative: c.MonthRelative, UpdatedAt: now,
		})
		if err != nil {
			return fmt.Errorf("save wholesale check: %w", err)
		}
		detail := map[string]string{"reading": c.Reading, "note": reason}
		for _, set := range limits {
			if set.value.Valid {
				detail[set.name] = set.value.Decimal.String()
			}
		}
		return event(ctx, q, now, c.TenantID, "partner", c.PartnerID, "wholesale-check", detail)
	})
}

// DriftOf is what the database has summed up of a month.
func DriftOf(row db.WholesaleDriftsRow) billing.Drift {
	return billing.Drift{CDRs: int(row.Many), Claimed: row.Claimed, Computed: row.Computed}
}

// watchDrifts raises an alert for each month, this one or the last, in which what is tolerated of a partner's claims adds up to
// more than is tolerated of a month. It is over when the month does no longer, or is past.
func (w *Worker) watchDrifts(ctx context.Context) error {
	now := w.Now().UTC()
	since := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	rows, err := w.DB.WholesaleDrifts(ctx, db.WholesaleDriftsParams{Since: since})
	if err != nil {
		return fmt.Errorf("drifts of claims: %w", err)
	}
	for _, row := range rows {
		check, err := wholesaleCheckOf(ctx, w.DB.Queries, row.TenantID, row.PartnerID)
		if err != nil {
			return err
		}
		drift := DriftOf(row)
		if drift.Exceeds(check.tolerance, row.Currency) == nil {
			continue
		}
		month := row.Month.UTC().Format("2006-01")
		err = w.ops().raise(ctx, alert{
			kind: AlertDrift, partner: row.PartnerID, tenant: uuid.NullUUID{UUID: row.TenantID, Valid: true},
			subject: "claims/" + row.TenantID.String() + "/" + month + "/" + row.Currency,
			params: map[string]any{
				"month": month, "cdrs": row.Many, "delta": drift.Delta().StringFixed(2) + " " + row.Currency, "claimed": row.Claimed.StringFixed(2) + " " + row.Currency,
			},
		})
		if err != nil {
			return err
		}
	}
	if _, err := w.DB.ResolveAlertsBefore(ctx, db.ResolveAlertsBeforeParams{Kind: string(AlertDrift), Since: now, Now: now}); err != nil {
		return fmt.Errorf("resolve drifts: %w", err)
	}
	return nil
}

package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// lintBatch is how many tariffs one transaction looks at.
const lintBatch = 100

// lintTariffs looks at the tariffs of a partner that came since, or that other rules were applied to, and notes how bad it is.
// The findings themselves are not kept: they follow from the document.
func (w *Worker) lintTariffs(ctx context.Context, partner uuid.UUID) error {
	for {
		done := 0
		err := w.DB.Tx(ctx, func(q *db.Queries) error {
			rows, err := q.LockTariffLints(ctx, db.LockTariffLintsParams{PartnerID: partner, Now: w.Now(), MaxRows: lintBatch})
			if err != nil {
				return fmt.Errorf("tariffs to look at: %w", err)
			}
			done = len(rows)
			for _, row := range rows {
				if err := q.SaveTariffLint(ctx, w.lintTariff(row)); err != nil {
					return fmt.Errorf("note findings of tariff %s: %w", row.TariffID, err)
				}
			}
			return nil
		})
		if err != nil || done < lintBatch {
			return err
		}
	}
}

func (w *Worker) lintTariff(row db.LockTariffLintsRow) db.SaveTariffLintParams {
	noted := db.SaveTariffLintParams{
		CountryCode: row.CountryCode, PartyID: row.PartyID, TariffID: row.TariffID, Version: row.Version, Linter: lint.Version, Codes: []string{}, Now: w.Now(),
	}
	var doc ocpi.Tariff
	if err := ocpi.UnmarshalLenient(row.Doc, &doc); err != nil {
		noted.Worst, noted.Findings, noted.Codes = string(billing.Block), 1, []string{"tariff-unreadable"}
		return noted
	}
	findings := lint.Lint(doc, billing.ZoneOf(row.CountryCode))
	for _, f := range findings {
		if f.Severity == billing.Info {
			continue
		}
		noted.Findings++
		if !slices.Contains(noted.Codes, f.Code) {
			noted.Codes = append(noted.Codes, f.Code)
		}
	}
	if len(findings) > 0 {
		noted.Worst = string(lint.Worst(findings))
	}
	return noted
}

// relintTariffs makes tariffs due that were looked at by other rules.
func (w *Worker) relintTariffs(ctx context.Context) error {
	many, err := w.DB.RequestTariffLints(ctx, db.RequestTariffLintsParams{Now: w.Now(), Linter: lint.Version})
	if many > 0 {
		w.Log.InfoContext(ctx, "looking at tariffs again", "count", many, "rules", lint.Version)
	}
	return err
}

func tariffsDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.PartnersWithTariffsToLint(ctx, db.PartnersWithTariffsToLintParams{Now: now, MaxRows: sweepSize})
}

func (w *Worker) postponeTariffs(ctx context.Context, partner uuid.UUID, _ error) error {
	return w.DB.PostponeTariffLints(ctx, db.PostponeTariffLintsParams{PartnerID: partner, DueAt: w.Now().Add(time.Minute), Now: w.Now()})
}

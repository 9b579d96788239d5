package jobs

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// NumberReport is what an auditor wants to know of a utility's document numbers and archive.
type NumberReport struct {
	Series    []db.NumberSeriesRow
	Gaps      []db.NumberGapsRow // numbers that were allotted and that no document bears
	Documents db.ProveDocumentsRow
}

// Proven reports whether there is no gap, every number follows the one before it in time, and every archived document is the
// one that was archived, in the order in which it was.
func (r *NumberReport) Proven() bool {
	for _, s := range r.Series {
		if s.Issued != s.Last || s.FirstSeq != 1 || s.LastSeq != s.Last || s.Misplaced > 0 {
			return false
		}
	}
	return len(r.Gaps) == 0 && r.Documents.Changed == 0 && r.Documents.Unchained == 0
}

// ReportNumbers looks at every number that a utility has issued and at every document in its archive, in one snapshot.
func ReportNumbers(ctx context.Context, q *db.Queries, tenant uuid.UUID) (r NumberReport, err error) {
	if r.Series, err = q.NumberSeries(ctx, tenant); err != nil {
		return r, fmt.Errorf("series: %w", err)
	}
	if r.Gaps, err = q.NumberGaps(ctx, tenant); err != nil {
		return r, fmt.Errorf("gaps: %w", err)
	}
	if r.Documents, err = q.ProveDocuments(ctx, tenant); err != nil {
		return r, fmt.Errorf("chain of documents: %w", err)
	}
	return r, nil
}

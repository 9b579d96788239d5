package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// rotateAfter is how old the tokens of a connection become (CRED-23).
const rotateAfter = 30 * 24 * time.Hour

// planRotations makes new credentials due at every partner whose token is a month old (CRED-23). How they get there is the
// same as when our endpoints have changed. A partner that takes no PUT is asked again in a month.
func (w *Worker) planRotations(ctx context.Context) error {
	planned, err := w.DB.PlanRotations(ctx, db.PlanRotationsParams{Now: w.Now(), Before: w.Now().Add(-rotateAfter), NoPut: string(ocpi.QuirkNoCredentialsPut)})
	if err != nil {
		return fmt.Errorf("plan rotations: %w", err)
	}
	if planned > 0 {
		w.Log.InfoContext(ctx, "tokens of partners are a month old and will be exchanged", "partners", planned)
	}
	return nil
}

// noteNoPut writes down that a partner takes no PUT of credentials: it has to register again instead.
func noteNoPut(ctx context.Context, q *db.Queries, partner uuid.UUID, now time.Time, detail string) error {
	_, err := q.NoteQuirk(ctx, db.NoteQuirkParams{PartnerID: partner, Quirk: string(ocpi.QuirkNoCredentialsPut), Now: now, Times: 1, Detail: storable(detail)})
	if err != nil {
		return fmt.Errorf("note a quirk: %w", err)
	}
	return nil
}

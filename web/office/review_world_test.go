package office_test

import (
	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// fillReview gives a utility what people leave behind who decide about its CDRs.
func (w *world) fillReview(u *utility) {
	w.Helper()
	u.view = uuid.Must(uuid.NewV7())
	w.check(w.ops.DB.SaveView(w.Context(), db.SaveViewParams{
		ID: u.view, TenantID: uuid.NullUUID{UUID: u.ID, Valid: true}, Page: "/cdrs", Name: "Ansicht " + u.Name, Query: "month=all&state=waiting", CreatedAt: w.now,
	}))
}

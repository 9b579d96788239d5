package office_test

import (
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// fillReview gives a utility what people leave behind who decide about its CDRs.
func (w *world) fillReview(u *utility) {
	w.Helper()
	u.view = uuid.Must(uuid.NewV7())
	w.check(w.ops.DB.SaveView(w.Context(), db.SaveViewParams{
		ID: u.view, TenantID: uuid.NullUUID{UUID: u.ID, Valid: true}, Page: "/cdrs", Name: "Ansicht " + u.Name, Query: "month=all&state=waiting", CreatedAt: w.now,
	}))
	ctx := jobs.WithActor(w.Context(), "Klara Clerk")
	_, err := w.ops.Decide(ctx, u.ID, u.fleet, jobs.Decision{Kind: jobs.Contest, Dispute: jobs.NewDispute{Reason: "energy", Note: "impossible at this connector"}})
	w.check(err)
	list, err := w.ops.DB.DisputesOfCDR(ctx, u.fleet)
	w.check(err)
	u.dispute = list[0].ID
	u.bulk, err = w.ops.StartBulk(ctx, u.ID, jobs.Selection{State: "rated"}, jobs.Decision{Kind: jobs.Waive, Reason: "Kulanz"}, true, w.now)
	w.check(err)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		b, err := w.ops.DB.Bulk(w.Context(), db.BulkParams{ID: u.bulk})
		w.check(err)
		if b.State == "done" {
			return
		}
		if time.Now().After(end) {
			w.Fatal("the preview is not done")
		}
	}
}

// decide posts the form of a decision about a CDR.
func (c *client) decide(id uuid.UUID, kind string, fields ...string) response {
	c.Helper()
	form := url.Values{"kind": {kind}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return c.post("/en/cdrs/"+id.String()+"/decide", form)
}

// state is how a CDR stands.
func (w *world) state(id uuid.UUID) db.CDRState {
	w.Helper()
	s, err := w.ops.DB.CDRState(w.Context(), id)
	w.check(err)
	return s
}

package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// announceClaim is how long a claimed announcement is left alone: longer than the calls that it takes.
const announceClaim = 2 * time.Minute

// planAnnouncements makes an announcement due at every partner that was told of other endpoints than those that we offer now
// (VER-11). It is asked when a process starts, because that is when an offer can have changed.
func (w *Worker) planAnnouncements(ctx context.Context) error {
	if w.Offer == "" {
		return nil
	}
	planned, err := w.DB.PlanAnnouncements(ctx, db.PlanAnnouncementsParams{Offer: w.Offer, Now: w.Now()})
	if err != nil {
		return fmt.Errorf("plan announcements: %w", err)
	}
	if planned > 0 {
		w.Log.InfoContext(ctx, "what we offer has changed, partners will be told", "partners", planned)
	}
	return nil
}

// announce tells a partner that our endpoints have changed, by new credentials: it reads our version details again then. What
// is due is claimed by moving its time on; no transaction is open while the partner is called.
func (w *Worker) announce(ctx context.Context, id uuid.UUID) error {
	now := w.Now()
	partner, err := w.DB.ClaimAnnouncement(ctx, db.ClaimAnnouncementParams{ID: id, Now: now, AgainAt: now.Add(announceClaim)})
	if err != nil {
		return err // db.ErrNotFound: told already, or no longer a partner
	}
	o := w.ops()
	err = o.renewCredentials(ctx, partner)
	var failed *client.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &failed):
		return err
	}
	if err := o.CallEnded(ctx, partner, partyOfPartner(partner), failed); err != nil {
		w.Log.WarnContext(ctx, "cannot note the call of a partner", "partner", partner.Name, "error", err)
	}
	w.Log.WarnContext(ctx, "cannot tell a partner what we offer", "partner", partner.Name, "error", failed)
	problem := db.AnnouncementFailedParams{ID: id, Problem: failed.Error(), AnnounceAt: ptr(now.Add(rejectPause))}
	noPut := failed.HTTPStatus == http.StatusMethodNotAllowed || failed.HTTPStatus == http.StatusNotFound
	if noPut {
		// Some hubs take no PUT: they have to register again, and that is for people to arrange.
		problem.AnnounceAt, problem.Advertised = nil, w.Offer
	}
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		if noPut {
			if err := noteNoPut(ctx, q, id, now, failed.Error()); err != nil {
				return err
			}
		}
		if err := q.AnnouncementFailed(ctx, problem); err != nil {
			return fmt.Errorf("note a failed announcement: %w", err)
		}
		return event(ctx, q, now, uuid.Nil, "partner", id, "announcement failed", map[string]string{"problem": problem.Problem})
	})
}

func announcementsDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.AnnouncementsDue(ctx, db.AnnouncementsDueParams{Now: now, MaxRows: sweepSize})
}

// postponeAnnouncement does nothing: a claimed announcement is due again after announceClaim.
func (w *Worker) postponeAnnouncement(context.Context, uuid.UUID, error) error { return nil }

// renewCredentials gives a partner our credentials with a new token and takes its new ones (CRED-18, CRED-22). The new token
// counts before it is sent, beside the old one. After a failure it is void again; when there was no answer, both count until
// the partner uses one. The error for what the partner did is a *client.Error.
func (o *Ops) renewCredentials(ctx context.Context, partner db.Partner) error {
	endpoint, ok, err := partnerEndpoint(partner, ocpi.ModuleCredentials, ocpi.Receiver)
	if err != nil || !ok {
		return errors.Join(err, errMissingEndpoints{ocpi.ModuleCredentials})
	}
	auth, err := partnerAuth(o.Box, partner)
	if err != nil {
		return err
	}
	r := registration{token: newPartnerToken(), again: true, found: client.Discovery{Auth: auth}}
	if err := ocpi.Unmarshal(partner.Endpoints, &r.found.Details.Endpoints); err != nil {
		return fmt.Errorf("endpoints of partner %q: %w", partner.Name, err)
	}
	ours, err := o.OurCredentials(ctx, partner.ID, r.token, auth.Dialect)
	if err != nil {
		return err
	}
	if err := insertPartnerToken(ctx, o.DB.Queries, o, partner.ID, "live", r.token); err != nil {
		return err
	}
	var sent error
	r.theirs, sent = o.Client.PutCredentials(ctx, auth, endpoint, ours)
	ctx = context.WithoutCancel(ctx) // the partner has a new token now, whatever becomes of us
	if sent != nil {
		return errors.Join(sent, o.withdrawToken(ctx, partner.ID, r.token, sent))
	}
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		locked, err := q.LockPartner(ctx, partner.ID)
		if err != nil {
			return fmt.Errorf("lock partner: %w", err)
		}
		if locked.State != "registered" || !bytes.Equal(locked.TokenSealed, partner.TokenSealed) {
			return fmt.Errorf("partner %q renewed its credentials at the same moment", partner.Name)
		}
		_, err = r.save(ctx, q, o, locked)
		return err
	})
}

// withdrawToken takes back a token that was sent to a partner in vain, or leaves it beside the old one when the partner may
// have taken it (CRED-22).
func (o *Ops) withdrawToken(ctx context.Context, partner uuid.UUID, token string, sent error) error {
	if outcomeUnknown(sent) {
		return o.DB.DoubtPartnerTokens(ctx, partner)
	}
	_, err := o.DB.RevokePartnerToken(ctx, db.RevokePartnerTokenParams{Hash: o.Box.Hash(token), Now: o.Now()})
	return err
}

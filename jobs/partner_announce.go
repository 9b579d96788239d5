package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// announceClaim is how long a claimed announcement is left alone: longer than the calls that it takes.
const announceClaim = 2 * time.Minute

// offerTo names all that a partner can read of us: our endpoints, those that are hidden from it, and our roles. It is told
// when that changes (VER-11, CRED-24).
func offerTo(offer string, hidden []string, roles []ocpi.CredentialsRole) string {
	sum := sha256.New()
	fmt.Fprintln(sum, offer)
	for _, module := range slices.Sorted(slices.Values(hidden)) {
		fmt.Fprintln(sum, "hidden", module)
	}
	for _, r := range roles {
		fmt.Fprintf(sum, "%s %s %q %q\n", r.CountryCode, r.PartyID, r.BusinessDetails.Name, r.BusinessDetails.Website)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// planAnnouncements makes an announcement due at every partner that was told something else than it should know now. It
// compares state, so that changes at the same time are told at once, and none is forgotten, whoever made it.
func (w *Worker) planAnnouncements(ctx context.Context) error {
	if w.Offer == "" {
		return nil
	}
	partners, err := w.DB.RegisteredPartners(ctx)
	if err != nil {
		return fmt.Errorf("registered partners: %w", err)
	}
	rows, err := w.DB.RolesOfPartners(ctx)
	if err != nil {
		return fmt.Errorf("roles of partners: %w", err)
	}
	roles := map[uuid.UUID][]ocpi.CredentialsRole{}
	for _, r := range rows {
		roles[r.PartnerID] = append(roles[r.PartnerID], ourRole(r.CountryCode, r.PartyID, r.Name, r.Website))
	}
	var changed []uuid.UUID
	for _, p := range partners {
		if known := roles[p.ID]; len(known) > 0 && offerTo(w.Offer, p.HiddenModules, known) != p.Advertised {
			changed = append(changed, p.ID)
		}
	}
	planned, err := w.DB.PlanAnnouncements(ctx, db.PlanAnnouncementsParams{PartnerIDs: changed, Now: w.Now()})
	if err != nil {
		return fmt.Errorf("plan announcements: %w", err)
	}
	if planned > 0 {
		w.Log.InfoContext(ctx, "what we offer has changed, partners will be told", "partners", planned)
		w.Bell.Ring(ctx, PartnerTell, changed...)
	}
	return nil
}

// announce tells a partner what has changed, by new credentials: it reads our version details again then. One that is no
// partner any more is told that. What is due is claimed by moving its time on; no transaction is open while the partner is
// called.
func (w *Worker) announce(ctx context.Context, id uuid.UUID) error {
	now := w.Now()
	partner, err := w.DB.ClaimAnnouncement(ctx, db.ClaimAnnouncementParams{ID: id, Now: now, AgainAt: now.Add(announceClaim)})
	if err != nil {
		return err // db.ErrNotFound: told already, or it is away
	}
	o := w.ops()
	if partner.State == "ended" {
		return o.tellEnd(ctx, partner)
	}
	err = o.renewCredentials(ctx, partner)
	var failed *client.Error
	var ours *ocpi.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed):
		if err := o.CallEnded(ctx, partner, partyOfPartner(partner), failed); err != nil {
			w.Log.WarnContext(ctx, "cannot note the call of a partner", "partner", partner.Name, "error", err)
		}
	case !errors.As(err, &ours): // which cannot be told as it is
		return err
	}
	return o.announcementFailed(ctx, partner, err)
}

// announcementFailed writes down that a partner was not told, and when to try again. Some hubs take no PUT: they have to
// register again, and that is for people to arrange.
func (o *Ops) announcementFailed(ctx context.Context, partner db.Partner, why error) error {
	now := o.Now()
	o.Log.WarnContext(ctx, "cannot tell a partner what we offer", "partner", partner.Name, "attempt", partner.AnnounceAttempts+1, "error", why)
	problem := db.AnnouncementFailedParams{ID: partner.ID, Problem: why.Error(), AnnounceAt: ptr(now.Add(announceBackoff(partner.AnnounceAttempts)))}
	var failed *client.Error
	noPut := errors.As(why, &failed) && (failed.HTTPStatus == http.StatusMethodNotAllowed || failed.HTTPStatus == http.StatusNotFound)
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if noPut {
			ours, err := o.OurCredentials(ctx, partner.ID, "", nil)
			if err != nil {
				return err
			}
			problem.AnnounceAt, problem.Advertised = nil, offerTo(o.Offer, partner.HiddenModules, ours.Roles)
			if err := noteNoPut(ctx, q, partner.ID, now, failed.Error()); err != nil {
				return err
			}
			if err := partnerKnows(ctx, q, partner.ID, ours); err != nil {
				return err
			}
		}
		if err := q.AnnouncementFailed(ctx, problem); err != nil {
			return fmt.Errorf("note a failed announcement: %w", err)
		}
		if partner.AnnounceAttempts > 0 && !noPut {
			return nil // the timeline has it
		}
		return event(ctx, q, now, uuid.Nil, "partner", partner.ID, "announcement failed", map[string]string{"problem": problem.Problem})
	})
}

// announceBackoff is how long an announcement waits after its n-th failure: from a minute to an hour.
func announceBackoff(attempts int32) time.Duration {
	return min(time.Minute<<min(attempts, 6), time.Hour)
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
	if r.ours, err = o.OurCredentials(ctx, partner.ID, r.token, auth.Dialect); err != nil {
		return err
	}
	if err := insertPartnerToken(ctx, o.DB.Queries, o, partner.ID, "live", r.token); err != nil {
		return err
	}
	var sent error
	r.theirs, sent = o.Client.PutCredentials(ctx, auth, endpoint, r.ours)
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

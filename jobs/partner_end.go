package jobs

import (
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

// tellEndFor is how long we try to tell a partner that the partnership has ended.
const tellEndFor = 7 * 24 * time.Hour

// EndPartner ends a registration, as an operator wants it: the partner's tokens are void and nothing is sent any more, but
// that it has ended (CRED-30). What the partner delivered stays.
func (o *Ops) EndPartner(ctx context.Context, id uuid.UUID) error {
	if err := o.endPartner(ctx, id, true); err != nil {
		return err
	}
	o.Bell.Ring(ctx, PartnerTell, id)
	return nil
}

// PartnerEnded ends a registration, as the partner has told us (CRED-27).
func (o *Ops) PartnerEnded(ctx context.Context, id uuid.UUID) error {
	return o.endPartner(ctx, id, false)
}

func (o *Ops) endPartner(ctx context.Context, id uuid.UUID, tell bool) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		partner, err := q.LockPartner(ctx, id)
		if err != nil {
			return fmt.Errorf("lock partner: %w", err)
		}
		if partner.State != "registered" {
			return ocpi.MethodNotAllowed("not registered")
		}
		if err := q.RevokeOtherPartnerTokens(ctx, db.RevokeOtherPartnerTokensParams{PartnerID: id, Keep: []byte{}, Now: o.Now()}); err != nil {
			return fmt.Errorf("revoke tokens: %w", err)
		}
		if err := q.EndTokenDeliveries(ctx, id); err != nil {
			return fmt.Errorf("stop token deliveries: %w", err)
		}
		if err := q.ResolveAlertsOfPartner(ctx, db.ResolveAlertsOfPartnerParams{PartnerID: id, Now: o.Now()}); err != nil {
			return fmt.Errorf("resolve alerts: %w", err)
		}
		if err := q.EndPartner(ctx, db.EndPartnerParams{ID: id, Now: o.Now(), Tell: tell}); err != nil {
			return fmt.Errorf("end partner: %w", err)
		}
		return event(ctx, q, o.Now(), uuid.Nil, "partner", id, "ended", nil)
	})
}

// tellEnd sends a partner DELETE credentials. Whatever it answers settles it; only when it does not answer, it is told again.
func (o *Ops) tellEnd(ctx context.Context, partner db.Partner) error {
	endpoint, ok, err := partnerEndpoint(partner, ocpi.ModuleCredentials, ocpi.Receiver)
	if err != nil {
		return err
	}
	if !ok {
		return o.toldEnd(ctx, partner, "")
	}
	auth, err := partnerAuth(o.Box, partner)
	if err != nil {
		return err
	}
	err = o.Client.DeleteCredentials(ctx, auth, endpoint)
	var failed *client.Error
	switch {
	case err == nil:
		return o.toldEnd(ctx, partner, "")
	case !errors.As(err, &failed):
		return err
	case failed.HTTPStatus == http.StatusUnauthorized, failed.HTTPStatus == http.StatusNotFound, failed.HTTPStatus == http.StatusMethodNotAllowed:
		return o.toldEnd(ctx, partner, "") // it does not know us any more, or cannot be told
	case failed.Fault == client.Refused && failed.HTTPStatus < http.StatusInternalServerError && failed.HTTPStatus != http.StatusTooManyRequests,
		partner.EndedAt == nil || o.Now().Sub(*partner.EndedAt) > tellEndFor:
		return o.toldEnd(ctx, partner, failed.Error())
	}
	o.Log.WarnContext(ctx, "cannot tell a partner that the partnership has ended", "partner", partner.Name, "attempt", partner.AnnounceAttempts+1, "error", failed)
	return o.DB.PartnerNotToldEnd(ctx, db.PartnerNotToldEndParams{
		ID: partner.ID, Problem: failed.Error(), AnnounceAt: o.Now().Add(announceBackoff(partner.AnnounceAttempts)),
	})
}

// toldEnd notes that a partner need not be told any more. Our token for it is forgotten.
func (o *Ops) toldEnd(ctx context.Context, partner db.Partner, problem string) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.PartnerToldEnd(ctx, db.PartnerToldEndParams{ID: partner.ID, Problem: problem}); err != nil {
			return fmt.Errorf("note that a partner was told the end: %w", err)
		}
		detail := map[string]string{}
		if problem != "" {
			detail["problem"] = problem
		}
		return event(ctx, q, o.Now(), uuid.Nil, "partner", partner.ID, "end told", detail)
	})
}

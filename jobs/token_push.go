package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

const (
	// pushClaim is how long a claimed delivery is left alone: longer than a call can take.
	pushClaim = 2 * time.Minute
	// pushPause bounds the wait between two attempts, so that a partner that comes back soon knows of blocked cards.
	pushPause = 5 * time.Minute
	// pushRest is how long a partner that had too many is left alone, when it does not say.
	pushRest = 30 * time.Second
)

// errNoTokens says that a partner takes no tokens; it asks for every one.
var errNoTokens = errors.New("the partner has no endpoint for tokens")

// pushToken gives a token, as it is now, to every partner at which it is due (OFF-03). What is due is claimed by moving its
// time on; no transaction is open while a partner is called. A delivery that fails becomes due again by itself, and a slow
// partner does not keep the others waiting.
func (w *Worker) pushToken(ctx context.Context, id uuid.UUID) error {
	now := w.Now()
	due, err := w.DB.ClaimTokenDeliveries(ctx, db.ClaimTokenDeliveriesParams{TokenID: id, Now: now, AgainAt: now.Add(pushClaim)})
	if err != nil {
		return fmt.Errorf("claim token deliveries: %w", err)
	}
	var g errgroup.Group
	for _, d := range due {
		g.Go(func() error { return w.deliverToken(ctx, id, d) })
	}
	return g.Wait()
}

// deliverToken sends a token to one partner and writes down how that went. Its error is ours, never the partner's.
func (w *Worker) deliverToken(ctx context.Context, id uuid.UUID, d db.ClaimTokenDeliveriesRow) error {
	sent, err := w.sendToken(ctx, id, d.PartnerID)
	if err == nil {
		return w.DB.ConfirmTokenDelivery(ctx, db.ConfirmTokenDeliveryParams{
			TokenID: id, PartnerID: d.PartnerID, Confirmed: sent.Token.LastUpdated, ChangedAt: sent.ChangedAt, ClaimedUntil: *d.DueAt, Now: w.Now(),
		})
	}
	w.Log.WarnContext(ctx, "cannot push token", "token", id, "partner", d.PartnerID, "attempt", d.Attempts, "error", err)
	again := ptr(w.Now().Add(pushBackoff(d.Attempts)))
	var failed *client.Error
	switch {
	case errors.Is(err, errNoTokens):
		again = nil
	case errors.As(err, &failed) && (failed.HTTPStatus == http.StatusTooManyRequests || failed.RetryAfter > 0):
		// It had enough for now: the others, but for blocked cards, would get the same answer (TOK-31).
		putOff := db.PutOffTokenDeliveriesParams{PartnerID: d.PartnerID, Now: w.Now(), DueAt: w.Now().Add(min(cmp.Or(failed.RetryAfter, pushRest), pushPause))}
		if err := w.DB.PutOffTokenDeliveries(ctx, putOff); err != nil {
			return fmt.Errorf("put off token deliveries: %w", err)
		}
	}
	return w.DB.FailTokenDelivery(ctx, db.FailTokenDeliveryParams{
		TokenID: id, PartnerID: d.PartnerID, Problem: err.Error(), DueAt: again, ClaimedUntil: *d.DueAt,
	})
}

// sendToken sends a token to one partner and returns what it sent.
func (w *Worker) sendToken(ctx context.Context, id, partnerID uuid.UUID) (row db.TokenAtRow, err error) {
	partner, err := w.DB.Partner(ctx, partnerID)
	if err != nil {
		return row, fmt.Errorf("partner: %w", err)
	}
	endpoint, ok, err := partnerEndpoint(partner, ocpi.ModuleTokens, ocpi.Receiver)
	if err != nil {
		return row, err
	}
	if !ok {
		return row, errNoTokens
	}
	auth, err := partnerAuth(w.Box, partner)
	if err != nil {
		return row, err
	}
	row, err = w.DB.TokenAt(ctx, db.TokenAtParams{ID: id, PartnerID: partnerID})
	if err != nil {
		return row, fmt.Errorf("token: %w", err)
	}
	owner := partyOf(row.CountryCode, row.PartyID)
	token := TokenAt(row.Token, row.ContractID, owner, row.Void, row.ChangedAt)
	// To a hub, its own party means everybody behind it (RTG-08).
	to := partyOfPartner(partner)
	err = w.Client.PutToken(ctx, client.Peer{Auth: auth, Routing: ocpi.Routing{To: to, From: owner}}, endpoint, token)
	if err := errors.Join(err, w.ops().CallEnded(ctx, partner, to, err)); err != nil {
		return row, err
	}
	if err := w.DB.PartnerSent(ctx, db.PartnerSentParams{ID: partner.ID, Now: w.Now(), Before: w.Now().Add(-time.Minute)}); err != nil {
		w.Log.WarnContext(ctx, "cannot note the call of a partner", "partner", partner.ID, "error", err)
	}
	return row, nil
}

// pushBackoff is how long a delivery waits after its n-th failure. The jitter keeps a thousand tokens from returning to a
// recovering partner in one instant.
func pushBackoff(attempts int32) time.Duration {
	wait := min(backoff(attempts), pushPause)
	return wait/2 + rand.N(wait)
}

// postponeToken does nothing: a claimed delivery is due again after pushClaim, an unclaimed one is still due.
func (w *Worker) postponeToken(context.Context, uuid.UUID, error) error { return nil }

// distributeMissing makes tokens due at partners that have never heard of them: what fell between an issue and a registration
// that happened at the same moment. The sweeper rings for it.
func (w *Worker) distributeMissing(ctx context.Context) error {
	missing, err := w.DB.DistributeMissing(ctx, w.Now())
	if missing > 0 {
		w.Log.InfoContext(ctx, "distribute tokens that partners lack", "count", missing)
	}
	return err
}

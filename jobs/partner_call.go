package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

const (
	probePause  = time.Minute     // between two probes of a partner that does not answer
	probeLater  = 5 * time.Minute // once that has lasted for an hour
	rejectPause = time.Hour       // between two probes of a partner that rejects our token
	outage      = time.Minute     // what lasts longer may have cost us messages (OFF-02)
)

// NotConnectedError says that a party is not called, because the hub that it is behind cannot reach it (HUB-06). Nothing waits
// for it.
type NotConnectedError struct {
	Party  ocpi.Party
	Status ocpi.ConnectionStatus
}

func (e *NotConnectedError) Error() string {
	return e.Party.String() + " cannot be reached: its hub says " + string(e.Status)
}

// ErrRejected says that a partner is not called, because it does not take our token any more (STA-07).
var ErrRejected = errors.New("the partner rejects our token: it has to register again, or to accept the token again")

// Callable is what every call to a functional module asks first. The error is a *NotConnectedError, ErrRejected, or that the
// partner is not registered.
func Callable(ctx context.Context, q *db.Queries, partner db.Partner, to ocpi.Party) error {
	if partner.State != "registered" {
		return fmt.Errorf("partner %q is not registered", partner.Name)
	}
	if partner.RejectedAt != nil {
		return ErrRejected
	}
	if partner.Role != string(ocpi.RoleHub) || to.Equal(partyOfPartner(partner)) {
		return nil
	}
	known, err := q.PartiesAt(ctx, db.PartiesAtParams{PartnerID: partner.ID, CountryCode: string(to.CountryCode), PartyID: string(to.PartyID)})
	if err != nil {
		return fmt.Errorf("parties %s: %w", to, err)
	}
	if len(known) == 0 {
		tells, err := offersClientInfo(partner)
		if err != nil || !tells { // HUB-11
			return err
		}
		return &NotConnectedError{Party: to, Status: unknownParty}
	}
	if status := ocpi.ConnectionStatus(known[0].Status); status != ocpi.ConnectionConnected {
		return &NotConnectedError{Party: to, Status: status}
	}
	return nil
}

// unknownParty is the status, of our own, of a party that the hub does not know or no longer lists.
const unknownParty ocpi.ConnectionStatus = "UNKNOWN"

func partyOfPartner(p db.Partner) ocpi.Party {
	return ocpi.Party{CountryCode: ocpi.CiString(p.CountryCode), PartyID: ocpi.CiString(p.PartyID)}
}

func offersClientInfo(p db.Partner) (bool, error) {
	_, ok, err := partnerEndpoint(p, ocpi.ModuleHubClientInfo, ocpi.Sender)
	return ok, err
}

// CallEnded notes what a call to a partner, for a party, showed of them; partner is as it was read before the call. A partner
// that does not answer or rejects our token is only probed until it does. One that answers again gets what it missed, and is
// asked for what we missed. What a hub says of the party behind it is believed until its hubclientinfo says otherwise (STA-04).
// The error is ours.
func (o *Ops) CallEnded(ctx context.Context, partner db.Partner, to ocpi.Party, ended error) error {
	var failed *client.Error
	switch {
	case ended == nil:
		return o.partnerBack(ctx, partner)
	case !errors.As(ended, &failed), ctx.Err() != nil:
		return nil
	case failed.HTTPStatus == http.StatusUnauthorized:
		return o.partnerRejects(ctx, partner)
	case failed.Fault == client.Unreachable, failed.HTTPStatus == http.StatusBadGateway, failed.HTTPStatus == http.StatusGatewayTimeout,
		failed.HTTPStatus == http.StatusServiceUnavailable && failed.RetryAfter == 0:
		return o.partnerFails(ctx, partner, failed)
	}
	var err error
	switch failed.StatusCode {
	case ocpi.StatusUnknownReceiver:
		err = o.markParty(ctx, partner, to, unknownParty)
	case ocpi.StatusConnectionProblem:
		err = o.markParty(ctx, partner, to, ocpi.ConnectionOffline)
	}
	return errors.Join(err, o.partnerBack(ctx, partner))
}

// markParty stores what a call showed of a party behind a hub. One that the hub does not know is a reason to read its
// hubclientinfo anew.
func (o *Ops) markParty(ctx context.Context, hub db.Partner, to ocpi.Party, status ocpi.ConnectionStatus) error {
	marked, err := o.DB.MarkParty(ctx, db.MarkPartyParams{
		PartnerID: hub.ID, CountryCode: string(to.CountryCode), PartyID: string(to.PartyID), Status: string(status), Now: o.Now(),
	})
	if err != nil {
		return fmt.Errorf("mark %s as %s: %w", to, status, err)
	}
	if marked == 0 || status != unknownParty {
		return nil
	}
	return o.requestPulls(ctx, o.DB.Queries, hub.ID, db.RequestPullsParams{Module: string(ocpi.ModuleHubClientInfo), FullCrawl: true})
}

func (o *Ops) partnerFails(ctx context.Context, partner db.Partner, why *client.Error) error {
	now := o.Now()
	first, err := o.DB.PartnerFailing(ctx, db.PartnerFailingParams{ID: partner.ID, Now: now, CheckAt: now.Add(probePause)})
	if err != nil {
		return fmt.Errorf("note that a partner does not answer: %w", err)
	}
	if first > 0 {
		o.Log.WarnContext(ctx, "partner does not answer", "partner", partner.Name, "error", why)
	}
	return nil
}

func (o *Ops) partnerRejects(ctx context.Context, partner db.Partner) error {
	now := o.Now()
	first, err := o.DB.PartnerRejects(ctx, db.PartnerRejectsParams{
		ID: partner.ID, TokenSealed: partner.TokenSealed, Now: now, CheckAt: now.Add(rejectPause),
	})
	if err != nil {
		return fmt.Errorf("note that a partner rejects our token: %w", err)
	}
	if first == 0 {
		return nil
	}
	return o.raise(ctx, alert{kind: AlertTokenRejected, partner: partner.ID})
}

// partnerBack notes that a partner answers and takes our token. After an outage, both sides catch up: it gets every token that
// it has not confirmed, as it is now, and we read what changed meanwhile (OFF-02, OFF-03).
func (o *Ops) partnerBack(ctx context.Context, partner db.Partner) error {
	if partner.FailingSince == nil && partner.RejectedAt == nil {
		return nil
	}
	var tokens []uuid.UUID
	now := o.Now()
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		since, err := q.PartnerBack(ctx, db.PartnerBackParams{ID: partner.ID, Now: now, CheckAt: now.Add(spread(checkEvery))})
		if err != nil {
			return err
		}
		if tokens, err = q.HastenTokenDeliveries(ctx, db.HastenTokenDeliveriesParams{PartnerID: partner.ID, Now: now}); err != nil {
			return fmt.Errorf("hasten token deliveries: %w", err)
		}
		if now.Sub(since) < outage {
			return nil
		}
		return o.requestPulls(ctx, q, partner.ID, db.RequestPullsParams{})
	})
	if errors.Is(err, db.ErrNotFound) { // somebody else noted it
		return nil
	} else if err != nil {
		return fmt.Errorf("note that a partner is back: %w", err)
	}
	o.Log.InfoContext(ctx, "partner answers again", "partner", partner.Name)
	o.Bell.Ring(ctx, TokenPush, tokens...)
	o.Bell.Ring(ctx, PartnerPull, partner.ID)
	return errors.Join(
		o.resolve(ctx, alert{kind: AlertTokenRejected, partner: partner.ID}),
		o.resolve(ctx, alert{kind: AlertUnreachable, partner: partner.ID}),
	)
}

// spread is about d, so that what happened at the same time does not happen again at the same time (OFF-04).
func spread(d time.Duration) time.Duration { return d*9/10 + rand.N(d/5) }

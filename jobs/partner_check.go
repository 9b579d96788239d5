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

const (
	checkEvery  = 24 * time.Hour
	checkSample = 20               // tokens that are compared each time
	checkSoon   = 10 * time.Minute // until the next ones are, when some were different: there may be more
)

// checkPartner probes a partner that does not answer or rejects our token, and compares tokens at any other.
func (w *Worker) checkPartner(ctx context.Context, id uuid.UUID) error {
	partner, err := w.DB.ClaimCheck(ctx, db.ClaimCheckParams{ID: id, Now: w.Now(), AgainAt: w.Now().Add(probePause)})
	if err != nil {
		return err // no row: nothing is due
	}
	if partner.FailingSince != nil || partner.RejectedAt != nil {
		return w.probe(ctx, partner)
	}
	if err := w.finishCheck(ctx, partner, spread(checkEvery)); err != nil {
		return err
	}
	return w.compareTokens(ctx, partner)
}

// probe asks for the versions, which costs a partner nothing (VER-02).
func (w *Worker) probe(ctx context.Context, partner db.Partner) error {
	auth, err := partnerAuth(w.Box, partner)
	if err != nil {
		return err
	}
	_, answer := w.Client.Versions(ctx, auth, partner.VersionsURL)
	if answer == nil {
		return w.ops().partnerBack(ctx, partner)
	}
	pause := probePause
	var failed *client.Error
	switch {
	case errors.As(answer, &failed) && failed.HTTPStatus == http.StatusUnauthorized:
		if err := w.ops().partnerRejects(ctx, partner); err != nil {
			return err
		}
		pause = rejectPause
	case partner.FailingSince != nil && w.Now().Sub(*partner.FailingSince) > time.Hour:
		pause = probeLater
	}
	return w.finishCheck(ctx, partner, pause)
}

// finishCheck plans the next check of a partner whose check was claimed. One that was heard while a probe of it was under way
// is probed at once all the same: a failed probe can take half a minute, in which it may have come back.
func (w *Worker) finishCheck(ctx context.Context, claimed db.Partner, pause time.Duration) error {
	err := w.DB.FinishCheck(ctx, db.FinishCheckParams{ID: claimed.ID, CheckAt: w.Now().Add(pause), ClaimedUntil: *claimed.CheckAt})
	if err != nil {
		return fmt.Errorf("plan the next check: %w", err)
	}
	return nil
}

// compareTokens reads the partner's copies of some tokens that it has confirmed, and sends again what is not as ours (TOK-12).
func (w *Worker) compareTokens(ctx context.Context, partner db.Partner) error {
	endpoint, ok, err := partnerEndpoint(partner, ocpi.ModuleTokens, ocpi.Receiver)
	if err != nil || !ok {
		return err
	}
	// A hub broadcasts what we send it, but a question needs somebody to answer it (RTG-08).
	to, err := w.somebodyAt(ctx, partner)
	if err != nil || to.IsZero() {
		return err
	}
	auth, err := partnerAuth(w.Box, partner)
	if err != nil {
		return err
	}
	rows, err := w.DB.TokensToCompare(ctx, db.TokensToCompareParams{PartnerID: partner.ID, MaxRows: checkSample})
	if err != nil {
		return fmt.Errorf("tokens to compare: %w", err)
	}
	var compared, different []uuid.UUID
	for _, row := range rows {
		owner := ocpi.Party{CountryCode: ocpi.CiString(row.CountryCode), PartyID: ocpi.CiString(row.PartyID)}
		ours := TokenMessage(row.Token, row.ContractID, owner)
		theirs, err := w.Client.GetToken(ctx, client.Peer{Auth: auth, Routing: ocpi.Routing{To: to, From: owner}}, endpoint, ours)
		if noted := w.ops().CallEnded(ctx, partner, to, err); noted != nil {
			return noted
		}
		var failed *client.Error
		switch {
		case err == nil && !sameToken(ours, theirs), errors.As(err, &failed) && failed.HTTPStatus == http.StatusNotFound && failed.StatusCode/1000 == 2:
			different = append(different, row.Token.ID)
		case err != nil:
			return nil // it does not answer this question, or nothing at all
		}
		compared = append(compared, row.Token.ID)
	}
	return w.repeatTokens(ctx, partner, compared, different)
}

func (w *Worker) repeatTokens(ctx context.Context, partner db.Partner, compared, different []uuid.UUID) error {
	if err := w.DB.TokensCompared(ctx, db.TokensComparedParams{PartnerID: partner.ID, TokenIDs: compared, Now: w.Now()}); err != nil {
		return fmt.Errorf("note the comparison of tokens: %w", err)
	}
	drift := alert{kind: AlertTokenDrift, partner: partner.ID}
	if len(different) == 0 {
		return w.ops().resolve(ctx, drift)
	}
	if err := w.DB.RepeatTokenDelivery(ctx, db.RepeatTokenDeliveryParams{PartnerID: partner.ID, TokenIDs: different, Now: w.Now()}); err != nil {
		return fmt.Errorf("repeat deliveries of tokens: %w", err)
	}
	if len(different) < len(compared) { // a partner to which all are different may just not answer the question
		if err := w.DB.SetCheck(ctx, db.SetCheckParams{ID: partner.ID, CheckAt: w.Now().Add(spread(checkSoon))}); err != nil {
			return fmt.Errorf("plan the next check: %w", err)
		}
	}
	w.Bell.Ring(ctx, TokenPush, different...)
	drift.params = map[string]any{"different": len(different), "compared": len(compared)}
	return w.ops().raise(ctx, drift)
}

// somebodyAt is a CPO that can answer for the partner: itself, or one behind the hub; nobody when none is connected.
func (w *Worker) somebodyAt(ctx context.Context, partner db.Partner) (ocpi.Party, error) {
	if partner.Role != string(ocpi.RoleHub) {
		return partyOfPartner(partner), nil
	}
	parties, err := w.DB.PartiesOfPartner(ctx, partner.ID)
	if err != nil {
		return ocpi.Party{}, fmt.Errorf("parties of partner: %w", err)
	}
	for _, p := range parties {
		if p.Role == string(ocpi.RoleCPO) && p.Status == string(ocpi.ConnectionConnected) {
			return ocpi.Party{CountryCode: ocpi.CiString(p.CountryCode), PartyID: ocpi.CiString(p.PartyID)}, nil
		}
	}
	return ocpi.Party{}, nil
}

// sameToken compares what decides about charging.
func sameToken(ours, theirs ocpi.Token) bool {
	return theirs.Valid != nil && *ours.Valid == *theirs.Valid && ours.Whitelist == theirs.Whitelist && ours.ContractID.Equal(theirs.ContractID)
}

// postponeCheck does nothing: a claimed check is due again after probePause.
func (w *Worker) postponeCheck(context.Context, uuid.UUID, error) error { return nil }

// ops does what people could start, too.
func (w *Worker) ops() *Ops {
	return &Ops{DB: w.DB, Box: w.Box, Bell: w.Bell, Now: w.Now, Log: w.Log, Client: w.Client, BaseURL: w.BaseURL, Offer: w.Offer}
}

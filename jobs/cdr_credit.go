package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// credit applies a credit CDR (CDR-09): a full mirror takes its original back. What is on no invoice yet vanishes; what was
// invoiced is given back by mirrored items on the customer's next invoice. The dispute about the original is settled by it.
//
// Anything but a full mirror is held for a person (CDR-11): it may be a misunderstanding of the partner, and money hangs on it.
// It returns the CDRs that replace the original and can go on now.
func (r *rating) credit(ctx context.Context) ([]uuid.UUID, error) {
	original, err := r.q.CDRStateByIdentity(ctx, db.CDRStateByIdentityParams{
		CountryCode: r.state.CountryCode, PartyID: r.state.PartyID, OCPIID: r.state.CreditReference,
	})
	if errors.Is(err, db.ErrNotFound) {
		return nil, r.holdCredit(ctx, "credit-without-original")
	} else if err != nil {
		return nil, fmt.Errorf("find original: %w", err)
	}
	if original, err = r.q.LockCDR(ctx, original.CDRID); err != nil {
		return nil, fmt.Errorf("lock original: %w", err)
	}
	if original.TenantID != r.state.TenantID || original.Currency != r.state.Currency || original.TokenUID != r.state.TokenUID {
		return nil, r.holdCredit(ctx, "credit-differs")
	}
	r.state.CustomerID, r.state.TokenID, r.state.ContractID = original.CustomerID, original.TokenID, original.ContractID
	switch {
	case original.CPOState == cpoCredited:
		return nil, r.holdCredit(ctx, "credit-twice")
	case !r.state.Claimed.Equal(original.Claimed.Neg()):
		if r.state.Claimed.IsNegative() && r.before.State != cdrHeld { // part of it has come back, once
			if err := r.settleDispute(ctx, original, false); err != nil {
				return nil, err
			}
		}
		return nil, r.holdCredit(ctx, "credit-partial")
	case original.State == cdrReceived: // its own rating is due and will wake us
		r.wait("credit-before-rating")
		return nil, moveCDRs(ctx, r.q, r.now, move{before: r.before, after: r.state, what: r.what})
	}
	return r.takeBack(ctx, original)
}

// holdCredit keeps a credit that is none for a person.
func (r *rating) holdCredit(ctx context.Context, reason string) error {
	r.hold(reason)
	r.state.Flags, r.state.Severity = []string{"P32"}, string(billing.Block)
	if r.state.CPOState == cpoOpen {
		r.state.CPOState = cpoQuestioned
	}
	return moveCDRs(ctx, r.q, r.now, move{before: r.before, after: r.state, what: r.what})
}

// takeBack makes the original what it is after its credit: nothing. One that was dropped stays so.
func (r *rating) takeBack(ctx context.Context, original db.CDRState) ([]uuid.UUID, error) {
	after := original
	after.CPOState, after.DueAt, after.HeldUntil = cpoCredited, nil, nil
	if original.State != cdrDropped {
		after.State, after.RetailState, after.Reason = cdrCredited, retailNone, "credited-by:"+r.state.OCPIID
		if _, err := rebook(ctx, r.q, r.now, bill{cdr: after}); err != nil {
			return nil, err
		}
	}
	r.what = "credit"
	r.state.State, r.state.RetailState, r.state.CPOState, r.state.Reason, r.state.HeldUntil = cdrCredited, retailNone, cpoAccepted, "credits:"+original.OCPIID, nil
	if r.before.CPOState == cpoAccepted || r.before.CPOState == cpoRefused || r.before.CPOState == cpoDisputed {
		r.state.CPOState = r.before.CPOState
	}
	err := moveCDRs(ctx, r.q, r.now,
		move{before: original, after: after, what: "credited", detail: map[string]string{"by": r.state.OCPIID}},
		move{before: r.before, after: r.state, what: r.what})
	if err != nil {
		return nil, err
	}
	if err := withdrawProposals(ctx, r.q, r.now, original.CDRID); err != nil {
		return nil, err
	}
	if err := r.settleDispute(ctx, original, true); err != nil {
		return nil, err
	}
	woken, err := r.q.WakeReplacements(ctx, db.WakeReplacementsParams{
		TenantID: original.TenantID, CountryCode: original.CountryCode, PartyID: original.PartyID, SessionID: original.SessionID,
		TokenID: original.TokenID, EVSEID: original.EVSEID, StartedAt: original.StartedAt, Now: r.now,
	})
	if err != nil {
		return nil, fmt.Errorf("wake replacements: %w", err)
	}
	return woken, nil
}

// wakeCredits makes credit CDRs due that arrived before the CDR that they credit. It runs after the commit: credits lock
// themselves first and their original second, so waking them under the original's lock could block both for ever.
func (r *rating) wakeCredits(ctx context.Context) error {
	ids, err := r.DB.WakeCreditsFor(ctx, db.WakeCreditsForParams{CountryCode: r.state.CountryCode, PartyID: r.state.PartyID, OCPIID: r.state.OCPIID, Now: r.now})
	if err != nil {
		return fmt.Errorf("wake credits: %w", err)
	}
	r.Bell.Ring(ctx, CDRRate, ids...)
	return nil
}

package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// credit applies a credit CDR (CDR-09): a full mirror takes its original back. What is on no invoice yet vanishes; what was
// invoiced is given back by mirrored items on the customer's next invoice. Anything but a full mirror is held for a person
// (CDR-11): it may be a misunderstanding of the partner, and money hangs on it.
func (r *rating) credit(ctx context.Context) error {
	original, err := r.q.CDRStateByIdentity(ctx, db.CDRStateByIdentityParams{
		CountryCode: r.state.CountryCode, PartyID: r.state.PartyID, OCPIID: r.state.CreditReference,
	})
	if errors.Is(err, db.ErrNotFound) {
		return r.hold(ctx, "credit-without-original")
	} else if err != nil {
		return fmt.Errorf("find original: %w", err)
	}
	if original, err = r.q.LockCDR(ctx, original.CDRID); err != nil {
		return fmt.Errorf("lock original: %w", err)
	}
	r.state.CustomerID, r.state.TokenID = original.CustomerID, original.TokenID
	switch {
	case original.State == "credited":
		return r.hold(ctx, "credit-twice")
	case original.TenantID != r.state.TenantID || original.Currency != r.state.Currency || original.TokenUID != r.state.TokenUID:
		return r.hold(ctx, "credit-differs")
	case !r.state.Claimed.Equal(original.Claimed.Neg()):
		return r.hold(ctx, "credit-partial")
	case original.State == "received": // its own rating is due and will wake us
		return r.wait(ctx, "credit-before-rating")
	}
	if err := r.takeBack(ctx, original); err != nil {
		return err
	}
	original.State, original.Reason = "credited", "credited-by:"+r.state.OCPIID
	if err := setCDRState(ctx, r.q, original, nil, r.now); err != nil {
		return err
	}
	if err := event(ctx, r.q, r.now, original.TenantID, "cdr", original.CDRID, "credited", map[string]string{"by": r.state.OCPIID}); err != nil {
		return err
	}
	r.state.State, r.state.Reason = "credited", "credits:"+original.OCPIID
	return r.save(ctx, "credit")
}

// takeBack removes the items of the original that no invoice has and mirrors those on an issued invoice.
func (r *rating) takeBack(ctx context.Context, original db.CDRState) error {
	if err := r.withdraw(ctx, original.CDRID); err != nil {
		return err
	}
	billed, err := r.q.ItemsOfCDR(ctx, original.CDRID)
	if err != nil {
		return fmt.Errorf("read items: %w", err)
	}
	for i, item := range billed {
		err := r.q.InsertLineItem(ctx, db.InsertLineItemParams{
			ID: uuid.Must(uuid.NewV7()), CreatedAt: r.now, TenantID: item.TenantID, CustomerID: item.CustomerID, CDRID: item.CDRID,
			RatingID: item.RatingID, Position: int32(-i - 1), Dimension: item.Dimension, Quantity: item.Quantity.Neg(), Unit: item.Unit,
			UnitPrice: item.UnitPrice, TaxIncluded: item.TaxIncluded, VATCategory: item.VATCategory, VATRate: item.VATRate,
			Net: item.Net.Neg(), Gross: item.Gross.Neg(), Currency: item.Currency, ServiceStart: item.ServiceStart, ServiceEnd: item.ServiceEnd,
		})
		if err != nil {
			return fmt.Errorf("mirror item: %w", err)
		}
	}
	return nil
}

func (r *rating) hold(ctx context.Context, reason string) error {
	if err := r.unbook(ctx); err != nil {
		return err
	}
	r.state.State, r.state.Reason = "held", reason
	return r.save(ctx, "hold")
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

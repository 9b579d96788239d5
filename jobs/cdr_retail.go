package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// retail is what the customer pays for a session, and why.
type retail struct {
	billing.Rating
	planVersion uuid.UUID
	vat         billing.VAT
	items       []billing.Item
	net, gross  decimal.Decimal
}

// priceRetail prices the CDR for the customer: by the version of the contract's plan that was valid at the start, with the VAT
// of the place.
func (r *rating) priceRetail(ctx context.Context) error {
	version, err := r.q.PlanVersionAt(ctx, db.PlanVersionAtParams{PlanID: r.card.PlanID, At: r.began})
	if errors.Is(err, db.ErrNotFound) {
		return park(r.wait(ctx, "no-plan"))
	} else if err != nil {
		return fmt.Errorf("find plan: %w", err)
	}
	plan, err := billing.ParsePlan(version.Doc)
	if err != nil {
		return fmt.Errorf("plan version %s: %w", version.ID, err)
	}
	tariff, _ := plan.Compile()
	r.retail.Rating = billing.Rate(r.cdr, []*billing.Tariff{tariff}, r.place.zone, billing.DefaultPolicy)
	r.retail.planVersion = version.ID
	r.inputs = append(r.inputs, version.Doc)

	r.retail.vat, err = billing.DecideVAT(r.place.country, r.ended.In(r.place.zoneOrUTC()), false)
	if errors.Is(err, billing.ErrNoTaxRule) {
		return park(r.hold(ctx, "no-tax-rule"))
	} else if err != nil {
		return err
	}
	r.retail.items, r.retail.net, r.retail.gross = billing.Items(r.retail.Rating, r.retail.vat)
	return nil
}

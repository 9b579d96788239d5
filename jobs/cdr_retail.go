package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// retail is what the customer pays for a session, and why.
type retail struct {
	billing.Rating
	book       *bookVersion
	plan       *planVersion
	choice     Choice
	taken      taken
	waived     decimal.Decimal
	findings   []billing.Finding
	vat        billing.VAT
	items      []billing.Item
	net, gross decimal.Decimal
}

// Choice is why a session has the plan that it has. It is frozen with the rating.
type Choice struct {
	Book        int32 // version of the price book; 0: the utility had none
	Rule        *billing.BookRule
	Plan        string
	PlanVersion int32
	Buyer       billing.Buyer
	At          billing.ChargePoint
	Left        map[string]decimal.Decimal // of the allowances that the contract had drawn on in the month
	Vouchers    []billing.Voucher          // as they were before
	Promise     *Promise                   // nil: no price was shown
}

// Promise is the price that was shown when the session was authorised.
type Promise struct {
	At          time.Time
	Plan        string
	PlanVersion int32
	Amount      decimal.Decimal // of this session by that plan, on the side that the plan promises
	Waived      decimal.Decimal
}

// priceRetail prices the CDR for the customer: by the plan that the price book of the start gives it, or that was agreed with
// the contract; less what is free in the month, at most at the price that was shown, less the contract's vouchers; with the
// VAT of the place. Without a price the CDR waits; a new version of book or plan wakes it.
func (r *rating) priceRetail(ctx context.Context) error {
	if err := r.choosePlan(ctx); err != nil {
		return err
	}
	if err := r.openLedger(ctx); err != nil {
		return err
	}
	p := &r.retail
	at, left := &p.choice.At, p.choice.Left
	p.Rating, p.taken.allowances = p.plan.retail.Rate(r.cdr, r.place.zone, at, left)
	if err := r.keepPromise(ctx); err != nil {
		return err
	}
	p.taken.vouchers = billing.Redeem(&p.Rating, p.choice.Vouchers, r.began)
	r.explained.Retail = p.plan.retail.Explain(r.raw, r.cdr, r.place.zone, p.Rating)
	r.inputs = append(r.inputs, p.book.row.Doc, p.plan.row.Doc, frozen(p.choice))

	err := r.tax(ctx)
	if errors.Is(err, billing.ErrNoTaxRule) {
		r.hold("no-tax-rule")
		return errParked
	}
	return err
}

// choosePlan finds the plan of the session and the version of it that counts.
func (r *rating) choosePlan(ctx context.Context) error {
	cpo := partyOf(r.state.CountryCode, r.state.PartyID)
	at, err := chargePoint(ctx, r.q, r.state.TenantID, r.state.PartnerID, cpo)
	if err != nil {
		return err
	}
	loc := &r.cdr.CDRLocation
	at.Location, at.EVSE, at.Country, at.Power = loc.ID.Fold(), billing.FoldEVSE(loc.EVSEID), r.place.country, billing.NominalPower(r.place.connector)
	if loc.ConnectorPowerType != "" {
		at.Current = billing.CurrentOf(loc.ConnectorPowerType)
	}
	buyer := billing.Buyer{
		Card: ocpi.CiString(r.card.UID).Fold(), Contract: ocpi.CiString(r.card.ContractID).Fold(), Group: r.card.CustomerGroup, Plan: r.card.AgreedPlan,
	}
	p := &r.retail
	if p.book, err = bookAt(ctx, r.q, r.state.TenantID, r.began); err != nil {
		return err
	}
	choice, ok := p.book.book.Choose(&buyer, &at)
	if r.state.PlanID.Valid { // a person chose another
		plan, err := r.q.PlanOfTenant(ctx, db.PlanOfTenantParams{ID: r.state.PlanID.UUID, TenantID: r.state.TenantID})
		if err != nil {
			return fmt.Errorf("chosen plan: %w", err)
		}
		choice, ok = billing.Choice{Plan: plan.Name, Rule: billing.Agreed}, true
	}
	if !ok {
		r.wait("no-price")
		return errParked
	}
	p.plan, err = planAt(ctx, r.q, r.state.TenantID, choice.Plan, r.began)
	if errors.Is(err, db.ErrNotFound) {
		r.wait("no-plan")
		return errParked
	} else if err != nil {
		return fmt.Errorf("find plan: %w", err)
	}
	p.choice = Choice{
		Book: p.book.row.Version, Rule: p.book.rule(choice), Plan: choice.Plan, PlanVersion: p.plan.row.Version, Buyer: buyer, At: at,
	}
	return nil
}

// keepPromise holds the price at what was shown when the session was authorised, and reports what that costs the utility.
func (r *rating) keepPromise(ctx context.Context) error {
	reference, err := uuid.Parse(string(r.cdr.AuthorizationReference))
	if err != nil { // none, or not one of ours
		return nil
	}
	row, err := r.q.QuoteOf(ctx, db.QuoteOfParams{Reference: reference, TenantID: r.state.TenantID})
	if errors.Is(err, db.ErrNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("find the price that was shown: %w", err)
	}
	shown, err := r.shown(ctx, row.Quote)
	if err != nil || shown == nil {
		return err
	}
	p := &r.retail
	promise := &Promise{At: row.At, Plan: shown.name, PlanVersion: shown.row.Version}
	p.choice.Promise = promise
	if shown.row.ID == p.plan.row.ID {
		promise.Amount = promised(&p.Rating)
		return nil
	}
	rating, _ := shown.retail.Rate(r.cdr, r.place.zone, &p.choice.At, p.choice.Left)
	promise.Amount = promised(&rating)
	rated := promised(&p.Rating)
	if promise.Waived = billing.KeepPromise(&p.Rating, &rating); promise.Waived.IsPositive() {
		p.waived = promise.Waived
		p.findings = append(p.findings, billing.BrokenPromise(promise.Amount, rated, promise.Waived))
	}
	return nil
}

// promised is the side of a price that its plan promises.
func promised(r *billing.Rating) decimal.Decimal {
	if len(r.Lines) > 0 && r.Lines[0].TaxIncluded {
		return r.Total.InclVAT
	}
	return r.Total.ExclVAT
}

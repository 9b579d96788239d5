package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// release stores the rating and, unless a finding keeps it from the customer, books it.
func (r *rating) release(ctx context.Context, findings []billing.Finding) error {
	ratingID, err := r.supersede(ctx, db.InsertRatingParams{
		TenantID: r.state.TenantID, CDRID: r.state.CDRID, RatedAt: r.now,
		Engine: billing.EngineVersion, Currency: r.cdr.Currency,
		PlanVersionID: uuid.NullUUID{UUID: r.retail.plan.row.ID, Valid: true}, PriceBookID: r.retail.book.id(), Choice: frozen(r.retail.choice),
		ClaimedNet: r.cdr.TotalCost.ExclVAT.Decimal, ComputedNet: billing.Round(r.wholesale.Total.ExclVAT, 4),
		RetailNet: r.retail.net, RetailGross: r.retail.gross, Waived: r.retail.waived,
		Wholesale: frozen(r.wholesale), Verdict: frozen(r.verdict), Retail: frozen(r.retail.Rating), Findings: frozen(findings),
		InputsSHA256: hashInputs(r.raw, r.inputs),
	})
	if err != nil {
		return err
	}
	if err := r.take(ctx, ratingID); err != nil {
		return err
	}
	if err := r.keepProof(ctx, ratingID); err != nil {
		return err
	}
	r.state.RatingID = uuid.NullUUID{UUID: ratingID, Valid: true}
	r.state.Flags = flags(findings)
	r.state.State, r.state.Reason = "rated", ""
	if r.cdr.HomeChargingCompensation { // it is the utility that owes the driver (CDR-24)
		r.state.State, r.state.Reason = "held", "home-charging"
	} else if billing.Worst(findings) == billing.Block {
		r.state.State, r.state.Reason = "held", "rule"
	} else if err := r.book(ctx, ratingID); err != nil {
		return err
	}
	if !r.verdict.Agrees {
		r.state.CPOState = "disputed"
	}
	return r.save(ctx, "rate")
}

// supersede stores a new rating in the place of the current one and withdraws the items of that one that are on no invoice.
func (r *rating) supersede(ctx context.Context, p db.InsertRatingParams) (uuid.UUID, error) {
	if _, err := r.q.SupersedeRating(ctx, db.SupersedeRatingParams{CDRID: p.CDRID, Now: r.now}); err != nil {
		return uuid.Nil, fmt.Errorf("supersede rating: %w", err)
	}
	if err := r.withdraw(ctx, p.CDRID); err != nil {
		return uuid.Nil, err
	}
	var err error
	if p.Seq, err = r.q.NextRatingSeq(ctx, p.CDRID); err != nil {
		return uuid.Nil, fmt.Errorf("number rating: %w", err)
	}
	p.ID = uuid.Must(uuid.NewV7())
	if err := r.q.InsertRating(ctx, p); err != nil {
		return uuid.Nil, fmt.Errorf("insert rating: %w", err)
	}
	return p.ID, nil
}

// withdraw removes the items of a CDR that are on no issued invoice, and gives back what its rating has drawn of allowances and
// vouchers. A draft that loses an item this way cannot be issued until the next run has made it anew.
func (r *rating) withdraw(ctx context.Context, cdr uuid.UUID) error {
	if err := giveBack(ctx, r.q, cdr, r.now); err != nil {
		return err
	}
	if err := r.q.DeleteCDRInput(ctx, cdr); err != nil {
		return fmt.Errorf("delete input: %w", err)
	}
	drafts, err := r.q.WithdrawItems(ctx, cdr)
	if err != nil {
		return fmt.Errorf("withdraw items: %w", err)
	}
	for _, id := range drafts {
		if !id.Valid {
			continue
		}
		if err := r.q.OutdateDraft(ctx, db.OutdateDraftParams{ID: id.UUID, Problems: frozen(outdated)}); err != nil {
			return fmt.Errorf("outdate draft: %w", err)
		}
	}
	return nil
}

var outdated = []billing.Problem{{
	Field: "lines",
	DE:    "Ein Ladevorgang auf diesem Entwurf hat sich geändert. Der nächste Rechnungslauf erstellt den Entwurf neu.",
	EN:    "A session on this draft has changed. The next invoice run makes the draft anew.",
}}

// book writes the line items of a rating, and keeps the session for back-tests.
func (r *rating) book(ctx context.Context, ratingID uuid.UUID) error {
	vat := r.retail.vat
	for i, item := range r.retail.items {
		err := r.q.InsertLineItem(ctx, db.InsertLineItemParams{
			ID: uuid.Must(uuid.NewV7()), CreatedAt: r.now, TenantID: r.state.TenantID, CustomerID: r.state.CustomerID.UUID,
			CDRID: uuid.NullUUID{UUID: r.state.CDRID, Valid: true}, RatingID: uuid.NullUUID{UUID: ratingID, Valid: true}, Position: int32(i + 1),
			Dimension: string(item.Line.Dimension), Quantity: item.Line.Quantity, Unit: string(item.Line.Unit), UnitPrice: item.Line.Price,
			TaxIncluded: item.Line.TaxIncluded, VATCategory: string(vat.Category), VATRate: vat.Rate, Net: item.Net, Gross: item.Gross,
			Currency: r.cdr.Currency, ServiceStart: r.began, ServiceEnd: r.ended,
		})
		if err != nil {
			return fmt.Errorf("insert line item %d: %w", i+1, err)
		}
	}
	return r.saveInput(ctx)
}

// frozen is a value as it is kept for ever: JSON with the names of the Go fields.
func frozen(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // our own plain structs: a programming error
		panic(fmt.Sprintf("freeze %T: %v", v, err))
	}
	return b
}

// hashInputs proves later what a rating was computed from.
func hashInputs(raw []byte, docs [][]byte) []byte {
	h := sha256.New()
	for _, part := range append([][]byte{raw, []byte(billing.EngineVersion)}, docs...) {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return h.Sum(nil)
}

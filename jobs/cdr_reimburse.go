package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// The kinds of agreements about what the utility owes.
const (
	OwedAtHome = "home" // to who charges at home for an employer, or to the employer
	OwedToHost = "host" // to who hosts charge points
)

// payable is what a rating owes by an agreement, as it is stored with it.
type payable struct {
	Agreement, Payee uuid.UUID
	Kind             string
	Basis            billing.Basis
	Charged          bool // the contract of the card pays for the session, too
	Currency         string
	billing.Payable
}

// reimburse finds what the utility owes for the session by agreements of its day: at most to one who charges at home, and to one
// host.
func (r *rating) reimburse(ctx context.Context) error {
	at, day := &r.retail.choice.At, r.began.In(r.place.zoneOrUTC())
	rows, err := r.q.ReimbursementsAt(ctx, db.ReimbursementsAtParams{
		TenantID: r.state.TenantID, EVSEID: at.EVSE, Location: at.CPO.String() + "*" + at.Location, TokenID: r.card.TokenID, AtHome: r.cdr.HomeChargingCompensation, Day: asDate(day),
	})
	if err != nil {
		return fmt.Errorf("agreements about the session: %w", err)
	}
	for _, row := range rows {
		if slices.ContainsFunc(r.owed, func(p payable) bool { return p.Kind == row.Kind }) {
			continue // a narrower one decides
		}
		p, err := r.owe(ctx, row)
		if errors.Is(err, billing.ErrNoTaxRule) {
			r.hold("no-tax-rule")
			return errParked
		} else if err != nil {
			return err
		}
		r.owed = append(r.owed, p)
	}
	if len(r.owed) > 0 {
		r.inputs = append(r.inputs, frozen(r.owed))
	}
	return nil
}

// owe is what the session is worth to a payee. Who bears tax does so where the utility is at home: what is supplied elsewhere would
// need a registration there.
func (r *rating) owe(ctx context.Context, row db.Reimbursement) (payable, error) {
	p := payable{Agreement: row.ID, Payee: row.PayeeID, Kind: row.Kind, Basis: billing.Basis(row.Basis), Charged: row.Charged, Currency: row.Currency}
	terms, rate := billing.Reimbursement{Basis: p.Basis, Price: row.Price, VAT: billing.PayeeVAT(row.VAT)}, decimal.Zero
	if p.Basis == billing.Percent {
		p.Currency = r.retail.Currency
	}
	if terms.VAT == billing.PayeeStandard {
		tenant, err := r.q.Tenant(ctx, r.state.TenantID)
		if err != nil {
			return p, fmt.Errorf("tenant: %w", err)
		}
		if tenant.Country != r.place.country {
			return p, fmt.Errorf("a payee's supply in %q: %w", r.place.country, billing.ErrNoTaxRule)
		}
		vat, err := billing.DecideVAT(r.place.country, r.ended.In(r.place.zoneOrUTC()), false)
		if err != nil {
			return p, err
		}
		rate = vat.Rate
	}
	p.Payable = terms.Owe(r.state.KWh, r.retail.net, rate)
	return p, nil
}

// Owed is what a rating owes by an agreement, as a person reads it.
type Owed struct {
	Payee    uuid.UUID
	Kind     string
	Sentence string // in the language that was asked for
	Gross    decimal.Decimal
	Currency string
}

// OwedBy are the payables of a rating. lang is "de" or "en".
func OwedBy(r db.Rating, lang string) ([]Owed, error) {
	var payables []payable
	if err := unfreeze(r.Payables, &payables); err != nil {
		return nil, fmt.Errorf("payables of rating %s: %w", r.ID, err)
	}
	owed := make([]Owed, len(payables))
	for i, p := range payables {
		owed[i] = Owed{p.Payee, p.Kind, p.Sentence(p.Basis, p.Currency, lang), p.Gross, p.Currency}
	}
	return owed, nil
}

// atHome reports whether a session was charged at home by an agreement, and whether its card's contract pays for it all the same.
func atHome(owed []payable) (home, charged bool) {
	at := slices.IndexFunc(owed, func(p payable) bool { return p.Kind == OwedAtHome })
	return at >= 0, at >= 0 && owed[at].Charged
}

// owedBy is what of the payables of a rating is to be paid in the state of its CDR: nothing for what is held, credited, dropped or
// billed by the payee himself, and no share of what nobody pays for.
func owedBy(s db.CDRState, payables []payable) []payable {
	if s.Unpaid || s.State != cdrRated && s.State != cdrInvoiced {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(payables), func(p payable) bool {
		return p.Net.IsZero() || p.Basis == billing.Percent && s.RetailState != retailReleased
	})
}

// owes reports whether the items that stand are what is owed.
func (b *bill) owes(live []db.LineItem) bool {
	live = slices.DeleteFunc(slices.Clone(live), func(l db.LineItem) bool { return l.Kind == itemAdjustment })
	return slices.EqualFunc(live, b.owed, func(l db.LineItem, p payable) bool {
		return l.ReimbursementID.UUID == p.Agreement && l.CustomerID == p.Payee && l.Quantity.Equal(p.Quantity.Neg()) && l.UnitPrice.Equal(p.Price) &&
			l.VATCategory == string(p.VAT.Category) && l.VATRate.Equal(p.VAT.Rate) && l.Net.Equal(p.Net.Neg()) && l.Gross.Equal(p.Gross.Neg()) && l.Currency == p.Currency
	})
}

// bookedOwed is the item of what is owed: the ledger says what a customer owes, so it is negative.
func (b *bill) bookedOwed(p payable, position int32, now time.Time) db.InsertLineItemsParams {
	unit := billing.UnitKWh
	if p.Basis != billing.PerKWh {
		unit = billing.UnitPiece
	}
	return db.InsertLineItemsParams{
		ID: uuid.Must(uuid.NewV7()), CreatedAt: now, TenantID: b.cdr.TenantID, CustomerID: p.Payee, Kind: itemSession, CDRID: uuid.NullUUID{UUID: b.cdr.CDRID, Valid: true}, RatingID: b.cdr.RatingID,
		Position: position, Dimension: "REIMBURSEMENT", Quantity: p.Quantity.Neg(), Unit: string(unit), UnitPrice: p.Price, VATCategory: string(p.VAT.Category), VATRate: p.VAT.Rate,
		Net: p.Net.Neg(), Gross: p.Gross.Neg(), Currency: p.Currency, ServiceStart: b.cdr.StartedAt, ServiceEnd: b.cdr.EndedAt,
		ReimbursementID: uuid.NullUUID{UUID: p.Agreement, Valid: true},
	}
}

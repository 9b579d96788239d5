package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jacoelho/banking/iban"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// NewReimbursement is an agreement with somebody whom the utility pays for sessions. Days are calendar days of the place of a session,
// both included.
type NewReimbursement struct {
	Payee string // customer number: who charges at home or his employer, or the host
	Kind  string // OwedAtHome or OwedToHost

	// Which sessions: all that is given must hold. At least one is.
	EVSE     string // EVSE id
	Location string // DE*ABC*LOC1
	Card     string // uid or printed number; at home only

	Basis    billing.Basis
	Price    decimal.Decimal // without VAT: of a kWh or a session, or percent
	Currency string          // empty: EUR
	Charged  bool            // at home: the contract of the card pays for the session by its plan

	VAT       billing.PayeeVAT
	TaxNumber string    // of a payee without a VAT id
	Phone     string    // of the payee
	AgreedOn  time.Time // that the utility bills in the payee's name (§ 14(2) sentence 2 UStG)
	Holder    string    // of the account; empty: the payee
	IBAN      string
	From      time.Time
	Until     time.Time // zero: until further notice
}

// check finds what is wrong with an agreement whatever the payee.
func (n *NewReimbursement) check(now time.Time) error {
	switch {
	case n.Kind != OwedAtHome && n.Kind != OwedToHost:
		return refuse("reimbursement-kind")
	case n.EVSE == "" && n.Location == "" && (n.Card == "" || n.Kind == OwedToHost):
		return refuse("reimbursement-scope")
	case n.Kind == OwedToHost && (n.Card != "" || n.Charged):
		return refuse("reimbursement-host")
	case n.Kind == OwedAtHome && n.Basis == billing.Percent && !n.Charged:
		return refuse("reimbursement-share")
	case !slices.Contains([]billing.Basis{billing.PerKWh, billing.PerSession, billing.Percent}, n.Basis):
		return refuse("reimbursement-basis")
	case !n.Price.IsPositive() || n.Price.GreaterThan(decimal.NewFromInt(1000)) || n.Basis == billing.Percent && n.Price.GreaterThan(decimal.NewFromInt(100)) || !n.Price.Equal(n.Price.Truncate(6)):
		return refuse("reimbursement-price")
	case !slices.Contains([]billing.PayeeVAT{billing.PayeeOutside, billing.PayeeExempt, billing.PayeeStandard}, n.VAT):
		return refuse("reimbursement-vat")
	case n.AgreedOn.IsZero() || n.AgreedOn.After(now):
		return refuse("reimbursement-agreed")
	case n.From.IsZero() || !n.Until.IsZero() && n.Until.Before(n.From):
		return refuse("period")
	case iban.Validate(n.IBAN) != nil:
		return refuse("iban")
	case n.Currency != "EUR": // what SEPA carries
		return refuse("reimbursement-currency")
	}
	return nil
}

// AddReimbursement keeps an agreement, and has the sessions of its days looked at again.
//
// Its error is a *Refusal if the agreement cannot be.
func (o *Ops) AddReimbursement(ctx context.Context, tenant uuid.UUID, n NewReimbursement) (uuid.UUID, error) {
	n.EVSE, n.IBAN = billing.FoldEVSE(ocpi.CiString(strings.TrimSpace(n.EVSE))), billing.Tidy("payment.iban", n.IBAN)
	n.Location, n.Card, n.Holder, n.TaxNumber = strings.ToUpper(strings.TrimSpace(n.Location)), strings.TrimSpace(n.Card), strings.TrimSpace(n.Holder), strings.TrimSpace(n.TaxNumber)
	if n.Currency == "" {
		n.Currency = "EUR"
	}
	if err := n.check(o.Now()); err != nil {
		return uuid.Nil, err
	}
	party := ""
	if n.Location != "" {
		cpo, rest, ok := cutParty(n.Location)
		if !ok {
			return uuid.Nil, refuse("reimbursement-location")
		}
		party, n.Location = cpo.String(), cpo.String()+"*"+rest
	}
	id := uuid.Must(uuid.NewV7())
	var woken []uuid.UUID
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		p, err := o.agreed(ctx, q, tenant, n)
		if err != nil {
			return err
		}
		p.ID, p.IBANSealed = id, o.Box.Seal(reimbursementLabel(id), n.IBAN)
		if err := q.InsertReimbursement(ctx, p); db.IsExclusion(err) {
			return refuse("reimbursement-exists")
		} else if err != nil {
			return fmt.Errorf("keep agreement: %w", err)
		}
		if woken, err = wakeForReimbursement(ctx, q, o.Now(), p.TenantID, p.EVSEID, party, p.TokenID, p.ValidFrom, p.ValidUntil); err != nil {
			return err
		}
		return event(ctx, q, o.Now(), tenant, "customer", p.PayeeID, "reimbursement-added", n.story())
	})
	if err != nil {
		return uuid.Nil, err
	}
	o.Bell.Ring(ctx, CDRRate, woken...)
	return id, nil
}

// cutParty takes the CPO off a location.
func cutParty(location string) (cpo ocpi.Party, rest string, ok bool) {
	parts := strings.SplitN(location, "*", 3)
	if len(parts) != 3 || parts[2] == "" {
		return cpo, "", false
	}
	cpo, err := ocpi.ParseParty(parts[0] + "*" + parts[1])
	return cpo, parts[2], err == nil
}

// agreed is the row of an agreement, with all but its id and its account.
func (o *Ops) agreed(ctx context.Context, q *db.Queries, tenant uuid.UUID, n NewReimbursement) (db.InsertReimbursementParams, error) {
	p := db.InsertReimbursementParams{
		TenantID: tenant, Kind: n.Kind, EVSEID: n.EVSE, Location: n.Location, Basis: string(n.Basis), Price: n.Price, Currency: n.Currency, VAT: string(n.VAT), TaxNumber: n.TaxNumber,
		Phone: strings.TrimSpace(n.Phone), Charged: n.Charged, AgreedOn: asDate(n.AgreedOn), Holder: n.Holder, IBANLast4: last4(n.IBAN), ValidFrom: asDate(n.From),
		AddedBy: actor(ctx), AddedAt: o.Now(),
	}
	if !n.Until.IsZero() {
		p.ValidUntil = ptr(asDate(n.Until))
	}
	payee, err := q.CustomerByNumber(ctx, db.CustomerByNumberParams{TenantID: tenant, Number: strings.TrimSpace(n.Payee)})
	if errors.Is(err, db.ErrNotFound) {
		return p, refuse("customer-unknown")
	} else if err != nil {
		return p, fmt.Errorf("payee: %w", err)
	}
	if err := q.LockCustomer(ctx, payee.ID); err != nil { // agreements of one payee come one after the other
		return p, fmt.Errorf("lock payee: %w", err)
	}
	p.PayeeID = payee.ID
	if p.Holder == "" {
		p.Holder = payee.Name
	}
	if n.VAT != billing.PayeeOutside && payee.VATID == "" && n.TaxNumber == "" {
		return p, refuse("payee-tax-number")
	}
	mixes, err := q.PayeeMixes(ctx, db.PayeeMixesParams{PayeeID: payee.ID, Outside: n.VAT == billing.PayeeOutside, Since: p.ValidFrom, Until: p.ValidUntil})
	if err != nil {
		return p, fmt.Errorf("other agreements: %w", err)
	}
	if mixes {
		return p, refuse("payee-mixed")
	}
	if n.Card == "" {
		return p, nil
	}
	card, err := q.CardByName(ctx, db.CardByNameParams{TenantID: tenant, Name: n.Card})
	if errors.Is(err, db.ErrNotFound) {
		return p, refuse("card-unknown")
	} else if err != nil {
		return p, fmt.Errorf("card: %w", err)
	}
	p.TokenID = uuid.NullUUID{UUID: card, Valid: true}
	return p, nil
}

// story is what the timeline of the payee tells of an agreement.
func (n *NewReimbursement) story() map[string]string {
	story := map[string]string{"kind": n.Kind, "basis": string(n.Basis), "price": n.Price.String(), "vat": string(n.VAT), "from": n.From.Format(time.DateOnly), "agreed": n.AgreedOn.Format(time.DateOnly)}
	for name, value := range map[string]string{"evse": n.EVSE, "location": n.Location, "card": n.Card} {
		if value != "" {
			story[name] = value
		}
	}
	if !n.Until.IsZero() {
		story["until"] = n.Until.Format(time.DateOnly)
	}
	return story
}

// EndReimbursement says which day is the last of an agreement. One that ends before it begins never counted. Sessions behind its end
// are looked at again; what was paid for them is taken back on the payee's next document.
func (o *Ops) EndReimbursement(ctx context.Context, tenant, id uuid.UUID, last time.Time) error {
	var woken []uuid.UUID
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		before, err := q.Reimbursement(ctx, db.ReimbursementParams{ID: id, TenantID: tenant})
		if err != nil {
			return err
		}
		if last = asDate(last); last.Before(before.ValidFrom) {
			last = before.ValidFrom.AddDate(0, 0, -1)
		}
		row, err := q.EndReimbursement(ctx, db.EndReimbursementParams{ID: id, TenantID: tenant, ValidUntil: last, Now: o.Now()})
		if errors.Is(err, db.ErrNotFound) {
			return refuse("already")
		} else if err != nil {
			return fmt.Errorf("end agreement: %w", err)
		}
		party := ""
		if cpo, _, ok := cutParty(row.Location); ok {
			party = cpo.String()
		}
		if woken, err = wakeForReimbursement(ctx, q, o.Now(), tenant, row.EVSEID, party, row.TokenID, last.AddDate(0, 0, 1), before.ValidUntil); err != nil {
			return err
		}
		return event(ctx, q, o.Now(), tenant, "customer", row.PayeeID, "reimbursement-ended", map[string]string{"until": last.Format(time.DateOnly), "kind": row.Kind})
	})
	if err == nil {
		o.Bell.Ring(ctx, CDRRate, woken...)
	}
	return err
}

// wakeForReimbursement has sessions of some days looked at again that an agreement may be about.
func wakeForReimbursement(ctx context.Context, q *db.Queries, now time.Time, tenant uuid.UUID, evse, party string, token uuid.NullUUID, first time.Time, last *time.Time) ([]uuid.UUID, error) {
	const anyZone = 24 * time.Hour // days are those of the place of each session
	p := db.WakeForReimbursementParams{TenantID: tenant, EVSEID: evse, Party: party, TokenID: token, Since: first.Add(-anyZone), Now: now}
	if last != nil {
		p.Until = ptr(last.Add(2 * anyZone))
	}
	woken, err := q.WakeForReimbursement(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("wake CDRs: %w", err)
	}
	return woken, nil
}

package jobs

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// ResellerEvidence is a tax office's word that a customer resells electricity (form USt 1 TH). Its days are calendar days, both included.
type ResellerEvidence struct {
	Reference   string
	From, Until time.Time
}

// AddResellerEvidence keeps evidence, and has the customer's sessions of its days taxed by it that are on no invoice yet.
func (o *Ops) AddResellerEvidence(ctx context.Context, tenant, customer uuid.UUID, e ResellerEvidence) error {
	e.Reference = strings.TrimSpace(e.Reference)
	switch {
	case e.Reference == "":
		return refuse("evidence-reference")
	case e.From.IsZero() || e.Until.Before(e.From) || e.Until.After(e.From.AddDate(3, 0, 0)):
		return refuse("evidence-days")
	}
	return o.onReseller(ctx, tenant, customer, func(q *db.Queries, c db.Customer) (ResellerEvidence, error) {
		if c.VATID == "" {
			return e, refuse("evidence-vat-id")
		}
		err := q.InsertResellerEvidence(ctx, db.InsertResellerEvidenceParams{
			ID: uuid.Must(uuid.NewV7()), TenantID: tenant, CustomerID: customer, Reference: e.Reference, ValidFrom: e.From, ValidUntil: e.Until, AddedBy: actor(ctx), AddedAt: o.Now(),
		})
		if err != nil {
			return e, fmt.Errorf("keep evidence: %w", err)
		}
		return e, o.resellerEvent(ctx, q, c, "reseller-evidence", e)
	})
}

// WithdrawResellerEvidence has evidence count no more, and the customer's sessions of its days taxed without it that are on no
// invoice yet. It returns db.ErrNotFound if there is none of that reference.
func (o *Ops) WithdrawResellerEvidence(ctx context.Context, tenant, customer uuid.UUID, reference string) error {
	return o.onReseller(ctx, tenant, customer, func(q *db.Queries, c db.Customer) (ResellerEvidence, error) {
		row, err := q.WithdrawResellerEvidence(ctx, db.WithdrawResellerEvidenceParams{TenantID: tenant, CustomerID: customer, Reference: strings.TrimSpace(reference), Now: o.Now()})
		if err != nil {
			return ResellerEvidence{}, err
		}
		e := ResellerEvidence{Reference: row.Reference, From: row.ValidFrom, Until: row.ValidUntil}
		return e, o.resellerEvent(ctx, q, c, "reseller-withdrawn", e)
	})
}

// onReseller changes the evidence of a customer and looks again at the sessions of its days.
func (o *Ops) onReseller(ctx context.Context, tenant, customer uuid.UUID, change func(*db.Queries, db.Customer) (ResellerEvidence, error)) error {
	var woken []uuid.UUID
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockCustomer(ctx, customer); err != nil {
			return fmt.Errorf("lock customer: %w", err)
		}
		c, err := q.Customer(ctx, customer)
		if err != nil || c.TenantID != tenant {
			return cmp.Or(err, db.ErrNotFound)
		}
		e, err := change(q, c)
		if err != nil {
			return err
		}
		const anyZone = 24 * time.Hour // its days are those of the place of each session
		woken, err = q.WakeForReseller(ctx, db.WakeForResellerParams{TenantID: tenant, CustomerID: uuid.NullUUID{UUID: customer, Valid: true}, Since: e.From.Add(-anyZone), Until: e.Until.Add(2 * anyZone), Now: o.Now()})
		if err != nil {
			return fmt.Errorf("wake CDRs: %w", err)
		}
		return nil
	})
	if err == nil {
		o.Bell.Ring(ctx, CDRRate, woken...)
	}
	return err
}

func (o *Ops) resellerEvent(ctx context.Context, q *db.Queries, c db.Customer, what string, e ResellerEvidence) error {
	return event(ctx, q, o.Now(), c.TenantID, "customer", c.ID, what, map[string]string{
		"reference": e.Reference, "from": e.From.Format(time.DateOnly), "until": e.Until.Format(time.DateOnly),
	})
}

// tax decides how the session is taxed, where its current was consumed and by whom, and books its price by that. Evidence of a
// reseller counts where its utility is at home: elsewhere it would have to be that country's.
func (r *rating) tax(ctx context.Context) (err error) {
	p, ended := &r.retail, r.ended.In(r.place.zoneOrUTC())
	if p.vat, err = billing.DecideVAT(r.place.country, ended, false); err != nil {
		return err
	}
	reseller, err := r.q.IsReseller(ctx, db.IsResellerParams{CustomerID: r.card.CustomerID, Day: ended})
	if err != nil {
		return fmt.Errorf("evidence of a reseller: %w", err)
	}
	if reseller {
		tenant, err := r.q.Tenant(ctx, r.state.TenantID)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		reseller = tenant.Country == r.place.country
	}
	if !reseller {
		p.items, p.net, p.gross = billing.Items(p.Rating, p.vat)
		return nil
	}
	p.items, p.net, p.gross = billing.ItemsReversed(p.Rating, p.vat)
	p.vat, err = billing.DecideVAT(r.place.country, ended, true)
	return err
}

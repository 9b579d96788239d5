package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// NewMandate is a SEPA mandate that a customer has signed.
type NewMandate struct {
	Reference string
	Holder    string // of the account; empty: the customer
	IBAN      string
	SignedOn  time.Time
}

// SetMandate keeps the SEPA mandate that a customer has signed, in the place of the one before. An empty reference is the customer's
// number, counted on.
//
// Its error is a *billing.DraftError if something that was entered cannot be.
func (o *Ops) SetMandate(ctx context.Context, tenant, customer uuid.UUID, m NewMandate) error {
	m.IBAN, m.Reference = billing.Tidy("payment.debtor_iban", m.IBAN), billing.Tidy("payment.mandate_reference", m.Reference)
	var wrong []billing.Problem
	if m.IBAN == "" {
		wrong = append(wrong, missing("payment.debtor_iban"))
	}
	for _, p := range []*billing.Problem{billing.Malformed("payment.debtor_iban", m.IBAN), billing.Malformed("payment.mandate_reference", m.Reference)} {
		if p != nil {
			wrong = append(wrong, *p)
		}
	}
	if m.SignedOn.IsZero() || m.SignedOn.After(o.Now().AddDate(0, 0, 1)) {
		wrong = append(wrong, billing.Problem{Field: "payment.signed_on", DE: "Der Tag der Unterschrift fehlt oder liegt in der Zukunft.", EN: "The day of the signature is missing or to come."})
	}
	if len(wrong) > 0 {
		return &billing.DraftError{Problems: wrong}
	}
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		c, err := lockCustomer(ctx, q, tenant, customer)
		if err != nil {
			return err
		}
		was := ""
		if earlier, err := q.ActiveMandate(ctx, customer); err == nil {
			was = earlier.Reference + " …" + earlier.IBANLast4
		} else if !errors.Is(err, db.ErrNotFound) {
			return fmt.Errorf("mandate: %w", err)
		}
		if m.Reference == "" {
			many, err := q.CountMandates(ctx, customer)
			if err != nil {
				return fmt.Errorf("number mandate: %w", err)
			}
			m.Reference = fmt.Sprintf("%s-%d", c.Number, many+1)
		}
		if _, err := q.EndMandate(ctx, db.EndMandateParams{CustomerID: customer, Now: o.Now()}); err != nil {
			return fmt.Errorf("end mandate: %w", err)
		}
		m.Holder = cmp.Or(strings.TrimSpace(m.Holder), c.Name)
		err = o.insertMandate(ctx, q, tenant, customer, m)
		if db.IsDuplicate(err, "mandates_reference") {
			return &billing.DraftError{Problems: []billing.Problem{{Field: "payment.mandate_reference", DE: "Diese Mandatsreferenz gibt es schon.", EN: "There is a mandate with this reference already."}}}
		} else if err != nil {
			return err
		}
		return event(ctx, q, o.Now(), tenant, "customer", customer, "mandate", map[string]string{"mandate": beforeAfter(was, m.Reference+" …"+last4(m.IBAN))})
	})
}

// EndMandate has a customer pay by transfer from now on. It returns db.ErrNotFound if there is no mandate.
func (o *Ops) EndMandate(ctx context.Context, tenant, customer uuid.UUID) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if _, err := lockCustomer(ctx, q, tenant, customer); err != nil {
			return err
		}
		was, err := q.ActiveMandate(ctx, customer)
		if err != nil {
			return err
		}
		if _, err := q.EndMandate(ctx, db.EndMandateParams{CustomerID: customer, Now: o.Now()}); err != nil {
			return fmt.Errorf("end mandate: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "customer", customer, "mandate", map[string]string{"mandate": beforeAfter(was.Reference+" …"+was.IBANLast4, "")})
	})
}

// insertMandate keeps a mandate with its IBAN encrypted.
func (o *Ops) insertMandate(ctx context.Context, q *db.Queries, tenant, customer uuid.UUID, m NewMandate) error {
	id := uuid.Must(uuid.NewV7())
	err := q.InsertMandate(ctx, db.InsertMandateParams{
		ID: id, TenantID: tenant, CustomerID: customer, Reference: m.Reference, Holder: m.Holder, IBANSealed: o.Box.Seal(mandateLabel(id), m.IBAN),
		IBANLast4: last4(m.IBAN), SignedOn: m.SignedOn, CreatedAt: o.Now(),
	})
	if err != nil {
		return fmt.Errorf("insert mandate: %w", err)
	}
	return nil
}

// last4 is what screens show of an IBAN.
func last4(iban string) string { return iban[max(0, len(iban)-4):] }

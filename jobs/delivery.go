package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// Way is how a document reaches its customer.
type Way string

// The ways.
const (
	ByEmail  Way = "email"
	ByPortal Way = "portal" // an e-mail that says where the document is
	ByLetter Way = "letter" // a PDF for the print service
	ByPeppol Way = "peppol" // an XRechnung for the access point
)

// Ways are all of them.
var Ways = []Way{ByEmail, ByPortal, ByLetter, ByPeppol}

// copyOf is one copy of a document on its way.
type copyOf struct {
	way    Way
	number int32  // 1 is the first
	to     string // e-mail address, or Peppol id
}

// ring is work that was made due in a transaction, to be rung for after it.
type ring struct {
	kind Kind
	id   uuid.UUID
}

// deliver puts an issued document on the way that its customer has chosen, once. Whoever is to have an e-mail and has no address
// gets a letter.
func (o *Ops) deliver(ctx context.Context, q *db.Queries, row db.Invoice, inv billing.Invoice) (ring, error) {
	customer, err := q.Customer(ctx, recipientID(row))
	if err != nil {
		return ring{}, fmt.Errorf("recipient: %w", err)
	}
	c := copyOf{way: Way(customer.Delivery), number: 1, to: inv.Customer.Email}
	switch {
	case c.way == ByPeppol:
		c.to = customer.PeppolID
	case c.to == "":
		c.way = ByLetter
	}
	return o.send(ctx, q, row, inv, c)
}

// send puts one copy of a document into the outbox.
func (o *Ops) send(ctx context.Context, q *db.Queries, row db.Invoice, inv billing.Invoice, c copyOf) (ring, error) {
	switch c.way {
	case ByEmail, ByPortal:
		id, err := o.queueInvoiceEmail(ctx, q, row, inv, c)
		return ring{EmailSend, id}, err
	case ByLetter, ByPeppol:
		id, err := o.queueFileDrop(ctx, q, row, inv, c)
		return ring{FileDrop, id}, err
	}
	return ring{}, refuse("delivery-way")
}

// SendAgain sends another copy of an issued document, on a way and to an address that may differ from before: the customer's
// when to is empty. What is still waiting to be sent is not sent twice.
func (o *Ops) SendAgain(ctx context.Context, tenant, invoice uuid.UUID, way Way, to string) error {
	var r ring
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		row, err := q.LockInvoice(ctx, invoice)
		if err != nil || row.TenantID != tenant {
			return cmp.Or(err, db.ErrNotFound)
		}
		if row.State != "issued" || row.RenderedAt == nil {
			return refuse("not-issued")
		}
		copies, err := q.CopiesOfInvoice(ctx, invoice)
		if err != nil {
			return fmt.Errorf("copies: %w", err)
		}
		c := copyOf{way: way, number: 1, to: strings.TrimSpace(to)}
		for _, earlier := range copies {
			if earlier.State == "queued" {
				return refuse("still-queued")
			}
			c.number = max(c.number, earlier.Copy+1)
		}
		if c.to, err = addressOf(ctx, q, recipientID(row), c); err != nil {
			return err
		}
		var inv billing.Invoice
		if err := json.Unmarshal(row.Doc, &inv); err != nil {
			return fmt.Errorf("read invoice %s: %w", *row.Number, err)
		}
		if r, err = o.send(ctx, q, row, inv, c); err != nil {
			return err
		}
		return event(ctx, q, o.Now(), tenant, "invoice", invoice, "sent-again", map[string]string{"way": string(way), "to": c.to})
	})
	if err == nil {
		o.Bell.Ring(ctx, r.kind, r.id)
	}
	return err
}

// TryAgain has what could not be sent, or was kept, sent anew.
func (o *Ops) TryAgain(ctx context.Context, tenant, id uuid.UUID) error {
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.RetryEmail(ctx, db.RetryEmailParams{ID: id, TenantID: tenant, Now: o.Now()}); err != nil {
			return fmt.Errorf("e-mail: %w", err)
		}
		return q.RetryFileDrop(ctx, db.RetryFileDropParams{ID: id, TenantID: tenant, Now: o.Now()})
	})
	if err == nil {
		o.Bell.Ring(ctx, EmailSend, id)
		o.Bell.Ring(ctx, FileDrop, id)
	}
	return err
}

// recipientID is whom a document is made out to: who has charged, or an employer in his place.
func recipientID(row db.Invoice) uuid.UUID { return recipientOf(row.CustomerID, row.RecipientID) }

func recipientOf(customer uuid.UUID, recipient uuid.NullUUID) uuid.UUID {
	if recipient.Valid {
		return recipient.UUID
	}
	return customer
}

// addressOf completes and checks where a copy goes.
func addressOf(ctx context.Context, q *db.Queries, id uuid.UUID, c copyOf) (string, error) {
	customer, err := q.Customer(ctx, id)
	if err != nil {
		return "", fmt.Errorf("customer: %w", err)
	}
	switch c.way {
	case ByEmail, ByPortal:
		to := cmp.Or(c.to, customer.Email)
		if !isEmail(to) {
			return "", refuse("email-address")
		}
		return to, nil
	case ByPeppol:
		if customer.PeppolID == "" {
			return "", refuse("peppol-id")
		}
		return customer.PeppolID, nil // it is part of the document
	default:
		return "", nil
	}
}

var peppolID = regexp.MustCompile(`^[0-9]{4}:[A-Za-z0-9._~-]{1,50}$`)

// SetDelivery sets how a customer gets documents from now on. An empty address or Peppol id stays as it is.
func (o *Ops) SetDelivery(ctx context.Context, tenant, id uuid.UUID, way Way, email, peppol string) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockCustomer(ctx, id); err != nil {
			return fmt.Errorf("lock customer: %w", err)
		}
		customer, err := q.Customer(ctx, id)
		if err != nil || customer.TenantID != tenant {
			return cmp.Or(err, db.ErrNotFound)
		}
		set := db.SetDeliveryParams{ID: id, Delivery: string(way), Email: cmp.Or(strings.TrimSpace(email), customer.Email), PeppolID: cmp.Or(strings.TrimSpace(peppol), customer.PeppolID)}
		switch {
		case set.Email != "" && !isEmail(set.Email), (way == ByEmail || way == ByPortal) && set.Email == "":
			return refuse("email-address")
		case set.PeppolID != "" && !peppolID.MatchString(set.PeppolID), way == ByPeppol && set.PeppolID == "":
			return refuse("peppol-id")
		case way != ByEmail && way != ByPortal && way != ByLetter && way != ByPeppol:
			return refuse("delivery-way")
		}
		if err := q.SetDelivery(ctx, set); err != nil {
			return fmt.Errorf("set delivery: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "customer", id, "delivery", map[string]string{"way": string(way), "email": set.Email, "peppol": set.PeppolID})
	})
}

// isEmail reports whether text is a bare e-mail address.
func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text
}

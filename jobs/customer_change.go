package jobs

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// AddCustomer adds a customer with the next number; change gets one who has nothing yet.
//
// Its error is a *billing.DraftError if something that was entered cannot be.
func (o *Ops) AddCustomer(ctx context.Context, tenant uuid.UUID, change func(*db.Customer)) (uuid.UUID, error) {
	c := db.Customer{ID: uuid.Must(uuid.NewV7()), TenantID: tenant, Kind: "private", Country: "DE", Language: "de", Delivery: string(ByEmail), InvoiceDetail: "items"}
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, tenant); err != nil { // customer numbers count up
			return fmt.Errorf("lock tenant: %w", err)
		}
		if t, err := q.Tenant(ctx, tenant); err != nil {
			return fmt.Errorf("tenant: %w", err)
		} else if t.ClosedAt != nil {
			return refuse("utility-closed")
		}
		blank := db.Customer{}
		change(&c)
		if err := checkCustomer(&blank, &c); err != nil {
			return err
		}
		var err error
		if c.Number, err = q.NextCustomerNumber(ctx, tenant); err != nil {
			return fmt.Errorf("number customer: %w", err)
		}
		err = q.InsertCustomer(ctx, db.InsertCustomerParams{ID: c.ID, TenantID: tenant, Number: c.Number, Kind: c.Kind, Name: c.Name, Country: c.Country, Language: c.Language, CreatedAt: o.Now()})
		if err != nil {
			return fmt.Errorf("insert customer: %w", err)
		}
		if err := saveCustomer(ctx, q, &c); err != nil {
			return err
		}
		return event(ctx, q, o.Now(), tenant, "customer", c.ID, "added", changedData(CustomerData, &blank, &c))
	})
	return c.ID, err
}

// ChangeCustomer changes what is known of a customer, for documents that are issued from now on. change gets it as it is; version is
// the one that it was made from, zero for whatever there is. The group has a history of its own: PutIntoGroup.
//
// Its error is a *billing.DraftError if something that was entered cannot be.
func (o *Ops) ChangeCustomer(ctx context.Context, tenant, id uuid.UUID, version int32, change func(*db.Customer)) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		before, err := lockCustomer(ctx, q, tenant, id)
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return refuse("data-changed")
		}
		after := before
		change(&after)
		if err := checkCustomer(&before, &after); err != nil {
			return err
		}
		detail := changedData(CustomerData, &before, &after)
		if len(detail) == 0 {
			return nil
		}
		if err := saveCustomer(ctx, q, &after); err != nil {
			return err
		}
		return event(ctx, q, o.Now(), tenant, "customer", id, "changed", detail)
	})
}

// lockCustomer locks a customer of a utility and reads it.
func lockCustomer(ctx context.Context, q *db.Queries, tenant, id uuid.UUID) (db.Customer, error) {
	if err := q.LockCustomer(ctx, id); err != nil {
		return db.Customer{}, fmt.Errorf("lock customer: %w", err)
	}
	c, err := q.Customer(ctx, id)
	if err != nil || c.TenantID != tenant {
		return db.Customer{}, cmp.Or(err, db.ErrNotFound)
	}
	return c, nil
}

// checkCustomer says what cannot be of what was changed. What documents still lack may be missing: they say so when they are made.
func checkCustomer(before, after *db.Customer) error {
	wrong := tidyData(CustomerData, before, after)
	say := func(bad bool, p billing.Problem) {
		if bad {
			wrong = append(wrong, p)
		}
	}
	say(after.Name == "", missing("customer.name"))
	say(after.Country == "", missing("customer.address.country"))
	moved := before.Kind != after.Kind || before.BuyerReference != after.BuyerReference
	say(moved && after.Kind == "public" && after.BuyerReference != "" && !billing.IsLeitwegID(after.BuyerReference), billing.Problem{
		Field: "customer.buyer_reference", DE: "Das ist keine Leitweg-ID: Form oder Prüfziffer stimmen nicht.", EN: "This is no Leitweg-ID: its form or its check digits do not fit.",
	})
	text := RefusalText("peppol-id")
	say(after.PeppolID != "" && !peppolID.MatchString(after.PeppolID) || Way(after.Delivery) == ByPeppol && after.PeppolID == "", billing.Problem{Field: "customer.peppol_id", DE: text.DE, EN: text.EN})
	if len(wrong) > 0 {
		return &billing.DraftError{Problems: wrong}
	}
	return nil
}

func saveCustomer(ctx context.Context, q *db.Queries, c *db.Customer) error {
	err := q.ChangeCustomer(ctx, db.ChangeCustomerParams{
		ID: c.ID, Kind: c.Kind, Name: c.Name, Contact: c.Contact, Email: c.Email, Phone: c.Phone, Street: c.Street, PostalCode: c.PostalCode, City: c.City, Country: c.Country,
		VATID: c.VATID, TaxNumber: c.TaxNumber, BuyerReference: c.BuyerReference, Language: c.Language, Delivery: c.Delivery, PeppolID: c.PeppolID, InvoiceDetail: c.InvoiceDetail,
	})
	if err != nil {
		return fmt.Errorf("change customer: %w", err)
	}
	return nil
}

package jobs

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// ChangeTenant changes the details of a utility; change gets them as they are. What partners are told of a utility, its name
// and website, they are told again (CRED-24). Documents that were issued stay as they are.
func (o *Ops) ChangeTenant(ctx context.Context, id uuid.UUID, change func(t *db.Tenant)) (db.Tenant, error) {
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, id); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		t, err := q.Tenant(ctx, id)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		change(&t)
		t.Name = strings.TrimSpace(t.Name)
		if missing := MissingLegalData(t); t.Mode == "live" && len(missing) > 0 {
			return &billing.DraftError{Problems: missing}
		}
		err = q.ChangeTenant(ctx, db.ChangeTenantParams{
			ID: id, Name: t.Name, Mode: t.Mode, Street: t.Street, PostalCode: t.PostalCode, City: t.City, VATID: t.VATID, TaxNumber: t.TaxNumber, Register: t.Register,
			ContactName: t.ContactName, ContactPhone: t.ContactPhone, ContactEmail: t.ContactEmail, Website: t.Website, IBAN: t.IBAN, BIC: t.BIC, CreditorID: t.CreditorID,
			Colour: t.Colour,
		})
		if err != nil {
			return fmt.Errorf("change tenant: %w", err)
		}
		return event(ctx, q, o.Now(), id, "tenant", id, "changed", nil)
	})
	if err != nil {
		return db.Tenant{}, err
	}
	return o.DB.Tenant(ctx, id)
}

package jobs

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// ErrExists says that what was to be added is there already. The error that wraps it says what, and is safe to show.
var ErrExists = errors.New("exists already")

// starterPlan is the retail tariff of a new utility until it brings its own: one price a kWh, VAT included.
//
//go:embed starter_plan.json
var starterPlan []byte

// NewTenant is what a utility is added with. Everything but Party and Name may follow later; until then it is on trial.
type NewTenant struct {
	Party  ocpi.Party
	Name   string
	Live   bool // legal data is complete: documents are real
	Data   db.InsertTenantParams
	Plan   []byte // the default retail tariff; empty: the starter plan
	Colour string
}

// AddTenant adds a utility with a default plan, and enables it for every partner.
func (o *Ops) AddTenant(ctx context.Context, n NewTenant) (db.Tenant, error) {
	p := n.Data
	p.ID, p.CreatedAt = uuid.Must(uuid.NewV7()), o.Now()
	p.CountryCode, p.PartyID, p.Name, p.Mode = n.Party.CountryCode.Fold(), n.Party.PartyID.Fold(), strings.TrimSpace(n.Name), "trial"
	if p.Country == "" {
		p.Country = p.CountryCode
	}
	if n.Live {
		p.Mode = "live"
	}
	if p.Colour = n.Colour; p.Colour == "" {
		p.Colour = "#0b5cad"
	}
	if p.Logo == nil {
		p.Logo = []byte{}
	}
	if p.PaymentDays == 0 {
		p.PaymentDays = 14
	}
	if missing := MissingLegalData(tenantOf(p)); n.Live && len(missing) > 0 {
		return db.Tenant{}, &billing.DraftError{Problems: missing}
	}
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.InsertTenant(ctx, p); db.IsDuplicate(err, "tenants_country_code_party_id_key") {
			return fmt.Errorf("tenant %s %w", n.Party, ErrExists)
		} else if err != nil {
			return fmt.Errorf("insert tenant: %w", err)
		}
		doc := n.Plan
		if len(doc) == 0 {
			doc = starterPlan
		}
		if _, err := addPlan(ctx, q, o, p.ID, "Standard", true, doc); err != nil {
			return err
		}
		if err := q.EnableTenantForAllPartners(ctx, db.EnableTenantForAllPartnersParams{TenantID: p.ID, OnePartyVersions: onePartyVersions()}); err != nil {
			return fmt.Errorf("enable for partners: %w", err)
		}
		return event(ctx, q, o.Now(), p.ID, "tenant", p.ID, "added", nil)
	})
	if err != nil {
		return db.Tenant{}, err
	}
	return o.DB.Tenant(ctx, p.ID)
}

// tenantOf is the row that an insert will make.
func tenantOf(p db.InsertTenantParams) db.Tenant {
	return db.Tenant{
		Name: p.Name, Street: p.Street, PostalCode: p.PostalCode, City: p.City, Country: p.Country, VATID: p.VATID, TaxNumber: p.TaxNumber,
		ContactName: p.ContactName, ContactPhone: p.ContactPhone, ContactEmail: p.ContactEmail, IBAN: p.IBAN, BIC: p.BIC, CreditorID: p.CreditorID,
		TimeZone: "Europe/Berlin",
	}
}

// AddPlan adds a retail tariff. Its first version counts for sessions of any time: a utility may bring its history.
func (o *Ops) AddPlan(ctx context.Context, tenant uuid.UUID, name string, doc []byte) (id uuid.UUID, err error) {
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		id, err = addPlan(ctx, q, o, tenant, name, false, doc)
		return err
	})
	return id, err
}

func addPlan(ctx context.Context, q *db.Queries, o *Ops, tenant uuid.UUID, name string, isDefault bool, doc []byte) (uuid.UUID, error) {
	if _, err := billing.ParsePlan(doc); err != nil {
		return uuid.Nil, fmt.Errorf("plan %q: %w", name, err)
	}
	id := uuid.Must(uuid.NewV7())
	if err := q.InsertPlan(ctx, db.InsertPlanParams{ID: id, TenantID: tenant, Name: name, IsDefault: isDefault, CreatedAt: o.Now()}); err != nil {
		return uuid.Nil, fmt.Errorf("insert plan %q: %w", name, err)
	}
	err := q.InsertPlanVersion(ctx, db.InsertPlanVersionParams{
		ID: uuid.Must(uuid.NewV7()), PlanID: id, Version: 1, Doc: doc, ValidFrom: beginning, CreatedAt: o.Now(),
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("insert version of plan %q: %w", name, err)
	}
	return id, nil
}

// MissingLegalData is what a utility must still bring before its documents can be real (§ 14(4) UStG, EN 16931).
func MissingLegalData(t db.Tenant) []billing.Problem {
	_, err := billing.Draft{Supplier: supplierOf(t), Payment: transferTo(t)}.Invoice()
	var faulty *billing.DraftError
	if !errors.As(err, &faulty) {
		return nil
	}
	return slices.DeleteFunc(faulty.Problems, func(p billing.Problem) bool {
		return !strings.HasPrefix(p.Field, "supplier.") && !strings.HasPrefix(p.Field, "payment.")
	})
}

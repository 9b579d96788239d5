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

// starterName is what that plan is called, and starterBook gives it to everybody everywhere.
const starterName = "Standard"

var starterBook = []byte(`{"rules": [{"plan": "` + starterName + `"}]}`)

// NewTenant is what a utility is added with. Everything but Party and Name may follow later; until then it is on trial.
type NewTenant struct {
	Party  ocpi.Party
	Name   string
	Live   bool // legal data is complete: documents are real
	Data   db.InsertTenantParams
	Plan   []byte // the retail tariff of its first price book; empty: the starter plan
	Colour string
}

// AddTenant adds a utility with a plan and a price book that gives it to everybody, and enables it for every partner, which is
// told of it (CRED-24).
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
		if _, err := addPlan(ctx, q, o.Now(), p.ID, starterName, true, doc); err != nil {
			return err
		}
		if _, err := addPriceBook(ctx, q, o.Now(), p.ID, starterBook, beginning); err != nil {
			return err
		}
		err := q.EnableTenantForAllPartners(ctx, db.EnableTenantForAllPartnersParams{TenantID: p.ID, OnePartyVersions: onePartyVersions(), KnownAt: o.Now().Add(knownAfter)})
		if err != nil {
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

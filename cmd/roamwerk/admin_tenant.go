package main

import (
	"fmt"
	"os"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// tenantCmd administers utilities.
type tenantCmd struct {
	Add    tenantAddCmd    `cmd:"" help:"Add a utility (an EMSP role). Without its legal data it starts on trial."`
	Change tenantChangeCmd `cmd:"" help:"Change the details of a utility: those that are given."`
	Mail   tenantMailCmd   `cmd:"" help:"Set the sender of a utility's e-mails, and its own mail server."`
	Close  tenantCloseCmd  `cmd:"" help:"Close a utility for good: its cards are blocked everywhere, then its role is withdrawn from every partner."`
}

type tenantAddCmd struct {
	Party string `required:"" help:"OCPI party, for example DE*SWX."`
	Name  string `required:"" help:"Name as it stands on invoices."`
	Plan  string `help:"Retail tariff of the first price book: an OCPI tariff as JSON; \"tax_included\": \"YES\" for prices with VAT. Without it: 0.59 EUR/kWh with VAT." type:"existingfile" placeholder:"FILE"`

	legalData

	Colour string `help:"Corporate colour, as #0b5cad." placeholder:"#RRGGBB"`
	Live   bool   `help:"Legal data is complete: invoices are real. Refused while something is missing."`
}

// legalData is what stands on the documents of a utility.
type legalData struct {
	Street       string `help:"Street and number."`
	PostalCode   string `help:"Postal code."`
	City         string `help:"City."`
	VATID        string `name:"vat-id" help:"VAT identification number."`
	TaxNumber    string `help:"Tax number."`
	Register     string `help:"Commercial register entry."`
	ContactName  string `help:"Contact for customers."`
	ContactPhone string `help:"Telephone of customer service."`
	ContactEmail string `help:"E-mail address of customer service, also the sender of invoices."`
	Website      string `help:"Website."`
	IBAN         string `name:"iban" help:"The utility's own account."`
	BIC          string `name:"bic" help:"BIC of that account."`
	CreditorID   string `name:"creditor-id" help:"SEPA creditor identifier."`
}

// Run adds the utility.
func (c tenantAddCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		party, err := ocpi.ParseParty(c.Party)
		if err != nil {
			return nil, fmt.Errorf("--party: %w", err)
		}
		n := jobs.NewTenant{Party: party, Name: c.Name, Live: c.Live, Colour: c.Colour, Data: db.InsertTenantParams{
			Street: c.Street, PostalCode: c.PostalCode, City: c.City, VATID: c.VATID, TaxNumber: c.TaxNumber, Register: c.Register,
			ContactName: c.ContactName, ContactPhone: c.ContactPhone, ContactEmail: c.ContactEmail, Website: c.Website,
			IBAN: c.IBAN, BIC: c.BIC, CreditorID: c.CreditorID,
		}}
		if c.Plan != "" {
			if n.Plan, err = os.ReadFile(c.Plan); err != nil {
				return nil, err
			}
		}
		tenant, err := a.ops().AddTenant(o.ctx, n)
		if err != nil {
			return nil, err
		}
		return tenantState(tenant), nil
	})
}

// tenantState says who a utility is and what it lacks for real invoices.
func tenantState(t db.Tenant) map[string]any {
	missing := []string{}
	for _, p := range jobs.MissingLegalData(t) {
		missing = append(missing, p.Field)
	}
	return map[string]any{"id": t.ID, "party": t.CountryCode + "*" + t.PartyID, "name": t.Name, "mode": t.Mode, "missing": missing}
}

type tenantChangeCmd struct {
	Party string `required:"" help:"OCPI party, for example DE*SWX."`
	Name  string `help:"Name as it stands on invoices and in our credentials."`

	legalData

	Colour string `help:"Corporate colour, as #0b5cad." placeholder:"#RRGGBB"`
	Live   bool   `help:"Legal data is complete: invoices are real. Refused while something is missing."`
}

// Run changes what was given. Nothing can be emptied.
func (c tenantChangeCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Party)
		if err != nil {
			return nil, err
		}
		tenant, err = a.ops().ChangeTenant(o.ctx, tenant.ID, func(t *db.Tenant) {
			for field, given := range map[*string]string{
				&t.Name: c.Name, &t.Street: c.Street, &t.PostalCode: c.PostalCode, &t.City: c.City, &t.VATID: c.VATID, &t.TaxNumber: c.TaxNumber,
				&t.Register: c.Register, &t.ContactName: c.ContactName, &t.ContactPhone: c.ContactPhone, &t.ContactEmail: c.ContactEmail,
				&t.Website: c.Website, &t.IBAN: c.IBAN, &t.BIC: c.BIC, &t.CreditorID: c.CreditorID, &t.Colour: c.Colour,
			} {
				if given != "" {
					*field = given
				}
			}
			if c.Live {
				t.Mode = "live"
			}
		})
		if err != nil {
			return nil, err
		}
		return tenantState(tenant), nil
	})
}

type tenantCloseCmd struct {
	Party   string `required:"" help:"OCPI party, for example DE*SWX."`
	Confirm string `required:"" help:"The party again: this cannot be taken back." placeholder:"PARTY"`
}

// Run closes the utility.
func (c tenantCloseCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Party)
		if err != nil {
			return nil, err
		}
		if again, err := ocpi.ParseParty(c.Confirm); err != nil || again.CountryCode.Fold() != tenant.CountryCode || again.PartyID.Fold() != tenant.PartyID {
			return nil, fmt.Errorf("--confirm: must be %s*%s, for what is closed stays closed", tenant.CountryCode, tenant.PartyID)
		}
		closing, err := a.ops().CloseTenant(o.ctx, tenant.ID)
		if err != nil {
			return nil, err
		}
		return map[string]any{"id": tenant.ID, "party": c.Party, "name": tenant.Name, "cards": closing.Cards, "partners": closing.Partners}, nil
	})
}

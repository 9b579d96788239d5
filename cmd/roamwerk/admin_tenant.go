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
	Add tenantAddCmd `cmd:"" help:"Add a utility (an EMSP role). Without its legal data it starts on trial."`
}

type tenantAddCmd struct {
	Party string `required:"" help:"OCPI party, for example DE*SWX."`
	Name  string `required:"" help:"Name as it stands on invoices."`
	Plan  string `help:"Retail tariff of the first price book: an OCPI tariff as JSON; \"tax_included\": \"YES\" for prices with VAT. Without it: 0.59 EUR/kWh with VAT." type:"existingfile" placeholder:"FILE"`

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
	Colour       string `help:"Corporate colour, as #0b5cad." placeholder:"#RRGGBB"`
	Live         bool   `help:"Legal data is complete: invoices are real. Refused while something is missing."`
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
		missing := []string{}
		for _, p := range jobs.MissingLegalData(tenant) {
			missing = append(missing, p.Field)
		}
		return map[string]any{"id": tenant.ID, "party": party.String(), "name": tenant.Name, "mode": tenant.Mode, "missing": missing}, nil
	})
}

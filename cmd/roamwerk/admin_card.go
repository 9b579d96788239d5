package main

import (
	"fmt"
	"time"

	"github.com/jacoelho/banking/iban"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// cardCmd administers cards.
type cardCmd struct {
	Issue   cardIssueCmd   `cmd:"" help:"Issue a card to a customer; the customer and the contract are added when they are new."`
	Block   cardBlockCmd   `cmd:"" help:"Block a card at every partner."`
	Unblock cardUnblockCmd `cmd:"" help:"Unblock a card at every partner."`
}

type cardIssueCmd struct {
	Tenant   string `required:"" help:"Utility, for example DE*SWX."`
	UID      string `required:"" name:"uid" help:"UID of the card."`
	Contract string `required:"" help:"Contract id (EMAID)." placeholder:"EMAID"`
	Customer string `required:"" help:"Customer's name. With --email it finds an existing customer."`
	Email    string `required:"" help:"Customer's e-mail address, to which invoices go."`

	Type       string `help:"OCPI token type." enum:"RFID,APP_USER,OTHER" default:"RFID"`
	Visual     string `help:"Number printed on the card."`
	Plan       string `help:"Retail tariff that is agreed with a new contract alone; without it the price book decides." placeholder:"NAME"`
	Group      string `help:"Customer group of a new customer." placeholder:"NAME"`
	Kind       string `help:"Kind of a new customer." enum:"private,business,fleet,public" default:"private"`
	Street     string `help:"Street and number of a new customer."`
	PostalCode string `help:"Postal code."`
	City       string `help:"City."`
	Country    string `help:"Country, ISO 3166-1 alpha-2." default:"DE"`
	VATID      string `name:"vat-id" help:"VAT identification number."`
	LeitwegID  string `name:"leitweg-id" help:"Leitweg-ID of a public body; its invoices are XRechnung."`
	Language   string `help:"Language of the customer's documents." enum:"de,en" default:"de"`
	IBAN       string `name:"iban" help:"Account that a SEPA mandate was given for."`
	Mandate    string `help:"Reference of that mandate."`
	MandateOn  string `help:"Day on which it was signed." placeholder:"YYYY-MM-DD"`
}

// Run issues the card.
func (c cardIssueCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		n := jobs.NewCard{
			Tenant: tenant.ID, UID: c.UID, Type: c.Type, Contract: c.Contract, Visual: c.Visual, Plan: c.Plan, Customer: c.Customer, CustomerGroup: c.Group, Email: c.Email,
			MasterData: db.InsertCustomerParams{
				Kind: c.Kind, Street: c.Street, PostalCode: c.PostalCode, City: c.City, Country: c.Country, VATID: c.VATID, BuyerReference: c.LeitwegID, Language: c.Language,
			},
		}
		if n.Mandate, err = c.mandate(); err != nil {
			return nil, err
		}
		card, err := a.ops().IssueCard(o.ctx, n)
		if err != nil {
			return nil, err
		}
		return map[string]any{"token_id": card.TokenID, "uid": c.UID, "contract": c.Contract, "customer_id": card.CustomerID, "customer_number": card.CustomerNumber}, nil
	})
}

func (c cardIssueCmd) mandate() (*jobs.NewMandate, error) {
	if c.IBAN == "" {
		return nil, nil
	}
	if err := iban.Validate(c.IBAN); err != nil {
		return nil, fmt.Errorf("--iban: %w", err)
	}
	signed, err := time.Parse(time.DateOnly, c.MandateOn)
	if err != nil || c.Mandate == "" {
		return nil, fmt.Errorf("--iban needs --mandate REFERENCE and --mandate-on YYYY-MM-DD")
	}
	return &jobs.NewMandate{Reference: c.Mandate, IBAN: c.IBAN, SignedOn: signed}, nil
}

type cardBlockCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	UID    string `required:"" name:"uid" help:"UID of the card."`
	Type   string `help:"OCPI token type." enum:"RFID,APP_USER,OTHER" default:"RFID"`
}

// Run blocks the card.
func (c cardBlockCmd) Run(o *outside) error { return c.set(o, true) }

type cardUnblockCmd struct{ cardBlockCmd }

// Run unblocks the card.
func (c cardUnblockCmd) Run(o *outside) error { return c.set(o, false) }

func (c cardBlockCmd) set(o *outside, blocked bool) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		card, err := a.ops().BlockCard(o.ctx, tenant.ID, c.UID, c.Type, blocked)
		if err != nil {
			return nil, err
		}
		return map[string]any{"token_id": card.TokenID, "uid": c.UID, "valid": card.Valid, "changed": card.Changed}, nil
	})
}

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// tenantMailCmd sets how the e-mails of a utility look and where they leave. What is not given stays as it is.
type tenantMailCmd struct {
	Party   string  `required:"" help:"OCPI party, for example DE*SWX."`
	Sender  *string `help:"Address that e-mails come from; the contact's when empty. Its domain must allow the server to send for it (SPF, DKIM)." placeholder:"ADDRESS"`
	ReplyTo *string `help:"Address that customers answer to; the sender's when empty." placeholder:"ADDRESS"`
	Bounces *string `help:"Who is told of e-mails that did not arrive; the contact when empty." placeholder:"ADDRESS"`
	SMTP    *string `name:"smtp" help:"The utility's own mail server, as smtp://user:password@host:587; \"\" for the platform's." placeholder:"URL"`
}

// Run sets.
func (c tenantMailCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Party)
		if err != nil {
			return nil, err
		}
		s, err := a.db.MailSettings(o.ctx, tenant.ID)
		if err != nil && !errors.Is(err, db.ErrNotFound) {
			return nil, err
		}
		set := jobs.MailSettings{Sender: s.Sender, ReplyTo: s.ReplyTo, BounceContact: s.BounceContact, SMTP: c.SMTP}
		for given, to := range map[*string]*string{c.Sender: &set.Sender, c.ReplyTo: &set.ReplyTo, c.Bounces: &set.BounceContact} {
			if given != nil {
				*to = *given
			}
		}
		if err := a.ops().SetMail(o.ctx, tenant.ID, set); err != nil {
			return nil, err
		}
		s, err = a.db.MailSettings(o.ctx, tenant.ID)
		return map[string]any{"party": c.Party, "sender": s.Sender, "reply_to": s.ReplyTo, "bounces": s.BounceContact, "smtp": s.SMTPHost}, err
	})
}

// customerCmd administers customers.
type customerCmd struct {
	Delivery customerDeliveryCmd `cmd:"" help:"Set how a customer gets invoices: by e-mail, by a link, as a letter or by Peppol."`
	Reseller customerResellerCmd `cmd:"" help:"Keep the evidence that a customer resells electricity (form USt 1 TH) and owes its tax itself, or withdraw it."`
}

type customerDeliveryCmd struct {
	Tenant   string `required:"" help:"Utility, for example DE*SWX."`
	Customer string `required:"" help:"Customer number."`
	By       string `required:"" enum:"email,portal,letter,peppol" help:"email (attached), portal (an e-mail with a link), letter (a PDF for the print service) or peppol (an XRechnung for the access point)."`
	Email    string `help:"New e-mail address." placeholder:"ADDRESS"`
	PeppolID string `name:"peppol-id" help:"Peppol id, as 0204:991-12345-67."`
}

// Run sets.
func (c customerDeliveryCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		customer, err := a.customer(o, c.Tenant, c.Customer)
		if err != nil {
			return nil, err
		}
		if err := a.ops().SetDelivery(o.ctx, customer.TenantID, customer.ID, jobs.Way(c.By), c.Email, c.PeppolID); err != nil {
			return nil, err
		}
		customer, err = a.db.Customer(o.ctx, customer.ID)
		return map[string]any{"customer": customer.Number, "name": customer.Name, "by": customer.Delivery, "email": customer.Email, "peppol_id": customer.PeppolID}, err
	})
}

type customerResellerCmd struct {
	Tenant    string      `required:"" help:"Utility, for example DE*SWX."`
	Customer  string      `required:"" help:"Customer number."`
	Reference string      `help:"Reference of the form; without it, what there is is listed."`
	From      calendarDay `help:"First day on which it holds." placeholder:"YYYY-MM-DD"`
	Until     calendarDay `help:"Its last day." placeholder:"YYYY-MM-DD"`
	Withdraw  bool        `help:"It counts no more."`
}

// Run keeps or withdraws evidence, and lists it.
func (c customerResellerCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		customer, err := a.customer(o, c.Tenant, c.Customer)
		if err != nil {
			return nil, err
		}
		switch {
		case c.Withdraw:
			err = a.ops().WithdrawResellerEvidence(o.ctx, customer.TenantID, customer.ID, c.Reference)
		case c.Reference != "":
			err = a.ops().AddResellerEvidence(o.ctx, customer.TenantID, customer.ID, jobs.ResellerEvidence{Reference: c.Reference, From: c.From.Time, Until: c.Until.Time})
		}
		if errors.Is(err, db.ErrNotFound) {
			return nil, fmt.Errorf("customer %s has no evidence %s that counts", c.Customer, c.Reference)
		} else if err != nil {
			return nil, err
		}
		rows, err := a.db.ResellerEvidence(o.ctx, customer.ID)
		if err != nil {
			return nil, err
		}
		list := make([]map[string]any, len(rows))
		for i, r := range rows {
			list[i] = map[string]any{
				"reference": r.Reference, "from": r.ValidFrom.Format(time.DateOnly), "until": r.ValidUntil.Format(time.DateOnly), "added_by": r.AddedBy, "added_at": r.AddedAt, "withdrawn_at": r.WithdrawnAt,
			}
		}
		return map[string]any{"customer": customer.Number, "name": customer.Name, "evidence": list}, nil
	})
}

// customer is a customer of a utility.
func (a *app) customer(o *outside, party, number string) (db.Customer, error) {
	tenant, err := a.tenant(o, party)
	if err != nil {
		return db.Customer{}, err
	}
	customer, err := a.db.CustomerByNumber(o.ctx, db.CustomerByNumberParams{TenantID: tenant.ID, Number: number})
	if errors.Is(err, db.ErrNotFound) {
		return customer, fmt.Errorf("%s has no customer %s", party, number)
	}
	return customer, err
}

// invoiceSendCmd sends another copy of a document.
type invoiceSendCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	Number string `required:"" help:"Invoice number."`
	By     string `default:"email" enum:"email,portal,letter,peppol" help:"email, portal, letter or peppol."`
	To     string `help:"E-mail address, if not the customer's." placeholder:"ADDRESS"`
}

// Run sends.
func (c invoiceSendCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		invoice, err := a.invoice(o, c.Tenant, c.Number)
		if err != nil {
			return nil, err
		}
		if err := a.ops().SendAgain(o.ctx, invoice.TenantID, invoice.ID, jobs.Way(c.By), c.To); err != nil {
			return nil, err
		}
		return a.copies(o, c.Number, invoice.ID)
	})
}

// copies are those of a document, newest first, as commands print them.
func (a *app) copies(o *outside, number string, id uuid.UUID) (any, error) {
	rows, err := a.db.CopiesOfInvoice(o.ctx, id)
	if err != nil {
		return nil, fmt.Errorf("copies: %w", err)
	}
	list := make([]map[string]any, len(rows))
	for i, r := range rows {
		list[i] = map[string]any{"copy": r.Copy, "by": r.Way, "to": r.Recipient, "state": r.State, "problem": r.Problem, "at": r.CreatedAt}
	}
	return map[string]any{"number": number, "copies": list}, nil
}

// invoice is an issued invoice of a utility.
func (a *app) invoice(o *outside, party, number string) (db.Invoice, error) {
	tenant, err := a.tenant(o, party)
	if err != nil {
		return db.Invoice{}, err
	}
	invoice, err := a.db.InvoiceByNumber(o.ctx, db.InvoiceByNumberParams{TenantID: tenant.ID, Number: &number})
	if errors.Is(err, db.ErrNotFound) {
		return invoice, fmt.Errorf("%s has no invoice %s", party, number)
	}
	return invoice, err
}

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// issuedRef names an issued invoice.
type issuedRef struct {
	Tenant  string `required:"" help:"Utility, for example DE*SWX."`
	Number  string `required:"" help:"Invoice number."`
	Reason  string `required:"" help:"Why, for the customer, in the invoice's language."`
	Preview bool   `help:"Only print what the correction would be. Nothing is stored."`
}

// lineChange is the right amount of a line, as LINE=AMOUNT.
type lineChange struct {
	line   string
	amount decimal.Decimal
}

// UnmarshalText reads a change.
func (l *lineChange) UnmarshalText(text []byte) error {
	line, amount, ok := strings.Cut(string(text), "=")
	value, err := decimal.NewFromString(amount)
	if !ok || err != nil || line == "" {
		return fmt.Errorf("%q is no change of a line, want LINE=AMOUNT, for example 3=0", text)
	}
	*l = lineChange{line, value}
	return nil
}

type invoiceCancelCmd struct {
	issuedRef
	Again bool `help:"Bill what was on it again, on the next draft. Without it the sessions are waived."`
}

// Run cancels.
func (c invoiceCancelCmd) Run(o *outside) error {
	return c.correct(o, jobs.Correction{Again: c.Again, Reason: c.Reason})
}

type invoiceCorrectCmd struct {
	issuedRef
	Line []lineChange `required:"" help:"Right amount of a whole line, as the invoice shows it (with VAT for consumers); 0 takes it back." placeholder:"LINE=AMOUNT"`
}

// Run corrects.
func (c invoiceCorrectCmd) Run(o *outside) error {
	what := jobs.Correction{Reason: c.Reason}
	for _, l := range c.Line {
		what.Changes = append(what.Changes, billing.Change{Line: l.line, Amount: l.amount, Reason: c.Reason})
	}
	return c.correct(o, what)
}

// correct issues the correction, or shows it.
func (c issuedRef) correct(o *outside, what jobs.Correction) error {
	return admin(o, func(a *app) (any, error) {
		tenant, invoice, err := c.find(o, a)
		if err != nil {
			return nil, err
		}
		id, number := uuid.Nil, ""
		doc, err := a.ops().PreviewCorrection(o.ctx, a.db.Queries, tenant.ID, invoice.ID, what)
		if err == nil && !c.Preview {
			id, number, err = a.ops().CorrectInvoice(o.ctx, tenant.ID, invoice.ID, what)
		}
		if err != nil {
			return nil, err
		}
		result := listedCorrection(c.Number, doc)
		if !c.Preview {
			result["id"], result["number"] = id, number
		}
		return result, nil
	})
}

// find is the invoice that is meant.
func (c issuedRef) find(o *outside, a *app) (db.Tenant, db.Invoice, error) {
	tenant, err := a.tenant(o, c.Tenant)
	if err != nil {
		return tenant, db.Invoice{}, err
	}
	invoice, err := a.db.InvoiceByNumber(o.ctx, db.InvoiceByNumberParams{TenantID: tenant.ID, Number: &c.Number})
	if errors.Is(err, db.ErrNotFound) {
		err = fmt.Errorf("%s has no invoice %s", c.Tenant, c.Number)
	}
	return tenant, invoice, err
}

// listedCorrection is a document about another one as commands print it.
func listedCorrection(of string, doc billing.Invoice) map[string]any {
	lines := make([]map[string]any, len(doc.Lines))
	for i, l := range doc.Lines {
		lines[i] = map[string]any{"name": l.Name, "net": money(l.Net), "gross": money(l.Gross)}
	}
	return map[string]any{"corrects": of, "type": doc.Type, "net": money(doc.Net), "vat": money(doc.VATTotal), "gross": money(doc.Gross), "currency": doc.Currency, "lines": lines}
}

type invoiceCreditCmd struct {
	issuedRef
	Amount  *decimal.Decimal `help:"Amount, as the invoice shows amounts (with VAT for consumers)." xor:"how"`
	Percent *decimal.Decimal `help:"Percent of what is left of the invoice, or of its lines." xor:"how"`
	Line    []string         `help:"Only of these lines." placeholder:"LINE"`
	Payout  bool             `help:"Pay it to the customer's account. Without it, it is set off against invoices."`
	IBAN    string           `name:"iban" help:"Account of a payout (default: that of the mandate)."`
	Holder  string           `help:"Holder of that account (default: the customer)."`
}

// Run gives back, or shows what that would be. Whoever runs the platform needs no second person.
func (c invoiceCreditCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, invoice, err := c.find(o, a)
		if err != nil {
			return nil, err
		}
		what := jobs.Credit{Amount: given(c.Amount), Percent: given(c.Percent), Lines: c.Line, Reason: c.Reason, Payout: c.Payout, IBAN: c.IBAN, Holder: c.Holder}
		doc, err := a.ops().PreviewCredit(o.ctx, a.db.Queries, tenant.ID, invoice.ID, what)
		if err != nil {
			return nil, err
		}
		result := listedCorrection(c.Number, doc)
		if c.Preview {
			return result, nil
		}
		result["id"], result["number"], err = a.ops().CreditInvoice(o.ctx, tenant.ID, invoice.ID, what)
		return result, err
	})
}

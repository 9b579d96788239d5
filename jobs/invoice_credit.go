package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jacoelho/banking/iban"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// Credit is what a person wants to give back of an issued invoice (§ 17 UStG): goodwill, say. VAT follows the lines.
type Credit struct {
	Amount  decimal.NullDecimal // as the invoice shows amounts: with VAT for consumers
	Percent decimal.NullDecimal // instead: of what is left of the invoice or of its lines
	Lines   []string            // ids of lines; none: all of the invoice
	Reason  string              // for the customer, in the document's language

	Payout bool   // to the customer's account; without it, it is set off against his invoices
	IBAN   string // of a payout; empty: the account of the mandate
	Holder string // of that account; empty: the customer
}

// creditRequest is a Credit as it is kept with its draft, whose changes say how much of each line.
type creditRequest struct {
	Whole, Payout  bool
	Reason, Holder string
	IBANSealed     []byte
}

// CreditLeft is what is left of an invoice that can be given back.
type CreditLeft struct {
	Lines []billing.Change // of each line: the amount, as promised
	Total decimal.Decimal  // at most, of all of them: less than their sum if the invoice has taken something back
}

// crediting is the making of one credit note.
type crediting struct {
	*Ops
	q        *db.Queries
	original db.Invoice
	inv      billing.Invoice // as it was issued
	tenant   db.Tenant
	left     CreditLeft
}

// CreditLeft says what is left of an issued invoice.
//
// Its error is a *Refusal if nothing of it can be given back.
func (o *Ops) CreditLeft(ctx context.Context, q *db.Queries, tenant, id uuid.UUID) (CreditLeft, error) {
	c, err := o.crediting(ctx, q, tenant, id)
	if err != nil {
		return CreditLeft{}, err
	}
	return c.left, nil
}

// PreviewCredit is the document that CreditInvoice would issue.
//
// Its error is a *Refusal or a *billing.DraftError if that cannot be given back.
func (o *Ops) PreviewCredit(ctx context.Context, q *db.Queries, tenant, id uuid.UUID, what Credit) (billing.Invoice, error) {
	c, err := o.crediting(ctx, q, tenant, id)
	if err != nil {
		return billing.Invoice{}, err
	}
	by, request, err := c.read(id, what)
	if err != nil {
		return billing.Invoice{}, err
	}
	doc, _, err := c.document(ctx, id, by, request)
	return doc, err
}

// CreditInvoice gives something of an issued invoice back, by a credit note that refers to it. Above the utility's limit it waits for
// a second person: then it has no number yet (ApproveInvoice, DropCredit). Whoever has no name, as the command line, needs nobody.
func (o *Ops) CreditInvoice(ctx context.Context, tenant, id uuid.UUID, what Credit) (credit uuid.UUID, number string, err error) {
	credit = uuid.Must(uuid.NewV7())
	err = retryDeadlock(func() error {
		return o.DB.Tx(ctx, func(q *db.Queries) error {
			c, err := o.lockCredited(ctx, q, tenant, id)
			if err != nil {
				return err
			}
			by, request, err := c.read(credit, what)
			if err != nil {
				return err
			}
			doc, _, err := c.document(ctx, credit, by, request)
			if err != nil {
				return err
			}
			net, vat, gross := doc.Owed()
			err = q.InsertCredit(ctx, db.InsertCreditParams{
				ID: credit, CorrectsID: id, Changes: frozen(by), Request: frozen(request), Net: net, VAT: vat, Gross: gross, Items: int32(len(by)), DraftedBy: staffOf(ctx), Now: o.Now(),
			})
			if err != nil {
				return fmt.Errorf("insert credit note: %w", err)
			}
			policy, err := BillingPolicyOf(ctx, q, tenant)
			if err != nil {
				return err
			}
			if staffOf(ctx).Valid && doc.Gross.GreaterThan(policy.CreditLimit) {
				return event(ctx, q, o.Now(), tenant, "invoice", id, "credit-proposed", map[string]string{"amount": doc.Gross.StringFixed(2), "reason": what.Reason})
			}
			number, err = c.issue(ctx, credit, uuid.NullUUID{})
			return err
		})
	})
	if err != nil {
		return uuid.Nil, "", err
	}
	if number != "" {
		o.Bell.Ring(ctx, InvoiceRender, credit)
	}
	return credit, number, nil
}

// approveCredit issues a credit note that waits for a second person.
func (o *Ops) approveCredit(ctx context.Context, tenant uuid.UUID, row db.Invoice) error {
	err := retryDeadlock(func() error {
		return o.DB.Tx(ctx, func(q *db.Queries) error {
			c, err := o.lockCredited(ctx, q, tenant, row.CorrectsID.UUID)
			if err != nil {
				return err
			}
			again, err := q.LockInvoice(ctx, row.ID)
			if errors.Is(err, db.ErrNotFound) || err == nil && again.State != "draft" {
				return refuse("no-draft")
			} else if err != nil {
				return err
			}
			_, err = c.issue(ctx, row.ID, staffOf(ctx))
			return err
		})
	})
	if err == nil {
		o.Bell.Ring(ctx, InvoiceRender, row.ID)
	}
	return err
}

// DropCredit takes back what somebody wanted to give back and nobody has approved.
func (o *Ops) DropCredit(ctx context.Context, tenant, credit uuid.UUID) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		row, err := q.LockInvoice(ctx, credit)
		if err != nil {
			return err
		}
		if row.TenantID != tenant {
			return db.ErrNotFound
		}
		n, err := q.DropCredit(ctx, db.DropCreditParams{ID: credit, TenantID: tenant})
		if err != nil {
			return fmt.Errorf("drop credit note: %w", err)
		}
		if n == 0 {
			return refuse("no-draft")
		}
		return event(ctx, q, o.Now(), tenant, "invoice", row.CorrectsID.UUID, "credit-dropped", map[string]string{"amount": row.Gross.Neg().StringFixed(2)})
	})
}

// lockCredited reads an invoice that nobody else gives anything back of meanwhile.
func (o *Ops) lockCredited(ctx context.Context, q *db.Queries, tenant, id uuid.UUID) (*crediting, error) {
	if err := q.LockCDRsOfInvoice(ctx, uuid.NullUUID{UUID: id, Valid: true}); err != nil {
		return nil, fmt.Errorf("lock CDRs: %w", err)
	}
	if _, err := q.LockInvoice(ctx, id); err != nil {
		return nil, err
	}
	return o.crediting(ctx, q, tenant, id)
}

func (o *Ops) crediting(ctx context.Context, q *db.Queries, tenant, id uuid.UUID) (*crediting, error) {
	c := &crediting{Ops: o, q: q}
	var err error
	if c.original, err = q.Invoice(ctx, id); err != nil {
		return nil, err
	}
	switch {
	case c.original.TenantID != tenant:
		return nil, db.ErrNotFound
	case c.original.State != "issued" || c.original.Type != string(billing.DocumentInvoice):
		return nil, refuse("not-creditable")
	}
	if err := json.Unmarshal(c.original.Doc, &c.inv); err != nil {
		return nil, fmt.Errorf("read invoice %s: %w", *c.original.Number, err)
	}
	if c.tenant, err = q.Tenant(ctx, tenant); err != nil {
		return nil, fmt.Errorf("tenant: %w", err)
	}
	return c, c.readLeft(ctx)
}

// readLeft finds what is left of each line: what it charged, less what corrections, credit notes and items that take something back
// have made of it.
func (c *crediting) readLeft(ctx context.Context) error {
	gone, err := c.takenBack(ctx)
	if err != nil {
		return err
	}
	at := map[string]int{}
	for _, l := range c.inv.FullList() {
		amount := l.Net
		if c.inv.GrossExact {
			amount = l.Gross
		}
		if l.Session != nil && gone[l.Session.CDRID] {
			amount = decimal.Min(amount, decimal.Zero)
		}
		c.left.Total = c.left.Total.Add(amount)
		if amount.IsPositive() {
			at[l.ID] = len(c.left.Lines)
			c.left.Lines = append(c.left.Lines, billing.Change{Line: l.ID, Amount: amount})
		}
	}
	related, err := c.q.RelatedInvoices(ctx, uuid.NullUUID{UUID: c.original.ID, Valid: true})
	if err != nil {
		return fmt.Errorf("earlier documents: %w", err)
	}
	for _, r := range related {
		var changes []billing.Change
		if err := json.Unmarshal(r.Changes, &changes); err != nil {
			return fmt.Errorf("changes of %s: %w", *r.Number, err)
		}
		if r.Cancels {
			return refuse("cancelled")
		}
		for _, change := range changes {
			i, ok := at[change.Line]
			if !ok {
				continue
			}
			line := &c.left.Lines[i]
			before := line.Amount
			if r.Type == string(billing.DocumentCreditNote) {
				line.Amount = decimal.Max(line.Amount.Sub(change.Amount), decimal.Zero)
			} else { // a correction says what is right
				line.Amount = change.Amount
			}
			c.left.Total = c.left.Total.Add(line.Amount).Sub(before)
		}
	}
	c.left.Lines = slices.DeleteFunc(c.left.Lines, func(l billing.Change) bool { return !l.Amount.IsPositive() })
	if c.left.Total = decimal.Max(c.left.Total, decimal.Zero); !c.left.Total.IsPositive() {
		return refuse("credit-nothing-left")
	}
	return nil
}

// takenBack are the CDRs of the invoice of which items have been taken back: by a credit CDR, or because they were priced anew.
func (c *crediting) takenBack(ctx context.Context) (map[string]bool, error) {
	mirrors, err := c.q.MirrorsOfInvoice(ctx, c.original.ID)
	if err != nil {
		return nil, fmt.Errorf("what was taken back: %w", err)
	}
	cdrs, err := c.q.InvoiceCDRs(ctx, uuid.NullUUID{UUID: c.original.ID, Valid: true})
	if err != nil {
		return nil, fmt.Errorf("CDRs: %w", err)
	}
	gone := map[string]bool{}
	for _, cdr := range cdrs {
		gone[cdr.OCPIID] = slices.ContainsFunc(mirrors, func(m db.MirrorsOfInvoiceRow) bool { return m.CDRID.UUID == cdr.CDRID })
	}
	return gone, nil
}

// read checks what a person wants and shares it over the lines.
func (c *crediting) read(id uuid.UUID, what Credit) (by []billing.Change, r creditRequest, err error) {
	r = creditRequest{Whole: len(what.Lines) == 0, Payout: what.Payout, Reason: strings.TrimSpace(what.Reason), Holder: strings.TrimSpace(what.Holder)}
	if r.Reason == "" {
		return nil, r, refuse("no-reason")
	}
	from, most := c.left.Lines, c.left.Total
	if !r.Whole {
		from, most = nil, decimal.Zero
		for _, line := range what.Lines {
			at := slices.IndexFunc(c.left.Lines, func(l billing.Change) bool { return l.Line == line })
			if at < 0 || slices.ContainsFunc(from, func(l billing.Change) bool { return l.Line == line }) {
				return nil, r, refuse("credit-line")
			}
			from, most = append(from, c.left.Lines[at]), most.Add(c.left.Lines[at].Amount)
		}
		most = decimal.Min(most, c.left.Total)
	}
	amount := what.Amount.Decimal
	switch {
	case what.Amount.Valid == what.Percent.Valid:
		return nil, r, refuse("credit-amount")
	case what.Percent.Valid && (!what.Percent.Decimal.IsPositive() || what.Percent.Decimal.GreaterThan(decimal.NewFromInt(100))):
		return nil, r, refuse("credit-percent")
	case what.Percent.Valid:
		amount = billing.RoundCurrency(most.Mul(what.Percent.Decimal).Shift(-2), c.inv.Currency)
	}
	switch {
	case !amount.IsPositive() || !amount.Equal(amount.Truncate(2)):
		return nil, r, refuse("credit-amount")
	case amount.GreaterThan(most):
		return nil, r, refuse("credit-left")
	}
	if account := billing.Tidy("payment.iban", what.IBAN); what.Payout && account != "" {
		if iban.Validate(account) != nil {
			return nil, r, refuse("iban")
		}
		r.IBANSealed = c.Box.Seal(creditLabel(id), account)
	}
	return billing.ShareReduction(from, amount), r, nil
}

// creditLabel binds a sealed IBAN to its credit note.
func creditLabel(id uuid.UUID) string { return "credit/" + id.String() }

// document is the credit note without its number, and each of its lines as a part of the original's.
func (c *crediting) document(ctx context.Context, id uuid.UUID, by []billing.Change, r creditRequest) (doc billing.Invoice, lines []billing.InvoiceLine, err error) {
	sum := decimal.Zero
	for _, b := range by { // what was left when it was asked for may be gone
		sum = sum.Add(b.Amount)
		if !slices.ContainsFunc(c.left.Lines, func(l billing.Change) bool { return l.Line == b.Line && l.Amount.GreaterThanOrEqual(b.Amount) }) {
			return doc, nil, refuse("credit-left")
		}
	}
	if sum.GreaterThan(c.left.Total) { // lines that took something back count, too
		return doc, nil, refuse("credit-left")
	}
	zone, err := time.LoadLocation(c.tenant.TimeZone)
	if err != nil {
		return doc, nil, fmt.Errorf("time zone of %s: %w", c.tenant.Name, err)
	}
	date, due := dates(c.Now(), zone, c.tenant.PaymentDays)
	payment, err := c.payment(ctx, id, r)
	if err != nil {
		return doc, nil, err
	}
	draft := func(whole bool) (billing.Invoice, error) {
		d := c.inv.Reduce(date, due, by, r.Reason, whole)
		d.Payment = payment
		return d.Invoice()
	}
	each, err := draft(false)
	if err != nil || !r.Whole {
		return each, each.Lines, err
	}
	if doc, err = draft(true); err != nil {
		return doc, nil, err
	}
	doc.Detail = each.Lines
	return doc, each.Lines, nil
}

// payment is how the customer gets the amount.
func (c *crediting) payment(ctx context.Context, id uuid.UUID, r creditRequest) (billing.Payment, error) {
	if !r.Payout {
		return billing.Payment{Means: billing.PaymentOffset}, nil
	}
	p := billing.Payment{Means: billing.PaymentTransfer, AccountName: r.Holder}
	if p.AccountName == "" {
		p.AccountName = c.inv.Customer.Name
	}
	if len(r.IBANSealed) > 0 {
		account, err := c.Box.Open(creditLabel(id), r.IBANSealed)
		if err != nil {
			return p, fmt.Errorf("IBAN of credit note: %w", err)
		}
		p.IBAN = account
		return p, nil
	}
	mandate, err := c.q.ActiveMandate(ctx, recipientID(c.original))
	if errors.Is(err, db.ErrNotFound) {
		return p, refuse("credit-account")
	} else if err != nil {
		return p, fmt.Errorf("mandate: %w", err)
	}
	if p.IBAN, err = c.Box.Open(mandateLabel(mandate.ID), mandate.IBANSealed); err != nil {
		return p, fmt.Errorf("IBAN of mandate %s: %w", mandate.Reference, err)
	}
	p.AccountName = mandate.Holder
	return p, nil
}

// issue approves the draft of a credit note, books each of its lines beside what the session's rating says, and freezes it.
func (c *crediting) issue(ctx context.Context, id uuid.UUID, second uuid.NullUUID) (number string, err error) {
	row, err := c.q.LockInvoice(ctx, id)
	if err != nil {
		return "", err
	}
	by, r, err := requested(row)
	if err != nil {
		return "", err
	}
	doc, lines, err := c.document(ctx, id, by, r)
	if err != nil {
		return "", err
	}
	now := c.Now()
	if err := c.q.ApproveCredit(ctx, db.ApproveCreditParams{ID: id, ApprovedBy: second, Approver: actor(ctx), Now: now}); err != nil {
		return "", fmt.Errorf("approve credit note: %w", err)
	}
	if err := c.book(ctx, id, by, lines, now); err != nil {
		return "", err
	}
	if number, err = c.finalise(ctx, c.q, c.tenant, row, &doc); err != nil {
		return "", err
	}
	return number, event(ctx, c.q, now, c.tenant.ID, "invoice", c.original.ID, "credited", map[string]string{"by": number, "reason": r.Reason})
}

// requested is what was asked for when the draft of a credit note was made.
func requested(row db.Invoice) (by []billing.Change, r creditRequest, err error) {
	if err := unfreeze(row.Changes, &by); err != nil {
		return nil, r, fmt.Errorf("changes of credit note %s: %w", row.ID, err)
	}
	if err := unfreeze(row.Request, &r); err != nil {
		return nil, r, fmt.Errorf("request of credit note %s: %w", row.ID, err)
	}
	return by, r, nil
}

// previewCredit is the document that a draft of a credit note would be now.
func (o *Ops) previewCredit(ctx context.Context, q *db.Queries, row db.Invoice) (billing.Invoice, error) {
	c, err := o.crediting(ctx, q, row.TenantID, row.CorrectsID.UUID)
	if err != nil {
		return billing.Invoice{}, err
	}
	by, r, err := requested(row)
	if err != nil {
		return billing.Invoice{}, err
	}
	doc, _, err := c.document(ctx, row.ID, by, r)
	return doc, err
}

// book writes what each line of the original is reduced by: the ledger says what the customer owes, so it is negative.
func (c *crediting) book(ctx context.Context, id uuid.UUID, by []billing.Change, lines []billing.InvoiceLine, now time.Time) error {
	key := uuid.NullUUID{UUID: c.original.ID, Valid: true}
	cdrs, err := c.q.InvoiceCDRs(ctx, key)
	if err != nil {
		return fmt.Errorf("CDRs: %w", err)
	}
	items, err := c.q.ItemsOfInvoice(ctx, key)
	if err != nil {
		return fmt.Errorf("items: %w", err)
	}
	full := c.inv.FullList()
	for i, l := range lines {
		of := full[slices.IndexFunc(full, func(o billing.InvoiceLine) bool { return o.ID == by[i].Line })]
		p := db.InsertAdjustmentParams{
			ID: uuid.Must(uuid.NewV7()), CreatedAt: now, TenantID: c.tenant.ID, CustomerID: c.original.CustomerID, Position: -int32(i + 1), Quantity: l.Quantity.Neg(), Unit: string(l.Unit),
			UnitPrice: l.Price, TaxIncluded: c.inv.GrossExact, VATCategory: string(l.VATCategory), VATRate: l.VATRate, Net: l.Net.Neg(), Gross: l.Gross.Neg(), Currency: c.inv.Currency,
			ServiceStart: of.Period.Start, ServiceEnd: of.Period.End, InvoiceID: uuid.NullUUID{UUID: id, Valid: true},
		}
		if of.Session != nil {
			at := slices.IndexFunc(cdrs, func(r db.InvoiceCDRsRow) bool { return r.OCPIID == of.Session.CDRID })
			if at < 0 {
				return errors.New("the session of line " + of.ID + " is unknown")
			}
			p.CDRID = uuid.NullUUID{UUID: cdrs[at].CDRID, Valid: true}
			if item := slices.IndexFunc(items, func(i db.LineItem) bool { return i.CDRID == p.CDRID }); item >= 0 {
				p.ContractID = items[item].ContractID
			}
		}
		if err := c.q.InsertAdjustment(ctx, p); err != nil {
			return fmt.Errorf("book line %s of the credit note: %w", l.ID, err)
		}
	}
	return nil
}

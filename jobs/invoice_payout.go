package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// turned makes the draft of what a customer owes the document that it is. What the utility owes by agreements is a self-billed
// document, payable to the account that the payee has named last. What comes to less than nothing is no invoice but a credit note
// (§ 17(2) no. 3 UStG): paid to the account that the mandate names, or set off. Both show what is in the customer's favour, so
// amounts change their sign.
func (o *Ops) turned(ctx context.Context, q *db.Queries, doc *billing.Draft, kind string, payee uuid.UUID, holder string) error {
	owed := decimal.Zero
	for _, l := range doc.Lines {
		owed = owed.Add(l.Amount)
	}
	switch {
	case kind == string(billing.DocumentSelfBilled):
		if err := o.selfBill(ctx, q, doc, payee); err != nil {
			return err
		}
	case owed.IsNegative():
		doc.Type = billing.DocumentCreditNote
		payBack(doc, holder)
	default:
		return nil
	}
	for i := range doc.Lines {
		l := &doc.Lines[i]
		l.Amount = l.Amount.Neg()
	}
	return nil
}

// selfBill makes a draft out in the name of a payee.
func (o *Ops) selfBill(ctx context.Context, q *db.Queries, doc *billing.Draft, payee uuid.UUID) error {
	doc.Type = billing.DocumentSelfBilled
	agreed, err := q.PayeeAccount(ctx, payee)
	if errors.Is(err, db.ErrNotFound) {
		doc.Payment = billing.Payment{Means: billing.PaymentTransfer}
		return nil // the account is missing, as the draft will say
	} else if err != nil {
		return fmt.Errorf("account of the payee: %w", err)
	}
	iban, err := o.Box.Open(reimbursementLabel(agreed.ID), agreed.IBANSealed)
	if err != nil {
		return fmt.Errorf("IBAN of agreement %s: %w", agreed.ID, err)
	}
	doc.Payment = billing.Payment{Means: billing.PaymentTransfer, AccountName: agreed.Holder, IBAN: iban}
	doc.Customer.Phone = agreed.Phone
	if doc.Customer.VATID == "" {
		doc.Customer.TaxNumber = agreed.TaxNumber
	}
	for i := range doc.Lines {
		doc.Lines[i].VAT.Reason = payeeReason(doc.Lines[i].VAT.Category, doc.Language)
	}
	return nil
}

// payeeReason is why a line of a self-billed document shows no VAT.
func payeeReason(category billing.VATCategory, lang string) string {
	switch category {
	case billing.VATOutside:
		return billing.PayeeOutside.Reason(lang)
	case billing.VATExempt:
		return billing.PayeeExempt.Reason(lang)
	}
	return ""
}

// payBack has the amount of a document paid to the account from which the customer pays, or set off where that is not known.
func payBack(doc *billing.Draft, holder string) {
	if p := doc.Payment; p.Means == billing.PaymentDirectDebit {
		doc.Payment = billing.Payment{Means: billing.PaymentTransfer, AccountName: holder, IBAN: p.DebtorIBAN}
		return
	}
	doc.Payment = billing.Payment{Means: billing.PaymentOffset}
}

// reimbursementLabel binds a sealed IBAN to its agreement.
func reimbursementLabel(id uuid.UUID) string { return "reimbursement/" + id.String() }

package wording

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// Title names a document: "Rechnung SWX-2026-000123".
func (t Texts) Title(inv billing.Invoice) string {
	return t.Kinds[inv.Type].Title + " " + cmp.Or(inv.Number, "("+t.Draft+")")
}

// Span is the first and the last day of the invoice's period.
func (t Texts) Span(inv billing.Invoice) (start, end string) {
	zone, last := inv.Supplier.Location(), inv.Period.End
	if last.After(inv.Period.Start) {
		last = last.Add(-time.Nanosecond)
	}
	return t.Day(inv.Period.Start.In(zone)), t.Day(last.In(zone))
}

// Times is the time of day at which a session began and ended.
func (t Texts) Times(s *billing.LineSession, zone *time.Location) string {
	return s.Start.In(zone).Format("15:04") + NBSP + t.To + NBSP + s.End.In(zone).Format("15:04") + t.TimeSuffix
}

// Sessions counts the sessions of the invoice and their energy.
func Sessions(inv billing.Invoice) (int64, decimal.Decimal) {
	count, kwh := int64(0), decimal.Zero
	for _, line := range inv.FullList() {
		if line.Session != nil {
			count, kwh = count+1, kwh.Add(Energy(line))
		}
	}
	return count, kwh
}

// Energy is what a line bills of its session, negative if it takes the session back.
func Energy(line billing.InvoiceLine) decimal.Decimal {
	if line.Net.IsNegative() {
		return line.Session.KWh.Neg()
	}
	return line.Session.KWh
}

// Shown is the amount of a line that the customer was promised.
func Shown(inv billing.Invoice, line billing.InvoiceLine) decimal.Decimal {
	if inv.GrossExact {
		return line.Gross
	}
	return line.Net
}

// LinesHeading heads lines of one kind: their own heading, or what lines of such a document are.
func (t Texts) LinesHeading(inv billing.Invoice, first billing.InvoiceLine) string {
	switch session := first.Session != nil; {
	case first.Heading != "":
		return first.Heading
	case session && (inv.Type == billing.DocumentSelfBilled || inv.SelfBilled):
		return t.SuppliedHeading
	case session:
		return t.SessionsHeading
	case inv.Type == billing.DocumentCreditNote:
		return t.ReducedHeading
	}
	return t.OtherHeading
}

// AmountTitle heads the column of the lines' amounts.
func (t Texts) AmountTitle(inv billing.Invoice) string {
	if inv.GrossExact {
		return fmt.Sprintf(t.AmountGross, inv.Currency)
	}
	return fmt.Sprintf(t.AmountNet, inv.Currency)
}

// PricesNote says whether the lines' amounts include VAT.
func (t Texts) PricesNote(inv billing.Invoice) string {
	if inv.GrossExact {
		return t.PricesGross
	}
	return t.PricesNet
}

// Greeting begins the letter.
func (t Texts) Greeting(c billing.Customer) string {
	if c.Contact == "" {
		return fmt.Sprintf(t.GreetingName, c.Name)
	}
	return t.GreetingNobody
}

// Introduction is the first sentence of a document.
func (t Texts) Introduction(inv billing.Invoice) string {
	start, end := t.Span(inv)
	count, kwh := Sessions(inv)
	charged := t.Decimal(kwh, 3) + NBSP + "kWh"
	many := t.Decimal(decimal.NewFromInt(count), 0)
	switch p := inv.Preceding; {
	case inv.Type == billing.DocumentCreditNote && p == nil:
		return t.IntroCreditNote
	case inv.Type == billing.DocumentCreditNote:
		return fmt.Sprintf(t.IntroCreditNoteOf, p.Number, t.Day(p.Date))
	case inv.Type == billing.DocumentSelfBilled && count == 0:
		return fmt.Sprintf(t.IntroSelfOther, start, end)
	case inv.Type == billing.DocumentSelfBilled && count == 1:
		return fmt.Sprintf(t.IntroSelfOne, charged, start, end)
	case inv.Type == billing.DocumentSelfBilled:
		return fmt.Sprintf(t.IntroSelfBilled, many, charged, start, end)
	case p != nil && inv.SelfBilled:
		return fmt.Sprintf(t.IntroSelfFix, p.Number, t.Day(p.Date))
	case p != nil && p.Date.IsZero():
		return fmt.Sprintf(t.IntroReference, p.Number)
	case p != nil:
		return fmt.Sprintf(t.IntroCorrection, p.Number, t.Day(p.Date))
	case count == 0:
		return fmt.Sprintf(t.IntroOther, start, end)
	case count == 1:
		return fmt.Sprintf(t.IntroOneSession, charged, start, end)
	}
	return fmt.Sprintf(t.IntroSessions, many, charged, start, end)
}

// SessionCount says how many sessions a document is about.
func (t Texts) SessionCount(count int64) string {
	switch count {
	case 0:
		return t.NoSession
	case 1:
		return t.OneSession
	}
	return fmt.Sprintf(t.SeveralSessions, t.Decimal(decimal.NewFromInt(count), 0))
}

// VATName says what a line of the VAT table is about.
func (t Texts) VATName(v billing.VATLine) string {
	switch v.Category {
	case billing.VATReverseCharge:
		return t.ReverseCharge
	case billing.VATExempt:
		return t.Exempt
	case billing.VATZero:
		return t.ZeroRated
	case billing.VATOutside:
		return t.Outside
	}
	return fmt.Sprintf(t.VATAt, t.Decimal(v.Rate, 0))
}

// DueName says what the amount due is.
func (t Texts) DueName(inv billing.Invoice) string {
	switch {
	case inv.Pays() && inv.Due.IsNegative():
		return t.ToReclaim
	case inv.Pays() || inv.Due.IsNegative():
		return t.ToRefund
	}
	return t.ToPay
}

// PaymentBrief says in a few words how and when the document is paid: a label, what stands out, and what explains it.
func (t Texts) PaymentBrief(inv billing.Invoice) [3]string {
	due := t.Money(inv.Due, inv.Currency)
	switch {
	case inv.Pays() && inv.Due.IsNegative():
		return [3]string{t.ToReclaim, t.Money(inv.Due.Neg(), inv.Currency), t.PanelOffset}
	case inv.Payment.Means == billing.PaymentOffset:
		return [3]string{t.DueName(inv), due, t.PanelOffset}
	case inv.Due.IsNegative():
		return [3]string{t.ToRefund, t.Money(inv.Due.Neg(), inv.Currency), t.PanelRefund}
	case inv.Due.IsZero():
		return [3]string{t.ToPay, due, t.PanelSettled}
	case inv.DueDate.IsZero():
		return [3]string{t.ToPay, due, ""}
	case inv.Pays():
		return [3]string{t.PanelPayout, t.Day(inv.DueDate), due}
	}
	name := map[billing.PaymentMeans]string{
		billing.PaymentTransfer:    t.PanelTransfer,
		billing.PaymentDirectDebit: t.PanelDebit,
		billing.PaymentCard:        t.PanelCard,
	}[inv.Payment.Means]
	return [3]string{name, t.Day(inv.DueDate), due}
}

// Payment says how the amount is paid, in the words of the means of payment.
func (t Texts) Payment(inv billing.Invoice) []string {
	p, due := inv.Payment, inv.Due
	amount := t.Money(due.Abs(), inv.Currency)
	// dated fills the sentence with the day, or the one without if nothing falls due.
	dated := func(with, without string, rest ...any) string {
		if inv.DueDate.IsZero() {
			return fmt.Sprintf(without, append([]any{amount}, rest...)...)
		}
		return fmt.Sprintf(with, append([]any{amount, t.Day(inv.DueDate)}, rest...)...)
	}
	switch {
	case inv.Pays() && due.IsNegative():
		return []string{fmt.Sprintf(t.OffsetPayee, amount)}
	case p.Means == billing.PaymentOffset:
		return []string{fmt.Sprintf(t.Offset, amount)}
	case inv.Pays() && due.IsPositive():
		return []string{dated(t.Payout, t.PayoutAnytime, Masked(p.IBAN))}
	case due.IsNegative():
		return []string{fmt.Sprintf(t.Refund, amount)}
	case due.IsZero() && inv.Paid.IsZero():
		return []string{t.Nothing}
	case due.IsZero():
		return []string{t.Settled}
	case p.Means == billing.PaymentTransfer:
		return []string{dated(t.Transfer, t.TransferAnytime)}
	case p.Means == billing.PaymentDirectDebit:
		return []string{dated(t.Debit, t.DebitAnytime, Masked(p.DebtorIBAN)), fmt.Sprintf(t.Mandate, p.MandateReference, p.CreditorID)}
	case p.Means == billing.PaymentCard:
		return []string{dated(t.Card, t.CardAnytime, p.CardLast4)}
	}
	return nil
}

// ByTransfer reports whether the customer has to transfer the amount, and needs the account for it.
func ByTransfer(inv billing.Invoice) bool {
	return inv.Due.IsPositive() && inv.Payment.Means == billing.PaymentTransfer && !inv.Pays()
}

// Masked hides the middle of an IBAN: an invoice passes through many hands.
func Masked(account string) string {
	account = strings.ReplaceAll(account, " ", "")
	if len(account) < 12 {
		return account
	}
	return account[:4] + NBSP + "····" + NBSP + account[len(account)-4:]
}

package pdf

import (
	"errors"
	"fmt"

	"github.com/jacoelho/banking/iban"

	"github.com/roamwerk/roamwerk/billing"
)

// payment says how the amount is paid, in the words of the means of payment.
func (l *letter) payment() error {
	p, due := l.inv.Payment, l.inv.Due
	amount, day := l.money(due.Abs()), ""
	if !l.inv.DueDate.IsZero() {
		day = l.t.day(l.inv.DueDate)
	}
	keep := body.lead*2 + mm(1)
	if due.IsPositive() && p.Means == billing.PaymentTransfer {
		keep = body.lead*2 + giroSize + mm(8)
	}
	l.heading(l.t.paymentHeading, keep)
	switch {
	case due.IsNegative():
		l.text("P", body, fmt.Sprintf(l.t.refund, amount), mm(2))
	case due.IsZero() && l.inv.Paid.IsZero():
		l.text("P", body, l.t.nothing, mm(2))
	case due.IsZero():
		l.text("P", body, l.t.settled, mm(2))
	case p.Means == billing.PaymentTransfer:
		if err := l.transfer(amount, day); err != nil {
			return err
		}
	case p.Means == billing.PaymentDirectDebit:
		text := fmt.Sprintf(l.t.debitAnytime, amount, masked(p.DebtorIBAN))
		if day != "" {
			text = fmt.Sprintf(l.t.debit, amount, day, masked(p.DebtorIBAN))
		}
		l.text("P", body, text, mm(1))
		l.text("P", body, fmt.Sprintf(l.t.mandate, p.MandateReference, p.CreditorID), mm(2))
	case p.Means == billing.PaymentCard:
		text := fmt.Sprintf(l.t.cardAnytime, amount, p.CardLast4)
		if day != "" {
			text = fmt.Sprintf(l.t.card, amount, day, p.CardLast4)
		}
		l.text("P", body, text, mm(2))
	}
	if p.Terms != "" {
		l.text("P", body, p.Terms, mm(2))
	}
	return nil
}

// transfer prints the payment data in plain text, with the GiroCode beside it where it can be made.
func (l *letter) transfer(amount, day string) error {
	p := l.inv.Payment
	text := fmt.Sprintf(l.t.transferAnytime, amount)
	if day != "" {
		text = fmt.Sprintf(l.t.transfer, amount, day)
	}
	l.text("P", body, text, mm(2.5))
	top, y := l.y, l.y
	l.facts(&y, marginLeft, mm(34), mm(86), [][2]string{
		{l.t.payee, p.AccountName},
		{"IBAN", iban.PaperFormat(compact(p.IBAN))},
		{l.t.bank, p.BIC},
		{l.t.amount, amount},
		{l.t.purpose, l.inv.Number},
	})
	code, err := giroCode(l.inv)
	switch {
	case errors.Is(err, errNoGiroCode) || l.inv.Number == "":
		l.y = y + mm(2)
		return nil
	case err != nil:
		return err
	}
	x := marginLeft + textWidth - giroSize
	l.figure(fmt.Sprintf(l.t.giroAlt, amount, p.AccountName), x, top, giroSize, giroSize, func() { l.s.drawCode(code, x, top, giroSize) })
	caption := block{l.fonts.set(fine, mm(60), l.t.giroCode)}
	l.leaf(l.root, "P", caption, x+giroSize-mm(60), top+giroSize+mm(1), mm(60), right)
	l.y = max(y, top+giroSize+mm(1)+caption.height()) + mm(2)
	return nil
}

// masked hides the middle of an IBAN: an invoice passes through many hands.
func masked(account string) string {
	account = compact(account)
	if len(account) < 12 {
		return account
	}
	return account[:4] + nbsp + "····" + nbsp + account[len(account)-4:]
}

package pdf

import (
	"errors"
	"fmt"

	"github.com/jacoelho/banking/iban"

	"github.com/roamwerk/roamwerk/billing/wording"
)

// payment says how the amount is paid, and to which account.
func (l *letter) payment() error {
	keep := body.lead*2 + mm(1)
	if wording.ByTransfer(l.inv) {
		keep += giroSize + mm(7)
	}
	l.heading(l.t.PaymentHeading, keep)
	for _, sentence := range l.t.Payment(l.inv) {
		l.text("P", body, sentence, mm(1.5))
	}
	if wording.ByTransfer(l.inv) {
		l.y += mm(1)
		if err := l.account(); err != nil {
			return err
		}
	}
	if l.inv.Payment.Terms != "" {
		l.text("P", body, l.inv.Payment.Terms, mm(2))
	}
	return nil
}

// account prints the payment data in plain text, with the GiroCode beside it where it can be made.
func (l *letter) account() error {
	p, amount := l.inv.Payment, l.money(l.inv.Due)
	top, y := l.y, l.y
	l.facts(&y, marginLeft, mm(34), mm(86), [][2]string{
		{l.t.Payee, p.AccountName},
		{"IBAN", iban.PaperFormat(compact(p.IBAN))},
		{l.t.Bank, p.BIC},
		{l.t.Amount, amount},
		{l.t.Purpose, l.inv.Number},
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
	l.figure(fmt.Sprintf(l.t.GiroAlt, amount, p.AccountName), x, top, giroSize, giroSize, func() { l.s.drawCode(code, x, top, giroSize) })
	caption := block{l.fonts.set(fine, mm(60), l.t.GiroCode)}
	l.leaf(l.root, "P", caption, x+giroSize-mm(60), top+giroSize+mm(1), mm(60), right)
	l.y = max(y, top+giroSize+mm(1)+caption.height()) + mm(2)
	return nil
}

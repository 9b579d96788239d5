package pdf

import (
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
		if err := l.account(order{l.inv.Payment, l.inv.Due, l.inv.Currency, l.inv.Number}); err != nil {
			return err
		}
	}
	if l.inv.Payment.Terms != "" {
		l.text("P", body, l.inv.Payment.Terms, mm(2))
	}
	return nil
}

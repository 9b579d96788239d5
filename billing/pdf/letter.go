package pdf

import (
	"cmp"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/wording"
)

// letter lays an invoice out.
type letter struct {
	*letterhead
	inv   billing.Invoice
	loc   *time.Location
	carry decimal.Decimal // sum of the lines printed so far
}

func newLetter(d *document, inv billing.Invoice, t wording.Texts) *letter {
	return &letter{
		letterhead: newLetterhead(d, inv.Supplier, inv.Customer, t, t.Title(inv), information(inv, t)),
		inv:        inv, loc: inv.Supplier.Location(),
	}
}

func (l *letter) write() error {
	if err := l.head(); err != nil {
		return err
	}
	l.opening()
	l.panel()
	l.lines()
	l.totals()
	if err := l.payment(); err != nil {
		return err
	}
	if l.inv.Type == billing.DocumentSelfBilled {
		l.text("P", body, l.t.SelfBilledNote, mm(2))
	}
	for _, n := range l.inv.Notes {
		l.text("P", body, n, mm(2))
	}
	l.close()
	return nil
}

// information is the block beside the window: number, dates, customer.
func information(inv billing.Invoice, t wording.Texts) [][2]string {
	due := ""
	if !inv.DueDate.IsZero() && inv.Due.IsPositive() && inv.Payment.Means != billing.PaymentOffset {
		due = t.Day(inv.DueDate)
	}
	start, end := t.Span(inv)
	return [][2]string{
		{t.Kinds[inv.Type].Number, cmp.Or(inv.Number, t.Draft)},
		{t.Date, t.Day(inv.Date)},
		{t.CustomerNumber, inv.Customer.Number},
		{t.BuyerReference, inv.Customer.BuyerReference},
		{t.CustomerVAT, inv.Customer.VATID},
		{t.CustomerTax, inv.Customer.TaxNumber},
		{t.Period, start + " – " + end},
		{t.Due, due},
		{t.Contact, inv.Supplier.ContactPhone + "\n" + inv.Supplier.ContactEmail},
	}
}

// opening writes headline, greeting and the first sentence.
func (l *letter) opening() {
	l.subject()
	l.text("P", body, l.t.Introduction(l.inv), mm(4))
}

// panel shows the three figures that most readers look for.
func (l *letter) panel() {
	count, kwh := wording.Sessions(l.inv)
	vat := fmt.Sprintf("%s %s", l.t.VAT, l.money(l.inv.VATTotal))
	cells := [3][3]string{
		{l.t.Kinds[l.inv.Type].Sum, l.money(l.inv.Gross), vat},
		{l.t.EnergyPanel, l.t.Decimal(kwh, 3) + wording.NBSP + "kWh", l.t.SessionCount(count)},
		l.t.PaymentBrief(l.inv),
	}
	height := mm(19)
	l.s.artifact(func() {
		l.s.rect(l.brand.tint(0.07), marginLeft, l.y, textWidth, height)
		l.s.rect(l.brand, marginLeft, l.y, mm(1.2), height)
	})
	width := textWidth / 3
	for i, c := range cells {
		inner := width - mm(7)
		l.leaf(l.root, "P", block{
			l.fonts.set(label, inner, c[0]),
			l.fonts.set(style{bold: true, size: 14, lead: 19, colour: l.brand}, inner, c[1]),
			l.fonts.set(fine, inner, c[2]),
		}, marginLeft+width*float64(i)+mm(5), l.y+mm(1.7), inner, left)
	}
	l.y += height + mm(1)
}

func (l *letter) money(d decimal.Decimal) string { return l.t.Money(d, l.inv.Currency) }

package pdf

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	base "github.com/boxesandglue/baseline-pdf"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/wording"
)

// Positions of a DIN 5008 letter, form B.
var (
	marginLeft   = mm(25)
	textWidth    = mm(165)
	windowTop    = mm(45)
	windowHeight = mm(28) // of the zone for the address itself
	infoLeft     = mm(120)
	infoWidth    = mm(70)
	subjectTop   = mm(99)
	bottom       = mm(264) // of the text
	footTop      = mm(271)
	secondTop    = mm(31) // of the text on later pages
	logoHeight   = mm(18)
	giroSize     = mm(32)
	foldMarks    = [][2]float64{{mm(105), mm(4)}, {mm(148.5), mm(6)}, {mm(210), mm(4)}} // position and length
)

// letter lays an invoice out.
type letter struct {
	*document
	inv   billing.Invoice
	t     wording.Texts
	brand colour
	loc   *time.Location
	s     *sheet
	y     float64         // where the next block begins
	carry decimal.Decimal // sum of the lines printed so far
}

func newLetter(d *document, inv billing.Invoice, t wording.Texts) *letter {
	return &letter{document: d, inv: inv, t: t, brand: parseColour(inv.Supplier.Design.Colour), loc: inv.Supplier.Location()}
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
	for i, s := range l.pages {
		l.foot(s, i)
	}
	return nil
}

// breakPage starts a page with its running head.
func (l *letter) breakPage() {
	l.s = l.newPage()
	l.y = secondTop
	l.s.artifact(func() {
		l.s.rect(l.brand, 0, 0, pageWidth, mm(3))
		width := textWidth / 2
		l.s.draw(l.fonts, block{l.fonts.set(fine.in(black), width, l.t.Title(l.inv))}, marginLeft, mm(14), width, left)
		l.s.draw(l.fonts, block{l.fonts.set(fine, width, l.inv.Supplier.Name)}, marginLeft+width, mm(14), width, right)
		l.s.line(hair, 0.5, marginLeft, mm(25), textWidth)
	})
}

// room makes sure that h points are free on the page.
func (l *letter) room(h float64) {
	if l.y+h > bottom {
		l.breakPage()
	}
}

// leaf draws a block as the content of a new element of parent.
func (l *letter) leaf(parent *element, tag string, b block, x, y, width float64, to align) *element {
	e := parent.add(tag)
	l.s.mark(e, func() { l.s.draw(l.fonts, b, x, y, width, to) })
	return e
}

// text sets a paragraph over the full width, with space below.
func (l *letter) text(tag string, t style, text string, space float64) {
	b := block{l.fonts.set(t, textWidth, text)}
	l.room(b.height())
	l.leaf(l.root, tag, b, marginLeft, l.y, textWidth, left)
	l.y += b.height() + space
}

// heading sets a heading that keeps at least h points with it.
func (l *letter) heading(text string, h float64) {
	t := style{bold: true, size: 11.5, lead: 16, colour: l.brand}
	l.room(t.lead + mm(5.5) + h)
	l.y += mm(4)
	l.text("H2", t, text, mm(1.5))
}

// head draws the first page's band, logo, address window and information block.
func (l *letter) head() error {
	l.s = l.newPage()
	l.s.artifact(func() {
		l.s.rect(l.brand, 0, 0, pageWidth, mm(3))
		for _, m := range foldMarks {
			l.s.line(hair, 0.5, mm(4), m[0], m[1])
		}
	})
	if err := l.logo(); err != nil {
		return err
	}
	s, c := l.inv.Supplier, l.inv.Customer
	width := mm(80)
	sender := strings.Join([]string{s.Name, s.Address.Street, s.Address.PostalCode + " " + s.Address.City}, " · ")
	back := block{l.fonts.set(style{size: 6.5, lead: 8, colour: grey}, width, sender)}
	l.leaf(l.root, "P", back, marginLeft, windowTop+mm(15.5)-back.height(), width, left)
	l.s.artifact(func() { l.s.line(hair, 0.4, marginLeft, windowTop+mm(16.5), width) })

	to := []string{c.Name, c.Contact, c.Address.Street, c.Address.PostalCode + " " + c.Address.City}
	if c.Address.Country != s.Address.Country {
		to = append(to, c.Address.Country)
	}
	var address block
	for size := 10.0; size >= 6.5; size-- { // a long address is set smaller until it fits into the window
		address = nil
		for _, line := range to {
			if line != "" {
				address = append(address, l.fonts.set(style{size: size, lead: size * 1.3, colour: black}, width, line))
			}
		}
		if address.height() <= windowHeight {
			break
		}
	}
	l.leaf(l.root, "P", address, marginLeft, windowTop+mm(18), width, left)
	l.information()
	return nil
}

// logo draws the utility's logo, or its name, above the information block.
func (l *letter) logo() error {
	s := l.inv.Supplier
	if len(s.Design.Logo) == 0 {
		l.leaf(l.root, "P", block{l.fonts.set(style{bold: true, size: 14, lead: 18, colour: l.brand}, textWidth, s.Name)}, marginLeft, mm(14), textWidth, left)
		return nil
	}
	p, err := decode(s.Design.Logo)
	if err != nil {
		return err
	}
	if l.image, err = p.embed(l.w); err != nil {
		return err
	}
	h := logoHeight
	w := h * float64(p.width) / float64(p.height)
	if w > infoWidth {
		w, h = infoWidth, infoWidth*float64(p.height)/float64(p.width)
	}
	x, y := infoLeft, mm(12)+(logoHeight-h)/2
	l.figure(fmt.Sprintf(l.t.LogoAlt, s.Name), x, y, w, h, func() {
		fmt.Fprintf(&l.s.buf, "q %s 0 0 %s %s %s cm /Logo Do Q\n", num(w), num(h), num(x), num(pageHeight-y-h))
	})
	return nil
}

// figure draws a picture that has a text to read out.
func (l *letter) figure(alt string, x, y, w, h float64, draw func()) {
	e := l.root.add("Figure")
	e.attrs = base.Dict{
		"Alt": base.String(alt),
		"A":   fmt.Sprintf("<</O /Layout /Placement /Block /BBox [%s %s %s %s]>>", num(x), num(pageHeight-y-h), num(x+w), num(pageHeight-y)),
	}
	l.s.mark(e, draw)
}

// information draws the block beside the window: number, dates, customer.
func (l *letter) information() {
	due := ""
	if !l.inv.DueDate.IsZero() && l.inv.Due.IsPositive() {
		due = l.t.Day(l.inv.DueDate)
	}
	start, end := l.t.Span(l.inv)
	rows := [][2]string{
		{l.t.Kinds[l.inv.Type].Number, cmp.Or(l.inv.Number, l.t.Draft)},
		{l.t.Date, l.t.Day(l.inv.Date)},
		{l.t.CustomerNumber, l.inv.Customer.Number},
		{l.t.BuyerReference, l.inv.Customer.BuyerReference},
		{l.t.CustomerVAT, l.inv.Customer.VATID},
		{l.t.CustomerTax, l.inv.Customer.TaxNumber},
		{l.t.Period, start + " – " + end},
		{l.t.Due, due},
		{l.t.Contact, l.inv.Supplier.ContactPhone + "\n" + l.inv.Supplier.ContactEmail},
	}
	y := windowTop + mm(1)
	l.facts(&y, infoLeft, mm(28), infoWidth-mm(28), rows)
}

// facts draws a small table of labels and values. Rows without a value are left out.
func (l *letter) facts(y *float64, x, labelWidth, valueWidth float64, rows [][2]string) {
	table := l.root.add("Table")
	for _, r := range rows {
		if strings.TrimSpace(r[1]) == "" {
			continue
		}
		value := block{l.fonts.set(style{size: 8.5, lead: 11.5, colour: black}, valueWidth, r[1])}
		tr := table.add("TR")
		l.leaf(tr, "TH", block{l.fonts.set(style{size: 8, lead: 11.5, colour: grey}, labelWidth, r[0])}, x, *y, labelWidth, left).attrs = scope("Row")
		l.leaf(tr, "TD", value, x+labelWidth, *y, valueWidth, left)
		*y += value.height() + 1.5
	}
}

func scope(of string) base.Dict { return base.Dict{"A": "<</O /Table /Scope /" + of + ">>"} }

// opening writes headline, greeting and the first sentence.
func (l *letter) opening() {
	l.y = subjectTop
	l.text("H1", style{bold: true, size: 17, lead: 22, colour: black}, l.t.Title(l.inv), mm(3.5))
	l.text("P", body, l.t.Greeting(l.inv.Customer), mm(1.5))
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

// foot draws the legal footer and the page number. On the first page it is content, on the others a repetition.
func (l *letter) foot(s *sheet, index int) {
	l.s = s
	small := style{size: 6.8, lead: 8.8, colour: grey}
	sup := l.inv.Supplier
	join := func(parts ...string) string {
		var kept []string
		for _, p := range parts {
			if p != "" {
				kept = append(kept, p)
			}
		}
		return strings.Join(kept, "\n")
	}
	prefixed := func(name, value string) string {
		if value == "" {
			return ""
		}
		return name + " " + value
	}
	columns := []string{
		join(sup.Name, sup.Address.Street, sup.Address.PostalCode+" "+sup.Address.City),
		join(sup.ContactName, sup.ContactPhone, sup.ContactEmail, sup.Website),
		join(sup.Register, sup.Legal),
		join(prefixed(l.t.VATID, sup.VATID), prefixed(l.t.TaxNumber, sup.TaxNumber)),
	}
	widths := []float64{mm(38), mm(42), mm(49), mm(36)}
	s.artifact(func() {
		s.line(hair, 0.5, marginLeft, footTop-mm(2), textWidth)
		number := fmt.Sprintf(l.t.Page, index+1, len(l.pages))
		s.draw(l.fonts, block{l.fonts.set(small, textWidth, number)}, marginLeft, footTop-mm(6.2), textWidth, right)
	})
	x := marginLeft
	for i, text := range columns {
		b := block{l.fonts.set(small, widths[i]-mm(3), text)}
		switch {
		case text == "":
		case index == 0:
			l.leaf(l.root, "P", b, x, footTop, widths[i], left)
		default:
			s.artifact(func() { s.draw(l.fonts, b, x, footTop, widths[i], left) })
		}
		x += widths[i]
	}
}

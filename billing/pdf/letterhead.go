package pdf

import (
	"fmt"
	"strings"

	base "github.com/boxesandglue/baseline-pdf"

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

// letterhead is a letter to a customer in the look of a utility: what all documents share, whatever they say.
type letterhead struct {
	*document
	supplier billing.Supplier
	customer billing.Customer
	t        wording.Texts
	title    string
	facts    [][2]string // beside the address: number, dates
	brand    colour
	s        *sheet
	y        float64 // where the next block begins
}

func newLetterhead(d *document, s billing.Supplier, c billing.Customer, t wording.Texts, title string, facts [][2]string) *letterhead {
	return &letterhead{document: d, supplier: s, customer: c, t: t, title: title, facts: facts, brand: parseColour(s.Design.Colour)}
}

// close draws the feet of all pages.
func (l *letterhead) close() {
	for i, s := range l.pages {
		l.foot(s, i)
	}
}

// breakPage starts a page with its running head.
func (l *letterhead) breakPage() {
	l.s = l.newPage()
	l.y = secondTop
	l.s.artifact(func() {
		l.s.rect(l.brand, 0, 0, pageWidth, mm(3))
		width := textWidth / 2
		l.s.draw(l.fonts, block{l.fonts.set(fine.in(black), width, l.title)}, marginLeft, mm(14), width, left)
		l.s.draw(l.fonts, block{l.fonts.set(fine, width, l.supplier.Name)}, marginLeft+width, mm(14), width, right)
		l.s.line(hair, 0.5, marginLeft, mm(25), textWidth)
	})
}

// room makes sure that h points are free on the page.
func (l *letterhead) room(h float64) {
	if l.y+h > bottom {
		l.breakPage()
	}
}

// leaf draws a block as the content of a new element of parent.
func (l *letterhead) leaf(parent *element, tag string, b block, x, y, width float64, to align) *element {
	e := parent.add(tag)
	l.s.mark(e, func() { l.s.draw(l.fonts, b, x, y, width, to) })
	return e
}

// text sets a paragraph over the full width, with space below.
func (l *letterhead) text(tag string, t style, text string, space float64) {
	b := block{l.fonts.set(t, textWidth, text)}
	l.room(b.height())
	l.leaf(l.root, tag, b, marginLeft, l.y, textWidth, left)
	l.y += b.height() + space
}

// heading sets a heading that keeps at least h points with it.
func (l *letterhead) heading(text string, h float64) {
	t := style{bold: true, size: 11.5, lead: 16, colour: l.brand}
	l.room(t.lead + mm(5.5) + h)
	l.y += mm(4)
	l.text("H2", t, text, mm(1.5))
}

// head draws the first page's band, logo, address window and information block.
func (l *letterhead) head() error {
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
	s, c := l.supplier, l.customer
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
	y := windowTop + mm(1)
	l.pairs(&y, infoLeft, mm(28), infoWidth-mm(28), l.facts)
	return nil
}

// subject writes headline and greeting.
func (l *letterhead) subject() {
	l.y = subjectTop
	l.text("H1", style{bold: true, size: 17, lead: 22, colour: black}, l.title, mm(3.5))
	l.text("P", body, l.t.Greeting(l.customer), mm(1.5))
}

// logo draws the utility's logo, or its name, above the information block.
func (l *letterhead) logo() error {
	s := l.supplier
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
func (l *letterhead) figure(alt string, x, y, w, h float64, draw func()) {
	e := l.root.add("Figure")
	e.attrs = base.Dict{
		"Alt": base.String(alt),
		"A":   fmt.Sprintf("<</O /Layout /Placement /Block /BBox [%s %s %s %s]>>", num(x), num(pageHeight-y-h), num(x+w), num(pageHeight-y)),
	}
	l.s.mark(e, draw)
}

// pairs draws a small table of labels and values. Rows without a value are left out.
func (l *letterhead) pairs(y *float64, x, labelWidth, valueWidth float64, rows [][2]string) {
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

// foot draws the legal footer and the page number. On the first page it is content, on the others a repetition.
func (l *letterhead) foot(s *sheet, index int) {
	l.s = s
	small := style{size: 6.8, lead: 8.8, colour: grey}
	sup := l.supplier
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

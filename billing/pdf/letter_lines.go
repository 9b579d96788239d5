package pdf

import (
	"cmp"

	base "github.com/boxesandglue/baseline-pdf"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/wording"
)

// column is a column of a table of lines.
type column struct {
	title string
	width float64
	to    align
	last  bool
}

// gap is the space between columns.
var gap = mm(4)

// inner is the width that text may take.
func (c column) inner() float64 {
	if c.last {
		return c.width
	}
	return c.width - gap
}

// lines draws the lines of the invoice: a table for each run of lines of one kind under one heading.
func (l *letter) lines() {
	rates := len(l.inv.VAT) > 1
	for rest := l.inv.Lines; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Heading == rest[0].Heading && (rest[n].Session == nil) == (rest[0].Session == nil) {
			n++
		}
		l.table(l.t.LinesHeading(l.inv, rest[0]), l.columns(rest[0].Session != nil, rates), rest[:n], rates)
		rest = rest[n:]
	}
	l.y += mm(1)
	l.text("P", fine, l.t.PricesNote(l.inv), mm(1))
}

// columns are the columns of a table of sessions or of other services; together they are textWidth wide.
func (l *letter) columns(session, rates bool) []column {
	rate := 0.0
	var columns []column
	if rates {
		rate = mm(11)
	}
	if session {
		columns = []column{
			{title: l.t.When, width: mm(29)},
			{title: l.t.Where, width: mm(66) - rate*0.6},
			{title: l.t.Energy, width: mm(19), to: right},
			{title: l.t.Price, width: mm(31) - rate*0.4},
		}
	} else {
		columns = []column{
			{title: l.t.Service, width: mm(109) - rate},
			{title: l.t.Quantity, width: mm(36), to: right},
		}
	}
	if rates {
		columns = append(columns, column{title: l.t.VATRate, width: rate, to: right})
	}
	return append(columns, column{l.t.AmountTitle(l.inv), mm(20), right, true})
}

// cells are the texts of a line, by column.
func (l *letter) cells(line billing.InvoiceLine, columns []column, rates bool) []block {
	set := func(i int, t style, text string) paragraph { return l.fonts.set(t, columns[i].inner(), text) }
	var cells []block
	if s := line.Session; s != nil {
		point := s.EVSEID
		if s.Operator != "" {
			point += " · " + s.Operator
		}
		cells = []block{
			{set(0, body, l.t.Day(s.Start.In(l.loc))), set(0, fine, l.t.Times(s, l.loc))},
			{set(1, body, cmp.Or(s.Place, line.Name)), set(1, fine, point)},
			{set(2, body, l.t.Decimal(wording.Energy(line), 3))},
			{set(3, fine, line.Description)},
		}
	} else {
		name := block{set(0, body, line.Name)}
		if line.Description != "" {
			name = append(name, set(0, fine, line.Description))
		}
		cells = []block{name, {set(1, body, l.t.Unit(line.Quantity, line.Unit))}}
	}
	if rates {
		cells = append(cells, block{set(len(cells), body, l.t.Decimal(line.VATRate, 0))})
	}
	return append(cells, block{set(len(cells), strong, l.t.Decimal(wording.Shown(l.inv, line), 2))})
}

// rowPad is the space above and below the text of a row.
var rowPad = mm(1.1)

// table draws lines under a heading. When a page is full it closes it with the sum so far, and opens the next with the heads
// and that sum: to a screen reader these are artifacts, the table goes on.
func (l *letter) table(title string, columns []column, lines []billing.InvoiceLine, rates bool) {
	rows := make([][]block, len(lines))
	for i, line := range lines {
		rows[i] = l.cells(line, columns, rates)
	}
	headHeight, carryHeight := label.lead+rowPad*2, strong.lead+rowPad*2
	l.heading(title, headHeight+rowHeight(rows[0])+carryHeight)
	table := l.root.add("Table")
	l.tableHead(columns, table.add("TR"))
	for i, cells := range rows {
		h := rowHeight(cells)
		reserve := carryHeight
		if i == len(rows)-1 {
			reserve = 0
		}
		if l.y+h+reserve > bottom {
			l.carryRow()
			l.breakPage()
			l.tableHead(columns, nil)
			l.carryRow()
		}
		tr := table.add("TR")
		x := marginLeft
		for k, c := range cells {
			drop := strong.baseline() - c[0].style.baseline() // small print stands on the line of the row
			l.leaf(tr, "TD", c, x, l.y+rowPad+drop, columns[k].inner(), columns[k].to)
			x += columns[k].width
		}
		l.y += h
		l.s.artifact(func() { l.s.line(hair, 0.5, marginLeft, l.y, textWidth) })
		l.carry = l.carry.Add(wording.Shown(l.inv, lines[i]))
	}
}

func rowHeight(cells []block) float64 {
	h := 0.0
	for _, c := range cells {
		h = max(h, c.height())
	}
	return h + 2*rowPad
}

// tableHead draws the heads of the columns, as header cells of tr, or as a repetition if tr is nil.
func (l *letterhead) tableHead(columns []column, tr *element) {
	x := marginLeft
	for _, c := range columns {
		b := block{l.fonts.set(label, c.width, c.title)}
		if tr != nil {
			l.leaf(tr, "TH", b, x, l.y+rowPad, c.inner(), c.to).attrs = scope("Column")
		} else {
			l.s.artifact(func() { l.s.draw(l.fonts, b, x, l.y+rowPad, c.inner(), c.to) })
		}
		x += c.width
	}
	l.y += label.lead + 2*rowPad
	l.s.artifact(func() { l.s.line(l.brand, 1, marginLeft, l.y, textWidth) })
}

// carryRow draws the sum of the lines so far.
func (l *letter) carryRow() {
	l.s.artifact(func() {
		l.s.rect(l.brand.tint(0.05), marginLeft, l.y, textWidth, strong.lead+2*rowPad)
		l.s.draw(l.fonts, block{l.fonts.set(body, textWidth, l.t.Carry)}, marginLeft+mm(1), l.y+rowPad, textWidth, left)
		l.s.draw(l.fonts, block{l.fonts.set(strong, textWidth, l.t.Decimal(l.carry, 2))}, marginLeft, l.y+rowPad, textWidth, right)
	})
	l.y += strong.lead + 2*rowPad
}

// totals draws the VAT by rate and the total (EN 16931 BG-22, BG-23).
func (l *letter) totals() {
	columns := []column{
		{title: l.t.VATColumn, width: mm(57)},
		{title: l.t.Net, width: mm(26), to: right},
		{title: l.t.VAT, width: mm(26), to: right},
		{title: l.t.Gross, width: mm(26), to: right},
	}
	x0, width := marginLeft+textWidth-mm(135), mm(135)
	rowH := body.lead + 2*rowPad
	l.heading(l.t.TotalHeading, rowH*float64(len(l.inv.VAT)+4))
	table := l.root.add("Table")
	row := func(tag string, t style, texts ...string) {
		tr := table.add("TR")
		x := x0
		for i, text := range texts {
			w := columns[i].width
			kind := tag
			if i == 0 {
				kind = "TH"
			}
			e := l.leaf(tr, kind, block{l.fonts.set(t, w, text)}, x, l.y+rowPad, w, columns[i].to)
			switch {
			case tag == "TH":
				e.attrs = scope("Column")
			case i == 0:
				e.attrs = scope("Row")
			}
			x += w
		}
		l.y += t.lead + 2*rowPad
	}
	row("TH", label, columns[0].title, columns[1].title, columns[2].title, columns[3].title)
	l.s.artifact(func() { l.s.line(l.brand, 1, x0, l.y, width) })
	figures := func(net, tax decimal.Decimal) []string {
		return []string{l.t.Decimal(net, 2), l.t.Decimal(tax, 2), l.t.Decimal(net.Add(tax), 2)}
	}
	for _, v := range l.inv.VAT {
		row("TD", body, append([]string{l.t.VATName(v)}, figures(v.Net, v.Tax)...)...)
		l.s.artifact(func() { l.s.line(hair, 0.5, x0, l.y, width) })
	}
	if len(l.inv.VAT) > 1 || !l.inv.Paid.IsZero() {
		row("TD", strong, append([]string{l.t.Total}, figures(l.inv.Net, l.inv.VATTotal)...)...)
	}
	sum := func(name string, d decimal.Decimal, t style) {
		tr := table.add("TR")
		nameCell := l.leaf(tr, "TH", block{l.fonts.set(t, mm(90), name)}, x0+mm(2), l.y+rowPad, mm(83), left)
		nameCell.attrs = base.Dict{"A": "<</O /Table /Scope /Row /ColSpan 2>>"}
		l.leaf(tr, "TD", block{l.fonts.set(t, mm(50), l.money(d))}, x0+mm(83), l.y+rowPad, mm(50), right).attrs = base.Dict{"A": "<</O /Table /ColSpan 2>>"}
		l.y += t.lead + 2*rowPad
	}
	if !l.inv.Paid.IsZero() {
		sum(l.t.Paid, l.inv.Paid.Neg(), body)
	}
	big := style{bold: true, size: 12, lead: 17, colour: l.brand}
	l.s.artifact(func() { l.s.rect(l.brand.tint(0.07), x0, l.y, width, big.lead+2*rowPad) })
	sum(l.t.DueName(l.inv), l.inv.Due, big)
	l.y += mm(2)
	for _, v := range l.inv.VAT {
		if v.Reason != "" {
			l.text("P", body, v.Reason+".", mm(1))
		}
	}
}

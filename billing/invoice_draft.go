package billing

import (
	"cmp"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// Draft is what an invoice run collects for one document. Invoice computes the document from it.
type Draft struct {
	Type       DocumentType // empty means DocumentInvoice
	SelfBilled bool         // of a correction: it corrects a self-billed document
	Date       time.Time
	DueDate    time.Time // zero if nothing falls due
	Currency   string    // ISO 4217 with two decimals
	Language   string    // "de" or "en"
	Period     Period
	Supplier   Supplier
	Customer   Customer
	GrossExact bool // the prices promised to the customer include VAT (consumers)
	Lines      []DraftLine
	Paid       decimal.Decimal // what the customer has paid on this document already
	Payment    Payment
	Preceding  *Reference
	Notes      []string
}

// DraftLine is one supply to be billed.
type DraftLine struct {
	Name        string
	Description string
	Session     *LineSession
	Quantity    decimal.Decimal
	Unit        Unit
	Amount      decimal.Decimal // price of the whole line, with VAT if the draft is GrossExact; negative for what is given back
	VAT         VAT
	Period      Period // zero means that of the session, or else of the document
	Heading     string
}

// Invoice computes the document: line nets, VAT, totals and unit prices. Number stays empty.
//
// With GrossExact the document's gross is the sum of the lines' promised amounts. Per VAT rate the net is that sum without
// VAT, rounded once, and the tax is the difference; the residue of the line nets is spread by largest remainder. Otherwise
// line nets are exact and the tax is computed per category and rate on their sum. Amounts are rounded to cents, half away
// from zero.
//
// Its error is a *DraftError that names everything a clerk has to put right.
func (d Draft) Invoice() (Invoice, error) {
	if problems := d.problems(); len(problems) > 0 {
		return Invoice{}, &DraftError{Problems: problems}
	}
	inv := Invoice{
		Type:       d.Type,
		SelfBilled: d.SelfBilled || d.Type == DocumentSelfBilled,
		Date:       d.Date,
		DueDate:    d.DueDate,
		Currency:   d.Currency,
		Language:   d.Language,
		Period:     d.Period,
		Supplier:   d.Supplier,
		Customer:   d.Customer,
		GrossExact: d.GrossExact,
		Lines:      make([]InvoiceLine, len(d.Lines)),
		Payment:    d.Payment,
		Preceding:  d.Preceding,
		Notes:      d.Notes,
		Paid:       Round(d.Paid, 2),
	}
	if inv.Type == "" {
		inv.Type = DocumentInvoice
	}
	for i, l := range d.Lines {
		line := InvoiceLine{
			ID:          strconv.Itoa(i + 1),
			Name:        l.Name,
			Description: l.Description,
			Session:     l.Session,
			Quantity:    l.Quantity,
			Unit:        l.Unit,
			VATCategory: l.VAT.Category,
			VATRate:     l.VAT.Rate,
			Period:      l.Period,
			Heading:     l.Heading,
		}
		switch {
		case line.Period != (Period{}):
		case l.Session != nil:
			line.Period = Period{Start: l.Session.Start, End: l.Session.End}
		default:
			line.Period = d.Period
		}
		inv.Period = inv.Period.covering(line.Period)
		inv.Lines[i] = line
	}
	for _, g := range vatGroups(d.Lines) {
		var sum VATLine
		if d.GrossExact {
			sum = inv.splitGross(g, d.Lines)
		} else {
			sum = inv.sumNet(g, d.Lines)
		}
		sum.Category, sum.Rate, sum.Reason = g.category, g.rate, g.reason(d.Language)
		inv.VAT = append(inv.VAT, sum)
		inv.Net = inv.Net.Add(sum.Net)
		inv.VATTotal = inv.VATTotal.Add(sum.Tax)
	}
	inv.Gross = inv.Net.Add(inv.VATTotal)
	inv.Due = inv.Gross.Sub(inv.Paid)
	if inv.Type == DocumentCorrection && !inv.Due.IsPositive() {
		inv.DueDate = time.Time{}
	}
	for i := range inv.Lines {
		inv.Lines[i].setPrice()
	}
	return inv, nil
}

// splitGross fills the amounts of the lines of g where the gross is what was promised.
func (inv *Invoice) splitGross(g *vatGroup, drafts []DraftLine) VATLine {
	gross := make([]decimal.Decimal, len(g.lines))
	total := decimal.Zero
	for k, i := range g.lines {
		gross[k] = Round(drafts[i].Amount, 2)
		total = total.Add(gross[k])
	}
	nets, sum := netOfGross(gross, g.rate)
	for k, i := range g.lines {
		inv.Lines[i].Net, inv.Lines[i].Gross = nets[k], gross[k]
	}
	return VATLine{Net: sum, Tax: total.Sub(sum)}
}

// sumNet fills the amounts of the lines of g where the net is what was agreed.
func (inv *Invoice) sumNet(g *vatGroup, drafts []DraftLine) VATLine {
	sum := decimal.Zero
	for _, i := range g.lines {
		net := Round(drafts[i].Amount, 2)
		inv.Lines[i].Net, inv.Lines[i].Gross = net, net.Add(Round(net.Mul(g.rate).Div(hundred), 2))
		sum = sum.Add(net)
	}
	return VATLine{Net: sum, Tax: Round(sum.Mul(g.rate).Div(hundred), 2)}
}

// setPrice derives the unit price from quantity and net (BT-146 × BT-129 ÷ BT-149 = BT-131). A price is never negative
// (BR-27), so what is given back has a negative quantity; a line without quantity counts as one piece.
func (l *InvoiceLine) setPrice() {
	l.PriceBase = decimal.NewFromInt(1)
	if l.Quantity.IsZero() && !l.Net.IsZero() {
		l.Quantity, l.Unit = decimal.NewFromInt(1), UnitPiece
	}
	if l.Quantity.IsZero() {
		return
	}
	l.Quantity = l.Quantity.Abs()
	if l.Net.IsNegative() {
		l.Quantity = l.Quantity.Neg()
	}
	l.Price = Round(l.Net.Div(l.Quantity), 6)
	if !Round(l.Price.Mul(l.Quantity), 2).Equal(l.Net) {
		l.Price, l.PriceBase = l.Net.Abs(), l.Quantity.Abs()
	}
}

// covering is the shortest period that holds both. A document's period must hold those of its lines (rules R110 and R111 of
// XRechnung), also that of a session delivered late.
func (p Period) covering(q Period) Period {
	if q.Start.Before(p.Start) {
		p.Start = q.Start
	}
	if q.End.After(p.End) {
		p.End = q.End
	}
	return p
}

// Location is the time zone in which the supplier's documents show instants: UTC if TimeZone is unknown, which Draft.Invoice
// refuses beforehand.
func (s Supplier) Location() *time.Location {
	loc, err := s.location()
	if err != nil {
		return time.UTC
	}
	return loc
}

func (s Supplier) location() (*time.Location, error) {
	return time.LoadLocation(cmp.Or(s.TimeZone, "Europe/Berlin"))
}

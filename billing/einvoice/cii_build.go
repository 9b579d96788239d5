package einvoice

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// process is BT-23: billing without a preceding order, the only process of PEPPOL and XRechnung that we take part in.
const process = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"

// document maps an invoice to CII.
func document(inv billing.Invoice, profile Profile) ciiInvoice {
	loc := inv.Supplier.Location()
	doc := ciiInvoice{
		RSM: nsRSM, RAM: nsRAM, UDT: nsUDT, QDT: nsQDT,
		Process: process,
		Profile: profile,
		Document: ciiDocument{
			ID:   inv.Number,
			Type: string(inv.Type),
			Date: day(inv.Date),
		},
	}
	for _, n := range inv.Notes {
		if n = strings.TrimSpace(n); n != "" {
			doc.Document.Notes = append(doc.Document.Notes, ciiNote{n})
		}
	}
	for _, l := range inv.Lines {
		doc.Trade.Lines = append(doc.Trade.Lines, line(inv, l, loc))
	}
	doc.Trade.Agreement = agreement(inv)
	doc.Trade.Settlement = settlement(inv, profile, loc)
	doc.Trade.Delivered = doc.Trade.Settlement.Period.End
	return doc
}

// agreement names seller and buyer. On a self-billed invoice the customer is the seller. Who bills what is no supply must not
// show VAT ids (BR-O-02).
func agreement(inv billing.Invoice) ciiAgreement {
	supplier, customer := inv.Supplier, inv.Customer
	if inv.VAT[0].Category == billing.VATOutside {
		if supplier.Register == "" && supplier.TaxNumber == "" {
			supplier.TaxNumber = supplier.VATID // something must identify the seller (BR-CO-26)
		}
		supplier.VATID, customer.VATID = "", ""
	}
	a := ciiAgreement{
		BuyerReference: cmp.Or(customer.BuyerReference, customer.Number),
		Seller:         utility(supplier),
		Buyer:          recipient(customer),
	}
	if inv.SelfBilled {
		a.Seller, a.Buyer = a.Buyer, a.Seller
		a.Buyer.Legal = "" // legal information and a tax number are the seller's alone (BT-33, BT-32)
	}
	a.Buyer.Tax = slices.DeleteFunc(a.Buyer.Tax, func(id ciiTaxID) bool { return id.ID.Scheme == "FC" })
	return a
}

func line(inv billing.Invoice, l billing.InvoiceLine, loc *time.Location) ciiLine {
	c := ciiLine{
		ID:       l.ID,
		Name:     l.Name,
		Text:     l.Description,
		Price:    ciiPrice{Amount: l.Price.String()},
		Quantity: ciiQuantity{string(l.Unit), l.Quantity.String()},
		Tax:      ciiLineTax{"VAT", string(l.VATCategory), rate(l.VATCategory, l.VATRate)},
		Period:   period(l.Period, loc),
		Net:      amount(l.Net),
	}
	if l.Heading != "" {
		c.Note = &ciiNote{l.Heading}
	}
	if !l.PriceBase.Equal(decimal.NewFromInt(1)) {
		c.Price.Base = &ciiQuantity{string(l.Unit), l.PriceBase.String()}
	}
	if l.Session != nil {
		c.Attributes = attributes(inv, l, loc)
	}
	return c
}

// attributeNames are the names of BG-32 by language, in the order in which attributes writes their values.
var attributeNames = map[string][8]string{
	"de": {"EVSE-ID", "CDR-ID", "Betreiber", "Ort", "Beginn", "Ende", "Energie", "Ladekarte"},
	"en": {"EVSE ID", "CDR ID", "Operator", "Place", "Start", "End", "Energy", "Charging card"},
}

// attributes identify the session that a line bills: the service must be described within the XML itself (§ 14(4) no. 5 UStG).
func attributes(inv billing.Invoice, l billing.InvoiceLine, loc *time.Location) []ciiAttribute {
	s := l.Session
	values := [8]string{
		s.EVSEID, s.CDRID, s.Operator, s.Place,
		s.Start.In(loc).Format(time.RFC3339), s.End.In(loc).Format(time.RFC3339),
		s.KWh.String() + " kWh", s.CardUID,
	}
	var list []ciiAttribute
	for i, name := range attributeNames[inv.Language] {
		if values[i] != "" {
			list = append(list, ciiAttribute{name, values[i]})
		}
	}
	if inv.GrossExact {
		list = append(list, ciiAttribute{promisedName[inv.Language], amount(l.Gross) + " " + inv.Currency})
	}
	return list
}

// promisedName names the gross price of a session that the customer was promised; EN 16931 has no term for it.
var promisedName = map[string]string{"de": "Preis einschließlich Umsatzsteuer", "en": "Price including VAT"}

// rate is absent for what is outside the scope of VAT (BR-O-05).
func rate(c billing.VATCategory, percent decimal.Decimal) string {
	if c == billing.VATOutside {
		return ""
	}
	return percent.String()
}

func utility(s billing.Supplier) ciiParty {
	p := party(s.Name, s.Address, s.ContactEmail)
	p.Legal = s.Legal
	switch { // BR-CO-26: a VAT id, the register or else the tax number must identify the seller
	case s.Register != "":
		p.Register = &ciiLegal{s.Register}
	case s.VATID == "":
		p.ID = s.TaxNumber
	}
	p.Contact = &ciiContact{Person: s.ContactName, Phone: &ciiNumber{s.ContactPhone}, Email: &ciiURI{s.ContactEmail}}
	if s.TaxNumber != "" {
		p.Tax = append(p.Tax, ciiTaxID{ciiID{"FC", s.TaxNumber}})
	}
	if s.VATID != "" {
		p.Tax = append(p.Tax, ciiTaxID{ciiID{"VA", s.VATID}})
	}
	return p
}

func recipient(c billing.Customer) ciiParty {
	p := party(c.Name, c.Address, c.Email)
	p.ID = c.Number
	if scheme, id, ok := strings.Cut(c.PeppolID, ":"); ok {
		p.Email = &ciiID{scheme, id}
	}
	if c.Contact != "" || c.Phone != "" {
		p.Contact = &ciiContact{Person: cmp.Or(c.Contact, c.Name)}
	}
	if c.Phone != "" {
		p.Contact.Phone, p.Contact.Email = &ciiNumber{c.Phone}, &ciiURI{c.Email}
	}
	if c.TaxNumber != "" {
		p.Tax = append(p.Tax, ciiTaxID{ciiID{"FC", c.TaxNumber}})
	}
	if c.VATID != "" {
		p.Tax = append(p.Tax, ciiTaxID{ciiID{"VA", c.VATID}})
	}
	return p
}

func party(name string, a billing.Address, email string) ciiParty {
	p := ciiParty{Name: name, Postcode: a.PostalCode, Street: a.Street, City: a.City, Country: a.Country}
	if email != "" {
		p.Email = &ciiID{"EM", email}
	}
	return p
}

func settlement(inv billing.Invoice, profile Profile, loc *time.Location) ciiSettlement {
	s := ciiSettlement{
		Reference: inv.Number,
		Currency:  inv.Currency,
		Means:     means(inv.Payment),
		Period:    period(inv.Period, loc),
		Sums: ciiSums{
			Lines: amount(inv.Net),
			Net:   amount(inv.Net),
			Tax:   ciiAmount{inv.Currency, amount(inv.VATTotal)},
			Gross: amount(inv.Gross),
			Due:   amount(inv.Due),
		},
	}
	if !inv.Paid.IsZero() {
		s.Sums.Paid = amount(inv.Paid)
	}
	for _, v := range inv.VAT {
		tax := ciiTax{
			Amount:   amount(v.Tax),
			Type:     "VAT",
			Reason:   v.Reason,
			Net:      amount(v.Net),
			Category: string(v.Category),
			Rate:     rate(v.Category, v.Rate),
		}
		tax.ReasonCode = reasonCodes[v.Category]
		if profile == XRechnung && tax.Rate == "" {
			tax.Rate = "0" // XRechnung wants a rate even where none applies (BR-DE-14)
		}
		s.Taxes = append(s.Taxes, tax)
	}
	if inv.Payment.Means == billing.PaymentDirectDebit {
		s.CreditorID = inv.Payment.CreditorID
	}
	s.Terms = terms(inv)
	if p := inv.Preceding; p != nil {
		s.Preceding = &ciiPreceding{ID: p.Number}
		if !p.Date.IsZero() {
			d := day(p.Date)
			s.Preceding.Date = &d
		}
	}
	return s
}

// reasonCodes are those of the VATEX list (BT-121), where the category alone decides.
var reasonCodes = map[billing.VATCategory]string{billing.VATReverseCharge: "VATEX-EU-AE", billing.VATOutside: "VATEX-EU-O"}

func means(p billing.Payment) ciiMeans {
	m := ciiMeans{Type: string(p.Means)}
	switch p.Means {
	case billing.PaymentTransfer:
		m.Creditor = &ciiAccount{compact(p.IBAN), p.AccountName}
		if p.BIC != "" {
			m.Bank = &ciiBank{p.BIC}
		}
	case billing.PaymentDirectDebit:
		m.Debtor = &ciiAccount{IBAN: compact(p.DebtorIBAN)}
	case billing.PaymentCard:
		m.Card = &ciiCard{p.CardLast4}
	}
	return m
}

func terms(inv billing.Invoice) *ciiTerms {
	t := ciiTerms{Text: inv.Payment.Terms}
	if !inv.DueDate.IsZero() {
		d := day(inv.DueDate)
		t.Due = &d
	}
	if inv.Payment.Means == billing.PaymentDirectDebit {
		t.Mandate = inv.Payment.MandateReference
	}
	if t == (ciiTerms{}) {
		return nil
	}
	return &t
}

func day(t time.Time) ciiDate { return ciiDate{"102", t.Format("20060102")} }

// period turns a half-open span of time into the first and the last calendar day that it touches.
func period(p billing.Period, loc *time.Location) ciiPeriod {
	last := p.End.In(loc)
	if p.End.After(p.Start) {
		last = p.End.Add(-time.Nanosecond).In(loc)
	}
	return ciiPeriod{day(p.Start.In(loc)), day(last)}
}

func amount(d decimal.Decimal) string { return d.StringFixed(2) }

// compact removes the blanks with which IBANs are printed.
func compact(s string) string { return strings.ReplaceAll(s, " ", "") }

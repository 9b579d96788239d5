// Package html sets invoices as web pages: the accessible version of the paper, with the same words and figures.
package html

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/jacoelho/banking/iban"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/wording"
)

//go:embed invoice.html invoice.css
var files embed.FS

var page = template.Must(template.New("invoice.html").Funcs(template.FuncMap{"join": strings.Join}).ParseFS(files, "invoice.html"))

// Style is the style sheet of the pages.
func Style() []byte {
	b, err := files.ReadFile("invoice.css")
	if err != nil {
		panic(err) // it is embedded
	}
	return b
}

// Write writes inv as a page that stands alone: it loads nothing. The bytes depend on inv alone. An invoice without number is
// headed as a draft.
//
// It returns an error if the language is neither "de" nor "en", or that of w.
func Write(w io.Writer, inv billing.Invoice) error {
	t, ok := wording.Languages[inv.Language]
	if !ok {
		return fmt.Errorf("invoice %s: no texts in language %q", inv.Number, inv.Language)
	}
	// The style is ours and the colour is checked to be one: both are safe to write as they are.
	style := template.CSS(string(Style()) + "\n:root { --brand: " + colour(inv.Supplier.Design.Colour) + "; }\n")
	if err := page.Execute(w, view{inv, t, inv.Supplier.Location(), style}); err != nil {
		return fmt.Errorf("invoice %s: %w", inv.Number, err)
	}
	return nil
}

// Policy is the content security policy under which a page of ours can be shown: it loads nothing, runs nothing, and has the one
// style that stands in it.
func Policy(page []byte) string {
	_, rest, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	sum := sha256.Sum256(style)
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// colour is a colour of a utility, or the platform's if it is none.
func colour(s string) string {
	if len(s) != 7 || s[0] != '#' || strings.Trim(s[1:], "0123456789abcdefABCDEF") != "" {
		return "#0f4c5c"
	}
	return s
}

// view is what the page shows.
type view struct {
	billing.Invoice
	T     wording.Texts
	zone  *time.Location
	Style template.CSS
}

// Title names the document.
func (v view) Title() string { return v.T.Title(v.Invoice) }

// Logo is the utility's logo as a data URL, empty if it has none.
func (v view) Logo() template.URL {
	if len(v.Supplier.Design.Logo) == 0 {
		return ""
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(v.Supplier.Design.Logo))
}

// LogoAlt is the text in the logo's place.
func (v view) LogoAlt() string { return fmt.Sprintf(v.T.LogoAlt, v.Supplier.Name) }

// Fact is a label with its value.
type Fact struct{ Name, Value string }

// Facts are number, dates and references.
func (v view) Facts() []Fact {
	start, end := v.T.Span(v.Invoice)
	facts := []Fact{
		{v.T.Kinds[v.Type].Number, v.Number}, {v.T.Date, v.T.Day(v.Date)}, {v.T.CustomerNumber, v.Customer.Number},
		{v.T.BuyerReference, v.Customer.BuyerReference}, {v.T.CustomerVAT, v.Customer.VATID}, {v.T.CustomerTax, v.Customer.TaxNumber},
		{v.T.Period, start + " – " + end},
	}
	if !v.DueDate.IsZero() && v.Due.IsPositive() && v.Payment.Means != billing.PaymentOffset {
		facts = append(facts, Fact{v.T.Due, v.T.Day(v.DueDate)})
	}
	return filled(facts)
}

func filled(facts []Fact) []Fact {
	var kept []Fact
	for _, f := range facts {
		if strings.TrimSpace(f.Value) != "" {
			kept = append(kept, f)
		}
	}
	return kept
}

// Recipient is the address of the customer, line by line.
func (v view) Recipient() []string {
	c := v.Customer
	to := []string{c.Name, c.Contact, c.Address.Street, c.Address.PostalCode + " " + c.Address.City}
	if c.Address.Country != v.Supplier.Address.Country {
		to = append(to, c.Address.Country)
	}
	var kept []string
	for _, l := range to {
		if l != "" {
			kept = append(kept, l)
		}
	}
	return kept
}

// Greeting and Introduction open the letter.
func (v view) Greeting() string     { return v.T.Greeting(v.Customer) }
func (v view) Introduction() string { return v.T.Introduction(v.Invoice) }

// Panel is the three figures that most readers look for: a label, the figure, an explanation.
func (v view) Panel() [][3]string {
	count, kwh := wording.Sessions(v.Invoice)
	return [][3]string{
		{v.T.Kinds[v.Type].Sum, v.Money(v.Gross), v.T.VAT + " " + v.Money(v.VATTotal)},
		{v.T.EnergyPanel, v.T.Decimal(kwh, 3) + wording.NBSP + "kWh", v.T.SessionCount(count)},
		v.T.PaymentBrief(v.Invoice),
	}
}

// Group is a run of lines of one kind under one heading.
type Group struct {
	Heading  string
	Sessions bool
	Lines    []billing.InvoiceLine
}

// Groups are the lines as the tables of the page.
func (v view) Groups() []Group {
	var groups []Group
	for rest := v.Lines; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Heading == rest[0].Heading && (rest[n].Session == nil) == (rest[0].Session == nil) {
			n++
		}
		groups = append(groups, Group{Heading: v.T.LinesHeading(v.Invoice, rest[0]), Sessions: rest[0].Session != nil, Lines: rest[:n]})
		rest = rest[n:]
	}
	return groups
}

// Rates reports whether lines bear different taxes, so that each has to say its own.
func (v view) Rates() bool { return len(v.VAT) > 1 }

// Figures of a line.
func (v view) Day(s *billing.LineSession) string     { return v.T.Day(s.Start.In(v.zone)) }
func (v view) Times(s *billing.LineSession) string   { return v.T.Times(s, v.zone) }
func (v view) Instant(at time.Time) string           { return at.In(v.zone).Format(time.RFC3339) }
func (v view) Energy(l billing.InvoiceLine) string   { return v.T.Decimal(wording.Energy(l), 3) }
func (v view) Quantity(l billing.InvoiceLine) string { return v.T.Unit(l.Quantity, l.Unit) }
func (v view) Amount(l billing.InvoiceLine) string   { return v.Figure(wording.Shown(v.Invoice, l)) }
func (v view) Rate(percent decimal.Decimal) string   { return v.T.Decimal(percent, 0) }
func (v view) Figure(d decimal.Decimal) string       { return v.T.Decimal(d, 2) }
func (v view) Money(d decimal.Decimal) string        { return v.T.Money(d, v.Currency) }
func (v view) TaxName(t billing.VATLine) string      { return v.T.VATName(t) }
func (v view) WithTax(t billing.VATLine) string      { return v.Figure(t.Net.Add(t.Tax)) }
func (v view) AmountTitle() string                   { return v.T.AmountTitle(v.Invoice) }
func (v view) PricesNote() string                    { return v.T.PricesNote(v.Invoice) }
func (v view) DueName() string                       { return v.T.DueName(v.Invoice) }
func (v view) HowToPay() []string                    { return v.T.Payment(v.Invoice) }
func (v view) ByTransfer() bool                      { return wording.ByTransfer(v.Invoice) }
func (v view) SelfBilled() bool                      { return v.Type == billing.DocumentSelfBilled }
func (v view) Point(s *billing.LineSession) string {
	return strings.Trim(s.EVSEID+" · "+s.Operator, " ·")
}

// Account is where to transfer the amount to.
func (v view) Account() []Fact {
	p := v.Payment
	return filled([]Fact{
		{v.T.Payee, p.AccountName}, {"IBAN", iban.PaperFormat(strings.ReplaceAll(p.IBAN, " ", ""))}, {v.T.Bank, p.BIC},
		{v.T.Amount, v.Money(v.Due)}, {v.T.Purpose, v.Number},
	})
}

// Footer is the utility's legal data.
func (v view) Footer() [][]string {
	s := v.Supplier
	var tax []string
	for _, f := range filled([]Fact{{v.T.VATID, s.VATID}, {v.T.TaxNumber, s.TaxNumber}}) {
		tax = append(tax, f.Name+" "+f.Value)
	}
	var columns [][]string
	for _, lines := range [][]string{
		{s.Name, s.Address.Street, s.Address.PostalCode + " " + s.Address.City},
		{s.ContactName, s.ContactPhone, s.ContactEmail, s.Website},
		append([]string{s.Register}, strings.Split(s.Legal, "\n")...),
		tax,
	} {
		var kept []string
		for _, l := range lines {
			if strings.TrimSpace(l) != "" {
				kept = append(kept, l)
			}
		}
		if kept != nil {
			columns = append(columns, kept)
		}
	}
	return columns
}

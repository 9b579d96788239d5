package jobs

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/csv"
	"github.com/roamwerk/roamwerk/billing/einvoice"
	"github.com/roamwerk/roamwerk/billing/html"
	"github.com/roamwerk/roamwerk/billing/pdf"
)

// Format is a form in which an issued document can be had.
type Format struct {
	Name   string
	Media  string // media type
	Suffix string // of the file's name
	write  func(billing.Invoice) ([]byte, error)
}

// Formats are all of them. The first two are written when a document is issued, the others when somebody asks for them first;
// each is archived in the chain of its utility and never written again.
var Formats = []Format{
	{"pdf", "application/pdf", ".pdf", writePDF},
	{"xml", "application/xml", ".xml", func(inv billing.Invoice) ([]byte, error) { return writeXML(inv, profileOf(inv)) }},
	{"xrechnung", "application/xml", ".xrechnung.xml", func(inv billing.Invoice) ([]byte, error) { return writeXML(inv, einvoice.XRechnung) }},
	{"html", "text/html; charset=utf-8", ".html", func(inv billing.Invoice) ([]byte, error) { return written(inv, html.Write) }},
	{"csv", "text/csv; charset=utf-8", ".csv", func(inv billing.Invoice) ([]byte, error) { return written(inv, csv.Write) }},
}

// peppolFormat is what goes to an access point; nobody reads it, so it is none of Formats.
var peppolFormat = Format{"peppol", "application/xml", ".peppol.xml", func(inv billing.Invoice) ([]byte, error) { return written(inv, einvoice.WritePeppol) }}

// MeterFormat is the signed meter data of every session on a document, as the transparency software opens it. It is written from
// the records and not from the document, so it is none of Formats.
var MeterFormat = Format{Name: "meter", Media: "application/xml", Suffix: "-meter.xml"}

// atIssue is how many of Formats are written when a document is issued.
const atIssue = 2

// FormatOf is the format of a name.
func FormatOf(name string) (Format, bool) {
	if name == MeterFormat.Name {
		return MeterFormat, true
	}
	at := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name })
	if at < 0 {
		return Format{}, false
	}
	return Formats[at], true
}

func (f Format) file(inv billing.Invoice) (file, error) {
	b, err := f.write(inv)
	if err != nil {
		return file{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	return file{f.Name, inv.Number + f.Suffix, b}, nil
}

func written(inv billing.Invoice, write func(io.Writer, billing.Invoice) error) ([]byte, error) {
	var b bytes.Buffer
	err := write(&b, inv)
	return b.Bytes(), err
}

// writePDF writes the PDF. Inside is always plain EN 16931, which is what a reader of hybrid invoices expects; a public body
// gets its XRechnung as a file of its own.
func writePDF(inv billing.Invoice) ([]byte, error) {
	inside, err := writeXML(inv, einvoice.EN16931)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = pdf.Write(&page, inv, inside)
	return page.Bytes(), err
}

// writeXML writes an e-invoice and applies the rules that a recipient's software applies: a document that breaks one must
// not leave.
func writeXML(inv billing.Invoice, profile einvoice.Profile) ([]byte, error) {
	var xml bytes.Buffer
	if err := einvoice.Write(&xml, inv, profile); err != nil {
		return nil, fmt.Errorf("XML: %w", err)
	}
	findings, err := einvoice.Check(xml.Bytes())
	if err != nil {
		return nil, fmt.Errorf("check XML: %w", err)
	}
	if len(findings) > 0 {
		return nil, fmt.Errorf("XML breaks %d rules of EN 16931, first %v", len(findings), findings[0])
	}
	return xml.Bytes(), nil
}

// profileOf is XRechnung for a public body, which is known by its Leitweg-ID, and plain EN 16931 for everybody else.
func profileOf(inv billing.Invoice) einvoice.Profile {
	if inv.Customer.BuyerReference != "" {
		return einvoice.XRechnung
	}
	return einvoice.EN16931
}

// Package csv writes tables for spreadsheets, the way the German Excel opens them: semicolons, a byte order mark, and no text
// that could be taken for a formula. Write is the full list of an invoice's lines.
package csv

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/wording"
)

// Writer writes a table row by row.
type Writer struct{ out *csv.Writer }

// NewWriter begins a table on w.
func NewWriter(w io.Writer) (*Writer, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	return &Writer{out}, nil
}

// Row writes a row as it is: texts that come from people go through Text first.
func (w *Writer) Row(cells ...string) error { return w.out.Write(cells) }

// Flush sends what is buffered and reports the first error of all rows.
func (w *Writer) Flush() error {
	w.out.Flush()
	return w.out.Error()
}

// Text keeps a text from being taken for a formula.
func Text(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Number writes a number exactly, with the decimal mark of a language, "de" or "en".
func Number(d decimal.Decimal, language string) string {
	if language == "de" {
		return strings.Replace(d.String(), ".", ",", 1)
	}
	return d.String()
}

// Money writes an amount in cents, with the decimal mark of a language.
func Money(d decimal.Decimal, language string) string {
	text := d.StringFixed(2)
	if language == "de" {
		return strings.Replace(text, ".", ",", 1)
	}
	return text
}

// Instant writes an instant as a spreadsheet reads it.
func Instant(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04:05")
}

// heads are the names of the columns of Write.
var heads = map[string][]string{
	"de": {"Belegnummer", "Belegart", "Belegdatum", "Position", "Überschrift", "Bezeichnung", "Beschreibung", "CDR-ID", "Beginn", "Ende", "Minuten", "kWh", "Ort", "EVSE-ID", "Betreiber", "Karte",
		"Menge", "Einheit", "Steuerkategorie", "Steuersatz", "Netto", "Brutto", "Währung"},
	"en": {"document_no", "document_type", "document_date", "line_no", "heading", "name", "description", "cdr_id", "start_at", "end_at", "minutes", "kwh", "place", "evse_id", "operator", "card",
		"quantity", "unit", "vat_category", "vat_rate", "net", "gross", "currency"},
}

// Write writes the lines of inv, one a row, also where the document itself sums them up, with the sessions that they bill. Instants are in the supplier's time zone. The
// bytes depend on inv alone.
//
// It returns an error if the language is neither "de" nor "en", or that of w.
func Write(w io.Writer, inv billing.Invoice) error {
	t, ok := wording.Languages[inv.Language]
	if !ok {
		return fmt.Errorf("invoice %s: no texts in language %q", inv.Number, inv.Language)
	}
	table, err := NewWriter(w)
	if err != nil {
		return err
	}
	if err := table.Row(heads[inv.Language]...); err != nil {
		return err
	}
	zone := inv.Supplier.Location()
	for _, l := range inv.FullList() {
		number := func(d decimal.Decimal) string { return Number(d, inv.Language) }
		row := []string{Text(inv.Number), t.Kinds[inv.Type].Title, inv.Date.Format(time.DateOnly), l.ID, Text(l.Heading), Text(l.Name), Text(l.Description)}
		if s := l.Session; s != nil {
			minutes := decimal.NewFromInt(int64(s.End.Sub(s.Start) / time.Minute))
			row = append(row, Text(s.CDRID), Instant(s.Start, zone), Instant(s.End, zone), minutes.String(), number(wording.Energy(l)), Text(s.Place), Text(s.EVSEID), Text(s.Operator), Text(s.CardUID))
		} else {
			row = append(row, "", Instant(l.Period.Start, zone), Instant(l.Period.End, zone), "", "", "", "", "", "")
		}
		row = append(row, number(l.Quantity), string(l.Unit), string(l.VATCategory), number(l.VATRate), Money(l.Net, inv.Language), Money(l.Gross, inv.Language), inv.Currency)
		if err := table.Row(row...); err != nil {
			return err
		}
	}
	return table.Flush()
}

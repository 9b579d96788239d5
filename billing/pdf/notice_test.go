package pdf_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/pdf"
)

func day(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }

// letterOf is a letter to the customer of a case of the corpus.
func letterOf(t testing.TB, name, number string) (billing.Letter, billing.Payment) {
	inv := invoice(t, name)
	return billing.Letter{Number: number, Date: day(12, 10), Language: inv.Language, Currency: "EUR", Supplier: inv.Supplier, Customer: inv.Customer}, inv.Payment
}

func TestWriteReminder(t *testing.T) {
	letter, payment := letterOf(t, "private-one-page", "LIN-M-000012")
	r := billing.Reminder{
		Letter: letter, Level: 2, PayBy: day(12, 24), Payment: payment, Block: day(12, 28),
		Items: []billing.OpenItem{
			{Number: "LIN-2026-000101", Date: day(11, 3), DueDate: day(11, 17), Gross: decimal.RequireFromString("83.49"), Open: decimal.RequireFromString("83.49")},
			{Number: "LIN-2026-000077", Date: day(10, 2), DueDate: day(10, 16), Gross: decimal.RequireFromString("51.20"), Open: decimal.RequireFromString("11.20")},
		},
		Charges: []billing.Charge{{Text: "Rücklastschrift der Bank", Amount: decimal.RequireFromString("3.50")}},
	}
	if got := r.Total().String(); got != "98.19" {
		t.Errorf("total = %s", got)
	}
	var b bytes.Buffer
	if err := pdf.WriteReminder(&b, r); err != nil {
		t.Fatal(err)
	}
	inOrder(t, text(t, b.Bytes()), "LIN-M-000012", "10.12.2026", "Erika Sommerfeld", "Mahnung", "Guten Tag Erika Sommerfeld,", "Offene Posten",
		"LIN-2026-000101", "17.11.2026", "83,49", "LIN-2026-000077", "51,20", "11,20", "Rücklastschrift der Bank", "3,50", "Gesamtbetrag", "98,19",
		"Bitte überweisen Sie 98,19 € bis zum 24.12.2026", "GiroCode", "28.12.2026", "Seite 1 von 1")
	inOrder(t, poppler(t, b.Bytes(), "pdfinfo", "-struct-text", "FILE"), "H1", "Mahnung", "H2", "Offene Posten", "Table", "TH", "TD", "H2", "Figure")

	for level, want := range map[int]string{1: "Zahlungserinnerung", 3: "Letzte Mahnung"} {
		r.Level = level
		b.Reset()
		if err := pdf.WriteReminder(&b, r); err != nil || !strings.Contains(text(t, b.Bytes()), want) {
			t.Errorf("level %d: %v, lacks %q", level, err, want)
		}
	}
	for _, level := range []int{0, 4} {
		r.Level = level
		if err := pdf.WriteReminder(io.Discard, r); err == nil {
			t.Errorf("level %d is written", level)
		}
	}
}

func TestWriteStatement(t *testing.T) {
	letter, _ := letterOf(t, "private-card-paid", "")
	s := billing.Statement{Letter: letter, From: day(1, 1), To: day(12, 10), Opening: decimal.RequireFromString("10")}
	for i := range 60 {
		s.Entries = append(s.Entries,
			billing.Entry{Date: day(1, 2+i), Text: "Invoice", Document: fmt.Sprintf("LIN-2026-%06d", i), Amount: decimal.RequireFromString("12.34")},
			billing.Entry{Date: day(1, 3+i), Text: "Direct debit collected", Amount: decimal.RequireFromString("-12.34")})
	}
	s.Entries = append(s.Entries, billing.Entry{Date: day(12, 1), Text: "Overpayment", Amount: decimal.RequireFromString("-25")})
	if got := s.Closing().String(); got != "-15" {
		t.Errorf("closing balance = %s", got)
	}
	var b bytes.Buffer
	if err := pdf.WriteStatement(&b, s); err != nil {
		t.Fatal(err)
	}
	inOrder(t, text(t, b.Bytes()), "Statement of account", "1 Jan 2026", "Opening balance", "10.00", "LIN-2026-000000", "12.34", "22.34", "Direct debit collected", "−12.34", "10.00",
		"Balance EUR", "Closing balance", "−15.00", "in your favour")
}

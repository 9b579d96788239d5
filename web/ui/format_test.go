package ui

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func TestNumbers(t *testing.T) {
	d := decimal.RequireFromString
	for _, c := range []struct{ got, want string }{
		{German.Int(1234567), "1.234.567"}, {English.Int(-1234), "−1,234"}, {German.Int(0), "0"},
		{German.Money(d("14.3"), "EUR"), "14,30\u00a0€"}, {English.Money(d("14.3"), "EUR"), "€14.30"},
		{German.Money(d("-1234.005"), "EUR"), "−1.234,01\u00a0€"}, {English.Money(d("-1234.005"), "EUR"), "−€1,234.01"},
		{German.Money(d("-0.004"), "EUR"), "0,00\u00a0€"}, {German.Money(d("2.5"), "CHF"), "2,50\u00a0CHF"}, {English.Money(d("2.5"), "CHF"), "2.50\u00a0CHF"},
		{German.Price(d("0.4275"), "EUR"), "0,4275\u00a0€"}, {German.Price(d("0.50000"), "EUR"), "0,50\u00a0€"}, {German.Price(d("0.123456"), "EUR"), "0,1235\u00a0€"}, {German.Price(d("100"), "EUR"), "100,00\u00a0€"},
		{German.KWh(d("1234.5")), "1.234,500"}, {German.Percent(d("19.00")), "19\u00a0%"}, {English.Percent(d("7.75")), "7.8%"},
		{German.Exact(d("1000"), 0, 4), "1.000"}, {German.Size(512), "512\u00a0B"}, {English.Size(1536), "1.5\u00a0KB"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2026, 10, 25, 0, 30, 59, 0, time.UTC) // 02:30 in Berlin, for the first time that night
	later := at.Add(time.Hour)                            // 02:30 again
	for _, c := range []struct{ got, want string }{
		{German.DateTime(at), "25.10.2026 02:30"}, {German.DateTime(later), "25.10.2026 02:30"}, {English.DateTime(at), "25 Oct 2026, 02:30"},
		{UTC(later), "2026-10-25 01:30:59 UTC"}, {German.Date(at), "25.10.2026"}, {German.Month(at), "Oktober 2026"}, {English.DayMonth(at), "25 Oct"},
		{German.Duration(4*time.Hour + 42*time.Minute + 59*time.Second), "4:42"}, {German.Duration(-5 * time.Minute), "−0:05"}, {German.Duration(30 * time.Hour), "30:00"},
		{German.Clock(time.Hour + 2*time.Minute + 3*time.Second), "1:02:03"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

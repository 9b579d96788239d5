package wording_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/wording"
)

func TestFigures(t *testing.T) {
	for _, c := range []struct{ in, de, en, euroDE, euroEN string }{
		{"0", "0,00", "0.00", "0,00 €", "€0.00"},
		{"1234.5", "1.234,50", "1,234.50", "1.234,50 €", "€1,234.50"},
		{"-1234567.891", "−1.234.567,891", "−1,234,567.891", "−1.234.567,89 €", "−€1,234,567.89"},
		{"999", "999,00", "999.00", "999,00 €", "€999.00"},
		{"10.100", "10,10", "10.10", "10,10 €", "€10.10"},
	} {
		d := decimal.RequireFromString(c.in)
		de, en := wording.Languages["de"], wording.Languages["en"]
		for got, want := range map[string]string{
			de.Decimal(d, 2):    c.de,
			en.Decimal(d, 2):    c.en,
			de.Money(d, "EUR"):  strings.ReplaceAll(c.euroDE, " ", wording.NBSP),
			en.Money(d, "EUR"):  c.euroEN,
			en.Money(d, "CHF"):  en.Decimal(billing.Round(d, 2), 2) + wording.NBSP + "CHF",
			de.Unit(d, "KWH"):   de.Decimal(d, 0) + wording.NBSP + "kWh",
			de.Unit(d, "WEEKS"): de.Decimal(d, 0) + wording.NBSP + "WEEKS",
		} {
			if got != want {
				t.Errorf("%s is shown as %q, want %q", c.in, got, want)
			}
		}
	}
	if got := wording.Languages["de"].Unit(decimal.NewFromInt(1), billing.UnitMonth); got != "1"+wording.NBSP+"Monat" {
		t.Errorf("one month is %q", got)
	}
}

// TestLanguagesSayTheSameThings compares every text of one language with that of the other: both are there, and both are
// filled with as many values.
func TestLanguagesSayTheSameThings(t *testing.T) {
	de, en := reflect.ValueOf(wording.Languages["de"]), reflect.ValueOf(wording.Languages["en"])
	for i := range de.NumField() {
		name := de.Type().Field(i).Name
		switch de.Field(i).Kind() {
		case reflect.String:
			a, b := de.Field(i).String(), en.Field(i).String()
			if name != "TimeSuffix" && (a == "" || b == "") {
				t.Errorf("%s is missing in a language: %q, %q", name, a, b)
			}
			plain := strings.NewReplacer("%%", "")
			if strings.Count(plain.Replace(a), "%") != strings.Count(plain.Replace(b), "%") {
				t.Errorf("%s is filled with other values in German than in English: %q, %q", name, a, b)
			}
		case reflect.Array:
			for k := range de.Field(i).Len() {
				if de.Field(i).Index(k).String() == "" || en.Field(i).Index(k).String() == "" {
					t.Errorf("%s has no text for level %d in a language", name, k+1)
				}
			}
		case reflect.Map:
			for _, key := range de.Field(i).MapKeys() {
				if !en.Field(i).MapIndex(key).IsValid() {
					t.Errorf("%s has no English %v", name, key)
				}
			}
		}
	}
}

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{
		"DE02 5001 0517 0137 0750 30": "DE02" + wording.NBSP + "····" + wording.NBSP + "5030",
		"short":                       "short",
	} {
		if got := wording.Masked(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

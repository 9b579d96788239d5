package billing_test

import (
	"errors"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

func TestBaseFee(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		parsed, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	october := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, from, to string
		days           int
		fee            string
	}{
		{"the whole month", "2026-01-01T00:00:00Z", "", 31, "4.9"},
		{"from the 12th", "2026-10-12T15:00:00Z", "", 20, "3.16"}, // 4.90 × 20 / 31 = 3.1612…
		{"the day counts in the utility's zone", "2026-10-11T22:30:00Z", "", 20, "3.16"},
		{"to the 12th", "2026-01-01T00:00:00Z", "2026-10-12T15:00:00Z", 12, "1.9"},              // 1.8967…
		{"to midnight of the 12th", "2026-01-01T00:00:00Z", "2026-10-11T22:00:00Z", 11, "1.74"}, // 1.7387…
		{"a single day", "2026-10-12T06:00:00Z", "2026-10-12T15:00:00Z", 1, "0.16"},
		{"begins later", "2026-11-01T00:00:00Z", "", 0, "0"},
		{"ended earlier", "2026-01-01T00:00:00Z", "2026-09-30T22:00:00Z", 0, "0"}, // midnight at the beginning of October
		{"the last day", "2026-10-31T22:00:00Z", "", 1, "0.16"},                   // 23:00, as winter time has begun
	} {
		var to *time.Time
		if c.to != "" {
			end := at(c.to)
			to = &end
		}
		d := billing.DaysOf(october, zone, at(c.from), to)
		if fee := billing.BaseFee(decimal.RequireFromString("4.90"), d, "EUR"); d.Days != c.days || fee.String() != c.fee && (c.days > 0 || !fee.IsZero()) {
			t.Errorf("%s: %d days of %d, %s", c.name, d.Days, d.Of, fee)
		}
	}
	net, gross := billing.FeeAmounts(decimal.RequireFromString("4.90"), true, billing.VAT{Category: billing.VATStandard, Rate: decimal.NewFromInt(19)})
	if net.String() != "4.12" || gross.String() != "4.9" {
		t.Errorf("%s net, %s gross", net, gross)
	}
	if net, gross = billing.FeeAmounts(decimal.RequireFromString("4.90"), false, billing.VAT{Category: billing.VATStandard, Rate: decimal.NewFromInt(19)}); net.String() != "4.9" || gross.String() != "5.83" {
		t.Errorf("%s net, %s gross", net, gross)
	}
}

func TestDecideServiceVAT(t *testing.T) {
	at := time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, country string
		business      bool
		vatID         string
		want          billing.VATCategory // empty: no rule
	}{
		{"a neighbour", "DE", false, "", billing.VATStandard},
		{"a company at home", "DE", true, "DE123456789", billing.VATStandard},
		{"a company in Austria", "AT", true, "ATU12345678", billing.VATReverseCharge},
		{"a company in Greece", "GR", true, "EL123456789", billing.VATReverseCharge},
		{"without a VAT id", "AT", true, "", ""},
		{"with that of another country", "AT", true, "DE123456789", ""},
		{"a consumer in Austria", "AT", false, "", ""},
		{"a company in Switzerland", "CH", true, "CHE123456789", ""},
	} {
		vat, err := billing.DecideServiceVAT("DE", c.country, at, c.business, c.vatID)
		if vat.Category != c.want || (err != nil) != (c.want == "") || err != nil && !errors.Is(err, billing.ErrNoTaxRule) {
			t.Errorf("%s: %+v, %v", c.name, vat, err)
		}
	}
}

package billing_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing"
)

func TestDecideVAT(t *testing.T) {
	for _, c := range []struct {
		name, country, day string
		reseller           bool
		category           billing.VATCategory
		rate               string
	}{
		{"today", "DE", "2026-10-31", false, billing.VATStandard, "19"},
		{"last day of the lowered rate", "DE", "2020-12-31", false, billing.VATStandard, "16"},
		{"first day of the old rate again", "DE", "2021-01-01", false, billing.VATStandard, "19"},
		{"reseller with evidence", "DE", "2026-10-31", true, billing.VATReverseCharge, "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			day, err := time.Parse(time.DateOnly, c.day)
			if err != nil {
				t.Fatal(err)
			}
			got, err := billing.DecideVAT(c.country, day, c.reseller)
			if err != nil {
				t.Fatal(err)
			}
			if got.Category != c.category {
				t.Errorf("category = %s, want %s", got.Category, c.category)
			}
			want(t, "rate", got.Rate, c.rate)
		})
	}
	for _, country := range []string{"IE", "CH", ""} {
		if _, err := billing.DecideVAT(country, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), false); !errors.Is(err, billing.ErrNoTaxRule) {
			t.Errorf("a session in %q gives %v, want a stop", country, err)
		}
	}
}

func TestVATRates(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if s != "" && err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct{ country, first, last, want string }{
		{"DE", "2026-10-31", "", "[19]"},
		{"DE", "2020-06-30", "2020-07-01", "[19 16]"},
		{"DE", "2020-08-01", "2020-12-31", "[16]"},
		{"DE", "2020-08-01", "", "[16 19]"},
		{"SK", "2024-12-31", "", "[20 23]"},
		{"SK", "2025-01-01", "", "[23]"},
		{"DE", "2006-12-31", "2006-12-31", "[]"},
		{"XX", "2026-10-31", "", "[]"},
	} {
		if got := fmt.Sprint(billing.VATRates(c.country, day(c.first), day(c.last))); got != c.want {
			t.Errorf("%s from %s to %q: %s, want %s", c.country, c.first, c.last, got, c.want)
		}
	}
	for _, country := range billing.VATCountries() {
		if len(billing.VATRates(country, day("2026-01-01"), time.Time{})) != 1 {
			t.Errorf("%s has no rate in 2026, or several", country)
		}
	}
}

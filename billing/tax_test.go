package billing_test

import (
	"errors"
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

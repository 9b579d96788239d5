package billing_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// P17, TAR-02: what differs from the published version in what it prices, and what that makes of this CDR.
func TestCompareTariffs(t *testing.T) {
	base := elements(
		element(`"start_time":"08:00","end_time":"20:00","day_of_week":["MONDAY","TUESDAY"],"max_kwh":10`, "ENERGY 0.40 19 1"),
		element("", "ENERGY 0.30 19 1", "FLAT 1 19 0"),
	) + `| "max_price":{"excl_vat":9,"incl_vat":10.71},"last_updated":"2024-01-01T00:00:00Z"`
	for _, c := range []struct {
		name, published string
		want            []string
		effect          string
	}{
		{"the same", base, nil, "0"},
		{"written otherwise", elements(
			`{"restrictions":{"end_time":"20:00:00","start_time":"08:00:00","max_kwh":10.0,"day_of_week":["TUESDAY","MONDAY","MONDAY"]},"price_components":[{"step_size":0,"vat":19.00,"price":4e-1,"type":"ENERGY"}]}`,
			element("", "ENERGY 0.30 19 1", "FLAT 1 19 7"),
		) + `| "max_price":{"excl_vat":9,"incl_vat":10.71},"last_updated":"2025-01-01T00:00:00Z","tariff_alt_url":"https://example.org"`, nil, "0"},
		{"a price", elements(
			element(`"start_time":"08:00","end_time":"20:00","day_of_week":["MONDAY","TUESDAY"],"max_kwh":10`, "ENERGY 0.35 19 1"),
			element("", "ENERGY 0.30 19 1", "FLAT 1 19 0"),
		) + `| "max_price":{"excl_vat":9,"incl_vat":10.71}`, []string{"elements[0].price_components[0].price 0.35→0.4 0.5"}, "0.5"},
		{"two prices, a step and a limit", elements(
			element(`"start_time":"08:00","end_time":"20:00","day_of_week":["MONDAY","TUESDAY"],"max_kwh":10`, "ENERGY 0.35 19 1"),
			element("", "ENERGY 0.50 19 1000", "FLAT 1 7 0"),
		), []string{
			"max_price →9 / 10.71 -0.5", // 3.50 + 5 + 1 = 9.50, held at 9
			"elements[0].price_components[0].price 0.35→0.4 0.5",
			"elements[1].price_components[0].price 0.5→0.3 -2",
			"elements[1].price_components[0].step_size 1000→1 0",
			"elements[1].price_components[1].vat 7→19 0",
		}, "-1.5"},
		{"a restriction", elements(
			element(`"start_time":"08:00","end_time":"20:00","day_of_week":["MONDAY","TUESDAY"],"max_kwh":5`, "ENERGY 0.40 19 1"),
			element("", "ENERGY 0.30 19 1", "FLAT 1 19 0"),
		) + `| "max_price":{"excl_vat":9,"incl_vat":10.71}`,
			[]string{"elements[0].restrictions time=08:00:00-20:00:00 day_of_week=MONDAY,TUESDAY max_kwh=5→time=08:00:00-20:00:00 day_of_week=MONDAY,TUESDAY max_kwh=10 0"}, "0"}, // the period is priced as at its start
		{"another number of elements", element("", "ENERGY 0.30 19 1", "FLAT 1 19 0") + `| "max_price":{"excl_vat":9,"incl_vat":10.71}`, []string{"elements 1→2 1"}, "1"},
		{"another component", elements(
			element(`"start_time":"08:00","end_time":"20:00","day_of_week":["MONDAY","TUESDAY"],"max_kwh":10`, "ENERGY 0.40 19 1", "FLAT 2 19 0"),
			element("", "ENERGY 0.30 19 1", "FLAT 1 19 0"),
		) + `| "max_price":{"excl_vat":9,"incl_vat":10.71}`, []string{"elements[0].price_components 2→1 -1"}, "-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cdr := sessionDoc(t, "12:00", "10:00 ENERGY=10", "11:00 ENERGY=10")
			cdr.Tariffs = []ocpi.Tariff{tariffDoc(t, "T", base)}
			got := billing.CompareTariffs(cdr, []ocpi.Tariff{tariffDoc(t, "x", base), tariffDoc(t, "t", c.published)}, time.UTC, billing.DefaultPolicy)
			if len(got) != 1 || !got[0].Published {
				t.Fatalf("%+v", got)
			}
			var changes []string
			for _, change := range got[0].Changes {
				changes = append(changes, fmt.Sprintf("%s %s→%s %s", change.Path, change.From, change.To, change.Effect.ExclVAT))
			}
			if !slices.Equal(changes, c.want) || got[0].Effect.ExclVAT.String() != c.effect {
				t.Errorf("%q, in all %s; want %q, %s", changes, got[0].Effect.ExclVAT, c.want, c.effect)
			}
		})
	}
	cdr := sessionDoc(t, "12:00", "10:00 ENERGY=10")
	cdr.Tariffs = []ocpi.Tariff{tariffDoc(t, "T", base)}
	if got := billing.CompareTariffs(cdr, nil, time.UTC, billing.DefaultPolicy); len(got) != 1 || got[0].Published || got[0].Changes != nil {
		t.Errorf("%+v", got)
	}
}

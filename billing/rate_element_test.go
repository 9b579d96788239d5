package billing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing"
)

// VDF-07: of a tariff of OCPI 2.1.1 the first element that matches prices alone; in 2.2.1 each dimension looks on for itself
// (PRC-04).
func TestRateOneElement(t *testing.T) {
	night := element(`"start_time":"22:00","end_time":"06:00"`, "ENERGY 0.20 - 1")
	day := element("", "ENERGY 0.40 - 1", "PARKING_TIME 6 - 1", "FLAT 1 - 1")
	first := element("", "TIME 2 - 1")
	quick := element(`"max_duration":3600`, "ENERGY 0.30 - 1")
	for _, c := range []struct {
		name     string
		elements string
		end      string
		periods  []string
		want     [2]string // in 2.2.1, in 2.1.1
	}{
		{"all from one", elements(night, day), "12:00", []string{"10:00 ENERGY=10 TIME=1", "11:00 PARKING_TIME=1"}, [2]string{"11", "11"}},
		{"at night there is energy only", elements(night, day), "2024-01-15T23:30:00Z",
			[]string{"2024-01-15T22:00:00Z ENERGY=10 TIME=1", "2024-01-15T23:00:00Z PARKING_TIME=0.5"}, [2]string{"6", "2"}},
		{"energy is free beside time", elements(first, day), "11:00", []string{"10:00 ENERGY=10 TIME=1"}, [2]string{"7", "2"}},
		{"later another one matches", elements(quick, day), "12:00", []string{"10:00 ENERGY=10 TIME=1", "11:00 ENERGY=10 TIME=1"}, [2]string{"8", "8"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, version := range []string{"", `|"ocpi_version":"2.1.1"`} {
				cdr := sessionDoc(t, c.end, c.periods...)
				r := billing.Rate(cdr, compile(tariffDoc(t, "T", c.elements+version)), time.UTC, billing.DefaultPolicy)
				if r.Total.ExclVAT.String() != c.want[i] {
					t.Errorf("%q: total %s, want %s: %+v", version, r.Total.ExclVAT, c.want[i], r.Lines)
				}
				holdInvariants(t, cdr, r)
			}
			byPrice, ok := billing.PolicyNamed("element-per-price") // as the complex example of OCPI 2.1.1 can only be meant
			cdr, old := sessionDoc(t, c.end, c.periods...), compile(tariffDoc(t, "T", c.elements+`|"ocpi_version":"2.1.1"`))
			if r := billing.Rate(cdr, old, time.UTC, byPrice); !ok || r.Total.ExclVAT.String() != c.want[0] {
				t.Errorf("each dimension by an element of its own: total %s, want %s: %+v", r.Total.ExclVAT, c.want[0], r.Lines)
			}
			replay(t, cdr, old, time.UTC, byPrice)
			cdr.TotalCost.ExclVAT = number(c.want[0])
			if _, v := billing.Review(cdr, old, time.UTC, billing.Readings, billing.DefaultTolerance); !v.Agrees && v.Reading != byPrice.Name {
				t.Errorf("%+v", v)
			}
		})
	}
}

// What an element leaves free is not a price: nothing is missed of it, and it bears no VAT.
func TestRateOneElementIsNotAPrice(t *testing.T) {
	cdr := sessionDoc(t, "11:00", "10:00 TIME=1")
	cdr.TotalEnergy = number("10")
	r := billing.Rate(cdr, compile(tariffDoc(t, "T", element("", "TIME 2 19 1")+`|"ocpi_version":"2.1.1"`)), time.UTC, billing.DefaultPolicy)
	if slices.Contains(codes(r.Findings), "quantity-missing") || r.Total.InclVAT.String() != "2.38" {
		t.Errorf("total %s, findings %v", r.Total.InclVAT, codes(r.Findings))
	}
}

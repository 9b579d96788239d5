package lint_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
)

func TestSample(t *testing.T) {
	doc := tariffOf(t, list(e(`"start_time":"06:00","end_time":"22:00","max_kwh":20`, "ENERGY 0.40 19 1"), e(`"min_duration":1800`, "ENERGY 0.20 19 1"), e("", "ENERGY 0.30 19 1")))
	start := time.Date(2026, 11, 23, 21, 45, 0, 0, berlin(t)) // a Monday
	// 15 min by day, 15 min until half an hour has passed, 10 min after that: 11.25, 11.25 and 7.5 of 30 kWh, and 20 kWh on the way.
	s := lint.Sample(doc, berlin(t), start, 40*time.Minute, decimal.NewFromInt(30))
	var legs []string
	for _, leg := range s.Legs {
		legs = append(legs, fmt.Sprint(leg.Length, " ", leg.KWh, " ", leg.LowPower.Decimal))
	}
	if want := []string{"15m0s 11.25 45", "11m40s 8.75 45", "3m20s 2.5 45", "10m0s 7.5 45"}; !slices.Equal(legs, want) {
		t.Errorf("legs %q, want %q", legs, want)
	}
	tariff, _ := billing.Compile(doc, billing.CompileOptions{EveryPeriod: true})
	r := billing.Rate(s.CDR("EUR"), []*billing.Tariff{tariff}, berlin(t), billing.DefaultPolicy)
	if got, want := r.Total.ExclVAT.String(), "9.375"; got != want { // 11.25 × 0.40 + 11.25 × 0.30 + 7.5 × 0.20
		t.Errorf("costs %s, want %s", got, want)
	}
	if s := lint.Sample(doc, nil, start, 0, decimal.NewFromInt(30)); s.Legs != nil {
		t.Errorf("no time: %+v", s)
	}
}

// PRC-08: a sample is cut wherever its price changes, and loses nothing by it.
func TestSampleIsCut(t *testing.T) {
	zone := berlin(t)
	for n := range *tariffs {
		w := world{rand.New(rand.NewPCG(20, uint64(n)))}
		doc := w.tariff()
		start := time.Date(2026, time.March, 27+w.IntN(5), w.IntN(24), w.IntN(60), w.IntN(60), 0, zone)
		length, kwh := time.Duration(1+w.IntN(3000))*time.Minute, decimal.New(int64(1+w.IntN(50_000)), -3)
		cdr := lint.Sample(doc, zone, start, length, kwh).CDR("EUR")
		tariff, _ := billing.Compile(doc, billing.CompileOptions{EveryPeriod: true})
		r := billing.Rate(cdr, []*billing.Tariff{tariff}, zone, billing.DefaultPolicy)
		for _, f := range r.Findings {
			if f.Code == "period-not-split" {
				t.Fatalf("tariff %d: %s %s\n%s\n%s", n, f.Path, f.Message, text(doc), text(*cdr))
			}
		}
		if !r.TotalEnergy.Equal(kwh) || !cdr.EndDateTime.Equal(start.Add(length)) {
			t.Fatalf("tariff %d: %s kWh until %s, want %s until %s", n, r.TotalEnergy, cdr.EndDateTime, kwh, start.Add(length))
		}
	}
}

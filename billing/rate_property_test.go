package billing_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/literal"
	"github.com/roamwerk/roamwerk/ocpi"
)

// made is the CDR number n of a test, with the tariffs in it.
func made(n int, stream uint64) (literal.Case, *rand.Rand) {
	r := rand.New(rand.NewPCG(uint64(n), stream))
	return literal.Generate(r), r
}

// Cutting a period where nothing changes does not change the price (PRC-08), neither does the order of the periods (CDR-20).
func TestRateExtraCuts(t *testing.T) {
	for n := range 1000 {
		c, r := made(n, 5)
		for i := range c.CDR.Tariffs { // levels do not divide, and edges inside a period are what must be cut
			for k := range c.CDR.Tariffs[i].Elements {
				c.CDR.Tariffs[i].Elements[k].Restrictions = nil
			}
		}
		tariffs := compile(c.CDR.Tariffs...)
		whole := billing.Rate(&c.CDR, tariffs, c.Zone, billing.Policy{HoursAsSent: true})
		holdInvariants(t, &c.CDR, whole)
		cut := c.CDR
		cut.ChargingPeriods = cutPeriods(r, c.CDR)
		parts := billing.Rate(&cut, tariffs, c.Zone, billing.Policy{HoursAsSent: true})
		if !whole.Total.ExclVAT.Equal(parts.Total.ExclVAT) || !whole.Total.InclVAT.Equal(parts.Total.InclVAT) {
			t.Fatalf("case %d: %v whole, %v in parts", n, whole.Total, parts.Total)
		}
	}
}

// cutPeriods cuts each period in two, and shuffles them where their starts tell the order.
func cutPeriods(r *rand.Rand, cdr ocpi.CDR) []ocpi.ChargingPeriod {
	sorted := slices.Clone(cdr.ChargingPeriods)
	slices.SortStableFunc(sorted, func(a, b ocpi.ChargingPeriod) int { return a.StartDateTime.Compare(b.StartDateTime) })
	var cut []ocpi.ChargingPeriod
	for i, p := range sorted {
		end := cdr.EndDateTime
		if i+1 < len(sorted) {
			end = sorted[i+1].StartDateTime
		}
		first := ocpi.ChargingPeriod{StartDateTime: p.StartDateTime, TariffID: p.TariffID}
		second := ocpi.ChargingPeriod{StartDateTime: p.StartDateTime.Add(max(end.Sub(p.StartDateTime), 0) / 3), TariffID: p.TariffID}
		for _, d := range p.Dimensions {
			part := d.Volume.Decimal.Mul(decimal.New(1+r.Int64N(98), -2))
			first.Dimensions = append(first.Dimensions, ocpi.CDRDimension{Type: d.Type, Volume: ocpi.Number(part)})
			second.Dimensions = append(second.Dimensions, ocpi.CDRDimension{Type: d.Type, Volume: ocpi.Number(d.Volume.Decimal.Sub(part))})
		}
		cut = append(cut, first, second)
	}
	at := func(p ocpi.ChargingPeriod) time.Time { return p.StartDateTime }
	if starts := slices.CompactFunc(slices.Clone(cut), func(a, b ocpi.ChargingPeriod) bool { return at(a).Equal(at(b)) }); len(starts) == len(cut) {
		r.Shuffle(len(cut), func(i, j int) { cut[i], cut[j] = cut[j], cut[i] })
	}
	return cut
}

// One pricer for many CDRs gives what a new one gives for each.
func TestPricerIsReused(t *testing.T) {
	var pricer billing.Pricer
	for n := range 500 {
		c, _ := made(n, 13)
		tariffs := compile(c.CDR.Tariffs...)
		want := billing.Rate(&c.CDR, tariffs, c.Zone, billing.DefaultPolicy)
		total := pricer.Price(&c.CDR, tariffs, c.Zone, billing.DefaultPolicy)
		if !total.ExclVAT.Equal(want.Total.ExclVAT) || !total.InclVAT.Equal(want.Total.InclVAT) {
			t.Fatalf("case %d: %v, want %v", n, total, want.Total)
		}
		if got := text(t, pricer.Rating()); got != text(t, want) {
			t.Fatalf("case %d: %s\nwant %s", n, got, text(t, want))
		}
	}
}

// Whatever bytes a partner sends: no panic, an end, and sums that hold.
func FuzzRate(f *testing.F) {
	for n := range 20 {
		c, _ := made(n, 7)
		doc, err := ocpi.Marshal(c.CDR)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Add([]byte(`{"charging_periods":[{"start_date_time":"0001-01-01T00:00:00Z","dimensions":[{"type":"TIME","volume":1e39}]}],"tariffs":[{"elements":[{"price_components":[{"type":"TIME","price":-1e-39}]}]}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var cdr ocpi.CDR
		if ocpi.Unmarshal(doc, &cdr) != nil {
			return
		}
		if len(cdr.ChargingPeriods) > 100 || len(cdr.Tariffs) > 10 {
			return
		}
		for _, p := range billing.Readings {
			r := billing.Rate(&cdr, compile(cdr.Tariffs...), time.UTC, p)
			if p.Places == 0 {
				holdInvariants(t, &cdr, r)
			}
			billing.Check(&cdr, r, billing.DefaultTolerance)
			billing.Judge(billing.Evidence{CDR: &cdr, Wholesale: r, Retail: r})
			billing.Sentence(r, "de")
		}
	})
}

package billing

import (
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func TestItemsOfPriceWithVAT(t *testing.T) {
	// 17.123 kWh × 0.59 = 10.10257; 12 min × 0.10 = 1.20; together 11.30257 → 11.30 gross.
	// Floors 10.10 + 1.20 = 11.30. Net at 19 %: 11.30 / 1.19 = 9.4957… → 9.50; parts 8.487… and 1.008… → 8.49 + 1.01.
	r := Rating{
		Total: Amount{ExclVAT: dec("9.4979"), InclVAT: dec("11.30257")},
		Lines: []Line{
			{Dimension: "ENERGY", TaxIncluded: true, InclVAT: dec("10.10257")},
			{Dimension: "PARKING_TIME", TaxIncluded: true, InclVAT: dec("1.20")},
		},
	}
	items, net, gross := Items(r, VAT{Category: VATStandard, Rate: dec("19")})
	if got := net.String() + " " + gross.String(); got != "9.5 11.3" {
		t.Errorf("net, gross = %s", got)
	}
	for i, want := range []string{"8.49 10.1", "1.01 1.2"} {
		if got := items[i].Net.String() + " " + items[i].Gross.String(); got != want {
			t.Errorf("item %d = %s, want %s", i, got, want)
		}
	}
}

func TestItemsOfPriceWithoutVAT(t *testing.T) {
	// 0.333 + 0.333 + 0.334 = 1.00 net, 1.19 gross. Each net part is 0.33, the missing cent goes to 0.334.
	r := Rating{
		Total: Amount{ExclVAT: dec("1"), InclVAT: dec("1.19")},
		Lines: []Line{{ExclVAT: dec("0.333")}, {ExclVAT: dec("0.333")}, {ExclVAT: dec("0.334")}},
	}
	items, net, gross := Items(r, VAT{Category: VATStandard, Rate: dec("19")})
	if !net.Equal(dec("1")) || !gross.Equal(dec("1.19")) {
		t.Errorf("net, gross = %s, %s", net, gross)
	}
	for i, want := range []string{"0.33", "0.33", "0.34"} {
		if got := items[i].Net.String(); got != want {
			t.Errorf("net of item %d = %s, want %s", i, got, want)
		}
	}
}

// The parts always sum to the whole, on both sides, whatever the rate and the sign.
func TestItemsSumToTheSession(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		r := Rating{}
		included := rng.IntN(2) == 0
		for range 1 + rng.IntN(6) {
			amount := decimal.New(rng.Int64N(40_000_000)-2_000_000, -6)
			r.Lines = append(r.Lines, Line{TaxIncluded: included, ExclVAT: amount, InclVAT: amount})
			r.Total.ExclVAT, r.Total.InclVAT = r.Total.ExclVAT.Add(amount), r.Total.InclVAT.Add(amount)
		}
		rate := decimal.NewFromInt(rng.Int64N(28))
		items, net, gross := Items(r, VAT{Rate: rate})
		sumNet, sumGross := decimal.Zero, decimal.Zero
		for _, item := range items {
			sumNet, sumGross = sumNet.Add(item.Net), sumGross.Add(item.Gross)
			if !item.Net.Equal(item.Net.Round(2)) || !item.Gross.Equal(item.Gross.Round(2)) {
				t.Fatalf("item is not in cents: %s %s", item.Net, item.Gross)
			}
		}
		if !sumNet.Equal(net) || !sumGross.Equal(gross) {
			t.Fatalf("parts sum to %s / %s, session is %s / %s", sumNet, sumGross, net, gross)
		}
		if diff := gross.Sub(net.Mul(hundred.Add(rate)).Div(hundred)).Abs(); diff.GreaterThan(cent) {
			t.Fatalf("gross %s is not net %s with %s %%", gross, net, rate)
		}
	}
}

func TestItemsOfNothing(t *testing.T) {
	items, net, gross := Items(Rating{}, VAT{})
	if len(items) != 0 || !net.IsZero() || !gross.IsZero() {
		t.Errorf("Items = %v, %s, %s", items, net, gross)
	}
}

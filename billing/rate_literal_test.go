package billing_test

import (
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/literal"
	"github.com/roamwerk/roamwerk/ocpi"
)

var (
	cases = flag.Int("cases", 500, "made-up cases that each comparison with a second calculation takes; make deep takes a million")
	seed  = flag.Uint64("seed", 1, "of the first CDR of TestRateIsLiteral; each has the next one")
)

// Whatever the CDR: the engine charges what the rules of section 18 say, read by the letter (PRC-01 to PRC-32). A case that
// differs is made small and printed as "roamwerk price" takes it.
func TestRateIsLiteral(t *testing.T) {
	failed := 0
	for n := range uint64(*cases) {
		c := literal.Generate(rand.New(rand.NewPCG(*seed+n, 0)))
		if len(differences(c)) == 0 {
			continue
		}
		c = literal.Shrink(c, func(c literal.Case) bool { return len(differences(c)) > 0 })
		text, err := ocpi.Marshal(c.CDR)
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("-seed %d -cases 1, zone %v:\n%s\n%s", *seed+n, c.Zone, strings.Join(differences(c), "\n"), text)
		if failed++; failed == 10 {
			t.Fatal("ten are enough")
		}
	}
}

// Where the engine once differed from the words of section 18: what they say, with the smallest CDR that shows it.
func TestRateByTheLetter(t *testing.T) {
	const at, later = `"2026-01-05T10:00:00Z"`, `"2026-01-05T11:00:00Z"`
	cases := []struct {
		name, cdr  string
		excl, incl string
	}{
		{"no energy in an hour is 0 kW, which is under a maximum (18.3)",
			`{"session_id": "S", "start_date_time": ` + at + `, "end_date_time": ` + later + `,
			"tariffs": [{"id": "T", "elements": [{"price_components": [{"type": "PARKING_TIME", "price": 2}], "restrictions": {"max_power": 1}}]}],
			"charging_periods": [{"start_date_time": ` + at + `, "dimensions": [{"type": "PARKING_TIME", "volume": 1}, {"type": "ENERGY", "volume": 0}]}]}`,
			"2", "2"},
		{"energy fed back is power below zero, which is under a maximum (18.3)",
			`{"session_id": "S", "start_date_time": ` + at + `, "end_date_time": ` + later + `,
			"tariffs": [{"id": "T", "elements": [{"price_components": [{"type": "ENERGY", "price": 0.3}], "restrictions": {"max_power": 1}}]}],
			"charging_periods": [{"start_date_time": ` + at + `, "dimensions": [{"type": "ENERGY", "volume": -10}]}]}`,
			"-3", "-3"},
		{"connector #NA is a reservation that lapsed, however long it was: its fee, no session FLAT (PRC-25, PRC-27, CDR-16)",
			`{"start_date_time": ` + at + `, "end_date_time": ` + later + `, "cdr_location": {"connector_id": "#NA"},
			"tariffs": [{"id": "T", "elements": [{"price_components": [{"type": "FLAT", "price": 0.5}]},
				{"price_components": [{"type": "FLAT", "price": 4}], "restrictions": {"reservation": "RESERVATION_EXPIRES"}}]}],
			"charging_periods": [{"start_date_time": ` + at + `, "dimensions": [{"type": "ENERGY", "volume": 0}]}]}`,
			"4", "4"},
		{"the price incl. VAT is never under its minimum, also where PRC-30 scales it by a maximum that has none (PRC-29)",
			`{"session_id": "S", "start_date_time": ` + at + `, "end_date_time": ` + later + `,
			"tariffs": [{"id": "T", "min_price": {"excl_vat": 10, "incl_vat": 11.9}, "max_price": {"excl_vat": 10.5},
				"elements": [{"price_components": [{"type": "FLAT", "price": 12}]}]}],
			"charging_periods": [{"start_date_time": ` + at + `, "dimensions": [{"type": "ENERGY", "volume": 1}]}]}`,
			"10.5", "11.9"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var cdr ocpi.CDR
			if err := ocpi.Unmarshal([]byte(c.cdr), &cdr); err != nil {
				t.Fatal(err)
			}
			priced := literal.Case{CDR: cdr, Zone: time.UTC}
			total := priced.Price().Total
			if excl, incl := literal.Decimal(total.Excl, 10), literal.Decimal(total.Incl, 10); excl != c.excl || incl != c.incl {
				t.Errorf("literally %s and %s, want %s and %s", excl, incl, c.excl, c.incl)
			}
			for _, difference := range differences(priced) {
				t.Error(difference)
			}
		})
	}
}

// differences compares every figure of a rating with the literal one.
func differences(c literal.Case) []string {
	want := c.Price()
	got := billing.Rate(&c.CDR, compile(c.CDR.Tariffs...), c.Zone, billing.DefaultPolicy)
	var found []string
	near := func(name string, got decimal.Decimal, want, tolerance *big.Rat) {
		if off := new(big.Rat).Sub(got.Rat(), want); off.Abs(off).Cmp(tolerance) > 0 {
			found = append(found, fmt.Sprintf("%s = %s, want %s", name, got, literal.Decimal(want, 10)))
		}
	}
	figure := func(name string, got decimal.Decimal, want *big.Rat) {
		if rounded := literal.Decimal(want, 10); !got.Equal(decimal.RequireFromString(rounded)) {
			found = append(found, fmt.Sprintf("%s = %s, want %s", name, got, rounded))
		}
	}
	amount := func(name string, got billing.Amount, want literal.Amount) {
		figure(name+".excl_vat", got.ExclVAT, want.Excl)
		figure(name+".incl_vat", got.InclVAT, want.Incl)
	}
	if !want.Open {
		amount("total_cost", got.Total, want.Total) // PRC-29, PRC-30
	}
	amount("total_fixed_cost", got.Fixed, want.Fixed)
	amount("total_energy_cost", got.Energy, want.Energy)
	amount("total_time_cost", got.Time, want.Time)
	amount("total_parking_cost", got.Parking, want.Parking)
	amount("total_reservation_cost", got.Reservation, want.Reservation)
	figure("total_energy", got.TotalEnergy, want.KWh)
	near("total_time", got.TotalTime, want.Hours, big.NewRat(int64(len(c.CDR.ChargingPeriods)+1), 10000)) // hours tell no more (PRC-14)
	figure("total_parking_time", got.TotalParkingTime, want.ParkingHours)

	billed, wantBilled := map[string]decimal.Decimal{}, map[string]*big.Rat{}
	for _, line := range got.Lines {
		if line.Dimension != billing.MinPrice && line.Dimension != billing.MaxPrice {
			billed[string(line.Dimension)] = billed[string(line.Dimension)].Add(line.Quantity)
		}
	}
	for _, charge := range want.Charges {
		if wantBilled[charge.What] == nil {
			wantBilled[charge.What] = new(big.Rat)
		}
		wantBilled[charge.What].Add(wantBilled[charge.What], charge.Quantity)
	}
	lines := big.NewRat(int64(len(got.Lines)), 1e10) // each of which is rounded
	for what, quantity := range wantBilled {
		near("billed "+what, billed[what], quantity, lines)
		delete(billed, what)
	}
	for what, quantity := range billed {
		near("billed "+what, quantity, new(big.Rat), lines)
	}
	return append(found, shareDifferences(c, got, want)...)
}

// shareDifferences compares what is taxed at each rate (PRC-28). What a limit does to the shares is open; they sum to the total.
func shareDifferences(c literal.Case, got billing.Rating, want literal.Result) []string {
	var found []string
	shares, sum := map[string]billing.Amount{}, billing.Amount{}
	for _, share := range got.VAT {
		rate := "none"
		if share.Rate.Valid {
			rate = literal.Decimal(share.Rate.Decimal.Rat(), 10)
		}
		shares[rate] = billing.Amount{ExclVAT: shares[rate].ExclVAT.Add(share.ExclVAT), InclVAT: shares[rate].InclVAT.Add(share.InclVAT)}
		sum.ExclVAT, sum.InclVAT = sum.ExclVAT.Add(share.ExclVAT), sum.InclVAT.Add(share.InclVAT)
	}
	if !sum.ExclVAT.Equal(got.Total.ExclVAT) || !sum.InclVAT.Equal(got.Total.InclVAT) {
		found = append(found, fmt.Sprintf("the VAT shares sum to %s and %s, not to the total", sum.ExclVAT, sum.InclVAT))
	}
	if want.Limited || want.Open {
		return found
	}
	rounding := big.NewRat(int64(len(want.Shares)), 1e10) // the largest share may carry that of all
	side := func(rate, name string, got decimal.Decimal, want *big.Rat) {
		if c.CDR.Credit {
			got = got.Neg() // CDR-10
		}
		if off := new(big.Rat).Sub(got.Rat(), want); off.Abs(off).Cmp(rounding) > 0 {
			found = append(found, fmt.Sprintf("vat %s: %s = %s, want %s", rate, name, got, literal.Decimal(want, 10)))
		}
	}
	for _, share := range want.Shares {
		rate := "none"
		if share.Rate != nil {
			rate = literal.Decimal(share.Rate, 10)
		}
		side(rate, "excl_vat", shares[rate].ExclVAT, share.Excl)
		side(rate, "incl_vat", shares[rate].InclVAT, share.Incl)
		delete(shares, rate)
	}
	for rate, share := range shares {
		side(rate, "excl_vat", share.ExclVAT, new(big.Rat))
		side(rate, "incl_vat", share.InclVAT, new(big.Rat))
	}
	return found
}

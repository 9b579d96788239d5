package ocpitest

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

func newTestCPO(seed uint64) *CPO {
	return NewCPO(Options{
		Name: "Nordladen", Party: ocpi.Party{CountryCode: "DE", PartyID: "NLA"}, Now: clock, Seed: seed, Sites: 12,
		BaseURL: "http://cpo.example",
	})
}

func draw(cpo *CPO, n int) []*Charge {
	var charges []*Charge
	for i := range n {
		charges = append(charges, cpo.Draw(Visit{Token: card(northern, "AA01"), Arrival: noon.Add(time.Duration(i) * 37 * time.Minute)}))
	}
	return charges
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := ocpi.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The same seed and clock give the same messages, another seed gives others.
func TestDeterministic(t *testing.T) {
	one, two, other := draw(newTestCPO(7), 50), draw(newTestCPO(7), 50), draw(newTestCPO(8), 50)
	for i := range one {
		if a, b := encode(t, one[i].CDR()), encode(t, two[i].CDR()); a != b {
			t.Fatalf("charge %d:\n%s\n%s", i, a, b)
		}
		if a, b := encode(t, one[i].CDR()), encode(t, other[i].CDR()); a == b {
			t.Fatalf("charge %d is the same with another seed", i)
		}
	}
	if a, b := encode(t, newTestCPO(7).Locations()), encode(t, newTestCPO(7).Locations()); a != b {
		t.Error("the Locations differ")
	}
}

// PRC-33, SES-09, CDR-20: session and CDR agree with each other and with
// physics, whatever the visit.
func TestConsistent(t *testing.T) {
	blocked, parked, night := false, false, false
	for _, charge := range draw(newTestCPO(1), 400) {
		cdr, final := charge.CDR(), charge.Session(len(charge.periods))
		energy, hours, parking := decimal.Zero, decimal.Zero, decimal.Zero
		for i, period := range cdr.ChargingPeriods {
			if i > 0 && !period.StartDateTime.After(cdr.ChargingPeriods[i-1].StartDateTime) {
				t.Fatalf("%s: period %d does not start after the one before", cdr.ID, i)
			}
			for _, d := range period.Dimensions {
				switch d.Type {
				case ocpi.DimensionEnergy:
					energy = energy.Add(d.Volume.Decimal)
				case ocpi.DimensionTime:
					hours = hours.Add(d.Volume.Decimal)
				case ocpi.DimensionParkingTime:
					parking = parking.Add(d.Volume.Decimal)
				}
			}
		}
		lasted := cdr.EndDateTime.Sub(cdr.StartDateTime)
		for name, pair := range map[string][2]decimal.Decimal{
			"energy":  {energy, cdr.TotalEnergy.Decimal},
			"kwh":     {energy, final.KWh.Decimal},
			"parking": {parking, cdr.TotalParkingTime.Decimal},
			"time":    {hours.Add(parking), cdr.TotalTime.Decimal},
			"clock":   {decimal.NewFromInt(int64(lasted.Seconds())).Shift(-2), cdr.TotalTime.Decimal.Mul(decimal.NewFromInt(36))},
			"cost":    {final.TotalCost.ExclVAT.Decimal, cdr.TotalCost.ExclVAT.Decimal},
		} {
			if !pair[0].Equal(pair[1]) {
				t.Errorf("%s: %s is %s and %s", cdr.ID, name, pair[0], pair[1])
			}
		}
		most := decimal.NewFromInt(charge.point.Kind.Power()).Shift(-3).Mul(hours)
		if !energy.IsPositive() || energy.GreaterThan(most) {
			t.Errorf("%s: %s kWh, the point gives %s in the time", cdr.ID, energy, most)
		}
		parts := cdr.TotalEnergyCost.ExclVAT.Decimal
		for _, part := range []*ocpi.Price{cdr.TotalFixedCost, cdr.TotalTimeCost, cdr.TotalParkingCost} {
			if part != nil {
				parts = parts.Add(part.ExclVAT.Decimal)
			}
		}
		if parts.Sub(cdr.TotalCost.ExclVAT.Decimal).Abs().GreaterThan(amount("0.0002")) {
			t.Errorf("%s: the parts are %s, the total %s", cdr.ID, parts, cdr.TotalCost.ExclVAT.Decimal)
		}
		blocked = blocked || cdr.TotalTimeCost != nil
		parked = parked || cdr.TotalParkingCost != nil
		night = night || slices.ContainsFunc(charge.periods, func(p period) bool { return p.phase.night })
	}
	if !blocked || !parked || !night {
		t.Errorf("in 400 charges: blocking fee while charging %t, while parked %t, night price %t", blocked, parked, night)
	}
}

// The costs of hand-made sessions, worked out on paper.
func TestCost(t *testing.T) {
	ac := Price{Energy: amount("0.38"), Blocking: amount("1.80"), TimeStep: 60}
	dc := Price{Energy: amount("0.48"), Blocking: amount("6"), TimeStep: 60}
	fast := Price{Energy: amount("0.56"), Night: amount("0.46"), Start: amount("0.35"), EnergyStep: 100}
	day, blocking, night := phase{}, phase{blocking: true}, phase{night: true}
	for _, test := range []struct {
		name    string
		price   Price
		periods []period
		want    string
	}{
		{"energy only: 22 kWh at 0.38", ac, []period{{charging: true, ticks: 200, wattHours: 22_000, phase: day}}, "8.36"},
		{"4 h charged free of time, 1 h parked at 1.80", ac, []period{
			{charging: true, ticks: 400, wattHours: 40_000, phase: day}, {ticks: 100, phase: blocking},
		}, "17"},
		{"36 s parked are a full minute at 1.80/h", ac, []period{
			{charging: true, ticks: 400, wattHours: 40_000, phase: day}, {ticks: 1, phase: blocking},
		}, "15.23"},
		{"the last minute of charging is full too: 108 s are 120 s at 6/h", dc, []period{
			{charging: true, ticks: 100, wattHours: 30_000, phase: day}, {charging: true, ticks: 3, wattHours: 500, phase: blocking},
		}, "14.84"},
		{"parking is rounded, charging then is not: 36 s and 60 s at 6/h", dc, []period{
			{charging: true, ticks: 100, wattHours: 30_000, phase: day}, {charging: true, ticks: 1, wattHours: 0, phase: blocking}, {ticks: 1, phase: blocking},
		}, "14.56"},
		{"20.45 kWh are 20.5 with 100 Wh steps, the rest at the night price", fast, []period{
			{charging: true, ticks: 10, wattHours: 10_000, phase: day}, {charging: true, ticks: 10, wattHours: 10_450, phase: night},
		}, "10.78"},
		{"exact multiples stay (PRC-19)", fast, []period{{charging: true, ticks: 10, wattHours: 10_000, phase: day}}, "5.95"},
	} {
		if got := test.price.cost(test.periods).total(); !got.Equal(amount(test.want)) {
			t.Errorf("%s: %s, not %s", test.name, got, test.want)
		}
	}
}

// The messages of one charge, in order.
func TestEvents(t *testing.T) {
	cpo, platform := startCPO(t, Options{})
	charge := cpo.Draw(Visit{Token: card(northern, "AA01"), Arrival: noon, Oddities: Oddities{Duplicate: true, Credited: true, WrongCost: true}})
	var names []string
	for _, event := range charge.Events() {
		if len(names) == 0 || names[len(names)-1] != event.What {
			names = append(names, event.What)
		}
	}
	want := "evse CHARGING, session start, session update, evse AVAILABLE, CDR, CDR again, credit CDR, replacement CDR"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("events: %s", got)
	}
	if err := charge.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := platform.sent("/emsp/cdrs")
	if len(sent) != 4 {
		t.Fatalf("%d CDRs were sent", len(sent))
	}
	if !bytes.Equal(sent[0].body, sent[1].body) {
		t.Error("the duplicate differs")
	}
	first, credit, replacement := charge.CDR(), charge.Credit(), charge.Replacement()
	if !first.TotalCost.ExclVAT.Decimal.Equal(credit.TotalCost.ExclVAT.Decimal.Neg()) || credit.CreditReferenceID != first.ID || credit.ID == first.ID {
		t.Errorf("CDR-09: credit of %s is %s for %s", first.ID, credit.TotalCost.ExclVAT.Decimal, credit.CreditReferenceID)
	}
	if replacement.Credit || replacement.CreditReferenceID != "" || !replacement.TotalCost.ExclVAT.Decimal.LessThan(first.TotalCost.ExclVAT.Decimal) {
		t.Errorf("CDR-12: the replacement costs %s", replacement.TotalCost.ExclVAT.Decimal)
	}
	if stored := cpo.Sessions()[0]; stored.Status != ocpi.SessionCompleted || len(stored.ChargingPeriods) != len(charge.periods) {
		t.Errorf("the session ends %s with %d periods of %d", stored.Status, len(stored.ChargingPeriods), len(charge.periods))
	}
	noComplaints(t, cpo.Peer)
}

// Everything that the simulation sends without a fault is valid OCPI.
func TestValid(t *testing.T) {
	cpo := newTestCPO(3)
	for _, location := range cpo.Locations() {
		for _, f := range location.Validate() {
			t.Errorf("Location %s: %s", location.ID, f)
		}
	}
	for _, tariff := range cpo.Tariffs() {
		for _, f := range tariff.Validate() {
			t.Errorf("Tariff %s: %s", tariff.ID, f)
		}
	}
	for _, charge := range draw(cpo, 60) {
		session, cdr := charge.Session(len(charge.periods)), charge.CDR()
		for _, f := range append(session.Validate(), cdr.Validate()...) {
			t.Errorf("%s: %s", cdr.ID, f)
		}
	}
}

// A charging point serves one car at a time.
func TestOneCarAtATime(t *testing.T) {
	cpo := newTestCPO(5)
	charges := draw(cpo, 200)
	for i, a := range charges {
		for _, b := range charges[:i] {
			if a.point.EVSE.UID == b.point.EVSE.UID && a.start.Before(b.end) && b.start.Before(a.end) {
				t.Fatalf("%s is taken twice at %s", a.point.EVSE.UID, a.start)
			}
		}
	}
}

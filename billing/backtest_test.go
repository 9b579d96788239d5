package billing_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

func packed(t testing.TB, in *billing.Input) (billing.Input, []byte) {
	t.Helper()
	b := in.Append(nil)
	var reader billing.InputReader
	var out billing.Input
	if err := reader.Read(b, &out); err != nil {
		t.Fatal(err)
	}
	return out, b
}

// A packed input gives the same price as the CDR that it was made of, line by line, whatever the plan and the session.
func TestInputPricesLikeTheCDR(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 13))
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var reader billing.InputReader
	var out billing.Input
	for n := range *cases {
		cdr := oddSession(t, rng)
		began, ended := cdr.Times()
		at := billing.ChargePoint{Own: rng.IntN(2) == 0, EVSE: "DEABCE1", Location: "L1", CPO: party("DE*ABC"), Country: "DE", Current: billing.AC}
		if rng.IntN(2) == 0 {
			at.Hub, at.Current, at.Power = party("DE*HUB"), billing.DC, kw("149.5")
		}
		in := billing.Input{
			CDR: *cdr, Zone: "Europe/Berlin", Country: "DE", Began: began, Ended: ended, Buyer: billing.Buyer{Card: "04AA", Contract: "DE-SWX-C1", Group: "Strom"}, At: at,
			Outcome: billing.Outcome{Currency: "EUR", Net: decimal.New(992, -2), Gross: decimal.New(1180, -2), Cost: decimal.RequireFromString("9.0000000000000000000000001"), CostCurrency: "EUR", Plan: "P"},
		}
		if err := reader.Read(in.Append(nil), &out); err != nil {
			t.Fatal(err)
		}
		if !out.Began.Equal(began) || !out.Ended.Equal(ended) || out.Buyer != in.Buyer || out.Zone != in.Zone || out.Outcome.Cost.Cmp(in.Outcome.Cost) != 0 || out.Outcome.Plan != "P" {
			t.Fatalf("%+v is read as %+v", in, out)
		}
		if got, want := fmt.Sprint(out.At), fmt.Sprint(in.At); got != want {
			t.Fatalf("%s is read as %s", want, got)
		}
		retail := billing.NewRetail(planOf(t, randomPlan(rng)))
		want, wantUsed := retail.Rate(cdr, berlin, &at, nil)
		got, gotUsed := retail.Rate(&out.CDR, berlin, &out.At, nil)
		if fmt.Sprint(got.Lines, got.Total, got.VAT, gotUsed) != fmt.Sprint(want.Lines, want.Total, want.VAT, wantUsed) {
			t.Fatalf("session %d: %+v\n gives %+v\npacked %+v", n, cdr, want, got)
		}
		var pricer billing.Pricer
		if total, used := retail.Total(&pricer, &out.CDR, berlin, &out.At, nil); fmt.Sprint(total, used) != fmt.Sprint(want.Total, wantUsed) {
			t.Fatalf("session %d: the total alone is %v, want %v", n, total, want.Total)
		}
		vat := billing.VAT{Category: billing.VATStandard, Rate: decimal.NewFromInt(19)}
		_, net, gross := billing.Items(want, vat)
		if bookedNet, bookedGross := billing.Booked(want.Total, retail.TaxIncluded, vat); len(want.Lines) > 0 && (!bookedNet.Equal(net) || !bookedGross.Equal(gross)) {
			t.Fatalf("booked %s/%s, items %s/%s", bookedNet, bookedGross, net, gross)
		}
	}
}

// oddSession is a random session, malformed now and then.
func oddSession(t testing.TB, rng *rand.Rand) *ocpi.CDR {
	cdr := randomSession(t, rng)
	if rng.IntN(4) == 0 {
		cdr.SessionID = ""
	}
	if rng.IntN(4) == 0 {
		cdr.CDRLocation.EVSEUID = ocpi.NotApplicable
	}
	last := &cdr.ChargingPeriods[len(cdr.ChargingPeriods)-1]
	switch rng.IntN(8) {
	case 0:
		cdr.StartDateTime = time.Time{}
	case 1:
		cdr.EndDateTime = time.Time{}
	case 2:
		last.StartDateTime = time.Time{}
	case 3:
		last.StartDateTime = last.StartDateTime.AddDate(0, 0, -1).Add(time.Duration(rng.IntN(1e9)))
	case 4:
		last.Dimensions = append(last.Dimensions, ocpi.CDRDimension{Type: ocpi.DimensionReservationTime, Volume: ocpi.Number(decimal.RequireFromString("0.5"))})
	case 5:
		last.Dimensions = append(last.Dimensions, ocpi.CDRDimension{Type: ocpi.DimensionEnergy, Volume: ocpi.Number(decimal.RequireFromString("-1.234567890123456789012345"))},
			ocpi.CDRDimension{Type: "WATER", Volume: ocpi.Number(decimal.NewFromInt(1))}, ocpi.CDRDimension{Type: ocpi.DimensionTime})
	case 6:
		last.Dimensions = append(last.Dimensions, ocpi.CDRDimension{Type: ocpi.DimensionMaxPower, Volume: ocpi.Number(decimal.RequireFromString("11.04"))})
		cdr.TotalEnergy = ocpi.Number(decimal.RequireFromString("12.5"))
	}
	return cdr
}

func FuzzInputReader(f *testing.F) {
	cdr := sessionDoc(f, "12:00", "10:00 ENERGY=10 TIME=2")
	in := billing.Input{CDR: *cdr, Zone: "Europe/Berlin", Country: "DE", Began: cdr.StartDateTime, Ended: cdr.EndDateTime}
	f.Add(in.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var reader billing.InputReader
		var first, second billing.Input
		if reader.Read(b, &first) != nil {
			return
		}
		if got, _ := packed(t, &first); fmt.Sprint(got.CDR) != fmt.Sprint(first.CDR) {
			t.Errorf("%+v is packed as %+v", first, got)
		}
		_ = second
	})
}

func TestBacktest(t *testing.T) {
	draft, err := billing.ParseBookDraft([]byte(`{
		"rules":[{"id":"own","plan":"Eigen","where":{"own":true}},{"id":"strom","plan":"Strom","group":"Strom"},{"id":"ac","plan":"Roaming","where":{"current":"AC"}}],
		"plans":{"Eigen":` + simple([]string{"ENERGY 0.40 19 1"}, `"allowances":[{"id":"F","unit":"kWh","quantity":30}]`) + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	plans := map[string]*billing.Retail{"Roaming": billing.NewRetail(planOf(t, simple([]string{"ENERGY 0.70 19 1"}, `"caps":[]`))), "Strom": billing.NewRetail(planOf(t, simple([]string{"ENERGY 0.50 19 1"}, `"caps":[]`)))}
	for name, p := range draft.Plans {
		plans[name] = billing.NewRetail(p)
	}
	test := billing.Backtest{Book: draft.Book, Plans: plans, Currency: "EUR", Groups: map[billing.Key]string{{3}: "Strom"}, Zone: time.UTC}
	if !test.Draws() {
		t.Error("a plan has an allowance")
	}
	shard, tried := test.Shard(), byte(0)
	try := func(customer byte, change func(*billing.Input)) {
		t.Helper()
		cdr := sessionDoc(t, "11:00", "10:00 ENERGY=20 TIME=1")
		cdr.TotalEnergy = ocpi.Number(decimal.NewFromInt(20))
		in := billing.Input{
			CDR: *cdr, Zone: "Europe/Berlin", Country: "DE", Began: cdr.StartDateTime, Ended: cdr.EndDateTime,
			At:      billing.ChargePoint{EVSE: fmt.Sprintf("DEABCE%d", customer), CPO: party("DE*ABC"), Current: billing.AC},
			Outcome: billing.Outcome{Currency: "EUR", CostCurrency: "EUR", Net: decimal.New(992, -2), Gross: decimal.New(1180, -2), Cost: decimal.NewFromInt(10)},
		}
		if change != nil {
			change(&in)
		}
		tried++
		if err := shard.Try(billing.Key{tried}, billing.Key{customer}, billing.Key{customer}, in.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	own := func(in *billing.Input) { in.At.Own = true }
	try(1, own) // 20 of 30 kWh are free: 0.00
	try(1, own) // 10 are left: 4.00
	try(2, nil) // 14.00
	try(3, nil) // in another group today: 10.00
	try(4, func(in *billing.Input) { in.At.Current = billing.DC })
	try(5, func(in *billing.Input) { in.Country = "XX" })
	try(6, func(in *billing.Input) { in.Outcome.CostCurrency = "CHF" })
	try(2, func(in *billing.Input) {
		in.Buyer.Plan = "Strom"
		in.Outcome.Off, in.Outcome.OffNet = decimal.New(20, -2), decimal.New(17, -2)
	}) // agreed: 10.00; it was 12.00 before a voucher
	total, part := test.Shard().Result(), shard.Result()
	total.Merge(&part)
	for what, c := range map[string][2]any{
		"sessions": {total.Sessions, 8}, "changed": {total.Changed, 5}, "holes": {total.Holes, 1}, "other": {total.Other, 2},
		"old gross": {total.Old.Gross.String(), "59.2"}, "new gross": {total.New.Gross.String(), "38"}, "lost gross": {total.Lost.Gross.String(), "11.8"},
		"new revenue": {total.New.Revenue.String(), "31.92"}, "cost": {total.New.Cost.String(), "50"}, "margin": {total.New.Margin().String(), "-18.08"},
		"own": {total.Plans["Eigen"].Gross.String(), "4"}, "rule": {total.Rules["ac"].Gross.String(), "14"}, "agreements": {total.Rules[""].Sessions, 1},
		"hole": {total.HoleCells[billing.HoleCell{Group: "", Network: "DE*ABC DC"}].Sessions, 1},
	} {
		if !reflect.DeepEqual(c[0], c[1]) {
			t.Errorf("%s: %v, want %v", what, c[0], c[1])
		}
	}
	cases := func(list []billing.BacktestCase) (text string) {
		for _, c := range list {
			text += fmt.Sprintf("%d: %s → %s, %s; ", c.CDR[0], c.Old, c.New, c.Margin)
		}
		return text
	}
	if got, want := cases(total.Dearest), "3: 11.8 → 14, 1.76; "; got != want {
		t.Errorf("sessions that cost more: %s, want %s", got, want)
	}
	if got, want := cases(total.Losing), "1: 11.8 → 0, -10; 2: 11.8 → 4, -6.64; 4: 11.8 → 10, -1.6; 8: 12 → 10, -1.6; "; got != want {
		t.Errorf("sessions that lose: %s, want %s", got, want)
	}
	total.AddFees(billing.Key{3}, billing.Amount{}, billing.Amount{ExclVAT: decimal.New(420, -2), InclVAT: decimal.New(5, 0)})
	total.AddFees(billing.Key{9}, billing.Amount{ExclVAT: decimal.New(168, -2), InclVAT: decimal.New(2, 0)}, billing.Amount{})
	if total.Fees.Old.String() != "1.68" || total.Fees.New.String() != "4.2" {
		t.Errorf("fees %+v", total.Fees)
	}
	s := total.Summary(1)
	if s.Better != 2 || s.Worse != 2 || s.Same != 0 || s.WorstOff[0].Customer[0] != 3 || s.WorstOff[0].Delta().String() != "3.2" || s.BestOff[0].Customer[0] != 1 || s.BestOff[0].Delta().String() != "-19.6" {
		t.Errorf("%+v", s)
	}
	if s.LossEVSEs != 2 || s.Losses[0].EVSE != "DEABCE1" || s.Losses[0].KWh.String() != "40" || s.Losses[0].New.Margin().String() != "-16.64" {
		t.Errorf("%d EVSEs lose %s: %+v", s.LossEVSEs, s.Loss, s.Losses)
	}
	counted := 0
	for _, bar := range s.Deltas {
		counted += bar.Customers
	}
	if counted != 4 || s.Deltas[2].Customers != 1 {
		t.Errorf("deltas %+v", s.Deltas)
	}
}

func TestParseBookDraftNamesFaults(t *testing.T) {
	for doc, want := range map[string]string{
		`{"plans":{"A":{"currency":"EUR"}}}`:  "plans.A: elements: the tariff has no elements",
		`{"plans":{}}`:                        "rules: at least one",
		`{"rules":[{"plan":"A"}],"tarife":1}`: "tarife: not a member of a price book",
		`[]`:                                  "must be an object",
	} {
		if _, err := billing.ParseBookDraft([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

var inputs = flag.Int("inputs", 1_000_000, "sessions in the benchmarks of back-tests")

// BenchmarkBacktest prices sessions as they lie in memory, packed, by a book of ten rules. A CDR is one operation.
func BenchmarkBacktest(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 5))
	var list [][]byte
	for range 5000 { // different ones, over and over
		in := commonInput(b, rng)
		list = append(list, in.Append(nil))
	}
	test := commonBacktest(b)
	b.ReportAllocs()
	var took time.Duration
	for b.Loop() {
		began := time.Now()
		var running sync.WaitGroup
		workers := runtime.GOMAXPROCS(0)
		for w := range workers {
			shard := test.Shard()
			running.Go(func() {
				for i := w; i < *inputs; i += workers {
					customer := billing.Key{byte(i), byte(i >> 8)}
					if err := shard.Try(billing.Key{byte(i), byte(i >> 8), byte(i >> 16)}, customer, customer, list[i%len(list)]); err != nil {
						b.Error(err)
					}
				}
			})
		}
		running.Wait()
		took += time.Since(began)
	}
	b.ReportMetric(float64(*inputs)*float64(b.N)/took.Seconds(), "CDRs/s")
	b.ReportMetric(float64(len(list[0])), "bytes/CDR")
}

func commonBacktest(t testing.TB) *billing.Backtest {
	plan := func(doc string) *billing.Retail { return billing.NewRetail(planOf(t, doc)) }
	book, err := billing.ParsePriceBook([]byte(`{"rules":[{"plan":"AC","where":{"own":true,"current":"AC"}},{"plan":"DC","where":{"own":true,"current":"DC"}},
		{"plan":"Strom","group":"Strom","where":{"own":true}},{"plan":"Frei","group":"Strom"},{"plan":"AC","where":{"current":"AC"}},{"plan":"DC","where":{"current":"DC"}},
		{"plan":"DC","where":{"current":"DC","from_kw":150}},{"plan":"AC","where":{"cpo":"DE*XYZ"}},{"plan":"AC","where":{"country":"FR"}},{"plan":"DC"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return &billing.Backtest{Book: book, Currency: "EUR", Zone: time.UTC, Plans: map[string]*billing.Retail{
		"AC": plan(blocked), "DC": plan(simple([]string{"ENERGY 0.79 19 1", "FLAT 0.35 19 1"}, `"caps":[]`)), "Strom": plan(simple([]string{"ENERGY 0.45 19 1"}, `"discounts":[{"name":"D","percent":5}]`)),
		"Frei": plan(simple([]string{"ENERGY 0.55 19 1"}, `"allowances":[{"id":"F","unit":"kWh","quantity":20}]`)),
	}}
}

// commonInput is a session as most are: one to five periods.
func commonInput(t testing.TB, rng *rand.Rand) billing.Input {
	cdr := randomSession(t, rng)
	cdr.TotalEnergy = ocpi.Number(decimal.New(20_000, -3))
	in := billing.Input{
		CDR: *cdr, Zone: "Europe/Berlin", Country: "DE", Began: cdr.StartDateTime, Ended: cdr.EndDateTime,
		Buyer:   billing.Buyer{Card: "04A2B3C4D5E680", Contract: "DE-SWX-C00012345", Group: []string{"", "Strom"}[rng.IntN(2)]},
		At:      billing.ChargePoint{EVSE: fmt.Sprintf("DEABCE%d", rng.IntN(500)), Location: "LOC17", CPO: party("DE*ABC"), Country: "DE", Current: billing.AC, Own: rng.IntN(3) == 0, Power: kw("22")},
		Outcome: billing.Outcome{Currency: "EUR", CostCurrency: "EUR", Net: decimal.New(992, -2), Gross: decimal.New(1180, -2), Cost: decimal.New(90012, -4), Plan: "Standard"},
	}
	if rng.IntN(4) == 0 {
		in.At.Current, in.At.Power = billing.DC, kw("150")
	}
	return in
}

// Of many sessions the worst stay, in order, however the work is divided.
func TestBacktestKeepsTheWorst(t *testing.T) {
	draft, err := billing.ParseBookDraft([]byte(`{"rules":[{"id":"ac","plan":"Roaming"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	test := billing.Backtest{
		Book: draft.Book, Plans: map[string]*billing.Retail{"Roaming": billing.NewRetail(planOf(t, simple([]string{"ENERGY 0.70 19 1"}, `"caps":[]`)))}, Currency: "EUR", Zone: time.UTC,
	}
	parts := []*billing.BacktestShard{test.Shard(), test.Shard()}
	for n := range 60 {
		cdr := sessionDoc(t, "11:00", "10:00 ENERGY=20 TIME=1")
		in := billing.Input{
			CDR: *cdr, Zone: "Europe/Berlin", Country: "DE", Began: cdr.StartDateTime, Ended: cdr.EndDateTime, At: billing.ChargePoint{EVSE: "DEABCE1", CPO: party("DE*ABC"), Current: billing.AC},
			Outcome: billing.Outcome{Currency: "EUR", CostCurrency: "EUR", Net: decimal.New(1, 0), Gross: decimal.New(119, -2), Cost: decimal.NewFromInt(int64(20 + n*7%60))},
		}
		if err := parts[n%2].Try(billing.Key{byte(20 + n*7%60)}, billing.Key{1}, billing.Key{1}, in.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	r, other := parts[0].Result(), parts[1].Result()
	r.Merge(&other)
	if len(r.Losing) != 20 || len(r.Dearest) != 20 {
		t.Fatalf("%d and %d are kept", len(r.Losing), len(r.Dearest))
	}
	for i, c := range r.Losing {
		if int(c.CDR[0]) != 79-i {
			t.Errorf("%d: %d loses %s", i, c.CDR[0], c.Margin)
		}
	}
}

package jobs_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// backtest queues a draft, lets the workers run it, and returns its report.
func (w *world) backtest(doc string, months int) *jobs.BacktestReport {
	w.t.Helper()
	id, err := w.ops.AddBacktest(w.ctx, jobs.NewBacktest{Tenant: w.tenant.ID, Doc: []byte(doc), Months: months})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.worker.RunBacktest(w.ctx, id); err != nil {
		w.t.Fatal(err)
	}
	row, report, err := w.ops.ReadBacktest(w.ctx, w.tenant.ID, id)
	if err != nil || report == nil || row.State != "done" || row.DueAt != nil || row.Done != row.Total {
		w.t.Fatalf("%+v, %v", row, err)
	}
	return report
}

// What was charged would have cost something else: by session, customer, EVSE and month.
func TestBacktest(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", priced("0.59", `,"base_fee":{"price":2}`), day(1))
	w.issueCard(w.tenant.ID, "0411", "Zweiter")
	if _, err := w.ops.AddCustomerGroup(w.ctx, w.tenant.ID, "Strom"); err != nil {
		t.Fatal(err)
	}
	first := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.receive(cdr{id: "C2", start: day(6), kwh: "10", uid: "0411"})
	w.receive(cdr{id: "C3", start: day(7), kwh: "10"})
	w.receive(cdr{id: "C4", start: day(8), kwh: "9000"}) // held: nobody has been charged for it
	w.work()
	w.receive(cdr{id: "K3", start: day(7), kwh: "10", cost: "-4.5", credit: "C3"})
	w.again(first)
	w.work()
	w.clock.Set(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	if run := w.runOctober(true); run.Fees.Booked != 2 {
		t.Fatalf("%+v", run)
	}

	// The book as it is changes nothing.
	same := w.backtest(`{"rules":[{"plan":"Standard"}]}`, 1)
	if same.Sessions != 2 || same.Changed != 0 || !same.Old.Gross.Equal(same.New.Gross) || same.Better+same.Worse != 0 || !same.Fees.Old.Equal(decimal.Zero) {
		t.Errorf("%+v", same)
	}
	if same.Old.Gross.String() != "17.7" || same.Old.Revenue.String() != "14.88" || same.Old.Cost.String() != "13.5" || same.LossEVSEs != 0 {
		t.Errorf("as it was: %+v", same.Old)
	}

	// The whole of October lies in two months.
	w.put(w.card.CustomerNumber, "Strom")
	draft := `{"rules":[{"id":"strom","plan":"Neu","group":"Strom"},{"id":"dc","plan":"Standard","where":{"current":"DC"}}],"plans":{"Neu":` + string(priced("0.50", `,"base_fee":{"price":5}`)) + `}}`
	r := w.backtest(draft, 2)
	// Erika: 20 kWh for 10.00 and not 11.80, and a fee of 5.00 for twelve of 31 days and not of 2.00: 1.94 and 0.77. The other one has no price.
	if r.Sessions != 2 || r.Changed != 1 || r.Holes != 1 || r.New.Gross.String() != "10" || r.Old.Gross.String() != "11.8" || r.Lost.Gross.String() != "5.9" {
		t.Errorf("%+v", r)
	}
	if len(r.HoleCells) != 1 || r.HoleCells[0].Network != "DE*NSL AC" || r.Rules["strom"].Sessions != 1 || r.Plans["Neu"].Sessions != 1 {
		t.Errorf("holes %+v, rules %+v", r.HoleCells, r.Rules)
	}
	if r.Fees.Old.String() != "1.3" || r.Fees.New.String() != "1.63" { // 2 × 0.65 booked, 1.94 / 1.19
		t.Errorf("fees %+v", r.Fees)
	}
	if r.Better != 2 || r.Worse != 0 || len(r.BestOff) != 2 || r.BestOff[1].Name != "Erika Beispiel" || r.BestOff[1].Delta().String() != "-0.63" {
		t.Errorf("customers %+v", r.BestOff)
	}
	if r.LossEVSEs != 1 || r.Losses[0].EVSE != "DENSLE1" || r.Losses[0].New.Margin().String() != "-0.6" {
		t.Errorf("losses %+v", r.Losses)
	}
	if len(r.Dearest) != 0 || len(r.Losing) != 1 || r.Losing[0].OCPIID != "C1" || r.Losing[0].Margin.String() != "-0.6" || r.Losing[0].Old.String() != "11.8" || r.Losing[0].New.String() != "10" {
		t.Errorf("worst sessions %+v, %+v", r.Dearest, r.Losing)
	}

	for doc, want := range map[string]string{
		`{"rules":[{"plan":"Premium"}]}`:                                `rules[0].plan: the name of a plan, got "Premium"`,
		`{"rules":[{"plan":"Standard"},{"plan":"Standard"}]}`:           "rules[1]: more or less precise",
		`{"rules":[{"plan":"A"}],"plans":{"A":{"currency":"EUR"}}}`:     "plans.A: elements",
		`{"rules":[{"plan":"Standard","group":"Gas"}]}`:                 `rules[0].group: the name of a customer group, got "Gas"`,
		`{"rules":[{"plan":"Standard"}],"plans":{"Standard":"günstig"}`: "not valid JSON",
	} {
		if _, err := w.ops.AddBacktest(w.ctx, jobs.NewBacktest{Tenant: w.tenant.ID, Doc: []byte(doc), Months: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", doc, err)
		}
	}
	if _, err := w.ops.AddBacktest(w.ctx, jobs.NewBacktest{Tenant: w.tenant.ID, Doc: []byte(draft), Months: 13}); err == nil || !strings.Contains(err.Error(), `months: 1 to 12, got "13"`) {
		t.Errorf("13 months: %v", err)
	}
}

// A back-test belongs to its utility, is run by one worker, and by another when that one dies.
func TestBacktestIsRunOnce(t *testing.T) {
	w := newWorld(t)
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	add := func() uuid.UUID {
		t.Helper()
		id, err := w.ops.AddBacktest(w.ctx, jobs.NewBacktest{Tenant: w.tenant.ID, Doc: []byte(`{"rules":[{"plan":"Standard"}]}`), Months: 1})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	id := add()
	other := w.addTenant("DE*OTH", "Stadtwerke Olfen")
	if _, _, err := w.ops.ReadBacktest(w.ctx, other.ID, id); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("another utility reads it: %v", err)
	}
	err := w.db.TenantTx(w.ctx, other.ID, func(q *db.Queries) error {
		rows, err := q.CDRInputs(w.ctx, db.CDRInputsParams{TenantID: w.tenant.ID, Until: w.clock.Now(), MaxRows: 10})
		if len(rows) != 0 {
			t.Errorf("another utility reads %d inputs", len(rows))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// A worker claims it and dies.
	if _, err := w.db.ClaimBacktest(w.ctx, db.ClaimBacktestParams{ID: id, Now: w.clock.Now(), Lease: w.clock.Now().Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if err := w.worker.RunBacktest(w.ctx, id); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("claimed twice: %v", err)
	}
	if _, report, err := w.ops.ReadBacktest(w.ctx, w.tenant.ID, id); err != nil || report != nil {
		t.Errorf("%+v, %v", report, err)
	}
	w.clock.Set(w.clock.Now().Add(2 * time.Minute))
	if err := w.worker.RunBacktest(w.ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, report, err := w.ops.ReadBacktest(w.ctx, w.tenant.ID, id); err != nil || report == nil || report.Sessions != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	queued := add()
	if got := w.count(`SELECT count(*) FROM backtests WHERE state = 'queued'`); got != 1 {
		t.Errorf("%d are queued", got)
	}
	w.work() // the sweeper rings for it
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if w.count(`SELECT count(*) FROM backtests WHERE state = 'done'`) == 2 {
			break
		}
		if time.Now().After(end) {
			row, _, err := w.ops.ReadBacktest(w.ctx, w.tenant.ID, queued)
			t.Fatalf("%+v, %v", row, err)
		}
		w.work()
	}
}

var inputs = flag.Int("inputs", 1_000_000, "sessions in the benchmark of back-tests")

// BenchmarkBacktest is a back-test as a product manager starts it, from PostgreSQL to the report: -inputs sessions of three months.
func BenchmarkBacktest(b *testing.B) {
	w := newWorld(b)
	if err := dbtest.Exec(w.ctx, w.dbURL, `ALTER TABLE cdr_inputs DROP CONSTRAINT cdr_inputs_cdr_id_fkey, DROP CONSTRAINT cdr_inputs_customer_id_fkey, DROP CONSTRAINT cdr_inputs_contract_id_fkey`); err != nil {
		b.Fatal(err)
	}
	if _, err := w.ops.AddCustomerGroup(w.ctx, w.tenant.ID, "Strom"); err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 9))
	until := w.clock.Now()
	rows := make([]db.CopyCDRInputsParams, 0, 50_000)
	for n := range *inputs {
		customer := uuid.UUID{14: byte(n >> 8), 15: byte(n)}
		at := until.Add(-time.Duration(rng.Int64N(int64(85 * 24 * time.Hour)))).Truncate(time.Second)
		rows = append(rows, db.CopyCDRInputsParams{CDRID: uuid.New(), TenantID: w.tenant.ID, CustomerID: customer, ContractID: customer, StartedAt: at, Data: benchInput(rng, at)})
		if len(rows) == cap(rows) || n == *inputs-1 {
			if _, err := w.db.CopyCDRInputs(w.ctx, rows); err != nil {
				b.Fatal(err)
			}
			rows = rows[:0]
		}
	}
	if err := dbtest.Exec(w.ctx, w.dbURL, `VACUUM ANALYZE cdr_inputs`); err != nil {
		b.Fatal(err)
	}
	draft := `{"rules":[{"plan":"AC","where":{"own":true}},{"plan":"Frei","group":"Strom"},{"plan":"AC","where":{"current":"AC"}},{"plan":"DC","where":{"current":"DC","from_kw":50}},{"plan":"Standard"}],"plans":{
		"AC":{"id":"A","currency":"EUR","tax_included":"YES","elements":[
			{"fee":"BLOCKING","price_components":[{"type":"TIME","price":6,"vat":19,"step_size":60},{"type":"PARKING_TIME","price":6,"vat":19,"step_size":60}],"restrictions":{"min_duration":14400,"start_time":"08:00","end_time":"22:00"}},
			{"price_components":[{"type":"ENERGY","price":0.59,"vat":19,"step_size":1}]}],"caps":[{"dimensions":["BLOCKING"],"max":12}]},
		"DC":` + string(priced("0.79", "")) + `,"Frei":` + string(priced("0.55", `,"allowances":[{"id":"F","unit":"kWh","quantity":20}]`)) + `}}`
	var took, used time.Duration
	for b.Loop() {
		began, cpu := time.Now(), processorTime(b)
		if report := w.backtest(draft, 3); report.Sessions != *inputs {
			b.Fatalf("%d sessions of %d", report.Sessions, *inputs)
		}
		took, used = took+time.Since(began), used+processorTime(b)-cpu
	}
	b.ReportMetric(float64(*inputs)*float64(b.N)/took.Seconds(), "CDRs/s")
	b.ReportMetric(float64(used.Microseconds())/float64(*inputs)/float64(b.N), "cpu-µs/CDR") // of this process, whatever else the machine does
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// benchInput is a session of one to four periods.
func benchInput(rng *rand.Rand, start time.Time) []byte {
	c := ocpi.CDR{StartDateTime: start, SessionID: "S", Currency: "EUR"}
	at, kwh := start, decimal.Zero
	for i := range 1 + rng.IntN(4) {
		length := time.Duration(300+rng.IntN(9000)) * time.Second
		p := ocpi.ChargingPeriod{StartDateTime: at}
		hours := ocpi.Number(decimal.NewFromInt(int64(length/time.Second)).DivRound(decimal.NewFromInt(3600), 4))
		if i == 3 {
			p.Dimensions = []ocpi.CDRDimension{{Type: ocpi.DimensionParkingTime, Volume: hours}}
		} else {
			energy := decimal.New(rng.Int64N(20_000), -3)
			kwh = kwh.Add(energy)
			p.Dimensions = []ocpi.CDRDimension{{Type: ocpi.DimensionEnergy, Volume: ocpi.Number(energy)}, {Type: ocpi.DimensionTime, Volume: hours}}
		}
		c.ChargingPeriods = append(c.ChargingPeriods, p)
		at = at.Add(length)
	}
	c.EndDateTime, c.TotalEnergy = at, ocpi.Number(kwh)
	in := billing.Input{
		CDR: c, Zone: "Europe/Berlin", Country: "DE", Began: start, Ended: at,
		Buyer: billing.Buyer{Card: fmt.Sprintf("04%010X", rng.IntN(50_000)), Contract: fmt.Sprintf("DE-SWX-C%08d", rng.IntN(50_000)), Group: []string{"", "", "Strom"}[rng.IntN(3)]},
		At: billing.ChargePoint{
			EVSE: fmt.Sprintf("DENSLE%d", rng.IntN(3000)), Location: fmt.Sprintf("LOC%d", rng.IntN(800)), CPO: ocpi.Party{CountryCode: "DE", PartyID: "NSL"}, Country: "DE",
			Current: billing.AC, Own: rng.IntN(3) == 0, Power: decimal.NewNullDecimal(decimal.NewFromInt(22)),
		},
		Outcome: billing.Outcome{Currency: "EUR", CostCurrency: "EUR", Net: decimal.New(992, -2), Gross: decimal.New(1180, -2), Cost: decimal.New(90012, -4), Plan: "Standard"},
	}
	if rng.IntN(4) == 0 {
		in.At.Current, in.At.Power = billing.DC, decimal.NewNullDecimal(decimal.NewFromInt(150))
	}
	return in.Append(nil)
}

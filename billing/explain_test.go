package billing_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/literal"
	"github.com/roamwerk/roamwerk/ocpi"
)

// replay explains a rating, takes the explanation through JSON as it is stored, and computes the rating from it again.
func replay(t *testing.T, cdr *ocpi.CDR, tariffs []*billing.Tariff, zone *time.Location, p billing.Policy) {
	t.Helper()
	want := billing.Rate(cdr, tariffs, zone, p)
	e := billing.Explain(nil, cdr, tariffs, zone, p)
	if got := text(t, e.Rating); got != text(t, want) {
		t.Fatalf("explained\n%s\nwant\n%s", got, text(t, want))
	}
	var stored billing.Explanation
	if err := json.Unmarshal([]byte(text(t, e)), &stored); err != nil {
		t.Fatal(err)
	}
	got, err := stored.Replay()
	if err != nil {
		t.Fatalf("%v\n%s", err, text(t, e))
	}
	if text(t, got) != text(t, want) {
		t.Fatalf("replayed\n%s\nwant\n%s\nby\n%s", text(t, got), text(t, want), text(t, e))
	}
	for _, lang := range []string{"de", "en"} {
		for _, line := range e.Trace(lang) {
			if line.Text == "" || line.Path == "" || strings.Contains(line.Text, "%!") {
				t.Fatalf("%+v", line)
			}
		}
	}
}

// An explanation is whole: every figure comes out of it again, to the last digit.
func TestReplay(t *testing.T) {
	for _, v := range append(ownVectors(t), sharedVectors(t)...) {
		cdr, tariffs := v.read(t)
		replay(t, cdr, tariffs, time.UTC, billing.DefaultPolicy)
	}
	policies := append([]billing.Policy{{Name: "exact", Places: 20}}, billing.Readings...)
	for seed := range uint64(*cases) {
		rnd := rand.New(rand.NewPCG(seed, 17))
		c := literal.Generate(rnd)
		opt := billing.CompileOptions{TaxIncluded: rnd.IntN(4) == 0, EveryPeriod: rnd.IntN(4) == 0}
		replay(t, &c.CDR, compileAll(c.CDR.Tariffs, opt), c.Zone, policies[rnd.IntN(len(policies))])
	}
}

// What a plan and vouchers take off comes out again, too.
func TestReplayRetail(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 19))
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	reduced := 0
	for range 500 {
		retail, cdr := billing.NewRetail(planOf(t, randomPlan(rng))), randomSession(t, rng)
		r, _ := retail.Rate(cdr, zone, &billing.ChargePoint{Own: rng.IntN(2) == 0}, nil)
		if rng.IntN(3) == 0 {
			shown, _ := billing.NewRetail(planOf(t, randomPlan(rng))).Rate(cdr, zone, &billing.ChargePoint{}, nil)
			billing.KeepPromise(&r, &shown)
		}
		if rng.IntN(3) == 0 {
			billing.Redeem(&r, []billing.Voucher{{Code: "A", Left: number("3.5")}, {Code: "B", Percent: number("12.5").Decimal}}, cdr.StartDateTime)
		}
		e := retail.Explain(nil, cdr, zone, r)
		var stored billing.Explanation
		if err := json.Unmarshal([]byte(text(t, e)), &stored); err != nil {
			t.Fatal(err)
		}
		if _, err := stored.Replay(); err != nil {
			t.Fatalf("%v\n%s", err, text(t, e))
		}
		for _, l := range r.Lines {
			if len(l.Of) > 0 {
				reduced++
				break
			}
		}
	}
	if reduced < 100 {
		t.Errorf("only %d prices were reduced", reduced)
	}
}

func TestReplayRefuses(t *testing.T) {
	cdr := sessionDoc(t, "11:00", "10:00 ENERGY=20")
	e := billing.Explain(nil, cdr, compile(tariffDoc(t, "T", element("", "ENERGY 0.25 - 1"))), time.UTC, billing.DefaultPolicy)
	for name, forge := range map[string]func(*billing.Explanation){
		"a tariff that is not there": func(e *billing.Explanation) { e.Periods[0].Tariff = 1 },
		"another quantity":           func(e *billing.Explanation) { e.Periods[0].Choices[0].Quantity = number("21").Decimal },
		"another price":              func(e *billing.Explanation) { e.Periods[0].Choices[0].Price = number("0.2500000001").Decimal },
		"another total":              func(e *billing.Explanation) { e.Rating.Total.InclVAT = number("5.0000000001").Decimal },
		"a line more":                func(e *billing.Explanation) { e.Rating.Lines = append(e.Rating.Lines, e.Rating.Lines[0]) },
		"a dimension of its own":     func(e *billing.Explanation) { e.Periods[0].Choices[0].Dimension = "WATER" },
	} {
		var forged billing.Explanation
		if err := json.Unmarshal([]byte(text(t, e)), &forged); err != nil {
			t.Fatal(err)
		}
		forge(&forged)
		if _, err := forged.Replay(); !errors.Is(err, billing.ErrNotReplayable) {
			t.Errorf("%s is replayed: %v", name, err)
		}
	}
}

// What a clerk reads, in both languages.
func TestTraceGolden(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	tariff := tariffDoc(t, "T", elements(
		element(`"reservation":"RESERVATION"`, "FLAT 2 19 1", "TIME 3 19 300"),
		element(`"max_kwh":5,"day_of_week":["MONDAY","TUESDAY","WEDNESDAY"]`, "ENERGY 0.20 19 500"),
		element(`"start_time":"22:00","end_time":"06:00"`, "ENERGY 0.25 19 500"),
		element(`"max_current":16`, "PARKING_TIME 1 19 60"),
		element(`"min_duration":3600,"end_date":"2024-07-01"`, "PARKING_TIME 6 19 900"),
		element(`"min_power":50`, "FLAT 5 19 1"),
		element("", "ENERGY 0.30 7 500", "FLAT 1 - 1"),
	)+`| "max_price":{"excl_vat":6,"incl_vat":7.1}`)
	cdr := sessionDoc(t, "12:20", "09:48 RESERVATION_TIME=0.2", "10:00 ENERGY=3.3 TIME=0.5", "10:30 ENERGY=2.1 TIME=0.6667", "11:10 ENERGY=1.16 TIME=0.3334", "11:30 PARKING_TIME=0.8333")
	cdr.TotalCost = ocpi.Price{ExclVAT: number("6.2"), InclVAT: number("7.1")}
	e := billing.Explain([]byte("CDR"), cdr, compile(tariff), zone, billing.DefaultPolicy)
	verdict := billing.Check(cdr, e.Rating, billing.DefaultTolerance)
	e.Verdict = &verdict
	var b strings.Builder
	for _, lang := range []string{"de", "en"} {
		b.WriteString(billing.Sentence(e.Rating, lang) + "\n")
		for _, line := range e.Trace(lang) {
			b.WriteString(strings.Repeat("  ", line.Level) + line.Text + "\n")
		}
	}
	doc, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "trace.golden", b.String()+string(doc)+"\n")
}

// golden compares with a file in testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

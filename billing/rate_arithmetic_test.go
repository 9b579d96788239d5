package billing_test

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

var update = flag.Bool("update", false, "write the golden files anew")

var random = flag.Int("random", 3000, "made-up sessions that each comparison of the engine with itself and with the oracle prices")

// A session and its tariffs written with thirty decimals do not fit the quick arithmetic, so decimals price them. The price is
// the same to the last digit, and so is everything else that is said of it.
func TestRateArithmetic(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	policies := append([]billing.Policy{{Name: "exact", Places: 20}}, billing.Readings...)
	for seed := range *random {
		rnd := rand.New(rand.NewPCG(uint64(seed), 11))
		tariffs := []ocpi.Tariff{randomTariff(rnd, "T0")}
		for len(tariffs) < 3 && rnd.IntN(5) == 0 {
			tariffs = append(tariffs, randomTariff(rnd, "T"+strconv.Itoa(len(tariffs))))
		}
		cdr := randomCDR(rnd, tariffs)
		cdr.Credit = rnd.IntN(20) == 0
		if rnd.IntN(10) == 0 && len(cdr.ChargingPeriods) > 1 {
			rnd.Shuffle(len(cdr.ChargingPeriods), func(i, j int) {
				cdr.ChargingPeriods[i], cdr.ChargingPeriods[j] = cdr.ChargingPeriods[j], cdr.ChargingPeriods[i]
			})
		}
		opt := billing.CompileOptions{TaxIncluded: rnd.IntN(4) == 0}
		policy := policies[rnd.IntN(len(policies))]
		short := billing.Rate(cdr, compileAll(tariffs, opt), zone, policy)
		lengthen(reflect.ValueOf(cdr))
		lengthen(reflect.ValueOf(tariffs))
		long := billing.Rate(cdr, compileAll(tariffs, opt), zone, policy)
		for i := range long.Tariffs {
			long.Tariffs[i].Hash = short.Tariffs[i].Hash
		}
		long.Slack = short.Slack // hours with thirty decimals are known better
		if a, b := text(t, short), text(t, long); a != b {
			t.Fatalf("seed %d: quick\n%s\nslow\n%s", seed, a, b)
		}
	}
}

func compileAll(docs []ocpi.Tariff, opt billing.CompileOptions) []*billing.Tariff {
	var compiled []*billing.Tariff
	for _, doc := range docs {
		t, _ := billing.Compile(doc, opt)
		compiled = append(compiled, t)
	}
	return compiled
}

var tenToThe30 = decimal.RequireFromString("1" + strings.Repeat("0", 30))

// lengthen writes every number below v with thirty decimals.
func lengthen(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			lengthen(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			lengthen(v.Index(i))
		}
	case reflect.Struct:
		if d, ok := v.Interface().(decimal.Decimal); ok {
			v.Set(reflect.ValueOf(d.Mul(tenToThe30).Shift(-30)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				lengthen(v.Field(i))
			}
		}
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v) // members of maps in order
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// One pricer for many CDRs gives what a new one gives for each, and its totals cost no more than two numbers.
func TestPricer(t *testing.T) {
	zone, _ := time.LoadLocation("Europe/Berlin")
	var pricer billing.Pricer
	for seed := range 500 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 13))
		tariffs := []ocpi.Tariff{randomTariff(rnd, "T")}
		cdr := randomCDR(rnd, tariffs)
		compiled := compile(tariffs...)
		want := billing.Rate(cdr, compiled, zone, billing.DefaultPolicy)
		total := pricer.Price(cdr, compiled, zone, billing.DefaultPolicy)
		if !total.ExclVAT.Equal(want.Total.ExclVAT) || !total.InclVAT.Equal(want.Total.InclVAT) {
			t.Fatalf("seed %d: %v, want %v", seed, total, want.Total)
		}
		if got := text(t, pricer.Rating()); got != text(t, want) {
			t.Fatalf("seed %d: %s\nwant %s", seed, got, text(t, want))
		}
	}
	cdr, tariffs := sessionDoc(t, "11:00", "10:00 ENERGY=20 TIME=1"), compile(tariffDoc(t, "T", element("", "ENERGY 0.25 19 1", "TIME 3 19 60")))
	if n := testing.AllocsPerRun(100, func() { pricer.Price(cdr, tariffs, zone, billing.DefaultPolicy) }); n > 4 {
		t.Errorf("%v allocations", n)
	}
}

package billing_test

import (
	"encoding/json"
	"flag"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A session and its tariffs written with many decimals do not fit the quick arithmetic, so decimals price them. The price is
// the same to the last digit, and so is everything else that is said of it.
func TestRateArithmetic(t *testing.T) {
	policies := append([]billing.Policy{{Name: "exact", Places: 20}}, billing.Readings...)
	for n := range *cases {
		c, rnd := made(n, 11)
		cdr, tariffs, zone := &c.CDR, c.CDR.Tariffs, c.Zone
		cdr.Tariffs = nil
		opt := billing.CompileOptions{TaxIncluded: rnd.IntN(4) == 0}
		policy := policies[rnd.IntN(len(policies))]
		short := billing.Rate(cdr, compileAll(tariffs, opt), zone, policy)
		lengthen(reflect.ValueOf(cdr))
		lengthen(reflect.ValueOf(tariffs))
		long := billing.Rate(cdr, compileAll(tariffs, opt), zone, policy)
		for i := range long.Tariffs {
			long.Tariffs[i].Hash = short.Tariffs[i].Hash
		}
		long.Slack = short.Slack // hours with many decimals are known better
		if a, b := text(t, short), text(t, long); a != b {
			t.Fatalf("case %d: quick\n%s\nslow\n%s", n, a, b)
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

var tenToThe28 = decimal.RequireFromString("1" + strings.Repeat("0", 28))

// lengthen writes every number below v with 28 more decimals.
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
			v.Set(reflect.ValueOf(d.Mul(tenToThe28).Shift(-28)))
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

// The totals of a pricer cost no more than two numbers.
func TestPricerAllocates(t *testing.T) {
	zone, _ := time.LoadLocation("Europe/Berlin")
	var pricer billing.Pricer
	cdr, tariffs := sessionDoc(t, "11:00", "10:00 ENERGY=20 TIME=1"), compile(tariffDoc(t, "T", element("", "ENERGY 0.25 19 1", "TIME 3 19 60")))
	if n := testing.AllocsPerRun(100, func() { pricer.Price(cdr, tariffs, zone, billing.DefaultPolicy) }); n > 4 {
		t.Errorf("%v allocations", n)
	}
}

package billing_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// vector is a CDR and the tariff that it is to be priced by, as they come over the wire.
type vector struct {
	name        string
	cdr, tariff []byte
}

// ownVectors are nine small CDRs, each of them one point of the pricing rules.
func ownVectors(t testing.TB) []vector {
	files, err := filepath.Glob("testdata/session/*.json")
	if err != nil || len(files) != 9 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var vectors []vector
	for _, file := range files {
		doc, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]jsontext.Value
		if err := ocpi.Unmarshal(doc, &members); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		vectors = append(vectors, vector{strings.TrimSuffix(filepath.Base(file), ".json"), members["cdr"], members["tariff"]})
	}
	return vectors
}

// sharedVectors are the nine of the Rust engine ocpi-tariffs 0.6.1, by which it was measured; none where they are not present.
func sharedVectors(t testing.TB) []vector {
	files, _ := filepath.Glob(filepath.Join(shared, "rating/tandemdrive-0.6.1/*/cdr*.json"))
	var vectors []vector
	for _, file := range files {
		if strings.Contains(file, "peer_report") {
			continue
		}
		cdr, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tariff, err := os.ReadFile(filepath.Join(filepath.Dir(file), "tariff.json"))
		if err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, vector{filepath.Base(filepath.Dir(file)), cdr, tariff})
	}
	return vectors
}

func (v vector) read(t testing.TB) (*ocpi.CDR, []*billing.Tariff) {
	t.Helper()
	var cdr ocpi.CDR
	var tariff ocpi.Tariff
	if err := ocpi.Unmarshal(v.cdr, &cdr); err != nil {
		t.Fatalf("%s: %v", v.name, err)
	}
	if err := ocpi.Unmarshal(v.tariff, &tariff); err != nil {
		t.Fatalf("%s: %v", v.name, err)
	}
	return &cdr, compile(tariff)
}

// Each of our own CDRs claims what it costs, with all its parts and totals.
func TestOwnVectors(t *testing.T) {
	for _, v := range ownVectors(t) {
		cdr, tariffs := v.read(t)
		r := billing.Rate(cdr, tariffs, time.UTC, billing.DefaultPolicy)
		if verdict := billing.Check(cdr, r, billing.DefaultTolerance); !verdict.Agrees || len(verdict.Findings) > 0 {
			t.Errorf("%s: %v %v", v.name, figures(verdict), verdict.Findings)
		}
		holdInvariants(t, cdr, r)
	}
}

// benchmarkVectors runs a benchmark over both sets of nine. The time of an operation is that of all nine; "ns/cdr" is the part
// of one.
func benchmarkVectors(b *testing.B, prepare func(vector) func()) {
	for name, vectors := range map[string][]vector{"own": ownVectors(b), "shared": sharedVectors(b)} {
		if len(vectors) == 0 {
			continue
		}
		b.Run(name, func(b *testing.B) {
			var work []func()
			for _, v := range vectors {
				work = append(work, prepare(v))
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range work {
					f()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(work)), "ns/cdr")
		})
	}
}

// BenchmarkPrice prices CDRs that are decoded by tariffs that are compiled, and tells the total.
func BenchmarkPrice(b *testing.B) {
	benchmarkVectors(b, func(v vector) func() {
		cdr, tariffs := v.read(b)
		var pricer billing.Pricer
		return func() { pricer.Price(cdr, tariffs, time.UTC, billing.DefaultPolicy) }
	})
	cdr, tariffs := quarterHours(100, 48)
	b.Run("100x48", func(b *testing.B) {
		var pricer billing.Pricer
		b.ReportAllocs()
		for b.Loop() {
			pricer.Price(cdr, tariffs, time.UTC, billing.DefaultPolicy)
		}
	})
}

// BenchmarkRate is BenchmarkPrice with everything that a Rating says.
func BenchmarkRate(b *testing.B) {
	benchmarkVectors(b, func(v vector) func() {
		cdr, tariffs := v.read(b)
		return func() { billing.Rate(cdr, tariffs, time.UTC, billing.DefaultPolicy) }
	})
	for _, size := range [][2]int{{1, 1}, {20, 2}, {100, 48}} {
		cdr, tariffs := quarterHours(size[0], size[1])
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				billing.Rate(cdr, tariffs, time.UTC, billing.DefaultPolicy)
			}
		})
	}
}

// quarterHours is a session with a period each quarter of an hour by a tariff that divides the day into elements.
func quarterHours(periods, elements int) (*ocpi.CDR, []*billing.Tariff) {
	doc := ocpi.Tariff{ID: "T", Currency: "EUR"}
	for i := range elements {
		start, end := i*1440/elements, (i+1)*1440/elements%1440
		doc.Elements = append(doc.Elements, ocpi.TariffElement{
			PriceComponents: []ocpi.PriceComponent{{Type: ocpi.ComponentEnergy, Price: ocpi.Number(decimal.New(int64(200+i), -3)), StepSize: ocpi.Ptr(1)}},
			Restrictions:    &ocpi.TariffRestrictions{StartTime: fmt.Sprintf("%02d:%02d", start/60, start%60), EndTime: fmt.Sprintf("%02d:%02d", end/60, end%60)},
		})
	}
	at := time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)
	cdr := &ocpi.CDR{Currency: "EUR", StartDateTime: at}
	for range periods {
		cdr.ChargingPeriods = append(cdr.ChargingPeriods, ocpi.ChargingPeriod{StartDateTime: at,
			Dimensions: []ocpi.CDRDimension{{Type: ocpi.DimensionEnergy, Volume: ocpi.Number(decimal.New(1234, -3))}}})
		at = at.Add(15 * time.Minute)
	}
	cdr.EndDateTime = at
	return cdr, compile(doc)
}

// BenchmarkVerdict is the whole way from the bytes of a CDR and a tariff to the verdict with its explanation. "compiled" is the
// same with the tariff at hand, as it is for all but the first CDR that comes with it.
func BenchmarkVerdict(b *testing.B) {
	var pricer billing.Pricer
	judge := func(v *vector, tariffs []*billing.Tariff) billing.Explanation {
		var cdr ocpi.CDR
		if err := ocpi.Unmarshal(v.cdr, &cdr); err != nil {
			b.Fatal(err)
		}
		e := pricer.Explain(v.cdr, &cdr, tariffs, time.UTC, billing.DefaultPolicy)
		verdict := billing.Check(&cdr, e.Rating, billing.DefaultTolerance)
		e.Verdict = &verdict
		return e
	}
	b.Run("all", func(b *testing.B) {
		benchmarkVectors(b, func(v vector) func() {
			return func() {
				var tariff ocpi.Tariff
				if err := ocpi.Unmarshal(v.tariff, &tariff); err != nil {
					b.Fatal(err)
				}
				compiled, _ := billing.Compile(tariff, billing.CompileOptions{})
				judge(&v, []*billing.Tariff{compiled})
			}
		})
	})
	b.Run("compiled", func(b *testing.B) {
		benchmarkVectors(b, func(v vector) func() {
			_, tariffs := v.read(b)
			return func() { judge(&v, tariffs) }
		})
	})
}

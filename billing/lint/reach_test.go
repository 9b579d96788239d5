package lint_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/ocpi"
)

var tariffs = flag.Int("tariffs", 400, "how many random tariffs are held against the engine")

// world draws tariffs and sessions from few values, so that limits meet.
type world struct{ *rand.Rand }

func pickOf[T any](w world, values ...T) T { return values[w.IntN(len(values))] }

// some returns a value or none.
func (w world) number(values ...string) (d decimal.NullDecimal) {
	if w.IntN(3) == 0 {
		d = ocpi.Number(decimal.RequireFromString(pickOf(w, values...)))
	}
	return d
}

func (w world) seconds(values ...int) *int {
	if w.IntN(4) > 0 {
		return nil
	}
	v := pickOf(w, values...)
	return &v
}

var (
	clocks = []string{"", "", "", "00:00", "02:00", "02:30", "03:00", "06:00", "12:00", "21:59", "22:00", "23:59", "24:00", "05:59:59"}
	dates  = []string{"", "", "", "2026-03-28", "2026-03-29", "2026-03-30", "2026-04-01", "2026-10-25", "0001-01-01", "9999-12-31"}
	kwhs   = []string{"-1", "0", "5", "10", "10.5", "20"}
	powers = []string{"-3", "0", "3.7", "11", "22"}
	amps   = []string{"0", "16", "32"}
	spans  = []int{-5, 0, 1, 1800, 3600, 14400}
	days   = []ocpi.DayOfWeek{ocpi.Monday, ocpi.Tuesday, ocpi.Wednesday, ocpi.Thursday, ocpi.Friday, ocpi.Saturday, ocpi.Sunday}
)

// tariff draws a tariff whose axes are restricted by few or by many elements.
func (w world) tariff() ocpi.Tariff {
	t := ocpi.Tariff{CountryCode: "DE", PartyID: "ALL", ID: "T", Currency: "EUR", LastUpdated: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	if w.IntN(6) == 0 {
		t.StartDateTime = time.Date(2026, 3, 28+w.IntN(3), w.IntN(24), 30, 0, 0, time.UTC)
	}
	if w.IntN(8) == 0 {
		t.Extra = []byte(`{"ocpi_version":"2.1.1"}`)
	}
	axes := make([]bool, 7)
	mode := w.IntN(4)
	for k := range axes {
		switch mode {
		case 0: // thresholds
			axes[k] = k == 3 || k == 4
		case 1: // levels
			axes[k] = k > 4
		default:
			axes[k] = w.IntN(3) == 0
		}
	}
	for range 1 + w.IntN(6) {
		t.Elements = append(t.Elements, w.element(axes))
	}
	return t
}

func (w world) element(axes []bool) ocpi.TariffElement {
	var e ocpi.TariffElement
	for _, kind := range []ocpi.TariffDimensionType{ocpi.ComponentEnergy, ocpi.ComponentTime, ocpi.ComponentParkingTime, ocpi.ComponentFlat} {
		if w.IntN(2) == 0 {
			step := w.IntN(2)
			price := ocpi.Number(decimal.New(int64(w.IntN(50)), -2))
			e.PriceComponents = append(e.PriceComponents, ocpi.PriceComponent{Type: kind, Price: price, StepSize: &step})
		}
	}
	if w.IntN(6) == 0 {
		return e
	}
	r := &ocpi.TariffRestrictions{}
	e.Restrictions = r
	if axes[0] {
		r.StartTime, r.EndTime = pickOf(w, clocks...), pickOf(w, clocks...)
	}
	if axes[1] {
		r.StartDate, r.EndDate = pickOf(w, dates...), pickOf(w, dates...)
	}
	if axes[2] {
		for _, d := range days {
			if w.IntN(3) == 0 {
				r.DayOfWeek = append(r.DayOfWeek, d)
			}
		}
	}
	if axes[3] {
		r.MinKWh, r.MaxKWh = w.number(kwhs...), w.number(kwhs...)
	}
	if axes[4] {
		r.MinDuration, r.MaxDuration = w.seconds(spans...), w.seconds(spans...)
	}
	if axes[5] {
		r.MinPower, r.MaxPower = w.number(powers...), w.number(powers...)
	}
	if axes[6] {
		r.MinCurrent, r.MaxCurrent = w.number(amps...), w.number(amps...)
	}
	switch w.IntN(12) {
	case 0, 1:
		r.Reservation = ocpi.ReservationActive
	case 2:
		r.Reservation = ocpi.ReservationExpires
	case 3:
		r.Extra = []byte(`{"member_only":true}`) // not understood
	}
	return e
}

// level draws the lowest and the highest level of a period, and what it tells of them.
func (w world) level(steady bool, values ...string) (low, mean, high decimal.Decimal, told [2]bool) {
	draw := func() decimal.Decimal {
		d := decimal.RequireFromString(pickOf(w, values...)).Add(decimal.New(int64(w.IntN(3)-1), -1))
		return decimal.Max(d, decimal.New(1, -1))
	}
	low, high = draw(), draw()
	if steady {
		return low, low, low, [2]bool{true, true}
	}
	switch {
	case high.LessThan(low):
		low, high = high, low
	case high.Equal(low): // the average, which is rounded, must not stand in for one of the two
		return low, low, low, [2]bool{true, true}
	}
	return low, low.Add(high).Div(decimal.NewFromInt(2)), high, [2]bool{w.IntN(3) > 0, w.IntN(3) > 0}
}

// session draws a well-formed session. steady: power and current are told and do not change within a period.
func (w world) session(t *ocpi.Tariff, steady bool, zone *time.Location) *ocpi.CDR {
	year, month, day := 2026, time.March, 27+w.IntN(12)
	switch w.IntN(8) {
	case 0:
		month, day = time.October, 24+w.IntN(4)
	case 1:
		year, month, day = 2025+w.IntN(4), time.Month(1+w.IntN(12)), 1+w.IntN(28)
	}
	at := time.Date(year, month, day, pickOf(w, 0, 1, 2, 3, 5, 6, 12, 21, 22, 23), pickOf(w, 0, 15, 30, 58, 59), w.IntN(60), 0, zone)
	if at.Before(t.StartDateTime) {
		at = t.StartDateTime.Add(time.Duration(w.IntN(100)) * time.Hour)
	}
	cdr := &ocpi.CDR{ID: "C", SessionID: "S", Currency: "EUR", StartDateTime: at}
	add := func(length time.Duration, dims ...ocpi.CDRDimension) {
		low, mean, high, told := w.level(steady, powers...)
		lowA, _, highA, toldA := w.level(steady, amps...)
		for k, d := range dims {
			if d.Type == ocpi.DimensionEnergy {
				dims[k].Volume = ocpi.Number(mean.Mul(decimal.NewFromInt(int64(length/time.Second))).DivRound(decimal.NewFromInt(3600), 12))
			} else {
				dims[k].Volume = ocpi.Number(decimal.NewFromInt(int64(length/time.Second)).DivRound(decimal.NewFromInt(3600), 4))
			}
		}
		if dims[0].Type != ocpi.DimensionReservationTime {
			for _, level := range []struct {
				kind ocpi.CDRDimensionType
				of   decimal.Decimal
				told bool
			}{{ocpi.DimensionMinPower, low, told[0]}, {ocpi.DimensionMaxPower, high, told[1]}, {ocpi.DimensionMinCurrent, lowA, toldA[0]}, {ocpi.DimensionMaxCurrent, highA, toldA[1]}} {
				if level.told {
					dims = append(dims, ocpi.CDRDimension{Type: level.kind, Volume: ocpi.Number(level.of)})
				}
			}
		}
		cdr.ChargingPeriods = append(cdr.ChargingPeriods, ocpi.ChargingPeriod{StartDateTime: at, Dimensions: dims})
		at = at.Add(length)
	}
	length := func() time.Duration {
		return pickOf(w, time.Second, 30*time.Second, time.Minute, 10*time.Minute, 30*time.Minute, time.Hour, 4*time.Hour, 20*time.Hour)
	}
	dim := func(kind ocpi.CDRDimensionType) ocpi.CDRDimension { return ocpi.CDRDimension{Type: kind} }
	if w.IntN(4) == 0 {
		for range 1 + w.IntN(3) {
			add(length(), dim(ocpi.DimensionReservationTime))
		}
		if w.IntN(2) == 0 {
			cdr.SessionID, cdr.EndDateTime = "", at
			return cdr
		}
	}
	for range 1 + w.IntN(4) {
		switch w.IntN(4) {
		case 0:
			add(length(), dim(ocpi.DimensionParkingTime))
		case 1:
			add(length(), dim(ocpi.DimensionTime))
		default:
			add(length(), dim(ocpi.DimensionTime), dim(ocpi.DimensionEnergy))
		}
	}
	cdr.EndDateTime = at
	return cdr
}

// picks are the components that the engine chose in a session, in the terms of lint.Reach.
func picks(cdr *ocpi.CDR, doc *ocpi.Tariff, tariff *billing.Tariff, zone *time.Location) []string {
	r := billing.Rate(cdr, []*billing.Tariff{tariff}, zone, billing.DefaultPolicy)
	var all []string
	for _, line := range r.Lines {
		if line.Element >= 0 {
			all = append(all, pickName(line.Dimension, line.Element))
		}
	}
	return all
}

func pickName(d billing.Dimension, element int) string { return fmt.Sprint(d, " ", element) }

// PRC-04: what is decided about a component is true of every session that is tried, and what is said to be reachable is
// reached by its witness. The engine's own choice is the judge.
func TestReachAgainstEngine(t *testing.T) {
	const sessions = 100
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for n := range *tariffs {
		w := world{rand.New(rand.NewPCG(17, uint64(n)))}
		doc := w.tariff()
		tariff, _ := billing.Compile(doc, billing.CompileOptions{EveryPeriod: true})
		reached := lint.Reach(doc, zone)
		claims := map[string]lint.Reached{}
		for _, r := range reached {
			claims[pickName(r.Dimension, r.Element)] = r
			counts[r.Why]++
			switch {
			case !r.Decided:
				t.Errorf("tariff %d: %s of element %d is not decided", n, r.Dimension, r.Element)
			case r.Maybe:
				counts["maybe"]++
			case r.Unmeasured:
				counts["unmeasured"]++
			case r.Reachable:
				counts["reachable"]++
			}
			if r.Reachable && (r.Witness == nil || r.Witness.Element != r.Element) {
				t.Errorf("tariff %d: the witness for %s of element %d is priced by another: %+v\n%s", n, r.Dimension, r.Element, r.Witness, text(doc))
			}
		}
		for k := range sessions {
			steady := k%2 == 0
			cdr := w.session(&doc, steady, zone)
			for _, name := range picks(cdr, &doc, tariff, zone) {
				claim, known := claims[name]
				if !known || claim.Why != "" || claim.Unmeasured && steady {
					t.Fatalf("tariff %d: %s prices a session, and is said to be %q, unmeasured %v\n%s\n%s", n, name, claim.Why, claim.Unmeasured, text(doc), text(*cdr))
				}
			}
		}
	}
	t.Logf("%v", counts)
	for _, kind := range []string{"reachable", "unmeasured", "shadowed", "impossible", "too late", "unreadable"} {
		if counts[kind] < *tariffs/200 {
			t.Errorf("only %d of %d tariffs show %q", counts[kind], *tariffs, kind)
		}
	}
}

func text[T any](v T) string {
	doc, err := ocpi.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(doc)
}

// What a finding's witness shows is what the finding says, whoever was asked: the engine priced it.
func TestWitnesses(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for n := range *tariffs {
		w := world{rand.New(rand.NewPCG(18, uint64(n)))}
		doc := w.tariff()
		for _, f := range lint.Lint(doc, zone) {
			seen[f.Code]++
			if err := contradicts(f, doc, zone); err != nil {
				t.Errorf("tariff %d: %s: %v\n%s\n%s", n, f.Code, err, f.Text.EN, text(doc))
			}
		}
	}
	for _, code := range []string{"element-unreachable", "component-unreachable", "flat-too-late", "charging-free", "free-at-first", "no-fallback",
		"free-unmeasured", "minute-gap", "minute-off", "overlap", "only-unmeasured", "element-never-active"} {
		if seen[code] == 0 {
			t.Errorf("no tariff shows %s: %v", code, seen)
		}
	}
}

// contradicts says in what the witness of a finding does not show it.
func contradicts(f lint.Finding, doc ocpi.Tariff, zone *time.Location) error {
	if f.Witness == nil {
		if slices.Contains([]string{"element-unreachable", "component-unreachable", "flat-too-late", "charging-free", "free-at-first", "no-fallback", "free-unmeasured",
			"minute-gap", "minute-off", "overlap", "only-unmeasured"}, f.Code) {
			return fmt.Errorf("no witness")
		}
		return nil
	}
	who, own := f.Witness.Element, f.Params["element"]
	switch f.Code {
	case "element-unreachable", "component-unreachable":
		if who < 0 && doc.Extra == nil || fmt.Sprint(who+1) == own { // in OCPI 2.1.1 an earlier one can leave it free
			return fmt.Errorf("element %d prices it: %s", who+1, f.Witness.Text.EN)
		}
		if before, ok := f.Params["before"]; ok {
			return standsBefore(doc, zone, own, before, f.Witness.Dimension)
		}
	case "charging-free", "free-at-first", "no-fallback", "free-unmeasured", "minute-gap":
		if who >= 0 {
			return fmt.Errorf("element %d prices it: %s", who+1, f.Witness.Text.EN)
		}
	case "minute-off", "flat-too-late":
		if who < 0 || fmt.Sprint(who+1) == own {
			return fmt.Errorf("element %d prices it: %s", who+1, f.Witness.Text.EN)
		}
	case "overlap":
		if fmt.Sprint(who+1) != f.Params["other"] {
			return fmt.Errorf("element %d prices it: %s", who+1, f.Witness.Text.EN)
		}
	case "only-unmeasured":
		if fmt.Sprint(who+1) != own {
			return fmt.Errorf("element %d prices it: %s", who+1, f.Witness.Text.EN)
		}
	}
	return nil
}

// standsBefore moves an element before another and asks whether it prices the dimension then, as the finding says.
func standsBefore(doc ocpi.Tariff, zone *time.Location, element, before string, d billing.Dimension) error {
	from, _ := strconv.Atoi(element)
	to, _ := strconv.Atoi(before)
	moved := doc
	moved.Elements = slices.Insert(slices.Delete(slices.Clone(doc.Elements), from-1, from), to-1, doc.Elements[from-1])
	for _, r := range lint.Reach(moved, zone) {
		if r.Element == to-1 && r.Dimension == d && r.Reachable {
			return nil
		}
	}
	return fmt.Errorf("put before element %s it still prices nothing", before)
}

// PRC-05: where nothing is said of free energy, the engine leaves none free whose power and current are told and steady.
func TestGapsAgainstEngine(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	covered := 0
	for n := range *tariffs {
		w := world{rand.New(rand.NewPCG(19, uint64(n)))}
		doc := w.tariff()
		if !slices.ContainsFunc(lint.Reach(doc, zone), func(r lint.Reached) bool { return r.Dimension == billing.Energy }) {
			continue
		}
		if slices.ContainsFunc(lint.Lint(doc, zone), func(f lint.Finding) bool {
			return slices.Contains([]string{"charging-free", "free-at-first", "no-fallback", "minute-gap"}, f.Code)
		}) {
			continue
		}
		covered++
		tariff, _ := billing.Compile(doc, billing.CompileOptions{EveryPeriod: true})
		for range 100 {
			cdr := w.session(&doc, true, zone)
			r := billing.Rate(cdr, []*billing.Tariff{tariff}, zone, billing.DefaultPolicy)
			priced := decimal.Zero
			for _, line := range r.Lines {
				if line.Dimension == billing.Energy {
					priced = priced.Add(line.Measured)
				}
			}
			if !priced.Equal(r.TotalEnergy) {
				t.Fatalf("tariff %d leaves energy free, and nothing is said\n%s\n%s", n, text(doc), text(*cdr))
			}
		}
	}
	if covered < *tariffs/20 {
		t.Errorf("only %d of %d tariffs price all energy", covered, *tariffs)
	}
}

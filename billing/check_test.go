package billing_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

func number(s string) decimal.NullDecimal { return ocpi.Number(decimal.RequireFromString(s)) }

func figures(v billing.Verdict) []string {
	var list []string
	for _, d := range v.Differences {
		list = append(list, d.Figure+" "+d.Delta().String())
	}
	return list
}

func TestCheck(t *testing.T) { // CDR-21, PRC-32, PRC-33
	tariff := compile(tariffDoc(t, "T", element("", "ENERGY 0.25 10 1", "FLAT 0.50 20 1")))
	for _, c := range []struct {
		name   string
		change func(*ocpi.CDR)
		want   []string
		codes  []string
	}{
		{name: "agrees", change: func(*ocpi.CDR) {}},
		{name: "a cent more, two lines", change: func(c *ocpi.CDR) { c.TotalCost.ExclVAT = number("5.51") }},
		{name: "more than half a cent a line", change: func(c *ocpi.CDR) { c.TotalCost.ExclVAT = number("5.511") }, want: []string{"total_cost.excl_vat 0.011"}, codes: []string{"parts-differ"}},
		{name: "VAT is checked of its own", change: func(c *ocpi.CDR) { c.TotalCost.InclVAT = number("6.55") }, want: []string{"total_cost.incl_vat 0.45"}},
		{name: "what is not claimed is not compared", change: func(c *ocpi.CDR) { c.TotalCost.InclVAT = decimal.NullDecimal{}; c.TotalEnergyCost = nil }},
		{name: "a part", change: func(c *ocpi.CDR) { c.TotalEnergyCost.ExclVAT = number("4") }, want: []string{"total_energy_cost.excl_vat -1"}, codes: []string{"parts-differ"}},
		{name: "energy", change: func(c *ocpi.CDR) { c.TotalEnergy = number("20.002") }, want: []string{"total_energy 0.002"}},
		{name: "time", change: func(c *ocpi.CDR) { c.TotalTime = number("1.1") }, want: []string{"total_time 0.1"}},
		{name: "CDR-10: a credit negates the total and may negate its parts", change: func(c *ocpi.CDR) {
			c.Credit = true
			c.TotalCost = ocpi.Price{ExclVAT: number("-5.5"), InclVAT: number("-6.1")}
			c.TotalEnergyCost.ExclVAT = number("-5")
		}},
		{name: "a credit with a positive total", change: func(c *ocpi.CDR) { c.Credit = true }, want: []string{"total_cost.excl_vat 11", "total_cost.incl_vat 12.2"}},
		{name: "VAT below nothing", change: func(c *ocpi.CDR) { c.TotalCost.InclVAT = number("5") }, want: []string{"total_cost.incl_vat -1.1"}, codes: []string{"vat-negative"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cdr := sessionDoc(t, "11:00", "10:00 ENERGY=20 TIME=1")
			cdr.TotalCost = ocpi.Price{ExclVAT: number("5.5"), InclVAT: number("6.1")}
			cdr.TotalFixedCost = &ocpi.Price{ExclVAT: number("0.5"), InclVAT: number("0.6")}
			cdr.TotalEnergyCost = &ocpi.Price{ExclVAT: number("5")}
			cdr.TotalEnergy, cdr.TotalTime = number("20"), number("1")
			c.change(cdr)
			v := billing.Check(cdr, billing.Rate(cdr, tariff, time.UTC, billing.DefaultPolicy), billing.DefaultTolerance)
			if !slices.Equal(figures(v), c.want) || v.Agrees != (len(c.want) == 0) {
				t.Errorf("%v %v, want %v", v.Agrees, figures(v), c.want)
			}
			if !slices.Equal(codes(v.Findings), c.codes) {
				t.Errorf("findings %v, want %v", codes(v.Findings), c.codes)
			}
		})
	}
}

// PRC-14: where hours contradict the clock, a claim within what their last digit can change is accepted.
func TestCheckCoarseHours(t *testing.T) {
	tariff := compile(tariffDoc(t, "T", element("", "TIME 6 - 600"))) // 10 min cost 1.00
	cdr := sessionDoc(t, "10:30", "10:00 TIME=0.3333")                // 1199.88 s of 1800: 20 min, perhaps 30
	for claim, agrees := range map[string]bool{"2": true, "3": true, "3.1": false, "0.9": false} {
		cdr.TotalCost.ExclVAT = number(claim)
		r := billing.Rate(cdr, tariff, time.UTC, billing.DefaultPolicy)
		if v := billing.Check(cdr, r, billing.DefaultTolerance); v.Agrees != agrees {
			t.Errorf("claim %s: %v %v", claim, v.Agrees, figures(v))
		}
	}
}

// A CPO that defends another reading is told apart from one that is wrong.
func TestReview(t *testing.T) { // PRC-21
	for _, c := range []struct {
		name, tariff, end string
		periods           []string
		claim, reading    string
	}{
		{"ours", element("", "ENERGY 0.25 - 500"), "11:00", []string{"10:00 ENERGY=5.1"}, "1.375", "ocpi-2.2.1"},
		{"no step size", element("", "ENERGY 0.25 - 500"), "11:00", []string{"10:00 ENERGY=5.1"}, "1.275", "no-step-size"},
		{"last time component", element("", "TIME 1 - 600", "PARKING_TIME 3 - 600"), "10:39", []string{"10:00 TIME=0.2", "10:12 PARKING_TIME=0.25", "10:27 TIME=0.2"}, "1.25", "last-time-component"},
		{"hours as sent", element("", "TIME 3 - 60"), "10:20", []string{"10:00 TIME=0.3334"}, "1.05", "hours-as-sent"},
		{"unknown levels hold", elements(element(`"max_current":16`, "TIME 1 - 1"), element("", "TIME 4 - 1")), "11:00", []string{"10:00 TIME=1"}, "1", "unknown-level-holds"},
		{"cut to the cent", element("", "ENERGY 0.25 - 1"), "11:00", []string{"10:00 ENERGY=0.079"}, "0.01", "truncated-to-cents"}, // 0.01975
		{"each line cut to the cent", element("", "ENERGY 0.259 - 1", "TIME 0.259 - 1", "PARKING_TIME 0.259 - 1"), "13:00", // 0.259 three times
			[]string{"10:00 ENERGY=1 TIME=1", "11:00 PARKING_TIME=1"}, "0.75", "lines-truncated-to-cents"},
		{"a step at each component", elements(element(`"end_time":"10:30"`, "TIME 3 - 1800"), element("", "TIME 6 - 1800")), "10:40", []string{"10:10 TIME=0.3333", "10:30 TIME=0.1667"}, "4.5", "step-per-component"},
		{"unpriced time in the step", elements(element("", "TIME 2.40 - 900"), element(`"end_time":"20:00"`, "PARKING_TIME 1 - 900")), "20:12", // conformance 18.9
			[]string{"19:40 TIME=0.2", "19:52 PARKING_TIME=0.1333", "20:00 PARKING_TIME=0.2"}, "0.78", "unpriced-in-steps"},
		{"a flat fee again", elements(element(`"end_time":"10:30"`, "FLAT 1 - 1"), element("", "FLAT 2 - 1")), "11:00", []string{"10:00 TIME=0.25", "10:15 TIME=0.25", "10:30 TIME=0.5"}, "3", "flat-per-component"},
		{"no limit", element("", "ENERGY 0.25 - 1") + `| "min_price":{"excl_vat":0.5,"incl_vat":0.55}`, "11:00", []string{"10:00 ENERGY=1"}, "0.25", "no-limits"},
		{"a tool", elements(element(`"max_current":16`, "ENERGY 0.10 - 1"), element("", "ENERGY 0.30 - 1")) + `| "min_price":{"excl_vat":0.5,"incl_vat":0.55}`, "11:00", []string{"10:00 ENERGY=1"}, "0.1", "ocpi-tariffs-0.6"},
		{"wrong", element("", "ENERGY 0.25 - 500"), "11:00", []string{"10:00 ENERGY=5.1"}, "2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cdr := sessionDoc(t, c.end, c.periods...)
			cdr.TotalCost.ExclVAT = number(c.claim)
			r, v := billing.Review(cdr, compile(tariffDoc(t, "T", c.tariff)), time.UTC, billing.Readings, billing.DefaultTolerance)
			if v.Reading != c.reading || v.Agrees != (c.reading == billing.DefaultPolicy.Name) || r.Policy != billing.DefaultPolicy.Name {
				t.Errorf("agrees %v by %q %v, want %q", v.Agrees, v.Reading, figures(v), c.reading)
			}
		})
	}
}

// Half a cent a line hides who rounds to cents; a partner that is granted nothing is told apart by it.
func TestReviewWithoutTolerance(t *testing.T) { // PRC-32
	tariff := compile(tariffDoc(t, "T", element("", "ENERGY 0.254 - 1", "FLAT 0.254 - 1")))
	cdr := sessionDoc(t, "11:00", "10:00 ENERGY=1")
	for claim, want := range map[string]string{"0.508": "ocpi-2.2.1", "0.51": "rounded-to-cents", "0.5": "truncated-to-cents"} {
		cdr.TotalCost.ExclVAT = number(claim)
		if _, v := billing.Review(cdr, tariff, time.UTC, billing.Readings, billing.Tolerance{}); v.Reading != want {
			t.Errorf("%s by %q, want %q", claim, v.Reading, want)
		}
	}
	tariff = compile(tariffDoc(t, "T", element("", "ENERGY 0.256 - 1", "FLAT 0.257 - 1"))) // 0.513, of lines 0.26 and 0.26
	for claim, want := range map[string]string{"0.52": "lines-rounded-to-cents", "0.5": "lines-truncated-to-cents"} {
		cdr.TotalCost.ExclVAT = number(claim)
		if _, v := billing.Review(cdr, tariff, time.UTC, billing.Readings, billing.Tolerance{}); v.Reading != want {
			t.Errorf("%s by %q, want %q", claim, v.Reading, want)
		}
	}
}

// Each tolerance on both sides of its border.
func TestTolerance(t *testing.T) { // PRC-14, PRC-32
	tariff := compile(tariffDoc(t, "T", element("", "ENERGY 0.25 - 1", "FLAT 0.5 - 1"))) // two lines, 5.50
	for _, c := range []struct {
		name                string
		tolerance           billing.Tolerance
		cost, energy, hours string
		agrees              bool
	}{
		{"nothing is granted", billing.Tolerance{}, "5.5", "20", "1", true},
		{"and nothing taken", billing.Tolerance{}, "5.5001", "20", "1", false},
		{"for each line", billing.Tolerance{PerLine: number("0.02").Decimal}, "5.54", "20", "1", true},
		{"for each line, over", billing.Tolerance{PerLine: number("0.02").Decimal}, "5.5401", "20", "1", false},
		{"a fraction", billing.Tolerance{Relative: number("0.02").Decimal}, "5.39", "20", "1", true},
		{"a fraction, over", billing.Tolerance{Relative: number("0.02").Decimal}, "5.3899", "20", "1", false},
		{"the wider of the two", billing.Tolerance{PerLine: number("0.02").Decimal, Relative: number("0.02").Decimal}, "5.61", "20", "1", true},
		{"energy", billing.Tolerance{Energy: number("0.1").Decimal}, "5.5", "20.1", "1", true},
		{"energy, over", billing.Tolerance{Energy: number("0.1").Decimal}, "5.5", "20.1001", "1", false},
		{"time, for each of two periods", billing.Tolerance{Time: number("0.01").Decimal}, "5.5", "20", "1.02", true},
		{"time, over", billing.Tolerance{Time: number("0.01").Decimal}, "5.5", "20", "0.9799", false},
	} {
		cdr := sessionDoc(t, "11:00", "10:00 ENERGY=12 TIME=0.5", "10:30 ENERGY=8 TIME=0.5")
		cdr.TotalCost.ExclVAT, cdr.TotalEnergy, cdr.TotalTime = number(c.cost), number(c.energy), number(c.hours)
		if v := billing.Check(cdr, billing.Rate(cdr, tariff, time.UTC, billing.DefaultPolicy), c.tolerance); v.Agrees != c.agrees {
			t.Errorf("%s: agrees %v %v", c.name, v.Agrees, figures(v))
		}
	}
}

// A clock that is read in UTC is an hour or two behind.
func TestReviewClock(t *testing.T) { // PRC-10
	zone, _ := time.LoadLocation("Europe/Berlin")
	tariff := compile(tariffDoc(t, "T", elements(element(`"end_time":"17:00"`, "ENERGY 0.20 - 1"), element("", "ENERGY 0.50 - 1"))))
	cdr := sessionDoc(t, "16:50", "16:30 ENERGY=10") // 17:30 in winter
	for claim, want := range map[string]string{"5": "ocpi-2.2.1", "2": "clock-in-utc"} {
		cdr.TotalCost.ExclVAT = number(claim)
		if _, v := billing.Review(cdr, tariff, zone, billing.Readings, billing.DefaultTolerance); v.Reading != want {
			t.Errorf("%s by %q, want %q", claim, v.Reading, want)
		}
	}
}

// What a malformed CDR leaves open explains a claim that no reading does; a partner's own reading comes before ours.
func TestReviewOfPartner(t *testing.T) { // PRC-08
	tariff := compile(tariffDoc(t, "T", elements(element(`"end_time":"10:30"`, "ENERGY 0.20 - 500"), element("", "ENERGY 0.50 - 500"))))
	cdr := sessionDoc(t, "11:00", "10:00 ENERGY=10.1")
	for claim, want := range map[string]string{"3.5": "period-not-split", "5.3": "", "2.1": ""} {
		cdr.TotalCost.ExclVAT = number(claim)
		if _, v := billing.Review(cdr, tariff, time.UTC, billing.Readings, billing.DefaultTolerance); v.AtStake != want || v.Agrees != (claim == "2.1") {
			t.Errorf("%s: %v %q, want %q", claim, v.Agrees, v.AtStake, want)
		}
	}
	own, ok := billing.PolicyNamed("no-step-size")
	if !ok {
		t.Fatal("no such reading")
	}
	cdr.TotalCost.ExclVAT = number("2.02")
	r, v := billing.Review(cdr, tariff, time.UTC, append([]billing.Policy{own}, billing.Readings...), billing.DefaultTolerance)
	if !v.Agrees || v.Reading != "no-step-size" || r.Policy != "no-step-size" {
		t.Errorf("%+v by %s", v, r.Policy)
	}
	if p, ok := billing.PolicyNamed(""); !ok || p != billing.DefaultPolicy {
		t.Errorf("no name is %v", p)
	}
	if _, ok := billing.PolicyNamed("as-it-pleases"); ok {
		t.Error("any name is a reading")
	}
}

func TestReadingsHaveWords(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range billing.Readings {
		de, en := billing.SayReading(p.Name, "de"), billing.SayReading(p.Name, "en")
		if de == p.Name || en == p.Name || de == en || seen[de] || seen[en] {
			t.Errorf("%s: %q, %q", p.Name, de, en)
		}
		seen[de], seen[en] = true, true
	}
}

// Half a cent a line may be tolerated; a partner that always takes it is told.
func TestDrift(t *testing.T) {
	for _, c := range []struct {
		claimed, computed string
		cdrs              int
		limit             string // empty: within
	}{
		{"105", "100", 1000, ""},
		{"105.01", "100", 1001, "5"},
		{"95", "100", 1000, ""}, // less than computed
		{"10009", "10000", 900, ""},
		{"10010.01", "10000", 1001, "10"},
	} {
		d := billing.Drift{CDRs: c.cdrs, Claimed: number(c.claimed).Decimal, Computed: number(c.computed).Decimal}
		f := d.Exceeds(billing.DefaultTolerance, "EUR")
		if (f == nil) != (c.limit == "") || f != nil && f.Params["limit"] != c.limit {
			t.Errorf("%+v: %+v, want %q", c, f, c.limit)
		}
	}
	if f := (billing.Drift{Claimed: number("9").Decimal}).Exceeds(billing.Tolerance{}, "EUR"); f != nil {
		t.Errorf("without limit: %+v", f)
	}
}

// The claims that another engine checks.
func TestSharedVerifyVectors(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared, "rating/verify/*.json"))
	if len(files) == 0 {
		t.Skip("no reference data beside this clone: these tests come on top of those with our own fixtures")
	}
	for _, file := range files {
		path, _ := filepath.Rel(shared, file)
		t.Run(filepath.Base(path), func(t *testing.T) {
			var v struct {
				Tariff    ocpi.Tariff         `json:"tariff"`
				CDR       ocpi.CDR            `json:"cdr"`
				Tolerance decimal.NullDecimal `json:"tolerance"`
				Expected  struct {
					Agrees  bool                           `json:"agrees"`
					Include map[string]decimal.NullDecimal `json:"divergences_include"`
				} `json:"expected"`
			}
			readShared(t, path, &v)
			r := billing.Rate(&v.CDR, compile(v.Tariff), time.UTC, billing.DefaultPolicy)
			got := billing.Check(&v.CDR, r, billing.Tolerance{PerLine: v.Tolerance.Decimal})
			if got.Agrees != v.Expected.Agrees || len(got.Findings) > 0 {
				t.Errorf("agrees %v %v %v", got.Agrees, figures(got), got.Findings)
			}
			for name, delta := range v.Expected.Include {
				if want := "total_" + name + ".excl_vat " + delta.Decimal.String(); !slices.Contains(figures(got), want) {
					t.Errorf("%v lacks %q", figures(got), want)
				}
			}
		})
	}
}

func TestSentence(t *testing.T) {
	taxed := `| "tax_included":"YES"`
	hourly := ""
	for h := range 6 {
		hourly += element(`"start_time":"`+time.Date(0, 1, 1, 10+h, 0, 0, 0, time.UTC).Format("15:04")+`","end_time":"`+time.Date(0, 1, 1, 11+h, 0, 0, 0, time.UTC).Format("15:04")+`"`,
			"ENERGY 0."+string(rune('1'+h))+" - 1") + ","
	}
	for _, c := range []struct {
		name, tariff, end string
		periods           []string
		de, en            string
	}{
		{"energy and blocking fee", element("", "ENERGY 0.49 19 1", "PARKING_TIME 6 19 1") + taxed, "12:45", []string{"10:00 ENERGY=20 TIME=2", "12:00 PARKING_TIME=0.75"},
			"20,000 kWh × 0,49 €/kWh + 45 min Blockiergebühr × 0,10 €/min = 14,30 €",
			"20.000 kWh × 0.49 €/kWh + 45 min blocking fee × 0.10 €/min = 14.30 €"},
		{"prices without VAT are shown with it", element("", "FLAT 1 20 1", "ENERGY 0.25 10 1"), "11:00", []string{"10:00 ENERGY=20"},
			"1,20 € Startgebühr + 20,000 kWh × 0,275 €/kWh = 6,70 €", "1.20 € start fee + 20.000 kWh × 0.275 €/kWh = 6.70 €"},
		{"a price that has no end by the minute", element("", "TIME 5 - 1"), "10:45", []string{"10:00 TIME=0.75"},
			"0,75 h Ladezeit × 5,00 €/h = 3,75 €", "0.75 h charging time × 5.00 €/h = 3.75 €"},
		{"a maximum", element("", "ENERGY 0.50 - 1") + `| "max_price":{"excl_vat":10,"incl_vat":10}`, "11:00", []string{"10:00 ENERGY=25"},
			"25,000 kWh × 0,50 €/kWh − 2,50 € Höchstpreis = 10,00 €", "25.000 kWh × 0.50 €/kWh − 2.50 € maximum price = 10.00 €"},
		{"a minimum", element("", "ENERGY 0.50 - 1") + `| "min_price":{"excl_vat":1,"incl_vat":1}`, "11:00", []string{"10:00 ENERGY=1"},
			"1,000 kWh × 0,50 €/kWh + 0,50 € Mindestpreis = 1,00 €", "1.000 kWh × 0.50 €/kWh + 0.50 € minimum price = 1.00 €"},
		{"free", element("", "FLAT 0 - 0"), "11:00", []string{"10:00 ENERGY=20"}, "kostenlos = 0,00 €", "free of charge = 0.00 €"},
		{"many prices", hourly[:len(hourly)-1], "16:00", []string{"10:00 ENERGY=1", "11:00 ENERGY=1", "12:00 ENERGY=1", "13:00 ENERGY=1", "14:00 ENERGY=1", "15:00 ENERGY=1"},
			"6,000 kWh (6 Preise) 2,10 € = 2,10 €", "6.000 kWh (6 prices) 2.10 € = 2.10 €"},
		{"thousands", element("", "ENERGY 1 - 1"), "11:00", []string{"10:00 ENERGY=1234.5"},
			"1.234,500 kWh × 1,00 €/kWh = 1.234,50 €", "1,234.500 kWh × 1.00 €/kWh = 1,234.50 €"},
		{"a price below zero", element("", "ENERGY -0.10 - 1"), "11:00", []string{"10:00 ENERGY=10"}, "10,000 kWh × −0,10 €/kWh = −1,00 €", "10.000 kWh × −0.10 €/kWh = −1.00 €"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := billing.Rate(sessionDoc(t, c.end, c.periods...), compile(tariffDoc(t, "T", c.tariff)), time.UTC, billing.DefaultPolicy)
			if got := billing.Sentence(r, "de"); got != c.de {
				t.Errorf("de: %s\nwant %s", got, c.de)
			}
			if got := billing.Sentence(r, "en"); got != c.en {
				t.Errorf("en: %s\nwant %s", got, c.en)
			}
		})
	}
}

// A credit CDR turns the sign of the total alone (CDR-10), which the sentence and the trace have to say.
func TestSentenceOfCredit(t *testing.T) {
	cdr := sessionDoc(t, "11:00", "10:00 ENERGY=30")
	cdr.Credit = true
	tariffs := compile(tariffDoc(t, "T", element("", "FLAT 1 19 1", "ENERGY 0.50 19 1")+`| "max_price":{"excl_vat":5,"incl_vat":5.95}`))
	e := billing.Explain(nil, cdr, tariffs, time.UTC, billing.DefaultPolicy)
	if got, want := billing.Sentence(e.Rating, "de"), "Erstattung: −(1,19 € Startgebühr + 30,000 kWh × 0,595 €/kWh − 13,09 € Höchstpreis) = −5,95 €"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got, want := billing.Sentence(e.Rating, "en"), "credit: −(1.19 € start fee + 30.000 kWh × 0.595 €/kWh − 13.09 € maximum price) = −5.95 €"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !slices.ContainsFunc(e.Trace("de"), func(l billing.TraceLine) bool { return l.Path == "Credit" }) {
		t.Error("the trace does not say why the total has another sign than its parts")
	}
}

// 19.61 kWh at 0.45 and a start fee of 0.25 are 9.07 without VAT. With VAT on each price it would be 10.80, but the line of an
// invoice without VAT comes to 9.07 × 1.19 = 10.79: who agreed on prices without VAT reads them without.
func TestNetSentence(t *testing.T) {
	net, gross := element("", "FLAT 0.25 19 1", "ENERGY 0.45 19 1"), element("", "ENERGY 0.595 19 1")+`| "tax_included":"YES"`
	for _, c := range []struct{ name, tariff, agreed, net string }{
		{"prices without VAT", net, "0,25 € Startgebühr + 19,610 kWh × 0,45 €/kWh = 9,07 € netto", "0,25 € Startgebühr + 19,610 kWh × 0,45 €/kWh = 9,07 € netto"},
		{"prices with VAT", gross, "19,610 kWh × 0,595 €/kWh = 11,67 €", "19,610 kWh × 0,50 €/kWh = 9,81 € netto"},
		{"a maximum", net + `| "max_price":{"excl_vat":8}`, "0,25 € Startgebühr + 19,610 kWh × 0,45 €/kWh − 1,0745 € Höchstpreis = 8,00 € netto",
			"0,25 € Startgebühr + 19,610 kWh × 0,45 €/kWh − 1,0745 € Höchstpreis = 8,00 € netto"},
	} {
		r := billing.Rate(sessionDoc(t, "11:00", "10:00 ENERGY=19.61"), compile(tariffDoc(t, "T", c.tariff)), time.UTC, billing.DefaultPolicy)
		if got := billing.AgreedSentence(r, "de"); got != c.agreed {
			t.Errorf("%s, as agreed: %s, want %s", c.name, got, c.agreed)
		}
		if got := billing.NetSentence(r, "de"); got != c.net {
			t.Errorf("%s, net: %s, want %s", c.name, got, c.net)
		}
	}
	if got := billing.AgreedSentence(billing.Rating{Currency: "EUR"}, "de"); got != "kostenlos = 0,00 €" {
		t.Errorf("nothing: %s", got)
	}
}

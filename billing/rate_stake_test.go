package billing_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// What is malformed is priced by rule, and the finding says what the other readings of it would cost (PRC-08, CDR-20).
func TestRateStakes(t *testing.T) {
	byEnergy := elements(element(`"max_kwh":10`, "ENERGY 0.10 - 1"), element("", "ENERGY 0.30 - 1"))
	byTime := elements(element(`"max_duration":1800`, "TIME 2 - 1"), element("", "TIME 6 - 1"))
	byClock := elements(element(`"end_time":"17:00"`, "ENERGY 0.20 - 1"), element(`"start_time":"17:00"`, "ENERGY 0.50 - 1"))
	begins := func(at string) func(*ocpi.CDR) {
		return func(c *ocpi.CDR) { c.StartDateTime, _ = time.Parse(time.RFC3339, "2024-01-15T"+at+":00Z") }
	}
	for _, c := range []struct {
		name                      string
		tariff, end               string
		periods                   []string
		change                    func(*ocpi.CDR)
		code                      string
		priced, cheapest, dearest string
	}{
		{"unsorted: by the list the dear period comes first", byEnergy, "12:00", []string{"11:00 ENERGY=12", "10:00 ENERGY=10"}, begins("10:00"),
			"periods-unsorted", "4.6", "4.2", "4.6"}, // 10 × 0.10 + 12 × 0.30; 12 × 0.10 + 10 × 0.30
		{"unsorted, and nothing depends on it", element("", "ENERGY 0.30 - 1"), "12:00", []string{"11:00 ENERGY=12", "10:00 ENERGY=10"}, begins("10:00"),
			"periods-unsorted", "6.6", "6.6", "6.6"},
		{"before the start: half an hour is none of the session", byTime, "11:00", []string{"10:00 TIME=1"}, begins("10:30"),
			"period-before-start", "2", "1", "2"},
		{"before the start: the session's clock may run since then", byTime, "11:30", []string{"10:00 TIME=0.5", "10:30 TIME=1"}, begins("10:15"),
			"period-before-start", "3", "2.5", "7"}, // as it stands; 15 minutes less; 0.5 × 2 + 1 × 6
		{"after the end", byTime, "10:30", []string{"10:00 TIME=0.5", "11:00 TIME=1"}, nil,
			"period-after-end", "7", "1", "7"},
		{"unsplit by the clock", byClock, "18:00", []string{"16:00 ENERGY=10"}, nil, "period-not-split", "2", "2", "5"},
		{"unsplit by energy", byEnergy, "12:00", []string{"10:00 ENERGY=30"}, nil, "period-not-split", "3", "3", "9"},
		{"unsplit by the timer", byTime, "12:00", []string{"10:00 TIME=2"}, nil, "period-not-split", "4", "4", "12"},
		{"unsplit, and the price ends", element(`"end_time":"17:00"`, "ENERGY 0.20 - 1"), "18:00", []string{"16:00 ENERGY=10"}, nil, "period-not-split", "2", "0", "2"},
		{"unsplit, and energy may have come early", elements(element(`"start_time":"17:00","min_kwh":5`, "ENERGY 0.90 - 1"), element("", "ENERGY 0.30 - 1")), "18:00",
			[]string{"16:00 ENERGY=8"}, nil, "period-not-split", "2.4", "2.4", "7.2"},
		{"unsplit, and a limit binds", byClock + `| "max_price":{"excl_vat":4,"incl_vat":4}`, "18:00", []string{"16:00 ENERGY=10"}, nil, "period-not-split", "2", "2", "4"},
		{"unsplit over the hour that comes twice", elements(element(`"start_time":"02:00","end_time":"02:30"`, "TIME 6 - 1"), element("", "TIME 1 - 1")), "2024-10-27T01:30:00Z",
			[]string{"2024-10-27T00:30:00Z TIME=1"}, nil, "period-not-split", "1", "1", "6"}, // 02:30, 03:00 that is 02:00 again, 02:30
		{"the credit of an unsplit one", byClock, "18:00", []string{"16:00 ENERGY=10"}, func(c *ocpi.CDR) { c.Credit = true }, "period-not-split", "2", "2", "5"},
		{"measured twice", element("", "ENERGY 0.30 - 1"), "11:00", []string{"10:00 ENERGY=10 ENERGY=5"}, nil, "duplicate-dimension", "4.5", "3", "4.5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cdr := sessionDoc(t, c.end, c.periods...)
			if c.change != nil {
				c.change(cdr)
			}
			zone, _ := time.LoadLocation("Europe/Berlin")
			if len(c.end) == 5 {
				zone = time.UTC
			}
			r := billing.Rate(cdr, compile(tariffDoc(t, "T", c.tariff)), zone, billing.DefaultPolicy)
			for _, f := range r.Findings {
				if f.Code != c.code {
					continue
				}
				if f.Params["priced"] != c.priced || f.Params["cheapest"] != c.cheapest || f.Params["dearest"] != c.dearest || f.Params["currency"] != "EUR" || f.Params["side"] != "excl_vat" {
					t.Errorf("%v, want %s of %s to %s", f.Params, c.priced, c.cheapest, c.dearest)
				}
				if total := r.Total.ExclVAT.Abs().String(); total != c.priced {
					t.Errorf("total %s, want %s", total, c.priced)
				}
				return
			}
			t.Errorf("findings %v lack %s", codes(r.Findings), c.code)
		})
	}
}

// An edge of a price at the very start or end of a period needs no cut, and a price is not taken to change where only the
// component does.
func TestRateCutWhereItShould(t *testing.T) {
	zone, _ := time.LoadLocation("Europe/Berlin")
	byClock := elements(element(`"end_time":"17:00"`, "ENERGY 0.20 - 1"), element(`"start_time":"17:00"`, "ENERGY 0.50 - 1"))
	for _, c := range []struct {
		name, tariff, end string
		periods           []string
	}{
		{"at the clock", byClock, "2024-01-15T16:30:00Z", []string{"2024-01-15T15:00:00Z ENERGY=1", "2024-01-15T16:00:00Z ENERGY=1"}},
		{"at midnight", elements(element(`"day_of_week":["MONDAY"]`, "ENERGY 0.20 - 1"), element("", "ENERGY 0.50 - 1")), "2024-01-15T23:30:00Z",
			[]string{"2024-01-15T22:00:00Z ENERGY=1", "2024-01-15T23:00:00Z ENERGY=1"}},
		{"at the threshold of energy", elements(element(`"max_kwh":10`, "ENERGY 0.10 - 1"), element("", "ENERGY 0.30 - 1")), "12:00", []string{"10:00 ENERGY=10", "11:00 ENERGY=5"}},
		{"at the timer", elements(element(`"max_duration":3600`, "TIME 2 - 1"), element("", "TIME 6 - 1")), "12:00", []string{"10:00 TIME=1", "11:00 TIME=1"}},
		{"the same price", elements(element(`"end_time":"17:00"`, "ENERGY 0.20 - 1"), element("", "ENERGY 0.20 - 1")), "18:00", []string{"15:00 ENERGY=1"}},
		{"free either way", elements(element(`"end_time":"17:00"`, "ENERGY 0 - 1")), "18:00", []string{"15:00 ENERGY=1"}},
		{"summer time begins away from the edges", byClock, "2024-03-31T03:00:00Z", []string{"2024-03-31T00:00:00Z ENERGY=1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := billing.Rate(sessionDoc(t, c.end, c.periods...), compile(tariffDoc(t, "T", c.tariff)), zone, billing.DefaultPolicy)
			for _, f := range r.Findings {
				if f.Code == "period-not-split" {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// A message may hold thousands of periods across hundreds of edges. Pricing it takes a moment and its explanation some memory:
// what is left out beyond the bounds is only what the last findings are worth, and which elements were passed over.
func TestRateBoundsItsWork(t *testing.T) {
	var list, periods []string
	for i := range 600 {
		at := time.Date(2024, 1, 15, 10, i, 0, 0, time.UTC)
		list = append(list, element(fmt.Sprintf(`"start_time":%q,"end_time":%q`, at.Format("15:04"), at.Add(time.Minute).Format("15:04")), fmt.Sprintf("ENERGY %d - 1", 1+i%2)))
	}
	for i := range 5000 { // of 7 seconds each, so that every eighth or ninth crosses a minute
		periods = append(periods, time.Date(2024, 1, 15, 10, 0, 7*i, 0, time.UTC).Format(time.RFC3339)+" ENERGY=1")
	}
	cdr := sessionDoc(t, "2024-01-15T19:43:20Z", periods...)
	e := billing.Explain(nil, cdr, compile(tariffDoc(t, "T", elements(list...))), time.UTC, billing.DefaultPolicy)
	want := 0
	for i := range 5000 {
		want += 1 + 7*i/60%2
	}
	if e.Rating.Total.ExclVAT.String() != fmt.Sprint(want) {
		t.Errorf("total %s, want %d", e.Rating.Total.ExclVAT, want)
	}
	valued, passed := 0, 0
	for _, f := range e.Rating.Findings {
		if f.Params["dearest"] != "" {
			valued++
		}
	}
	for i := range e.Periods {
		for _, c := range e.Periods[i].Choices {
			passed += len(c.Passed)
		}
	}
	if valued == 0 || valued == len(e.Rating.Findings) || passed == 0 || passed > 100_000 {
		t.Errorf("%d of %d findings are valued, %d elements are listed as passed over", valued, len(e.Rating.Findings), passed)
	}
	if _, err := e.Replay(); err != nil {
		t.Error(err)
	}
}

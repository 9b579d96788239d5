package billing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// tariffDoc reads a tariff from its elements and, behind a semicolon-free "|", further members:
// `{"price_components": …}, … | "min_price": …`.
func tariffDoc(t testing.TB, id, text string) ocpi.Tariff {
	t.Helper()
	elements, more, ok := strings.Cut(text, "|")
	if ok {
		more = "," + more
	}
	doc := fmt.Sprintf(`{"country_code":"DE","party_id":"ALL","id":%q,"currency":"EUR","elements":[%s]%s}`, id, elements, more)
	var tariff ocpi.Tariff
	if err := ocpi.Unmarshal([]byte(doc), &tariff); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return tariff
}

// session writes a CDR down in short: periods such as "10:00 ENERGY=20 TIME=1 @T1", and its end. Times are UTC on Monday,
// 15 January 2024, unless a full RFC 3339 instant is given.
func sessionDoc(t testing.TB, end string, periods ...string) *ocpi.CDR {
	t.Helper()
	instant := func(s string) time.Time {
		if len(s) == 5 {
			s = "2024-01-15T" + s + ":00Z"
		}
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	cdr := &ocpi.CDR{ID: "C", SessionID: "S", Currency: "EUR", EndDateTime: instant(end)}
	for _, text := range periods {
		fields := strings.Fields(text)
		p := ocpi.ChargingPeriod{StartDateTime: instant(fields[0])}
		for _, f := range fields[1:] {
			if id, ok := strings.CutPrefix(f, "@"); ok {
				p.TariffID = ocpi.CiString(id)
				continue
			}
			kind, volume, _ := strings.Cut(f, "=")
			p.Dimensions = append(p.Dimensions, ocpi.CDRDimension{Type: ocpi.CDRDimensionType(kind), Volume: ocpi.Number(decimal.RequireFromString(volume))})
		}
		cdr.ChargingPeriods = append(cdr.ChargingPeriods, p)
	}
	if len(periods) > 0 {
		cdr.StartDateTime = cdr.ChargingPeriods[0].StartDateTime
	}
	return cdr
}

// component writes a price component: "ENERGY 0.25 10 1" is type, price, VAT ("-" for none) and step size.
func component(text string) string {
	f := strings.Fields(text)
	vat := ""
	if f[2] != "-" {
		vat = `,"vat":` + f[2]
	}
	return fmt.Sprintf(`{"type":%q,"price":%s%s,"step_size":%s}`, f[0], f[1], vat, f[3])
}

// element writes a tariff element: its components, and its restrictions as the inside of a JSON object.
func element(restrictions string, components ...string) string {
	for i := range components {
		components[i] = component(components[i])
	}
	text := `{"price_components":[` + strings.Join(components, ",") + `]`
	if restrictions != "" {
		text += `,"restrictions":{` + restrictions + `}`
	}
	return text + `}`
}

func elements(list ...string) string { return strings.Join(list, ",") }

func codes(findings []billing.Finding) []string {
	var list []string
	for _, f := range findings {
		list = append(list, f.Code)
	}
	return list
}

func TestRateRules(t *testing.T) {
	const berlin = "Europe/Berlin"
	energyByTime := elements(
		element(`"start_time":"08:00","end_time":"17:00"`, "ENERGY 0.40 - 1"),
		element("", "ENERGY 0.20 - 1"),
	)
	night := elements(element(`"start_time":"22:00","end_time":"06:00"`, "ENERGY 0.10 - 1"), element("", "ENERGY 0.30 - 1"))
	for _, c := range []struct {
		name     string
		tariff   string
		end      string
		periods  []string
		zone     string
		policy   billing.Policy
		change   func(*ocpi.CDR)
		excl     string
		incl     string // empty: as excl
		findings []string
	}{
		// component matching
		{name: "PRC-04 each dimension from its own first element", // 2 h × 1 + 10 kWh × 0.30 + 0.50
			tariff: elements(element(`"min_kwh":50`, "ENERGY 0.10 - 1"), element("", "TIME 1 - 1"), element("", "ENERGY 0.30 - 1", "TIME 9 - 1", "FLAT 0.50 - 0")),
			end:    "12:00", periods: []string{"10:00 ENERGY=10 TIME=2"}, excl: "5.5"},
		{name: "PRC-05 a dimension without component is free",
			tariff: element("", "ENERGY 0.30 - 1"), end: "12:00", periods: []string{"10:00 ENERGY=10 TIME=2"}, excl: "3"},
		{name: "PRC-06 the first of two components of a dimension counts",
			tariff: element("", "ENERGY 0.30 - 1", "ENERGY 0.90 - 1"), end: "11:00", periods: []string{"10:00 ENERGY=10"}, excl: "3"},
		{name: "PRC-07 restrictions are ANDed", // 11:00 is in the window but below 5 kWh: 4 × 0.20 + 2 × 0.40
			tariff: elements(element(`"start_time":"11:00","min_kwh":4`, "ENERGY 0.40 - 1"), element("", "ENERGY 0.20 - 1")),
			end:    "13:00", periods: []string{"11:00 ENERGY=4", "12:00 ENERGY=2"}, excl: "1.6"},

		// restrictions
		{name: "start_time holds at its minute", tariff: energyByTime, end: "09:00", periods: []string{"08:00 ENERGY=1"}, excl: "0.4"},
		{name: "start_time does not hold a second before", tariff: energyByTime, end: "2024-01-15T08:00:00Z", periods: []string{"2024-01-15T07:59:59Z ENERGY=1"}, excl: "0.2"},
		{name: "end_time does not hold at its minute", tariff: energyByTime, end: "18:00", periods: []string{"17:00 ENERGY=1"}, excl: "0.2"},
		{name: "end_time holds a second before", tariff: energyByTime, end: "2024-01-15T17:00:00Z", periods: []string{"2024-01-15T16:59:59Z ENERGY=1"}, excl: "0.4"},
		{name: "a window wraps past midnight: late", tariff: night, end: "23:59", periods: []string{"23:00 ENERGY=1"}, excl: "0.1"},
		{name: "a window wraps past midnight: early", tariff: night, end: "05:59", periods: []string{"05:00 ENERGY=1"}, excl: "0.1"},
		{name: "a window wraps past midnight: over", tariff: night, end: "07:00", periods: []string{"06:00 ENERGY=1"}, excl: "0.3"},
		{name: "end_time 00:00 is the end of the day", tariff: elements(element(`"start_time":"20:00","end_time":"00:00"`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "23:30", periods: []string{"19:00 ENERGY=1", "20:00 ENERGY=10"}, excl: "1.3"},
		{name: "only start_time reaches to midnight", tariff: elements(element(`"start_time":"20:00"`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "2024-01-16T01:00:00Z", periods: []string{"23:00 ENERGY=1", "2024-01-16T00:00:00Z ENERGY=10"}, excl: "3.1"},
		{name: "only end_time begins at midnight", tariff: elements(element(`"end_time":"06:00"`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "07:00", periods: []string{"00:00 ENERGY=1", "06:00 ENERGY=10"}, excl: "3.1"},
		{name: "equal times are the whole day", tariff: element(`"start_time":"08:00","end_time":"08:00"`, "ENERGY 0.1 - 1"),
			end: "07:30", periods: []string{"07:00 ENERGY=1"}, excl: "0.1"},
		{name: "times with seconds", tariff: elements(element(`"start_time":"08:00:00","end_time":"19:59:59"`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "21:00", periods: []string{"08:00 ENERGY=1", "2024-01-15T19:59:59Z ENERGY=1", "20:00 ENERGY=1"}, excl: "0.5"},
		{name: "start_date is inclusive, end_date exclusive", tariff: elements(element(`"start_date":"2024-01-15","end_date":"2024-01-16"`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "2024-01-16T01:00:00Z", periods: []string{"2024-01-14T23:00:00Z ENERGY=1", "00:00 ENERGY=10", "2024-01-16T00:00:00Z ENERGY=100"}, excl: "31.3"},
		{name: "the date is the local one", zone: berlin, tariff: elements(element(`"start_date":"2024-01-16"`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "23:30", periods: []string{"22:59 ENERGY=1", "23:00 ENERGY=10"}, excl: "1.3"},
		{name: "day_of_week", tariff: elements(element(`"day_of_week":["MONDAY","WEDNESDAY"]`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "2024-01-16T01:00:00Z", periods: []string{"23:00 ENERGY=1", "2024-01-16T00:00:00Z ENERGY=10"}, excl: "3.1"},
		{name: "a wrapping window tests the weekday of the moment", tariff: elements(element(`"start_time":"22:00","end_time":"06:00","day_of_week":["MONDAY"]`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "2024-01-16T03:00:00Z", periods: []string{"22:00 ENERGY=1", "2024-01-16T02:00:00Z ENERGY=10"}, excl: "3.1"},
		{name: "min_kwh is inclusive", tariff: elements(element(`"min_kwh":10`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")), // 9.999 + 0.001 = 10
			end: "13:00", periods: []string{"10:00 ENERGY=9.999", "11:00 ENERGY=0.001", "12:00 ENERGY=5"}, excl: "3.5"},
		{name: "max_kwh is exclusive", tariff: elements(element(`"max_kwh":10`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "12:00", periods: []string{"10:00 ENERGY=10", "11:00 ENERGY=5"}, excl: "2.5"},
		{name: "energy that nothing priced counts for min_kwh", tariff: element(`"min_kwh":10`, "ENERGY 0.1 - 1"),
			end: "12:00", periods: []string{"10:00 ENERGY=10", "11:00 ENERGY=5"}, excl: "0.5"},
		{name: "min_duration is inclusive", tariff: elements(element(`"min_duration":3600`, "TIME 6 - 1"), element("", "TIME 1 - 1")), // 1 × 1 + 0.5 × 6
			end: "11:30", periods: []string{"10:00 TIME=1", "11:00 TIME=0.5"}, excl: "4"},
		{name: "max_duration is exclusive and counts parking", tariff: elements(element(`"max_duration":3600`, "TIME 6 - 1"), element("", "TIME 1 - 1")),
			end: "11:30", periods: []string{"10:00 PARKING_TIME=1", "11:00 TIME=0.5"}, excl: "0.5"},
		{name: "the duration is of the session, not of its reservation", tariff: elements(element(`"max_duration":3600`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "13:00", periods: []string{"10:00 RESERVATION_TIME=1.5", "11:30 ENERGY=1", "12:30 ENERGY=1"}, excl: "0.4"},
		{name: "min_current and max_current", tariff: elements(element(`"max_current":16`, "TIME 1 - 1"), element(`"min_current":16,"max_current":32`, "TIME 2 - 1"), element("", "TIME 4 - 1")),
			end: "13:00", periods: []string{"10:00 TIME=1 MIN_CURRENT=1 MAX_CURRENT=15.9", "11:00 TIME=1 MIN_CURRENT=16 MAX_CURRENT=31.9", "12:00 TIME=1 MIN_CURRENT=16 MAX_CURRENT=32"}, excl: "7"},
		{name: "min_current asks the lowest, max_current the highest current", tariff: elements(element(`"min_current":16`, "TIME 1 - 1"), element(`"max_current":32`, "TIME 2 - 1"), element("", "TIME 4 - 1")),
			end: "13:00", periods: []string{"10:00 TIME=1 MIN_CURRENT=10 MAX_CURRENT=20", "11:00 TIME=1 MIN_CURRENT=10 MAX_CURRENT=40", "12:00 TIME=1 MIN_CURRENT=20 MAX_CURRENT=40"}, excl: "7"},
		{name: "a current that was not measured fulfils nothing", tariff: elements(element(`"max_current":16`, "TIME 1 - 1"), element("", "TIME 4 - 1")),
			end: "11:00", periods: []string{"10:00 TIME=1"}, excl: "4", findings: []string{"tariff-assumed", "restriction-unverifiable"}},
		{name: "policy: a current that was not measured fulfils everything", policy: billing.Policy{UnknownLevelHolds: true},
			tariff: elements(element(`"max_current":16`, "TIME 1 - 1"), element("", "TIME 4 - 1")), end: "11:00", periods: []string{"10:00 TIME=1"}, excl: "1"},
		{name: "min_power and max_power", tariff: elements(element(`"max_power":11`, "ENERGY 0.1 - 1"), element(`"min_power":11,"max_power":50`, "ENERGY 0.2 - 1"), element("", "ENERGY 0.4 - 1")),
			end: "13:00", periods: []string{"10:00 ENERGY=1 MIN_POWER=3 MAX_POWER=10.9", "11:00 ENERGY=1 MIN_POWER=11 MAX_POWER=49", "12:00 ENERGY=1 MIN_POWER=11 MAX_POWER=50"}, excl: "0.7"},
		{name: "min_power asks the lowest, max_power the highest power", tariff: elements(element(`"min_power":11`, "TIME 1 - 1"), element(`"max_power":50`, "TIME 2 - 1"), element("", "TIME 4 - 1")),
			end: "13:00", periods: []string{"10:00 TIME=1 MIN_POWER=5 MAX_POWER=20", "11:00 TIME=1 MIN_POWER=5 MAX_POWER=60", "12:00 TIME=1 MIN_POWER=20 MAX_POWER=60"}, excl: "7"},
		{name: "energy by time stands in for the lowest power, too", tariff: elements(element(`"min_power":16`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "12:00", periods: []string{"10:00 ENERGY=16", "11:00 ENERGY=15"}, excl: "6.1"},
		{name: "energy by time stands in for a power that was not measured", tariff: elements(element(`"max_power":16`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "12:00", periods: []string{"10:00 ENERGY=15", "11:00 ENERGY=16"}, excl: "6.3"}, // 15 kW, 16 kW

		// DST (PRC-10): the wall clock for restrictions, the physical clock for durations
		{name: "DST begins: 02:30 does not exist", zone: berlin, tariff: elements(element(`"start_time":"03:00"`, "TIME 6 - 1"), element("", "TIME 1 - 1")),
			end: "2024-03-31T02:00:00Z", periods: []string{"2024-03-31T00:00:00Z TIME=1", "2024-03-31T01:00:00Z TIME=1"}, excl: "7"},
		{name: "DST begins: an hour is an hour", zone: berlin, tariff: elements(element(`"min_duration":7200`, "TIME 6 - 1"), element("", "TIME 1 - 1")),
			end: "2024-03-31T03:00:00Z", periods: []string{"2024-03-31T00:00:00Z TIME=2", "2024-03-31T02:00:00Z TIME=1"}, excl: "8"},
		{name: "DST ends: 02:30 comes twice", zone: berlin, tariff: elements(element(`"start_time":"02:00","end_time":"03:00"`, "TIME 6 - 1"), element("", "TIME 1 - 1")),
			end: "2024-10-27T03:00:00Z", periods: []string{"2024-10-26T23:30:00Z TIME=0.5", "2024-10-27T00:00:00Z TIME=1", "2024-10-27T01:00:00Z TIME=1", "2024-10-27T02:00:00Z TIME=1"}, excl: "13.5"},
		{name: "DST ends: two hours on the physical clock", zone: berlin, tariff: elements(element(`"max_duration":7200`, "TIME 1 - 1"), element("", "TIME 6 - 1")),
			end: "2024-10-27T02:30:00Z", periods: []string{"2024-10-26T23:30:00Z TIME=1", "2024-10-27T00:30:00Z TIME=1", "2024-10-27T01:30:00Z TIME=1"}, excl: "8"},

		// step_size
		{name: "PRC-12 step_size 0 counts as 1", tariff: element("", "ENERGY 1 - 0"), end: "11:00", periods: []string{"10:00 ENERGY=0.1152"}, excl: "0.116"},
		{name: "step 1 Wh", tariff: element("", "ENERGY 0.25 - 1"), end: "11:00", periods: []string{"10:00 ENERGY=0.1152"}, excl: "0.029"},
		{name: "step 25 Wh", tariff: element("", "ENERGY 0.25 - 25"), end: "11:00", periods: []string{"10:00 ENERGY=0.1152"}, excl: "0.03125"},
		{name: "step 500 Wh", tariff: element("", "ENERGY 0.25 - 500"), end: "11:00", periods: []string{"10:00 ENERGY=0.1152"}, excl: "0.125"},
		{name: "PRC-16 energy once a session, on the last component", // 4.3 × 0.20 + (5.5 − 4.3) × 0.27
			tariff: elements(element(`"end_time":"17:00"`, "ENERGY 0.20 - 500"), element("", "ENERGY 0.27 - 500")),
			end:    "18:00", periods: []string{"16:00 ENERGY=4.3", "17:00 ENERGY=1.1"}, excl: "1.184"},
		{name: "PRC-16 the step of the last component", // 5 + 2 + 5 = 12 → 15: 12 × 2 + 3 × 2
			tariff: elements(element(`"end_time":"17:00"`, "ENERGY 2 - 8000"), element("", "ENERGY 2 - 5000")),
			end:    "18:00", periods: []string{"16:55 ENERGY=5", "17:00 ENERGY=2", "17:02 ENERGY=5"}, excl: "30"},
		{name: "PRC-17 time on the last component", // 6 min × 5/h + 24 min × 7/h (22 → 24)
			tariff: elements(element(`"end_time":"17:00"`, "TIME 5 - 600"), element("", "TIME 7 - 600")),
			end:    "17:22", periods: []string{"16:54 TIME=0.1", "17:00 TIME=0.3667"}, excl: "3.3"},
		{name: "PRC-17 parking is rounded and charging stays", // 21 min × 1 + 20 min × 2 = 0.35 + 0.666…
			tariff: element("", "TIME 1 - 600", "PARKING_TIME 2 - 600"),
			end:    "10:37", periods: []string{"10:00 TIME=0.35", "10:21 PARKING_TIME=0.2667"}, excl: "1.0166666667"},
		{name: "PRC-21 charge, park, charge: parking is rounded", // 30 min × 1 + 20 min × 3
			tariff: element("", "TIME 1 - 600", "PARKING_TIME 3 - 600"),
			end:    "10:45", periods: []string{"10:00 TIME=0.25", "10:15 PARKING_TIME=0.25", "10:30 TIME=0.25"}, excl: "1.5"},
		{name: "PRC-21 policy: the last component is rounded", policy: billing.Policy{TimePool: billing.LastComponent}, // 30 min × 1 + 15 min × 3
			tariff: element("", "TIME 1 - 600", "PARKING_TIME 3 - 600"),
			end:    "10:45", periods: []string{"10:00 TIME=0.25", "10:15 PARKING_TIME=0.25", "10:30 TIME=0.25"}, excl: "1.25"},
		{name: "PRC-18 unpriced time stays out of the pool", // 12 min × 2.40 + 15 min × 1.00 (8 priced)
			tariff: elements(element("", "TIME 2.40 - 900"), element(`"end_time":"20:00"`, "PARKING_TIME 1 - 900")),
			end:    "20:12", periods: []string{"19:40 TIME=0.2", "19:52 PARKING_TIME=0.1333", "20:00 PARKING_TIME=0.2"}, excl: "0.73"},
		{name: "PRC-19 an exact multiple stays", tariff: element("", "ENERGY 0.25 - 500"), end: "11:00", periods: []string{"10:00 ENERGY=20.000"}, excl: "5"},
		{name: "PRC-20 energy fed back is not rounded", tariff: element("", "ENERGY 0.25 - 500"), end: "11:00", periods: []string{"10:00 ENERGY=-1.1"}, excl: "-0.275",
			findings: []string{"volume-negative", "tariff-assumed"}},
		{name: "policy: no step size", policy: billing.Policy{NoStepSize: true}, tariff: element("", "ENERGY 0.25 - 500"), end: "11:00", periods: []string{"10:00 ENERGY=5.4"}, excl: "1.35"},
		{name: "PRC-14 the bounds of a period beat its hours", // 20 min, not 1200.24 s → 21 min
			tariff: element("", "TIME 3 - 60"), end: "10:20", periods: []string{"10:00 TIME=0.3334"}, excl: "1"},
		{name: "PRC-14 policy: hours as sent", policy: billing.Policy{HoursAsSent: true}, // 21 min
			tariff: element("", "TIME 3 - 60"), end: "10:20", periods: []string{"10:00 TIME=0.3334"}, excl: "1.05"},
		{name: "PRC-14 hours that are not the period's", // 20 min charged in a period of 30
			tariff: element("", "TIME 3 - 60"), end: "10:30", periods: []string{"10:00 TIME=0.3333"}, excl: "1"},

		// FLAT and reservations
		{name: "PRC-23 one FLAT a session", tariff: elements(element(`"end_time":"10:30"`, "FLAT 1 - 1"), element("", "FLAT 2 - 1")),
			end: "11:00", periods: []string{"10:00 TIME=0.5", "10:30 TIME=0.5"}, excl: "1"},
		{name: "PRC-23 the first period in which one matches", tariff: element(`"start_time":"10:30"`, "FLAT 2 - 1"),
			end: "11:00", periods: []string{"10:00 TIME=0.5", "10:30 TIME=0.5"}, excl: "2"},
		{name: "PRC-22, PRC-24 a reservation is a pool of its own", // 2 + 15 min × 5 + 0.5 + 20 × 0.25; 13 → 15 min by step 300
			tariff: elements(element(`"reservation":"RESERVATION"`, "FLAT 2 20 1", "TIME 5 20 300"), element("", "FLAT 0.5 20 1", "ENERGY 0.25 10 1")),
			end:    "11:13", periods: []string{"10:00 RESERVATION_TIME=0.2167", "10:13 ENERGY=20"}, excl: "8.75", incl: "10"},
		{name: "elements without reservation never price one", tariff: element("", "FLAT 1 - 1", "TIME 6 - 1"),
			end: "11:00", periods: []string{"10:00 RESERVATION_TIME=0.5", "10:30 TIME=0.5"}, excl: "4"},
		{name: "elements with reservation never price a session", tariff: element(`"reservation":"RESERVATION"`, "FLAT 1 - 1", "TIME 6 - 1"),
			end: "11:00", periods: []string{"10:00 TIME=0.5", "10:30 TIME=0.5"}, excl: "0"},
		{name: "PRC-25 a lapsed reservation prefers its own elements", // 4 + 2 × 1 h
			tariff: elements(element(`"reservation":"RESERVATION"`, "FLAT 1 - 1", "TIME 2 - 600"), element(`"reservation":"RESERVATION_EXPIRES"`, "FLAT 4 - 1"), element("", "FLAT 9 - 1")),
			end:    "11:00", periods: []string{"10:00 RESERVATION_TIME=1"}, change: func(c *ocpi.CDR) { c.SessionID = "" }, excl: "6"},
		{name: "PRC-25 a reservation that was used does not expire",
			tariff: elements(element(`"reservation":"RESERVATION_EXPIRES"`, "FLAT 4 - 1"), element("", "FLAT 0.5 - 1")),
			end:    "11:00", periods: []string{"10:00 RESERVATION_TIME=0.5", "10:30 ENERGY=1"}, excl: "0.5"},
		{name: "PRC-27 connector #NA tells a lapsed reservation", tariff: element(`"reservation":"RESERVATION_EXPIRES"`, "TIME 6 - 1"),
			end: "11:30", periods: []string{"10:00 RESERVATION_TIME=1.5"}, change: func(c *ocpi.CDR) { c.CDRLocation.ConnectorID = "#NA" }, excl: "9"},
		{name: "PRC-27 so does the EVSE", tariff: element(`"reservation":"RESERVATION_EXPIRES"`, "TIME 6 - 1"),
			end: "11:30", periods: []string{"10:00 RESERVATION_TIME=1.5"}, change: func(c *ocpi.CDR) { c.CDRLocation.EVSEUID = "#NA" }, excl: "9"},
		{name: "PRC-25 no session FLAT, whatever else was measured", tariff: elements(element(`"reservation":"RESERVATION_EXPIRES"`, "TIME 6 - 1"), element("", "FLAT 1 - 1")),
			end: "11:45", periods: []string{"10:00 RESERVATION_TIME=1.5", "11:30 MAX_POWER=0"}, change: func(c *ocpi.CDR) { c.SessionID = "" }, excl: "9"},
		{name: "the duration of a reservation is its own", tariff: element(`"reservation":"RESERVATION","max_duration":1800`, "TIME 6 - 1"), // the CDR began an hour before
			end: "11:30", periods: []string{"10:00 RESERVATION_TIME=0.5", "10:30 RESERVATION_TIME=0.5", "11:00 ENERGY=1"},
			change: func(c *ocpi.CDR) { c.StartDateTime = c.StartDateTime.Add(-time.Hour) }, excl: "3"},
		{name: "PRC-27 with a session and a connector it did not lapse", tariff: element(`"reservation":"RESERVATION_EXPIRES"`, "TIME 6 - 1"),
			end: "11:30", periods: []string{"10:00 RESERVATION_TIME=1.5"}, excl: "0"},
		{name: "reserved and charging time in one period", // 1 × 1 + 0.5 × 4
			tariff: elements(element(`"reservation":"RESERVATION"`, "TIME 4 - 1"), element("", "TIME 1 - 1")),
			end:    "11:00", periods: []string{"10:00 TIME=1 RESERVATION_TIME=0.5"}, excl: "3"},

		// VAT and limits
		{name: "PRC-28 VAT by component", tariff: element("", "FLAT 1 20 1", "ENERGY 0.25 10 1", "TIME 1 - 1"), // 1.20 + 5.50 + 1
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"}, excl: "7", incl: "7.7"},
		{name: "PRC-29 the minimum binds", tariff: element("", "ENERGY 0.25 10 1") + `| "min_price":{"excl_vat":0.5,"incl_vat":0.55}`,
			end: "11:00", periods: []string{"10:00 ENERGY=1.2"}, excl: "0.5", incl: "0.55"},
		{name: "PRC-29 the sides bind separately", tariff: element("", "ENERGY 0.25 20 1") + `| "max_price":{"excl_vat":10,"incl_vat":11}`, // 9.50, 11.40 → 11
			end: "11:00", periods: []string{"10:00 ENERGY=38"}, excl: "9.5", incl: "11"},
		{name: "PRC-30 a limit without VAT scales", tariff: element("", "FLAT 1 20 1", "ENERGY 0.25 10 1") + `| "max_price":{"excl_vat":3}`, // 11 / 12.2
			end: "11:00", periods: []string{"10:00 ENERGY=40"}, excl: "3", incl: "3.3272727273", findings: []string{"tariff-assumed", "limit-scaled"}},
		{name: "a minimum for a session without priced quantity", tariff: element("", "ENERGY 0.25 19 1") + `| "min_price":{"excl_vat":1}`,
			end: "11:00", periods: []string{"10:00 TIME=1"}, excl: "1", incl: "1.19"},
		{name: "a limit includes the reservation", tariff: elements(element(`"reservation":"RESERVATION"`, "TIME 8 - 1"), element("", "ENERGY 1 - 1")) + `| "max_price":{"excl_vat":10,"incl_vat":10}`,
			end: "12:00", periods: []string{"10:00 RESERVATION_TIME=1", "11:00 ENERGY=5"}, excl: "10"},
		{name: "CDR-10 a credit CDR has a negative total", tariff: element("", "ENERGY 0.25 10 1"), change: func(c *ocpi.CDR) { c.Credit = true },
			end: "11:00", periods: []string{"10:00 ENERGY=20"}, excl: "-5", incl: "-5.5"},

		// malformed CDRs
		{name: "unsorted periods are sorted", tariff: elements(element(`"max_kwh":10`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "12:00", periods: []string{"11:00 ENERGY=5", "10:00 ENERGY=10"}, change: func(c *ocpi.CDR) { c.StartDateTime = c.ChargingPeriods[1].StartDateTime },
			excl: "2.5", findings: []string{"periods-unsorted", "tariff-assumed"}},
		{name: "a period before the start", tariff: elements(element(`"max_duration":60`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "11:00", periods: []string{"09:40 ENERGY=1"}, change: func(c *ocpi.CDR) { c.StartDateTime = c.StartDateTime.Add(20 * time.Minute) },
			excl: "0.1", findings: []string{"period-before-start", "tariff-assumed", "period-not-split"}},
		{name: "no end", tariff: element("", "TIME 6 - 1"), end: "11:00", periods: []string{"10:00 TIME=0.5"}, change: func(c *ocpi.CDR) { c.EndDateTime = time.Time{} },
			excl: "3", findings: []string{"no-end", "tariff-assumed"}},
		{name: "end before start", tariff: element("", "TIME 6 - 1"), end: "09:00", periods: []string{"10:00 TIME=0.5"},
			excl: "3", findings: []string{"period-after-end", "tariff-assumed"}},
		{name: "a period over a price change is priced as at its start", tariff: energyByTime, end: "09:00", periods: []string{"07:00 ENERGY=10"},
			excl: "2", findings: []string{"tariff-assumed", "period-not-split"}},
		{name: "a threshold of energy inside a period", tariff: elements(element(`"max_kwh":10`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "09:00", periods: []string{"07:00 ENERGY=10.1"}, excl: "1.01", findings: []string{"tariff-assumed", "period-not-split"}},
		{name: "a price that only seems to change", tariff: elements(element(`"end_time":"08:00"`, "ENERGY 0.2 - 1"), element("", "ENERGY 0.2 - 1")),
			end: "09:00", periods: []string{"07:00 ENERGY=10"}, excl: "2", findings: []string{"tariff-assumed"}},
		{name: "CDR-19 dimensions of sessions are ignored", tariff: element("", "ENERGY 0.25 - 1"), end: "11:00",
			periods: []string{"10:00 ENERGY=20 STATE_OF_CHARGE=80 ENERGY_IMPORT=5"}, excl: "5", findings: []string{"dimension-ignored", "dimension-ignored", "tariff-assumed"}},
		{name: "a retail tariff in the dark", tariff: element("", "ENERGY 0.25 - 1"), end: "11:00", periods: []string{"10:00 TIME=1"},
			change: func(c *ocpi.CDR) { c.TotalEnergy = ocpi.Number(decimal.NewFromInt(20)) }, excl: "0", findings: []string{"tariff-assumed", "quantity-missing"}},
		{name: "TAR-11 an unknown restriction never holds and blocks", tariff: elements(element(`"min_moon_phase":3`, "ENERGY 0.1 - 1"), element("", "ENERGY 0.3 - 1")),
			end: "11:00", periods: []string{"10:00 ENERGY=1"}, excl: "0.3", findings: []string{"tariff-assumed", "tariff-unreadable"}},
		{name: "members that partners add for themselves say nothing", tariff: element(`"_created_at":"x","note":null,"max_kwh":null`, "ENERGY 0.1 - 1"),
			end: "11:00", periods: []string{"10:00 ENERGY=1"}, excl: "0.1", findings: []string{"tariff-assumed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone := time.UTC
			if c.zone != "" {
				var err error
				if zone, err = time.LoadLocation(c.zone); err != nil {
					t.Fatal(err)
				}
			}
			cdr := sessionDoc(t, c.end, c.periods...)
			if c.change != nil {
				c.change(cdr)
			}
			r := billing.Rate(cdr, compile(tariffDoc(t, "T", c.tariff)), zone, c.policy)
			if c.incl == "" {
				c.incl = c.excl
			}
			if r.Total.ExclVAT.String() != c.excl || r.Total.InclVAT.String() != c.incl {
				t.Errorf("total %s / %s, want %s / %s", r.Total.ExclVAT, r.Total.InclVAT, c.excl, c.incl)
			}
			if c.findings != nil && !slices.Equal(codes(r.Findings), c.findings) {
				t.Errorf("findings %v, want %v", codes(r.Findings), c.findings)
			}
			holdInvariants(t, cdr, r)
		})
	}
}

// holdInvariants checks what is true of every rating.
func holdInvariants(t testing.TB, cdr *ocpi.CDR, r billing.Rating) {
	t.Helper()
	var vat, lines billing.Amount
	for _, share := range r.VAT {
		vat.ExclVAT, vat.InclVAT = vat.ExclVAT.Add(share.ExclVAT), vat.InclVAT.Add(share.InclVAT)
	}
	for _, l := range r.Lines {
		lines.ExclVAT, lines.InclVAT = lines.ExclVAT.Add(l.ExclVAT), lines.InclVAT.Add(l.InclVAT)
	}
	if cdr.Credit {
		lines = billing.Amount{ExclVAT: lines.ExclVAT.Neg(), InclVAT: lines.InclVAT.Neg()}
	}
	if len(r.VAT) > 0 && (!vat.ExclVAT.Equal(r.Total.ExclVAT) || !vat.InclVAT.Equal(r.Total.InclVAT)) {
		t.Errorf("VAT shares sum to %v, total is %v", vat, r.Total)
	}
	last := decimal.New(int64(len(r.Lines)+1), -10) // each line is rounded in its tenth decimal
	if lines.ExclVAT.Sub(r.Total.ExclVAT).Abs().GreaterThan(last) || lines.InclVAT.Sub(r.Total.InclVAT).Abs().GreaterThan(last) {
		t.Errorf("lines sum to %v, total is %v", lines, r.Total)
	}
}

// PRC-01, PRC-03, PRC-30: periods name their tariffs; each tariff's own share is limited.
func TestRateSeveralTariffs(t *testing.T) {
	a := tariffDoc(t, "A", element("", "ENERGY 0.10 - 1")+`| "min_price":{"excl_vat":5,"incl_vat":5}`)
	b := tariffDoc(t, "B", element("", "ENERGY 0.90 - 1", "FLAT 1 - 1"))
	for _, c := range []struct {
		name    string
		periods []string
		want    string
		code    string
	}{
		{"one each", []string{"10:00 ENERGY=1 @a", "11:00 ENERGY=1 @B"}, "6.9", ""}, // max(5, 0.10) + 0.90 + 1 for the first FLAT
		{"a period without one is free", []string{"10:00 ENERGY=1", "11:00 ENERGY=1 @B"}, "1.9", "period-without-tariff"},
		{"none named, several given", []string{"10:00 ENERGY=1", "11:00 ENERGY=1"}, "0", "tariff-ambiguous"},
		{"one that is not there", []string{"10:00 ENERGY=1 @X", "11:00 ENERGY=1 @B"}, "1.9", "tariff-unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cdr := sessionDoc(t, "12:00", c.periods...)
			r := billing.Rate(cdr, compile(a, b), time.UTC, billing.DefaultPolicy)
			if r.Total.ExclVAT.String() != c.want {
				t.Errorf("total %s, want %s", r.Total.ExclVAT, c.want)
			}
			if c.code != "" && !slices.Contains(codes(r.Findings), c.code) {
				t.Errorf("findings %v lack %s", codes(r.Findings), c.code)
			}
			holdInvariants(t, cdr, r)
		})
	}
	// CDR-22 does not stretch to a single tariff where some periods name it.
	cdr := sessionDoc(t, "12:00", "10:00 ENERGY=1", "11:00 ENERGY=1 @B")
	if r := billing.Rate(cdr, compile(b), time.UTC, billing.DefaultPolicy); r.Total.ExclVAT.String() != "1.9" {
		t.Errorf("total %s, want 1.9", r.Total.ExclVAT)
	}
	// Of two tariffs with one id the first counts, and it is said; the same tariff twice is none of that.
	dearer := tariffDoc(t, "b", element("", "ENERGY 2 - 1"))
	cdr = sessionDoc(t, "12:00", "10:00 ENERGY=1 @B")
	for _, c := range []struct {
		tariffs []*billing.Tariff
		twice   bool
	}{{compile(b, dearer), true}, {compile(b, b), false}} {
		r := billing.Rate(cdr, c.tariffs, time.UTC, billing.DefaultPolicy)
		if r.Total.ExclVAT.String() != "1.9" || slices.Contains(codes(r.Findings), "tariff-twice") != c.twice {
			t.Errorf("total %s, want 1.9; findings %v", r.Total.ExclVAT, codes(r.Findings))
		}
	}
}

// One session, both prices: the CPO's tariff without VAT and the customer's with VAT, whatever tariff the periods name. The
// parts are before the limit (PRC-31).
func TestRateRetail(t *testing.T) {
	plan, err := billing.ParsePlan([]byte(`{"id":"R","currency":"EUR","tax_included":"YES","elements":[` +
		elements(element("", "ENERGY 0.49 19 1"), element(`"min_duration":14400`, "PARKING_TIME 6 19 1"), element("", "PARKING_TIME 0 19 1")) +
		`],"max_price":{"incl_vat":12}}`))
	if err != nil {
		t.Fatal(err)
	}
	retail, findings := plan.Compile()
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	cdr := sessionDoc(t, "14:45", "10:00 ENERGY=20 TIME=4 @CPO", "14:00 PARKING_TIME=0.75 @CPO")
	r := billing.Rate(cdr, []*billing.Tariff{retail}, time.UTC, billing.DefaultPolicy)
	// 20 × 0.49 + 0.75 × 6 = 14.30, held at 12.00; without 19 % VAT 10.0840336134…
	if r.Total.InclVAT.String() != "12" || r.Total.ExclVAT.String() != "10.0840336134" {
		t.Errorf("total %s / %s", r.Total.ExclVAT, r.Total.InclVAT)
	}
	if r.Energy.InclVAT.String() != "9.8" || r.Energy.ExclVAT.String() != "8.2352941176" || r.Parking.InclVAT.String() != "4.5" {
		t.Errorf("energy %v, parking %v", r.Energy, r.Parking)
	}
	limit := r.Lines[len(r.Lines)-1]
	if limit.Dimension != billing.MaxPrice || limit.InclVAT.String() != "-2.3" || !limit.TaxIncluded {
		t.Errorf("limit %+v", limit)
	}
	if len(r.VAT) != 1 || r.VAT[0].Rate.Decimal.String() != "19" {
		t.Errorf("VAT %+v", r.VAT)
	}
	if len(r.Findings) != 0 {
		t.Errorf("findings %v", r.Findings)
	}
	holdInvariants(t, cdr, r)
}

func TestParsePlanRefuses(t *testing.T) {
	for doc, want := range map[string]string{
		`{`: "not valid JSON",
		`{"id":"R","elements":[{"price_components":[{"type":"ENERGY","price":1,"step_size":1}]}]}`:                 "currency",
		`{"id":"R","currency":"EUR","elements":[]}`:                                                                "elements",
		`{"id":"R","currency":"EUR","elements":[{"price_components":[{"type":"WATER","price":1,"step_size":1}]}]}`: "elements[0].price_components[0].type",
		`{"id":"R","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","step_size":1}]}]}`:          "elements[0].price_components[0].price",
		`{"id":"R","currency":"EUR","elements":[` + element(`"start_time":"25:00"`, "ENERGY 1 - 1") + `]}`:         "elements[0].restrictions.start_time",
		`{"id":"R","currency":"EUR","elements":[` + element(`"start_date":"15.01.2024"`, "ENERGY 1 - 1") + `]}`:    "start_date",
		`{"id":"R","currency":"EUR","elements":[` + element(`"day_of_week":["MOONDAY"]`, "ENERGY 1 - 1") + `]}`:    "day_of_week",
		`{"id":"R","currency":"EUR","elements":[` + element(`"reservation":"MAYBE"`, "ENERGY 1 - 1") + `]}`:        "reservation",
		`{"id":"R","currency":"EUR","elements":[` + element("", "ENERGY 1 -5 1") + `]}`:                            "vat",
	} {
		if _, err := billing.ParsePlan([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", doc, err, want)
		}
	}
}

// What a tariff's own text is remarked upon (PRC-06, PRC-26, PRC-30, TAR-11).
func TestCompileFindings(t *testing.T) {
	for _, c := range []struct{ tariff, want string }{
		{element("", "ENERGY 1 - 1", "FLAT 1 - 0"), ""},
		{element("", "ENERGY 1 - 1", "ENERGY 2 - 1"), "duplicate-component flag elements[0].price_components[1]"},
		{element(`"reservation":"RESERVATION"`, "ENERGY 1 - 1"), "reservation-dimension flag elements[0].price_components[0]"},
		{element("", "ENERGY 1 - -5"), "step-size flag elements[0].price_components[0].step_size"},
		{element("", "ENERGY 1 - 1") + `| "min_price":{"excl_vat":5,"incl_vat":5},"max_price":{"excl_vat":4,"incl_vat":4}`, "limits-cross flag min_price"},
		{element("", "ENERGY 1 - 1") + `| "max_price":{"excl_vat":4}`, "limit-without-vat info max_price"},
		{element("", "ENERGY 1 - 1") + `| "tax_included":"YES","max_price":{"excl_vat":4}`, ""},
		{`{}`, "element-without-price flag elements[0]"},
		{element(`"min_kwh":5`, "ENERGY null - 1"), "tariff-unreadable block elements[0].price_components[0].price"},
	} {
		_, findings := billing.Compile(tariffDoc(t, "T", c.tariff), billing.CompileOptions{})
		got := ""
		for _, f := range findings {
			got += f.Code + " " + string(f.Severity) + " " + f.Path
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.tariff, got, c.want)
		}
	}
}

// Of a limit on prices that include VAT, the side with VAT is what was promised.
func TestRateRetailLimitSides(t *testing.T) {
	for _, c := range []struct{ limit, incl, excl string }{
		{`{"incl_vat":5.95,"excl_vat":1}`, "5.95", "5"},
		{`{"excl_vat":5}`, "5.95", "5"},
	} {
		doc := tariffDoc(t, "T", element("", "ENERGY 1.19 19 1")+`| "tax_included":"YES","max_price":`+c.limit)
		r := billing.Rate(sessionDoc(t, "11:00", "10:00 ENERGY=20"), compile(doc), time.UTC, billing.DefaultPolicy)
		if r.Total.InclVAT.String() != c.incl || r.Total.ExclVAT.String() != c.excl {
			t.Errorf("%s: %s / %s", c.limit, r.Total.ExclVAT, r.Total.InclVAT)
		}
	}
}

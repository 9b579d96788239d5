package lint_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/ocpi"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// tariffOf reads a tariff from its elements and, behind a "|", further members, which stand in for the usual ones.
func tariffOf(t testing.TB, text string) ocpi.Tariff {
	t.Helper()
	elements, more, _ := strings.Cut(text, "|")
	members := `"party_id":"ALL","id":"T"`
	for _, usual := range []string{`"country_code":"DE"`, `"currency":"EUR"`, `"last_updated":"2026-11-02T08:00:00Z"`} {
		name, _, _ := strings.Cut(usual, ":")
		if !strings.Contains(more, name) {
			members += "," + usual
		}
	}
	if more = strings.TrimSuffix(strings.TrimSpace(more), ","); more != "" {
		members += "," + more
	}
	var doc ocpi.Tariff
	if err := ocpi.Unmarshal([]byte(`{`+members+`,"elements":[`+elements+`]}`), &doc); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return doc
}

// e writes an element: restrictions as the inside of a JSON object, and components such as "ENERGY 0.39 19 1": type, price, VAT
// ("-" for none) and step size ("-" for none).
func e(restrictions string, components ...string) string {
	var list []string
	for _, text := range components {
		f := strings.Fields(text)
		c := fmt.Sprintf(`{"type":%q,"price":%s`, f[0], f[1])
		if f[2] != "-" {
			c += `,"vat":` + f[2]
		}
		if f[3] != "-" {
			c += `,"step_size":` + f[3]
		}
		list = append(list, c+"}")
	}
	text := `{"price_components":[` + strings.Join(list, ",") + `]`
	if restrictions != "" {
		text += `,"restrictions":{` + restrictions + `}`
	}
	return text + `}`
}

func list(elements ...string) string { return strings.Join(elements, ",") }

// hours is an element for every hour of the day until one.
func hours(n int) string {
	var all []string
	for h := range n {
		all = append(all, e(fmt.Sprintf(`"start_time":"%02d:00","end_time":"%02d:00"`, h, (h+1)%24), fmt.Sprintf("ENERGY 0.%02d 19 1", 20+h)))
	}
	return list(all...)
}

var cases = []struct {
	name   string
	tariff string
	want   string // codes, with ! where a flag and !! where a block
}{
	{"fine", list(e(`"start_time":"22:00","end_time":"06:00"`, "ENERGY 0.29 19 1"), e("", "ENERGY 0.39 19 1", "FLAT 0.35 19 1")), ""},
	{"blocking fee from four hours on, not at night", list(e(`"min_duration":14400,"start_time":"06:00","end_time":"22:00"`, "PARKING_TIME 6 19 60"), e("", "ENERGY 0.39 19 1")), "no-fallback"},
	{"blocking fee from four hours on", list(e(`"min_duration":14400`, "PARKING_TIME 6 19 60"), e("", "ENERGY 0.39 19 1")), ""},

	// PRC-04: reachability
	{"shadowed by a fallback", list(e("", "ENERGY 0.25 19 1"), e(`"min_kwh":10`, "ENERGY 0.40 19 1")), "element-unreachable!"},
	{"reachable when reordered", list(e(`"min_kwh":10`, "ENERGY 0.40 19 1"), e("", "ENERGY 0.25 19 1")), ""},
	{"shadowed by two that cover it together", list(e(`"start_time":"06:00","end_time":"22:00"`, "ENERGY 0.40 19 1"), e(`"start_time":"21:00","end_time":"06:00"`, "ENERGY 0.30 19 1"),
		e(`"day_of_week":["SATURDAY"]`, "ENERGY 0.20 19 1")), "element-unreachable! overlap"},
	{"shadowed in one dimension", list(e("", "ENERGY 0.40 19 1"), e(`"min_duration":3600`, "ENERGY 0.30 19 1", "PARKING_TIME 6 19 1")), "component-unreachable!"},
	{"shadowed by the hours of the day", list(hours(24), e("", "ENERGY 0.49 19 1")), "element-unreachable!"},
	{"an hour of the day is missing", list(hours(23), e("", "ENERGY 0.49 19 1")), ""},
	{"shadowed by the days of the week", list(e(`"day_of_week":["MONDAY","TUESDAY","WEDNESDAY","THURSDAY","FRIDAY"]`, "ENERGY 0.40 19 1"), e(`"day_of_week":["SATURDAY","SUNDAY"]`, "ENERGY 0.30 19 1"),
		e(`"start_date":"2026-12-24","end_date":"2026-12-27"`, "ENERGY 0.20 19 1")), "element-unreachable!"},
	{"a weekend that the weekdays leave", list(e(`"day_of_week":["MONDAY","TUESDAY","WEDNESDAY","THURSDAY"]`, "ENERGY 0.40 19 1"),
		e(`"start_date":"2026-12-24","end_date":"2026-12-27"`, "ENERGY 0.20 19 1"), e("", "ENERGY 0.30 19 1")), "overlap"},
	{"dates that the weekdays cover", list(e(`"day_of_week":["THURSDAY","FRIDAY","SATURDAY"]`, "ENERGY 0.40 19 1"),
		e(`"start_date":"2026-12-24","end_date":"2026-12-27"`, "ENERGY 0.20 19 1"), e("", "ENERGY 0.30 19 1")), "element-unreachable!"},
	{"levels of power without a fallback", list(e(`"max_power":11`, "ENERGY 0.40 19 1"), e(`"min_power":11`, "ENERGY 0.50 19 1")), ""},
	{"levels of current without a fallback", list(e(`"max_current":32`, "ENERGY 0.40 19 1"), e(`"min_current":32`, "ENERGY 0.50 19 1")), "free-unmeasured"},
	{"times by levels of power", list(e(`"max_power":11`, "TIME 3 19 60"), e(`"min_power":11`, "TIME 4 19 60")), "free-unmeasured"},
	{"levels of power with a fallback", list(e(`"max_power":11`, "ENERGY 0.40 19 1"), e(`"min_power":11`, "ENERGY 0.50 19 1"), e("", "ENERGY 0.60 19 1")), "only-unmeasured"},
	{"flat fee that another has always taken", list(e(`"max_kwh":10`, "FLAT 1 19 1"), e(`"min_kwh":10`, "FLAT 2 19 1"), e("", "ENERGY 0.39 19 1")), "flat-too-late!"},
	{"flat fee at night only", list(e(`"start_time":"22:00","end_time":"06:00"`, "FLAT 1 19 1"), e("", "ENERGY 0.39 19 1")), "no-fallback"},
	{"several reasons never to hold", list(
		e(`"min_kwh":20,"max_kwh":10`, "ENERGY 0.30 19 1"), e(`"max_power":0`, "ENERGY 0.31 19 1"), e(`"min_current":16,"max_current":16`, "ENERGY 0.32 19 1"),
		e(`"max_duration":0`, "ENERGY 0.33 19 1"), e(`"start_date":"2026-12-24","end_date":"2026-12-24"`, "ENERGY 0.34 19 1"),
		e(`"start_date":"2026-12-24","end_date":"2026-12-26","day_of_week":["MONDAY"]`, "ENERGY 0.35 19 1"),
		e(`"start_date":"2027-03-28","end_date":"2027-03-29","start_time":"02:00","end_time":"03:00"`, "ENERGY 0.36 19 1"),
		e(`"end_date":"2026-11-01"`, "ENERGY 0.37 19 1"),
		e(`"reservation":"RESERVATION","min_kwh":1`, "TIME 3 19 1"), e("", "ENERGY 0.39 19 1")) + `|"start_date_time":"2026-11-10T00:00:00Z"`,
		strings.TrimSpace(strings.Repeat("element-never-active! ", 9))},
	{"an hour that the clock has twice", list(e(`"start_date":"2026-10-25","end_date":"2026-10-26","start_time":"02:00","end_time":"03:00"`, "ENERGY 0.36 19 1"), e("", "ENERGY 0.39 19 1")), ""},
	{"over before the tariff begins, on the day of the switch", list(e(`"start_date":"2027-03-28","end_date":"2027-03-29","start_time":"00:00","end_time":"03:00"`, "ENERGY 0.36 19 1"), e("", "ENERGY 0.39 19 1")) +
		`|"start_date_time":"2027-03-28T17:30:00Z"`, "element-never-active!"},
	{"begins in the hour before the clock is set forward", list(e(`"start_date":"2027-03-28","end_date":"2027-03-29","start_time":"00:00","end_time":"03:00"`, "ENERGY 0.36 19 1"), e("", "ENERGY 0.39 19 1")) +
		`|"start_date_time":"2027-03-28T00:30:00Z"`, ""},
	{"begins after the tariff", list(e(`"start_date":"2027-02-01"`, "ENERGY 0.36 19 1"), e("", "ENERGY 0.39 19 1")) + `|"end_date_time":"2027-01-01T00:00:00Z"`, "element-after-validity!"},
	{"reservations apart", list(e(`"reservation":"RESERVATION"`, "TIME 3 19 60"), e(`"reservation":"RESERVATION_EXPIRES"`, "FLAT 2 19 1"), e(`"reservation":"RESERVATION"`, "TIME 4 19 60", "FLAT 1 19 1"), e("", "ENERGY 0.39 19 1")), "component-unreachable!"},
	{"a reservation whose power is told in part", list(e(`"reservation":"RESERVATION","max_power":11`, "TIME 3 19 60"), e(`"reservation":"RESERVATION","min_power":0`, "TIME 4 19 60"), e("", "ENERGY 0.39 19 1")), ""},
	{"a reservation whose power is not told", list(e(`"reservation":"RESERVATION","min_power":0`, "TIME 3 19 60"), e(`"reservation":"RESERVATION"`, "TIME 4 19 60"), e("", "ENERGY 0.39 19 1")), ""},
	{"much within a second", list(e(`"min_kwh":5,"max_duration":1`, "ENERGY 0.30 19 1"), e("", "ENERGY 0.39 19 1")), ""},
	{"a lapsed reservation has others to fall back on", list(e(`"reservation":"RESERVATION_EXPIRES","end_time":"23:59"`, "FLAT 2 19 1"), e(`"reservation":"RESERVATION"`, "FLAT 1 19 1"), e("", "ENERGY 0.39 19 1")), ""},
	{"OCPI 2.1.1: another dimension shadows too", list(e("", "TIME 3 19 60"), e("", "ENERGY 0.39 19 1")) + `|"ocpi_version":"2.1.1"`, "element-unreachable! no-fallback"},

	// PRC-05: gaps
	{"free at night", list(e(`"start_time":"06:00","end_time":"22:00"`, "ENERGY 0.39 19 1")), "charging-free!"},
	{"free between two prices", list(e(`"max_kwh":10`, "ENERGY 0.39 19 1"), e(`"min_kwh":11`, "ENERGY 0.49 19 1")), "charging-free!"},
	{"free until energy costs something, after an hour that did", list(e(`"max_duration":3600`, "TIME 3 19 1"), e(`"min_kwh":20`, "ENERGY 0.49 19 1")), "charging-free!"},
	{"parking alone", list(e("", "PARKING_TIME 6 19 60")), "charging-unpriced"},
	{"reservations alone", list(e(`"reservation":"RESERVATION"`, "TIME 3 19 60")), "charging-unpriced!"},
	{"a start fee and parking", list(e("", "FLAT 1 19 1", "PARKING_TIME 6 19 60")), ""},
	{"a minimum of many sessions", list(e("", "ENERGY 0.39 19 1")) + `|"min_price":{"excl_vat":100,"incl_vat":119}`, "price-high!"},
	{"free at first", list(e(`"min_kwh":5`, "ENERGY 0.39 19 1")), "free-at-first"},
	{"energy by day, time at night", list(e(`"start_time":"06:00","end_time":"22:00"`, "ENERGY 0.39 19 1"), e(`"start_time":"22:00","end_time":"06:00"`, "TIME 6 19 60")), "no-fallback no-fallback"},
	{"a minute before midnight", list(e(`"start_time":"00:00","end_time":"23:59"`, "ENERGY 0.39 19 1")), "minute-gap!"},
	{"a minute between two windows", list(e(`"start_time":"06:00","end_time":"21:59"`, "ENERGY 0.39 19 1"), e(`"start_time":"22:00","end_time":"06:00"`, "ENERGY 0.29 19 1")), "minute-gap!"},
	{"a minute at another price", list(e(`"start_time":"06:01","end_time":"22:00"`, "ENERGY 0.39 19 1"), e("", "ENERGY 0.29 19 1")), "minute-off"},
	{"a minute with seconds", list(e(`"start_time":"06:00:00","end_time":"21:59:59"`, "ENERGY 0.39 19 1"), e(`"start_time":"22:00:00","end_time":"05:59:59"`, "ENERGY 0.29 19 1")), ""},
	{"times that cost nothing", list(e("", "ENERGY 0.39 19 1"), e(`"start_time":"06:00","end_time":"22:00"`, "TIME 0 19 1", "PARKING_TIME 0 19 1")), ""},
	{"overlap", list(e(`"start_time":"22:00","end_time":"06:00"`, "ENERGY 0.29 19 1"), e(`"day_of_week":["SATURDAY","SUNDAY"]`, "ENERGY 0.34 19 1"), e("", "ENERGY 0.39 19 1")), "overlap"},

	// PRC-06, PRC-26, TAR-08, TAR-11 and the rest of the document
	{"two prices of a dimension", e("", "ENERGY 0.39 19 1", "ENERGY 0.49 19 1"), "duplicate-component!"},
	{"energy of a reservation", list(e(`"reservation":"RESERVATION"`, "ENERGY 0.39 19 1"), e("", "ENERGY 0.39 19 1")), "reservation-dimension!"},
	{"a restriction that nobody knows", list(e(`"member_only":true`, "ENERGY 0.29 19 1"), e("", "ENERGY 0.39 19 1")), "tariff-unreadable!!"},
	{"no currency", e("", "ENERGY 0.39 19 1") + `|"currency":""`, "tariff-without-currency!"},
	{"no price", list(e(""), e("", "ENERGY 0.39 19 1")), "element-without-price!"},
	{"restrictions that are none", list(e(`"min_kwh":10`, "ENERGY 0.29 19 1"), `{"price_components":[{"type":"ENERGY","price":0.39,"vat":19,"step_size":1}],"restrictions":{"day_of_week":[]}}`), "restrictions-empty"},
	{"a window that is the whole day", list(e(`"start_time":"08:00","end_time":"08:00"`, "ENERGY 0.39 19 1")), "whole-day-window"},
	{"ends before it begins", e("", "ENERGY 0.39 19 1") + `|"start_date_time":"2026-12-01T00:00:00Z","end_date_time":"2026-11-01T00:00:00Z"`, "validity-empty!"},
	{"ends as it begins", e("", "ENERGY 0.39 19 1") + `|"start_date_time":"2026-12-01T00:00:00Z","end_date_time":"2026-12-01T00:00:00Z"`, "validity-empty!"},
	{"expired before it was sent", e("", "ENERGY 0.39 19 1") + `|"end_date_time":"2026-11-01T00:00:00Z"`, "expired-when-sent!"},

	// Prices
	{"crossing limits", e("", "ENERGY 0.39 19 1") + `|"min_price":{"excl_vat":20,"incl_vat":23.8},"max_price":{"excl_vat":10,"incl_vat":11.9}`, "limits-cross!"},
	{"limits that cross with VAT only", e("", "ENERGY 0.39 19 1") + `|"min_price":{"excl_vat":1,"incl_vat":13},"max_price":{"excl_vat":10,"incl_vat":11.9}`, "limits-cross!"},
	{"limit without VAT", e("", "ENERGY 0.39 19 1") + `|"max_price":{"excl_vat":10}`, "limit-without-vat"},
	{"limit lower with VAT", e("", "ENERGY 0.39 19 1") + `|"max_price":{"excl_vat":10,"incl_vat":8.4}`, "limit-sides!"},
	{"limit of nothing", e("", "ENERGY 0.39 19 1") + `|"max_price":{"excl_vat":0,"incl_vat":0}`, "limit-zero!"},
	{"free, as the specification says it", e("", "FLAT 0 - 0"), "only-zero"},
	{"free, in another way", e("", "ENERGY 0 - 1", "TIME 0 - 1"), "only-zero!"},
	{"a fee only", e("", "FLAT 2.50 19 0"), "nothing-by-use"},
	{"in cents", e("", "ENERGY 39 19 1"), "price-in-cents!"},
	{"much too dear", e("", "ENERGY 3900 19 1"), "price-high!"},
	{"much too cheap", e("", "ENERGY 0.0039 19 1"), "price-low!"},
	{"per minute", e("", "ENERGY 0.39 19 1", "PARKING_TIME 0.10 19 60"), "price-per-minute!"},
	{"times sixty twice", e("", "ENERGY 0.39 19 1", "PARKING_TIME 360 19 60"), "price-times-60!"},
	{"negative", e("", "ENERGY -0.10 19 1"), "price-negative!"},
	{"forints", e("", "ENERGY 180 27 1") + `|"country_code":"HU","currency":"HUF"`, ""},

	// PRC-28: VAT
	{"no VAT", e("", "ENERGY 0.39 - 1"), "vat-missing"},
	{"VAT of a part", e("", "ENERGY 0.39 19 1", "FLAT 1 - 1"), "vat-mixed!"},
	{"VAT that does not exist", e("", "ENERGY 0.39 18 1"), "vat-unknown!"},
	{"VAT of another country", e("", "ENERGY 0.39 25 1"), "vat-foreign"},
	{"VAT as a fraction", e("", "ENERGY 0.39 0.19 1"), "vat-fraction!"},
	{"VAT of zero", e("", "ENERGY 0.39 0 1"), "vat-unknown"},
	{"VAT of 2020", e("", "ENERGY 0.39 16 1") + `|"start_date_time":"2020-07-01T00:00:00Z","end_date_time":"2020-12-31T23:00:00Z","last_updated":"2020-06-20T00:00:00Z"`, ""},
	{"no tax applies, and a rate", e("", "ENERGY 0.39 19 1") + `|"tax_included":"N/A"`, "tax-rate-without-tax!"},
	{"tax included without a rate", e("", "ENERGY 0.39 - 1") + `|"tax_included":"YES"`, "tax-included-without-rate!"},

	// PRC-12, PRC-17: steps
	{"steps of zero", e("", "ENERGY 0.39 19 0"), "step-size-zero"},
	{"no step", e("", "ENERGY 0.39 19 -"), "step-size!"},
	{"steps of a fee", e("", "ENERGY 0.39 19 1", "FLAT 1 19 60"), "step-size-flat"},
	{"steps of five kWh", e("", "ENERGY 0.39 19 5000"), "step-size-large!"},
	{"steps of a kWh and of an hour", e("", "ENERGY 0.39 19 1000", "PARKING_TIME 3 19 3600"), ""},
	{"steps of a day", e("", "TIME 3 19 86400"), "step-size-large!"},
	{"step that parking absorbs", e("", "TIME 3 19 300", "PARKING_TIME 3 19 300"), "step-size-unused"},
}

func codesOf(findings []lint.Finding) string {
	marks := map[billing.Severity]string{billing.Flag: "!", billing.Block: "!!"}
	var list []string
	for _, f := range findings {
		list = append(list, f.Code+marks[f.Severity])
	}
	return strings.Join(list, " ")
}

// Every finding, with what is said about it in both languages.
func TestLint(t *testing.T) {
	var golden strings.Builder
	said := map[string]bool{}
	zone := berlin(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			findings := lint.Lint(tariffOf(t, c.tariff), zone)
			if got := codesOf(findings); got != c.want {
				t.Errorf("findings %q, want %q", got, c.want)
			}
			fmt.Fprintf(&golden, "# %s\n", c.name)
			for _, f := range findings {
				said[f.Code] = true
				fmt.Fprintf(&golden, "%s %s %s\n  %s\n  %s\n", f.Severity, f.Code, f.Path, f.Text.DE, f.Text.EN)
				if f.Witness != nil {
					fmt.Fprintf(&golden, "    %s\n    %s\n", f.Witness.Text.DE, f.Witness.Text.EN)
				}
				if strings.ContainsAny(f.Text.DE+f.Text.EN, "{}[]") && f.Code != "tariff-unreadable" || f.Message != f.Text.EN {
					t.Errorf("%s: %s · %s", f.Code, f.Text.DE, f.Text.EN)
				}
			}
		})
	}
	for _, code := range lint.Codes() {
		if !said[code] && code != "not-decided" && code != "and-more" {
			t.Errorf("no case shows %s", code)
		}
	}
	same(t, "testdata/findings.golden", golden.String())
}

// The page for people who read findings elsewhere says what the catalogue says.
func TestCatalogue(t *testing.T) {
	same(t, "../../docs/tariff-findings.md", `# What is said about tariffs

Every code that `+"`roamwerk tariff lint`"+` prints and the page of a CPO's tariff shows, with its severity: *info* changes nothing, *flag* is for a person to
look at, *block* means that no price by the tariff can be relied on. What stands in {braces} is a parameter; what stands in [brackets] is said where it
applies. Most findings come with a witness, a small session that the engine has priced. [What is claimed, and of which sessions it
holds](../billing/lint/lint.go). This page is written by the tests of billing/lint.

| code | severity | English | German |
| --- | --- | --- | --- |
`+lint.Catalogue())
}

// same compares a text with a file, or writes it there.
func same(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s differs; run with -update and read what changed", file)
	}
}

// What is said to be reachable in these tariffs is reached by its witness.
func TestLintCasesAreReached(t *testing.T) {
	for _, c := range cases {
		for _, r := range lint.Reach(tariffOf(t, c.tariff), berlin(t)) {
			if r.Reachable && (r.Witness == nil || r.Witness.Element != r.Element) {
				t.Errorf("%s: %s of element %d: %+v", c.name, r.Dimension, r.Element, r.Witness)
			}
		}
	}
}

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// Where the zone is not known, nothing is claimed that a Location in another zone would refute.
func TestLintWithoutZone(t *testing.T) {
	// The night of the switch has the hour somewhere, and ends before the tariff is valid only in the east.
	switched := e(`"start_date":"2027-03-28","end_date":"2027-03-29","start_time":"02:00","end_time":"03:00"`, "ENERGY 0.36 19 1")
	first := e(`"end_date":"2026-11-10"`, "ENERGY 0.36 19 1")
	for _, c := range []struct{ tariff, known, unknown string }{
		{list(switched, e("", "ENERGY 0.39 19 1")), "element-never-active!", ""},
		{list(first, e("", "ENERGY 0.39 19 1")) + `|"start_date_time":"2026-11-10T00:00:00Z"`, "element-never-active!", ""},
		{list(first, e("", "ENERGY 0.39 19 1")) + `|"start_date_time":"2026-11-10T12:00:00Z"`, "element-never-active!", "element-never-active!"},
	} {
		doc := tariffOf(t, c.tariff)
		if got := codesOf(lint.Lint(doc, berlin(t))); got != c.known {
			t.Errorf("in Berlin: %q, want %q", got, c.known)
		}
		if got := codesOf(lint.Lint(doc, nil)); got != c.unknown {
			t.Errorf("anywhere: %q, want %q", got, c.unknown)
		}
	}
}

// What cannot be decided is said, and nothing is claimed. A cover of a space by boxes that each leave a corner is a puzzle that can
// be made as hard as one likes.
func TestLintEnds(t *testing.T) {
	var many []string
	for i := range 3000 {
		many = append(many, e(fmt.Sprintf(`"min_kwh":%d,"max_kwh":%d`, i, i+1), fmt.Sprintf("ENERGY 0.%04d 19 1", 2000+i)))
	}
	if got := codesOf(lint.Lint(tariffOf(t, list(many...)), nil)); got != "not-decided" {
		t.Errorf("many elements: %q", got)
	}
	hard := tariffOf(t, puzzle(4))
	findings := lint.Lint(hard, nil)
	if !slices.ContainsFunc(findings, func(f lint.Finding) bool { return f.Code == "not-decided" }) {
		t.Errorf("a puzzle: %q", codesOf(findings))
	}
}

// puzzle is a tariff whose elements are the cells of a grid over five axes, n a side, and one more that they cover together.
func puzzle(n int) string {
	var all []string
	span := func(field string, i int) string {
		switch {
		case i == 0:
			return fmt.Sprintf(`"max_%s":1`, field)
		case i == n-1:
			return fmt.Sprintf(`"min_%s":%d`, field, i)
		}
		return fmt.Sprintf(`"min_%s":%d,"max_%s":%d`, field, i, field, i+1)
	}
	for cell := range n * n * n * n * n {
		clock := 24 / n * (cell / n / n / n / n)
		all = append(all, e(strings.Join([]string{
			span("kwh", cell%n), span("duration", cell/n%n), span("power", cell/n/n%n), span("current", cell/n/n/n%n),
			fmt.Sprintf(`"start_time":"%02d:00","end_time":"%02d:00"`, clock, (clock+24/n)%24),
		}, ","), fmt.Sprintf("ENERGY 0.%03d 19 1", 200+len(all)%100)))
	}
	return list(append(all, e("", "ENERGY 0.10 19 1"))...)
}

// The findings of another tool for the same tariffs, in its words and in ours.
var theirs = map[string]string{
	"unreachable_element":       "element-unreachable",
	"duplicate_dimension":       "duplicate-component",
	"empty_restrictions":        "restrictions-empty",
	"impossible_restriction":    "element-never-active",
	"whole_day_window":          "whole-day-window",
	"zero_step_size":            "step-size-zero",
	"flat_step_size":            "step-size-flat",
	"unused_time_step_size":     "step-size-unused",
	"reservation_dimension":     "reservation-dimension",
	"nothing_priced_by_use":     "nothing-by-use",
	"tax_rate_without_tax":      "tax-rate-without-tax",
	"tax_included_without_rate": "tax-included-without-rate",
	"implausible_vat":           "vat-unknown",
	"price_limits_cross":        "limits-cross",
	"never_active":              "validity-empty",
}

func TestSharedLint(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/rating/lint/*.json")
	if len(files) == 0 {
		t.Skip("no reference data beside this clone: these tests come on top of those with our own fixtures")
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vector struct {
			Codes    []string    `json:"codes"` // of codes.json
			Tariff   ocpi.Tariff `json:"tariff"`
			Expected struct {
				Codes   []string `json:"codes"`
				Include []string `json:"codes_include"`
			} `json:"expected"`
		}
		if err := ocpi.Unmarshal(content, &vector); err != nil {
			t.Fatal(err)
		}
		for _, code := range vector.Codes {
			if !slices.Contains(lint.Codes(), theirs[code]) {
				t.Errorf("their %s has no counterpart", code)
			}
		}
		if vector.Codes != nil {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := strings.Fields(strings.ReplaceAll(codesOf(lint.Lint(vector.Tariff, nil)), "!", ""))
			for _, code := range vector.Expected.Include {
				if !slices.Contains(got, theirs[code]) {
					t.Errorf("no %s in %v", theirs[code], got)
				}
			}
			// What we say besides: these tariffs have no VAT, and one has a price that never holds, which leaves energy free.
			for _, code := range got {
				expected := slices.ContainsFunc(append(vector.Expected.Codes, vector.Expected.Include...), func(c string) bool { return theirs[c] == code })
				if !expected && code != "vat-missing" && code != "no-fallback" {
					t.Errorf("%s is not expected", code)
				}
			}
		})
	}
}

// The worked examples of the specification. Their VAT rates are made up, which we say; the other tool does not know the rates of
// countries.
func TestSpecificationExamples(t *testing.T) {
	want := map[string]string{
		"tariff_13_simple_3hour_5parking": "step-size-unused",
		"tariff_14_step_size":             "vat-missing no-fallback step-size-unused",
		"tariff_4_complex":                "free-unmeasured no-fallback step-size-unused",
		"tariff_5_free_of_charge":         "only-zero",
	}
	files, _ := filepath.Glob("../../../shared/ocpi/examples/tariff_*.json")
	if len(files) == 0 {
		t.Skip("no reference data beside this clone: these tests come on top of those with our own fixtures")
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc ocpi.Tariff
		if err := ocpi.Unmarshal(content, &doc); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range lint.Lint(doc, berlin(t)) {
			if !strings.HasPrefix(f.Code, "vat-unknown") && f.Code != "vat-foreign" {
				got = append(got, f.Code)
			}
		}
		expected := strings.Fields(want[name])
		slices.Sort(got)
		slices.Sort(expected)
		if !slices.Equal(got, expected) {
			t.Errorf("%s: %v, want %v", name, got, expected)
		}
	}
}

// Whatever a tariff says, it is looked at and the look ends; what its witnesses show is what is said.
func FuzzLint(f *testing.F) {
	for _, c := range cases {
		text, err := ocpi.Marshal(tariffOf(f, c.tariff))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	zone := berlin(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		var doc ocpi.Tariff
		if ocpi.UnmarshalLenient(text, &doc) != nil {
			return
		}
		for _, found := range lint.Lint(doc, zone) {
			if found.Code == "" || found.Text.DE == "" || found.Text.EN == "" {
				t.Errorf("finding without words: %+v", found)
			}
			if err := contradicts(found, doc, zone); err != nil {
				t.Errorf("%s: %v", found.Code, err)
			}
		}
		lint.Lint(doc, nil)
	})
}

func BenchmarkLint(b *testing.B) {
	for _, c := range []struct{ name, tariff string }{
		{"simple", e("", "ENERGY 0.39 19 1")},
		{"hours", list(hours(24), e("", "ENERGY 0.49 19 1"))},
		{"puzzle", puzzle(2)},
	} {
		doc := tariffOf(b, c.tariff)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				lint.Lint(doc, time.UTC)
			}
		})
	}
}

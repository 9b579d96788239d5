package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/roamwerk/roamwerk/ocpi"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// price runs "roamwerk price" and returns what it prints.
func price(args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	err = run(context.Background(), append([]string{"price"}, args...), nil, &out, &errs)
	return out.String(), errs.String(), err
}

func TestPriceGolden(t *testing.T) {
	dir := filepath.Join("testdata", "price")
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		name   string
		args   []string
		failed string // what standard error says
	}{
		{"step_size", []string{file("step_size.json")}, ""},
		{"step_size_utc", []string{"--timezone", "UTC", file("step_size.json")}, ""},
		{"step_size_retail", []string{"--tariff", file("retail.tariff.json"), file("step_size.json")}, ""},
		{"quirks", []string{file("quirks.json")}, ""},
		{"plan", []string{"--plan", file("blocking.plan.json"), file("blocking.json")}, ""},
		{"explain", []string{"--explain", file("step_size.json")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, err := price(c.args...)
			if (err != nil) != (c.failed != "") || !strings.Contains(stderr, c.failed) {
				t.Errorf("%v\n%s", err, stderr)
			}
			golden := file(c.name + ".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(stdout), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if stdout != string(want) {
				t.Errorf("got\n%s\nwant\n%s", stdout, want)
			}
		})
	}
}

// Numbers are plain: not quoted, no exponent. Every line is one object.
func TestPricePrintsPlainNumbers(t *testing.T) {
	doc := `{"id":"n","tariffs":[{"elements":[{"price_components":[{"type":"ENERGY","price":1e-7,"step_size":1}]}]}],` +
		`"charging_periods":[{"start_date_time":"2026-03-02T10:00:00Z","dimensions":[{"type":"ENERGY","volume":1e1}]}]}`
	file := filepath.Join(t.TempDir(), "n.json")
	if err := os.WriteFile(file, []byte(doc+"\n"+doc), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := price(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"total_cost":{"excl_vat":0.000001,"incl_vat":0.000001}`) || !strings.Contains(lines[0], `"total_energy":10,`) {
		t.Error(stdout)
	}
}

// The other files are priced although one is missing, one is empty and one is not JSON.
func TestPriceGoesOn(t *testing.T) {
	dir := t.TempDir()
	empty, broken := filepath.Join(dir, "empty.json"), filepath.Join(dir, "broken.json")
	for name, text := range map[string]string{empty: " \n", broken: `{"id": `} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, err := price(filepath.Join(dir, "missing.json"), empty, broken, filepath.Join("testdata", "price", "step_size.json"))
	if err == nil || !strings.Contains(err.Error(), "3 of 4") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("%v\n%s", err, stdout)
	}
	for _, name := range []string{"missing.json", "empty.json", "broken.json"} {
		if !strings.Contains(stderr, name) {
			t.Errorf("standard error does not name %s:\n%s", name, stderr)
		}
	}
	if _, _, err := price("--timezone", "Mars/Olympus", empty); err == nil {
		t.Error("a time zone that does not exist was accepted")
	}
}

// Whatever is broken in a CDR is left out and found; the rest is priced.
func TestPriceBrokenValues(t *testing.T) {
	const tariff = `"tariffs":[{"id":"T","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":0.5,"vat":"x","step_size":1},{"type":"FLAT","price":1,"step_size":1}]}]}],`
	for _, c := range []struct{ name, doc, total, finding string }{
		{"nothing at all", `{}`, `"excl_vat":0`, `"no-periods"`},
		{"null everywhere", `{"id":null,"charging_periods":null,"tariffs":null,"currency":null,"cdr_location":null,"start_date_time":null}`, `"excl_vat":0`, `"no-tariff"`},
		{"a period without anything", `{` + tariff + `"charging_periods":[{}]}`, `"excl_vat":1`, `"period-without-start"`},
		{"null in lists", `{` + tariff + `"charging_periods":[null,{"start_date_time":"2026-03-02T10:00:00Z","dimensions":[null,{"type":"ENERGY","volume":2},{"type":"TIME","volume":null}]}]}`, `"excl_vat":2`, `"volume-unusable"`},
		{"a start that is none", `{` + tariff + `"charging_periods":[{"start_date_time":"tomorrow","dimensions":[{"type":"ENERGY","volume":2}]}]}`, `"excl_vat":2`, `"charging_periods[0].start_date_time"`},
		{"a volume without end", `{` + tariff + `"charging_periods":[{"start_date_time":"2026-03-02T10:00:00Z","dimensions":[{"type":"ENERGY","volume":1e999},{"type":"ENERGY","volume":4}]}]}`, `"excl_vat":3`, `"charging_periods[0].dimensions[0].volume"`},
		{"a huge volume", `{` + tariff + `"charging_periods":[{"start_date_time":"2026-03-02T10:00:00Z","dimensions":[{"type":"ENERGY","volume":12345678901234567890123456789012345678.5}]}]}`, `"excl_vat":6172839450617283945061728394506172840.25`, `"tariff-assumed"`},
		{"periods that are no list", `{` + tariff + `"charging_periods":7}`, `"excl_vat":0`, `"no-periods"`},
		{"a name twice", `{"id":"a","id":"b",` + tariff + `"charging_periods":[{"start_date_time":"2026-03-02T10:00:00Z","dimensions":[{"type":"ENERGY","volume":2}]}]}`, `"excl_vat":2`, `id: must not occur twice"`},
		{"a tariff that is none", `{"tariffs":["T"],"charging_periods":[{"start_date_time":"2026-03-02T10:00:00Z","dimensions":[{"type":"ENERGY","volume":2}]}]}`, `"excl_vat":0`, `"tariffs[0]"`},
		{"dates of all sorts", `{"start_date_time":"0001-01-01T00:00:00Z","end_date_time":"9999-12-31T23:59:59.999999999+14:00",` + tariff + `"charging_periods":[{"start_date_time":"2026-03-02 10:00:00","dimensions":[{"type":"ENERGY","volume":2}]}]}`, `"excl_vat":2`, `"no-start"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "cdr.json")
			if err := os.WriteFile(file, []byte(c.doc), 0o600); err != nil {
				t.Fatal(err)
			}
			stdout, stderr, err := price("--explain", file)
			if err != nil || stderr != "" || !strings.Contains(stdout, `"total_cost":{`+c.total+`,`) || !strings.Contains(stdout, c.finding) {
				t.Errorf("want %s and %s: %v %s %.2000s", c.total, c.finding, err, stderr, stdout)
			}
		})
	}
}

// What --explain prints, --replay computes again, and finds out what was changed in it.
func TestPriceReplay(t *testing.T) {
	explained, _, err := price("--explain", filepath.Join("testdata", "price", "step_size.json"))
	if err != nil {
		t.Fatal(err)
	}
	plain, _, err := price(filepath.Join("testdata", "price", "step_size.json"))
	if err != nil {
		t.Fatal(err)
	}
	totals := func(line string) string {
		before, _, _ := strings.Cut(line, `"findings"`)
		return before
	}
	file := filepath.Join(t.TempDir(), "explained.json")
	for _, c := range []struct {
		name string
		text string
		ok   bool
	}{
		{"as it was printed", explained, true},
		{"the part for the auditor", explained[strings.Index(explained, `"audit":`)+len(`"audit":`) : len(explained)-3], true},
		{"a price was changed", strings.ReplaceAll(explained, `"Price":"0.27"`, `"Price":"0.26"`), false},
		{"no explanation", plain, false},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, err := price("--replay", file)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v %s", c.name, err, stderr)
		}
		if c.ok && totals(stdout) != totals(plain) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, stdout, plain)
		}
	}
}

func TestPriceStandardInput(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "price", "step_size.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stdin := os.Stdin
	os.Stdin = file
	defer func() { os.Stdin = stdin }()
	if stdout, stderr, err := price("-"); err != nil || !strings.Contains(stdout, `"id":"step-size"`) {
		t.Errorf("%v %s %s", err, stdout, stderr)
	}
}

// Every CDR of the reference material comes out as its own totals say, through the command.
func TestPriceSharedVectors(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/rating/tandemdrive-0.6.1/*/cdr*.json")
	if len(files) == 0 {
		t.Skip("no reference data beside this clone: these tests come on top of those with our own fixtures")
	}
	for _, file := range files {
		if strings.Contains(file, "peer_report") || strings.Contains(file, "less_than_2kWh") {
			continue
		}
		stdout, stderr, err := price("--timezone", "UTC", "--tariff", filepath.Join(filepath.Dir(file), "tariff.json"), file)
		if err != nil {
			t.Errorf("%s: %v %s", file, err, stderr)
			continue
		}
		var want, got ocpi.CDR
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := ocpi.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		var printed map[string]any
		if err := json.Unmarshal([]byte(stdout), &printed); err != nil {
			t.Fatal(err)
		}
		if err := ocpi.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatal(err)
		}
		if !got.TotalCost.ExclVAT.Decimal.Round(4).Equal(want.TotalCost.ExclVAT.Decimal) || !got.TotalTime.Decimal.Round(4).Equal(want.TotalTime.Decimal) {
			t.Errorf("%s:\n%s", file, stdout)
		}
	}
}

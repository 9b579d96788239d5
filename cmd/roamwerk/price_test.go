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
		{"one value that nobody can read among numbers as text", `{"tariffs":[{"id":"T","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":"0.5","vat":"19%","step_size":"1"}]}]}],"charging_periods":[{"start_date_time":"2026-03-02T10:00:00Z","dimensions":[{"type":"ENERGY","volume":"2"}]}]}`, `"excl_vat":1`, `"tariffs[0].elements[0].price_components[0].vat"`},
		{"a restriction that nobody can read", `{"tariffs":[{"id":"T","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":9,"step_size":1}],"restrictions":{"day_of_week":["MONDAY",7]}},{"price_components":[{"type":"ENERGY","price":9,"step_size":1}],"restrictions":"none"},{"price_components":[{"type":"ENERGY","price":0.5,"step_size":1}]}]}],"charging_periods":[{"start_date_time":"2026-03-02T10:00:00Z","dimensions":[{"type":"ENERGY","volume":2}]}]}`, `"excl_vat":1`, `"tariffs[0].elements[1].restrictions"`},
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

// A CDR may stand in an envelope, beside what it is to be priced by, and be of another version of OCPI.
func TestPriceDocuments(t *testing.T) {
	const tariffs = `[{"id":"T","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":1,"step_size":1}],"restrictions":{"end_time":"12:00"}},{"price_components":[{"type":"ENERGY","price":2,"step_size":1}]}]}]`
	const inside = `"id":"C","end_date_time":"2026-03-02T11:45:00Z","charging_periods":[{"start_date_time":"2026-03-02T11:30:00Z","dimensions":[{"type":"ENERGY","volume":2}]}]`
	const alone = `{` + inside + `,"tariffs":` + tariffs + `}`
	const old = `{"id":"C","start_date_time":"2026-03-02T10:00:00Z","stop_date_time":"2026-03-02T11:00:00Z","auth_id":"A","total_cost":3,"total_energy":2,"total_time":1,` +
		`"location":{"country":"DEU","time_zone":"Europe/Lisbon"},"charging_periods":[{"start_date_time":"2026-03-02T11:30:00Z","dimensions":[{"type":"ENERGY","volume":2},{"type":"FLAT","volume":1}]}],"tariffs":`
	const one = `[{"id":"T","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":1,"step_size":1}],"restrictions":{"end_time":"12:00"}},{"price_components":[{"type":"FLAT","price":1,"step_size":1}]}]}]`
	const with = `{"id":"C","total_cost":{"before_taxes":5,"taxes":[{"name":"VAT","amount":0.95}]},"charging_periods":[{"start_date_time":"2026-03-02T11:30:00Z","dimensions":[{"type":"ENERGY","volume":2}]}],` +
		`"tariffs":[{"id":"T","currency":"EUR","tax_included":"NO","min_price":{"before_taxes":5,"after_taxes":5.95},"elements":[{"price_components":[{"type":"ENERGY","price":1,"vat":19,"step_size":1}]}]}]}`
	for _, c := range []struct{ name, doc, total string }{
		{"in an envelope without a status_code", `{"data":[` + alone + `]}`, `"excl_vat":2`},
		{"in an envelope with one as text", `{"status_code":"1000","data":` + alone + `,"timestamp":"2026-03-02T11:30:00Z"}`, `"excl_vat":2`},
		{"in envelopes in a list", `[{"data":{"data":[[` + alone + `]]}}]`, `"excl_vat":2`},
		{"beside tariffs", `{"cdr":{` + inside + `},"tariffs":` + tariffs + `}`, `"excl_vat":2`},
		{"beside a tariff and a time zone", `{"time_zone":"Europe/Berlin","cdr":{` + inside + `},"tariff":` + tariffs[1:len(tariffs)-1] + `}`, `"excl_vat":4`},
		{"with its time zone", `{"time_zone":"Europe/Berlin",` + alone[1:], `"excl_vat":4`},
		{"with that of its place", `{"cdr_location":{"time_zone":"Europe/Berlin"},` + alone[1:], `"excl_vat":4`},
		{"OCPI 2.1.1: of the elements one counts", old + one + `}`, `"excl_vat":2`},
		{"OCPI 2.3.0: a minimum", with, `"excl_vat":5,"incl_vat":5.95`},
		{"lines of Windows behind a byte order mark", "\xef\xbb\xbf" + strings.ReplaceAll(alone, ",", ",\r\n"), `"excl_vat":2`},
	} {
		file := filepath.Join(t.TempDir(), "cdr.json")
		if err := os.WriteFile(file, []byte(c.doc), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{file, filepath.Dir(file)} {
			stdout, stderr, err := price("--explain", name)
			if err != nil || stderr != "" || !strings.Contains(stdout, `"id":"C"`) || !strings.Contains(stdout, `"total_cost":{`+c.total) {
				t.Errorf("%s: %v %s %.2000s", c.name, err, stderr, stdout)
			}
		}
	}
}

// A price can be asked for by another reading than ours, in a dispute or beside another program.
func TestPricePolicy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cdr.json")
	doc := `{"id":"C","charging_periods":[{"start_date_time":"2026-03-02T11:30:00Z","dimensions":[{"type":"ENERGY","volume":1.2}]}],` +
		`"tariffs":[{"id":"T","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":1,"step_size":500}]}]}]}`
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ policy, total string }{{"ocpi-2.2.1", "1.5"}, {"no-step-size", "1.2"}} {
		stdout, stderr, err := price("--explain", "--policy", c.policy, file)
		if err != nil || !strings.Contains(stdout, `"total_cost":{"excl_vat":`+c.total+`,`) || !strings.Contains(stdout, `"policy":"`+c.policy+`"`) {
			t.Errorf("%s: %v %s %s", c.policy, err, stderr, stdout)
		}
	}
	if _, _, err := price("--policy", "mine", file); err == nil || !strings.Contains(err.Error(), "no-step-size") {
		t.Errorf("an unknown reading: %v", err)
	}
}

// What is no CDR has no price, and zero is one.
func TestPriceRefuses(t *testing.T) {
	for _, c := range []struct{ doc, says string }{
		{`{}`, "is no CDR"},
		{`null`, "must be an object, got null"},
		{`[7]`, "must be an object, got 7"},
		{`{"foo":1}`, "is no CDR"},
		{`{"id":"T","currency":"EUR","elements":[]}`, "is a tariff and no CDR"},
		{`{"status_code":2001,"status_message":"no such CDR","timestamp":"2026-03-02T11:30:00Z"}`, "is an OCPI answer without data: status_code 2001 no such CDR"},
		{`{"cdr":{}}`, "is no CDR"},
		{`{"cdr":{"charging_periods":[]},"tariffs":[{"id":"T"}]}`, "tariffs[0]: is no tariff: it has no elements"},
		{`{"time_zone":"Mars/Olympus","charging_periods":[]}`, "time_zone: unknown time zone Mars/Olympus"},
		{`{"status_code":1000,"data":[]}`, "holds no JSON object"},
	} {
		file := filepath.Join(t.TempDir(), "cdr.json")
		if err := os.WriteFile(file, []byte(c.doc), 0o600); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, err := price(file)
		if err == nil || stdout != "" || !strings.Contains(stderr, file+": "+c.says) {
			t.Errorf("%s: %v %s %s", c.doc, err, stderr, stdout)
		}
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

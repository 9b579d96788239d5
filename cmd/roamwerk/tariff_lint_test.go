package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tariffLint runs "roamwerk tariff lint" and returns what it prints.
func tariffLint(args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	err = run(context.Background(), append([]string{"tariff", "lint"}, args...), nil, &out, &errs)
	return out.String(), errs.String(), err
}

func TestTariffLintGolden(t *testing.T) {
	file := filepath.Join("testdata", "tariff_lint", "shadowed.json")
	golden := filepath.Join("testdata", "tariff_lint", "shadowed.golden")
	stdout, stderr, err := tariffLint(file)
	if err != nil || stderr != "" {
		t.Fatalf("%v\n%s", err, stderr)
	}
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
}

// Lists, answers and CDRs are opened, and what cannot be read stops nothing.
func TestTariffLintOpens(t *testing.T) {
	const tariff = `{"country_code":"DE","party_id":"ALL","id":"T%","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":0.39,"vat":19,"step_size":1}]}],"last_updated":"2026-11-02T08:00:00Z"}`
	one, two := strings.Replace(tariff, "%", "1", 1), strings.Replace(tariff, "%", "2", 1)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"list.json": "[" + one + "," + two + "]", "answer.json": `{"status_code":1000,"timestamp":"2026-11-02T08:00:00Z","data":[` + one + "]}",
		"cdr.json": `{"id":"C1","tariffs":[` + two + `]}`, "broken.json": `{"elements":`, "wrong.json": `{"elements":"none"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	stdout, stderr, err := tariffLint(path("list.json"), path("broken.json"), path("wrong.json"), path("answer.json"), path("cdr.json"), path("missing.json"))
	if err == nil || !strings.Contains(err.Error(), "3 of 7") || strings.Count(stderr, "\n") != 3 {
		t.Errorf("%v\n%s", err, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != 4 || !strings.Contains(lines[1], `list.json[1]","id":"T2","findings":[],"time_zone":"Europe/Berlin"`) || !strings.Contains(lines[3], `cdr.json","id":"T2"`) {
		t.Errorf("%s", stdout)
	}
	if _, _, err := tariffLint("--timezone", "Mars/Olympus", path("list.json")); err == nil {
		t.Error("a time zone that does not exist was accepted")
	}
}

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func repository(t *testing.T) (chapters, []citation) {
	t.Helper()
	items, err := readItems(filepath.Join(root, itemsFile))
	if err != nil {
		t.Fatal(err)
	}
	citations, err := scan(root, items)
	if err != nil {
		t.Fatal(err)
	}
	return items, citations
}

func TestCitedItemsExist(t *testing.T) {
	items, citations := repository(t)
	for _, c := range citations {
		if !items.has(c.item) {
			t.Errorf("%s cites %s, which is not in %s", c.at, c.item, itemsFile)
		}
	}
	if len(citations) < 300 {
		t.Errorf("only %d citations found", len(citations))
	}
}

// The page holds every item, as the list has it, and no test that is gone.
func TestTableIsComplete(t *testing.T) {
	items, citations := repository(t)
	page, err := os.ReadFile(filepath.Join(root, tableFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range items {
		for _, i := range c.items {
			if !strings.Contains(string(page), "\n| "+i.id+" | "+i.level+" | "+i.what()+" |") {
				t.Errorf("%s lacks %s: run make conformance", tableFile, i.id)
			}
		}
	}
	tests := map[string]bool{}
	for _, c := range citations {
		tests[c.pkg+"."+c.test] = true
		tests[c.pkg+"."+c.test+"/"+caseName(c.name)] = true
	}
	for _, row := range regexp.MustCompile(`(?m)^\| [A-Z]+-\d\d \|.*`).FindAllString(string(page), -1) {
		if id := strings.Fields(row)[1]; !items.has(id) {
			t.Errorf("%s holds %s, which is not in %s: run make conformance", tableFile, id, itemsFile)
		}
		for _, name := range regexp.MustCompile("`[^`]+`").FindAllString(row, -1) {
			if !tests[strings.Trim(name, "`")] {
				t.Errorf("%s names %s, which cites nothing any more: run make conformance", tableFile, name)
			}
		}
	}
}

func TestFind(t *testing.T) {
	find := finder(chapters{{prefix: "AAA"}, {prefix: "BBB"}})
	for text, want := range map[string]string{
		"AAA-07":                   "AAA-07",
		"AAA-07, BBB-01":           "AAA-07 BBB-01",
		"AAA-01 to AAA-03":         "AAA-01 AAA-02 AAA-03",
		"AAA-01 to\nAAA-03":        "AAA-01 AAA-02 AAA-03",
		"AAA-01…03":                "AAA-01 AAA-02 AAA-03",
		"AAA-01–AAA-02":            "AAA-01 AAA-02",
		"BBB-11/12":                "BBB-11 BBB-12",
		"AAA-01 to BBB-03":         "AAA-01",
		"AAA-1, AAA-2026, XAAA-01": "",
		"UTF-16 and ISO-01":        "",
		"BBB-09 to 2026, BBB-10.":  "BBB-09 BBB-10",
	} {
		if got := strings.Join(find(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

const sample = `package sample

import "testing"

// AAA-01: what a comment above says.
func TestComment(t *testing.T) { // AAA-02
	helper() // AAA-03
}

func TestCases(t *testing.T) {
	for _, name := range []string{"AAA-04 a case", "none (AAA-05)"} {
		t.Run(name, func(t *testing.T) { t.Error("AAA-06 is a message") })
	}
}

func helper() {} // AAA-07 is no evidence: nobody knows who calls this

var table = []string{
	"x", // AAA-08
}

func TestTable(t *testing.T) { _ = table }

func FuzzSeeds(f *testing.F) { /* AAA-09 */ }

func BenchmarkNothing(b *testing.B) { /* AAA-10 */ }
`

func TestScanAndTable(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "p/q"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "p/q/sample_test.go"), []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	items := chapters{{prefix: "AAA", title: "Things"}}
	for n := range 12 {
		items[0].items = append(items[0].items, item{id: "AAA-" + string(rune('0'+n/10)) + string(rune('0'+n%10)), level: "M", title: "what"})
	}
	items[0].items[11].decision = "Not ours."
	citations, err := scan(dir, items)
	if err != nil {
		t.Fatal(err)
	}
	if got := packages(citations); !slices.Equal(got, []string{"./p/q"}) {
		t.Errorf("packages: %v", got)
	}
	var events strings.Builder
	for test, action := range map[string]string{
		"TestComment": "pass", "TestCases": "fail", "TestCases/AAA-04_a_case": "pass", "TestCases/none_(AAA-05)": "fail", "TestTable": "skip", "FuzzSeeds": "pass",
	} {
		events.WriteString(`{"Action":"` + action + `","Package":"` + module + `/p/q","Test":"` + test + `"}` + "\n")
	}
	events.WriteString(`{"Action":"fail","Package":"` + module + `/p/q"}` + "\n" + `{"Action":"fail","Package":"` + module + `/broken"}`)
	results, err := parseResults(strings.NewReader(events.String()))
	if want := []string{"broken", "p/q.TestCases"}; err != nil || !slices.Equal(results.failed(), want) {
		t.Fatalf("failed: %v, want %v; %v", results.failed(), want, err)
	}
	page := string(items.table(citations, results))
	for _, want := range []string{
		"| AAA-00 | M | what |  | no test |\n", "\n- AAA-00 (M) what\n", "\n- AAA-07 (M) what\n", "\n- AAA-10 (M) what\n",
		"| AAA-01 | M | what | `p/q.TestComment` | pass |\n", "| AAA-02 | M | what | `p/q.TestComment` | pass |\n", "| AAA-03 | M | what | `p/q.TestComment` | pass |\n",
		"| AAA-04 | M | what | `p/q.TestCases/AAA-04_a_case` | pass |\n", "| AAA-05 | M | what | `p/q.TestCases/none_(AAA-05)` | **fail** |\n",
		"| AAA-06 | M | what | `p/q.TestCases` | **fail** |\n", "| AAA-08 | M | what | `p/q.TestTable` | not run |\n", "| AAA-09 | M | what | `p/q.FuzzSeeds` | pass |\n",
		"| AAA-11 | M | what. Not ours. |  | left out |\n",
		"**5 of 11 items of levels M, S and D are implemented and tested, 2 fail, 1 more are left out by decision.**",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

func TestItemsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no chapter":    "AAA-01\tM\twhat",
		"other chapter": "BBB\t\tTokens\nAAA-01\tM\twhat",
		"twice":         "AAA\t\tAAAs\nAAA-01\tM\twhat\nAAA-01\tM\twhat",
		"no level":      "AAA\t\tAAAs\nAAA-01\tX\twhat",
		"no title":      "AAA\t\tAAAs\nAAA-01\tM\t",
		"no tabs":       "AAA",
	} {
		path := filepath.Join(t.TempDir(), "items.tsv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if items, err := readItems(path); err == nil {
			t.Errorf("%s: %v", name, items)
		}
	}
}

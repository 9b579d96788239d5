// Command mutate changes the pricing engine in one place at a time and runs its tests: some test must fail for each. It prints
// which. What survives is a rule that nobody holds.
//
// Arguments are parts of the names of the changes to make; without, all are made.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	survived, err := run(os.Stdout, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
	if survived > 0 {
		fmt.Fprintf(os.Stderr, "mutate: %d survived\n", survived)
		os.Exit(1)
	}
}

// tests are those that hold the rules; the random ones need few cases, for a rule that only they hold is not written down.
var tests = []string{"test", "-count=1", "-run", "^Test(Rate|Window|Review|Check)", "./billing", "-args", "-cases", "50"}

func run(out io.Writer, parts []string) (survived int, err error) {
	folder, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	if failed, output := test(); len(failed) > 0 || output != "" {
		return 0, fmt.Errorf("the tests fail without any change: %s%s", strings.Join(failed, " "), output)
	}
	fmt.Fprintf(out, "%-52s %s\n", "change", "caught by")
	for i := range mutants {
		m := &mutants[i]
		if len(parts) > 0 && !slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(m.what, part) }) {
			continue
		}
		overlay, err := m.overlay(folder)
		if err != nil {
			return 0, err
		}
		failed, output := test("-overlay", overlay)
		switch {
		case output != "":
			return 0, fmt.Errorf("%s: %s", m.what, output)
		case len(failed) == 0:
			survived++
			failed = []string{"NOBODY"}
		}
		fmt.Fprintf(out, "%-52s %s\n", m.what, strings.Join(failed, " "))
	}
	return survived, nil
}

// overlay writes the changed file and tells the go command to take it for the original.
func (m *mutant) overlay(folder string) (string, error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return "", fmt.Errorf("%s: %s has %q %d times", m.what, m.file, m.old, n)
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(folder, "changed.go"), filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		return "", err
	}
	doc, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, doc, 0o600)
}

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// test runs the tests and returns the names of those that fail. output is what the go command says when they do not even run.
func test(flags ...string) (failed []string, output string) {
	args := slices.Concat(tests[:1], flags, tests[1:])
	text, err := exec.Command("go", args...).CombinedOutput() //nolint:noctx // it ends with its user's patience
	if err == nil {
		return nil, ""
	}
	for _, match := range failure.FindAllStringSubmatch(string(text), -1) {
		failed = append(failed, match[1])
	}
	if len(failed) == 0 && !strings.Contains(string(text), "panic:") {
		return nil, string(text)
	}
	if len(failed) == 0 {
		failed = []string{"a panic"}
	}
	return failed, ""
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
)

const module = "github.com/roamwerk/roamwerk"

// outcome is how a test, or all tests of an item, ended. The greater one counts.
type outcome int

const (
	notRun outcome = iota
	passed
	failed
)

func (o outcome) String() string {
	return [...]string{"not run", "pass", "**fail**"}[o]
}

// results are the outcomes by package folder and test, cases included: "ocpi/server TestCDR/no_id". What the package as a
// whole came to, which fails when it cannot be built, stands under the empty test.
type results map[string]outcome

func resultKey(pkg, test string) string { return pkg + " " + test }

// parseResults reads the output of go test -json.
func parseResults(r io.Reader) (results, error) {
	all := results{}
	for decoder := json.NewDecoder(r); ; {
		var event struct{ Action, Package, Test string }
		if err := decoder.Decode(&event); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("output of go test -json: %w", err)
		}
		pkg := strings.TrimPrefix(strings.TrimPrefix(event.Package, module), "/")
		if pkg == "" {
			pkg = "."
		}
		switch event.Action {
		case "pass":
			all[resultKey(pkg, event.Test)] = passed
		case "fail":
			all[resultKey(pkg, event.Test)] = failed
		}
	}
}

// of tells how a citation's test ended, and its name: that of the case, where the citation stands in the name of one.
func (all results) of(c citation) (name string, o outcome) {
	if c.name != "" {
		if o := all.ofCase(resultKey(c.pkg, c.test), caseName(c.name)); o != notRun {
			return c.test + "/" + caseName(c.name), o
		}
	}
	return c.test, all[resultKey(c.pkg, c.test)]
}

// ofCase finds a case by the last part of its name, at whatever depth.
func (all results) ofCase(test, name string) outcome {
	found := all[test+"/"+name]
	for key, o := range all {
		if strings.HasPrefix(key, test+"/") && strings.HasSuffix(key, "/"+name) {
			found = max(found, o)
		}
	}
	return found
}

// caseName is how go test writes the name of a case.
func caseName(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, s)
}

// failed lists the tests that failed, without their cases, and the packages that failed without one.
func (all results) failed() []string {
	var tests []string
	broken := map[string]bool{}
	for key, o := range all {
		if pkg, test, _ := strings.Cut(key, " "); o == failed && test == "" {
			broken[pkg] = true
		} else if o == failed && !strings.Contains(test, "/") {
			tests = append(tests, pkg+"."+test)
		}
	}
	for _, test := range tests {
		delete(broken, test[:strings.LastIndex(test, ".")])
	}
	return slices.Sorted(slices.Values(slices.AppendSeq(tests, maps.Keys(broken))))
}

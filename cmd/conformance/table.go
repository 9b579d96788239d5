package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// evidence is what the tests say of an item.
type evidence struct {
	tests   []string // package.Test or package.Test/case, sorted
	outcome outcome
}

// gather collects the evidence by item. A test that was not run says nothing, so it hides no other.
func gather(citations []citation, results results) map[string]evidence {
	all := map[string]evidence{}
	for _, c := range citations {
		if c.test == "" {
			continue
		}
		name, o := results.of(c)
		e := all[c.item]
		if name = c.pkg + "." + name; !slices.Contains(e.tests, name) {
			e.tests = append(e.tests, name)
		}
		e.outcome = max(e.outcome, o)
		all[c.item] = e
	}
	for _, e := range all {
		slices.Sort(e.tests)
	}
	return all
}

// tally counts items of the levels that bind us.
type tally struct{ items, tested, failing, leftOut int }

func (t *tally) add(i item, e evidence) {
	switch {
	case i.level == "O":
		return
	case len(e.tests) == 0 && i.decision != "":
		t.leftOut++
		return
	}
	t.items++
	if e.outcome == passed {
		t.tested++
	}
	if e.outcome == failed {
		t.failing++
	}
}

func (t tally) String() string {
	text := fmt.Sprintf("%d of %d items of levels M, S and D are implemented and tested", t.tested, t.items)
	if t.failing > 0 {
		text += fmt.Sprintf(", %d fail", t.failing)
	}
	if t.leftOut > 0 {
		text += fmt.Sprintf(", %d more are left out by decision", t.leftOut)
	}
	return text + "."
}

const intro = `# What of OCPI holds

Each obligation of an eMSP platform under OCPI, with the tests that show it. ` + "`make conformance`" + ` runs the tests and writes
this page from their citations and results; the items stand in [conformance.tsv](conformance.tsv).

`

// table writes docs/conformance.md.
func (all chapters) table(citations []citation, results results) []byte {
	found := gather(citations, results)
	var total tally
	var body, without bytes.Buffer
	for _, c := range all {
		var sum tally
		var rows bytes.Buffer
		for _, i := range c.items {
			e := found[i.id]
			sum.add(i, e)
			total.add(i, e)
			fmt.Fprintf(&rows, "| %s | %s | %s | %s | %s |\n", i.id, i.level, i.what(), e.list(), i.result(e))
			if i.result(e) == withoutTest {
				fmt.Fprintf(&without, "- %s (%s) %s\n", i.id, i.level, i.title)
			}
		}
		fmt.Fprintf(&body, "## %s: %s\n\n%s\n\n| item | level | what | tests | result |\n| --- | --- | --- | --- | --- |\n%s\n", c.prefix, c.title, sum, &rows)
	}
	page := bytes.NewBufferString(intro)
	for _, level := range []string{"M", "S", "O", "D"} {
		fmt.Fprintf(page, "- **%s**: %s.\n", level, levels[level])
	}
	fmt.Fprintf(page, "\n**%s**\n\n%s## Without a test\n\n", total, &body)
	if without.Len() == 0 {
		without.WriteString("None.\n")
	}
	page.Write(without.Bytes())
	return page.Bytes()
}

// withoutTest is the result of an item that no test cites.
const withoutTest = "no test"

func (i item) result(e evidence) string {
	switch {
	case len(e.tests) > 0:
		return e.outcome.String()
	case i.decision != "":
		return "left out"
	}
	return withoutTest
}

func (i item) what() string {
	if i.decision == "" {
		return i.title
	}
	return i.title + ". " + i.decision
}

func (e evidence) list() string {
	names := make([]string, len(e.tests))
	for i, name := range e.tests {
		names[i] = "`" + strings.NewReplacer("|", "¦", "`", "'").Replace(name) + "`"
	}
	return strings.Join(names, "<br>")
}

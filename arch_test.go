// Package roamwerk holds the architecture: what each package may know.
package roamwerk

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/roamwerk/roamwerk/"

// arrows is the architecture: each package, and the packages of ours that it
// may import. A package that is not here fails the test, so adding one means
// deciding here what it may know.
//
// Doors (ocpi/server, web/...) never know each other. Only cmd/roamwerk knows
// everybody.
var arrows = map[string][]string{
	// Knowledge: no I/O, no clock, no randomness.
	"ocpi":             {},
	"ocpi/dialecttest": {"ocpi"},
	"ocpi/v211":        {"ocpi"},
	"ocpi/v230":        {"ocpi"},
	"billing":          {"ocpi"},
	"billing/corpus":   {"billing", "ocpi"},
	"billing/csv":      {"billing", "billing/wording"},
	"billing/einvoice": {"billing", "ocpi"},
	"billing/literal":  {"ocpi"}, // a second calculator to test the first by: for tests only
	"billing/html":     {"billing", "billing/wording"},
	"billing/lint":     {"billing", "ocpi"},
	"billing/meter":    {"ocpi"},
	"billing/pdf":      {"billing", "billing/wording", "ocpi"},
	"billing/wording":  {"billing"},

	// The rows, and what keeps their secrets.
	"db":          {},
	"db/dbtest":   {"db", "db/pgserver"},
	"db/pgserver": {},
	"db/seal":     {},

	// Who we call.
	"mail":          {},
	"ocpi/client":   {"ocpi"},
	"ocpi/ocpitest": {"ocpi", "ocpi/client"},

	// Work: the only place that strings steps together.
	"jobs": {"billing", "billing/csv", "billing/einvoice", "billing/html", "billing/lint", "billing/meter", "billing/pdf", "db", "db/seal", "mail", "ocpi", "ocpi/client", "ocpi/v211", "ocpi/v230"},

	// Doors: who calls us.
	"ocpi/server":   {"billing", "db", "db/seal", "jobs", "ocpi", "ocpi/client"},
	"web/office":    {"billing", "billing/csv", "billing/html", "billing/lint", "billing/meter", "billing/wording", "db", "db/seal", "jobs", "ocpi", "web/ui"},
	"web/ui":        {},
	"web/ui/uitest": {"web/ui"},

	"cmd/conformance": {},
	"cmd/mutate":      {},

	"cmd/roamwerk": {
		"billing", "billing/corpus", "billing/einvoice", "billing/html", "billing/lint", "billing/meter", "billing/pdf", "db", "db/pgserver", "db/seal", "jobs", "mail",
		"ocpi", "ocpi/client", "ocpi/ocpitest", "ocpi/server", "web/office", "web/ui",
	},
}

// lenders are the packages that any test may import besides: they lend
// servers, partners and browsers, sample invoices, and a second opinion on a
// price. Nothing but tests may import the last: it is slow on purpose.
var lenders = []string{"billing/corpus", "billing/literal", "db/dbtest", "ocpi/dialecttest", "ocpi/ocpitest", "web/ui/uitest"}

// tests are what the tests of a package may import besides: what it is used
// together with.
var tests = map[string][]string{
	"billing/pdf": {"billing/einvoice"}, // the XML inside the PDF
	"web/office":  {"ocpi/client"},      // workers that fill the pages
}

// topLevel is every folder that the repository has at its root; another one
// needs a decision record in docs/adr.
var topLevel = []string{"api", "billing", "cmd", "db", "docs", "jobs", "mail", "ocpi", "queries", "web"}

// exact are the packages in which money, energy and time must be exact and
// repeatable: no clock, no randomness, no floats.
var exact = []string{"billing", "billing/csv", "billing/einvoice", "billing/html", "billing/lint", "billing/meter", "billing/wording", "ocpi", "ocpi/v211", "ocpi/v230"}

// repeatable are those that only have to be free of clock and randomness: they
// draw, and a drawing's lengths are floats.
var repeatable = []string{"billing/corpus", "billing/pdf"}

// source is one Go file of ours.
type source struct {
	path string // from the root, with slashes
	pkg  string // its folder
	test bool
	file *ast.File
}

func TestArrows(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		seen[s.pkg] = true
		allowed, known := arrows[s.pkg]
		if !known {
			t.Errorf("%s: package %s is not in the map of arrows: decide what it may import", s.path, s.pkg)
			continue
		}
		for _, name := range imports(t, s) {
			own, ours := strings.CutPrefix(name, module)
			switch {
			case !ours, slices.Contains(allowed, own):
			case s.test && (own == s.pkg || slices.Contains(lenders, own) || slices.Contains(tests[s.pkg], own)):
			default:
				t.Errorf("%s imports %s, which %s may not know", s.path, own, s.pkg)
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(arrows)) {
		if !seen[pkg] {
			t.Errorf("the map of arrows has %s, which does not exist", pkg)
		}
	}
}

func TestOnlyDBSpeaksToTheDatabase(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg == "db" || s.pkg == "db/dbtest" || s.pkg == "db/pgserver" && s.test {
			continue
		}
		for _, name := range imports(t, s) {
			if strings.HasPrefix(name, "github.com/jackc/") || name == "database/sql" {
				t.Errorf("%s imports %s: SQL stands in queries/ and is called through package db", s.path, name)
			}
		}
	}
}

// Time and randomness come in from outside, and no float touches money or
// energy.
func TestKnowledgeIsExact(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !slices.Contains(exact, s.pkg) && !slices.Contains(repeatable, s.pkg) {
			continue
		}
		for _, name := range imports(t, s) {
			if slices.Contains([]string{"math/rand", "math/rand/v2", "crypto/rand"}, name) {
				t.Errorf("%s imports %s: randomness comes in from outside", s.path, name)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, n.Sel.Name) {
					t.Errorf("%s uses time.%s: time comes in from outside", s.path, n.Sel.Name)
				}
				if slices.Contains(exact, s.pkg) && strings.Contains(n.Sel.Name, "Float") {
					t.Errorf("%s uses %s: amounts are decimals", s.path, n.Sel.Name)
				}
			case *ast.Ident:
				if slices.Contains(exact, s.pkg) && (n.Name == "float64" || n.Name == "float32") {
					t.Errorf("%s uses %s: amounts are decimals", s.path, n.Name)
				}
			}
			return true
		})
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !ignored(e.Name()) && !slices.Contains(topLevel, e.Name()) {
			t.Errorf("folder %s is not in the design: it needs a decision record in docs/adr", e.Name())
		}
	}
}

// ignored says whether the folder holds no source: hidden, or named in
// .gitignore.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || name == "bin" || name == "data" || name == "testdata"
}

// sources parses every Go file of ours outside the root.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != "." && ignored(e.Name()):
			return filepath.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".go") || !strings.Contains(filepath.ToSlash(name), "/"):
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		all = append(all, source{path: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), file: file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("found no source")
	}
	return all
}

func imports(t *testing.T, s source) []string {
	t.Helper()
	var names []string
	for _, spec := range s.file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", s.path, err)
		}
		names = append(names, name)
	}
	return names
}

package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// citation is a place in the tests that names an item.
type citation struct {
	item string
	pkg  string // folder from the root; "." is the root
	test string // name of the function; "" outside of tests: no evidence, but it may not be wrong either
	name string // the text that it stands in, which may be the name of a case; "" for a comment
	at   string // file:line
}

// packages are the packages with evidence, as arguments for go test.
func packages(citations []citation) []string {
	var all []string
	for _, c := range citations {
		if c.test != "" {
			all = append(all, "./"+c.pkg)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// scan finds all citations in the tests below root, in a stable order.
func scan(root string, items chapters) ([]citation, error) {
	find := finder(items)
	folders := map[string]*folder{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(rel))
		if folders[pkg] == nil {
			folders[pkg] = &folder{pkg: pkg, find: find, tables: map[string][]citation{}}
		}
		return folders[pkg].read(path, filepath.ToSlash(rel))
	})
	if err != nil {
		return nil, err
	}
	var all []citation
	for _, f := range folders {
		all = append(all, f.citations()...)
	}
	slices.SortFunc(all, func(a, b citation) int {
		return cmp.Or(cmp.Compare(a.item, b.item), cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.test, b.test), cmp.Compare(a.name, b.name), cmp.Compare(a.at, b.at))
	})
	return all, nil
}

// folder is the tests of one package.
type folder struct {
	pkg    string
	find   func(text string) []string
	found  []citation
	tables map[string][]citation // of package-level variables
	reads  []reading
}

// reading is that a test names something that may be a package-level variable.
type reading struct{ test, name string }

// read collects what one file cites.
func (f *folder) read(path, rel string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	cite := func(n ast.Node, test, text, name string) (found []citation) {
		for _, id := range f.find(text) {
			found = append(found, citation{id, f.pkg, test, name, fmt.Sprint(rel, ":", set.Position(n.Pos()).Line)})
		}
		return found
	}
	literals := func(root ast.Node, test string) (found []citation) {
		ast.Inspect(root, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					found = append(found, cite(literal, test, text, text)...)
				}
			}
			return true
		})
		return found
	}
	owners := map[*ast.CommentGroup]string{} // the test or table that a comment is part of
	tables := map[string]bool{}
	for _, decl := range file.Decls {
		owner, body := "", ast.Node(decl)
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if owner = testName(d); owner != "" {
				ast.Inspect(d.Body, func(n ast.Node) bool {
					if ident, ok := n.(*ast.Ident); ok {
						f.reads = append(f.reads, reading{owner, ident.Name})
					}
					return true
				})
			}
			f.found = append(f.found, literals(body, owner)...)
		case *ast.GenDecl:
			if d.Tok != token.VAR || len(d.Specs) != 1 || len(d.Specs[0].(*ast.ValueSpec).Names) != 1 {
				f.found = append(f.found, literals(body, "")...)
				break
			}
			owner = d.Specs[0].(*ast.ValueSpec).Names[0].Name
			tables[owner] = true
			f.tables[owner] = append(f.tables[owner], literals(body, "")...)
		}
		for _, comment := range file.Comments {
			if comment.Pos() <= decl.End() && comment.End() >= decl.Pos() || comment == doc(decl) {
				owners[comment] = owner
			}
		}
	}
	for _, comment := range file.Comments {
		switch owner := owners[comment]; {
		case tables[owner]:
			f.tables[owner] = append(f.tables[owner], cite(comment, "", comment.Text(), "")...)
		default:
			f.found = append(f.found, cite(comment, owner, comment.Text(), "")...)
		}
	}
	return nil
}

func doc(decl ast.Decl) *ast.CommentGroup {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		return d.Doc
	case *ast.GenDecl:
		return d.Doc
	}
	return nil
}

// testName is the name of a test that go test runs, "" for any other function. A fuzz target counts: its seeds are run.
func testName(f *ast.FuncDecl) string {
	if name := f.Name.Name; f.Recv == nil && name != "TestMain" && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")) {
		return name
	}
	return ""
}

// citations are those of the folder, with what stands in a table given to each test that reads the table.
func (f *folder) citations() []citation {
	all := f.found
	for table, found := range f.tables {
		var tests []string
		for _, r := range f.reads {
			if r.name == table && !slices.Contains(tests, r.test) {
				tests = append(tests, r.test)
			}
		}
		for _, c := range found {
			for _, c.test = range tests {
				all = append(all, c)
			}
			if tests == nil {
				all = append(all, c)
			}
		}
	}
	return all
}

// finder returns a function that finds the ids in a text, with ranges spelled out.
func finder(items chapters) func(text string) []string {
	prefixes := make([]string, len(items))
	for i, c := range items {
		prefixes[i] = c.prefix
	}
	id := `\b(` + strings.Join(prefixes, "|") + `)-(\d{2})`
	pattern := regexp.MustCompile(id + `(?:(?:\s+to\s+|\s*[…–]\s*)(?:([A-Z]+)-)?(\d{2})|((?:/\d{2})+))?\b`)
	return func(text string) []string {
		var ids []string
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			prefix, from := m[1], m[2]
			ids = append(ids, prefix+"-"+from)
			if m[4] != "" && (m[3] == "" || m[3] == prefix) {
				first, _ := strconv.Atoi(from)
				last, _ := strconv.Atoi(m[4])
				for n := first + 1; n <= last; n++ {
					ids = append(ids, fmt.Sprintf("%s-%02d", prefix, n))
				}
			}
			for _, n := range strings.FieldsFunc(m[5], func(r rune) bool { return r == '/' }) {
				ids = append(ids, prefix+"-"+n)
			}
		}
		return ids
	}
}

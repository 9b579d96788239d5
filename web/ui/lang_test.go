package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var verb = regexp.MustCompile(`%[a-z]`)

func TestCataloguesSayTheSame(t *testing.T) {
	for key, german := range catalogue[German] {
		english, ok := catalogue[English][key]
		if !ok {
			t.Errorf("%s has no English text", key)
		} else if d, e := verb.FindAllString(german, -1), verb.FindAllString(english, -1); !slices.Equal(d, e) {
			t.Errorf("%s takes %v in German and %v in English", key, d, e)
		}
		if strings.TrimSpace(german) == "" || strings.TrimSpace(english) == "" {
			t.Errorf("%s has an empty text", key)
		}
	}
	for key := range catalogue[English] {
		if _, ok := catalogue[German][key]; !ok {
			t.Errorf("%s has no German text", key)
		}
	}
}

// TestTextsAreUsed reads the sources of the portals: every key that they name exists and gets the arguments that its text
// takes, and every text is named somewhere.
func TestTextsAreUsed(t *testing.T) {
	named, prefixes := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
					named[text] = true
				}
			case *ast.BinaryExpr:
				if text, ok := literal(n.X); ok && n.Op == token.ADD {
					prefixes[text] = true
				}
			case *ast.CallExpr:
				checkCall(t, path, n)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range catalogue[German] {
		used := named[key] || named[strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")] || named[strings.TrimSuffix(key, ".text")]
		for prefix := range prefixes {
			used = used || strings.HasSuffix(prefix, ".") && strings.HasPrefix(key, prefix)
		}
		if !used {
			t.Errorf("%s is not used", key)
		}
	}
}

// checkCall looks at calls of T and N with a key that stands in the source.
func checkCall(t *testing.T, path string, call *ast.CallExpr) {
	t.Helper()
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 || fun.Sel.Name != "T" && fun.Sel.Name != "N" {
		return
	}
	key, ok := literal(call.Args[0])
	if !ok {
		return
	}
	if fun.Sel.Name == "N" {
		if !German.Has(key+".one") || !German.Has(key+".other") {
			t.Errorf("%s: no text %s.one or %[2]s.other", path, key)
		}
		return
	}
	text, ok := catalogue[German][key]
	if !ok {
		t.Errorf("%s: no text %s", path, key)
	} else if want := len(verb.FindAllString(text, -1)); want != len(call.Args)-1 {
		t.Errorf("%s: %s takes %d arguments, gets %d", path, key, want, len(call.Args)-1)
	}
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

func TestUnknownKeyShowsItself(t *testing.T) {
	if got := German.T("no.such.key"); got != "[no.such.key]" {
		t.Error(got)
	}
}

func TestFromHeader(t *testing.T) {
	for header, want := range map[string]Lang{
		"": German, "de-DE,de;q=0.9,en;q=0.8": German, "en-GB,en;q=0.9,de;q=0.8": English, "fr-FR,fr;q=0.9,en;q=0.5": English, "fr": German, "x": German,
	} {
		if got := FromHeader(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

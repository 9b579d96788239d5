// Package dialecttest checks a dialect of package ocpi against fixtures and
// against any bytes. It is for tests only.
package dialecttest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Message is an object that partners send.
type Message interface{ Validate() ocpi.Findings }

// Set is a dialect with the fixtures of it: testdata/<object>/<name>.json is a
// message as a partner sends it, the body of a PATCH if the name begins with
// patch. Beside it are, golden, the document of OCPI 2.2.1 and the findings.
type Set struct {
	Dialect *ocpi.Dialect
	Origin  ocpi.Origin
	Objects map[string]func() Message // by folder of testdata
	Lossy   []string                  // fixtures that do not come back as they were: there is a golden file of what does
}

// Read tests that each fixture becomes the document of its golden file, that
// full and minimal ones are accepted, full ones without a note, and that
// writing gives the message back.
func (s Set) Read(t *testing.T) {
	for object, create := range s.Objects {
		for _, file := range glob(t, object) {
			name := strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".json")
			t.Run(name, func(t *testing.T) { s.read(t, name, create()) })
		}
	}
}

func (s Set) read(t *testing.T, name string, v Message) {
	file, in := filepath.Join("testdata", name), load(t, filepath.Join("testdata", name+".json"))
	read := s.Dialect.Read
	patch := strings.HasPrefix(filepath.Base(name), "patch")
	if patch {
		read = s.Dialect.ReadPatch
	}
	document, notes, err := read(in, v, s.Origin)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, file+".221", indent(t, document))
	if err := ocpi.Unmarshal(document, v); err != nil {
		t.Fatal(s.Dialect.Explain(err, v))
	}
	findings := notes
	if !patch {
		findings = slices.Concat(notes, s.Dialect.ExplainFindings(v.Validate(), v))
	}
	var listing bytes.Buffer
	for _, f := range findings {
		fmt.Fprintf(&listing, "%s %s\n", f.Severity, f)
	}
	golden(t, file+".findings", listing.Bytes())
	switch filepath.Base(name) {
	case "full":
		if len(findings) > 0 {
			t.Errorf("findings: %v", findings)
		}
	case "minimal":
		if err := findings.Err(); err != nil {
			t.Error(err)
		}
	}
	if patch {
		return
	}
	stored, err := ocpi.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Dialect.Write(stored, v)
	if err != nil {
		t.Fatal(err)
	}
	want := in
	if slices.Contains(s.Lossy, name) {
		golden(t, file+".back", indent(t, out))
		want = load(t, file+".back")
	}
	same(t, want, out)
}

// Written tests that documents of package ocpi become the messages of golden
// files in testdata/written.
func (s Set) Written(t *testing.T, documents map[string]any) {
	for name, v := range documents {
		t.Run(name, func(t *testing.T) {
			document := load(t, filepath.Join("..", "testdata", name+".json"))
			if err := ocpi.Unmarshal(document, v); err != nil {
				t.Fatal(err)
			}
			out, err := s.Dialect.Write(document, v)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "written", strings.ReplaceAll(name, "/", "_")+".json"), indent(t, out))
		})
	}
}

// Fuzz requires of any message and any patch: nothing panics; what is refused
// is an *ocpi.Error that speaks of no member that only OCPI 2.2.1 has; and
// what is read can be written and read again.
func (s Set) Fuzz(f *testing.F, object string) {
	create := s.Objects[object]
	for _, file := range glob(f, object) {
		f.Add(load(f, file))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v := create()
		s.requireOwnNames(t, in, v, s.Dialect.Explain(s.patch(in, v), v))
		for _, decode := range []ocpi.Decoder{ocpi.Unmarshal, ocpi.UnmarshalLenient} {
			v := create()
			if _, err := s.Dialect.Decode(in, v, s.Origin, decode); err != nil {
				s.requireOwnNames(t, in, v, err)
				continue
			}
			s.requireOwnNames(t, in, v, s.Dialect.Explain(v.Validate().Err(), v))
			stored, err := ocpi.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			out, err := s.Dialect.Write(stored, v)
			if err != nil {
				continue // not everything can be said
			}
			if _, err := s.Dialect.Decode(out, create(), s.Origin, ocpi.Unmarshal); err != nil {
				t.Fatalf("%s was written as %s: %v", stored, out, err)
			}
		}
	})
}

func (s Set) patch(in []byte, v Message) error {
	patch, _, err := s.Dialect.ReadPatch(in, v, s.Origin)
	if err != nil {
		return err
	}
	return ocpi.Unmarshal(patch, v)
}

// requireOwnNames requires that an error is an *ocpi.Error, and that its paths
// do not begin with a name of OCPI 2.2.1 that the message cannot know.
func (s Set) requireOwnNames(t *testing.T, in []byte, v Message, err error) {
	if err == nil {
		return
	}
	var refused *ocpi.Error
	if !errors.As(err, &refused) || refused.Message == "" {
		t.Fatalf("%#v", err)
	}
	mapping := s.Dialect.Objects[reflect.TypeOf(v).Elem()]
	for _, finding := range refused.Findings {
		name := first(finding.Path)
		named := func(path string) bool { return first(path) == name }
		turned := slices.ContainsFunc(mapping, func(d ocpi.Difference) bool { return d.Theirs != "" && named(d.Ours) })
		theirs := slices.ContainsFunc(mapping, func(d ocpi.Difference) bool { return named(d.Theirs) })
		if turned && !theirs && !bytes.Contains(in, []byte(name)) {
			t.Fatalf("%s\nis told of %q", in, finding.Path)
		}
	}
}

// first is the first name of a path.
func first(path string) string {
	name, _, _ := strings.Cut(path, ".")
	name, _, _ = strings.Cut(name, "[")
	return name
}

func glob(t testing.TB, object string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", object, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures of %s: %v", object, err)
	}
	return files
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func golden(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := load(t, path); !bytes.Equal(got, want) {
		t.Errorf("%s:\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func indent(t testing.TB, document []byte) []byte {
	t.Helper()
	value := jsontext.Value(document).Clone()
	if err := value.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatal(err)
	}
	return append(value, '\n')
}

// same requires that two documents say the same, whatever the order of their
// names and the form of their numbers.
func same(t testing.TB, want, got jsontext.Value) {
	t.Helper()
	want, got = want.Clone(), got.Clone()
	if err := errors.Join(want.Canonicalize(), got.Canonicalize()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("differs:\nwant %s\ngot  %s", want, got)
	}
}

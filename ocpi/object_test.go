package ocpi

import (
	"bytes"
	stdjson "encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

var update = flag.Bool("update", false, "write the golden files anew")

type validator interface{ Validate() Findings }

// objects are the folders of testdata, each named after the object in it.
var objects = map[string]func() validator{
	"activechargingprofile":       func() validator { return new(ActiveChargingProfile) },
	"activechargingprofileresult": func() validator { return new(ActiveChargingProfileResult) },
	"authorizationinfo":           func() validator { return new(AuthorizationInfo) },
	"cancelreservation":           func() validator { return new(CancelReservation) },
	"cdr":                         func() validator { return new(CDR) },
	"chargingpreferences":         func() validator { return new(ChargingPreferences) },
	"chargingprofileresponse":     func() validator { return new(ChargingProfileResponse) },
	"chargingprofileresult":       func() validator { return new(ChargingProfileResult) },
	"clearprofileresult":          func() validator { return new(ClearProfileResult) },
	"clientinfo":                  func() validator { return new(ClientInfo) },
	"commandresponse":             func() validator { return new(CommandResponse) },
	"commandresult":               func() validator { return new(CommandResult) },
	"connector":                   func() validator { return new(Connector) },
	"credentials":                 func() validator { return new(Credentials) },
	"evse":                        func() validator { return new(EVSE) },
	"location":                    func() validator { return new(Location) },
	"locationreferences":          func() validator { return new(LocationReferences) },
	"reservenow":                  func() validator { return new(ReserveNow) },
	"session":                     func() validator { return new(Session) },
	"setchargingprofile":          func() validator { return new(SetChargingProfile) },
	"startsession":                func() validator { return new(StartSession) },
	"stopsession":                 func() validator { return new(StopSession) },
	"tariff":                      func() validator { return new(Tariff) },
	"token":                       func() validator { return new(Token) },
	"unlockconnector":             func() validator { return new(UnlockConnector) },
	"version":                     func() validator { return new(Version) },
	"versiondetails":              func() validator { return new(VersionDetails) },
}

// fixtures returns the fixture files of an object.
func fixtures(t testing.TB, object string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", object, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures of %s: %v", object, err)
	}
	return files
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestObjects decodes each fixture, compares its findings with the golden
// file beside it and requires that encoding it again loses nothing.
func TestObjects(t *testing.T) {
	for _, object := range slices.Sorted(maps.Keys(objects)) {
		for _, file := range fixtures(t, object) {
			t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".json"), func(t *testing.T) {
				in := read(t, file)
				v := objects[object]()
				if err := Unmarshal(in, v); err != nil {
					t.Fatal(err)
				}
				compareGolden(t, strings.TrimSuffix(file, ".json")+".findings", listing(v.Validate()))
				out, err := Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				sameJSON(t, in, out)
			})
		}
	}
}

func listing(findings Findings) []byte {
	var b bytes.Buffer
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s\n", f.Severity, f)
	}
	return b.Bytes()
}

func compareGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, path); !bytes.Equal(got, want) {
		t.Errorf("%s:\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// TestFixturesAreClean requires that the minimal and full fixtures have no
// finding but what a test below names.
func TestFixturesAreClean(t *testing.T) {
	tolerated := map[string]bool{
		"commandresponse/minimal":         true, // CMD-11: no timeout
		"chargingprofileresponse/minimal": true, // CHP-09: as CMD-17
		"versiondetails/minimal":          true, // VER-09: no role
		"versiondetails/full":             true, // VER-10: a custom module
	}
	for object, create := range objects {
		for _, name := range []string{"minimal", "full"} {
			b, err := os.ReadFile(filepath.Join("testdata", object, name+".json"))
			if err != nil {
				continue // smaller objects have no optional field
			}
			v := create()
			if err := Unmarshal(b, v); err != nil {
				t.Fatal(err)
			}
			findings := v.Validate()
			if err := findings.Err(); err != nil {
				t.Errorf("%s/%s: %v", object, name, err)
			}
			if notes := findings.Notes(); len(notes) > 0 && !tolerated[object+"/"+name] {
				t.Errorf("%s/%s: %v", object, name, notes)
			}
		}
	}
}

// TestRequiredFields takes every member out of every minimal fixture, which
// holds required members only, and requires a reject that names it: CDR-02,
// SES-01, LOC-01 to LOC-03, TAR-01, TOK-02, TOK-16, TOK-18, CRED-16, HUB-01,
// CMD-03, CMD-06 to CMD-08, CMD-10, CMD-12, CHP-01, CHP-04, CHP-05, CHP-07,
// SES-19, VER-01, VER-03.
func TestRequiredFields(t *testing.T) {
	for object, create := range objects {
		t.Run(object, func(t *testing.T) {
			var document map[string]any
			if err := stdjson.Unmarshal(read(t, filepath.Join("testdata", object, "minimal.json")), &document); err != nil {
				t.Fatal(err)
			}
			eachMember(document, "", func(path string, object map[string]any, name string) {
				kept := object[name]
				for _, absent := range []func(){
					func() { delete(object, name) },
					func() { object[name] = nil }, // TYP-10: null is absent
				} {
					absent()
					b, err := stdjson.Marshal(document)
					if err != nil {
						t.Fatal(err)
					}
					v := create()
					if err := Unmarshal(b, v); err != nil {
						t.Fatalf("without %s: %v", path, err)
					}
					if !rejectsAt(v.Validate(), path) {
						t.Errorf("without %s: %v", path, v.Validate())
					}
				}
				object[name] = kept
			})
		})
	}
}

// rejectsAt reports whether a reject names path or something below it.
func rejectsAt(findings Findings, path string) bool {
	for _, f := range findings {
		if f.Severity == Reject && (f.Path == path || strings.HasPrefix(f.Path, path+".")) {
			return true
		}
	}
	return false
}

// eachMember calls f for every member of every object in v.
func eachMember(v any, path string, f func(path string, object map[string]any, name string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := joinPath(path, name)
			if path == "" {
				at = name
			}
			eachMember(v[name], at, f)
			f(at, v, name)
		}
	case []any:
		for i := range v {
			eachMember(v[i], fmt.Sprintf("%s[%d]", path, i), f)
		}
	}
}

// TestEveryFieldIsCovered requires that each field of each type is set in
// some fixture, and that only the fixtures called extra and odd hold members
// that land in Extra: a wrong JSON name would show up on both sides.
func TestEveryFieldIsCovered(t *testing.T) {
	set := map[string]bool{}
	all := map[string]bool{}
	for object, create := range objects {
		for _, file := range fixtures(t, object) {
			v := create()
			if err := Unmarshal(read(t, file), v); err != nil {
				t.Fatal(err)
			}
			extraAllowed := strings.HasSuffix(file, "/extra.json") || strings.HasSuffix(file, "/odd.json")
			eachField(reflect.ValueOf(v).Elem(), func(name string, field reflect.Value) {
				all[name] = true
				if field.IsZero() {
					return
				}
				set[name] = true
				if strings.HasSuffix(name, ".Extra") && !extraAllowed {
					t.Errorf("%s: %s = %s", file, name, field.Bytes())
				}
			})
		}
	}
	for name := range all {
		if !set[name] && !strings.HasSuffix(name, ".Extra") {
			t.Errorf("no fixture sets %s", name)
		}
	}
	if len(all) < 200 {
		t.Errorf("only %d fields seen", len(all))
	}
}

func eachField(v reflect.Value, f func(name string, field reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachField(v.Elem(), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachField(v.Index(i), f)
		}
	case reflect.Struct:
		if v.Type().PkgPath() != reflect.TypeFor[CDR]().PkgPath() {
			return // time.Time, decimal.NullDecimal
		}
		for i := range v.NumField() {
			f(v.Type().Name()+"."+v.Type().Field(i).Name, v.Field(i))
			eachField(v.Field(i), f)
		}
	}
}

// sameJSON requires that two documents say the same: null is absent, numbers
// are compared as numbers, times as instants, and false is the default of the
// two flags that have one.
func sameJSON(t *testing.T, want, got []byte) {
	t.Helper()
	if a, b := normal(t, want), normal(t, got); !reflect.DeepEqual(a, b) {
		x, _ := stdjson.Marshal(a)
		y, _ := stdjson.Marshal(b)
		t.Errorf("differs:\nwant %s\ngot  %s", x, y)
	}
}

func normal(t *testing.T, b []byte) any {
	t.Helper()
	dec := stdjson.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return normalValue(v)
}

func normalValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			isDefault := (name == "credit" || name == "home_charging_compensation") && value == false
			if value == nil || isDefault {
				delete(v, name)
				continue
			}
			v[name] = normalValue(value)
		}
		return v
	case []any:
		for i := range v {
			v[i] = normalValue(v[i])
		}
		return v
	case stdjson.Number:
		return "number " + decimal.RequireFromString(v.String()).String()
	case string:
		if at, ok := parseDateTime(v); ok {
			return "time " + FormatDateTime(at)
		}
	}
	return v
}

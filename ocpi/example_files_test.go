package ocpi

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exampleFolder holds the examples that are published with the specification.
const exampleFolder = "../../shared/ocpi/examples"

// A target is what an example is decoded into and how that is validated.
type target struct {
	value    any
	findings func() Findings
}

func whole[T any, P interface {
	*T
	validator
}]() target {
	v := P(new(T))
	return target{v, v.Validate}
}

// enveloped is an object in the envelope of a response.
func enveloped[T any, P interface {
	*T
	validator
}]() target {
	r := new(Response[T])
	return target{r, func() Findings { return P(&r.Data).Validate() }}
}

// envelopedList is a list in the envelope of a response.
func envelopedList[T any, P interface {
	*T
	validator
}]() target {
	r := new(Response[[]T])
	return target{r, func() Findings { return validateAll[T, P](r.Data) }}
}

func list[T any, P interface {
	*T
	validator
}]() target {
	l := new([]T)
	return target{l, func() Findings { return validateAll[T, P](*l) }}
}

func validateAll[T any, P interface {
	*T
	validator
}](values []T) Findings {
	var findings Findings
	for i := range values {
		findings = append(findings, P(&values[i]).Validate()...)
	}
	return findings
}

// part is a piece of an object.
func part(value interface{ check(*checker, *place) }) target {
	return target{value, func() Findings {
		var c checker
		value.check(&c, nil)
		return c.findings
	}}
}

// locationPart is a Location of which only some members are given.
func locationPart(piece func(*Location) interface{ check(*checker, *place) }) func() target {
	return func() target {
		l := new(Location)
		return target{l, func() Findings {
			var c checker
			piece(l).check(&c, nil)
			return c.findings
		}}
	}
}

// exampleFiles says of each published example what it holds and what is wrong
// with it: the paths of the rejects and of the notes, or the path at which it
// cannot be read.
var exampleFiles = []struct {
	pattern    string
	target     func() target
	unreadable string
	rejects    []string
	notes      []string
}{
	{pattern: "cdr_example", target: whole[CDR], notes: []string{"last_updated"}},
	{pattern: "credentials_example*", target: whole[Credentials]},
	{pattern: "location_energymix_*", target: locationPart(func(l *Location) interface{ check(*checker, *place) } { return l.EnergyMix })},
	{pattern: "location_example*", target: whole[Location]},
	{pattern: "location_hours_*", target: func() target { return part(new(Hours)) }},
	{pattern: "location_regularhours_example", target: locationPart(func(l *Location) interface{ check(*checker, *place) } { return l.OpeningTimes })},
	{pattern: "location_put_example_add_evse", target: whole[EVSE], unreadable: "physical_reference"},
	{pattern: "session_example_1*", target: whole[Session]},
	// SES-17: the energy is given in Wh.
	{pattern: "session_example_2*", target: whole[Session], notes: []string{"charging_periods"}},
	{pattern: "tariff_[0-9]*", target: whole[Tariff]},
	{pattern: "tariff_put_example", target: whole[Tariff], rejects: []string{"last_updated"}}, // TAR-12
	{pattern: "tariffrestriction_example_*", target: whole[Tariff]},
	{pattern: "token_example_*", target: whole[Token]},
	{pattern: "token_put_example", target: whole[Token]},
	{pattern: "transport_and_format_get_token_example", target: enveloped[Token]},
	{pattern: "transport_and_format_get_token_list_example", target: envelopedList[Token]},
	{pattern: "transport_and_format_version_details_example", target: enveloped[VersionDetails]},
	{pattern: "transport_and_format_version_info_example", target: envelopedList[Version]},
	{pattern: "type_displaytext_example", target: func() target { return part(new(DisplayText)) }},
	{pattern: "version_details_example*", target: whole[VersionDetails]},
	{pattern: "versions_info_example", target: list[Version]},
}

// TestExamples decodes, validates and re-encodes every example that is
// published with the specification, except the bodies of PATCH, for which
// TestPatchExamples exists.
func TestExamples(t *testing.T) {
	if _, err := os.Stat(exampleFolder); err != nil {
		t.Skip("no reference data beside this clone: these tests come on top of those with our own fixtures")
	}
	files, err := filepath.Glob(filepath.Join(exampleFolder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	patches := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if strings.Contains(name, "_patch_") {
			patches++
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, example := range exampleFiles {
				if ok, _ := filepath.Match(example.pattern, name); !ok {
					continue
				}
				in, target := read(t, file), example.target()
				err := Unmarshal(in, target.value)
				if example.unreadable != "" {
					requireRefusal(t, err, example.unreadable)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				findings := target.findings()
				if got := paths(findings, Reject); !slices.Equal(got, example.rejects) {
					t.Errorf("rejects %q, want %q", got, example.rejects)
				}
				if got := paths(findings, Note); !slices.Equal(got, example.notes) {
					t.Errorf("notes %v, want %q", findings.Notes(), example.notes)
				}
				out, err := Marshal(target.value)
				if err != nil {
					t.Fatal(err)
				}
				sameJSON(t, in, out)
				return
			}
			t.Error("nothing is said of this example")
		})
	}
	if len(files) != 59 || patches != 7 {
		t.Errorf("%d examples, %d of them patches", len(files), patches)
	}
}

// TestExampleAddEVSE reads the example with the number in place of a string
// as from a partner that does so (TYP-08): what is left are the fields that
// its connector lacks.
func TestExampleAddEVSE(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(exampleFolder, "location_put_example_add_evse.json"))
	if err != nil {
		t.Skip("no reference data beside this clone: these tests come on top of those with our own fixtures")
	}
	var evse EVSE
	if err := UnmarshalLenient(b, &evse); err != nil {
		t.Fatal(err)
	}
	if evse.PhysicalReference != "3" || string(evse.Extra) != `{"floor":-1}` {
		t.Errorf("reference %q, extra %s", evse.PhysicalReference, evse.Extra)
	}
	want := []string{"connectors[0].power_type", "connectors[0].max_voltage", "connectors[0].max_amperage", "connectors[0].last_updated"}
	if got := paths(evse.Validate(), Reject); !slices.Equal(got, want) {
		t.Errorf("rejects %q", got)
	}
}

// TestPatchExamples applies the published patches to the fixtures.
func TestPatchExamples(t *testing.T) {
	if _, err := os.Stat(exampleFolder); err != nil {
		t.Skip("no reference data beside this clone: these tests come on top of those with our own fixtures")
	}
	patch := func(name string) []byte { return read(t, filepath.Join(exampleFolder, name+".json")) }
	location := fixture[Location](t, "location/full")
	session := fixture[Session](t, "session/full")
	token := fixture[Token](t, "token/full")

	renamed, err := location.Patch(patch("location_patch_example_location"), Unmarshal)
	if err != nil || renamed.Name != "Interparking Gent Zuid" || len(renamed.EVSEs) != 1 {
		t.Errorf("Location: %v", err)
	}
	for name, status := range map[string]Status{
		"location_patch_example_status":      EVSECharging,
		"location_patch_example_remove_evse": EVSERemoved,
	} {
		changed, err := location.PatchEVSE("NUE-0042-1", patch(name), Unmarshal)
		if err != nil || changed.EVSEs[0].Status != status || len(changed.EVSEs[0].Connectors) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
	priced, err := location.PatchConnector("NUE-0042-1", "1", patch("location_patch_example_tariff"), Unmarshal)
	if err != nil || !slices.Equal(priced.EVSEs[0].Connectors[0].TariffIDs, []CiString{"15"}) {
		t.Errorf("connector: %v", err)
	}
	blocked, err := token.Patch(patch("token_patch_example"), Unmarshal)
	if err != nil || *blocked.Valid {
		t.Errorf("token: %v", err)
	}
	cost, err := session.Patch(patch("session_patch_example_total_cost"), Unmarshal)
	if err != nil || cost.TotalCost.ExclVAT.Decimal.String() != "0.6" {
		t.Errorf("session cost: %v", err)
	}
	period, err := session.Patch(patch("session_patch_example_charging_period"), Unmarshal)
	if err != nil || len(period.ChargingPeriods) != 3 || period.KWh.Decimal.String() != "15" {
		t.Errorf("session period: %v", err)
	}
}

func paths(findings Findings, severity Severity) []string {
	var paths []string
	for _, f := range findings.with(severity) {
		paths = append(paths, f.Path)
	}
	return paths
}

// requireRefusal requires that err is a 2001 in HTTP 200 about the path.
func requireRefusal(t *testing.T, err error, path string) {
	t.Helper()
	refused, ok := err.(*Error)
	if !ok || refused.StatusCode != StatusInvalidParameters || refused.HTTPStatus != 200 ||
		len(refused.Findings) == 0 || refused.Findings[0].Path != path {
		t.Errorf("error %v, want a refusal of %s", err, path)
	}
}

// fixture returns an object of testdata.
func fixture[T any](t testing.TB, name string) *T {
	t.Helper()
	v := new(T)
	if err := Unmarshal(read(t, filepath.Join("testdata", name+".json")), v); err != nil {
		t.Fatal(err)
	}
	return v
}

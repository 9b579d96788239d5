package v211_test

import (
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/dialecttest"
	v211 "github.com/roamwerk/roamwerk/ocpi/v211"
)

var set = dialecttest.Set{
	Dialect: &v211.Dialect,
	Origin: ocpi.Origin{
		Owner:  ocpi.Party{CountryCode: "DE", PartyID: "KLW"},
		Tokens: ocpi.Party{CountryCode: "DE", PartyID: "SWM"},
		Role:   ocpi.RoleCPO,
		At:     time.Date(2026, 10, 14, 16, 50, 0, 0, time.UTC),
	},
	Objects: map[string]func() dialecttest.Message{
		"cdr":                func() dialecttest.Message { return new(ocpi.CDR) },
		"commandresult":      func() dialecttest.Message { return new(ocpi.CommandResult) },
		"connector":          func() dialecttest.Message { return new(ocpi.Connector) },
		"credentials":        func() dialecttest.Message { return new(ocpi.Credentials) },
		"evse":               func() dialecttest.Message { return new(ocpi.EVSE) },
		"location":           func() dialecttest.Message { return new(ocpi.Location) },
		"locationreferences": func() dialecttest.Message { return new(ocpi.LocationReferences) },
		"session":            func() dialecttest.Message { return new(ocpi.Session) },
		"tariff":             func() dialecttest.Message { return new(ocpi.Tariff) },
		"token":              func() dialecttest.Message { return new(ocpi.Token) },
		"versiondetails":     func() dialecttest.Message { return new(ocpi.VersionDetails) },
	},
	Lossy: []string{
		"cdr/flat",       // FLAT
		"cdr/broken",     // its tariff gets nothing that it lacks
		"location/odd",   // members of OCPI 2.2.1 and nulls
		"session/broken", // nulls
	},
}

// VDF-03, VDF-05 to VDF-08: Locations, EVSEs, connectors, Sessions, CDRs and
// tariffs; VDF-01: credentials and version details; VDF-04: tokens.
func TestRead(t *testing.T) { set.Read(t) }

// TestWritten writes what is ours or was stored under OCPI 2.2.1: tokens and
// authorizations (VDF-04), commands (VDF-09), credentials and version details
// (VDF-01).
func TestWritten(t *testing.T) {
	set.Written(t, map[string]any{
		"authorizationinfo/full": new(ocpi.AuthorizationInfo),
		"cdr/full":               new(ocpi.CDR),
		"credentials/minimal":    new(ocpi.Credentials),
		"location/full":          new(ocpi.Location),
		"session/full":           new(ocpi.Session),
		"startsession/full":      new(ocpi.StartSession),
		"stopsession/minimal":    new(ocpi.StopSession),
		"tariff/full":            new(ocpi.Tariff),
		"token/full":             new(ocpi.Token),
		"token/minimal":          new(ocpi.Token),
		"versiondetails/full":    new(ocpi.VersionDetails),
	})
}

// VDF-04: what cannot be said of a token is left out, in lists and patches
// too, and every type that OCPI 2.1.1 does not have is OTHER.
func TestWriteTokens(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`[{"type":"RFID","group_id":"G"},{"type":"APP_USER"},{"type":"AD_HOC_USER"},{"type":"EMAID"}]`,
			`[{"type":"RFID"},{"type":"OTHER"},{"type":"OTHER"},{"type":"OTHER"}]`},
		{`{"valid":false,"last_updated":"2026-10-14T16:50:00Z"}`, `{"valid":false,"last_updated":"2026-10-14T16:50:00Z"}`},
		{`{"contract_id":"C","group_id":null,"visual_number":null}`, `{"visual_number":null,"auth_id":"C"}`},
	} {
		got, err := v211.Dialect.Write([]byte(test.in), []ocpi.Token{})
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %s, %v", test.in, got, err)
		}
	}
}

// VDF-01, VDF-09: what OCPI 2.1.1 has no form for is an error of ours, not of
// the partner.
func TestUnspeakable(t *testing.T) {
	for _, test := range []struct {
		in   string
		v    any
		want string
	}{
		{`{"roles":[{"role":"EMSP"},{"role":"EMSP"}]}`, new(ocpi.Credentials), "one party"},
		{`{"roles":[]}`, new(ocpi.Credentials), "one party"},
		{`{"reservation_id":"c9f0f895"}`, new(ocpi.ReserveNow), "integer"},
		{`{"reservation_id":"4294967296"}`, new(ocpi.ReserveNow), "integer"},
	} {
		got, err := v211.Dialect.Write([]byte(test.in), test.v)
		if _, theirs := err.(*ocpi.Error); err == nil || theirs || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %s, %v", test.in, got, err)
		}
	}
	got, err := v211.Dialect.Write([]byte(`{"reservation_id":"0042","token":{"contract_id":"C"},"authorization_reference":"R"}`), new(ocpi.ReserveNow))
	if err != nil || string(got) != `{"token":{"auth_id":"C"},"reservation_id":42}` {
		t.Errorf("%s, %v", got, err)
	}
}

// TestErrors requires that a partner is told of its own members.
func TestErrors(t *testing.T) {
	for _, test := range []struct {
		in   string
		v    dialecttest.Message
		want string
	}{
		{`{"start_datetime":5}`, new(ocpi.Session), "start_datetime"},
		{`{"auth_id":{"uid":"X"}}`, new(ocpi.Session), "auth_id"},
		{`{"total_cost":"five"}`, new(ocpi.Session), "total_cost"},
		{`{"location":{"id":[]}}`, new(ocpi.Session), "location.id"},
		{`{"location":{"evses":[{"uid":true}]}}`, new(ocpi.Session), "location.evses[0].uid"},
		{`{"charging_periods":[{},{"dimensions":[{"type":"FLAT"},{"volume":"x"}]}]}`, new(ocpi.CDR), "charging_periods[1].dimensions"},
		{`{"location":{"evses":[{"connectors":[{"format":5}]}]}}`, new(ocpi.CDR), "location.evses[0].connectors[0].format"},
		{`{"evses":[{},{"connectors":[{"voltage":"high"}]}]}`, new(ocpi.Location), "evses[1].connectors[0].voltage"},
		{`{"evses":[{"connectors":[{"tariff_id":7}]}]}`, new(ocpi.Location), "evses[0].connectors[0].tariff_id"},
		{`{"type":[]}`, new(ocpi.Location), "type"},
		{`{"energy_mix":{"environ_impact":[{"source":1}]}}`, new(ocpi.Tariff), "energy_mix.environ_impact[0].source"},
		{`{"party_id":1}`, new(ocpi.Credentials), "party_id"},
		{`{"business_details":{"name":1}}`, new(ocpi.Credentials), "business_details.name"},
		{`{"voltage":1,"voltage":2}`, new(ocpi.Connector), "voltage"},
	} {
		_, err := v211.Dialect.Decode([]byte(test.in), test.v, set.Origin, ocpi.Unmarshal)
		refused, ok := err.(*ocpi.Error)
		if !ok || len(refused.Findings) != 1 || refused.Findings[0].Path != test.want || refused.StatusCode != ocpi.StatusInvalidParameters {
			t.Errorf("%s: %v", test.in, err)
		}
	}
	_, err := v211.Dialect.Decode([]byte(`{"id":`), new(ocpi.CDR), set.Origin, ocpi.Unmarshal)
	if refused, ok := err.(*ocpi.Error); !ok || refused.HTTPStatus != 400 {
		t.Errorf("no JSON: %v", err)
	}
}

// VDF-05, OWN-08: a patch changes a stored object like one of OCPI 2.2.1, and
// what it does not name stays, although it is required of a whole object.
func TestPatch(t *testing.T) {
	var stored ocpi.Session
	document := `{"id":"S","start_datetime":"2026-10-14T16:00:00Z","kwh":1,"auth_id":"C","auth_method":"WHITELIST","currency":"EUR",
		"location":{"id":"L","evses":[{"uid":"E","connectors":[{"id":"1"}]}]},"status":"ACTIVE","last_updated":"2026-10-14T16:00:00Z"}`
	if _, err := v211.Dialect.Decode([]byte(document), &stored, set.Origin, ocpi.Unmarshal); err != nil {
		t.Fatal(err)
	}
	patch, _, err := v211.Dialect.ReadPatch([]byte(`{"kwh":2,"total_cost":0.6}`), &stored, set.Origin)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := stored.Patch(patch, ocpi.Unmarshal)
	if err != nil {
		t.Fatal(err)
	}
	if changed.KWh.Decimal.String() != "2" || changed.TotalCost.ExclVAT.Decimal.String() != "0.6" || changed.EVSEUID != "E" ||
		!changed.LastUpdated.Equal(set.Origin.At) || changed.CDRToken.ContractID != "C" {
		t.Errorf("%+v", changed)
	}
	patch, _, err = v211.Dialect.ReadPatch([]byte(`{"start_datetime":null}`), &stored, set.Origin)
	if err != nil {
		t.Fatal(err)
	}
	_, err = stored.Patch(patch, ocpi.Unmarshal)
	if err := v211.Dialect.Explain(err, &stored); err == nil || err.Error() != "start_datetime: required" {
		t.Errorf("null: %v", err)
	}
}

// VDF-07: a tariff has a PATCH, and stays one of OCPI 2.1.1.
func TestTariffPatch(t *testing.T) {
	var stored ocpi.Tariff
	document := `{"id":"T","currency":"EUR","elements":[{"price_components":[{"type":"TIME","price":2,"step_size":300}]}],"last_updated":"2026-10-01T00:00:00Z"}`
	if _, err := v211.Dialect.Decode([]byte(document), &stored, set.Origin, ocpi.Unmarshal); err != nil {
		t.Fatal(err)
	}
	patch, _, err := v211.Dialect.ReadPatch([]byte(`{"id":"T","elements":[{"price_components":[{"type":"TIME","price":2.5,"step_size":300}]}]}`), &stored, set.Origin)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := stored.Patch(patch, ocpi.Unmarshal)
	if err != nil {
		t.Fatal(err)
	}
	price := changed.Elements[0].PriceComponents[0].Price.Decimal
	if price.String() != "2.5" || !changed.LastUpdated.Equal(set.Origin.At) || string(changed.Extra) != `{"ocpi_version":"2.1.1"}` || changed.Currency != "EUR" {
		t.Errorf("%+v", changed)
	}
	for _, wrong := range []string{`{"id":"U","last_updated":"2026-10-02T00:00:00Z"}`, `{"currency":null,"last_updated":"2026-10-02T00:00:00Z"}`, `{"currency":"CHF"}`, `[]`} {
		if _, err := stored.Patch([]byte(wrong), ocpi.Unmarshal); err == nil {
			t.Errorf("%s is accepted", wrong)
		}
	}
}

// VDF-04 and VDF-09: codes, modules and commands that OCPI 2.1.1 lacks.
func TestLacking(t *testing.T) {
	d := &v211.Dialect
	if d.Status(ocpi.StatusUnknownToken) != 2001 || d.Status(ocpi.StatusUnknownReceiver) != 3000 || d.Status(ocpi.StatusUnknownLocation) != 2003 {
		t.Error("status codes")
	}
	if d.Has(ocpi.ModuleHubClientInfo) || d.Has(ocpi.ModuleChargingProfiles) || !d.Has(ocpi.ModuleTokens) {
		t.Error("modules")
	}
	if d.HasCommand(ocpi.CommandCancelReservation) || !d.HasCommand(ocpi.CommandReserveNow) {
		t.Error("commands")
	}
}

func FuzzCDR(f *testing.F)         { set.Fuzz(f, "cdr") }
func FuzzConnector(f *testing.F)   { set.Fuzz(f, "connector") }
func FuzzCredentials(f *testing.F) { set.Fuzz(f, "credentials") }
func FuzzEVSE(f *testing.F)        { set.Fuzz(f, "evse") }
func FuzzLocation(f *testing.F)    { set.Fuzz(f, "location") }
func FuzzSession(f *testing.F)     { set.Fuzz(f, "session") }
func FuzzTariff(f *testing.F)      { set.Fuzz(f, "tariff") }
func FuzzToken(f *testing.F)       { set.Fuzz(f, "token") }

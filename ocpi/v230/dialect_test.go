package v230_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/dialecttest"
	v230 "github.com/roamwerk/roamwerk/ocpi/v230"
)

var set = dialecttest.Set{
	Dialect: &v230.Dialect,
	Objects: map[string]func() dialecttest.Message{
		"cdr":                func() dialecttest.Message { return new(ocpi.CDR) },
		"clientinfo":         func() dialecttest.Message { return new(ocpi.ClientInfo) },
		"commandresult":      func() dialecttest.Message { return new(ocpi.CommandResult) },
		"credentials":        func() dialecttest.Message { return new(ocpi.Credentials) },
		"location":           func() dialecttest.Message { return new(ocpi.Location) },
		"locationreferences": func() dialecttest.Message { return new(ocpi.LocationReferences) },
		"session":            func() dialecttest.Message { return new(ocpi.Session) },
		"tariff":             func() dialecttest.Message { return new(ocpi.Tariff) },
		"token":              func() dialecttest.Message { return new(ocpi.Token) },
		"versiondetails":     func() dialecttest.Message { return new(ocpi.VersionDetails) },
	},
	Lossy: []string{
		"tariff/odd", // prices of OCPI 2.2.1
	},
}

// VDF-12 to VDF-16: what OCPI 2.3.0 adds goes through, and prices are turned.
func TestRead(t *testing.T) { set.Read(t) }

// TestWritten writes what was stored under OCPI 2.2.1.
func TestWritten(t *testing.T) {
	set.Written(t, map[string]any{
		"cdr/full":         new(ocpi.CDR),
		"credentials/full": new(ocpi.Credentials),
		"session/full":     new(ocpi.Session),
		"tariff/full":      new(ocpi.Tariff),
	})
}

// TestSame requires that everything else is written as it is (VDF-12).
func TestSame(t *testing.T) {
	for name, v := range map[string]any{
		"authorizationinfo/full":  new(ocpi.AuthorizationInfo),
		"location/full":           new(ocpi.Location),
		"reservenow/full":         new(ocpi.ReserveNow),
		"setchargingprofile/full": new(ocpi.SetChargingProfile),
		"startsession/full":       new(ocpi.StartSession),
		"token/full":              new(ocpi.Token),
		"versiondetails/full":     new(ocpi.VersionDetails),
	} {
		in, err := os.ReadFile(filepath.Join("..", "testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := v230.Dialect.Write(in, v); err != nil || !bytes.Equal(in, out) {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
}

// TestPrices turns prices both ways (VDF-13).
func TestPrices(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`{"total_cost":{"before_taxes":4.00,"taxes":[{"name":"VAT","amount":0.40}]}}`, `{"total_cost":{"taxes":[{"name":"VAT","amount":0.40}],"excl_vat":4.00,"incl_vat":4.4}}`},
		{`{"total_cost":{"before_taxes":"4","taxes":[{"amount":"0.1"},{"amount":0.2}]}}`, `{"total_cost":{"taxes":[{"amount":"0.1"},{"amount":0.2}],"excl_vat":"4","incl_vat":4.3}}`},
		{`{"total_cost":{"before_taxes":4,"taxes":[]}}`, `{"total_cost":{"taxes":[],"excl_vat":4}}`},
		{`{"total_cost":{"before_taxes":4}}`, `{"total_cost":{"excl_vat":4}}`},
		{`{"total_cost":null}`, `{"total_cost":null}`},
		{`{"total_cost":{"excl_vat":4,"incl_vat":5}}`, `{"total_cost":{"excl_vat":4,"incl_vat":5}}`},
		{`{}`, `{}`},
	} {
		got, notes, err := v230.Dialect.Read([]byte(test.in), new(ocpi.Session), ocpi.Origin{})
		if err != nil || len(notes) > 0 || string(got) != test.want {
			t.Errorf("%s: %s, %v, %v", test.in, got, notes, err)
		}
	}
	for _, test := range []struct{ in, want string }{
		{`{"total_cost":{"excl_vat":4,"incl_vat":4.76}}`, `{"total_cost":{"before_taxes":4,"taxes":[{"name":"VAT","amount":0.76}]}}`},
		{`{"total_cost":{"excl_vat":4,"incl_vat":4}}`, `{"total_cost":{"before_taxes":4,"taxes":[{"name":"VAT","amount":0}]}}`},
		{`{"total_cost":{"excl_vat":4}}`, `{"total_cost":{"before_taxes":4}}`},
	} {
		got, err := v230.Dialect.Write([]byte(test.in), new(ocpi.Session))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %s, %v", test.in, got, err)
		}
	}
}

// TestErrors requires that a partner is told of its own members.
func TestErrors(t *testing.T) {
	for _, test := range []struct {
		in   string
		v    dialecttest.Message
		want string
	}{
		{`{"total_cost":{"before_taxes":"much"}}`, new(ocpi.Session), "total_cost.before_taxes"},
		{`{"tariffs":[{"max_price":{"after_taxes":[]}}]}`, new(ocpi.CDR), "tariffs[0].max_price.after_taxes"},
		{`{"hub_party_id":5}`, new(ocpi.Credentials), "hub_party_id"},
		{`{"hub_party_id":"NL-HUB","roles":[]}`, new(ocpi.Credentials), "hub_party_id"},
		{`{"hub_party_id":"NLHUB","roles":{}}`, new(ocpi.Credentials), "roles"},
		{`{"hub_party_id":"NLHUB","roles":[{"party_id":1}]}`, new(ocpi.Credentials), "roles[0].party_id"},
	} {
		_, err := v230.Dialect.Decode([]byte(test.in), test.v, ocpi.Origin{}, ocpi.Unmarshal)
		refused, ok := err.(*ocpi.Error)
		if !ok || len(refused.Findings) != 1 || refused.Findings[0].Path != test.want || refused.StatusCode != ocpi.StatusInvalidParameters {
			t.Errorf("%s: %v", test.in, err)
		}
	}
}

func FuzzCDR(f *testing.F)         { set.Fuzz(f, "cdr") }
func FuzzCredentials(f *testing.F) { set.Fuzz(f, "credentials") }
func FuzzLocation(f *testing.F)    { set.Fuzz(f, "location") }
func FuzzSession(f *testing.F)     { set.Fuzz(f, "session") }
func FuzzTariff(f *testing.F)      { set.Fuzz(f, "tariff") }

package ocpi

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// TestUnmarshalRefuses tells malformed JSON, HTTP 400 (TRN-23), from the
// wrong shape, HTTP 200 with code 2001 and the path (TRN-24).
func TestUnmarshalRefuses(t *testing.T) {
	for _, test := range []struct {
		name, body string
		http       int
		message    string
	}{
		{"empty", ``, 400, "the body is not valid JSON"},
		{"truncated", `{"id": "A"`, 400, "the body is not valid JSON"},
		{"truncated after a wrong type", `{"id": 1, `, 400, "the body is not valid JSON"},
		{"XML", `<cdr/>`, 400, "the body is not valid JSON"},
		{"NaN", `{"total_energy": NaN}`, 400, "the body is not valid JSON"},
		{"two values", `{} {}`, 400, "the body is not valid JSON"},
		{"not UTF-8", "{\"id\": \"\xff\"}", 400, "the body is not valid JSON"},
		{"list", `[]`, 200, `must be an object, got "[…]"`},
		{"scalar", `17`, 200, `must be an object, got "a number"`},
		{"string for number", `{"charging_periods":[{},{"dimensions":[{"volume":"1.5"}]}]}`, 200,
			`charging_periods[1].dimensions[0].volume: must be a number of at most 40 digits before and after the point, got "\"1.5\""`},
		{"number for string", `{"cdr_location":{"coordinates":{"latitude":49.45}}}`, 200,
			`cdr_location.coordinates.latitude: must be a string, got "a number"`},
		{"number for enumeration", `{"charging_periods":[{"dimensions":[{"type":1}]}]}`, 200,
			`charging_periods[0].dimensions[0].type: must be a string, got "a number"`},
		{"object for list", `{"tariffs":{}}`, 200, `tariffs: must be a list, got "{…}"`},
		{"string for object", `{"total_cost":"12.50"}`, 200, `total_cost: must be an object, got "a string"`},
		{"string for boolean", `{"credit":"true"}`, 200, `credit: must be true or false, got "a string"`},
		{"fraction for integer", `{"tariffs":[{"elements":[{"price_components":[{"step_size":1.5}]}]}]}`, 200,
			`tariffs[0].elements[0].price_components[0].step_size: must be an integer, got "1.5"`},
		{"integer out of range", `{"signed_data":{"encoding_method_version":4294967296}}`, 200,
			`signed_data.encoding_method_version: must be an integer, got "4294967296"`},
		{"no DateTime", `{"last_updated":"gestern"}`, 200,
			`last_updated: must be a DateTime such as 2026-11-23T16:20:00Z, got "\"gestern\""`},
		{"number for DateTime", `{"last_updated":1766505600}`, 200,
			`last_updated: must be a DateTime such as 2026-11-23T16:20:00Z, got "1766505600"`},
		{"duplicate name", `{"id":"A","id":"B"}`, 200, `id: must not occur twice`}, // TYP-18
		{"duplicate unknown name", `{"x":{"y":1,"y":2}}`, 200, `x.y: must not occur twice`},
		{"U+0000", `{"remark":"\u0000"}`, 200, `must not contain the character U+0000`},
		{"nested without end", `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, 200,
			`must not be nested deeper than 64 levels`},
		{"card number in the wrong type", `{"cdr_token":{"uid":4711}}`, 200, `cdr_token.uid: must be a string`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := Unmarshal([]byte(test.body), new(CDR))
			refused, ok := err.(*Error)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if refused.HTTPStatus != test.http || refused.StatusCode != StatusInvalidParameters || refused.Message != test.message {
				t.Errorf("HTTP %d, code %d, %s", refused.HTTPStatus, refused.StatusCode, refused.Message)
			}
		})
	}
}

// TestUnmarshalTolerates covers TYP-08, TYP-09, TYP-10, TYP-18 and TRN-25.
func TestUnmarshalTolerates(t *testing.T) {
	for _, test := range []struct{ name, in, out string }{
		{"null for everything", `{"id":null,"start_date_time":null,"cdr_token":null,"tariffs":null,"signed_data":null,"total_energy":null,"credit":null,"auth_method":null}`, `{}`},
		{"integer with a point", `{"signed_data":{"encoding_method_version":230.0}}`, `{"signed_data":{"encoding_method_version":230}}`},
		{"exponents", `{"total_energy":1.5e1,"total_time":-25E-2}`, `{"total_energy":15,"total_time":-0.25}`},
		{"many digits", `{"total_energy":12345678901234567890.123456789}`, `{"total_energy":12345678901234567890.123456789}`},
		{"zero is not absent", `{"total_energy":0,"total_time":0.000}`, `{"total_energy":0,"total_time":0}`},
		{"names have a case", `{"ID":"A","Id":"B"}`, `{"ID":"A","Id":"B"}`},
		{"unknown members", `{"_id":7,"total_cost":{"taxes":[{"name":"USt"}]}}`, `{"total_cost":{"taxes":[{"name":"USt"}]},"_id":7}`},
		{"unknown null", `{"x":null}`, `{"x":null}`},
		{"empty lists", `{"tariffs":[],"charging_periods":[]}`, `{"tariffs":[],"charging_periods":[]}`},
		{"escaped backslash before u0000", `{"remark":"\\u0000"}`, `{"remark":"\\u0000"}`},
		{"absent in the language of .NET", `{"end_date_time":"0001-01-01T00:00:00"}`, `{}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c CDR
			if err := Unmarshal([]byte(test.in), &c); err != nil {
				t.Fatal(err)
			}
			out, err := Marshal(&c)
			if err != nil || string(out) != test.out {
				t.Errorf("%s, %v", out, err)
			}
		})
	}
}

// TestUnmarshalLenient covers what a partner may be configured for (TYP-08
// and the quirks of real feeds).
func TestUnmarshalLenient(t *testing.T) {
	in := `{"id":4711,"credit":"true","home_charging_compensation":"","total_energy":"12.5","total_time":"",
		"meter_id":true,"signed_data":{"encoding_method_version":"2"},"cdr_token":{"uid":123},
		"tariffs":[{"tariff_alt_text":"","elements":[
			{"restrictions":[{"min_kwh":"3"}],"price_components":[{"step_size":"300","vat":null}]},
			{"restrictions":[]},{"restrictions":{"max_kwh":"3"}}]}]}`
	want := `{"id":"4711","cdr_token":{"uid":"123"},"meter_id":"true",` +
		`"tariffs":[{"elements":[{"price_components":[{"step_size":300}],"restrictions":{"min_kwh":3}},` +
		`{"restrictions":{}},{"restrictions":{"max_kwh":3}}]}],` +
		`"signed_data":{"encoding_method_version":2},"total_energy":12.5,"credit":true}`
	var c CDR
	if err := UnmarshalLenient([]byte(in), &c); err != nil {
		t.Fatal(err)
	}
	if out, err := Marshal(&c); err != nil || string(out) != want {
		t.Errorf("%s, %v", out, err)
	}
	for _, bad := range []string{
		`{"total_energy":"viel"}`, `{"total_energy":"1 "}`, `{"total_energy":"\"1\""}`, `{"total_energy":"1e999999999"}`,
		`{"credit":"ja"}`, `{"signed_data":{"encoding_method_version":"x"}}`, `{"id":{}}`,
		`{"tariffs":[{"tariff_alt_text":"x"}]}`, `{"tariffs":[{"elements":[{"restrictions":[{},{}]}]}]}`,
		`{"tariffs":[{"elements":[{"restrictions":[1]}]}]}`,
	} {
		err := UnmarshalLenient([]byte(bad), new(CDR))
		if refused, ok := err.(*Error); !ok || refused.HTTPStatus != http.StatusOK || refused.Findings[0].Path == "" {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestNumbersAreBounded: a number of twelve bytes must not fill the memory.
func TestNumbersAreBounded(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, number := range []string{"1e999999999", "1e-999999999", "0e999999999", "1E+41", "1e-41",
		"1e99999999999999999999", strings.Repeat("9", 41), "0." + strings.Repeat("9", 41), strings.Repeat("9", 10000)} {
		for _, body := range []string{`{"total_energy":` + number + `}`, `{"signed_data":{"encoding_method_version":` + number + `}}`} {
			if err := Unmarshal([]byte(body), new(CDR)); err == nil {
				t.Errorf("%.60s is accepted", body)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 10<<20 {
		t.Errorf("%d bytes allocated", used)
	}
	var c CDR
	longest := strings.Repeat("9", 40) + "." + strings.Repeat("9", 40)
	if err := Unmarshal([]byte(`{"total_energy":`+longest+`}`), &c); err != nil {
		t.Error(err)
	}
}

// TestMarshal covers TYP-04 and TYP-08: what we send.
func TestMarshal(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	c := CDR{
		LastUpdated: time.Date(2026, 11, 23, 17, 20, 0, 120_999_999, berlin),
		EndDateTime: time.Date(2026, 11, 23, 16, 20, 0, 0, time.UTC),
		TotalCost:   Price{ExclVAT: Number(decimal.New(25, 2))},
		TotalEnergy: Number(decimal.RequireFromString("0.00000001")),
		TotalTime:   Number(decimal.RequireFromString("1.50")),
	}
	want := `{"end_date_time":"2026-11-23T16:20:00Z","total_cost":{"excl_vat":2500},` +
		`"total_energy":0.00000001,"total_time":1.5,"last_updated":"2026-11-23T16:20:00.12Z"}`
	if out, err := Marshal(&c); err != nil || string(out) != want {
		t.Errorf("%s, %v", out, err)
	}
	// A type of one's own may have such fields without omitzero.
	bare := struct {
		N decimal.NullDecimal
		D decimal.Decimal
		T time.Time
	}{}
	if out, err := Marshal(bare); err != nil || string(out) != `{"N":null,"D":0,"T":null}` {
		t.Errorf("%s, %v", out, err)
	}
}

// TestResponse covers TRN-13 to TRN-15.
func TestResponse(t *testing.T) {
	at := time.Date(2026, 11, 23, 16, 20, 0, 0, time.UTC)
	for _, test := range []struct {
		response any
		want     string
	}{
		{Response[*CDR]{StatusCode: StatusSuccess, Timestamp: at}, `{"status_code":1000,"timestamp":"2026-11-23T16:20:00Z"}`},
		{Response[[]Token]{Data: []Token{}, StatusCode: StatusSuccess, Timestamp: at}, `{"data":[],"status_code":1000,"timestamp":"2026-11-23T16:20:00Z"}`},
		{Response[ChargingPreferencesResponse]{Data: PreferencesAccepted, StatusCode: StatusSuccess, StatusMessage: "Success", Timestamp: at},
			`{"data":"ACCEPTED","status_code":1000,"status_message":"Success","timestamp":"2026-11-23T16:20:00Z"}`},
	} {
		if out, err := Marshal(test.response); err != nil || string(out) != test.want {
			t.Errorf("%s, %v", out, err)
		}
	}
	var failure Response[jsontext.Value]
	body := `{"data":"kein Objekt","status_code":2003,"status_message":"Unknown Location"}`
	if err := Unmarshal([]byte(body), &failure); err != nil || failure.StatusCode.Success() || string(failure.Data) != `"kein Objekt"` {
		t.Errorf("%+v, %v", failure, err)
	}
	for code, success := range map[StatusCode]bool{1000: true, 1999: true, 2000: false, 999: false, 0: false, 3001: false} {
		if code.Success() != success { // TRN-16, STA-01
			t.Errorf("success of %d", code)
		}
	}
}

package ocpi

import (
	stdjson "encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// TestFieldRules changes a member of a minimal object and requires these findings, and that nothing is lost when the object is
// written again.
func TestFieldRules(t *testing.T) {
	quoted := func(s string, n int) string { return `"` + strings.Repeat(s, n) + `"` }
	for _, test := range []struct {
		name   string
		object string
		change string // the members that are set
		want   string // the findings
	}{
		{"TYP-02 enumerations have a case", "evse", `{"status":"available"}`, `note status: not a value of OCPI 2.2.1, got "available"`},
		{"TYP-02 a line break", "location", `{"name":"Rathaus\nNord"}`, `note name: no control characters, got "Rathaus\nNord"`},
		{"TYP-02 umlauts are printable", "location", `{"name":"Königsplatz ⚡"}`, ``},
		{"TYP-03 the longest address", "location", `{"address":` + quoted("ß", 255) + `}`, ``},
		{"TYP-03 a longer address", "location", `{"address":` + quoted("ß", 256) + `}`, `note address: at most 255 characters, got "` + strings.Repeat("ß", 32) + `…"`},
		{"TYP-03 a long state", "location", `{"state":` + quoted("x", 45) + `}`, ``},
		{"TYP-03 signed data of 5000", "cdr", `{"signed_data":{"encoding_method":"OCMF","signed_values":[{"nature":"End","plain_data":` + quoted("x", 5000) + `,"signed_data":` + quoted("y", 5000) + `}]}}`, ``},
		{"TYP-03 an id that no index holds", "tariff", `{"id":` + quoted("x", 256) + `}`, `reject id: at most 36 characters, got "` + strings.Repeat("x", 64) + `…"`},
		{"TYP-12 capability", "evse", `{"capabilities":["RFID_READER","TELEPATHY"]}`, `note capabilities[1]: not a value of OCPI 2.2.1, got "TELEPATHY"`},
		{"TYP-12 connector", "connector", `{"standard":"MCS"}`, `note standard: not a value of OCPI 2.2.1, got "MCS"`},
		{"TYP-12 session status", "session", `{"status":"SUSPENDED"}`, `note status: not a value of OCPI 2.2.1, got "SUSPENDED"`},
		{"TYP-13 relative", "version", `{"url":"/ocpi/2.2.1"}`, `reject url: an absolute http or https URL, got "/ocpi/2.2.1"`},
		{"TYP-13 another scheme", "credentials", `{"url":"ftp://cpo.example/versions"}`, `reject url: an absolute http or https URL, got "ftp://cpo.example/versions"`},
		{"TYP-13 long", "version", `{"url":"https://cpo.example/` + strings.Repeat("x", 255) + `"}`, `note url: at most 255 characters, got "https://cpo.example/` + strings.Repeat("x", 44) + `…"`},
		{"TYP-14 no VAT is said", "tariff", `{"min_price":{"excl_vat":1}}`, ``},
		{"TYP-14 a price is without VAT", "tariff", `{"min_price":{"incl_vat":1}}`, `reject min_price.excl_vat: required`},
		{"TYP-15 language of three letters", "tariff", `{"tariff_alt_text":[{"language":"ger","text":"Nachts halb"}]}`, `note tariff_alt_text[0].language: at most 2 characters, got "ger"`},
		{"TYP-15 long text", "tariff", `{"tariff_alt_text":[{"language":"de","text":` + quoted("x", 513) + `}]}`, `note tariff_alt_text[0].text: at most 512 characters, got "` + strings.Repeat("x", 64) + `…"`},
		{"TAR-09 any text", "tariff", `{"tariff_alt_text":[{"language":"de","text":"<b>0,49 €/kWh</b>"}],"tariff_alt_url":"https://cpo.example/t"}`, ``},
		{"TYP-16 country of the owner", "token", `{"country_code":"DEU"}`, `note country_code: two letters, got "DEU"`},
		{"TYP-16 party", "token", `{"party_id":"SW"}`, `note party_id: three letters or digits, got "SW"`},
		{"TYP-16 country of the place", "location", `{"country":"DE"}`, `note country: three capital letters (ISO 3166-1 alpha-3), got "DE"`},
		{"TYP-16 currency", "session", `{"currency":"€"}`, `note currency: three capital letters (ISO 4217), got "€"`},
		{"TYP-16 zone", "location", `{"time_zone":"MEZ"}`, `note time_zone: an IANA time zone such as Europe/Berlin, got "MEZ"`},
		{"TYP-17 bounds", "location", `{"coordinates":{"latitude":"-90.00000","longitude":"180.0000000"}}`, ``},
		{"TYP-17 precision", "location", `{"coordinates":{"latitude":"49.4","longitude":"11.07862012"}}`,
			`note coordinates.latitude: five to seven decimals, got "49.4"|note coordinates.longitude: five to seven decimals, got "11.07862012"`},
		{"TYP-17 off the globe", "location", `{"coordinates":{"latitude":"91.00000","longitude":"11.07862"}}`, `note coordinates.latitude: decimal degrees up to 90, got "91.00000"`},
		{"LOC-15 an entry for nobody", "location", `{"publish":false,"publish_allowed_to":[{}]}`, `note publish_allowed_to[0]: one of uid, visual_number and group_id`},
		{"LOC-15 incomplete entries", "location", `{"publish":false,"publish_allowed_to":[{"uid":"04AA"},{"visual_number":"7"}]}`,
			`note publish_allowed_to[0].type: required with uid|note publish_allowed_to[1].issuer: required with visual_number`},
		{"LOC-15 entries of a published Location", "location", `{"publish_allowed_to":[{"group_id":"G"}]}`, ``},
		{"LOC-19 always open", "location", `{"opening_times":{"twentyfourseven":true}}`, ``},
		{"LOC-19 not said whether always", "location", `{"opening_times":{"regular_hours":[{"weekday":1,"period_begin":"08:00","period_end":"18:00"}]}}`, `reject opening_times.twentyfourseven: required`},
		{"LOC-19 never open", "location", `{"opening_times":{"twentyfourseven":false}}`, `note opening_times.regular_hours: at least one item without twentyfourseven`},
		{"LOC-19 weekday 0", "location", `{"opening_times":{"twentyfourseven":false,"regular_hours":[{"weekday":0,"period_begin":"08:00","period_end":"00:00"}]}}`,
			`reject opening_times.regular_hours[0].weekday: 1 (Monday) to 7 (Sunday), got "0"`},
		{"LOC-21 a status in advance", "evse", `{"status_schedule":[{"period_begin":"2026-12-24T00:00:00Z","status":"INOPERATIVE"}]}`, ``},
		{"SES-06 the state of the prose", "session", `{"status":"RESERVED"}`, `note status: not a value of OCPI 2.2.1, got "RESERVED"`},
		{"SES-06 ACTIVE", "session", `{"status":"ACTIVE"}`, ``},
		{"SES-06 COMPLETED", "session", `{"status":"COMPLETED"}`, ``},
		{"SES-06 INVALID", "session", `{"status":"INVALID"}`, ``},
		{"SES-06 PENDING", "session", `{"status":"PENDING"}`, ``},
		{"SES-06 RESERVATION", "session", `{"status":"RESERVATION"}`, ``},
		{"SES-10 no cost yet", "session", `{"total_cost":null}`, ``},
		{"SES-10 for free", "session", `{"total_cost":{"excl_vat":0.00}}`, ``},
		{"SES-11 reserved without an EVSE", "session", `{"status":"RESERVATION","evse_uid":"#NA","connector_id":"#NA"}`, ``},
		{"SES-16 measures of a session", "session", `{"charging_periods":[{"start_date_time":"2026-10-14T16:02:11Z","dimensions":[{"type":"CURRENT","volume":16},{"type":"ENERGY_EXPORT","volume":0},` +
			`{"type":"ENERGY_IMPORT","volume":1},{"type":"POWER","volume":11},{"type":"STATE_OF_CHARGE","volume":80}]}]}`, ``},
		{"CDR-16 a mere reservation", "cdr", `{"cdr_location":{"id":"NUE-0042","address":"Königstraße 12","city":"Nürnberg","country":"DEU","coordinates":{"latitude":"49.450340","longitude":"11.078620"},` +
			`"evse_uid":"#NA","evse_id":"#NA","connector_id":"#NA","connector_standard":"CHADEMO","connector_format":"CABLE","connector_power_type":"DC"}}`, ``},
		{"CDR-23 nature of a value", "cdr", `{"signed_data":{"encoding_method":"OCMF","public_key":` + quoted("k", 513) + `,"signed_values":[{"nature":"Start","plain_data":"a","signed_data":"b"}]}}`,
			`note signed_data.public_key: at most 512 characters, got "` + strings.Repeat("k", 64) + `…"`},
		{"CDR-24 refund for home charging", "cdr", `{"home_charging_compensation":true,"invoice_reference_id":` + quoted("7", 39) + `}`, ``},
		{"CDR-25 unknown times", "cdr", `{"start_date_time":"1970-1-1T00:00:00Z","end_date_time":"1970-01-01T00:00:00Z"}`, ``},
		{"TAR-06 AD_HOC_PAYMENT", "tariff", `{"type":"AD_HOC_PAYMENT"}`, ``},
		{"TAR-06 PROFILE_CHEAP", "tariff", `{"type":"PROFILE_CHEAP"}`, ``},
		{"TAR-06 PROFILE_FAST", "tariff", `{"type":"PROFILE_FAST"}`, ``},
		{"TAR-06 PROFILE_GREEN", "tariff", `{"type":"PROFILE_GREEN"}`, ``},
		{"TAR-06 REGULAR", "tariff", `{"type":"REGULAR"}`, ``},
		{"TAR-06 another", "tariff", `{"type":"DYNAMIC"}`, `note type: not a value of OCPI 2.2.1, got "DYNAMIC"`},
		{"TAR-08 a step of nought", "tariff", `{"elements":[{"price_components":[{"type":"FLAT","price":0.00,"step_size":0}]}]}`, ``},
		{"TAR-07 validity", "tariff", `{"start_date_time":"2026-01-01T00:00:00Z","end_date_time":"2026-12-31T23:00:00Z"}`, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			document := map[string]any{}
			decode(t, read(t, filepath.Join("testdata", test.object, "minimal.json")), &document)
			members := map[string]any{}
			decode(t, []byte(test.change), &members)
			maps.Copy(document, members)
			in, err := stdjson.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			v := objects[test.object]()
			if err := Unmarshal(in, v); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range v.Validate() {
				got = append(got, fmt.Sprint(f.Severity, " ", f))
			}
			if strings.Join(got, "|") != test.want {
				t.Errorf("findings %s\nwant     %s", strings.Join(got, "|"), test.want)
			}
			out, err := Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, in, out)
		})
	}
}

func decode(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := stdjson.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// TestRemovedEVSEIsFound: an EVSE is found by its uid, though its number on the sign has moved to another (LOC-11), and a
// connector within its EVSE.
func TestRemovedEVSEIsFound(t *testing.T) {
	l := Location{EVSEs: []EVSE{
		{UID: "OLD", EVSEID: "DE*LWE*E1", Status: EVSERemoved, Connectors: []Connector{{ID: "1", Format: FormatCable}}},
		{UID: "NEW", EVSEID: "DE*LWE*E1", Status: EVSEAvailable, Connectors: []Connector{{ID: "1", Format: FormatSocket}}},
	}}
	if e := l.EVSE("new"); e == nil || e.Status != EVSEAvailable || e.Connector("1").Format != FormatSocket {
		t.Errorf("%+v", e)
	}
	if e := l.EVSE("old"); e == nil || e.Status != EVSERemoved || e.Connector("1").Format != FormatCable {
		t.Errorf("%+v", e)
	}
	if l.EVSE("DE*LWE*E1") != nil {
		t.Error("found by evse_id")
	}
}

// TestSessionStatusMeaning covers SES-06 and TYP-12: what is done with a session in a state that is not one of OCPI's.
func TestSessionStatusMeaning(t *testing.T) {
	for status, want := range map[SessionStatus]SessionStatus{
		SessionActive: SessionActive, SessionCompleted: SessionCompleted, SessionInvalid: SessionInvalid, SessionPending: SessionPending,
		SessionReservation: SessionReservation, "RESERVED": SessionReservation, "SUSPENDED": SessionActive, "": SessionActive,
	} {
		if got := status.Meaning(); got != want {
			t.Errorf("%q means %s, want %s", status, got, want)
		}
	}
}

// TestCDRTimes covers CDR-25 and TYP-07.
func TestCDRTimes(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 10, 14, hour, 0, 0, 0, time.UTC) }
	unknown := time.Unix(0, 0).UTC()
	for _, test := range []struct {
		name               string
		from, to           time.Time
		periods            []time.Time
		wantStart, wantEnd time.Time
	}{
		{"known", at(8), at(10), []time.Time{at(7), at(11)}, at(8), at(10)},
		{"no start", unknown, at(10), []time.Time{at(9), at(8)}, at(8), at(10)},
		{"no start, no period", unknown, at(10), nil, at(10), at(10)},
		{"no start, a period after the end", unknown, at(10), []time.Time{at(11)}, at(11), at(10)},
		{"no end", at(8), unknown, []time.Time{at(8), at(9)}, at(8), at(9)},
		{"no end, no period", at(8), time.Time{}, nil, at(8), at(8)},
		{"neither", unknown, unknown, []time.Time{at(8), at(9)}, at(8), at(9)},
		{"neither, no period", unknown, unknown, nil, at(12), at(12)},
		{"neither, a period without a start", unknown, unknown, []time.Time{{}, at(9)}, at(9), at(9)},
	} {
		c := CDR{StartDateTime: test.from, EndDateTime: test.to, LastUpdated: at(12)}
		for _, start := range test.periods {
			c.ChargingPeriods = append(c.ChargingPeriods, ChargingPeriod{StartDateTime: start})
		}
		if start, end := c.Times(); !start.Equal(test.wantStart) || !end.Equal(test.wantEnd) {
			t.Errorf("%s: %s to %s", test.name, start, end)
		}
	}
}

func TestSessionFollows(t *testing.T) { // SES-08, SES-23
	session := func(status SessionStatus, currency, kwh string) *Session {
		return &Session{Status: status, Currency: currency, KWh: Number(decimal.RequireFromString(kwh))}
	}
	for _, test := range []struct {
		old, next *Session
		want      string
	}{
		{session("PENDING", "EUR", "0"), session("ACTIVE", "EUR", "1.5"), ""},
		{session("ACTIVE", "EUR", "1.5"), session("COMPLETED", "EUR", "1.50"), ""},
		{session("COMPLETED", "EUR", "1.5"), session("INVALID", "EUR", "2"), ""},
		{session("COMPLETED", "EUR", "1.5"), session("ACTIVE", "EUR", "2"), `note status: final since it was COMPLETED, got "ACTIVE"`},
		{session("INVALID", "EUR", "1.5"), session("RESERVED", "EUR", "2"), `note status: final since it was INVALID, got "RESERVED"`},
		{session("ACTIVE", "EUR", "2"), session("ACTIVE", "CHF", "1.9"), `note currency: as before: EUR, got "CHF"|note kwh: not less than before: 2, got "1.9"`},
	} {
		var got []string
		for _, f := range test.next.Follows(test.old) {
			got = append(got, fmt.Sprint(f.Severity, " ", f))
		}
		if strings.Join(got, "|") != test.want {
			t.Errorf("%s after %s: %s, want %s", test.next.Status, test.old.Status, strings.Join(got, "|"), test.want)
		}
	}
}

package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi"
)

// FuzzServerBody sends bytes to every call that takes some. Whatever they are, the answer is an OCPI message and never our
// fault (TRN-22), nor a code that is a hub's (STA-09).
func FuzzServerBody(f *testing.F) {
	w := newWorld(f)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	hub := w.registered(ocpi.RoleHub, "DE*HUB", "CPO DE*CPO")
	hub.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	hub.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	type fuzzed struct{ method, path string }
	calls := []fuzzed{
		{http.MethodPut, locationPath}, {http.MethodPatch, locationPath}, {http.MethodPut, evsePath}, {http.MethodPatch, evsePath},
		{http.MethodPut, connectorPath}, {http.MethodPatch, connectorPath}, {http.MethodPut, sessionPath}, {http.MethodPatch, sessionPath},
		{http.MethodPut, tariffPath}, {http.MethodPost, cdrsPath}, {http.MethodPost, tokensPath + "/04AABBCC/authorize"},
		{http.MethodPut, "/ocpi/2.2.1/hubclientinfo/NL/BHD"}, {http.MethodPut, "/ocpi/2.2.1/locations/DE/CPO/"},
		{http.MethodGet, tokensPath + "?"}, {http.MethodPost, credentialsPath},
	}
	first := len(calls)
	for _, version := range []string{"2.1.1", "2.3.0"} { // a connection may speak all of them
		for _, path := range []string{
			"locations/DE/CPO/LOC1", "locations/DE/CPO/LOC1/EVSE1", "locations/DE/CPO/LOC1/EVSE1/1", "sessions/DE/CPO/S1", "tariffs/DE/CPO/T1",
		} {
			calls = append(calls, fuzzed{http.MethodPut, "/ocpi/" + version + "/" + path}, fuzzed{http.MethodPatch, "/ocpi/" + version + "/" + path})
		}
		for _, path := range []string{"cdrs", "tokens/04AABBCC/authorize", "credentials"} {
			calls = append(calls, fuzzed{http.MethodPost, "/ocpi/" + version + "/" + path})
		}
	}
	evse211 := `{"uid":"EVSE1","status":"AVAILABLE","last_updated":"2026-11-01T00:00:00Z","connectors":[` + oldConnectorJSON + `]}`
	for i, body := range []string{
		oldLocationJSON, `{"type":"UNKNOWN"}`, evse211, `{"connectors":[` + oldConnectorJSON + `]}`, oldConnectorJSON, `{"tariff_id":null,"voltage":400}`,
		oldSessionJSON, `{"end_datetime":"2026-10-20T11:00:00Z","auth_id":"X","total_cost":1,"location":null}`, oldTariffJSON, `{"elements":null}`,
		oldCDRJSON, `{"location_id":"LOC1","connector_ids":["1"]}`, `{"token":"x","url":"http://127.0.0.1:1/","party_id":"CPO","country_code":"DE"}`,
	} {
		f.Add(byte(first+i), []byte(body))
	}
	for i, body := range map[int]string{
		6: strings.Replace(sessionJSON, `"kwh"`, `"total_cost":{"before_taxes":1,"taxes":[{"name":"VAT","amount":0.19}]},"kwh"`, 1),
		7: `{"total_cost":{"before_taxes":"2","taxes":[{"amount":null}]},"last_updated":"2026-11-01T00:00:00Z"}`,
		8: strings.Replace(tariffJSON, `"elements"`, `"tax_included":"NO","min_price":{"before_taxes":1,"after_taxes":1.19},"elements"`, 1), 10: cdrJSON,
		12: `{"token":"x","url":"http://127.0.0.1:1/","hub_party_id":"DEHUB","roles":[]}`,
	} {
		f.Add(byte(first+13+i), []byte(body))
	}
	for i, body := range []string{
		locationJSON, `{"evses":[{"uid":"EVSE1","status":"CHARGING"}],"last_updated":"2026-11-01T00:00:00Z"}`, evseJSON,
		`{"status":"CHARGING","last_updated":"2026-11-01T00:00:00Z"}`, connectorJSON, `{"max_voltage":400,"last_updated":"2026-11-01T00:00:00Z"}`,
		sessionJSON, `{"charging_periods":[{"start_date_time":"2026-10-20T10:15:00Z","dimensions":[]}],"last_updated":"2026-11-01T00:00:00Z"}`,
		tariffJSON, cdrJSON, `{"location_id":"LOC1","evse_uids":["EVSE1"]}`,
		`{"country_code":"NL","party_id":"BHD","role":"CPO","status":"CONNECTED","last_updated":"2026-10-01T00:00:00Z"}`,
		`LOC%00/\u0000`, `date_from=2026-10-01T00:00:00Z&limit=1&offset=99999999`, `{"token":"x","url":"http://127.0.0.1:1/","roles":[]}`,
	} {
		f.Add(byte(i), []byte(body))
	}
	for _, body := range []string{
		``, `null`, `0`, `"x"`, `[]`, `{}`, `{"x":1e400000,"last_updated":"2026-11-01T00:00:00Z"}`, `{"x":"\ud800"}`, "{\"x\":\"\xff\"}",
		`{"name":"\u0000","last_updated":"2026-11-01T00:00:00Z"}`, `{"last_updated":"9999-12-31T23:59:59Z"}`, `{"last_updated":"0001-01-01T00:00:00Z"}`,
	} {
		for i := range calls {
			f.Add(byte(i), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		call := calls[int(which)%len(calls)]
		path := call.path
		switch {
		case path[len(path)-1] == '/': // an id
			path += url.PathEscape(string(body))
			body = []byte(locationJSON)
		case path[len(path)-1] == '?': // a query
			u := url.URL{RawQuery: url.QueryEscape(string(body))}
			if values, err := url.ParseQuery(string(body)); err == nil {
				u.RawQuery = values.Encode()
			}
			path += u.RawQuery
			body = nil
		}
		a, err := hub.send(call.method, path, body)
		if err != nil {
			return // the bytes make no URL
		}
		if a.status >= 500 || a.code == 0 || a.code >= 3000 && !strings.HasSuffix(call.path, "/credentials") || a.code >= 4000 {
			t.Errorf("%s %s: %d/%d\n%s", call.method, path, a.status, a.code, a.body)
		}
	})
}

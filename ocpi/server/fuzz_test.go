package server_test

import (
	"net/http"
	"net/url"
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
	calls := []struct{ method, path string }{
		{http.MethodPut, locationPath}, {http.MethodPatch, locationPath}, {http.MethodPut, evsePath}, {http.MethodPatch, evsePath},
		{http.MethodPut, connectorPath}, {http.MethodPatch, connectorPath}, {http.MethodPut, sessionPath}, {http.MethodPatch, sessionPath},
		{http.MethodPut, tariffPath}, {http.MethodPost, cdrsPath}, {http.MethodPost, tokensPath + "/04AABBCC/authorize"},
		{http.MethodPut, "/ocpi/2.2.1/hubclientinfo/NL/BHD"}, {http.MethodPut, "/ocpi/2.2.1/locations/DE/CPO/"},
		{http.MethodGet, tokensPath + "?"}, {http.MethodPost, credentialsPath},
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
		if a.status >= 500 || a.code == 0 || a.code >= 3000 && call.path != credentialsPath || a.code >= 4000 {
			t.Errorf("%s %s: %d/%d\n%s", call.method, path, a.status, a.code, a.body)
		}
	})
}

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

const (
	evsePath      = locationPath + "/EVSE1"
	connectorPath = evsePath + "/1"
)

func TestLocation(t *testing.T) { // LOC-01 to LOC-03, LOC-13, OWN-01, OWN-06, OWN-12, OWN-13, TYP-01, TRN-26
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodGet, locationPath, nil).want(404, 2003)
	a := cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	check(t, "data", string(a.data), "")
	cpo.do(http.MethodPut, locationPath, locationJSON).want(200, 1000) // OWN-16

	got := cpo.do(http.MethodGet, "/ocpi/2.2.1/locations/de/cpo/loc1", nil).want(200, 1000)
	var want, have any
	_ = json.Unmarshal([]byte(locationJSON), &want)
	_ = json.Unmarshal(got.data, &have)
	check(t, "stored Location", fmt.Sprint(have), fmt.Sprint(want))
	check(t, "EVSE", cpo.do(http.MethodGet, evsePath, nil).want(200, 1000).object()["evse_id"], "DE*CPO*E1")
	check(t, "connector", cpo.do(http.MethodGet, connectorPath, nil).want(200, 1000).object()["format"], "SOCKET")
	for _, path := range []string{locationPath + "/", "/ocpi/2.2.1/locations//DE/CPO/LOC1", "/ocpi/2.2.1/locations/DE/CPO/%4cOC1"} {
		cpo.do(http.MethodGet, path, nil).want(200, 1000)
	}
	cpo.do(http.MethodGet, locationPath+"/EVSE2", nil).want(404, 2003)
	cpo.do(http.MethodGet, evsePath+"/2", nil).want(404, 2003)

	cpo.do(http.MethodPut, evsePath, change(t, evseJSON, "floor_level", "-1")).want(200, 1000)
	cpo.do(http.MethodPut, locationPath+"/EVSE2", change(t, evseJSON, "uid", "EVSE2")).want(201, 1000)
	cpo.do(http.MethodPut, evsePath+"/2", change(t, connectorJSON, "id", "2")).want(201, 1000)
	cpo.do(http.MethodPut, connectorPath, change(t, connectorJSON, "max_amperage", 16)).want(200, 1000)
	check(t, "EVSE has both", len(cpo.do(http.MethodGet, evsePath, nil).object()["connectors"].([]any)), 2)

	cpo.do(http.MethodPut, locationPath, change(t, locationJSON, "name", nil, "last_updated", "2026-10-02T10:00:00Z")).want(200, 1000)
	_, named := cpo.do(http.MethodGet, locationPath, nil).object()["name"]
	check(t, "name is gone", named, false)
	for _, path := range []string{locationPath, evsePath, connectorPath, "/ocpi/2.2.1/locations"} {
		cpo.do(http.MethodPost, path, locationJSON).want(405, 2000)
		cpo.do(http.MethodDelete, path, nil).want(405, 2000)
	}
}

func TestLocationIsRefused(t *testing.T) { // OWN-03 to OWN-05, OWN-07, OWN-10, OWN-11, LOC-05, LOC-07, LOC-08
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	before := string(cpo.do(http.MethodGet, locationPath, nil).data)
	for name, test := range map[string]struct {
		method, path, body string
		status, code       int
	}{
		"no address":            {"PUT", locationPath, change(t, locationJSON, "address", nil), 200, 2001},
		"no last_updated":       {"PUT", locationPath, change(t, locationJSON, "last_updated", nil), 200, 2001},
		"bad coordinates":       {"PUT", locationPath, change(t, locationJSON, "coordinates", 7), 200, 2001},
		"other id":              {"PUT", locationPath, change(t, locationJSON, "id", "LOC2"), 200, 2001},
		"other party in body":   {"PUT", locationPath, change(t, locationJSON, "party_id", "OTH"), 200, 2001},
		"party of nobody":       {"PUT", strings.Replace(locationPath, "CPO", "OTH", 1), change(t, locationJSON, "party_id", "OTH"), 404, 2001},
		"EVSE without status":   {"PUT", evsePath, change(t, evseJSON, "status", nil), 200, 2001},
		"other uid":             {"PUT", evsePath, change(t, evseJSON, "uid", "X"), 200, 2001},
		"no connectors":         {"PUT", evsePath, change(t, evseJSON, "connectors", []any{}), 200, 2001},
		"connector of no EVSE":  {"PUT", locationPath + "/NONE/1", connectorJSON, 404, 2003},
		"EVSE of no Location":   {"PUT", "/ocpi/2.2.1/locations/DE/CPO/NONE/EVSE1", evseJSON, 404, 2003},
		"patch without time":    {"PATCH", evsePath, `{"status":"CHARGING"}`, 200, 2001},
		"patch of an id":        {"PATCH", locationPath, `{"id":"LOC2","last_updated":"2026-10-03T00:00:00Z"}`, 200, 2001},
		"patch removes address": {"PATCH", locationPath, `{"address":null,"last_updated":"2026-10-03T00:00:00Z"}`, 200, 2001},
		"patch of no Location":  {"PATCH", "/ocpi/2.2.1/locations/DE/CPO/NONE", `{"name":"x","last_updated":"2026-10-03T00:00:00Z"}`, 404, 2003},
		"patch of no EVSE":      {"PATCH", locationPath + "/NONE", `{"status":"CHARGING","last_updated":"2026-10-03T00:00:00Z"}`, 404, 2003},
		"patch of no connector": {"PATCH", evsePath + "/9", `{"max_voltage":1,"last_updated":"2026-10-03T00:00:00Z"}`, 404, 2003},
		"patch is a list":       {"PATCH", locationPath, `[]`, 200, 2001},
		"patch is no JSON":      {"PATCH", locationPath, `{`, 400, 2001},
		"empty body":            {"PUT", locationPath, ``, 400, 2001},
		"too deep":              {"PUT", locationPath, strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200), 200, 2001},
	} {
		a := cpo.do(test.method, test.path, test.body)
		if a.status != test.status || a.code != test.code || a.message == "" {
			t.Errorf("%s: got %d/%d %q, want %d/%d", name, a.status, a.code, a.message, test.status, test.code)
		}
	}
	check(t, "stored Location", string(cpo.do(http.MethodGet, locationPath, nil).data), before)
}

func TestLocationPatch(t *testing.T) { // LOC-04, LOC-07, LOC-09, LOC-10, LOC-18, OWN-08, OWN-14
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)

	cpo.do(http.MethodPatch, evsePath, `{"status":"CHARGING","last_updated":"2026-10-05T08:00:00Z"}`).want(200, 1000)
	evse := cpo.do(http.MethodGet, evsePath, nil).object()
	check(t, "status", evse["status"], "CHARGING")
	check(t, "connectors stay", len(evse["connectors"].([]any)), 1)
	check(t, "capabilities stay", len(evse["capabilities"].([]any)), 1)
	check(t, "Location is as new", cpo.do(http.MethodGet, locationPath, nil).object()["last_updated"], "2026-10-05T08:00:00Z")

	cpo.do(http.MethodPatch, evsePath, `{"status":"AVAILABLE","last_updated":"2026-10-04T08:00:00Z"}`).want(200, 1000) // late
	check(t, "status after a late message", cpo.do(http.MethodGet, evsePath, nil).object()["status"], "CHARGING")
	cpo.do(http.MethodPut, locationPath, change(t, change(t, locationJSON, "name", "Late"), "last_updated", "2026-01-01T00:00:00Z")).want(200, 1000)
	check(t, "name after a late message", cpo.do(http.MethodGet, locationPath, nil).object()["name"], "Rathaus")
	// A message about the Location itself that one about its EVSE has overtaken still counts, and leaves the EVSE alone.
	cpo.do(http.MethodPatch, locationPath, `{"name":"Rathaus Nord","last_updated":"2026-10-04T12:00:00Z"}`).want(200, 1000)
	check(t, "name after an overtaken message", cpo.do(http.MethodGet, locationPath, nil).object()["name"], "Rathaus Nord")
	check(t, "Location is still as new", cpo.do(http.MethodGet, locationPath, nil).object()["last_updated"], "2026-10-05T08:00:00Z")
	check(t, "status is untouched", cpo.do(http.MethodGet, evsePath, nil).object()["status"], "CHARGING")

	cpo.do(http.MethodPatch, connectorPath, `{"tariff_ids":["T9"],"last_updated":"2026-10-06T08:00:00Z"}`).want(200, 1000) // LOC-17
	check(t, "EVSE is as new", cpo.do(http.MethodGet, evsePath, nil).object()["last_updated"], "2026-10-06T08:00:00Z")
	cpo.do(http.MethodPatch, locationPath, `{"name":"Bahnhof","evses":[{"uid":"EVSE1","status":"BLOCKED"}],"last_updated":"2026-10-07T08:00:00Z"}`).want(200, 1000)
	location := cpo.do(http.MethodGet, locationPath, nil).object()
	check(t, "name", location["name"], "Bahnhof")
	check(t, "status by the Location", location["evses"].([]any)[0].(map[string]any)["status"], "BLOCKED")

	cpo.do(http.MethodPatch, evsePath, `{"status":"REMOVED","last_updated":"2026-10-08T08:00:00Z"}`).want(200, 1000)
	check(t, "removed EVSE", cpo.do(http.MethodGet, evsePath, nil).want(200, 1000).object()["status"], "REMOVED")
}

func TestEVSEThatVanishesIsKept(t *testing.T) { // LOC-06
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	cpo.do(http.MethodPut, locationPath, change(t, locationJSON, "evses", []any{}, "last_updated", "2026-10-02T10:00:00Z")).want(200, 1000)
	check(t, "status", cpo.do(http.MethodGet, evsePath, nil).want(200, 1000).object()["status"], "REMOVED")
}

func TestLocationOwners(t *testing.T) { // OWN-02, OWN-03, OWN-13, HUB-11, RTG-09, RTG-18, RTG-19
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	hub := w.registered(ocpi.RoleHub, "DE*HUB").to("DE*SWX", "DE*HUB")
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)

	other.do(http.MethodGet, locationPath, nil).want(404, 2001)
	other.do(http.MethodPut, locationPath, locationJSON).want(404, 2001)
	other.do(http.MethodPatch, evsePath, `{"status":"CHARGING","last_updated":"2026-10-05T08:00:00Z"}`).want(404, 2001)
	other.do(http.MethodPut, strings.Replace(locationPath, "CPO", "OTH", 1), change(t, locationJSON, "party_id", "OTH")).want(201, 1000)

	// What a hub says of a CPO that is connected directly is taken and not used.
	hub.do(http.MethodPut, locationPath, change(t, locationJSON, "name", "Hub", "last_updated", "2026-11-01T00:00:00Z")).want(200, 1000)
	hub.do(http.MethodGet, locationPath, nil).want(404, 2003)
	check(t, "name", cpo.do(http.MethodGet, locationPath, nil).object()["name"], "Rathaus")

	// A CPO behind the hub, not announced.
	behind := strings.Replace(locationPath, "CPO", "BHD", 1)
	hub.do(http.MethodGet, behind, nil).want(404, 2001)
	a := hub.do(http.MethodPut, behind, change(t, locationJSON, "party_id", "BHD")).want(201, 1000)
	check(t, "answer to", a.header.Get("OCPI-to-party-id"), "HUB")
	check(t, "answer from", a.header.Get("OCPI-from-party-id"), "SWX")
	hub.do(http.MethodGet, behind, nil).want(200, 1000)
	cpo.do(http.MethodGet, behind, nil).want(404, 2001)

	// It connects directly: from then on its own word counts.
	direct := w.registered(ocpi.RoleCPO, "DE*BHD")
	direct.do(http.MethodGet, behind, nil).want(404, 2003)
	direct.do(http.MethodPatch, behind, `{"name":"Direct","last_updated":"2026-11-02T00:00:00Z"}`).want(200, 1000)
	check(t, "name", direct.do(http.MethodGet, behind, nil).want(200, 1000).object()["name"], "Direct")
	hub.do(http.MethodPatch, behind, `{"name":"Hub","last_updated":"2026-11-03T00:00:00Z"}`).want(200, 1000)
	check(t, "name", direct.do(http.MethodGet, behind, nil).object()["name"], "Direct")
}

func TestConcurrentLocation(t *testing.T) { // OWN-15
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	const writers, rounds = 16, 5
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	version := func(n int) string {
		return change(t, locationJSON, "name", fmt.Sprint("v", n), "address", fmt.Sprint("v", n), "last_updated", start.Add(time.Duration(n)*time.Second).Format(time.RFC3339))
	}
	var created int
	var mu sync.Mutex
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				a, err := cpo.send(http.MethodGet, locationPath, nil)
				if err != nil || a.status >= 500 {
					t.Errorf("reader: %d %v", a.status, err)
					return
				}
				if a.status == 200 {
					if l := a.object(); l["name"] != l["address"] {
						t.Errorf("half applied: %v", l)
					}
				}
			}
		})
	}
	for i := range writers {
		writing.Go(func() {
			for r := range rounds {
				a, err := cpo.send(http.MethodPut, locationPath, []byte(version(r*writers+i)))
				if err != nil || a.code != 1000 {
					t.Errorf("writer: %d/%d %v", a.status, a.code, err)
				}
				if a.status == 201 {
					mu.Lock()
					created++
					mu.Unlock()
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	check(t, "created", created, 1)
	check(t, "newest wins", cpo.do(http.MethodGet, locationPath, nil).object()["name"], fmt.Sprint("v", writers*rounds-1))
	row, err := w.db.Location(w.ctx, db.LocationParams{CountryCode: "DE", PartyID: "CPO", LocationID: "LOC1"})
	if err != nil || row.Name != fmt.Sprint("v", writers*rounds-1) {
		t.Errorf("columns: %q, %v", row.Name, err)
	}
}

func TestConcurrentEVSEs(t *testing.T) { // OWN-15: no change is lost
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	const writers, each = 16, 4
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				uid := fmt.Sprintf("EVSE-%d-%d", i, j)
				a, err := cpo.send(http.MethodPut, locationPath+"/"+uid, []byte(change(t, evseJSON, "uid", uid)))
				if err != nil || a.status != 201 || a.code != 1000 {
					t.Errorf("%s: %d/%d %v", uid, a.status, a.code, err)
				}
			}
		})
	}
	wg.Wait()
	check(t, "EVSEs", len(cpo.do(http.MethodGet, locationPath, nil).object()["evses"].([]any)), 1+writers*each)
}

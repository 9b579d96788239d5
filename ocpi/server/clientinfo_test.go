package server_test

import (
	"net/http"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi"
)

func TestHubClientInfo(t *testing.T) { // HUB-01 to HUB-04, HUB-07, OWN-14, RTG-03
	w := newWorld(t)
	w.addTenant("DE*SWX")
	hub, cpo := w.registered(ocpi.RoleHub, "DE*HUB"), w.registered(ocpi.RoleCPO, "DE*CPO")
	const path = "/ocpi/2.2.1/hubclientinfo/NL/BHD"
	const info = `{"country_code":"NL","party_id":"BHD","role":"CPO","status":"CONNECTED","last_updated":"2026-10-01T00:00:00Z"}`
	hub.do(http.MethodGet, path, nil).want(404, 2001)
	a := hub.to("DE*SWX", "DE*HUB").do(http.MethodPut, path, info).want(201, 1000)
	check(t, "routing", a.header.Get("OCPI-to-party-id")+a.header.Get("OCPI-from-party-id"), "")
	hub.do(http.MethodPut, path, info).want(200, 1000)
	hub.do(http.MethodPut, path, change(t, info, "role", "EMSP", "last_updated", "2026-10-05T00:00:00Z")).want(201, 1000)
	hub.do(http.MethodPut, path, change(t, info, "status", "OFFLINE", "last_updated", "2026-10-03T00:00:00Z")).want(200, 1000)
	hub.do(http.MethodPut, path, change(t, info, "status", "PLANNED", "last_updated", "2026-10-02T00:00:00Z")).want(200, 1000) // late
	got := hub.do(http.MethodGet, "/ocpi/2.2.1/hubclientinfo/nl/bhd", nil).want(200, 1000).object()
	check(t, "role", got["role"], "CPO")
	check(t, "status", got["status"], "OFFLINE")

	for name, body := range map[string]string{
		"no status":   change(t, info, "status", nil),
		"no role":     change(t, info, "role", nil),
		"other party": change(t, info, "party_id", "OTH"),
	} {
		if a := hub.do(http.MethodPut, path, body); a.status != 200 || a.code != 2001 {
			t.Errorf("%s: %d/%d", name, a.status, a.code)
		}
	}
	cpo.do(http.MethodPut, path, info).want(404, 2001)
	cpo.do(http.MethodGet, path, nil).want(404, 2001)
	for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodDelete} {
		hub.do(method, path, info).want(405, 2000)
	}
	// What it announced, it may deliver for; its own role is not for it to change.
	hub.do(http.MethodPut, "/ocpi/2.2.1/locations/NL/BHD/LOC1", change(t, locationJSON, "country_code", "NL", "party_id", "BHD")).want(201, 1000)
	hub.do(http.MethodPut, "/ocpi/2.2.1/hubclientinfo/DE/HUB", change(t, info, "country_code", "DE", "party_id", "HUB", "role", "HUB")).want(200, 1000)
	hub.do(http.MethodGet, "/ocpi/2.2.1/hubclientinfo/DE/HUB", nil).want(404, 2001)
}

package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

const sessionPath = "/ocpi/2.2.1/sessions/DE/CPO/S1"

func TestSession(t *testing.T) { // SES-01 to SES-05, SES-09, OWN-08 to OWN-10, OWN-14
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodGet, sessionPath, nil).want(404, 2001)
	cpo.do(http.MethodPatch, sessionPath, `{"kwh":2,"last_updated":"2026-10-20T10:20:00Z"}`).want(404, 2001)
	cpo.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	cpo.do(http.MethodPut, sessionPath, sessionJSON).want(200, 1000)

	period := `{"charging_periods":[{"start_date_time":"2026-10-20T10:15:00Z","dimensions":[{"type":"ENERGY","volume":2}]}],"kwh":3.5,"last_updated":"2026-10-20T10:20:00Z"}`
	cpo.do(http.MethodPatch, sessionPath, period).want(200, 1000)
	cpo.do(http.MethodPatch, sessionPath, period).want(200, 1000) // sent twice
	s := cpo.do(http.MethodGet, sessionPath, nil).want(200, 1000).object()
	check(t, "periods", len(s["charging_periods"].([]any)), 2)
	check(t, "kwh", s["kwh"], 3.5)
	cpo.do(http.MethodPatch, sessionPath, `{"kwh":1,"last_updated":"2026-10-20T10:12:00Z"}`).want(200, 1000) // late
	cpo.do(http.MethodPatch, sessionPath, `{"kwh":9}`).want(200, 2001)
	cpo.do(http.MethodPatch, sessionPath, `{"id":"S2","last_updated":"2026-10-20T10:30:00Z"}`).want(200, 2001)
	cpo.do(http.MethodPatch, sessionPath+"/more", `{"kwh":9,"last_updated":"2026-10-20T10:30:00Z"}`).want(404, 2001)
	check(t, "kwh", cpo.do(http.MethodGet, sessionPath, nil).object()["kwh"], 3.5)

	cpo.do(http.MethodPut, sessionPath, change(t, sessionJSON, "charging_periods", nil, "status", "COMPLETED", "last_updated", "2026-10-20T11:00:00Z")).want(200, 1000)
	cpo.do(http.MethodPut, sessionPath, sessionJSON).want(200, 1000) // late
	_, periods := cpo.do(http.MethodGet, sessionPath, nil).object()["charging_periods"]
	check(t, "periods after PUT", periods, false)
	row, err := w.db.Session(w.ctx, db.SessionParams{CountryCode: "DE", PartyID: "CPO", SessionID: "S1"})
	if err != nil || row.TenantID != swx.ID || row.Status != "COMPLETED" || row.KWh.String() != "1.5" {
		t.Errorf("row: %+v, %v", row, err)
	}
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		cpo.do(method, sessionPath, sessionJSON).want(405, 2000)
	}
}

func TestSessionIsRefused(t *testing.T) { // SES-01, SES-14, OWN-03 to OWN-05, RTG-06
	w := newWorld(t)
	w.addTenant("DE*SWX")
	w.addTenant("DE*SWY")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for name, test := range map[string]struct {
		from       *partner
		path, body string
		status     int
		code       int
	}{
		"no status":         {cpo, sessionPath, change(t, sessionJSON, "status", nil), 200, 2001},
		"no token uid":      {cpo, sessionPath, change(t, sessionJSON, "cdr_token.uid", nil), 200, 2001},
		"foreign token":     {cpo, sessionPath, change(t, sessionJSON, "cdr_token.party_id", "XYZ"), 200, 2004},
		"other id":          {cpo, sessionPath, change(t, sessionJSON, "id", "S2"), 200, 2001},
		"other party":       {cpo, sessionPath, change(t, sessionJSON, "party_id", "OTH"), 200, 2001},
		"foreign owner":     {cpo, strings.Replace(sessionPath, "CPO", "OTH", 1), change(t, sessionJSON, "party_id", "OTH"), 404, 2001},
		"other addressee":   {cpo.to("DE*SWY", "DE*CPO"), sessionPath, sessionJSON, 200, 2001},
		"unknown addressee": {cpo.to("DE*XYZ", "DE*CPO"), sessionPath, sessionJSON, 200, 2001},
	} {
		if a := test.from.do(http.MethodPut, test.path, test.body); a.status != test.status || a.code != test.code {
			t.Errorf("%s: got %d/%d, want %d/%d\n%s", name, a.status, a.code, test.status, test.code, a.body)
		}
	}
	cpo.do(http.MethodGet, sessionPath, nil).want(404, 2001)
}

func TestSessionIsolation(t *testing.T) { // RTG-19, RTG-02
	w := newWorld(t)
	swx, _ := w.addTenant("DE*SWX"), w.addTenant("DE*SWY")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	toX, toY := cpo.to("DE*SWX", "DE*CPO"), cpo.to("DE*SWY", "DE*CPO")
	a := toX.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	check(t, "answer from", a.header.Get("OCPI-from-party-id")+" to "+a.header.Get("OCPI-to-party-id"), "SWX to CPO")

	toX.do(http.MethodGet, sessionPath, nil).want(200, 1000)
	refused := toY.do(http.MethodGet, sessionPath, nil).want(404, 2001)
	check(t, "answer from", refused.header.Get("OCPI-from-party-id")+" to "+refused.header.Get("OCPI-to-party-id"), "SWY to CPO")
	patch := `{"kwh":9,"last_updated":"2026-10-20T12:00:00Z"}`
	toY.do(http.MethodPatch, sessionPath, patch).want(404, 2001)
	other.do(http.MethodGet, sessionPath, nil).want(404, 2001)
	other.do(http.MethodPatch, sessionPath, patch).want(404, 2001)

	// A session cannot move to another utility.
	moved := change(t, sessionJSON, "cdr_token.party_id", "SWY", "last_updated", "2026-10-20T12:00:00Z")
	cpo.do(http.MethodPut, sessionPath, moved).want(200, 2001)
	toY.do(http.MethodPut, sessionPath, moved).want(404, 2001)
	cpo.do(http.MethodPatch, sessionPath, `{"cdr_token":{"country_code":"DE","party_id":"SWY","uid":"1","type":"RFID","contract_id":"2"},"last_updated":"2026-10-20T12:00:00Z"}`).want(200, 2001)
	row, err := w.db.Session(w.ctx, db.SessionParams{CountryCode: "DE", PartyID: "CPO", SessionID: "S1"})
	if err != nil || row.TenantID != swx.ID || row.KWh.String() != "1.5" {
		t.Errorf("row: %+v, %v", row, err)
	}
}

func TestSessionWithoutTokenOwner(t *testing.T) { // TEN-03, RTG-05, VDF-11
	w := newWorld(t)
	w.addTenant("DE*SWX")
	swy := w.addTenant("DE*SWY")
	w.issueCard(swy, "04AABBCC")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	body := change(t, sessionJSON, "cdr_token.country_code", nil, "cdr_token.party_id", nil)
	cpo.do(http.MethodPut, sessionPath, body).want(201, 1000)
	row, err := w.db.Session(w.ctx, db.SessionParams{CountryCode: "DE", PartyID: "CPO", SessionID: "S1"})
	if err != nil || row.TenantID != swy.ID {
		t.Errorf("tenant of the session: %v, %v", row.TenantID, err)
	}
}

package server_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// FuzzReceive takes bytes as what was fetched of each module, in each version. Whatever they are, they are taken, or they are in
// quarantine with a reason, or there was nothing that they could belong to; never are they lost, and never is it our fault.
func FuzzReceive(f *testing.F) {
	w := newWorld(f)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	hub := w.registered(ocpi.RoleHub, "DE*HUB", "CPO DE*CPO")
	hub.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	hub.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	modules := []jobs.Inbound{
		{Method: http.MethodPut, Path: "locations/DE/CPO/LOC1"}, {Method: http.MethodPut, Path: "tariffs/DE/CPO/T1"},
		{Method: http.MethodPut, Path: "sessions/DE/CPO/S1"}, {Method: http.MethodPost, Path: "cdrs"},
		{Method: http.MethodPut, Path: "hubclientinfo/NL/BHD"}, {Method: http.MethodPatch, Path: "sessions/DE/CPO/S1"},
	}
	versions := []ocpi.VersionNumber{ocpi.Version221, ocpi.Version211, ocpi.Version230}
	for i, body := range []string{
		locationJSON, tariffJSON, sessionJSON, cdrJSON,
		`{"country_code":"NL","party_id":"BHD","role":"CPO","status":"CONNECTED"}`, `{"kwh":"2","last_updated":"2026-10-20T12:00:00+00:00"}`,
	} {
		for v := range versions {
			f.Add(byte(i), byte(v), []byte(body))
		}
	}
	for _, body := range []string{``, `null`, `[]`, `{"id":`, `{"id":"\u0000"}`, "{\"id\":\"\xff\"}", `{"last_updated":"1970-1-1T00:00:00"}`, `{"evses":[{"id":"x"}]}`} {
		f.Add(byte(0), byte(0), []byte(body))
		f.Add(byte(3), byte(1), []byte(body))
	}
	kept := func(t *testing.T) (n int64) {
		t.Helper()
		sums, err := w.db.QuarantineSums(w.ctx, uuid.NullUUID{UUID: hub.id, Valid: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sums {
			n += s.Times
		}
		return n
	}
	f.Fuzz(func(t *testing.T, which, version byte, body []byte) {
		in := modules[int(which)%len(modules)]
		in.Partner, in.Version, in.Body = hub.id, versions[int(version)%len(versions)], body
		before := kept(t)
		r, err := w.door.Receive(w.ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		refused := r.HTTPStatus == http.StatusOK || r.HTTPStatus == http.StatusBadRequest
		switch {
		case r.StatusCode == ocpi.StatusServerError || r.HTTPStatus >= 500 || r.StatusCode == 0:
			t.Errorf("%s %s: %+v", in.Method, in.Path, r)
		case !r.Taken() && refused && (kept(t) != before+1 || r.Message == ""):
			t.Errorf("%s %s is lost: %+v", in.Method, in.Path, r)
		}
	})
}

package server_test

import (
	"net/http"
	"testing"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// CDR-08: a message that we fetched leaves what a pushed one leaves, and is judged alike.
func TestReceive(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	heard := w.count("SELECT extract(epoch FROM last_received_at)::bigint FROM partners")
	for _, m := range []struct {
		method, path, body string
		http               int
		code               ocpi.StatusCode
	}{
		{http.MethodPut, "locations/DE/CPO/LOC1", locationJSON, 201, 1000},
		{http.MethodPut, "locations/DE/CPO/LOC1", locationJSON, 200, 1000},
		{http.MethodPut, "tariffs/DE/CPO/T1", tariffJSON, 201, 1000},
		{http.MethodPut, "sessions/DE/CPO/S1", sessionJSON, 201, 1000},
		{http.MethodPost, "cdrs", cdrJSON, 201, 1000},
		{http.MethodPost, "cdrs", cdrJSON, 200, 1000},
		{http.MethodPost, "cdrs", change(t, cdrJSON, "total_energy", 11), 200, 2001},
		{http.MethodPut, "locations/DE/CPO/%23NA", change(t, locationJSON, "id", "#NA"), 201, 1000},
		{http.MethodPut, "locations/DE/CPO/LOC2", locationJSON, 200, 2001},
		{http.MethodPut, "locations/DE/XYZ/LOC1", change(t, locationJSON, "party_id", "XYZ"), 404, 2001},
		{http.MethodPut, "locations/DE/CPO/LOC1", `{`, 400, 2001},
		{http.MethodPut, "nothing/DE/CPO/LOC1", locationJSON, 404, 2001},
	} {
		got, err := w.door.Receive(w.ctx, jobs.Inbound{Partner: cpo.id, Method: m.method, Path: m.path, Body: []byte(m.body)})
		if err != nil || got.HTTPStatus != m.http || got.StatusCode != m.code || got.Taken() != (m.code == 1000) || (got.Message == "") != got.Taken() {
			t.Errorf("%s %s: %+v, %v", m.method, m.path, got, err)
		}
	}
	check(t, "CDRs", w.count("SELECT count(*) FROM cdrs"), 1)
	check(t, "rating asked for", w.rung(jobs.CDRRate) >= 1, true)
	cpo.do(http.MethodPost, "/ocpi/2.2.1/cdrs", cdrJSON).want(http.StatusOK, 1000)
	cpo.do(http.MethodGet, "/ocpi/2.2.1/locations/DE/CPO/%23NA", nil).want(http.StatusOK, 1000)
	check(t, "the partner was heard of", w.count("SELECT extract(epoch FROM last_received_at)::bigint FROM partners"), heard)
	if _, err := w.door.Receive(w.ctx, jobs.Inbound{Method: http.MethodPost, Path: "cdrs"}); err == nil {
		t.Error("a message of nobody was taken")
	}
}

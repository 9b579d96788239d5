package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

const (
	versionsPath    = "/ocpi/versions"
	detailsPath     = "/ocpi/2.2.1"
	credentialsPath = "/ocpi/2.2.1/credentials"
	locationPath    = "/ocpi/2.2.1/locations/DE/CPO/LOC1"
)

func TestVersions(t *testing.T) { // VER-01 to VER-06, TRN-28, RTG-03
	w := newWorld(t)
	cpo := w.invited(ocpi.RoleCPO, "DE*CPO").to("DE*SWX", "DE*CPO")
	a := cpo.do(http.MethodGet, versionsPath, nil).want(200, 1000)
	check(t, "routing", a.header.Get("OCPI-to-party-id")+a.header.Get("OCPI-from-party-id"), "")
	all := map[string]string{
		"credentials": "SENDER", "locations": "RECEIVER", "tariffs": "RECEIVER", "sessions": "RECEIVER", "cdrs": "RECEIVER",
		"tokens": "SENDER", "commands": "SENDER", "chargingprofiles": "SENDER", "hubclientinfo": "RECEIVER",
	}
	old := map[string]string{"credentials": "", "locations": "", "tariffs": "", "sessions": "", "cdrs": "", "tokens": "", "commands": ""} // VDF-01, VDF-02
	for i, version := range []string{"2.1.1", "2.2.1", "2.3.0"} {
		check(t, "version", a.list()[i]["version"], version)
		details := cpo.do(http.MethodGet, a.list()[i]["url"].(string), nil).want(200, 1000).object()
		check(t, "version of details", details["version"], version)
		want := all
		if version == "2.1.1" {
			want = old
		}
		check(t, version+": modules", len(details["endpoints"].([]any)), len(want))
		for _, e := range details["endpoints"].([]any) {
			e := e.(map[string]any)
			module, role := e["identifier"].(string), ""
			if stated, ok := e["role"].(string); ok {
				role = stated
			}
			wanted, ok := want[module]
			check(t, version+": "+module, ok && role == wanted, true)
			check(t, "url", e["url"], w.url+"/ocpi/"+version+"/"+module)
		}
	}
	cpo.do(http.MethodGet, "/ocpi/2.2", nil).want(404, 2001)
	cpo.do(http.MethodGet, "/ocpi/2.1.1/hubclientinfo/DE/CPO", nil).want(404, 2001)
	cpo.do(http.MethodPost, versionsPath, "{}").want(405, 2000)
}

func TestAuthorizationHeader(t *testing.T) { // TRN-03 to TRN-10, TRN-18, TRN-19
	w := newWorld(t)
	w.addTenant("DE*SWX")
	a, cpo := w.invited(ocpi.RoleCPO, "DE*AAA"), w.registered(ocpi.RoleCPO, "DE*CPO")
	encoded := base64.StdEncoding.EncodeToString([]byte(cpo.token))
	for name, test := range map[string]struct {
		header string
		status int
	}{
		"base64":                {"Token " + encoded, 404},
		"lower case scheme":     {"token  " + encoded, 404},
		"upper case scheme":     {"TOKEN " + encoded, 404},
		"raw":                   {"Token " + cpo.token, 404},
		"without padding":       {"Token " + strings.TrimRight(encoded, "="), 404},
		"with a line feed":      {"Token " + base64.StdEncoding.EncodeToString([]byte(cpo.token+"\n")), 404},
		"none":                  {"", 401},
		"bearer":                {"Bearer " + encoded, 401},
		"unknown":               {"Token " + base64.StdEncoding.EncodeToString([]byte("rw.nobody")), 401},
		"base64 twice":          {"Token " + base64.StdEncoding.EncodeToString([]byte(encoded)), 401},
		"token A on a function": {"Token " + base64.StdEncoding.EncodeToString([]byte(a.token)), 401},
	} {
		p := cpo.with("Authorization", test.header, "X-Request-ID", "request-7", "x-correlation-id", "correlation-7")
		got := p.do(http.MethodGet, locationPath, nil)
		check(t, name, got.status, test.status)
		check(t, name+": request id", got.header.Get("X-Request-ID"), "request-7")
		check(t, name+": correlation id", got.header.Get("X-Correlation-ID"), "correlation-7")
	}
	nobody := cpo.with("Authorization", "Token nobody")
	for _, url := range []string{versionsPath, detailsPath, credentialsPath, locationPath, cdrsPath, "/ocpi/2.2.1/tokens", "/ocpi/2.2.1/hubclientinfo/DE/CPO", "/ocpi/nothing"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			got := nobody.do(method, url, "{}").want(401, 2000) // TRN-08
			check(t, "generated request id", got.header.Get("X-Request-ID") != "", true)
		}
	}
	for _, url := range []string{"/ocpi/2.2.1/tokens", cdrsPath + "/DE/CPO/1", "/ocpi/2.2.1/hubclientinfo/DE/CPO"} { // TRN-09
		a.do(http.MethodGet, url, nil).want(401, 2000)
	}
	a.do(http.MethodGet, versionsPath, nil).want(200, 1000)
	a.do(http.MethodGet, detailsPath, nil).want(200, 1000)
}

func TestHandshake(t *testing.T) { // CRED-08 to CRED-14, CRED-26, CRED-32
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.addTenant("DE*SWY")
	card := w.issueCard(swx, "04AABBCC")
	cpo := w.invited(ocpi.RoleCPO, "DE*CPO")

	before := cpo.do(http.MethodGet, credentialsPath, nil).want(200, 1000).object()
	check(t, "token before", before["token"], cpo.token)

	a := cpo.do(http.MethodPost, credentialsPath, cpo.platform.credentials("token-b", role("CPO", "DE*CPO"), role("CPO", "NL*CPO"))).want(200, 1000)
	ours := a.object()
	tokenC := ours["token"].(string)
	check(t, "url", ours["url"], w.url+versionsPath)
	check(t, "roles", len(ours["roles"].([]any)), 2)
	check(t, "first role", ours["roles"].([]any)[0].(map[string]any)["role"], "EMSP")
	check(t, "token C is new", tokenC != cpo.token && len(tokenC) >= 22 && len(tokenC) <= 64, true)
	for _, c := range cpo.platform.calls {
		check(t, "token B presented to "+c.path, c.authorization, ocpi.EncodeToken("token-b"))
		check(t, "no routing headers", c.header.Get("OCPI-to-party-id"), "")
	}
	check(t, "calls before the answer", len(cpo.platform.calls), 2)

	cpo.do(http.MethodGet, versionsPath, nil).want(401, 2000) // CRED-14
	cpo.do(http.MethodPost, credentialsPath, cpo.platform.credentials("token-b", role("CPO", "DE*CPO"))).want(401, 2000)
	cpo.token = tokenC
	check(t, "token echoed", cpo.do(http.MethodGet, credentialsPath, nil).want(200, 1000).object()["token"], tokenC)
	again := cpo.do(http.MethodPost, credentialsPath, cpo.platform.credentials("token-b", role("CPO", "DE*CPO"))).want(405, 2000) // CRED-13
	check(t, "Allow", again.header.Get("Allow"), "GET, PUT, DELETE")
	check(t, "Allow of PATCH", cpo.do(http.MethodPatch, credentialsPath, "{}").want(405, 2000).header.Get("Allow") != "", true) // CRED-29

	partner, err := w.db.Partner(w.ctx, cpo.id)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "state", partner.State, "registered")
	check(t, "version", partner.Version, "2.2.1")
	check(t, "versions URL", partner.VersionsURL, cpo.platform.URL+"/versions")
	check(t, "token is not stored in clear", strings.Contains(string(partner.TokenSealed), "token-b"), false)
	deliveries, err := w.db.TokenDeliveries(w.ctx, card)
	if err != nil || len(deliveries) != 1 || deliveries[0].DueAt == nil {
		t.Errorf("token deliveries: %+v, %v", deliveries, err)
	}
	check(t, "token push rung", w.rung(jobs.TokenPush) >= 1, true)
}

func TestHandshakeFails(t *testing.T) { // CRED-11, CRED-12, CRED-16, CRED-17
	w := newWorld(t)
	w.addTenant("DE*SWX")
	w.registered(ocpi.RoleCPO, "DE*TKN")
	versions := func(version string) []any {
		return []any{map[string]any{"version": version, "url": "http://127.0.0.1:1/"}}
	}
	for name, test := range map[string]struct {
		spoil func(p *platform)
		body  func(c map[string]any)
		code  int
	}{
		"versions unreachable":     {nil, func(c map[string]any) { c["url"] = "http://127.0.0.1:1/versions" }, 3001},
		"versions answer 500":      {func(p *platform) { p.status = 500 }, nil, 3001},
		"versions answer 401":      {func(p *platform) { p.status = 401 }, nil, 3001},
		"versions malformed":       {func(p *platform) { p.versions = "none" }, nil, 3001},
		"details unreachable":      {func(p *platform) { p.versions = versions("2.2.1") }, nil, 3001},
		"other version only":       {func(p *platform) { p.versions = versions("2.1.1") }, nil, 3002},
		"2.2 is not 2.2.1":         {func(p *platform) { p.versions = versions("2.2") }, nil, 3002},
		"no endpoints":             {func(p *platform) { p.details = map[string]any{"version": "2.2.1", "endpoints": []any{}} }, nil, 3003},
		"no roles":                 {nil, func(c map[string]any) { c["roles"] = []any{} }, 2001},
		"token too long":           {nil, func(c map[string]any) { c["token"] = strings.Repeat("x", 65) }, 2001},
		"token with a space":       {nil, func(c map[string]any) { c["token"] = "to ken" }, 2001},
		"no token":                 {nil, func(c map[string]any) { delete(c, "token") }, 2001},
		"no URL":                   {nil, func(c map[string]any) { c["url"] = "versions" }, 2001},
		"role twice":               {nil, func(c map[string]any) { c["roles"] = []any{role("CPO", "DE*CPO"), role("CPO", "de*cpo")} }, 2001},
		"not the agreed party":     {nil, func(c map[string]any) { c["roles"] = []any{role("CPO", "DE*XXX")} }, 2001},
		"not the agreed role":      {nil, func(c map[string]any) { c["roles"] = []any{role("EMSP", "DE*CPO")} }, 2001},
		"party of another partner": {nil, func(c map[string]any) { c["roles"] = []any{role("CPO", "DE*CPO"), role("CPO", "DE*TKN")} }, 2001},
	} {
		t.Run(name, func(t *testing.T) {
			cpo := w.invited(ocpi.RoleCPO, "DE*CPO")
			good := cpo.platform.credentials("token-b", role("CPO", "DE*CPO"))
			body := cpo.platform.credentials("token-b", role("CPO", "DE*CPO"))
			if test.body != nil {
				test.body(body)
			}
			if test.spoil != nil {
				test.spoil(cpo.platform)
			}
			a := cpo.do(http.MethodPost, credentialsPath, body).want(200, test.code)
			check(t, "reason given", a.message != "", true)
			check(t, "token B is not told", strings.Contains(a.message, "token-b"), false)
			partner, err := w.db.Partner(w.ctx, cpo.id)
			if err != nil || partner.State == "registered" || partner.TokenSealed != nil {
				t.Errorf("half registered: %+v, %v", partner, err)
			}
			*cpo.platform = platform{Server: cpo.platform.Server} // token A is still good
			cpo.do(http.MethodPost, credentialsPath, good).want(200, 1000)
			if err := w.ops.PartnerEnded(w.ctx, cpo.id); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestTwoHandshakesWithOneToken(t *testing.T) { // CRED-15
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.invited(ocpi.RoleCPO, "DE*CPO")
	cpo.platform.delay = 50 * time.Millisecond
	const racers = 6
	won := make(chan string, racers)
	var wg sync.WaitGroup
	for range racers {
		wg.Go(func() {
			body, _ := json.Marshal(cpo.platform.credentials("token-b", role("CPO", "DE*CPO")))
			a, err := cpo.send(http.MethodPost, credentialsPath, body)
			switch {
			case err != nil:
				t.Error(err)
			case a.status == 200 && a.code == 1000:
				won <- a.object()["token"].(string)
			case a.status != 401 && a.status != 405:
				t.Errorf("loser got %d/%d", a.status, a.code)
			}
		})
	}
	wg.Wait()
	close(won)
	check(t, "winners", len(won), 1)
	cpo.token = <-won
	cpo.do(http.MethodGet, credentialsPath, nil).want(200, 1000)
}

// The peer may call us with token A while its POST is open: nothing may be locked then (CRED-02, seen from the other side).
func TestPeerCallsDuringHandshake(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.invited(ocpi.RoleCPO, "DE*CPO")
	cpo.platform.onCall = func(platformCall) { cpo.do(http.MethodGet, detailsPath, nil).want(200, 1000) }
	cpo.do(http.MethodPost, credentialsPath, cpo.platform.credentials("token-b", role("CPO", "DE*CPO"))).want(200, 1000)
	check(t, "calls", len(cpo.platform.calls), 2)
}

func TestUpdateAndRotation(t *testing.T) { // CRED-18, CRED-20, CRED-21, CRED-25
	w := newWorld(t)
	w.addTenant("DE*SWX")
	invited := w.invited(ocpi.RoleCPO, "DE*AAA")
	check(t, "Allow", invited.do(http.MethodPut, credentialsPath, invited.platform.credentials("x", role("CPO", "DE*AAA"))).want(405, 2000).header.Get("Allow"), "GET, POST")

	cpo := w.registered(ocpi.RoleCPO, "DE*CPO", "CPO DE*OLD")
	cpo.do(http.MethodPut, "/ocpi/2.2.1/locations/DE/OLD/LOC1", change(t, locationJSON, "party_id", "OLD")).want(201, 1000)

	cpo.platform.status = 503
	cpo.do(http.MethodPut, credentialsPath, cpo.platform.credentials("token-b2", role("CPO", "DE*CPO"))).want(200, 3001)
	cpo.do(http.MethodGet, versionsPath, nil).want(200, 1000) // the old pair is alive
	cpo.platform.status = 0

	moved := newPlatform(t)
	before := cpo.token
	cpo.token = cpo.do(http.MethodPut, credentialsPath, moved.credentials("token-b2", role("CPO", "DE*CPO"))).want(200, 1000).object()["token"].(string)
	check(t, "token is new", cpo.token != before, true)
	check(t, "asked at the new address", len(moved.calls), 2)
	check(t, "with the new token", moved.calls[0].authorization, ocpi.EncodeToken("token-b2"))
	cpo.with("Authorization", ocpi.EncodeToken(before)).do(http.MethodGet, versionsPath, nil).want(401, 2000)
	cpo.do(http.MethodPut, "/ocpi/2.2.1/locations/DE/OLD/LOC1", change(t, locationJSON, "party_id", "OLD")).want(404, 2001)
	if _, err := w.db.Location(w.ctx, db.LocationParams{CountryCode: "DE", PartyID: "OLD", LocationID: "LOC1"}); err != nil {
		t.Errorf("history is gone: %v", err)
	}
	partner, err := w.db.Partner(w.ctx, cpo.id)
	if err != nil || partner.VersionsURL != moved.URL+"/versions" {
		t.Errorf("partner after the update: %+v, %v", partner, err)
	}
}

func TestUnregister(t *testing.T) { // CRED-27, CRED-28, CRED-31
	w := newWorld(t)
	card := w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	invited := w.invited(ocpi.RoleCPO, "DE*AAA")
	invited.do(http.MethodDelete, credentialsPath, nil).want(405, 2000)

	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	a := cpo.do(http.MethodDelete, credentialsPath, nil).want(200, 1000)
	check(t, "data", string(a.data), "")
	for _, url := range []string{versionsPath, credentialsPath, locationPath} {
		cpo.do(http.MethodGet, url, nil).want(401, 2000)
	}
	cpo.do(http.MethodDelete, credentialsPath, nil).want(401, 2000)
	deliveries, err := w.db.TokenDeliveries(w.ctx, card)
	if err != nil || len(deliveries) != 1 || deliveries[0].DueAt != nil {
		t.Errorf("still delivering: %+v, %v", deliveries, err)
	}
	fresh := w.invited(ocpi.RoleCPO, "DE*CPO")
	check(t, "same partner", fresh.id, cpo.id)
	fresh.do(http.MethodPost, credentialsPath, fresh.platform.credentials("token-b3", role("CPO", "DE*CPO"))).want(200, 1000)
}

// A handshake that was lost on the way is mended by a new invitation; the old token goes only when the new one is used.
func TestInvitationMendsARegistration(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	first, second := w.invited(ocpi.RoleCPO, "DE*CPO"), w.invited(ocpi.RoleCPO, "DE*CPO")
	first.do(http.MethodGet, versionsPath, nil).want(401, 2000)
	cpo.do(http.MethodGet, versionsPath, nil).want(200, 1000)
	second.do(http.MethodPost, credentialsPath, second.platform.credentials("token-b2", role("CPO", "DE*CPO"))).want(200, 1000)
	cpo.do(http.MethodGet, versionsPath, nil).want(401, 2000)
}

func TestPeerThatWantsRawTokens(t *testing.T) { // TRN-05, TRN-06
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.invited(ocpi.RoleCPO, "DE*CPO")
	cpo.with("Authorization", "Token "+cpo.token).do(http.MethodPost, credentialsPath, cpo.platform.credentials("token-b", role("CPO", "DE*CPO"))).want(200, 1000)
	check(t, "form of our token", cpo.platform.calls[0].authorization, "Token token-b")
	partner, err := w.db.Partner(context.Background(), cpo.id)
	if err != nil || partner.AuthEncoding != "raw" {
		t.Errorf("encoding %q, %v", partner.AuthEncoding, err)
	}
}

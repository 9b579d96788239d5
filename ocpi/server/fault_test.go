package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// A partner that fails while a handshake is open leaves it as it was, and comes through when it is well again (FLT-01); it calls
// us back with what it just got (CRED-02, CRED-07).
func TestFaultsOfTheHandshake(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.startCPO("DE*CPO", ocpitest.WireFaults{CallbackFails: true})
	i := w.invite(ocpi.RoleCPO, "DE*CPO")
	if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); !ocpitest.IsRefusal(err, ocpi.StatusUnableToUseClientAPI) {
		t.Errorf("with versions that fail: %v", err)
	}
	cpo.SetFaults(ocpitest.WireFaults{})
	if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatalf("with the same token A afterwards: %v", err)
	}
	if err := cpo.Publish(w.ctx); err != nil {
		t.Fatal(err)
	}

	half := w.startCPO("DE*HLF", ocpitest.WireFaults{HalfRegisters: true})
	url, token := half.Invite()
	if _, err := w.ops.RegisterPartner(w.ctx, jobs.Introduction{Name: "Half", VersionsURL: url, Token: token}); err == nil {
		t.Error("registered with a partner that answered 500")
	}
	half.SetFaults(ocpitest.WireFaults{CredentialsAre201: true})
	url, token = half.Invite()
	partner, err := w.ops.RegisterPartner(w.ctx, jobs.Introduction{Name: "Half", VersionsURL: url, Token: token})
	if err != nil || partner.State != "registered" {
		t.Fatalf("afterwards: %+v, %v", partner, err)
	}
	if err := half.Publish(w.ctx); err != nil { // with token B
		t.Fatal(err)
	}
}

// Objects that come in the wrong order, too late or incomplete end in what the CPO meant, and every refusal says why (FLT-05).
func TestFaultsOfOrder(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	patch := func(status, at string) string { return `{"status":"` + status + `","last_updated":"` + at + `"}` }
	mixed := strings.Replace(evsePath, "DE/CPO/LOC1/EVSE1", "de/cPo/Loc1/evse1", 1)
	for _, step := range []struct {
		name, method, path, body string
		status, code             int
	}{
		{"an EVSE before its Location", "PUT", evsePath, evseJSON, 404, 2003},
		{"a patch of what is not there", "PATCH", evsePath, patch("CHARGING", "2026-10-02T00:00:00Z"), 404, 2003},
		{"the Location", "PUT", locationPath, locationJSON, 201, 1000},
		{"the EVSE again", "PUT", evsePath, evseJSON, 200, 1000},
		{"a patch without its time", "PATCH", evsePath, `{"status":"OUTOFORDER"}`, 200, 2001},
		{"a patch", "PATCH", evsePath, patch("CHARGING", "2026-10-19T10:00:00Z"), 200, 1000},
		{"an older one", "PATCH", evsePath, patch("AVAILABLE", "2026-10-19T09:00:00Z"), 200, 1000},
		{"ids in other letters", "PATCH", mixed, patch("BLOCKED", "2026-10-19T11:00:00Z"), 200, 1000},
	} {
		a := cpo.do(step.method, step.path, step.body)
		if a.status != step.status || a.code != step.code || a.code != 1000 && a.message == "" {
			t.Errorf("%s: %d/%d %q, want %d/%d", step.name, a.status, a.code, a.message, step.status, step.code)
		}
	}
	location := cpo.do(http.MethodGet, locationPath, nil).want(200, 1000).object()
	evses := location["evses"].([]any)
	check(t, "EVSEs", len(evses), 1)
	check(t, "uid as first written", evses[0].(map[string]any)["uid"], "EVSE1")
	check(t, "status", evses[0].(map[string]any)["status"], "BLOCKED")
}

// A CPO that sends its CDRs twice, changed, credited before they come, and without a session, is billed as it should be (FLT-06,
// CDR-09, CDR-11 to CDR-13).
func TestFaultsOfCDRs(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	cpo := w.startCPO("DE*CPO", ocpitest.WireFaults{})
	i := w.invite(ocpi.RoleCPO, "DE*CPO")
	if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	if err := cpo.Publish(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.work()
	arrival := w.clock.now().Add(-30 * 24 * time.Hour)
	deliver := func(o ocpitest.Oddities) (string, error) {
		arrival = arrival.Add(30 * time.Hour) // one car after the other
		visit := ocpitest.Visit{
			Token:   ocpi.Token{CountryCode: "DE", PartyID: "SWX", UID: "04AABBCC", Type: ocpi.TokenRFID, ContractID: "DE-SWX-C04AABBCC"},
			Arrival: arrival, Oddities: o,
		}
		charge := cpo.Draw(visit)
		return string(charge.CDR().ID), charge.Deliver(w.ctx)
	}
	state := func(id string) string { return w.cdrState(id).State }

	twice, err := deliver(ocpitest.Oddities{Duplicate: true})
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the rating", func() bool { return state(twice) == "rated" })
	changed, err := deliver(ocpitest.Oddities{Changed: true})
	if !ocpitest.IsRefusal(err, ocpi.StatusInvalidParameters) {
		t.Errorf("the changed CDR: %v", err)
	}
	w.eventually("the rating of the first", func() bool { return state(changed) == "rated" })
	alone, err := deliver(ocpitest.Oddities{NoSession: true})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "session", w.cdrState(alone).SessionID, "")
	before := w.count("SELECT count(*) FROM cdr_states")
	credited, err := deliver(ocpitest.Oddities{CreditFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "CDRs of the credited session", w.count("SELECT count(*) FROM cdr_states")-before, 3)
	w.eventually("the credit", func() bool {
		return state(credited) == "credited" && w.count("SELECT count(*) FROM cdr_states WHERE credit_reference <> '' AND state = 'credited'") == 1
	})
	w.eventually("the replacement", func() bool { return w.count("SELECT count(*) FROM cdr_states WHERE state = 'rated'") == 4 })
	check(t, "sessions on the bill", w.count("SELECT count(DISTINCT cdr_id) FROM line_items"), 4)

	// The utility leaves the connection: what is still to come for it is taken, from partners of it only.
	late := change(t, cdrJSON, "id", "LATE")
	raw := w.registered(ocpi.RoleCPO, "DE*RAW")
	mine := change(t, late, "party_id", "RAW")
	raw.do(http.MethodPut, strings.Replace(sessionPath, "CPO", "RAW", 1), change(t, sessionJSON, "party_id", "RAW")).want(201, 1000)
	w.change("DELETE FROM partner_tenants WHERE tenant_id = $1", swx.ID)
	raw.do(http.MethodPut, strings.Replace(sessionPath, "CPO", "RAW", 1), change(t, sessionJSON, "party_id", "RAW")).want(200, 1000)
	raw.to("DE*SWX", "DE*RAW").do(http.MethodGet, tokensPath, nil).want(200, 2001)
	address := raw.to("DE*SWX", "DE*RAW").do(http.MethodPost, cdrsPath, mine).want(201, 1000).header.Get("Location")
	raw.do(http.MethodPost, cdrsPath, mine).want(200, 1000)
	raw.do(http.MethodGet, address, nil).want(200, 1000)
	check(t, "whose", w.count("SELECT count(*) FROM cdr_states WHERE ocpi_id = 'LATE' AND tenant_id = $1", swx.ID), 1)
	stranger := w.registered(ocpi.RoleCPO, "DE*STR")
	w.change("DELETE FROM partner_tenants WHERE partner_id = $1", stranger.id)
	w.change("DELETE FROM token_deliveries WHERE partner_id = $1", stranger.id) // it may have got a card meanwhile
	stranger.do(http.MethodPost, cdrsPath, change(t, late, "party_id", "STR")).want(200, 2004)
	stranger.to("DE*SWX", "DE*STR").do(http.MethodPost, cdrsPath, change(t, late, "party_id", "STR")).want(200, 2001)
}

// Sessions that repeat, go on after their end or count in Wh do not double, do not start again, and are not billed a thousandfold
// (FLT-08, SES-08, SES-09, SES-17).
func TestFaultsOfSessions(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	cpo := w.startCPO("DE*CPO", ocpitest.WireFaults{})
	i := w.invite(ocpi.RoleCPO, "DE*CPO")
	if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	if err := cpo.Publish(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.work()
	token := ocpi.Token{CountryCode: "DE", PartyID: "SWX", UID: "04AABBCC", Type: ocpi.TokenRFID, ContractID: "DE-SWX-C04AABBCC"}
	repeated := cpo.Draw(ocpitest.Visit{Token: token, Arrival: w.clock.now().Add(-30 * time.Hour), Oddities: ocpitest.Oddities{Repeated: true}})
	if err := repeated.Deliver(w.ctx); err != nil {
		t.Fatal(err)
	}
	cdr := repeated.CDR()
	check(t, "sessions", len(cpo.Sessions()), 1)
	stored := func() (s ocpi.Session) {
		row, err := w.db.Session(w.ctx, db.SessionParams{CountryCode: "DE", PartyID: "CPO", SessionID: string(cpo.Sessions()[0].ID)})
		if err != nil {
			t.Fatal(err)
		}
		if err := ocpi.Unmarshal(row.Doc, &s); err != nil {
			t.Fatal(err)
		}
		check(t, "status", row.Status, "COMPLETED")
		return s
	}
	check(t, "periods", len(stored().ChargingPeriods), len(cdr.ChargingPeriods))

	again := cpo.Sessions()[0]
	again.Status, again.LastUpdated = ocpi.SessionActive, w.clock.now()
	if err := cpo.PutSession(w.ctx, again); err != nil {
		t.Fatal(err)
	}
	check(t, "as it was last told", stored().Status, ocpi.SessionActive)

	inWh := cpo.Draw(ocpitest.Visit{Token: token, Arrival: w.clock.now().Add(-60 * time.Hour), Oddities: ocpitest.Oddities{EnergyInWh: true}})
	if err := inWh.Deliver(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.eventually("the hold", func() bool { return w.cdrState(string(inWh.CDR().ID)).State == "held" })
	check(t, "billed of it", w.count("SELECT count(*) FROM line_items l JOIN cdr_states s ON s.cdr_id = l.cdr_id WHERE s.ocpi_id = $1", strings.ToUpper(string(inWh.CDR().ID))), 0)
}

// A hub that speaks for parties we have not heard of, says that others are away, and probes us without end (FLT-09).
func TestFaultsOfAHub(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	hub := w.registered(ocpi.RoleHub, "DE*HUB").to("DE*SWX", "DE*HUB")
	behind := strings.Replace(locationPath, "CPO", "BHD", 1)
	hub.do(http.MethodPut, behind, change(t, locationJSON, "party_id", "BHD")).want(201, 1000)
	for n, status := range []string{"CONNECTED", "OFFLINE", "CONNECTED", "PLANNED", "SUSPENDED", "CONNECTED"} {
		at := time.Date(2026, 10, 20, 10, n, 0, 0, time.UTC).Format(time.RFC3339)
		hub.do(http.MethodPut, "/ocpi/2.2.1/hubclientinfo/DE/BHD", `{"country_code":"DE","party_id":"BHD","role":"CPO","status":"`+status+`","last_updated":"`+at+`"}`)
		check(t, "status", hub.do(http.MethodGet, "/ocpi/2.2.1/hubclientinfo/DE/BHD", nil).want(200, 1000).object()["status"], any(status))
		hub.do(http.MethodPatch, behind, `{"name":"`+status+`","last_updated":"`+at+`"}`).want(200, 1000) // what it pushes is taken in any state
	}
	check(t, "name", hub.do(http.MethodGet, behind, nil).object()["name"], "CONNECTED")
	for _, emsp := range []string{"SWX", "OTH"} { // HUB-12: ourselves and others like us are only noted
		path := "/ocpi/2.2.1/hubclientinfo/DE/" + emsp
		hub.do(http.MethodPut, path, `{"country_code":"DE","party_id":"`+emsp+`","role":"EMSP","status":"CONNECTED","last_updated":"2026-10-20T10:00:00Z"}`).want(201, 1000)
		check(t, "role", hub.do(http.MethodGet, path, nil).want(200, 1000).object()["role"], any("EMSP"))
		check(t, "lists to be read of "+emsp, w.count("SELECT count(*) FROM pulls WHERE party_id = $1", emsp), 0)
	}
	for range 200 {
		hub.do(http.MethodGet, versionsPath, nil).want(200, 1000)
	}
}

// authorize without a body, with another type, without an addressee where two utilities have the card, and somewhere that nobody
// has told us of (FLT-10, TOK-26).
func TestFaultsOfAuthorize(t *testing.T) {
	w := newWorld(t)
	swx, swy := w.addTenant("DE*SWX"), w.addTenant("DE*SWY")
	w.issueCard(swx, "MINE")
	w.issueCard(swx, "BOTH")
	w.issueCard(swy, "BOTH")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	closed := map[string]any{"twentyfourseven": true, "exceptional_closings": []any{map[string]any{"period_begin": "2026-01-01T00:00:00Z", "period_end": "2027-01-01T00:00:00Z"}}}
	cpo.do(http.MethodPut, locationPath, change(t, locationJSON, "publish", false, "charging_when_closed", false, "opening_times", closed)).want(201, 1000)
	cpo.do(http.MethodPut, evsePath, change(t, evseJSON, "status", "OUTOFORDER")).want(200, 1000)
	for _, test := range []struct {
		name         string
		from         *partner
		token        string
		body         any
		status, code int
		allowed      string
	}{
		{"no body", cpo, "MINE", nil, 200, 1000, "ALLOWED"},
		{"null", cpo, "MINE", "null", 200, 1000, "ALLOWED"},
		{"an empty object", cpo, "MINE", "{}", 200, 1000, "ALLOWED"},
		{"another type", cpo, "MINE/authorize?type=APP_USER", nil, 404, 2004, ""},
		{"two utilities have it", cpo, "BOTH", nil, 200, 2002, ""},
		{"one of them is addressed", cpo.to("DE*SWY", "DE*CPO"), "BOTH", nil, 200, 1000, "ALLOWED"},
		{"the other's card", cpo.to("DE*SWY", "DE*CPO"), "MINE", nil, 404, 2004, ""},
		{"an unknown Location", cpo, "MINE", `{"location_id":"NOWHERE"}`, 200, 1000, "ALLOWED"},
		{"a Location that is closed and out of order", cpo, "MINE", `{"location_id":"LOC1","evse_uids":["EVSE1"]}`, 200, 1000, "ALLOWED"}, // TOK-23, LOC-20
		{"not JSON", cpo, "MINE", "{", 400, 2001, ""},
	} {
		path := tokensPath + "/" + test.token
		if !strings.Contains(path, "authorize") {
			path += "/authorize"
		}
		a := test.from.do(http.MethodPost, path, test.body)
		if a.status != test.status || a.code != test.code {
			t.Errorf("%s: %d/%d, want %d/%d\n%s", test.name, a.status, a.code, test.status, test.code, a.body)
			continue
		}
		if test.allowed != "" {
			check(t, test.name, a.object()["allowed"], any(test.allowed))
		} else {
			check(t, test.name+": data", string(a.data), "")
		}
	}
}

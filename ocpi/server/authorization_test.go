package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// change changes rows in a way that the platform has no call for yet.
func (w *world) change(update string, args ...any) {
	w.t.Helper()
	if n := w.count("WITH changed AS ("+update+" RETURNING 1) SELECT count(*) FROM changed", args...); n == 0 {
		w.t.Fatalf("%s: nothing was changed", update)
	}
}

// contractOf is the contract of a token.
func (w *world) contractOf(token uuid.UUID) uuid.UUID {
	w.t.Helper()
	row, err := w.db.Token(w.ctx, token)
	if err != nil {
		w.t.Fatal(err)
	}
	return row.Token.ContractID
}

// What token, contract and customer say is answered with 1000 and a verdict, with words for the driver (TOK-19).
func TestAuthorizeVerdicts(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "GOOD")
	w.block(w.issueCard(swx, "BLOCKED"))
	w.change("UPDATE contracts SET valid_to = $2 WHERE id = $1", w.contractOf(w.issueCard(swx, "EXPIRED")), w.clock.now())
	w.change("UPDATE contracts SET valid_from = $2 WHERE id = $1", w.contractOf(w.issueCard(swx, "EARLY")), w.clock.now().Add(time.Minute))
	_, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: swx.ID, UID: "POOR", Contract: "DE-SWX-C-POOR", Customer: "Paul Säumig", Email: "paul@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	w.change("UPDATE customers SET no_credit = true WHERE name = 'Paul Säumig'")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for uid, want := range map[string]string{"GOOD": "ALLOWED", "BLOCKED": "BLOCKED", "EXPIRED": "EXPIRED", "EARLY": "NOT_ALLOWED", "POOR": "NO_CREDIT"} {
		info := cpo.do(http.MethodPost, tokensPath+"/"+uid+"/authorize", `{"location_id":"LOC1"}`).want(200, 1000).object()
		check(t, uid, info["allowed"], want)
		check(t, uid+": token", info["token"].(map[string]any)["uid"], any(uid))
		_, located := info["location"]
		check(t, uid+": location", located, want == "ALLOWED") // TOK-22
		text, refused := info["info"].(map[string]any)
		check(t, uid+": words", refused, want != "ALLOWED")
		if refused {
			check(t, uid+": language", text["language"], any("de"))
		}
	}
	w.pass(2 * time.Minute)
	info := cpo.do(http.MethodPost, tokensPath+"/EARLY/authorize", nil).want(200, 1000).object()
	check(t, "after the contract began", info["allowed"], any("ALLOWED"))
}

// A contract for some places only: the answer depends on where, names the EVSEs that are permitted, and says when it lacks the
// place (TOK-19, TOK-21, TOK-22, TOK-24).
func TestAuthorizeSomewhere(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	contract := w.contractOf(w.issueCard(swx, "FLEET"))
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO", "CPO DE*SEC")
	hub := w.registered(ocpi.RoleHub, "DE*HUB")
	ask := func(p *partner, body string) (allowed, evses string) {
		t.Helper()
		a := p.do(http.MethodPost, tokensPath+"/FLEET/authorize", body)
		if a.code == 2002 {
			check(t, "HTTP", a.status, 200)
			return "2002", ""
		}
		info := a.want(200, 1000).object()
		if at, ok := info["location"].(map[string]any); ok {
			evses = at["location_id"].(string) + ":"
			if uids, ok := at["evse_uids"].([]any); ok {
				for _, uid := range uids {
					evses += " " + uid.(string)
				}
			}
		}
		return info["allowed"].(string), evses
	}
	own, second := party(t, "DE*CPO"), party(t, "DE*SEC")
	behind := hub.to("DE*SWX", "NL*BHD") // an operator behind the hub
	for name, test := range map[string]struct {
		places []jobs.Reach
		from   *partner
		body   string
		want   string
		evses  string
	}{
		"everywhere":                        {nil, cpo, "", "ALLOWED", ""},
		"everywhere, at a place":            {nil, cpo, `{"location_id":"L9","evse_uids":["E1","E2"]}`, "ALLOWED", "L9: E1 E2"},
		"whole operator":                    {[]jobs.Reach{{CPO: own}}, cpo, "", "ALLOWED", ""},
		"whole operator, unknown location":  {[]jobs.Reach{{CPO: own}}, cpo, `{"location_id":"NOWHERE"}`, "ALLOWED", "NOWHERE:"},
		"other operator":                    {[]jobs.Reach{{CPO: second}}, cpo, "", "NOT_ALLOWED", ""},
		"the connection's other operator":   {[]jobs.Reach{{CPO: second}}, cpo.to("DE*SWX", "DE*SEC"), "", "ALLOWED", ""},
		"an operator it does not speak for": {[]jobs.Reach{{CPO: party(t, "NL*BHD")}}, cpo.to("DE*SWX", "NL*BHD"), "", "NOT_ALLOWED", ""},
		"a location, not said":              {[]jobs.Reach{{CPO: own, Location: "L1"}}, cpo, "", "2002", ""},
		"a location":                        {[]jobs.Reach{{CPO: own, Location: "L1"}}, cpo, `{"location_id":"l1"}`, "ALLOWED", "l1:"},
		"another location":                  {[]jobs.Reach{{CPO: own, Location: "L1"}}, cpo, `{"location_id":"L2"}`, "NOT_ALLOWED", ""},
		"an EVSE, narrowed":                 {[]jobs.Reach{{CPO: own, Location: "L1", EVSE: "E2"}}, cpo, `{"location_id":"L1","evse_uids":["e1","e2"]}`, "ALLOWED", "L1: e2"},
		"an EVSE, none asked for":           {[]jobs.Reach{{CPO: own, Location: "L1", EVSE: "E2"}}, cpo, `{"location_id":"L1"}`, "ALLOWED", "L1: E2"},
		"another EVSE":                      {[]jobs.Reach{{CPO: own, Location: "L1", EVSE: "E2"}}, cpo, `{"location_id":"L1","evse_uids":["E1"]}`, "NOT_ALLOWED", ""},
		"EVSE or location":                  {[]jobs.Reach{{CPO: own, Location: "L1"}, {CPO: own, Location: "L1", EVSE: "E2"}}, cpo, `{"location_id":"L1","evse_uids":["E1"]}`, "ALLOWED", "L1: E1"},
		"a hub that does not say who":       {[]jobs.Reach{{CPO: own}}, hub, "", "2002", ""},
		"a hub for one behind it":           {[]jobs.Reach{{CPO: party(t, "NL*BHD")}}, behind, "", "ALLOWED", ""},
	} {
		if strings.Contains(name, "behind it") {
			hub.do(http.MethodPut, "/ocpi/2.2.1/hubclientinfo/NL/BHD", `{"country_code":"NL","party_id":"BHD","role":"CPO","status":"CONNECTED","last_updated":"2026-10-01T00:00:00Z"}`).want(201, 1000)
		}
		if err := w.ops.RestrictContract(w.ctx, swx.ID, contract, test.places...); err != nil {
			t.Fatal(err)
		}
		allowed, evses := ask(test.from, test.body)
		check(t, name, allowed, test.want)
		check(t, name+": where", evses, test.evses)
	}
	// A card of another utility does not learn of it.
	swy := w.addTenant("DE*SWY")
	if err := w.ops.RestrictContract(w.ctx, swy.ID, contract, jobs.Reach{CPO: own}); err == nil {
		t.Error("a utility restricted the contract of another one")
	}
}

// Many questions about tokens that nobody has are answered all the same and noted once an hour (TOK-28).
func TestAuthorizeGuessing(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	notes := func(p *partner) (n int) {
		events, err := w.db.EventsOf(w.ctx, db.EventsOfParams{Subject: "partner", SubjectID: p.id})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.What == "unknown tokens" {
				n++
			}
		}
		return n
	}
	guess := func(p *partner, times int) {
		for range times {
			p.do(http.MethodPost, tokensPath+"/NOBODY/authorize", nil).want(404, 2004)
		}
	}
	guess(cpo, 99)
	guess(other, 50)
	check(t, "noted too early", notes(cpo), 0)
	guess(cpo, 51)
	check(t, "noted", notes(cpo), 1)
	check(t, "noted of another partner", notes(other), 0)
	w.pass(time.Hour)
	guess(cpo, 100)
	check(t, "noted in the next hour", notes(cpo), 2)
}

// Group, profile and energy contract go to partners; what lives in an app is never for a whitelist unless somebody says so
// (TOK-02, TOK-13, TOK-14, TOK-29).
func TestTokenFields(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	for _, n := range []jobs.NewCard{
		{UID: "RFID", Group: "FLEET7"}, {UID: "APP", Type: "APP_USER"}, {UID: "OFFLINE", Whitelist: "ALLOWED_OFFLINE"},
	} {
		n.Tenant, n.Contract, n.Customer, n.Email = swx.ID, "DE-SWX-C"+n.UID, "Erika Beispiel", "erika@example.org"
		if _, err := w.ops.IssueCard(w.ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	w.change("UPDATE tokens SET profile_type = 'GREEN', energy_supplier = 'Ökostrom', energy_contract = 'E1' WHERE uid = 'RFID'")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	var got []string
	for _, token := range cpo.do(http.MethodGet, tokensPath, nil).want(200, 1000).list() {
		text := token["uid"].(string) + " " + token["whitelist"].(string)
		for _, name := range []string{"group_id", "default_profile_type"} {
			if v, ok := token[name].(string); ok {
				text += " " + v
			}
		}
		if contract, ok := token["energy_contract"].(map[string]any); ok {
			text += " " + contract["supplier_name"].(string) + " " + contract["contract_id"].(string)
		}
		got = append(got, text)
	}
	check(t, "tokens", strings.Join(got, ", "), "RFID ALLOWED FLEET7 GREEN Ökostrom E1, APP NEVER, OFFLINE ALLOWED_OFFLINE")
	_, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: swx.ID, UID: "LONG", Contract: "DE-SWX-CLONG", Customer: "E", Email: "e@example.org", Group: strings.Repeat("G", 21)})
	if err == nil {
		t.Error("a group of 21 characters was taken")
	}
}

// authorize is there for every utility and whatever the whitelist says, follows what is true now, judges neither hours nor the
// state of the EVSE, and answers for tokens that we have just used in a command ourselves (TOK-15, TOK-23, TOK-26, TOK-30, CMD-05).
func TestAuthorizeNow(t *testing.T) {
	w := newWorld(t)
	swx, swy := w.addTenant("DE*SWX"), w.addTenant("DE*SWY")
	for _, n := range []jobs.NewCard{
		{Tenant: swx.ID, UID: "CARD", Contract: "DE-SWX-C1"}, {Tenant: swx.ID, UID: "SECOND", Contract: "DE-SWX-C1"},
		{Tenant: swx.ID, UID: "APP", Contract: "DE-SWX-C1", Type: "APP_USER"}, {Tenant: swy.ID, UID: "THEIRS", Contract: "DE-SWY-C1", Whitelist: "ALWAYS"},
	} {
		n.Customer, n.Email = "Erika Beispiel", "erika@example.org"
		if _, err := w.ops.IssueCard(w.ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	cpo := w.obliging(ocpi.RoleCPO, "DE*CPO", accepted)
	closed := strings.Replace(strings.Replace(locationJSON, evseJSON, capableEVSE, 1), `"AVAILABLE"`, `"OUTOFORDER"`, 1)
	cpo.do(http.MethodPut, locationPath, change(t, closed, "opening_times", map[string]any{
		"twentyfourseven": false, "regular_hours": []any{map[string]any{"weekday": 7, "period_begin": "01:00", "period_end": "01:01"}},
	})).want(201, 1000)
	ask := func(uid, kind string) (allowed, contract string) {
		t.Helper()
		info := cpo.do(http.MethodPost, tokensPath+"/"+uid+"/authorize?type="+kind, `{"location_id":"LOC1","evse_uids":["EVSE1"]}`).want(200, 1000).object()
		return info["allowed"].(string), info["token"].(map[string]any)["contract_id"].(string)
	}
	for uid, want := range map[string]string{"CARD": "DE-SWX-C1", "SECOND": "DE-SWX-C1", "THEIRS": "DE-SWY-C1"} {
		allowed, contract := ask(uid, "RFID")
		check(t, uid, allowed+" "+contract, "ALLOWED "+want)
	}
	for _, valid := range []bool{false, true} {
		w.pass(time.Minute)
		w.change("UPDATE tokens SET valid = $1 WHERE uid = 'CARD'", valid)
		allowed, _ := ask("CARD", "RFID")
		check(t, "valid", allowed == "ALLOWED", valid)
		allowed, _ = ask("SECOND", "RFID")
		check(t, "the other card of the contract", allowed, "ALLOWED")
	}
	c := w.start(jobs.Start{Tenant: swx.ID, UID: "APP", Type: ocpi.TokenAppUser, At: jobs.Place{Location: "LOC1", EVSE: "EVSE1"}})
	check(t, "started", c.State, jobs.CommandForwarded)
	allowed, _ := ask("APP", "APP_USER")
	check(t, "asked back", allowed, "ALLOWED")
}

package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/server"
)

// strangers are two utilities that have nothing to do with each other: DE*SWX roams with the CPO DE*CPO, DE*SWY with DE*OTH.
type strangers struct {
	*world
	cpo, other *partner
	command    uuid.UUID // of DE*SWX, at DE*CPO
}

func newStrangers(t *testing.T) *strangers {
	t.Helper()
	s := &strangers{world: newWorld(t)}
	var swx db.Tenant
	swx, s.cpo = s.ready(accepted)
	swy := s.addTenant("DE*SWY")
	s.issueCard(swy, "04DDEEFF")
	s.other = s.registered(ocpi.RoleCPO, "DE*OTH")
	for partner, tenant := range map[uuid.UUID]uuid.UUID{s.cpo.id: swx.ID, s.other.id: swy.ID} {
		err := dbtest.Exec(s.ctx, s.dbURL, "DELETE FROM partner_tenants WHERE partner_id = '"+partner.String()+"' AND tenant_id <> '"+tenant.String()+"'")
		if err != nil {
			t.Fatal(err)
		}
	}
	s.cpo.do(http.MethodPut, tariffPath, tariffJSON).want(201, 1000)
	s.cpo.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	s.cpo.do(http.MethodPost, cdrsPath, cdrJSON).want(201, 1000)
	s.command = s.start(startAt(swx)).ID
	return s
}

// state is a number for everything that belongs to the CPO DE*CPO and to the utility DE*SWX.
func (s *strangers) state() int {
	s.t.Helper()
	n, err := dbtest.Count(s.ctx, s.dbURL, `SELECT hashtext(string_agg(t, ',' ORDER BY t)) FROM (
		SELECT (l.*)::text AS t FROM locations l UNION ALL SELECT (l.*)::text FROM tariffs l UNION ALL SELECT (l.*)::text FROM sessions l UNION ALL
		SELECT (l.*)::text FROM cdr_states l UNION ALL SELECT (l.*)::text FROM cdrs l UNION ALL
		SELECT (l.id, l.state, l.result)::text FROM commands l UNION ALL SELECT (l.*)::text FROM tokens l UNION ALL
		SELECT (l.id, l.state, l.versions_url, l.token_sealed, l.endpoints)::text FROM partners l WHERE name = 'CPO DE*CPO' UNION ALL
		SELECT (l.*)::text FROM partner_parties l JOIN partners p ON p.id = l.partner_id WHERE p.name = 'CPO DE*CPO' UNION ALL
		SELECT (l.*)::text FROM partner_tokens l JOIN partners p ON p.id = l.partner_id WHERE p.name = 'CPO DE*CPO') AS all_rows`)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// denied has, for each route, how DE*OTH tries to get at what is DE*CPO's and DE*SWX's, and what it gets.
var denied = map[string]func(s *strangers) (status, code int, a reply){
	"GET credentials": func(s *strangers) (int, int, reply) {
		a := s.other.do(http.MethodGet, credentialsPath, nil)
		if text := string(a.body); !strings.Contains(text, "SWY") || strings.Contains(text, "SWX") || strings.Contains(text, s.cpo.token) {
			s.t.Errorf("credentials: %s", text)
		}
		return 200, 1000, a // its own
	},
	"POST credentials": func(s *strangers) (int, int, reply) {
		return 405, 2000, s.other.do(http.MethodPost, credentialsPath, s.other.platform.credentials("b", role("CPO", "DE*CPO")))
	},
	"PUT credentials": func(s *strangers) (int, int, reply) { // it calls itself what the other is
		return 200, 2001, s.other.do(http.MethodPut, credentialsPath, s.other.platform.credentials("b", role("CPO", "DE*OTH"), role("CPO", "DE*CPO")))
	},
	"DELETE credentials": func(s *strangers) (int, int, reply) {
		a := s.other.do(http.MethodDelete, credentialsPath, nil)
		s.cpo.do(http.MethodGet, credentialsPath, nil).want(200, 1000)
		return 200, 1000, a // its own
	},
	"GET locations/:country/:party/:location":                    notTheirs(http.MethodGet, locationPath, ""),
	"PUT locations/:country/:party/:location":                    notTheirs(http.MethodPut, locationPath, locationJSON),
	"PATCH locations/:country/:party/:location":                  notTheirs(http.MethodPatch, locationPath, `{"name":"x","last_updated":"2026-11-01T00:00:00Z"}`),
	"GET locations/:country/:party/:location/:evse":              notTheirs(http.MethodGet, evsePath, ""),
	"PUT locations/:country/:party/:location/:evse":              notTheirs(http.MethodPut, evsePath, evseJSON),
	"PATCH locations/:country/:party/:location/:evse":            notTheirs(http.MethodPatch, evsePath, `{"status":"CHARGING","last_updated":"2026-11-01T00:00:00Z"}`),
	"GET locations/:country/:party/:location/:evse/:connector":   notTheirs(http.MethodGet, connectorPath, ""),
	"PUT locations/:country/:party/:location/:evse/:connector":   notTheirs(http.MethodPut, connectorPath, connectorJSON),
	"PATCH locations/:country/:party/:location/:evse/:connector": notTheirs(http.MethodPatch, connectorPath, `{"max_voltage":1,"last_updated":"2026-11-01T00:00:00Z"}`),
	"GET tariffs/:country/:party/:tariff":                        notTheirs(http.MethodGet, tariffPath, ""),
	"PUT tariffs/:country/:party/:tariff":                        notTheirs(http.MethodPut, tariffPath, tariffJSON),
	"DELETE tariffs/:country/:party/:tariff":                     notTheirs(http.MethodDelete, tariffPath, ""),
	"GET sessions/:country/:party/:session":                      notTheirs(http.MethodGet, sessionPath, ""),
	"PUT sessions/:country/:party/:session": func(s *strangers) (int, int, reply) {
		s.other.do(http.MethodPut, sessionPath, change(s.t, sessionJSON, "cdr_token.party_id", "SWY")).want(404, 2001)
		return 200, 2004, s.other.do(http.MethodPut, sessionPath, sessionJSON)
	},
	"PATCH sessions/:country/:party/:session": notTheirs(http.MethodPatch, sessionPath, `{"kwh":9,"last_updated":"2026-11-01T00:00:00Z"}`),
	"GET cdrs/:country/:party/:cdr":           notTheirs(http.MethodGet, cdrsPath+"/DE/CPO/CDR1", ""),
	"POST cdrs": func(s *strangers) (int, int, reply) {
		// The other's utility is no party of the connection, and the other CPO none of the caller.
		s.other.do(http.MethodPost, cdrsPath, change(s.t, cdrJSON, "party_id", "OTH")).want(200, 2004)
		return 200, 2001, s.other.do(http.MethodPost, cdrsPath, change(s.t, cdrJSON, "cdr_token.party_id", "SWY"))
	},
	"GET tokens": func(s *strangers) (int, int, reply) {
		s.other.to("DE*SWX", "DE*OTH").do(http.MethodGet, tokensPath, nil).want(200, 2001)
		a := s.other.do(http.MethodGet, tokensPath, nil)
		if list := a.list(); len(list) != 1 || list[0]["uid"] != "04DDEEFF" || a.header.Get("X-Total-Count") != "1" {
			s.t.Errorf("tokens: %s", a.body)
		}
		return 200, 1000, a
	},
	"POST tokens/:token/authorize": func(s *strangers) (int, int, reply) {
		s.other.to("DE*SWX", "DE*OTH").do(http.MethodPost, tokensPath+"/04AABBCC/authorize", nil).want(200, 2001)
		s.other.to("DE*SWY", "DE*OTH").do(http.MethodPost, tokensPath+"/04AABBCC/authorize", nil).want(404, 2004)
		return 404, 2004, s.other.do(http.MethodPost, tokensPath+"/04AABBCC/authorize", nil)
	},
	"POST commands/:command/:id": func(s *strangers) (int, int, reply) {
		return 404, 2001, s.other.do(http.MethodPost, commandsPath+"/START_SESSION/"+s.command.String(), `{"result":"REJECTED"}`)
	},
	"PUT chargingprofiles/:session": func(s *strangers) (int, int, reply) {
		return 404, 2001, s.other.do(http.MethodPut, profilesPath+"/S1", ocpi.ActiveChargingProfile{StartDateTime: s.clock.now(), ChargingProfile: limit(11)})
	},
	"POST chargingprofiles/:command/:id": func(s *strangers) (int, int, reply) {
		return 404, 2001, s.other.do(http.MethodPost, profilesPath+"/SET/"+s.command.String(), `{"result":"REJECTED"}`)
	},
	"GET hubclientinfo/:country/:party": notTheirs(http.MethodGet, "/ocpi/2.2.1/hubclientinfo/DE/CPO", ""),
	"PUT hubclientinfo/:country/:party": notTheirs(http.MethodPut, "/ocpi/2.2.1/hubclientinfo/DE/CPO",
		`{"country_code":"DE","party_id":"CPO","role":"CPO","status":"SUSPENDED","last_updated":"2026-11-01T00:00:00Z"}`),
}

// notTheirs is a call that finds nothing, because there is nothing for this caller.
func notTheirs(method, path, body string) func(s *strangers) (int, int, reply) {
	return func(s *strangers) (int, int, reply) {
		var b any
		if body != "" {
			b = body
		}
		return 404, 2001, s.other.do(method, path, b)
	}
}

// Nothing of one utility or one partner can be read or changed with the token of a partner of another, at no endpoint; an
// endpoint without a test fails (RTG-19, OWN-13, TEN-03, TEN-04, CRED-17, CMD-13).
func TestIsolation(t *testing.T) {
	routes := server.Routes()
	if len(routes) != len(denied) {
		t.Errorf("%d routes, %d tests", len(routes), len(denied))
	}
	for _, route := range routes {
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			try, tested := denied[route]
			if !tested {
				t.Fatal("this route has no test of isolation")
			}
			s := newStrangers(t)
			before := s.state()
			status, code, a := try(s)
			a.want(status, code)
			check(t, "what belongs to the others", s.state(), before)
			for _, secret := range []string{s.cpo.token, "Rathaus", "0.39", "CDR1", "04AABBCC", "SWX"} {
				if strings.Contains(string(a.data), secret) {
					t.Errorf("the answer tells %q: %s", secret, a.body)
				}
			}
		})
	}
}

// What we fetch from one partner says nothing about another's either.
func TestIsolationOfWhatWeFetch(t *testing.T) {
	s := newStrangers(t)
	before := s.state()
	for _, in := range []jobs.Inbound{
		{Method: http.MethodPut, Path: "locations/DE/CPO/LOC1", Body: []byte(change(t, locationJSON, "last_updated", "2026-11-01T00:00:00Z"))},
		{Method: http.MethodPut, Path: "sessions/DE/CPO/S1", Body: []byte(change(t, sessionJSON, "last_updated", "2026-11-01T00:00:00Z"))},
		{Method: http.MethodPost, Path: "cdrs", Body: []byte(change(t, cdrJSON, "id", "C9"))},
	} {
		in.Partner = s.other.id
		if receipt, err := s.door.Receive(s.ctx, in); err != nil || receipt.Taken() {
			t.Errorf("%s: %+v, %v", in.Path, receipt, err)
		}
	}
	check(t, "what belongs to the others", s.state(), before)
}

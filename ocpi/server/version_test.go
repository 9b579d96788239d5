package server_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// A CPO of another version registers in both directions, delivers and is told of cards: its words are turned at the door and
// nowhere else (VER-07, VDF-01 to VDF-08, VDF-13).
func TestPartnersOfOtherVersions(t *testing.T) {
	for _, version := range []ocpi.VersionNumber{ocpi.Version211, ocpi.Version230} {
		for _, weStart := range []bool{false, true} {
			name := string(version) + ", they start"
			if weStart {
				name = string(version) + ", we start"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				swx := w.addTenant("DE*SWX")
				w.issueCard(swx, "04AABBCC")
				cpo := ocpitest.NewCPO(ocpitest.Options{Name: "Betreiber", Party: party(t, "DE*CPO"), Now: w.clock.now, Version: version})
				w.startPeer(cpo.Peer)
				name := "CPO DE*CPO"
				if weStart {
					url, token := cpo.Invite()
					if _, err := w.ops.RegisterPartner(w.ctx, jobs.Introduction{Name: name, VersionsURL: url, Token: token}); err != nil {
						t.Fatal(err)
					}
				} else {
					i := w.invite(ocpi.RoleCPO, "DE*CPO")
					if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
						t.Fatal(err)
					}
				}
				check(t, "version", w.partnerOf(name).Version, string(version))
				check(t, "token as it is", w.partnerOf(name).AuthEncoding == "raw", version == ocpi.Version211)
				w.work()
				w.roamWith(cpo, version)
				if err := cpo.Rotate(w.ctx); err != nil {
					t.Fatal(err)
				}
				if err := cpo.Unregister(w.ctx); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// roamWith plays what a registered CPO of another version does; the card is 04AABBCC.
func (w *world) roamWith(cpo *ocpitest.CPO, version ocpi.VersionNumber) {
	w.t.Helper()
	if err := cpo.Publish(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	check(w.t, "Locations", w.count("SELECT count(*) FROM locations WHERE doc->>'country_code' = 'DE' AND doc->>'party_id' = 'CPO'"), len(cpo.Locations()))
	check(w.t, "voltages", w.count("SELECT count(*) FROM locations WHERE doc #> '{evses,0,connectors,0,max_voltage}' IS NULL"), 0)
	check(w.t, "tariffs", w.count("SELECT count(*) FROM tariffs WHERE (doc->>'ocpi_version' = '2.1.1') = $1 OR doc->>'ocpi_version' IS NULL AND NOT $1", version == ocpi.Version211), len(cpo.Tariffs()))
	w.eventually("the push of the card", func() bool { return len(cpo.Tokens()) == 1 })
	card := cpo.Tokens()[0]
	check(w.t, "contract of the card", string(card.ContractID), "DE-SWX-C04AABBCC")

	info, err := cpo.Authorize(w.ctx, card, &ocpi.LocationReferences{LocationID: cpo.Locations()[0].ID})
	if err != nil || info.Allowed != ocpi.AllowedAllowed || (info.AuthorizationReference == "") != (version == ocpi.Version211) {
		w.t.Errorf("authorization: %+v, %v", info, err)
	}
	stranger := card
	stranger.UID = "04NOBODY"
	unknown := ocpi.StatusUnknownToken
	if version == ocpi.Version211 {
		unknown = ocpi.StatusInvalidParameters
	}
	if _, err := cpo.Authorize(w.ctx, stranger, nil); !ocpitest.IsRefusal(err, unknown) {
		w.t.Errorf("a card that nobody has: %v", err)
	}
	if n, err := cpo.PullTokens(w.ctx); err != nil || n != 1 {
		w.t.Errorf("tokens: %d, %v", n, err)
	}

	visit := ocpitest.Visit{Token: card, AuthorizationReference: info.AuthorizationReference, Arrival: w.clock.now().Add(-8 * time.Hour)}
	if err := cpo.Draw(visit).Deliver(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	id := cpo.CDRs()[0].ID
	w.eventually("the rating", func() bool { return w.cdrState(string(id)).State == "rated" })
	rated := w.cdrState(string(id))
	check(w.t, "what the CPO claims", rated.CPOState+" "+rated.TokenUID, "open 04AABBCC")
	check(w.t, "sessions of the card", w.count("SELECT count(*) FROM sessions WHERE doc #>> '{cdr_token,uid}' = '04AABBCC' AND status = 'COMPLETED'"), 1)
	row := w.receivedCDR(string(id))
	check(w.t, "version of the CDR", row.Version, string(version))
	back, err := cpo.Fetch(w.ctx, ocpi.ModuleCDRs, party(w.t, "DE*SWX"), w.url+"/ocpi/"+string(version)+"/cdrs/DE/CPO/"+string(id))
	if err != nil || string(back.Answer.Data) != string(row.Raw) {
		w.t.Errorf("CDR comes back as %s, %v", back.Answer.Data, err)
	}
}

// What a partner of another version has is read from its lists as if it had been pushed (PAG-21, VDF-03), and what has vanished
// from them goes (PAG-19). Whether the bounds of a list count in OCPI 2.1.1 does not matter: crawls overlap (VDF-10, PAG-22).
func TestPullFromOtherVersions(t *testing.T) {
	for _, version := range []ocpi.VersionNumber{ocpi.Version211, ocpi.Version230} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
			cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO"), Sites: 3, Page: 2, Version: version, Faults: ocpitest.WireFaults{LosesPushes: true}})
			visit := ocpitest.Visit{
				Token:   ocpi.Token{CountryCode: "DE", PartyID: "SWX", UID: "04AABBCC", Type: ocpi.TokenRFID, ContractID: "DE-SWX-C04AABBCC"},
				Arrival: w.clock.now().Add(-8 * time.Hour),
			}
			if err := cpo.Draw(visit).Deliver(w.ctx); err != nil {
				t.Fatal(err)
			}
			w.work()
			w.pass(time.Hour)
			for _, r := range w.pulled("CPO DE*CPO") {
				if r.Bad+r.ForeignObjects != 0 || r.Problem != "" || !r.Cursor.Equal(r.StartedAt.Add(-10*time.Minute)) {
					t.Errorf("%s: %+v", r.Module, r)
				}
			}
			check(t, "Locations", w.alive(), 3)
			check(t, "tariffs", w.count("SELECT count(*) FROM tariffs"), len(cpo.Tariffs()))
			check(t, "sessions", w.count("SELECT count(*) FROM sessions"), 1)
			check(t, "CDRs", w.count("SELECT count(*) FROM cdr_states WHERE token_uid = '04AABBCC'"), 1)

			lost := cpo.Locations()[0].ID
			if lost == cpo.CDRs()[0].CDRLocation.ID {
				lost = cpo.Locations()[1].ID
			}
			cpo.Lose(lost)
			w.pass(time.Minute)
			w.pull("CPO DE*CPO", ocpi.ModuleLocations, true)
			check(t, "Locations that are left", w.alive(), 2)
		})
	}
}

// old is a partner that has registered over OCPI 2.1.1.
func (w *world) old(at string) *partner {
	w.t.Helper()
	p := w.invited(ocpi.RoleCPO, at)
	p.speaks("2.1.1", "2.2.1", "2.3.0")
	p.header.Set("Authorization", "Token "+p.token)
	p.token = p.do(http.MethodPost, "/ocpi/2.1.1/credentials", p.oldCredentials("token-b-"+at, at)).want(200, 1000).object()["token"].(string)
	p.header.Set("Authorization", "Token "+p.token)
	return p
}

// speaks makes a partner list versions.
func (p *partner) speaks(versions ...string) {
	list := []any{}
	for _, version := range versions {
		list = append(list, map[string]any{"version": version, "url": p.platform.URL + "/2.2.1"})
	}
	p.platform.versions = list
}

func (p *partner) oldCredentials(token, at string) map[string]any {
	return map[string]any{
		"token": token, "url": p.platform.URL + "/versions", "country_code": at[:2], "party_id": at[3:], "business_details": map[string]any{"name": "Betreiber " + at},
	}
}

const (
	old211           = "/ocpi/2.1.1/"
	oldConnectorJSON = `{"id":"1","standard":"IEC_62196_T2","format":"SOCKET","power_type":"AC_3_PHASE","voltage":230,"amperage":32,"tariff_id":"T1",` +
		`"last_updated":"2026-10-01T10:00:00Z"}`
	oldLocationJSON = `{"id":"LOC1","type":"ON_STREET","name":"Rathaus","address":"Markt 1","city":"Xanten","postal_code":"46509","country":"DEU",` +
		`"coordinates":{"latitude":"51.662300","longitude":"6.453800"},"last_updated":"2026-10-01T10:00:00Z","evses":[{"uid":"EVSE1","status":"AVAILABLE",` +
		`"capabilities":["RESERVABLE","REMOTE_START_STOP_CAPABLE"],"last_updated":"2026-10-01T10:00:00Z","connectors":[` + oldConnectorJSON + `]}]}`
	oldTariffJSON  = `{"id":"T1","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":0.39,"step_size":1}]}],"last_updated":"2026-10-01T10:00:00Z"}`
	oldSessionJSON = `{"id":"S1","start_datetime":"2026-10-20T10:00:00Z","kwh":1.5,"auth_id":"DE-SWX-C04AABBCC","auth_method":"WHITELIST","location":` + oldLocationJSON +
		`,"currency":"EUR","total_cost":0.59,"status":"ACTIVE","last_updated":"2026-10-20T10:10:00Z"}`
	oldCDRJSON = `{"id":"CDR1","start_date_time":"2026-10-20T10:00:00Z","stop_date_time":"2026-10-20T11:00:00Z","auth_id":"DE-SWX-C04AABBCC","auth_method":"WHITELIST",` +
		`"location":` + oldLocationJSON + `,"currency":"EUR","tariffs":[` + oldTariffJSON + `],"charging_periods":[{"start_date_time":"2026-10-20T10:00:00Z",` +
		`"dimensions":[{"type":"ENERGY","volume":10},{"type":"FLAT","volume":1}]}],"total_cost":3.90,"total_energy":10,"total_time":1,"last_updated":"2026-10-20T11:05:00Z"}`
)

// Every object comes back as it was sent, is changed by its own names, and is complained about by these (VDF-03 to VDF-08).
func TestOldObjects(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	cpo := w.old("DE*CPO")

	ours := cpo.do(http.MethodGet, old211+"credentials", nil).want(200, 1000).object() // VDF-01
	check(t, "our party", ours["country_code"].(string)+ours["party_id"].(string), "DESWX")
	check(t, "no roles", ours["roles"], nil)

	for path, body := range map[string]string{"locations/DE/CPO/LOC1": oldLocationJSON, "tariffs/DE/CPO/T1": oldTariffJSON} {
		a := cpo.do(http.MethodPut, old211+path, body).want(201, 1000)
		check(t, "no routing headers", a.header.Get("OCPI-to-party-id"), "")
		a = cpo.do(http.MethodGet, old211+path, nil).want(200, 1000)
		if change(t, string(a.data)) != change(t, body) {
			t.Errorf("%s comes back as %s", path, a.data)
		}
	}
	cpo.do(http.MethodPatch, old211+"locations/DE/CPO/LOC1/EVSE1/1", `{"voltage":400}`).want(200, 1000) // without a time (VDF-05)
	check(t, "voltage", cpo.do(http.MethodGet, old211+"locations/DE/CPO/LOC1/EVSE1/1", nil).want(200, 1000).object()["voltage"], 400.0)
	a := cpo.do(http.MethodPut, old211+"locations/DE/CPO/LOC1/EVSE1/1", change(t, oldConnectorJSON, "voltage", "high")).want(200, 2001)
	check(t, "complaint: "+a.message, strings.Contains(a.message, "voltage") && !strings.Contains(a.message, "max_voltage"), true)

	w.pass(time.Minute)
	cpo.do(http.MethodPatch, old211+"tariffs/DE/CPO/T1", `{"elements":[{"price_components":[{"type":"ENERGY","price":0.45,"step_size":1}]}]}`).want(200, 1000) // VDF-07
	check(t, "versions of the tariff", w.count("SELECT count(*) FROM tariffs WHERE doc->>'ocpi_version' = '2.1.1'"), 2)
	cpo.do(http.MethodPatch, old211+"tariffs/DE/CPO/NONE", `{"currency":"EUR"}`).want(404, 2001)
	cpo.do(http.MethodPatch, "/ocpi/2.2.1/tariffs/DE/CPO/T1", `{"currency":"EUR"}`).want(405, 2000)

	cpo.do(http.MethodPut, old211+"sessions/DE/CPO/S1", oldSessionJSON).want(201, 1000)
	cpo.do(http.MethodPatch, old211+"sessions/DE/CPO/S1", `{"kwh":2,"total_cost":0.78,"end_datetime":"2026-10-20T11:00:00Z","status":"COMPLETED"}`).want(200, 1000)
	session := cpo.do(http.MethodGet, old211+"sessions/DE/CPO/S1", nil).want(200, 1000).object()
	check(t, "session", session["auth_id"].(string)+" "+session["end_datetime"].(string)+" "+session["status"].(string), "DE-SWX-C04AABBCC 2026-10-20T11:00:00Z COMPLETED")
	check(t, "total cost", session["total_cost"], 0.78)
	check(t, "card of the session", w.count("SELECT count(*) FROM sessions WHERE doc #>> '{cdr_token,uid}' = '04AABBCC' AND doc #>> '{cdr_token,type}' = 'RFID'"), 1)

	a = cpo.do(http.MethodPost, old211+"cdrs", oldCDRJSON).want(201, 1000)
	check(t, "Location of the CDR", a.header.Get("Location"), w.url+old211+"cdrs/DE/CPO/CDR1")
	check(t, "the same bytes", string(cpo.do(http.MethodGet, a.header.Get("Location"), nil).want(200, 1000).data), oldCDRJSON)
	cpo.do(http.MethodPost, old211+"cdrs", change(t, oldCDRJSON, "total_cost", 3.9)).want(200, 1000) // CDR-07
	cpo.do(http.MethodPost, old211+"cdrs", change(t, oldCDRJSON, "total_cost", 4)).want(200, 2001)
	cpo.do(http.MethodPost, old211+"cdrs", change(t, oldCDRJSON, "id", "CDR2", "auth_id", "04AABBCC")).want(201, 1000) // the uid instead
	check(t, "card of the CDR", w.cdrState("CDR1").TokenUID+" "+w.cdrState("CDR2").TokenUID, "04AABBCC 04AABBCC")
	a = cpo.do(http.MethodPost, old211+"cdrs", change(t, oldCDRJSON, "id", "CDR3", "stop_date_time", "never")).want(200, 2001)
	check(t, "complaint: "+a.message, strings.Contains(a.message, "stop_date_time"), true)
}

// A CDR of a contract that nobody had when it came is rated when there is a card of it.
func TestOldCDRBeforeItsCard(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.old("DE*CPO")
	cpo.do(http.MethodPost, old211+"cdrs", oldCDRJSON).want(201, 1000)
	w.work()
	w.eventually("the wait", func() bool { return w.cdrState("CDR1").Reason == "no-card" })
	w.issueCard(swx, "04AABBCC")
	w.eventually("the rating", func() bool { return w.cdrState("CDR1").State == "rated" })
}

// Tokens have two types in OCPI 2.1.1 and none in their URLs (VDF-04).
func TestOldTokens(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.change("UPDATE tokens SET type = 'APP_USER' WHERE id = $1", w.issueCard(swx, "app-7"))
	w.issueCard(swx, "04AABBCC")
	cpo := w.old("DE*CPO")
	for _, uid := range []string{"app-7", "04AABBCC"} {
		info := cpo.do(http.MethodPost, old211+"tokens/"+uid+"/authorize", nil).want(200, 1000).object()
		check(t, uid, info["allowed"], "ALLOWED")
		if info["token"] != nil || info["authorization_reference"] != nil {
			t.Errorf("authorization: %v", info)
		}
	}
	cpo.do(http.MethodPost, old211+"tokens/04NOBODY/authorize", nil).want(404, 2001)
	list := cpo.do(http.MethodGet, old211+"tokens?limit=1", nil).want(200, 1000)
	check(t, "next page", strings.Contains(list.header.Get("Link"), w.url+old211+"tokens?"), true)
	check(t, "type", list.list()[0]["type"], "OTHER")
	check(t, "contract", list.list()[0]["auth_id"], "DE-SWX-Capp-7")
	check(t, "owner", list.list()[0]["party_id"], nil)
}

// A connection of OCPI 2.1.1 is with one utility: to a partner of several it is refused, in words (VDF-01).
func TestOldPartnerOfSeveral(t *testing.T) {
	w := newWorld(t)
	swx, _ := w.addTenant("DE*SWX"), w.addTenant("DE*SWY")
	cpo := w.invited(ocpi.RoleCPO, "DE*CPO")
	cpo.speaks("2.1.1")
	a := cpo.do(http.MethodPost, old211+"credentials", cpo.oldCredentials("token-b", "DE*CPO")).want(200, 3002)
	check(t, "why: "+a.message, strings.Contains(a.message, "2 of this platform work with you"), true)
	cpo.do(http.MethodGet, old211+"credentials", nil).want(200, 3002)

	alone, err := w.ops.InvitePartner(w.ctx, jobs.NewPartner{Name: "CPO DE*CPO", Role: ocpi.RoleCPO, Party: party(t, "DE*CPO"), Tenants: []uuid.UUID{swx.ID}})
	if err != nil {
		t.Fatal(err)
	}
	cpo.token = alone.Token
	ours := cpo.do(http.MethodPost, old211+"credentials", cpo.oldCredentials("token-b", "DE*CPO")).want(200, 1000).object()
	check(t, "party", ours["party_id"], "SWX")
	w.addTenant("DE*SWZ") // another utility does not become one of this connection
	tenants, err := w.db.TenantsOfPartner(w.ctx, cpo.id)
	check(t, "utilities", err == nil && len(tenants) == 1, true)

	other := ocpitest.NewCPO(ocpitest.Options{Name: "Betreiber", Party: party(t, "DE*TWO"), Now: w.clock.now, Version: ocpi.Version211})
	w.startPeer(other.Peer)
	url, token := other.Invite()
	var refused *ocpi.Error
	if _, err := w.ops.RegisterPartner(w.ctx, jobs.Introduction{Name: "Zwei", VersionsURL: url, Token: token}); !errors.As(err, &refused) {
		t.Errorf("registered with several: %v", err)
	}
	if _, err := w.ops.RegisterPartner(w.ctx, jobs.Introduction{Name: "Zwei", VersionsURL: url, Token: token, Tenants: []uuid.UUID{swx.ID}}); err != nil {
		t.Error(err)
	}
}

// PUT on the credentials of another version moves the connection there (CRED-19), and what came before is shown in the words of
// the new one.
func TestVersionUpgrade(t *testing.T) {
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	cpo := w.old("DE*CPO")
	cpo.do(http.MethodPost, old211+"cdrs", oldCDRJSON).want(201, 1000)
	cpo.do(http.MethodPut, old211+"locations/DE/CPO/LOC1", oldLocationJSON).want(201, 1000)
	check(t, "version", w.partnerOf("CPO DE*CPO").Version, "2.1.1")

	for _, version := range []string{"2.2.1", "2.3.0"} {
		token := cpo.do(http.MethodPut, "/ocpi/"+version+"/credentials", cpo.platform.credentials("token-"+version, role("CPO", "DE*CPO"))).want(200, 1000).object()["token"].(string)
		cpo.header.Set("Authorization", ocpi.EncodeToken(token))
		check(t, "version", w.partnerOf("CPO DE*CPO").Version, version)
		cdr := cpo.do(http.MethodGet, "/ocpi/"+version+"/cdrs/DE/CPO/CDR1", nil).want(200, 1000).object()
		cost := map[string]string{"2.2.1": "excl_vat", "2.3.0": "before_taxes"}[version]
		check(t, version+": cost", cdr["total_cost"].(map[string]any)[cost], 3.9)
		check(t, version+": Location", cdr["cdr_location"].(map[string]any)["id"], "LOC1")
		location := cpo.do(http.MethodGet, "/ocpi/"+version+"/locations/DE/CPO/LOC1", nil).want(200, 1000).object()
		check(t, version+": owner", location["party_id"], "CPO")
	}
	for version, body := range map[ocpi.VersionNumber]string{ocpi.Version211: oldTariffJSON, "": tariffJSON} { // kept before, fetched now
		got, err := w.door.Receive(w.ctx, jobs.Inbound{Partner: cpo.id, Method: http.MethodPut, Path: "tariffs/DE/CPO/T1", Body: []byte(body), Version: version})
		if err != nil || !got.Taken() {
			t.Errorf("received in %q: %+v, %v", version, got, err)
		}
	}
	cpo.speaks("2.2.1") // what it does not list it cannot move to
	cpo.do(http.MethodPut, old211+"credentials", cpo.oldCredentials("token-c", "DE*CPO")).want(200, 3002)
	check(t, "version", w.partnerOf("CPO DE*CPO").Version, "2.3.0")
}

// Commands are sent as the CPO's version has them, or not at all (VDF-02, VDF-09).
func TestOldCommands(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO"), Version: ocpi.Version211})
	if err := cpo.Publish(w.ctx); err != nil {
		t.Fatal(err)
	}
	at := jobs.Place{Location: cpo.Locations()[0].ID, EVSE: cpo.Locations()[0].EVSEs[0].UID}
	reserved, err := w.ops.ReserveNow(w.ctx, jobs.Reserve{Tenant: swx.ID, UID: "04AABBCC", At: at, Until: w.clock.now().Add(30 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the CPO's answer: "+reserved.Message, reserved.Response, "ACCEPTED")
	check(t, "reservation", string(cpo.Commands()[0].Reserve.ReservationID), reserved.ReservationID)
	check(t, "its contract", string(cpo.Commands()[0].Reserve.Token.ContractID), "DE-SWX-C04AABBCC")
	check(t, "its response URL", strings.HasPrefix(cpo.Commands()[0].ResponseURL, w.url+old211+"commands/RESERVE_NOW/"), true)
	w.eventually("the result", func() bool { return w.command(reserved.ID).Result == "ACCEPTED" })

	var not *jobs.CommandError
	_, err = w.ops.CancelReservation(w.ctx, jobs.ByStaff, jobs.Cancel{Tenant: swx.ID, ID: ocpi.CiString(reserved.ReservationID)})
	check(t, "cancellation is not offered", errors.As(err, &not) && not.Reason == jobs.ReasonNotOffered, true)
	check(t, "commands", len(cpo.Commands()), 1)
	started, err := w.ops.StartSession(w.ctx, jobs.Start{Tenant: swx.ID, UID: "04AABBCC", At: at})
	check(t, "start: "+started.Message, err == nil && started.Response == "ACCEPTED", true)
}

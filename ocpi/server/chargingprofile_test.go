package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

const profilesPath = "/ocpi/2.2.1/chargingprofiles"

func limit(kW int64) ocpi.ChargingProfile {
	return ocpi.ChargingProfile{ChargingRateUnit: ocpi.RateWatt, ChargingProfilePeriod: []ocpi.ChargingProfilePeriod{
		{StartPeriod: ocpi.Ptr(0), Limit: ocpi.Number(decimal.New(kW*1000, 0))},
	}}
}

func (w *world) profileOf(session string) db.ChargingProfile {
	w.t.Helper()
	p, err := w.db.ChargingProfile(w.ctx, db.ChargingProfileParams{CountryCode: "DE", PartyID: "CPO", SessionID: session})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// A CPO that this package did not write sets, reads and clears profiles and says what it does unasked, and takes charging
// preferences (CHP-01 to CHP-05, CHP-07, SES-19 to SES-21). Its complaints fail the test.
func TestChargingProfiles(t *testing.T) {
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
	point := cpo.Points()[0]
	started := w.start(jobs.Start{Tenant: swx.ID, UID: "04AABBCC", At: jobs.Place{Location: point.Location.ID, EVSE: point.EVSE.UID}})
	w.eventually("the session", func() bool { return w.command(started.ID).State == jobs.CommandConfirmed })
	id := cpo.Sessions()[0].ID
	session := jobs.Profiled{Tenant: swx.ID, Session: jobs.SessionRef{ID: id}, UID: "04AABBCC"}
	done := func(c db.Command, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		w.eventually("the result of "+c.Kind, func() bool { return w.command(c.ID).State == jobs.CommandAccepted })
		check(t, c.Kind+": waits for nothing", w.command(c.ID).DueAt == nil, true)
	}
	done(w.ops.SetChargingProfile(w.ctx, jobs.ByDriver, session, limit(7)))
	check(t, "wanted", strings.Contains(string(w.profileOf(string(id)).Wanted), "7000"), true)
	done(w.ops.ReadChargingProfile(w.ctx, jobs.ByDriver, session, 15*time.Minute))
	var active ocpi.ActiveChargingProfile
	if err := ocpi.Unmarshal(w.profileOf(string(id)).Active, &active); err != nil || *active.ChargingProfile.Duration != 900 {
		t.Errorf("active: %+v, %v", active, err)
	}
	done(w.ops.ClearChargingProfile(w.ctx, jobs.ByDriver, session))
	check(t, "nothing is wanted", w.profileOf(string(id)).Wanted == nil, true)
	w.pass(time.Minute)
	if err := cpo.PushActiveProfile(w.ctx, party(t, "DE*SWX"), id, ocpi.ActiveChargingProfile{StartDateTime: w.clock.now(), ChargingProfile: limit(11)}); err != nil {
		t.Fatal(err)
	}
	got := w.profileOf(string(id))
	check(t, "unasked", strings.Contains(string(got.Active), "11000") && got.ActiveAt.Equal(w.clock.now()), true)

	cheapTariff := cpo.Tariffs()[0]
	cheapTariff.ID, cheapTariff.Type = point.EVSE.Connectors[0].TariffIDs[0], ocpi.TariffProfileCheap
	if err := cpo.PutTariff(w.ctx, cheapTariff); err != nil {
		t.Fatal(err)
	}
	prefer := func(wish ocpi.ChargingPreferences) string {
		t.Helper()
		c, err := w.ops.PreferCharging(w.ctx, jobs.ByDriver, session, wish)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "waits for nothing", c.DueAt == nil, true)
		return c.State + " " + c.Response
	}
	cheap := ocpi.ChargingPreferences{ProfileType: ocpi.ProfileCheap}
	check(t, "no departure", prefer(cheap), "refused DEPARTURE_REQUIRED")
	cheap.DepartureTime = w.clock.now().Add(4 * time.Hour)
	check(t, "no need", prefer(cheap), "refused ENERGY_NEED_REQUIRED")
	cheap.EnergyNeed = ocpi.Number(decimal.New(20, 0))
	check(t, "complete", prefer(cheap), "accepted ACCEPTED")
	cpo.SetFaults(ocpitest.WireFaults{CommandFaults: ocpitest.CommandFaults{ObjectAnswer: true}})
	check(t, "in an object", prefer(cheap), "accepted ACCEPTED")

	// Each refusal in a row doubles the pause; nothing is sent during it (CHP-09).
	cpo.SetFaults(ocpitest.WireFaults{CommandFaults: ocpitest.CommandFaults{TooOften: true}})
	for _, pause := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
		c, err := w.ops.SetChargingProfile(w.ctx, jobs.ByDriver, session, limit(5))
		if err != nil || c.State != jobs.CommandRefused {
			t.Fatalf("too often: %+v, %v", c, err)
		}
		sent := len(cpo.Commands())
		w.pass(pause - time.Second)
		_, err = w.ops.SetChargingProfile(w.ctx, jobs.ByDriver, session, limit(5))
		check(t, "in the pause", reason(err), jobs.ReasonTooOften)
		check(t, "sent in the pause", len(cpo.Commands()), sent)
		w.pass(time.Second)
	}
	cpo.SetFaults(ocpitest.WireFaults{})
	done(w.ops.SetChargingProfile(w.ctx, jobs.ByDriver, session, limit(5)))
	check(t, "the pause is over", w.profileOf(string(id)).NotBefore == nil && w.profileOf(string(id)).Refusals == 0, true)
}

// What goes over the wire, and the results that are taken; nobody else can set a profile through us (CHP-01 to CHP-04, CHP-09,
// CHP-11, TRN-27).
func TestChargingProfileWire(t *testing.T) {
	w := newWorld(t)
	var last request
	swx, cpo := w.ready(func(r request) (int, string) { last = r; return accepted(r) })
	cpo.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	session := jobs.Profiled{Tenant: swx.ID, Session: jobs.SessionRef{ID: "s1"}}
	set, err := w.ops.SetChargingProfile(w.ctx, jobs.ByStaff, session, limit(7))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "set", last.method+" "+last.path, "PUT /chargingprofiles/S1")
	check(t, "response_url", last.responseURL, w.url+profilesPath+"/SET_PROFILE/"+set.ID.String())
	setURL := last.responseURL
	read, err := w.ops.ReadChargingProfile(w.ctx, jobs.ByStaff, session, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "read", last.method+" "+last.path+" "+last.query, "GET /chargingprofiles/S1 duration=3600&response_url="+url.QueryEscape(w.url+profilesPath+"/READ_PROFILE/"+read.ID.String()))
	readURL := last.responseURL
	cleared, err := w.ops.ClearChargingProfile(w.ctx, jobs.ByStaff, session)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "clear", last.method+" "+last.path+" "+last.query, "DELETE /chargingprofiles/S1 response_url="+url.QueryEscape(w.url+profilesPath+"/CLEAR_PROFILE/"+cleared.ID.String()))
	clearURL := last.responseURL

	other := w.registered(ocpi.RoleCPO, "DE*OTH")
	other.do(http.MethodPost, setURL, `{"result":"ACCEPTED"}`).want(404, 2001)
	cpo.do(http.MethodPost, profilesPath+"/SET_PROFILE/"+uuid.NewString(), `{"result":"ACCEPTED"}`).want(404, 2001)
	cpo.do(http.MethodPost, profilesPath+"/READ_PROFILE/"+set.ID.String(), `{"result":"ACCEPTED"}`).want(404, 2001)
	cpo.do(http.MethodPost, profilesPath+"/START_SESSION/"+set.ID.String(), `{"result":"ACCEPTED"}`).want(404, 2001)
	cpo.do(http.MethodPost, setURL, `{}`).want(200, 2001)
	cpo.do(http.MethodPost, readURL, `{"result":"ACCEPTED","profile":{"start_date_time":"x"}}`).want(200, 2001)
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPatch} { // the RECEIVER is not ours
		cpo.do(method, profilesPath+"/S1", nil).want(405, 2000)
	}
	a := cpo.do(http.MethodPost, setURL, `{"result":"REJECTED"}`).want(200, 1000)
	check(t, "data", string(a.data), "")
	check(t, "rejected", w.command(set.ID).State, jobs.CommandFailed)
	check(t, "nothing is wanted", w.count("SELECT count(*) FROM charging_profiles"), 0)
	cpo.do(http.MethodPost, readURL, `{"result":"UNKNOWN"}`).want(200, 1000)
	check(t, "unknown", w.command(read.ID).State, jobs.CommandFailed)
	w.work()
	w.pass(time.Minute)
	w.eventually("the end of the wait", func() bool { return w.command(cleared.ID).State == jobs.CommandUnanswered })
	cpo.do(http.MethodPost, clearURL, `{"result":"ACCEPTED"}`).want(200, 1000)
	check(t, "late", w.command(cleared.ID).State, jobs.CommandAccepted)
}

// What is not sent, and why (CHP-06, CHP-07, SES-19, LOC-25).
func TestChargingProfileGates(t *testing.T) {
	w := newWorld(t)
	asked := 0
	swx, cpo := w.ready(func(r request) (int, string) { asked++; return envelope(`"ACCEPTED"`) })
	swy := w.addTenant("DE*SWY")
	cpo.do(http.MethodPut, "/ocpi/2.2.1/locations/DE/CPO/PLAIN", change(t, locationJSON, "id", "PLAIN")).want(201, 1000)
	cpo.do(http.MethodPut, tariffPath, change(t, tariffJSON, "type", "PROFILE_GREEN")).want(201, 1000)
	priced := strings.Replace(strings.Replace(locationJSON, evseJSON, capableEVSE, 1), `"id":"1","standard"`, `"id":"1","tariff_ids":["T1"],"standard"`, 1)
	cpo.do(http.MethodPut, "/ocpi/2.2.1/locations/DE/CPO/PRICED", change(t, priced, "id", "PRICED")).want(201, 1000)
	for id, pairs := range map[string][]any{
		"S1": {}, "PENDING": {"status", "PENDING"}, "ENDED": {"status", "COMPLETED"}, "ATPLAIN": {"location_id", "PLAIN"}, "ATHOME": {"location_id", "HOME"},
		"PRICED": {"location_id", "PRICED"},
	} {
		cpo.do(http.MethodPut, "/ocpi/2.2.1/sessions/DE/CPO/"+id, change(t, sessionJSON, append(pairs, "id", id)...)).want(201, 1000)
	}
	set := func(tenant db.Tenant, by jobs.By, id, uid string, profile ocpi.ChargingProfile) error {
		_, err := w.ops.SetChargingProfile(w.ctx, by, jobs.Profiled{Tenant: tenant.ID, Session: jobs.SessionRef{ID: ocpi.CiString(id)}, UID: ocpi.CiString(uid)}, profile)
		return err
	}
	prefer := func(id string, profile ocpi.ProfileType) error {
		_, err := w.ops.PreferCharging(w.ctx, jobs.ByStaff, jobs.Profiled{Tenant: swx.ID, Session: jobs.SessionRef{ID: ocpi.CiString(id)}}, ocpi.ChargingPreferences{ProfileType: profile})
		return err
	}
	fine := limit(7)
	fine.ChargingProfilePeriod[0].Limit = ocpi.Number(decimal.New(700055, -2))
	unitless := limit(7)
	unitless.ChargingRateUnit = ""
	for name, test := range map[string]struct {
		err  error
		want jobs.Reason
	}{
		"no such session":      {set(swx, jobs.ByStaff, "S9", "", limit(7)), jobs.ReasonUnknownSession},
		"another utility":      {set(swy, jobs.ByStaff, "S1", "", limit(7)), jobs.ReasonUnknownSession},
		"another driver":       {set(swx, jobs.ByDriver, "S1", "OTHER", limit(7)), jobs.ReasonUnknownSession},
		"not charging yet":     {set(swx, jobs.ByStaff, "PENDING", "", limit(7)), jobs.ReasonNotRunning},
		"ended":                {set(swx, jobs.ByStaff, "ENDED", "", limit(7)), jobs.ReasonNotRunning},
		"not capable":          {set(swx, jobs.ByStaff, "ATPLAIN", "", limit(7)), jobs.ReasonNotCapable},
		"two decimals":         {set(swx, jobs.ByStaff, "S1", "", fine), jobs.ReasonInvalid},
		"no unit":              {set(swx, jobs.ByStaff, "S1", "", unitless), jobs.ReasonInvalid},
		"prefer what is not":   {prefer("S1", "SLOW"), jobs.ReasonInvalid},
		"prefer, not charging": {prefer("PENDING", ocpi.ProfileCheap), jobs.ReasonNotRunning},
		"prefer, not capable":  {prefer("ATPLAIN", ocpi.ProfileCheap), jobs.ReasonNotCapable},
		"prefer, no tariff":    {prefer("PRICED", ocpi.ProfileCheap), jobs.ReasonNotCapable},
	} {
		check(t, name, reason(test.err), test.want)
	}
	check(t, "asked", asked, 0)
	for name, err := range map[string]error{"a tariff for it": prefer("PRICED", ocpi.ProfileGreen), "no tariffs known": prefer("S1", ocpi.ProfileCheap), "at home": prefer("ATHOME", ocpi.ProfileCheap)} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	check(t, "asked", asked, 3)
}

// A CPO may say no to preferences in its own ways (SES-20, SES-21).
func TestChargingPreferencesAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		status      int
		body        string
		state, said string
	}{
		"not capable":      {404, `{"status_code":2001,"status_message":"not capable","timestamp":"2026-10-20T12:00:00Z"}`, "refused", ""},
		"not possible":     {200, `{"status_code":1000,"timestamp":"2026-10-20T12:00:00Z","data":"NOT_POSSIBLE"}`, "refused", "NOT_POSSIBLE"},
		"object":           {200, `{"status_code":1000,"timestamp":"2026-10-20T12:00:00Z","data":{"result":"PROFILE_TYPE_NOT_SUPPORTED"}}`, "refused", "PROFILE_TYPE_NOT_SUPPORTED"},
		"accepted":         {200, `{"status_code":1000,"timestamp":"2026-10-20T12:00:00Z","data":"ACCEPTED"}`, "accepted", "ACCEPTED"},
		"a word of theirs": {200, `{"status_code":1000,"timestamp":"2026-10-20T12:00:00Z","data":"LATER"}`, "refused", "LATER"},
	} {
		w := newWorld(t)
		asked := 0
		swx, cpo := w.ready(func(request) (int, string) { asked++; return test.status, test.body })
		cpo.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
		c, err := w.ops.PreferCharging(w.ctx, jobs.ByStaff, jobs.Profiled{Tenant: swx.ID, Session: jobs.SessionRef{ID: "S1"}}, ocpi.ChargingPreferences{ProfileType: ocpi.ProfileRegular})
		if err != nil {
			t.Fatal(err)
		}
		check(t, name, c.State+" "+c.Response, test.state+" "+test.said)
		w.pass(time.Hour)
		check(t, name+": asked once", asked, 1)
	}
}

// What a CPO says of a session unasked is taken from who delivers the session (CHP-05, RTG-19).
func TestActiveProfile(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	w.addTenant("DE*SWY")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	cpo.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	const active = `{"start_date_time":"2026-10-20T12:00:00Z","charging_profile":{"charging_rate_unit":"A","charging_profile_period":[{"start_period":0,"limit":16.0}]}}`
	cpo.do(http.MethodPut, profilesPath+"/S9", active).want(404, 2001)
	other.do(http.MethodPut, profilesPath+"/S1", active).want(404, 2001)
	cpo.to("DE*SWY", "DE*CPO").do(http.MethodPut, profilesPath+"/S1", active).want(404, 2001)
	cpo.do(http.MethodPut, profilesPath+"/S1", `{"charging_profile":{}}`).want(200, 2001)
	check(t, "stored", w.count("SELECT count(*) FROM charging_profiles"), 0)
	a := cpo.to("DE*SWX", "DE*CPO").do(http.MethodPut, profilesPath+"/s1", active).want(200, 1000)
	check(t, "data", string(a.data), "")
	check(t, "active", strings.Contains(string(w.profileOf("S1").Active), `"A"`), true)

	// Two operators behind a hub may have the same session id: the headers say whose it is.
	hub := w.registered(ocpi.RoleHub, "DE*HUB")
	for _, at := range []string{"ONE", "TWO"} {
		hub.do(http.MethodPut, "/ocpi/2.2.1/sessions/DE/"+at+"/S7", change(t, sessionJSON, "id", "S7", "party_id", at)).want(201, 1000)
	}
	hub.do(http.MethodPut, profilesPath+"/S7", active).want(404, 2001)
	hub.to("DE*SWX", "DE*TWO").do(http.MethodPut, profilesPath+"/S7", active).want(200, 1000)
	check(t, "whose", w.count("SELECT count(*) FROM charging_profiles WHERE party_id = 'TWO' AND session_id = 'S7'"), 1)
}

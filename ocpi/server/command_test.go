package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

const commandsPath = "/ocpi/2.2.1/commands"

// capableEVSE is the EVSE of locationJSON with everything that can be asked of one.
var capableEVSE = strings.Replace(evseJSON, `["RFID_READER"]`,
	`["REMOTE_START_STOP_CAPABLE","RESERVABLE","UNLOCK_CAPABLE","CHARGING_PROFILE_CAPABLE","CHARGING_PREFERENCES_CAPABLE"]`, 1)

// request is what the platform asked of a partner.
type request struct {
	method, path, query string
	header              http.Header
	body                map[string]any
	responseURL         string
}

// obliging is a registered partner that can be asked for something; its answers are what answer makes of a request: an HTTP
// status and a body. Its Location LOC1 is known.
func (w *world) obliging(kind ocpi.Role, at string, answer func(r request) (int, string)) *partner {
	w.t.Helper()
	p := w.invited(kind, at)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, hr *http.Request) {
		body, _ := io.ReadAll(hr.Body)
		r := request{method: hr.Method, path: hr.URL.EscapedPath(), query: hr.URL.RawQuery, header: hr.Header, responseURL: hr.URL.Query().Get("response_url")}
		_ = json.Unmarshal(body, &r.body)
		if url, ok := r.body["response_url"].(string); ok {
			r.responseURL = url
		}
		if r.method == http.MethodGet && r.responseURL == "" { // a list
			_, text := envelope("[]")
			_, _ = io.WriteString(rw, text)
			return
		}
		status, text := answer(r)
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, text)
	}))
	w.t.Cleanup(s.Close)
	endpoints := []any{map[string]any{"identifier": "credentials", "role": "RECEIVER", "url": p.platform.URL + "/2.2.1/credentials"}}
	for module, role := range map[string]string{"commands": "RECEIVER", "chargingprofiles": "RECEIVER", "sessions": "SENDER"} {
		endpoints = append(endpoints, map[string]any{"identifier": module, "role": role, "url": s.URL + "/" + module})
	}
	p.platform.details = map[string]any{"version": "2.2.1", "endpoints": endpoints}
	a := p.do(http.MethodPost, credentialsPath, p.platform.credentials("token-b-"+at, role(string(kind), at))).want(200, 1000)
	p.token = a.object()["token"].(string)
	return p
}

func envelope(data string) (int, string) {
	return 200, `{"status_code":1000,"timestamp":"2026-10-20T12:00:00Z","data":` + data + `}`
}

func accepted(request) (int, string) { return envelope(`{"result":"ACCEPTED","timeout":30}`) }

// ready is a utility with the card 04AABBCC and a CPO with LOC1 that is asked.
func (w *world) ready(answer func(r request) (int, string)) (db.Tenant, *partner) {
	w.t.Helper()
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	cpo := w.obliging(ocpi.RoleCPO, "DE*CPO", answer)
	cpo.do(http.MethodPut, locationPath, strings.Replace(locationJSON, evseJSON, capableEVSE, 1)).want(201, 1000)
	return swx, cpo
}

func startAt(swx db.Tenant) jobs.Start {
	return jobs.Start{Tenant: swx.ID, UID: "04aabbcc", At: jobs.Place{Location: "loc1", EVSE: "evse1"}}
}

func (w *world) start(s jobs.Start) db.Command {
	w.t.Helper()
	c, err := w.ops.StartSession(w.ctx, s)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) command(id uuid.UUID) db.Command {
	w.t.Helper()
	c, err := w.db.Command(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// timeline is what happened to a command.
func (w *world) timeline(id uuid.UUID) string {
	w.t.Helper()
	events, err := w.db.EventsOf(w.ctx, db.EventsOfParams{Subject: "command", SubjectID: id})
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.What)
	}
	return strings.Join(all, ", ")
}

// reason is why nothing was sent.
func reason(err error) jobs.Reason {
	var refusal *jobs.CommandError
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return jobs.Reason(fmt.Sprint(err))
}

// A CPO that this package did not write obeys: what is asked for shows in its sessions (CMD-01, CMD-02, CMD-06 to CMD-10,
// CMD-12, CMD-16, CMD-18, CMD-21, CMD-23, SES-12). Its complaints fail the test.
func TestCommands(t *testing.T) {
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
	at := jobs.Place{Location: point.Location.ID, EVSE: point.EVSE.UID}
	confirmed := func(c db.Command) db.Command {
		t.Helper()
		w.eventually("the confirmation of "+c.Kind, func() bool { c = w.command(c.ID); return c.State == jobs.CommandConfirmed && c.Result != "" })
		check(t, c.Kind+": waits for nothing", c.DueAt == nil, true)
		return c
	}

	start := confirmed(w.start(jobs.Start{Tenant: swx.ID, UID: "04AABBCC", At: at}))
	check(t, "answer and result", start.Response+start.Result, "ACCEPTEDACCEPTED")
	sent := cpo.Commands()[0].Start
	check(t, "token", string(sent.Token.UID+" "+sent.Token.ContractID), "04AABBCC DE-SWX-C04AABBCC")
	check(t, "reference", string(sent.AuthorizationReference), start.Reference.UUID.String())
	check(t, "session", start.SessionID, cpo.Sessions()[0].ID.Fold())
	check(t, "response_url", strings.HasPrefix(sent.ResponseURL, w.url+commandsPath+"/START_SESSION/"), true)

	stop, err := w.ops.StopSession(w.ctx, jobs.ByDriver, jobs.Stop{Tenant: swx.ID, Session: jobs.SessionRef{ID: ocpi.CiString(start.SessionID)}, UID: "04AABBCC"})
	if err != nil {
		t.Fatal(err)
	}
	confirmed(stop)
	check(t, "the session", string(cpo.Sessions()[0].Status), "COMPLETED")

	reserve, err := w.ops.ReserveNow(w.ctx, jobs.Reserve{Tenant: swx.ID, UID: "04AABBCC", At: at, Until: w.clock.now().Add(time.Hour), ID: "R1"})
	if err != nil {
		t.Fatal(err)
	}
	confirmed(reserve)
	check(t, "the reservation", string(cpo.Sessions()[1].Status), "RESERVATION")
	cancel, err := w.ops.CancelReservation(w.ctx, jobs.ByDriver, jobs.Cancel{Tenant: swx.ID, ID: "r1", UID: "04AABBCC"})
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the cancellation", func() bool { return w.command(cancel.ID).State == jobs.CommandAccepted })
	w.eventually("its session", func() bool { return cpo.Sessions()[1].Status == ocpi.SessionCompleted })

	reserve, err = w.ops.ReserveNow(w.ctx, jobs.Reserve{Tenant: swx.ID, UID: "04AABBCC", At: at, Until: w.clock.now().Add(time.Hour), ID: "R2"})
	if err != nil {
		t.Fatal(err)
	}
	confirmed(reserve)
	w.pass(time.Hour)
	if err := cpo.Expire(w.ctx, "R2"); err != nil { // CMD-16
		t.Fatal(err)
	}
	check(t, "an hour later", w.command(reserve.ID).State, jobs.CommandCancelled)
	check(t, "its result stays", w.command(reserve.ID).Result, "ACCEPTED")

	at.Connector = point.EVSE.Connectors[0].ID
	unlock, err := w.ops.UnlockConnector(w.ctx, jobs.ByStaff, swx.ID, at)
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the unlocking", func() bool { return w.command(unlock.ID).State == jobs.CommandAccepted })
	if got := w.timeline(unlock.ID); got != "sent, answered, result" && got != "sent, result, answered" { // CMD-19
		t.Errorf("timeline: %s", got)
	}
	check(t, "commands", len(cpo.Commands()), 6)
}

// What goes wrong with results and sessions at partners (FLT-07; CMD-15, CMD-17 to CMD-20, SES-12).
func TestCommandFaults(t *testing.T) {
	for name, test := range map[string]struct {
		faults   ocpitest.CommandFaults
		state    string // in the end
		timeline string
		later    string // and when the waits have ended
	}{
		"no timeout":               {ocpitest.CommandFaults{NoTimeout: true}, jobs.CommandConfirmed, "", jobs.CommandConfirmed},
		"result first":             {ocpitest.CommandFaults{ResultFirst: true}, jobs.CommandConfirmed, "sent, result, confirmed, answered", jobs.CommandConfirmed},
		"result twice":             {ocpitest.CommandFaults{ResultTwice: true, ResultFirst: true}, jobs.CommandConfirmed, "sent, result, result again, confirmed, answered", jobs.CommandConfirmed},
		"no reference":             {ocpitest.CommandFaults{NoReference: true}, jobs.CommandConfirmed, "", jobs.CommandConfirmed},
		"no result":                {ocpitest.CommandFaults{NoResult: true}, jobs.CommandForwarded, "sent, answered", jobs.CommandUnanswered},
		"no result, but it runs":   {ocpitest.CommandFaults{NoResult: true, HappensAnyway: true, ResultFirst: true}, jobs.CommandConfirmed, "sent, confirmed, answered", jobs.CommandConfirmed},
		"TIMEOUT":                  {ocpitest.CommandFaults{ResultTimeout: true}, jobs.CommandFailed, "", jobs.CommandFailed},
		"TIMEOUT, but it runs":     {ocpitest.CommandFaults{ResultTimeout: true, HappensAnyway: true, ResultFirst: true}, jobs.CommandConfirmed, "sent, result, confirmed, answered", jobs.CommandConfirmed},
		"runs, without reference":  {ocpitest.CommandFaults{ResultTimeout: true, HappensAnyway: true, NoReference: true}, jobs.CommandConfirmed, "", jobs.CommandConfirmed},
		"accepted, but no session": {ocpitest.CommandFaults{NothingHappens: true, ResultFirst: true}, jobs.CommandAccepted, "sent, result, answered", jobs.CommandUnconfirmed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			swx := w.addTenant("DE*SWX")
			w.issueCard(swx, "04AABBCC")
			cpo := w.startCPO("DE*CPO", ocpitest.WireFaults{CommandFaults: test.faults})
			i := w.invite(ocpi.RoleCPO, "DE*CPO")
			if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
				t.Fatal(err)
			}
			if err := cpo.Publish(w.ctx); err != nil {
				t.Fatal(err)
			}
			point := cpo.Points()[0]
			c := w.start(jobs.Start{Tenant: swx.ID, UID: "04AABBCC", At: jobs.Place{Location: point.Location.ID, EVSE: point.EVSE.UID}})
			w.eventually(test.state, func() bool { return w.command(c.ID).State == test.state })
			if test.timeline != "" {
				check(t, "timeline", w.timeline(c.ID), test.timeline)
			}
			w.work()
			w.pass(time.Hour)
			w.eventually(test.later, func() bool { return w.command(c.ID).State == test.later })
			w.settle()
			check(t, "in the end", w.command(c.ID).State, test.later)
			check(t, "sent once", len(cpo.Commands()), 1) // OFF-06
		})
	}
}

// What is not sent, and why (CMD-03, CMD-04, CMD-06, CMD-07, CMD-09, LOC-25, RTG-19, TEN-03).
func TestCommandGates(t *testing.T) {
	w := newWorld(t)
	asked := 0
	swx, cpo := w.ready(func(r request) (int, string) { asked++; return accepted(r) })
	swy := w.addTenant("DE*SWY")
	w.issueCard(swy, "YCARD")
	w.block(w.issueCard(swx, "BLOCKED"))
	fleet := w.issueCard(swx, "FLEET")
	if err := w.ops.RestrictContract(w.ctx, swx.ID, w.contractOf(fleet), jobs.Reach{CPO: party(t, "DE*CPO"), Location: "LOC2"}); err != nil {
		t.Fatal(err)
	}
	location := func(id, capabilities string) {
		evse := change(t, evseJSON, "capabilities", json.RawMessage(capabilities))
		body := change(t, locationJSON, "id", id, "evses", []json.RawMessage{json.RawMessage(evse), json.RawMessage(change(t, evse, "uid", "GONE", "status", "REMOVED"))})
		cpo.do(http.MethodPut, "/ocpi/2.2.1/locations/DE/CPO/"+id, body).want(201, 1000)
	}
	location("PLAIN", `[]`)
	location("PICKY", `["REMOTE_START_STOP_CAPABLE","START_SESSION_CONNECTOR_REQUIRED"]`)
	deaf := w.registered(ocpi.RoleCPO, "DE*OTH") // without commands
	deaf.do(http.MethodPut, "/ocpi/2.2.1/locations/DE/OTH/DEAF", change(t, strings.Replace(locationJSON, evseJSON, capableEVSE, 1), "party_id", "OTH", "id", "DEAF")).want(201, 1000)
	deaf.do(http.MethodPut, "/ocpi/2.2.1/locations/DE/OTH/PLAIN", change(t, locationJSON, "party_id", "OTH", "id", "PLAIN")).want(201, 1000)
	cpo.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	for id, pairs := range map[string][]any{
		"ENDED": {"status", "COMPLETED"}, "THEIRS": {"cdr_token.party_id", "SWY"}, "ATPLAIN": {"location_id", "PLAIN"}, "ATHOME": {"location_id", "HOME"},
	} {
		cpo.do(http.MethodPut, "/ocpi/2.2.1/sessions/DE/CPO/"+id, change(t, sessionJSON, append(pairs, "id", id)...)).want(201, 1000)
	}
	start := func(tenant db.Tenant, uid string, at jobs.Place) func() error {
		return func() error {
			_, err := w.ops.StartSession(w.ctx, jobs.Start{Tenant: tenant.ID, UID: ocpi.CiString(uid), At: at})
			return err
		}
	}
	reserve := func(at jobs.Place, until time.Duration, id string) func() error {
		return func() error {
			_, err := w.ops.ReserveNow(w.ctx, jobs.Reserve{Tenant: swx.ID, UID: "04AABBCC", At: at, Until: w.clock.now().Add(until), ID: ocpi.CiString(id)})
			return err
		}
	}
	stop := func(by jobs.By, tenant db.Tenant, id, uid string) func() error {
		return func() error {
			_, err := w.ops.StopSession(w.ctx, by, jobs.Stop{Tenant: tenant.ID, Session: jobs.SessionRef{ID: ocpi.CiString(id)}, UID: ocpi.CiString(uid)})
			return err
		}
	}
	unlock := func(by jobs.By, at jobs.Place) func() error {
		return func() error { _, err := w.ops.UnlockConnector(w.ctx, by, swx.ID, at); return err }
	}
	place := func(location, evse, connector string) jobs.Place {
		return jobs.Place{Location: ocpi.CiString(location), EVSE: ocpi.CiString(evse), Connector: ocpi.CiString(connector)}
	}
	here := place("LOC1", "EVSE1", "1")
	at := func(cpo string, p jobs.Place) jobs.Place { p.CPO = party(t, cpo); return p }
	for name, test := range map[string]struct {
		do   func() error
		want jobs.Reason
	}{
		"no such token":                {start(swx, "NOBODY", here), jobs.ReasonUnknownToken},
		"another utility's token":      {start(swx, "YCARD", here), jobs.ReasonUnknownToken},
		"a blocked token":              {start(swx, "BLOCKED", here), jobs.ReasonNotAuthorised},
		"a contract for elsewhere":     {start(swx, "FLEET", here), jobs.ReasonNotAuthorised},
		"no such location":             {start(swx, "04AABBCC", place("NOWHERE", "", "")), jobs.ReasonUnknownLocation},
		"no such EVSE":                 {start(swx, "04AABBCC", place("LOC1", "E9", "")), jobs.ReasonUnknownLocation},
		"a removed EVSE":               {start(swx, "04AABBCC", place("PICKY", "GONE", "")), jobs.ReasonUnknownLocation},
		"no such connector":            {start(swx, "04AABBCC", place("LOC1", "EVSE1", "9")), jobs.ReasonUnknownLocation},
		"a connector without EVSE":     {start(swx, "04AABBCC", place("LOC1", "", "1")), jobs.ReasonInvalid},
		"of two operators":             {start(swx, "04AABBCC", place("PLAIN", "", "")), jobs.ReasonAmbiguous},
		"of another operator":          {start(swx, "04AABBCC", at("DE*OTH", here)), jobs.ReasonUnknownLocation},
		"not remote":                   {start(swx, "04AABBCC", at("DE*CPO", place("PLAIN", "EVSE1", ""))), jobs.ReasonNotCapable},
		"nothing remote":               {start(swx, "04AABBCC", at("DE*CPO", place("PLAIN", "", ""))), jobs.ReasonNotCapable},
		"connector required":           {start(swx, "04AABBCC", place("PICKY", "EVSE1", "")), jobs.ReasonConnector},
		"EVSE and connector":           {start(swx, "04AABBCC", place("PICKY", "", "")), jobs.ReasonConnector},
		"no commands there":            {start(swx, "04AABBCC", place("DEAF", "EVSE1", "")), jobs.ReasonNotOffered},
		"reservation in the past":      {reserve(here, 0, ""), jobs.ReasonInvalid},
		"reservation with a long id":   {reserve(here, time.Hour, strings.Repeat("R", 37)), jobs.ReasonInvalid},
		"not reservable":               {reserve(place("PICKY", "EVSE1", ""), time.Hour, ""), jobs.ReasonNotCapable},
		"no such session":              {stop(jobs.ByStaff, swx, "S9", ""), jobs.ReasonUnknownSession},
		"another utility's session":    {stop(jobs.ByStaff, swx, "THEIRS", ""), jobs.ReasonUnknownSession},
		"another driver's session":     {stop(jobs.ByDriver, swx, "S1", "BLOCKED"), jobs.ReasonUnknownSession},
		"any session, as a driver":     {stop(jobs.ByDriver, swx, "S1", ""), jobs.ReasonUnknownSession},
		"a session that has ended":     {stop(jobs.ByStaff, swx, "ENDED", ""), jobs.ReasonNotRunning},
		"a session that is not remote": {stop(jobs.ByStaff, swx, "ATPLAIN", ""), jobs.ReasonNotCapable},
		"unlock by a driver":           {unlock(jobs.ByDriver, here), jobs.ReasonStaffOnly},
		"unlock without connector":     {unlock(jobs.ByStaff, place("LOC1", "EVSE1", "")), jobs.ReasonInvalid},
		"not unlockable":               {unlock(jobs.ByStaff, place("PICKY", "EVSE1", "1")), jobs.ReasonNotCapable},
		"no such reservation": {func() error {
			_, err := w.ops.CancelReservation(w.ctx, jobs.ByStaff, jobs.Cancel{Tenant: swx.ID, ID: "R9"})
			return err
		}, jobs.ReasonReservation},
	} {
		check(t, name, reason(test.do()), test.want)
	}
	check(t, "sent", asked, 0)
	check(t, "stored", w.count("SELECT count(*) FROM commands"), 0)

	// And what is: at a charger that was never published to us nothing can be known (LOC-24).
	for name, do := range map[string]func() error{
		"picky, with connector": start(swx, "04AABBCC", place("PICKY", "EVSE1", "1")), "a location": start(swx, "04AABBCC", place("LOC1", "", "")),
		"the driver's session": stop(jobs.ByDriver, swx, "S1", "04aabbcc"), "a session at home": stop(jobs.ByStaff, swx, "ATHOME", ""),
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	check(t, "sent", asked, 4)
	res, err := w.ops.ReserveNow(w.ctx, jobs.Reserve{Tenant: swx.ID, UID: "04AABBCC", At: here, Until: w.clock.now().Add(time.Hour)})
	if err != nil || len(res.ReservationID) != 36 {
		t.Errorf("reservation: %+v, %v", res, err)
	}
	for name, test := range map[string]struct {
		tenant db.Tenant
		by     jobs.By
		uid    string
	}{"another utility's": {swy, jobs.ByStaff, ""}, "another driver's": {swx, jobs.ByDriver, "FLEET"}} {
		_, err := w.ops.CancelReservation(w.ctx, test.by, jobs.Cancel{Tenant: test.tenant.ID, ID: ocpi.CiString(res.ReservationID), UID: ocpi.CiString(test.uid)})
		check(t, name+" reservation", reason(err), jobs.ReasonReservation)
	}
}

// What a CPO answers at once (CMD-10, CMD-11, OFF-06, STA-02 to STA-06).
func TestCommandAnswers(t *testing.T) {
	const at = `"timestamp":"2026-10-20T12:00:00Z"`
	for name, test := range map[string]struct {
		status   int
		body     string
		state    string
		response string
		wait     time.Duration // 0: none
	}{
		"accepted":                 {200, `{"status_code":1000,` + at + `,"data":{"result":"ACCEPTED","timeout":30}}`, "forwarded", "ACCEPTED", 30 * time.Second},
		"accepted, no timeout":     {200, `{"status_code":1000,` + at + `,"data":{"result":"ACCEPTED"}}`, "forwarded", "ACCEPTED", 2 * time.Minute},
		"accepted for an age":      {200, `{"status_code":1000,` + at + `,"data":{"result":"ACCEPTED","timeout":2000000000}}`, "forwarded", "ACCEPTED", time.Hour},
		"accepted, no envelope":    {200, `{"result":"ACCEPTED","timeout":30}`, "forwarded", "ACCEPTED", 30 * time.Second},
		"rejected":                 {200, `{"status_code":1000,` + at + `,"data":{"result":"REJECTED","timeout":0,"message":[{"language":"de","text":"Besetzt"}]}}`, "refused", "REJECTED", 0},
		"not supported":            {200, `{"status_code":1000,` + at + `,"data":{"result":"NOT_SUPPORTED","timeout":0}}`, "refused", "NOT_SUPPORTED", 0},
		"unknown answer":           {200, `{"status_code":1000,` + at + `,"data":{"result":"BUSY","timeout":0}}`, "refused", "BUSY", 0},
		"2003 with REJECTED":       {200, `{"status_code":2003,` + at + `,"data":{"result":"REJECTED"}}`, "refused", "REJECTED", 0},
		"2003 with ACCEPTED":       {200, `{"status_code":2003,` + at + `,"data":{"result":"ACCEPTED","timeout":5}}`, "refused", "", 0},
		"2001 without data":        {200, `{"status_code":2001,"status_message":"bad",` + at + `}`, "refused", "", 0},
		"2004":                     {200, `{"status_code":2004,` + at + `,"data":null}`, "refused", "", 0},
		"3000":                     {200, `{"status_code":3000,` + at + `}`, "refused", "", 0},
		"hub does not know it":     {200, `{"status_code":4001,` + at + `}`, "refused", "", 0},
		"hub's forward timed out":  {200, `{"status_code":4002,` + at + `}`, "sent", "", 2 * time.Minute},
		"hub cannot reach it":      {200, `{"status_code":4003,` + at + `}`, "refused", "", 0},
		"404":                      {404, `{"status_code":2000,` + at + `}`, "refused", "", 0},
		"401":                      {401, ``, "refused", "", 0},
		"500":                      {500, `<html>`, "refused", "", 0},
		"504":                      {504, ``, "sent", "", 2 * time.Minute},
		"no message":               {200, `<html>`, "sent", "", 2 * time.Minute},
		"1000 without an answer":   {200, `{"status_code":1000,` + at + `}`, "sent", "", 2 * time.Minute},
		"1000 with another object": {200, `{"status_code":1000,` + at + `,"data":[]}`, "sent", "", 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			asked := 0
			swx, cpo := w.ready(func(request) (int, string) { asked++; return test.status, test.body })
			c := w.start(startAt(swx))
			check(t, "state", c.State, test.state)
			check(t, "response", c.Response, test.response)
			check(t, "message", c.Message != "", test.response == "" || name == "rejected")
			wait := time.Duration(0)
			if c.DueAt != nil {
				wait = c.DueAt.Sub(w.clock.now())
			}
			check(t, "wait", wait, test.wait)
			w.pass(2 * time.Hour)
			w.work()
			if test.wait > 0 {
				w.eventually("the end of the wait", func() bool { return w.command(c.ID).State == jobs.CommandUnanswered })
			}
			check(t, "sent once", asked, 1)
			// Whatever it said: the session that starts all the same is taken, and shown for what it is (CMD-17).
			cpo.do(http.MethodPut, sessionPath, change(t, sessionJSON, "authorization_reference", strings.ToUpper(c.Reference.UUID.String()))).want(201, 1000)
			check(t, "in the end", w.command(c.ID).State, jobs.CommandConfirmed)
			check(t, "session", w.command(c.ID).SessionID, "S1")
		})
	}
}

// A CPO that is not there was not asked; one that does not answer in time may have been (OFF-06).
func TestCommandUnreachable(t *testing.T) {
	w := newWorld(t)
	block := make(chan struct{})
	swx, _ := w.ready(func(r request) (int, string) { <-block; return accepted(r) })
	quick := *w.ops
	quick.Client = client.New(client.Options{AllowPrivate: true, Timeout: 2 * time.Second})
	c, err := quick.StartSession(w.ctx, startAt(swx))
	close(block)
	if err != nil || c.State != jobs.CommandSent || c.DueAt == nil {
		t.Errorf("no answer: %+v, %v", c, err)
	}
	again := w.start(startAt(swx))
	check(t, "is not sent again while it may be running", again.ID, c.ID)

	gone := w.obliging(ocpi.RoleCPO, "DE*GON", accepted)
	gone.do(http.MethodPut, "/ocpi/2.2.1/locations/DE/GON/AWAY", change(t, strings.Replace(locationJSON, evseJSON, capableEVSE, 1), "party_id", "GON", "id", "AWAY")).want(201, 1000)
	w.change(`UPDATE partners SET endpoints = replace(endpoints::text, 'http://127.0.0.1', 'http://127.0.0.1:1/')::jsonb WHERE id = $1`, gone.id)
	c = w.start(jobs.Start{Tenant: swx.ID, UID: "04AABBCC", At: jobs.Place{Location: "AWAY"}})
	check(t, "no connection", c.State, jobs.CommandRefused)
}

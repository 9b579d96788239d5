package server_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// A session that has ended and has no CDR after two days is told, and the CDR is looked for where it may be (CDR-27).
func TestMissingCDR(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO")})
	w.pass(time.Hour)
	w.work()
	w.pulled("CPO DE*CPO")
	var session ocpi.Session
	if err := ocpi.Unmarshal([]byte(sessionJSON), &session); err != nil {
		t.Fatal(err)
	}
	put := func(id ocpi.CiString, status ocpi.SessionStatus, kwh int) {
		t.Helper()
		s := session
		s.ID, s.Status = id, status
		if kwh == 0 {
			s.KWh.Decimal = decimal.Zero
		}
		if err := cpo.PutSession(w.ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	put("S1", ocpi.SessionCompleted, 1)
	put("RUNS", ocpi.SessionActive, 1)
	put("NOTHING", ocpi.SessionCompleted, 0) // a reservation that nobody used
	var cdr ocpi.CDR
	if err := ocpi.Unmarshal([]byte(cdrJSON), &cdr); err != nil {
		t.Fatal(err)
	}
	w.pass(47 * time.Hour)
	w.look()
	check(t, "alerts after 47 hours", w.alerts(jobs.AlertMissingCDR), 0)
	w.pulled("CPO DE*CPO")
	w.pass(2 * time.Hour)
	w.look()
	check(t, "alerts after 49 hours", w.alerts(jobs.AlertMissingCDR), 1)
	rows, err := w.db.AlertList(w.ctx, db.AlertListParams{OpenOnly: true, MaxRows: 10})
	if err != nil || len(rows) != 1 || rows[0].Alert.Subject != "sessions/DE*CPO/S1" || rows[0].Alert.TenantID.UUID != swx.ID {
		t.Fatalf("alerts: %+v, %v", rows, err)
	}
	check(t, "in German", jobs.AlertText(rows[0].Alert, "de"), "Zum Ladevorgang DE*CPO/S1 (1.5 kWh, beendet vor mehr als 49 Stunden) fehlt der Abrechnungsdatensatz.")
	check(t, "in English", jobs.AlertText(rows[0].Alert, "en"), "The CDR of session DE*CPO/S1 (1.5 kWh, ended more than 49 hours ago) is missing.")
	w.pulled("CPO DE*CPO")
	check(t, "CDRs", w.count("SELECT count(*) FROM cdrs"), 0)

	// The CPO finds it, with the date that it has, and its push is lost. What is older than the cursor is not looked at again
	// unless a session is newly missed.
	cpo.SetFaults(ocpitest.WireFaults{LosesPushes: true})
	if _, err := cpo.PostCDR(w.ctx, cdr); err != nil {
		t.Fatal(err)
	}
	w.pull("CPO DE*CPO", ocpi.ModuleCDRs, false)
	check(t, "CDRs after a delta", w.count("SELECT count(*) FROM cdrs"), 0)
	w.change("DELETE FROM alerts")
	w.pass(time.Hour)
	w.look()
	w.eventually("the CDR", func() bool { return w.count("SELECT count(*) FROM cdrs") == 1 })
	w.pass(time.Hour)
	w.look()
	check(t, "alerts when the CDR is there", w.alerts(jobs.AlertMissingCDR), 0)
}

// A CDR without a session belongs to the one of its card and start (CDR-13).
func TestCDRWithoutSessionID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodPut, "/ocpi/2.2.1/sessions/DE/CPO/S1", change(t, sessionJSON, "status", "COMPLETED")).want(201, 1000)
	cpo.do(http.MethodPost, "/ocpi/2.2.1/cdrs", change(t, cdrJSON, "session_id", nil)).want(201, 1000)
	w.pass(72 * time.Hour)
	w.look()
	check(t, "alerts", w.alerts(jobs.AlertMissingCDR), 0)
}

// A partner whose CDRs have stopped is told, after three times the longest pause that is usual for it.
func TestSilentPartner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, quiet := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*QUI")
	post := func(n int) {
		cpo.do(http.MethodPost, "/ocpi/2.2.1/cdrs", change(t, cdrJSON, "id", fmt.Sprint("CDR", n), "session_id", nil)).want(201, 1000)
	}
	quiet.do(http.MethodPost, "/ocpi/2.2.1/cdrs", change(t, cdrJSON, "party_id", "QUI")).want(201, 1000)
	for n := range 12 {
		post(n)
		w.pass(4 * time.Hour)
	}
	w.pass(7 * time.Hour) // eleven since the last
	w.look()
	check(t, "alerts after eleven hours", w.alerts(jobs.AlertSilent), 0)
	w.pass(2 * time.Hour)
	w.look()
	check(t, "alerts after thirteen hours", w.alerts(jobs.AlertSilent), 1)
	w.pass(time.Hour)
	w.look()
	check(t, "one alert", w.count("SELECT count(*) FROM alerts WHERE kind = 'silent'"), 1)
	for _, days := range []time.Duration{25, 2, 5} { // the span in which CDRs are counted has few of them, then none
		w.pass(days * day)
		w.look()
		check(t, fmt.Sprintf("alerts %d days later", days), w.alerts(jobs.AlertSilent), 1)
	}
	post(99)
	w.pass(time.Hour)
	w.look()
	check(t, "alerts when CDRs come again", w.alerts(jobs.AlertSilent), 0)
}

// Push, pull, lost and repeated messages, in any order and all at once, end where the messages one after the other end
// (CDR-08, OWN-14 to OWN-16).
func TestPushAndPullConverge(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	calm, wild := newWorld(t), newWorld(t)
	for _, w := range []*world{calm, wild} {
		w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	}
	calmly := calm.registered(ocpi.RoleCPO, "DE*CPO")
	cpo := wild.register(ocpitest.Options{Party: party(t, "DE*CPO"), Page: 3, Faults: ocpitest.WireFaults{LosesPushes: true}})
	for _, l := range cpo.Locations() {
		cpo.Lose(l.ID)
	}
	for _, tariff := range cpo.Tariffs() {
		cpo.Lose(tariff.ID)
	}
	partner := wild.partnerOf("CPO DE*CPO")
	wild.pass(time.Minute)

	var messages []jobs.Inbound
	say := func(method, path, body string) {
		messages = append(messages, jobs.Inbound{Partner: partner.ID, Method: method, Path: path, Body: []byte(body)})
		want := 200
		if method == http.MethodPost || strings.Contains(body, "first") {
			want = 201
		}
		calmly.do(method, "/ocpi/2.2.1/"+path, body).want(want, 1000)
	}
	at := func(n int) string { return time.Date(2026, 10, 2, 0, n, 0, 0, time.UTC).Format(time.RFC3339) }
	for i := range 8 {
		id := fmt.Sprint("X", i)
		for version := range 4 {
			city := "first"
			if version > 0 {
				city = fmt.Sprint("Ort ", version)
			}
			location := change(t, locationJSON, "id", id, "city", city, "last_updated", at(3*version))
			say(http.MethodPut, "locations/DE/CPO/"+id, location)
			say(http.MethodPatch, "locations/DE/CPO/"+id+"/EVSE1", fmt.Sprintf(`{"status":"%s","last_updated":"%s"}`, []string{"CHARGING", "AVAILABLE"}[version%2], at(3*version+1)))
			say(http.MethodPut, "tariffs/DE/CPO/"+id, change(t, tariffJSON, "id", id, "currency", "EUR", "last_updated", at(3*version), "x_city", city))
			say(http.MethodPut, "sessions/DE/CPO/"+id, change(t, sessionJSON, "id", id, "kwh", version, "last_updated", at(3*version), "x_city", city))
			say(http.MethodPatch, "sessions/DE/CPO/"+id, fmt.Sprintf(`{"kwh":%d.5,"last_updated":"%s"}`, version, at(3*version+1)))
		}
		say(http.MethodPost, "cdrs", change(t, cdrJSON, "id", id))
	}
	// The lists of the CPO show how it ends.
	for i := range 8 {
		id := ocpi.CiString(fmt.Sprint("X", i))
		location, err := calm.db.Location(calm.ctx, db.LocationParams{CountryCode: "DE", PartyID: "CPO", LocationID: string(id)})
		mustStock(t, err, location.Doc, func(l ocpi.Location) error { return cpo.PutLocation(wild.ctx, l) })
		tariff, err := calm.db.CurrentTariff(calm.ctx, db.CurrentTariffParams{CountryCode: "DE", PartyID: "CPO", TariffID: string(id)})
		mustStock(t, err, tariff.Doc, func(t ocpi.Tariff) error { return cpo.PutTariff(wild.ctx, t) })
		session, err := calm.db.Session(calm.ctx, db.SessionParams{CountryCode: "DE", PartyID: "CPO", SessionID: string(id)})
		mustStock(t, err, session.Doc, func(s ocpi.Session) error { return cpo.PutSession(wild.ctx, s) })
		mustStock(t, nil, []byte(change(t, cdrJSON, "id", string(id))), func(c ocpi.CDR) error { _, err := cpo.PostCDR(wild.ctx, c); return err })
	}
	messages = append(messages, messages[:len(messages)/2]...)
	random.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
	messages = messages[:len(messages)*9/10] // some are lost
	wild.work()
	var group sync.WaitGroup
	for part := range 4 {
		group.Go(func() {
			for i := part; i < len(messages); i += 4 {
				if _, err := wild.door.Receive(wild.ctx, messages[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	wild.pulled("CPO DE*CPO")
	wild.pull("CPO DE*CPO", "", true)
	for _, what := range []string{
		"SELECT count(*) FROM cdrs", "SELECT count(*) FROM locations", "SELECT count(*) FROM tariffs WHERE valid_to IS NULL", "SELECT count(*) FROM sessions",
		"SELECT sum(hashtext((doc - 'x')::text)) FROM locations", "SELECT sum(hashtext(doc::text)) FROM tariffs WHERE valid_to IS NULL",
		"SELECT sum(hashtext(doc::text)) FROM sessions", "SELECT sum(hashtext(country_code || party_id || ocpi_id || kwh || claimed || token_uid)) FROM cdr_states",
	} {
		check(t, what, wild.count(what), calm.count(what))
	}
	check(t, "Locations", wild.count("SELECT count(*) FROM locations WHERE city = 'Ort 3'"), 8)
}

func mustStock[T any](t *testing.T, err error, doc []byte, put func(T) error) {
	t.Helper()
	var v T
	if err == nil {
		err = ocpi.Unmarshal(doc, &v)
	}
	if err == nil {
		err = put(v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// One EVSE at two Locations of a CPO is taken and told, until it stands at one (LOC-27). What is removed, and what another CPO
// calls the same, does not count.
func TestEVSEAtTwoLocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	put := func(p *partner, at, id, uid, status, day string) {
		t.Helper()
		evse := strings.ReplaceAll(strings.ReplaceAll(evseJSON, "EVSE1", uid), "AVAILABLE", status)
		body := strings.ReplaceAll(strings.ReplaceAll(change(t, locationJSON, "id", id, "party_id", at, "evses", []any{json.RawMessage(evse)}), "2026-10-01", day), "LOC1", id)
		if a := p.do(http.MethodPut, "/ocpi/2.2.1/locations/DE/"+at+"/"+id, body); a.code != 1000 {
			t.Fatalf("%s: %s", id, a.body)
		}
	}
	look := func() int { w.clock.add(time.Hour); w.look(); return w.alerts(jobs.AlertEVSETwice) }
	put(cpo, "CPO", "LOC1", "EVSE1", "AVAILABLE", "2026-10-01")
	put(other, "OTH", "LOC1", "EVSE1", "AVAILABLE", "2026-10-01")
	put(cpo, "CPO", "LOC2", "EVSE1", "REMOVED", "2026-10-01")
	check(t, "alerts while each is at one", look(), 0)
	put(cpo, "CPO", "LOC2", "evse1", "CHARGING", "2026-10-02")
	check(t, "alerts while one is at two", look(), 1)
	check(t, "alerts an hour later", look(), 1)
	rows, err := w.db.AlertList(w.ctx, db.AlertListParams{OpenOnly: true, MaxRows: 10})
	if err != nil || len(rows) != 1 || rows[0].Alert.PartnerID != cpo.id {
		t.Fatalf("%+v, %v", rows, err)
	}
	check(t, "in English", jobs.AlertText(rows[0].Alert, "en"), "DE*CPO lists 1 EVSEs at several Locations, for example EVSE1 at LOC1, LOC2. Sessions there cannot be told apart.")
	put(cpo, "CPO", "LOC1", "EVSE1", "REMOVED", "2026-10-03")
	check(t, "alerts when it has moved", look(), 0)
}

// For how long a CDR is waited for, and how late it may come, is agreed with each partner.
func TestAgreedAgeOfCDRs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	short, long := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*LNG")
	for p, days := range map[*partner]int32{short: 3, long: 365} {
		if err := w.ops.SetCDRDays(w.ctx, p.id, days); err != nil {
			t.Fatal(err)
		}
	}
	if w.ops.SetCDRDays(w.ctx, short.id, -1) == nil || w.ops.SetCDRDays(w.ctx, short.id, 3651) == nil {
		t.Error("any number of days")
	}
	ended := change(t, sessionJSON, "status", "COMPLETED")
	short.do(http.MethodPut, sessionPath, ended).want(201, 1000)
	long.do(http.MethodPut, strings.Replace(sessionPath, "CPO", "LNG", 1), change(t, ended, "party_id", "LNG")).want(201, 1000)
	for _, step := range []struct {
		after  time.Duration
		alerts int
	}{{49 * time.Hour, 2}, {2 * day, 1}, {100 * day, 1}, {300 * day, 0}} {
		w.clock.add(step.after)
		w.look()
		check(t, "alerts after "+step.after.String(), w.alerts(jobs.AlertMissingCDR), step.alerts)
	}
	w.clock.add(-400 * day)
	w.work()
	late := func(p *partner, at, id string, days int) bool {
		t.Helper()
		end := w.clock.now().AddDate(0, 0, -days)
		body := change(t, cdrJSON, "id", id, "party_id", at, "start_date_time", end.Add(-time.Hour), "end_date_time", end, "charging_periods",
			[]any{map[string]any{"start_date_time": end.Add(-time.Hour), "tariff_id": "T1", "dimensions": []any{map[string]any{"type": "ENERGY", "volume": 10}, map[string]any{"type": "TIME", "volume": 1}}}})
		p.do(http.MethodPost, cdrsPath, body).want(201, 1000)
		var state db.CDRState
		w.eventually("a decision on "+id, func() bool {
			var err error
			state, err = w.db.CDRStateByIdentity(w.ctx, db.CDRStateByIdentityParams{CountryCode: "DE", PartyID: at, OCPIID: id})
			return err == nil && state.State != "received"
		})
		return slices.Contains(state.Flags, "P25")
	}
	check(t, "late after two days of three", late(short, "CPO", "A", 2), false)
	check(t, "late after four days of three", late(short, "CPO", "B", 4), true)
	check(t, "late within the year that was agreed", late(long, "LNG", "A", 200), false)
	check(t, "usual again", w.ops.SetCDRDays(w.ctx, long.id, 0), nil)
	check(t, "late after a quarter", late(long, "LNG", "B", 200), true)
}

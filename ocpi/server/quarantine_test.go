package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

func (w *world) quarantined(p *partner) []db.QuarantineListRow {
	w.t.Helper()
	rows, err := w.db.QuarantineList(w.ctx, db.QuarantineListParams{PartnerID: uuid.NullUUID{UUID: p.id, Valid: true}, MaxRows: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// What is refused for what it says is kept with the reason that the partner was told (TRN-23, TRN-24, CDR-02, CDR-07, SES-14).
func TestQuarantine(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, hub := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleHub, "DE*HUB")
	cpo.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	cpo.do(http.MethodPost, cdrsPath, cdrJSON).want(201, 1000)
	for name, test := range map[string]struct {
		p            *partner
		method, path string
		body         string
		http, code   int
		field        string // error_path
	}{
		"Location":        {cpo, http.MethodPut, locationPath, change(t, locationJSON, "city", nil), 200, 2001, "city"},
		"EVSE patch":      {cpo, http.MethodPatch, evsePath, `{"status":"CHARGING"}`, 200, 2001, "last_updated"},
		"no JSON":         {cpo, http.MethodPut, tariffPath, `{"id":`, 400, 2001, ""},
		"wrong shape":     {cpo, http.MethodPut, tariffPath, `[]`, 200, 2001, ""},
		"tariff":          {cpo, http.MethodPut, tariffPath, change(t, tariffJSON, "id", "T2"), 200, 2001, "id"},
		"session":         {cpo, http.MethodPatch, sessionPath, `{"kwh":"much","last_updated":"2026-10-20T12:00:00Z"}`, 200, 2001, "kwh"},
		"foreign session": {cpo, http.MethodPut, sessionPath, change(t, sessionJSON, "cdr_token.party_id", "XXX"), 200, 2004, ""},
		"CDR":             {cpo, http.MethodPost, cdrsPath, change(t, cdrJSON, "id", "C2", "total_cost", nil), 200, 2001, "total_cost.excl_vat"},
		"another CDR":     {cpo, http.MethodPost, cdrsPath, change(t, cdrJSON, "currency", "CHF"), 200, 2001, "id"},
		"unknown utility": {cpo.to("DE*YYY", "DE*CPO"), http.MethodPost, cdrsPath, change(t, cdrJSON, "id", "C3"), 200, 2001, "OCPI-to-party-id"},
		"client info":     {hub, http.MethodPut, "/ocpi/2.2.1/hubclientinfo/NL/BHD", `{"country_code":"NL"}`, 200, 2001, "party_id"},
		"odd bytes":       {cpo, http.MethodPut, locationPath, "{\"id\":\"\xff\x00\"}", 400, 2001, ""},
	} {
		if err := dbtest.Exec(w.ctx, w.dbURL, "DELETE FROM quarantine"); err != nil {
			t.Fatal(err)
		}
		a := test.p.do(test.method, test.path, test.body).want(test.http, test.code)
		rows := w.quarantined(test.p)
		if len(rows) != 1 {
			t.Errorf("%s: %d rows", name, len(rows))
			continue
		}
		row := rows[0]
		if row.State != "open" || row.Count != 1 || row.Message != a.message || row.ErrorPath != test.field || row.ErrorRule == "" || row.Method != test.method || row.Path != test.path ||
			int(row.HTTPStatus) != test.http || int(row.StatusCode) != test.code {
			t.Errorf("%s: %+v\n%s", name, row, a.body)
		}
		kept, err := w.db.QuarantinedMessage(w.ctx, row.ID)
		if err != nil || string(kept.Body) != test.body {
			t.Errorf("%s: kept %q, %v", name, kept.Body, err)
		}
		if err := w.log.Flush(w.ctx); err != nil {
			t.Fatal(err)
		}
		if m, err := w.db.Message(w.ctx, db.MessageParams{ID: row.MessageID}); err != nil || m.Message.Outcome != "refused" || string(m.Message.Request) != test.body {
			t.Errorf("%s: in the log %+v, %v", name, m.Message, err)
		}
	}
}

// What is no message about an object, or cannot be mended, is not kept.
func TestNotQuarantined(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, guest := w.registered(ocpi.RoleCPO, "DE*CPO"), w.invited(ocpi.RoleCPO, "DE*GST")
	cpo.do(http.MethodPut, "/ocpi/2.2.1/credentials", `{"token":"s3cret"}`).want(200, 2001)
	cpo.do(http.MethodPost, tokensPath+"/04AA/authorize", `{"location_id":1,"evse_uids":7}`).want(200, 2001)
	cpo.do(http.MethodPatch, evsePath, `{"status":"CHARGING","last_updated":"2026-10-20T12:00:00Z"}`).want(404, 2003)
	cpo.do(http.MethodPut, "/ocpi/2.2.1/locations/NL/OTH/LOC1", change(t, locationJSON, "country_code", "NL", "party_id", "OTH")).want(404, 2001)
	cpo.do(http.MethodDelete, tariffPath, nil).want(404, 2001)
	cpo.do(http.MethodPost, locationPath, locationJSON).want(405, 2000)
	cpo.with("Content-Encoding", "gzip").do(http.MethodPut, locationPath, locationJSON).want(400, 2001)
	guest.do(http.MethodPut, locationPath, `{}`).want(401, 2000)
	if n, err := dbtest.Count(w.ctx, w.dbURL, "SELECT count(*) FROM quarantine"); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// A flood of one broken message is one row; once it is replayed and comes again it is open again, once dismissed it is not.
func TestQuarantineOfAFlood(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	broken := change(t, locationJSON, "city", nil)
	for range 50 {
		cpo.do(http.MethodPut, locationPath, broken).want(200, 2001)
	}
	w.pass(time.Hour)
	cpo.do(http.MethodPut, locationPath, broken).want(200, 2001)
	cpo.do(http.MethodPut, locationPath, change(t, locationJSON, "address", nil)).want(200, 2001)
	rows := w.quarantined(cpo)
	if len(rows) != 2 || rows[0].Count+rows[1].Count != 52 {
		t.Fatalf("%+v", rows)
	}
	row := rows[0]
	if row.Count == 1 {
		row = rows[1]
	}
	if row.Count != 51 || row.LastAt.Sub(row.FirstAt) != time.Hour {
		t.Errorf("%+v", row)
	}
	for _, test := range []struct{ state, then string }{{"replayed", "open"}, {"dismissed", "dismissed"}} {
		before := w.quarantinedMessage(row.ID)
		n, err := w.db.ResolveQuarantined(w.ctx, db.ResolveQuarantinedParams{ID: row.ID, Count: before.Count, State: test.state, Resolution: "x", ResolvedBy: "erika", Now: w.clock.now()})
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		cpo.do(http.MethodPut, locationPath, broken).want(200, 2001)
		after := w.quarantinedMessage(row.ID)
		if after.State != test.then || after.Count != before.Count+1 || (after.ResolvedBy == "") != (test.then == "open") {
			t.Errorf("%s: %+v", test.state, after)
		}
	}
}

func (w *world) quarantinedMessage(id uuid.UUID) db.Quarantine {
	w.t.Helper()
	row, err := w.db.QuarantinedMessage(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

// replay takes a message out of quarantine.
func (w *world) replay(id uuid.UUID) (jobs.Receipt, error) {
	w.t.Helper()
	return w.ops.Replay(jobs.WithActor(w.ctx, "erika@example.org"), w.door.Receive, id)
}

// A message is replayed by the same way as it came: to the same addressee, and with what is tolerated today.
func TestReplay(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	w.setQuirk(cpo, ocpi.QuirkTextForNumber, "off")
	cpo.to("DE*SWX", "DE*CPO").do(http.MethodPost, cdrsPath, change(t, cdrJSON, "total_time", "1")).want(200, 2001)
	cpo.to("DE*SWY", "DE*CPO").do(http.MethodPut, sessionPath, change(t, sessionJSON, "cdr_token.party_id", "SWY")).want(200, 2001)
	cpo.do(http.MethodPut, tariffPath, change(t, tariffJSON, "elements", nil)).want(200, 2001)
	id := map[string]uuid.UUID{}
	for _, row := range w.quarantined(cpo) {
		id[row.Module] = row.ID
	}
	replay := func(module string, want bool) db.Quarantine {
		t.Helper()
		receipt, err := w.replay(id[module])
		if err != nil || receipt.Taken() != want {
			t.Fatalf("%s: %+v, %v", module, receipt, err)
		}
		return w.quarantinedMessage(id[module])
	}
	// Nothing has changed: it stays, and does not count as come again.
	if row := replay("cdrs", false); row.State != "open" || row.Count != 1 || row.ErrorPath != "total_time" {
		t.Errorf("%+v", row)
	}
	w.setQuirk(cpo, ocpi.QuirkTextForNumber, "auto")
	if row := replay("cdrs", true); row.State != "replayed" || row.Count != 1 || row.ResolvedBy != "erika@example.org" || row.ResolvedAt == nil {
		t.Errorf("%+v", row)
	}
	check(t, "tenant of the CDR", w.cdrState("CDR1").TenantID, swx.ID)
	check(t, "the CDR is to be rated", w.rung(jobs.CDRRate), 1)

	// The addressee that was unknown then.
	if row := replay("sessions", false); row.ErrorPath != "OCPI-to-party-id" {
		t.Errorf("%+v", row)
	}
	w.addTenant("DE*SWY")
	replay("sessions", true)
	cpo.do(http.MethodGet, sessionPath, nil).want(200, 1000)

	if row := replay("tariffs", false); row.ErrorPath != "elements" || row.State != "open" {
		t.Errorf("%+v", row)
	}
	// A replay is logged, as one that came: whoever traces the CDR sees it.
	if err := w.log.Flush(w.ctx); err != nil {
		t.Fatal(err)
	}
	found, err := w.db.MessagesOfObjects(w.ctx, db.MessagesOfObjectsParams{Objects: []string{"cdrs/DE*CPO/CDR1"}, MaxRows: 9})
	if err != nil || len(found) != 3 || found[2].Message.Outcome != "noted" {
		t.Errorf("%d messages, %v", len(found), err)
	}
}

// What we fetch and cannot take is kept like what is pushed (PAG-18).
func TestQuarantineOfWhatWeFetch(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	broken := change(t, cdrJSON, "currency", nil)
	receipt, err := w.door.Receive(w.ctx, jobs.Inbound{Partner: cpo.id, Method: http.MethodPost, Path: "cdrs", Body: []byte(broken)})
	if err != nil || receipt.Taken() {
		t.Fatal(receipt, err)
	}
	cpo.do(http.MethodPost, cdrsPath, broken).want(200, 2001)
	if rows := w.quarantined(cpo); len(rows) != 1 || rows[0].Count != 2 || rows[0].ErrorPath != "currency" {
		t.Errorf("%+v", rows)
	}
}

// A partner is not told to mend a message that we could not keep, but to send it again.
func TestQuarantineThatFails(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	if err := dbtest.Exec(w.ctx, w.dbURL, "ALTER TABLE quarantine RENAME TO gone"); err != nil {
		t.Fatal(err)
	}
	a := cpo.do(http.MethodPost, cdrsPath, change(t, cdrJSON, "currency", nil)).want(200, 3000)
	if strings.Contains(a.message, "currency") {
		t.Errorf("%s", a.message)
	}
}

// What we fail to take for a fault of ours is kept, too, and taken once we are mended.
func TestQuarantineOfOurFaults(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for _, rename := range []string{"tariffs RENAME TO gone", "gone RENAME TO tariffs"} {
		if err := dbtest.Exec(w.ctx, w.dbURL, "ALTER TABLE "+rename); err != nil {
			t.Fatal(err)
		}
		if rename[0] == 't' {
			cpo.do(http.MethodPut, tariffPath, tariffJSON).want(200, 3000)
			cpo.do(http.MethodGet, tariffPath, nil).want(200, 3000)
		}
	}
	rows := w.quarantined(cpo)
	if len(rows) != 1 || rows[0].StatusCode != 3000 {
		t.Fatalf("%+v", rows)
	}
	if receipt, err := w.replay(rows[0].ID); err != nil || !receipt.Taken() {
		t.Errorf("%+v, %v", receipt, err)
	}
	cpo.do(http.MethodGet, tariffPath, nil).want(200, 1000)
}

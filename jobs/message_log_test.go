package jobs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

var logDay = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// logWorld is a message log with a partner and a utility.
type logWorld struct {
	*testing.T
	db      *db.DB
	log     *jobs.MessageLog
	partner uuid.UUID
	tenant  uuid.UUID
}

func newLogWorld(t *testing.T) *logWorld {
	t.Helper()
	w := &logWorld{T: t, db: dbtest.New(t), tenant: uuid.New()}
	ctx := t.Context()
	p, err := w.db.EnsurePartner(ctx, db.EnsurePartnerParams{ID: uuid.New(), Name: "Nord", Role: "CPO", CountryCode: "DE", PartyID: "CPO", CreatedAt: logDay})
	if err != nil {
		t.Fatal(err)
	}
	w.partner = p.ID
	err = w.db.InsertTenant(ctx, db.InsertTenantParams{ID: w.tenant, CountryCode: "DE", PartyID: "SWX", Name: "Xanten", Mode: "trial", Country: "DE", Colour: "#0b5cad", Logo: []byte{}, CreatedAt: logDay})
	if err != nil {
		t.Fatal(err)
	}
	w.log = jobs.NewMessageLog(w.db, func() time.Time { return logDay }, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := w.log.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// logged adds a message and reads it back.
func (w *logWorld) logged(m jobs.Message) db.Message {
	w.Helper()
	if m.ID == uuid.Nil {
		m.ID = uuid.Must(uuid.NewV7())
	}
	m.At = logDay
	w.log.Add(m)
	return w.message(m.ID)
}

func (w *logWorld) message(id uuid.UUID) db.Message {
	w.Helper()
	if err := w.log.Flush(w.Context()); err != nil {
		w.Fatal(err)
	}
	row, err := w.db.Message(w.Context(), db.MessageParams{ID: id})
	if err != nil {
		w.Fatal(err)
	}
	return row.Message
}

func TestMessageIsLogged(t *testing.T) { // RTG-17, TEN-07
	w := newLogWorld(t)
	got := w.logged(jobs.Message{
		Partner: w.partner, Version: "2.2.1", Module: ocpi.ModuleSessions, Method: http.MethodPut, Path: "/ocpi/2.2.1/sessions/de/cpo/s%2F1?token=secret&limit=1",
		RequestID: "r1", CorrelationID: "c1", Routing: ocpi.Routing{To: party("de", "swx"), From: party("DE", "CPO")},
		HTTPStatus: 201, StatusCode: 1000, Took: 1500 * time.Microsecond,
		Request:  []byte(`{"id":"S/1","cdr_token":{"country_code":"DE","party_id":"SWX","uid":"04aa"},"authorization_reference":"ref-1"}`),
		Response: []byte(`{"status_code":1000}`),
		Findings: ocpi.Findings{{Severity: ocpi.Note, Path: "kwh", Rule: "must be a number", Value: "\x00\xff", Quirk: ocpi.QuirkTextForNumber}},
	})
	if got.Direction != "in" || got.PartnerID.UUID != w.partner || got.TenantID.UUID != w.tenant || got.Outcome != "noted" || got.TookUS != 1500 ||
		got.Path != "/ocpi/2.2.1/sessions/de/cpo/s%2F1?token=…&limit=1" || got.FromParty != "DE*CPO" || got.HTTPStatus != 201 || got.RequestID != "r1" || got.CorrelationID != "c1" {
		t.Errorf("%+v", got)
	}
	if want := "[sessions/DE*CPO/S/1 authorizations/REF-1 tokens/DE*SWX/04AA /S/1 /REF-1 /04AA]"; fmt.Sprint(got.Objects) != want {
		t.Errorf("objects %v, want %s", got.Objects, want)
	}
	var findings []map[string]string
	if err := json.Unmarshal(got.Findings, &findings); err != nil || len(findings) != 1 || findings[0]["quirk"] != "text-for-number" || findings[0]["severity"] != "note" {
		t.Errorf("findings %s, %v", got.Findings, err)
	}
	for _, key := range []string{"sessions/DE*CPO/S/1", "authorizations/REF-1", "tokens/DE*SWX/04AA"} {
		found, err := w.db.MessagesOfObjects(t.Context(), db.MessagesOfObjectsParams{Objects: []string{key}, MaxRows: 2})
		if err != nil || len(found) != 1 || found[0].Partner != "Nord" {
			t.Errorf("%s: %v, %v", key, found, err)
		}
	}
}

// What a message is about is told by its path and bodies, of both directions.
func TestMessageObjects(t *testing.T) {
	w := newLogWorld(t)
	toUs := ocpi.Routing{To: party("DE", "SWX")}
	toThem := ocpi.Routing{To: party("DE", "CPO"), From: party("DE", "SWX")}
	for name, test := range map[string]struct {
		m    jobs.Message
		want string
	}{
		"EVSE": {jobs.Message{Module: ocpi.ModuleLocations, Path: "/ocpi/2.2.1/locations/DE/CPO/LOC1/E1/1", Request: []byte(`{"status":"CHARGING"}`)}, "locations/DE*CPO/LOC1"},
		"CDR": {jobs.Message{Module: ocpi.ModuleCDRs, Path: "/ocpi/2.2.1/cdrs",
			Request: []byte(`{"country_code":"DE","party_id":"CPO","id":"C1","session_id":"S1","cdr_token":{"country_code":"DE","party_id":"SWX","uid":4}}`)},
			"cdrs/DE*CPO/C1 sessions/DE*CPO/S1 tokens/DE*SWX/4"},
		"authorization": {jobs.Message{Module: ocpi.ModuleTokens, Path: "/ocpi/2.2.1/tokens/04aa/authorize?type=RFID", Routing: toUs,
			Response: []byte(`{"data":{"allowed":"ALLOWED","authorization_reference":"r","token":{"country_code":"DE","party_id":"SWX","uid":"04AA"}}}`)},
			"tokens/DE*SWX/04AA authorizations/R"},
		"unknown card":   {jobs.Message{Module: ocpi.ModuleTokens, Path: "/ocpi/2.2.1/tokens/04aa/authorize"}, "tokens/04AA"},
		"pushed card":    {jobs.Message{Out: true, Module: ocpi.ModuleTokens, Path: "https://cpo.example/x/tokens/DE/SWX/04AA?type=RFID", Routing: toThem}, "tokens/DE*SWX/04AA"},
		"command":        {jobs.Message{Out: true, Module: ocpi.ModuleCommands, Path: "https://cpo.example/commands/STOP_SESSION", Routing: toThem, Request: []byte(`{"session_id":"S1","response_url":"https://us.example/ocpi/2.2.1/commands/STOP_SESSION/u-1"}`)}, "sessions/DE*CPO/S1 commands/U-1"},
		"command result": {jobs.Message{Module: ocpi.ModuleCommands, Path: "/ocpi/2.2.1/commands/STOP_SESSION/u-1", Request: []byte(`{"result":"ACCEPTED"}`)}, "commands/U-1"},
		"list": {jobs.Message{Out: true, Module: ocpi.ModuleSessions, Path: "https://cpo.example/sessions?offset=0", Routing: toThem,
			Response: []byte(`{"data":[{"id":"A","country_code":"NL","party_id":"TWO"},{"id":"B"}]}`)}, "sessions/NL*TWO/A sessions/DE*CPO/B"},
		"nonsense": {jobs.Message{Module: ocpi.ModuleCDRs, Path: "/ocpi/2.2.1/cdrs", Request: []byte(`{"id":`), Response: []byte(`<html>`)}, ""},
	} {
		test.m.Partner = w.partner
		keys := []string{}
		if test.want != "" {
			keys = strings.Split(test.want, " ")
		}
		if got, want := fmt.Sprint(w.logged(test.m).Objects), fmt.Sprint(jobs.Findable(keys)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	keys := []string{"sessions/DE*CPO/S/1", "cdrs/DE*CPO/S/1", "authorizations/R/1", "tokens/04AA", "hubclientinfo/DE*CPO/-"}
	if got, want := strings.Join(jobs.Findable(keys)[len(keys):], " "), "/S/1 /R/1 /04AA /-"; got != want {
		t.Errorf("found by %q, want %q", got, want)
	}
}

// No credentials token reaches the log, in whatever shape it is sent.
func TestMessagesKeepSecrets(t *testing.T) { // TRN-11, TEN-07
	w := newLogWorld(t)
	for _, body := range []string{
		`{"token":"s3cret","url":"https://x.example","roles":[]}`, `{"data":{"token" : "s3cret\"s3cret"}}`, `{"token":"s3cret`, `{"token":"s3cret\`,
		`[{"token":"s3cret"},{"token":"s3cret"}]`,
	} {
		got := w.logged(jobs.Message{Partner: w.partner, Module: ocpi.ModuleCredentials, Request: []byte(body), Response: []byte(body)})
		if strings.Contains(string(got.Request)+string(got.Response), "s3cret") {
			t.Errorf("%s is logged as %s", body, got.Request)
		}
	}
	whole := `{"token":{"uid":"04AA"}}`
	if got := w.logged(jobs.Message{Module: ocpi.ModuleTokens, Request: []byte(whole)}); string(got.Request) != whole {
		t.Errorf("%s is logged as %s", whole, got.Request)
	}
	long := w.logged(jobs.Message{Request: bytes.Repeat([]byte("x"), 70_000)})
	if len(long.Request) > 65_600 || !strings.HasSuffix(string(long.Request), "… [4464 bytes more]") {
		t.Errorf("%d bytes, ending %q", len(long.Request), long.Request[len(long.Request)-30:])
	}
}

func TestMessageOutcomes(t *testing.T) {
	w := newLogWorld(t)
	for _, test := range []struct {
		http int
		code ocpi.StatusCode
		want string
	}{{200, 1000, "taken"}, {201, 1900, "taken"}, {204, 0, "taken"}, {200, 2001, "refused"}, {404, 2003, "refused"}, {429, 0, "refused"}, {200, 3000, "failed"}, {503, 0, "failed"}, {0, 0, "failed"}, {200, 4001, "failed"}} {
		if got := w.logged(jobs.Message{HTTPStatus: test.http, StatusCode: test.code}).Outcome; got != test.want {
			t.Errorf("%d/%d: %s, want %s", test.http, test.code, got, test.want)
		}
	}
}

// A call that we make is logged with what the partner leaves out of its answer.
func TestAnswersAreLogged(t *testing.T) { // TRN-13, PAG-17, CMD-11
	w := newLogWorld(t)
	exchange := func(module ocpi.ModuleID, method, response string) client.Exchange {
		return client.Exchange{Partner: w.partner, Module: module, Method: method, URL: "https://cpo.example/x", HTTPStatus: 200, StatusCode: 1000, Response: []byte(response), Took: time.Second}
	}
	for _, e := range []client.Exchange{
		exchange(ocpi.ModuleTariffs, "GET", `[{"id":"T1"}]`),
		exchange(ocpi.ModuleTariffs, "GET", `{"data":[],"timestamp":"2026-11-01T00:00:00Z","link":""}`),
		exchange(ocpi.ModuleCommands, "POST", `{"status_code":1000,"data":{"result":"ACCEPTED"}}`),
		exchange(ocpi.ModuleTokens, "PUT", `{"status_code":1000,"timestamp":"2026-11-01T00:00:00Z"}`),
	} {
		w.log.Sent(e)
	}
	if err := w.log.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	quirks, err := w.db.QuirksOfPartner(t.Context(), w.partner)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, q := range quirks {
		names = append(names, fmt.Sprint(q.Quirk, " ", q.Count))
	}
	if got, want := strings.Join(names, ", "), "link-in-body 1, no-command-timeout 1, no-envelope 1, no-status-code 1, no-timestamp 1, no-total-count 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The first evidence of a quirk is kept with its message and told; what follows is counted.
func TestQuirksAreLearned(t *testing.T) {
	w := newLogWorld(t)
	note := ocpi.Findings{{Severity: ocpi.Note, Path: "kwh", Rule: "must be a number", Value: `"1"`, Quirk: ocpi.QuirkTextForNumber}, {Severity: ocpi.Note, Path: "end_date_time", Rule: "not before start_date_time"}}
	first := w.logged(jobs.Message{Partner: w.partner, HTTPStatus: 200, StatusCode: 1000, Findings: note})
	for range 300 { // more than a batch
		w.log.Add(jobs.Message{ID: uuid.Must(uuid.NewV7()), At: logDay.Add(time.Hour), Partner: w.partner, Findings: note})
	}
	w.logged(jobs.Message{Findings: note}) // of nobody
	quirks, err := w.db.QuirksOfPartner(t.Context(), w.partner)
	if err != nil || len(quirks) != 1 {
		t.Fatal(quirks, err)
	}
	q := quirks[0]
	if q.Quirk != "text-for-number" || q.Mode != "auto" || q.Count != 301 || q.MessageID.UUID != first.ID || q.Detail != `kwh: must be a number, got "\"1\""` ||
		!q.FirstSeen.Equal(logDay) || !q.LastSeen.Equal(logDay.Add(time.Hour)) {
		t.Errorf("%+v", q)
	}
	events, err := w.db.EventsOf(t.Context(), db.EventsOfParams{Subject: "partner", SubjectID: w.partner})
	if err != nil || len(events) != 1 || events[0].What != "quirk" || !strings.Contains(string(events[0].Detail), "text-for-number") {
		t.Errorf("%+v, %v", events, err)
	}
	// A decision stands in both places and survives evidence.
	for _, mode := range []string{"off", "off", "on"} {
		if err := w.db.SetQuirk(t.Context(), db.SetQuirkParams{PartnerID: w.partner, Quirk: "text-for-number", Mode: mode}); err != nil {
			t.Fatal(err)
		}
		p, err := w.db.Partner(t.Context(), w.partner)
		if refused := fmt.Sprint(p.RefusedQuirks); err != nil || refused != map[string]string{"off": "[text-for-number]", "on": "[]"}[mode] {
			t.Errorf("%s: %s, %v", mode, refused, err)
		}
	}
	w.logged(jobs.Message{Partner: w.partner, Findings: note})
	if quirks, _ = w.db.QuirksOfPartner(t.Context(), w.partner); quirks[0].Mode != "on" || quirks[0].Count != 302 {
		t.Errorf("%+v", quirks[0])
	}
}

// The log never holds more than it may, and nobody waits for it; it writes what it holds before it ends.
func TestMessageLogIsBounded(t *testing.T) {
	w := newLogWorld(t)
	big := make([]byte, 1<<20)
	started := time.Now()
	for range 200 {
		w.log.Add(jobs.Message{ID: uuid.Must(uuid.NewV7()), At: logDay, Request: big})
	}
	if took := time.Since(started); took > time.Minute {
		t.Errorf("adding took %s", took)
	}
	if err := w.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.log.Add(jobs.Message{ID: uuid.New()})
	list, err := w.db.MessageList(t.Context(), db.MessageListParams{Since: logDay, Until: logDay.Add(time.Hour), MaxRows: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if dropped := w.log.Dropped(); dropped == 0 || int64(len(list))+dropped != 201 {
		t.Errorf("%d written, %d dropped of 201", len(list), dropped)
	}
	var none *jobs.MessageLog
	none.Add(jobs.Message{}) // a platform without a log
	none.Sent(client.Exchange{})
}

// A row that PostgreSQL does not take does not cost its neighbours.
func TestOneBadMessageCostsNobodyElse(t *testing.T) {
	w := newLogWorld(t)
	stranger := uuid.New() // a partner that does not exist
	w.log.Add(jobs.Message{ID: uuid.New(), At: logDay, Partner: stranger, HTTPStatus: 200})
	w.log.Add(jobs.Message{ID: uuid.New(), At: time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC), HTTPStatus: 200})
	if got := w.logged(jobs.Message{HTTPStatus: 200}); got.Outcome != "taken" {
		t.Errorf("%+v", got)
	}
	if w.log.Dropped() != 2 {
		t.Errorf("%d dropped", w.log.Dropped())
	}
}

func party(country, id ocpi.CiString) ocpi.Party {
	return ocpi.Party{CountryCode: country, PartyID: id}
}

// The schedule forgets messages when they have served their time, 90 days unless told otherwise.
func TestScheduleForgetsMessages(t *testing.T) {
	w := newLogWorld(t)
	for days, want := range map[int]int{0: 1, 400: 2} {
		for _, age := range []int{0, 200} {
			w.log.Add(jobs.Message{ID: uuid.Must(uuid.NewV7()), At: logDay.AddDate(0, 0, -age), HTTPStatus: 200, CorrelationID: fmt.Sprint(days)})
		}
		if err := w.log.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		worker := &jobs.Worker{DB: w.db, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return logDay.Add(time.Duration(days) * time.Hour) }, MessageDays: days}
		if err := worker.RunSchedule(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := w.db.MessageList(t.Context(), db.MessageListParams{Since: logDay.AddDate(-1, 0, 0), Until: logDay.AddDate(1, 0, 0), IDText: fmt.Sprint(days), MaxRows: 10})
		if err != nil || len(list) != want {
			t.Errorf("after %d days: %d messages, %v", days, len(list), err)
		}
	}
}

package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/db/seal"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
	"github.com/roamwerk/roamwerk/ocpi/server"
)

// patience is how long a test waits for what has to come: far longer than a slow machine takes.
const patience = time.Minute

// world is the OCPI door of a platform on a real PostgreSQL and a real Redis, reached over real HTTP.
type world struct {
	t     testing.TB
	ctx   context.Context
	db    *db.DB
	dbURL string
	ops   *jobs.Ops
	door  *server.Door
	log   *jobs.MessageLog
	redis asynq.RedisConnOpt
	queue *asynq.Inspector
	url   string // base URL
	clock *clock
	http  *http.Client

	running *jobs.Worker // nil: nobody works
}

// clock is a time that tests move by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

// add moves it whatever is under way; see world.pass.
func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func newWorld(t testing.TB) *world {
	t.Helper()
	redis, err := asynq.ParseRedisURI(dbtest.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	box, err := seal.New(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	door := httptest.NewUnstartedServer(nil)
	w := &world{
		t: t, ctx: context.Background(), dbURL: dbtest.URL(t), redis: redis, queue: asynq.NewInspector(redis), url: "http://" + door.Listener.Addr().String(),
		clock: &clock{at: time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)},
		http:  &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	if w.db, err = db.Open(w.ctx, w.dbURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.db.Close)
	bell := jobs.NewBell(redis, log)
	w.log = jobs.NewMessageLog(w.db, w.clock.now, log)
	t.Cleanup(func() {
		if err := w.log.Close(w.ctx); err != nil {
			t.Error(err)
		}
	})
	calls := client.New(client.Options{AllowPrivate: true, Timeout: patience, Record: w.log.Sent})
	w.ops = &jobs.Ops{DB: w.db, Box: box, Bell: bell, Now: w.clock.now, Log: log, Client: calls, BaseURL: w.url}
	w.door = server.New(server.Options{DB: w.db, Box: box, Bell: bell, Client: calls, BaseURL: w.url, Now: w.clock.now, Log: log, Messages: w.log, CertificateHeader: "X-Client-Cert"})
	door.Config.Handler = w.door
	door.Start()
	t.Cleanup(func() {
		w.http.CloseIdleConnections()
		door.Close()
		_ = w.queue.Close()
		_ = bell.Close()
	})
	return w
}

// count runs a query of one number; one that changes rows does what the platform has no call for yet.
func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	n, err := dbtest.Count(w.ctx, w.dbURL, query, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// rung is how many tasks of a kind wait in Redis.
func (w *world) rung(kind jobs.Kind) int {
	w.t.Helper()
	tasks, err := w.queue.ListPendingTasks("default", asynq.PageSize(1000))
	if err != nil && !errors.Is(err, asynq.ErrQueueNotFound) {
		w.t.Fatal(err)
	}
	n := 0
	for _, task := range tasks {
		if task.Type == string(kind) {
			n++
		}
	}
	return n
}

func party(t testing.TB, s string) ocpi.Party {
	t.Helper()
	p, err := ocpi.ParseParty(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) addTenant(at string) db.Tenant {
	w.t.Helper()
	tenant, err := w.ops.AddTenant(w.ctx, jobs.NewTenant{Party: party(w.t, at), Name: "Stadtwerke " + at})
	if err != nil {
		w.t.Fatal(err)
	}
	return tenant
}

func (w *world) issueCard(tenant db.Tenant, uid string) uuid.UUID {
	w.t.Helper()
	card, err := w.ops.IssueCard(w.ctx, jobs.NewCard{
		Tenant: tenant.ID, UID: uid, Contract: "DE-" + tenant.PartyID + "-C" + uid, Customer: "Erika Beispiel", Email: "erika@example.org",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return card.TokenID
}

// platform is the system of a partner: it answers our calls during the handshake and takes our tokens.
type platform struct {
	*httptest.Server
	mu       sync.Mutex
	versions any // body of the versions answer; nil: the usual one
	details  any
	status   int // of versions; 0: 200
	delay    time.Duration
	calls    []platformCall
	onCall   func(platformCall)
	tokens   int // HTTP status of a pushed token; 0: 200
}

type platformCall struct {
	method, path, query, authorization string
	header                             http.Header
	body                               []byte
}

func newPlatform(t testing.TB) *platform {
	t.Helper()
	p := &platform{}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	call := platformCall{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Authorization"), r.Header, body}
	p.mu.Lock()
	p.calls = append(p.calls, call)
	versions, details, status, delay, onCall, tokens := p.versions, p.details, p.status, p.delay, p.onCall, p.tokens
	p.mu.Unlock()
	time.Sleep(delay)
	if onCall != nil {
		onCall(call)
	}
	envelope := func(status int, data any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"status_code": 1000, "timestamp": "2026-10-20T12:00:00Z", "data": data})
	}
	switch {
	case r.URL.Path == "/versions":
		if versions == nil {
			versions = []any{map[string]any{"version": "2.2.1", "url": p.URL + "/2.2.1"}}
		}
		envelope(max(status, 200), versions)
	case r.URL.Path == "/2.2.1":
		if details == nil {
			details = map[string]any{"version": "2.2.1", "endpoints": []any{
				map[string]any{"identifier": "credentials", "role": "RECEIVER", "url": p.URL + "/2.2.1/credentials"},
				map[string]any{"identifier": "tokens", "role": "RECEIVER", "url": p.URL + "/2.2.1/tokens"},
			}}
		}
		envelope(200, details)
	case strings.HasPrefix(r.URL.Path, "/2.2.1/tokens/"):
		envelope(max(tokens, 200), nil)
	default:
		http.NotFound(w, r)
	}
}

func (p *platform) credentials(token string, roles ...any) map[string]any {
	return map[string]any{"token": token, "url": p.URL + "/versions", "roles": roles}
}

func role(role, at string) map[string]any {
	return map[string]any{"role": role, "country_code": at[:2], "party_id": at[3:], "business_details": map[string]any{"name": "Betreiber " + at}}
}

// partner is a caller with a token.
type partner struct {
	*world
	id       uuid.UUID
	token    string
	platform *platform
	header   http.Header // sent with every call
}

// invited is a partner with a token A.
func (w *world) invited(kind ocpi.Role, at string) *partner {
	w.t.Helper()
	i, err := w.ops.InvitePartner(w.ctx, jobs.NewPartner{Name: string(kind) + " " + at, Role: kind, Party: party(w.t, at)})
	if err != nil {
		w.t.Fatal(err)
	}
	return &partner{world: w, id: i.Partner.ID, token: i.Token, platform: newPlatform(w.t), header: http.Header{}}
}

// registered is a partner that has gone through the handshake. Further roles are "CPO DE*XYZ".
func (w *world) registered(kind ocpi.Role, at string, more ...string) *partner {
	w.t.Helper()
	p := w.invited(kind, at)
	roles := []any{role(string(kind), at)}
	for _, m := range more {
		r, at, _ := strings.Cut(m, " ")
		roles = append(roles, role(r, at))
	}
	a := p.do(http.MethodPost, "/ocpi/2.2.1/credentials", p.platform.credentials("token-b-"+at, roles...))
	a.want(http.StatusOK, 1000)
	p.token = a.object()["token"].(string)
	return p
}

// with returns the partner with further headers: name, value, …
func (p *partner) with(pairs ...string) *partner {
	q := *p
	q.header = maps.Clone(p.header)
	for i := 0; i < len(pairs); i += 2 {
		q.header.Set(pairs[i], pairs[i+1])
	}
	return &q
}

// to returns the partner addressing a party from one of its own.
func (p *partner) to(to, from string) *partner {
	return p.with("OCPI-to-country-code", to[:2], "OCPI-to-party-id", to[3:], "OCPI-from-country-code", from[:2], "OCPI-from-party-id", from[3:])
}

// reply is what the platform answered.
type reply struct {
	t       testing.TB
	what    string
	status  int
	code    int
	message string
	data    json.RawMessage
	header  http.Header
	body    []byte
}

// do sends a call. The body is a string or []byte as they are, nil for none, or anything that becomes JSON.
func (p *partner) do(method, path string, body any) reply {
	p.t.Helper()
	var b []byte
	switch v := body.(type) {
	case nil:
	case string:
		b = []byte(v)
	case []byte:
		b = v
	default:
		var err error
		if b, err = ocpi.Marshal(v); err != nil {
			p.t.Fatal(err)
		}
	}
	r, err := p.send(method, path, b)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *partner) send(method, path string, body []byte) (reply, error) {
	if !strings.HasPrefix(path, "http") {
		path = p.url + path
	}
	req, err := http.NewRequestWithContext(p.ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if p.token != "" {
		req.Header.Set("Authorization", ocpi.EncodeToken(p.token))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	maps.Copy(req.Header, p.header)
	res, err := p.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	r := reply{t: p.t, what: method + " " + path, status: res.StatusCode, header: res.Header}
	if r.body, err = io.ReadAll(res.Body); err != nil {
		return r, err
	}
	var envelope struct {
		StatusCode    int             `json:"status_code"`
		StatusMessage string          `json:"status_message"`
		Data          json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(r.body, &envelope); err == nil {
		r.code, r.message, r.data = envelope.StatusCode, envelope.StatusMessage, envelope.Data
	}
	return r, nil
}

// want checks HTTP status and status code.
func (r reply) want(status, code int) reply {
	r.t.Helper()
	if r.status != status || r.code != code {
		r.t.Fatalf("%s: got %d/%d, want %d/%d\n%s", r.what, r.status, r.code, status, code, r.body)
	}
	return r
}

func (r reply) object() map[string]any {
	r.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.data, &v); err != nil {
		r.t.Fatalf("%s: data is no object: %v\n%s", r.what, err, r.body)
	}
	return v
}

func (r reply) list() []map[string]any {
	r.t.Helper()
	var v []map[string]any
	if err := json.Unmarshal(r.data, &v); err != nil {
		r.t.Fatalf("%s: data is no list: %v\n%s", r.what, err, r.body)
	}
	return v
}

func check(t testing.TB, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// change returns the JSON object with members set or, when the value is nil, removed. Names are paths: "cdr_token.uid".
func change(t testing.TB, object string, pairs ...any) string {
	t.Helper()
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(object))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		at := v
		names := strings.Split(pairs[i].(string), ".")
		for _, name := range names[:len(names)-1] {
			at = at[name].(map[string]any)
		}
		if last := names[len(names)-1]; pairs[i+1] == nil {
			delete(at, last)
		} else {
			at[last] = pairs[i+1]
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The objects that tests send, complete and valid. Their owner is the CPO DE*CPO, their customer of DE*SWX.
const (
	locationJSON = `{"country_code":"DE","party_id":"CPO","id":"LOC1","publish":true,"name":"Rathaus","address":"Markt 1","city":"Xanten",
		"postal_code":"46509","country":"DEU","coordinates":{"latitude":"51.662300","longitude":"6.453800"},"time_zone":"Europe/Berlin",
		"last_updated":"2026-10-01T10:00:00Z","evses":[` + evseJSON + `]}`
	evseJSON = `{"uid":"EVSE1","evse_id":"DE*CPO*E1","status":"AVAILABLE","capabilities":["RFID_READER"],"last_updated":"2026-10-01T10:00:00Z",
		"connectors":[` + connectorJSON + `]}`
	connectorJSON = `{"id":"1","standard":"IEC_62196_T2","format":"SOCKET","power_type":"AC_3_PHASE","max_voltage":230,"max_amperage":32,
		"last_updated":"2026-10-01T10:00:00Z"}`
	tariffJSON = `{"country_code":"DE","party_id":"CPO","id":"T1","currency":"EUR","last_updated":"2026-10-01T10:00:00Z",
		"elements":[{"price_components":[{"type":"ENERGY","price":0.39,"vat":19,"step_size":1}]}]}`
	sessionJSON = `{"country_code":"DE","party_id":"CPO","id":"S1","start_date_time":"2026-10-20T10:00:00Z","kwh":1.5,
		"cdr_token":{"country_code":"DE","party_id":"SWX","uid":"04AABBCC","type":"RFID","contract_id":"DE-SWX-C04AABBCC"},
		"auth_method":"WHITELIST","location_id":"LOC1","evse_uid":"EVSE1","connector_id":"1","currency":"EUR","status":"ACTIVE",
		"charging_periods":[{"start_date_time":"2026-10-20T10:00:00Z","dimensions":[{"type":"ENERGY","volume":1.5}]}],
		"last_updated":"2026-10-20T10:10:00Z"}`
	cdrJSON = `{"country_code":"DE","party_id":"CPO","id":"CDR1","start_date_time":"2026-10-20T10:00:00Z","end_date_time":"2026-10-20T11:00:00Z",
		"session_id":"S1","cdr_token":{"country_code":"DE","party_id":"SWX","uid":"04AABBCC","type":"RFID","contract_id":"DE-SWX-C04AABBCC"},
		"auth_method":"WHITELIST","cdr_location":{"id":"LOC1","name":"Rathaus","address":"Markt 1","city":"Xanten","country":"DEU",
		"coordinates":{"latitude":"51.662300","longitude":"6.453800"},"evse_uid":"EVSE1","evse_id":"DE*CPO*E1","connector_id":"1",
		"connector_standard":"IEC_62196_T2","connector_format":"SOCKET","connector_power_type":"AC_3_PHASE"},"currency":"EUR",
		"tariffs":[` + tariffJSON + `],"charging_periods":[{"start_date_time":"2026-10-20T10:00:00Z","tariff_id":"T1",
		"dimensions":[{"type":"ENERGY","volume":10.00},{"type":"TIME","volume":1}]}],
		"total_cost":{"excl_vat":3.90,"incl_vat":4.64},"total_energy":10.00,"total_time":1,"last_updated":"2026-10-20T11:05:00Z",
		"x_internal":"7"}`
)

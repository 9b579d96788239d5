package server_test

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/server"
)

const cdrsPath = "/ocpi/2.2.1/cdrs"

func (w *world) receivedCDR(id string) db.ReceivedCDRRow {
	w.t.Helper()
	row, err := w.db.ReceivedCDR(w.ctx, db.ReceivedCDRParams{CountryCode: "DE", PartyID: "CPO", OCPIID: id})
	if err != nil {
		w.t.Fatalf("CDR %s: %v", id, err)
	}
	return row
}

func (w *world) cdrState(id string) db.CDRState {
	w.t.Helper()
	state, err := w.db.CDRStateByIdentity(w.ctx, db.CDRStateByIdentityParams{CountryCode: "DE", PartyID: "CPO", OCPIID: id})
	if err != nil {
		w.t.Fatalf("state of CDR %s: %v", id, err)
	}
	return state
}

func TestCDRIsStoredAnsweredAndRung(t *testing.T) { // CDR-01, CDR-03, CDR-06
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")

	a := cpo.do(http.MethodPost, cdrsPath, cdrJSON).want(http.StatusCreated, 1000)
	location := a.header.Get("Location")
	check(t, "Location", location, w.url+cdrsPath+"/DE/CPO/CDR1")
	check(t, "data", string(a.data), "")

	row := w.receivedCDR("CDR1")
	check(t, "stored bytes", string(row.Raw), cdrJSON)
	state := w.cdrState("CDR1")
	check(t, "tenant", state.TenantID, swx.ID)
	check(t, "state", state.State, "received")
	check(t, "due", state.DueAt != nil && state.DueAt.Equal(w.clock.now()), true)
	check(t, "place", state.Place, "Rathaus, Xanten")
	check(t, "operator", state.Operator, "Betreiber DE*CPO")
	check(t, "evse", state.EVSEID, "DE*CPO*E1")
	check(t, "kwh", state.KWh.String(), "10")
	check(t, "claimed", state.Claimed.String(), "3.9")
	check(t, "rings", w.rung(jobs.CDRRate), 1)

	got := cpo.do(http.MethodGet, location, nil).want(200, 1000)
	check(t, "unknown members are kept", got.object()["x_internal"], "7")
	cpo.do(http.MethodGet, cdrsPath+"/de/cpo/cdr1", nil).want(200, 1000)
	cpo.do(http.MethodGet, cdrsPath+"/DE/CPO/other", nil).want(404, 2001)
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} { // CDR-04
		cpo.do(method, location, cdrJSON).want(405, 2000)
	}
	check(t, "Allow", cpo.do(http.MethodGet, cdrsPath, nil).want(405, 2000).header.Get("Allow"), "OPTIONS, POST")
}

func TestRepeatedCDR(t *testing.T) { // CDR-05, CDR-07
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	first := cpo.do(http.MethodPost, cdrsPath, cdrJSON).want(http.StatusCreated, 1000).header.Get("Location")

	same := map[string]string{
		"same bytes":                 cdrJSON,
		"other order and formatting": change(t, cdrJSON),
		"null for absent":            strings.Replace(cdrJSON, `"session_id":"S1"`, `"session_id":"S1","remark":null`, 1),
		"other form of a number":     strings.Replace(cdrJSON, `"excl_vat":3.90`, `"excl_vat":39e-1`, 1),
		"only last_updated differs":  change(t, cdrJSON, "last_updated", "2026-10-22T00:00:00Z"),
		"identity in other case":     change(t, cdrJSON, "id", "cdr1", "country_code", "de"),
	}
	for name, body := range same {
		a := cpo.do(http.MethodPost, cdrsPath, body).want(200, 1000)
		check(t, name, a.header.Get("Location"), first)
	}
	for name, body := range map[string]string{
		"other cost":   change(t, cdrJSON, "total_cost.excl_vat", 4),
		"other energy": change(t, cdrJSON, "total_energy", 11),
		"other end":    change(t, cdrJSON, "end_date_time", "2026-10-20T11:00:01Z"),
	} {
		a := cpo.do(http.MethodPost, cdrsPath, body).want(200, 2001)
		check(t, name+": Location", a.header.Get("Location"), "")
	}
	check(t, "stored bytes", string(w.receivedCDR("CDR1").Raw), cdrJSON)
	check(t, "rings", w.rung(jobs.CDRRate), 1)
	events, err := w.db.EventsOf(w.ctx, db.EventsOfParams{Subject: "cdr", SubjectID: w.receivedCDR("CDR1").CDRID})
	if err != nil || len(events) != 3 {
		t.Errorf("conflicts written down: %d, %v", len(events), err)
	}
}

func TestCDRIsRefused(t *testing.T) { // CDR-02, CDR-09, CDR-18, TRN-23, TRN-24
	w := newWorld(t)
	w.addTenant("DE*SWX")
	w.addTenant("DE*SWY")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for name, test := range map[string]struct {
		from         *partner
		body         string
		status, code int
	}{
		"no body":               {cpo, "", 400, 2001},
		"truncated":             {cpo, cdrJSON[:200], 400, 2001},
		"xml":                   {cpo, "<cdr/>", 400, 2001},
		"NaN":                   {cpo, strings.Replace(cdrJSON, "3.90", "NaN", 1), 400, 2001},
		"a list":                {cpo, "[" + cdrJSON + "]", 200, 2001},
		"no id":                 {cpo, change(t, cdrJSON, "id", nil), 200, 2001},
		"no total_cost":         {cpo, change(t, cdrJSON, "total_cost", nil), 200, 2001},
		"no periods":            {cpo, change(t, cdrJSON, "charging_periods", []any{}), 200, 2001},
		"no evse_id":            {cpo, change(t, cdrJSON, "cdr_location.connector_id", nil), 200, 2001},
		"credit without origin": {cpo, change(t, cdrJSON, "credit", true), 200, 2001},
		"foreign token":         {cpo, change(t, cdrJSON, "cdr_token.party_id", "XYZ"), 200, 2004},
		"foreign owner":         {cpo, change(t, cdrJSON, "party_id", "OTH"), 200, 2001},
		"other addressee":       {cpo.to("DE*SWY", "DE*CPO"), cdrJSON, 200, 2001},
		"unknown addressee":     {cpo.to("DE*XYZ", "DE*CPO"), cdrJSON, 200, 2001},
	} {
		a := test.from.do(http.MethodPost, cdrsPath, test.body)
		if a.status != test.status || a.code != test.code || a.header.Get("Location") != "" {
			t.Errorf("%s: got %d/%d Location %q, want %d/%d\n%s", name, a.status, a.code, a.header.Get("Location"), test.status, test.code, a.body)
		}
	}
	check(t, "rings", w.rung(jobs.CDRRate), 0)
}

func TestCDRsAsPartnersSendThem(t *testing.T) { // CDR-11, CDR-18, CDR-28, TYP-08
	w := newWorld(t)
	swx, swy := w.addTenant("DE*SWX"), w.addTenant("DE*SWY")
	w.issueCard(swy, "04AABBCC")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for name, test := range map[string]struct {
		body   string
		tenant db.Tenant
	}{
		"card unknown, party ours":  {change(t, cdrJSON, "cdr_token.uid", "FFFF"), swx},
		"token without its owner":   {change(t, cdrJSON, "cdr_token.country_code", nil, "cdr_token.party_id", nil), swy},
		"numbers as strings":        {change(t, cdrJSON, "total_energy", "10.5"), swx},
		"end before start":          {change(t, cdrJSON, "end_date_time", "2026-10-20T09:00:00Z"), swx},
		"credit of an unknown CDR":  {change(t, cdrJSON, "credit", true, "credit_reference_id", "nobody", "total_cost.excl_vat", -3.9), swx},
		"location never published":  {change(t, cdrJSON, "cdr_location.id", "HOME"), swx},
		"explicit null of optional": {strings.Replace(cdrJSON, `"session_id":"S1"`, `"session_id":null,"signed_data":null`, 1), swx},
	} {
		id := strings.ReplaceAll(name, " ", "-")
		body := change(t, test.body, "id", id)
		cpo.do(http.MethodPost, cdrsPath, body).want(http.StatusCreated, 1000)
		check(t, name+": tenant", w.cdrState(id).TenantID, test.tenant.ID)
		check(t, name+": bytes", string(w.receivedCDR(id).Raw), body)
	}
	check(t, "credit reference", w.cdrState("credit-of-an-unknown-CDR").CreditReference, "NOBODY")
}

func TestCDRIsolation(t *testing.T) { // CDR-03, RTG-19, OWN-02
	w := newWorld(t)
	w.addTenant("DE*SWX")
	w.addTenant("DE*SWY")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	hub := w.registered(ocpi.RoleHub, "DE*HUB")
	location := cpo.do(http.MethodPost, cdrsPath, cdrJSON).want(http.StatusCreated, 1000).header.Get("Location")

	other.do(http.MethodGet, location, nil).want(404, 2001)
	hub.do(http.MethodGet, location, nil).want(404, 2001)
	cpo.to("DE*SWY", "DE*CPO").do(http.MethodGet, location, nil).want(404, 2001)
	cpo.to("DE*SWX", "DE*CPO").do(http.MethodGet, location, nil).want(200, 1000)
	other.do(http.MethodPost, cdrsPath, change(t, cdrJSON, "party_id", "OTH")).want(http.StatusCreated, 1000)
}

func TestOneCDRFromEightClients(t *testing.T) { // CDR-06, CDR-07, OWN-15
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	const clients, cdrs = 8, 10
	var mu sync.Mutex
	created, locations := map[string]int{}, map[string]bool{}
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for n := range cdrs {
				id := fmt.Sprintf("CDR-%d", n)
				a, err := cpo.send(http.MethodPost, cdrsPath, []byte(strings.Replace(cdrJSON, `"id":"CDR1"`, `"id":"`+id+`"`, 1)))
				if err != nil || a.code != 1000 || (a.status != 200 && a.status != 201) {
					t.Errorf("%s: %d/%d, %v\n%s", id, a.status, a.code, err, a.body)
					return
				}
				mu.Lock()
				locations[a.header.Get("Location")] = true
				if a.status == 201 {
					created[id]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	check(t, "locations", len(locations), cdrs)
	for id, n := range created {
		check(t, id+" created", n, 1)
	}
	check(t, "CDRs created", len(created), cdrs)
	check(t, "rings", w.rung(jobs.CDRRate), cdrs)
}

// A Redis that is down costs a partner neither its CDR nor time (the sweeper rings later): a client of Redis waits three
// seconds for an answer, and the partner has its own before that begins.
func TestCDRWithoutRedis(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	rung := make(chan error, 1)
	go func() {
		_, err := silent.Accept()
		rung <- err
	}()
	bell := jobs.NewBell(asynq.RedisClientOpt{Addr: silent.Addr().String()}, w.ops.Log)
	defer bell.Close()
	door := httptest.NewServer(server.New(server.Options{
		DB: w.db, Box: w.ops.Box, Bell: bell, Client: w.ops.Client, BaseURL: w.url, Now: w.clock.now, Log: w.ops.Log,
	}))
	defer door.Close()
	line, err := net.Dial("tcp", door.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	_, err = fmt.Fprintf(line, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		cdrsPath, ocpi.EncodeToken(cpo.token), len(cdrJSON), cdrJSON)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-rung; err != nil {
		t.Fatal(err)
	}
	if got := arrived(t, line.(*net.TCPConn)); !strings.HasPrefix(got, "HTTP/1.1 201 ") || !strings.Contains(got, `"status_code":1000`) {
		t.Errorf("what the partner has when the bell is rung: %q", got)
	}
	check(t, "due", w.cdrState("CDR1").DueAt != nil, true)
}

// arrived is what a connection has received by now.
func arrived(t *testing.T, conn *net.TCPConn) string {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 64<<10)
	var n int
	var failed error
	if err := raw.Read(func(fd uintptr) bool {
		n, _, failed = syscall.Recvfrom(int(fd), buffer, syscall.MSG_DONTWAIT)
		return true
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return string(buffer[:n])
}

// BenchmarkPostCDR is a CDR from the socket to the answer; BenchmarkInsertCDR, beside it, the part of that which is the
// database's.
func BenchmarkPostCDR(b *testing.B) {
	w := newWorld(b)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	benchmarkCDRs(b, func(n int64) error {
		a, err := cpo.send(http.MethodPost, cdrsPath, []byte(strings.Replace(cdrJSON, `"id":"CDR1"`, fmt.Sprintf(`"id":"CDR-%d"`, n), 1)))
		if err == nil && a.status != http.StatusCreated {
			err = fmt.Errorf("%d/%d", a.status, a.code)
		}
		return err
	})
}

func BenchmarkInsertCDR(b *testing.B) {
	w := newWorld(b)
	swx := w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	sum := sha256.Sum256([]byte(cdrJSON))
	benchmarkCDRs(b, func(n int64) error {
		_, err := w.db.InsertCDR(w.ctx, db.InsertCDRParams{
			Version: "2.2.1", ID: uuid.Must(uuid.NewV7()), ReceivedAt: w.clock.now(), PartnerID: cpo.id, TenantID: swx.ID, Raw: []byte(cdrJSON), SHA256: sum[:],
			CountryCode: "DE", PartyID: "CPO", OCPIID: fmt.Sprintf("CDR-%d", n), StartedAt: w.clock.now(), EndedAt: w.clock.now(), Currency: "EUR",
		})
		return err
	})
}

// benchmarkCDRs has 16 clients a core send CDRs.
func benchmarkCDRs(b *testing.B, send func(n int64) error) {
	var n atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := send(n.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "CDRs/s")
}

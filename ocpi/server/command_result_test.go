package server_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// Taps, results and the end of the wait may all happen at once (CMD-15, CMD-17, CMD-19, CMD-22).
func TestCommandRaces(t *testing.T) {
	t.Run("taps", func(t *testing.T) {
		w := newWorld(t)
		var mu sync.Mutex
		asked := 0
		swx, _ := w.ready(func(r request) (int, string) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return accepted(r)
		})
		ids := make([]uuid.UUID, 8)
		var g sync.WaitGroup
		for i := range ids {
			g.Go(func() {
				c, err := w.ops.StartSession(w.ctx, startAt(swx))
				if err != nil {
					t.Error(err)
				}
				ids[i] = c.ID
			})
		}
		g.Wait()
		for _, id := range ids {
			check(t, "the same command", id, ids[0])
		}
		check(t, "sent", asked, 1)
	})
	t.Run("results", func(t *testing.T) {
		w := newWorld(t)
		var url string
		swx, cpo := w.ready(func(r request) (int, string) { url = r.responseURL; return accepted(r) })
		for range 5 {
			c := w.start(startAt(swx))
			var g sync.WaitGroup
			for _, result := range []string{"ACCEPTED", "FAILED", "REJECTED", "EVSE_OCCUPIED"} {
				g.Go(func() { cpo.do(http.MethodPost, url, `{"result":"`+result+`"}`).want(200, 1000) })
			}
			g.Wait()
			got := w.command(c.ID)
			want := jobs.CommandFailed
			if got.Result == "ACCEPTED" {
				want = jobs.CommandAccepted
			}
			check(t, "state fits the first result", got.State, want)
			check(t, "events", w.timeline(c.ID), "sent, answered, result, result again, result again, result again")
			w.count("WITH ended AS (UPDATE commands SET state = 'unconfirmed' WHERE id = $1 AND state = 'accepted' RETURNING 1) SELECT count(*) FROM ended", c.ID)
		}
	})
	t.Run("result and end of the wait", func(t *testing.T) {
		w := newWorld(t)
		var url string
		swx, cpo := w.ready(func(r request) (int, string) { url = r.responseURL; return accepted(r) })
		w.work()
		for range 5 {
			c := w.start(startAt(swx))
			var g sync.WaitGroup
			g.Go(func() { w.clock.add(31 * time.Second) })
			g.Go(func() {
				time.Sleep(40 * time.Millisecond)
				cpo.do(http.MethodPost, url, `{"result":"REJECTED"}`).want(200, 1000)
			})
			g.Wait()
			got := w.command(c.ID)
			check(t, "the result counts", got.State+" "+got.Result, "failed REJECTED")
			check(t, "waits for nothing", got.DueAt == nil, true)
		}
	})
	t.Run("result during the answer", func(t *testing.T) {
		w := newWorld(t)
		var cpo *partner
		swx, p := w.ready(func(r request) (int, string) {
			cpo.do(http.MethodPost, r.responseURL, `{"result":"ACCEPTED"}`).want(200, 1000)
			return accepted(r)
		})
		cpo = p
		c := w.start(startAt(swx))
		check(t, "state", c.State, jobs.CommandAccepted)
		check(t, "both", c.Response+" "+c.Result, "ACCEPTED ACCEPTED")
		check(t, "waits for the session", c.DueAt.Sub(w.clock.now()), 3*time.Minute)
		w.work()
		w.pass(4 * time.Minute)
		w.eventually("not started", func() bool { return w.command(c.ID).State == jobs.CommandUnconfirmed })
		cpo.do(http.MethodPut, sessionPath, change(t, sessionJSON, "start_date_time", "2026-10-20T12:02:00Z", "status", "PENDING")).want(201, 1000)
		check(t, "pending", w.command(c.ID).SessionID+" "+w.command(c.ID).State, "S1 unconfirmed")
		cpo.do(http.MethodPatch, sessionPath, `{"status":"ACTIVE","last_updated":"2026-10-20T12:20:00Z"}`).want(200, 1000)
		check(t, "started after all", w.command(c.ID).State, jobs.CommandConfirmed) // CMD-18
	})
}

// Which session came of which command, when the CPO does not say (SES-12).
func TestCommandSessions(t *testing.T) {
	for name, test := range map[string]struct {
		session []any // changes of sessionJSON; the command was given at 12:00
		want    bool
	}{
		"card, place and time":     {[]any{"start_date_time", "2026-10-20T12:01:00Z"}, true},
		"no EVSE yet":              {[]any{"start_date_time", "2026-10-20T12:01:00Z", "evse_uid", "#NA"}, true},
		"clocks apart":             {[]any{"start_date_time", "2026-10-20T11:58:00Z"}, true},
		"long before":              {[]any{"start_date_time", "2026-10-20T10:00:00Z"}, false},
		"long after":               {[]any{"start_date_time", "2026-10-20T13:00:00Z"}, false},
		"another EVSE":             {[]any{"start_date_time", "2026-10-20T12:01:00Z", "evse_uid", "EVSE2"}, false},
		"another location":         {[]any{"start_date_time", "2026-10-20T12:01:00Z", "location_id", "LOC2"}, false},
		"another card":             {[]any{"start_date_time", "2026-10-20T12:01:00Z", "cdr_token.uid", "OTHER"}, false},
		"another reference":        {[]any{"start_date_time", "2026-10-20T12:01:00Z", "authorization_reference", "X"}, false},
		"a reservation":            {[]any{"start_date_time", "2026-10-20T12:01:00Z", "status", "RESERVATION"}, false},
		"a session that never was": {[]any{"start_date_time", "2026-10-20T12:01:00Z", "status", "INVALID"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			swx, cpo := w.ready(accepted)
			c := w.start(startAt(swx))
			cpo.do(http.MethodPut, sessionPath, change(t, sessionJSON, test.session...)).want(201, 1000)
			check(t, "confirmed", w.command(c.ID).State == jobs.CommandConfirmed, test.want)
		})
	}
	t.Run("a second session", func(t *testing.T) {
		w := newWorld(t)
		swx, cpo := w.ready(accepted)
		c := w.start(startAt(swx))
		for i := range 2 {
			id := fmt.Sprint("S", i)
			cpo.do(http.MethodPut, "/ocpi/2.2.1/sessions/DE/CPO/"+id, change(t, sessionJSON, "id", id, "start_date_time", "2026-10-20T12:01:00Z")).want(201, 1000)
		}
		check(t, "the first", w.command(c.ID).SessionID, "S0")
	})
	t.Run("a refused start, then the card", func(t *testing.T) {
		w := newWorld(t)
		swx, cpo := w.ready(func(request) (int, string) { return envelope(`{"result":"REJECTED","timeout":0}`) })
		c := w.start(startAt(swx))
		cpo.do(http.MethodPut, sessionPath, change(t, sessionJSON, "start_date_time", "2026-10-20T12:01:00Z")).want(201, 1000)
		check(t, "whitelisted", w.command(c.ID).State, jobs.CommandRefused)
		cpo.do(http.MethodPut, "/ocpi/2.2.1/sessions/DE/CPO/S2", change(t, sessionJSON, "id", "S2", "auth_method", "COMMAND", "start_date_time", "2026-10-20T12:01:00Z")).want(201, 1000)
		check(t, "by command", w.command(c.ID).SessionID, "S2")
	})
}

// A CPO behind a hub is commanded through it and calls back through it; one that the hub cannot reach is not (RTG-01, RTG-18,
// RTG-22, HUB-06, STA-04).
func TestCommandThroughHub(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	hub := ocpitest.NewHub(ocpitest.Options{Name: "Drehscheibe", Party: party(t, "DE*HUB"), Now: w.clock.now})
	one := hub.AddCPO(ocpitest.Options{Name: "Eins", Party: party(t, "DE*ONE"), Now: w.clock.now, Seed: 1})
	w.startPeer(hub.Peer)
	i := w.invite(ocpi.RoleHub, "DE*HUB")
	if err := hub.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	if err := hub.Announce(w.ctx); err != nil {
		t.Fatal(err)
	}
	if err := one.Publish(w.ctx); err != nil {
		t.Fatal(err)
	}
	start := jobs.Start{Tenant: swx.ID, UID: "04AABBCC", At: jobs.Place{Location: one.Points()[0].Location.ID, EVSE: one.Points()[0].EVSE.UID}}
	c := w.start(start)
	w.eventually("the session behind the hub", func() bool { return w.command(c.ID).State == jobs.CommandConfirmed })
	check(t, "from", one.Commands()[0].From.String(), "DE*SWX")

	w.pass(time.Minute)
	if err := hub.SetConnection(w.ctx, one.Party(), ocpi.ConnectionOffline); err != nil {
		t.Fatal(err)
	}
	_, err := w.ops.StartSession(w.ctx, start)
	check(t, "offline", reason(err), jobs.ReasonUnreachable)
	check(t, "sent", len(one.Commands()), 1)
}

// Results are taken from the connection that the command went over, and from nobody else (CMD-13 to CMD-15, CMD-20, RTG-19,
// RTG-22, TRN-14). A result belongs to its command by the address, whatever its ids say (TRN-21).
func TestCommandResults(t *testing.T) {
	w := newWorld(t)
	var url string
	swx, cpo := w.ready(func(r request) (int, string) { url = r.responseURL; return accepted(r) })
	swy := w.addTenant("DE*SWY")
	other := w.registered(ocpi.RoleCPO, "DE*OTH")
	c := w.start(startAt(swx))
	const yes = `{"result":"ACCEPTED"}`
	stranger := *cpo
	stranger.token = "wrong"
	stranger.do(http.MethodPost, url, yes).want(401, 2000)
	other.do(http.MethodPost, url, yes).want(404, 2001)
	cpo.to("DE*SWY", "DE*CPO").do(http.MethodPost, url, yes).want(404, 2001)
	for _, path := range []string{
		"/START_SESSION/" + uuid.NewString(), "/STOP_SESSION/" + c.ID.String(), "/START_SESSION/1", "/SET_PROFILE/" + c.ID.String(), "/start_session/" + c.ID.String(),
	} {
		cpo.do(http.MethodPost, commandsPath+path, yes).want(404, 2001)
	}
	for _, body := range []string{`{}`, `[]`, `{"result":null}`, `{"result":7}`, `{"timeout":3}`} {
		cpo.do(http.MethodPost, url, body).want(200, 2001)
	}
	for _, body := range []string{``, `{`, `ACCEPTED`} {
		cpo.do(http.MethodPost, url, body).want(400, 2001)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		cpo.do(method, url, yes).want(405, 2000)
		cpo.do(method, commandsPath, yes).want(405, 2000)
	}
	cpo.do(http.MethodPost, commandsPath, yes).want(405, 2000)
	check(t, "untouched", w.command(c.ID).State, jobs.CommandForwarded)

	a := cpo.to("DE*SWX", "DE*CPO").with("X-Request-ID", "r7", "X-Correlation-ID", "of its own").do(http.MethodPost, url, `{"result":"FAILED","timeout":3,"message":[{"language":"en","text":"Cable missing"}]}`).want(200, 1000)
	check(t, "data", string(a.data), "")
	check(t, "answer is from", a.header.Get("OCPI-from-party-id")+" to "+a.header.Get("OCPI-to-party-id"), "SWX to CPO") // CMD-21
	cpo.do(http.MethodPost, url, yes).want(200, 1000)
	got := w.command(c.ID)
	check(t, "first result", got.State+" "+got.Result+" "+got.Message, "failed FAILED Cable missing")
	check(t, "timeline", w.timeline(c.ID), "sent, answered, result, result again")

	second := w.start(startAt(swx)) // the first has failed: it may be tried again
	check(t, "another one", second.ID != c.ID, true)
	cpo.do(http.MethodPost, url, `{"result":"UNKNOWN_SESSION"}`).want(200, 1000) // CMD-20
	check(t, "unknown result", w.command(second.ID).State, jobs.CommandFailed)

	visible := func(tenant uuid.UUID) (n int) {
		err := w.db.TenantTx(w.ctx, tenant, func(q *db.Queries) error {
			all, err := q.CommandsOfTenant(w.ctx, db.CommandsOfTenantParams{TenantID: swx.ID, MaxRows: 10})
			n = len(all)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	check(t, "seen by its utility", visible(swx.ID), 2)
	check(t, "seen by another", visible(swy.ID), 0)
}

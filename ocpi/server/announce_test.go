package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
	"github.com/roamwerk/roamwerk/ocpi/server"
)

// offering runs workers of a release that offers something until done.
func (w *world) offering(offer string, done func() bool) {
	w.t.Helper()
	worker := w.worker()
	worker.Offer, worker.BaseURL = offer, w.url
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	w.eventually("what a release offering "+offer+" does", done)
	cancel()
	if err := <-ended; err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) partner(id uuid.UUID) db.Partner {
	w.t.Helper()
	p, err := w.db.Partner(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// A partner is told once by new credentials when what we offer has changed, and goes on with them (VER-11, CRED-18, CRED-22).
func TestAnnouncement(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.startCPO("DE*CPO", ocpitest.WireFaults{})
	i := w.invite(ocpi.RoleCPO, "DE*CPO")
	if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	id := i.Partner.ID
	known := w.partner(id).Advertised
	before, _ := cpo.Registration()
	worker := w.worker()
	worker.Offer = server.Offer(w.url)
	w.passes(worker, time.Minute)
	check(t, "was told at the registration", w.partner(id).AnnounceAt == nil, true)
	w.offering("more", func() bool { return w.partner(id).Advertised != known })
	after, _ := cpo.Registration()
	check(t, "new tokens", after.Token != before.Token && after.Inbound != before.Inbound, true)
	check(t, "waits for nothing", w.partner(id).AnnounceAt == nil, true)
	if err := cpo.Publish(w.ctx); err != nil {
		t.Errorf("goes on: %v", err)
	}
	check(t, "live tokens", w.count("SELECT count(*) FROM partner_tokens WHERE revoked_at IS NULL AND kind = 'live'"), 1)
	other := w.startCPO("DE*OTH", ocpitest.WireFaults{})
	j := w.invite(ocpi.RoleCPO, "DE*OTH")
	if err := other.Register(w.ctx, j.VersionsURL, j.Token); err != nil {
		t.Fatal(err)
	}
	known = w.partner(j.Partner.ID).Advertised
	w.offering("more", func() bool { return w.partner(j.Partner.ID).Advertised != known })
	again, _ := cpo.Registration()
	check(t, "is not told again", again.Token, after.Token)
}

// Not every partner can be told: one takes no PUT and is left alone, one refuses for now, one does not answer, so that both its
// tokens count (CRED-22).
func TestAnnouncementThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter)
		later  bool // it is told again
		tokens int  // that count
	}{
		"no PUT":    {func(w http.ResponseWriter) { w.WriteHeader(http.StatusMethodNotAllowed) }, false, 1},
		"refuses":   {func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"status_code":3001}`)) }, true, 1},
		"no answer": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.addTenant("DE*SWX")
			cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
			var puts atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					puts.Add(1)
					test.answer(rw)
				}
			}))
			t.Cleanup(s.Close)
			w.change("UPDATE partners SET endpoints = replace(endpoints::text, $2, $3)::jsonb WHERE id = $1", cpo.id, cpo.platform.URL+"/2.2.1/credentials", s.URL)
			w.offering("more", func() bool { return w.partner(cpo.id).AnnounceProblem != "" })
			p := w.partner(cpo.id)
			check(t, "problem", strings.Contains(p.AnnounceProblem, "PUT "+s.URL), true)
			check(t, "again", p.AnnounceAt != nil && p.AnnounceAt.Sub(w.clock.now()) == time.Minute, test.later)
			check(t, "sent once", puts.Load(), int32(1))
			check(t, "live tokens", w.count("SELECT count(*) FROM partner_tokens WHERE revoked_at IS NULL AND kind = 'live'"), test.tokens)
			cpo.do(http.MethodPut, tariffPath, tariffJSON).want(201, 1000) // the old token still counts
		})
	}
}

// Partners are told when a utility comes or changes its name, once for what happens at the same time, and when modules are
// hidden from one of them (CRED-24, VER-11). What a website lacks to be an address is added.
func TestAnnouncementOfUtilities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.startCPO("DE*CPO", ocpitest.WireFaults{})
	i := w.invite(ocpi.RoleCPO, "DE*CPO")
	if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	worker := w.release()
	puts := func() int {
		if err := w.log.Flush(w.ctx); err != nil {
			t.Fatal(err)
		}
		return w.count("SELECT count(*) FROM messages WHERE direction = 'out' AND method = 'PUT' AND module = 'credentials' AND partner_id = $1", i.Partner.ID)
	}
	w.addTenant("DE*SWY")
	if _, err := w.ops.ChangeTenant(w.ctx, swx.ID, func(t *db.Tenant) { t.Name, t.Website = " Stadtwerke am Meer ", "www.sw-meer.example" }); err != nil {
		t.Fatal(err)
	}
	w.inMinutes(worker, "the new roles", told(cpo.Peer, "DE*SWX", "DE*SWY"))
	w.inMinutes(worker, "the note of them", func() bool { return w.partner(i.Partner.ID).AnnounceAt == nil })
	r, _ := cpo.Registration()
	check(t, "name and website", r.Roles[0].BusinessDetails.Name+" "+r.Roles[0].BusinessDetails.Website, "Stadtwerke am Meer https://www.sw-meer.example")
	if err := w.ops.HideModules(w.ctx, i.Partner.ID, []ocpi.ModuleID{ocpi.ModuleHubClientInfo}); err != nil {
		t.Fatal(err)
	}
	w.inMinutes(worker, "the hidden module", func() bool {
		r, _ := cpo.Registration()
		details := ocpi.VersionDetails{Endpoints: r.Endpoints}
		_, listed := details.Endpoint(ocpi.ModuleHubClientInfo, ocpi.Receiver)
		return !listed
	})
	w.eventually("the log", func() bool { return puts() >= 2 })
	before := puts()
	if _, err := w.ops.ChangeTenant(w.ctx, swx.ID, func(t *db.Tenant) { t.City = "Emden" }); err != nil { // which partners are not told
		t.Fatal(err)
	}
	w.passes(worker, time.Minute)
	w.eventually("nothing is due", func() bool { return w.partner(i.Partner.ID).AnnounceAt == nil })
	check(t, "calls", puts(), before)
	if _, err := w.ops.ChangeTenant(w.ctx, swx.ID, func(t *db.Tenant) { t.Mode = "live" }); err == nil {
		t.Error("a utility without legal data is live")
	}
}

// A partner that is away is told of a utility when it is back (CRED-24), and of an end for a week (CRED-30).
func TestAnnouncementToOneThatIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO")})
	id := w.partnerOf("CPO DE*CPO").ID
	worker := w.release()
	if err := cpo.Close(); err != nil {
		t.Fatal(err)
	}
	w.issueCard(swx, "04AABBCC")
	w.eventually("the note that it does not answer", func() bool { return w.partner(id).FailingSince != nil })
	w.addTenant("DE*SWY")
	w.inMinutes(worker, "the plan", func() bool { return w.partner(id).AnnounceAt != nil })
	check(t, "attempts", int(w.partner(id).AnnounceAttempts), 0)
	if err := cpo.Start(); err != nil {
		t.Fatal(err)
	}
	w.inMinutes(worker, "the new role", told(cpo.Peer, "DE*SWX", "DE*SWY"))
	w.inMinutes(worker, "the note of it", func() bool { return w.partner(id).AnnounceAt == nil })

	if err := cpo.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.ops.EndPartner(w.ctx, id); err != nil {
		t.Fatal(err)
	}
	w.eventually("the first try", func() bool { return w.partner(id).AnnounceAttempts == 1 && w.partner(id).AnnounceProblem != "" })
	check(t, "calls from it", w.count("SELECT count(*) FROM partner_tokens WHERE partner_id = $1 AND revoked_at IS NULL", id), 0)
	if err := cpo.Start(); err != nil {
		t.Fatal(err)
	}
	w.inMinutes(worker, "the end", func() bool { _, registered := cpo.Registration(); return !registered })
	w.eventually("the note of it", func() bool { return w.partner(id).TokenSealed == nil && w.partner(id).AnnounceAt == nil })
	check(t, "problem", w.partner(id).AnnounceProblem, "")
}

// Whatever a partner answers to the end of a partnership: nothing is sent any more (CRED-30).
func TestEndIsToldOnce(t *testing.T) {
	for name, test := range map[string]struct {
		status  int
		problem bool
	}{
		"taken": {200, false}, "no longer known": {401, false}, "no such method": {405, false}, "refused": {403, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			swx := w.addTenant("DE*SWX")
			cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
			calls := make(chan string, 100)
			s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				calls <- r.Method + " " + r.Header.Get("Authorization")
				rw.WriteHeader(test.status)
				_, _ = rw.Write([]byte(`{"status_code":1000}`))
			}))
			t.Cleanup(s.Close)
			w.change("UPDATE partners SET endpoints = replace(endpoints::text, $2, $3)::jsonb WHERE id = $1", cpo.id, cpo.platform.URL, s.URL)
			worker := w.release()
			if err := w.ops.EndPartner(w.ctx, cpo.id); err != nil {
				t.Fatal(err)
			}
			check(t, "call", <-calls, "DELETE "+ocpi.EncodeToken("token-b-DE*CPO"))
			w.eventually("the note of it", func() bool { return w.partner(cpo.id).TokenSealed == nil })
			check(t, "problem", w.partner(cpo.id).AnnounceProblem != "", test.problem)
			w.issueCard(swx, "04AABBCC")
			w.passes(worker, 2*time.Hour)
			check(t, "further calls", len(calls), 0)
			cpo.do(http.MethodGet, credentialsPath, nil).want(401, 2000)
			if err := w.ops.EndPartner(w.ctx, cpo.id); err == nil {
				t.Error("ended twice")
			}
		})
	}
}

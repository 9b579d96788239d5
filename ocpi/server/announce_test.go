package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
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
	check(t, "was told at the registration", w.partner(id).Advertised, server.Offer(w.url))
	before, _ := cpo.Registration()
	w.offering("more", func() bool { return w.partner(id).Advertised == "more" })
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
	w.offering("more", func() bool { return w.partner(j.Partner.ID).Advertised == "more" })
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
			puts := 0
			s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					puts++
					test.answer(rw)
				}
			}))
			t.Cleanup(s.Close)
			w.change("UPDATE partners SET endpoints = replace(endpoints::text, $2, $3)::jsonb WHERE id = $1", cpo.id, cpo.platform.URL+"/2.2.1/credentials", s.URL)
			w.offering("more", func() bool { return w.partner(cpo.id).AnnounceProblem != "" })
			p := w.partner(cpo.id)
			check(t, "problem", strings.Contains(p.AnnounceProblem, "PUT "+s.URL), true)
			check(t, "again", p.AnnounceAt != nil && p.AnnounceAt.Sub(w.clock.now()) == time.Hour, test.later)
			check(t, "sent once", puts, 1)
			check(t, "live tokens", w.count("SELECT count(*) FROM partner_tokens WHERE revoked_at IS NULL AND kind = 'live'"), test.tokens)
			cpo.do(http.MethodPut, tariffPath, tariffJSON).want(201, 1000) // the old token still counts
		})
	}
}

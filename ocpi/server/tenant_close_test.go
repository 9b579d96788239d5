package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
	"github.com/roamwerk/roamwerk/ocpi/server"
)

// release runs workers that tell partners what this release offers, until the test ends.
func (w *world) release() *jobs.Worker {
	w.t.Helper()
	worker := w.worker()
	worker.Offer, worker.BaseURL = server.Offer(w.url), w.url
	w.run(worker)
	return worker
}

// passes lets time pass and runs what the clock runs.
func (w *world) passes(worker *jobs.Worker, d time.Duration) {
	w.t.Helper()
	w.pass(d)
	if err := worker.RunSchedule(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// inMinutes lets minutes pass until something holds.
func (w *world) inMinutes(worker *jobs.Worker, what string, holds func() bool) {
	w.t.Helper()
	w.eventually(what, func() bool {
		w.passes(worker, time.Minute)
		w.settle()
		return holds()
	})
}

// told reports whether the utilities that a partner knows of are these.
func told(p *ocpitest.Peer, parties ...string) func() bool {
	return func() bool {
		var known []string
		for _, e := range p.EMSPs() {
			known = append(known, e.String())
		}
		return slices.Equal(known, parties)
	}
}

// A utility leaves (TEN-05): its cards are void at every partner, at once or when the partner is back, and only then its role
// is withdrawn. A partner that works with nobody else is kept for late CDRs and then left (CRED-30). History stays, the last
// sessions and CDRs are taken, and nothing of another utility changes.
func TestUtilityCloses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leaves, stays := w.addTenant("DE*SWX"), w.addTenant("DE*SWY")
	gone := w.issueCard(leaves, "04GONE")
	w.issueCard(stays, "04STAYS")
	void := w.issueCard(leaves, "04VOID")
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO")})
	away := w.register(ocpitest.Options{Party: party(t, "DE*AWY")})
	old := ocpitest.NewCPO(ocpitest.Options{Name: "Alt", Party: party(t, "DE*OLD"), Now: w.clock.now, Version: ocpi.Version211})
	w.startPeer(old.Peer)
	i, err := w.ops.InvitePartner(w.ctx, jobs.NewPartner{Name: "Alt", Role: ocpi.RoleCPO, Party: party(t, "DE*OLD"), Tenants: []uuid.UUID{leaves.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	invited := w.invited(ocpi.RoleCPO, "DE*INV") // and has not registered yet
	worker := w.release()
	if _, err := w.ops.BlockCard(w.ctx, leaves.ID, "04VOID", "", true); err != nil {
		t.Fatal(err)
	}
	w.eventually("the cards at all partners", func() bool {
		return knows(cpo, "04GONE", true)() && knows(away, "04GONE", true)() && knows(old, "04GONE", true)() && knows(cpo, "04VOID", false)() && knows(away, "04STAYS", true)()
	})
	cpo.SetFaults(ocpitest.WireFaults{})
	running := change(t, sessionJSON, "cdr_token.uid", "04GONE")
	direct := w.registered(ocpi.RoleCPO, "DE*DIR") // a partner in words of our own
	direct.do(http.MethodPut, sessionPathOf("DIR"), change(t, running, "party_id", "DIR")).want(201, 1000)

	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	closing, err := w.ops.CloseTenant(w.ctx, leaves.ID)
	if err != nil || closing != (jobs.Closing{Cards: 1, Partners: 5}) {
		t.Fatalf("%+v, %v", closing, err)
	}
	if _, err := w.ops.CloseTenant(w.ctx, leaves.ID); !errors.Is(err, jobs.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	// Before its role goes: cards are void, wherever one asks.
	info := direct.do(http.MethodPost, tokensPath+"/04GONE/authorize", nil).want(200, 1000).object()
	check(t, "asked for at once", info["allowed"], any("BLOCKED"))
	w.eventually("the cards at partners that answer", func() bool { return knows(cpo, "04GONE", false)() && knows(old, "04GONE", false)() })
	w.eventually("the note that one does not answer", func() bool { return w.partnerOf("CPO DE*AWY").FailingSince != nil })
	w.eventually("confirmation", func() bool {
		return w.count("SELECT count(*) FROM token_deliveries d JOIN partners p ON p.id = d.partner_id WHERE p.name = 'CPO DE*CPO' AND d.due_at IS NOT NULL") == 0
	})
	check(t, "known to the one that answers", told(cpo.Peer, "DE*SWX", "DE*SWY")(), true)

	w.inMinutes(worker, "the withdrawal", told(cpo.Peer, "DE*SWY"))
	check(t, "still known to the one that is away", told(away.Peer, "DE*SWX", "DE*SWY")(), true)
	check(t, "still known to the old one", told(old.Peer, "DE*SWX")(), true)
	check(t, "utilities of the one that is invited", len(w.tenantsOf(invited.id)), 1)
	check(t, "other cards", knows(cpo, "04STAYS", true)(), true)
	direct.to("DE*SWX", "DE*DIR").do(http.MethodPost, tokensPath+"/04GONE/authorize", nil).want(200, 2001)
	direct.do(http.MethodPost, tokensPath+"/04GONE/authorize", nil).want(404, 2004)
	check(t, "listed cards", len(direct.do(http.MethodGet, tokensPath, nil).want(200, 1000).list()), 1)

	// Its last session ends, and its CDR comes.
	ended := change(t, running, "party_id", "DIR", "status", "COMPLETED", "kwh", 10, "last_updated", "2026-10-20T11:01:00Z")
	direct.do(http.MethodPut, sessionPathOf("DIR"), ended).want(200, 1000)
	direct.do(http.MethodPatch, sessionPathOf("DIR"), `{"kwh":11,"last_updated":"2026-10-20T11:02:00Z"}`).want(200, 1000)
	check(t, "session", direct.do(http.MethodGet, sessionPathOf("DIR"), nil).want(200, 1000).object()["kwh"], any(11.0))
	w.other("DE*ELS").do(http.MethodGet, sessionPathOf("DIR"), nil).want(404, 2001)
	late := change(t, cdrJSON, "party_id", "DIR", "cdr_token.uid", "04GONE", "cdr_location.evse_id", "DE*DIR*E0001")
	direct.to("DE*SWX", "DE*DIR").do(http.MethodPost, cdrsPath, late).want(201, 1000)
	w.eventually("the rating", func() bool {
		return w.count("SELECT count(*) FROM cdr_states WHERE party_id = 'DIR' AND tenant_id = $1 AND state = 'rated'", leaves.ID) == 1
	})

	// The one that was away: the cards first, then the role.
	if err := away.Start(); err != nil {
		t.Fatal(err)
	}
	w.inMinutes(worker, "the cards at the one that is back", knows(away, "04GONE", false))
	w.eventually("confirmation", func() bool {
		return w.count("SELECT count(*) FROM token_deliveries d JOIN partners p ON p.id = d.partner_id WHERE p.name = 'CPO DE*AWY' AND d.due_at IS NOT NULL") == 0
	})
	w.inMinutes(worker, "the withdrawal from the one that is back", told(away.Peer, "DE*SWY"))

	// Nothing comes back.
	if _, err := w.ops.BlockCard(w.ctx, leaves.ID, "04GONE", "", false); !errors.Is(err, jobs.ErrClosed) {
		t.Errorf("unblocked: %v", err)
	}
	if _, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: leaves.ID, UID: "04NEW", Contract: "DE-SWX-C2", Customer: "Erika Beispiel", Email: "erika@example.org"}); !errors.Is(err, jobs.ErrClosed) {
		t.Errorf("issued: %v", err)
	}
	if err := w.ops.EnablePartner(w.ctx, w.partnerOf("CPO DE*CPO").ID, []uuid.UUID{leaves.ID, stays.ID}); err != nil || len(w.tenantsOf(w.partnerOf("CPO DE*CPO").ID)) != 1 {
		t.Errorf("enabled again: %v", err)
	}
	check(t, "history", w.count("SELECT count(*) FROM tokens WHERE tenant_id = $1 AND NOT valid AND id = ANY ($2)", leaves.ID, []uuid.UUID{gone, void}), 2)

	// The old one serves nobody any more, and is left when no CDR is waited for any longer.
	w.passes(worker, 170*day)
	check(t, "after 170 days", w.partnerOf("Alt").State, "registered")
	w.pass(11 * day)
	w.inMinutes(worker, "the end", func() bool { _, registered := old.Registration(); return !registered })
	w.eventually("the note of it", func() bool { return w.partnerOf("Alt").TokenSealed == nil })
	check(t, "state", w.partnerOf("Alt").State+w.partnerOf("Alt").AnnounceProblem, "ended")
	check(t, "others", w.partnerOf("CPO DE*CPO").State, "registered")
	direct.do(http.MethodPost, cdrsPath, change(t, late, "id", "CDR2")).want(200, 2004) // too late by far
}

// sessionPathOf is where a session of another CPO is.
func sessionPathOf(cpo string) string { return "/ocpi/2.2.1/sessions/DE/" + cpo + "/S1" }

// other is another registered CPO.
func (w *world) other(at string) *partner {
	w.t.Helper()
	return w.registered(ocpi.RoleCPO, at)
}

func (w *world) tenantsOf(partner uuid.UUID) []db.Tenant {
	w.t.Helper()
	tenants, err := w.db.TenantsOfPartner(w.ctx, partner)
	if err != nil {
		w.t.Fatal(err)
	}
	return tenants
}

// A partner that does not take note of void cards does not hold a utility for ever (TEN-05).
func TestUtilityLeavesAPartnerThatRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leaves := w.addTenant("DE*SWX")
	w.addTenant("DE*SWY")
	w.issueCard(leaves, "04GONE")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.platform.tokens = http.StatusForbidden
	worker := w.release()
	if _, err := w.ops.CloseTenant(w.ctx, leaves.ID); err != nil {
		t.Fatal(err)
	}
	w.eventually("the first refusal", func() bool { return w.count("SELECT count(*) FROM token_deliveries WHERE problem LIKE '%403%'") == 1 })
	w.passes(worker, 6*day)
	check(t, "utilities after 6 days", len(w.tenantsOf(cpo.id)), 2)
	w.pass(day)
	w.inMinutes(worker, "the parting after a week", func() bool { return len(w.tenantsOf(cpo.id)) == 1 })
	w.eventually("the end of the deliveries", func() bool {
		return w.count("SELECT count(*) FROM token_deliveries WHERE due_at IS NULL AND problem LIKE '%403%'") == 1
	})
}

// One switch decides which utilities work with a partner (TEN-02, CRED-24): with whom it stops, cards are void there and
// nowhere else, and come back with the utility.
func TestUtilityLeavesOnePartner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx, swy := w.addTenant("DE*SWX"), w.addTenant("DE*SWY")
	w.issueCard(swx, "04AABBCC")
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO")})
	second := w.register(ocpitest.Options{Party: party(t, "DE*SEC")})
	direct := w.registered(ocpi.RoleCPO, "DE*DIR")
	worker := w.release()
	w.eventually("the cards", func() bool { return knows(cpo, "04AABBCC", true)() && knows(second, "04AABBCC", true)() })
	id := w.partnerOf("CPO DE*CPO").ID
	for _, partner := range []uuid.UUID{id, direct.id} {
		if err := w.ops.EnablePartner(w.ctx, partner, []uuid.UUID{swy.ID}); err != nil {
			t.Fatal(err)
		}
	}
	before := direct.do(http.MethodGet, tokensPath+"?date_from="+ocpi.FormatDateTime(w.clock.now()), nil).want(200, 1000).list()
	check(t, "changed cards", fmt.Sprint(len(before), before[0]["valid"]), "1 false")
	info := direct.do(http.MethodPost, tokensPath+"/04AABBCC/authorize", nil).want(200, 1000).object()
	check(t, "asked for", fmt.Sprint(info["allowed"], info["token"].(map[string]any)["valid"]), "NOT_ALLOWEDfalse")
	w.eventually("the void card", knows(cpo, "04AABBCC", false))
	check(t, "elsewhere", knows(second, "04AABBCC", true)(), true)
	w.eventually("confirmation", func() bool {
		return w.count("SELECT count(*) FROM token_deliveries WHERE partner_id = $1 AND due_at IS NOT NULL", id) == 0
	})
	w.inMinutes(worker, "the withdrawal", told(cpo.Peer, "DE*SWY"))
	check(t, "known elsewhere", told(second.Peer, "DE*SWX", "DE*SWY")(), true)

	if err := w.ops.EnablePartner(w.ctx, id, []uuid.UUID{swx.ID, swy.ID}); err != nil {
		t.Fatal(err)
	}
	w.inMinutes(worker, "the return", func() bool { return told(cpo.Peer, "DE*SWX", "DE*SWY")() && knows(cpo, "04AABBCC", true)() })
	for _, tenants := range [][]uuid.UUID{nil, {}} {
		if err := w.ops.EnablePartner(w.ctx, id, tenants); err == nil {
			t.Error("a partner without utilities")
		}
	}
}

// OCPI 2.1.1 connects two parties, and so works with one utility (VDF-01).
func TestUtilitiesOfAnOldPartner(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.old("DE*CPO")
	swy := w.addTenant("DE*SWY")
	if err := w.ops.EnablePartner(w.ctx, cpo.id, []uuid.UUID{swx.ID, swy.ID}); err == nil || !strings.Contains(err.Error(), "two parties") {
		t.Errorf("two utilities: %v", err)
	}
	check(t, "utilities", len(w.tenantsOf(cpo.id)), 1)
}

package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// knows reports whether a CPO holds a card as blocked or not.
func knows(cpo *ocpitest.CPO, uid ocpi.CiString, valid bool) func() bool {
	return func() bool {
		for _, token := range cpo.Tokens() {
			if token.UID.Equal(uid) {
				return *token.Valid == valid
			}
		}
		return false
	}
}

// A block reaches every partner that answers at once, and every other when it comes back: once, as the card then is (OFF-01,
// OFF-03, TOK-15). What the partner changed meanwhile is read (OFF-02).
func TestBlockReachesEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	var mu sync.Mutex
	var puts []string
	up := w.register(ocpitest.Options{Party: party(t, "DE*UPP")})
	down := w.register(ocpitest.Options{Party: party(t, "DE*DWN"), Observe: func(x ocpitest.Exchange) {
		if x.Inbound && x.Module == ocpi.ModuleTokens && x.Method == http.MethodPut {
			mu.Lock()
			defer mu.Unlock()
			puts = append(puts, string(x.Body))
		}
	}})
	w.pass(time.Minute)
	w.work()
	w.eventually("the first push", func() bool { return knows(up, "04AABBCC", true)() && knows(down, "04AABBCC", true)() })
	w.settle()

	if err := down.Close(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	puts = nil
	mu.Unlock()
	for i := range 3 {
		state, err := w.ops.BlockCard(w.ctx, swx.ID, "04aabbcc", "", i != 1) // blocked, unblocked, blocked
		if err != nil || !state.Changed || state.Valid != (i == 1) {
			t.Fatal(state, err)
		}
	}
	if state, err := w.ops.BlockCard(w.ctx, swx.ID, "04AABBCC", "RFID", true); err != nil || state.Changed {
		t.Errorf("blocked again: %+v, %v", state, err)
	}
	if _, err := w.ops.BlockCard(w.ctx, swx.ID, "04FFFFFF", "", true); err == nil {
		t.Error("a card that there is not was blocked")
	}
	w.eventually("the block at the partner that answers", knows(up, "04AABBCC", false))
	w.eventually("the note that the other does not answer", func() bool { return w.partnerOf("CPO DE*DWN").FailingSince != nil })
	w.pass(2 * time.Hour)
	w.look()
	check(t, "alerts", fmt.Sprint(w.alerts(jobs.AlertUnreachable), w.alerts(jobs.AlertBlockOpen)), "1 1")

	moved := down.Locations()[0]
	moved.City, moved.LastUpdated = "Emden", w.clock.now()
	if err := down.PutLocation(w.ctx, moved); err != nil { // it can call us, though we cannot call it
		t.Fatal(err)
	}
	price := ocpitest.StandardPrices()[0].Tariff(down.Party(), w.clock.now())
	down.SetFaults(ocpitest.WireFaults{LosesPushes: true})
	if err := down.PutTariff(w.ctx, price); err != nil {
		t.Fatal(err)
	}
	if err := down.Start(); err != nil {
		t.Fatal(err)
	}
	w.pass(6 * time.Minute) // the next probe
	w.eventually("the block at the partner that is back", knows(down, "04AABBCC", false))
	w.settle()
	check(t, "the tariff that changed meanwhile", w.count("SELECT count(*) FROM tariffs WHERE party_id = 'DWN' AND version = 2 AND valid_to IS NULL"), 1)
	mu.Lock()
	check(t, "pushes after the outage", len(puts), 1)
	mu.Unlock()
	w.look()
	check(t, "open alerts", w.count("SELECT count(*) FROM alerts WHERE resolved_at IS NULL"), 0)
	if p := w.partnerOf("CPO DE*DWN"); p.FailingSince != nil {
		t.Errorf("still failing: %+v", p)
	}
}

// A partner that is heard again is probed at once, not at the next turn.
func TestHeardAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO")})
	w.pass(10 * time.Minute)
	w.work()
	w.pulled("CPO DE*CPO")
	if err := cpo.Close(); err != nil {
		t.Fatal(err)
	}
	w.issueCard(swx, "04AABBCC")
	w.eventually("the note that it does not answer", func() bool { return w.partnerOf("CPO DE*CPO").FailingSince != nil })
	if err := cpo.Start(); err != nil {
		t.Fatal(err)
	}
	w.settle()
	check(t, "cards before it is heard", len(cpo.Tokens()), 0)
	if err := cpo.Publish(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.eventually("the card", knows(cpo, "04AABBCC", true))
}

// STA-07: a partner that rejects our token is left alone, somebody is told, and it goes on when the token is taken again.
func TestTokenRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	answers := func(status int) {
		cpo.platform.mu.Lock()
		defer cpo.platform.mu.Unlock()
		cpo.platform.status, cpo.platform.tokens = status, status
	}
	calls := func() int {
		cpo.platform.mu.Lock()
		defer cpo.platform.mu.Unlock()
		return len(cpo.platform.calls)
	}
	answers(http.StatusUnauthorized)
	w.work()
	for _, uid := range []string{"04A", "04B", "04C"} {
		w.issueCard(swx, uid)
	}
	w.eventually("the alert", func() bool { return w.alerts(jobs.AlertTokenRejected) == 1 })
	w.settle()
	before := calls()
	w.pass(30 * time.Minute)
	w.settle()
	check(t, "calls while it rejects", calls(), before)
	partner, err := w.db.Partner(w.ctx, cpo.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := jobs.Callable(w.ctx, w.db.Queries, partner, ocpi.Party{}); !errors.Is(err, jobs.ErrRejected) {
		t.Errorf("callable: %v", err)
	}
	w.pass(time.Hour)
	w.settle()
	check(t, "probes", calls(), before+1)
	answers(http.StatusOK)
	w.pass(2 * time.Hour)
	w.eventually("the cards", func() bool {
		return w.count("SELECT count(*) FROM token_deliveries WHERE confirmed IS NOT NULL AND due_at IS NULL") == 3
	})
	w.settle()
	check(t, "alerts", w.alerts(jobs.AlertTokenRejected), 0)
}

// A partner that comes back while a probe of it fails is probed at once, not after the pause that follows a failure.
func TestHeardDuringAProbe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	probes := 0
	cpo.platform.mu.Lock()
	cpo.platform.status, cpo.platform.tokens = http.StatusServiceUnavailable, http.StatusServiceUnavailable
	cpo.platform.onCall = func(c platformCall) {
		if c.path != "/versions" {
			return
		}
		cpo.platform.mu.Lock()
		defer cpo.platform.mu.Unlock()
		if probes++; probes == 1 {
			if a, err := cpo.send(http.MethodPut, tariffPath, []byte(tariffJSON)); err != nil || a.status != http.StatusCreated {
				t.Errorf("a tariff during the probe: %+v, %v", a, err)
			}
			cpo.platform.status, cpo.platform.tokens = 0, 0 // from the next call on
		}
	}
	cpo.platform.mu.Unlock()
	w.work()
	w.eventually("the note that it does not answer", func() bool { return w.partner(cpo.id).FailingSince != nil })
	w.pass(2 * time.Minute)
	w.eventually("the card", func() bool {
		return w.count("SELECT count(*) FROM token_deliveries WHERE confirmed IS NOT NULL AND due_at IS NULL") == 1
	})
	cpo.platform.mu.Lock()
	defer cpo.platform.mu.Unlock()
	check(t, "probes", probes, 2)
}

// What a hub says of those behind it (FLT-09, HUB-05 to HUB-11, STA-04, RTG-08, RTG-12, PAG-19, PAG-21).
func TestBehindAHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	var mu sync.Mutex
	var lists []string
	hub := ocpitest.NewHub(ocpitest.Options{Name: "Drehscheibe", Party: party(t, "DE*HUB"), Now: w.clock.now, Page: 2, Observe: func(x ocpitest.Exchange) {
		if u, err := url.Parse(x.URL); err == nil && x.Inbound && x.Method == http.MethodGet && u.Query().Get("offset") == "" && !x.Module.Configuration() && x.Module != "" {
			mu.Lock()
			defer mu.Unlock()
			lists = append(lists, fmt.Sprint(x.Module, " to ", x.Header.Get("OCPI-to-party-id"), " ", int(x.Answer.StatusCode)))
		}
	}})
	one := hub.AddCPO(ocpitest.Options{Name: "Eins", Party: party(t, "DE*ONE"), Now: w.clock.now, Seed: 1, Sites: 3})
	two := hub.AddCPO(ocpitest.Options{Name: "Zwei", Party: party(t, "NL*TWO"), Now: w.clock.now, Seed: 2, Sites: 3})
	w.startPeer(hub.Peer)
	i := w.invite(ocpi.RoleHub, "DE*HUB")
	if err := hub.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	asked := func() string {
		mu.Lock()
		defer mu.Unlock()
		all := strings.Join(lists, "\n")
		lists = nil
		return sorted(all)
	}
	callable := func(cpo *ocpitest.CPO) error {
		return jobs.Callable(w.ctx, w.db.Queries, w.partnerOf("HUB DE*HUB"), cpo.Party())
	}
	check(t, "before the hub is read", fmt.Sprint(callable(two)), "NL*TWO cannot be reached: its hub says UNKNOWN")
	w.pass(time.Hour)
	w.work()
	w.pulled("HUB DE*HUB")
	check(t, "lists", asked(), "cdrs to HUB 1000\nlocations to HUB 1000\nsessions to HUB 1000\ntariffs to HUB 1000")
	check(t, "Locations", w.count("SELECT count(DISTINCT country_code || location_id) FROM locations"), 6)
	check(t, "callable", callable(two), nil)
	w.eventually("the card", knows(two, "04AABBCC", true))

	// One goes away: nothing is asked of it, and what it had stays, though the hub no longer lists it.
	w.pass(time.Hour)
	if err := hub.SetConnection(w.ctx, two.Party(), ocpi.ConnectionOffline); err != nil {
		t.Fatal(err)
	}
	var away *jobs.NotConnectedError
	if err := callable(two); !errors.As(err, &away) || away.Status != ocpi.ConnectionOffline || away.Party != two.Party() {
		t.Errorf("callable: %v", err)
	}
	one.Lose(one.Locations()[0].ID)
	two.Lose(two.Locations()[0].ID)
	moved := two.Locations()[0]
	moved.City, moved.LastUpdated = "Emmen", w.clock.now()
	hub.SetFaults(ocpitest.WireFaults{LosesPushes: true})
	if err := two.PutLocation(w.ctx, moved); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.pull("HUB DE*HUB", ocpi.ModuleLocations, true)
	check(t, "alive while one is away", w.alive(), 5)
	if _, err := w.ops.BlockCard(w.ctx, swx.ID, "04AABBCC", "", true); err != nil {
		t.Fatal(err)
	}
	w.eventually("the block at the one that is there", knows(one, "04AABBCC", false))
	check(t, "the block at the one that is away", knows(two, "04AABBCC", true)(), true)
	asked()

	// It comes back: its lists are read, and it gets the block.
	hub.SetFaults(ocpitest.WireFaults{})
	w.pass(30 * time.Minute)
	if err := hub.SetConnection(w.ctx, two.Party(), ocpi.ConnectionConnected); err != nil {
		t.Fatal(err)
	}
	w.eventually("the block at the one that is back", knows(two, "04AABBCC", false))
	w.pulled("HUB DE*HUB")
	all := asked()
	for _, module := range []string{"tariffs", "locations", "sessions", "cdrs"} {
		if !strings.Contains(all, module+" to TWO 1000") {
			t.Errorf("asked for\n%s\nnot for the %s of the one that is back", all, module)
		}
	}
	check(t, "alive when it is back", w.alive(), 4)
	check(t, "what it changed meanwhile", w.count("SELECT count(*) FROM locations WHERE city = 'Emmen'"), 1)
	for _, r := range w.pulled("HUB DE*HUB") {
		check(t, r.Module+" of "+r.PartyID+" again", r.DueAt != nil, r.PartyID == "HUB")
	}

	// What a call shows counts until the hub says otherwise.
	ended := func(code ocpi.StatusCode) {
		err := &client.Error{Fault: client.Refused, HTTPStatus: http.StatusOK, StatusCode: code}
		if err := w.ops.CallEnded(w.ctx, w.partnerOf("HUB DE*HUB"), two.Party(), err); err != nil {
			t.Fatal(err)
		}
	}
	ended(ocpi.StatusForwardTimeout) // 4002 says nothing
	check(t, "after 4002", callable(two), nil)
	ended(ocpi.StatusConnectionProblem) // 4003
	check(t, "after 4003", fmt.Sprint(callable(two)), "NL*TWO cannot be reached: its hub says OFFLINE")
	if err := hub.SetConnection(w.ctx, two.Party(), ocpi.ConnectionConnected); err != nil {
		t.Fatal(err)
	}
	check(t, "after the hub's word", callable(two), nil)
	ended(ocpi.StatusUnknownReceiver) // 4001, and hubclientinfo is read
	w.eventually("the hub's word", func() bool { return callable(two) == nil })

	// Those who are announced, and those who are gone for good.
	for _, status := range []ocpi.ConnectionStatus{ocpi.ConnectionPlanned, ocpi.ConnectionSuspended} {
		w.pass(time.Second)
		if err := hub.SetConnection(w.ctx, two.Party(), status); err != nil {
			t.Fatal(err)
		}
		check(t, string(status), w.alerts(jobs.AlertNotConnected), 1)
		if err := callable(two); !errors.As(err, &away) || away.Status != status {
			t.Errorf("callable: %v", err)
		}
	}
}

// RTG-18: a CPO that is reached directly and through a hub. What comes directly counts, the rest is counted.
func TestDirectBeforeHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addTenant("DE*SWX")
	hub := ocpitest.NewHub(ocpitest.Options{Name: "Drehscheibe", Party: party(t, "DE*HUB"), Now: w.clock.now})
	behind := hub.AddCPO(ocpitest.Options{Name: "Eins", Party: party(t, "DE*ONE"), Now: w.clock.now, Seed: 1, Sites: 2})
	w.startPeer(hub.Peer)
	i := w.invite(ocpi.RoleHub, "DE*HUB")
	if err := hub.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	direct := w.register(ocpitest.Options{Party: party(t, "DE*ONE"), Seed: 1, Sites: 2})
	w.pass(time.Minute)
	w.work()
	w.pulled("HUB DE*HUB")
	w.pulled("CPO DE*ONE")
	if err := behind.Publish(w.ctx); err != nil {
		t.Fatal(err)
	}
	check(t, "Locations of the direct connection", w.count("SELECT count(*) FROM locations WHERE partner_id = $1", w.partnerOf("CPO DE*ONE").ID), 2)
	check(t, "Locations", w.count("SELECT count(*) FROM locations"), 2)
	many := 2 * (len(behind.Locations()) + len(behind.Tariffs())) // pulled and pushed
	check(t, "ignored", w.count("SELECT sum(ignored) FROM partner_parties WHERE partner_id = $1", w.partnerOf("HUB DE*HUB").ID), many)
	// The hub's full crawl says nothing about what the direct connection has.
	behind.Lose(behind.Locations()[0].ID)
	w.pass(time.Minute)
	w.pull("HUB DE*HUB", ocpi.ModuleLocations, true)
	check(t, "alive", w.alive(), 2)
	// When the direct connection ends, the hub's counts.
	if err := direct.Unregister(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	w.pull("HUB DE*HUB", ocpi.ModuleLocations, true)
	check(t, "alive through the hub", w.alive(), 1)
}

package server_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

func (w *world) worker() *jobs.Worker {
	return &jobs.Worker{
		DB: w.db, Box: w.ops.Box, Bell: w.ops.Bell, Client: w.ops.Client, Receive: w.door.Receive, Redis: w.redis, Now: w.clock.now, Log: w.ops.Log,
		SweepEvery: 50 * time.Millisecond, ScheduleEvery: time.Hour, // tests run it by hand: world.look
	}
}

// work runs the platform's workers until the test ends.
func (w *world) work() {
	w.t.Helper()
	w.run(w.worker())
}

func (w *world) run(worker *jobs.Worker) {
	w.t.Helper()
	w.running = worker
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	rounds := w.count("SELECT count(*) FROM schedule_slots")
	go func() { done <- worker.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	if rounds == 0 {
		w.eventually("the first round of the schedule", func() bool { return w.count("SELECT count(*) FROM schedule_slots") > 0 })
	}
	w.look()
}

// look runs what the clock runs.
func (w *world) look() {
	w.t.Helper()
	worker := w.running
	if worker == nil {
		worker = w.worker()
	}
	if err := worker.RunSchedule(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// eventually waits until something holds.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s did not come about", what)
		}
	}
}

// settle returns when the platform has done everything that is due, and has written down how that went. What the other side
// has seen says nothing of it.
func (w *world) settle() {
	w.t.Helper()
	if w.running == nil {
		return
	}
	for range 2 { // what became due without a ring is found by the second sweep
		if err := w.running.Sweep(w.ctx); err != nil {
			w.t.Fatal(err)
		}
		w.eventually("an idle platform", w.idle)
	}
}

// idle reports whether no task waits or is worked on.
func (w *world) idle() bool {
	w.t.Helper()
	queues, err := w.queue.Queues()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, queue := range queues {
		info, err := w.queue.GetQueueInfo(queue)
		if err != nil {
			w.t.Fatal(err)
		}
		if info.Pending+info.Active > 0 {
			return false
		}
	}
	return true
}

// pass lets time pass once the platform is idle. What is under way when the clock jumps would plan its next attempt from the
// new time on, at which the test no longer looks.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.settle()
	w.clock.add(d)
}

func (w *world) startPeer(p *ocpitest.Peer) {
	w.t.Helper()
	if err := p.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := p.Close(); err != nil {
			w.t.Error(err)
		}
		for _, complaint := range p.Complaints() {
			w.t.Error("the partner complains:", complaint)
		}
	})
}

func (w *world) startCPO(at string, faults ocpitest.WireFaults) *ocpitest.CPO {
	w.t.Helper()
	cpo := ocpitest.NewCPO(ocpitest.Options{Name: "Betreiber " + at, Party: party(w.t, at), Now: w.clock.now, Faults: faults})
	w.startPeer(cpo.Peer)
	return cpo
}

func (w *world) invite(kind ocpi.Role, at string) jobs.Invitation {
	w.t.Helper()
	i, err := w.ops.InvitePartner(w.ctx, jobs.NewPartner{Name: string(kind) + " " + at, Role: kind, Party: party(w.t, at)})
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// charge delivers a charging session, Session and CDR, with the card.
func (w *world) charge(cpo *ocpitest.CPO, uid string) {
	w.t.Helper()
	visit := ocpitest.Visit{Token: ocpi.Token{CountryCode: "DE", PartyID: "SWX", UID: ocpi.CiString(uid), Type: ocpi.TokenRFID, ContractID: "DE-SWX-C1"}, Arrival: w.clock.now().Add(-8 * time.Hour)}
	if err := cpo.Draw(visit).Deliver(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// A CPO that this package did not write registers in both directions, with every peculiarity of the wire, delivers, and is
// told of cards (FLT-02, FLT-03, CRED-01 to CRED-14, TRN-05, TYP-05, TYP-08, TOK-07).
func TestPartners(t *testing.T) {
	for name, test := range map[string]struct {
		faults  ocpitest.WireFaults
		weStart bool // we start too
	}{
		"exact":              {ocpitest.WireFaults{}, true},
		"raw token":          {ocpitest.WireFaults{RawToken: true}, true},
		"unpadded token":     {ocpitest.WireFaults{UnpaddedToken: true}, false},
		"line feed in token": {ocpitest.WireFaults{TokenNewline: true}, false},
		"no request ids":     {ocpitest.WireFaults{NoRequestIDs: true}, false},
		"no routing":         {ocpitest.WireFaults{NoRouting: true}, false},
		"times without zone": {ocpitest.WireFaults{TimesWithoutZone: true}, false},
		"times with offset":  {ocpitest.WireFaults{TimesWithOffset: true}, false},
		"numbers as text":    {ocpitest.WireFaults{NumbersAsText: true}, true},
		"null lists":         {ocpitest.WireFaults{NullLists: true}, false},
		"201 on credentials": {ocpitest.WireFaults{CredentialsAre201: true}, true},
	} {
		t.Run(name+", they start", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			swx := w.addTenant("DE*SWX")
			cpo := w.startCPO("DE*CPO", test.faults)
			i := w.invite(ocpi.RoleCPO, "DE*CPO")
			if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
				t.Fatal(err)
			}
			w.roam(cpo, swx)
		})
		if test.weStart {
			t.Run(name+", we start", func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				swx := w.addTenant("DE*SWX")
				cpo := w.startCPO("DE*CPO", test.faults)
				url, token := cpo.Invite()
				if _, err := w.ops.RegisterPartner(w.ctx, jobs.Introduction{Name: "CPO", VersionsURL: url, Token: token}); err != nil {
					t.Fatal(err)
				}
				w.roam(cpo, swx)
			})
		}
	}
}

// roam plays what a registered CPO does, until it leaves.
func (w *world) roam(cpo *ocpitest.CPO, swx db.Tenant) {
	w.t.Helper()
	if err := cpo.Publish(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	w.charge(cpo, "04EARLY")
	check(w.t, "tenant", w.cdrState(string(cpo.CDRs()[0].ID)).TenantID, swx.ID)
	if err := cpo.Rotate(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	w.issueCard(swx, "04LATE")
	w.work()
	w.eventually("the push of the card", func() bool { return len(cpo.Tokens()) == 1 })
	if err := cpo.Unregister(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// A card is pushed when it is issued, before or after the partner comes, and again when it is blocked (TOK-07, TOK-10); what
// a CPO delivers is rated.
func TestCardAndCharge(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	early := w.issueCard(swx, "04EARLY")
	cpo := w.startCPO("DE*CPO", ocpitest.WireFaults{})
	i := w.invite(ocpi.RoleCPO, "DE*CPO")
	if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	w.work()
	late := w.issueCard(swx, "04LATE")
	w.eventually("the push of both cards", func() bool { return len(cpo.Tokens()) == 2 })
	w.block(late)
	if err := w.db.DistributeToken(w.ctx, db.DistributeTokenParams{TokenID: late, Now: w.clock.now()}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the push of the block", func() bool {
		for _, token := range cpo.Tokens() {
			if token.UID == "04LATE" {
				return !*token.Valid
			}
		}
		return false
	})
	w.eventually("the confirmation", func() bool {
		d, err := w.db.TokenDeliveries(w.ctx, early)
		return err == nil && len(d) == 1 && d[0].DueAt == nil && d[0].Confirmed != nil
	})
	if err := cpo.Publish(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.charge(cpo, "04EARLY")
	w.eventually("the rating", func() bool { return w.cdrState(string(cpo.CDRs()[0].ID)).State == "rated" })
}

func TestHub(t *testing.T) { // RTG-08, RTG-09, HUB-01, CRED-33
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	hub := ocpitest.NewHub(ocpitest.Options{Name: "Drehscheibe", Party: party(t, "DE*HUB"), Now: w.clock.now})
	one := hub.AddCPO(ocpitest.Options{Name: "Eins", Party: party(t, "DE*ONE"), Now: w.clock.now, Seed: 1})
	two := hub.AddCPO(ocpitest.Options{Name: "Zwei", Party: party(t, "NL*TWO"), Now: w.clock.now, Seed: 2})
	w.startPeer(hub.Peer)
	i := w.invite(ocpi.RoleHub, "DE*HUB")
	if err := hub.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	if err := hub.Announce(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.work()
	for _, cpo := range []*ocpitest.CPO{one, two} {
		w.eventually("the broadcast of the card", func() bool { return len(cpo.Tokens()) == 1 })
		if err := cpo.Publish(w.ctx); err != nil {
			t.Fatal(err)
		}
		w.charge(cpo, "04AABBCC")
		at := cpo.Party()
		if _, err := w.db.ReceivedCDR(w.ctx, db.ReceivedCDRParams{CountryCode: string(at.CountryCode), PartyID: string(at.PartyID), OCPIID: string(cpo.CDRs()[0].ID)}); err != nil {
			t.Errorf("CDR of %s: %v", at, err)
		}
	}
}

func TestRegistrationThatFails(t *testing.T) { // CRED-03, CRED-05
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.startCPO("DE*CPO", ocpitest.WireFaults{HalfRegisters: true})
	url, token := cpo.Invite()
	_, err := w.ops.RegisterPartner(w.ctx, jobs.Introduction{Name: "CPO", VersionsURL: url, Token: token})
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Fault != client.Refused || refused.HTTPStatus != 500 {
		t.Errorf("half registered: %v", err)
	}
	partner, err := w.db.PartnerByName(w.ctx, "CPO")
	if err != nil || partner.State != "invited" {
		t.Errorf("partner: %+v, %v", partner, err)
	}
	check(t, "live tokens", w.count("SELECT count(*) FROM partner_tokens WHERE revoked_at IS NULL"), 0)

	cpo.SetFaults(ocpitest.WireFaults{})
	url, token = cpo.Invite()
	if _, err := w.ops.RegisterPartner(w.ctx, jobs.Introduction{Name: "CPO", VersionsURL: url, Token: "wrong"}); !errors.As(err, &refused) || refused.HTTPStatus != http.StatusUnauthorized {
		t.Errorf("wrong token: %v", err)
	}
	partner, err = w.ops.RegisterPartner(w.ctx, jobs.Introduction{Name: "CPO", VersionsURL: url, Token: token})
	if err != nil || partner.State != "registered" || partner.CountryCode+partner.PartyID != "DECPO" || partner.Role != "CPO" {
		t.Errorf("partner: %+v, %v", partner, err)
	}
	check(t, "live tokens", w.count("SELECT count(*) FROM partner_tokens WHERE revoked_at IS NULL"), 1)
}

// A partner that is down gets, when it is back, the card as it then is, once (OFF-01, OFF-03).
func TestTokenPushAfterAnOutage(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	pushes := func(p *partner) (n int, last platformCall) {
		p.platform.mu.Lock()
		defer p.platform.mu.Unlock()
		for _, c := range p.platform.calls {
			if c.method == http.MethodPut {
				n, last = n+1, c
			}
		}
		return n, last
	}
	cpo.platform.tokens = 503
	w.work()
	card := w.issueCard(swx, "04 A/B")
	w.eventually("the push to the other partner", func() bool { n, _ := pushes(other); return n == 1 })
	problem := func() string {
		deliveries, err := w.db.TokenDeliveries(w.ctx, card)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range deliveries {
			if d.PartnerID == cpo.id && d.DueAt != nil {
				return d.Problem
			}
		}
		return ""
	}
	w.eventually("the note of the failure", func() bool { return problem() != "" })
	for range 3 {
		w.block(card)
		if _, err := w.db.SetTokenValid(w.ctx, db.SetTokenValidParams{ID: card, Valid: true, Now: w.clock.now()}); err != nil {
			t.Fatal(err)
		}
	}
	w.block(card)
	cpo.platform.mu.Lock()
	cpo.platform.tokens, cpo.platform.calls = 0, nil
	cpo.platform.mu.Unlock()
	w.pass(time.Hour)
	w.eventually("the push after the outage", func() bool { n, _ := pushes(cpo); return n > 0 && problem() == "" })
	w.settle()
	n, last := pushes(cpo)
	check(t, "pushes after the outage", n, 1)
	check(t, "path", last.path, "/2.2.1/tokens/DE/SWX/04%20A%2FB")
	check(t, "query", last.query, "type=RFID")
	check(t, "from", last.header.Get("OCPI-from-country-code")+last.header.Get("OCPI-from-party-id"), "DESWX")
	check(t, "to", last.header.Get("OCPI-to-country-code")+last.header.Get("OCPI-to-party-id"), "DECPO")
	check(t, "ids", last.header.Get("X-Request-ID") != "" && last.header.Get("X-Correlation-ID") != "", true)
	var token ocpi.Token
	if err := ocpi.Unmarshal(last.body, &token); err != nil || *token.Valid || token.Validate().Err() != nil {
		t.Errorf("token: %s, %v", last.body, err)
	}
}

// A card that was issued in the very moment of a registration reaches the partner all the same (OFF-03).
func TestTokenThatNobodyPlannedToPush(t *testing.T) {
	w := newWorld(t)
	card := w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	w.registered(ocpi.RoleCPO, "DE*CPO")
	w.count("WITH gone AS (DELETE FROM token_deliveries RETURNING 1) SELECT count(*) FROM gone")
	w.look()
	deliveries, err := w.db.TokenDeliveries(w.ctx, card)
	if err != nil || len(deliveries) != 1 || deliveries[0].DueAt == nil {
		t.Errorf("deliveries: %+v, %v", deliveries, err)
	}
}

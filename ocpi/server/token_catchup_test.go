package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// Cards of which a partner's copy is not ours are found and sent again (TOK-12).
func TestTokenDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	id := w.issueCard(swx, "04AABBCC")
	w.issueCard(swx, "04DDEEFF")
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO")})
	w.work()
	w.eventually("the cards", func() bool { return len(cpo.Tokens()) == 2 })
	w.eventually("their confirmation", func() bool {
		return w.count("SELECT count(*) FROM token_deliveries WHERE due_at IS NULL AND confirmed IS NOT NULL") == 2
	})
	w.change("UPDATE tokens SET valid = false WHERE id = $1", id) // past everything that would tell the partner
	w.pass(30 * time.Hour)
	w.eventually("the card as it is", knows(cpo, "04AABBCC", false))
	w.settle()
	check(t, "alerts", w.alerts(jobs.AlertTokenDrift), 1)
	w.eventually("its confirmation", func() bool {
		return w.count("SELECT count(*) FROM token_deliveries WHERE due_at IS NULL AND confirmed IS NOT NULL") == 2
	})
	w.pass(12 * time.Minute) // further cards are compared soon, not a day later
	w.eventually("the end of the alert", func() bool { return w.alerts(jobs.AlertTokenDrift) == 0 })
}

// taking makes a partner take its time for the tokens that it is sent, for as long as the test holds it up. It tells of each call
// that arrives.
func (p *partner) taking(hold func(platformCall)) {
	p.platform.mu.Lock()
	defer p.platform.mu.Unlock()
	p.platform.onCall = func(c platformCall) {
		if c.method == http.MethodPut && strings.Contains(c.path, "/tokens/") {
			hold(c)
		}
	}
}

// A block reaches a partner that answers while others take their time for all that they are sent.
func TestBlockPassesSlowPartners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	quick, slow := w.registered(ocpi.RoleCPO, "DE*QCK"), w.registered(ocpi.RoleCPO, "DE*SLW")
	worker := w.worker()
	worker.Concurrency = 2
	w.run(worker)
	w.issueCard(swx, "04AABBCC")
	w.settle()
	release := make(chan struct{})
	arrived := make(chan struct{}, 100)
	slow.taking(func(platformCall) { arrived <- struct{}{}; <-release })
	for i := range 2 {
		w.issueCard(swx, fmt.Sprintf("04DDEE%02d", i))
	}
	for range 2 { // each hand of the usual queue holds one
		<-arrived
	}
	blocked := make(chan struct{}, 1)
	quick.taking(func(c platformCall) {
		if strings.Contains(string(c.body), `"valid":false`) {
			blocked <- struct{}{}
		}
	})
	if _, err := w.ops.BlockCard(w.ctx, swx.ID, "04AABBCC", "", true); err != nil {
		t.Fatal(err)
	}
	select {
	case <-blocked:
	case <-time.After(patience):
		t.Error("the block waits for a slow partner")
	}
	close(release)
	w.settle()
}

// A partner that takes the present version of a token before an earlier one, because it was slow, gets the present one again.
func TestTokenThatIsOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	release, arrived := make(chan struct{}), make(chan struct{}, 1)
	var mu sync.Mutex
	var taken []bool // whether the card was valid, in the order in which the partner took it
	cpo.taking(func(c platformCall) {
		valid := strings.Contains(string(c.body), `"valid":true`)
		if valid {
			arrived <- struct{}{}
			<-release
		}
		mu.Lock()
		defer mu.Unlock()
		taken = append(taken, valid)
	})
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(taken) }
	w.work()
	card := w.issueCard(swx, "04AABBCC")
	<-arrived
	w.clock.add(time.Second)
	if _, err := w.ops.BlockCard(w.ctx, swx.ID, "04AABBCC", "", true); err != nil {
		t.Fatal(err)
	}
	w.eventually("the block at the partner", func() bool { return count() == 1 })
	w.eventually("its confirmation", func() bool {
		return w.count("SELECT count(*) FROM token_deliveries WHERE due_at IS NULL AND confirmed IS NOT NULL") == 1
	})
	close(release)
	w.eventually("the block again", func() bool { return count() == 3 })
	w.settle()
	check(t, "what the partner took", fmt.Sprint(taken), "[false true false]")
	check(t, "versions that are not confirmed", w.count("SELECT count(*) FROM token_deliveries d JOIN tokens t ON t.id = d.token_id WHERE d.due_at IS NOT NULL OR d.confirmed <> t.last_updated"), 0)
	check(t, "the card", w.count("SELECT count(*) FROM tokens WHERE id = $1 AND NOT valid", card), 1)
}

// A partner that offers an endpoint for tokens later on gets those that it could not be given.
func TestTokensForALateEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	cpo := w.invited(ocpi.RoleCPO, "DE*CPO")
	cpo.platform.details = map[string]any{"version": "2.2.1", "endpoints": []any{
		map[string]any{"identifier": "credentials", "role": "RECEIVER", "url": cpo.platform.URL + "/2.2.1/credentials"},
	}}
	a := cpo.do(http.MethodPost, "/ocpi/2.2.1/credentials", cpo.platform.credentials("token-b", role("CPO", "DE*CPO"))).want(200, 1000)
	cpo.token = a.object()["token"].(string)
	w.work()
	w.settle()
	pushed := func() bool {
		cpo.platform.mu.Lock()
		defer cpo.platform.mu.Unlock()
		return slices.ContainsFunc(cpo.platform.calls, func(c platformCall) bool { return c.method == http.MethodPut })
	}
	check(t, "pushed", pushed(), false)
	cpo.platform.mu.Lock()
	cpo.platform.details = nil
	cpo.platform.mu.Unlock()
	cpo.do(http.MethodPut, "/ocpi/2.2.1/credentials", cpo.platform.credentials("token-c", role("CPO", "DE*CPO"))).want(200, 1000)
	w.eventually("the card", pushed)
	w.settle()
}

// A partner that has enough for now is left alone with all that it is to get, and not asked for each card whether it still has
// (TOK-31). A blocked card is tried all the same.
func TestTokensForABusyPartner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	blocked := w.issueCard(swx, "04AABBCC")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for i := range 20 {
		w.issueCard(swx, fmt.Sprintf("04DDEE%02d", i))
	}
	var mu sync.Mutex
	calls := map[string]int{}
	cpo.taking(func(c platformCall) { mu.Lock(); defer mu.Unlock(); calls[c.path]++ })
	cpo.platform.mu.Lock()
	cpo.platform.tokens = http.StatusTooManyRequests
	cpo.platform.mu.Unlock()
	worker := w.worker()
	worker.Concurrency = 1
	w.run(worker)
	w.settle()
	mu.Lock()
	check(t, "cards that were tried", len(calls), 1)
	mu.Unlock()
	check(t, "cards that wait", w.count("SELECT count(*) FROM token_deliveries WHERE due_at > $1", w.clock.now()), 21)
	if _, err := w.ops.BlockCard(w.ctx, swx.ID, "04AABBCC", "", true); err != nil {
		t.Fatal(err)
	}
	w.settle()
	mu.Lock()
	check(t, "tries of the blocked card", calls["/2.2.1/tokens/DE/SWX/04AABBCC"] > 0, true)
	mu.Unlock()
	cpo.platform.mu.Lock()
	cpo.platform.tokens = 0
	cpo.platform.mu.Unlock()
	w.pass(6 * time.Minute)
	w.settle()
	check(t, "cards that wait in the end", w.count("SELECT count(*) FROM token_deliveries WHERE due_at IS NOT NULL"), 0)
	check(t, "the blocked card", w.count("SELECT count(*) FROM token_deliveries WHERE token_id = $1 AND confirmed IS NOT NULL", blocked), 1)
}

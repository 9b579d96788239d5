package server_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// mixedPushes is how many messages TestMixedPushes sends; the acceptance run is
// go test ./ocpi/server -run TestMixedPushes -timeout 60m -pushes 100000.
var mixedPushes = flag.Int("pushes", 2000, "messages that TestMixedPushes sends")

// push is a message of a CPO.
type push struct {
	method, path, body string
}

// TestMixedPushes sends the messages of a busy CPO twice: to one platform in their order, one after the other; to another at
// full speed over many connections, some of which drop, with messages out of order and repeated. Both end with the same
// objects (OWN-14, OWN-15, OWN-16, SES-09, CDR-07, CDR-08).
func TestMixedPushes(t *testing.T) {
	pushes, objects := mixed(rand.New(rand.NewPCG(7, 11)), *mixedPushes)

	quiet := mixedWorld(t)
	began := time.Now()
	for _, p := range pushes {
		if r := quiet.do(p.method, p.path, p.body); r.status/100 != 2 || r.code != 1000 {
			t.Fatalf("%s %s: %d/%d %s", p.method, p.path, r.status, r.code, r.message)
		}
	}
	t.Logf("in order: %d messages in %v", len(pushes), time.Since(began).Round(time.Millisecond))

	busy := mixedWorld(t)
	began = time.Now()
	sent := busy.storm(pushes, rand.New(rand.NewPCG(13, 17)))
	t.Logf("in disorder: %d messages in %v", sent, time.Since(began).Round(time.Millisecond))

	for _, path := range objects {
		want, got := quiet.do(http.MethodGet, path, nil), busy.do(http.MethodGet, path, nil)
		if want.status != http.StatusOK || got.status != http.StatusOK || string(want.data) != string(got.data) {
			t.Fatalf("%s\nin order    %d %s\nin disorder %d %s", path, want.status, want.data, got.status, got.data)
		}
	}
	for _, table := range []string{"locations", "sessions", "cdrs", "cdr_states"} {
		if want, got := quiet.count(`SELECT count(*) FROM `+table), busy.count(`SELECT count(*) FROM `+table); want != got || want == 0 {
			t.Errorf("%s: %d rows in order, %d in disorder", table, want, got)
		}
	}
	const current = `SELECT count(*) FROM tariffs WHERE valid_to IS NULL`
	if want, got := quiet.count(current), busy.count(current); want != got {
		t.Errorf("current tariffs: %d in order, %d in disorder", want, got)
	}
}

func mixedWorld(t *testing.T) *partner {
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	return w.registered(ocpi.RoleCPO, "DE*CPO")
}

// storm delivers the messages as a CPO does whose network is bad. It returns how many it sent.
func (p *partner) storm(pushes []push, rng *rand.Rand) int {
	const window, connections = 64, 24
	queue := make([]push, 0, len(pushes)*11/10)
	for _, m := range pushes {
		queue = append(queue, m)
		if rng.IntN(10) == 0 {
			queue = append(queue, m)
		}
	}
	for i := range queue { // no message moves further than a window
		j := i + rng.IntN(min(window, len(queue)-i))
		queue[i], queue[j] = queue[j], queue[i]
	}
	work := make(chan push, len(queue)*2)
	for _, m := range queue {
		work <- m
	}
	var open, senders sync.WaitGroup
	open.Add(len(queue))
	for seed := range uint64(connections) {
		senders.Go(func() { p.sendAll(work, &open, rand.New(rand.NewPCG(seed, 3))) })
	}
	open.Wait()
	close(work)
	senders.Wait()
	return len(queue)
}

// sendAll is one connection. A message whose connection drops is sent again; one that came before the object that it changes
// is put back, as a CPO does that has to send the object first (LOC-05, LOC-08, SES-04).
func (p *partner) sendAll(work chan push, open *sync.WaitGroup, rng *rand.Rand) {
	for m := range work {
		if rng.IntN(20) == 0 {
			p.drop(m, time.Duration(rng.IntN(3000))*time.Microsecond)
		}
		r, err := p.send(m.method, m.path, []byte(m.body))
		switch {
		case err == nil && r.status/100 == 2 && r.code == 1000:
			open.Done()
		case err == nil && r.status == http.StatusNotFound:
			time.Sleep(time.Millisecond)
			work <- m
		default:
			p.t.Errorf("%s %s: %d/%d %s, %v", m.method, m.path, r.status, r.code, r.message, err)
			open.Done()
		}
	}
}

// drop sends a message and hangs up in the middle: it may have been taken, or not.
func (p *partner) drop(m push, after time.Duration) {
	ctx, cancel := context.WithTimeout(p.ctx, after)
	defer cancel()
	broken := *p.world
	broken.ctx = ctx
	hasty := *p
	hasty.world = &broken
	_, _ = hasty.send(m.method, m.path, []byte(m.body))
}

// mixed invents the messages of a CPO in the order in which things happened, and the paths of its objects.
func mixed(rng *rand.Rand, n int) (pushes []push, objects []string) {
	s := simulation{rng: rng, now: time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)}
	for len(s.pushes) < n {
		s.now = s.now.Add(time.Second)
		switch k := rng.IntN(100); {
		case k < 3:
			s.putLocation(len(s.locations))
		case len(s.locations) > 0 && k < 8:
			s.putLocation(rng.IntN(len(s.locations)))
		case len(s.locations) > 0 && k < 12:
			s.patchLocation(rng.IntN(len(s.locations)))
		case len(s.locations) > 0 && k < 55:
			s.patchEVSE(rng.IntN(len(s.locations)))
		case k < 62:
			s.putTariff(rng.IntN(12))
		case k < 70:
			s.putSession()
		case s.sessions > 0 && k < 90:
			s.patchSession(max(0, s.sessions-1-rng.IntN(40)))
		case s.sessions > 0:
			s.postCDR()
		}
	}
	return s.pushes, s.objects
}

type simulation struct {
	rng       *rand.Rand
	now       time.Time
	pushes    []push
	objects   []string
	locations []simLocation
	tariffs   map[int]bool
	sessions  int
	cdrs      int
}

type simLocation struct {
	name   string
	status [2]string
	at     [2]string // last_updated of the EVSEs
}

func (s *simulation) send(method, path, body string) {
	s.pushes = append(s.pushes, push{method, path, body})
}

func (s *simulation) time() string { return s.now.Format(time.RFC3339) }

func (s *simulation) locationPath(i int) string {
	return fmt.Sprintf("/ocpi/2.2.1/locations/DE/CPO/LOC%d", i)
}

func (s *simulation) putLocation(i int) {
	if i == len(s.locations) {
		s.locations = append(s.locations, simLocation{status: [2]string{"AVAILABLE", "AVAILABLE"}, at: [2]string{s.time(), s.time()}})
		s.objects = append(s.objects, s.locationPath(i))
	}
	l := &s.locations[i]
	l.name = fmt.Sprintf("Platz %d, Stand %s", i, s.time())
	evses := make([]string, len(l.status))
	for k := range l.status {
		evses[k] = fmt.Sprintf(`{"uid":"E%d-%d","status":%q,"last_updated":%q,"connectors":[%s]}`, i, k, l.status[k], l.at[k], connectorJSON)
	}
	s.send(http.MethodPut, s.locationPath(i), fmt.Sprintf(`{"country_code":"DE","party_id":"CPO","id":"LOC%d","publish":true,"name":%q,"address":"Markt 1","city":"Xanten",
		"country":"DEU","coordinates":{"latitude":"51.662300","longitude":"6.453800"},"time_zone":"Europe/Berlin","last_updated":%q,"evses":[%s]}`,
		i, l.name, s.time(), strings.Join(evses, ",")))
}

func (s *simulation) patchLocation(i int) {
	s.locations[i].name = "Platz " + s.time()
	s.send(http.MethodPatch, s.locationPath(i), fmt.Sprintf(`{"name":%q,"last_updated":%q}`, s.locations[i].name, s.time()))
}

func (s *simulation) patchEVSE(i int) {
	k := s.rng.IntN(2)
	s.locations[i].status[k] = []string{"AVAILABLE", "CHARGING", "BLOCKED", "OUTOFORDER"}[s.rng.IntN(4)]
	s.locations[i].at[k] = s.time()
	s.send(http.MethodPatch, fmt.Sprintf("%s/E%d-%d", s.locationPath(i), i, k), fmt.Sprintf(`{"status":%q,"last_updated":%q}`, s.locations[i].status[k], s.time()))
}

func (s *simulation) putTariff(i int) {
	path := fmt.Sprintf("/ocpi/2.2.1/tariffs/DE/CPO/T%d", i)
	if s.tariffs == nil {
		s.tariffs = map[int]bool{}
	}
	if !s.tariffs[i] {
		s.tariffs[i] = true
		s.objects = append(s.objects, path)
	}
	s.send(http.MethodPut, path, fmt.Sprintf(`{"country_code":"DE","party_id":"CPO","id":"T%d","currency":"EUR","last_updated":%q,
		"elements":[{"price_components":[{"type":"ENERGY","price":0.%d,"vat":19,"step_size":1}]}]}`, i, s.time(), 10+s.rng.IntN(90)))
}

func (s *simulation) putSession() {
	path := fmt.Sprintf("/ocpi/2.2.1/sessions/DE/CPO/S%d", s.sessions)
	s.send(http.MethodPut, path, strings.NewReplacer(`"id":"S1"`, fmt.Sprintf(`"id":"S%d"`, s.sessions), "2026-10-20T10:10:00Z", s.time()).Replace(sessionJSON))
	s.objects = append(s.objects, path)
	s.sessions++
}

func (s *simulation) patchSession(i int) {
	s.send(http.MethodPatch, fmt.Sprintf("/ocpi/2.2.1/sessions/DE/CPO/S%d", i), fmt.Sprintf(`{"kwh":%d.%d,"last_updated":%q,
		"charging_periods":[{"start_date_time":%q,"dimensions":[{"type":"ENERGY","volume":1.5}]}]}`, s.rng.IntN(60), 1+s.rng.IntN(9), s.time(), s.now.Add(24*24*time.Hour).Format(time.RFC3339)))
}

func (s *simulation) postCDR() {
	id := fmt.Sprintf("CDR%d", s.cdrs)
	s.send(http.MethodPost, cdrsPath, strings.Replace(cdrJSON, `"id":"CDR1"`, fmt.Sprintf(`"id":%q`, id), 1))
	s.objects = append(s.objects, "/ocpi/2.2.1/cdrs/DE/CPO/"+id)
	s.cdrs++
}

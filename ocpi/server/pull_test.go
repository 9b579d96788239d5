package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// register starts a CPO and registers it.
func (w *world) register(o ocpitest.Options) *ocpitest.CPO {
	w.t.Helper()
	o.Name, o.Now = "CPO "+o.Party.String(), w.clock.now
	cpo := ocpitest.NewCPO(o)
	w.startPeer(cpo.Peer)
	i := w.invite(ocpi.RoleCPO, o.Party.String())
	if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		w.t.Fatal(err)
	}
	return cpo
}

// pulled waits until nothing of a partner is to be read.
func (w *world) pulled(partner string) []db.Pull {
	w.t.Helper()
	id := w.partnerOf(partner).ID
	w.eventually("the end of the crawls of "+partner, func() bool {
		return w.count("SELECT count(*) FROM pulls WHERE partner_id = $1 AND (due_at <= $2 OR claimed_until IS NOT NULL)", id, w.clock.now()) == 0
	})
	w.settle() // what a list showed is told after its end
	rows, err := w.db.PullsOfPartner(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

func (w *world) partnerOf(name string) db.Partner {
	w.t.Helper()
	p, err := w.db.PartnerByName(w.ctx, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) pull(partner string, module ocpi.ModuleID, full bool) {
	w.t.Helper()
	if _, err := w.ops.PullPartner(w.ctx, partner, module, full); err != nil {
		w.t.Fatal(err)
	}
	w.pulled(partner)
}

// alive is how many Locations have an EVSE that is not removed.
func (w *world) alive() int {
	return w.count(`SELECT count(*) FROM locations WHERE jsonb_path_exists(doc, '$.evses[*] ? (@.status != "REMOVED")')`)
}

func (w *world) alerts(kind jobs.AlertKind) int {
	return w.count("SELECT count(*) FROM alerts WHERE kind = $1 AND resolved_at IS NULL", string(kind))
}

// A partner whose pushes never arrived is read when it registers, by each utility for itself where that matters (OFF-02,
// PAG-20, RTG-01, RTG-13, LOC-22, SES-18, CDR-26, TAR-10), and again later from where the last crawl began (PAG-22).
func TestInitialPull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx, emd := w.addTenant("DE*SWX"), w.addTenant("DE*EMD")
	w.issueCard(swx, "04AABBCC")
	var mu sync.Mutex
	var asked []string
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO"), Sites: 7, Page: 2, Faults: ocpitest.WireFaults{LosesPushes: true}, Observe: func(x ocpitest.Exchange) {
		if u, err := url.Parse(x.URL); err == nil && x.Inbound && x.Method == http.MethodGet && x.Module != "" && u.Query().Get("offset") == "" {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, fmt.Sprint(x.Module, " ", x.Header.Get("OCPI-from-party-id"), " ", u.Query().Get("date_from")))
		}
	}})
	w.charge(cpo, "04AABBCC")
	check(t, "Locations before", w.count("SELECT count(*) FROM locations"), 0)
	w.work()
	w.pass(time.Hour)
	rows := w.pulled("CPO DE*CPO")
	check(t, "Locations", w.count("SELECT count(*) FROM locations"), 7)
	check(t, "tariffs", w.count("SELECT count(*) FROM tariffs"), len(cpo.Tariffs()))
	check(t, "sessions", w.count("SELECT count(*) FROM sessions WHERE tenant_id = $1", swx.ID), 1)
	check(t, "CDRs", w.count("SELECT count(*) FROM cdrs WHERE tenant_id = $1", swx.ID), 1)
	check(t, "lists", len(rows), 6)
	for _, r := range rows {
		if r.NextURL != "" || r.Bad+r.ForeignObjects+r.Vanished != 0 || r.Problem != "" || r.DueAt == nil || !r.DueAt.After(w.clock.now().Add(time.Hour)) ||
			r.Cursor == nil || !r.Cursor.Equal(r.StartedAt.Add(-10*time.Minute)) {
			t.Errorf("%s: %+v", r.Module, r)
		}
		if r.Module == "locations" && (r.Pages != 4 || r.Objects != 7) {
			t.Errorf("locations: %d objects on %d pages", r.Objects, r.Pages)
		}
		if r.TenantID.Valid && r.TenantID.UUID == emd.ID && r.Objects != 0 {
			t.Errorf("%s of another utility: %d", r.Module, r.Objects)
		}
	}
	mu.Lock()
	first := strings.Join(asked, "\n")
	asked = nil
	mu.Unlock()
	const want = "tariffs EMD \nlocations EMD \nsessions EMD 2026-09-20T13:00:00Z\nsessions SWX 2026-09-20T13:00:00Z\ncdrs EMD 2026-07-22T13:00:00Z\ncdrs SWX 2026-07-22T13:00:00Z"
	if sorted(first) != sorted(want) {
		t.Errorf("asked for\n%s\nwant\n%s", first, want)
	}

	// A change is found by the next delta, which reads nothing else.
	moved := cpo.Locations()[3]
	moved.City, moved.LastUpdated = "Emden", w.clock.now().Add(7*time.Hour)
	if err := cpo.PutLocation(w.ctx, moved); err != nil {
		t.Fatal(err)
	}
	w.pass(8 * time.Hour)
	for _, r := range w.pulled("CPO DE*CPO") {
		if r.Module == "locations" && (r.Objects != 1 || r.DateFrom == nil) {
			t.Errorf("delta of locations: %+v", r)
		}
	}
	check(t, "moved", w.count("SELECT count(*) FROM locations WHERE city = 'Emden'"), 1)
	mu.Lock()
	defer mu.Unlock()
	if again := strings.Join(asked, "\n") + "\n"; !strings.Contains(again, "locations EMD 2026-10-20T12:50:00Z") || strings.Contains(again, "locations EMD \n") {
		t.Errorf("asked for\n%s", again)
	}
}

func sorted(lines string) string {
	all := strings.Split(lines, "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// Lists as they are (FLT-04, PAG-13 to PAG-18, STA-08).
func TestPullOfOddLists(t *testing.T) {
	for name, test := range map[string]struct {
		faults    ocpitest.ListFaults
		locations int
		bad       int32
		alert     jobs.AlertKind // "": none
		truth     bool           // what it does not show is gone
	}{
		"exact":         {ocpitest.ListFaults{}, 7, 0, "", true},
		"relative link": {ocpitest.ListFaults{RelativeLink: true}, 7, 0, "", true},
		"link in body":  {ocpitest.ListFaults{LinkInBody: true}, 7, 0, "", true},
		"no total":      {ocpitest.ListFaults{NoTotal: true}, 7, 0, "", true},
		"busy":          {ocpitest.ListFaults{Busy: true}, 7, 0, "", true},
		"busy for long": {ocpitest.ListFaults{NoRetryAfter: true}, 7, 0, "", true},
		"no link":       {ocpitest.ListFaults{NoLink: true}, 2, 0, jobs.AlertPullFails, false},
		"looping link":  {ocpitest.ListFaults{LoopingLink: true}, 2, 0, jobs.AlertPullFails, false},
		"foreign link":  {ocpitest.ListFaults{ForeignLink: true}, 2, 0, "", false},
		"empty pages":   {ocpitest.ListFaults{EmptyPages: true}, 2, 0, jobs.AlertPullFails, false},
		"broken object": {ocpitest.ListFaults{BrokenObject: true}, 7, 4, jobs.AlertPullBad, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.addTenant("DE*SWX")
			cpo := w.register(ocpitest.Options{
				Party: party(t, "DE*CPO"), Sites: 7, Page: 2, Prices: ocpitest.StandardPrices()[:1], Faults: ocpitest.WireFaults{LosesPushes: true, ListFaults: test.faults},
			})
			// One that the CPO no longer has.
			receipt, err := w.door.Receive(w.ctx, jobs.Inbound{Partner: w.partnerOf("CPO DE*CPO").ID, Method: http.MethodPut, Path: "locations/DE/CPO/LOC1", Body: []byte(locationJSON)})
			if err != nil || !receipt.Taken() {
				t.Fatal(receipt, err)
			}
			w.pass(time.Minute)
			w.work()
			busy := test.faults.Busy || test.faults.NoRetryAfter
			for range 20 { // a busy partner wants to be left alone
				rows := w.pulled("CPO DE*CPO")
				done := true
				for _, r := range rows {
					done = done && (r.DoneAt != nil || r.Problem != "" && !busy)
				}
				if done {
					break
				}
				w.pass(61 * time.Second)
			}
			for _, r := range w.pulled("CPO DE*CPO") {
				if r.Module == "locations" && r.Bad != test.bad {
					t.Errorf("%d bad objects, want %d", r.Bad, test.bad)
				}
			}
			check(t, "Locations", w.count("SELECT count(*) FROM locations WHERE location_id <> 'LOC1'"), test.locations)
			check(t, "what is gone", w.count(`SELECT count(*) FROM locations WHERE location_id = 'LOC1' AND doc->'evses'->0->>'status' = 'REMOVED'`) == 1, test.truth)
			for _, kind := range []jobs.AlertKind{jobs.AlertPullFails, jobs.AlertPullBad} {
				check(t, string(kind), w.alerts(kind) > 0, kind == test.alert)
			}
			if test.truth || test.faults.ForeignLink {
				return
			}
			// Once the list is as it should be, nothing of that is left.
			cpo.SetFaults(ocpitest.WireFaults{LosesPushes: true})
			w.pull("CPO DE*CPO", "", true)
			check(t, "alerts", w.alerts(jobs.AlertPullFails)+w.alerts(jobs.AlertPullBad), 0)
			check(t, "alive", w.alive(), 7)
		})
	}
}

// PAG-16: objects that go while the list is read hide none of the others.
func TestPullOfShrinkingList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addTenant("DE*SWX")
	var cpo *ocpitest.CPO
	var once sync.Once
	cpo = w.register(ocpitest.Options{Party: party(t, "DE*CPO"), Sites: 9, Page: 2, Observe: func(x ocpitest.Exchange) {
		if x.Inbound && x.Module == ocpi.ModuleLocations && strings.Contains(x.URL, "offset=2") {
			once.Do(func() { cpo.Lose(cpo.Locations()[0].ID); cpo.Lose(cpo.Locations()[0].ID) })
		}
	}})
	all := cpo.Locations()
	w.pass(time.Minute)
	w.work()
	w.pulled("CPO DE*CPO")
	check(t, "Locations", w.count("SELECT count(*) FROM locations"), len(all))
}

// What a crawl of everything does not find is no more (PAG-19); a delta or a crawl with a fault says nothing about it. What
// comes back is back.
func TestPullFindsWhatVanished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO"), Sites: 5, Page: 2})
	if err := cpo.Publish(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	w.work()
	w.pulled("CPO DE*CPO")
	lost, tariff := cpo.Locations()[1], cpo.Tariffs()[0]
	w.pass(time.Minute)
	cpo.Lose(lost.ID)
	cpo.Lose(tariff.ID)
	w.pull("CPO DE*CPO", "", false)
	check(t, "alive after a delta", w.alive(), 5)
	cpo.SetFaults(ocpitest.WireFaults{ListFaults: ocpitest.ListFaults{BrokenObject: true}})
	w.pull("CPO DE*CPO", "", true)
	check(t, "alive after a crawl with faults", w.alive(), 5)
	check(t, "tariffs after a crawl with faults", w.count("SELECT count(*) FROM tariffs WHERE valid_to IS NULL"), len(cpo.Tariffs())+1)
	cpo.SetFaults(ocpitest.WireFaults{})
	w.pull("CPO DE*CPO", "", true)
	check(t, "alive after a full crawl", w.alive(), 4)
	check(t, "tariffs after a full crawl", w.count("SELECT count(*) FROM tariffs WHERE valid_to IS NULL"), len(cpo.Tariffs()))
	check(t, "tariff versions", w.count("SELECT count(*) FROM tariffs"), len(cpo.Tariffs())+1)
	if err := cpo.PutLocation(w.ctx, lost); err != nil {
		t.Fatal(err)
	}
	if err := cpo.PutTariff(w.ctx, tariff); err != nil {
		t.Fatal(err)
	}
	check(t, "alive when it is back", w.alive(), 5)
	check(t, "tariffs when it is back", w.count("SELECT count(*) FROM tariffs WHERE valid_to IS NULL"), len(cpo.Tariffs()))
}

// A worker that dies in the middle of a page leaves it to the next one, which goes on there and not at the beginning.
func TestPullAfterACrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addTenant("DE*SWX")
	var mu sync.Mutex
	calls := map[string]int{}
	w.register(ocpitest.Options{Party: party(t, "DE*CPO"), Sites: 8, Page: 2, Observe: func(x ocpitest.Exchange) {
		if u, err := url.Parse(x.URL); err == nil && x.Inbound && x.Module == ocpi.ModuleLocations {
			mu.Lock()
			defer mu.Unlock()
			calls["at "+u.Query().Get("offset")]++
		}
	}})
	w.pass(time.Minute)
	dying, err := db.Open(w.ctx, w.dbURL)
	if err != nil {
		t.Fatal(err)
	}
	locations, dead := 0, make(chan struct{})
	worker := w.worker()
	worker.DB = dying
	worker.Receive = func(ctx context.Context, in jobs.Inbound) (jobs.Receipt, error) {
		if strings.HasPrefix(in.Path, "locations/") {
			if locations++; locations == 4 { // in the middle of the second page
				dying.Close()
				close(dead)
				return jobs.Receipt{}, context.Canceled
			}
		}
		return w.door.Receive(ctx, in)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	<-dead
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	check(t, "Locations when it died", w.count("SELECT count(*) FROM locations"), 3)
	check(t, "claims when it died", w.count("SELECT count(*) FROM pulls WHERE claimed_until IS NOT NULL"), 1)
	w.pass(6 * time.Minute)
	w.work()
	for _, r := range w.pulled("CPO DE*CPO") {
		if r.Module == "locations" && (r.Pages != 4 || r.Objects != 8 || r.BrokenOff || r.FullAt == nil) {
			t.Errorf("locations: %+v", r)
		}
	}
	check(t, "Locations", w.count("SELECT count(*) FROM locations"), 8)
	mu.Lock()
	defer mu.Unlock()
	if fmt.Sprint(calls) != "map[at :1 at 2:2 at 4:1 at 6:1]" {
		t.Errorf("pages read: %v", calls)
	}
}

// PAG-21: what a CPO lists of others is passed over. HUB-08: whom a hub no longer lists it no longer reaches.
func TestPullOfStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.register(ocpitest.Options{Party: party(t, "DE*CPO"), Faults: ocpitest.WireFaults{LosesPushes: true}})
	stranger := cpo.Locations()[0]
	stranger.PartyID, stranger.ID = "XYZ", "STRANGE"
	if err := cpo.PutLocation(w.ctx, stranger); err != nil {
		t.Fatal(err)
	}
	hub := ocpitest.NewHub(ocpitest.Options{Name: "Drehscheibe", Party: party(t, "DE*HUB"), Now: w.clock.now})
	hub.AddCPO(ocpitest.Options{Name: "Eins", Party: party(t, "DE*ONE"), Now: w.clock.now})
	w.startPeer(hub.Peer)
	i := w.invite(ocpi.RoleHub, "DE*HUB")
	if err := hub.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	w.change(`INSERT INTO partner_parties (partner_id, role, country_code, party_id, source, last_updated)
		SELECT id, 'CPO', 'DE', 'OLD', 'hubclientinfo', '2026-01-01T00:00:00Z' FROM partners WHERE name = 'HUB DE*HUB'`)
	w.pass(time.Hour)
	w.work()
	for _, r := range w.pulled("CPO DE*CPO") {
		if r.Module == "locations" && (r.Objects != 2 || r.ForeignObjects != 1 || r.Bad != 0) {
			t.Errorf("locations: %+v", r)
		}
		// OFF-04: hours later, and not all at once.
		if wait := r.DueAt.Sub(w.clock.now()); wait < 100*time.Minute || wait > 7*time.Hour || wait%time.Minute == 0 {
			t.Errorf("%s again in %s", r.Module, wait)
		}
	}
	check(t, "Locations", w.count("SELECT count(*) FROM locations WHERE party_id = 'XYZ'"), 0)
	w.pulled("HUB DE*HUB")
	check(t, "who is there", w.count("SELECT count(*) FROM partner_parties WHERE party_id = 'ONE' AND status = 'CONNECTED'"), 1)
	check(t, "who is gone", w.count("SELECT count(*) FROM partner_parties WHERE party_id = 'OLD' AND status = 'UNKNOWN'"), 1)
}

// Lists are read as often as set for the platform, or as agreed with a partner, and never by all at the same moment (OFF-04).
func TestRhythms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addTenant("DE*SWX")
	var cpos []string
	for _, at := range []string{"DE*ONE", "DE*TWO", "DE*TRE"} {
		w.register(ocpitest.Options{Party: party(t, at)})
		cpos = append(cpos, "CPO "+at)
	}
	own := w.partnerOf(cpos[2]).ID
	set := func(module ocpi.ModuleID, every jobs.PullEvery) {
		t.Helper()
		if err := w.ops.SetPullInterval(w.ctx, own, module, every); err != nil {
			t.Fatal(err)
		}
	}
	set(ocpi.ModuleTariffs, jobs.PullNever)
	set(ocpi.ModuleLocations, "30m")
	set(ocpi.ModuleCDRs, "1h")
	set(ocpi.ModuleCDRs, jobs.PullUsual)
	for every, module := range map[jobs.PullEvery]ocpi.ModuleID{"4m": "cdrs", "721h": "cdrs", "often": "cdrs", "1h": "tokens"} {
		if err := w.ops.SetPullInterval(w.ctx, own, module, every); err == nil {
			t.Errorf("%s every %s", module, every)
		}
	}
	w.clock.add(10 * time.Minute)
	worker := w.worker()
	worker.Rhythms = map[ocpi.ModuleID]jobs.Rhythm{ocpi.ModuleCDRs: {Every: 12 * time.Hour, Back: 5 * day}}
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	due := map[string]int{}
	for _, name := range cpos {
		for _, row := range w.pulled(name) {
			usual := map[string]time.Duration{"tariffs": 6 * time.Hour, "locations": 6 * time.Hour, "sessions": 2 * time.Hour, "cdrs": 12 * time.Hour}[row.Module]
			if row.Module == "cdrs" {
				check(t, "first reading of "+row.Module, row.DateFrom.Equal(row.StartedAt.Add(-5*day)), true)
			}
			if name == cpos[2] && row.Module == "tariffs" {
				check(t, "never", row.DueAt == nil && row.DoneAt != nil, true)
				continue
			}
			if name == cpos[2] && row.Module == "locations" {
				usual = 30 * time.Minute
			}
			wait := row.DueAt.Sub(*row.DoneAt)
			if wait < usual*9/10 || wait > usual*11/10 {
				t.Errorf("%s of %s is read after %s, usual are %s", row.Module, name, wait, usual)
			}
			due[row.DueAt.String()]++
		}
	}
	check(t, "different moments", len(due), 3*4-1)
	set(ocpi.ModuleTariffs, jobs.PullUsual)
	set(ocpi.ModuleLocations, jobs.PullNever)
	for _, row := range w.pulled(cpos[2]) {
		switch row.Module {
		case "tariffs":
			check(t, "soon again", row.DueAt != nil && row.DueAt.Sub(w.clock.now()) < 10*time.Minute, true)
		case "locations":
			check(t, "no more", row.DueAt == nil, true)
		}
	}
}

// A list that was asked for from further back while its last page was read is read once more, from there.
func TestPullThatIsAskedForMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	asked := make(chan struct{})
	var back func() // asks for CDRs from further back, once
	var mu sync.Mutex
	var since []string
	w.register(ocpitest.Options{Party: party(t, "DE*CPO"), Observe: func(x ocpitest.Exchange) {
		u, err := url.Parse(x.URL)
		if err != nil || !x.Inbound || x.Module != ocpi.ModuleCDRs {
			return
		}
		mu.Lock()
		since = append(since, u.Query().Get("date_from"))
		ask := back
		back = nil
		mu.Unlock()
		if ask != nil {
			ask()
			close(asked)
		}
	}})
	w.pass(time.Minute)
	w.work()
	w.pulled("CPO DE*CPO")
	w.pass(time.Hour)
	partner, far := w.partnerOf("CPO DE*CPO"), w.clock.now().AddDate(0, 0, -200)
	mu.Lock()
	since, back = nil, func() {
		_, err := w.db.RequestPulls(w.ctx, db.RequestPullsParams{
			PartnerID: partner.ID, Module: "cdrs", TenantID: uuid.NullUUID{UUID: swx.ID, Valid: true}, DueAt: w.clock.now(), BackTo: &far,
		})
		if err != nil {
			t.Error(err)
		}
	}
	mu.Unlock()
	w.pull("CPO DE*CPO", ocpi.ModuleCDRs, false)
	<-asked
	w.pulled("CPO DE*CPO")
	mu.Lock()
	defer mu.Unlock()
	if len(since) != 2 || since[1] != ocpi.FormatDateTime(far) {
		t.Errorf("read since %v, want the second time since %s", since, ocpi.FormatDateTime(far))
	}
}

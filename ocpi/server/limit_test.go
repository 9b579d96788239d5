package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/server"
)

// through returns the partner at another door of the platform, one with limits.
func (p *partner) through(l server.Limits) *partner {
	p.t.Helper()
	o := p.ops
	door := httptest.NewServer(server.New(server.Options{
		DB: o.DB, Box: o.Box, Bell: o.Bell, Client: o.Client, BaseURL: o.BaseURL, Now: o.Now, Log: o.Log, Limits: l,
	}))
	p.t.Cleanup(door.Close)
	q := *p
	moved := *p.world
	moved.url = door.URL
	q.world = &moved
	return &q
}

// blocked reports whether somebody waits for a lock of the database.
func (w *world) blocked() bool {
	w.t.Helper()
	return w.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
}

// A flood is told to wait; meanwhile the same partner may ask for authorizations, and others are not concerned (TOK-28, TEN-06).
func TestFlood(t *testing.T) {
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO").through(server.Limits{PerSecond: 1})
	other := w.registered(ocpi.RoleCPO, "DE*OTH")
	other.world = cpo.world
	var last reply
	for range 100 {
		if last = cpo.do(http.MethodGet, tariffPath, nil); last.status == http.StatusTooManyRequests {
			break
		}
	}
	last.want(429, 2000)
	if seconds, err := strconv.Atoi(last.header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 5 {
		t.Errorf("Retry-After: %q", last.header.Get("Retry-After"))
	}
	cpo.do(http.MethodPost, tokensPath+"/04AABBCC/authorize", nil).want(200, 1000)
	other.do(http.MethodGet, "/ocpi/2.2.1/tariffs/DE/OTH/T1", nil).want(404, 2001)
	if rows := w.quarantined(cpo); len(rows) != 0 {
		t.Errorf("a flood is in quarantine: %+v", rows)
	}
	w.eventually("the end of the pause", func() bool { return cpo.do(http.MethodGet, tariffPath, nil).status == http.StatusNotFound })
}

// A partner whose messages wait for each other keeps nobody else waiting, nor its own authorizations (TEN-06, TRN-30).
func TestSlots(t *testing.T) {
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO").through(server.Limits{AtOnce: 1})
	other := w.registered(ocpi.RoleCPO, "DE*OTH")
	other.world = cpo.world
	locked, done := make(chan struct{}), make(chan struct{})
	var holding sync.WaitGroup
	holding.Go(func() {
		err := w.db.Tx(w.ctx, func(q *db.Queries) error {
			err := q.LockObject(w.ctx, "tariff/DE*CPO/T1")
			close(locked)
			<-done
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-locked
	answers := make(chan reply, 3)
	for _, path := range []string{tariffPath, "/ocpi/2.2.1/tariffs/DE/CPO/T2", "/ocpi/2.2.1/tariffs/DE/CPO/T3"} {
		go func() {
			a, err := cpo.send(http.MethodPut, path, []byte(change(t, tariffJSON, "id", path[len(path)-2:])))
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
		w.eventually("the first of them waiting", w.blocked)
	}
	cpo.do(http.MethodPost, tokensPath+"/04AABBCC/authorize", nil).want(200, 1000)
	other.do(http.MethodPut, "/ocpi/2.2.1/tariffs/DE/OTH/T1", change(t, tariffJSON, "party_id", "OTH")).want(201, 1000)
	check(t, "answered before their turn", len(answers), 0)
	close(done)
	for range 3 {
		a := <-answers
		check(t, "status", a.status, 201)
	}
	holding.Wait()
}

// Messages give way to authorizations for a moment only: one that does not end holds nothing up.
func TestMessagesAreNotStarved(t *testing.T) {
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	asking, cpo := w.registered(ocpi.RoleCPO, "DE*ASK"), w.registered(ocpi.RoleCPO, "DE*CPO")
	answered := make(chan reply, 1)
	err := w.db.Tx(w.ctx, func(q *db.Queries) error {
		if _, err := q.LockPartner(w.ctx, asking.id); err != nil { // to which an authorization refers
			return err
		}
		go func() {
			a, err := asking.send(http.MethodPost, tokensPath+"/04AABBCC/authorize", nil)
			if err != nil {
				t.Error(err)
			}
			answered <- a
		}()
		w.eventually("the authorization waiting", w.blocked)
		for range 10 { // or the client loses patience
			cpo.do(http.MethodPut, tariffPath, tariffJSON)
		}
		select {
		case a := <-answered:
			t.Errorf("the authorization did not wait: %+v", a)
		default:
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a := <-answered
	check(t, "status", a.status, 200)
	cpo.do(http.MethodGet, tariffPath, nil).want(200, 1000)
}

// A partner with a pinned certificate is let in with that one only, as the proxy in front of us has seen it.
func TestCertificatePin(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	right, wrong := newCertificate(t), newCertificate(t)
	sum := sha256.Sum256(right)
	if err := w.db.SetPartnerPin(w.ctx, db.SetPartnerPinParams{ID: cpo.id, CertificatePin: sum[:]}); err != nil {
		t.Fatal(err)
	}
	header := func(der []byte) string {
		return url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	cpo.with("X-Client-Cert", header(right)).do(http.MethodGet, credentialsPath, nil).want(200, 1000)
	for name, value := range map[string]string{"none": "", "another": header(wrong), "no PEM": "x", "a key": url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: right}))), "odd": "%zz"} {
		if a := cpo.with("X-Client-Cert", value).do(http.MethodGet, credentialsPath, nil); a.status != 401 || a.code != 2000 {
			t.Errorf("%s: %d/%d", name, a.status, a.code)
		}
	}
	other.do(http.MethodGet, credentialsPath, nil).want(200, 1000)
	// Without a proxy that is trusted nobody can show a certificate.
	cpo.through(server.Limits{}).with("X-Client-Cert", header(right)).do(http.MethodGet, credentialsPath, nil).want(401, 2000)
}

// The log says who was refused: who connects, or whom a proxy that is trusted names.
func TestAddressInTheLog(t *testing.T) {
	w := newWorld(t)
	_, proxy, err := net.ParseCIDR("192.0.2.1/32")
	if err != nil {
		t.Fatal(err)
	}
	behind := echo.ExtractIPFromXFFHeader(echo.TrustLoopback(false), echo.TrustPrivateNet(false), echo.TrustIPRange(proxy))
	for _, test := range []struct {
		address         echo.IPExtractor
		peer, forwarded string
		want            string
	}{
		{nil, "127.0.0.1", "203.0.113.9", "127.0.0.1"},
		{behind, "198.51.100.7", "203.0.113.9", "198.51.100.7"},
		{behind, "192.0.2.1", "10.0.0.1, 203.0.113.9", "203.0.113.9"},
	} {
		var log bytes.Buffer
		door := server.New(server.Options{
			DB: w.db, Box: w.ops.Box, Bell: w.ops.Bell, Client: w.ops.Client, BaseURL: w.url, Now: w.clock.now, Log: slog.New(slog.NewTextHandler(&log, nil)), Address: test.address,
		})
		req := httptest.NewRequest(http.MethodGet, versionsPath, nil)
		req.RemoteAddr = test.peer + ":4711"
		req.Header.Set("X-Forwarded-For", test.forwarded)
		rec := httptest.NewRecorder()
		door.ServeHTTP(rec, req)
		check(t, "status", rec.Code, http.StatusUnauthorized)
		check(t, log.String(), strings.Contains(log.String(), "from="+test.want+" "), true)
	}
}

func newCertificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Of two tokens that a rotation left open, the one that is used counts from then on (CRED-22).
func TestTokensInDoubt(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	for _, used := range []int{0, 1} {
		cpo := w.registered(ocpi.RoleCPO, fmt.Sprintf("DE*CP%d", used))
		tokens := []string{cpo.token, "rw.NEWTOKEN" + strconv.Itoa(used)}
		err := w.db.InsertPartnerToken(w.ctx, db.InsertPartnerTokenParams{Hash: w.ops.Box.Hash(tokens[1]), PartnerID: cpo.id, Kind: "live", CreatedAt: w.clock.now()})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.db.DoubtPartnerTokens(w.ctx, cpo.id); err != nil {
			t.Fatal(err)
		}
		cpo.token = tokens[used]
		cpo.do(http.MethodGet, credentialsPath, nil).want(200, 1000)
		cpo.do(http.MethodGet, credentialsPath, nil).want(200, 1000)
		cpo.token = tokens[1-used]
		cpo.do(http.MethodGet, credentialsPath, nil).want(401, 2000)
	}
	if n, err := dbtest.Count(w.ctx, w.dbURL, "SELECT count(*) FROM partner_tokens WHERE doubt"); err != nil || n != 0 {
		t.Errorf("%d tokens in doubt, %v", n, err)
	}
}

// Bodies that would fill the memory are refused before they do (TRN-31).
func TestHostileBodies(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	bomb := zip(t, strings.Repeat(" ", 64<<20))
	if len(bomb) > 100_000 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	cpo.with("Content-Encoding", "gzip").do(http.MethodPut, locationPath, bomb).want(413, 2000)
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	a := cpo.do(http.MethodPut, locationPath, deep).want(200, 2001)
	if !strings.Contains(a.message, "nested") {
		t.Error(a.message)
	}
	cpo.do(http.MethodPut, locationPath, strings.Repeat("[", 500_000)).want(200, 2001)
	for _, encoding := range []string{"br", "zstd", "deflate", "gzip, gzip"} {
		cpo.with("Content-Encoding", encoding).do(http.MethodPut, locationPath, locationJSON).want(415, 2000)
	}
}

// The time that an authorization takes while another partner pushes 50,000 changes of EVSE status as fast as it can, and that
// it takes without.
func BenchmarkAuthorizeInAFlood(b *testing.B) {
	w := newWorld(b)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	asking, flooding := w.registered(ocpi.RoleCPO, "DE*ASK"), w.registered(ocpi.RoleCPO, "DE*CPO")
	const locations, pushers = 50, 16
	for i := range locations {
		id := "LOC" + strconv.Itoa(i)
		flooding.do(http.MethodPut, strings.Replace(locationPath, "LOC1", id, 1), change(b, locationJSON, "id", id)).want(201, 1000)
	}
	authorize := func() time.Duration {
		started := time.Now()
		a, err := asking.send(http.MethodPost, tokensPath+"/04AABBCC/authorize", nil)
		if err != nil || a.status != 200 || a.code != 1000 {
			b.Errorf("%d/%d, %v", a.status, a.code, err)
		}
		return time.Since(started)
	}
	percentile := func(all []time.Duration, p float64) float64 {
		slices.Sort(all)
		return float64(all[int(float64(len(all)-1)*p)].Microseconds()) / 1000
	}
	for b.Loop() {
		var calm, busy []time.Duration
		for range 500 {
			calm = append(calm, authorize())
		}
		var flood sync.WaitGroup
		work := make(chan int)
		started := time.Now()
		for range pushers {
			flood.Go(func() {
				for n := range work {
					path := strings.Replace(evsePath, "LOC1", "LOC"+strconv.Itoa(n%locations), 1)
					at := ocpi.FormatDateTime(w.clock.now().Add(time.Duration(n) * time.Millisecond))
					a, err := flooding.send(http.MethodPatch, path, []byte(`{"status":"CHARGING","last_updated":"`+at+`"}`))
					if err != nil || a.status != 200 || a.code != 1000 {
						b.Errorf("%d/%d %s, %v", a.status, a.code, a.message, err)
					}
				}
			})
		}
		pushed := make(chan struct{})
		go func() {
			for n := range 50_000 {
				work <- n
			}
			close(work)
			flood.Wait()
			close(pushed)
		}()
		for asked := true; asked; {
			select {
			case <-pushed:
				asked = false
			default:
				busy = append(busy, authorize())
				time.Sleep(5 * time.Millisecond)
			}
		}
		b.ReportMetric(50_000/time.Since(started).Seconds(), "pushes/s")
		b.ReportMetric(float64(len(busy)), "authorizations")
		b.ReportMetric(percentile(calm, 0.5), "calm-p50-ms")
		b.ReportMetric(percentile(calm, 0.99), "calm-p99-ms")
		b.ReportMetric(percentile(busy, 0.5), "flood-p50-ms")
		b.ReportMetric(percentile(busy, 0.99), "flood-p99-ms")
		b.ReportMetric(percentile(busy, 1), "flood-max-ms")
		b.ReportMetric(float64(w.log.Dropped()), "unlogged")
		b.ReportMetric(0, "ns/op")
	}
}

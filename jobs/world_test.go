package jobs_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/db/seal"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// world is a platform with one utility, one partner and one card, on a real PostgreSQL and a real Redis, in October 2026.
type world struct {
	t       testing.TB
	ctx     context.Context
	db      *db.DB
	dbURL   string
	redis   string
	ops     *jobs.Ops
	worker  *jobs.Worker
	clock   *clock
	tenant  db.Tenant
	partner uuid.UUID
	card    jobs.Card
}

// clock is a time that tests move by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// testKey is the secret key of every world, so that a second process can open its secrets.
var testKey = make([]byte, seal.KeySize)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, ctx: context.Background(), dbURL: dbtest.URL(t), redis: dbtest.Redis(t)}
	var err error
	if w.db, err = db.Open(w.ctx, w.dbURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.db.Close)
	w.clock = &clock{at: time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)}
	w.worker = newWorker(t, w.db, w.redis, w.clock.Now)
	w.ops = &jobs.Ops{DB: w.db, Box: w.worker.Box, Bell: w.worker.Bell, Now: w.clock.Now, Log: w.worker.Log}
	w.tenant = w.addTenant("DE*SWX", "Stadtwerke Xanten")
	w.partner = w.addPartner("Nordstrom Laden")
	w.card = w.issueCard(w.tenant.ID, "04A2B3C4D5E680", "Erika Beispiel")
	return w
}

func newWorker(t testing.TB, d *db.DB, redis string, now func() time.Time) *jobs.Worker {
	t.Helper()
	w, err := makeWorker(d, redis, now, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Bell.Close() })
	return w
}

func makeWorker(d *db.DB, redis string, now func() time.Time, log *slog.Logger) (*jobs.Worker, error) {
	queue, err := asynq.ParseRedisURI(redis)
	if err != nil {
		return nil, err
	}
	box, err := seal.New(testKey)
	if err != nil {
		return nil, err
	}
	bell := jobs.NewBell(queue, log)
	return &jobs.Worker{DB: d, Box: box, Bell: bell, Redis: queue, Now: now, Log: log, Concurrency: 8, SweepEvery: 50 * time.Millisecond}, nil
}

func (w *world) addTenant(party, name string) db.Tenant {
	w.t.Helper()
	p, err := ocpi.ParseParty(party)
	if err != nil {
		w.t.Fatal(err)
	}
	tenant, err := w.ops.AddTenant(w.ctx, jobs.NewTenant{Party: p, Name: name, Live: true, Data: db.InsertTenantParams{
		Street: "Hafenweg 1", PostalCode: "46509", City: "Xanten", VATID: "DE123456789", ContactName: "Kundenservice", ContactPhone: "+49 2801 1234",
		ContactEmail: "service@stadtwerke-xanten.example", IBAN: "DE02120300000000202051", CreditorID: "DE98ZZZ09999999999",
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return tenant
}

func (w *world) addPartner(name string) uuid.UUID {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := w.db.EnsurePartner(w.ctx, db.EnsurePartnerParams{ID: id, Name: name, Role: "CPO", CountryCode: "DE", PartyID: "NSL", CreatedAt: w.clock.Now()})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) issueCard(tenant uuid.UUID, uid, customer string) jobs.Card {
	w.t.Helper()
	card, err := w.ops.IssueCard(w.ctx, jobs.NewCard{
		Tenant: tenant, UID: uid, Contract: "DE-SWX-C" + uid, Customer: customer, Email: "kunde@post.example",
		MasterData: db.InsertCustomerParams{Street: "Marktplatz 2", PostalCode: "46509", City: "Xanten"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return card
}

// cdr describes a CDR of a session of one hour at 0.45 EUR/kWh without VAT.
type cdr struct {
	id     string
	start  time.Time
	kwh    string
	cost   string // what the CPO claims; empty: what its tariff gives
	uid    string // empty: the world's card
	credit string // id of the CDR that this one credits
}

func (c cdr) json() []byte {
	if c.uid == "" {
		c.uid = "04A2B3C4D5E680"
	}
	if c.cost == "" {
		c.cost = decimal.RequireFromString(c.kwh).Mul(decimal.RequireFromString("0.45")).String()
	}
	credit := ""
	if c.credit != "" {
		credit = fmt.Sprintf(`"credit": true, "credit_reference_id": %q,`, c.credit)
	}
	at := func(d time.Duration) string { return c.start.Add(d).UTC().Format(time.RFC3339) }
	return fmt.Appendf(nil, `{
		"country_code": "DE", "party_id": "NSL", "id": %q, "start_date_time": %q, "end_date_time": %q, %s
		"cdr_token": {"country_code": "DE", "party_id": "SWX", "uid": %q, "type": "RFID", "contract_id": "DE-SWX-C1"},
		"auth_method": "WHITELIST",
		"cdr_location": {"id": "HH1", "name": "Rathaus", "address": "Rathausplatz 1", "city": "Hamburg", "country": "DEU",
			"coordinates": {"latitude": "53.55034", "longitude": "9.99302"}, "evse_uid": "1", "evse_id": "DE*NSL*E1", "connector_id": "1",
			"connector_standard": "IEC_62196_T2", "connector_format": "SOCKET", "connector_power_type": "AC_3_PHASE"},
		"currency": "EUR",
		"tariffs": [{"country_code": "DE", "party_id": "NSL", "id": "AC", "currency": "EUR", "last_updated": "2026-01-01T00:00:00Z",
			"elements": [{"price_components": [{"type": "ENERGY", "price": 0.45, "vat": 19, "step_size": 1}]}]}],
		"charging_periods": [{"start_date_time": %q, "dimensions": [{"type": "ENERGY", "volume": %s}, {"type": "TIME", "volume": 1}], "tariff_id": "AC"}],
		"total_cost": {"excl_vat": %s}, "total_energy": %s, "total_time": 1, "last_updated": %q
	}`, c.id, at(0), at(time.Hour), credit, c.uid, at(0), c.kwh, c.cost, c.kwh, at(time.Hour))
}

// receive stores a CDR as the OCPI door does.
func (w *world) receive(c cdr) uuid.UUID {
	w.t.Helper()
	return w.receiveJSON(c.json())
}

func (w *world) receiveJSON(raw []byte) uuid.UUID {
	w.t.Helper()
	var doc ocpi.CDR
	if err := ocpi.Unmarshal(raw, &doc); err != nil {
		w.t.Fatal(err)
	}
	id, sum := uuid.Must(uuid.NewV7()), sha256.Sum256(raw)
	n, err := w.db.InsertCDR(w.ctx, db.InsertCDRParams{
		Version: "2.2.1", ID: id, ReceivedAt: w.clock.Now(), PartnerID: w.partner, TenantID: w.tenant.ID, CountryCode: "DE", PartyID: "NSL", OCPIID: string(doc.ID), CreditReference: string(doc.CreditReferenceID), SessionID: string(doc.SessionID),
		StartedAt: doc.StartDateTime, EndedAt: doc.EndDateTime, KWh: doc.TotalEnergy.Decimal, Currency: doc.Currency, Claimed: doc.TotalCost.ExclVAT.Decimal,
		TokenUID: string(doc.CDRToken.UID), Operator: "Nordstrom Laden", Place: "Rathaus, Hamburg", EVSEID: "DE*NSL*E1", Raw: raw, SHA256: sum[:],
	})
	if err != nil || n != 1 {
		w.t.Fatalf("insert CDR: %d rows, %v", n, err)
	}
	return id
}

// work runs the workers until nothing is due, or fails.
func (w *world) work() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.worker.Run(ctx) }()
	w.settle(time.Minute)
	cancel()
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
}

// settle waits until nothing is due.
func (w *world) settle(limit time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(limit); ; {
		due := w.count(`SELECT (SELECT count(*) FROM cdr_states WHERE due_at <= $1) + (SELECT count(*) FROM invoices WHERE due_at <= $1) + (SELECT count(*) FROM emails WHERE due_at <= $1) + (SELECT count(*) FROM file_drops WHERE due_at <= $1)`, w.clock.Now())
		if due == 0 {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("%d rows are still due", due)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// count runs a query of one number on a connection of its own.
func (w *world) count(sql string, args ...any) int {
	w.t.Helper()
	n, err := dbtest.Count(w.ctx, w.dbURL, sql, args...)
	if err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func (w *world) state(id uuid.UUID) db.CDRState {
	w.t.Helper()
	s, err := w.db.CDRState(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func day(d int) time.Time { return time.Date(2026, 10, d, 8, 0, 0, 0, time.UTC) }

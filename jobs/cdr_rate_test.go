package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// TestMain lets this test binary be a worker process that another test kills.
func TestMain(m *testing.M) {
	if os.Getenv("ROAMWERK_TEST_WORKER") != "" {
		if err := workUntilKilled(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestRatedCDRShowsBothAmountsAndTheMargin(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()

	state := w.state(id)
	if state.State != "rated" || state.CPOState != "open" || len(state.Flags) != 0 || state.DueAt != nil {
		t.Errorf("state = %s, CPO %s, flags %v, due %v", state.State, state.CPOState, state.Flags, state.DueAt)
	}
	rating, err := w.db.CurrentRating(w.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	// The CPO claims 20 × 0.45 = 9.00 and its tariff gives the same. The customer pays 20 × 0.59 = 11.80 with VAT,
	// 11.80 / 1.19 = 9.92 without; the margin is 0.92.
	for _, c := range []struct {
		what string
		got  decimal.Decimal
		want string
	}{
		{"claimed", rating.ClaimedNet, "9"}, {"computed", rating.ComputedNet, "9"}, {"retail gross", rating.RetailGross, "11.8"},
		{"retail net", rating.RetailNet, "9.92"}, {"margin", rating.Margin, "0.92"},
	} {
		if !c.got.Equal(decimal.RequireFromString(c.want)) {
			t.Errorf("%s = %s, want %s", c.what, c.got, c.want)
		}
	}
	var retail billing.Rating
	if err := json.Unmarshal(rating.Retail, &retail); err != nil {
		t.Fatal(err)
	}
	if len(retail.Lines) != 1 || retail.Lines[0].Dimension != "ENERGY" || !retail.Lines[0].Price.Equal(decimal.RequireFromString("0.59")) {
		t.Errorf("explanation: %+v", retail.Lines)
	}
	w.assertBooked(id, "9.92", "11.8")
}

func (w *world) assertBooked(id uuid.UUID, net, gross string) {
	w.t.Helper()
	items, err := w.db.ItemsOfCDR(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	sumNet, sumGross := decimal.Zero, decimal.Zero
	for _, item := range items {
		sumNet, sumGross = sumNet.Add(item.Net), sumGross.Add(item.Gross)
	}
	if !sumNet.Equal(decimal.RequireFromString(net)) || !sumGross.Equal(decimal.RequireFromString(gross)) {
		w.t.Errorf("booked %s net, %s gross, want %s, %s", sumNet, sumGross, net, gross)
	}
}

func TestWrongClaimIsQuestioned(t *testing.T) { // CDR-21
	w := newWorld(t)
	slight := w.receive(cdr{id: "C1", start: day(5), kwh: "20", cost: "9.90"}) // 10 % too much
	gross := w.receive(cdr{id: "C2", start: day(6), kwh: "20", cost: "19.00"}) // more than 20 % too much
	w.work()
	if s := w.state(slight); s.State != "rated" || s.CPOState != "questioned" || fmt.Sprint(s.Flags) != "[P16]" {
		t.Errorf("slightly wrong: %s, CPO %s, %v", s.State, s.CPOState, s.Flags)
	}
	// The two decisions are apart: the customer could be billed while the CPO's claim is in question. This one is too odd.
	if s := w.state(gross); s.State != "held" || s.CPOState != "questioned" {
		t.Errorf("grossly wrong: %s, CPO %s, %v", s.State, s.CPOState, s.Flags)
	}
	w.assertBooked(gross, "0", "0")
}

func TestImplausibleEnergyIsHeld(t *testing.T) { // CDR-28, SES-17
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "41000"}) // watt-hours by mistake
	w.work()
	s := w.state(id)
	if s.State != "held" || s.Reason != "rule" {
		t.Errorf("state = %s, %s, %v", s.State, s.Reason, s.Flags)
	}
	w.assertBooked(id, "0", "0")
	if _, err := w.db.CurrentRating(w.ctx, id); err != nil {
		t.Errorf("a held CDR is rated, so that a clerk sees the amounts: %v", err)
	}
}

func TestUnknownCardWaitsUntilItIsIssued(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20", uid: "04FFEEDDCCBBAA"})
	w.work()
	if s := w.state(id); s.State != "waiting" || s.Reason != "no-card" || s.DueAt == nil {
		t.Fatalf("state = %s, %s, due %v", s.State, s.Reason, s.DueAt)
	}
	w.issueCard(w.tenant.ID, "04ffeeddccbbaa", "Max Muster") // CiString: TYP-01
	w.work()
	if s := w.state(id); s.State != "rated" {
		t.Errorf("after the card was issued: %s, %s", s.State, s.Reason)
	}
}

func TestEightWorkersRateOneCDROnce(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	ctx, cancel := context.WithCancel(w.ctx)
	var running sync.WaitGroup
	for range 8 {
		worker := newWorker(t, w.db, w.redis, w.clock.Now)
		running.Go(func() {
			if err := worker.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	for range 64 { // rings arrive at all of them
		w.worker.Bell.Ring(w.ctx, jobs.CDRRate, id)
	}
	w.settle(time.Minute)
	w.waitForQueue()
	cancel()
	running.Wait()
	w.assertRatedOnce(1)
}

func TestFlushedRedisLosesNothing(t *testing.T) {
	w := newWorld(t)
	const n = 300
	ids := make([]uuid.UUID, n)
	for i := range n {
		ids[i] = w.receive(cdr{id: fmt.Sprint("C", i), start: apart(i), kwh: "20"})
	}
	w.worker.Bell.Ring(w.ctx, jobs.CDRRate, ids...)
	w.flushRedis()
	if waiting := w.queueLength(); waiting != 0 {
		t.Fatalf("%d tasks survived the flush", waiting)
	}
	w.work()
	w.assertRatedOnce(n)
}

// apart are starts at which one card can charge hundreds of times without two sessions being taken for one.
func apart(i int) time.Time { return day(1).Add(time.Duration(i) * 26 * time.Minute) }

func TestKilledWorkerLosesNothing(t *testing.T) {
	w := newWorld(t)
	const n = 300
	for i := range n {
		w.receive(cdr{id: fmt.Sprint("C", i), start: apart(i), kwh: "20"})
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "ROAMWERK_TEST_WORKER=1", "WORKER_DATABASE="+w.dbURL, "WORKER_REDIS="+w.redis)
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for w.count(`SELECT count(*) FROM ratings`) < 20 {
		time.Sleep(time.Millisecond)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if left := w.count(`SELECT count(*) FROM cdr_states WHERE due_at IS NOT NULL`); left == 0 {
		t.Fatal("the worker was done before it was killed: this test shows nothing")
	}
	w.work()
	w.assertRatedOnce(n)
}

// workUntilKilled is the child of TestKilledWorkerLosesNothing.
func workUntilKilled() error {
	d, err := db.Open(context.Background(), os.Getenv("WORKER_DATABASE"))
	if err != nil {
		return err
	}
	at := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	worker, err := makeWorker(d, os.Getenv("WORKER_REDIS"), func() time.Time { return at }, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		return err
	}
	return worker.Run(context.Background())
}

// assertRatedOnce checks that n CDRs have one rating each, and the items of that rating and no others.
func (w *world) assertRatedOnce(n int) {
	w.t.Helper()
	for _, c := range []struct {
		what string
		sql  string
		want int
	}{
		{"rated CDRs", `SELECT count(*) FROM cdr_states WHERE state = 'rated' AND due_at IS NULL`, n},
		{"ratings", `SELECT count(*) FROM ratings`, n},
		{"CDRs with a rating", `SELECT count(DISTINCT cdr_id) FROM ratings WHERE seq = 1 AND superseded_at IS NULL`, n},
		{"line items", `SELECT count(*) FROM line_items`, n},
		{"CDRs booked with 11.80", `SELECT count(*) FROM (SELECT cdr_id FROM line_items GROUP BY cdr_id HAVING sum(gross) = 11.80) x`, n},
	} {
		if got := w.count(c.sql); got != c.want {
			w.t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

func (w *world) flushRedis() {
	w.t.Helper()
	c := w.redisClient()
	defer c.Close()
	if err := c.FlushAll(w.ctx).Err(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) redisClient() *redis.Client {
	w.t.Helper()
	o, err := redis.ParseURL(w.redis)
	if err != nil {
		w.t.Fatal(err)
	}
	return redis.NewClient(o)
}

// queueLength is the number of tasks that wait or run.
func (w *world) queueLength() int {
	w.t.Helper()
	inspector := asynq.NewInspector(w.worker.Redis)
	defer inspector.Close()
	info, err := inspector.GetQueueInfo("default")
	if err != nil { // no queue: nothing was ever enqueued, or all was flushed
		return 0
	}
	return info.Pending + info.Active
}

func (w *world) waitForQueue() {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); w.queueLength() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatal("tasks are still waiting")
		}
	}
}

package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/seal"
	"github.com/roamwerk/roamwerk/mail"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// Worker does the work of the platform. Any number of workers may run against one database and one Redis.
type Worker struct {
	DB     *db.DB
	Box    *seal.Box
	Bell   *Bell
	Client *client.Client // calls partners
	Mail   *mail.Sender   // of utilities without a server of their own; nil: their e-mails stay in the outbox

	BounceDomain string // of the addresses to which undeliverable e-mails come back; empty: they come back to their sender
	DropDir      string // for the files of print services and access points; empty: they stay in the outbox

	// Receive takes a message of a partner that we fetched, the way of those that are pushed (package ocpi/server).
	Receive func(context.Context, Inbound) (Receipt, error)

	BaseURL string // public address of the platform, as partners reach it
	Offer   string // names what our version details list, which partners are told when it changes; empty: they are not told

	Rhythms map[ocpi.ModuleID]Rhythm // how often lists of partners are read; of what is not in it, as usual

	MessageDays int           // that the log of messages is kept; 0 means 90
	LateCDRs    time.Duration // for how long CDRs of a closed utility are taken; 0 means LateCDRs

	Redis asynq.RedisConnOpt
	Now   func() time.Time
	Log   *slog.Logger

	Concurrency   int           // rows worked on at once, and as many blocked cards; 0 means 8
	SweepEvery    time.Duration // 0 means five seconds
	ScheduleEvery time.Duration // 0 means half a minute

	scheduling sync.Mutex // held during a round of the schedule
}

// Run works until ctx ends, then finishes what it holds.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.planAnnouncements(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // asked to stop before it has begun
		}
		return err
	}
	// Each queue has hands of its own: those of the other may all wait for partners that take their time.
	base := context.WithoutCancel(ctx) // what has begun is finished
	urgent, usual := w.server(base, urgentQueue), w.server(base, usualQueue)
	if err := urgent.Start(asynq.HandlerFunc(w.handle)); err != nil {
		return fmt.Errorf("start workers: %w", err)
	}
	defer urgent.Shutdown()
	if err := usual.Start(asynq.HandlerFunc(w.handle)); err != nil {
		return fmt.Errorf("start workers: %w", err)
	}
	defer usual.Shutdown()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.sweepUntilDone(ctx) })
	g.Go(func() error { return w.scheduleUntilDone(ctx) })
	return g.Wait()
}

// server works on the tasks of a queue.
func (w *Worker) server(ctx context.Context, queue string) *asynq.Server {
	return asynq.NewServer(w.Redis, asynq.Config{
		Concurrency:     w.concurrency(),
		Queues:          map[string]int{queue: 1},
		BaseContext:     func() context.Context { return ctx },
		ShutdownTimeout: 20 * time.Second,
		// Between two looks at an empty queue, and so how late a ring may be heard.
		TaskCheckInterval: min(200*time.Millisecond, w.sweepEvery()),
		LogLevel:          asynq.ErrorLevel,
		Logger:            asynqLog{w.Log},
	})
}

func (w *Worker) concurrency() int {
	if w.Concurrency > 0 {
		return w.Concurrency
	}
	return 8
}

func (w *Worker) sweepEvery() time.Duration {
	if w.SweepEvery > 0 {
		return w.SweepEvery
	}
	return 5 * time.Second
}

// handle answers a ring. It never fails the task: a row that could not be worked on has its own due time, and the sweeper.
func (w *Worker) handle(ctx context.Context, task *asynq.Task) error {
	var ids []uuid.UUID
	job, ok := jobs[Kind(task.Type())]
	if !ok {
		return fmt.Errorf("no job of kind %q: %w", task.Type(), asynq.SkipRetry)
	}
	if err := json.Unmarshal(task.Payload(), &ids); err != nil {
		return fmt.Errorf("ids of %s: %w: %w", task.Type(), err, asynq.SkipRetry)
	}
	for _, id := range ids {
		w.work(ctx, Kind(task.Type()), job, id)
	}
	return nil
}

// work runs one job on one row. A failure is written to the row, which becomes due again later.
func (w *Worker) work(ctx context.Context, kind Kind, job job, id uuid.UUID) {
	err := job.run(w, ctx, id)
	switch {
	case err == nil, errors.Is(err, db.ErrNotFound): // the row may be gone: nothing to do
		return
	case ctx.Err() != nil: // shutting down: the row is still due
		return
	}
	w.Log.ErrorContext(ctx, "job failed", "job", string(kind), "id", id, "error", err)
	if err := job.postpone(w, ctx, id, err); err != nil {
		w.Log.ErrorContext(ctx, "cannot postpone job", "job", string(kind), "id", id, "error", err)
	}
}

// backoff is how long a row waits after its n-th failure: from seconds to an hour, so that a passing fault heals by itself
// and a lasting one does no harm.
func backoff(attempts int32) time.Duration {
	return min(5*time.Second<<min(attempts, 12), time.Hour)
}

// asynqLog hands asynq's own messages to slog.
type asynqLog struct{ log *slog.Logger }

func (l asynqLog) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...), "from", "asynq") }
func (l asynqLog) Info(args ...any)  { l.log.Info(fmt.Sprint(args...), "from", "asynq") }
func (l asynqLog) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...), "from", "asynq") }
func (l asynqLog) Error(args ...any) { l.log.Error(fmt.Sprint(args...), "from", "asynq") }
func (l asynqLog) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...), "from", "asynq") }

// Package jobs is the work of the platform: it loads, computes, saves and rings for the next step. It is the only place
// that strings steps together.
//
// What has to happen is a row in a state with a due time; a task in Redis carries only ids and rings for it after the
// commit. A sweeper rings again for every row that is due and not done, so a lost task loses nothing.
package jobs

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Kind names a job. The ids of its tasks are those of the rows that it works on.
type Kind string

// The kinds of job.
const (
	CDRRate       Kind = "cdr:rate"       // id of a CDR
	CDRBulk       Kind = "cdr:bulk"       // id of a bulk decision
	TokenPush     Kind = "token:push"     // id of a token: to every partner that has an older version
	TokenUrgent   Kind = "token:urgent"   // the same before everything else: a card that is blocked
	PartnerPull   Kind = "partner:pull"   // id of a partner: the next page of its lists
	PartnerCheck  Kind = "partner:check"  // id of a partner: does it answer, and are its tokens ours
	PartnerTell   Kind = "partner:tell"   // id of a partner: what we offer has changed
	TariffLint    Kind = "tariff:lint"    // id of a partner: its tariffs that were not looked at
	CommandWait   Kind = "command:wait"   // id of a command whose wait for a result or a session ends
	InvoiceRun    Kind = "invoice:run"    // id of an invoice run: the next drafts
	InvoiceRender Kind = "invoice:render" // id of an approved invoice: its number, documents, then e-mail
	EmailSend     Kind = "email:send"     // id of an e-mail of the outbox
	FileDrop      Kind = "file:drop"      // id of a file of the outbox
	BacktestRun   Kind = "backtest:run"   // id of a back-test
)

// Bell rings for work that is already saved and due. It never fails its caller: what it cannot ring for now, the
// sweeper rings for later.
type Bell struct {
	redis  redis.UniversalClient
	client *asynq.Client
	log    *slog.Logger
}

// NewBell rings through the given Redis.
func NewBell(queue asynq.RedisConnOpt, log *slog.Logger) *Bell {
	client := queue.MakeRedisClient().(redis.UniversalClient)
	if c, ok := client.(*redis.Client); ok {
		c.Options().ContextTimeoutEnabled = true // else a Redis that says nothing holds up who rings, whatever time they have
	}
	return &Bell{redis: client, client: asynq.NewClientFromRedisClient(client), log: log}
}

// Close releases the connection.
func (b *Bell) Close() error { return b.redis.Close() }

// Ring asks a worker to look at the rows with these ids soon. Call it after the commit that made them due.
func (b *Bell) Ring(ctx context.Context, kind Kind, ids ...uuid.UUID) {
	for chunk := range slices.Chunk(ids, ringSize) {
		payload, err := json.Marshal(chunk)
		if err == nil {
			_, err = b.client.EnqueueContext(ctx, asynq.NewTask(string(kind), payload), asynq.MaxRetry(0), asynq.Queue(queueOf(kind)))
		}
		if err != nil {
			b.log.WarnContext(ctx, "cannot ring, the sweeper will", "job", string(kind), "ids", len(chunk), "error", err)
		}
	}
}

// The queues of tasks. A card that is blocked does not wait behind the thousands of a new partner, nor for who works on them.
const (
	urgentQueue = "urgent"
	usualQueue  = "default"
)

func queueOf(kind Kind) string {
	if kind == TokenUrgent {
		return urgentQueue
	}
	return usualQueue
}

// ringSize is how many rows one task carries: one ring for a batch costs a fraction of one ring a row.
const ringSize = 50

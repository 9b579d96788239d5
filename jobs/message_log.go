package jobs

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

const (
	logBatch   = 256                    // messages written at once
	logPause   = 100 * time.Millisecond // in which a batch gathers
	logRetry   = time.Second            // until a database that failed is tried again
	maxQueued  = 20_000                 // messages that wait to be written
	maxWaiting = 64 << 20               // bytes of their bodies
)

// MessageLog writes messages and the evidence of quirks, in batches and off the way of the request. It holds a bounded amount
// of them: what does not fit is counted and dropped, and nobody ever waits for it. The nil MessageLog drops everything.
type MessageLog struct {
	db  *db.DB
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	waiting []Message
	bytes   int
	writing int // messages of the batch that is being written
	dropped int64
	closed  bool

	wake  chan struct{}
	urge  chan struct{} // closed: write without pauses, then end
	ended chan struct{}

	tenants   map[ocpi.Party]uuid.UUID // of the writer alone
	tenantsAt time.Time
}

// NewMessageLog returns a log that writes until it is closed.
func NewMessageLog(d *db.DB, now func() time.Time, log *slog.Logger) *MessageLog {
	l := &MessageLog{db: d, now: now, log: log, wake: make(chan struct{}, 1), urge: make(chan struct{}), ended: make(chan struct{})}
	go l.write()
	return l
}

// Add puts a message into the log.
func (l *MessageLog) Add(m Message) {
	if l == nil {
		return
	}
	size := len(m.Request) + len(m.Response)
	l.mu.Lock()
	full := l.closed || len(l.waiting) >= maxQueued || l.bytes+size > maxWaiting
	if full {
		l.dropped++
	} else {
		l.waiting = append(l.waiting, m)
		l.bytes += size
	}
	l.mu.Unlock()
	if full {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Sent puts a call that we made into the log. It is what the client is given.
func (l *MessageLog) Sent(e client.Exchange) {
	if l != nil {
		l.Add(sentMessage(e, l.now()))
	}
}

// Dropped is how many messages did not fit.
func (l *MessageLog) Dropped() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Flush waits until what is in the log is written.
func (l *MessageLog) Flush(ctx context.Context) error {
	for {
		l.mu.Lock()
		open := len(l.waiting) + l.writing
		l.mu.Unlock()
		if open == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d messages are not written: %w", open, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Close writes what is left and ends the log. Messages that come later are dropped.
func (l *MessageLog) Close(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	close(l.urge)
	select {
	case <-l.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write the log of messages: %w", ctx.Err())
	}
}

// write is the only writer.
func (l *MessageLog) write() {
	defer close(l.ended)
	reported := int64(0)
	for {
		select {
		case <-l.wake:
			l.pause(logPause)
		case <-l.urge:
		}
		for batch := l.take(); batch != nil; batch = l.take() {
			l.store(batch)
			l.mu.Lock()
			l.writing = 0
			l.mu.Unlock()
		}
		if dropped := l.Dropped(); dropped > reported {
			l.log.Warn("messages were not logged", "count", dropped-reported)
			reported = dropped
		}
		select {
		case <-l.urge:
			return
		default:
		}
	}
}

// pause waits, unless the log is to end.
func (l *MessageLog) pause(d time.Duration) {
	select {
	case <-l.urge:
	case <-time.After(d):
	}
}

func (l *MessageLog) take() []Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.waiting), logBatch)
	if n == 0 {
		l.waiting = nil
		return nil
	}
	batch := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	for _, m := range batch {
		l.bytes -= len(m.Request) + len(m.Response)
	}
	l.writing = n
	return batch
}

// store writes a batch. A row that cannot be stored does not cost the others; a database that is away costs the batch, after
// a second attempt.
func (l *MessageLog) store(batch []Message) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	rows := make([]db.InsertMessagesParams, 0, len(batch))
	for i := range batch {
		row, err := batch[i].row(l.tenantOf(ctx, &batch[i]))
		if err != nil {
			l.log.Error("message is not logged", "error", err)
			continue
		}
		rows = append(rows, row)
	}
	_, err := l.db.InsertMessages(ctx, rows)
	if err != nil && !db.IsUnstorable(err) {
		l.pause(logRetry)
		_, err = l.db.InsertMessages(ctx, rows)
	}
	if err != nil {
		l.storeEach(ctx, rows, err)
	}
	l.storeQuirks(ctx, batch)
}

// storeEach writes rows one by one, for as long as the time of the batch lasts.
func (l *MessageLog) storeEach(ctx context.Context, rows []db.InsertMessagesParams, cause error) {
	lost := 0
	for i := range rows {
		if _, err := l.db.InsertMessages(ctx, rows[i:i+1]); err != nil {
			lost++
		}
	}
	if lost > 0 {
		l.log.Error("messages are not logged", "count", lost, "error", cause)
		l.mu.Lock()
		l.dropped += int64(lost)
		l.mu.Unlock()
	}
}

// tenantOf finds the utility that a message concerns by its routing.
func (l *MessageLog) tenantOf(ctx context.Context, m *Message) uuid.NullUUID {
	ours := m.Routing.To
	if m.Out {
		ours = m.Routing.From
	}
	if m.Tenant.Valid || ours.IsZero() || m.Partner == uuid.Nil {
		return m.Tenant
	}
	id, known := l.tenants[ours.Fold()]
	if !known && time.Since(l.tenantsAt) > 10*time.Second {
		l.tenantsAt = time.Now()
		tenants, err := l.db.Tenants(ctx)
		if err != nil {
			l.log.Error("cannot read the tenants of messages", "error", err)
			return uuid.NullUUID{}
		}
		l.tenants = make(map[ocpi.Party]uuid.UUID, len(tenants))
		for _, t := range tenants {
			l.tenants[ocpi.Party{CountryCode: ocpi.CiString(t.CountryCode), PartyID: ocpi.CiString(t.PartyID)}] = t.ID
		}
		id, known = l.tenants[ours.Fold()]
	}
	return uuid.NullUUID{UUID: id, Valid: known}
}

// evidence is how often a partner needed a tolerance, and where first.
type evidence struct {
	partner uuid.UUID
	quirk   ocpi.Quirk
}

// storeQuirks counts the quirks of a batch. The first evidence of one is an event of the partner.
func (l *MessageLog) storeQuirks(ctx context.Context, batch []Message) {
	counted := map[evidence]db.NoteQuirkParams{}
	for i := range batch {
		for _, f := range batch[i].Findings {
			if f.Quirk == "" || f.Severity != ocpi.Note || batch[i].Partner == uuid.Nil {
				continue
			}
			key := evidence{batch[i].Partner, f.Quirk}
			note, seen := counted[key]
			if !seen {
				note = db.NoteQuirkParams{
					PartnerID: key.partner, Quirk: string(key.quirk), Now: batch[i].At, Detail: storable(f.String()),
					MessageID: uuid.NullUUID{UUID: batch[i].ID, Valid: true},
				}
			}
			note.Times++
			counted[key] = note
		}
	}
	// In one order everywhere, so that no two processes wait for each other.
	keys := slices.SortedFunc(maps.Keys(counted), func(a, b evidence) int {
		return cmp.Or(cmp.Compare(a.partner.String(), b.partner.String()), cmp.Compare(a.quirk, b.quirk))
	})
	for _, key := range keys {
		err := l.db.Tx(ctx, func(q *db.Queries) error {
			first, err := q.NoteQuirk(ctx, counted[key])
			if err != nil || !first {
				return err
			}
			return event(ctx, q, counted[key].Now, uuid.Nil, "partner", key.partner, "quirk", map[string]string{
				"quirk": string(key.quirk), "detail": counted[key].Detail,
			})
		})
		if err != nil {
			l.log.Error("cannot note what a partner needs", "partner", key.partner, "quirk", string(key.quirk), "error", err)
		}
	}
}

package jobs_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/mail"
)

// postOffice is an SMTP server that keeps what it takes.
type postOffice struct {
	mu     sync.Mutex
	refuse bool
	taken  []*netmail.Message
	raw    []byte // of the last
	from   string // to which the last comes back
	onData func() // called before a message is answered

	address string
}

// last is the last message that was taken.
func (p *postOffice) last() string { p.mu.Lock(); defer p.mu.Unlock(); return string(p.raw) }

// lastFrom is where it comes back to.
func (p *postOffice) lastFrom() string { p.mu.Lock(); defer p.mu.Unlock(); return p.from }

func (p *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &counter{office: p}, nil }

// counter is where one message is handed in.
type counter struct {
	office *postOffice
	from   string
}

func (c *counter) Reset()        {}
func (c *counter) Logout() error { return nil }
func (c *counter) Mail(from string, _ *smtp.MailOptions) error {
	c.from = from
	return nil
}
func (c *counter) Rcpt(string, *smtp.RcptOptions) error {
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	if c.office.refuse {
		return &smtp.SMTPError{Code: 451, Message: "try again later"}
	}
	return nil
}

func (c *counter) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	message, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return err
	}
	c.office.mu.Lock()
	c.office.taken, c.office.raw, c.office.from = append(c.office.taken, message), data, c.from
	onData := c.office.onData
	c.office.mu.Unlock()
	if onData != nil {
		onData()
	}
	return nil
}

// ids are the Message-IDs of what was taken.
func (p *postOffice) ids() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []string
	for _, m := range p.taken {
		ids = append(ids, m.Header.Get("Message-Id"))
	}
	return ids
}

// openPostOffice has the world's worker deliver to it.
func (w *world) openPostOffice() *postOffice {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	office := &postOffice{address: listener.Addr().String()}
	server := smtp.NewServer(office)
	go func() { _ = server.Serve(listener) }()
	w.t.Cleanup(func() { _ = server.Close() })
	if w.worker.Mail, err = mail.New("smtp+insecure://" + listener.Addr().String()); err != nil {
		w.t.Fatal(err)
	}
	return office
}

// queue puts an e-mail into the outbox.
func (w *world) queue() uuid.UUID {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	err := w.db.InsertEmail(w.ctx, db.InsertEmailParams{
		ID: id, TenantID: w.tenant.ID, MessageID: id.String() + "@roamwerk", Sender: `"Stadtwerke Xanten" <service@sw.example>`, Recipient: "erika@post.example",
		Subject: "Guten Tag", Body: "Guten Tag", CreatedAt: w.clock.Now(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// email is the state of an e-mail, how often it was tried, and what went wrong.
func (w *world) email(id uuid.UUID) (state string, attempts int32, problem string) {
	w.t.Helper()
	e, err := w.db.Email(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.State, e.Attempts, e.Problem
}

// Whoever rings, and however often: a message is handed in once.
func TestEmailIsSentOnce(t *testing.T) {
	w := newWorld(t)
	office := w.openPostOffice()
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	w.runOctober(true)
	want := map[string]bool{}
	var ids []uuid.UUID
	for range 20 {
		id := w.queue()
		ids = append(ids, id)
		want["<"+id.String()+"@roamwerk>"] = true
	}
	ctx, cancel := context.WithCancel(w.ctx)
	var running sync.WaitGroup
	for range 4 {
		worker := newWorker(t, w.db, w.redis, w.clock.Now)
		worker.Mail = w.worker.Mail
		running.Go(func() {
			if err := worker.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	for range 16 {
		w.worker.Bell.Ring(w.ctx, jobs.EmailSend, ids...)
	}
	w.settle(time.Minute)
	w.waitForQueue()
	cancel()
	running.Wait()
	taken := map[string]int{}
	for _, id := range office.ids() {
		taken[id]++
	}
	if len(taken) != 21 { // and the invoice's
		t.Errorf("%d messages of 21 were taken", len(taken))
	}
	for id, times := range taken {
		if times != 1 {
			t.Errorf("%s was taken %d times", id, times)
		}
		delete(want, id)
	}
	if len(want) != 0 {
		t.Errorf("never taken: %v", want)
	}
	if n := w.count(`SELECT count(*) FROM emails WHERE state = 'sent' AND attempts = 1 AND due_at IS NULL`); n != 21 {
		t.Errorf("%d e-mails are sent at the first attempt", n)
	}
	if n := w.count(`SELECT count(*) FROM events WHERE what = 'emailed'`); n != 1 || w.invoices()[0].State != "issued" {
		t.Errorf("%d events of the invoice that was sent", n)
	}
}

// Nothing is locked while the mail server takes its time, and nobody else sends the same message meanwhile.
func TestEmailIsNotLockedWhileItIsSent(t *testing.T) {
	w := newWorld(t)
	office := w.openPostOffice()
	begun, finish := make(chan struct{}), make(chan struct{})
	office.onData = func() { close(begun); <-finish }
	id := w.queue()
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.worker.Run(ctx) }()
	<-begun
	if n := w.count(`SELECT count(*) FROM (SELECT FROM emails WHERE id = $1 FOR UPDATE NOWAIT) x`, id); n != 1 {
		t.Errorf("%d rows can be locked", n)
	}
	if n := w.count(`SELECT count(*) FROM emails WHERE due_at <= $1`, w.clock.Now()); n != 0 {
		t.Error("the e-mail is still due")
	}
	other := newWorker(t, w.db, w.redis, w.clock.Now)
	if err := other.Sweep(w.ctx); err != nil {
		t.Fatal(err)
	}
	other.Bell.Ring(w.ctx, jobs.EmailSend, id)
	close(finish)
	w.waitForQueue()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if state, attempts, _ := w.email(id); state != "sent" || attempts != 1 || len(office.ids()) != 1 {
		t.Errorf("%s after %d attempts, taken %d times", state, attempts, len(office.ids()))
	}
}

// A message that is refused is tried again, later each time, and in the end given to a person, with the server's words and
// without the customer's address.
func TestEmailThatIsRefused(t *testing.T) {
	w := newWorld(t)
	office := w.openPostOffice()
	office.refuse = true
	id := w.queue()
	for n := range 10 {
		w.work()
		want := "queued"
		if n == 9 {
			want = "failed"
		}
		if state, attempts, problem := w.email(id); state != want || int(attempts) != n+1 || !strings.Contains(problem, "try again later") || strings.Contains(problem, "erika@") {
			t.Errorf("attempt %d: %s, %d, %q", n+1, state, attempts, problem)
		}
		w.clock.Set(w.clock.Now().Add(time.Hour))
	}
	id = w.queue()
	w.work()
	office.mu.Lock()
	office.refuse = false
	office.mu.Unlock()
	w.work() // too early
	if state, attempts, _ := w.email(id); state != "queued" || attempts != 1 {
		t.Errorf("in the pause: %s, %d", state, attempts)
	}
	w.clock.Set(w.clock.Now().Add(time.Minute))
	w.work()
	if state, attempts, problem := w.email(id); state != "sent" || attempts != 2 || problem != "" || len(office.ids()) != 1 {
		t.Errorf("in the end: %s, %d, %q, taken %d times", state, attempts, problem, len(office.ids()))
	}
}

// A worker that dies after the server has taken a message leaves it to be sent again, as the same message.
func TestEmailAfterACrash(t *testing.T) {
	w := newWorld(t)
	office := w.openPostOffice()
	dying, err := db.Open(w.ctx, w.dbURL)
	if err != nil {
		t.Fatal(err)
	}
	dead := make(chan struct{})
	office.onData = func() { dying.Close(); close(dead) }
	id := w.queue()
	worker := newWorker(t, dying, w.redis, w.clock.Now)
	worker.Mail, worker.Log = w.worker.Mail, slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	<-dead
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	office.mu.Lock()
	office.onData = nil
	office.mu.Unlock()
	w.work()
	if state, attempts, _ := w.email(id); state != "queued" || attempts != 1 || len(office.ids()) != 1 {
		t.Fatalf("before the claim has passed: %s after %d attempts, taken %d times", state, attempts, len(office.ids()))
	}
	w.clock.Set(w.clock.Now().Add(6 * time.Minute))
	w.work()
	if state, attempts, _ := w.email(id); state != "sent" || attempts != 2 || len(office.ids()) != 2 {
		t.Fatalf("%s after %d attempts, taken %d times", state, attempts, len(office.ids()))
	}
	first, second := office.taken[0].Header, office.taken[1].Header
	for _, name := range []string{"Message-Id", "Date", "Subject"} {
		if first.Get(name) != second.Get(name) || first.Get(name) == "" {
			t.Errorf("%s: %q, then %q", name, first.Get(name), second.Get(name))
		}
	}
	if got := fmt.Sprint(office.ids()); !strings.Contains(got, id.String()) {
		t.Errorf("ids: %s", got)
	}
}

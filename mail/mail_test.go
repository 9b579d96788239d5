package mail_test

import (
	"bytes"
	"context"
	"io"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/roamwerk/roamwerk/mail"
)

// mailbox is an SMTP server that keeps what it is sent.
type mailbox struct {
	mu       sync.Mutex
	from, to string
	data     []byte
	many     int // messages taken
	refuse   bool
	hangsUp  bool // once it has taken a message
}

func (m *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) { return &delivery{m, c}, nil }

type delivery struct {
	box  *mailbox
	conn *smtp.Conn
}

// Reset comes after a message was taken.
func (d *delivery) Reset() {
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	if d.box.many > 0 && d.box.hangsUp {
		_ = d.conn.Conn().Close()
	}
}
func (d *delivery) Logout() error { return nil }
func (d *delivery) Mail(from string, _ *smtp.MailOptions) error {
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	d.box.from = from
	return nil
}
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	if d.box.refuse {
		return &smtp.SMTPError{Code: 550, Message: "no such user"}
	}
	d.box.to = to
	return nil
}
func (d *delivery) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	d.box.data = data
	d.box.many++
	return err
}

func start(t *testing.T, box *mailbox) *mail.Sender {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(box)
	server.AllowInsecureAuth = true
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	sender, err := mail.New("smtp+insecure://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func message() mail.Message {
	return mail.Message{
		ID: "0190-1@roamwerk", Date: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC), From: `"Stadtwerke Xanten" <service@sw.example>`, To: "erika@post.example",
		Subject: "Ihre Rechnung für Oktober", Body: "Guten Tag,\n\nanbei Ihre Rechnung über 18,00 €.\n",
		Attachments: []mail.Attachment{{Name: "SWX-2026-000001.pdf", Type: "application/pdf", Bytes: bytes.Repeat([]byte{0, 255, 7}, 5000)}},
	}
}

func TestMessageArrivesWhole(t *testing.T) {
	var box mailbox
	sender := start(t, &box)
	for range 2 { // a repetition has the same id, so that the receiver can drop it
		if err := sender.Send(context.Background(), message()); err != nil {
			t.Fatal(err)
		}
		got, err := netmail.ReadMessage(bytes.NewReader(box.data))
		if err != nil {
			t.Fatal(err)
		}
		if box.from != "service@sw.example" || box.to != "erika@post.example" || got.Header.Get("Message-ID") != "<0190-1@roamwerk>" {
			t.Errorf("from %q to %q, id %q", box.from, box.to, got.Header.Get("Message-ID"))
		}
		if date, err := got.Header.Date(); err != nil || !date.Equal(message().Date) {
			t.Errorf("date = %v, %v", date, err)
		}
		if !strings.Contains(string(box.data), "SWX-2026-000001.pdf") || len(box.data) < 20000 {
			t.Errorf("the attachment is missing in %d bytes", len(box.data))
		}
	}
}

// What goes wrong after the server has taken a message does not make it be sent again.
func TestServerThatHangsUpAfterwards(t *testing.T) {
	box := mailbox{hangsUp: true}
	if err := start(t, &box).Send(context.Background(), message()); err != nil {
		t.Errorf("a message that was taken: %v", err)
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	if box.many != 1 {
		t.Errorf("%d messages were taken", box.many)
	}
}

func TestRefusalKeepsTheAddressOutOfTheError(t *testing.T) {
	box := mailbox{refuse: true}
	err := start(t, &box).Send(context.Background(), message())
	if err == nil || strings.Contains(err.Error(), "erika@post.example") {
		t.Errorf("error = %v", err)
	}
}

func TestServersThatCannotBeNamed(t *testing.T) {
	for _, bad := range []string{"", "mail.example", "http://mail.example", "smtp://", "smtp://mail.example:port"} {
		if _, err := mail.New(bad); err == nil {
			t.Errorf("New(%q) accepted", bad)
		}
	}
}

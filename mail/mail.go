// Package mail delivers e-mails to an SMTP server. What is to be sent, and whether it was, is a matter of the outbox.
package mail

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Message is one e-mail to one recipient.
type Message struct {
	ID          string // without angle brackets; the same on every attempt, so that a receiver can drop a repetition
	Date        time.Time
	From        string // "Name <address>"
	ReplyTo     string // address to which people answer; empty: From
	Return      string // address to which it comes back if it cannot be delivered; empty: From's
	To          string // a bare address
	Subject     string
	Body        string // plain text
	Attachments []Attachment
}

// Attachment is a file that goes with a message.
type Attachment struct {
	Name  string
	Type  string // media type
	Bytes []byte
}

// Sender delivers to one SMTP server. It is safe for concurrent use.
type Sender struct {
	host    string
	options []gomail.Option
}

// New reads where to deliver from a URL: smtp://user:password@host:587 with STARTTLS required, smtps:// with TLS from the
// first byte (port 465), smtp+insecure:// without any (a relay on the same machine).
func New(smtp string) (*Sender, error) {
	u, err := url.Parse(smtp)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("SMTP URL must look like smtp://user:password@host:587")
	}
	s := &Sender{host: u.Hostname(), options: []gomail.Option{gomail.WithTimeout(20 * time.Second)}}
	switch u.Scheme {
	case "smtp":
		s.options = append(s.options, gomail.WithTLSPortPolicy(gomail.TLSMandatory))
	case "smtps":
		s.options = append(s.options, gomail.WithSSLPort(false))
	case "smtp+insecure":
		s.options = append(s.options, gomail.WithTLSPortPolicy(gomail.NoTLS))
	default:
		return nil, fmt.Errorf("SMTP URL has scheme %q, want smtp, smtps or smtp+insecure", u.Scheme)
	}
	if p := u.Port(); p != "" {
		port, err := strconv.Atoi(p)
		if err != nil {
			return nil, fmt.Errorf("SMTP URL has port %q", p)
		}
		s.options = append(s.options, gomail.WithPort(port))
	}
	if name := u.User.Username(); name != "" {
		password, _ := u.User.Password()
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(name), gomail.WithPassword(password))
	}
	return s, nil
}

// Send delivers one message and returns when the server has accepted it. What goes wrong after that is no error: who hears of
// one sends the message again.
func (s *Sender) Send(ctx context.Context, m Message) error {
	msg := gomail.NewMsg()
	msg.SetMessageIDWithValue(m.ID)
	msg.SetDateWithValue(m.Date)
	if err := msg.From(m.From); err != nil {
		return fmt.Errorf("sender %q: %w", m.From, err)
	}
	if m.ReplyTo != "" {
		if err := msg.ReplyTo(m.ReplyTo); err != nil {
			return fmt.Errorf("address for answers %q: %w", m.ReplyTo, err)
		}
	}
	if m.Return != "" {
		if err := msg.EnvelopeFrom(m.Return); err != nil {
			return fmt.Errorf("address for returns %q: %w", m.Return, err)
		}
	}
	if err := msg.To(m.To); err != nil {
		return fmt.Errorf("recipient: %w", err) // the address itself stays out of logs
	}
	msg.Subject(m.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, m.Body)
	for _, a := range m.Attachments {
		if err := msg.AttachReader(a.Name, bytes.NewReader(a.Bytes), gomail.WithFileContentType(gomail.ContentType(a.Type))); err != nil {
			return fmt.Errorf("attach %s: %w", a.Name, err)
		}
	}
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("SMTP client: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil && !msg.IsDelivered() {
		// The server's words matter, the customer's address stays out of logs.
		return fmt.Errorf("send through %s: %s", s.host, strings.ReplaceAll(err.Error(), m.To, "recipient"))
	}
	return nil
}

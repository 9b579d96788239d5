package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// Inbox takes messages that come back to us. The mail server that serves the domain of bounces hands them on by SMTP.
type Inbox struct {
	Domain string // of the addresses that are taken
	// Take stores a message that came to an address of the domain. ErrNoMailbox: there is none of that name.
	Take func(ctx context.Context, mailbox string, message []byte) error
	Log  *slog.Logger
}

// ErrNoMailbox says that nobody is known by a name.
var ErrNoMailbox = errors.New("no such mailbox")

// Serve takes messages until ctx ends.
func (i Inbox) Serve(ctx context.Context, listener net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &arrival{inbox: i, ctx: ctx}, nil }))
	server.Domain, server.MaxMessageBytes, server.MaxRecipients = i.Domain, maxReportBytes, 1
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	server.ErrorLog = slog.NewLogLogger(i.Log.Handler(), slog.LevelInfo)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("inbox for bounces: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

// arrival is one connection of a mail server.
type arrival struct {
	inbox   Inbox
	ctx     context.Context //nolint:containedctx // go-smtp calls without one
	mailbox string
}

func (a *arrival) Reset()                               { a.mailbox = "" }
func (a *arrival) Logout() error                        { return nil }
func (a *arrival) Mail(string, *smtp.MailOptions) error { return nil } // reports come from nobody, which is <>

func (a *arrival) Rcpt(to string, _ *smtp.RcptOptions) error {
	at := strings.LastIndexByte(to, '@')
	if at < 0 || !strings.EqualFold(to[at+1:], a.inbox.Domain) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 2}, Message: "no mail for this domain here"}
	}
	a.mailbox = strings.ToLower(to[:at])
	return nil
}

// Data stores the message before it is answered.
func (a *arrival) Data(r io.Reader) error {
	message, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch err := a.inbox.Take(a.ctx, a.mailbox, message); {
	case errors.Is(err, ErrNoMailbox):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	case err != nil:
		a.inbox.Log.ErrorContext(a.ctx, "cannot store a message that came back", "error", err)
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	}
	return nil
}

package mail_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/mail"
)

// A mail server hands on what came to the domain; what we cannot store, or do not know, it keeps or gives back.
func TestInboxTakesWhatCameBack(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]string{}
	inbox := mail.Inbox{Domain: "returns.example", Log: slog.New(slog.DiscardHandler), Take: func(_ context.Context, mailbox string, message []byte) error {
		switch mailbox {
		case "bounce-nobody":
			return mail.ErrNoMailbox
		case "bounce-later":
			return errors.New("database is away")
		}
		taken[mailbox] = string(message)
		return nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- inbox.Serve(ctx, listener) }()
	sender, err := mail.New("smtp+insecure://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{
		"Bounce-1@Returns.Example": "", "bounce-nobody@returns.example": "550", "bounce-later@returns.example": "451", "bounce-1@elsewhere.example": "550",
	} {
		m := message()
		m.To, m.Return = to, ""
		err := sender.Send(ctx, m)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if len(taken) != 1 || !strings.Contains(taken["bounce-1"], "Subject: ") {
		t.Errorf("taken = %v", taken)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestReturnAndAnswersGoWhereTheyShall(t *testing.T) {
	var box mailbox
	m := message()
	m.Return, m.ReplyTo = "bounce-1@returns.example", "kontakt@sw.example"
	if err := start(t, &box).Send(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if box.from != "bounce-1@returns.example" || !strings.Contains(string(box.data), "Reply-To: <kontakt@sw.example>") || !strings.Contains(string(box.data), "From: \"Stadtwerke Xanten\" <service@sw.example>") {
		t.Errorf("from %q:\n%.600s", box.from, box.data)
	}
}

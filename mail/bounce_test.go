package mail_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/mail"
)

// report is a delivery report as mail servers write it.
func report(status string) string {
	return "From: MAILER-DAEMON@mx.example\r\nTo: bounce-1@returns.example\r\nSubject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"cut\"\r\n\r\n" +
		"--cut\r\nContent-Type: text/plain\r\n\r\nI am sorry to say that your message was not delivered.\r\n" +
		"--cut\r\n" + status + "\r\n--cut\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Ihre Rechnung\r\n\r\n--cut--\r\n"
}

const perMessage = "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\nArrival-Date: Tue, 3 Nov 2026 09:00:00 +0000\r\n\r\n"

var unknownUser = mail.Bounce{Action: "failed", Status: "5.1.1", Recipient: "erika@post.example", Reason: "550 5.1.1 <erika@post.example>: unknown user"}

func TestParseBounce(t *testing.T) {
	for name, test := range map[string]struct {
		message string
		want    mail.Bounce
	}{
		"of one recipient": {
			report(perMessage + "Final-Recipient: rfc822; erika@post.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n <erika@post.example>: unknown user\r\n"), unknownUser,
		},
		"with lines that end in LF only": {
			strings.ReplaceAll(report(perMessage+"Final-Recipient: rfc822; erika@post.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 <erika@post.example>: unknown user"), "\r\n", "\n"), unknownUser,
		},
		"packed in Base64": {
			report("Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\nUmVwb3J0aW5nLU1UQTogZG5zOyBteA0KDQpBY3Rpb246IEZhaWxlZA0KU3RhdHVzOiA1LjIuMg0K"),
			mail.Bounce{Action: "failed", Status: "5.2.2"},
		},
		"of a delay": {
			report(perMessage + "Final-Recipient: rfc822;erika@post.example\r\nAction: delayed\r\nStatus: 4.4.1\r\nDiagnostic-Code: connection timed out\r\n"),
			mail.Bounce{Action: "delayed", Status: "4.4.1", Recipient: "erika@post.example", Reason: "connection timed out"},
		},
		"of two recipients, one of whom has it": {
			report(perMessage + "Final-Recipient: rfc822; a@post.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\nFinal-Recipient: rfc822; b@post.example\r\nAction: failed\r\nStatus: 5.7.1\r\n"),
			mail.Bounce{Action: "failed", Status: "5.7.1", Recipient: "b@post.example"},
		},
		"with what must not reach a screen": {
			report(perMessage + "Final-Recipient: rfc822; erika@post.example\r\nAction: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; \xff\x07" + strings.Repeat("x", 1000)),
			mail.Bounce{Action: "failed", Status: "5.0.0", Recipient: "erika@post.example", Reason: "\uFFFD " + strings.Repeat("x", 498)},
		},
	} {
		got, err := mail.ParseBounce(strings.NewReader(test.message))
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if !unknownUser.Failed() || (mail.Bounce{Action: "delayed"}).Failed() {
		t.Error("which reports say that a message will not arrive")
	}
}

func TestWhatIsNoReport(t *testing.T) {
	for name, message := range map[string]string{
		"nothing":            "",
		"no message":         "\r\n\r\n",
		"somebody's holiday": "From: erika@post.example\r\nAuto-Submitted: auto-replied\r\nContent-Type: text/plain\r\n\r\nIch bin im Urlaub.\r\n",
		"no boundary":        "Content-Type: multipart/report\r\n\r\nx",
		"a report of a read": report("Content-Type: message/disposition-notification\r\n\r\nDisposition: manual-action; displayed\r\n"),
		"an empty status":    report("Content-Type: message/delivery-status\r\n\r\n"),
		"cut off":            report(perMessage)[:300],
	} {
		if got, err := mail.ParseBounce(strings.NewReader(message)); !errors.Is(err, mail.ErrNoReport) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzBounce(f *testing.F) {
	f.Add(report(perMessage + "Final-Recipient: rfc822; erika@post.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"))
	f.Add("From: erika@post.example\r\nContent-Type: text/plain\r\n\r\nx")
	f.Fuzz(func(t *testing.T, message string) {
		b, err := mail.ParseBounce(strings.NewReader(message))
		if err != nil && !errors.Is(err, mail.ErrNoReport) || err == nil && b.Action == "" {
			t.Errorf("%+v, %v", b, err)
		}
		for _, text := range []string{b.Action, b.Status, b.Recipient, b.Reason} {
			if strings.ContainsRune(text, 0) || text != strings.ToValidUTF8(text, "") {
				t.Errorf("%q cannot be stored", text)
			}
		}
	})
}

package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"strings"
)

// Bounce is what a mail server says about one recipient of a message (RFC 3464 section 2.3).
type Bounce struct {
	Action    string // failed, delayed, delivered, relayed, expanded; in lower case
	Status    string // as in 5.1.1
	Recipient string // bare address, as the server names it
	Reason    string // the server's words
}

// Failed reports whether the message will not arrive.
func (b Bounce) Failed() bool { return b.Action == "failed" }

// ErrNoReport says that a message is no delivery report: somebody's holiday, or an answer of a person.
var ErrNoReport = errors.New("no delivery report")

const (
	maxReportParts = 20
	maxReportBytes = 1 << 20
	maxBounceText  = 500 // characters of a server's words that are kept
)

// ParseBounce reads a delivery report (multipart/report, RFC 6522, with a message/delivery-status part). Of several recipients
// the first that failed counts: our messages have one.
func ParseBounce(r io.Reader) (Bounce, error) {
	message, err := netmail.ReadMessage(io.LimitReader(r, maxReportBytes))
	if err != nil {
		return Bounce{}, fmt.Errorf("%w: %w", ErrNoReport, err)
	}
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["boundary"] == "" {
		return Bounce{}, ErrNoReport
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for range maxReportParts {
		part, err := parts.NextRawPart()
		if err != nil {
			return Bounce{}, ErrNoReport // at its end
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || kind != "message/delivery-status" && kind != "message/global-delivery-status" {
			continue
		}
		return readStatus(decoded(part))
	}
	return Bounce{}, ErrNoReport
}

// decoded undoes how a part was packed; servers that obey the standard do not pack these.
func decoded(part *multipart.Part) io.Reader {
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, part)
	case "quoted-printable":
		return quotedprintable.NewReader(part)
	}
	return part
}

// readStatus reads the groups of fields of a delivery status: the first is about the message, each further one about a
// recipient.
func readStatus(r io.Reader) (Bounce, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return Bounce{}, fmt.Errorf("%w: %w", ErrNoReport, err)
	}
	text = bytes.Map(func(r rune) rune { // some servers put anything into their words
		if (r < ' ' || r == 0x7f) && !strings.ContainsRune("\r\n\t", r) {
			return ' '
		}
		return r
	}, text)
	reader := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(text, "\r\n\r\n"...))))
	var found *Bounce
	for {
		fields, err := reader.ReadMIMEHeader()
		if b := bounceOf(fields); b.Action != "" && (found == nil || b.Failed() && !found.Failed()) {
			found = &b
		}
		if err != nil || len(fields) == 0 {
			break
		}
	}
	if found == nil {
		return Bounce{}, ErrNoReport
	}
	return *found, nil
}

func bounceOf(fields textproto.MIMEHeader) Bounce {
	_, recipient, _ := strings.Cut(fields.Get("Final-Recipient"), ";")
	_, reason, typed := strings.Cut(fields.Get("Diagnostic-Code"), ";")
	if !typed {
		reason = fields.Get("Diagnostic-Code")
	}
	return Bounce{
		Action: strings.ToLower(cut(fields.Get("Action"), 20)), Status: cut(fields.Get("Status"), 20),
		Recipient: cut(recipient, 320), Reason: cut(reason, maxBounceText),
	}
}

// cut makes foreign text fit to be stored: valid UTF-8, no control characters, of limited length.
func cut(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if runes := []rune(strings.TrimSpace(s)); len(runes) > most {
		return string(runes[:most])
	}
	return strings.TrimSpace(s)
}

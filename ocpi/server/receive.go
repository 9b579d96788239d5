package server

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Receive takes a message of a partner that did not come through the door: we fetched it, or it is taken out of quarantine. It
// goes the way of a message that the partner pushes, from the handler on, so that both leave the same behind (CDR-08). The
// error is ours; what is wrong with the message is in the receipt.
func (d *Door) Receive(ctx context.Context, in jobs.Inbound) (jobs.Receipt, error) {
	known, err := d.server.DB.PartnerAtDoor(ctx, in.Partner)
	if err != nil {
		return jobs.Receipt{}, fmt.Errorf("partner of a message: %w", err)
	}
	ctx = context.WithValue(ctx, inboundKey{}, &inbound{in, known})
	version := cmp.Or(in.Version, ocpi.VersionNumber(known.Partner.Version))
	r, err := http.NewRequestWithContext(ctx, in.Method, ocpiPath+string(version)+"/"+in.Path, bytes.NewReader(in.Body))
	if err != nil {
		return jobs.Receipt{}, fmt.Errorf("message %s %s: %w", in.Method, in.Path, err)
	}
	in.Routing.Write(r.Header)
	w := &receiptWriter{header: http.Header{}}
	d.ServeHTTP(w, r)
	if err := ctx.Err(); err != nil { // then the answer says nothing about the message
		return jobs.Receipt{}, err
	}
	var answer ocpi.Response[jsontext.Value]
	if err := ocpi.Unmarshal(w.body.Bytes(), &answer); err != nil {
		return jobs.Receipt{}, fmt.Errorf("answer to %s %s: %v", in.Method, in.Path, err) //nolint:errorlint // our own answer: nobody's fault but ours
	}
	return jobs.Receipt{HTTPStatus: w.status, StatusCode: answer.StatusCode, Message: answer.StatusMessage}, nil
}

// inbound is a message that did not come through the door, and what the door has to know of its partner.
type inbound struct {
	jobs.Inbound
	known db.PartnerAtDoorRow
}

// inboundKey is under which the context has it.
type inboundKey struct{}

func inboundOf(ctx context.Context) *inbound {
	in, _ := ctx.Value(inboundKey{}).(*inbound)
	return in
}

// receiptWriter keeps an answer.
type receiptWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *receiptWriter) Header() http.Header { return w.header }

func (w *receiptWriter) WriteHeader(status int) { w.status = status }

func (w *receiptWriter) Write(b []byte) (int, error) { return w.body.Write(b) }

// Flush does nothing: nobody waits on the line.
func (w *receiptWriter) Flush() {}

package server

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// trace is what the log of messages is told of a call.
type trace struct {
	id       uuid.UUID
	at       time.Time // by the platform's clock
	started  time.Time // by the machine's, to measure
	took     time.Duration
	tenant   uuid.NullUUID // whom it concerns, where the routing headers do not say
	read     bool
	message  []byte // the body of the request
	status   int    // HTTP
	code     ocpi.StatusCode
	text     string // status_message
	answered []byte
	rejects  ocpi.Findings
}

func (t *trace) begin(now time.Time) {
	t.id, t.at, t.started = uuid.Must(uuid.NewV7()), now, time.Now()
}

func (t *trace) end(status int, r ocpi.Response[any], body []byte) {
	t.took = time.Since(t.started)
	t.status, t.code, t.text, t.answered = status, r.StatusCode, r.StatusMessage, body
}

// concerns notes the utility that a call is for.
func (c *call) concerns(tenant uuid.UUID) {
	c.trace.tenant = uuid.NullUUID{UUID: tenant, Valid: true}
}

// log puts the call into the log of messages. Of what we fetched ourselves the call that fetched it is there already, so only
// trouble is logged; of what nobody we know sends, not more than anybody can read.
func (c *call) log() {
	t, r := &c.trace, c.echo.Request()
	taken := t.status < http.StatusMultipleChoices && t.code.Success()
	if c.inbound != nil && taken && c.inbound.Quarantined == uuid.Nil {
		return
	}
	if c.partner.ID == uuid.Nil && !c.lanes.strangers.Allow() {
		return
	}
	path := r.RequestURI
	if path == "" {
		path = r.URL.RequestURI()
	}
	c.Messages.Add(jobs.Message{
		ID: t.id, At: t.at, Partner: c.partner.ID, Tenant: t.tenant, Version: c.dialect.Version, Module: c.module, Method: r.Method, Path: path,
		RequestID: r.Header.Get(ocpi.HeaderRequestID), CorrelationID: r.Header.Get(ocpi.HeaderCorrelationID), Routing: ocpi.ReadRouting(r.Header),
		HTTPStatus: t.status, StatusCode: t.code, StatusMessage: t.text, Took: t.took, Request: t.message, Response: t.answered,
		Findings: append(t.rejects, c.findings...),
	})
}

package ocpitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Exchange is one call and its answer, as it went over the wire. The headers
// hold credentials tokens: not for logs.
type Exchange struct {
	Inbound      bool // the platform called us
	Module       ocpi.ModuleID
	Method       string
	URL          string
	Header       http.Header
	Body         []byte
	HTTPStatus   int // 0: no answer
	Answer       ocpi.Response[jsontext.Value]
	AnswerHeader http.Header
	Took         time.Duration
	Err          error // why there was no answer, or none that can be read
}

// Refusal is an answer of the platform that is no success (TRN-16).
type Refusal struct {
	Method     string
	URL        string
	HTTPStatus int
	Status     ocpi.StatusCode
	Message    string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s %s: HTTP %d, %d %s", r.Method, r.URL, r.HTTPStatus, int(r.Status), r.Message)
}

// IsRefusal reports whether err is an answer with that status code.
func IsRefusal(err error, status ocpi.StatusCode) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && refusal.Status == status
}

var errNotRegistered = errors.New("not registered with a platform")

// call is one request to the platform.
type call struct {
	method  string
	module  ocpi.ModuleID
	url     string
	token   string // "": the one of the registration
	routing ocpi.Routing
	body    any // nil: none
}

// do sends c. The error is a *Refusal when there was an answer.
func (p *Peer) do(ctx context.Context, c call) (Exchange, error) {
	p.mu.Lock()
	faults, token := p.faults, c.token
	if token == "" {
		token = p.remote.Token
	}
	p.mu.Unlock()
	if token == "" {
		return Exchange{}, errNotRegistered
	}
	x := Exchange{Module: c.module, Method: c.method, URL: c.url}
	if c.body != nil {
		var err error
		if x.Body, err = p.encode(c.module, c.body, ""); err != nil {
			return x, fmt.Errorf("write the body of %s %s: %w", c.method, c.url, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, c.method, c.url, bytes.NewReader(x.Body))
	if err != nil {
		return x, fmt.Errorf("call %s: %w", c.url, err)
	}
	request.Header.Set(ocpi.HeaderAuthorization, faults.authorization(token))
	if c.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if !faults.NoRequestIDs {
		request.Header.Set(ocpi.HeaderRequestID, uuid.NewString())
		request.Header.Set(ocpi.HeaderCorrelationID, uuid.NewString())
	}
	if !faults.NoRouting {
		c.routing.Write(request.Header)
	}
	x.Header = request.Header
	p.exchange(request, &x)
	if p.observe != nil {
		p.observe(x)
	}
	if x.Err != nil {
		return x, fmt.Errorf("%s %s: %w", c.method, c.url, x.Err)
	}
	if x.HTTPStatus/100 != 2 || !x.Answer.StatusCode.Success() {
		return x, &Refusal{c.method, c.url, x.HTTPStatus, x.Answer.StatusCode, x.Answer.StatusMessage}
	}
	return x, nil
}

// exchange sends the request and reads the answer into x.
func (p *Peer) exchange(request *http.Request, x *Exchange) {
	start := time.Now()
	response, err := p.client.Do(request)
	if err != nil {
		x.Took, x.Err = time.Since(start), err
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 32<<20))
	x.Took = time.Since(start)
	x.HTTPStatus, x.AnswerHeader = response.StatusCode, response.Header
	if err != nil {
		x.Err = err
		return
	}
	if err := ocpi.Unmarshal(body, &x.Answer); err != nil {
		// An HTTP error may come without an envelope (STA-06).
		if response.StatusCode/100 == 2 {
			x.Err = fmt.Errorf("read the answer: %w", err)
		}
		return
	}
	p.examineAnswer(x, body)
}

// examineAnswer complains about the form of an answer.
func (p *Peer) examineAnswer(x *Exchange, body []byte) {
	where := x.Method + " " + x.URL
	for _, name := range []string{ocpi.HeaderRequestID, ocpi.HeaderCorrelationID} {
		if sent := x.Header.Get(name); sent != "" && x.AnswerHeader.Get(name) != sent {
			p.complain("TRN-18", where, "%s is %q in the answer, not %q", name, x.AnswerHeader.Get(name), sent)
		}
	}
	if mime := x.AnswerHeader.Get("Content-Type"); !strings.HasPrefix(mime, "application/json") {
		p.complain("TRN-13", where, "the answer has the type %q", mime)
	}
	var envelope struct {
		Timestamp string         `json:"timestamp"`
		Extra     jsontext.Value `json:",embed"`
	}
	if err := ocpi.Unmarshal(body, &envelope); err != nil || !strings.HasSuffix(envelope.Timestamp, "Z") || len(envelope.Timestamp) > 25 {
		p.complain("TYP-04", where, "the answer has the timestamp %q", envelope.Timestamp)
	}
	sent, got := ocpi.ReadRouting(x.Header), ocpi.ReadRouting(x.AnswerHeader)
	switch {
	case x.Module == "" || x.Module.Configuration():
		if !got.To.IsZero() || !got.From.IsZero() {
			p.complain("RTG-03", where, "the answer of a configuration module has routing headers")
		}
	case x.HTTPStatus == http.StatusUnauthorized:
	case !sent.From.IsZero() && !got.To.Equal(sent.From), !sent.To.IsZero() && !got.From.Equal(sent.To):
		p.complain("RTG-02", where, "the answer goes from %q to %q, the call went from %q to %q", got.From, got.To, sent.From, sent.To)
	}
}

// endpoint is where the platform serves a module.
func (p *Peer) endpoint(module ocpi.ModuleID, role ocpi.InterfaceRole) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.remote.Token == "" {
		return "", errNotRegistered
	}
	details := ocpi.VersionDetails{Endpoints: p.remote.Endpoints}
	base, ok := details.Endpoint(module, role)
	if !ok {
		return "", fmt.Errorf("the platform does not offer %s as %s", module, role)
	}
	return base, nil
}

// push sends one object, or a part of it, to the platform's receiver.
func (p *Peer) push(ctx context.Context, method string, module ocpi.ModuleID, routing ocpi.Routing, body any, path ...ocpi.CiString) (Exchange, error) {
	base, err := p.endpoint(module, ocpi.Receiver)
	if err != nil || p.currentFaults().LosesPushes {
		return Exchange{}, err
	}
	return p.do(ctx, call{method: method, module: module, url: join(base, path...), routing: routing, body: body})
}

// join appends path segments to a published URL, which may have a query.
func join(base string, path ...ocpi.CiString) string {
	base, query, hasQuery := strings.Cut(base, "?")
	for _, segment := range path {
		base = strings.TrimSuffix(base, "/") + "/" + url.PathEscape(string(segment))
	}
	if hasQuery {
		base += "?" + query
	}
	return base
}

// listAll reads a list of the platform page by page (PAG-13).
func listAll[T any](ctx context.Context, p *Peer, module ocpi.ModuleID, routing ocpi.Routing, query url.Values) ([]T, error) {
	base, err := p.endpoint(module, ocpi.Sender)
	if err != nil {
		return nil, err
	}
	next, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", module, err)
	}
	if len(query) > 0 {
		next.RawQuery = query.Encode()
	}
	var all []T
	for seen := map[string]bool{}; next != nil; {
		if seen[next.String()] {
			p.complain("PAG-07", next.String(), "the next page is one that was read before")
			break
		}
		seen[next.String()] = true
		x, err := p.do(ctx, call{method: http.MethodGet, module: module, url: next.String(), routing: routing})
		if err != nil {
			return all, err
		}
		var page []T
		if err := ocpi.Unmarshal(p.understand(module, x.Answer.Data), &page); err != nil {
			return all, fmt.Errorf("list %s: %w", module, err)
		}
		for _, name := range []string{ocpi.HeaderTotalCount, ocpi.HeaderLimit} {
			if x.AnswerHeader.Get(name) == "" {
				p.complain("PAG-05", next.String(), "the page has no %s", name)
			}
		}
		all = append(all, page...)
		if next, err = ocpi.NextLink(x.AnswerHeader, next); err != nil {
			return all, fmt.Errorf("list %s: %w", module, err)
		}
	}
	return all, nil
}

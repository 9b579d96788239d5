// Package client calls OCPI partners: one function for each call that an eMSP makes, in the version that the partner speaks.
//
// It is exact in what it sends and forgiving in what it takes: an answer without an envelope, without a status code or
// without paging headers is understood. What it fetches is bounded in size and time, redirects are refused, and unless
// told otherwise it talks to public addresses over TLS only.
package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/ocpi"
)

// maxAnswer bounds an answer in bytes. The largest is a page of Locations.
const maxAnswer = 32 << 20

// Options configure a Client.
type Options struct {
	Timeout      time.Duration // of one request with its answer; 0 means 30 seconds
	AllowPrivate bool          // also call loopback and private addresses, and plain http: for development and tests
	Log          *slog.Logger  // nil: no log

	Roots *x509.CertPool // who may sign partners' certificates; nil: whom the system trusts

	// Record is told of every call, in the goroutine of the call. nil: nobody is.
	Record func(Exchange)
}

// Client calls partners. It keeps connections open and is safe for concurrent use.
type Client struct {
	http         *http.Client
	allowPrivate bool
	roots        *x509.CertPool
	timeout      time.Duration
	log          *slog.Logger
	record       func(Exchange)

	mu        sync.Mutex
	certified map[[sha256.Size]byte]*http.Client // by the certificate that we show
}

// New returns a Client.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{allowPrivate: o.AllowPrivate, roots: o.Roots, timeout: o.Timeout, log: o.Log, record: o.Record, certified: map[[sha256.Size]byte]*http.Client{}}
	c.http = c.transport(nil)
	return c
}

// transport is what calls are made with; certificates are those that we show a partner who asks for one.
func (c *Client) transport(certificates []tls.Certificate) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !c.allowPrivate {
		dialer.Control = refusePrivate
	}
	return &http.Client{
		Timeout: c.timeout,
		// No proxy from the environment: it would dial for us and so lift the guard.
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.roots, Certificates: certificates},
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    16,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		// A redirect would carry the credentials token to an address that nobody agreed on (TRN-11).
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// httpFor returns the transport of a partner. Connections that show a certificate are kept apart from all others.
func (c *Client) httpFor(auth Auth) *http.Client {
	if auth.Certificate == nil || len(auth.Certificate.Certificate) == 0 {
		return c.http
	}
	key := sha256.Sum256(auth.Certificate.Certificate[0])
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.certified[key] == nil {
		c.certified[key] = c.transport([]tls.Certificate{*auth.Certificate})
	}
	return c.certified[key]
}

// Auth is how a request proves who sends it, and in which version of OCPI it is written.
type Auth struct {
	Token string // the credentials token, as it stands in the credentials object; a secret
	Raw   bool   // send it as it is instead of in Base64, as some partners want it (TRN-06)

	Certificate *tls.Certificate // shown to a partner that asks for one; nil: none
	Partner     uuid.UUID        // who is called, for the record; Nil: nobody we know yet

	Dialect *ocpi.Dialect // what the partner speaks; nil: OCPI 2.2.1, or that is not settled yet
}

// plain is OCPI 2.2.1.
var plain = ocpi.Dialect{Version: ocpi.Version221}

func (a Auth) dialect() *ocpi.Dialect {
	if a.Dialect == nil {
		return &plain
	}
	return a.Dialect
}

func (a Auth) header() string {
	if a.Raw {
		return "Token " + a.Token
	}
	return ocpi.EncodeToken(a.Token)
}

// Peer is a partner as a functional module of it is called: with which token, and from which party to which (RTG-01).
type Peer struct {
	Auth    Auth
	Routing ocpi.Routing
}

// request is one call.
type request struct {
	method  string
	module  ocpi.ModuleID // for the record; empty: as the URL says
	url     string
	auth    Auth
	routing ocpi.Routing // zero on configuration modules (RTG-03)
	body    any          // nil: none
}

// answer is a success: what stood in data, all of the body, and the headers.
type answer struct {
	data   jsontext.Value
	body   []byte
	header http.Header
	url    *url.URL
}

// do sends a request and returns what the partner answered with success: HTTP 2xx and a status code of 1000 to 1999
// (TRN-16). Every other outcome is an *Error.
func (c *Client) do(ctx context.Context, r request) (answer, error) {
	fail := &Error{Method: r.method, URL: withoutQuery(r.url)}
	u, err := c.parse(r.url)
	if err != nil {
		return answer{}, fail.unreachable(err)
	}
	body, err := r.encode()
	if err != nil {
		return answer{}, err
	}
	req, err := r.build(ctx, u, body)
	if err != nil {
		return answer{}, err
	}
	started := time.Now()
	res, received, err := fetch(c.httpFor(r.auth), req) //nolint:bodyclose // fetch has read and closed it
	took := time.Since(started)
	var a answer
	if err != nil {
		err = fail.unreachable(err)
	} else {
		fail.HTTPStatus, fail.RetryAfter = res.StatusCode, retryAfter(res.Header)
		a, err = understand(fail, res, received)
		a.url = u
	}
	c.log.DebugContext(ctx, "called partner", "method", r.method, "url", fail.URL, "status", fail.HTTPStatus, "took", took,
		"request_id", req.Header.Get(ocpi.HeaderRequestID))
	if c.record != nil {
		c.record(exchangeOf(r, req, body, fail, res, received, took, err))
	}
	return a, err
}

// fetch sends a request and reads the answer, or as much of it as is allowed and one byte more.
func fetch(h *http.Client, req *http.Request) (*http.Response, []byte, error) {
	res, err := h.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return res, body, fmt.Errorf("read answer: %w", err)
	}
	return res, body, nil
}

func understand(fail *Error, res *http.Response, body []byte) (answer, error) {
	if len(body) > maxAnswer {
		return answer{}, fail.notOCPI(fmt.Sprintf("the answer is larger than %d bytes", maxAnswer))
	}
	data, err := fail.judge(res.StatusCode, body)
	if err != nil {
		return answer{}, err
	}
	return answer{data: data, body: body, header: res.Header}, nil
}

func (r request) encode() ([]byte, error) {
	if r.body == nil {
		return nil, nil
	}
	b, err := ocpi.Marshal(r.body)
	if err == nil {
		b, err = r.auth.dialect().Write(b, r.body)
	}
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", r.method, withoutQuery(r.url), err)
	}
	return b, nil
}

func (r request) build(ctx context.Context, u *url.URL, body []byte) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set(ocpi.HeaderAuthorization, r.auth.header())
	if !r.auth.dialect().NoMessageIDs {
		req.Header.Set(ocpi.HeaderRequestID, uuid.NewString()) // TRN-17
		req.Header.Set(ocpi.HeaderCorrelationID, uuid.NewString())
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !r.auth.dialect().NoRouting {
		r.routing.Write(req.Header)
	}
	return req, nil
}

// addressError says why an address is not called.
type addressError string

func (e addressError) Error() string { return string(e) }

// parse reads an address that a partner gave us.
func (c *Client) parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, addressError("not an absolute http or https URL")
	}
	if u.Scheme == "http" && !c.allowPrivate {
		return nil, addressError("plain http is not allowed, OCPI needs TLS")
	}
	if u.User != nil {
		return nil, addressError("a URL with a user name is not allowed")
	}
	return u, nil
}

// judge decides whether an answer is a success and returns its data. Partners leave out the envelope or parts of it;
// then HTTP decides (PAG-17, STA-06).
func (e *Error) judge(status int, body []byte) (jsontext.Value, error) {
	var envelope struct {
		Data          jsontext.Value `json:"data"`
		StatusCode    int            `json:"status_code"`
		StatusMessage string         `json:"status_message"`
	}
	text := bytes.TrimSpace(body)
	err := ocpi.UnmarshalLenient(text, &envelope)
	bare := err != nil && jsontext.Value(text).IsValid() && text[0] == '['
	switch {
	case bare:
		envelope.Data, err = text, nil
	case err == nil && envelope.StatusCode == 0 && envelope.Data == nil:
		envelope.Data = text // the object itself in the place of the envelope
	}
	if code := ocpi.StatusCode(envelope.StatusCode); status < 200 || status > 299 || code != 0 && !code.Success() {
		e.data = envelope.Data
		return nil, e.refused(code, envelope.StatusMessage)
	}
	if err != nil {
		return nil, e.notOCPI("the answer is not an OCPI message")
	}
	return envelope.Data, nil
}

// join adds path segments to the address of an endpoint, keeping a query that it has (TRN-27).
func join(endpoint string, query url.Values, segments ...ocpi.CiString) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("endpoint %q: %w", endpoint, err)
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	for _, s := range segments {
		path += "/" + url.PathEscape(string(s))
	}
	if u.Path, err = url.PathUnescape(path); err != nil {
		return "", fmt.Errorf("endpoint %q: %w", endpoint, err)
	}
	u.RawPath = path
	if len(query) > 0 {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query.Encode()
	}
	return u.String(), nil
}

func withoutQuery(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

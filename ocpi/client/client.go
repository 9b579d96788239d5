// Package client calls OCPI 2.2.1 partners: one function for each call that an eMSP makes.
//
// It is exact in what it sends and forgiving in what it takes: an answer without an envelope, without a status code or
// without paging headers is understood. What it fetches is bounded in size and time, redirects are refused, and unless
// told otherwise it talks to public addresses over TLS only.
package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/ocpi"
)

// maxAnswer bounds an answer in bytes. The largest is a page of Locations.
const maxAnswer = 32 << 20

// Options configure a Client.
type Options struct {
	Timeout      time.Duration // of one request with its answer; 0 means 20 seconds
	AllowPrivate bool          // also call loopback and private addresses, and plain http: for development and tests
	Log          *slog.Logger  // nil: no log
}

// Client calls partners. It keeps connections open and is safe for concurrent use.
type Client struct {
	http         *http.Client
	allowPrivate bool
	log          *slog.Logger
}

// New returns a Client.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !o.AllowPrivate {
		dialer.Control = refusePrivate
	}
	return &Client{
		http: &http.Client{
			Timeout: o.Timeout,
			// No proxy from the environment: it would dial for us and so lift the guard.
			Transport: &http.Transport{
				DialContext:         dialer.DialContext,
				TLSHandshakeTimeout: 5 * time.Second,
				ForceAttemptHTTP2:   true,
				MaxIdleConnsPerHost: 16,
				IdleConnTimeout:     90 * time.Second,
			},
			// A redirect would carry the credentials token to an address that nobody agreed on (TRN-11).
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		allowPrivate: o.AllowPrivate,
		log:          o.Log,
	}
}

// Auth is how a request proves who sends it.
type Auth struct {
	Token string // the credentials token, as it stands in the credentials object; a secret
	Raw   bool   // send it as it is instead of in Base64, as some partners want it (TRN-06)
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
	req, err := r.build(ctx, u)
	if err != nil {
		return answer{}, err
	}
	started := time.Now()
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, fail.unreachable(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	c.log.DebugContext(ctx, "called partner", "method", r.method, "url", fail.URL, "status", res.StatusCode, "took", time.Since(started),
		"request_id", req.Header.Get(ocpi.HeaderRequestID))
	if err != nil {
		return answer{}, fail.unreachable(fmt.Errorf("read answer: %w", err))
	}
	fail.HTTPStatus, fail.RetryAfter = res.StatusCode, retryAfter(res.Header)
	if len(body) > maxAnswer {
		return answer{}, fail.notOCPI(fmt.Sprintf("the answer is larger than %d bytes", maxAnswer))
	}
	data, err := fail.judge(res.StatusCode, body)
	if err != nil {
		return answer{}, err
	}
	return answer{data: data, body: body, header: res.Header, url: u}, nil
}

func (r request) build(ctx context.Context, u *url.URL) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		b, err := ocpi.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encode %s %s: %w", r.method, withoutQuery(r.url), err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set(ocpi.HeaderAuthorization, r.auth.header())
	req.Header.Set(ocpi.HeaderRequestID, uuid.NewString()) // TRN-17
	req.Header.Set(ocpi.HeaderCorrelationID, uuid.NewString())
	req.Header.Set("Accept", "application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	r.routing.Write(req.Header)
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

// refusePrivate stops a connection to an address that is not public, after the name was resolved: no name, however it
// resolves, leads into our own network (VER-12).
func refusePrivate(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	ip := net.ParseIP(host)
	if ip == nil || !ip.IsGlobalUnicast() || ip.IsPrivate() || isShared(ip) {
		return fmt.Errorf("%s is not a public address", host)
	}
	return nil
}

// isShared reports addresses that look public and are not: carrier-grade NAT (RFC 6598), this network (RFC 791),
// protocol assignments (RFC 6890), benchmarks (RFC 2544), and IPv6 forms that wrap an IPv4 address (NAT64, 6to4).
func isShared(ip net.IP) bool {
	for _, n := range sharedNetworks {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

var sharedNetworks = networks("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fec0::/10")

func networks(cidrs ...string) []*net.IPNet {
	var all []*net.IPNet
	for _, cidr := range cidrs {
		_, n, err := net.ParseCIDR(cidr)
		if err != nil {
			panic(err)
		}
		all = append(all, n)
	}
	return all
}

// Package ocpitest is the other side of the platform: a CPO and a hub as real
// OCPI 2.2.1 peers over real HTTP. Tests, the demo and roamwerk simulate use
// it. It shares the vocabulary (package ocpi) with the platform, but neither
// its server nor its client, so that a fault which both had would show here.
//
// A peer is exact in what it sends unless [WireFaults] or [Oddities] say otherwise, strict
// in what it takes, and keeps a list of what it finds wrong
// ([Peer.Complaints]). What it invents (cars, sessions, prices) follows from
// its seed and its clock.
package ocpitest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Options say who a peer is.
type Options struct {
	Name  string // business name
	Party ocpi.Party
	Now   func() time.Time // nil: the wall clock

	Version ocpi.VersionNumber // that the peer speaks: 2.1.1, 2.2.1 or 2.3.0; empty: 2.2.1

	Seed   uint64
	Sites  int     // Locations to begin with; 0: one. Not for a hub.
	Prices []Price // what the CPO charges; nil: [StandardPrices]. Not for a hub.
	Page   int     // objects on a page of a list; 0: 50

	SignedMeters bool // most charging points sign what they measure. Not for a hub.

	Listen  string       // address to listen on; "": a free port of the loopback
	BaseURL string       // how the platform reaches us; "": http and the address
	Client  *http.Client // nil: NewClient(8)
	Log     *slog.Logger // nil: no log
	Faults  WireFaults

	// Observe, when set, is told of every call in either direction, one at a
	// time for each call and possibly several at once.
	Observe func(Exchange)
}

// Peer is one OCPI platform that a CPO or a hub runs: its endpoints, its
// registration with one eMSP platform and its way of calling it. A CPO behind
// a hub shares the hub's Peer.
type Peer struct {
	name       string
	role       ocpi.Role
	party      ocpi.Party
	version    ocpi.VersionNumber
	now        func() time.Time
	client     *http.Client
	log        *slog.Logger
	observe    func(Exchange)
	listen     string
	handler    http.Handler
	server     *http.Server
	background sync.WaitGroup // results of commands that are on their way
	baseURL    string         // without a slash at the end; known after Start or from Options
	page       int            // most objects on a page of a list

	mu         sync.Mutex
	faults     WireFaults
	cpos       []*CPO
	clients    []ocpi.ClientInfo // a hub's; parallel to cpos
	invite     string            // token A that we gave out
	inbound    []string          // tokens that the platform may present
	remote     Registration
	seenIDs    map[string]bool // X-Request-ID of what came in
	lists      int             // calls of lists that a busy peer counts
	complaints []string
}

// Registration is what a peer remembers of the platform. It holds a secret.
type Registration struct {
	Token       string // what we present
	Inbound     string // what the platform presents
	VersionsURL string
	Endpoints   []ocpi.Endpoint
	Roles       []ocpi.CredentialsRole
}

// newPeer builds a peer without parties.
func newPeer(role ocpi.Role, o Options) *Peer {
	p := &Peer{
		name: o.Name, role: role, party: o.Party, version: cmp.Or(o.Version, ocpi.Version221), now: o.Now, client: o.Client, log: o.Log, observe: o.Observe,
		listen: o.Listen, page: cmp.Or(o.Page, 50), baseURL: o.BaseURL, seenIDs: map[string]bool{},
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.client == nil {
		p.client = NewClient(8)
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if p.listen == "" {
		p.listen = "127.0.0.1:0"
	}
	p.faults = p.spoken(o.Faults)
	p.handler = p.routes()
	return p
}

// NewClient is a client that keeps so many connections to a platform open and
// waits 30 s for an answer.
func NewClient(connections int) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = connections
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// Start listens and serves in the background until Close.
func (p *Peer) Start() error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", p.listen)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.listen = listener.Addr().String()
	if p.baseURL == "" {
		p.baseURL = "http://" + p.listen
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.Error("peer stopped", "peer", p.name, "error", err)
		}
	}()
	return nil
}

// closeTime is how long the calls that are open may take to end. A connection over which nothing was ever asked counts as
// busy for the first five seconds of it.
const closeTime = time.Minute

// Close stops serving, once the calls that are open have ended, and drops the idle connections to the platform.
func (p *Peer) Close() error {
	p.client.CloseIdleConnections()
	if p.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	defer p.background.Wait()
	if err := p.server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("calls cut off: %w", err), p.server.Close())
	}
	return nil
}

// VersionsURL is where the platform starts to look at us.
func (p *Peer) VersionsURL() string { return p.baseURL + "/ocpi/versions" }

// Address is where the peer listens, after Start.
func (p *Peer) Address() string { return p.listen }

// Party is the role that the peer shows in its credentials.
func (p *Peer) Party() ocpi.Party { return p.party }

// SetFaults switches faults from now on.
func (p *Peer) SetFaults(f WireFaults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = p.spoken(f)
}

func (p *Peer) currentFaults() WireFaults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// EMSPs are the eMSP parties that the platform named in its credentials.
func (p *Peer) EMSPs() []ocpi.Party {
	p.mu.Lock()
	defer p.mu.Unlock()
	var parties []ocpi.Party
	for _, role := range p.remote.Roles {
		if role.Role == ocpi.RoleEMSP {
			parties = append(parties, role.Party())
		}
	}
	return parties
}

// Registration returns what a later process needs to go on with this
// registration, and whether there is one.
func (p *Peer) Registration() (Registration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.remote, p.remote.Token != ""
}

// Resume goes on with a registration of an earlier process. One without a
// token is none.
func (p *Peer) Resume(r Registration) {
	if r.Token == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remote, p.inbound = r, []string{r.Inbound}
}

// Complaints lists what the platform did that OCPI forbids, each with the
// number of the obligation in the conformance list.
func (p *Peer) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.complaints)
}

func (p *Peer) complain(obligation, where, format string, args ...any) {
	text := obligation + ": " + where + ": " + fmt.Sprintf(format, args...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, text)
}

// credentials are ours, with the token that the platform is to present.
func (p *Peer) credentials(token string) ocpi.Credentials {
	return ocpi.Credentials{Token: token, URL: p.VersionsURL(), Roles: []ocpi.CredentialsRole{{
		Role: p.role, BusinessDetails: ocpi.BusinessDetails{Name: p.name},
		CountryCode: p.party.CountryCode, PartyID: p.party.PartyID,
	}}}
}

// newToken makes a credentials token of 128 bits (TRN-10).
func newToken() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

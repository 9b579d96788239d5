package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/pem"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Limits are what one connection may ask of the platform, so that the flood of one partner does not starve the others, nor its
// own authorizations. Zero values are the standard ones.
type Limits struct {
	PerSecond int // messages in the long run; authorizations count apart. 0: 5000
	AtOnce    int // messages worked on at once, authorizations apart; further ones wait. 0: 2
}

const (
	// maxInLine is how many messages of a connection wait for their turn.
	maxInLine = 500
	// burst is for how many seconds' messages a connection may be ahead of its limit.
	burst = 5
	// giveWay is how long a message waits for authorizations at most.
	giveWay = 5 * time.Millisecond
	// maxSenders bounds the parties of a connection that are known by heart.
	maxSenders = 10_000
)

// lanes are the connections, each in its own lane.
type lanes struct {
	limits    Limits
	strangers *rate.Limiter // how much of what nobody sends is logged

	urgent atomic.Int32 // authorizations that are being answered

	mu  sync.Mutex
	all map[uuid.UUID]*lane
}

func newLanes(l Limits) *lanes {
	if l.PerSecond == 0 {
		l.PerSecond = 5000
	}
	if l.AtOnce == 0 {
		l.AtOnce = 2
	}
	return &lanes{limits: l, strangers: rate.NewLimiter(2, 100), all: map[uuid.UUID]*lane{}}
}

func (l *lanes) of(partner uuid.UUID) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all[partner] == nil {
		l.all[partner] = &lane{usual: l.limits.track(), urgent: l.limits.track()}
	}
	return l.all[partner]
}

// lane is one connection. What is urgent does not wait behind what is usual.
type lane struct {
	usual, urgent *track

	mu      sync.Mutex
	senders map[ocpi.Party]bool
}

type track struct {
	rate   *rate.Limiter
	slots  chan struct{}
	inLine atomic.Int32
}

func (l Limits) track() *track {
	return &track{rate: rate.NewLimiter(rate.Limit(l.PerSecond), burst*l.PerSecond), slots: make(chan struct{}, l.AtOnce)}
}

// wait waits for the turn of the call; leave gives it back. A flood is answered with 429 (TOK-28).
func (c *call) wait() (leave func(), err error) {
	if c.inbound != nil {
		return func() {}, nil
	}
	lane := c.lanes.of(c.partner.ID)
	t := lane.usual
	if c.urgent() {
		t = lane.urgent
	}
	if r := t.rate.Reserve(); r.Delay() > 0 {
		after := r.Delay()
		r.Cancel()
		return nil, c.tooMany(after)
	}
	if c.module == "" || c.module.Configuration() { // a handshake calls the partner and may take long
		return func() {}, nil
	}
	defer func() {
		if err == nil && t == lane.usual {
			c.lanes.giveWay()
		}
	}()
	select {
	case t.slots <- struct{}{}:
		return func() { <-t.slots }, nil
	default:
	}
	if t.inLine.Add(1) > maxInLine {
		t.inLine.Add(-1)
		return nil, c.tooMany(time.Second)
	}
	defer t.inLine.Add(-1)
	select {
	case t.slots <- struct{}{}:
		return func() { <-t.slots }, nil
	case <-c.echo.Request().Context().Done():
		return nil, context.Cause(c.echo.Request().Context())
	}
}

// urgent reports whether somebody stands at a charge point and waits.
func (c *call) urgent() bool {
	return c.module == ocpi.ModuleTokens && c.echo.Request().Method == http.MethodPost
}

// giveWay lets authorizations that are being answered go first: the processor and the database are shared by all.
func (l *lanes) giveWay() {
	const look = 200 * time.Microsecond
	for waited := time.Duration(0); waited < giveWay && l.urgent.Load() > 0; waited += look {
		time.Sleep(look)
	}
}

func (c *call) tooMany(after time.Duration) error {
	c.echo.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
	return &ocpi.Error{HTTPStatus: http.StatusTooManyRequests, StatusCode: ocpi.StatusClientError, Message: "too many messages: try again later"}
}

// knows reports whether a party is known to belong to the connection. One that has left it since is still known, which is
// worth a note less and no right more.
func (l *lane) knows(p ocpi.Party) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.senders[p]
}

func (l *lane) learn(p ocpi.Party) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.senders == nil || len(l.senders) >= maxSenders {
		l.senders = map[ocpi.Party]bool{}
	}
	l.senders[p] = true
}

// checkCertificate looks whether a partner with a pinned certificate has shown it to the proxy in front of us, which passes
// it on in a header: in PEM, escaped as in a URL.
func (c *call) checkCertificate() error {
	if c.partner.CertificatePin == nil {
		return nil
	}
	refused := ocpi.Unauthorized("the connection needs the client certificate that was agreed on")
	if c.CertificateHeader == "" {
		return refused
	}
	text, err := url.PathUnescape(c.echo.Request().Header.Get(c.CertificateHeader))
	if err != nil {
		return refused
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return refused
	}
	sum := sha256.Sum256(block.Bytes)
	if subtle.ConstantTimeCompare(sum[:], c.partner.CertificatePin) != 1 {
		return refused
	}
	return nil
}

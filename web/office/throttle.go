package office

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// throttle slows down who guesses passwords, by account and by address. It counts in this process: with several of them
// somebody gets that many times as many guesses, which argon2id makes few enough.
type throttle struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*rate.Limiter
}

// Guesses before somebody has to wait, and how long for the next one.
const (
	accountGuesses, accountPause = 5, time.Minute
	addressGuesses, addressPause = 30, 10 * time.Second

	throttleSize = 10_000 // accounts and addresses that are remembered
)

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, by: map[string]*rate.Limiter{}}
}

// allow takes one guess from an account and an address, and reports whether both had one left.
func (t *throttle) allow(account, address string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.by) >= throttleSize {
		t.forgetIdle(now)
	}
	a := t.limiter("account "+account, accountPause, accountGuesses)
	b := t.limiter("address "+address, addressPause, addressGuesses)
	return a.AllowN(now, 1) && b.AllowN(now, 1)
}

// succeeded gives an account its guesses back.
func (t *throttle) succeeded(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, "account "+account)
}

func (t *throttle) limiter(key string, pause time.Duration, guesses int) *rate.Limiter {
	l, ok := t.by[key]
	if !ok {
		l = rate.NewLimiter(rate.Every(pause), guesses)
		t.by[key] = l
	}
	return l
}

// forgetIdle drops who has all guesses again, and everybody if that is not enough.
func (t *throttle) forgetIdle(now time.Time) {
	for key, l := range t.by {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(t.by, key)
		}
	}
	if len(t.by) >= throttleSize {
		clear(t.by)
	}
}

package main

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// embeddedRedis is a Redis inside this process. It forgets everything when it
// ends, which loses nothing: what has to happen stands in PostgreSQL, and the
// sweeper rings for it again.
type embeddedRedis struct {
	server   *miniredis.Miniredis
	password string
	stop     chan struct{}
	clock    sync.WaitGroup
}

// startRedis starts one on a free port of this machine, behind a password.
func startRedis() (*embeddedRedis, error) {
	r := &embeddedRedis{server: miniredis.NewMiniRedis(), password: rand.Text(), stop: make(chan struct{})}
	r.server.RequireAuth(r.password)
	if err := r.server.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	r.clock.Go(r.expireKeys)
	return r, nil
}

// expireKeys lets time pass in the Redis: by itself it expires no key, and
// asynq's leases and locks rely on that.
func (r *embeddedRedis) expireKeys() {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-r.stop:
			return
		case now := <-ticker.C:
			r.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// URL is the address as asynq and go-redis read it.
func (r *embeddedRedis) URL() string {
	u := url.URL{Scheme: "redis", User: url.UserPassword("", r.password), Host: r.server.Addr(), Path: "/0"}
	return u.String()
}

// Close ends it.
func (r *embeddedRedis) Close() {
	close(r.stop)
	r.clock.Wait()
	r.server.Close()
}

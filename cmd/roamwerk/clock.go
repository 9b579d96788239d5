package main

import (
	"sync"
	"time"
)

// clock is the platform's time: the real one, except while the demonstration
// plays the past, when it stands where it was last set.
type clock struct {
	real  func() time.Time
	mu    sync.Mutex
	stood time.Time // zero: the clock runs
}

// now is the time that every part of the platform goes by.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stood.IsZero() {
		return c.real()
	}
	return c.stood
}

// set lets the clock stand at t. While it stands it never goes back, nor past
// the real time.
func (c *clock) set(t time.Time) {
	if now := c.real(); t.After(now) {
		t = now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.stood) {
		c.stood = t
	}
}

// run lets the clock show the real time from now on.
func (c *clock) run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stood = time.Time{}
}

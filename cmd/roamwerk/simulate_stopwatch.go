package main

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// stopwatch measures the calls that a simulation makes, by method and module.
type stopwatch struct {
	mu    sync.Mutex
	calls map[string]*measured
}

type measured struct {
	took   []time.Duration
	errors int
}

func (m *stopwatch) observe(x ocpitest.Exchange) {
	if x.Inbound {
		return
	}
	name := x.Method + " " + string(x.Module)
	if x.Module == "" {
		name = x.Method + " versions"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		m.calls = map[string]*measured{}
	}
	if m.calls[name] == nil {
		m.calls[name] = &measured{}
	}
	m.calls[name].took = append(m.calls[name].took, x.Took)
	if x.Err != nil || x.HTTPStatus/100 != 2 || !x.Answer.StatusCode.Success() {
		m.calls[name].errors++
	}
}

// latency is a line of the report; times in milliseconds.
type latency struct {
	Call   string  `json:"call"`
	Count  int     `json:"count"`
	Errors int     `json:"errors"`
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
}

func (m *stopwatch) report() []latency {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := []latency{}
	for _, name := range slices.Sorted(maps.Keys(m.calls)) {
		c := m.calls[name]
		slices.Sort(c.took)
		lines = append(lines, latency{
			Call: name, Count: len(c.took), Errors: c.errors,
			P50: milliseconds(percentile(c.took, 50)), P99: milliseconds(percentile(c.took, 99)), Max: milliseconds(percentile(c.took, 100)),
		})
	}
	return lines
}

// percentile is the smallest of the sorted values that p percent of them do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max((len(sorted)*p+99)/100-1, 0)]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress shows how far a long task is: a bar on a terminal, a line a phase
// elsewhere.
type progress struct {
	out         io.Writer
	bar         bool
	began       time.Time
	done, total int
	phase       string
	shown       string
}

func newProgress(out io.Writer, total int) *progress {
	return &progress{out: out, bar: isTerminal(out), began: time.Now(), total: total}
}

// enter begins a phase.
func (p *progress) enter(phase string) {
	p.phase = phase
	if !p.bar {
		fmt.Fprintf(p.out, "%6.2f s  %s\n", time.Since(p.began).Seconds(), phase)
	}
	p.draw()
}

// advance is called for each unit of the total.
func (p *progress) advance() {
	p.done++
	p.draw()
}

// end wipes the bar away.
func (p *progress) end() {
	if p.bar {
		fmt.Fprint(p.out, "\x1b[K")
	}
}

const barWidth = 30

func (p *progress) draw() {
	if !p.bar {
		return
	}
	share := min(p.done, p.total) * 100 / max(p.total, 1)
	filled := share * barWidth / 100
	// The cursor goes back to the beginning, so that a line of the log takes the bar's place.
	line := fmt.Sprintf("\x1b[K[%s%s] %3d %%  %s\r", strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled), share, p.phase)
	if line != p.shown { // a terminal is slow
		p.shown = line
		fmt.Fprint(p.out, line)
	}
}

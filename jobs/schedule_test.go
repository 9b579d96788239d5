package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

// A worker that is asked to stop finishes the slot that it has taken and takes no other: the next one may be a day away.
func TestScheduleAtTheEnd(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(w.ctx)
	var log bytes.Buffer
	w.worker.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.worker.Now = func() time.Time {
		cancel() // while the first slot is being taken
		return w.clock.Now()
	}
	for range 2 {
		if err := w.worker.RunSchedule(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
		if n := w.count(`SELECT count(*) FROM schedule_slots`); n != 1 {
			t.Errorf("%d slots are taken", n)
		}
	}
	if bytes.Contains(log.Bytes(), []byte("failed")) {
		t.Errorf("log: %s", log.Bytes())
	}
}

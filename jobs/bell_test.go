package jobs_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/roamwerk/roamwerk/jobs"
)

// A Redis that takes connections and says nothing holds up who rings for as long as they want to wait, and no longer.
func TestRingAtASilentRedis(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan net.Conn, 100)
	go func() {
		defer close(taken)
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			taken <- conn
		}
	}()
	bell := jobs.NewBell(asynq.RedisClientOpt{Addr: silent.Addr().String()}, slog.New(slog.DiscardHandler))
	patient := make(chan struct{})
	go func() {
		defer close(patient)
		bell.Ring(context.Background(), jobs.CDRRate, uuid.New())
	}()
	first := <-taken
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		bell.Ring(ctx, jobs.CDRRate, uuid.New())
		cancel()
	}
	select {
	case <-patient:
		t.Error("ten who have ten milliseconds each waited longer than one who has no limit")
	default:
	}
	_, _ = silent.Close(), first.Close()
	for conn := range taken {
		_ = conn.Close()
	}
	_ = bell.Close()
	<-patient
}

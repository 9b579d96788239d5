package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/roamwerk/roamwerk/db"
)

// schedule is what runs by the clock. Times are UTC.
var schedule = []struct {
	job   string
	every time.Duration
	run   func(w *Worker, ctx context.Context) error
}{
	{"partitions", time.Hour, (*Worker).ensurePartitions},
	{"tidy", time.Hour, (*Worker).tidy},
	{"messages", 24 * time.Hour, (*Worker).forgetMessages},
	{"rotations", time.Hour, (*Worker).planRotations},
	{"partings", time.Minute, (*Worker).partWays},
	{"announcements", time.Minute, (*Worker).planAnnouncements},
	{"pulls", time.Hour, (*Worker).planPulls},
	{"fees", 24 * time.Hour, (*Worker).bookDueFees},
	{"runs", refreshEvery, (*Worker).refreshRuns},
	{"at-once", 10 * time.Minute, (*Worker).billAtOnce},
	{"tariffs", time.Hour, (*Worker).relintTariffs},
	{"gaps", time.Hour, (*Worker).findGaps},
	{"drifts", 24 * time.Hour, (*Worker).watchDrifts},
	{"waits", time.Hour, (*Worker).watchWaits},
	{"disputes", time.Hour, (*Worker).watchDisputes},
	{"partners", 5 * time.Minute, (*Worker).watchPartners},
	{"contracts", time.Hour, (*Worker).endContracts},
	{"tokens", 5 * time.Minute, (*Worker).distributeMissing},
}

// RunSchedule runs what is due by the clock. Each slot of each job is taken by one process only, however many run. When it
// returns, this worker has done what it took, also on another call. The error is that slots cannot be taken, or that ctx has
// ended.
func (w *Worker) RunSchedule(ctx context.Context) error {
	w.scheduling.Lock()
	defer w.scheduling.Unlock()
	for _, s := range schedule {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		ctx := context.WithoutCancel(ctx) // a slot that is taken is worked on: the next one may be a day away
		slot := w.Now().UTC().Truncate(s.every)
		taken, err := w.DB.TakeSlot(ctx, db.TakeSlotParams{Job: s.job, Slot: slot})
		if err != nil {
			return fmt.Errorf("take slot of %s: %w", s.job, err)
		}
		if taken == 0 {
			continue
		}
		if err := s.run(w, ctx); err != nil {
			w.Log.ErrorContext(ctx, "scheduled job failed", "job", s.job, "slot", slot, "error", err)
		}
	}
	return nil
}

func (w *Worker) scheduleUntilDone(ctx context.Context) error {
	every := w.ScheduleEvery
	if every == 0 {
		every = 30 * time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := w.RunSchedule(ctx); err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "schedule failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (w *Worker) ensurePartitions(ctx context.Context) error {
	made, err := w.DB.EnsurePartitions(ctx, w.Now())
	if made > 0 {
		w.Log.InfoContext(ctx, "made partitions", "count", made)
	}
	return err
}

// forgetMessages drops the months of messages that have served their time.
func (w *Worker) forgetMessages(ctx context.Context) error {
	days := w.MessageDays
	if days == 0 {
		days = 90
	}
	dropped, err := w.DB.DropMessages(ctx, w.Now().AddDate(0, 0, -days))
	if dropped > 0 {
		w.Log.InfoContext(ctx, "dropped months of messages", "count", dropped)
	}
	return err
}

// tidy removes what has served its time and is no record of anything.
func (w *Worker) tidy(ctx context.Context) error {
	if err := w.DB.DeleteExpiredWebSessions(ctx, w.Now()); err != nil {
		return err
	}
	if err := w.DB.ForgetUnknownTokens(ctx, w.Now().AddDate(0, 0, -7)); err != nil {
		return err
	}
	return w.DB.ForgetSlots(ctx, w.Now().AddDate(0, 0, -7))
}

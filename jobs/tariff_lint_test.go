package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/db"
)

// A tariff that comes is looked at by a worker, once, and again when the rules change.
func TestTariffsAreLookedAt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.putTariff("FINE", "0.45", "")
	w.putTariff("STRANGE", "0.45", `,"min_price":{"excl_vat":9,"incl_vat":9},"max_price":{"excl_vat":5,"incl_vat":5}`)
	w.putTariff("CENTS", "45", "")
	if got := w.lints(); !slices.Equal(got, []string{"CENTS ", "FINE ", "STRANGE "}) {
		t.Errorf("before: %q", got)
	}
	w.lintAll()
	want := []string{"CENTS flag 1 [price-in-cents]", "FINE info 0 []", "STRANGE flag 1 [limits-cross]"}
	if got := w.lints(); !slices.Equal(got, want) {
		t.Errorf("after: %q, want %q", got, want)
	}
	looked := w.count(`SELECT count(*) FROM tariff_lints WHERE linted_at = $1 AND linter = $2`, w.clock.Now(), lint.Version)
	if looked != 3 {
		t.Errorf("%d tariffs are noted with time and rules", looked)
	}

	partners, err := w.db.PartnersWithTariffsToLint(w.ctx, db.PartnersWithTariffsToLintParams{Now: w.clock.Now(), MaxRows: 10})
	if err != nil || len(partners) != 0 {
		t.Errorf("due: %v, %v", partners, err)
	}
	again := func(rules string, want int64) {
		t.Helper()
		if many, err := w.db.RequestTariffLints(w.ctx, db.RequestTariffLintsParams{Now: w.clock.Now(), Linter: rules}); err != nil || many != want {
			t.Errorf("rules %q: %d tariffs are due again, %v", rules, many, err)
		}
	}
	again(lint.Version, 0)
	again("next", 3)
	again("next", 0)
	partners, err = w.db.PartnersWithTariffsToLint(w.ctx, db.PartnersWithTariffsToLintParams{Now: w.clock.Now(), MaxRows: 10})
	if err != nil || !slices.Equal(partners, []uuid.UUID{w.partner}) {
		t.Errorf("due: %v, %v", partners, err)
	}
	w.lintAll()
}

// lints is what is noted about every tariff, without the version of the rules.
func (w *world) lints() []string {
	w.t.Helper()
	rows, err := w.db.TariffList(w.ctx, db.TariffListParams{MaxRows: 10})
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, r := range rows {
		text := r.Tariff.TariffID + " " + r.Worst
		if r.Worst != "" {
			text += fmt.Sprint(" ", r.Findings, " ", r.Codes)
		}
		all = append(all, text)
	}
	return all
}

// lintAll runs the workers until every tariff is looked at.
func (w *world) lintAll() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.worker.Run(ctx) }()
	for end := time.Now().Add(time.Minute); w.count(`SELECT count(*) FROM tariff_lints WHERE due_at IS NOT NULL`) > 0; {
		if time.Now().After(end) {
			w.t.Fatal("tariffs are still due")
		}
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
}

package billing

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// BacktestCase is one session that a draft would price. Old and New are with VAT, Margin is what would be left of it without.
type BacktestCase struct {
	CDR              Key
	Old, New, Margin decimal.Decimal
}

// worstKept is how many sessions of each kind are kept.
const worstKept = 20

// worst are the worst sessions of a kind, the worst first; by is how bad one is, the larger the worse.
type worst []worstCase

type worstCase struct {
	cdr              Key
	old, now, margin number
	by               number
}

func (w *worst) take(c worstCase) {
	if !c.by.isPositive() || len(*w) == worstKept && c.by.cmp((*w)[worstKept-1].by) <= 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(*w, c, func(a, b worstCase) int { return cmp.Or(b.by.cmp(a.by), bytes.Compare(a.cdr[:], b.cdr[:])) })
	*w = slices.Insert(*w, at, c)
	if len(*w) > worstKept {
		*w = (*w)[:worstKept]
	}
}

func (w worst) cases() []BacktestCase {
	cases := make([]BacktestCase, len(w))
	for i, c := range w {
		cases[i] = BacktestCase{c.cdr, c.old.decimal(), c.now.decimal(), c.margin.decimal()}
	}
	return cases
}

// mergeCases joins the worst of two parts; by is how bad a session is.
func mergeCases(a, b []BacktestCase, by func(*BacktestCase) decimal.Decimal) []BacktestCase {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(a, b BacktestCase) int { return cmp.Or(by(&b).Cmp(by(&a)), bytes.Compare(a.CDR[:], b.CDR[:])) })
	return all[:min(worstKept, len(all))]
}

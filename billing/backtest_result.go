package billing

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// BacktestSummary is what a product manager reads of a back-test.
type BacktestSummary struct {
	Better, Worse, Same int // customers, by what they would pay
	Deltas              []BacktestBar
	WorstOff, BestOff   []BacktestCustomer // who would pay most more, and most less
	LossEVSEs           int                // at which the new prices earn less than the CPO claims
	Loss                decimal.Decimal    // net, of all of them
	Losses              []BacktestPlace    // the worst of them
}

// BacktestBar is how many customers would pay so much more, with VAT, over the whole time. From is included, To is not.
type BacktestBar struct {
	From, To  decimal.NullDecimal
	Customers int
}

// BacktestCustomer is one customer's change.
type BacktestCustomer struct {
	Customer Key
	BacktestChange
}

// BacktestPlace is an EVSE.
type BacktestPlace struct {
	EVSE string
	BacktestEVSE
}

// deltaEdges divide the changes of customers, in the unit of the currency.
var deltaEdges = []int64{-50, -20, -10, -5, -1, 0, 1, 5, 10, 20, 50}

// Summary counts winners and losers and lists the worst n cases of each kind.
func (r *BacktestResult) Summary(n int) BacktestSummary {
	var s BacktestSummary
	s.Deltas = make([]BacktestBar, len(deltaEdges)+1)
	for i := range s.Deltas {
		if i > 0 {
			s.Deltas[i].From = decimal.NewNullDecimal(decimal.NewFromInt(deltaEdges[i-1]))
		}
		if i < len(deltaEdges) {
			s.Deltas[i].To = decimal.NewNullDecimal(decimal.NewFromInt(deltaEdges[i]))
		}
	}
	customers := make([]BacktestCustomer, 0, len(r.Customers))
	for key, change := range r.Customers {
		delta := change.Delta()
		switch delta.Sign() {
		case 1:
			s.Worse++
		case -1:
			s.Better++
		default:
			s.Same++
		}
		bar := 0
		for bar < len(deltaEdges) && delta.GreaterThanOrEqual(decimal.NewFromInt(deltaEdges[bar])) {
			bar++
		}
		s.Deltas[bar].Customers++
		if !delta.IsZero() {
			customers = append(customers, BacktestCustomer{key, change})
		}
	}
	slices.SortFunc(customers, func(a, b BacktestCustomer) int {
		return cmp.Or(b.Delta().Cmp(a.Delta()), bytes.Compare(a.Customer[:], b.Customer[:]))
	})
	s.WorstOff = slices.Clone(customers[:min(n, s.Worse)])
	slices.Reverse(customers)
	s.BestOff = customers[:min(n, s.Better)]
	s.losses(r, n)
	return s
}

func (s *BacktestSummary) losses(r *BacktestResult, n int) {
	var places []BacktestPlace
	for evse, e := range r.EVSEs {
		if margin := e.New.Margin(); margin.IsNegative() {
			s.LossEVSEs++
			s.Loss = s.Loss.Add(margin)
			places = append(places, BacktestPlace{evse, e})
		}
	}
	slices.SortFunc(places, func(a, b BacktestPlace) int {
		return cmp.Or(a.New.Margin().Cmp(b.New.Margin()), cmp.Compare(a.EVSE, b.EVSE))
	})
	s.Losses = places[:min(n, len(places))]
}

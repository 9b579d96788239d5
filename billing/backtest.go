package billing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// BookDraft is a price book that is not published, with the plans that it brings along.
type BookDraft struct {
	Book  PriceBook
	Plans map[string]Plan // by name; in place of a published plan of that name
}

// ParseBookDraft reads a draft: a price book that may have drafts of plans beside its rules, {"rules": […], "plans": {"AC": {…}}}.
// Errors are *ocpi.Error and name field, rule and value.
func ParseBookDraft(doc []byte) (BookDraft, error) {
	var read struct {
		Plans map[string]jsontext.Value `json:"plans"`
		Rest  jsontext.Value            `json:",embed"`
	}
	if err := ocpi.Unmarshal(doc, &read); err != nil {
		return BookDraft{}, err
	}
	d := BookDraft{Plans: map[string]Plan{}}
	for _, name := range slices.Sorted(maps.Keys(read.Plans)) {
		plan, err := ParsePlan(read.Plans[name])
		if err != nil {
			return BookDraft{}, fmt.Errorf("plans.%s: %w", name, err)
		}
		d.Plans[name] = plan
	}
	rest := []byte(read.Rest)
	if len(rest) == 0 {
		rest = []byte("{}")
	}
	var err error
	d.Book, err = ParsePriceBook(rest)
	return d, err
}

// Backtest tries a price book on sessions that were charged: what would have come of them? Vouchers and the price promise are
// left out on both sides. It never changes once it runs; each Shard of it belongs to one goroutine.
type Backtest struct {
	Book     PriceBook
	Plans    map[string]*Retail // by name: every plan that the book or an agreement names
	Currency string             // of the result; sessions in another are only counted
	Groups   map[Key]string     // of customers, as they are today; one that is not here keeps the group of its session
	Zone     *time.Location     // of the utility, for the months of allowances
}

// Key names a customer or a contract.
type Key [16]byte

// BacktestResult is what a back-test comes to. Amounts are without VAT unless they say otherwise, in Currency.
type BacktestResult struct {
	Currency string
	Sessions int // that were tried, with those below
	Changed  int // whose price would be another
	Holes    int // for which the book has no price
	Other    int // in another currency, or that cannot be priced; not in the sums

	Old, New BacktestSum // of the sessions that have a price in both
	Fees     BacktestFees
	Lost     BacktestSum // of those that fall into a hole, as they were

	Plans     map[string]BacktestSum // new, by plan
	Rules     map[string]BacktestSum // new, by rule; "" is agreements
	HoleCells map[HoleCell]BacktestSum
	Customers map[Key]BacktestChange // with their fees
	EVSEs     map[string]BacktestEVSE

	Dearest []BacktestCase // the sessions that would cost most more, the worst first
	Losing  []BacktestCase // those that would lose most, the worst first
}

// BacktestSum is sessions and their money.
type BacktestSum struct {
	Sessions int
	Revenue  decimal.Decimal // net
	Gross    decimal.Decimal
	Cost     decimal.Decimal // what the CPOs claim
}

// Margin is what is left of the revenue.
func (s BacktestSum) Margin() decimal.Decimal { return s.Revenue.Sub(s.Cost) }

func (s BacktestSum) plus(o BacktestSum) BacktestSum {
	return BacktestSum{s.Sessions + o.Sessions, s.Revenue.Add(o.Revenue), s.Gross.Add(o.Gross), s.Cost.Add(o.Cost)}
}

// BacktestFees are the base fees of the time, without VAT: as they were booked and as the draft has them.
type BacktestFees struct{ Old, New decimal.Decimal }

// AddFees adds what a customer paid and would pay without charging.
func (r *BacktestResult) AddFees(customer Key, old, now Amount) {
	r.Fees.Old, r.Fees.New = r.Fees.Old.Add(old.ExclVAT), r.Fees.New.Add(now.ExclVAT)
	c := r.Customers[customer]
	r.Customers[customer] = BacktestChange{c.Sessions, c.Old.Add(old.InclVAT), c.New.Add(now.InclVAT)}
}

// HoleCell is where a hole was hit.
type HoleCell struct{ Group, Network string }

// BacktestChange is what a customer paid and would pay, with VAT.
type BacktestChange struct {
	Sessions int
	Old, New decimal.Decimal
}

// Delta is what the customer would pay more.
func (c BacktestChange) Delta() decimal.Decimal { return c.New.Sub(c.Old) }

// BacktestEVSE is what was charged at an EVSE.
type BacktestEVSE struct {
	CPO string
	KWh decimal.Decimal
	New BacktestSum
	Old decimal.Decimal // revenue
}

// BacktestShard tries sessions. Those of one contract belong into the same shard in the order in which they began, where a plan
// has allowances.
type BacktestShard struct {
	*Backtest

	sessions, changed, holes, other int
	old, now, lost                  tally
	plans, rules                    map[string]*tally
	cells                           map[HoleCell]*tally
	customers                       map[Key]*change
	evses                           map[string]*place
	dearest, losing                 worst

	reader InputReader
	input  Input
	pricer Pricer
	zones  map[string]*time.Location
	vat    map[vatDay]VAT
	left   map[ledgerKey]map[string]decimal.Decimal
}

type vatDay struct {
	country string
	day     int
}

type ledgerKey struct {
	contract Key
	month    int
}

// Shard begins a part of the work.
func (b *Backtest) Shard() *BacktestShard {
	return &BacktestShard{
		Backtest: b, plans: map[string]*tally{}, rules: map[string]*tally{}, cells: map[HoleCell]*tally{}, customers: map[Key]*change{}, evses: map[string]*place{},
		zones: map[string]*time.Location{}, vat: map[vatDay]VAT{}, left: map[ledgerKey]map[string]decimal.Decimal{},
	}
}

// tally is a BacktestSum while it grows, on numbers that leave no garbage.
type tally struct {
	sessions             int
	revenue, gross, cost number
}

func (t *tally) add(o *tally) {
	t.sessions += o.sessions
	t.revenue, t.gross, t.cost = t.revenue.add(o.revenue), t.gross.add(o.gross), t.cost.add(o.cost)
}

func (t *tally) sum() BacktestSum {
	return BacktestSum{t.sessions, t.revenue.decimal(), t.gross.decimal(), t.cost.decimal()}
}

// change and place are a BacktestChange and a BacktestEVSE while they grow.
type change struct {
	sessions int
	old, now number
}

type place struct {
	cpo      string
	kwh, old number
	now      tally
}

// grown finds what grows under a key.
func grown[K comparable, V any](m map[K]*V, key K) *V {
	v := m[key]
	if v == nil {
		v = new(V)
		m[key] = v
	}
	return v
}

// Draws reports whether some plan has allowances, so that the sessions of a contract depend on each other.
func (b *Backtest) Draws() bool {
	for _, p := range b.Plans {
		if len(p.Allowances) > 0 {
			return true
		}
	}
	return false
}

// Try prices one session by the draft. The error is one of reading the input.
func (s *BacktestShard) Try(cdr, customer, contract Key, packed []byte) error {
	in := &s.input
	if err := s.reader.read(packed, in); err != nil {
		return err
	}
	s.sessions++
	if group, known := s.Groups[customer]; known {
		in.Buyer.Group = group
	}
	net, gross, offNet, off, cost := s.reader.money[0], s.reader.money[1], s.reader.money[2], s.reader.money[3], s.reader.money[4]
	old := tally{1, net.add(offNet), gross.add(off), cost}
	if in.Outcome.Currency != s.Currency || in.Outcome.CostCurrency != s.Currency {
		s.other++
		return nil
	}
	choice, ok := s.Book.Choose(&in.Buyer, &in.At)
	plan := s.Plans[choice.Plan]
	if !ok || plan == nil {
		s.holes++
		s.lost.add(&old)
		grown(s.cells, HoleCell{in.Buyer.Group, networkName(&in.At)}).add(&old)
		return nil
	}
	now, ok := s.price(plan, contract)
	if !ok {
		s.other++
		return nil
	}
	rule := ""
	if choice.Rule != Agreed {
		rule = s.Book.Rules[choice.Rule].ID
	}
	s.count(customer, rule, choice.Plan, &old, &now)
	margin := now.revenue.sub(now.cost)
	s.dearest.take(worstCase{cdr, old.gross, now.gross, margin, now.gross.sub(old.gross)})
	s.losing.take(worstCase{cdr, old.gross, now.gross, margin, margin.neg()})
	return nil
}

// networkName says where a hole was hit.
func networkName(at *ChargePoint) string {
	name := at.CPO.String()
	if at.Current != "" {
		name += " " + string(at.Current)
	}
	return name
}

// price is what the session of the input costs by a plan.
func (s *BacktestShard) price(plan *Retail, contract Key) (tally, bool) {
	in := &s.input
	if cmp.Or(plan.Tariff.Currency, s.Currency) != s.Currency {
		return tally{}, false
	}
	zone := s.zone(in.Zone)
	vat, ok := s.decideVAT(in, zone)
	if !ok {
		return tally{}, false
	}
	var key ledgerKey
	var left map[string]decimal.Decimal
	if len(plan.Allowances) > 0 {
		year, month, _ := in.Began.In(s.Zone).Date()
		key = ledgerKey{contract, year*12 + int(month)}
		left = s.left[key]
	}
	total, used := plan.Total(&s.pricer, &in.CDR, zone, &in.At, left)
	if len(used) > 0 {
		s.draw(plan, key, used)
	}
	net, gross := booked(total, plan.TaxIncluded, numberOf(vat.Rate))
	return tally{1, net, gross, s.reader.money[4]}, true
}

// draw takes what a session has used off what is left.
func (s *BacktestShard) draw(plan *Retail, key ledgerKey, used map[string]decimal.Decimal) {
	left := s.left[key]
	if left == nil {
		left = map[string]decimal.Decimal{}
		s.left[key] = left
	}
	for _, a := range plan.Allowances {
		if took, ok := used[a.ID]; ok {
			before, drawn := left[a.ID]
			if !drawn {
				before = a.Quantity
			}
			left[a.ID] = before.Sub(took)
		}
	}
}

func (s *BacktestShard) zone(name string) *time.Location {
	if name == "" {
		return nil
	}
	zone, known := s.zones[name]
	if !known {
		zone, _ = time.LoadLocation(name) // nil: as if it were not known
		s.zones[name] = zone
	}
	return zone
}

func (s *BacktestShard) decideVAT(in *Input, zone *time.Location) (VAT, bool) {
	at := in.Ended
	if zone != nil {
		at = at.In(zone)
	}
	year, _, _ := at.Date()
	key := vatDay{in.Country, year*1000 + at.YearDay()}
	vat, known := s.vat[key]
	if !known {
		vat, _ = DecideVAT(in.Country, at, false) // without a rule it has no category
		s.vat[key] = vat
	}
	return vat, vat.Category != ""
}

// count adds a session to what the shard has.
func (s *BacktestShard) count(customer Key, rule, plan string, old, now *tally) {
	if !old.gross.equal(now.gross) {
		s.changed++
	}
	s.old.add(old)
	s.now.add(now)
	grown(s.plans, plan).add(now)
	grown(s.rules, rule).add(now)
	c := grown(s.customers, customer)
	c.sessions++
	c.old, c.now = c.old.add(old.gross), c.now.add(now.gross)
	e := grown(s.evses, s.input.At.EVSE)
	if e.cpo == "" {
		e.cpo = s.input.At.CPO.String()
	}
	e.kwh, e.old = e.kwh.add(numberOf(s.input.CDR.TotalEnergy.Decimal)), e.old.add(old.revenue)
	e.now.add(now)
}

// Result is what the shard has found so far.
func (s *BacktestShard) Result() BacktestResult {
	r := BacktestResult{
		Currency: s.Currency, Sessions: s.sessions, Changed: s.changed, Holes: s.holes, Other: s.other, Old: s.old.sum(), New: s.now.sum(), Lost: s.lost.sum(),
		Plans: sums(s.plans), Rules: sums(s.rules), HoleCells: sums(s.cells),
		Customers: make(map[Key]BacktestChange, len(s.customers)), EVSEs: make(map[string]BacktestEVSE, len(s.evses)),
		Dearest: s.dearest.cases(), Losing: s.losing.cases(),
	}
	for k, c := range s.customers {
		r.Customers[k] = BacktestChange{c.sessions, c.old.decimal(), c.now.decimal()}
	}
	for k, e := range s.evses {
		r.EVSEs[k] = BacktestEVSE{e.cpo, e.kwh.decimal(), e.now.sum(), e.old.decimal()}
	}
	return r
}

func sums[K comparable](tallies map[K]*tally) map[K]BacktestSum {
	m := make(map[K]BacktestSum, len(tallies))
	for k, t := range tallies {
		m[k] = t.sum()
	}
	return m
}

// Merge adds another part of the work to the result.
func (r *BacktestResult) Merge(o *BacktestResult) {
	r.Sessions += o.Sessions
	r.Changed += o.Changed
	r.Holes += o.Holes
	r.Other += o.Other
	r.Old, r.New, r.Lost = r.Old.plus(o.Old), r.New.plus(o.New), r.Lost.plus(o.Lost)
	mergeSums(r.Plans, o.Plans)
	mergeSums(r.Rules, o.Rules)
	mergeSums(r.HoleCells, o.HoleCells)
	r.Dearest = mergeCases(r.Dearest, o.Dearest, func(c *BacktestCase) decimal.Decimal { return c.New.Sub(c.Old) })
	r.Losing = mergeCases(r.Losing, o.Losing, func(c *BacktestCase) decimal.Decimal { return c.Margin.Neg() })
	for k, c := range o.Customers {
		d := r.Customers[k]
		r.Customers[k] = BacktestChange{d.Sessions + c.Sessions, d.Old.Add(c.Old), d.New.Add(c.New)}
	}
	for k, e := range o.EVSEs {
		f := r.EVSEs[k]
		r.EVSEs[k] = BacktestEVSE{e.CPO, f.KWh.Add(e.KWh), f.New.plus(e.New), f.Old.Add(e.Old)}
	}
}

func mergeSums[K comparable](to, from map[K]BacktestSum) {
	for k, sum := range from {
		to[k] = to[k].plus(sum)
	}
}

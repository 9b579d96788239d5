package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

type pricebookBacktestCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	File   string `required:"" type:"existingfile" help:"Price book as JSON; may have drafts of plans beside its rules." placeholder:"FILE"`
	Months int    `help:"How many months back, 1 to 12." default:"3"`
	Name   string `help:"Name under which it is kept."`
	Worst  int    `help:"How many cases of each kind are printed." default:"10"`
}

// Run tries the draft, here or in whichever worker takes it first, and prints what came of it. Progress goes to standard error.
func (c pricebookBacktestCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		doc, err := os.ReadFile(c.File)
		if err != nil {
			return nil, err
		}
		id, err := a.ops().AddBacktest(o.ctx, jobs.NewBacktest{Tenant: tenant.ID, Name: c.Name, Doc: doc, Months: c.Months})
		if err != nil {
			return nil, err
		}
		ran := make(chan error, 1)
		go func() { ran <- a.worker().RunBacktest(o.ctx, id) }()
		row, report, err := a.awaitBacktest(o, tenant.ID, id, ran)
		if err != nil {
			return nil, err
		}
		return newShownBacktest(row, report, c.Worst), nil
	})
}

// awaitBacktest waits until a back-test has a result, and says how far it is meanwhile.
func (a *app) awaitBacktest(o *outside, tenant, id uuid.UUID, ran <-chan error) (db.Backtest, *jobs.BacktestReport, error) {
	said := int64(-1)
	for {
		select {
		case <-o.ctx.Done():
			return db.Backtest{}, nil, o.ctx.Err()
		case err := <-ran:
			ran = nil
			if err != nil && !errors.Is(err, db.ErrNotFound) { // not found: a worker was faster
				return db.Backtest{}, nil, err
			}
		case <-time.After(100 * time.Millisecond):
		}
		row, report, err := a.ops().ReadBacktest(o.ctx, tenant, id)
		switch {
		case err != nil:
			return row, nil, err
		case report != nil:
			return row, report, nil
		case row.State == "failed":
			return row, nil, fmt.Errorf("back-test %s failed: %s", id, row.Reason)
		case row.Done != said && row.Total > 0:
			said = row.Done
			fmt.Fprintf(o.stderr, "%d of %d sessions\n", row.Done, row.Total)
		}
	}
}

// shownBacktest is a back-test as commands print it. Amounts are without VAT unless they say gross.
type shownBacktest struct {
	ID        string              `json:"id"`
	Since     time.Time           `json:"since"`
	Until     time.Time           `json:"until"`
	Currency  string              `json:"currency"`
	Sessions  int                 `json:"sessions"`
	Changed   int                 `json:"changed"`
	Holes     int                 `json:"holes"`
	Other     int                 `json:"other"`
	Old       shownSum            `json:"old"`
	New       shownSum            `json:"new"`
	Lost      shownSum            `json:"lost"` // what was charged for sessions that fall into a hole
	Fees      shownFees           `json:"base_fees"`
	Plans     map[string]shownSum `json:"plans"`
	Rules     map[string]shownSum `json:"rules"` // "" is agreements with a contract
	HoleCells []shownBacktestHole `json:"hole_cells"`
	Customers shownCustomers      `json:"customers"`
	Losses    shownLosses         `json:"loss_making_evses"`
	Dearest   []shownCase         `json:"dearest_sessions"`
	Losing    []shownCase         `json:"losing_sessions"`
}

type shownCase struct {
	CDR    string      `json:"cdr"`
	Place  string      `json:"place"`
	Start  time.Time   `json:"start"`
	KWh    json.Number `json:"kwh"`
	Old    json.Number `json:"old_gross"`
	New    json.Number `json:"new_gross"`
	Margin json.Number `json:"margin"`
}

type shownSum struct {
	Sessions int         `json:"sessions"`
	Revenue  json.Number `json:"revenue"`
	Gross    json.Number `json:"gross"`
	Cost     json.Number `json:"cost"`
	Margin   json.Number `json:"margin"`
}

type shownFees struct {
	Old json.Number `json:"old"`
	New json.Number `json:"new"`
}

type shownBacktestHole struct {
	Group    string      `json:"group"`
	Network  string      `json:"network"`
	Sessions int         `json:"sessions"`
	Gross    json.Number `json:"gross"`
}

type shownCustomers struct {
	Better   int             `json:"better"`
	Worse    int             `json:"worse"`
	Same     int             `json:"same"`
	Deltas   []shownDelta    `json:"deltas"`
	WorstOff []shownCustomer `json:"worst_off"`
	BestOff  []shownCustomer `json:"best_off"`
}

type shownDelta struct {
	From      *json.Number `json:"from"` // included; null: from below
	To        *json.Number `json:"to"`   // excluded; null: and above
	Customers int          `json:"customers"`
}

type shownCustomer struct {
	Number   string      `json:"number"`
	Name     string      `json:"name"`
	Sessions int         `json:"sessions"`
	Old      json.Number `json:"old_gross"`
	New      json.Number `json:"new_gross"`
	Delta    json.Number `json:"delta_gross"`
}

type shownLosses struct {
	EVSEs  int             `json:"evses"`
	Margin json.Number     `json:"margin"`
	Worst  []shownLossEVSE `json:"worst"`
}

type shownLossEVSE struct {
	EVSE     string      `json:"evse"`
	CPO      string      `json:"cpo"`
	Sessions int         `json:"sessions"`
	KWh      json.Number `json:"kwh"`
	Revenue  json.Number `json:"revenue"`
	Cost     json.Number `json:"cost"`
	Margin   json.Number `json:"margin"`
}

func newShownBacktest(row db.Backtest, r *jobs.BacktestReport, worst int) shownBacktest {
	s := shownBacktest{
		ID: row.ID.String(), Since: row.Since.UTC(), Until: row.Until.UTC(), Currency: r.Currency, Sessions: r.Sessions, Changed: r.Changed, Holes: r.Holes, Other: r.Other,
		Old: newShownSum(r.Old), New: newShownSum(r.New), Lost: newShownSum(r.Lost), Fees: shownFees{money(r.Fees.Old), money(r.Fees.New)},
		Plans: map[string]shownSum{}, Rules: map[string]shownSum{}, HoleCells: []shownBacktestHole{},
		Customers: shownCustomers{r.Better, r.Worse, r.Same, []shownDelta{}, newShownCustomers(r.WorstOff, worst), newShownCustomers(r.BestOff, worst)},
		Losses:    shownLosses{r.LossEVSEs, money(r.Loss), []shownLossEVSE{}},
		Dearest:   newShownCases(r.Dearest, worst), Losing: newShownCases(r.Losing, worst),
	}
	for name, sum := range r.Plans {
		s.Plans[name] = newShownSum(sum)
	}
	for name, sum := range r.Rules {
		s.Rules[name] = newShownSum(sum)
	}
	for _, h := range r.HoleCells {
		s.HoleCells = append(s.HoleCells, shownBacktestHole{h.Group, h.Network, h.Lost.Sessions, money(h.Lost.Gross)})
	}
	for _, d := range r.Deltas {
		s.Customers.Deltas = append(s.Customers.Deltas, shownDelta{figure(d.From), figure(d.To), d.Customers})
	}
	for _, e := range r.Losses[:min(worst, len(r.Losses))] {
		s.Losses.Worst = append(s.Losses.Worst, shownLossEVSE{
			e.EVSE, e.CPO, e.New.Sessions, json.Number(e.KWh.String()), money(e.New.Revenue), money(e.New.Cost), money(e.New.Margin()),
		})
	}
	return s
}

func newShownSum(s billing.BacktestSum) shownSum {
	return shownSum{s.Sessions, money(s.Revenue), money(s.Gross), money(s.Cost), money(s.Margin())}
}

func newShownCustomers(list []jobs.BacktestCustomer, worst int) []shownCustomer {
	shown := []shownCustomer{}
	for _, c := range list[:min(worst, len(list))] {
		shown = append(shown, shownCustomer{c.Number, c.Name, c.Sessions, money(c.Old), money(c.New), money(c.Delta())})
	}
	return shown
}

// money is an amount as commands print it: in cents.
func money(d decimal.Decimal) json.Number { return json.Number(billing.Round(d, 2).StringFixed(2)) }

func newShownCases(list []jobs.BacktestCase, worst int) []shownCase {
	shown := []shownCase{}
	for _, c := range list[:min(worst, len(list))] {
		shown = append(shown, shownCase{c.OCPIID, c.Place, c.StartedAt.UTC(), json.Number(c.KWh.String()), money(c.Old), money(c.New), money(c.Margin)})
	}
	return shown
}

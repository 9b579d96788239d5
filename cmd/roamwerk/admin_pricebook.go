package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// pricebookCmd administers price books: which plan prices which session.
type pricebookCmd struct {
	Show     pricebookShowCmd     `cmd:"" help:"Show the price book that is valid now, or a version of it."`
	Set      pricebookSetCmd      `cmd:"" help:"Publish a new version of the price book."`
	Check    pricebookCheckCmd    `cmd:"" help:"Try a price book without publishing it: holes, ties, rules that never count, and the plans of past sessions."`
	Backtest pricebookBacktestCmd `cmd:"" help:"Try a price book on the sessions of the last months: revenue, margin, winners and losers, and EVSEs that lose money."`
	Own      pricebookOwnCmd      `cmd:"" help:"Mark the charge points of a party as the utility's own, or no longer."`
}

type pricebookShowCmd struct {
	Tenant  string `required:"" help:"Utility, for example DE*SWX."`
	Version int32  `help:"Version; without it the one that is valid now."`
}

// Run shows.
func (c pricebookShowCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		rows, err := a.db.PriceBooks(o.ctx, tenant.ID)
		if err != nil {
			return nil, err
		}
		var shown *db.PriceBook
		versions := []map[string]any{}
		for i, row := range rows {
			versions = append(versions, map[string]any{"version": row.Version, "valid_from": row.ValidFrom.UTC(), "by": row.CreatedBy})
			later := shown == nil || !row.ValidFrom.Before(shown.ValidFrom)
			if c.Version == row.Version || c.Version == 0 && !row.ValidFrom.After(a.now()) && later {
				shown = &rows[i]
			}
		}
		if shown == nil {
			return nil, fmt.Errorf("%s has no such price book", c.Tenant)
		}
		book, err := newShownBook(*shown)
		if err != nil {
			return nil, err
		}
		own, err := a.db.OwnParties(o.ctx, tenant.ID)
		if err != nil {
			return nil, err
		}
		book.Own = []string{}
		for _, p := range own {
			book.Own = append(book.Own, p.CountryCode+"*"+p.PartyID)
		}
		book.Versions = versions
		return book, nil
	})
}

// shownBook is a price book as commands print it.
type shownBook struct {
	Version   int32            `json:"version"`
	ValidFrom time.Time        `json:"valid_from"`
	Rules     []shownRule      `json:"rules"`
	Doc       json.RawMessage  `json:"doc"`
	Own       []string         `json:"own_parties,omitempty"`
	Versions  []map[string]any `json:"versions,omitempty"`
}

type shownRule struct {
	ID   string `json:"id"`
	Plan string `json:"plan"`
	DE   string `json:"text_de"`
	EN   string `json:"text_en"`
}

func newShownBook(row db.PriceBook) (shownBook, error) {
	book, err := billing.ParsePriceBook(row.Doc)
	if err != nil {
		return shownBook{}, fmt.Errorf("version %d of the price book: %w", row.Version, err)
	}
	s := shownBook{Version: row.Version, ValidFrom: row.ValidFrom.UTC(), Doc: row.Doc, Rules: []shownRule{}}
	for i := range book.Rules {
		r := &book.Rules[i]
		s.Rules = append(s.Rules, shownRule{ID: r.ID, Plan: r.Plan, DE: r.Says("de"), EN: r.Says("en")})
	}
	return s, nil
}

type pricebookSetCmd struct {
	Tenant    string   `required:"" help:"Utility, for example DE*SWX."`
	ValidFrom *instant `help:"Start of the first session that it is for (default: now)." placeholder:"DAY"`
	File      string   `arg:"" type:"existingfile" help:"Price book as JSON; may have plans beside its rules, which are published with it."`
}

// Run publishes.
func (c pricebookSetCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		doc, err := os.ReadFile(c.File)
		if err != nil {
			return nil, err
		}
		from, err := c.ValidFrom.in(tenant)
		if err != nil {
			return nil, err
		}
		if from.IsZero() {
			from = a.now()
		}
		row, err := a.ops().SetPriceBook(o.ctx, tenant.ID, doc, from)
		if err != nil {
			return nil, err
		}
		return newShownBook(row)
	})
}

type pricebookCheckCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	File   string `arg:"" type:"existingfile" help:"Price book as JSON; may have drafts of plans beside its rules."`
}

// Run checks. A book that cannot be published is an error, after its findings are printed.
func (c pricebookCheckCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		doc, err := os.ReadFile(c.File)
		if err != nil {
			return nil, err
		}
		check, err := a.ops().CheckPriceBook(o.ctx, tenant.ID, doc)
		if err != nil {
			return nil, err
		}
		return newShownCheck(check), nil
	})
}

// shownCheck is the outcome of a check as commands print it.
type shownCheck struct {
	OK          bool           `json:"ok"`
	Errors      []shownError   `json:"errors"`      // why it cannot be published: ties are among them
	Holes       []shownHole    `json:"holes"`       // a group and a network without a price
	Unreachable []shownRule    `json:"unreachable"` // rules that never count
	Fees        []shownFeePlan `json:"fees"`        // whose fees each group pays
	Samples     []shownSample  `json:"samples"`
}

type shownError struct {
	Path  string `json:"path"`
	Rule  string `json:"rule"`
	Value string `json:"value,omitempty"`
}

type shownHole struct {
	Group   string `json:"group"` // empty: customers in none
	Network string `json:"network"`
	FromKW  string `json:"from_kw,omitempty"`
	BelowKW string `json:"below_kw,omitempty"`
}

type shownFeePlan struct {
	Group string `json:"group"`
	Plan  string `json:"plan"`
}

type shownSample struct {
	CDR      string      `json:"cdr"`
	Start    time.Time   `json:"start"`
	Place    string      `json:"place"`
	Charged  json.Number `json:"charged"` // with VAT
	Currency string      `json:"currency"`
	Plan     string      `json:"plan"`
	Rule     string      `json:"rule"` // empty: agreed with the contract
	NewPlan  string      `json:"new_plan"`
	NewRule  string      `json:"new_rule"`
	Hole     bool        `json:"hole"`
}

func newShownCheck(c jobs.BookCheck) shownCheck {
	s := shownCheck{
		OK: c.Refused == nil, Errors: []shownError{}, Holes: []shownHole{}, Unreachable: []shownRule{}, Fees: []shownFeePlan{}, Samples: []shownSample{},
	}
	var refused *ocpi.Error
	if errors.As(c.Refused, &refused) {
		for _, f := range refused.Findings {
			s.Errors = append(s.Errors, shownError{f.Path, f.Rule, f.Value})
		}
	}
	for _, cell := range c.Cells {
		for _, p := range cell.Prices {
			if !p.Hole {
				continue
			}
			hole := shownHole{Group: cell.Group, Network: c.Networks[cell.Network].Name}
			if len(cell.Prices) > 1 {
				hole.FromKW = p.FromKW.String()
				if p.BelowKW.Valid {
					hole.BelowKW = p.BelowKW.Decimal.String()
				}
			}
			s.Holes = append(s.Holes, hole)
		}
	}
	for _, i := range c.Unreachable {
		r := &c.Book.Rules[i]
		s.Unreachable = append(s.Unreachable, shownRule{ID: r.ID, Plan: r.Plan, DE: r.Says("de"), EN: r.Says("en")})
	}
	for _, f := range c.Fees {
		s.Fees = append(s.Fees, shownFeePlan(f))
	}
	for _, x := range c.Samples {
		s.Samples = append(s.Samples, shownSample{
			CDR: x.OCPIID, Start: x.StartedAt.UTC(), Place: x.Place, Charged: json.Number(x.Charged.StringFixed(2)), Currency: x.Currency, Plan: x.Plan, Rule: x.Rule,
			NewPlan: x.NewPlan, NewRule: x.NewRule, Hole: x.NewPlan == "",
		})
	}
	return s
}

type pricebookOwnCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	Party  string `required:"" help:"Party of the charge points, for example DE*SWX."`
	Remove bool   `help:"They are no longer its own."`
}

// Run marks.
func (c pricebookOwnCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		party, err := ocpi.ParseParty(c.Party)
		if err != nil {
			return nil, fmt.Errorf("--party: %w", err)
		}
		if err := a.ops().MarkOwn(o.ctx, tenant.ID, party, !c.Remove); err != nil {
			return nil, err
		}
		return map[string]any{"party": party.String(), "own": !c.Remove}, nil
	})
}

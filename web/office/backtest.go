package office

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// backtestPage is the back-tests of a utility and the form of the next.
type backtestPage struct {
	rows    []db.BacktestsRow
	drafts  []db.PriceDraft
	draft   string // that is chosen
	months  string
	problem string
}

// backtestView is one back-test.
type backtestView struct {
	db.Backtest
	report *jobs.BacktestReport // nil: not done
	evses  map[string]string    // ids as CDRs have them, by those without separators
	rules  map[string]string    // whom and where each rule is for, in words
}

// mostBacktests is how many are listed.
const mostBacktests = 100

func (v *visit) loadBacktests() (p backtestPage, err error) {
	ctx := v.Request().Context()
	p.draft, p.months = v.FormValue("draft"), or(v.FormValue("months"), "3")
	err = v.read(func(q *db.Queries) error {
		if p.rows, err = q.Backtests(ctx, db.BacktestsParams{TenantID: v.tenant.UUID, MaxRows: mostBacktests}); err != nil {
			return fmt.Errorf("back-tests: %w", err)
		}
		if p.drafts, err = q.PriceDrafts(ctx, v.tenant.UUID); err != nil {
			return fmt.Errorf("drafts: %w", err)
		}
		return nil
	})
	return p, err
}

func (o *office) backtestList(v *visit) error {
	p, err := v.loadBacktests()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, backtestListPage(v, p))
}

// startBacktest tries a draft on the sessions of the last months.
func (o *office) startBacktest(v *visit) error {
	var draft db.PriceDraft
	err := v.read(func(q *db.Queries) (err error) {
		draft, err = v.pickDraft(q, v.FormValue("draft"))
		return err
	})
	months, wrong := strconv.Atoi(v.FormValue("months"))
	refuse := func(key string) error {
		p, err := v.loadBacktests()
		if err != nil {
			return err
		}
		p.problem = v.Lang.T(key)
		return v.render(http.StatusUnprocessableEntity, backtestListPage(v, p))
	}
	switch {
	case errors.Is(err, errNoDraft):
		return refuse("backtest.draft.wrong")
	case err != nil:
		return err
	case wrong != nil || months < 1 || months > 12:
		return refuse("backtest.months.wrong")
	}
	doc, err := jobs.DraftDoc(draft)
	if err != nil {
		return err
	}
	id, err := o.AddBacktest(v.Request().Context(), jobs.NewBacktest{Tenant: v.tenant.UUID, Name: draft.Name, Doc: doc, Months: months})
	if refusal(err) != nil {
		v.say("err", v.Lang.T("backtest.refused"))
		return v.Redirect(http.StatusSeeOther, string(v.Link("/prices/drafts/"+draft.ID.String())))
	} else if err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, string(v.Link("/prices/backtest/"+id.String())))
}

func (o *office) backtestDetail(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	var b backtestView
	if b.Backtest, b.report, err = o.ReadBacktest(v.Request().Context(), v.tenant.UUID, id); err != nil {
		return err
	}
	if b.report != nil {
		written, err := o.DB.EVSEsCharged(v.Request().Context(), db.EVSEsChargedParams{TenantID: v.tenant.UUID, Since: b.Since, Until: b.Until})
		if err != nil {
			return fmt.Errorf("EVSEs of back-test %s: %w", id, err)
		}
		b.evses, b.rules = map[string]string{}, map[string]string{}
		if draft, err := billing.ParseBookDraft(b.Doc); err == nil {
			for i := range draft.Book.Rules {
				b.rules[draft.Book.Rules[i].ID] = draft.Book.Rules[i].Says(string(v.Lang))
			}
		}
		for _, evse := range written {
			b.evses[billing.FoldEVSE(ocpi.CiString(evse))] = evse
		}
	}
	v.Response().Header().Add("Vary", "HX-Request")
	if ui.Partial(v.Request()) {
		return v.render(http.StatusOK, ui.Both(backtestResult(v, b), ui.Announce(v.Lang.T("backtest.state."+b.State))))
	}
	return v.render(http.StatusOK, backtestDetailPage(v, b))
}

// running reports whether there is something to wait for.
func (b backtestView) running() bool { return b.State == "queued" || b.State == "running" }

var backtestTones = map[string]string{"queued": "", "running": "info", "done": "ok", "failed": "err"}

// deltaText is a difference with its sign.
func (v *visit) deltaText(d decimal.Decimal, currency string) string {
	if d.IsPositive() {
		return "+" + v.Lang.Money(d, currency)
	}
	return v.Lang.Money(d, currency)
}

// deltas is the chart of how many customers would pay how much more.
func (v *visit) deltas(r *jobs.BacktestReport) ui.Bars {
	c := ui.Bars{
		ID: "deltas", Title: v.Lang.T("backtest.deltas"), Head: v.Lang.T("backtest.delta"), Values: v.Lang.T("backtest.customers"),
		Tick: func(n float64) string { return v.Lang.Int(int64(n)) },
	}
	for _, bar := range r.Deltas {
		var label string
		switch {
		case !bar.From.Valid:
			label = "< " + v.Lang.Decimal(bar.To.Decimal, 0)
		case !bar.To.Valid:
			label = "≥ " + v.Lang.Decimal(bar.From.Decimal, 0)
		default:
			label = v.Lang.Decimal(bar.From.Decimal, 0) + " … " + v.Lang.Decimal(bar.To.Decimal, 0)
		}
		c.Bars = append(c.Bars, ui.Bar{Label: label, Name: label + "\u00a0€", Value: float64(bar.Customers), Text: v.Lang.Int(int64(bar.Customers))})
	}
	return c
}

// sumRow is a part of the result: what came by a plan or a rule.
type sumRow struct {
	name string
	billing.BacktestSum
}

// bySessions are sums with the most sessions first.
func bySessions(sums map[string]billing.BacktestSum) []sumRow {
	var rows []sumRow
	for name, sum := range sums {
		rows = append(rows, sumRow{name, sum})
	}
	slices.SortFunc(rows, func(a, b sumRow) int {
		if a.Sessions != b.Sessions {
			return b.Sessions - a.Sessions
		}
		return strings.Compare(a.name, b.name)
	})
	return rows
}

// shownCases is how many cases of each kind are shown.
const shownCases = 10

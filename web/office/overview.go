package office

import (
	"net/http"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// work is every kind of open work on the overview, with the list that shows it.
var work = []struct {
	kind, tone, path string
	operator         bool
}{
	{kind: "held", tone: "err", path: "/cdrs?month=all&state=held"},
	{kind: "waiting", tone: "warn", path: "/cdrs?month=all&state=waiting"},
	{kind: "disputed", tone: "warn", path: "/cdrs?month=all&state=disputed"},
	{kind: "proposed", tone: "warn", path: "/cdrs?month=all&reason=drop-proposed"},
	{kind: "dispute-open", tone: "warn", path: "/disputes?state=open"},
	{kind: "dispute-due", tone: "err", path: "/disputes"},
	{kind: "mine", tone: "info", path: "/cdrs?month=all&assignee="}, // whose name comes behind it
	{kind: "invoice-draft", tone: "info", path: "/invoices?state=draft"},
	{kind: "invoice-failed", tone: "err", path: "/invoices?state=failed"},
	{kind: "email-failed", tone: "err", path: "/outbox?state=failed"},
	{kind: "alerts", tone: "warn", path: "/gaps"},
	{kind: "quarantine", tone: "warn", path: "/quarantine", operator: true},
}

// chartDays is how many days the charts show, today included.
const chartDays = 30

// tile is one kind of open work.
type tile struct {
	kind, tone, path string
	many             int64
	amounts          []string // by currency
}

// overviewView is what the overview shows.
type overviewView struct {
	tiles    []tile
	open     int64 // all work together
	cdrs     int64 // of the chart's days
	month    time.Time
	figures  []ui.KPI
	sessions ui.Bars
	revenue  ui.Bars
	partners []db.PartnerListRow
}

func (o *office) overview(v *visit) error {
	ctx := v.Request().Context()
	now := o.Now().In(ui.Berlin)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, ui.Berlin)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, ui.Berlin)
	first := today.AddDate(0, 0, 1-chartDays)
	since := first
	if month.Before(since) {
		since = month
	}
	var rows []db.OverviewWorkRow
	var days []db.OverviewDaysRow
	var view overviewView
	err := v.read(func(q *db.Queries) (err error) {
		if rows, err = q.OverviewWork(ctx, db.OverviewWorkParams{TenantID: v.tenant, Since: month.AddDate(-1, 0, 0), Assignee: v.staff.Name, Soon: now.Add(deadlineNear)}); err != nil {
			return err
		}
		if days, err = q.OverviewDays(ctx, db.OverviewDaysParams{TenantID: v.tenant, Since: since, Until: today.AddDate(0, 0, 1)}); err != nil {
			return err
		}
		view.partners, err = q.PartnerList(ctx, db.PartnerListParams{TenantID: v.tenant, Today: today, Since: today.AddDate(0, 0, -30)})
		return err
	})
	if err == nil && v.operator() { // the role of a utility may not look there
		var counts []db.QuarantineCountsRow
		counts, err = o.DB.QuarantineCounts(ctx, db.QuarantineCountsParams{TenantID: v.tenant})
		for _, c := range counts {
			if c.State == "open" {
				rows = append(rows, db.OverviewWorkRow{Kind: "quarantine", Many: c.Many})
			}
		}
	}
	if err != nil {
		return err
	}
	view.month = month
	view.tiles, view.open = v.tiles(rows)
	view.figures = v.monthFigures(days, month)
	view.sessions, view.revenue, view.cdrs = v.charts(days, first)
	return v.render(http.StatusOK, overviewPage(v, view))
}

func (v *visit) tiles(rows []db.OverviewWorkRow) (tiles []tile, open int64) {
	for _, w := range work {
		if w.operator && !v.operator() {
			continue
		}
		t := tile{kind: w.kind, tone: w.tone, path: w.path}
		if strings.HasSuffix(t.path, "=") {
			t.path += queryEscape(v.staff.Name)
		}
		for _, r := range rows {
			if r.Kind != w.kind {
				continue
			}
			t.many += r.Many
			if r.Currency != "" && !r.Amount.IsZero() {
				t.amounts = append(t.amounts, v.Lang.Money(r.Amount, r.Currency))
			}
		}
		open += t.many
		tiles = append(tiles, t)
	}
	return tiles, open
}

// monthFigures are revenue, cost and margin of the month so far, without VAT, in each currency.
func (v *visit) monthFigures(days []db.OverviewDaysRow, month time.Time) []ui.KPI {
	var cdrs int64
	var kwh decimal.Decimal
	type sums struct{ revenue, cost, margin decimal.Decimal }
	by := map[string]*sums{"EUR": {}}
	currencies := []string{"EUR"}
	for _, d := range days {
		if d.Day.Month() != month.Month() || d.Day.Year() != month.Year() {
			continue
		}
		cdrs, kwh = cdrs+d.Many, kwh.Add(d.KWh)
		s := by[d.Currency]
		if s == nil {
			s = &sums{}
			by[d.Currency] = s
			currencies = append(currencies, d.Currency)
		}
		s.revenue, s.cost, s.margin = s.revenue.Add(d.RetailNet), s.cost.Add(d.Claimed), s.margin.Add(d.Margin)
	}
	in := func(of func(*sums) decimal.Decimal) string {
		var texts []string
		for _, c := range currencies {
			texts = append(texts, v.Lang.Money(of(by[c]), c))
		}
		return strings.Join(texts, " + ")
	}
	note := ""
	if eur := by["EUR"]; eur.revenue.IsPositive() {
		note = v.Lang.T("overview.margin.share", v.Lang.Percent(eur.margin.Div(eur.revenue).Shift(2)))
	}
	return []ui.KPI{
		{Name: v.Lang.T("overview.sessions"), Value: v.Lang.Int(cdrs), Note: v.Lang.Decimal(kwh, 0) + "\u00a0kWh"},
		{Name: v.Lang.T("overview.revenue"), Value: in(func(s *sums) decimal.Decimal { return s.revenue }), Note: v.Lang.T("net")},
		{Name: v.Lang.T("overview.cost"), Value: in(func(s *sums) decimal.Decimal { return s.cost }), Note: v.Lang.T("net")},
		{Name: v.Lang.T("overview.margin"), Value: in(func(s *sums) decimal.Decimal { return s.margin }), Note: note},
	}
}

// charts are sessions and revenue of each day from the first on.
func (v *visit) charts(days []db.OverviewDaysRow, first time.Time) (sessions, revenue ui.Bars, total int64) {
	sessions = ui.Bars{ID: "chart-sessions", Title: v.Lang.T("chart.sessions"), Head: v.Lang.T("chart.day"), Values: v.Lang.T("cdrs.short"), Tick: func(f float64) string { return v.Lang.Int(int64(f)) }}
	revenue = ui.Bars{ID: "chart-revenue", Title: v.Lang.T("chart.revenue"), Head: v.Lang.T("chart.day"), Values: v.Lang.T("overview.revenue"), Tick: func(f float64) string { return v.Lang.Int(int64(f)) + "\u00a0€" }}
	for i := range chartDays {
		day := first.AddDate(0, 0, i)
		var cdrs int64
		var euros decimal.Decimal
		for _, d := range days {
			if d.Day.Year() == day.Year() && d.Day.YearDay() == day.YearDay() {
				cdrs += d.Many
				if d.Currency == "EUR" {
					euros = euros.Add(d.RetailNet)
				}
			}
		}
		total += cdrs
		label, name := v.Lang.DayMonth(day), v.Lang.Date(day)
		sessions.Bars = append(sessions.Bars, ui.Bar{Label: label, Name: name, Value: float64(cdrs), Text: v.Lang.Int(cdrs)})
		revenue.Bars = append(revenue.Bars, ui.Bar{Label: label, Name: name, Value: euros.InexactFloat64(), Text: v.Lang.Money(euros, "EUR")})
	}
	return sessions, revenue, total
}

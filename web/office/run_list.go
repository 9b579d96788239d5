package office

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// runsShown is how many runs the list has.
const runsShown = 24

// runList is the cockpit of invoice runs.
func (o *office) runList(v *visit) error {
	var rows []db.RunsRow
	err := v.read(func(q *db.Queries) (err error) {
		if v.tenant.Valid {
			rows, err = q.Runs(v.Request().Context(), db.RunsParams{TenantID: v.tenant.UUID, MaxRows: runsShown})
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, runListPage(v, rows, v.months(13)))
}

// startRun begins a run, or brings its drafts up to date; or only tries it and shows what it would come to.
func (o *office) startRun(v *visit) error {
	month, err := v.monthToBill()
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	if v.FormValue("do") == "simulate" {
		report, err := o.SimulateRun(ctx, v.tenant.UUID, month)
		if err != nil {
			return err
		}
		return v.render(http.StatusOK, runTriedPage(v, month, report))
	}
	id, err := o.StartRun(ctx, v.tenant.UUID, month)
	if err != nil {
		return v.refused(err, string(v.Link("/runs")))
	}
	return v.Redirect(http.StatusSeeOther, string(v.Link("/runs/"+id.String())))
}

// runView is everything about one run.
type runView struct {
	db.InvoiceRun
	listQuery      // of what is odd
	report         jobs.RunReport
	odd            []jobs.OddDraft
	tabs           []ui.Tab
	many           int64 // odd drafts of the tab
	previous, next string
}

func (o *office) runDetail(v *visit) error {
	var view runView
	err := v.read(func(q *db.Queries) (err error) {
		view, err = loadRun(v, q)
		return err
	})
	if err != nil {
		return err
	}
	return v.list(view.listQuery, runDetailPage(v, view), runOddResult(v, view), v.Lang.N("run.odd.count", view.many))
}

func loadRun(v *visit, q *db.Queries) (view runView, err error) {
	ctx := v.Request().Context()
	id, err := v.id()
	if err != nil {
		return view, err
	}
	if view.InvoiceRun, err = q.RunOfTenant(ctx, db.RunOfTenantParams{ID: id, TenantID: v.tenant}); err != nil {
		return view, err
	}
	if view.report, err = jobs.SumRun(ctx, q, id); err != nil {
		return view, err
	}
	view.listQuery = readList(v)
	at := view.position()
	odd, err := jobs.OddDrafts(ctx, q, id, jobs.OddPage{Warning: view.get("state"), After: at.id, Backward: at.backward, MaxRows: pageSize + 1})
	view.odd, view.previous, view.next = paged(view.listQuery, at, odd, func(d jobs.OddDraft) string { return mark(decimal.Zero, d.ID) })
	view.tabs, view.many = v.oddTabs(&view)
	return view, err
}

// oddTabs are the ways in which drafts are odd, with how many are, and how many the tab has that is shown.
func (v *visit) oddTabs(r *runView) (tabs []ui.Tab, many int64) {
	ways := []jobs.RunWarning{{}, {Warning: jobs.WarnFailed}}
	for _, t := range r.report.Totals {
		switch t.State {
		case "failed":
			ways[0].Many, ways[1].Many = ways[0].Many+t.Many, ways[1].Many+t.Many
		case "draft":
			ways[0].Many += t.Odd
		}
	}
	for _, w := range append(ways, r.report.Warnings...) {
		tab := ui.Tab{ID: cmp.Or(w.Warning, "all"), Name: v.Lang.T("warning." + cmp.Or(w.Warning, "all")), Href: r.with("state", w.Warning), Count: w.Many, Current: w.Warning == r.get("state")}
		if tabs = append(tabs, tab); tab.Current {
			many = w.Many
		}
	}
	return tabs, many
}

// approveRun lets the drafts of a run be issued, if they are still those that the person has seen.
func (o *office) approveRun(v *visit) error {
	run, err := v.run()
	if err != nil {
		return err
	}
	page := string(v.Link("/runs/" + run.ID.String()))
	drafts, err := strconv.Atoi(v.FormValue("drafts"))
	gross, err2 := decimal.NewFromString(v.FormValue("gross"))
	if err != nil || err2 != nil {
		return echo.NewHTTPError(http.StatusBadRequest)
	}
	if err := o.ApproveRun(v.Request().Context(), run.TenantID, run.ID, &jobs.Seen{Drafts: drafts, Gross: gross}); err != nil {
		return v.refused(err, page)
	}
	v.say("ok", v.Lang.N("issue.done", int64(drafts)))
	return v.Redirect(http.StatusSeeOther, page)
}

// refreshRun brings the drafts of a run up to date, or goes on with one that broke off.
func (o *office) refreshRun(v *visit) error {
	run, err := v.run()
	if err != nil {
		return err
	}
	if _, err := o.StartRun(v.Request().Context(), run.TenantID, run.Month); err != nil {
		return v.refused(err, string(v.Link("/runs/"+run.ID.String())))
	}
	return v.Redirect(http.StatusSeeOther, string(v.Link("/runs/"+run.ID.String())))
}

// run is the one that the address names.
func (v *visit) run() (run db.InvoiceRun, err error) {
	id, err := v.id()
	if err != nil {
		return run, err
	}
	err = v.read(func(q *db.Queries) (err error) {
		run, err = q.RunOfTenant(v.Request().Context(), db.RunOfTenantParams{ID: id, TenantID: v.tenant})
		return err
	})
	return run, err
}

// sum adds up what the run has in some states: how many, and with VAT.
func (r *runView) sum(states ...string) (many int64, gross decimal.Decimal) {
	for _, t := range r.report.Totals {
		for _, s := range states {
			if t.State == s {
				many, gross = many+t.Many, gross.Add(t.Gross)
			}
		}
	}
	return many, gross
}

// runStep is a step of a run as the cockpit shows it.
type runStep struct {
	key, state string // of its texts; waiting, running, done
	done, all  int64
}

// steps are how far the run is.
func (r *runView) steps() []runStep {
	issued, _ := r.sum("issued")
	settled, _ := r.sum("settled", "carried")
	drafts, _ := r.sum("draft")
	var written, sent int64
	for _, t := range r.report.Totals {
		written, sent = written+t.Written, sent+t.Sent
	}
	steps := []runStep{
		{"collect", "done", int64(r.CustomersDone), int64(r.Customers)},
		{"inspect", "waiting", 0, 0}, {"approve", "waiting", 0, 0},
		{"issue", "waiting", issued + settled, issued + settled + drafts}, {"write", "waiting", written, issued}, {"send", "waiting", sent, issued},
	}
	switch r.State {
	case "running":
		steps[0].state = "running"
	case "inspection":
		steps[1].state = "running"
	default:
		for i := 1; i < len(steps); i++ {
			steps[i].state = "done"
			if steps[i].done < steps[i].all {
				steps[i].state = "running"
			}
		}
	}
	return steps
}

// stuck says that nobody is at work on a run that is not finished collecting.
func (r *runView) stuck(now time.Time) bool {
	return r.State == "running" && r.DueAt != nil && r.DueAt.Before(now) && r.Reason != ""
}

// stepTone is the colour of a step.
func stepTone(state string) string {
	switch state {
	case "done":
		return "ok"
	case "running":
		return "info"
	}
	return ""
}

// runTone is the colour of a run's state.
func runTone(state string) string {
	switch state {
	case "done":
		return "ok"
	case "inspection":
		return "warn"
	}
	return "info"
}

// numberReport proves the document numbers of the utility that is shown.
func (o *office) numberReport(v *visit) error {
	var report jobs.NumberReport
	err := v.read(func(q *db.Queries) (err error) {
		if v.tenant.Valid {
			report, err = jobs.ReportNumbers(v.Request().Context(), q, v.tenant.UUID)
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, numberReportPage(v, report))
}

// draftKey is how the report of a run refers to a draft's page.
func draftKey(id uuid.UUID) string { return "/invoices/" + id.String() }

// digits is a number as forms and ranges have it, without separators.
func (v *visit) digits(n int64) string { return strconv.FormatInt(n, 10) }

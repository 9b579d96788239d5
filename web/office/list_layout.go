package office

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
)

// cdrColumn is a column of the list of CDRs. Its name is the facts that share it.
type cdrColumn struct {
	id    string
	facts []string // keys of text, the one above the other
	sort  bool     // the list can be ordered by it
	num   bool
	fixed bool // it cannot be hidden
}

// cdrListColumns are all of them in their order. Figures keep their width, words share what is left.
var cdrListColumns = []cdrColumn{
	{id: "cdr", facts: []string{"col.cdr", "col.card"}, fixed: true},
	{id: "state", facts: []string{"col.state", "col.flags"}, fixed: true},
	{id: "start", facts: []string{"col.start", "col.received"}, sort: true},
	{id: "place", facts: []string{"col.place", "col.evse"}},
	{id: "operator", facts: []string{"col.operator", "col.partner"}},
	{id: "customer", facts: []string{"col.customer", "col.contract"}},
	{id: "duration", facts: []string{"col.duration", "col.parking"}, sort: true, num: true},
	{id: "kwh", facts: []string{"col.kwh", "col.meter"}, sort: true, num: true},
	{id: "claimed", facts: []string{"col.claimed", "col.bytariff"}, sort: true, num: true},
	{id: "delta", facts: []string{"col.delta", "filter.cpo"}, sort: true, num: true},
	{id: "retail", facts: []string{"col.retail", "col.plan"}, sort: true, num: true},
	{id: "margin", facts: []string{"col.margin"}, sort: true, num: true},
}

// summed are the columns that have a sum.
var summed = []string{"kwh", "claimed", "delta", "retail", "margin"}

// arrangement is how a person has arranged a list.
type arrangement struct {
	hidden  []string // columns
	compact bool     // a line a row: the second fact of each cell is left out
}

// columns are those that are shown.
func (a arrangement) columns() (shown []cdrColumn) {
	for _, c := range cdrListColumns {
		if c.fixed || !slices.Contains(a.hidden, c.id) {
			shown = append(shown, c)
		}
	}
	return shown
}

// arrangement is how the visitor has arranged the list of a page.
func (v *visit) arrangement(page string) (arrangement, error) {
	row, err := v.office.DB.ListLayout(v.Request().Context(), db.ListLayoutParams{StaffID: v.staff.ID, Page: page})
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return arrangement{}, fmt.Errorf("arrangement of %s: %w", page, err)
	}
	return arrangement{hidden: row.Hidden, compact: row.Compact}, nil
}

// arrangeCDRs keeps which columns of the list of CDRs a person wants to see, and how dense.
func (o *office) arrangeCDRs(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return echo.ErrBadRequest
	}
	row := db.SaveListLayoutParams{StaffID: v.staff.ID, Page: "/cdrs", Hidden: []string{}, Compact: form.Get("density") == "compact"}
	for _, c := range cdrListColumns {
		if !c.fixed && !slices.Contains(form["column"], c.id) {
			row.Hidden = append(row.Hidden, c.id)
		}
	}
	if form.Get("usual") != "" {
		row.Hidden, row.Compact = []string{}, false
	}
	if err := o.DB.SaveListLayout(v.Request().Context(), row); err != nil {
		return fmt.Errorf("save arrangement: %w", err)
	}
	query, err := url.ParseQuery(form.Get("query"))
	if err != nil {
		return echo.ErrBadRequest
	}
	return v.Redirect(http.StatusSeeOther, v.pathOf("/cdrs", viewQuery(listOf("", query, append(cdrFilters, "group")...).values)))
}

// leading is how many columns come before the first that has a sum.
func leading(columns []cdrColumn) int {
	first := slices.IndexFunc(columns, func(c cdrColumn) bool { return slices.Contains(summed, c.id) })
	if first < 0 {
		return len(columns)
	}
	return first
}

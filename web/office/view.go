package office

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
)

// view is a list under a name.
type view struct {
	id      uuid.UUID // none: everybody has it
	name    string
	query   string // of its address, in the order of its keys
	shared  bool
	current bool
}

// viewPages are the lists of which views can be saved.
var viewPages = []string{"/cdrs"}

// views are those of a list: the ones that everybody has, the utility's and the visitor's own.
func (v *visit) views(q *db.Queries, l listQuery, everybodys []view) ([]view, error) {
	saved, err := q.SavedViews(v.Request().Context(), db.SavedViewsParams{Page: v.Address, StaffID: uuid.NullUUID{UUID: v.staff.ID, Valid: true}, TenantID: v.tenant})
	if err != nil {
		return nil, err
	}
	all := everybodys
	for _, s := range saved {
		all = append(all, view{id: s.ID, name: s.Name, query: s.Query, shared: !s.StaffID.Valid})
	}
	here := viewQuery(l.values)
	for i := range all {
		values, _ := url.ParseQuery(all[i].query) // it was written by us
		all[i].query = viewQuery(values)
		all[i].current = all[i].query == here
	}
	return all, nil
}

// viewQuery is the part of an address that makes a view: not on which page of it one is.
func viewQuery(values url.Values) string {
	kept := url.Values{}
	for key := range values {
		if value := values.Get(key); value != "" && key != "after" && key != "before" {
			kept.Set(key, value)
		}
	}
	return kept.Encode()
}

// saveView keeps the list that the form was on under a name.
func (o *office) saveView(v *visit) error {
	ctx := v.Request().Context()
	page, name := v.FormValue("page"), strings.TrimSpace(v.FormValue("name"))
	values, err := url.ParseQuery(v.FormValue("query"))
	if err != nil || !slices.Contains(viewPages, page) {
		return echo.ErrBadRequest
	}
	query := viewQuery(values)
	if name == "" || len([]rune(name)) > 80 || len(query) > 2000 {
		v.say("err", v.Lang.T("view.name.wrong"))
		return v.Redirect(http.StatusSeeOther, v.pathOf(page, query))
	}
	row := db.SaveViewParams{ID: uuid.Must(uuid.NewV7()), TenantID: v.tenant, StaffID: uuid.NullUUID{UUID: v.staff.ID, Valid: true}, Page: page, Name: name, Query: query, CreatedAt: o.Now()}
	if v.FormValue("shared") != "" && v.tenant.Valid {
		row.StaffID = uuid.NullUUID{}
	}
	if err := v.read(func(q *db.Queries) error { return q.SaveView(ctx, row) }); err != nil {
		return err
	}
	v.say("ok", v.Lang.T("view.saved", name))
	return v.Redirect(http.StatusSeeOther, v.pathOf(page, query))
}

// deleteView forgets a view: one's own, or one of the utility.
func (o *office) deleteView(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	err = v.read(func(q *db.Queries) error {
		n, err := q.DeleteView(v.Request().Context(), db.DeleteViewParams{ID: id, StaffID: uuid.NullUUID{UUID: v.staff.ID, Valid: true}, TenantID: v.tenant})
		if err == nil && n == 0 {
			return db.ErrNotFound
		}
		return err
	})
	if err != nil {
		return err
	}
	v.say("ok", v.Lang.T("view.deleted"))
	return v.Redirect(http.StatusSeeOther, v.back())
}

// pathOf is the address of a page in the visitor's language.
func (v *visit) pathOf(page, query string) string {
	path := string(v.Link(page))
	if query != "" {
		path += "?" + query
	}
	return path
}

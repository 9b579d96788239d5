package office

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

const visitKey = "visit"

// visit is one request and who makes it.
type visit struct {
	echo.Context
	ui.Page
	office  *office
	staff   *db.Staff     // nil: nobody is signed in
	tenant  uuid.NullUUID // the utility that is shown; an operator may see all of them
	tenants []db.Tenant   // those to choose from
	flash   flash
}

// flash is what a page says once, after an action.
type flash struct{ tone, text string }

// visit reads language and theme. A language that we do not speak is a page that does not exist.
func (o *office) visit(c echo.Context) (*visit, error) {
	lang := ui.Lang(c.Param("lang"))
	if !lang.Known() {
		return nil, echo.ErrNotFound
	}
	r := c.Request()
	v := &visit{Context: c, office: o, Page: ui.Page{Lang: lang, Theme: ui.ThemeOf(r), Address: r.URL.Path[len("/de"):], Query: r.URL.RawQuery}}
	c.Set(visitKey, v)
	return v, nil
}

// signedIn lets staff pass and sends everybody else to sign in.
func (o *office) signedIn(handle func(*office, *visit) error, whom audience) echo.HandlerFunc {
	return func(c echo.Context) error {
		v, err := o.visit(c)
		if err != nil {
			return err
		}
		staff, err := o.whoIs(c.Request().Context())
		if errors.Is(err, db.ErrNotFound) {
			return v.sendToSignIn()
		} else if err != nil {
			return err
		}
		v.staff = &staff
		if whom == operator && !v.operator() {
			return echo.ErrNotFound
		}
		v.SetRequest(v.Request().WithContext(jobs.WithStaff(v.Request().Context(), staff.ID, staff.Name)))
		if v.tenant = staff.TenantID; v.tenant.Valid {
			tenant, err := o.DB.Tenant(c.Request().Context(), v.tenant.UUID)
			if err != nil {
				return fmt.Errorf("utility of %s: %w", staff.ID, err)
			}
			v.tenants = []db.Tenant{tenant}
		} else if err := v.chooseTenant(); err != nil {
			return err
		}
		if c.Request().Method == http.MethodGet && !ui.Partial(c.Request()) {
			tone, text, _ := strings.Cut(o.sessions.PopString(c.Request().Context(), sessionNotice), " ")
			v.flash = flash{tone, text}
		}
		return handle(o, v)
	}
}

// say lets the next page say something; tone is "ok", "warn" or "err".
func (v *visit) say(tone, text string) {
	v.office.sessions.Put(v.Request().Context(), sessionNotice, tone+" "+text)
}

// whoIs is the member of staff that the session belongs to; db.ErrNotFound if nobody.
func (o *office) whoIs(ctx context.Context) (db.Staff, error) {
	id, err := uuid.Parse(o.sessions.GetString(ctx, sessionStaff))
	if err != nil {
		return db.Staff{}, db.ErrNotFound
	}
	return o.DB.Staff(ctx, id)
}

func (v *visit) sendToSignIn() error {
	target := string(v.Link("/signin"))
	if v.Request().Method == http.MethodGet && v.Address != "/overview" && v.Address != "" {
		target += "?next=" + queryEscape(v.Request().URL.RequestURI())
	}
	if v.Request().Header.Get("HX-Request") == "true" { // a redirect would be followed and swapped into the page
		v.Response().Header().Set("HX-Redirect", target)
		return v.NoContent(http.StatusUnauthorized)
	}
	return v.Redirect(http.StatusSeeOther, target)
}

// chooseTenant is for operators: the utility that they have picked, or all.
func (v *visit) chooseTenant() error {
	ctx := v.Request().Context()
	var err error
	if v.tenants, err = v.office.DB.Tenants(ctx); err != nil {
		return fmt.Errorf("utilities: %w", err)
	}
	picked := v.office.sessions.GetString(ctx, sessionTenant)
	for _, t := range v.tenants {
		if t.ID.String() == picked {
			v.tenant = uuid.NullUUID{UUID: t.ID, Valid: true}
		}
	}
	return nil
}

// setUtility picks the utility that an operator sees from now on.
func (o *office) setUtility(v *visit) error {
	if v.staff.TenantID.Valid {
		return echo.ErrNotFound
	}
	o.sessions.Put(v.Request().Context(), sessionTenant, v.FormValue("utility"))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/overview")))
}

// read runs fn on what the visitor may see: in the role of the utility that is shown, or on everything for an operator who
// looks at all of them.
func (v *visit) read(fn func(q *db.Queries) error) error {
	ctx := v.Request().Context()
	if v.tenant.Valid {
		return v.office.DB.TenantTx(ctx, v.tenant.UUID, fn)
	}
	if v.staff.TenantID.Valid {
		return fmt.Errorf("staff %s has a utility and none is shown", v.staff.ID)
	}
	return v.office.DB.Tx(ctx, fn)
}

// id is the id in the address; what is no id is a page that does not exist.
func (v *visit) id() (uuid.UUID, error) {
	id, err := uuid.Parse(v.Param("id"))
	if err != nil {
		return uuid.Nil, db.ErrNotFound
	}
	return id, nil
}

// operator reports whether the visitor runs the platform.
func (v *visit) operator() bool { return !v.staff.TenantID.Valid }

// everyUtility reports whether rows of several utilities stand side by side.
func (v *visit) everyUtility() bool { return !v.tenant.Valid }

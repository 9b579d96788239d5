package office

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/csv"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// wholesaleCheckView is how a utility checks the claims of a partner, and what came of it this month and the last.
type wholesaleCheckView struct {
	partner  db.PartnerHealthRow
	form     fieldForm
	drifts   []drift
	readings []db.ClaimReadingsRow
	events   []db.Event
	since    time.Time
}

// drift is what tolerated differences of a month come to.
type drift struct {
	billing.Drift
	month    time.Time
	currency string
	limit    decimal.Decimal // zero: without limit
	exceeded bool
}

// granted is a tolerance as a person enters it: a fraction in percent.
type granted struct {
	field, unit string
	percent     bool
	usual       decimal.Decimal
	of          func(*db.WholesaleCheck) *decimal.NullDecimal
}

var toleranceFields = []granted{
	{"per_line", "", false, billing.DefaultTolerance.PerLine, func(c *db.WholesaleCheck) *decimal.NullDecimal { return &c.PerLine }},
	{"relative", "%", true, billing.DefaultTolerance.Relative, func(c *db.WholesaleCheck) *decimal.NullDecimal { return &c.Relative }},
	{"energy", "kWh", false, billing.DefaultTolerance.Energy, func(c *db.WholesaleCheck) *decimal.NullDecimal { return &c.Energy }},
	{"hours", "h", false, billing.DefaultTolerance.Time, func(c *db.WholesaleCheck) *decimal.NullDecimal { return &c.Hours }},
	{"month", "", false, billing.DefaultTolerance.Month, func(c *db.WholesaleCheck) *decimal.NullDecimal { return &c.Month }},
	{"month_relative", "%", true, billing.DefaultTolerance.MonthRelative, func(c *db.WholesaleCheck) *decimal.NullDecimal { return &c.MonthRelative }},
}

// text is a tolerance as it stands in the form.
func (g *granted) text(d decimal.Decimal, lang ui.Lang) string {
	if g.percent {
		d = d.Shift(2)
	}
	return csv.Number(d, string(lang))
}

func (o *office) wholesaleCheck(v *visit) error {
	view, check, err := v.loadWholesaleCheck()
	if err != nil {
		return err
	}
	view.form.values = url.Values{"reading": {check.Reading}}
	for i := range toleranceFields {
		g := &toleranceFields[i]
		if set := *g.of(&check); set.Valid {
			view.form.values.Set(g.field, g.text(set.Decimal, v.Lang))
		}
	}
	return v.render(http.StatusOK, wholesaleCheckPage(v, view))
}

// loadWholesaleCheck reads what the utility has set for the partner of the address; nothing is set before it is.
func (v *visit) loadWholesaleCheck() (view wholesaleCheckView, check db.WholesaleCheck, err error) {
	if view.partner, err = v.partnerOfPath(); err != nil {
		return view, check, err
	}
	ctx, now := v.Request().Context(), v.office.Now().UTC()
	tenant, partner := v.tenant.UUID, view.partner.ID
	view.since = time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	var drifts []db.WholesaleDriftsRow
	err = v.read(func(q *db.Queries) error {
		if check, err = q.WholesaleCheck(ctx, db.WholesaleCheckParams{TenantID: tenant, PartnerID: partner}); err != nil && !errors.Is(err, db.ErrNotFound) {
			return err
		}
		drifts, err = q.WholesaleDrifts(ctx, db.WholesaleDriftsParams{
			Since: view.since, TenantID: uuid.NullUUID{UUID: tenant, Valid: true}, PartnerID: uuid.NullUUID{UUID: partner, Valid: true},
		})
		if err != nil {
			return err
		}
		if view.readings, err = q.ClaimReadings(ctx, db.ClaimReadingsParams{TenantID: tenant, PartnerID: partner, Since: view.since}); err != nil {
			return err
		}
		view.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "partner", SubjectID: partner})
		return err
	})
	check.TenantID, check.PartnerID = tenant, partner
	view.events = slices.DeleteFunc(view.events, func(e db.Event) bool { return e.What != "wholesale-check" || e.TenantID.UUID != tenant })
	tolerance := jobs.ToleranceOf(check)
	for _, row := range drifts {
		d := jobs.DriftOf(row)
		view.drifts = append(view.drifts, drift{d, row.Month.UTC(), row.Currency, d.Limit(tolerance), d.Exceeds(tolerance, row.Currency) != nil})
	}
	return view, check, err
}

// setWholesaleCheck sets by which reading the claims of a partner are checked and what they may differ.
func (o *office) setWholesaleCheck(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	view, check, err := v.loadWholesaleCheck()
	if err != nil {
		return err
	}
	view.form = fieldForm{values: form, errors: map[string]string{}}
	check.Reading = form.Get("reading")
	for i := range toleranceFields {
		g := &toleranceFields[i]
		text := strings.TrimSpace(form.Get(g.field))
		set := amountOf(text)
		if text != "" && !set.Valid {
			view.form.errors[g.field] = v.Lang.T("limit.wrong", text)
		}
		if g.percent {
			set.Decimal = set.Decimal.Shift(-2)
		}
		*g.of(&check) = set
	}
	if len(view.form.errors) == 0 {
		err = o.SetWholesaleCheck(v.Request().Context(), check, strings.TrimSpace(form.Get("note")))
	}
	var refused *ocpi.Error
	if errors.As(err, &refused) && len(refused.Findings) > 0 {
		field := refused.Findings[0].Path
		view.form.errors[field] = v.Lang.T("claims.wrong." + field)
	} else if err != nil {
		return fmt.Errorf("set wholesale check: %w", err)
	}
	if len(view.form.errors) > 0 {
		return v.render(http.StatusUnprocessableEntity, wholesaleCheckPage(v, view))
	}
	v.say("ok", v.Lang.T("claims.saved"))
	return v.Redirect(http.StatusSeeOther, v.pathOf("/partners/"+view.partner.ID.String()+"/claims", ""))
}

// readingText is by which reading claims come out, in words.
func (v *visit) readingText(r db.ClaimReadingsRow) string {
	switch {
	case r.Reading != "":
		return billing.SayReading(r.Reading, string(v.Lang))
	case r.AtStake:
		return v.Lang.T("claims.atstake")
	}
	return v.Lang.T("claims.none")
}

// claimFields are the fields of the form, in their order.
func claimFields() []string {
	fields := []string{"reading"}
	for _, g := range toleranceFields {
		fields = append(fields, g.field)
	}
	return fields
}

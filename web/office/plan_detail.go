package office

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// planView is a plan with its versions.
type planView struct {
	planRow
	versions []*planVersion // the oldest first
	shown    *planVersion
	against  *planVersion // nil: nothing to compare with
	changes  []planChange // in words
	fields   []change
	parts    []planPart
	samples  []planSample
}

// planPart is something that a plan consists of, in words.
type planPart struct{ what, price, when string }

// planChange is a part that is not the same in two versions. What is empty was not there.
type planChange struct{ what, when, before, after string }

// compareParts lists what a version changed, in words.
func compareParts(before, after []planPart) []planChange {
	var changes []planChange
	for _, b := range before {
		i := slices.IndexFunc(after, func(a planPart) bool { return a.what == b.what && a.when == b.when })
		switch {
		case i < 0:
			changes = append(changes, planChange{b.what, b.when, b.price, ""})
		case after[i].price != b.price:
			changes = append(changes, planChange{b.what, b.when, b.price, after[i].price})
		}
	}
	for _, a := range after {
		if !slices.ContainsFunc(before, func(b planPart) bool { return a.what == b.what && a.when == b.when }) {
			changes = append(changes, planChange{a.what, a.when, "", a.price})
		}
	}
	return changes
}

func (o *office) planDetail(v *visit) error {
	p, err := v.loadPlan()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, planDetailPage(v, p))
}

// loadPlan is the plan of the address, in the version that is asked for.
func (v *visit) loadPlan() (p planView, err error) {
	id, err := v.id()
	if err != nil {
		return p, err
	}
	err = v.read(func(q *db.Queries) error {
		plan, err := q.PlanOfTenant(v.Request().Context(), db.PlanOfTenantParams{ID: id, TenantID: v.tenant.UUID})
		if err != nil {
			return err
		}
		rows, err := v.plans(q)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(r planRow) bool { return r.id == id })
		if i < 0 {
			return db.ErrNotFound
		}
		p.planRow = rows[i]
		versions, err := q.PlanVersions(v.Request().Context(), db.PlanVersionsParams{TenantID: v.tenant.UUID, Name: plan.Name})
		if err != nil {
			return fmt.Errorf("versions of plan %s: %w", id, err)
		}
		for _, row := range versions {
			read, err := readPlanVersion(row)
			if err != nil {
				return err
			}
			p.versions = append(p.versions, read)
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	if p.shown = p.now; p.shown == nil {
		p.shown = p.next
	}
	for _, x := range p.versions {
		if fmt.Sprint(x.Version) == v.QueryParam("version") {
			p.shown = x
		}
	}
	for _, x := range p.versions {
		if x.Version < p.shown.Version {
			p.against = x
		}
	}
	if p.against != nil {
		if p.fields, err = compare(p.against.Doc, p.shown.Doc); err != nil {
			return p, fmt.Errorf("compare versions of plan %s: %w", id, err)
		}
	}
	p.parts = v.planParts(&p.shown.plan)
	if p.against != nil {
		p.changes = compareParts(v.planParts(&p.against.plan), p.parts)
	}
	p.samples = samplePrices(p.shown.plan, v.office.Now())
	return p, nil
}

// standing is how a version stands: "now", "coming" or "over".
func (p planView) standing(x *planVersion) string {
	switch {
	case x == p.now:
		return "now"
	case p.now == nil || x.ValidFrom.After(p.now.ValidFrom):
		return "coming"
	}
	return "over"
}

var standingTones = map[string]string{"now": "ok", "coming": "info", "over": ""}

// planParts are the prices of a plan and all that reduces them, in words.
func (v *visit) planParts(p *billing.Plan) []planPart {
	var parts []planPart
	currency := p.Tariff.Currency
	add := func(what, price, when string) { parts = append(parts, planPart{what: what, price: price, when: when}) }
	for _, price := range p.Prices() {
		add(v.Lang.T("dimension."+string(price.Dimension)), v.unitPrice(price, currency), v.restrictionText(price.If))
	}
	for _, c := range p.Caps {
		add(v.Lang.T("plan.cap"), v.Lang.Money(c.Max, currency), v.ofDimensions(c.Of))
	}
	for _, a := range p.Allowances {
		add(v.Lang.T("plan.allowance"), v.Lang.T("plan.allowance.month", v.Lang.Exact(a.Quantity, 0, 3), v.Lang.T("plan.unit."+string(a.Unit))), v.ofDimensions(a.Of))
	}
	for _, d := range p.Discounts {
		off := v.Lang.Percent(d.Percent)
		if d.Amount.IsPositive() {
			off = v.Lang.Money(d.Amount, currency)
		}
		when := v.ofDimensions(d.Of)
		if !d.From.IsZero() {
			when += " · " + v.Lang.T("plan.since", v.Lang.DateTime(d.From))
		}
		if !d.To.IsZero() {
			when += " · " + v.Lang.T("plan.until", v.Lang.DateTime(d.To))
		}
		add(v.Lang.T("plan.discount", d.Name), off, when)
	}
	limit := func(key string, price *ocpi.Price) {
		switch {
		case price == nil:
		case p.TaxIncluded && price.InclVAT.Valid:
			add(v.Lang.T(key), v.Lang.Money(price.InclVAT.Decimal, currency), v.Lang.T("plan.per.session"))
		case price.ExclVAT.Valid:
			add(v.Lang.T(key), v.Lang.Money(price.ExclVAT.Decimal, currency), v.Lang.T("plan.per.session"))
		}
	}
	limit("dimension.MIN_PRICE", p.Tariff.MinPrice)
	limit("dimension.MAX_PRICE", p.Tariff.MaxPrice)
	if fee, ok := p.Fee(billing.FeeBase); ok {
		add(v.Lang.T("plan.fee.BASE"), v.Lang.Money(fee.Price, currency), v.Lang.T("plan.per.month"))
	}
	for _, fee := range p.OneOffFees {
		add(v.Lang.T("plan.fee."+string(fee.Kind)), v.Lang.Money(fee.Price, currency), v.Lang.T("plan.per.once"))
	}
	return parts
}

// ofDimensions says what something reduces.
func (v *visit) ofDimensions(of []billing.Dimension) string {
	if len(of) == len(billing.Reducible) {
		return v.Lang.T("plan.everything")
	}
	names := make([]string, len(of))
	for i, d := range of {
		names[i] = v.Lang.T("dimension." + string(d))
	}
	return strings.Join(names, ", ")
}

// unitPrice is a price with its unit; times by the minute, where that can be written.
func (v *visit) unitPrice(p billing.PlanPrice, currency string) string {
	switch p.Unit {
	case billing.KWh:
		return v.Lang.Price(p.Price, currency) + "/kWh"
	case billing.Hour:
		if minute := p.Price.DivRound(decimal.NewFromInt(60), 8); minute.Equal(minute.Round(4)) {
			return v.Lang.Price(minute, currency) + "/min"
		}
		return v.Lang.Price(p.Price, currency) + "/h"
	}
	return v.Lang.Price(p.Price, currency)
}

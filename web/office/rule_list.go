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
	"github.com/roamwerk/roamwerk/web/ui"
)

// ruleRow is a line of the catalogue with how it fares at a utility.
type ruleRow struct {
	*billing.Rule
	setting  billing.Setting // that counts for partners without one of their own
	changed  bool            // the utility has set it
	partners int             // with a setting of their own
	hits     ruleHits
	measured *db.RuleMeasuresRow // nil: nothing was measured
}

// ruleHits are the CDRs that a rule has flagged, and what people made of them.
type ruleHits struct{ hits, accepted, disputed, waived, dropped, open int64 }

func (h *ruleHits) add(r db.RuleHitsRow) {
	h.hits, h.accepted, h.disputed = h.hits+r.Hits, h.accepted+r.Accepted, h.disputed+r.Disputed
	h.waived, h.dropped, h.open = h.waived+r.Waived, h.dropped+r.Dropped, h.open+r.Open
}

// rulePage is the catalogue as it counts for a utility.
type rulePage struct {
	listQuery
	rows     []ruleRow
	since    time.Time
	until    time.Time
	months   []time.Time
	partners []db.PartnerNamesRow
}

// ruleMonth is the month whose CDRs a page about rules counts: the one that was chosen, or the last complete one.
func (v *visit) ruleMonth(choice string) (since, until time.Time) {
	if start, err := time.ParseInLocation("2006-01", choice, ui.Berlin); err == nil {
		return start, start.AddDate(0, 1, 0)
	}
	now := v.office.Now().In(ui.Berlin)
	this := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, ui.Berlin)
	return this.AddDate(0, -1, 0), this
}

func settingOf(s db.RuleSettingsRow) billing.Setting {
	return billing.Setting{Enabled: s.Enabled, Limits: billing.Limits{Info: s.InfoLimit, Flag: s.FlagLimit, Block: s.BlockLimit}}
}

func (o *office) ruleList(v *visit) error {
	p := rulePage{listQuery: readList(v, "month", "partner"), months: v.months(13)}
	p.since, p.until = v.ruleMonth(p.get("month"))
	if !v.tenant.Valid {
		return v.render(http.StatusOK, ruleListPage(v, p))
	}
	ctx, partner := v.Request().Context(), partnerOf(p.listQuery)
	var settings []db.RuleSettingsRow
	var hits []db.RuleHitsRow
	var measures []db.RuleMeasuresRow
	err := v.read(func(q *db.Queries) (err error) {
		if settings, err = q.RuleSettings(ctx, db.RuleSettingsParams{TenantID: v.tenant.UUID}); err != nil {
			return err
		}
		if hits, err = q.RuleHits(ctx, db.RuleHitsParams{TenantID: v.tenant.UUID, Since: p.since, Until: p.until, PartnerID: partner}); err != nil {
			return err
		}
		if measures, err = q.RuleMeasures(ctx, db.RuleMeasuresParams{TenantID: v.tenant.UUID, Since: p.since, Until: p.until, PartnerID: partner}); err != nil {
			return err
		}
		p.partners, err = q.PartnerNames(ctx, v.tenant)
		return err
	})
	if err != nil {
		return err
	}
	for i := range billing.Rules {
		p.rows = append(p.rows, newRuleRow(&billing.Rules[i], settings, hits, measures))
	}
	return v.render(http.StatusOK, ruleListPage(v, p))
}

func newRuleRow(rule *billing.Rule, settings []db.RuleSettingsRow, hits []db.RuleHitsRow, measures []db.RuleMeasuresRow) ruleRow {
	row := ruleRow{Rule: rule, setting: billing.Setting{Enabled: true, Limits: rule.Limits}}
	for _, s := range settings {
		switch {
		case s.Rule != rule.Key() || s.EndedAt != nil:
		case s.PartnerID.Valid:
			row.partners++
		default:
			row.setting, row.changed = settingOf(s), true
		}
	}
	for _, h := range hits {
		if h.Rule == rule.ID {
			row.hits.add(h)
		}
	}
	if at := slices.IndexFunc(measures, func(m db.RuleMeasuresRow) bool { return m.Rule == rule.Key() }); at >= 0 {
		row.measured = &measures[at]
	}
	return row
}

// limitText is a limit with the unit of its rule.
func (v *visit) limitText(rule *billing.Rule, limit decimal.NullDecimal) string {
	if !limit.Valid {
		return none
	}
	return v.measure(rule, limit.Decimal)
}

// measure is what a rule has measured, with its unit.
func (v *visit) measure(rule *billing.Rule, d decimal.Decimal) string {
	return strings.TrimSpace(v.Lang.Exact(d, 0, 2) + " " + v.unit(rule.Unit))
}

// ruleView is one line of the catalogue with its settings.
type ruleView struct {
	ruleRow
	partner  uuid.NullUUID // whose setting the form is about; none: every partner
	partners []db.PartnerNamesRow
	settings []db.RuleSettingsRow // those that count first, then those of before
	hits     []db.RuleHitsRow     // by partner
	form     fieldForm
	would    []db.RuleWouldFlagRow // by limit and partner
	limits   []decimal.Decimal     // that were tried
	since    time.Time
	months   []time.Time
}

// limitFields are the fields of the limits, the quietest first.
var limitFields = []string{"info", "flag", "block"}

func (o *office) loadRule(v *visit, given url.Values) (r ruleView, err error) {
	rule, known := billing.RuleByKey(v.Param("key"))
	if !known || !v.tenant.Valid {
		return r, db.ErrNotFound
	}
	ctx := v.Request().Context()
	since, until := v.ruleMonth(given.Get("month"))
	r.since, r.months, r.form.values = since, v.months(13), given
	r.partner = partnerOf(listQuery{values: given})
	err = v.read(func(q *db.Queries) error {
		if r.settings, err = q.RuleSettings(ctx, db.RuleSettingsParams{TenantID: v.tenant.UUID, History: true, Rule: rule.Key()}); err != nil {
			return err
		}
		hits, err := q.RuleHits(ctx, db.RuleHitsParams{TenantID: v.tenant.UUID, Since: since, Until: until})
		if err != nil {
			return err
		}
		r.ruleRow = newRuleRow(rule, r.settings, hits, nil)
		r.hits = slices.DeleteFunc(hits, func(h db.RuleHitsRow) bool { return h.Rule != rule.ID })
		if r.partners, err = q.PartnerNames(ctx, v.tenant); err != nil || rule.At != "" {
			return err
		}
		r.prefill(v)
		if r.limits, r.form.errors = v.readLimits(r.form.values); len(r.limits) == 0 {
			return nil
		}
		r.would, err = q.RuleWouldFlag(ctx, db.RuleWouldFlagParams{TenantID: v.tenant.UUID, Rule: rule.Key(), Below: rule.Below, Limits: r.limits, Since: since, Until: until, PartnerID: r.partner})
		return err
	})
	return r, err
}

// prefill puts the setting that counts into a form that has none.
func (r *ruleView) prefill(v *visit) {
	for _, field := range append(limitFields, "enabled") {
		if r.form.values.Has(field) {
			return
		}
	}
	s := r.setting
	for _, x := range r.settings {
		if x.EndedAt == nil && r.partner.Valid && x.PartnerID == r.partner {
			s = settingOf(x)
		}
	}
	values := url.Values{"partner": {r.form.values.Get("partner")}, "month": {r.form.values.Get("month")}}
	for i, limit := range []decimal.NullDecimal{s.Info, s.Flag, s.Block} {
		if limit.Valid {
			values.Set(limitFields[i], csv.Number(limit.Decimal, string(v.Lang)))
		}
	}
	if s.Enabled {
		values.Set("enabled", "1")
	}
	r.form.values = values
}

// readLimits reads the limits of a form; what cannot be read is told by its field.
func (v *visit) readLimits(values url.Values) (limits []decimal.Decimal, wrong map[string]string) {
	wrong = map[string]string{}
	for _, field := range limitFields {
		text := strings.TrimSpace(values.Get(field))
		if text == "" {
			continue
		}
		limit := amountOf(text)
		if !limit.Valid {
			wrong[field] = v.Lang.T("limit.wrong", text)
			continue
		}
		limits = append(limits, limit.Decimal)
	}
	return limits, wrong
}

// ruleDetail shows a rule, its settings, and what other limits would have flagged.
func (o *office) ruleDetail(v *visit) error {
	r, err := o.loadRule(v, v.QueryParams())
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, ruleDetailPage(v, r))
}

// saveRule sets the limits of a rule, or takes a setting back.
func (o *office) saveRule(v *visit) error {
	params, err := v.FormParams()
	if err != nil {
		return err
	}
	r, err := o.loadRule(v, params)
	if err != nil {
		return err
	}
	change := jobs.RuleChange{Partner: r.partner, Rule: r.Key(), Reason: strings.TrimSpace(params.Get("reason"))}
	if params.Get("reset") == "" {
		change.Setting = &billing.Setting{Enabled: params.Get("enabled") != "", Limits: billing.Limits{Info: amountOf(params.Get("info")), Flag: amountOf(params.Get("flag")), Block: amountOf(params.Get("block"))}}
	}
	if len(r.form.errors) == 0 {
		err = o.SetRule(v.Request().Context(), v.tenant.UUID, change)
	}
	var refusal *jobs.Refusal
	if errors.As(err, &refusal) {
		r.form.errors = map[string]string{"reason": v.sentence(refusal.Text)}
	} else if err != nil {
		return fmt.Errorf("set rule %s: %w", r.Key(), err)
	}
	if len(r.form.errors) > 0 {
		return v.render(http.StatusUnprocessableEntity, ruleDetailPage(v, r))
	}
	v.say("ok", v.Lang.T("rule.saved", r.Key()))
	return v.Redirect(http.StatusSeeOther, v.pathOf("/rules/"+r.Key(), ""))
}

// tried sums up what a limit would have flagged at every partner.
func (r ruleView) tried(limit decimal.Decimal) (sum db.RuleWouldFlagRow) {
	for _, w := range r.would {
		if w.LimitValue.Equal(limit) {
			sum.Measured, sum.Flagged, sum.Claimed = sum.Measured+w.Measured, sum.Flagged+w.Flagged, sum.Claimed.Add(w.Claimed)
		}
	}
	return sum
}

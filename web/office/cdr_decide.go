package office

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// decisionKinds are the decisions that forms offer, in their order; key opens the form of a single CDR, bulk ones are there for
// many CDRs too.
var decisionKinds = []struct {
	kind   jobs.DecisionKind
	key    string
	fields []string
	bulk   bool
}{
	{kind: jobs.Accept, key: "a", fields: []string{"side", "reason"}, bulk: true},
	{kind: jobs.Remember, key: "m", fields: []string{"rule", "reason", "everywhere"}},
	{kind: jobs.Waive, key: "w", fields: []string{"reason"}, bulk: true},
	{kind: jobs.HoldUntil, key: "h", fields: []string{"until", "reason"}, bulk: true},
	{kind: jobs.Contest, key: "d", fields: []string{"dispute", "accepted", "note"}, bulk: true},
	{kind: jobs.RefuseClaim, fields: []string{"reason"}, bulk: true},
	{kind: jobs.Reassign, fields: []string{"card", "contract", "from", "to", "reason"}},
	{kind: jobs.Retariff, fields: []string{"plan", "reason"}, bulk: true},
	{kind: jobs.Rerate, fields: []string{"reason"}, bulk: true},
	{kind: jobs.Drop, fields: []string{"reason"}, bulk: true},
	{kind: jobs.Note, key: "n", fields: []string{"reason"}, bulk: true},
	{kind: jobs.Assign, fields: []string{"assignee"}, bulk: true},
}

// refusedField is the field that a refusal is about; the others are about the CDR.
var refusedField = map[string]string{
	"no-reason": "reason", "no-note": "reason", "no-date": "until", "dispute-reason": "dispute", "dispute-amount": "accepted", "no-target": "card", "no-card": "card", "card-unknown": "card",
	"contract-unknown": "contract", "period": "to", "plan-unknown": "plan",
}

// disputeReasonOf is the reason for a dispute that a rule suggests.
var disputeReasonOf = map[string]string{
	"P02": "duplicate", "P03": "overlap", "P04": "overlap", "P05": "energy", "P06": "energy", "P07": "energy", "P08": "energy", "P09": "price", "P11": "duration", "P12": "duration", "P13": "duration",
	"P14": "energy", "P15": "price", "P16": "price", "P17": "tariff", "P18": "currency", "P19": "vat", "P20": "token", "P21": "token", "P23": "operator", "P25": "late", "P28": "price", "P31": "meter",
}

// decisionForm is a decision as a person enters it.
type decisionForm struct {
	kind   jobs.DecisionKind
	values url.Values
	errors map[string]string // by field; that of "" is about the CDR
	effect *jobs.Effect      // of a preview
}

// choices are what a decision can name.
type choices struct {
	plans []db.PlanChoicesRow
	staff []string
	rules []string // that have flagged the CDR
}

// is reports whether the form is the one of a decision.
func (f decisionForm) is(kind jobs.DecisionKind) bool { return f.kind == kind }

// value is what stands in a field of the form of a decision: what was entered, or what suggests itself.
func (f decisionForm) value(kind jobs.DecisionKind, field, suggested string) string {
	if f.is(kind) && f.values.Has(field) {
		return f.values.Get(field)
	}
	return suggested
}

// wrongFields are the fields that something is wrong with.
func (f decisionForm) wrongFields() []string { return slices.Sorted(maps.Keys(f.errors)) }

func (f decisionForm) wrong(kind jobs.DecisionKind, field string) string {
	if !f.is(kind) {
		return ""
	}
	return f.errors[field]
}

// readDecision reads a form. What cannot be read is told by its field.
func (v *visit) readDecision(q *db.Queries, tenant uuid.UUID, form url.Values) (jobs.Decision, map[string]string, error) {
	text := func(field string) string { return strings.TrimSpace(form.Get(field)) }
	wrong := map[string]string{}
	d := jobs.Decision{
		Kind: jobs.DecisionKind(form.Get("kind")), Reason: text("reason"), Side: text("side"), Rule: text("rule"), ForAll: form.Get("everywhere") != "", Assignee: text("assignee"),
		Dispute: jobs.NewDispute{Reason: text("dispute"), Note: text("note")},
	}
	moment := func(field string) *time.Time {
		if text(field) == "" {
			return nil
		}
		at, err := readMoment(text(field))
		if err != nil {
			wrong[field] = v.Lang.T("date.wrong", text(field))
			return nil
		}
		return &at
	}
	d.Until, d.From, d.To = moment("until"), moment("from"), moment("to")
	if text("accepted") != "" {
		if d.Dispute.Accepted = amountOf(text("accepted")); !d.Dispute.Accepted.Valid {
			wrong["accepted"] = v.Lang.T("amount.wrong", text("accepted"))
		}
	}
	if text("plan") != "" {
		id, err := uuid.Parse(text("plan"))
		if err != nil {
			wrong["plan"] = v.sentence(jobs.RefusalText("plan-unknown"))
		}
		d.Plan = uuid.NullUUID{UUID: id, Valid: err == nil}
	}
	ctx := v.Request().Context()
	for _, named := range []struct {
		field, refusal string
		into           *uuid.NullUUID
		find           func(string) (uuid.UUID, error)
	}{
		{"card", "card-unknown", &d.Card, func(s string) (uuid.UUID, error) {
			return q.CardByNumber(ctx, db.CardByNumberParams{TenantID: tenant, Number: s})
		}},
		{"contract", "contract-unknown", &d.Contract, func(s string) (uuid.UUID, error) {
			c, err := q.ContractByEMAID(ctx, db.ContractByEMAIDParams{TenantID: tenant, ContractID: s})
			return c.ID, err
		}},
	} {
		if text(named.field) == "" {
			continue
		}
		id, err := named.find(text(named.field))
		if errors.Is(err, db.ErrNotFound) {
			wrong[named.field] = v.sentence(jobs.RefusalText(named.refusal))
			continue
		} else if err != nil {
			return d, nil, err
		}
		*named.into = uuid.NullUUID{UUID: id, Valid: true}
	}
	return d, wrong, nil
}

// readMoment reads a day or an instant in German time, as browsers send it or as Germans write it. A day is its beginning.
func readMoment(text string) (time.Time, error) {
	var at time.Time
	var err error
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2.1.2006", "2.1.2006 15:04"} {
		if at, err = time.ParseInLocation(layout, text, ui.Berlin); err == nil {
			return at, nil
		}
	}
	return at, err
}

// decideCDR carries a decision about one CDR out, or shows what it would do. What is wrong with it stands beside its field.
func (o *office) decideCDR(v *visit) error {
	ctx := v.Request().Context()
	params, err := v.FormParams()
	if err != nil {
		return err
	}
	form := decisionForm{kind: jobs.DecisionKind(params.Get("kind")), values: params}
	var c cdrView
	var d jobs.Decision
	err = v.read(func(q *db.Queries) (err error) {
		if c, err = loadCDR(v, q, params.Get("list")); err != nil {
			return err
		}
		d, form.errors, err = v.readDecision(q, c.CDRState.TenantID, params)
		return err
	})
	if err != nil {
		return err
	}
	id, tenant := c.CDRState.CDRID, c.CDRState.TenantID
	var effect jobs.Effect
	switch {
	case len(form.errors) > 0:
	case params.Get("preview") != "":
		effect, err = o.PreviewDecision(ctx, tenant, jobs.Selection{IDs: []uuid.UUID{id}}, d)
		if err == nil && len(effect.Refused) > 0 {
			form.refuse(v, effect.Refused[0].Code)
		} else {
			form.effect = &effect
		}
	default:
		effect, err = o.Decide(ctx, tenant, id, d)
	}
	var refusal *jobs.Refusal
	if errors.As(err, &refusal) {
		form.refuse(v, refusal.Code)
	} else if err != nil {
		return err
	}
	c.form = form
	switch {
	case len(form.errors) > 0:
		return v.render(http.StatusUnprocessableEntity, cdrDetailPage(v, c))
	case form.effect != nil:
		return v.render(http.StatusOK, cdrDetailPage(v, c))
	}
	v.say("ok", c.CDRState.OCPIID+": "+v.effectText(effect))
	target := id
	if c.list.next.Valid && params.Get("next") != "" {
		target = c.list.next.UUID
	}
	return v.Redirect(http.StatusSeeOther, v.cdrHref(target, c.list.query))
}

// refuse puts a refusal beside the field that it is about.
func (f *decisionForm) refuse(v *visit, code string) {
	if f.errors == nil {
		f.errors = map[string]string{}
	}
	f.errors[refusedField[code]] = v.sentence(jobs.RefusalText(code))
}

// effectText says in a line what a decision did to one CDR.
func (v *visit) effectText(e jobs.Effect) string {
	var parts []string
	for _, o := range e.Outcomes {
		part := v.Lang.T("outcome." + o.Outcome)
		if !o.RetailBefore.Equal(o.RetailAfter) {
			part += ", " + v.Lang.T("outcome.retail", v.Lang.Money(o.RetailBefore, o.Currency), v.Lang.Money(o.RetailAfter, o.Currency))
		}
		parts = append(parts, part)
	}
	if e.Others > 0 {
		parts = append(parts, v.Lang.N("outcome.others", int64(e.Others)))
	}
	return strings.Join(parts, " · ")
}

// loadChoices reads what the decisions about a utility's CDRs can name.
func (v *visit) loadChoices(q *db.Queries, tenant uuid.UUID) (c choices, err error) {
	ctx := v.Request().Context()
	if c.plans, err = q.PlanChoices(ctx, tenant); err != nil {
		return c, fmt.Errorf("plans: %w", err)
	}
	if c.staff, err = q.StaffChoices(ctx, uuid.NullUUID{UUID: tenant, Valid: true}); err != nil {
		return c, fmt.Errorf("staff: %w", err)
	}
	return c, nil
}

// possible reports whether a decision can be about a CDR as it is; what is not offered could not be done.
func (c *cdrView) possible(kind jobs.DecisionKind) bool {
	s := c.CDRState
	settled, credit := s.State == "credited" || s.State == "dropped", s.CreditReference != ""
	switch kind {
	case jobs.Note, jobs.Assign:
		return true
	case jobs.Accept:
		return !settled && c.proposal == nil && (c.rating != nil || credit && s.State == "held")
	case jobs.Remember:
		return !settled && c.proposal == nil && !credit && c.rating != nil && len(c.choices.rules) > 0
	case jobs.Waive:
		return !settled && c.proposal == nil && !credit && c.rating != nil && s.RetailState != "waived"
	case jobs.HoldUntil:
		return !settled && c.proposal == nil && !credit && c.rating != nil && s.State != "invoiced"
	case jobs.Contest, jobs.RefuseClaim:
		return s.State != "received" && !credit && s.CPOState != "disputed" && s.CPOState != "credited" && (kind == jobs.Contest || s.CPOState != "refused")
	case jobs.Reassign, jobs.Retariff, jobs.Rerate:
		return !settled && !credit && s.State != "received"
	case jobs.Drop:
		return !settled && c.proposal == nil && s.State != "received"
	}
	return false
}

// suggested is what a field of a decision about a CDR begins with.
func (c *cdrView) suggested(v *visit, kind jobs.DecisionKind, field string) string {
	switch field {
	case "dispute":
		for _, flag := range c.CDRState.Flags {
			if reason := disputeReasonOf[flag]; reason != "" {
				return reason
			}
		}
		return "price"
	case "until":
		return v.office.Now().In(ui.Berlin).AddDate(0, 0, 7).Format(time.DateOnly)
	case "from":
		if kind == jobs.Reassign {
			return c.CDRState.StartedAt.In(ui.Berlin).Format("2006-01-02T15:04")
		}
	case "assignee":
		return cmp.Or(c.CDRState.Assignee, v.staff.Name)
	case "plan":
		return nullID(c.CDRState.PlanID)
	}
	return ""
}

func nullID(id uuid.NullUUID) string {
	if !id.Valid {
		return ""
	}
	return id.UUID.String()
}

// flaggingRules are the keys of the rules that have flagged a rating, for those that can be remembered.
func (r *cdrRating) flaggingRules() (keys []string) {
	for _, f := range r.findings {
		if key := f.Params["rule"]; f.Severity != billing.Info && key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// ruleKeyName is a line of the catalogue of rules in words.
func (v *visit) ruleKeyName(key string) string {
	rule, known := billing.RuleByKey(key)
	if !known {
		return key
	}
	return key + " · " + v.sentence(rule.What)
}

// listContext is the list that a CDR was opened from, and its neighbours there.
type listContext struct {
	query          string
	previous, next uuid.NullUUID
}

// cdrHref is the page of a CDR, with the list that it was opened from.
func (v *visit) cdrHref(id uuid.UUID, list string) string {
	values := url.Values{}
	if list != "" {
		values.Set("list", list)
	}
	return v.pathOf("/cdrs/"+id.String(), values.Encode())
}

// neighbours finds the CDRs before and behind one in a list. A CDR that the list does not find any more, because it was
// decided about, still has its place there.
func (v *visit) neighbours(q *db.Queries, id uuid.UUID, query string) (c listContext, err error) {
	values, err := url.ParseQuery(query)
	if err != nil || len(query) > 2000 {
		return c, nil //nolint:nilerr // somebody has written it by hand
	}
	ctx := v.Request().Context()
	l := listOf(string(v.Link("/cdrs")), values, cdrFilters...)
	c.query = viewQuery(l.values)
	self := db.CDRListParams{TenantID: v.tenant, Filter: jobs.Selection{IDs: []uuid.UUID{id}}.Filter(), MaxRows: 1}
	self.Sort, self.Direction = l.order(cdrOrder)
	here, err := q.CDRList(ctx, self)
	if err != nil || len(here) == 0 {
		return c, err
	}
	beside := func(backward bool) (uuid.NullUUID, error) {
		p := self
		p.Filter, p.Paged, p.Backward, p.AfterKey, p.AfterID = v.cdrSelection(l).Filter(), true, backward, here[0].Key, id
		rows, err := q.CDRList(ctx, p)
		if err != nil || len(rows) == 0 {
			return uuid.NullUUID{}, err
		}
		return uuid.NullUUID{UUID: rows[0].CDRID, Valid: true}, nil
	}
	if c.previous, err = beside(true); err != nil {
		return c, err
	}
	c.next, err = beside(false)
	return c, err
}

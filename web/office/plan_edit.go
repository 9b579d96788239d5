package office

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// planEditor is a plan that is being written.
type planEditor struct {
	planForm
	plan    db.Plan        // zero: a new one
	in      *db.PriceDraft // in which the plan is written; nil: it stands for itself
	drafts  []db.PriceDraft
	errors  map[string]string // by field
	wrong   []ocpi.Finding    // what stands in no field
	kept    bool              // the document cannot be shown as a form
	text    string            // what it costs
	unit    string            // currency
	samples []planSample
	lint    []lint.Finding
}

// newPlan is what a new plan begins with.
const newPlan = `{"currency":"EUR","tax_included":"YES","type":"REGULAR","elements":[{"price_components":[{"type":"ENERGY","price":0.59,"vat":19,"step_size":1}]}]}`

func (o *office) planNew(v *visit) error {
	e, err := v.planEditor(formOf([]byte(newPlan)), db.Plan{}, nil)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, planEditPage(v, e))
}

func (o *office) planEdit(v *visit) error {
	p, err := v.loadPlan()
	if err != nil {
		return err
	}
	f := formOf(p.shown.Doc)
	f.document = f.document || v.QueryParam("mode") == "document"
	e, err := v.planEditor(f, db.Plan{ID: p.id, Name: p.name()}, nil)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, planEditPage(v, e))
}

// planEditor looks at what a form makes.
func (v *visit) planEditor(f planForm, plan db.Plan, in *db.PriceDraft) (e planEditor, err error) {
	e = planEditor{planForm: f, plan: plan, in: in}
	v.judge(&e)
	err = v.read(func(q *db.Queries) error {
		e.drafts, err = q.PriceDrafts(v.Request().Context(), v.tenant.UUID)
		return err
	})
	return e, err
}

// judge prices the usual sessions by what the form makes, and says what is wrong or odd about it.
func (v *visit) judge(e *planEditor) {
	e.errors, e.unit = map[string]string{}, "EUR"
	w := e.write()
	for _, field := range w.wrong {
		e.errors[field] = v.Lang.T("plan.wrong.number")
	}
	if len(w.wrong) > 0 {
		return
	}
	plan, err := billing.ParsePlan(w.doc)
	if err == nil {
		_, err = readMembers(w.doc)
	}
	if err != nil {
		v.blame(e, &w, err)
		return
	}
	e.kept = e.document && formOf(w.doc).document
	e.text, e.unit, e.samples = billing.PriceText(&plan, string(v.Lang)), plan.Tariff.Currency, samplePrices(plan, v.office.Now())
	e.lint = worstFirst(lint.Lint(plan.Tariff, ui.Berlin))
}

// blame puts what is wrong with a plan beside the field that it came from.
func (v *visit) blame(e *planEditor, w *planWriter, err error) {
	findings := []ocpi.Finding{{Rule: err.Error()}}
	if refused := refusal(err); refused != nil && len(refused.Findings) > 0 {
		findings = refused.Findings
	}
	for _, f := range findings {
		if field, ok := w.field(f.Path); ok && !e.document {
			e.errors[field] = cmp.Or(e.errors[field], v.planRule(f))
		} else {
			e.wrong = append(e.wrong, f)
		}
	}
	if e.document {
		e.errors["doc"] = v.Lang.N("plan.wrong", int64(len(e.wrong)))
	}
}

// planRules are the rules of plans that can be broken in a field of the form, with their texts.
var planRules = map[string]string{
	"at least 0": "negative", "a usable amount of at least 0": "negative", "a usable number above 0": "positive", "a usable percentage": "percent", "required": "required",
	"a whole number of sessions": "whole", "must be an integer": "whole", "the tariff has no elements": "elements", "at most 36 characters": "long",
}

func (v *visit) planRule(f ocpi.Finding) string {
	key := planRules[f.Rule]
	if key == "" && strings.Contains(f.Path, ".restrictions") {
		key = "condition"
	}
	if key == "" {
		return strings.TrimSpace(f.Rule + " " + f.Value)
	}
	return v.Lang.T("plan.rule." + key)
}

// stamped is a document with the time of its change.
func stamped(doc []byte, now time.Time) ([]byte, error) {
	m, err := readMembers(doc)
	if err != nil {
		return nil, err
	}
	m["last_updated"] = now.UTC().Format(time.RFC3339)
	return json.Marshal(m)
}

// planPreview is what the editor shows beside the form while somebody types.
func (o *office) planPreview(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	e := planEditor{planForm: readPlanForm(form)}
	v.judge(&e)
	return v.render(http.StatusOK, ui.Both(planPreviewPart(v, e), ui.Announce(v.previewText(e))))
}

// previewText says in a line what the preview shows, for those who do not see it.
func (v *visit) previewText(e planEditor) string {
	if n := len(e.errors) + len(e.wrong); n > 0 {
		return v.Lang.N("plan.wrong", int64(n))
	}
	return e.text
}

func (o *office) planCreate(v *visit) error { return o.savePlan(v, db.Plan{}, nil) }

func (o *office) planChange(v *visit) error {
	p, err := v.loadPlan()
	if err != nil {
		return err
	}
	return o.savePlan(v, db.Plan{ID: p.id, Name: p.name()}, nil)
}

// savePlan publishes a version, or puts it into a draft. Buttons that only change the form come back with it.
func (o *office) savePlan(v *visit, plan db.Plan, in *db.PriceDraft) error {
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	f, do := readPlanForm(form), form.Get("do")
	if in != nil {
		f.draft = in.ID.String()
	}
	rearranged := f.rearrange(do)
	e, err := v.planEditor(f, plan, in)
	if err != nil {
		return err
	}
	if rearranged || do != "publish" && do != "draft" {
		return v.render(http.StatusOK, planEditPage(v, e))
	}
	name := cmp.Or(plan.Name, e.name)
	if err := v.checkPlanName(&e, name); err != nil {
		return err
	}
	if do == "draft" {
		return o.draftPlan(v, e, name)
	}
	return o.publishPlan(v, e, name)
}

// rearrange does what a button asks that only changes the form; false, if it asks for something else.
func (f *planForm) rearrange(do string) bool {
	switch {
	case do == "add" && len(f.rows) < mostRows:
		f.rows = append(f.rows, priceRow{kind: rowKinds[0].name, step: "1"})
	case do == "document":
		if w := f.write(); len(w.wrong) == 0 {
			f.doc, f.document = pretty(w.doc), true
		}
	case do == "form":
		shown := formOf([]byte(f.doc))
		shown.name, shown.from, shown.draft = f.name, f.from, f.draft
		if !shown.document {
			*f = shown
		}
	default:
		row, found := strings.CutPrefix(do, "remove-")
		i, err := strconv.Atoi(row)
		if !found || err != nil || i < 0 || i >= len(f.rows) {
			return false
		}
		f.rows = slices.Delete(f.rows, i, i+1)
	}
	return true
}

// checkPlanName looks at the name of a new plan.
func (v *visit) checkPlanName(e *planEditor, name string) error {
	if e.plan.Name != "" {
		return nil
	}
	if name == "" || len([]rune(name)) > 100 {
		e.errors["name"] = v.Lang.T("plan.name.wrong")
		return nil
	}
	var names []string
	err := v.read(func(q *db.Queries) (err error) {
		names, err = q.PlanNames(v.Request().Context(), v.tenant.UUID)
		return err
	})
	if err != nil {
		return fmt.Errorf("names of plans: %w", err)
	}
	for i := range e.drafts {
		if e.drafts[i].ID.String() != e.draft {
			continue
		}
		planned, err := jobs.DraftPlans(e.drafts[i])
		if err != nil {
			return err
		}
		for name := range planned {
			names = append(names, name)
		}
	}
	if slices.Contains(names, name) {
		e.errors["name"] = v.Lang.T("plan.name.taken")
	}
	return nil
}

// draftPlan puts the plan into a draft of a price book.
func (o *office) draftPlan(v *visit, e planEditor, name string) error {
	i := slices.IndexFunc(e.drafts, func(d db.PriceDraft) bool { return d.ID.String() == e.draft })
	if i < 0 {
		e.errors["draft"] = v.Lang.T("backtest.draft.wrong")
	}
	if len(e.errors)+len(e.wrong) > 0 {
		return v.render(http.StatusUnprocessableEntity, planEditPage(v, e))
	}
	doc, err := stamped(e.write().doc, o.Now())
	if err != nil {
		return err
	}
	if err := o.SetDraftPlan(v.Request().Context(), v.tenant.UUID, e.drafts[i].ID, name, doc); err != nil {
		return err
	}
	v.say("ok", v.Lang.T("plan.drafted", name, e.drafts[i].Name))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/prices/drafts/"+e.drafts[i].ID.String())))
}

// publishPlan publishes the plan, or a version of it from a day on.
func (o *office) publishPlan(v *visit, e planEditor, name string) error {
	from, err := readMoment(e.from)
	if err != nil && e.plan.Name != "" {
		e.errors["from"] = v.Lang.T("date.wrong", e.from)
	}
	if len(e.errors)+len(e.wrong) > 0 {
		return v.render(http.StatusUnprocessableEntity, planEditPage(v, e))
	}
	doc, err := stamped(e.write().doc, o.Now())
	if err != nil {
		return err
	}
	row, err := o.AddPlan(v.Request().Context(), v.tenant.UUID, name, doc, from)
	if refusal(err) != nil {
		e.errors["from"] = v.Lang.T("book.publish.early")
		return v.render(http.StatusUnprocessableEntity, planEditPage(v, e))
	} else if err != nil {
		return err
	}
	v.say("ok", v.Lang.T("plan.saved", name))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/plans/"+row.PlanID.String())))
}

// draftPlanPage is the editor of a plan of a draft: of one that the draft has, of a published one that it is to bring along
// anew, or of one that exists nowhere else.
func (o *office) draftPlanPage(v *visit) error {
	draft, plan, doc, err := v.planOfDraft()
	if err != nil {
		return err
	}
	e, err := v.planEditor(formOf(doc), plan, &draft)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, planEditPage(v, e))
}

func (o *office) changeDraftPlan(v *visit) error {
	draft, plan, _, err := v.planOfDraft()
	if err != nil {
		return err
	}
	return o.savePlan(v, plan, &draft)
}

// planOfDraft finds the plan that the address names: in the draft, or else the newest that is published.
func (v *visit) planOfDraft() (draft db.PriceDraft, plan db.Plan, doc []byte, err error) {
	name := v.QueryParam("plan")
	if draft, err = v.draftOfPath(); err != nil || name == "" {
		return draft, plan, []byte(newPlan), err
	}
	plan.Name = name
	planned, err := jobs.DraftPlans(draft)
	if err != nil {
		return draft, plan, nil, err
	}
	doc = planned[name]
	err = v.read(func(q *db.Queries) error {
		rows, err := v.plans(q)
		for i := range rows {
			if rows[i].name() == name {
				plan.ID = rows[i].id
				if doc == nil {
					doc = cmp.Or(rows[i].next, rows[i].now).Doc
				}
			}
		}
		return err
	})
	if err == nil && doc == nil {
		err = db.ErrNotFound
	}
	return draft, plan, doc, err
}

// action is where the editor sends its form.
func (e planEditor) action() string {
	switch {
	case e.in != nil && e.plan.Name != "":
		return "/prices/drafts/" + e.in.ID.String() + "/plan?" + url.Values{"plan": {e.plan.Name}}.Encode()
	case e.in != nil:
		return "/prices/drafts/" + e.in.ID.String() + "/plan"
	case e.plan.Name == "":
		return "/plans/new"
	}
	return "/plans/" + e.plan.ID.String() + "/edit"
}

func (e planEditor) title(v *visit) string {
	switch {
	case e.plan.Name == "":
		return v.Lang.T("plan.new")
	case e.in != nil:
		return v.Lang.T("plan.edit.in", e.plan.Name)
	}
	return v.Lang.T("plan.edit", e.plan.Name)
}

// localNumber writes a number as people of the language do; what is none stays as it was typed.
func (v *visit) localNumber(text string) string {
	if v.Lang == ui.German && amountOf(text).Valid {
		return strings.Replace(text, ".", ",", 1)
	}
	return text
}

// amountEntry is an amount of money as people enter it, to the cent at least.
func (v *visit) amountEntry(text string) string {
	if d := amountOf(text); d.Valid && d.Decimal.Exponent() > -2 && d.Decimal.Exponent() < 9 {
		text = d.Decimal.StringFixed(2)
	}
	return v.localNumber(text)
}

// wrongFields are the fields with an error, in the order of the form.
func (e planEditor) wrongFields() []string {
	order := []string{"name", "doc"}
	for i := range e.rows {
		for _, field := range []string{"kind", "price", "step"} {
			order = append(order, at(field, i))
		}
		for _, field := range rowFields {
			order = append(order, at(field.field, i))
		}
	}
	order = append(append(order, amountFields...), "net", "from", "draft")
	return slices.DeleteFunc(order, func(field string) bool { return e.errors[field] == "" })
}

// fieldName is what a field is called in a list of errors.
func (v *visit) fieldName(field string) string {
	name, row, numbered := strings.Cut(field, "-")
	if k := strings.LastIndex(field, "-"); numbered {
		name, row = field[:k], field[k+1:]
	}
	i, err := strconv.Atoi(row)
	switch {
	case err == nil:
		return v.Lang.T("plan.edit.row", strconv.Itoa(i+1)) + ", " + v.Lang.T("plan.name."+name)
	case slices.Contains(amountFields, field):
		return v.Lang.T("plan.amount." + field)
	}
	return v.Lang.T("plan.name." + field)
}

package office

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// draftRule is a rule of a draft as its form has it.
type draftRule struct {
	ID, Plan, Note           string
	Who, Whom                string // kind of customer, and which
	CPO, Hub, Location, EVSE string
	Country, Current         string
	FromKW, BelowKW          string
	Own                      bool
}

// ruleWho are the kinds of customers that a rule can be for.
var ruleWho = []string{"", "group", "contract", "card"}

// draftView is a draft with what is to be said of it.
type draftView struct {
	bookView
	db.PriceDraft
	rules   []draftRule
	planned []string        // names of the plans that the draft brings along
	fresh   map[string]bool // those that exist only in the draft
	names   []string        // of plans to choose from
	wrong   []ocpi.Finding
	problem string // with what was asked
	from    string // the day from which it shall count
	filled  int    // the rule that was begun to fill a hole; -1: none
}

func (o *office) addDraft(v *visit) error {
	id, err := o.AddPriceDraft(v.Request().Context(), v.tenant.UUID, strings.TrimSpace(v.FormValue("name")))
	if refusal(err) != nil {
		v.say("err", v.Lang.T("book.draft.name.wrong"))
		return v.Redirect(http.StatusSeeOther, string(v.Link("/prices"))+"#drafts")
	} else if err != nil {
		return err
	}
	to := string(v.Link("/prices/drafts/" + id.String()))
	if form, err := v.FormParams(); err == nil && cellRule(form) != (draftRule{}) {
		to += "?" + cellRule(form).query().Encode() + "#filled"
	}
	return v.Redirect(http.StatusSeeOther, to)
}

func (o *office) draftDetail(v *visit) error {
	d, err := v.loadDraft()
	if err != nil {
		return err
	}
	if r := cellRule(v.QueryParams()); r != (draftRule{}) && len(d.rules) < mostRules {
		r.ID = freeRuleID(d.rules)
		d.filled = len(d.rules)
		d.rules = append(d.rules, r)
	}
	return v.render(http.StatusOK, draftPage(v, d))
}

// fillPage asks in which draft a hole shall be filled.
func (o *office) fillPage(v *visit) error {
	r := cellRule(v.QueryParams())
	r.ID, r.Plan = "new", "-"
	rule, err := r.doc()
	if err != nil {
		return db.ErrNotFound
	}
	doc, err := json.Marshal(bookJSON{Rules: []ruleJSON{rule}})
	if err != nil {
		return err
	}
	book, err := billing.ParsePriceBook(doc)
	if err != nil { // no cell that a matrix has
		return db.ErrNotFound
	}
	b, err := v.loadBook()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, fillHolePage(v, b, book.Rules[0].Says(string(v.Lang)), cellRule(v.QueryParams())))
}

// cellRule is a rule without a plan for what an address names: a cell of the matrix.
func cellRule(q url.Values) draftRule {
	get := func(field string) string {
		value := strings.TrimSpace(q.Get(field))
		if len(value) > 100 {
			return ""
		}
		return value
	}
	r := draftRule{CPO: get("cpo"), Hub: get("hub"), Current: get("current"), FromKW: get("from"), BelowKW: get("below")}
	if r.Whom = get("group"); r.Whom != "" {
		r.Who = "group"
	}
	return r
}

// query names the cell for an address.
func (d draftRule) query() url.Values {
	q := url.Values{}
	for field, value := range map[string]string{"cpo": d.CPO, "hub": d.Hub, "current": d.Current, "from": d.FromKW, "below": d.BelowKW, "group": d.Whom} {
		if value != "" {
			q.Set(field, value)
		}
	}
	return q
}

// freeRuleID is an id that no rule has.
func freeRuleID(rules []draftRule) string {
	for n := len(rules) + 1; ; n++ {
		id := "r" + strconv.Itoa(n)
		if !slices.ContainsFunc(rules, func(r draftRule) bool { return r.ID == id }) {
			return id
		}
	}
}

// said is what a rule is for, in words; nothing, while it cannot be read.
func (d draftView) said(v *visit, i int) string {
	if i >= len(d.check.Book.Rules) || i == d.filled {
		return ""
	}
	return d.check.Book.Rules[i].Says(string(v.Lang))
}

// apart reports whether a rule is for places that one has to name.
func (d draftRule) apart() bool {
	return d.CPO+d.Hub+d.Country+d.Location+d.EVSE+d.Note != "" || d.Own
}

// draftOfPath is the draft of the address.
func (v *visit) draftOfPath() (draft db.PriceDraft, err error) {
	id, err := v.id()
	if err != nil {
		return draft, err
	}
	err = v.read(func(q *db.Queries) error {
		draft, err = q.PriceDraft(v.Request().Context(), db.PriceDraftParams{ID: id, TenantID: v.tenant.UUID})
		return err
	})
	return draft, err
}

func (v *visit) loadDraft() (d draftView, err error) {
	d.fresh, d.filled = map[string]bool{}, -1
	if d.PriceDraft, err = v.draftOfPath(); err != nil {
		return d, err
	}
	if d.bookView, err = v.loadBook(); err != nil {
		return d, err
	}
	if d.rules, err = readDraftRules(d.Book); err != nil {
		return d, err
	}
	d.fillIn = "/prices/drafts/" + d.ID.String()
	plans, err := jobs.DraftPlans(d.PriceDraft)
	if err != nil {
		return d, err
	}
	for name, doc := range plans {
		d.planned = append(d.planned, name)
		d.fresh[name] = d.plans[name] == ""
		d.plans[name] = string(v.Link("/prices/drafts/" + d.ID.String() + "/plan?" + url.Values{"plan": {name}}.Encode()))
		if plan, err := billing.ParsePlan(doc); err == nil {
			d.prices[name] = billing.PriceText(&plan, string(v.Lang))
		}
	}
	slices.Sort(d.planned)
	for name := range d.prices {
		d.names = append(d.names, name)
	}
	slices.Sort(d.names)
	doc, err := jobs.DraftDoc(d.PriceDraft)
	if err != nil {
		return d, err
	}
	if d.check, err = v.office.CheckPriceBook(v.Request().Context(), v.tenant.UUID, doc); err != nil {
		return d, err
	}
	if refused := refusal(d.check.Refused); refused != nil {
		d.wrong = refused.Findings
	} else if d.current != nil {
		if before, err := billing.ParsePriceBook(d.current.Doc); err == nil {
			d.changes = v.compareBooks(before, d.check.Book)
		}
	}
	return d, nil
}

// bookJSON is a price book as documents have it.
type bookJSON struct {
	Rules []ruleJSON `json:"rules"`
}

type ruleJSON struct {
	ID       string     `json:"id,omitempty"`
	Plan     string     `json:"plan,omitempty"`
	Note     string     `json:"note,omitempty"`
	Card     string     `json:"card,omitempty"`
	Contract string     `json:"contract,omitempty"`
	Group    string     `json:"group,omitempty"`
	Where    *whereJSON `json:"where,omitempty"`
}

type whereJSON struct {
	EVSE     string      `json:"evse,omitempty"`
	Location string      `json:"location,omitempty"`
	Own      bool        `json:"own,omitempty"`
	CPO      string      `json:"cpo,omitempty"`
	Hub      string      `json:"hub,omitempty"`
	Country  string      `json:"country,omitempty"`
	Current  string      `json:"current,omitempty"`
	FromKW   json.Number `json:"from_kw,omitempty"`
	BelowKW  json.Number `json:"below_kw,omitempty"`
}

// readDraftRules turns the document of a draft into what its form shows.
func readDraftRules(doc []byte) ([]draftRule, error) {
	var book bookJSON
	if err := json.Unmarshal(doc, &book); err != nil {
		return nil, fmt.Errorf("read draft: %w", err)
	}
	var rules []draftRule
	for _, r := range book.Rules {
		d := draftRule{ID: r.ID, Plan: r.Plan, Note: r.Note, Whom: cmp.Or(r.Card, r.Contract, r.Group)}
		switch {
		case r.Card != "":
			d.Who = "card"
		case r.Contract != "":
			d.Who = "contract"
		case r.Group != "":
			d.Who = "group"
		}
		if w := r.Where; w != nil {
			d.EVSE, d.Location, d.Own, d.CPO, d.Hub, d.Country, d.Current, d.FromKW, d.BelowKW = w.EVSE, w.Location, w.Own, w.CPO, w.Hub, w.Country, w.Current, w.FromKW.String(), w.BelowKW.String()
		}
		rules = append(rules, d)
	}
	return rules, nil
}

// doc is a rule as documents have it. A power that is no number is told by its field.
func (d draftRule) doc() (ruleJSON, error) {
	r := ruleJSON{ID: d.ID, Plan: d.Plan, Note: d.Note}
	switch d.Who {
	case "card":
		r.Card = d.Whom
	case "contract":
		r.Contract = d.Whom
	case "group":
		r.Group = d.Whom
	}
	w := whereJSON{EVSE: d.EVSE, Location: d.Location, Own: d.Own, CPO: d.CPO, Hub: d.Hub, Country: d.Country, Current: d.Current}
	for _, power := range []struct {
		text string
		into *json.Number
	}{{d.FromKW, &w.FromKW}, {d.BelowKW, &w.BelowKW}} {
		if power.text == "" {
			continue
		}
		kw := amountOf(power.text)
		if !kw.Valid {
			return r, ocpi.InvalidParameter("power", "a power in kW", power.text)
		}
		*power.into = json.Number(kw.Decimal.String())
	}
	if w != (whereJSON{}) {
		r.Where = &w
	}
	return r, nil
}

// mostRules bounds what a form can add.
const mostRules = 500

// formRules reads the rules of the form.
func formRules(form url.Values) []draftRule {
	n, err := strconv.Atoi(form.Get("rules"))
	if err != nil || n < 0 || n > mostRules {
		n = 0
	}
	var rules []draftRule
	for i := range n {
		get := func(field string) string { return strings.TrimSpace(form.Get(fmt.Sprintf("%s-%d", field, i))) }
		rules = append(rules, draftRule{
			ID: get("id"), Plan: get("plan"), Note: get("note"), Who: get("who"), Whom: get("whom"), CPO: get("cpo"), Hub: get("hub"), Location: get("location"), EVSE: get("evse"),
			Country: get("country"), Current: get("current"), FromKW: get("from"), BelowKW: get("below"), Own: get("own") != "",
		})
	}
	return rules
}

// changeDraft saves the form of a draft, and adds or takes away a rule.
func (o *office) changeDraft(v *visit) error {
	draft, err := v.draftOfPath()
	if err != nil {
		return err
	}
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	rules := formRules(form)
	do, at := form.Get("do"), ""
	if i, err := strconv.Atoi(strings.TrimPrefix(do, "remove-")); err == nil && i >= 0 && i < len(rules) {
		rules = slices.Delete(rules, i, i+1)
	}
	if do == "add" && len(rules) < mostRules {
		rules = append(rules, draftRule{ID: freeRuleID(rules)})
		at = "#rule-" + strconv.Itoa(len(rules)-1)
	}
	book := bookJSON{Rules: []ruleJSON{}}
	var wrong error
	for _, r := range rules {
		doc, err := r.doc()
		wrong = cmp.Or(wrong, err)
		book.Rules = append(book.Rules, doc)
	}
	if wrong == nil {
		wrong = o.ChangePriceDraft(v.Request().Context(), v.tenant.UUID, draft.ID, func(d *db.PriceDraft) (err error) {
			d.Name = cmp.Or(strings.TrimSpace(form.Get("name")), d.Name)
			d.Book, err = json.Marshal(book)
			return err
		})
	}
	if refused := refusal(wrong); refused != nil {
		d, err := v.loadDraft()
		if err != nil {
			return err
		}
		d.rules, d.wrong, d.check.Book = rules, refused.Findings, billing.PriceBook{}
		return v.render(http.StatusUnprocessableEntity, draftPage(v, d))
	} else if wrong != nil {
		return wrong
	}
	if do == "save" {
		v.say("ok", v.Lang.T("book.draft.saved"))
	}
	return v.Redirect(http.StatusSeeOther, string(v.Link("/prices/drafts/"+draft.ID.String()))+at)
}

// publishDraft makes a draft count from a day on.
func (o *office) publishDraft(v *visit) error {
	d, err := v.loadDraft()
	if err != nil {
		return err
	}
	d.from = strings.TrimSpace(v.FormValue("from"))
	at, err := readMoment(d.from)
	if err != nil {
		d.problem = v.Lang.T("date.wrong", d.from)
		return v.render(http.StatusUnprocessableEntity, draftPage(v, d))
	}
	err = o.PublishPriceDraft(v.Request().Context(), v.tenant.UUID, d.ID, at)
	if refused := refusal(err); refused != nil {
		if d.problem = v.Lang.T("book.publish.wrong"); len(refused.Findings) > 0 && refused.Findings[0].Path == "valid_from" {
			d.problem = v.Lang.T("book.publish.early")
		}
		return v.render(http.StatusUnprocessableEntity, draftPage(v, d))
	} else if err != nil {
		return err
	}
	v.say("ok", v.Lang.T("book.publish.done", v.Lang.DateTime(at)))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/prices")))
}

// dropDraft takes a draft, or a plan out of one, away.
func (o *office) dropDraft(v *visit) error {
	draft, err := v.draftOfPath()
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	if name := v.FormValue("plan"); name != "" {
		if err := o.SetDraftPlan(ctx, v.tenant.UUID, draft.ID, name, nil); err != nil {
			return err
		}
		return v.Redirect(http.StatusSeeOther, string(v.Link("/prices/drafts/"+draft.ID.String())))
	}
	n, err := o.DB.DropPriceDraft(ctx, db.DropPriceDraftParams{ID: draft.ID, TenantID: v.tenant.UUID})
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return err
	}
	v.say("ok", v.Lang.T("book.draft.dropped", draft.Name))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/prices")))
}

// findingRule is the rule that a finding is about, counted from zero; -1 if it is about none.
func findingRule(f ocpi.Finding) int {
	i := -1
	if _, err := fmt.Sscanf(f.Path, "rules[%d]", &i); err != nil {
		return -1
	}
	return i
}

// suggested is the day from which a draft shall count, unless one was entered: tomorrow.
func (d draftView) suggested(v *visit) string {
	return cmp.Or(d.from, v.dayEntry(v.office.Now().AddDate(0, 0, 1)))
}

var errNoDraft = errors.New("no draft")

// pickDraft is the draft that a form names.
func (v *visit) pickDraft(q *db.Queries, text string) (db.PriceDraft, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return db.PriceDraft{}, errNoDraft
	}
	draft, err := q.PriceDraft(v.Request().Context(), db.PriceDraftParams{ID: id, TenantID: v.tenant.UUID})
	if errors.Is(err, db.ErrNotFound) {
		err = errNoDraft
	}
	return draft, err
}

package office

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// cdrTabs are the quick filters of the CDR list; those of hidden only show when there is something in them.
var cdrTabs = []struct {
	state  string
	hidden bool
}{{state: ""}, {state: "held"}, {state: "waiting"}, {state: "disputed"}, {state: "rated"}, {state: "invoiced"}, {state: "credited"}, {state: "received", hidden: true}, {state: "dropped", hidden: true}}

// cdrFilters are what the list can be narrowed down by, beside search and state.
var cdrFilters = []string{"month", "partner", "party", "customer", "flag", "severity", "reason", "retail", "cpo", "assignee", "meter", "late", "least", "most", "delta", "deltamost", "loss"}

// cdrMore are those of them that stand under "more filters". Party and customer stand nowhere: links set them, chips take them away.
var cdrMore = cdrFilters[4:]

// The states that the two flags of a CDR can be filtered by, what its meter data can be, and how lists can be grouped.
var (
	retailStates = []string{"open", "released", "waived", "none"}
	cpoStates    = []string{"open", "questioned", "disputed", "accepted", "refused", "credited"}
	meterStates  = []string{"proven", "invalid", "none"}
	severities   = []string{"block", "flag", "info"}
	cdrGroups    = []string{"", "rule", "partner", "party", "reason"}
	cdrReasons   = []string{"rule", "no-card", "no-contract", "no-plan", "no-price", "no-tax-rule", "late", "until", "follow-up", "drop-proposed", "home-charging", "by-hand", "credit-without-original", "credit-partial", "credit-differs", "credit-twice"}
)

const cdrOrder = "-start"

// cdrTotal sums up CDRs of one currency. Amounts exclude VAT.
type cdrTotal struct {
	currency                                      string
	kwh, claimed, computed, delta, retail, margin decimal.Decimal
}

// cdrPage is what the list shows.
type cdrPage struct {
	listQuery
	columns        []cdrColumn // that are shown
	arranged       arrangement
	rows           []db.CDRListRow
	groups         []db.CDRGroupsRow // in place of the rows
	tabs           []ui.Tab
	chips          []ui.Chip
	views          []view
	count          int64
	totals         []cdrTotal // by currency, the largest claim first
	partners       []db.PartnerNamesRow
	customer       string // that the list is about
	months         []time.Time
	previous, next string
}

// cdrSelection is what the filters of the list mean, as decisions about all that it finds take them.
func (v *visit) cdrSelection(l listQuery) jobs.Selection {
	s := jobs.Selection{
		Pattern: l.pattern(), State: l.get("state"), Flag: l.get("flag"), Severity: l.get("severity"), Party: l.get("party"), Reason: l.get("reason"), Retail: l.get("retail"), CPO: l.get("cpo"), Assignee: l.get("assignee"), Meter: l.get("meter"),
		Least: amountOf(l.get("least")), Most: amountOf(l.get("most")), Delta: amountOf(l.get("delta")), DeltaMost: amountOf(l.get("deltamost")), Loss: l.get("loss") != "",
	}
	s.LateDays, _ = strconv.Atoi(l.get("late")) // what is no number filters nothing
	s.Since, s.Until = v.span(l.get("month"))
	for key, into := range map[string]*uuid.NullUUID{"partner": &s.Partner, "customer": &s.Customer} {
		if text := l.get(key); text != "" {
			id, _ := uuid.Parse(text) // what is no id is nobody's
			*into = uuid.NullUUID{UUID: id, Valid: true}
		}
	}
	return s
}

// amountOf reads an amount as people write it, in German or in English; what cannot be read is none.
func amountOf(text string) decimal.NullDecimal {
	d, err := decimal.NewFromString(strings.Replace(strings.TrimSpace(text), ",", ".", 1))
	return decimal.NullDecimal{Decimal: d, Valid: err == nil}
}

// span is the time that a choice of months covers: "2026-10", "all", or nothing for this month and the two before, so that
// nobody reads years by opening the list.
func (v *visit) span(month string) (since, until time.Time) {
	now := v.office.Now().In(ui.Berlin)
	this := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, ui.Berlin)
	if month == "all" {
		return time.Unix(0, 0), this.AddDate(100, 0, 0)
	}
	if start, err := time.ParseInLocation("2006-01", month, ui.Berlin); err == nil {
		return start, start.AddDate(0, 1, 0)
	}
	return this.AddDate(0, -2, 0), this.AddDate(0, 2, 0)
}

// months are those that a list offers, the latest first.
func (v *visit) months(count int) []time.Time {
	now := v.office.Now().In(ui.Berlin)
	months := make([]time.Time, count)
	for i := range months {
		months[i] = time.Date(now.Year(), now.Month()-time.Month(i), 1, 0, 0, 0, 0, ui.Berlin)
	}
	return months
}

func (o *office) cdrList(v *visit) error {
	p := cdrPage{listQuery: readList(v, append(cdrFilters, "group")...), months: v.months(15)}
	selection, at := v.cdrSelection(p.listQuery), p.position()
	everyState := selection
	everyState.State = ""
	var sums []db.CDRSumsRow
	var err error
	if p.arranged, err = v.arrangement("/cdrs"); err != nil {
		return err
	}
	p.columns = p.arranged.columns()
	err = v.read(func(q *db.Queries) (err error) {
		ctx := v.Request().Context()
		if by := p.group(); by != "" {
			p.groups, err = q.CDRGroups(ctx, db.CDRGroupsParams{TenantID: v.tenant, Filter: selection.Filter(), By: by})
		} else {
			list := db.CDRListParams{TenantID: v.tenant, Filter: selection.Filter(), Paged: at.paged, Backward: at.backward, AfterKey: at.key, AfterID: at.id, MaxRows: pageSize + 1}
			list.Sort, list.Direction = p.order(cdrOrder)
			var rows []db.CDRListRow
			rows, err = q.CDRList(ctx, list)
			p.rows, p.previous, p.next = paged(p.listQuery, at, rows, func(r db.CDRListRow) string { return mark(r.Key, r.CDRID) })
		}
		if err != nil {
			return err
		}
		if sums, err = q.CDRSums(ctx, db.CDRSumsParams{TenantID: v.tenant, Filter: everyState.Filter()}); err != nil {
			return err
		}
		if p.views, err = v.views(q, p.listQuery, cdrViews(v)); err != nil {
			return err
		}
		if selection.Customer.Valid {
			customer, err := q.Customer(ctx, selection.Customer.UUID)
			if err != nil && !errors.Is(err, db.ErrNotFound) {
				return err
			}
			p.customer = customer.Name
		}
		p.partners, err = q.PartnerNames(ctx, v.tenant)
		return err
	})
	if err != nil {
		return err
	}
	p.count, p.totals = sumCDRs(sums, selection.State)
	for _, t := range cdrTabs {
		count, _ := sumCDRs(sums, t.state)
		if t.hidden && count == 0 && t.state != selection.State {
			continue
		}
		p.tabs = append(p.tabs, ui.Tab{ID: cmp.Or(t.state, "all"), Name: v.Lang.T("cdr.tab." + cmp.Or(t.state, "all")), Href: p.with("state", t.state), Count: count, Current: t.state == selection.State})
	}
	p.chips = v.cdrChips(p)
	return v.list(p.listQuery, cdrListPage(v, p), cdrResult(v, p), v.Lang.N("cdr.count", p.count))
}

// group is what the list is grouped by, empty for single CDRs.
func (p cdrPage) group() string {
	if by := p.get("group"); slices.Contains(cdrGroups, by) {
		return by
	}
	return ""
}

// filtered reports whether one of some filters is set.
func (l listQuery) filtered(by []string) bool {
	return slices.ContainsFunc(by, func(key string) bool { return l.get(key) != "" })
}

// groupHref is the list of what a group has.
func (p cdrPage) groupHref(g db.CDRGroupsRow) string {
	filter := map[string]string{"rule": "flag", "partner": "partner", "party": "party", "reason": "reason"}[p.group()]
	return p.changed(map[string]string{"group": "", filter: g.Key}).href()
}

// groupName is a group in words.
func (v *visit) groupName(p cdrPage, g db.CDRGroupsRow) string {
	switch {
	case p.group() == "partner":
		return g.Name
	case p.group() == "party":
		return strings.TrimSpace(g.Key + " " + g.Name)
	case g.Key == "":
		return v.Lang.T("cdr.group.none." + p.group())
	case p.group() == "rule":
		return g.Key + " · " + v.ruleName(g.Key)
	}
	return v.cdrReason(g.Key)
}

// ruleName is what a rule of the catalogue looks for.
func (v *visit) ruleName(id string) string {
	for _, rule := range billing.Rules {
		if rule.ID == id {
			return v.sentence(rule.What)
		}
	}
	return v.Lang.T("rule.unknown")
}

// sentence is a text in the visitor's language.
func (v *visit) sentence(t billing.Text) string {
	if v.Lang == ui.German {
		return t.DE
	}
	return t.EN
}

// ruleIDs are the rules that a CDR can be flagged by, each once.
func ruleIDs() (ids []string) {
	for _, rule := range billing.Rules {
		if rule.At == "" && !slices.Contains(ids, rule.ID) {
			ids = append(ids, rule.ID)
		}
	}
	return ids
}

// cdrViews are the views of the list that everybody has.
func cdrViews(v *visit) []view {
	return []view{
		{name: v.Lang.T("view.review"), query: "month=all&state=held"},
		{name: v.Lang.T("view.price"), query: "flag=P16&state=disputed"},
		{name: v.Lang.T("view.late"), query: "late=7&sort=-lag"},
		{name: v.Lang.T("view.loss"), query: "loss=1"},
		{name: v.Lang.T("view.mine"), query: "assignee=" + queryEscape(v.staff.Name) + "&month=all"},
	}
}

func (v *visit) cdrChips(p cdrPage) []ui.Chip {
	var chips []ui.Chip
	chip := func(key, name string) { chips = append(chips, ui.Chip{ID: key, Name: name, Href: p.with(key, "")}) }
	if q := p.get("q"); q != "" {
		chip("q", v.Lang.T("filter.search", q))
	}
	switch start, err := time.Parse("2006-01", p.get("month")); {
	case err == nil:
		chip("month", v.Lang.Month(start))
	case p.get("month") == "all":
		chip("month", v.Lang.T("filter.always"))
	}
	for _, partner := range p.partners {
		if partner.ID.String() == p.get("partner") {
			chip("partner", partner.Name)
		}
	}
	if party := p.get("party"); party != "" {
		chip("party", v.Lang.T("filter.party", party))
	}
	if p.get("customer") != "" {
		chip("customer", v.Lang.T("filter.customer", or(p.customer, none)))
	}
	if severity := p.get("severity"); slices.Contains(severities, severity) {
		chip("severity", v.Lang.T("filter.severity")+": "+v.Lang.T("severity."+severity))
	}
	if flag := p.get("flag"); flag != "" {
		chip("flag", v.Lang.T("filter.rule", flag))
	}
	if reason := p.get("reason"); reason != "" {
		chip("reason", v.cdrReason(reason))
	}
	for key, states := range map[string][]string{"retail": retailStates, "cpo": cpoStates, "meter": meterStates} {
		if state := p.get(key); slices.Contains(states, state) {
			chip(key, v.Lang.T("filter."+key)+": "+v.stateText(key, state))
		}
	}
	for _, key := range []string{"assignee", "late", "least", "most", "delta", "deltamost"} {
		if value := p.get(key); value != "" {
			chip(key, v.Lang.T("filter.chip."+key, value))
		}
	}
	if p.get("loss") != "" {
		chip("loss", v.Lang.T("filter.loss"))
	}
	slices.SortStableFunc(chips, func(a, b ui.Chip) int {
		order := append([]string{"q"}, cdrFilters...)
		return slices.Index(order, a.ID) - slices.Index(order, b.ID)
	})
	return chips
}

// stateText is a state of one of the flags of a CDR, or what its meter data is.
func (v *visit) stateText(of, state string) string {
	switch of {
	case "retail":
		return v.Lang.T("retail.state." + state)
	case "cpo":
		return v.Lang.T("cpo.state." + state)
	}
	return v.Lang.T("meter.state." + state)
}

// sumCDRs counts and sums the CDRs of a tab.
func sumCDRs(sums []db.CDRSumsRow, state string) (count int64, totals []cdrTotal) {
	for _, s := range sums {
		if state != "" && s.State != state && (state != "disputed" || !s.Disputed) {
			continue
		}
		count += s.Many
		i := 0
		for i < len(totals) && totals[i].currency != s.Currency {
			i++
		}
		if i == len(totals) {
			totals = append(totals, cdrTotal{currency: s.Currency})
		}
		t := &totals[i]
		t.kwh, t.claimed, t.computed = t.kwh.Add(s.KWh), t.claimed.Add(s.Claimed), t.computed.Add(s.ComputedNet)
		t.delta, t.retail, t.margin = t.delta.Add(s.Delta), t.retail.Add(s.RetailNet), t.margin.Add(s.Margin)
	}
	return count, totals
}

// cdrTone is the colour of a state.
func cdrTone(state string) string {
	switch state {
	case "rated":
		return "ok"
	case "held":
		return "err"
	case "waiting":
		return "warn"
	case "invoiced", "received":
		return "info"
	}
	return ""
}

// cdrReason says in words why a CDR waits, is held or was credited. Codes may carry an id: "credits:123".
func (v *visit) cdrReason(code string) string {
	code, id, _ := strings.Cut(code, ":")
	if key := "cdr.reason." + code; code != "" && v.Lang.Has(key) {
		if id != "" {
			return v.Lang.T(key) + " " + id
		}
		return v.Lang.T(key)
	}
	return code
}

// difference is the claim less what its tariff gives, where the two differ.
func difference(r db.CDRListRow) (decimal.Decimal, bool) {
	if !r.ComputedNet.Valid {
		return decimal.Zero, false
	}
	d := r.Claimed.Sub(r.ComputedNet.Decimal)
	return d, !d.IsZero()
}

// signed is an amount with its sign, also when it is positive.
func (v *visit) signed(d decimal.Decimal, currency string) string {
	if d.IsPositive() {
		return "+" + v.Lang.Money(d, currency)
	}
	return v.Lang.Money(d, currency)
}

// after is how much later something was, in the largest unit that fits.
func (v *visit) after(late time.Duration) string {
	switch {
	case late >= 48*time.Hour:
		return v.Lang.N("lag.days", int64(late/(24*time.Hour)))
	case late >= time.Hour:
		return v.Lang.T("lag.hours", v.Lang.Int(int64(late/time.Hour)))
	}
	return v.Lang.T("lag.minutes", v.Lang.Int(int64(max(late, 0)/time.Minute)))
}

// flagNames are rules in words, for the hint on their ids.
func (v *visit) flagNames(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id + " " + v.ruleName(id)
	}
	return strings.Join(names, " · ")
}

// hours is a number of hours as a duration.
func hours(d decimal.Decimal) time.Duration {
	return time.Duration(d.Mul(decimal.NewFromInt(3600)).IntPart()) * time.Second
}

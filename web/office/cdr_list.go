package office

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing/csv"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// cdrTabs are the quick filters of the CDR list; those of hidden only show when there is something in them.
var cdrTabs = []struct {
	state  string
	hidden bool
}{{state: ""}, {state: "rated"}, {state: "held"}, {state: "waiting"}, {state: "invoiced"}, {state: "credited"}, {state: "disputed"}, {state: "received", hidden: true}, {state: "dropped", hidden: true}}

const cdrOrder = "-start"

// cdrTotal sums up CDRs of one currency. Amounts exclude VAT.
type cdrTotal struct {
	currency                     string
	kwh, claimed, retail, margin decimal.Decimal
}

// cdrPage is what the list shows.
type cdrPage struct {
	listQuery
	rows           []db.CDRListRow
	tabs           []ui.Tab
	chips          []ui.Chip
	count          int64
	totals         []cdrTotal // by currency, the largest claim first
	partners       []db.PartnerNamesRow
	months         []time.Time
	previous, next string
}

// cdrFilter are the filters of the list as the queries take them.
func (v *visit) cdrFilter(l listQuery) db.CDRListParams {
	p := db.CDRListParams{TenantID: v.tenant, Pattern: l.pattern(), Flag: l.get("flag"), State: l.get("state"), MaxRows: pageSize + 1}
	p.Since, p.Until = v.span(l.get("month"))
	if partner := l.get("partner"); partner != "" {
		id, _ := uuid.Parse(partner) // what is no id is nobody's
		p.PartnerID = uuid.NullUUID{UUID: id, Valid: true}
	}
	p.Sort, p.Direction = l.order(cdrOrder)
	return p
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
	p := cdrPage{listQuery: readList(v, "month", "partner", "flag"), months: v.months(15)}
	filter := v.cdrFilter(p.listQuery)
	at := p.position()
	filter.Paged, filter.Backward, filter.AfterKey, filter.AfterID = at.paged, at.backward, at.key, at.id
	var sums []db.CDRSumsRow
	err := v.read(func(q *db.Queries) error {
		ctx := v.Request().Context()
		rows, err := q.CDRList(ctx, filter)
		if err != nil {
			return err
		}
		p.rows, p.previous, p.next = paged(p.listQuery, at, rows, func(r db.CDRListRow) string { return mark(r.Key, r.CDRID) })
		if sums, err = q.CDRSums(ctx, db.CDRSumsParams{TenantID: filter.TenantID, Since: filter.Since, Until: filter.Until, PartnerID: filter.PartnerID, Pattern: filter.Pattern, Flag: filter.Flag}); err != nil {
			return err
		}
		p.partners, err = q.PartnerNames(ctx, v.tenant)
		return err
	})
	if err != nil {
		return err
	}
	p.count, p.totals = sumCDRs(sums, filter.State)
	for _, t := range cdrTabs {
		count, _ := sumCDRs(sums, t.state)
		if t.hidden && count == 0 && t.state != filter.State {
			continue
		}
		p.tabs = append(p.tabs, ui.Tab{ID: cmp.Or(t.state, "all"), Name: v.Lang.T("cdr.tab." + cmp.Or(t.state, "all")), Href: p.with("state", t.state), Count: count, Current: t.state == filter.State})
	}
	p.chips = v.cdrChips(p)
	return v.list(p.listQuery, cdrListPage(v, p), cdrResult(v, p), v.Lang.N("cdr.count", p.count))
}

func (v *visit) cdrChips(p cdrPage) []ui.Chip {
	var chips []ui.Chip
	if q := p.get("q"); q != "" {
		chips = append(chips, ui.Chip{ID: "q", Name: v.Lang.T("filter.search", q), Href: p.with("q", "")})
	}
	switch start, err := time.Parse("2006-01", p.get("month")); {
	case err == nil:
		chips = append(chips, ui.Chip{ID: "month", Name: v.Lang.Month(start), Href: p.with("month", "")})
	case p.get("month") == "all":
		chips = append(chips, ui.Chip{ID: "month", Name: v.Lang.T("filter.always"), Href: p.with("month", "")})
	}
	for _, partner := range p.partners {
		if partner.ID.String() == p.get("partner") {
			chips = append(chips, ui.Chip{ID: "partner", Name: partner.Name, Href: p.with("partner", "")})
		}
	}
	if flag := p.get("flag"); flag != "" {
		chips = append(chips, ui.Chip{ID: "flag", Name: v.Lang.T("filter.rule", flag), Href: p.with("flag", "")})
	}
	return chips
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
		t.kwh, t.claimed, t.retail, t.margin = t.kwh.Add(s.KWh), t.claimed.Add(s.Claimed), t.retail.Add(s.RetailNet), t.margin.Add(s.Margin)
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

// cdrExport writes what the list shows, every page of it, as a table for German Excel: semicolons and a byte order mark.
func (o *office) cdrExport(v *visit) error {
	l := readList(v, "month", "partner", "flag")
	filter := v.cdrFilter(l)
	filter.MaxRows = 1000
	w := v.Response()
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="cdrs.csv"`)
	w.Header().Set("Cache-Control", "private, no-store")
	w.WriteHeader(http.StatusOK)
	if v.Request().Method == http.MethodHead {
		return nil
	}
	out, err := csv.NewWriter(w)
	if err != nil {
		return err
	}
	var head []string
	for _, key := range []string{"col.cdr", "col.party", "col.state", "col.start", "col.end", "col.place", "col.evse", "col.operator", "col.partner", "col.utility", "col.customer", "col.card",
		"col.duration", "col.kwh", "col.currency", "col.claimed", "col.computed", "col.retail", "col.margin", "col.flags"} {
		head = append(head, v.Lang.T(key))
	}
	if err := out.Row(head...); err != nil {
		return err
	}
	return v.read(func(q *db.Queries) error {
		for {
			rows, err := q.CDRList(v.Request().Context(), filter)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := out.Row(v.cdrRecord(r)...); err != nil {
					return err
				}
			}
			if err := out.Flush(); len(rows) < int(filter.MaxRows) || err != nil {
				return err
			}
			last := rows[len(rows)-1]
			filter.Paged, filter.AfterKey, filter.AfterID = true, last.Key, last.CDRID
		}
	})
}

func (v *visit) cdrRecord(r db.CDRListRow) []string {
	number := func(d decimal.NullDecimal) string {
		if !d.Valid {
			return ""
		}
		return csv.Number(d.Decimal, string(v.Lang))
	}
	exact := func(d decimal.Decimal) string { return number(decimal.NewNullDecimal(d)) }
	local := func(t time.Time) string { return csv.Instant(t, ui.Berlin) }
	return []string{
		csv.Text(r.OCPIID), csv.Text(r.CountryCode + "*" + r.PartyID), v.Lang.T("cdr.state." + r.State), local(r.StartedAt), local(r.EndedAt), csv.Text(r.Place), csv.Text(r.EVSEID), csv.Text(r.Operator), csv.Text(r.Partner), csv.Text(r.Tenant),
		csv.Text(r.Customer), csv.Text(r.Card), strconv.Itoa(int(r.EndedAt.Sub(r.StartedAt).Minutes())), exact(r.KWh), csv.Text(r.Currency), exact(r.Claimed), number(r.ComputedNet), number(r.RetailNet), number(r.Margin),
		csv.Text(strings.Join(r.Flags, " ")),
	}
}

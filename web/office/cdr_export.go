package office

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing/csv"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// cdrColumns are the columns of the exported table.
var cdrColumns = []string{
	"col.cdr", "col.party", "col.state", "col.start", "col.end", "col.received", "col.place", "col.evse", "col.operator", "col.partner", "col.utility", "col.customer", "col.contract", "col.card",
	"col.duration", "col.kwh", "col.currency", "col.claimed", "col.computed", "col.delta", "col.retail", "col.margin", "col.plan", "col.meter", "col.flags", "filter.severity", "filter.retail", "filter.cpo", "col.reason", "col.assignee",
}

// cdrExport writes what the list shows, every page of it, as a table for German Excel: semicolons and a byte order mark.
func (o *office) cdrExport(v *visit) error {
	l := readList(v, cdrFilters...)
	filter := db.CDRListParams{TenantID: v.tenant, Filter: v.cdrSelection(l).Filter(), MaxRows: 1000}
	filter.Sort, filter.Direction = l.order(cdrOrder)
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
	for _, key := range cdrColumns {
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
	delta, plan := "", ""
	if r.ComputedNet.Valid {
		delta = exact(r.Claimed.Sub(r.ComputedNet.Decimal))
	}
	if r.Plan != "" {
		plan = r.Plan + " v" + strconv.Itoa(int(r.PlanVersion))
	}
	severity := ""
	if r.Severity != "" {
		severity = v.Lang.T("severity." + r.Severity)
	}
	meter := v.Lang.T("meter.state.none")
	if r.Meter != "" {
		meter = v.Lang.T("meter.state." + r.Meter)
	}
	return []string{
		csv.Text(r.OCPIID), csv.Text(r.CountryCode + "*" + r.PartyID), v.Lang.T("cdr.state." + r.State), local(r.StartedAt), local(r.EndedAt), local(r.ReceivedAt), csv.Text(r.Place), csv.Text(r.EVSEID),
		csv.Text(r.Operator), csv.Text(r.Partner), csv.Text(r.Tenant), csv.Text(r.Customer), csv.Text(r.Contract), csv.Text(r.Card), strconv.Itoa(int(r.EndedAt.Sub(r.StartedAt).Minutes())), exact(r.KWh), csv.Text(r.Currency),
		exact(r.Claimed), number(r.ComputedNet), delta, number(r.RetailNet), number(r.Margin), csv.Text(plan), meter, csv.Text(strings.Join(r.Flags, " ")), severity, v.stateText("retail", r.RetailState), v.stateText("cpo", r.CPOState), csv.Text(v.cdrReason(r.Reason)), csv.Text(r.Assignee),
	}
}

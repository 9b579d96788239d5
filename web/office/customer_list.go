package office

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/roamwerk/roamwerk/billing/csv"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// customerOrder is that of a telephone book.
const customerOrder = "name"

// customerLacks are the tabs of the customers: what they lack. The first is all of them.
var customerLacks = []string{"", "stopped", "address", "email", "mandate", "vat"}

var customerKinds = []string{"private", "business", "fleet", "public"}

// customerPage is what the list shows.
type customerPage struct {
	listQuery
	rows           []db.CustomerListRow
	tabs           []ui.Tab
	chips          []ui.Chip
	count          int64
	previous, next string
}

func (l listQuery) customerFilter(v *visit) db.CustomerListParams {
	p := db.CustomerListParams{TenantID: v.tenant, Pattern: l.pattern(), Kind: l.get("kind"), Lacks: l.get("state")}
	var sign int32
	p.Sort, sign = l.order(customerOrder)
	p.Down = sign < 0
	return p
}

func (o *office) customerList(v *visit) error {
	ctx := v.Request().Context()
	p := customerPage{listQuery: readList(v, "kind")}
	at, filter := p.textPosition(), p.customerFilter(v)
	filter.Paged, filter.AfterKey, filter.AfterID, filter.MaxRows = at.paged, at.text, at.id, pageSize+1
	filter.Down = filter.Down != at.backward
	var counts db.CustomerCountsRow
	err := v.read(func(q *db.Queries) error {
		rows, err := q.CustomerList(ctx, filter)
		if err != nil {
			return err
		}
		p.rows, p.previous, p.next = paged(p.listQuery, at, rows, func(r db.CustomerListRow) string { return textMark(r.Key, r.ID) })
		counts, err = q.CustomerCounts(ctx, db.CustomerCountsParams{TenantID: v.tenant, Pattern: filter.Pattern, Kind: filter.Kind})
		return err
	})
	if err != nil {
		return err
	}
	for _, lack := range customerLacks {
		tab := ui.Tab{ID: cmp.Or(lack, "all"), Name: v.Lang.T("customer.tab." + cmp.Or(lack, "all")), Href: p.with("state", lack), Current: lack == filter.Lacks}
		tab.Count = map[string]int64{"": counts.Every, "stopped": counts.Stopped, "address": counts.Address, "email": counts.Email, "mandate": counts.Mandate, "vat": counts.VAT}[lack]
		if tab.Current {
			p.count = tab.Count
		}
		p.tabs = append(p.tabs, tab)
	}
	p.chips = v.searchChips(p.listQuery, nil)
	for _, kind := range customerKinds {
		if kind == filter.Kind {
			p.chips = append(p.chips, ui.Chip{ID: "kind", Name: v.Lang.T("customer.kind." + kind), Href: p.with("kind", "")})
		}
	}
	return v.list(p.listQuery, customerListPage(v, p), customerResult(v, p), v.Lang.N("customer.count", p.count))
}

// customerColumns are the columns of the exported table.
var customerColumns = []string{"invoice.customer.number", "data.customer.name", "data.customer.kind", "data.customer.email", "col.postal", "data.customer.address.city", "customer.cards.title", "customer.iban", "customer.since", "customer.lacks", "col.utility"}

// customerExport writes what the list shows, every page of it, as a table for German Excel.
func (o *office) customerExport(v *visit) error {
	l := readList(v, "kind")
	filter := l.customerFilter(v)
	filter.MaxRows = 1000
	v.Response().Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.Response().Header().Set("Content-Disposition", `attachment; filename="customers.csv"`)
	v.Response().Header().Set("Cache-Control", "private, no-store")
	v.Response().WriteHeader(http.StatusOK)
	if v.Request().Method == http.MethodHead {
		return nil
	}
	out, err := csv.NewWriter(v.Response())
	if err != nil {
		return err
	}
	var head []string
	for _, key := range customerColumns {
		head = append(head, v.Lang.T(key))
	}
	if err := out.Row(head...); err != nil {
		return err
	}
	return v.read(func(q *db.Queries) error {
		for {
			rows, err := q.CustomerList(v.Request().Context(), filter)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := out.Row(v.customerRecord(r)...); err != nil {
					return err
				}
			}
			if err := out.Flush(); len(rows) < int(filter.MaxRows) || err != nil {
				return err
			}
			last := rows[len(rows)-1]
			filter.Paged, filter.AfterKey, filter.AfterID = true, last.Key, last.ID
		}
	})
}

func (v *visit) customerRecord(r db.CustomerListRow) []string {
	return []string{
		csv.Text(r.Number), csv.Text(r.Name), v.Lang.T("customer.kind." + r.Kind), csv.Text(r.Email), csv.Text(r.PostalCode), csv.Text(r.City), strconv.FormatInt(r.Cards, 10), csv.Text(ending(r.IBANLast4)),
		csv.Instant(r.CreatedAt, ui.Berlin), strings.Join(v.lackNames(r.Lacks), ", "), csv.Text(r.Tenant),
	}
}

func (v *visit) lackNames(lacks []string) []string {
	names := make([]string, len(lacks))
	for i, lack := range lacks {
		names[i] = v.Lang.T("customer.lack." + lack)
	}
	return names
}

// ending is an account by its last digits.
func ending(last4 string) string {
	if last4 == "" {
		return ""
	}
	return "…" + last4
}

// lackTone is the colour of what a customer lacks: what stops an invoice stands out.
func lackTone(lack string) string {
	switch lack {
	case "stopped":
		return "err"
	case "address":
		return "warn"
	}
	return ""
}

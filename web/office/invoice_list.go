package office

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

const invoiceOrder = "-date"

// invoiceTotal sums up invoices of one currency.
type invoiceTotal struct {
	currency        string
	net, vat, gross decimal.Decimal
}

// invoicePage is what the list shows.
type invoicePage struct {
	listQuery
	rows           []db.InvoiceListRow
	tabs           []ui.Tab
	chips          []ui.Chip
	count          int64
	totals         []invoiceTotal
	months         []time.Time // that have invoices
	previous, next string
}

func (o *office) invoiceList(v *visit) error {
	p := invoicePage{listQuery: readList(v, "month", "type")}
	at := p.position()
	filter := db.InvoiceListParams{
		TenantID: v.tenant, Pattern: p.pattern(), State: p.get("state"), Type: p.get("type"), Month: monthOf(p.get("month")),
		Paged: at.paged, Backward: at.backward, AfterKey: at.key, AfterID: at.id, MaxRows: pageSize + 1,
	}
	filter.Sort, filter.Direction = p.order(invoiceOrder)
	var sums []db.InvoiceSumsRow
	err := v.read(func(q *db.Queries) error {
		ctx := v.Request().Context()
		rows, err := q.InvoiceList(ctx, filter)
		if err != nil {
			return err
		}
		p.rows, p.previous, p.next = paged(p.listQuery, at, rows, func(r db.InvoiceListRow) string { return mark(r.Key, r.ID) })
		if sums, err = q.InvoiceSums(ctx, db.InvoiceSumsParams{TenantID: v.tenant, Month: filter.Month, Pattern: filter.Pattern, Type: filter.Type}); err != nil {
			return err
		}
		p.months, err = q.InvoiceMonths(ctx, v.tenant)
		return err
	})
	if err != nil {
		return err
	}
	p.count, p.totals = sumInvoices(sums, filter.State)
	for _, state := range []string{"", "draft", "issued", "failed"} {
		count, _ := sumInvoices(sums, state)
		p.tabs = append(p.tabs, ui.Tab{ID: cmp.Or(state, "all"), Name: v.Lang.T("invoice.tab." + cmp.Or(state, "all")), Href: p.with("state", state), Count: count, Current: state == filter.State})
	}
	if q := p.get("q"); q != "" {
		p.chips = append(p.chips, ui.Chip{ID: "q", Name: v.Lang.T("filter.search", q), Href: p.with("q", "")})
	}
	if filter.Type != "" {
		p.chips = append(p.chips, ui.Chip{ID: "type", Name: v.documentKind(filter.Type), Href: p.with("type", "")})
	}
	if filter.Month != nil {
		p.chips = append(p.chips, ui.Chip{ID: "month", Name: v.Lang.Month(*filter.Month), Href: p.with("month", "")})
	}
	return v.list(p.listQuery, invoiceListPage(v, p), invoiceResult(v, p), v.Lang.N("invoice.count", p.count))
}

// monthOf reads a month as the date of its first day; nil is any month.
func monthOf(text string) *time.Time {
	month, err := time.Parse("2006-01", text)
	if err != nil {
		return nil
	}
	return &month
}

// sumInvoices counts and sums the invoices of a tab.
func sumInvoices(sums []db.InvoiceSumsRow, state string) (count int64, totals []invoiceTotal) {
	for _, s := range sums {
		if state != "" && s.State != state {
			continue
		}
		count += s.Many
		i := 0
		for i < len(totals) && totals[i].currency != s.Currency {
			i++
		}
		if i == len(totals) {
			totals = append(totals, invoiceTotal{currency: s.Currency})
		}
		t := &totals[i]
		t.net, t.vat, t.gross = t.net.Add(s.Net), t.vat.Add(s.VAT), t.gross.Add(s.Gross)
	}
	return count, totals
}

// documentKinds are the kinds of documents, in the order in which they are offered.
var documentKinds = []string{"380", "389", "381", "384"}

// documentKind names a kind of document.
func (v *visit) documentKind(code string) string {
	if !slices.Contains(documentKinds, code) {
		return code
	}
	return v.Lang.T("document." + code)
}

// invoiceTone is the colour of a state.
func invoiceTone(state string) string {
	switch state {
	case "issued":
		return "ok"
	case "failed":
		return "err"
	}
	return "info"
}

// invoiceName is the number of an invoice, or what a draft is called.
func (v *visit) invoiceName(number string, month time.Time) string {
	if number != "" {
		return number
	}
	return v.Lang.T("invoice.draft", v.Lang.Month(month))
}

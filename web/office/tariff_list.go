package office

import (
	"cmp"
	"fmt"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// tariffStates are the tabs of the tariffs; the first is all of them.
var tariffStates = []string{"", "current", "findings", "changed", "ended"}

// tariffRow is a tariff in its last version.
type tariffRow struct {
	db.TariffListRow
	prices []string // of its elements, in words
}

// tariffPage is what the list shows.
type tariffPage struct {
	listQuery
	rows        []tariffRow
	tabs        []ui.Tab
	chips       []ui.Chip
	count       int64
	partners    []db.PartnerNamesRow
	start, next string
}

// tariffKey names a tariff in an address: DE*CPO/T1.
func tariffKey(t db.Tariff) string { return t.CountryCode + "*" + t.PartyID + "/" + t.TariffID }

func (o *office) tariffList(v *visit) error {
	ctx := v.Request().Context()
	p := tariffPage{listQuery: readList(v, "partner")}
	rows, err := o.DB.TariffList(ctx, db.TariffListParams{
		TenantID: v.tenant, PartnerID: partnerOf(p.listQuery), Pattern: p.pattern(), State: p.get("state"), After: p.get("after"), MaxRows: pageSize + 1,
	})
	if err != nil {
		return err
	}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		p.next = p.changed(map[string]string{"after": tariffKey(rows[pageSize-1].Tariff)}).href()
	}
	if p.get("after") != "" {
		p.start = p.with("after", "")
	}
	for _, r := range rows {
		doc, err := readTariff(r.Tariff)
		if err != nil {
			return err
		}
		row := tariffRow{TariffListRow: r}
		for _, e := range doc.Elements {
			row.prices = append(row.prices, v.elementText(e, doc.Currency))
		}
		p.rows = append(p.rows, row)
	}
	counts, err := o.DB.TariffCounts(ctx, db.TariffCountsParams{TenantID: v.tenant, PartnerID: partnerOf(p.listQuery), Pattern: p.pattern()})
	if err != nil {
		return err
	}
	for _, state := range tariffStates {
		tab := ui.Tab{ID: cmp.Or(state, "all"), Name: v.Lang.T("tariff.tab." + cmp.Or(state, "all")), Href: p.with("state", state), Current: state == p.get("state")}
		tab.Count = map[string]int64{"": counts.AllTariffs, "current": counts.Current, "findings": counts.Findings, "changed": counts.Changed, "ended": counts.Ended}[state]
		if tab.Current {
			p.count = tab.Count
		}
		p.tabs = append(p.tabs, tab)
	}
	if p.partners, err = o.DB.PartnerNames(ctx, v.tenant); err != nil {
		return err
	}
	p.chips = v.searchChips(p.listQuery, p.partners)
	return v.list(p.listQuery, tariffListPage(v, p), tariffResult(v, p), v.Lang.N("tariff.count", p.count))
}

func readTariff(row db.Tariff) (ocpi.Tariff, error) {
	var doc ocpi.Tariff
	if err := ocpi.UnmarshalLenient(row.Doc, &doc); err != nil {
		return doc, fmt.Errorf("read tariff %s version %d: %w", tariffKey(row), row.Version, err)
	}
	return doc, nil
}

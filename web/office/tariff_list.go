package office

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// tariffStates are the tabs of the tariffs; the first is all of them.
var tariffStates = []string{"", "current", "changed", "ended"}

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
		tab.Count = map[string]int64{"": counts.AllTariffs, "current": counts.Current, "changed": counts.Changed, "ended": counts.Ended}[state]
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

// tariffView is one tariff with its versions.
type tariffView struct {
	key      string
	versions []db.Tariff // the oldest first
	shown    db.Tariff
	doc      ocpi.Tariff
	elements []tariffElement
	against  *db.Tariff // what the version is compared with; nil: nothing
	changes  []change
	use      db.TariffUseRow
	partner  db.PartnerHealthRow
}

// tariffElement is an element in words.
type tariffElement struct {
	text     string
	when     string
	shadowed bool // earlier elements price all that it prices, whatever the circumstances
}

// usedSince is the time in which CDRs are counted that a tariff priced, in days.
const usedSince = 30

func (o *office) tariffDetail(v *visit) error {
	ctx := v.Request().Context()
	t := tariffView{key: v.QueryParam("of")}
	owner, id, _ := strings.Cut(t.key, "/")
	party, err := ocpi.ParseParty(owner)
	if err != nil || id == "" {
		return db.ErrNotFound
	}
	if t.versions, err = o.DB.TariffVersions(ctx, db.TariffVersionsParams{CountryCode: string(party.CountryCode), PartyID: string(party.PartyID), TariffID: id}); err != nil {
		return err
	}
	if len(t.versions) == 0 {
		return db.ErrNotFound
	}
	t.shown = t.versions[len(t.versions)-1]
	for i, version := range t.versions {
		if fmt.Sprint(version.Version) == v.QueryParam("version") {
			t.shown = t.versions[i]
		}
	}
	if t.partner, err = v.partner(t.shown.PartnerID); err != nil {
		return err
	}
	if t.doc, err = readTariff(t.shown); err != nil {
		return err
	}
	t.elements = v.tariffElements(t.doc)
	if t.against = versionBefore(t.versions, t.shown, v.QueryParam("against")); t.against != nil {
		if t.changes, err = compare(t.against.Doc, t.shown.Doc); err != nil {
			return fmt.Errorf("compare versions of tariff %s: %w", t.key, err)
		}
	}
	t.use, err = o.DB.TariffUse(ctx, db.TariffUseParams{
		CountryCode: t.shown.CountryCode, PartyID: t.shown.PartyID, TariffID: t.shown.TariffID, Since: o.Now().AddDate(0, 0, -usedSince), TenantID: v.tenant,
	})
	if err != nil {
		return fmt.Errorf("use of tariff %s: %w", t.key, err)
	}
	return v.render(http.StatusOK, tariffDetailPage(v, t))
}

// versionBefore is the version that another one is compared with: the one asked for, or the one before.
func versionBefore(versions []db.Tariff, shown db.Tariff, asked string) *db.Tariff {
	var before *db.Tariff
	for i := range versions {
		switch {
		case fmt.Sprint(versions[i].Version) == asked && versions[i].Version != shown.Version:
			return &versions[i]
		case versions[i].Version < shown.Version:
			before = &versions[i]
		}
	}
	return before
}

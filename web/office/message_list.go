package office

import (
	"cmp"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// outcomes are how a message can have been answered, in the order of the tabs.
var outcomes = []string{"", "taken", "noted", "refused", "failed"}

// messageModules are the modules that the log can be filtered by.
var messageModules = []ocpi.ModuleID{
	ocpi.ModuleCredentials, ocpi.ModuleLocations, ocpi.ModuleSessions, ocpi.ModuleCDRs, ocpi.ModuleTariffs, ocpi.ModuleTokens,
	ocpi.ModuleCommands, ocpi.ModuleChargingProfiles, ocpi.ModuleHubClientInfo,
}

// messageSpans are the times that the log can be searched in, in hours; the first one is the usual.
var messageSpans = []struct {
	value string
	hours int
}{{"", 7 * 24}, {"1", 1}, {"24", 24}, {"all", 400 * 24}}

// statusClasses are the ranges of OCPI status codes; 0 are answers without one.
var statusClasses = []string{"1", "2", "3", "4", "0"}

// messagePage is what the log shows.
type messagePage struct {
	listQuery
	rows     []db.MessageSearchRow
	tabs     []ui.Tab
	chips    []ui.Chip
	count    int64
	partners []db.PartnerNamesRow
	start    string // the first page, from a later one
	next     string
}

func (v *visit) messageFilter(l listQuery) db.MessageSearchParams {
	p := db.MessageSearchParams{
		TenantID: v.tenant, PartnerID: partnerOf(l), Direction: l.get("direction"), Module: l.get("module"), Outcome: l.get("state"), Class: -1, Needle: l.get("q"), MaxRows: pageSize + 1,
	}
	for _, span := range messageSpans {
		if span.value == l.get("span") {
			p.Since = v.office.Now().Add(-time.Duration(span.hours) * time.Hour)
		}
	}
	if p.Since.IsZero() {
		p.Since = v.office.Now().Add(-time.Duration(messageSpans[0].hours) * time.Hour)
	}
	if class, err := strconv.Atoi(l.get("class")); err == nil && class >= 0 && class <= 9 {
		p.Class = int32(class)
	}
	return p
}

// partnerOf is the partner that a list is filtered by. What is no id is nobody's.
func partnerOf(l listQuery) uuid.NullUUID {
	given := l.get("partner")
	if given == "" {
		return uuid.NullUUID{}
	}
	id, _ := uuid.Parse(given)
	return uuid.NullUUID{UUID: id, Valid: true}
}

// An instant in the address of a page, to the microsecond.
func instantMark(t time.Time, id uuid.UUID) string {
	return mark(decimal.NewFromInt(t.UnixMicro()), id)
}

func (p position) instant() time.Time { return time.UnixMicro(p.key.IntPart()) }

func (o *office) messageList(v *visit) error {
	ctx := v.Request().Context()
	p := messagePage{listQuery: readList(v, "partner", "module", "direction", "class", "span")}
	filter := v.messageFilter(p.listQuery)
	at := p.position()
	filter.Paged, filter.AfterAt, filter.AfterID = at.paged, at.instant(), at.id
	var err error
	if p.rows, err = o.DB.MessageSearch(ctx, filter); err != nil {
		return err
	}
	if len(p.rows) > pageSize {
		p.rows = p.rows[:pageSize]
		last := p.rows[pageSize-1]
		p.next = p.changed(map[string]string{"after": instantMark(last.At, last.ID)}).href()
	}
	if at.paged {
		p.start = p.with("after", "")
	}
	counts, err := o.DB.MessageCounts(ctx, db.MessageCountsParams{
		Since: filter.Since, TenantID: filter.TenantID, PartnerID: filter.PartnerID, Direction: filter.Direction, Module: filter.Module, Class: filter.Class, Needle: filter.Needle,
	})
	if err != nil {
		return err
	}
	for _, outcome := range outcomes {
		tab := ui.Tab{ID: cmp.Or(outcome, "all"), Name: v.Lang.T("message.tab." + cmp.Or(outcome, "all")), Href: p.with("state", outcome), Current: outcome == p.get("state")}
		for _, c := range counts {
			if outcome == "" || outcome == c.Outcome {
				tab.Count += c.Many
			}
		}
		if tab.Current {
			p.count = tab.Count
		}
		p.tabs = append(p.tabs, tab)
	}
	if p.partners, err = o.DB.PartnerNames(ctx, v.tenant); err != nil {
		return err
	}
	p.chips = v.messageChips(p)
	return v.list(p.listQuery, messageListPage(v, p), messageResult(v, p), v.Lang.N("message.count", p.count))
}

func (v *visit) messageChips(p messagePage) []ui.Chip {
	chips := v.searchChips(p.listQuery, p.partners)
	for _, c := range []ui.Chip{
		{ID: "module", Name: p.get("module")},
		{ID: "direction", Name: v.Lang.T("message.direction." + cmp.Or(p.get("direction"), "in"))},
		{ID: "class", Name: v.statusClass(p.get("class"))},
		{ID: "span", Name: v.Lang.T("message.span." + cmp.Or(p.get("span"), "week"))},
	} {
		if p.get(c.ID) != "" {
			c.Href = p.with(c.ID, "")
			chips = append(chips, c)
		}
	}
	return chips
}

// statusClass is a range of status codes in words.
func (v *visit) statusClass(class string) string {
	if class == "0" {
		return v.Lang.T("message.class.none")
	}
	return class + "xxx"
}

// searchChips are those of the search text and of the partner, which several lists have.
func (v *visit) searchChips(l listQuery, partners []db.PartnerNamesRow) []ui.Chip {
	var chips []ui.Chip
	if q := l.get("q"); q != "" {
		chips = append(chips, ui.Chip{ID: "q", Name: v.Lang.T("filter.search", q), Href: l.with("q", "")})
	}
	for _, partner := range partners {
		if partner.ID.String() == l.get("partner") {
			chips = append(chips, ui.Chip{ID: "partner", Name: partner.Name, Href: l.with("partner", "")})
		}
	}
	return chips
}

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

// countedMessages is up to how many messages are counted.
const countedMessages = 10_000

// messagePage is what the log shows.
type messagePage struct {
	listQuery
	rows     []db.MessageSearchRow
	tabs     []ui.Tab
	chips    []ui.Chip
	count    int64
	more     bool // count is the least that there are
	partners []db.PartnerNamesRow
	start    string // the first page, from a later one
	next     string
}

func (v *visit) messageFilter(l listQuery) db.MessageFindParams {
	p := db.MessageFindParams{
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
	if p.rows, err = v.messages(filter); err != nil {
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
	if p.tabs, err = v.messageTabs(p.listQuery, filter); err != nil {
		return err
	}
	for _, tab := range p.tabs {
		if tab.Current {
			p.count, p.more = tab.Count, tab.More
		}
	}
	if p.partners, err = o.DB.PartnerNames(ctx, v.tenant); err != nil {
		return err
	}
	p.chips = v.messageChips(p)
	return v.list(p.listQuery, messageListPage(v, p), messageResult(v, p), v.messagesText(p))
}

// messages are those that go by a filter. What is looked for by an id is found another way than what is listed.
func (v *visit) messages(f db.MessageFindParams) ([]db.MessageSearchRow, error) {
	ctx, d := v.Request().Context(), v.office.DB
	if f.Needle == "" {
		return d.MessageSearch(ctx, db.MessageSearchParams{
			Since: f.Since, TenantID: f.TenantID, PartnerID: f.PartnerID, Direction: f.Direction, Module: f.Module, Outcome: f.Outcome, Class: f.Class,
			Paged: f.Paged, AfterAt: f.AfterAt, AfterID: f.AfterID, MaxRows: f.MaxRows,
		})
	}
	found, err := d.MessageFind(ctx, f)
	rows := make([]db.MessageSearchRow, len(found))
	for i, m := range found {
		rows[i] = db.MessageSearchRow(m)
	}
	return rows, err
}

// messageTabs are the outcomes with their counts. Of what is listed, the newest are counted, and those that were not taken among
// all: they are few, or something is amiss.
func (v *visit) messageTabs(l listQuery, f db.MessageFindParams) ([]ui.Tab, error) {
	counts, err := v.messageCounts(f)
	if err != nil {
		return nil, err
	}
	many := func(counts map[string]int64, outcome string) (n int64) {
		for o, c := range counts {
			if outcome == "" || o == outcome {
				n += c
			}
		}
		return n
	}
	more := f.Needle == "" && many(counts, "") > countedMessages
	bad := counts
	if more {
		rows, err := v.office.DB.BadMessageCounts(v.Request().Context(), db.BadMessageCountsParams{
			Since: f.Since, TenantID: f.TenantID, PartnerID: f.PartnerID, Direction: f.Direction, Module: f.Module, Class: f.Class, MaxRows: countedMessages + 1,
		})
		if err != nil {
			return nil, err
		}
		bad = map[string]int64{}
		for _, c := range rows {
			bad[c.Outcome] = c.Many
		}
	}
	var tabs []ui.Tab
	for _, outcome := range outcomes {
		tab := ui.Tab{ID: cmp.Or(outcome, "all"), Name: v.Lang.T("message.tab." + cmp.Or(outcome, "all")), Href: l.with("state", outcome), Current: outcome == l.get("state")}
		if tab.Count, tab.More = many(counts, outcome), more; outcome == "refused" || outcome == "failed" {
			tab.Count, tab.More = bad[outcome], more && many(bad, "") > countedMessages
		}
		if tab.More {
			tab.Count = min(tab.Count, countedMessages)
		}
		tabs = append(tabs, tab)
	}
	return tabs, nil
}

// messageCounts are how the messages that go by a filter were answered; of what is listed, the newest.
func (v *visit) messageCounts(f db.MessageFindParams) (map[string]int64, error) {
	ctx, d := v.Request().Context(), v.office.DB
	counts := map[string]int64{}
	if f.Needle == "" {
		rows, err := d.MessageCounts(ctx, db.MessageCountsParams{
			Since: f.Since, TenantID: f.TenantID, PartnerID: f.PartnerID, Direction: f.Direction, Module: f.Module, Class: f.Class, MaxRows: countedMessages + 1,
		})
		for _, c := range rows {
			counts[c.Outcome] = c.Many
		}
		return counts, err
	}
	rows, err := d.MessageFindCounts(ctx, db.MessageFindCountsParams{
		Since: f.Since, TenantID: f.TenantID, PartnerID: f.PartnerID, Direction: f.Direction, Module: f.Module, Class: f.Class, Needle: f.Needle,
	})
	for _, c := range rows {
		counts[c.Outcome] = c.Many
	}
	return counts, err
}

// messagesText says how many messages there are.
func (v *visit) messagesText(p messagePage) string {
	if p.more {
		return v.Lang.T("message.more", v.Lang.Int(p.count))
	}
	return v.Lang.N("message.count", p.count)
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

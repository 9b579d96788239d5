package office

import (
	"cmp"
	"slices"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// outboxPage is what the outbox shows.
type outboxPage struct {
	listQuery
	rows           []db.OutboxListRow
	tabs           []ui.Tab
	chips          []ui.Chip
	count          int64
	previous, next string
}

func (o *office) outboxList(v *visit) error {
	p := outboxPage{listQuery: readList(v, "way")}
	at := p.position()
	var counts []db.OutboxCountsRow
	err := v.read(func(q *db.Queries) error {
		ctx := v.Request().Context()
		rows, err := q.OutboxList(ctx, db.OutboxListParams{
			Direction: -1, TenantID: v.tenant, Pattern: p.pattern(), State: p.get("state"), Way: p.get("way"),
			Paged: at.paged, Backward: at.backward, AfterKey: at.key, AfterID: at.id, MaxRows: pageSize + 1,
		})
		if err != nil {
			return err
		}
		p.rows, p.previous, p.next = paged(p.listQuery, at, rows, func(r db.OutboxListRow) string { return mark(r.Key, r.ID) })
		counts, err = q.OutboxCounts(ctx, db.OutboxCountsParams{TenantID: v.tenant, Pattern: p.pattern()})
		return err
	})
	if err != nil {
		return err
	}
	for _, state := range []string{"", "queued", "sent", "bounced", "failed", "kept"} {
		var count int64
		for _, c := range counts {
			if (state == "" || c.State == state) && (p.get("way") == "" || c.Way == p.get("way")) {
				count += c.Many
			}
		}
		if state == p.get("state") {
			p.count = count
		}
		p.tabs = append(p.tabs, ui.Tab{ID: cmp.Or(state, "all"), Name: v.Lang.T("email.tab." + cmp.Or(state, "all")), Href: p.with("state", state), Count: count, Current: state == p.get("state")})
	}
	if way := p.get("way"); slices.Contains(outboxWays, way) {
		p.chips = append(p.chips, ui.Chip{ID: "way", Name: v.Lang.T("outbox.way." + way), Href: p.with("way", "")})
	}
	if q := p.get("q"); q != "" {
		p.chips = append(p.chips, ui.Chip{ID: "q", Name: v.Lang.T("filter.search", q), Href: p.with("q", "")})
	}
	return v.list(p.listQuery, outboxListPage(v, p), outboxResult(v, p), v.Lang.N("email.count", p.count))
}

// outboxWays are the ways of what is in the outbox.
var outboxWays = []string{"email", "letter", "peppol"}

// outboxTone is the colour of a state.
func outboxTone(state string) string {
	switch state {
	case "sent":
		return "ok"
	case "failed", "bounced":
		return "err"
	case "queued":
		return "info"
	}
	return ""
}

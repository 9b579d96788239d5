package office

import (
	"cmp"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// disputeStates are the tabs of the disputes; the first is those that are not settled.
var disputeStates = []string{"unsettled", "open", "sent", "answered", "credited", "rejected", "expired", "withdrawn", ""}

// disputePage is the list of disputes.
type disputePage struct {
	listQuery
	rows     []db.DisputeListRow
	tabs     []ui.Tab
	chips    []ui.Chip
	partners []db.PartnerNamesRow
	count    int64
	totals   []disputeTotal
	first    string // leads back to the first page
	next     string
}

// disputeTotal sums up disputes of one currency. Amounts exclude VAT.
type disputeTotal struct {
	currency                              string
	claimed, accepted, expected, credited decimal.Decimal
}

// state is the tab that is shown.
func (p disputePage) state() string { return cmp.Or(p.get("state"), "unsettled") }

func (o *office) disputeList(v *visit) error {
	ctx := v.Request().Context()
	p := disputePage{listQuery: readList(v, "partner")}
	filter := db.DisputeListParams{TenantID: v.tenant, PartnerID: partnerOf(p.listQuery), State: p.state(), Pattern: p.pattern(), MaxRows: pageSize + 1}
	if filter.State == "all" {
		filter.State = ""
	}
	if at := p.position(); at.paged {
		filter.Paged, filter.AfterAt, filter.AfterID = true, time.UnixMicro(at.key.IntPart()), at.id
		p.first = p.with("after", "")
	}
	var sums []db.DisputeSumsRow
	err := v.read(func(q *db.Queries) (err error) {
		if p.rows, err = q.DisputeList(ctx, filter); err != nil {
			return err
		}
		if sums, err = q.DisputeSums(ctx, db.DisputeSumsParams{TenantID: v.tenant, PartnerID: filter.PartnerID}); err != nil {
			return err
		}
		p.partners, err = q.PartnerNames(ctx, v.tenant)
		return err
	})
	if err != nil {
		return err
	}
	if len(p.rows) > pageSize {
		p.rows = p.rows[:pageSize]
		last := p.rows[pageSize-1].Dispute
		p.next = p.changed(map[string]string{"after": mark(decimal.NewFromInt(last.OpenedAt.UnixMicro()), last.ID)}).href()
	}
	for _, state := range disputeStates {
		t := ui.Tab{ID: cmp.Or(state, "all"), Name: v.Lang.T("dispute.tab." + cmp.Or(state, "all")), Current: cmp.Or(state, "all") == p.state()}
		if t.Href = p.with("state", cmp.Or(state, "all")); state == "unsettled" {
			t.Href = p.with("state", "")
		}
		var totals []disputeTotal
		t.Count, totals = sumDisputes(sums, state)
		if t.Current {
			p.count, p.totals = t.Count, totals
		}
		p.tabs = append(p.tabs, t)
	}
	p.chips = v.searchChips(p.listQuery, p.partners)
	return v.list(p.listQuery, disputeListPage(v, p), disputeResult(v, p), v.Lang.N("dispute.count", p.count))
}

// sumDisputes counts and sums the disputes of a tab.
func sumDisputes(sums []db.DisputeSumsRow, state string) (count int64, totals []disputeTotal) {
	for _, s := range sums {
		unsettled := s.State == "open" || s.State == "sent" || s.State == "answered"
		if state != "" && s.State != state && (state != "unsettled" || !unsettled) {
			continue
		}
		count += s.Many
		i := 0
		for i < len(totals) && totals[i].currency != s.Currency {
			i++
		}
		if i == len(totals) {
			totals = append(totals, disputeTotal{currency: s.Currency})
		}
		t := &totals[i]
		t.claimed, t.accepted = t.claimed.Add(s.Claimed), t.accepted.Add(s.Accepted)
		t.expected, t.credited = t.expected.Add(s.Expected), t.credited.Add(s.Credited)
	}
	return count, totals
}

// disputeTone is the colour of a state of a dispute.
func disputeTone(state string) string {
	switch state {
	case "open", "answered":
		return "warn"
	case "sent":
		return "info"
	case "credited":
		return "ok"
	case "rejected", "expired":
		return "err"
	}
	return ""
}

// deadlineNear is how long before its deadline a dispute wants to be looked at.
const deadlineNear = 72 * time.Hour

// overdue reports whether the time in which a dispute is to be settled is over, or nearly.
func (v *visit) overdue(d db.Dispute) bool {
	return d.ClosedAt == nil && d.Deadline.Before(v.office.Now().Add(deadlineNear))
}

// dispute reads the dispute of the address.
func (v *visit) dispute(q *db.Queries) (db.DisputeRow, error) {
	id, err := v.id()
	if err != nil {
		return db.DisputeRow{}, err
	}
	row, err := q.Dispute(v.Request().Context(), db.DisputeParams{ID: id, TenantID: v.tenant})
	if err != nil {
		return row, fmt.Errorf("dispute %s: %w", id, err)
	}
	return row, nil
}

// disputeHref is the page of a dispute.
func (v *visit) disputeHref(id uuid.UUID) string { return v.pathOf("/disputes/"+id.String(), "") }

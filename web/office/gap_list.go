package office

import (
	"strings"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

const (
	gapDays    = 90  // how far back sessions without a CDR are looked for
	alertLimit = 100 // alerts shown
)

// gapPage is what is amiss: alerts, and sessions whose CDR has not come.
type gapPage struct {
	listQuery
	alerts      []db.AlertListRow
	gaps        []db.SessionGapsRow
	tabs        []ui.Tab
	chips       []ui.Chip
	counts      db.AlertCountsRow
	partners    []db.PartnerNamesRow
	start, next string
}

func (o *office) gapList(v *visit) error {
	ctx := v.Request().Context()
	p := gapPage{listQuery: readList(v, "partner")}
	since := o.Now().AddDate(0, 0, -gapDays)
	filter := db.SessionGapsParams{TenantID: v.tenant, PartnerID: partnerOf(p.listQuery), Since: since, MaxRows: pageSize + 1}
	if at, key, ok := strings.Cut(p.get("after"), "~"); ok {
		var err error
		if filter.AfterAt, err = time.Parse(time.RFC3339Nano, at); err == nil {
			filter.Paged, filter.AfterKey = true, key
			p.start = p.with("after", "")
		}
	}
	err := v.read(func(q *db.Queries) (err error) {
		if p.gaps, err = q.SessionGaps(ctx, filter); err != nil {
			return err
		}
		if p.alerts, err = q.AlertList(ctx, db.AlertListParams{OpenOnly: p.get("state") == "", PartnerID: filter.PartnerID, TenantID: v.tenant, MaxRows: alertLimit}); err != nil {
			return err
		}
		if p.counts, err = q.AlertCounts(ctx, db.AlertCountsParams{Since: since, PartnerID: filter.PartnerID, TenantID: v.tenant}); err != nil {
			return err
		}
		p.partners, err = q.PartnerNames(ctx, v.tenant)
		return err
	})
	if err != nil {
		return err
	}
	if len(p.gaps) > pageSize {
		p.gaps = p.gaps[:pageSize]
		last := p.gaps[pageSize-1]
		p.next = p.changed(map[string]string{"after": last.UpdatedAt.UTC().Format(time.RFC3339Nano) + "~" + sessionKey(last)}).href()
	}
	p.tabs = []ui.Tab{
		{ID: "open", Name: v.Lang.T("gap.tab.open"), Href: p.with("state", ""), Count: p.counts.Open, Current: p.get("state") == ""},
		{ID: "resolved", Name: v.Lang.T("gap.tab.all"), Href: p.with("state", "all"), Count: p.counts.Open + p.counts.Resolved, Current: p.get("state") != ""},
	}
	p.chips = v.searchChips(p.listQuery, p.partners)
	return v.list(p.listQuery, gapListPage(v, p), gapResult(v, p), v.Lang.N("alert.count", int64(len(p.alerts)))+", "+v.Lang.N("gap.count", int64(len(p.gaps))))
}

// sessionKey names a session as the log of messages does: DE*CPO/S1.
func sessionKey(s db.SessionGapsRow) string {
	return s.CountryCode + "*" + s.PartyID + "/" + s.SessionID
}

// alertText is what an alert says.
func (v *visit) alertText(a db.Alert) string { return jobs.AlertText(a, string(v.Lang)) }

// alertTone is the colour of an alert.
func alertTone(a db.Alert) string {
	switch {
	case a.ResolvedAt != nil:
		return "ok"
	case a.Kind == string(jobs.AlertTokenRejected), a.Kind == string(jobs.AlertUnreachable), a.Kind == string(jobs.AlertBlockOpen):
		return "err"
	}
	return "warn"
}

// alertLink leads to what an alert is about; empty where there is no such page.
func (v *visit) alertLink(a db.Alert) string {
	switch {
	case strings.HasPrefix(a.Subject, "sessions/"):
		return "/trace?of=" + queryEscape(a.Subject)
	case a.Kind == string(jobs.AlertBlockOpen), a.Kind == string(jobs.AlertTokenDrift):
		return "/cards?state=open&partner=" + a.PartnerID.String()
	}
	return "/partners/" + a.PartnerID.String()
}

// age is how long ago something happened, in the largest unit.
func (v *visit) age(t time.Time) string {
	d := v.office.Now().Sub(t)
	switch {
	case d >= 48*time.Hour:
		return v.Lang.N("age.days", int64(d/(24*time.Hour)))
	case d >= time.Hour:
		return v.Lang.N("age.hours", int64(d/time.Hour))
	}
	return v.Lang.N("age.minutes", int64(max(d, 0)/time.Minute))
}

// gapTone is the colour of a session that has waited for its CDR: a partner may take two days.
func (v *visit) gapTone(ended time.Time) string {
	switch d := v.office.Now().Sub(ended); {
	case d > 7*24*time.Hour:
		return "err"
	case d > 48*time.Hour:
		return "warn"
	}
	return "info"
}

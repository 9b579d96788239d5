package office

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// emailPage is what the outbox shows.
type emailPage struct {
	listQuery
	rows           []db.EmailListRow
	tabs           []ui.Tab
	chips          []ui.Chip
	count          int64
	previous, next string
}

func (o *office) emailList(v *visit) error {
	p := emailPage{listQuery: readList(v)}
	at := p.position()
	var counts []db.EmailCountsRow
	err := v.read(func(q *db.Queries) error {
		ctx := v.Request().Context()
		rows, err := q.EmailList(ctx, db.EmailListParams{
			Direction: -1, TenantID: v.tenant, Pattern: p.pattern(), State: p.get("state"),
			Paged: at.paged, Backward: at.backward, AfterKey: at.key, AfterID: at.id, MaxRows: pageSize + 1,
		})
		if err != nil {
			return err
		}
		p.rows, p.previous, p.next = paged(p.listQuery, at, rows, func(r db.EmailListRow) string { return mark(r.Key, r.ID) })
		counts, err = q.EmailCounts(ctx, db.EmailCountsParams{TenantID: v.tenant, Pattern: p.pattern()})
		return err
	})
	if err != nil {
		return err
	}
	for _, state := range []string{"", "queued", "sent", "kept", "failed"} {
		var count int64
		for _, c := range counts {
			if state == "" || c.State == state {
				count += c.Many
			}
		}
		if state == p.get("state") {
			p.count = count
		}
		p.tabs = append(p.tabs, ui.Tab{ID: cmp.Or(state, "all"), Name: v.Lang.T("email.tab." + cmp.Or(state, "all")), Href: p.with("state", state), Count: count, Current: state == p.get("state")})
	}
	if q := p.get("q"); q != "" {
		p.chips = append(p.chips, ui.Chip{ID: "q", Name: v.Lang.T("filter.search", q), Href: p.with("q", "")})
	}
	return v.list(p.listQuery, emailListPage(v, p), emailResult(v, p), v.Lang.N("email.count", p.count))
}

// emailView is one e-mail with what is attached to it.
type emailView struct {
	db.EmailDetailRow
	attachments []db.InvoiceDocumentsRow
}

func (o *office) emailDetail(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	var view emailView
	err = v.read(func(q *db.Queries) error {
		if view.EmailDetailRow, err = q.EmailDetail(ctx, db.EmailDetailParams{ID: id, TenantID: v.tenant}); err != nil {
			return err
		}
		if !view.Email.InvoiceID.Valid {
			return nil
		}
		if view.attachments, err = q.InvoiceDocuments(ctx, view.Email.InvoiceID.UUID); err != nil {
			return fmt.Errorf("attachments of e-mail %s: %w", id, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, emailDetailPage(v, view))
}

// emailTone is the colour of a state.
func emailTone(state string) string {
	switch state {
	case "sent":
		return "ok"
	case "failed":
		return "err"
	case "queued":
		return "info"
	}
	return ""
}

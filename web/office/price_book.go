package office

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// bookView is a version of the price book, or a draft of one.
type bookView struct {
	versions []db.PriceBook // the oldest first
	shown    *db.PriceBook  // nil: none, or a draft
	current  *db.PriceBook  // that counts now
	check    jobs.BookCheck
	prices   map[string]string // of plans by name, in words
	plans    map[string]string // addresses of plans by name
	against  *db.PriceBook
	changes  []planChange
	drafts   []db.PriceDraft
	waiting  int64 // sessions in holes
	day      string
	fillIn   string // address of the page that fills a hole
}

// priceMatrix shows the price book that counts now, or on another day.
func (o *office) priceMatrix(v *visit) error {
	b, err := v.loadBook()
	if err != nil {
		return err
	}
	b.day = strings.TrimSpace(v.QueryParam("at"))
	at := o.Now()
	if day, err := readMoment(b.day); err == nil {
		at = day
	}
	if b.shown = bookAt(b.versions, at); b.shown != nil {
		if err := v.fillBook(&b); err != nil {
			return err
		}
	}
	return v.render(http.StatusOK, priceBookPage(v, b))
}

// priceVersion shows one version.
func (o *office) priceVersion(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	b, err := v.loadBook()
	if err != nil {
		return err
	}
	for i := range b.versions {
		if b.versions[i].ID == id {
			b.shown = &b.versions[i]
		}
	}
	if b.shown == nil {
		return db.ErrNotFound
	}
	if err := v.fillBook(&b); err != nil {
		return err
	}
	return v.render(http.StatusOK, priceBookPage(v, b))
}

// bookAt is the version that counts for a session that begins at an instant; nil if there is none.
func bookAt(versions []db.PriceBook, at time.Time) *db.PriceBook {
	var found *db.PriceBook
	for i := range versions {
		if x := &versions[i]; !x.ValidFrom.After(at) && (found == nil || !x.ValidFrom.Before(found.ValidFrom)) {
			found = x
		}
	}
	return found
}

// loadBook reads what the pages of the price book have in common.
func (v *visit) loadBook() (b bookView, err error) {
	ctx := v.Request().Context()
	b.prices, b.plans = map[string]string{}, map[string]string{}
	err = v.read(func(q *db.Queries) error {
		if b.versions, err = q.PriceBooks(ctx, v.tenant.UUID); err != nil {
			return fmt.Errorf("price books: %w", err)
		}
		if b.drafts, err = q.PriceDrafts(ctx, v.tenant.UUID); err != nil {
			return fmt.Errorf("drafts: %w", err)
		}
		if b.waiting, err = q.CountHoles(ctx, v.tenant.UUID); err != nil {
			return fmt.Errorf("sessions without a price: %w", err)
		}
		rows, err := v.plans(q)
		for _, r := range rows {
			x := r.now
			if x == nil {
				x = r.next
			}
			b.prices[r.name()], b.plans[r.name()] = v.planText(x), string(v.Link("/plans/"+r.id.String()))
		}
		return err
	})
	b.current = bookAt(b.versions, v.office.Now())
	return b, err
}

// fillBook looks at the version that is shown.
func (v *visit) fillBook(b *bookView) (err error) {
	if b.check, err = v.office.CheckPriceBook(v.Request().Context(), v.tenant.UUID, b.shown.Doc); err != nil {
		return err
	}
	for i := range b.versions {
		if b.versions[i].Version < b.shown.Version {
			b.against = &b.versions[i]
		}
	}
	if b.against != nil {
		before, err := billing.ParsePriceBook(b.against.Doc)
		if err != nil {
			return fmt.Errorf("version %d of the price book: %w", b.against.Version, err)
		}
		b.changes = v.compareBooks(before, b.check.Book)
	}
	return nil
}

// compareBooks lists the rules in which two price books differ.
func (v *visit) compareBooks(before, after billing.PriceBook) []planChange {
	parts := func(book billing.PriceBook) []planPart {
		var list []planPart
		for i := range book.Rules {
			list = append(list, planPart{book.Rules[i].Says(string(v.Lang)), book.Rules[i].Plan, ""})
		}
		return list
	}
	return compareParts(parts(before), parts(after))
}

// matrixRow is a network with what each customer group pays in it.
type matrixRow struct {
	network billing.Network
	cells   []billing.Cell
}

// matrix turns the cells of a check into rows.
func (b bookView) matrix() []matrixRow {
	rows := make([]matrixRow, len(b.check.Networks))
	for _, cell := range b.check.Cells {
		rows[cell.Network].network = b.check.Networks[cell.Network]
		rows[cell.Network].cells = append(rows[cell.Network].cells, cell)
	}
	return rows
}

// fillPath leads to the form of a rule that fills a hole.
func (b bookView) fillPath(cell billing.Cell, p billing.CellPrice) string {
	at := b.check.Networks[cell.Network].At
	r := draftRule{CPO: at.CPO.String(), Current: string(at.Current)}
	if !at.Hub.IsZero() {
		r.Hub = at.Hub.String()
	}
	if cell.Group != "" {
		r.Who, r.Whom = "group", cell.Group
	}
	if p.FromKW.IsPositive() {
		r.FromKW = p.FromKW.String()
	}
	if p.BelowKW.Valid {
		r.BelowKW = p.BelowKW.Decimal.String()
	}
	return or(b.fillIn, "/prices/fill") + "?" + r.query().Encode() + "#filled"
}

// groups are the columns of the matrix; customers in none come last.
func (b bookView) groups() []string { return append(slices.Clone(b.check.Groups), "") }

// holes counts the cells of the matrix with something that has no price.
func (b bookView) holes() int64 {
	n := int64(0)
	for _, cell := range b.check.Cells {
		if cell.Holes() {
			n++
		}
	}
	return n
}

// groupText is the name of a customer group.
func (v *visit) groupText(name string) string {
	if name == "" {
		return v.Lang.T("book.nogroup")
	}
	return name
}

// powerText is the range of power of a price; nothing, if it holds for any.
func (v *visit) powerText(p billing.CellPrice) string {
	kw := func(d decimal.Decimal) string { return v.Lang.Exact(d, 0, 1) + "\u00a0kW" }
	switch {
	case p.BelowKW.Valid && p.FromKW.IsPositive():
		return v.Lang.T("book.power.between", kw(p.FromKW), kw(p.BelowKW.Decimal))
	case p.BelowKW.Valid:
		return v.Lang.T("book.power.below", kw(p.BelowKW.Decimal))
	case p.FromKW.IsPositive():
		return v.Lang.T("book.power.from", kw(p.FromKW))
	}
	return ""
}

// bookStart is when a version of the price book begins.
func (v *visit) bookStart(b db.PriceBook) string {
	if b.ValidFrom.Year() <= 2020 {
		return v.Lang.T("plan.always")
	}
	return v.Lang.DateTime(b.ValidFrom)
}

// bookStanding is how a version stands: "now", "coming" or "over".
func (b bookView) bookStanding(x db.PriceBook) string {
	switch {
	case b.current != nil && x.ID == b.current.ID:
		return "now"
	case b.current == nil || x.ValidFrom.After(b.current.ValidFrom):
		return "coming"
	}
	return "over"
}

// dayField is the day of an instant.
func (v *visit) dayField(t time.Time) string { return v.Lang.Date(t.In(ui.Berlin)) }

// dayEntry is a date as people enter it.
func (v *visit) dayEntry(t time.Time) string {
	if v.Lang == ui.English {
		return t.In(ui.Berlin).Format(time.DateOnly)
	}
	return v.dayField(t)
}

// refusal is what was wrong with what somebody wrote; nil if the error is none of that kind.
func refusal(err error) *ocpi.Error {
	var refused *ocpi.Error
	if errors.As(err, &refused) {
		return refused
	}
	return nil
}

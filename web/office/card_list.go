package office

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// cardStates are the tabs of the cards; the first is all of them.
var cardStates = []string{"", "open", "failed", "away", "blocked"}

// cardOrder puts first what changed last.
const cardOrder = "-changed"

// delivery is what a partner knows of a card.
type delivery struct {
	db.TokenDelivery
	partner db.TokenPartnersRow
	state   string // "confirmed", "pending", "failed", "away", "unsupported" or "" (never sent)
}

// cardPage is the matrix of cards and partners.
type cardPage struct {
	listQuery
	rows           []db.CardListRow
	partners       []db.TokenPartnersRow // the columns
	known          map[uuid.UUID][]delivery
	names          []db.PartnerNamesRow
	tabs           []ui.Tab
	chips          []ui.Chip
	count          int64
	previous, next string
}

// deliveries are what the partners know of cards, in the order of the partners.
func deliveries(partners []db.TokenPartnersRow, rows []db.TokenDelivery, changed map[uuid.UUID]time.Time) map[uuid.UUID][]delivery {
	known := map[uuid.UUID][]delivery{}
	for id, at := range changed {
		for _, p := range partners {
			d := delivery{partner: p}
			for _, row := range rows {
				if row.TokenID == id && row.PartnerID == p.ID {
					d.TokenDelivery, d.state = row, deliveryState(row, p, at)
				}
			}
			known[id] = append(known[id], d)
		}
	}
	return known
}

func deliveryState(d db.TokenDelivery, p db.TokenPartnersRow, changed time.Time) string {
	switch {
	case d.DueAt == nil && d.Confirmed != nil && !d.Confirmed.Before(changed):
		return "confirmed"
	case d.DueAt == nil && d.Problem != "":
		return "unsupported"
	case p.FailingSince != nil || p.RejectedAt != nil:
		return "away"
	case d.Problem != "":
		return "failed"
	}
	return "pending"
}

func (o *office) cardList(v *visit) error {
	ctx := v.Request().Context()
	p := cardPage{listQuery: readList(v, "partner")}
	at := p.position()
	filter := db.CardListParams{TenantID: v.tenant, Pattern: p.pattern(), PartnerID: partnerOf(p.listQuery), State: p.get("state"), MaxRows: pageSize + 1, Paged: at.paged, Backward: at.backward, AfterKey: at.key, AfterID: at.id}
	_, filter.Direction = p.order(cardOrder)
	var counts db.CardCountsRow
	err := v.read(func(q *db.Queries) error {
		rows, err := q.CardList(ctx, filter)
		if err != nil {
			return err
		}
		p.rows, p.previous, p.next = paged(p.listQuery, at, rows, func(r db.CardListRow) string { return mark(r.Key, r.ID) })
		if counts, err = q.CardCounts(ctx, db.CardCountsParams{TenantID: v.tenant, Pattern: filter.Pattern, PartnerID: filter.PartnerID}); err != nil {
			return err
		}
		if p.partners, err = q.TokenPartners(ctx, v.tenant); err != nil {
			return err
		}
		changed, ids := map[uuid.UUID]time.Time{}, []uuid.UUID{}
		for _, r := range p.rows {
			changed[r.ID] = r.LastUpdated
			ids = append(ids, r.ID)
		}
		confirmed, err := q.DeliveriesOfCards(ctx, ids)
		if err != nil {
			return fmt.Errorf("deliveries of cards: %w", err)
		}
		p.known = deliveries(p.partners, confirmed, changed)
		p.names, err = q.PartnerNames(ctx, v.tenant)
		return err
	})
	if err != nil {
		return err
	}
	for _, state := range cardStates {
		tab := ui.Tab{ID: cmp.Or(state, "all"), Name: v.Lang.T("card.tab." + cmp.Or(state, "all")), Href: p.with("state", state), Current: state == filter.State}
		tab.Count = map[string]int64{"": counts.AllCards, "open": counts.Open, "failed": counts.Failed, "away": counts.Away, "blocked": counts.Blocked}[state]
		if tab.Current {
			p.count = tab.Count
		}
		p.tabs = append(p.tabs, tab)
	}
	p.chips = v.searchChips(p.listQuery, p.names)
	return v.list(p.listQuery, cardListPage(v, p), cardResult(v, p), v.Lang.N("card.count", p.count))
}

// cardView is one card with what every partner knows of it.
type cardView struct {
	db.CardDetailRow
	known  []delivery
	open   int // deliveries under way
	done   int
	events []db.Event

	assignments []db.TokenAssignmentsRow // whom it belonged to, the first one first
	form        decisionForm             // to whom it belongs from when on
}

func (v *visit) card() (c cardView, err error) {
	id, err := v.id()
	if err != nil {
		return c, err
	}
	ctx := v.Request().Context()
	err = v.read(func(q *db.Queries) error {
		if c.CardDetailRow, err = q.CardDetail(ctx, db.CardDetailParams{ID: id, TenantID: v.tenant}); err != nil {
			return err
		}
		tenant := uuid.NullUUID{UUID: c.Token.TenantID, Valid: true}
		partners, err := q.TokenPartners(ctx, tenant)
		if err != nil {
			return fmt.Errorf("partners of card %s: %w", id, err)
		}
		rows, err := q.DeliveriesOfCards(ctx, []uuid.UUID{id})
		if err != nil {
			return fmt.Errorf("deliveries of card %s: %w", id, err)
		}
		c.known = deliveries(partners, rows, map[uuid.UUID]time.Time{id: c.Token.LastUpdated})[id]
		if c.assignments, err = q.TokenAssignments(ctx, db.TokenAssignmentsParams{TokenID: id, TenantID: c.Token.TenantID}); err != nil {
			return fmt.Errorf("assignments of card %s: %w", id, err)
		}
		if c.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "token", SubjectID: id}); err != nil {
			return err
		}
		customer, err := q.EventsOf(ctx, db.EventsOfParams{Subject: "customer", SubjectID: c.CustomerID})
		c.events = append(c.events, customer...)
		slices.SortStableFunc(c.events, func(a, b db.Event) int { return a.At.Compare(b.At) })
		return err
	})
	for _, d := range c.known {
		switch d.state {
		case "confirmed":
			c.done++
		case "pending", "failed", "away":
			c.open++
		}
	}
	return c, err
}

func (o *office) cardDetail(v *visit) error {
	c, err := v.card()
	if err != nil {
		return err
	}
	v.Response().Header().Add("Vary", "HX-Request")
	if ui.Partial(v.Request()) {
		return v.render(http.StatusOK, cardSpread(v, c))
	}
	return v.render(http.StatusOK, cardDetailPage(v, c))
}

// name is what is printed on the card, or its UID.
func (c cardView) name() string { return cmp.Or(c.Token.VisualNumber, c.Token.UID) }

// blockCard blocks a card or unblocks it, if the person has typed its number.
func (o *office) blockCard(v *visit) error {
	c, err := v.card()
	if err != nil {
		return err
	}
	page := string(v.Link("/cards/" + c.Token.ID.String()))
	if !strings.EqualFold(strings.TrimSpace(v.FormValue("confirm")), c.name()) {
		v.say("err", v.Lang.T("card.mismatch"))
		return v.Redirect(http.StatusSeeOther, page)
	}
	blocked := v.FormValue("block") != ""
	_, err = o.BlockCard(v.Request().Context(), c.Token.TenantID, c.Token.UID, c.Token.Type, blocked)
	if errors.Is(err, jobs.ErrClosed) {
		v.say("err", v.Lang.T("card.closed"))
		return v.Redirect(http.StatusSeeOther, page)
	} else if err != nil {
		return err
	}
	if blocked {
		v.say("ok", v.Lang.T("card.blocked.done"))
	} else {
		v.say("ok", v.Lang.T("card.unblocked.done"))
	}
	return v.Redirect(http.StatusSeeOther, page)
}

// setCredit decides whether the cards of the customer of a card may charge.
func (o *office) setCredit(v *visit) error {
	c, err := v.card()
	if err != nil {
		return err
	}
	stop := v.FormValue("stop") != ""
	if err := o.SetNoCredit(v.Request().Context(), c.Token.TenantID, c.CustomerID, stop); err != nil {
		return err
	}
	if stop {
		v.say("ok", v.Lang.T("credit.stopped.done", c.Customer))
	} else {
		v.say("ok", v.Lang.T("credit.given.done", c.Customer))
	}
	return v.Redirect(http.StatusSeeOther, string(v.Link("/cards/"+c.Token.ID.String()))+"#credit")
}

// deliveryTone is the colour of what a partner knows of a card.
func deliveryTone(state string) string {
	switch state {
	case "confirmed":
		return "ok"
	case "pending":
		return "info"
	case "failed":
		return "err"
	case "away":
		return "warn"
	}
	return ""
}

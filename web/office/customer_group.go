package office

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// groupRow is a customer group with the rules that are for it.
type groupRow struct {
	db.CustomerGroupsRow
	rules []billing.BookRule
}

type groupPage struct {
	rows    []groupRow
	name    string // as it was typed
	problem string
}

func (o *office) groupList(v *visit) error {
	p, err := v.loadGroups()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, groupListPage(v, p))
}

// loadGroups are the groups with what the price book of today says of each.
func (v *visit) loadGroups() (p groupPage, err error) {
	ctx, now := v.Request().Context(), v.office.Now()
	err = v.read(func(q *db.Queries) error {
		groups, err := q.CustomerGroups(ctx, db.CustomerGroupsParams{TenantID: v.tenant.UUID, At: now})
		if err != nil {
			return fmt.Errorf("customer groups: %w", err)
		}
		var book billing.PriceBook
		current, err := q.PriceBookAt(ctx, db.PriceBookAtParams{TenantID: v.tenant.UUID, At: now})
		if err == nil {
			book, err = billing.ParsePriceBook(current.Doc)
		} else if errors.Is(err, db.ErrNotFound) {
			err = nil
		}
		if err != nil {
			return fmt.Errorf("price book: %w", err)
		}
		for _, g := range groups {
			row := groupRow{CustomerGroupsRow: g}
			for _, i := range book.Ranked() {
				if book.Rules[i].Group == g.Name {
					row.rules = append(row.rules, book.Rules[i])
				}
			}
			p.rows = append(p.rows, row)
		}
		return nil
	})
	return p, err
}

func (o *office) addGroup(v *visit) error {
	name := strings.TrimSpace(v.FormValue("name"))
	id, err := o.AddCustomerGroup(v.Request().Context(), v.tenant.UUID, name)
	if refusal(err) == nil && !errors.Is(err, jobs.ErrExists) {
		if err != nil {
			return err
		}
		v.say("ok", v.Lang.T("group.made", name))
		return v.Redirect(http.StatusSeeOther, string(v.Link("/groups/"+id.String())))
	}
	p, broken := v.loadGroups()
	if broken != nil {
		return broken
	}
	p.name, p.problem = name, v.Lang.T("group.name.wrong")
	if errors.Is(err, jobs.ErrExists) {
		p.problem = v.Lang.T("group.taken")
	}
	return v.render(http.StatusUnprocessableEntity, groupListPage(v, p))
}

// groupView is a group with who is in it.
type groupView struct {
	listQuery
	groupRow
	rows           []db.GroupMembersRow
	coming         []db.ComingMembersRow
	others         []string // names of the other groups
	plans          map[string]string
	previous, next string
	customer, to   string // as they were asked for
	from           string
	errors         map[string]string
}

func (o *office) groupDetail(v *visit) error {
	g, err := v.loadGroup()
	if err != nil {
		return err
	}
	if g.customer = strings.TrimSpace(v.QueryParam("customer")); g.customer == "" {
		g.to = g.Name
	}
	return v.list(g.listQuery, groupDetailPage(v, g), groupMembers(v, g), v.Lang.N("group.found", int64(len(g.rows))))
}

// loadGroup is the group of the address.
func (v *visit) loadGroup() (g groupView, err error) {
	id, err := v.id()
	if err != nil {
		return g, err
	}
	p, err := v.loadGroups()
	if err != nil {
		return g, err
	}
	i := slices.IndexFunc(p.rows, func(r groupRow) bool { return r.ID == id })
	if i < 0 {
		return g, db.ErrNotFound
	}
	g.groupRow, g.plans = p.rows[i], map[string]string{}
	for _, r := range p.rows {
		if r.ID != id {
			g.others = append(g.others, r.Name)
		}
	}
	ctx, now := v.Request().Context(), v.office.Now()
	g.listQuery = listOf(string(v.Link("/groups/"+id.String())), v.QueryParams())
	at := g.position()
	err = v.read(func(q *db.Queries) error {
		rows, err := q.GroupMembers(ctx, db.GroupMembersParams{TenantID: v.tenant.UUID, GroupID: id, At: now, Pattern: g.pattern(), Paged: at.paged, Backward: at.backward, AfterID: at.id, MaxRows: pageSize + 1})
		if err != nil {
			return fmt.Errorf("members: %w", err)
		}
		g.rows, g.previous, g.next = paged(g.listQuery, at, rows, func(r db.GroupMembersRow) string { return mark(decimal.Zero, r.ID) })
		if g.coming, err = q.ComingMembers(ctx, db.ComingMembersParams{TenantID: v.tenant.UUID, GroupID: id, At: now}); err != nil {
			return fmt.Errorf("members to come: %w", err)
		}
		plans, err := v.plans(q)
		for _, r := range plans {
			g.plans[r.name()] = string(v.Link("/plans/" + r.id.String()))
		}
		return err
	})
	return g, err
}

// moveCustomer puts a customer into the group, into another one, or into none, from a day on.
func (o *office) moveCustomer(v *visit) error {
	g, err := v.loadGroup()
	if err != nil {
		return err
	}
	g.customer, g.to, g.from, g.errors = strings.TrimSpace(v.FormValue("customer")), v.FormValue("to"), strings.TrimSpace(v.FormValue("from")), map[string]string{}
	from, err := readMoment(g.from)
	if err != nil {
		g.errors["from"] = v.Lang.T("date.wrong", g.from)
	}
	if len(g.errors) == 0 {
		err := o.PutIntoGroup(v.Request().Context(), v.tenant.UUID, g.customer, g.to, from)
		refused := refusal(err)
		switch {
		case refused != nil && len(refused.Findings) > 0 && refused.Findings[0].Path == "group":
			g.errors["to"] = v.Lang.T("group.to.wrong")
		case refused != nil:
			g.errors["customer"] = v.Lang.T("group.customer.wrong")
		case err != nil:
			return err
		default:
			v.say("ok", v.Lang.T("group.moved", g.customer, cmp.Or(g.to, v.Lang.T("book.nogroup")), v.Lang.DateTime(from)))
			return v.Redirect(http.StatusSeeOther, g.path)
		}
	}
	return v.render(http.StatusUnprocessableEntity, groupDetailPage(v, g))
}

// placeOf says where a rule for a group holds.
func (v *visit) placeOf(r billing.BookRule) string {
	_, place, _ := strings.Cut(r.Says(string(v.Lang)), r.Group+", ")
	return place
}

package office

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// planVersion is a version of a plan, read.
type planVersion struct {
	db.PlanVersion
	name     string
	plan     billing.Plan
	findings []lint.Finding // the worst first
}

// planRow is a plan in the list.
type planRow struct {
	id        uuid.UUID
	now       *planVersion // that counts for a session that begins now; nil: none yet
	next      *planVersion // the newest, if it counts later
	rules     []billing.BookRule
	contracts int64
	use       db.PlanUseRow
}

// name is what price books call it.
func (r planRow) name() string { return cmp.Or(r.now, r.next).name }

// used reports whether a session can come to the plan.
func (r planRow) used() bool { return len(r.rules) > 0 || r.contracts > 0 }

// planStates are the tabs of the plans; the first is all of them.
var planStates = []string{"", "used", "unused", "findings"}

type planPage struct {
	listQuery
	rows []planRow
	tabs []ui.Tab
}

// readVersions are the versions that were read and looked at: they never change, and looking takes a while.
var readVersions sync.Map

func readPlanVersion(row db.PlanVersionsRow) (*planVersion, error) {
	if known, ok := readVersions.Load(row.ID); ok {
		return known.(*planVersion), nil
	}
	plan, err := billing.ParsePlan(row.Doc)
	if err != nil {
		return nil, fmt.Errorf("version %d of plan %q: %w", row.Version, row.PlanName, err)
	}
	read := &planVersion{
		PlanVersion: db.PlanVersion{ID: row.ID, PlanID: row.PlanID, Version: row.Version, Doc: row.Doc, ValidFrom: row.ValidFrom, CreatedAt: row.CreatedAt},
		name:        row.PlanName, plan: plan, findings: worstFirst(lint.Lint(plan.Tariff, ui.Berlin)),
	}
	readVersions.Store(row.ID, read)
	return read, nil
}

// versionAt is the version that counts for a session that begins at an instant; nil if none does.
func versionAt(versions []*planVersion, at time.Time) *planVersion {
	var found *planVersion
	for _, x := range versions {
		if !x.ValidFrom.After(at) && (found == nil || !x.ValidFrom.Before(found.ValidFrom)) {
			found = x
		}
	}
	return found
}

// nextVersion is the version that will count at last, if it does not already.
func nextVersion(versions []*planVersion, at time.Time) *planVersion {
	last := versionAt(versions, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	if last == versionAt(versions, at) {
		return nil
	}
	return last
}

// plans are all plans of the utility, in the order of their names.
func (v *visit) plans(q *db.Queries) (rows []planRow, err error) {
	var book billing.PriceBook
	ctx, now := v.Request().Context(), v.office.Now()
	versions, err := q.PlanVersions(ctx, db.PlanVersionsParams{TenantID: v.tenant.UUID})
	if err != nil {
		return nil, fmt.Errorf("versions of plans: %w", err)
	}
	byPlan := map[uuid.UUID][]*planVersion{}
	for _, row := range versions {
		read, err := readPlanVersion(row)
		if err != nil {
			return nil, err
		}
		if byPlan[row.PlanID] == nil {
			rows = append(rows, planRow{id: row.PlanID})
		}
		byPlan[row.PlanID] = append(byPlan[row.PlanID], read)
	}
	current, err := q.PriceBookAt(ctx, db.PriceBookAtParams{TenantID: v.tenant.UUID, At: now})
	if err == nil {
		book, err = billing.ParsePriceBook(current.Doc)
	} else if errors.Is(err, db.ErrNotFound) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("price book: %w", err)
	}
	uses, err := q.PlanUse(ctx, db.PlanUseParams{TenantID: v.tenant.UUID, Since: now.AddDate(0, 0, -usedSince)})
	if err != nil {
		return nil, fmt.Errorf("use of plans: %w", err)
	}
	agreed, err := q.ContractsOfPlans(ctx, v.tenant.UUID)
	if err != nil {
		return nil, fmt.Errorf("contracts of plans: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		r.now, r.next = versionAt(byPlan[r.id], now), nextVersion(byPlan[r.id], now)
		for _, rule := range book.Rules {
			if rule.Plan == r.name() {
				r.rules = append(r.rules, rule)
			}
		}
		for _, use := range uses {
			if use.PlanID == r.id {
				r.use = use
			}
		}
		for _, a := range agreed {
			if a.PlanID.Valid && a.PlanID.UUID == r.id {
				r.contracts = a.Contracts
			}
		}
	}
	return rows, nil
}

func (o *office) planList(v *visit) error {
	p := planPage{listQuery: readList(v)}
	var all []planRow
	err := v.read(func(q *db.Queries) (err error) {
		all, err = v.plans(q)
		return err
	})
	if err != nil {
		return err
	}
	counts := map[string]int64{}
	for _, r := range all {
		if !strings.Contains(strings.ToLower(r.name()+" "+v.planText(cmp.Or(r.now, r.next))), strings.ToLower(p.get("q"))) {
			continue
		}
		in := map[string]bool{"": true, "used": r.used(), "unused": !r.used(), "findings": len(cmp.Or(r.now, r.next).findings) > 0}
		for state, yes := range in {
			if yes {
				counts[state]++
			}
		}
		if in[p.get("state")] {
			p.rows = append(p.rows, r)
		}
	}
	for _, state := range planStates {
		p.tabs = append(p.tabs, ui.Tab{
			ID: cmp.Or(state, "all"), Name: v.Lang.T("plan.tab." + cmp.Or(state, "all")), Href: p.with("state", state), Current: state == p.get("state"), Count: counts[state],
		})
	}
	return v.list(p.listQuery, planListPage(v, p), planResult(v, p), v.Lang.N("plan.count", int64(len(p.rows))))
}

// planText says what a version costs.
func (v *visit) planText(x *planVersion) string { return billing.PriceText(&x.plan, string(v.Lang)) }

// start is when a version begins: the first one has always been there.
func (v *visit) start(x *planVersion) string {
	if x.ValidFrom.Year() <= 2020 {
		return v.Lang.T("plan.always")
	}
	return v.Lang.DateTime(x.ValidFrom)
}

// marginTone marks a loss.
func marginTone(margin decimal.Decimal) string {
	if margin.IsNegative() {
		return "neg"
	}
	return ""
}

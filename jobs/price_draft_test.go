package jobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// A rule of a draft names a plan that exists nowhere else: it is checked and back-tested with it, and both are published at once.
func TestDraftBringsItsPlan(t *testing.T) {
	w := newWorld(t)
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	draft, err := w.ops.AddPriceDraft(w.ctx, w.tenant.ID, "Spring")
	if err != nil {
		t.Fatal(err)
	}
	change := func(book string) {
		t.Helper()
		if err := w.ops.ChangePriceDraft(w.ctx, w.tenant.ID, draft, func(d *db.PriceDraft) error { d.Book = []byte(book); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	doc := func() []byte {
		t.Helper()
		row, err := w.db.PriceDraft(w.ctx, db.PriceDraftParams{ID: draft, TenantID: w.tenant.ID})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jobs.DraftDoc(row)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	change(`{"rules":[{"id":"all","plan":"Neu"}]}`)
	check := func() error {
		t.Helper()
		c, err := w.ops.CheckPriceBook(w.ctx, w.tenant.ID, doc())
		if err != nil {
			t.Fatal(err)
		}
		return c.Refused
	}
	missing := `rules[0].plan: the name of a plan, got "Neu"`
	if err := check(); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a plan that is nowhere: %v", err)
	}
	from := w.clock.Now().Add(time.Hour)
	if err := w.ops.PublishPriceDraft(w.ctx, w.tenant.ID, draft, from); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("it is published: %v", err)
	}
	if err := w.ops.SetDraftPlan(w.ctx, w.tenant.ID, draft, "", priced("0.41", "")); err == nil || !strings.Contains(err.Error(), "name: 1 to 100 characters") {
		t.Errorf("a plan without a name: %v", err)
	}
	if err := w.ops.SetDraftPlan(w.ctx, w.tenant.ID, draft, "Neu", priced("0.41", "")); err != nil {
		t.Fatal(err)
	}
	if err := check(); err != nil {
		t.Errorf("the draft's own plan: %v", err)
	}
	if r := w.backtest(string(doc()), 2); r.Sessions != 1 || r.Changed != 1 || r.Plans["Neu"].Sessions != 1 || r.New.Gross.String() != "8.2" {
		t.Errorf("back-test %+v", r)
	}
	if names, err := w.db.PlanNames(w.ctx, w.tenant.ID); err != nil || len(names) != 1 {
		t.Errorf("before it is published there are %v, %v", names, err)
	}
	if err := w.ops.PublishPriceDraft(w.ctx, w.tenant.ID, draft, from); err != nil {
		t.Fatal(err)
	}
	w.clock.Set(from.Add(30 * time.Hour))
	late := w.receive(cdr{id: "C2", start: from.Add(24 * time.Hour), kwh: "10"})
	w.work()
	if gross, choice := w.gross(late); gross != "4.10" || choice.Plan != "Neu" {
		t.Errorf("%s by %s", gross, choice.Plan)
	}
}

// A document with plans beside its rules is published as a whole, or not at all.
func TestSetPriceBookWithPlans(t *testing.T) {
	w := newWorld(t)
	neu := `"plans":{"Neu":` + string(priced("0.41", "")) + `,"Standard":` + string(priced("0.61", "")) + `}`
	for doc, want := range map[string]string{
		`{"rules":[{"plan":"Neu"},{"plan":"Alt","where":{"current":"DC"}}],` + neu + `}`:   `rules[1].plan: the name of a plan, got "Alt"`,
		`{"rules":[{"plan":"Neu"}],"plans":{"Neu":{"currency":"EUR"}}}`:                    "plans.Neu: elements",
		`{"rules":[{"plan":"Standard"}],"plans":{" ":` + string(priced("0.41", "")) + `}}`: "name: 1 to 100 characters",
		`{"rules":[{"plan":"Neu"}],"plan":{}}`:                                             "plan: not a member of a price book",
	} {
		if _, err := w.ops.SetPriceBook(w.ctx, w.tenant.ID, []byte(doc), w.clock.Now()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", doc, err)
		}
	}
	versions, err := w.db.PlanVersions(w.ctx, db.PlanVersionsParams{TenantID: w.tenant.ID})
	if err != nil || len(versions) != 1 {
		t.Fatalf("what was refused left %d versions, %v", len(versions), err)
	}
	row := w.setBook(`{"rules":[{"id":"all","plan":"Neu"},{"id":"dc","plan":"Standard","where":{"current":"DC"}}],`+neu+`}`, w.clock.Now())
	if row.Version != 2 || strings.Contains(string(row.Doc), "plans") {
		t.Errorf("published: %d, %s", row.Version, row.Doc)
	}
	versions, err = w.db.PlanVersions(w.ctx, db.PlanVersionsParams{TenantID: w.tenant.ID})
	if err != nil || len(versions) != 3 || versions[0].PlanName != "Neu" || versions[2].Version != 2 {
		t.Errorf("plans %+v, %v", versions, err)
	}
}

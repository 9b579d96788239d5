package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
)

// clerk adds a member of staff and acts as him.
func (w *world) clerk(name string) context.Context {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	err := w.db.InsertStaff(w.ctx, db.InsertStaffParams{
		ID: id, TenantID: uuid.NullUUID{UUID: w.tenant.ID, Valid: true}, Email: name + "@stadtwerke-xanten.example", Name: name, PasswordHash: "-", Language: "de", CreatedAt: w.clock.Now(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return jobs.WithStaff(w.ctx, id, name)
}

// decide decides and fails the test if that is refused.
func (w *world) decide(ctx context.Context, cdr uuid.UUID, d jobs.Decision) jobs.Effect {
	w.t.Helper()
	effect, err := w.ops.Decide(ctx, w.tenant.ID, cdr, d)
	if err != nil {
		w.t.Fatalf("%s: %v", d.Kind, err)
	}
	return effect
}

// refused decides and returns the code of the refusal, which changed nothing.
func (w *world) refused(ctx context.Context, cdr uuid.UUID, d jobs.Decision) string {
	w.t.Helper()
	before := w.count(`SELECT count(*) FROM events`)
	state := w.state(cdr)
	_, err := w.ops.Decide(ctx, w.tenant.ID, cdr, d)
	var refusal *jobs.Refusal
	if !errors.As(err, &refusal) {
		w.t.Fatalf("%s: %v, want a refusal", d.Kind, err)
	}
	if refusal.Text.DE == "" || refusal.Text.EN == "" {
		w.t.Errorf("refusal %s has no text", refusal.Code)
	}
	if after := w.state(cdr); fmt.Sprint(after) != fmt.Sprint(state) || w.count(`SELECT count(*) FROM events`) != before {
		w.t.Errorf("%s was refused and changed something", d.Kind)
	}
	return refusal.Code
}

// flags tells the state and the two flags of a CDR.
func (w *world) flags(id uuid.UUID) string {
	w.t.Helper()
	s := w.state(id)
	return s.State + "/" + s.RetailState + "/" + s.CPOState
}

func (w *world) expect(what string, got, want any) {
	w.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// held is a CDR that a rule holds: it claims twice of what its tariff gives.
func (w *world) held(id string, start time.Time) uuid.UUID {
	w.t.Helper()
	cdr := w.receive(cdr{id: id, start: start, kwh: "20", cost: "18"})
	w.work()
	w.expect("a claim of twice the price", w.flags(cdr), "held/open/questioned")
	return cdr
}

func TestAcceptedCDRIsBilled(t *testing.T) {
	w := newWorld(t)
	erika := w.clerk("erika")
	id := w.held("C1", day(5))
	w.assertBooked(id, "0", "0")

	effect := w.decide(erika, id, jobs.Decision{Kind: jobs.Accept})
	w.expect("after it", w.flags(id), "rated/released/accepted")
	w.assertBooked(id, "9.92", "11.8")
	w.expect("effect", effect.Outcomes, []jobs.Outcome{{Outcome: "released", Currency: "EUR", Many: 1, Claimed: decimal.NewFromInt(18), RetailAfter: decimal.RequireFromString("9.92")}})
	w.expect("cleared", w.state(id).Cleared, []string{"P16", "P29"})

	// A re-rating does not hold again what a person has seen.
	w.decide(erika, id, jobs.Decision{Kind: jobs.Rerate})
	w.expect("after a re-rating", w.flags(id), "rated/released/accepted")
	w.assertBooked(id, "9.92", "11.8")
	w.expect("ratings", w.count(`SELECT count(*) FROM ratings WHERE cdr_id = $1`, id), 1) // it says the same

	events, err := w.db.EventsOf(w.ctx, db.EventsOfParams{Subject: "cdr", SubjectID: id})
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 3 || events[1].What != "accept" || events[1].Actor != "erika" {
		t.Errorf("events: %+v", events)
	}
	w.expect("what it tells", string(events[1].Detail), `{"cpo": "questioned → accepted", "state": "rated", "before": "held", "retail": "open → released"}`)
}

// The two flags are independent: billed while the claim is refused, and paid while the customer is not charged.
func TestFlagsAreIndependent(t *testing.T) {
	w := newWorld(t)
	billed, given := w.held("C1", day(5)), w.held("C2", day(6))
	w.decide(w.ctx, billed, jobs.Decision{Kind: jobs.Accept, Side: "retail"})
	w.decide(w.ctx, billed, jobs.Decision{Kind: jobs.RefuseClaim, Reason: "charged twice"})
	w.expect("billed and refused", w.flags(billed), "rated/released/refused")
	w.assertBooked(billed, "9.92", "11.8")
	w.decide(w.ctx, given, jobs.Decision{Kind: jobs.Waive, Reason: "goodwill"})
	w.decide(w.ctx, given, jobs.Decision{Kind: jobs.Accept, Side: "cpo"})
	w.expect("waived and paid", w.flags(given), "rated/waived/accepted")
	w.assertBooked(given, "0", "0")
	// A waived session stays waived, and can be taken back.
	w.decide(w.ctx, given, jobs.Decision{Kind: jobs.Rerate})
	w.expect("waived and rated again", w.flags(given), "rated/waived/accepted")
	w.decide(w.ctx, given, jobs.Decision{Kind: jobs.Accept, Side: "retail"})
	w.assertBooked(given, "9.92", "11.8")
}

func TestRememberedLimitsCount(t *testing.T) {
	w := newWorld(t)
	id := w.held("C1", day(5))
	w.decide(w.clerk("erika"), id, jobs.Decision{Kind: jobs.Remember, Rule: "P16", Reason: "their price changed"})
	settings, err := w.db.RuleSettings(w.ctx, db.RuleSettingsParams{TenantID: w.tenant.ID})
	if err != nil || len(settings) != 1 || settings[0].PartnerID.UUID != w.partner || settings[0].SetBy != "erika" || !settings[0].BlockLimit.Decimal.Equal(decimal.NewFromInt(100)) {
		t.Errorf("settings %+v, %v", settings, err)
	}
	same := w.receive(cdr{id: "C2", start: day(7), kwh: "20", cost: "18"})
	worse := w.receive(cdr{id: "C3", start: day(8), kwh: "20", cost: "19"})
	w.work()
	w.expect("the same again", w.state(same).State, "rated")
	w.expect("worse", w.state(worse).State, "held")
	// Another utility has its own limits.
	w.tenant = w.addTenant("DE*SWY", "Stadtwerke Ypsilon")
	w.issueCard(w.tenant.ID, "04A2B3C4D5E680", "Max Muster")
	other := w.receive(cdr{id: "C4", start: day(9), kwh: "20", cost: "18"})
	w.work()
	w.expect("of another utility", w.state(other).State, "held")
}

func TestHeldUntilADate(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	until := w.clock.Now().AddDate(0, 0, 3)
	w.decide(w.ctx, id, jobs.Decision{Kind: jobs.HoldUntil, Until: &until, Reason: "the customer calls back"})
	w.expect("held", w.flags(id)+" "+w.state(id).Reason, "held/open/open until")
	w.assertBooked(id, "0", "0")
	w.decide(w.ctx, id, jobs.Decision{Kind: jobs.Rerate}) // does not let it go
	w.expect("rated again", w.state(id).Reason, "until")
	w.clock.Set(until.Add(time.Minute))
	w.work()
	w.expect("the day has come", w.flags(id)+" "+w.state(id).Reason, "held/open/open follow-up")
	w.assertBooked(id, "0", "0")
	w.decide(w.ctx, id, jobs.Decision{Kind: jobs.Accept})
	w.assertBooked(id, "9.92", "11.8")
}

func TestDroppingIsForTwo(t *testing.T) {
	w := newWorld(t)
	erika, max := w.clerk("erika"), w.clerk("max")
	drop := jobs.Decision{Kind: jobs.Drop, Reason: "stuck session"}
	small := w.held("C1", day(5))
	w.decide(erika, small, drop)
	w.expect("a small one", w.flags(small)+" "+w.state(small).Reason, "dropped/none/refused stuck session")

	large := w.receive(cdr{id: "C2", start: day(7), kwh: "20", cost: "60"})
	w.work()
	w.expect("no person", w.refused(w.ctx, large, drop), "no-person")
	w.expect("proposed", w.decide(erika, large, drop).Outcomes[0].Outcome, "proposed")
	w.expect("proposed", w.flags(large)+" "+w.state(large).Reason, "held/open/questioned drop-proposed")
	w.expect("again", w.refused(max, large, drop), "drop-proposed")
	w.expect("accepted meanwhile", w.refused(max, large, jobs.Decision{Kind: jobs.Accept}), "drop-proposed")
	w.expect("the same person", w.refused(erika, large, jobs.Decision{Kind: jobs.ConfirmDrop}), "same-person")
	// The database insists on it, whatever the program thinks.
	for _, sql := range []string{
		`UPDATE drop_proposals SET state = 'confirmed', decided_by = proposed_by, decided_at = now()`,
		fmt.Sprintf(`UPDATE cdr_states SET state = 'dropped', retail_state = 'none' WHERE cdr_id = '%s'`, large),
	} {
		if err := dbtest.Exec(w.ctx, w.dbURL, sql); err == nil {
			t.Errorf("one person did it: %s", sql)
		}
	}
	w.decide(max, large, jobs.Decision{Kind: jobs.RejectDrop})
	w.expect("rejected", w.flags(large)+" "+w.state(large).Reason, "held/open/questioned rule")
	w.decide(max, large, drop)
	w.decide(erika, large, jobs.Decision{Kind: jobs.ConfirmDrop})
	w.expect("by two", w.flags(large)+" "+w.state(large).Reason, "dropped/none/refused stuck session")
	w.expect("final", w.refused(erika, large, jobs.Decision{Kind: jobs.Accept}), "closed")
}

func TestDecisionsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	rated := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	waiting := w.receive(cdr{id: "C2", start: day(6), kwh: "20", uid: "0000"})
	home := w.receiveJSON(cdr{id: "C3", start: day(7), kwh: "20"}.with("home_charging_compensation", "true"))
	w.work()
	fresh := w.receive(cdr{id: "C4", start: day(8), kwh: "20"})
	past := w.clock.Now().Add(-time.Hour)
	unknown := uuid.NullUUID{UUID: uuid.New(), Valid: true}
	for _, c := range []struct {
		cdr  uuid.UUID
		d    jobs.Decision
		want string
	}{
		{fresh, jobs.Decision{Kind: jobs.Accept}, "not-rated"},
		{fresh, jobs.Decision{Kind: jobs.Drop, Reason: "x"}, "not-rated"},
		{waiting, jobs.Decision{Kind: jobs.Accept}, "not-priced"},
		{home, jobs.Decision{Kind: jobs.Accept}, "home-charging"},
		{rated, jobs.Decision{Kind: jobs.Waive}, "no-reason"},
		{rated, jobs.Decision{Kind: jobs.HoldUntil, Until: &past}, "no-date"},
		{rated, jobs.Decision{Kind: jobs.Note, Reason: " "}, "no-note"},
		{rated, jobs.Decision{Kind: jobs.Remember, Reason: "x"}, "rule-silent"},
		{rated, jobs.Decision{Kind: jobs.Contest}, "dispute-reason"},
		{rated, jobs.Decision{Kind: jobs.Contest, Dispute: jobs.NewDispute{Reason: "price", Accepted: decimal.NewNullDecimal(decimal.NewFromInt(10))}}, "dispute-amount"},
		{rated, jobs.Decision{Kind: jobs.Reassign}, "no-target"},
		{rated, jobs.Decision{Kind: jobs.Reassign, Contract: unknown}, "contract-unknown"},
		{rated, jobs.Decision{Kind: jobs.Reassign, Card: unknown}, "card-unknown"},
		{waiting, jobs.Decision{Kind: jobs.Reassign, Contract: unknown}, "no-card"},
		{rated, jobs.Decision{Kind: jobs.Retariff, Plan: unknown, Reason: "x"}, "plan-unknown"},
		{rated, jobs.Decision{Kind: jobs.ConfirmDrop}, "not-proposed"},
		{rated, jobs.Decision{Kind: "explode"}, "decision"},
	} {
		w.expect(string(c.d.Kind), w.refused(w.clerk(string(c.d.Kind)+uuid.NewString()[:8]), c.cdr, c.d), c.want)
	}
	// What is not there, or is another utility's, is not there.
	other := w.addTenant("DE*SWY", "Stadtwerke Ypsilon")
	_, err := w.ops.Decide(w.ctx, other.ID, rated, jobs.Decision{Kind: jobs.Accept})
	var refusal *jobs.Refusal
	if !errors.As(err, &refusal) || refusal.Code != "unknown" {
		t.Errorf("another utility's: %v", err)
	}
}

// Two clerks who decide at once, and a clerk and the rater, follow one another.
func TestDecisionsAtOnce(t *testing.T) {
	w := newWorld(t)
	id := w.held("C1", day(5))
	var running sync.WaitGroup
	errs := make(chan error, 40)
	for i := range 20 {
		d := jobs.Decision{Kind: jobs.Accept}
		if i%2 == 0 {
			d = jobs.Decision{Kind: jobs.Waive, Reason: "goodwill"}
		}
		running.Go(func() { _, err := w.ops.Decide(w.ctx, w.tenant.ID, id, d); errs <- err })
		running.Go(func() { _, err := w.ops.Decide(w.ctx, w.tenant.ID, id, jobs.Decision{Kind: jobs.Rerate}); errs <- err })
	}
	running.Wait()
	close(errs)
	for err := range errs {
		var refusal *jobs.Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Error(err)
		}
	}
	if s := w.state(id); s.RetailState == "released" {
		w.assertBooked(id, "9.92", "11.8")
	} else {
		w.assertBooked(id, "0", "0")
	}
}

func TestLateCDRs(t *testing.T) {
	for policy, want := range map[string]map[int]string{ // days after the session: retail state
		"limit":  {2: "rated/released", 30: "rated/released", 89: "rated/released", 91: "rated/waived late"},
		"always": {30: "rated/released", 400: "rated/released"},
		"ask":    {2: "rated/released", 30: "held/open late"},
		"waive":  {2: "rated/released", 30: "rated/waived late"},
	} {
		t.Run(policy, func(t *testing.T) {
			w := newWorld(t)
			p := jobs.DefaultClearingPolicy(w.tenant.ID)
			p.Late = policy
			if err := w.ops.SetClearingPolicy(w.ctx, p, "our terms"); err != nil {
				t.Fatal(err)
			}
			for late, want := range want {
				id := w.receive(cdr{id: fmt.Sprint("C", late), start: w.clock.Now().AddDate(0, 0, -late).Add(-3 * time.Hour), kwh: "20"})
				w.work()
				s := w.state(id)
				got := s.State + "/" + s.RetailState
				if s.Reason != "" {
					got += " " + s.Reason
				}
				w.expect(fmt.Sprint(late, " days"), got, want)
				if s.RetailState == "released" {
					continue
				}
				w.decide(w.ctx, id, jobs.Decision{Kind: jobs.Accept})
				w.decide(w.ctx, id, jobs.Decision{Kind: jobs.Rerate})
				w.expect("after a person decided", w.state(id).RetailState, "released")
			}
		})
	}
}

// What a policy gives to the customer, a person can take back.
func TestPoliciesThatWaive(t *testing.T) {
	w := newWorld(t)
	p := jobs.DefaultClearingPolicy(w.tenant.ID)
	p.Mini, p.Empty, p.BlockedCard = "waive", "waive", "waive"
	if err := w.ops.SetClearingPolicy(w.ctx, p, "our terms"); err != nil {
		t.Fatal(err)
	}
	mini := w.receive(cdr{id: "C1", start: day(5), kwh: "0.4"})
	empty := w.receive(cdr{id: "C2", start: day(6), kwh: "0", cost: "3"})
	w.clock.Set(day(21))
	if _, err := w.ops.BlockCard(w.ctx, w.tenant.ID, "04A2B3C4D5E680", "", true); err != nil {
		t.Fatal(err)
	}
	w.clock.Set(day(21).Add(5 * time.Hour))
	before := w.receive(cdr{id: "C3", start: day(20), kwh: "20"})
	blocked := w.receive(cdr{id: "C4", start: day(21).Add(time.Hour), kwh: "20"})
	w.work()
	for id, want := range map[uuid.UUID]string{mini: "mini", empty: "empty", before: "", blocked: "blocked-card"} {
		w.expect("reason", w.state(id).Reason, want)
	}
	w.decide(w.ctx, blocked, jobs.Decision{Kind: jobs.Accept})
	w.decide(w.ctx, blocked, jobs.Decision{Kind: jobs.Rerate})
	w.expect("a person decided", w.flags(blocked), "rated/released/accepted")
}

// A rule that is switched off says nothing and still measures, so that what it would say can be known.
func TestRuleSettings(t *testing.T) {
	w := newWorld(t)
	w.receive(cdr{id: "C0", start: day(2), kwh: "20"}) // the partner works with the utility
	w.work()
	off := jobs.RuleChange{Partner: uuid.NullUUID{UUID: w.partner, Valid: true}, Rule: "P16", Setting: &billing.Setting{}, Reason: "noise"}
	if err := w.ops.SetRule(w.ctx, w.tenant.ID, off); err != nil {
		t.Fatal(err)
	}
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20", cost: "18"})
	w.work()
	w.expect("flags", w.state(id).Flags, []string{"P29"})
	would, err := w.db.RuleWouldFlag(w.ctx, db.RuleWouldFlagParams{TenantID: w.tenant.ID, Rule: "P16", Limits: []decimal.Decimal{decimal.NewFromInt(20), decimal.NewFromInt(200)}, Since: day(1), Until: day(31)})
	if err != nil || len(would) != 2 || would[0].Flagged != 1 || would[1].Flagged != 0 || would[0].Measured != 1 {
		t.Errorf("would have flagged: %+v, %v", would, err)
	}
	off.Setting = nil
	if err := w.ops.SetRule(w.ctx, w.tenant.ID, off); err != nil {
		t.Fatal(err)
	}
	w.decide(w.ctx, id, jobs.Decision{Kind: jobs.Rerate})
	w.expect("flags", w.state(id).Flags, []string{"P16", "P29"})
	w.expect("history", w.count(`SELECT count(*) FROM rule_settings WHERE ended_at IS NOT NULL AND reason = 'noise'`), 1)
	for _, c := range []jobs.RuleChange{{Rule: "P99", Reason: "x"}, {Rule: "P01", Reason: "x"}, {Rule: "P05"}} {
		if err := w.ops.SetRule(w.ctx, w.tenant.ID, c); err == nil {
			t.Errorf("%+v was set", c)
		}
	}
}

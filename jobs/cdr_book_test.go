package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// Whatever happens to a CDR in whatever order, what is booked for it is its current rating for its present customer, and
// nothing for anybody else; what was put on an invoice never changes.
func TestBookedIsTheCurrentRating(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { bookAtRandom(t, rand.New(rand.NewPCG(seed, 20261))) })
	}
}

func bookAtRandom(t *testing.T, random *rand.Rand) {
	w := newWorld(t)
	erika, max := w.clerk("erika"), w.clerk("max")
	contracts := []uuid.UUID{w.card.ContractID, w.issueCard(w.tenant.ID, "0411", "Max Muster").ContractID, w.issueCard(w.tenant.ID, "0412", "Ada Anders").ContractID}
	plans := []uuid.NullUUID{{}}
	for _, price := range []string{"0.39", "0.79"} {
		plans = append(plans, uuid.NullUUID{UUID: w.addPlan("P"+price, priced(price, ""), day(1)).PlanID, Valid: true})
	}
	var cdrs []uuid.UUID
	var names []string
	credited := map[int]bool{}
	for n := range 4 {
		names = append(names, fmt.Sprint("C", n))
		cdrs = append(cdrs, w.receive(cdr{id: names[n], start: day(2 + n), kwh: fmt.Sprint(10 + 7*n)}))
	}
	w.work()
	hosts := []jobs.Card{w.issueCard(w.tenant.ID, "0413", "Gasthof Lamm"), w.issueCard(w.tenant.ID, "0414", "Parkhaus Nord")}
	agreements := []uuid.UUID{}
	story := []string{}
	for step := range 30 {
		w.clock.Set(w.clock.Now().Add(time.Hour))
		n := random.IntN(len(cdrs))
		decide := func(d jobs.Decision) {
			who := erika
			if random.IntN(2) == 0 {
				who = max
			}
			_, err := w.ops.Decide(who, w.tenant.ID, cdrs[n], d)
			var refusal *jobs.Refusal
			if err != nil && !errors.As(err, &refusal) {
				t.Fatalf("%v: %s: %v", story, d.Kind, err)
			}
			story = append(story, fmt.Sprintf("%s %s (%v)", d.Kind, names[n], err))
		}
		switch random.IntN(14) {
		case 0, 1, 2:
			run, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, random.IntN(3) > 0)
			if err != nil || run.Failed > 0 {
				t.Fatalf("%v: invoices: %+v, %v", story, run, err)
			}
			story = append(story, fmt.Sprintf("invoices (%d issued)", run.Issued))
		case 3:
			decide(jobs.Decision{Kind: jobs.Rerate})
		case 4:
			decide(jobs.Decision{Kind: jobs.Reassign, Contract: uuid.NullUUID{UUID: contracts[random.IntN(3)], Valid: true}})
		case 5:
			decide(jobs.Decision{Kind: jobs.Retariff, Plan: plans[random.IntN(3)], Reason: "as promised"})
		case 6:
			decide(jobs.Decision{Kind: jobs.Waive, Reason: "goodwill"})
		case 7:
			decide(jobs.Decision{Kind: jobs.Accept, Side: "retail"})
		case 8:
			decide(jobs.Decision{Kind: jobs.HoldUntil, Until: new(w.clock.Now().Add(time.Duration(1+random.IntN(5)) * time.Hour))})
		case 9:
			if random.IntN(3) == 0 {
				decide(jobs.Decision{Kind: jobs.Drop, Reason: "wrong"})
			}
		case 11: // somebody is paid for sessions from some day on, or no more
			agree := w.atHome()
			agree.Payee, agree.From, agree.Card = hosts[random.IntN(2)].CustomerNumber, day(1+random.IntN(6)), ""
			agree.Kind, agree.EVSE, agree.Price = []string{jobs.OwedAtHome, jobs.OwedToHost}[random.IntN(2)], "DE*NSL*E1", decimal.NewFromInt(int64(1+random.IntN(9)))
			agree.Basis = []billing.Basis{billing.PerKWh, billing.PerSession, billing.Percent}[random.IntN(3)]
			agree.Charged = agree.Kind == jobs.OwedAtHome && (agree.Basis == billing.Percent || random.IntN(2) == 0)
			id, err := w.ops.AddReimbursement(w.ctx, w.tenant.ID, agree)
			if err == nil {
				agreements = append(agreements, id)
			} else if refused(err) != "reimbursement-exists" {
				t.Fatalf("%v: agreement: %v", story, err)
			}
			story = append(story, fmt.Sprintf("agree %s %s (%v)", agree.Kind, agree.Basis, err))
		case 12:
			if len(agreements) == 0 {
				continue
			}
			if err := w.ops.EndReimbursement(w.ctx, w.tenant.ID, agreements[random.IntN(len(agreements))], day(random.IntN(6))); err != nil && refused(err) != "already" {
				t.Fatalf("%v: end: %v", story, err)
			}
			story = append(story, "end an agreement")
		case 13:
			story = append(story, w.objectToAny(random))
		case 10:
			if random.IntN(3) > 0 || credited[n] {
				continue
			}
			credited[n] = true
			claim := w.state(cdrs[n]).Claimed.Neg().String()
			w.receive(cdr{id: "K" + names[n], start: day(2 + n), kwh: fmt.Sprint(10 + 7*n), cost: claim, credit: names[n]})
			story = append(story, "credit "+names[n])
		}
		if w.count(`SELECT count(*) FROM cdr_states WHERE due_at <= $1`, w.clock.Now()) > 0 {
			w.work()
		}
		for i, id := range cdrs {
			if err := w.checkBooked(id); err != nil {
				t.Fatalf("step %d: %v: %s: %v", step, story, names[i], err)
			}
		}
	}
	// After one more run everything that is owed is on invoices.
	if run, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, true); err != nil || run.Failed > 0 {
		t.Fatalf("%v: %+v, %v", story, run, err)
	}
	for _, id := range cdrs {
		if err := w.checkBooked(id); err != nil {
			t.Fatal(story, err)
		}
	}
	w.expect("items on no invoice", w.count(`SELECT count(*) FROM line_items l WHERE l.cdr_id IS NOT NULL AND l.reimbursement_id IS NULL AND NOT EXISTS (SELECT FROM invoices i WHERE i.id = l.invoice_id AND i.state = 'issued')`), 0)
	w.expect("what is on invoices is their sum", w.count(`SELECT (100 * (SELECT coalesce(sum(gross), 0) FROM line_items WHERE invoice_id IS NOT NULL) - 100 * (SELECT coalesce(sum(gross), 0) FROM invoices WHERE state <> 'carried'))::integer`), 0)
}

// sums are what items come to.
type sums struct{ net, gross decimal.Decimal }

// checkOwed compares what is booked for payees with what the CDR's current rating owes them.
func (w *world) checkOwed(s db.CDRState, owed, paid map[uuid.UUID]sums) error {
	want := map[uuid.UUID]decimal.Decimal{}
	if s.RetailState == "open" {
		for payee, sum := range paid { // nothing is decided: what was paid stands
			want[payee] = sum.gross
		}
	} else if (s.State == "rated" || s.State == "invoiced") && !s.Unpaid {
		rating, err := w.db.CurrentRating(w.ctx, s.CDRID)
		if err != nil {
			return err
		}
		var frozen []struct {
			Payee uuid.UUID
			Basis billing.Basis
			Gross decimal.Decimal
		}
		if err := json.Unmarshal(rating.Payables, &frozen); err != nil {
			return err
		}
		for _, p := range frozen {
			if p.Basis != billing.Percent || s.RetailState == "released" {
				want[p.Payee] = want[p.Payee].Sub(p.Gross)
			}
		}
	}
	for payee, sum := range owed {
		if !sum.gross.Equal(want[payee]) {
			return fmt.Errorf("%s/%s: %s is owed to %s, want %s", s.State, s.RetailState, sum.gross, payee, want[payee])
		}
		delete(want, payee)
	}
	for payee, amount := range want {
		if !amount.IsZero() {
			return fmt.Errorf("%s/%s: nothing is owed to %s, want %s", s.State, s.RetailState, payee, amount)
		}
	}
	return nil
}

// objectToAny has a payee object to one of his documents, if that is possible.
func (w *world) objectToAny(random *rand.Rand) string {
	w.t.Helper()
	for _, i := range w.invoices() {
		if i.Type != "389" || i.Number == nil || random.IntN(2) == 0 {
			continue
		}
		_, number, err := w.ops.CorrectInvoice(w.ctx, w.tenant.ID, i.ID, jobs.Correction{Objection: day(1), Reason: "wrong", Again: random.IntN(2) == 0})
		var refusal *jobs.Refusal
		if err != nil && !errors.As(err, &refusal) {
			w.t.Fatalf("object to %s: %v", *i.Number, err)
		}
		return fmt.Sprintf("object to %s: %s (%v)", *i.Number, number, err)
	}
	return "nothing to object to"
}

// checkBooked compares what is booked for a CDR with its current rating.
func (w *world) checkBooked(id uuid.UUID) error {
	w.t.Helper()
	s := w.state(id)
	items, err := w.db.ItemsOfCDR(w.ctx, id)
	if err != nil {
		return err
	}
	same := func(a, b map[uuid.UUID]sums) bool {
		return maps.EqualFunc(a, b, func(x, y sums) bool { return x.net.Equal(y.net) && x.gross.Equal(y.gross) })
	}
	all, issued := map[uuid.UUID]sums{}, map[uuid.UUID]sums{}
	add := func(to map[uuid.UUID]sums, i db.LineItem) {
		to[i.CustomerID] = sums{to[i.CustomerID].net.Add(i.Net), to[i.CustomerID].gross.Add(i.Gross)}
	}
	owed, paid := map[uuid.UUID]sums{}, map[uuid.UUID]sums{}
	for _, i := range items {
		onIssued := i.InvoiceID.Valid && w.count(`SELECT count(*) FROM invoices WHERE id = $1 AND state = 'issued'`, i.InvoiceID.UUID) == 1
		if i.ReimbursementID.Valid {
			add(owed, i)
			if onIssued {
				add(paid, i)
			}
			continue
		}
		add(all, i)
		if onIssued {
			add(issued, i)
		}
	}
	if err := w.checkOwed(s, owed, paid); err != nil {
		return err
	}
	if s.RetailState == "open" { // nothing is decided: what is on invoices stands, and nothing else
		if !same(all, issued) {
			return fmt.Errorf("%s, and %v is booked besides %v on invoices", s.State, all, issued)
		}
		return nil
	}
	want := sums{}
	if s.RetailState == "released" {
		rating, err := w.db.CurrentRating(w.ctx, id)
		if err != nil {
			return err
		}
		want = sums{rating.RetailNet, rating.RetailGross}
		var frozen []struct{ Gross decimal.Decimal }
		if err := json.Unmarshal(rating.Items, &frozen); err != nil || len(frozen) == 0 {
			return fmt.Errorf("items of the rating: %s, %w", rating.Items, err)
		}
	}
	for customer, sum := range all {
		expected := sums{}
		if customer == s.CustomerID.UUID {
			expected = want
		}
		if !sum.net.Equal(expected.net) || !sum.gross.Equal(expected.gross) {
			return fmt.Errorf("%s/%s: %s is booked for customer %s, want %s", s.State, s.RetailState, sum.gross, customer, expected.gross)
		}
	}
	if got := all[s.CustomerID.UUID]; !got.gross.Equal(want.gross) {
		return fmt.Errorf("%s/%s: %s is booked, want %s", s.State, s.RetailState, got.gross, want.gross)
	}
	if s.State == "invoiced" && !same(all, issued) {
		return fmt.Errorf("invoiced, but %v is on invoices of %v", issued, all)
	}
	return nil
}

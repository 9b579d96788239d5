package jobs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
)

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if err := dbtest.Exec(w.ctx, w.dbURL, fmt.Sprintf(sql, args...)); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// charge receives a CDR when its session is over.
func (w *world) charge(c cdr) {
	w.t.Helper()
	if over := c.start.Add(2 * time.Hour); w.clock.Now().Before(over) {
		w.clock.Set(over)
	}
	w.receive(c)
}

// bill runs a month at the third of the next one.
func (w *world) bill(month time.Time, issue bool) jobs.Run {
	w.t.Helper()
	w.clock.Set(time.Date(month.Year(), month.Month()+1, 3, 9, 0, 0, 0, time.UTC))
	run, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, month, issue)
	if err != nil {
		w.t.Fatal(err)
	}
	return run
}

// draft is the only invoice of a customer that is not issued.
func (w *world) draft(customer string) db.Invoice {
	w.t.Helper()
	var found []uuid.UUID
	for _, r := range w.invoices() {
		if r.Customer == customer && r.State != "issued" {
			found = append(found, r.ID)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("%s has %d drafts", customer, len(found))
	}
	row, err := w.db.Invoice(w.ctx, found[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

func refused(err error) string {
	var r *jobs.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return fmt.Sprint(err)
}

func (w *world) policy(change func(*db.BillingPolicy)) {
	w.t.Helper()
	if _, err := w.ops.SetBillingPolicy(w.ctx, w.tenant.ID, change); err != nil {
		w.t.Fatal(err)
	}
}

// A second person approves, after the time for inspection, what he has seen; late CDRs enter the drafts until then.
func TestDraftsWaitForASecondPerson(t *testing.T) {
	w := newWorld(t)
	maker, second := w.clerk("klara"), w.clerk("sven")
	w.policy(func(p *db.BillingPolicy) { p.InspectionDays = 3 })
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	w.clock.Set(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC))
	id, err := w.ops.StartRun(maker, w.tenant.ID, october)
	if err != nil {
		t.Fatal(err)
	}
	w.runUntil(id, "inspection")
	if err := w.ops.ApproveRun(second, w.tenant.ID, id, nil); refused(err) != "run-inspection" {
		t.Errorf("approved in the time for inspection: %v", err)
	}
	w.receive(cdr{id: "C2", start: day(6), kwh: "10"}) // late
	w.work()
	w.clock.Set(time.Date(2026, 11, 6, 9, 0, 0, 0, time.UTC))
	if err := w.worker.RunSchedule(w.ctx); err != nil {
		t.Fatal(err)
	}
	row := w.draft("Erika Beispiel")
	if row.Items != 2 || row.Gross.String() != "17.7" || len(w.invoiceDoc(row.ID).Lines) != 2 {
		t.Fatalf("the late CDR is not on the draft: %d items, %s", row.Items, row.Gross)
	}
	seen := &jobs.Seen{Drafts: 1, Gross: decimal.RequireFromString("11.80")}
	for who, c := range map[string]error{
		"run-same-person": w.ops.ApproveRun(maker, w.tenant.ID, id, nil),
		"run-changed":     w.ops.ApproveRun(second, w.tenant.ID, id, seen),
	} {
		if refused(c) != who {
			t.Errorf("want %s, got %v", who, c)
		}
	}
	if err := w.ops.ApproveInvoice(maker, w.tenant.ID, row.ID); refused(err) != "run-same-person" {
		t.Errorf("who made the draft approved it: %v", err)
	}
	if _, err := w.ops.IssueInvoice(w.ctx, row.ID); refused(err) != "not-approved" {
		t.Errorf("issued without approval: %v", err)
	}
	for _, sql := range []string{ // the database says so, too
		`UPDATE invoices SET approved_by = drafted_by`,
		`UPDATE invoice_runs SET approved_by = started_by`,
		`UPDATE invoices SET state = 'settled'`,
	} {
		if err := dbtest.Exec(w.ctx, w.dbURL, sql); err == nil {
			t.Errorf("%s was accepted", sql)
		}
	}
	seen.Gross = row.Gross
	if err := w.ops.ApproveRun(second, w.tenant.ID, id, seen); err != nil {
		t.Fatal(err)
	}
	w.work()
	inv := w.invoices()[0]
	if inv.State != "issued" || *inv.Number != "SWX-2026-000001" {
		t.Errorf("invoice is %s", inv.State)
	}
	if n := w.count(`SELECT count(*) FROM invoices i JOIN staff a ON a.id = i.drafted_by JOIN staff b ON b.id = i.approved_by WHERE a.name = 'klara' AND b.name = 'sven' AND i.sent_at IS NOT NULL OR i.rendered_at IS NOT NULL`); n != 1 {
		t.Errorf("%d invoices say who made and who approved them", n)
	}
	if err := w.worker.DB.FinishRuns(w.ctx, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if run, err := w.ops.ReadRun(w.ctx, id); err != nil || run.State != "done" || run.Issued != 1 {
		t.Errorf("run = %+v, %v", run, err)
	}
}

// runUntil lets the workers work until a run is in a state.
func (w *world) runUntil(id uuid.UUID, state string) {
	w.t.Helper()
	for range 3 {
		if err := w.worker.Sweep(w.ctx); err != nil {
			w.t.Fatal(err)
		}
		w.work()
		if w.count(`SELECT count(*) FROM invoice_runs WHERE id = $1 AND state = $2`, id, state) == 1 {
			return
		}
	}
	w.t.Fatalf("the run is not in state %s", state)
}

// A simulation says what the run comes to afterwards, and leaves nothing behind.
func TestSimulationIsTheRun(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", priced("0.50", `,"base_fee":{"price":4.90}`), day(1))
	w.policy(func(p *db.BillingPolicy) { p.Minimum = decimal.NewFromInt(6) })
	for i, kwh := range []string{"20", "1", "31.7", "0.4"} {
		uid := fmt.Sprintf("04%04d", i)
		w.issueCard(w.tenant.ID, uid, fmt.Sprint("Kunde ", i))
		w.charge(cdr{id: fmt.Sprint("C", i), start: day(21), kwh: kwh, uid: uid})
	}
	w.work()
	w.exec(`UPDATE customers SET street = '' WHERE name = 'Kunde 2'`)
	w.clock.Set(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC))
	const everything = `SELECT (SELECT count(*) FROM invoices) + (SELECT count(*) FROM invoice_runs) + (SELECT count(*) FROM fees) + (SELECT count(*) FROM line_items WHERE invoice_id IS NOT NULL) + (SELECT count(*) FROM events)`
	before := w.count(everything)
	tried, err := w.ops.SimulateRun(w.ctx, w.tenant.ID, october)
	if err != nil {
		t.Fatal(err)
	}
	if after := w.count(everything); after != before {
		t.Errorf("the simulation left %d rows", after-before)
	}
	run := w.bill(october, true)
	real, err := jobs.ReportRun(w.ctx, w.db.Queries, run.ID)
	if err != nil {
		t.Fatal(err)
	}
	sums := func(r jobs.RunReport) (s []string) {
		for _, t := range r.Totals {
			state := t.State
			if state == "issued" {
				state = "draft"
			}
			s = append(s, fmt.Sprint(state, t.Many, t.Net, t.VAT, t.Gross))
		}
		for _, t := range r.Taxes {
			s = append(s, fmt.Sprint(t.Category, t.Rate, t.Items, t.Net, t.Tax))
		}
		slices.Sort(s)
		return s
	}
	if a, b := sums(tried), sums(real); !slices.Equal(a, b) || tried.Fees.Booked != run.Fees.Booked || run.Fees.Booked != 5 {
		t.Errorf("simulation %v, %d fees\nrun        %v, %d fees", a, tried.Fees.Booked, b, run.Fees.Booked)
	}
	if run.Issued != 1 || run.Failed != 1 || run.Carried != 3 {
		t.Errorf("run = %+v", run)
	}
	if !slices.ContainsFunc(tried.Odd, func(d jobs.OddDraft) bool {
		return d.Customer == "Kunde 2" && d.State == "failed" && len(d.Problems) == 1
	}) {
		t.Errorf("odd drafts = %+v", tried.Odd)
	}
}

// Little sums are carried forward under a heading of their own, until they are worth a letter, too old, or the customer's last.
func TestLittleIsCarriedForward(t *testing.T) {
	w := newWorld(t)
	w.policy(func(p *db.BillingPolicy) { p.Minimum, p.CarryMonths = decimal.NewFromInt(5), 2 })
	w.charge(cdr{id: "C1", start: day(5), kwh: "2"})
	w.work()
	if run := w.bill(october, true); run.Carried != 1 || run.Issued != 0 {
		t.Fatalf("October: %+v", run)
	}
	if run := w.bill(october, true); run.Carried != 0 || run.Issued != 0 || run.Drafts != 0 {
		// nothing new: what was carried is taken up again and carried again
		if run.Carried != 1 {
			t.Fatalf("October again: %+v", run)
		}
	}
	w.charge(cdr{id: "C2", start: time.Date(2026, 10, 9, 8, 0, 0, 0, time.UTC), kwh: "1"}) // late
	w.charge(cdr{id: "C3", start: time.Date(2026, 11, 9, 8, 0, 0, 0, time.UTC), kwh: "8"})
	w.work()
	if run := w.bill(october.AddDate(0, 1, 0), true); run.Issued != 1 {
		t.Fatalf("November: %+v", run)
	}
	rows := w.invoices()
	inv := w.invoiceDoc(rows[len(rows)-1].ID)
	var headings []string
	for _, l := range inv.Lines {
		headings = append(headings, l.Heading)
	}
	if got := strings.Join(headings, "|"); got != "Übertrag aus Oktober 2026|Nachträge aus Oktober 2026|" {
		t.Errorf("headings %q", got)
	}
	w.charge(cdr{id: "C4", start: time.Date(2026, 12, 9, 8, 0, 0, 0, time.UTC), kwh: "1"})
	w.work()
	w.bill(october.AddDate(0, 2, 0), true)
	if run := w.bill(october.AddDate(0, 3, 0), true); run.Issued != 0 {
		t.Errorf("January: %+v", run)
	}
	if run := w.bill(october.AddDate(0, 4, 0), true); run.Issued != 1 {
		t.Errorf("after two months: %+v", run)
	}
	w.charge(cdr{id: "C5", start: time.Date(2027, 3, 9, 8, 0, 0, 0, time.UTC), kwh: "1"})
	w.work()
	w.exec(`UPDATE contracts SET valid_to = '2027-03-20'`)
	if run := w.bill(october.AddDate(0, 5, 0), true); run.Issued != 1 {
		t.Errorf("the last invoice: %+v", run)
	}
	if r := w.numbers(); !r.Proven() {
		t.Errorf("numbers: %+v", r)
	}
}

// An invoice on which all is free is no invoice, unless the utility wants to send it.
func TestFreeSessionsNeedNoInvoice(t *testing.T) {
	for _, zero := range []string{"suppress", "issue"} {
		w := newWorld(t)
		w.policy(func(p *db.BillingPolicy) { p.Zero = zero })
		w.addPlan("Standard", priced("0.50", `,"allowances":[{"id":"frei","unit":"kWh","quantity":50}]`), day(1))
		w.charge(cdr{id: "C1", start: day(21), kwh: "20"})
		w.work()
		run := w.bill(october, true)
		if zero == "suppress" && (run.Settled != 1 || run.Issued != 0) || zero == "issue" && run.Issued != 1 {
			t.Errorf("%s: %+v", zero, run)
		}
		if again := w.bill(october.AddDate(0, 1, 0), true); again.Settled+again.Issued != 0 {
			t.Errorf("%s, again: %+v", zero, again)
		}
	}
}

// Only what is odd is shown to whoever looks.
func TestOddDraftsAreShown(t *testing.T) {
	w := newWorld(t)
	w.policy(func(p *db.BillingPolicy) { p.DeviationAmount = decimal.NewFromInt(5) })
	issue := func(uid, name string, data db.InsertCustomerParams, email string, mandate *jobs.NewMandate) {
		t.Helper()
		data.Street, data.PostalCode, data.City = "Weg 1", "46509", "Xanten"
		if _, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: w.tenant.ID, UID: uid, Contract: "DE-SWX-C" + uid, Customer: name, Email: email, MasterData: data, Mandate: mandate}); err != nil {
			t.Fatal(err)
		}
	}
	mandate := func(n int) *jobs.NewMandate {
		return &jobs.NewMandate{Reference: fmt.Sprint("M", n), IBAN: "DE02120300000000202051", SignedOn: day(1)}
	}
	issue("0401", "Stetig", db.InsertCustomerParams{}, "a@b.example", mandate(1))
	issue("0402", "Sprunghaft", db.InsertCustomerParams{}, "a@b.example", mandate(2))
	issue("0403", "Firma", db.InsertCustomerParams{Kind: "business"}, "a@b.example", mandate(3))
	issue("0404", "Briefkasten", db.InsertCustomerParams{}, "", nil)
	issue("0405", "Amt", db.InsertCustomerParams{Kind: "public"}, "a@b.example", nil)
	kwh := map[string][]string{"0401": {"20", "22", "21"}, "0402": {"9", "9", "21"}, "0403": {"10", "10", "10"}, "0404": {"10", "10", "12"}, "0405": {"10", "10", "10"}}
	for m := range 3 {
		month := time.Date(2026, 8+time.Month(m), 5, 8, 0, 0, 0, time.UTC)
		for uid, list := range kwh {
			w.charge(cdr{id: fmt.Sprint("C", uid, m), start: month, kwh: list[m], uid: uid})
		}
		w.work()
		w.bill(month, m < 2)
	}
	want := map[string]string{"Stetig": "", "Sprunghaft": "deviation", "Firma": "no-vat-id", "Briefkasten": "no-mandate no-email", "Amt": ""}
	for name, warnings := range want {
		if got := strings.Join(w.draft(name).Warnings, " "); got != warnings {
			t.Errorf("%s: %q, want %q", name, got, warnings)
		}
	}
	if usual := w.draft("Sprunghaft").Usual; usual.Decimal.String() != "5.31" {
		t.Errorf("usual = %v", usual)
	}
	issue("0406", "Neu", db.InsertCustomerParams{}, "a@b.example", mandate(6))
	w.charge(cdr{id: "N", start: day(7), kwh: "5", uid: "0406"})
	w.work()
	run := w.bill(october, false)
	if got := strings.Join(w.draft("Neu").Warnings, " "); got != "first" {
		t.Errorf("the first invoice: %q", got)
	}
	report, err := jobs.ReportRun(w.ctx, w.db.Queries, run.ID)
	if err != nil {
		t.Fatal(err)
	}
	var odd []string
	for _, d := range report.Odd {
		odd = append(odd, d.Customer)
	}
	slices.Sort(odd)
	if strings.Join(odd, " ") != "Briefkasten Firma Neu Sprunghaft" {
		t.Errorf("shown are %v", odd)
	}
}

// Contracts are billed by the month, by the quarter, or at once.
func TestBillingCycles(t *testing.T) {
	w := newWorld(t)
	w.issueCard(w.tenant.ID, "0401", "Quartal")
	w.issueCard(w.tenant.ID, "0402", "Sofort")
	for contract, cycle := range map[string]string{"DE-SWX-C0401": "quarter", "de-swx-c0402": "immediate"} {
		if err := w.ops.SetBillingCycle(w.ctx, w.tenant.ID, contract, cycle); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.ops.SetBillingCycle(w.ctx, w.tenant.ID, "DE-SWX-C0", "quarter"); refused(err) != "contract-unknown" {
		t.Errorf("unknown contract: %v", err)
	}
	for i, uid := range []string{"0401", "0402", ""} {
		w.charge(cdr{id: fmt.Sprint("O", i), start: day(5), kwh: "10", uid: uid})
	}
	w.work()
	w.clock.Set(w.clock.Now().Add(time.Hour))
	if err := w.worker.RunSchedule(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.work()
	rows := w.invoices()
	if len(rows) != 1 || rows[0].Customer != "Sofort" || rows[0].State != "issued" {
		t.Fatalf("at once: %+v", rows)
	}
	if run := w.bill(october, true); run.Issued != 1 {
		t.Errorf("October: %+v", run)
	}
	w.charge(cdr{id: "N1", start: time.Date(2026, 11, 5, 8, 0, 0, 0, time.UTC), kwh: "10", uid: "0401"})
	w.work()
	if run := w.bill(october.AddDate(0, 1, 0), true); run.Issued != 0 {
		t.Errorf("November: %+v", run)
	}
	if run := w.bill(october.AddDate(0, 2, 0), true); run.Issued != 1 {
		t.Errorf("December: %+v", run)
	}
	for _, r := range w.invoices() {
		if r.Customer != "Quartal" {
			continue
		}
		inv := w.invoiceDoc(r.ID)
		if len(inv.Lines) != 2 || inv.Lines[0].Heading != "" || inv.Period.Start.Format(time.RFC3339) != "2026-09-30T22:00:00Z" {
			t.Errorf("quarter: %d lines, %+v", len(inv.Lines), inv.Period)
		}
	}
}

// A run that breaks off goes on where it was, and many who begin it at once make every draft once.
func TestRunGoesOnAndIsDoneOnce(t *testing.T) {
	w := newWorld(t)
	const customers = 12
	for i := range customers {
		uid := fmt.Sprintf("04%04d", i)
		w.issueCard(w.tenant.ID, uid, fmt.Sprint("Kunde ", i))
		w.charge(cdr{id: fmt.Sprint("C", i), start: day(5), kwh: "20", uid: uid})
	}
	w.work()
	w.clock.Set(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC))
	var busy, fine int
	var mu sync.Mutex
	var running sync.WaitGroup
	for range 6 {
		running.Go(func() {
			_, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, true)
			mu.Lock()
			defer mu.Unlock()
			switch code := refused(err); {
			case err == nil:
				fine++
			case code == "run-busy" || code == "run-state":
				busy++
			default:
				t.Error(err)
			}
		})
	}
	running.Wait()
	if fine == 0 || fine+busy != 6 {
		t.Errorf("%d ran, %d were told to wait", fine, busy)
	}
	w.work()
	if n := w.count(`SELECT count(*) FROM invoices WHERE state = 'issued'`); n != customers || !func() bool { r := w.numbers(); return r.Proven() }() {
		t.Errorf("%d invoices", n)
	}
	// A worker died in the middle of November.
	for i := range customers {
		w.charge(cdr{id: fmt.Sprint("N", i), start: time.Date(2026, 11, 5, 8, 0, 0, 0, time.UTC), kwh: "20", uid: fmt.Sprintf("04%04d", i)})
	}
	w.work()
	w.clock.Set(time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC))
	id, err := w.ops.StartRun(w.ctx, w.tenant.ID, october.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	w.exec(`UPDATE invoice_runs SET due_at = '2026-12-03 09:01:00Z' WHERE id = '%s'`, id)
	if _, err := w.ops.StartRun(w.ctx, w.tenant.ID, october.AddDate(0, 1, 0)); refused(err) != "run-busy" {
		t.Errorf("begun twice: %v", err)
	}
	w.clock.Set(time.Date(2026, 12, 3, 9, 2, 0, 0, time.UTC))
	w.runUntil(id, "inspection")
	if run, err := w.ops.ReadRun(w.ctx, id); err != nil || run.Drafts != customers {
		t.Errorf("run = %+v, %v", run, err)
	}
}

// Several chunks are made at the same time, and the run goes on where it broke off: a worker that has lost its run leaves nothing
// behind of what it was at.
func TestRunTakenOver(t *testing.T) {
	w := newWorld(t)
	const customers = 4500 // more than all chunks that are made together
	w.fill(customers)
	w.clock.Set(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC))
	w.exec(`
		CREATE FUNCTION other_holds() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
		CREATE TRIGGER other_holds BEFORE UPDATE OF fees_booked ON invoice_runs FOR EACH ROW WHEN (OLD.customers_done > 0) EXECUTE FUNCTION other_holds()`)
	_, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, false)
	if err == nil || !strings.Contains(err.Error(), "taken the run over") {
		t.Fatalf("the run went on: %v", err)
	}
	w.expect("drafts of the chunks before", w.count(`SELECT count(*) FROM invoices`), 3999) // and one customer who has nothing to pay
	w.expect("items of the others", w.count(`SELECT count(*) FROM line_items WHERE invoice_id IS NULL`), 5010)

	w.exec(`DROP TRIGGER other_holds ON invoice_runs`)
	if _, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, false); err == nil {
		t.Fatal("two are at work on a run")
	}
	w.clock.Set(w.clock.Now().Add(3 * time.Minute))
	run, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, false)
	if err != nil {
		t.Fatal(err)
	}
	w.expect("drafts", run.Drafts, customers)
	w.expect("items without a draft", w.count(`SELECT count(*) FROM line_items WHERE invoice_id IS NULL`), 0)
	w.expect("customers with two", w.count(`SELECT count(*) - count(DISTINCT customer_id) FROM invoices`), 0)
	w.expect("customers done", w.count(`SELECT customers_done - customers FROM invoice_runs`), 0)
}

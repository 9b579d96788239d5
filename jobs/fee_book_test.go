package jobs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
)

// Fees are booked once, for the days of the contract, as services of their own, and stand on the month's invoice.
func TestFees(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", priced("0.50", `,"base_fee":{"price":4.90},"one_off_fees":[{"kind":"ACTIVATION","price":9.90},{"kind":"CARD","price":3},{"kind":"EXTRA_CARD","price":5}]`), day(1))
	w.clock.Set(time.Date(2026, 10, 21, 9, 0, 0, 0, time.UTC))
	w.issueCard(w.tenant.ID, "0411", "Neuling")
	if _, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: w.tenant.ID, UID: "0412", Visual: "0007", Contract: "DE-SWX-C0411", Customer: "Neuling", Email: "kunde@post.example"}); err != nil {
		t.Fatal(err)
	}
	if run, err := w.ops.BookFees(w.ctx, w.tenant.ID, october); err != nil || run.Booked != 0 {
		t.Errorf("before the month has ended: %+v, %v", run, err)
	}
	w.receive(cdr{id: "C1", start: day(21), kwh: "20", uid: "0411"})
	w.work()
	run := w.runOctober(true)
	// Erika has her card and her contract since the 20th, the newcomer since the 21st, with a second card.
	if run.Fees.Booked != 7 || run.Issued != 2 {
		t.Fatalf("%+v", run)
	}
	if again := w.runOctober(true); again.Fees.Booked != 0 || again.Issued != 0 {
		t.Errorf("again: %+v", again)
	}
	w.clock.Set(time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC))
	if err := w.worker.RunSchedule(w.ctx); err != nil { // books November, whoever bills it
		t.Fatal(err)
	}
	if got := w.count(`SELECT count(*) FROM fees WHERE month = '2026-11-01' AND kind = 'BASE' AND days = 30`); got != 2 {
		t.Errorf("%d base fees of November", got)
	}
	var lines []string
	for _, row := range w.invoices() {
		if row.Customer != "Neuling" {
			continue
		}
		inv := w.invoiceDoc(row.ID)
		for _, l := range inv.Lines {
			lines = append(lines, fmt.Sprintf("%s | %s | %s %s | %s %s %%", l.Name, l.Description, l.Quantity, l.Unit, l.Gross.StringFixed(2), l.VATRate))
		}
		if !inv.Gross.Equal(decimal.RequireFromString("29.64")) {
			t.Errorf("gross %s", inv.Gross)
		}
	}
	want := []string{
		"Ladevorgang Rathaus, Hamburg | 20,000 kWh × 0,50 €/kWh = 10,00 € | 20 KWH | 10.00 19 %",
		"Aktivierung | Tarif Standard | 1 C62 | 9.90 19 %",
		"Grundgebühr Oktober 2026 | Tarif Standard, 11 von 31 Tagen | 1 MON | 1.74 19 %",
		"Ladekarte | 0411 | 1 C62 | 3.00 19 %",
		"Weitere Ladekarte | 0007 | 1 C62 | 5.00 19 %",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("lines:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
	for _, sql := range []string{
		`UPDATE fees SET days = 1`, `DELETE FROM fees`,
		`INSERT INTO fees SELECT gen_random_uuid(), tenant_id, contract_id, token_id, kind, month, plan_version_id, price, first_day, last_day, days, of_days, booked_at FROM fees WHERE kind = 'BASE' LIMIT 1`,
		`UPDATE line_items SET kind = 'session' WHERE kind = 'fee' AND invoice_id IS NULL`,
	} {
		if err := dbtest.Exec(w.ctx, w.dbURL, sql); err == nil {
			t.Errorf("%s was possible", sql)
		}
	}
}

// A consumer abroad: no rule says how a fee of his is taxed, so it is not booked, and the clerk is told.
func TestFeeWithoutTaxRule(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", priced("0.50", `,"base_fee":{"price":4.90}`), day(1))
	if err := dbtest.Exec(w.ctx, w.dbURL, `UPDATE customers SET country = 'AT'`); err != nil {
		t.Fatal(err)
	}
	if run := w.runOctober(false); run.Fees.Booked != 0 || len(run.Fees.Problems) != 1 || run.Fees.Problems[0].Kind != billing.FeeBase || !strings.Contains(run.Fees.Problems[0].Reason, "no VAT rule") {
		t.Errorf("%+v", run.Fees)
	}
	if err := dbtest.Exec(w.ctx, w.dbURL, `UPDATE customers SET kind = 'business', vat_id = 'ATU12345678'`); err != nil {
		t.Fatal(err)
	}
	if run := w.runOctober(false); run.Fees.Booked != 1 || w.count(`SELECT count(*) FROM line_items WHERE vat_category = 'AE' AND net = gross`) != 1 {
		t.Errorf("%+v", run.Fees)
	}
}

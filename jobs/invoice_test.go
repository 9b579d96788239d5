package jobs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

var october = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// runOctober bills October at the start of November.
func (w *world) runOctober(issue bool) jobs.Run {
	w.t.Helper()
	w.clock.Set(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC))
	run, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, issue)
	if err != nil {
		w.t.Fatal(err)
	}
	return run
}

func (w *world) invoices() []db.InvoicesForListRow {
	w.t.Helper()
	rows, err := w.db.InvoicesForList(w.ctx, db.InvoicesForListParams{TenantID: uuid.NullUUID{UUID: w.tenant.ID, Valid: true}})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

func (w *world) invoiceDoc(id uuid.UUID) billing.Invoice {
	w.t.Helper()
	row, err := w.db.Invoice(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var inv billing.Invoice
	if row.State != "issued" {
		if inv, err = w.ops.Preview(w.ctx, w.db.Queries, row); err != nil {
			w.t.Fatal(err)
		}
		return inv
	}
	if err := json.Unmarshal(row.Doc, &inv); err != nil {
		w.t.Fatal(err)
	}
	return inv
}

func TestMonthBecomesAnInvoice(t *testing.T) {
	w := newWorld(t)
	first := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.receive(cdr{id: "C2", start: day(6), kwh: "10.5"})
	w.receive(cdr{id: "C3", start: time.Date(2026, 10, 31, 23, 30, 0, 0, time.UTC), kwh: "5"}) // November in Berlin
	w.work()
	if run := w.runOctober(true); run.Drafts != 1 || run.Issued != 1 || run.Failed != 0 {
		t.Fatalf("run = %+v", run)
	}
	w.work()

	rows := w.invoices()
	if len(rows) != 1 || rows[0].Number == nil || *rows[0].Number != "SWX-2026-000001" {
		t.Fatalf("invoices = %+v", rows)
	}
	inv := w.invoiceDoc(rows[0].ID)
	// 20 kWh = 11.80, 10.5 kWh = 6.195 → 6.20; together 18.00 gross, 15.13 net.
	if len(inv.Lines) != 2 || !inv.Gross.Equal(decimal.RequireFromString("18")) || !inv.Net.Equal(decimal.RequireFromString("15.13")) {
		t.Errorf("lines %d, gross %s, net %s", len(inv.Lines), inv.Gross, inv.Net)
	}
	if got := inv.Date.Format(time.DateOnly) + " " + inv.DueDate.Format(time.DateOnly); got != "2026-11-03 2026-11-17" {
		t.Errorf("dates = %s", got)
	}
	if s := w.state(first); s.State != "invoiced" {
		t.Errorf("CDR is %s", s.State)
	}
	for _, format := range []string{"pdf", "xml"} {
		doc, err := w.db.Document(w.ctx, db.DocumentParams{InvoiceID: rows[0].ID, Format: format})
		if err != nil || !bytes.Contains(doc.Bytes, []byte("SWX-2026-000001")) && format == "xml" {
			t.Errorf("%s: %v", format, err)
		}
	}
	emails, err := w.db.EmailsOfInvoice(w.ctx, uuid.NullUUID{UUID: rows[0].ID, Valid: true})
	if err != nil || len(emails) != 1 || emails[0].State != "kept" || emails[0].Recipient != "kunde@post.example" || !strings.Contains(emails[0].Body, "18,00 EUR") {
		t.Errorf("outbox = %+v, %v", emails, err)
	}
	// Nothing is billed twice.
	if run := w.runOctober(true); run.Drafts != 0 || run.Issued != 0 {
		t.Errorf("second run = %+v", run)
	}
}

func TestLateSessionStandsUnderItsOwnHeading(t *testing.T) {
	w := newWorld(t)
	w.receive(cdr{id: "C1", start: time.Date(2026, 8, 12, 9, 0, 0, 0, time.UTC), kwh: "20"})
	w.receive(cdr{id: "C2", start: day(6), kwh: "10"})
	w.work()
	held := w.count(`SELECT count(*) FROM cdr_states WHERE state <> 'rated'`)
	if held != 0 {
		t.Fatalf("%d CDRs are not rated", held)
	}
	w.runOctober(false)
	inv := w.invoiceDoc(w.invoices()[0].ID)
	if len(inv.Lines) != 2 || inv.Lines[0].Heading != "Nachträge aus August 2026" || inv.Lines[1].Heading != "" {
		t.Errorf("lines = %+v", inv.Lines)
	}
}

func TestCustomerWithoutAddressFailsAlone(t *testing.T) {
	w := newWorld(t)
	_, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: w.tenant.ID, UID: "0499", Contract: "DE-SWX-C2", Customer: "Ohne Anschrift", Email: "a@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.receive(cdr{id: "C2", start: day(5), kwh: "20", uid: "0499"})
	w.work()
	if run := w.runOctober(true); run.Issued != 1 || run.Failed != 1 {
		t.Fatalf("run = %+v", run)
	}
	for _, row := range w.invoices() {
		if row.State == "failed" && !strings.Contains(string(row.Problems), "customer.address.street") {
			t.Errorf("problems = %s", row.Problems)
		}
	}
	// Put right, it is billed by the next run.
	if w.count(`WITH done AS (UPDATE customers SET street = 'Weg 1', postal_code = '46509', city = 'Xanten' WHERE name = 'Ohne Anschrift' RETURNING 1) SELECT count(*) FROM done`) != 1 {
		t.Fatal("customer not found")
	}
	if run := w.runOctober(true); run.Issued != 1 || run.Failed != 0 {
		t.Errorf("second run = %+v", run)
	}
}

// Many issue at once; the numbers still have no gap, and their order is the order of issue.
func TestNumbersHaveNoGaps(t *testing.T) {
	w := newWorld(t)
	const customers = 24
	for i := range customers {
		uid := fmt.Sprintf("04%04d", i)
		w.issueCard(w.tenant.ID, uid, fmt.Sprint("Kunde ", i))
		w.receive(cdr{id: fmt.Sprint("C", i), start: day(5), kwh: "20", uid: uid})
	}
	w.work()
	run := w.runOctober(false)
	if err := w.ops.ApproveRun(w.ctx, w.tenant.ID, run.ID, nil); err != nil {
		t.Fatal(err)
	}
	var issuing sync.WaitGroup
	for i, row := range w.invoices() {
		patience := time.Minute
		if i%6 == 5 { // some give up in the middle and leave no gap
			patience = 3 * time.Millisecond
		}
		issuing.Go(func() {
			ctx, cancel := context.WithTimeout(w.ctx, patience)
			defer cancel()
			_, _ = w.ops.IssueInvoice(ctx, row.ID)
		})
	}
	issuing.Wait()
	for _, row := range w.invoices() {
		if _, err := w.ops.IssueInvoice(w.ctx, row.ID); err != nil {
			t.Error(err)
		}
	}
	if n := w.count(`SELECT count(*) FROM invoices WHERE state = 'issued'`); n != customers {
		t.Errorf("%d issued, want %d", n, customers)
	}
	if n := w.count(`SELECT max(seq) FROM invoices`); n != customers {
		t.Errorf("highest number is %d, want %d", n, customers)
	}
	if r := w.numbers(); !r.Proven() || len(r.Series) != 1 || r.Series[0].Last != customers {
		t.Errorf("report = %+v", r)
	}
}

func (w *world) numbers() (r jobs.NumberReport) {
	w.t.Helper()
	err := w.db.Snapshot(w.ctx, func(q *db.Queries) (err error) {
		r, err = jobs.ReportNumbers(w.ctx, q, w.tenant.ID)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// Whoever owns the database can switch triggers off. The report shows what he did.
func TestNumberReportFindsWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		uid := fmt.Sprintf("04%04d", i)
		w.issueCard(w.tenant.ID, uid, fmt.Sprint("Kunde ", i))
		w.receive(cdr{id: fmt.Sprint("C", i), start: day(5), kwh: "20", uid: uid})
	}
	w.work()
	w.runOctober(true)
	w.work()
	if r := w.numbers(); !r.Proven() || r.Documents.Documents != 10 {
		t.Fatalf("report = %+v", r)
	}
	const off = `ALTER TABLE invoices DISABLE TRIGGER USER; ALTER TABLE documents DISABLE TRIGGER USER; `
	for _, c := range []struct {
		name, sql string
		wrong     func(jobs.NumberReport) bool
	}{
		{"an instant before", `UPDATE invoices SET issued_at = issued_at - interval '1 day' WHERE seq = 3`, func(r jobs.NumberReport) bool { return r.Series[0].Misplaced == 1 }},
		{"another document", `UPDATE documents SET bytes = 'x', sha256 = sha256('x') WHERE seq = 4`, func(r jobs.NumberReport) bool { return r.Documents.Unchained == 1 }},
		{"a document less", `DELETE FROM documents WHERE seq = 9`, func(r jobs.NumberReport) bool { return r.Documents.Unchained > 1 }},
		{"invoices of another series", `UPDATE invoices SET series = 'X' WHERE seq IN (2, 3, 5)`, func(r jobs.NumberReport) bool {
			return fmt.Sprint(r.Gaps) == "[{SWX-2026 2 3} {SWX-2026 5 5} {X 1 1} {X 4 4}]" && r.Series[0].Issued == 2
		}},
	} {
		if err := dbtest.Exec(w.ctx, w.dbURL, off+c.sql); err != nil {
			t.Fatal(err)
		}
		if r := w.numbers(); r.Proven() || !c.wrong(r) {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestIssuedDocumentsCannotChange(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	w.runOctober(true)
	w.work()
	for _, sql := range []string{
		`UPDATE invoices SET gross = 0`, `UPDATE invoices SET number = 'X'`, `UPDATE invoices SET state = 'draft'`, `UPDATE invoices SET doc = '{}'`, `DELETE FROM invoices`, `TRUNCATE invoices CASCADE`,
		`UPDATE documents SET bytes = 'x', sha256 = sha256('x')`, `DELETE FROM documents`, `TRUNCATE documents`,
		`UPDATE cdrs SET raw = 'x'`, `DELETE FROM cdrs`, `TRUNCATE cdrs CASCADE`,
		`UPDATE line_items SET gross = 0`, `DELETE FROM line_items`,
		`UPDATE number_series SET last = 5`, `UPDATE number_series SET last = last - 1`, `UPDATE number_series SET last = last + 1, last_at = '2020-01-01'`, `DELETE FROM number_series`,
		`INSERT INTO number_series (tenant_id, series, last) SELECT tenant_id, 'X', 7 FROM invoices`, `TRUNCATE number_series`,
	} {
		if err := dbtest.Exec(w.ctx, w.dbURL, sql); err == nil {
			t.Errorf("%s was accepted", sql)
		}
	}
	// Every column that is not about rendering and sending, also those that are added one day.
	if err := dbtest.Exec(w.ctx, w.dbURL, changeEveryColumn); err != nil {
		t.Error(err)
	}
	for _, sql := range []string{
		`UPDATE invoices SET reason = 'x'`, `UPDATE invoices SET net = net`, `INSERT INTO invoices SELECT * FROM invoices`, `DELETE FROM invoices`, `UPDATE documents SET file_name = 'x'`,
		`INSERT INTO documents SELECT * FROM documents`, `UPDATE number_series SET last = last + 1`, `UPDATE line_items SET gross = gross`, `DELETE FROM line_items`,
	} {
		err := dbtest.Exec(w.ctx, w.dbURL, fmt.Sprintf(`SET roamwerk.tenant = '%s'; SET ROLE roamwerk_tenant; %s`, w.tenant.ID, sql))
		if err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s as the utility: %v", sql, err)
		}
	}
	if s := w.state(id); s.State != "invoiced" {
		t.Errorf("CDR is %s", s.State)
	}
}

// changeEveryColumn fails with the name of the first column of issued invoices that it could change.
const changeEveryColumn = `DO $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT column_name AS name, CASE data_type WHEN 'uuid' THEN 'gen_random_uuid()' WHEN 'text' THEN '''changed''' WHEN 'date' THEN '''2000-01-01''' WHEN 'jsonb' THEN '''{"a": 1}'''
        WHEN 'boolean' THEN 'NOT ' || column_name WHEN 'timestamp with time zone' THEN '''2000-01-01''' WHEN 'ARRAY' THEN '''{changed}''' ELSE '77' END AS value
        FROM information_schema.columns WHERE table_name = 'invoices' AND column_name NOT IN ('due_at', 'attempts', 'reason', 'rendered_at', 'sent_at') LOOP
        BEGIN
            EXECUTE format('UPDATE invoices SET %I = %s', c.name, c.value);
            RAISE EXCEPTION 'column % of an issued invoice was changed', c.name;
        EXCEPTION WHEN integrity_constraint_violation THEN NULL;
        END;
    END LOOP;
END $$`

func TestDocumentsFormAChain(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		uid := fmt.Sprintf("04%04d", i)
		w.issueCard(w.tenant.ID, uid, fmt.Sprint("Kunde ", i))
		w.receive(cdr{id: fmt.Sprint("C", i), start: day(5), kwh: "20", uid: uid})
	}
	w.work()
	w.runOctober(true)
	w.work()
	docs, err := w.db.DocumentsOfTenant(w.ctx, w.tenant.ID)
	if err != nil || len(docs) != 6 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	var link []byte
	for i, d := range docs {
		if link = jobs.Chain(link, d.SHA256); !bytes.Equal(link, d.Chain) || d.Seq != int64(i+1) {
			t.Errorf("document %d breaks the chain", d.Seq)
		}
	}
}

func TestCreditTakesTheOriginalBack(t *testing.T) { // CDR-09, CDR-10
	for _, c := range []struct {
		name     string
		invoiced bool
		creditAt int // 0: before the original
	}{{"before the original", false, 0}, {"before the invoice", false, 1}, {"after the invoice", true, 1}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			var original, credit uuid.UUID
			if c.creditAt == 0 {
				credit = w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
				w.work()
				if s := w.state(credit); s.State != "held" || s.Reason != "credit-without-original" {
					t.Fatalf("credit is %s, %s", s.State, s.Reason)
				}
			}
			original = w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
			w.work()
			if c.invoiced {
				w.runOctober(true)
			}
			if c.creditAt == 1 {
				credit = w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "c1"})
			}
			w.work()
			if a, b := w.state(original), w.state(credit); a.State != "credited" || b.State != "credited" {
				t.Fatalf("original is %s (%s), credit is %s (%s)", a.State, a.Reason, b.State, b.Reason)
			}
			w.assertBooked(original, "0", "0")
			if !c.invoiced {
				return
			}
			w.clock.Set(time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC))
			if _, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october.AddDate(0, 1, 0), false); err != nil {
				t.Fatal(err)
			}
			rows := w.invoices()
			if last := rows[len(rows)-1]; len(rows) != 2 || !last.Gross.Equal(decimal.RequireFromString("-11.8")) {
				t.Errorf("invoices = %+v", rows)
			}
		})
	}
}

func TestPartialOrStrangeCreditIsHeld(t *testing.T) { // CDR-11
	w := newWorld(t)
	original := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	partial := w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-4", credit: "C1"})
	w.work()
	if s := w.state(partial); s.State != "held" || s.Reason != "credit-partial" {
		t.Errorf("partial credit is %s, %s", s.State, s.Reason)
	}
	whole := w.receive(cdr{id: "K2", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	again := w.receive(cdr{id: "K3", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	w.work()
	states := []string{w.state(whole).State, w.state(again).State}
	if fmt.Sprint(states) != "[credited held]" && fmt.Sprint(states) != "[held credited]" {
		t.Errorf("two credits of one original: %v", states)
	}
	w.assertBooked(original, "0", "0")
}

func TestChangedDraftIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.receive(cdr{id: "C2", start: day(6), kwh: "10"})
	w.work()
	w.runOctober(false)
	w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	w.work()
	row := w.invoices()[0]
	if _, err := w.ops.IssueInvoice(w.ctx, row.ID); err == nil || row.State != "failed" {
		t.Errorf("a draft that lost a session is %s and was issued: %v", row.State, err)
	}
	if run := w.runOctober(true); run.Issued != 1 {
		t.Fatalf("run = %+v", run)
	}
	if row := w.invoices()[0]; !row.Gross.Equal(decimal.RequireFromString("5.9")) {
		t.Errorf("gross = %s", row.Gross)
	}
}

func TestTrialTenantIssuesTestDocuments(t *testing.T) {
	w := newWorld(t)
	party, _ := ocpi.ParseParty("DE*TRY")
	tenant, err := w.ops.AddTenant(w.ctx, jobs.NewTenant{Party: party, Name: "Stadtwerke Probe"})
	if err != nil {
		t.Fatal(err)
	}
	if missing := jobs.MissingLegalData(tenant); tenant.Mode != "trial" || len(missing) == 0 {
		t.Errorf("mode %s, missing %v", tenant.Mode, missing)
	}
	if _, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: tenant.ID, UID: "0477", Contract: "DE-TRY-C1", Customer: "Erika Beispiel", Email: "e@b.example"}); err != nil {
		t.Fatal(err)
	}
	w.tenant = tenant
	w.receive(cdr{id: "C1", start: day(5), kwh: "20", uid: "0477"})
	w.work()
	if run := w.runOctober(true); run.Issued != 1 {
		t.Fatalf("run = %+v, %s", run, w.invoices()[0].Problems)
	}
	row := w.invoices()[0]
	inv := w.invoiceDoc(row.ID)
	if *row.Number != "TEST-TRY-2026-000001" || len(inv.Notes) != 1 || !strings.Contains(inv.Notes[0], "keine Rechnung") {
		t.Errorf("number %s, notes %v", *row.Number, inv.Notes)
	}
	if _, err := w.ops.AddTenant(w.ctx, jobs.NewTenant{Party: ocpi.Party{CountryCode: "DE", PartyID: "TRX"}, Name: "X", Live: true}); err == nil {
		t.Error("a utility without legal data went live")
	}
}

package jobs_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
)

// BenchmarkDrafts makes the drafts of a month with ten items a customer, and sets beside it how long SQL takes that somebody
// wrote by hand for the same rows: sums, invoices, VAT lines, and the mark on each item.
func BenchmarkDrafts(b *testing.B) {
	customers := 100_000
	if testing.Short() {
		customers = 5_000
	}
	byHand := newWorld(b)
	byHand.fill(customers)
	began := time.Now()
	byHand.exec(`%s`, draftsByHand)
	hand := time.Since(began)

	w := newWorld(b)
	w.fill(customers)
	w.clock.Set(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC))
	var run time.Duration
	for n := 0; b.Loop(); n++ {
		if n > 0 {
			b.Fatal("the drafts are made: run this benchmark with -benchtime 1x")
		}
		began := time.Now()
		made, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, false)
		if err != nil || made.Drafts != customers || made.Failed != 0 {
			b.Fatalf("%+v, %v", made, err)
		}
		run = time.Since(began)
	}
	for _, sql := range []string{
		`SELECT (100 * sum(gross))::bigint FROM invoices`, `SELECT (100 * sum(net))::bigint FROM invoices`, `SELECT count(*) FROM invoice_taxes`,
		`SELECT count(*) FROM line_items WHERE invoice_id IS NULL`, `SELECT count(DISTINCT invoice_id) FROM line_items`,
	} {
		if a, b := byHand.count(sql), w.count(sql); a != b {
			w.t.Errorf("%s: %d by hand, %d by the run", sql, a, b)
		}
	}
	b.ReportMetric(hand.Seconds(), "s-by-hand")
	b.ReportMetric(run.Seconds(), "s-run")
	b.ReportMetric(run.Seconds()/hand.Seconds(), "times-by-hand")
}

const draftsByHand = `
BEGIN;
INSERT INTO invoice_runs (id, tenant_id, month, issue, state, created_at) SELECT gen_random_uuid(), id, '2026-10-01', false, 'done', now() FROM tenants;
INSERT INTO invoices (id, tenant_id, customer_id, run_id, month, state, currency, net, vat, gross, items, gross_exact, created_at)
    SELECT gen_random_uuid(), s.tenant_id, s.customer_id, r.id, r.month, 'draft', s.currency, s.net, s.gross - s.net, s.gross, s.items, true, now()
    FROM invoice_runs r JOIN (SELECT tenant_id, customer_id, currency, sum(net) AS net, sum(gross) AS gross, sum(items) AS items FROM (
        SELECT tenant_id, customer_id, currency, round(sum(gross) * 100 / (100 + vat_rate), 2) AS net, sum(gross) AS gross, count(*) AS items FROM line_items
        WHERE invoice_id IS NULL AND service_start < '2026-10-31 23:00Z' GROUP BY tenant_id, customer_id, currency, vat_category, vat_rate) taxes GROUP BY tenant_id, customer_id, currency) s ON s.tenant_id = r.tenant_id;
INSERT INTO invoice_taxes (invoice_id, tenant_id, category, rate, items, net, tax)
    SELECT i.id, i.tenant_id, l.vat_category, l.vat_rate, count(*), round(sum(l.gross) * 100 / (100 + l.vat_rate), 2), sum(l.gross) - round(sum(l.gross) * 100 / (100 + l.vat_rate), 2)
    FROM line_items l JOIN invoices i ON i.customer_id = l.customer_id AND i.currency = l.currency
    WHERE l.invoice_id IS NULL AND l.service_start < '2026-10-31 23:00Z' GROUP BY i.id, i.tenant_id, l.vat_category, l.vat_rate;
UPDATE line_items l SET invoice_id = i.id FROM invoices i
    WHERE i.customer_id = l.customer_id AND i.currency = l.currency AND l.invoice_id IS NULL AND l.service_start < '2026-10-31 23:00Z';
COMMIT`

// fill gives the utility customers with ten items each, of one session: what drafts are made of does not ask whose they are.
func (w *world) fill(customers int) {
	w.t.Helper()
	if _, err := w.db.EnsurePartitions(context.Background(), time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		w.t.Fatal(err)
	}
	w.exec(`
		INSERT INTO customers (id, tenant_id, number, name, email, street, postal_code, city, created_at)
			SELECT gen_random_uuid(), (SELECT id FROM tenants), n::text, 'Kunde ' || n, 'kunde@post.example', 'Weg ' || n, '46509', 'Xanten', '2026-09-01' FROM generate_series(200001, 200000 + %d) n;
		DELETE FROM token_assignments; DELETE FROM tokens; DELETE FROM contracts;
		INSERT INTO contracts (id, tenant_id, customer_id, contract_id, valid_from, created_at)
			SELECT gen_random_uuid(), tenant_id, id, 'DE-SWX-K' || number, '2026-09-01', '2026-09-01' FROM customers WHERE number >= '2';
		INSERT INTO cdrs (id, received_at, partner_id, tenant_id, raw, sha256) SELECT c.id, '2026-10-15', p.id, c.tenant_id, '', sha256('') FROM contracts c, partners p;
		INSERT INTO cdr_states (cdr_id, received_at, partner_id, tenant_id, country_code, party_id, ocpi_id, started_at, ended_at, kwh, currency, claimed, token_uid, updated_at)
			SELECT c.id, c.received_at, c.partner_id, c.tenant_id, 'DE', 'NSL', c.id::text, '2026-10-14', '2026-10-15', 20, 'EUR', 9, '', '2026-10-15' FROM cdrs c;
		INSERT INTO ratings (id, tenant_id, cdr_id, seq, rated_at, engine, currency, claimed_net, computed_net, retail_net, retail_gross, wholesale, verdict, retail, findings, inputs_sha256)
			SELECT c.id, c.tenant_id, c.id, 1, '2026-10-15', '1', 'EUR', 9, 9, 9, 11, '{}', '{}', '{}', '[]', '' FROM cdrs c;
		INSERT INTO line_items (id, created_at, tenant_id, customer_id, contract_id, cdr_id, rating_id, position, dimension, quantity, unit, unit_price, tax_included, vat_category, vat_rate, net, gross, currency, service_start, service_end)
			SELECT gen_random_uuid(), '2026-10-15', c.tenant_id, c.customer_id, c.id, c.id, c.id, n, 'ENERGY', n, 'KWH', 0.59, true, 'S', CASE WHEN n = 10 THEN 20 ELSE 19 END,
				round(n * 0.59 / 1.19, 2), n * 0.59, 'EUR', timestamptz '2026-10-01' + n * interval '1 day', timestamptz '2026-10-01' + n * interval '25 hours'
			FROM contracts c, generate_series(1, 10) n ORDER BY n, c.contract_id;
	`, customers)
	for _, table := range []string{"customers", "contracts", "line_items", "cdr_states"} {
		if err := dbtest.Exec(w.ctx, w.dbURL, fmt.Sprint(`VACUUM ANALYZE `, table)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// BenchmarkIssue issues approved drafts of ten items each, several at a time, and then writes and archives their documents (PDF
// with XML, and what goes out), as workers do.
func BenchmarkIssue(b *testing.B) {
	const customers = 1000
	w := newWorld(b)
	w.fill(customers)
	w.clock.Set(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC))
	var issued, rendered time.Duration
	for n := 0; b.Loop(); n++ {
		if n > 0 {
			b.Fatal("the drafts are issued: run this benchmark with -benchtime 1x")
		}
		if _, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, false); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		made, err := w.ops.RunInvoices(w.ctx, w.tenant.ID, october, true)
		if err != nil || made.Issued != customers {
			b.Fatalf("%+v, %v", made, err)
		}
		issued, began = time.Since(began), time.Now()
		ids, err := w.db.InvoicesDue(w.ctx, db.InvoicesDueParams{Now: w.clock.Now(), MaxRows: customers})
		if err != nil || len(ids) != customers {
			b.Fatalf("%d documents to write, %v", len(ids), err)
		}
		g, ctx := errgroup.WithContext(w.ctx)
		g.SetLimit(2 * runtime.GOMAXPROCS(0))
		for _, id := range ids {
			g.Go(func() error { return w.worker.RenderInvoice(ctx, id) })
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
		rendered = time.Since(began)
	}
	if got := w.count(`SELECT count(*) FROM invoices WHERE state = 'issued' AND rendered_at IS NOT NULL`); got != customers {
		b.Errorf("%d of %d invoices have documents", got, customers)
	}
	b.ReportMetric(customers/issued.Seconds(), "issued/s")
	b.ReportMetric(customers/rendered.Seconds(), "rendered/s")
}

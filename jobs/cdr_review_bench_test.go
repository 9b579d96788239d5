package jobs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
)

// BenchmarkReview looks through 50,000 held CDRs as the list and the bulk decisions do.
func BenchmarkReview(b *testing.B) {
	w := newWorld(b)
	w.hold(50_000)
	tenant := uuid.NullUUID{UUID: w.tenant.ID, Valid: true}
	recent := jobs.Selection{Since: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	held, loud, named := recent, recent, recent
	held.State, loud.Severity, named.Pattern = "held", "block", "%kunde 21%"
	page := func(s jobs.Selection, sort string) func() error {
		return func() error {
			rows, err := w.db.CDRList(w.ctx, db.CDRListParams{TenantID: tenant, Filter: s.Filter(), Sort: sort, Direction: -1, MaxRows: 51})
			if err == nil && len(rows) == 0 {
				err = fmt.Errorf("nothing found by %s", s.Filter())
			}
			return err
		}
	}
	chunks := func() error {
		found := 0
		for last := uuid.Nil; ; {
			ids, err := w.db.SelectCDRs(w.ctx, db.SelectCDRsParams{TenantID: w.tenant.ID, Filter: held.Filter(), After: last, MaxRows: 500})
			if err != nil {
				return err
			}
			if found += len(ids); len(ids) < 500 {
				break
			}
			last = ids[len(ids)-1]
		}
		if found != 50_000 {
			return fmt.Errorf("%d CDRs selected", found)
		}
		return nil
	}
	for _, bench := range []struct {
		name string
		run  func() error
	}{
		{"page", page(held, "start")}, {"page-by-margin", page(held, "margin")}, {"page-by-severity", page(loud, "start")}, {"page-by-name", page(named, "start")},
		{"sums", func() error {
			_, err := w.db.CDRSums(w.ctx, db.CDRSumsParams{TenantID: tenant, Filter: recent.Filter()})
			return err
		}},
		{"groups-by-rule", func() error {
			_, err := w.db.CDRGroups(w.ctx, db.CDRGroupsParams{TenantID: tenant, Filter: held.Filter(), By: "rule"})
			return err
		}},
		{"select-chunks", chunks},
		{"preview-waive", func() error {
			effect, err := w.ops.PreviewDecision(w.ctx, w.tenant.ID, held, jobs.Decision{Kind: jobs.Waive, Reason: "goodwill"})
			if err == nil && effect.Changed != 50_000 {
				err = fmt.Errorf("%+v", effect)
			}
			return err
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				if err := bench.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// hold gives the utility CDRs that a rule holds, of 5,000 customers and 300 charge points, and as many again that are rated.
func (w *world) hold(many int) {
	w.t.Helper()
	if _, err := w.db.EnsurePartitions(context.Background(), time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		w.t.Fatal(err)
	}
	wholesale := `{"Lines": [{"Dimension": "ENERGY", "Quantity": "20", "Price": "0.45"}], "Tariffs": [{"ID": "AC"}], "TotalParkingTime": "0.25", "Padding": "` + fmt.Sprintf("%01500d", 0) + `"}`
	err := dbtest.Exec(w.ctx, w.dbURL, fmt.Sprintf(`
		BEGIN;
		INSERT INTO customers (id, tenant_id, number, name, email, street, postal_code, city, created_at)
			SELECT gen_random_uuid(), (SELECT id FROM tenants), n::text, 'Kunde ' || n, 'kunde@post.example', 'Weg ' || n, '46509', 'Xanten', '2026-01-01' FROM generate_series(20001, 25000) n;
		INSERT INTO contracts (id, tenant_id, customer_id, contract_id, valid_from, created_at)
			SELECT gen_random_uuid(), tenant_id, id, 'DE-SWX-K' || number, '2026-01-01', '2026-01-01' FROM customers WHERE number >= '2';
		INSERT INTO tokens (id, tenant_id, contract_id, uid, visual_number, issuer, created_at, last_updated)
			SELECT gen_random_uuid(), tenant_id, id, '04' || right(contract_id, 5), contract_id, 'SWX', '2026-01-01', '2026-01-01' FROM contracts WHERE contract_id LIKE 'DE-SWX-K%%';
		CREATE TEMP TABLE made ON COMMIT DROP AS
			SELECT gen_random_uuid() AS id, n, timestamptz '2026-09-02' + n * (interval '60 days' / (2 * %[1]d)) AS began, c.customer_id, c.id AS contract, t.id AS token, t.uid, p.id AS partner, c.tenant_id
			FROM generate_series(1, 2 * %[1]d) n JOIN (SELECT *, row_number() OVER () AS nr FROM contracts WHERE contract_id LIKE 'DE-SWX-K%%') c ON c.nr = 1 + n %% 5000 JOIN tokens t ON t.contract_id = c.id, partners p;
		INSERT INTO cdrs (id, received_at, partner_id, tenant_id, raw, sha256) SELECT id, began + interval '2 hours', partner, tenant_id, '', sha256('') FROM made;
		INSERT INTO cdr_states (cdr_id, received_at, partner_id, tenant_id, country_code, party_id, ocpi_id, session_id, started_at, ended_at, kwh, currency, claimed, token_uid, operator, place, evse_id,
				token_id, customer_id, contract_id, updated_at)
			SELECT id, began + interval '2 hours', partner, tenant_id, 'DE', 'NSL', 'CDR-' || n, 'S-' || n, began, began + interval '70 minutes', 20 + n %% 50, 'EUR', 9 + n %% 23, uid, 'Nordstrom Laden',
				'Rathaus ' || n %% 300, 'DE*NSL*E' || n %% 300, token, customer_id, contract, began FROM made;
		INSERT INTO ratings (id, tenant_id, cdr_id, seq, rated_at, engine, currency, claimed_net, computed_net, retail_net, retail_gross, wholesale, verdict, retail, findings, inputs_sha256)
			SELECT id, tenant_id, id, 1, began, '1', 'EUR', 9 + n %% 23, 9 + n %% 22, 8 + n %% 31, 11 + n %% 31, '%[2]s', '{"Agrees": false}', '%[2]s', '[{"Code": "P05", "Severity": "block"}]', '' FROM made;
		UPDATE cdr_states s SET rating_id = s.cdr_id, state = CASE WHEN n %% 2 = 0 THEN 'held' ELSE 'rated' END, retail_state = CASE WHEN n %% 2 = 0 THEN 'open' ELSE 'released' END,
			reason = CASE WHEN n %% 2 = 0 THEN 'rule' ELSE '' END, flags = CASE WHEN n %% 2 = 0 THEN ARRAY['P05', 'P' || 10 + n %% 7] ELSE '{}' END,
			severity = CASE WHEN n %% 2 = 0 THEN 'block' ELSE '' END FROM made WHERE made.id = s.cdr_id;
		COMMIT`, many, wholesale))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, table := range []string{"customers", "contracts", "tokens", "cdr_states", "ratings"} {
		if err := dbtest.Exec(w.ctx, w.dbURL, fmt.Sprint(`VACUUM ANALYZE `, table)); err != nil {
			w.t.Fatal(err)
		}
	}
}

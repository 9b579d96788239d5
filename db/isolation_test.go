package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
)

// Every table with a tenant_id has row-level security and a policy for the tenant's role: a new table that forgets it fails
// here.
func TestEveryTenantTableIsIsolated(t *testing.T) {
	url := dbtest.URL(t)
	open, err := dbtest.Count(context.Background(), url, `
		SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'partner_tenants'
			AND (NOT c.relrowsecurity OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))`)
	if err != nil || open != 0 {
		t.Errorf("%d tables are open, %v", open, err)
	}
}

func TestTenantTxSeesOneTenant(t *testing.T) {
	ctx, d := context.Background(), dbtest.New(t)
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	tenants := make([]uuid.UUID, 2)
	for i, party := range []string{"AAA", "BBB"} {
		tenants[i] = uuid.New()
		err := d.InsertTenant(ctx, db.InsertTenantParams{ID: tenants[i], CountryCode: "DE", PartyID: party, Name: party, Mode: "trial", Country: "DE", Colour: "#0b5cad", Logo: []byte{}, CreatedAt: now})
		if err != nil {
			t.Fatal(err)
		}
		err = d.InsertCustomer(ctx, db.InsertCustomerParams{ID: tenants[i], TenantID: tenants[i], Number: "1", Kind: "private", Name: party, Country: "DE", Language: "de", CreatedAt: now})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := d.TenantTx(ctx, tenants[0], func(q *db.Queries) error {
		if all, err := q.Tenants(ctx); err != nil || len(all) != 1 || all[0].PartyID != "AAA" {
			t.Errorf("tenants = %v, %v", all, err)
		}
		if own, err := q.Customer(ctx, tenants[0]); err != nil || own.Name != "AAA" {
			t.Errorf("own customer = %v, %v", own, err)
		}
		if _, err := q.Customer(ctx, tenants[1]); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("the other tenant's customer: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Writing into another tenant is refused, and the role does not outlive its transaction.
	err = d.TenantTx(ctx, tenants[0], func(q *db.Queries) error {
		return q.InsertCustomer(ctx, db.InsertCustomerParams{ID: uuid.New(), TenantID: tenants[1], Number: "2", Kind: "private", Name: "X", Country: "DE", Language: "de", CreatedAt: now})
	})
	if err == nil {
		t.Error("a customer was written into another tenant")
	}
	if all, err := d.Tenants(ctx); err != nil || len(all) != 2 {
		t.Errorf("after the transaction: %v, %v", all, err)
	}
}

// Secrets of the connection to partners are no tenant's business.
func TestTenantCannotReadPartnerSecrets(t *testing.T) {
	ctx, d := context.Background(), dbtest.New(t)
	err := d.TenantTx(ctx, uuid.New(), func(q *db.Queries) error {
		_, err := q.PartnerByName(ctx, "Nord")
		return err
	})
	if err == nil || errors.Is(err, db.ErrNotFound) {
		t.Errorf("a tenant may read the whole row of a partner: %v", err)
	}
}

func TestReadyKnowsTheSchema(t *testing.T) {
	ctx, url := context.Background(), dbtest.URL(t)
	d, err := db.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Ready(ctx); err != nil {
		t.Errorf("migrated database: %v", err)
	}
	if err := dbtest.Exec(ctx, url, `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`); err != nil {
		t.Fatal(err)
	}
	if err := d.Ready(ctx); err == nil {
		t.Error("a database without the last migration is ready")
	}
}

// Partitions are made ahead, again and again without harm.
func TestPartitionsAreMadeAhead(t *testing.T) {
	ctx, url := context.Background(), dbtest.URL(t)
	d, err := db.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	at := time.Date(2031, 5, 5, 0, 0, 0, 0, time.UTC)
	for _, want := range []int32{32, 0} { // 16 months of two tables
		if made, err := d.EnsurePartitions(ctx, at); err != nil || made != want {
			t.Errorf("made %d partitions, want %d, %v", made, want, err)
		}
	}
	if n, err := dbtest.Count(ctx, url, `SELECT count(*) FROM pg_class WHERE relname IN ('cdrs_y2030m05', 'cdrs_y2031m08', 'line_items_y2031m08')`); err != nil || n != 3 {
		t.Errorf("%d of 3 partitions are there, %v", n, err)
	}
}

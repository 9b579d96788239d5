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
	for _, want := range []int{2*16 + 5, 0} { // months of two tables, and of messages
		if made, err := d.EnsurePartitions(ctx, at); err != nil || made != want {
			t.Errorf("made %d partitions, want %d, %v", made, want, err)
		}
	}
	if n, err := dbtest.Count(ctx, url, `SELECT count(*) FROM pg_class WHERE relname IN ('cdrs_y2030m05', 'cdrs_y2031m08', 'line_items_y2031m08', 'messages_y2031m04')`); err != nil || n != 4 {
		t.Errorf("%d of 4 partitions are there, %v", n, err)
	}
}

// Messages are forgotten by whole months, and those in no month by their own time.
func TestMessagesAreForgotten(t *testing.T) {
	ctx, url := context.Background(), dbtest.URL(t)
	d, err := db.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	now := time.Date(2031, 5, 15, 0, 0, 0, 0, time.UTC)
	if _, err := d.EnsurePartitions(ctx, now); err != nil {
		t.Fatal(err)
	}
	var rows []db.InsertMessagesParams
	for _, at := range []time.Time{now.AddDate(-2, 0, 0), now.AddDate(0, -1, 0), now} {
		rows = append(rows, db.InsertMessagesParams{ID: uuid.New(), At: at, Direction: "in", Outcome: "taken", Objects: []string{"cdrs/DE*CPO/C1"}, Request: []byte{}, Response: []byte{}, Findings: []byte("[]")})
	}
	if n, err := d.InsertMessages(ctx, rows); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	left := func(before time.Time) int {
		t.Helper()
		if _, err := d.DropMessages(ctx, before); err != nil {
			t.Fatal(err)
		}
		found, err := d.MessagesOfObjects(ctx, db.MessagesOfObjectsParams{Objects: []string{"cdrs/DE*CPO/C1"}, MaxRows: 9})
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	for _, test := range []struct {
		before time.Time
		want   int
	}{
		{now.AddDate(-3, 0, 0), 3},
		{time.Date(2031, 4, 30, 23, 0, 0, 0, time.UTC), 2}, // April has not ended
		{time.Date(2031, 5, 1, 0, 0, 0, 0, time.UTC), 1},
	} {
		if got := left(test.before); got != test.want {
			t.Errorf("before %s: %d messages are left, want %d", test.before, got, test.want)
		}
	}
	// The next schedule makes the month anew without harm.
	if _, err := d.EnsurePartitions(ctx, now); err != nil {
		t.Error(err)
	}
}

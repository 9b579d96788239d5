package db_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
)

// A query with a filter is planned for the values of each call: kept prepared, it would get one plan for all filters.
func TestFiltersArePlannedAnew(t *testing.T) {
	d, err := db.Open(t.Context(), dbtest.URL(t)+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	tenant := uuid.NullUUID{UUID: uuid.New(), Valid: true}
	find := func(q *db.Queries) error {
		for range 7 {
			if _, err := q.CDRList(t.Context(), db.CDRListParams{TenantID: tenant, Filter: []byte(`{"State":"held"}`), Sort: "start", Direction: -1, MaxRows: 10}); err != nil {
				return err
			}
			if _, err := q.CDRSums(t.Context(), db.CDRSumsParams{TenantID: tenant, Filter: []byte(`{}`)}); err != nil {
				return err
			}
			if _, err := q.Agreements(t.Context(), tenant.UUID); err != nil {
				return err
			}
		}
		return nil
	}
	for name, in := range map[string]func() error{
		"alone": func() error { return find(d.Queries) }, "in a transaction": func() error { return d.Tx(t.Context(), find) }, "as a tenant": func() error { return d.TenantTx(t.Context(), tenant.UUID, find) },
		"in a snapshot": func() error { return d.Snapshot(t.Context(), find) },
	} {
		if err := in(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if kept, err := d.Prepared(t.Context(), "cdrs_found("); err != nil || len(kept) != 0 {
		t.Errorf("%d kept, %v", len(kept), err)
	}
	if kept, err := d.Prepared(t.Context(), "FROM agreements"); err != nil || len(kept) != 1 {
		t.Errorf("%d other statements kept, %v: a test of nothing", len(kept), err)
	}
}

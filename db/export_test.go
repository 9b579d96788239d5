package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Prepared tells which statements the only connection of a pool has prepared that contain a text.
func (d *DB) Prepared(ctx context.Context, text string) (names []string, err error) {
	rows, err := d.pool.Query(ctx, `SELECT statement FROM pg_prepared_statements WHERE position($1 IN statement) > 0 AND position('pg_prepared' IN statement) = 0`, text)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Package db is the ledger: the rows of the platform in PostgreSQL. It is the only package that speaks to the database.
//
// The SQL stands in queries/*.sql and db/migrations/*.sql; sqlc turns the former into the methods of Queries.
// Instants are UTC, money is a decimal.Decimal in the currency that stands beside it.
package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// Migrations are the schema's steps, applied in order and only forward.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// ErrNotFound says that a query for one row found none.
var ErrNotFound = pgx.ErrNoRows

// DB is the database: every query of Queries, each in its own transaction, and Tx for several in one.
type DB struct {
	*Queries
	pool *pgxpool.Pool
}

// defaultConns is how many connections a process keeps at most unless its URL says otherwise: the pool's own default, one for
// each core, is too few on a small machine, where eight workers and the doors share it.
const defaultConns = 16

// Open connects to a migrated database. The URL may name pool_max_conns.
func Open(ctx context.Context, url string) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = max(cfg.MaxConns, defaultConns)
	}
	// Rows come back in UTC, whatever the server's or the machine's zone is.
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["application_name"] = "roamwerk"
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		c.TypeMap().RegisterType(&utcTimestamptz)
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &DB{Queries: New(planned{pool}), pool: pool}, nil
}

// Close waits for the connections that are in use and closes all.
func (d *DB) Close() { d.pool.Close() }

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.pool.Ping(ctx) }

// Tx runs fn in one transaction: committed when fn returns nil, rolled back otherwise.
func (d *DB) Tx(ctx context.Context, fn func(q *Queries) error) error {
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return fn(New(planned{tx})) })
}

// Snapshot runs fn on one state of the database, whatever is written meanwhile. fn cannot write.
func (d *DB) Snapshot(ctx context.Context, fn func(q *Queries) error) error {
	return pgx.BeginTxFunc(ctx, d.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return fn(New(planned{tx})) })
}

// TenantTx runs fn in a transaction that can see and change the rows of one tenant only: row-level security holds
// even where a query forgets its WHERE.
func (d *DB) TenantTx(ctx context.Context, tenant uuid.UUID, fn func(q *Queries) error) error {
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT set_config('roamwerk.tenant', $1, true), set_config('role', 'roamwerk_tenant', true)`, tenant.String()); err != nil {
			return fmt.Errorf("enter tenant: %w", err)
		}
		return fn(New(planned{tx}))
	})
}

// planned has the queries that find CDRs by a filter planned for the values of each call. After five calls PostgreSQL would keep one
// plan for all filters, made for such as find a row or two; with one that finds fifty thousand it takes minutes.
type planned struct{ DBTX }

func (p planned) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if strings.Contains(sql, "cdrs_found(") {
		args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	return p.DBTX.Query(ctx, sql, args...)
}

// Ready reports whether the database answers and has every migration of this binary.
func (d *DB) Ready(ctx context.Context) error {
	var version int64
	if err := d.pool.QueryRow(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if want := latestMigration(); version < want {
		return fmt.Errorf("schema version is %d, this binary needs %d: run roamwerk migrate", version, want)
	}
	return nil
}

// Migrate brings the schema up to date and makes the partitions of the months around now.
func Migrate(ctx context.Context, url string) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	sqlDB := stdlib.OpenDB(*cfg)
	defer sqlDB.Close()
	steps, err := fs.Sub(Migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, sqlDB, steps)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	d, err := Open(ctx, url)
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = d.EnsurePartitions(ctx, time.Now())
	return err
}

// EnsurePartitions makes the monthly partitions that are missing around now and returns how many. A table that is busy is
// tried again for a while.
func (d *DB) EnsurePartitions(ctx context.Context, now time.Time) (made int, err error) {
	const patience, pause = 50, 100 * time.Millisecond
	for tries := 0; ; {
		n, err := d.EnsurePartition(ctx, now)
		var busy *pgconn.PgError
		switch {
		case errors.As(err, &busy) && busy.Code == pgerrcodeLockNotAvailable && tries < patience:
			tries++
			select {
			case <-ctx.Done():
				return made, ctx.Err()
			case <-time.After(pause):
			}
		case err != nil:
			return made, fmt.Errorf("make partitions: %w", err)
		case n == 0:
			return made, nil
		default:
			made++
		}
	}
}

// pgerrcodeLockNotAvailable is the SQLSTATE of a lock_timeout.
const pgerrcodeLockNotAvailable = "55P03"

// IsDuplicate reports whether err is a violation of the named unique constraint or index; an empty name means any.
func IsDuplicate(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505" && (constraint == "" || pg.ConstraintName == constraint)
}

// IsDeadlock reports whether err says that two transactions waited for each other and this one gave way. It may be tried again.
func IsDeadlock(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "40P01"
}

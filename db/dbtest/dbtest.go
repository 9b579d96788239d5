// Package dbtest lends real servers to tests: a migrated database of its own to
// each test, and a Redis.
//
// The databases live in one throw-away PostgreSQL that all test processes of a
// user share. The first one starts it, and it goes away a minute after the last
// one ended. A test whose server is missing fails and says which command helps;
// it is not skipped.
package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/roamwerk/roamwerk/db"
)

// urlVariable names a server to use instead of our own: the connection string
// of a role that may create databases and roles.
const urlVariable = "ROAMWERK_TEST_DATABASE_URL"

// limit bounds each step of lending a server: far longer than a slow machine takes.
const limit = 2 * time.Minute

// New returns a migrated, empty database that only this test uses. It is
// dropped when the test ends.
func New(t testing.TB) *db.DB {
	t.Helper()
	url := URL(t)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	d, err := db.Open(ctx, url)
	if err != nil {
		t.Fatalf("open test database: %v", err)
	}
	t.Cleanup(d.Close)
	return d
}

// URL is New for tests that open the database themselves, such as those of the
// whole program: the connection string of a migrated, empty database.
func URL(t testing.TB) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("no PostgreSQL for tests: %v\nrun: make setup", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	name := "test_" + strings.ToLower(rand.Text())
	if err := s.create(ctx, name, s.template); err != nil {
		t.Fatalf("create test database: %v", err)
	}
	lent := s.urlOf(name)
	eyes.Store(lent, new(eye))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if e, ok := eyes.LoadAndDelete(lent); ok {
			e.(*eye).close(ctx)
		}
		if err := s.drop(ctx, name); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return lent
}

// server is a PostgreSQL that databases are made on.
type server struct {
	url      *url.URL
	pool     *pgxpool.Pool
	template string
}

// shared is the server of this process, made ready by the first test that asks.
var shared = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	at := os.Getenv(urlVariable)
	if at == "" {
		var err error
		dir := filepath.Join(clusterHome(), fmt.Sprintf("roamwerk-dbtest-%d", os.Getuid()))
		if at, err = joinCluster(ctx, dir, time.Minute); err != nil {
			return nil, err
		}
	}
	return newServer(ctx, at)
})

func newServer(ctx context.Context, at string) (*server, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", urlVariable, err)
	}
	pool, err := pgxpool.New(ctx, at)
	if err != nil {
		return nil, err
	}
	s := &server{url: u, pool: pool}
	if s.template, err = s.migrated(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// migrated makes sure of a database with all migrations and returns its name,
// which follows from what the migrations say. Processes that ask at once wait
// for the first one.
func (s *server) migrated(ctx context.Context) (string, error) {
	sum, err := migrationsSum()
	if err != nil {
		return "", err
	}
	name := "template_" + sum
	conn, err := pgx.Connect(ctx, s.url.String())
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // which frees the lock
	var exists bool
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtext('roamwerk dbtest'))"); err != nil {
		return "", err
	}
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil || exists {
		return name, err
	}
	// Only what is complete gets the name.
	unfinished := name + "_unfinished"
	if err := s.drop(ctx, unfinished); err != nil {
		return "", err
	}
	if err := s.create(ctx, unfinished, "template1"); err != nil {
		return "", err
	}
	if err := db.Migrate(ctx, s.urlOf(unfinished)); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+unfinished+" RENAME TO "+name)
	return name, err
}

func (s *server) create(ctx context.Context, name, template string) error {
	_, err := s.pool.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY FILE_COPY")
	return err
}

func (s *server) drop(ctx context.Context, name string) error {
	_, err := s.pool.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	return err
}

// urlOf is the connection string of another database on the server.
func (s *server) urlOf(name string) string {
	u := *s.url
	u.Path = "/" + name
	return u.String()
}

// migrationsSum identifies the schema that the migrations make.
func migrationsSum() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(db.Migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := db.Migrations.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		return "", errors.Join(errors.New("read migrations"), err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// eye is the connection with which Count looks at a database that was lent. Tests that wait for something look a hundred times
// a second, and a connection costs much more than a look.
type eye struct {
	mu   sync.Mutex
	conn *pgx.Conn
}

// eyes are those of this process, by the URL of the database.
var eyes sync.Map

func (e *eye) count(ctx context.Context, url, sql string, args []any) (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn == nil || e.conn.IsClosed() {
		if e.conn, err = pgx.Connect(ctx, url); err != nil {
			return 0, err
		}
	}
	err = e.conn.QueryRow(ctx, sql, args...).Scan(&n)
	return n, err
}

func (e *eye) close(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil {
		_ = e.conn.Close(ctx) // the database goes, however that ends
	}
}

// Count runs a query of one number, for what a test wants to know and the program has no query for. It may change rows, and
// nothing of the connection.
func Count(ctx context.Context, url, sql string, args ...any) (n int, err error) {
	if e, ok := eyes.Load(url); ok {
		return e.(*eye).count(ctx, url, sql, args)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, sql, args...).Scan(&n)
	return n, err
}

// Exec runs one statement, for what a test does behind the program's back.
func Exec(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

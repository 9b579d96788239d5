package pgserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// childDir makes this test binary a process that runs a server on the folder
// until it is killed.
const childDir = "PGSERVER_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), Options{DataDir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready", s.URL())
	<-s.Done()
}

// start starts a server on dir and stops it at the end of the test.
func startOn(t *testing.T, dir string) *Server {
	t.Helper()
	began := time.Now()
	s, err := Start(t.Context(), Options{DataDir: dir})
	if err != nil {
		t.Fatalf("%v\n(PostgreSQL missing? run: make setup)", err)
	}
	t.Logf("started in %v", time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		select {
		case <-s.Done():
			_ = errors.Join(os.RemoveAll(s.sockets), s.folder.close())
		default:
			if err := s.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

// ask runs a query of one text on the server.
func ask(t *testing.T, s *Server, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var answer string
	if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	createNote = "CREATE TABLE note AS SELECT 'kept'::text AS text; SELECT 'done'"
	readNote   = "SELECT text FROM note"
)

// keep writes a row that a later start has to find.
func keep(t *testing.T, s *Server) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), createNote); err != nil {
		t.Fatal(err)
	}
}

func TestContinuesWhereItEnded(t *testing.T) {
	dir := t.TempDir()
	s := startOn(t, dir)
	keep(t, s)
	began := time.Now()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("stopped in %v", time.Since(began).Round(time.Millisecond))
	if _, err := os.Stat(s.sockets); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's folder is still there: %v", err)
	}
	if got := ask(t, startOn(t, dir), readNote); got != "kept" {
		t.Errorf("note = %q", got)
	}
}

// Trap 8: the cluster is durable and sorts the same everywhere.
func TestSettings(t *testing.T) {
	s := startOn(t, t.TempDir())
	for sql, want := range map[string]string{
		"SHOW data_checksums":     "on",
		"SHOW fsync":              "on",
		"SHOW synchronous_commit": "on",
		"SHOW full_page_writes":   "on",
		"SHOW server_encoding":    "UTF8",
		"SHOW timezone":           "UTC",
		"SHOW listen_addresses":   "",
		"SELECT datcollate || ' ' || datctype FROM pg_database WHERE datname = current_database()": "C.UTF-8 C.UTF-8",
		"SELECT current_user || ' ' || current_database()":                                         "roamwerk roamwerk",
		"SELECT rolsuper::text || rolcreatedb::text FROM pg_roles WHERE rolname = current_user":    "falsefalse",
	} {
		if got := ask(t, s, sql); got != want {
			t.Errorf("%s = %q, want %q", sql, got, want)
		}
	}
}

// Traps 1 and 2: the server runs as an ordinary user, in a folder that this
// user cannot reach by its path, and whose path is too long for a socket.
func TestUnreachableLongFolder(t *testing.T) {
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", closed)
	s := startOn(t, filepath.Join(closed, strings.Repeat("long/", 30)))
	if got := ask(t, s, "SELECT 'up'"); got != "up" {
		t.Errorf("answer = %q", got)
	}
	info, err := os.Stat(fmt.Sprintf("/proc/%d", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid == 0 {
		t.Error("the server runs as root")
	}
}

// Trap 1: who runs the server.
func TestAccount(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	acc, err := accountFor(0, none)
	if err != nil {
		t.Fatal(err)
	}
	if acc.uid == 0 || !acc.drop || !slices.Contains([]string{"postgres", "nobody"}, acc.name) {
		t.Errorf("account for root = %+v", acc)
	}

	_, err = accountFor(54321, none)
	if err == nil || !strings.Contains(err.Error(), "/etc/passwd") {
		t.Errorf("a user without a name: %v", err)
	}

	mine := t.TempDir() // of root, or of the ordinary user who runs this test
	acc, err = accountFor(0, mine)
	if os.Getuid() == 0 {
		if err == nil || !strings.Contains(err.Error(), "chown -R") {
			t.Errorf("a cluster of root: %+v, %v", acc, err)
		}
	} else if err != nil || int(acc.uid) != os.Getuid() || !acc.drop {
		t.Errorf("root on a user's cluster = %+v, %v", acc, err)
	}
}

// Trap 3: the second server on a folder is refused, the first one goes on.
func TestSecondServerIsRefused(t *testing.T) {
	dir := t.TempDir()
	first := startOn(t, dir)
	_, err := Start(t.Context(), Options{DataDir: dir})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d ", os.Getpid())) {
		t.Errorf("second start: %v", err)
	}
	if got := ask(t, first, "SELECT 'up'"); got != "up" {
		t.Errorf("answer of the first = %q", got)
	}
}

// Trap 4: variables of the environment change neither server nor client.
func TestForeignEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"PGHOST": "db.example.org", "PGPORT": "6543", "PGUSER": "mallory", "PGDATABASE": "other", "PGDATA": "/nowhere",
		"PGSSLMODE": "verify-full", "PGTARGETSESSIONATTRS": "standby", "LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo",
	} {
		t.Setenv(name, value)
	}
	s := startOn(t, t.TempDir())
	if got := ask(t, s, "SELECT current_user || ' ' || current_setting('log_timezone')"); got != "roamwerk UTC" {
		t.Errorf("answer = %q", got)
	}
}

// Traps 5 and 6: the process that keeps the server is killed. The server shuts
// down cleanly by itself, and a start right after waits for that.
func TestStartAfterKill(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		t.Fatalf("child says %q, %v", line, err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), createNote); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // "signal: killed"

	s := startOn(t, dir)
	if got := ask(t, s, readNote); got != "kept" {
		t.Errorf("note = %q", got)
	}
	log, err := os.ReadFile(logPath(s.folder) + ".old")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "received fast shutdown request") || !strings.Contains(string(log), "database system is shut down") {
		t.Errorf("the first server did not shut down cleanly:\n%s", log)
	}
	left, _, _ := strings.Cut(strings.TrimPrefix(url, "postgres://roamwerk@/roamwerk?host="), "&")
	if _, err := os.Stat(strings.ReplaceAll(left, "%2F", "/")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the first socket's folder is still there: %v", err)
	}
}

// Trap 5: the server itself is killed, with a client on it.
func TestStartAfterServerCrash(t *testing.T) {
	dir := t.TempDir()
	s := startOn(t, dir)
	keep(t, s)
	client, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(context.Background())
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.folder.close(); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, startOn(t, dir), readNote); got != "kept" {
		t.Errorf("note = %q", got)
	}
}

// Trap 5: a lock that names a zombie, or a stranger who inherited the number,
// is cleared.
func TestStaleLock(t *testing.T) {
	dir := t.TempDir()
	s := startOn(t, dir)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	zombie := exec.CommandContext(t.Context(), "true")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = zombie.Wait() }() // until then it is a zombie
	for name, pid := range map[string]int{"zombie": zombie.Process.Pid, "stranger": os.Getpid()} {
		t.Run(name, func(t *testing.T) {
			write(t, filepath.Join(dir, "data", "postmaster.pid"), fmt.Sprintf("%d\n/data\n0\n5432\n/tmp\n\n0 0\nready\n", pid))
			if got := ask(t, startOn(t, dir), "SELECT 'up'"); got != "up" {
				t.Errorf("answer = %q", got)
			}
		})
	}
}

// Trap 5: a server that lives is left alone, also when nobody holds the lock.
func TestLivingServerKeepsItsLock(t *testing.T) {
	dir := t.TempDir()
	first := startOn(t, dir)
	if err := first.Leave(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Start(ctx, Options{DataDir: dir})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(first.PID())) {
		t.Errorf("second start: %v", err)
	}
	if got := ask(t, first, "SELECT 'up'"); got != "up" {
		t.Errorf("answer of the first = %q", got)
	}
	if err := first.process.stop(t.Context(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

// Trap 7: a cluster is only given to the version that wrote it.
func TestOtherVersion(t *testing.T) {
	dir := t.TempDir()
	s := startOn(t, dir)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	version := filepath.Join(dir, "data", "PG_VERSION")
	before, err := os.ReadFile(version)
	if err != nil {
		t.Fatal(err)
	}
	write(t, version, "9\n")
	_, err = Start(t.Context(), Options{DataDir: dir})
	if !errors.Is(err, ErrNoBinaries) || !strings.Contains(err.Error(), "install postgresql-9") {
		t.Errorf("start on a cluster of version 9: %v", err)
	}
	write(t, version, string(before))
	startOn(t, dir)
}

func TestBinaries(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	me, err := accountFor(os.Getuid(), none)
	if err != nil {
		t.Fatal(err)
	}
	install := func(answer string, mode os.FileMode) string {
		dir := t.TempDir()
		for _, program := range []string{"initdb", "postgres"} {
			path := filepath.Join(dir, program)
			write(t, path, "#!/bin/sh\necho '"+answer+"'\n")
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		// The test's folder is closed to the account that root drops to.
		for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	old := install("postgres (PostgreSQL) 14.9", 0o755)
	b16 := install("postgres (PostgreSQL) 16.1 (Debian 16.1-1)", 0o755)
	b17 := install("postgres (PostgreSQL) 17devel", 0o755)
	closed := install("postgres (PostgreSQL) 18.0", 0o600)

	if got, err := findBinaries([]string{old, b16, b17, closed}, none, me); err != nil || got.dir != b17 || got.major != 17 {
		t.Errorf("newest = %+v, %v", got, err)
	}
	data := t.TempDir()
	write(t, filepath.Join(data, "PG_VERSION"), "16\n")
	if got, err := findBinaries([]string{b17, b16}, data, me); err != nil || got.dir != b16 {
		t.Errorf("for a cluster of 16 = %+v, %v", got, err)
	}
	for name, tt := range map[string]struct {
		dirs []string
		want string
	}{
		"none":    {[]string{}, "make setup"},
		"too old": {[]string{old}, "need 15 or newer"},
		"closed":  {[]string{closed}, "chmod o+x"},
	} {
		if _, err := findBinaries(tt.dirs, none, me); !errors.Is(err, ErrNoBinaries) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A creation that was cut off half-way does not count.
func TestInterruptedCreation(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(dir, "data.new")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(half, "PG_VERSION"), "15\n")
	startOn(t, dir)
}

// What the server says about its failure reaches the caller at once.
func TestServerThatCannotStart(t *testing.T) {
	dir := t.TempDir()
	s := startOn(t, dir)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "data", "postgresql.auto.conf"), "no_such_setting = 1\n")
	_, err := Start(t.Context(), Options{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("start: %v", err)
	}
}

func TestThrowaway(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		s, err := Start(t.Context(), Options{DataDir: dir, Throwaway: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, s, "SELECT current_setting('fsync') || count(*) FROM pg_tables WHERE tablename = 'note'"); got != "off0" {
			t.Errorf("fsync and old tables = %q", got)
		}
		keep(t, s)
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

package dbtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

// childDir makes this test binary a process that uses the cluster in the folder
// until its input ends.
const childDir = "DBTEST_TEST_CHILD_DIR"

// childIdle is how often the cluster of such processes looks for its users.
const childIdle = time.Second

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	url, err := joinCluster(context.Background(), dir, childIdle)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("joined", url)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func TestNew(t *testing.T) {
	New(t) // the first one may have to start the cluster
	began := time.Now()
	d := New(t)
	t.Logf("a database in %v", time.Since(began).Round(time.Millisecond))
	if err := d.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDatabasesAreApartAndDropped(t *testing.T) {
	var name string
	t.Run("lent", func(t *testing.T) {
		one, two := connect(t, URL(t)), connect(t, URL(t))
		if _, err := one.Exec(t.Context(), "CREATE TABLE note (text text)"); err != nil {
			t.Fatal(err)
		}
		var there bool
		if err := two.QueryRow(t.Context(), "SELECT to_regclass('note') IS NOT NULL").Scan(&there); err != nil || there {
			t.Errorf("the other database has the table: %v, %v", there, err)
		}
		if err := one.QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	var there bool
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil || there {
		t.Errorf("%s outlived its test: %v, %v", name, there, err)
	}
}

// Processes that start at once share one cluster. It stays while one of them
// lives, whichever was killed, and is gone when they are.
func TestClusterIsSharedAndEnds(t *testing.T) {
	dir, err := os.MkdirTemp(clusterHome(), "roamwerk-dbtest-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })

	const processes = 3
	var cmds [processes]*exec.Cmd
	var outs [processes]*bufio.Reader
	var ins [processes]io.Closer
	for i := range cmds {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds[i], ins[i], outs[i] = cmd, in, bufio.NewReader(out)
	}
	var url string
	for i, out := range outs {
		line, err := out.ReadString('\n')
		got, ok := strings.CutPrefix(strings.TrimSpace(line), "joined ")
		if err != nil || !ok {
			t.Fatalf("process %d says %q, %v", i, line, err)
		}
		if i > 0 && got != url {
			t.Errorf("process %d uses %s, another one %s", i, got, url)
		}
		url = got
	}

	for _, cmd := range cmds[:processes-1] {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // "signal: killed"
	}
	time.Sleep(3 * childIdle) // the caretaker looks at least twice
	if !answers(t.Context(), url) {
		t.Fatal("the cluster ended while a process used it")
	}

	last := processes - 1
	if err := ins[last].Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmds[last].Wait(); err != nil {
		t.Error(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(childIdle) {
		_, err := os.Stat(filepath.Join(dir, "postgres"))
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the cluster outlived its users")
		}
	}
	if answers(t.Context(), url) {
		t.Error("the cluster still answers")
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(config.Host); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's folder is still there: %v", err)
	}
}

func TestForeignFolderIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := ownDir(dir); err != nil {
		t.Errorf("a folder of ours: %v", err)
	}
	if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // that is what is tested
		t.Fatal(err)
	}
	if err := ownDir(dir); err == nil {
		t.Error("a folder that everybody writes to was accepted")
	}
}

func TestRedis(t *testing.T) {
	var at string
	t.Run("lent", func(t *testing.T) {
		began := time.Now()
		at = Redis(t)
		t.Logf("a Redis in %v", time.Since(began).Round(time.Millisecond))
		if other := Redis(t); other == at {
			t.Errorf("two tests got %s", at)
		}
		o, err := redis.ParseURL(at)
		if err != nil {
			t.Fatal(err)
		}
		client := redis.NewClient(o)
		defer client.Close()
		if err := client.Ping(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	})
	o, err := redis.ParseURL(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := greet(t.Context(), o.Addr, o.Password); err == nil {
		t.Error("Redis outlived its test")
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

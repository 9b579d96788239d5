package dbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/roamwerk/roamwerk/db/pgserver"
)

// The folder of the shared cluster:
//
//	users     each test process that uses the cluster holds a shared lock on it
//	start     locked while somebody looks for the cluster or starts it
//	url       connection string of the cluster that runs
//	postgres  the cluster itself

// caretaker ends the cluster when nobody has used it for a while. Arguments: the
// folder, the cluster's URL and process id, the seconds between two looks. It
// gets the lock only when no test process lives, and none can start while it
// has it.
const caretaker = `
exec 9>>"$1/users"
while sleep "$4"; do
	flock --nonblock 9 || continue
	[ "$(cat "$1/url")" = "$2" ] || exit # somebody had to start another cluster
	rm "$1/url"
	kill -INT "$3"
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ -e "$1/postgres/data/postmaster.pid" ] || break
		sleep 0.5
	done
	rmdir "$(sed -n 2p "$1/postgres/lock")" # the socket's folder
	rm -rf "$1/postgres"
	exit
done`

// clusterHome is where the cluster's folder is: in memory where there is room
// for some hundred databases, because a database is a thousand small files, and
// some disks take half a second for them.
func clusterHome() string {
	const memory, room = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= room {
		return memory
	}
	return "/tmp"
}

// joinCluster makes this process a user of the cluster in dir until it ends,
// and returns the cluster's URL. The cluster is started if none runs, and ends
// when it had no user at a look, which is taken every idle.
func joinCluster(ctx context.Context, dir string, idle time.Duration) (string, error) {
	if err := ownDir(dir); err != nil {
		return "", err
	}
	// Not closed: the lock goes when the process goes, however that happens.
	var err error
	if inUse, err = lock(filepath.Join(dir, "users"), syscall.LOCK_SH); err != nil {
		return "", err
	}
	starting, err := lock(filepath.Join(dir, "start"), syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer starting.Close()

	urlFile := filepath.Join(dir, "url")
	if url, err := os.ReadFile(urlFile); err == nil && answers(ctx, string(url)) {
		return string(url), nil
	}
	s, err := pgserver.Start(ctx, pgserver.Options{DataDir: filepath.Join(dir, "postgres"), Throwaway: true})
	if err != nil {
		return "", err
	}
	err = errors.Join(
		os.WriteFile(urlFile, []byte(s.URL()), 0o600),
		startCaretaker(dir, s, idle),
	)
	if err != nil {
		return "", errors.Join(err, s.Stop(ctx))
	}
	return s.URL(), s.Leave()
}

func startCaretaker(dir string, s *pgserver.Server, idle time.Duration) error {
	seconds := strconv.FormatFloat(idle.Seconds(), 'f', -1, 64)
	// No context: it outlives this process. In a session of its own it hears no Ctrl-C.
	cmd := exec.Command("sh", "-c", caretaker, "roamwerk-dbtest", dir, s.URL(), strconv.Itoa(s.PID()), seconds) //nolint:noctx // see above
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("caretaker of the test cluster: %w", err)
	}
	return cmd.Process.Release()
}

// inUse keeps the file of our lock: one that nobody refers to is closed by the garbage collector, and the cluster would go.
//
//nolint:unused // it is written, and kept
var inUse *os.File

// ownDir makes a folder where everybody may make one, or accepts one that is ours and ours alone.
func ownDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !info.IsDir() || int(owner) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a private folder of user id %d: remove it", dir, os.Getuid())
	}
	return nil
}

// lock waits for a lock on the file and holds it until the file is closed.
func lock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// answers says whether a server runs at url. One that refuses us, because it has all the clients that it can, runs: others
// are using it.
func answers(ctx context.Context, url string) bool {
	const cannotConnectNow = "57P03" // it is on its way down
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code != cannotConnectNow
	}
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}

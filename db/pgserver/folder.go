package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrInUse says that another process runs a server on the folder.
var ErrInUse = errors.New("the data folder is in use")

// folder is a data folder that this process holds the lock of:
//
//	lock          held while we live; names our process and the socket folder
//	data/         the cluster
//	postgres.log  of this start, postgres.log.old of the one before
type folder struct {
	dir  string
	lock *os.File
}

// openFolder makes the folder where it is missing and takes its lock. Without
// the lock a second server on the folder would fail, and its caller would talk
// to the first one's.
func openFolder(dir string) (*folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	f := &folder{dir: dir, lock: lock}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := f.recall()
		return nil, errors.Join(fmt.Errorf("%w: process %s runs a server on %s; stop it, or choose another folder", ErrInUse, holder, dir), f.close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", lock.Name(), err), f.close())
	}
	return f, nil
}

func (f *folder) data() string { return filepath.Join(f.dir, "data") }

// close frees the lock, also from a copy of its descriptor that a child just
// being started may hold.
func (f *folder) close() error {
	return errors.Join(syscall.Flock(int(f.lock.Fd()), syscall.LOCK_UN), f.lock.Close())
}

// remember writes our process and the folder of the socket into the lock file.
func (f *folder) remember(sockets string) error {
	text := fmt.Appendf(nil, "%d\n%s\n", os.Getpid(), sockets)
	if err := f.lock.Truncate(0); err != nil {
		return err
	}
	_, err := f.lock.WriteAt(text, 0)
	return err
}

// recall reads what the last holder of the lock remembered.
func (f *folder) recall() (pid, sockets string) {
	text, err := os.ReadFile(f.lock.Name())
	if err != nil {
		return "", ""
	}
	pid, rest, _ := strings.Cut(string(text), "\n")
	return pid, strings.TrimSpace(rest)
}

// vacate waits until no server lives in the folder and clears what a dead one
// left. The lock says that its keeper is gone; the server itself may still be
// shutting down, or be a zombie whose process id looks alive to PostgreSQL.
func (f *folder) vacate(ctx context.Context) error {
	deadline := time.Now().Add(vacateLimit)
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		pids, err := occupants(f.data())
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			break
		}
		if time.Now().Add(wait).After(deadline) {
			return fmt.Errorf("%w: PostgreSQL runs in %s without us, processes %v; stop it with kill -INT %d", ErrInUse, f.data(), pids, pids[0])
		}
		if err := sleep(ctx, wait); err != nil {
			return fmt.Errorf("%w: processes %v of PostgreSQL did not end: %w", ErrInUse, pids, err)
		}
	}
	if _, sockets := f.recall(); strings.HasPrefix(sockets, "/tmp/roamwerk-") {
		if err := os.RemoveAll(sockets); err != nil {
			return err
		}
	}
	// Nothing lives in the folder, so whatever process the file names is a
	// zombie or has inherited the number.
	err := os.Remove(filepath.Join(f.data(), "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// occupants are the living PostgreSQL processes of the cluster in data, lowest
// process id first. Each of them works in the cluster's folder; a zombie works
// nowhere.
func occupants(data string) ([]int, error) {
	cluster, err := os.Stat(data)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		proc := filepath.Join("/proc", e.Name())
		if comm, err := os.ReadFile(filepath.Join(proc, "comm")); err != nil || string(comm) != "postgres\n" {
			continue
		}
		if cwd, err := os.Stat(filepath.Join(proc, "cwd")); err == nil && os.SameFile(cwd, cluster) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

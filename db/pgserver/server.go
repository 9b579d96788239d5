// Package pgserver runs a private PostgreSQL cluster out of the PostgreSQL that
// is installed on this machine: a folder, a unix socket, no TCP port.
//
// "roamwerk dev" keeps its data in one, and package dbtest borrows a throw-away
// one for tests. In production somebody else runs PostgreSQL and this package
// is not used. It needs Linux: it reads /proc and relies on parent-death
// signals.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// superuser owns the cluster; only this package logs in with it.
	superuser = "postgres"
	// role is what the platform logs in with. It owns its database, makes the
	// role that tenants are confined to, and is no superuser: nothing of the
	// platform may need more than a database administrator would grant it.
	role = "roamwerk"
	// port only names the socket file; the server listens on no network.
	port = "5432"
	// startLimit bounds a start, crash recovery of a large cluster included.
	startLimit = 2 * time.Minute
	// vacateLimit bounds the wait for a predecessor that is shutting down.
	vacateLimit = 30 * time.Second
)

// Options say where a cluster lives and how much it cares about its data.
type Options struct {
	// DataDir is the folder of the cluster, its log and its lock. It is made
	// when missing and continued when it holds a cluster.
	DataDir string
	// Throwaway makes a cluster for tests: what DataDir held is removed, nothing
	// waits for the disk, the role may create databases, and the server outlives
	// the process that started it (see [Server.PID]).
	Throwaway bool
	// Log is told about each step that takes time. Nil is silent.
	Log *slog.Logger
	// BinDirs are searched for the programs initdb and postgres instead of the
	// places where distributions put them.
	BinDirs []string
}

// Server is a running cluster. Its methods may be called from any goroutine.
type Server struct {
	folder  *folder
	process *process
	sockets string
}

// Start starts the cluster in o.DataDir and returns when it accepts
// connections. It creates the cluster first where there is none.
//
// Start fails with [ErrInUse] when another process runs a server on the folder,
// and with [ErrNoBinaries] when no fitting PostgreSQL is installed; the text of
// both says what to do. If this process dies, the server shuts down cleanly.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()

	f, err := openFolder(o.DataDir)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, f, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL in %s: %w", f.dir, err), f.close())
	}
	return s, nil
}

func start(ctx context.Context, f *folder, o Options) (*Server, error) {
	if err := f.vacate(ctx); err != nil {
		return nil, err
	}
	if o.Throwaway {
		if err := os.RemoveAll(f.data()); err != nil {
			return nil, err
		}
	}
	acc, err := accountFor(os.Getuid(), f.data())
	if err != nil {
		return nil, err
	}
	bin, err := findBinaries(o.BinDirs, f.data(), acc)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(f.data()); errors.Is(err, os.ErrNotExist) {
		o.Log.Info("creating a PostgreSQL cluster", "folder", f.dir, "version", bin.major, "user", acc.name)
		if err := initCluster(ctx, f, bin, acc, o.Throwaway); err != nil {
			return nil, fmt.Errorf("create the cluster: %w", err)
		}
	}

	sockets, err := makeSocketDir(f, acc)
	if err != nil {
		return nil, err
	}
	p, err := startPostgres(ctx, f, bin, acc, sockets, o.Throwaway)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(sockets))
	}
	return &Server{folder: f, process: p, sockets: sockets}, nil
}

// makeSocketDir makes the folder of the unix socket. A socket's path may have
// 107 bytes and a data folder's path alone can be longer, so it is always in
// /tmp, whatever TMPDIR says. A name nobody can guess keeps others from taking
// it first; the folder remembers it so that the next start tidies up after a
// crash.
func makeSocketDir(f *folder, acc account) (string, error) {
	dir, err := os.MkdirTemp("/tmp", "roamwerk-")
	if err != nil {
		return "", fmt.Errorf("folder for the socket: %w", err)
	}
	if err := errors.Join(acc.own(dir), f.remember(dir)); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// URL is the connection string of the platform's database. It names everything
// that PG* variables of the environment could change otherwise.
func (s *Server) URL() string {
	q := url.Values{
		"host":                 {s.sockets},
		"port":                 {port},
		"sslmode":              {"disable"},
		"target_session_attrs": {"any"},
	}
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + role, RawQuery: q.Encode()}
	return u.String()
}

// PID is the process id of the server; SIGINT to it stops the cluster.
func (s *Server) PID() int { return s.process.cmd.Process.Pid }

// Done is closed when the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// Stop disconnects every client, shuts the cluster down and frees its folder.
// When ctx ends first the server is stopped without a checkpoint, which loses
// nothing but makes the next start recover, and Stop returns an error.
func (s *Server) Stop(ctx context.Context) error {
	err := s.process.stop(ctx, syscall.SIGINT)
	if err != nil {
		quit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, s.process.stop(quit, syscall.SIGQUIT))
	}
	return errors.Join(err, os.RemoveAll(s.sockets), s.folder.close())
}

// Leave frees the folder and leaves a throw-away server running, for other
// processes to use and to stop.
func (s *Server) Leave() error { return s.folder.close() }

// logPath is where the server's own log goes.
func logPath(f *folder) string { return filepath.Join(f.dir, "postgres.log") }

package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// inherited is how the server names its cluster: by an open folder that it
// inherits. The account that runs it need not reach the folder by its path,
// whose parents may be closed to it (a clone below /root, say).
const inherited = "/proc/self/fd/3"

// initCluster creates the cluster, with the platform's role and an empty
// database in it. It works beside the final name: what bears that name is
// complete.
func initCluster(ctx context.Context, f *folder, bin binaries, acc account, throwaway bool) error {
	fresh := filepath.Join(f.dir, "data.new")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	if err := acc.own(fresh); err != nil {
		return err
	}
	init := []string{
		"--pgdata", inherited, "--username", superuser, "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums", "--no-instructions",
	}
	createdb := "NOCREATEDB"
	if throwaway {
		init = append(init, "--no-sync")
		createdb = "CREATEDB"
	}
	if err := run(ctx, fresh, acc, nil, bin.path("initdb"), init...); err != nil {
		return err
	}
	// The single-user server takes one statement a line.
	setup := "CREATE ROLE " + role + " LOGIN CREATEROLE " + createdb + "\n" +
		"CREATE DATABASE " + role + " OWNER " + role + "\n"
	err := run(ctx, fresh, acc, strings.NewReader(setup), bin.path("postgres"), "--single", "-D", inherited,
		"-c", "exit_on_error=on", "-c", "log_checkpoints=off", "-c", "fsync="+onOff(!throwaway), "postgres")
	if err != nil {
		return err
	}
	if err := os.Rename(fresh, f.data()); err != nil {
		return err
	}
	return syncDir(f.dir)
}

// run runs a program of PostgreSQL on the cluster in data to its end.
func run(ctx context.Context, data string, acc account, stdin io.Reader, program string, args ...string) error {
	dir, err := os.Open(data)
	if err != nil {
		return err
	}
	defer dir.Close()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr, cmd.ExtraFiles = "/", environment(), acc.attr(), []*os.File{dir}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s as %s: %w: %s", filepath.Base(program), acc.name, err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

// environment is all that a program of PostgreSQL gets to see of ours: PGDATA,
// PGPORT, PGOPTIONS, LC_* and TZ would change what it does.
func environment() []string {
	return []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
}

// settings are the server's settings; what is not named is PostgreSQL's default.
func settings(sockets string, throwaway bool) []string {
	durable := onOff(!throwaway)
	s := []string{
		"listen_addresses=",
		"unix_socket_directories=" + sockets,
		"unix_socket_permissions=0700",
		"port=" + port,
		"cluster_name=roamwerk",
		"fsync=" + durable,
		"synchronous_commit=" + durable,
		"full_page_writes=" + durable,
		"jit=off", // compiling a plan over many partitions costs more than it saves
		"log_checkpoints=off",
		"log_timezone=UTC",
	}
	if throwaway {
		// Many test processes at once, each with a pool for each test.
		s = append(s, "max_connections=400", "autovacuum=off", "wal_level=minimal", "max_wal_senders=0")
	}
	return s
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

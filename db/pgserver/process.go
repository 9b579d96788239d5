package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a started server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended; then err is set
	err  error
}

// startPostgres starts the server and waits until it is ready. It tries again
// while PostgreSQL finds remains of a predecessor that are about to vanish.
func startPostgres(ctx context.Context, f *folder, bin binaries, acc account, sockets string, throwaway bool) (*process, error) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		p, err := launch(f, bin, acc, sockets, throwaway)
		if err != nil {
			return nil, err
		}
		err = p.ready(ctx, f)
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, errRemains) {
			return nil, errors.Join(err, p.stop(context.WithoutCancel(ctx), syscall.SIGQUIT))
		}
		if ctxErr := sleep(ctx, wait); ctxErr != nil {
			return nil, errors.Join(err, ctxErr)
		}
	}
}

// launch starts the server without waiting for it.
func launch(f *folder, bin binaries, acc account, sockets string, throwaway bool) (*process, error) {
	dir, err := os.Open(f.data())
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if err := os.Rename(logPath(f), logPath(f)+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	log, err := os.OpenFile(logPath(f), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()

	args := []string{"-D", inherited}
	for _, s := range settings(sockets, throwaway) {
		args = append(args, "-c", s)
	}
	// No CommandContext: it would kill the server outright, and the server has
	// to outlive the context of its start.
	cmd := exec.Command(bin.path("postgres"), args...) //nolint:noctx // see above
	cmd.Dir, cmd.Env, cmd.SysProcAttr, cmd.ExtraFiles = "/", environment(), acc.attr(), []*os.File{dir}
	cmd.Stdout, cmd.Stderr = log, log
	if !throwaway {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGINT
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The signal of a parent's death is sent when the thread ends that
		// started the child, so that thread stays with the child to its end.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("as user %s: %w", acc.name, err)
	}
	return p, nil
}

// errRemains says that the server found a predecessor that has not quite gone.
var errRemains = errors.New("a predecessor has not ended")

// ready waits until the server accepts connections. As pg_ctl does, it reads
// that from the server's own pid file, which needs no client and no password.
func (p *process) ready(ctx context.Context, f *folder) error {
	for {
		text, err := os.ReadFile(filepath.Join(f.data(), "postmaster.pid"))
		if err == nil {
			line := strings.Split(string(text), "\n")
			if len(line) > 7 && line[0] == strconv.Itoa(p.cmd.Process.Pid) && strings.TrimSpace(line[7]) == "ready" {
				return nil
			}
		}
		select {
		case <-p.done:
			log, err := os.ReadFile(logPath(f))
			if err != nil {
				return errors.Join(p.err, err)
			}
			err = fmt.Errorf("the server ended: %w: %s", p.err, bytes.TrimSpace(log))
			if bytes.Contains(log, []byte(`"postmaster.pid" already exists`)) || bytes.Contains(log, []byte("is still in use")) {
				return fmt.Errorf("%w: %w", errRemains, err)
			}
			return err
		case <-ctx.Done():
			return fmt.Errorf("the server did not get ready: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// stop sends the signal and waits for the end.
func (p *process) stop(ctx context.Context, sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("PostgreSQL did not stop on %v: %w", sig, ctx.Err())
	}
}

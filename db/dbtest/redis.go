package dbtest

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Redis starts a Redis server that only this test uses, and returns its URL
// (redis://:password@127.0.0.1:port/0). It ends with the test.
func Redis(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("no Redis for tests: %v\nrun: make setup", err)
	}
	// The port that is free now may be taken in a moment; the password tells
	// our server from another one on it.
	for range 5 {
		var port int
		if port, err = freePort(); err != nil {
			t.Fatal(err)
		}
		password := rand.Text()
		if err = startRedis(t, path, port, password); err == nil {
			return fmt.Sprintf("redis://:%s@127.0.0.1:%d/0", password, port)
		}
	}
	t.Fatalf("start Redis: %v", err)
	return ""
}

func startRedis(t testing.TB, path string, port int, password string) error {
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--requirepass", password,
		"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--dir", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // the signal of a parent's death belongs to the thread
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // killed by us, or found out below
		}
	}()
	stop := func() { cancel(); <-ended }
	if err := <-started; err != nil {
		stop()
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for deadline := time.Now().Add(limit); ; {
		err := greet(ctx, address, password)
		if err == nil {
			t.Cleanup(stop)
			return nil
		}
		select {
		case <-ended:
			stop()
			return fmt.Errorf("redis-server on port %d ended at once", port)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			stop()
			return err
		}
	}
}

// greet logs in to the Redis at address.
func greet(ctx context.Context, address, password string) error {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\n", password); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "+OK" {
		return fmt.Errorf("redis at %s answers %q", address, answer)
	}
	return nil
}

func freePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

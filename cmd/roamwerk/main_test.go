package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/pgserver"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// patience is how long a test waits for what has to come: far longer than a slow machine takes.
const patience = 2 * time.Minute

// asProgram makes this test binary the program itself, so that tests can send
// it signals.
const asProgram = "ROAMWERK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(uitest.Run(m))
}

// begin runs the program in this process. The function it returns asks the
// program to stop and waits for its end.
func begin(t *testing.T, environ map[string]string, args ...string) (end func() error) {
	t.Helper()
	return beginTo(t, testWriter{t}, environ, args...)
}

// beginTo is begin with somebody who reads what the program says.
func beginTo(t *testing.T, says io.Writer, environ map[string]string, args ...string) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, args, environ, says, says) }()
	end = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = end() })
	return end
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// awaitDev waits until "dev" runs in the folder and returns how to reach it.
func awaitDev(t *testing.T, dir string) running {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		var r running
		text, err := os.ReadFile(filepath.Join(dir, runningFile))
		if err == nil {
			if err := json.Unmarshal(text, &r); err != nil {
				t.Fatal(err)
			}
			if _, status := get(t, r.BaseURL+"/readyz"); status == http.StatusOK {
				return r
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing runs in %s", dir)
		}
	}
}

// get returns the body and the status of a page; status 0 where nobody answers.
func get(t *testing.T, url string) (body string, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error(), 0
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), res.StatusCode
}

// leaveMark writes a row to the platform's database and reports whether it is
// the first one to do so.
func leaveMark(t *testing.T, r running) bool {
	t.Helper()
	d, err := db.Open(t.Context(), r.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	taken, err := d.TakeSlot(t.Context(), db.TakeSlotParams{Job: "test", Slot: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return taken == 1
}

func TestDevContinuesItsFolder(t *testing.T) {
	dir := t.TempDir()
	var keys []string
	for start := range 2 {
		began := time.Now()
		end := begin(t, nil, "dev", "--data", dir, "--listen", "127.0.0.1:0")
		r := awaitDev(t, dir)
		t.Logf("start %d took %v", start+1, time.Since(began).Round(time.Millisecond))

		if body, status := get(t, r.BaseURL+"/healthz"); status != http.StatusOK || !strings.Contains(body, "ok") {
			t.Errorf("healthz = %d %s", status, body)
		}
		body, _ := get(t, r.BaseURL+"/readyz")
		var ready readiness
		if err := json.Unmarshal([]byte(body), &ready); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"database": "ok", "migrations": "ok", "redis": "ok"}
		if !ready.Ready || !maps.Equal(ready.Checks, want) {
			t.Errorf("readyz = %s", body)
		}
		if first := leaveMark(t, r); first != (start == 0) {
			t.Errorf("start %d: first to leave a mark = %v", start+1, first)
		}
		for _, name := range []string{runningFile, secretFile} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", name, info.Mode())
			}
		}
		cfg, err := reach(&outside{data: dir, environ: map[string]string{}})
		if err != nil || cfg.DatabaseURL != r.DatabaseURL || cfg.RedisURL != r.RedisURL || cfg.BaseURL != r.BaseURL {
			t.Errorf("reach = %+v, %v; running: %+v", cfg, err, r)
		}
		keys = append(keys, cfg.SecretKey)

		began = time.Now()
		if err := end(); err != nil {
			t.Errorf("end: %v", err)
		}
		t.Logf("stop took %v", time.Since(began).Round(time.Millisecond))
		if _, err := reach(&outside{data: dir, environ: map[string]string{}}); err == nil || !strings.Contains(err.Error(), "no platform runs in "+dir) {
			t.Errorf("reach after the end: %v", err)
		}
	}
	if keys[0] == "" || keys[0] != keys[1] {
		t.Errorf("the secret key changed: %d and %d bytes", len(keys[0]), len(keys[1]))
	}
}

func TestDevIsAloneInItsFolder(t *testing.T) {
	dir := t.TempDir()
	begin(t, nil, "dev", "--data", dir, "--listen", "127.0.0.1:0")
	first := awaitDev(t, dir)
	err := run(t.Context(), []string{"dev", "--data", dir, "--listen", "127.0.0.1:0"}, nil, io.Discard, io.Discard)
	if !errors.Is(err, pgserver.ErrInUse) {
		t.Errorf("second start: %v", err)
	}
	if r := awaitDev(t, dir); r != first {
		t.Errorf("the second start changed the note: %+v", r)
	}
	address := strings.TrimPrefix(first.BaseURL, "http://")
	err = run(t.Context(), []string{"dev", "--data", t.TempDir(), "--listen", address}, nil, io.Discard, io.Discard)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("start on a taken port: %v", err)
	}
}

// The program as the operating system sees it: killed, started again, asked to
// stop.
func TestDevUnderSignals(t *testing.T) {
	dir := t.TempDir()
	start := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "dev", "--data", dir, "--listen", "127.0.0.1:0")
		cmd.Env = append(os.Environ(), asProgram+"=1")
		cmd.Stdout, cmd.Stderr = testWriter{t}, testWriter{t}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	killed := start()
	r := awaitDev(t, dir)
	if r.PID != killed.Process.Pid {
		t.Errorf("pid in the note = %d, want %d", r.PID, killed.Process.Pid)
	}
	leaveMark(t, r)
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // "signal: killed"

	began := time.Now()
	again := start()
	for r.PID != again.Process.Pid {
		time.Sleep(10 * time.Millisecond)
		r = awaitDev(t, dir)
	}
	t.Logf("start after kill -9 took %v", time.Since(began).Round(time.Millisecond))
	if leaveMark(t, r) {
		t.Error("the row written before kill -9 is lost")
	}
	if err := again.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := again.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, runningFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the note is still there: %v", err)
	}
}

// Production: migrate, then serve, on servers that somebody else runs.
func TestServeTellsWhatIsMissing(t *testing.T) {
	postgres, err := pgserver.Start(t.Context(), pgserver.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = postgres.Stop(context.Background()) })
	redis, err := startRedis()
	if err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{
		"ROAMWERK_DATABASE_URL": postgres.URL(),
		"ROAMWERK_LISTEN":       "127.0.0.1:0",
		"ROAMWERK_LOG_FORMAT":   "json",
	}
	err = run(t.Context(), []string{"serve"}, environ, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "ROAMWERK_REDIS_URL, ROAMWERK_SECRET_KEY") {
		t.Errorf("serve without settings: %v", err)
	}
	environ["ROAMWERK_REDIS_URL"] = redis.URL()
	environ["ROAMWERK_SECRET_KEY"] = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	serving := &servingWriter{testWriter: testWriter{t}, address: make(chan string, 1)}
	end := beginTo(t, serving, environ, "serve")
	var address string
	select {
	case address = <-serving.address:
	case <-time.After(patience):
		t.Fatal("the doors do not open")
	}

	await := func(want string, wantStatus int) {
		t.Helper()
		var body string
		var status int
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if body, status = get(t, "http://"+address+"/readyz"); status == wantStatus && strings.Contains(body, want) {
				return
			}
		}
		t.Errorf("readyz = %d %s, want %d with %s", status, body, wantStatus, want)
	}
	await(`"migrations":"failed"`, http.StatusServiceUnavailable)
	if err := run(t.Context(), []string{"migrate"}, environ, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	await(`"ready":true`, http.StatusOK)
	redis.Close()
	await(`"redis":"failed"`, http.StatusServiceUnavailable)
	if _, status := get(t, "http://"+address+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz without Redis = %d", status)
	}
	if err := end(); err != nil {
		t.Errorf("end: %v", err)
	}
}

// servingWriter finds in the log where the doors are.
type servingWriter struct {
	testWriter
	address chan string
}

func (w *servingWriter) Write(p []byte) (int, error) {
	var line struct{ Msg, Listen string }
	if json.Unmarshal(p, &line) == nil && line.Msg == "serving" {
		w.address <- line.Listen
	}
	return w.testWriter.Write(p)
}

// Requests that have begun are answered before the program ends.
func TestServeFinishesRequests(t *testing.T) {
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}), make(chan error, 1)
	door := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond) // the server is shutting down by now
		fmt.Fprint(w, "finished")
	})
	cfg, err := loadConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		ended <- serve(ctx, l, door, cfg.newLog(&outside{stderr: testWriter{t}}))
	}()
	go func() { <-begun; cancel() }()
	if body, status := get(t, "http://"+l.Addr().String()); status != http.StatusOK || body != "finished" {
		t.Errorf("answer = %d %q", status, body)
	}
	if err := <-ended; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// Without somebody who lets time pass, the embedded Redis expires no key.
func TestEmbeddedRedisExpiresKeys(t *testing.T) {
	r, err := startRedis()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	o, err := redis.ParseURL(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	defer client.Close()
	if err := client.Set(t.Context(), "lease", "x", 200*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(t.Context(), "note", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); client.Exists(t.Context(), "lease").Val() != 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the key never expired")
		}
	}
	if n := client.Exists(t.Context(), "note").Val(); n != 1 {
		t.Error("a key that is to stay has expired, too")
	}
}

func TestConfigHidesSecrets(t *testing.T) {
	var out, errs strings.Builder
	environ := map[string]string{
		"ROAMWERK_DATABASE_URL":      "postgres://roamwerk:geheim1@db.example.org/roamwerk",
		"ROAMWERK_REDIS_URL":         "redis://:geheim2@redis.example.org:6379/0",
		"ROAMWERK_SMTP_URL":          "host=mail password=geheim3",
		"ROAMWERK_SECRET_KEY":        "geheim4",
		"ROAMWERK_DATABSE_URL":       "misspelt",
		"ROAMWERK_TEST_DATABASE_URL": "known to the tests",
	}
	if err := run(t.Context(), []string{"config"}, environ, &out, &errs); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "geheim") {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	for _, want := range []string{"db.example.org", "redis.example.org", "127.0.0.1:8080"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in:\n%s", want, out.String())
		}
	}
	for _, s := range (config{}).settings() {
		if s.meaning == "" || !strings.Contains(out.String(), s.name+" ") {
			t.Errorf("%s is not explained", s.name)
		}
	}
	if got := errs.String(); got != "ROAMWERK_DATABSE_URL is set and is no setting\n" {
		t.Errorf("unknown variables: %q", got)
	}
}

func TestConfigRefuses(t *testing.T) {
	for name, value := range map[string]string{"ROAMWERK_WORKERS": "many", "ROAMWERK_LOG_LEVEL": "LOUD", "ROAMWERK_LOG_FORMAT": "xml", "ROAMWERK_PULL_CDRS": "1s", "ROAMWERK_PULL_FULL": "daily"} {
		if _, err := loadConfig(map[string]string{name: value}); err == nil {
			t.Errorf("%s=%s was accepted", name, value)
		}
	}
}

func TestSecretKeyStaysWithItsFolder(t *testing.T) {
	dir := t.TempDir()
	made, err := secretKey("", dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, configured := range []string{"", made} {
		if got, err := secretKey(configured, dir); err != nil || got != made {
			t.Errorf("configured %q: %v", configured, err)
		}
	}
	if _, err := secretKey("another", dir); err == nil {
		t.Error("a folder changed its key")
	}
	if got, err := secretKey("given", t.TempDir()); err != nil || got != "given" {
		t.Errorf("a new folder with a given key: %q, %v", got, err)
	}
}

func TestLocalURL(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		":8080":          "http://localhost:8080",
		"0.0.0.0:80":     "http://localhost:80",
		"[::]:80":        "http://localhost:80",
		"[::1]:80":       "http://[::1]:80",
		"host:80":        "http://host:80",
	} {
		if got := localURL(listen); got != want {
			t.Errorf("localURL(%q) = %q, want %q", listen, got, want)
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	err := run(t.Context(), []string{"serv"}, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), `did you mean one of "dev", "serve"`) {
		t.Errorf("err = %v", err)
	}
}

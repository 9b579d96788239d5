package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/pgserver"
	"github.com/roamwerk/roamwerk/db/seal"
)

// devCmd runs the whole platform in one process.
type devCmd struct {
	Listen string `help:"Address and port, instead of ROAMWERK_LISTEN." placeholder:"ADDR"`
	Demo   bool   `help:"Fill a new folder with a demonstration: utilities, partners, customers, and three months of charging."`
}

// Run starts what the platform needs, from the bottom up, runs it until it is
// asked to stop, and stops it from the top down. What a folder holds is
// continued, also after a crash.
func (c devCmd) Run(o *outside) (err error) {
	began := time.Now()
	cfg, err := loadConfig(o.environ)
	if err != nil {
		return err
	}
	log := cfg.newLog(o)
	if cfg.DatabaseURL != "" {
		log.Warn("dev runs its own PostgreSQL", "ignored", prefix+"DATABASE_URL")
	}
	dir := cmp.Or(o.data, defaultData)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	step := func(what string) {
		fmt.Fprintf(o.stdout, "%6.2f s  %s\n", time.Since(began).Seconds(), what)
	}

	// An occupied port is the commonest mistake: find out before the rest.
	listener, err := listen(o.ctx, cmp.Or(c.Listen, cfg.Listen))
	if err != nil {
		return err
	}
	defer listener.Close()
	cfg.BaseURL = cmp.Or(cfg.BaseURL, localURL(listener.Addr().String()))
	cfg.PrivatePartners = true

	postgres, err := pgserver.Start(o.ctx, pgserver.Options{DataDir: filepath.Join(dir, databaseDir), Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopPostgres(o.ctx, postgres)) }()
	cfg.DatabaseURL = postgres.URL()
	step("PostgreSQL runs")

	if cfg.RedisURL == "" {
		embedded, err := startRedis()
		if err != nil {
			return err
		}
		defer embedded.Close()
		cfg.RedisURL = embedded.URL()
		step("Redis runs (embedded)")
	}
	if err := db.Migrate(o.ctx, cfg.DatabaseURL); err != nil {
		return err
	}
	step("the database schema is up to date")

	if cfg.SecretKey, err = secretKey(cfg.SecretKey, dir); err != nil {
		return err
	}
	a, err := open(o.ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	clock := &clock{real: time.Now}
	a.now = clock.now

	removeNote, err := noteRunning(dir, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeNote()) }()

	var world *demo
	if c.Demo {
		if world, err = startDemo(o.ctx, a, clock, dir, o.stdout); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, world.stop()) }()
	}

	g, ctx := errgroup.WithContext(o.ctx)
	g.Go(func() error { return serve(ctx, listener, a.doors(), log) })
	g.Go(func() error { return a.work(ctx) })
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-postgres.Done():
			return errors.New("PostgreSQL ended by itself; its log: " + filepath.Join(dir, databaseDir, "postgres.log"))
		}
	})
	step("ready: " + cfg.BaseURL)
	if c.Demo {
		g.Go(func() error { return world.run(ctx) })
	}
	err = g.Wait()
	fmt.Fprintln(o.stdout, "stopping")
	return err
}

// stopPostgres stops the database, for which the context that ended the
// program leaves no time.
func stopPostgres(ctx context.Context, s *pgserver.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return s.Stop(ctx)
}

// secretKey is the platform's secret key: the configured one, or the one of the
// folder, which is made once. A folder stays with the key it began with.
func secretKey(configured, dir string) (string, error) {
	path := filepath.Join(dir, secretFile)
	text, err := os.ReadFile(path)
	if err == nil {
		key := strings.TrimSpace(string(text))
		if configured != "" && configured != key {
			return "", fmt.Errorf("%sSECRET_KEY is not the key in %s, with which this folder's secrets are stored: unset it, or choose another folder", prefix, path)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	key := cmp.Or(configured, base64.StdEncoding.EncodeToString(seal.NewKey()))
	if err := writeFile(path, []byte(key+"\n")); err != nil {
		return "", fmt.Errorf("keep the secret key: %w", err)
	}
	return key, nil
}

// noteRunning leaves the note by which the administration commands find this
// platform, and returns how to remove it.
func noteRunning(dir string, cfg config) (remove func() error, err error) {
	text, err := json.MarshalIndent(running{
		PID:         os.Getpid(),
		BaseURL:     cfg.BaseURL,
		DatabaseURL: cfg.DatabaseURL,
		RedisURL:    cfg.RedisURL,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, runningFile)
	if err := writeFile(path, append(text, '\n')); err != nil {
		return nil, err
	}
	return func() error { return os.Remove(path) }, nil
}

// writeFile writes a file that only its owner reads. A crash leaves the old
// file or the new one, nothing between.
func writeFile(path string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

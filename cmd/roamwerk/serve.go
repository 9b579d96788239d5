package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// serveCmd runs the doors.
type serveCmd struct {
	Listen string `help:"Address and port, instead of ROAMWERK_LISTEN." placeholder:"ADDR"`
}

// Run serves until it is asked to stop.
func (c serveCmd) Run(o *outside) (err error) {
	cfg, err := loadConfig(o.environ)
	if err != nil {
		return err
	}
	if err := cfg.require(prefix+"DATABASE_URL", prefix+"REDIS_URL", prefix+"SECRET_KEY"); err != nil {
		return err
	}
	listener, err := listen(o.ctx, cmp.Or(c.Listen, cfg.Listen))
	if err != nil {
		return err
	}
	defer listener.Close()
	cfg.BaseURL = cmp.Or(cfg.BaseURL, localURL(listener.Addr().String()))

	log := cfg.newLog(o)
	a, err := open(o.ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	log.Info("serving", "listen", listener.Addr().String(), "base_url", cfg.BaseURL)
	return serve(o.ctx, listener, a.doors(), log)
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w (choose another address with --listen)", err)
	}
	return listener, nil
}

// serve answers requests until ctx ends, then finishes those it has begun.
func serve(ctx context.Context, listener net.Listener, doors http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           doors,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute, // a large download over a slow line
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests cut off: %w", err), server.Close())
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/seal"
)

// app is the platform with its connections open.
type app struct {
	cfg   config
	log   *slog.Logger
	now   func() time.Time
	db    *db.DB
	box   *seal.Box
	queue asynq.RedisConnOpt
	redis redis.UniversalClient
}

// open connects to what the settings name.
func open(ctx context.Context, cfg config, log *slog.Logger) (*app, error) {
	key, err := seal.ParseKey(cfg.SecretKey)
	if err != nil {
		return nil, fmt.Errorf("%sSECRET_KEY: %w", prefix, err)
	}
	box, err := seal.New(key)
	if err != nil {
		return nil, err
	}
	queue, err := asynq.ParseRedisURI(cfg.RedisURL)
	if err != nil {
		return nil, fmt.Errorf("%sREDIS_URL: %w", prefix, err)
	}
	database, err := db.Open(ctx, cfg.DatabaseURL)
	if err != nil {
		return nil, err
	}
	return &app{
		cfg:   cfg,
		log:   log,
		now:   time.Now,
		db:    database,
		box:   box,
		queue: queue,
		redis: queue.MakeRedisClient().(redis.UniversalClient),
	}, nil
}

// close disconnects. Doors and workers have ended before.
func (a *app) close() error {
	a.db.Close()
	return a.redis.Close()
}

// doors is everything that answers HTTP.
func (a *app) doors() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", answerHealth)
	mux.HandleFunc("GET /readyz", a.answerReady)
	return mux
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/seal"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/mail"
	"github.com/roamwerk/roamwerk/ocpi/client"
	"github.com/roamwerk/roamwerk/ocpi/server"
	"github.com/roamwerk/roamwerk/web/office"
)

// app is the platform with its connections open.
type app struct {
	cfg      config
	log      *slog.Logger
	now      func() time.Time
	db       *db.DB
	box      *seal.Box
	queue    asynq.RedisConnOpt
	redis    redis.UniversalClient
	bell     *jobs.Bell
	messages *jobs.MessageLog
	client   *client.Client // calls partners
	mail     *mail.Sender   // nil: e-mails stay in the outbox
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
	var sender *mail.Sender
	if cfg.SMTPURL != "" {
		if sender, err = mail.New(cfg.SMTPURL); err != nil {
			return nil, fmt.Errorf("%sSMTP_URL: %w", prefix, err)
		}
	}
	database, err := db.Open(ctx, cfg.DatabaseURL)
	if err != nil {
		return nil, err
	}
	a := &app{
		cfg:   cfg,
		log:   log,
		now:   time.Now,
		db:    database,
		box:   box,
		queue: queue,
		redis: queue.MakeRedisClient().(redis.UniversalClient),
		bell:  jobs.NewBell(queue, log),
		mail:  sender,
	}
	a.messages = jobs.NewMessageLog(database, func() time.Time { return a.now() }, log)
	a.client = client.New(client.Options{AllowPrivate: cfg.PrivatePartners, Log: log, Record: a.messages.Sent})
	return a, nil
}

// closeTime is how long the messages of the last moment may take to be written.
const closeTime = 5 * time.Second

// close disconnects. Doors and workers have ended before.
func (a *app) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	err := a.messages.Close(ctx)
	a.db.Close()
	return errors.Join(err, a.bell.Close(), a.redis.Close())
}

// worker does the platform's work.
func (a *app) worker() *jobs.Worker {
	return &jobs.Worker{
		DB: a.db, Box: a.box, Bell: a.bell, Client: a.client, Mail: a.mail, Receive: a.partners().Receive, Redis: a.queue, Now: a.now, Log: a.log,
		Concurrency: a.cfg.Workers, BaseURL: a.cfg.BaseURL, Offer: server.Offer(a.cfg.BaseURL), MessageDays: a.cfg.MessageDays,
		LateCDRs: a.lateCDRs(), Rhythms: a.cfg.rhythms(), BounceDomain: a.cfg.BounceDomain, DropDir: a.cfg.DropDir,
	}
}

// work does the platform's work until ctx ends, and takes e-mails that come back.
func (a *app) work(ctx context.Context) error {
	if a.cfg.BounceListen == "" {
		return a.worker().Run(ctx)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.BounceListen)
	if err != nil {
		return fmt.Errorf("%sBOUNCE_LISTEN: %w", prefix, err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.worker().Run(ctx) })
	g.Go(func() error {
		return mail.Inbox{Domain: a.cfg.BounceDomain, Take: a.ops().TakeBounce, Log: a.log}.Serve(ctx, listener)
	})
	return g.Wait()
}

func (a *app) lateCDRs() time.Duration { return time.Duration(a.cfg.LateCDRDays) * 24 * time.Hour }

// partners is the door for OCPI partners.
func (a *app) partners() *server.Door {
	return server.New(server.Options{
		DB: a.db, Box: a.box, Bell: a.bell, Client: a.client, BaseURL: a.cfg.BaseURL, Now: a.now, Log: a.log, Messages: a.messages,
		Limits: server.Limits{PerSecond: a.cfg.PartnerRate, AtOnce: a.cfg.PartnerAtOnce}, CertificateHeader: a.cfg.CertificateHeader, Address: a.cfg.address(), LateCDRs: a.lateCDRs(),
	})
}

// doors is everything that answers HTTP.
func (a *app) doors() http.Handler {
	partners := a.partners()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", answerHealth)
	mux.HandleFunc("GET /readyz", a.answerReady)
	mux.Handle("/", office.New(office.Options{
		Ops: a.ops(), Receive: partners.Receive, DropDir: a.cfg.DropDir, BounceDomain: a.cfg.BounceDomain, Secure: strings.HasPrefix(a.cfg.BaseURL, "https:"), Address: a.cfg.address(),
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Before the mux, which would redirect the empty path segments that partners send (TRN-26).
		if strings.HasPrefix(r.URL.Path, "/ocpi/") {
			partners.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

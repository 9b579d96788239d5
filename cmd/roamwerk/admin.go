package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/server"
)

// admin opens the platform that a command administers and calls fn with it. What administers says little: its log holds
// warnings only, its result is one JSON object on stdout.
func admin(o *outside, fn func(a *app) (result any, err error)) (err error) {
	cfg, err := reach(o)
	if err != nil {
		return err
	}
	cfg.LogLevel = slog.LevelError
	a, err := open(o.ctx, cfg, cfg.newLog(o))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	o.ctx = jobs.WithActor(o.ctx, "command line")
	result, err := fn(a)
	if err != nil {
		return err
	}
	return printJSON(o.stdout, result)
}

// printJSON prints one object on one line.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// ops is what people can start on this platform.
func (a *app) ops() *jobs.Ops {
	return &jobs.Ops{DB: a.db, Box: a.box, Bell: a.bell, Client: a.client, BaseURL: a.cfg.BaseURL, Offer: server.Offer(a.cfg.BaseURL), Now: a.now, Log: a.log}
}

// tenant finds a utility by its party, as in DE*SWX.
func (a *app) tenant(o *outside, party string) (db.Tenant, error) {
	p, err := ocpi.ParseParty(party)
	if err != nil {
		return db.Tenant{}, fmt.Errorf("--tenant: %w", err)
	}
	tenant, err := a.db.TenantByParty(o.ctx, db.TenantByPartyParams{CountryCode: string(p.CountryCode), PartyID: string(p.PartyID)})
	if errors.Is(err, db.ErrNotFound) {
		return tenant, fmt.Errorf("there is no tenant %s: add it with roamwerk tenant add --party %s --name NAME", p, p)
	}
	return tenant, err
}

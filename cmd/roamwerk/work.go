package main

import (
	"errors"
)

// workCmd runs the workers and the schedule.
type workCmd struct{}

// Run works until it is asked to stop.
func (workCmd) Run(o *outside) (err error) {
	cfg, err := loadConfig(o.environ)
	if err != nil {
		return err
	}
	if err := cfg.require(prefix+"DATABASE_URL", prefix+"REDIS_URL", prefix+"SECRET_KEY"); err != nil {
		return err
	}
	log := cfg.newLog(o)
	a, err := open(o.ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	log.Info("working", "jobs_at_once", cfg.Workers)
	return a.work(o.ctx)
}

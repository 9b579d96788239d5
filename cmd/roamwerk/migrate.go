package main

import (
	"fmt"

	"github.com/roamwerk/roamwerk/db"
)

// migrateCmd brings the schema up to date. Run it before the new version serves;
// the version before keeps running on the new schema.
type migrateCmd struct{}

// Run migrates.
func (migrateCmd) Run(o *outside) error {
	cfg, err := loadConfig(o.environ)
	if err != nil {
		return err
	}
	if err := cfg.require(prefix + "DATABASE_URL"); err != nil {
		return err
	}
	if err := db.Migrate(o.ctx, cfg.DatabaseURL); err != nil {
		return err
	}
	_, err = fmt.Fprintln(o.stdout, "The database schema is up to date.")
	return err
}

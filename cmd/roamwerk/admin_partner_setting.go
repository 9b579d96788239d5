package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// partner finds a partner by its name.
func (a *app) partner(o *outside, name string) (db.Partner, error) {
	p, err := a.db.PartnerByName(o.ctx, name)
	if errors.Is(err, db.ErrNotFound) {
		return p, fmt.Errorf("there is no partner %q", name)
	}
	return p, err
}

type partnerRotateCmd struct {
	Name string `required:"" help:"How we call the partner."`
}

// Run rotates.
func (c partnerRotateCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		p, err := a.partner(o, c.Name)
		if err != nil {
			return nil, err
		}
		if err := a.ops().RotatePartner(o.ctx, p.ID); err != nil {
			return nil, err
		}
		return map[string]any{"partner": p.ID, "rotated": true}, nil
	})
}

type partnerQuirkCmd struct {
	Name  string `required:"" help:"How we call the partner."`
	Quirk string `help:"The tolerance, as it is listed."`
	Mode  string `help:"auto: taken and recorded; on: expected; off: refused." enum:",auto,on,off" default:""`
}

// Run decides, and lists what was decided and seen.
func (c partnerQuirkCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		p, err := a.partner(o, c.Name)
		if err != nil {
			return nil, err
		}
		if (c.Quirk == "") != (c.Mode == "") {
			return nil, errors.New("--quirk and --mode belong together")
		}
		if c.Quirk != "" {
			if err := a.ops().SetQuirk(o.ctx, p.ID, ocpi.Quirk(c.Quirk), c.Mode); err != nil {
				return nil, err
			}
		}
		rows, err := a.db.QuirksOfPartner(o.ctx, p.ID)
		if err != nil {
			return nil, err
		}
		quirks := []map[string]any{}
		for _, r := range rows {
			quirks = append(quirks, map[string]any{"quirk": r.Quirk, "mode": r.Mode, "count": r.Count, "detail": r.Detail})
		}
		return map[string]any{"partner": p.ID, "quirks": quirks}, nil
	})
}

type partnerHideCmd struct {
	Name    string `required:"" help:"How we call the partner."`
	Modules string `help:"Modules with commas between; without it none."`
}

// Run hides.
func (c partnerHideCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		p, err := a.partner(o, c.Name)
		if err != nil {
			return nil, err
		}
		modules := []ocpi.ModuleID{}
		for _, m := range strings.FieldsFunc(c.Modules, func(r rune) bool { return r == ',' || r == ' ' }) {
			modules = append(modules, ocpi.ModuleID(m))
		}
		if err := a.ops().HideModules(o.ctx, p.ID, modules); err != nil {
			return nil, err
		}
		return map[string]any{"partner": p.ID, "hidden": modules}, nil
	})
}

type partnerCertificateCmd struct {
	Name   string `required:"" help:"How we call the partner."`
	Show   string `help:"PEM file with the certificate chain and the key with which we call the partner." type:"existingfile" placeholder:"FILE"`
	Pin    string `help:"PEM file with the certificate that the partner must call us with." type:"existingfile" placeholder:"FILE"`
	Remove bool   `help:"Show none and ask for none."`
}

// Run sets or removes certificates.
func (c partnerCertificateCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		p, err := a.partner(o, c.Name)
		if err != nil {
			return nil, err
		}
		if c.Remove != (c.Show == "" && c.Pin == "") {
			return nil, errors.New("give --show, --pin or both, or --remove")
		}
		if c.Show != "" || c.Remove {
			text, err := readFile(c.Show)
			if err != nil {
				return nil, err
			}
			if err := a.ops().ShowCertificate(o.ctx, p.ID, text); err != nil {
				return nil, err
			}
		}
		if c.Pin != "" || c.Remove {
			text, err := readFile(c.Pin)
			if err != nil {
				return nil, err
			}
			if err := a.ops().PinCertificate(o.ctx, p.ID, text); err != nil {
				return nil, err
			}
		}
		p, err = a.partner(o, c.Name)
		return map[string]any{"partner": p.ID, "shown": p.CertificateSealed != nil, "pinned": p.CertificatePin != nil}, err
	})
}

// readFile reads a file that may not have been named.
func readFile(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	return os.ReadFile(name)
}

type partnerAgreeCmd struct {
	Name    string            `required:"" help:"How we call the partner."`
	Pull    map[string]string `help:"How often a list is read, again for each: cdrs=6h, tariffs=never, locations=usual." placeholder:"LIST=EVERY"`
	CDRDays *int32            `name:"cdr-days" help:"Days after its session that a CDR may come; 0: as usual." placeholder:"DAYS"`
}

// Run agrees.
func (c partnerAgreeCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		p, err := a.partner(o, c.Name)
		if err != nil {
			return nil, err
		}
		for module, every := range c.Pull {
			if err := a.ops().SetPullInterval(o.ctx, p.ID, ocpi.ModuleID(module), jobs.PullEvery(every)); err != nil {
				return nil, err
			}
		}
		if c.CDRDays != nil {
			if err := a.ops().SetCDRDays(o.ctx, p.ID, *c.CDRDays); err != nil {
				return nil, err
			}
		}
		agreed, err := a.db.PartnerIntervals(o.ctx, p.ID)
		if err != nil {
			return nil, err
		}
		pulls := map[string]string{}
		for _, i := range agreed {
			if pulls[i.Module] = string(jobs.PullNever); i.Minutes != nil {
				pulls[i.Module] = (time.Duration(*i.Minutes) * time.Minute).String()
			}
		}
		p, err = a.partner(o, c.Name)
		return map[string]any{"partner": p.ID, "pull": pulls, "cdr_days": p.CDRDays}, err
	})
}

type partnerEnableCmd struct {
	Name   string   `required:"" help:"How we call the partner."`
	Tenant []string `required:"" help:"OCPI party of a utility that works with the partner, again for each." placeholder:"PARTY"`
}

// Run enables these utilities and no others.
func (c partnerEnableCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		p, err := a.partner(o, c.Name)
		if err != nil {
			return nil, err
		}
		tenants, err := partnerTenants{c.Tenant}.ids(o, a)
		if err != nil {
			return nil, err
		}
		if err := a.ops().EnablePartner(o.ctx, p.ID, tenants); err != nil {
			return nil, err
		}
		return map[string]any{"partner": p.ID, "tenants": c.Tenant}, nil
	})
}

type partnerEndCmd struct {
	Name    string `required:"" help:"How we call the partner."`
	Confirm string `required:"" help:"The name again."`
}

// Run ends the partnership.
func (c partnerEndCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		p, err := a.partner(o, c.Name)
		if err != nil {
			return nil, err
		}
		if c.Confirm != p.Name {
			return nil, fmt.Errorf("--confirm: must be %q", p.Name)
		}
		if err := a.ops().EndPartner(o.ctx, p.ID); err != nil {
			return nil, err
		}
		return map[string]any{"partner": p.ID, "state": "ended"}, nil
	})
}

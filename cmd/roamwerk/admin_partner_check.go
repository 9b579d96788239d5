package main

import (
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

type partnerCheckCmd struct {
	Name          string  `required:"" help:"How we call the partner."`
	Tenant        string  `required:"" help:"OCPI party of the utility." placeholder:"PARTY"`
	Reading       *string `help:"How the partner reads tariffs, one of those listed; empty: as OCPI 2.2.1."`
	PerLine       *string `help:"What a claim may differ for each line of the price, in its currency; usual: as it is by default." placeholder:"AMOUNT"`
	Relative      *string `help:"What it may differ as a fraction of the computed amount." placeholder:"FRACTION"`
	Energy        *string `help:"What its energy may differ, in kWh." placeholder:"KWH"`
	Hours         *string `help:"What its times may differ for each charging period, in hours." placeholder:"HOURS"`
	Month         *string `help:"What tolerated differences may come to in a month." placeholder:"AMOUNT"`
	MonthRelative *string `help:"The same as a fraction of what was computed for the month." placeholder:"FRACTION"`
	Reason        string  `help:"Why, for the timeline."`
}

// Run sets what is given, and shows what holds.
func (c partnerCheckCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		p, err := a.partner(o, c.Name)
		if err != nil {
			return nil, err
		}
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		check, err := a.db.WholesaleCheck(o.ctx, db.WholesaleCheckParams{TenantID: tenant.ID, PartnerID: p.ID})
		if err != nil && !errors.Is(err, db.ErrNotFound) {
			return nil, err
		}
		check.TenantID, check.PartnerID = tenant.ID, p.ID
		changed := c.Reading != nil
		if changed {
			check.Reading = *c.Reading
		}
		shown := map[string]any{"partner": p.ID, "tenant": tenant.ID, "reading": &check.Reading, "readings": readings()}
		for _, limit := range []struct {
			name string
			text *string
			into *decimal.NullDecimal
		}{
			{"per-line", c.PerLine, &check.PerLine}, {"relative", c.Relative, &check.Relative}, {"energy", c.Energy, &check.Energy},
			{"hours", c.Hours, &check.Hours}, {"month", c.Month, &check.Month}, {"month-relative", c.MonthRelative, &check.MonthRelative},
		} {
			shown[limit.name] = limit.into
			if limit.text == nil {
				continue
			}
			changed = true
			if *limit.text == "usual" {
				*limit.into = decimal.NullDecimal{}
				continue
			}
			value, err := decimal.NewFromString(*limit.text)
			if err != nil {
				return nil, fmt.Errorf("--%s: %q is no number", limit.name, *limit.text)
			}
			*limit.into = decimal.NewNullDecimal(value)
		}
		if changed {
			if err := a.ops().SetWholesaleCheck(o.ctx, check, c.Reason); err != nil {
				return nil, err
			}
		}
		return shown, nil
	})
}

// readings are the names of the readings, each with what it says.
func readings() map[string]string {
	names := map[string]string{}
	for _, p := range billing.Readings {
		names[p.Name] = billing.SayReading(p.Name, "en")
	}
	return names
}

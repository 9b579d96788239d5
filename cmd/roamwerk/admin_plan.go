package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// planCmd administers retail tariffs.
type planCmd struct {
	Add  planAddCmd  `cmd:"" help:"Add a retail tariff, or a new version of one."`
	List planListCmd `cmd:"" help:"List the retail tariffs of a utility with the version that is valid now."`
	Show planShowCmd `cmd:"" help:"Show all versions of a retail tariff."`
}

// instant is a day or an instant on the command line. A day begins at midnight in the utility's time zone.
type instant struct {
	at  time.Time
	day bool
}

// UnmarshalText reads a day or an instant.
func (i *instant) UnmarshalText(text []byte) (err error) {
	if i.at, err = time.Parse(time.DateOnly, string(text)); err == nil {
		i.day = true
		return nil
	}
	if i.at, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return fmt.Errorf("%q is neither a day such as 2026-12-01 nor an instant such as 2026-12-01T06:00:00Z", text)
	}
	return nil
}

// in is the instant for a utility; zero, if none was given.
func (i *instant) in(t db.Tenant) (time.Time, error) {
	if i == nil {
		return time.Time{}, nil
	}
	if !i.day {
		return i.at, nil
	}
	zone, err := time.LoadLocation(t.TimeZone)
	if err != nil {
		return time.Time{}, fmt.Errorf("time zone of %s: %w", t.Name, err)
	}
	return time.Date(i.at.Year(), i.at.Month(), i.at.Day(), 0, 0, 0, 0, zone), nil
}

type planAddCmd struct {
	Tenant    string   `required:"" help:"Utility, for example DE*SWX."`
	Name      string   `required:"" help:"Name of the tariff. A new version is added where it exists."`
	ValidFrom *instant `help:"Start of the first session that a new version is for (default: now). The first version is for sessions of any time." placeholder:"DAY"`
	File      string   `arg:"" type:"existingfile" help:"OCPI tariff as JSON; may have tax_included, caps, allowances, discounts, base_fee, one_off_fees."`
}

// Run adds the tariff or its version.
func (c planAddCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		doc, err := os.ReadFile(c.File)
		if err != nil {
			return nil, err
		}
		from, err := c.ValidFrom.in(tenant)
		if err != nil {
			return nil, err
		}
		row, err := a.ops().AddPlan(o.ctx, tenant.ID, c.Name, doc, from)
		if err != nil {
			return nil, err
		}
		return newListedPlan(c.Name, row, false)
	})
}

// listedPlan is a version of a retail tariff as commands print it.
type listedPlan struct {
	Name      string          `json:"name"`
	Version   int32           `json:"version"`
	ID        string          `json:"id"`
	ValidFrom time.Time       `json:"valid_from"`
	Currency  string          `json:"currency"`
	Gross     bool            `json:"tax_included"`
	DE        string          `json:"text_de"`
	EN        string          `json:"text_en"`
	Doc       json.RawMessage `json:"doc,omitempty"`
}

func newListedPlan(name string, row db.PlanVersion, whole bool) (listedPlan, error) {
	plan, err := billing.ParsePlan(row.Doc)
	if err != nil {
		return listedPlan{}, fmt.Errorf("version %d of plan %q: %w", row.Version, name, err)
	}
	l := listedPlan{
		Name: name, Version: row.Version, ID: row.ID.String(), ValidFrom: row.ValidFrom.UTC(), Currency: plan.Tariff.Currency, Gross: plan.TaxIncluded,
		DE: billing.PriceText(&plan, "de"), EN: billing.PriceText(&plan, "en"),
	}
	if whole {
		l.Doc = row.Doc
	}
	return l, nil
}

type planListCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
}

// Run lists.
func (c planListCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		versions, err := planVersions(o, a, c.Tenant, "")
		if err != nil {
			return nil, err
		}
		list := []listedPlan{}
		for _, v := range versions {
			last := len(list) - 1
			switch {
			case v.ValidFrom.After(a.now()):
			case last >= 0 && list[last].Name == v.PlanName && list[last].ValidFrom.After(v.ValidFrom):
			default:
				listed, err := newListedPlan(v.PlanName, v.row(), false)
				if err != nil {
					return nil, err
				}
				if last >= 0 && list[last].Name == v.PlanName {
					list = list[:last]
				}
				list = append(list, listed)
			}
		}
		return map[string]any{"plans": list}, nil
	})
}

type planShowCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	Name   string `required:"" help:"Name of the tariff."`
}

// Run shows.
func (c planShowCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		versions, err := planVersions(o, a, c.Tenant, c.Name)
		if err != nil {
			return nil, err
		}
		if len(versions) == 0 {
			return nil, fmt.Errorf("%s has no plan %q", c.Tenant, c.Name)
		}
		list := make([]listedPlan, len(versions))
		for i, v := range versions {
			if list[i], err = newListedPlan(v.PlanName, v.row(), true); err != nil {
				return nil, err
			}
		}
		return map[string]any{"plan": c.Name, "versions": list}, nil
	})
}

type namedVersion db.PlanVersionsRow

func (v namedVersion) row() db.PlanVersion {
	return db.PlanVersion{ID: v.ID, PlanID: v.PlanID, Version: v.Version, Doc: v.Doc, ValidFrom: v.ValidFrom, CreatedAt: v.CreatedAt}
}

// planVersions are all versions of a utility's plans, or of one of them.
func planVersions(o *outside, a *app, tenant, name string) ([]namedVersion, error) {
	t, err := a.tenant(o, tenant)
	if err != nil {
		return nil, err
	}
	rows, err := a.db.PlanVersions(o.ctx, db.PlanVersionsParams{TenantID: t.ID, Name: name})
	if err != nil {
		return nil, err
	}
	versions := make([]namedVersion, len(rows))
	for i, row := range rows {
		versions[i] = namedVersion(row)
	}
	return versions, nil
}

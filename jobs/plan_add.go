package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// AddPlan adds a version of a retail tariff, and the tariff with it when it is new. The first version counts for sessions of any
// time, since a utility may bring its history; a later one for sessions that begin at validFrom or later (now, if it is zero).
// It may lie in the past as long as no session since then is priced by an earlier version.
func (o *Ops) AddPlan(ctx context.Context, tenant uuid.UUID, name string, doc []byte, validFrom time.Time) (row db.PlanVersion, err error) {
	var waiting []uuid.UUID
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		plan, err := q.LockPlan(ctx, db.LockPlanParams{TenantID: tenant, Name: name})
		switch {
		case errors.Is(err, db.ErrNotFound):
			row, err = addPlan(ctx, q, o.Now(), tenant, name, false, doc)
		case err == nil:
			if validFrom.IsZero() {
				validFrom = o.Now()
			}
			row, err = addPlanVersion(ctx, q, o.Now(), plan, doc, validFrom)
		}
		if err != nil {
			return err
		}
		waiting, err = wakeWaiting(ctx, q, tenant, o.Now())
		return err
	})
	if err == nil {
		o.Bell.Ring(ctx, CDRRate, waiting...)
	}
	return row, err
}

func addPlan(ctx context.Context, q *db.Queries, now time.Time, tenant uuid.UUID, name string, isDefault bool, doc []byte) (db.PlanVersion, error) {
	if err := properName(name); err != nil {
		return db.PlanVersion{}, err
	}
	plan := db.Plan{ID: uuid.Must(uuid.NewV7()), TenantID: tenant, Name: name}
	err := q.InsertPlan(ctx, db.InsertPlanParams{ID: plan.ID, TenantID: tenant, Name: name, IsDefault: isDefault, CreatedAt: now})
	if db.IsDuplicate(err, "plans_tenant_id_name_key") {
		return db.PlanVersion{}, fmt.Errorf("plan %q %w", name, ErrExists)
	} else if err != nil {
		return db.PlanVersion{}, fmt.Errorf("insert plan %q: %w", name, err)
	}
	return addPlanVersion(ctx, q, now, plan, doc, beginning)
}

func addPlanVersion(ctx context.Context, q *db.Queries, now time.Time, plan db.Plan, doc []byte, validFrom time.Time) (db.PlanVersion, error) {
	if _, err := billing.ParsePlan(doc); err != nil {
		return db.PlanVersion{}, fmt.Errorf("plan %q: %w", plan.Name, err)
	}
	last, err := q.LastPlanVersion(ctx, plan.ID)
	if err != nil {
		return db.PlanVersion{}, fmt.Errorf("number version of plan %q: %w", plan.Name, err)
	}
	v := db.PlanVersion{ID: uuid.Must(uuid.NewV7()), PlanID: plan.ID, Version: last + 1, Doc: doc, ValidFrom: validFrom, CreatedAt: now}
	err = q.InsertPlanVersion(ctx, db.InsertPlanVersionParams{ID: v.ID, PlanID: v.PlanID, Version: v.Version, Doc: doc, ValidFrom: validFrom, CreatedAt: now})
	if db.IsCheckViolation(err, "plan_versions_ahead") {
		return db.PlanVersion{}, tooEarly(validFrom)
	} else if err != nil {
		return db.PlanVersion{}, fmt.Errorf("insert version of plan %q: %w", plan.Name, err)
	}
	return v, event(ctx, q, now, plan.TenantID, "tenant", plan.TenantID, "plan", map[string]string{"name": plan.Name, "version": fmt.Sprint(v.Version)})
}

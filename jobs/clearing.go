package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// policyOf is how a utility clears. One that has said nothing has the defaults of the table.
func policyOf(ctx context.Context, q *db.Queries, tenant uuid.UUID) (db.ClearingPolicy, error) {
	policy, err := q.ClearingPolicy(ctx, tenant)
	if errors.Is(err, db.ErrNotFound) {
		return DefaultClearingPolicy(tenant), nil
	} else if err != nil {
		return policy, fmt.Errorf("clearing policy: %w", err)
	}
	return policy, nil
}

// DefaultClearingPolicy is that of a utility that has said nothing.
func DefaultClearingPolicy(tenant uuid.UUID) db.ClearingPolicy {
	return db.ClearingPolicy{
		TenantID: tenant, Late: "limit", LateDays: 90, CloseDay: 3, Mini: "bill", Empty: "bill", BlockedCard: "bill", DropLimit: defaultDropLimit, WaitingDays: 3,
	}
}

// agreementOf is what a utility has agreed with a partner, or what holds without an agreement.
func agreementOf(ctx context.Context, q *db.Queries, tenant, partner uuid.UUID) (db.Agreement, error) {
	agreement, err := q.Agreement(ctx, db.AgreementParams{TenantID: tenant, PartnerID: partner})
	if errors.Is(err, db.ErrNotFound) {
		return db.Agreement{TenantID: tenant, PartnerID: partner, DisputeDays: 30}, nil
	} else if err != nil {
		return agreement, fmt.Errorf("agreement: %w", err)
	}
	return agreement, nil
}

// SetClearingPolicy changes how a utility clears, for CDRs that are rated from now on. reason is for the timeline.
func (o *Ops) SetClearingPolicy(ctx context.Context, policy db.ClearingPolicy, reason string) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, policy.TenantID); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		before, err := policyOf(ctx, q, policy.TenantID)
		if err != nil {
			return err
		}
		now := o.Now()
		err = q.SaveClearingPolicy(ctx, db.SaveClearingPolicyParams{
			TenantID: policy.TenantID, Late: policy.Late, LateDays: policy.LateDays, CloseDay: policy.CloseDay, Mini: policy.Mini, Empty: policy.Empty,
			BlockedCard: policy.BlockedCard, DropLimit: policy.DropLimit, WaitingDays: policy.WaitingDays, UpdatedAt: now,
		})
		if err != nil {
			return fmt.Errorf("save clearing policy: %w", err)
		}
		detail := changes(before, policy, "TenantID", "UpdatedAt")
		detail["reason"] = reason
		return event(ctx, q, now, policy.TenantID, "tenant", policy.TenantID, "clearing-policy", detail)
	})
}

// SetAgreement changes what a utility has agreed with a partner.
func (o *Ops) SetAgreement(ctx context.Context, a db.Agreement, reason string) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, a.TenantID); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		if err := worksWith(ctx, q, a.TenantID, a.PartnerID); err != nil {
			return err
		}
		before, err := agreementOf(ctx, q, a.TenantID, a.PartnerID)
		if err != nil {
			return err
		}
		now := o.Now()
		err = q.SaveAgreement(ctx, db.SaveAgreementParams{
			TenantID: a.TenantID, PartnerID: a.PartnerID, Currency: a.Currency, DisputeDays: a.DisputeDays, Email: a.Email, UpdatedAt: now,
		})
		if err != nil {
			return fmt.Errorf("save agreement: %w", err)
		}
		detail := changes(before, a, "TenantID", "PartnerID", "UpdatedAt")
		detail["reason"] = reason
		return event(ctx, q, now, a.TenantID, "partner", a.PartnerID, "agreement", detail)
	})
}

// worksWith finds a partner of a utility; db.ErrNotFound for those of others.
func worksWith(ctx context.Context, q *db.Queries, tenant, partner uuid.UUID) error {
	known, err := q.PartnerOfTenant(ctx, db.PartnerOfTenantParams{TenantID: tenant, PartnerID: partner})
	if err != nil {
		return fmt.Errorf("partner of the utility: %w", err)
	}
	if !known {
		return fmt.Errorf("partner %s: %w", partner, db.ErrNotFound)
	}
	return nil
}

// changes tells which fields of two values of one type differ, as "before → after".
func changes[T any](before, after T, without ...string) map[string]string {
	read := func(v T) map[string]json.RawMessage {
		fields := map[string]json.RawMessage{}
		if err := json.Unmarshal(frozen(v), &fields); err != nil { // it was just written
			panic(err)
		}
		for _, name := range without {
			delete(fields, name)
		}
		return fields
	}
	old, changed := read(before), map[string]string{}
	for name, value := range read(after) {
		if string(old[name]) != string(value) {
			changed[name] = string(old[name]) + " → " + string(value)
		}
	}
	return changed
}

// RuleChange sets the limits of a rule for a utility, or for its CDRs of one partner.
type RuleChange struct {
	Partner uuid.NullUUID // none: every partner
	Rule    string        // key of the catalogue: P05, P07.ac
	Setting *billing.Setting
	Reason  string
}

// SetRule changes the limits of a rule from now on. Without a setting, those of the catalogue count again, or, for a partner,
// the utility's own.
func (o *Ops) SetRule(ctx context.Context, tenant uuid.UUID, c RuleChange) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error { return o.setRule(ctx, q, tenant, c) })
}

func (o *Ops) setRule(ctx context.Context, q *db.Queries, tenant uuid.UUID, c RuleChange) error {
	rule, known := billing.RuleByKey(c.Rule)
	switch {
	case !known || rule.At != "":
		return refuse("rule-unknown")
	case c.Reason == "":
		return refuse("no-reason")
	}
	if err := q.LockTenant(ctx, tenant); err != nil { // one at a time
		return fmt.Errorf("lock tenant: %w", err)
	}
	if c.Partner.Valid {
		if err := worksWith(ctx, q, tenant, c.Partner.UUID); err != nil {
			return err
		}
	}
	now := o.Now()
	before, err := q.EndRuleSetting(ctx, db.EndRuleSettingParams{TenantID: tenant, PartnerID: c.Partner, Rule: c.Rule, Now: now})
	if err != nil {
		return fmt.Errorf("end rule setting: %w", err)
	}
	detail := map[string]string{"rule": c.Rule, "reason": c.Reason}
	if len(before) > 0 {
		detail["before"] = settingText(billing.Setting{Enabled: before[0].Enabled, Limits: billing.Limits{Info: before[0].InfoLimit, Flag: before[0].FlagLimit, Block: before[0].BlockLimit}})
	}
	if s := c.Setting; s != nil {
		err := q.InsertRuleSetting(ctx, db.InsertRuleSettingParams{
			ID: uuid.Must(uuid.NewV7()), TenantID: tenant, PartnerID: c.Partner, Rule: c.Rule, Enabled: s.Enabled, InfoLimit: s.Info, FlagLimit: s.Flag, BlockLimit: s.Block,
			Reason: c.Reason, SetBy: actor(ctx), SetAt: now,
		})
		if err != nil {
			return fmt.Errorf("insert rule setting: %w", err)
		}
		detail["after"] = settingText(*s)
	}
	if c.Partner.Valid {
		return event(ctx, q, now, tenant, "partner", c.Partner.UUID, "rule", detail)
	}
	return event(ctx, q, now, tenant, "tenant", tenant, "rule", detail)
}

// settingText says in a word what a setting is.
func settingText(s billing.Setting) string {
	if !s.Enabled {
		return "off"
	}
	text := ""
	for _, l := range []struct {
		name  string
		limit decimal.NullDecimal
	}{{"info", s.Info}, {"flag", s.Flag}, {"block", s.Block}} {
		if l.limit.Valid {
			text += " " + l.name + " " + l.limit.Decimal.String()
		}
	}
	if text == "" {
		return "never"
	}
	return text[1:]
}

package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// ClearingPolicyOf is how a utility clears. One that has said nothing has the defaults of the table.
func ClearingPolicyOf(ctx context.Context, q *db.Queries, tenant uuid.UUID) (db.ClearingPolicy, error) {
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
		return DefaultAgreement(tenant, partner), nil
	} else if err != nil {
		return agreement, fmt.Errorf("agreement: %w", err)
	}
	return agreement, nil
}

// LateChoices are what can become of CDRs that come after the close of their month; UselessChoices, what of those that mean nothing.
var (
	LateChoices    = []string{"always", "limit", "ask", "waive"}
	UselessChoices = []string{"bill", "waive"}
)

// DefaultAgreement is what holds with a partner with whom nothing was agreed.
func DefaultAgreement(tenant, partner uuid.UUID) db.Agreement {
	return db.Agreement{TenantID: tenant, PartnerID: partner, DisputeDays: 30}
}

// checkPolicy says what is wrong with a policy: an *ocpi.Error that names the field.
func checkPolicy(p db.ClearingPolicy) error {
	for _, choice := range []struct {
		field, value string
		of           []string
	}{{"late", p.Late, LateChoices}, {"mini", p.Mini, UselessChoices}, {"empty", p.Empty, UselessChoices}, {"blocked_card", p.BlockedCard, UselessChoices}} {
		if !slices.Contains(choice.of, choice.value) {
			return ocpi.InvalidParameter(choice.field, strings.Join(choice.of, ", "), choice.value)
		}
	}
	for _, days := range []struct {
		field       string
		value       int32
		least, most int32
	}{{"late_days", p.LateDays, 0, 1100}, {"close_day", p.CloseDay, 1, 28}, {"waiting_days", p.WaitingDays, 1, 90}} {
		if days.value < days.least || days.value > days.most {
			return ocpi.InvalidParameter(days.field, fmt.Sprintf("%d to %d", days.least, days.most), fmt.Sprint(days.value))
		}
	}
	if p.DropLimit.IsNegative() {
		return ocpi.InvalidParameter("drop_limit", "not negative", p.DropLimit.String())
	}
	return nil
}

// SetClearingPolicy changes how a utility clears, for CDRs that are rated from now on. reason is for the timeline. The error for a
// wrong field is an *ocpi.Error.
func (o *Ops) SetClearingPolicy(ctx context.Context, policy db.ClearingPolicy, reason string) error {
	if err := checkPolicy(policy); err != nil {
		return err
	}
	if reason == "" {
		return refuse("no-reason")
	}
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, policy.TenantID); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		before, err := ClearingPolicyOf(ctx, q, policy.TenantID)
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

// currencyCode is one of ISO 4217, in form.
var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// SetAgreement changes what a utility has agreed with a partner. The error for a wrong field is an *ocpi.Error.
func (o *Ops) SetAgreement(ctx context.Context, a db.Agreement, reason string) error {
	switch address, err := mail.ParseAddress(a.Email); {
	case a.Currency != "" && !currencyCode.MatchString(a.Currency):
		return ocpi.InvalidParameter("currency", "three letters, such as EUR", a.Currency)
	case a.DisputeDays < 1 || a.DisputeDays > 365:
		return ocpi.InvalidParameter("dispute_days", "1 to 365", fmt.Sprint(a.DisputeDays))
	case a.Email != "" && (err != nil || address.Address != a.Email):
		return ocpi.InvalidParameter("email", "one address", a.Email)
	case reason == "":
		return refuse("no-reason")
	}
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
			changed[name] = strings.Trim(string(old[name]), `"`) + " → " + strings.Trim(string(value), `"`)
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

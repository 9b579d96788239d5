package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// BillingPolicyOf is how a utility bills. One that has said nothing has the defaults of the table.
func BillingPolicyOf(ctx context.Context, q *db.Queries, tenant uuid.UUID) (db.BillingPolicy, error) {
	policy, err := q.BillingPolicy(ctx, tenant)
	if errors.Is(err, db.ErrNotFound) {
		return defaultBillingPolicy(tenant), nil
	} else if err != nil {
		return policy, fmt.Errorf("billing policy: %w", err)
	}
	return policy, nil
}

// defaultBillingPolicy is that of a utility that has said nothing.
func defaultBillingPolicy(tenant uuid.UUID) db.BillingPolicy {
	return db.BillingPolicy{TenantID: tenant, CarryMonths: 3, Zero: "suppress", DeviationPercent: decimal.NewFromInt(50), DeviationAmount: decimal.NewFromInt(10), CreditLimit: decimal.NewFromInt(50)}
}

// SetBillingPolicy changes how a utility bills, for drafts that are approved from now on. change gets the policy as it is.
//
// Its error is a *billing.DraftError if something that was entered cannot be.
func (o *Ops) SetBillingPolicy(ctx context.Context, tenant uuid.UUID, change func(*db.BillingPolicy)) (policy db.BillingPolicy, err error) {
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, tenant); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		before, err := BillingPolicyOf(ctx, q, tenant)
		if err != nil {
			return err
		}
		policy = before
		change(&policy)
		policy.TenantID, policy.UpdatedAt = tenant, o.Now()
		if wrong := checkBillingPolicy(policy); len(wrong) > 0 {
			return &billing.DraftError{Problems: wrong}
		}
		if err := q.SaveBillingPolicy(ctx, db.SaveBillingPolicyParams(policy)); err != nil {
			return fmt.Errorf("save billing policy: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "billing-policy", policyChanges(before, policy))
	})
	return policy, err
}

// policyChanges is what a change has changed, for the timeline.
func policyChanges(before, after db.BillingPolicy) map[string]string {
	detail := map[string]string{}
	for field, of := range map[string]func(db.BillingPolicy) string{
		"inspection_days": func(p db.BillingPolicy) string { return fmt.Sprint(p.InspectionDays) }, "minimum": func(p db.BillingPolicy) string { return p.Minimum.String() },
		"carry_months": func(p db.BillingPolicy) string { return fmt.Sprint(p.CarryMonths) }, "zero": func(p db.BillingPolicy) string { return p.Zero },
		"deviation_percent": func(p db.BillingPolicy) string { return p.DeviationPercent.String() }, "deviation_amount": func(p db.BillingPolicy) string { return p.DeviationAmount.String() },
	} {
		if was, is := of(before), of(after); was != is {
			detail["policy."+field] = beforeAfter(was, is)
		}
	}
	return detail
}

// checkBillingPolicy says what cannot be of a policy.
func checkBillingPolicy(p db.BillingPolicy) (wrong []billing.Problem) {
	say := func(bad bool, field, de, en string) {
		if bad {
			wrong = append(wrong, billing.Problem{Field: "policy." + field, DE: de, EN: en})
		}
	}
	say(p.InspectionDays < 0 || p.InspectionDays > 28, "inspection_days", "Die Prüffrist hat 0 bis 28 Tage.", "The time for inspection has 0 to 28 days.")
	say(p.Minimum.IsNegative(), "minimum", "Der Mindestbetrag ist nicht negativ.", "The minimum is not negative.")
	say(p.CarryMonths < 1 || p.CarryMonths > 5, "carry_months", "Vorgetragen wird 1 bis 5 Monate: § 14 Abs. 2 UStG gibt ein halbes Jahr.", "Sums are carried for 1 to 5 months: § 14(2) UStG gives half a year.")
	say(p.Zero != "suppress" && p.Zero != "issue", "zero", "Das steht nicht zur Wahl.", "This is none of the choices.")
	say(p.DeviationPercent.IsNegative(), "deviation_percent", "Die Abweichung ist nicht negativ.", "A deviation is not negative.")
	say(p.DeviationAmount.IsNegative(), "deviation_amount", "Die Abweichung ist nicht negativ.", "A deviation is not negative.")
	return wrong
}

// SetBillingCycle says when a contract is billed: by the month, by the quarter, or after each session.
func (o *Ops) SetBillingCycle(ctx context.Context, tenant uuid.UUID, contract, cycle string) error {
	if cycle != cycleMonth && cycle != cycleQuarter && cycle != cycleImmediate {
		return refuse("billing-cycle")
	}
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		c, err := q.ContractByEMAID(ctx, db.ContractByEMAIDParams{TenantID: tenant, ContractID: contract})
		if errors.Is(err, db.ErrNotFound) {
			return refuse("contract-unknown")
		} else if err != nil {
			return fmt.Errorf("contract: %w", err)
		}
		if _, err := q.SetBillingCycle(ctx, db.SetBillingCycleParams{TenantID: tenant, ContractID: contract, BillingCycle: cycle}); err != nil {
			return fmt.Errorf("set billing cycle: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "customer", c.CustomerID, "billing-cycle", map[string]string{"contract": c.ContractID, "cycle": beforeAfter(c.BillingCycle, cycle)})
	})
}

// SetInvoiceDetail says what a customer sees on invoices: items or a summary.
func (o *Ops) SetInvoiceDetail(ctx context.Context, tenant uuid.UUID, number, detail string) error {
	customer, err := o.DB.CustomerByNumber(ctx, db.CustomerByNumberParams{TenantID: tenant, Number: number})
	if errors.Is(err, db.ErrNotFound) {
		return refuse("customer-unknown")
	} else if err != nil {
		return fmt.Errorf("customer: %w", err)
	}
	return o.ChangeCustomer(ctx, tenant, customer.ID, 0, func(c *db.Customer) { c.InvoiceDetail = detail })
}

package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
)

// billingPolicyOf is how a utility bills. One that has said nothing has the defaults of the table.
func billingPolicyOf(ctx context.Context, q *db.Queries, tenant uuid.UUID) (db.BillingPolicy, error) {
	policy, err := q.BillingPolicy(ctx, tenant)
	if errors.Is(err, db.ErrNotFound) {
		return DefaultBillingPolicy(tenant), nil
	} else if err != nil {
		return policy, fmt.Errorf("billing policy: %w", err)
	}
	return policy, nil
}

// DefaultBillingPolicy is that of a utility that has said nothing.
func DefaultBillingPolicy(tenant uuid.UUID) db.BillingPolicy {
	return db.BillingPolicy{TenantID: tenant, CarryMonths: 3, Zero: "suppress", DeviationPercent: decimal.NewFromInt(50), DeviationAmount: decimal.NewFromInt(10), CreditLimit: decimal.NewFromInt(50)}
}

// SetBillingPolicy changes how a utility bills, for drafts that are approved from now on. change gets the policy as it is.
func (o *Ops) SetBillingPolicy(ctx context.Context, tenant uuid.UUID, change func(*db.BillingPolicy)) (policy db.BillingPolicy, err error) {
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, tenant); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		before, err := billingPolicyOf(ctx, q, tenant)
		if err != nil {
			return err
		}
		policy = before
		change(&policy)
		policy.TenantID, policy.UpdatedAt = tenant, o.Now()
		if err := q.SaveBillingPolicy(ctx, db.SaveBillingPolicyParams(policy)); err != nil {
			return fmt.Errorf("save billing policy: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "billing-policy", changes(before, policy, "TenantID", "UpdatedAt"))
	})
	return policy, err
}

// SetBillingCycle says when a contract is billed: by the month, by the quarter, or after each session.
func (o *Ops) SetBillingCycle(ctx context.Context, tenant uuid.UUID, contract, cycle string) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		n, err := q.SetBillingCycle(ctx, db.SetBillingCycleParams{TenantID: tenant, ContractID: contract, BillingCycle: cycle})
		if err != nil {
			return fmt.Errorf("set billing cycle: %w", err)
		}
		if n == 0 {
			return refuse("contract-unknown")
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "billing-cycle", map[string]string{"contract": contract, "cycle": cycle})
	})
}

// SetInvoiceDetail says what a customer sees on invoices: items or a summary.
func (o *Ops) SetInvoiceDetail(ctx context.Context, tenant uuid.UUID, customer, detail string) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		n, err := q.SetInvoiceDetail(ctx, db.SetInvoiceDetailParams{TenantID: tenant, Number: customer, InvoiceDetail: detail})
		if err != nil {
			return fmt.Errorf("set detail of invoices: %w", err)
		}
		if n == 0 {
			return refuse("customer-unknown")
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "invoice-detail", map[string]string{"customer": customer, "detail": detail})
	})
}

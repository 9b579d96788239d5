package jobs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// NewVoucher is a rebate with a code: an amount for each contract that redeems it, or percent off each of its sessions.
type NewVoucher struct {
	Tenant   uuid.UUID
	Code     string
	Name     string
	Percent  decimal.NullDecimal
	Amount   decimal.NullDecimal // on the side that the plan promises
	Currency string              // empty: EUR
	From     time.Time           // of the first session; zero: now
	To       *time.Time          // exclusive
	Budget   decimal.NullDecimal // what all contracts together may have; absent: no limit
}

var voucherCode = regexp.MustCompile(`^[A-Z0-9-]{3,36}$`)

// AddVoucher adds a voucher. Errors are *ocpi.Error and name the field, or wrap ErrExists.
func (o *Ops) AddVoucher(ctx context.Context, n NewVoucher) (uuid.UUID, error) {
	n.Code = strings.ToUpper(strings.TrimSpace(n.Code))
	if n.Currency == "" {
		n.Currency = "EUR"
	}
	if n.From.IsZero() {
		n.From = o.Now()
	}
	inCents := func(d decimal.NullDecimal) bool {
		return d.Decimal.IsPositive() && d.Decimal.Equal(billing.RoundCurrency(d.Decimal, n.Currency))
	}
	var findings ocpi.Findings
	refuse := func(bad bool, path, rule, value string) {
		if bad {
			findings = append(findings, ocpi.Finding{Severity: ocpi.Reject, Path: path, Rule: rule, Value: value})
		}
	}
	refuse(!voucherCode.MatchString(n.Code), "code", "3 to 36 letters, digits and hyphens", n.Code)
	refuse(n.Percent.Valid == n.Amount.Valid, "percent", "either percent or amount", "")
	refuse(n.Percent.Valid && (!n.Percent.Decimal.IsPositive() || n.Percent.Decimal.GreaterThan(decimal.NewFromInt(100))), "percent", "above 0 and at most 100", n.Percent.Decimal.String())
	refuse(n.Amount.Valid && !inCents(n.Amount), "amount", "a positive amount in whole cents", n.Amount.Decimal.String())
	refuse(n.Budget.Valid && !inCents(n.Budget), "budget", "a positive amount in whole cents", n.Budget.Decimal.String())
	refuse(n.Budget.Valid && n.Amount.Valid && n.Budget.Decimal.LessThan(n.Amount.Decimal), "budget", "at least the amount of one voucher", n.Budget.Decimal.String())
	if n.To != nil {
		refuse(!n.To.After(n.From), "valid_to", "after valid_from", n.To.Format(time.RFC3339))
	}
	if err := findings.Err(); err != nil {
		return uuid.Nil, err
	}
	id := uuid.Must(uuid.NewV7())
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		err := q.InsertVoucher(ctx, db.InsertVoucherParams{
			ID: id, TenantID: n.Tenant, Code: n.Code, Name: n.Name, Percent: n.Percent, Amount: n.Amount, Currency: n.Currency, ValidFrom: n.From, ValidTo: n.To,
			Budget: n.Budget, CreatedAt: o.Now(), CreatedBy: actor(ctx),
		})
		if db.IsDuplicate(err, "vouchers_tenant_id_code_key") {
			return fmt.Errorf("voucher %s %w", n.Code, ErrExists)
		} else if err != nil {
			return fmt.Errorf("insert voucher: %w", err)
		}
		return event(ctx, q, o.Now(), n.Tenant, "tenant", n.Tenant, "voucher", map[string]string{"code": n.Code})
	})
	return id, err
}

// RedeemVoucher gives a contract a voucher, once. Sessions that are rated from now on draw it down. An amount is set aside of the
// voucher's budget at once, so that whoever has redeemed it gets it.
func (o *Ops) RedeemVoucher(ctx context.Context, tenant uuid.UUID, code, contract string) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		c, err := q.ContractByEMAID(ctx, db.ContractByEMAIDParams{TenantID: tenant, ContractID: contract})
		if errors.Is(err, db.ErrNotFound) {
			return ocpi.InvalidParameter("contract", "a contract of the utility", contract)
		} else if err != nil {
			return fmt.Errorf("find contract: %w", err)
		}
		if err := q.LockContract(ctx, c.ID); err != nil { // contract before voucher, as ratings do
			return fmt.Errorf("lock contract: %w", err)
		}
		v, err := q.LockVoucher(ctx, db.LockVoucherParams{TenantID: tenant, Code: code})
		if errors.Is(err, db.ErrNotFound) {
			return ocpi.InvalidParameter("code", "a voucher of the utility", code)
		} else if err != nil {
			return fmt.Errorf("lock voucher: %w", err)
		}
		if v.EndedAt != nil || v.ValidTo != nil && !o.Now().Before(*v.ValidTo) {
			return ocpi.InvalidParameter("code", "a voucher that is still valid", v.Code)
		}
		err = q.RedeemVoucher(ctx, db.RedeemVoucherParams{VoucherID: v.ID, ContractID: c.ID, RedeemedAt: o.Now(), RedeemedBy: actor(ctx)})
		switch {
		case db.IsDuplicate(err, "voucher_redemptions_pkey"):
			return fmt.Errorf("redemption of voucher %s by contract %s %w", v.Code, c.ContractID, ErrExists)
		case db.IsCheckViolation(err, "vouchers_budget"):
			return ocpi.InvalidParameter("code", "a voucher whose budget is not used up", v.Code)
		case err != nil:
			return fmt.Errorf("redeem voucher: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "voucher redeemed", map[string]string{"code": v.Code, "contract": c.ContractID})
	})
}

// EndVoucher ends a voucher for good: nobody redeems it any more, and percent are taken off no session that begins from now on. An
// amount that a contract has redeemed stays, since it was promised. The error is db.ErrNotFound where there is none to end.
func (o *Ops) EndVoucher(ctx context.Context, tenant, id uuid.UUID) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		n, err := q.EndVoucher(ctx, db.EndVoucherParams{ID: id, TenantID: tenant, Now: ptr(o.Now()), Actor: actor(ctx)})
		if err != nil {
			return fmt.Errorf("end voucher: %w", err)
		}
		if n == 0 {
			return db.ErrNotFound
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "voucher ended", map[string]string{"id": id.String()})
	})
}

package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// taken is what a rating takes of the allowances and vouchers of its contract. It is taken in the order in which CDRs are
// rated; one that is rated anew gives back what it had and takes what is left then. Others are not rated anew for that.
type taken struct {
	month      time.Time // of the allowances, in the utility's time zone
	allowances map[string]decimal.Decimal
	voucherIDs []uuid.UUID
	vouchers   []decimal.Decimal // of voucherIDs, in the currency of the plan
}

// openLedger locks the contract, if it has anything to draw on, takes back what an earlier rating of this CDR has drawn, and
// reads what is left. What is charged at home is nobody's to pay and draws nothing.
func (r *rating) openLedger(ctx context.Context) error {
	if r.state.RatingID.Valid {
		if err := giveBack(ctx, r.q, r.now, r.state.CDRID); err != nil {
			return err
		}
	}
	p := &r.retail
	plan, contract := &p.plan.retail.Plan, r.card.ContractRow
	redeemed, err := r.q.HasVouchers(ctx, contract)
	if err != nil {
		return fmt.Errorf("has vouchers: %w", err)
	}
	if len(plan.Allowances) == 0 && !redeemed {
		return nil
	}
	p.choice.Left = map[string]decimal.Decimal{}
	if r.cdr.HomeChargingCompensation {
		for _, a := range plan.Allowances {
			p.choice.Left[a.ID] = decimal.Zero
		}
		return nil
	}
	if err := r.q.LockContract(ctx, contract); err != nil {
		return fmt.Errorf("lock contract: %w", err)
	}
	tenant, err := r.q.Tenant(ctx, r.state.TenantID)
	if err != nil {
		return fmt.Errorf("tenant: %w", err)
	}
	zone, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		return fmt.Errorf("time zone of %s: %w", tenant.Name, err)
	}
	p.taken.month = dateOf(r.began.In(zone))
	used, err := r.q.AllowancesUsed(ctx, db.AllowancesUsedParams{ContractID: contract, Month: p.taken.month})
	if err != nil {
		return fmt.Errorf("read allowances: %w", err)
	}
	for _, u := range used {
		for _, a := range plan.Allowances {
			if a.ID == u.Allowance {
				p.choice.Left[a.ID] = decimal.Max(a.Quantity.Sub(u.Used), decimal.Zero)
			}
		}
	}
	if !redeemed {
		return nil
	}
	return r.readVouchers(ctx, contract, plan.Tariff.Currency)
}

// readVouchers reads what the contract's vouchers may still take off, in the order in which they were redeemed.
func (r *rating) readVouchers(ctx context.Context, contract uuid.UUID, currency string) error {
	rows, err := r.q.LockVouchers(ctx, db.LockVouchersParams{ContractID: contract, At: r.began})
	if err != nil {
		return fmt.Errorf("lock vouchers: %w", err)
	}
	slices.SortFunc(rows, func(a, b db.LockVouchersRow) int { return a.RedeemedAt.Compare(b.RedeemedAt) })
	p := &r.retail
	for _, v := range rows {
		if v.Currency != currency {
			continue
		}
		voucher := billing.Voucher{Code: v.Code, Percent: v.Percent.Decimal, From: v.ValidFrom}
		if v.ValidTo != nil {
			voucher.To = *v.ValidTo
		}
		switch {
		case v.Amount.Valid:
			voucher.Left = decimal.NewNullDecimal(v.Amount.Decimal.Sub(v.Drawn))
		case v.Budget.Valid:
			voucher.Left = decimal.NewNullDecimal(v.Budget.Decimal.Sub(v.Spent))
		}
		p.choice.Vouchers, p.taken.voucherIDs = append(p.choice.Vouchers, voucher), append(p.taken.voucherIDs, v.ID)
	}
	return nil
}

// take writes down what the rating has drawn. The contract is locked.
func (r *rating) take(ctx context.Context, ratingID uuid.UUID) error {
	t, contract := &r.retail.taken, r.card.ContractRow
	for _, a := range r.retail.plan.retail.Allowances {
		quantity := t.allowances[a.ID]
		if !quantity.IsPositive() {
			continue
		}
		err := r.q.TakeAllowance(ctx, db.TakeAllowanceParams{
			RatingID: ratingID, TenantID: r.state.TenantID, CDRID: r.state.CDRID, ContractID: contract, Allowance: a.ID, Month: t.month,
			Unit: string(a.Unit), Granted: a.Quantity, Quantity: quantity,
		})
		if err != nil {
			return fmt.Errorf("take allowance %s: %w", a.ID, err)
		}
	}
	for i, amount := range t.vouchers {
		if !amount.IsPositive() {
			continue
		}
		err := r.q.DrawVoucher(ctx, db.DrawVoucherParams{
			RatingID: ratingID, TenantID: r.state.TenantID, CDRID: r.state.CDRID, VoucherID: t.voucherIDs[i], ContractID: contract, Amount: amount,
		})
		if err != nil {
			return fmt.Errorf("draw voucher: %w", err)
		}
	}
	return nil
}

// giveBack returns what the ratings of CDRs have drawn on allowances and vouchers.
func giveBack(ctx context.Context, q *db.Queries, now time.Time, cdrs ...uuid.UUID) error {
	if err := q.GiveBackAllowances(ctx, db.GiveBackAllowancesParams{CDRIDs: cdrs, Now: &now}); err != nil {
		return fmt.Errorf("give allowances back: %w", err)
	}
	if err := q.GiveBackVouchers(ctx, db.GiveBackVouchersParams{CDRIDs: cdrs, Now: &now}); err != nil {
		return fmt.Errorf("give vouchers back: %w", err)
	}
	return nil
}

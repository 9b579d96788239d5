package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// groupCmd administers customer groups.
type groupCmd struct {
	Add  groupAddCmd  `cmd:"" help:"Add a group of customers who pay the same prices."`
	List groupListCmd `cmd:"" help:"List the customer groups of a utility."`
	Put  groupPutCmd  `cmd:"" help:"Put a customer into a group, or into none."`
}

type groupAddCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	Name   string `required:"" help:"Name, as rules of the price book say it."`
}

// Run adds.
func (c groupAddCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		id, err := a.ops().AddCustomerGroup(o.ctx, tenant.ID, c.Name)
		return map[string]any{"id": id, "name": c.Name}, err
	})
}

type groupListCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
}

// Run lists.
func (c groupListCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		rows, err := a.db.CustomerGroups(o.ctx, db.CustomerGroupsParams{TenantID: tenant.ID, At: a.now()})
		if err != nil {
			return nil, err
		}
		groups := make([]map[string]any, len(rows))
		for i, g := range rows {
			groups[i] = map[string]any{"name": g.Name, "customers": g.Customers}
		}
		return map[string]any{"groups": groups}, nil
	})
}

type groupPutCmd struct {
	Tenant   string   `required:"" help:"Utility, for example DE*SWX."`
	Customer string   `required:"" help:"Customer number."`
	Group    string   `help:"Name of the group; none when empty."`
	From     *instant `name:"valid-from" help:"Start of the first session that it is for (default: now)." placeholder:"DAY"`
}

// Run puts.
func (c groupPutCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		from, err := c.From.in(tenant)
		if err != nil {
			return nil, err
		}
		if err := a.ops().PutIntoGroup(o.ctx, tenant.ID, c.Customer, c.Group, from); err != nil {
			return nil, err
		}
		return map[string]any{"customer": c.Customer, "group": c.Group}, nil
	})
}

// voucherCmd administers vouchers.
type voucherCmd struct {
	Add    voucherAddCmd    `cmd:"" help:"Add a voucher: an amount for each contract that redeems it, or percent off its sessions."`
	List   voucherListCmd   `cmd:"" help:"List the vouchers of a utility and what is used of them."`
	Redeem voucherRedeemCmd `cmd:"" help:"Give a contract a voucher. Sessions draw it down as they are rated."`
	End    voucherEndCmd    `cmd:"" help:"End a voucher for good: nobody redeems it any more. Amounts that were redeemed stay."`
}

type voucherAddCmd struct {
	Tenant    string           `required:"" help:"Utility, for example DE*SWX."`
	Code      string           `required:"" help:"Code: letters, digits and hyphens."`
	Name      string           `help:"What it is for."`
	Percent   *decimal.Decimal `help:"Percent off each session."`
	Amount    *decimal.Decimal `help:"Amount for each contract, with VAT where the plan's prices have it."`
	Currency  string           `help:"Currency." default:"EUR"`
	ValidFrom *instant         `help:"Start of the first session (default: now)." placeholder:"DAY"`
	ValidTo   *instant         `help:"End: the first day on which a session no longer counts." placeholder:"DAY"`
	Budget    *decimal.Decimal `help:"What all contracts together may have (default: no limit)."`
}

// Run adds.
func (c voucherAddCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		n := jobs.NewVoucher{Tenant: tenant.ID, Code: c.Code, Name: c.Name, Percent: given(c.Percent), Amount: given(c.Amount), Currency: c.Currency, Budget: given(c.Budget)}
		if n.From, err = c.ValidFrom.in(tenant); err != nil {
			return nil, err
		}
		if to, err := c.ValidTo.in(tenant); err != nil {
			return nil, err
		} else if !to.IsZero() {
			n.To = &to
		}
		id, err := a.ops().AddVoucher(o.ctx, n)
		if err != nil {
			return nil, err
		}
		return map[string]any{"id": id, "code": c.Code}, nil
	})
}

func given(d *decimal.Decimal) decimal.NullDecimal {
	if d == nil {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(*d)
}

// figure is a number as commands print it: plain, null where there is none.
func figure(d decimal.NullDecimal) *json.Number {
	if !d.Valid {
		return nil
	}
	n := json.Number(d.Decimal.String())
	return &n
}

type voucherListCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
}

// listedVoucher is a voucher as commands print it.
type listedVoucher struct {
	Code        string       `json:"code"`
	Name        string       `json:"name"`
	Percent     *json.Number `json:"percent"`
	Amount      *json.Number `json:"amount"`
	Currency    string       `json:"currency"`
	ValidFrom   time.Time    `json:"valid_from"`
	ValidTo     *time.Time   `json:"valid_to"`
	Budget      *json.Number `json:"budget"`
	Spent       json.Number  `json:"spent"` // of the budget
	Drawn       json.Number  `json:"drawn"` // by sessions
	Redemptions int64        `json:"redemptions"`
	EndedAt     *time.Time   `json:"ended_at"` // for good, before its time
}

// Run lists.
func (c voucherListCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		rows, err := a.db.Vouchers(o.ctx, db.VouchersParams{TenantID: tenant.ID})
		if err != nil {
			return nil, err
		}
		list := make([]listedVoucher, len(rows))
		for i, v := range rows {
			list[i] = listedVoucher{
				Code: v.Code, Name: v.Name, Percent: figure(v.Percent), Amount: figure(v.Amount), Currency: v.Currency, ValidFrom: v.ValidFrom.UTC(), ValidTo: v.ValidTo,
				Budget: figure(v.Budget), Spent: json.Number(v.Spent.StringFixed(2)), Drawn: json.Number(v.Drawn.StringFixed(2)), Redemptions: v.Redemptions, EndedAt: v.EndedAt,
			}
		}
		return map[string]any{"vouchers": list}, nil
	})
}

type voucherRedeemCmd struct {
	Tenant   string `required:"" help:"Utility, for example DE*SWX."`
	Code     string `required:"" help:"Code of the voucher."`
	Contract string `required:"" help:"Contract id (EMAID)." placeholder:"EMAID"`
}

// Run redeems.
func (c voucherRedeemCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		if err := a.ops().RedeemVoucher(o.ctx, tenant.ID, c.Code, c.Contract); err != nil {
			return nil, err
		}
		return map[string]any{"code": c.Code, "contract": c.Contract}, nil
	})
}

type voucherEndCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	Code   string `required:"" help:"Code of the voucher."`
}

// Run ends.
func (c voucherEndCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		v, err := a.db.VoucherByCode(o.ctx, db.VoucherByCodeParams{TenantID: tenant.ID, Code: c.Code})
		if err == nil {
			err = a.ops().EndVoucher(o.ctx, tenant.ID, v)
		}
		if errors.Is(err, db.ErrNotFound) {
			return nil, fmt.Errorf("%s has no voucher %s that is not ended", c.Tenant, c.Code)
		}
		return map[string]any{"code": c.Code, "ended": true}, err
	})
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// listedTotal sums up the drafts or invoices of a run in one state.
type listedTotal struct {
	State    string      `json:"state"`
	Currency string      `json:"currency"`
	Payable  bool        `json:"payable"` // self-billed documents: what the utility owes
	Many     int64       `json:"count"`
	Odd      int64       `json:"odd"`
	Written  int64       `json:"written"`
	Sent     int64       `json:"sent"`
	Net      json.Number `json:"net"`
	VAT      json.Number `json:"vat"`
	Gross    json.Number `json:"gross"`
}

// listedTax sums up a tax decision over a run.
type listedTax struct {
	Currency string      `json:"currency"`
	Category string      `json:"category"`
	Rate     json.Number `json:"rate"`
	Items    int64       `json:"items"`
	Net      json.Number `json:"net"`
	Tax      json.Number `json:"tax"`
}

// listedDraft is a draft that a person should look at.
type listedDraft struct {
	ID       uuid.UUID         `json:"id"`
	Customer string            `json:"customer"`
	Number   string            `json:"customer_number"`
	State    string            `json:"state"`
	Gross    json.Number       `json:"gross"`
	Usual    *json.Number      `json:"usual"` // mean of the three months before
	Currency string            `json:"currency"`
	Warnings []string          `json:"warnings"`
	Problems []billing.Problem `json:"problems,omitempty"`
}

// listedRunReport is what a run comes to, as commands print it.
type listedRunReport struct {
	Totals      []listedTotal       `json:"totals"`
	Taxes       []listedTax         `json:"taxes"`
	Warnings    map[string]int64    `json:"warnings"`
	FeesBooked  int                 `json:"fees_booked"`
	FeeProblems []map[string]string `json:"fee_problems"`
	Odd         []listedDraft       `json:"odd"`
}

func listedReport(r *jobs.RunReport) listedRunReport {
	list := listedRunReport{Totals: []listedTotal{}, Taxes: []listedTax{}, Warnings: map[string]int64{}, FeesBooked: r.Fees.Booked, FeeProblems: feeProblems(r.Fees), Odd: []listedDraft{}}
	for _, t := range r.Totals {
		list.Totals = append(list.Totals, listedTotal{t.State, t.Currency, t.Payable, t.Many, t.Odd, t.Written, t.Sent, money(t.Net), money(t.VAT), money(t.Gross)})
	}
	for _, t := range r.Taxes {
		list.Taxes = append(list.Taxes, listedTax{t.Currency, t.Category, json.Number(t.Rate.String()), t.Items, money(t.Net), money(t.Tax)})
	}
	for _, w := range r.Warnings {
		list.Warnings[w.Warning] = w.Many
	}
	for _, d := range r.Odd {
		draft := listedDraft{d.ID, d.Customer, d.Number, d.State, money(d.Gross), nil, d.Currency, d.Warnings, d.Problems}
		if d.Usual.Valid {
			usual := money(d.Usual.Decimal)
			draft.Usual = &usual
		}
		list.Odd = append(list.Odd, draft)
	}
	return list
}

type invoiceRunsCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
}

// listedRun is a run as commands print it.
type listedRun struct {
	ID           uuid.UUID     `json:"id"`
	Month        string        `json:"month"`
	Cycle        string        `json:"cycle"`
	State        string        `json:"state"`
	Customers    int32         `json:"customers"`
	Done         int32         `json:"customers_done"`
	StartedBy    string        `json:"started_by"`
	StartedAt    time.Time     `json:"started_at"`
	InspectUntil *time.Time    `json:"inspect_until"`
	ApprovedBy   string        `json:"approved_by"`
	ApprovedAt   *time.Time    `json:"approved_at"`
	Problem      string        `json:"problem"` // why it does not go on
	Totals       []listedTotal `json:"totals"`
}

// Run lists.
func (c invoiceRunsCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		rows, err := a.db.Runs(o.ctx, db.RunsParams{TenantID: tenant.ID, MaxRows: 50})
		if err != nil {
			return nil, err
		}
		list := make([]listedRun, len(rows))
		for i, r := range rows {
			report, err := jobs.ReportRun(o.ctx, a.db.Queries, r.ID)
			if err != nil {
				return nil, err
			}
			list[i] = listedRun{
				ID: r.ID, Month: r.Month.Format("2006-01"), Cycle: r.Cycle, State: r.State, Customers: r.Customers, Done: r.CustomersDone, StartedBy: r.Starter, StartedAt: r.CreatedAt,
				InspectUntil: r.InspectUntil, ApprovedBy: r.Approver, ApprovedAt: r.ApprovedAt, Problem: r.Reason, Totals: listedReport(&report).Totals,
			}
		}
		return map[string]any{"runs": list}, nil
	})
}

// openRun names the run of a month that waits for approval.
type openRun struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	Month  month  `required:"" help:"Month of the run." placeholder:"YYYY-MM"`
}

func (r openRun) find(o *outside, a *app) (db.Tenant, db.InvoiceRun, error) {
	tenant, err := a.tenant(o, r.Tenant)
	if err != nil {
		return tenant, db.InvoiceRun{}, err
	}
	run, err := a.db.OpenRun(o.ctx, db.OpenRunParams{TenantID: tenant.ID, Month: r.Month.Time})
	if errors.Is(err, db.ErrNotFound) {
		return tenant, run, fmt.Errorf("no run of %s waits for approval: begin one with roamwerk invoice run --tenant %s --month %s", r.Month.Format("2006-01"), r.Tenant, r.Month.Format("2006-01"))
	}
	return tenant, run, err
}

type invoiceReviewCmd struct{ openRun }

// Run shows.
func (c invoiceReviewCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		_, run, err := c.find(o, a)
		if err != nil {
			return nil, err
		}
		report, err := jobs.ReportRun(o.ctx, a.db.Queries, run.ID)
		if err != nil {
			return nil, err
		}
		return map[string]any{"run": run.ID, "state": run.State, "inspect_until": run.InspectUntil, "report": listedReport(&report)}, nil
	})
}

type invoiceApproveCmd struct {
	openRun
	By string `help:"E-mail address of the member of staff who approves: not the one who made the drafts. Without it, whoever runs the platform does." placeholder:"EMAIL"`
}

// Run approves.
func (c invoiceApproveCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, run, err := c.find(o, a)
		if err != nil {
			return nil, err
		}
		ctx := o.ctx
		if c.By != "" {
			person, err := a.db.StaffByEmail(ctx, c.By)
			if errors.Is(err, db.ErrNotFound) || err == nil && person.TenantID.Valid && person.TenantID.UUID != tenant.ID {
				return nil, fmt.Errorf("--by: %s has no member of staff %s", c.Tenant, c.By)
			} else if err != nil {
				return nil, err
			}
			ctx = jobs.WithStaff(ctx, person.ID, person.Name)
		}
		if err := a.ops().ApproveRun(ctx, tenant.ID, run.ID, nil); err != nil {
			return nil, err
		}
		report, err := jobs.ReportRun(ctx, a.db.Queries, run.ID)
		if err != nil {
			return nil, err
		}
		return map[string]any{"run": run.ID, "totals": listedReport(&report).Totals}, nil
	})
}

// draftRef names a draft.
type draftRef struct {
	Tenant string    `required:"" help:"Utility, for example DE*SWX."`
	ID     uuid.UUID `required:"" name:"id" help:"Id of the draft, as invoice list prints it."`
}

func (c draftRef) print(o *outside, a *app, tenant db.Tenant) (any, error) {
	row, err := a.db.Invoice(o.ctx, c.ID)
	if errors.Is(err, db.ErrNotFound) {
		return map[string]any{"id": c.ID, "state": "deleted"}, nil // nothing was left to bill
	} else if err != nil {
		return nil, err
	}
	var problems []billing.Problem
	if err := json.Unmarshal(row.Problems, &problems); err != nil {
		return nil, fmt.Errorf("problems of invoice %s: %w", c.ID, err)
	}
	return map[string]any{"id": c.ID, "tenant": tenant.CountryCode + "*" + tenant.PartyID, "state": row.State, "gross": money(row.Gross), "currency": row.Currency, "problems": problems, "warnings": row.Warnings}, nil
}

type invoiceRetryCmd struct{ draftRef }

// Run retries.
func (c invoiceRetryCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		if err := a.ops().RetryInvoice(o.ctx, tenant.ID, c.ID); err != nil {
			return nil, noInvoice(err, c.ID)
		}
		return c.print(o, a, tenant)
	})
}

// noInvoice says that there is no such invoice.
func noInvoice(err error, id uuid.UUID) error {
	if errors.Is(err, db.ErrNotFound) {
		return fmt.Errorf("the utility has no invoice with id %s", id)
	}
	return err
}

type invoiceReaddressCmd struct {
	draftRef
	Customer string `help:"Number of the customer who gets the invoice; empty: the one who charged."`
}

// Run readdresses.
func (c invoiceReaddressCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		if err := a.ops().ReaddressInvoice(o.ctx, tenant.ID, c.ID, c.Customer); err != nil {
			return nil, noInvoice(err, c.ID)
		}
		return c.print(o, a, tenant)
	})
}

type invoicePolicyCmd struct {
	Tenant           string           `required:"" help:"Utility, for example DE*SWX."`
	InspectionDays   *int32           `help:"Days for which drafts wait for approval, and late CDRs enter them."`
	Minimum          *decimal.Decimal `help:"Less than this, with VAT, is carried forward to the next invoice."`
	CarryMonths      *int32           `help:"Nothing is carried for longer than this: 1 to 5 months."`
	Zero             string           `help:"Invoices on which everything is free: suppress or issue." enum:",suppress,issue" default:""`
	DeviationPercent *decimal.Decimal `help:"Drafts that differ from the mean of three months by more than this percentage are shown,"`
	DeviationAmount  *decimal.Decimal `help:"if they differ by this amount."`
	CreditLimit      *decimal.Decimal `help:"Credit notes above this amount, with VAT, need a second person in the back office."`
}

// Run shows or changes.
func (c invoicePolicyCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		if err := c.check(); err != nil {
			return nil, err
		}
		p, err := a.ops().SetBillingPolicy(o.ctx, tenant.ID, c.change)
		if err != nil {
			return nil, err
		}
		return map[string]any{
			"tenant": c.Tenant, "inspection_days": p.InspectionDays, "minimum": money(p.Minimum), "carry_months": p.CarryMonths, "zero": p.Zero,
			"deviation_percent": json.Number(p.DeviationPercent.String()), "deviation_amount": money(p.DeviationAmount), "credit_limit": money(p.CreditLimit),
		}, nil
	})
}

func (c invoicePolicyCmd) check() error {
	for _, limit := range []struct {
		flag     string
		bad      bool
		expected string
	}{
		{"--inspection-days", c.InspectionDays != nil && (*c.InspectionDays < 0 || *c.InspectionDays > 28), "0 to 28"},
		{"--carry-months", c.CarryMonths != nil && (*c.CarryMonths < 1 || *c.CarryMonths > 5), "1 to 5: invoices are due within half a year (§ 14(2) UStG)"},
		{"--minimum", c.Minimum != nil && c.Minimum.IsNegative(), "0 or more"},
		{"--deviation-percent", c.DeviationPercent != nil && c.DeviationPercent.IsNegative(), "0 or more"},
		{"--deviation-amount", c.DeviationAmount != nil && c.DeviationAmount.IsNegative(), "0 or more"},
		{"--credit-limit", c.CreditLimit != nil && c.CreditLimit.IsNegative(), "0 or more"},
	} {
		if limit.bad {
			return fmt.Errorf("%s: want %s", limit.flag, limit.expected)
		}
	}
	return nil
}

func (c invoicePolicyCmd) change(p *db.BillingPolicy) {
	if c.InspectionDays != nil {
		p.InspectionDays = *c.InspectionDays
	}
	if c.Minimum != nil {
		p.Minimum = *c.Minimum
	}
	if c.CarryMonths != nil {
		p.CarryMonths = *c.CarryMonths
	}
	if c.Zero != "" {
		p.Zero = c.Zero
	}
	if c.DeviationPercent != nil {
		p.DeviationPercent = *c.DeviationPercent
	}
	if c.DeviationAmount != nil {
		p.DeviationAmount = *c.DeviationAmount
	}
	if c.CreditLimit != nil {
		p.CreditLimit = *c.CreditLimit
	}
}

type invoiceCycleCmd struct {
	Tenant   string `required:"" help:"Utility, for example DE*SWX."`
	Contract string `required:"" help:"Contract id (EMAID)." placeholder:"EMAID"`
	Cycle    string `required:"" help:"month, quarter or immediate." enum:"month,quarter,immediate"`
}

// Run sets the cycle.
func (c invoiceCycleCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		if err := a.ops().SetBillingCycle(o.ctx, tenant.ID, c.Contract, c.Cycle); err != nil {
			return nil, err
		}
		return map[string]any{"contract": c.Contract, "cycle": c.Cycle}, nil
	})
}

type invoiceDetailCmd struct {
	Tenant   string `required:"" help:"Utility, for example DE*SWX."`
	Customer string `required:"" help:"Customer number."`
	Detail   string `required:"" help:"items or summary." enum:"items,summary"`
}

// Run sets the detail.
func (c invoiceDetailCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		if err := a.ops().SetInvoiceDetail(o.ctx, tenant.ID, c.Customer, c.Detail); err != nil {
			return nil, err
		}
		return map[string]any{"customer": c.Customer, "detail": c.Detail}, nil
	})
}

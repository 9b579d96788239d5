package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// invoiceCmd administers invoices.
type invoiceCmd struct {
	Run       invoiceRunCmd       `cmd:"" help:"Bill a month: drafts for every customer, issued at once with --issue, or only tried with --simulate."`
	Runs      invoiceRunsCmd      `cmd:"" help:"List the runs of a utility and how far they are."`
	Review    invoiceReviewCmd    `cmd:"" help:"Show what is odd about the drafts of a month, and those that cannot be issued."`
	Approve   invoiceApproveCmd   `cmd:"" help:"Approve the drafts of a month. Workers then issue and send them."`
	Retry     invoiceRetryCmd     `cmd:"" help:"Bring one draft up to date, after what was wrong with it has been put right."`
	Readdress invoiceReaddressCmd `cmd:"" help:"Make a draft out to another customer, an employer for example."`
	Policy    invoicePolicyCmd    `cmd:"" help:"Show how a utility bills, or change it."`
	Cycle     invoiceCycleCmd     `cmd:"" help:"Bill a contract by the month, by the quarter, or after each session."`
	Detail    invoiceDetailCmd    `cmd:"" help:"Show a customer every session on the invoice, or their sum (the list is always in the CSV)."`
	Cancel    invoiceCancelCmd    `cmd:"" help:"Cancel an issued invoice by a document of its own, which refers to it."`
	Correct   invoiceCorrectCmd   `cmd:"" help:"Put lines of an issued invoice right by a document of its own, which refers to it."`
	Credit    invoiceCreditCmd    `cmd:"" help:"Give something of an issued invoice back: an amount or percent of it, or of lines, by a credit note that refers to it (§ 17 UStG)."`
	List      invoiceListCmd      `cmd:"" help:"List invoices."`
	Send      invoiceSendCmd      `cmd:"" help:"Send another copy of a document: to another address, or another way."`
	Export    invoiceExportCmd    `cmd:"" help:"Write a document of an invoice to a file."`
	Numbers   invoiceNumbersCmd   `cmd:"" help:"Prove the document numbers of a utility: every series, its gaps, its order, and the chain of archived documents."`
	Corpus    invoiceCorpusCmd    `cmd:"" help:"Write sample documents that exercise every branch of the formats: PDF and XML of each, with an index."`
}

// month is a calendar month on the command line, as 2026-10.
type month struct{ time.Time }

// UnmarshalText reads a month.
func (m *month) UnmarshalText(text []byte) (err error) {
	if m.Time, err = time.Parse("2006-01", string(text)); err != nil {
		return fmt.Errorf("%q is no month, want for example 2026-10", text)
	}
	return nil
}

// calendarDay is a calendar day on the command line, as 2026-10-31.
type calendarDay struct{ time.Time }

// UnmarshalText reads a day.
func (d *calendarDay) UnmarshalText(text []byte) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, string(text)); err != nil {
		return fmt.Errorf("%q is no day, want for example 2026-10-31", text)
	}
	return nil
}

type invoiceRunCmd struct {
	Tenant   string `required:"" help:"Utility, for example DE*SWX."`
	Month    month  `required:"" help:"Month to bill." placeholder:"YYYY-MM"`
	Issue    bool   `help:"Issue the drafts: give them their numbers and send them. Whoever runs the platform approves them so." xor:"what"`
	Simulate bool   `help:"Only say what the run would come to. Nothing is stored." xor:"what"`
}

// Run bills the month.
func (c invoiceRunCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		unrated, err := a.waitForRating(o, tenant.ID)
		if err != nil {
			return nil, err
		}
		if c.Simulate {
			report, err := a.ops().SimulateRun(o.ctx, tenant.ID, c.Month.Time)
			return map[string]any{"tenant": c.Tenant, "month": c.Month.Format("2006-01"), "simulated": true, "unrated_cdrs": unrated, "report": listedReport(&report)}, err
		}
		run, err := a.ops().RunInvoices(o.ctx, tenant.ID, c.Month.Time, c.Issue)
		if err != nil {
			return nil, err
		}
		invoices, err := a.invoices(o, tenant.ID, c.Month)
		if err != nil {
			return nil, err
		}
		return map[string]any{
			"run": run.ID, "tenant": c.Tenant, "month": c.Month.Format("2006-01"), "state": run.State, "drafts": run.Drafts, "failed": run.Failed, "issued": run.Issued,
			"carried": run.Carried, "settled": run.Settled,
			"fees_booked": run.Fees.Booked, "fee_problems": feeProblems(run.Fees),
			"unrated_cdrs": unrated, "invoices": invoices,
		}, nil
	})
}

// feeProblems are the fees that could not be booked, as commands print them.
func feeProblems(run jobs.FeeRun) []map[string]string {
	list := []map[string]string{}
	for _, p := range run.Problems {
		list = append(list, map[string]string{"contract": p.Contract, "kind": string(p.Kind), "reason": p.Reason})
	}
	return list
}

// waitForRating gives the workers half a minute to rate what has just come in, so that a run does not miss it. It returns how
// many CDRs are still unrated then.
func (a *app) waitForRating(o *outside, tenant uuid.UUID) (int64, error) {
	const patience, step = 30 * time.Second, 100 * time.Millisecond
	for waited := time.Duration(0); ; waited += step {
		n, err := a.db.CountUnratedCDRs(o.ctx, tenant)
		if err != nil || n == 0 || waited >= patience {
			return n, err
		}
		select {
		case <-o.ctx.Done():
			return n, o.ctx.Err()
		case <-time.After(step):
		}
	}
}

type invoiceListCmd struct {
	Tenant string `help:"Utility; all when empty."`
	Month  *month `help:"Month; all when empty." placeholder:"YYYY-MM"`
}

// Run lists.
func (c invoiceListCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		var tenant uuid.UUID
		if c.Tenant != "" {
			t, err := a.tenant(o, c.Tenant)
			if err != nil {
				return nil, err
			}
			tenant = t.ID
		}
		var m month
		if c.Month != nil {
			m = *c.Month
		}
		list, err := a.invoices(o, tenant, m)
		return map[string]any{"invoices": list}, err
	})
}

// listedInvoice is an invoice as commands print it. Amounts are plain decimals.
type listedInvoice struct {
	ID       uuid.UUID         `json:"id"`
	Tenant   string            `json:"tenant"`
	Type     string            `json:"type"`   // UNTDID 1001: 380, 381, 384, 389
	Number   string            `json:"number"` // empty until it is issued
	Date     string            `json:"date"`
	Customer string            `json:"customer"`
	Net      json.Number       `json:"net"`
	VAT      json.Number       `json:"vat"`
	Gross    json.Number       `json:"gross"`
	Currency string            `json:"currency"`
	State    string            `json:"state"`
	Problems []billing.Problem `json:"problems,omitempty"`
}

// invoices lists those of a tenant and month; zero values mean all.
func (a *app) invoices(o *outside, tenant uuid.UUID, m month) ([]listedInvoice, error) {
	p := db.InvoicesForListParams{TenantID: uuid.NullUUID{UUID: tenant, Valid: tenant != uuid.Nil}}
	if !m.IsZero() {
		p.Month = &m.Time
	}
	rows, err := a.db.InvoicesForList(o.ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list invoices: %w", err)
	}
	list := make([]listedInvoice, len(rows))
	for i, r := range rows {
		list[i] = listedInvoice{
			ID: r.ID, Type: r.Type, Tenant: r.CountryCode + "*" + r.PartyID, Customer: r.Customer, Net: money(r.Net), VAT: money(r.VAT), Gross: money(r.Gross), Currency: r.Currency, State: r.State,
		}
		if r.Number != nil {
			list[i].Number, list[i].Date = *r.Number, r.Date.Format(time.DateOnly)
		}
		if err := json.Unmarshal(r.Problems, &list[i].Problems); err != nil {
			return nil, fmt.Errorf("problems of invoice %s: %w", r.ID, err)
		}
	}
	return list, nil
}

type invoiceExportCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	Number string `required:"" help:"Invoice number."`
	Format string `required:"" help:"pdf, xml (EN 16931, XRechnung for public bodies), xrechnung, html, csv or meter (signed meter data of every session, for the transparency software)." enum:"pdf,xml,xrechnung,html,csv,meter"`
	Out    string `required:"" help:"File to write." placeholder:"FILE"`
}

// Run writes the file.
func (c invoiceExportCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		invoice, err := a.invoice(o, c.Tenant, c.Number)
		if err != nil {
			return nil, err
		}
		format, _ := jobs.FormatOf(c.Format)
		doc, err := a.ops().Document(o.ctx, invoice.ID, format)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(c.Out, doc.Bytes, 0o644); err != nil {
			return nil, err
		}
		return map[string]any{"file": c.Out, "bytes": len(doc.Bytes), "sha256": fmt.Sprintf("%x", doc.SHA256)}, nil
	})
}

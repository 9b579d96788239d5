package office

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// How much of each thing the page of a customer shows.
const (
	customerInvoices = 12
	customerCards    = 50
	customerSessions = 5
	customerCopies   = 8
)

// customerView is everything about one customer.
type customerView struct {
	db.CustomerDetailRow
	form      dataForm // what is known of it
	other     dataForm // what was entered in another form of the page
	draft     *stoppedDraft
	mandates  []db.MandatesOfCustomerRow
	contracts []db.ContractsOfCustomerRow
	cards     []db.CardsOfCustomerRow
	sessions  []db.CDRListRow
	month     []cdrTotal // what it has charged this month
	charged   int64      // sessions this month
	invoices  []customerInvoice
	evidence  []db.ResellerEvidence
	copies    []db.CopiesOfCustomerRow
	events    []db.Event
}

// customerInvoice is an invoice on a customer's page, with what stops it.
type customerInvoice struct {
	db.InvoicesOfCustomerRow
	problems []billing.Problem
}

func (o *office) customerDetail(v *visit) error {
	c, err := v.customer()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, customerDetailPage(v, c))
}

// customer is the one of the address.
func (v *visit) customer() (c customerView, err error) {
	id, err := v.id()
	if err != nil {
		return c, err
	}
	ctx := v.Request().Context()
	err = v.read(func(q *db.Queries) error {
		if c.CustomerDetailRow, err = q.CustomerDetail(ctx, db.CustomerDetailParams{ID: id, TenantID: v.tenant, Now: v.office.Now()}); err != nil {
			return err
		}
		if c.mandates, err = q.MandatesOfCustomer(ctx, id); err != nil {
			return fmt.Errorf("mandates of customer %s: %w", id, err)
		}
		if c.contracts, err = q.ContractsOfCustomer(ctx, id); err != nil {
			return fmt.Errorf("contracts of customer %s: %w", id, err)
		}
		if c.cards, err = q.CardsOfCustomer(ctx, db.CardsOfCustomerParams{CustomerID: id, MaxRows: customerCards}); err != nil {
			return fmt.Errorf("cards of customer %s: %w", id, err)
		}
		if err := c.readInvoices(v, q); err != nil {
			return err
		}
		if err := c.readSessions(v, q); err != nil {
			return err
		}
		if c.evidence, err = q.ResellerEvidence(ctx, id); err != nil {
			return fmt.Errorf("evidence of customer %s: %w", id, err)
		}
		if c.copies, err = q.CopiesOfCustomer(ctx, db.CopiesOfCustomerParams{CustomerID: id, MaxRows: customerCopies}); err != nil {
			return fmt.Errorf("what was sent to customer %s: %w", id, err)
		}
		if c.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "customer", SubjectID: id}); err != nil {
			return fmt.Errorf("events of customer %s: %w", id, err)
		}
		c.draft, err = v.stoppedDraft(q)
		return err
	})
	if err != nil {
		return c, err
	}
	c.form = filled(jobs.CustomerData, &c.Customer)
	c.form.stops(v, c.draft)
	return c, nil
}

func (c *customerView) readInvoices(v *visit, q *db.Queries) error {
	id := c.Customer.ID
	rows, err := q.InvoicesOfCustomer(v.Request().Context(), db.InvoicesOfCustomerParams{CustomerID: id, MaxRows: customerInvoices})
	if err != nil {
		return fmt.Errorf("invoices of customer %s: %w", id, err)
	}
	for _, r := range rows {
		i := customerInvoice{InvoicesOfCustomerRow: r}
		if err := json.Unmarshal(r.Problems, &i.problems); err != nil {
			return fmt.Errorf("problems of invoice %s: %w", r.ID, err)
		}
		c.invoices = append(c.invoices, i)
	}
	return nil
}

// readSessions reads the last sessions, and what those of this month come to.
func (c *customerView) readSessions(v *visit, q *db.Queries) (err error) {
	ctx, tenant := v.Request().Context(), uuid.NullUUID{UUID: c.Customer.TenantID, Valid: true}
	s := jobs.Selection{Customer: uuid.NullUUID{UUID: c.Customer.ID, Valid: true}}
	c.sessions, err = q.CDRList(ctx, db.CDRListParams{TenantID: tenant, Filter: s.Filter(), Sort: "start", Direction: -1, MaxRows: customerSessions})
	if err != nil {
		return fmt.Errorf("sessions of customer %s: %w", c.Customer.ID, err)
	}
	now := v.office.Now().In(ui.Berlin)
	s.Since = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, ui.Berlin)
	s.Until = s.Since.AddDate(0, 1, 0)
	sums, err := q.CDRSums(ctx, db.CDRSumsParams{TenantID: tenant, Filter: s.Filter()})
	if err != nil {
		return fmt.Errorf("sums of customer %s: %w", c.Customer.ID, err)
	}
	sums = slices.DeleteFunc(sums, func(r db.CDRSumsRow) bool { return r.State == "credited" || r.State == "dropped" })
	c.charged, c.month = sumCDRs(sums, "")
	return nil
}

// mandate is the one that holds; nil: the customer transfers.
func (c *customerView) mandate() *db.MandatesOfCustomerRow {
	if len(c.mandates) > 0 && c.mandates[0].EndedAt == nil {
		return &c.mandates[0]
	}
	return nil
}

// lastInvoice is the last one that was issued.
func (c *customerView) lastInvoice() *customerInvoice {
	at := slices.IndexFunc(c.invoices, func(i customerInvoice) bool { return i.State == "issued" })
	if at < 0 {
		return nil
	}
	return &c.invoices[at]
}

// open is what its drafts come to, in the currency of the first.
func (c *customerView) open() (many int, gross decimal.Decimal, currency string) {
	for _, i := range c.invoices {
		if i.State != "draft" && i.State != "failed" {
			continue
		}
		if many++; currency == "" || currency == i.Currency {
			gross, currency = gross.Add(i.Gross), i.Currency
		}
	}
	return many, gross, currency
}

// kpis are the figures at the head of the page: money first.
func (v *visit) customerKPIs(c *customerView) []ui.KPI {
	month := ui.KPI{Name: v.Lang.T("customer.month"), Value: none, Note: v.Lang.N("cdr.count", c.charged)}
	if len(c.month) > 0 {
		month.Value = v.Lang.Money(c.month[0].retail, c.month[0].currency)
	}
	drafts := ui.KPI{Name: v.Lang.T("customer.drafts"), Value: none}
	if many, gross, currency := c.open(); many > 0 {
		drafts.Value, drafts.Note = v.Lang.Money(gross, currency), v.Lang.N("customer.drafts", int64(many))
	}
	last := ui.KPI{Name: v.Lang.T("customer.last"), Value: none}
	if i := c.lastInvoice(); i != nil {
		last.Value, last.Note = v.Lang.Money(i.Gross, i.Currency), v.Lang.Month(i.Month)
	}
	return []ui.KPI{month, drafts, last, {Name: v.Lang.T("customer.cards"), Value: v.Lang.Int(c.Cards)}}
}

// expiring reports whether evidence of a reseller ends soon enough to ask for the next one.
func (v *visit) expiring(e db.ResellerEvidence) bool {
	return e.WithdrawnAt == nil && e.ValidUntil.Before(v.office.Now().AddDate(0, 2, 0)) && !v.expired(e)
}

func (v *visit) expired(e db.ResellerEvidence) bool {
	return e.ValidUntil.AddDate(0, 0, 1).Before(v.office.Now())
}

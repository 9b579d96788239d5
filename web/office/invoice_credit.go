package office

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// creditView is the wizard that gives something of an issued invoice back: what is left of it, what was typed, and what would come of it.
type creditView struct {
	db.InvoiceDetailRow
	doc     billing.Invoice
	left    jobs.CreditLeft
	limit   decimal.Decimal // above it a second person agrees
	amount  string
	percent string
	reason  string
	lines   []string
	payout  bool
	iban    string
	wrong   string // why it cannot be done so
	preview *billing.Invoice
}

// number is the number of the invoice.
func (c creditView) number() string { return *c.Invoice.Number }

// of is what is left of a line.
func (c creditView) of(line string) (decimal.Decimal, bool) {
	at := slices.IndexFunc(c.left.Lines, func(l billing.Change) bool { return l.Line == line })
	if at < 0 {
		return decimal.Zero, false
	}
	return c.left.Lines[at].Amount, true
}

// creditForm shows the wizard.
func (o *office) creditForm(v *visit) error {
	view, err := o.crediting(v)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, invoiceCreditPage(v, view))
}

func (o *office) crediting(v *visit) (creditView, error) {
	row, err := o.ownInvoice(v)
	if err != nil {
		return creditView{}, err
	}
	view := creditView{InvoiceDetailRow: row}
	if row.Invoice.State != "issued" || row.Invoice.Type != string(billing.DocumentInvoice) {
		return view, db.ErrNotFound
	}
	if err := json.Unmarshal(row.Invoice.Doc, &view.doc); err != nil {
		return view, fmt.Errorf("read invoice %s: %w", row.Invoice.ID, err)
	}
	err = v.read(func(q *db.Queries) (err error) {
		ctx := v.Request().Context()
		policy, err := jobs.BillingPolicyOf(ctx, q, row.Invoice.TenantID)
		if err != nil {
			return err
		}
		view.limit = policy.CreditLimit
		view.left, err = o.CreditLeft(ctx, q, row.Invoice.TenantID, row.Invoice.ID)
		return err
	})
	var refusal *jobs.Refusal
	if errors.As(err, &refusal) {
		view.wrong, err = v.sentence(refusal.Text), nil
	}
	return view, err
}

// creditInvoice shows what the credit note would be, and issues it when the person has seen that; a large one waits for a second person.
func (o *office) creditInvoice(v *visit) error {
	view, err := o.crediting(v)
	if err != nil {
		return err
	}
	what, wrong := view.read(v)
	ctx, id, tenant := v.Request().Context(), view.Invoice.ID, view.Invoice.TenantID
	if wrong == "" {
		var doc billing.Invoice
		err = v.read(func(q *db.Queries) (err error) {
			doc, err = o.PreviewCredit(ctx, q, tenant, id, what)
			return err
		})
		if err == nil && v.FormValue("do") == "issue" {
			credit, number, err := o.CreditInvoice(ctx, tenant, id, what)
			if err != nil {
				return v.refused(err, string(v.Link("/invoices/"+id.String()+"/credit")))
			}
			if number == "" {
				v.say("ok", v.Lang.T("reduce.proposed"))
			} else {
				v.say("ok", v.Lang.T("correct.done", number))
			}
			return v.Redirect(http.StatusSeeOther, string(v.Link("/invoices/"+credit.String())))
		}
		if wrong, err = v.whyNot(err); err != nil {
			return err
		}
		if wrong == "" {
			view.preview = &doc
		}
	}
	view.wrong = wrong
	status := http.StatusOK
	if wrong != "" {
		status = http.StatusUnprocessableEntity
	}
	return v.render(status, invoiceCreditPage(v, view))
}

// read takes what was typed.
func (c *creditView) read(v *visit) (what jobs.Credit, wrong string) {
	c.amount, c.percent, c.reason = strings.TrimSpace(v.FormValue("amount")), strings.TrimSpace(v.FormValue("percent")), strings.TrimSpace(v.FormValue("reason"))
	c.payout, c.iban, c.lines = v.FormValue("payout") == "yes", strings.TrimSpace(v.FormValue("iban")), v.Request().Form["line"]
	what = jobs.Credit{Amount: amountOf(c.amount), Percent: amountOf(c.percent), Lines: c.lines, Reason: c.reason, Payout: c.payout, IBAN: c.iban}
	for _, field := range []struct {
		typed string
		read  decimal.NullDecimal
	}{{c.amount, what.Amount}, {c.percent, what.Percent}} {
		if field.typed != "" && !field.read.Valid {
			return what, v.Lang.T("reduce.number", field.typed)
		}
	}
	return what, ""
}

// dropCredit takes back what somebody wanted to give back and nobody has approved.
func (o *office) dropCredit(v *visit) error {
	view, err := o.ownInvoice(v)
	if err != nil {
		return err
	}
	if err := o.DropCredit(v.Request().Context(), view.Invoice.TenantID, view.Invoice.ID); err != nil {
		return v.refused(err, string(v.Link("/invoices/"+view.Invoice.ID.String())))
	}
	v.say("ok", v.Lang.T("reduce.dropped"))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/invoices/"+view.Invoice.CorrectsID.UUID.String())))
}

// objectToInvoice notes that a payee has objected to a self-billed document, which is cancelled.
func (o *office) objectToInvoice(v *visit) error {
	view, err := o.ownInvoice(v)
	if err != nil {
		return err
	}
	page := string(v.Link("/invoices/" + view.Invoice.ID.String()))
	day, err := time.Parse(time.DateOnly, v.FormValue("day"))
	if err != nil {
		v.say("err", v.Lang.T("object.day.missing"))
		return v.Redirect(http.StatusSeeOther, page)
	}
	what := jobs.Correction{Objection: day, Reason: strings.TrimSpace(v.FormValue("reason")), Again: v.FormValue("again") == "yes"}
	correction, number, err := o.CorrectInvoice(v.Request().Context(), view.Invoice.TenantID, view.Invoice.ID, what)
	if err != nil {
		return v.refused(err, page)
	}
	v.say("ok", v.Lang.T("correct.done", number))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/invoices/"+correction.String())))
}

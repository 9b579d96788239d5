package office

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// correctView is the wizard that puts an issued invoice right: what it says, what was typed, and what would come of it.
type correctView struct {
	db.InvoiceDetailRow
	doc     billing.Invoice
	whole   bool // cancel all of it
	again   bool
	reason  string
	amounts map[string]string // by line, as typed
	wrong   string            // why it cannot be done so
	preview *billing.Invoice
}

// correctForm shows the wizard.
func (o *office) correctForm(v *visit) error {
	view, err := o.correcting(v)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, invoiceCorrectPage(v, view))
}

func (o *office) correcting(v *visit) (correctView, error) {
	row, err := o.ownInvoice(v)
	if err != nil {
		return correctView{}, err
	}
	view := correctView{InvoiceDetailRow: row, amounts: map[string]string{}}
	if row.Invoice.State != "issued" {
		return view, db.ErrNotFound
	}
	if err := json.Unmarshal(row.Invoice.Doc, &view.doc); err != nil {
		return view, fmt.Errorf("read invoice %s: %w", row.Invoice.ID, err)
	}
	return view, nil
}

// correctInvoice shows what the correction would be, and issues it when the person has seen that.
func (o *office) correctInvoice(v *visit) error {
	view, err := o.correcting(v)
	if err != nil {
		return err
	}
	what, wrong := view.read(v)
	ctx, id, tenant := v.Request().Context(), view.Invoice.ID, view.Invoice.TenantID
	if wrong == "" {
		var doc billing.Invoice
		err = v.read(func(q *db.Queries) (err error) {
			doc, err = o.PreviewCorrection(ctx, q, tenant, id, what)
			return err
		})
		if err == nil && v.FormValue("do") == "issue" {
			correction, number, err := o.CorrectInvoice(ctx, tenant, id, what)
			if err != nil {
				return v.refused(err, string(v.Link("/invoices/"+id.String()+"/correct")))
			}
			v.say("ok", v.Lang.T("correct.done", number))
			return v.Redirect(http.StatusSeeOther, string(v.Link("/invoices/"+correction.String())))
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
	return v.render(status, invoiceCorrectPage(v, view))
}

// whyNot says why a document cannot be made so; other errors it gives back.
func (v *visit) whyNot(err error) (wrong string, other error) {
	var refusal *jobs.Refusal
	var faulty *billing.DraftError
	switch {
	case errors.As(err, &refusal):
		return v.sentence(refusal.Text), nil
	case errors.As(err, &faulty):
		return faulty.Problems[0].In(string(v.Lang)), nil
	}
	return "", err
}

// read takes what was typed. An amount that is left empty leaves its line as it is.
func (view *correctView) read(v *visit) (what jobs.Correction, wrong string) {
	view.whole, view.again, view.reason = v.FormValue("whole") == "yes", v.FormValue("again") == "yes", strings.TrimSpace(v.FormValue("reason"))
	what = jobs.Correction{Reason: view.reason, Again: view.again}
	for _, l := range view.doc.FullList() {
		typed := strings.TrimSpace(v.FormValue("line-" + l.ID))
		if view.amounts[l.ID] = typed; typed == "" || view.whole {
			continue
		}
		amount, err := decimal.NewFromString(strings.Replace(typed, ",", ".", 1))
		if err != nil || amount.IsNegative() || !amount.Equal(amount.Truncate(2)) {
			return what, v.Lang.T("correct.amount", l.ID, typed)
		}
		what.Changes = append(what.Changes, billing.Change{Line: l.ID, Amount: amount, Reason: view.reason})
	}
	switch {
	case view.reason == "":
		return what, v.Lang.T("correct.reason.missing")
	case !view.whole && len(what.Changes) == 0:
		return what, v.Lang.T("correct.nothing")
	}
	return what, ""
}

// promised is the amount of a line as the customer was promised it.
func promised(inv *billing.Invoice, l billing.InvoiceLine) decimal.Decimal {
	if inv.GrossExact {
		return l.Gross
	}
	return l.Net
}

package office

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// approveInvoice lets one draft be issued, if the person has typed the customer's number.
func (o *office) approveInvoice(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	var invoice db.InvoiceDetailRow
	err = v.read(func(q *db.Queries) (err error) {
		invoice, err = q.InvoiceDetail(ctx, db.InvoiceDetailParams{ID: id, TenantID: v.tenant})
		return err
	})
	if err != nil {
		return err
	}
	page := string(v.Link("/invoices/" + id.String()))
	if invoice.Invoice.State != "draft" || strings.TrimSpace(v.FormValue("confirm")) != invoice.CustomerNumber {
		v.say("err", v.Lang.T("issue.mismatch.customer"))
		return v.Redirect(http.StatusSeeOther, page)
	}
	if err := o.ApproveInvoice(ctx, invoice.Invoice.TenantID, id); err != nil {
		return v.refused(err, page)
	}
	v.say("ok", v.Lang.T("issue.done.number"))
	return v.Redirect(http.StatusSeeOther, page)
}

// refused leads back to a page that says why something is not done; any other error stays one.
func (v *visit) refused(err error, page string) error {
	var refusal *jobs.Refusal
	if errors.Is(err, db.ErrNotFound) || !errors.As(err, &refusal) {
		return err
	}
	v.say("err", v.sentence(refusal.Text))
	return v.Redirect(http.StatusSeeOther, page)
}

// retryInvoice brings a draft up to date, after what was wrong has been put right.
func (o *office) retryInvoice(v *visit) error {
	return o.changeInvoiceDraft(v, func(ctx context.Context, row db.Invoice) error { return o.RetryInvoice(ctx, row.TenantID, row.ID) })
}

// readdressInvoice makes a draft out to another customer.
func (o *office) readdressInvoice(v *visit) error {
	return o.changeInvoiceDraft(v, func(ctx context.Context, row db.Invoice) error {
		return o.ReaddressInvoice(ctx, row.TenantID, row.ID, strings.TrimSpace(v.FormValue("customer")))
	})
}

func (o *office) changeInvoiceDraft(v *visit, change func(context.Context, db.Invoice) error) error {
	view, err := o.ownInvoice(v)
	if err != nil {
		return err
	}
	page := string(v.Link("/invoices/" + view.Invoice.ID.String()))
	if err := change(v.Request().Context(), view.Invoice); err != nil {
		return v.refused(err, page)
	}
	if _, err := o.ownInvoice(v); errors.Is(err, db.ErrNotFound) { // nothing was left to bill
		page = string(v.Link("/invoices"))
	}
	v.say("ok", v.Lang.T("draft.updated"))
	return v.Redirect(http.StatusSeeOther, page)
}

// ownInvoice is the one that the address names, if the visitor may see it.
func (o *office) ownInvoice(v *visit) (row db.InvoiceDetailRow, err error) {
	id, err := v.id()
	if err != nil {
		return row, err
	}
	err = v.read(func(q *db.Queries) (err error) {
		row, err = q.InvoiceDetail(v.Request().Context(), db.InvoiceDetailParams{ID: id, TenantID: v.tenant})
		return err
	})
	return row, err
}

// monthToBill is the month of a form, for a utility that must be chosen.
func (v *visit) monthToBill() (time.Time, error) {
	month := monthOf(v.FormValue("month"))
	if month == nil || !v.tenant.Valid {
		return time.Time{}, echo.NewHTTPError(http.StatusBadRequest)
	}
	return *month, nil
}

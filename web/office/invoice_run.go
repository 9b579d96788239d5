package office

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// runInvoices makes and updates the drafts of a month of the utility that is shown.
func (o *office) runInvoices(v *visit) error {
	month, err := v.monthToBill()
	if err != nil {
		return err
	}
	run, err := o.RunInvoices(v.Request().Context(), v.tenant.UUID, month, false)
	if err != nil {
		return v.refused(err, string(v.Link("/invoices?month="+month.Format("2006-01"))))
	}
	tone := "ok"
	if run.Failed > 0 {
		tone = "warn"
	}
	v.say(tone, v.Lang.T("run.done", v.Lang.Month(month), v.Lang.Int(int64(run.Drafts)), v.Lang.Int(int64(run.Failed))))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/invoices?month="+month.Format("2006-01"))))
}

// approveMonth lets the drafts of a month be issued, if as many are there as the person has read and typed.
func (o *office) approveMonth(v *visit) error {
	month, err := v.monthToBill()
	if err != nil {
		return err
	}
	list := string(v.Link("/invoices?month=" + month.Format("2006-01")))
	ctx := v.Request().Context()
	var drafts []uuid.UUID
	var run db.InvoiceRun
	err = v.read(func(q *db.Queries) (err error) {
		if drafts, err = q.DraftsOfMonth(ctx, db.DraftsOfMonthParams{TenantID: v.tenant.UUID, Month: month}); err != nil {
			return err
		}
		run, err = q.OpenRun(ctx, db.OpenRunParams{TenantID: v.tenant.UUID, Month: month})
		if errors.Is(err, db.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	if typed := strings.TrimSpace(v.FormValue("confirm")); typed != strconv.Itoa(len(drafts)) {
		v.say("err", v.Lang.T("issue.mismatch", v.Lang.Int(int64(len(drafts)))))
		return v.Redirect(http.StatusSeeOther, list)
	}
	if err := o.ApproveRun(ctx, v.tenant.UUID, run.ID, nil); err != nil {
		return v.refused(err, list)
	}
	v.say("ok", v.Lang.N("issue.done", int64(len(drafts))))
	return v.Redirect(http.StatusSeeOther, list)
}

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

// monthToBill is the month of a form, for a utility that must be chosen.
func (v *visit) monthToBill() (time.Time, error) {
	month := monthOf(v.FormValue("month"))
	if month == nil || !v.tenant.Valid {
		return time.Time{}, echo.NewHTTPError(http.StatusBadRequest)
	}
	return *month, nil
}

package office

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// dataForm is master data in a form. Its fields have the names by which problems of documents refer to them, and these are their anchors.
type dataForm struct {
	part   string // of the page
	values map[string]string
	reason map[string]string // beside a field: what is wrong with it, or what it stops
	wrong  []billing.Problem // what was entered and cannot be
	note   string            // a sentence about the whole
}

// filled is a form as the data stands.
func filled[T any](data []jobs.Datum[T], of *T) dataForm {
	f := dataForm{values: map[string]string{}, reason: map[string]string{}}
	for _, d := range data {
		f.values[d.Field] = *d.Of(of)
	}
	return f
}

// entered puts what somebody has entered into the data. A field that the form did not have stays.
func entered[T any](data []jobs.Datum[T], form url.Values, into *T) {
	for _, d := range data {
		if form.Has(d.Field) {
			*d.Of(into) = form.Get(d.Field)
		}
	}
}

// refused shows a form again with what was entered and why it cannot be; an error that is none of this stays one.
func (f *dataForm) refused(v *visit, part string, form url.Values, err error) error {
	var refusal *jobs.Refusal
	problems := jobs.DraftProblems(err)
	switch {
	case problems != nil:
		f.wrong = problems
	case errors.As(err, &refusal):
		f.note = v.sentence(refusal.Text)
	default:
		return err
	}
	f.part, f.reason = part, map[string]string{}
	if f.values == nil {
		f.values = map[string]string{}
	}
	for field := range form {
		f.values[field] = form.Get(field)
	}
	for _, p := range problems {
		f.reason[p.Field] = p.In(string(v.Lang))
	}
	return nil
}

// stops puts what stops a draft beside its fields.
func (f *dataForm) stops(v *visit, draft *stoppedDraft) {
	if draft == nil {
		return
	}
	for _, p := range draft.problems {
		f.reason[p.Field] = p.In(string(v.Lang))
	}
}

// stoppedDraft is the draft of an invoice from which somebody came to put right what stops it.
type stoppedDraft struct {
	db.InvoiceDetailRow
	problems []billing.Problem
}

// stoppedDraft is the one that the address or the form names, if the visitor may see it.
func (v *visit) stoppedDraft(q *db.Queries) (*stoppedDraft, error) {
	id, err := uuid.Parse(v.FormValue("draft"))
	if err != nil {
		return nil, nil
	}
	var d stoppedDraft
	d.InvoiceDetailRow, err = q.InvoiceDetail(v.Request().Context(), db.InvoiceDetailParams{ID: id, TenantID: v.tenant})
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(d.Invoice.Problems, &d.problems); err != nil {
		return nil, fmt.Errorf("problems of invoice %s: %w", id, err)
	}
	return &d, nil
}

// problemPage is where a problem of a draft, which is made out to a recipient, can be put right: the page, at the field. Empty: there is no
// such page.
func problemPage(p billing.Problem, draft, recipient uuid.UUID) string {
	if id, rest, ok := strings.Cut(strings.TrimPrefix(p.Field, "cdrs["), "]"); ok && strings.HasPrefix(p.Field, "cdrs[") && rest != "" {
		return "/cdrs/" + id
	}
	from := "?draft=" + draft.String() + "#" + p.Field
	switch of, _, _ := strings.Cut(p.Field, "."); {
	case of == "customer", p.Field == "payment.debtor_iban", p.Field == "payment.mandate_reference":
		return "/customers/" + recipient.String() + from
	case strings.HasPrefix(p.Field, "payment.payee."):
		return "/reimbursements"
	case of == "supplier", of == "payment":
		return "/settings" + from
	}
	return ""
}

// recipient is whom a document is made out to: who has charged, or somebody in its place.
func recipient(row db.Invoice) uuid.UUID {
	if row.RecipientID.Valid {
		return row.RecipientID.UUID
	}
	return row.CustomerID
}

// saved leads on from a form that was saved: to the draft that somebody came from, brought up to date if that is wanted, or to the page.
func (o *office) saved(v *visit, draft *stoppedDraft, page string) error {
	if draft == nil {
		v.say("ok", v.Lang.T("data.saved"))
		return v.Redirect(http.StatusSeeOther, page)
	}
	at, ctx := string(v.Link("/invoices/"+draft.Invoice.ID.String())), v.Request().Context()
	if v.FormValue("do") != "retry" {
		v.say("ok", v.Lang.T("data.saved"))
		return v.Redirect(http.StatusSeeOther, at)
	}
	if err := o.RetryInvoice(ctx, draft.Invoice.TenantID, draft.Invoice.ID); err != nil {
		return v.refused(err, at)
	}
	var now db.InvoiceDetailRow
	err := v.read(func(q *db.Queries) (err error) {
		now, err = q.InvoiceDetail(ctx, db.InvoiceDetailParams{ID: draft.Invoice.ID, TenantID: v.tenant})
		return err
	})
	switch {
	case errors.Is(err, db.ErrNotFound): // nothing was left to bill
		v.say("ok", v.Lang.T("data.saved"))
		return v.Redirect(http.StatusSeeOther, string(v.Link("/invoices")))
	case err != nil:
		return err
	case now.Invoice.State == "failed":
		v.say("warn", v.Lang.T("data.retried.more"))
	default:
		v.say("ok", v.Lang.T("data.retried"))
	}
	return v.Redirect(http.StatusSeeOther, at)
}

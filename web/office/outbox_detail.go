package office

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// outboxView is one thing that leaves: an e-mail, or a file.
type outboxView struct {
	db.OutboxDetailRow
	email       *db.Email // nil: it is a file
	bounces     []db.BouncesOfEmailRow
	attachments []db.InvoiceDocumentsRow
	copies      []db.Outbox // of the same document, newest first
	customer    db.Customer // to whom it is made out
}

// latest reports whether no other copy of the document is on its way or came later, so that one may send it again from here.
func (o outboxView) latest() bool {
	return len(o.copies) > 0 && o.copies[0].ID == o.Outbox.ID && o.Outbox.State != "queued"
}

func (o *office) outboxDetail(v *visit) error {
	view, err := v.loadOutbox()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, outboxDetailPage(v, view))
}

func (v *visit) loadOutbox() (o outboxView, err error) {
	id, err := v.id()
	if err != nil {
		return o, err
	}
	ctx := v.Request().Context()
	err = v.read(func(q *db.Queries) error {
		if o.OutboxDetailRow, err = q.OutboxDetail(ctx, db.OutboxDetailParams{ID: id, TenantID: v.tenant}); err != nil {
			return err
		}
		if o.Outbox.Way == string(jobs.ByEmail) {
			email, err := q.Email(ctx, id)
			if err != nil {
				return fmt.Errorf("e-mail %s: %w", id, err)
			}
			o.email = &email
			if o.bounces, err = q.BouncesOfEmail(ctx, id); err != nil {
				return fmt.Errorf("what came back for e-mail %s: %w", id, err)
			}
		}
		if !o.Outbox.InvoiceID.Valid {
			return nil
		}
		if o.email == nil || o.email.Attached {
			if o.attachments, err = q.InvoiceDocuments(ctx, o.Outbox.InvoiceID.UUID); err != nil {
				return fmt.Errorf("documents of %s: %w", id, err)
			}
			o.attachments = slices.DeleteFunc(o.attachments, func(d db.InvoiceDocumentsRow) bool { return !o.carries(d.Format) })
		}
		if o.copies, err = q.CopiesOfInvoice(ctx, o.Outbox.InvoiceID.UUID); err != nil {
			return fmt.Errorf("copies of %s: %w", id, err)
		}
		o.customer, err = q.Customer(ctx, o.RecipientID)
		return err
	})
	return o, err
}

// carries reports whether a format of the document goes this way.
func (o outboxView) carries(format string) bool {
	switch jobs.Way(o.Outbox.Way) {
	case jobs.ByLetter:
		return format == "pdf"
	case jobs.ByPeppol:
		return format == "xrechnung" // the envelope around it is for the access point
	default:
		return format == "pdf" || format == "xml"
	}
}

func (v *visit) outboxState(way, state string) string {
	if way != string(jobs.ByEmail) && state == "sent" {
		return v.Lang.T("outbox.written")
	}
	return v.Lang.T("email.state." + state)
}

// sendAgain sends another copy of the document, or tries the same one anew.
func (o *office) sendAgain(v *visit) error {
	view, err := v.loadOutbox()
	if err != nil {
		return err
	}
	page, ctx := string(v.Link("/outbox/"+view.Outbox.ID.String())), v.Request().Context()
	if v.FormValue("retry") != "" {
		if err := o.TryAgain(ctx, view.Outbox.TenantID, view.Outbox.ID); err != nil {
			return err
		}
		v.say("ok", v.Lang.T("outbox.again.done"))
		return v.Redirect(http.StatusSeeOther, page)
	}
	if !view.Outbox.InvoiceID.Valid {
		return db.ErrNotFound
	}
	way, to := jobs.Way(v.FormValue("way")), v.FormValue("to")
	if way == jobs.ByLetter || way == jobs.ByPeppol {
		to = "" // the field is for e-mails
	}
	if v.FormValue("keep") != "" { // first, for it refuses what cannot be
		err = o.SetDelivery(ctx, view.Outbox.TenantID, view.customer.ID, way, to, "")
	}
	if err == nil {
		err = o.SendAgain(ctx, view.Outbox.TenantID, view.Outbox.InvoiceID.UUID, way, to)
	}
	return v.decided(err, page, "outbox.again.done")
}

// cameBack notes that an e-mail did not arrive.
func (o *office) cameBack(v *visit) error {
	view, err := v.loadOutbox()
	if err != nil {
		return err
	}
	err = o.EmailCameBack(v.Request().Context(), view.Outbox.TenantID, view.Outbox.ID, v.FormValue("reason"))
	return v.decided(err, string(v.Link("/outbox/"+view.Outbox.ID.String())), "outbox.back.done")
}

// decided leads to a page that says whether something was done, or why not.
func (v *visit) decided(err error, page, done string) error {
	var refusal *jobs.Refusal
	switch {
	case errors.As(err, &refusal):
		v.say("err", v.sentence(refusal.Text))
	case err != nil:
		return err
	default:
		v.say("ok", v.Lang.T(done))
	}
	return v.Redirect(http.StatusSeeOther, page)
}

package office

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/html"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// invoiceView is everything that is known about one invoice.
type invoiceView struct {
	db.InvoiceDetailRow
	doc       *billing.Invoice  // nil: the draft could not be computed
	problems  []billing.Problem // why not
	documents []db.InvoiceDocumentsRow
	last      *db.InvoiceCopyRow
	cdrs      map[string]uuid.UUID // by the id that the lines name
	events    []db.Event
	related   []db.RelatedInvoicesRow // references both ways
	credits   []db.OpenCreditsRow     // that wait for a second person
}

// correctable reports whether a document may be put right by another one.
func (i invoiceView) correctable() bool {
	for _, r := range i.related {
		if r.Cancels && r.Corrects {
			return false
		}
	}
	return i.Invoice.Type == string(billing.DocumentInvoice) || i.selfBilled()
}

// selfBilled reports whether the utility has billed what the customer has supplied.
func (i invoiceView) selfBilled() bool {
	return i.Invoice.Type == string(billing.DocumentSelfBilled)
}

// relation is the key of the words for how another document refers to this one.
func (i invoiceView) relation(r db.RelatedInvoicesRow) string {
	switch {
	case r.Corrects && r.Type == string(billing.DocumentCreditNote):
		return "invoice.credited.by"
	case i.Invoice.Type == string(billing.DocumentCreditNote):
		return "invoice.credits"
	case r.Corrects && r.Cancels:
		return "invoice.cancelled.by"
	case r.Corrects:
		return "invoice.corrected.by"
	case i.Invoice.Cancels:
		return "invoice.cancels"
	}
	return "invoice.corrects"
}

func (o *office) invoiceDetail(v *visit) error {
	var view invoiceView
	err := v.read(func(q *db.Queries) (err error) {
		view, err = loadInvoice(v, q)
		return err
	})
	if err != nil {
		return err
	}
	ui.AllowFrames(v.Response().Header())
	return v.render(http.StatusOK, invoiceDetailPage(v, view))
}

func loadInvoice(v *visit, q *db.Queries) (invoiceView, error) {
	ctx := v.Request().Context()
	id, err := v.id()
	if err != nil {
		return invoiceView{}, err
	}
	var i invoiceView
	if i.InvoiceDetailRow, err = q.InvoiceDetail(ctx, db.InvoiceDetailParams{ID: id, TenantID: v.tenant}); err != nil {
		return i, err
	}
	if i.Invoice.Doc != nil {
		if err := json.Unmarshal(i.Invoice.Doc, &i.doc); err != nil {
			return i, fmt.Errorf("read invoice %s: %w", id, err)
		}
	} else {
		doc, err := v.office.Preview(ctx, q, i.Invoice)
		var faulty *billing.DraftError
		var refusal *jobs.Refusal
		switch {
		case err == nil:
			i.doc = &doc
		case errors.As(err, &refusal): // what should be given back is gone
			i.problems = append(i.problems, billing.Problem{DE: refusal.Text.DE, EN: refusal.Text.EN})
		case !errors.As(err, &faulty):
			return i, fmt.Errorf("preview invoice %s: %w", id, err)
		}
	}
	var stored []billing.Problem
	if err := json.Unmarshal(i.Invoice.Problems, &stored); err != nil {
		return i, fmt.Errorf("read problems of invoice %s: %w", id, err)
	}
	i.problems = append(i.problems, stored...)
	if i.credits, err = q.OpenCredits(ctx, uuid.NullUUID{UUID: id, Valid: true}); err != nil {
		return i, fmt.Errorf("credit notes about invoice %s: %w", id, err)
	}
	if i.documents, err = q.InvoiceDocuments(ctx, id); err != nil {
		return i, fmt.Errorf("documents of invoice %s: %w", id, err)
	}
	last, err := q.InvoiceCopy(ctx, uuid.NullUUID{UUID: id, Valid: true})
	if err == nil {
		i.last = &last
	} else if !errors.Is(err, db.ErrNotFound) {
		return i, fmt.Errorf("copies of invoice %s: %w", id, err)
	}
	cdrs, err := q.InvoiceCDRs(ctx, uuid.NullUUID{UUID: id, Valid: true})
	if err != nil {
		return i, fmt.Errorf("CDRs of invoice %s: %w", id, err)
	}
	i.cdrs = make(map[string]uuid.UUID, len(cdrs))
	for _, c := range cdrs {
		i.cdrs[c.OCPIID], i.cdrs[c.CDRID.String()] = c.CDRID, c.CDRID
	}
	if i.related, err = q.RelatedInvoices(ctx, uuid.NullUUID{UUID: id, Valid: true}); err != nil {
		return i, fmt.Errorf("documents that refer to invoice %s: %w", id, err)
	}
	if i.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "invoice", SubjectID: id}); err != nil {
		return i, fmt.Errorf("events of invoice %s: %w", id, err)
	}
	return i, nil
}

// has reports whether a format of the document exists.
func (i invoiceView) has(format string) bool {
	for _, d := range i.documents {
		if d.Format == format {
			return true
		}
	}
	return false
}

// invoiceDocument answers with the frozen bytes of an invoice in a format.
func (o *office) invoiceDocument(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	format, ok := jobs.FormatOf(v.Param("format"))
	if !ok {
		return db.ErrNotFound
	}
	err = v.read(func(q *db.Queries) error {
		_, err := q.InvoiceDetail(v.Request().Context(), db.InvoiceDetailParams{ID: id, TenantID: v.tenant})
		return err
	})
	if err != nil {
		return err
	}
	doc, err := o.Document(v.Request().Context(), id, format)
	if err != nil {
		return err
	}
	return v.document(format, doc)
}

// document answers with the bytes of a document: to be saved with ?download, otherwise to be shown if a browser can.
func (v *visit) document(format jobs.Format, doc db.Document) error {
	switch {
	case v.QueryParams().Has("download"):
		return v.download(doc.FileName, format.Media, doc.Bytes)
	case format.Name == "pdf":
		ui.Framed(v.Response().Header())
	case format.Name == "html":
		v.Response().Header().Set("Content-Security-Policy", html.Policy(doc.Bytes))
	default:
		return v.download(doc.FileName, format.Media, doc.Bytes)
	}
	v.Response().Header().Set("Content-Disposition", fmt.Sprintf("inline; filename=%q", doc.FileName))
	v.Response().Header().Set("Cache-Control", "private, no-store")
	return v.Blob(http.StatusOK, format.Media, doc.Bytes)
}

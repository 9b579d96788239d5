package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/einvoice"
	"github.com/roamwerk/roamwerk/billing/pdf"
	"github.com/roamwerk/roamwerk/db"
)

// RenderInvoice writes the documents of an issued invoice and puts its e-mail into the outbox. The bytes follow from the
// frozen document alone, so a repetition after a crash writes the same ones.
func (w *Worker) RenderInvoice(ctx context.Context, id uuid.UUID) error {
	row, err := w.DB.Invoice(ctx, id)
	if err != nil {
		return err
	}
	if row.DueAt == nil {
		return nil
	}
	var inv billing.Invoice
	if err := json.Unmarshal(row.Doc, &inv); err != nil {
		return fmt.Errorf("read invoice %s: %w", *row.Number, err)
	}
	files, err := render(inv)
	if err != nil {
		return fmt.Errorf("render invoice %s: %w", *row.Number, err)
	}
	var email uuid.UUID
	err = w.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, row.TenantID); err != nil { // holds the chain of documents
			return fmt.Errorf("lock tenant: %w", err)
		}
		row, err := q.LockInvoice(ctx, id)
		if err != nil {
			return err
		}
		if row.DueAt == nil { // another worker was faster
			return nil
		}
		for _, f := range files {
			if err := w.archive(ctx, q, row, f); err != nil {
				return fmt.Errorf("archive %s: %w", f.name, err)
			}
		}
		if email, err = w.queueEmail(ctx, q, row, inv); err != nil {
			return err
		}
		if err := q.InvoiceRendered(ctx, db.InvoiceRenderedParams{ID: id, Now: w.Now()}); err != nil {
			return fmt.Errorf("mark rendered: %w", err)
		}
		return event(ctx, q, w.Now(), row.TenantID, "invoice", id, "rendered", nil)
	})
	if err == nil && email != uuid.Nil {
		w.Bell.Ring(ctx, EmailSend, email)
	}
	return err
}

// file is one format of a document.
type file struct {
	format string
	name   string
	bytes  []byte
}

// mediaTypes are the media types of the formats of a document.
var mediaTypes = map[string]string{"pdf": "application/pdf", "xml": "application/xml"}

// render writes the XML for the recipient, and the PDF with XML inside. Inside is always plain EN 16931, which is what a
// reader of hybrid invoices expects; a public body gets its XRechnung as a file of its own.
func render(inv billing.Invoice) ([]file, error) {
	inside, err := writeXML(inv, einvoice.EN16931)
	if err != nil {
		return nil, err
	}
	xml := inside
	if profile := profileOf(inv); profile != einvoice.EN16931 {
		if xml, err = writeXML(inv, profile); err != nil {
			return nil, err
		}
	}
	var page bytes.Buffer
	if err := pdf.Write(&page, inv, inside); err != nil {
		return nil, fmt.Errorf("PDF: %w", err)
	}
	return []file{{"pdf", inv.Number + ".pdf", page.Bytes()}, {"xml", inv.Number + ".xml", xml}}, nil
}

// writeXML writes an e-invoice and applies the rules that a recipient's software applies: a document that breaks one must
// not leave.
func writeXML(inv billing.Invoice, profile einvoice.Profile) ([]byte, error) {
	var xml bytes.Buffer
	if err := einvoice.Write(&xml, inv, profile); err != nil {
		return nil, fmt.Errorf("XML: %w", err)
	}
	findings, err := einvoice.Check(xml.Bytes())
	if err != nil {
		return nil, fmt.Errorf("check XML: %w", err)
	}
	if len(findings) > 0 {
		return nil, fmt.Errorf("XML breaks %d rules of EN 16931, first %v", len(findings), findings[0])
	}
	return xml.Bytes(), nil
}

// profileOf is XRechnung for a public body, which is known by its Leitweg-ID, and plain EN 16931 for everybody else.
func profileOf(inv billing.Invoice) einvoice.Profile {
	if inv.Customer.BuyerReference != "" {
		return einvoice.XRechnung
	}
	return einvoice.EN16931
}

// archive appends a file to the utility's chain of documents. Its caller holds the tenant's row.
func (w *Worker) archive(ctx context.Context, q *db.Queries, row db.Invoice, f file) error {
	last, err := q.LastDocument(ctx, row.TenantID)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return err
	}
	sum := sha256.Sum256(f.bytes)
	return q.InsertDocument(ctx, db.InsertDocumentParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: row.TenantID, InvoiceID: row.ID, Format: f.format, FileName: f.name, Bytes: f.bytes, SHA256: sum[:],
		Seq: last.Seq + 1, Chain: Chain(last.Chain, sum[:]), CreatedAt: w.Now(),
	})
}

// Chain is the link of a document in its utility's chain: the SHA-256 of the previous link (empty for the first document)
// followed by the document's own SHA-256. Whoever knows the last link can tell whether any earlier document was changed.
func Chain(previous, sha []byte) []byte {
	link := sha256.Sum256(append(bytes.Clone(previous), sha...))
	return link[:]
}

func (w *Worker) postponeInvoice(ctx context.Context, id uuid.UUID, reason error) error {
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		row, err := q.LockInvoice(ctx, id)
		if err != nil || row.DueAt == nil {
			return err
		}
		return q.PostponeInvoice(ctx, db.PostponeInvoiceParams{ID: id, DueAt: ptr(w.Now().Add(backoff(row.Attempts))), Reason: reason.Error()})
	})
}

package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// RenderInvoice issues an invoice that is approved, writes its documents and puts it into the outbox on the way to its customer. The
// bytes follow from the frozen document alone, so a repetition after a crash writes the same ones.
func (w *Worker) RenderInvoice(ctx context.Context, id uuid.UUID) error {
	row, err := w.DB.Invoice(ctx, id)
	if err != nil {
		return err
	}
	if row.DueAt == nil {
		return nil
	}
	if row.State == "draft" {
		var faulty *billing.DraftError
		if _, err := w.ops().IssueInvoice(WithActor(ctx, row.Approver), id); errors.As(err, &faulty) || errors.Is(err, errOutdated) {
			return nil // the draft says so, and is due no more
		} else if err != nil {
			return err
		}
		if row, err = w.DB.Invoice(ctx, id); err != nil {
			return err
		}
	}
	var inv billing.Invoice
	if err := json.Unmarshal(row.Doc, &inv); err != nil {
		return fmt.Errorf("read invoice %s: %w", *row.Number, err)
	}
	files, err := render(inv)
	if err != nil {
		return fmt.Errorf("render invoice %s: %w", *row.Number, err)
	}
	var r ring
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
			if _, err := q.Document(ctx, db.DocumentParams{InvoiceID: id, Format: f.format}); err == nil {
				continue // somebody asked for it before we came
			} else if !errors.Is(err, db.ErrNotFound) {
				return fmt.Errorf("look for %s: %w", f.name, err)
			}
			if err := archive(ctx, q, row, f, w.Now()); err != nil {
				return fmt.Errorf("archive %s: %w", f.name, err)
			}
		}
		if r, err = w.ops().deliver(ctx, q, row, inv); err != nil {
			return err
		}
		if err := q.InvoiceRendered(ctx, db.InvoiceRenderedParams{ID: id, Now: w.Now()}); err != nil {
			return fmt.Errorf("mark rendered: %w", err)
		}
		return event(ctx, q, w.Now(), row.TenantID, "invoice", id, "rendered", nil)
	})
	if err == nil && r.id != uuid.Nil {
		w.Bell.Ring(ctx, r.kind, r.id)
	}
	return err
}

// file is one format of a document.
type file struct {
	format string
	name   string
	bytes  []byte
}

// render writes the XML for the recipient, and the PDF with XML inside.
func render(inv billing.Invoice) ([]file, error) {
	var files []file
	for _, format := range Formats[:atIssue] {
		f, err := format.file(inv)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// Document returns an issued document in a format, which is written and archived now if nobody has asked for it before. Its
// bytes follow from the frozen document and the records of its sessions alone, whoever writes them.
//
// It returns db.ErrNotFound for a draft, which has no documents.
func (o *Ops) Document(ctx context.Context, id uuid.UUID, format Format) (db.Document, error) {
	wanted := db.DocumentParams{InvoiceID: id, Format: format.Name}
	doc, err := o.DB.Document(ctx, wanted)
	if !errors.Is(err, db.ErrNotFound) {
		return doc, err
	}
	row, err := o.DB.Invoice(ctx, id)
	if err != nil {
		return db.Document{}, err
	}
	if row.State != "issued" {
		return db.Document{}, db.ErrNotFound
	}
	var inv billing.Invoice
	if err := json.Unmarshal(row.Doc, &inv); err != nil {
		return db.Document{}, fmt.Errorf("read invoice %s: %w", *row.Number, err)
	}
	f, err := o.fileOf(ctx, id, inv, format)
	if err != nil {
		return db.Document{}, fmt.Errorf("write invoice %s: %w", *row.Number, err)
	}
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, row.TenantID); err != nil { // holds the chain of documents
			return fmt.Errorf("lock tenant: %w", err)
		}
		if doc, err = q.Document(ctx, wanted); !errors.Is(err, db.ErrNotFound) {
			return err // another was faster
		}
		if err := archive(ctx, q, row, f, o.Now()); err != nil {
			return fmt.Errorf("archive %s: %w", f.name, err)
		}
		doc, err = q.Document(ctx, wanted)
		return err
	})
	return doc, err
}

// fileOf writes an issued document in a format.
func (o *Ops) fileOf(ctx context.Context, id uuid.UUID, inv billing.Invoice, format Format) (file, error) {
	if format.Name != MeterFormat.Name {
		return format.file(inv)
	}
	rows, err := o.DB.MeterRecordsOfInvoice(ctx, uuid.NullUUID{UUID: id, Valid: true})
	if err != nil {
		return file{}, fmt.Errorf("meter records: %w", err)
	}
	records := make([]db.MeterRecordsRow, len(rows))
	for i, row := range rows {
		records[i] = db.MeterRecordsRow(row)
	}
	b, err := MeterFile(records)
	return file{format.Name, inv.Number + format.Suffix, b}, err
}

// archive appends a file to the utility's chain of documents. Its caller holds the tenant's row.
func archive(ctx context.Context, q *db.Queries, row db.Invoice, f file, now time.Time) error {
	last, err := q.LastDocument(ctx, row.TenantID)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return err
	}
	sum := sha256.Sum256(f.bytes)
	return q.InsertDocument(ctx, db.InsertDocumentParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: row.TenantID, InvoiceID: row.ID, Format: f.format, FileName: f.name, Bytes: f.bytes, SHA256: sum[:],
		Seq: last.Seq + 1, Chain: Chain(last.Chain, sum[:]), CreatedAt: now,
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

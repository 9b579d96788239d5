package jobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// queueFileDrop puts a file for a print service or an access point into the outbox.
func (o *Ops) queueFileDrop(ctx context.Context, q *db.Queries, row db.Invoice, inv billing.Invoice, c copyOf) (uuid.UUID, error) {
	id, suffix := uuid.Must(uuid.NewV7()), ""
	if c.number > 1 {
		suffix = fmt.Sprintf("-%d", c.number)
	}
	drop := db.InsertFileDropParams{
		ID: id, TenantID: row.TenantID, InvoiceID: row.ID, Way: string(c.way), Copy: c.number, Recipient: c.to,
		FileName: inv.Number + suffix + dropFormat(c.way).Suffix, CreatedAt: o.Now(),
	}
	if c.way == ByLetter {
		drop.Recipient = inv.Customer.Name + ", " + strings.TrimSpace(inv.Customer.Address.PostalCode+" "+inv.Customer.Address.City)
	}
	if err := q.InsertFileDrop(ctx, drop); err != nil {
		return uuid.Nil, fmt.Errorf("queue file: %w", err)
	}
	return id, nil
}

// dropFormat is the form in which a document goes a way.
func dropFormat(way Way) Format {
	if way == ByPeppol {
		return peppolFormat
	}
	return Formats[0]
}

// dropFile writes a file for a print service or an access point. Without a directory the outbox keeps it for the back office to
// hand over. The name and the bytes follow from the document, so that a repetition after a crash writes the same file.
func (w *Worker) dropFile(ctx context.Context, id uuid.UUID) error {
	drop, err := w.DB.FileDrop(ctx, id)
	if err != nil || drop.DueAt == nil {
		return err
	}
	doc, err := w.ops().Document(ctx, drop.InvoiceID, dropFormat(Way(drop.Way)))
	if err != nil {
		return err
	}
	tenant, err := w.DB.Tenant(ctx, drop.TenantID)
	if err != nil {
		return fmt.Errorf("tenant: %w", err)
	}
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		drop, err := q.LockFileDrop(ctx, id)
		if err != nil || drop.DueAt == nil {
			return err
		}
		state := "written"
		if w.DropDir == "" {
			state = "kept"
		} else if err := writeWhole(DropFolder(w.DropDir, tenant, Way(drop.Way)), drop.FileName, doc.Bytes); err != nil {
			return err
		}
		if err := q.FinishFileDrop(ctx, db.FinishFileDropParams{ID: id, State: state, Now: w.Now()}); err != nil {
			return fmt.Errorf("finish file: %w", err)
		}
		if err := q.InvoiceSent(ctx, db.InvoiceSentParams{ID: drop.InvoiceID, Now: w.Now()}); err != nil {
			return fmt.Errorf("mark invoice sent: %w", err)
		}
		return event(ctx, q, w.Now(), drop.TenantID, "invoice", drop.InvoiceID, drop.Way, map[string]string{"state": state, "file": drop.FileName})
	})
}

// DropFolder is where the files of a utility go for a print service or an access point.
func DropFolder(dir string, t db.Tenant, way Way) string {
	return filepath.Join(dir, t.CountryCode+"-"+t.PartyID, string(way))
}

// writeWhole writes a file that others see whole or not at all.
func writeWhole(dir, name string, content []byte) (err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("directory for files: %w", err)
	}
	f, err := os.CreateTemp(dir, ".*.part")
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(f.Name()))
		}
	}()
	_, written := f.Write(content)
	if err := errors.Join(written, f.Chmod(0o640), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}

func fileDropsDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.FileDropsDue(ctx, db.FileDropsDueParams{Now: now, MaxRows: sweepSize})
}

// postponeFileDrop tries a file again later, and gives it to a person when that is of no use.
func (w *Worker) postponeFileDrop(ctx context.Context, id uuid.UUID, reason error) error {
	drop, err := w.DB.FileDrop(ctx, id)
	if err != nil {
		return err
	}
	p := db.PostponeFileDropParams{ID: id, State: "queued", Problem: reason.Error(), DueAt: ptr(w.Now().Add(backoff(drop.Attempts)))}
	if drop.Attempts+1 >= maxEmailAttempts {
		p.State, p.DueAt = "failed", nil
	}
	if err := w.DB.PostponeFileDrop(ctx, p); err != nil {
		return fmt.Errorf("postpone file: %w", err)
	}
	return nil
}

// Package pdf sets invoices on paper: a letter to DIN 5008 in the look of the utility, as one file that is PDF/A-3a (kept for
// years) and PDF/UA-1 (read aloud by a screen reader), with the e-invoice attached as ZUGFeRD and Factur-X want it.
package pdf

import (
	"fmt"
	"io"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/wording"
)

// Write writes inv as PDF with its e-invoice xml (profile EN 16931) attached. Without xml it writes a preview, and an invoice
// without number is headed as a draft. The bytes depend on inv and xml alone.
//
// It returns an error if the logo is no PNG or the language is neither "de" nor "en", or that of w.
func Write(w io.Writer, inv billing.Invoice, xml []byte) error {
	t, ok := wording.Languages[inv.Language]
	if !ok {
		return fmt.Errorf("invoice %s: no texts in language %q", inv.Number, inv.Language)
	}
	d, err := newDocument(w)
	if err != nil {
		return fmt.Errorf("invoice %s: %w", inv.Number, err)
	}
	l := newLetter(d, inv, t)
	if err := l.write(); err != nil {
		return fmt.Errorf("invoice %s: %w", inv.Number, err)
	}
	y, m, day := inv.Date.Date()
	err = d.finish(meta{
		title:    t.Title(inv) + " – " + inv.Supplier.Name,
		author:   inv.Supplier.Name,
		language: t.Locale,
		date:     time.Date(y, m, day, 0, 0, 0, 0, time.UTC),
		xml:      xml,
		xmlNote:  t.Attachment,
	})
	if err != nil {
		return fmt.Errorf("invoice %s: %w", inv.Number, err)
	}
	return nil
}

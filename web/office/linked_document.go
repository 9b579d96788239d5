package office

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/wording"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// linkedDocument is an issued document as its customer finds it by the link in the e-mail, without signing in. The key is the
// proof: it is asked for before anything is read.
type linkedDocument struct {
	key     string
	id      uuid.UUID
	doc     billing.Invoice
	records int64 // of signed meter data
}

// linkedFormats are the forms that a customer is offered, in this order.
var linkedFormats = []string{"pdf", "xml", "csv"}

func (v *visit) linked() (l linkedDocument, err error) {
	ctx := v.Request().Context()
	l.key = v.Param("key")
	if l.id, err = v.office.LinkedDocument(l.key); err != nil {
		return l, err
	}
	row, err := v.office.DB.Invoice(ctx, l.id)
	if err != nil {
		return l, err
	}
	if row.State != "issued" {
		return l, db.ErrNotFound
	}
	if err := json.Unmarshal(row.Doc, &l.doc); err != nil {
		return l, fmt.Errorf("read invoice %s: %w", l.id, err)
	}
	l.records, err = v.office.DB.CountMeterRecordsOfInvoice(ctx, uuid.NullUUID{UUID: l.id, Valid: true})
	if err != nil {
		return l, fmt.Errorf("meter records of invoice %s: %w", l.id, err)
	}
	// Nobody else shall find the page, nor learn of it from where its reader goes next.
	v.Response().Header().Set("X-Robots-Tag", "noindex, nofollow")
	v.Response().Header().Set("Cache-Control", "private, no-store")
	v.Response().Header().Set("Referrer-Policy", "no-referrer")
	return l, nil
}

func (o *office) linkedPage(v *visit) error {
	l, err := v.linked()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, linkedDocumentPage(v, l))
}

func (o *office) linkedFile(v *visit) error {
	l, err := v.linked()
	if err != nil {
		return err
	}
	name := v.Param("format")
	format, ok := jobs.FormatOf(name)
	if !ok || name != "html" && name != jobs.MeterFormat.Name && !slices.Contains(linkedFormats, name) {
		return db.ErrNotFound
	}
	doc, err := o.Document(v.Request().Context(), l.id, format)
	if err != nil {
		return err
	}
	return v.document(format, doc)
}

// words are those of documents, in the language of the page.
func (v *visit) words() wording.Texts { return wording.Languages[string(v.Lang)] }

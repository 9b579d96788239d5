// Package einvoice writes invoices as UN/CEFACT Cross Industry Invoice D16B, the syntax of ZUGFeRD, Factur-X and XRechnung,
// and checks such documents against the business rules of EN 16931 and XRechnung that our documents touch.
package einvoice

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"github.com/roamwerk/roamwerk/billing"
)

// Profile is the specification that a document claims to follow (EN 16931 BT-24).
type Profile string

// The profiles that Write knows.
const (
	// EN16931 is the core invoice: what lies inside a ZUGFeRD or Factur-X PDF.
	EN16931 Profile = "urn:cen.eu:en16931:2017"
	// XRechnung is the German CIUS 3.0, for public bodies and on request.
	XRechnung Profile = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
)

// ErrNoNumber is returned for an invoice that has not been issued.
var ErrNoNumber = errors.New("invoice has no number")

// Write writes inv as CII D16B in UTF-8. The bytes depend on inv and profile alone. It does not judge inv: Check does.
//
// It returns ErrNoNumber for a draft, or the error of w.
func Write(w io.Writer, inv billing.Invoice, profile Profile) error {
	if inv.Number == "" {
		return ErrNoNumber
	}
	return write(w, inv.Number, document(inv, profile))
}

func write(w io.Writer, number string, content any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("e-invoice %s: %w", number, err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(content); err != nil {
		return fmt.Errorf("e-invoice %s: %w", number, err)
	}
	return nil
}

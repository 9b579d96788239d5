package einvoice

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/roamwerk/roamwerk/billing"
)

// The names under which receivers in the Peppol network register that they take a CII XRechnung.
const (
	peppolStandard = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
	peppolType     = "CrossIndustryInvoice"
	peppolVersion  = "D16B"
	peppolDocument = peppolStandard + "::" + peppolType + "##" + string(XRechnung) + "::" + peppolVersion
	participants   = "iso6523-actorid-upis"
)

// Whom Peppol does not know.
var (
	ErrNoPeppolID = errors.New("customer has no Peppol id")
	ErrNoVATID    = errors.New("supplier has no VAT id of a country whose ids Peppol knows")
)

// vatSchemes are the ISO 6523 codes under which Peppol knows holders of a VAT id, by country.
var vatSchemes = map[string]string{"AT": "9914", "BE": "9925", "CZ": "9929", "DE": "9930", "FR": "9957", "LU": "9938", "NL": "9944", "PL": "9945"}

// PeppolID is how Peppol knows a supplier: by its VAT id (9930:de123456789). It returns ErrNoVATID if it has none.
func PeppolID(s billing.Supplier) (string, error) {
	if len(s.VATID) < 3 || vatSchemes[s.VATID[:2]] == "" {
		return "", ErrNoVATID
	}
	return vatSchemes[s.VATID[:2]] + ":" + strings.ToLower(s.VATID), nil
}

type envelope struct {
	XMLName xml.Name `xml:"http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader StandardBusinessDocument"`
	Header  struct {
		Version  string      `xml:"HeaderVersion"`
		Sender   participant `xml:"Sender>Identifier"`
		Receiver participant `xml:"Receiver>Identifier"`
		Document struct {
			Standard string `xml:"Standard"`
			Version  string `xml:"TypeVersion"`
			ID       string `xml:"InstanceIdentifier"`
			Type     string `xml:"Type"`
			Created  string `xml:"CreationDateAndTime"`
		} `xml:"DocumentIdentification"`
		Scopes []scope `xml:"BusinessScope>Scope"`
	} `xml:"StandardBusinessDocumentHeader"`
	Invoice ciiInvoice
}

type participant struct {
	Authority string `xml:"Authority,attr"`
	ID        string `xml:",chardata"`
}

type scope struct {
	Type  string `xml:"Type"`
	Value string `xml:"InstanceIdentifier"`
	Kind  string `xml:"Identifier,omitempty"`
}

// WritePeppol writes inv as XRechnung in the envelope of the Peppol network (Business Message Envelope 2.0), ready for an access
// point. The message has the number of the document as its id, so that a repetition can be told from a new document.
//
// It returns ErrNoNumber for a draft, ErrNoPeppolID and ErrNoVATID where a side is not known to Peppol, or the error of w.
func WritePeppol(w io.Writer, inv billing.Invoice) error {
	sender, err := PeppolID(inv.Supplier)
	if err != nil {
		return err
	}
	if inv.Customer.PeppolID == "" {
		return ErrNoPeppolID
	}
	if inv.Number == "" {
		return ErrNoNumber
	}
	e := envelope{Invoice: document(inv, XRechnung)}
	e.Header.Version = "1.0"
	e.Header.Sender, e.Header.Receiver = participant{participants, sender}, participant{participants, inv.Customer.PeppolID}
	d := &e.Header.Document
	d.Standard, d.Version, d.ID, d.Type = peppolStandard, peppolVersion, inv.Supplier.VATID+"-"+inv.Number, peppolType
	d.Created = inv.Date.Format("2006-01-02") + "T00:00:00Z"
	e.Header.Scopes = []scope{
		{"DOCUMENTID", peppolDocument, "busdox-docid-qns"}, {"PROCESSID", process, "cenbii-procid-ubl"}, {"COUNTRY_C1", inv.Supplier.Address.Country, ""},
	}
	return write(w, inv.Number, e)
}

package meter

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Version of the verifier. A verdict is stored with it: what a later version says may differ.
const Version = "meter-2"

// Format is how a record is written. The values are those of the XML file of the transparency software.
type Format string

// The formats.
const (
	OCMF          Format = "OCMF"            // S.A.F.E., 0.1 to 1.4
	ALFEN         Format = "ALFEN"           // Alfen Eichrecht, AP;
	EDL40         Format = "EDL_40_P"        // EMH, an SML file
	EDL40Sig      Format = "EDL_40_SIG"      // EMH, the signed block and its signature in XML
	EDL40Mennekes Format = "EDL_40_MENNEKES" // EMH, the parts of two blocks in XML
	ISAEDL40      Format = "ISA_EDL_40_P"    // Isabellenhütte, an SML file
	PCDF          Format = "PCDF"            // Porsche
)

// Signed is a record on its way to us: its text as it came, and what came with it. Nothing but the signed bytes of the text
// proves anything.
type Signed struct {
	Text        string // byte for byte
	Key         string // a public key that came beside it, encoded somehow
	Transaction string // number of the transaction in an XML file
	Context     string // Transaction.Begin or Transaction.End, or OCPI's Start or End
}

// Record is what a signed record says.
type Record struct {
	Format  Format
	Version string // of the format

	Gateway     string   // serial number of what has signed
	Meter       string   // serial number of the meter
	ChargePoint string   // as the device names it
	ID          string   // of the user, as the device has read it
	IDType      string   // ISO14443, EMAID, …
	Session     string   // number that the device gave the session
	Events      []string // states of the logbook, which an event changes
	Pages       []int64  // numbers of the record in the device's own sequence, ascending by one
	PageContext string   // which sequence that is
	Readings    []Reading

	plain    string // the record as text, hexadecimal if it is none
	parts    []part
	curve    *curve
	embedded *Key      // that stands inside the record
	keyForm  pointForm // of keys that come beside it
	refused  *Fault    // the device itself says that the record must not be billed
	whole    bool      // the record holds begin and end
	idError  string    // what went wrong when the device identified the user
}

// part is what one signature covers. Most records have one.
type part struct {
	signed []byte
	digest []byte
	sig    signature
}

// Mark is what a reading is in its session.
type Mark int

// The marks. A reading without one is between begin and end.
const (
	Between Mark = iota
	Begin
	End
	Failed // from here on the quantities are not usable
)

// Sync is how far the clock of a reading can be trusted (OCMF specification, table 19). Zero: the device does not say.
type Sync byte

// The states of a clock.
const (
	SyncUnknown     Sync = 'U'
	SyncInformative Sync = 'I'
	SyncRelative    Sync = 'R' // durations are right, instants are not
	Synchronised    Sync = 'S'
)

// Reading is one value of one register at one instant.
type Reading struct {
	Mark     Mark
	At       time.Time // zero: not known
	Sync     Sync
	Value    decimal.Decimal // kWh; undefined without Readable
	Readable bool            // there is a value in Wh or kWh
	Unit     string          // as written
	Register OBIS
	Fault    string // what the meter says of the reading; empty: it is good
}

// Hash identifies what was measured, however the text of the record is written. It covers the signed bytes alone: of one valid
// signature another one can be made without the key.
func (r *Record) Hash() [32]byte {
	h := sha256.New()
	for _, p := range r.parts {
		h.Write(p.signed)
	}
	return [32]byte(h.Sum(nil))
}

// Embedded is the public key inside the record, nil if there is none. It proves nothing: whoever forges a record can put his own
// key into it.
func (r *Record) Embedded() *Key { return r.embedded }

// Curve is the name of the curve that the record is signed on.
func (r *Record) Curve() string { return r.curve.name }

// Serial is the serial number of the meter, or of what has signed if the record names no meter.
func (r *Record) Serial() string { return cmp.Or(r.Meter, r.Gateway) }

// Pagination is the number of the record in the device's own sequence, as in T7, or the first and the last of several.
func (r *Record) Pagination() string {
	switch len(r.Pages) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s%d", r.PageContext, r.Pages[0])
	}
	return fmt.Sprintf("%s%d-%d", r.PageContext, r.Pages[0], r.Pages[len(r.Pages)-1])
}

// Whole reports whether the record holds both begin and end.
func (r *Record) Whole() bool { return r.whole }

// VerifiedBy reports whether the record was signed with the private half of the key.
func (r *Record) VerifiedBy(k *Key) bool {
	if k.curve != r.curve {
		return false
	}
	for _, p := range r.parts {
		if !k.verify(p.digest, p.sig) {
			return false
		}
	}
	return len(r.parts) > 0
}

// maxText bounds a record. OCPI allows 5,000 characters, and the longest that meters write are below 20,000.
const maxText = 64 << 10

// Read reads one record in whichever format it is, plain, hexadecimal or Base64.
func Read(text string) (*Record, *Fault) {
	if len(text) > maxText {
		return nil, &Fault{TooLarge, "longer than 64 KiB"}
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if read := readerOf(text); read != nil {
		return plainly(text, read)
	}
	for _, b := range encodings(text, maxText) {
		if isSML(b) {
			return plainly(hex.EncodeToString(b), func(string) (*Record, *Fault) { return readSML(b) })
		}
		if bytes.Contains(b[:min(len(b), 64)], sealOID) {
			return nil, &Fault{FormatUnknown, "a SAFEseal: RSA without a hash, which is no signature of a meter record"}
		}
		if inner := strings.TrimSpace(string(b)); readerOf(inner) != nil {
			return plainly(inner, readerOf(inner))
		}
	}
	if text == "" {
		return nil, &Fault{NotSignedData, "the text is empty"}
	}
	return nil, &Fault{NotSignedData, fmt.Sprintf("it begins with %.20q", text)}
}

// plainly reads a record and remembers its text.
func plainly(text string, read func(string) (*Record, *Fault)) (*Record, *Fault) {
	r, fault := read(text)
	if r != nil {
		r.plain = strings.Trim(text, "\x02\x03") // PCDF comes between STX and ETX, which XML cannot hold
	}
	return r, fault
}

// sealOID (1.3.6.1.4.1.60279) is in what SAFEsealing makes: text that RSA has encrypted with the private key.
var sealOID = []byte{0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xd6, 0x77}

// readerOf tells the format of a record by how it begins; nil: it is none that is written as text.
func readerOf(text string) func(string) (*Record, *Fault) {
	switch {
	case strings.HasPrefix(text, ocmfHead):
		return readOCMF
	case strings.HasPrefix(text, alfenHead):
		return readALFEN
	case strings.Contains(text[:min(len(text), 16)], pcdfHead):
		return readPCDF
	case strings.HasPrefix(text, "<"):
		return readXML
	}
	return nil
}

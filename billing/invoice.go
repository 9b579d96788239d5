package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// DocumentType is the kind of a billing document, as coded in UNTDID 1001 (EN 16931 BT-3).
type DocumentType string

// The document types that Roamwerk issues.
const (
	DocumentInvoice    DocumentType = "380" // Rechnung
	DocumentCreditNote DocumentType = "381" // Entgeltminderung (§ 17 UStG): its amounts are in the customer's favour
	DocumentCorrection DocumentType = "384" // Rechnungskorrektur and Stornorechnung
	DocumentSelfBilled DocumentType = "389" // Gutschrift: the utility bills what the customer supplied, and pays it
)

// The law keeps the word "Gutschrift" for the self-billed invoice (§ 14(2) sentence 2 UStG): no other document bears it.

// Pays reports whether the amount of a document goes from the utility to the customer.
func (t DocumentType) Pays() bool { return t == DocumentCreditNote || t == DocumentSelfBilled }

// Invoice is a finished billing document: everything that its PDF, its XML and an auditor need, and nothing that has to be
// looked up elsewhere. It is computed once by Draft.Invoice and frozen as JSON when it is issued.
//
// All amounts are in Currency. Date and DueDate are calendar days: their year, month and day count as they stand. Instants
// are UTC and are shown in the supplier's time zone.
type Invoice struct {
	Type       DocumentType
	SelfBilled bool   `json:",omitempty"` // the customer is the seller: a self-billed document, or one that corrects such
	Number     string // BT-1, empty while the invoice is a draft
	Date       time.Time
	DueDate    time.Time // BT-9, zero if nothing falls due
	Currency   string    // ISO 4217, BT-5
	Language   string    // "de" or "en"
	Period     Period    // BG-14
	Supplier   Supplier
	Customer   Customer
	GrossExact bool // the prices promised to the customer include VAT: paper shows gross, and Gross is the sum of the lines' Gross
	Lines      []InvoiceLine
	VAT        []VATLine       // BG-23, one per category and rate, in order of the rate
	Net        decimal.Decimal // BT-106 and BT-109
	VATTotal   decimal.Decimal // BT-110
	Gross      decimal.Decimal // BT-112
	Paid       decimal.Decimal // BT-113
	Due        decimal.Decimal // BT-115, Gross less Paid
	Payment    Payment
	Preceding  *Reference // BG-3: the document that this one corrects
	Notes      []string   // BT-22

	Detail []InvoiceLine `json:",omitempty"` // every line of a document that sums up its sessions; otherwise none
}

// Pays reports whether the amounts of the document go from the utility to the customer.
func (inv Invoice) Pays() bool { return inv.Type.Pays() || inv.SelfBilled }

// Owed is what the customer owes by the document: its sums, the other way round where it pays.
func (inv Invoice) Owed() (net, vat, gross decimal.Decimal) {
	if inv.Pays() {
		return inv.Net.Neg(), inv.VATTotal.Neg(), inv.Gross.Neg()
	}
	return inv.Net, inv.VATTotal, inv.Gross
}

// FullList is every session and fee of the document, also where its lines sum them up.
func (inv Invoice) FullList() []InvoiceLine {
	if len(inv.Detail) > 0 {
		return inv.Detail
	}
	return inv.Lines
}

// Period is the span of service of a document or a line: [Start, End), both in UTC.
type Period struct{ Start, End time.Time }

// Supplier is the utility in whose name the document is issued (§ 14(4) no. 1 and 2 UStG): the seller (EN 16931 BG-4), except
// on a self-billed invoice, where it is the buyer.
type Supplier struct {
	Name         string
	Address      Address
	VATID        string // BT-31
	TaxNumber    string // BT-32
	Register     string // "Amtsgericht Musterstadt, HRB 1234"
	ContactName  string // BT-41
	ContactPhone string // BT-42
	ContactEmail string // BT-43, also BT-34 with scheme EM
	Website      string
	Legal        string // footer: directors and supervisory board
	TimeZone     string // IANA name; empty means Europe/Berlin
	Design       Design
}

// Design is the corporate look of a utility on paper and on screen.
type Design struct {
	Colour string // "#0b5cad"; contrast against white is at least 4.5:1
	Logo   []byte // PNG, may be empty: then the name stands in its place
}

// Address is a postal address (EN 16931 BG-5, BG-8).
type Address struct {
	Street     string
	PostalCode string
	City       string
	Country    string // ISO 3166-1 alpha-2
}

// Customer is the recipient of the document: the buyer (EN 16931 BG-7), except on a self-billed invoice, where it is the seller.
type Customer struct {
	Number         string // BT-46
	Name           string // BT-44: company, or the person's name
	Contact        string // BT-56, empty for a private customer
	Address        Address
	Phone          string // BT-42, if the customer is the seller
	Email          string // BT-49 with scheme EM, unless there is a Peppol id
	PeppolID       string `json:",omitempty"` // BT-49 with its scheme, as in 0204:991-12345-67
	VATID          string // BT-48
	TaxNumber      string // BT-32, if the customer is the seller and has no VAT id
	BuyerReference string // BT-10: Leitweg-ID of a public body, or the customer's own reference
}

// InvoiceLine is one line of a document (BG-25): as a rule one charging session.
//
// Net is what EN 16931 sums (BT-131). Gross is the amount that was promised to a consumer; it is exact where prices
// include VAT, and Net then carries the residue (see Draft.Invoice).
type InvoiceLine struct {
	ID          string // BT-126, "1", "2", …
	Name        string // BT-153: "Ladevorgang Marktplatz 1, Musterstadt"
	Description string // BT-154: the price sentence for the customer
	Session     *LineSession
	Quantity    decimal.Decimal // BT-129
	Unit        Unit            // BT-130
	Price       decimal.Decimal // BT-146, net price of PriceBase units, at most 6 decimals
	PriceBase   decimal.Decimal // BT-149, 1 unless a unit price of 6 decimals would not give Net again
	Net         decimal.Decimal // BT-131
	Gross       decimal.Decimal // Net + VAT of the line as shown to the customer
	VATCategory VATCategory     // BT-151
	VATRate     decimal.Decimal // BT-152, percent
	Period      Period          // BG-26
	Heading     string          // groups lines on paper: "", or "Nachträge aus August 2026"
}

// LineSession says which charging session a line bills (BG-32 attributes and the session list on paper).
type LineSession struct {
	CDRID    string
	Operator string // name of the CPO
	EVSEID   string
	Place    string
	Start    time.Time
	End      time.Time
	KWh      decimal.Decimal
	CardUID  string // shortened for display
}

// Unit is a unit of measure of UN/ECE Recommendation 20.
type Unit string

// The units that charging is billed in.
const (
	UnitKWh    Unit = "KWH"
	UnitMinute Unit = "MIN"
	UnitPiece  Unit = "C62"
	UnitMonth  Unit = "MON"
)

// VATLine is the VAT of one category and rate (BG-23). Tax is computed on the sum of the lines, not by line.
type VATLine struct {
	Category VATCategory     // BT-118
	Rate     decimal.Decimal // BT-119, percent
	Net      decimal.Decimal // BT-116
	Tax      decimal.Decimal // BT-117
	Reason   string          // BT-120, for E and AE
}

// PaymentMeans is how a document is paid, as coded in UNTDID 4461 (BT-81).
type PaymentMeans string

// The means of payment that the platform knows.
const (
	PaymentTransfer    PaymentMeans = "58" // SEPA credit transfer by the customer
	PaymentDirectDebit PaymentMeans = "59" // SEPA direct debit by the utility
	PaymentCard        PaymentMeans = "48"
	PaymentOffset      PaymentMeans = "97" // set off on the customer's account
)

// Payment tells how the amount is paid (BG-16). Fields that do not belong to Means are empty.
type Payment struct {
	Means            PaymentMeans
	Terms            string // BT-20, in the document's language
	AccountName      string // BT-85, transfer
	IBAN             string // BT-84, transfer: the account of the utility, or of the customer on a document that pays
	BIC              string // BT-86, transfer
	MandateReference string // BT-89, direct debit
	CreditorID       string // BT-90, direct debit
	DebtorIBAN       string // BT-91, direct debit
	CardLast4        string // BT-87, card
}

// Reference points to an earlier document (BG-3).
type Reference struct {
	Number string    // BT-25
	Date   time.Time // BT-26
}

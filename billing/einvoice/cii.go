package einvoice

import "encoding/xml"

// The types of this file are the part of CII D16B that we write. Fields stand in the order that the schema demands; each
// says which business term or group of EN 16931 it carries.

const (
	nsRSM = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
	nsRAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
	nsQDT = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
	nsUDT = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
)

type ciiInvoice struct {
	XMLName  xml.Name    `xml:"rsm:CrossIndustryInvoice"`
	RSM      string      `xml:"xmlns:rsm,attr"`
	RAM      string      `xml:"xmlns:ram,attr"`
	QDT      string      `xml:"xmlns:qdt,attr"`
	UDT      string      `xml:"xmlns:udt,attr"`
	Process  string      `xml:"rsm:ExchangedDocumentContext>ram:BusinessProcessSpecifiedDocumentContextParameter>ram:ID"` // BT-23
	Profile  Profile     `xml:"rsm:ExchangedDocumentContext>ram:GuidelineSpecifiedDocumentContextParameter>ram:ID"`       // BT-24
	Document ciiDocument `xml:"rsm:ExchangedDocument"`
	Trade    ciiTrade    `xml:"rsm:SupplyChainTradeTransaction"`
}

type ciiDocument struct {
	ID    string    `xml:"ram:ID"`                               // BT-1
	Type  string    `xml:"ram:TypeCode"`                         // BT-3
	Date  ciiDate   `xml:"ram:IssueDateTime>udt:DateTimeString"` // BT-2
	Notes []ciiNote `xml:"ram:IncludedNote"`                     // BG-1
}

type ciiNote struct {
	Content string `xml:"ram:Content"` // BT-22, BT-127
}

// ciiDate is a calendar day; format 102 means CCYYMMDD.
type ciiDate struct {
	Format string `xml:"format,attr"`
	Day    string `xml:",chardata"`
}

type ciiTrade struct {
	Lines      []ciiLine     `xml:"ram:IncludedSupplyChainTradeLineItem"` // BG-25
	Agreement  ciiAgreement  `xml:"ram:ApplicableHeaderTradeAgreement"`
	Delivered  ciiDate       `xml:"ram:ApplicableHeaderTradeDelivery>ram:ActualDeliverySupplyChainEvent>ram:OccurrenceDateTime>udt:DateTimeString"` // BT-72
	Settlement ciiSettlement `xml:"ram:ApplicableHeaderTradeSettlement"`
}

type ciiLine struct {
	ID         string         `xml:"ram:AssociatedDocumentLineDocument>ram:LineID"`                                                          // BT-126
	Note       *ciiNote       `xml:"ram:AssociatedDocumentLineDocument>ram:IncludedNote"`                                                    // BT-127
	Name       string         `xml:"ram:SpecifiedTradeProduct>ram:Name"`                                                                     // BT-153
	Text       string         `xml:"ram:SpecifiedTradeProduct>ram:Description,omitempty"`                                                    // BT-154
	Attributes []ciiAttribute `xml:"ram:SpecifiedTradeProduct>ram:ApplicableProductCharacteristic"`                                          // BG-32
	Price      ciiPrice       `xml:"ram:SpecifiedLineTradeAgreement>ram:NetPriceProductTradePrice"`                                          // BG-29
	Quantity   ciiQuantity    `xml:"ram:SpecifiedLineTradeDelivery>ram:BilledQuantity"`                                                      // BT-129
	Tax        ciiLineTax     `xml:"ram:SpecifiedLineTradeSettlement>ram:ApplicableTradeTax"`                                                // BG-30
	Period     ciiPeriod      `xml:"ram:SpecifiedLineTradeSettlement>ram:BillingSpecifiedPeriod"`                                            // BG-26
	Net        string         `xml:"ram:SpecifiedLineTradeSettlement>ram:SpecifiedTradeSettlementLineMonetarySummation>ram:LineTotalAmount"` // BT-131
}

type ciiAttribute struct {
	Name  string `xml:"ram:Description"` // BT-160
	Value string `xml:"ram:Value"`       // BT-161
}

type ciiPrice struct {
	Amount string       `xml:"ram:ChargeAmount"`  // BT-146
	Base   *ciiQuantity `xml:"ram:BasisQuantity"` // BT-149, BT-150
}

type ciiQuantity struct {
	Unit  string `xml:"unitCode,attr"` // BT-130
	Value string `xml:",chardata"`
}

type ciiLineTax struct {
	Type     string `xml:"ram:TypeCode"`
	Category string `xml:"ram:CategoryCode"`                    // BT-151
	Rate     string `xml:"ram:RateApplicablePercent,omitempty"` // BT-152
}

type ciiPeriod struct {
	Start ciiDate `xml:"ram:StartDateTime>udt:DateTimeString"` // BT-73, BT-134
	End   ciiDate `xml:"ram:EndDateTime>udt:DateTimeString"`   // BT-74, BT-135
}

type ciiAgreement struct {
	BuyerReference string   `xml:"ram:BuyerReference,omitempty"` // BT-10
	Seller         ciiParty `xml:"ram:SellerTradeParty"`         // BG-4
	Buyer          ciiParty `xml:"ram:BuyerTradeParty"`          // BG-7
}

type ciiParty struct {
	ID       string      `xml:"ram:ID,omitempty"`          // BT-29, BT-46
	Name     string      `xml:"ram:Name"`                  // BT-27, BT-44
	Legal    string      `xml:"ram:Description,omitempty"` // BT-33
	Register *ciiLegal   `xml:"ram:SpecifiedLegalOrganization"`
	Contact  *ciiContact `xml:"ram:DefinedTradeContact"` // BG-6, BG-9
	Postcode string      `xml:"ram:PostalTradeAddress>ram:PostcodeCode"`
	Street   string      `xml:"ram:PostalTradeAddress>ram:LineOne"`
	City     string      `xml:"ram:PostalTradeAddress>ram:CityName"`
	Country  string      `xml:"ram:PostalTradeAddress>ram:CountryID"`
	Email    *ciiID      `xml:"ram:URIUniversalCommunication>ram:URIID"` // BT-34, BT-49
	Tax      []ciiTaxID  `xml:"ram:SpecifiedTaxRegistration"`            // BT-31, BT-32, BT-48
}

type ciiLegal struct {
	ID string `xml:"ram:ID"` // BT-30
}

type ciiContact struct {
	Person string     `xml:"ram:PersonName"`                      // BT-41, BT-56
	Phone  *ciiNumber `xml:"ram:TelephoneUniversalCommunication"` // BT-42
	Email  *ciiURI    `xml:"ram:EmailURIUniversalCommunication"`  // BT-43
}

type ciiNumber struct {
	Number string `xml:"ram:CompleteNumber"`
}

type ciiURI struct {
	ID string `xml:"ram:URIID"`
}

type ciiTaxID struct {
	ID ciiID `xml:"ram:ID"`
}

// ciiID is an identifier with its scheme: EM for e-mail, VA for a VAT id, FC for a tax number.
type ciiID struct {
	Scheme string `xml:"schemeID,attr"`
	Value  string `xml:",chardata"`
}

type ciiSettlement struct {
	CreditorID string        `xml:"ram:CreditorReferenceID,omitempty"` // BT-90
	Reference  string        `xml:"ram:PaymentReference"`              // BT-83
	Currency   string        `xml:"ram:InvoiceCurrencyCode"`           // BT-5
	Means      ciiMeans      `xml:"ram:SpecifiedTradeSettlementPaymentMeans"`
	Taxes      []ciiTax      `xml:"ram:ApplicableTradeTax"`     // BG-23
	Period     ciiPeriod     `xml:"ram:BillingSpecifiedPeriod"` // BG-14
	Terms      *ciiTerms     `xml:"ram:SpecifiedTradePaymentTerms"`
	Sums       ciiSums       `xml:"ram:SpecifiedTradeSettlementHeaderMonetarySummation"` // BG-22
	Preceding  *ciiPreceding `xml:"ram:InvoiceReferencedDocument"`                       // BG-3
}

type ciiMeans struct {
	Type     string      `xml:"ram:TypeCode"`                               // BT-81
	Card     *ciiCard    `xml:"ram:ApplicableTradeSettlementFinancialCard"` // BG-18
	Debtor   *ciiAccount `xml:"ram:PayerPartyDebtorFinancialAccount"`       // BT-91
	Creditor *ciiAccount `xml:"ram:PayeePartyCreditorFinancialAccount"`     // BG-17
	Bank     *ciiBank    `xml:"ram:PayeeSpecifiedCreditorFinancialInstitution"`
}

type ciiCard struct {
	ID string `xml:"ram:ID"` // BT-87
}

type ciiAccount struct {
	IBAN string `xml:"ram:IBANID"`                // BT-84, BT-91
	Name string `xml:"ram:AccountName,omitempty"` // BT-85
}

type ciiBank struct {
	BIC string `xml:"ram:BICID"` // BT-86
}

type ciiTax struct {
	Amount     string `xml:"ram:CalculatedAmount"` // BT-117
	Type       string `xml:"ram:TypeCode"`
	Reason     string `xml:"ram:ExemptionReason,omitempty"`       // BT-120
	Net        string `xml:"ram:BasisAmount"`                     // BT-116
	Category   string `xml:"ram:CategoryCode"`                    // BT-118
	ReasonCode string `xml:"ram:ExemptionReasonCode,omitempty"`   // BT-121
	Rate       string `xml:"ram:RateApplicablePercent,omitempty"` // BT-119
}

type ciiTerms struct {
	Text    string   `xml:"ram:Description,omitempty"`              // BT-20
	Due     *ciiDate `xml:"ram:DueDateDateTime>udt:DateTimeString"` // BT-9
	Mandate string   `xml:"ram:DirectDebitMandateID,omitempty"`     // BT-89
}

type ciiSums struct {
	Lines string    `xml:"ram:LineTotalAmount"`              // BT-106
	Net   string    `xml:"ram:TaxBasisTotalAmount"`          // BT-109
	Tax   ciiAmount `xml:"ram:TaxTotalAmount"`               // BT-110
	Gross string    `xml:"ram:GrandTotalAmount"`             // BT-112
	Paid  string    `xml:"ram:TotalPrepaidAmount,omitempty"` // BT-113
	Due   string    `xml:"ram:DuePayableAmount"`             // BT-115
}

type ciiAmount struct {
	Currency string `xml:"currencyID,attr"`
	Value    string `xml:",chardata"`
}

type ciiPreceding struct {
	ID   string   `xml:"ram:IssuerAssignedID"`                          // BT-25
	Date *ciiDate `xml:"ram:FormattedIssueDateTime>qdt:DateTimeString"` // BT-26
}

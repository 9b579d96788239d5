package einvoice

import (
	"slices"
	"strings"

	"github.com/jacoelho/banking/iban"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// Paths below the root.
const (
	profilePath = "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID"
	tradePath   = "SupplyChainTradeTransaction"
	linePath    = tradePath + "/IncludedSupplyChainTradeLineItem"
	sellerPath  = tradePath + "/ApplicableHeaderTradeAgreement/SellerTradeParty"
	buyerPath   = tradePath + "/ApplicableHeaderTradeAgreement/BuyerTradeParty"
	settlePath  = tradePath + "/ApplicableHeaderTradeSettlement"
	taxPath     = settlePath + "/ApplicableTradeTax"
	meansPath   = settlePath + "/SpecifiedTradeSettlementPaymentMeans"
	sumPath     = settlePath + "/SpecifiedTradeSettlementHeaderMonetarySummation"
)

// Paths below a line.
const (
	lineTax    = "SpecifiedLineTradeSettlement/ApplicableTradeTax"
	linePeriod = "SpecifiedLineTradeSettlement/BillingSpecifiedPeriod"
	lineSum    = "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"
	linePrice  = "SpecifiedLineTradeAgreement/NetPriceProductTradePrice"
	lineAmount = "SpecifiedLineTradeDelivery/BilledQuantity"
	startDay   = "StartDateTime/DateTimeString"
	endDay     = "EndDateTime/DateTimeString"
	contact    = "DefinedTradeContact"
)

var one = decimal.NewFromInt(1)

// rules are the business rules in the order of the standard. Document-level allowances and charges (BG-20, BG-21) and the
// rounding amount (BT-114) are not among them: we write none.
var rules = []rule{
	needs("BR-01", "", profilePath, "the specification identifier (BT-24)"),
	needs("BR-02", "ExchangedDocument", "ID", "the invoice number (BT-1)"),
	needs("BR-03", "ExchangedDocument", "IssueDateTime/DateTimeString", "the issue date (BT-2)"),
	needs("BR-04", "ExchangedDocument", "TypeCode", "the type code (BT-3)"),
	needs("BR-05", settlePath, "InvoiceCurrencyCode", "the currency (BT-5)"),
	needs("BR-06", sellerPath, "Name", "the seller's name (BT-27)"),
	needs("BR-07", buyerPath, "Name", "the buyer's name (BT-44)"),
	needs("BR-09", sellerPath, "PostalTradeAddress/CountryID", "the seller's country (BT-40)"),
	needs("BR-11", buyerPath, "PostalTradeAddress/CountryID", "the buyer's country (BT-55)"),
	needs("BR-12", sumPath, "LineTotalAmount", "the sum of the line nets (BT-106)"),
	needs("BR-13", sumPath, "TaxBasisTotalAmount", "the total without VAT (BT-109)"),
	needs("BR-14", sumPath, "GrandTotalAmount", "the total with VAT (BT-112)"),
	needs("BR-15", sumPath, "DuePayableAmount", "the amount due (BT-115)"),
	{id: "BR-16", text: "there is no line (BG-25)", holds: func(root, _ *node) bool { return len(root.all(linePath)) > 0 }},
	needs("BR-21", linePath, "AssociatedDocumentLineDocument/LineID", "the line's identifier (BT-126)"),
	needs("BR-22", linePath, lineAmount, "the quantity (BT-129)"),
	{id: "BR-23", at: linePath + "/" + lineAmount, text: "the unit (BT-130) is missing", holds: func(_, n *node) bool { return n.attrs["unitCode"] != "" }},
	needs("BR-24", linePath, lineSum, "the line's net (BT-131)"),
	needs("BR-25", linePath, "SpecifiedTradeProduct/Name", "the line's name (BT-153)"),
	needs("BR-26", linePath, linePrice+"/ChargeAmount", "the price (BT-146)"),
	{id: "BR-27", at: linePath + "/" + linePrice, text: "the price (BT-146) is negative", holds: func(_, n *node) bool {
		p, _ := n.num("ChargeAmount")
		return !p.IsNegative()
	}},
	{id: "BR-29", at: settlePath + "/BillingSpecifiedPeriod", text: "the period (BG-14) ends before it begins", holds: ordered},
	{id: "BR-30", at: linePath + "/" + linePeriod, text: "the line's period (BG-26) ends before it begins", holds: ordered},
	needs("BR-45", taxPath, "BasisAmount", "the taxable amount (BT-116)"),
	needs("BR-46", taxPath, "CalculatedAmount", "the tax amount (BT-117)"),
	needs("BR-47", taxPath, "CategoryCode", "the VAT category (BT-118)"),
	{id: "BR-48", at: taxPath, text: "the VAT rate (BT-119) is missing", holds: func(_, n *node) bool {
		return n.has("RateApplicablePercent") || n.get("CategoryCode") == "O"
	}},
	needs("BR-49", meansPath, "TypeCode", "the means of payment (BT-81)"),
	needs("BR-55", settlePath+"/InvoiceReferencedDocument", "IssuerAssignedID", "the number of the preceding invoice (BT-25)"),
	{id: "BR-61", at: meansPath, text: "a transfer needs the account (BT-84)", holds: func(_, n *node) bool {
		return !slices.Contains([]string{"30", "58"}, n.get("TypeCode")) || n.has("PayeePartyCreditorFinancialAccount/IBANID")
	}},

	{id: "BR-CL-01", at: "ExchangedDocument/TypeCode", text: "the type code is not one of ours", holds: among("380", "381", "384", "389")},
	{id: "BR-CL-14", at: sellerPath + "/PostalTradeAddress/CountryID", text: "not a country code", holds: letters(2)},
	{id: "BR-CL-14", at: buyerPath + "/PostalTradeAddress/CountryID", text: "not a country code", holds: letters(2)},
	{id: "BR-CL-04", at: settlePath + "/InvoiceCurrencyCode", text: "not a currency code", holds: letters(3)},
	{id: "BR-CL-16", at: meansPath + "/TypeCode", text: "the means of payment is not one of ours", holds: among("48", "58", "59", "97")},
	{id: "BR-CL-18", at: linePath + "/" + lineTax + "/CategoryCode", text: "the VAT category is not one of ours", holds: among("S", "Z", "E", "AE", "O")},
	{id: "BR-CL-23", at: linePath + "/" + lineAmount, text: "the unit is not one of ours", holds: func(_, n *node) bool {
		return slices.Contains([]billing.Unit{billing.UnitKWh, billing.UnitMinute, billing.UnitPiece, billing.UnitMonth}, billing.Unit(n.attrs["unitCode"]))
	}},

	{id: "BR-CO-04", at: linePath, text: "the line has no VAT category (BT-151)", holds: func(_, n *node) bool { return n.has(lineTax + "/CategoryCode") }},
	{id: "BR-CO-10", at: sumPath, text: "the lines do not add up to the sum of line nets", holds: func(root, n *node) bool {
		sum, ok := n.num("LineTotalAmount")
		return equal(sum, ok, root.sum(linePath+"/"+lineSum))
	}},
	{id: "BR-CO-13", at: sumPath, text: "the total without VAT is not the sum of line nets", holds: func(_, n *node) bool {
		sum, ok := n.num("TaxBasisTotalAmount")
		return equal(sum, ok, n.sum("LineTotalAmount"))
	}},
	{id: "BR-CO-14", at: sumPath, text: "the taxes do not add up to the total VAT", holds: func(root, n *node) bool {
		sum, ok := taxTotal(root, n)
		return equal(sum, ok, root.sum(taxPath+"/CalculatedAmount"))
	}},
	{id: "BR-CO-15", at: sumPath, text: "total without VAT and VAT do not give the total", holds: func(root, n *node) bool {
		sum, ok := n.num("GrandTotalAmount")
		tax, _ := taxTotal(root, n)
		return equal(sum, ok, n.sum("TaxBasisTotalAmount").Add(tax))
	}},
	{id: "BR-CO-16", at: sumPath, text: "the total less what is paid is not the amount due", holds: func(_, n *node) bool {
		sum, ok := n.num("DuePayableAmount")
		return equal(sum, ok, n.sum("GrandTotalAmount").Sub(n.sum("TotalPrepaidAmount")))
	}},
	{id: "BR-CO-17", at: taxPath, text: "the tax is more than a cent off taxable amount times rate", holds: func(_, n *node) bool {
		tax, ok := n.num("CalculatedAmount")
		net, ok2 := n.num("BasisAmount")
		rate, ok3 := n.num("RateApplicablePercent")
		want := billing.Round(net.Mul(rate).Shift(-2), 2)
		// a cent is the residue of a gross that was promised (see billing.Draft.Invoice)
		return ok && ok2 && (ok3 || n.get("CategoryCode") == "O") && tax.Sub(want).Abs().LessThanOrEqual(decimal.New(1, -2))
	}},
	{id: "BR-CO-18", text: "there is no VAT breakdown (BG-23)", holds: func(root, _ *node) bool { return len(root.all(taxPath)) > 0 }},
	{id: "BR-CO-25", at: sumPath, text: "neither due date (BT-9) nor terms of payment (BT-20)", holds: func(root, n *node) bool {
		due, _ := n.num("DuePayableAmount")
		terms := settlePath + "/SpecifiedTradePaymentTerms"
		return !due.IsPositive() || root.has(terms+"/DueDateDateTime/DateTimeString") || root.has(terms+"/Description")
	}},
	{id: "BR-CO-26", at: sellerPath, text: "nothing identifies the seller (BT-29, BT-30, BT-31)", holds: func(root, n *node) bool {
		return n.has("ID") || n.has("SpecifiedLegalOrganization/ID") || taxID(root, sellerPath, "VA")
	}},

	breakdown("BR-S-01", "S"), breakdown("BR-Z-01", "Z"), breakdown("BR-E-01", "E"), breakdown("BR-AE-01", "AE"), breakdown("BR-O-01", "O"),
	{id: "BR-S-02", at: sellerPath, text: "the seller has no VAT id or tax number", holds: func(root, _ *node) bool {
		return uses(root, "O") || taxID(root, sellerPath, "VA", "FC")
	}},
	{id: "BR-AE-02", at: buyerPath, text: "the buyer has no VAT id, but owes the tax", holds: func(root, n *node) bool {
		return !uses(root, "AE") || taxID(root, buyerPath, "VA") || n.has("SpecifiedLegalOrganization/ID")
	}},
	{id: "BR-O-02", text: "a VAT id stands where no VAT applies", holds: func(root, _ *node) bool {
		return !uses(root, "O") || !taxID(root, sellerPath, "VA") && !taxID(root, buyerPath, "VA")
	}},
	{id: "BR-O-11", text: "what is outside the scope of VAT shares the document with something else", holds: func(root, _ *node) bool {
		return !uses(root, "O") || len(root.all(taxPath)) == 1
	}},
	{id: "BR-S-05", at: linePath, text: "the rate (BT-152) does not fit the category", holds: lineRate},
	{id: "BR-S-08", at: taxPath, text: "the taxable amount (BT-116) is not the sum of its lines", holds: func(root, n *node) bool {
		net, ok := n.num("BasisAmount")
		rate, _ := n.num("RateApplicablePercent")
		return equal(net, ok, lineNet(root, n.get("CategoryCode"), &rate))
	}},
	{id: "BR-AE-09", at: taxPath, text: "tax is shown where none is charged", holds: func(_, n *node) bool {
		tax, _ := n.num("CalculatedAmount")
		return n.get("CategoryCode") == "S" || tax.IsZero()
	}},
	{id: "BR-AE-10", at: taxPath, text: "the reason (BT-120, BT-121) does not fit the category", holds: func(_, n *node) bool {
		reason := n.has("ExemptionReason") || n.has("ExemptionReasonCode")
		return reason == slices.Contains([]string{"E", "AE", "O"}, n.get("CategoryCode"))
	}},

	places("BR-DEC-09", sumPath, "LineTotalAmount"),
	places("BR-DEC-12", sumPath, "TaxBasisTotalAmount"),
	places("BR-DEC-13", sumPath, "TaxTotalAmount"),
	places("BR-DEC-14", sumPath, "GrandTotalAmount"),
	places("BR-DEC-16", sumPath, "TotalPrepaidAmount"),
	places("BR-DEC-18", sumPath, "DuePayableAmount"),
	places("BR-DEC-19", taxPath, "BasisAmount"),
	places("BR-DEC-20", taxPath, "CalculatedAmount"),
	places("BR-DEC-23", linePath, lineSum),

	{id: "BR-DE-1", xrechnung: true, text: "there are no payment instructions (BG-16)", holds: func(root, _ *node) bool { return len(root.all(meansPath)) > 0 }},
	{id: "BR-DE-2", xrechnung: true, at: sellerPath, text: "there is no seller contact (BG-6)", holds: func(_, n *node) bool { return len(n.all(contact)) > 0 }},
	needsXR("BR-DE-3", sellerPath, "PostalTradeAddress/CityName", "the seller's city (BT-37)"),
	needsXR("BR-DE-4", sellerPath, "PostalTradeAddress/PostcodeCode", "the seller's postal code (BT-38)"),
	needsXR("BR-DE-5", sellerPath+"/"+contact, "PersonName", "the seller's contact point (BT-41)"),
	needsXR("BR-DE-6", sellerPath+"/"+contact, "TelephoneUniversalCommunication/CompleteNumber", "the seller's telephone number (BT-42)"),
	needsXR("BR-DE-7", sellerPath+"/"+contact, "EmailURIUniversalCommunication/URIID", "the seller's e-mail address (BT-43)"),
	needsXR("BR-DE-8", buyerPath, "PostalTradeAddress/CityName", "the buyer's city (BT-52)"),
	needsXR("BR-DE-9", buyerPath, "PostalTradeAddress/PostcodeCode", "the buyer's postal code (BT-53)"),
	needsXR("BR-DE-15", tradePath+"/ApplicableHeaderTradeAgreement", "BuyerReference", "the buyer reference (BT-10)"),
	{id: "BR-DE-19", xrechnung: true, at: meansPath + "/PayeePartyCreditorFinancialAccount/IBANID", text: "not an IBAN (BT-84)", holds: validIBAN},
	{id: "BR-DE-20", xrechnung: true, at: meansPath + "/PayerPartyDebtorFinancialAccount/IBANID", text: "not an IBAN (BT-91)", holds: validIBAN},
	{id: "BR-DE-23", xrechnung: true, at: meansPath, text: "account, card and mandate do not fit the means of payment", holds: meansFit},
	{id: "BR-DE-26", xrechnung: true, at: "ExchangedDocument", text: "a correction needs the preceding invoice (BG-3)", holds: func(root, n *node) bool {
		return n.get("TypeCode") != "384" || root.has(settlePath+"/InvoiceReferencedDocument/IssuerAssignedID")
	}},
	{id: "BR-DE-27", xrechnung: true, at: sellerPath + "/" + contact + "/TelephoneUniversalCommunication/CompleteNumber", text: "fewer than three digits", holds: func(_, n *node) bool {
		return len(strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, n.text)) >= 3
	}},
	needsXR("PEPPOL-EN16931-R001", "ExchangedDocumentContext", "BusinessProcessSpecifiedDocumentContextParameter/ID", "the business process (BT-23)"),
	{id: "PEPPOL-EN16931-R008", text: "there is an empty element", holds: func(root, _ *node) bool { return !hollow(root) }},
	needsXR("PEPPOL-EN16931-R010", buyerPath, "URIUniversalCommunication/URIID", "the buyer's electronic address (BT-49)"),
	needsXR("PEPPOL-EN16931-R020", sellerPath, "URIUniversalCommunication/URIID", "the seller's electronic address (BT-34)"),
	{id: "PEPPOL-EN16931-R110", at: linePath + "/" + linePeriod, text: "the line's period begins before that of the document", holds: func(root, n *node) bool {
		return n.get(startDay) >= root.get(settlePath+"/BillingSpecifiedPeriod/"+startDay)
	}},
	{id: "PEPPOL-EN16931-R111", at: linePath + "/" + linePeriod, text: "the line's period ends after that of the document", holds: func(root, n *node) bool {
		end := root.get(settlePath + "/BillingSpecifiedPeriod/" + endDay)
		return end == "" || n.get(endDay) <= end
	}},
	{id: "PEPPOL-EN16931-R120", at: linePath, text: "quantity times price does not give the line's net", holds: func(_, n *node) bool {
		quantity, _ := n.num(lineAmount)
		price, _ := n.num(linePrice + "/ChargeAmount")
		base, ok := n.num(linePrice + "/BasisQuantity")
		if !ok || base.IsZero() {
			base = one
		}
		net, _ := n.num(lineSum)
		return billing.Round(quantity.Mul(price).Div(base), 2).Equal(net)
	}},
	{id: "PEPPOL-EN16931-R121", at: linePath + "/" + linePrice + "/BasisQuantity", text: "the base quantity (BT-149) is not positive", holds: func(_, n *node) bool {
		base, _ := n.num("")
		return base.IsPositive()
	}},
	{id: "PEPPOL-EN16931-R130", at: linePath, text: "price and quantity have different units", holds: func(_, n *node) bool {
		for _, base := range n.all(linePrice + "/BasisQuantity") {
			for _, quantity := range n.all(lineAmount) {
				if base.attrs["unitCode"] != quantity.attrs["unitCode"] {
					return false
				}
			}
		}
		return true
	}},
}

// breakdown is the rule that a category stands in the lines if and only if it stands in the VAT breakdown; all but S once.
func breakdown(id, category string) rule {
	return rule{id: id, text: "lines and VAT breakdown disagree on category " + category, holds: func(root, _ *node) bool {
		n := 0
		for _, t := range root.all(taxPath) {
			if t.get("CategoryCode") == category {
				n++
			}
		}
		return uses(root, category) == (n > 0) && (category == "S" || n <= 1)
	}}
}

func lineRate(_, n *node) bool {
	rate, _ := n.num(lineTax + "/RateApplicablePercent")
	switch n.get(lineTax + "/CategoryCode") {
	case "S":
		return rate.IsPositive()
	case "O": // BR-O-05
		return !n.has(lineTax + "/RateApplicablePercent")
	}
	return rate.IsZero()
}

func ordered(_, n *node) bool { return n.get(endDay) == "" || n.get(startDay) <= n.get(endDay) }

func among(values ...string) func(root, n *node) bool {
	return func(_, n *node) bool { return slices.Contains(values, n.text) }
}

func letters(count int) func(root, n *node) bool {
	return func(_, n *node) bool {
		return len(n.text) == count && !strings.ContainsFunc(n.text, func(r rune) bool { return r < 'A' || r > 'Z' })
	}
}

func validIBAN(_, n *node) bool { return iban.Validate(compact(n.text)) == nil }

// meansFit holds what XRechnung's BR-DE-23 to BR-DE-25, BR-DE-30, BR-DE-31 and PEPPOL's R061 say together: a transfer names
// the account, a card payment the card, a direct debit mandate, creditor and account, and none the others' data.
func meansFit(root, n *node) bool {
	account := n.has("PayeePartyCreditorFinancialAccount/IBANID")
	card := n.has("ApplicableTradeSettlementFinancialCard/ID")
	mandate := root.has(settlePath + "/SpecifiedTradePaymentTerms/DirectDebitMandateID")
	creditor := root.has(settlePath + "/CreditorReferenceID")
	debtor := n.has("PayerPartyDebtorFinancialAccount/IBANID")
	switch billing.PaymentMeans(n.get("TypeCode")) {
	case billing.PaymentTransfer:
		return account && !card && !mandate && !creditor && !debtor
	case billing.PaymentCard:
		return card && !account && !mandate && !creditor && !debtor
	case billing.PaymentDirectDebit:
		return mandate && creditor && debtor && !account && !card
	case billing.PaymentOffset:
		return !account && !card && !mandate && !creditor && !debtor
	}
	return true
}

// hollow tells whether n or an element in it has neither text nor elements. The schema demands the delivery even if there is
// nothing to say about it.
func hollow(n *node) bool {
	if len(n.kids) == 0 {
		return n.text == "" && n.name != "ApplicableHeaderTradeDelivery"
	}
	return slices.ContainsFunc(n.kids, hollow)
}

// taxTotal is the total VAT in the currency of the document (BT-110); BT-111 may stand beside it in another.
func taxTotal(root, sums *node) (decimal.Decimal, bool) {
	for _, t := range sums.all("TaxTotalAmount") {
		if t.attrs["currencyID"] == root.get(settlePath+"/InvoiceCurrencyCode") {
			return t.num("")
		}
	}
	return decimal.Zero, false
}

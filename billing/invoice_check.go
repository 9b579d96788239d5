package billing

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"github.com/jacoelho/banking/iban"
	"github.com/shopspring/decimal"
)

// Problem is one reason why a draft cannot become an invoice, in words for a clerk.
type Problem struct {
	Field string // path in Draft: "customer.address.city", "lines[3].vat"
	DE    string
	EN    string
}

// In is the text of the problem in a language, "de" or "en".
func (p Problem) In(language string) string {
	if language == "en" {
		return p.EN
	}
	return p.DE
}

// DraftError says everything that keeps a draft from becoming an invoice. Its texts are safe to show.
type DraftError struct{ Problems []Problem }

func (e *DraftError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.Field + ": " + p.EN
	}
	return "invoice draft: " + strings.Join(texts, "; ")
}

// problems checks what law (§ 14(4) UStG) and format (EN 16931) demand of every document.
func (d Draft) problems() []Problem {
	var found []Problem
	report := func(bad bool, field, de, en string) {
		if bad {
			found = append(found, Problem{field, de, en})
		}
	}
	_, zone := d.Supplier.location()
	d.checkText(report)

	report(d.Date.IsZero(), "date", "Das Rechnungsdatum fehlt.", "The invoice date is missing.")
	report(len(d.Currency) != 3, "currency", "Die Währung fehlt.", "The currency is missing.")
	report(d.Language != "de" && d.Language != "en", "language", "Die Sprache muss Deutsch oder Englisch sein.", "The language must be German or English.")
	report(!d.Period.Start.Before(d.Period.End), "period", "Der Abrechnungszeitraum ist leer.", "The billing period is empty.")
	report(zone != nil, "supplier.time_zone", "Die Zeitzone des Stadtwerks ist unbekannt.", "The utility's time zone is unknown.")
	report(!slices.Contains([]DocumentType{"", DocumentInvoice, DocumentCreditNote, DocumentCorrection, DocumentSelfBilled}, d.Type), "type",
		"Die Belegart ist unbekannt.", "The kind of document is unknown.")
	report(d.Type == DocumentCorrection && (d.Preceding == nil || d.Preceding.Number == ""), "preceding",
		"Eine Rechnungskorrektur muss die berichtigte Rechnung nennen.", "A correction must name the invoice that it corrects.")

	report(blank(d.Supplier.Name), "supplier.name", "Der Name des Stadtwerks fehlt.", "The utility's name is missing.")
	checkAddress(report, "supplier.address", d.Supplier.Address, "Stadtwerks", "utility")
	report(blank(d.Supplier.VATID) && blank(d.Supplier.TaxNumber), "supplier.vat_id",
		"Das Stadtwerk hat weder USt-IdNr. noch Steuernummer.", "The utility has neither a VAT id nor a tax number.")
	report(!emailOK(d.Supplier.ContactEmail), "supplier.contact_email", "Die E-Mail-Adresse des Kundenservice fehlt oder ist falsch.", "The e-mail address of customer service is missing or wrong.")
	report(blank(d.Supplier.ContactName), "supplier.contact_name", "Der Ansprechpartner des Stadtwerks fehlt.", "The utility's contact is missing.")
	report(digits(d.Supplier.ContactPhone) < 3, "supplier.contact_phone", "Die Telefonnummer des Kundenservice fehlt.", "The telephone number of customer service is missing.")

	report(blank(d.Customer.Name), "customer.name", "Der Name des Kunden fehlt.", "The customer's name is missing.")
	checkAddress(report, "customer.address", d.Customer.Address, "Kunden", "customer")
	report(d.Customer.Email != "" && !emailOK(d.Customer.Email), "customer.email", "Die E-Mail-Adresse des Kunden ist falsch.", "The customer's e-mail address is wrong.")

	if d.Type == DocumentSelfBilled || d.SelfBilled {
		taxed := slices.ContainsFunc(d.Lines, func(l DraftLine) bool { return l.VAT.Category != VATOutside })
		report(taxed && blank(d.Customer.VATID) && blank(d.Customer.TaxNumber), "customer.tax_number",
			"Für eine Gutschrift fehlt die USt-IdNr. oder Steuernummer des Leistenden.", "For a self-billed invoice, the supplier's VAT id or tax number is missing.") // § 14(4) no. 2 UStG
	}
	d.checkPayment(report)
	d.checkLines(report)
	return found
}

type reporter func(bad bool, field, de, en string)

func checkAddress(report reporter, field string, a Address, de, en string) {
	report(blank(a.Street), field+".street", "Die Straße in der Anschrift des "+de+" fehlt.", "The street in the "+en+"'s address is missing.")
	report(blank(a.PostalCode), field+".postal_code", "Die Postleitzahl in der Anschrift des "+de+" fehlt.", "The postal code in the "+en+"'s address is missing.")
	report(blank(a.City), field+".city", "Der Ort in der Anschrift des "+de+" fehlt.", "The city in the "+en+"'s address is missing.")
	report(len(a.Country) != 2, field+".country", "Das Land in der Anschrift des "+de+" fehlt.", "The country in the "+en+"'s address is missing.")
}

func (d Draft) checkPayment(report reporter) {
	p := d.Payment
	switch p.Means {
	case PaymentTransfer:
		field, de, en := "payment", "des Stadtwerks", "utility's"
		if d.Type.Pays() || d.SelfBilled {
			field, de, en = "payment.payee", "des Kunden", "customer's"
		}
		report(iban.Validate(compact(p.IBAN)) != nil, field+".iban", "Die IBAN "+de+" fehlt oder ist falsch.", "The "+en+" IBAN is missing or wrong.")
		report(blank(p.AccountName), field+".account_name", "Der Inhaber des Kontos "+de+" fehlt.", "The holder of the "+en+" account is missing.")
	case PaymentOffset:
	case PaymentDirectDebit:
		report(blank(p.MandateReference), "payment.mandate_reference", "Dem Kunden fehlt ein gültiges SEPA-Mandat.", "The customer has no valid SEPA mandate.")
		report(blank(p.CreditorID), "payment.creditor_id", "Dem Stadtwerk fehlt die Gläubiger-Identifikationsnummer.", "The utility has no SEPA creditor identifier.")
		report(iban.Validate(compact(p.DebtorIBAN)) != nil, "payment.debtor_iban", "Die IBAN des Kunden fehlt oder ist falsch.", "The customer's IBAN is missing or wrong.")
	case PaymentCard:
		report(len(p.CardLast4) != 4 || digits(p.CardLast4) != 4, "payment.card_last4", "Die letzten vier Ziffern der Karte fehlen.", "The last four digits of the card are missing.")
	default:
		report(true, "payment.means", "Die Zahlungsart fehlt.", "The means of payment is missing.")
	}
	report(d.DueDate.IsZero() && blank(p.Terms) && p.Means != PaymentOffset, "due_date", "Fälligkeit und Zahlungsbedingungen fehlen.", "Both the due date and the terms of payment are missing.") // BR-CO-25
}

func (d Draft) checkLines(report reporter) {
	report(len(d.Lines) == 0, "lines", "Es gibt nichts abzurechnen.", "There is nothing to bill.")
	total := decimal.Zero
	for _, l := range d.Lines {
		total = total.Add(l.Amount)
	}
	report(d.Type == DocumentCreditNote && total.IsNegative(), "lines", "Eine Entgeltminderung kann nichts fordern.", "A credit note cannot charge anything.")
	for i, l := range d.Lines {
		field := fmt.Sprintf("lines[%d]", i)
		de, en := fmt.Sprintf("Position %d: ", i+1), fmt.Sprintf("Line %d: ", i+1)
		say := func(bad bool, of, deText, enText string) { report(bad, field+of, de+deText, en+enText) }
		say(blank(l.Name), ".name", "Die Bezeichnung fehlt.", "The description is missing.")
		say(l.Unit == "", ".unit", "Die Einheit fehlt.", "The unit is missing.")
		say(l.Period != (Period{}) && l.Period.End.Before(l.Period.Start), ".period", "Das Ende liegt vor dem Beginn.", "The end is before the start.")
		switch l.VAT.Category {
		case VATStandard:
			say(!l.VAT.Rate.IsPositive() || l.VAT.Rate.GreaterThan(hundred), ".vat.rate", "Der Steuersatz fehlt.", "The VAT rate is missing.")
		case VATZero, VATExempt, VATReverseCharge, VATOutside:
			say(!l.VAT.Rate.IsZero(), ".vat.rate", "Der Steuersatz muss hier null sein.", "The VAT rate must be zero here.")
		default:
			say(true, ".vat", "Es ist nicht entschieden, wie die Leistung zu versteuern ist.", "How this supply is taxed has not been decided.")
		}
		say(l.VAT.Category == VATExempt && blank(l.VAT.Reason), ".vat.reason", "Der Grund der Steuerbefreiung fehlt.", "The reason of the tax exemption is missing.")
		say(l.VAT.Category == VATOutside && blank(l.VAT.Reason), ".vat.reason", "Der Grund, warum keine Umsatzsteuer anfällt, fehlt.", "The reason why no VAT applies is missing.")
		say((l.VAT.Category == VATOutside) != (d.Lines[0].VAT.Category == VATOutside), ".vat",
			"Nicht steuerbare Beträge dürfen nicht mit anderen auf einem Beleg stehen.", "Amounts outside the scope of VAT must not share a document with others.") // BR-O-11
		say(!l.VAT.Rate.Equal(l.VAT.Rate.Truncate(2)), ".vat.rate", "Der Steuersatz hat mehr als zwei Nachkommastellen.", "The VAT rate has more than two decimals.")
		say(l.Amount.Abs().GreaterThan(maxAmount), ".amount", "Der Betrag ist unglaubwürdig hoch.", "The amount is implausibly large.")
	}
	reversed := slices.ContainsFunc(d.Lines, func(l DraftLine) bool { return l.VAT.Category == VATReverseCharge })
	report(reversed && blank(d.Customer.VATID), "customer.vat_id",
		"Der Kunde schuldet die Steuer, hat aber keine USt-IdNr.", "The customer owes the VAT but has no VAT id.") // BR-AE-02
}

// maxAmount keeps a line within what banks and tax offices can take; a larger one is a fault upstream.
var maxAmount = decimal.New(1, 9)

// checkText refuses texts that no XML document and no page can carry: invalid UTF-8 and control characters.
func (d Draft) checkText(report reporter) {
	text := func(field string, values ...string) {
		for _, v := range values {
			report(!printable(v), field, "Der Text enthält unzulässige Zeichen.", "The text contains forbidden characters.")
		}
	}
	s, c, p := d.Supplier, d.Customer, d.Payment
	text("supplier", s.Name, s.Address.Street, s.Address.PostalCode, s.Address.City, s.Address.Country, s.VATID, s.TaxNumber, s.Register, s.ContactName, s.ContactPhone, s.ContactEmail, s.Website, s.Legal)
	text("customer", c.Number, c.Name, c.Contact, c.Phone, c.TaxNumber, c.Address.Street, c.Address.PostalCode, c.Address.City, c.Address.Country, c.Email, c.VATID, c.BuyerReference)
	text("payment", p.Terms, p.AccountName, p.BIC, p.MandateReference, p.CreditorID)
	text("notes", d.Notes...)
	for i, l := range d.Lines {
		text(fmt.Sprintf("lines[%d]", i), l.Name, l.Description, l.VAT.Reason, l.Heading, string(l.Unit))
		if l.Session != nil {
			text(fmt.Sprintf("lines[%d].session", i), l.Session.CDRID, l.Session.Operator, l.Session.EVSEID, l.Session.Place, l.Session.CardUID)
		}
	}
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// compact removes the blanks with which IBANs are printed.
func compact(s string) string { return strings.ReplaceAll(s, " ", "") }

func digits(s string) int {
	n := 0
	for _, r := range s {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}

// emailOK accepts what XRechnung's BR-DE-28 accepts: one @, a dot behind it that neither leads nor ends.
func emailOK(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return false
	}
	_, domain, _ := strings.Cut(s, "@")
	return strings.Contains(domain, ".") && !strings.Contains(s, " ") && strings.Count(s, "@") == 1
}

package pdf

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

// texts are the words of a document in one language. %-verbs are filled in the order that the field's comment tells.
type texts struct {
	locale            string
	invoice           string
	correction        string
	draft             string
	number            string
	date              string
	customerNumber    string
	buyerReference    string
	customerVAT       string
	period            string
	due               string
	contact           string
	greeting          string // name
	greetingNobody    string
	introSessions     string // count, kWh, start, end
	introOneSession   string // kWh, start, end
	introOther        string // start, end
	introCorrection   string // number, date
	introReference    string // number
	sumPanel          string
	correctionPanel   string
	energyPanel       string
	sessionCount      string // count
	oneSession        string
	noSession         string
	panelTransfer     string
	panelDebit        string
	panelCard         string
	panelSettled      string
	panelRefund       string
	sessionsHeading   string
	otherHeading      string
	when              string
	where             string
	energy            string
	price             string
	service           string
	quantity          string
	vatRate           string
	amountGross       string // currency
	amountNet         string // currency
	to                string // time of day that ends a span
	carry             string
	totalHeading      string
	vatColumn         string
	net               string
	vat               string
	gross             string
	vatAt             string // rate
	reverseCharge     string
	exempt            string
	zeroRated         string
	total             string
	paid              string
	toPay             string
	toRefund          string
	pricesGross       string
	pricesNet         string
	paymentHeading    string
	transfer          string // amount, date
	transferAnytime   string // amount
	debit             string // amount, date, account
	debitAnytime      string // amount, account
	mandate           string // mandate, creditor id
	card              string // amount, date, digits
	cardAnytime       string // amount, digits
	settled           string
	nothing           string
	refund            string // amount
	payee             string
	bank              string
	amount            string
	purpose           string
	giroCode          string
	giroAlt           string // amount, payee
	logoAlt           string // name
	vatID             string
	taxNumber         string
	page              string // number, of
	attachment        string
	units             map[billing.Unit][2]string // one, several
	decimalMark, mark string                     // of decimals, of thousands
	dateLayout        string
	timeSuffix        string
}

var languages = map[string]texts{
	"de": {
		locale:          "de-DE",
		invoice:         "Rechnung",
		correction:      "Rechnungskorrektur",
		draft:           "Entwurf",
		number:          "Rechnungsnummer",
		date:            "Datum",
		customerNumber:  "Kundennummer",
		buyerReference:  "Ihre Referenz",
		customerVAT:     "Ihre USt-IdNr.",
		period:          "Leistungszeitraum",
		due:             "Fällig am",
		contact:         "Fragen?",
		greeting:        "Guten Tag %s,",
		greetingNobody:  "Guten Tag,",
		introSessions:   "für %s Ladevorgänge mit zusammen %s in der Zeit vom %s bis zum %s berechnen wir Ihnen:",
		introOneSession: "für einen Ladevorgang mit %s in der Zeit vom %s bis zum %s berechnen wir Ihnen:",
		introOther:      "für die Zeit vom %s bis zum %s berechnen wir Ihnen:",
		introCorrection: "hiermit berichtigen wir unsere Rechnung %s vom %s wie folgt:",
		introReference:  "hiermit berichtigen wir unsere Rechnung %s wie folgt:",
		sumPanel:        "Rechnungsbetrag",
		correctionPanel: "Korrekturbetrag",
		energyPanel:     "Geladene Energie",
		sessionCount:    "%s Ladevorgänge",
		oneSession:      "1 Ladevorgang",
		noSession:       "kein Ladevorgang",
		panelTransfer:   "Bitte überweisen bis",
		panelDebit:      "SEPA-Lastschrift am",
		panelCard:       "Kartenzahlung am",
		panelSettled:    "bereits ausgeglichen",
		panelRefund:     "wird erstattet",
		sessionsHeading: "Ihre Ladevorgänge",
		otherHeading:    "Weitere Leistungen",
		when:            "Datum, Zeit",
		where:           "Ladepunkt",
		energy:          "kWh",
		price:           "Preis",
		service:         "Leistung",
		quantity:        "Menge",
		vatRate:         "USt. %",
		amountGross:     "Brutto %s",
		amountNet:       "Netto %s",
		to:              "–",
		carry:           "Übertrag",
		totalHeading:    "Summe",
		vatColumn:       "Umsatzsteuer",
		net:             "Netto",
		vat:             "Steuer",
		gross:           "Brutto",
		vatAt:           "Umsatzsteuer %s %%",
		reverseCharge:   "Steuerschuld beim Empfänger",
		exempt:          "Steuerfrei",
		zeroRated:       "Umsatzsteuer 0 %",
		total:           "Gesamtbetrag",
		paid:            "Bereits bezahlt",
		toPay:           "Zu zahlen",
		toRefund:        "Zu Ihren Gunsten",
		pricesGross:     "Die Preise der einzelnen Leistungen enthalten die Umsatzsteuer.",
		pricesNet:       "Die Preise der einzelnen Leistungen sind Nettopreise.",
		paymentHeading:  "Zahlung",
		transfer:        "Bitte überweisen Sie %s bis zum %s auf dieses Konto:",
		transferAnytime: "Bitte überweisen Sie %s auf dieses Konto:",
		debit:           "Wir ziehen %s am %s per SEPA-Lastschrift von Ihrem Konto %s ein.",
		debitAnytime:    "Wir ziehen %s per SEPA-Lastschrift von Ihrem Konto %s ein.",
		mandate:         "Mandatsreferenz: %s. Gläubiger-Identifikationsnummer: %s.",
		card:            "Wir buchen %s am %s von Ihrer Karte mit den Endziffern %s ab.",
		cardAnytime:     "Wir buchen %s von Ihrer Karte mit den Endziffern %s ab.",
		settled:         "Der Betrag ist bereits bezahlt. Vielen Dank!",
		nothing:         "Es ist nichts zu zahlen.",
		refund:          "Den Betrag von %s verrechnen wir mit offenen Forderungen oder zahlen ihn Ihnen zurück.",
		payee:           "Empfänger",
		bank:            "BIC",
		amount:          "Betrag",
		purpose:         "Verwendungszweck",
		giroCode:        "GiroCode: mit der Banking-App scannen",
		giroAlt:         "GiroCode für die Überweisung von %s an %s",
		logoAlt:         "Logo von %s",
		vatID:           "USt-IdNr.",
		taxNumber:       "Steuernummer",
		page:            "Seite %d von %d",
		attachment:      "Rechnungsdaten nach EN 16931",
		units: map[billing.Unit][2]string{
			billing.UnitKWh: {"kWh", "kWh"}, billing.UnitMinute: {"Minute", "Minuten"}, billing.UnitPiece: {"Stück", "Stück"}, billing.UnitMonth: {"Monat", "Monate"},
		},
		decimalMark: ",", mark: ".",
		dateLayout: "02.01.2006",
		timeSuffix: " Uhr",
	},
	"en": {
		locale:          "en-GB",
		invoice:         "Invoice",
		correction:      "Invoice correction",
		draft:           "Draft",
		number:          "Invoice number",
		date:            "Date",
		customerNumber:  "Customer number",
		buyerReference:  "Your reference",
		customerVAT:     "Your VAT ID",
		period:          "Period of service",
		due:             "Due on",
		contact:         "Questions?",
		greeting:        "Dear %s,",
		greetingNobody:  "Dear Sir or Madam,",
		introSessions:   "for %s charging sessions with %s in total, from %s to %s, we charge you:",
		introOneSession: "for one charging session with %s, from %s to %s, we charge you:",
		introOther:      "for the time from %s to %s we charge you:",
		introCorrection: "we hereby correct our invoice %s of %s as follows:",
		introReference:  "we hereby correct our invoice %s as follows:",
		sumPanel:        "Invoice total",
		correctionPanel: "Corrected by",
		energyPanel:     "Energy charged",
		sessionCount:    "%s charging sessions",
		oneSession:      "1 charging session",
		noSession:       "no charging session",
		panelTransfer:   "Please transfer by",
		panelDebit:      "SEPA direct debit on",
		panelCard:       "Card payment on",
		panelSettled:    "already settled",
		panelRefund:     "will be refunded",
		sessionsHeading: "Your charging sessions",
		otherHeading:    "Other services",
		when:            "Date, time",
		where:           "Charge point",
		energy:          "kWh",
		price:           "Price",
		service:         "Service",
		quantity:        "Quantity",
		vatRate:         "VAT %",
		amountGross:     "Gross %s",
		amountNet:       "Net %s",
		to:              "–",
		carry:           "Carried forward",
		totalHeading:    "Total",
		vatColumn:       "Value added tax",
		net:             "Net",
		vat:             "VAT",
		gross:           "Gross",
		vatAt:           "VAT at %s%%",
		reverseCharge:   "Reverse charge",
		exempt:          "Exempt",
		zeroRated:       "VAT at 0%",
		total:           "Total amount",
		paid:            "Already paid",
		toPay:           "Amount due",
		toRefund:        "In your favour",
		pricesGross:     "The prices of the single services include VAT.",
		pricesNet:       "The prices of the single services are net of VAT.",
		paymentHeading:  "Payment",
		transfer:        "Please transfer %s by %s to this account:",
		transferAnytime: "Please transfer %s to this account:",
		debit:           "We will collect %s on %s by SEPA direct debit from your account %s.",
		debitAnytime:    "We will collect %s by SEPA direct debit from your account %s.",
		mandate:         "Mandate reference: %s. Creditor identifier: %s.",
		card:            "We will charge %s on %s to your card ending in %s.",
		cardAnytime:     "We will charge %s to your card ending in %s.",
		settled:         "This invoice has been paid already. Thank you!",
		nothing:         "There is nothing to pay.",
		refund:          "We will set off %s against open items or pay it back to you.",
		payee:           "Payee",
		bank:            "BIC",
		amount:          "Amount",
		purpose:         "Reference",
		giroCode:        "GiroCode: scan with your banking app",
		giroAlt:         "GiroCode to transfer %s to %s",
		logoAlt:         "Logo of %s",
		vatID:           "VAT ID",
		taxNumber:       "Tax number",
		page:            "Page %d of %d",
		attachment:      "Invoice data to EN 16931",
		units: map[billing.Unit][2]string{
			billing.UnitKWh: {"kWh", "kWh"}, billing.UnitMinute: {"minute", "minutes"}, billing.UnitPiece: {"piece", "pieces"}, billing.UnitMonth: {"month", "months"},
		},
		decimalMark: ".", mark: ",",
		dateLayout: "2 Jan 2006",
	},
}

// decimal formats d exactly, with at least places decimals and groups of thousands. The minus is a true one.
func (t texts) decimal(d decimal.Decimal, places int32) string {
	s := d.Abs().String() // without trailing zeros
	if _, fraction, _ := strings.Cut(s, "."); len(fraction) < int(places) {
		s = d.Abs().StringFixed(places)
	}
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + t.mark + whole[i:]
	}
	if d.IsNegative() {
		whole = "−" + whole
	}
	if fraction == "" {
		return whole
	}
	return whole + t.decimalMark + fraction
}

// money formats an amount with its currency.
func (t texts) money(d decimal.Decimal, currency string) string {
	s := t.decimal(billing.Round(d, 2), 2)
	switch {
	case currency != "EUR":
		return s + nbsp + currency
	case t.mark == ",":
		if rest, negative := strings.CutPrefix(s, "−"); negative {
			return "−€" + rest
		}
		return "€" + s
	}
	return s + nbsp + "€"
}

func (t texts) day(d time.Time) string { return d.Format(t.dateLayout) }

// unit names a quantity: "2 Monate".
func (t texts) unit(quantity decimal.Decimal, u billing.Unit) string {
	names, ok := t.units[u]
	if !ok {
		names = [2]string{string(u), string(u)}
	}
	name := names[1]
	if quantity.Abs().Equal(decimal.NewFromInt(1)) {
		name = names[0]
	}
	return t.decimal(quantity, 0) + nbsp + name
}

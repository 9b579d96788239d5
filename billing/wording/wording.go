// Package wording holds the words, numbers and dates of documents in German and English: what paper and page share.
package wording

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// NBSP keeps a number and its unit on one line.
const NBSP = "\u00a0"

// Texts are the words of a document in one language. %-verbs are filled in the order that the field's comment tells.
type Texts struct {
	Locale            string
	Kinds             map[billing.DocumentType]Kind
	Draft             string
	Date              string
	CustomerNumber    string
	BuyerReference    string
	CustomerVAT       string
	CustomerTax       string
	Period            string
	Due               string
	Contact           string
	GreetingName      string // name
	GreetingNobody    string
	IntroSessions     string // count, kWh, start, end
	IntroOneSession   string // kWh, start, end
	IntroOther        string // start, end
	IntroCorrection   string // number, date
	IntroReference    string // number
	IntroCreditNote   string
	IntroCreditNoteOf string // number, date
	IntroSelfBilled   string // count, kWh, start, end
	IntroSelfOne      string // kWh, start, end
	IntroSelfOther    string // start, end
	IntroSelfFix      string // number, date
	SelfBilledNote    string
	EnergyPanel       string
	SeveralSessions   string // count
	OneSession        string
	NoSession         string
	PanelTransfer     string
	PanelDebit        string
	PanelCard         string
	PanelSettled      string
	PanelRefund       string
	PanelPayout       string
	PanelOffset       string
	SessionsHeading   string
	OtherHeading      string
	SuppliedHeading   string // sessions that a payee supplied
	ReducedHeading    string
	When              string
	Where             string
	Energy            string
	Price             string
	Service           string
	Quantity          string
	VATRate           string
	AmountGross       string // currency
	AmountNet         string // currency
	To                string // time of day that ends a span
	Carry             string
	TotalHeading      string
	VATColumn         string
	Net               string
	VAT               string
	Gross             string
	VATAt             string // rate
	ReverseCharge     string
	Exempt            string
	ZeroRated         string
	Outside           string
	Total             string
	Paid              string
	ToPay             string
	ToRefund          string
	ToReclaim         string
	PricesGross       string
	PricesNet         string
	PaymentHeading    string
	Transfer          string // amount, date
	TransferAnytime   string // amount
	Debit             string // amount, date, account
	DebitAnytime      string // amount, account
	Mandate           string // mandate, creditor id
	Card              string // amount, date, digits
	CardAnytime       string // amount, digits
	Settled           string
	Nothing           string
	Refund            string // amount
	Payout            string // amount, date, account
	PayoutAnytime     string // amount, account
	Offset            string // amount
	OffsetPayee       string // amount
	Payee             string
	Bank              string
	Amount            string
	Purpose           string
	GiroCode          string
	GiroAlt           string // amount, payee
	LogoAlt           string // name
	VATID             string
	TaxNumber         string
	Page              string // number, of
	Attachment        string
	LetterNumber      string
	Reminder          [3]string // by level
	ReminderIntro     [3]string
	ReminderPay       string // amount, date
	ReminderBlock     string // date
	ReminderCrossed   string
	OpenItems         string
	OpenDocument      string
	OpenDue           string
	OpenAmount        string // currency
	OpenRest          string // currency
	Statement         string
	StatementIntro    string // start, end
	StatementText     string
	StatementDocument string
	StatementOpening  string
	StatementClosing  string
	StatementCredit   string
	StatementAmount   string                     // currency
	StatementBalance  string                     // currency
	Units             map[billing.Unit][2]string // one, several
	DecimalMark, Mark string                     // of decimals, of thousands
	DateLayout        string
	TimeSuffix        string
}

// Kind is what a kind of document is called.
type Kind struct{ Title, Number, Sum string }

// Languages are the words by language, "de" and "en".
var Languages = map[string]Texts{
	"de": {
		Locale: "de-DE",
		Kinds: map[billing.DocumentType]Kind{
			billing.DocumentInvoice:    {"Rechnung", "Rechnungsnummer", "Rechnungsbetrag"},
			billing.DocumentCreditNote: {"Entgeltminderung", "Belegnummer", "Betrag zu Ihren Gunsten"},
			billing.DocumentCorrection: {"Rechnungskorrektur", "Rechnungsnummer", "Korrekturbetrag"},
			billing.DocumentSelfBilled: {"Gutschrift", "Gutschriftnummer", "Betrag zu Ihren Gunsten"},
		},
		Draft:             "Entwurf",
		Date:              "Datum",
		CustomerNumber:    "Kundennummer",
		BuyerReference:    "Ihre Referenz",
		CustomerVAT:       "Ihre USt-IdNr.",
		CustomerTax:       "Ihre Steuernummer",
		Period:            "Leistungszeitraum",
		Due:               "Fällig am",
		Contact:           "Fragen?",
		GreetingName:      "Guten Tag %s,",
		GreetingNobody:    "Guten Tag,",
		IntroSessions:     "für %s Ladevorgänge mit zusammen %s in der Zeit vom %s bis zum %s berechnen wir Ihnen:",
		IntroOneSession:   "für einen Ladevorgang mit %s in der Zeit vom %s bis zum %s berechnen wir Ihnen:",
		IntroOther:        "für die Zeit vom %s bis zum %s berechnen wir Ihnen:",
		IntroCorrection:   "hiermit berichtigen wir unsere Rechnung %s vom %s wie folgt:",
		IntroReference:    "hiermit berichtigen wir unsere Rechnung %s wie folgt:",
		IntroCreditNote:   "wir mindern Ihr Entgelt wie folgt:",
		IntroCreditNoteOf: "wir mindern das Entgelt aus unserer Rechnung %s vom %s wie folgt:",
		IntroSelfBilled:   "für %s Ladevorgänge mit zusammen %s in der Zeit vom %s bis zum %s rechnen wir zu Ihren Gunsten ab:",
		IntroSelfOne:      "für einen Ladevorgang mit %s in der Zeit vom %s bis zum %s rechnen wir zu Ihren Gunsten ab:",
		IntroSelfFix:      "hiermit berichtigen wir unsere Gutschrift %s vom %s wie folgt:",
		IntroSelfOther:    "für die Zeit vom %s bis zum %s rechnen wir zu Ihren Gunsten ab:",
		SelfBilledNote:    "Gutschrift im Sinne von § 14 Abs. 2 Satz 2 UStG: Wir rechnen als Leistungsempfänger über Ihre Leistung ab. Widersprechen Sie, verliert sie die Wirkung einer Rechnung.",
		EnergyPanel:       "Geladene Energie",
		SeveralSessions:   "%s Ladevorgänge",
		OneSession:        "1 Ladevorgang",
		NoSession:         "kein Ladevorgang",
		PanelTransfer:     "Bitte überweisen bis",
		PanelDebit:        "SEPA-Lastschrift am",
		PanelCard:         "Kartenzahlung am",
		PanelSettled:      "bereits ausgeglichen",
		PanelRefund:       "wird erstattet",
		PanelPayout:       "Wir überweisen bis",
		PanelOffset:       "wird verrechnet",
		SessionsHeading:   "Ihre Ladevorgänge",
		OtherHeading:      "Weitere Leistungen",
		SuppliedHeading:   "Abgerechnete Ladevorgänge",
		ReducedHeading:    "Minderungen",
		When:              "Datum, Zeit",
		Where:             "Ladepunkt",
		Energy:            "kWh",
		Price:             "Preis",
		Service:           "Leistung",
		Quantity:          "Menge",
		VATRate:           "USt. %",
		AmountGross:       "Brutto %s",
		AmountNet:         "Netto %s",
		To:                "–",
		Carry:             "Übertrag",
		TotalHeading:      "Summe",
		VATColumn:         "Umsatzsteuer",
		Net:               "Netto",
		VAT:               "Steuer",
		Gross:             "Brutto",
		VATAt:             "Umsatzsteuer %s %%",
		ReverseCharge:     "Steuerschuld beim Empfänger",
		Exempt:            "Steuerfrei",
		ZeroRated:         "Umsatzsteuer 0 %",
		Outside:           "Nicht steuerbar",
		Total:             "Gesamtbetrag",
		Paid:              "Bereits bezahlt",
		ToPay:             "Zu zahlen",
		ToRefund:          "Zu Ihren Gunsten",
		ToReclaim:         "Zu unseren Gunsten",
		PricesGross:       "Die Preise der einzelnen Leistungen enthalten die Umsatzsteuer.",
		PricesNet:         "Die Preise der einzelnen Leistungen sind Nettopreise.",
		PaymentHeading:    "Zahlung",
		Transfer:          "Bitte überweisen Sie %s bis zum %s auf dieses Konto:",
		TransferAnytime:   "Bitte überweisen Sie %s auf dieses Konto:",
		Debit:             "Wir ziehen %s am %s per SEPA-Lastschrift von Ihrem Konto %s ein.",
		DebitAnytime:      "Wir ziehen %s per SEPA-Lastschrift von Ihrem Konto %s ein.",
		Mandate:           "Mandatsreferenz: %s. Gläubiger-Identifikationsnummer: %s.",
		Card:              "Wir buchen %s am %s von Ihrer Karte mit den Endziffern %s ab.",
		CardAnytime:       "Wir buchen %s von Ihrer Karte mit den Endziffern %s ab.",
		Settled:           "Der Betrag ist bereits bezahlt. Vielen Dank!",
		Nothing:           "Es ist nichts zu zahlen.",
		Refund:            "Den Betrag von %s verrechnen wir mit offenen Forderungen oder zahlen ihn Ihnen zurück.",
		Payout:            "Wir überweisen Ihnen %s bis zum %s auf Ihr Konto %s.",
		PayoutAnytime:     "Wir überweisen Ihnen %s auf Ihr Konto %s.",
		Offset:            "Den Betrag von %s verrechnen wir mit Ihren Rechnungen.",
		OffsetPayee:       "Den Betrag von %s verrechnen wir mit dem, was wir Ihnen als Nächstes vergüten.",
		Payee:             "Empfänger",
		Bank:              "BIC",
		Amount:            "Betrag",
		Purpose:           "Verwendungszweck",
		GiroCode:          "GiroCode: mit der Banking-App scannen",
		GiroAlt:           "GiroCode für die Überweisung von %s an %s",
		LogoAlt:           "Logo von %s",
		VATID:             "USt-IdNr.",
		TaxNumber:         "Steuernummer",
		Page:              "Seite %d von %d",
		Attachment:        "Rechnungsdaten nach EN 16931",
		LetterNumber:      "Belegnummer",
		Reminder:          [3]string{"Zahlungserinnerung", "Mahnung", "Letzte Mahnung"},
		ReminderIntro: [3]string{
			"sicher haben Sie es nur übersehen: Für die folgenden Belege ist noch keine Zahlung bei uns eingegangen.",
			"auf unsere Zahlungserinnerung haben wir leider keine Zahlung erhalten. Offen sind:",
			"trotz unserer Mahnung sind die folgenden Belege noch immer nicht bezahlt:",
		},
		ReminderPay:       "Bitte überweisen Sie %s bis zum %s auf dieses Konto:",
		ReminderBlock:     "Geht bis dahin keine Zahlung ein, sperren wir Ihre Ladekarten am %s. Sobald Sie bezahlt haben, können Sie wieder laden.",
		ReminderCrossed:   "Haben Sie inzwischen bezahlt? Dann betrachten Sie dieses Schreiben bitte als gegenstandslos. Können Sie gerade nicht zahlen? Sprechen Sie uns an, wir finden eine Lösung.",
		OpenItems:         "Offene Posten",
		OpenDocument:      "Beleg",
		OpenDue:           "Fällig am",
		OpenAmount:        "Betrag %s",
		OpenRest:          "Offen %s",
		Statement:         "Kontoauszug",
		StatementIntro:    "hier sind alle Bewegungen auf Ihrem Kundenkonto vom %s bis zum %s:",
		StatementText:     "Vorgang",
		StatementDocument: "Beleg",
		StatementOpening:  "Anfangssaldo",
		StatementClosing:  "Endsaldo",
		StatementCredit:   "Ein negativer Saldo ist ein Guthaben.",
		StatementAmount:   "Betrag %s",
		StatementBalance:  "Saldo %s",
		Units: map[billing.Unit][2]string{
			billing.UnitKWh: {"kWh", "kWh"}, billing.UnitMinute: {"Minute", "Minuten"}, billing.UnitPiece: {"Stück", "Stück"}, billing.UnitMonth: {"Monat", "Monate"},
		},
		DecimalMark: ",", Mark: ".",
		DateLayout: "02.01.2006",
		TimeSuffix: " Uhr",
	},
	"en": {
		Locale: "en-GB",
		Kinds: map[billing.DocumentType]Kind{
			billing.DocumentInvoice:    {"Invoice", "Invoice number", "Invoice total"},
			billing.DocumentCreditNote: {"Credit note", "Document number", "Amount in your favour"},
			billing.DocumentCorrection: {"Invoice correction", "Invoice number", "Corrected by"},
			billing.DocumentSelfBilled: {"Self-billed invoice", "Invoice number", "Amount in your favour"},
		},
		Draft:             "Draft",
		Date:              "Date",
		CustomerNumber:    "Customer number",
		BuyerReference:    "Your reference",
		CustomerVAT:       "Your VAT ID",
		CustomerTax:       "Your tax number",
		Period:            "Period of service",
		Due:               "Due on",
		Contact:           "Questions?",
		GreetingName:      "Dear %s,",
		GreetingNobody:    "Dear Sir or Madam,",
		IntroSessions:     "for %s charging sessions with %s in total, from %s to %s, we charge you:",
		IntroOneSession:   "for one charging session with %s, from %s to %s, we charge you:",
		IntroOther:        "for the time from %s to %s we charge you:",
		IntroCorrection:   "we hereby correct our invoice %s of %s as follows:",
		IntroReference:    "we hereby correct our invoice %s as follows:",
		IntroCreditNote:   "we reduce your charges as follows:",
		IntroCreditNoteOf: "we reduce the charges of our invoice %s of %s as follows:",
		IntroSelfBilled:   "for %s charging sessions with %s in total, from %s to %s, we settle in your favour:",
		IntroSelfOne:      "for one charging session with %s, from %s to %s, we settle in your favour:",
		IntroSelfFix:      "we correct our self-billed invoice %s of %s as follows:",
		IntroSelfOther:    "for the time from %s to %s we settle in your favour:",
		SelfBilledNote:    "Self-billed invoice (Gutschrift, § 14(2) sentence 2 UStG): as the recipient of your supply we issue the invoice. If you object, it loses the effect of an invoice.",
		EnergyPanel:       "Energy charged",
		SeveralSessions:   "%s charging sessions",
		OneSession:        "1 charging session",
		NoSession:         "no charging session",
		PanelTransfer:     "Please transfer by",
		PanelDebit:        "SEPA direct debit on",
		PanelCard:         "Card payment on",
		PanelSettled:      "already settled",
		PanelRefund:       "will be refunded",
		PanelPayout:       "We transfer by",
		PanelOffset:       "will be set off",
		SessionsHeading:   "Your charging sessions",
		OtherHeading:      "Other services",
		SuppliedHeading:   "Charging sessions",
		ReducedHeading:    "Reductions",
		When:              "Date, time",
		Where:             "Charge point",
		Energy:            "kWh",
		Price:             "Price",
		Service:           "Service",
		Quantity:          "Quantity",
		VATRate:           "VAT %",
		AmountGross:       "Gross %s",
		AmountNet:         "Net %s",
		To:                "–",
		Carry:             "Carried forward",
		TotalHeading:      "Total",
		VATColumn:         "Value added tax",
		Net:               "Net",
		VAT:               "VAT",
		Gross:             "Gross",
		VATAt:             "VAT at %s%%",
		ReverseCharge:     "Reverse charge",
		Exempt:            "Exempt",
		ZeroRated:         "VAT at 0%",
		Outside:           "Outside the scope of VAT",
		Total:             "Total amount",
		Paid:              "Already paid",
		ToPay:             "Amount due",
		ToRefund:          "In your favour",
		ToReclaim:         "In our favour",
		PricesGross:       "The prices of the single services include VAT.",
		PricesNet:         "The prices of the single services are net of VAT.",
		PaymentHeading:    "Payment",
		Transfer:          "Please transfer %s by %s to this account:",
		TransferAnytime:   "Please transfer %s to this account:",
		Debit:             "We will collect %s on %s by SEPA direct debit from your account %s.",
		DebitAnytime:      "We will collect %s by SEPA direct debit from your account %s.",
		Mandate:           "Mandate reference: %s. Creditor identifier: %s.",
		Card:              "We will charge %s on %s to your card ending in %s.",
		CardAnytime:       "We will charge %s to your card ending in %s.",
		Settled:           "This invoice has been paid already. Thank you!",
		Nothing:           "There is nothing to pay.",
		Refund:            "We will set off %s against open items or pay it back to you.",
		Payout:            "We will transfer %s to you by %s, to your account %s.",
		PayoutAnytime:     "We will transfer %s to you, to your account %s.",
		Offset:            "We will set off %s against your invoices.",
		OffsetPayee:       "We will set off %s against what we pay you next.",
		Payee:             "Payee",
		Bank:              "BIC",
		Amount:            "Amount",
		Purpose:           "Reference",
		GiroCode:          "GiroCode: scan with your banking app",
		GiroAlt:           "GiroCode to transfer %s to %s",
		LogoAlt:           "Logo of %s",
		VATID:             "VAT ID",
		TaxNumber:         "Tax number",
		Page:              "Page %d of %d",
		Attachment:        "Invoice data to EN 16931",
		LetterNumber:      "Reference",
		Reminder:          [3]string{"Payment reminder", "Second reminder", "Final reminder"},
		ReminderIntro: [3]string{
			"you have probably just overlooked it: we have not received a payment for these documents.",
			"we have sadly received no payment after our reminder. These are open:",
			"despite our reminders these documents have still not been paid:",
		},
		ReminderPay:       "Please transfer %s by %s to this account:",
		ReminderBlock:     "Without a payment by then we will block your charging cards on %s. As soon as you have paid you can charge again.",
		ReminderCrossed:   "Have you paid in the meantime? Then please disregard this letter. Can you not pay right now? Talk to us, we will find a way.",
		OpenItems:         "Open items",
		OpenDocument:      "Document",
		OpenDue:           "Due on",
		OpenAmount:        "Amount %s",
		OpenRest:          "Open %s",
		Statement:         "Statement of account",
		StatementIntro:    "these are all movements on your account from %s to %s:",
		StatementText:     "Movement",
		StatementDocument: "Document",
		StatementOpening:  "Opening balance",
		StatementClosing:  "Closing balance",
		StatementCredit:   "A negative balance is in your favour.",
		StatementAmount:   "Amount %s",
		StatementBalance:  "Balance %s",
		Units: map[billing.Unit][2]string{
			billing.UnitKWh: {"kWh", "kWh"}, billing.UnitMinute: {"minute", "minutes"}, billing.UnitPiece: {"piece", "pieces"}, billing.UnitMonth: {"month", "months"},
		},
		DecimalMark: ".", Mark: ",",
		DateLayout: "2 Jan 2006",
	},
}

// Decimal formats d exactly, with at least places decimals and groups of thousands. The minus is a true one.
func (t Texts) Decimal(d decimal.Decimal, places int32) string {
	s := d.Abs().String() // without trailing zeros
	if _, fraction, _ := strings.Cut(s, "."); len(fraction) < int(places) {
		s = d.Abs().StringFixed(places)
	}
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + t.Mark + whole[i:]
	}
	if d.IsNegative() {
		whole = "−" + whole
	}
	if fraction == "" {
		return whole
	}
	return whole + t.DecimalMark + fraction
}

// Money formats an amount with its currency.
func (t Texts) Money(d decimal.Decimal, currency string) string {
	s := t.Decimal(billing.Round(d, 2), 2)
	switch {
	case currency != "EUR":
		return s + NBSP + currency
	case t.Mark == ",":
		if rest, negative := strings.CutPrefix(s, "−"); negative {
			return "−€" + rest
		}
		return "€" + s
	}
	return s + NBSP + "€"
}

// Day is a calendar day: "03.11.2026".
func (t Texts) Day(d time.Time) string { return d.Format(t.DateLayout) }

// Unit names a quantity: "2 Monate".
func (t Texts) Unit(quantity decimal.Decimal, u billing.Unit) string {
	names, ok := t.Units[u]
	if !ok {
		names = [2]string{string(u), string(u)}
	}
	name := names[1]
	if quantity.Abs().Equal(decimal.NewFromInt(1)) {
		name = names[0]
	}
	return t.Decimal(quantity, 0) + NBSP + name
}

package corpus

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// special are the cases that the grid does not reach.
var special = []struct {
	name, exercises string
	draft           func() billing.Draft
	finish          func(billing.Invoice) billing.Invoice
}{
	{"private-one-page", "a consumer with a few sessions, gross exact, transfer with GiroCode", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "de")
		d.Lines = append(sessions(d, 6, standard, 0), baseFee("de", standard))
		return d
	}, nil},
	{"private-debit", "a consumer by direct debit, pre-notification text", func() billing.Draft {
		d := draft(private, billing.PaymentDirectDebit, "de")
		d.Lines = sessions(d, 3, standard, 10)
		return d
	}, nil},
	{"private-card-paid", "a consumer who has paid by card in advance: nothing is due", func() billing.Draft {
		d := draft(private, billing.PaymentCard, "en")
		d.Lines = sessions(d, 2, standard, 20)
		for _, l := range d.Lines {
			d.Paid = d.Paid.Add(l.Amount)
		}
		return d
	}, nil},
	{"business-debit-rates", "a business with lines at 19 and 7 percent, an exempt and a zero-rated one", func() billing.Draft {
		d := draft(business, billing.PaymentDirectDebit, "de")
		d.Lines = append(sessions(d, 8, standard, 30),
			piece("Handbuch Laden im Betrieb", "2", billing.UnitPiece, "25.42", rate("7")),
			piece("Seminar Elektromobilität", "1", billing.UnitPiece, "120", billing.VAT{Category: billing.VATExempt, Reason: "Steuerfrei nach § 4 Nr. 21 UStG"}),
			piece("Weiterberechnete Verwaltungsgebühr", "1", billing.UnitPiece, "15", billing.VAT{Category: billing.VATZero}),
		)
		return d
	}, nil},
	{"reseller-reverse-charge", "a reseller with evidence owes the tax itself (§ 13b UStG)", func() billing.Draft {
		d := draft(reseller, billing.PaymentTransfer, "de")
		d.Lines = sessions(d, 12, reseller.vat, 40)
		return d
	}, nil},
	{"mixed-reverse-charge", "reverse charge beside the standard rate on one document", func() billing.Draft {
		d := draft(reseller, billing.PaymentTransfer, "en")
		d.Lines = append(sessions(d, 4, reseller.vat, 50), baseFee("en", standard))
		return d
	}, nil},
	{"private-correction", "a correction (384) that gives back part of a session and charges another", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "de")
		d.Type = billing.DocumentCorrection
		d.Preceding = &billing.Reference{Number: "NAU-2026-000042", Date: time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)}
		d.Notes = append(d.Notes, "Die Energiemenge des Ladevorgangs vom 01.10.2026 wurde nach Prüfung der Messwerte berichtigt.")
		d.Lines = sessions(d, 2, standard, 60)
		d.Lines[0].Amount = d.Lines[0].Amount.Neg()
		return d
	}, nil},
	{"private-cancellation", "a cancellation takes every line back with the opposite sign", func() billing.Draft {
		d := draft(private, billing.PaymentDirectDebit, "de")
		d.Lines = append(sessions(d, 5, standard, 70), baseFee("de", standard))
		return d
	}, cancel},
	{"public-body", "a public body with a Leitweg-ID", func() billing.Draft {
		d := draft(public, billing.PaymentTransfer, "de")
		d.Lines = sessions(d, 9, standard, 80)
		return d
	}, nil},
	{"two-hundred-sessions", "many pages: repeated heads and carried-forward sums", func() billing.Draft {
		d := draft(business, billing.PaymentDirectDebit, "de")
		d.Lines = append(sessions(d, 200, standard, 90), baseFee("de", standard))
		return d
	}, nil},
	{"late-sessions", "sessions that came in late, under a heading of their own, priced as of their day", func() billing.Draft {
		d := draft(private, billing.PaymentDirectDebit, "de")
		d.Lines = sessions(d, 4, standard, 300)
		late := sessions(d, 2, standard, 310)
		for i := range late {
			s := late[i].Session
			s.Start, s.End = s.Start.AddDate(0, -2, 0), s.End.AddDate(0, -2, 0)
			late[i].Heading = "Nachträge aus August 2026"
		}
		d.Lines = append(d.Lines, late...)
		return d
	}, nil},
	{"no-session", "a month without charging: the base fee alone", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "de")
		d.Lines = []billing.DraftLine{baseFee("de", standard)}
		return d
	}, nil},
	{"free-and-tiny", "free sessions, cents, a session without energy", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "en")
		d.Lines = sessions(d, 5, standard, 320)
		d.Lines[0].Amount = decimal.Zero
		d.Lines[1].Amount, d.Lines[2].Amount = decimal.New(1, -2), decimal.New(1, -2)
		d.Lines[3].Amount, d.Lines[3].Quantity, d.Lines[3].Session.KWh = decimal.New(150, -2), decimal.Zero, decimal.Zero
		return d
	}, nil},
	{"large-energy", "a depot whose unit price needs a base quantity", func() billing.Draft {
		d := draft(business, billing.PaymentTransfer, "de")
		l := piece("Depotladung Betriebshof Ost", "3123456.789", billing.UnitKWh, "1234567.89", standard)
		d.Lines = []billing.DraftLine{l}
		return d
	}, nil},
	{"minutes", "blocking fees by the minute", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "de")
		d.Lines = sessions(d, 2, standard, 330)
		d.Lines = append(d.Lines, piece("Blockiergebühr ab der 240. Minute", "25", billing.UnitMinute, "2.50", standard))
		return d
	}, nil},
	{"discount", "a loyalty discount as a line of its own", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "de")
		d.Lines = append(sessions(d, 3, standard, 340), piece("Treuebonus Stromkunde", "1", billing.UnitPiece, "-5", standard))
		return d
	}, nil},
	{"credit-balance", "more is given back than charged: a negative amount due", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "de")
		d.Lines = append(sessions(d, 1, standard, 350), piece("Rückerstattung fehlerhafter Ladevorgang", "1", billing.UnitPiece, "-80", standard))
		return d
	}, nil},
	{"long-names", "names and places that need more than one line, and every special letter", func() billing.Draft {
		d := draft(business, billing.PaymentTransfer, "de")
		d.Supplier.Name = "Stadtwerke Donau-Überherrnbach-Großkötzschenbroda Versorgungs- und Verkehrsgesellschaft mbH & Co. KG"
		d.Payment.AccountName = "Stadtwerke Donau-Überherrnbach-Großkötzschenbroda GmbH & Co. KG"
		d.Customer.Name = "Arbeitsgemeinschaft <Grüne Flotten> Südwestfälisch-Märkischer Handwerksbetriebe & Söhne eG"
		d.Customer.Contact = "Abteilung Fuhrparkmanagement und Energieeinkauf, Frau Dr. Żaneta Ørsted-Þórsdóttir"
		d.Customer.Address.Street = "An der Alten Ziegelei hinter dem Güterbahnhof 117–119, Aufgang C"
		d.Lines = sessions(d, 14, standard, 360)
		for i := range d.Lines {
			d.Lines[i].Session.Place = "Park-and-Ride-Anlage Hauptbahnhof Süd, Ebene −2, Zufahrt über die Rudolf-Breitscheid-Straße, Großkötzschenbroda"
			d.Lines[i].Description += " Blockiergebühr 0,10 €/min ab der 241. Minute, höchstens 12,00 €; nachts von 22 bis 6 Uhr keine Blockiergebühr."
		}
		return d
	}, nil},
	{"old-rate", "a late session of a time with another VAT rate", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "de")
		d.Lines = append(sessions(d, 2, standard, 380), sessions(d, 1, rate("16"), 390)...)
		return d
	}, nil},
	{"notes", "several notes and a utility without register entry, VAT id or logo", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "de")
		d.Supplier.VATID, d.Supplier.TaxNumber, d.Supplier.Register, d.Supplier.Legal, d.Supplier.Design.Logo = "", "231/123/45678", "", "", nil
		d.Notes = append(d.Notes, "Ab dem 1. Dezember gilt eine neue Preisliste.", "Fragen beantworten wir gern.")
		d.Lines = sessions(d, 2, standard, 400)
		return d
	}, nil},
	{"abroad", "a customer abroad, another time zone and Greek letters", func() billing.Draft {
		d := draft(private, billing.PaymentTransfer, "en")
		d.Supplier.TimeZone = "Europe/Athens"
		d.Period.Start, d.Period.End = d.Period.Start.Add(-time.Hour), d.Period.End.Add(-time.Hour)
		d.Customer.Name, d.Customer.Address = "Αλέξανδρος Παπαδόπουλος", billing.Address{Street: "Λεωφόρος Συγγρού 12", PostalCode: "117 42", City: "Αθήνα", Country: "GR"}
		d.Lines = sessions(d, 3, standard, 410)
		return d
	}, nil},
}

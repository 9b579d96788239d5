package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// compose gathers all that a document says: the parties as they are today, and one line for each session and tax decision.
func (d *draft) compose(ctx context.Context, q *db.Queries, id uuid.UUID, items []db.LineItem) (billing.Draft, error) {
	customer, err := q.Customer(ctx, d.customer)
	if err != nil {
		return billing.Draft{}, fmt.Errorf("customer: %w", err)
	}
	payment, err := d.payment(ctx, q)
	if err != nil {
		return billing.Draft{}, err
	}
	doc := billing.Draft{
		Currency: d.currency, Language: customer.Language, Period: d.period,
		Supplier: supplierOf(d.tenant), Customer: customerOf(customer), Payment: payment,
		GrossExact: slices.ContainsFunc(items, func(i db.LineItem) bool { return i.TaxIncluded }),
	}
	doc.Date, doc.DueDate = dates(d.Now(), d.zone, d.tenant.PaymentDays)
	if d.tenant.Mode == "trial" {
		fillTrial(&doc)
	}
	if doc.Lines, err = d.lines(ctx, q, id, items, doc); err != nil {
		return billing.Draft{}, err
	}
	return doc, nil
}

// lines makes one line of each session and tax decision, in order of service, late ones of earlier months first under a
// heading of their own, and behind them one of each fee.
func (d *draft) lines(ctx context.Context, q *db.Queries, id uuid.UUID, items []db.LineItem, doc billing.Draft) ([]billing.DraftLine, error) {
	key := uuid.NullUUID{UUID: id, Valid: true}
	sessions, err := q.SessionsOfInvoice(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	ratings, err := q.RatingsOfInvoice(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("ratings: %w", err)
	}
	sentences := map[uuid.UUID]string{}
	for _, r := range ratings {
		var retail billing.Rating
		if err := json.Unmarshal(r.Retail, &retail); err != nil {
			return nil, fmt.Errorf("rating %s: %w", r.ID, err)
		}
		sentences[r.ID] = billing.Sentence(retail, doc.Language)
	}
	var lines []billing.DraftLine
	for _, s := range sessions {
		for _, group := range groupItems(items, s.CDRID) {
			lines = append(lines, d.line(s, group, sentences[group[0].RatingID.UUID], doc))
		}
	}
	fees, err := q.FeesOfInvoice(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("fees: %w", err)
	}
	for _, f := range fees {
		for _, item := range items {
			if item.FeeID.Valid && item.FeeID.UUID == f.ID {
				lines = append(lines, d.feeLine(f, item, doc))
			}
		}
	}
	return lines, nil
}

// groupItems collects the items of a CDR that may stand on one line: the same rating, the same tax decision, the same sign.
func groupItems(items []db.LineItem, cdr uuid.UUID) [][]db.LineItem {
	var groups [][]db.LineItem
	for _, item := range items {
		if !item.CDRID.Valid || item.CDRID.UUID != cdr {
			continue
		}
		at := slices.IndexFunc(groups, func(g []db.LineItem) bool {
			first := g[0]
			return first.RatingID == item.RatingID && first.VATCategory == item.VATCategory && first.VATRate.Equal(item.VATRate) && (first.Position < 0) == (item.Position < 0)
		})
		if at < 0 {
			groups = append(groups, nil)
			at = len(groups) - 1
		}
		groups[at] = append(groups[at], item)
	}
	return groups
}

func (d *draft) line(s db.CDRState, items []db.LineItem, sentence string, doc billing.Draft) billing.DraftLine {
	text := lineTexts[doc.Language]
	line := billing.DraftLine{
		Name: text.session + " " + s.Place, Description: sentence,
		Session: &billing.LineSession{
			CDRID: s.OCPIID, Operator: s.Operator, EVSEID: s.EVSEID, Place: s.Place, Start: s.StartedAt, End: s.EndedAt, KWh: s.KWh,
			CardUID: shortUID(s.TokenUID),
		},
		Quantity: s.KWh, Unit: billing.UnitKWh,
		VAT:    billing.VAT{Category: billing.VATCategory(items[0].VATCategory), Rate: items[0].VATRate},
		Period: billing.Period{Start: s.StartedAt, End: s.EndedAt},
	}
	if items[0].Position < 0 {
		line.Name, line.Quantity = text.takenBack+" "+s.Place, s.KWh.Neg()
	}
	for _, item := range items {
		line.Amount = line.Amount.Add(map[bool]decimal.Decimal{true: item.Gross, false: item.Net}[doc.GrossExact])
	}
	line.Heading = d.heading(s.StartedAt, doc)
	return line
}

// heading stands above what was delivered before the month of the invoice.
func (d *draft) heading(at time.Time, doc billing.Draft) string {
	if !at.Before(d.period.Start) {
		return ""
	}
	text, day := lineTexts[doc.Language], at.In(d.zone)
	return fmt.Sprintf(text.late, text.months[day.Month()-1], day.Year())
}

// feeLine is a fee that is due without charging, a service of its own.
func (d *draft) feeLine(f db.FeesOfInvoiceRow, item db.LineItem, doc billing.Draft) billing.DraftLine {
	text := lineTexts[doc.Language]
	line := billing.DraftLine{
		Name: text.fees[billing.FeeKind(f.Kind)], Quantity: decimal.NewFromInt(1), Unit: billing.UnitPiece,
		Amount:  map[bool]decimal.Decimal{true: item.Gross, false: item.Net}[doc.GrossExact],
		VAT:     billing.VAT{Category: billing.VATCategory(item.VATCategory), Rate: item.VATRate},
		Period:  billing.Period{Start: item.ServiceStart, End: item.ServiceEnd},
		Heading: d.heading(item.ServiceStart, doc),
	}
	switch billing.FeeKind(f.Kind) {
	case billing.FeeBase:
		line.Unit = billing.UnitMonth
		line.Name += fmt.Sprintf(" %s %d", text.months[f.Month.Month()-1], f.Month.Year())
		line.Description = text.plan + " " + f.PlanName
		if f.Days < f.OfDays {
			line.Description += fmt.Sprintf(", "+text.days, f.Days, f.OfDays)
		}
	case billing.FeeCard, billing.FeeExtraCard:
		line.Description = cmp.Or(f.VisualNumber, shortUID(f.UID))
	default:
		line.Description = text.plan + " " + f.PlanName
	}
	if item.Position < 0 {
		line.Name, line.Quantity = text.feeTakenBack+" "+line.Name, line.Quantity.Neg()
	}
	return line
}

// payment tells how the customer pays: by direct debit with a mandate, by transfer without.
func (d *draft) payment(ctx context.Context, q *db.Queries) (billing.Payment, error) {
	mandate, err := q.ActiveMandate(ctx, d.customer)
	if errors.Is(err, db.ErrNotFound) {
		return transferTo(d.tenant), nil
	} else if err != nil {
		return billing.Payment{}, fmt.Errorf("mandate: %w", err)
	}
	iban, err := d.Box.Open(mandateLabel(mandate.ID), mandate.IBANSealed)
	if err != nil {
		return billing.Payment{}, fmt.Errorf("IBAN of mandate %s: %w", mandate.Reference, err)
	}
	return billing.Payment{Means: billing.PaymentDirectDebit, MandateReference: mandate.Reference, CreditorID: d.tenant.CreditorID, DebtorIBAN: iban}, nil
}

// transferTo is payment by transfer to the utility's own account.
func transferTo(t db.Tenant) billing.Payment {
	return billing.Payment{Means: billing.PaymentTransfer, AccountName: t.Name, IBAN: t.IBAN, BIC: t.BIC}
}

// mandateLabel binds a sealed IBAN to its mandate.
func mandateLabel(id uuid.UUID) string { return "mandate/" + id.String() }

func supplierOf(t db.Tenant) billing.Supplier {
	return billing.Supplier{
		Name: t.Name, Address: billing.Address{Street: t.Street, PostalCode: t.PostalCode, City: t.City, Country: t.Country},
		VATID: t.VATID, TaxNumber: t.TaxNumber, Register: t.Register, ContactName: t.ContactName, ContactPhone: t.ContactPhone, ContactEmail: t.ContactEmail,
		Website: t.Website, Legal: t.LegalFooter, TimeZone: t.TimeZone, Design: billing.Design{Colour: t.Colour, Logo: t.Logo},
	}
}

func customerOf(c db.Customer) billing.Customer {
	return billing.Customer{
		Number: c.Number, Name: c.Name, Contact: c.Contact, Address: billing.Address{Street: c.Street, PostalCode: c.PostalCode, City: c.City, Country: c.Country},
		Email: c.Email, PeppolID: c.PeppolID, VATID: c.VATID, BuyerReference: c.BuyerReference,
	}
}

// fillTrial puts visibly invented data where a utility on trial has none yet, so that the whole way to the document can be
// seen. The document says what it is, and its number comes from a range of its own: it can never pass for an invoice.
func fillTrial(doc *billing.Draft) {
	s, c, p := &doc.Supplier, &doc.Customer, &doc.Payment
	for field, sample := range map[*string]string{
		&s.Address.Street: "Musterstraße 1", &s.Address.PostalCode: "12345", &s.Address.City: "Musterstadt", &s.TaxNumber: "00/000/00000",
		&s.ContactName: "Kundenservice (Muster)", &s.ContactPhone: "+49 30 000000", &s.ContactEmail: "service@musterstadt.example",
		&c.Address.Street: "Beispielweg 2", &c.Address.PostalCode: "12345", &c.Address.City: "Musterstadt",
	} {
		if *field == "" {
			*field = sample
		}
	}
	if p.Means == billing.PaymentTransfer && p.IBAN == "" {
		p.IBAN = "DE02120300000000202051"
	}
	if p.Means == billing.PaymentDirectDebit && p.CreditorID == "" {
		p.CreditorID = "DE98ZZZ09999999999"
	}
	doc.Notes = append(doc.Notes, lineTexts[doc.Language].trial)
}

// lineTexts are the words of a document's lines.
var lineTexts = map[string]struct {
	session, takenBack, late, trial string
	months                          [12]string
	fees                            map[billing.FeeKind]string
	plan, days, feeTakenBack        string
}{
	"de": {
		"Ladevorgang", "Rücknahme Ladevorgang", "Nachträge aus %s %d",
		"Testbeleg: Das Stadtwerk ist noch im Probebetrieb, fehlende Angaben sind durch Muster ersetzt. Dieser Beleg ist keine Rechnung und nicht zu bezahlen.",
		[12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		map[billing.FeeKind]string{billing.FeeBase: "Grundgebühr", billing.FeeActivation: "Aktivierung", billing.FeeCard: "Ladekarte", billing.FeeExtraCard: "Weitere Ladekarte"},
		"Tarif", "%d von %d Tagen", "Rücknahme",
	},
	"en": {
		"Charging session", "Charging session taken back", "Late sessions of %s %d",
		"Test document: the utility is still on trial and missing details are replaced by samples. This is not an invoice and must not be paid.",
		[12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		map[billing.FeeKind]string{billing.FeeBase: "Base fee", billing.FeeActivation: "Activation", billing.FeeCard: "Charging card", billing.FeeExtraCard: "Further charging card"},
		"Plan", "%d of %d days", "Taken back:",
	},
}

// shortUID shows enough of a card's UID to tell cards apart, and not enough to copy one.
func shortUID(uid string) string {
	if len(uid) <= 6 {
		return uid
	}
	return "…" + uid[len(uid)-6:]
}

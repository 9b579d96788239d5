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

// Preview is the document that a draft would be if it were issued now.
//
// Its error is a *billing.DraftError if it cannot be issued, or a *Refusal if nothing is left to give back.
func (o *Ops) Preview(ctx context.Context, q *db.Queries, row db.Invoice) (billing.Invoice, error) {
	if row.Request != nil {
		return o.previewCredit(ctx, q, row)
	}
	tenant, err := q.Tenant(ctx, row.TenantID)
	if err != nil {
		return billing.Invoice{}, fmt.Errorf("tenant: %w", err)
	}
	doc, err := o.compose(ctx, q, tenant, row)
	if err != nil {
		return billing.Invoice{}, err
	}
	return doc.document()
}

// composed is a draft with what its customer wants to see of it.
type composed struct {
	billing.Draft
	summary bool
}

// document computes the document.
func (c composed) document() (billing.Invoice, error) {
	inv, err := c.Invoice()
	if err == nil && c.summary {
		inv = inv.Summarise()
	}
	return inv, err
}

// composing is the making of one document.
type composing struct {
	*Ops
	q       *db.Queries
	tenant  db.Tenant
	zone    *time.Location
	row     db.Invoice
	period  billing.Period
	carried []db.CarriedMonthsRow
	origins map[uuid.UUID]billing.Reference // of items that take something back
	agreed  map[uuid.UUID]db.Reimbursement
}

// compose gathers all that a document says: the parties as they are today, and one line for each session and tax decision.
func (o *Ops) compose(ctx context.Context, q *db.Queries, tenant db.Tenant, row db.Invoice) (composed, error) {
	zone, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		return composed{}, fmt.Errorf("time zone of %s: %w", tenant.Name, err)
	}
	c := composing{Ops: o, q: q, tenant: tenant, zone: zone, row: row, period: cyclePeriod(row.Month, row.Cycle, zone), agreed: map[uuid.UUID]db.Reimbursement{}}
	customer, err := q.Customer(ctx, row.CustomerID)
	if err != nil {
		return composed{}, fmt.Errorf("customer: %w", err)
	}
	recipient := customer
	if row.RecipientID.Valid {
		if recipient, err = q.Customer(ctx, row.RecipientID.UUID); err != nil {
			return composed{}, fmt.Errorf("recipient: %w", err)
		}
	}
	payment, holder, err := c.payment(ctx, recipient.ID)
	if err != nil {
		return composed{}, err
	}
	items, err := q.ItemsOfInvoice(ctx, uuid.NullUUID{UUID: row.ID, Valid: true})
	if err != nil {
		return composed{}, fmt.Errorf("items: %w", err)
	}
	if c.carried, err = q.CarriedMonths(ctx, db.CarriedMonthsParams{CustomerID: row.CustomerID, Type: row.Type}); err != nil {
		return composed{}, fmt.Errorf("carried invoices: %w", err)
	}
	doc := frame(tenant, zone, o.Now(), recipient, payment, row.Currency, c.period)
	doc.GrossExact = slices.ContainsFunc(items, func(i db.LineItem) bool { return i.TaxIncluded })
	if recipient.ID != customer.ID {
		doc.Notes = append(doc.Notes, fmt.Sprintf(lineTexts[doc.Language].chargedBy, customer.Name, customer.Number))
	}
	if err := c.readOrigins(ctx); err != nil {
		return composed{}, err
	}
	if doc.Lines, err = c.lines(ctx, items, doc); err != nil {
		return composed{}, err
	}
	if err := o.turned(ctx, q, &doc, row.Type, recipient.ID, holder); err != nil {
		return composed{}, err
	}
	if doc.Type == billing.DocumentCreditNote {
		doc.Preceding = c.onlyOrigin(items)
	}
	return composed{doc, recipient.InvoiceDetail == "summary"}, nil
}

// frame is a document without lines.
func frame(tenant db.Tenant, zone *time.Location, now time.Time, recipient db.Customer, payment billing.Payment, currency string, period billing.Period) billing.Draft {
	doc := billing.Draft{
		Currency: currency, Language: recipient.Language, Period: period, Supplier: supplierOf(tenant), Customer: customerOf(recipient), Payment: payment,
	}
	doc.Date, doc.DueDate = dates(now, zone, tenant.PaymentDays)
	if tenant.Mode == "trial" {
		fillTrial(&doc)
	}
	return doc
}

// lines makes one line of each session and tax decision, in order of service, late ones of earlier months first under a
// heading of their own, and behind them one of each fee.
func (c *composing) lines(ctx context.Context, items []db.LineItem, doc billing.Draft) ([]billing.DraftLine, error) {
	key := uuid.NullUUID{UUID: c.row.ID, Valid: true}
	sessions, err := c.q.SessionsOfInvoice(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	ratings, err := c.q.RatingsOfInvoice(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("ratings: %w", err)
	}
	sentence, sentences := billing.NetSentence, map[uuid.UUID]string{}
	if doc.GrossExact {
		sentence = billing.Sentence
	}
	for _, r := range ratings {
		var retail billing.Rating
		if err := json.Unmarshal(r.Retail, &retail); err != nil {
			return nil, fmt.Errorf("rating %s: %w", r.ID, err)
		}
		sentences[r.ID] = sentence(retail, doc.Language)
	}
	agreements, err := c.q.ReimbursementsOfInvoice(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("agreements: %w", err)
	}
	for _, a := range agreements {
		c.agreed[a.ID] = a
	}
	bySession, byFee := map[uuid.UUID][]db.LineItem{}, map[uuid.UUID][]db.LineItem{}
	for _, item := range items {
		if item.CDRID.Valid {
			bySession[item.CDRID.UUID] = append(bySession[item.CDRID.UUID], item)
		} else {
			byFee[item.FeeID.UUID] = append(byFee[item.FeeID.UUID], item)
		}
	}
	var lines []billing.DraftLine
	for _, s := range sessions {
		for _, group := range groupItems(bySession[s.CDRID]) {
			lines = append(lines, c.line(s, group, sentences[group[0].RatingID.UUID], doc))
		}
	}
	fees, err := c.q.FeesOfInvoice(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("fees: %w", err)
	}
	for _, f := range fees {
		for _, item := range byFee[f.ID] {
			lines = append(lines, c.feeLine(f, item, doc))
		}
	}
	return lines, nil
}

// groupItems collects the items of a CDR that may stand on one line: the same rating or agreement, the same tax decision, the same sign.
func groupItems(items []db.LineItem) [][]db.LineItem {
	var groups [][]db.LineItem
	for _, item := range items {
		at := slices.IndexFunc(groups, func(g []db.LineItem) bool {
			first := g[0]
			return first.RatingID == item.RatingID && first.ReimbursementID == item.ReimbursementID && first.VATCategory == item.VATCategory && first.VATRate.Equal(item.VATRate) && (first.Position < 0) == (item.Position < 0)
		})
		if at < 0 {
			groups = append(groups, nil)
			at = len(groups) - 1
		}
		groups[at] = append(groups[at], item)
	}
	return groups
}

func (c *composing) line(s db.CDRState, items []db.LineItem, sentence string, doc billing.Draft) billing.DraftLine {
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
	line.Heading = c.heading(s.StartedAt, items[0].CreatedAt, doc)
	if a, owed := c.agreed[items[0].ReimbursementID.UUID]; owed {
		c.owedLine(&line, a, items[0], doc)
	}
	if of, ok := c.origins[items[0].ID]; ok {
		line.Description += fmt.Sprintf(" ("+text.origin+")", of.Number, of.Date.Format(text.date))
	}
	return line
}

// owedLine says what the utility owes for a session, and how much by the agreement. A host is not told whose card it was.
func (c *composing) owedLine(line *billing.DraftLine, a db.Reimbursement, item db.LineItem, doc billing.Draft) {
	text, basis := lineTexts[doc.Language], billing.Basis(a.Basis)
	owed := billing.Payable{Quantity: item.Quantity, Price: item.UnitPrice, Net: item.Net}
	line.Description = owed.Sentence(basis, item.Currency, doc.Language)
	if basis != billing.PerKWh {
		line.Quantity, line.Unit = decimal.NewFromInt(1), billing.UnitPiece
	}
	switch {
	case a.Kind == OwedToHost:
		session := *line.Session
		session.CardUID = ""
		line.Session = &session
	case item.Position > 0:
		line.Name = text.home + " " + line.Session.Place
	}
}

// readOrigins finds the documents of which this one takes something back.
func (c *composing) readOrigins(ctx context.Context) error {
	rows, err := c.q.OriginsOfInvoice(ctx, uuid.NullUUID{UUID: c.row.ID, Valid: true})
	if err != nil {
		return fmt.Errorf("what is taken back: %w", err)
	}
	c.origins = make(map[uuid.UUID]billing.Reference, len(rows))
	for _, r := range rows {
		c.origins[r.ID] = billing.Reference{Number: r.Number, Date: r.Date}
	}
	return nil
}

// onlyOrigin is the document from which all comes that is taken back; nil if there are several. Each line names its own.
func (c *composing) onlyOrigin(items []db.LineItem) *billing.Reference {
	var only *billing.Reference
	for _, item := range items {
		of, ok := c.origins[item.ID]
		switch {
		case !ok:
		case only == nil:
			only = &of
		case only.Number != of.Number:
			return nil
		}
	}
	return only
}

// heading stands above what was delivered before the time of the invoice: because it came late, or because it was carried forward.
func (c *composing) heading(at, booked time.Time, doc billing.Draft) string {
	if !at.Before(c.period.Start) || c.row.Cycle == cycleImmediate {
		return ""
	}
	text, day := lineTexts[doc.Language], at.In(c.zone)
	format := text.late
	for _, earlier := range c.carried {
		if earlier.Month.Equal(dateOf(day)) && !booked.After(earlier.CarriedAt) {
			format = text.carried
		}
	}
	return fmt.Sprintf(format, text.months[day.Month()-1], day.Year())
}

// feeLine is a fee that is due without charging, a service of its own.
func (c *composing) feeLine(f db.FeesOfInvoiceRow, item db.LineItem, doc billing.Draft) billing.DraftLine {
	text := lineTexts[doc.Language]
	line := billing.DraftLine{
		Name: text.fees[billing.FeeKind(f.Kind)], Quantity: decimal.NewFromInt(1), Unit: billing.UnitPiece,
		Amount:  map[bool]decimal.Decimal{true: item.Gross, false: item.Net}[doc.GrossExact],
		VAT:     billing.VAT{Category: billing.VATCategory(item.VATCategory), Rate: item.VATRate},
		Period:  billing.Period{Start: item.ServiceStart, End: item.ServiceEnd},
		Heading: c.heading(item.ServiceStart, item.CreatedAt, doc),
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

// payment tells how the recipient pays: by direct debit with a mandate, which names the holder of the account, by transfer without.
func (c *composing) payment(ctx context.Context, recipient uuid.UUID) (p billing.Payment, holder string, err error) {
	mandate, err := c.q.ActiveMandate(ctx, recipient)
	if errors.Is(err, db.ErrNotFound) {
		return transferTo(c.tenant), "", nil
	} else if err != nil {
		return p, "", fmt.Errorf("mandate: %w", err)
	}
	p, err = c.debitBy(c.tenant, mandate.ID, mandate.Reference, mandate.IBANSealed)
	return p, mandate.Holder, err
}

// debitBy is payment by direct debit.
func (o *Ops) debitBy(t db.Tenant, mandate uuid.UUID, reference string, sealed []byte) (billing.Payment, error) {
	iban, err := o.Box.Open(mandateLabel(mandate), sealed)
	if err != nil {
		return billing.Payment{}, fmt.Errorf("IBAN of mandate %s: %w", reference, err)
	}
	return billing.Payment{Means: billing.PaymentDirectDebit, MandateReference: reference, CreditorID: t.CreditorID, DebtorIBAN: iban}, nil
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
		Email: c.Email, Phone: c.Phone, PeppolID: c.PeppolID, VATID: c.VATID, TaxNumber: c.TaxNumber, BuyerReference: c.BuyerReference,
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
	session, takenBack, late, carried, chargedBy, trial string
	home, origin, date, objection                       string
	months                                              [12]string
	fees                                                map[billing.FeeKind]string
	plan, days, feeTakenBack                            string
}{
	"de": {
		"Ladevorgang", "Rücknahme Ladevorgang", "Nachträge aus %s %d", "Übertrag aus %s %d", "Geladen hat: %s, Kundennummer %s",
		"Testbeleg: Das Stadtwerk ist noch im Probebetrieb, fehlende Angaben sind durch Muster ersetzt. Dieser Beleg ist keine Rechnung und nicht zu bezahlen.",
		"Laden zu Hause", "Beleg %s vom %s", "02.01.2006",
		"Der Gutschrift wurde am %s widersprochen (§ 14 Abs. 2 Satz 3 UStG).",
		[12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		map[billing.FeeKind]string{billing.FeeBase: "Grundgebühr", billing.FeeActivation: "Aktivierung", billing.FeeCard: "Ladekarte", billing.FeeExtraCard: "Weitere Ladekarte"},
		"Tarif", "%d von %d Tagen", "Rücknahme",
	},
	"en": {
		"Charging session", "Charging session taken back", "Late sessions of %s %d", "Carried forward from %s %d", "Charged by: %s, customer number %s",
		"Test document: the utility is still on trial and missing details are replaced by samples. This is not an invoice and must not be paid.",
		"Charged at home", "document %s of %s", "2 January 2006",
		"An objection was made to the self-billed invoice on %s (§ 14(2) sentence 3 UStG).",
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

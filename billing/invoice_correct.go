package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Cancel returns the document that takes inv back as a whole (Stornorechnung): every amount and quantity with the opposite
// sign, dated date, referring to inv. Nothing falls due with it; what was paid is settled on the customer's account.
func (inv Invoice) Cancel(date time.Time) Invoice {
	c := inv
	c.Type, c.Number, c.Date, c.DueDate = DocumentCorrection, "", date, time.Time{}
	c.Preceding = &Reference{Number: inv.Number, Date: inv.Date}
	c.Lines, c.Detail = negated(inv.Lines), negated(inv.Detail)
	c.VAT = make([]VATLine, len(inv.VAT))
	for i, v := range inv.VAT {
		v.Net, v.Tax = v.Net.Neg(), v.Tax.Neg()
		c.VAT[i] = v
	}
	c.Net, c.VATTotal, c.Gross = inv.Net.Neg(), inv.VATTotal.Neg(), inv.Gross.Neg()
	c.Paid, c.Due = decimal.Zero, c.Gross
	if inv.SelfBilled { // nobody is asked for money: it is set off
		c.Payment = Payment{Means: PaymentOffset}
	}
	return c
}

func negated(lines []InvoiceLine) []InvoiceLine {
	if lines == nil {
		return nil
	}
	back := make([]InvoiceLine, len(lines))
	for i, l := range lines {
		l.Quantity, l.Net, l.Gross = l.Quantity.Neg(), l.Net.Neg(), l.Gross.Neg()
		back[i] = l
	}
	return back
}

// Change says what shall become of a line of an issued document.
type Change struct {
	Line   string          // InvoiceLine.ID
	Amount decimal.Decimal // the right amount of the whole line, as promised: with VAT if the document is GrossExact; zero takes it back
	Reason string          // for the customer, in the document's language: "Energiemenge nach Prüfung der Messwerte berichtigt"
}

// Correct returns the draft of the document that puts some lines of inv right (Rechnungskorrektur), dated date, payable on due
// if the customer has to pay more, and referring to inv: each line is taken back as it stood, and charged anew if there is something to charge. What inv has taken back itself,
// by a negative line, cannot be changed.
//
// Its error is a *DraftError that names the lines.
func (inv Invoice) Correct(date, due time.Time, changes []Change) (Draft, error) {
	d := Draft{
		Type: DocumentCorrection, SelfBilled: inv.SelfBilled, Date: date, DueDate: due, Currency: inv.Currency, Language: inv.Language, Period: inv.Period,
		Supplier: inv.Supplier, Customer: inv.Customer, GrossExact: inv.GrossExact, Payment: inv.Payment,
		Preceding: &Reference{Number: inv.Number, Date: inv.Date},
	}
	var problems []Problem
	report := func(i int, de, en string) {
		problems = append(problems, Problem{fmt.Sprintf("changes[%d].line", i), de, en})
	}
	if inv.Number == "" {
		report(0, "Ein Entwurf wird geändert, nicht berichtigt.", "A draft is changed, not corrected.")
	}
	if len(changes) == 0 {
		report(0, "Es ist keine Position ausgewählt.", "No line has been chosen.")
	}
	seen := map[string]bool{}
	for i, c := range changes {
		at := slices.IndexFunc(inv.Lines, func(l InvoiceLine) bool { return l.ID == c.Line })
		switch {
		case at < 0:
			report(i, fmt.Sprintf("Die Rechnung hat keine Position %s.", c.Line), fmt.Sprintf("The invoice has no line %s.", c.Line))
			continue
		case seen[c.Line]:
			report(i, fmt.Sprintf("Position %s ist zweimal ausgewählt.", c.Line), fmt.Sprintf("Line %s is chosen twice.", c.Line))
			continue
		case inv.Lines[at].Net.IsNegative():
			report(i, fmt.Sprintf("Position %s nimmt selbst etwas zurück.", c.Line), fmt.Sprintf("Line %s takes something back itself.", c.Line))
			continue
		}
		seen[c.Line] = true
		d.Lines = append(d.Lines, inv.replace(inv.Lines[at], c)...)
	}
	if len(problems) > 0 {
		return Draft{}, &DraftError{Problems: problems}
	}
	return d, nil
}

// replace takes a line back and charges what is right in its place.
func (inv Invoice) replace(l InvoiceLine, c Change) []DraftLine {
	words := correctionWords[inv.Language]
	old := DraftLine{
		Name: words.takenBack + l.Name, Description: c.Reason, Session: l.Session, Quantity: l.Quantity, Unit: l.Unit,
		Amount: l.Net.Neg(), VAT: VAT{Category: l.VATCategory, Rate: l.VATRate, Reason: inv.reasonOf(l)}, Period: l.Period, Heading: l.Heading,
	}
	if inv.GrossExact {
		old.Amount = l.Gross.Neg()
	}
	if c.Amount.IsZero() {
		return []DraftLine{old}
	}
	right := old
	right.Name, right.Description, right.Amount = words.charged+l.Name, l.Description, c.Amount
	return []DraftLine{old, right}
}

// reasonOf is why a line bears no tax, which the document says once for each category.
func (inv Invoice) reasonOf(l InvoiceLine) string {
	for _, v := range inv.VAT {
		if v.Category == l.VATCategory && v.Rate.Equal(l.VATRate) && v.Category != VATReverseCharge {
			return v.Reason
		}
	}
	return ""
}

var correctionWords = map[string]struct{ takenBack, charged string }{
	"de": {"Rücknahme: ", "Richtig: "},
	"en": {"Taken back: ", "Correct: "},
}

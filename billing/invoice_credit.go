package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// ShareReduction shares an amount over lines in proportion to what is left of each (Change.Amount), to the cent: no line gets more than
// is left of it. The amount is at most the sum.
func ShareReduction(left []Change, amount decimal.Decimal) []Change {
	total := decimal.Zero
	for _, l := range left {
		total = total.Add(l.Amount)
	}
	exact := make([]decimal.Decimal, len(left))
	for i, l := range left {
		if total.IsPositive() {
			exact[i] = amount.Mul(l.Amount).DivRound(total, workPlaces)
		}
	}
	shared := slices.Clone(left)
	for i, part := range spread(exact, amount) {
		shared[i].Amount = part
	}
	return slices.DeleteFunc(shared, func(c Change) bool { return c.Amount.IsZero() })
}

// Reduce returns the draft of the credit note that reduces inv by amounts of its lines (§ 17(1) UStG), as promised: with VAT if the
// document is GrossExact. Each keeps the VAT rate of its line. Its payment is that of inv: whose account, the caller decides.
//
// With whole, the document has one line for each VAT rate instead of one for each line of inv.
func (inv Invoice) Reduce(date, due time.Time, by []Change, reason string, whole bool) Draft {
	words := creditWords[inv.Language]
	d := Draft{
		Type: DocumentCreditNote, Date: date, DueDate: due, Currency: inv.Currency, Language: inv.Language, Period: inv.Period, Supplier: inv.Supplier, Customer: inv.Customer,
		GrossExact: inv.GrossExact, Payment: inv.Payment, Preceding: &Reference{Number: inv.Number, Date: inv.Date},
	}
	loc := inv.Supplier.Location()
	for _, c := range by {
		at := slices.IndexFunc(inv.FullList(), func(l InvoiceLine) bool { return l.ID == c.Line })
		if at < 0 {
			continue
		}
		l := inv.FullList()[at]
		line := DraftLine{
			Name: l.Name, Description: reason, Quantity: decimal.NewFromInt(1), Unit: UnitPiece, Amount: c.Amount,
			VAT: VAT{Category: l.VATCategory, Rate: l.VATRate, Reason: inv.reasonOf(l)}, Period: l.Period,
		}
		if l.Session != nil {
			line.Name += fmt.Sprintf(words.on, l.Session.Start.In(loc).Format(words.date))
		}
		if !whole {
			d.Lines = append(d.Lines, line)
			continue
		}
		line.Name, line.Period = words.whole+" "+inv.Number, inv.Period
		same := slices.IndexFunc(d.Lines, func(o DraftLine) bool { return o.VAT.Category == line.VAT.Category && o.VAT.Rate.Equal(line.VAT.Rate) })
		if same < 0 {
			d.Lines = append(d.Lines, line)
			continue
		}
		d.Lines[same].Amount = d.Lines[same].Amount.Add(line.Amount)
	}
	return d
}

var creditWords = map[string]struct{ whole, on, date string }{
	"de": {"Minderung der Rechnung", " vom %s", "02.01.2006"},
	"en": {"Reduction of invoice", " of %s", "2 January 2006"},
}

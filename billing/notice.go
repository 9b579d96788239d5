package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// Letter is what letters about money have in common that are no invoices. Amounts are in Currency; Date is a calendar day.
type Letter struct {
	Number   string // of the letter, for those who answer it; may be empty
	Date     time.Time
	Language string // "de" or "en"
	Currency string // ISO 4217
	Supplier Supplier
	Customer Customer
	Notes    []string
}

// Reminder asks for what is overdue. The first one is friendly and free of charge: it puts the customer into default (§ 286(1)
// BGB), so nothing can be asked for it.
type Reminder struct {
	Letter
	Level   int       // 1: Zahlungserinnerung; 2, 3: Mahnung
	PayBy   time.Time // calendar day
	Items   []OpenItem
	Charges []Charge  // reminder fee, interest, returned debit: damages, which bear no VAT
	Payment Payment   // transfer to the utility's account
	Block   time.Time // calendar day on which the cards are blocked; zero: they are not
}

// OpenItem is a document that is not paid in full.
type OpenItem struct {
	Number  string
	Date    time.Time // calendar day
	DueDate time.Time // calendar day
	Gross   decimal.Decimal
	Open    decimal.Decimal
}

// Charge is what default costs beside the items.
type Charge struct {
	Text   string // in the letter's language: "Verzugszinsen 6,27 % seit 18.11.2026"
	Amount decimal.Decimal
}

// Total is what the customer has to pay.
func (r Reminder) Total() decimal.Decimal {
	total := decimal.Zero
	for _, i := range r.Items {
		total = total.Add(i.Open)
	}
	for _, c := range r.Charges {
		total = total.Add(c.Amount)
	}
	return total
}

// Statement lists what happened on a customer's account (Kontoauszug).
type Statement struct {
	Letter
	From, To time.Time       // calendar days, both included
	Opening  decimal.Decimal // what the customer owed before; negative: a credit balance
	Entries  []Entry
}

// Entry is a movement of an account.
type Entry struct {
	Date     time.Time       // calendar day
	Text     string          // "Rechnung", "Lastschrift eingelöst"
	Document string          // number, may be empty
	Amount   decimal.Decimal // what it adds to what the customer owes; a payment is negative
}

// Closing is what the customer owes in the end.
func (s Statement) Closing() decimal.Decimal {
	sum := s.Opening
	for _, e := range s.Entries {
		sum = sum.Add(e.Amount)
	}
	return sum
}

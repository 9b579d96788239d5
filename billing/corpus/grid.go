package corpus

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// grids are families of documents: every combination of a few traits, each case named after its own.
var grids = []func() []recipe{byKind, bySelfBilling, byTaxes, byLength, byCountry, byDesign, byPayment}

var languages = []string{"de", "en"}

var meansName = map[billing.PaymentMeans]string{
	billing.PaymentTransfer:    "transfer",
	billing.PaymentDirectDebit: "debit",
	billing.PaymentCard:        "card",
	billing.PaymentOffset:      "offset",
}

// today is the day on which the corpus corrects its invoices.
var today = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

func cancel(inv billing.Invoice) billing.Invoice { return inv.Cancel(today) }

// correct puts the first line right and takes the last one back.
func correct(inv billing.Invoice) billing.Invoice {
	first, last := inv.Lines[0], inv.Lines[len(inv.Lines)-1]
	amount := first.Net
	if inv.GrossExact {
		amount = first.Gross
	}
	changes := []billing.Change{{Line: first.ID, Amount: amount.Sub(decimal.New(1, 0)), Reason: "§ 17 UStG"}}
	if last.ID != first.ID {
		changes = append(changes, billing.Change{Line: last.ID})
	}
	d, err := inv.Correct(today, today.AddDate(0, 0, 14), changes)
	if err != nil {
		panic(err) // a fault of this package
	}
	corrected, err := d.Invoice()
	if err != nil {
		panic(err)
	}
	return corrected
}

// byKind is every kind of customer, means of payment, language and kind of document.
func byKind() []recipe {
	var all []recipe
	for _, customer := range customers {
		for _, means := range []billing.PaymentMeans{billing.PaymentTransfer, billing.PaymentDirectDebit, billing.PaymentCard} {
			for _, language := range languages {
				for _, kind := range []struct {
					name   string
					finish func(billing.Invoice) billing.Invoice
				}{{"invoice", nil}, {"cancellation", cancel}, {"correction", correct}} {
					d := draft(customer, means, language)
					d.Lines = append(sessions(d, 1+len(all)%7, customer.vat, 500+len(all)), baseFee(language, customer.vat))
					all = append(all, recipe{
						name:      strings.Join([]string{"grid", customer.name, meansName[means], language, kind.name}, "-"),
						exercises: strings.Join([]string{kind.name, "for a", customer.name, "customer by", meansName[means], "in", language}, " "),
						draft:     d, finish: kind.finish,
					})
				}
			}
		}
		for _, language := range languages {
			for _, means := range []billing.PaymentMeans{billing.PaymentTransfer, billing.PaymentOffset} {
				for _, about := range []bool{false, true} {
					d := payout(draft(customer, means, language))
					d.Type = billing.DocumentCreditNote
					d.Lines = []billing.DraftLine{piece(map[string]string{"de": "Kulanz wegen gestörter Ladesäule", "en": "Goodwill for a faulty charge point"}[language], "1", billing.UnitPiece, "7.50", customer.vat)}
					name := "free"
					if about {
						d.Preceding, name = &billing.Reference{Number: "LIN-2026-000077", Date: time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)}, "of-invoice"
					}
					all = append(all, recipe{
						name:      strings.Join([]string{"creditnote", customer.name, meansName[means], language, name}, "-"),
						exercises: "a credit note (381), " + name + ", for a " + customer.name + " customer by " + meansName[means],
						draft:     d,
					})
				}
			}
		}
	}
	return all
}

// payout is a draft whose amount goes to the customer's own account.
func payout(d billing.Draft) billing.Draft {
	if d.Payment.Means == billing.PaymentTransfer {
		d.Payment.IBAN, d.Payment.BIC, d.Payment.AccountName = "DE02500105170137075030", "", d.Customer.Name
	}
	return d
}

// bySelfBilling is what the utility bills in the name of those who supply it: employees who charge at home, hosts of sites.
func bySelfBilling() []recipe {
	var all []recipe
	for _, payee := range payees {
		for _, language := range languages {
			for _, means := range []billing.PaymentMeans{billing.PaymentTransfer, billing.PaymentOffset} {
				for _, charged := range []bool{true, false} {
					d := payout(draft(payee, means, language))
					d.Type = billing.DocumentSelfBilled
					name := "rent"
					d.Lines = []billing.DraftLine{piece(map[string]string{"de": "Standortvergütung", "en": "Site rent"}[language], "1", billing.UnitMonth, "85", payee.vat)}
					if charged {
						name, d.Lines = "sessions", sessions(d, 4, payee.vat, 900+len(all))
					}
					all = append(all, recipe{
						name:      strings.Join([]string{"selfbilled", payee.name, meansName[means], language, name}, "-"),
						exercises: "a self-billed invoice (389) of a " + payee.name + ": " + name,
						draft:     d,
					})
				}
			}
		}
	}
	return all
}

// byTaxes is every set of one to three tax decisions, with gross and with net prices.
func byTaxes() []recipe {
	decisions := []struct {
		name string
		vat  billing.VAT
	}{
		{"19", standard}, {"16", rate("16")}, {"7", rate("7")}, {"zero", billing.VAT{Category: billing.VATZero}},
		{"exempt", billing.VAT{Category: billing.VATExempt, Reason: "Steuerfrei nach § 4 Nr. 12 UStG"}},
		{"reverse", billing.VAT{Category: billing.VATReverseCharge}},
	}
	var all []recipe
	for set := 1; set < 1<<len(decisions); set++ {
		var names []string
		var vats []billing.VAT
		for i, d := range decisions {
			if set&(1<<i) != 0 {
				names, vats = append(names, d.name), append(vats, d.vat)
			}
		}
		if len(vats) > 3 {
			continue
		}
		for _, customer := range []customer{private, business} {
			if customer.grossExact && set&(1<<5) != 0 {
				continue // no consumer owes the utility's tax
			}
			d := draft(customer, billing.PaymentTransfer, languages[set%2])
			for i, vat := range vats {
				d.Lines = append(d.Lines, sessions(d, 2+i, vat, 1300+set*7+i)...)
			}
			all = append(all, recipe{
				name:      strings.Join([]string{"tax", customer.name, strings.Join(names, "-")}, "-"),
				exercises: "taxes " + strings.Join(names, ", ") + " with the prices of a " + customer.name + " customer",
				draft:     d,
			})
		}
	}
	return all
}

// byLength is documents of one line to many pages, so that every kind of page break comes about.
func byLength() []recipe {
	var all []recipe
	for _, n := range []int{1, 5, 8, 9, 10, 11, 12, 13, 14, 20, 35, 60, 100} {
		for _, customer := range []customer{private, business} {
			d := draft(customer, billing.PaymentDirectDebit, languages[n%2])
			d.Lines = append(sessions(d, n, standard, 2000+n*3), baseFee(d.Language, standard))
			all = append(all, recipe{
				name:      fmt.Sprintf("length-%s-%d", customer.name, n),
				exercises: fmt.Sprintf("%d sessions for a %s customer", n, customer.name),
				draft:     d,
			})
		}
	}
	return all
}

// byCountry is sessions abroad, which bear the VAT of their country.
func byCountry() []recipe {
	var all []recipe
	for _, abroad := range []struct{ country, percent string }{
		{"AT", "20"}, {"BE", "21"}, {"CZ", "21"}, {"DK", "25"}, {"FR", "20"}, {"HU", "27"}, {"PL", "23"}, {"SE", "25"}, {"SI", "22"},
	} {
		for _, customer := range []customer{private, business} {
			d := draft(customer, billing.PaymentTransfer, languages[len(all)%2])
			d.Lines = append(sessions(d, 2, standard, 3000+len(all)), sessions(d, 1, rate(abroad.percent), 3100+len(all))...)
			d.Lines[2].Session.Place = "Autohof " + abroad.country
			all = append(all, recipe{
				name:      strings.Join([]string{"country", abroad.country, customer.name}, "-"),
				exercises: "a session in " + abroad.country + " at " + abroad.percent + " percent",
				draft:     d,
			})
		}
	}
	return all
}

// byDesign is the looks of utilities: colours, with a logo or the name alone.
func byDesign() []recipe {
	var all []recipe
	for _, colour := range []string{"#0b5cad", "#8a1538", "#1b5e20", "#4a148c", "#000000"} {
		for _, mark := range []struct {
			name string
			logo []byte
		}{{"logo", logo()}, {"name", nil}} {
			d := draft(private, billing.PaymentTransfer, "de")
			d.Supplier.Design = billing.Design{Colour: colour, Logo: mark.logo}
			d.Lines = sessions(d, 3, standard, 3300)
			all = append(all, recipe{name: "design-" + colour[1:] + "-" + mark.name, exercises: "colour " + colour + ", headed by the " + mark.name, draft: d})
		}
	}
	return all
}

// byPayment is what has been paid before the document is made: nothing, a part, all, too much.
func byPayment() []recipe {
	var all []recipe
	for _, means := range []billing.PaymentMeans{billing.PaymentTransfer, billing.PaymentDirectDebit, billing.PaymentCard} {
		for _, paid := range []struct{ name, amount string }{{"part", "5"}, {"all", "30"}, {"over", "45.10"}} {
			d := draft(private, means, "de")
			d.Lines = []billing.DraftLine{piece("Ladekarte", "2", billing.UnitPiece, "30", standard)}
			d.Paid = decimal.RequireFromString(paid.amount)
			all = append(all, recipe{
				name:      strings.Join([]string{"paid", paid.name, meansName[means]}, "-"),
				exercises: "an invoice of 30 EUR of which " + paid.amount + " EUR are paid, by " + meansName[means],
				draft:     d,
			})
		}
	}
	return all
}

package billing_test

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// draft is a complete draft without lines; october is its period.
func draft() billing.Draft {
	return billing.Draft{
		Date: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC), DueDate: time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC),
		Currency: "EUR", Language: "de",
		Period: billing.Period{Start: time.Date(2026, 9, 30, 22, 0, 0, 0, time.UTC), End: time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC)},
		Supplier: billing.Supplier{
			Name: "Stadtwerke Lindenau GmbH", VATID: "DE123456789",
			Address:     billing.Address{Street: "Werkstraße 1", PostalCode: "04177", City: "Lindenau", Country: "DE"},
			ContactName: "Kundenservice", ContactPhone: "+49 341 5550100", ContactEmail: "laden@sw-lindenau.example",
		},
		Customer: billing.Customer{Number: "10042", Name: "Erika Beispiel", Address: billing.Address{Street: "Ahornweg 7", PostalCode: "04178", City: "Lindenau", Country: "DE"}},
		Payment:  billing.Payment{Means: billing.PaymentTransfer, IBAN: "DE02120300000000202051", AccountName: "Stadtwerke Lindenau GmbH"},
	}
}

func line(amount string, vat billing.VAT) billing.DraftLine {
	return billing.DraftLine{Name: "Ladevorgang", Quantity: dec("10"), Unit: billing.UnitKWh, Amount: dec(amount), VAT: vat}
}

func standard(percent string) billing.VAT {
	return billing.VAT{Category: billing.VATStandard, Rate: dec(percent)}
}

func TestInvoiceOfConsumerKeepsPromisedGross(t *testing.T) {
	d := draft()
	d.GrossExact = true
	for _, a := range []string{"9.11", "18.48", "2.10", "4.99", "0.01", "0.01", "0.01"} {
		d.Lines = append(d.Lines, line(a, standard("19")))
	}
	inv := must(t, d)
	// 34.71 / 1.19 = 29.168…, so 29.17 net and 5.54 VAT.
	want(t, "gross", inv.Gross, "34.71")
	want(t, "net", inv.Net, "29.17")
	want(t, "vat", inv.VATTotal, "5.54")
	want(t, "due", inv.Due, "34.71")
	nets := make([]string, len(inv.Lines))
	for i, l := range inv.Lines {
		nets[i] = l.Net.StringFixed(2)
	}
	// exact: 7.6554… 15.5294… 1.7647… 4.1932… 0.0084 ×3; floors sum to 29.12, five cents go to the largest remainders
	if got := strings.Join(nets, " "); got != "7.66 15.53 1.76 4.19 0.01 0.01 0.01" {
		t.Errorf("line nets = %s", got)
	}
}

func TestInvoiceOfBusinessTaxesTheSum(t *testing.T) {
	d := draft()
	d.Customer.VATID = "DE987654321"
	d.Lines = []billing.DraftLine{
		line("0.02", standard("19")), line("0.02", standard("19")), line("0.02", standard("19")), // by line the tax would be nothing
		line("10.005", standard("7")), // half a cent goes away from zero
		line("100", billing.VAT{Category: billing.VATReverseCharge}),
		line("5", billing.VAT{Category: billing.VATExempt, Reason: "§ 4 Nr. 12 UStG"}),
		line("6", billing.VAT{Category: billing.VATExempt, Reason: "§ 4 Nr. 8 UStG"}),
		line("7", billing.VAT{Category: billing.VATZero}),
		line("-1", standard("7")),
	}
	inv := must(t, d)
	var got []string
	for _, v := range inv.VAT {
		got = append(got, fmt.Sprintf("%s %s %s %s %q", v.Category, v.Rate, v.Net.StringFixed(2), v.Tax.StringFixed(2), v.Reason))
	}
	wantVAT := []string{
		`AE 0 100.00 0.00 "Steuerschuldnerschaft des Leistungsempfängers"`,
		`E 0 11.00 0.00 "§ 4 Nr. 12 UStG; § 4 Nr. 8 UStG"`,
		`Z 0 7.00 0.00 ""`,
		`S 7 9.01 0.63 ""`,
		`S 19 0.06 0.01 ""`,
	}
	if strings.Join(got, "\n") != strings.Join(wantVAT, "\n") {
		t.Errorf("VAT =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wantVAT, "\n"))
	}
	want(t, "gross", inv.Gross, "127.71")
	back := inv.Lines[8]
	want(t, "quantity of what is given back", back.Quantity, "-10")
	want(t, "its price", back.Price, "0.1")
}

func TestInvoiceUnitPrice(t *testing.T) {
	for _, c := range []struct{ name, quantity, amount, wantQuantity, wantPrice, wantBase string }{
		{"session", "22.134", "9.11", "22.134", "0.411584", "1"},
		{"much energy: six decimals are too few", "3000000", "1234567.89", "3000000", "1234567.89", "3000000"},
		{"no energy, but a start fee", "0", "1.50", "1", "1.5", "1"},
		{"free session", "8.1", "0", "8.1", "0", "1"},
		{"nothing at all", "0", "0", "0", "0", "1"},
		{"given back", "3", "-1.00", "-3", "0.333333", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := draft()
			l := line(c.amount, standard("19"))
			l.Quantity = dec(c.quantity)
			d.Lines = []billing.DraftLine{l}
			got := must(t, d).Lines[0]
			want(t, "quantity", got.Quantity, c.wantQuantity)
			want(t, "price", got.Price, c.wantPrice)
			want(t, "base", got.PriceBase, c.wantBase)
		})
	}
}

func TestInvoicePaidInAdvance(t *testing.T) {
	d := draft()
	d.GrossExact, d.Paid = true, dec("11.90")
	d.Lines = []billing.DraftLine{line("11.90", standard("19"))}
	want(t, "due", must(t, d).Due, "0")
}

func TestInvoicePeriodHoldsLateSession(t *testing.T) {
	d := draft()
	late := line("5", standard("19"))
	late.Period = billing.Period{Start: d.Period.Start.AddDate(0, -2, 0), End: d.Period.Start.AddDate(0, -2, 1)}
	d.Lines = []billing.DraftLine{line("3", standard("19")), late}
	inv := must(t, d)
	if !inv.Period.Start.Equal(late.Period.Start) || !inv.Period.End.Equal(d.Period.End) {
		t.Errorf("period = %v, does not run from the late session to the end of the month", inv.Period)
	}
	if inv.Lines[0].Period != d.Period {
		t.Errorf("period of a line without one = %v, want that of the document", inv.Lines[0].Period)
	}
}

func TestDraftProblemsForTheClerk(t *testing.T) {
	cases := []struct {
		field  string
		spoil  func(*billing.Draft)
		german string
	}{
		{"customer.address.city", func(d *billing.Draft) { d.Customer.Address.City = " " }, "Der Ort in der Anschrift des Kunden fehlt."},
		{"customer.name", func(d *billing.Draft) { d.Customer.Name = "" }, "Der Name des Kunden fehlt."},
		{"customer.email", func(d *billing.Draft) { d.Customer.Email = "erika@localhost" }, "Die E-Mail-Adresse des Kunden ist falsch."},
		{"supplier.vat_id", func(d *billing.Draft) { d.Supplier.VATID = "" }, "Das Stadtwerk hat weder USt-IdNr. noch Steuernummer."},
		{"supplier.address.postal_code", func(d *billing.Draft) { d.Supplier.Address.PostalCode = "" }, "Die Postleitzahl in der Anschrift des Stadtwerks fehlt."},
		{"supplier.contact_phone", func(d *billing.Draft) { d.Supplier.ContactPhone = "-" }, "Die Telefonnummer des Kundenservice fehlt."},
		{"supplier.time_zone", func(d *billing.Draft) { d.Supplier.TimeZone = "Europe/Lindenau" }, "Die Zeitzone des Stadtwerks ist unbekannt."},
		{"payment.iban", func(d *billing.Draft) { d.Payment.IBAN = "DE02120300000000202052" }, "Die IBAN des Stadtwerks fehlt oder ist falsch."},
		{"payment.mandate_reference", func(d *billing.Draft) {
			d.Payment = billing.Payment{Means: billing.PaymentDirectDebit, CreditorID: "DE98ZZZ09999999999", DebtorIBAN: "DE02120300000000202051"}
		}, "Dem Kunden fehlt ein gültiges SEPA-Mandat."},
		{"payment.card_last4", func(d *billing.Draft) { d.Payment = billing.Payment{Means: billing.PaymentCard, CardLast4: "4x42"} }, "Die letzten vier Ziffern der Karte fehlen."},
		{"payment.means", func(d *billing.Draft) { d.Payment = billing.Payment{} }, "Die Zahlungsart fehlt."},
		{"due_date", func(d *billing.Draft) { d.DueDate = time.Time{} }, "Fälligkeit und Zahlungsbedingungen fehlen."},
		{"preceding", func(d *billing.Draft) { d.Type = billing.DocumentCorrection }, "Eine Rechnungskorrektur muss die berichtigte Rechnung nennen."},
		{"lines", func(d *billing.Draft) { d.Lines = nil }, "Es gibt nichts abzurechnen."},
		{"lines[0].vat", func(d *billing.Draft) { d.Lines[0].VAT = billing.VAT{} }, "Position 1: Es ist nicht entschieden, wie die Leistung zu versteuern ist."},
		{"customer.vat_id", func(d *billing.Draft) { d.Lines[0].VAT = billing.VAT{Category: billing.VATReverseCharge} }, "Der Kunde schuldet die Steuer, hat aber keine USt-IdNr."},
		{"lines[0].vat.rate", func(d *billing.Draft) { d.Lines[0].VAT.Rate = decimal.Zero }, "Position 1: Der Steuersatz fehlt."},
		{"lines[0].vat.reason", func(d *billing.Draft) { d.Lines[0].VAT = billing.VAT{Category: billing.VATExempt} }, "Position 1: Der Grund der Steuerbefreiung fehlt."},
		{"lines[0]", func(d *billing.Draft) { d.Lines[0].Name = "Laden\x00" }, "Der Text enthält unzulässige Zeichen."},
	}
	for _, c := range cases {
		t.Run(c.field, func(t *testing.T) {
			d := draft()
			d.Lines = []billing.DraftLine{line("1", standard("19"))}
			c.spoil(&d)
			_, err := d.Invoice()
			var problems *billing.DraftError
			if !errors.As(err, &problems) {
				t.Fatalf("error = %v, want a DraftError", err)
			}
			if len(problems.Problems) != 1 || problems.Problems[0].Field != c.field || problems.Problems[0].In("de") != c.german {
				t.Errorf("problems = %+v, want %s: %s", problems.Problems, c.field, c.german)
			}
			if en := problems.Problems[0].In("en"); en == "" || en == c.german {
				t.Errorf("English text = %q", en)
			}
		})
	}
}

func TestDraftProblemsAreAllReported(t *testing.T) {
	_, err := billing.Draft{}.Invoice()
	var problems *billing.DraftError
	if !errors.As(err, &problems) || len(problems.Problems) < 15 {
		t.Fatalf("an empty draft gives %v", err)
	}
}

func TestCancelTakesEverythingBack(t *testing.T) {
	d := draft()
	d.GrossExact = true
	d.Lines = []billing.DraftLine{line("9.11", standard("19")), line("4.44", standard("7")), line("-1.00", standard("19"))}
	inv := must(t, d)
	inv.Number = "LIN-2026-000017"
	c := inv.Cancel(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
	if c.Type != billing.DocumentCorrection || c.Number != "" || c.Preceding == nil || c.Preceding.Number != inv.Number || !c.Preceding.Date.Equal(inv.Date) {
		t.Errorf("cancellation = %s %q referring to %+v", c.Type, c.Number, c.Preceding)
	}
	for name, sum := range map[string]decimal.Decimal{"gross": c.Gross.Add(inv.Gross), "net": c.Net.Add(inv.Net), "vat": c.VATTotal.Add(inv.VATTotal)} {
		want(t, name+" of both", sum, "0")
	}
	if problem := independent(c, true); problem != "" {
		t.Error(problem)
	}
	if inv.Lines[0].Net.IsNegative() || inv.VAT[0].Net.IsNegative() {
		t.Error("the cancelled invoice has changed")
	}
}

// TestInvoiceAgainstIndependentCalculation judges random invoices by a calculation in fractions.
func TestInvoiceAgainstIndependentCalculation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range *cases {
		d := draft()
		d.Customer.VATID = "DE987654321"
		d.GrossExact = r.IntN(2) == 0
		for range 1 + r.IntN(40) {
			l := line("0", standard([]string{"19", "7", "16", "8.1", "25.5"}[r.IntN(5)]))
			if r.IntN(8) == 0 {
				l.VAT = []billing.VAT{{Category: billing.VATReverseCharge}, {Category: billing.VATZero}, {Category: billing.VATExempt, Reason: "frei"}}[r.IntN(3)]
			}
			l.Amount = decimal.New(r.Int64N(200_000)-10_000, -int32(2+r.IntN(3)))
			l.Quantity = decimal.New(r.Int64N(1_000_000), -3)
			d.Lines = append(d.Lines, l)
		}
		inv := must(t, d)
		if problem := independent(inv, d.GrossExact); problem != "" {
			t.Fatalf("%s\n%+v", problem, d.Lines)
		}
		for i, l := range d.Lines {
			shown := inv.Lines[i].Net
			if d.GrossExact {
				shown = inv.Lines[i].Gross
			}
			if !shown.Equal(billing.Round(l.Amount, 2)) {
				t.Fatalf("line %d shows %s, promised were %s", i+1, shown, l.Amount)
			}
		}
	}
}

func FuzzDraftInvoice(f *testing.F) {
	f.Add(int64(911), int64(1848), int64(-1), uint16(1900), uint16(700), int64(22134), true)
	f.Add(int64(1), int64(1), int64(1), uint16(1900), uint16(1900), int64(0), true)
	f.Add(int64(99_999_999), int64(-99_999_999), int64(5), uint16(1), uint16(9999), int64(3), false)
	f.Fuzz(func(t *testing.T, a, b, c int64, rate1, rate2 uint16, quantity int64, gross bool) {
		d := draft()
		d.GrossExact = gross
		for i, cents := range []int64{a, b, c, a, a, b} {
			l := line("0", billing.VAT{Category: billing.VATStandard, Rate: decimal.New(int64([]uint16{rate1, rate2}[i%2]), -2)})
			l.Amount, l.Quantity = decimal.New(cents, -2), decimal.New(quantity, -3)
			d.Lines = append(d.Lines, l)
		}
		inv, err := d.Invoice()
		var problems *billing.DraftError
		switch {
		case errors.As(err, &problems):
			return
		case err != nil:
			t.Fatal(err)
		}
		if problem := independent(inv, gross); problem != "" {
			t.Fatal(problem)
		}
	})
}

// independent recomputes an invoice in fractions, without the code under test, and says what is wrong with it.
func independent(inv billing.Invoice, grossExact bool) string {
	rat := func(d decimal.Decimal) *big.Rat { return d.Rat() }
	type key struct{ category, rate string }
	net, gross, count := map[key]*big.Rat{}, map[key]*big.Rat{}, map[key]int{}
	for _, l := range inv.Lines {
		k := key{string(l.VATCategory), rat(l.VATRate).String()}
		if net[k] == nil {
			net[k], gross[k] = new(big.Rat), new(big.Rat)
		}
		net[k].Add(net[k], rat(l.Net))
		gross[k].Add(gross[k], rat(l.Gross))
		count[k]++
		factor := new(big.Rat).Add(big.NewRat(1, 1), new(big.Rat).Quo(rat(l.VATRate), big.NewRat(100, 1)))
		off := new(big.Rat).Sub(rat(l.Net), new(big.Rat).Quo(rat(l.Gross), factor))
		if off.Abs(off).Cmp(big.NewRat(1, 100)) > 0 {
			return fmt.Sprintf("line %s: net %s is more than a cent off its gross %s", l.ID, l.Net, l.Gross)
		}
		if l.Price.IsNegative() || !l.Price.Equal(l.Price.Truncate(6)) || !l.PriceBase.IsPositive() {
			return fmt.Sprintf("line %s: price %s for %s units", l.ID, l.Price, l.PriceBase)
		}
		product := new(big.Rat).Mul(rat(l.Quantity), new(big.Rat).Quo(rat(l.Price), rat(l.PriceBase)))
		if cents(product) != cents(rat(l.Net)) {
			return fmt.Sprintf("line %s: %s × %s ÷ %s does not give %s", l.ID, l.Quantity, l.Price, l.PriceBase, l.Net)
		}
	}
	totalNet, totalTax, totalGross := new(big.Rat), new(big.Rat), new(big.Rat)
	if len(inv.VAT) != len(net) {
		return fmt.Sprintf("%d VAT lines for %d rates", len(inv.VAT), len(net))
	}
	for _, v := range inv.VAT {
		k := key{string(v.Category), rat(v.Rate).String()}
		if net[k] == nil || net[k].Cmp(rat(v.Net)) != 0 {
			return fmt.Sprintf("net at %s %% is %s, the lines say %v", v.Rate, v.Net, net[k])
		}
		share := new(big.Rat).Quo(rat(v.Rate), big.NewRat(100, 1))
		if grossExact {
			exact := new(big.Rat).Quo(gross[k], new(big.Rat).Add(big.NewRat(1, 1), share))
			if cents(exact) != cents(rat(v.Net)) {
				return fmt.Sprintf("net at %s %% is %s, want %s", v.Rate, v.Net, cents(exact))
			}
			if new(big.Rat).Add(rat(v.Net), rat(v.Tax)).Cmp(gross[k]) != 0 {
				return fmt.Sprintf("net and tax at %s %% do not give the promised gross", v.Rate)
			}
		} else if cents(new(big.Rat).Mul(rat(v.Net), share)) != cents(rat(v.Tax)) {
			return fmt.Sprintf("tax at %s %% on %s is %s", v.Rate, v.Net, v.Tax)
		}
		totalNet.Add(totalNet, rat(v.Net))
		totalTax.Add(totalTax, rat(v.Tax))
	}
	totalGross.Add(totalNet, totalTax)
	if totalNet.Cmp(rat(inv.Net)) != 0 || totalTax.Cmp(rat(inv.VATTotal)) != 0 || totalGross.Cmp(rat(inv.Gross)) != 0 {
		return fmt.Sprintf("totals %s + %s = %s do not add up", inv.Net, inv.VATTotal, inv.Gross)
	}
	if new(big.Rat).Sub(totalGross, rat(inv.Paid)).Cmp(rat(inv.Due)) != 0 {
		return fmt.Sprintf("due is %s", inv.Due)
	}
	return ""
}

// cents rounds half away from zero by integer arithmetic on the fraction.
func cents(r *big.Rat) string {
	n := new(big.Int).Mul(r.Num(), big.NewInt(200))
	n.Add(n.Abs(n), r.Denom())
	n.Quo(n, new(big.Int).Mul(r.Denom(), big.NewInt(2)))
	if r.Sign() < 0 {
		n.Neg(n)
	}
	return n.String()
}

func must(t *testing.T, d billing.Draft) billing.Invoice {
	t.Helper()
	inv, err := d.Invoice()
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func want(t *testing.T, what string, got decimal.Decimal, want string) {
	t.Helper()
	if !got.Equal(dec(want)) {
		t.Errorf("%s = %s, want %s", what, got, want)
	}
}

func BenchmarkDraftInvoice(b *testing.B) {
	d := draft()
	d.GrossExact = true
	for i := range 20 {
		d.Lines = append(d.Lines, line(decimal.New(int64(911+i*37), -2).String(), standard("19")))
	}
	for b.Loop() {
		if _, err := d.Invoice(); err != nil {
			b.Fatal(err)
		}
	}
}

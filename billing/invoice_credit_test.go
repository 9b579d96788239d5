package billing_test

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// A reduction is shared in proportion to what is left, to the cent, and never more than that.
func TestShareReduction(t *testing.T) {
	d := decimal.RequireFromString
	for _, c := range []struct {
		left   []string
		amount string
		want   []string
	}{
		{[]string{"11.80", "5.90"}, "1.77", []string{"1.18", "0.59"}},
		{[]string{"11.80", "5.90"}, "0.10", []string{"0.07", "0.03"}}, // 0.0667, 0.0333: the larger remainder gets the cent
		{[]string{"1", "1", "1"}, "1", []string{"0.34", "0.33", "0.33"}},
		{[]string{"0.01", "0.01", "99.99"}, "100.01", []string{"0.01", "0.01", "99.99"}},
		{[]string{"0.01", "100"}, "50", []string{"50"}}, // 0.0049995, 49.9950005: nothing is left for the first
	} {
		var left []billing.Change
		for i, l := range c.left {
			left = append(left, billing.Change{Line: string(rune('1' + i)), Amount: d(l)})
		}
		got := billing.ShareReduction(left, d(c.amount))
		sum := decimal.Zero
		for i, g := range got {
			sum = sum.Add(g.Amount)
			if !g.Amount.Equal(d(c.want[i])) {
				t.Errorf("%s over %v: %v", c.amount, c.left, got)
				break
			}
		}
		if !sum.Equal(d(c.amount)) || len(got) != len(c.want) {
			t.Errorf("%s over %v: %v", c.amount, c.left, got)
		}
	}
}

// What is owed to payees, to the cent.
func TestOwe(t *testing.T) {
	d := decimal.RequireFromString
	for _, c := range []struct {
		terms      billing.Reimbursement
		kwh, sold  string
		net, gross string
		sentence   string
	}{
		{billing.Reimbursement{Basis: billing.PerKWh, Price: d("0.355"), VAT: billing.PayeeOutside}, "12.345", "0", "4.38", "4.38", "12,345 kWh × 0,355 €/kWh = 4,38 €"}, // 4.382475
		{billing.Reimbursement{Basis: billing.PerKWh, Price: d("0.30"), VAT: billing.PayeeStandard}, "20", "0", "6", "7.14", "20,000 kWh × 0,30 €/kWh = 6,00 €"},
		{billing.Reimbursement{Basis: billing.PerSession, Price: d("0.5"), VAT: billing.PayeeExempt}, "20", "9.92", "0.5", "0.5", "je Ladevorgang 0,50 €"},
		{billing.Reimbursement{Basis: billing.Percent, Price: d("12.5"), VAT: billing.PayeeStandard}, "20", "9.92", "1.24", "1.48", "12,5 % von netto 9,92 € = 1,24 €"}, // 1.4756
		{billing.Reimbursement{Basis: billing.Percent, Price: d("10"), VAT: billing.PayeeStandard}, "20", "0.04", "0", "0", "10 % von netto 0,04 € = 0,00 €"},
	} {
		p := c.terms.Owe(d(c.kwh), d(c.sold), d("19"))
		if !p.Net.Equal(d(c.net)) || !p.Gross.Equal(d(c.gross)) || p.Sentence(c.terms.Basis, "EUR", "de") != c.sentence {
			t.Errorf("%+v: %s, %s, %s", c.terms, p.Net, p.Gross, p.Sentence(c.terms.Basis, "EUR", "de"))
		}
	}
}

package billing_test

import (
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/billing"
)

// TestMalformed enters each kind of master data right and wrong.
func TestMalformed(t *testing.T) {
	t.Parallel()
	for field, values := range map[string]struct{ good, bad []string }{
		"customer.email":               {[]string{"erika@example.org"}, []string{"erika", "erika@localhost", "Erika <erika@example.org>", "a@b.c d"}},
		"customer.address.postal_code": {[]string{"29386", "SW1A 1AA", "1010"}, []string{"x", "29386!", "-12"}},
		"customer.address.country":     {[]string{"DE", "at"}, []string{"D", "DEU", "Deutschland"}},
		"customer.vat_id":              {[]string{"DE123456789", "de 123 456 789", "ATU12345678", "EL123456789", "CHE123456789"}, []string{"DE12345678", "123456789", "ATXX", "D", "DE1234567890"}},
		"customer.phone":               {[]string{"+49 5832 9700"}, []string{"keine", "12"}},
		"payment.iban":                 {[]string{"DE02 1203 0000 0000 2020 51", "de02120300000000202051"}, []string{"DE02120300000000202052", "DE021203", "XX"}},
		"payment.bic":                  {[]string{"BYLADEM1001", "bylademm"}, []string{"BYLADEM", "BYLADEM100"}},
		"payment.creditor_id":          {[]string{"DE98ZZZ09999999999", "de98 ABC 09999999999", "DE98ZZZ0999999999 9"}, []string{"DE97ZZZ09999999999", "DE98", "ZZZ"}},
		"payment.mandate_reference":    {[]string{"SWI-10001-1"}, []string{"Müller 1", strings.Repeat("1", 36)}},
		"supplier.name":                {[]string{"Stadtwerke & Söhne"}, []string{"a\x00b", "\xff"}},
	} {
		for _, v := range values.good {
			if p := billing.Malformed(field, billing.Tidy(field, " "+v+" ")); p != nil {
				t.Errorf("%s %q: %v", field, v, *p)
			}
		}
		for _, v := range values.bad {
			if p := billing.Malformed(field, billing.Tidy(field, v)); p == nil || p.Field != field || p.DE == "" || p.EN == "" {
				t.Errorf("%s %q: %v", field, v, p)
			}
		}
		if billing.Malformed(field, billing.Tidy(field, "  ")) != nil {
			t.Errorf("%s: nothing is malformed", field)
		}
	}
}

func TestIsLeitwegID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"04011000-1234512345-06": true, "991-12345-67": false, "04011000-1234512345-07": false, "": false, "Bestellung 7": false, "991-33333TEST-33": true,
	} {
		if got := billing.IsLeitwegID(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

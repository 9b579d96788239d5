package billing

import (
	"fmt"
	"time"
)

// DecideServiceVAT tells how a fee is taxed that is due without charging: a service of its own and no part of the electricity
// (CJEU C-60/23). For a consumer, and at home, its place is the seat of the utility (§ 3a(1) UStG), for a business in another
// country of the Union that of the business, which then owes the tax (§ 3a(2), § 13b(5) UStG; article 196 of directive
// 2006/112/EC). home and country are those of the utility and of the customer (ISO 3166-1 alpha-2).
//
// Whether such a fee is an electronic service, taxed where a foreign consumer lives (§ 3a(5) UStG), is not settled; and outside
// of the Union it is not taxable. Both return an error that wraps ErrNoTaxRule.
func DecideServiceVAT(home, country string, at time.Time, business bool, vatID string) (VAT, error) {
	if country == home {
		return DecideVAT(home, at, false)
	}
	if business && inUnion[country] && len(vatID) > 2 && vatID[:2] == viesPrefix(country) {
		return VAT{Category: VATReverseCharge}, nil
	}
	return VAT{}, fmt.Errorf("a fee for a customer in %q: %w", country, ErrNoTaxRule)
}

// inUnion is the member states of the European Union.
var inUnion = map[string]bool{
	"AT": true, "BE": true, "BG": true, "CY": true, "CZ": true, "DE": true, "DK": true, "EE": true, "ES": true, "FI": true, "FR": true, "GR": true, "HR": true, "HU": true,
	"IE": true, "IT": true, "LT": true, "LU": true, "LV": true, "MT": true, "NL": true, "PL": true, "PT": true, "RO": true, "SE": true, "SI": true, "SK": true,
}

// viesPrefix is what VAT ids of a country begin with: its code, except that Greece writes EL.
func viesPrefix(country string) string {
	if country == "GR" {
		return "EL"
	}
	return country
}

package v230

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// price is an amount before taxes and the list of these (VDF-13). The taxes
// stay as an unknown member: OCPI 2.2.1 knows only what they add up to. No
// taxes in the list means that none are told, not that there are none.
var price = ocpi.Mapping{
	{Ours: "excl_vat", Theirs: "before_taxes"},
	{Ours: "incl_vat", Theirs: "taxes", Keep: true, In: addTaxes, Out: taxesOf},
}

var priceLimit = ocpi.Mapping{
	{Ours: "excl_vat", Theirs: "before_taxes"},
	{Ours: "incl_vat", Theirs: "after_taxes"},
}

// tax is a TaxAmount as far as it counts.
type tax struct {
	Name   string              `json:"name"`
	Amount decimal.NullDecimal `json:"amount"`
}

// addTaxes returns the price with all taxes, nil when it cannot be told.
func addTaxes(value jsontext.Value, p *ocpi.Passage) (jsontext.Value, error) {
	var taxes []tax
	var sum decimal.NullDecimal
	if value.Kind() != jsontext.KindBeginArray || ocpi.UnmarshalLenient(value, &taxes) != nil {
		p.Note("taxes that cannot be read are left out of the price", value)
		return nil, nil
	}
	if len(taxes) == 0 || ocpi.UnmarshalLenient(p.Member("excl_vat"), &sum) != nil || !sum.Valid {
		return nil, nil
	}
	for _, tax := range taxes {
		if !tax.Amount.Valid {
			p.Note("a tax without an amount: all are left out of the price", value)
			return nil, nil
		}
		sum.Decimal = sum.Decimal.Add(tax.Amount.Decimal)
	}
	total, err := ocpi.Marshal(sum)
	if err != nil || ocpi.Unmarshal(total, &sum) != nil { // more digits than a number may have
		p.Note("taxes that do not add up to a number are left out of the price", value)
		return nil, nil
	}
	return total, nil
}

// taxesOf is the list of taxes of a price that came without one: its VAT.
func taxesOf(incl jsontext.Value, p *ocpi.Passage) (jsontext.Value, error) {
	var with, without decimal.NullDecimal
	if err := ocpi.Unmarshal(incl, &with); err != nil {
		return nil, err
	}
	if err := ocpi.Unmarshal(p.Member("excl_vat"), &without); err != nil || !without.Valid {
		return nil, err
	}
	return ocpi.Marshal([]tax{{"VAT", ocpi.Number(with.Decimal.Sub(without.Decimal))}})
}

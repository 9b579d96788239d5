package ocpi

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// Price is an amount without and, when the sender states it, with VAT, in the
// currency of the object around it (OCPI 2.2.1 § Price). A missing InclVAT
// says nothing about VAT; it does not mean that there is none.
type Price struct {
	ExclVAT decimal.NullDecimal `json:"excl_vat,omitzero"`
	InclVAT decimal.NullDecimal `json:"incl_vat,omitzero"`
	Extra   jsontext.Value      `json:",embed"`
}

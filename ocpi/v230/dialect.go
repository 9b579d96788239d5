// Package v230 is OCPI 2.3.0 as a dialect of package ocpi (VDF-12 to VDF-16).
//
// Most of what it adds needs no turning: unknown members and values are kept
// anyway, so parking places, accepted service providers, help phones,
// plug-and-charge capabilities, tokens of type EMAID and preauthorized amounts
// go through. Prices and the party of a hub are written otherwise.
//
// What a partner sent comes back to it as it was. What was stored under OCPI
// 2.2.1 comes back with its VAT as a tax of that name.
package v230

import (
	"reflect"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Dialect is OCPI 2.3.0.
var Dialect = ocpi.Dialect{
	Version:     ocpi.Version230,
	EMAIDTokens: true, // VDF-15
	Values:      []string{"EMAID", "MCS", "SAE_J3400", "EMPLOYEES", "TAXIS", "TENANTS"},
	Objects: map[reflect.Type]ocpi.Mapping{
		reflect.TypeFor[ocpi.CDR]():         cdr,
		reflect.TypeFor[ocpi.Credentials](): credentials,
		reflect.TypeFor[ocpi.Session]():     session,
		reflect.TypeFor[ocpi.Tariff]():      tariff,
	},
}

var session = ocpi.Mapping{
	{Ours: "total_cost", Theirs: "total_cost", Each: price},
}

var cdr = ocpi.Mapping{
	{Ours: "tariffs", Theirs: "tariffs", Each: tariff},
	{Ours: "total_cost", Theirs: "total_cost", Each: price},
	{Ours: "total_fixed_cost", Theirs: "total_fixed_cost", Each: price},
	{Ours: "total_energy_cost", Theirs: "total_energy_cost", Each: price},
	{Ours: "total_time_cost", Theirs: "total_time_cost", Each: price},
	{Ours: "total_parking_cost", Theirs: "total_parking_cost", Each: price},
	{Ours: "total_reservation_cost", Theirs: "total_reservation_cost", Each: price},
}

// tariff says in tax_included, which stays an unknown member, whether its
// prices include taxes. Without it they do not, as in OCPI 2.2.1 (VDF-13).
var tariff = ocpi.Mapping{
	{Ours: "min_price", Theirs: "min_price", Each: priceLimit},
	{Ours: "max_price", Theirs: "max_price", Each: priceLimit},
	{Ours: "tax_included", Theirs: "tax_included", Due: true},
}

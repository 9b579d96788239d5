package v211

import "github.com/roamwerk/roamwerk/ocpi"

// tariff is the Tariff of OCPI 2.1.1 (VDF-07). It reads like one of 2.2.1 but
// does not mean the same: of its elements the first that matches counts alone,
// where 2.2.1 asks again for each dimension; a price without vat says nothing
// about VAT; and in which time zone its restrictions are is not stated. Who
// prices can tell by the VersionMember.
var tariff = ocpi.Mapping{
	ownerCountry,
	ownerParty,
	{Ours: "energy_mix", Theirs: "energy_mix", Each: energyMix},
	{Ours: ocpi.VersionMember, Given: always(`"` + string(ocpi.Version211) + `"`)},
}

package v211

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// token is the Token of OCPI 2.1.1 (VDF-04). Read, as a partner's copy of one
// of ours, its owner is that of the Origin.
var token = ocpi.Mapping{
	ownerCountry,
	ownerParty,
	{Ours: "type", Theirs: "type", Out: knownTokenType},
	{Ours: "contract_id", Theirs: "auth_id"},
	{Ours: "group_id"},
	{Ours: "default_profile_type"},
	{Ours: "energy_contract"},
}

func knownTokenType(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	if rfid := quoted(ocpi.TokenRFID); string(value) == string(rfid) {
		return rfid, nil
	}
	return quoted(ocpi.TokenOther), nil
}

var authorizationInfo = ocpi.Mapping{
	{Ours: "token"},
	{Ours: "authorization_reference"},
}

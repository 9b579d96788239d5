package v211

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// credentials are those of one party, whose role the connection knows
// (VDF-01).
var credentials = ocpi.Mapping{
	{Ours: "roles", Out: oneParty},
	{Ours: "roles[0].role", Given: func(o ocpi.Origin) jsontext.Value { return quoted(o.Role) }},
	{Ours: "roles[0].business_details", Theirs: "business_details"},
	{Ours: "roles[0].party_id", Theirs: "party_id"},
	{Ours: "roles[0].country_code", Theirs: "country_code"},
}

// versionDetails have endpoints without a role (VDF-01).
var versionDetails = ocpi.Mapping{
	{Ours: "endpoints", Theirs: "endpoints", Each: ocpi.Mapping{
		{Ours: "role"},
	}},
}

func oneParty(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	var roles []jsontext.Value
	if err := ocpi.Unmarshal(value, &roles); err != nil {
		return nil, err
	}
	if len(roles) != 1 {
		return nil, errors.New("credentials of OCPI 2.1.1 are those of one party")
	}
	return value, nil
}

package v230

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// credentials name the hub in a member of their own and list its clients as
// roles; the role HUB is gone (VDF-14). Here the hub is one more role, under
// the name of its party, as it does not tell another.
var credentials = ocpi.Mapping{
	{Ours: "roles", Theirs: "roles", Out: withoutHub},
	{Ours: "roles", Theirs: "hub_party_id", In: withHub, Out: hubOf},
}

func withHub(value jsontext.Value, p *ocpi.Passage) (jsontext.Value, error) {
	var id string
	if err := ocpi.Unmarshal(value, &id); err != nil {
		return nil, p.Refuse("must be a string", value)
	}
	hub, err := ocpi.ParseParty(id)
	if err != nil || len(id) != len("NLHUB") {
		return nil, p.Refuse("two letters and three letters or digits", value)
	}
	role, err := ocpi.Marshal(ocpi.CredentialsRole{
		Role: ocpi.RoleHub, CountryCode: hub.CountryCode, PartyID: hub.PartyID, BusinessDetails: ocpi.BusinessDetails{Name: hub.String()},
	})
	if err != nil {
		return nil, err
	}
	var roles []jsontext.Value
	if stated := p.Member("roles"); stated != nil && ocpi.Unmarshal(stated, &roles) != nil {
		return stated, nil // not a list, as whoever decodes it will say
	}
	return ocpi.Marshal(append(roles, role))
}

func withoutHub(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	var roles []ocpi.CredentialsRole
	if err := ocpi.Unmarshal(value, &roles); err != nil {
		return nil, err
	}
	clients := []ocpi.CredentialsRole{}
	for _, role := range roles {
		if role.Role != ocpi.RoleHub {
			clients = append(clients, role)
		}
	}
	return ocpi.Marshal(clients)
}

func hubOf(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	var roles []ocpi.CredentialsRole
	if err := ocpi.Unmarshal(value, &roles); err != nil {
		return nil, err
	}
	for _, role := range roles {
		if role.Role == ocpi.RoleHub {
			return ocpi.Marshal(role.CountryCode + role.PartyID)
		}
	}
	return nil, nil
}

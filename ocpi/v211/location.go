package v211

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// location is the Location of OCPI 2.1.1 (VDF-08). Everybody may see it. It
// need not tell its time zone; then whoever needs a clock has to find another
// way.
var location = ocpi.Mapping{
	ownerCountry,
	ownerParty,
	{Ours: "publish", Given: always("true")},
	{Ours: "parking_type", Theirs: "type", In: knownType, Due: true, Owed: jsontext.Value(unknownType)},
	{Ours: "postal_code", Theirs: "postal_code", Due: true},
	{Ours: "evses", Theirs: "evses", Each: evse},
	{Ours: "time_zone", Theirs: "time_zone", Given: notApplicable, Out: withoutNotApplicable},
	{Ours: "opening_times", Theirs: "opening_times", Each: hours},
	{Ours: "energy_mix", Theirs: "energy_mix", Each: energyMix},
}

var evse = ocpi.Mapping{
	{Ours: "connectors", Theirs: "connectors", Each: connector},
}

var connector = ocpi.Mapping{
	{Ours: "max_voltage", Theirs: "voltage"},
	{Ours: "max_amperage", Theirs: "amperage"},
	{Ours: "tariff_ids", Theirs: "tariff_id", In: listOfOne, Out: firstOfList},
}

// hours are either regular ones or twentyfourseven, which OCPI 2.2.1 always
// wants.
var hours = ocpi.Mapping{
	{Ours: "twentyfourseven", Theirs: "twentyfourseven", Given: always("false"), Out: trueOnly},
}

var energyMix = ocpi.Mapping{
	{Ours: "environ_impact", Theirs: "environ_impact", Each: ocpi.Mapping{
		{Ours: "category", Theirs: "source"},
	}},
}

// unknownType is the type of a Location of which the CPO does not know it.
const unknownType = `"UNKNOWN"`

func knownType(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	if string(value) == unknownType {
		return null, nil
	}
	return value, nil
}

func withoutNotApplicable(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	if string(value) == string(notApplicable(ocpi.Origin{})) {
		return nil, nil
	}
	return value, nil
}

func trueOnly(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	if value.Kind() == jsontext.KindFalse {
		return nil, nil
	}
	return value, nil
}

func listOfOne(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	return ocpi.Marshal([]jsontext.Value{value})
}

func firstOfList(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	var list []jsontext.Value
	if err := ocpi.Unmarshal(value, &list); err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

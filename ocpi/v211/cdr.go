package v211

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// cdr is the CDR of OCPI 2.1.1 (VDF-06). Its Location, with the one EVSE and
// the one connector that were used, stays as an unknown member.
var cdr = ocpi.Mapping{
	ownerCountry,
	ownerParty,
	{Ours: "end_date_time", Theirs: "stop_date_time"},
	tokenOfContract,
	{Ours: "cdr_location.id", Theirs: "location.id"},
	{Ours: "cdr_location.name", Theirs: "location.name"},
	{Ours: "cdr_location.address", Theirs: "location.address"},
	{Ours: "cdr_location.city", Theirs: "location.city"},
	{Ours: "cdr_location.postal_code", Theirs: "location.postal_code"},
	{Ours: "cdr_location.country", Theirs: "location.country"},
	{Ours: "cdr_location.coordinates", Theirs: "location.coordinates"},
	{Ours: "cdr_location.evse_uid", Theirs: "location.evses[0].uid", Given: notApplicable},
	{Ours: "cdr_location.evse_id", Theirs: "location.evses[0].evse_id", Given: notApplicable},
	{Ours: "cdr_location.connector_id", Theirs: "location.evses[0].connectors[0].id", Given: notApplicable},
	{Ours: "cdr_location.connector_standard", Theirs: "location.evses[0].connectors[0].standard"},
	{Ours: "cdr_location.connector_format", Theirs: "location.evses[0].connectors[0].format"},
	{Ours: "cdr_location.connector_power_type", Theirs: "location.evses[0].connectors[0].power_type"},
	{Ours: "tariffs", Theirs: "tariffs", Each: tariff},
	{Ours: "charging_periods", Theirs: "charging_periods", Each: chargingPeriod},
	totalCost,
}

var chargingPeriod = ocpi.Mapping{
	{Ours: "dimensions", Theirs: "dimensions", In: measured},
}

// measured leaves out the dimension FLAT, which measures nothing: that a flat
// fee was due follows from the tariff. A period without anything else keeps
// its place with no time, because where a period starts the one before ends.
func measured(value jsontext.Value, p *ocpi.Passage) (jsontext.Value, error) {
	var list []jsontext.Value
	if value.Kind() != jsontext.KindBeginArray || ocpi.Unmarshal(value, &list) != nil {
		return value, nil
	}
	kept := []jsontext.Value{}
	for _, item := range list {
		var dimension struct {
			Type jsontext.Value `json:"type"`
		}
		if item.Kind() == jsontext.KindBeginObject && ocpi.Unmarshal(item, &dimension) == nil && string(dimension.Type) == `"FLAT"` {
			p.Note("FLAT is left out: OCPI 2.2.1 does not have it", item)
			continue
		}
		kept = append(kept, item)
	}
	if len(kept) == len(list) {
		return value, nil
	}
	if len(kept) == 0 {
		kept = append(kept, jsontext.Value(`{"type":"TIME","volume":0}`))
	}
	return ocpi.Marshal(kept)
}

package v211

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// session is the Session of OCPI 2.1.1 (VDF-05). Its Location stays as an
// unknown member, to be given back.
var session = ocpi.Mapping{
	ownerCountry,
	ownerParty,
	{Ours: "start_date_time", Theirs: "start_datetime"},
	{Ours: "end_date_time", Theirs: "end_datetime"},
	tokenOfContract,
	{Ours: "location_id", Theirs: "location.id"},
	{Ours: "evse_uid", Theirs: "location.evses[0].uid", Given: notApplicable},
	{Ours: "connector_id", Theirs: "location.evses[0].connectors[0].id", Given: notApplicable},
	{Ours: "charging_periods", Theirs: "charging_periods", Each: chargingPeriod},
	totalCost,
}

// tokenOfContract is the reference to a token. OCPI 2.1.1 names the contract
// (Token.auth_id) and neither the uid nor the type of what was presented: the
// uid is then ocpi.NotApplicable, to be found by the contract.
var tokenOfContract = ocpi.Difference{Ours: "cdr_token", Theirs: "auth_id", In: contractToToken, Out: tokenToContract}

func contractToToken(contract jsontext.Value, p *ocpi.Passage) (jsontext.Value, error) {
	return ocpi.Marshal(struct {
		CountryCode ocpi.CiString  `json:"country_code,omitzero"`
		PartyID     ocpi.CiString  `json:"party_id,omitzero"`
		UID         ocpi.CiString  `json:"uid"`
		Type        ocpi.TokenType `json:"type"`
		ContractID  jsontext.Value `json:"contract_id"` // not decoded yet, it may be of any kind
	}{p.Tokens.CountryCode, p.Tokens.PartyID, ocpi.NotApplicable, ocpi.TokenOther, contract})
}

func tokenToContract(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	var token ocpi.CDRToken
	err := ocpi.Unmarshal(value, &token)
	return quoted(token.ContractID), err
}

// totalCost is a number without VAT in OCPI 2.1.1. Who writes a price instead
// is understood.
var totalCost = ocpi.Difference{Ours: "total_cost", Theirs: "total_cost", In: numberToPrice, Out: priceToNumber}

func numberToPrice(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	if value.Kind() == jsontext.KindBeginObject {
		return value, nil
	}
	return ocpi.Marshal(map[string]jsontext.Value{"excl_vat": value})
}

func priceToNumber(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	var price ocpi.Price
	if err := ocpi.Unmarshal(value, &price); err != nil || !price.ExclVAT.Valid {
		return nil, err
	}
	return ocpi.Marshal(price.ExclVAT)
}

package jobs

import (
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// TokenMessage is a token as partners see it (OCPI 2.2.1 § Token Object).
func TokenMessage(t db.Token, contractID string, owner ocpi.Party) ocpi.Token {
	m := ocpi.Token{
		CountryCode: owner.CountryCode, PartyID: owner.PartyID, UID: ocpi.CiString(t.UID), Type: ocpi.TokenType(t.Type),
		ContractID: ocpi.CiString(contractID), VisualNumber: t.VisualNumber, Issuer: t.Issuer, Valid: ocpi.Ptr(t.Valid),
		Whitelist: ocpi.WhitelistType(t.Whitelist), Language: t.Language, GroupID: ocpi.CiString(t.GroupID),
		DefaultProfileType: ocpi.ProfileType(t.ProfileType), LastUpdated: t.LastUpdated,
	}
	if t.EnergySupplier != "" {
		m.EnergyContract = &ocpi.EnergyContract{SupplierName: t.EnergySupplier, ContractID: t.EnergyContract}
	}
	return m
}

package jobs

import (
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// TokenMessage is a token as partners see it (OCPI 2.2.1 § Token Object).
func TokenMessage(t db.Token, contractID string, owner ocpi.Party) ocpi.Token {
	return ocpi.Token{
		CountryCode: owner.CountryCode, PartyID: owner.PartyID, UID: ocpi.CiString(t.UID), Type: ocpi.TokenType(t.Type),
		ContractID: ocpi.CiString(contractID), VisualNumber: t.VisualNumber, Issuer: t.Issuer, Valid: ocpi.Ptr(t.Valid),
		Whitelist: ocpi.WhitelistType(t.Whitelist), Language: t.Language, LastUpdated: t.LastUpdated,
	}
}

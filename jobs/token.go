package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// TokenMessage is a token as partners see it (OCPI 2.2.1 § Token Object).
func TokenMessage(t db.Token, contractID string, owner ocpi.Party) ocpi.Token {
	m := ocpi.Token{
		CountryCode: owner.CountryCode, PartyID: owner.PartyID, UID: ocpi.CiString(t.UID), Type: ocpi.TokenType(t.Type),
		ContractID: ocpi.CiString(contractID), VisualNumber: t.VisualNumber, Issuer: cut(t.Issuer, 64), Valid: ocpi.Ptr(t.Valid),
		Whitelist: ocpi.WhitelistType(t.Whitelist), Language: t.Language, GroupID: ocpi.CiString(t.GroupID),
		DefaultProfileType: ocpi.ProfileType(t.ProfileType), LastUpdated: t.LastUpdated,
	}
	if t.EnergySupplier != "" {
		m.EnergyContract = &ocpi.EnergyContract{SupplierName: t.EnergySupplier, ContractID: t.EnergyContract}
	}
	return m
}

// TokenAt is a token as one partner sees it: void, when its utility leaves the partner or has left it.
func TokenAt(t db.Token, contractID string, owner ocpi.Party, void bool, changed time.Time) ocpi.Token {
	m := TokenMessage(t, contractID, owner)
	if m.LastUpdated = changed; void {
		m.Valid = ocpi.Ptr(false)
	}
	return m
}

// FillToken completes a reference to a token that names the contract and not what was presented, as OCPI 2.1.1 does: with
// uid, type and owner of a token of that contract, or of one that has the contract's id for its uid, as some CPOs write it.
// What is found nowhere among the utilities stays as it is.
func FillToken(ctx context.Context, q *db.Queries, tenants []uuid.UUID, t *ocpi.CDRToken) error {
	if t.UID != ocpi.NotApplicable || t.ContractID == "" {
		return nil
	}
	found, err := q.TokensOfContract(ctx, db.TokensOfContractParams{TenantIDs: tenants, ContractID: string(t.ContractID)})
	if err != nil {
		return fmt.Errorf("find token of contract: %w", err)
	}
	for _, token := range found {
		owner := partyOf(token.CountryCode, token.PartyID)
		if t.Party().IsZero() || t.Party().Equal(owner) {
			t.CountryCode, t.PartyID = owner.CountryCode, owner.PartyID
			t.UID, t.Type = ocpi.CiString(token.UID), ocpi.TokenType(token.Type)
			return nil
		}
	}
	return nil
}

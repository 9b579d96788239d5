package server

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// authorize answers whether a token may charge now (TOK-16 to TOK-27). Opening hours and EVSE status are not ours to judge
// (TOK-23), and a Location that we do not know is no reason to refuse (TOK-24).
func (c *call) authorize(ctx context.Context) (answer, error) {
	at, err := c.locationReferences()
	if err != nil {
		return answer{}, err
	}
	row, err := c.tokenOf(ctx, c.segment("token"), c.tokenType())
	if err != nil {
		return answer{}, err
	}
	now := c.Now()
	info := ocpi.AuthorizationInfo{
		Allowed: ocpi.AllowedAllowed,
		Token:   jobs.TokenMessage(row.Token, row.ContractID, ocpi.Party{CountryCode: ocpi.CiString(row.CountryCode), PartyID: ocpi.CiString(row.PartyID)}),
	}
	switch {
	case !row.Token.Valid:
		info.Allowed = ocpi.AllowedBlocked
	case row.ValidTo != nil && !now.Before(*row.ValidTo):
		info.Allowed = ocpi.AllowedExpired
	case now.Before(row.ValidFrom):
		info.Allowed = ocpi.AllowedNotAllowed
	}
	reference := uuid.New()
	record := db.InsertAuthorizationParams{
		Reference: reference, TenantID: row.Token.TenantID, TokenID: row.Token.ID, PartnerID: c.partner.ID,
		EVSEUIDs: []string{}, Allowed: string(info.Allowed), At: now,
	}
	if at != nil {
		record.LocationID = string(at.LocationID)
		for _, uid := range at.EVSEUIDs {
			record.EVSEUIDs = append(record.EVSEUIDs, string(uid))
		}
	}
	if err := c.DB.InsertAuthorization(ctx, record); err != nil {
		return answer{}, fmt.Errorf("insert authorization: %w", err)
	}
	if info.Allowed == ocpi.AllowedAllowed {
		info.AuthorizationReference = ocpi.CiString(reference.String())
		info.Location = at
	}
	return answer{data: &info}, nil
}

// locationReferences reads the optional body; nothing, null and {} are all "not said" (TOK-17).
func (c *call) locationReferences() (*ocpi.LocationReferences, error) {
	body, err := c.body()
	if err != nil || len(body) == 0 {
		return nil, err
	}
	var at *ocpi.LocationReferences
	if err := c.decode(body, &at); err != nil {
		return nil, err
	}
	if at == nil || at.LocationID == "" && len(at.EVSEUIDs) == 0 {
		return nil, nil
	}
	return at, c.accept(at)
}

// tokenType is the type in the query; without one, RFID (TOK-16).
func (c *call) tokenType() ocpi.TokenType {
	for _, name := range []string{"type", "token_type"} {
		if t := c.echo.QueryParam(name); t != "" {
			return ocpi.TokenType(t)
		}
	}
	return ocpi.TokenRFID
}

// tokenOf finds a token among those of the addressed utility. Without an addressee it must be the only one of its kind on
// the connection (RTG-05).
func (c *call) tokenOf(ctx context.Context, uid ocpi.CiString, kind ocpi.TokenType) (db.TokensByUIDRow, error) {
	rows, err := c.DB.TokensByUID(ctx, db.TokensByUIDParams{TenantIDs: c.addressed(), UID: string(uid), Type: string(kind)})
	switch {
	case err != nil:
		return db.TokensByUIDRow{}, fmt.Errorf("find token: %w", err)
	case len(rows) == 0:
		return db.TokensByUIDRow{}, ocpi.NotFound(ocpi.StatusUnknownToken, "the token is not known")
	case len(rows) > 1:
		return db.TokensByUIDRow{}, ocpi.Refused(ocpi.StatusNotEnoughInformation, "several parties have this token: address one of them")
	}
	return rows[0], nil
}

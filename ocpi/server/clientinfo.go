package server

import (
	"context"
	"fmt"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// getClientInfo gives back what the hub told us of a party behind it. One that is both a CPO and something else is answered
// as a CPO (HUB-03).
func (c *call) getClientInfo(ctx context.Context) (answer, error) {
	party := c.pathParty()
	rows, err := c.DB.ClientInfos(ctx, db.ClientInfosParams{PartnerID: c.partner.ID, CountryCode: string(party.CountryCode), PartyID: string(party.PartyID)})
	if err != nil {
		return answer{}, fmt.Errorf("read client info: %w", err)
	}
	if len(rows) == 0 {
		return answer{}, ocpi.NotFound(ocpi.StatusInvalidParameters, "party "+party.String()+" is not known")
	}
	return answer{data: &ocpi.ClientInfo{
		CountryCode: ocpi.CiString(rows[0].CountryCode), PartyID: ocpi.CiString(rows[0].PartyID),
		Role: ocpi.Role(rows[0].Role), Status: ocpi.ConnectionStatus(rows[0].Status), LastUpdated: rows[0].LastUpdated,
	}}, nil
}

// putClientInfo stores what a hub says of a party behind it. Nobody else has parties behind it (HUB-07).
func (c *call) putClientInfo(ctx context.Context) (answer, error) {
	if c.partner.Role != string(ocpi.RoleHub) {
		return answer{}, ocpi.NotFound(ocpi.StatusInvalidParameters, "this module is for hubs")
	}
	var info ocpi.ClientInfo
	if err := c.read(&info); err != nil {
		return answer{}, err
	}
	if err := c.matchesParty(info.Party()); err != nil {
		return answer{}, err
	}
	created, err := c.ops.SaveClientInfo(ctx, c.partner, info)
	return stored(created), err
}

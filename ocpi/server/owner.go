package server

import (
	"context"
	"fmt"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// ownership is how the caller stands to the CPO that owns an object.
type ownership struct {
	name   string // of the CPO; may be empty
	second bool   // another connection to this CPO goes before: the caller's word is taken, but not used (RTG-18)
}

// owner checks that the caller may speak for the CPO (OWN-03): it is one of its credentials roles, or a party behind the hub
// that it is.
func (c *call) owner(ctx context.Context, cpo ocpi.Party) (ownership, error) {
	connections, err := c.DB.ConnectionsOfParty(ctx, db.ConnectionsOfPartyParams{
		Role: string(ocpi.RoleCPO), CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID),
	})
	if err != nil {
		return ownership{}, fmt.Errorf("connections of %s: %w", cpo, err)
	}
	for i, connection := range connections {
		if connection.PartnerID == c.partner.ID {
			return ownership{name: connection.Name, second: i > 0}, nil
		}
	}
	return ownership{second: len(connections) > 0}, unknownOwner(cpo)
}

// writer is owner for a call that delivers an object. A hub may deliver for a CPO that it has not announced; from then on
// the CPO counts as one behind it (HUB-11).
func (c *call) writer(ctx context.Context, cpo ocpi.Party) (ownership, error) {
	o, err := c.owner(ctx, cpo)
	if err == nil && o.second && c.module != ocpi.ModuleCDRs { // a CDR counts whoever delivers it
		ignored := db.CountIgnoredParams{PartnerID: c.partner.ID, CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID)}
		if err := c.DB.CountIgnored(ctx, ignored); err != nil {
			return ownership{}, fmt.Errorf("count what is ignored of %s: %w", cpo, err)
		}
	}
	if err == nil || c.partner.Role != string(ocpi.RoleHub) {
		return o, err
	}
	learned := db.LearnPartyParams{
		PartnerID: c.partner.ID, Role: string(ocpi.RoleCPO), CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), Now: c.Now(),
	}
	if err := c.DB.LearnParty(ctx, learned); err != nil {
		return ownership{}, fmt.Errorf("learn %s: %w", cpo, err)
	}
	return o, nil
}

func unknownOwner(cpo ocpi.Party) error {
	return ocpi.NotFound(ocpi.StatusInvalidParameters, "party "+cpo.String()+" is not one of yours")
}

package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

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

// tokenOwner finds the utility that a session or CDR is for: the owner of its token, which must be the one that the routing
// headers name, if they do (CDR-18, RTG-06). The token itself need not be known, and the utility may have left.
func (c *call) tokenOwner(ctx context.Context, t ocpi.CDRToken) (*tenant, error) {
	owner := c.tenant(t.Party())
	if owner == nil {
		var err error
		if owner, err = c.formerTenant(ctx, t.Party()); err != nil {
			return nil, err
		}
	}
	if owner == nil {
		return nil, ocpi.Refused(ocpi.StatusUnknownToken, "cdr_token: "+t.Party().String()+" is not a party of this connection")
	}
	if c.to != nil && c.to.id != owner.id {
		return nil, ocpi.InvalidParameter("cdr_token", "must be a token of the addressee "+c.to.party.String(), t.Party().String())
	}
	c.concerns(owner.id)
	return owner, nil
}

// formerTenant is the utility of a party that has worked with the caller and need not any more, or nil. What its last drivers
// did is told later (TEN-05).
func (c *call) formerTenant(ctx context.Context, at ocpi.Party) (*tenant, error) {
	id, err := c.DB.TenantServedBy(ctx, db.TenantServedByParams{
		CountryCode: string(at.CountryCode), PartyID: string(at.PartyID), PartnerID: c.partner.ID, ClosedAfter: c.Now().Add(-c.LateCDRs),
	})
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("find former utility: %w", err)
	}
	return &tenant{id: id, party: at, leaving: true}, nil
}

// ownerOfStored finds the utility of an object that we have, if the call may see it: it is one of the connection, or has been.
// nil: it is another's.
func (c *call) ownerOfStored(ctx context.Context, id uuid.UUID, t ocpi.CDRToken) (*tenant, error) {
	if c.to != nil && c.to.id != id {
		return nil, nil
	}
	for i := range c.tenants {
		if c.tenants[i].id == id {
			return &c.tenants[i], nil
		}
	}
	former, err := c.formerTenant(ctx, t.Party())
	if err != nil || former == nil || former.id != id {
		return nil, err
	}
	return former, nil
}

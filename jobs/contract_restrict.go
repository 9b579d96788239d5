package jobs

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Reach is a part of a CPO's charging points: all of them, those of one Location, or one EVSE.
type Reach struct {
	CPO      ocpi.Party
	Location ocpi.CiString // "": all
	EVSE     ocpi.CiString // "": all of the Location
}

// RestrictContract says where a contract may be used, in the place of what was said before; without places, everywhere. A
// partner that asks in real time learns it at once; a card that CPOs may accept without asking is not held back by it.
func (o *Ops) RestrictContract(ctx context.Context, tenant, contract uuid.UUID, places ...Reach) error {
	return o.DB.TenantTx(ctx, tenant, func(q *db.Queries) error {
		if err := q.DeleteContractPlaces(ctx, contract); err != nil {
			return fmt.Errorf("delete places of contract: %w", err)
		}
		for _, p := range places {
			err := q.InsertContractPlace(ctx, db.InsertContractPlaceParams{
				TenantID: tenant, ContractID: contract, CountryCode: string(p.CPO.CountryCode), PartyID: string(p.CPO.PartyID),
				LocationID: string(p.Location), EVSEUID: string(p.EVSE),
			})
			if err != nil {
				return fmt.Errorf("insert place of contract: %w", err)
			}
		}
		return nil
	})
}

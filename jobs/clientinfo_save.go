package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// SaveClientInfo stores what a hub says of a party behind it, and reports whether the party is new. Something older than what
// we know changes nothing. A CPO that can be reached again is asked for what we missed, and gets the tokens that it missed
// (HUB-05, HUB-10).
func (o *Ops) SaveClientInfo(ctx context.Context, hub db.Partner, info ocpi.ClientInfo) (created bool, err error) {
	if !info.Status.Known() { // nobody knows whether it can be reached (TYP-12)
		info.Status = unknownParty
	}
	var tokens []uuid.UUID
	back := false
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		saved, err := q.SaveClientInfo(ctx, db.SaveClientInfoParams{
			PartnerID: hub.ID, Role: string(info.Role), CountryCode: string(info.CountryCode), PartyID: string(info.PartyID),
			Status: string(info.Status), LastUpdated: info.LastUpdated, Now: o.Now(),
		})
		if err != nil {
			return fmt.Errorf("save client info: %w", err)
		}
		if len(saved) == 0 {
			return nil
		}
		created = saved[0].Inserted
		connected := string(ocpi.ConnectionConnected)
		if info.Role == ocpi.RoleCPO && string(info.Status) == connected && saved[0].Was != connected {
			back = true
			tokens, err = o.catchUp(ctx, q, hub, info.Party().Fold(), saved[0].AwaySince)
		}
		return err
	})
	if err != nil {
		return false, err
	}
	if back {
		o.Bell.Ring(ctx, TokenPush, tokens...)
		o.Bell.Ring(ctx, PartnerPull, hub.ID)
	}
	if info.Role != ocpi.RoleCPO {
		return created, nil
	}
	changed := alert{kind: AlertNotConnected, partner: hub.ID, subject: info.Party().Fold().String()}
	switch info.Status {
	case ocpi.ConnectionPlanned, ocpi.ConnectionSuspended:
		changed.params = map[string]any{"party": changed.subject, "status": string(info.Status)}
		return created, o.raise(ctx, changed)
	}
	return created, o.resolve(ctx, changed)
}

// catchUp plans to read the lists of a CPO behind a hub that can be reached again, and to send the hub the tokens that changed
// in the meantime. Before the hub's lists have been read whole for the first time there is nothing to catch up with: they have
// what this CPO has.
func (o *Ops) catchUp(ctx context.Context, q *db.Queries, hub db.Partner, cpo ocpi.Party, away time.Time) (tokens []uuid.UUID, err error) {
	read, err := q.HasReadAll(ctx, db.HasReadAllParams{
		PartnerID: hub.ID, Module: string(ocpi.ModuleLocations), CountryCode: hub.CountryCode, PartyID: hub.PartyID,
	})
	if err != nil || !read {
		return nil, err
	}
	now := o.Now()
	if err := ensurePullsOf(ctx, q, hub, cpo, func() time.Time { return now }); err != nil {
		return nil, err
	}
	for _, plan := range pullPlans {
		request := db.RequestPullsParams{Module: string(plan.module), CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), FullCrawl: plan.full > 0}
		if plan.full == 0 && away.Unix() > 0 {
			request.BackTo = ptr(away.Add(-pullOverlap))
		}
		if err := o.requestPulls(ctx, q, hub.ID, request); err != nil {
			return nil, err
		}
	}
	if away.Unix() <= 0 {
		return nil, nil
	}
	tokens, err = q.RepeatTokensSince(ctx, db.RepeatTokensSinceParams{PartnerID: hub.ID, Since: away.Add(-pullOverlap), Now: now})
	if err != nil {
		return nil, fmt.Errorf("repeat tokens: %w", err)
	}
	return tokens, nil
}

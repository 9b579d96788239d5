package jobs

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// SetQuirk decides on a tolerance of a partner: "auto" (taken and recorded), "on" (expected) or "off" (refused).
func (o *Ops) SetQuirk(ctx context.Context, partner uuid.UUID, quirk ocpi.Quirk, mode string) error {
	if !quirk.Known() || mode == "off" && !quirk.Refusable() {
		return ocpi.InvalidParameter("quirk", "one that can be decided on", string(quirk))
	}
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.SetQuirk(ctx, db.SetQuirkParams{PartnerID: partner, Quirk: string(quirk), Mode: mode}); err != nil {
			return fmt.Errorf("set quirk: %w", err)
		}
		return event(ctx, q, o.Now(), uuid.Nil, "partner", partner, "quirk", map[string]string{"quirk": string(quirk), "mode": mode})
	})
}

// RotatePartner exchanges the tokens of both sides (CRED-18). The error says what the partner answered.
func (o *Ops) RotatePartner(ctx context.Context, id uuid.UUID) error {
	partner, err := o.DB.Partner(ctx, id)
	if err != nil {
		return fmt.Errorf("partner: %w", err)
	}
	if partner.State != "registered" {
		return ocpi.MethodNotAllowed("not registered")
	}
	return o.renewCredentials(ctx, partner)
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// NewPartner is whom we invite.
type NewPartner struct {
	Name  string
	Role  ocpi.Role  // CPO or HUB
	Party ocpi.Party // as agreed in the contract; zero: whatever the partner says it is

	Tenants []uuid.UUID // the utilities that work with it; none: all
}

// Invitation is what a partner needs to register with us. The token is shown once and not kept (CRED-08).
type Invitation struct {
	Partner     db.Partner
	VersionsURL string
	Token       string // token A
}

// InvitePartner adds a partner, or takes the one with the same name, and gives it a new token A. Earlier tokens A of it are
// void; a registration that exists goes on until the partner uses the new one (CRED-31).
func (o *Ops) InvitePartner(ctx context.Context, n NewPartner) (Invitation, error) {
	n.Name = strings.TrimSpace(n.Name)
	if n.Name == "" {
		return Invitation{}, errors.New("a partner needs a name")
	}
	if n.Role != ocpi.RoleCPO && n.Role != ocpi.RoleHub {
		return Invitation{}, fmt.Errorf("role %q: must be CPO or HUB", n.Role)
	}
	invitation := Invitation{VersionsURL: VersionsURL(o.BaseURL), Token: newPartnerToken()}
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		partner, err := ensurePartner(ctx, q, o, n)
		if err != nil {
			return err
		}
		invitation.Partner = partner
		if err := q.RevokeInvites(ctx, db.RevokeInvitesParams{PartnerID: partner.ID, Now: o.Now()}); err != nil {
			return fmt.Errorf("revoke earlier invitations: %w", err)
		}
		if err := insertPartnerToken(ctx, q, o, partner.ID, "invite", invitation.Token); err != nil {
			return err
		}
		return event(ctx, q, o.Now(), uuid.Nil, "partner", partner.ID, "invited", nil)
	})
	if err != nil {
		return Invitation{}, err
	}
	return invitation, nil
}

// ensurePartner finds or adds a partner, and lets it work with the given utilities.
func ensurePartner(ctx context.Context, q *db.Queries, o *Ops, n NewPartner) (db.Partner, error) {
	partner, err := q.EnsurePartner(ctx, db.EnsurePartnerParams{
		ID: uuid.Must(uuid.NewV7()), Name: n.Name, Role: string(n.Role), CreatedAt: o.Now(),
		CountryCode: n.Party.CountryCode.Fold(), PartyID: n.Party.PartyID.Fold(),
	})
	if err != nil {
		return db.Partner{}, fmt.Errorf("add partner: %w", err)
	}
	if len(n.Tenants) > 0 {
		err = o.setTenants(ctx, q, partner.ID, n.Tenants)
	} else {
		err = q.EnablePartnerForAllTenants(ctx, partner.ID)
	}
	if err != nil {
		return db.Partner{}, fmt.Errorf("enable partner for tenants: %w", err)
	}
	return partner, nil
}

func insertPartnerToken(ctx context.Context, q *db.Queries, o *Ops, partner uuid.UUID, kind, token string) error {
	err := q.InsertPartnerToken(ctx, db.InsertPartnerTokenParams{Hash: o.Box.Hash(token), PartnerID: partner, Kind: kind, CreatedAt: o.Now()})
	if err != nil {
		return fmt.Errorf("insert partner token: %w", err)
	}
	return nil
}

package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// Introduction is what a partner gave us to register with it: its versions URL and its token A.
type Introduction struct {
	Name        string // how we call the partner
	VersionsURL string
	Token       string      // a secret
	Tenants     []uuid.UUID // the utilities that work with it; none: all
}

// RegisterPartner starts the handshake with a partner and returns the registered partner (CRED-01 to CRED-07). The partner
// calls us back with our token B before it answers, so B is stored before it is sent and no transaction is open in between.
// A handshake that fails leaves no token behind; whether the partner's token A can be used again is for the partner to say.
func (o *Ops) RegisterPartner(ctx context.Context, n Introduction) (db.Partner, error) {
	found, err := o.Client.Discover(ctx, client.Auth{Token: n.Token}, n.VersionsURL, Dialects...)
	if err != nil {
		return db.Partner{}, fmt.Errorf("read versions of %q: %w", n.Name, err)
	}
	if err := checkEndpoints(found.Details); err != nil {
		return db.Partner{}, fmt.Errorf("read versions of %q: %w", n.Name, err)
	}
	partner, token, err := o.offerToken(ctx, n)
	if err != nil {
		return db.Partner{}, err
	}
	found.Auth.Partner = partner.ID
	tokens, err := o.register(ctx, partner, found, token)
	if err != nil {
		// The caller's context may be the reason of the failure.
		revoked := db.RevokePartnerTokenParams{Hash: o.Box.Hash(token), Now: o.Now()}
		_, revokeErr := o.DB.RevokePartnerToken(context.WithoutCancel(ctx), revoked)
		return db.Partner{}, errors.Join(fmt.Errorf("register with %q: %w", n.Name, err), revokeErr)
	}
	o.Bell.Ring(ctx, TokenPush, tokens...)
	return o.DB.Partner(ctx, partner.ID)
}

// offerToken stores a token B for the partner. It counts beside the tokens of a registration that exists.
func (o *Ops) offerToken(ctx context.Context, n Introduction) (partner db.Partner, token string, err error) {
	token = newPartnerToken()
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		if partner, err = ensurePartner(ctx, q, o, NewPartner{Name: n.Name, Tenants: n.Tenants}); err != nil {
			return err
		}
		return insertPartnerToken(ctx, q, o, partner.ID, "live", token)
	})
	return partner, token, err
}

// register sends our credentials and stores the partner's. It returns the tokens to push.
func (o *Ops) register(ctx context.Context, partner db.Partner, found client.Discovery, token string) (tokens []uuid.UUID, err error) {
	ours, err := o.OurCredentials(ctx, partner.ID, token, found.Auth.Dialect)
	if err != nil {
		return nil, err
	}
	if len(ours.Roles) == 0 {
		return nil, errors.New("no utility works with this partner: add a tenant first")
	}
	url, _ := found.Details.Endpoint(ocpi.ModuleCredentials, ocpi.Receiver)
	theirs, err := o.Client.PostCredentials(ctx, found.Auth, url, ours)
	if err != nil {
		return nil, err
	}
	r := registration{theirs: theirs, ours: ours, found: found, token: token}
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		locked, err := q.LockPartner(ctx, partner.ID)
		if err != nil {
			return fmt.Errorf("lock partner: %w", err)
		}
		tokens, err = r.save(ctx, q, o, locked)
		return err
	})
	return tokens, err
}

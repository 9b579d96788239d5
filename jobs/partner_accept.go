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

// Caller is a partner that sent us its credentials.
type Caller struct {
	Partner db.Partner
	Hash    []byte // of the token that it presented: token A, or its live token on an update
	Raw     bool   // it sent the token as it is, and so probably wants ours
	Update  bool   // PUT: it is registered

	Dialect *ocpi.Dialect // the version of the credentials that it called: that of the connection from now on (CRED-19)
}

// AcceptCredentials completes the handshake that a partner started, or its update (CRED-09 to CRED-21). It reads the
// partner's versions and details with the token from its credentials, before it answers and with no transaction open. Then
// it stores all of it at once and returns our credentials with a new token. What the caller presented is void from then on,
// so of two calls with one token the first to get there wins and the other is refused with 401. The error for the
// partner's faults is an *ocpi.Error.
func (o *Ops) AcceptCredentials(ctx context.Context, caller Caller, theirs ocpi.Credentials) (ocpi.Credentials, error) {
	certificate, err := partnerCertificate(o.Box, caller.Partner)
	if err != nil {
		return ocpi.Credentials{}, err
	}
	auth := client.Auth{Token: theirs.Token, Raw: caller.Raw, Certificate: certificate, Partner: caller.Partner.ID}
	found, err := o.Client.Discover(ctx, auth, theirs.URL, caller.Dialect)
	switch text, partnersFault := inWords(err); {
	case partnersFault:
		return ocpi.Credentials{}, ocpi.Refused(ocpi.StatusUnableToUseClientAPI, text)
	case errors.Is(err, client.ErrNoVersion):
		return ocpi.Credentials{}, ocpi.Refused(ocpi.StatusUnsupportedVersion, fmt.Sprintf("your versions do not list %s", caller.Dialect.Version))
	case err != nil:
		return ocpi.Credentials{}, err
	}
	if err := checkEndpoints(found.Details); err != nil {
		return ocpi.Credentials{}, ocpi.Refused(ocpi.StatusMissingEndpoints, err.Error())
	}
	r := registration{theirs: theirs, found: found, token: newPartnerToken(), again: caller.Update}
	if r.ours, err = o.OurCredentials(ctx, caller.Partner.ID, r.token, caller.Dialect); err != nil {
		return ocpi.Credentials{}, err
	}
	var tokens []uuid.UUID
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		partner, err := q.LockPartner(ctx, caller.Partner.ID)
		if err != nil {
			return fmt.Errorf("lock partner: %w", err)
		}
		used, err := q.RevokePartnerToken(ctx, db.RevokePartnerTokenParams{Hash: caller.Hash, Now: o.Now()})
		if err != nil {
			return fmt.Errorf("use up token: %w", err)
		}
		if used == 0 {
			return ocpi.Unauthorized("the credentials token has been used")
		}
		if err := insertPartnerToken(ctx, q, o, partner.ID, "live", r.token); err != nil {
			return err
		}
		tokens, err = r.save(ctx, q, o, partner)
		return err
	})
	if err != nil {
		return ocpi.Credentials{}, err
	}
	o.Bell.Ring(ctx, TokenPush, tokens...)
	return r.ours, nil
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// Trial is a call that was made to see whether a connection works, and what came of it.
type Trial struct {
	Name string // "versions", "details", "tokens" (the partner reads our tokens), "token" (we send one)
	OK   bool
	Said string // what was found, or what went wrong, in English
	Took time.Duration
}

// TryPartner makes the calls that show whether the connection with a registered partner works both ways, and changes nothing
// but the partner's copy of one token, which it gets as it is. receive takes a message as if the partner had sent it. The error
// is ours; what the partner does wrong is in the trials.
func (o *Ops) TryPartner(ctx context.Context, id uuid.UUID, receive func(context.Context, Inbound) (Receipt, error)) ([]Trial, error) {
	partner, err := o.DB.Partner(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("partner: %w", err)
	}
	if partner.State != "registered" {
		return nil, ocpi.MethodNotAllowed("not registered")
	}
	auth, err := partnerAuth(o.Box, partner)
	if err != nil {
		return nil, err
	}
	var trials []Trial
	try := func(name string, call func() (said string, err error)) {
		begun := time.Now() // the clock of the machine: the length of a call is measured
		said, err := call()
		if err != nil {
			said = err.Error()
		}
		trials = append(trials, Trial{Name: name, OK: err == nil, Said: said, Took: time.Since(begun)})
	}
	details := ""
	try("versions", func() (string, error) {
		versions, err := o.Client.Versions(ctx, auth, partner.VersionsURL)
		if err != nil {
			return "", err
		}
		said := ""
		for _, v := range versions {
			said += string(v.Version) + " "
			if string(v.Version) == partner.Version {
				details = v.URL
			}
		}
		if details == "" {
			return "", fmt.Errorf("the versions %sdo not list %s", said, partner.Version)
		}
		return said, nil
	})
	try("details", func() (string, error) {
		if details == "" {
			return "", errors.New("not called: no address")
		}
		found, err := o.Client.Details(ctx, auth, details)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d endpoints", len(found.Endpoints)), checkEndpoints(found)
	})
	try("tokens", func() (string, error) {
		receipt, err := receive(ctx, Inbound{Partner: id, Method: "GET", Path: "tokens?limit=1"})
		if err == nil && !receipt.Taken() {
			err = fmt.Errorf("HTTP %d, %d %s", receipt.HTTPStatus, receipt.StatusCode, receipt.Message)
		}
		return fmt.Sprintf("HTTP %d, %d", receipt.HTTPStatus, receipt.StatusCode), err
	})
	try("token", func() (string, error) { return o.tryToken(ctx, partner, auth) })
	return trials, nil
}

// tryToken gives a partner one of the tokens that it shall have, as it is.
func (o *Ops) tryToken(ctx context.Context, partner db.Partner, auth client.Auth) (string, error) {
	endpoint, ok, err := partnerEndpoint(partner, ocpi.ModuleTokens, ocpi.Receiver)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", errNoTokens
	}
	tenants, err := o.DB.TenantsOfPartner(ctx, partner.ID)
	if err != nil {
		return "", fmt.Errorf("tenants of partner: %w", err)
	}
	var ids []uuid.UUID
	for _, t := range tenants {
		ids = append(ids, t.ID)
	}
	rows, err := o.DB.TokenPage(ctx, db.TokenPageParams{PartnerID: partner.ID, TenantIDs: ids, MaxRows: 1})
	if err != nil {
		return "", fmt.Errorf("tokens: %w", err)
	}
	if len(rows) == 0 {
		return "", errors.New("not called: no utility of this partner has issued a card")
	}
	owner := partyOf(rows[0].CountryCode, rows[0].PartyID)
	token := TokenAt(rows[0].Token, rows[0].ContractID, owner, rows[0].Void, rows[0].ChangedAt)
	err = o.Client.PutToken(ctx, client.Peer{Auth: auth, Routing: ocpi.Routing{To: partyOfPartner(partner), From: owner}}, endpoint, token)
	return "token of " + owner.String(), err
}

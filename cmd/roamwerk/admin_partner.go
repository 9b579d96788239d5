package main

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// partnerCmd administers OCPI partners.
type partnerCmd struct {
	Invite   partnerInviteCmd   `cmd:"" help:"Invite a partner: prints the versions URL and the token (A) to give to it."`
	Register partnerRegisterCmd `cmd:"" help:"Register with a partner that gave us its versions URL and token (A)."`
	Pull     partnerPullCmd     `cmd:"" help:"Read a partner's lists now: what has changed, or everything."`

	Rotate      partnerRotateCmd      `cmd:"" help:"Exchange the tokens of both sides now. It happens monthly by itself."`
	Quirk       partnerQuirkCmd       `cmd:"" help:"List what is tolerated of a partner, or decide on it."`
	Hide        partnerHideCmd        `cmd:"" help:"Set which modules our version details do not list to a partner."`
	Certificate partnerCertificateCmd `cmd:"" help:"Set the client certificates of a connection."`

	Agree  partnerAgreeCmd  `cmd:"" help:"Set what is agreed with a partner: how often its lists are read, how late CDRs may come."`
	Check  partnerCheckCmd  `cmd:"" help:"Show or set how a utility checks a partner's claims: by which reading of tariffs, within which tolerances."`
	Enable partnerEnableCmd `cmd:"" help:"Set which utilities work with a partner. The partner is told."`
	End    partnerEndCmd    `cmd:"" help:"End a partnership. The partner is told."`
}

type partnerInviteCmd struct {
	Name  string `required:"" help:"How we call the partner."`
	Role  string `required:"" enum:"CPO,HUB" help:"CPO or HUB."`
	Party string `required:"" help:"OCPI party of the partner, for example DE*CPO."`

	partnerTenants
}

// partnerTenants are the utilities that work with a partner.
type partnerTenants struct {
	Tenant []string `help:"OCPI party of a utility that works with the partner, again for each; without it all. OCPI 2.1.1 takes one." placeholder:"PARTY"`
}

func (t partnerTenants) ids(o *outside, a *app) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	for _, party := range t.Tenant {
		tenant, err := a.tenant(o, party)
		if err != nil {
			return nil, err
		}
		ids = append(ids, tenant.ID)
	}
	return ids, nil
}

// Run invites.
func (c partnerInviteCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		party, err := ocpi.ParseParty(c.Party)
		if err != nil {
			return nil, fmt.Errorf("--party: %w", err)
		}
		tenants, err := c.ids(o, a)
		if err != nil {
			return nil, err
		}
		invitation, err := a.ops().InvitePartner(o.ctx, jobs.NewPartner{Name: c.Name, Role: ocpi.Role(c.Role), Party: party, Tenants: tenants})
		if err != nil {
			return nil, err
		}
		return map[string]any{"versions_url": invitation.VersionsURL, "token": invitation.Token, "partner": invitation.Partner.ID}, nil
	})
}

type partnerRegisterCmd struct {
	Name        string `required:"" help:"How we call the partner."`
	VersionsURL string `required:"" name:"versions-url" help:"The partner's versions URL." placeholder:"URL"`
	Token       string `required:"" help:"The token (A) that the partner gave us."`

	partnerTenants
}

// Run registers.
func (c partnerRegisterCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenants, err := c.ids(o, a)
		if err != nil {
			return nil, err
		}
		partner, err := a.ops().RegisterPartner(o.ctx, jobs.Introduction{Name: c.Name, VersionsURL: c.VersionsURL, Token: c.Token, Tenants: tenants})
		if err != nil {
			return nil, err
		}
		return map[string]any{
			"partner": partner.ID, "name": partner.Name, "role": partner.Role, "party": partner.CountryCode + "*" + partner.PartyID,
			"version": partner.Version, "state": partner.State,
		}, nil
	})
}

type partnerPullCmd struct {
	Name   string `required:"" help:"How we call the partner."`
	Module string `help:"One list: hubclientinfo, tariffs, locations, sessions or cdrs; without it all." enum:",hubclientinfo,tariffs,locations,sessions,cdrs" default:""`
	Full   bool   `help:"Read everything. What is not there any more is removed."`
}

// Run makes the lists due; the workers read them.
func (c partnerPullCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		lists, err := a.ops().PullPartner(o.ctx, c.Name, ocpi.ModuleID(c.Module), c.Full)
		if err != nil {
			return nil, err
		}
		return map[string]any{"partner": c.Name, "lists": lists, "full": c.Full}, nil
	})
}

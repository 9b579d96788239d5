package main

import (
	"fmt"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// partnerCmd administers OCPI partners.
type partnerCmd struct {
	Invite   partnerInviteCmd   `cmd:"" help:"Invite a partner: prints the versions URL and the token (A) to give to it."`
	Register partnerRegisterCmd `cmd:"" help:"Register with a partner that gave us its versions URL and token (A)."`
	Pull     partnerPullCmd     `cmd:"" help:"Read a partner's lists now: what has changed, or everything."`
}

type partnerInviteCmd struct {
	Name  string `required:"" help:"How we call the partner."`
	Role  string `required:"" enum:"CPO,HUB" help:"CPO or HUB."`
	Party string `required:"" help:"OCPI party of the partner, for example DE*CPO."`
}

// Run invites.
func (c partnerInviteCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		party, err := ocpi.ParseParty(c.Party)
		if err != nil {
			return nil, fmt.Errorf("--party: %w", err)
		}
		invitation, err := a.ops().InvitePartner(o.ctx, jobs.NewPartner{Name: c.Name, Role: ocpi.Role(c.Role), Party: party})
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
}

// Run registers.
func (c partnerRegisterCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		partner, err := a.ops().RegisterPartner(o.ctx, jobs.Introduction{Name: c.Name, VersionsURL: c.VersionsURL, Token: c.Token})
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

package server

import (
	"context"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// postProfileResult takes what a charge point made of a request for a charging profile (CHP-04).
func (c *call) postProfileResult(ctx context.Context) (answer, error) {
	kind := ocpi.CommandType(c.segment("command"))
	id, err := c.commandID()
	if err != nil || kind != jobs.SetProfile && kind != jobs.ReadProfile && kind != jobs.ClearProfile {
		return answer{}, unknownCommand(c.segment("id"))
	}
	result := jobs.Result{Kind: kind, ID: id, Partner: c.partner.ID, Tenants: c.addressed()}
	if kind == jobs.ReadProfile {
		var active ocpi.ActiveChargingProfileResult
		if err := c.read(&active); err != nil {
			return answer{}, err
		}
		result.Result, result.Active = string(active.Result), active.Profile
	} else {
		var plain ocpi.ChargingProfileResult // ClearProfileResult has the same form
		if err := c.read(&plain); err != nil {
			return answer{}, err
		}
		result.Result = string(plain.Result)
	}
	return answer{}, c.ops.TakeResult(ctx, result)
}

// putActiveProfile takes what a CPO says, unasked, that a session will get (CHP-05).
func (c *call) putActiveProfile(ctx context.Context) (answer, error) {
	var active ocpi.ActiveChargingProfile
	if err := c.read(&active); err != nil {
		return answer{}, err
	}
	from := ocpi.ReadRouting(c.echo.Request().Header).From
	return answer{}, c.ops.TakeActiveProfile(ctx, jobs.ActiveProfile{
		Session: jobs.SessionRef{CPO: from, ID: c.segment("session")}, Profile: active, Partner: c.partner.ID, Tenants: c.addressed(),
	})
}

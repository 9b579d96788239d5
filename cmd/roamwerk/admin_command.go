package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// commandCmd commands charge points. Each command waits for the charge point's result and prints it.
type commandCmd struct {
	Start   commandStartCmd   `cmd:"" help:"Start a session."`
	Stop    commandStopCmd    `cmd:"" help:"Stop a session."`
	Reserve commandReserveCmd `cmd:"" help:"Reserve a charging point from now on."`
	Cancel  commandCancelCmd  `cmd:"" help:"Give a reservation up."`
	Unlock  commandUnlockCmd  `cmd:"" help:"Let go of a cable: for the help desk."`
}

// commandPlace is where a command is for.
type commandPlace struct {
	CPO       string `name:"cpo" help:"Operator, for example DE*CPO; needed when several have such a location." placeholder:"PARTY"`
	Location  string `required:"" help:"Id of the location."`
	EVSE      string `name:"evse" help:"UID of the EVSE."`
	Connector string `help:"Id of the connector; needs --evse."`
}

func (p commandPlace) place() (jobs.Place, error) {
	cpo, err := optionalParty(p.CPO)
	return jobs.Place{CPO: cpo, Location: ocpi.CiString(p.Location), EVSE: ocpi.CiString(p.EVSE), Connector: ocpi.CiString(p.Connector)}, err
}

// optionalParty reads --cpo.
func optionalParty(text string) (ocpi.Party, error) {
	if text == "" {
		return ocpi.Party{}, nil
	}
	party, err := ocpi.ParseParty(text)
	if err != nil {
		return party, fmt.Errorf("--cpo: %w", err)
	}
	return party, nil
}

// commandToken is for whom.
type commandToken struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	UID    string `required:"" name:"uid" help:"UID of the card."`
	Type   string `help:"OCPI token type." enum:"RFID,APP_USER,AD_HOC_USER,OTHER" default:"RFID"`
}

type commandStartCmd struct {
	commandToken
	commandPlace
}

// Run starts a session.
func (c commandStartCmd) Run(o *outside) error {
	return command(o, c.Tenant, func(a *app, tenant db.Tenant) (db.Command, error) {
		at, err := c.place()
		if err != nil {
			return db.Command{}, err
		}
		return a.ops().StartSession(o.ctx, jobs.Start{Tenant: tenant.ID, UID: ocpi.CiString(c.UID), Type: ocpi.TokenType(c.Type), At: at})
	})
}

type commandStopCmd struct {
	Tenant  string `required:"" help:"Utility, for example DE*SWX."`
	Session string `required:"" help:"Id of the session."`
	CPO     string `name:"cpo" help:"Operator; needed when several have such a session." placeholder:"PARTY"`
	UID     string `name:"uid" help:"UID of the card that the session must belong to."`
}

// Run stops a session.
func (c commandStopCmd) Run(o *outside) error {
	return command(o, c.Tenant, func(a *app, tenant db.Tenant) (db.Command, error) {
		cpo, err := optionalParty(c.CPO)
		if err != nil {
			return db.Command{}, err
		}
		return a.ops().StopSession(o.ctx, jobs.ByStaff, jobs.Stop{
			Tenant: tenant.ID, Session: jobs.SessionRef{CPO: cpo, ID: ocpi.CiString(c.Session)}, UID: ocpi.CiString(c.UID),
		})
	})
}

type commandReserveCmd struct {
	commandToken
	commandPlace
	For         time.Duration `help:"How long." default:"30m"`
	Reservation string        `help:"Id of a reservation that this one replaces." placeholder:"ID"`
}

// Run reserves.
func (c commandReserveCmd) Run(o *outside) error {
	return command(o, c.Tenant, func(a *app, tenant db.Tenant) (db.Command, error) {
		at, err := c.place()
		if err != nil {
			return db.Command{}, err
		}
		return a.ops().ReserveNow(o.ctx, jobs.Reserve{
			Tenant: tenant.ID, UID: ocpi.CiString(c.UID), Type: ocpi.TokenType(c.Type), At: at,
			Until: a.now().Add(c.For), ID: ocpi.CiString(c.Reservation),
		})
	})
}

type commandCancelCmd struct {
	Tenant      string `required:"" help:"Utility, for example DE*SWX."`
	Reservation string `required:"" help:"Id of the reservation."`
	UID         string `name:"uid" help:"UID of the card that the reservation must belong to."`
}

// Run gives a reservation up.
func (c commandCancelCmd) Run(o *outside) error {
	return command(o, c.Tenant, func(a *app, tenant db.Tenant) (db.Command, error) {
		return a.ops().CancelReservation(o.ctx, jobs.ByStaff, jobs.Cancel{Tenant: tenant.ID, ID: ocpi.CiString(c.Reservation), UID: ocpi.CiString(c.UID)})
	})
}

type commandUnlockCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	commandPlace
}

// Run unlocks a connector.
func (c commandUnlockCmd) Run(o *outside) error {
	return command(o, c.Tenant, func(a *app, tenant db.Tenant) (db.Command, error) {
		at, err := c.place()
		if err != nil {
			return db.Command{}, err
		}
		return a.ops().UnlockConnector(o.ctx, jobs.ByStaff, tenant.ID, at)
	})
}

// command gives a command, waits for its result and prints it. What was not sent prints its reason, and is an error.
func command(o *outside, tenant string, give func(a *app, tenant db.Tenant) (db.Command, error)) error {
	var refused *jobs.CommandError
	err := admin(o, func(a *app) (any, error) {
		t, err := a.tenant(o, tenant)
		if err != nil {
			return nil, err
		}
		given, err := give(a, t)
		if errors.As(err, &refused) {
			return map[string]any{"state": "not sent", "reason": refused.Reason, "message": refused.Text}, nil
		} else if err != nil {
			return nil, err
		}
		c, err := a.ops().AwaitCommand(o.ctx, given.ID)
		if err != nil {
			return nil, err
		}
		return map[string]any{
			"command": c.ID, "kind": c.Kind, "cpo": c.CountryCode + "*" + c.PartyID, "state": c.State, "response": c.Response, "result": c.Result,
			"message": c.Message, "session": c.SessionID, "reservation": c.ReservationID,
		}, nil
	})
	if err == nil && refused != nil {
		return refused
	}
	return err
}

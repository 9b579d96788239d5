package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Start is a session to be started.
type Start struct {
	Tenant uuid.UUID
	UID    ocpi.CiString
	Type   ocpi.TokenType // empty: RFID
	At     Place
}

// StartSession asks a CPO to start a session (CMD-03). The token is authorised by us before anything is sent (CMD-04). The
// command that is returned is forwarded, refused, or without an answer; its result follows. The error is a *CommandError when
// nothing was sent.
func (o *Ops) StartSession(ctx context.Context, s Start) (db.Command, error) {
	p, err := o.prepare(ctx, s.Tenant, s.UID, s.Type, s.At, (*site).canStart)
	if err != nil {
		return db.Command{}, err
	}
	n := p.row(ocpi.CommandStartSession)
	return o.issue(ctx, p.way, n, func(ctx context.Context, id uuid.UUID) (response, error) {
		return o.sendCommand(ctx, p.way, ocpi.CommandStartSession, &ocpi.StartSession{
			ResponseURL: o.responseURL(p.way, ocpi.ModuleCommands, ocpi.CommandStartSession, id), Token: p.info.Token,
			LocationID: p.at.Location, EVSEUID: p.at.EVSE, ConnectorID: p.at.Connector, AuthorizationReference: p.info.AuthorizationReference,
		})
	})
}

// Reserve is a reservation to be made from now on.
type Reserve struct {
	Tenant uuid.UUID
	UID    ocpi.CiString
	Type   ocpi.TokenType // empty: RFID
	At     Place          // without a connector
	Until  time.Time
	ID     ocpi.CiString // of the reservation; empty: a new one. The same again at the same Location replaces it.
}

// ReserveNow asks a CPO to keep a charging point free (CMD-07), as StartSession asks for a session.
func (o *Ops) ReserveNow(ctx context.Context, r Reserve) (db.Command, error) {
	if !r.Until.After(o.Now()) {
		return db.Command{}, notSent(ReasonInvalid, "a reservation must end in the future")
	}
	if len(r.ID) > 36 {
		return db.Command{}, notSent(ReasonInvalid, "the id of a reservation has at most 36 characters")
	}
	p, err := o.prepare(ctx, r.Tenant, r.UID, r.Type, r.At, (*site).canReserve)
	if err != nil {
		return db.Command{}, err
	}
	if r.ID == "" {
		r.ID = newReservationID(p.way.peer.Auth.Dialect)
	}
	n := p.row(ocpi.CommandReserveNow)
	n.ReservationID, n.ExpiresAt = string(r.ID), &r.Until
	return o.issue(ctx, p.way, n, func(ctx context.Context, id uuid.UUID) (response, error) {
		return o.sendCommand(ctx, p.way, ocpi.CommandReserveNow, &ocpi.ReserveNow{
			ResponseURL: o.responseURL(p.way, ocpi.ModuleCommands, ocpi.CommandReserveNow, id), Token: p.info.Token, ExpiryDate: r.Until,
			ReservationID: r.ID, LocationID: p.at.Location, EVSEUID: p.at.EVSE, AuthorizationReference: p.info.AuthorizationReference,
		})
	})
}

// newReservationID makes an id that nobody has, in a form that the CPO's version of OCPI has (VDF-09).
func newReservationID(d *ocpi.Dialect) ocpi.CiString {
	if d.IntReservations {
		return ocpi.CiString(strconv.FormatInt(int64(rand.Int32()), 10))
	}
	return ocpi.CiString(uuid.NewString())
}

// Cancel is a reservation to be given up.
type Cancel struct {
	Tenant uuid.UUID
	ID     ocpi.CiString // of the reservation
	UID    ocpi.CiString // whose it must be; empty: anybody's, for staff only
}

// CancelReservation asks the CPO to give a reservation up (CMD-08). A CDR may come all the same.
func (o *Ops) CancelReservation(ctx context.Context, by By, n Cancel) (db.Command, error) {
	tenant, err := o.DB.Tenant(ctx, n.Tenant)
	if err != nil {
		return db.Command{}, fmt.Errorf("tenant: %w", err)
	}
	reserved, err := o.DB.Reservation(ctx, db.ReservationParams{TenantID: n.Tenant, ReservationID: string(n.ID)})
	if errors.Is(err, db.ErrNotFound) {
		return db.Command{}, notSent(ReasonReservation, "there is no reservation %s", n.ID)
	} else if err != nil {
		return db.Command{}, fmt.Errorf("reservation: %w", err)
	}
	token, err := o.DB.Token(ctx, reserved.TokenID.UUID)
	if err != nil {
		return db.Command{}, fmt.Errorf("token: %w", err)
	}
	if !mayTouch(by, n.UID, ocpi.CiString(token.Token.UID)) {
		return db.Command{}, notSent(ReasonReservation, "there is no reservation %s", n.ID)
	}
	w, err := o.wayTo(ctx, tenant, partyOf(reserved.CountryCode, reserved.PartyID), ocpi.ModuleCommands, ocpi.Receiver)
	if err != nil {
		return db.Command{}, err
	}
	if !w.peer.Auth.Dialect.HasCommand(ocpi.CommandCancelReservation) {
		return db.Command{}, notSent(ReasonNotOffered, "%s speaks OCPI %s, in which a reservation cannot be given up", w.partner.Name, w.partner.Version)
	}
	row := db.InsertCommandParams{
		TenantID: n.Tenant, Kind: string(ocpi.CommandCancelReservation), TokenID: reserved.TokenID, LocationID: reserved.LocationID,
		EVSEUID: reserved.EVSEUID, ReservationID: reserved.ReservationID,
	}
	return o.issue(ctx, w, row, func(ctx context.Context, id uuid.UUID) (response, error) {
		return o.sendCommand(ctx, w, ocpi.CommandCancelReservation, &ocpi.CancelReservation{
			ResponseURL: o.responseURL(w, ocpi.ModuleCommands, ocpi.CommandCancelReservation, id), ReservationID: ocpi.CiString(reserved.ReservationID),
		})
	})
}

// Stop is a session to be stopped.
type Stop struct {
	Tenant  uuid.UUID
	Session SessionRef
	UID     ocpi.CiString // whose it must be; empty: anybody's, for staff only
}

// StopSession asks the CPO to stop a session of ours (CMD-06).
func (o *Ops) StopSession(ctx context.Context, by By, n Stop) (db.Command, error) {
	s, err := o.running(ctx, by, n.Tenant, n.Session, n.UID)
	if err != nil {
		return db.Command{}, err
	}
	if err := s.requires(ocpi.CapabilityRemoteStartStop); err != nil {
		return db.Command{}, err
	}
	w, err := o.wayTo(ctx, s.tenant, s.doc.Party(), ocpi.ModuleCommands, ocpi.Receiver)
	if err != nil {
		return db.Command{}, err
	}
	return o.issue(ctx, w, s.row(ocpi.CommandStopSession), func(ctx context.Context, id uuid.UUID) (response, error) {
		return o.sendCommand(ctx, w, ocpi.CommandStopSession, &ocpi.StopSession{
			ResponseURL: o.responseURL(w, ocpi.ModuleCommands, ocpi.CommandStopSession, id), SessionID: s.doc.ID,
		})
	})
}

// UnlockConnector asks the CPO to let go of a cable. It is for the help desk: the connector must be one that a driver stands
// at, whom the help desk talks to (CMD-09).
func (o *Ops) UnlockConnector(ctx context.Context, by By, tenant uuid.UUID, at Place) (db.Command, error) {
	if by != ByStaff {
		return db.Command{}, notSent(ReasonStaffOnly, "only the help desk may unlock a connector")
	}
	t, err := o.DB.Tenant(ctx, tenant)
	if err != nil {
		return db.Command{}, fmt.Errorf("tenant: %w", err)
	}
	s, err := o.siteOf(ctx, tenant, at)
	if err != nil {
		return db.Command{}, err
	}
	if err := s.canUnlock(); err != nil {
		return db.Command{}, err
	}
	w, err := o.wayTo(ctx, t, s.at.CPO, ocpi.ModuleCommands, ocpi.Receiver)
	if err != nil {
		return db.Command{}, err
	}
	n := db.InsertCommandParams{
		TenantID: tenant, Kind: string(ocpi.CommandUnlockConnector), LocationID: string(s.at.Location), EVSEUID: string(s.at.EVSE), ConnectorID: string(s.at.Connector),
	}
	return o.issue(ctx, w, n, func(ctx context.Context, id uuid.UUID) (response, error) {
		return o.sendCommand(ctx, w, ocpi.CommandUnlockConnector, &ocpi.UnlockConnector{
			ResponseURL: o.responseURL(w, ocpi.ModuleCommands, ocpi.CommandUnlockConnector, id),
			LocationID:  s.at.Location, EVSEUID: s.at.EVSE, ConnectorID: s.at.Connector,
		})
	})
}

// prepared is a command for a token at a place, ready to be sent.
type prepared struct {
	way    way
	tenant uuid.UUID
	token  uuid.UUID
	at     Place
	info   ocpi.AuthorizationInfo
}

// prepare finds token and place, checks that the place can do it, and authorises.
func (o *Ops) prepare(ctx context.Context, tenantID uuid.UUID, uid ocpi.CiString, kind ocpi.TokenType, at Place, capable func(*site) error) (prepared, error) {
	if kind == "" {
		kind = ocpi.TokenRFID
	}
	tenant, err := o.DB.Tenant(ctx, tenantID)
	if err != nil {
		return prepared{}, fmt.Errorf("tenant: %w", err)
	}
	rows, err := o.DB.TokensByUID(ctx, db.TokensByUIDParams{TenantIDs: []uuid.UUID{tenantID}, UID: string(uid), Type: string(kind), At: o.Now()})
	if err != nil {
		return prepared{}, fmt.Errorf("find token: %w", err)
	}
	if len(rows) == 0 {
		return prepared{}, notSent(ReasonUnknownToken, "%s has no %s token %s", tenant.Name, kind, uid)
	}
	s, err := o.siteOf(ctx, tenantID, at)
	if err != nil {
		return prepared{}, err
	}
	if err := capable(s); err != nil {
		return prepared{}, err
	}
	w, err := o.wayTo(ctx, tenant, s.at.CPO, ocpi.ModuleCommands, ocpi.Receiver)
	if err != nil {
		return prepared{}, err
	}
	where := &ocpi.LocationReferences{LocationID: s.at.Location}
	if s.at.EVSE != "" {
		where.EVSEUIDs = []ocpi.CiString{s.at.EVSE}
	}
	info, err := o.Authorize(ctx, rows[0], Asking{Partner: w.partner.ID, CPO: w.cpo, At: where})
	if err != nil {
		return prepared{}, err
	}
	if info.Allowed != ocpi.AllowedAllowed {
		return prepared{}, notSent(ReasonNotAuthorised, "%s: %s", info.Allowed, info.Info.Text)
	}
	return prepared{way: w, tenant: tenantID, token: rows[0].Token.ID, at: s.at, info: info}, nil
}

func (p prepared) row(kind ocpi.CommandType) db.InsertCommandParams {
	return db.InsertCommandParams{
		TenantID: p.tenant, Kind: string(kind), TokenID: uuid.NullUUID{UUID: p.token, Valid: true},
		Reference:  uuid.NullUUID{UUID: uuid.MustParse(string(p.info.AuthorizationReference)), Valid: true},
		LocationID: string(p.at.Location), EVSEUID: string(p.at.EVSE), ConnectorID: string(p.at.Connector),
	}
}

func (o *Ops) sendCommand(ctx context.Context, w way, kind ocpi.CommandType, body any) (response, error) {
	r, err := o.Client.SendCommand(ctx, w.peer, w.endpoint, kind, body)
	return response{result: string(r.Result), timeout: r.Timeout, message: textOf(r.Message)}, err
}

// mayTouch reports whether somebody may act on what belongs to a token: staff on everything of their utility, a driver on what
// is its own.
func mayTouch(by By, uid, owner ocpi.CiString) bool {
	if uid == "" {
		return by == ByStaff
	}
	return uid.Equal(owner)
}

func partyOf(countryCode, partyID string) ocpi.Party {
	return ocpi.Party{CountryCode: ocpi.CiString(countryCode), PartyID: ocpi.CiString(partyID)}
}

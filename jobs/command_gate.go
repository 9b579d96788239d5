package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Place is where a command is for.
type Place struct {
	CPO       ocpi.Party // zero: the one that has the Location, if there is but one
	Location  ocpi.CiString
	EVSE      ocpi.CiString // uid; may be empty
	Connector ocpi.CiString // needs an EVSE; may be empty
}

// site is a Location that a command is for, and the part of it that was named. What it can do gates what is sent (LOC-25).
type site struct {
	at       Place // with ids as the CPO spells them
	location ocpi.Location
	evse     *ocpi.EVSE // nil: none was named
}

// siteOf finds a Location among those of the CPOs that a utility reaches.
func (o *Ops) siteOf(ctx context.Context, tenant uuid.UUID, at Place) (*site, error) {
	rows, err := o.DB.LocationsWithID(ctx, db.LocationsWithIDParams{LocationID: string(at.Location), TenantID: tenant})
	if err != nil {
		return nil, fmt.Errorf("find location: %w", err)
	}
	if !at.CPO.IsZero() {
		rows = slices.DeleteFunc(rows, func(l db.Location) bool { return !partyOf(l.CountryCode, l.PartyID).Equal(at.CPO) })
	}
	switch {
	case len(rows) == 0:
		return nil, notSent(ReasonUnknownLocation, "location %s is not known", at.Location)
	case len(rows) > 1:
		return nil, notSent(ReasonAmbiguous, "several operators have a location %s: name the operator", at.Location)
	}
	s := &site{}
	if err := ocpi.Unmarshal(rows[0].Doc, &s.location); err != nil {
		return nil, fmt.Errorf("decode stored location: %v", err) //nolint:errorlint // not the caller's fault
	}
	s.at = Place{CPO: s.location.Party(), Location: s.location.ID}
	if at.EVSE == "" {
		if at.Connector != "" {
			return nil, notSent(ReasonInvalid, "a connector needs its EVSE")
		}
		return s, nil
	}
	if s.evse = evseOf(&s.location, at.EVSE); s.evse == nil {
		return nil, notSent(ReasonUnknownLocation, "location %s has no EVSE %s", at.Location, at.EVSE)
	}
	s.at.EVSE = s.evse.UID
	if at.Connector == "" {
		return s, nil
	}
	for _, c := range s.evse.Connectors {
		if c.ID.Equal(at.Connector) {
			s.at.Connector = c.ID
			return s, nil
		}
	}
	return nil, notSent(ReasonUnknownLocation, "EVSE %s has no connector %s", at.EVSE, at.Connector)
}

// evseOf finds an EVSE that is not removed.
func evseOf(l *ocpi.Location, uid ocpi.CiString) *ocpi.EVSE {
	for i := range l.EVSEs {
		if e := &l.EVSEs[i]; e.UID.Equal(uid) && e.Status != ocpi.EVSERemoved {
			return e
		}
	}
	return nil
}

func can(e *ocpi.EVSE, capability ocpi.Capability) bool {
	return slices.Contains(e.Capabilities, capability)
}

// canStart reports why no session can be started there, if so.
func (s *site) canStart() error {
	remote := func(e *ocpi.EVSE) bool { return can(e, ocpi.CapabilityRemoteStartStop) }
	if !s.some(remote) {
		return notSent(ReasonNotCapable, "%s cannot be started remotely", s)
	}
	if s.at.Connector != "" || s.some(func(e *ocpi.EVSE) bool { return remote(e) && !can(e, ocpi.CapabilityStartSessionConnectorRequired) }) {
		return nil
	}
	return notSent(ReasonConnector, "%s needs to know the connector", s) // CMD-03
}

func (s *site) canReserve() error {
	if !s.some(func(e *ocpi.EVSE) bool { return can(e, ocpi.CapabilityReservable) }) {
		return notSent(ReasonNotCapable, "%s cannot be reserved", s)
	}
	return nil
}

func (s *site) canUnlock() error {
	switch {
	case s.at.Connector == "":
		return notSent(ReasonInvalid, "name the EVSE and the connector")
	case !can(s.evse, ocpi.CapabilityUnlock):
		return notSent(ReasonNotCapable, "the connectors of EVSE %s cannot be unlocked", s.at.EVSE)
	}
	return nil
}

// some reports whether the EVSE that was named, or one of the Location when none was, is such.
func (s *site) some(such func(*ocpi.EVSE) bool) bool {
	if s.evse != nil {
		return such(s.evse)
	}
	for i := range s.location.EVSEs {
		if e := &s.location.EVSEs[i]; e.Status != ocpi.EVSERemoved && such(e) {
			return true
		}
	}
	return false
}

func (s *site) String() string {
	if s.evse != nil {
		return "EVSE " + string(s.at.EVSE)
	}
	return "location " + string(s.at.Location)
}

// SessionRef names a session.
type SessionRef struct {
	CPO ocpi.Party // zero: the one that has it, if there is but one
	ID  ocpi.CiString
}

// session is a running session of a utility, with the EVSE that it is at.
type session struct {
	tenant db.Tenant
	doc    ocpi.Session
	evse   *ocpi.EVSE // nil: the Location was never published to us (LOC-24)
}

// running finds a session that runs, for somebody who may act on it.
func (o *Ops) running(ctx context.Context, by By, tenantID uuid.UUID, ref SessionRef, uid ocpi.CiString) (session, error) {
	var s session
	var err error
	if s.tenant, err = o.DB.Tenant(ctx, tenantID); err != nil {
		return s, fmt.Errorf("tenant: %w", err)
	}
	rows, err := o.DB.SessionsWithID(ctx, db.SessionsWithIDParams{
		TenantIDs: []uuid.UUID{tenantID}, SessionID: string(ref.ID), CountryCode: string(ref.CPO.CountryCode), PartyID: string(ref.CPO.PartyID),
	})
	switch {
	case err != nil:
		return s, fmt.Errorf("find session: %w", err)
	case len(rows) == 0:
		return s, notSent(ReasonUnknownSession, "session %s is not known", ref.ID)
	case len(rows) > 1:
		return s, notSent(ReasonAmbiguous, "several operators have a session %s: name the operator", ref.ID)
	}
	if err := ocpi.Unmarshal(rows[0].Doc, &s.doc); err != nil {
		return s, fmt.Errorf("decode stored session: %v", err) //nolint:errorlint // not the caller's fault
	}
	s.doc.Status = ocpi.SessionStatus(rows[0].Status) // what counts, whatever the document says (SES-08)
	if !mayTouch(by, uid, s.doc.CDRToken.UID) {
		return s, notSent(ReasonUnknownSession, "session %s is not known", ref.ID)
	}
	if s.doc.Status == ocpi.SessionCompleted || s.doc.Status == ocpi.SessionInvalid {
		return s, notSent(ReasonNotRunning, "session %s has ended", ref.ID)
	}
	at, err := o.siteOf(ctx, tenantID, Place{CPO: s.doc.Party(), Location: s.doc.LocationID})
	var unknown *CommandError
	if errors.As(err, &unknown) {
		return s, nil
	} else if err != nil {
		return s, err
	}
	s.evse = evseOf(&at.location, s.doc.EVSEUID)
	return s, nil
}

// requires reports an error when the session's EVSE is known not to be capable.
func (s *session) requires(capability ocpi.Capability) error {
	if s.evse != nil && !can(s.evse, capability) {
		return notSent(ReasonNotCapable, "EVSE %s is not %s", s.evse.UID, capability)
	}
	return nil
}

func (s *session) row(kind ocpi.CommandType) db.InsertCommandParams {
	return db.InsertCommandParams{
		TenantID: s.tenant.ID, Kind: string(kind), SessionID: string(s.doc.ID), LocationID: string(s.doc.LocationID),
		EVSEUID: string(s.doc.EVSEUID), ConnectorID: string(s.doc.ConnectorID),
	}
}

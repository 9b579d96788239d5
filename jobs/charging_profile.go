package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Profiled is a session whose charging profile is set, read or cleared (CHP-06).
type Profiled struct {
	Tenant  uuid.UUID
	Session SessionRef
	UID     ocpi.CiString // whose it must be; empty: anybody's, for staff only
}

// SetChargingProfile asks a CPO to limit a running session (CHP-01). The profile is a ceiling: what the car really gets is
// less or equal (CHP-08). A profile that is there already is replaced.
func (o *Ops) SetChargingProfile(ctx context.Context, by By, p Profiled, profile ocpi.ChargingProfile) (db.Command, error) {
	if findings := profile.Validate(); len(findings) > 0 { // exact in what we send: notes count too (CHP-07)
		return db.Command{}, notSent(ReasonInvalid, "charging profile: %s", findings[0])
	}
	detail, err := ocpi.Marshal(profile)
	if err != nil {
		return db.Command{}, fmt.Errorf("encode charging profile: %w", err)
	}
	return o.profile(ctx, by, p, SetProfile, detail, func(ctx context.Context, w way, session ocpi.CiString, url string) (ocpi.ChargingProfileResponse, error) {
		return o.Client.SetChargingProfile(ctx, w.peer, w.endpoint, session, ocpi.SetChargingProfile{ChargingProfile: profile, ResponseURL: url})
	})
}

// ReadChargingProfile asks a CPO what a session will get during the coming time (CHP-02). The answer is stored with the
// session when it comes.
func (o *Ops) ReadChargingProfile(ctx context.Context, by By, p Profiled, during time.Duration) (db.Command, error) {
	if during < time.Second {
		return db.Command{}, notSent(ReasonInvalid, "a charging profile is read for a second at least")
	}
	return o.profile(ctx, by, p, ReadProfile, nil, func(ctx context.Context, w way, session ocpi.CiString, url string) (ocpi.ChargingProfileResponse, error) {
		return o.Client.ReadChargingProfile(ctx, w.peer, w.endpoint, session, during, url)
	})
}

// ClearChargingProfile asks a CPO to take our limit away (CHP-03).
func (o *Ops) ClearChargingProfile(ctx context.Context, by By, p Profiled) (db.Command, error) {
	return o.profile(ctx, by, p, ClearProfile, nil, func(ctx context.Context, w way, session ocpi.CiString, url string) (ocpi.ChargingProfileResponse, error) {
		return o.Client.ClearChargingProfile(ctx, w.peer, w.endpoint, session, url)
	})
}

func (o *Ops) profile(ctx context.Context, by By, p Profiled, kind ocpi.CommandType, detail []byte,
	send func(ctx context.Context, w way, session ocpi.CiString, url string) (ocpi.ChargingProfileResponse, error),
) (db.Command, error) {
	s, err := o.running(ctx, by, p.Tenant, p.Session, p.UID)
	if err != nil {
		return db.Command{}, err
	}
	if s.doc.Status != ocpi.SessionActive {
		return db.Command{}, notSent(ReasonNotRunning, "session %s does not charge", s.doc.ID)
	}
	if err := s.requires(ocpi.CapabilityChargingProfile); err != nil {
		return db.Command{}, err
	}
	known, err := o.DB.ChargingProfile(ctx, db.ChargingProfileParams{CountryCode: string(s.doc.CountryCode), PartyID: string(s.doc.PartyID), SessionID: string(s.doc.ID)})
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return db.Command{}, fmt.Errorf("charging profile: %w", err)
	}
	if known.NotBefore != nil && o.Now().Before(*known.NotBefore) {
		return db.Command{}, notSent(ReasonTooOften, "the operator was asked too often: again from %s", ocpi.FormatDateTime(*known.NotBefore))
	}
	w, err := o.wayTo(ctx, s.tenant, s.doc.Party(), ocpi.ModuleChargingProfiles, ocpi.Receiver)
	if err != nil {
		return db.Command{}, err
	}
	row := s.row(kind)
	row.Detail = detail
	return o.issue(ctx, w, row, func(ctx context.Context, id uuid.UUID) (response, error) {
		r, err := send(ctx, w, s.doc.ID, o.responseURL(w, ocpi.ModuleChargingProfiles, kind, id))
		return response{result: string(r.Result), timeout: r.Timeout}, err
	})
}

const (
	shortestPause = 30 * time.Second
	longestPause  = 15 * time.Minute
)

// profileAnswered draws the consequence of a CPO that is asked too often: each time in a row doubles the pause (CHP-09).
func (o *Ops) profileAnswered(ctx context.Context, q *db.Queries, c db.Command) error {
	if !slices.Contains([]ocpi.CommandType{SetProfile, ReadProfile, ClearProfile}, ocpi.CommandType(c.Kind)) {
		return nil
	}
	switch ocpi.ChargingProfileResponseType(c.Response) {
	case ocpi.ProfileResponseTooOften:
		known, err := q.ChargingProfile(ctx, db.ChargingProfileParams{CountryCode: c.CountryCode, PartyID: c.PartyID, SessionID: c.SessionID})
		if err != nil && !errors.Is(err, db.ErrNotFound) {
			return fmt.Errorf("charging profile: %w", err)
		}
		err = q.PauseProfile(ctx, db.PauseProfileParams{
			CountryCode: c.CountryCode, PartyID: c.PartyID, SessionID: c.SessionID, TenantID: c.TenantID,
			NotBefore: o.Now().Add(min(shortestPause<<min(known.Refusals, 10), longestPause)),
		})
		if err != nil {
			return fmt.Errorf("pause charging profiles: %w", err)
		}
	case ocpi.ProfileResponseAccepted:
		if err := q.ResumeProfile(ctx, db.ResumeProfileParams{CountryCode: c.CountryCode, PartyID: c.PartyID, SessionID: c.SessionID}); err != nil {
			return fmt.Errorf("resume charging profiles: %w", err)
		}
	}
	return nil
}

// takeProfile stores what an accepted command says of the session's profile (CHP-04).
func takeProfile(ctx context.Context, q *db.Queries, c db.Command, r Result, now time.Time) error {
	switch {
	case r.Kind == ReadProfile && r.Active != nil:
		return saveActiveProfile(ctx, q, c.TenantID, partyOf(c.CountryCode, c.PartyID), c.SessionID, *r.Active, now)
	case r.Kind == SetProfile, r.Kind == ClearProfile:
		wanted := db.SaveWantedProfileParams{CountryCode: c.CountryCode, PartyID: c.PartyID, SessionID: c.SessionID, TenantID: c.TenantID}
		if r.Kind == SetProfile {
			wanted.Wanted = c.Detail
		}
		if err := q.SaveWantedProfile(ctx, wanted); err != nil {
			return fmt.Errorf("save charging profile: %w", err)
		}
	}
	return nil
}

func saveActiveProfile(ctx context.Context, q *db.Queries, tenant uuid.UUID, cpo ocpi.Party, session string, active ocpi.ActiveChargingProfile, now time.Time) error {
	doc, err := ocpi.Marshal(active)
	if err != nil {
		return fmt.Errorf("encode active charging profile: %w", err)
	}
	err = q.SaveActiveProfile(ctx, db.SaveActiveProfileParams{
		CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), SessionID: session, TenantID: tenant, Active: doc, Now: now,
	})
	if err != nil {
		return fmt.Errorf("save active charging profile: %w", err)
	}
	return nil
}

// ActiveProfile is what a CPO says, unasked, that a session will get (CHP-05).
type ActiveProfile struct {
	Session SessionRef // the CPO counts only when several have such a session
	Profile ocpi.ActiveChargingProfile

	Partner uuid.UUID   // who brings it
	Tenants []uuid.UUID // for whom it may be
}

// TakeActiveProfile stores it. The error is db.ErrNotFound for a session that the caller did not deliver.
func (o *Ops) TakeActiveProfile(ctx context.Context, a ActiveProfile) error {
	rows, err := o.DB.SessionsWithID(ctx, db.SessionsWithIDParams{TenantIDs: a.Tenants, SessionID: string(a.Session.ID)})
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(s db.Session) bool { return s.PartnerID != a.Partner })
	if len(rows) > 1 {
		rows = slices.DeleteFunc(rows, func(s db.Session) bool { return !partyOf(s.CountryCode, s.PartyID).Equal(a.Session.CPO) })
	}
	if len(rows) == 0 {
		return db.ErrNotFound
	}
	s := rows[0]
	return saveActiveProfile(ctx, o.DB.Queries, s.TenantID, partyOf(s.CountryCode, s.PartyID), s.SessionID, a.Profile, o.Now())
}

package ocpi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// Session is one charging session as it runs (OCPI 2.2.1 § Session Object).
// TotalCost is what the eMSP owes so far, not the driver's price; absent does
// not mean free.
type Session struct {
	CountryCode            CiString            `json:"country_code,omitzero"`
	PartyID                CiString            `json:"party_id,omitzero"`
	ID                     CiString            `json:"id,omitzero"`
	StartDateTime          time.Time           `json:"start_date_time,omitzero"`
	EndDateTime            time.Time           `json:"end_date_time,omitzero"`
	KWh                    decimal.NullDecimal `json:"kwh,omitzero"`
	CDRToken               CDRToken            `json:"cdr_token,omitzero"`
	AuthMethod             AuthMethod          `json:"auth_method,omitzero"`
	AuthorizationReference CiString            `json:"authorization_reference,omitzero"`
	LocationID             CiString            `json:"location_id,omitzero"`
	EVSEUID                CiString            `json:"evse_uid,omitzero"`
	ConnectorID            CiString            `json:"connector_id,omitzero"`
	MeterID                string              `json:"meter_id,omitzero"`
	Currency               string              `json:"currency,omitzero"` // ISO 4217
	ChargingPeriods        []ChargingPeriod    `json:"charging_periods,omitzero"`
	TotalCost              *Price              `json:"total_cost,omitzero"`
	Status                 SessionStatus       `json:"status,omitzero"`
	LastUpdated            time.Time           `json:"last_updated,omitzero"`
	Extra                  jsontext.Value      `json:",embed"`
}

// Party returns the CPO that owns the session.
func (s *Session) Party() Party { return Party{s.CountryCode, s.PartyID} }

// ChargingPreferences is how the driver wants a running session to be charged
// (OCPI 2.2.1 § ChargingPreferences Object).
type ChargingPreferences struct {
	ProfileType      ProfileType         `json:"profile_type,omitzero"`
	DepartureTime    time.Time           `json:"departure_time,omitzero"`
	EnergyNeed       decimal.NullDecimal `json:"energy_need,omitzero"` // kWh
	DischargeAllowed bool                `json:"discharge_allowed,omitzero"`
	Extra            jsontext.Value      `json:",embed"`
}

// ChargingPreferencesResponse is the CPO's answer to ChargingPreferences, a
// bare string on the wire (OCPI 2.2.1 § ChargingPreferencesResponse).
type ChargingPreferencesResponse string

// The answers; only the first is a success.
const (
	PreferencesAccepted                ChargingPreferencesResponse = "ACCEPTED"
	PreferencesDepartureRequired       ChargingPreferencesResponse = "DEPARTURE_REQUIRED"
	PreferencesEnergyNeedRequired      ChargingPreferencesResponse = "ENERGY_NEED_REQUIRED"
	PreferencesNotPossible             ChargingPreferencesResponse = "NOT_POSSIBLE"
	PreferencesProfileTypeNotSupported ChargingPreferencesResponse = "PROFILE_TYPE_NOT_SUPPORTED"
)

// ProfileType is a driver's wish (OCPI 2.2.1 § ProfileType).
type ProfileType string

// The profile types.
const (
	ProfileCheap   ProfileType = "CHEAP"
	ProfileFast    ProfileType = "FAST"
	ProfileGreen   ProfileType = "GREEN"
	ProfileRegular ProfileType = "REGULAR"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t ProfileType) Known() bool {
	switch t {
	case ProfileCheap, ProfileFast, ProfileGreen, ProfileRegular:
		return true
	}
	return false
}

// SessionStatus is the state of a Session (OCPI 2.2.1 § SessionStatus).
type SessionStatus string

// The session states.
const (
	SessionActive      SessionStatus = "ACTIVE"
	SessionCompleted   SessionStatus = "COMPLETED"
	SessionInvalid     SessionStatus = "INVALID"
	SessionPending     SessionStatus = "PENDING"
	SessionReservation SessionStatus = "RESERVATION"
)

// Known reports whether s is one of OCPI 2.2.1.
func (s SessionStatus) Known() bool {
	switch s {
	case SessionActive, SessionCompleted, SessionInvalid, SessionPending, SessionReservation:
		return true
	}
	return false
}

// Meaning is the state that counts for what is done with a session: RESERVED,
// as OCPI's prose has it once, is a reservation (SES-06), and in a state that
// nobody knows the session goes on (TYP-12).
func (s SessionStatus) Meaning() SessionStatus {
	switch {
	case s == "RESERVED":
		return SessionReservation
	case !s.Known():
		return SessionActive
	}
	return s
}

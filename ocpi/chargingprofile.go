package ocpi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// ChargingProfile limits the power or current of a session over time; it is a
// ceiling, not a setpoint (OCPI 2.2.1 § ChargingProfile). Without a start it
// is relative to the start of charging.
type ChargingProfile struct {
	StartDateTime         time.Time               `json:"start_date_time,omitzero"`
	Duration              *int                    `json:"duration,omitzero"` // seconds
	ChargingRateUnit      ChargingRateUnit        `json:"charging_rate_unit,omitzero"`
	MinChargingRate       decimal.NullDecimal     `json:"min_charging_rate,omitzero"` // W or A
	ChargingProfilePeriod []ChargingProfilePeriod `json:"charging_profile_period,omitzero"`
	Extra                 jsontext.Value          `json:",embed"`
}

// ChargingProfilePeriod is one limit of a ChargingProfile (OCPI 2.2.1 §
// ChargingProfilePeriod).
type ChargingProfilePeriod struct {
	StartPeriod *int                `json:"start_period,omitzero"` // seconds from the start of the profile
	Limit       decimal.NullDecimal `json:"limit,omitzero"`        // W or A, one decimal
	Extra       jsontext.Value      `json:",embed"`
}

// SetChargingProfile asks for a profile to be applied to a session (OCPI
// 2.2.1 § SetChargingProfile Object).
type SetChargingProfile struct {
	ChargingProfile ChargingProfile `json:"charging_profile,omitzero"`
	ResponseURL     string          `json:"response_url,omitzero"`
	Extra           jsontext.Value  `json:",embed"`
}

// ActiveChargingProfile is what the charge point will really do (OCPI 2.2.1 §
// ActiveChargingProfile).
type ActiveChargingProfile struct {
	StartDateTime   time.Time       `json:"start_date_time,omitzero"`
	ChargingProfile ChargingProfile `json:"charging_profile,omitzero"`
	Extra           jsontext.Value  `json:",embed"`
}

// ChargingProfileResponse is the CPO's immediate answer (OCPI 2.2.1 §
// ChargingProfileResponse Object).
type ChargingProfileResponse struct {
	Result  ChargingProfileResponseType `json:"result,omitzero"`
	Timeout *int                        `json:"timeout,omitzero"` // seconds
	Extra   jsontext.Value              `json:",embed"`
}

// ActiveChargingProfileResult answers a question for the active profile
// (OCPI 2.2.1 § ActiveChargingProfileResult Object).
type ActiveChargingProfileResult struct {
	Result  ChargingProfileResultType `json:"result,omitzero"`
	Profile *ActiveChargingProfile    `json:"profile,omitzero"`
	Extra   jsontext.Value            `json:",embed"`
}

// ChargingProfileResult answers a SetChargingProfile (OCPI 2.2.1 §
// ChargingProfileResult Object).
type ChargingProfileResult struct {
	Result ChargingProfileResultType `json:"result,omitzero"`
	Extra  jsontext.Value            `json:",embed"`
}

// ClearProfileResult answers the removal of a profile (OCPI 2.2.1 §
// ClearProfileResult Object).
type ClearProfileResult struct {
	Result ChargingProfileResultType `json:"result,omitzero"`
	Extra  jsontext.Value            `json:",embed"`
}

// ChargingRateUnit is the unit of a profile's limits (OCPI 2.2.1 §
// ChargingRateUnit).
type ChargingRateUnit string

// The units: power in total, current per phase.
const (
	RateWatt   ChargingRateUnit = "W"
	RateAmpere ChargingRateUnit = "A"
)

// Known reports whether u is one of OCPI 2.2.1.
func (u ChargingRateUnit) Known() bool { return u == RateWatt || u == RateAmpere }

// ChargingProfileResponseType is the verdict of a ChargingProfileResponse
// (OCPI 2.2.1 § ChargingProfileResponseType).
type ChargingProfileResponseType string

// The immediate answers.
const (
	ProfileResponseAccepted       ChargingProfileResponseType = "ACCEPTED"
	ProfileResponseNotSupported   ChargingProfileResponseType = "NOT_SUPPORTED"
	ProfileResponseRejected       ChargingProfileResponseType = "REJECTED"
	ProfileResponseTooOften       ChargingProfileResponseType = "TOO_OFTEN"
	ProfileResponseUnknownSession ChargingProfileResponseType = "UNKNOWN_SESSION"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t ChargingProfileResponseType) Known() bool {
	switch t {
	case ProfileResponseAccepted, ProfileResponseNotSupported, ProfileResponseRejected,
		ProfileResponseTooOften, ProfileResponseUnknownSession:
		return true
	}
	return false
}

// ChargingProfileResultType is the verdict of the charge point (OCPI 2.2.1 §
// ChargingProfileResultType).
type ChargingProfileResultType string

// The results.
const (
	ProfileResultAccepted ChargingProfileResultType = "ACCEPTED"
	ProfileResultRejected ChargingProfileResultType = "REJECTED"
	ProfileResultUnknown  ChargingProfileResultType = "UNKNOWN"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t ChargingProfileResultType) Known() bool {
	switch t {
	case ProfileResultAccepted, ProfileResultRejected, ProfileResultUnknown:
		return true
	}
	return false
}

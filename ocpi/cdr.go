package ocpi

import (
	"cmp"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// CDR is a Charge Detail Record: the final, immutable account of one charging
// session (OCPI 2.2.1 § CDR Object).
type CDR struct {
	CountryCode              CiString            `json:"country_code,omitzero"`
	PartyID                  CiString            `json:"party_id,omitzero"`
	ID                       CiString            `json:"id,omitzero"`
	StartDateTime            time.Time           `json:"start_date_time,omitzero"`
	EndDateTime              time.Time           `json:"end_date_time,omitzero"`
	SessionID                CiString            `json:"session_id,omitzero"`
	CDRToken                 CDRToken            `json:"cdr_token,omitzero"`
	AuthMethod               AuthMethod          `json:"auth_method,omitzero"`
	AuthorizationReference   CiString            `json:"authorization_reference,omitzero"`
	CDRLocation              CDRLocation         `json:"cdr_location,omitzero"`
	MeterID                  string              `json:"meter_id,omitzero"`
	Currency                 string              `json:"currency,omitzero"` // ISO 4217
	Tariffs                  []Tariff            `json:"tariffs,omitzero"`
	ChargingPeriods          []ChargingPeriod    `json:"charging_periods,omitzero"`
	SignedData               *SignedData         `json:"signed_data,omitzero"`
	TotalCost                Price               `json:"total_cost,omitzero"`
	TotalFixedCost           *Price              `json:"total_fixed_cost,omitzero"`
	TotalEnergy              decimal.NullDecimal `json:"total_energy,omitzero"` // kWh
	TotalEnergyCost          *Price              `json:"total_energy_cost,omitzero"`
	TotalTime                decimal.NullDecimal `json:"total_time,omitzero"` // hours, charging and not charging
	TotalTimeCost            *Price              `json:"total_time_cost,omitzero"`
	TotalParkingTime         decimal.NullDecimal `json:"total_parking_time,omitzero"` // hours
	TotalParkingCost         *Price              `json:"total_parking_cost,omitzero"`
	TotalReservationCost     *Price              `json:"total_reservation_cost,omitzero"`
	Remark                   string              `json:"remark,omitzero"`
	InvoiceReferenceID       CiString            `json:"invoice_reference_id,omitzero"`
	Credit                   bool                `json:"credit,omitzero"`
	CreditReferenceID        CiString            `json:"credit_reference_id,omitzero"`
	HomeChargingCompensation bool                `json:"home_charging_compensation,omitzero"`
	LastUpdated              time.Time           `json:"last_updated,omitzero"`
	Extra                    jsontext.Value      `json:",embed"`
}

// Party returns the CPO that owns the CDR.
func (c *CDR) Party() Party { return Party{c.CountryCode, c.PartyID} }

// Times returns when the session began and ended. Where the CDR says that it
// does not know (TYP-07), the first and the last charging period tell as much
// as there is; without any, the other end does, or the CDR's own date.
func (c *CDR) Times() (start, end time.Time) {
	var first, last time.Time
	for i := range c.ChargingPeriods {
		at := c.ChargingPeriods[i].StartDateTime
		if first.IsZero() || !at.IsZero() && at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	start, end = c.StartDateTime, c.EndDateTime
	if IsUnknownTime(start) {
		start = first
	}
	if IsUnknownTime(end) {
		end = last
	}
	start = cmp.Or(start, end, c.LastUpdated)
	return start, cmp.Or(end, start)
}

// CDRToken is the token that a session was charged with, frozen (OCPI 2.2.1 §
// CdrToken).
type CDRToken struct {
	CountryCode CiString       `json:"country_code,omitzero"`
	PartyID     CiString       `json:"party_id,omitzero"`
	UID         CiString       `json:"uid,omitzero"`
	Type        TokenType      `json:"type,omitzero"`
	ContractID  CiString       `json:"contract_id,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// Party returns the eMSP that the token belongs to.
func (t *CDRToken) Party() Party { return Party{t.CountryCode, t.PartyID} }

// CDRLocation is the charge point of a CDR, frozen (OCPI 2.2.1 §
// CdrLocation). It has no time zone; prices by the clock need the Location's.
type CDRLocation struct {
	ID                 CiString        `json:"id,omitzero"`
	Name               string          `json:"name,omitzero"`
	Address            string          `json:"address,omitzero"`
	City               string          `json:"city,omitzero"`
	PostalCode         string          `json:"postal_code,omitzero"`
	State              string          `json:"state,omitzero"`
	Country            string          `json:"country,omitzero"` // ISO 3166-1 alpha-3
	Coordinates        GeoLocation     `json:"coordinates,omitzero"`
	EVSEUID            CiString        `json:"evse_uid,omitzero"`
	EVSEID             CiString        `json:"evse_id,omitzero"`
	ConnectorID        CiString        `json:"connector_id,omitzero"`
	ConnectorStandard  ConnectorType   `json:"connector_standard,omitzero"`
	ConnectorFormat    ConnectorFormat `json:"connector_format,omitzero"`
	ConnectorPowerType PowerType       `json:"connector_power_type,omitzero"`
	Extra              jsontext.Value  `json:",embed"`
}

// ChargingPeriod is a stretch of a session in which one price applies; it
// ends where the next one starts (OCPI 2.2.1 § ChargingPeriod).
type ChargingPeriod struct {
	StartDateTime time.Time      `json:"start_date_time,omitzero"`
	Dimensions    []CDRDimension `json:"dimensions,omitzero"`
	TariffID      CiString       `json:"tariff_id,omitzero"`
	Extra         jsontext.Value `json:",embed"`
}

// CDRDimension is one measured quantity of a charging period: kWh for energy,
// hours for times, ampere for currents, kW for powers, percent for the state
// of charge (OCPI 2.2.1 § CdrDimension).
type CDRDimension struct {
	Type   CDRDimensionType    `json:"type,omitzero"`
	Volume decimal.NullDecimal `json:"volume,omitzero"`
	Extra  jsontext.Value      `json:",embed"`
}

// SignedData is the calibrated meter's own account, byte for byte as signed
// (OCPI 2.2.1 § SignedData).
type SignedData struct {
	EncodingMethod        CiString       `json:"encoding_method,omitzero"`
	EncodingMethodVersion *int           `json:"encoding_method_version,omitzero"`
	PublicKey             string         `json:"public_key,omitzero"` // base64
	SignedValues          []SignedValue  `json:"signed_values,omitzero"`
	URL                   string         `json:"url,omitzero"`
	Extra                 jsontext.Value `json:",embed"`
}

// SignedValue is one signed meter reading (OCPI 2.2.1 § SignedValue).
type SignedValue struct {
	Nature     CiString       `json:"nature,omitzero"` // Start, End or Intermediate
	PlainData  string         `json:"plain_data,omitzero"`
	SignedData string         `json:"signed_data,omitzero"` // base64
	Extra      jsontext.Value `json:",embed"`
}

// AuthMethod tells how a session was authorized (OCPI 2.2.1 § AuthMethod).
type AuthMethod string

// The authorization methods.
const (
	AuthRequest   AuthMethod = "AUTH_REQUEST"
	AuthCommand   AuthMethod = "COMMAND"
	AuthWhitelist AuthMethod = "WHITELIST"
)

// Known reports whether m is one of OCPI 2.2.1.
func (m AuthMethod) Known() bool {
	switch m {
	case AuthRequest, AuthCommand, AuthWhitelist:
		return true
	}
	return false
}

// CDRDimensionType names what a CDRDimension measures (OCPI 2.2.1 §
// CdrDimensionType).
type CDRDimensionType string

// The dimensions. Current, EnergyExport, EnergyImport, Power and
// StateOfCharge are for sessions only and have no place in a CDR.
const (
	DimensionCurrent         CDRDimensionType = "CURRENT"
	DimensionEnergy          CDRDimensionType = "ENERGY"
	DimensionEnergyExport    CDRDimensionType = "ENERGY_EXPORT"
	DimensionEnergyImport    CDRDimensionType = "ENERGY_IMPORT"
	DimensionMaxCurrent      CDRDimensionType = "MAX_CURRENT"
	DimensionMinCurrent      CDRDimensionType = "MIN_CURRENT"
	DimensionMaxPower        CDRDimensionType = "MAX_POWER"
	DimensionMinPower        CDRDimensionType = "MIN_POWER"
	DimensionParkingTime     CDRDimensionType = "PARKING_TIME"
	DimensionPower           CDRDimensionType = "POWER"
	DimensionReservationTime CDRDimensionType = "RESERVATION_TIME"
	DimensionStateOfCharge   CDRDimensionType = "STATE_OF_CHARGE"
	DimensionTime            CDRDimensionType = "TIME"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t CDRDimensionType) Known() bool {
	switch t {
	case DimensionEnergy, DimensionMaxCurrent, DimensionMinCurrent, DimensionMaxPower,
		DimensionMinPower, DimensionParkingTime, DimensionReservationTime, DimensionTime:
		return true
	}
	return t.SessionOnly()
}

// SessionOnly reports whether t may stand in a Session but not in a CDR.
func (t CDRDimensionType) SessionOnly() bool {
	switch t {
	case DimensionCurrent, DimensionEnergyExport, DimensionEnergyImport, DimensionPower,
		DimensionStateOfCharge:
		return true
	}
	return false
}

package ocpi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// Location is a place with EVSEs at one address (OCPI 2.2.1 § Location
// Object).
type Location struct {
	CountryCode        CiString                `json:"country_code,omitzero"`
	PartyID            CiString                `json:"party_id,omitzero"`
	ID                 CiString                `json:"id,omitzero"`
	Publish            *bool                   `json:"publish,omitzero"`
	PublishAllowedTo   []PublishTokenType      `json:"publish_allowed_to,omitzero"`
	Name               string                  `json:"name,omitzero"`
	Address            string                  `json:"address,omitzero"`
	City               string                  `json:"city,omitzero"`
	PostalCode         string                  `json:"postal_code,omitzero"`
	State              string                  `json:"state,omitzero"`
	Country            string                  `json:"country,omitzero"` // ISO 3166-1 alpha-3
	Coordinates        GeoLocation             `json:"coordinates,omitzero"`
	RelatedLocations   []AdditionalGeoLocation `json:"related_locations,omitzero"`
	ParkingType        ParkingType             `json:"parking_type,omitzero"`
	EVSEs              []EVSE                  `json:"evses,omitzero"`
	Directions         []DisplayText           `json:"directions,omitzero"`
	Operator           *BusinessDetails        `json:"operator,omitzero"`
	Suboperator        *BusinessDetails        `json:"suboperator,omitzero"`
	Owner              *BusinessDetails        `json:"owner,omitzero"`
	Facilities         []Facility              `json:"facilities,omitzero"`
	TimeZone           string                  `json:"time_zone,omitzero"` // IANA tzdata
	OpeningTimes       *Hours                  `json:"opening_times,omitzero"`
	ChargingWhenClosed *bool                   `json:"charging_when_closed,omitzero"` // absent: true
	Images             []Image                 `json:"images,omitzero"`
	EnergyMix          *EnergyMix              `json:"energy_mix,omitzero"`
	LastUpdated        time.Time               `json:"last_updated,omitzero"`
	Extra              jsontext.Value          `json:",embed"`
}

// Party returns the CPO that owns the Location.
func (l *Location) Party() Party { return Party{l.CountryCode, l.PartyID} }

// EVSE returns the EVSE with the uid, or nil.
func (l *Location) EVSE(uid CiString) *EVSE {
	for i := range l.EVSEs {
		if l.EVSEs[i].UID.Equal(uid) {
			return &l.EVSEs[i]
		}
	}
	return nil
}

// EVSE charges one car at a time; it is matched by UID, never by EVSEID (OCPI
// 2.2.1 § EVSE Object).
type EVSE struct {
	UID                 CiString             `json:"uid,omitzero"`
	EVSEID              CiString             `json:"evse_id,omitzero"`
	Status              Status               `json:"status,omitzero"`
	StatusSchedule      []StatusSchedule     `json:"status_schedule,omitzero"`
	Capabilities        []Capability         `json:"capabilities,omitzero"`
	Connectors          []Connector          `json:"connectors,omitzero"`
	FloorLevel          string               `json:"floor_level,omitzero"`
	Coordinates         *GeoLocation         `json:"coordinates,omitzero"`
	PhysicalReference   string               `json:"physical_reference,omitzero"`
	Directions          []DisplayText        `json:"directions,omitzero"`
	ParkingRestrictions []ParkingRestriction `json:"parking_restrictions,omitzero"`
	Images              []Image              `json:"images,omitzero"`
	LastUpdated         time.Time            `json:"last_updated,omitzero"`
	Extra               jsontext.Value       `json:",embed"`
}

// Connector returns the connector with the id, or nil.
func (e *EVSE) Connector(id CiString) *Connector {
	for i := range e.Connectors {
		if e.Connectors[i].ID.Equal(id) {
			return &e.Connectors[i]
		}
	}
	return nil
}

// Connector is a socket or cable of an EVSE; only one of them is in use at a
// time (OCPI 2.2.1 § Connector Object).
type Connector struct {
	ID                 CiString        `json:"id,omitzero"`
	Standard           ConnectorType   `json:"standard,omitzero"`
	Format             ConnectorFormat `json:"format,omitzero"`
	PowerType          PowerType       `json:"power_type,omitzero"`
	MaxVoltage         *int            `json:"max_voltage,omitzero"`        // V, line to neutral
	MaxAmperage        *int            `json:"max_amperage,omitzero"`       // A
	MaxElectricPower   *int            `json:"max_electric_power,omitzero"` // W
	TariffIDs          []CiString      `json:"tariff_ids,omitzero"`
	TermsAndConditions string          `json:"terms_and_conditions,omitzero"`
	LastUpdated        time.Time       `json:"last_updated,omitzero"`
	Extra              jsontext.Value  `json:",embed"`
}

// GeoLocation is a point on earth, WGS 84, in decimal degrees as text (OCPI
// 2.2.1 § GeoLocation).
type GeoLocation struct {
	Latitude  string         `json:"latitude,omitzero"`
	Longitude string         `json:"longitude,omitzero"`
	Extra     jsontext.Value `json:",embed"`
}

// AdditionalGeoLocation is a point of interest near a Location, such as its
// entrance (OCPI 2.2.1 § AdditionalGeoLocation).
type AdditionalGeoLocation struct {
	Latitude  string         `json:"latitude,omitzero"`
	Longitude string         `json:"longitude,omitzero"`
	Name      *DisplayText   `json:"name,omitzero"`
	Extra     jsontext.Value `json:",embed"`
}

// BusinessDetails is how a company presents itself (OCPI 2.2.1 §
// BusinessDetails).
type BusinessDetails struct {
	Name    string         `json:"name,omitzero"`
	Website string         `json:"website,omitzero"`
	Logo    *Image         `json:"logo,omitzero"`
	Extra   jsontext.Value `json:",embed"`
}

// Image is a reference to a picture (OCPI 2.2.1 § Image).
type Image struct {
	URL       string         `json:"url,omitzero"`
	Thumbnail string         `json:"thumbnail,omitzero"`
	Category  ImageCategory  `json:"category,omitzero"`
	Type      CiString       `json:"type,omitzero"` // gif, jpeg, png, svg
	Width     *int           `json:"width,omitzero"`
	Height    *int           `json:"height,omitzero"`
	Extra     jsontext.Value `json:",embed"`
}

// EnergyMix tells where the energy comes from (OCPI 2.2.1 § EnergyMix).
type EnergyMix struct {
	IsGreenEnergy     *bool                 `json:"is_green_energy,omitzero"`
	EnergySources     []EnergySource        `json:"energy_sources,omitzero"`
	EnvironImpact     []EnvironmentalImpact `json:"environ_impact,omitzero"`
	SupplierName      string                `json:"supplier_name,omitzero"`
	EnergyProductName string                `json:"energy_product_name,omitzero"`
	Extra             jsontext.Value        `json:",embed"`
}

// EnergySource is the share of one source in percent (OCPI 2.2.1 §
// EnergySource).
type EnergySource struct {
	Source     EnergySourceCategory `json:"source,omitzero"`
	Percentage decimal.NullDecimal  `json:"percentage,omitzero"`
	Extra      jsontext.Value       `json:",embed"`
}

// EnvironmentalImpact is an emission in g/kWh (OCPI 2.2.1 §
// EnvironmentalImpact).
type EnvironmentalImpact struct {
	Category EnvironmentalImpactCategory `json:"category,omitzero"`
	Amount   decimal.NullDecimal         `json:"amount,omitzero"`
	Extra    jsontext.Value              `json:",embed"`
}

// Hours are the opening times of a Location (OCPI 2.2.1 § Hours). Closings
// override everything; openings add to the regular hours.
type Hours struct {
	Twentyfourseven     *bool               `json:"twentyfourseven,omitzero"`
	RegularHours        []RegularHours      `json:"regular_hours,omitzero"`
	ExceptionalOpenings []ExceptionalPeriod `json:"exceptional_openings,omitzero"`
	ExceptionalClosings []ExceptionalPeriod `json:"exceptional_closings,omitzero"`
	Extra               jsontext.Value      `json:",embed"`
}

// RegularHours are hours on a day of the week, local time (OCPI 2.2.1 §
// RegularHours). An end of 00:00 is the end of the day.
type RegularHours struct {
	Weekday     *int           `json:"weekday,omitzero"`      // 1 Monday … 7 Sunday
	PeriodBegin string         `json:"period_begin,omitzero"` // hh:mm
	PeriodEnd   string         `json:"period_end,omitzero"`   // hh:mm
	Extra       jsontext.Value `json:",embed"`
}

// ExceptionalPeriod is an exception to the regular hours (OCPI 2.2.1 §
// ExceptionalPeriod).
type ExceptionalPeriod struct {
	PeriodBegin time.Time      `json:"period_begin,omitzero"`
	PeriodEnd   time.Time      `json:"period_end,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// StatusSchedule announces a status, for information only (OCPI 2.2.1 §
// StatusSchedule).
type StatusSchedule struct {
	PeriodBegin time.Time      `json:"period_begin,omitzero"`
	PeriodEnd   time.Time      `json:"period_end,omitzero"`
	Status      Status         `json:"status,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// PublishTokenType names tokens whose holders may see an unpublished Location
// (OCPI 2.2.1 § PublishTokenType). All fields that are set must match.
type PublishTokenType struct {
	UID          CiString       `json:"uid,omitzero"`
	Type         TokenType      `json:"type,omitzero"`
	VisualNumber string         `json:"visual_number,omitzero"`
	Issuer       string         `json:"issuer,omitzero"`
	GroupID      CiString       `json:"group_id,omitzero"`
	Extra        jsontext.Value `json:",embed"`
}

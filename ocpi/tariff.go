package ocpi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// Tariff is a price list for charging, excluding VAT (OCPI 2.2.1 § Tariff
// Object). Of all elements that match at a moment the first that prices a
// dimension counts.
type Tariff struct {
	CountryCode   CiString        `json:"country_code,omitzero"`
	PartyID       CiString        `json:"party_id,omitzero"`
	ID            CiString        `json:"id,omitzero"`
	Currency      string          `json:"currency,omitzero"` // ISO 4217
	Type          TariffType      `json:"type,omitzero"`     // absent: for every session
	TariffAltText []DisplayText   `json:"tariff_alt_text,omitzero"`
	TariffAltURL  string          `json:"tariff_alt_url,omitzero"`
	MinPrice      *Price          `json:"min_price,omitzero"`
	MaxPrice      *Price          `json:"max_price,omitzero"`
	Elements      []TariffElement `json:"elements,omitzero"`
	StartDateTime time.Time       `json:"start_date_time,omitzero"`
	EndDateTime   time.Time       `json:"end_date_time,omitzero"`
	EnergyMix     *EnergyMix      `json:"energy_mix,omitzero"`
	LastUpdated   time.Time       `json:"last_updated,omitzero"`
	Extra         jsontext.Value  `json:",embed"`
}

// Party returns the CPO that owns the tariff.
func (t *Tariff) Party() Party { return Party{t.CountryCode, t.PartyID} }

// TariffElement is a group of prices with the circumstances in which they
// hold (OCPI 2.2.1 § TariffElement).
type TariffElement struct {
	PriceComponents []PriceComponent    `json:"price_components,omitzero"`
	Restrictions    *TariffRestrictions `json:"restrictions,omitzero"`
	Extra           jsontext.Value      `json:",embed"`
}

// PriceComponent is the price of one dimension: per kWh, per hour or flat,
// excluding VAT (OCPI 2.2.1 § PriceComponent).
type PriceComponent struct {
	Type     TariffDimensionType `json:"type,omitzero"`
	Price    decimal.NullDecimal `json:"price,omitzero"`
	VAT      decimal.NullDecimal `json:"vat,omitzero"`       // percent; absent: no VAT applicable
	StepSize *int                `json:"step_size,omitzero"` // Wh or seconds; 0 counts as 1
	Extra    jsontext.Value      `json:",embed"`
}

// TariffRestrictions are the circumstances in which a TariffElement holds;
// all that are set must be met (OCPI 2.2.1 § TariffRestrictions). Times and
// dates are local to the Location.
type TariffRestrictions struct {
	StartTime   string                     `json:"start_time,omitzero"` // hh:mm
	EndTime     string                     `json:"end_time,omitzero"`   // hh:mm
	StartDate   string                     `json:"start_date,omitzero"` // yyyy-mm-dd, inclusive
	EndDate     string                     `json:"end_date,omitzero"`   // yyyy-mm-dd, exclusive
	MinKWh      decimal.NullDecimal        `json:"min_kwh,omitzero"`
	MaxKWh      decimal.NullDecimal        `json:"max_kwh,omitzero"`
	MinCurrent  decimal.NullDecimal        `json:"min_current,omitzero"` // A, all phases
	MaxCurrent  decimal.NullDecimal        `json:"max_current,omitzero"` // A, all phases
	MinPower    decimal.NullDecimal        `json:"min_power,omitzero"`   // kW
	MaxPower    decimal.NullDecimal        `json:"max_power,omitzero"`   // kW
	MinDuration *int                       `json:"min_duration,omitzero"`
	MaxDuration *int                       `json:"max_duration,omitzero"`
	DayOfWeek   []DayOfWeek                `json:"day_of_week,omitzero"`
	Reservation ReservationRestrictionType `json:"reservation,omitzero"`
	Extra       jsontext.Value             `json:",embed"`
}

// TariffType tells which sessions a Tariff is for (OCPI 2.2.1 § TariffType).
type TariffType string

// The tariff types.
const (
	TariffAdHocPayment TariffType = "AD_HOC_PAYMENT"
	TariffProfileCheap TariffType = "PROFILE_CHEAP"
	TariffProfileFast  TariffType = "PROFILE_FAST"
	TariffProfileGreen TariffType = "PROFILE_GREEN"
	TariffRegular      TariffType = "REGULAR"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t TariffType) Known() bool {
	switch t {
	case TariffAdHocPayment, TariffProfileCheap, TariffProfileFast, TariffProfileGreen, TariffRegular:
		return true
	}
	return false
}

// TariffDimensionType is what a PriceComponent prices (OCPI 2.2.1 §
// TariffDimensionType).
type TariffDimensionType string

// The priced dimensions.
const (
	ComponentEnergy      TariffDimensionType = "ENERGY"       // per kWh
	ComponentFlat        TariffDimensionType = "FLAT"         // once
	ComponentParkingTime TariffDimensionType = "PARKING_TIME" // per hour
	ComponentTime        TariffDimensionType = "TIME"         // per hour
)

// Known reports whether t is one of OCPI 2.2.1.
func (t TariffDimensionType) Known() bool {
	switch t {
	case ComponentEnergy, ComponentFlat, ComponentParkingTime, ComponentTime:
		return true
	}
	return false
}

// DayOfWeek is a day of the week at the Location (OCPI 2.2.1 § DayOfWeek).
type DayOfWeek string

// The days.
const (
	Monday    DayOfWeek = "MONDAY"
	Tuesday   DayOfWeek = "TUESDAY"
	Wednesday DayOfWeek = "WEDNESDAY"
	Thursday  DayOfWeek = "THURSDAY"
	Friday    DayOfWeek = "FRIDAY"
	Saturday  DayOfWeek = "SATURDAY"
	Sunday    DayOfWeek = "SUNDAY"
)

// Known reports whether d is one of OCPI 2.2.1.
func (d DayOfWeek) Known() bool {
	switch d {
	case Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday:
		return true
	}
	return false
}

// ReservationRestrictionType limits a TariffElement to reservations (OCPI
// 2.2.1 § ReservationRestrictionType).
type ReservationRestrictionType string

// The reservation restrictions.
const (
	ReservationActive  ReservationRestrictionType = "RESERVATION"
	ReservationExpires ReservationRestrictionType = "RESERVATION_EXPIRES"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t ReservationRestrictionType) Known() bool {
	return t == ReservationActive || t == ReservationExpires
}

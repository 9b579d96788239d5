package ocpi

// Status is the state of an EVSE (OCPI 2.2.1 § Status).
type Status string

// The EVSE states.
const (
	EVSEAvailable   Status = "AVAILABLE"
	EVSEBlocked     Status = "BLOCKED"
	EVSECharging    Status = "CHARGING"
	EVSEInoperative Status = "INOPERATIVE"
	EVSEOutOfOrder  Status = "OUTOFORDER"
	EVSEPlanned     Status = "PLANNED"
	EVSERemoved     Status = "REMOVED"
	EVSEReserved    Status = "RESERVED"
	EVSEUnknown     Status = "UNKNOWN"
)

// Known reports whether s is one of OCPI 2.2.1.
func (s Status) Known() bool {
	switch s {
	case EVSEAvailable, EVSEBlocked, EVSECharging, EVSEInoperative, EVSEOutOfOrder, EVSEPlanned,
		EVSERemoved, EVSEReserved, EVSEUnknown:
		return true
	}
	return false
}

// Capability is something that an EVSE can do (OCPI 2.2.1 § Capability).
type Capability string

// The capabilities.
const (
	CapabilityChargingProfile               Capability = "CHARGING_PROFILE_CAPABLE"
	CapabilityChargingPreferences           Capability = "CHARGING_PREFERENCES_CAPABLE"
	CapabilityChipCard                      Capability = "CHIP_CARD_SUPPORT"
	CapabilityContactlessCard               Capability = "CONTACTLESS_CARD_SUPPORT"
	CapabilityCreditCard                    Capability = "CREDIT_CARD_PAYABLE"
	CapabilityDebitCard                     Capability = "DEBIT_CARD_PAYABLE"
	CapabilityPEDTerminal                   Capability = "PED_TERMINAL"
	CapabilityRemoteStartStop               Capability = "REMOTE_START_STOP_CAPABLE"
	CapabilityReservable                    Capability = "RESERVABLE"
	CapabilityRFIDReader                    Capability = "RFID_READER"
	CapabilityStartSessionConnectorRequired Capability = "START_SESSION_CONNECTOR_REQUIRED"
	CapabilityTokenGroup                    Capability = "TOKEN_GROUP_CAPABLE"
	CapabilityUnlock                        Capability = "UNLOCK_CAPABLE"
)

// Known reports whether c is one of OCPI 2.2.1.
func (c Capability) Known() bool {
	switch c {
	case CapabilityChargingProfile, CapabilityChargingPreferences, CapabilityChipCard,
		CapabilityContactlessCard, CapabilityCreditCard, CapabilityDebitCard,
		CapabilityPEDTerminal, CapabilityRemoteStartStop, CapabilityReservable,
		CapabilityRFIDReader, CapabilityStartSessionConnectorRequired, CapabilityTokenGroup,
		CapabilityUnlock:
		return true
	}
	return false
}

// ConnectorFormat tells socket from cable (OCPI 2.2.1 § ConnectorFormat).
type ConnectorFormat string

// The connector formats.
const (
	FormatSocket ConnectorFormat = "SOCKET"
	FormatCable  ConnectorFormat = "CABLE"
)

// Known reports whether f is one of OCPI 2.2.1.
func (f ConnectorFormat) Known() bool { return f == FormatSocket || f == FormatCable }

// ConnectorType is the standard of a connector (OCPI 2.2.1 § ConnectorType).
type ConnectorType string

// The connector types.
const (
	ConnectorChademo           ConnectorType = "CHADEMO"
	ConnectorChaoji            ConnectorType = "CHAOJI"
	ConnectorDomesticA         ConnectorType = "DOMESTIC_A"
	ConnectorDomesticB         ConnectorType = "DOMESTIC_B"
	ConnectorDomesticC         ConnectorType = "DOMESTIC_C"
	ConnectorDomesticD         ConnectorType = "DOMESTIC_D"
	ConnectorDomesticE         ConnectorType = "DOMESTIC_E"
	ConnectorDomesticF         ConnectorType = "DOMESTIC_F" // Schuko
	ConnectorDomesticG         ConnectorType = "DOMESTIC_G"
	ConnectorDomesticH         ConnectorType = "DOMESTIC_H"
	ConnectorDomesticI         ConnectorType = "DOMESTIC_I"
	ConnectorDomesticJ         ConnectorType = "DOMESTIC_J"
	ConnectorDomesticK         ConnectorType = "DOMESTIC_K"
	ConnectorDomesticL         ConnectorType = "DOMESTIC_L"
	ConnectorDomesticM         ConnectorType = "DOMESTIC_M"
	ConnectorDomesticN         ConnectorType = "DOMESTIC_N"
	ConnectorDomesticO         ConnectorType = "DOMESTIC_O"
	ConnectorGBTAC             ConnectorType = "GBT_AC"
	ConnectorGBTDC             ConnectorType = "GBT_DC"
	ConnectorIEC60309Single16  ConnectorType = "IEC_60309_2_single_16"
	ConnectorIEC60309Three16   ConnectorType = "IEC_60309_2_three_16"
	ConnectorIEC60309Three32   ConnectorType = "IEC_60309_2_three_32"
	ConnectorIEC60309Three64   ConnectorType = "IEC_60309_2_three_64"
	ConnectorIEC62196T1        ConnectorType = "IEC_62196_T1"
	ConnectorIEC62196T1Combo   ConnectorType = "IEC_62196_T1_COMBO"
	ConnectorIEC62196T2        ConnectorType = "IEC_62196_T2"
	ConnectorIEC62196T2Combo   ConnectorType = "IEC_62196_T2_COMBO"
	ConnectorIEC62196T3A       ConnectorType = "IEC_62196_T3A"
	ConnectorIEC62196T3C       ConnectorType = "IEC_62196_T3C"
	ConnectorNEMA520           ConnectorType = "NEMA_5_20"
	ConnectorNEMA630           ConnectorType = "NEMA_6_30"
	ConnectorNEMA650           ConnectorType = "NEMA_6_50"
	ConnectorNEMA1030          ConnectorType = "NEMA_10_30"
	ConnectorNEMA1050          ConnectorType = "NEMA_10_50"
	ConnectorNEMA1430          ConnectorType = "NEMA_14_30"
	ConnectorNEMA1450          ConnectorType = "NEMA_14_50"
	ConnectorPantographBottom  ConnectorType = "PANTOGRAPH_BOTTOM_UP"
	ConnectorPantographTopDown ConnectorType = "PANTOGRAPH_TOP_DOWN"
	ConnectorTeslaR            ConnectorType = "TESLA_R"
	ConnectorTeslaS            ConnectorType = "TESLA_S"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t ConnectorType) Known() bool {
	switch t {
	case ConnectorChademo, ConnectorChaoji,
		ConnectorDomesticA, ConnectorDomesticB, ConnectorDomesticC, ConnectorDomesticD,
		ConnectorDomesticE, ConnectorDomesticF, ConnectorDomesticG, ConnectorDomesticH,
		ConnectorDomesticI, ConnectorDomesticJ, ConnectorDomesticK, ConnectorDomesticL,
		ConnectorDomesticM, ConnectorDomesticN, ConnectorDomesticO,
		ConnectorGBTAC, ConnectorGBTDC,
		ConnectorIEC60309Single16, ConnectorIEC60309Three16, ConnectorIEC60309Three32,
		ConnectorIEC60309Three64,
		ConnectorIEC62196T1, ConnectorIEC62196T1Combo, ConnectorIEC62196T2,
		ConnectorIEC62196T2Combo, ConnectorIEC62196T3A, ConnectorIEC62196T3C,
		ConnectorNEMA520, ConnectorNEMA630, ConnectorNEMA650, ConnectorNEMA1030,
		ConnectorNEMA1050, ConnectorNEMA1430, ConnectorNEMA1450,
		ConnectorPantographBottom, ConnectorPantographTopDown,
		ConnectorTeslaR, ConnectorTeslaS:
		return true
	}
	return false
}

// PowerType is the kind of current of a connector (OCPI 2.2.1 § PowerType).
type PowerType string

// The power types.
const (
	PowerAC1Phase      PowerType = "AC_1_PHASE"
	PowerAC2Phase      PowerType = "AC_2_PHASE"
	PowerAC2PhaseSplit PowerType = "AC_2_PHASE_SPLIT"
	PowerAC3Phase      PowerType = "AC_3_PHASE"
	PowerDC            PowerType = "DC"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t PowerType) Known() bool {
	switch t {
	case PowerAC1Phase, PowerAC2Phase, PowerAC2PhaseSplit, PowerAC3Phase, PowerDC:
		return true
	}
	return false
}

// ParkingType is the kind of place a Location is (OCPI 2.2.1 § ParkingType).
type ParkingType string

// The parking types.
const (
	ParkingAlongMotorway     ParkingType = "ALONG_MOTORWAY"
	ParkingGarage            ParkingType = "PARKING_GARAGE"
	ParkingLot               ParkingType = "PARKING_LOT"
	ParkingOnDriveway        ParkingType = "ON_DRIVEWAY"
	ParkingOnStreet          ParkingType = "ON_STREET"
	ParkingUndergroundGarage ParkingType = "UNDERGROUND_GARAGE"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t ParkingType) Known() bool {
	switch t {
	case ParkingAlongMotorway, ParkingGarage, ParkingLot, ParkingOnDriveway, ParkingOnStreet,
		ParkingUndergroundGarage:
		return true
	}
	return false
}

// ParkingRestriction limits who may park at an EVSE (OCPI 2.2.1 §
// ParkingRestriction).
type ParkingRestriction string

// The parking restrictions.
const (
	RestrictionEVOnly      ParkingRestriction = "EV_ONLY"
	RestrictionPlugged     ParkingRestriction = "PLUGGED"
	RestrictionDisabled    ParkingRestriction = "DISABLED"
	RestrictionCustomers   ParkingRestriction = "CUSTOMERS"
	RestrictionMotorcycles ParkingRestriction = "MOTORCYCLES"
)

// Known reports whether r is one of OCPI 2.2.1.
func (r ParkingRestriction) Known() bool {
	switch r {
	case RestrictionEVOnly, RestrictionPlugged, RestrictionDisabled, RestrictionCustomers,
		RestrictionMotorcycles:
		return true
	}
	return false
}

// Facility is what a driver finds next to a Location (OCPI 2.2.1 § Facility).
type Facility string

// The facilities.
const (
	FacilityHotel          Facility = "HOTEL"
	FacilityRestaurant     Facility = "RESTAURANT"
	FacilityCafe           Facility = "CAFE"
	FacilityMall           Facility = "MALL"
	FacilitySupermarket    Facility = "SUPERMARKET"
	FacilitySport          Facility = "SPORT"
	FacilityRecreationArea Facility = "RECREATION_AREA"
	FacilityNature         Facility = "NATURE"
	FacilityMuseum         Facility = "MUSEUM"
	FacilityBikeSharing    Facility = "BIKE_SHARING"
	FacilityBusStop        Facility = "BUS_STOP"
	FacilityTaxiStand      Facility = "TAXI_STAND"
	FacilityTramStop       Facility = "TRAM_STOP"
	FacilityMetroStation   Facility = "METRO_STATION"
	FacilityTrainStation   Facility = "TRAIN_STATION"
	FacilityAirport        Facility = "AIRPORT"
	FacilityParkingLot     Facility = "PARKING_LOT"
	FacilityCarpoolParking Facility = "CARPOOL_PARKING"
	FacilityFuelStation    Facility = "FUEL_STATION"
	FacilityWifi           Facility = "WIFI"
)

// Known reports whether f is one of OCPI 2.2.1.
func (f Facility) Known() bool {
	switch f {
	case FacilityHotel, FacilityRestaurant, FacilityCafe, FacilityMall, FacilitySupermarket,
		FacilitySport, FacilityRecreationArea, FacilityNature, FacilityMuseum,
		FacilityBikeSharing, FacilityBusStop, FacilityTaxiStand, FacilityTramStop,
		FacilityMetroStation, FacilityTrainStation, FacilityAirport, FacilityParkingLot,
		FacilityCarpoolParking, FacilityFuelStation, FacilityWifi:
		return true
	}
	return false
}

// ImageCategory is what an Image shows (OCPI 2.2.1 § ImageCategory).
type ImageCategory string

// The image categories.
const (
	ImageCharger  ImageCategory = "CHARGER"
	ImageEntrance ImageCategory = "ENTRANCE"
	ImageLocation ImageCategory = "LOCATION"
	ImageNetwork  ImageCategory = "NETWORK"
	ImageOperator ImageCategory = "OPERATOR"
	ImageOther    ImageCategory = "OTHER"
	ImageOwner    ImageCategory = "OWNER"
)

// Known reports whether c is one of OCPI 2.2.1.
func (c ImageCategory) Known() bool {
	switch c {
	case ImageCharger, ImageEntrance, ImageLocation, ImageNetwork, ImageOperator, ImageOther,
		ImageOwner:
		return true
	}
	return false
}

// EnergySourceCategory is a kind of generation (OCPI 2.2.1 §
// EnergySourceCategory).
type EnergySourceCategory string

// The energy sources.
const (
	SourceNuclear       EnergySourceCategory = "NUCLEAR"
	SourceGeneralFossil EnergySourceCategory = "GENERAL_FOSSIL"
	SourceCoal          EnergySourceCategory = "COAL"
	SourceGas           EnergySourceCategory = "GAS"
	SourceGeneralGreen  EnergySourceCategory = "GENERAL_GREEN"
	SourceSolar         EnergySourceCategory = "SOLAR"
	SourceWind          EnergySourceCategory = "WIND"
	SourceWater         EnergySourceCategory = "WATER"
)

// Known reports whether c is one of OCPI 2.2.1.
func (c EnergySourceCategory) Known() bool {
	switch c {
	case SourceNuclear, SourceGeneralFossil, SourceCoal, SourceGas, SourceGeneralGreen,
		SourceSolar, SourceWind, SourceWater:
		return true
	}
	return false
}

// EnvironmentalImpactCategory is a kind of emission (OCPI 2.2.1 §
// EnvironmentalImpactCategory).
type EnvironmentalImpactCategory string

// The emissions.
const (
	ImpactNuclearWaste  EnvironmentalImpactCategory = "NUCLEAR_WASTE"
	ImpactCarbonDioxide EnvironmentalImpactCategory = "CARBON_DIOXIDE"
)

// Known reports whether c is one of OCPI 2.2.1.
func (c EnvironmentalImpactCategory) Known() bool {
	return c == ImpactNuclearWaste || c == ImpactCarbonDioxide
}

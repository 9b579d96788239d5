package ocpitest

import (
	"fmt"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Kind is a kind of charging point.
type Kind int

// The kinds.
const (
	AC11 Kind = iota
	AC22
	DC50
	DC150
	DC300
)

// kinds is what each Kind means on the wire.
var kinds = [...]struct {
	watts    int64
	standard ocpi.ConnectorType
	format   ocpi.ConnectorFormat
	power    ocpi.PowerType
	volts    int
	amperes  int
	price    int // which of the CPO's prices
}{
	AC11:  {11_000, ocpi.ConnectorIEC62196T2, ocpi.FormatSocket, ocpi.PowerAC3Phase, 230, 16, 0},
	AC22:  {22_000, ocpi.ConnectorIEC62196T2, ocpi.FormatSocket, ocpi.PowerAC3Phase, 230, 32, 0},
	DC50:  {50_000, ocpi.ConnectorIEC62196T2Combo, ocpi.FormatCable, ocpi.PowerDC, 500, 125, 1},
	DC150: {150_000, ocpi.ConnectorIEC62196T2Combo, ocpi.FormatCable, ocpi.PowerDC, 920, 350, 2},
	DC300: {300_000, ocpi.ConnectorIEC62196T2Combo, ocpi.FormatCable, ocpi.PowerDC, 920, 500, 2},
}

// Power is the most that the point gives, in W.
func (k Kind) Power() int64 { return kinds[k].watts }

// Direct reports whether it is direct current.
func (k Kind) Direct() bool { return kinds[k].power == ocpi.PowerDC }

// places are where the Locations of the simulation stand.
var places = []struct {
	name, street, postalCode, city, latitude, longitude string
	parking                                             ocpi.ParkingType
	kinds                                               []Kind
}{
	{"Rathausplatz", "Rathausplatz 3", "49074", "Osnabrück", "52.277860", "8.041320", ocpi.ParkingOnStreet, []Kind{AC22, AC22}},
	{"Autohof Lohne", "Am Autohof 1", "49393", "Lohne", "52.667130", "8.152840", ocpi.ParkingAlongMotorway, []Kind{DC150, DC150, DC300, DC300}},
	{"Bahnhof Nord", "Bahnhofstraße 12", "48143", "Münster", "51.956930", "7.634950", ocpi.ParkingLot, []Kind{AC11, AC11, AC22, AC22}},
	{"Parkhaus Altstadt", "Ritterstraße 8", "33602", "Bielefeld", "52.021330", "8.532180", ocpi.ParkingGarage, []Kind{AC11, AC11, AC11, AC11}},
	{"Einkaufspark", "Weserpark 20", "28325", "Bremen", "53.064210", "8.932600", ocpi.ParkingLot, []Kind{DC50, DC50, AC22, AC22}},
	{"Stadthalle", "Theodor-Heuss-Platz 1", "30175", "Hannover", "52.378430", "9.769870", ocpi.ParkingLot, []Kind{AC22, AC22}},
	{"Raststätte Heide", "A 7, Ausfahrt 46", "29614", "Soltau", "52.986210", "9.842130", ocpi.ParkingAlongMotorway, []Kind{DC300, DC300, DC300}},
	{"Klinikum", "Am Krankenhaus 5", "38126", "Braunschweig", "52.236270", "10.545390", ocpi.ParkingLot, []Kind{AC11, AC22}},
	{"Hafencity", "Am Sandtorkai 30", "20457", "Hamburg", "53.543510", "9.993470", ocpi.ParkingUndergroundGarage, []Kind{AC22, AC22, DC50}},
	{"Marktplatz", "Marktplatz 1", "23552", "Lübeck", "53.866750", "10.685040", ocpi.ParkingOnStreet, []Kind{AC22}},
	{"Fährhafen", "Zum Fährhafen 1", "18147", "Rostock", "54.151870", "12.101210", ocpi.ParkingLot, []Kind{DC150, DC150, AC22}},
	{"Technologiepark", "Otto-Hahn-Straße 14", "44227", "Dortmund", "51.491570", "7.411820", ocpi.ParkingLot, []Kind{AC11, AC11, DC50}},
	{"Zentraler Omnibusbahnhof", "Südring 4", "34117", "Kassel", "51.316940", "9.493290", ocpi.ParkingOnStreet, []Kind{AC22, AC22}},
	{"Autohof Thüringen", "Im Gewerbepark 2", "99310", "Arnstadt", "50.834070", "10.946220", ocpi.ParkingAlongMotorway, []Kind{DC300, DC300, DC150}},
	{"Messe", "Messe-Allee 1", "04356", "Leipzig", "51.396180", "12.396910", ocpi.ParkingLot, []Kind{DC50, AC22, AC22}},
	{"Elbufer", "Terrassenufer 7", "01067", "Dresden", "51.054570", "13.741080", ocpi.ParkingOnStreet, []Kind{AC22, AC22}},
	{"Volkspark", "Am Volkspark 9", "10407", "Berlin", "52.530420", "13.436950", ocpi.ParkingOnStreet, []Kind{AC11, AC22}},
	{"Schnellladepark Süd", "Südspange 15", "90441", "Nürnberg", "49.428160", "11.062250", ocpi.ParkingLot, []Kind{DC150, DC300, DC300, DC300}},
	{"Hauptbahnhof", "Bahnhofplatz 2", "80335", "München", "48.140230", "11.558350", ocpi.ParkingGarage, []Kind{AC11, AC11, AC22}},
	{"Schlossgarten", "Schillerplatz 6", "70173", "Stuttgart", "48.776840", "9.178630", ocpi.ParkingOnStreet, []Kind{AC22, DC50}},
	{"Rheinpromenade", "Rheinufer 21", "50668", "Köln", "50.948870", "6.963940", ocpi.ParkingOnStreet, []Kind{AC22, AC22}},
	{"Flughafen P5", "Terminalstraße 5", "60549", "Frankfurt am Main", "50.051210", "8.571630", ocpi.ParkingGarage, []Kind{AC22, AC22, DC150}},
}

// location builds the n-th Location of a CPO, the same whenever it is asked.
func (c *CPO) location(n int, now time.Time) ocpi.Location {
	place := places[(n+c.firstPlace)%len(places)]
	location := ocpi.Location{
		CountryCode: c.party.CountryCode, PartyID: c.party.PartyID, ID: ocpi.CiString(fmt.Sprintf("%s-%04d", c.party.PartyID, n+1)),
		Publish: ocpi.Ptr(true), Name: c.name + " " + place.name, Address: place.street, City: place.city, PostalCode: place.postalCode,
		Country: "DEU", Coordinates: ocpi.GeoLocation{Latitude: place.latitude, Longitude: place.longitude},
		ParkingType: place.parking, Operator: &ocpi.BusinessDetails{Name: c.name}, TimeZone: "Europe/Berlin",
		OpeningTimes: &ocpi.Hours{Twentyfourseven: ocpi.Ptr(true)}, LastUpdated: now,
	}
	for i, kind := range place.kinds {
		location.EVSEs = append(location.EVSEs, c.evse(n*10+i+1, kind, now))
	}
	return location
}

func (c *CPO) evse(n int, kind Kind, now time.Time) ocpi.EVSE {
	data := kinds[kind]
	return ocpi.EVSE{
		UID:    ocpi.CiString(fmt.Sprintf("%s-E%05d", c.party.PartyID, n)),
		EVSEID: ocpi.CiString(fmt.Sprintf("%s*%s*E%05d*1", c.party.CountryCode, c.party.PartyID, n)),
		Status: ocpi.EVSEAvailable, Capabilities: []ocpi.Capability{
			ocpi.CapabilityRFIDReader, ocpi.CapabilityRemoteStartStop, ocpi.CapabilityReservable, ocpi.CapabilityUnlock,
			ocpi.CapabilityChargingProfile, ocpi.CapabilityChargingPreferences,
		},
		PhysicalReference: fmt.Sprint(n % 10), LastUpdated: now,
		Connectors: []ocpi.Connector{{
			ID: "1", Standard: data.standard, Format: data.format, PowerType: data.power, MaxVoltage: ocpi.Ptr(data.volts),
			MaxAmperage: ocpi.Ptr(data.amperes), MaxElectricPower: ocpi.Ptr(int(data.watts)),
			TariffIDs: []ocpi.CiString{c.priceOf(kind).ID}, LastUpdated: now,
		}},
	}
}

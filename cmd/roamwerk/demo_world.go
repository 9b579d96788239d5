package main

import (
	"fmt"
	"image/color"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// The demonstration's world. People, companies, places of business and numbers
// are invented; the numbers are well-formed, so that everything that checks
// them has something to check.

// demoPassword lets every member of the demonstration's staff in.
const demoPassword = "roamwerk-demo"

type demoUtility struct {
	party     ocpi.Party
	name      string
	badge     color.NRGBA
	shape     func(x, y float64) bool
	data      db.InsertTenantParams
	standard  string // the plan of its first price book, JSON
	plans     []demoPlan
	groups    []string     // of customers
	own       []ocpi.Party // whose charge points are its own
	book      string       // its price book, JSON; "": the first one stays
	voucher   string       // code of one that its first customer has redeemed
	clerk     demoStaff
	customers []demoCustomer
}

type demoPlan struct{ name, doc string }

type demoStaff struct{ name, email, language string }

var demoOperator = demoStaff{"Robin Petersen", "betrieb@roamwerk.example", "de"}

type demoCustomer struct {
	name, email  string
	kind         string
	group        string
	plan         string // agreed with it alone; "": the price book decides
	cards        int
	visits       int // a month, with each card
	iban         string
	street       string
	postalCode   string
	city         string
	language     string
	vatID        string
	leitwegID    string
	contactNamed string
}

// demoTariff writes a plan.
func demoTariff(party, id, taxIncluded, de, en, elements, more string) string {
	return fmt.Sprintf(`{"country_code":"DE","party_id":%q,"id":%q,"currency":"EUR","type":"REGULAR","tax_included":%q,
		"tariff_alt_text":[{"language":"de","text":%q},{"language":"en","text":%q}],"elements":[%s],%s"last_updated":"2026-01-01T00:00:00Z"}`,
		party, id, taxIncluded, de, en, elements, more)
}

// A blocking fee from the fifth hour on, but for the night, and its cap.
const (
	demoBlocking = `{"fee":"BLOCKING","price_components":[{"type":"TIME","price":6,"vat":19,"step_size":60},{"type":"PARKING_TIME","price":6,"vat":19,"step_size":60}],
		"restrictions":{"min_duration":14400,"start_time":"08:00","end_time":"22:00"}},`
	demoCap = `"caps":[{"dimensions":["BLOCKING"],"max":12.00}],`
)

var demoUtilities = []demoUtility{
	{
		party: ocpi.Party{CountryCode: "DE", PartyID: "AUE"},
		name:  "Stadtwerke Auental GmbH",
		badge: color.NRGBA{0x00, 0x69, 0x5c, 0xff},
		shape: sunOverMeadow,
		data: db.InsertTenantParams{
			Street: "Mühlenweg 4", PostalCode: "49999", City: "Auental", Country: "DE", VATID: "DE812345673", TaxNumber: "65/270/01234",
			Register: "Amtsgericht Auental, HRB 20417", ContactName: "Kundenservice E-Mobilität", ContactPhone: "+49 5400 9990-0",
			ContactEmail: "laden@stadtwerke-auental.example", Website: "https://www.stadtwerke-auental.example",
			LegalFooter: "Geschäftsführung: Dr. Annika Brandes · Vorsitz des Aufsichtsrats: Bürgermeister Jan Helmers",
			IBAN:        "DE18265509990004711001", BIC: "NOLADE21XXX", CreditorID: "DE16ZZZ00000471101", Colour: "#00695c", PaymentDays: 14,
		},
		standard: demoTariff("AUE", "STANDARD", "YES", "0,59 €/kWh, ab 4 Stunden tagsüber 0,10 € je Minute, höchstens 12 €", "0.59 €/kWh, after 4 hours by day 0.10 € a minute, at most 12 €",
			demoBlocking+`{"price_components":[{"type":"ENERGY","price":0.59,"vat":19,"step_size":1}]}`, demoCap),
		plans: []demoPlan{
			{"Eigen AC", demoTariff("AUE", "EIGEN-AC", "YES", "An unseren Ladepunkten: 0,52 €/kWh, ab 4 Stunden tagsüber 0,10 € je Minute, höchstens 12 €",
				"At our charge points: 0.52 €/kWh, after 4 hours by day 0.10 € a minute, at most 12 €",
				demoBlocking+`{"price_components":[{"type":"ENERGY","price":0.52,"vat":19,"step_size":1}]}`, demoCap)},
			{"Eigen DC", demoTariff("AUE", "EIGEN-DC", "YES", "An unseren Schnellladern: 0,62 €/kWh", "At our fast chargers: 0.62 €/kWh",
				`{"price_components":[{"type":"ENERGY","price":0.62,"vat":19,"step_size":1}]}`, "")},
			{"Roaming DC", demoTariff("AUE", "ROAMING-DC", "YES", "Schnellladen bei Partnern: 0,79 €/kWh", "Fast charging at partners: 0.79 €/kWh",
				`{"price_components":[{"type":"ENERGY","price":0.79,"vat":19,"step_size":1}]}`, "")},
			{"Vorteil", demoTariff("AUE", "VORTEIL", "YES", "Für Stromkunden: 2,95 € im Monat, 0,54 €/kWh, Karte 4,90 €", "For customers of our electricity: 2.95 € a month, 0.54 €/kWh, card 4.90 €",
				`{"price_components":[{"type":"ENERGY","price":0.54,"vat":19,"step_size":1}]}`, `"base_fee":{"price":2.95,"vat":19},"one_off_fees":[{"kind":"CARD","price":4.90,"vat":19}],`)},
			{"Vorteil eigen", demoTariff("AUE", "VORTEIL-EIGEN", "YES", "Für Stromkunden an unseren Ladepunkten: 0,45 €/kWh, 10 kWh im Monat frei",
				"For customers of our electricity at our charge points: 0.45 €/kWh, 10 kWh a month free",
				`{"price_components":[{"type":"ENERGY","price":0.45,"vat":19,"step_size":1}]}`, `"allowances":[{"id":"VORTEIL","unit":"kWh","quantity":10}],`)},
			{"Flotte", demoTariff("AUE", "FLOTTE", "NO", "Geschäftlich, ohne USt.: 0,45 €/kWh, 0,25 € je Ladevorgang", "Business, without VAT: 0.45 €/kWh, 0.25 € a session",
				`{"price_components":[{"type":"ENERGY","price":0.45,"vat":19,"step_size":1},{"type":"FLAT","price":0.25,"vat":19,"step_size":1}]}`, "")},
			{"Flotte schnell", demoTariff("AUE", "FLOTTE-DC", "NO", "Geschäftlich, ohne USt.: schnell 0,58 €/kWh", "Business, without VAT: fast 0.58 €/kWh",
				`{"price_components":[{"type":"ENERGY","price":0.58,"vat":19,"step_size":1}]}`, "")},
		},
		groups: []string{"Privatkunden", "Stromkunden", "Flotten"},
		own:    []ocpi.Party{demoCPO.party},
		// Nobody has said what the fastest charging at partners costs fleets and whoever is in no group: a hole, for all to see.
		book: `{"rules":[
			{"id":"strom-eigen","plan":"Vorteil eigen","group":"Stromkunden","where":{"own":true}},
			{"id":"strom","plan":"Vorteil","group":"Stromkunden"},
			{"id":"privat-eigen-ac","plan":"Eigen AC","group":"Privatkunden","where":{"own":true,"current":"AC"}},
			{"id":"privat-eigen-dc","plan":"Eigen DC","group":"Privatkunden","where":{"own":true,"current":"DC"}},
			{"id":"privat-dc","plan":"Roaming DC","group":"Privatkunden","where":{"current":"DC"}},
			{"id":"privat","plan":"Standard","group":"Privatkunden"},
			{"id":"flotte-eigen-dc","plan":"Flotte schnell","group":"Flotten","where":{"own":true,"current":"DC"}},
			{"id":"flotte-dc","plan":"Flotte schnell","group":"Flotten","where":{"current":"DC","below_kw":300}},
			{"id":"flotte-ac","plan":"Flotte","group":"Flotten","where":{"current":"AC"}},
			{"id":"ac","plan":"Standard","where":{"current":"AC"}},
			{"id":"dc","plan":"Roaming DC","where":{"current":"DC","below_kw":300}}]}`,
		voucher: "WILLKOMMEN",
		clerk:   demoStaff{"Meike Ostermann", "abrechnung@stadtwerke-auental.example", "de"},
		customers: []demoCustomer{
			{name: "Hanna Lüers", email: "hanna.lueers@post.example", kind: "private", group: "Privatkunden", cards: 1, visits: 5, iban: "DE11265909990000550100", street: "Lindenallee 17", postalCode: "49999", city: "Auental", language: "de"},
			{name: "Tobias Wegner", email: "t.wegner@post.example", kind: "private", group: "Stromkunden", cards: 1, visits: 4, iban: "DE79265909990000550137", street: "Am Wehr 3", postalCode: "49999", city: "Auental", language: "de"},
			{name: "Margret Thöle", email: "margret.thoele@post.example", kind: "private", group: "Stromkunden", cards: 2, visits: 3, street: "Kirchstraße 28", postalCode: "49996", city: "Niederauen", language: "de"},
			{name: "Daniel O'Connor", email: "daniel.oconnor@mail.example", kind: "private", group: "Privatkunden", cards: 1, visits: 4, street: "Gartenweg 5", postalCode: "49999", city: "Auental", language: "en"},
			{name: "Sevda Aydın", email: "sevda.aydin@post.example", kind: "private", group: "Privatkunden", cards: 1, visits: 6, iban: "DE50265909990000550174", street: "Bachstraße 41", postalCode: "49996", city: "Niederauen", language: "de"},
			{name: "Jürgen Kampe", email: "j.kampe@post.example", kind: "private", group: "Stromkunden", cards: 1, visits: 2, iban: "DE21265909990000550211", street: "Heideweg 9", postalCode: "49994", city: "Moorlage", language: "de"},
			{name: "Tischlerei Brömmel GmbH", email: "buchhaltung@tischlerei-broemmel.example", kind: "business", group: "Flotten", cards: 2, visits: 4, iban: "DE89265909990000550248", street: "Gewerbering 12", postalCode: "49999", city: "Auental", language: "de", vatID: "DE298765435", contactNamed: "Ines Brömmel"},
			{name: "Pflegedienst Morgenrot GmbH", email: "verwaltung@morgenrot.example", kind: "fleet", group: "Flotten", cards: 6, visits: 4, iban: "DE60265909990000550285", street: "Bahnhofstraße 30", postalCode: "49999", city: "Auental", language: "de", vatID: "DE311122232", contactNamed: "Fuhrparkleitung"},
			{name: "Stadt Auental", email: "rechnung@auental.example", kind: "public", group: "Flotten", cards: 3, visits: 3, street: "Rathausplatz 1", postalCode: "49999", city: "Auental", language: "de", leitwegID: "03404000-72001-61", contactNamed: "Amt für Gebäude und Fuhrpark"},
			{name: "Nils Ackermann", email: "nils@ackermann.example", kind: "private", group: "Privatkunden", cards: 1, visits: 3, street: "Schulstraße 2", postalCode: "49994", city: "Moorlage", language: "de"},
		},
	},
	{
		party: ocpi.Party{CountryCode: "DE", PartyID: "LWA"},
		name:  "Energie Lindwasser AG",
		badge: color.NRGBA{0xa8, 0x3e, 0x12, 0xff},
		shape: boltInDrop,
		data: db.InsertTenantParams{
			Street: "Hafenstraße 21", PostalCode: "38999", City: "Lindwasser", Country: "DE", VATID: "DE276543216", TaxNumber: "14/201/05678",
			Register: "Amtsgericht Lindwasser, HRB 3381", ContactName: "Team Elektromobilität", ContactPhone: "+49 5300 9991-50",
			ContactEmail: "mobil@lindwasser.example", Website: "https://www.lindwasser.example",
			LegalFooter: "Vorstand: Torben Falk, Dr. Mirjam Seidel · Vorsitz des Aufsichtsrats: Karin Uhlenbrock",
			IBAN:        "DE88265509990004711002", BIC: "NOLADE21XXX", CreditorID: "DE86ZZZ00000471102", Colour: "#a83e12", PaymentDays: 21,
		},
		standard: demoTariff("LWA", "BASIS", "YES", "0,57 €/kWh und 0,39 € je Ladevorgang", "0.57 €/kWh and 0.39 € a session",
			`{"price_components":[{"type":"ENERGY","price":0.57,"vat":19,"step_size":1},{"type":"FLAT","price":0.39,"vat":19,"step_size":1}]}`, ""),
		plans: []demoPlan{
			{"Nachtlader", demoTariff("LWA", "NACHT", "YES", "0,58 €/kWh, von 22 bis 6 Uhr 0,44 €/kWh", "0.58 €/kWh, from 22:00 to 6:00 0.44 €/kWh",
				`{"price_components":[{"type":"ENERGY","price":0.44,"vat":19,"step_size":1}],"restrictions":{"start_time":"22:00","end_time":"06:00"}},
				{"price_components":[{"type":"ENERGY","price":0.58,"vat":19,"step_size":1}]}`, "")},
		},
		clerk: demoStaff{"Paul Ehrich", "abrechnung@lindwasser.example", "en"},
		customers: []demoCustomer{
			{name: "Karoline Voss", email: "karoline.voss@post.example", kind: "private", cards: 1, visits: 5, iban: "DE31265909990000550322", street: "Seeufer 6", postalCode: "38999", city: "Lindwasser", language: "de"},
			{name: "Benedikt Harms", email: "benedikt.harms@post.example", kind: "private", plan: "Nachtlader", cards: 1, visits: 5, iban: "DE02265909990000550359", street: "Birkenkamp 14", postalCode: "38999", city: "Lindwasser", language: "de"},
			{name: "Sofia Marchetti", email: "sofia.marchetti@mail.example", kind: "private", cards: 1, visits: 3, street: "Altstadtring 33", postalCode: "38999", city: "Lindwasser", language: "en"},
			{name: "Dörthe Ahlers", email: "doerthe.ahlers@post.example", kind: "private", plan: "Nachtlader", cards: 2, visits: 3, iban: "DE70265909990000550396", street: "Wiesengrund 8", postalCode: "38997", city: "Steinrode", language: "de"},
			{name: "Ahlborn Logistik GmbH", email: "rechnungen@ahlborn-logistik.example", kind: "fleet", cards: 4, visits: 5, iban: "DE41265909990000550433", street: "Industriestraße 2", postalCode: "38999", city: "Lindwasser", language: "de", vatID: "DE304050607", contactNamed: "Disposition"},
			{name: "Landkreis Lindwasser", email: "eingangsrechnung@kreis-lindwasser.example", kind: "public", cards: 2, visits: 3, street: "Kreishaus 1", postalCode: "38999", city: "Lindwasser", language: "de", leitwegID: "03459012-81-24", contactNamed: "Zentrale Dienste"},
			{name: "Zahnarztpraxis Dr. Kuhlmann", email: "praxis@zahnarzt-kuhlmann.example", kind: "business", cards: 1, visits: 4, iban: "DE12265909990000550470", street: "Markt 19", postalCode: "38997", city: "Steinrode", language: "de", contactNamed: "Dr. Eva Kuhlmann"},
		},
	},
}

// demoCPO is the partner that is connected directly, demoHub the one with the
// others behind it.
var (
	demoCPO  = demoParty{ocpi.Party{CountryCode: "DE", PartyID: "NLK"}, "Nordlicht Ladenetz", 8}
	demoHub  = demoParty{ocpi.Party{CountryCode: "DE", PartyID: "VRB"}, "Verbund Roaming", 0}
	demoCPOs = []demoParty{
		{ocpi.Party{CountryCode: "DE", PartyID: "BLZ"}, "Blitzwerk", 6},
		{ocpi.Party{CountryCode: "DE", PartyID: "HFL"}, "Hofladestrom", 5},
		{ocpi.Party{CountryCode: "DE", PartyID: "WSR"}, "Weserstrom Mobil", 5},
	}
)

type demoParty struct {
	party ocpi.Party
	name  string
	sites int
}

const day = 24 * time.Hour

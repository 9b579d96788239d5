package main

import (
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
	standard  string // the default plan, JSON
	plans     []demoPlan
	clerk     demoStaff
	customers []demoCustomer
}

type demoPlan struct{ name, doc string }

type demoStaff struct{ name, email, language string }

var demoOperator = demoStaff{"Robin Petersen", "betrieb@roamwerk.example", "de"}

type demoCustomer struct {
	name, email  string
	kind         string
	plan         string // "": the default
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
		standard: `{"country_code":"DE","party_id":"AUE","id":"STANDARD","currency":"EUR","type":"REGULAR","tax_included":"YES",
			"tariff_alt_text":[{"language":"de","text":"0,59 €/kWh, ab 4 Stunden 0,10 € je Minute"},{"language":"en","text":"0.59 €/kWh, after 4 hours 0.10 € a minute"}],
			"elements":[
				{"price_components":[{"type":"TIME","price":6,"vat":19,"step_size":60},{"type":"PARKING_TIME","price":6,"vat":19,"step_size":60}],"restrictions":{"min_duration":14400}},
				{"price_components":[{"type":"ENERGY","price":0.59,"vat":19,"step_size":1}]}],
			"last_updated":"2026-01-01T00:00:00Z"}`,
		plans: []demoPlan{
			{"Vorteil", `{"country_code":"DE","party_id":"AUE","id":"VORTEIL","currency":"EUR","type":"REGULAR","tax_included":"YES",
				"tariff_alt_text":[{"language":"de","text":"Für Stromkunden: 0,49 €/kWh"},{"language":"en","text":"For customers of our electricity: 0.49 €/kWh"}],
				"elements":[{"price_components":[{"type":"ENERGY","price":0.49,"vat":19,"step_size":1}]}],
				"last_updated":"2026-01-01T00:00:00Z"}`},
			{"Flotte", `{"country_code":"DE","party_id":"AUE","id":"FLOTTE","currency":"EUR","type":"REGULAR","tax_included":"NO",
				"tariff_alt_text":[{"language":"de","text":"Geschäftlich, ohne USt.: 0,45 €/kWh, 0,25 € je Ladevorgang"},{"language":"en","text":"Business, without VAT: 0.45 €/kWh, 0.25 € a session"}],
				"elements":[{"price_components":[{"type":"ENERGY","price":0.45,"vat":19,"step_size":1},{"type":"FLAT","price":0.25,"vat":19,"step_size":1}]}],
				"last_updated":"2026-01-01T00:00:00Z"}`},
		},
		clerk: demoStaff{"Meike Ostermann", "abrechnung@stadtwerke-auental.example", "de"},
		customers: []demoCustomer{
			{name: "Hanna Lüers", email: "hanna.lueers@post.example", kind: "private", cards: 1, visits: 5, iban: "DE11265909990000550100", street: "Lindenallee 17", postalCode: "49999", city: "Auental", language: "de"},
			{name: "Tobias Wegner", email: "t.wegner@post.example", kind: "private", plan: "Vorteil", cards: 1, visits: 4, iban: "DE79265909990000550137", street: "Am Wehr 3", postalCode: "49999", city: "Auental", language: "de"},
			{name: "Margret Thöle", email: "margret.thoele@post.example", kind: "private", plan: "Vorteil", cards: 2, visits: 3, street: "Kirchstraße 28", postalCode: "49996", city: "Niederauen", language: "de"},
			{name: "Daniel O'Connor", email: "daniel.oconnor@mail.example", kind: "private", cards: 1, visits: 4, street: "Gartenweg 5", postalCode: "49999", city: "Auental", language: "en"},
			{name: "Sevda Aydın", email: "sevda.aydin@post.example", kind: "private", cards: 1, visits: 6, iban: "DE50265909990000550174", street: "Bachstraße 41", postalCode: "49996", city: "Niederauen", language: "de"},
			{name: "Jürgen Kampe", email: "j.kampe@post.example", kind: "private", plan: "Vorteil", cards: 1, visits: 2, iban: "DE21265909990000550211", street: "Heideweg 9", postalCode: "49994", city: "Moorlage", language: "de"},
			{name: "Tischlerei Brömmel GmbH", email: "buchhaltung@tischlerei-broemmel.example", kind: "business", plan: "Flotte", cards: 2, visits: 4, iban: "DE89265909990000550248", street: "Gewerbering 12", postalCode: "49999", city: "Auental", language: "de", vatID: "DE298765435", contactNamed: "Ines Brömmel"},
			{name: "Pflegedienst Morgenrot GmbH", email: "verwaltung@morgenrot.example", kind: "fleet", plan: "Flotte", cards: 6, visits: 4, iban: "DE60265909990000550285", street: "Bahnhofstraße 30", postalCode: "49999", city: "Auental", language: "de", vatID: "DE311122232", contactNamed: "Fuhrparkleitung"},
			{name: "Stadt Auental", email: "rechnung@auental.example", kind: "public", plan: "Flotte", cards: 3, visits: 3, street: "Rathausplatz 1", postalCode: "49999", city: "Auental", language: "de", leitwegID: "03404000-72001-61", contactNamed: "Amt für Gebäude und Fuhrpark"},
			{name: "Nils Ackermann", email: "nils@ackermann.example", kind: "private", cards: 1, visits: 3, street: "Schulstraße 2", postalCode: "49994", city: "Moorlage", language: "de"},
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
		standard: `{"country_code":"DE","party_id":"LWA","id":"BASIS","currency":"EUR","type":"REGULAR","tax_included":"YES",
			"tariff_alt_text":[{"language":"de","text":"0,57 €/kWh und 0,39 € je Ladevorgang"},{"language":"en","text":"0.57 €/kWh and 0.39 € a session"}],
			"elements":[{"price_components":[{"type":"ENERGY","price":0.57,"vat":19,"step_size":1},{"type":"FLAT","price":0.39,"vat":19,"step_size":1}]}],
			"last_updated":"2026-01-01T00:00:00Z"}`,
		plans: []demoPlan{
			{"Nachtlader", `{"country_code":"DE","party_id":"LWA","id":"NACHT","currency":"EUR","type":"REGULAR","tax_included":"YES",
				"tariff_alt_text":[{"language":"de","text":"0,58 €/kWh, von 22 bis 6 Uhr 0,44 €/kWh"},{"language":"en","text":"0.58 €/kWh, from 22:00 to 6:00 0.44 €/kWh"}],
				"elements":[
					{"price_components":[{"type":"ENERGY","price":0.44,"vat":19,"step_size":1}],"restrictions":{"start_time":"22:00","end_time":"06:00"}},
					{"price_components":[{"type":"ENERGY","price":0.58,"vat":19,"step_size":1}]}],
				"last_updated":"2026-01-01T00:00:00Z"}`},
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

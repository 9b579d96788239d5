package billing

import (
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// countries lists the countries in which European drivers charge, with the time zone where there is only one, or only one
// on the continent. An OCPI Location says its zone; this table stands in for a Location that we do not know (PRC-09).
var countries = []struct{ alpha3, alpha2, zone string }{
	{"ALB", "AL", "Europe/Tirane"},
	{"AND", "AD", "Europe/Andorra"},
	{"AUT", "AT", "Europe/Vienna"},
	{"BEL", "BE", "Europe/Brussels"},
	{"BGR", "BG", "Europe/Sofia"},
	{"BIH", "BA", "Europe/Sarajevo"},
	{"CHE", "CH", "Europe/Zurich"},
	{"CYP", "CY", "Asia/Nicosia"},
	{"CZE", "CZ", "Europe/Prague"},
	{"DEU", "DE", "Europe/Berlin"},
	{"DNK", "DK", "Europe/Copenhagen"},
	{"ESP", "ES", ""}, // the Canaries are an hour behind
	{"EST", "EE", "Europe/Tallinn"},
	{"FIN", "FI", "Europe/Helsinki"},
	{"FRA", "FR", "Europe/Paris"}, // the overseas departments have codes of their own
	{"GBR", "GB", "Europe/London"},
	{"GRC", "GR", "Europe/Athens"},
	{"HRV", "HR", "Europe/Zagreb"},
	{"HUN", "HU", "Europe/Budapest"},
	{"IRL", "IE", "Europe/Dublin"},
	{"ISL", "IS", "Atlantic/Reykjavik"},
	{"ITA", "IT", "Europe/Rome"},
	{"LIE", "LI", "Europe/Vaduz"},
	{"LTU", "LT", "Europe/Vilnius"},
	{"LUX", "LU", "Europe/Luxembourg"},
	{"LVA", "LV", "Europe/Riga"},
	{"MCO", "MC", "Europe/Monaco"},
	{"MDA", "MD", "Europe/Chisinau"},
	{"MKD", "MK", "Europe/Skopje"},
	{"MLT", "MT", "Europe/Malta"},
	{"MNE", "ME", "Europe/Podgorica"},
	{"NLD", "NL", "Europe/Amsterdam"},
	{"NOR", "NO", "Europe/Oslo"},
	{"POL", "PL", "Europe/Warsaw"},
	{"PRT", "PT", ""}, // the Azores are an hour behind
	{"ROU", "RO", "Europe/Bucharest"},
	{"SMR", "SM", "Europe/San_Marino"},
	{"SRB", "RS", "Europe/Belgrade"},
	{"SVK", "SK", "Europe/Bratislava"},
	{"SVN", "SI", "Europe/Ljubljana"},
	{"SWE", "SE", "Europe/Stockholm"},
	{"TUR", "TR", "Europe/Istanbul"},
	{"UKR", "UA", "Europe/Kyiv"},
}

// Alpha2 returns the ISO 3166-1 alpha-2 code of a country that is named by its alpha-3 code, as OCPI does, or by its alpha-2
// code, as some partners do. It returns "" for a country that is not in the table.
func Alpha2(country string) string {
	for _, c := range countries {
		if strings.EqualFold(c.alpha3, country) || strings.EqualFold(c.alpha2, country) {
			return c.alpha2
		}
	}
	return ""
}

// ZoneOf returns the time zone of a country that has a single one, nil for every other.
func ZoneOf(country string) *time.Location { return zonesByCountry()[Alpha2(country)] }

// regions are the parts of the countries that have several zones, in degrees.
var regions = []struct {
	alpha2, zone             string
	south, north, west, east int64
}{
	{"ES", "Europe/Madrid", 35, 44, -10, 5},
	{"ES", "Atlantic/Canary", 27, 30, -19, -13},
	{"PT", "Europe/Lisbon", 36, 43, -10, -6},
	{"PT", "Atlantic/Madeira", 30, 34, -18, -15},
	{"PT", "Atlantic/Azores", 36, 40, -32, -24},
}

// ZoneAt returns the time zone of a place that is known from a CDR alone: that of its country, or where that has several, of
// its coordinates (PRC-09). It is nil where neither tells.
func ZoneAt(at *ocpi.CDRLocation) *time.Location {
	if zone := ZoneOf(at.Country); zone != nil {
		return zone
	}
	latitude, err := decimal.NewFromString(at.Coordinates.Latitude)
	longitude, err2 := decimal.NewFromString(at.Coordinates.Longitude)
	if err != nil || err2 != nil || !sane(latitude) || !sane(longitude) {
		return nil
	}
	between := func(d decimal.Decimal, least, most int64) bool {
		return d.GreaterThanOrEqual(decimal.NewFromInt(least)) && d.LessThan(decimal.NewFromInt(most))
	}
	for _, r := range regions {
		if r.alpha2 == Alpha2(at.Country) && between(latitude, r.south, r.north) && between(longitude, r.west, r.east) {
			zone, _ := time.LoadLocation(r.zone) // nil: this machine has no such zone
			return zone
		}
	}
	return nil
}

var zonesByCountry = sync.OnceValue(func() map[string]*time.Location {
	zones := map[string]*time.Location{}
	for _, c := range countries {
		if zone, err := time.LoadLocation(c.zone); err == nil && c.zone != "" {
			zones[c.alpha2] = zone
		}
	}
	return zones
})

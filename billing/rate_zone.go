package billing

import (
	"strings"
	"sync"
	"time"
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

var zonesByCountry = sync.OnceValue(func() map[string]*time.Location {
	zones := map[string]*time.Location{}
	for _, c := range countries {
		if zone, err := time.LoadLocation(c.zone); err == nil && c.zone != "" {
			zones[c.alpha2] = zone
		}
	}
	return zones
})

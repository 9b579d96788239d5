package ocpi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// ClientInfo is a party behind a hub and whether it can be reached (OCPI
// 2.2.1 § ClientInfo Object).
type ClientInfo struct {
	PartyID     CiString         `json:"party_id,omitzero"`
	CountryCode CiString         `json:"country_code,omitzero"`
	Role        Role             `json:"role,omitzero"`
	Status      ConnectionStatus `json:"status,omitzero"`
	LastUpdated time.Time        `json:"last_updated,omitzero"`
	Extra       jsontext.Value   `json:",embed"`
}

// Party returns the party that the record is about.
func (i *ClientInfo) Party() Party { return Party{i.CountryCode, i.PartyID} }

// ConnectionStatus tells whether a hub can reach a party (OCPI 2.2.1 §
// ConnectionStatus).
type ConnectionStatus string

// The connection states.
const (
	ConnectionConnected ConnectionStatus = "CONNECTED"
	ConnectionOffline   ConnectionStatus = "OFFLINE"
	ConnectionPlanned   ConnectionStatus = "PLANNED"
	ConnectionSuspended ConnectionStatus = "SUSPENDED"
)

// Known reports whether s is one of OCPI 2.2.1.
func (s ConnectionStatus) Known() bool {
	switch s {
	case ConnectionConnected, ConnectionOffline, ConnectionPlanned, ConnectionSuspended:
		return true
	}
	return false
}

package ocpi

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// VersionNumber is a version of OCPI, such as 2.2.1 (OCPI 2.2.1 §
// VersionNumber).
type VersionNumber string

// The versions that this platform has to do with.
const (
	Version211 VersionNumber = "2.1.1"
	Version22  VersionNumber = "2.2"
	Version221 VersionNumber = "2.2.1"
	Version230 VersionNumber = "2.3.0"
)

// Compare returns -1, 0 or +1 as v is older than, the same as or newer than
// other, number by number: 2.2.1 > 2.2 > 2.1.1. Anything that is not a version
// is older than every version.
func (v VersionNumber) Compare(other VersionNumber) int {
	a, b := v.numbers(), other.numbers()
	for i := range max(len(a), len(b)) {
		// A missing number is less than 0, so that 2.2 is not 2.2.0.
		x, y := -1, -1
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			if x < y {
				return -1
			}
			return 1
		}
	}
	return 0
}

// numbers returns the dotted numbers of v, or nil when v is not a version.
func (v VersionNumber) numbers() []int {
	parts := strings.Split(string(v), ".")
	numbers := make([]int, len(parts))
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return nil
		}
		numbers[i] = int(n)
	}
	return numbers
}

// Version is an entry of the versions list (OCPI 2.2.1 § Version).
type Version struct {
	Version VersionNumber  `json:"version,omitzero"`
	URL     string         `json:"url,omitzero"`
	Extra   jsontext.Value `json:",embed"`
}

// NewestVersion returns the entry of offered with the highest version that is
// also in supported (VER-07), and false when there is none.
func NewestVersion(offered []Version, supported ...VersionNumber) (Version, bool) {
	var newest Version
	for _, v := range offered {
		for _, s := range supported {
			if v.Version == s && v.Version.Compare(newest.Version) > 0 {
				newest = v
			}
		}
	}
	return newest, newest.Version != ""
}

// VersionDetails lists the endpoints of one version (OCPI 2.2.1 § Version
// details endpoint).
type VersionDetails struct {
	Version   VersionNumber  `json:"version,omitzero"`
	Endpoints []Endpoint     `json:"endpoints,omitzero"`
	Extra     jsontext.Value `json:",embed"`
}

// Endpoint returns the URL of a module's interface (VER-09): the first entry
// with that module and role. The role of credentials does not matter, and an
// entry without a role serves both.
func (d *VersionDetails) Endpoint(module ModuleID, role InterfaceRole) (url string, ok bool) {
	for _, e := range d.Endpoints {
		if e.Identifier != module {
			continue
		}
		if e.Role == role || e.Role == "" || module == ModuleCredentials {
			return e.URL, true
		}
	}
	return "", false
}

// Endpoint is the URL of one interface of one module (OCPI 2.2.1 § Endpoint).
type Endpoint struct {
	Identifier ModuleID       `json:"identifier,omitzero"`
	Role       InterfaceRole  `json:"role,omitzero"`
	URL        string         `json:"url,omitzero"`
	Extra      jsontext.Value `json:",embed"`
}

// InterfaceRole is the side of a module that an endpoint serves (OCPI 2.2.1 §
// InterfaceRole).
type InterfaceRole string

// The interface roles: the owner of the data, and who is told.
const (
	Sender   InterfaceRole = "SENDER"
	Receiver InterfaceRole = "RECEIVER"
)

// Known reports whether r is one of OCPI 2.2.1.
func (r InterfaceRole) Known() bool { return r == Sender || r == Receiver }

// ModuleID names a module (OCPI 2.2.1 § ModuleID). Parties may agree on
// others.
type ModuleID string

// The modules.
const (
	ModuleCDRs             ModuleID = "cdrs"
	ModuleChargingProfiles ModuleID = "chargingprofiles"
	ModuleCommands         ModuleID = "commands"
	ModuleCredentials      ModuleID = "credentials"
	ModuleHubClientInfo    ModuleID = "hubclientinfo"
	ModuleLocations        ModuleID = "locations"
	ModuleSessions         ModuleID = "sessions"
	ModuleTariffs          ModuleID = "tariffs"
	ModuleTokens           ModuleID = "tokens"
)

// Known reports whether m is one of OCPI 2.2.1.
func (m ModuleID) Known() bool {
	switch m {
	case ModuleCDRs, ModuleChargingProfiles, ModuleCommands, ModuleCredentials,
		ModuleHubClientInfo, ModuleLocations, ModuleSessions, ModuleTariffs, ModuleTokens:
		return true
	}
	return false
}

// Configuration reports whether m is a configuration module, whose messages
// carry no routing headers (RTG-03).
func (m ModuleID) Configuration() bool {
	return m == ModuleCredentials || m == ModuleHubClientInfo
}

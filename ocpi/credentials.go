package ocpi

import "github.com/go-json-experiment/json/jsontext"

// Credentials is how two platforms get to know each other (OCPI 2.2.1 §
// Credentials object). Token is a secret: never log it.
type Credentials struct {
	Token string            `json:"token,omitzero"`
	URL   string            `json:"url,omitzero"` // the sender's versions URL
	Roles []CredentialsRole `json:"roles,omitzero"`
	Extra jsontext.Value    `json:",embed"`
}

// CredentialsRole is one party that a platform hosts (OCPI 2.2.1 §
// CredentialsRole).
type CredentialsRole struct {
	Role            Role            `json:"role,omitzero"`
	BusinessDetails BusinessDetails `json:"business_details,omitzero"`
	PartyID         CiString        `json:"party_id,omitzero"`
	CountryCode     CiString        `json:"country_code,omitzero"`
	Extra           jsontext.Value  `json:",embed"`
}

// Party returns the party that the role is for.
func (r *CredentialsRole) Party() Party { return Party{r.CountryCode, r.PartyID} }

// Role is what a party does in the market (OCPI 2.2.1 § Role).
type Role string

// The roles.
const (
	RoleCPO   Role = "CPO"
	RoleEMSP  Role = "EMSP"
	RoleHub   Role = "HUB"
	RoleNAP   Role = "NAP"
	RoleNSP   Role = "NSP"
	RoleOther Role = "OTHER"
	RoleSCSP  Role = "SCSP"
)

// Known reports whether r is one of OCPI 2.2.1.
func (r Role) Known() bool {
	switch r {
	case RoleCPO, RoleEMSP, RoleHub, RoleNAP, RoleNSP, RoleOther, RoleSCSP:
		return true
	}
	return false
}

package ocpi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Token is a means of a driver to be recognised: a card or an app user (OCPI
// 2.2.1 § Token Object). UID and Type together are unique for one eMSP.
type Token struct {
	CountryCode        CiString        `json:"country_code,omitzero"`
	PartyID            CiString        `json:"party_id,omitzero"`
	UID                CiString        `json:"uid,omitzero"`
	Type               TokenType       `json:"type,omitzero"`
	ContractID         CiString        `json:"contract_id,omitzero"`
	VisualNumber       string          `json:"visual_number,omitzero"`
	Issuer             string          `json:"issuer,omitzero"`
	GroupID            CiString        `json:"group_id,omitzero"`
	Valid              *bool           `json:"valid,omitzero"`
	Whitelist          WhitelistType   `json:"whitelist,omitzero"`
	Language           string          `json:"language,omitzero"` // ISO 639-1
	DefaultProfileType ProfileType     `json:"default_profile_type,omitzero"`
	EnergyContract     *EnergyContract `json:"energy_contract,omitzero"`
	LastUpdated        time.Time       `json:"last_updated,omitzero"`
	Extra              jsontext.Value  `json:",embed"`
}

// Party returns the eMSP that owns the token.
func (t *Token) Party() Party { return Party{t.CountryCode, t.PartyID} }

// EnergyContract is the driver's own energy supplier (OCPI 2.2.1 §
// EnergyContract).
type EnergyContract struct {
	SupplierName string         `json:"supplier_name,omitzero"`
	ContractID   string         `json:"contract_id,omitzero"`
	Extra        jsontext.Value `json:",embed"`
}

// AuthorizationInfo answers a real-time authorization (OCPI 2.2.1 §
// AuthorizationInfo Object).
type AuthorizationInfo struct {
	Allowed                AllowedType         `json:"allowed,omitzero"`
	Token                  Token               `json:"token,omitzero"`
	Location               *LocationReferences `json:"location,omitzero"`
	AuthorizationReference CiString            `json:"authorization_reference,omitzero"`
	Info                   *DisplayText        `json:"info,omitzero"`
	Extra                  jsontext.Value      `json:",embed"`
}

// LocationReferences names a Location and EVSEs of it (OCPI 2.2.1 §
// LocationReferences).
type LocationReferences struct {
	LocationID CiString       `json:"location_id,omitzero"`
	EVSEUIDs   []CiString     `json:"evse_uids,omitzero"`
	Extra      jsontext.Value `json:",embed"`
}

// TokenType is the kind of a Token (OCPI 2.2.1 § TokenType).
type TokenType string

// The token types.
const (
	TokenAdHocUser TokenType = "AD_HOC_USER"
	TokenAppUser   TokenType = "APP_USER"
	TokenOther     TokenType = "OTHER"
	TokenRFID      TokenType = "RFID"

	// TokenEMAID is the contract that a car shows. It is OCPI 2.3.0 and not
	// Known.
	TokenEMAID TokenType = "EMAID"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t TokenType) Known() bool {
	switch t {
	case TokenAdHocUser, TokenAppUser, TokenOther, TokenRFID:
		return true
	}
	return false
}

// WhitelistType tells whether a CPO may decide about a Token without asking
// (OCPI 2.2.1 § WhitelistType).
type WhitelistType string

// The whitelist types.
const (
	WhitelistAlways         WhitelistType = "ALWAYS"
	WhitelistAllowed        WhitelistType = "ALLOWED"
	WhitelistAllowedOffline WhitelistType = "ALLOWED_OFFLINE"
	WhitelistNever          WhitelistType = "NEVER"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t WhitelistType) Known() bool {
	switch t {
	case WhitelistAlways, WhitelistAllowed, WhitelistAllowedOffline, WhitelistNever:
		return true
	}
	return false
}

// AllowedType is the verdict on a Token (OCPI 2.2.1 § AllowedType).
type AllowedType string

// The verdicts.
const (
	AllowedAllowed    AllowedType = "ALLOWED"
	AllowedBlocked    AllowedType = "BLOCKED"
	AllowedExpired    AllowedType = "EXPIRED"
	AllowedNoCredit   AllowedType = "NO_CREDIT"
	AllowedNotAllowed AllowedType = "NOT_ALLOWED"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t AllowedType) Known() bool {
	switch t {
	case AllowedAllowed, AllowedBlocked, AllowedExpired, AllowedNoCredit, AllowedNotAllowed:
		return true
	}
	return false
}

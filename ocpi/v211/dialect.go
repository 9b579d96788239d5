// Package v211 is OCPI 2.1.1, the version before roles, hubs and prices with
// VAT, as a dialect of package ocpi (VDF-01 to VDF-10).
//
// What a partner sent comes back to it as it was, but for:
//
//   - the dimension FLAT of charging periods, which OCPI 2.2.1 does not have
//     and nothing is priced by;
//   - twentyfourseven that was false, a type that was missing and members of
//     its own that are called like those of OCPI 2.2.1.
//
// What we send loses what OCPI 2.1.1 cannot say: the group, the energy
// contract and the profile of a token, what kind of OTHER it is, the
// references of authorizations, and the connector of a command.
package v211

import (
	"reflect"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Dialect is OCPI 2.1.1. A connection is between one party and one party, so
// the Origin of what is read names both.
var Dialect = ocpi.Dialect{
	Version:         ocpi.Version211,
	RawToken:        true,
	NoRouting:       true,
	NoMessageIDs:    true,
	NoTokenType:     true,
	UndatedPatch:    true,
	PatchTariffs:    true,
	OneParty:        true,
	IntReservations: true,
	NoPreferences:   true,
	Without:         []ocpi.ModuleID{ocpi.ModuleChargingProfiles, ocpi.ModuleHubClientInfo},
	WithoutCommands: []ocpi.CommandType{ocpi.CommandCancelReservation},
	Statuses: map[ocpi.StatusCode]ocpi.StatusCode{
		ocpi.StatusUnknownToken:      ocpi.StatusInvalidParameters, // VDF-04
		ocpi.StatusHubError:          ocpi.StatusServerError,
		ocpi.StatusUnknownReceiver:   ocpi.StatusServerError,
		ocpi.StatusForwardTimeout:    ocpi.StatusServerError,
		ocpi.StatusConnectionProblem: ocpi.StatusServerError,
	},
	Objects: map[reflect.Type]ocpi.Mapping{
		reflect.TypeFor[ocpi.AuthorizationInfo](): authorizationInfo,
		reflect.TypeFor[ocpi.CDR]():               cdr,
		reflect.TypeFor[ocpi.Connector]():         connector,
		reflect.TypeFor[ocpi.Credentials]():       credentials,
		reflect.TypeFor[ocpi.EVSE]():              evse,
		reflect.TypeFor[ocpi.Location]():          location,
		reflect.TypeFor[ocpi.ReserveNow]():        reserveNow,
		reflect.TypeFor[ocpi.Session]():           session,
		reflect.TypeFor[ocpi.StartSession]():      startSession,
		reflect.TypeFor[ocpi.Tariff]():            tariff,
		reflect.TypeFor[ocpi.Token]():             token,
		reflect.TypeFor[ocpi.VersionDetails]():    versionDetails,
	},
}

// Objects do not name their owner (VDF-03).
var (
	ownerCountry = ocpi.Difference{Ours: "country_code", Given: func(o ocpi.Origin) jsontext.Value { return quoted(o.Owner.CountryCode) }}
	ownerParty   = ocpi.Difference{Ours: "party_id", Given: func(o ocpi.Origin) jsontext.Value { return quoted(o.Owner.PartyID) }}
)

// quoted returns s as JSON, nil when it is empty.
func quoted[T ~string](s T) jsontext.Value {
	if s == "" {
		return nil
	}
	value, err := jsontext.AppendQuote(nil, s)
	if err != nil { // not UTF-8
		return nil
	}
	return value
}

// always gives the same value.
func always(value string) func(ocpi.Origin) jsontext.Value {
	return func(ocpi.Origin) jsontext.Value { return jsontext.Value(value) }
}

// notApplicable is given for an identifier that is required and not known.
var notApplicable = always(`"` + string(ocpi.NotApplicable) + `"`)

// null is a value that is not there.
var null = jsontext.Value("null")

package ocpi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// StartSession asks for a session to be started (OCPI 2.2.1 § StartSession
// Object).
type StartSession struct {
	ResponseURL            string         `json:"response_url,omitzero"`
	Token                  Token          `json:"token,omitzero"`
	LocationID             CiString       `json:"location_id,omitzero"`
	EVSEUID                CiString       `json:"evse_uid,omitzero"`
	ConnectorID            CiString       `json:"connector_id,omitzero"`
	AuthorizationReference CiString       `json:"authorization_reference,omitzero"`
	Extra                  jsontext.Value `json:",embed"`
}

// StopSession asks for a session to be stopped (OCPI 2.2.1 § StopSession
// Object).
type StopSession struct {
	ResponseURL string         `json:"response_url,omitzero"`
	SessionID   CiString       `json:"session_id,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// ReserveNow asks for a charge point to be reserved from now until ExpiryDate
// (OCPI 2.2.1 § ReserveNow Object).
type ReserveNow struct {
	ResponseURL            string         `json:"response_url,omitzero"`
	Token                  Token          `json:"token,omitzero"`
	ExpiryDate             time.Time      `json:"expiry_date,omitzero"`
	ReservationID          CiString       `json:"reservation_id,omitzero"`
	LocationID             CiString       `json:"location_id,omitzero"`
	EVSEUID                CiString       `json:"evse_uid,omitzero"`
	AuthorizationReference CiString       `json:"authorization_reference,omitzero"`
	Extra                  jsontext.Value `json:",embed"`
}

// CancelReservation asks for a reservation to be cancelled (OCPI 2.2.1 §
// CancelReservation Object).
type CancelReservation struct {
	ResponseURL   string         `json:"response_url,omitzero"`
	ReservationID CiString       `json:"reservation_id,omitzero"`
	Extra         jsontext.Value `json:",embed"`
}

// UnlockConnector asks for a connector to be released; for the help desk only
// (OCPI 2.2.1 § UnlockConnector Object).
type UnlockConnector struct {
	ResponseURL string         `json:"response_url,omitzero"`
	LocationID  CiString       `json:"location_id,omitzero"`
	EVSEUID     CiString       `json:"evse_uid,omitzero"`
	ConnectorID CiString       `json:"connector_id,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// CommandResponse is the CPO's immediate answer: whether the command was
// forwarded (OCPI 2.2.1 § CommandResponse Object).
type CommandResponse struct {
	Result  CommandResponseType `json:"result,omitzero"`
	Timeout *int                `json:"timeout,omitzero"` // seconds until the result is given up
	Message []DisplayText       `json:"message,omitzero"`
	Extra   jsontext.Value      `json:",embed"`
}

// CommandResult is the charge point's answer, POSTed to the response URL
// (OCPI 2.2.1 § CommandResult Object).
type CommandResult struct {
	Result  CommandResultType `json:"result,omitzero"`
	Message []DisplayText     `json:"message,omitzero"`
	Extra   jsontext.Value    `json:",embed"`
}

// CommandType names a command, also in URLs (OCPI 2.2.1 § CommandType).
type CommandType string

// The commands.
const (
	CommandCancelReservation CommandType = "CANCEL_RESERVATION"
	CommandReserveNow        CommandType = "RESERVE_NOW"
	CommandStartSession      CommandType = "START_SESSION"
	CommandStopSession       CommandType = "STOP_SESSION"
	CommandUnlockConnector   CommandType = "UNLOCK_CONNECTOR"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t CommandType) Known() bool {
	switch t {
	case CommandCancelReservation, CommandReserveNow, CommandStartSession, CommandStopSession,
		CommandUnlockConnector:
		return true
	}
	return false
}

// CommandResponseType is the verdict of a CommandResponse (OCPI 2.2.1 §
// CommandResponseType).
type CommandResponseType string

// The immediate answers.
const (
	CommandResponseAccepted       CommandResponseType = "ACCEPTED"
	CommandResponseNotSupported   CommandResponseType = "NOT_SUPPORTED"
	CommandResponseRejected       CommandResponseType = "REJECTED"
	CommandResponseUnknownSession CommandResponseType = "UNKNOWN_SESSION"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t CommandResponseType) Known() bool {
	switch t {
	case CommandResponseAccepted, CommandResponseNotSupported, CommandResponseRejected,
		CommandResponseUnknownSession:
		return true
	}
	return false
}

// CommandResultType is the verdict of a CommandResult (OCPI 2.2.1 §
// CommandResultType).
type CommandResultType string

// The results.
const (
	CommandResultAccepted            CommandResultType = "ACCEPTED"
	CommandResultCanceledReservation CommandResultType = "CANCELED_RESERVATION"
	CommandResultEVSEOccupied        CommandResultType = "EVSE_OCCUPIED"
	CommandResultEVSEInoperative     CommandResultType = "EVSE_INOPERATIVE"
	CommandResultFailed              CommandResultType = "FAILED"
	CommandResultNotSupported        CommandResultType = "NOT_SUPPORTED"
	CommandResultRejected            CommandResultType = "REJECTED"
	CommandResultTimeout             CommandResultType = "TIMEOUT"
	CommandResultUnknownReservation  CommandResultType = "UNKNOWN_RESERVATION"
)

// Known reports whether t is one of OCPI 2.2.1.
func (t CommandResultType) Known() bool {
	switch t {
	case CommandResultAccepted, CommandResultCanceledReservation, CommandResultEVSEOccupied,
		CommandResultEVSEInoperative, CommandResultFailed, CommandResultNotSupported,
		CommandResultRejected, CommandResultTimeout, CommandResultUnknownReservation:
		return true
	}
	return false
}

package ocpi

import "strconv"

// StatusCode is the verdict in the body of every response (OCPI 2.2.1 §
// Status codes). 1xxx is success, 2xxx the client's fault, 3xxx the server's
// and 4xxx a hub's; x9xx are for private use.
type StatusCode int

// The status codes.
const (
	StatusSuccess              StatusCode = 1000
	StatusClientError          StatusCode = 2000
	StatusInvalidParameters    StatusCode = 2001
	StatusNotEnoughInformation StatusCode = 2002
	StatusUnknownLocation      StatusCode = 2003
	StatusUnknownToken         StatusCode = 2004
	StatusServerError          StatusCode = 3000
	StatusUnableToUseClientAPI StatusCode = 3001
	StatusUnsupportedVersion   StatusCode = 3002
	StatusMissingEndpoints     StatusCode = 3003
	StatusHubError             StatusCode = 4000
	StatusUnknownReceiver      StatusCode = 4001
	StatusForwardTimeout       StatusCode = 4002
	StatusConnectionProblem    StatusCode = 4003
)

// Success reports whether c is in the success range (STA-01).
func (c StatusCode) Success() bool { return c/1000 == 1 }

// String returns the specification's name of c, or its range for a code that
// the specification does not name.
func (c StatusCode) String() string {
	switch c {
	case StatusSuccess:
		return "Success"
	case StatusClientError:
		return "Generic client error"
	case StatusInvalidParameters:
		return "Invalid or missing parameters"
	case StatusNotEnoughInformation:
		return "Not enough information"
	case StatusUnknownLocation:
		return "Unknown Location"
	case StatusUnknownToken:
		return "Unknown Token"
	case StatusServerError:
		return "Generic server error"
	case StatusUnableToUseClientAPI:
		return "Unable to use the client's API"
	case StatusUnsupportedVersion:
		return "Unsupported version"
	case StatusMissingEndpoints:
		return "No matching endpoints between parties"
	case StatusHubError:
		return "Generic hub error"
	case StatusUnknownReceiver:
		return "Unknown receiver"
	case StatusForwardTimeout:
		return "Timeout on forwarded request"
	case StatusConnectionProblem:
		return "Connection problem"
	}
	return "Status " + strconv.Itoa(int(c))
}

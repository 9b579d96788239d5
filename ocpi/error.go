package ocpi

import (
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error is a fault of the caller, with a text that is safe to send back. It
// says which HTTP status and which OCPI status code it is answered with: OCPI
// uses HTTP errors only below its own layer, so a well-formed message with a
// wrong content is HTTP 200 with code 2001 (OCPI 2.2.1 § Status codes).
type Error struct {
	HTTPStatus int
	StatusCode StatusCode
	Message    string
	Findings   Findings // what the message says, when it is about fields
	Err        error    // the cause, for the log only; may be nil
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// InvalidParameter is HTTP 200, code 2001: the field at path (or the
// parameter of that name) breaks the rule.
func InvalidParameter(path, rule, value string) *Error {
	return invalid(Findings{{Path: path, Rule: rule, Value: shorten(value)}}, nil)
}

// invalid is the Error that names the first of rejects.
func invalid(rejects Findings, cause error) *Error {
	const named = 3
	var text []string
	for _, f := range rejects[:min(named, len(rejects))] {
		text = append(text, f.String())
	}
	if len(rejects) > named {
		text = append(text, "and "+strconv.Itoa(len(rejects)-named)+" more")
	}
	return &Error{
		HTTPStatus: http.StatusOK,
		StatusCode: StatusInvalidParameters,
		Message:    strings.Join(text, "; "),
		Findings:   rejects,
		Err:        cause,
	}
}

// Malformed is HTTP 400, code 2001: the body is not JSON.
func Malformed(message string) *Error {
	return &Error{HTTPStatus: http.StatusBadRequest, StatusCode: StatusInvalidParameters, Message: message}
}

// Unauthorized is HTTP 401, code 2000: no credentials token, or not a valid
// one for this request.
func Unauthorized(message string) *Error {
	return &Error{HTTPStatus: http.StatusUnauthorized, StatusCode: StatusClientError, Message: message}
}

// NotFound is HTTP 404. The code is StatusUnknownLocation for the location
// tree, StatusUnknownToken for tokens, otherwise StatusInvalidParameters.
func NotFound(code StatusCode, message string) *Error {
	return &Error{HTTPStatus: http.StatusNotFound, StatusCode: code, Message: message}
}

// MethodNotAllowed is HTTP 405, code 2000: the interface has no such method,
// or not in this state of the registration.
func MethodNotAllowed(message string) *Error {
	return &Error{HTTPStatus: http.StatusMethodNotAllowed, StatusCode: StatusClientError, Message: message}
}

// Refused is HTTP 200 with the given code: the message was understood and is
// answered with a failure.
func Refused(code StatusCode, message string) *Error {
	return &Error{HTTPStatus: http.StatusOK, StatusCode: code, Message: message}
}

// shorten cuts a foreign value to a length that may be quoted in a message.
func shorten(s string) string {
	const limit = 64
	if len(s) <= limit {
		return s
	}
	end := limit
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

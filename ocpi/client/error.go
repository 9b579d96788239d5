package client

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Fault is why a call failed.
type Fault uint8

// The faults. After the first two the outcome of a call that changes something is unknown.
const (
	Unreachable Fault = iota + 1 // no connection, no answer in time, or an address that we do not call
	NotOCPI                      // an answer that is no OCPI message
	Refused                      // the partner, or a hub on the way, said no
)

// Error is a call that did not succeed. It names no token.
type Error struct {
	Fault      Fault
	Method     string
	URL        string          // without its query
	HTTPStatus int             // 0 when there was no answer
	StatusCode ocpi.StatusCode // 0 when the answer had none
	Message    string          // the partner's own words, or ours
	Err        error           // the cause; may be nil
}

func (e *Error) Error() string {
	text := e.Method + " " + e.URL + ": "
	switch {
	case e.Fault == Unreachable:
		return text + "cannot be reached: " + e.Message
	case e.StatusCode != 0:
		text += fmt.Sprintf("HTTP %d, status %d (%s)", e.HTTPStatus, int(e.StatusCode), e.StatusCode)
	default:
		text += fmt.Sprintf("HTTP %d", e.HTTPStatus)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) unreachable(err error) *Error {
	e.Fault, e.Message, e.Err = Unreachable, rootCause(err), err
	return e
}

func (e *Error) notOCPI(message string) *Error {
	e.Fault, e.Message = NotOCPI, message
	return e
}

func (e *Error) refused(code ocpi.StatusCode, message string) *Error {
	const limit = 500
	if len(message) > limit {
		message = message[:limit] + "…"
	}
	e.Fault, e.StatusCode, e.Message = Refused, code, message
	return e
}

// rootCause is the text of the innermost error: the outer ones repeat method and URL.
func rootCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// unauthorized reports whether the partner does not accept the token.
func unauthorized(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.HTTPStatus == http.StatusUnauthorized
}

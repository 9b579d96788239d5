package client

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

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
	RetryAfter time.Duration   // how long the partner wants to be left alone; 0 when it does not say (STA-08)
	Message    string          // the partner's own words, or ours
	Err        error           // the cause; may be nil

	data jsontext.Value // what stood beside a refusal; it means something to commands only (TRN-15)
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

// Unsent reports whether the partner cannot have got the call: no connection came about. What an Unreachable partner did with
// a call that may have gone out is not known.
func (e *Error) Unsent() bool {
	var address addressError
	var op *net.OpError
	return e.Fault == Unreachable && (errors.As(e.Err, &address) || errors.As(e.Err, &op) && op.Op == "dial")
}

// retryAfter reads the header of that name: seconds or a date (RFC 9110 § 10.2.3).
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// unauthorized reports whether the partner does not accept the token.
func unauthorized(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.HTTPStatus == http.StatusUnauthorized
}

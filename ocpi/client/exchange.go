package client

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Exchange is one call and what came of it, for whoever keeps a record. It has no Authorization header; the bodies are as
// they went over the wire, with the tokens that credentials have in them.
type Exchange struct {
	Partner       uuid.UUID // Nil: nobody we know yet
	Version       ocpi.VersionNumber
	Module        ocpi.ModuleID // "" for versions and for what no module has in its path
	Method        string
	URL           string
	RequestID     string
	CorrelationID string
	Routing       ocpi.Routing
	Request       []byte
	HTTPStatus    int             // 0: no answer
	StatusCode    ocpi.StatusCode // 0: none
	Message       string          // the partner's status_message, or why there is no answer that is one
	Header        http.Header     // of the answer
	Response      []byte
	Took          time.Duration // until all of the answer was there
	Err           error         // nil: a success
}

func exchangeOf(r request, req *http.Request, body []byte, fail *Error, res *http.Response, received []byte, took time.Duration, err error) Exchange {
	e := Exchange{
		Partner: r.auth.Partner, Version: r.auth.dialect().Version, Module: r.module, Method: r.method, URL: req.URL.String(),
		RequestID: req.Header.Get(ocpi.HeaderRequestID), CorrelationID: req.Header.Get(ocpi.HeaderCorrelationID),
		Routing: r.routing, Request: body, HTTPStatus: fail.HTTPStatus, Response: received, Took: took, Err: err,
		StatusCode: ocpi.StatusSuccess,
	}
	if err != nil {
		e.StatusCode, e.Message = fail.StatusCode, fail.Message
	}
	if res != nil {
		e.Header = res.Header
	}
	if e.Module == "" {
		e.Module = moduleIn(req.URL.EscapedPath())
	}
	return e
}

// moduleIn finds the module that a partner's address is of: the last segment that is the name of one.
func moduleIn(path string) ocpi.ModuleID {
	for _, segment := range slices.Backward(strings.Split(path, "/")) {
		if m := ocpi.ModuleID(strings.ToLower(segment)); m.Known() {
			return m
		}
	}
	return ""
}

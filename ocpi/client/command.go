package client

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// SendCommand gives a CPO a command and returns its immediate answer (CMD-01, CMD-10). The endpoint is that of the partner's
// commands RECEIVER, the body the object of the command. A refusal that comes as an error with an answer beside it, such as
// 2003 with REJECTED, is that answer (CMD-11).
func (c *Client) SendCommand(ctx context.Context, peer Peer, endpoint string, command ocpi.CommandType, body any) (ocpi.CommandResponse, error) {
	address, err := join(endpoint, nil, ocpi.CiString(command))
	if err != nil {
		return ocpi.CommandResponse{}, err
	}
	var response ocpi.CommandResponse
	err = c.ask(ctx, request{method: http.MethodPost, url: address, auth: peer.Auth, routing: peer.Routing, body: body}, &response)
	var refused *Error
	if errors.As(err, &refused) {
		var beside ocpi.CommandResponse
		if ocpi.UnmarshalLenient(refused.data, &beside) != nil || beside.Result == "" || beside.Result == ocpi.CommandResponseAccepted {
			return ocpi.CommandResponse{}, err
		}
		return beside, nil
	}
	if err == nil && response.Result == "" {
		return response, noResult(http.MethodPost, address)
	}
	return response, err
}

// ask sends a request and reads what the partner answers into v.
func (c *Client) ask(ctx context.Context, r request, v any) error {
	a, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	if a.data == nil {
		a.data = jsontext.Value("null")
	}
	if err := ocpi.UnmarshalLenient(a.data, v); err != nil {
		return a.notOCPI(err)
	}
	return nil
}

// noResult is the error for an answer that says neither yes nor no.
func noResult(method, address string) *Error {
	e := &Error{Method: method, URL: withoutQuery(address), HTTPStatus: http.StatusOK}
	return e.notOCPI("the answer has no result")
}

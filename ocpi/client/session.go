package client

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// SetChargingPreferences tells a CPO how the driver wants a running session to be charged (SES-19). The endpoint is that of
// the partner's sessions SENDER. An answer in an object instead of a bare string is understood (SES-21). A CPO whose charging
// point cannot do it answers with HTTP 404 and 2001.
func (c *Client) SetChargingPreferences(ctx context.Context, peer Peer, endpoint string, session ocpi.CiString, wish ocpi.ChargingPreferences) (ocpi.ChargingPreferencesResponse, error) {
	address, err := join(endpoint, nil, session, "charging_preferences")
	if err != nil {
		return "", err
	}
	var data jsontext.Value
	if err := c.ask(ctx, request{method: http.MethodPut, url: address, auth: peer.Auth, routing: peer.Routing, body: &wish}, &data); err != nil {
		return "", err
	}
	var response ocpi.ChargingPreferencesResponse
	var object struct {
		Result ocpi.ChargingPreferencesResponse `json:"result"`
	}
	if data.Kind() == jsontext.KindString && ocpi.Unmarshal(data, &response) == nil && response != "" {
		return response, nil
	}
	if ocpi.UnmarshalLenient(data, &object) == nil && object.Result != "" {
		return object.Result, nil
	}
	return "", noResult(http.MethodPut, address)
}

package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// SetChargingProfile asks a CPO to apply a profile to a session (CHP-01). The endpoint is that of the partner's
// chargingprofiles RECEIVER.
func (c *Client) SetChargingProfile(ctx context.Context, peer Peer, endpoint string, session ocpi.CiString, set ocpi.SetChargingProfile) (ocpi.ChargingProfileResponse, error) {
	return c.profile(ctx, peer, request{method: http.MethodPut, body: &set}, endpoint, nil, session)
}

// ReadChargingProfile asks a CPO for what will happen in a session during the coming time, in whole seconds (CHP-02).
func (c *Client) ReadChargingProfile(ctx context.Context, peer Peer, endpoint string, session ocpi.CiString, during time.Duration, responseURL string) (ocpi.ChargingProfileResponse, error) {
	query := url.Values{"duration": {strconv.Itoa(int(during / time.Second))}, "response_url": {responseURL}}
	return c.profile(ctx, peer, request{method: http.MethodGet}, endpoint, query, session)
}

// ClearChargingProfile asks a CPO to remove our profile from a session (CHP-03).
func (c *Client) ClearChargingProfile(ctx context.Context, peer Peer, endpoint string, session ocpi.CiString, responseURL string) (ocpi.ChargingProfileResponse, error) {
	return c.profile(ctx, peer, request{method: http.MethodDelete}, endpoint, url.Values{"response_url": {responseURL}}, session)
}

func (c *Client) profile(ctx context.Context, peer Peer, r request, endpoint string, query url.Values, session ocpi.CiString) (response ocpi.ChargingProfileResponse, err error) {
	if r.url, err = join(endpoint, query, session); err != nil {
		return response, err
	}
	r.auth, r.routing = peer.Auth, peer.Routing
	if err = c.ask(ctx, r, &response); err == nil && response.Result == "" {
		err = noResult(r.method, r.url)
	}
	return response, err
}

package client

import (
	"context"
	"net/http"

	"github.com/roamwerk/roamwerk/ocpi"
)

// PostCredentials registers us with a partner and returns its credentials, whose token we send from then on. Both 200 and
// 201 are a success (CRED-06).
func (c *Client) PostCredentials(ctx context.Context, auth Auth, url string, ours ocpi.Credentials) (ocpi.Credentials, error) {
	return c.credentials(ctx, request{method: http.MethodPost, module: ocpi.ModuleCredentials, url: url, auth: auth, body: &ours})
}

// PutCredentials tells a registered partner our new credentials and returns its new ones (CRED-18).
func (c *Client) PutCredentials(ctx context.Context, auth Auth, url string, ours ocpi.Credentials) (ocpi.Credentials, error) {
	return c.credentials(ctx, request{method: http.MethodPut, module: ocpi.ModuleCredentials, url: url, auth: auth, body: &ours})
}

// DeleteCredentials ends the registration (CRED-30).
func (c *Client) DeleteCredentials(ctx context.Context, auth Auth, url string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, module: ocpi.ModuleCredentials, url: url, auth: auth})
	return err
}

func (c *Client) credentials(ctx context.Context, r request) (ocpi.Credentials, error) {
	a, err := c.do(ctx, r)
	if err != nil {
		return ocpi.Credentials{}, err
	}
	var theirs ocpi.Credentials
	// Credentials of OCPI 2.1.1 do not say which role they are of. It knows eMSPs and CPOs, and we call no eMSPs.
	origin := ocpi.Origin{Role: ocpi.RoleCPO}
	if _, err := r.auth.dialect().Decode(a.data, &theirs, origin, ocpi.UnmarshalLenient); err != nil {
		return ocpi.Credentials{}, a.notOCPI(err)
	}
	if err := theirs.Validate().Err(); err != nil {
		return ocpi.Credentials{}, a.notOCPI(err)
	}
	return theirs, nil
}

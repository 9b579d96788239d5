package client

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// ErrNoVersion says that a partner does not offer the version that is asked for (VER-08).
var ErrNoVersion = errors.New("the partner does not offer this version of OCPI")

// Versions returns the versions that a partner speaks.
func (c *Client) Versions(ctx context.Context, auth Auth, versionsURL string) ([]ocpi.Version, error) {
	a, err := c.do(ctx, request{method: http.MethodGet, url: versionsURL, auth: auth})
	if err != nil {
		return nil, err
	}
	var versions []ocpi.Version
	if err := ocpi.UnmarshalLenient(a.data, &versions); err != nil {
		return nil, a.notOCPI(err)
	}
	return versions, nil
}

// Details returns the endpoints of one version. A partner that answers with the bare list is understood.
func (c *Client) Details(ctx context.Context, auth Auth, url string) (ocpi.VersionDetails, error) {
	a, err := c.do(ctx, request{method: http.MethodGet, url: url, auth: auth})
	if err != nil {
		return ocpi.VersionDetails{}, err
	}
	var details ocpi.VersionDetails
	if a.data.Kind() == jsontext.KindBeginArray {
		err = ocpi.UnmarshalLenient(a.data, &details.Endpoints)
	} else {
		err = ocpi.UnmarshalLenient(a.data, &details)
	}
	if err != nil {
		return ocpi.VersionDetails{}, a.notOCPI(err)
	}
	return details, nil
}

// Discovery is what a partner's versions and details say.
type Discovery struct {
	Details ocpi.VersionDetails
	Auth    Auth // with the form of the token that the partner understood
}

// Discover reads a partner's versions and the details of one of them. When the very first call is answered with 401, it is
// tried once more with the token in the other form, and the form that works is returned (TRN-06). The error is
// ErrNoVersion when the partner lacks the version.
func (c *Client) Discover(ctx context.Context, auth Auth, versionsURL string, version ocpi.VersionNumber) (Discovery, error) {
	versions, err := c.Versions(ctx, auth, versionsURL)
	if unauthorized(err) {
		other := auth
		other.Raw = !auth.Raw
		if again, retryErr := c.Versions(ctx, other, versionsURL); retryErr == nil {
			versions, err, auth = again, nil, other
		}
	}
	if err != nil {
		return Discovery{}, err
	}
	offered, ok := ocpi.NewestVersion(versions, version)
	if !ok {
		return Discovery{}, ErrNoVersion
	}
	details, err := c.Details(ctx, auth, offered.URL)
	if err != nil {
		return Discovery{}, err
	}
	return Discovery{Details: details, Auth: auth}, nil
}

// notOCPI is the error for an answer whose data is not what the call returns.
func (a answer) notOCPI(err error) *Error {
	e := &Error{Method: http.MethodGet, URL: withoutQuery(a.url.String()), HTTPStatus: http.StatusOK, Err: err}
	return e.notOCPI(err.Error())
}

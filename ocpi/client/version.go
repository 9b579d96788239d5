package client

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// ErrNoVersion says that a partner offers none of the versions that are asked for (VER-08).
var ErrNoVersion = errors.New("the partner offers no version of OCPI that we speak")

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
	Auth    Auth // with the form of the token that the partner understood, and the version that was chosen
}

// Discover reads a partner's versions and the details of the highest of those that we speak (VER-07). A call that is answered
// with 401 is tried once more with the token in the other form, and the form that works is returned (TRN-06): not every
// partner asks for a token at its versions. The error is ErrNoVersion when the partner lacks the versions.
func (c *Client) Discover(ctx context.Context, auth Auth, versionsURL string, spoken ...*ocpi.Dialect) (Discovery, error) {
	found := Discovery{Auth: auth}
	var versions []ocpi.Version
	err := found.inEitherForm(func() (err error) {
		versions, err = c.Versions(ctx, found.Auth, versionsURL)
		return err
	})
	if err != nil {
		return Discovery{}, err
	}
	address := ""
	for _, d := range spoken {
		if offered, ok := ocpi.NewestVersion(versions, d.Version); ok && (address == "" || d.Version.Compare(found.Auth.Dialect.Version) > 0) {
			address, found.Auth.Dialect = offered.URL, d
		}
	}
	if address == "" {
		return Discovery{}, ErrNoVersion
	}
	found.Auth.Raw = found.Auth.Raw || found.Auth.Dialect.RawToken // the usual form, which versions need not have shown
	err = found.inEitherForm(func() (err error) {
		found.Details, err = c.Details(ctx, found.Auth, address)
		return err
	})
	if err != nil {
		return Discovery{}, err
	}
	return found, nil
}

// inEitherForm makes a call with the token in the form that is known to work, else in the other.
func (d *Discovery) inEitherForm(call func() error) error {
	err := call()
	if !unauthorized(err) {
		return err
	}
	d.Auth.Raw = !d.Auth.Raw
	if call() == nil {
		return nil
	}
	d.Auth.Raw = !d.Auth.Raw
	return err
}

// notOCPI is the error for an answer whose data is not what the call returns.
func (a answer) notOCPI(err error) *Error {
	e := &Error{Method: http.MethodGet, URL: withoutQuery(a.url.String()), HTTPStatus: http.StatusOK, Err: err}
	return e.notOCPI(err.Error())
}

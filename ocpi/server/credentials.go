package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// registered reports whether the caller has completed the handshake and presents a token from it.
func (c *call) registered() bool { return !c.invited && c.partner.State == "registered" }

// getCredentials answers with what the caller uses already; its token is not stored and so is the one it just sent (CRED-26).
func (c *call) getCredentials(ctx context.Context) (answer, error) {
	ours, err := c.ops.OurCredentials(ctx, c.partner.ID, c.token, c.dialect)
	return answer{data: &ours}, err
}

// postCredentials registers the caller (CRED-09).
func (c *call) postCredentials(ctx context.Context) (answer, error) {
	if !c.invited {
		return answer{}, c.notNow("you are registered already: use PUT", http.MethodGet, http.MethodPut, http.MethodDelete)
	}
	return c.acceptCredentials(ctx)
}

// putCredentials updates a registration: another token, address, party or set of endpoints (CRED-18), or another version, whose
// credentials these are (CRED-19).
func (c *call) putCredentials(ctx context.Context) (answer, error) {
	if !c.registered() {
		return answer{}, c.notNow("you are not registered: use POST", http.MethodGet, http.MethodPost)
	}
	return c.acceptCredentials(ctx)
}

func (c *call) acceptCredentials(ctx context.Context) (answer, error) {
	var theirs ocpi.Credentials
	if err := c.read(&theirs); err != nil {
		return answer{}, err
	}
	caller := jobs.Caller{Partner: c.partner, Hash: c.hash, Raw: c.raw, Update: c.registered(), Dialect: c.dialect}
	ours, err := c.ops.AcceptCredentials(ctx, caller, theirs)
	return answer{data: &ours}, err
}

// deleteCredentials ends the registration (CRED-27).
func (c *call) deleteCredentials(ctx context.Context) (answer, error) {
	if !c.registered() {
		return answer{}, c.notNow("you are not registered", http.MethodGet, http.MethodPost)
	}
	return answer{}, c.ops.PartnerEnded(ctx, c.partner.ID)
}

// notNow refuses a method that the interface has, but not in this state of the registration (CRED-13, CRED-20, CRED-28).
func (c *call) notNow(why string, allowed ...string) error {
	c.echo.Set(echo.ContextKeyHeaderAllow, strings.Join(allowed, ", "))
	return ocpi.MethodNotAllowed(why)
}

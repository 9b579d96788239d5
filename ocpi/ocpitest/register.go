package ocpitest

import (
	"context"
	"fmt"
	"net/http"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Register starts the handshake with the platform whose versions URL and
// token A we were given (CRED-01).
func (p *Peer) Register(ctx context.Context, versionsURL, tokenA string) error {
	endpoints, err := p.discover(ctx, versionsURL, tokenA)
	if err != nil {
		return fmt.Errorf("register %s: %w", p.name, err)
	}
	tokenB := newToken()
	p.accept(tokenB)
	theirs, err := p.exchangeCredentials(ctx, http.MethodPost, endpoints, tokenA, tokenB)
	if err != nil {
		p.revoke(tokenB)
		return fmt.Errorf("register %s: %w", p.name, err)
	}
	p.remember(Registration{Token: theirs.Token, Inbound: tokenB, VersionsURL: theirs.URL, Endpoints: endpoints, Roles: theirs.Roles})
	return nil
}

// Rotate asks the platform for a new token and gives it a new one of ours
// (CRED-18, CRED-22).
func (p *Peer) Rotate(ctx context.Context) error {
	current, registered := p.Registration()
	if !registered {
		return fmt.Errorf("rotate the token of %s: %w", p.name, errNotRegistered)
	}
	tokenB := newToken()
	p.accept(tokenB)
	theirs, err := p.exchangeCredentials(ctx, http.MethodPut, current.Endpoints, current.Token, tokenB)
	if err != nil {
		p.revoke(tokenB)
		return fmt.Errorf("rotate the token of %s: %w", p.name, err)
	}
	p.remember(Registration{Token: theirs.Token, Inbound: tokenB, VersionsURL: theirs.URL, Endpoints: current.Endpoints, Roles: theirs.Roles})
	return nil
}

// Unregister ends the registration; we forget it whatever the answer.
func (p *Peer) Unregister(ctx context.Context) error {
	base, err := p.endpoint(ocpi.ModuleCredentials, ocpi.Receiver)
	if err != nil {
		return fmt.Errorf("unregister %s: %w", p.name, err)
	}
	_, err = p.do(ctx, call{method: http.MethodDelete, module: ocpi.ModuleCredentials, url: base})
	p.mu.Lock()
	p.remote, p.inbound = Registration{}, nil
	p.mu.Unlock()
	if err != nil {
		return fmt.Errorf("unregister %s: %w", p.name, err)
	}
	return nil
}

// Invite makes a token A for the platform to start the handshake with. A
// second invitation replaces the first.
func (p *Peer) Invite() (versionsURL, token string) {
	token = newToken()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.invite = token
	return p.VersionsURL(), token
}

// required are the interfaces without which we do not register (CRED-03).
var required = []struct {
	module ocpi.ModuleID
	role   ocpi.InterfaceRole
}{
	{ocpi.ModuleCredentials, ocpi.Receiver},
	{ocpi.ModuleLocations, ocpi.Receiver},
	{ocpi.ModuleSessions, ocpi.Receiver},
	{ocpi.ModuleCDRs, ocpi.Receiver},
	{ocpi.ModuleTariffs, ocpi.Receiver},
	{ocpi.ModuleTokens, ocpi.Sender},
}

// discover reads the platform's versions and the details of the peer's.
func (p *Peer) discover(ctx context.Context, versionsURL, token string) ([]ocpi.Endpoint, error) {
	x, err := p.do(ctx, call{method: http.MethodGet, url: versionsURL, token: token})
	if err != nil {
		return nil, err
	}
	var versions []ocpi.Version
	if err := ocpi.Unmarshal(x.Answer.Data, &versions); err != nil {
		return nil, fmt.Errorf("read the versions of the platform: %w", err)
	}
	version, ok := ocpi.NewestVersion(versions, p.version)
	if !ok {
		return nil, ocpi.Refused(ocpi.StatusUnsupportedVersion, "the platform does not offer OCPI "+string(p.version))
	}
	x, err = p.do(ctx, call{method: http.MethodGet, url: version.URL, token: token})
	if err != nil {
		return nil, err
	}
	var details ocpi.VersionDetails
	if err := ocpi.Unmarshal(x.Answer.Data, &details); err != nil {
		return nil, fmt.Errorf("read the endpoints of the platform: %w", err)
	}
	if details.Version != version.Version {
		p.complain("VER-03", version.URL, "the details are for version %q", details.Version)
	}
	for _, r := range required {
		if _, ok := details.Endpoint(r.module, r.role); !ok {
			return nil, ocpi.Refused(ocpi.StatusMissingEndpoints, fmt.Sprintf("the platform does not offer %s as %s", r.module, r.role))
		}
	}
	return details.Endpoints, nil
}

// exchangeCredentials sends ours and returns the platform's.
func (p *Peer) exchangeCredentials(ctx context.Context, method string, endpoints []ocpi.Endpoint, present, offer string) (ocpi.Credentials, error) {
	details := ocpi.VersionDetails{Endpoints: endpoints}
	base, _ := details.Endpoint(ocpi.ModuleCredentials, ocpi.Receiver)
	x, err := p.do(ctx, call{method: method, module: ocpi.ModuleCredentials, url: base, token: present, body: p.credentials(offer)})
	if err != nil {
		return ocpi.Credentials{}, err
	}
	var theirs ocpi.Credentials
	if err := ocpi.Unmarshal(p.understand(ocpi.ModuleCredentials, x.Answer.Data), &theirs); err != nil {
		return ocpi.Credentials{}, fmt.Errorf("read the credentials of the platform: %w", err)
	}
	if theirs.Token == "" || theirs.URL == "" || len(theirs.Roles) == 0 {
		return ocpi.Credentials{}, fmt.Errorf("the credentials of the platform lack a token, a URL or roles")
	}
	return theirs, nil
}

func (p *Peer) accept(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inbound = append(p.inbound, token)
}

func (p *Peer) revoke(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inbound = remove(p.inbound, token)
}

func remove(tokens []string, token string) []string {
	var rest []string
	for _, t := range tokens {
		if t != token {
			rest = append(rest, t)
		}
	}
	return rest
}

// remember makes r the registration and its tokens the only valid ones.
func (p *Peer) remember(r Registration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remote, p.inbound, p.invite = r, []string{r.Inbound}, ""
}

// serveCredentials is our credentials module, seen by the platform.
func (p *Peer) serveCredentials(r *http.Request, in inbound) answer {
	p.mu.Lock()
	registered := p.remote.Token != "" && !in.invited
	p.mu.Unlock()
	switch {
	case r.Method == http.MethodGet:
		return success(p.credentials(in.token))
	case r.Method == http.MethodPost && !registered, r.Method == http.MethodPut && registered:
		return p.receiveCredentials(r.Context(), in)
	case r.Method == http.MethodDelete && registered:
		p.mu.Lock()
		p.remote, p.inbound = Registration{}, nil
		p.mu.Unlock()
		return success(nil)
	default:
		return refuse(ocpi.MethodNotAllowed("not in this state of the registration"))
	}
}

// receiveCredentials calls the platform back before it answers (CRED-09,
// CRED-18).
func (p *Peer) receiveCredentials(ctx context.Context, in inbound) answer {
	var theirs ocpi.Credentials
	if err := ocpi.Unmarshal(p.understand(ocpi.ModuleCredentials, in.body), &theirs); err != nil {
		return refuse(err)
	}
	if theirs.Token == "" || theirs.URL == "" || len(theirs.Roles) == 0 {
		return refuse(ocpi.Refused(ocpi.StatusInvalidParameters, "token, url and roles are required"))
	}
	endpoints, err := p.discover(ctx, theirs.URL, theirs.Token)
	faults := p.currentFaults()
	if faults.HalfRegisters {
		return answer{http: http.StatusInternalServerError, status: ocpi.StatusServerError, message: "a fault was asked for"}
	}
	if err != nil {
		return refuseDiscovery(err)
	}
	token := newToken()
	p.remember(Registration{Token: theirs.Token, Inbound: token, VersionsURL: theirs.URL, Endpoints: endpoints, Roles: theirs.Roles})
	done := success(p.credentials(token))
	if faults.CredentialsAre201 {
		done.http = http.StatusCreated
	}
	return done
}

package jobs

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/seal"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// VersionsURL is where partners begin (OCPI 2.2.1 § Versions endpoint).
func VersionsURL(baseURL string) string { return strings.TrimRight(baseURL, "/") + "/ocpi/versions" }

// OurCredentials is what we tell a partner about us: where we are, the token that it presents, and one eMSP role for each
// utility that works with it (CRED-32). A version of OCPI whose credentials name one party is refused to a partner of several
// utilities, with an *ocpi.Error (VDF-01); a nil version is any that names all.
func (o *Ops) OurCredentials(ctx context.Context, partner uuid.UUID, token string, d *ocpi.Dialect) (ocpi.Credentials, error) {
	tenants, err := o.DB.TenantsOfPartner(ctx, partner)
	if err != nil {
		return ocpi.Credentials{}, fmt.Errorf("tenants of partner: %w", err)
	}
	if d != nil && d.OneParty && len(tenants) != 1 {
		return ocpi.Credentials{}, ocpi.Refused(ocpi.StatusUnsupportedVersion, fmt.Sprintf(
			"OCPI %s connects two parties, and %d of this platform work with you: use a later version, or one connection for each", d.Version, len(tenants)))
	}
	c := ocpi.Credentials{Token: token, URL: VersionsURL(o.BaseURL)}
	for _, t := range tenants {
		c.Roles = append(c.Roles, ourRole(t.CountryCode, t.PartyID, t.Name, t.Website))
	}
	return c, nil
}

// ourRole is a utility as partners are told of it, within the limits of OCPI (TYP-03, TYP-13): a website may be printed on
// invoices without its scheme.
func ourRole(countryCode, partyID, name, website string) ocpi.CredentialsRole {
	if website != "" && !strings.Contains(website, "://") {
		website = "https://" + website
	}
	if u, err := url.Parse(website); err != nil || u.Host == "" || len(website) > 255 {
		website = ""
	}
	return ocpi.CredentialsRole{
		Role: ocpi.RoleEMSP, CountryCode: ocpi.CiString(countryCode), PartyID: ocpi.CiString(partyID),
		BusinessDetails: ocpi.BusinessDetails{Name: cut(name, 100), Website: website},
	}
}

// cut is the beginning of a text, at most so many characters long.
func cut(text string, limit int) string {
	if r := []rune(text); len(r) > limit {
		return strings.TrimSpace(string(r[:limit]))
	}
	return text
}

// newPartnerToken makes a token for a partner to present: 128 bits and more, printable, at most 64 characters (TRN-10). The
// full stop is in no Base64 alphabet, so that none of our tokens is the Base64 text of another (TRN-05).
func newPartnerToken() string { return "rw." + rand.Text() }

// partnerLabel is the place of the token that we send to a partner.
func partnerLabel(id uuid.UUID) string { return "partner/" + id.String() }

// partnerAuth is how we prove to a registered partner who we are.
func partnerAuth(box *seal.Box, p db.Partner) (client.Auth, error) {
	token, err := box.Open(partnerLabel(p.ID), p.TokenSealed)
	if err != nil {
		return client.Auth{}, fmt.Errorf("token for partner %q: %w", p.Name, err)
	}
	certificate, err := partnerCertificate(box, p)
	if err != nil {
		return client.Auth{}, err
	}
	dialect, err := DialectOf(ocpi.VersionNumber(p.Version))
	if err != nil {
		return client.Auth{}, fmt.Errorf("partner %q: %w", p.Name, err)
	}
	return client.Auth{Token: token, Raw: p.AuthEncoding == "raw", Certificate: certificate, Partner: p.ID, Dialect: dialect}, nil
}

// partnerCertificate is what we show a partner that asks for a certificate; nil: none was agreed on.
func partnerCertificate(box *seal.Box, p db.Partner) (*tls.Certificate, error) {
	if p.CertificateSealed == nil {
		return nil, nil
	}
	text, err := box.Open(partnerLabel(p.ID)+"/certificate", p.CertificateSealed)
	if err != nil {
		return nil, fmt.Errorf("certificate for partner %q: %w", p.Name, err)
	}
	pair, err := tls.X509KeyPair([]byte(text), []byte(text))
	if err != nil {
		return nil, fmt.Errorf("certificate for partner %q: %w", p.Name, err)
	}
	return &pair, nil
}

// partnerEndpoint is the address of one interface of a registered partner.
func partnerEndpoint(p db.Partner, module ocpi.ModuleID, role ocpi.InterfaceRole) (url string, ok bool, err error) {
	var details ocpi.VersionDetails
	if err := ocpi.Unmarshal(p.Endpoints, &details.Endpoints); err != nil {
		return "", false, fmt.Errorf("endpoints of partner %q: %w", p.Name, err)
	}
	url, ok = details.Endpoint(module, role)
	return url, ok, nil
}

// registration is what a handshake has settled, whoever started it.
type registration struct {
	theirs ocpi.Credentials // the token that we send, their versions URL and parties
	ours   ocpi.Credentials // what they were told of us
	found  client.Discovery // their endpoints, and the form in which they understand the token
	token  string           // what they present from now on; a live token or about to be
	again  bool             // they were registered before: an update
}

// requiredModules are those without which a partner is of no use (CRED-12): whatever else it offers, it must be possible to
// part again.
var requiredModules = []struct {
	id   ocpi.ModuleID
	role ocpi.InterfaceRole
}{
	{ocpi.ModuleCredentials, ocpi.Receiver},
}

// errMissingEndpoints says that a partner lacks one of the required modules. It is safe to show.
type errMissingEndpoints struct{ module ocpi.ModuleID }

func (e errMissingEndpoints) Error() string {
	return fmt.Sprintf("the version details list no endpoint of module %s", e.module)
}

func checkEndpoints(details ocpi.VersionDetails) error {
	for _, m := range requiredModules {
		if url, ok := details.Endpoint(m.id, m.role); !ok || url == "" {
			return errMissingEndpoints{m.id}
		}
	}
	return nil
}

// save makes the partner a registered one. The caller holds the partner's row. It returns the tokens to push: all of the
// partner's utilities, when it is new.
func (r *registration) save(ctx context.Context, q *db.Queries, o *Ops, p db.Partner) ([]uuid.UUID, error) {
	role, party, err := mainParty(p, r.theirs.Roles)
	if err != nil {
		return nil, err
	}
	if err := r.saveParties(ctx, q, o, p); err != nil {
		return nil, err
	}
	if err := q.RevokeOtherPartnerTokens(ctx, db.RevokeOtherPartnerTokensParams{PartnerID: p.ID, Keep: o.Box.Hash(r.token), Now: o.Now()}); err != nil {
		return nil, fmt.Errorf("revoke tokens: %w", err)
	}
	endpoints, err := ocpi.Marshal(r.found.Details.Endpoints)
	if err != nil {
		return nil, fmt.Errorf("encode endpoints: %w", err)
	}
	encoding := "base64"
	if r.found.Auth.Raw {
		encoding = "raw"
	}
	err = q.RegisterPartner(ctx, db.RegisterPartnerParams{
		ID: p.ID, Role: string(role), CountryCode: party.CountryCode.Fold(), PartyID: party.PartyID.Fold(), VersionsURL: r.theirs.URL,
		Version: string(r.found.Auth.Dialect.Version), Endpoints: endpoints, AuthEncoding: encoding,
		TokenSealed: o.Box.Seal(partnerLabel(p.ID), r.theirs.Token), Now: o.Now(), CheckAt: o.Now().Add(spread(checkEvery)),
		Advertised: offerTo(o.Offer, p.HiddenModules, r.ours.Roles),
	})
	if err != nil {
		return nil, fmt.Errorf("register partner: %w", err)
	}
	if err := partnerKnows(ctx, q, p.ID, r.ours); err != nil {
		return nil, err
	}
	if err := r.pull(ctx, q, o, p.ID); err != nil {
		return nil, err
	}
	if r.again {
		tokens, err := q.HastenTokenDeliveries(ctx, db.HastenTokenDeliveriesParams{PartnerID: p.ID, Anew: true, Now: o.Now()})
		if err != nil {
			return nil, fmt.Errorf("hasten token deliveries: %w", err)
		}
		return tokens, event(ctx, q, o.Now(), uuid.Nil, "partner", p.ID, "updated", nil)
	}
	tokens, err := q.DistributeTokensTo(ctx, db.DistributeTokensToParams{PartnerID: p.ID, Now: o.Now()})
	if err != nil {
		return nil, fmt.Errorf("plan token deliveries: %w", err)
	}
	return tokens, event(ctx, q, o.Now(), uuid.Nil, "partner", p.ID, "registered", nil)
}

// partnerKnows notes of which utilities a partner has been told.
func partnerKnows(ctx context.Context, q *db.Queries, partner uuid.UUID, ours ocpi.Credentials) error {
	known := db.PartnerKnowsTenantsParams{PartnerID: partner}
	for _, r := range ours.Roles {
		known.Parties = append(known.Parties, r.CountryCode.Fold()+r.PartyID.Fold())
	}
	if err := q.PartnerKnowsTenants(ctx, known); err != nil {
		return fmt.Errorf("note what a partner knows: %w", err)
	}
	return nil
}

// pull plans to read the partner's lists: everything, when it is new. A partner that started the handshake has to read our
// answer first.
func (r *registration) pull(ctx context.Context, q *db.Queries, o *Ops, id uuid.UUID) error {
	partner, err := q.Partner(ctx, id)
	if err != nil {
		return fmt.Errorf("partner: %w", err)
	}
	due := o.Now().Add(pullStart)
	if err := ensurePulls(ctx, q, partner, func() time.Time { return due }); err != nil {
		return err
	}
	return o.requestPulls(ctx, q, id, db.RequestPullsParams{DueAt: due, FullCrawl: !r.again})
}

// saveParties stores the parties of the partner's credentials in the place of those of earlier ones (CRED-25). A party that
// another connection has is refused (CRED-17).
func (r *registration) saveParties(ctx context.Context, q *db.Queries, o *Ops, p db.Partner) error {
	if err := q.DropCredentialsParties(ctx, p.ID); err != nil {
		return fmt.Errorf("drop parties: %w", err)
	}
	for _, role := range r.theirs.Roles {
		party := role.Party()
		others, err := q.ConnectionsOfParty(ctx, db.ConnectionsOfPartyParams{
			Role: string(role.Role), CountryCode: string(party.CountryCode), PartyID: string(party.PartyID),
		})
		if err != nil {
			return fmt.Errorf("connections of party: %w", err)
		}
		for _, other := range others {
			if other.PartnerID != p.ID && other.Source == "credentials" {
				return ocpi.InvalidParameter("roles", "a party that is registered over another connection", party.String())
			}
		}
		err = q.SaveCredentialsParty(ctx, db.SaveCredentialsPartyParams{
			PartnerID: p.ID, Role: string(role.Role), CountryCode: string(party.CountryCode), PartyID: string(party.PartyID),
			Name: role.BusinessDetails.Name, Now: o.Now(),
		})
		if err != nil {
			return fmt.Errorf("save party %s: %w", party, err)
		}
	}
	return nil
}

// mainParty picks, from the roles in the partner's credentials, the party that stands for the connection: the one that was
// agreed on, which must be among them in the agreed role (CRED-17), or, without an agreement, the hub, else the first CPO.
func mainParty(p db.Partner, roles []ocpi.CredentialsRole) (ocpi.Role, ocpi.Party, error) {
	agreed := ocpi.Party{CountryCode: ocpi.CiString(p.CountryCode), PartyID: ocpi.CiString(p.PartyID)}
	if !agreed.IsZero() {
		for _, r := range roles {
			if r.Role == ocpi.Role(p.Role) && r.Party().Equal(agreed) {
				return r.Role, agreed, nil
			}
		}
		return "", ocpi.Party{}, ocpi.InvalidParameter("roles", "must contain the agreed "+p.Role+" "+agreed.String(), partiesOf(roles))
	}
	for _, want := range []ocpi.Role{ocpi.RoleHub, ocpi.RoleCPO} {
		for _, r := range roles {
			if r.Role == want {
				return r.Role, r.Party(), nil
			}
		}
	}
	return "", ocpi.Party{}, ocpi.InvalidParameter("roles", "must contain a CPO or a HUB", partiesOf(roles))
}

func partiesOf(roles []ocpi.CredentialsRole) string {
	var text []string
	for _, r := range roles {
		text = append(text, string(r.Role)+" "+r.Party().String())
	}
	return strings.Join(text, ", ")
}

// inWords is a partner's fault in words that may be shown to that partner or to an operator; ok is false for our own faults.
func inWords(err error) (text string, ok bool) {
	var calling *client.Error
	if errors.As(err, &calling) {
		return calling.Error(), true
	}
	return "", false
}

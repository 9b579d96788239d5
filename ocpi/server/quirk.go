package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// maxFindings bounds what is kept of one message: a list of a thousand odd items says no more than twenty.
const maxFindings = 20

// tolerate takes note of what is wrong with a message and taken all the same. What the partner was told not to do any more
// is refused, with the same words.
func (c *call) tolerate(notes ...ocpi.Finding) error {
	if err := ocpi.Findings(notes).Refuse(c.partner.RefusedQuirks).Err(); err != nil {
		return err
	}
	for _, note := range notes {
		known := slices.ContainsFunc(c.findings, func(f ocpi.Finding) bool { return f == note || f.Quirk != "" && f.Quirk == note.Quirk })
		if !known && len(c.findings) < maxFindings {
			c.findings = append(c.findings, note)
		}
	}
	return nil
}

// refuses reports whether a partner was told not to do something any more.
func (c *call) refuses(quirk ocpi.Quirk) bool {
	return slices.Contains(c.partner.RefusedQuirks, string(quirk))
}

// fill completes an object with what partners leave out and what can be known without it.
func (c *call) fill(m message) error {
	switch m := m.(type) {
	case *ocpi.Location:
		return c.tolerate(c.dialect.ExplainFindings(m.FillUIDs(), m)...)
	case *ocpi.EVSE:
		if m.UID == "" {
			m.UID = c.segment("evse")
			return c.tolerate(missing("uid", string(m.UID), ocpi.QuirkEVSEWithoutUID))
		}
	case *ocpi.ClientInfo:
		if m.LastUpdated.IsZero() { // HUB-01
			m.LastUpdated = c.Now()
			return c.tolerate(missing("last_updated", "", ocpi.QuirkUndatedClientInfo))
		}
	}
	return nil
}

func missing(path, value string, quirk ocpi.Quirk) ocpi.Finding {
	return ocpi.Finding{Severity: ocpi.Note, Path: path, Rule: "required", Value: value, Quirk: quirk}
}

// checkSender looks whether the sender in the routing headers belongs to the caller (RTG-07). It gives no right and takes
// none: that is what the token is for.
func (c *call) checkSender(ctx context.Context) error {
	from := ocpi.ReadRouting(c.echo.Request().Header).From.Fold()
	main := ocpi.Party{CountryCode: ocpi.CiString(c.partner.CountryCode), PartyID: ocpi.CiString(c.partner.PartyID)}
	if !c.functional() || from.IsZero() || from.Equal(main) {
		return nil
	}
	lane := c.lanes.of(c.partner.ID)
	if lane.knows(from) {
		return nil
	}
	connections, err := c.DB.ConnectionsOfParty(ctx, db.ConnectionsOfPartyParams{
		Role: string(ocpi.RoleCPO), CountryCode: string(from.CountryCode), PartyID: string(from.PartyID),
	})
	if err != nil {
		return fmt.Errorf("connections of %s: %w", from, err)
	}
	for _, connection := range connections {
		if connection.PartnerID == c.partner.ID {
			lane.learn(from)
			return nil
		}
	}
	return c.tolerate(ocpi.Finding{
		Severity: ocpi.Note, Path: ocpi.HeaderFromPartyID, Rule: "must be one of your parties", Value: from.String(), Quirk: ocpi.QuirkForeignSender,
	})
}

type pathKey struct{}

// pathQuirks are what was odd about the path of a request.
func pathQuirks(ctx context.Context) ocpi.Findings {
	notes, _ := ctx.Value(pathKey{}).(ocpi.Findings)
	return notes
}

// arrived returns the request with the path that it means: without empty segments and without a slash at the end (TRN-26), at
// the address that we publish. The path stays escaped: an id may contain a slash.
func arrived(r *http.Request) *http.Request {
	came := r.URL.EscapedPath()
	segments := slices.DeleteFunc(strings.Split(came, "/"), func(s string) bool { return s == "" })
	var notes ocpi.Findings
	note := func(rule string, quirk ocpi.Quirk) {
		notes = append(notes, ocpi.Finding{Severity: ocpi.Note, Path: "URL", Rule: rule, Value: came, Quirk: quirk})
	}
	if "/"+strings.Join(segments, "/") != came {
		note("no empty segments and no slash at the end", ocpi.QuirkUntidyPath)
	}
	segments, other := published(segments)
	if other {
		note("the address in the version details", ocpi.QuirkReceiverPath)
	}
	tidied := *r
	if pushesCDR(r.Method, segments) {
		note("POST without an id", ocpi.QuirkCDRPath)
		tidied.Method, segments = http.MethodPost, segments[:3]
	}
	u := *r.URL
	u.RawPath = "/" + strings.Join(segments, "/")
	u.Path, _ = url.PathUnescape(u.RawPath) // it was unescaped once already
	tidied.URL = &u
	if notes == nil {
		return &tidied
	}
	return tidied.WithContext(context.WithValue(r.Context(), pathKey{}, notes))
}

// published turns the addresses that some partners make up, /ocpi/receiver/{module} and /ocpi/{version}/receiver/{module},
// into the one that we publish.
func published(segments []string) (_ []string, other bool) {
	version := string(ocpi.Version221)
	switch {
	case len(segments) > 2 && segments[1] == "receiver":
		return slices.Concat([]string{segments[0], version}, segments[2:]), true
	case len(segments) > 3 && segments[2] == "receiver":
		return slices.Concat(segments[:2], segments[3:]), true
	}
	return segments, false
}

// pushesCDR reports whether a CDR is sent to the address of one: with POST, or with PUT behind nothing but its id.
func pushesCDR(method string, segments []string) bool {
	if len(segments) < 4 || segments[2] != string(ocpi.ModuleCDRs) {
		return false
	}
	return method == http.MethodPost && (len(segments) == 4 || len(segments) == 6) || method == http.MethodPut && len(segments) == 4
}

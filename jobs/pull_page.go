package jobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// errNoList says that a list cannot be asked for any more: the partner does not offer it, or no utility would ask.
var errNoList = errors.New("there is nobody to ask, or nobody who asks")

// oddList is a list that does not behave like one. The crawl is given up.
type oddList struct{ problem string }

func (e *oddList) Error() string { return e.problem }

// crawl reads one page of a list.
type crawl struct {
	*Worker
	partner  db.Partner
	row      db.Pull
	party    ocpi.Party // that is asked
	endpoint string
	peer     client.Peer
	known    []ocpi.Party // CPOs of the partner; nil: whoever comes (HUB-11)

	// What this page showed.
	keys    []string // objects
	bad     int
	foreign int
}

func (w *Worker) newCrawl(ctx context.Context, partner db.Partner, row db.Pull) (*crawl, error) {
	c := &crawl{Worker: w, partner: partner, row: row, party: ocpi.Party{CountryCode: ocpi.CiString(row.CountryCode), PartyID: ocpi.CiString(row.PartyID)}}
	module := ocpi.ModuleID(row.Module)
	var ok bool
	var err error
	if c.endpoint, ok, err = partnerEndpoint(partner, module, ocpi.Sender); err != nil {
		return nil, err
	} else if !ok {
		return nil, errNoList
	}
	if err := Callable(ctx, w.DB.Queries, partner, c.party); err != nil {
		return nil, err
	}
	if c.peer.Auth, err = partnerAuth(w.Box, partner); err != nil {
		return nil, err
	}
	if !module.Configuration() {
		asker, err := c.asker(ctx)
		if err != nil {
			return nil, err
		}
		c.peer.Routing = ocpi.Routing{To: c.party, From: asker}
	}
	return c, c.findOwners(ctx)
}

// asker is the utility in whose name the list is asked for (RTG-01).
func (c *crawl) asker(ctx context.Context) (ocpi.Party, error) {
	tenants, err := c.DB.AskersOfPartner(ctx, c.partner.ID)
	if err != nil {
		return ocpi.Party{}, fmt.Errorf("tenants of partner: %w", err)
	}
	for _, t := range tenants {
		if !c.row.TenantID.Valid || c.row.TenantID.UUID == t.ID {
			return partyOf(t.CountryCode, t.PartyID), nil
		}
	}
	return ocpi.Party{}, errNoList
}

// findOwners reads whose objects the partner may show (PAG-21).
func (c *crawl) findOwners(ctx context.Context) error {
	if c.partner.Role == string(ocpi.RoleHub) {
		if tells, err := offersClientInfo(c.partner); err != nil || !tells {
			return err
		}
	}
	rows, err := c.DB.PartiesOfPartner(ctx, c.partner.ID)
	if err != nil {
		return fmt.Errorf("parties of partner: %w", err)
	}
	c.known = []ocpi.Party{}
	for _, row := range rows {
		if row.Role == string(ocpi.RoleCPO) {
			c.known = append(c.known, ocpi.Party{CountryCode: ocpi.CiString(row.CountryCode), PartyID: ocpi.CiString(row.PartyID)})
		}
	}
	return nil
}

// page reads a page, hands its objects to the door, and turns it.
func (c *crawl) page(ctx context.Context) error {
	if c.row.NextURL == "" {
		if err := c.begin(ctx); err != nil {
			return err
		}
	}
	page, err := c.Client.Page(ctx, c.peer, c.row.NextURL, int(c.row.Total))
	if noted := c.ops().CallEnded(ctx, c.partner, c.party, err); noted != nil {
		return noted
	}
	for _, item := range page.Items { // also of a page whose link is wrong
		if err := c.deliver(ctx, item); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	turned := db.TurnPageParams{
		ID: c.row.ID, ClaimedUntil: *c.row.ClaimedUntil, Now: c.Now(), NextURL: page.Next, Total: int32(page.Total),
		Objects: int32(len(page.Items)), Bad: int32(c.bad), ForeignObjects: int32(c.foreign),
		BrokenOff: c.row.ReadAt != nil && c.Now().Sub(*c.row.ReadAt) > pullGap,
	}
	problem := ""
	switch seen := int(c.row.Objects) + len(page.Items); {
	case page.Next != "" && len(page.Items) == 0: // PAG-15
		turned.NextURL, turned.BrokenOff, problem = "", true, "an empty page in the middle of the list"
	case page.Next == "" && seen < page.Total: // PAG-17: without a link, this is the last page
		turned.BrokenOff, problem = true, fmt.Sprintf("the pages end after %d of %d objects", seen, page.Total)
	}
	return c.turn(ctx, page, turned, problem)
}

// begin starts a crawl: of everything, when that is due, or of what has changed since the one before.
func (c *crawl) begin(ctx context.Context) error {
	plan, err := c.rhythm(ctx, c.partner, ocpi.ModuleID(c.row.Module))
	if err != nil {
		return err
	}
	now := c.Now()
	var from *time.Time
	switch {
	case plan.full == 0 && (c.row.WantFull && c.row.DoneAt != nil || c.row.Cursor == nil):
		from = ptr(now.Add(-plan.back))
	case plan.full == 0 || !c.row.WantFull && c.row.FullAt != nil && now.Sub(*c.row.FullAt) < plan.full-plan.every/2:
		from = c.row.Cursor
	}
	query := client.Query{}
	if from != nil {
		query.DateFrom = *from
	}
	first, err := client.FirstPage(c.endpoint, query)
	if err != nil {
		return err
	}
	err = c.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.ForgetSeen(ctx, c.row.ID); err != nil {
			return fmt.Errorf("forget the crawl before: %w", err)
		}
		return q.BeginCrawl(ctx, db.BeginCrawlParams{ID: c.row.ID, ClaimedUntil: *c.row.ClaimedUntil, Now: now, DateFrom: from, NextURL: first})
	})
	if err != nil {
		return fmt.Errorf("begin crawl: %w", err)
	}
	c.row.StartedAt, c.row.ReadAt, c.row.DateFrom, c.row.NextURL = &now, &now, from, first
	c.row.Total, c.row.Pages, c.row.Objects, c.row.Bad, c.row.ForeignObjects, c.row.BrokenOff, c.row.WantFull = 0, 0, 0, 0, 0, false, false
	return nil
}

// turn stores what the page showed, and goes to the next one or ends the crawl.
func (c *crawl) turn(ctx context.Context, page client.Page, t db.TurnPageParams, problem string) error {
	vanished := 0
	err := c.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.SeeObjects(ctx, db.SeeObjectsParams{PullID: c.row.ID, Keys: c.keys}); err != nil {
			return fmt.Errorf("note objects: %w", err)
		}
		if t.NextURL == "" {
			return nil
		}
		isNew, err := q.SeePage(ctx, db.SeePageParams{PullID: c.row.ID, Key: page.Visit()})
		if err != nil {
			return fmt.Errorf("note page: %w", err)
		}
		if isNew == 0 || c.row.Pages >= pullPages {
			return &oddList{"the pages run in a circle or do not end"}
		}
		_, err = q.TurnPage(ctx, t)
		return err
	})
	if err != nil || t.NextURL != "" {
		return err
	}
	bad := int(c.row.Bad) + c.bad
	if c.row.DateFrom == nil && bad == 0 && !c.row.BrokenOff && !t.BrokenOff {
		if vanished, err = c.removeVanished(ctx); err != nil {
			return err
		}
	}
	return c.end(ctx, t, vanished, problem)
}

// end ends a crawl. Lists of a party behind a hub that had been away are read once.
func (c *crawl) end(ctx context.Context, t db.TurnPageParams, vanished int, problem string) error {
	var due *time.Time
	plan, err := c.rhythm(ctx, c.partner, ocpi.ModuleID(c.row.Module))
	if err != nil {
		return err
	}
	if plan.every > 0 && (c.partner.Role != string(ocpi.RoleHub) || c.party.Equal(partyOfPartner(c.partner))) {
		due = ptr(c.Now().Add(spread(plan.every)))
	}
	ended, err := c.DB.EndCrawl(ctx, db.EndCrawlParams{
		ID: c.row.ID, ClaimedUntil: *c.row.ClaimedUntil, Now: c.Now(), Total: t.Total, Objects: t.Objects, Bad: t.Bad, ForeignObjects: t.ForeignObjects,
		BrokenOff: t.BrokenOff, Vanished: int32(vanished), Cursor: c.row.StartedAt.Add(-pullOverlap), DueAt: due, Problem: problem,
	})
	if err != nil {
		return fmt.Errorf("end crawl: %w", err)
	}
	if ended == 0 { // it took so long that another worker took over
		return nil
	}
	if err := c.DB.ForgetSeen(ctx, c.row.ID); err != nil {
		return fmt.Errorf("forget crawl: %w", err)
	}
	c.Log.InfoContext(ctx, "read a list", "partner", c.partner.Name, "list", listOf(c.row), "since", c.row.DateFrom, "pages", c.row.Pages+1,
		"objects", c.row.Objects+t.Objects, "bad", c.row.Bad+t.Bad, "vanished", vanished)
	return c.tell(ctx, problem, int(c.row.Objects+t.Objects), int(c.row.Bad+t.Bad))
}

// tell raises or resolves what a crawl says about the list.
func (c *crawl) tell(ctx context.Context, problem string, objects, bad int) error {
	fails := alert{kind: AlertPullFails, partner: c.partner.ID, tenant: c.row.TenantID, subject: listOf(c.row)}
	broken := alert{kind: AlertPullBad, partner: c.partner.ID, tenant: c.row.TenantID, subject: listOf(c.row)}
	note := c.ops().resolve
	if problem != "" {
		fails.params = map[string]any{"list": listOf(c.row), "problem": problem}
		note = c.ops().raise
	}
	err := note(ctx, fails)
	note = c.ops().resolve
	if bad > 0 {
		broken.params = map[string]any{"list": listOf(c.row), "bad": bad, "objects": objects}
		note = c.ops().raise
	}
	return errors.Join(err, note(ctx, broken))
}

// identity is what of an object says which one it is.
type identity struct {
	CountryCode ocpi.CiString `json:"country_code"`
	PartyID     ocpi.CiString `json:"party_id"`
	ID          ocpi.CiString `json:"id"`
	Role        ocpi.CiString `json:"role"` // of a party behind a hub
}

// deliver hands an object to the door, as if it had been pushed: one way in. The error is ours; what the door says against the
// object is counted.
func (c *crawl) deliver(ctx context.Context, item jsontext.Value) error {
	var of identity
	if err := ocpi.UnmarshalLenient(item, &of); err != nil {
		of = identity{} // the door says what is wrong
	}
	owner := ocpi.Party{CountryCode: of.CountryCode, PartyID: of.PartyID}
	if owner.IsZero() {
		owner = c.party // an object of OCPI 2.1.1 does not say
	}
	module := ocpi.ModuleID(c.row.Module)
	in := Inbound{Partner: c.partner.ID, Method: http.MethodPut, Body: item}
	switch module {
	case ocpi.ModuleHubClientInfo:
		in.Path, of.ID = pathOf(module, owner.CountryCode, owner.PartyID), of.Role
	case ocpi.ModuleCDRs:
		in.Method, in.Path = http.MethodPost, string(module)
	default:
		in.Path = pathOf(module, owner.CountryCode, owner.PartyID, of.ID)
	}
	if module != ocpi.ModuleHubClientInfo && of.ID != "" && c.known != nil && !slices.ContainsFunc(c.known, owner.Equal) {
		c.foreign++
		return nil
	}
	receipt, err := c.Receive(ctx, in)
	switch {
	case err != nil:
		return fmt.Errorf("deliver an object of %s: %w", module, err)
	case receipt.HTTPStatus >= http.StatusInternalServerError, receipt.StatusCode/1000 == 3:
		return fmt.Errorf("deliver an object of %s: %d %s", module, int(receipt.StatusCode), receipt.Message)
	case !receipt.Taken():
		c.bad++
		c.Log.WarnContext(ctx, "an object of a list is refused", "partner", c.partner.Name, "list", listOf(c.row), "id", string(of.ID), "why", receipt.Message)
		return nil
	}
	if c.row.DateFrom == nil {
		c.keys = append(c.keys, owner.Fold().String()+"/"+of.ID.Fold())
	}
	return nil
}

// pathOf joins path segments; one that is missing is "-", which no object has for an id.
func pathOf(module ocpi.ModuleID, segments ...ocpi.CiString) string {
	path := string(module)
	for _, s := range segments {
		if s == "" {
			s = "-"
		}
		path += "/" + url.PathEscape(string(s))
	}
	return path
}

// removeVanished ends what a crawl of everything has not found (PAG-19): EVSEs become REMOVED, tariffs lose their validity,
// parties are unknown. A CPO that another connection goes before for, or that a hub cannot reach or showed nothing of, keeps
// what it has.
func (c *crawl) removeVanished(ctx context.Context) (int, error) {
	module := ocpi.ModuleID(c.row.Module)
	if module == ocpi.ModuleHubClientInfo {
		n, err := c.DB.ForgetParties(ctx, db.ForgetPartiesParams{PartnerID: c.partner.ID, PullID: c.row.ID, Now: c.Now(), Since: *c.row.StartedAt})
		return int(n), err
	}
	owners, err := c.owners(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, owner := range owners {
		n := 0
		switch module {
		case ocpi.ModuleLocations:
			n, err = c.removeLocations(ctx, owner)
		case ocpi.ModuleTariffs:
			var ended int64
			ended, err = c.DB.EndVanishedTariffs(ctx, db.EndVanishedTariffsParams{
				CountryCode: string(owner.CountryCode), PartyID: string(owner.PartyID), PullID: c.row.ID, Now: c.Now(), Since: *c.row.StartedAt,
			})
			n = int(ended)
		}
		if err != nil {
			return 0, fmt.Errorf("remove what has vanished of %s: %w", owner, err)
		}
		total += n
	}
	return total, nil
}

// owners are the CPOs of which the crawl is the whole truth.
func (c *crawl) owners(ctx context.Context) ([]ocpi.Party, error) {
	candidates := []ocpi.Party{c.party.Fold()}
	if c.party.Equal(partyOfPartner(c.partner)) && c.partner.Role == string(ocpi.RoleHub) {
		seen, err := c.DB.OwnersSeen(ctx, c.row.ID)
		if err != nil {
			return nil, fmt.Errorf("owners of what was seen: %w", err)
		}
		candidates = nil
		for _, text := range seen {
			owner, err := ocpi.ParseParty(text)
			if err != nil {
				return nil, err
			}
			candidates = append(candidates, owner)
		}
	}
	var owners []ocpi.Party
	for _, owner := range candidates {
		connections, err := c.DB.ConnectionsOfParty(ctx, db.ConnectionsOfPartyParams{
			Role: string(ocpi.RoleCPO), CountryCode: string(owner.CountryCode), PartyID: string(owner.PartyID),
		})
		if err != nil {
			return nil, fmt.Errorf("connections of %s: %w", owner, err)
		}
		if len(connections) > 0 && connections[0].PartnerID == c.partner.ID && connections[0].Status == string(ocpi.ConnectionConnected) {
			owners = append(owners, owner)
		}
	}
	return owners, nil
}

// removeLocations replaces each Location that has vanished by itself without EVSEs, which makes them REMOVED (LOC-06). The
// time of its last change stays, so that anything newer, or the same again, brings it back.
func (c *crawl) removeLocations(ctx context.Context, owner ocpi.Party) (int, error) {
	rows, err := c.DB.VanishedLocations(ctx, db.VanishedLocationsParams{
		CountryCode: string(owner.CountryCode), PartyID: string(owner.PartyID), PullID: c.row.ID, Since: *c.row.StartedAt,
	})
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		var l ocpi.Location
		if err := ocpi.Unmarshal(row.Doc, &l); err != nil {
			return 0, fmt.Errorf("decode stored location %s: %w", row.LocationID, err)
		}
		l.EVSEs = nil
		body, err := ocpi.Marshal(&l)
		if err == nil {
			body, err = c.peer.Auth.Dialect.Write(body, &l)
		}
		if err != nil {
			return 0, fmt.Errorf("encode location %s: %w", row.LocationID, err)
		}
		receipt, err := c.Receive(ctx, Inbound{
			Partner: c.partner.ID, Method: http.MethodPut, Path: pathOf(ocpi.ModuleLocations, l.CountryCode, l.PartyID, l.ID), Body: body,
		})
		if err != nil {
			return 0, err
		}
		if !receipt.Taken() {
			return 0, fmt.Errorf("location %s: %d %s", row.LocationID, int(receipt.StatusCode), receipt.Message)
		}
	}
	return len(rows), nil
}

// pullsDue finds the partners of which a page is to be read.
func pullsDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.PartnersWithPullsDue(ctx, db.PartnersWithPullsDueParams{Now: now, MaxRows: sweepSize})
}

func checksDue(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error) {
	return q.PartnersToCheck(ctx, db.PartnersToCheckParams{Now: now, MaxRows: sweepSize})
}

package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

const tokensPath = "/ocpi/2.2.1/tokens"

func (w *world) block(token uuid.UUID) {
	w.t.Helper()
	if n, err := w.db.SetTokenValid(w.ctx, db.SetTokenValidParams{ID: token, Valid: false, Now: w.clock.now()}); err != nil || n != 1 {
		w.t.Fatalf("block: %d, %v", n, err)
	}
}

func TestTokenPages(t *testing.T) { // PAG-01 to PAG-12, TOK-01, TOK-02, TOK-04
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	empty := cpo.do(http.MethodGet, tokensPath, nil).want(200, 1000)
	check(t, "empty", string(empty.data)+empty.header.Get("X-Total-Count")+empty.header.Get("Link"), "[]0")

	start := w.clock.now()
	var tokens []uuid.UUID
	for i := range 7 {
		tokens = append(tokens, w.issueCard(swx, fmt.Sprint("CARD", i)))
		w.pass(time.Minute)
	}
	w.block(tokens[0])

	var uids []string
	next := w.url + tokensPath + "?limit=3"
	for pages := 0; next != ""; pages++ {
		a := cpo.do(http.MethodGet, next, nil).want(200, 1000)
		check(t, "total", a.header.Get("X-Total-Count"), "7")
		check(t, "limit", a.header.Get("X-Limit"), "3")
		for _, token := range a.list() {
			uids = append(uids, token["uid"].(string))
		}
		link, err := ocpi.NextLink(a.header, mustURL(t, next))
		if err != nil || pages > 3 {
			t.Fatalf("link: %v after %d pages", err, pages)
		}
		next = ""
		if link != nil {
			next = link.String()
			check(t, "link is public", strings.HasPrefix(next, w.url+tokensPath+"?"), true)
		}
	}
	check(t, "order of creation", strings.Join(uids, " "), "CARD0 CARD1 CARD2 CARD3 CARD4 CARD5 CARD6")

	first := cpo.do(http.MethodGet, tokensPath+"?limit=1", nil).list()[0]
	check(t, "blocked token is listed", first["valid"], false)
	check(t, "contract", first["contract_id"], "DE-SWX-CCARD0")
	check(t, "owner", first["party_id"], "SWX")

	at := func(d time.Duration) string { return url.QueryEscape(ocpi.FormatDateTime(start.Add(d))) }
	for query, want := range map[string]string{
		"date_from=" + at(2*time.Minute) + "&date_to=" + at(4*time.Minute): "CARD2 CARD3", // from inclusive, to exclusive
		"date_from=" + at(4*time.Minute):                                   "CARD0 CARD4 CARD5 CARD6",
		"date_to=" + at(time.Minute):                                       "",
		"date_from=" + at(4*time.Minute) + "&date_to=" + at(time.Minute):   "",
		"date_from=2026-10-20T12:03:00&date_to=2026-10-20T12:04:00+00:00":  "CARD3", // no zone; a plus that is a space
		"offset=5":                "CARD5 CARD6",
		"offset=50":               "",
		"limit=99999999&offset=6": "CARD6",
	} {
		a := cpo.do(http.MethodGet, tokensPath+"?"+query, nil).want(200, 1000)
		var got []string
		for _, token := range a.list() {
			got = append(got, token["uid"].(string))
		}
		check(t, query, strings.Join(got, " "), want)
		check(t, query+": Link", a.header.Get("Link"), "")
	}
	check(t, "cap", cpo.do(http.MethodGet, tokensPath+"?limit=5000", nil).header.Get("X-Limit"), "1000")
	filtered := cpo.do(http.MethodGet, tokensPath+"?limit=1&date_from="+at(5*time.Minute), nil).want(200, 1000)
	link, err := ocpi.NextLink(filtered.header, mustURL(t, w.url))
	if err != nil || link.Query().Get("date_from") != ocpi.FormatDateTime(start.Add(5*time.Minute)) || link.Query().Get("limit") != "1" || link.Query().Get("offset") != "1" {
		t.Errorf("link with filters: %v, %v", link, err)
	}
	for _, query := range []string{"limit=abc", "limit=0", "limit=-1", "offset=-1", "offset=x", "date_from=yesterday", "date_to=1"} { // PAG-11
		cpo.do(http.MethodGet, tokensPath+"?"+query, nil).want(200, 2001)
	}
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodPost} {
		cpo.do(method, tokensPath, "{}").want(405, 2000)
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestTokenIsolation(t *testing.T) { // PAG-12, TEN-02, TEN-03, TOK-27, RTG-05, RTG-06, RTG-19
	w := newWorld(t)
	swx, swy := w.addTenant("DE*SWX"), w.addTenant("DE*SWY")
	w.issueCard(swx, "BOTH")
	w.issueCard(swx, "ONLYX")
	w.issueCard(swy, "both")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	count := func(p *partner, want int) {
		t.Helper()
		a := p.do(http.MethodGet, tokensPath, nil).want(200, 1000)
		check(t, "tokens", len(a.list()), want)
		check(t, "total", a.header.Get("X-Total-Count"), strconv.Itoa(want))
	}
	count(cpo, 3)
	count(cpo.to("DE*SWX", "DE*CPO"), 2)
	count(cpo.to("DE*SWY", "DE*CPO"), 1)
	cpo.to("DE*XYZ", "DE*CPO").do(http.MethodGet, tokensPath, nil).want(200, 2001)

	cpo.do(http.MethodPost, tokensPath+"/BOTH/authorize", nil).want(200, 2002)
	cpo.do(http.MethodPost, tokensPath+"/ONLYX/authorize", nil).want(200, 1000)
	cpo.to("DE*SWY", "DE*CPO").do(http.MethodPost, tokensPath+"/ONLYX/authorize", nil).want(404, 2004)
	y := cpo.to("DE*SWY", "DE*CPO").do(http.MethodPost, tokensPath+"/BOTH/authorize", nil).want(200, 1000)
	check(t, "whose token", y.object()["token"].(map[string]any)["party_id"], "SWY")

	w.count("WITH gone AS (DELETE FROM partner_tenants WHERE tenant_id = $1 RETURNING 1) SELECT count(*) FROM gone", swy.ID) // no longer enabled
	count(cpo, 2)
	cpo.to("DE*SWY", "DE*CPO").do(http.MethodGet, tokensPath, nil).want(200, 2001)
	cpo.do(http.MethodPost, tokensPath+"/BOTH/authorize", nil).want(200, 1000)
	check(t, "roles", len(cpo.do(http.MethodGet, credentialsPath, nil).object()["roles"].([]any)), 1)
}

func TestAuthorize(t *testing.T) { // TOK-16 to TOK-20, TOK-22, TOK-24 to TOK-25
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	card, blocked, expired := w.issueCard(swx, "04AABBCC"), w.issueCard(swx, "BLOCKED"), w.issueCard(swx, "EXPIRED")
	w.block(blocked)
	w.count("WITH ended AS (UPDATE contracts SET valid_to = $2 FROM tokens WHERE tokens.id = $1 AND contracts.id = tokens.contract_id RETURNING 1) SELECT count(*) FROM ended", expired, w.clock.now())
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	references := map[any]bool{}
	for name, test := range map[string]struct {
		path, body   string
		status, code int
		allowed      string
	}{
		"known":               {"/04AABBCC/authorize", "", 200, 1000, "ALLOWED"},
		"other case":          {"/04aabbcc/authorize?type=RFID", "", 200, 1000, "ALLOWED"},
		"null":                {"/04AABBCC/authorize", "null", 200, 1000, "ALLOWED"},
		"empty object":        {"/04AABBCC/authorize", "{}", 200, 1000, "ALLOWED"},
		"unknown location":    {"/04AABBCC/authorize", `{"location_id":"NOWHERE","evse_uids":["E1"]}`, 200, 1000, "ALLOWED"},
		"blocked":             {"/BLOCKED/authorize", "", 200, 1000, "BLOCKED"},
		"expired":             {"/EXPIRED/authorize", "", 200, 1000, "EXPIRED"},
		"unknown":             {"/NONE/authorize", "", 404, 2004, ""},
		"other type":          {"/04AABBCC/authorize?type=APP_USER", "", 404, 2004, ""},
		"other token_type":    {"/04AABBCC/authorize?token_type=OTHER", "", 404, 2004, ""},
		"location without id": {"/04AABBCC/authorize", `{"evse_uids":["E1"]}`, 200, 2001, ""},
		"a list":              {"/04AABBCC/authorize", `[]`, 200, 2001, ""},
		"no JSON":             {"/04AABBCC/authorize", `{`, 400, 2001, ""},
	} {
		a := cpo.do(http.MethodPost, tokensPath+test.path, test.body)
		if a.status != test.status || a.code != test.code {
			t.Errorf("%s: got %d/%d, want %d/%d\n%s", name, a.status, a.code, test.status, test.code, a.body)
			continue
		}
		if test.allowed == "" {
			check(t, name+": data", string(a.data), "")
			continue
		}
		info := a.object()
		check(t, name, info["allowed"], test.allowed)
		check(t, name+": token is complete", info["token"].(map[string]any)["contract_id"] != nil, true)
		_, located := info["location"]
		check(t, name+": location", located, strings.Contains(test.body, "location_id"))
		reference, given := info["authorization_reference"]
		check(t, name+": reference", given, test.allowed == "ALLOWED")
		if given {
			check(t, name+": reference is new", references[reference], false)
			references[reference] = true
		}
	}
	records, err := w.db.AuthorizationsOfToken(w.ctx, db.AuthorizationsOfTokenParams{TokenID: card, MaxRows: 10})
	if err != nil || len(records) != 5 {
		t.Errorf("records: %d, %v", len(records), err)
	}
	cpo.do(http.MethodGet, tokensPath+"/04AABBCC/authorize", nil).want(405, 2000)
}

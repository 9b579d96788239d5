package server_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// A uid is issued once in a utility, however it is spelled (TOK-03); several cards may be for one contract (TOK-30); each change
// of a card moves it on, even within one instant, so that no delta misses it (TOK-05); and what was made for one occasion is not
// listed (TOK-06).
func TestTokenRules(t *testing.T) {
	w := newWorld(t)
	swx, swy := w.addTenant("DE*SWX"), w.addTenant("DE*SWY")
	issue := func(tenant db.Tenant, uid string, kind ocpi.TokenType) error {
		_, err := w.ops.IssueCard(w.ctx, jobs.NewCard{
			Tenant: tenant.ID, UID: uid, Type: string(kind), Contract: "DE-" + tenant.PartyID + "-C1", Customer: "Erika Beispiel", Email: "erika@example.org",
		})
		return err
	}
	for _, test := range []struct {
		tenant db.Tenant
		uid    string
		kind   ocpi.TokenType
		there  bool
	}{
		{swx, "04AA", ocpi.TokenRFID, false}, {swx, "04AA", ocpi.TokenRFID, true}, {swx, "04aa", ocpi.TokenRFID, true},
		{swx, "04BB", ocpi.TokenRFID, false}, {swy, "04aa", ocpi.TokenRFID, false}, {swx, "walk-in", ocpi.TokenAdHocUser, false},
	} {
		if err := issue(test.tenant, test.uid, test.kind); errors.Is(err, jobs.ErrExists) != test.there || (err != nil) != test.there {
			t.Errorf("%s %s %s: %v", test.tenant.PartyID, test.uid, test.kind, err)
		}
	}
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	listed := func(query string) map[string]map[string]any {
		tokens := map[string]map[string]any{}
		for _, token := range cpo.to("DE*SWX", "DE*CPO").do(http.MethodGet, tokensPath+query, nil).want(200, 1000).list() {
			tokens[token["uid"].(string)] = token
		}
		return tokens
	}
	all := listed("")
	check(t, "listed", len(all), 2)
	check(t, "contract of both", all["04AA"]["contract_id"], all["04BB"]["contract_id"])

	row, err := w.db.TokensByUID(w.ctx, db.TokensByUIDParams{TenantIDs: []uuid.UUID{swx.ID}, UID: "04AA", Type: "RFID", At: time.Now()})
	if err != nil || len(row) != 1 {
		t.Fatalf("%v, %v", row, err)
	}
	seen := map[any]bool{all["04AA"]["last_updated"]: true}
	for n := range 4 {
		if _, err := w.db.SetTokenValid(w.ctx, db.SetTokenValidParams{ID: row[0].Token.ID, Valid: n%2 == 1, Now: w.clock.now()}); err != nil {
			t.Fatal(err)
		}
		at := listed("")["04AA"]["last_updated"]
		if seen[at] {
			t.Errorf("change %d is at %v like one before", n, at)
		}
		seen[at] = true
		after, err := time.Parse(time.RFC3339, at.(string))
		if err != nil {
			t.Fatal(err)
		}
		check(t, "in the delta", len(listed("?date_from="+ocpi.FormatDateTime(after))), 1)
	}
}

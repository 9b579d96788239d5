package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// A car that shows its contract is answered by it, however its id is written, over OCPI 2.3.0 only (VDF-15). The contract is no
// token: nobody is sent it, and nobody finds it in a list. What is charged with it is billed to its customer.
func TestPlugAndCharge(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	card := w.issueCard(swx, "00042187") // contract DE-SWX-C00042187
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodPost, tokensPath+"/DESWXC00042187/authorize?type=EMAID", nil).want(404, 2004)
	cpo.speaks("2.2.1", "2.3.0")
	cpo.token = cpo.do(http.MethodPut, "/ocpi/2.3.0/credentials", cpo.platform.credentials("token-c", role("CPO", "DE*CPO"))).want(200, 1000).object()["token"].(string)
	ask := func(emaid string) reply {
		return cpo.do(http.MethodPost, "/ocpi/2.3.0/tokens/"+emaid+"/authorize?type=EMAID", `{"location_id":"LOC1"}`)
	}
	var reference string
	for _, emaid := range []string{"DESWXC00042187", "DE-SWX-C00042187", "de-swx-c00042187", "DE*SWX*C00042187", "DESWXC00042187X", "DE-SWX-C00042187-X"} {
		info := ask(emaid).want(200, 1000).object()
		token := info["token"].(map[string]any)
		check(t, emaid, info["allowed"], any("ALLOWED"))
		check(t, emaid+": token", token["uid"].(string)+" "+token["type"].(string)+" "+token["whitelist"].(string)+" "+token["contract_id"].(string), emaid+" EMAID NEVER DE-SWX-C00042187")
		reference = info["authorization_reference"].(string)
	}
	ask("DESWXC00042188").want(404, 2004)
	ask("DESWXC0004218").want(404, 2004)
	ask("00042187").want(404, 2004) // that is the card
	for _, token := range cpo.do(http.MethodGet, "/ocpi/2.3.0/tokens", nil).want(200, 1000).list() {
		check(t, "listed", token["type"], any("RFID"))
	}

	w.work()
	charged := change(t, sessionJSON, "cdr_token.uid", "DESWXC00042187", "cdr_token.type", "EMAID", "cdr_token.contract_id", "DESWXC00042187", "authorization_reference", reference)
	cpo.do(http.MethodPut, "/ocpi/2.3.0/sessions/DE/CPO/S1", charged).want(201, 1000)
	cdr := change(t, cdrJSON, "cdr_token.uid", "DESWXC00042187", "cdr_token.type", "EMAID", "cdr_token.contract_id", "DESWXC00042187",
		"total_cost", map[string]any{"before_taxes": 3.90}, "tariffs", nil)
	cpo.do(http.MethodPost, "/ocpi/2.3.0/cdrs", cdr).want(201, 1000)
	w.eventually("the rating", func() bool { return w.cdrState("CDR1").RatingID.Valid })
	check(t, "card", w.cdrState("CDR1").TokenID, uuid.NullUUID{UUID: card, Valid: true})
	check(t, "noted as an unknown value", w.quirk(cpo, ocpi.QuirkUnknownValue).Count, int64(0))

	if _, err := w.ops.BlockCard(w.ctx, swx.ID, "00042187", "", true); err != nil {
		t.Fatal(err)
	}
	info := ask("DESWXC00042187").want(200, 1000).object()
	check(t, "all cards of the contract are blocked", info["allowed"], any("BLOCKED"))
	other := w.addTenant("DE*SWY")
	if err := w.db.EnablePartnerForAllTenants(w.ctx, cpo.id); err != nil {
		t.Fatal(err)
	}
	w.issueCard(other, "00042187")
	check(t, "another utility's contract", ask("DESWYC00042187").want(200, 1000).object()["allowed"], any("ALLOWED"))
}

// Partners cut uids and write contract ids with and without what separates their parts. The contract says whose a CDR is when
// the uid says nothing.
func TestCDRFindsItsContract(t *testing.T) {
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.issueCard(swx, "04AABBCC")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	w.work()
	for id, token := range map[string][2]string{"CUT": {"04AABB", "DE-SWX-C04AABBCC"}, "PLAIN": {"04", "DESWXC04AABBCC"}, "STARS": {"04", "de*swx*c04aabbcc"}} {
		cpo.do(http.MethodPost, cdrsPath, change(t, cdrJSON, "id", id, "cdr_token.uid", token[0], "cdr_token.contract_id", token[1])).want(201, 1000)
		w.eventually("the contract of "+id, func() bool { return w.cdrState(id).TokenID.Valid })
	}
	cpo.do(http.MethodPost, cdrsPath, change(t, cdrJSON, "id", "NOBODY", "cdr_token.uid", "04", "cdr_token.contract_id", "DE-SWX-C04AABBCD")).want(201, 1000)
	w.eventually("the wait", func() bool { return w.cdrState("NOBODY").Reason == "no-card" })

	old := w.old("DE*OLD") // names nothing but the contract
	old.do(http.MethodPost, old211+"cdrs", change(t, strings.ReplaceAll(oldCDRJSON, "DE-SWX-C04AABBCC", "DESWXC04AABBCC"), "id", "OLD")).want(201, 1000)
	state, err := w.db.CDRStateByIdentity(w.ctx, db.CDRStateByIdentityParams{CountryCode: "DE", PartyID: "OLD", OCPIID: "OLD"})
	check(t, "card of an old CDR", err == nil && state.TokenUID == "04AABBCC", true)
}

package main

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
	"github.com/roamwerk/roamwerk/web/office"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// TestWizard connects two CPOs from the back office, in a browser: one that we invite, and one that has invited us.
func TestWizard(t *testing.T) {
	a := startApp(t, from(time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)))
	ops := a.ops()
	tenant, err := ops.AddTenant(t.Context(), jobs.NewTenant{Party: ocpi.Party{CountryCode: "DE", PartyID: "SWX"}, Name: "Stadtwerke Xanten"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ops.IssueCard(t.Context(), jobs.NewCard{Tenant: tenant.ID, UID: "04A2B3C4D5E680", Contract: "DE-SWX-C00000001-1", Customer: "Erika Beispiel", Email: "erika@post.example"}); err != nil {
		t.Fatal(err)
	}
	hash, err := office.HashPassword("Lindenblüten & Strom 7")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.db.InsertStaff(t.Context(), db.InsertStaffParams{ID: uuid.New(), Email: "olga@roamwerk.example", Name: "Olga Operator", PasswordHash: hash, Language: "en", CreatedAt: a.now()}); err != nil {
		t.Fatal(err)
	}
	peer := func(name, party string) *ocpitest.CPO {
		cpo := ocpitest.NewCPO(ocpitest.Options{Name: name, Party: ocpi.Party{CountryCode: "DE", PartyID: ocpi.CiString(party)}, Seed: 1})
		if err := cpo.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cpo.Close() })
		return cpo
	}

	tab := uitest.Open(t).Tab(t, a.cfg.BaseURL)
	tab.Cookies(signIn(t, a.cfg.BaseURL, "olga@roamwerk.example", "Lindenblüten & Strom 7")...)
	tab.Size(1440, 900)
	fill := func(id, value string) {
		uitest.Eval[bool](tab, `(() => { document.getElementById("`+id+`").value = "`+value+`"; return true; })()`)
	}

	// We invite: the token is shown, and the page watches the partner register with it.
	cpo := peer("Nordstrom Laden", "NSL")
	tab.Open("/en/partners/new")
	fill("name", "Nordstrom Laden")
	fill("party", "DE*NSL")
	tab.Click(`form[action="/en/partners/invite"] button[type=submit]`)
	tab.WaitFor(`document.getElementById("versions")`)
	tab.CheckPage("token A")
	versions, token := uitest.Eval[string](tab, `document.getElementById("versions").value`), uitest.Eval[string](tab, `document.getElementById("token").value`)
	tab.Click(`a[href$="/handshake"]`)
	tab.WaitFor(`document.querySelector("#result .steps") && document.querySelector(".steps li:last-child .tag").textContent === "to come"`)
	if err := cpo.Register(t.Context(), versions, token); err != nil {
		t.Fatalf("register: %v", err)
	}
	tab.WaitFor(`document.querySelector(".steps li:last-child .tag").textContent === "done"`)
	tab.WaitFor(`document.getElementById("matrix")?.closest("section").textContent.includes("used")`)
	tab.WaitFor(`[...document.querySelectorAll("section[aria-labelledby=log] tbody tr")].some(r => r.textContent.includes("credentials"))`)
	tab.CheckPage("a partner that has registered")
	await(t, "the card reaches the CPO", func() bool { return len(cpo.Tokens()) == 1 })
	tab.Open(uitest.Eval[string](tab, "location.pathname")) // the test calls are outside of what is watched
	tab.Click(`form[action$="/try"] button[type=submit]`)
	tab.WaitFor(`document.querySelectorAll("section[aria-labelledby=trials] tbody tr").length === 4`)
	if results := uitest.Eval[[]string](tab, `[...document.querySelectorAll("section[aria-labelledby=trials] tbody tr")].map(r => r.innerText)`); strings.Contains(strings.Join(results, "\n"), "failed") {
		t.Errorf("test calls: %q", results)
	}
	tab.CheckPage("test calls")

	replay(t, a, cpo)

	// We have the token of a partner.
	other := peer("Südlader", "SUE")
	theirVersions, theirToken := other.Invite()
	tab.Open("/en/partners/new")
	fill("their-name", "Südlader")
	fill("their-url", theirVersions)
	fill("their-token", theirToken)
	tab.Click(`form[action="/en/partners/register"] button[type=submit]`)
	tab.WaitFor(`document.querySelector(".notice.ok")?.textContent.includes("Connected with Südlader")`)
	if _, registered := other.Registration(); !registered {
		t.Error("the second CPO is not registered")
	}
	for _, complaint := range append(cpo.Complaints(), other.Complaints()...) {
		t.Error("a partner complains:", complaint)
	}
}

// replay refuses a partner a habit, puts up with it again, and takes what had been refused.
func replay(t *testing.T, a *app, cpo *ocpitest.CPO) {
	t.Helper()
	ops, ctx := a.ops(), t.Context()
	partner, err := a.db.PartnerByName(ctx, "Nordstrom Laden")
	if err != nil {
		t.Fatal(err)
	}
	mode := func(mode string) {
		t.Helper()
		if err := ops.SetQuirk(ctx, partner.ID, ocpi.QuirkTextForNumber, mode); err != nil {
			t.Fatal(err)
		}
	}
	put := func() string {
		t.Helper()
		registration, _ := cpo.Registration()
		details := ocpi.VersionDetails{Endpoints: registration.Endpoints}
		address, _ := details.Endpoint(ocpi.ModuleTariffs, ocpi.Receiver)
		body := `{"country_code":"DE","party_id":"NSL","id":"T1","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":"0.39","step_size":1}]}],"last_updated":"2026-11-23T10:00:00Z"}`
		request, err := http.NewRequestWithContext(ctx, http.MethodPut, address+"/DE/NSL/T1", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", ocpi.EncodeToken(registration.Token))
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	open := func() []db.QuarantineGroupsRow {
		t.Helper()
		groups, err := a.db.QuarantineGroups(ctx, db.QuarantineGroupsParams{State: "open", PartnerID: uuid.NullUUID{UUID: partner.ID, Valid: true}, MaxRows: 10})
		if err != nil {
			t.Fatal(err)
		}
		return groups
	}
	tariff := db.TariffVersionsParams{CountryCode: "DE", PartyID: "NSL", TariffID: "T1"}

	mode("off")
	if answer := put(); !strings.Contains(answer, "2001") {
		t.Fatalf("a habit that is refused: %s", answer)
	}
	groups := open()
	if len(groups) != 1 {
		t.Fatalf("%d groups in quarantine", len(groups))
	}
	receive := a.partners().Receive
	if receipt, err := ops.Replay(ctx, receive, groups[0].Sample); err != nil || receipt.Taken() || len(open()) != 1 {
		t.Errorf("replayed too early: %+v, %v", receipt, err)
	}
	mode("auto")
	if receipt, err := ops.Replay(ctx, receive, groups[0].Sample); err != nil || !receipt.Taken() || len(open()) != 0 {
		t.Errorf("replayed: %+v, %v", receipt, err)
	}
	if versions, err := a.db.TariffVersions(ctx, tariff); err != nil || len(versions) != 1 {
		t.Errorf("%d versions of the tariff, %v", len(versions), err)
	}
	if _, err := ops.Replay(ctx, receive, groups[0].Sample); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("replayed twice: %v", err)
	}
	before, _ := cpo.Registration()
	if err := ops.RotatePartner(ctx, partner.ID); err != nil {
		t.Errorf("rotate: %v", err)
	}
	if after, registered := cpo.Registration(); !registered || after.Token == before.Token || after.Inbound == before.Inbound {
		t.Error("the tokens are the old ones")
	}
}

// signIn signs somebody in to the back office.
func signIn(t *testing.T, base, email, password string) []*http.Cookie {
	t.Helper()
	form := url.Values{"email": {email}, "password": {password}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/en/signin", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusSeeOther {
		t.Fatalf("sign-in: %s", response.Status)
	}
	return response.Cookies()
}

package ocpitest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

func TestParseFaults(t *testing.T) {
	f, err := ParseFaults([]string{"raw-token", "duplicate-cdr"})
	if err != nil || f != (Faults{WireFaults{RawToken: true}, Oddities{Duplicate: true}}) {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := ParseFaults([]string{"gremlins"}); err == nil || !strings.Contains(err.Error(), "raw-token") {
		t.Errorf("an unknown name: %v", err)
	}
	// Each name switches something of its own on.
	seen := map[Faults]string{}
	for _, name := range FaultNames() {
		f, err := ParseFaults([]string{name})
		if err != nil || f == (Faults{}) || seen[f] != "" {
			t.Errorf("%s: %+v, %v, same as %q", name, f, err, seen[f])
		}
		seen[f] = name
	}
}

// Faults of the connection, as they arrive.
func TestWireFaults(t *testing.T) {
	cpo, platform := startCPO(t, Options{})
	last := func(f WireFaults) message {
		t.Helper()
		cpo.SetFaults(f)
		if err := cpo.PutTariff(t.Context(), StandardPrices()[2].Tariff(cpo.Party(), noon)); err != nil {
			t.Fatal(err)
		}
		sent := platform.sent("/emsp/tariffs/")
		return sent[len(sent)-1]
	}
	if got := last(WireFaults{RawToken: true}).authorization; got != "Token token-c" {
		t.Errorf("raw: %q", got)
	}
	if got := last(WireFaults{UnpaddedToken: true}).authorization; got != "Token dG9rZW4tYw" {
		t.Errorf("unpadded: %q", got)
	}
	tainted := strings.TrimPrefix(last(WireFaults{TokenNewline: true}).authorization, "Token ")
	if got, err := base64.StdEncoding.DecodeString(tainted); err != nil || string(got) != "token-c\n" {
		t.Errorf("with a line feed: %q, %v", got, err)
	}
	if m := last(WireFaults{NoRequestIDs: true}); m.header.Get("X-Request-ID") != "" || m.header.Get("X-Correlation-ID") != "" {
		t.Error("message ids in spite of the fault")
	}
	before := len(platform.sent("/emsp/tariffs/"))
	if m := last(WireFaults{NoRouting: true}); m.header.Get("OCPI-to-party-id") != "" || len(platform.sent("/emsp/tariffs/")) != before+1 {
		t.Error("routing headers, or more than one message, in spite of the fault")
	}

	var plain, odd map[string]any
	read := func(f WireFaults, into *map[string]any) string {
		body := last(f).body
		*into = nil
		if err := json.Unmarshal(body, into); err != nil {
			t.Fatalf("%+v: %v in %s", f, err, body)
		}
		return string(body)
	}
	read(WireFaults{}, &plain)
	if plain["last_updated"] != "2026-09-14T10:00:00Z" {
		t.Errorf("without a fault: %v", plain["last_updated"])
	}
	if read(WireFaults{TimesWithoutZone: true}, &odd); odd["last_updated"] != "2026-09-14T10:00:00" {
		t.Errorf("without zone: %v", odd["last_updated"])
	}
	if read(WireFaults{TimesWithOffset: true}, &odd); odd["last_updated"] != "2026-09-14T10:00:00.000000+00:00" {
		t.Errorf("with offset: %v", odd["last_updated"])
	}
	if text := read(WireFaults{NumbersAsText: true}, &odd); !strings.Contains(text, `"price":"0.37"`) || !strings.Contains(text, `"step_size":"100"`) {
		t.Errorf("numbers as text: %s", text)
	}
	cpo.SetFaults(WireFaults{NullLists: true})
	if err := cpo.PutLocation(t.Context(), cpo.Locations()[0]); err != nil {
		t.Fatal(err)
	}
	body := string(platform.sent("/emsp/locations/")[0].body)
	if !strings.Contains(body, `"images":null`) || strings.Count(body, `"images"`) != 1 {
		t.Errorf("null lists: %s", body)
	}
}

// Faults of the handshake.
func TestHandshakeFaults(t *testing.T) {
	platform := newReceiver(t)
	cpo := NewCPO(Options{Name: "Nordladen", Party: ocpi.Party{CountryCode: "DE", PartyID: "NLA"}, Now: clock, Faults: WireFaults{CallbackFails: true}})
	start(t, cpo.Peer)
	err := cpo.Register(t.Context(), platform.URL+"/emsp/versions", platform.tokenA)
	if !IsRefusal(err, ocpi.StatusUnableToUseClientAPI) {
		t.Errorf("CRED-11: register with failing callback: %v", err)
	}
	if _, registered := cpo.Registration(); registered {
		t.Error("registered all the same")
	}
	cpo.SetFaults(WireFaults{HalfRegisters: true})
	platform.peer.url, platform.peer.token = cpo.Invite()
	credentials := platform.endpointOf("credentials")
	before := len(platform.sent("/emsp/"))
	if response, _ := platform.call(http.MethodPost, credentials, platform.credentials("b"), ""); response.StatusCode != http.StatusInternalServerError {
		t.Errorf("half a registration is answered with %d", response.StatusCode)
	}
	if got := len(platform.sent("/emsp/")) - before; got != 2 {
		t.Errorf("%d calls back before the failure", got)
	}
	cpo.SetFaults(WireFaults{CredentialsAre201: true})
	if response, _ := platform.call(http.MethodPost, credentials, platform.credentials("b"), ""); response.StatusCode != http.StatusCreated {
		t.Errorf("POST credentials is answered with %d", response.StatusCode)
	}
}

// Oddities of a charge, each against the same visit without it.
func TestOddities(t *testing.T) {
	cpo := newTestCPO(2)
	visit := Visit{Token: card(northern, "AA01"), Arrival: noon, Car: Cars[1], Arrives: 20, Leaves: 80}
	point := cpo.Points()[0]
	with := func(o Oddities) *Charge {
		v := visit
		v.Oddities = o
		return cpo.Simulate(point, v)
	}
	plain := with(Oddities{}).CDR()
	names := func(c *Charge) []string {
		var list []string
		for _, e := range c.Events() {
			list = append(list, e.What)
		}
		return list
	}
	if c := with(Oddities{NoSession: true}); slices.Contains(names(c), "session start") || c.CDR().SessionID != "" {
		t.Error("NoSession: there is one")
	}
	if got := with(Oddities{EnergyInWh: true}).CDR(); !got.TotalEnergy.Decimal.Equal(plain.TotalEnergy.Decimal.Shift(3)) || !got.TotalCost.ExclVAT.Decimal.Equal(plain.TotalCost.ExclVAT.Decimal) {
		t.Errorf("EnergyInWh: %s kWh for %s", got.TotalEnergy.Decimal, got.TotalCost.ExclVAT.Decimal)
	}
	if got := with(Oddities{WrongCost: true}).CDR(); !got.TotalCost.ExclVAT.Decimal.Equal(plain.TotalCost.ExclVAT.Decimal.Mul(amount("1.25")).Round(4)) {
		t.Errorf("WrongCost: %s instead of %s", got.TotalCost.ExclVAT.Decimal, plain.TotalCost.ExclVAT.Decimal)
	}
	if got := with(Oddities{UnknownToken: true}).CDR(); got.CDRToken.UID == "AA01" || got.CDRToken.Party() != northern {
		t.Errorf("UnknownToken: %+v", got.CDRToken)
	}
	if got := with(Oddities{Late: 60 * 24 * time.Hour}).CDR(); got.LastUpdated.Sub(got.EndDateTime) < 60*24*time.Hour {
		t.Errorf("Late: sent at %s", got.LastUpdated)
	}
	if got := names(with(Oddities{CreditFirst: true})); slices.Index(got, "credit CDR") > slices.Index(got, "CDR") || !slices.Contains(got, "replacement CDR") {
		t.Errorf("CreditFirst: %v", got)
	}
	if got := names(with(Oddities{Changed: true})); !slices.Contains(got, "CDR changed") {
		t.Errorf("Changed: %v", got)
	}
	if got := names(with(Oddities{Repeated: true})); !slices.Contains(got, "session update again") {
		t.Errorf("Repeated: %v", got)
	}
}

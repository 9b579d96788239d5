package ocpitest

import (
	"net/http"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

func startHub(t *testing.T) (*Hub, *receiver) {
	t.Helper()
	platform := newReceiver(t)
	hub := NewHub(Options{Name: "Drehkreuz", Party: ocpi.Party{CountryCode: "DE", PartyID: "DKZ"}, Now: clock})
	for _, id := range []ocpi.CiString{"AAA", "BBB", "CCC"} {
		hub.AddCPO(Options{Name: string(id), Party: ocpi.Party{CountryCode: "DE", PartyID: id}})
	}
	start(t, hub.Peer)
	if err := hub.Register(t.Context(), platform.URL+"/emsp/versions", platform.tokenA); err != nil {
		t.Fatal(err)
	}
	return hub, platform
}

// HUB-01, CRED-33: a hub announces its CPOs without routing headers.
func TestHubAnnounces(t *testing.T) {
	hub, platform := startHub(t)
	if err := hub.Announce(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := platform.sent("/emsp/hubclientinfo/DE/")
	if len(sent) != 3 || sent[0].header.Get("OCPI-from-party-id") != "" {
		t.Errorf("%d announcements", len(sent))
	}
	if _, answer := platform.call(http.MethodGet, platform.endpointOf("hubclientinfo"), nil, ""); answer.StatusCode != 1000 {
		t.Errorf("hubclientinfo is answered with %d", answer.StatusCode)
	}
	noComplaints(t, hub.Peer)
}

// RTG-09: a hub broadcasts Locations in its own name; sessions go from the
// CPO to the eMSP of the card.
func TestHubRoutes(t *testing.T) {
	hub, platform := startHub(t)
	cpo := hub.CPOs()[1]
	if err := cpo.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	locations := platform.sent("/emsp/locations/DE/BBB/")
	if len(locations) != 2 {
		t.Fatalf("%d Locations", len(locations))
	}
	for i, to := range []string{"NOR", "SUE"} {
		if h := locations[i].header; h.Get("OCPI-from-party-id") != "DKZ" || h.Get("OCPI-to-party-id") != to {
			t.Errorf("Location from %s to %s", h.Get("OCPI-from-party-id"), h.Get("OCPI-to-party-id"))
		}
	}
	charge := cpo.Draw(Visit{Token: card(southern, "BB01"), Arrival: noon})
	if err := charge.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h := platform.sent("/emsp/cdrs")[0].header; h.Get("OCPI-from-party-id") != "BBB" || h.Get("OCPI-to-party-id") != "SUE" {
		t.Errorf("CDR from %s to %s", h.Get("OCPI-from-party-id"), h.Get("OCPI-to-party-id"))
	}
	noComplaints(t, hub.Peer)
}

// RTG-08, RTG-12, STA-04: what the platform sends through a hub.
func TestHubReceives(t *testing.T) {
	hub, platform := startHub(t)
	tokens := platform.endpointOf("tokens") + "/DE/NOR/AA01?type=RFID"
	if response, _ := platform.call(http.MethodPut, tokens, card(northern, "AA01"), "DE*DKZ"); response.StatusCode != http.StatusCreated {
		t.Errorf("the broadcast is answered with %d", response.StatusCode)
	}
	for _, cpo := range hub.CPOs() {
		if len(cpo.Tokens()) != 1 {
			t.Errorf("%s has %d tokens after the broadcast", cpo.Name(), len(cpo.Tokens()))
		}
	}
	if err := hub.SetConnection(t.Context(), ocpi.Party{CountryCode: "DE", PartyID: "BBB"}, ocpi.ConnectionOffline); err != nil {
		t.Fatal(err)
	}
	locations := platform.endpointOf("locations")
	for to, want := range map[string]int{"DE*AAA": 1000, "DE*BBB": 4003, "DE*XXX": 4001, "DE*DKZ": 1000} {
		if _, answer := platform.call(http.MethodGet, locations, nil, to); answer.StatusCode != want {
			t.Errorf("GET locations of %s is answered with %d, not %d", to, answer.StatusCode, want)
		}
	}
	response, _ := platform.call(http.MethodGet, locations, nil, "DE*DKZ")
	if got := response.Header.Get("X-Total-Count"); got != "2" {
		t.Errorf("GET-all shows %s Locations of the two CPOs that are connected", got)
	}
	if got := response.Header.Get("OCPI-from-party-id"); got != "DKZ" {
		t.Errorf("the answer comes from %s", got)
	}
	charge := hub.CPOs()[0].Draw(Visit{Token: card(northern, "AA01"), Arrival: noon})
	if err := charge.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	for module, want := range map[string]string{"sessions": "1", "cdrs": "1"} {
		response, _ := platform.call(http.MethodGet, platform.endpointOf(module)+"?date_from="+noon.Add(-time.Hour).Format(time.RFC3339), nil, "DE*AAA")
		if got := response.Header.Get("X-Total-Count"); got != want {
			t.Errorf("%s %s are listed", got, module)
		}
	}
	noComplaints(t, hub.Peer)
}

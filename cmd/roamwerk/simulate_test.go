package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// Two calculations that share nothing agree on the cost of 500 sessions, by
// day and night, with and without blocking fees, in both changes of the clock.
func TestSimulatedCostsAgreeWithBilling(t *testing.T) {
	now := time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC)
	cpo := ocpitest.NewCPO(ocpitest.Options{
		Name: "Nordladen", Party: ocpi.Party{CountryCode: "DE", PartyID: "NLA"}, Seed: 11, Sites: 20, Now: func() time.Time { return now },
	})
	card := ocpi.Token{CountryCode: "DE", PartyID: "SWX", UID: "AA01", Type: ocpi.TokenRFID, ContractID: "DESWXC1"}
	charge := func(n int, odd ocpitest.Oddities) ocpi.CDR {
		return cpo.Draw(ocpitest.Visit{Token: card, Arrival: now.Add(time.Duration(n) * 29 * time.Minute), Oddities: odd}).CDR()
	}
	check := func(cdr ocpi.CDR) billing.Verdict {
		t.Helper()
		tariff, findings := billing.Compile(cdr.Tariffs[0], billing.CompileOptions{})
		if len(findings) > 0 {
			t.Errorf("%s: tariff: %v", cdr.ID, findings)
		}
		rating := billing.Rate(&cdr, []*billing.Tariff{tariff}, billing.ZoneOf("DEU"), billing.DefaultPolicy)
		if len(rating.Findings) > 0 {
			t.Errorf("%s: %v", cdr.ID, rating.Findings)
		}
		return billing.Check(&cdr, rating, billing.DefaultTolerance)
	}
	for n := range 500 {
		cdr := charge(n, ocpitest.Oddities{})
		if verdict := check(cdr); !verdict.Agrees || len(verdict.Differences) > 0 {
			t.Errorf("%s from %s: %+v", cdr.ID, cdr.StartDateTime, verdict)
		}
	}
	if verdict := check(charge(500, ocpitest.Oddities{WrongCost: true})); verdict.Agrees {
		t.Errorf("a cost that is a quarter too high is agreed to: %+v", verdict)
	}
}

// simulate runs the command and returns its lines, the summary last.
func simulate(t *testing.T, args ...string) []map[string]any {
	t.Helper()
	var stdout bytes.Buffer
	err := run(t.Context(), append([]string{"simulate"}, args...), nil, &stdout, testWriter{t})
	var lines []map[string]any
	for text := range strings.Lines(stdout.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, line)
	}
	if err != nil || len(lines) == 0 || lines[len(lines)-1]["step"] != "summary" {
		t.Fatalf("simulate: %v\n%s", err, stdout.String())
	}
	return lines
}

// The simulator against the platform: a CPO and a hub, without and with the
// faults that a platform has to bear, and again with the registration kept.
func TestSimulate(t *testing.T) {
	a := startApp(t, &clock{real: time.Now})
	tenant, err := a.ops().AddTenant(t.Context(), jobs.NewTenant{Party: ocpi.Party{CountryCode: "DE", PartyID: "SWX"}, Name: "Stadtwerke X"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		card := jobs.NewCard{
			Tenant: tenant.ID, UID: fmt.Sprintf("04AA%02d", n), Contract: fmt.Sprintf("DESWXC%08d", n), Customer: "Erika Muster", Email: "erika@muster.example",
		}
		if _, err := a.ops().IssueCard(t.Context(), card); err != nil {
			t.Fatal(err)
		}
	}
	state := filepath.Join(t.TempDir(), "state.json")
	cdrs := 0
	for _, test := range []struct {
		name    string
		role    ocpi.Role
		party   string
		args    []string
		perSet  int // CDRs of 12 sessions that the platform keeps
		errors  float64
		resumed bool
	}{
		{name: "CPO", role: ocpi.RoleCPO, party: "DE*SIM", args: []string{"--state", state}, perSet: 12},
		{name: "CPO again", party: "DE*SIM", args: []string{"--state", state}, perSet: 12, resumed: true},
		{name: "hub", role: ocpi.RoleHub, party: "DE*HUB", args: []string{"--cpos", "2"}, perSet: 12},
		{name: "tokens", role: ocpi.RoleCPO, party: "DE*RAW", args: []string{"--faults", "raw-token,no-request-ids"}, perSet: 12},
		{name: "text", role: ocpi.RoleCPO, party: "DE*TXT", args: []string{"--faults", "times-without-zone,null-lists,token-newline,duplicate-cdr"}, perSet: 12},
		{name: "bare", role: ocpi.RoleCPO, party: "DE*BAR", args: []string{"--faults", "no-routing,unpadded-token,no-session,credentials-201"}, perSet: 12},
		{name: "changed", role: ocpi.RoleCPO, party: "DE*CHG", args: []string{"--faults", "changed-cdr"}, perSet: 12, errors: 12}, // CDR-07
		{name: "old CPO", role: ocpi.RoleCPO, party: "DE*OLD", args: []string{"--version", "2.1.1"}, perSet: 12},
		{name: "new CPO", role: ocpi.RoleCPO, party: "DE*NEW", args: []string{"--version", "2.3.0"}, perSet: 12},
		{name: "new hub", role: ocpi.RoleHub, party: "DE*NHB", args: []string{"--version", "2.3.0", "--cpos", "2"}, perSet: 12}, // VDF-14
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"--role", "CPO", "--party", test.party, "--sessions", "12", "--locations", "2", "--seed", fmt.Sprint(100 + cdrs)}, test.args...)
			if !test.resumed {
				party, err := ocpi.ParseParty(test.party)
				if err != nil {
					t.Fatal(err)
				}
				invitation, err := a.ops().InvitePartner(t.Context(), jobs.NewPartner{Name: test.name, Role: test.role, Party: party})
				if err != nil {
					t.Fatal(err)
				}
				args[1] = string(test.role)
				args = append(args, "--versions-url", invitation.VersionsURL, "--token", invitation.Token)
			}
			lines := simulate(t, args...)
			summary := lines[len(lines)-1]
			if summary["errors"] != test.errors {
				t.Errorf("%v errors, want %v: %v", summary["errors"], test.errors, lines)
			}
			if summary["complaints_total"] != 0.0 {
				t.Errorf("complaints: %v", summary["complaints"])
			}
			cdrs += test.perSet
			got, err := dbtest.Count(t.Context(), a.cfg.DatabaseURL, "SELECT count(*) FROM cdrs")
			if err != nil || got != cdrs {
				t.Errorf("%d CDRs are stored, want %d (%v)", got, cdrs, err)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	var sorted []time.Duration
	for n := range 200 {
		sorted = append(sorted, time.Duration(n+1))
	}
	for p, want := range map[int]time.Duration{1: 2, 50: 100, 99: 198, 100: 200} {
		if got := percentile(sorted, p); got != want {
			t.Errorf("percentile %d is %d, not %d", p, got, want)
		}
	}
	if percentile(nil, 50) != 0 || percentile(sorted[:1], 50) != 1 {
		t.Error("few values")
	}
}

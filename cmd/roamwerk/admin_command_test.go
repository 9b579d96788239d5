package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// Charge points are commanded from the command line, and each command prints what came of it (CMD-09, CMD-12).
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	begin(t, nil, "dev", "--data", dir, "--listen", "127.0.0.1:0", "--demo=false")
	awaitDev(t, dir)
	command := func(args ...string) (printed map[string]any, err error) {
		t.Helper()
		var out, errs bytes.Buffer
		err = run(t.Context(), append([]string{"--data", dir}, args...), nil, &out, &errs)
		if out.Len() > 0 {
			if err := json.Unmarshal(out.Bytes(), &printed); err != nil {
				t.Fatalf("roamwerk %s printed %s", strings.Join(args, " "), &out)
			}
		}
		return printed, err
	}
	ok := func(args ...string) map[string]any {
		t.Helper()
		printed, err := command(args...)
		if err != nil {
			t.Fatalf("roamwerk %s: %v", strings.Join(args, " "), err)
		}
		return printed
	}
	ok("tenant", "add", "--party", "DE*SWX", "--name", "Stadtwerke Xanten")
	ok("card", "issue", "--tenant", "DE*SWX", "--uid", "04AABBCC", "--contract", "DE-SWX-C1", "--customer", "Erika Beispiel", "--email", "erika@post.example")
	invitation := ok("partner", "invite", "--name", "Nord", "--role", "CPO", "--party", "DE*NSL")
	cpo := ocpitest.NewCPO(ocpitest.Options{Name: "Nord", Party: ocpi.Party{CountryCode: "DE", PartyID: "NSL"}, Seed: 1})
	if err := cpo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cpo.Close() })
	if err := cpo.Register(t.Context(), invitation["versions_url"].(string), invitation["token"].(string)); err != nil {
		t.Fatal(err)
	}
	if err := cpo.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	point := cpo.Points()[0]
	place := []string{"--tenant", "DE*SWX", "--location", string(point.Location.ID), "--evse", string(point.EVSE.UID)}
	card := append([]string{"--uid", "04AABBCC"}, place...)
	got := func(printed map[string]any) {
		t.Helper()
		if printed["response"] != "ACCEPTED" || printed["result"] != "ACCEPTED" || printed["state"] != "accepted" && printed["state"] != "confirmed" {
			t.Errorf("printed %v", printed)
		}
	}
	got(ok(append([]string{"command", "start"}, card...)...))
	await(t, "the session runs", func() bool { return len(cpo.Sessions()) == 1 })
	got(ok("command", "stop", "--tenant", "DE*SWX", "--session", string(cpo.Sessions()[0].ID)))
	reserved := ok(append([]string{"command", "reserve", "--for", "10m"}, card...)...)
	got(reserved)
	await(t, "the reservation is a session", func() bool { return len(cpo.Sessions()) == 2 })
	got(ok("command", "cancel", "--tenant", "DE*SWX", "--reservation", reserved["reservation"].(string)))
	got(ok(append([]string{"command", "unlock", "--connector", "1"}, place...)...))

	printed, err := command("command", "start", "--tenant", "DE*SWX", "--uid", "NOBODY", "--location", string(point.Location.ID))
	if err == nil || printed["reason"] != "unknown_token" || printed["state"] != "not sent" {
		t.Errorf("a card that nobody has: %v, %v", printed, err)
	}
	for _, complaint := range cpo.Complaints() {
		t.Error("the partner complains:", complaint)
	}
}

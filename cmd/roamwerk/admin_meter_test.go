package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// Keys of meters are registered, listed and ended from the command line, and the policy of a utility is set there.
func TestMeterKeys(t *testing.T) {
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
	m := ocpitest.NewMeter("M1")
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, []byte("-----BEGIN PUBLIC KEY-----\n"+m.PublicKey()+"\n-----END PUBLIC KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add := []string{"meter", "key", "add", "--tenant", "DE*SWX", "--cpo", "DE*NSL", "--source", "letter of 2026-10-01"}
	first := ok(append(add, "--evse", "DE*NSL*E1", "--key", m.PublicKey(), "--from", "2026-10-01")...)
	second := ok(append(add, "--serial", "M1", "--key", file, "--from", "2026-07-01")...)
	if first["evse"] != "DENSLE1" || first["curve"] != "secp256r1" || first["from"] != "2026-09-30T22:00:00Z" || second["fingerprint"] != first["fingerprint"] || second["serial"] != "M1" {
		t.Errorf("added %v\nand %v", first, second)
	}
	ok("meter", "key", "end", "--tenant", "DE*SWX", "--id", first["id"].(string), "--on", "2026-12-01")
	ok("meter", "policy", "--tenant", "DE*SWX", "--set", "hold", "--required")
	list := ok("meter", "key", "list", "--tenant", "DE*SWX")
	keys := list["keys"].([]any)
	if len(keys) != 2 || list["policy"] != "hold" || list["required"] != true {
		t.Fatalf("listed %v", list)
	}
	ended := 0
	for _, k := range keys {
		if k.(map[string]any)["to"] == "2026-11-30T23:00:00Z" {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("listed %v", keys)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{append(add, "--evse", "DE*NSL*E1", "--key", "0401"), "key: key-unreadable"},
		{append(add, "--key", m.PublicKey()), "EVSE or meter"},
		{append(add, "--evse", "E", "--key", m.PublicKey(), "--from", "soon"), "--from: \"soon\" is no day"},
		{append(add, "--evse", "DE*NSL*E1", "--key", m.PublicKey(), "--from", "2026-10-01"), "is registered already"},
		{[]string{"meter", "key", "end", "--tenant", "DE*SWX", "--id", "00000000-0000-0000-0000-000000000001", "--on", "2026-12-01"}, "that is valid longer"},
		{[]string{"meter", "policy", "--tenant", "DE*SWX", "--set", "maybe"}, "must be one of"},
	} {
		if _, err := command(c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("roamwerk %s: %v, want %s", strings.Join(c.args, " "), err, c.want)
		}
	}
}

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// How a connection is set up is decided from the command line: quirks, hidden modules, certificates, and new tokens (CRED-23).
func TestPartnerSettings(t *testing.T) {
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
	invitation := ok("partner", "invite", "--name", "Nord", "--role", "CPO", "--party", "DE*NSL")
	cpo := ocpitest.NewCPO(ocpitest.Options{Name: "Nord", Party: ocpi.Party{CountryCode: "DE", PartyID: "NSL"}, Seed: 1, Faults: ocpitest.WireFaults{NumbersAsText: true}})
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
	await(t, "the quirk is learned", func() bool {
		return strings.Contains(fmt.Sprint(ok("partner", "quirk", "--name", "Nord")["quirks"]), "quirk:text-for-number")
	})
	ok("partner", "quirk", "--name", "Nord", "--quirk", "text-for-number", "--mode", "off")
	if err := cpo.Publish(t.Context()); !ocpitest.IsRefusal(err, ocpi.StatusInvalidParameters) {
		t.Errorf("a quirk that is off: %v", err)
	}
	ok("partner", "quirk", "--name", "Nord", "--quirk", "text-for-number", "--mode", "on")
	if err := cpo.Publish(t.Context()); err != nil {
		t.Errorf("a quirk that is on: %v", err)
	}

	ok("partner", "check", "--name", "Nord", "--tenant", "DE*SWX", "--reading", "truncated-to-cents", "--per-line", "0.01", "--reason", "agreed in March")
	ok("partner", "check", "--name", "Nord", "--tenant", "DE*SWX", "--month", "20")
	checked := ok("partner", "check", "--name", "Nord", "--tenant", "DE*SWX", "--per-line", "usual")
	if checked["reading"] != "truncated-to-cents" || checked["per-line"] != nil || checked["month"] != "20" {
		t.Errorf("how claims are checked: %v", checked)
	}
	for _, wrong := range [][]string{{"--reading", "as-it-pleases"}, {"--relative", "much"}, {"--relative", "1.5"}} {
		if _, err := command(append([]string{"partner", "check", "--name", "Nord", "--tenant", "DE*SWX"}, wrong...)...); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}

	before, _ := cpo.Registration()
	ok("partner", "rotate", "--name", "Nord")
	if after, _ := cpo.Registration(); after.Token == before.Token || after.Inbound == before.Inbound {
		t.Error("the tokens are the old ones")
	}
	if got := fmt.Sprint(ok("partner", "hide", "--name", "Nord", "--modules", "hubclientinfo,commands")["hidden"]); got != "[hubclientinfo commands]" {
		t.Errorf("hidden: %s", got)
	}
	ok("partner", "hide", "--name", "Nord")

	file := certificateFile(t)
	if got := ok("partner", "certificate", "--name", "Nord", "--show", file, "--pin", file); got["shown"] != true || got["pinned"] != true {
		t.Errorf("certificates: %v", got)
	}
	if err := cpo.Publish(t.Context()); err == nil {
		t.Error("a partner without its certificate is let in")
	}
	if got := ok("partner", "certificate", "--name", "Nord", "--remove"); got["shown"] != false || got["pinned"] != false {
		t.Errorf("certificates: %v", got)
	}
	if err := cpo.Publish(t.Context()); err != nil {
		t.Errorf("no certificate is asked for: %v", err)
	}

	if got := fmt.Sprint(ok("partner", "agree", "--name", "Nord", "--pull", "cdrs=6h", "--pull", "tariffs=never", "--cdr-days", "14")); !strings.Contains(got, "cdrs:6h0m0s tariffs:never") || !strings.Contains(got, "cdr_days:14") {
		t.Errorf("agreed: %s", got)
	}
	if got := fmt.Sprint(ok("partner", "agree", "--name", "Nord", "--pull", "tariffs=usual", "--cdr-days", "0")); !strings.Contains(got, "map[cdrs:6h0m0s]") || !strings.Contains(got, "cdr_days:<nil>") {
		t.Errorf("agreed: %s", got)
	}

	for _, args := range []string{
		"agree --name Nord --pull cdrs=1s", "agree --name Nord --pull tokens=1h", "agree --name Nord --cdr-days 9999", "enable --name Nord --tenant DE*NIX", "end --name Nord --confirm nord",
		"quirk --name Nord --quirk gremlins --mode on", "quirk --name Nord --quirk no-envelope --mode off", "quirk --name Nord --quirk clock-seconds",
		"hide --name Nord --modules credentials", "hide --name Nord --modules gremlins", "rotate --name Nobody",
		"certificate --name Nord", "certificate --name Nord --remove --pin " + file, "certificate --name Nord --show " + filepath.Join(dir, "secret.key"),
	} {
		if _, err := command(append([]string{"partner"}, strings.Fields(args)...)...); err == nil {
			t.Errorf("partner %s was done", args)
		}
	}
}

// Utilities and partners come, change and go by command (CRED-24, CRED-30, TEN-05).
func TestComingAndGoing(t *testing.T) {
	a := startApp(t, &clock{real: time.Now})
	command := func(args ...string) (printed map[string]any, err error) {
		t.Helper()
		var out bytes.Buffer
		environ := map[string]string{"ROAMWERK_DATABASE_URL": a.cfg.DatabaseURL, "ROAMWERK_REDIS_URL": a.cfg.RedisURL, "ROAMWERK_SECRET_KEY": a.cfg.SecretKey, "ROAMWERK_BASE_URL": a.cfg.BaseURL, "ROAMWERK_PRIVATE_PARTNERS": "true"}
		if err = run(t.Context(), args, environ, &out, testWriter{t}); err == nil {
			err = json.Unmarshal(out.Bytes(), &printed)
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
	ok("tenant", "add", "--party", "DE*SWY", "--name", "Stadtwerke Y")
	ok("card", "issue", "--tenant", "DE*SWX", "--uid", "04AABBCC", "--contract", "DE-SWX-C1", "--customer", "Erika", "--email", "erika@example.org")
	invitation := ok("partner", "invite", "--name", "Nord", "--role", "CPO", "--party", "DE*NSL", "--tenant", "DE*SWX")
	cpo := ocpitest.NewCPO(ocpitest.Options{Name: "Nord", Party: ocpi.Party{CountryCode: "DE", PartyID: "NSL"}, Seed: 1})
	if err := cpo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cpo.Close() })
	if err := cpo.Register(t.Context(), invitation["versions_url"].(string), invitation["token"].(string)); err != nil {
		t.Fatal(err)
	}
	if got := ok("tenant", "change", "--party", "DE*SWX", "--name", "Stadtwerke am Rhein", "--city", "Xanten"); got["name"] != "Stadtwerke am Rhein" || got["mode"] != "trial" {
		t.Errorf("changed: %v", got)
	}
	if _, err := command("tenant", "change", "--party", "DE*SWX", "--live"); err == nil || !strings.Contains(err.Error(), "street") {
		t.Errorf("live without a street: %v", err)
	}
	ok("partner", "enable", "--name", "Nord", "--tenant", "DE*SWX", "--tenant", "DE*SWY")
	if _, err := command("tenant", "close", "--party", "DE*SWX", "--confirm", "DE*SWY"); err == nil {
		t.Error("closed without its name")
	}
	if got := ok("tenant", "close", "--party", "DE*SWX", "--confirm", "de*swx"); got["cards"] != 1.0 || got["partners"] != 1.0 {
		t.Errorf("closed: %v", got)
	}
	if _, err := command("tenant", "close", "--party", "DE*SWX", "--confirm", "DE*SWX"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("closed twice: %v", err)
	}
	if got := ok("partner", "end", "--name", "Nord", "--confirm", "Nord"); got["state"] != "ended" {
		t.Errorf("ended: %v", got)
	}
	await(t, "the partner knows", func() bool { _, registered := cpo.Registration(); return !registered })
}

// certificateFile is a PEM file with a certificate and its key.
func certificateFile(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	name := filepath.Join(t.TempDir(), "client.pem")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// verifyMeter runs "roamwerk meter verify" and returns what it prints.
func verifyMeter(args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	err = run(context.Background(), append([]string{"meter", "verify"}, args...), nil, &out, &errs)
	return out.String(), errs.String(), err
}

func TestMeterVerify(t *testing.T) {
	dir := filepath.Join("..", "..", "billing", "meter", "testdata")
	for _, c := range []struct{ file, want string }{
		{"ocmf-begin-and-end", `"records":[{"ok":true,"reason":""},{"ok":true,"reason":""}],"session_ok":true,"session_reason":""}`},
		{"bad-value-changed", `"records":[{"ok":false,"reason":"signature-mismatch"}],"session_ok":false,"session_reason":"signature-mismatch"}`},
		{"session-pagination-gap", `"records":[{"ok":true,"reason":""},{"ok":true,"reason":""}],"session_ok":false,"session_reason":"pagination-gap"}`},
		{"file-of-two-sessions", `"records":[{"ok":true,"reason":""},{"ok":true,"reason":""},{"ok":true,"reason":""},{"ok":true,"reason":""}],"session_ok":true,"session_reason":""}`},
	} {
		file := filepath.Join(dir, c.file+".xml")
		stdout, stderr, err := verifyMeter(file)
		if want := `{"file":"` + file + `",` + c.want + "\n"; err != nil || stderr != "" || stdout != want {
			t.Errorf("%v %s\ngot  %swant %s", err, stderr, stdout, want)
		}
	}
}

// Every file of a folder has its line, and a key that does not come with a record can be given.
func TestMeterVerifyFolderAndKey(t *testing.T) {
	xml, err := os.ReadFile(filepath.Join("..", "..", "billing", "meter", "testdata", "ocmf-secp256r1-sha256.xml"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(xml), "<signedData>")
	record, rest, _ := strings.Cut(rest, "</signedData><publicKey>")
	key, _, _ := strings.Cut(rest, "</publicKey>")
	record = strings.ReplaceAll(record, "&#34;", `"`)
	dir := t.TempDir()
	for name, content := range map[string]string{".hidden": "x", "a.ocmf": record, "b/c.xml": string(xml)} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	const good, lacking = `[{"ok":true,"reason":""}]`, `[{"ok":false,"reason":"key-unknown"}]`
	for _, c := range []struct {
		args []string
		a    string
	}{{[]string{dir}, lacking}, {[]string{"--key", key, dir}, good}, {[]string{"--key", keyFile, dir}, good}} {
		stdout, stderr, err := verifyMeter(c.args...)
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if err != nil || stderr != "" || len(lines) != 2 || !strings.Contains(lines[0], c.a) || !strings.Contains(lines[1], good) {
			t.Errorf("%q: %v %s\n%s", c.args, err, stderr, stdout)
		}
	}
}

// The signed data of a CDR may come alone, and the CDR in whatever envelope.
func TestMeterVerifyJSON(t *testing.T) {
	record, err := os.ReadFile(filepath.Join("..", "..", "billing", "meter", "testdata", "pcdf.xml"))
	if err != nil {
		t.Fatal(err)
	}
	value, err := json.Marshal(string(record))
	if err != nil {
		t.Fatal(err)
	}
	data := `{"encoding_method":"PCDF","signed_values":[{"nature":"End","signed_data":` + string(value) + `}]}`
	for _, c := range []struct{ doc, want string }{
		{data, `"records":[{"ok":true,"reason":""}],"session_ok":true`},
		{`{"signed_data":` + data + `}`, `"records":[{"ok":true,"reason":""}],"session_ok":true`},
		{`{"data":[{"id":"C","signed_data":` + data + `}]}`, `"records":[{"ok":true,"reason":""}],"session_ok":true`},
		{`{"cdr":{"signed_data":` + data + `}}`, `"records":[{"ok":true,"reason":""}],"session_ok":true`},
		{`{"signed_data":null}`, `"records":[],"session_ok":false,"session_reason":"not-signed-data"`},
		{`{"signed_data":7}`, `"records":[{"ok":false,"reason":"record-malformed"}],"session_ok":false`},
		{`[7]`, `"records":[{"ok":false,"reason":"record-malformed"}],"session_ok":false`},
	} {
		file := filepath.Join(t.TempDir(), "f.json")
		if err := os.WriteFile(file, []byte(c.doc), 0o600); err != nil {
			t.Fatal(err)
		}
		if stdout, stderr, err := verifyMeter(file); err != nil || stderr != "" || !strings.Contains(stdout, c.want) {
			t.Errorf("%s: %v %s %s", c.doc, err, stderr, stdout)
		}
	}
}

// The other files are verified although one is missing and two are no meter data. CDRs are read as they come.
func TestMeterVerifyGoesOn(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	record, err := os.ReadFile(filepath.Join("..", "..", "billing", "meter", "testdata", "pcdf.xml"))
	if err != nil {
		t.Fatal(err)
	}
	value, err := json.Marshal(string(record))
	if err != nil {
		t.Fatal(err)
	}
	cdr := `{"id":"1","signed_data":{"encoding_method":"PCDF","signed_values":[{"nature":"End","signed_data":` + string(value) + `}]}}`
	stdout, stderr, err := verifyMeter("--explain", "--lang", "de", file("empty", ""), filepath.Join(dir, "missing"), file("text", "22 kWh"), file("cdrs.json", "["+cdr+`,{"id":"2"}]`))
	if err == nil || !strings.Contains(err.Error(), "1 of 4 files") || !strings.Contains(stderr, "missing") {
		t.Errorf("%v\n%s", err, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != 4 {
		t.Fatal(stdout)
	}
	for i, want := range [][]string{
		{`"reason":"not-signed-data"`, "kein signierter Messdatensatz"},
		{`missing","records":[],"session_ok":false,"session_reason":"file-unreadable"`},
		{`"reason":"not-signed-data"`, "22 kWh"},
		{`"ok":true`, `"kwh":"22.134"`, `"format":"PCDF"`, `"session_reason":"not-signed-data"`},
	} {
		for _, part := range want {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%s\nhas no %s", lines[i], part)
			}
		}
	}
}

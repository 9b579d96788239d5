package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/roamwerk/roamwerk/db/seal"
)

func TestSealedSecretOpensOnlyInItsPlace(t *testing.T) {
	box, err := seal.New(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	sealed := box.Seal("partner/1", "DE02120300000000202051")
	if bytes.Contains(sealed, []byte("202051")) {
		t.Error("the secret is readable")
	}
	if got, err := box.Open("partner/1", sealed); err != nil || got != "DE02120300000000202051" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if _, err := box.Open("partner/2", sealed); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("other place: %v", err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := box.Open("partner/1", sealed); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("changed byte: %v", err)
	}
	other, _ := seal.New(seal.NewKey())
	if _, err := other.Open("partner/1", box.Seal("partner/1", "x")); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("other key: %v", err)
	}
}

func TestHashIsKeyed(t *testing.T) {
	key := seal.NewKey()
	a, _ := seal.New(key)
	b, _ := seal.New(key)
	c, _ := seal.New(seal.NewKey())
	if !bytes.Equal(a.Hash("token"), b.Hash("token")) {
		t.Error("same key, same token, different hash")
	}
	if bytes.Equal(a.Hash("token"), c.Hash("token")) || bytes.Equal(a.Hash("token"), a.Hash("Token")) {
		t.Error("hash does not depend on key and token")
	}
}

func TestParseKey(t *testing.T) {
	key := seal.NewKey()
	got, err := seal.ParseKey(base64.StdEncoding.EncodeToString(key))
	if err != nil || !bytes.Equal(got, key) {
		t.Errorf("ParseKey = %x, %v", got, err)
	}
	for _, bad := range []string{"", "abc", "not base64!", base64.StdEncoding.EncodeToString(key[:31])} {
		if _, err := seal.ParseKey(bad); err == nil {
			t.Errorf("ParseKey(%q) accepted", bad)
		}
	}
}

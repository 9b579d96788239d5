// Package seal protects the secrets that are stored: it encrypts what must be read again (a partner's token, an IBAN)
// and hashes what only has to be recognised (a token that a partner presents).
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// KeySize is the length of the platform's secret key in bytes.
const KeySize = 32

// Box holds the keys derived from the platform's secret key. It is safe for concurrent use.
type Box struct {
	aead    cipher.AEAD
	hashKey []byte
}

// New derives a Box from the platform's secret key of KeySize bytes.
func New(key []byte) (*Box, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("secret key has %d bytes, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(derive(key, "seal"))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Box{aead: aead, hashKey: derive(key, "hash")}, nil
}

// ParseKey reads a secret key as it stands in the configuration: standard Base64 of KeySize bytes.
func ParseKey(s string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("secret key must be %d bytes in Base64, for example the output of: openssl rand -base64 %d", KeySize, KeySize)
	}
	return key, nil
}

// NewKey makes a random secret key.
func NewKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails
	return key
}

// Seal encrypts a secret. The label binds it to its place ("partner/<id>"), so that one row's secret opens in no other.
func (b *Box) Seal(label, secret string) []byte {
	return b.aead.Seal(nil, nil, []byte(secret), []byte(label))
}

// ErrOpen says that a secret cannot be read: it was sealed with another key, for another place, or was changed.
var ErrOpen = errors.New("sealed secret cannot be opened: wrong key, wrong place or damaged")

// Open decrypts what Seal made with the same label.
func (b *Box) Open(label string, sealed []byte) (string, error) {
	secret, err := b.aead.Open(nil, nil, sealed, []byte(label))
	if err != nil {
		return "", ErrOpen
	}
	return string(secret), nil
}

// Hash is the keyed hash under which a token is looked up.
func (b *Box) Hash(token string) []byte { return derive(b.hashKey, token) }

func derive(key []byte, label string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(label))
	return mac.Sum(nil)
}

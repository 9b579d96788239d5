package meter

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Key is a public key that signatures of a meter are verified with. It is a point of its curve.
type Key struct {
	curve *curve
	x, y  *big.Int
	std   *ecdsa.PublicKey // nil: the curve is none of the standard library's
}

// maxKey bounds the text of a key; the longest that is in use is an RSA key of 800 characters, which we refuse by name.
const maxKey = 4096

// pointForm is which bare points a format has as keys. A point that has lost the byte in front of it could as well be something
// else, so it is taken only where the format has no other form.
type pointForm int

const (
	spkiOrMarked pointForm = iota // SubjectPublicKeyInfo, or a point that begins with 02, 03 or 04
	orBare                        // or x and y without a mark: EDL40 and ISA-EDL40
)

// ParseKey reads a public key: a SubjectPublicKeyInfo or a point that begins with 02, 03 or 04, as PEM, hexadecimal, Base64 or
// Base32, with or without spaces. A point needs the name of its curve, a SubjectPublicKeyInfo has it.
func ParseKey(text, curveName string) (*Key, error) {
	k, fault := parseKey(text, curveOf(curveName), spkiOrMarked)
	if fault != nil {
		return nil, fault
	}
	return k, nil
}

// ReadKey reads a SubjectPublicKeyInfo, as SPKI writes it.
func ReadKey(spki []byte) (*Key, error) {
	k, fault := decodeKey(spki, nil, spkiOrMarked)
	if fault != nil {
		return nil, fault
	}
	return k, nil
}

// Curves are the names of the curves that keys may be of.
func Curves() []string {
	var names []string
	for _, c := range curves {
		names = append(names, c.name)
	}
	slices.Sort(names)
	return names
}

func parseKey(text string, c *curve, form pointForm) (*Key, *Fault) {
	encoded := encodings(text, maxKey)
	if len(encoded) == 0 {
		return nil, &Fault{KeyUnreadable, "neither PEM nor hexadecimal, Base64 or Base32"}
	}
	var first *Fault
	for _, b := range encoded {
		k, fault := decodeKey(b, c, form)
		if fault == nil {
			return k, nil
		}
		if first == nil {
			first = fault
		}
	}
	return nil, first
}

const pemBegin = "-----BEGIN PUBLIC KEY-----"

// encodings are the bytes that a text may stand for. Hexadecimal is also valid Base64, so the more likely comes first.
func encodings(text string, limit int) [][]byte {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > limit {
		return nil
	}
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return [][]byte{block.Bytes}
	}
	if inner, ok := strings.CutPrefix(text, pemBegin); ok { // a PEM that has lost its line feeds
		text, _, _ = strings.Cut(inner, "-----END")
	}
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n:", r) {
			return -1
		}
		return r
	}, text)
	var all [][]byte
	if b, err := hex.DecodeString(text); err == nil {
		all = append(all, b)
	}
	bare := strings.TrimRight(text, "=")
	if b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(bare); err == nil {
		all = append(all, b)
	}
	if b, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(bare)); err == nil {
		all = append(all, b)
		if inner, err := hex.DecodeString(string(b)); err == nil { // hexadecimal, encoded once more because OCPI wants Base64
			all = append(all, inner)
		}
	}
	return all
}

type spki struct {
	Algorithm pkix.AlgorithmIdentifier
	PublicKey asn1.BitString
}

var oidEC = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

// decodeKey reads a SubjectPublicKeyInfo (RFC 5480) or, on curve c, a point.
func decodeKey(b []byte, c *curve, form pointForm) (*Key, *Fault) {
	var info spki
	if rest, err := asn1.Unmarshal(b, &info); err == nil && len(rest) == 0 {
		if !info.Algorithm.Algorithm.Equal(oidEC) {
			return nil, &Fault{KeyUnreadable, fmt.Sprintf("algorithm %s is not ECDSA", info.Algorithm.Algorithm)}
		}
		var named asn1.ObjectIdentifier
		if rest, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &named); err != nil || len(rest) > 0 {
			return nil, &Fault{KeyUnreadable, "the curve is not named"}
		}
		if c = curveByOID(named.String()); c == nil {
			return nil, &Fault{KeyUnreadable, "curve " + named.String() + " is not known"}
		}
		return c.point(info.PublicKey.RightAlign())
	}
	if c == nil {
		return nil, &Fault{KeyUnreadable, "neither a SubjectPublicKeyInfo nor a point of a known curve"}
	}
	if form == orBare && len(b) == 2*c.size() {
		b = slices.Concat([]byte{4}, b)
	}
	return c.point(b)
}

// point reads a point of the curve (SEC 1 § 2.3.4).
func (c *curve) point(b []byte) (*Key, *Fault) {
	n := c.size()
	var x, y *big.Int
	switch {
	case len(b) == 2*n+1 && b[0] == 4:
		x, y = new(big.Int).SetBytes(b[1:1+n]), new(big.Int).SetBytes(b[1+n:])
	case len(b) == n+1 && (b[0] == 2 || b[0] == 3):
		x = new(big.Int).SetBytes(b[1:])
		if x.Cmp(c.p) < 0 {
			y = new(big.Int).ModSqrt(c.square(x), c.p)
		}
		if y != nil && y.Bit(0) != uint(b[0]&1) {
			y.Sub(c.p, y)
		}
	case len(b) == 2*n:
		return nil, &Fault{KeyUnreadable, fmt.Sprintf("%d bytes: a point of %s without the mark 04 in front", len(b), c.name)}
	default:
		return nil, &Fault{KeyUnreadable, fmt.Sprintf("%d bytes are no point of %s", len(b), c.name)}
	}
	if y == nil || !c.has(x, y) {
		return nil, &Fault{KeyUnreadable, "the point is not on " + c.name}
	}
	k := &Key{curve: c, x: x, y: y}
	if c.std != nil {
		var err error
		if k.std, err = ecdsa.ParseUncompressedPublicKey(c.std, k.Point()); err != nil {
			return nil, &Fault{KeyUnreadable, err.Error()}
		}
	}
	return k, nil
}

// Curve is the name of the key's curve, as in the OCMF specification.
func (k *Key) Curve() string { return k.curve.name }

// Point is the key as 04, x and y.
func (k *Key) Point() []byte {
	n := k.curve.size()
	b := make([]byte, 1+2*n)
	b[0] = 4
	k.x.FillBytes(b[1 : 1+n])
	k.y.FillBytes(b[1+n:])
	return b
}

// compressed is the key as 02 or 03 and x.
func (k *Key) compressed() []byte {
	b := make([]byte, 1+k.curve.size())
	b[0] = 2 | byte(k.y.Bit(0))
	k.x.FillBytes(b[1:])
	return b
}

// SPKI is the key as a SubjectPublicKeyInfo, the form that it is kept in.
func (k *Key) SPKI() []byte {
	oid, err := parseOID(k.curve.oid)
	if err != nil {
		panic(err) // ours
	}
	named, err := asn1.Marshal(oid)
	if err != nil {
		panic(err)
	}
	b, err := asn1.Marshal(spki{
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidEC, Parameters: asn1.RawValue{FullBytes: named}},
		PublicKey: asn1.BitString{Bytes: k.Point(), BitLength: 8 * (1 + 2*k.curve.size())},
	})
	if err != nil {
		panic(err)
	}
	return b
}

func parseOID(s string) (oid asn1.ObjectIdentifier, err error) {
	for part := range strings.SplitSeq(s, ".") {
		var n int
		if _, err := fmt.Sscan(part, &n); err != nil {
			return nil, err
		}
		oid = append(oid, n)
	}
	return oid, nil
}

// Fingerprint names the key for people: the first bytes of the SHA-256 of its SubjectPublicKeyInfo.
func (k *Key) Fingerprint() string {
	sum := sha256.Sum256(k.SPKI())
	return hex.EncodeToString(sum[:8])
}

// Equal reports whether both are the same point of the same curve.
func (k *Key) Equal(other *Key) bool {
	return k.curve == other.curve && bytes.Equal(k.Point(), other.Point())
}

func curveByOID(oid string) *curve {
	for _, c := range curves {
		if c.oid == oid {
			return c
		}
	}
	return nil
}

// curveOf finds a curve by its name or by a synonym of it (OCMF specification, table 22). Devices write brainpool with and
// without the P.
func curveOf(name string) *curve {
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "p-256", "nistp256", "prime256v1":
		name = "secp256r1"
	case "p-384", "nistp384", "prime384v1":
		name = "secp384r1"
	case "p-521", "nistp521":
		name = "secp521r1"
	case "p-192", "prime192v1":
		name = "secp192r1"
	}
	if bits, ok := strings.CutPrefix(name, "brainpool"); ok && !strings.HasPrefix(bits, "p") {
		name = "brainpoolp" + bits
	}
	for _, c := range curves {
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

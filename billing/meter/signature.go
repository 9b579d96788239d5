package meter

import (
	"crypto/sha256"
	"crypto/sha512"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// signature is one of ECDSA. Whether r and s are in range is for the verification to say.
type signature struct{ r, s *big.Int }

// der reads SEQUENCE { r INTEGER, s INTEGER }. The integers are taken as unsigned: some devices leave out the zero in front of a
// leading bit, and a signature has no sign.
func der(b []byte) (signature, bool) {
	in, seq := cryptobyte.String(b), cryptobyte.String(nil)
	var r, s cryptobyte.String
	ok := in.ReadASN1(&seq, asn1.SEQUENCE) && in.Empty() &&
		seq.ReadASN1(&r, asn1.INTEGER) && seq.ReadASN1(&s, asn1.INTEGER) && seq.Empty()
	return signature{new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)}, ok
}

// raw reads r and s as two halves.
func raw(b []byte) (signature, bool) {
	if len(b) == 0 || len(b)%2 != 0 {
		return signature{}, false
	}
	half := len(b) / 2
	return signature{new(big.Int).SetBytes(b[:half]), new(big.Int).SetBytes(b[half:])}, true
}

// hashes are those of signature algorithms, by their name in OCMF.
var hashes = map[string]func([]byte) []byte{
	"SHA256": sha2,
	"SHA384": func(b []byte) []byte { sum := sha512.Sum384(b); return sum[:] },
	"SHA512": func(b []byte) []byte { sum := sha512.Sum512(b); return sum[:] },
}

func sha2(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] }

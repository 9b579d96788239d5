package meter

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"testing"
)

// Signatures that OpenSSL 3.0 has made of one text, with keys that it has thrown away since.
var opensslVectors = []struct{ curve, hash, key, sig string }{
	{"secp192k1", "SHA256", "3046301006072a8648ce3d020106052b8104001f03320004cc137ac80e81cc67ae97611261443e5acc7e6f62d0d23c7094049f82d4827d8492805998c7b3b89550e3b1ba818d8f04", "303602190098982984e29edc27bdd2e23ed611b0a0cf496faf7faad19d021900f1786698b760a962a881081fe9cc6aa7c67736b539849a0d"},
	{"secp192r1", "SHA256", "3049301306072a8648ce3d020106082a8648ce3d03010103320004fbaf92f2c18dbffafd1e17342448d3ad80f80e93cabaa4a4c3e57b187c1916bbb35e78d1c272a8ee1a04d9497a31787d", "3034021850d832df4d116025f0f286ef29c4439a673b7eda2a1bbca602180fbb28f0aa65777cac62d6c4faa2fac23595ff7364cfc03f"},
	{"secp256k1", "SHA256", "3056301006072a8648ce3d020106052b8104000a034200040f14320b5c8566e82d80e3245140229fc8ab731a1751764c699123391eb859668e3a372bcd137484a1bb3e1755920cad490c8368b23017a84a16bb960cdef625", "30460221008c9e04ef7dae207c394cfb6143c83e9f4951b79deeba9c30150760160b92310d022100f1a444c3f102c366f35cf4bc2e0865249e1284208e6bdefddc18ef91029460f9"},
	{"brainpoolP256r1", "SHA256", "305a301406072a8648ce3d020106092b240303020801010703420004926051f776d2ce4ac350b922a2304d38533121438723b661f6260c15efe835f96463095858d368c5c7f889fb0d32becf92a5923d6b511a22b1cf202dac81df50", "3045022035adab2a705ee57a89784331d13deab3c975526b17a0be0f932a941426aa11260221008de495bc3494c13e47714981dd013a7df512b2f2a2af9dea03762c61dfb3ed8b"},
	{"brainpoolP384r1", "SHA384", "307a301406072a8648ce3d020106092b240303020801010b0362000463a45c0bba9f1d0668e175a2a95d17bd2c8ca966bbcf296c435c7ca8b12ab9432946b1c9235a71794e66ba91bd7ef46c53417d907e62ffea309a9974a02723c51e4c6ae31172708e4c4854553ac5d5b2fa198e8bf03b8398d07cc4753c7de2f0", "3064023074fcb645ee4a1cb8a82453e2c253d2d86a8cf4e5290d7b6c39cbd910e3490266122c20030ac883690f31a82341169d8402306a305b8eb1bc994a85890376609fca9dc867434ba2562d7658b378b0b9997d8a682190ec934cdfd9b898467bec1742d5"},
	{"secp256r1", "SHA256", "3059301306072a8648ce3d020106082a8648ce3d03010703420004828349ed6c76fc85d3de9767c22797a4af39e4f5bd8c4b84ac73c0d55002f59de1f6c731ba5892697159d69e4f81ee0ef817c12c2fdbeac1987f0db236d75ec4", "30460221008b2ec60af05cb6307c71d3a62a46b9592709a798934a87864c11452bea9ae735022100875198290a24e3754a3cf36ee9f5ee64ecc20b325932121512a4a2c513cf50b1"},
	{"secp384r1", "SHA384", "3076301006072a8648ce3d020106052b81040022036200046245e5025ccb61d2ffbf9f9dc4afd4c07adb692180a7a95aa108ad3c6cef736ddeac5b69392ee00591e2313fd86537de837263daa26a5417ccc91ab85e3e39f3bc3c155dbdee1062da8a629506c4c54daf49e4354e7615e8a1fd9271e504cb5d", "306502301b7a1be7c12045609d9521354d0bf3bf8b97469aa6bfc7ef5063e1612c62e093afb7105719f41076f6675957b6149870023100b2ec319387259f8a2948cd057dc57d591e76d8b634b61f2adcb773c3c53126cc6e941ff553ae0c387b321284a82938dc"},
	{"secp521r1", "SHA512", "30819b301006072a8648ce3d020106052b81040023038186000400fa619faa0372664862a6f772320702693b42f594c046860a3104c98c652e898ab27308d9d0fd12ddbf8e677d5212dde6f3db76cf4c1b75b51cde42f084fd1639f900db408f37246320d8db82a0cdf5c983ffb5e1dcb4cdff93bfe6e80b2ffcaae6f3a4da4a011d7cf91d8852a1872a95dedfb7f3c484e5fdc958556601b6499e5d1bee", "30818702420117113ec60be932382b97c677b824753553798a4b502cea1e1d18f947957189ef0ee3fef436ac65718be287aaa147e6e6a779b4183fbeaaf98df0876a349373faa302410276414f57843566257d2402180314d196c317532b0b33b24e0ce77fc7bffdf1a6f2208e8b2f53cb967b251fd7e3d146bcc733f606033d81218bbc04fe7a0d6b44"},
}

const opensslText = "Roamwerk prueft Messwerte"

func TestVerifyOpenSSL(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range opensslVectors {
		seen[v.curve] = true
		key, err := ParseKey(v.key, "")
		if err != nil {
			t.Fatal(v.curve, err)
		}
		if key.Curve() != v.curve {
			t.Errorf("curve is %s, want %s", key.Curve(), v.curve)
		}
		b, _ := hex.DecodeString(v.sig)
		sig, ok := der(b)
		digest := hashes[v.hash]([]byte(opensslText))
		if !ok || !key.verify(digest, sig) {
			t.Errorf("%s: OpenSSL's signature is refused", v.curve)
		}
		if key.verify(hashes[v.hash]([]byte(opensslText+".")), sig) {
			t.Errorf("%s: a signature of another text is accepted", v.curve)
		}
		own := Key{curve: key.curve, x: key.x, y: key.y} // without the standard library
		if !own.verify(digest, sig) || own.verify(digest, signature{sig.s, sig.r}) {
			t.Errorf("%s: our own arithmetic disagrees", v.curve)
		}
	}
	for _, name := range Curves() {
		if !seen[name] {
			t.Errorf("no vector for %s", name)
		}
	}
}

// The group laws on points that formulas with exceptions get wrong.
func TestCurveArithmetic(t *testing.T) {
	for _, c := range curves {
		g := c.base()
		if !c.has(c.gx, c.gy) || !c.n.ProbablyPrime(20) || !c.p.ProbablyPrime(20) {
			t.Errorf("%s: its parameters are wrong", c.name)
		}
		infinity := c.combine(c.n, new(big.Int), g)
		if infinity.z.Sign() != 0 {
			t.Errorf("%s: n times the base point is not at infinity", c.name)
		}
		minus := point{c.gx, new(big.Int).Sub(c.p, c.gy), big.NewInt(1)}
		if c.plus(g, minus).z.Sign() != 0 {
			t.Errorf("%s: opposite points do not add to infinity", c.name)
		}
		one := c.plus(g, infinity)
		two, twice := c.multiple(big.NewInt(2)), c.affine(c.plus(g, g))
		if !slices.Equal(c.affine(one), c.multiple(big.NewInt(1))) || !slices.Equal(two, twice) {
			t.Errorf("%s: addition is wrong at infinity or when it doubles", c.name)
		}
		// (n - 1)·G = -G, and u·G + v·G = (u + v)·G
		if !slices.Equal(c.multiple(new(big.Int).Sub(c.n, big.NewInt(1))), c.affine(minus)) {
			t.Errorf("%s: (n-1)·G is not -G", c.name)
		}
		sum := c.combine(big.NewInt(12345), big.NewInt(67890), g)
		if !slices.Equal(c.affine(sum), c.multiple(big.NewInt(12345+67890))) {
			t.Errorf("%s: the sum of two multiples is wrong", c.name)
		}
	}
}

func (c *curve) plus(p, q point) point {
	sum := newPoint()
	newField(c).add(sum, p, q)
	return sum
}

// What attackers and broken devices send instead of a signature.
func TestVerifyRefuses(t *testing.T) {
	for _, c := range curves {
		d := newDevice("edge", c.name)
		digest := sha2([]byte("edge"))
		good := d.sign(digest)
		own := &Key{curve: c, x: d.key.x, y: d.key.y}
		for _, k := range []*Key{d.key, own} {
			if !k.verify(digest, good) {
				t.Fatalf("%s: a good signature is refused", c.name)
			}
			// The other signature that is valid without the key. It is no forgery of content, and why records are not told apart by it.
			if !k.verify(digest, signature{good.r, new(big.Int).Sub(c.n, good.s)}) {
				t.Errorf("%s: the negated signature is refused", c.name)
			}
			zero, one := new(big.Int), big.NewInt(1)
			for name, bad := range map[string]signature{
				"r is 0":          {zero, good.s},
				"s is 0":          {good.r, zero},
				"both are 0":      {zero, zero},
				"both are 1":      {one, one},
				"r is n":          {c.n, good.s},
				"s is n":          {good.r, c.n},
				"r + n":           {new(big.Int).Add(good.r, c.n), good.s},
				"s + n":           {good.r, new(big.Int).Add(good.s, c.n)},
				"r negative":      {new(big.Int).Neg(good.r), good.s},
				"s negative":      {good.r, new(big.Int).Neg(good.s)},
				"r is p - n":      {new(big.Int).Abs(new(big.Int).Sub(c.p, c.n)), good.s},
				"r and s swapped": {good.s, good.r},
				"huge":            {new(big.Int).Lsh(one, 4000), new(big.Int).Lsh(one, 4000)},
			} {
				if k.verify(digest, bad) {
					t.Errorf("%s: accepted though %s", c.name, name)
				}
			}
			// u·G + v·Q is at infinity when e + r·d = 0.
			e := new(big.Int).Mul(good.r, d.secret)
			e.Neg(e).Mod(e, c.n)
			infinite := make([]byte, (c.n.BitLen()+7)/8)
			e.FillBytes(infinite)
			if c.n.BitLen()%8 == 0 && k.verify(infinite, good) {
				t.Errorf("%s: accepted a sum at infinity", c.name)
			}
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	c := curveOf("secp256k1")
	d := newDevice("keys", c.name)
	mark := d.key.Point()
	off := slices.Clone(mark)
	off[len(off)-1] ^= 1
	beyond := slices.Concat([]byte{4}, new(big.Int).Add(c.p, d.key.x).FillBytes(make([]byte, 33))[1:], mark[33:])
	spkiOff := slices.Clone(d.key.SPKI())
	spkiOff[len(spkiOff)-1] ^= 1
	for name, text := range map[string]string{
		"empty":                       "",
		"infinity":                    "00",
		"a point off the curve":       hex.EncodeToString(off),
		"a coordinate beyond p":       hex.EncodeToString(beyond),
		"x and y without mark":        hex.EncodeToString(mark[1:]),
		"a byte too few":              hex.EncodeToString(mark[:64]),
		"a byte too many":             hex.EncodeToString(append(slices.Clone(mark), 0)),
		"an unknown mark":             hex.EncodeToString(append([]byte{5}, mark[1:]...)),
		"hybrid form":                 hex.EncodeToString(append([]byte{6}, mark[1:]...)),
		"SPKI with a point off curve": hex.EncodeToString(spkiOff),
		"SPKI with bytes after it":    hex.EncodeToString(append(slices.Clone(d.key.SPKI()), 0)),
		"an RSA key":                  "30820122300D06092A864886F70D01010105000382010F003082010A0282010100C01F",
		"no text of a key":            "der Schlüssel",
		"x without a point":           "02" + "0000000000000000000000000000000000000000000000000000000000000005", // 5³ + 7 is no square
	} {
		if k, err := ParseKey(text, c.name); err == nil {
			t.Errorf("%s: read as a key of %s", name, k.Curve())
		} else if f := new(Fault); !asFault(err, &f) || f.Reason != KeyUnreadable || f.Detail == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, err := ParseKey(hex.EncodeToString(mark), "secp256r1")
	if err == nil {
		t.Error("a point of secp256k1 is read as one of", other.Curve())
	}
}

func asFault(err error, into **Fault) bool {
	f, ok := err.(*Fault)
	*into = f
	return ok
}

// Every form in which the same key has been seen.
func TestParseKeyForms(t *testing.T) {
	for _, c := range curves {
		d := newDevice("forms", c.name)
		point, spki := d.key.Point(), d.key.SPKI()
		for name, text := range map[string]string{
			"SPKI, hexadecimal":            fmt.Sprintf("%x", spki),
			"SPKI, upper case with spaces": fmt.Sprintf("% X", spki),
			"SPKI with colons and lines":   "30:" + fmt.Sprintf("%x", spki[1:20]) + "\n\t" + fmt.Sprintf("%x", spki[20:]),
			"SPKI, Base64":                 base64Of(spki),
			"SPKI, Base64 without padding": trimPad(base64Of(spki)),
			"SPKI, PEM":                    "-----BEGIN PUBLIC KEY-----\n" + base64Of(spki) + "\n-----END PUBLIC KEY-----\n",
			"hexadecimal in Base64":        base64Of([]byte(hex.EncodeToString(spki))),
			"point":                        fmt.Sprintf("%x", point),
			"point, Base64":                base64Of(point),
			"compressed":                   fmt.Sprintf("%x", d.key.compressed()),
			"compressed, Base32":           alfenText(d.key.compressed()),
		} {
			k, err := ParseKey(text, c.name)
			if err != nil {
				t.Errorf("%s, %s: %v", c.name, name, err)
			} else if !k.Equal(d.key) || k.Fingerprint() != d.key.Fingerprint() {
				t.Errorf("%s, %s: another key", c.name, name)
			}
		}
		bare, fault := parseKey(hex.EncodeToString(point[1:]), c, orBare)
		if fault != nil || !bare.Equal(d.key) {
			t.Errorf("%s: a bare point is refused where a format has no other: %v", c.name, fault)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, c := range curves {
		d := newDevice("bench", c.name)
		digest := sha2([]byte("bench"))
		sig := d.sign(digest)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !d.key.verify(digest, sig) {
					b.Fatal("refused")
				}
			}
		})
	}
}

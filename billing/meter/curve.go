package meter

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
)

// curve is y² = x³ + ax + b over the integers modulo p, with a base point of the prime order n. Every point of it is a multiple
// of the base point.
type curve struct {
	name               string
	oid                string // in a SubjectPublicKeyInfo
	p, a, b, gx, gy, n *big.Int
	std                elliptic.Curve // that of the standard library, where it has one
}

// curves are those of the OCMF specification (table 22), and P-521. The standard library knows only the NIST curves of 256 bits
// and more; the arithmetic for the others is below. It works on public figures only and need not hide how long it takes.
var curves = []*curve{
	{
		name: "secp192k1", oid: "1.3.132.0.31",
		p:  number("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFEE37"),
		a:  number("0"),
		b:  number("3"),
		gx: number("DB4FF10EC057E9AE26B07D0280B7F4341DA5D1B1EAE06C7D"),
		gy: number("9B2F2F6D9C5628A7844163D015BE86344082AA88D95E2F9D"),
		n:  number("FFFFFFFFFFFFFFFFFFFFFFFE26F2FC170F69466A74DEFD8D"),
	},
	{
		name: "secp192r1", oid: "1.2.840.10045.3.1.1",
		p:  number("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFFFFFFFFFF"),
		a:  number("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFFFFFFFFFC"),
		b:  number("64210519E59C80E70FA7E9AB72243049FEB8DEECC146B9B1"),
		gx: number("188DA80EB03090F67CBF20EB43A18800F4FF0AFD82FF1012"),
		gy: number("07192B95FFC8DA78631011ED6B24CDD573F977A11E794811"),
		n:  number("FFFFFFFFFFFFFFFFFFFFFFFF99DEF836146BC9B1B4D22831"),
	},
	{
		name: "secp256k1", oid: "1.3.132.0.10",
		p:  number("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F"),
		a:  number("0"),
		b:  number("7"),
		gx: number("79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"),
		gy: number("483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8"),
		n:  number("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141"),
	},
	{
		name: "brainpoolP256r1", oid: "1.3.36.3.3.2.8.1.1.7",
		p:  number("A9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377"),
		a:  number("7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9"),
		b:  number("26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6"),
		gx: number("8BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262"),
		gy: number("547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997"),
		n:  number("A9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7"),
	},
	{
		name: "brainpoolP384r1", oid: "1.3.36.3.3.2.8.1.1.11",
		p:  number("8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B412B1DA197FB71123ACD3A729901D1A71874700133107EC53"),
		a:  number("7BC382C63D8C150C3C72080ACE05AFA0C2BEA28E4FB22787139165EFBA91F90F8AA5814A503AD4EB04A8C7DD22CE2826"),
		b:  number("04A8C7DD22CE28268B39B55416F0447C2FB77DE107DCD2A62E880EA53EEB62D57CB4390295DBC9943AB78696FA504C11"),
		gx: number("1D1C64F068CF45FFA2A63A81B7C13F6B8847A3E77EF14FE3DB7FCAFE0CBD10E8E826E03436D646AAEF87B2E247D4AF1E"),
		gy: number("8ABE1D7520F9C2A45CB1EB8E95CFD55262B70B29FEEC5864E19C054FF99129280E4646217791811142820341263C5315"),
		n:  number("8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B31F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565"),
	},
	standard("secp256r1", "1.2.840.10045.3.1.7", elliptic.P256()),
	standard("secp384r1", "1.3.132.0.34", elliptic.P384()),
	standard("secp521r1", "1.3.132.0.35", elliptic.P521()),
}

func number(hex string) *big.Int {
	v, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		panic("not hexadecimal: " + hex)
	}
	return v
}

func standard(name, oid string, std elliptic.Curve) *curve {
	s := std.Params()
	return &curve{name: name, oid: oid, std: std, p: s.P, a: new(big.Int).Sub(s.P, big.NewInt(3)), b: s.B, gx: s.Gx, gy: s.Gy, n: s.N}
}

// size is the length of a coordinate in bytes.
func (c *curve) size() int { return (c.p.BitLen() + 7) / 8 }

// square is x³ + ax + b, which is y² of a point.
func (c *curve) square(x *big.Int) *big.Int {
	v := new(big.Int).Mul(x, x)
	v.Add(v, c.a).Mul(v, x).Add(v, c.b)
	return v.Mod(v, c.p)
}

// has reports whether there is such a point. The one at infinity has no coordinates and is never a key.
func (c *curve) has(x, y *big.Int) bool {
	if x.Sign() < 0 || y.Sign() < 0 || x.Cmp(c.p) >= 0 || y.Cmp(c.p) >= 0 {
		return false
	}
	v := new(big.Int).Mul(y, y)
	return v.Mod(v, c.p).Cmp(c.square(x)) == 0
}

// verify checks an ECDSA signature of a digest (ISO/IEC 14888-3).
func (k *Key) verify(digest []byte, sig signature) bool {
	c := k.curve
	if sig.r.Sign() <= 0 || sig.s.Sign() <= 0 || sig.r.Cmp(c.n) >= 0 || sig.s.Cmp(c.n) >= 0 {
		return false
	}
	if k.std != nil {
		return ecdsa.Verify(k.std, digest, sig.r, sig.s)
	}
	w := new(big.Int).ModInverse(sig.s, c.n)
	u1 := new(big.Int).Mul(c.truncate(digest), w)
	u2 := new(big.Int).Mul(sig.r, w)
	sum := c.combine(u1.Mod(u1, c.n), u2.Mod(u2, c.n), point{k.x, k.y, big.NewInt(1)})
	x := new(big.Int).ModInverse(sum.z, c.p)
	if x == nil { // the sum is at infinity
		return false
	}
	x.Mul(x, sum.x).Mod(x, c.p)
	return x.Mod(x, c.n).Cmp(sig.r) == 0
}

// truncate takes as many leading bits of a digest as the order has.
func (c *curve) truncate(digest []byte) *big.Int {
	e := new(big.Int).SetBytes(digest)
	if excess := len(digest)*8 - c.n.BitLen(); excess > 0 {
		e.Rsh(e, uint(excess))
	}
	return e
}

// point is x/z, y/z; z is zero at infinity.
type point struct{ x, y, z *big.Int }

func (c *curve) base() point { return point{c.gx, c.gy, big.NewInt(1)} }

// combine returns u·G + v·q, doubling once for both.
func (c *curve) combine(u, v *big.Int, q point) point {
	f := newField(c)
	g, both, sum := c.base(), newPoint(), newPoint()
	f.add(both, g, q)
	sum.y.SetInt64(1)
	for i := max(u.BitLen(), v.BitLen()) - 1; i >= 0; i-- {
		f.add(sum, sum, sum)
		switch u.Bit(i) | v.Bit(i)<<1 {
		case 1:
			f.add(sum, sum, g)
		case 2:
			f.add(sum, sum, q)
		case 3:
			f.add(sum, sum, both)
		}
	}
	return sum
}

func newPoint() point { return point{new(big.Int), new(big.Int), new(big.Int)} }

// field calculates modulo the curve's prime, in place: a verification has some ten thousand multiplications.
type field struct {
	*curve
	b3                                                 *big.Int
	product, quotient                                  big.Int
	xx, yy, zz, xy, xz, yz, d, m, n, minus, plus, t, s big.Int
}

func newField(c *curve) *field { return &field{curve: c, b3: new(big.Int).Mul(c.b, big.NewInt(3))} }

// add sets r to p + q by formulas that hold for all points, equal, opposite or at infinity, because the order of the curve is odd
// (Renes, Costello, Batina: Complete addition formulas for prime order elliptic curves, 2016, § 3). r may be p or q.
func (f *field) add(r, p, q point) {
	f.mul(&f.xx, p.x, q.x)
	f.mul(&f.yy, p.y, q.y)
	f.mul(&f.zz, p.z, q.z)
	f.cross(&f.xy, p.x, q.y, q.x, p.y)
	f.cross(&f.xz, p.x, q.z, q.x, p.z)
	f.cross(&f.yz, p.y, q.z, q.y, p.z)

	f.cross(&f.d, f.a, &f.xz, f.b3, &f.zz) // a·xz + 3b·zz
	f.mul(&f.t, f.a, &f.zz)
	f.m.Add(&f.xx, &f.xx).Add(&f.m, &f.xx).Add(&f.m, &f.t) // 3xx + a·zz
	f.s.Sub(&f.xx, &f.t)
	f.cross(&f.n, f.b3, &f.xz, f.a, &f.s) // 3b·xz + a·(xx - a·zz)
	f.minus.Sub(&f.yy, &f.d)
	f.plus.Add(&f.yy, &f.d)
	f.cross(r.x, &f.xy, &f.minus, f.t.Neg(&f.yz), &f.n) // xy·(yy - d) - yz·n
	f.cross(r.y, &f.minus, &f.plus, &f.m, &f.n)         // (yy - d)·(yy + d) + m·n
	f.cross(r.z, &f.yz, &f.plus, &f.xy, &f.m)           // yz·(yy + d) + xy·m
}

// mul sets r to x·y.
func (f *field) mul(r, x, y *big.Int) *big.Int {
	return f.reduce(r, f.product.Mul(x, y))
}

// cross sets r to x1·y1 + x2·y2.
func (f *field) cross(r, x1, y1, x2, y2 *big.Int) {
	f.product.Mul(x1, y1)
	f.quotient.Mul(x2, y2)
	f.reduce(r, f.product.Add(&f.product, &f.quotient))
}

func (f *field) reduce(r, x *big.Int) *big.Int {
	f.quotient.QuoRem(x, f.p, r)
	if r.Sign() < 0 {
		r.Add(r, f.p)
	}
	return r
}

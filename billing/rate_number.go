package billing

import (
	"math/big"
	"math/bits"
	"time"

	"github.com/shopspring/decimal"
)

// number is an exact decimal number, the one that prices are computed with: an integer of 128 bits times a power of ten. A
// sum or a product that does not fit continues as a decimal.Decimal, so every operation but a quotient is exact, and those
// on numbers as sessions have them are quick and leave no garbage.
type number struct {
	hi  int64 // hi·2^64 + lo, two's complement
	lo  uint64
	exp int32
	big *decimal.Decimal // not nil: this is the number, and the integer counts for nothing
}

// powersOfTen are those that fit in 64 bits.
var powersOfTen = func() (powers [20]uint64) {
	powers[0] = 1
	for i := 1; i < len(powers); i++ {
		powers[i] = powers[i-1] * 10
	}
	return powers
}()

// fewDigits is how many digits certainly fit in an int64.
const fewDigits = 18

func numberOf(d decimal.Decimal) number {
	if d.NumDigits() > fewDigits {
		long := d
		return number{big: &long}
	}
	return integer(d.CoefficientInt64(), d.Exponent())
}

// integer is n times ten to the power of exp.
func integer(n int64, exp int32) number { return number{hi: n >> 63, lo: uint64(n), exp: exp} }

// secondsOf counts the seconds of a duration.
func secondsOf(d time.Duration) number {
	switch {
	case d%time.Second == 0:
		return integer(int64(d/time.Second), 0)
	case d%time.Millisecond == 0:
		return integer(int64(d/time.Millisecond), -3)
	}
	return integer(int64(d), -9)
}

// secondsBetween is the time from one instant to another, however long: a time.Duration ends at 292 years.
func secondsBetween(from, to time.Time) number {
	if length := to.Sub(from); length > -maxSub && length < maxSub {
		return secondsOf(length)
	}
	return integer(to.Unix()-from.Unix(), 0).add(integer(int64(to.Nanosecond()-from.Nanosecond()), -9))
}

// maxSub is near to where the difference of two instants saturates.
const maxSub = time.Duration(1<<63 - 1e9)

func (n number) decimal() decimal.Decimal {
	switch {
	case n.big != nil:
		return *n.big
	case n.hi == 0 && n.lo == 0:
		return decimal.Zero
	case n.hi == int64(n.lo)>>63:
		return decimal.New(int64(n.lo), n.exp)
	}
	hi, lo := n.magnitude()
	wide := new(big.Int).SetUint64(hi)
	wide.Lsh(wide, 64).Or(wide, new(big.Int).SetUint64(lo))
	if n.hi < 0 {
		wide.Neg(wide)
	}
	return decimal.NewFromBigInt(wide, n.exp)
}

// writer writes numbers down as decimals. The figures of a CDR are the same few numbers again and again, so it remembers
// the last of them: a decimal never changes and can stand in many places.
type writer [16]writtenNumber

type writtenNumber struct {
	coefficient int64
	exp         int32
	decimal     decimal.Decimal
}

func (w *writer) decimal(n number) decimal.Decimal {
	if n.big != nil || n.hi != int64(n.lo)>>63 || n.lo == 0 {
		return n.decimal()
	}
	const golden = 0x9E3779B97F4A7C15 // spreads neighbours
	last := &w[(n.lo+uint64(n.exp))*golden>>60]
	if last.coefficient != int64(n.lo) || last.exp != n.exp {
		*last = writtenNumber{int64(n.lo), n.exp, n.decimal()}
	}
	return last.decimal
}

// hours writes seconds as hours.
func (w *writer) hours(seconds number) decimal.Decimal { return w.decimal(inHours(seconds)) }

// magnitude is the absolute value of the integer.
func (n number) magnitude() (hi, lo uint64) {
	hi, lo = uint64(n.hi), n.lo
	if n.hi < 0 {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	return hi, lo
}

// spare bounds the upper half of the integer. It leaves a bit free, so that neither a sum nor a change of sign can overflow.
const spare = 1 << 62

// signed puts a number together from its absolute value; ok is false where that is too large.
func signed(hi, lo uint64, exp int32, negative bool) (n number, ok bool) {
	if hi >= spare {
		return number{}, false
	}
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	return number{hi: int64(hi), lo: lo, exp: exp}, true
}

func (n number) sign() int {
	switch {
	case n.big != nil:
		return n.big.Sign()
	case n.hi < 0:
		return -1
	case n.hi == 0 && n.lo == 0:
		return 0
	}
	return 1
}

func (n number) isZero() bool     { return n.sign() == 0 }
func (n number) isNegative() bool { return n.sign() < 0 }
func (n number) isPositive() bool { return n.sign() > 0 }

func (n number) neg() number {
	if n.big != nil {
		return numberOf(n.big.Neg())
	}
	lo, borrow := bits.Sub64(0, n.lo, 0)
	hi, _ := bits.Sub64(0, uint64(n.hi), borrow)
	return number{hi: int64(hi), lo: lo, exp: n.exp}
}

func (n number) abs() number {
	if n.isNegative() {
		return n.neg()
	}
	return n
}

// scaled multiplies the integer by ten to the power of places and lowers the exponent instead.
func (n number) scaled(places int32) (number, bool) {
	if int(places) >= len(powersOfTen) {
		return n, n.hi == 0 && n.lo == 0
	}
	hi, lo := n.magnitude()
	hi, lo, ok := timesWord(hi, lo, powersOfTen[places])
	if !ok {
		return number{}, false
	}
	return signed(hi, lo, n.exp-places, n.hi < 0)
}

// timesWord multiplies 128 bits by 64.
func timesWord(hi, lo, by uint64) (productHi, productLo uint64, ok bool) {
	productHi, productLo = bits.Mul64(lo, by)
	if hi == 0 {
		return productHi, productLo, true
	}
	over, more := bits.Mul64(hi, by)
	sum, carry := bits.Add64(productHi, more, 0)
	return sum, productLo, over == 0 && carry == 0
}

// aligned brings two numbers to the same exponent.
func aligned(a, b number) (x, y number, ok bool) {
	switch {
	case a.big != nil || b.big != nil:
		return a, b, false
	case a.exp == b.exp:
		return a, b, true
	case a.exp > b.exp:
		a, ok = a.scaled(a.exp - b.exp)
	default:
		b, ok = b.scaled(b.exp - a.exp)
	}
	return a, b, ok
}

func (n number) add(other number) number {
	if n == (number{}) {
		return other
	}
	if a, b, ok := aligned(n, other); ok {
		lo, carry := bits.Add64(a.lo, b.lo, 0)
		hi, _ := bits.Add64(uint64(a.hi), uint64(b.hi), carry)
		if sum := int64(hi); -spare <= sum && sum < spare {
			return number{hi: sum, lo: lo, exp: min(a.exp, b.exp)}
		}
	}
	return numberOf(n.decimal().Add(other.decimal()))
}

func (n number) sub(other number) number { return n.add(other.neg()) }

func (n number) mul(other number) number {
	if n.big == nil && other.big == nil {
		hi, lo := n.magnitude()
		otherHi, otherLo := other.magnitude()
		if hi == 0 {
			hi, lo, otherHi, otherLo = otherHi, otherLo, hi, lo
		}
		if otherHi == 0 {
			hi, lo, ok := timesWord(hi, lo, otherLo)
			if product, fits := signed(hi, lo, n.exp+other.exp, n.hi < 0 != (other.hi < 0)); ok && fits {
				return product
			}
		}
	}
	return numberOf(n.decimal().Mul(other.decimal()))
}

// shift multiplies by ten to the power of places.
func (n number) shift(places int32) number {
	if n.big != nil {
		return numberOf(n.big.Shift(places))
	}
	n.exp += places
	return n
}

func (n number) cmp(other number) int {
	a, b, ok := aligned(n, other)
	switch {
	case !ok:
		return n.decimal().Cmp(other.decimal())
	case a.hi != b.hi:
		return order(a.hi < b.hi)
	case a.lo != b.lo:
		return order(a.lo < b.lo)
	}
	return 0
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

func (n number) equal(other number) bool { return n.cmp(other) == 0 }

// quo divides and rounds half away from zero to some places.
func (n number) quo(by number, places int32) number {
	if q, rest, divisor, ok := n.divide(by, places); ok {
		if rest >= divisor-rest {
			q.lo++
			if q.lo == 0 {
				q.hi++
			}
		}
		if n.sign() != by.sign() {
			return q.neg()
		}
		return q
	}
	return numberOf(n.decimal().DivRound(by.decimal(), places))
}

// cut divides and drops what is behind some places.
func (n number) cut(by number, places int32) number {
	if q, _, _, ok := n.divide(by, places); ok {
		if n.sign() != by.sign() {
			return q.neg()
		}
		return q
	}
	quotient, _ := n.decimal().QuoRem(by.decimal(), places)
	return numberOf(quotient)
}

// divide returns the absolute value of the quotient, cut at some places, and what remains of a divisor of 64 bits.
func (n number) divide(by number, places int32) (quotient number, rest, divisor uint64, ok bool) {
	if n.big != nil || by.big != nil {
		return number{}, 0, 0, false
	}
	hi, lo := n.magnitude()
	byHi, divisor := by.magnitude()
	if up := n.exp - by.exp + places; up >= 0 {
		if int(up) >= len(powersOfTen) {
			return number{}, 0, 0, false
		}
		hi, lo, ok = timesWord(hi, lo, powersOfTen[up])
	} else {
		if int(-up) >= len(powersOfTen) {
			return number{}, 0, 0, false
		}
		var over uint64
		over, divisor = bits.Mul64(divisor, powersOfTen[-up])
		ok = over == 0
	}
	if !ok || byHi != 0 || divisor == 0 {
		return number{}, 0, 0, false
	}
	var quotientHi uint64
	if hi >= divisor { // seldom, and one division less otherwise
		quotientHi, hi = hi/divisor, hi%divisor
	}
	quotientLo, rest := bits.Div64(hi, lo, divisor)
	quotient, ok = signed(quotientHi, quotientLo, -places, false)
	return quotient, rest, divisor, ok
}

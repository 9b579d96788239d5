package billing

import (
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
)

// Whatever two numbers are: what is computed with them is what decimals give, and fits in what it says that it fits in.
func FuzzNumber(f *testing.F) {
	f.Add(int64(12345), int64(-3), int8(-4), int8(-2), uint8(2))
	f.Add(int64(1), int64(3), int8(0), int8(0), uint8(20))
	f.Add(int64(-9223372036854775808), int64(9223372036854775807), int8(-40), int8(40), uint8(30))
	f.Add(int64(5), int64(2), int8(-1), int8(0), uint8(0))
	f.Fuzz(func(t *testing.T, a, b int64, expA, expB int8, places uint8) {
		compare(t, decimal.New(a, int32(expA%41)), decimal.New(b, int32(expB%41)), int32(places%31))
	})
}

func compare(t *testing.T, x, y decimal.Decimal, places int32) {
	t.Helper()
	a, b := numberOf(x), numberOf(y)
	same := func(what string, got number, want decimal.Decimal) {
		t.Helper()
		if !got.decimal().Equal(want) {
			t.Fatalf("%s %s %s (%d places) = %s, want %s", x, what, y, places, got.decimal(), want)
		}
		if got.sign() != want.Sign() {
			t.Fatalf("%s %s %s has the sign %d", x, what, y, got.sign())
		}
		if got.big == nil && (got.hi < -spare || got.hi >= spare) {
			t.Fatalf("%s %s %s leaves no bit to spare", x, what, y)
		}
	}
	same("is", a, x)
	same("+", a.add(b), x.Add(y))
	same("−", a.sub(b), x.Sub(y))
	same("×", a.mul(b), x.Mul(y))
	same("neg", a.neg(), x.Neg())
	same("abs", a.abs(), x.Abs())
	same("shift", a.shift(places), x.Shift(places))
	if got := a.cmp(b); got != x.Cmp(y) {
		t.Fatalf("%s and %s compare as %d", x, y, got)
	}
	if !y.IsZero() {
		quotient, _ := x.QuoRem(y, places)
		same("cut by", a.cut(b, places), quotient)
		same("÷", a.quo(b, places), x.DivRound(y, places))
	}
	// Long numbers, as the work goes on.
	product := a.mul(b).mul(a)
	same("×²", product, x.Mul(y).Mul(x))
	same("×²+", product.add(b), x.Mul(y).Mul(x).Add(y))
	same("×²−", product.neg().sub(a), x.Mul(y).Mul(x).Neg().Sub(x))
	if !y.IsZero() {
		same("×²÷", product.quo(b, places), x.Mul(y).Mul(x).DivRound(y, places))
	}
}

// Numbers of all lengths, most of them about as long as those of a session.
func TestNumber(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	make := func() decimal.Decimal {
		return decimal.New(rnd.Int64N(1<<(1+rnd.IntN(62)))-rnd.Int64N(1<<(1+rnd.IntN(62))), int32(rnd.IntN(16))-12)
	}
	for range 20_000 {
		compare(t, make(), make(), int32(rnd.IntN(25)))
	}
}

func TestNumberMakesNoGarbage(t *testing.T) {
	energy, price, percent := numberOf(decimal.RequireFromString("1234.5678")), numberOf(decimal.RequireFromString("0.4567")), numberOf(decimal.RequireFromString("119.5"))
	var total number
	if n := testing.AllocsPerRun(100, func() {
		total = energy.mul(price).mul(secondsPerHour).mul(percent).shift(-2).add(energy).sub(price).quo(secondsPerHour, amountPlaces)
	}); n != 0 || total.big != nil {
		t.Errorf("%v allocations", n)
	}
}

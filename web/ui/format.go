package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // machines without a zone database show German time too

	"github.com/shopspring/decimal"
)

// Berlin is the time zone in which instants are shown.
var Berlin = mustLoad("Europe/Berlin")

func mustLoad(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // embedded
	}
	return zone
}

const (
	nbsp  = "\u00a0"
	minus = "\u2212"
)

// Int is a whole number with its thousands apart.
func (l Lang) Int(n int64) string { return l.group(strconv.FormatInt(n, 10)) }

// Decimal is a number with a fixed count of decimals, rounded half away from zero.
func (l Lang) Decimal(d decimal.Decimal, places int32) string {
	whole, fraction, _ := strings.Cut(d.StringFixed(places), ".")
	if strings.Trim(whole+fraction, "-0") == "" {
		whole = "0" // no minus before what rounds to nothing
	}
	if fraction == "" {
		return l.group(whole)
	}
	return l.group(whole) + l.point() + fraction
}

// Exact is a number with as many decimals as it has, at least and at most those given.
func (l Lang) Exact(d decimal.Decimal, least, most int32) string {
	return l.Decimal(d, min(max(-normal(d).Exponent(), least), most))
}

// normal is d without trailing zeros.
func normal(d decimal.Decimal) decimal.Decimal {
	text := d.String()
	if strings.Contains(text, ".") {
		text = strings.TrimRight(text, "0")
	}
	return decimal.RequireFromString(strings.TrimSuffix(text, "."))
}

func (l Lang) group(digits string) string {
	digits, negative := strings.CutPrefix(digits, "-")
	var b strings.Builder
	if negative {
		b.WriteString(minus)
	}
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(l.separator())
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (l Lang) separator() string {
	if l == English {
		return ","
	}
	return "."
}

func (l Lang) point() string {
	if l == English {
		return "."
	}
	return ","
}

// Money is an amount in cents: "14,30 €", "€14.30".
func (l Lang) Money(d decimal.Decimal, currency string) string {
	return l.inCurrency(l.Decimal(d, 2), currency)
}

// Price is an amount with up to four decimals where it has them: "0,4275 €".
func (l Lang) Price(d decimal.Decimal, currency string) string {
	return l.inCurrency(l.Exact(d, 2, 4), currency)
}

func (l Lang) inCurrency(number, currency string) string {
	if currency == "EUR" {
		currency = "€"
	}
	if l == English && currency == "€" {
		number, negative := strings.CutPrefix(number, minus)
		if negative {
			return minus + currency + number
		}
		return currency + number
	}
	return number + nbsp + currency
}

// KWh is an energy with three decimals, without its unit.
func (l Lang) KWh(d decimal.Decimal) string { return l.Decimal(d, 3) }

// Percent is a percentage with as many decimals as it has, at most one.
func (l Lang) Percent(d decimal.Decimal) string {
	if l == English {
		return l.Exact(d, 0, 1) + "%"
	}
	return l.Exact(d, 0, 1) + nbsp + "%"
}

// Duration is a length of time in hours and minutes: "4:42". Seconds are dropped.
func (l Lang) Duration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = minus, -d
	}
	return fmt.Sprintf("%s%d:%02d", sign, int(d.Hours()), int(d.Minutes())%60)
}

// Clock is a length of time in hours, minutes and seconds: "4:42:07".
func (l Lang) Clock(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%s:%02d", l.Duration(d), int(d.Abs().Seconds())%60)
}

// Date is the calendar day of t as it stands.
func (l Lang) Date(t time.Time) string {
	if l == English {
		return t.Format("2 Jan 2006")
	}
	return t.Format("02.01.2006")
}

// DayMonth is the calendar day of t without its year: "3.11.", "3 Nov".
func (l Lang) DayMonth(t time.Time) string {
	if l == English {
		return t.Format("2 Jan")
	}
	return t.Format("2.1.")
}

// DateTime is an instant in German time.
func (l Lang) DateTime(t time.Time) string {
	if l == English {
		return t.In(Berlin).Format("2 Jan 2006, 15:04")
	}
	return t.In(Berlin).Format("02.01.2006 15:04")
}

// TimeOfDay is the German time of day of an instant.
func (l Lang) TimeOfDay(t time.Time) string { return t.In(Berlin).Format("15:04") }

// Month is the month of t as it stands: "November 2026".
func (l Lang) Month(t time.Time) string {
	return l.T("month."+strconv.Itoa(int(t.Month()))) + " " + strconv.Itoa(t.Year())
}

// UTC is an instant as it is shown on hover.
func UTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Size is a count of bytes in words.
func (l Lang) Size(bytes int) string {
	if bytes < 1024 {
		return l.Int(int64(bytes)) + nbsp + "B"
	}
	return l.Decimal(decimal.NewFromInt(int64(bytes)).Div(decimal.NewFromInt(1024)), 1) + nbsp + "KB"
}

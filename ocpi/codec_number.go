package ocpi

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

const (
	// maxDigits bounds a number on either side of its point. OCPI does not
	// limit the digits; without a limit 1e999999999 would fill the memory.
	maxDigits = 40

	ruleNumber  = "must be a number of at most 40 digits before and after the point"
	ruleInteger = "must be an integer"
	ruleBoolean = "must be true or false"
	ruleList    = "must be a list"
)

// parseNumber reads a JSON number exactly, within the bounds of maxDigits.
func parseNumber(value jsontext.Value) (decimal.Decimal, bool) {
	if value.Kind() != jsontext.KindNumber || len(value) > 3*maxDigits {
		return decimal.Decimal{}, false
	}
	if i := bytes.IndexAny(value, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(string(value[i+1:]))
		if err != nil || exponent < -maxDigits || exponent > maxDigits {
			return decimal.Decimal{}, false
		}
	}
	d, err := decimal.NewFromString(string(value))
	if err != nil {
		return decimal.Decimal{}, false
	}
	exponent := int(d.Exponent())
	if d.NumDigits()+exponent > maxDigits || -exponent > maxDigits {
		return decimal.Decimal{}, false
	}
	return d, true
}

// parseInt reads a JSON number without a fraction, 230.0 included.
func parseInt(value jsontext.Value) (int, bool) {
	if n, err := strconv.ParseInt(string(value), 10, 32); err == nil {
		return int(n), true
	}
	d, ok := parseNumber(value)
	if !ok || !d.IsInteger() {
		return 0, false
	}
	n, err := strconv.ParseInt(d.String(), 10, 32)
	return int(n), err == nil
}

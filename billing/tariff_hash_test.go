package billing_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

func hash(doc ocpi.Tariff) string {
	t, _ := billing.Compile(doc, billing.CompileOptions{})
	return t.Hash
}

// Every member of a tariff, and of what is in it, changes its hash: none is forgotten when OCPI gets another one.
func TestHashOfEveryMember(t *testing.T) {
	var doc ocpi.Tariff
	fill(reflect.ValueOf(&doc).Elem())
	seen := map[string]string{hash(doc): "the whole"}
	changes := 0
	each(reflect.ValueOf(&doc).Elem(), "tariff", func(path string, v reflect.Value) {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		v.SetZero()
		changes++
		if other, twice := seen[hash(doc)]; twice {
			t.Errorf("without %s the hash is that of %s", path, other)
		}
		seen[hash(doc)] = path
		v.Set(old)
	})
	if changes < 50 {
		t.Errorf("only %d members", changes)
	}
}

// fill sets everything below v to something.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000, 0)))
		return
	case decimal.NullDecimal:
		v.Set(reflect.ValueOf(number("1.25")))
		return
	case jsontext.Value:
		v.Set(reflect.ValueOf(jsontext.Value(`{"x":1}`)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("A")
	case reflect.Int:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

// each calls f with every member below v, the outer ones too.
func each(v reflect.Value, path string, f func(string, reflect.Value)) {
	switch v.Interface().(type) {
	case time.Time, decimal.NullDecimal, jsontext.Value:
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		each(v.Elem(), path, f)
	case reflect.Slice:
		each(v.Index(0), path+"[0]", f)
	case reflect.Struct:
		for i := range v.NumField() {
			name := path + "." + v.Type().Field(i).Name
			f(name, v.Field(i))
			each(v.Field(i), name, f)
		}
	}
}

// The order and the spelling of members and numbers change nothing, however long the numbers are.
func TestHashOfSpellings(t *testing.T) {
	price := func(p string) string {
		return hash(tariffDoc(t, "T", `{"price_components":[{"type":"ENERGY","price":`+p+`,"step_size":1}]}`))
	}
	for _, same := range [][]string{
		{"0.25", "0.250", "25e-2", "0.25000000000000000000000"},
		{"100", "1e2", "100.0", "100.00000000000000000000"},
		{"0", "0.0", "0e5", "-0"},
		{"12345678901234567890.5", "12345678901234567890.50000", "123456789012345678905e-1"},
	} {
		for _, p := range same[1:] {
			if price(p) != price(same[0]) {
				t.Errorf("%s and %s differ", same[0], p)
			}
		}
	}
	if price("1") == price("10") || price("0.25") == price("-0.25") || price("12345678901234567890.5") == price("12345678901234567890.51") {
		t.Error("different prices look alike")
	}
	var a, b ocpi.Tariff
	for _, err := range []error{
		ocpi.Unmarshal([]byte(`{"id":"T","currency":"EUR"}`), &a),
		ocpi.Unmarshal([]byte(` {"currency" : "EUR", "id":"T"}`), &b),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if hash(a) != hash(b) {
		t.Error("the order of members changes the hash")
	}
}

package ocpi

import (
	"bytes"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// agree requires of any bytes that the quick decoder reads what the codec
// reads, to the last byte that is kept, or leaves them to it.
func agree[T any](t *testing.T, in []byte) (quick bool) {
	t.Helper()
	var want, got T
	err := unmarshal(in, &want, decoding)
	if quick = quickly(in, &got); !quick {
		if !reflect.ValueOf(got).IsZero() {
			t.Fatalf("%s is left, but not untouched: %+v", in, got)
		}
		return false
	}
	if err != nil {
		t.Fatalf("%s is read, and must be refused: %v", in, err)
	}
	a, err := Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Marshal(got)
	if err != nil || !bytes.Equal(a, b) {
		t.Fatalf("%s is read as\n%s, not as\n%s (%v)", in, b, a, err)
	}
	if !reflect.DeepEqual(shape(reflect.ValueOf(want)), shape(reflect.ValueOf(got))) {
		t.Fatalf("%s is read as\n%#v, not as\n%#v", in, got, want)
	}
	return true
}

// shape is what is set below v and how: the digits of numbers, and lists that
// are empty or absent.
func shape(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case decimal.NullDecimal:
		return []any{x.Valid, x.Decimal.Coefficient().String(), x.Decimal.Exponent()}
	case time.Time:
		return x
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return shape(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		list := []any{}
		for i := range v.Len() {
			list = append(list, shape(v.Index(i)))
		}
		return list
	case reflect.Struct:
		list := []any{}
		for i := range v.NumField() {
			list = append(list, shape(v.Field(i)))
		}
		return list
	}
	return v.Interface()
}

// A member that is added to a CDR or a tariff must be added to the quick
// decoder, too: it would be kept as unknown.
func TestQuickDecoderKnowsAll(t *testing.T) {
	var cdr CDR
	fillAll(reflect.ValueOf(&cdr).Elem())
	in, err := Marshal(cdr)
	if err != nil {
		t.Fatal(err)
	}
	if !agree[CDR](t, in) || !agree[Tariff](t, mustMarshal(t, cdr.Tariffs[0])) {
		t.Errorf("not read quickly: %s", in)
	}
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fillAll sets everything below v but what is unknown.
func fillAll(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 28, 1, 2, 3, 0, time.UTC)))
		return
	case decimal.NullDecimal:
		v.Set(reflect.ValueOf(Number(decimal.New(-1250, -3))))
		return
	case jsontext.Value:
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
		fillAll(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillAll(v.Index(0))
		fillAll(v.Index(1))
	case reflect.Struct:
		for i := range v.NumField() {
			fillAll(v.Field(i))
		}
	}
}

func TestQuickDecoder(t *testing.T) {
	for in, quick := range map[string]bool{
		`{}`: true,
		` { "id" : "a" , "total_energy" : -12.50 , "credit" : true } `: true,
		`{"id":"a\u00e4\/ä€","remark":"\"\n"}`:                         true,
		`{"x":{"b" : [1, {"c":null}]},"y":null,"z":"\u00e9"}`:          true,
		`{"id":null,"total_cost":{"excl_vat":null},"tariffs":null}`:    true,
		`{"charging_periods":[]}`:                                      true,
		`{"total_energy":12345678901234567890.5}`:                      true, // by the parser of long numbers
		`{"total_energy":1e3}`:                                         true,
		`{"total_energy":0.0}`:                                         true,
		`{"start_date_time":"2026-11-28 01:02:03.456+01:00"}`:          true,
		`{"signed_data":{"encoding_method":"OCMF","signed_values":[{"nature":"Start","plain_data":"x"}]}}`: true,
		`null`:                           false,
		`{"total_cost":null}`:            false,
		`{"id":"a","id":"b"}`:            false,
		`{"x":1,"x":2}`:                  false,
		`{"x":{"d":1,"d":2}}`:            false,
		`{"x":"\u0000"}`:                 false,
		`{"id":"\u0000"}`:                false,
		`{"id":1}`:                       false,
		`{"total_energy":"1"}`:           false,
		`{"total_energy":01}`:            false,
		`{"total_energy":1.}`:            false,
		`{"total_energy":.5}`:            false,
		`{"total_energy":-}`:             false,
		`{"total_energy":1e999}`:         false,
		`{"total_energy":1.2.3}`:         false,
		`{"start_date_time":"tomorrow"}`: false,
		`{"charging_periods":[null]}`:    false,
		`{"charging_periods":[{}],}`:     false,
		`{"id":"a"} x`:                   false,
		`{"id":"a"`:                      false,
		`{"id":"a`:                       false,
		`{"id"`:                          false,
		`{"x":[1,]}`:                     false,
		`{"x":tru}`:                      false,
		`{"x":}`:                         false,
		"{\"id\":\"\xff\"}":              false,
		"{\"id\":\"a\tb\"}":              false,
		`{"credit":1}`:                   false,
		`{"\u0069d":"a"}`:                false, // the name has an escape
		`[]`:                             false,
		``:                               false,
	} {
		if got := agree[CDR](t, []byte(in)); got != quick {
			t.Errorf("%s: read quickly %v", in, got)
		}
	}
	for in, quick := range map[string]bool{
		`{"elements":[{"price_components":[{"type":"TIME","price":1,"step_size":60}],"restrictions":{"max_duration":1800.0,"day_of_week":["MONDAY"]}}]}`: true,
		`{"elements":[{"price_components":[{"step_size":1.5}]}]}`: false,
		`{"elements":[{"restrictions":[{}]}]}`:                    false,
	} {
		if got := agree[Tariff](t, []byte(in)); got != quick {
			t.Errorf("%s: read quickly %v", in, got)
		}
	}
	deep := bytes.Repeat([]byte("["), 60)
	agree[CDR](t, append(append([]byte(`{"x":`), deep...), append(bytes.Repeat([]byte("]"), 60), '}')...))
}

// What was in v before stays in the way that Unmarshal keeps it.
func TestQuickDecoderMerges(t *testing.T) {
	for _, in := range []string{`{"party_id":"B","total_cost":{"incl_vat":2}}`, `{"x":1}`, `{"tariffs":[]}`, `{"total_energy_cost":{"incl_vat":2}}`} {
		old := func() CDR {
			return CDR{ID: "A", TotalCost: Price{ExclVAT: Number(decimal.New(1, 0))}, Tariffs: []Tariff{{ID: "T"}},
				TotalEnergyCost: &Price{ExclVAT: Number(decimal.New(1, 0))}, Extra: jsontext.Value(`{"y":1}`)}
		}
		want, got := old(), old()
		if err := unmarshal([]byte(in), &want, decoding); err != nil {
			t.Fatal(err)
		}
		if err := Unmarshal([]byte(in), &got); err != nil {
			t.Fatal(err)
		}
		if a, b := mustMarshal(t, want), mustMarshal(t, got); !bytes.Equal(a, b) {
			t.Errorf("%s makes %s, not %s", in, b, a)
		}
	}
}

// FuzzQuickDecoder requires of any bytes that both ways of decoding agree.
func FuzzQuickDecoder(f *testing.F) {
	for _, object := range []string{"cdr", "tariff"} {
		for _, file := range fixtures(f, object) {
			f.Add(read(f, file))
		}
		examples, err := filepath.Glob(filepath.Join(exampleFolder, object+"_*.json"))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range examples {
			f.Add(read(f, file))
		}
	}
	f.Add([]byte(`{"x":{"b" : [1, {"c":null}]},"y":null,"z":"\u00e9","total_energy":-0.0,"charging_periods":[{"dimensions":[{"type":"ENERGY","volume":1e-3}]}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		agree[CDR](t, in)
		agree[Tariff](t, in)
	})
}

func BenchmarkDecodeTariff(b *testing.B) {
	in, err := Marshal(fixture[Tariff](b, "tariff/full"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		var t Tariff
		if err := Unmarshal(in, &t); err != nil {
			b.Fatal(err)
		}
	}
}

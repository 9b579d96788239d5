package ocpi

import (
	"bytes"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// Marshal writes v as OCPI wants it: numbers plain, times in UTC with Z,
// absent fields left out.
func Marshal(v any) ([]byte, error) { return json.Marshal(v, encoding) }

// Unmarshal reads JSON into v, tolerant where OCPI is silent: every DateTime
// that ParseDateTime reads, null for anything, integers such as 230.0,
// numbers with an exponent. Names are case-sensitive, none may occur twice,
// and unknown ones are kept. The error is an *Error: HTTP 400 when b is not
// JSON (TRN-23), otherwise HTTP 200 with code 2001 and the path of the field
// (TRN-24). After an error v holds whatever was read before it.
func Unmarshal(b []byte, v any) error {
	if quickly(b, v) {
		return nil
	}
	return unmarshal(b, v, decoding)
}

// UnmarshalLenient is Unmarshal for partners that quote numbers and booleans
// or leave the quotes of strings out (TYP-08), write "" for an empty list of
// texts, or restrictions as a list.
func UnmarshalLenient(b []byte, v any) error { return unmarshal(b, v, lenientDecoding) }

var encoding = json.WithMarshalers(json.JoinMarshalers(
	json.MarshalToFunc(encodeNullDecimal),
	json.MarshalToFunc(encodeDecimal),
	json.MarshalToFunc(encodeTime),
))

var decoding = json.WithUnmarshalers(json.JoinUnmarshalers(
	json.UnmarshalFromFunc(decodeNullDecimal),
	json.UnmarshalFromFunc(decodeDecimal),
	json.UnmarshalFromFunc(decodeTime),
	json.UnmarshalFromFunc(decodeInt),
))

// maxDepth bounds the nesting of a message. OCPI itself needs eight levels;
// the rest is for members that we do not know and only keep.
const maxDepth = 64

func unmarshal(b []byte, v any, options json.Options) error {
	if err := checkBounds(b); err != nil {
		return err
	}
	err := json.Unmarshal(b, v, options)
	if err == nil {
		return nil
	}
	return decodeError(b, err)
}

// checkBounds refuses what is JSON but cannot be stored: nesting without end
// and the character U+0000.
func checkBounds(b []byte) error {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			if bytes.HasPrefix(b[i+1:], []byte("u0000")) {
				return InvalidParameter("", "must not contain the character U+0000", "")
			}
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			if depth > maxDepth {
				return InvalidParameter("", "must not be nested deeper than "+strconv.Itoa(maxDepth)+" levels", "")
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// ruleError is a value that is not of the type that the field needs; decoding
// functions return it and decodeError adds where it happened.
type ruleError struct {
	rule  string
	value string
}

func (e *ruleError) Error() string { return e.rule }

// decodeError turns an error of the JSON package into an *Error.
func decodeError(b []byte, err error) error {
	if !jsontext.Value(b).IsValid(jsontext.AllowDuplicateNames(true)) {
		malformed := Malformed("the body is not valid JSON")
		malformed.Err = err
		return malformed
	}
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	var broken *ruleError
	finding := Finding{Rule: "cannot be read"}
	switch {
	case errors.As(err, &broken) && errors.As(err, &semantic):
		finding = foreignFinding(semantic.JSONPointer, broken.rule, broken.value)
	case errors.As(err, &semantic):
		finding = foreignFinding(semantic.JSONPointer, ruleForType(semantic.GoType), describe(semantic))
	case errors.As(err, &syntactic) && errors.Is(err, jsontext.ErrDuplicateName):
		finding = foreignFinding(syntactic.JSONPointer, "must not occur twice", "")
	}
	return invalid(Findings{finding}, err)
}

// foreignFinding describes a value that could not be decoded.
func foreignFinding(at jsontext.Pointer, rule, value string) Finding {
	path := pathOf(at)
	if secret(path) {
		value = ""
	}
	return Finding{Path: path, Rule: rule, Value: shorten(value)}
}

// secret reports whether the value at path must not show up in a message that
// ends up in logs: credentials tokens and card numbers.
func secret(path string) bool {
	name := path[strings.LastIndexByte(path, '.')+1:]
	return name == "uid" || name == "token" || name == "visual_number"
}

// pathOf writes a JSON pointer the way the findings do:
// charging_periods[3].dimensions[0].volume.
func pathOf(p jsontext.Pointer) string {
	var path strings.Builder
	for token := range p.Tokens() {
		if _, err := strconv.ParseUint(token, 10, 32); err == nil {
			path.WriteString("[" + token + "]")
			continue
		}
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		path.WriteString(token)
	}
	return path.String()
}

// describe returns the offending value if it is short enough to be known,
// otherwise what kind of value it is.
func describe(e *json.SemanticError) string {
	if e.JSONValue != nil {
		return string(e.JSONValue)
	}
	switch e.JSONKind {
	case jsontext.KindBeginObject:
		return "{…}"
	case jsontext.KindBeginArray:
		return "[…]"
	case jsontext.KindString:
		return "a string"
	case jsontext.KindNumber:
		return "a number"
	case jsontext.KindTrue:
		return "true"
	case jsontext.KindFalse:
		return "false"
	}
	return ""
}

func ruleForType(t reflect.Type) string {
	if t == nil {
		return "must be of another type"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "must be a string"
	case reflect.Bool:
		return ruleBoolean
	case reflect.Slice:
		return ruleList
	case reflect.Int:
		return ruleInteger
	case reflect.Struct, reflect.Map:
		return "must be an object"
	}
	return "must be of another type"
}

func encodeNullDecimal(enc *jsontext.Encoder, d decimal.NullDecimal) error {
	if !d.Valid {
		return enc.WriteToken(jsontext.Null)
	}
	return encodeDecimal(enc, d.Decimal)
}

func encodeDecimal(enc *jsontext.Encoder, d decimal.Decimal) error {
	return enc.WriteValue(jsontext.Value(d.String()))
}

func encodeTime(enc *jsontext.Encoder, t time.Time) error {
	if t.IsZero() {
		return enc.WriteToken(jsontext.Null)
	}
	b := append(enc.AvailableBuffer(), '"')
	return enc.WriteValue(append(appendDateTime(b, t), '"'))
}

func decodeNullDecimal(dec *jsontext.Decoder, d *decimal.NullDecimal) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() == jsontext.KindNull {
		*d = decimal.NullDecimal{}
		return nil
	}
	d.Decimal, d.Valid = parseNumber(value)
	if !d.Valid {
		return failedValue(dec, ruleNumber, value)
	}
	return nil
}

func decodeDecimal(dec *jsontext.Decoder, d *decimal.Decimal) error {
	var n decimal.NullDecimal
	if err := decodeNullDecimal(dec, &n); err != nil {
		return err
	}
	*d = n.Decimal
	return nil
}

func decodeTime(dec *jsontext.Decoder, t *time.Time) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() == jsontext.KindNull {
		*t = time.Time{}
		return nil
	}
	parsed, ok := time.Time{}, false
	if value.Kind() == jsontext.KindString {
		text, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return err
		}
		parsed, ok = parseDateTime(string(text))
	}
	if !ok {
		return failedValue(dec, ruleDateTime, value)
	}
	*t = parsed
	return nil
}

func decodeInt(dec *jsontext.Decoder, n *int) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() == jsontext.KindNull {
		*n = 0
		return nil
	}
	number, ok := parseInt(value)
	if !ok {
		return failedValue(dec, ruleInteger, value)
	}
	*n = number
	return nil
}

// failedValue is the error of a decoding function that has just read value.
func failedValue(dec *jsontext.Decoder, rule string, value jsontext.Value) error {
	text := string(value)
	if kind := value.Kind(); kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray {
		text = text[:1] + "…"
	}
	return &json.SemanticError{
		JSONPointer: dec.StackPointer(),
		Err:         &ruleError{rule: rule, value: text},
	}
}

package ocpi

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// leniency decodes what some partners write instead of OCPI, and notes it. The
// nil leniency notes nothing.
type leniency struct{ notes Findings }

func (l *leniency) options() json.Options {
	return json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(l.decodeDecimal),
		json.UnmarshalFromFunc(decodeTime),
		json.UnmarshalFromFunc(l.decodeInt),
		json.UnmarshalFromFunc(l.decodeBool),
		json.UnmarshalFromFunc(func(dec *jsontext.Decoder, s *string) error { return decodeUnquoted(l, dec, s) }),
		json.UnmarshalFromFunc(func(dec *jsontext.Decoder, s *CiString) error { return decodeUnquoted(l, dec, s) }),
		json.UnmarshalFromFunc(l.decodeTexts),
		json.UnmarshalFromFunc(l.decodeRestrictions),
	))
}

var lenientDecoding = (*leniency)(nil).options()

// UnmarshalTolerant is Unmarshal, and when that fails UnmarshalLenient. The
// notes say which quirks were needed; when one of them is refused the error is
// that of Unmarshal. Otherwise an error is about what even leniency cannot
// read, and not about the first thing that it could.
func UnmarshalTolerant(b []byte, v any, refused []string) (Findings, error) {
	exact := Unmarshal(b, v)
	var fault *Error
	if exact == nil || !errors.As(exact, &fault) || fault.HTTPStatus != http.StatusOK {
		return nil, exact
	}
	reflect.ValueOf(v).Elem().SetZero()
	var l leniency
	err := unmarshal(b, v, l.options())
	for _, note := range l.notes {
		if slices.Contains(refused, string(note.Quirk)) {
			return nil, exact
		}
	}
	if err != nil {
		return nil, err
	}
	return l.notes, nil
}

// note writes down what has just been read.
func (l *leniency) note(dec *jsontext.Decoder, quirk Quirk, rule string, value jsontext.Value) {
	if l == nil || slices.ContainsFunc(l.notes, func(f Finding) bool { return f.Quirk == quirk }) {
		return
	}
	note := foreignFinding(dec.StackPointer(), rule, string(value))
	note.Severity, note.Quirk = Note, quirk
	l.notes = append(l.notes, note)
}

// unquoted reads the next value; of a string that holds something it returns
// what it holds, and null of a blank one. sent is the value as it stands, for
// errors.
func (l *leniency) unquoted(dec *jsontext.Decoder, quirk Quirk, rule string) (value, sent jsontext.Value, err error) {
	sent, err = dec.ReadValue()
	if err != nil || sent.Kind() != jsontext.KindString {
		return sent, sent, err
	}
	l.note(dec, quirk, rule, sent)
	text, err := jsontext.AppendUnquote(nil, sent)
	if err != nil {
		return nil, nil, err
	}
	if len(text) == 0 {
		return jsontext.Value("null"), sent, nil
	}
	return text, sent, nil
}

func (l *leniency) decodeDecimal(dec *jsontext.Decoder, d *decimal.NullDecimal) error {
	value, sent, err := l.unquoted(dec, QuirkTextForNumber, ruleNumber)
	if err != nil {
		return err
	}
	if value.Kind() == jsontext.KindNull {
		*d = decimal.NullDecimal{}
		return nil
	}
	if !value.IsValid() {
		return failedValue(dec, ruleNumber, sent)
	}
	d.Decimal, d.Valid = parseNumber(value)
	if !d.Valid {
		return failedValue(dec, ruleNumber, sent)
	}
	return nil
}

func (l *leniency) decodeInt(dec *jsontext.Decoder, n *int) error {
	value, sent, err := l.unquoted(dec, QuirkTextForNumber, ruleInteger)
	if err != nil {
		return err
	}
	if value.Kind() == jsontext.KindNull {
		*n = 0
		return nil
	}
	number, ok := parseInt(value)
	if !ok {
		return failedValue(dec, ruleInteger, sent)
	}
	*n = number
	return nil
}

func (l *leniency) decodeBool(dec *jsontext.Decoder, b *bool) error {
	numeric := dec.PeekKind() == jsontext.KindNumber
	value, sent, err := l.unquoted(dec, QuirkTextForBoolean, ruleBoolean)
	if err != nil {
		return err
	}
	if numeric {
		l.note(dec, QuirkTextForBoolean, ruleBoolean, value)
	}
	switch string(value) {
	case "true", "True", "1":
		*b = true
	case "false", "False", "0", "null":
		*b = false
	default:
		return failedValue(dec, ruleBoolean, sent)
	}
	return nil
}

func decodeUnquoted[T ~string](l *leniency, dec *jsontext.Decoder, s *T) error {
	switch dec.PeekKind() {
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		*s = T(value)
		l.note(dec, QuirkNumberForText, "must be a string", value)
		return nil
	}
	return errors.ErrUnsupported
}

func (l *leniency) decodeTexts(dec *jsontext.Decoder, texts *[]DisplayText) error {
	if dec.PeekKind() != jsontext.KindString {
		return errors.ErrUnsupported
	}
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if string(value) != strconv.Quote("") {
		return failedValue(dec, ruleList, value)
	}
	l.note(dec, QuirkBlankList, ruleList, value)
	*texts = nil
	return nil
}

// decodeRestrictions reads restrictions in a list of at most one.
func (l *leniency) decodeRestrictions(dec *jsontext.Decoder, r *TariffRestrictions) error {
	if dec.PeekKind() != jsontext.KindBeginArray {
		return errors.ErrUnsupported
	}
	l.note(dec, QuirkListedRestrictions, "must be an object", jsontext.Value("[…]"))
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if dec.PeekKind() != jsontext.KindEndArray {
		if err := json.UnmarshalDecode(dec, r); err != nil {
			return err
		}
	}
	if dec.PeekKind() != jsontext.KindEndArray {
		return failedValue(dec, "must be an object", jsontext.Value("["))
	}
	_, err := dec.ReadToken()
	return err
}

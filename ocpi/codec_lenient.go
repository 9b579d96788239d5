package ocpi

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

var lenientDecoding = json.WithUnmarshalers(json.JoinUnmarshalers(
	json.UnmarshalFromFunc(decodeQuotedDecimal),
	json.UnmarshalFromFunc(decodeTime),
	json.UnmarshalFromFunc(decodeQuotedInt),
	json.UnmarshalFromFunc(decodeQuotedBool),
	json.UnmarshalFromFunc(decodeUnquoted[string]),
	json.UnmarshalFromFunc(decodeUnquoted[CiString]),
	json.UnmarshalFromFunc(decodeTextsOrBlank),
	json.UnmarshalFromFunc(decodeListedRestrictions),
))

// unquoted reads the next value; of a string that holds something it returns
// what it holds, and null of a blank one.
func unquoted(dec *jsontext.Decoder) (jsontext.Value, error) {
	value, err := dec.ReadValue()
	if err != nil || value.Kind() != jsontext.KindString {
		return value, err
	}
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return jsontext.Value("null"), nil
	}
	return text, nil
}

func decodeQuotedDecimal(dec *jsontext.Decoder, d *decimal.NullDecimal) error {
	value, err := unquoted(dec)
	if err != nil {
		return err
	}
	if value.Kind() == jsontext.KindNull {
		*d = decimal.NullDecimal{}
		return nil
	}
	if !value.IsValid() {
		return failedValue(dec, ruleNumber, value)
	}
	d.Decimal, d.Valid = parseNumber(value)
	if !d.Valid {
		return failedValue(dec, ruleNumber, value)
	}
	return nil
}

func decodeQuotedInt(dec *jsontext.Decoder, n *int) error {
	value, err := unquoted(dec)
	if err != nil {
		return err
	}
	if value.Kind() == jsontext.KindNull {
		*n = 0
		return nil
	}
	number, ok := parseInt(value)
	if !ok {
		return failedValue(dec, "must be an integer", value)
	}
	*n = number
	return nil
}

func decodeQuotedBool(dec *jsontext.Decoder, b *bool) error {
	value, err := unquoted(dec)
	if err != nil {
		return err
	}
	switch string(value) {
	case "true", "True", "1":
		*b = true
	case "false", "False", "0", "null":
		*b = false
	default:
		return failedValue(dec, "must be true or false", value)
	}
	return nil
}

func decodeUnquoted[T ~string](dec *jsontext.Decoder, s *T) error {
	switch dec.PeekKind() {
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		value, err := dec.ReadValue()
		*s = T(value)
		return err
	}
	return errors.ErrUnsupported
}

func decodeTextsOrBlank(dec *jsontext.Decoder, texts *[]DisplayText) error {
	if dec.PeekKind() != jsontext.KindString {
		return errors.ErrUnsupported
	}
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if string(value) != strconv.Quote("") {
		return failedValue(dec, "must be a list", value)
	}
	*texts = nil
	return nil
}

// decodeListedRestrictions reads restrictions in a list of at most one.
func decodeListedRestrictions(dec *jsontext.Decoder, r *TariffRestrictions) error {
	if dec.PeekKind() != jsontext.KindBeginArray {
		return errors.ErrUnsupported
	}
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

package ocpi

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// quickDecoder reads the messages that there are most of, without
// reflection. It reads what Unmarshal reads and nothing else: whatever it does
// not like, it leaves, and Unmarshal reads the message from its start and says
// what is wrong.
type quickDecoder struct {
	b          []byte
	i          int
	dimensions int // of the last charging period; the next has as many as a rule
}

// quickly decodes b into v, if v is of a type that it knows. If it returns
// false, v is as it was.
func quickly(b []byte, v any) bool {
	d := quickDecoder{b: b}
	switch v := v.(type) {
	case *CDR:
		before := *v
		if d.cdr(v) && d.end() {
			return true
		}
		*v = before
	case *Tariff:
		before := *v
		if d.tariff(v) && d.end() {
			return true
		}
		*v = before
	}
	return false
}

func (d *quickDecoder) space() {
	if d.i < len(d.b) && d.b[d.i] > ' ' {
		return
	}
	d.skipSpace()
}

func (d *quickDecoder) skipSpace() {
	b, i := d.b, d.i
	for i < len(b) && isSpace[b[i]] {
		i++
	}
	d.i = i
}

var isSpace = [256]bool{' ': true, '\n': true, '\t': true, '\r': true}

// end reports whether only space is left.
func (d *quickDecoder) end() bool {
	d.space()
	return d.i == len(d.b)
}

// next reads the next byte that is not space; 0 at the end.
func (d *quickDecoder) next() byte {
	d.space()
	if d.i == len(d.b) {
		return 0
	}
	d.i++
	return d.b[d.i-1]
}

// take reads a byte, if it is next.
func (d *quickDecoder) take(c byte) bool {
	d.space()
	if d.i < len(d.b) && d.b[d.i] == c {
		d.i++
		return true
	}
	return false
}

// null reads a null, if it is next.
func (d *quickDecoder) null() bool { return d.literal("null") }

func (d *quickDecoder) literal(text string) bool {
	d.space()
	if len(d.b)-d.i >= len(text) && d.b[d.i] == text[0] && string(d.b[d.i:d.i+len(text)]) == text {
		d.i += len(text)
		return true
	}
	return false
}

// mostUnknown bounds the unknown members of an object.
const mostUnknown = 16

// object reads an object; a null is seldom, and not the same for all types.
// member reads the value of one and tells its number, below 64, or that it does
// not know it; then the value is kept in extra. No name may occur twice.
func (d *quickDecoder) object(extra *jsontext.Value, member func(name []byte) (number int, ok bool)) bool {
	if d.next() != '{' || *extra != nil {
		return false
	}
	if d.take('}') {
		return true
	}
	var seen uint64
	var strange [][]byte
	for {
		name, plain, ok := d.quoted()
		if !ok || !plain || d.next() != ':' {
			return false
		}
		number, ok := member(name)
		switch {
		case number >= 0:
			if !ok || seen&(1<<number) != 0 {
				return false
			}
			seen |= 1 << number
		default:
			if strange, ok = d.keep(extra, name, strange); !ok {
				return false
			}
		}
		switch d.next() {
		case ',':
		case '}':
			if strange != nil {
				*extra = append(*extra, '}')
			}
			return true
		default:
			return false
		}
	}
}

// keep reads the value of an unknown member into extra. before are the names
// of those before it.
func (d *quickDecoder) keep(extra *jsontext.Value, name []byte, before [][]byte) (names [][]byte, ok bool) {
	for _, other := range before {
		if bytes.Equal(other, name) {
			return nil, false
		}
	}
	if len(before) == mostUnknown {
		return nil, false
	}
	value, ok := d.raw()
	if !ok || !value.IsValid() {
		return nil, false
	}
	*extra = appendMember(*extra, name, value)
	return append(before, name), true
}

// unknownMember is the number of a member that an object does not have.
const unknownMember = -1

func appendMember(to jsontext.Value, name []byte, value jsontext.Value) jsontext.Value {
	if to == nil {
		to = append(make(jsontext.Value, 0, len(name)+len(value)+5), '{')
	} else {
		to = append(to, ',')
	}
	to = append(to, '"')
	to = append(to, name...)
	to = append(to, '"', ':')
	return append(to, value...)
}

// quoted reads a string and returns what stands between its quotes. plain
// means that this is the text: ASCII without escapes.
func (d *quickDecoder) quoted() (text []byte, plain, ok bool) {
	if d.next() != '"' {
		return nil, false, false
	}
	plain = true
	for i := d.i; i < len(d.b); i++ {
		switch c := d.b[i]; {
		case isPlain[c]:
		case c == '"':
			text, d.i = d.b[d.i:i], i+1
			return text, plain, true
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			return nil, false, false
		default:
			plain = false
		}
	}
	return nil, false, false
}

// isPlain tells the bytes that stand for themselves in a string.
var isPlain = func() (plain [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// text reads a string.
func text[T ~string](d *quickDecoder, to *T) bool {
	if d.null() {
		*to = ""
		return true
	}
	quoted, plain, ok := d.quoted()
	if !ok {
		return false
	}
	if plain {
		*to = T(common(quoted))
		return true
	}
	unquoted, err := jsontext.AppendUnquote(nil, d.b[d.i-len(quoted)-2:d.i])
	*to = T(unquoted)
	return err == nil && bytes.IndexByte(unquoted, 0) < 0
}

// common returns a text; those that nearly every message has are not copied.
func common(text []byte) string {
	switch string(text) {
	case "EUR":
		return "EUR"
	case "DE":
		return "DE"
	case "DEU":
		return "DEU"
	case "NLD":
		return "NLD"
	case "ENERGY":
		return "ENERGY"
	case "TIME":
		return "TIME"
	case "PARKING_TIME":
		return "PARKING_TIME"
	case "RESERVATION_TIME":
		return "RESERVATION_TIME"
	case "FLAT":
		return "FLAT"
	case "MIN_POWER":
		return "MIN_POWER"
	case "MAX_POWER":
		return "MAX_POWER"
	case "MIN_CURRENT":
		return "MIN_CURRENT"
	case "MAX_CURRENT":
		return "MAX_CURRENT"
	}
	return string(text)
}

func (d *quickDecoder) instant(to *time.Time) bool {
	if d.null() {
		*to = time.Time{}
		return true
	}
	quoted, plain, ok := d.quoted()
	if !ok || !plain {
		return false
	}
	*to, ok = parseDateTime(string(quoted))
	return ok
}

func (d *quickDecoder) boolean(to *bool) bool {
	switch {
	case d.literal("true"):
		*to = true
	case d.literal("false"), d.null():
		*to = false
	default:
		return false
	}
	return true
}

// number reads a number. One with few digits needs no parser.
func (d *quickDecoder) number(to *decimal.NullDecimal) bool {
	if d.null() {
		*to = decimal.NullDecimal{}
		return true
	}
	start := d.i
	negative := d.take('-')
	coefficient, digits, places, ok := d.digits()
	if !ok {
		return d.longNumber(start, to)
	}
	if digits == 0 {
		return false
	}
	if negative {
		coefficient = -coefficient
	}
	*to = decimal.NullDecimal{Decimal: decimal.New(coefficient, -places), Valid: true}
	return true
}

// digits reads digits with a point among them. ok is false for what is not
// that simple.
func (d *quickDecoder) digits() (n int64, count int, places int32, ok bool) {
	b, first, i, point := d.b, d.i, d.i, -1
	for ; i < len(b); i++ {
		c := b[i]
		if '0' <= c && c <= '9' {
			n = n*10 + int64(c-'0')
			count++
			continue
		}
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if c == 'e' || c == 'E' {
			return 0, 0, 0, false
		}
		break
	}
	d.i = i
	whole := i - first
	if point >= 0 {
		whole, places = point-first, int32(i-point-1)
	}
	simple := count <= 18 && whole > 0 && (whole == 1 || b[first] != '0') && (point < 0 || places > 0)
	return n, count, places, simple
}

// longNumber reads a number that number has begun to read.
func (d *quickDecoder) longNumber(start int, to *decimal.NullDecimal) bool {
	d.i = start
	value, ok := d.raw()
	if !ok || !value.IsValid() {
		return false
	}
	to.Decimal, to.Valid = parseNumber(value)
	return to.Valid
}

// integer reads a number without fraction.
func (d *quickDecoder) integer(to **int) bool {
	if d.null() {
		*to = nil
		return true
	}
	if *to != nil {
		return false
	}
	start := d.i
	negative := d.take('-')
	few, count, places, ok := d.digits()
	n := int(few)
	switch {
	case !ok || places > 0 || count >= len("2147483648"):
		d.i = start
		value, ok := d.raw()
		if !ok || !value.IsValid() {
			return false
		}
		if n, ok = parseInt(value); !ok {
			return false
		}
	case negative:
		n = -n
	}
	*to = &n
	return true
}

// raw reads any value, and finds no more than where it ends. It refuses what
// Unmarshal does for its bounds.
func (d *quickDecoder) raw() (jsontext.Value, bool) {
	d.space()
	start, depth := d.i, 0
scan:
	for d.i < len(d.b) {
		switch d.b[d.i] {
		case '"':
			if _, _, ok := d.quoted(); !ok {
				return nil, false
			}
			if depth == 0 {
				break scan
			}
		case '{', '[':
			depth++
			d.i++
			if depth > deepest {
				return nil, false
			}
		case '}', ']':
			if depth == 0 {
				break scan
			}
			depth--
			d.i++
			if depth == 0 {
				break scan
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				break scan
			}
			d.i++
		default:
			d.i++
		}
	}
	value := jsontext.Value(d.b[start:d.i])
	return value, len(value) > 0 && !bytes.Contains(value, []byte(`\u0000`))
}

// deepest is the nesting of a value inside a message that surely is within
// maxDepth.
const deepest = maxDepth - 16

// other decodes a value in the way of Unmarshal.
func (d *quickDecoder) other(to any) bool {
	value, ok := d.raw()
	return ok && json.Unmarshal(value, to, decoding) == nil
}

// listOf reads a list. hint is how many values it has as a rule.
func listOf[T any](d *quickDecoder, to *[]T, hint int, read func(*quickDecoder, *T) bool) bool {
	if d.null() {
		*to = nil
		return true
	}
	if !d.take('[') || *to != nil {
		return false
	}
	if d.take(']') {
		*to = []T{}
		return true
	}
	values := make([]T, 0, hint)
	for {
		var zero T
		values = append(values, zero)
		if !read(d, &values[len(values)-1]) {
			return false
		}
		switch d.next() {
		case ',':
		case ']':
			*to = values
			return true
		default:
			return false
		}
	}
}

// optional reads what is a pointer in the message.
func optional[T any](d *quickDecoder, to **T, read func(*quickDecoder, *T) bool) bool {
	if d.null() {
		*to = nil
		return true
	}
	if *to != nil {
		return false
	}
	value := new(T)
	if !read(d, value) {
		return false
	}
	*to = value
	return true
}

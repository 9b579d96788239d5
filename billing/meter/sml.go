package meter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// SML is the binary form in which electronic meters answer: values with their type and length in front, in lists of lists (BSI
// TR-03109-1, annex IV). A record is the one answer to "get list" in a file of it.

// smlKind is the type of an SML value.
type smlKind byte

const (
	smlOctets   smlKind = 0
	smlBool     smlKind = 4
	smlInteger  smlKind = 5
	smlUnsigned smlKind = 6
	smlList     smlKind = 7
	smlEnd      smlKind = 8 // ours: the end of a message
)

// smlValue is one value. An optional one that is left out is an octet string without length.
type smlValue struct {
	kind   smlKind
	octets []byte // of a string, or the big-endian number
	list   []smlValue
}

var (
	smlBegin  = []byte{0x1b, 0x1b, 0x1b, 0x1b, 0x01, 0x01, 0x01, 0x01}
	smlEscape = []byte{0x1b, 0x1b, 0x1b, 0x1b}
)

func isSML(b []byte) bool { return bytes.HasPrefix(b, smlBegin) }

// smlMessages takes a file out of its transport and reads its messages.
func smlMessages(b []byte) ([]smlValue, *Fault) {
	body, fault := smlBody(b)
	if fault != nil {
		return nil, fault
	}
	p := smlParser{rest: body, left: 4096}
	var messages []smlValue
	for len(p.rest) > 0 {
		v, err := p.value(0)
		if err != nil {
			return nil, &Fault{RecordMalformed, "SML: " + err.Error()}
		}
		if v.kind == smlList {
			messages = append(messages, v)
		}
	}
	return messages, nil
}

// smlBody undoes the escaping of SML transport version 1: four times 1b is written twice in the content, and otherwise announces
// the end, with the number of bytes that were filled in and a check sum over everything before it.
func smlBody(b []byte) ([]byte, *Fault) {
	var body []byte
	for i := len(smlBegin); i < len(b); {
		if !bytes.HasPrefix(b[i:], smlEscape) {
			body = append(body, b[i])
			i++
			continue
		}
		after := b[i+4:]
		switch {
		case bytes.HasPrefix(after, smlEscape):
			body = append(body, smlEscape...)
			i += 8
		case len(after) >= 4 && after[0] == 0x1a:
			filled := int(after[1])
			if filled > 3 || filled > len(body) {
				return nil, &Fault{RecordMalformed, "SML: more bytes filled in than there are"}
			}
			if sum := crc16(b[:i+6]); sum != binary.LittleEndian.Uint16(after[2:]) {
				return nil, &Fault{RecordMalformed, "SML: the check sum is wrong"}
			}
			return body[:len(body)-filled], nil
		default:
			return nil, &Fault{RecordMalformed, "SML: unknown escape sequence"}
		}
	}
	return nil, &Fault{RecordMalformed, "SML: the end is missing"}
}

// crc16 is the check sum of DIN EN 62056-46 (CRC-16/X-25).
func crc16(b []byte) uint16 {
	sum := uint16(0xffff)
	for _, c := range b {
		sum ^= uint16(c)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0x8408
			} else {
				sum >>= 1
			}
		}
	}
	return ^sum
}

type smlParser struct {
	rest []byte
	left int // values that may still come: a few bytes can announce millions
}

var errSMLShort = fmt.Errorf("it ends in the middle of a value")

func (p *smlParser) value(depth int) (smlValue, error) {
	if p.left--; p.left < 0 || depth > 16 {
		return smlValue{}, fmt.Errorf("too many values")
	}
	if len(p.rest) == 0 {
		return smlValue{}, errSMLShort
	}
	tl := p.rest[0]
	if tl == 0 {
		p.rest = p.rest[1:]
		return smlValue{kind: smlEnd}, nil
	}
	kind, length, head := smlKind(tl>>4&7), int(tl&0xf), 1
	for more := tl&0x80 != 0; more; head++ {
		if head >= 4 || head >= len(p.rest) {
			return smlValue{}, errSMLShort
		}
		length = length<<4 | int(p.rest[head]&0xf)
		more = p.rest[head]&0x80 != 0
	}
	p.rest = p.rest[head:]
	if kind == smlList {
		v := smlValue{kind: smlList}
		for range length {
			item, err := p.value(depth + 1)
			if err != nil {
				return smlValue{}, err
			}
			v.list = append(v.list, item)
		}
		return v, nil
	}
	length -= head // the length of a value counts the bytes that tell it
	if length < 0 || length > len(p.rest) {
		return smlValue{}, errSMLShort
	}
	switch kind {
	case smlOctets:
	case smlBool, smlInteger, smlUnsigned:
		if length < 1 || length > 8 {
			return smlValue{}, fmt.Errorf("a number of %d bytes", length)
		}
	default:
		return smlValue{}, fmt.Errorf("unknown type %d", kind)
	}
	v := smlValue{kind: kind, octets: p.rest[:length]}
	p.rest = p.rest[length:]
	return v, nil
}

// number is the value as one, with its sign.
func (v smlValue) number() (int64, bool) {
	if v.kind != smlInteger && v.kind != smlUnsigned {
		return 0, false
	}
	n := uint64(0)
	if v.kind == smlInteger && v.octets[0]&0x80 != 0 {
		n = ^uint64(0)
	}
	for _, b := range v.octets {
		n = n<<8 | uint64(b)
	}
	return int64(n), v.kind == smlInteger || n>>63 == 0
}

func (v smlValue) at(i int) smlValue {
	if v.kind != smlList || i >= len(v.list) {
		return smlValue{}
	}
	return v.list[i]
}

// smlTime is a time as the meter shows it, and as the instant that it is. EDL40 signs the first.
type smlTime struct {
	known  bool
	at     time.Time
	shown  uint32 // seconds of the local clock, as if it were UTC
	second uint32 // seconds since the meter was set up, instead of a time
	index  bool
}

// time reads SML_Time: a choice of seconds, of an instant, or of an instant with offsets in minutes.
func (v smlValue) time() smlTime {
	tag, ok := v.at(0).number()
	if !ok {
		return smlTime{}
	}
	body := v.at(1)
	switch tag {
	case 1:
		n, ok := body.number()
		return smlTime{index: ok, second: uint32(n)}
	case 2:
		n, ok := body.number()
		return smlTime{known: ok, at: time.Unix(n, 0).UTC(), shown: uint32(n)}
	case 3:
		n, ok1 := body.at(0).number()
		local, ok2 := body.at(1).number()
		season, ok3 := body.at(2).number()
		return smlTime{known: ok1 && ok2 && ok3, at: time.Unix(n, 0).UTC(), shown: uint32(n + 60*(local+season))}
	}
	return smlTime{}
}

// smlAnswer is SML_GetList.Res: what was measured, and the signature over it.
type smlAnswer struct {
	server    []byte
	list      []byte // name of the list
	signature []byte
	entries   map[OBIS]smlEntry
}

type smlEntry struct {
	status    uint64
	time      smlTime
	unit      byte
	scaler    int8
	value     smlValue
	signature []byte
}

// smlGetList is the tag of the answer among the bodies of messages.
const smlGetList = 0x0701

func readSML(b []byte) (*Record, *Fault) {
	messages, fault := smlMessages(b)
	if fault != nil {
		return nil, fault
	}
	for _, m := range messages {
		body := m.at(3)
		if tag, ok := body.at(0).number(); !ok || tag != smlGetList {
			continue
		}
		answer, fault := readAnswer(body.at(1))
		if fault != nil {
			return nil, fault
		}
		if bytes.HasPrefix(answer.list, isaList) {
			return readISA(answer)
		}
		return readEDL(answer)
	}
	return nil, &Fault{NotSignedData, "SML without a list of values"}
}

func readAnswer(v smlValue) (*smlAnswer, *Fault) {
	if len(v.list) != 7 {
		return nil, &Fault{RecordMalformed, "SML: the answer has not 7 parts"}
	}
	a := &smlAnswer{server: v.at(1).octets, list: v.at(2).octets, signature: v.at(5).octets, entries: map[OBIS]smlEntry{}}
	if len(a.server) != 10 {
		return nil, &Fault{RecordMalformed, fmt.Sprintf("SML: server id of %d bytes, there must be 10", len(a.server))}
	}
	for _, e := range v.at(4).list {
		name := e.at(0).octets
		if len(e.list) != 7 || len(name) != 6 {
			continue
		}
		if _, twice := a.entries[obisOf(name)]; twice {
			return nil, &Fault{RecordMalformed, fmt.Sprintf("SML: %s is there twice", obisOf(name))}
		}
		status, _ := e.at(1).number()
		unit, _ := e.at(3).number()
		scaler, _ := e.at(4).number()
		if unit < 0 || unit > 255 || scaler < -128 || scaler > 127 {
			return nil, &Fault{RecordMalformed, fmt.Sprintf("SML: unit or scaler of %s", obisOf(name))}
		}
		a.entries[obisOf(name)] = smlEntry{
			status: uint64(status), time: e.at(2).time(), unit: byte(unit), scaler: int8(scaler), value: e.at(5), signature: e.at(6).octets,
		}
	}
	return a, nil
}

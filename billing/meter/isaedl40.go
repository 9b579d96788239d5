package meter

import (
	"encoding/binary"
	"fmt"
)

// ISA-EDL40 is what the DC meters of Isabellenhütte sign: a block of 320 bytes as in EDL40, of which one holds the values at begin
// and now. On secp256r1 with SHA-256.
var isaList = []byte{0x81, 0x80, 0x81, 0x62} // and then 00: begin, 01: during the session, 02: end

// The entries of the list.
var (
	isaBegin      = OBIS{0x01, 0x00, 0x01, 0x08, 0x00, 0x80}
	isaNow        = OBIS{0x01, 0x00, 0x01, 0x08, 0x00, 0xff}
	isaPagination = OBIS{0x81, 0x80, 0xc7, 0xf0, 0x40, 0xff}
	isaStation    = OBIS{0x81, 0x80, 0x81, 0x61, 0x01, 0xff}
)

func readISA(a *smlAnswer) (*Record, *Fault) {
	begin, hasBegin := a.entries[isaBegin]
	now, hasNow := a.entries[isaNow]
	contract := a.entries[edlContract].value.octets
	station := a.entries[isaStation].value.octets
	page, paged := a.entries[isaPagination].value.number()
	beginValue, beginOK := begin.value.number()
	nowValue, nowOK := now.value.number()
	switch {
	case !hasBegin || !hasNow || !beginOK || !nowOK || !begin.time.known || !now.time.known:
		return nil, &Fault{RecordMalformed, "SML: the energy at begin or now is missing"}
	case !paged || len(contract) > 128 || len(station) > 20 || len(a.list) != 6 || len(now.signature) != 66:
		return nil, &Fault{RecordMalformed, "SML: pagination, contract id, station or the signature of the value is missing or too long"}
	case len(a.signature) != 66:
		return nil, &Fault{SignatureUnreadable, fmt.Sprintf("%d bytes, there must be 66", len(a.signature))}
	}
	le := binary.LittleEndian
	block := make([]byte, edlBlock)
	copy(block, a.server)
	le.PutUint32(block[10:], now.time.shown)
	block[14] = byte(now.status)
	copy(block[15:], isaNow.bytes())
	block[21], block[22] = now.unit, byte(now.scaler)
	le.PutUint64(block[23:], uint64(nowValue))
	copy(block[31:], a.signature[64:]) // state of the logbook
	copy(block[33:], now.signature)
	copy(block[99:], contract)
	le.PutUint32(block[227:], begin.time.shown)
	copy(block[231:], station)
	block[251] = byte(begin.status)
	copy(block[252:], isaBegin.bytes())
	block[258], block[259] = begin.unit, byte(begin.scaler)
	le.PutUint64(block[260:], uint64(beginValue))
	copy(block[268:], a.list)
	le.PutUint32(block[274:], uint32(page))

	r := &Record{
		Format: ISAEDL40, Gateway: fmt.Sprintf("%X", a.server), Meter: fmt.Sprintf("%X", a.server), ChargePoint: printable(station),
		ID: printable(contract), Session: fmt.Sprint(begin.time.shown), Pages: []int64{page}, Events: []string{fmt.Sprintf("%X", a.signature[64:])},
		curve: curveOf("secp256r1"), keyForm: orBare,
	}
	halves, _ := raw(a.signature[:64])
	r.parts = []part{{signed: block, digest: sha2(block), sig: halves}}
	first := edlReading(beginValue, begin.scaler, begin.unit, isaNow, begin.time.at)
	last := edlReading(nowValue, now.scaler, now.unit, isaNow, now.time.at)
	first.Mark = Begin
	if a.list[4] == 2 {
		last.Mark, r.whole = End, true
	}
	r.Readings = []Reading{first, last}
	return r, nil
}

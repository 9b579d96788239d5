package meter

import (
	"encoding/binary"
	"fmt"
	"time"
)

// EDL40 is what the meters of EMH sign: a block of 320 bytes, little-endian, that is put together from the values of an SML list
// (or comes as a whole, or in parts, in XML). On secp192r1, and on secp256r1 by the eMOC; always with SHA-256.
const edlBlock = 320

// The places in the block.
const (
	edlServer      = 0
	edlTime        = 10
	edlStatus      = 14
	edlSecond      = 15
	edlPage        = 19
	edlOBIS        = 23
	edlUnit        = 29
	edlScaler      = 30
	edlValue       = 31
	edlLog         = 39
	edlUser        = 41
	edlUserEnd     = 169
	edlUserTime    = 169
	edlHistoric    = 173
	edlCompensated = 181
	edlResistance  = 189
	edlStopwatch   = 191
	edlPrice       = 195
)

// The entries of the list.
var (
	edlContract      = OBIS{0x81, 0x82, 0x81, 0x54, 0x01, 0xff}
	edlEnergy        = OBIS{0x01, 0x00, 0x01, 0x11, 0x00, 0xff}
	edlEnergy8       = OBIS{0x01, 0x00, 0x01, 0x08, 0x00, 0xff}
	edlPagination    = OBIS{0x81, 0x80, 0x81, 0x71, 0x01, 0xff}
	edlSeconds       = OBIS{0x81, 0x00, 0x60, 0x08, 0x00, 0x01}
	edlHistoricValue = OBIS{0x01, 0x00, 0x01, 0x11, 0x00, 0x64}
	edlLossless      = OBIS{0x01, 0x00, 0x01, 0x11, 0x00, 0xc8}
	edlCable         = OBIS{0x00, 0xaf, 0x6c, 0x6c, 0x72, 0xff}
	edlWatch         = OBIS{0x00, 0xaf, 0x64, 0x75, 0x72, 0xff}
	edlTariff        = OBIS{0x00, 0xaf, 0x70, 0x72, 0x63, 0xff}
)

// readEDL puts the signed block together from an SML list.
func readEDL(a *smlAnswer) (*Record, *Fault) {
	energy, ok := a.entries[edlEnergy]
	register := edlEnergy
	if !ok {
		energy, ok = a.entries[edlEnergy8]
		register = edlEnergy8
	}
	if !ok {
		return nil, &Fault{RegisterUnknown, "SML: neither 1.17.0 nor 1.8.0 is there"}
	}
	value, isNumber := energy.value.number()
	contract := a.entries[edlContract]
	seconds := a.entries[edlSeconds].value.time()
	if sec := a.entries[edlSeconds].value; sec.kind == smlList && !seconds.index { // a list type whose one choice is a time
		seconds = sec.at(1).time()
	}
	page, paged := a.entries[edlPagination].value.number()
	switch {
	case !isNumber || !energy.time.known:
		return nil, &Fault{RecordMalformed, "SML: the energy has no value or no time"}
	case len(contract.value.octets) > edlUserEnd-edlUser || !contract.time.known:
		return nil, &Fault{RecordMalformed, "SML: the contract id is missing, too long or without time"}
	case !seconds.index || !paged:
		return nil, &Fault{RecordMalformed, "SML: the index of seconds or the pagination is missing"}
	}
	eMOC := len(a.signature) == 66
	le := binary.LittleEndian
	block := make([]byte, edlBlock)
	copy(block[edlServer:], a.server)
	le.PutUint32(block[edlTime:], energy.time.shown)
	block[edlStatus] = byte(energy.status)
	if eMOC {
		block[edlStatus] = emocStatus(energy.status)
	}
	le.PutUint32(block[edlSecond:], seconds.second)
	le.PutUint32(block[edlPage:], uint32(page))
	copy(block[edlOBIS:], register.bytes())
	block[edlUnit], block[edlScaler] = energy.unit, byte(energy.scaler)
	le.PutUint64(block[edlValue:], uint64(value))
	copy(block[edlUser:edlUserEnd], contract.value.octets)
	le.PutUint32(block[edlUserTime:], contract.time.shown)
	le.PutUint64(block[edlHistoric:], uint64(a.plain(edlHistoricValue)))
	le.PutUint64(block[edlCompensated:], uint64(a.plain(edlLossless)))
	le.PutUint16(block[edlResistance:], uint16(a.plain(edlCable)))
	le.PutUint32(block[edlStopwatch:], uint32(a.plain(edlWatch)))
	binary.BigEndian.PutUint16(block[edlPrice:], uint16(a.plain(edlTariff)))
	r, fault := readBlock(EDL40, block, a.signature)
	if fault != nil {
		return nil, fault
	}
	r.Readings[0].At = energy.time.at
	return r, nil
}

// plain is the number of an entry, 0 without one.
func (a *smlAnswer) plain(name OBIS) int64 {
	n, _ := a.entries[name].value.number()
	return n
}

// emocStatus picks the bits of the long status word that are signed.
func emocStatus(status uint64) (b byte) {
	for bit, from := range map[int]int{0: 17, 3: 31, 4: 16, 5: 11, 6: 9, 7: 8} {
		b |= byte(status>>from&1) << bit
	}
	return b
}

// readBlock reads a signed block and its signature, whose last two bytes, if there are two more than r and s have, are the state
// of the logbook. The block has it too.
func readBlock(format Format, block, sig []byte) (*Record, *Fault) {
	if len(block) != edlBlock {
		return nil, &Fault{RecordMalformed, fmt.Sprintf("the block has %d bytes, there must be %d", len(block), edlBlock)}
	}
	r := &Record{Format: format, keyForm: orBare}
	switch len(sig) {
	case 50, 66:
		copy(block[edlLog:], sig[len(sig)-2:])
		sig = sig[:len(sig)-2]
	case 48, 64:
	default:
		return nil, &Fault{SignatureUnreadable, fmt.Sprintf("%d bytes, there must be 48 or 64, and 2 of the logbook", len(sig))}
	}
	r.curve = curveOf("secp192r1")
	if len(sig) == 64 {
		r.curve = curveOf("secp256r1")
	}
	halves, _ := raw(sig)
	r.parts = []part{{signed: block, digest: sha2(block), sig: halves}}
	r.fillBlock(block)
	return r, nil
}

// fillBlock reads what a block says. Its time is that of the local clock; who knows the instant corrects it.
func (r *Record) fillBlock(block []byte) {
	le := binary.LittleEndian
	r.Gateway = fmt.Sprintf("%X", block[edlServer:edlTime])
	r.Meter = r.Gateway
	r.ID = printable(block[edlUser:edlUserEnd])
	r.Pages = append(r.Pages, int64(le.Uint32(block[edlPage:])))
	r.Events = append(r.Events, fmt.Sprintf("%X", block[edlLog:edlUser]))
	register := obisOf(block[edlOBIS:edlUnit])
	value := int64(le.Uint64(block[edlValue:]))
	if compensated := int64(le.Uint64(block[edlCompensated:])); compensated != 0 { // what reached the car
		value, register = compensated, edlLossless
	}
	at := time.Unix(int64(le.Uint32(block[edlTime:])), 0).UTC()
	r.Readings = append(r.Readings, edlReading(value, int8(block[edlScaler]), block[edlUnit], register, at))
}

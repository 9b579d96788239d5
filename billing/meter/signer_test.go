package meter

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// device signs as a meter does, with a key that is made from its name and protects nothing. It signs the same text the same way
// each time, so that what it writes can be compared.
type device struct {
	key    *Key
	secret *big.Int
}

func newDevice(name, curveName string) device {
	c := curveOf(curveName)
	secret := new(big.Int)
	for i := 0; secret.BitLen() < c.n.BitLen(); i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", name, curveName, i))
		secret.Lsh(secret, 256).Or(secret, new(big.Int).SetBytes(sum[:]))
	}
	secret.Mod(secret, new(big.Int).Sub(c.n, big.NewInt(1))).Add(secret, big.NewInt(1))
	key, fault := c.point(c.multiple(secret))
	if fault != nil {
		panic(fault)
	}
	return device{key, secret}
}

// multiple is k times the base point.
func (c *curve) multiple(k *big.Int) []byte { return c.affine(c.combine(k, new(big.Int), c.base())) }

// affine is a point, marked as uncompressed.
func (c *curve) affine(p point) []byte {
	f, z := newField(c), new(big.Int).ModInverse(p.z, c.p)
	b := make([]byte, 1+2*c.size())
	b[0] = 4
	f.mul(new(big.Int), p.x, z).FillBytes(b[1 : 1+c.size()])
	f.mul(new(big.Int), p.y, z).FillBytes(b[1+c.size():])
	return b
}

func (d device) sign(digest []byte) signature {
	c := d.key.curve
	seed := sha256.Sum256(append(d.secret.Bytes(), digest...))
	k := new(big.Int).SetBytes(append(seed[:], seed[:]...))
	k.Mod(k, new(big.Int).Sub(c.n, big.NewInt(1))).Add(k, big.NewInt(1))
	r := new(big.Int).SetBytes(c.multiple(k)[1 : 1+c.size()])
	r.Mod(r, c.n)
	s := new(big.Int).Mul(r, d.secret)
	s.Add(s, c.truncate(digest)).Mul(s, new(big.Int).ModInverse(k, c.n)).Mod(s, c.n)
	return signature{r, s}
}

func (s signature) der() []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(s.r)
		b.AddASN1BigInt(s.s)
	})
	return b.BytesOrPanic()
}

// raw is r and s in size bytes each.
func (s signature) raw(size int) []byte {
	b := make([]byte, 2*size)
	s.r.FillBytes(b[:size])
	s.s.FillBytes(b[size:])
	return b
}

// spki is the public key as it is registered.
func (d device) spki() string { return hex.EncodeToString(d.key.SPKI()) }

// ocmf signs a payload as the algorithm says. {{SIG}} in the section is replaced by the signature in hexadecimal DER.
func (d device) ocmf(payload, section string) string {
	hash := "SHA256"
	if _, after, ok := strings.Cut(section, `"SA":"`); ok {
		algorithm, _, _ := strings.Cut(after, `"`)
		hash = algorithm[strings.LastIndex(algorithm, "-")+1:]
	}
	sig := d.sign(hashes[hash]([]byte(payload)))
	return "OCMF|" + payload + "|" + strings.NewReplacer(
		"{{SIG}}", hex.EncodeToString(sig.der()),
		"{{SIG64}}", base64.StdEncoding.EncodeToString(sig.der()),
		"{{RAW}}", hex.EncodeToString(sig.raw(d.key.curve.size())),
	).Replace(section)
}

func sa(curveName, hash string) string {
	return fmt.Sprintf(`{"SA":"ECDSA-%s-%s","SD":"{{SIG}}"}`, curveName, hash)
}

// The payload of a good record of a whole session, of its begin and of its end. Tests change one thing in it.
const (
	wholePayload = `{"FV":"1.0","GI":"Roamwerk Prüfstand","GS":"GW-1","GV":"1","PG":"T7","MV":"X","MM":"Y","MS":"MTR-1","MF":"1","IS":true,"IL":"VERIFIED","IF":["RFID_PLAIN"],"IT":"ISO14443","ID":"04A1B2C3D4E5F6","CT":"EVSEID","CI":"DE*SWM*E1","RD":[{"TM":"2026-02-03T17:02:11,000+0100 S","TX":"B","RV":1000.000,"RI":"01-00:B2.08.00*FF","RU":"kWh","RT":"AC","EF":"","ST":"G"},{"TM":"2026-02-03T18:40:02,000+0100 S","TX":"E","RV":1022.134,"RI":"01-00:B2.08.00*FF","RU":"kWh","RT":"AC","EF":"","ST":"G"}]}`
	beginPayload = `{"FV":"1.0","GS":"GW-1","PG":"T7","MS":"MTR-1","IS":true,"IT":"ISO14443","ID":"04A1B2C3D4E5F6","RD":[{"TM":"2026-02-03T17:02:11,000+0100 S","TX":"B","RV":1000.000,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}]}`
	endPayload   = `{"FV":"1.0","GS":"GW-1","PG":"T8","MS":"MTR-1","IS":true,"IT":"ISO14443","ID":"04A1B2C3D4E5F6","RD":[{"TM":"2026-02-03T18:40:02,000+0100 S","TX":"E","RV":1022.134,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}]}`
)

// change replaces what must be there.
func change(s, was, is string) string {
	if !strings.Contains(s, was) {
		panic("there is no " + was)
	}
	return strings.Replace(s, was, is, 1)
}

// alfen writes a record of 1,000 kWh and more at second of the session.
func (d device) alfen(kind string, page, wh uint64, status uint32) string {
	data := make([]byte, alfenData)
	copy(data, "\x0a\x01ADAPTER1")
	copy(data[16:], "\x0a\x01METER001")
	le := binary.LittleEndian
	le.PutUint32(data[26:], status)
	le.PutUint32(data[34:], 1770134531+uint32(page)*60)
	copy(data[38:], []byte{1, 0, 1, 8, 0, 255})
	data[44], data[45] = unitWh, 0
	le.PutUint64(data[46:], wh)
	copy(data[54:], "04A1B2C3D4E5F6")
	le.PutUint32(data[74:], 815)
	le.PutUint32(data[78:], uint32(page))
	text := base32.StdEncoding.EncodeToString
	return strings.Join([]string{"AP", kind, "3", text(d.key.compressed()), text(data), text(d.sign(sha2(data)).raw(24))}, ";") + ";"
}

// smlWriter writes SML. It is as short as it can be and knows no long values but strings.
type smlWriter []byte

func smlStr(s string) smlWriter {
	n := len(s) + 1
	if n <= 15 {
		return append(smlWriter{byte(n)}, s...)
	}
	return append(smlWriter{0x80 | byte((n+1)>>4&0xf), byte((n + 1) & 0xf)}, s...)
}

func smlUint(n uint64, size int) smlWriter {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return append(smlWriter{0x60 | byte(size+1)}, b[8-size:]...)
}

func smlInt(n int64, size int) smlWriter {
	w := smlUint(uint64(n), size)
	w[0] = 0x50 | byte(size+1)
	return w
}

func smlOf(items ...smlWriter) smlWriter {
	w := smlWriter{0x70 | byte(len(items))}
	for _, item := range items {
		w = append(w, item...)
	}
	return w
}

var smlNone = smlWriter{1}

func smlLocal(at time.Time) smlWriter { // an hour of time zone, one of summer time
	return smlOf(smlUint(3, 1), smlOf(smlUint(uint64(at.Unix()), 4), smlInt(60, 2), smlInt(60, 2)))
}

// smlFile puts an answer into a file.
func smlFile(answer smlWriter) []byte {
	message := func(tag uint64, body smlWriter) smlWriter {
		w := smlOf(smlStr("7"), smlUint(0, 1), smlUint(0, 1), smlOf(smlUint(tag, 2), body), smlUint(0, 2))
		w[0] = 0x76
		return append(w, 0)
	}
	body := message(0x0101, smlOf(smlNone, smlNone, smlStr("f"), smlStr("s"), smlNone, smlNone))
	body = append(body, message(smlGetList, answer)...)
	var file []byte
	file = append(file, smlBegin...)
	for i := 0; i < len(body); i++ {
		if strings.HasPrefix(string(body[i:]), string(smlEscape)) {
			file = append(append(file, smlEscape...), smlEscape...)
			i += 3
			continue
		}
		file = append(file, body[i])
	}
	filled := (4 - len(body)%4) % 4
	file = append(file, make([]byte, filled)...)
	file = append(append(file, smlEscape...), 0x1a, byte(filled))
	return binary.LittleEndian.AppendUint16(file, crc16(file))
}

// smlEntryOf writes an entry of the list.
func smlEntryOf(name OBIS, status, at, unit, scaler, value, sig smlWriter) smlWriter {
	return smlOf(smlStr(string(name.bytes())), status, at, unit, scaler, value, sig)
}

var edlServerID = "\x0a\x01EMH\x00\x00\xba\x05\xb4"

// edl writes a record of EDL40. On secp256r1 it is that of an eMOC, with everything that an eMOC signs besides.
func (d device) edl(page uint64, wh int64, user string) []byte {
	at := time.Date(2026, 7, 3, 17, 0, 0, 0, time.UTC).Add(time.Duration(page) * time.Minute)
	eMOC := d.key.curve.name == "secp256r1"
	status := uint64(0x1b1b1b1b) // wants escaping
	entries := []smlWriter{
		smlEntryOf(edlContract, smlNone, smlLocal(at), smlNone, smlNone, smlStr(user), smlNone),
		smlEntryOf(edlEnergy, smlUint(status, 4), smlLocal(at), smlUint(unitWh, 1), smlInt(-1, 1), smlInt(10*wh, 8), smlNone),
		smlEntryOf(edlSeconds, smlNone, smlNone, smlNone, smlNone, smlOf(smlUint(1, 1), smlOf(smlUint(1, 1), smlUint(7000+60*page, 4))), smlNone),
		smlEntryOf(edlPagination, smlNone, smlNone, smlNone, smlNone, smlUint(page, 4), smlNone),
	}
	block := make([]byte, edlBlock)
	le := binary.LittleEndian
	copy(block, edlServerID)
	le.PutUint32(block[edlTime:], uint32(at.Unix()+7200))
	block[edlStatus] = byte(status)
	le.PutUint32(block[edlSecond:], uint32(7000+60*page))
	le.PutUint32(block[edlPage:], uint32(page))
	copy(block[edlOBIS:], edlEnergy.bytes())
	block[edlUnit], block[edlScaler] = unitWh, 0xff
	le.PutUint64(block[edlValue:], uint64(10*wh))
	copy(block[edlLog:], "\x00\x46")
	copy(block[edlUser:], user)
	le.PutUint32(block[edlUserTime:], uint32(at.Unix()+7200))
	if eMOC {
		block[edlStatus] = emocStatus(status)
		for _, more := range []struct {
			name  OBIS
			value uint64
		}{{edlHistoricValue, uint64(10*wh - 50)}, {edlLossless, uint64(10*wh - 100)}, {edlCable, 1000}, {edlWatch, 5}, {edlTariff, 300}} {
			entries = append(entries, smlEntryOf(more.name, smlNone, smlNone, smlNone, smlNone, smlUint(more.value, 4), smlNone))
		}
		le.PutUint64(block[edlHistoric:], uint64(10*wh-50))
		le.PutUint64(block[edlCompensated:], uint64(10*wh-100))
		le.PutUint16(block[edlResistance:], 1000)
		le.PutUint32(block[edlStopwatch:], 5)
		binary.BigEndian.PutUint16(block[edlPrice:], 300)
	}
	sig := string(d.sign(sha2(block)).raw(d.key.curve.size())) + "\x00\x46"
	return smlFile(smlOf(smlNone, smlStr(edlServerID), smlNone, smlNone, smlOf(entries...), smlStr(sig), smlNone))
}

// edlXML writes the same as a block in XML.
func (d device) edlXML(page uint64, wh int64, user string) string {
	messages, _ := smlMessages(d.edl(page, wh, user))
	answer, _ := readAnswer(messages[1].at(3).at(1))
	r, fault := readEDL(answer)
	if fault != nil {
		panic(fault)
	}
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8" ?><signedMeterValue><publicKey encoding="base64">%s</publicKey><meterValueSignature encoding="base64">%s</meterValueSignature><signatureMethod>ECDSA192SHA256</signatureMethod><encodingMethod>EDL</encodingMethod><encodedMeterValue encoding="base64">%s</encodedMeterValue></signedMeterValue>`,
		text(d.key.Point()[1:]), text(answer.signature), text(r.parts[0].signed))
}

// isa writes a record of ISA-EDL40: 0 at begin, 1 during the session, 2 at its end.
func (d device) isa(kind byte, page uint64, beganWh, nowWh int64) []byte {
	began := time.Date(2026, 7, 3, 17, 0, 0, 0, time.UTC)
	now := began.Add(time.Duration(page) * time.Minute)
	user, station, inner := strings.Repeat("U", 128), strings.Repeat("S", 20), strings.Repeat("i", 66)
	list := string(isaList) + string([]byte{kind, 0xff})
	server := "\x09\x01ISA\x00\x00\x00\x00\x01"
	block := make([]byte, edlBlock)
	le := binary.LittleEndian
	copy(block, server)
	le.PutUint32(block[10:], uint32(now.Unix()))
	block[14] = 0x18
	copy(block[15:], isaNow.bytes())
	block[21], block[22] = unitWh, 0xff
	le.PutUint64(block[23:], uint64(10*nowWh))
	copy(block[31:], "\x00\xa4")
	copy(block[33:], inner)
	copy(block[99:], user)
	le.PutUint32(block[227:], uint32(began.Unix()+7200))
	copy(block[231:], station)
	block[251] = 0x18
	copy(block[252:], isaBegin.bytes())
	block[258], block[259] = unitWh, 0xff
	le.PutUint64(block[260:], uint64(10*beganWh))
	copy(block[268:], list)
	le.PutUint32(block[274:], uint32(page))
	sig := string(d.sign(sha2(block)).raw(32)) + "\x00\xa4"
	status := smlUint(0x40000000018, 8)
	at := smlOf(smlUint(2, 1), smlUint(uint64(now.Unix()), 4))
	return smlFile(smlOf(smlNone, smlStr(server), smlStr(list), smlNone, smlOf(
		smlEntryOf(edlContract, smlNone, smlNone, smlNone, smlNone, smlStr(user), smlNone),
		smlEntryOf(isaBegin, status, smlLocal(began), smlUint(unitWh, 1), smlInt(-1, 1), smlInt(10*beganWh, 8), smlNone),
		smlEntryOf(isaPagination, smlNone, smlNone, smlNone, smlNone, smlUint(page, 4), smlNone),
		smlEntryOf(isaStation, smlNone, smlNone, smlNone, smlNone, smlStr(station), smlNone),
		smlEntryOf(isaNow, status, at, smlUint(unitWh, 1), smlInt(-1, 1), smlInt(10*nowWh, 8), smlStr(inner)),
	), smlStr(sig), smlNone))
}

// mennekes writes a session as a bill of Mennekes has it.
func (d device) mennekes(startPage, endPage uint64, startWh, endWh int64) string {
	value := func(page uint64, wh int64, at string) string {
		block := make([]byte, edlBlock)
		le := binary.LittleEndian
		copy(block, edlServerID)
		stamp, _ := time.Parse(time.RFC3339, at)
		le.PutUint32(block[edlTime:], uint32(stamp.Unix()+7200))
		block[edlStatus] = 0x88
		le.PutUint32(block[edlSecond:], 7000)
		le.PutUint32(block[edlPage:], uint32(page))
		copy(block[edlOBIS:], edlEnergy.bytes())
		block[edlUnit], block[edlScaler] = unitWh, 0xff
		le.PutUint64(block[edlValue:], uint64(10*wh))
		copy(block[edlLog:], "\x01\xa6")
		copy(block[edlUser:], "\x04\xa1\xb2\xc3")
		user, _ := time.Parse(time.RFC3339, "2026-07-03T17:00:00+02:00")
		le.PutUint32(block[edlUserTime:], uint32(user.Unix()+7200))
		return fmt.Sprintf("<Timestamp>%s</Timestamp><Signature>%X</Signature><EventCounter>422</EventCounter><MeterStatus>65928</MeterStatus><Value>%d</Value><Scaler>-1</Scaler><Pagination>%d</Pagination><SecondIndex>7000</SecondIndex>",
			at, d.sign(sha2(block)).raw(24), 10*wh, page)
	}
	return fmt.Sprintf(`<ChargingProcess><ServerId>%X</ServerId><PublicKey>%X</PublicKey><MeteringPoint>DE*MEK*E1</MeteringPoint><CustomerIdent>04A1B2C3</CustomerIdent><TimestampCustomerIdent>2026-07-03T17:00:00+02:00</TimestampCustomerIdent><MeasurementStart>%s</MeasurementStart><MeasurementEnd>%s</MeasurementEnd></ChargingProcess>`,
		edlServerID, d.key.Point()[1:], value(startPage, startWh, "2026-07-03T17:00:10+02:00"), value(endPage, endWh, "2026-07-03T18:00:10+02:00"))
}

// pcdf writes a session of PCDF. BV and SP say whether it may be billed and whether it has ended.
func (d device) pcdf(bv, sp, energy string) string {
	signed := fmt.Sprintf("128.8.0(ST:260703170000)(CT:260703180000)(CD:010000)(TV:1)(BV:%s)(CSC:18)(SP:%s)(RV:%s)(SI:04A1B2C3D4E5F6*1*a103507e)(CS:5febd3dc)(HW:39202000189)(DT:0)(PK:%x)", bv, sp, energy, d.key.Point())
	return fmt.Sprintf("\x02%s(SG:%x)\x03", signed, d.sign(sha2([]byte(signed))).der())
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func trimPad(s string) string { return strings.TrimRight(s, "=") }

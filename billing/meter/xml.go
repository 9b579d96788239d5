package meter

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// readXML reads the two forms in which the values of EMH's meters come as XML: the signed block with its signature, and the parts
// of both blocks of a session.
func readXML(text string) (*Record, *Fault) {
	var head struct{ XMLName xml.Name }
	if err := unmarshalXML([]byte(text), &head); err != nil {
		return nil, &Fault{RecordMalformed, "XML: " + err.Error()}
	}
	switch head.XMLName.Local {
	case "signedMeterValue":
		return readSignedBlock(text)
	case "ChargingProcess":
		return readMennekes(text)
	}
	return nil, &Fault{FormatUnknown, fmt.Sprintf("XML: unknown element %.40q", head.XMLName.Local)}
}

type encoded struct {
	Encoding string `xml:"encoding,attr"`
	Text     string `xml:",chardata"`
}

func (e encoded) bytes() ([]byte, bool) {
	plain := strings.Join(strings.Fields(e.Text), "")
	var b []byte
	var err error
	switch strings.ToLower(e.Encoding) {
	case "hex":
		b, err = hex.DecodeString(plain)
	default:
		b, err = base64.StdEncoding.DecodeString(plain)
	}
	return b, err == nil && len(b) > 0
}

// readSignedBlock reads the block as it was signed.
func readSignedBlock(text string) (*Record, *Fault) {
	var doc struct {
		Key       encoded `xml:"publicKey"`
		Signature encoded `xml:"meterValueSignature"`
		Value     encoded `xml:"encodedMeterValue"`
	}
	if err := unmarshalXML([]byte(text), &doc); err != nil {
		return nil, &Fault{RecordMalformed, "XML: " + err.Error()}
	}
	block, blockOK := doc.Value.bytes()
	sig, sigOK := doc.Signature.bytes()
	if !blockOK || !sigOK {
		return nil, &Fault{RecordMalformed, "XML: value or signature is missing or not readable"}
	}
	r, fault := readBlock(EDL40Sig, block, sig)
	if fault != nil {
		return nil, fault
	}
	if key, ok := doc.Key.bytes(); ok {
		if r.embedded, fault = decodeKey(key, r.curve, orBare); fault != nil {
			return nil, fault
		}
	}
	return r, nil
}

type mennekesValue struct {
	UserTime  string `xml:"TimestampCustomerIdent"`
	Time      string `xml:"Timestamp"`
	Signature string `xml:"Signature"`
	Event     uint16 `xml:"EventCounter"`
	Status    uint64 `xml:"MeterStatus"`
	Value     int64  `xml:"Value"`
	Scaler    int8   `xml:"Scaler"`
	Page      uint32 `xml:"Pagination"`
	Second    uint32 `xml:"SecondIndex"`
}

// mennekesProcess is a session in the bills of Mennekes: what EDL40 signs at begin and at end, taken apart.
type mennekesProcess struct {
	Server   string         `xml:"ServerId"`
	Key      string         `xml:"PublicKey"`
	Point    string         `xml:"MeteringPoint"`
	User     string         `xml:"CustomerIdent"`
	UserTime string         `xml:"TimestampCustomerIdent"`
	Start    *mennekesValue `xml:"MeasurementStart"`
	End      *mennekesValue `xml:"MeasurementEnd"`
}

func readMennekes(text string) (*Record, *Fault) {
	var p mennekesProcess
	if err := unmarshalXML([]byte(text), &p); err != nil {
		return nil, &Fault{RecordMalformed, "XML: " + err.Error()}
	}
	if p.Start == nil {
		return nil, &Fault{BeginMissing, "MeasurementStart is missing"}
	}
	if p.End == nil {
		return nil, &Fault{EndMissing, "MeasurementEnd is missing"}
	}
	r := &Record{Format: EDL40Mennekes, keyForm: orBare, whole: true}
	for i, v := range []*mennekesValue{p.Start, p.End} {
		block, sig, at, fault := p.block(v)
		if fault != nil {
			return nil, fault
		}
		one, fault := readBlock(EDL40Mennekes, block, sig)
		if fault != nil {
			return nil, fault
		}
		one.Readings[0].At, one.Readings[0].Mark = at, []Mark{Begin, End}[i]
		r.parts, r.curve = append(r.parts, one.parts...), one.curve
		r.fillHead(one)
	}
	r.ChargePoint = strings.TrimSpace(p.Point)
	if strings.TrimSpace(p.Key) != "" {
		var fault *Fault
		if r.embedded, fault = parseKey(p.Key, r.curve, orBare); fault != nil {
			return nil, fault
		}
	}
	begin, end := r.Readings[0], r.Readings[1]
	if r.refused = billable(begin, end); r.refused == nil && r.Pages[0] >= r.Pages[1] {
		r.refused = &Fault{PaginationGap, fmt.Sprintf("%d is followed by %d", r.Pages[0], r.Pages[1])}
	}
	return r, nil
}

// fillHead takes over what a block says.
func (r *Record) fillHead(one *Record) {
	r.Gateway, r.Meter, r.ID = one.Gateway, one.Meter, one.ID
	r.Pages, r.Events, r.Readings = append(r.Pages, one.Pages...), append(r.Events, one.Events...), append(r.Readings, one.Readings...)
}

// block puts together what the meter has signed. Its times are those of the local clock that the document tells.
func (p *mennekesProcess) block(v *mennekesValue) (block, sig []byte, at time.Time, fault *Fault) {
	server, serverErr := hex.DecodeString(strings.TrimSpace(p.Server))
	user, userErr := hex.DecodeString(strings.TrimSpace(p.User))
	sig, sigErr := hex.DecodeString(strings.Join(strings.Fields(v.Signature), ""))
	userTime := v.UserTime
	if strings.TrimSpace(userTime) == "" {
		userTime = p.UserTime
	}
	at, atErr := time.Parse(time.RFC3339, strings.TrimSpace(v.Time))
	userAt, userAtErr := time.Parse(time.RFC3339, strings.TrimSpace(userTime))
	switch {
	case serverErr != nil || len(server) != 10:
		return nil, nil, at, &Fault{RecordMalformed, "ServerId must be 10 bytes, hexadecimal"}
	case userErr != nil || len(user) > edlUserEnd-edlUser:
		return nil, nil, at, &Fault{RecordMalformed, "CustomerIdent must be up to 128 bytes, hexadecimal"}
	case atErr != nil || userAtErr != nil:
		return nil, nil, at, &Fault{RecordMalformed, "Timestamp or TimestampCustomerIdent is no time"}
	case sigErr != nil:
		return nil, nil, at, &Fault{SignatureUnreadable, "Signature must be hexadecimal"}
	}
	le := binary.LittleEndian
	block = make([]byte, edlBlock)
	copy(block[edlServer:], server)
	le.PutUint32(block[edlTime:], shown(at))
	block[edlStatus] = byte(v.Status)
	le.PutUint32(block[edlSecond:], v.Second)
	le.PutUint32(block[edlPage:], v.Page)
	copy(block[edlOBIS:], edlEnergy.bytes())
	block[edlUnit], block[edlScaler] = unitWh, byte(v.Scaler)
	le.PutUint64(block[edlValue:], uint64(v.Value))
	binary.BigEndian.PutUint16(block[edlLog:], v.Event)
	copy(block[edlUser:edlUserEnd], user)
	le.PutUint32(block[edlUserTime:], shown(userAt))
	return block, sig, at.UTC(), nil
}

// shown is what the local clock showed, counted as if it were UTC.
func shown(at time.Time) uint32 {
	_, offset := at.Zone()
	return uint32(at.Unix() + int64(offset))
}

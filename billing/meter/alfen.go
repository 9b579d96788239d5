package meter

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// alfenHead begins a record of Alfen: AP;<kind>;<version>;<key>;<data>;<signature>, the last three in Base32. The signature
// covers the data alone, on secp192r1 with SHA-256.
const alfenHead = "AP;"

// alfenData is the length of the signed data.
const alfenData = 82

func readALFEN(text string) (*Record, *Fault) {
	fields := strings.Split(strings.TrimRight(text, "; \r\n"), ";")
	if len(fields) != 6 {
		return nil, &Fault{RecordMalformed, fmt.Sprintf("%d fields, there must be 6", len(fields))}
	}
	if len(fields[2]) != 1 || fields[2] < "0" || fields[2] > "9" {
		return nil, &Fault{VersionUnknown, fmt.Sprintf("version %.20q", fields[2])}
	}
	key, keyOK := alfenBytes(fields[3])
	data, dataOK := alfenBytes(fields[4])
	sig, sigOK := alfenBytes(fields[5])
	switch {
	case !dataOK || len(data) != alfenData:
		return nil, &Fault{RecordMalformed, fmt.Sprintf("data of %d bytes in Base32, there must be %d", len(data), alfenData)}
	case !sigOK || len(sig) != 48:
		return nil, &Fault{SignatureUnreadable, fmt.Sprintf("signature of %d bytes in Base32, there must be 48", len(sig))}
	}
	le := binary.LittleEndian
	reading := edlReading(int64(le.Uint64(data[46:])), int8(data[45]), data[44], obisOf(data[38:44]), time.Unix(int64(le.Uint32(data[34:])), 0).UTC())
	switch fields[1] {
	case "0":
		reading.Mark = Begin
	case "1":
		reading.Mark = End
	case "2":
	default:
		return nil, &Fault{RecordMalformed, fmt.Sprintf("kind %.20q, known are 0, 1 and 2", fields[1])}
	}
	r := &Record{
		Format: ALFEN, Version: fields[2], Gateway: fmt.Sprintf("%X", data[:10]), Meter: fmt.Sprintf("%X", data[16:26]),
		ID: printable(data[54:74]), Session: fmt.Sprint(le.Uint32(data[74:])), Pages: []int64{int64(le.Uint32(data[78:]))},
		curve: curveOf("secp192r1"),
	}
	halves, _ := raw(sig)
	r.parts = []part{{signed: data, digest: sha2(data), sig: halves}}
	if keyOK && len(key) > 0 {
		r.embedded, _ = decodeKey(key, r.curve, orBare)
		if r.embedded == nil {
			return nil, &Fault{KeyUnreadable, "the key inside the record is no point of secp192r1"}
		}
	}
	r.refused = alfenStatus(le.Uint32(data[26:]))
	if r.refused != nil {
		reading.Fault = r.refused.Detail
	}
	r.Readings = []Reading{reading}
	return r, nil
}

func alfenBytes(s string) ([]byte, bool) {
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(strings.TrimSpace(s), "="))
	return b, err == nil
}

func alfenText(b []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// alfenStatus tells what the meter (bits 1 and 2) and its adapter (bits 16, 30 and 31) report.
func alfenStatus(status uint32) *Fault {
	const meter, adapter = 1<<1 | 1<<2, 1<<16 | 1<<30 | 1<<31
	switch {
	case status&meter != 0:
		return &Fault{MeterErrorFlag, fmt.Sprintf("the meter reports an error, status %08X", status)}
	case status&adapter != 0:
		return &Fault{MeterErrorFlag, fmt.Sprintf("the adapter reports an error, status %08X", status)}
	}
	return nil
}

// edlReading is a value as EDL40 and its relatives count: in units of ten to the power of scaler, of which 30 is Wh (DLMS).
func edlReading(value int64, scaler int8, unit byte, register OBIS, at time.Time) Reading {
	r := Reading{At: at, Sync: SyncInformative, Register: register, Unit: fmt.Sprintf("DLMS %d", unit)}
	if unit == unitWh && scaler >= -12 && scaler <= 12 {
		r.Unit, r.Readable = "Wh", true
		r.Value = decimal.New(value, int32(scaler)-3)
	}
	return r
}

const unitWh = 30

// printable is a text that is filled with zeros, or its hexadecimal form if it is no text.
func printable(b []byte) string {
	s := strings.TrimRight(string(b), "\x00")
	for _, r := range s {
		if r < ' ' || r > '~' {
			return fmt.Sprintf("%X", s)
		}
	}
	return strings.TrimSpace(s)
}

package meter

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// pcdfHead begins a record of Porsche's charging data format: 128.8.0(ST:…)(CT:…)…(SG:…), between STX and ETX. One record is one
// session; the signature covers what stands before (SG:, on secp256r1 with SHA-256.
const pcdfHead = "128.8.0"

// pcdfFields are those that must be there, each once.
var pcdfFields = []string{"ST", "CT", "CD", "TV", "BV", "CSC", "SP", "RV", "SI", "CS", "HW", "DT", "PK", "SG"}

func readPCDF(text string) (*Record, *Fault) {
	_, text, _ = strings.Cut(text, pcdfHead)
	text = pcdfHead + text[:strings.LastIndexByte(text, ')')+1] // ETX and white space may follow
	fields, fault := pcdfSplit(text)
	if fault != nil {
		return nil, fault
	}
	signed, _, _ := strings.Cut(text, "(SG:")
	r := &Record{Format: PCDF, Gateway: fields["HW"], Meter: fields["HW"], curve: curveOf("secp256r1"), whole: true}
	sig, err := hex.DecodeString(fields["SG"])
	if err != nil {
		return nil, &Fault{SignatureUnreadable, "SG: " + err.Error()}
	}
	halves, ok := der(sig)
	if !ok {
		return nil, &Fault{SignatureUnreadable, "SG is no signature"}
	}
	r.parts = []part{{signed: []byte(signed), digest: sha2([]byte(signed)), sig: halves}}
	if r.embedded, fault = parseKey(fields["PK"], r.curve, spkiOrMarked); fault != nil {
		return nil, &Fault{KeyUnreadable, "PK: " + fault.Detail}
	}
	if r.refused, fault = r.pcdfSession(fields); fault != nil {
		return nil, fault
	}
	return r, nil
}

// pcdfSplit takes (NAME:value) apart.
func pcdfSplit(text string) (map[string]string, *Fault) {
	fields := map[string]string{}
	rest := text[len(pcdfHead):]
	for strings.TrimSpace(rest) != "" {
		end := strings.IndexByte(rest, ')')
		if rest[0] != '(' || end < 0 {
			return nil, &Fault{RecordMalformed, fmt.Sprintf("%.20q is no field", rest)}
		}
		name, value, ok := strings.Cut(rest[1:end], ":")
		if _, twice := fields[name]; !ok || twice {
			return nil, &Fault{RecordMalformed, fmt.Sprintf("field %.20q is broken or there twice", name)}
		}
		fields[name] = value
		rest = rest[end+1:]
	}
	for _, name := range pcdfFields {
		if fields[name] == "" {
			return nil, &Fault{RecordMalformed, "field " + name + " is missing"}
		}
	}
	return fields, nil
}

// pcdfSession reads what was charged. The record counts from zero, whatever the meter showed.
func (r *Record) pcdfSession(fields map[string]string) (refused, fault *Fault) {
	amount, unit, _ := strings.Cut(fields["RV"], "*")
	value, ok := quantity(amount)
	if !ok {
		return nil, &Fault{RecordMalformed, fmt.Sprintf("RV: %.40q is no value", fields["RV"])}
	}
	began, beginErr := time.Parse("060102150405", fields["ST"])
	ended, endErr := time.Parse("060102150405", fields["CT"])
	page, pageErr := strconv.ParseInt(fields["CSC"], 10, 64)
	user := strings.Split(fields["SI"], "*")
	switch {
	case beginErr != nil || endErr != nil:
		return nil, &Fault{RecordMalformed, "ST and CT must be times as YYMMDDhhmmss"}
	case pageErr != nil || page < 0:
		return nil, &Fault{RecordMalformed, fmt.Sprintf("CSC: %.20q is no number", fields["CSC"])}
	case len(user) != 3:
		return nil, &Fault{RecordMalformed, "SI must be user, kind and session"}
	}
	sync := SyncUnknown
	if fields["TV"] == "1" {
		sync = SyncRelative
	}
	register := OBIS{A: 1, C: 0xB3, D: 8, F: 0xff} // of the transaction, at the car
	begin := Reading{Mark: Begin, At: began, Sync: sync, Value: decimal.Zero, Readable: true, Unit: unit, Register: register}
	end := Reading{Mark: End, At: ended, Sync: sync, Unit: unit, Register: register}
	end.Value, end.Readable = inKWh(value, unit)
	r.ID, r.IDType, r.Session, r.Pages = user[0], user[1], user[2], []int64{page}
	r.Readings = []Reading{begin, end}
	switch {
	case fields["BV"] != "1":
		refused = &Fault{MeterErrorFlag, "BV is " + fields["BV"] + ": billing is not possible"}
	case fields["SP"] != "1":
		refused = &Fault{EndMissing, "SP is " + fields["SP"] + ": the session had not ended"}
	default:
		refused = billable(begin, end)
	}
	return refused, nil
}

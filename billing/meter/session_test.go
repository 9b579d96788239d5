package meter

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi"
)

var std = sa("secp256r1", "SHA256")

func reasonsOf(s Session) (all []Reason) {
	for _, f := range s.Faults {
		all = append(all, f.Reason)
	}
	return all
}

// Only a key that was registered proves something; what stands in a CDR or in a record is a hint at best.
func TestJudgeByRegisteredKeys(t *testing.T) {
	d, other := newDevice("fixture", "secp256r1"), newDevice("another", "secp256r1")
	text := d.ocmf(wholePayload, std)
	p := newDevice("pcdf", "secp256r1")
	for name, c := range map[string]struct {
		signed Signed
		keys   []TrustedKey
		want   Reason
	}{
		"registered":                        {Signed{Text: text}, []TrustedKey{{Key: d.key}}, ""},
		"registered for the meter":          {Signed{Text: text}, []TrustedKey{{d.key, "mtr 0001"}, {d.key, "MTR1"}}, ""},
		"registered for the gateway":        {Signed{Text: text}, []TrustedKey{{d.key, "gw-1"}}, ""},
		"one of two, after an exchange":     {Signed{Text: text}, []TrustedKey{{Key: other.key}, {Key: d.key}}, ""},
		"unreadable beside the record":      {Signed{Text: text, Key: "?"}, []TrustedKey{{Key: d.key}}, ""},
		"none, though one came":             {Signed{Text: text, Key: d.spki()}, nil, KeyUnknown},
		"of another meter only":             {Signed{Text: text}, []TrustedKey{{d.key, "MTR-2"}}, KeyUnknown},
		"another, and none came":            {Signed{Text: text}, []TrustedKey{{Key: other.key}}, SignatureMismatch},
		"another than that which came":      {Signed{Text: text, Key: d.spki()}, []TrustedKey{{Key: other.key}}, KeyOfAnotherDevice},
		"another than that of the neighbor": {Signed{Text: text}, []TrustedKey{{Key: other.key}, {d.key, "MTR-2"}}, KeyOfAnotherDevice},
		"another than that inside":          {Signed{Text: p.pcdf("1", "1", "0001.000*kWh")}, []TrustedKey{{Key: other.key}}, KeyOfAnotherDevice},
		"that inside":                       {Signed{Text: p.pcdf("1", "1", "0001.000*kWh")}, []TrustedKey{{Key: p.key}}, ""},
		"of another curve":                  {Signed{Text: text}, []TrustedKey{{Key: newDevice("x", "secp256k1").key}}, KeyOfAnotherDevice},
	} {
		s := Judge([]Signed{c.signed}, Facts{Keys: c.keys})
		if s.Reason() != c.want {
			t.Errorf("%s: %q, want %q", name, s.Faults, c.want)
		}
		if c.want == "" && (s.Records[0].By == nil || s.Energy.Decimal.IsZero()) {
			t.Errorf("%s: no key or energy", name)
		}
	}
}

func TestJudgeFacts(t *testing.T) {
	d := newDevice("fixture", "secp256r1")
	text := d.ocmf(wholePayload, std)
	clock := func(begin, end string) string {
		p := change(wholePayload, "11,000+0100 S", "11,000+0100 "+begin)
		return d.ocmf(change(p, "02,000+0100 S", "02,000+0100 "+end), std)
	}
	record, _ := Read(text)
	billed := func(is bool) func([32]byte) bool {
		return func(hash [32]byte) bool { return is && hash == record.Hash() }
	}
	for name, c := range map[string]struct {
		text  string
		facts Facts
		want  Reason
	}{
		"time is priced, clock set":                {text, Facts{TimePriced: true}, ""},
		"time is priced, duration right":           {clock("I", "R"), Facts{TimePriced: true}, ""},
		"time is priced, relative throughout":      {clock("R", "R"), Facts{TimePriced: true}, ""},
		"time is priced, clock informative":        {clock("I", "I"), Facts{TimePriced: true}, TimeUnsynchronised},
		"time is priced, clock unknown":            {clock("S", "U"), Facts{TimePriced: true}, TimeUnsynchronised},
		"time is priced, set only at the end":      {clock("U", "S"), Facts{TimePriced: true}, TimeUnsynchronised},
		"time is not priced":                       {clock("I", "I"), Facts{}, ""},
		"time is priced, time flagged as an error": {d.ocmf(change(wholePayload, `"EF":"","ST":"G"}]`, `"EF":"t","ST":"G"}]`), std), Facts{TimePriced: true}, TimeUnsynchronised},
		"the card":                           {text, Facts{Users: []string{"DE-SWM-C1", "04a1b2c3d4e5f6"}}, ""},
		"the card with separators":           {text, Facts{Users: []string{"04:A1:B2:C3:D4:E5:F6"}}, ""},
		"the card, bytes in the other order": {text, Facts{Users: []string{"F6E5D4C3B2A104"}}, ""},
		"started by the operator":            {d.ocmf(change(wholePayload, `"IT":"ISO14443"`, `"IT":"CENTRAL"`), std), Facts{Users: []string{"DE-SWM-C1"}}, ""},
		"another card":                       {text, Facts{Users: []string{"04A1B2C3D4E5F7", "DE-SWM-C1"}}, IdentificationDiffers},
		"nobody is compared":                 {text, Facts{}, ""},
		"the card in a longer text":          {d.ocmf(change(wholePayload, "04A1B2C3D4E5F6", "contract-id: rfid:04a1b2c3d4e5f6"), std), Facts{Users: []string{"04A1B2C3D4E5F6"}}, ""},
		"a short id in a longer text":        {d.ocmf(change(wholePayload, "04A1B2C3D4E5F6", "idTag:180390,evse:1234567"), std), Facts{Users: []string{"1803"}}, IdentificationDiffers},
		"no id in the record":                {d.ocmf(change(wholePayload, "04A1B2C3D4E5F6", ""), std), Facts{Users: []string{"04A1B2C3D4E5F6"}}, ""},
		"billed already":                     {text, Facts{Billed: billed(true)}, AlreadyBilled},
		"not billed":                         {text, Facts{Billed: billed(false)}, ""},
	} {
		c.facts.Keys = []TrustedKey{{Key: d.key}}
		if s := Judge([]Signed{{Text: c.text}}, c.facts); s.Reason() != c.want {
			t.Errorf("%s: %q, want %q", name, s.Faults, c.want)
		}
	}
}

// The same measurement can be written with another signature that is valid too, in Base64 or with white space around it. It is
// still the same measurement, and is billed once.
func TestHashIsOfTheMeasurement(t *testing.T) {
	d := newDevice("fixture", "secp256r1")
	text := d.ocmf(wholePayload, std)
	record, fault := Read(text)
	if fault != nil {
		t.Fatal(fault)
	}
	sig := record.parts[0].sig
	twin := signature{sig.r, new(big.Int).Sub(d.key.curve.n, sig.s)}
	for _, other := range []string{
		"OCMF|" + wholePayload + `|{"SD":"` + hex.EncodeToString(twin.der()) + `"}`,
		"\n" + base64.StdEncoding.EncodeToString([]byte(text)),
		text + "|" + d.spki(),
	} {
		r, fault := Read(other)
		if fault != nil {
			t.Fatal(fault)
		}
		if !r.VerifiedBy(d.key) || r.Hash() != record.Hash() {
			t.Errorf("another hash, or not verified: %.60s", other)
		}
	}
	if r, _ := Read(d.ocmf(change(wholePayload, "T7", "T8"), std)); r.Hash() == record.Hash() {
		t.Error("two records have one hash")
	}
}

func TestJudgeSessions(t *testing.T) {
	a, m := newDevice("alfen", "secp192r1"), newDevice("mennekes", "secp192r1")
	d := newDevice("fixture", "secp256r1")
	alfen := []Signed{{Text: a.alfen("0", 7, 1000, 0)}, {Text: a.alfen("2", 8, 2000, 0)}, {Text: a.alfen("1", 9, 3000, 0)}}
	if s := Judge(alfen, Facts{AsSent: true}); !s.OK() || s.Energy.Decimal.String() != "2" {
		t.Errorf("three records of Alfen: %q, %s kWh", s.Faults, s.Energy.Decimal)
	}
	for name, c := range map[string]struct {
		records []Signed
		want    Reason
	}{
		"none":          {nil, NotSignedData},
		"too many":      {slices.Repeat(alfen[:1], maxRecords+1), TooLarge},
		"too long":      {[]Signed{{Text: "OCMF|" + strings.Repeat(" ", maxText)}}, TooLarge},
		"many readings": {[]Signed{{Text: d.ocmf(`{"FV":"1.0","PG":"T1","RD":[`+strings.Repeat("{},", maxReadings)+`{}]}`, std)}}, TooLarge},
		"unknown XML":   {[]Signed{{Text: "<invoice/>"}}, FormatUnknown},
		"a seal":        {[]Signed{{Text: "3082028C060A2B0601040183D6770101020102606D"}}, FormatUnknown},
		"end twice":     {[]Signed{alfen[0], {Text: a.alfen("1", 8, 2000, 0)}, alfen[2]}, EndTwice},
		"other session": {[]Signed{alfen[0], {Text: otherSession(a)}}, OtherSession},
		"event logged":  {[]Signed{{Text: eventLogged(m)}}, EventLogged},
		"formats mixed": {[]Signed{alfen[0], {Text: d.ocmf(endPayload, std), Key: d.spki()}}, OtherMeter},
	} {
		if s := Judge(c.records, Facts{AsSent: true}); !slices.Contains(reasonsOf(s), c.want) {
			t.Errorf("%s: %q, want %q among them", name, s.Faults, c.want)
		}
	}
}

// otherSession is a record of Alfen that follows the one of page 7 but is of the next session.
func otherSession(d device) string {
	fields := strings.Split(d.alfen("1", 8, 3000, 0), ";")
	data, _ := alfenBytes(fields[4])
	data[74]++
	fields[4], fields[5] = alfenText(data), alfenText(d.sign(sha2(data)).raw(24))
	return strings.Join(fields, ";")
}

// eventLogged is a session of Mennekes in which somebody has set the clock.
func eventLogged(d device) string {
	text := d.mennekes(7, 8, 1000, 3000)
	p := mennekesProcess{}
	if err := unmarshalXML([]byte(text), &p); err != nil {
		panic(err)
	}
	p.End.Event++
	block, _, _, _ := p.block(p.End)
	return strings.Replace(strings.Replace(text, strings.TrimSpace(p.End.Signature), fmt.Sprintf("%X", d.sign(sha2(block)).raw(24)), 1), "<EventCounter>422</EventCounter><MeterStatus>65928</MeterStatus><Value>30000<", "<EventCounter>423</EventCounter><MeterStatus>65928</MeterStatus><Value>30000<", 1)
}

// CDR-23: partners put records into a CDR in more than one way.
func TestFromOCPI(t *testing.T) {
	d := newDevice("fixture", "secp256r1")
	begin, end := d.ocmf(beginPayload, std), d.ocmf(endPayload, std)
	e := newDevice("edl", "secp192r1")
	in64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, c := range map[string]struct {
		data *ocpi.SignedData
		want Reason
	}{
		"Base64, as specified":  {&ocpi.SignedData{EncodingMethod: "OCMF", PublicKey: in64(string(d.key.SPKI())), SignedValues: []ocpi.SignedValue{{Nature: "Start", PlainData: "1000 kWh", SignedData: in64(begin)}, {Nature: "End", SignedData: in64(end)}}}, ""},
		"plain":                 {&ocpi.SignedData{EncodingMethod: "OCMF", PublicKey: d.spki(), SignedValues: []ocpi.SignedValue{{Nature: "End", SignedData: end}, {Nature: "Start", SignedData: begin}}}, ""},
		"in plain_data":         {&ocpi.SignedData{EncodingMethod: "OCMF", PublicKey: in64(d.spki()), SignedValues: []ocpi.SignedValue{{Nature: "Start", PlainData: begin, SignedData: "see plain_data"}, {Nature: "End", PlainData: end}}}, ""},
		"EDL40, SML in Base64":  {&ocpi.SignedData{EncodingMethod: "EDL40 E-Mobility Extension", PublicKey: base64.StdEncoding.EncodeToString(e.key.Point()[1:]), SignedValues: []ocpi.SignedValue{{Nature: "Start", SignedData: in64(string(e.edl(7, 1000, "U")))}, {Nature: "End", SignedData: in64(string(e.edl(8, 3000, "U")))}}}, ""},
		"a text, no record":     {&ocpi.SignedData{EncodingMethod: "OCMF", PublicKey: d.spki(), SignedValues: []ocpi.SignedValue{{Nature: "Start", SignedData: "true"}}}, NotSignedData}, // partner-quirks.md
		"a number in both":      {&ocpi.SignedData{EncodingMethod: "OCMF", SignedValues: []ocpi.SignedValue{{Nature: "End", PlainData: "22.134", SignedData: "MjIuMTM0"}}}, NotSignedData},
		"values without a text": {&ocpi.SignedData{EncodingMethod: "OCMF", SignedValues: []ocpi.SignedValue{{Nature: "End"}}}, NotSignedData},
		"no values":             {&ocpi.SignedData{EncodingMethod: "OCMF"}, NotSignedData},
	} {
		if s := Judge(FromOCPI(c.data), Facts{AsSent: true}); s.Reason() != c.want {
			t.Errorf("%s: %q, want %q", name, s.Faults, c.want)
		}
	}
	if FromOCPI(nil) != nil {
		t.Error("records out of nothing")
	}
}

// What is written for the customer is read back as the same records, with the keys that have verified them.
func TestWriteFile(t *testing.T) {
	for _, f := range fixtures() {
		groups, fault := ReadFile(f.file)
		if fault != nil || f.session != "" || len(groups) != 1 {
			continue
		}
		first := Judge(groups[0], Facts{AsSent: true})
		var b bytes.Buffer
		if err := WriteFile(&b, first.Records); err != nil {
			t.Fatal(f.name, err)
		}
		again, fault := ReadFile(b.Bytes())
		if fault != nil || len(again) != 1 || len(again[0]) != len(groups[0]) {
			t.Fatalf("%s: %v\n%s", f.name, fault, b.Bytes())
		}
		second := Judge(again[0], Facts{AsSent: true})
		if !second.OK() || !second.Energy.Decimal.Equal(first.Energy.Decimal) {
			t.Errorf("%s: %q\n%s", f.name, second.Faults, b.Bytes())
		}
		for i, r := range second.Records {
			if r.Record.Hash() != first.Records[i].Record.Hash() || again[0][i].Text != first.Records[i].Record.plain {
				t.Errorf("%s: the record has changed:\n%q\n%q", f.name, groups[0][i].Text, again[0][i].Text)
			}
		}
	}
	// As partners send them: what is Base64 in a CDR is text in the file.
	d := newDevice("fixture", "secp256r1")
	text := d.ocmf(wholePayload, std)
	var b bytes.Buffer
	if err := WriteFile(&b, Judge([]Signed{{Text: base64Of([]byte(text)), Key: d.spki()}}, Facts{AsSent: true}).Records); err != nil {
		t.Fatal(err)
	}
	if groups, _ := ReadFile(b.Bytes()); len(groups) != 1 || groups[0][0].Text != text {
		t.Errorf("%s", b.Bytes())
	}
	// The sessions of a bill stay apart.
	one := Judge([]Signed{{Text: d.ocmf(beginPayload, std), Key: d.spki()}, {Text: d.ocmf(endPayload, std), Key: d.spki()}}, Facts{AsSent: true}).Records
	two := Judge([]Signed{{Text: text, Key: d.spki()}}, Facts{AsSent: true}).Records
	b.Reset()
	if err := WriteFile(&b, one, two, nil); err != nil {
		t.Fatal(err)
	}
	if groups, _ := ReadFile(b.Bytes()); len(groups) != 2 || len(groups[0]) != 2 || len(groups[1]) != 1 {
		t.Errorf("%s", b.Bytes())
	}
}

func TestOBIS(t *testing.T) {
	for text, want := range map[string]OBIS{
		"1-0:1.8.0":         {1, 0, 1, 8, 0, 0xff},
		"1-0:1.8.0*255":     {1, 0, 1, 8, 0, 0xff},
		"1-0:1.8.0*198":     {1, 0, 1, 8, 0, 198},
		"1-b:1.8.e":         {1, 0xb, 1, 8, 0xe, 0xff},
		"01-00:01.08.00.FF": {1, 0, 1, 8, 0, 0xff},
		"01-00:B2.08.00*FF": {1, 0, 0xb2, 8, 0, 0xff},
		"1-0:2.8.0*0\n":     {1, 0, 2, 8, 0, 0xff},
	} {
		if got, ok := parseOBIS(text); !ok || got != want {
			t.Errorf("%q: %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "1.8.0", "1-0:1.8", "energy", "1-0:1.8.0*", "1-0:1.8.0*999", "1-0:1.8.0*FF*1", "-:..*", "g-0:1.8.0"} {
		if got, ok := parseOBIS(text); ok {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

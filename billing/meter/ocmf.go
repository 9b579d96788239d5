package meter

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// ocmfHead begins an OCMF record: OCMF|<payload>|<signature>, both JSON objects (OCMF specification, "Sections").
const ocmfHead = "OCMF|"

// maxReadings bounds the readings of a record. A session of a day with one each quarter of an hour has a hundred.
const maxReadings = 1000

// jsonText is a JSON string, or as it is written what a device has in its place: some write versions and values as numbers.
type jsonText string

func (t *jsonText) UnmarshalJSON(b []byte) error {
	switch jsontext.Value(b).Kind() {
	case 'n':
		*t = ""
	case '"':
		s, err := jsontext.AppendUnquote(nil, b)
		if err != nil {
			return err
		}
		*t = jsonText(s)
	default:
		*t = jsonText(b)
	}
	return nil
}

// ocmfPayload is the signed section (tables 1 to 6). Names that begin with U to Z are the manufacturers'.
type ocmfPayload struct {
	FV jsonText      `json:"FV"`
	GI jsonText      `json:"GI"`
	GS jsonText      `json:"GS"`
	PG jsonText      `json:"PG"`
	MS jsonText      `json:"MS"`
	IS jsonText      `json:"IS"`
	IL jsonText      `json:"IL"`
	IT jsonText      `json:"IT"`
	ID jsonText      `json:"ID"`
	CI jsonText      `json:"CI"`
	RD []ocmfReading `json:"RD"`
}

// ocmfReading is a reading (table 7). A field that is absent has the value of the reading before.
type ocmfReading struct {
	TM *jsonText `json:"TM"`
	TX *jsonText `json:"TX"`
	RV *jsonText `json:"RV"`
	RI *jsonText `json:"RI"`
	RU *jsonText `json:"RU"`
	EF *jsonText `json:"EF"`
	ST *jsonText `json:"ST"`
	EI *jsonText `json:"EI"` // up to 0.4: counter of events
}

// ocmfSignature is the signature section (table 8).
type ocmfSignature struct {
	SA jsonText `json:"SA"`
	SE jsonText `json:"SE"`
	SM jsonText `json:"SM"`
	SD jsonText `json:"SD"`
}

func readOCMF(doc string) (*Record, *Fault) {
	payload, sig, fault := ocmfSections(doc)
	if fault != nil {
		return nil, fault
	}
	var p ocmfPayload
	if err := json.Unmarshal([]byte(payload), &p); err != nil {
		return nil, &Fault{RecordMalformed, "payload: " + err.Error()}
	}
	version, fault := ocmfVersion(string(p.FV))
	if fault != nil {
		return nil, fault
	}
	r := &Record{
		Format: OCMF, Version: version, Gateway: string(p.GS), Meter: string(p.MS), ChargePoint: string(p.CI),
		ID: strings.TrimSpace(string(p.ID)), IDType: string(p.IT),
	}
	switch level := strings.TrimSpace(string(p.IL)); level {
	case "MISMATCH", "INVALID", "OUTDATED", "UNKNOWN": // table 11
		r.idError = level
	}
	if len(p.PG) > 1 {
		if n, err := strconv.ParseInt(string(p.PG[1:]), 10, 64); err == nil {
			r.PageContext, r.Pages = string(p.PG[:1]), []int64{n}
		}
	}
	if fault := r.ocmfReadings(p.RD); fault != nil {
		return nil, fault
	}
	if fault := r.ocmfSigned(payload, sig); fault != nil {
		return nil, fault
	}
	r.whole, r.refused = r.ocmfWhole()
	return r, nil
}

// ocmfSections cuts a record in two. The payload is signed as it stands, with all white space between the bars, so only its end
// is looked for. A third section is no part of the format; some add the public key there.
func ocmfSections(doc string) (payload, sig string, fault *Fault) {
	rest := doc[len(ocmfHead):]
	end, err := jsonEnd(rest)
	if err != nil {
		return "", "", &Fault{RecordMalformed, "payload: " + err.Error()}
	}
	bar := strings.IndexByte(rest[end:], '|')
	if bar < 0 || strings.TrimSpace(rest[end:end+bar]) != "" {
		return "", "", &Fault{NotSignedData, "OCMF without a signature section"}
	}
	payload, sig = rest[:end+bar], rest[end+bar+1:]
	end, err = jsonEnd(sig)
	if err != nil {
		return "", "", &Fault{SignatureUnreadable, err.Error()}
	}
	if after := strings.TrimSpace(sig[end:]); after != "" && after[0] != '|' {
		return "", "", &Fault{RecordMalformed, "there is text after the signature section"}
	}
	return payload, sig[:end], nil
}

// jsonEnd is where the JSON object ends with which s begins.
func jsonEnd(s string) (int, error) {
	dec := jsontext.NewDecoder(strings.NewReader(s))
	if dec.PeekKind() != '{' {
		return 0, errors.New("no JSON object")
	}
	if _, err := dec.ReadValue(); err != nil {
		return 0, err
	}
	return int(dec.InputOffset()), nil
}

// ocmfVersion accepts the versions up to 1.4. The revision, a third number, changes nothing of the format.
func ocmfVersion(fv string) (string, *Fault) {
	parts := strings.Split(strings.TrimSpace(fv), ".")
	if len(parts) < 4 {
		number := [3]int{}
		for i, part := range parts {
			n, err := strconv.Atoi(part)
			if err != nil || n < 0 || len(part) > 2 {
				number[0] = -1
				break
			}
			number[i] = n
		}
		if number[0] == 0 && number[1] > 0 && number[1] <= 5 || number[0] == 1 && number[1] <= 4 {
			return fmt.Sprintf("%d.%d", number[0], number[1]), nil
		}
	}
	return "", &Fault{VersionUnknown, fmt.Sprintf("FV is %.20q, known are 0.1 to 1.4", fv)}
}

func (r *Record) ocmfReadings(list []ocmfReading) *Fault {
	if len(list) == 0 {
		return &Fault{RecordMalformed, "RD: there is no reading"}
	}
	if len(list) > maxReadings {
		return &Fault{TooLarge, fmt.Sprintf("RD: %d readings", len(list))}
	}
	var last ocmfReading
	for i, rd := range list {
		for _, field := range []struct{ is, was **jsonText }{
			{&rd.TM, &last.TM}, {&rd.TX, &last.TX}, {&rd.RV, &last.RV}, {&rd.RI, &last.RI}, {&rd.RU, &last.RU}, {&rd.EF, &last.EF}, {&rd.ST, &last.ST},
		} {
			if *field.is == nil {
				*field.is = *field.was
			}
		}
		last = rd
		reading, fault := rd.read()
		if fault != nil {
			return &Fault{fault.Reason, fmt.Sprintf("RD[%d].%s", i, fault.Detail)}
		}
		r.Readings = append(r.Readings, reading)
		if event := get(rd.EI); event != "" {
			r.Events = append(r.Events, event)
		}
	}
	return nil
}

func (rd *ocmfReading) read() (Reading, *Fault) {
	reading := Reading{Unit: get(rd.RU)}
	reading.At, reading.Sync = ocmfTime(get(rd.TM))
	switch get(rd.TX) {
	case "B":
		reading.Mark = Begin
	case "E", "L", "R", "A", "P":
		reading.Mark = End
	case "X":
		reading.Mark = Failed
	}
	reading.Register, _ = parseOBIS(get(rd.RI))
	if rd.RV != nil {
		value, ok := quantity(get(rd.RV))
		if !ok {
			return reading, &Fault{RecordMalformed, fmt.Sprintf("RV: %.40q is no value", get(rd.RV))}
		}
		reading.Value, reading.Readable = inKWh(value, reading.Unit)
	}
	switch st := get(rd.ST); {
	case st == "":
		reading.Fault = "ST is missing"
	case st != "G":
		reading.Fault = "ST is " + st
	case strings.Contains(get(rd.EF), "E"):
		reading.Fault = "EF is " + get(rd.EF)
	}
	if strings.Contains(get(rd.EF), "t") { // the time is not usable
		reading.Sync = SyncUnknown
	}
	return reading, nil
}

func get(t *jsonText) string {
	if t == nil {
		return ""
	}
	return strings.TrimSpace(string(*t))
}

// ocmfTime reads "2018-07-24T13:22:04,000+0200 S". An instant that is written in another way is not known.
func ocmfTime(s string) (time.Time, Sync) {
	stamp, state, _ := strings.Cut(s, " ")
	var sync Sync
	switch state {
	case "":
	case "I", "R", "S":
		sync = Sync(state[0])
	default:
		sync = SyncUnknown
	}
	for _, layout := range []string{"2006-01-02T15:04:05.000-0700", "2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05-0700", time.RFC3339} {
		if at, err := time.Parse(layout, strings.Replace(stamp, ",", ".", 1)); err == nil {
			return at.UTC(), sync
		}
	}
	return time.Time{}, sync
}

// quantity reads a value exactly. It is bounded: a few digits of exponent would make gigabytes of zeros.
func quantity(s string) (decimal.Decimal, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 32 {
		return decimal.Decimal{}, false
	}
	value, err := decimal.NewFromString(s)
	if err != nil || value.Exponent() > 18 || value.Exponent() < -18 {
		return decimal.Decimal{}, false
	}
	return value, true
}

func inKWh(value decimal.Decimal, unit string) (decimal.Decimal, bool) {
	switch {
	case strings.EqualFold(unit, "kWh"):
		return value, true
	case strings.EqualFold(unit, "Wh"):
		return value.Shift(-3), true
	}
	return decimal.Decimal{}, false
}

// ocmfSigned reads the signature section. Without SA it is secp256r1 with SHA-256, the default since version 0.4.
func (r *Record) ocmfSigned(payload, section string) *Fault {
	var s ocmfSignature
	if err := json.Unmarshal([]byte(section), &s); err != nil {
		return &Fault{SignatureUnreadable, err.Error()}
	}
	algorithm := strings.TrimSpace(string(s.SA))
	if algorithm == "" {
		algorithm = "ECDSA-secp256r1-SHA256"
	}
	parts := strings.Split(algorithm, "-")
	if len(parts) != 3 || parts[0] != "ECDSA" {
		return &Fault{AlgorithmUnknown, fmt.Sprintf("SA is %.40q", algorithm)}
	}
	r.curve = curveOf(parts[1])
	hash := hashes[strings.ToUpper(parts[2])]
	if r.curve == nil || hash == nil {
		return &Fault{AlgorithmUnknown, fmt.Sprintf("SA is %.40q", algorithm)}
	}
	if mime := strings.TrimSpace(string(s.SM)); mime != "" && !strings.EqualFold(mime, "application/x-der") {
		return &Fault{AlgorithmUnknown, fmt.Sprintf("SM is %.40q, known is application/x-der", mime)}
	}
	if s.SD == "" {
		return &Fault{SignatureUnreadable, "SD is missing"}
	}
	var b []byte
	var err error
	text := strings.Join(strings.Fields(string(s.SD)), "")
	switch encoding := strings.ToLower(strings.TrimSpace(string(s.SE))); encoding {
	case "", "hex":
		b, err = hex.DecodeString(text)
	case "base64": // with or without padding, in either alphabet
		b, err = base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "=")))
	default:
		return &Fault{SignatureUnreadable, fmt.Sprintf("SE is %.20q, known are hex and base64", encoding)}
	}
	if err != nil {
		return &Fault{SignatureUnreadable, "SD: " + err.Error()}
	}
	sig, ok := der(b)
	if !ok && len(b) == 2*r.curve.size() {
		sig, ok = raw(b)
	}
	if !ok {
		return &Fault{SignatureUnreadable, fmt.Sprintf("SD: %d bytes that are no signature on %s", len(b), r.curve.name)}
	}
	r.parts = []part{{signed: []byte(payload), digest: hash([]byte(payload)), sig: sig}}
	return nil
}

// ocmfWhole reports whether the record holds begin and end, and if so what makes it unusable, as the transparency software says.
func (r *Record) ocmfWhole() (bool, *Fault) {
	var begins, ends bool
	for _, reading := range r.Readings {
		begins = begins || reading.Mark == Begin
		ends = ends || reading.Mark == End
	}
	if !begins || !ends {
		return false, nil
	}
	begin, end, fault := span([]*Record{r})
	if fault == nil && begin.Unit == "" {
		fault = &Fault{UnitUnknown, "RU is missing"}
	}
	if fault == nil {
		fault = billable(begin, end)
	}
	if fault == nil && r.idError != "" {
		fault = &Fault{IdentificationFailed, "IL is " + r.idError}
	}
	return true, fault
}

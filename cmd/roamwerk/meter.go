package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/billing/meter"
	"github.com/roamwerk/roamwerk/ocpi"
)

// meterCmd deals with signed meter data.
type meterCmd struct {
	Verify meterVerifyCmd `cmd:"" help:"Verify signed meter data in files, without a database."`
	Key    meterKeyCmd    `cmd:"" help:"Administer the public keys of meters."`
	Policy meterPolicyCmd `cmd:"" help:"Say what happens to CDRs whose signed meter data is not good."`
}

type meterVerifyCmd struct {
	Explain bool     `help:"Add what was found, and what the records say."`
	Lang    string   `help:"Language of explanations." enum:"de,en" default:"en"`
	Key     string   `help:"Public key for records that come without one: a file, or the key itself." placeholder:"KEY"`
	Files   []string `arg:"" name:"file" help:"XML of the transparency software, a bill of Mennekes, records as text, CDRs or their signed_data, or a folder of such files; - is standard input."`
}

func (c *meterVerifyCmd) Help() string {
	return "Prints one JSON object a line for every file: whether each record is good, and whether the records prove the energy of their sessions. " +
		"The keys are those in the files, which say nothing about whose they are, and --key. A file that cannot be opened is also reported on standard error; the others are verified all the same."
}

// verifiedFile is a line of output. A record is good if the transparency software calls it good; a session is if its records also
// belong together and prove its energy.
type verifiedFile struct {
	File          string           `json:"file"`
	Records       []verifiedRecord `json:"records"`
	SessionOK     bool             `json:"session_ok"`
	SessionReason meter.Reason     `json:"session_reason"`
	Sessions      []verifiedEnergy `json:"sessions,omitempty"` // with --explain
}

type verifiedRecord struct {
	OK     bool         `json:"ok"`
	Reason meter.Reason `json:"reason"`
	*recordFacts
}

// recordFacts are printed with --explain.
type recordFacts struct {
	Detail  string       `json:"detail"`
	Format  meter.Format `json:"format"`
	Version string       `json:"version"`
	Meter   string       `json:"meter"`
	Curve   string       `json:"curve"`
	Key     string       `json:"key"` // fingerprint
}

type verifiedEnergy struct {
	OK     bool     `json:"ok"`
	KWh    string   `json:"kwh"` // empty: not known
	Begin  string   `json:"begin"`
	End    string   `json:"end"`
	Faults []string `json:"faults"`
}

// fileUnreadable is the reason of a file that cannot be opened. No record is to blame.
const fileUnreadable meter.Reason = "file-unreadable"

// Run verifies the files in their order.
func (c *meterVerifyCmd) Run(o *outside) error {
	if text, err := os.ReadFile(c.Key); err == nil {
		c.Key = string(text)
	}
	failed := 0
	files := filesIn(c.Files, "")
	for _, name := range files {
		text, err := readInput(name)
		result := verifiedFile{File: name, Records: []verifiedRecord{}, SessionReason: fileUnreadable}
		if err != nil {
			failed++
			fmt.Fprintln(o.stderr, "roamwerk meter verify:", err)
		} else {
			result = c.verify(name, text)
		}
		if err := printJSON(o.stdout, result); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d files could not be read", failed, len(files))
	}
	return nil
}

func (c *meterVerifyCmd) verify(name string, text []byte) verifiedFile {
	result := verifiedFile{File: name, Records: []verifiedRecord{}, SessionOK: true}
	sessions, fault := readSigned(text)
	if fault != nil {
		result.Records = append(result.Records, c.record(meter.Verdict{Fault: fault}))
		result.SessionOK, result.SessionReason = false, fault.Reason
	}
	for _, records := range sessions {
		for i := range records {
			if strings.TrimSpace(records[i].Key) == "" {
				records[i].Key = c.Key
			}
		}
		session := meter.Judge(records, meter.Facts{AsSent: true})
		for _, v := range session.Records {
			result.Records = append(result.Records, c.record(v))
		}
		if result.SessionOK && !session.OK() {
			result.SessionOK, result.SessionReason = false, session.Reason()
		}
		if c.Explain {
			result.Sessions = append(result.Sessions, c.energy(session))
		}
	}
	return result
}

// readSigned reads a file with records, or CDRs with signed data, or that alone.
func readSigned(text []byte) ([][]meter.Signed, *meter.Fault) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return meter.ReadFile(text)
	}
	docs, err := documents(text)
	if err != nil {
		return nil, &meter.Fault{Reason: meter.RecordMalformed, Detail: "JSON: " + err.Error()}
	}
	var sessions [][]meter.Signed
	for _, doc := range docs {
		data, err := signedDataOf(doc)
		if err != nil {
			return nil, &meter.Fault{Reason: meter.RecordMalformed, Detail: err.Error()}
		}
		sessions = append(sessions, meter.FromOCPI(data))
	}
	return sessions, nil
}

// signedDataOf returns the signed data of a CDR, of a session that carries some, or of a document that is nothing else.
func signedDataOf(doc jsontext.Value) (*ocpi.SignedData, error) {
	var holder struct {
		CDR    jsontext.Value `json:"cdr"`
		Data   jsontext.Value `json:"signed_data"`
		Values jsontext.Value `json:"signed_values"`
	}
	if err := unmarshalTwice(doc, &holder); err != nil {
		return nil, fmt.Errorf("CDR: %w", err)
	}
	switch {
	case holder.Values != nil:
		holder.Data = doc
	case holder.Data == nil && holder.CDR.Kind() == jsontext.KindBeginObject:
		return signedDataOf(holder.CDR)
	}
	if holder.Data == nil || holder.Data.Kind() == jsontext.KindNull {
		return nil, nil //nolint:nilnil // there is none, and that is the verdict
	}
	data := new(ocpi.SignedData)
	if _, err := readObject(holder.Data, data, nil); err != nil {
		return nil, fmt.Errorf("signed_data: %w", err)
	}
	return data, nil
}

func (c *meterVerifyCmd) record(v meter.Verdict) verifiedRecord {
	r := verifiedRecord{OK: v.Fault == nil}
	if v.Fault != nil {
		r.Reason = v.Fault.Reason
	}
	if !c.Explain {
		return r
	}
	r.recordFacts = &recordFacts{}
	if v.Fault != nil {
		r.Detail = c.say(v.Fault)
	}
	if v.Record != nil {
		r.Format, r.Version, r.Meter, r.Curve = v.Record.Format, v.Record.Version, v.Record.Meter, v.Record.Curve()
	}
	if v.By != nil {
		r.Key = v.By.Fingerprint()
	}
	return r
}

func (c *meterVerifyCmd) energy(s meter.Session) verifiedEnergy {
	e := verifiedEnergy{OK: s.OK(), Faults: []string{}}
	if s.Energy.Valid {
		e.KWh, e.Begin, e.End = s.Energy.Decimal.String(), s.Begin.Value.String(), s.End.Value.String()
	}
	for _, f := range s.Faults {
		e.Faults = append(e.Faults, c.say(f))
	}
	return e
}

func (c *meterVerifyCmd) say(f *meter.Fault) string {
	return fmt.Sprintf("%s (%s)", f.Reason.Text(c.Lang), f)
}

package meter

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxFile bounds an XML file, and maxValues its values. Drivers and operators send files of one session, operators now and then
// those of a month.
const (
	maxFile   = 16 << 20
	maxValues = 20_000
)

// ReadFile reads the records of a file: the XML of the transparency software, the bills of Mennekes, or a single record as text.
// It holds one session or more; what belongs together is together.
func ReadFile(b []byte) ([][]Signed, *Fault) {
	if len(b) > maxFile {
		return nil, &Fault{TooLarge, "longer than 16 MiB"}
	}
	b = bytes.TrimSpace(inUTF8(b))
	if len(b) == 0 || b[0] != '<' {
		if !utf8.Valid(b) {
			return nil, &Fault{NotSignedData, "neither XML nor text"}
		}
		return [][]Signed{textRecords(string(b))}, nil
	}
	var head struct{ XMLName xml.Name }
	if err := unmarshalXML(b, &head); err != nil {
		return nil, &Fault{RecordMalformed, "XML: " + err.Error()}
	}
	switch head.XMLName.Local {
	case "values", "value":
		return readValues(b, head.XMLName.Local == "value")
	case "Billing":
		return readBilling(b)
	case "signedMeterValue", "ChargingProcess":
		return [][]Signed{{{Text: string(b)}}}, nil
	}
	return nil, &Fault{FormatUnknown, fmt.Sprintf("XML: unknown element %.40q", head.XMLName.Local)}
}

// inUTF8 removes a byte order mark, and turns what comes behind one of UTF-16.
func inUTF8(b []byte) []byte {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		order = binary.BigEndian
	case !bytes.HasPrefix(b, []byte("\xff\xfe")):
		return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, order.Uint16(b[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// textRecords are the records of a text: one, or several of OCMF that each begin a line.
func textRecords(text string) []Signed {
	var records []Signed
	for {
		end := strings.Index(text, "\n"+ocmfHead)
		if end < 0 || !strings.HasPrefix(text, ocmfHead) || len(records) == maxRecords {
			return append(records, Signed{Text: text})
		}
		records, text = append(records, Signed{Text: strings.TrimSpace(text[:end])}), text[end+1:]
	}
}

// unmarshalXML reads UTF-8 and ISO-8859-1, which older charge points write.
func unmarshalXML(b []byte, into any) error {
	dec := xml.NewDecoder(bytes.NewReader(b))
	dec.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "iso-8859-1", "latin1", "iso8859-1", "windows-1252", "us-ascii":
			all, err := io.ReadAll(in)
			wide := make([]rune, len(all))
			for i, c := range all {
				wide[i] = rune(c)
			}
			return strings.NewReader(string(wide)), err
		case "utf-16", "utf-16le", "utf-16be": // turned before
			return in, nil
		}
		return nil, fmt.Errorf("character set %.40q is not known", charset)
	}
	return dec.Decode(into)
}

// readValues reads <values>, the format of the transparency software, or one <value> of it alone.
func readValues(b []byte, alone bool) ([][]Signed, *Fault) {
	type data struct {
		Text  string `xml:",chardata"`
		Inner string `xml:",innerxml"` // where XML stands inside as it is
	}
	type value struct {
		Transaction string `xml:"transactionId,attr"`
		Context     string `xml:"context,attr"`
		Signed      *data  `xml:"signedData"`
		Encoded     *data  `xml:"encodedData"`
		Key         string `xml:"publicKey"`
	}
	var doc struct {
		Values []value `xml:"value"`
	}
	var into any = &doc
	if alone {
		doc.Values = make([]value, 1)
		into = &doc.Values[0]
	}
	if err := unmarshalXML(b, into); err != nil {
		return nil, &Fault{RecordMalformed, "XML: " + err.Error()}
	}
	if len(doc.Values) == 0 {
		return nil, &Fault{NotSignedData, "XML: there is no value"}
	}
	if len(doc.Values) > maxValues {
		return nil, &Fault{TooLarge, fmt.Sprintf("XML: %d values", len(doc.Values))}
	}
	all := make([]Signed, 0, len(doc.Values))
	for _, v := range doc.Values {
		d := v.Signed
		if d == nil {
			d = v.Encoded
		}
		s := Signed{Key: strings.TrimSpace(v.Key), Transaction: strings.TrimSpace(v.Transaction), Context: strings.TrimSpace(v.Context)}
		if d != nil {
			if s.Text = d.Text; strings.TrimSpace(s.Text) == "" {
				s.Text = d.Inner
			}
		}
		all = append(all, s)
	}
	return sessions(all), nil
}

// readBilling reads <Billing>, a bill of Mennekes with the sessions of its periods.
func readBilling(b []byte) ([][]Signed, *Fault) {
	var doc struct {
		Periods []struct {
			Processes []struct {
				Inner string `xml:",innerxml"`
			} `xml:"ChargingProcesses>ChargingProcess"`
		} `xml:"BillingPeriods>BillingPeriod"`
	}
	if err := unmarshalXML(b, &doc); err != nil {
		return nil, &Fault{RecordMalformed, "XML: " + err.Error()}
	}
	var all [][]Signed
	for _, period := range doc.Periods {
		for _, process := range period.Processes {
			all = append(all, []Signed{{Text: "<ChargingProcess>" + process.Inner + "</ChargingProcess>"}})
		}
	}
	switch {
	case len(all) == 0:
		return nil, &Fault{NotSignedData, "XML: there is no charging process"}
	case len(all) > maxValues:
		return nil, &Fault{TooLarge, fmt.Sprintf("XML: %d charging processes", len(all))}
	}
	return all, nil
}

// sessions puts together what has the same transaction number. Without numbers, a record that holds a whole session stands for
// itself, and the others are taken for one.
func sessions(all []Signed) [][]Signed {
	var groups [][]Signed
	open := map[string]int{} // transaction to its group
	for _, s := range all {
		if s.Transaction == "" {
			if r, _ := Read(s.Text); r != nil && r.whole {
				groups = append(groups, []Signed{s})
				continue
			}
		}
		if _, known := open[s.Transaction]; !known {
			open[s.Transaction] = len(groups)
			groups = append(groups, nil)
		}
		group := open[s.Transaction]
		groups[group] = append(groups[group], s)
	}
	return groups
}

// WriteFile writes the records of one session or more as the XML that the transparency software opens (https://transparenz.software), with
// the keys that have verified them. The software takes records as text, or binary ones in hexadecimal.
func WriteFile(w io.Writer, sessions ...[]Verdict) error {
	var doc bytes.Buffer
	doc.WriteString(xml.Header + "<values>\n")
	for i, records := range sessions {
		if err := writeValues(&doc, i+1, records); err != nil {
			return err
		}
	}
	doc.WriteString("</values>\n")
	_, err := doc.WriteTo(w)
	return err
}

// writeValues writes the records of one session under the number of their transaction.
func writeValues(doc *bytes.Buffer, transaction int, records []Verdict) error {
	for _, v := range records {
		if v.Record == nil {
			continue
		}
		context := ""
		if c := v.context(); c != "" {
			context = fmt.Sprintf(" context=%q", c)
		}
		fmt.Fprintf(doc, "  <value transactionId=\"%d\"%s>\n    <signedData format=%q encoding=\"plain\">", transaction, context, v.Record.Format)
		if err := xml.EscapeText(doc, []byte(v.Record.plain)); err != nil {
			return err
		}
		doc.WriteString("</signedData>\n")
		key := v.By
		if key == nil {
			key = v.sent
		}
		if key != nil {
			form, text := v.Record.keyText(key)
			fmt.Fprintf(doc, "    <publicKey encoding=%q>%s</publicKey>\n", form, text)
		}
		doc.WriteString("  </value>\n")
	}
	return nil
}

// context says which end of a session a record is, empty if it holds both.
func (v *Verdict) context() string {
	if v.Record.whole || len(v.Record.Readings) == 0 {
		return ""
	}
	for _, r := range v.Record.Readings {
		switch r.Mark {
		case Begin:
			return "Transaction.Begin"
		case End:
			return "Transaction.End"
		}
	}
	return ""
}

// keyText is a key in the form in which the transparency software wants it beside a record of this format.
func (r *Record) keyText(k *Key) (encoding, text string) {
	switch r.Format {
	case EDL40, EDL40Sig, EDL40Mennekes, ISAEDL40:
		return "hex", hex.EncodeToString(k.Point()[1:])
	case ALFEN:
		return "base32", alfenText(k.compressed())
	case PCDF:
		return "hex", hex.EncodeToString(k.Point())
	}
	return "hex", hex.EncodeToString(k.SPKI())
}

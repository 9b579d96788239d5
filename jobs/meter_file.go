package jobs

import (
	"bytes"
	"fmt"

	"github.com/roamwerk/roamwerk/billing/meter"
	"github.com/roamwerk/roamwerk/db"
)

// MeterFile writes the records of one rating or more as the XML that the transparency software opens, with the registered keys
// that have verified them. Those of a rating stand together.
func MeterFile(rows []db.MeterRecordsRow) ([]byte, error) {
	var sessions [][]meter.Verdict
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].MeterRecord.RatingID == rows[0].MeterRecord.RatingID {
			n++
		}
		sessions = append(sessions, meter.Judge(signedAgain(rows[:n]), meter.Facts{AsSent: true}).Records)
		rows = rows[n:]
	}
	var b bytes.Buffer
	err := meter.WriteFile(&b, sessions...)
	return b.Bytes(), err
}

// signedAgain is the records as they came, with the key that was registered where one fits.
func signedAgain(rows []db.MeterRecordsRow) []meter.Signed {
	records := make([]meter.Signed, len(rows))
	for i, row := range rows {
		r := row.MeterRecord
		records[i] = meter.Signed{Text: string(r.Raw), Key: r.SentKey, Context: r.Nature}
		if len(row.SPKI) > 0 {
			records[i].Key = fmt.Sprintf("%x", row.SPKI)
		}
	}
	return records
}

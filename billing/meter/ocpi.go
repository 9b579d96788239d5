package meter

import (
	"github.com/roamwerk/roamwerk/ocpi"
)

// FromOCPI takes the records out of a CDR's signed data (OCPI 2.2.1 § SignedData). They should be Base64 in signed_data; partners
// put them there plain, or into plain_data.
func FromOCPI(data *ocpi.SignedData) []Signed {
	if data == nil {
		return nil
	}
	var all []Signed
	for _, v := range data.SignedValues {
		text := v.SignedData
		if _, fault := Read(text); fault != nil && fault.Reason == NotSignedData {
			if _, plain := Read(v.PlainData); plain == nil || plain.Reason != NotSignedData {
				text = v.PlainData
			}
		}
		all = append(all, Signed{Text: text, Key: data.PublicKey, Context: string(v.Nature)})
	}
	return all
}

package meter

import "slices"

// Reason is why a record or a session proves nothing: a stable code. Empty: nothing is wrong.
type Reason string

// The reasons. Codes are stored and shown to other programs; they never change their meaning.
const (
	// What is no record that we can verify.
	NotSignedData       Reason = "not-signed-data"
	FormatUnknown       Reason = "format-unknown"
	VersionUnknown      Reason = "version-unknown"
	RecordMalformed     Reason = "record-malformed"
	TooLarge            Reason = "too-large"
	AlgorithmUnknown    Reason = "algorithm-unknown"
	SignatureUnreadable Reason = "signature-unreadable"

	// Whose signature it is.
	KeyUnreadable      Reason = "key-unreadable"
	KeyUnknown         Reason = "key-unknown"
	KeyOfAnotherDevice Reason = "key-of-another-device"
	SignatureMismatch  Reason = "signature-mismatch"

	// What the device itself says.
	MeterErrorFlag       Reason = "meter-error-flag"
	IdentificationFailed Reason = "identification-failed"

	// Whether the records are one session.
	BeginMissing       Reason = "begin-missing"
	EndMissing         Reason = "end-missing"
	BeginTwice         Reason = "begin-twice"
	EndTwice           Reason = "end-twice"
	OtherMeter         Reason = "other-meter"
	OtherSession       Reason = "other-session"
	PaginationGap      Reason = "pagination-gap"
	EventLogged        Reason = "event-logged"
	RegisterUnknown    Reason = "register-unknown"
	OtherOBIS          Reason = "other-obis"
	UnitUnknown        Reason = "unit-unknown"
	RegisterBackwards  Reason = "register-backwards"
	TimeBackwards      Reason = "time-backwards"
	TimeUnsynchronised Reason = "time-not-synchronised"

	// Whether it is the session that is billed.
	IdentificationDiffers Reason = "identification-differs"
	AlreadyBilled         Reason = "already-billed"
)

// text is what a reason says to people.
type text struct{ de, en string }

var reasons = map[Reason]text{
	NotSignedData:         {"Der Text ist kein signierter Messdatensatz", "The text is no signed meter record"},
	FormatUnknown:         {"Das Format ist nicht bekannt", "The format is not known"},
	VersionUnknown:        {"Die Version des Formats ist nicht bekannt", "The version of the format is not known"},
	RecordMalformed:       {"Der Datensatz ist beschädigt oder unvollständig", "The record is damaged or incomplete"},
	TooLarge:              {"Der Datensatz ist größer, als ein Messdatensatz sein kann", "The record is larger than a meter record can be"},
	AlgorithmUnknown:      {"Das Signaturverfahren ist nicht bekannt", "The signature algorithm is not known"},
	SignatureUnreadable:   {"Die Signatur ist nicht lesbar", "The signature cannot be read"},
	KeyUnreadable:         {"Der öffentliche Schlüssel ist nicht lesbar", "The public key cannot be read"},
	KeyUnknown:            {"Für diesen Ladepunkt ist zu dieser Zeit kein öffentlicher Schlüssel hinterlegt", "No public key is registered for this charge point at that time"},
	KeyOfAnotherDevice:    {"Der Datensatz ist mit dem Schlüssel eines anderen Geräts signiert", "The record is signed with the key of another device"},
	SignatureMismatch:     {"Die Signatur passt nicht zum Datensatz: er wurde verändert", "The signature does not match the record: it has been changed"},
	MeterErrorFlag:        {"Der Zähler meldet einen Fehler: der Messwert darf nicht abgerechnet werden", "The meter reports an error: the reading must not be billed"},
	IdentificationFailed:  {"Das Gerät konnte den Nutzer nicht sicher zuordnen", "The device could not identify the user"},
	BeginMissing:          {"Der Messwert zu Beginn fehlt", "The reading at the begin is missing"},
	EndMissing:            {"Der Messwert am Ende fehlt", "The reading at the end is missing"},
	BeginTwice:            {"Es gibt mehr als einen Messwert zu Beginn", "There is more than one reading at the begin"},
	EndTwice:              {"Es gibt mehr als einen Messwert am Ende", "There is more than one reading at the end"},
	OtherMeter:            {"Beginn und Ende stammen von verschiedenen Geräten", "Begin and end are of different devices"},
	OtherSession:          {"Beginn und Ende gehören nicht zum selben Ladevorgang", "Begin and end are not of the same session"},
	PaginationGap:         {"In der Nummerierung der Datensätze fehlt etwas", "Something is missing in the numbering of the records"},
	EventLogged:           {"Der Zähler hat während des Ladevorgangs ein Ereignis im Logbuch vermerkt", "The meter has noted an event in its logbook during the session"},
	RegisterUnknown:       {"Der Datensatz enthält kein Register der bezogenen Energie", "The record holds no register of the energy taken"},
	OtherOBIS:             {"Beginn und Ende stammen aus verschiedenen Registern", "Begin and end are of different registers"},
	UnitUnknown:           {"Die Einheit ist weder Wh noch kWh", "The unit is neither Wh nor kWh"},
	RegisterBackwards:     {"Der Zählerstand am Ende ist kleiner als zu Beginn", "The reading at the end is lower than at the begin"},
	TimeBackwards:         {"Das Ende liegt vor dem Beginn", "The end is before the begin"},
	TimeUnsynchronised:    {"Die Uhr war nicht gestellt: die Zeit darf nicht abgerechnet werden", "The clock was not synchronised: the time must not be billed"},
	IdentificationDiffers: {"Der Datensatz nennt einen anderen Nutzer", "The record names another user"},
	AlreadyBilled:         {"Der Datensatz gehört schon zu einer anderen Abrechnung", "The record belongs to another bill already"},
}

// Reasons lists every reason.
func Reasons() []Reason {
	var all []Reason
	for r := range reasons {
		all = append(all, r)
	}
	slices.Sort(all)
	return all
}

// Text says a reason in German ("de") or in English.
func (r Reason) Text(lang string) string {
	if lang == "de" {
		return reasons[r].de
	}
	return reasons[r].en
}

// Fault is a reason with what was found, in English: field, value and rule.
type Fault struct {
	Reason Reason
	Detail string
}

func (f *Fault) Error() string {
	if f.Detail == "" {
		return string(f.Reason)
	}
	return string(f.Reason) + ": " + f.Detail
}

package meter

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Facts is what is known of a session besides its records.
type Facts struct {
	Keys       []TrustedKey        // registered for the charge point at that time
	AsSent     bool                // take the keys that come with the records: a file tells no more
	Users      []string            // the ids that the user may have been read by; none: not compared
	TimePriced bool                // time costs something
	Billed     func([32]byte) bool // whether the record with this hash belongs to another bill; nil: nobody has looked
}

// TrustedKey is a key that was registered for a charge point.
type TrustedKey struct {
	*Key
	Meter string // serial number of the meter or of the gateway; empty: whichever is at the charge point
}

// Verdict is what a record proves.
type Verdict struct {
	Signed Signed
	Record *Record // nil: unreadable
	By     *Key    // that has verified it
	Fault  *Fault  // nil: the record is good

	sent       *Key   // that came with the record, beside it or inside
	unreadable *Fault // what came beside it as a key and is none
}

// Session is what the records of one session prove together.
type Session struct {
	Records []Verdict
	Faults  []*Fault // what is wrong, the gravest first; none: the energy is proven
	Begin   Reading
	End     Reading
	Energy  decimal.NullDecimal // kWh, exact; absent: begin or end is not known
}

// OK reports whether the records prove the energy of the session.
func (s *Session) OK() bool { return len(s.Faults) == 0 }

// Reason is the gravest fault, empty if there is none.
func (s *Session) Reason() Reason {
	if s.OK() {
		return ""
	}
	return s.Faults[0].Reason
}

// maxRecords bounds the records of a session. A day with one each quarter of an hour has a hundred.
const maxRecords = 200

// Judge says what the records of one session prove.
func Judge(records []Signed, facts Facts) Session {
	if len(records) > maxRecords {
		return Session{Faults: []*Fault{{TooLarge, fmt.Sprintf("%d records of one session", len(records))}}}
	}
	s := Session{Records: make([]Verdict, len(records))}
	for i, signed := range records {
		s.Records[i] = read(signed)
	}
	atHand := s.keysAtHand()
	for i := range s.Records {
		s.Records[i].verify(facts, atHand)
	}
	s.judge(facts)
	return s
}

// read reads a record with its key, and marks the reading of one that does not say itself what it is.
func read(signed Signed) Verdict {
	v := Verdict{Signed: signed}
	v.Record, v.Fault = Read(signed.Text)
	if v.Record == nil {
		return v
	}
	if v.sent = v.Record.embedded; strings.TrimSpace(signed.Key) != "" {
		v.sent, v.unreadable = parseKey(signed.Key, v.Record.curve, v.Record.keyForm)
	}
	if len(v.Record.Readings) == 1 && v.Record.Readings[0].Mark == Between {
		switch strings.ToLower(strings.TrimSpace(signed.Context)) {
		case "transaction.begin", "start":
			v.Record.Readings[0].Mark = Begin
		case "transaction.end", "end":
			v.Record.Readings[0].Mark = End
		}
	}
	return v
}

// maxOthers bounds the keys that are tried to tell whose a foreign signature is.
const maxOthers = 8

// keysAtHand are the different keys that came with the records or stand inside them.
func (s *Session) keysAtHand() []*Key {
	var keys []*Key
	for _, v := range s.Records {
		for _, k := range []*Key{v.sent, v.embedded()} {
			if k != nil && len(keys) < maxOthers && !slices.ContainsFunc(keys, k.Equal) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// verify finds the key that a record is signed with among those that count.
func (v *Verdict) verify(facts Facts, atHand []*Key) {
	if v.Fault != nil {
		return
	}
	var trusted, others []*Key
	if facts.AsSent && v.sent != nil {
		trusted = append(trusted, v.sent)
	}
	for _, k := range facts.Keys {
		if k.Meter == "" || sameSerial(k.Meter, v.Record.Meter) || sameSerial(k.Meter, v.Record.Gateway) {
			trusted = append(trusted, k.Key)
		} else if len(others) < maxOthers {
			others = append(others, k.Key)
		}
	}
	switch {
	case facts.AsSent && v.unreadable != nil:
		v.Fault = v.unreadable
		return
	case facts.AsSent && len(trusted) == 0:
		v.Fault = &Fault{KeyUnknown, "none came with the record"}
		return
	case len(trusted) == 0:
		v.Fault = &Fault{KeyUnknown, fmt.Sprintf("none for meter %.40q", v.Record.Meter)}
		return
	}
	for _, k := range trusted {
		if v.Record.VerifiedBy(k) {
			v.By, v.Fault = k, v.Record.refused
			if inside := v.embedded(); facts.AsSent && inside != nil && !inside.Equal(k) {
				v.Fault = &Fault{KeyOfAnotherDevice, "the key inside the record is another one than the key beside it"}
			}
			return
		}
	}
	v.Fault = v.mismatch(trusted, append(others, atHand...))
}

// mismatch says why none of the keys that count fits: the record may be changed, or the key be another device's. If another key
// at hand fits, or no key is of the record's curve, it is the key.
func (v *Verdict) mismatch(trusted, others []*Key) *Fault {
	for _, k := range others {
		if v.Record.VerifiedBy(k) {
			return &Fault{KeyOfAnotherDevice, "it is signed with the key " + k.Fingerprint()}
		}
	}
	if !slices.ContainsFunc(trusted, func(k *Key) bool { return k.curve == v.Record.curve }) {
		return &Fault{KeyOfAnotherDevice, fmt.Sprintf("the key is of %s, the record is signed on %s", trusted[0].curve.name, v.Record.curve.name)}
	}
	return &Fault{SignatureMismatch, fmt.Sprintf("%s, key %s", v.Record.curve.name, trusted[0].Fingerprint())}
}

func (v *Verdict) embedded() *Key {
	if v.Record == nil {
		return nil
	}
	return v.Record.embedded
}

// sameSerial compares serial numbers as people type them.
func sameSerial(a, b string) bool {
	plain := func(s string) string {
		return strings.TrimLeft(strings.ToUpper(strings.NewReplacer(" ", "", "-", "", ".", "").Replace(s)), "0")
	}
	return plain(a) != "" && plain(a) == plain(b)
}

func (s *Session) add(reason Reason, format string, args ...any) {
	s.fault(&Fault{reason, fmt.Sprintf(format, args...)})
}

// fault notes what is wrong, once.
func (s *Session) fault(f *Fault) {
	if !slices.ContainsFunc(s.Faults, func(known *Fault) bool { return *known == *f }) {
		s.Faults = append(s.Faults, f)
	}
}

// judge sets the good records side by side.
func (s *Session) judge(facts Facts) {
	if len(s.Records) == 0 {
		s.add(NotSignedData, "there is no record")
		return
	}
	var records []*Record // without repetitions
	seen := map[[32]byte]bool{}
	for _, v := range s.Records {
		if v.Fault != nil {
			s.fault(v.Fault)
		}
		if v.Record == nil || seen[v.Record.Hash()] {
			continue
		}
		seen[v.Record.Hash()] = true
		records = append(records, v.Record)
	}
	if len(records) == 0 {
		return
	}
	slices.SortStableFunc(records, func(a, b *Record) int { return int(a.firstPage() - b.firstPage()) })
	mark(records)
	s.together(records)
	begin, end, fault := span(records)
	s.Begin, s.End = begin, end
	if fault != nil {
		s.fault(fault)
		return
	}
	if begin.Readable && end.Readable {
		s.Energy = decimal.NewNullDecimal(end.Value.Sub(begin.Value))
	}
	if fault := billable(begin, end); fault != nil {
		s.fault(fault)
	}
	s.inOrder(records)
	s.between(records, begin)
	if facts.TimePriced && !durationProven(begin, end) {
		s.add(TimeUnsynchronised, "the clock was %s at begin and %s at end", begin.Sync, end.Sync)
	}
	s.billing(records, facts)
}

// together checks that the records are of one session of one device, and that none is missing between them.
func (s *Session) together(records []*Record) {
	first := records[0]
	for i, r := range records {
		switch {
		case r.Format != first.Format || !strings.EqualFold(r.Meter, first.Meter) || !strings.EqualFold(r.Gateway, first.Gateway):
			s.add(OtherMeter, "%s %s and %s %s", first.Meter, first.Gateway, r.Meter, r.Gateway)
		case r.Session != first.Session:
			s.add(OtherSession, "%s and %s", first.Session, r.Session)
		case !strings.EqualFold(r.ID, first.ID):
			s.add(IdentificationDiffers, "begin and end name different users")
		}
		if r.idError != "" {
			s.add(IdentificationFailed, "IL is %s", r.idError)
		}
		for _, event := range r.Events {
			if event != first.Events[0] {
				s.add(EventLogged, "%s and %s", first.Events[0], event)
			}
		}
		if i > 0 && len(records[i-1].Pages) > 0 && len(r.Pages) > 0 {
			last, next := records[i-1].Pages[len(records[i-1].Pages)-1], r.Pages[0]
			if next != last+1 || r.PageContext != records[i-1].PageContext {
				s.add(PaginationGap, "%s%d is followed by %s%d", records[i-1].PageContext, last, r.PageContext, next)
			}
		} else if i > 0 {
			s.add(PaginationGap, "a record has no number")
		}
		for j := 1; j < len(r.Pages); j++ {
			if r.Pages[j] != r.Pages[j-1]+1 {
				s.add(PaginationGap, "%s%d is followed by %s%d", r.PageContext, r.Pages[j-1], r.PageContext, r.Pages[j])
			}
		}
	}
}

func (r *Record) firstPage() int64 {
	if len(r.Pages) == 0 {
		return 0
	}
	return r.Pages[0]
}

// mark makes the first of several records without marks the begin and the last one the end: their order is signed.
func mark(records []*Record) {
	for _, r := range records {
		for _, reading := range r.Readings {
			if reading.Mark != Between {
				return
			}
		}
	}
	last := records[len(records)-1]
	if len(records) > 1 && len(records[0].Readings) == 1 && len(last.Readings) == 1 {
		records[0].Readings[0].Mark, last.Readings[0].Mark = Begin, End
	}
}

// span finds the readings at begin and end: of the register that both have and that tells best what reached the car.
func span(records []*Record) (begin, end Reading, fault *Fault) {
	var begins, ends []Reading
	marked := map[Mark]bool{}
	for _, r := range records {
		for _, reading := range r.Readings {
			if reading.Mark == Begin || reading.Mark == End {
				marked[reading.Mark] = true
			}
			if _, imports := reading.Register.rank(); !imports {
				continue
			}
			switch reading.Mark {
			case Begin:
				begins = append(begins, reading)
			case End:
				ends = append(ends, reading)
			}
		}
	}
	switch {
	case !marked[Begin]:
		return begin, end, &Fault{BeginMissing, "no reading is marked as the begin"}
	case !marked[End]:
		return begin, end, &Fault{EndMissing, "no reading is marked as the end"}
	case len(begins) == 0 || len(ends) == 0:
		return begin, end, &Fault{RegisterUnknown, "no register of energy that was taken"}
	}
	best := -1
	for i := range begins {
		has := func(e Reading) bool { return e.Register == begins[i].Register }
		if !slices.ContainsFunc(ends, has) {
			continue
		}
		if best < 0 || rankOf(begins[i]) < rankOf(begins[best]) {
			best = i
		}
	}
	if best < 0 {
		return begins[0], ends[0], &Fault{OtherOBIS, fmt.Sprintf("%s and %s", begins[0].Register, ends[0].Register)}
	}
	if begin, fault = only(begins, begins[best].Register, BeginTwice); fault != nil {
		return begin, end, fault
	}
	end, fault = only(ends, begin.Register, EndTwice)
	return begin, end, fault
}

func rankOf(r Reading) int {
	rank, _ := r.Register.rank()
	return rank
}

// only is the reading of a register. The same reading may stand in more than one record.
func only(readings []Reading, register OBIS, twice Reason) (Reading, *Fault) {
	var found *Reading
	for i := range readings {
		r := &readings[i]
		if r.Register != register {
			continue
		}
		if found != nil && (!r.Value.Equal(found.Value) || !r.At.Equal(found.At)) {
			return *found, &Fault{twice, fmt.Sprintf("%s kWh and %s kWh", found.Value, r.Value)}
		}
		found = r
	}
	return *found, nil
}

// billable checks begin and end as the transparency software does.
func billable(begin, end Reading) *Fault {
	switch {
	case begin.Fault != "":
		return &Fault{MeterErrorFlag, "at begin: " + begin.Fault}
	case end.Fault != "":
		return &Fault{MeterErrorFlag, "at end: " + end.Fault}
	case begin.Readable && end.Readable && begin.Value.GreaterThan(end.Value):
		return &Fault{RegisterBackwards, fmt.Sprintf("%s kWh, then %s kWh", begin.Value, end.Value)}
	case !begin.At.IsZero() && !end.At.IsZero() && begin.At.After(end.At):
		return &Fault{TimeBackwards, fmt.Sprintf("%s, then %s", begin.At, end.At)}
	case begin.Sync == 0 || begin.Sync == SyncRelative && end.Sync != SyncRelative:
		return &Fault{TimeUnsynchronised, "the state of the clock does not go on from begin to end"}
	}
	return nil
}

// inOrder checks that the device wrote the begin before the end. The records are in the order of its numbers.
func (s *Session) inOrder(records []*Record) {
	ended := -1
	for i, r := range records {
		for _, reading := range r.Readings {
			switch {
			case reading.Mark == End && ended < 0:
				ended = i
			case reading.Mark == Begin && ended >= 0 && i > ended && len(r.Pages) > 0:
				s.add(TimeBackwards, "the end is record %s, the begin %s", records[ended].Pagination(), r.Pagination())
				return
			}
		}
	}
}

// between checks what lies between begin and end, and the units.
func (s *Session) between(records []*Record, begin Reading) {
	if !s.Energy.Valid {
		s.add(UnitUnknown, "begin in %.20q, end in %.20q", s.Begin.Unit, s.End.Unit)
	}
	last := begin
	for _, r := range records {
		for _, reading := range r.Readings {
			if reading.Mark == Failed {
				s.add(MeterErrorFlag, "an error during the session (TX is X): energy and time are not usable from there on")
				return
			}
			if reading.Mark != Between || reading.Register != begin.Register || !reading.Readable {
				continue
			}
			if reading.Fault != "" {
				s.add(MeterErrorFlag, "during the session: %s", reading.Fault)
				return
			}
			if last.Readable && reading.Value.LessThan(last.Value) || s.End.Readable && reading.Value.GreaterThan(s.End.Value) {
				s.add(RegisterBackwards, "%s kWh, then %s kWh, at the end %s kWh", last.Value, reading.Value, s.End.Value)
				return
			}
			last = reading
		}
	}
}

// durationProven reports whether the time between two readings may be billed: the clock was set, or ran on from where it was.
func durationProven(begin, end Reading) bool {
	return begin.Sync == Synchronised && end.Sync == Synchronised ||
		end.Sync == SyncRelative && (begin.Sync == Synchronised || begin.Sync == SyncInformative || begin.Sync == SyncRelative)
}

func (s Sync) String() string {
	switch s {
	case Synchronised:
		return "synchronised"
	case SyncRelative:
		return "relative"
	case SyncInformative:
		return "informative"
	}
	return "unknown"
}

// billing checks that the records are of the session that is billed, and of no other.
func (s *Session) billing(records []*Record, facts Facts) {
	for _, r := range records {
		if r.ID != "" && !unnamed[r.IDType] && len(facts.Users) > 0 && !slices.ContainsFunc(facts.Users, func(u string) bool { return sameUser(u, r.ID) }) {
			s.add(IdentificationDiffers, "the record names a user who is not the contract's")
			break
		}
	}
	for _, r := range records {
		if facts.Billed != nil && facts.Billed(r.Hash()) {
			s.add(AlreadyBilled, "record %s%d", r.PageContext, r.firstPage())
			return
		}
	}
}

// unnamed are the types of identification that name neither a card nor a contract (OCMF specification, table 17): a start by the
// operator or by an app, a bank card, a car. In PCDF they are numbers.
var unnamed = map[string]bool{
	"NONE": true, "DENIED": true, "EVCCID": true, "ISO7812": true, "CARD_TXN_NR": true, "CENTRAL": true, "CENTRAL_1": true, "CENTRAL_2": true,
	"LOCAL": true, "LOCAL_1": true, "LOCAL_2": true, "PHONE_NUMBER": true, "KEY_CODE": true, "3": true, "4": true,
}

// sameUser compares an id of ours with what a device has written: the UID of a card also with its bytes in the other order or as
// the bytes of its text, a contract also without separators, and either inside a longer text such as "contract-id: rfid:1234abcd".
func sameUser(ours, theirs string) bool {
	plain := func(s string) string {
		return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "*", "", ":", "", ".", "").Replace(s))
	}
	a, b := plain(ours), plain(theirs)
	if a == "" || a == b {
		return a != "" && a == b
	}
	if len(a) < 8 { // too short to be found by chance in a longer text
		return false
	}
	return strings.Contains(b, a) || strings.Contains(b, strings.ToUpper(fmt.Sprintf("%x", ours))) || b == reversed(a)
}

// reversed is a hexadecimal text with its bytes in the other order: readers disagree about which byte of a UID comes first.
func reversed(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		return ""
	}
	slices.Reverse(b)
	return strings.ToUpper(hex.EncodeToString(b))
}

package ocpi

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Dialect is a version of OCPI as a connection speaks it. The types of this
// package are those of 2.2.1 and the only ones behind the doors; a door reads
// and writes messages of another version through its Dialect. The zero value,
// but for Version, is 2.2.1 itself: nothing is turned.
type Dialect struct {
	Version VersionNumber

	RawToken     bool // the credentials token is sent as it is, unless the partner shows otherwise (TRN-06)
	NoRouting    bool // no routing headers: a connection is between two parties
	NoMessageIDs bool // no X-Request-ID and no X-Correlation-ID
	NoTokenType  bool // the URL of a token does not say its type
	EMAIDTokens  bool // a contract may be asked for by its id, as a token of type EMAID that nobody pushes
	UndatedPatch bool // a PATCH may leave last_updated out and then counts from Origin.At
	PatchTariffs bool // tariffs have a PATCH

	OneParty        bool // credentials name one party: a connection serves one eMSP
	IntReservations bool // the id of a reservation is an integer of 32 bits
	NoPreferences   bool // sessions have no charging preferences

	Without         []ModuleID                // the modules that the version lacks
	WithoutCommands []CommandType             // and the commands
	Statuses        map[StatusCode]StatusCode // what is sent instead of the codes that it lacks
	Values          []string                  // of enumerations that OCPI 2.2.1 lacks: nothing to remark on

	Objects map[reflect.Type]Mapping // the objects that differ, by their type in this package
}

// VersionMember is the member of a Tariff that names the version of OCPI by
// whose rules it is to be priced, when these are not the rules of 2.2.1. It is
// for whoever prices; nobody outside sees it.
const VersionMember = "ocpi_version"

// Origin is what a message of another version does not say and its connection
// knows.
type Origin struct {
	Owner  Party     // of the objects that a partner pushes
	Tokens Party     // the eMSP whose tokens they are for; zero: not said
	Role   Role      // of the partner
	At     time.Time // when the message came
}

// Has reports whether the version has the module.
func (d *Dialect) Has(m ModuleID) bool { return !slices.Contains(d.Without, m) }

// HasCommand reports whether the version has the command.
func (d *Dialect) HasCommand(t CommandType) bool { return !slices.Contains(d.WithoutCommands, t) }

// Status returns the status code to send for c.
func (d *Dialect) Status(c StatusCode) StatusCode {
	if instead, lacking := d.Statuses[c]; lacking {
		return instead
	}
	return c
}

// Read turns a message into the document of OCPI 2.2.1 that says the same; v
// has, or points to, the type of the object, or is a list of such. Members
// that neither version knows stay, and null stays null. The findings are notes
// of what OCPI 2.2.1 cannot say. They and the error, an *Error, speak of
// members as the message names them.
func (d *Dialect) Read(message []byte, v any, from Origin) ([]byte, Findings, error) {
	return d.read(message, v, &Passage{Origin: from})
}

// ReadPatch is Read for the body of a PATCH: what it leaves out stays out.
func (d *Dialect) ReadPatch(message []byte, v any, from Origin) ([]byte, Findings, error) {
	patch, notes, err := d.read(message, v, &Passage{Origin: from, patch: true})
	if err != nil || !d.UndatedPatch || jsontext.Value(patch).Kind() != jsontext.KindBeginObject {
		return patch, notes, err
	}
	members := membersOf(patch)
	if at, _ := valueAt(members, "last_updated"); isNull(at) {
		at = append(appendDateTime([]byte{'"'}, from.At), '"')
		patch = objectOf(putAt(members, "last_updated", at))
	}
	return patch, notes, nil
}

func (d *Dialect) read(message []byte, v any, p *Passage) ([]byte, Findings, error) {
	mapping := d.mapping(v)
	if mapping == nil && !p.patch {
		return message, nil, nil
	}
	var value jsontext.Value
	if err := Unmarshal(message, &value); err != nil { // membersOf needs JSON without duplicate names
		return nil, nil, err
	}
	document, err := mapping.read(value, p)
	return document, p.notes, err
}

// Decode reads a message into v.
func (d *Dialect) Decode(message []byte, v any, from Origin, decode Decoder) (Findings, error) {
	document, notes, err := d.Read(message, v, from)
	if err != nil {
		return nil, err
	}
	return notes, d.Explain(decode(document, v), v)
}

// Write turns a document of OCPI 2.2.1 into a message; v is as in Read. The
// error says that the version has no way to say it.
func (d *Dialect) Write(document []byte, v any) ([]byte, error) {
	mapping := d.mapping(v)
	if mapping == nil {
		return document, nil
	}
	return mapping.write(document)
}

// Explain returns an error about a document in the names of the message that
// it was read from. Every other error is returned as it is.
func (d *Dialect) Explain(err error, v any) error {
	mapping := d.mapping(v)
	var refused *Error
	if mapping == nil || !errors.As(err, &refused) || len(refused.Findings) == 0 {
		return err
	}
	return invalid(mapping.explain(refused.Findings), refused.Err)
}

// ExplainFindings returns findings about a document in the names of the
// message that it was read from, without those that are none in its version.
func (d *Dialect) ExplainFindings(findings Findings, v any) Findings {
	return d.mapping(v).explain(slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool {
		return f.Severity == Note && f.Rule == ruleKnownValue && slices.Contains(d.Values, f.Value)
	}))
}

// mapping returns the mapping of an object or of the objects of a list, nil
// when there is nothing to turn.
func (d *Dialect) mapping(v any) Mapping {
	t := reflect.TypeOf(v)
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	return d.Objects[t]
}

// A Passage is an object on its way from another version to OCPI 2.2.1, or
// back.
type Passage struct {
	Origin
	members []member
	at      string // path of the value in the other version
	patch   bool
	notes   Findings
}

// Member returns the value of a member of the object as it stands, nil when it
// has none.
func (p *Passage) Member(path string) jsontext.Value {
	value, _ := valueAt(p.members, path)
	return value
}

// Note adds a note about the value.
func (p *Passage) Note(rule string, value jsontext.Value) {
	p.notes = append(p.notes, Finding{Severity: Note, Path: p.at, Rule: rule, Value: shorten(compact(value))})
}

// Refuse returns the *Error that the value breaks the rule.
func (p *Passage) Refuse(rule string, value jsontext.Value) error {
	if secret(p.at) {
		value = nil
	}
	return InvalidParameter(p.at, rule, compact(value))
}

// child returns the passage of what is at the path.
func (p *Passage) child(path string) *Passage {
	if p.at != "" {
		path = joinPath(p.at, path)
	}
	return &Passage{Origin: p.Origin, at: path}
}

// compact writes a value without white space.
func compact(value jsontext.Value) string {
	value = value.Clone()
	if value != nil && value.Compact() != nil {
		return ""
	}
	return string(value)
}

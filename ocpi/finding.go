package ocpi

import "strconv"

// Severity tells what a Finding means for the message.
type Severity uint8

const (
	// Reject means that the message cannot be accepted.
	Reject Severity = iota
	// Note means a deviation that is tolerated, to be reported to the partner.
	Note
)

func (s Severity) String() string {
	if s == Note {
		return "note"
	}
	return "reject"
}

// Finding is one rule that one field of a message breaks.
type Finding struct {
	Severity Severity
	Path     string // charging_periods[3].dimensions[0].volume
	Rule     string // "required", "at most 36 characters"
	Value    string // what was there, shortened; empty for a missing or secret value
	Quirk    Quirk  // of a note: the tolerance that took it, if that is a setting
}

func (f Finding) String() string {
	s := f.Path + ": " + f.Rule
	if f.Path == "" {
		s = f.Rule
	}
	if f.Value != "" {
		s += ", got " + strconv.Quote(f.Value)
	}
	return s
}

// Findings is the outcome of a validation, in the order of the fields.
type Findings []Finding

// Err returns an *Error (HTTP 200, code 2001) that names the first rejects,
// or nil when there is none.
func (fs Findings) Err() error {
	rejects := fs.with(Reject)
	if len(rejects) == 0 {
		return nil
	}
	return invalid(rejects, nil)
}

// Notes returns the findings that are tolerated.
func (fs Findings) Notes() Findings { return fs.with(Note) }

func (fs Findings) with(severity Severity) Findings {
	var selected Findings
	for _, f := range fs {
		if f.Severity == severity {
			selected = append(selected, f)
		}
	}
	return selected
}

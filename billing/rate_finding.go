package billing

// Severity says what a finding means for the CDR that it was made on.
type Severity string

// The severities, in rising order.
const (
	Info  Severity = "info"  // worth knowing, changes nothing
	Flag  Severity = "flag"  // a person should look, billing goes on
	Block Severity = "block" // the figure must not be billed before a person has looked
)

// Finding is something remarkable about a tariff, a CDR or a price. Code is stable and is what programs look at; Message is
// English prose for a person; Params hold the values that the message mentions.
type Finding struct {
	Code     string
	Severity Severity
	Path     string // of the field, from the root of the document: "charging_periods[3].start_date_time"
	Message  string
	Params   map[string]string
}

// Worst returns the highest severity among findings, Info if there are none.
func Worst(findings []Finding) Severity {
	worst := Info
	for _, f := range findings {
		if f.Severity == Block {
			return Block
		}
		if f.Severity == Flag {
			worst = Flag
		}
	}
	return worst
}

func (r *rater) find(code string, severity Severity, path, message string) {
	r.findings = append(r.findings, Finding{Code: code, Severity: severity, Path: path, Message: message})
}

// found reports whether something has been said already that would otherwise be said in every period.
func (r *rater) found(code string) bool {
	for i := range r.findings {
		if r.findings[i].Code == code {
			return true
		}
	}
	return false
}

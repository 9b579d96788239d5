package ocpi

import "strconv"

// FillUIDs gives each EVSE without a uid one: its id, which some partners call
// it, or its evse_id. The notes say where.
func (l *Location) FillUIDs() Findings {
	var notes Findings
	for i := range l.EVSEs {
		if l.EVSEs[i].FillUID() {
			notes = append(notes, filled("evses["+strconv.Itoa(i)+"].uid", string(l.EVSEs[i].UID), QuirkEVSEWithoutUID))
		}
	}
	return notes
}

// FillUID is FillUIDs for one EVSE; it reports whether there was something to
// fill in.
func (e *EVSE) FillUID() bool {
	if e.UID != "" {
		return false
	}
	e.UID = e.EVSEID
	var extra struct {
		ID CiString `json:"id"`
	}
	if Unmarshal(e.Extra, &extra) == nil && extra.ID != "" {
		e.UID = extra.ID
	}
	return e.UID != ""
}

func filled(path, value string, quirk Quirk) Finding {
	return Finding{Severity: Note, Path: path, Rule: ruleRequired, Value: shorten(value), Quirk: quirk}
}

package ocpi

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Patch returns the Location with the patch applied. EVSEs and connectors
// that the patch lists are patched themselves, matched by uid and id; unknown
// ones are added when they are complete; those it does not list stay
// (LOC-18). The receiver is left as it is. The error for a wrong patch is an
// *Error.
func (l *Location) Patch(patch []byte, decode Decoder) (*Location, error) {
	var p Location
	if err := decode(patch, &p); err != nil {
		return nil, err
	}
	members := membersOf(patch)
	err := checkPatch(members, p.LastUpdated,
		identity{"country_code", l.CountryCode, p.CountryCode},
		identity{"party_id", l.PartyID, p.PartyID},
		identity{"id", l.ID, p.ID})
	if err != nil {
		return nil, err
	}
	shell := *l
	shell.EVSEs = nil
	merged, err := patched(&shell, without(members, "country_code", "party_id", "id", "evses"), decode)
	if err != nil {
		return nil, err
	}
	merged.EVSEs = slices.Clone(l.EVSEs)
	for i, child := range items(members, "evses") {
		if err := merged.mergeEVSE(child, &p.EVSEs[i], p.LastUpdated, decode); err != nil {
			return nil, within("evses", i, err)
		}
	}
	return merged, merged.Validate().Err()
}

// PatchEVSE returns the Location with the patch applied to the EVSE with the
// uid. Its last_updated becomes the Location's unless that is later (LOC-04).
// An unknown uid is a NotFound with code 2003 (LOC-05).
func (l *Location) PatchEVSE(uid CiString, patch []byte, decode Decoder) (*Location, error) {
	old := l.EVSE(uid)
	if old == nil {
		return nil, unknownEVSE(uid)
	}
	merged, err := old.patch(patch, decode)
	if err != nil {
		return nil, err
	}
	return l.PutEVSE(merged), merged.Validate().Err()
}

// PatchConnector returns the Location with the patch applied to a connector.
// Its last_updated becomes that of the EVSE and of the Location unless theirs
// is later (LOC-04). An unknown uid or id is a NotFound with code 2003.
func (l *Location) PatchConnector(uid, id CiString, patch []byte, decode Decoder) (*Location, error) {
	evse := l.EVSE(uid)
	if evse == nil {
		return nil, unknownEVSE(uid)
	}
	old := evse.Connector(id)
	if old == nil {
		return nil, NotFound(StatusUnknownLocation, "connector "+shorten(string(id))+" is not known")
	}
	merged, err := old.patch(patch, decode)
	if err != nil {
		return nil, err
	}
	located, err := l.PutConnector(uid, merged)
	if err != nil {
		return nil, err
	}
	return located, merged.Validate().Err()
}

// PutEVSE returns the Location with the EVSE added, or put in the place of
// the one with the same uid (LOC-02).
func (l *Location) PutEVSE(e *EVSE) *Location {
	changed := *l
	changed.EVSEs = slices.Clone(l.EVSEs)
	if old := changed.EVSE(e.UID); old != nil {
		*old = *e
	} else {
		changed.EVSEs = append(changed.EVSEs, *e)
	}
	changed.LastUpdated = later(l.LastUpdated, e.LastUpdated)
	return &changed
}

// PutConnector returns the Location with the connector added to the EVSE with
// the uid, or put in the place of the one with the same id (LOC-03). An
// unknown uid is a NotFound with code 2003 (LOC-05).
func (l *Location) PutConnector(uid CiString, k *Connector) (*Location, error) {
	old := l.EVSE(uid)
	if old == nil {
		return nil, unknownEVSE(uid)
	}
	evse := *old
	evse.Connectors = slices.Clone(old.Connectors)
	if connector := evse.Connector(k.ID); connector != nil {
		*connector = *k
	} else {
		evse.Connectors = append(evse.Connectors, *k)
	}
	evse.LastUpdated = later(old.LastUpdated, k.LastUpdated)
	return l.PutEVSE(&evse), nil
}

// Replace returns the Location to store when next is put in the place of l:
// next, and those EVSEs of l that it no longer has, with the status REMOVED,
// because sessions and CDRs still refer to them (LOC-06). An EVSE that changed
// after next was written stays as it is: next was overtaken on its way (OWN-14).
func (l *Location) Replace(next *Location) *Location {
	replaced := *next
	replaced.EVSEs = slices.Clone(next.EVSEs)
	for _, old := range l.EVSEs {
		at := slices.IndexFunc(replaced.EVSEs, func(e EVSE) bool { return e.UID.Equal(old.UID) })
		switch {
		case at >= 0:
			if old.LastUpdated.After(next.LastUpdated) {
				replaced.EVSEs[at] = old
			}
		case old.Status == EVSERemoved, old.LastUpdated.After(next.LastUpdated):
			replaced.EVSEs = append(replaced.EVSEs, old)
		default:
			old.Status = EVSERemoved
			old.LastUpdated = next.LastUpdated
			replaced.EVSEs = append(replaced.EVSEs, old)
		}
		replaced.LastUpdated = later(replaced.LastUpdated, old.LastUpdated)
	}
	return &replaced
}

// mergeEVSE applies one item of the list evses of a patch, given as members
// and decoded. An item that does not say when it was changed was changed when
// the Location was.
func (l *Location) mergeEVSE(item []byte, p *EVSE, changed time.Time, decode Decoder) error {
	if p.UID == "" {
		return InvalidParameter("uid", ruleRequired, "")
	}
	old := l.EVSE(p.UID)
	if old == nil {
		l.EVSEs = append(l.EVSEs, *p)
		return p.Validate().Err()
	}
	merged, err := old.patch(dated(item, p.LastUpdated, changed), decode)
	if err != nil {
		return err
	}
	*old = *merged
	return nil
}

func (e *EVSE) patch(patch []byte, decode Decoder) (*EVSE, error) {
	var p EVSE
	if err := decode(patch, &p); err != nil {
		return nil, err
	}
	members := membersOf(patch)
	if err := checkPatch(members, p.LastUpdated, identity{"uid", e.UID, p.UID}); err != nil {
		return nil, err
	}
	if i := indexOf(members, "connectors"); i >= 0 && members[i].value.Kind() == jsontext.KindNull {
		return nil, InvalidParameter("connectors", ruleRequired, "")
	}
	shell := *e
	shell.Connectors = nil
	merged, err := patched(&shell, without(members, "uid", "connectors"), decode)
	if err != nil {
		return nil, err
	}
	merged.Connectors = slices.Clone(e.Connectors)
	for i, child := range items(members, "connectors") {
		if err := merged.mergeConnector(child, &p.Connectors[i], p.LastUpdated, decode); err != nil {
			return nil, within("connectors", i, err)
		}
	}
	return merged, nil
}

func (e *EVSE) mergeConnector(item []byte, p *Connector, changed time.Time, decode Decoder) error {
	if p.ID == "" {
		return InvalidParameter("id", ruleRequired, "")
	}
	old := e.Connector(p.ID)
	if old == nil {
		e.Connectors = append(e.Connectors, *p)
		return p.Validate().Err()
	}
	merged, err := old.patch(dated(item, p.LastUpdated, changed), decode)
	if err != nil {
		return err
	}
	*old = *merged
	return nil
}

func (k *Connector) patch(patch []byte, decode Decoder) (*Connector, error) {
	var p Connector
	if err := decode(patch, &p); err != nil {
		return nil, err
	}
	members := membersOf(patch)
	if err := checkPatch(members, p.LastUpdated, identity{"id", k.ID, p.ID}); err != nil {
		return nil, err
	}
	return patched(k, without(members, "id"), decode)
}

// dated returns the item with last_updated set, if it has none of its own.
func dated(item []byte, own, changed time.Time) []byte {
	if !own.IsZero() {
		return item
	}
	value := append(appendDateTime([]byte{'"'}, changed), '"')
	return objectOf(append(without(membersOf(item), "last_updated"), member{"last_updated", value}))
}

// within puts a list item in front of the paths of an error.
func within(list string, index int, err error) error {
	var refused *Error
	if !errors.As(err, &refused) || len(refused.Findings) == 0 {
		return err
	}
	moved := slices.Clone(refused.Findings)
	for i := range moved {
		moved[i].Path = joinPath(list+"["+strconv.Itoa(index)+"]", moved[i].Path)
	}
	return invalid(moved, refused.Err)
}

func joinPath(outer, inner string) string {
	if inner == "" {
		return outer
	}
	return outer + "." + inner
}

func unknownEVSE(uid CiString) error {
	return NotFound(StatusUnknownLocation, "EVSE "+shorten(string(uid))+" is not known")
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

package ocpi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Mapping lists in what an object of another version differs from that of
// OCPI 2.2.1. Everything else is the same in both and goes through.
type Mapping []Difference

// Difference is a member that is named, placed or written otherwise. Paths are
// names with dots; [0] behind a name is the first item of that list.
type Difference struct {
	Ours   string // path in OCPI 2.2.1
	Theirs string // path in the other version; empty: it has no such member
	Keep   bool   // the member at Theirs stays, as an unknown one; so does one with a longer path

	Each Mapping // of the object there, or of each object of the list

	// In and Out turn the value, which is not null; nil means that it is the
	// same. A nil result is no value.
	In, Out func(jsontext.Value, *Passage) (jsontext.Value, error)

	// Given is the value when the message has none. In a PATCH nothing is
	// given to the object itself but for null: what is absent there stays.
	Given func(Origin) jsontext.Value

	Due  bool           // the other version requires it and OCPI 2.2.1 does not
	Owed jsontext.Value // what it gets when OCPI 2.2.1 does not say it
}

// read turns an object, or each item of a list, into OCPI 2.2.1.
func (m Mapping) read(value jsontext.Value, p *Passage) (jsontext.Value, error) {
	switch value.Kind() {
	case jsontext.KindBeginArray:
		return eachItem(value, func(i int, item jsontext.Value) (jsontext.Value, error) {
			q := &Passage{Origin: p.Origin, at: p.at + "[" + strconv.Itoa(i) + "]", patch: p.patch}
			read, err := m.read(item, q)
			p.notes = append(p.notes, q.notes...)
			return read, err
		})
	case jsontext.KindBeginObject:
		p.members = membersOf(value)
		for i := range m {
			if err := m[i].read(p); err != nil {
				return nil, err
			}
		}
		return objectOf(p.members), nil
	}
	return value, nil
}

func (d *Difference) read(p *Passage) error {
	value, stated := valueAt(p.members, d.Theirs)
	if d.Due && isNull(value) && !p.patch {
		p.notes = append(p.notes, Finding{Severity: Note, Path: p.child(d.Theirs).at, Rule: ruleRequired})
	}
	if !isNull(value) {
		read, err := d.turn(value, p)
		if err != nil {
			return err
		}
		value = read
	}
	if stated && !d.kept() {
		p.members = without(p.members, d.Theirs)
	}
	ours, present := valueAt(p.members, d.Ours)
	if value != nil && (!isNull(value) || isNull(ours)) {
		p.members = putAt(p.members, d.Ours, value)
		ours, present = value, true
	}
	if d.Given != nil && isNull(ours) && (present || !p.patch) {
		if given := d.Given(p.Origin); given != nil {
			p.members = putAt(p.members, d.Ours, given)
		}
	}
	return nil
}

// turn turns a value of theirs. What is inside of it comes as a whole, even in
// a PATCH.
func (d *Difference) turn(value jsontext.Value, p *Passage) (jsontext.Value, error) {
	q := p.child(d.Theirs)
	defer func() { p.notes = append(p.notes, q.notes...) }()
	if d.Each != nil {
		return d.Each.read(value, q)
	}
	if d.In == nil {
		return value, nil
	}
	q.members = p.members
	return d.In(value, q)
}

func (d *Difference) kept() bool {
	return d.Keep || d.Theirs == d.Ours || strings.ContainsAny(d.Theirs, ".[")
}

// write turns a document of OCPI 2.2.1, or each item of a list.
func (m Mapping) write(document jsontext.Value) (jsontext.Value, error) {
	switch document.Kind() {
	case jsontext.KindBeginArray:
		return eachItem(document, func(_ int, item jsontext.Value) (jsontext.Value, error) { return m.write(item) })
	case jsontext.KindBeginObject:
		ours := membersOf(document)
		theirs := ours
		for i := range m {
			theirs = without(theirs, root(m[i].Ours))
		}
		for i := range m {
			var err error
			if theirs, err = m[i].write(ours, theirs); err != nil {
				return nil, err
			}
		}
		return objectOf(theirs), nil
	}
	return document, nil
}

// write adds to theirs what the difference makes of ours.
func (d *Difference) write(ours, theirs []member) ([]member, error) {
	value, _ := valueAt(ours, d.Ours)
	if !isNull(value) {
		var err error
		switch {
		case d.Each != nil:
			value, err = d.Each.write(value)
		case d.Out != nil:
			value, err = d.Out(value, &Passage{members: ours})
		}
		if err != nil {
			return nil, err
		}
	}
	if isNull(value) && d.Owed != nil {
		value = d.Owed
	}
	keptThere := d.kept() && d.Theirs != d.Ours && indexOf(ours, root(d.Theirs)) >= 0
	if value == nil || d.Theirs == "" || keptThere {
		return theirs, nil
	}
	return putAt(theirs, d.Theirs, value), nil
}

// explain returns findings with the paths of the other version. Where several
// members are made of one, the same finding about each is one about that.
func (m Mapping) explain(findings Findings) Findings {
	moved := slices.Clone(findings)
	for i := range moved {
		moved[i].Path = m.path(moved[i].Path)
	}
	return slices.Compact(moved)
}

// path returns where in the other version the value at a path is from.
func (m Mapping) path(ours string) string {
	var nearest *Difference
	for i := range m {
		d := &m[i]
		rest, within := strings.CutPrefix(ours, d.Ours)
		if !within || rest != "" && rest[0] != '.' && rest[0] != '[' || d.Theirs == "" {
			continue
		}
		if nearest == nil || len(d.Ours) > len(nearest.Ours) {
			nearest = d
		}
	}
	if nearest == nil {
		return ours
	}
	rest := ours[len(nearest.Ours):]
	switch {
	case nearest.Each != nil:
		index, inner, _ := strings.Cut(rest, ".")
		return joinPath(nearest.Theirs+index, nearest.Each.path(inner))
	case nearest.In != nil: // one value of theirs became what is inside
		return nearest.Theirs
	}
	return nearest.Theirs + rest
}

func isNull(value jsontext.Value) bool {
	return value == nil || value.Kind() == jsontext.KindNull
}

// eachItem turns the items of a list that is known to be valid JSON.
func eachItem(list jsontext.Value, turn func(i int, item jsontext.Value) (jsontext.Value, error)) (jsontext.Value, error) {
	turned := jsontext.Value{'['}
	for i, item := range itemsOf(list) {
		item, err := turn(i, item)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			turned = append(turned, ',')
		}
		turned = append(turned, item...)
	}
	return append(turned, ']'), nil
}

// step splits a path behind its first name and says whether that stands for
// the first item of a list.
func step(path string) (name string, first bool, rest string) {
	name, rest, _ = strings.Cut(path, ".")
	name, first = strings.CutSuffix(name, "[0]")
	return name, first, rest
}

func root(path string) string {
	name, _, _ := step(path)
	return name
}

// valueAt returns the value at a path, and false when there is none. What is
// inside of null is null.
func valueAt(members []member, path string) (jsontext.Value, bool) {
	name, first, rest := step(path)
	i := indexOf(members, name)
	if path == "" || i < 0 {
		return nil, false
	}
	value := members[i].value
	if first && !isNull(value) {
		list := items(members, name)
		if len(list) == 0 {
			return nil, false
		}
		value = list[0]
	}
	switch {
	case rest == "" || isNull(value):
		return value, true
	case value.Kind() != jsontext.KindBeginObject:
		return nil, false
	}
	return valueAt(membersOf(value), rest)
}

// putAt returns the members with a value at a path, in the place of what was
// there. Objects and lists on the way are made.
func putAt(members []member, path string, value jsontext.Value) []member {
	name, first, rest := step(path)
	var list []jsontext.Value
	if first {
		list = items(members, name)
	}
	if rest != "" {
		inner := jsontext.Value(nil)
		if i := indexOf(members, name); first && len(list) > 0 {
			inner = list[0]
		} else if !first && i >= 0 {
			inner = members[i].value
		}
		value = objectOf(putAt(membersOf(inner), rest, value))
	}
	if first {
		items := jsontext.Value{'['}
		items = append(items, value...)
		for i := 1; i < len(list); i++ {
			items = append(items, ',')
			items = append(items, list[i]...)
		}
		items = append(items, ']')
		value = items
	}
	members = slices.Clone(members)
	if i := indexOf(members, name); i >= 0 {
		members[i].value = value
		return members
	}
	return append(members, member{name, value})
}

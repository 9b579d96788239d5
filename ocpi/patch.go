package ocpi

import (
	"bytes"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Decoder reads a message: Unmarshal, or UnmarshalLenient for a partner
// that needs it.
type Decoder func(b []byte, v any) error

// The PATCH of OCPI, for every object the same (OWN-08 to OWN-11): members
// that are not named stay, those that are named replace the old value as a
// whole, null removes; last_updated is required; what identifies the object
// cannot change; and the result must be a valid object again. The exceptions
// are the lists of a Location, an EVSE and a Session.

// A member is one name of a JSON object with its value.
type member struct {
	name  string
	value jsontext.Value
}

// membersOf splits an object that is known to be valid JSON.
func membersOf(object []byte) []member {
	var members []member
	dec := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	for dec.PeekKind() == jsontext.KindString {
		name, err := dec.ReadToken()
		if err != nil {
			return nil
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return nil
		}
		members = append(members, member{name: key, value: value.Clone()})
	}
	return members
}

// indexOf returns the index of the member with the name, or -1.
func indexOf(members []member, name string) int {
	return slices.IndexFunc(members, func(m member) bool { return m.name == name })
}

// items returns the items of the list among members that has the name.
func items(members []member, name string) []jsontext.Value {
	i := indexOf(members, name)
	if i < 0 {
		return nil
	}
	return itemsOf(members[i].value)
}

// itemsOf splits a list that is known to be valid JSON; anything else has no
// items.
func itemsOf(list jsontext.Value) []jsontext.Value {
	dec := jsontext.NewDecoder(bytes.NewReader(list))
	if token, err := dec.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginArray {
		return nil
	}
	var all []jsontext.Value
	for dec.PeekKind() != jsontext.KindEndArray {
		value, err := dec.ReadValue()
		if err != nil {
			return nil
		}
		all = append(all, value.Clone())
	}
	return all
}

// merge returns the members of an object with those of a patch put in, and
// those taken out that the patch sets to null.
func merge(object, patch []member) []member {
	at := make(map[string]int, len(object))
	for i, m := range object {
		at[m.name] = i
	}
	for _, m := range patch {
		if i, named := at[m.name]; named {
			object[i].value = m.value
		} else {
			object = append(object, m)
		}
	}
	return slices.DeleteFunc(object, func(m member) bool { return m.value.Kind() == jsontext.KindNull })
}

// objectOf writes members as a JSON object.
func objectOf(members []member) []byte {
	b := []byte{'{'}
	for _, m := range members {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, m.name)
		b = append(b, ':')
		b = append(b, m.value...)
	}
	return append(b, '}')
}

// identity is a member that a PATCH may repeat but not change.
type identity struct {
	name     string
	old, new CiString
}

// checkPatch checks what every patch must observe. The members are those that
// the patch really has: a type that was decoded cannot tell null from absent.
func checkPatch(members []member, lastUpdated time.Time, identities ...identity) error {
	if lastUpdated.IsZero() {
		return InvalidParameter("last_updated", ruleRequired, "")
	}
	for _, id := range identities {
		if indexOf(members, id.name) >= 0 && !id.new.Equal(id.old) {
			return InvalidParameter(id.name, "cannot be changed", string(id.new))
		}
	}
	return nil
}

// without returns the members except those named: identities, whose stored
// spelling stays, and lists that are merged in their own way.
func without(members []member, names ...string) []member {
	return slices.DeleteFunc(slices.Clone(members), func(m member) bool {
		return slices.Contains(names, m.name)
	})
}

// patched returns a new T: old with the members put in.
func patched[T any](old *T, members []member, decode Decoder) (*T, error) {
	object, err := Marshal(old)
	if err != nil {
		return nil, err
	}
	merged := new(T)
	if err := decode(objectOf(merge(membersOf(object), members)), merged); err != nil {
		return nil, err
	}
	return merged, nil
}

// Patch returns the token with the patch applied (TOK-09). The receiver is
// left as it is. The error for a wrong patch is an *Error.
func (t *Token) Patch(patch []byte, decode Decoder) (*Token, error) {
	var p Token
	if err := decode(patch, &p); err != nil {
		return nil, err
	}
	members := membersOf(patch)
	err := checkPatch(members, p.LastUpdated,
		identity{"country_code", t.CountryCode, p.CountryCode},
		identity{"party_id", t.PartyID, p.PartyID},
		identity{"uid", t.UID, p.UID},
		identity{"type", CiString(t.Type), CiString(p.Type)})
	if err != nil {
		return nil, err
	}
	merged, err := patched(t, without(members, "country_code", "party_id", "uid", "type"), decode)
	if err != nil {
		return nil, err
	}
	return merged, merged.Validate().Err()
}

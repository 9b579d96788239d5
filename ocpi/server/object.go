package server

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// objectKey names an object for the lock of its writers.
func objectKey(kind string, owner ocpi.Party, id ocpi.CiString) string {
	return kind + "/" + owner.Fold().String() + "/" + id.Fold()
}

// decodeStored reads a document that we have written.
func decodeStored[T any](doc []byte) (*T, error) {
	v := new(T)
	if err := ocpi.Unmarshal(doc, v); err != nil {
		// Not the caller's fault, so it must not become an answer: no %w.
		return nil, fmt.Errorf("decode stored %T: %v", v, err) //nolint:errorlint // see above
	}
	return v, nil
}

// stale reports whether a patch is older than what it would change: then it is acknowledged and not used (OWN-14).
func (c *call) stale(patch []byte, stored time.Time) (bool, error) {
	var p struct {
		LastUpdated time.Time `json:"last_updated"`
	}
	err := c.decode(patch, &p)
	return err == nil && !p.LastUpdated.IsZero() && p.LastUpdated.Before(stored), err
}

// same reports whether two objects say the same, whatever the order of their names, the form of their numbers and whether
// they write null or nothing (CDR-07).
func same(a, b any) (bool, error) {
	x, err := normal(a)
	if err != nil {
		return false, err
	}
	y, err := normal(b)
	return string(x) == string(y), err
}

func normal(v any) (jsontext.Value, error) {
	b, err := ocpi.Marshal(v)
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(b)
	err = value.Format(jsontext.ReorderRawObjects(true))
	return value, err
}

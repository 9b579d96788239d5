package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

func readInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(name)
}

// filesIn returns the files, and for each folder among them the files in it whose names end so, hidden ones left out. What
// cannot be looked into stays, for whoever reads it to complain about.
func filesIn(names []string, ending string) []string {
	var files []string
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			files = append(files, name)
			continue
		}
		found := len(files)
		_ = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			hidden := path != name && strings.HasPrefix(filepath.Base(path), ".")
			switch {
			case err != nil:
				files = append(files, path)
			case hidden && entry.IsDir():
				return fs.SkipDir
			case !hidden && !entry.IsDir() && strings.HasSuffix(path, ending):
				files = append(files, path)
			}
			return nil
		})
		if len(files) == found {
			files = append(files, name)
		}
	}
	return files
}

// documents returns the objects in a text: one or several after another, in lists, or as the data of OCPI answers. With an
// error come those before it.
func documents(text []byte) ([]jsontext.Value, error) {
	var found []jsontext.Value
	dec := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))), jsontext.AllowDuplicateNames(true))
	for {
		value, err := dec.ReadValue()
		if errors.Is(err, io.EOF) && len(found) > 0 {
			return found, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, errors.New("holds no JSON object")
		}
		if err != nil {
			return found, err
		}
		found = append(found, unpack(value.Clone())...)
	}
}

// unpack opens lists and envelopes, however deep they are in each other. An envelope is what has data and nothing of a CDR
// or a tariff: some partners leave out its status_code.
func unpack(value jsontext.Value) []jsontext.Value {
	var envelope struct {
		documentShape
		Data jsontext.Value `json:"data"`
	}
	var list, found []jsontext.Value
	switch kind := value.Kind(); {
	case kind == jsontext.KindBeginArray && unmarshalTwice(value, &list) == nil:
		for _, item := range list {
			found = append(found, unpack(item)...)
		}
		return found
	case kind == jsontext.KindBeginObject && unmarshalTwice(value, &envelope) == nil:
		inside := envelope.Data.Kind()
		if envelope.Elements == nil && envelope.Periods == nil && (inside == jsontext.KindBeginObject || inside == jsontext.KindBeginArray) {
			return unpack(envelope.Data)
		}
	}
	return []jsontext.Value{value}
}

// unmarshalTwice reads JSON in which a name may stand twice: the last one counts.
func unmarshalTwice(value jsontext.Value, into any) error {
	return json.Unmarshal(value, into, jsontext.AllowDuplicateNames(true))
}

func readTariffs(name string) ([]ocpi.Tariff, []billing.Finding, error) {
	text, err := readInput(name)
	if err != nil {
		return nil, nil, err
	}
	docs, err := documents(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	var tariffs []ocpi.Tariff
	var findings []billing.Finding
	for _, doc := range docs {
		for _, doc := range tariffsIn(doc) {
			tariff, found, err := readTariff(doc)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
			tariffs, findings = append(tariffs, tariff), append(findings, found...)
		}
	}
	return tariffs, findings, nil
}

// readTariff reads a tariff of any version of OCPI.
func readTariff(doc jsontext.Value) (ocpi.Tariff, []billing.Finding, error) {
	var tariff ocpi.Tariff
	shape, err := shapeOf(doc)
	switch {
	case err != nil:
	case shape.Elements == nil:
		err = errors.New("is no tariff: it has no elements")
	case shape.Elements.Kind() != jsontext.KindBeginArray:
		err = fmt.Errorf("elements: must be a list, got %.40s", shape.Elements)
	}
	if err != nil {
		return tariff, nil, err
	}
	ours, findings, err := in230(doc, &tariff)
	if err != nil {
		return tariff, nil, err
	}
	found, err := readObject(ours, &tariff, nil)
	return tariff, append(findings, found...), err
}

// needless are the members of a CDR that no price depends on.
var needless = []string{
	"cdr_token", "auth_method", "authorization_reference", "cdr_location", "meter_id", "signed_data", "remark",
	"invoice_reference_id", "credit_reference_id", "home_charging_compensation", "last_updated",
	"total_cost", "total_fixed_cost", "total_energy", "total_energy_cost", "total_time", "total_time_cost",
	"total_parking_time", "total_parking_cost", "total_reservation_cost",
}

// mostBroken is how many broken values an object may have. One with more is something else.
const mostBroken = 1000

// readObject decodes an OCPI object, forgiving where a partner is known to need it. A value that is broken is left out and
// found: the rest can be priced, and whoever reads the price sees without what. Only what is no object at all is an error.
func readObject(doc jsontext.Value, into any, needless []string) ([]billing.Finding, error) {
	var left []billing.Finding
	for {
		findings, err := decode(doc, into)
		if err == nil {
			return append(findings, left...), nil
		}
		var fault *ocpi.Error
		if !errors.As(err, &fault) || len(fault.Findings) == 0 || len(left) == mostBroken {
			return nil, err
		}
		path := fault.Findings[0].Path
		rest, ok := without(doc, path)
		if !ok {
			return nil, err
		}
		severity := billing.Block
		if top := strings.FieldsFunc(path, func(c rune) bool { return c == '.' || c == '[' }); slices.Contains(needless, top[0]) {
			severity = billing.Flag
		}
		left = append(left, billing.Finding{Code: "field-ignored", Severity: severity, Path: path, Message: fault.Message})
		doc = rest
		reflect.ValueOf(into).Elem().SetZero()
	}
}

// decode reads an OCPI object, forgiving where a partner is known to need it, and says so. The error is about what even the
// forgiving reading cannot take, and not about the first thing that it could.
func decode(doc jsontext.Value, into any) ([]billing.Finding, error) {
	strict := ocpi.Unmarshal(doc, into)
	if strict == nil {
		return nil, nil
	}
	reflect.ValueOf(into).Elem().SetZero()
	if err := ocpi.UnmarshalLenient(doc, into); err != nil {
		return nil, err
	}
	return []billing.Finding{{Code: "json-lenient", Severity: billing.Info, Message: "only a forgiving reading is possible: " + strict.Error()}}, nil
}

// without leaves out the value at a path such as "charging_periods[3].dimensions[0].volume"; ok is false where there is none.
func without(doc jsontext.Value, path string) (rest jsontext.Value, ok bool) {
	return withoutIn(doc, path, "")
}

const restrictions = "restrictions"

// withoutIn is without for what is in the member of a name. A restriction stays, under a name that nobody knows: its element must
// not price what the restriction may have kept it from (TAR-11).
func withoutIn(doc jsontext.Value, path, in string) (rest jsontext.Value, ok bool) {
	twice := jsontext.AllowDuplicateNames(true) // the last one counts
	if index, tail, found := strings.Cut(strings.TrimPrefix(path, "["), "]"); found && strings.HasPrefix(path, "[") {
		var list []jsontext.Value
		i, err := strconv.Atoi(index)
		if err != nil || json.Unmarshal(doc, &list, twice) != nil || i >= len(list) {
			return nil, false
		}
		if tail == "" {
			list = slices.Delete(list, i, i+1)
		} else if list[i], ok = withoutIn(list[i], strings.TrimPrefix(tail, "."), ""); !ok {
			return nil, false
		}
		rest, err = json.Marshal(list, twice)
		return rest, err == nil
	}
	var members map[string]jsontext.Value
	if path == "" || json.Unmarshal(doc, &members, twice) != nil {
		return nil, false
	}
	name := path
	if end := strings.IndexAny(path, ".["); end >= 0 {
		name = path[:end]
	}
	member, ok := members[name]
	if !ok {
		return nil, false
	}
	switch tail := strings.TrimPrefix(path[len(name):], "."); {
	case in == restrictions:
		delete(members, name)
		members[name+"?"] = member
	case tail != "":
		if members[name], ok = withoutIn(member, tail, name); !ok {
			return nil, false
		}
	case name == restrictions:
		members[name] = jsontext.Value(`{"restrictions?":true}`)
	default:
		delete(members, name)
	}
	rest, err := json.Marshal(members, twice, json.Deterministic(true))
	return rest, err == nil
}

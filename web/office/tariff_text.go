package office

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// elementText is an element of a tariff in a sentence: "Energie 0,39 €/kWh, Startgebühr 0,35 €".
func (v *visit) elementText(e ocpi.TariffElement, currency string) string {
	var parts []string
	for _, c := range e.PriceComponents {
		parts = append(parts, v.componentText(c, currency))
	}
	return strings.Join(parts, ", ")
}

func (v *visit) componentText(c ocpi.PriceComponent, currency string) string {
	text := string(c.Type)
	if key := "dimension." + text; v.Lang.Has(key) {
		text = v.Lang.T(key)
	}
	text += " " + v.Lang.Price(c.Price.Decimal, currency)
	unit, step := "", ""
	switch c.Type {
	case ocpi.ComponentEnergy:
		unit = "/kWh"
		if c.StepSize != nil && *c.StepSize > 1 {
			step = v.Lang.Exact(decimal.New(int64(*c.StepSize), -3), 0, 3) + "\u00a0kWh"
		}
	case ocpi.ComponentTime, ocpi.ComponentParkingTime:
		unit = "/h"
		if c.StepSize != nil && *c.StepSize > 1 {
			step = v.Lang.Int(int64(*c.StepSize)) + "\u00a0s"
		}
	}
	text += unit
	if c.VAT.Valid {
		text += " " + v.Lang.T("tariff.vat", v.Lang.Percent(c.VAT.Decimal))
	}
	if step != "" {
		text += " " + v.Lang.T("tariff.step", step)
	}
	return text
}

// restrictionText says when an element holds.
func (v *visit) restrictionText(r *ocpi.TariffRestrictions) string {
	if r == nil {
		return v.Lang.T("tariff.always")
	}
	var parts []string
	say := func(key string, args ...any) { parts = append(parts, v.Lang.T(key, args...)) }
	if r.Reservation != "" {
		say("tariff.if.reservation", string(r.Reservation))
	}
	if r.StartTime != "" || r.EndTime != "" {
		say("tariff.if.time", orNone(r.StartTime), orNone(r.EndTime))
	}
	if r.StartDate != "" || r.EndDate != "" {
		say("tariff.if.date", orNone(r.StartDate), orNone(r.EndDate))
	}
	if len(r.DayOfWeek) > 0 {
		days := make([]string, len(r.DayOfWeek))
		for i, d := range r.DayOfWeek {
			if days[i] = string(d); d.Known() {
				days[i] = v.Lang.T("day." + string(d))
			}
		}
		parts = append(parts, strings.Join(days, ", "))
	}
	between := func(key, unit string, least, most decimal.NullDecimal) {
		amount := func(d decimal.NullDecimal) string { return v.Lang.Exact(d.Decimal, 0, 3) + "\u00a0" + unit }
		switch {
		case least.Valid && most.Valid:
			parts = append(parts, v.Lang.T("tariff.between", v.Lang.T(key), amount(least), amount(most)))
		case least.Valid:
			parts = append(parts, v.Lang.T("tariff.from", v.Lang.T(key), amount(least)))
		case most.Valid:
			parts = append(parts, v.Lang.T("tariff.upto", v.Lang.T(key), amount(most)))
		}
	}
	between("tariff.if.energy", "kWh", r.MinKWh, r.MaxKWh)
	between("tariff.if.power", "kW", r.MinPower, r.MaxPower)
	between("tariff.if.current", "A", r.MinCurrent, r.MaxCurrent)
	minutes := func(seconds *int) decimal.NullDecimal {
		if seconds == nil {
			return decimal.NullDecimal{}
		}
		return decimal.NewNullDecimal(decimal.NewFromInt(int64(*seconds)).DivRound(decimal.NewFromInt(60), 2))
	}
	between("tariff.if.duration", "min", minutes(r.MinDuration), minutes(r.MaxDuration))
	if len(parts) == 0 {
		return v.Lang.T("tariff.always")
	}
	return strings.Join(parts, " · ")
}

// change is a field of a document that differs between two versions. What is empty was not there.
type change struct{ path, before, after string }

// compare lists the fields in which two JSON documents differ, in the order of their paths.
func compare(before, after []byte) ([]change, error) {
	a, err := fields(before)
	if err != nil {
		return nil, err
	}
	b, err := fields(after)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(a)
	maps.Copy(all, b)
	var changes []change
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if a[path] != b[path] {
			changes = append(changes, change{path, a[path], b[path]})
		}
	}
	return changes, nil
}

// fields are the values of a JSON document by their paths.
func fields(doc []byte) (map[string]string, error) {
	decoder := json.NewDecoder(strings.NewReader(string(doc)))
	decoder.UseNumber()
	var root any
	if err := decoder.Decode(&root); err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	found := map[string]string{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for name, member := range value {
				walk(strings.TrimPrefix(path+"."+name, "."), member)
			}
		case []any:
			for i, element := range value {
				walk(path+"["+strconv.Itoa(i)+"]", element)
			}
		default:
			found[path] = fmt.Sprint(value)
		}
	}
	walk("", root)
	return found, nil
}

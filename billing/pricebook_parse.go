package billing

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

type bookDoc struct {
	Rules []bookRuleDoc  `json:"rules"`
	Extra jsontext.Value `json:",embed"`
}

type bookRuleDoc struct {
	ID       string         `json:"id,omitzero"`
	Plan     string         `json:"plan,omitzero"`
	Note     string         `json:"note,omitzero"`
	Card     string         `json:"card,omitzero"`
	Contract string         `json:"contract,omitzero"`
	Group    string         `json:"group,omitzero"`
	Where    *whereDoc      `json:"where,omitzero"`
	Extra    jsontext.Value `json:",embed"`
}

type whereDoc struct {
	EVSE     string              `json:"evse,omitzero"`
	Location string              `json:"location,omitzero"`
	Own      bool                `json:"own,omitzero"`
	CPO      string              `json:"cpo,omitzero"`
	Hub      string              `json:"hub,omitzero"`
	Country  string              `json:"country,omitzero"`
	Current  Current             `json:"current,omitzero"`
	FromKW   decimal.NullDecimal `json:"from_kw,omitzero"`
	BelowKW  decimal.NullDecimal `json:"below_kw,omitzero"`
	Extra    jsontext.Value      `json:",embed"`
}

// ParsePriceBook reads a price book from JSON: {"rules": [{"plan": "AC", "group": "Stromkunden", "where": {"own": true}}]}.
// Errors are *ocpi.Error and name field, rule and value. Ties are errors too; that a plan or a group does not exist is for
// the caller to find (Unknown).
func ParsePriceBook(doc []byte) (PriceBook, error) {
	var read bookDoc
	if err := ocpi.Unmarshal(doc, &read); err != nil {
		return PriceBook{}, err
	}
	var b PriceBook
	var findings ocpi.Findings
	refuse := func(path, rule, value string) {
		findings = append(findings, ocpi.Finding{Severity: ocpi.Reject, Path: path, Rule: rule, Value: value})
	}
	for _, name := range unknownMembers(read.Extra) {
		refuse(name, "not a member of a price book", "")
	}
	if len(read.Rules) == 0 {
		refuse("rules", "at least one", "")
	}
	for i := range read.Rules {
		d, path := &read.Rules[i], fmt.Sprintf("rules[%d]", i)
		r := BookRule{
			ID: cmp.Or(d.ID, strconv.Itoa(i+1)), Plan: d.Plan, Note: d.Note, Card: ocpi.CiString(d.Card).Fold(), Contract: ocpi.CiString(d.Contract).Fold(), Group: d.Group,
		}
		for _, name := range unknownMembers(d.Extra) {
			refuse(path+"."+name, "not a member of a rule", "")
		}
		if r.Plan == "" {
			refuse(path+".plan", "required", "")
		}
		if slices.ContainsFunc(b.Rules, func(other BookRule) bool { return other.ID == r.ID }) {
			refuse(path+".id", "not used twice", r.ID)
		}
		if named := slices.DeleteFunc([]string{d.Card, d.Contract, d.Group}, func(s string) bool { return s == "" }); len(named) > 1 {
			refuse(path, "only one of card, contract and group", strings.Join(named, ", "))
		}
		if d.Where != nil {
			var faults ocpi.Findings
			r.Where, faults = d.Where.read(path + ".where")
			findings = append(findings, faults...)
			for _, name := range unknownMembers(d.Where.Extra) {
				refuse(path+".where."+name, "not a member of a place", "")
			}
		}
		for k := range b.Rules {
			if len(findings) == 0 && b.Rules[k].ties(&r) {
				refuse(path, "more or less precise than every other rule that may fit the same session", "as precise as rule "+b.Rules[k].ID)
			}
		}
		b.Rules = append(b.Rules, r)
	}
	if err := findings.Err(); err != nil {
		return PriceBook{}, err
	}
	b.sort()
	return b, nil
}

// read turns a set of charge points as it is written into one to compare with.
func (d *whereDoc) read(path string) (Where, ocpi.Findings) {
	var findings ocpi.Findings
	refuse := func(field, rule, value string) {
		findings = append(findings, ocpi.Finding{Severity: ocpi.Reject, Path: path + "." + field, Rule: rule, Value: value})
	}
	w := Where{EVSE: FoldEVSE(ocpi.CiString(d.EVSE)), Location: ocpi.CiString(d.Location).Fold(), Own: d.Own, Current: d.Current, FromKW: d.FromKW, BelowKW: d.BelowKW}
	party := func(field, text string) ocpi.Party {
		if text == "" {
			return ocpi.Party{}
		}
		p, err := ocpi.ParseParty(text)
		if err != nil {
			refuse(field, "a party such as DE*ABC", text)
		}
		return p.Fold()
	}
	w.CPO, w.Hub = party("cpo", d.CPO), party("hub", d.Hub)
	if w.Location != "" && w.CPO.IsZero() {
		refuse("location", "with cpo beside it: a location id is unique at its CPO only", d.Location)
	}
	if d.Country != "" {
		if w.Country = Alpha2(d.Country); w.Country == "" {
			refuse("country", "a country of Europe (ISO 3166-1)", d.Country)
		}
	}
	if w.Current != "" && w.Current != AC && w.Current != DC {
		refuse("current", "AC or DC", string(w.Current))
	}
	power := func(field string, limit decimal.NullDecimal) {
		if limit.Valid && (!sane(limit.Decimal) || limit.Decimal.IsNegative()) {
			refuse(field, "a power in kW of at least 0", limit.Decimal.String())
		}
	}
	power("from_kw", w.FromKW)
	power("below_kw", w.BelowKW)
	if w.FromKW.Valid && w.BelowKW.Valid && w.BelowKW.Decimal.LessThanOrEqual(w.FromKW.Decimal) {
		refuse("below_kw", "above from_kw", w.BelowKW.Decimal.String())
	}
	return w, findings
}

// ties reports whether two rules are of the same precision and may both fit one session.
func (r *BookRule) ties(other *BookRule) bool {
	if r.weight() != other.weight() || r.Card != other.Card || r.Contract != other.Contract || r.Group != other.Group {
		return false
	}
	v, w := &r.Where, &other.Where
	if v.EVSE != w.EVSE || v.Location != w.Location || v.CPO != w.CPO || v.Hub != w.Hub || v.Country != w.Country || v.Current != w.Current {
		return false
	}
	apart := func(below, from decimal.NullDecimal) bool {
		return below.Valid && from.Valid && below.Decimal.LessThanOrEqual(from.Decimal)
	}
	return !apart(v.BelowKW, w.FromKW) && !apart(w.BelowKW, v.FromKW)
}

// Unknown finds the plans and customer groups that the book names and that do not exist.
func (b *PriceBook) Unknown(plans, groups []string) error {
	var findings ocpi.Findings
	for i := range b.Rules {
		r := &b.Rules[i]
		if !slices.Contains(plans, r.Plan) {
			findings = append(findings, ocpi.Finding{Severity: ocpi.Reject, Path: fmt.Sprintf("rules[%d].plan", i), Rule: "the name of a plan", Value: r.Plan})
		}
		if r.Group != "" && !slices.Contains(groups, r.Group) {
			findings = append(findings, ocpi.Finding{Severity: ocpi.Reject, Path: fmt.Sprintf("rules[%d].group", i), Rule: "the name of a customer group", Value: r.Group})
		}
	}
	return findings.Err()
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// pricedDocument is a CDR with what stands beside it, read and ready to be priced.
type pricedDocument struct {
	raw      jsontext.Value // the CDR as it came
	cdr      ocpi.CDR
	tariffs  []ocpi.Tariff  // that stand beside the CDR; nil: those in it count
	zone     *time.Location // that the document names; nil: none
	findings []billing.Finding
}

// documentShape is what tells the documents apart that people give to a command.
type documentShape struct {
	CDR      jsontext.Value `json:"cdr"`
	Elements jsontext.Value `json:"elements"`
	Periods  jsontext.Value `json:"charging_periods"`
	Tariff   jsontext.Value `json:"tariff"`
	Tariffs  jsontext.Value `json:"tariffs"`
	Zone     jsontext.Value `json:"time_zone"`

	Start       jsontext.Value `json:"start_date_time"`
	End         jsontext.Value `json:"end_date_time"`
	Stop        jsontext.Value `json:"stop_date_time"`
	AuthID      jsontext.Value `json:"auth_id"`
	Token       jsontext.Value `json:"cdr_token"`
	Location    jsontext.Value `json:"location"`
	CDRLocation jsontext.Value `json:"cdr_location"`
	TotalCost   jsontext.Value `json:"total_cost"`
	TotalEnergy jsontext.Value `json:"total_energy"`

	StatusCode    jsontext.Value `json:"status_code"`
	StatusMessage jsontext.Value `json:"status_message"`
}

// shapeOf looks at the members of a document. A name that stands twice is nothing to stumble over here.
func shapeOf(doc jsontext.Value) (documentShape, error) {
	var shape documentShape
	if doc.Kind() != jsontext.KindBeginObject {
		return shape, fmt.Errorf("must be an object, got %.40s", doc)
	}
	err := unmarshalTwice(doc, &shape)
	return shape, err
}

// readPriced reads a CDR of any version of OCPI: alone, or as the member "cdr" beside the "tariff" or "tariffs" and the
// "time_zone" that it is to be priced by. What is no CDR is an error: nothing of it could have a price, and a zero would look
// like one.
func readPriced(doc jsontext.Value) (*pricedDocument, error) {
	shape, err := shapeOf(doc)
	if err != nil {
		return nil, err
	}
	p := &pricedDocument{raw: doc}
	zone := textOf(shape.Zone)
	if shape.CDR.Kind() == jsontext.KindBeginObject && shape.Periods == nil {
		beside := append(itemsIn(shape.Tariffs), itemsIn(shape.Tariff)...)
		for i, item := range beside {
			found, err := p.readTariff(item)
			if err != nil {
				return nil, fmt.Errorf("tariffs[%d]: %w", i, err)
			}
			p.findings = append(p.findings, found...)
		}
		p.raw = shape.CDR
		if shape, err = shapeOf(p.raw); err != nil {
			return nil, err
		}
	}
	if err := shape.noCDR(); err != nil {
		return nil, err
	}
	ours, findings, err := shape.inOurVersion(p.raw)
	if err != nil {
		return nil, err
	}
	p.findings = append(p.findings, findings...)
	findings, err = readObject(ours, &p.cdr, needless)
	if err != nil {
		return nil, err
	}
	p.findings = append(p.findings, findings...)
	for _, place := range []jsontext.Value{shape.CDRLocation, shape.Location} {
		var at documentShape
		if zone == "" && place.Kind() == jsontext.KindBeginObject && unmarshalTwice(place, &at) == nil {
			zone = textOf(at.Zone) // OCPI 2.1.1 has it there, and some partners of OCPI 2.2.1 too
		}
	}
	if zone != "" {
		if p.zone, err = loadZone(zone); err != nil {
			return nil, fmt.Errorf("time_zone: %w", err)
		}
	}
	return p, nil
}

func (p *pricedDocument) readTariff(doc jsontext.Value) ([]billing.Finding, error) {
	tariff, findings, err := readTariff(doc)
	p.tariffs = append(p.tariffs, tariff)
	return findings, err
}

// loadZone is time.LoadLocation without the zone of this machine, which no price depends on.
func loadZone(name string) (*time.Location, error) {
	if strings.EqualFold(name, "Local") {
		return nil, fmt.Errorf("unknown time zone %s", name)
	}
	return time.LoadLocation(name)
}

// noCDR tells what a document without anything of a CDR is instead.
func (s *documentShape) noCDR() error {
	for _, member := range []jsontext.Value{s.Periods, s.Start, s.Stop, s.Token, s.AuthID, s.CDRLocation, s.TotalCost, s.TotalEnergy} {
		if member != nil {
			return nil
		}
	}
	switch {
	case s.Elements != nil:
		return errors.New("is a tariff and no CDR; --tariff prices CDRs by it")
	case s.StatusCode != nil:
		return fmt.Errorf("is an OCPI answer without data: status_code %s %s", s.StatusCode, textOf(s.StatusMessage))
	}
	return errors.New("is no CDR: it has neither charging_periods nor anything else of one")
}

// inOurVersion turns a CDR of OCPI 2.1.1 or 2.3.0 into one of OCPI 2.2.1. Nothing in a CDR says its version, but it shows.
func (s *documentShape) inOurVersion(doc jsontext.Value) (jsontext.Value, []billing.Finding, error) {
	ours := s.End != nil || s.Token != nil || s.CDRLocation != nil
	if s.Stop != nil || !ours && (s.AuthID != nil || s.Location != nil) {
		return readAs(ocpi.Version211, doc, new(ocpi.CDR))
	}
	return in230(doc, new(ocpi.CDR))
}

// in230 turns an object with prices of OCPI 2.3.0.
func in230(doc jsontext.Value, of any) (jsontext.Value, []billing.Finding, error) {
	if !bytes.Contains(doc, []byte(`"before_taxes"`)) && !bytes.Contains(doc, []byte(`"after_taxes"`)) {
		return doc, nil, nil
	}
	return readAs(ocpi.Version230, doc, of)
}

func readAs(version ocpi.VersionNumber, doc jsontext.Value, of any) (jsontext.Value, []billing.Finding, error) {
	d, err := jobs.DialectOf(version)
	if err != nil {
		return nil, nil, err
	}
	ours, notes, err := d.Read(doc, of, ocpi.Origin{Role: ocpi.RoleCPO})
	if err != nil {
		return nil, nil, err
	}
	findings := []billing.Finding{{Code: "version-read", Severity: billing.Info, Message: "read as OCPI " + string(version)}}
	for _, note := range notes {
		findings = append(findings, billing.Finding{Code: "version-read", Severity: billing.Info, Path: note.Path, Message: note.Rule})
	}
	return ours, findings, nil
}

// itemsIn returns the objects of a list, or the object that stands there alone.
func itemsIn(value jsontext.Value) []jsontext.Value {
	var list []jsontext.Value
	switch {
	case value.Kind() == jsontext.KindBeginObject:
		return []jsontext.Value{value}
	case value.Kind() == jsontext.KindBeginArray && unmarshalTwice(value, &list) == nil:
		return slices.Clone(list)
	}
	return nil
}

// textOf is the text in a value, empty where it is none.
func textOf(value jsontext.Value) string {
	var text string
	if value.Kind() != jsontext.KindString || unmarshalTwice(value, &text) != nil {
		return ""
	}
	return text
}

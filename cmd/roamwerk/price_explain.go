package main

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// pricedExplanation is the account of a price for each of its readers.
type pricedExplanation struct {
	Sentence pricedText[string]   `json:"sentence"` // for the customer
	Trace    pricedText[[]string] `json:"trace"`    // for the clerk, a step a line
	Audit    jsontext.Value       `json:"audit"`    // billing.Explanation, for the auditor and for --replay
}

type pricedText[T any] struct {
	DE T `json:"de"`
	EN T `json:"en"`
}

func newPricedExplanation(e *billing.Explanation) (*pricedExplanation, error) {
	audit, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return &pricedExplanation{
		Sentence: pricedText[string]{billing.Sentence(e.Rating, "de"), billing.Sentence(e.Rating, "en")},
		Trace:    pricedText[[]string]{trace(e, "de"), trace(e, "en")},
		Audit:    audit,
	}, nil
}

func trace(e *billing.Explanation, lang string) []string {
	var lines []string
	for _, l := range e.Trace(lang) {
		lines = append(lines, string(bytes.Repeat([]byte("  "), l.Level))+l.Text)
	}
	return lines
}

// replayPrice computes the price from its explanation: what --explain has printed, or the explanation alone.
func replayPrice(doc jsontext.Value) (*pricedCDR, error) {
	var printed struct {
		Explanation struct {
			Audit jsontext.Value `json:"audit"`
		} `json:"explanation"`
	}
	if err := ocpi.Unmarshal(doc, &printed); err != nil {
		return nil, err
	}
	if printed.Explanation.Audit != nil {
		doc = printed.Explanation.Audit
	}
	var e billing.Explanation
	if err := json.Unmarshal(doc, &e); err != nil {
		return nil, err
	}
	if e.Engine == "" {
		return nil, errors.New("holds no explanation")
	}
	rating, err := e.Replay()
	if err != nil {
		return nil, err
	}
	return newPricedCDR(e.CDR, e.Currency, &rating, rating.Findings), nil
}

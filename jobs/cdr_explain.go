package jobs

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// Explanations account for both prices of a rated CDR. They are frozen with the rating.
type Explanations struct{ Wholesale, Retail billing.Explanation }

// frozen leaves out the ratings and the verdict, which stand in columns of their own beside it.
func (e Explanations) frozen() []byte {
	e.Wholesale.Rating, e.Retail.Rating = billing.Rating{}, billing.Rating{}
	return frozen(e)
}

// ReadExplanations reads what a rating was stored with, and puts its ratings and its verdict back in. It is nil for a rating
// that is older than explanations.
func ReadExplanations(r *db.Rating) (*Explanations, error) {
	if r.Explanation == nil {
		return nil, nil //nolint:nilnil // there was nothing to store
	}
	var e Explanations
	err := errors.Join(unfreeze(r.Explanation, &e), unfreeze(r.Wholesale, &e.Wholesale.Rating), unfreeze(r.Verdict, &e.Wholesale.Verdict), unfreeze(r.Retail, &e.Retail.Rating))
	if err != nil {
		return nil, fmt.Errorf("explanation of rating %s: %w", r.ID, err)
	}
	return &e, nil
}

// Replay computes every figure of both prices again. The error tells the first that comes out otherwise than it is stored.
func (e *Explanations) Replay() error {
	_, wholesale := e.Wholesale.Replay()
	_, retail := e.Retail.Replay()
	return errors.Join(wholesale, retail)
}

// CDRExplanation is the whole account of a CDR's current rating, for the auditor: what was received, how its CPO's tariff prices
// it, what the customer pays and why, what the rules measured. All of it stands as it was frozen with the rating.
type CDRExplanation struct {
	CDR          string               `json:"cdr"` // DE*CPO/ID
	RatedAt      time.Time            `json:"rated_at"`
	Rating       int32                `json:"rating"` // its number among those of the CDR
	Engine       string               `json:"engine"`
	InputsSHA256 string               `json:"inputs_sha256"`
	Sentence     map[string]string    `json:"sentence"`     // for the customer, by language
	Trace        map[string][]string  `json:"trace"`        // of the operator's price, for the clerk: a step a line, by language
	RetailTrace  map[string][]string  `json:"retail_trace"` // of the customer's price
	Wholesale    *billing.Explanation `json:"wholesale"`    // null: rated before explanations were stored
	Retail       *billing.Explanation `json:"retail"`
	Reproduced   bool                 `json:"reproduced"` // every figure of both ratings comes out of it to the last digit
	Choice       json.RawMessage      `json:"choice"`     // of the plan
	Findings     json.RawMessage      `json:"findings"`
	Measures     json.RawMessage      `json:"measures"`
	Items        json.RawMessage      `json:"items"`
}

// ExplainCDR accounts for the current rating of a CDR of the utility. db.ErrNotFound where there is none.
func (o *Ops) ExplainCDR(ctx context.Context, tenant, cdr uuid.UUID) (CDRExplanation, error) {
	state, err := o.DB.CDRState(ctx, cdr)
	if err != nil || state.TenantID != tenant {
		return CDRExplanation{}, cmp.Or(err, db.ErrNotFound)
	}
	row, err := o.DB.CurrentRating(ctx, cdr)
	if err != nil {
		return CDRExplanation{}, err
	}
	stored, err := ReadExplanations(&row)
	if err != nil {
		return CDRExplanation{}, err
	}
	e := CDRExplanation{
		CDR: state.CountryCode + "*" + state.PartyID + "/" + state.OCPIID, RatedAt: row.RatedAt, Rating: row.Seq, Engine: row.Engine,
		InputsSHA256: hex.EncodeToString(row.InputsSHA256), Choice: row.Choice, Findings: row.Findings, Measures: row.Measures, Items: row.Items,
		Sentence: map[string]string{}, Trace: map[string][]string{}, RetailTrace: map[string][]string{},
	}
	if stored == nil {
		return e, nil
	}
	e.Wholesale, e.Retail, e.Reproduced = &stored.Wholesale, &stored.Retail, stored.Replay() == nil
	for _, lang := range []string{"de", "en"} {
		e.Sentence[lang] = billing.AgreedSentence(stored.Retail.Rating, lang)
		e.Trace[lang], e.RetailTrace[lang] = traceOf(&stored.Wholesale, lang), traceOf(&stored.Retail, lang)
	}
	return e, nil
}

// traceOf is a trace as lines of text, each indented by its level.
func traceOf(e *billing.Explanation, lang string) []string {
	lines := e.Trace(lang)
	texts := make([]string, len(lines))
	for i := range lines {
		texts[i] = strings.Repeat("  ", lines[i].Level) + lines[i].Text
	}
	return texts
}

package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// CDRExplanation is the whole account of a CDR's current rating, for the auditor: what was received, how its CPO's tariff prices
// it, what the customer pays and why, what the rules measured. What was frozen with the rating stands as it was frozen.
type CDRExplanation struct {
	CDR          string              `json:"cdr"` // DE*CPO/ID
	SHA256       string              `json:"sha256"`
	RatedAt      time.Time           `json:"rated_at"`
	Rating       int32               `json:"rating"` // its number among those of the CDR
	Engine       string              `json:"engine"`
	InputsSHA256 string              `json:"inputs_sha256"`
	Sentence     map[string]string   `json:"sentence"` // for the customer, by language
	Trace        map[string][]string `json:"trace"`    // for the clerk, a step a line, by language
	Wholesale    billing.Explanation `json:"wholesale"`
	Reproduced   bool                `json:"reproduced"` // the explanation gives the figures of the rating to the last digit
	Verdict      json.RawMessage     `json:"verdict"`
	Retail       json.RawMessage     `json:"retail"`
	Choice       json.RawMessage     `json:"choice"` // of the plan
	Findings     json.RawMessage     `json:"findings"`
	Measures     json.RawMessage     `json:"measures"`
	Items        json.RawMessage     `json:"items"`
}

// ExplainCDR accounts for the current rating of a CDR of the utility. db.ErrNotFound where there is none.
func (o *Ops) ExplainCDR(ctx context.Context, tenant, cdr uuid.UUID) (e CDRExplanation, err error) {
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		state, err := q.CDRState(ctx, cdr)
		if err != nil || state.TenantID != tenant {
			return errors.Join(err, db.ErrNotFound)
		}
		row, err := q.CurrentRating(ctx, cdr)
		if err != nil {
			return err
		}
		r, err := o.read(ctx, q, state)
		if err != nil {
			return err
		}
		if r.place, err = r.findPlace(ctx); err != nil {
			return err
		}
		return r.explain(ctx, row, &e)
	})
	return e, err
}

func (r *rating) explain(ctx context.Context, row db.Rating, e *CDRExplanation) error {
	docs, err := r.tariffs(ctx)
	if err != nil {
		return err
	}
	var tariffs []*billing.Tariff
	for _, doc := range docs {
		tariff, _ := billing.Compile(doc, billing.CompileOptions{})
		tariffs = append(tariffs, tariff)
	}
	var wholesale, retail billing.Rating
	var verdict billing.Verdict
	if err := errors.Join(unfreeze(row.Wholesale, &wholesale), unfreeze(row.Retail, &retail), unfreeze(row.Verdict, &verdict)); err != nil {
		return fmt.Errorf("read rating %s: %w", row.ID, err)
	}
	account := billing.Explain(r.raw, r.cdr, tariffs, r.place.zone, billing.DefaultPolicy)
	account.Verdict = &verdict
	replayed, err := account.Replay()
	*e = CDRExplanation{
		CDR: r.state.CountryCode + "*" + r.state.PartyID + "/" + r.state.OCPIID, SHA256: account.SHA256, RatedAt: row.RatedAt, Rating: row.Seq, Engine: row.Engine,
		InputsSHA256: fmt.Sprintf("%x", row.InputsSHA256), Wholesale: account, Verdict: row.Verdict, Retail: row.Retail, Choice: row.Choice, Findings: row.Findings,
		Measures: row.Measures, Items: row.Items, Sentence: map[string]string{}, Trace: map[string][]string{},
		Reproduced: err == nil && replayed.Total.ExclVAT.Equal(wholesale.Total.ExclVAT) && replayed.Total.InclVAT.Equal(wholesale.Total.InclVAT),
	}
	for _, lang := range []string{"de", "en"} {
		e.Sentence[lang] = billing.Sentence(retail, lang)
		for _, line := range account.Trace(lang) {
			e.Trace[lang] = append(e.Trace[lang], fmt.Sprintf("%*s%s", 2*line.Level, "", line.Text))
		}
	}
	return nil
}

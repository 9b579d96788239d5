package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Evidence is what we can show a partner about one of its CDRs, so that it can follow our figures without asking.
type Evidence struct {
	ReceivedAt    time.Time       `json:"received_at"`
	SHA256        string          `json:"sha256"` // of the CDR as it was received
	Messages      []LoggedMessage `json:"messages,omitempty"`
	Recomputation json.RawMessage `json:"recomputation,omitempty"` // the rating by the CPO's own tariff
	Verdict       json.RawMessage `json:"verdict,omitempty"`       // each figure, claimed and computed
	Findings      json.RawMessage `json:"findings,omitempty"`      // of the plausibility rules
	Engine        string          `json:"engine,omitempty"`
	InputsSHA256  string          `json:"inputs_sha256,omitempty"`
	Tariffs       []UsedTariff    `json:"tariffs,omitempty"`
	Neighbours    []Nearby        `json:"neighbours,omitempty"` // other sessions with the card, and CDRs of the session
}

// LoggedMessage names a message of the log.
type LoggedMessage struct {
	ID uuid.UUID `json:"id"`
	At time.Time `json:"at"`
}

// UsedTariff is a tariff that a CDR was checked with: the one inside it, or the version that we held when the session began.
type UsedTariff struct {
	ID       string          `json:"id"`
	Version  int32           `json:"version,omitempty"` // of those that we held; 0: it came with the CDR
	HeldFrom *time.Time      `json:"held_from,omitempty"`
	Tariff   json.RawMessage `json:"tariff"`
}

// Nearby is another session around a disputed one.
type Nearby struct {
	Session string          `json:"session_id,omitempty"`
	EVSE    string          `json:"evse_id,omitempty"`
	Start   time.Time       `json:"start_date_time"`
	End     time.Time       `json:"end_date_time"`
	KWh     decimal.Decimal `json:"total_energy"`
}

// evidenceOf gathers what we know about a CDR now.
func (o *Ops) evidenceOf(ctx context.Context, q *db.Queries, state db.CDRState) (Evidence, error) {
	r, err := o.read(ctx, q, state)
	if err != nil {
		return Evidence{}, err
	}
	e := Evidence{ReceivedAt: state.ReceivedAt, SHA256: fmt.Sprintf("%x", sha256.Sum256(r.raw))}
	object := "cdrs/" + state.CountryCode + "*" + state.PartyID + "/" + state.OCPIID
	messages, err := q.MessageIDsOfObject(ctx, object)
	if err != nil {
		return e, fmt.Errorf("messages of the CDR: %w", err)
	}
	for _, m := range messages {
		e.Messages = append(e.Messages, LoggedMessage{m.ID, m.At})
	}
	rating, err := q.CurrentRating(ctx, state.CDRID)
	if err == nil {
		e.Recomputation, e.Verdict, e.Findings, e.Engine, e.InputsSHA256 = rating.Wholesale, rating.Verdict, rating.Findings, rating.Engine, fmt.Sprintf("%x", rating.InputsSHA256)
	} else if !errors.Is(err, db.ErrNotFound) {
		return e, fmt.Errorf("rating: %w", err)
	}
	if e.Tariffs, err = r.usedTariffs(ctx); err != nil {
		return e, err
	}
	if state.TokenID.Valid {
		rows, err := q.NeighboursOfCDR(ctx, db.NeighboursOfCDRParams{
			TenantID: state.TenantID, CDRID: state.CDRID, TokenID: state.TokenID.UUID, Since: r.began.Add(-24 * time.Hour), Until: r.ended.Add(neighbourAfter),
			SessionID: state.SessionID, CountryCode: state.CountryCode, PartyID: state.PartyID,
		})
		if err != nil {
			return e, fmt.Errorf("neighbouring sessions: %w", err)
		}
		for _, n := range rows {
			e.Neighbours = append(e.Neighbours, Nearby{n.SessionID, n.EVSEID, n.StartedAt, n.EndedAt, n.KWh})
		}
	}
	return e, nil
}

// usedTariffs are the tariffs that the CDR names.
func (r *rating) usedTariffs(ctx context.Context) ([]UsedTariff, error) {
	var used []UsedTariff
	for _, id := range r.namedTariffs() {
		embedded := false
		for _, t := range r.cdr.Tariffs {
			if t.ID.Fold() == id {
				doc, err := ocpi.Marshal(t)
				if err != nil {
					return nil, fmt.Errorf("encode tariff: %w", err)
				}
				used, embedded = append(used, UsedTariff{ID: id, Tariff: doc}), true
			}
		}
		if embedded {
			continue
		}
		row, err := r.q.TariffAt(ctx, db.TariffAtParams{CountryCode: r.state.CountryCode, PartyID: r.state.PartyID, TariffID: id, At: r.began})
		if errors.Is(err, db.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("find tariff: %w", err)
		}
		used = append(used, UsedTariff{ID: id, Version: row.Version, HeldFrom: &row.ValidFrom, Tariff: row.Doc})
	}
	return used, nil
}

// freezeEvidence keeps what we know of the CDRs of a dispute as it is now.
func (o *Ops) freezeEvidence(ctx context.Context, q *db.Queries, d db.Dispute) error {
	rows, err := q.DisputeCDRs(ctx, d.ID)
	if err != nil {
		return fmt.Errorf("CDRs of dispute: %w", err)
	}
	for _, r := range rows {
		e, err := o.evidenceOf(ctx, q, r.CDRState)
		if err != nil {
			return fmt.Errorf("evidence about %s: %w", r.CDRState.OCPIID, err)
		}
		if err := q.SetDisputeEvidence(ctx, db.SetDisputeEvidenceParams{DisputeID: d.ID, CDRID: r.DisputeCDR.CDRID, Evidence: frozen(e)}); err != nil {
			return fmt.Errorf("keep evidence: %w", err)
		}
	}
	return nil
}

// DisputeRecord is a dispute as it is given to a partner, in the manner of the record of OCPI 2.3.0 § Invoice Reconciliation: a
// list of CDR ids with what is said of each. Amounts exclude VAT.
type DisputeRecord struct {
	CountryCode string          `json:"country_code"` // of the utility
	PartyID     string          `json:"party_id"`
	ID          string          `json:"id"`
	Partner     string          `json:"partner"`
	Reason      string          `json:"reason"`
	Note        string          `json:"note,omitempty"`
	State       string          `json:"state"`
	Currency    string          `json:"currency"`
	Claimed     decimal.Decimal `json:"claimed"`
	Computed    decimal.Decimal `json:"computed"`
	Accepted    decimal.Decimal `json:"accepted"`
	Expected    decimal.Decimal `json:"expected_credit"`
	Credited    decimal.Decimal `json:"credited"`
	OpenedAt    time.Time       `json:"opened_at"`
	Deadline    time.Time       `json:"deadline"`
	CDRs        []DisputedCDR   `json:"cdrs"`
	Messages    []DisputeThread `json:"messages,omitempty"`
	LastUpdated time.Time       `json:"last_updated"`
}

// DisputedCDR is one CDR of a dispute.
type DisputedCDR struct {
	CDR         uuid.UUID       `json:"-"`
	CountryCode string          `json:"country_code"` // of the CPO
	PartyID     string          `json:"party_id"`
	ID          string          `json:"id"`
	SessionID   string          `json:"session_id,omitempty"`
	EVSEID      string          `json:"evse_id,omitempty"`
	Start       time.Time       `json:"start_date_time"`
	End         time.Time       `json:"end_date_time"`
	KWh         decimal.Decimal `json:"total_energy"`
	Claimed     decimal.Decimal `json:"claimed"`
	Computed    decimal.Decimal `json:"computed"`
	Accepted    decimal.Decimal `json:"accepted"`
	Credited    decimal.Decimal `json:"credited"`
	CreditID    string          `json:"credit_id,omitempty"` // of the credit CDR that came
	Evidence    *Evidence       `json:"evidence,omitempty"`
}

// DisputeThread is one message of a dispute.
type DisputeThread struct {
	Direction string    `json:"direction"`
	At        time.Time `json:"at"`
	Actor     string    `json:"actor"`
	Subject   string    `json:"subject,omitempty"`
	Body      string    `json:"body"`
	Reference string    `json:"reference,omitempty"`
}

// DisputeRecord gathers a dispute with its evidence: as it was frozen, or, before it is sent, as it is now.
func (o *Ops) DisputeRecord(ctx context.Context, tenant, id uuid.UUID) (DisputeRecord, error) {
	var record DisputeRecord
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		row, err := q.Dispute(ctx, db.DisputeParams{ID: id, TenantID: uuid.NullUUID{UUID: tenant, Valid: true}})
		if err != nil {
			return err
		}
		utility, err := q.Tenant(ctx, tenant)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		d := row.Dispute
		record = DisputeRecord{
			CountryCode: utility.CountryCode, PartyID: utility.PartyID, ID: d.Number, Partner: row.Partner, Reason: d.Reason, Note: d.Note, State: d.State, Currency: d.Currency,
			Claimed: d.Claimed, Computed: d.Computed, Accepted: d.Accepted, Expected: d.Expected, Credited: d.Credited, OpenedAt: d.OpenedAt, Deadline: d.Deadline, LastUpdated: d.UpdatedAt,
		}
		if err := o.recordCDRs(ctx, q, d, &record); err != nil {
			return err
		}
		messages, err := q.DisputeMessages(ctx, id)
		if err != nil {
			return fmt.Errorf("messages of dispute: %w", err)
		}
		for _, m := range messages {
			record.Messages = append(record.Messages, DisputeThread{m.Direction, m.At, m.Actor, m.Subject, m.Body, m.Reference})
		}
		return nil
	})
	return record, err
}

func (o *Ops) recordCDRs(ctx context.Context, q *db.Queries, d db.Dispute, record *DisputeRecord) error {
	rows, err := q.DisputeCDRs(ctx, d.ID)
	if err != nil {
		return fmt.Errorf("CDRs of dispute: %w", err)
	}
	for _, r := range rows {
		s, c := r.CDRState, r.DisputeCDR
		item := DisputedCDR{
			CDR: s.CDRID, CountryCode: s.CountryCode, PartyID: s.PartyID, ID: s.OCPIID, SessionID: s.SessionID, EVSEID: s.EVSEID, Start: s.StartedAt, End: s.EndedAt, KWh: s.KWh,
			Claimed: c.Claimed, Computed: c.Computed, Accepted: c.Accepted, Credited: c.Credited, CreditID: r.CreditOCPIID,
		}
		var e Evidence
		if len(c.Evidence) > 0 {
			if err := unfreeze(c.Evidence, &e); err != nil {
				return fmt.Errorf("evidence about %s: %w", s.OCPIID, err)
			}
		} else if e, err = o.evidenceOf(ctx, q, s); err != nil {
			return fmt.Errorf("evidence about %s: %w", s.OCPIID, err)
		}
		item.Evidence = &e
		record.CDRs = append(record.CDRs, item)
	}
	return nil
}

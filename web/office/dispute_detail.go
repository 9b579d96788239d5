package office

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// disputeView is everything about a dispute.
type disputeView struct {
	db.DisputeRow
	cdrs      []db.DisputeCDRsRow
	messages  []db.DisputeMessage
	events    []db.Event
	agreement db.Agreement
	draft     jobs.DisputeMessage // that is ready to be sent
	open      string              // the form that something is wrong with
	wrong     string
	entered   jobs.DisputeMessage
}

func (o *office) loadDispute(v *visit) (d disputeView, err error) {
	ctx := v.Request().Context()
	err = v.read(func(q *db.Queries) error {
		if d.DisputeRow, err = v.dispute(q); err != nil {
			return err
		}
		id := d.Dispute.ID
		if d.cdrs, err = q.DisputeCDRs(ctx, id); err != nil {
			return fmt.Errorf("CDRs of dispute: %w", err)
		}
		if d.messages, err = q.DisputeMessages(ctx, id); err != nil {
			return fmt.Errorf("messages of dispute: %w", err)
		}
		if d.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "dispute", SubjectID: id}); err != nil {
			return fmt.Errorf("events of dispute: %w", err)
		}
		d.agreement, err = q.Agreement(ctx, db.AgreementParams{TenantID: d.Dispute.TenantID, PartnerID: d.Dispute.PartnerID})
		if errors.Is(err, db.ErrNotFound) {
			return nil
		}
		return err
	})
	if err == nil {
		d.draft, err = o.DisputeMessage(ctx, d.Dispute.TenantID, d.Dispute.ID, string(v.Lang))
	}
	return d, err
}

func (o *office) disputeDetail(v *visit) error {
	d, err := o.loadDispute(v)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, disputeDetailPage(v, d))
}

// onDispute does something with the dispute of the address. A refusal stands on its page, with what was entered.
func (o *office) onDispute(v *visit, form, said string, do func(tenant, id uuid.UUID) error) error {
	var row db.DisputeRow
	err := v.read(func(q *db.Queries) (err error) {
		row, err = v.dispute(q)
		return err
	})
	if err != nil {
		return err
	}
	err = do(row.Dispute.TenantID, row.Dispute.ID)
	var refusal *jobs.Refusal
	if errors.As(err, &refusal) {
		d, err := o.loadDispute(v)
		if err != nil {
			return err
		}
		d.open, d.wrong, d.entered = form, v.sentence(refusal.Text), v.disputeMessage()
		return v.render(http.StatusUnprocessableEntity, disputeDetailPage(v, d))
	} else if err != nil {
		return err
	}
	v.say("ok", said)
	return v.Redirect(http.StatusSeeOther, v.disputeHref(row.Dispute.ID))
}

// disputeMessage is the message that was entered.
func (v *visit) disputeMessage() jobs.DisputeMessage {
	text := func(field string) string {
		return strings.TrimSpace(strings.ReplaceAll(v.FormValue(field), "\r\n", "\n"))
	}
	return jobs.DisputeMessage{Subject: text("subject"), Body: text("body"), Reference: text("reference"), Email: v.FormValue("email") != ""}
}

// sendDispute writes to the partner.
func (o *office) sendDispute(v *visit) error {
	return o.onDispute(v, "send", v.Lang.T("dispute.sent"), func(tenant, id uuid.UUID) error {
		return o.SendDispute(v.Request().Context(), tenant, id, v.disputeMessage())
	})
}

// answerDispute notes what the partner wrote.
func (o *office) answerDispute(v *visit) error {
	return o.onDispute(v, "answer", v.Lang.T("dispute.answered"), func(tenant, id uuid.UUID) error {
		return o.AnswerDispute(v.Request().Context(), tenant, id, v.disputeMessage())
	})
}

// closeDispute ends a dispute without a credit.
func (o *office) closeDispute(v *visit) error {
	return o.onDispute(v, "close", v.Lang.T("dispute.closed"), func(tenant, id uuid.UUID) error {
		return o.CloseDispute(v.Request().Context(), tenant, id, v.FormValue("end") == "rejected", strings.TrimSpace(v.FormValue("reason")))
	})
}

// acceptInDispute changes what we would pay of one CDR.
func (o *office) acceptInDispute(v *visit) error {
	cdr, _ := uuid.Parse(v.FormValue("cdr")) // what is no id is in no dispute
	amount := amountOf(v.FormValue("accepted"))
	return o.onDispute(v, "accept", v.Lang.T("dispute.accepted.done"), func(tenant, id uuid.UUID) error {
		if !amount.Valid {
			return &jobs.Refusal{Code: "dispute-amount", Text: jobs.RefusalText("dispute-amount")}
		}
		return o.AcceptInDispute(v.Request().Context(), tenant, id, cdr, amount.Decimal)
	})
}

// disputeRecord answers with the dispute and its evidence, for the partner.
func (o *office) disputeRecord(v *visit) error {
	record, err := o.recordOf(v)
	if err != nil {
		return err
	}
	doc, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("record of dispute %s: %w", record.ID, err)
	}
	return v.download("dispute-"+record.ID+".json", "application/json", doc)
}

// disputeTable answers with the CDRs of a dispute as a table.
func (o *office) disputeTable(v *visit) error {
	record, err := o.recordOf(v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := record.WriteCSV(&b); err != nil {
		return fmt.Errorf("table of dispute %s: %w", record.ID, err)
	}
	return v.download("dispute-"+record.ID+".csv", "text/csv; charset=utf-8", b.Bytes())
}

func (o *office) recordOf(v *visit) (jobs.DisputeRecord, error) {
	var row db.DisputeRow
	err := v.read(func(q *db.Queries) (err error) {
		row, err = v.dispute(q)
		return err
	})
	if err != nil {
		return jobs.DisputeRecord{}, err
	}
	return o.DisputeRecord(v.Request().Context(), row.Dispute.TenantID, row.Dispute.ID)
}

// sendable reports whether a message to the partner can be written.
func (d disputeView) sendable() bool {
	return d.Dispute.State != "credited" && d.Dispute.State != "withdrawn"
}

// written is what stands in a form for a message: what was entered, or else the draft.
func (d disputeView) written(form string) jobs.DisputeMessage {
	switch {
	case d.open == form:
		return d.entered
	case form == "send":
		return d.draft
	}
	return jobs.DisputeMessage{}
}

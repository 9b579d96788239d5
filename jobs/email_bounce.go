package jobs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/seal"
	"github.com/roamwerk/roamwerk/mail"
)

// How a message came back, beside the actions of delivery reports (RFC 3464).
const (
	bouncedByHand = "by-hand" // a person says so
	bouncedOther  = "other"   // it is no report: an answer, somebody's holiday
)

const bouncePrefix = "bounce-"

// bounceMailbox is the name in the address to which reports about an e-mail come. Nobody else can make one.
func bounceMailbox(box *seal.Box, email uuid.UUID) string {
	return bouncePrefix + hex.EncodeToString(email[:]) + "-" + hex.EncodeToString(box.Hash(bouncePrefix + email.String())[:8])
}

// TakeBounce stores what came back for an e-mail, as it came; a report that it will not arrive makes the e-mail bounced. It
// returns mail.ErrNoMailbox for a name that no e-mail of ours has.
func (o *Ops) TakeBounce(ctx context.Context, mailbox string, message []byte) error {
	text, _, _ := strings.Cut(strings.TrimPrefix(mailbox, bouncePrefix), "-")
	id, err := uuid.Parse(text)
	if err != nil || !hmac.Equal([]byte(mailbox), []byte(bounceMailbox(o.Box, id))) {
		return mail.ErrNoMailbox
	}
	report, err := mail.ParseBounce(bytes.NewReader(message))
	if errors.Is(err, mail.ErrNoReport) {
		report = mail.Bounce{Action: bouncedOther}
	} else if err != nil {
		return err
	}
	err = o.bounce(ctx, id, report, message)
	if errors.Is(err, db.ErrNotFound) {
		return mail.ErrNoMailbox
	}
	return err
}

// EmailCameBack notes what a person knows: that an e-mail did not arrive.
func (o *Ops) EmailCameBack(ctx context.Context, tenant, id uuid.UUID, reason string) error {
	email, err := o.DB.Email(ctx, id)
	if err != nil || email.TenantID != tenant {
		return cmp.Or(err, db.ErrNotFound)
	}
	if email.State != "sent" {
		return refuse("not-sent")
	}
	return o.bounce(ctx, id, mail.Bounce{Action: bouncedByHand, Recipient: email.Recipient, Reason: strings.TrimSpace(reason)}, []byte{})
}

func (o *Ops) bounce(ctx context.Context, id uuid.UUID, report mail.Bounce, message []byte) error {
	var told uuid.UUID
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		email, err := q.LockEmail(ctx, id)
		if err != nil {
			return err
		}
		err = q.InsertBounce(ctx, db.InsertBounceParams{
			ID: uuid.Must(uuid.NewV7()), TenantID: email.TenantID, EmailID: id, ReceivedAt: o.Now(),
			Action: report.Action, Status: report.Status, Recipient: report.Recipient, Reason: report.Reason, Message: message,
		})
		if err != nil {
			return fmt.Errorf("keep what came back: %w", err)
		}
		if !report.Failed() && report.Action != bouncedByHand || email.State == "bounced" {
			return nil
		}
		problem := cmp.Or(strings.TrimSpace(report.Status+" "+report.Reason), "came back")
		if err := q.BounceEmail(ctx, db.BounceEmailParams{ID: id, Problem: problem, Now: o.Now()}); err != nil {
			return fmt.Errorf("mark bounced: %w", err)
		}
		if !email.InvoiceID.Valid {
			return nil
		}
		if err := event(ctx, q, o.Now(), email.TenantID, "invoice", email.InvoiceID.UUID, "bounced", map[string]string{"to": email.Recipient, "reason": problem}); err != nil {
			return err
		}
		told, err = o.tellOfBounce(ctx, q, email, problem)
		return err
	})
	if err == nil && told != uuid.Nil {
		o.Bell.Ring(ctx, EmailSend, told)
	}
	return err
}

// bounceText tells the utility what did not arrive, in the language of German utilities and in English.
var bounceText = billing.Text{
	DE: "Guten Tag,\n\ndie E-Mail „%s“ an %s konnte nicht zugestellt werden:\n%s\n\nHier berichtigen Sie die Adresse und senden den Beleg erneut oder als Brief:\n%s\n",
	EN: "Hello,\n\nthe e-mail \"%s\" to %s could not be delivered:\n%s\n\nCorrect the address and send the document again, or as a letter, here:\n%s\n",
}

// tellOfBounce writes to the utility that an e-mail did not arrive.
func (o *Ops) tellOfBounce(ctx context.Context, q *db.Queries, email db.Email, problem string) (uuid.UUID, error) {
	tenant, err := q.Tenant(ctx, email.TenantID)
	if err != nil {
		return uuid.Nil, fmt.Errorf("tenant: %w", err)
	}
	settings, err := mailOf(ctx, q, email.TenantID)
	if err != nil {
		return uuid.Nil, err
	}
	to := cmp.Or(settings.BounceContact, tenant.ContactEmail)
	if to == "" {
		return uuid.Nil, nil
	}
	id := uuid.Must(uuid.NewV7())
	link := o.BaseURL + "/de/outbox/" + email.ID.String()
	err = q.InsertEmail(ctx, db.InsertEmailParams{
		ID: id, TenantID: email.TenantID, Copy: 1, MessageID: id.String() + "@roamwerk", Sender: senderOf(tenant, settings), Recipient: to, CreatedAt: o.Now(),
		Subject: "Unzustellbar: " + email.Subject,
		Body: fmt.Sprintf(bounceText.DE, email.Subject, email.Recipient, problem, link) + "\n--\n\n" +
			fmt.Sprintf(bounceText.EN, email.Subject, email.Recipient, problem, o.BaseURL+"/en/outbox/"+email.ID.String()),
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("queue e-mail: %w", err)
	}
	return id, nil
}

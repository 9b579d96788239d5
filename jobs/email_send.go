package jobs

import (
	"context"
	"fmt"
	"net/mail"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	outgoing "github.com/roamwerk/roamwerk/mail"
)

// invoiceTexts are the subject and the body of the e-mail that carries an invoice.
var invoiceTexts = map[string]struct{ subject, body string }{
	"de": {
		"Ihre Rechnung %s von %s",
		"Guten Tag,\n\nim Anhang finden Sie Ihre Rechnung %s über Ihre Ladevorgänge.\n\nRechnungsbetrag: %s %s\n%s\n\nDie Rechnung enthält die elektronischen Rechnungsdaten nach EN 16931.\n\nMit freundlichen Grüßen\n%s\n%s\n",
	},
	"en": {
		"Your invoice %s from %s",
		"Hello,\n\nplease find attached your invoice %s for your charging sessions.\n\nAmount: %s %s\n%s\n\nThe invoice contains electronic invoice data according to EN 16931.\n\nKind regards\n%s\n%s\n",
	},
}

var dueTexts = map[string]map[billing.PaymentMeans]string{
	"de": {billing.PaymentDirectDebit: "Wir buchen den Betrag am %s von Ihrem Konto ab.", billing.PaymentTransfer: "Bitte überweisen Sie den Betrag bis zum %s."},
	"en": {billing.PaymentDirectDebit: "We will collect the amount from your account on %s.", billing.PaymentTransfer: "Please transfer the amount by %s."},
}

// queueEmail puts the e-mail of an invoice into the outbox, once. A customer without an address gets none.
func (w *Worker) queueEmail(ctx context.Context, q *db.Queries, row db.Invoice, inv billing.Invoice) (uuid.UUID, error) {
	if inv.Customer.Email == "" {
		return uuid.Nil, nil
	}
	text, due := invoiceTexts[inv.Language], ""
	if format, ok := dueTexts[inv.Language][inv.Payment.Means]; ok {
		due = fmt.Sprintf(format, inv.DueDate.Format("02.01.2006"))
	}
	id := uuid.Must(uuid.NewV7())
	sender := mail.Address{Name: inv.Supplier.Name, Address: inv.Supplier.ContactEmail}
	amount := inv.Gross.StringFixed(2)
	if inv.Language == "de" {
		amount = strings.Replace(amount, ".", ",", 1)
	}
	err := q.InsertEmail(ctx, db.InsertEmailParams{
		ID: id, TenantID: row.TenantID, InvoiceID: uuid.NullUUID{UUID: row.ID, Valid: true},
		MessageID: id.String() + "@roamwerk", Sender: sender.String(), Recipient: inv.Customer.Email,
		Subject: fmt.Sprintf(text.subject, inv.Number, inv.Supplier.Name),
		Body:    fmt.Sprintf(text.body, inv.Number, amount, inv.Currency, due, inv.Supplier.Name, inv.Supplier.ContactPhone), CreatedAt: w.Now(),
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("queue e-mail: %w", err)
	}
	return id, nil
}

// sendEmail delivers one e-mail of the outbox. Without a mail server the outbox keeps it for the back office to read.
func (w *Worker) sendEmail(ctx context.Context, id uuid.UUID) error {
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		email, err := q.LockEmail(ctx, id)
		if err != nil {
			return err
		}
		if email.DueAt == nil {
			return nil
		}
		state := "kept"
		if w.Mail != nil {
			message, err := w.message(ctx, q, email)
			if err != nil {
				return err
			}
			// The row stays locked while the server is spoken to, so that no other worker sends the same message. A crash
			// between its answer and our commit repeats the message with the same Message-ID.
			if err := w.Mail.Send(ctx, message); err != nil {
				return err
			}
			state = "sent"
		}
		if err := q.FinishEmail(ctx, db.FinishEmailParams{ID: id, State: state, Now: ptr(w.Now())}); err != nil {
			return fmt.Errorf("finish e-mail: %w", err)
		}
		if !email.InvoiceID.Valid {
			return nil
		}
		if err := q.InvoiceSent(ctx, db.InvoiceSentParams{ID: email.InvoiceID.UUID, Now: w.Now()}); err != nil {
			return fmt.Errorf("mark invoice sent: %w", err)
		}
		return event(ctx, q, w.Now(), email.TenantID, "invoice", email.InvoiceID.UUID, "emailed", map[string]string{"state": state})
	})
}

// message is an e-mail with the documents of its invoice.
func (w *Worker) message(ctx context.Context, q *db.Queries, email db.Email) (outgoing.Message, error) {
	m := outgoing.Message{ID: email.MessageID, Date: email.CreatedAt, From: email.Sender, To: email.Recipient, Subject: email.Subject, Body: email.Body}
	if !email.InvoiceID.Valid {
		return m, nil
	}
	for _, format := range Formats[:atIssue] {
		doc, err := q.Document(ctx, db.DocumentParams{InvoiceID: email.InvoiceID.UUID, Format: format.Name})
		if err != nil {
			return m, fmt.Errorf("%s of the invoice: %w", format.Name, err)
		}
		m.Attachments = append(m.Attachments, outgoing.Attachment{Name: doc.FileName, Type: format.Media, Bytes: doc.Bytes})
	}
	return m, nil
}

// maxEmailAttempts is after how many failures an e-mail is given to a person.
const maxEmailAttempts = 10

func (w *Worker) postponeEmail(ctx context.Context, id uuid.UUID, reason error) error {
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		email, err := q.LockEmail(ctx, id)
		if err != nil || email.DueAt == nil {
			return err
		}
		p := db.PostponeEmailParams{ID: id, State: "queued", Problem: reason.Error(), DueAt: ptr(w.Now().Add(backoff(email.Attempts)))}
		if email.Attempts+1 >= maxEmailAttempts {
			p.State, p.DueAt = "failed", nil
		}
		return q.PostponeEmail(ctx, p)
	})
}

package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	outgoing "github.com/roamwerk/roamwerk/mail"
)

// invoiceTexts are the subject and the body of the e-mail that carries an invoice. What is attached, or where it is, comes first.
var invoiceTexts = map[string]struct{ subject, body, attached, linked, more string }{
	"de": {
		"Ihre Rechnung %s von %s",
		"Guten Tag,\n\n%s\n\nRechnungsbetrag: %s %s\n%s\n\n%s\n\nMit freundlichen Grüßen\n%s\n%s\n",
		"im Anhang finden Sie Ihre Rechnung %s über Ihre Ladevorgänge. Sie enthält die elektronischen Rechnungsdaten nach EN 16931.",
		"Ihre Rechnung %s über Ihre Ladevorgänge liegt für Sie bereit.",
		"Rechnung, Einzelaufstellung und signierte Messdaten der Ladevorgänge:\n%s",
	},
	"en": {
		"Your invoice %s from %s",
		"Hello,\n\n%s\n\nAmount: %s %s\n%s\n\n%s\n\nKind regards\n%s\n%s\n",
		"please find attached your invoice %s for your charging sessions. It contains electronic invoice data according to EN 16931.",
		"your invoice %s for your charging sessions is ready for you.",
		"Invoice, itemised list and signed meter data of the sessions:\n%s",
	},
}

// correctionTexts are those of one that puts an earlier document right.
var correctionTexts = map[string]struct{ subject, body, attached, linked, more string }{
	"de": {
		"Ihre Rechnungskorrektur %s von %s",
		"Guten Tag,\n\n%s\n\nBetrag: %s %s\n%s\n\n%s\n\nMit freundlichen Grüßen\n%s\n%s\n",
		"im Anhang finden Sie die Rechnungskorrektur %s. Sie nennt die Rechnung, die sie berichtigt, und enthält die elektronischen Rechnungsdaten nach EN 16931. Ein Guthaben verrechnen wir mit Ihrem Kundenkonto.",
		"die Rechnungskorrektur %s liegt für Sie bereit. Sie nennt die Rechnung, die sie berichtigt. Ein Guthaben verrechnen wir mit Ihrem Kundenkonto.",
		"Rechnungskorrektur, Einzelaufstellung und signierte Messdaten der Ladevorgänge:\n%s",
	},
	"en": {
		"Your invoice correction %s from %s",
		"Hello,\n\n%s\n\nAmount: %s %s\n%s\n\n%s\n\nKind regards\n%s\n%s\n",
		"please find attached the invoice correction %s. It names the invoice that it corrects and contains electronic invoice data according to EN 16931. What is in your favour is settled on your customer account.",
		"the invoice correction %s is ready for you. It names the invoice that it corrects. What is in your favour is settled on your customer account.",
		"Invoice correction, itemised list and signed meter data of the sessions:\n%s",
	},
}

// owedTexts are those of one that pays: a self-billed document, and a credit note.
var owedTexts = map[billing.DocumentType]map[string]struct{ subject, body, attached, linked, more string }{
	billing.DocumentSelfBilled: {
		"de": {
			"Ihre Gutschrift %s von %s",
			"Guten Tag,\n\n%s\n\nBetrag zu Ihren Gunsten: %s %s\n%s\n\n%s\n\nMit freundlichen Grüßen\n%s\n%s\n",
			"im Anhang finden Sie die Gutschrift %s, mit der wir wie vereinbart abrechnen, was wir Ihnen vergüten. Sie enthält die elektronischen Rechnungsdaten nach EN 16931. Bitte widersprechen Sie, wenn etwas nicht stimmt.",
			"die Gutschrift %s, mit der wir wie vereinbart abrechnen, was wir Ihnen vergüten, liegt für Sie bereit. Bitte widersprechen Sie, wenn etwas nicht stimmt.",
			"Gutschrift und Einzelaufstellung:\n%s",
		},
		"en": {
			"Your self-billed invoice %s from %s",
			"Hello,\n\n%s\n\nAmount in your favour: %s %s\n%s\n\n%s\n\nKind regards\n%s\n%s\n",
			"please find attached the self-billed invoice %s, by which we settle as agreed what we owe you. It contains electronic invoice data according to EN 16931. Please object if anything is wrong.",
			"the self-billed invoice %s, by which we settle as agreed what we owe you, is ready for you. Please object if anything is wrong.",
			"Self-billed invoice and itemised list:\n%s",
		},
	},
	billing.DocumentCreditNote: {
		"de": {
			"Ihre Entgeltminderung %s von %s",
			"Guten Tag,\n\n%s\n\nBetrag zu Ihren Gunsten: %s %s\n%s\n\n%s\n\nMit freundlichen Grüßen\n%s\n%s\n",
			"im Anhang finden Sie den Beleg %s, mit dem wir Ihr Entgelt mindern. Er enthält die elektronischen Rechnungsdaten nach EN 16931.",
			"der Beleg %s, mit dem wir Ihr Entgelt mindern, liegt für Sie bereit.",
			"Beleg und Einzelaufstellung:\n%s",
		},
		"en": {
			"Your credit note %s from %s",
			"Hello,\n\n%s\n\nAmount in your favour: %s %s\n%s\n\n%s\n\nKind regards\n%s\n%s\n",
			"please find attached the credit note %s, which reduces your charges. It contains electronic invoice data according to EN 16931.",
			"the credit note %s, which reduces your charges, is ready for you.",
			"Credit note and itemised list:\n%s",
		},
	},
}

var payoutTexts = map[string]string{"de": "Wir überweisen Ihnen den Betrag bis zum %s.", "en": "We will transfer the amount to you by %s."}

var dueTexts = map[string]map[billing.PaymentMeans]string{
	"de": {billing.PaymentDirectDebit: "Wir buchen den Betrag am %s von Ihrem Konto ab.", billing.PaymentTransfer: "Bitte überweisen Sie den Betrag bis zum %s."},
	"en": {billing.PaymentDirectDebit: "We will collect the amount from your account on %s.", billing.PaymentTransfer: "Please transfer the amount by %s."},
}

// queueInvoiceEmail puts the e-mail of a copy of an invoice into the outbox, once.
func (o *Ops) queueInvoiceEmail(ctx context.Context, q *db.Queries, row db.Invoice, inv billing.Invoice, c copyOf) (uuid.UUID, error) {
	tenant, err := q.Tenant(ctx, row.TenantID)
	if err != nil {
		return uuid.Nil, fmt.Errorf("tenant: %w", err)
	}
	settings, err := mailOf(ctx, q, row.TenantID)
	if err != nil {
		return uuid.Nil, err
	}
	text, due := invoiceTexts[inv.Language], ""
	switch inv.Type {
	case billing.DocumentCorrection:
		text = correctionTexts[inv.Language]
	case billing.DocumentSelfBilled, billing.DocumentCreditNote:
		text = owedTexts[inv.Type][inv.Language]
	}
	format, ok := dueTexts[inv.Language][inv.Payment.Means]
	if inv.Pays() {
		format = payoutTexts[inv.Language]
	}
	if ok && !inv.DueDate.IsZero() {
		due = fmt.Sprintf(format, inv.DueDate.Format("02.01.2006"))
	}
	amount := inv.Gross.StringFixed(2)
	if inv.Language == "de" {
		amount = strings.Replace(amount, ".", ",", 1)
	}
	first := text.attached
	if c.way == ByPortal {
		first = text.linked
	}
	id := uuid.Must(uuid.NewV7())
	err = q.InsertEmail(ctx, db.InsertEmailParams{
		ID: id, TenantID: row.TenantID, InvoiceID: uuid.NullUUID{UUID: row.ID, Valid: true}, Copy: c.number, Attached: c.way == ByEmail,
		MessageID: id.String() + "@roamwerk", Sender: senderOf(tenant, settings), ReplyTo: settings.ReplyTo, Recipient: c.to,
		Subject: fmt.Sprintf(text.subject, inv.Number, inv.Supplier.Name),
		Body: fmt.Sprintf(text.body, fmt.Sprintf(first, inv.Number), amount, inv.Currency, due, fmt.Sprintf(text.more, o.documentURL(row.ID, inv.Language)),
			inv.Supplier.Name, inv.Supplier.ContactPhone), CreatedAt: o.Now(),
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("queue e-mail: %w", err)
	}
	return id, nil
}

// emailClaim is how long a claimed e-mail is left alone: longer than a mail server can keep us.
const emailClaim = 5 * time.Minute

// sendEmail delivers one e-mail of the outbox. Without a mail server the outbox keeps it for the back office to read.
//
// What is due is claimed by moving its time on; nothing is locked while the server is spoken to, and no other worker speaks to
// it for the same e-mail. A message is handed in again only when nobody can know whether the server took it: the connection
// broke before its answer, or we died, or lost our database, before that was written down. Then it is sent again, when the claim
// has passed, with the same Message-ID and Date, by which the receiver can tell: an invoice that comes twice does less harm than
// one that never comes.
func (w *Worker) sendEmail(ctx context.Context, id uuid.UUID) error {
	waiting, err := w.DB.Email(ctx, id)
	if err != nil {
		return err
	}
	post, err := w.postOf(ctx, waiting.TenantID)
	if err != nil {
		return err
	}
	if post == nil {
		return w.finishEmail(ctx, id, "kept")
	}
	now := w.Now()
	email, err := w.DB.ClaimEmail(ctx, db.ClaimEmailParams{ID: id, Now: now, ClaimedUntil: now.Add(emailClaim)})
	if err != nil {
		return err // no row: nothing is due
	}
	message, err := w.message(ctx, email)
	if err == nil {
		err = post.Send(ctx, message)
	}
	if err != nil {
		return w.failEmail(ctx, email, err)
	}
	return w.finishEmail(context.WithoutCancel(ctx), id, "sent") // the server has it, whatever becomes of us
}

// finishEmail writes down what became of an e-mail, once.
func (w *Worker) finishEmail(ctx context.Context, id uuid.UUID, state string) error {
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		email, err := q.FinishEmail(ctx, db.FinishEmailParams{ID: id, State: state, Now: w.Now()})
		if err != nil {
			return err // no row: somebody else wrote it down
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

// maxEmailAttempts is after how many failures an e-mail is given to a person.
const maxEmailAttempts = 10

// failEmail writes down why an e-mail could not be sent, and when to try again. The error is ours.
func (w *Worker) failEmail(ctx context.Context, email db.Email, why error) error {
	if ctx.Err() != nil {
		return ctx.Err() // shutting down: the claim passes
	}
	w.Log.WarnContext(ctx, "cannot send e-mail", "email", email.ID, "attempt", email.Attempts, "error", why)
	fail := db.FailEmailParams{ID: email.ID, State: "queued", Problem: why.Error(), ClaimedUntil: *email.DueAt}
	if email.Attempts >= maxEmailAttempts {
		fail.State = "failed"
	} else {
		fail.DueAt = ptr(w.Now().Add(backoff(email.Attempts - 1)))
	}
	if err := w.DB.FailEmail(ctx, fail); err != nil {
		return fmt.Errorf("note an e-mail that fails: %w", err)
	}
	return nil
}

// postponeEmail leaves alone what was claimed: an e-mail that fails has its own time, and a claim passes. What could not even be
// claimed is tried again when its reason may have gone.
func (w *Worker) postponeEmail(ctx context.Context, id uuid.UUID, reason error) error {
	now := w.Now()
	email, err := w.DB.ClaimEmail(ctx, db.ClaimEmailParams{ID: id, Now: now, ClaimedUntil: now.Add(emailClaim)})
	if errors.Is(err, db.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return w.failEmail(ctx, email, reason)
}

// message is an e-mail with the documents of its invoice.
func (w *Worker) message(ctx context.Context, email db.Email) (outgoing.Message, error) {
	m := outgoing.Message{ID: email.MessageID, Date: email.CreatedAt, From: email.Sender, ReplyTo: email.ReplyTo, To: email.Recipient, Subject: email.Subject, Body: email.Body}
	if w.BounceDomain != "" {
		m.Return = bounceMailbox(w.Box, email.ID) + "@" + w.BounceDomain
	}
	if !email.InvoiceID.Valid || !email.Attached {
		return m, nil
	}
	for _, format := range Formats[:atIssue] {
		doc, err := w.DB.Document(ctx, db.DocumentParams{InvoiceID: email.InvoiceID.UUID, Format: format.Name})
		if err != nil {
			return m, fmt.Errorf("%s of the invoice: %w", format.Name, err)
		}
		m.Attachments = append(m.Attachments, outgoing.Attachment{Name: doc.FileName, Type: format.Media, Bytes: doc.Bytes})
	}
	return m, nil
}

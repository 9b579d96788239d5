package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	outgoing "github.com/roamwerk/roamwerk/mail"
)

// MailSettings are what a utility wants of its e-mails. An empty address is the contact's.
type MailSettings struct {
	Sender        string  // address
	ReplyTo       string  // address
	BounceContact string  // who is told what did not arrive
	SMTP          *string // URL of the utility's own server, see mail.New; empty: the platform's; nil: as it is
}

// SetMail changes what a utility's e-mails look like and where they leave.
//
// Its error is a *billing.DraftError if something that was entered cannot be.
func (o *Ops) SetMail(ctx context.Context, tenant uuid.UUID, m MailSettings) error {
	wrong := m.tidy()
	var server *url.URL
	if m.SMTP != nil && *m.SMTP != "" {
		var err error
		if _, err = outgoing.New(*m.SMTP); err == nil {
			server, err = url.Parse(*m.SMTP)
		}
		if err != nil { // which may hold the password
			wrong = append(wrong, billing.Problem{Field: "mail.host", DE: "Der Mailserver steht als smtp://Name:Kennwort@Server:587.", EN: "A mail server looks like smtp://user:password@host:587."})
		}
	}
	if len(wrong) > 0 {
		return &billing.DraftError{Problems: wrong}
	}
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, tenant); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		before, err := mailOf(ctx, q, tenant)
		if err != nil {
			return err
		}
		save := db.SaveMailSettingsParams{
			TenantID: tenant, Sender: m.Sender, ReplyTo: m.ReplyTo, BounceContact: m.BounceContact, SMTPHost: before.SMTPHost, SMTPSealed: before.SMTPSealed, ChangedAt: o.Now(),
		}
		if m.SMTP != nil {
			save.SMTPHost, save.SMTPSealed = "", nil
			if server != nil {
				save.SMTPHost, save.SMTPSealed = server.Host, o.Box.Seal(mailLabel(tenant), *m.SMTP)
			}
		}
		if err := q.SaveMailSettings(ctx, save); err != nil {
			return fmt.Errorf("save mail settings: %w", err)
		}
		detail := map[string]string{}
		for field, values := range map[string][2]string{
			"mail.sender": {before.Sender, save.Sender}, "mail.reply_to": {before.ReplyTo, save.ReplyTo}, "mail.bounces": {before.BounceContact, save.BounceContact}, "mail.host": {before.SMTPHost, save.SMTPHost},
		} {
			if values[0] != values[1] {
				detail[field] = beforeAfter(values[0], values[1])
			}
		}
		if m.SMTP != nil && server != nil && detail["mail.host"] == "" { // the password, perhaps
			detail["mail.host"] = beforeAfter(before.SMTPHost, save.SMTPHost)
		}
		if len(detail) == 0 {
			return nil
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "mail", detail)
	})
}

// tidy puts addresses into the form in which they are kept and says which are none.
func (m *MailSettings) tidy() (wrong []billing.Problem) {
	for _, a := range []struct {
		field   string
		address *string
	}{{"mail.sender", &m.Sender}, {"mail.reply_to", &m.ReplyTo}, {"mail.bounces", &m.BounceContact}} {
		if *a.address = strings.TrimSpace(*a.address); *a.address != "" && !isEmail(*a.address) {
			text := RefusalText("email-address")
			wrong = append(wrong, billing.Problem{Field: a.field, DE: text.DE, EN: text.EN})
		}
	}
	return wrong
}

// tryTexts are the subject and the body of an e-mail that tries the way.
var tryTexts = map[string][2]string{
	"de": {"Versuch: E-Mails von %s", "Guten Tag,\n\ndiese E-Mail zeigt, dass Rechnungen von %s auf diesem Weg ankommen. Bitte prüfen Sie Absender und Antwortadresse.\n"},
	"en": {"Trial: e-mails from %s", "Hello,\n\nthis e-mail shows that invoices from %s arrive this way. Please check its sender and where an answer goes.\n"},
}

// TryMail puts an e-mail into the outbox that only shows whether one arrives, and returns its id.
func (o *Ops) TryMail(ctx context.Context, tenant uuid.UUID, to, language string) (uuid.UUID, error) {
	if to = strings.TrimSpace(to); !isEmail(to) {
		text := RefusalText("email-address")
		return uuid.Nil, &billing.DraftError{Problems: []billing.Problem{{Field: "mail.try", DE: text.DE, EN: text.EN}}}
	}
	id := uuid.Must(uuid.NewV7())
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		t, err := q.Tenant(ctx, tenant)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		s, err := mailOf(ctx, q, tenant)
		if err != nil {
			return err
		}
		text := tryTexts[language]
		err = q.InsertEmail(ctx, db.InsertEmailParams{
			ID: id, TenantID: tenant, Copy: 1, MessageID: id.String() + "@roamwerk", Sender: senderOf(t, s), ReplyTo: s.ReplyTo, Recipient: to,
			Subject: fmt.Sprintf(text[0], t.Name), Body: fmt.Sprintf(text[1], t.Name), CreatedAt: o.Now(),
		})
		if err != nil {
			return fmt.Errorf("queue e-mail: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "mail-tried", map[string]string{"mail.try": to})
	})
	if err == nil {
		o.Bell.Ring(ctx, EmailSend, id)
	}
	return id, err
}

// mailOf is what a utility has set for its e-mails; nothing, if it has not.
func mailOf(ctx context.Context, q *db.Queries, tenant uuid.UUID) (db.MailSetting, error) {
	s, err := q.MailSettings(ctx, tenant)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return s, fmt.Errorf("mail settings: %w", err)
	}
	return s, nil
}

// senderOf is whom e-mails of a utility come from.
func senderOf(t db.Tenant, s db.MailSetting) string {
	sender := mail.Address{Name: t.Name, Address: cmp.Or(s.Sender, t.ContactEmail)}
	return sender.String()
}

// postOf is the server through which a utility's e-mails leave; nil: there is none.
func (w *Worker) postOf(ctx context.Context, tenant uuid.UUID) (*outgoing.Sender, error) {
	s, err := mailOf(ctx, w.DB.Queries, tenant)
	if err != nil || s.SMTPSealed == nil {
		return w.Mail, err
	}
	smtp, err := w.Box.Open(mailLabel(tenant), s.SMTPSealed)
	if err != nil {
		return nil, fmt.Errorf("mail server of the utility: %w", err)
	}
	return outgoing.New(smtp)
}

// mailLabel binds a sealed URL of a mail server to its utility.
func mailLabel(tenant uuid.UUID) string { return "mail/" + tenant.String() }

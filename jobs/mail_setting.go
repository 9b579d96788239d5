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
func (o *Ops) SetMail(ctx context.Context, tenant uuid.UUID, m MailSettings) error {
	for _, address := range []*string{&m.Sender, &m.ReplyTo, &m.BounceContact} {
		if *address = strings.TrimSpace(*address); *address != "" && !isEmail(*address) {
			return fmt.Errorf("%q is no e-mail address", *address)
		}
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
			if *m.SMTP != "" {
				if _, err := outgoing.New(*m.SMTP); err != nil {
					return err
				}
				u, err := url.Parse(*m.SMTP)
				if err != nil {
					return err
				}
				save.SMTPHost, save.SMTPSealed = u.Host, o.Box.Seal(mailLabel(tenant), *m.SMTP)
			}
		}
		if err := q.SaveMailSettings(ctx, save); err != nil {
			return fmt.Errorf("save mail settings: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "mail", map[string]string{"sender": m.Sender, "host": save.SMTPHost})
	})
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

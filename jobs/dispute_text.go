package jobs

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// DisputeReasonText says a reason in a sentence to the partner.
func DisputeReasonText(reason string) billing.Text { return disputeReasons[reason] }

var disputeReasons = map[string]billing.Text{
	"price":     {DE: "Der Gesamtbetrag ist nicht der, den Ihr Tarif ergibt.", EN: "The total is not what your tariff gives."},
	"tariff":    {DE: "Der angewendete Tarif war uns zu Beginn des Ladevorgangs nicht bekannt gemacht.", EN: "The tariff that was applied had not been made known to us when the session began."},
	"duplicate": {DE: "Der Ladevorgang wurde bereits mit einem anderen Datensatz abgerechnet.", EN: "The session has been charged with another CDR already."},
	"overlap":   {DE: "Mit derselben Karte wurde zur gleichen Zeit an einem anderen Ort geladen.", EN: "The same card was charging elsewhere at the same time."},
	"energy":    {DE: "Die Energiemenge ist an diesem Anschluss in dieser Zeit nicht möglich.", EN: "The energy is not possible at this connector in this time."},
	"duration":  {DE: "Die Dauer des Ladevorgangs ist nicht glaubhaft.", EN: "The duration of the session is not credible."},
	"late":      {DE: "Der Datensatz kam nach der vereinbarten Frist.", EN: "The CDR came after the agreed time."},
	"currency":  {DE: "Die Währung ist nicht die vereinbarte.", EN: "The currency is not the agreed one."},
	"vat":       {DE: "Die Umsatzsteuer stimmt nicht.", EN: "The VAT is not right."},
	"token":     {DE: "Die Karte ist nicht von uns oder war gesperrt.", EN: "The card is not ours or was blocked."},
	"operator":  {DE: "Der Ladepunkt gehört einem anderen Betreiber.", EN: "The charge point belongs to another operator."},
	"meter":     {DE: "Der signierte Messwert fehlt, ist ungültig oder weicht ab.", EN: "The signed meter value is missing, not valid or different."},
	"other":     {DE: "Bitte prüfen Sie die Abrechnung.", EN: "Please check what was charged."},
}

// disputeTexts are the parts of the message to the partner.
var disputeTexts = map[string]struct{ subject, greeting, line, sums, ask, rule, deadline, more, close string }{
	"de": {
		"Streitfall %s: Abrechnung von %d Ladevorgang/Ladevorgängen", "Guten Tag,\n\nwir beanstanden die folgenden Abrechnungsdatensätze. %s",
		"%s (Beginn %s, %s kWh, %s): gefordert %s %s, nach Ihrem Tarif %s %s, anerkannt %s %s",
		"Summe: gefordert %s %s, anerkannt %s %s, zu erstatten %s %s, jeweils ohne Umsatzsteuer.",
		"Bitte senden Sie zu jedem Datensatz eine Gutschrift und, soweit etwas zu zahlen bleibt, einen neuen Datensatz.",
		"OCPI 2.2.1 (Credit CDR) kennt nur die volle Gutschrift: credit = true, credit_reference_id = Nummer des Originals, alle übrigen Angaben unverändert, total_cost mit umgekehrtem Vorzeichen. Ein Ersatz ist ein neuer Datensatz mit eigener Nummer.",
		"Wir erbitten Ihre Antwort bis zum %s.", "… und %d weitere, siehe Anlage.", "Mit freundlichen Grüßen\n%s\n%s",
	},
	"en": {
		"Dispute %s: charging of %d session(s)", "Hello,\n\nwe dispute the following CDRs. %s",
		"%s (start %s, %s kWh, %s): claimed %s %s, by your tariff %s %s, accepted %s %s",
		"Total: claimed %s %s, accepted %s %s, to be credited %s %s, all without VAT.",
		"Please send a credit CDR for each of them and, where something remains to be paid, a new CDR.",
		"OCPI 2.2.1 (Credit CDR) knows the full credit only: credit = true, credit_reference_id = id of the original, everything else unchanged, total_cost with the opposite sign. A replacement is a new CDR with an id of its own.",
		"We ask for your answer by %s.", "… and %d more, see the attachment.", "Kind regards\n%s\n%s",
	},
}

// cdrsInMessage is how many CDRs a message lists; the export has all of them.
const cdrsInMessage = 50

// DisputeMessage is the ready-made message to the partner, in German ("de") or English.
func (o *Ops) DisputeMessage(ctx context.Context, tenant, id uuid.UUID, lang string) (DisputeMessage, error) {
	text, known := disputeTexts[lang]
	if !known {
		return DisputeMessage{}, fmt.Errorf("no message in language %q", lang)
	}
	var m DisputeMessage
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		row, err := q.Dispute(ctx, db.DisputeParams{ID: id, TenantID: uuid.NullUUID{UUID: tenant, Valid: true}})
		if err != nil {
			return err
		}
		utility, err := q.Tenant(ctx, tenant)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		cdrs, err := q.DisputeCDRs(ctx, id)
		if err != nil {
			return fmt.Errorf("CDRs of dispute: %w", err)
		}
		d := row.Dispute
		reason := DisputeReasonText(d.Reason).EN
		if lang == "de" {
			reason = DisputeReasonText(d.Reason).DE
		}
		money := func(amount decimal.Decimal) string { return decimalText(billing.Round(amount, 2).StringFixed(2), lang) }
		zone := zoneOf(utility)
		var lines []string
		for i, c := range cdrs {
			if i == cdrsInMessage {
				lines = append(lines, fmt.Sprintf(text.more, len(cdrs)-i))
				break
			}
			s := c.CDRState
			lines = append(lines, fmt.Sprintf(text.line, s.CountryCode+"*"+s.PartyID+" "+s.OCPIID, dateTimeText(s.StartedAt.In(zone), lang), decimalText(s.KWh.String(), lang), s.EVSEID,
				money(c.DisputeCDR.Claimed), s.Currency, money(c.DisputeCDR.Computed), s.Currency, money(c.DisputeCDR.Accepted), s.Currency))
		}
		m.Subject = fmt.Sprintf(text.subject, d.Number, len(cdrs))
		m.Body = strings.Join([]string{
			fmt.Sprintf(text.greeting, reason), d.Note, strings.Join(lines, "\n"),
			fmt.Sprintf(text.sums, money(d.Claimed), d.Currency, money(d.Accepted), d.Currency, money(d.Expected), d.Currency),
			text.ask, text.rule, fmt.Sprintf(text.deadline, dateText(d.Deadline.In(zone), lang)), fmt.Sprintf(text.close, utility.Name, utility.ContactPhone),
		}, "\n\n")
		m.Body = strings.ReplaceAll(m.Body, "\n\n\n\n", "\n\n") + "\n"
		return nil
	})
	return m, err
}

// creditTexts tell a partner what is wrong with a credit CDR.
var creditTexts = map[string]struct{ subject, body string }{
	"de": {
		"Gutschrift %s lässt sich nicht anwenden",
		"Guten Tag,\n\nIhre Gutschrift %s zum Datensatz %s über %s %s (ohne Umsatzsteuer) ist keine volle Spiegelung des Originals über %s %s. Wir haben sie angehalten.\n\n%s\n\nBitte senden Sie die volle Gutschrift und, soweit etwas zu zahlen bleibt, einen neuen Datensatz.\n\n%s\n",
	},
	"en": {
		"Credit %s cannot be applied",
		"Hello,\n\nyour credit CDR %s for CDR %s over %s %s (without VAT) is not a full mirror of the original over %s %s. We have put it on hold.\n\n%s\n\nPlease send the full credit and, where something remains to be paid, a new CDR.\n\n%s\n",
	},
}

// CreditMessage is the ready-made message to the partner about a credit CDR that is held because it is no full mirror of its
// original. It quotes the rule.
func (o *Ops) CreditMessage(ctx context.Context, tenant, credit uuid.UUID, lang string) (DisputeMessage, error) {
	text, known := creditTexts[lang]
	if !known {
		return DisputeMessage{}, fmt.Errorf("no message in language %q", lang)
	}
	state, err := o.DB.CDRState(ctx, credit)
	if err != nil {
		return DisputeMessage{}, err
	}
	if state.TenantID != tenant || state.CreditReference == "" || state.State != cdrHeld {
		return DisputeMessage{}, db.ErrNotFound
	}
	utility, err := o.DB.Tenant(ctx, tenant)
	if err != nil {
		return DisputeMessage{}, fmt.Errorf("tenant: %w", err)
	}
	original, err := o.DB.CDRStateByIdentity(ctx, db.CDRStateByIdentityParams{CountryCode: state.CountryCode, PartyID: state.PartyID, OCPIID: state.CreditReference})
	if err != nil || original.TenantID != tenant {
		original = db.CDRState{Currency: state.Currency} // there is none: that, too, is no mirror
	}
	money := func(amount decimal.Decimal) string { return decimalText(amount.StringFixed(2), lang) }
	return DisputeMessage{
		Subject: fmt.Sprintf(text.subject, state.OCPIID),
		Body: fmt.Sprintf(text.body, state.OCPIID, state.CreditReference, money(state.Claimed), state.Currency, money(original.Claimed), original.Currency,
			disputeTexts[lang].rule, fmt.Sprintf(disputeTexts[lang].close, utility.Name, utility.ContactPhone)),
	}, nil
}

func zoneOf(t db.Tenant) *time.Location {
	zone, err := time.LoadLocation(t.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func decimalText(text, lang string) string {
	if lang == "de" {
		return strings.Replace(text, ".", ",", 1)
	}
	return text
}

func dateText(at time.Time, lang string) string {
	if lang == "de" {
		return at.Format("02.01.2006")
	}
	return at.Format(time.DateOnly)
}

func dateTimeText(at time.Time, lang string) string { return dateText(at, lang) + at.Format(" 15:04") }

// WriteCSV writes the CDRs of a dispute as a table: separated by semicolons, with a point as decimal mark, after a byte order
// mark, so that spreadsheets read it.
func (d *DisputeRecord) WriteCSV(w io.Writer) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma = ';'
	rows := [][]string{{
		"dispute", "reason", "cpo", "cdr_id", "session_id", "evse_id", "start_date_time", "end_date_time", "kwh", "currency", "claimed", "computed", "accepted", "expected_credit", "credited", "credit_id",
	}}
	for _, c := range d.CDRs {
		rows = append(rows, []string{
			d.ID, d.Reason, c.CountryCode + "*" + c.PartyID, spreadsheetText(c.ID), spreadsheetText(c.SessionID), spreadsheetText(c.EVSEID), c.Start.UTC().Format(time.RFC3339), c.End.UTC().Format(time.RFC3339),
			c.KWh.String(), d.Currency, c.Claimed.String(), c.Computed.String(), c.Accepted.String(), c.Claimed.Sub(c.Accepted).String(), c.Credited.String(), spreadsheetText(c.CreditID),
		})
	}
	return out.WriteAll(rows)
}

// spreadsheetText keeps a partner's text from being taken for a formula.
func spreadsheetText(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// queueDisputeEmail puts a message into the outbox; its id becomes the reference of the message.
func (o *Ops) queueDisputeEmail(ctx context.Context, q *db.Queries, tenant uuid.UUID, to string, m *DisputeMessage) (uuid.UUID, error) {
	utility, err := q.Tenant(ctx, tenant)
	if err != nil {
		return uuid.Nil, fmt.Errorf("tenant: %w", err)
	}
	id := uuid.Must(uuid.NewV7())
	m.Reference = id.String() + "@roamwerk"
	settings, err := mailOf(ctx, q, tenant)
	if err != nil {
		return uuid.Nil, err
	}
	err = q.InsertEmail(ctx, db.InsertEmailParams{
		ID: id, TenantID: tenant, Copy: 1, MessageID: m.Reference, Sender: senderOf(utility, settings), ReplyTo: settings.ReplyTo, Recipient: to,
		Subject: m.Subject, Body: m.Body, CreatedAt: o.Now(),
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("queue e-mail: %w", err)
	}
	return id, nil
}

package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// AlertKind is something that somebody should look at. It is raised once for each subject and resolved by itself when it is
// over.
type AlertKind string

// The kinds of alert.
const (
	AlertMissingCDR    AlertKind = "missing-cdr"         // a session has ended and its CDR has not come; the subject is the session
	AlertSilent        AlertKind = "silent"              // CDRs used to come, and do not
	AlertTokenRejected AlertKind = "token-rejected"      // 401 on a connection that worked
	AlertUnreachable   AlertKind = "unreachable"         // no answer for an hour
	AlertTokenDrift    AlertKind = "token-drift"         // the partner's copies of tokens were not ours
	AlertBlockOpen     AlertKind = "block-open"          // blocked cards that the partner has not confirmed
	AlertPullFails     AlertKind = "pull-fails"          // a list cannot be read; the subject is the module and the party
	AlertPullBad       AlertKind = "pull-bad"            // objects of a list could not be taken; the subject as above
	AlertDrift         AlertKind = "differences-add-up"  // small differences of claims, all tolerated, are much in a month; the subject is the month
	AlertNotConnected  AlertKind = "party-not-connected" // a hub announces or has ended a party; the subject is the party
	AlertEVSETwice     AlertKind = "evse-twice"          // EVSEs that stand at two Locations; the subject is the CPO
	AlertWaiting       AlertKind = "waiting-cdrs"        // CDRs have waited for master data for days; the subject is the utility and what is missing
	AlertDisputeEnds   AlertKind = "dispute-ends"        // the deadline of a dispute is near; the subject is the dispute
	AlertDisputeOver   AlertKind = "dispute-expired"     // it has passed, and nothing came; the subject is the dispute
)

// alertTexts are the sentences for each kind, in which {name} stands for a parameter.
var alertTexts = map[AlertKind]struct{ de, en string }{
	AlertMissingCDR: {
		"Zum Ladevorgang {session} ({kwh} kWh, beendet vor mehr als {hours} Stunden) fehlt der Abrechnungsdatensatz.",
		"The CDR of session {session} ({kwh} kWh, ended more than {hours} hours ago) is missing.",
	},
	AlertSilent: {
		"Seit {hours} Stunden kam kein Abrechnungsdatensatz. Üblich sind höchstens {usual} Stunden dazwischen.",
		"No CDR has come for {hours} hours. Usually at most {usual} hours pass between two.",
	},
	AlertTokenRejected: {
		"Der Partner lehnt unser Zugangstoken ab (HTTP 401). Alle Aufträge an ihn ruhen, bis er es wieder annimmt oder sich neu registriert.",
		"The partner rejects our credentials token (HTTP 401). Everything for it rests until it accepts the token again or registers anew.",
	},
	AlertUnreachable: {
		"Der Partner antwortet seit {since} nicht.",
		"The partner has not answered since {since}.",
	},
	AlertTokenDrift: {
		"Von {compared} verglichenen Karten wichen {different} beim Partner ab. Sie wurden erneut gesendet.",
		"Of {compared} cards compared, {different} were different at the partner. They were sent again.",
	},
	AlertBlockOpen: {
		"{count} gesperrte Karten hat der Partner noch nicht bestätigt, die älteste seit {since}.",
		"The partner has not confirmed {count} blocked cards, the oldest since {since}.",
	},
	AlertPullFails: {
		"Die Liste {list} lässt sich nicht lesen: {problem}",
		"The list {list} cannot be read: {problem}",
	},
	AlertPullBad: {
		"{bad} von {objects} Objekten der Liste {list} konnten nicht übernommen werden.",
		"{bad} of {objects} objects of the list {list} could not be taken.",
	},
	AlertWaiting: {
		"{count} Abrechnungsdatensätze über {claimed} {currency} warten auf Stammdaten ({reason}), der älteste seit {since}.",
		"{count} CDRs for {claimed} {currency} wait for master data ({reason}), the oldest since {since}.",
	},
	AlertDisputeEnds: {
		"Der Streitfall {number} über {expected} {currency} endet am {deadline} ohne Einigung.",
		"Dispute {number} about {expected} {currency} ends on {deadline} without a settlement.",
	},
	AlertDisputeOver: {
		"Der Streitfall {number} über {expected} {currency} ist am {deadline} verfallen. Entscheiden Sie, was mit den Forderungen geschieht.",
		"Dispute {number} about {expected} {currency} expired on {deadline}. Decide what becomes of the claims.",
	},
	AlertDrift: {
		"Die geduldeten Abweichungen von {cdrs} Ladevorgängen im Monat {month} ergeben zusammen {delta} von {claimed}, die gefordert sind.",
		"The tolerated differences of {cdrs} sessions in {month} come to {delta} of {claimed} that are claimed.",
	},
	AlertNotConnected: {
		"Der Hub meldet {party} als {status}.",
		"The hub reports {party} as {status}.",
	},
	AlertEVSETwice: {
		"{party} führt {count} Ladepunkte an mehreren Standorten, zum Beispiel {uid} an {places}. Ladevorgänge dort lassen sich nicht eindeutig zuordnen.",
		"{party} lists {count} EVSEs at several Locations, for example {uid} at {places}. Sessions there cannot be told apart.",
	},
}

// AlertText is the sentence of an alert in German ("de") or English.
func AlertText(a db.Alert, lang string) string {
	texts, known := alertTexts[AlertKind(a.Kind)]
	if !known {
		return a.Kind
	}
	text := texts.en
	if lang == "de" {
		text = texts.de
	}
	var params map[string]any
	if err := json.Unmarshal(a.Params, &params); err != nil {
		return text
	}
	for name, value := range params {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(value))
	}
	return text
}

// alert is one to raise or to resolve.
type alert struct {
	kind    AlertKind
	partner uuid.UUID
	tenant  uuid.NullUUID // none: it concerns the whole connection
	subject string
	params  map[string]any
}

// raise stores an alert, or that it still holds.
func (o *Ops) raise(ctx context.Context, a alert) error {
	_, err := o.raiseNew(ctx, a)
	return err
}

// raiseNew is raise, and reports whether the alert was not open.
func (o *Ops) raiseNew(ctx context.Context, a alert) (isNew bool, err error) {
	if a.params == nil {
		a.params = map[string]any{}
	}
	params, err := json.Marshal(a.params)
	if err != nil {
		return false, fmt.Errorf("encode alert: %w", err)
	}
	isNew, err = o.DB.RaiseAlert(ctx, db.RaiseAlertParams{
		ID: uuid.Must(uuid.NewV7()), Kind: string(a.kind), PartnerID: a.partner, TenantID: a.tenant, Subject: a.subject, Params: params, Now: o.Now(),
	})
	if err != nil {
		return false, fmt.Errorf("raise alert %s: %w", a.kind, err)
	}
	if isNew {
		o.Log.WarnContext(ctx, "alert", "kind", string(a.kind), "partner", a.partner, "subject", a.subject, "params", string(params))
	}
	return isNew, nil
}

// resolve ends an alert, if it is open.
func (o *Ops) resolve(ctx context.Context, a alert) error {
	_, err := o.DB.ResolveAlert(ctx, db.ResolveAlertParams{Kind: string(a.kind), PartnerID: a.partner, Subject: a.subject, Now: o.Now()})
	if err != nil {
		return fmt.Errorf("resolve alert %s: %w", a.kind, err)
	}
	return nil
}

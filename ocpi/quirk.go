package ocpi

import (
	"net/http"
	"slices"
	"strings"
)

// A Quirk is a way in which partners differ from OCPI and that is put up with.
// It is a setting of each partner: refused, or taken and recorded the first
// time that it is needed.
type Quirk string

// QuirkKind tells where a Quirk shows.
type QuirkKind uint8

const (
	// InTransport is around the message: headers, path, credentials token.
	InTransport QuirkKind = iota
	// InMessage is in the body that a partner sends.
	InMessage
	// InAnswer is in what a partner answers. It is recorded and cannot be
	// refused: nobody would be told.
	InAnswer
)

// The quirks.
const (
	QuirkRawToken           Quirk = "raw-token"
	QuirkUnpaddedToken      Quirk = "unpadded-token"
	QuirkTokenNewline       Quirk = "token-newline"
	QuirkNoMessageIDs       Quirk = "no-message-ids"
	QuirkNoRouting          Quirk = "no-routing"
	QuirkForeignSender      Quirk = "foreign-sender"
	QuirkContentType        Quirk = "content-type"
	QuirkUntidyPath         Quirk = "untidy-path"
	QuirkReceiverPath       Quirk = "receiver-path"
	QuirkCDRPath            Quirk = "cdr-path"
	QuirkTokenTypeName      Quirk = "token-type-name"
	QuirkTextForNumber      Quirk = "text-for-number"
	QuirkTextForBoolean     Quirk = "text-for-boolean"
	QuirkNumberForText      Quirk = "number-for-text"
	QuirkBlankList          Quirk = "blank-list"
	QuirkListedRestrictions Quirk = "listed-restrictions"
	QuirkTimesWithoutZone   Quirk = "times-without-zone"
	QuirkTimesWithOffset    Quirk = "times-with-offset"
	QuirkClockSeconds       Quirk = "clock-seconds"
	QuirkUnknownTime        Quirk = "unknown-time"
	QuirkUnknownValue       Quirk = "unknown-value"
	QuirkLongText           Quirk = "long-text"
	QuirkOddCharacters      Quirk = "odd-characters"
	QuirkPartyForm          Quirk = "party-form"
	QuirkCountryForm        Quirk = "country-form"
	QuirkCurrencyForm       Quirk = "currency-form"
	QuirkCoordinates        Quirk = "coordinates"
	QuirkZoneName           Quirk = "zone-name"
	QuirkURLForm            Quirk = "url-form"
	QuirkRepeatedID         Quirk = "repeated-id"
	QuirkEnergyInWh         Quirk = "energy-in-wh"
	QuirkPowerInKW          Quirk = "power-in-kw"
	QuirkTokenWithoutOwner  Quirk = "token-without-owner"
	QuirkEVSEWithoutUID     Quirk = "evse-without-uid"
	QuirkPlaceMissing       Quirk = "place-missing"
	QuirkUndatedClientInfo  Quirk = "undated-client-info"
	QuirkRestampedCDR       Quirk = "restamped-cdr"
	QuirkNoEnvelope         Quirk = "no-envelope"
	QuirkNoStatusCode       Quirk = "no-status-code"
	QuirkNoTimestamp        Quirk = "no-timestamp"
	QuirkNoTotalCount       Quirk = "no-total-count"
	QuirkLinkInBody         Quirk = "link-in-body"
	QuirkNoCommandTimeout   Quirk = "no-command-timeout"
	QuirkNoCredentialsPut   Quirk = "no-credentials-put"
)

// QuirkText is a Quirk in the words of a console.
type QuirkText struct {
	Name   Quirk
	Kind   QuirkKind
	De, En string
}

// Quirks is every tolerance there is.
var Quirks = []QuirkText{
	{QuirkRawToken, InTransport, "sendet das Zugangstoken ohne Base64", "sends the credentials token without Base64"},
	{QuirkUnpaddedToken, InTransport, "sendet das Base64 des Zugangstokens ohne Füllzeichen oder im URL-Alphabet", "sends the Base64 of the credentials token without padding or in the URL alphabet"},
	{QuirkTokenNewline, InTransport, "kodiert einen Zeilenumbruch in das Zugangstoken", "encodes a line feed into the credentials token"},
	{QuirkNoMessageIDs, InTransport, "lässt X-Request-ID oder X-Correlation-ID weg", "leaves out X-Request-ID or X-Correlation-ID"},
	{QuirkNoRouting, InTransport, "lässt die Routing-Header weg", "leaves out the routing headers"},
	{QuirkForeignSender, InTransport, "nennt als Absender einen Beteiligten, der nicht zu ihm gehört", "names a sender that is none of its parties"},
	{QuirkContentType, InTransport, "sendet JSON ohne den Content-Type application/json", "sends JSON without the Content-Type application/json"},
	{QuirkUntidyPath, InTransport, "sendet leere Pfadsegmente oder einen Schrägstrich am Ende", "sends empty path segments or a slash at the end"},
	{QuirkReceiverPath, InTransport, "sendet an …/receiver/{Modul} statt an die veröffentlichte Adresse", "sends to …/receiver/{module} instead of the published address"},
	{QuirkCDRPath, InTransport, "sendet Abrechnungsdatensätze an …/cdrs/{id}", "sends CDRs to …/cdrs/{id}"},
	{QuirkTokenTypeName, InTransport, "nennt den Kartentyp in token_type statt in type", "gives the type of a token in token_type instead of type"},
	{QuirkTextForNumber, InMessage, "schreibt Zahlen als Text", "writes numbers as text"},
	{QuirkTextForBoolean, InMessage, "schreibt true und false als Text", "writes true and false as text"},
	{QuirkNumberForText, InMessage, "schreibt Texte als Zahl", "writes texts as numbers"},
	{QuirkBlankList, InMessage, "schreibt einen leeren Text statt einer Liste", "writes a blank text instead of a list"},
	{QuirkListedRestrictions, InMessage, "schreibt die Einschränkungen eines Tarifs als Liste", "writes the restrictions of a tariff as a list"},
	{QuirkTimesWithoutZone, InMessage, "schreibt Zeiten ohne Z (gelesen als UTC)", "writes times without Z (read as UTC)"},
	{QuirkTimesWithOffset, InMessage, "schreibt Zeiten mit Versatz oder mehr als drei Nachkommastellen", "writes times with an offset or more than three digits of a fraction"},
	{QuirkClockSeconds, InMessage, "schreibt Uhrzeiten mit Sekunden oder 24:00", "writes times of day with seconds, or 24:00"},
	{QuirkUnknownTime, InMessage, "sendet 1970-1-1 als unbekannte Zeit", "sends 1970-1-1 for an unknown time"},
	{QuirkUnknownValue, InMessage, "sendet Werte, die OCPI nicht aufzählt", "sends values that OCPI does not list"},
	{QuirkLongText, InMessage, "sendet längere Texte oder Kennungen, als OCPI erlaubt", "sends texts or ids that are longer than OCPI allows"},
	{QuirkOddCharacters, InMessage, "sendet Steuerzeichen oder Umlaute, wo OCPI keine erlaubt", "sends control or other characters where OCPI allows none"},
	{QuirkPartyForm, InMessage, "schreibt country_code oder party_id in anderer Form", "writes country_code or party_id in another form"},
	{QuirkCountryForm, InMessage, "schreibt Länder nicht als drei Großbuchstaben", "writes countries other than as three capital letters"},
	{QuirkCurrencyForm, InMessage, "schreibt Währungen nicht als drei Großbuchstaben", "writes currencies other than as three capital letters"},
	{QuirkCoordinates, InMessage, "schreibt Koordinaten ungenau, vertauscht oder außerhalb der Erde", "writes coordinates that are imprecise, swapped or off the globe"},
	{QuirkZoneName, InMessage, "nennt keine Zeitzone der IANA", "names no IANA time zone"},
	{QuirkURLForm, InMessage, "sendet Verweise, die keine Adressen sind", "sends links that are no addresses"},
	{QuirkRepeatedID, InMessage, "sendet eine Kennung zweimal in einer Liste", "sends an id twice in one list"},
	{QuirkEnergyInWh, InMessage, "sendet ENERGY in Wh statt in kWh", "sends ENERGY in Wh instead of kWh"},
	{QuirkPowerInKW, InMessage, "sendet max_electric_power in kW statt in W", "sends max_electric_power in kW instead of W"},
	{QuirkTokenWithoutOwner, InMessage, "lässt country_code und party_id der Karte weg", "leaves out country_code and party_id of the token"},
	{QuirkEVSEWithoutUID, InMessage, "lässt die uid eines Ladepunkts weg (genommen aus evse_id oder id)", "leaves out the uid of an EVSE (taken from evse_id or id)"},
	{QuirkPlaceMissing, InMessage, "lässt im Abrechnungsdatensatz Adresse, Koordinaten oder Ladepunkt weg (genommen aus dem Standort)", "leaves address, coordinates or EVSE out of a CDR (taken from the Location)"},
	{QuirkUndatedClientInfo, InMessage, "lässt last_updated in HubClientInfo weg", "leaves last_updated out of HubClientInfo"},
	{QuirkRestampedCDR, InMessage, "sendet denselben Abrechnungsdatensatz mit neuem last_updated", "sends the same CDR with another last_updated"},
	{QuirkNoEnvelope, InAnswer, "antwortet ohne Umschlag", "answers without an envelope"},
	{QuirkNoStatusCode, InAnswer, "antwortet ohne status_code", "answers without status_code"},
	{QuirkNoTimestamp, InAnswer, "antwortet ohne timestamp", "answers without timestamp"},
	{QuirkNoTotalCount, InAnswer, "antwortet auf Listen ohne X-Total-Count", "answers lists without X-Total-Count"},
	{QuirkLinkInBody, InAnswer, "schreibt die nächste Seite in den Text statt in den Header Link", "writes the next page into the body instead of the header Link"},
	{QuirkNoCommandTimeout, InAnswer, "antwortet auf Befehle ohne timeout", "answers commands without timeout"},
	{QuirkNoCredentialsPut, InAnswer, "bietet kein PUT credentials an", "does not offer PUT credentials"},
}

// Known reports whether q is one of Quirks.
func (q Quirk) Known() bool {
	return slices.ContainsFunc(Quirks, func(t QuirkText) bool { return t.Name == q })
}

// Refusable reports whether a partner can be refused for it.
func (q Quirk) Refusable() bool {
	return slices.ContainsFunc(Quirks, func(t QuirkText) bool { return t.Name == q && t.Kind != InAnswer })
}

// noteQuirks are the quirks that validation notes, by the rule that is broken.
var noteQuirks = map[string]Quirk{
	ruleClock:                                 QuirkClockSeconds,
	ruleKnownValue:                            QuirkUnknownValue,
	"only printable ASCII characters":         QuirkOddCharacters,
	"no control characters":                   QuirkOddCharacters,
	"two letters":                             QuirkPartyForm,
	"three letters or digits":                 QuirkPartyForm,
	ruleCountry:                               QuirkCountryForm,
	ruleCurrency:                              QuirkCurrencyForm,
	"decimal degrees up to 90":                QuirkCoordinates,
	"decimal degrees up to 180":               QuirkCoordinates,
	"five to seven decimals":                  QuirkCoordinates,
	"not 0,0":                                 QuirkCoordinates,
	"an IANA time zone such as Europe/Berlin": QuirkZoneName,
	ruleURL:              QuirkURLForm,
	"unique in its list": QuirkRepeatedID,
	"energy in kWh":      QuirkEnergyInWh,
	"power in W":         QuirkPowerInKW,
}

func noteQuirk(rule string) Quirk {
	if strings.HasPrefix(rule, "at most ") && strings.HasSuffix(rule, " characters") {
		return QuirkLongText
	}
	return noteQuirks[rule]
}

// Refuse turns notes of the quirks into rejects: what a partner was told not
// to do any more.
func (fs Findings) Refuse(quirks []string) Findings {
	refused := slices.Clone(fs)
	for i, f := range refused {
		if f.Quirk != "" && slices.Contains(quirks, string(f.Quirk)) {
			refused[i].Severity = Reject
		}
	}
	return refused
}

// TokenQuirks returns how the value of an Authorization header differs from
// what OCPI asks for, given the token that it turned out to mean.
func TokenQuirks(header, token string) []Quirk {
	_, value, _ := strings.Cut(strings.TrimSpace(header), " ")
	value = strings.TrimSpace(value)
	if "Token "+value == EncodeToken(token) {
		return nil
	}
	decoded, padded := decodeToken(value)
	if strings.TrimRight(decoded, tokenSpace) != token {
		return []Quirk{QuirkRawToken}
	}
	var quirks []Quirk
	if !padded {
		quirks = append(quirks, QuirkUnpaddedToken)
	}
	if decoded != token {
		quirks = append(quirks, QuirkTokenNewline)
	}
	return quirks
}

// MessageQuirks returns in what the headers of a message differ from what OCPI
// asks for; the flags say whether it needs message ids and routing headers, and
// whether it has a body.
func MessageQuirks(h http.Header, ids, routing, body bool) Findings {
	var notes Findings
	for _, name := range []string{HeaderRequestID, HeaderCorrelationID} {
		if ids && h.Get(name) == "" { // TRN-19
			notes = append(notes, Finding{Severity: Note, Path: name, Rule: ruleRequired, Quirk: QuirkNoMessageIDs})
		}
	}
	if r := ReadRouting(h); routing && (r.To.IsZero() || r.From.IsZero()) { // RTG-04
		name := HeaderToPartyID
		if !r.To.IsZero() {
			name = HeaderFromPartyID
		}
		notes = append(notes, Finding{Severity: Note, Path: name, Rule: ruleRequired, Quirk: QuirkNoRouting})
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if body && !strings.EqualFold(strings.TrimSpace(kind), "application/json") { // TRN-12
		notes = append(notes, Finding{Severity: Note, Path: "Content-Type", Rule: "application/json", Value: shorten(kind), Quirk: QuirkContentType})
	}
	return notes
}

package jobs

import "github.com/roamwerk/roamwerk/billing"

// Refusal says why something that a person wanted is not done. Its sentences are safe to show.
type Refusal struct {
	Code string
	Text billing.Text
}

func (r *Refusal) Error() string { return r.Text.EN }

// refuse is the refusal with a code.
func refuse(code string) *Refusal {
	text, known := refusals[code]
	if !known {
		panic("no text for refusal " + code)
	}
	return &Refusal{Code: code, Text: text}
}

// RefusalText is the sentence of a refusal.
func RefusalText(code string) billing.Text { return refusals[code] }

// refusals are the reasons why a decision cannot be carried out.
var refusals = map[string]billing.Text{
	"delivery-way":           {DE: "Versand ist möglich per email, portal, letter und peppol.", EN: "Delivery is possible by email, portal, letter and peppol."},
	"email-address":          {DE: "Das ist keine E-Mail-Adresse.", EN: "This is no e-mail address."},
	"peppol-id":              {DE: "Die Peppol-Kennung fehlt oder hat nicht die Form 0204:991-12345-67.", EN: "The Peppol id is missing or does not look like 0204:991-12345-67."},
	"not-issued":             {DE: "Das Dokument ist noch nicht ausgestellt und geschrieben.", EN: "The document is not issued and written yet."},
	"still-queued":           {DE: "Das Dokument wartet noch darauf, versandt zu werden.", EN: "The document is still waiting to be sent."},
	"not-sent":               {DE: "Die E-Mail ist nicht versandt.", EN: "The e-mail was not sent."},
	"evidence-reference":     {DE: "Das Aktenzeichen des Nachweises fehlt.", EN: "The reference of the evidence is missing."},
	"evidence-days":          {DE: "Der Nachweis gilt höchstens drei Jahre, und sein Ende liegt nicht vor dem Beginn.", EN: "Evidence holds for three years at most, and does not end before it begins."},
	"evidence-vat-id":        {DE: "Der Kunde hat keine USt-IdNr., ohne die keine Rechnung mit Steuerschuldnerschaft des Leistungsempfängers möglich ist.", EN: "The customer has no VAT id, without which no invoice with reverse charge is possible."},
	"unknown":                {DE: "Diesen Datensatz gibt es nicht.", EN: "There is no such CDR."},
	"changed":                {DE: "Der Datensatz hat sich seit der Vorschau geändert.", EN: "The CDR has changed since the preview."},
	"already":                {DE: "Das ist bereits so.", EN: "It is so already."},
	"not-rated":              {DE: "Der Datensatz ist noch nicht bewertet.", EN: "The CDR is not rated yet."},
	"not-priced":             {DE: "Der Datensatz lässt sich nicht bepreisen: Stammdaten oder eine Steuerregel fehlen.", EN: "The CDR cannot be priced: master data or a tax rule is missing."},
	"closed":                 {DE: "Der Datensatz ist verworfen oder gutgeschrieben.", EN: "The CDR is dropped or credited."},
	"credit":                 {DE: "Das ist eine Gutschrift.", EN: "This is a credit CDR."},
	"credited":               {DE: "Der Betreiber hat den Datensatz gutgeschrieben.", EN: "The operator has credited the CDR."},
	"home-charging":          {DE: "Laden zu Hause wird dem Kunden nicht berechnet, sondern erstattet.", EN: "Charging at home is not billed to the customer but refunded."},
	"invoiced":               {DE: "Der Ladevorgang steht auf einer Rechnung. Erlassen oder verwerfen Sie ihn stattdessen.", EN: "The session is on an invoice. Waive or drop it instead."},
	"disputed":               {DE: "Der Datensatz ist Teil eines offenen Streitfalls. Schließen Sie ihn zuerst.", EN: "The CDR is part of an open dispute. Close that first."},
	"drop-proposed":          {DE: "Es ist vorgeschlagen, den Datensatz zu verwerfen. Entscheiden Sie zuerst darüber.", EN: "It is proposed to drop the CDR. Decide about that first."},
	"not-proposed":           {DE: "Niemand hat vorgeschlagen, den Datensatz zu verwerfen.", EN: "Nobody has proposed to drop the CDR."},
	"same-person":            {DE: "Den Vorschlag bestätigt eine zweite Person.", EN: "A second person confirms the proposal."},
	"no-person":              {DE: "Diese Entscheidung trifft eine angemeldete Person.", EN: "This decision is for a person who is signed in."},
	"no-reason":              {DE: "Nennen Sie einen Grund.", EN: "Give a reason."},
	"no-date":                {DE: "Das Datum liegt nicht in der Zukunft.", EN: "The date is not in the future."},
	"no-note":                {DE: "Die Notiz ist leer.", EN: "The note is empty."},
	"no-target":              {DE: "Nennen Sie die Karte oder den Vertrag.", EN: "Name the card or the contract."},
	"no-card":                {DE: "Die Karte des Ladevorgangs ist unbekannt. Nennen Sie eine Karte.", EN: "The card of the session is unknown. Name a card."},
	"card-unknown":           {DE: "Diese Karte gibt es nicht.", EN: "There is no such card."},
	"contract-unknown":       {DE: "Diesen Vertrag gibt es nicht.", EN: "There is no such contract."},
	"plan-unknown":           {DE: "Diesen Tarif gibt es nicht.", EN: "There is no such tariff."},
	"period":                 {DE: "Der Zeitraum endet, bevor er beginnt.", EN: "The time ends before it begins."},
	"rule-unknown":           {DE: "Diese Regel gibt es nicht, oder sie hat keine Schwelle.", EN: "There is no such rule, or it has no limit."},
	"rule-silent":            {DE: "Keine Regel hält diesen Datensatz an, die man sich merken könnte.", EN: "No rule flags this CDR that could be remembered."},
	"dispute-reason":         {DE: "Diesen Streitgrund gibt es nicht.", EN: "There is no such reason for a dispute."},
	"dispute-state":          {DE: "Das geht in diesem Stand des Streitfalls nicht.", EN: "That cannot be done in this state of the dispute."},
	"dispute-amount":         {DE: "Der anerkannte Betrag liegt nicht zwischen null und der Forderung.", EN: "The accepted amount is not between nothing and the claim."},
	"dispute-message":        {DE: "Die Nachricht ist leer.", EN: "The message is empty."},
	"one-at-a-time":          {DE: "Das geht nur für einen einzelnen Datensatz.", EN: "That can be done for a single CDR only."},
	"no-preview":             {DE: "Die Vorschau ist noch nicht fertig.", EN: "The preview is not complete yet."},
	"run-busy":               {DE: "Der Rechnungslauf dieses Monats wird gerade bearbeitet.", EN: "The invoice run of this month is being worked on."},
	"run-state":              {DE: "Die Entwürfe dieses Laufs warten nicht auf Freigabe.", EN: "The drafts of this run do not wait for approval."},
	"run-inspection":         {DE: "Die Prüffrist dieses Laufs ist noch nicht um.", EN: "The time for inspecting this run is not over."},
	"run-changed":            {DE: "Die Entwürfe haben sich geändert, seit Sie sie gesehen haben. Prüfen Sie sie noch einmal.", EN: "The drafts have changed since you looked at them. Look again."},
	"run-same-person":        {DE: "Entwürfe gibt eine zweite Person frei: nicht, wer sie erstellt hat.", EN: "A second person approves drafts, not the one who made them."},
	"no-draft":               {DE: "Das geht nur, solange die Rechnung ein Entwurf und nicht freigegeben ist.", EN: "This can only be done while the invoice is a draft that is not approved."},
	"not-approved":           {DE: "Der Entwurf ist nicht freigegeben.", EN: "The draft has not been approved."},
	"not-an-invoice":         {DE: "Nur eine ausgestellte Rechnung wird storniert oder berichtigt.", EN: "Only an issued invoice is cancelled or corrected."},
	"cancelled":              {DE: "Die Rechnung ist bereits storniert.", EN: "The invoice has been cancelled already."},
	"corrected":              {DE: "Die Rechnung ist bereits berichtigt. Berichtigen Sie die übrigen Positionen.", EN: "The invoice has been corrected already. Correct its other lines."},
	"line-corrected":         {DE: "Eine der Positionen ist bereits berichtigt.", EN: "One of the lines has been corrected already."},
	"taken-back":             {DE: "Etwas von dieser Rechnung ist auf einer späteren bereits zurückgenommen.", EN: "Something on this invoice has been taken back on a later one already."},
	"customer-unknown":       {DE: "Diese Kundennummer gibt es nicht.", EN: "There is no such customer number."},
	"payee-owes":             {DE: "Es ist mehr zurückgenommen, als zu vergüten ist. Der Rest wird mit der nächsten Gutschrift verrechnet.", EN: "More was taken back than is to be paid. The rest is set off against the next self-billed document."},
	"payee-is-seller":        {DE: "Eine Gutschrift lautet auf den, der geleistet hat.", EN: "A self-billed document is made out to whoever has supplied."},
	"reimbursement-kind":     {DE: "Eine Vereinbarung betrifft das Laden zu Hause (home) oder einen Standortpartner (host).", EN: "An agreement is about charging at home (home) or a site host (host)."},
	"reimbursement-scope":    {DE: "Nennen Sie den Ladepunkt oder den Standort, beim Laden zu Hause auch oder nur die Karte.", EN: "Name the charge point or the location; for charging at home the card, too, or alone."},
	"reimbursement-host":     {DE: "Die Vereinbarung mit einem Standortpartner gilt für alle Karten, und Fahrer zahlen dort immer selbst.", EN: "An agreement with a site host is about every card, and drivers always pay there themselves."},
	"reimbursement-basis":    {DE: "Vergütet wird je kWh (kwh), je Ladevorgang (session) oder in Prozent vom Verkaufspreis (percent).", EN: "Payment is by the kWh (kwh), by the session (session), or in percent of the selling price (percent)."},
	"reimbursement-share":    {DE: "Ein Anteil am Verkaufspreis setzt voraus, dass der Vertrag der Karte den Ladevorgang bezahlt.", EN: "A share of the selling price requires that the contract of the card pays for the session."},
	"reimbursement-price":    {DE: "Der Preis ist größer als null, hat höchstens sechs Nachkommastellen, und ein Anteil beträgt höchstens 100 %.", EN: "The price is above zero with six decimals at most, and a share is 100 % at most."},
	"reimbursement-currency": {DE: "Vergütet wird in Euro.", EN: "Payment is in euros."},
	"reimbursement-vat":      {DE: "Umsatzsteuer: keine steuerbare Leistung (outside), Kleinunternehmer (exempt) oder steuerpflichtig (standard).", EN: "VAT: no taxable supply (outside), small business (exempt), or taxed (standard)."},
	"reimbursement-agreed":   {DE: "Nennen Sie den Tag, an dem vereinbart wurde, dass das Stadtwerk per Gutschrift abrechnet (§ 14 Abs. 2 Satz 2 UStG). Er liegt nicht in der Zukunft.", EN: "Give the day on which self-billing was agreed (§ 14(2) sentence 2 UStG). It is not in the future."},
	"reimbursement-location": {DE: "Der Standort hat die Form DE*ABC*LOC1.", EN: "A location looks like DE*ABC*LOC1."},
	"reimbursement-exists":   {DE: "Dafür gilt in dieser Zeit bereits eine Vereinbarung. Beenden Sie diese zuerst.", EN: "There is an agreement about this at that time already. End it first."},
	"payee-tax-number":       {DE: "Ohne USt-IdNr. oder Steuernummer des Leistenden ist keine Gutschrift über eine steuerbare Leistung möglich (§ 14 Abs. 4 Nr. 2 UStG).", EN: "Without the supplier's VAT id or tax number there can be no self-billed invoice for a supply (§ 14(4) no. 2 UStG)."},
	"payee-mixed":            {DE: "Mit diesem Empfänger gilt bereits eine Vereinbarung, die steuerlich anders behandelt wird. Beides kann nicht auf einem Beleg stehen.", EN: "This payee has an agreement with another tax treatment already. The two cannot share a document."},
	"no-objection":           {DE: "Widersprochen wird einer ausgestellten Gutschrift, und zwar ganz.", EN: "An objection is made to an issued self-billed document, as a whole."},
	"objection-date":         {DE: "Der Tag des Widerspruchs liegt in der Zukunft.", EN: "The day of the objection is in the future."},
	"not-creditable":         {DE: "Nur das Entgelt einer ausgestellten Rechnung wird gemindert.", EN: "Only the charges of an issued invoice are reduced."},
	"credit-nothing-left":    {DE: "Von dieser Rechnung ist nichts übrig, das gemindert werden kann.", EN: "Nothing is left of this invoice that could be reduced."},
	"credit-line":            {DE: "Eine Position gibt es nicht, oder von ihr ist nichts übrig.", EN: "There is no such line, or nothing is left of it."},
	"credit-amount":          {DE: "Nennen Sie entweder einen Betrag in Cent genau oder einen Prozentsatz.", EN: "Give either an amount, exact to the cent, or a percentage."},
	"credit-percent":         {DE: "Der Prozentsatz liegt über 0 und höchstens bei 100.", EN: "The percentage is above 0 and 100 at most."},
	"credit-left":            {DE: "So viel ist von der Rechnung oder ihren Positionen nicht übrig.", EN: "So much is not left of the invoice or its lines."},
	"credit-account":         {DE: "Zum Auszahlen fehlt ein Konto: Der Kunde hat kein SEPA-Mandat.", EN: "There is no account to pay to: the customer has no SEPA mandate."},
	"iban":                   {DE: "Die IBAN fehlt oder ist falsch.", EN: "The IBAN is missing or wrong."},
	"decision":               {DE: "Diese Entscheidung gibt es nicht.", EN: "There is no such decision."},
	"data-changed":           {DE: "Jemand anderes hat diese Angaben geändert, seit Sie sie gesehen haben. Prüfen Sie sie noch einmal.", EN: "Somebody else has changed this data since you saw it. Look at it again."},
	"utility-closed":         {DE: "Das Stadtwerk ist geschlossen.", EN: "The utility is closed."},
	"contract-ended":         {DE: "Der Vertrag ist bereits beendet.", EN: "The contract is over already."},
	"card-taken":             {DE: "Eine Karte mit dieser UID gibt es schon, oder der Vertrag gehört einem anderen Kunden.", EN: "There is a card with this UID already, or the contract belongs to another customer."},
	"billing-cycle":          {DE: "Abgerechnet wird im Monat, im Quartal oder sofort.", EN: "Contracts are billed by the month, by the quarter or at once."},
}

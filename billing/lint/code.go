package lint

import "github.com/roamwerk/roamwerk/billing"

// code names a kind of finding. It is stable.
type code string

// The findings that billing.Compile makes keep their codes.
const (
	tariffUnreadable = "tariff-unreadable"
	limitsCross      = "limits-cross"
	limitWithoutVAT  = "limit-without-vat"

	neverActive          code = "element-never-active"
	elementUnreachable   code = "element-unreachable"
	componentUnreachable code = "component-unreachable"
	flatTooLate          code = "flat-too-late"
	onlyUnmeasured       code = "only-unmeasured"
	afterValidity        code = "element-after-validity"
	chargingFree         code = "charging-free"
	chargingUnpriced     code = "charging-unpriced"
	freeAtFirst          code = "free-at-first"
	noFallback           code = "no-fallback"
	freeUnmeasured       code = "free-unmeasured"
	minuteGap            code = "minute-gap"
	minuteOff            code = "minute-off"
	overlap              code = "overlap"
	notDecided           code = "not-decided"
	andMore              code = "and-more"

	restrictionsEmpty code = "restrictions-empty"
	wholeDay          code = "whole-day-window"
	neverValid        code = "validity-empty"
	expiredWhenSent   code = "expired-when-sent"

	limitZero      code = "limit-zero"
	limitSides     code = "limit-sides"
	onlyZero       code = "only-zero"
	nothingByUse   code = "nothing-by-use"
	priceNegative  code = "price-negative"
	priceHigh      code = "price-high"
	priceLow       code = "price-low"
	priceInCents   code = "price-in-cents"
	pricePerMinute code = "price-per-minute"
	priceTimes60   code = "price-times-60"

	vatMissing        code = "vat-missing"
	vatMixed          code = "vat-mixed"
	vatUnknown        code = "vat-unknown"
	vatForeign        code = "vat-foreign"
	vatFraction       code = "vat-fraction"
	taxWithoutTax     code = "tax-rate-without-tax"
	taxIncludedNoRate code = "tax-included-without-rate"
	stepZero          code = "step-size-zero"
	stepOfFlat        code = "step-size-flat"
	stepLarge         code = "step-size-large"
	stepUnused        code = "step-size-unused"
)

// codes is every finding with its severity and its text. {names} stand for the parameters; what is in [brackets] is left out
// where a parameter of it is missing.
var codes = []struct {
	code     code
	severity billing.Severity
	text     billing.Text
}{
	// What the engine does not understand or has to guess (billing.Compile).
	{tariffUnreadable, billing.Block, billing.Text{
		DE: "Nicht verstanden: {path}. Kein Preis aus diesem Tarif ist verlässlich (TAR-11).",
		EN: "Not understood: {path}. No price by this tariff can be relied on (TAR-11)."}},
	{"tariff-without-currency", billing.Flag, billing.Text{
		DE: "Der Tarif nennt keine Währung.",
		EN: "The tariff names no currency."}},
	{"duplicate-component", billing.Flag, billing.Text{
		DE: "Element {element} hat zwei Preise für dieselbe Dimension; nur der erste zählt (PRC-06).",
		EN: "Element {element} has two prices for one dimension; only the first counts (PRC-06)."}},
	{"reservation-dimension", billing.Flag, billing.Text{
		DE: "Element {element} gilt für Reservierungen; dort kann es nur FLAT und TIME geben, dieser Preis zählt nie (PRC-26).",
		EN: "Element {element} is for reservations, which only FLAT and TIME can price; this price never counts (PRC-26)."}},
	{"element-without-price", billing.Flag, billing.Text{
		DE: "Element {element} hat keinen Preis.",
		EN: "Element {element} has no price."}},
	{"step-size", billing.Flag, billing.Text{
		DE: "Die Schrittweite fehlt oder ist negativ; gerechnet wird mit 1.",
		EN: "The step size is missing or negative; 1 is taken."}},
	{limitsCross, billing.Flag, billing.Text{
		DE: "Der Mindestpreis {minimum} liegt über dem Höchstpreis {maximum}: jeder Ladevorgang kostet den Höchstpreis.",
		EN: "The minimum price {minimum} is above the maximum price {maximum}: every session costs the maximum."}},
	{limitWithoutVAT, billing.Info, billing.Text{
		DE: "Die Preisgrenze nennt keinen Betrag mit USt; diese Seite wird im Verhältnis der Preise gerechnet (PRC-30).",
		EN: "The price limit states no amount with VAT; that side follows the proportion of the prices (PRC-30)."}},

	// When elements hold.
	{neverActive, billing.Flag, billing.Text{
		DE: "Element {element} gilt nie: {reason}.",
		EN: "Element {element} never holds: {reason}."}},
	{elementUnreachable, billing.Flag, billing.Text{
		DE: "Element {element} ({dimensions}) bestimmt nie einen Preis: wann immer es gilt, gilt ein früheres (Element {by}).[ Vor Element {before} gestellt, würde es gelten.]",
		EN: "Element {element} ({dimensions}) never prices anything: whenever it holds, an earlier one does (element {by}).[ Put before element {before}, it would.]"}},
	{componentUnreachable, billing.Flag, billing.Text{
		DE: "{dimensions} in Element {element} bestimmt nie einen Preis: wann immer es gilt, gilt ein früheres (Element {by}).[ Vor Element {before} gestellt, würde es gelten.]",
		EN: "{dimensions} in element {element} never prices anything: whenever it holds, an earlier one does (element {by}).[ Put before element {before}, it would.]"}},
	{flatTooLate, billing.Flag, billing.Text{
		DE: "Die Gebühr in Element {element} wird nie erhoben: sie fällt einmal je Ladevorgang an, und zu Beginn gilt immer ein anderes Element[ (hier Element {by})] (PRC-23).",
		EN: "The fee in element {element} is never charged: it is due once a session, and at the start another element always holds[ (here element {by})] (PRC-23)."}},
	{onlyUnmeasured, billing.Info, billing.Text{
		DE: "Element {element} ({dimensions}) gilt nur, wo Leistung oder Strom nicht gemeldet sind oder während eines Abschnitts eine Grenze überschreiten.",
		EN: "Element {element} ({dimensions}) holds only where power or current are not told or cross a limit within a period."}},
	{afterValidity, billing.Flag, billing.Text{
		DE: "Element {element} beginnt erst nach dem Ende des Tarifs; nur ein Ladevorgang, der vorher begann, erreicht es.",
		EN: "Element {element} begins only after the tariff ended; only a session that began before reaches it."}},
	{chargingFree, billing.Flag, billing.Text{
		DE: "Laden ist zeitweise kostenlos: {dimensions} hat nicht immer einen Preis.",
		EN: "Charging is free at times: {dimensions} does not always have a price."}},
	{chargingUnpriced, billing.Flag, billing.Text{
		DE: "Das Laden selbst ist immer kostenlos: einen Preis hat nur {dimensions}.",
		EN: "Charging itself is always free: only {dimensions} has a price."}},
	{freeAtFirst, billing.Info, billing.Text{
		DE: "Das Laden kostet erst ab einer Menge oder Dauer etwas; davor ist es kostenlos.",
		EN: "Charging costs something only from some amount or duration on; before that it is free."}},
	{noFallback, billing.Info, billing.Text{
		DE: "{dimensions} hat nicht immer einen Preis.",
		EN: "{dimensions} does not always have a price."}},
	{freeUnmeasured, billing.Info, billing.Text{
		DE: "{dimensions} hat keinen Preis, wo Leistung oder Strom nicht gemeldet sind.",
		EN: "{dimensions} has no price where power or current are not told."}},
	{minuteGap, billing.Flag, billing.Text{
		DE: "Eine Minute neben Element {element} ist {dimensions} kostenlos: die Endzeit zählt nicht mehr dazu, {time} lässt eine Lücke.",
		EN: "One minute beside element {element}, {dimensions} is free: the end time is not included, {time} leaves a gap."}},
	{minuteOff, billing.Info, billing.Text{
		DE: "Eine Minute neben Element {element} gilt ein anderer Preis: die Endzeit zählt nicht mehr dazu, {time} ist eine Minute neben der vollen Stunde.",
		EN: "One minute beside element {element} another price holds: the end time is not included, {time} is a minute beside the full hour."}},
	{overlap, billing.Info, billing.Text{
		DE: "Element {other} und {element} gelten zeitweise beide mit verschiedenen Preisen für {dimensions}; die Reihenfolge entscheidet.",
		EN: "Elements {other} and {element} both hold at times, with different prices for {dimensions}; their order decides."}},
	{notDecided, billing.Info, billing.Text{
		DE: "Der Tarif ist zu verwickelt, um für jedes Element zu entscheiden, ob es je gilt.",
		EN: "The tariff is too intricate to decide for every element whether it ever holds."}},
	{andMore, billing.Info, billing.Text{
		DE: "{count} weitere Befunde „{code}“ sind nicht aufgeführt.",
		EN: "{count} more findings “{code}” are not listed."}},
	{restrictionsEmpty, billing.Info, billing.Text{
		DE: "Element {element} hat Einschränkungen, die nichts einschränken.",
		EN: "Element {element} has restrictions that restrict nothing."}},
	{wholeDay, billing.Info, billing.Text{
		DE: "Das Zeitfenster {time} in Element {element} ist der ganze Tag.",
		EN: "The window {time} in element {element} is the whole day."}},
	{neverValid, billing.Flag, billing.Text{
		DE: "Der Tarif endet ({end}), bevor er beginnt ({start}).",
		EN: "The tariff ends ({end}) before it begins ({start})."}},
	{expiredWhenSent, billing.Flag, billing.Text{
		DE: "Der Tarif war schon abgelaufen ({end}), als er zuletzt geändert wurde ({updated}).",
		EN: "The tariff had expired ({end}) before it was last updated ({updated})."}},

	// Prices.
	{limitZero, billing.Flag, billing.Text{
		DE: "Der Höchstpreis ist null: jeder Ladevorgang ist kostenlos.",
		EN: "The maximum price is zero: every session is free."}},
	{limitSides, billing.Flag, billing.Text{
		DE: "Die Preisgrenze ist mit USt ({incl}) niedriger als ohne ({excl}).",
		EN: "The price limit is lower with VAT ({incl}) than without ({excl})."}},
	{onlyZero, billing.Info, billing.Text{
		DE: "Alle Preise sind null: Laden ist kostenlos.",
		EN: "All prices are zero: charging is free."}},
	{nothingByUse, billing.Info, billing.Text{
		DE: "Der Tarif verlangt nur eine feste Gebühr: weder Energie noch Zeit hat einen Preis.",
		EN: "The tariff asks only a fixed fee: neither energy nor time has a price."}},
	{priceNegative, billing.Flag, billing.Text{
		DE: "Der Preis {price} ist negativ.",
		EN: "The price {price} is negative."}},
	{priceHigh, billing.Flag, billing.Text{
		DE: "Der Preis {price} ist ungewöhnlich hoch (Grenze {limit}).",
		EN: "The price {price} is unusually high (limit {limit})."}},
	{priceLow, billing.Flag, billing.Text{
		DE: "Der Preis {price} ist ungewöhnlich niedrig (Grenze {limit}).",
		EN: "The price {price} is unusually low (limit {limit})."}},
	{priceInCents, billing.Flag, billing.Text{
		DE: "Der Preis {price} ist ungewöhnlich hoch; in Cent gemeint wären es {instead}.",
		EN: "The price {price} is unusually high; meant in cents it would be {instead}."}},
	{pricePerMinute, billing.Flag, billing.Text{
		DE: "Der Preis {price} ist ungewöhnlich niedrig; je Minute gemeint wären es {instead}.",
		EN: "The price {price} is unusually low; meant per minute it would be {instead}."}},
	{priceTimes60, billing.Flag, billing.Text{
		DE: "Der Preis {price} ist ungewöhnlich hoch; zweimal von Minuten auf Stunden umgerechnet, wären {instead} gemeint.",
		EN: "The price {price} is unusually high; turned from minutes into hours twice, {instead} would be meant."}},

	// Tax.
	{vatMissing, billing.Info, billing.Text{
		DE: "Kein Preis nennt eine USt: es gilt, dass keine anfällt (PRC-28).",
		EN: "No price states a VAT: none applies then (PRC-28)."}},
	{vatMixed, billing.Flag, billing.Text{
		DE: "Ein Teil der Preise nennt eine USt, {dimensions} in Element {element} nicht.",
		EN: "Some prices state a VAT, {dimensions} in element {element} does not."}},
	{vatUnknown, billing.Flag, billing.Text{
		DE: "{rate} % ist kein Satz der USt auf Ladestrom in {country}[ (dort {known} %)].",
		EN: "{rate}% is not a rate of VAT on charging in {country}[ (there {known}%)]."}},
	{vatForeign, billing.Info, billing.Text{
		DE: "{rate} % ist kein Satz der USt auf Ladestrom in {country} (dort {known} %), aber in {other}.",
		EN: "{rate}% is not a rate of VAT on charging in {country} (there {known}%), but in {other}."}},
	{vatFraction, billing.Flag, billing.Text{
		DE: "{rate} % USt: gemeint sind wohl {instead} %.",
		EN: "{rate}% VAT: {instead}% is probably meant."}},
	{taxWithoutTax, billing.Flag, billing.Text{
		DE: "Der Tarif sagt, dass keine Steuer anfällt, nennt aber einen Satz.",
		EN: "The tariff says that no tax applies, and states a rate."}},
	{taxIncludedNoRate, billing.Flag, billing.Text{
		DE: "Die Preise enthalten Steuer, nennen aber keinen Satz: der Betrag ohne Steuer ist unbekannt.",
		EN: "The prices include tax and state no rate: the amount without tax is not known."}},

	// Steps.
	{stepZero, billing.Info, billing.Text{
		DE: "Die Schrittweite 0 zählt wie 1 (PRC-12).",
		EN: "A step size of 0 counts as 1 (PRC-12)."}},
	{stepOfFlat, billing.Info, billing.Text{
		DE: "Eine feste Gebühr hat keine Schrittweite; {step} bewirkt nichts (PRC-12).",
		EN: "A flat fee has no step size; {step} does nothing (PRC-12)."}},
	{stepLarge, billing.Flag, billing.Text{
		DE: "Abgerechnet wird in Schritten von {step}: wenig wird so teuer wie viel.",
		EN: "Billed in steps of {step}: a little costs as much as a lot."}},
	{stepUnused, billing.Info, billing.Text{
		DE: "Die Schrittweite der Ladezeit zählt nicht, wenn Standzeit bepreist wurde: dann wird nur diese gerundet (PRC-17).",
		EN: "The step size of charging time does not count where parking time was priced: then only that is rounded (PRC-17)."}},
}

// reason is why an element holds never.
type reason string

const (
	datesCross       reason = "dates-cross"
	beforeValidity   reason = "before-validity"
	energyCross      reason = "energy-cross"
	powerCross       reason = "power-cross"
	currentCross     reason = "current-cross"
	durationCross    reason = "duration-cross"
	noSuchWeekday    reason = "no-such-weekday"
	notWhileReserved reason = "not-while-reserved"
	clockSkips       reason = "clock-skips"
	together         reason = "together"
)

// words are the parameters that have a text: reasons and dimensions.
var words = map[string]billing.Text{
	string(datesCross):       {DE: "das Enddatum, das nicht mehr dazugehört, liegt nicht nach dem Anfangsdatum", EN: "its end date, which is exclusive, is not after its start date"},
	string(beforeValidity):   {DE: "es endet, bevor der Tarif gilt", EN: "it ends before the tariff becomes valid"},
	string(energyCross):      {DE: "keine Energie liegt zwischen min_kwh und max_kwh", EN: "no energy is between min_kwh and max_kwh"},
	string(powerCross):       {DE: "keine Leistung liegt zwischen min_power und max_power", EN: "no power is between min_power and max_power"},
	string(currentCross):     {DE: "kein Strom liegt zwischen min_current und max_current", EN: "no current is between min_current and max_current"},
	string(durationCross):    {DE: "keine Dauer liegt zwischen min_duration und max_duration", EN: "no duration is between min_duration and max_duration"},
	string(noSuchWeekday):    {DE: "zwischen seinen Daten liegt keiner seiner Wochentage", EN: "none of its weekdays is between its dates"},
	string(notWhileReserved): {DE: "während einer Reservierung wird nichts geladen", EN: "nothing is charged during a reservation"},
	string(clockSkips):       {DE: "die Uhr überspringt diese Zeit bei der Umstellung auf Sommerzeit", EN: "the clock skips this time when it is set forward"},
	string(together):         {DE: "seine Einschränkungen sind nie zugleich erfüllt", EN: "its restrictions are never fulfilled together"},

	string(billing.Energy):          {DE: "Energie", EN: "energy"},
	string(billing.Time):            {DE: "Ladezeit", EN: "charging time"},
	string(billing.ParkingTime):     {DE: "Standzeit", EN: "parking time"},
	string(billing.Flat):            {DE: "Startgebühr", EN: "session fee"},
	string(billing.ReservationTime): {DE: "Reservierungszeit", EN: "reservation time"},
	string(billing.ReservationFlat): {DE: "Reservierungsgebühr", EN: "reservation fee"},
}

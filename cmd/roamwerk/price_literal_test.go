package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing/literal"
	"github.com/roamwerk/roamwerk/ocpi"
)

var cases = flag.Int("cases", 400, "made-up CDRs that TestPricePrintsTheLiteralPrice prices")

// However a partner writes a CDR down, the command prints what the rules of section 18 say it costs, in plain numbers.
func TestPricePrintsTheLiteralPrice(t *testing.T) {
	dir := t.TempDir()
	files, made := map[string][]string{}, map[string][]literal.Case{} // by --timezone
	for n := range uint64(*cases) {
		r := rand.New(rand.NewPCG(n, 1))
		c := literal.Generate(r)
		zone := "" // asked of the country
		switch {
		case c.Zone == nil:
			c.CDR.CDRLocation.Country = "USA" // has several
		case c.Zone.String() != "Europe/Berlin":
			zone = c.Zone.String()
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.json", n))
		if err := os.WriteFile(file, foreign(t, r, c.CDR), 0o600); err != nil {
			t.Fatal(err)
		}
		files[zone], made[zone] = append(files[zone], file), append(made[zone], c)
	}
	for zone := range files {
		args := files[zone]
		if zone != "" {
			args = append([]string{"--timezone", zone}, args...)
		}
		stdout, stderr, err := price(args...)
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if len(lines) != len(files[zone]) {
			t.Fatalf("%d lines for %d files", len(lines), len(files[zone]))
		}
		for i, line := range lines {
			if problems := printedOtherwise(t, line, made[zone][i].Price()); len(problems) > 0 {
				text, err := os.ReadFile(files[zone][i])
				if err != nil {
					t.Fatal(err)
				}
				t.Errorf("%s:\n%s\n%s\n%s", zone, strings.Join(problems, "\n"), text, line)
			}
		}
	}
}

var plain = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// printedOtherwise compares the figures in a line with the literal ones.
func printedOtherwise(t *testing.T, line string, want literal.Result) []string {
	t.Helper()
	type printedPrice struct {
		Excl json.Number `json:"excl_vat"`
		Incl json.Number `json:"incl_vat"`
	}
	var got struct {
		Total        printedPrice   `json:"total_cost"`
		Fixed        printedPrice   `json:"total_fixed_cost"`
		Energy       printedPrice   `json:"total_energy_cost"`
		Time         printedPrice   `json:"total_time_cost"`
		Parking      printedPrice   `json:"total_parking_cost"`
		Reservation  printedPrice   `json:"total_reservation_cost"`
		KWh          json.Number    `json:"total_energy"`
		ParkingHours json.Number    `json:"total_parking_time"`
		Hours        json.Number    `json:"total_time"`
		VAT          []printedPrice `json:"vat"`
	}
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	var problems []string
	figure := func(name string, got json.Number, want *big.Rat) {
		if !plain.MatchString(string(got)) || string(got) != literal.Decimal(want, 10) {
			problems = append(problems, fmt.Sprintf("%s = %s, want %s", name, got, literal.Decimal(want, 10)))
		}
	}
	price := func(name string, got printedPrice, want literal.Amount) {
		figure(name+".excl_vat", got.Excl, want.Excl)
		figure(name+".incl_vat", got.Incl, want.Incl)
	}
	if !want.Open {
		price("total_cost", got.Total, want.Total)
	}
	price("total_fixed_cost", got.Fixed, want.Fixed)
	price("total_energy_cost", got.Energy, want.Energy)
	price("total_time_cost", got.Time, want.Time)
	price("total_parking_cost", got.Parking, want.Parking)
	price("total_reservation_cost", got.Reservation, want.Reservation)
	figure("total_energy", got.KWh, want.KWh)
	figure("total_parking_time", got.ParkingHours, want.ParkingHours)
	excl, incl := new(big.Rat), new(big.Rat)
	for _, share := range got.VAT {
		excl, incl = excl.Add(excl, number(t, share.Excl)), incl.Add(incl, number(t, share.Incl))
	}
	figure("total_cost.excl_vat by its shares", got.Total.Excl, excl)
	figure("total_cost.incl_vat by its shares", got.Total.Incl, incl)
	if !plain.MatchString(string(got.Hours)) {
		problems = append(problems, "total_time = "+string(got.Hours))
	}
	return problems
}

func number(t *testing.T, n json.Number) *big.Rat {
	t.Helper()
	if n == "" {
		return new(big.Rat)
	}
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		t.Fatalf("%q is not a number", n)
	}
	return r
}

// foreign writes a CDR as partners do: members in any order, some of them null or unknown, numbers with exponents and zeros,
// times with offsets.
func foreign(t *testing.T, r *rand.Rand, cdr ocpi.CDR) []byte {
	t.Helper()
	text, err := ocpi.Marshal(cdr)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	foreignHand{r, &b}.write("cdr", tree)
	return []byte(b.String())
}

type foreignHand struct {
	*rand.Rand
	*strings.Builder
}

// optional are members that may be null, by the name of the member that holds the object.
var optional = map[string][]string{
	"cdr":              {"remark", "signed_data", "total_fixed_cost", "total_energy_cost", "total_time", "total_parking_time", "credit", "credit_reference_id", "meter_id", "tariffs", "session_id"},
	"charging_periods": {"tariff_id"},
	"tariffs":          {"type", "min_price", "max_price", "tariff_alt_text", "start_date_time", "end_date_time", "energy_mix"},
	"elements":         {"restrictions"},
	"price_components": {"vat", "step_size"},
	"min_price":        {"incl_vat"},
	"max_price":        {"incl_vat"},
	"restrictions": {"start_time", "end_time", "start_date", "end_date", "min_kwh", "max_kwh", "min_current", "max_current", "min_power", "max_power",
		"min_duration", "max_duration", "day_of_week", "reservation"},
}

func (h foreignHand) write(name string, value any) {
	switch v := value.(type) {
	case map[string]any:
		h.object(name, v)
	case []any:
		h.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				h.WriteByte(',')
			}
			h.write(name, item)
		}
		h.WriteByte(']')
	case json.Number:
		h.number(string(v))
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			v = h.instant(at)
		}
		h.scalar(v)
	default:
		h.scalar(v)
	}
}

func (h foreignHand) scalar(value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings and booleans can be written
	}
	h.Write(text)
}

func (h foreignHand) object(name string, members map[string]any) {
	for _, member := range optional[name] {
		if _, given := members[member]; !given && h.IntN(5) == 0 {
			members[member] = nil
		}
	}
	if name != "restrictions" && h.IntN(6) == 0 { // where an unknown member changes the price, it must not be ignored (TAR-11)
		members["x_vendor"] = []any{json.Number("1000"), nil, map[string]any{"tariff_id": "none", "volume": json.Number("7")}}
	}
	keys := slices.Sorted(maps.Keys(members))
	h.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	h.WriteByte('{')
	for i, key := range keys {
		if i > 0 {
			h.WriteString(", ")
		}
		h.scalar(key)
		h.WriteString(": ")
		h.write(key, members[key])
	}
	h.WriteByte('}')
}

func (h foreignHand) number(text string) {
	switch h.IntN(5) {
	case 0:
		text += "e0"
	case 1:
		text += "E+00"
	case 2: // the same with a shifted point
		whole, part, _ := strings.Cut(text, ".")
		text = whole + part + fmt.Sprintf("e-%d", len(part))
		if trimmed := strings.TrimLeft(strings.TrimPrefix(text, "-"), "0"); trimmed != "" && trimmed[0] != 'e' {
			sign := text[:len(text)-len(strings.TrimPrefix(text, "-"))]
			text = sign + trimmed // 007e-2 is not JSON
		} else {
			text = "0"
		}
	case 3:
		if strings.Contains(text, ".") {
			text += "00"
		}
	}
	h.WriteString(text)
}

func (h foreignHand) instant(at time.Time) string {
	switch h.IntN(5) {
	case 0:
		return at.Format("2006-01-02T15:04:05.999999999") // no designator is UTC (TYP-05)
	case 1:
		return at.Format("2006-01-02T15:04:05.000+00:00")
	case 2:
		return at.In(time.FixedZone("", 5*3600+1800)).Format("2006-01-02T15:04:05.999999999-07:00")
	}
	return ocpi.FormatDateTime(at)
}

package billing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Each rule at its limit and just above it.
func TestJudge(t *testing.T) {
	clean := func() billing.Evidence {
		cdr := sessionDoc(t, "11:00", "10:00 ENERGY=20 TIME=1")
		cdr.TotalCost.ExclVAT, cdr.TotalEnergy, cdr.TotalTime = number("5"), number("20"), number("1")
		return billing.Evidence{CDR: cdr, RetailNet: decimal.NewFromInt(8), ReceivedAt: cdr.EndDateTime.Add(time.Hour)}
	}
	set := func(s string) func(*billing.Evidence) {
		return func(e *billing.Evidence) {
			e.CDR.TotalEnergy = number(s)
			e.CDR.ChargingPeriods[0].Dimensions[0].Volume = number(s)
			e.CDR.TotalCost.ExclVAT = ocpi.Number(e.CDR.TotalEnergy.Decimal.Mul(decimal.New(25, -2)))
			e.RetailNet = decimal.NewFromInt(10000)
		}
	}
	lasts := func(hours int, also func(*billing.Evidence)) func(*billing.Evidence) {
		return func(e *billing.Evidence) {
			e.CDR.EndDateTime = e.CDR.StartDateTime.Add(time.Duration(hours) * time.Hour)
			e.CDR.TotalTime = ocpi.Number(decimal.NewFromInt(int64(hours)))
			e.CDR.ChargingPeriods[0].Dimensions[1].Volume = e.CDR.TotalTime
			e.ReceivedAt = e.CDR.EndDateTime
			if also != nil {
				also(e)
			}
		}
	}
	arrives := func(after time.Duration) func(*billing.Evidence) {
		return func(e *billing.Evidence) { e.ReceivedAt = e.CDR.EndDateTime.Add(after) }
	}
	for _, c := range []struct {
		name   string
		change func(*billing.Evidence)
		want   []string
	}{
		{"clean", func(*billing.Evidence) {}, nil},
		{"P05 at 110 % of 22 kW", set("24.2"), nil},
		{"P05 above", set("24.21"), []string{"P05 block"}},
		{"P05 direct current", func(e *billing.Evidence) { set("100")(e); e.CDR.CDRLocation.ConnectorPowerType = ocpi.PowerDC }, nil},
		{"P05 known power", func(e *billing.Evidence) { e.MaxPower = number("11") }, []string{"P05 block"}},
		{"P07 AC", lasts(10, set("120.1")), []string{"P07 flag"}},
		{"P07 AC at the limit", lasts(10, set("120")), nil},
		{"P07 absurd", lasts(10, func(e *billing.Evidence) { set("1001")(e); e.MaxPower = number("150") }), []string{"P07 block", "P30 flag"}},
		{"P07 DC", func(e *billing.Evidence) { set("300.1")(e); e.CDR.CDRLocation.ConnectorPowerType = ocpi.PowerDC }, []string{"P07 flag", "P30 flag"}},
		{"P08", func(e *billing.Evidence) { e.CDR.TotalFixedCost = &ocpi.Price{ExclVAT: number("-1")} }, []string{"P08 block"}},
		{"P08 credit", func(e *billing.Evidence) { e.CDR.Credit = true; e.CDR.TotalCost.ExclVAT = number("-5") }, nil},
		{"P11 a day", lasts(24, nil), nil},
		{"P11 more", lasts(25, nil), []string{"P11 flag"}},
		{"P11 two days", lasts(49, nil), []string{"P11 block"}},
		{"P12", func(e *billing.Evidence) { e.CDR.EndDateTime = e.CDR.StartDateTime.Add(-time.Second) }, []string{"P12 block", "P14 flag"}},
		{"P14 energy", func(e *billing.Evidence) { e.CDR.TotalEnergy = number("20.3") }, []string{"P14 flag"}}, // 1.48 %
		{"P14 energy within 1 %", func(e *billing.Evidence) { e.CDR.TotalEnergy = number("20.1") }, nil},
		{"P14 time", func(e *billing.Evidence) { e.CDR.TotalTime = number("1.02") }, []string{"P14 flag"}}, // 1.2 min
		{"P14 order", func(e *billing.Evidence) { e.CDR.StartDateTime = e.CDR.StartDateTime.Add(time.Minute) }, []string{"P14 flag"}},
		{"P16 within 1 %", func(e *billing.Evidence) { e.CDR.TotalCost.ExclVAT = number("5.05") }, nil},
		{"P16 above", func(e *billing.Evidence) { e.CDR.TotalCost.ExclVAT = number("5.06") }, []string{"P16 flag"}},
		{"P16 far too little", func(e *billing.Evidence) { e.CDR.TotalCost.ExclVAT = number("3.9") }, []string{"P16 block"}},
		{"P25 a week", arrives(7 * 24 * time.Hour), nil},
		{"P25 more", arrives(7*24*time.Hour + time.Minute), []string{"P25 info"}},
		{"P25 two months", arrives(61 * 24 * time.Hour), []string{"P25 flag"}},
		{"P25 a quarter", arrives(91 * 24 * time.Hour), []string{"P25 block"}},
		{"P25 as agreed", func(e *billing.Evidence) { arrives(91 * 24 * time.Hour)(e); e.MaxDays = number("91") }, nil},
		{"P25 later than agreed", func(e *billing.Evidence) { arrives(8 * 24 * time.Hour)(e); e.MaxDays = number("7") }, []string{"P25 block"}},
		{"P29", func(e *billing.Evidence) { e.RetailNet = number("4.99").Decimal }, []string{"P29 flag"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := clean()
			c.change(&e)
			e.Wholesale = billing.Rate(e.CDR, compile(tariffDoc(t, "T", element("", "ENERGY 0.25 - 1"))), time.UTC, billing.DefaultPolicy)
			e.Verdict = billing.Check(e.CDR, e.Wholesale, billing.DefaultTolerance)
			e.Retail = billing.Rating{Currency: "EUR"}
			var got []string
			for _, f := range billing.Judge(e) {
				got = append(got, f.Code+" "+string(f.Severity))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

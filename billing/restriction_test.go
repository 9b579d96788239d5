package billing_test

import (
	"testing"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// PRC-07: the times of day as conformance 18.3 reads them, and as partners write them.
func TestWindow(t *testing.T) {
	const minute, hour = 60, 3600
	for _, c := range []struct {
		start, end string
		want       [2]int
	}{
		{"08:00", "17:00", [2]int{8 * hour, 17 * hour}},
		{"22:00", "06:00", [2]int{22 * hour, 6 * hour}}, // wraps
		{"22:00", "00:00", [2]int{22 * hour, 24 * hour}},
		{"22:00", "24:00", [2]int{22 * hour, 24 * hour}},
		{"22:00", "", [2]int{22 * hour, 24 * hour}},
		{"", "06:00", [2]int{0, 6 * hour}},
		{"", "00:00", [2]int{0, 24 * hour}},
		{"00:00", "00:00", [2]int{0, 24 * hour}},
		{"10:00", "10:00", [2]int{0, 24 * hour}},
		{"24:00", "06:00", [2]int{0, 6 * hour}},
		{"00:00", "23:59", [2]int{0, 24*hour - minute}},
		{"08:00:00", "19:59:59", [2]int{8 * hour, 20 * hour}},
		{"00:00:00", "23:59:59", [2]int{0, 24 * hour}},
	} {
		start, end, err := billing.Window(&ocpi.TariffRestrictions{StartTime: c.start, EndTime: c.end})
		if err != nil || [2]int{start, end} != c.want {
			t.Errorf("%s–%s: %d–%d, %v; want %d", c.start, c.end, start, end, err, c.want)
		}
	}
	for _, text := range []string{"25:00", "8 o'clock", "-1:00"} {
		for _, r := range []ocpi.TariffRestrictions{{StartTime: text}, {EndTime: text}} {
			if _, _, err := billing.Window(&r); err == nil {
				t.Errorf("%q is taken for a time of day", text)
			}
		}
	}
}

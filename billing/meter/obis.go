package meter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// OBIS names a register: A-B:C.D.E*F of IEC 62056-6-1.
type OBIS struct{ A, B, C, D, E, F byte }

func (o OBIS) String() string {
	if o == (OBIS{}) {
		return ""
	}
	return fmt.Sprintf("%X-%X:%X.%X.%X*%02X", o.A, o.B, o.C, o.D, o.E, o.F)
}

func obisOf(b []byte) OBIS { return OBIS{b[0], b[1], b[2], b[3], b[4], b[5]} }

func (o OBIS) bytes() []byte { return []byte{o.A, o.B, o.C, o.D, o.E, o.F} }

// parseOBIS reads a register as devices write it: "1-0:1.8.0", "1-b:1.8.e", "01-00:B2.08.00*FF", "01-00:01.08.00.FF". Groups are
// hexadecimal. F is absent, 0 or FF for the present value, and some write it in decimal, as 255.
func parseOBIS(s string) (o OBIS, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	o.F = 0xff
	for _, group := range []struct {
		into *byte
		stop string // what ends it
		last bool   // it may be the last
	}{{&o.A, "-", false}, {&o.B, ":", false}, {&o.C, ".", false}, {&o.D, ".", false}, {&o.E, ".*&", true}, {&o.F, "", true}} {
		end := strings.IndexAny(s, group.stop)
		switch {
		case end < 0 && !group.last:
			return OBIS{}, false
		case end < 0:
			end = len(s)
		}
		if group.into == &o.F && (s[:end] == "255" || s[:end] == "0" || s[:end] == "00") {
			return o, true
		}
		base := 16
		if len(s[:end]) > 2 {
			base = 10
		}
		n, err := strconv.ParseUint(s[:end], base, 8)
		if err != nil {
			return OBIS{}, false
		}
		*group.into = byte(n)
		if end == len(s) {
			return o, group.last
		}
		s = s[end+1:]
	}
	return OBIS{}, false
}

// imports are the registers of energy that was taken from the grid, by their group C, the most precise to what reached the car
// first: with the loss of the cable taken off, then counted for the transaction alone, then the meter's own total (OCMF
// specification, table 25; 98 and 9E are what some used before it).
var imports = []byte{0xB3, 0xB1, 0x98, 0xB2, 0xB0, 0x9E, 1}

// rank is the place of a register among imports; the register that comes first is billed. False: it counts something else.
func (o OBIS) rank() (int, bool) {
	total := o.D == 8 || o.C == 1 && o.D == 0x11 // 1.17.0: EMH's signed register
	if o.A != 1 || !total {
		return 0, false
	}
	i := slices.Index(imports, o.C)
	return i, i >= 0
}

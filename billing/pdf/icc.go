package pdf

import (
	"encoding/binary"
	"sync"
)

// srgb is an ICC profile (version 4.2) of the sRGB colour space, IEC 61966-2-1, as a matrix and one parametric curve: the
// colours of every document mean this (PDF/A output intent).
var srgb = sync.OnceValue(func() []byte {
	fixed := func(v float64) uint32 { return uint32(int32(v*65536 + sign(v)*0.5)) }
	be := func(values ...uint32) []byte {
		var b []byte
		for _, v := range values {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		return b
	}
	tag := func(s string) uint32 { return binary.BigEndian.Uint32([]byte(s)) }
	text := func(s string) []byte {
		b := be(tag("mluc"), 0, 1, 12, tag("enUS"), uint32(2*len(s)), 28)
		for _, c := range []byte(s) {
			b = append(b, 0, c)
		}
		return b
	}
	xyz := func(x, y, z float64) []byte { return be(tag("XYZ "), 0, fixed(x), fixed(y), fixed(z)) }
	curve := append(be(tag("para"), 0), 0, 3, 0, 0)
	for _, v := range []float64{2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045} {
		curve = append(curve, be(fixed(v))...)
	}
	entries := []struct {
		name string
		data []byte
	}{
		{"desc", text("sRGB")},
		{"cprt", text("Public domain")},
		{"wtpt", xyz(0.9642, 1, 0.8249)}, // D50, the white of the connection space
		{"chad", be(tag("sf32"), 0, fixed(1.047882), fixed(0.022918), fixed(-0.050217), fixed(0.029587), fixed(0.990479), fixed(-0.017059), fixed(-0.009232), fixed(0.015076), fixed(0.751678))},
		{"rXYZ", xyz(0.436066, 0.222488, 0.013916)},
		{"gXYZ", xyz(0.385147, 0.716873, 0.097076)},
		{"bXYZ", xyz(0.143066, 0.060608, 0.714096)},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	table, data := be(uint32(len(entries))), []byte(nil)
	start, curveAt := 128+4+12*len(entries), 0
	for _, e := range entries {
		at := start + len(data)
		if e.name == "gTRC" || e.name == "bTRC" {
			at = curveAt // the three channels share one curve
		} else {
			curveAt = at
			data = append(data, e.data...)
			for len(data)%4 != 0 {
				data = append(data, 0)
			}
		}
		table = append(table, be(tag(e.name), uint32(at), uint32(len(e.data)))...)
	}
	header := make([]byte, 128)
	copy(header[8:], be(0x04200000, tag("mntr"), tag("RGB "), tag("XYZ ")))
	copy(header[24:], []byte{0x07, 0xEA, 0, 1, 0, 1}) // 2026-01-01
	copy(header[36:], be(tag("acsp")))
	copy(header[68:], be(fixed(0.9642), fixed(1), fixed(0.8249)))
	profile := append(append(header, table...), data...)
	copy(profile, be(uint32(len(profile))))
	return profile
})

package ocpi

import "testing"

func BenchmarkDecodeCDR(b *testing.B) {
	in, err := Marshal(fixture[CDR](b, "cdr/full")) // about 4 kB
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		var c CDR
		if err := Unmarshal(in, &c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidateCDR(b *testing.B) {
	c := fixture[CDR](b, "cdr/full")
	b.ReportAllocs()
	for b.Loop() {
		if findings := c.Validate(); findings != nil {
			b.Fatal(findings)
		}
	}
}

func BenchmarkEncodeCDR(b *testing.B) {
	c := fixture[CDR](b, "cdr/full")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Marshal(c); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPatchStatus is the hot path of the locations module (LOC-09).
func BenchmarkPatchStatus(b *testing.B) {
	l := fixture[Location](b, "location/full")
	patch := []byte(`{"status":"CHARGING","last_updated":"2026-11-01T08:00:00Z"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.PatchEVSE("NUE-0042-1", patch, Unmarshal); err != nil {
			b.Fatal(err)
		}
	}
}

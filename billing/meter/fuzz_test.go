package meter

import (
	"bytes"
	"os"
	"sync"
	"testing"
)

// What comes from outside never panics, and whatever is read can be judged. The seeds are every fixture: files, and the records
// in them.
func seed(f *testing.F, add func(text string)) {
	for _, path := range kept(f) {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		groups, _ := ReadFile(file)
		for _, group := range groups {
			for _, s := range group {
				add(s.Text)
			}
		}
	}
}

var stranger = sync.OnceValue(func() *Key { return newDevice("stranger", "secp192r1").key })

// judged reads one text, with a key that nothing was signed with.
func judged(t *testing.T, text string) {
	s := Judge([]Signed{{Text: text}}, Facts{Keys: []TrustedKey{{Key: stranger()}}, Users: []string{"04A1B2C3D4E5F6"}, TimePriced: true})
	if s.OK() {
		t.Fatal("a record of a key that was never used is good")
	}
	if s.Records[0].Record != nil && s.Records[0].Record.Hash() == [32]byte{} {
		t.Fatal("a record without a hash")
	}
	for _, f := range s.Faults {
		if f.Reason.Text("de") == "" {
			t.Fatalf("%q has no text", f.Reason)
		}
	}
	if err := WriteFile(&bytes.Buffer{}, s.Records); err != nil {
		t.Fatal(err)
	}
}

func FuzzRead(f *testing.F) {
	seed(f, func(text string) { f.Add(text) })
	f.Fuzz(func(t *testing.T, text string) { judged(t, text) })
}

func FuzzOCMF(f *testing.F) {
	f.Add(wholePayload, std)
	f.Add(beginPayload, `{"SA":"ECDSA-secp192k1-SHA256","SE":"base64","SD":"AAAA"}`)
	f.Fuzz(func(t *testing.T, payload, section string) { judged(t, "OCMF|"+payload+"|"+section) })
}

func FuzzSML(f *testing.F) {
	f.Add(newDevice("edl", "secp192r1").edl(7, 1000, "04A1B2C3"))
	f.Add(newDevice("edl", "secp256r1").edl(7, 1000, "04A1B2C3"))
	f.Add(newDevice("isa", "secp256r1").isa(2, 9, 1000, 3000))
	f.Fuzz(func(_ *testing.T, b []byte) {
		p := smlParser{rest: b, left: 4096}
		if v, err := p.value(0); err == nil {
			_, _ = readAnswer(v)
		}
		_, _ = readSML(b)
	})
}

func FuzzFile(f *testing.F) {
	for _, path := range kept(f) {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(_ *testing.T, file []byte) { judgeFile(file) })
}

func FuzzKey(f *testing.F) {
	for _, v := range opensslVectors {
		f.Add(v.key, v.curve)
	}
	f.Fuzz(func(t *testing.T, text, curveName string) {
		k, err := ParseKey(text, curveName)
		if err != nil {
			return
		}
		again, err := ParseKey(base64Of(k.SPKI()), "")
		if err != nil || !again.Equal(k) {
			t.Fatalf("a key is another one when it is read again: %v", err)
		}
	})
}

func FuzzDER(f *testing.F) {
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if sig, ok := der(b); ok && (sig.r.Sign() < 0 || sig.s.Sign() < 0) {
			t.Fatal("a signature with a sign")
		}
	})
}
